"""MLflow: training data sets with their version, runs, and the model registry."""
