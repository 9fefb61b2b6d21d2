"""The learning-rate range test: what it runs, when it ends, what it leaves alone."""

import copy

import numpy as np
import pytest
from keywords import MINI_BATCH
from scipy.sparse import csr_matrix
from sklearn import config_context
from sklearn.datasets import load_digits, load_iris, make_multilabel_classification
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import scale

from backprop_mlp import BackpropMLPClassifier, learning_rate_range_test
from backprop_mlp._objective.objective import Objective
from backprop_mlp.schedules import Constant

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


X, y = load_iris(return_X_y=True)
X = scale(X)
WEIGHTS = np.random.default_rng(5).uniform(0.0, 3.0, len(X))


def classifier(solver="adam", **params):
    defaults = {"activation": "tanh", "batch_size": 50, "random_state": 0}
    return BackpropMLPClassifier((8,), solver=solver, **defaults | params)


def test_the_rates_rise_by_equal_factors():
    result = learning_rate_range_test(classifier(), X, y, min_rate=1e-4, max_rate=1e-2, n_steps=50)
    np.testing.assert_allclose(result.rates, np.geomspace(1e-4, 1e-2, 50), rtol=1e-12)
    assert result.costs.shape == result.smoothed.shape == (50,)


def test_a_network_may_have_an_init_of_its_own():
    class Narrow(BackpropMLPClassifier):
        def __init__(self, n_units=8):
            self.n_units = n_units
            super().__init__((n_units,), "tanh", solver="adam", batch_size=50, random_state=0)

    narrow, wide = (learning_rate_range_test(each, X, y) for each in (Narrow(), classifier()))
    np.testing.assert_array_equal(narrow.costs, wide.costs)


@pytest.mark.parametrize("solver", MINI_BATCH)
@pytest.mark.parametrize("params", [{}, {"batch_norm": True, "dropout": 0.2}], ids=str)
def test_the_run_is_a_fit_with_a_rising_rate(solver, params):
    """With one batch an epoch the costs are those of the epochs."""
    params |= {"batch_size": len(X), "shuffle": False}
    result = learning_rate_range_test(
        classifier(solver, **params), X, y, WEIGHTS, min_rate=1e-4, max_rate=1e-2, n_steps=20
    )
    fitted = classifier(
        solver,
        **params,
        learning_rate=lambda step: 1e-4 * 100.0 ** (step / 19),
        max_iter=20,
        n_iter_no_change=20,
    )
    costs = fitted.fit(X, y, WEIGHTS).loss_curve_
    if params.get("dropout"):
        # Its masks are drawn from another stream.
        assert abs(np.mean(result.costs) - np.mean(costs)) < 0.3 * np.mean(costs)
    else:
        np.testing.assert_allclose(result.costs, costs, rtol=1e-9)


def test_the_smoothed_cost_is_a_mean_that_forgets():
    result = learning_rate_range_test(classifier(), X, y, max_rate=0.1)
    weights = 0.9 ** np.arange(len(result.costs))[::-1]
    assert result.smoothed[-1] == pytest.approx(np.average(result.costs, weights=weights))
    assert result.smoothed[0] == pytest.approx(result.costs[0])


def test_it_ends_where_training_diverges():
    whole = learning_rate_range_test(classifier("sgd"), X, y, max_rate=1e-3)
    assert len(whole.costs) == 200
    ended = learning_rate_range_test(classifier("sgd"), 100 * X, y, max_rate=1e6)
    assert len(ended.costs) < 200
    assert ended.smoothed[-1] > 4 * ended.smoothed.min()
    assert np.all(ended.smoothed[:-1] <= 4 * np.minimum.accumulate(ended.smoothed[:-1]))
    assert np.isfinite(ended.costs).all()


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_the_suggested_rate_trains(solver):
    X, y = (part[:600] for part in load_digits(return_X_y=True))
    X = X / 16
    estimator = classifier(solver, max_iter=10)
    rate = learning_rate_range_test(estimator, X, y).suggestion
    assert 1e-4 < rate < 1.0
    fitted = estimator.set_params(learning_rate_init=rate).fit(X, y)
    assert fitted.loss_ < 0.6 * fitted.loss_curve_[0]


def test_its_own_rates_replace_the_estimators():
    params = {"learning_rate": Constant(123.0), "learning_rate_init": 55.0}
    one = learning_rate_range_test(classifier(**params), X, y)
    other = learning_rate_range_test(classifier(), X, y)
    assert np.array_equal(one.costs, other.costs)


def test_a_seed_gives_the_same_costs():
    one, same = (learning_rate_range_test(classifier(), X, y) for _ in range(2))
    other = learning_rate_range_test(classifier(random_state=1), X, y)
    assert np.array_equal(one.costs, same.costs)
    assert not np.array_equal(one.costs[:10], other.costs[:10])


@pytest.mark.parametrize("fitted", [False, True])
def test_the_estimator_is_left_alone(fitted):
    estimator = classifier(early_stopping=True, warm_start=True, max_iter=3)
    if fitted:
        estimator.fit(X, y)
    before, coefs = dict(vars(estimator)), copy.deepcopy(getattr(estimator, "coefs_", []))
    learning_rate_range_test(estimator, X, y)
    assert vars(estimator) == before
    assert all(map(np.array_equal, getattr(estimator, "coefs_", []), coefs))


def test_the_estimators_random_state_is_not_advanced():
    random_state = np.random.RandomState(0)
    learning_rate_range_test(classifier(random_state=random_state), X, y)
    assert random_state.randint(1000) == np.random.RandomState(0).randint(1000)


def test_it_computes_in_the_precision_of_training():
    rounded = X.astype(np.float32)
    half = learning_rate_range_test(classifier(), rounded, y)
    full = learning_rate_range_test(classifier(), rounded.astype(np.float64), y)
    assert not np.array_equal(half.costs[:10], full.costs[:10])
    np.testing.assert_allclose(half.costs[:10], full.costs[:10], rtol=1e-4)


def test_a_fitted_estimator_is_tested_from_a_random_start():
    fresh = learning_rate_range_test(classifier(), X, y)
    fitted = learning_rate_range_test(classifier(max_iter=50).fit(X, y), X, y)
    assert np.array_equal(fresh.costs, fitted.costs)


def test_any_data_that_train_can_be_tested():
    dense = learning_rate_range_test(classifier(), X, y)
    sparse = learning_rate_range_test(classifier(), csr_matrix(X), y)
    np.testing.assert_allclose(sparse.costs[:50], dense.costs[:50], rtol=1e-6)
    Z, L = make_multilabel_classification(60, 5, n_classes=3, random_state=0)
    for target in (L, csr_matrix(L), L[:, 0]):
        assert learning_rate_range_test(classifier(), Z, target).suggestion > 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"min_rate": 0.0}, "0 < min_rate < max_rate; got 0.0 and 10.0"),
        ({"min_rate": -1.0}, "min_rate and max_rate must be finite"),
        ({"min_rate": 1.0, "max_rate": 1.0}, "got 1.0 and 1.0"),
        ({"max_rate": np.inf}, "got 1e-05 and inf"),
        ({"max_rate": np.nan}, "min_rate and max_rate must be finite"),
        ({"max_rate": "fast"}, "min_rate and max_rate must be finite.*'fast'"),
        ({"n_steps": 9}, "n_steps must be an integer >= 10; got 9"),
        ({"n_steps": 50.5}, "n_steps must be an integer >= 10; got 50.5"),
        ({"n_steps": np.inf}, "n_steps must be an integer >= 10; got inf"),
        ({"n_steps": "many"}, "n_steps must be an integer >= 10; got 'many'"),
    ],
    ids=str,
)
def test_wrong_arguments_are_named(given, message):
    with pytest.raises(ValueError, match=message):
        learning_rate_range_test(classifier(), X, y, **given)


@pytest.mark.parametrize("solver", ["cg", "lbfgs", "newton-cg"])
def test_full_batch_solvers_have_no_rate_to_test(solver):
    with pytest.raises(ValueError, match=rf"solver must be one of .*got solver='{solver}'"):
        learning_rate_range_test(classifier(solver), X, y)


@pytest.mark.parametrize(
    "estimator", [MLPClassifier(), LogisticRegression(), None], ids=lambda e: type(e).__name__
)
def test_other_estimators_are_refused(estimator):
    with pytest.raises(
        TypeError, match="estimator must be a BackpropMLPClassifier or BackpropMLPRegressor; got"
    ):
        learning_rate_range_test(estimator, X, y)


def test_wrong_parameters_and_data_are_named():
    with pytest.raises(ValueError, match="'momentum' parameter"):
        learning_rate_range_test(classifier(momentum=2.0), X, y)
    with pytest.raises(ValueError, match="NaN"):
        learning_rate_range_test(classifier(), X * np.nan, y)


@pytest.mark.parametrize("container", [np.asarray, np.float32, csr_matrix])
@pytest.mark.parametrize("n_rows", [1, len(X)])
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("solver", MINI_BATCH)
def test_inputs_that_are_not_finite_are_no_overflow(solver, value, n_rows, container):
    """A few of them, too, which a later batch meets: no rate is too high for them."""
    rows = X.copy()
    rows[-n_rows:, 1] = value
    estimator = classifier(solver, batch_size=5, shuffle=False)
    with (
        config_context(assume_finite=True),
        pytest.raises(ValueError, match=r"^X holds nan or infinity, which .*assume_finite=True"),
    ):
        learning_rate_range_test(estimator, container(rows), y)


@pytest.mark.parametrize("batch_size", [50, 150])
@pytest.mark.parametrize("solver", MINI_BATCH)
def test_parameters_that_overflow_at_once_are_told_by_the_rate(solver, batch_size):
    """At the end of an epoch too, where a fit says that training diverges."""
    rates = {"min_rate": 1e307, "max_rate": 1e308}
    with pytest.raises(FloatingPointError, match=r"overflows at once, with min_rate=1e\+307"):
        learning_rate_range_test(classifier(solver, batch_size=batch_size), 1e4 * X, y, **rates)


def test_ctrl_c_ends_it(monkeypatch):
    """In a later epoch, too, where a fit would keep what it has."""
    n_batches = 0
    minibatch = Objective.minibatch

    def interrupted(*args):
        nonlocal n_batches
        n_batches += 1
        if n_batches == 20:
            raise KeyboardInterrupt
        return minibatch(*args)

    monkeypatch.setattr(Objective, "minibatch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        learning_rate_range_test(classifier(), X, y)
    assert n_batches == 20
