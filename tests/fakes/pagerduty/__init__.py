"""A strict Events API v2 on this machine, with the alerts that it keeps."""

from fakes.pagerduty.events_api import KEY, EventsApi

__all__ = ["KEY", "EventsApi"]
