"""Microsoft Teams alerts for lakemon through Workflows."""

from lakemon_teams.sink import TeamsConfig, TeamsSink

__all__ = ["TeamsConfig", "TeamsSink"]
