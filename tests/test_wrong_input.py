"""Wrong calls: the kind of error, and that it names what is wrong, before any work is done."""

import re

import numpy as np
import pytest
import scipy.sparse as sp

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp._objective import Objective

X = np.random.default_rng(0).normal(size=(12, 4))
Y = np.arange(12) % 3
LABELS = np.eye(3, dtype=int)[Y]
ONES = np.ones(12)


@pytest.fixture(autouse=True)
def no_work(monkeypatch):
    """Nothing may be computed before an argument is refused."""

    def work(self, theta):
        raise AssertionError("the objective was evaluated")

    monkeypatch.setattr(Objective, "value_and_grad", work)
    monkeypatch.setattr(Objective, "value", work)


def parameter(name, value, *fragments):
    kinds = (ValueError, TypeError)
    return pytest.param({name: value}, kinds, (name, *fragments), id=f"{name}={value!r}"[:60])


@pytest.mark.parametrize(
    ("params", "kinds", "fragments"),
    [
        parameter("hidden_layer_sizes", 0, "[1, inf)", "Got 0"),
        parameter("hidden_layer_sizes", -3, "[1, inf)", "Got -3"),
        parameter("hidden_layer_sizes", 2.5, "int", "Got 2.5"),
        parameter("hidden_layer_sizes", "100", "int", "Got '100'"),
        parameter("hidden_layer_sizes", None, "int", "Got None"),
        parameter("hidden_layer_sizes", (5, 0), "integers > 0", "(5, 0)"),
        parameter("hidden_layer_sizes", (5.0,), "integers > 0", "(5.0,)"),
        parameter("hidden_layer_sizes", ("5",), "integers > 0", "('5',)"),
        parameter("hidden_layer_sizes", [[5, 3]], "integers > 0", "[[5, 3]]"),
        parameter("activation", "sine", "'relu'", "'leaky_relu'", "'tanh'", "Got 'sine'"),
        parameter("activation", None, "'relu'", "Got None"),
        parameter("activation", ["relu", "tanh"], "'relu'", "1 hidden layers", "['relu', 'tanh']"),
        parameter("activation", ["sine"], "'relu'", "['sine']"),
        parameter("activation", [None], "'relu'", "[None]"),
        parameter("activation", [["relu"]], "'relu'", "[['relu']]"),
        parameter("output_activation", "tanh", "'logistic'", "'softmax'", "Got 'tanh'"),
        parameter("solver", "newton", "'cg'", "'lbfgs'", "Got 'newton'"),
        parameter("alpha", -0.1, "[0", "Got -0.1"),
        parameter("alpha", np.nan, "[0", "Got nan"),
        parameter("alpha", np.inf, "[0", "Got inf"),
        parameter("alpha", "1", "[0", "Got '1'"),
        parameter("initializer", "zeros", "'he_normal'", "callable", "Got 'zeros'"),
        parameter("initializer", 0.12, "callable", "Got 0.12"),
        parameter("class_weight", "auto", "'balanced'", "Got 'auto'"),
        parameter("class_weight", 2.0, "'balanced'", "Got 2.0"),
        parameter("class_weight", {9: 1.0}, "[0 1 2]", "[9]"),
        parameter("class_weight", {0: -1.0}, ">= 0", "{0: -1.0}"),
        parameter("class_weight", {0: "a"}, ">= 0", "{0: 'a'}"),
        parameter("class_weight", [1.0, 2.0, 3.0], "dictionary", "[1.0, 2.0, 3.0]"),
        parameter("class_weight", {0: 0, 1: 0, 2: 0}, "sum above 0", "0.0"),
        parameter("max_iter", 0, "[1, inf)", "Got 0"),
        parameter("max_iter", 10.0, "int", "Got 10.0"),
        parameter("tol", -1e-4, "[0", "Got -0.0001"),
        parameter("tol", np.nan, "[0", "Got nan"),
        parameter("n_iter_no_change", 0, "[1, inf)", "Got 0"),
        parameter("max_fun", 0, "[1, inf)", "Got 0"),
        parameter("n_init", 0, "[1, inf)", "Got 0"),
        parameter("n_init", "auto", "int", "Got 'auto'"),
        parameter("n_jobs", 1.5, "int", "Got 1.5"),
        parameter("n_jobs", 0, "n_jobs == 0"),
        parameter("warm_start", "yes", "bool", "Got 'yes'"),
        parameter("random_state", -1, "Got -1"),
        parameter("random_state", "seed", "Got 'seed'"),
        parameter("verbose", -1, "Got -1"),
        parameter("verbose", "loud", "Got 'loud'"),
    ],
)
def test_a_wrong_parameter_is_named_with_its_value(params, kinds, fragments):
    with pytest.raises(kinds) as error:
        BackpropMLPClassifier(**{"hidden_layer_sizes": 3, **params}).fit(X, Y)
    assert not isinstance(error.value, AssertionError)
    for fragment in fragments:
        assert fragment in str(error.value)


def test_an_unknown_parameter_is_refused():
    with pytest.raises(TypeError, match="hidden_layers"):
        BackpropMLPClassifier(hidden_layers=3)
    with pytest.raises(ValueError, match="Invalid parameter 'hidden_layers'"):
        BackpropMLPClassifier().set_params(hidden_layers=3)


def test_all_but_the_first_two_parameters_go_by_name():
    with pytest.raises(TypeError, match="positional"):
        BackpropMLPClassifier((5,), "relu", "softmax")


def with_value(array, value):
    array = np.array(array, dtype=float)
    array.flat[3] = value
    return array


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((with_value(X, np.nan), Y), "Input X contains NaN"),
        ((with_value(X, np.inf), Y), "Input X contains infinity"),
        ((sp.csr_matrix(with_value(X, np.nan)), Y), "Input X contains NaN"),
        ((X[:, 0], Y), "Expected 2D array, got 1D array"),
        ((X[:, :, np.newaxis], Y), "dim 3"),
        ((X[:0], Y[:0]), r"0 sample\(s\)"),
        ((X[:, :0], Y), r"0 feature\(s\)"),
        ((1j * X, Y), "Complex data not supported"),
        ((np.full((12, 4), "a"), Y), "could not convert string to float"),
        ((None, Y), "Expected 2D array"),
        ((X, None), "requires y to be passed"),
        ((X, Y[:-1]), r"inconsistent numbers of samples: \[12, 11\]"),
        ((X, with_value(Y, np.nan)), "Input y contains NaN"),
        ((X, Y + 0.5), "Unknown label type: continuous"),
        ((X, np.column_stack([Y, Y])), "y should be a 1d array"),
        ((X, 2 * LABELS), r"y must be a 0/1 matrix; got the values \[0 2\]"),
        ((X, 2 * LABELS - 1), r"y must be a 0/1 matrix; got the values \[-1  1\]"),
        ((X, Y, with_value(ONES, -0.5)), "[Nn]egative values in data passed to `?sample_weight"),
        ((X, Y, with_value(ONES, np.nan)), "sample_weight contains NaN"),
        ((X, Y, with_value(ONES, np.inf)), "sample_weight contains infinity"),
        ((X, Y, 0 * ONES), "sample_weight|Sample weights"),
        ((X, Y, ONES[:-1]), r"sample_weight.shape == \(11,\), expected \(12,\)"),
        ((X, Y, np.ones((12, 2))), "Sample weights must be 1D"),
    ],
)
def test_wrong_training_data_are_named(data, message):
    with pytest.raises(ValueError, match=message):
        BackpropMLPClassifier(3).fit(*data)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_weights_whose_sum_is_no_number_are_an_error():
    with pytest.raises(
        ValueError, match=r"sample_weight.* must have a finite sum above 0; got inf"
    ):
        BackpropMLPClassifier(3).fit(X, Y, np.full(12, 1e308))


def test_weights_that_the_class_weights_take_away_are_an_error():
    kept_class = (Y == 0).astype(float)
    with pytest.raises(ValueError, match=r"class_weight, must have a finite sum above 0; got 0\.0"):
        BackpropMLPClassifier(3, class_weight={0: 0.0}).fit(X, Y, kept_class)


@pytest.fixture(scope="module")
def fitted():
    thetas = [np.ones((5, 5)), np.ones((3, 6))]
    return BackpropMLPClassifier.from_thetas(thetas, classes=["a", "b", "c"])


NAMES = np.array(["a", "b", "c"])[Y]


@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "predict_log_proba", "decision_function", "activations"]
)
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (X[:, :3], "X has 3 features, but BackpropMLPClassifier is expecting 4"),
        (with_value(X, np.nan), "Input X contains NaN"),
        (X[0], "Expected 2D array"),
        (X[:0], r"0 sample\(s\)"),
    ],
)
def test_wrong_rows_to_predict_are_named(fitted, method, rows, message):
    with pytest.raises(ValueError, match=message):
        getattr(fitted, method)(rows)


@pytest.mark.parametrize("method", ["cost", "cost_gradient"])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((X[:, :3], NAMES), "X has 3 features"),
        ((X, Y), r"labels that are not among the classes \['a' 'b' 'c'\]: \[0 1 2\]"),
        ((X, np.where(Y == 0, "z", NAMES)), r"not among the classes .*\['z'\]"),
        ((X, LABELS), "y should be a 1d array"),
        ((X, None), "requires y to be passed"),
        ((X, NAMES, -ONES), "sample_weight"),
        ((X, NAMES, ONES[:3]), "sample_weight"),
    ],
)
def test_wrong_data_for_the_cost_are_named(fitted, method, data, message):
    with pytest.raises(ValueError, match=message):
        getattr(fitted, method)(*data)


THETA1, THETA2 = np.ones((5, 5)), np.ones((3, 6))


@pytest.mark.parametrize(
    ("thetas", "params", "kind", "message"),
    [
        (None, {}, ValueError, "thetas must be a sequence of matrices"),
        ([], {}, ValueError, r"thetas must be finite matrices .* got shapes \[\]"),
        ("ab", {}, ValueError, "thetas must be a sequence of matrices"),
        ([[[1, 2], [3]]], {}, ValueError, "thetas must be a sequence of matrices"),
        (THETA1, {}, ValueError, r"thetas must be finite matrices .* shapes \[\(5,\)"),
        ([np.ones((5, 1)), THETA2], {}, ValueError, r"thetas must be .* \[\(5, 1\), \(3, 6\)\]"),
        ([THETA1, THETA1], {}, ValueError, r"as many inputs as the one before has outputs"),
        ([with_value(THETA1, np.nan), THETA2], {}, ValueError, "thetas must be finite"),
        ([THETA1, np.ones((2, 6))], {}, ValueError, "classes must be .* for 2 rows"),
        ([THETA1, THETA2], {"classes": ["a", "b"]}, ValueError, "classes must be .* for 3 rows"),
        ([THETA1, THETA2], {"classes": [1, 2, 2]}, ValueError, r"classes must be .* \[1 2 2\]"),
        ([THETA1, THETA2], {"classes": 3}, ValueError, "classes must be .* got 3"),
        ([THETA1, THETA2], {"classes": [[1, 2, 3]]}, ValueError, "classes must be"),
        ([THETA1, np.ones((1, 6))], {"classes": [1]}, ValueError, "two labels for one row"),
        ([THETA1, THETA2], {"alpha": -1}, ValueError, "'alpha' parameter"),
        ([THETA1, THETA2], {"activation": ["relu"] * 2}, ValueError, "activation must be"),
        ([THETA1, THETA2], {"class_weight": "balanced"}, ValueError, "class_weight='balanced'"),
        ([THETA1, THETA2], {"class_weight": {7: 1}}, ValueError, "class_weight names labels"),
        ([THETA1, THETA2], {"hidden_layer_sizes": 5}, TypeError, "hidden_layer_sizes"),
        ([THETA1, THETA2], {"layers": 5}, TypeError, "layers"),
    ],
)
def test_wrong_matrices_are_named(thetas, params, kind, message):
    with pytest.raises(kind, match=re.compile(message, re.DOTALL)):
        BackpropMLPClassifier.from_thetas(thetas, **params)
