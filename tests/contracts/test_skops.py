"""What skops stores of the estimators: arrays and built-in types, and our own classes."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backprop_mlp import (
    BackpropMLPClassifier,
    BackpropMLPClassifierCV,
    BackpropMLPRegressor,
    BackpropMLPRegressorCV,
)
from backprop_mlp.initializers import Uniform
from backprop_mlp.schedules import Step

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, SPECIES = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])

CLASSIFIER = "backprop_mlp._classifier.BackpropMLPClassifier"
REGRESSOR = "backprop_mlp._regressor.BackpropMLPRegressor"
REGRESSOR_SEARCH = "backprop_mlp._regressor_cv.BackpropMLPRegressorCV"
SEARCH = "backprop_mlp._classifier_cv.BackpropMLPClassifierCV"


def network(**params):
    return BackpropMLPClassifier(
        **{"hidden_layer_sizes": 5, "max_iter": 5, "random_state": 0} | params
    )


def stored(model, trusted):
    """The model after a round trip through skops, which asked to trust just these names."""
    # It imports all of scikit-learn and whatever that finds: not while tests are collected.
    skops = pytest.importorskip("skops.io", reason="skops is an extra of the tests")
    data = skops.dumps(model)
    assert skops.get_untrusted_types(data=data) == sorted(trusted)
    return skops.loads(data, trusted=trusted)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"activation": "tanh", "output_activation": "softmax", "class_weight": "balanced"},
        {"hidden_layer_sizes": (5, 4), "activation": ["relu", "tanh"], "n_init": 2},
        {"solver": "newton-cg", "early_stopping": True},
        {"solver": "adam", "batch_norm": True, "dropout": 0.2},
        {"solver": "sgd", "learning_rate": "adaptive", "early_stopping": True},
        {"solver": "rmsprop", "scoring": "loss", "early_stopping": True},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "y",
    [
        SPECIES,
        NAMES[SPECIES],
        NAMES.astype(object)[SPECIES],
        SPECIES == 1,
        np.column_stack([SPECIES == 1, X[:, 0] > 6.0]).astype(int),
    ],
    ids=["integers", "strings", "objects", "booleans", "multilabel"],
)
def test_only_our_class_needs_trust(params, y):
    model = network(**params).fit(X, y)
    restored = stored(model, [CLASSIFIER])
    np.testing.assert_array_equal(restored.predict(X), model.predict(X))
    np.testing.assert_array_equal(restored.predict_proba(X), model.predict_proba(X))
    assert restored.loss_curve_ == model.loss_curve_
    assert restored.cost(X, y) == model.cost(X, y)


def test_a_stored_model_goes_on_training_where_it_stopped():
    for solver in ("cg", "adam"):
        model = network(solver=solver, warm_start=True).fit(X, SPECIES)
        restored = stored(model, [CLASSIFIER])
        np.testing.assert_array_equal(
            restored.fit(X, SPECIES).predict_proba(X), model.fit(X, SPECIES).predict_proba(X)
        )


def test_in_pipelines_and_searches():
    model = make_pipeline(StandardScaler(), network()).fit(X, SPECIES)
    restored = stored(model, [CLASSIFIER])
    np.testing.assert_array_equal(restored.predict_proba(X), model.predict_proba(X))
    search = BackpropMLPClassifierCV(network(), alphas=2, cv=2).fit(X, SPECIES)
    restored = stored(search, [CLASSIFIER, SEARCH])
    assert restored.alpha_ == search.alpha_
    np.testing.assert_array_equal(restored.predict_proba(X), search.predict_proba(X))


def test_objects_given_as_parameters_need_trust_of_their_own():
    model = network(
        solver="sgd", initializer=Uniform(0.2), learning_rate=Step(0.1, factor=0.5, every=10)
    )
    names = [f"backprop_mlp.{name}" for name in ("initializers.Uniform", "schedules.Step")]
    restored = stored(clone(model).fit(X, SPECIES), [CLASSIFIER, *names])
    assert restored.initializer == model.initializer
    assert restored.learning_rate == model.learning_rate


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"loss": "quantile", "quantile": 0.3},
        {"loss": "huber", "huber_threshold": 2.0},
        {"loss": "poisson"},
        {"solver": "adam", "batch_norm": True},
    ],
)
@pytest.mark.parametrize("columns", [1, 2])
def test_a_regressor_is_its_class_alone(params, columns):
    y = X[:, 3] if columns == 1 else X[:, 2:]
    defaults = {"hidden_layer_sizes": 5, "max_iter": 5, "random_state": 0}
    model = BackpropMLPRegressor(**defaults | params).fit(X, y)
    again = stored(model, [REGRESSOR])
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.cost(X, y) == model.cost(X, y)
    model.set_params(warm_start=True).fit(X, y)
    again.set_params(warm_start=True).fit(X, y)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


@pytest.mark.parametrize("refit", [True, "folds"])
def test_a_search_for_a_regressor_is_two_classes(refit):
    network = BackpropMLPRegressor(5, max_iter=5, random_state=0)
    search = BackpropMLPRegressorCV(network, alphas=[1.0, 10.0], cv=2, refit=refit).fit(X, X[:, 3])
    again = stored(search, [REGRESSOR, REGRESSOR_SEARCH])
    np.testing.assert_array_equal(again.predict(X), search.predict(X))


@pytest.mark.parametrize(
    "y",
    [SPECIES, SPECIES == 2, np.column_stack([SPECIES == 1, X[:, 0] > 6.0]).astype(int)],
    ids=["three", "two", "multilabel"],
)
def test_the_networks_of_the_folds_are_stored(y):
    search = BackpropMLPClassifierCV(network(), alphas=[1.0, 10.0], cv=2, refit="folds")
    again = stored(search.fit(X, y), [CLASSIFIER, SEARCH])
    np.testing.assert_array_equal(again.predict_proba(X), search.predict_proba(X))
