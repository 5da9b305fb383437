"""What a lake has measured by itself, completed to what every backend's metric tables hold. Pure."""
