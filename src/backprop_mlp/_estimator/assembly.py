"""An estimator's flat keywords, assembled into what training needs.

Numbers among them become Python's own here: NumPy's would turn arithmetic in
float32 into arithmetic in float64.
"""

import math
from collections.abc import Mapping, Set
from contextlib import contextmanager
from numbers import Integral, Real

from .._network.activations import ACTIVATIONS
from .._network.network import Network
from .._numbers import MAX_COUNT
from .._objective.objective import Objective, block_not_finite
from .._objective.overflow import NOT_FINITE
from .._sklearn import available_if
from .._solvers.full_batch import METHODS
from .._solvers.mini_batch import MiniBatches
from .._solvers.rules import SGD, Adam, RMSprop, Rule
from .._training.stopping import COST_TOL, Stopping
from ..schedules import schedule_named

MINI_BATCH_SOLVERS = ("adam", "rmsprop", "sgd")
SOLVERS = (*METHODS, *MINI_BATCH_SOLVERS)

ACTIVATION_NAMES = ", ".join(
    "'logistic' (the sigmoid)" if name == "logistic" else repr(name) for name in sorted(ACTIVATIONS)
)
"""For messages: other libraries call the logistic function sigmoid."""


def has_partial_fit(params):
    """Whether `partial_fit` makes sense with the keywords; an error with the reason if not."""
    if params.solver not in MINI_BATCH_SOLVERS:
        raise AttributeError(
            f"partial_fit needs mini-batches: solver must be one of {MINI_BATCH_SOLVERS}; got "
            f"solver={params.solver!r}."
        )
    if params.early_stopping:
        raise AttributeError("partial_fit holds out no rows: early_stopping must be False.")
    if getattr(params, "class_weight", None) == "balanced":
        raise AttributeError(
            "partial_fit does not see all rows: class_weight must not be 'balanced'."
        )
    if isinstance(params.learning_rate, str) and params.learning_rate == "cosine":
        raise AttributeError(
            "learning_rate must not be 'cosine' in partial_fit, which does not know the last "
            "epoch. Give an object with a horizon, such as "
            "backprop_mlp.schedules.Cosine(0.01, horizon=1000)."
        )
    return True


where_partial_fit_makes_sense = available_if(has_partial_fit)
"""Decorator of the method: elsewhere there is none, and `hasattr` says so."""


def build_network(params, n_features, targets):
    """The training network that the keywords describe.

    Parameters
    ----------
    params : BackpropMLP
        Its constructor's keywords are read, here and below, and ``_loss_for`` tells the loss.
    n_features : int
    targets : Targets

    Returns
    -------
    network : Network

    Raises
    ------
    ValueError
        If hidden_layer_sizes, activation and dropout do not fit together, or the
        solver can't train such a network.
    """
    hidden = params.hidden_layer_sizes
    hidden = [hidden] if isinstance(hidden, Integral) else _entries(hidden)
    if not all(isinstance(size, Integral) and int(size) > 0 for size in hidden):
        raise ValueError(
            "hidden_layer_sizes must hold integers > 0, or be one, in an order such as that of a "
            f"list; got {params.hidden_layer_sizes!r}."
        )
    names = activation_names(params, len(hidden))
    rates = _one_per_layer("dropout", params.dropout, len(hidden), Real, "a number in [0, 1)")
    if not all(0.0 <= rate < 1.0 for rate in rates):
        raise ValueError(f"dropout must be a number in [0, 1); got {params.dropout!r}.")
    network = Network.feedforward(
        [n_features, *(int(size) for size in hidden), targets.n_outputs],
        names,
        params._loss_for(targets),
        batch_norm=params.batch_norm,
        dropout=[float(rate) for rate in rates],
    )
    if network.n_params > MAX_COUNT:
        raise ValueError(
            f"hidden_layer_sizes must give a network of at most {MAX_COUNT} weights and biases; "
            f"got {params.hidden_layer_sizes!r}."
        )
    if network.training_only and params.solver in METHODS:
        verb = "needs" if len(network.training_only) == 1 else "need"
        raise ValueError(
            f"{' and '.join(network.training_only)} {verb} mini-batches: solver must be one of "
            f"{MINI_BATCH_SOLVERS}; got solver={params.solver!r}."
        )
    return network


def activation_names(params, n_hidden):
    """Name of each hidden layer's activation function."""
    allowed = f"one of {ACTIVATION_NAMES}"
    names = _one_per_layer("activation", params.activation, n_hidden, str, allowed)
    if not all(name in ACTIVATIONS for name in names):
        raise ValueError(f"activation must be {allowed}; got {params.activation!r}.")
    return names


def _one_per_layer(keyword, value, n_hidden, kind, allowed):
    """The values of a keyword that takes one for all hidden layers, or one per layer."""
    if isinstance(value, kind):
        return [value] * n_hidden
    values = _entries(value)
    if len(values) != n_hidden or not all(isinstance(item, kind) for item in values):
        raise ValueError(
            f"{keyword} must be {allowed}, or a sequence with one of them for each of the "
            f"{n_hidden} hidden layers; got {value!r}."
        )
    return values


def _entries(value):
    """The entries of a sequence; what is none, or an array without dimensions, is one entry.

    A set has no order of its own and holds nothing twice, and who gives a dictionary means more
    than its keys.
    """
    is_none = isinstance(value, Set | Mapping) or getattr(value, "ndim", 1) == 0
    return [value] if is_none else list(value)


def build_mini_batches(params, blocks, state=None):
    """How the mini-batch solver that the keywords choose goes about the rows.

    Parameters
    ----------
    params : BackpropMLP
    blocks : DataSet
    state : dict or None, default=None
        State of the solver, if it goes on: a horizon is counted from there.

    Returns
    -------
    mini_batches : MiniBatches or None
        None for a full-batch solver.
    """
    if params.solver in METHODS:
        return None
    n_rows = blocks.n_rows
    # NumPy's small integers wrap.
    batch_size = min(200 if params.batch_size == "auto" else int(params.batch_size), n_rows)
    schedule, time = params.learning_rate, "updates"
    if isinstance(schedule, str):
        epochs = 0 if state is None else state["clock"]["epochs"]
        steps_per_epoch = sum(-(-size // batch_size) for size in blocks.part_sizes)
        schedule, time = schedule_named(
            schedule,
            params.learning_rate_init,
            power=params.power_t,
            steps_per_epoch=steps_per_epoch,
            horizon=(epochs + int(params.max_iter)) * steps_per_epoch,
        )
    beta_2, epsilon = float(params.beta_2), float(params.epsilon)
    rules: dict[str, Rule] = {
        "sgd": SGD(float(params.momentum), params.nesterovs_momentum),
        "adam": Adam(float(params.beta_1), beta_2, epsilon),
        "rmsprop": RMSprop(beta_2, epsilon),
    }
    max_norm = None if params.max_grad_norm is None else float(params.max_grad_norm)
    return MiniBatches(rules[params.solver], schedule, time, batch_size, params.shuffle, max_norm)


def build_stopping(params, cost_unit):
    """The rules that the keywords choose, when to stop.

    Parameters
    ----------
    params : BackpropMLP
    cost_unit : float
        What ``tol`` is counted in, but for scores that are no losses.

    Returns
    -------
    stopping : Stopping
    """
    is_loss = params.scoring == "loss"
    return Stopping(
        params.tol,
        params.n_iter_no_change,
        params.max_iter,
        params.max_fun if params.solver in METHODS else math.inf,
        by_score=params.early_stopping,
        largest_cost_tol=math.inf if is_loss or not params.early_stopping else COST_TOL,
        unit=cost_unit,
        score_unit=cost_unit if is_loss else 1.0,
        adaptive_rate=params.learning_rate_init if params.learning_rate == "adaptive" else 0.0,
    )


@contextmanager
def open_objective(problem, alpha):
    """The objective of a problem, while its blocks may be computed.

    Where numbers are not finite because the inputs are not, a ValueError says so.
    """
    network, blocks = problem.network, problem.blocks
    with blocks.open_map(network) as map_blocks:
        try:
            yield Objective(network, blocks, float(alpha), map_blocks)
        except FloatingPointError as error:
            rows = {"X": blocks}
            if problem.validation is not None:
                rows["X of the validation rows"] = problem.validation.blocks
            for name, given in rows.items():
                if sum(map_blocks(block_not_finite, given)) > 0.0:
                    raise ValueError(NOT_FINITE.format(name=name)) from error
            raise
