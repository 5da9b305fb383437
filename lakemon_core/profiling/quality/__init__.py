"""Metrics of predicted numbers: estimates with intervals, losses of points and of quantiles."""
