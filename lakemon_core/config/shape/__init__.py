"""What a config may hold: sections, rules, and their JSON Schema."""
