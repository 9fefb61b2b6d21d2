"""Where training starts: everything that it goes on from, made in one place.

What a mini-batch solver remembers is used only while it belongs to the fitted
parameters, the solver and the data at hand. That is not guessed:

- ``coefs_`` and ``intercepts_`` are the parameters. Only what can't be read from them
  is remembered next to them: the last iterate where early stopping returned to an
  earlier one, and batch normalisation's scales. It is used while the fitted
  parameters are, bit by bit, those that training left.
- What progress is compared with (the lowest cost, the best score) is used while a
  measurement of the fitted parameters on this call's rows gives, bit by bit, what it
  gave when they were left: on other rows, with another scorer or another alpha it
  does not.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .._network.network import Network
from .._solvers.mini_batch import fresh_moments, initial_state
from ..initializers import initialize
from .history import History
from .stopping import Stopping
from .validation import UNMEASURED, Measured

BENDS_PER_DEVIATION = 2.0
"""How many bends of a smooth unit, at a typical weight, fit into a deviation of 1 of its input."""


@dataclass(frozen=True)
class Best:
    """The best parameters so far, by validation score.

    Parameters
    ----------
    number : int, default=0
        Iteration of this run that they belong to; 0 for its start.
    theta : ndarray or None, default=None
        Of the plain network; None as long as there are none.
    measured : Measured, default=UNMEASURED
        How they do on the validation rows.
    cost : float or None, default=None
        J there, if it is known.
    """

    number: int = 0
    theta: np.ndarray | None = None
    measured: Measured = UNMEASURED
    cost: float | None = None


class Earlier(NamedTuple):
    """What a fitted estimator hands to the training that goes on from it.

    Parameters
    ----------
    network : Network
        The plain one that predicts.
    theta : ndarray of shape (network.n_params,)
        ``coefs_`` and ``intercepts_``, in their own precision.
    curves : tuple of list
        ``loss_curve_``, ``validation_scores_`` and ``validation_loss_curve_``.
    n_fun, n_rows_seen : int
        Evaluations and rows so far.
    memory : dict
        What training remembers next to the parameters: `Outcome.memory`, and "split_seed",
        by which rows were held out, or None, and "constant_outputs", those whose y has not
        varied yet; empty if there is nothing.
    """

    network: Network
    theta: np.ndarray
    curves: tuple
    n_fun: int
    n_rows_seen: int
    memory: dict


@dataclass(frozen=True)
class Start:
    """Everything from which a run of training goes on.

    Parameters
    ----------
    theta : ndarray of shape (n_params,)
        Parameters of the training network.
    state : dict or None
        State of a mini-batch solver, as `initial_state` makes it; None for a
        full-batch solver, which has none.
    history : History
    stopping : Stopping
        The rules of this call, and what progress is compared with.
    best : Best or None
        With early stopping, what is to be beaten; None if the last parameters are
        kept, whatever their score.
    best_score : float
        Highest validation score so far on the rows and by the scorer of this call.
    n_fun : int, default=0
        Evaluations of the calls before.
    """

    theta: np.ndarray
    state: dict | None
    history: History
    stopping: Stopping
    best: Best | None
    best_score: float = -np.inf
    n_fun: int = 0

    @classmethod
    def fresh(cls, objective, rule, initializer, stopping: Stopping, rng):
        """A random start, as `draw_theta` makes it.

        Parameters
        ----------
        objective : Objective
        rule : Rule or None
            Of a mini-batch solver; None for a full-batch one.
        initializer : str or callable
            See `backprop_mlp.initializers`.
        stopping : Stopping
        rng : numpy.random.Generator
            Source of the weights, then of shuffling and dropout masks.
        """
        theta = draw_theta(objective, rule, initializer, rng)
        state = None
        if rule is not None:
            state = initial_state(objective.network, theta, rule, rng)
        return cls(theta, state, History(), stopping, Best() if stopping.by_score else None)

    @classmethod
    def after(cls, earlier: Earlier, objective, solver, rule, validate, stopping, rng):
        """Where an earlier fit ended, or where the user has put its parameters since.

        Parameters
        ----------
        earlier : Earlier
        objective : Objective
        solver : str
            A changed solver begins with a state of its own.
        rule : Rule or None
            Of a mini-batch solver; None for a full-batch one.
        validate : callable(network, theta) -> Measured, or None
            Measures a plain network on the validation rows of this call.
        stopping : Stopping
            The rules of this call; what progress is compared with is filled in.
        rng : numpy.random.Generator
            Of a mini-batch solver that has no state yet.

        Raises
        ------
        ValueError
            If the validation score, which early stopping has to beat, is nan.
        """
        network, memory = objective.network, earlier.memory
        state = solver_state(memory, solver, network)
        theta, moments = training_theta(network, earlier, state is not None)
        # Parameters that are kept predict by the keywords of this call, which may have changed.
        plain = network.plain
        # A full-batch solver works in float64, whatever the precision of the rows.
        theta = _in_precision(theta, np.float64 if rule is None else objective.dtype)
        if rule is not None:
            if state is None:
                state = initial_state(network, theta, rule, rng)
            elif stopping.adaptive_rate > 0.0:
                stopping.rate_factor = memory["rate_factor"]
            state = _in_precision(state | {"moments": moments}, objective.dtype)
        progress = memory.get("progress")
        best, best_score = None, -np.inf
        if stopping.by_score or progress is not None:
            measured: Any = None  # never None where scores decide
            if validate is not None:
                measured = validate(plain, earlier.theta)
            if stopping.by_score:
                check_comparable(measured.score)
                best, best_score = Best(0, earlier.theta, measured), measured.score
                stopping.lowest = -measured.score
            reference = refer_to(objective, plain, earlier.theta, measured)
            if progress is not None and progress["reference"] == reference:
                if not stopping.by_score:
                    best_score = progress["best_score"]
                if rule is not None and progress["by_score"] == stopping.by_score:
                    stopping.lowest, stopping.n_stalled = progress["lowest"], progress["n_stalled"]
        history = History(*earlier.curves)
        return cls(theta, state, history, stopping, best, best_score, earlier.n_fun)


def draw_theta(objective, rule, initializer, rng):
    """Random parameters for the rows of an objective.

    Where the initialiser gives no biases, those of the outputs are the logits of a
    network that tells no rows apart, so that training need not begin with learning how
    rare each class is; with "auto" weights are multiplied by their units' `Activation.gain`;
    where a single input varies, units bend at different places, smooth
    ones sharply enough to differ by it; and with a full-batch solver the first layer sees its
    inputs centred and divided by max(1, their standard deviation), as the solver does.

    Parameters
    ----------
    objective : Objective
    rule : Rule or None
        Of a mini-batch solver; None for a full-batch one.
    initializer : str or callable
        See `backprop_mlp.initializers`.
    rng : numpy.random.Generator

    Returns
    -------
    theta : ndarray of shape (n_params,)
        float64, and in the precision of the blocks for a mini-batch solver.
    """
    network = objective.network
    units = _first_units(network)
    # Batch normalisation sees to the size of the signal, whatever the weights.
    keeps_signal = initializer == "auto" and "batch_norm" not in network.training_only

    def adapt(W, b, activation, *, is_first):
        if activation is None:
            b[:] = objective.constant_logits
        elif keeps_signal:
            W *= activation.gain
        if not is_first:
            return
        index = _single_input(objective, rule, W) if _can_spread(units, initializer) else None
        if index is not None and not units.kinked:
            W[index] = rng.normal(scale=BENDS_PER_DEVIATION * units.bend, size=len(b))
        if rule is None:
            objective.input_scale.take_in(W, b)
        if index is not None:
            _spread(W[index], b, index, objective.input_moments, rng, centred=rule is None)

    theta = initialize(network, initializer, rng, adapt)
    return theta if rule is None else _in_precision(theta, objective.dtype)


def _first_units(network):
    """The activation function of the first hidden layer; None without one."""
    return next(iter(network.hidden_activations), None)


def _can_spread(units, initializer):
    """Whether units that are spread over a single input see different rows.

    Smooth ones do if their weights may be chosen, too: most initialisers give weights so small
    that such units are straight wherever there are rows.
    """
    return units is not None and (
        units.kinked or (initializer == "auto" and np.isfinite(units.bend))
    )


def _single_input(objective, rule, W):
    """The index of the only input that varies; None if there is none, or several."""
    # Mini-batches need the inputs' moments for nothing else, and measure one column alone.
    if rule is not None and len(W) > 1:
        return None
    varying = np.flatnonzero(~objective.input_moments.constant)
    return varying[0] if len(varying) == 1 else None


def _spread(w, b, index, moments, rng, *, centred):
    """Let units whose single input has the weights w bend at different places of it.

    Units that all bend at one place see the same rows, and learn the same.
    """
    # Uniform with a deviation of 1: the ends of an input that is uniform, too.
    places = rng.uniform(-np.sqrt(3.0), np.sqrt(3.0), size=len(b)) * moments.deviations[index]
    if not centred:
        places += moments.means[index]
    b -= w * places


def refer_to(objective, network, theta, measured):
    """Numbers by which the same parameters on the same rows are known again.

    Parameters
    ----------
    objective : Objective
    network : Network
        A plain one.
    theta : ndarray of shape (network.n_params,)
    measured : Measured or None
        How they do on the validation rows, if there are any.

    Returns
    -------
    reference : list of float
        Score and loss on the validation rows. Without them a single number: the share of
        the first block of rows in the cost, plus the penalty.
    """
    if measured is not None:
        return list(measured)
    return [objective.of(network).first_block_cost(theta)]


def check_comparable(score):
    """An error if a validation score can't be compared with others."""
    if np.isnan(score):
        raise ValueError("scoring must give a number where early_stopping=True; got nan.")


def solver_state(memory, solver, network):
    """The mini-batch solver's state, if it belongs to this solver and network."""
    state = memory.get("state")
    fits = (
        state is not None
        and memory["solver"] == solver
        and all(np.size(value) in (1, network.n_params) for value in state["rule"].values())
    )
    return state if fits else None


def training_theta(network, earlier, goes_on):
    """Parameters of the training network, and running moments of its batch normalisations."""
    beyond = earlier.memory.get("beyond")
    if (
        beyond is not None
        and (goes_on or beyond["is_kept"])
        and beyond["theta"].size == network.n_params
        and beyond["fitted"].dtype == earlier.theta.dtype
        and np.array_equal(beyond["fitted"], earlier.theta)
    ):
        return beyond["theta"], beyond["moments"]
    dense = earlier.network.dense_views(earlier.theta)
    return network.pack(*zip(*dense, strict=True)), fresh_moments(network, earlier.theta.dtype)


def _in_precision(value, dtype):
    """A vector, or every array of a state, in the precision of the blocks."""
    match value:
        case np.ndarray():
            # A mini-batch solver reports what overflows at the end of the epoch.
            with np.errstate(over="ignore"):
                return value.astype(dtype, copy=False)
        case dict():
            return {key: _in_precision(entry, dtype) for key, entry in value.items()}
        case list():
            return [_in_precision(entry, dtype) for entry in value]
    return value
