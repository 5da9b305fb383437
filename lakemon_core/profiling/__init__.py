"""Arrow in, metric rows out: pure kernels, exact, NumPy over Arrow columns."""
