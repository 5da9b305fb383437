"""The commands of `lakemon`; one module per command."""
