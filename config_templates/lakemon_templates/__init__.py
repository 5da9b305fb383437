"""Config templates of lakemon, rendered by `lakemon init`."""
