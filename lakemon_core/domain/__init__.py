"""What the words of lakemon mean: frozen dataclasses without I/O."""
