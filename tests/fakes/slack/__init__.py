"""A strict Slack on this machine."""

from fakes.slack.payload import faults
from fakes.slack.server import SlackServer

__all__ = ["SlackServer", "faults"]
