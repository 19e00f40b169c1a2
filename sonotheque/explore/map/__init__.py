"""The map of a library: projection, clusters and their names, and how far they can be trusted."""
