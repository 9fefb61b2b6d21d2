"""Iterations as solvers report them, without parameters."""

from backprop_mlp._solvers.iteration import Iteration, Known


def report(number, cost, grad_max, n_fun):
    """Of a full-batch solver; of a mini-batch solver where ``grad_max`` is None."""
    return Iteration(number, cost, n_fun, n_fun, Known(None, grad_max))
