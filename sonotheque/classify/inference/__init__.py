"""What a trained classifier is used for: predictions, calibration, abstention, novelty, and submission files."""
