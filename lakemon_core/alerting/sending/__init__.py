"""How messages reach their channels: pace, claims, channels that are down, what follows a failure."""
