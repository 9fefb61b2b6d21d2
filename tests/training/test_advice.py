"""What is advised where training ends before it converges: what helps, and nothing else."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from keywords import MINI_BATCH, SOLVERS
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)
from warned import RAW, X, classifier, convergence, messages, warned, y

from backprop_mlp import (
    BackpropMLPClassifier,
    BackpropMLPClassifierCV,
    BackpropMLPRegressor,
    BackpropMLPRegressorCV,
)
from backprop_mlp._network.losses import loss_for
from backprop_mlp._network.network import plain_network
from backprop_mlp._objective.row_sums import InputMoments
from backprop_mlp._training.advice import _overfits, advise, are_scaled, columns_differ
from backprop_mlp._training.history import History, Record
from backprop_mlp._training.search_fit import SearchFit
from backprop_mlp._training.stopping import Stopping


@pytest.mark.parametrize("solver", SOLVERS)
def test_unscaled_features_are_to_be_scaled_first(solver):
    message = convergence(classifier(solver, max_iter=2), 100 * RAW)
    assert message.endswith("First, scale the features (StandardScaler).")


SCALERS = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    MinMaxScaler(),
    MaxAbsScaler(),
    RobustScaler(),
    OneHotEncoder(),
    make_pipeline(OneHotEncoder(sparse_output=False), StandardScaler()),
]


@pytest.mark.parametrize("solver", ["cg", "sgd"])
@pytest.mark.parametrize("scaler", SCALERS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_features_behind_a_scaler_are_not_to_be_scaled(scaler, solver, dtype):
    rows = clone(scaler).fit_transform(RAW).astype(dtype)
    message = convergence(classifier(solver, max_iter=2), rows)
    assert "cale" not in message
    assert message.endswith("First, raise max_iter.")


@pytest.mark.parametrize("solver", SOLVERS)
def test_how_to_go_on_is_told_by_what_is_set(solver):
    network = classifier(solver, max_iter=2)
    assert "go on with warm_start=True" in convergence(network, RAW)
    network.set_params(warm_start=True)
    assert "warm_start" not in convergence(network, RAW)
    assert "call fit again to go on" in convergence(network, RAW)


def test_columns_are_judged_by_the_rows_that_count():
    """A weight of zero hides an outlier; a constant column needs no scaler."""
    data, weights = np.c_[X, np.ones(len(y))], np.r_[0.0, np.ones(len(y) - 1)]
    data[0] = 1e9
    assert "cale" not in convergence(classifier(max_iter=2), data, sample_weight=weights)
    assert "StandardScaler" in convergence(classifier(max_iter=2), data)


@pytest.mark.parametrize(
    ("mean", "deviation", "expected"),
    [
        (0.0, 1.0, True),
        (0.0, 1e-4, False),
        (0.0, 4.0, True),
        (0.0, 6.0, False),
        (2.0, 2.0, True),
        (4.0, 2.0, False),
        (-4.0, 2.0, False),
        (4.0, 0.5, False),
        (100.0, 1.0, True),
        (1.0, 0.0, True),
        (100.0, 0.0, False),
    ],
)
def test_columns_are_scaled_where_a_scaler_could_have_made_them(mean, deviation, expected):
    assert are_scaled(InputMoments(np.array([mean]), np.array([deviation]), 1.0)) is expected
    both = InputMoments(np.array([0.0, mean]), np.array([1.0, deviation]), 2.0)
    assert are_scaled(both) is expected


@pytest.mark.parametrize("mean", [1e9, -1e9])
def test_rounding_makes_no_difference_between_rows_of_large_numbers(mean):
    deviations = ((1e-7, False), (1.0, True))
    for deviation, expected in deviations:
        columns = InputMoments(np.array([mean]), np.array([deviation]), 1.0)
        assert columns_differ(columns) is expected


@pytest.mark.parametrize(
    ("n_rows", "solver"), [(20_000, "cg"), (20_000, "lbfgs"), (20_000, "sgd"), (150, "cg")]
)
def test_with_many_rows_a_full_batch_solver_is_pointed_to_adam(n_rows, solver):
    rows = np.arange(n_rows) % len(y)
    message = convergence(classifier(solver, max_iter=1), X[rows], y[rows])
    assert ("First, try solver='adam'" in message) == (n_rows > 150 and solver != "sgd")
    assert ("adam" in message) == ("First, try solver='adam'" in message)


@pytest.mark.parametrize("alpha", [0.0, 1e-9])
@pytest.mark.parametrize("solver", SOLVERS)
def test_only_a_solver_with_a_learning_rate_is_to_lower_it(solver, alpha):
    """Where the rules take what costs far more than a constant prediction for converged.

    Of the others tol is to be lowered, and alpha if it is not zero.
    """

    def large(rng, n_in, n_out):
        return rng.normal(scale=1e3, size=(n_in, n_out))

    settings = {"learning_rate_init": 1e-9} if solver in MINI_BATCH else {}
    network = classifier(solver, initializer=large, alpha=alpha, tol=50.0, **settings)
    message = convergence(network, X)
    assert "above" in message
    assert ("learning_rate_init" in message) == (solver in MINI_BATCH)
    assert ("lower alpha" in message) == (alpha > 0.0)
    assert "raise tol" not in message
    if solver not in MINI_BATCH:
        assert message.endswith(f"First, lower {'alpha or ' if alpha else ''}tol.")


@pytest.mark.parametrize("solver", ["cg", "adam"])
def test_overfitting_is_to_be_met_with_alpha(solver):
    rng = np.random.RandomState(0)
    noise, labels = rng.randn(100, 30), rng.randint(2, size=100)
    settings = {"learning_rate_init": 0.05} if solver == "adam" else {}
    network = classifier(solver, alpha=1e-4, max_iter=30, tol=0.0, **settings)
    message = convergence(
        network, noise, labels, X_val=rng.randn(100, 30), y_val=rng.randint(2, size=100)
    )
    assert "First, raise alpha: the validation loss rises" in message
    assert message.count("alpha") == 1


def history_of(costs, bare_losses, penalties=0.0):
    """Records of a run."""
    columns = np.broadcast_arrays(costs, bare_losses, penalties)
    return [
        Record(cost, 0.0, bare + penalty, bare)
        for cost, bare, penalty in zip(*columns, strict=True)
    ]


FALLING = np.linspace(1.0, 0.1, 100)
TURNS = np.r_[np.linspace(1.0, 0.5, 50), np.linspace(0.5, 0.7, 50)]


@pytest.mark.parametrize(
    ("costs", "losses", "penalties", "overfits"),
    [
        (FALLING, TURNS, 0.0, True),
        (FALLING, -1.0 + TURNS, 0.0, True),
        (FALLING[:20], TURNS[40:60], 0.0, False),
        (FALLING[:8], [0.6, 0.5, 0.5, 0.6, 0.6, 0.7, 0.7, 0.7], 0.0, True),
        (FALLING[:3], [0.6, 0.5, 0.7], 0.0, False),
        (FALLING, np.r_[np.full(96, 0.1981), np.full(4, 0.3)], 0.0, False),
        (FALLING, np.r_[np.full(50, 0.1981), np.full(50, 0.2002)], 0.0, False),
        (FALLING, np.r_[np.full(85, 0.1981), np.full(15, 0.3)], 0.0, True),
        (FALLING, np.r_[np.full(50, -1.0), np.full(50, -0.99)], 0.0, False),
        (FALLING, 0.5 + 0.01 * np.cos(np.arange(100)), 0.0, False),
        (FALLING, np.linspace(1.0, 0.5, 100), np.linspace(0.0, 5.0, 100), False),
        (FALLING[::-1], TURNS, 0.0, False),
        (FALLING, np.nan, 0.0, False),
        ([], [], 0.0, False),
    ],
)
def test_overfitting_is_a_clear_and_lasting_rise_of_the_loss_while_the_cost_falls(
    costs, losses, penalties, overfits
):
    """Not noise, nor a few last iterations, nor a penalty that grows with the weights."""
    assert _overfits(history_of(costs, losses, penalties)) == overfits


@pytest.mark.parametrize("solver", SOLVERS)
def test_what_may_help_is_named_with_its_reason(solver):
    message = convergence(classifier(solver, max_iter=2), X)
    assert "raise tol to end sooner, raise alpha for a simpler minimum, go on" in message


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_an_alpha_of_zero_is_not_to_be_lowered(alpha):
    diverging = BackpropMLPClassifier(solver="adam", learning_rate_init=1e3, random_state=0)
    message = convergence(diverging.set_params(alpha=alpha), X)
    assert ("lower alpha for larger weights" in message) == (alpha > 0.0)
    assert "raise alpha" not in message


@pytest.mark.parametrize("solver", ["cg", "adam"])
def test_alpha_is_not_to_be_raised_where_training_is_at_a_constant_prediction(solver):
    network = classifier(
        solver, initializer=lambda rng, n_in, n_out: np.zeros((n_in, n_out)), max_iter=1, tol=0.0
    )
    message = convergence(network, X)
    assert "lower alpha for larger weights" in message
    assert "raise alpha" not in message


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_cost_of_the_last_iteration_and_of_the_kept_one_are_named(solver):
    settings = {"learning_rate_init": 0.1} if solver in MINI_BATCH else {}
    network = classifier(solver, early_stopping=True, max_iter=8, tol=0.0, **settings)
    message = convergence(network, X)
    best = int(np.argmax(network.validation_scores_)) + 1
    assert best < 8
    assert f"the last, after 8 iterations, cost {network.loss_curve_[-1]:.6g})" in message
    assert f"kept, those after {best} iteration{'s' if best > 1 else ''}, " in message
    assert f"best validation score and cost {network.loss_:.6g}" in message


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_where_r2_keeps_a_quantile_near_the_mean_the_loss_is_to_judge(solver):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(600, 3))
    numbers = np.sin(2.0 * rows[:, 0]) + rng.normal(size=600)
    network = BackpropMLPRegressor(
        20, loss="quantile", quantile=0.95, solver=solver, early_stopping=True, random_state=0
    )
    message = convergence(network, rows, numbers)
    assert "First, judge by the loss (scoring='loss')" in message
    assert "lower alpha" not in message
    assert np.mean(numbers <= network.predict(rows)) < 0.8
    advised = network.set_params(scoring="loss", max_iter=1000).fit(rows, numbers)
    assert np.mean(numbers <= advised.predict(rows)) > 0.92


@pytest.mark.parametrize(
    ("params", "first"),
    [({"max_iter": 2}, "raise max_iter"), ({"max_fun": 3}, "raise max_fun")],
)
def test_the_first_advice_answers_the_reason(params, first):
    assert convergence(classifier(**params), X).endswith(f"First, {first}.")


def test_no_more_iterations_are_advised_where_none_were_lacking():
    """Neither where no step helps, nor where the rules ended training far too soon."""
    network = classifier("lbfgs", tol=0.0, max_iter=10_000, max_fun=10**6)
    message = convergence(network, X)
    assert "no step" in message
    assert "max_iter" not in message
    settings = {"learning_rate_init": 1e-3, "early_stopping": True, "max_iter": 500}
    message = convergence(classifier("adam", alpha=100.0, **settings), X)
    assert "above" in message
    assert message.endswith("First, lower alpha or tol.")
    assert "raise tol" not in message
    assert "max_iter" not in message
    assert message.count("lower") == 1


@pytest.mark.parametrize("solver", ["cg", "adam"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_iterations_are_said_to_be_those_of_the_call_where_training_went_on(solver, early_stopping):
    network = classifier(solver, warm_start=True, max_iter=4, early_stopping=early_stopping)
    assert "after 4 iterations" in convergence(network, X)
    assert "of this call" not in convergence(clone(network), X)
    assert "after 4 iterations of this call" in convergence(network, X)


FEW_ROWS = np.random.default_rng(0).normal(size=(80, 4))
BENT = np.digitize(FEW_ROWS[:, 0] + FEW_ROWS[:, 1] ** 2, [0.3, 1.3])
STUCK = "no step along the search direction lowers the cost any further"


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
@pytest.mark.parametrize("warm_start", [False, True])
def test_where_cg_is_stuck_at_a_kink_lbfgs_goes_on(activation, warm_start):
    """Whoever follows the first advice comes further, and to an end."""
    for seed in range(10):
        network = BackpropMLPClassifier(5, activation, random_state=seed, max_iter=1000)
        said = messages(
            ConvergenceWarning, network.set_params(warm_start=warm_start).fit, FEW_ROWS, BENT
        )
        if said:
            break
    assert STUCK in said[0]
    how = "go on with solver='lbfgs' and warm_start=True"
    if warm_start:
        how = "call fit again with solver='lbfgs'"
    assert said[0].endswith(f"What may help: raise alpha for a simpler minimum. First, {how}.")
    before = network.loss_
    network.set_params(solver="lbfgs", warm_start=True)
    assert messages(ConvergenceWarning, network.fit, FEW_ROWS, BENT) == []
    assert network.loss_ < before


class Stuck(NamedTuple):
    """What `advise` reads of an outcome."""

    network: Any
    stopping: Stopping
    history: History
    cost: float = 1.0
    n_iter: int = 1


@pytest.mark.parametrize(
    ("solver", "activation", "gradient", "tol", "first", "raises_tol"),
    [
        ("cg", "relu", 2e-3, 1e-4, "go on with solver='lbfgs' and warm_start=True", False),
        ("cg", "relu", 5e-4, 1e-4, "go on with solver='lbfgs' and warm_start=True", True),
        ("cg", "relu", 5e-4, 0.0, "go on with solver='lbfgs' and warm_start=True", True),
        ("newton-cg", "relu", 2e-3, 1e-4, "go on with solver='lbfgs' and warm_start=True", False),
        ("cg", "tanh", 2e-3, 1e-4, "raise tol to end sooner", True),
        ("lbfgs", "tanh", 2e-3, 1e-4, "raise tol to end sooner", True),
        ("lbfgs", "relu", 2e-3, 0.0, "raise tol to end sooner", True),
    ],
)
@pytest.mark.parametrize("search", [None, SearchFit("refit", warns=True)])
def test_what_helps_a_stuck_solver_depends_on_kinks_and_on_the_gradient(
    solver, activation, gradient, tol, first, raises_tol, search
):
    network = plain_network((4, 5, 3), (activation,), loss_for("softmax"))
    stopping = Stopping(tol, 10, 100)
    stopping.give_up(STUCK, gradient)
    history = History()
    history.put(1, Record(1.0))
    estimator = BackpropMLPClassifier(5, activation, solver=solver)
    message = advise(
        Stuck(network, stopping, history), 2.0, estimator, n_rows=80, scaled=True, search=search
    )
    assert ("raise tol" in message.replace("estimator__", "")) == raises_tol
    assert "call fit again to" not in message
    if search:
        assert "warm_start" not in message
        first = "try estimator__solver='lbfgs'" if "lbfgs" in first else "raise estimator__tol"
    assert f"First, {first}" in message
    smooth = f"try a smooth activation ({'estimator__' if search else ''}activation='tanh')"
    assert (smooth in message) == (solver == "lbfgs" and activation == "relu")


def test_several_starts_are_warned_of_once():
    said = messages(ConvergenceWarning, classifier(n_init=4, max_iter=2).fit, X, y)
    assert len(said) == 1


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_what_is_advised_in_a_search_can_be_done_there(n_jobs, warm_start):
    """It chooses alpha, and its networks are clones; keywords go by the names they have there."""
    network = classifier("lbfgs", max_iter=5, warm_start=warm_start, alpha=0.0)
    search = BackpropMLPClassifierCV(network, alphas=[0.1, 1], cv=2, n_jobs=n_jobs)
    message = convergence(search, X)
    assert message.endswith(
        "What may help: raise estimator__tol to end sooner. First, raise estimator__max_iter."
    )
    assert "max_iter=5 iterations" in message
    assert messages(ConvergenceWarning, search.set_params(estimator__tol=10).fit, X, y) == []
    search.set_params(estimator__tol=1e-4, estimator__max_iter=1000)
    assert messages(ConvergenceWarning, search.fit, X, y) == []
    rows = np.arange(20_000) % len(y)
    search.set_params(estimator__max_iter=1)
    assert "First, try estimator__solver='adam'" in convergence(search, X[rows], y[rows])
    # The network itself is no part of a search any more.
    assert "raise alpha" in convergence(search.best_estimator_, X)


def test_a_search_without_an_estimator_is_to_be_given_one():
    class Short(BackpropMLPClassifierCV):
        def _default_estimator(self):
            return classifier(max_iter=2)

    message = convergence(Short(alphas=[1.0], cv=2), X)
    assert "First, raise estimator__max_iter." in message
    assert message.endswith("Only an estimator that is given to the search has these keywords.")


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_the_rate_and_tol_of_a_search_are_to_be_lowered_by_their_names(solver):
    diverging = BackpropMLPClassifier(5, solver=solver, learning_rate_init=1e3, random_state=0)
    message = convergence(BackpropMLPClassifierCV(diverging, alphas=[1.0], cv=2), X)
    assert message.endswith("First, lower the learning rate (estimator__learning_rate_init).")
    assert "alpha" not in message.replace("because of the penalty alone", "")


def test_a_tol_that_is_too_large_for_a_loss_is_named_as_the_search_knows_it():
    network = BackpropMLPRegressor(
        3, solver="lbfgs", loss="huber", normalize_y=False, tol=1.0, random_state=0
    )
    target = 1e-3 * X[:, 0]
    assert "Lower tol, or" in convergence(network, X, target)
    search = BackpropMLPRegressorCV(network, alphas=[1.0], cv=2)
    assert "Lower estimator__tol, or" in convergence(search, X, target)


def test_nothing_is_advised_while_a_search_of_ours_is_fitting():
    search = BackpropMLPClassifierCV(classifier(max_iter=2), alphas=[1, 2], cv=2, refit=False)
    assert warned(search.fit, 100 * X, y) == []
