"""What rules need to judge signals."""
