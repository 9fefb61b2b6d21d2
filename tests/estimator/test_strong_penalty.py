"""Penalties too strong for the rows, and fits that come to a constant, are warned of once."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from keywords import FULL_BATCH, MINI_BATCH, SOLVERS
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.ensemble import AdaBoostClassifier
from sklearn.exceptions import ConvergenceWarning
from warned import LABELS, RAW, X, classifier, convergence, messages, parameters, warned, y

from backprop_mlp import (
    BackpropMLPClassifier,
    BackpropMLPClassifierCV,
    BackpropMLPRegressor,
    BackpropMLPRegressorCV,
    StrongPenaltyWarning,
)

# Small total weights

LIGHT = np.full(len(y), 1 / len(y))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", SOLVERS)
def test_weights_that_sum_to_one_are_warned_of_with_the_alpha_to_take(solver, dtype):
    network = classifier(solver, n_init=2, max_iter=60)
    said = messages(StrongPenaltyWarning, network.fit, X.astype(dtype), y, LIGHT)
    assert len(said) == 1
    assert "alpha" in said[0]
    assert f"alpha={1 / len(y):.3g}" in said[0]


@pytest.mark.parametrize("n_light", [14, 16])
def test_the_total_is_compared_with_a_tenth_of_the_rows_that_have_weight(n_light):
    """Rows with zero weight are ignored."""
    weights = np.r_[np.full(140, 0.1), np.zeros(10)] * (n_light / 15)
    said = messages(StrongPenaltyWarning, classifier(alpha=0.5).fit, X, y, weights)
    assert len(said) == (n_light < 15)


def test_the_suggested_alpha_gives_the_fit_without_weights():
    """J is the same function; without hidden units it has one minimum."""
    here = BackpropMLPClassifier((), solver="newton-cg", tol=1e-9, n_iter_no_change=1000).fit(X, y)
    there = clone(here)
    (message,) = messages(StrongPenaltyWarning, there.fit, X, y, LIGHT)
    assert f"(alpha={1 / len(y):.3g})" in message
    assert messages(StrongPenaltyWarning, there.set_params(alpha=1 / len(y)).fit, X, y, LIGHT) == []
    np.testing.assert_allclose(parameters(there), parameters(here), rtol=1e-5)


@pytest.mark.parametrize("alpha", [0.0, 1e-3, 1 / 150, 1 / 140])
def test_light_rows_under_an_alpha_that_makes_up_for_it_are_fine(alpha):
    """Whoever follows the advice is not given it again."""
    said = messages(StrongPenaltyWarning, classifier("lbfgs", alpha=alpha).fit, X, y, LIGHT)
    assert len(said) == (alpha > 1 / 150)


@pytest.mark.parametrize("refit", [True, False])
def test_a_search_of_ours_warns_of_light_rows_once(refit):
    search = BackpropMLPClassifierCV(classifier(max_iter=20), alphas=[0.1, 1], cv=3, refit=refit)
    assert len(messages(StrongPenaltyWarning, search.fit, X, y, LIGHT)) == 1


def test_a_stream_of_light_rows_warns_once():
    network = classifier("adam")
    given = {"sample_weight": [0.01], "classes": [0, 1, 2]}
    assert len(messages(StrongPenaltyWarning, network.partial_fit, X[:1], y[:1], **given)) == 1
    assert warned(network.partial_fit, X[1:2], y[1:2], [0.01]) == []


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_adaboost_works_with_the_documented_alpha():
    booster = AdaBoostClassifier(classifier(alpha=1 / len(y)), n_estimators=3, random_state=0)
    assert messages(StrongPenaltyWarning, booster.fit, X, y) == []
    assert booster.score(X, y) > 0.95


# Fits that come to a constant

TABLE = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]])


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("target", [[0, 0, 0, 1], [0, 1, 1, 1], [0, 1, 1, 0]])
def test_truth_tables_by_default_are_warned_of(target, solver):
    said = warned(BackpropMLPClassifier(solver=solver, random_state=0).fit, TABLE, target)
    assert len(said) == 1
    assert "alpha" in str(said[0].message)
    if solver in FULL_BATCH:
        assert said[0].category is StrongPenaltyWarning


def reference_constant_cost(Y, weights=None, label_weights=1.0):
    """The best cost of constant logits, by the definition of the cross-entropies."""
    weights = np.ones(len(Y)) if weights is None else weights
    w = weights[:, np.newaxis] * label_weights * np.ones(Y.shape)
    p = (w * Y).sum(axis=0) / w.sum(axis=0)
    return -(w * (Y * np.log(p) + (1 - Y) * np.log(1 - p))).sum() / weights.sum()


@pytest.mark.parametrize("kind", ["binary", "logistic", "softmax", "labels", "weights", "classes"])
def test_the_constant_model_is_where_a_huge_alpha_leads(kind):
    params, given, target = {}, {}, y
    one_hot = np.eye(3)[y]
    expected = reference_constant_cost(one_hot)
    if kind == "binary":
        target = (y == 2).astype(int)
        expected = reference_constant_cost(target[:, np.newaxis])
    elif kind == "softmax":
        params, expected = {"output_activation": "softmax"}, np.log(3)
    elif kind == "labels":
        target, factors = LABELS, np.where(LABELS == 1, [3.0, 1.0], [1.0, 0.5])
        params = {"class_weight": [{0: 1, 1: 3}, {0: 0.5, 1: 1}]}
        expected = reference_constant_cost(LABELS, label_weights=factors)
    elif kind == "weights":
        given = {"sample_weight": 1.0 + y}
        expected = reference_constant_cost(one_hot, 1.0 + y)
    elif kind == "classes":
        params = {"class_weight": {0: 5.0, 2: 0.5}}
        expected = reference_constant_cost(one_hot, np.array([5.0, 1.0, 0.5])[y])
    network = classifier("lbfgs", alpha=1e5, tol=1e-6, max_iter=1000, **params)
    said = messages(StrongPenaltyWarning, network.fit, X, target, **given)
    assert len(said) == 1
    assert f"{expected:.6g}, that of a constant prediction" in said[0]
    assert network.converged_


NUMBER_LOSSES = {
    "squared_error": {},
    "huber": {"loss": "huber", "huber_threshold": 0.3},
    "poisson": {"loss": "poisson"},
    "gamma": {"loss": "gamma"},
    "median": {"loss": "quantile"},
    "quantile": {"loss": "quantile", "quantile": 0.9},
}
SKEWED = np.exp(X[:, 0])


@pytest.mark.parametrize("params", NUMBER_LOSSES.values(), ids=list(NUMBER_LOSSES))
@pytest.mark.parametrize("search", [False, True])
def test_a_constant_model_of_numbers_is_warned_of_with_every_loss(search, params):
    model: Any = BackpropMLPRegressor((4,), alpha=1e5, random_state=0, **params)
    if search:
        model = BackpropMLPRegressorCV(model, alphas=[1e5], cv=3)
    (said,) = messages(StrongPenaltyWarning, model.fit, X, SKEWED)
    assert "predicts next to the same for every row" in said
    assert "Lower alpha" in said


@pytest.mark.parametrize("params", [{"loss": "huber"}, {"loss": "quantile"}], ids=str)
def test_a_cost_that_outlying_rows_make_up_is_not_said_to_be_a_constant_prediction(params):
    with_outliers = np.where(np.arange(len(X)) < 3, 1e6, X[:, 0])
    model = BackpropMLPRegressor((), alpha=5, normalize_y=False, random_state=0, **params)
    (said,) = messages(StrongPenaltyWarning, model.fit, X, with_outliers)
    assert np.corrcoef(model.predict(X)[3:], X[3:, 0])[0, 1] > 0.9
    assert ", or a few rows whose y is far away make up the cost: its cost" in said


@pytest.mark.parametrize("rows", ["equal", "one class", "a feature of no weight"])
def test_a_constant_is_right_where_rows_do_not_differ(rows):
    """Nothing more can be learnt from them."""
    data, target, weights = np.full_like(X, 1 / 3), y, None
    if rows == "one class":
        data, target = X, np.zeros(len(y))
    elif rows == "a feature of no weight":
        data[0], weights = 5.0, np.r_[0.0, np.ones(len(y) - 1)]
    for rows_of in (np.asarray, csr_matrix, np.float32):
        network = classifier("lbfgs", max_iter=1000)
        assert messages(StrongPenaltyWarning, network.fit, rows_of(data), target, weights) == []


# A quantile's cost is next to a thousandth soon: then ten iterations may gain less than 1e-4, above
# what a constant costs, and to lower tol is the right advice.
@pytest.mark.parametrize(
    ("loss", "tol"),
    [*product(["squared_error", "huber", "poisson", "gamma"], [1e-4, 1e-8]), ("quantile", 1e-8)],
)
@pytest.mark.parametrize("solver", FULL_BATCH)
def test_there_is_nothing_to_advise_where_y_does_not_differ(loss, tol, solver):
    network = BackpropMLPRegressor((4,), solver=solver, loss=loss, tol=tol, max_iter=500)
    network.set_params(random_state=0)
    assert warned(network.fit, X, np.full(len(y), 0.1)) == []
    assert network.converged_
    np.testing.assert_allclose(network.predict(X), 0.1, atol=0.05)


def test_without_a_penalty_it_is_not_said_to_be_the_reason():
    network = BackpropMLPClassifier(
        3, alpha=0.0, initializer=lambda rng, n_in, n_out: np.zeros((n_in, n_out))
    )
    said = messages(StrongPenaltyWarning, network.fit, TABLE, [0, 1, 1, 0])
    assert len(said) == 1
    assert "With alpha=0" in said[0]
    assert "initializer" in said[0]


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_usual_fit_is_not_warned_of(solver):
    settings = {"learning_rate_init": 0.02} if solver in MINI_BATCH else {}
    assert warned(classifier(solver, max_iter=2000, **settings).fit, X, y) == []


@pytest.mark.parametrize(
    ("weights", "what"),
    [
        (None, "150 rows"),
        (np.r_[np.zeros(10), np.ones(140)], "140 rows"),
        (np.full(len(y), 0.5), "a total weight of 75"),
    ],
    ids=["no weights", "some rows ignored", "half weights"],
)
@pytest.mark.parametrize("search", [False, True])
def test_a_total_weight_is_named_only_where_rows_have_weights(search, weights, what):
    model: Any = classifier(alpha=1e4)
    if search:
        model = BackpropMLPClassifierCV(model, alphas=[1e4], cv=3, refit="folds")
    (said,) = messages(StrongPenaltyWarning, model.fit, X, y, weights)
    assert f"may be too strong for {what}" in said


# Costs above that of a constant


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("rate", [100.0, 1e4, 1e6])
def test_a_fit_that_diverged_is_never_a_success(rate, early_stopping):
    network = BackpropMLPClassifier(
        5, solver="sgd", learning_rate_init=rate, early_stopping=early_stopping, random_state=0
    )
    try:
        said = messages(ConvergenceWarning, network.fit, RAW, y)
    except FloatingPointError:
        return
    constant = reference_constant_cost(np.eye(3)[y])
    assert network.loss_ > 2 * constant
    assert not network.converged_
    assert len(said) == 1
    assert said[0].endswith("First, lower the learning rate (learning_rate_init).")


@pytest.mark.parametrize("rate", [1e-4, 1e-3])
def test_where_only_the_penalty_is_large_no_lower_rate_is_advised(rate):
    """The cost falls, but early stopping does not see it."""
    network = classifier(
        "adam", alpha=100.0, learning_rate_init=rate, early_stopping=True, max_iter=500
    )
    message = convergence(network, X)
    assert "above" in message
    assert "because of the penalty alone" in message
    assert "learning rate" not in message
    assert "lower alpha" in message


def test_what_is_above_the_best_constant_has_not_converged():
    """The mean, where training begins, is far above it; so no lower rate is advised."""
    model = BackpropMLPRegressor((4,), solver="sgd", loss="quantile", quantile=0.01, alpha=0)
    model.set_params(tol=1e-2, random_state=0)
    (said,) = messages(ConvergenceWarning, model.fit, X, SKEWED)
    assert not model.converged_
    assert "that of a constant prediction" in said
    assert "learning rate" not in said
    assert said.endswith("First, lower tol.")
    assert "alpha" not in said


@pytest.mark.parametrize("solver", FULL_BATCH)
@pytest.mark.parametrize("alpha", [1.0, 1e3, 1e5])
def test_a_full_batch_fit_that_converged_does_not_cost_more_than_a_constant(solver, alpha):
    network = classifier(solver, alpha=alpha, max_iter=1000)
    assert messages(ConvergenceWarning, network.fit, X, y) == []
    assert network.converged_


def test_a_start_that_is_flat_enough_for_the_user_has_converged():
    """tol says what is little."""
    network = classifier(tol=1e3)
    assert messages(ConvergenceWarning, network.fit, X, y) == []
    assert network.converged_


def constant_model(estimator, target=y):
    """What a fit says of a constant model; empty if nothing."""
    return "".join(messages(StrongPenaltyWarning, estimator.fit, X, target))


@pytest.mark.parametrize("alpha", [0.0, 0.01])
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg"])
@pytest.mark.parametrize("network", [BackpropMLPClassifier, BackpropMLPRegressor])
def test_where_a_strong_penalty_has_taken_units_out_new_weights_are_advised(network, solver, alpha):
    model = network((4,), solver=solver, alpha=1e4, warm_start=True, random_state=0)
    first = constant_model(model)
    assert "Lower alpha" in first
    # Whoever does that alone stays there.
    assert "warm_start=False" in first
    again = constant_model(model.set_params(alpha=alpha))
    assert "Train from new weights (warm_start=False)" in again
    assert "Lower alpha" not in again
    assert "random_state" not in again
    assert constant_model(model.set_params(warm_start=False)) == ""


def test_a_penalty_that_takes_a_trained_network_to_a_constant_is_too_strong():
    model = classifier("lbfgs", warm_start=True, max_iter=300).fit(X, y)
    assert "Lower alpha" in constant_model(model.set_params(alpha=1e4))


def test_only_weights_that_the_user_draws_may_be_too_small():
    assert "initializer" not in constant_model(classifier(alpha=1e4))
    zeros = classifier(initializer=lambda rng, n_in, n_out: np.zeros((n_in, n_out)))
    assert "let the initializer give larger weights" in constant_model(zeros)


@pytest.mark.parametrize("refit", [True, False, "folds"])
@pytest.mark.parametrize(
    ("search", "network"),
    [
        (BackpropMLPClassifierCV, BackpropMLPClassifier),
        (BackpropMLPRegressorCV, BackpropMLPRegressor),
    ],
)
def test_a_search_does_not_advise_alphas_that_it_has_tried(search, network, refit):
    noise = np.random.default_rng(0).integers(2, size=len(y))
    estimator = network((4,), max_iter=50, random_state=0)
    said = constant_model(search(estimator, alphas=[1.0, 1e4], cv=3, refit=refit), noise)
    assert "smaller alphas than 10000" in said
    assert "Lower alpha" not in said
    assert "Lower alpha: 10000" in constant_model(
        search(estimator, alphas=[1e4], cv=3, refit=refit)
    )


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic"])
def test_features_that_are_small_numbers_are_to_be_scaled(activation):
    network = BackpropMLPClassifier(25, activation, alpha=0.1, random_state=0)
    (message,) = messages(StrongPenaltyWarning, network.fit, 1e-5 * X, y)
    assert "Scale the features (StandardScaler)" in message
    assert messages(StrongPenaltyWarning, network.fit, X, y) == []
    assert network.score(X, y) > 0.9


@pytest.mark.parametrize("kind", [np.asarray, csr_matrix])
@pytest.mark.parametrize("refit", [True, False, "folds"])
def test_a_search_says_so_of_small_features_too(refit, kind):
    network = BackpropMLPClassifier(25, random_state=0)
    search = BackpropMLPClassifierCV(network, alphas=[0.1], cv=3, refit=refit)
    (message,) = messages(StrongPenaltyWarning, search.fit, kind(1e-5 * X), y)
    assert "Scale the features (StandardScaler)" in message
    assert messages(StrongPenaltyWarning, search.fit, kind(X), y) == []


@pytest.mark.parametrize("refit", [True, False, "folds"])
def test_small_features_are_to_be_scaled_before_they_are_said_to_tell_little(refit):
    noise = np.random.default_rng(1).integers(2, size=len(y))
    network = BackpropMLPClassifier(4, max_iter=50, random_state=0)
    search = BackpropMLPClassifierCV(network, alphas=[1.0, 1e4], cv=3, refit=refit)
    (message,) = messages(StrongPenaltyWarning, search.fit, 1e-4 * X, noise)
    assert "smaller alphas than 10000" in message
    assert "scale the features (StandardScaler)" in message
    assert "tell little" not in message


LARGE_OR_CONSTANT = {"large": (1e2 * X, 1e7), "constant": (np.c_[X, np.full(len(X), 1e2)], 1e4)}


@pytest.mark.parametrize("solver", FULL_BATCH)
@pytest.mark.parametrize("columns", LARGE_OR_CONSTANT)
def test_full_batch_solvers_need_no_scaler_for_features_that_are_large(columns, solver):
    """They scale these themselves, and with a scaler the penalty would be no weaker."""
    features, alpha = LARGE_OR_CONSTANT[columns]
    network = BackpropMLPClassifier(5, solver=solver, alpha=alpha, random_state=0)
    (message,) = messages(StrongPenaltyWarning, network.fit, features, y)
    assert "Lower alpha" in message
    assert "cale the features" not in message
