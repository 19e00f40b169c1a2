"""What is fitted: specifications, estimators, networks, ensembles and the search for them."""
