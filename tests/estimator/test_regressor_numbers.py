"""The numbers that a regressor is given: which rows count, how far they are, what kind they are."""

import pickle
import re
import warnings
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
import scipy.sparse as sp
from keywords import SOLVERS
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import mean_pinball_loss, mean_poisson_deviance, r2_score
from sklearn.preprocessing import scale

from backprop_mlp import BackpropMLPRegressor, BackpropMLPRegressorCV
from backprop_mlp._estimator.pose import pose
from backprop_mlp._estimator.rows import Given
from backprop_mlp._training.scoring import r2

LOSSES = ["squared_error", "huber", "poisson", "gamma", "quantile"]

X, y = load_diabetes(return_X_y=True)
X, y = scale(X)[:120], y[:120]
Y = np.column_stack([y, 3.0 * np.abs(X[:, 2]) + 1.0])
WEIGHTS = np.ones(len(y))
WEIGHTS[[0, 5, 60]] = 0.0

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("error::RuntimeWarning"),
]


def regressor(solver="cg", **params):
    defaults = {"hidden_layer_sizes": 5, "activation": "tanh", "max_iter": 5, "random_state": 0}
    return BackpropMLPRegressor(**defaults | params, solver=solver)


def without_meaning(target, value):
    """The target with a value in the rows that have no weight."""
    target = target.astype(np.float64)
    target[WEIGHTS == 0.0] = value
    return target


def assert_same_network(model, expected):
    np.testing.assert_array_equal(model.y_mean_, expected.y_mean_)
    np.testing.assert_array_equal(model.y_scale_, expected.y_scale_)
    for W, other in zip(model.coefs_, expected.coefs_, strict=True):
        np.testing.assert_array_equal(W, other)


# Rows with zero weight


@pytest.mark.parametrize("value", [1e9, 1e200, -1e300])
@pytest.mark.parametrize("target", [y, Y], ids=["one output", "two outputs"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_number_of_weight_zero_changes_no_fit(loss, target, value):
    expected = regressor(loss=loss).fit(X, target, WEIGHTS)
    model = regressor(loss=loss).fit(X, without_meaning(target, value), WEIGHTS)
    assert_same_network(model, expected)
    assert model.loss_ == expected.loss_


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("normalize_y", [True, False])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_number_of_weight_zero_changes_no_solver(solver, normalize_y, dtype):
    rows, target = X.astype(dtype), without_meaning(y, 1e200)
    expected = regressor(solver, normalize_y=normalize_y).fit(rows, y, WEIGHTS)
    model = regressor(solver, normalize_y=normalize_y).fit(rows, target, WEIGHTS)
    assert_same_network(model, expected)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_number_of_weight_zero_changes_no_chunk(loss):
    expected, model = regressor("adam", loss=loss), regressor("adam", loss=loss)
    for _ in range(2):
        expected.partial_fit(X, y, WEIGHTS)
        model.partial_fit(X, without_meaning(y, -1e200), WEIGHTS)
    assert_same_network(model, expected)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_a_number_of_weight_zero_changes_no_warm_start(solver, loss):
    expected = regressor(solver, loss=loss, warm_start=True).fit(X, y)
    model = pickle.loads(pickle.dumps(expected))
    expected.fit(X, y, WEIGHTS)
    model.fit(X, without_meaning(y, -1e200), WEIGHTS)
    assert_same_network(model, expected)


@pytest.mark.parametrize("scoring", [None, "loss", "r2"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("given", [False, True], ids=["held out", "given"])
def test_a_number_of_weight_zero_changes_no_early_stopping(given, loss, scoring):
    def fitted(target):
        model = regressor(loss=loss, early_stopping=True, scoring=scoring)
        validation = {"X_val": X, "y_val": target, "sample_weight_val": WEIGHTS}
        return model.fit(X, target, WEIGHTS, **(validation if given else {}))

    model, expected = fitted(without_meaning(y, -1e200)), fitted(y)
    assert_same_network(model, expected)
    assert model.validation_scores_ == expected.validation_scores_


@pytest.mark.parametrize("loss", LOSSES)
def test_a_number_of_weight_zero_costs_nothing(loss):
    model = regressor(loss=loss).fit(X, y)
    target = without_meaning(y, -1e200)
    assert model.cost(X, target, WEIGHTS) == model.cost(X, y, WEIGHTS)
    for found, expected in zip(
        model.cost_gradient(X, target, WEIGHTS)[1],
        model.cost_gradient(X, y, WEIGHTS)[1],
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)


def test_numbers_are_not_changed_where_they_lie():
    target = without_meaning(y, 1e200)
    before = target.copy()
    regressor().fit(X, target, WEIGHTS)
    np.testing.assert_array_equal(target, before)


def test_a_row_that_weighs_next_to_nothing_changes_next_to_nothing():
    weights = np.ones(len(y))
    weights[0] = 1e-300
    target = y.copy()
    target[0] = 1e12
    model, expected = regressor().fit(X, target, weights), regressor().fit(X[1:], y[1:])
    assert model.y_mean_ == pytest.approx(expected.y_mean_, rel=1e-12)
    assert model.y_scale_ == pytest.approx(expected.y_scale_, rel=1e-12)


def test_a_row_that_is_held_out_may_be_far_away():
    model = regressor("adam", early_stopping=True, max_iter=1, scoring="loss").fit(X, y)
    for row in range(len(y)):
        target = y.copy()
        target[row] = 1e12
        again = regressor("adam", early_stopping=True, max_iter=1, scoring="loss").fit(X, target)
        if again.y_mean_ < 1e6:  # it is held out
            assert again.y_scale_ == model.y_scale_
            return
    raise AssertionError("no row is held out")


# Numbers far from zero


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("hidden", [5, ()])
def test_predictions_in_float32_keep_the_digits_of_y(hidden, container, solver):
    def fitted(target):
        rows = container(X.astype(np.float32))
        return regressor(solver, hidden_layer_sizes=hidden, max_iter=3).fit(rows, target)

    near, far = fitted(X[:, 2] * 3.0), fitted(1e8 + X[:, 2] * 3.0)
    rows = container(X.astype(np.float32))
    np.testing.assert_allclose(far.predict(rows) - 1e8, near.predict(rows), atol=1e-3)


def test_the_validation_score_in_float32_is_that_of_the_predictions():
    rows, target = X.astype(np.float32), 1e8 + X[:, 2] * 3.0
    model = regressor(max_iter=50).fit(rows, target, X_val=rows, y_val=target)
    assert model.validation_scores_[-1] == pytest.approx(model.score(rows, target), abs=1e-5)


def test_training_in_float32_goes_on_where_it_was():
    rows, target = X.astype(np.float32), 1e8 + y
    for hidden in (5, ()):
        split = regressor("adam", hidden_layer_sizes=hidden, max_iter=1, warm_start=True)
        for _ in range(3):
            split = pickle.loads(pickle.dumps(split.fit(rows, target)))
        whole = regressor("adam", hidden_layer_sizes=hidden, max_iter=3).fit(rows, target)
        assert_same_network(split, whole)


def test_thetas_of_float32_make_the_same_regressor():
    rows = X.astype(np.float32)
    model = regressor().fit(rows, 1e8 + y)
    twin = BackpropMLPRegressor.from_thetas(model.thetas_, activation="tanh")
    np.testing.assert_allclose(twin.predict(X), model.predict(X), rtol=1e-14)


@pytest.mark.parametrize("magnitude", [1e-44, 1e42, 1e200])
def test_y_may_be_of_any_magnitude_in_float32(magnitude):
    rows = X.astype(np.float32)
    there, moved = regressor().fit(rows, y), regressor().fit(rows, magnitude * y)
    np.testing.assert_allclose(moved.predict(rows) / magnitude, there.predict(rows), rtol=1e-3)


@pytest.mark.parametrize("target", [y, Y], ids=["one output", "two outputs"])
@pytest.mark.parametrize("exponent", [-700, 0, 700])
def test_r2_does_not_depend_on_the_units_of_y(exponent, target):
    model = regressor().fit(X, target)
    expected = r2_score(target, model.predict(X), sample_weight=WEIGHTS)
    far = without_meaning(np.ldexp(target, exponent), 1e300)
    moved = regressor().fit(X, far, WEIGHTS)
    assert model.score(X, target) == r2_score(target, model.predict(X))
    assert model.score(X, without_meaning(target, 1e300), WEIGHTS) == pytest.approx(expected)
    in_units = np.ldexp(moved.predict(X), -exponent)
    expected = r2_score(target, in_units, sample_weight=WEIGHTS)
    assert moved.score(X, far, WEIGHTS) == pytest.approx(expected, rel=1e-12)


def test_the_constant_model_knows_nothing_of_rows_that_are_held_out():
    """In normalised units of the others half their variance is 1/2."""
    given, rng = Given(X, y, None), np.random.RandomState(0)
    problem = pose(regressor(early_stopping=True), given, Given(), rng)
    assert problem.blocks.n_rows < len(X)
    assert problem.baseline.cost == pytest.approx(0.5, rel=1e-9)


@pytest.mark.parametrize(("unit", "far"), [(1.0, 1e200), (1e-300, 1.0), (1e-300, 1e300)])
@pytest.mark.parametrize("shape", [(4,), (4, 1)], ids=str)
def test_r2_of_predictions_whose_squares_overflow_is_minus_infinity(unit, far, shape):
    numbers = np.arange(4.0).reshape(shape)
    assert r2(unit * numbers, far * (numbers == 1.0)) == -np.inf


def test_a_prediction_far_beyond_y_does_not_pass_for_a_constant():
    """It had R2 0, as the mean has, which is more than other wrong predictions get."""
    x = np.linspace(-1.0, 1.0, 60)
    model = BackpropMLPRegressor((), loss="poisson", alpha=0.0, random_state=0)
    model.fit(x[:, np.newaxis], np.exp(2.0 * x))
    assert model.score([[1.0], [2.0], [240.0]], [7.0, 50.0, 60.0]) == -np.inf


@pytest.mark.parametrize(
    ("n_predictions", "weights"),
    [
        (4, ["a"] * 4),
        (4, np.zeros(4)),
        (4, np.ones(3)),
        (3, np.ones(4)),
        (3, None),
    ],
    ids=["words", "zeros", "too few weights", "too few rows", "no weights"],
)
def test_what_is_wrong_is_said_as_r2_score_says_it(n_predictions, weights):
    numbers, predictions = np.arange(4.0), np.ones(n_predictions)
    # Of weights that are all zero old versions say that they divide by it.
    with pytest.raises((TypeError, ValueError, ZeroDivisionError)) as expected:
        r2_score(numbers, predictions, sample_weight=weights)
    with pytest.raises(expected.type, match=re.escape(str(expected.value))):
        r2(numbers, predictions, weights)


@pytest.mark.parametrize("weight", [1e-308, 1e308])
def test_r2_does_not_depend_on_the_units_of_weights(weight):
    model = regressor().fit(X, Y)
    expected = r2_score(Y, model.predict(X), sample_weight=WEIGHTS)
    assert model.score(X, Y, weight * WEIGHTS) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize(("dtype", "magnitude"), [(np.float32, 1e42), (np.float64, 1e200)])
def test_a_y_that_would_overflow_is_refused_by_name(dtype, magnitude, loss):
    rows = X.astype(dtype)
    model = regressor(loss=loss, normalize_y=False)
    said = r"y must be within .* to be computed in float.*; got numbers from .*\. Scale y"
    with pytest.raises(ValueError, match=said):
        model.fit(rows, magnitude * y)
    assert not hasattr(model, "coefs_")
    model.fit(rows, y)
    with pytest.raises(ValueError, match=said):
        model.cost(rows, magnitude * y)
    with pytest.raises(ValueError, match=said.replace("y", "y_val", 1)):
        model.fit(rows, y, X_val=rows, y_val=magnitude * y)
    with pytest.raises(ValueError, match=said):
        regressor("adam", normalize_y=False).partial_fit(rows, magnitude * y)


@pytest.mark.parametrize(("dtype", "magnitude"), [(np.float32, 1e42), (np.float64, 1e200)])
def test_a_y_that_would_overflow_far_below_is_refused_by_name(dtype, magnitude):
    model = regressor("lbfgs", normalize_y=False)
    with pytest.raises(ValueError, match=r"y must be within .* to be computed in float.*Scale y"):
        model.fit(X.astype(dtype), -magnitude * np.abs(X[:, 0]))


@pytest.mark.parametrize("share", [0.9, -0.9, 1.1, -1.1])
def test_how_far_y_may_be_is_said_in_its_own_units(share):
    rows, target = X.astype(np.float32), 5.0 + 1e3 * y
    model = regressor().fit(rows, target)
    reach = 1e-3 * np.sqrt(np.finfo(np.float32).max) * target.std()
    far = np.where(np.arange(len(y)) == 3, target.mean() + share * reach, target)
    if abs(share) < 1.0:
        assert np.isfinite(model.cost(rows, far))
        return
    said = f"y must be within {reach:.3g} of {target.mean():.6g} to be computed in float32"
    with pytest.raises(ValueError, match=re.escape(said)):
        model.cost(rows, far)


def test_a_y_that_would_vanish_is_refused_by_name():
    rows = X.astype(np.float32)
    for target in (1e-300 * y, np.where(np.arange(len(y)) == 3, 1e-46, y)):
        with pytest.raises(ValueError, match=r"y must be > 0 with .*float32, too; got .*e-"):
            regressor(loss="gamma").fit(rows, target)
        regressor(loss="gamma").fit(X, target)
        regressor(loss="poisson").fit(rows, target)


@pytest.mark.parametrize("shift", [0.0, 1e3, 1e7, 1e12])
@pytest.mark.parametrize("normalize_y", [True, False])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["equal rows", "weighted rows"])
def test_the_validation_score_is_r2_wherever_y_val_lies(weights, normalize_y, shift):
    y_val = Y + shift
    model = regressor(normalize_y=normalize_y, max_iter=1).fit(
        X, Y, X_val=X, y_val=y_val, sample_weight_val=weights
    )
    expected = r2_score(y_val, model.predict(X), sample_weight=weights)
    assert model.validation_scores_[-1] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("target", [y, Y])
@pytest.mark.parametrize("value", [0.1, 1e9, -7.0])
def test_the_mean_squared_error_takes_the_place_of_r2_where_y_val_is_constant(
    value, target, weights
):
    y_val = np.full(target.shape, value)
    model = regressor().fit(X, target, X_val=X, y_val=y_val, sample_weight_val=weights)
    errors = ((model.predict(X) - y_val).reshape(len(X), -1) / model.y_scale_) ** 2
    expected = 1.0 - np.average(errors, axis=0, weights=weights).mean()
    assert model.validation_scores_[-1] == pytest.approx(expected, rel=1e-9)


def test_one_output_that_varies_is_enough_for_r2():
    y_val = np.column_stack([np.full(len(X), 7.0), y])
    model = regressor().fit(X, Y, X_val=X, y_val=y_val)
    expected = r2_score(y_val, model.predict(X))
    assert model.validation_scores_[-1] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("solver", ["cg", "lbfgs", "newton-cg", "adam"])
@pytest.mark.parametrize("loss", ["squared_error", "huber", "poisson", "gamma", "quantile"])
def test_early_stopping_chooses_by_rows_of_one_y(loss, solver):
    batches = {"batch_size": 5} if solver == "adam" else {}
    model = BackpropMLPRegressor(
        9, loss=loss, solver=solver, max_iter=50, early_stopping=True, random_state=0, **batches
    )
    constant = np.full(len(X), 3.0)
    kept = model.fit(X, constant).predict(X)
    first = model.set_params(max_iter=1).fit(X, constant).predict(X)
    assert np.abs(kept - 3.0).mean() < 0.5 * np.abs(first - 3.0).mean()


@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["cg", "lbfgs", "newton-cg"])
def test_numbers_too_small_for_tol_are_warned_of(solver):
    small = np.abs(1e-6 * y)
    model = regressor(solver, normalize_y=False, alpha=0.0, max_iter=300)
    with pytest.warns(ConvergenceWarning, match="tol is too large for so small a loss"):
        assert model.fit(X, small).converged_
    cost = model.loss_
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*tol is too large")
        assert model.set_params(tol=1e-12, max_iter=40).fit(X, small).loss_ < 0.5 * cost


@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("scoring", ["loss", "neg_mean_squared_error"])
def test_scores_too_small_for_tol_are_warned_of(scoring):
    small = np.abs(1e-6 * y)
    model = regressor(normalize_y=False, alpha=0.0, max_iter=300, early_stopping=True)
    with pytest.warns(ConvergenceWarning, match="raised the best score.*tol is too large for so"):
        model.set_params(scoring=scoring).fit(X, small)
    assert model.score(X, small) < 0.0


# Rates, whose loss is as small as they are


def counts(shape=(400, 4)):
    """Rows, exposures in years, and counts whose mean is below one a year."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=shape)
    exposure = rng.uniform(0.5, 2.0, len(rows))
    return rows, exposure, rng.poisson(0.4 * np.exp(0.8 * rows[:, 0] - 0.4 * rows[:, 1]) * exposure)


@pytest.mark.parametrize("solver", ["cg", "lbfgs", "newton-cg"])
def test_the_unit_of_exposures_changes_no_fit(solver):
    rows, years, n = counts()
    model = regressor(solver, loss="poisson", tol=1e-3, max_iter=200)
    expected = clone(model).fit(rows, n / years, years)
    fitted = clone(model).fit(rows, n / (365.0 * years), 365.0 * years)
    # Rounding may move the end by an iteration; it used to come after a tenth of them.
    assert abs(fitted.n_iter_ - expected.n_iter_) <= 2 < 10 < expected.n_iter_ < 200
    assert fitted.converged_
    assert 365.0 * fitted.loss_ == pytest.approx(expected.loss_, rel=1e-3)
    np.testing.assert_allclose(365.0 * fitted.predict(rows), expected.predict(rows), rtol=0.1)


@pytest.mark.parametrize("scoring", ["loss", None])
def test_a_score_that_is_a_loss_has_the_unit_of_the_loss(scoring):
    rows, years, n = counts()
    model = regressor(
        loss="poisson", scoring=scoring, early_stopping=True, n_iter_no_change=5, max_iter=200
    )
    fits = [
        clone(model).fit(
            rows, n / (unit * years), unit * years, X_val=rows, y_val=n / (unit * years)
        )
        for unit in (1.0, 1e3)
    ]
    assert 5 < fits[0].n_iter_ < 200
    assert fits[0].n_iter_ == fits[1].n_iter_


@pytest.mark.parametrize("loss", ["squared_error", "huber", "gamma", "quantile"])
def test_other_losses_count_tol_in_units_of_one(loss):
    small = regressor(loss=loss, max_iter=300, tol=1e-2).fit(X, 1e-6 * y)
    large = regressor(loss=loss, max_iter=300, tol=1e-2).fit(X, 1e6 * y)
    assert small.n_iter_ == large.n_iter_ < 300
    assert small.converged_


@pytest.mark.parametrize("magnitude", [1e-6, 1e-3, 1.0])
def test_small_counts_are_trained_as_far_as_large_ones(magnitude):
    model = regressor(loss="poisson", alpha=0.0, max_iter=1000).fit(X, magnitude * y / y.mean())
    constant = 0.5 * mean_poisson_deviance(y / y.mean(), np.ones(len(y)))
    assert model.converged_
    assert model.loss_ / magnitude < 0.5 * constant


@pytest.mark.parametrize("threshold", [1.0, 1e-2, 1e-4])
def test_a_small_threshold_is_trained_as_far_as_a_large_one(threshold):
    """Beyond it the cost is the threshold times the absolute error."""
    model = regressor("adam", loss="huber", huber_threshold=threshold, alpha=0.0, max_iter=1000)
    model.set_params(learning_rate_init=0.01).fit(X, y)
    median = regressor("adam", loss="quantile", alpha=0.0, max_iter=1000)
    median.set_params(learning_rate_init=0.01).fit(X, y)
    assert model.converged_
    assert model.n_iter_ > 0.5 * median.n_iter_
    assert model.score(X, y) > 0.9 * median.score(X, y)


@pytest.mark.parametrize("quantile", [0.01, 0.1, 0.9, 0.99])
def test_a_quantile_far_out_is_trained_to_less_than_a_constant_costs(quantile):
    model = regressor("adam", loss="quantile", quantile=quantile, alpha=0.0, max_iter=5000)
    predicted = model.fit(X, y).predict(X)
    constant = mean_pinball_loss(y, np.full(len(y), np.quantile(y, quantile)), alpha=quantile)
    assert model.converged_
    assert mean_pinball_loss(y, predicted, alpha=quantile) < 0.9 * constant


# A y that varies later


def said_of_scale(call, *data):
    """What a call says of a y without a scale."""
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        call(*data)
    return [str(w.message) for w in record if "y_scale_ is 1" in str(w.message)]


@pytest.mark.parametrize("loss", ["squared_error", "huber", "quantile"])
@pytest.mark.parametrize("n_rows", [1, 20])
def test_a_first_chunk_of_equal_numbers_is_warned_of_once(loss, n_rows):
    model = regressor("adam", loss=loss)
    (said,) = said_of_scale(model.partial_fit, X[:n_rows], np.zeros(n_rows))
    assert said.startswith("y does not vary in this first call of partial_fit")
    assert "Begin with more rows" in said
    assert said_of_scale(model.partial_fit, X, y) == []
    assert said_of_scale(model.partial_fit, X[:1], y[:1]) == []


def test_the_output_that_is_constant_in_the_first_chunk_is_named():
    target = np.column_stack([y, np.zeros(len(y)), y])
    (said,) = said_of_scale(regressor("adam").partial_fit, X, target)
    assert said.startswith("y of output 1 does not vary")


@pytest.mark.parametrize("params", [{"normalize_y": False}, {"loss": "poisson"}])
def test_a_constant_first_chunk_does_not_matter_where_y_is_not_scaled(params):
    model = regressor("adam", **params)
    assert said_of_scale(model.partial_fit, X, np.ones(len(y))) == []
    assert said_of_scale(model.partial_fit, X, y) == []


def test_a_first_chunk_in_which_y_varies_is_not_warned_of():
    assert said_of_scale(regressor("adam").partial_fit, X[:2], y[:2]) == []


def test_a_later_chunk_of_equal_numbers_is_no_reason_for_a_warning():
    model = regressor("adam")
    for rows in (slice(None), slice(1), slice(None)):
        assert said_of_scale(model.partial_fit, X[rows], X[rows, 0]) == []


@pytest.mark.parametrize("goes_on", ["fit", "partial_fit"])
def test_a_fit_of_equal_numbers_is_warned_of_where_training_goes_on_with_others(goes_on):
    model = regressor("adam", warm_start=True)
    constant = np.full(len(y), 3.0)
    assert said_of_scale(model.fit, X, constant) == []
    assert said_of_scale(getattr(model, goes_on), X, constant) == []
    model = pickle.loads(pickle.dumps(model))
    (said,) = said_of_scale(getattr(model, goes_on), X, y)
    assert said.startswith("y did not vary in the fit that training goes on from")
    assert said_of_scale(getattr(model, goes_on), X, y) == []
    assert said_of_scale(model.set_params(warm_start=False).fit, X, y) == []


# Kinds of numbers


@pytest.mark.parametrize(
    "target",
    [
        y.astype(str),
        y.astype(str).astype(object),
        np.array([b"1"] * len(y), dtype=object),
        np.arange(len(y)).astype("datetime64[D]"),
        np.arange(len(y)).astype("timedelta64[D]"),
        np.array([np.timedelta64(k, "D") for k in range(len(y))], dtype=object),
        np.array([date(2020, 1, 1) + timedelta(k) for k in range(len(y))], dtype=object),
    ],
    ids=["strings", "string objects", "bytes", "dates", "times", "time objects", "date objects"],
)
def test_what_is_no_number_is_refused(target):
    model = regressor().fit(X, y)
    for call in (model.fit, model.cost, regressor("adam").partial_fit):
        with pytest.raises(ValueError, match="y must hold numbers"):
            call(X, target)
    with pytest.raises(ValueError, match="y_val must hold numbers"):
        model.fit(X, y, X_val=X, y_val=target)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "None"), (10**400, "too large"), (np.nan, "nan")],
    ids=["None", "too large", "nan"],
)
def test_an_object_that_is_no_finite_number_is_refused(value, shown):
    target = y.astype(object)
    target[3] = value
    model = regressor().fit(X, y)
    for call in (model.fit, model.cost, model.score, BackpropMLPRegressorCV(model).fit):
        with pytest.raises(ValueError, match=rf"y must hold .*{shown}|y contains NaN"):
            call(X, target)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, np.float16, np.float32, object])
def test_numbers_may_be_of_any_kind(dtype):
    target = np.abs(np.round(y / 2.0)).astype(dtype)
    model, expected = regressor().fit(X, target), regressor().fit(X, target.astype(np.float64))
    assert_same_network(model, expected)


def test_decimals_and_nullable_numbers_are_numbers():
    pd = pytest.importorskip("pandas")
    expected = regressor().fit(X, np.round(y))
    for target in (
        np.array([Decimal(int(value)) for value in np.round(y)], dtype=object),
        pd.Series(np.round(y)).astype("Float64"),
        pd.Series(np.round(y)).astype("Int64"),
    ):
        assert_same_network(regressor().fit(X, target), expected)


def test_y_may_be_a_read_only_memory_map(tmp_path):
    np.save(tmp_path / "y.npy", y)
    target = np.load(tmp_path / "y.npy", mmap_mode="r")
    assert_same_network(regressor().fit(X, target, WEIGHTS), regressor().fit(X, y, WEIGHTS))


@pytest.mark.parametrize("weight", [1e-300, 1e300])
def test_weights_of_any_magnitude_leave_mean_and_scale(weight):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = regressor(alpha=0.0).fit(X, y, np.full(len(y), weight))
    assert model.y_mean_ == pytest.approx(y.mean(), rel=1e-12)
    assert model.y_scale_ == pytest.approx(y.std(), rel=1e-12)
