"""Every channel that Apprise knows, as an alert sink of lakemon."""

from lakemon_apprise.sink import AppriseConfig, AppriseSink

__all__ = ["AppriseConfig", "AppriseSink"]
