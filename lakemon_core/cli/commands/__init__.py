"""One module a command, each a thin door to the pipeline."""
