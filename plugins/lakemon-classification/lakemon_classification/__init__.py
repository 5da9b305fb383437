"""Classification models for lakemon: binary and multiclass quality, probabilities, default rules."""
