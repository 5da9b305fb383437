"""Microsoft Teams alerts for lakemon through Workflows."""
