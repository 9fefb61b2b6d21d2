"""The search over alpha: a grid, paths along it in folds, and the networks that are kept."""
