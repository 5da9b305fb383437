"""PagerDuty alerts for lakemon over the Events API v2."""

from lakemon_pagerduty.sink import PagerDutyConfig, PagerDutySink

__all__ = ["PagerDutyConfig", "PagerDutySink"]
