"""What a fit warns of: each kind once per outer fit, and never where nothing is wrong."""

import warnings
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pytest
from keywords import FULL_BATCH, MINI_BATCH, SOLVERS
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.ensemble import AdaBoostClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
    scale,
)

import backprop_mlp
from backprop_mlp import (
    BackpropMLPClassifier,
    BackpropMLPClassifierCV,
    BackpropMLPRegressor,
    BackpropMLPRegressorCV,
    IgnoredKeywordWarning,
    StrongPenaltyWarning,
)
from backprop_mlp._estimator.advice import READERS, ignored_keywords
from backprop_mlp._network.losses import loss_for
from backprop_mlp._network.network import plain_network
from backprop_mlp._training.advice import _overfits, advise
from backprop_mlp._training.history import History, Record
from backprop_mlp._training.interruption import SearchFit
from backprop_mlp._training.stopping import RAISE_TOL, Stopping

RAW, y = load_iris(return_X_y=True)
X = scale(RAW)
LABELS = np.column_stack([y > 0, y > 1]).astype(int)


def classifier(solver="cg", **params):
    return BackpropMLPClassifier((5,), "tanh", solver=solver, **{"random_state": 0} | params)


def warned(call, *data, **given):
    """The warnings of our categories that a call makes."""
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        call(*data, **given)
    ours = (IgnoredKeywordWarning, StrongPenaltyWarning, ConvergenceWarning)
    return [warning for warning in record if issubclass(warning.category, ours)]


def messages(category, call, *data, **given):
    return [str(w.message) for w in warned(call, *data, **given) if w.category is category]


# Keywords that nothing reads

CHANGES = {
    "max_fun": 3,
    "batch_size": 20,
    "learning_rate": "step",
    "learning_rate_init": 0.05,
    "power_t": 0.1,
    "shuffle": False,
    "momentum": 0.2,
    "nesterovs_momentum": False,
    "beta_1": 0.2,
    "beta_2": 0.4,
    "epsilon": 0.1,
    "max_grad_norm": 1e-3,
}
"""A value of each keyword that changes what a solver does that reads it."""


def parameters(estimator):
    return np.concatenate([coef.ravel() for coef in estimator.coefs_])


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("keyword", READERS)
@pytest.mark.parametrize("schedule", ["constant", "invscaling", lambda step: 0.01])
def test_a_keyword_is_said_to_be_ignored_if_it_changes_nothing(keyword, solver, schedule):
    """The table against what the solvers do."""
    base = classifier(solver, max_iter=12)
    if solver in MINI_BATCH:
        base.set_params(learning_rate=schedule, batch_size=40)
    changed = clone(base).set_params(**{keyword: CHANGES[keyword]})
    said = keyword in ignored_keywords(changed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one, other = parameters(base.fit(X, y)), parameters(changed.fit(X, y))
    assert np.array_equal(one, other) == said


def test_the_table_names_every_keyword_that_some_solver_ignores():
    """All others change the fit, or the work, of every solver, or are errors."""
    keywords = set(BackpropMLPClassifier().get_params())
    shared = {
        "hidden_layer_sizes", "activation", "output_activation", "solver", "alpha", "initializer",
        "class_weight", "max_iter", "tol", "early_stopping", "validation_fraction",
        "n_iter_no_change", "scoring", "n_init", "n_jobs", "warm_start", "random_state", "verbose",
    }  # fmt: skip
    assert keywords - shared - {"dropout", "batch_norm"} == set(READERS)


@pytest.mark.parametrize(
    ("solver", "params", "words"),
    [
        ("cg", {"learning_rate_init": 0.01}, ["learning_rate_init", "adam, rmsprop and sgd"]),
        ("lbfgs", {"momentum": 0.5, "beta_2": 0.9}, ["momentum is read by sgd", "beta_2", "adam"]),
        ("newton-cg", {"batch_size": 10, "shuffle": False}, ["batch_size", "shuffle"]),
        ("adam", {"max_fun": 10}, ["max_fun is read by cg, lbfgs and newton-cg"]),
        ("sgd", {"power_t": 0.1}, ["power_t", "learning_rate='invscaling'"]),
        ("rmsprop", {"beta_1": 0.1, "momentum": 0.1}, ["beta_1 is read by adam", "momentum"]),
    ],
)
def test_an_ignored_keyword_is_named_once_with_its_readers(solver, params, words):
    said = messages(
        IgnoredKeywordWarning, classifier(solver, n_init=3, max_iter=5, **params).fit, X, y
    )
    assert len(said) == 1
    assert all(word in said[0] for word in [repr(solver), *words])


def schedule(step):
    return 0.01


@pytest.mark.parametrize(
    ("params", "begins", "choice"),
    [
        (
            {"solver": "adam", "learning_rate": schedule, "learning_rate_init": 0.1},
            "With solver='adam' and a callable learning_rate, learning_rate_init does nothing: ",
            "schedule (learning_rate)",
        ),
        (
            {"solver": "sgd", "power_t": 0.1},
            "With solver='sgd' and learning_rate='constant', power_t does nothing: ",
            "schedule (learning_rate)",
        ),
        (
            {"solver": "adam", "momentum": 0.1},
            "With solver='adam', momentum does nothing: ",
            "solver",
        ),
        ({"quantile": 0.9}, "With loss='squared_error', quantile does nothing: ", "loss"),
        (
            {"solver": "cg", "power_t": 0.1, "huber_threshold": 0.1},
            "With solver='cg', learning_rate='constant' and loss='squared_error', power_t and "
            "huber_threshold do nothing: ",
            "solver, schedule (learning_rate) or loss",
        ),
    ],
)
def test_what_is_to_be_chosen_is_what_keeps_the_keyword_from_being_read(params, begins, choice):
    model = BackpropMLPRegressor(3, max_iter=2, **params)
    (said,) = messages(IgnoredKeywordWarning, model.fit, X, y)
    assert said.startswith(begins)
    assert said.endswith(f"Leave out what does nothing, or choose a {choice} that reads it.")


@pytest.mark.parametrize("loss", ["squared_error", "huber", "poisson", "gamma", "quantile"])
@pytest.mark.parametrize(("keyword", "value"), [("quantile", 0.9), ("huber_threshold", 0.1)])
def test_a_keyword_of_another_loss_is_said_to_be_ignored_if_it_changes_nothing(
    keyword, value, loss
):
    base = BackpropMLPRegressor(3, solver="lbfgs", loss=loss, max_iter=5, random_state=0)
    changed = clone(base).set_params(**{keyword: value})
    said = keyword in ignored_keywords(changed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one, other = parameters(base.fit(X, y + 1.0)), parameters(changed.fit(X, y + 1.0))
    assert np.array_equal(one, other) == said


@pytest.mark.parametrize("search", [False, True])
def test_a_keyword_of_another_loss_is_named_with_those_of_another_solver(search):
    model: Any = BackpropMLPRegressor(3, quantile=0.9, momentum=0.5, max_iter=2)
    if search:
        model = BackpropMLPRegressorCV(model, alphas=2, cv=2)
    said = messages(IgnoredKeywordWarning, model.fit, X, y)
    assert said == [
        "With solver='cg' and loss='squared_error', momentum and quantile do nothing: momentum "
        "is read by sgd; quantile is read by loss='quantile'. Leave out what does nothing, or "
        "choose a solver or loss that reads it."
    ]


@pytest.mark.parametrize("solver", SOLVERS)
def test_defaults_and_keywords_that_are_read_are_not_warned_of(solver):
    defaults = {name: BackpropMLPClassifier().get_params()[name] for name in READERS}
    assert ignored_keywords(classifier(solver, **defaults)) == []
    read = {name: CHANGES[name] for name, readers in READERS.items() if solver in readers.solvers}
    assert ignored_keywords(classifier(solver, **read | {"learning_rate": "invscaling"})) in (
        [],
        ["learning_rate"],
    )


@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("cv", [2, 4])
def test_a_search_of_ours_warns_once(refit, n_jobs, cv):
    network = classifier(momentum=0.1, max_iter=5)
    search = BackpropMLPClassifierCV(network, alphas=[1, 2], cv=cv, n_jobs=n_jobs, refit=refit)
    assert len(messages(IgnoredKeywordWarning, search.fit, X, y)) == 1


def test_each_fit_of_a_search_of_others_is_an_outer_fit_and_may_be_silenced():
    grid = {"solver": ["cg", "sgd"], "momentum": [0.1]}
    search = GridSearchCV(classifier(max_iter=5), grid, cv=2, refit=False)
    assert len(messages(IgnoredKeywordWarning, search.fit, X, y)) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", backprop_mlp.IgnoredKeywordWarning)
        search.fit(X, y)


def test_a_stream_warns_in_its_first_call():
    network = classifier("adam", momentum=0.1)
    assert len(messages(IgnoredKeywordWarning, network.partial_fit, X, y, classes=[0, 1, 2])) == 1
    assert warned(network.partial_fit, X, y) == []


def test_a_subclass_warns_of_its_own_keywords_and_defaults():
    class Fixed(BackpropMLPClassifier):
        def __init__(self, solver="cg", momentum=0.5):
            super().__init__(solver=solver, momentum=momentum, learning_rate_init=0.1)

    assert ignored_keywords(Fixed()) == []
    assert ignored_keywords(Fixed(momentum=0.9)) == ["momentum"]


def test_a_warning_that_is_an_error_comes_before_any_work():
    network = classifier(momentum=0.1)
    before = dict(vars(network))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(IgnoredKeywordWarning):
            network.fit(X, y)
    assert vars(network) == before


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


# Training that ends early


def convergence(network, data, target=y, **given):
    (message,) = messages(ConvergenceWarning, network.fit, data, target, **given)
    return message


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


@pytest.mark.parametrize(("n_rows", "solver"), [(20_000, "cg"), (20_000, "lbfgs"), (150, "cg")])
def test_with_many_rows_a_full_batch_solver_is_pointed_to_adam(n_rows, solver):
    rows = np.arange(n_rows) % len(y)
    message = convergence(classifier(solver, max_iter=1), X[rows], y[rows])
    assert ("First, try solver='adam'" in message) == (n_rows > 150)


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
    stopping.start(1.0, gradient)
    stopping.stop(STUCK, remedy=RAISE_TOL)
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
