"""Checks of a network: its gradient, and its learning rate."""
