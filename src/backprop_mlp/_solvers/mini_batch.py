"""Mini-batch solvers: the loop of epochs around a rule and a schedule."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from typing import NamedTuple

import numpy as np

from .._network.layers import BatchMoments, BatchNorm
from .._objective.blocks import row_slices
from .._objective.overflow import IGNORE_OVERFLOW
from .._stop_iteration import carry, deliver
from .iteration import Iteration, Known, Result
from .rules import Rule, clip_by_norm, take_step

MOMENTS_DECAY = 0.9
"""Weight of the past in batch normalisation's running moments."""


class Clock(NamedTuple):
    """How far training has come, over all calls that go on from each other.

    Parameters
    ----------
    updates : int
        Steps so far.
    epochs : int
        Epochs so far; a call of ``partial_fit`` is one, whatever its rows.
    rows : int
        Rows seen so far, each as often as it was, whatever their weights.
    """

    updates: int = 0
    epochs: int = 0
    rows: int = 0

    def read(self, time, batch, n_batches):
        """What a schedule is given before a batch of the current epoch.

        Parameters
        ----------
        time : {"updates", "epochs", "rows"}
            "updates": their number. "epochs": epochs in units of this epoch's
            batches, so that a schedule that falls within an epoch does so whatever
            the chunks' sizes were. "rows": those of all epochs before this one.
        batch, n_batches : int
            Number of the batch, from 0, and of all batches of this epoch.
        """
        if time == "updates":
            return self.updates + batch
        return self.rows if time == "rows" else self.epochs * n_batches + batch

    def after_epoch(self, n_batches, n_rows):
        """The clock one epoch later."""
        return Clock(self.updates + n_batches, self.epochs + 1, self.rows + n_rows)


@dataclass(frozen=True)
class MiniBatches:
    """How a mini-batch solver proceeds.

    Parameters
    ----------
    rule : Rule
    schedule : callable(time) -> rate, or None
        None where the rates are given.
    time : {"updates", "epochs", "rows"}
        What the schedule is a function of: see `Clock.read`.
    batch_size : int
        Largest number of rows of a batch.
    shuffle : bool
        Whether every epoch visits the rows in a new random order.
    max_grad_norm : float or None
        Largest Euclidean norm of a gradient; longer ones are shortened.
    """

    rule: Rule
    schedule: Callable | None
    time: str
    batch_size: int
    shuffle: bool
    max_grad_norm: float | None

    def rate(self, clock, batch, n_batches):
        """The learning rate of a batch of the epoch before which the clock stands."""
        return rate_at(self.schedule, clock.read(self.time, batch, n_batches))


def rate_at(schedule, time):
    """The rate, a float, that a schedule gives at a time.

    Raises
    ------
    ValueError
        If it is not a finite number >= 0.
    """
    try:
        given = schedule(time)
    except OverflowError:
        given = math.inf
    try:
        rate = float(given)
    except (TypeError, ValueError):
        rate = math.nan
    if not 0.0 <= rate < math.inf:
        raise ValueError(
            f"learning_rate must give finite rates >= 0; got {given!r} at step {time}."
        )
    return rate


def running_moments(running, batch):
    """Running moments after one more batch.

    The plain mean of all batches at first, then an exponentially weighted one;
    a batch without weight changes nothing.

    Parameters
    ----------
    running, batch : list of BatchMoments
        Their ``weight`` is what they rest on; that of running is the number of
        batches in it.

    Returns
    -------
    running : list of BatchMoments
    """
    news = []
    for old, new in zip(running, batch, strict=True):
        if new.weight == 0.0:
            news.append(old)
            continue
        count = old.weight + 1.0
        share = max(1.0 / count, 1.0 - MOMENTS_DECAY)
        news.append(
            BatchMoments(
                old.mean + share * (new.mean - old.mean),
                old.var + share * (new.var - old.var),
                count,
            )
        )
    return news


def initial_state(network, theta, rule, rng):
    """What a run of mini-batches begins with: arrays, numbers and dictionaries of them.

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
        "rule" (the rule's own state), "rng", "clock" (see `Clock`) and "moments"
        (mean, var and count of each batch normalisation).
    """
    return {
        "rule": rule.init(theta),
        "rng": rng.bit_generator.state,
        "clock": Clock()._asdict(),
        "moments": fresh_moments(network, theta.dtype),
    }


def fresh_moments(network, dtype):
    """Running moments of each batch normalisation before the first batch."""
    return [
        [np.zeros(layer.n, dtype), np.ones(layer.n, dtype), 0.0]
        for layer in network.layers
        if isinstance(layer, BatchNorm)
    ]


def _check_finite(epoch, progress):
    """An error if training diverges."""
    values = (
        progress.cost,
        progress.theta,
        *progress.rule.values(),
        *chain.from_iterable(progress.moments),
    )
    if not all(np.isfinite(value).all() for value in values):
        raise FloatingPointError(
            f"Training diverges: in epoch {epoch} the weights, their cost, {progress.cost}, or "
            "what is remembered of gradients and moments are no longer finite. Lower "
            "learning_rate_init, scale the features (StandardScaler), and y if it holds large "
            "numbers, or limit the gradient with max_grad_norm."
        )


@dataclass
class Progress:
    """What the steps of an epoch change: it goes with them from part to part of the rows.

    Parameters
    ----------
    theta : ndarray of shape (n_params,)
        In the precision of the blocks.
    rule : dict
        The rule's state.
    rng : numpy.random.Generator
        Source of shuffling and dropout masks.
    moments : list of BatchMoments
        Running moments of the batch normalisations.
    cost : float, default=0
        Sum of the batches' costs in this epoch, weighted by their shares of the rows.
    n_fun : int, default=0
        Steps so far.
    """

    theta: np.ndarray
    rule: dict
    rng: np.random.Generator
    moments: list
    cost: float = 0.0
    n_fun: int = 0

    @classmethod
    def begun(cls, theta, state):
        """Before the first step from theta and a state as `initial_state` makes it: copies."""
        rng = np.random.default_rng()
        rng.bit_generator.state = state["rng"]
        rule = {
            key: value.copy() if isinstance(value, np.ndarray) else value
            for key, value in state["rule"].items()
        }
        return cls(
            theta.copy(), rule, rng, [BatchMoments(*moments) for moments in state["moments"]]
        )

    def to_state(self, clock):
        """What the next run begins with, as `initial_state` makes it."""
        return {
            "rule": self.rule,
            "rng": self.rng.bit_generator.state,
            "clock": clock._asdict(),
            "moments": [list(moments) for moments in self.moments],
        }


def _snapshot(progress):
    """A copy that further steps leave alone, and the state to which its generator must go back.

    A generator itself takes longer to copy than a small table's batch to compute.
    """
    kept = replace(progress, theta=progress.theta.copy(), rule=copy.deepcopy(progress.rule))
    return kept, progress.rng.bit_generator.state


def pass_over_part(mini_batches, objective, progress, rates):
    """Take one step per batch of a part of the rows.

    Parameters
    ----------
    mini_batches : MiniBatches
        Its schedule is not used: the rates are given.
    objective : Objective
        Over the part's rows, estimating J over all rows.
    progress : Progress
        Changed.
    rates : iterable of float
        Learning rate of each batch.

    Returns
    -------
    progress : Progress
        The same object.
    """
    n_rows, rng = objective.blocks.n_rows, progress.rng
    order = rng.permutation(n_rows) if mini_batches.shuffle else None
    for batch, rate in zip(row_slices(n_rows, mini_batches.batch_size), rates, strict=True):
        rows = batch if order is None else order[batch]
        # What overflows is reported at the end of the epoch, once and with advice.
        with np.errstate(**IGNORE_OVERFLOW):
            cost, grad, moments = objective.minibatch(progress.theta, rows, rng)
            progress.cost += cost * (batch.stop - batch.start) / objective.n_rows
            if mini_batches.max_grad_norm is not None:
                clip_by_norm(grad, mini_batches.max_grad_norm)
            take_step(mini_batches.rule, progress.theta, grad, rate, progress.rule)
            progress.moments = running_moments(progress.moments, moments)
        progress.n_fun += 1
    return progress


def minimize_mini_batch(objective, theta, state, mini_batches: MiniBatches, monitor) -> Result:
    """Minimise an objective by steps over mini-batches.

    An epoch visits every row once, part by part (`DataSet.fold`), in batches that
    are of nearly equal size within a part. Each batch estimates the gradient of J
    itself: see `Objective.minibatch`.

    Parameters
    ----------
    objective : Objective
    theta : ndarray of shape (n_params,)
        Where to start, in the precision of the blocks; not changed.
    state : dict
        As `initial_state` makes it, or from an earlier result; not changed.
    mini_batches : MiniBatches
    monitor : Monitor
        Given every epoch; says when to stop, and lowers the rate.

    Returns
    -------
    result : Result

    Raises
    ------
    FloatingPointError
        If the cost of an epoch is not finite, or theta or a part of the state after it.
    ValueError
        If the schedule gives a rate that is not a finite number >= 0.
    """
    sizes = objective.blocks.part_sizes
    counts = [len(row_slices(size, mini_batches.batch_size)) for size in sizes]
    n_batches = sum(counts)
    progress = Progress.begun(theta, state)
    # A schedule may be bound to this process.
    steps = partial(pass_over_part, replace(mini_batches, schedule=None))
    clock = start = Clock(**state["clock"])
    epoch = 0
    whole = monitor.n_iter, clock, progress, state["rng"]
    try:
        stop = False
        while not stop:
            whole = monitor.n_iter, clock, *_snapshot(progress)
            parts = range(len(sizes))
            if mini_batches.shuffle and len(sizes) > 1:
                parts = progress.rng.permutation(len(sizes)).tolist()
            rates = (
                carry(mini_batches.rate, clock, number, n_batches) * monitor.rate_factor
                for number in range(n_batches)
            )
            visits = [(part, islice(rates, counts[part])) for part in parts]
            progress.cost = 0.0
            # A schedule's StopIteration would be an error of the generator of the rates.
            progress = deliver(objective.blocks.fold, steps, objective, progress, visits)
            _check_finite(epoch + 1, progress)
            clock = clock.after_epoch(n_batches, objective.n_rows)
            epoch += 1
            iteration = Iteration(
                number=epoch,
                cost=progress.cost,
                n_fun=progress.n_fun,
                n_passes=epoch,
                place=Known(progress.theta, None),
                moments=progress.moments,
            )
            stop = monitor(iteration)
    except KeyboardInterrupt:
        if monitor.n_iter == 0:
            raise
        if monitor.n_iter == whole[0]:
            # What counts epochs and rows does not know of the steps of an epoch that was cut short.
            _, clock, progress, rng_state = whole
            progress.rng.bit_generator.state = rng_state
        monitor.interrupt()
    return Result(
        progress.theta,
        progress.cost,
        progress.n_fun,
        n_passes=monitor.n_iter,
        moments=progress.moments,
        state=progress.to_state(clock._replace(updates=start.updates + progress.n_fun)),
    )
