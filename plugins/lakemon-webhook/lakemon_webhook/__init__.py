"""Signed webhooks for lakemon, in the form of Standard Webhooks."""
