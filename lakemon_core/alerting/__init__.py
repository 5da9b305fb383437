"""Verdicts to incidents, incidents to messages, messages to people."""
