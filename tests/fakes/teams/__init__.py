"""A Teams workflow on this machine: it takes everything, and says only in its history what it made of it."""

from fakes.teams.workflow import Workflow, faults, shown

__all__ = ["Workflow", "faults", "shown"]
