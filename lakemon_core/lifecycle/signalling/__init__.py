"""Signals: every number that a rule may look at, made from metrics, from rows, or of the moment."""
