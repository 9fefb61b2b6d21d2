"""From an estimator's keywords and rows to a problem, and the fitted network."""
