"""YAML to Monitor: read, overlay, resolve, explain."""
