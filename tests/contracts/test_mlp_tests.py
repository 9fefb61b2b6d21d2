"""scikit-learn's own tests of its networks, with ours in their place.

With `MLPClassifier`'s and `MLPRegressor`'s solver and alpha, which their tests take for granted.
"""

from importlib.util import module_from_spec, spec_from_file_location
from unittest.mock import patch

import pytest
import sklearn
import sklearn.neural_network
from sklearn.utils.fixes import parse_version

from backprop_mlp import BackpropMLPClassifier, BackpropMLPRegressor

# Some distributions leave the tests of packages out.
theirs = pytest.importorskip("sklearn.neural_network.tests.test_mlp")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        parse_version(sklearn.__version__) < parse_version("1.8"),
        reason="the tests of older releases are of older behaviour",
    ),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::backprop_mlp.IgnoredKeywordWarning"),
    pytest.mark.filterwarnings("ignore::backprop_mlp.StrongPenaltyWarning"),
]

PRIVATE = "it reads or sets private attributes"
CONSTANT = "its y is constant, from which a warning says how far the cost ended"
NO_CHUNKS = "there is no partial_fit with early_stopping, so that check_estimator passes with it"
EXCEPTIONS = {
    "test_fit": PRIVATE,
    "test_gradient": PRIVATE,
    "test_learning_rate_warmstart": PRIVATE,
    "test_adaptive_learning_rate": PRIVATE,
    "test_n_iter_no_change": PRIVATE,
    "test_n_iter_no_change_inf": PRIVATE,
    "test_partial_fit_regression": "its score is that of its own starting weights",
    "test_nonfinite_params": "Adam's error is a FloatingPointError; full-batch solvers can train",
    "test_predict_proba_multilabel": "log-probabilities are more accurate than log(predict_proba)",
    "test_early_stopping_stratified": "a class with a single row may be trained on",
    "test_minimum_input_sample_size": "a single validation row is allowed",
    "test_mlp_param_dtypes[BackpropMLPRegressor-float32]": "numbers are float64: y may be far "
    "from zero",
    "test_preserve_feature_names[BackpropMLPClassifier]": CONSTANT,
    "test_preserve_feature_names[BackpropMLPRegressor]": CONSTANT,
    "test_mlp_partial_fit_after_fit[BackpropMLPClassifier]": NO_CHUNKS,
    "test_mlp_partial_fit_after_fit[BackpropMLPRegressor]": NO_CHUNKS,
    "test_mlp_diverging_loss": "training that diverges is an error",
}
"""Test, or case of one -> why it does not pass."""


def with_their_defaults(kind):
    """What makes one of our networks as MLPClassifier would be made."""

    def make(*args, **params):
        return kind(*args, **{"solver": "adam", "alpha": 1e-4} | params)

    make.__name__ = kind.__name__
    return make


def their_tests():
    """Name -> test, in a module of its own that has our classes for theirs."""
    spec = spec_from_file_location("mlp_tests_of_scikit_learn", theirs.__file__)
    module = module_from_spec(spec)
    ours = {
        "MLPClassifier": with_their_defaults(BackpropMLPClassifier),
        "MLPRegressor": with_their_defaults(BackpropMLPRegressor),
    }
    with patch.multiple(sklearn.neural_network, **ours):
        spec.loader.exec_module(module)
    return {name: test for name, test in vars(module).items() if name.startswith("test_")}


globals().update(their_tests())


@pytest.fixture
def global_random_seed():
    """As scikit-learn's conftest gives it."""
    return 42


@pytest.fixture(autouse=True)
def exceptions_fail(request):
    """An exception that passes is none any more: it fails."""
    if (reason := EXCEPTIONS.get(request.node.name)) is not None:
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
