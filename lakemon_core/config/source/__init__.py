"""From YAML text or Python values to the tree of one environment."""
