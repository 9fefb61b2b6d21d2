"""Keywords that nothing reads are named: once per outer fit, and no others."""

import warnings
from typing import Any

import numpy as np
import pytest
from keywords import MINI_BATCH, SOLVERS
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from warned import X, classifier, messages, parameters, warned, y

import backprop_mlp
from backprop_mlp import (
    BackpropMLPClassifier,
    BackpropMLPClassifierCV,
    BackpropMLPRegressor,
    BackpropMLPRegressorCV,
    IgnoredKeywordWarning,
)
from backprop_mlp._estimator.ignored_keywords import READERS, ignored_keywords

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
