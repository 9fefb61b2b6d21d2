"""When training ends: the rules that every solver shares."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Iteration(NamedTuple):
    """What a solver reports after each iteration.

    Parameters
    ----------
    number : int
        1 for the first.
    cost : float
        J after it.
    grad_max : float
        Largest absolute component of J's gradient with respect to theta.
    n_fun : int
        Evaluations of J and its gradient so far.
    theta : ndarray of shape (n_params,)
    """

    number: int
    cost: float
    grad_max: float
    n_fun: int
    theta: object


@dataclass
class Stopping:
    """Decides after each iteration whether it was the last.

    Parameters
    ----------
    tol : float
    n_iter_no_change : int
    max_iter : int
    max_fun : int

    Attributes
    ----------
    costs : list of float
        J at the start and after every iteration.
    converged : bool
        Whether the reason to stop was that there is nothing left to gain.
    message : str
        The reason to stop, a sentence without its full stop; empty until then.
    """

    tol: float
    n_iter_no_change: int
    max_iter: int
    max_fun: int
    costs: list = field(default_factory=list)
    converged: bool = False
    message: str = ""

    def start(self, cost, grad_max):
        """Note the cost of the start; whether there is nothing to do."""
        self.costs = [cost]
        return self._flat(grad_max)

    def after(self, iteration: Iteration) -> bool:
        """Whether to stop after an iteration."""
        self.costs.append(iteration.cost)
        if self._flat(iteration.grad_max):
            return True
        span = self.n_iter_no_change
        if iteration.number >= span and self.costs[-1 - span] - iteration.cost < self.tol:
            return self._stop(
                True, f"{span} iterations together lowered the cost by less than tol={self.tol:g}"
            )
        if iteration.number >= self.max_iter:
            return self._stop(False, f"max_iter={self.max_iter} iterations are done")
        if iteration.n_fun >= self.max_fun:
            return self._stop(False, f"max_fun={self.max_fun} evaluations of the cost are done")
        return False

    def _flat(self, grad_max):
        if grad_max < self.tol:
            return self._stop(True, f"the gradient's largest component is below tol={self.tol:g}")
        return False

    def _stop(self, converged, message):
        self.converged = converged
        self.message = message
        return True
