"""What classifiers are trained on: embedding sets, training sets and folds."""
