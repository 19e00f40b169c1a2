"""The page on which a person listens to tracks whose label may be wrong, and decides."""
