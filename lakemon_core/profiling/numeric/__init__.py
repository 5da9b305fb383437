"""Columns of numbers: their summary, statistics of one sample and distances of two, all exact."""
