"""Faults that classifiers once had, each as a truth about regressors."""

import tracemalloc
import warnings

import numpy as np
import pytest
import sklearn
from keywords import SOLVERS
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from backprop_mlp import BackpropMLPRegressor, IgnoredKeywordWarning, StrongPenaltyWarning

X, y = load_diabetes(return_X_y=True)
X, y = scale(X)[:200], y[:200]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def regressor(solver="cg", **params):
    defaults = {"hidden_layer_sizes": 7, "activation": "tanh", "max_iter": 5, "random_state": 0}
    return BackpropMLPRegressor(**defaults | params, solver=solver)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_warm_start_must_beat_what_it_begins_with(solver):
    """Also on rows and with numbers on which everything scores worse than before."""
    model = regressor(solver, warm_start=True, early_stopping=True).fit(X, y)
    held_out = {"X_val": X[:50], "y_val": y[50:100]}
    start = model.score(X[:50], y[50:100])
    model.fit(X, y, **held_out)
    assert model.best_validation_score_ >= start - 1e-12
    assert model.score(X[:50], y[50:100]) == pytest.approx(model.best_validation_score_, rel=1e-9)


def test_rows_that_were_held_out_stay_held_out():
    noise = np.random.default_rng(0).normal(size=len(y))
    model = regressor("lbfgs", hidden_layer_sizes=50, alpha=0.0, max_iter=20, random_state=None)
    model.set_params(early_stopping=True, warm_start=True)
    for _ in range(10):
        model.fit(X, noise)
    # With new rows held out by each fit, all would have been trained on.
    assert model.best_validation_score_ < 0.5


def test_chunks_of_either_precision_are_one_stream():
    model = regressor("adam").partial_fit(X[:100], y[:100])
    model.partial_fit(X[100:].astype(np.float32), y[100:].astype(np.float32))
    assert model._memory["state"]["clock"]["epochs"] == 2
    assert model.t_ == 200
    assert model.coefs_[0].dtype == np.float32
    model.partial_fit(X, y)
    assert model.coefs_[0].dtype == np.float64
    assert model.t_ == 400


@pytest.mark.parametrize("solver", SOLVERS)
def test_validation_curves_stay_aligned(solver):
    model = regressor(solver, warm_start=True).fit(X, y)
    model.fit(X, y, X_val=X[:50], y_val=y[:50])
    assert len(model.validation_scores_) == len(model.loss_curve_)
    assert np.isnan(model.validation_scores_[:5]).all()
    assert np.isfinite(model.validation_scores_[5:]).all()


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_fit_makes_no_copy_of_its_rows(early_stopping):
    rows = np.random.default_rng(0).normal(size=(20_000, 40))
    target = rows[:, 0].copy()
    model = regressor("lbfgs", max_iter=1, early_stopping=early_stopping)
    tracemalloc.start()
    try:
        model.fit(rows, target)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 0.5 * rows.nbytes


@pytest.mark.parametrize("solver", ["cg", "adam"])
def test_infinite_inputs_are_refused_by_name(solver):
    rows = X.copy()
    rows[3, 2] = np.nan
    with (
        sklearn.config_context(assume_finite=True),
        pytest.raises(ValueError, match="X holds nan or infinity"),
    ):
        regressor(solver).fit(rows, y)


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_predictions_that_overflow_are_an_error(loss):
    model = regressor(loss=loss, activation="identity").fit(X, y)
    with pytest.raises(FloatingPointError, match=r"predictions .* overflow"):
        model.predict(1e6 * np.sign(model.predict(X[:1]) - y.mean()) * X)


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_outputs_that_overflow_are_an_error_among_the_activations_too(loss):
    model = regressor(loss=loss, activation="identity").fit(X, y)
    with pytest.raises(FloatingPointError, match=r"outputs .* overflow"):
        model.activations(1e6 * np.sign(model.predict(X[:1]) - y.mean()) * X)


@pytest.mark.parametrize("magnitude", [1e-150, 1e150])
def test_y_may_be_of_any_magnitude(magnitude):
    there, moved = regressor("lbfgs").fit(X, y), regressor("lbfgs").fit(X, magnitude * y)
    np.testing.assert_allclose(moved.predict(X) / magnitude, there.predict(X), rtol=1e-6)


def test_a_failing_fit_leaves_the_regressor_as_it_was():
    model = regressor().fit(X, y)
    before = dict(vars(model))
    with pytest.raises(ValueError, match="validation_fraction"):
        model.set_params(early_stopping=True, validation_fraction=0.0).fit(X, y)
    assert all(vars(model)[name] is before[name] for name in before if name.endswith("_"))


def test_keywords_that_nothing_reads_are_named():
    with pytest.warns(IgnoredKeywordWarning, match="batch_size"):
        regressor(batch_size=20).fit(X, y)


def test_a_penalty_that_leaves_nothing_to_learn_is_reported():
    with pytest.warns(StrongPenaltyWarning, match="Lower alpha"):
        regressor(alpha=1e9, max_iter=200).fit(X, y)


def test_weights_of_light_rows_are_reported():
    with pytest.warns(StrongPenaltyWarning, match="total weight"):
        regressor().fit(X, y, np.full(len(y), 1 / len(y)))


def test_a_row_of_weight_zero_is_ignored():
    weights = np.ones(len(y))
    weights[::3] = 0.0
    target = np.where(weights > 0.0, y, 1e6)
    kept = weights > 0.0
    model = regressor(max_iter=3).fit(X, target, weights)
    np.testing.assert_allclose(
        model.predict(X), regressor(max_iter=3).fit(X[kept], y[kept]).predict(X), rtol=1e-7
    )


def test_the_best_of_several_starts_is_kept():
    best = regressor(n_init=3).fit(X, y)
    parallel = regressor(n_init=3, n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(best.predict(X), parallel.predict(X))
    assert best.loss_ <= regressor().fit(X, y).loss_


def test_a_grid_search_finds_its_way():
    model = make_pipeline(StandardScaler(), regressor())
    grid = {"backpropmlpregressor__alpha": [1.0, 1e6]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StrongPenaltyWarning)
        search = GridSearchCV(model, grid, cv=3).fit(X, y)
    assert search.best_params_ == {"backpropmlpregressor__alpha": 1.0}
