"""Find similar tracks."""
