"""Objectives of given rows, and coordinates with every part, for the tests of the solvers."""

from backprop_mlp._objective.blocks import RowBlocks
from backprop_mlp._objective.objective import Objective
from backprop_mlp._solvers.kronecker import CurvaturePlan


def rows_objective(network, X, Y, sample_weight, max_rows=1000, alpha=0.7):
    """The objective of given rows, in blocks of at most so many."""
    blocks = RowBlocks(X, Y, sample_weight, lambda codes, dtype: codes.astype(dtype), max_rows)
    return Objective(network, blocks, alpha)


def full_plan(network):
    """Every eigenbasis, whatever it takes."""
    dense = len(network.dense_views(network.blank()))
    return CurvaturePlan((True,) * dense, (True,) * dense, True)
