"""One training run and several side by side: solver, stopping, validation, reports."""

import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.exceptions import ConvergenceWarning

from ._network import Network
from ._scipy_solvers import minimize_scipy
from ._stochastic import Rule, initial_state, minimize_stochastic


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
    n_fun: int
    stopping: Any
    interrupted: bool
    state: Any

    @property
    def rank(self):
        """Sorts the better of two runs before the other."""
        return self.cost if self.score is None else -self.score


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
    interrupted : threading.Event
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
        interrupted,
    ):
        self.objective = objective
        self.stopping = stopping
        self.validation = validation
        self.best = best
        self.make_estimator = make_estimator
        self.task = task
        self.label = label
        self.interrupted = interrupted
        self.losses: list[float] = []
        self.was_interrupted = False
        self._began = perf_counter()
        self._iteration_task = task.begin_subtask("iteration")

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
        score = self._validate(network, theta, iteration)
        stop = self.stopping.after(iteration, score)
        if self.best is not None and score > self.best.score:
            self.best = Best(score, iteration.cost, theta.copy())
        if self.label is not None:
            print(self._line(iteration, score), flush=True)
        # A hook may raise: the task has ended all the same.
        task, self._iteration_task = self._iteration_task, None
        asked = task.end(lambda: vars(self.make_estimator(network, theta)))
        if asked and not stop:
            stop = self.stopping.stop("a callback asked to stop", converged=True)
        if self.interrupted.is_set():
            self.interrupt()
            stop = True
        if not stop:
            self._iteration_task = self.task.begin_subtask("iteration")
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
        self.interrupted.set()
        self.stopping.stop("interrupted by the user")

    def close(self):
        """End the task of an iteration that never ended."""
        if self._iteration_task is not None:
            self._iteration_task.end()

    def _validate(self, network, theta, iteration):
        if self.validation is None:
            return None
        score, loss = self.validation.measure(
            network, theta, self.objective.map, lambda: self.make_estimator(network, theta)
        )
        if self.best is not None and np.isnan(score):
            raise ValueError("scoring must give a number where early_stopping=True; got nan.")
        self.losses.append(loss + self.objective.penalty(iteration.theta))
        return score

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

    Warns
    -----
    ConvergenceWarning
        If training ended before it converged.
    UserWarning
        If Ctrl-C ended it.
    """
    stopping = monitor.stopping
    try:
        if mini_batches is None:
            result = minimize_scipy(objective, theta, solver=solver, monitor=monitor)
            cost, moments, state = result.fun, (), None
        else:
            if state is None:
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
    _warn(result, cost, monitor)
    return Outcome(
        network=network,
        theta=theta,
        cost=cost,
        score=score,
        costs=stopping.costs,
        scores=stopping.scores,
        losses=monitor.losses,
        n_fun=result.nfev,
        stopping=stopping,
        interrupted=monitor.was_interrupted,
        state=state,
    )


def _warn(result, cost, monitor):
    if monitor.was_interrupted:
        warnings.warn(
            f"Training was interrupted after {result.nit} iterations; the best parameters so "
            "far are kept.",
            stacklevel=2,
        )
    elif not monitor.stopping.converged:
        warnings.warn(
            f"Training ended before it converged: {monitor.stopping.message} (cost {cost:.6g} "
            f"after {result.nit} iterations). Scale the features (StandardScaler), raise "
            "max_iter, tol or alpha, or go on with warm_start=True.",
            ConvergenceWarning,
            stacklevel=2,
        )


def run_side_by_side(run, n_runs, n_jobs, interrupted):
    """Outcomes of ``run(number)`` for each number; after Ctrl-C of those that began.

    Parameters
    ----------
    run : callable(int) -> Outcome
        Ends soon after ``interrupted`` is set, with what it has.
    n_runs : int
    n_jobs : int or None
    interrupted : threading.Event

    Returns
    -------
    outcomes : list of Outcome
        In the order of the numbers.
    """
    outcomes = {}
    begun = []

    def run_unless_interrupted(number):
        if interrupted.is_set():
            return
        finished = threading.Event()
        begun.append(finished)
        try:
            outcomes[number] = run(number)
        except KeyboardInterrupt:
            interrupted.set()
            raise
        finally:
            finished.set()

    try:
        Parallel(n_jobs=n_jobs, require="sharedmem")(
            delayed(run_unless_interrupted)(number) for number in range(n_runs)
        )
    except KeyboardInterrupt:
        # Only the main thread hears Ctrl-C, here while it waits for the others:
        # they end with their current iteration.
        interrupted.set()
        for finished in begun:
            finished.wait()
        if not outcomes:
            raise
        if not any(outcome.interrupted for outcome in outcomes.values()):
            # It came between two runs: none of them has warned.
            warnings.warn(
                f"Training was interrupted after {len(outcomes)} of {n_runs} starts; the best "
                "parameters so far are kept.",
                stacklevel=2,
            )
    return [outcomes[number] for number in sorted(outcomes)]
