"""Find similar tracks, and write them as a playlist."""
