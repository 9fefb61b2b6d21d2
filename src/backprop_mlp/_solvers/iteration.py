"""What a solver reports after each iteration."""

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
