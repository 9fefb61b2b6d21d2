"""A parameter grid that is written for MLPClassifier runs on BackpropMLPClassifier, too."""

import inspect

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, ParameterGrid, cross_validate
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backprop_mlp import BackpropMLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
X, y = X[::3], y[::3]

GRID = {
    "hidden_layer_sizes": [4, (4,), [4, 3], np.array([4, 3]), ()],
    "activation": ["identity", "logistic", "tanh", "relu"],
    "solver": ["lbfgs", "sgd", "adam"],
    "alpha": [0, 1e-4, 0.5, np.float32(2.0)],
    "batch_size": ["auto", 1, 10, 1000, np.int64(7)],
    "learning_rate": ["constant", "invscaling", "adaptive"],
    "learning_rate_init": [1e-3, 0.1, np.float64(0.01)],
    "power_t": [0.5, 0, 1],
    "max_iter": [1, 3, np.int32(4)],
    "shuffle": [True, False],
    "random_state": [0, None, np.random.RandomState(0)],
    "tol": [0, 1e-4, 1e3],
    "verbose": [False, True, 0, 2],
    "warm_start": [False, True],
    "momentum": [0, 0.5, 1.0],
    "nesterovs_momentum": [True, False],
    "early_stopping": [False, True],
    "validation_fraction": [0.1, 0.5],
    "beta_1": [0, 0.5, 0.9],
    "beta_2": [0, 0.5, 0.999],
    "epsilon": [1e-8, 1.0],
    "n_iter_no_change": [1, 10, np.inf],
    "max_fun": [1, 15000],
}

EVERY_KIND_OF_VALUE = [
    None, True, False, 0, 1, -1, 2, 15000, 0.0, 0.5, 1.0, 1.5, -0.5, 1e-3, np.inf, np.nan,
    np.float32(0.5), np.int64(3), np.bool_(True), "auto", "adam", "sgd", "lbfgs", "relu",
    "identity", "logistic", "tanh", "constant", "invscaling", "adaptive", "nonsense",
    (), (3,), [4, 2], np.array([5, 4]), np.random.RandomState(0), {}, len,
]  # fmt: skip


def keywords(estimator):
    return inspect.signature(estimator).parameters


def accepts(estimator, params):
    try:
        estimator(**params)._validate_params()
    except ValueError:
        return False
    return True


def test_every_keyword_of_mlp_classifier_is_here_and_in_the_grid():
    assert keywords(MLPClassifier).keys() <= keywords(BackpropMLPClassifier).keys()
    assert keywords(MLPClassifier).keys() == GRID.keys()


def test_defaults_differ_in_the_solver_and_its_penalty_alone():
    ours = {name: keywords(BackpropMLPClassifier)[name].default for name in GRID}
    theirs = {name: keywords(MLPClassifier)[name].default for name in GRID}
    assert {name for name in GRID if ours[name] != theirs[name]} == {"solver", "alpha"}


@pytest.mark.parametrize("name", GRID)
def test_what_mlp_classifier_accepts_is_accepted(name):
    for value in EVERY_KIND_OF_VALUE:
        if accepts(MLPClassifier, {name: value}):
            assert accepts(BackpropMLPClassifier, {name: value}), value


@pytest.mark.parametrize("name", sorted(GRID.keys() - {"activation"}))
def test_and_what_it_refuses_is_refused(name):
    """But for the names and sequences that are taken here alone."""
    for value in EVERY_KIND_OF_VALUE:
        if not accepts(MLPClassifier, {name: value}):
            only_here = name == "learning_rate" and callable(value)
            assert accepts(BackpropMLPClassifier, {name: value}) == only_here, value


def grids(estimator):
    """Each keyword's values alone, on a solver that heeds it."""
    for name, values in GRID.items():
        short = {"solver": ["lbfgs" if name == "max_fun" else "adam"], "max_iter": [3]}
        if name in ("momentum", "nesterovs_momentum", "learning_rate", "power_t"):
            short["solver"] = ["sgd"]
        if name == "power_t":
            short["learning_rate"] = ["invscaling"]
        yield short | {name: values}


@pytest.mark.parametrize("estimator", [MLPClassifier, BackpropMLPClassifier])
def test_every_value_of_the_grid_trains(estimator, capsys):
    for params in ParameterGrid(list(grids(estimator))):
        fitted = estimator(**params).fit(X, y)
        assert set(fitted.predict(X)) <= set(y)


@pytest.mark.filterwarnings("ignore::backprop_mlp.IgnoredKeywordWarning")  # as in any such grid
def test_a_whole_grid_search_is_the_same_but_for_the_estimator():
    grid = {
        "net__hidden_layer_sizes": [(5,), (4, 3)],
        "net__activation": ["tanh", "relu"],
        "net__solver": ["lbfgs", "adam"],
        "net__alpha": [1e-4, 1e-2],
        "net__learning_rate_init": [0.01],
        "net__max_iter": [20],
        "net__early_stopping": [False, True],
    }
    searches = []
    for network in (MLPClassifier(random_state=0), BackpropMLPClassifier(random_state=0)):
        pipeline = make_pipeline(StandardScaler(), network)
        pipeline.steps[-1] = ("net", network)
        searches.append(GridSearchCV(pipeline, grid, cv=2).fit(X, y))
    theirs, ours = searches
    assert ours.cv_results_["params"] == theirs.cv_results_["params"]
    assert np.isfinite(ours.cv_results_["mean_test_score"]).all()
    assert ours.best_score_ > 0.85


SHARED_ATTRIBUTES = {
    "lbfgs": {},
    "sgd": {"validation_scores_", "best_validation_score_"},
    "adam": {"validation_scores_", "best_validation_score_"},
}


@pytest.mark.parametrize("solver", SHARED_ATTRIBUTES)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_fitted_attributes_are_here_too(solver, early_stopping):
    params = {"solver": solver, "early_stopping": early_stopping, "max_iter": 5}
    params |= {"hidden_layer_sizes": (4,), "random_state": 0}
    theirs, ours = MLPClassifier(**params).fit(X, y), BackpropMLPClassifier(**params).fit(X, y)
    for name, value in vars(theirs).items():
        if not name.endswith("_") or name.startswith("_"):
            continue
        assert hasattr(ours, name), name
        if name in ("coefs_", "intercepts_"):
            assert [a.shape for a in getattr(ours, name)] == [a.shape for a in value]
    for name in ("n_iter_", "n_layers_", "n_outputs_", "n_features_in_", "t_"):
        if solver == "lbfgs" and name in ("t_", "n_iter_"):
            continue  # MLPClassifier counts other things there
        assert getattr(ours, name) == getattr(theirs, name), name


def test_both_cross_validate_alike():
    for network in (MLPClassifier(max_iter=3), BackpropMLPClassifier(max_iter=3)):
        results = cross_validate(network, X, y, cv=2, error_score="raise")
        assert len(results["test_score"]) == 2
