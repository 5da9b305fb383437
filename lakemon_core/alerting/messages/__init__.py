"""What people read: words and figures of incidents, gathered into messages."""
