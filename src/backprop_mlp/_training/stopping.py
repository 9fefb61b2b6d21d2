"""When training ends: the rules that every solver shares."""

import math
from dataclasses import dataclass

from .._solvers.iteration import Iteration
from .history import counted

SMALLEST_ADAPTIVE_RATE = 1e-6
"""Below this "adaptive" stops instead of lowering the learning rate further."""

ADAPTIVE_DIVISOR = 5.0
"""What "adaptive" divides the learning rate by, as `sklearn.neural_network.MLPClassifier`."""

COST_TOL = 1e-4
"""The default of ``tol``. Where that is in the units of a score which is no loss, gradients and
costs are compared with this, or with ``tol`` where it is smaller."""

# Remedies, with {} where a keyword's name begins, which is a longer one in a search: see `advise`.

LOWER_RATE = "lower the learning rate ({}learning_rate_init)"
"""Remedy where mini-batches diverge."""

RAISE_TOL = "raise {}tol to end sooner"
"""Remedy where no step lowers the cost."""

LOWER_ALPHA_OR_TOL = "lower alpha or {}tol"
"""Remedy where the rules took a cost above a constant prediction's for converged."""

LOWER_TOL = "lower {}tol"
"""The same where alpha can't be lowered."""


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
    largest_cost_tol : float, default=inf
        What is taken for ``tol`` where costs and gradients are compared with it and it is larger.
    unit, score_unit : float, default=1
        What ``tol`` is counted in where costs and gradients are compared with it, and scores.
    adaptive_rate : float, default=0
        Above 0: the learning rate, which is divided by 5 where training would
        otherwise stop for lack of progress.
    lowest : float, default=inf
        Lowest cost so far, or minus the highest score.
    n_stalled : int, default=0
        Iterations in a row that did not lower it by ``tol``.
    rate_factor : float, default=1
        What the learning rate has come down to.

    Attributes
    ----------
    converged : bool
        Whether the reason to stop was that there is nothing left to gain.
    message : str
        The reason to stop, a sentence without its full stop; empty until then.
    by_user : bool
        Whether a callback or Ctrl-C ended it, not one of the rules.
    remedy : str
        What to do about this reason, if training has not converged; as `LOWER_RATE`.
    grad_max : float
        The gradient's largest component where the solver could not go on.
    """

    tol: float
    n_iter_no_change: float
    max_iter: int
    max_fun: float = math.inf
    by_score: bool = False
    largest_cost_tol: float = math.inf
    unit: float = 1.0
    score_unit: float = 1.0
    adaptive_rate: float = 0.0
    lowest: float = math.inf
    n_stalled: int = 0
    rate_factor: float = 1.0
    converged: bool = False
    message: str = ""
    by_user: bool = False
    remedy: str = ""
    grad_max: float = math.inf

    @property
    def cost_tol(self):
        """What gradients, and differences of costs, count as nothing below."""
        return min(self.tol, self.largest_cost_tol) * self.unit

    @property
    def counts_progress(self):
        """Whether a lack of progress can end training."""
        return self.tol > -math.inf

    def start(self, cost, grad_max):
        """Note the cost of the start; whether there is nothing to do."""
        if not self.by_score:
            self.lowest = cost
        return grad_max < self.cost_tol and self._end_flat()

    def after(self, iteration: Iteration, score=None) -> bool:
        """Note an iteration, and its validation score; whether to stop."""
        if iteration.place.is_flat(self.cost_tol):
            return self._end_flat()
        if self._stalls(-score if self.by_score else iteration.cost):
            # What comes next is compared with itself alone.
            self.lowest, self.n_stalled = math.inf, 0
            if self.adaptive_rate * self.rate_factor <= SMALLEST_ADAPTIVE_RATE:
                return self.stop(
                    f"{self._lack_of_progress} by {self._named(self._progress_unit)}",
                    converged=True,
                )
            self.rate_factor /= ADAPTIVE_DIVISOR
        if iteration.number >= self.max_iter:
            return self.stop(
                f"max_iter={_done(self.max_iter, 'iteration')}", remedy="raise {}max_iter"
            )
        if iteration.n_fun >= self.max_fun:
            return self.stop(
                f"max_fun={_done(self.max_fun, 'evaluation', ' of the cost')}",
                remedy="raise {}max_fun",
            )
        return False

    def give_up(self, message, grad_max):
        """Note that the solver can't go on, why, and the gradient's largest component there."""
        self.grad_max = grad_max
        return self.stop(message, remedy=RAISE_TOL)

    def stop(self, message, *, converged=False, by_user=False, remedy=""):
        """Note why training ends, and what to do about it; True."""
        self.by_user = by_user
        self.converged = converged
        self.message = message
        self.remedy = remedy
        return True

    def _end_flat(self):
        is_tol = self.tol <= self.largest_cost_tol
        limit = self._named(self.unit) if is_tol else f"{self.cost_tol:g}"
        return self.stop(f"the gradient's largest component is below {limit}", converged=True)

    @property
    def _progress_unit(self):
        return self.score_unit if self.by_score else self.unit

    @property
    def _lack_of_progress(self):
        """What the last iterations have not brought, for messages."""
        if self.n_iter_no_change == 1:
            what = "raise the best score" if self.by_score else "lower the cost"
            return f"the last iteration did not {what}"
        what = "raised the best score" if self.by_score else "lowered the cost"
        return f"none of the last {self.n_iter_no_change} iterations {what}"

    def _named(self, unit):
        """tol in a unit, as messages name it."""
        return f"tol={self.tol:g}" + ("" if unit == 1.0 else f" times the loss's unit, {unit:.3g}")

    def _stalls(self, value):
        """Whether the last iterations each gained too little on the best before them."""
        gains = self.lowest - value >= self.tol * self._progress_unit
        self.lowest = min(self.lowest, value)
        self.n_stalled = 0 if gains else self.n_stalled + 1
        return self.n_stalled >= self.n_iter_no_change


def _done(number, noun, of=""):
    """A number of things that are done, for messages."""
    return f"{counted(number, noun)}{of} {'is' if number == 1 else 'are'} done"
