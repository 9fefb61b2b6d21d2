"""The regressor: its objective, the units of y, what a fit keeps, and what it refuses."""

import pickle
from inspect import signature

import numpy as np
import pytest
import scipy.sparse as sp
from keywords import MINI_BATCH, SOLVERS
from scipy.optimize import minimize
from sklearn.base import clone, is_regressor
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.linear_model import GammaRegressor, PoissonRegressor, QuantileRegressor, Ridge
from sklearn.metrics import mean_pinball_loss, r2_score
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import scale

from backprop_mlp import BackpropMLPRegressor, check_gradient

LOSSES = ["squared_error", "huber", "poisson", "gamma", "quantile"]
IDENTITY_LINK = ["squared_error", "huber", "quantile"]

X, y = load_diabetes(return_X_y=True)
X, y = scale(X)[:200], y[:200]
Y = np.column_stack([y, 3.0 * X[:, 2] - 1.0])
WEIGHTS = np.random.default_rng(1).integers(0, 4, len(y)).astype(float)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def regressor(solver="cg", **params):
    defaults = {"hidden_layer_sizes": 7, "activation": "tanh", "max_iter": 5, "random_state": 0}
    return BackpropMLPRegressor(**defaults | params, solver=solver)


def linear(**params):
    """Without a hidden layer, trained to the end."""
    defaults = {"hidden_layer_sizes": (), "solver": "lbfgs", "tol": 1e-9, "max_iter": 5000}
    return BackpropMLPRegressor(**defaults | params)


def close(a, b, tol):
    np.testing.assert_allclose(a, b, rtol=tol, atol=tol * np.abs(b).max())


# The objective, against other libraries and direct minimisation


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["equal rows", "weighted rows"])
@pytest.mark.parametrize("normalize_y", [True, False])
@pytest.mark.parametrize("target", [y, Y], ids=["one output", "two outputs"])
def test_a_linear_squared_error_is_ridge_regression(target, normalize_y, weights):
    model = linear(alpha=20.0, normalize_y=normalize_y).fit(X, target, weights)
    ridge = Ridge(alpha=20.0, tol=1e-12).fit(X, target, weights)
    close(model.coefs_[0].T, np.atleast_2d(ridge.coef_), 1e-5)
    close(model.predict(X), ridge.predict(X), 1e-5)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["equal rows", "weighted rows"])
@pytest.mark.parametrize(
    ("loss", "peer"), [("poisson", PoissonRegressor), ("gamma", GammaRegressor)]
)
def test_a_linear_log_link_is_the_generalised_linear_model(loss, peer, weights):
    total = len(y) if weights is None else weights.sum()
    model = linear(loss=loss, alpha=20.0).fit(X, y, weights)
    glm = peer(alpha=20.0 / total, solver="newton-cholesky", tol=1e-10).fit(X, y, weights)
    close(model.coefs_[0][:, 0], glm.coef_, 1e-5)
    close(model.predict(X), glm.predict(X), 1e-5)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["equal rows", "weighted rows"])
def test_a_linear_huber_minimises_its_formula(weights):
    w = np.ones(len(y)) if weights is None else weights
    model = linear(loss="huber", huber_threshold=0.7, alpha=5.0).fit(X, y, weights)
    mean = np.average(y, weights=w)
    target = (y - mean) / np.sqrt(np.average((y - mean) ** 2, weights=w))

    def cost(theta):
        residuals = np.abs(X @ theta[1:] + theta[0] - target)
        losses = np.where(residuals <= 0.7, 0.5 * residuals**2, 0.7 * (residuals - 0.35))
        return (w @ losses + 2.5 * theta[1:] @ theta[1:]) / w.sum()

    best = minimize(cost, np.zeros(11), method="BFGS", options={"gtol": 1e-7})
    assert model.loss_ == pytest.approx(best.fun, rel=1e-9)
    close(model.coefs_[0][:, 0] / model.y_scale_, best.x[1:], 1e-5)


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.8])
def test_a_linear_quantile_reaches_quantile_regression(quantile):
    model = linear(loss="quantile", quantile=quantile, alpha=0.0).fit(X, y)
    exact = QuantileRegressor(quantile=quantile, alpha=0.0).fit(X, y)
    ours = mean_pinball_loss(y, model.predict(X), alpha=quantile)
    assert ours <= 1.001 * mean_pinball_loss(y, exact.predict(X), alpha=quantile)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("target", [y, Y + 3.0], ids=["one output", "two outputs"])
def test_the_gradient_is_right(loss, target):
    target = np.abs(target) + 0.5
    assert check_gradient(regressor(loss=loss), X, target, random_state=0).passed


@pytest.mark.parametrize("loss", LOSSES)
def test_the_cost_sums_the_outputs(loss):
    target = np.abs(Y) + 0.5
    model = regressor(loss=loss, alpha=0.0, max_iter=2).fit(X, target)
    alone = [
        BackpropMLPRegressor.from_thetas(
            [model.thetas_[0], model.thetas_[1][[k]]], activation="tanh", loss=loss, alpha=0.0
        )
        for k in range(2)
    ]
    for k, single in enumerate(alone):
        single.y_mean_, single.y_scale_ = model.y_mean_[[k]], model.y_scale_[[k]]
    total = sum(single.cost(X, target[:, k]) for k, single in enumerate(alone))
    assert model.cost(X, target) == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_row_of_weight_two_is_two_rows(loss):
    whole = np.flatnonzero(WEIGHTS)
    repeated = np.repeat(np.arange(len(y)), WEIGHTS.astype(int))
    weighted = regressor(loss=loss, max_iter=3).fit(X[whole], y[whole], WEIGHTS[whole])
    rows = regressor(loss=loss, max_iter=3).fit(X[repeated], y[repeated])
    assert weighted.loss_ == pytest.approx(rows.loss_, rel=1e-9)
    close(weighted.predict(X), rows.predict(X), 1e-7)


# The units of y


@pytest.mark.parametrize("loss", IDENTITY_LINK)
def test_cost_and_gradient_do_not_depend_on_the_units_of_y(loss):
    there = regressor(loss=loss, max_iter=1).fit(X, Y)
    moved = regressor(loss=loss, max_iter=1).fit(X, 1e9 + 1e6 * Y)
    moved.coefs_, moved.intercepts_ = there.coefs_, there.intercepts_
    moved.coefs_ = [*there.coefs_[:-1], 1e6 * there.coefs_[-1]]
    moved.intercepts_ = [*there.intercepts_[:-1], 1e9 + 1e6 * there.intercepts_[-1]]
    cost, gradients = there.cost_gradient(X, Y)
    cost_moved, gradients_moved = moved.cost_gradient(X, 1e9 + 1e6 * Y)
    assert cost_moved == pytest.approx(cost, rel=1e-9)
    for gradient, other in zip(gradients, gradients_moved, strict=True):
        np.testing.assert_allclose(other, gradient, atol=1e-9 * np.abs(gradient).max())


@pytest.mark.parametrize("solver", SOLVERS)
def test_predictions_move_with_the_units_of_y(solver):
    there = regressor(solver, max_iter=15).fit(X, y)
    moved = regressor(solver, max_iter=15).fit(X, 1e9 + 1e6 * y)
    back = (moved.predict(X) - 1e9) / 1e6
    np.testing.assert_allclose(back, there.predict(X), atol=1e-6 * y.std(), rtol=0.0)


def test_mean_and_scale_are_weighted():
    model = regressor(max_iter=1).fit(X, Y, WEIGHTS)
    mean = np.average(Y, axis=0, weights=WEIGHTS)
    np.testing.assert_allclose(model.y_mean_, mean, rtol=1e-12)
    variance = np.average((Y - mean) ** 2, axis=0, weights=WEIGHTS)
    np.testing.assert_allclose(model.y_scale_, np.sqrt(variance), rtol=1e-12)


def test_mean_and_scale_far_from_zero_are_exact():
    target = 1e12 + y
    model = regressor(max_iter=1).fit(X, target)
    assert model.y_scale_[0] == pytest.approx(y.std(), rel=1e-6)


def test_held_out_rows_have_no_part_in_mean_and_scale():
    rows, target = X[:60], y[:60].copy()
    model = regressor("adam", early_stopping=True, max_iter=1).fit(rows, target)
    held_out = np.setdiff1d(np.arange(60), _training_rows(model, rows, target))
    assert len(held_out) == 6
    target[held_out] += 1000.0
    again = regressor("adam", early_stopping=True, max_iter=1).fit(rows, target)
    assert again.y_mean_ == pytest.approx(model.y_mean_, rel=1e-12)
    assert again.y_scale_ == pytest.approx(model.y_scale_, rel=1e-12)


def _training_rows(model, X, y):
    """The rows whose numbers change the mean of y."""
    rows = []
    for row in range(len(y)):
        target = y.copy()
        target[row] += 1e6
        if clone(model).fit(X, target).y_mean_ != model.y_mean_:
            rows.append(row)
    return rows


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_a_log_link_has_the_units_of_y(loss):
    model = regressor(loss=loss, max_iter=1).fit(X, y)
    assert (model.y_mean_, model.y_scale_) == (0.0, 1.0)
    assert model.out_activation_ == "exp"
    np.testing.assert_allclose(model.activations(X)[-1][:, 0], model.predict(X), rtol=1e-15)


@pytest.mark.parametrize("loss", LOSSES)
def test_training_begins_at_the_mean_of_y(loss):
    start = regressor("sgd", loss=loss, initializer=no_weights, learning_rate_init=1e-15)
    np.testing.assert_allclose(start.fit(X, y).predict(X), y.mean(), rtol=1e-9)


def no_weights(rng, n_in, n_out):
    return np.zeros((n_in, n_out))


@pytest.mark.parametrize("value", [0.0, 0.1, -3e5])
def test_a_constant_is_predicted(value):
    model = regressor(max_iter=500, tol=1e-13).fit(X, np.full(len(y), value))
    np.testing.assert_allclose(model.predict(X), value, atol=1e-6)
    assert model.y_scale_ == 1.0


def test_alpha_means_the_same_in_any_units():
    there, moved = regressor(alpha=50.0).fit(X, y), regressor(alpha=50.0).fit(X, 1e-5 * y)
    assert there.loss_ == pytest.approx(moved.loss_, rel=1e-9)


# What a fit keeps


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("solver", ["cg", "adam"])
def test_the_cost_on_the_training_rows_is_the_loss(solver, loss):
    model = regressor(solver, loss=loss).fit(X, y, WEIGHTS)
    if solver == "cg":
        assert model.cost(X, y, WEIGHTS) == pytest.approx(model.loss_, rel=1e-12)
    again = pickle.loads(pickle.dumps(model))
    assert again.cost(X, y) == model.cost(X, y)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


@pytest.mark.parametrize("target", [y, Y], ids=["one output", "two outputs"])
@pytest.mark.parametrize("solver", MINI_BATCH)
def test_n_fits_of_one_epoch_are_one_fit_of_n(solver, target):
    whole = regressor(solver, max_iter=4).fit(X, target)
    parts = regressor(solver, max_iter=1, warm_start=True)
    for _ in range(4):
        parts = pickle.loads(pickle.dumps(parts.fit(X, target)))
    for a, b in zip(whole.thetas_, parts.thetas_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert parts.loss_curve_ == whole.loss_curve_


def test_a_warm_start_of_a_full_batch_solver_goes_on_downwards():
    model = regressor(warm_start=True).fit(X, y)
    before = model.loss_
    assert model.fit(X, y).loss_ < before
    assert model.loss_curve_[5] <= before


def test_assigned_weights_are_what_training_goes_on_from():
    model = regressor(warm_start=True, max_iter=1).fit(X, y)
    model.coefs_[-1][:] = 0.0
    model.intercepts_[-1][:] = y.mean()
    constant = model.cost(X, y) - model.alpha / len(y) / 2 * np.square(model.coefs_[0]).sum()
    assert constant == pytest.approx(0.5, rel=1e-6)
    assert model.fit(X, y).loss_curve_[-1] < 0.51


def test_calls_that_go_on_keep_mean_and_scale():
    model = regressor("adam", warm_start=True).fit(X, y)
    mean, scale_ = model.y_mean_, model.y_scale_
    model.fit(X, 10.0 * y + 7.0).partial_fit(X, -y)
    assert (model.y_mean_, model.y_scale_) == (mean, scale_)


def test_partial_fit_has_mean_and_scale_of_the_first_rows():
    model = regressor("adam").partial_fit(X[:50], y[:50]).partial_fit(X[50:], y[50:])
    assert model.y_mean_ == pytest.approx(y[:50].mean(), rel=1e-12)
    assert model.y_scale_ == pytest.approx(y[:50].std(), rel=1e-12)
    assert model.n_iter_ == 1
    assert model.t_ == len(y)


@pytest.mark.filterwarnings("ignore:y does not vary")
def test_a_chunk_may_be_a_single_row():
    model = regressor("sgd")
    for row in range(5):
        model.partial_fit(X[[row]], y[[row]])
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_thetas_make_the_same_regressor(loss):
    model = regressor(loss=loss).fit(X, np.abs(Y) + 0.5)
    again = BackpropMLPRegressor.from_thetas(model.thetas_, activation="tanh", loss=loss)
    np.testing.assert_allclose(again.predict(X), model.predict(X), rtol=1e-12)
    assert again.hidden_layer_sizes == [7]


def test_a_keyword_set_after_the_fit_changes_no_prediction():
    model = regressor().fit(X, y)
    before = model.predict(X)
    model.set_params(loss="poisson", normalize_y=False, quantile=0.9)
    np.testing.assert_array_equal(model.predict(X), before)


def test_y_may_be_one_column():
    with pytest.warns(DataConversionWarning):
        model = regressor().fit(X, y[:, np.newaxis])
    np.testing.assert_array_equal(model.predict(X), regressor().fit(X, y).predict(X))
    assert model.predict(X).shape == (len(y),)


def test_sparse_rows_are_dense_rows():
    rows = np.where(np.abs(X) > 1.0, X, 0.0)
    dense = regressor(max_iter=3).fit(rows, Y)
    sparse = regressor(max_iter=3).fit(sp.csr_matrix(rows), Y)
    close(sparse.predict(sp.csr_matrix(rows)), dense.predict(rows), 1e-7)


def test_float32_stays_float32_up_to_the_outputs():
    model = regressor().fit(X.astype(np.float32), y)
    for hidden, outputs in (model.coefs_, model.intercepts_):
        assert (hidden.dtype, outputs.dtype) == (np.float32, np.float64)
    *_, hidden, outputs = model.activations(X.astype(np.float32))
    assert (hidden.dtype, outputs.dtype) == (np.float32, np.float64)
    assert model.predict(X.astype(np.float32)).dtype == np.float64
    close(model.predict(X), regressor().fit(X, y).predict(X), 0.02)


# Validation


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_the_validation_score_is_r2(solver, loss):
    target = np.abs(Y) + 0.5
    val = X[150:], target[150:], WEIGHTS[150:]
    model = regressor(solver, loss=loss, early_stopping=True).fit(
        X[:150], target[:150], X_val=val[0], y_val=val[1], sample_weight_val=val[2]
    )
    expected = r2_score(val[1], model.predict(val[0]), sample_weight=val[2])
    assert model.best_validation_score_ == pytest.approx(expected, rel=1e-9)


def test_any_scorer_decides():
    scoring = "neg_mean_absolute_error"
    model = regressor(scoring=scoring, early_stopping=True, max_iter=30).fit(
        X[:150], y[:150], X_val=X[150:], y_val=y[150:]
    )
    best = -np.abs(model.predict(X[150:]) - y[150:]).mean()
    assert model.best_validation_score_ == pytest.approx(best, rel=1e-12)
    assert max(model.validation_scores_) == pytest.approx(best, rel=1e-12)


# What is refused


@pytest.mark.parametrize(
    ("loss", "bad", "said"),
    [
        ("poisson", -1.0, "y must be >= 0 with loss='poisson'; got .*-1"),
        ("gamma", 0.0, "y must be > 0 with loss='gamma'; got .*0"),
    ],
)
def test_numbers_outside_of_a_loss_are_refused(loss, bad, said):
    model = regressor(loss=loss).fit(X, y)
    before = model.coefs_
    target = y.copy()
    target[3] = bad
    with pytest.raises(ValueError, match=said):
        model.fit(X, target)
    assert model.coefs_ is before
    with pytest.raises(ValueError, match=said):
        model.cost(X, target)
    with pytest.raises(ValueError, match=said.replace("y", "y_val", 1)):
        model.fit(X, y, X_val=X, y_val=target)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (np.array(["a"] * len(y)), "y must hold numbers"),
        (sp.csr_matrix(Y), "y must be a dense array of numbers; got a sparse matrix"),
        (np.where(np.arange(len(y)) == 3, np.nan, y), "contains NaN"),
        (np.where(np.arange(len(y)) == 3, np.inf, y), "infinity"),
        (
            np.array([-1.7e308, 1.7e308] + [0.0] * (len(y) - 2)),
            "y must span less than",
        ),
    ],
)
def test_a_y_that_can_not_be_predicted_is_refused(target, said):
    with pytest.raises(ValueError, match=said):
        regressor().fit(X, target)


def test_going_on_needs_the_outputs_and_the_link_of_before():
    model = regressor("adam", warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="as many outputs in y as the previous fit: 1; got 2"):
        model.fit(X, Y)
    with pytest.raises(ValueError, match="y must be of shape"):
        model.cost(X, Y)
    with pytest.raises(ValueError, match="the link of the previous fit's, 'squared_error'"):
        model.set_params(loss="poisson").fit(X, y)
    model.set_params(loss="huber").fit(X, y)
    model = regressor("adam", warm_start=True).fit(X, Y)
    for target, n_outputs in ((y, 1), (np.column_stack([Y, y]), 3)):
        with pytest.raises(ValueError, match=f"the previous fit: 2; got {n_outputs}"):
            model.fit(X, target)


@pytest.mark.parametrize(
    "params",
    [
        {"loss": "absolute_error"},
        {"huber_threshold": 0.0},
        {"quantile": 1.0},
        {"normalize_y": "yes"},
        {"scoring": "no such scorer"},
    ],
)
def test_a_keyword_that_is_not_allowed_is_named(params):
    (name,) = params
    with pytest.raises(ValueError, match=f"'{name}' parameter"):
        regressor(**params).fit(X, y)


# Next to MLPRegressor


def test_every_keyword_of_the_peer_is_ours():
    ours = signature(BackpropMLPRegressor).parameters
    theirs = set(signature(MLPRegressor).parameters)
    assert theirs <= set(ours)
    assert is_regressor(BackpropMLPRegressor())


def test_convergence_is_reported():
    with pytest.warns(ConvergenceWarning):
        regressor(max_iter=1).fit(X, y)
