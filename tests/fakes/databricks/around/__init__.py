"""What stands around: identity, permissions, secrets, alerts, dashboards, jobs, destinations."""
