"""What to do where training ended before it converged, judged from how it went."""

import numpy as np

from .._objective.row_sums import InputMoments
from .._solvers.full_batch import METHODS
from .baseline import costs_more, costs_the_same
from .history import counted
from .stopping import COST_TOL, LOWER_ALPHA_OR_TOL, LOWER_RATE, LOWER_TOL, RAISE_TOL

MANY_ROWS = 10_000
"""From here on steps on mini-batches come further than passes over all rows."""

SMALLEST_DEVIATION = 1e-3
"""That a scaled column may have, such as a 0/1 column in which one row of a million is 1."""

OVERFITTING_RISE = 0.05
"""Relative rise of the validation loss above its lowest that counts as overfitting."""

MAX_TOLS_TO_RAISE = 10.0
"""How many times tol, or its default, a gradient may be for a larger tol to be the way to end."""

MIN_RISEN_ITERATIONS = 5
"""Iterations at the end, and at least a tenth of all, that must be above it: less is noise."""

JUDGE_BY_LOSS = (
    "judge by the loss ({}scoring='loss'), which fell further while the score did not rise"
)

AGAINST_OVERFITTING = "raise alpha: the validation loss rises while the cost falls"


def columns_differ(columns: InputMoments):
    """Whether any two rows differ, by more than the rounding of a mean."""
    return not columns.constant.all()


def are_scaled(columns: InputMoments):
    """Whether a scaler could have made the columns: each is constant, or of a scale near one.

    So they are after StandardScaler (the deviation is one, with or without the mean),
    after MinMaxScaler, MaxAbsScaler and RobustScaler, and where they are 0 or 1.
    """
    means, deviations = np.abs(columns.means), columns.deviations
    near_one = (deviations >= SMALLEST_DEVIATION) & (deviations <= 5.0) & (means <= 3.0)
    standard = (deviations >= 0.8) & (deviations <= 1.25)
    constant = columns.constant & (means <= 3.0)
    return bool((near_one | standard | constant).all())


def need_no_scaler(columns: InputMoments, solver):
    """Whether a scaler would not help a network out of a constant prediction.

    Small numbers need large weights, which any penalty takes out. Large ones, and those far from
    zero, full-batch solvers standardise themselves.
    """
    if are_scaled(columns):
        return True
    large_enough = columns.deviations >= SMALLEST_DEVIATION
    return solver in METHODS and bool((large_enough | columns.constant).all())


def advise(outcome, constant_cost, estimator, *, n_rows, scaled, search=None):
    """A message: why training ended, where it stands, what helps and what to do first.

    Parameters
    ----------
    outcome : Outcome
        Of a run that did not converge.
    constant_cost : float
        J of the best constant prediction.
    estimator : BackpropMLP
        Whose keywords the run had.
    n_rows : int
        Rows trained on.
    scaled : bool
        Whether the features are.
    search : SearchFit or None, default=None
        What a search says of the fit that it made, if one did: it chooses alpha, nothing goes on
        from its networks, and keywords of its estimator begin with "estimator__".

    Returns
    -------
    message : str
    """
    stopping, costs = outcome.stopping, [record.cost for record in outcome.history.records]
    too_expensive = costs_more(outcome.cost, constant_cost, 0.0)
    full_batch = estimator.solver in METHODS
    remedy = stopping.remedy
    if remedy == LOWER_ALPHA_OR_TOL and (search or estimator.alpha == 0.0):
        remedy = LOWER_TOL
    stuck = remedy == RAISE_TOL
    is_constant = too_expensive or costs_the_same(outcome.cost, constant_cost)
    alpha = None if search else _other_alpha(outcome, estimator, is_constant)
    if _score_misleads(outcome, estimator, constant_cost):
        remedy, alpha, stuck = JUDGE_BY_LOSS, None, False
    ways = []  # what to do first stands first; one may stand twice
    if remedy == LOWER_RATE or (not full_batch and too_expensive and costs[-1] > costs[0]):
        ways.append(LOWER_RATE)
    if not scaled:
        ways.append("scale the features (StandardScaler)")
    if alpha == AGAINST_OVERFITTING:
        ways.append(alpha)
    if full_batch and n_rows >= MANY_ROWS:
        ways.append(f"try {{}}solver='adam', whose steps do not need all {n_rows} rows")
    ways += _ways_on(outcome, estimator, search) if stuck else [remedy or "raise {}max_iter"]
    if not stuck and remedy not in (LOWER_RATE, LOWER_ALPHA_OR_TOL, LOWER_TOL, JUDGE_BY_LOSS):
        # Elsewhere a larger tol would have ended training even sooner.
        ways.append(RAISE_TOL)
    if alpha and remedy != LOWER_ALPHA_OR_TOL:
        ways.append(alpha)
    if not (search or stuck):
        # Where it is stuck, the same solver would be again.
        again = "call fit again to go on"
        ways.append(again if estimator.warm_start else "go on with warm_start=True")
    first, *others = dict.fromkeys(ways)
    advice = f"What may help: {', '.join(others)}. " if others else ""
    advice += f"First, {first}."
    if search and not search.has_estimator:
        advice += " Only an estimator that is given to the search has these keywords."
    message = f"Training ended before it converged: {stopping.message} ({_costs(outcome)}). "
    return message + advice.replace("{}", "estimator__" if search else "")


def _score_misleads(outcome, estimator, constant_cost):
    """Whether early stopping's score kept a worse loss than a constant's, which fell after that.

    R2 judges by the mean of y: next to it a quantile far from the middle is bad.
    """
    if not estimator.early_stopping or estimator.scoring == "loss" or outcome.n_iter == 0:
        return False
    records = outcome.history.records
    kept = records[outcome.n_iter - 1].bare_loss
    return kept > constant_cost and records[-1].bare_loss < kept


def _other_alpha(outcome, estimator, is_constant):
    """Which alpha may help; None where none does."""
    if is_constant:
        return "lower alpha for larger weights" if estimator.alpha > 0.0 else None
    if _overfits(outcome.history.records):
        return AGAINST_OVERFITTING
    return "raise alpha for a simpler minimum"


def _ways_on(outcome, estimator, search):
    """What to do where no step lowers the cost, the best first.

    At a kink of the units the gradient may be far from flat. The line searches of "cg" and
    "newton-cg" find nothing there; "lbfgs", whose search asks for less, goes on nearly always,
    until the cost falls by less than the default of tol.
    """
    if not any(activation.kinked for activation in outcome.network.hidden_activations):
        return [RAISE_TOL]
    if estimator.solver == "lbfgs":
        return [RAISE_TOL, "try a smooth activation ({}activation='tanh')"]
    way = "go on with solver='lbfgs' and warm_start=True"
    if search:
        way = "try {}solver='lbfgs'"
    elif estimator.warm_start:
        way = "call fit again with solver='lbfgs'"
    stopping = outcome.stopping
    near = MAX_TOLS_TO_RAISE * max(stopping.cost_tol, COST_TOL * stopping.unit)
    return [way, RAISE_TOL] if stopping.grad_max <= near else [way]


def _costs(outcome):
    """The cost of the kept parameters, and that after the last iteration."""
    n_iter = outcome.history.n_iter
    if outcome.n_iter == n_iter:
        return f"cost {outcome.cost:.6g} after {outcome.history.iterations}"
    last = outcome.history.records[-1].cost
    kept = "those of the start"
    if outcome.n_iter:
        kept = f"those after {counted(outcome.n_iter, 'iteration')}"
    return (
        f"the parameters that are kept, {kept}, have the best validation score and cost "
        f"{outcome.cost:.6g}; the last, after {outcome.history.iterations}, cost {last:.6g}"
    )


def _overfits(records):
    """Whether the validation loss ends well above its lowest, to stay, while the cost falls.

    Without the penalty: in J that rises with the weights. It is nan where there are no
    validation rows.
    """
    if len(records) <= MIN_RISEN_ITERATIONS:
        return False
    lowest = min(records, key=lambda record: record.bare_loss)
    last = records[-max(MIN_RISEN_ITERATIONS, len(records) // 10) :]
    high = lowest.bare_loss + OVERFITTING_RISE * abs(lowest.bare_loss)
    return last[-1].cost < lowest.cost and all(record.bare_loss > high for record in last)
