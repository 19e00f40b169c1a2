"""Find labels that are probably wrong, and apply a person's corrections."""
