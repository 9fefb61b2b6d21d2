"""Mini-batch solvers: rules that turn gradients into steps, and the loop around them."""

import math
from dataclasses import dataclass
from itertools import chain

import numpy as np
import scipy.linalg
from scipy.optimize import OptimizeResult

from .._network.layers import BatchNorm, Moments
from .._objective.blocks import row_slices
from .._training.stopping import Iteration

MOMENTS_DECAY = 0.9
"""Weight of the past in batch normalisation's running moments."""


@dataclass(frozen=True)
class SGD:
    """Gradient descent with momentum: v = momentum * v - rate * grad; theta += v.

    With Nesterov's momentum theta += momentum * v - rate * grad (Sutskever,
    Martens, Dahl & Hinton, 2013, eq. 3 and 4, in the coordinates ahead).

    Parameters
    ----------
    momentum : float
    nesterov : bool
    """

    momentum: float
    nesterov: bool

    def init(self, theta):
        """State before the first step: a dictionary of arrays and numbers."""
        return {"velocity": np.zeros_like(theta)}

    def step(self, grad, rate, state):
        """What to add to theta; overwrites grad and the state's arrays."""
        velocity = state["velocity"]
        grad *= -rate
        velocity *= self.momentum
        velocity += grad
        if self.nesterov:
            grad += self.momentum * velocity
            return grad
        return velocity


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba, 2015, algorithm 1, in the order of section 2).

    m = beta_1 m + (1 - beta_1) grad;  v = beta_2 v + (1 - beta_2) grad^2;
    theta -= rate sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)

    Parameters
    ----------
    beta_1, beta_2, epsilon : float
    """

    beta_1: float
    beta_2: float
    epsilon: float

    def init(self, theta):
        """State before the first step: a dictionary of arrays and numbers."""
        return {"m": np.zeros_like(theta), "v": np.zeros_like(theta), "t": 0}

    def step(self, grad, rate, state):
        """What to add to theta; overwrites grad and the state's arrays."""
        m, v = state["m"], state["v"]
        state["t"] += 1
        t = state["t"]
        m *= self.beta_1
        m += (1.0 - self.beta_1) * grad
        np.square(grad, out=grad)
        grad *= 1.0 - self.beta_2
        v *= self.beta_2
        v += grad
        step = np.sqrt(v, out=grad)
        step += self.epsilon
        np.divide(m, step, out=step)
        step *= -rate * math.sqrt(1.0 - self.beta_2**t) / (1.0 - self.beta_1**t)
        return step


@dataclass(frozen=True)
class RMSprop:
    """RMSprop (Hinton, "Neural networks for machine learning", 2012, lecture 6e).

    v = beta_2 v + (1 - beta_2) grad^2;  theta -= rate * grad / (sqrt(v) + epsilon)

    Parameters
    ----------
    beta_2, epsilon : float
    """

    beta_2: float
    epsilon: float

    def init(self, theta):
        """State before the first step: a dictionary of arrays and numbers."""
        return {"v": np.zeros_like(theta)}

    def step(self, grad, rate, state):
        """What to add to theta; overwrites grad and the state's arrays."""
        v = state["v"]
        v *= self.beta_2
        v += (1.0 - self.beta_2) * np.square(grad)
        root = np.sqrt(v)
        root += self.epsilon
        grad /= root
        grad *= -rate
        return grad


Rule = SGD | Adam | RMSprop


def clip_by_norm(grad, max_norm):
    """Scale a gradient in place so that its Euclidean norm is at most max_norm."""
    # SciPy's norm does not overflow where the squares would.
    norm = scipy.linalg.norm(grad, check_finite=False)
    if norm > max_norm:
        grad *= max_norm / norm


def rate_at(schedule, step):
    """The rate, a float, that a schedule gives for a step.

    Raises
    ------
    ValueError
        If it is not a finite number >= 0.
    """
    try:
        given = schedule(step)
    except OverflowError:
        given = math.inf
    try:
        rate = float(given)
    except (TypeError, ValueError):
        rate = math.nan
    if not 0.0 <= rate < math.inf:
        raise ValueError(
            f"learning_rate must give finite rates >= 0; got {given!r} at step {step}."
        )
    return rate


def running_moments(running, batch):
    """Running moments after one more batch.

    The plain mean of all batches at first, then an exponentially weighted one;
    a batch without weight changes nothing.

    Parameters
    ----------
    running, batch : list of Moments
        Their ``weight`` is what they rest on; that of running is the number of
        batches in it.

    Returns
    -------
    running : list of Moments
    """
    news = []
    for old, new in zip(running, batch, strict=True):
        if new.weight == 0.0:
            news.append(old)
            continue
        count = old.weight + 1.0
        share = old.mean.dtype.type(max(1.0 / count, 1.0 - MOMENTS_DECAY))
        news.append(
            Moments(
                old.mean + share * (new.mean - old.mean),
                old.var + share * (new.var - old.var),
                count,
            )
        )
    return news


def initial_state(network, theta, rule, rng):
    """What a run of mini-batches starts from: arrays, numbers and dictionaries of them.

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (n_params,)
        Start, in the precision of the training data.
    rule : Rule
    rng : numpy.random.Generator
        Source of shuffling and dropout masks.

    Returns
    -------
    state : dict
        "theta", "rule" (the rule's own state), "rng", "step" (updates so far)
        and "moments" (mean, var and count of each batch normalisation).
    """
    return {
        "theta": theta,
        "rule": rule.init(theta),
        "rng": rng.bit_generator.state,
        "step": 0,
        "moments": [
            [np.zeros(layer.n, theta.dtype), np.ones(layer.n, theta.dtype), 0.0]
            for layer in network.layers
            if isinstance(layer, BatchNorm)
        ],
    }


def _check_finite(epoch, cost, theta, rule_state, moments):
    """An error if training diverges."""
    values = (cost, theta, *rule_state.values(), *chain.from_iterable(moments))
    if not all(np.isfinite(value).all() for value in values):
        raise FloatingPointError(
            f"Training diverges: in epoch {epoch} the weights, their cost, {cost}, or what is "
            "remembered of gradients and moments are no longer finite. Lower "
            "learning_rate_init, scale the features (StandardScaler), or limit the gradient "
            "with max_grad_norm."
        )


def minimize_stochastic(
    objective,
    state,
    *,
    rule: Rule,
    schedule,
    batch_size: int,
    shuffle: bool,
    max_grad_norm: float | None,
    monitor,
) -> OptimizeResult:
    """Minimise an objective by steps over mini-batches.

    An epoch visits every row once, in batches of nearly equal size. Each batch
    estimates the gradient of J itself: see `Objective.minibatch`.

    Parameters
    ----------
    objective : Objective
    state : dict
        As `initial_state` makes it, or from an earlier result; not changed.
    rule : Rule
    schedule : callable(step) -> rate
    batch_size : int
        Largest number of rows of a batch.
    shuffle : bool
        Whether every epoch visits the rows in a new random order.
    max_grad_norm : float or None
        Largest Euclidean norm of a gradient; longer ones are shortened.
    monitor : Monitor
        Told of every epoch; says when to stop, and lowers the rate.

    Returns
    -------
    result : OptimizeResult
        ``x`` (theta at the end), ``moments``, ``nit`` (epochs), ``nfev``
        (updates) and ``state``.

    Raises
    ------
    FloatingPointError
        If the cost of an epoch is not finite, or theta or a part of the state after it.
    ValueError
        If the schedule gives a rate that is not a finite number >= 0.
    """
    n_rows = objective.blocks.n_rows
    batches = row_slices(n_rows, batch_size)
    rng = np.random.default_rng()
    rng.bit_generator.state = state["rng"]
    theta = state["theta"].copy()
    rule_state = {
        key: value.copy() if isinstance(value, np.ndarray) else value
        for key, value in state["rule"].items()
    }
    moments = [Moments(*running) for running in state["moments"]]
    step = first_step = state["step"]
    epoch = 0
    try:
        stop = False
        while not stop:
            order = rng.permutation(n_rows) if shuffle else None
            cost = 0.0
            for batch in batches:
                rows = batch if order is None else order[batch]
                rate = rate_at(schedule, step) * monitor.rate_factor
                # What overflows is told at the end of the epoch, once and with advice.
                with np.errstate(over="ignore", invalid="ignore"):
                    batch_cost, grad, batch_moments = objective.minibatch(theta, rows, rng)
                    cost += batch_cost * (batch.stop - batch.start) / n_rows
                    if max_grad_norm is not None:
                        clip_by_norm(grad, max_grad_norm)
                    theta += rule.step(grad, rate, rule_state)
                    moments = running_moments(moments, batch_moments)
                step += 1
            _check_finite(epoch + 1, cost, theta, rule_state, moments)
            stop = monitor(Iteration(epoch + 1, cost, None, step - first_step, theta, moments))
            epoch += 1
    except KeyboardInterrupt:
        if epoch == 0:
            raise
        _check_finite(epoch + 1, cost, theta, rule_state, moments)
        monitor.interrupt()
    return OptimizeResult(
        x=theta,
        moments=moments,
        nit=epoch,
        nfev=step - first_step,
        state={
            "theta": theta,
            "rule": rule_state,
            "rng": rng.bit_generator.state,
            "step": step,
            "moments": [list(running) for running in moments],
        },
    )
