"""Follows one run of training: records, validates, reports, and says when to stop."""

from copy import copy
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from .._network.network import Network
from .._objective.overflow import IGNORE_OVERFLOW
from .history import History, Record
from .start import Best, Start, check_comparable
from .stopping import Stopping


@dataclass(frozen=True)
class SoFar:
    """What is known of a run after an iteration that need not be the last: see `Outcome`.

    Parameters
    ----------
    network : Network
        The plain one that predicts.
    theta : ndarray of shape (network.n_params,)
    cost : float
    best_score : float or None
        Highest validation score, if there were validation rows.
    history : History
    n_fun : int
        Evaluations of this run.
    n_passes : int
        Passes over the rows of this run.
    stopping : Stopping
    """

    network: Network
    theta: np.ndarray
    cost: float
    best_score: float | None
    history: History
    n_fun: int
    n_passes: int
    stopping: Stopping


class Monitor:
    """Follows one run from its start.

    Parameters
    ----------
    start : Start
        Its history and stopping rules go on; what early stopping has to beat, too.
    objective : Objective
    validate : callable(network, theta) -> Measured, or None
        Measures a plain network on the validation rows, if there are any.
    make_estimator : callable(SoFar) -> estimator
        The estimator as if `fit` had ended there, for callbacks.
    task : CallbackTask
        Whose subtasks are the iterations.
    label : str or None
        Begins each printed line; None prints nothing.
    interruption : Interruption
        Set by Ctrl-C, here or in another run.
    """

    def __init__(
        self, start: Start, objective, *, validate, make_estimator, task, label, interruption
    ):
        self.history = start.history
        self.stopping = start.stopping
        self.best = start.best
        self.best_score = start.best_score
        self.measured = None
        """How the parameters of the last iteration do on the validation rows."""
        self.was_interrupted = False
        self._n_fun_before = start.n_fun
        self._objective = objective
        self._validate = validate
        self._make_estimator = make_estimator
        self._task = task
        self._label = label
        self._interruption = interruption
        self._began = perf_counter()
        self._iteration_task = task.begin_subtask("iteration")

    @property
    def n_iter(self):
        """Number of iterations that are recorded of this run."""
        return self.history.n_iter

    @property
    def highest_score(self):
        """Highest validation score so far, nan if none is a number; None if none was measured."""
        if self.best_score > -np.inf:
            return self.best_score
        return None if self.measured is None else np.nan

    @property
    def rate_factor(self):
        """What the learning rate is multiplied by."""
        return self.stopping.rate_factor

    def start(self, cost, grad_max):
        """Note the cost of the start; whether there is nothing to do."""
        if self.best is not None:
            self.best = replace(self.best, cost=cost)
        return self.stopping.start(cost, grad_max)

    def __call__(self, iteration):
        """Note an iteration; whether it was the last."""
        # Ctrl-C may come while this is measured; then the iteration is not recorded at all.
        measured = None if self._validate is None else self._measure(iteration)
        stop = self._record(iteration, measured)
        try:
            stop = self._report(iteration, stop)
        except KeyboardInterrupt:
            # What is recorded counts.
            self._interruption.set()
        if self._interruption.is_set():
            self.interrupt()
            return True
        return stop

    def plain(self, theta, moments):
        """The network that predicts, and its parameters.

        Raises
        ------
        FloatingPointError
            If they overflow where layers of training alone fold into others.
        """
        network = self._objective.network
        if not network.training_only:
            return network, theta
        with np.errstate(**IGNORE_OVERFLOW):
            network, theta = network.folded(theta, moments)
        if not np.isfinite(theta).all():
            raise FloatingPointError(
                "The weights into which batch_norm folds are not finite: the numbers overflow. "
                "Scale the features (StandardScaler)."
            )
        return network, theta

    def give_up(self, message, grad_max):
        """Note that the solver can't go on, why, and the gradient's largest component there."""
        self.stopping.give_up(message, grad_max)

    def interrupt(self):
        """Note that the user ended training, here and in the runs at its side."""
        self.was_interrupted = True
        self._interruption.set()
        self.stopping.stop("interrupted by the user", by_user=True)

    def _plain(self, iteration):
        return self.plain(iteration.place.theta, iteration.moments)

    def _measure(self, iteration):
        measured = self._validate(*self._plain(iteration))
        if self.best is not None:
            check_comparable(measured.score)
        return measured

    def _record(self, iteration, measured):
        """Note an iteration; whether it was the last by the rules."""
        # All is known before any of it is noted: Ctrl-C until then, and the iteration does not
        # count.
        stopping, best, best_score = copy(self.stopping), self.best, self.best_score
        if measured is None:
            record = Record(iteration.cost)
            stop = stopping.after(iteration)
        else:
            loss = measured.loss + self._objective.penalty(iteration.place.theta)
            record = Record(iteration.cost, measured.score, loss, measured.loss)
            if best is not None and measured.score > best.measured.score:
                _, theta = self._plain(iteration)
                best = Best(iteration.number, theta.copy(), measured, iteration.cost)
            best_score = max(best_score, measured.score)
            stop = stopping.after(iteration, measured.score)

        def note():
            self.history.put(iteration.number, record)
            self.stopping, self.measured = stopping, measured
            self.best, self.best_score = best, best_score

        try:
            note()
        except KeyboardInterrupt:
            # It may have come between two of these lines.
            note()
            self._interruption.set()
        return stop

    def _report(self, iteration, stop):
        """Print a line and call the hooks; whether to stop."""
        if self._label is not None:
            # In one piece, which Ctrl-C can't cut: print writes the end of the line by itself.
            print(self._line(iteration) + "\n", end="", flush=True)
        # An iteration that training breaks off has no end: there is no fit to tell hooks of.
        asked = self._iteration_task.end(
            lambda: vars(self._make_estimator(self._so_far(iteration)))
        )
        if asked and not stop:
            stop = self.stopping.stop("a callback asked to stop", by_user=True)
        if not (stop or self._interruption.is_set()):
            self._iteration_task = self._task.begin_subtask("iteration")
        return stop

    def _so_far(self, iteration):
        network, theta = self._plain(iteration)
        return SoFar(
            network=network,
            theta=theta,
            cost=iteration.cost,
            best_score=self.highest_score,
            history=self.history,
            n_fun=iteration.n_fun,
            n_passes=iteration.n_passes,
            stopping=self.stopping,
        )

    def _line(self, iteration):
        """What is printed: iterations and evaluations with those of the calls before."""
        record = self.history.records[-1]
        parts = [f"{self._label} {len(self.history):4d}", f"cost {record.cost:.6f}"]
        grad_max = iteration.place.grad_max
        if grad_max is not None:
            parts.append(f"gradient {grad_max:.1e}")
        if self._validate is not None:
            parts.append(f"validation cost {record.loss:.6f}")
            parts.append(f"validation score {record.score:.4f}")
        parts.append(f"evaluations {self._n_fun_before + iteration.n_fun:5d}")
        parts.append(f"{perf_counter() - self._began:.2f} s")
        return "   ".join(parts)
