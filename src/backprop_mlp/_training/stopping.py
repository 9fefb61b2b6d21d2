"""When training ends: the rules that every solver shares."""

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

SMALLEST_ADAPTIVE_RATE = 1e-6
"""Below this "adaptive" stops instead of lowering the learning rate further."""


class Iteration(NamedTuple):
    """What a solver reports after each iteration: a step over all rows, or an epoch.

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
    moments : list of Moments
        Running moments of the batch normalisations.
    """

    number: int
    cost: float
    grad_max: float | None
    n_fun: int
    theta: Any
    moments: Any = ()


@dataclass
class Stopping:
    """Decides after each iteration whether it was the last.

    Parameters
    ----------
    tol : float
    n_iter_no_change : int or inf
    max_iter : int
    max_fun : float, default=inf
    by_score : bool, default=False
        Whether a score that no longer rises counts, not a cost that no longer falls.
    adaptive_rate : float, default=0
        Above 0: the learning rate, which is divided by 5 where training would
        otherwise stop for lack of progress.
    costs, scores : list of float
        What earlier calls have recorded, to be continued.
    since : int, default=0
        Number of records that no longer count for the lack of progress.
    rate_factor : float, default=1
        What the learning rate has come down to.

    Attributes
    ----------
    converged : bool
        Whether the reason to stop was that there is nothing left to gain.
    message : str
        The reason to stop, a sentence without its full stop; empty until then.
    """

    tol: float
    n_iter_no_change: float
    max_iter: int
    max_fun: float = math.inf
    by_score: bool = False
    adaptive_rate: float = 0.0
    costs: list = field(default_factory=list)
    scores: list = field(default_factory=list)
    since: int = 0
    rate_factor: float = 1.0
    converged: bool = False
    message: str = ""
    _start_cost: list = field(default_factory=list)

    def start(self, cost, grad_max):
        """Note the cost of the start; whether there is nothing to do."""
        self._start_cost = [cost]
        return self._flat(grad_max)

    def after(self, iteration: Iteration, score=None) -> bool:
        """Record an iteration, and its validation score; whether to stop."""
        if score is not None:
            self.scores.append(score)
        # Last: Ctrl-C before it, and the iteration does not count.
        self.costs.append(iteration.cost)
        if iteration.grad_max is not None and self._flat(iteration.grad_max):
            return True
        if self._no_change():
            self.since = len(self.scores if self.by_score else self.costs)
            if self.adaptive_rate * self.rate_factor <= SMALLEST_ADAPTIVE_RATE:
                what = "raised the best score" if self.by_score else "lowered the cost"
                return self.stop(
                    f"none of the last {self.n_iter_no_change} iterations {what} "
                    f"by tol={self.tol:g}",
                    converged=True,
                )
            self.rate_factor /= 5.0
        if iteration.number >= self.max_iter:
            return self.stop(f"max_iter={self.max_iter} iterations are done")
        if iteration.n_fun >= self.max_fun:
            return self.stop(f"max_fun={self.max_fun} evaluations of the cost are done")
        return False

    def stop(self, message, *, converged=False):
        """Note why training ends; True."""
        self.converged = converged
        self.message = message
        return True

    def _flat(self, grad_max):
        if grad_max < self.tol:
            return self.stop(
                f"the gradient's largest component is below tol={self.tol:g}", converged=True
            )
        return False

    def _no_change(self):
        """Whether none of the last iterations is better by tol than the best before it."""
        if self.by_score:
            values = [-score for score in self.scores[self.since :]]
        else:
            values = self._start_cost + self.costs[self.since :]
        if len(values) <= self.n_iter_no_change:
            return False
        n_last = int(self.n_iter_no_change)
        best = min(values[:-n_last])
        for value in values[-n_last:]:
            if best - value >= self.tol:
                return False
            best = min(best, value)
        return True
