"""Slack alerts for lakemon: incoming webhooks and bot tokens."""
