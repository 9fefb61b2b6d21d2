"""Training: where it starts, how it is followed, when it ends."""
