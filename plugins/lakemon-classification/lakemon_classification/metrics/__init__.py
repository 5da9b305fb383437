"""Metrics of classes, of scores and of calibration: arrays in, estimates out."""
