"""What a solver reports after each iteration, and what it leaves."""

from typing import Any, NamedTuple


class Iteration(NamedTuple):
    """One iteration of a solver: a step over all rows, or an epoch of mini-batches.

    Parameters
    ----------
    number : int
        1 for the first.
    cost : float
        J after it; with mini-batches the mean of their costs during it.
    grad_max : float or None
        Largest absolute component of J's gradient with respect to theta; None
        where no step sees the whole gradient.
    n_fun : int
        Evaluations of a cost and its gradient so far.
    theta : ndarray of shape (n_params,)
        Valid until the next iteration.
    moments : list of BatchMoments
        Running moments of the batch normalisations.
    """

    number: int
    cost: float
    grad_max: float | None
    n_fun: int
    theta: Any
    moments: Any = ()

    @property
    def n_passes(self):
        """Passes over all rows so far."""
        return self.number if self.grad_max is None else self.n_fun


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

    theta: Any
    cost: float
    n_fun: int
    n_passes: int
    moments: Any = ()
    state: dict | None = None
