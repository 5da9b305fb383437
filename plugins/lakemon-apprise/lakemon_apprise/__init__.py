"""Every channel that Apprise knows, as an alert sink of lakemon."""
