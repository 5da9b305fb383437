"""What runs inside the model server's process: routes, endpoints and loaded models."""
