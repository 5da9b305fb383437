"""Slack alerts for lakemon: incoming webhooks and bot tokens."""

from lakemon_slack.sink import SlackConfig, SlackSink

__all__ = ["SlackConfig", "SlackSink"]
