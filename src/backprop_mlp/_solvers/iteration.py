"""What a solver reports after each iteration, and what it leaves."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from .._network.layers import BatchMoments


class Place(Protocol):
    """Where an iteration has led."""

    @property
    def theta(self) -> np.ndarray:
        """The parameters, of shape (n_params,). Valid until the next iteration."""

    @property
    def grad_max(self) -> float | None:
        """Largest absolute component of J's gradient with respect to theta; None
        where no step sees the whole gradient.
        """

    def is_flat(self, limit: float) -> bool:
        """Whether ``grad_max`` is known to be below a limit."""


class Known(NamedTuple):
    """A `Place` of which everything is known.

    Parameters
    ----------
    theta : ndarray of shape (n_params,)
    grad_max : float or None
    """

    theta: np.ndarray
    grad_max: float | None

    def is_flat(self, limit):
        """Whether ``grad_max`` is known to be below a limit."""
        return self.grad_max is not None and self.grad_max < limit


class Iteration(NamedTuple):
    """One iteration of a solver: a step over all rows, or an epoch of mini-batches.

    Parameters
    ----------
    number : int
        1 for the first.
    cost : float
        J after it; with mini-batches the mean of their costs during it.
    n_fun : int
        Evaluations of a cost and its gradient so far.
    n_passes : int
        Passes over all rows so far.
    place : Place
        Where it has led.
    moments : list of BatchMoments
        Running moments of the batch normalisations.
    """

    number: int
    cost: float
    n_fun: int
    n_passes: int
    place: Place
    moments: Sequence[BatchMoments] = ()


class Result(NamedTuple):
    """Where a solver ended, and what else it leaves.

    Parameters
    ----------
    theta : ndarray of shape (n_params,)
        Of the training network.
    cost : float
        J there; with mini-batches the mean of their costs in the last epoch.
    n_fun : int
        Evaluations of a cost and its gradient.
    n_passes : int
        Passes over all rows.
    moments : list of BatchMoments
        Running moments of the batch normalisations.
    state : dict or None, default=None
        What a mini-batch solver goes on from: see `initial_state`.
    """

    theta: np.ndarray
    cost: float
    n_fun: int
    n_passes: int
    moments: Sequence[BatchMoments] = ()
    state: dict | None = None
