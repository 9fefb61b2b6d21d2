"""One training run: solver, stopping, validation, reports."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .._network.network import Network
from .._solvers.full_batch import minimize_scipy
from .._solvers.mini_batch import Rule, initial_state, minimize_stochastic


@dataclass(frozen=True)
class MiniBatches:
    """How a mini-batch solver goes about it.

    Parameters
    ----------
    rule : Rule
    schedule : callable(step) -> rate
    batch_size : int
    shuffle : bool
    max_grad_norm : float or None
    """

    rule: Rule
    schedule: Callable
    batch_size: int
    shuffle: bool
    max_grad_norm: float | None


@dataclass(frozen=True)
class Outcome:
    """What a run leaves behind.

    Parameters
    ----------
    network : Network
        The plain one that predicts.
    theta : ndarray of shape (network.n_params,)
    cost : float
        J there; with mini-batches the mean of their costs in the last epoch.
    score : float or None
        Validation score there.
    costs, scores, losses : list of float
        J, validation score and validation cost after each iteration.
    n_iter : int
        Iterations of this run; the lists may go on from earlier ones.
    n_fun : int
    stopping : Stopping
    interrupted : bool
    state : dict or None
        From where a mini-batch solver goes on.
    """

    network: Network
    theta: np.ndarray
    cost: float
    score: float | None
    costs: list
    scores: list
    losses: list
    n_iter: int
    n_fun: int
    stopping: Any
    interrupted: bool
    state: Any

    @property
    def rank(self):
        """Sorts the better of two runs before the other, and one without a score last."""
        return (True, self.cost) if self.score is None else (False, -self.score)

    def warn(self):
        """Say why a run ended that did not converge."""
        if self.interrupted:
            warnings.warn(
                f"Training was interrupted after {self.n_iter} iterations; the best parameters "
                "so far are kept.",
                stacklevel=2,
            )
        elif not self.stopping.converged:
            warnings.warn(
                f"Training ended before it converged: {self.stopping.message} (cost "
                f"{self.cost:.6g} after {self.n_iter} iterations). Scale the features "
                "(StandardScaler), raise max_iter, tol or alpha, or go on with warm_start=True.",
                ConvergenceWarning,
                stacklevel=2,
            )


class Monitor:
    """Follows one run: records, validates, reports, and says when to stop.

    Parameters
    ----------
    objective : Objective
    stopping : Stopping
    validation : Validation or None
    best : Best or None
        With early stopping, what is to be beaten; None if the last parameters
        are to be kept, whatever their score.
    make_estimator : callable(network, theta) -> estimator
        The fitted classifier of a plain network, for callbacks and scorers.
    task : Task
        Whose subtasks are the iterations.
    label : str or None
        Begins each printed line; None prints nothing.
    interruption : Interruption
        Set by Ctrl-C, here or in another run.
    """

    def __init__(
        self,
        objective,
        stopping,
        *,
        validation=None,
        best=None,
        make_estimator,
        task,
        label=None,
        interruption,
    ):
        self.objective = objective
        self.stopping = stopping
        self.validation = validation
        self.best = best
        self.make_estimator = make_estimator
        self.task = task
        self.label = label
        self.interruption = interruption
        self.losses: list[float] = []
        self.was_interrupted = False
        self._began = perf_counter()
        self._n_before = len(stopping.costs), len(stopping.scores)
        self._iteration_task = task.begin_subtask("iteration")

    @property
    def n_iter(self):
        """Number of iterations that are recorded of this run."""
        return len(self.stopping.costs) - self._n_before[0]

    @property
    def scores(self):
        """Validation scores of all recorded iterations, those of earlier runs included."""
        return self.stopping.scores[: self._n_before[1] + self.n_iter]

    @property
    def rate_factor(self):
        """What the learning rate is multiplied by."""
        return self.stopping.rate_factor

    def start(self, cost, grad_max):
        """Note the start; whether there is nothing to do."""
        return self.stopping.start(cost, grad_max)

    def __call__(self, iteration):
        """Note an iteration; whether it was the last."""
        network, theta = self.plain(iteration.theta, iteration.moments)
        # Ctrl-C may come while this is measured; then the iteration is not recorded at all.
        score, loss = self._validate(network, theta, iteration)
        stop = self._record(iteration, theta, score, loss)
        try:
            stop = self._tell(iteration, network, theta, score, stop)
        except KeyboardInterrupt:
            # What is recorded counts.
            self.interruption.set()
        if self.interruption.is_set():
            self.interrupt()
            return True
        return stop

    def plain(self, theta, moments):
        """The network that predicts, and its parameters."""
        network = self.objective.network
        return network.folded(theta, moments) if network.training_only else (network, theta)

    def give_up(self, message):
        """Note that the solver can't go on, and why."""
        self.stopping.stop(message)

    def interrupt(self):
        """Note that the user ended training, here and in the runs beside it."""
        self.was_interrupted = True
        self.interruption.set()
        self.stopping.stop("interrupted by the user")

    def close(self):
        """End the task of an iteration that never ended."""
        if self._iteration_task is not None:
            self._iteration_task.end()

    def _validate(self, network, theta, iteration):
        if self.validation is None:
            return None, None
        score, loss = self.validation.measure(
            network, theta, self.objective.map, lambda: self.make_estimator(network, theta)
        )
        if self.best is not None and np.isnan(score):
            raise ValueError("scoring must give a number where early_stopping=True; got nan.")
        return score, loss + self.objective.penalty(iteration.theta)

    def _record(self, iteration, theta, score, loss):
        """Note an iteration; whether it was the last by the rules."""
        best = self.best
        if best is not None and score > best.score:
            best = Best(score, iteration.cost, theta.copy())
        if loss is not None:
            self.losses.append(loss)
        stop = self.stopping.after(iteration, score)
        self.best = best
        return stop

    def _tell(self, iteration, network, theta, score, stop):
        """Print a line and call the hooks; whether to stop."""
        if self.label is not None:
            # In one piece, which Ctrl-C can't cut: print writes the end of the line by itself.
            print(self._line(iteration, score) + "\n", end="", flush=True)
        # A hook may raise: the task has ended all the same.
        task, self._iteration_task = self._iteration_task, None
        asked = task.end(lambda: vars(self.make_estimator(network, theta)))
        if asked and not stop:
            stop = self.stopping.stop("a callback asked to stop", converged=True)
        if not (stop or self.interruption.is_set()):
            self._iteration_task = self.task.begin_subtask("iteration")
        return stop

    def _line(self, iteration, score):
        parts = [f"{self.label} {len(self.stopping.costs):4d}", f"cost {iteration.cost:.6f}"]
        if iteration.grad_max is not None:
            parts.append(f"gradient {iteration.grad_max:.1e}")
        if score is not None:
            parts.append(f"validation cost {self.losses[-1]:.6f}")
            parts.append(f"validation score {score:.4f}")
        parts.append(f"evaluations {iteration.n_fun:5d}")
        parts.append(f"{perf_counter() - self._began:.2f} s")
        return "   ".join(parts)


@dataclass(frozen=True)
class Best:
    """The best parameters so far, by validation score.

    Parameters
    ----------
    score : float
    cost : float
        J there.
    theta : ndarray
        Of the plain network.
    """

    score: float = -np.inf
    cost: float = np.nan
    theta: Any = None


def train(objective, theta, state, rng, *, solver, mini_batches, monitor) -> Outcome:
    """Train once.

    Parameters
    ----------
    objective : Objective
    theta : ndarray of shape (n_params,)
        Where to start.
    state : dict or None
        From where a mini-batch solver goes on; it then has theta.
    rng : numpy.random.Generator
        Source of shuffling and masks, if there is no state.
    solver : str
    mini_batches : MiniBatches or None
        None for a full-batch solver.
    monitor : Monitor

    Returns
    -------
    outcome : Outcome
    """
    stopping = monitor.stopping
    try:
        if mini_batches is None:
            result = minimize_scipy(objective, theta, solver=solver, monitor=monitor)
            cost, moments, state = result.fun, (), None
        else:
            if state is None:
                with np.errstate(over="ignore"):
                    theta = theta.astype(objective.dtype)
                state = initial_state(objective.network, theta, mini_batches.rule, rng)
            result = minimize_stochastic(objective, state, monitor=monitor, **vars(mini_batches))
            cost = stopping.costs[-1] if stopping.costs else np.nan
            moments, state = result.moments, result.state
    finally:
        monitor.close()
    network, theta = monitor.plain(result.x, moments)
    score = None
    if monitor.best is not None and monitor.best.theta is not None:
        score, cost, theta = monitor.best.score, monitor.best.cost, monitor.best.theta
    return Outcome(
        network=network,
        theta=theta,
        cost=cost,
        score=score,
        costs=stopping.costs,
        scores=monitor.scores,
        losses=monitor.losses[: monitor.n_iter],
        n_iter=monitor.n_iter,
        n_fun=result.nfev,
        stopping=stopping,
        interrupted=monitor.was_interrupted,
        state=state,
    )
