"""How good a classifier is: cross-validation, metrics, bootstrap intervals, model comparison and feature importance."""
