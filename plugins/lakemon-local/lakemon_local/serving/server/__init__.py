"""What runs inside the model server's process: routes, loaded models, the spool and its mover."""
