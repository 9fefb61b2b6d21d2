"""Solvers: from an objective and a start to its minimum."""
