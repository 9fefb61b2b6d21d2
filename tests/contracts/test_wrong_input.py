"""Wrong calls: the kind of error, and that it names what is wrong, before any work is done.

No wrong call changes a fitted estimator: its pickle is the same before and after.
"""

import copy
import pickle
import re
import sys
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.utils._param_validation import Interval, StrOptions

import backprop_mlp
from backprop_mlp import (
    BackpropMLPClassifier,
    BackpropMLPClassifierCV,
    BackpropMLPRegressor,
    BackpropMLPRegressorCV,
    GradientCheckDisplay,
    HiddenUnitsDisplay,
    ImageGridDisplay,
    LearningRateRangeDisplay,
    LossCurveDisplay,
    NetworkActivationsDisplay,
    PiecewiseLinearEncoder,
    check_gradient,
    initializers,
    learning_rate_range_test,
    load_ex4_data,
    load_ex4_weights,
    make_tabular_classifier,
    make_tabular_regressor,
    schedules,
)
from backprop_mlp._objective.objective import Objective

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(12, 4))
Y = np.arange(12) % 3
LABELS = np.eye(3, dtype=int)[Y]
ONES = np.ones(12)
NAMES = np.array(["a", "b", "c"])[Y]
FRAME = pd.DataFrame(X, columns=["p", "q", "r", "s"])
REFUSED = (ValueError, TypeError, AttributeError)


def classifier(**params):
    """A classifier that is trained in no time."""
    params = {"hidden_layer_sizes": 3, "solver": "adam", "max_iter": 2, "random_state": 0} | params
    return BackpropMLPClassifier(**params)


@pytest.fixture(scope="module")
def pickles():
    """Two fitted classifiers; the second knows names of the features, and of the classes."""
    return [pickle.dumps(classifier().fit(*data)) for data in ((X, Y), (FRAME, NAMES))]


@pytest.fixture(autouse=True)
def no_work(monkeypatch, pickles):
    """Nothing may be computed before an argument is refused."""

    def work(*args):
        raise AssertionError("the objective was evaluated")

    for name in ("value_and_grad", "value", "hessian_product", "minibatch"):
        monkeypatch.setattr(Objective, name, work)


@pytest.fixture
def trained(pickles):
    return pickle.loads(pickles[0])


@pytest.fixture
def trained_on_names(pickles):
    return pickle.loads(pickles[1])


@contextmanager
def unchanged(model):
    """The model is to the bit what it was before."""
    before = pickle.dumps(model)
    yield
    assert pickle.dumps(model) == before


# Keywords of the constructor


class WrongParameter(NamedTuple):
    """A keyword's value that is refused, and what the error tells beside the keyword."""

    name: str
    value: Any
    fragments: tuple
    wrong_in: str


def kind(name, value, *fragments):
    return WrongParameter(name, value, fragments, "kind")


def span(name, value, *fragments):
    return WrongParameter(name, value, fragments, "range")


def no_weights(rng, fan_in, fan_out):
    return None


def complex_weights(rng, fan_in, fan_out):
    return np.full((fan_in, fan_out), 1j)


def weights_of_nan(rng, fan_in, fan_out):
    return np.full((fan_in, fan_out), np.nan)


WRONG_PARAMETERS = [
    kind("hidden_layer_sizes", 2.5, "int", "Got 2.5"),
    kind("hidden_layer_sizes", "100", "int", "Got '100'"),
    kind("hidden_layer_sizes", None, "int", "Got None"),
    kind("hidden_layer_sizes", (5.0,), "integers > 0", "(5.0,)"),
    kind("hidden_layer_sizes", ("5",), "integers > 0", "('5',)"),
    kind("hidden_layer_sizes", [[5, 3]], "integers > 0", "[[5, 3]]"),
    kind("hidden_layer_sizes", np.array(5), "integers > 0", "array(5)"),
    span("hidden_layer_sizes", 0, "[1, inf)", "Got 0"),
    span("hidden_layer_sizes", -3, "[1, inf)", "Got -3"),
    span("hidden_layer_sizes", (5, 0), "integers > 0", "(5, 0)"),
    span("hidden_layer_sizes", 10**400, "weights and biases", "got 1000"),
    span("hidden_layer_sizes", 10**18, "weights and biases", "got 1000"),
    span("hidden_layer_sizes", (10**10, 10**10), "weights and biases", "(10000000000, 1"),
    kind("hidden_layer_sizes", {9, 5}, "in an order", "{9, 5}"),
    kind("hidden_layer_sizes", {9: 5}, "in an order", "{9: 5}"),
    kind("activation", {"relu"}, "a sequence", "{'relu'}"),
    kind("activation", None, "'relu'", "Got None"),
    kind("activation", [None], "'relu'", "[None]"),
    kind("activation", [["relu"]], "'relu'", "[['relu']]"),
    span("activation", "sine", "'relu'", "'leaky_relu'", "'tanh'", "Got 'sine'"),
    span("activation", ["sine"], "'relu'", "['sine']"),
    span("activation", ["relu", "tanh"], "'relu'", "1 hidden layers", "['relu', 'tanh']"),
    kind("output_activation", None, "'logistic'", "'softmax'", "Got None"),
    span("output_activation", "tanh", "'logistic'", "'softmax'", "Got 'tanh'"),
    kind("solver", 1, "'cg'", "'lbfgs'", "Got 1"),
    span("solver", "newton", "'cg'", "'lbfgs'", "Got 'newton'"),
    kind("alpha", "1", "[0", "Got '1'"),
    kind("alpha", None, "[0", "Got None"),
    span("alpha", -0.1, "[0", "Got -0.1"),
    span("alpha", np.nan, "[0", "Got nan"),
    span("alpha", np.inf, "[0", "Got inf"),
    span("alpha", np.longdouble("1e400"), "[0"),
    kind("alpha", Fraction(1, 2), "[0", "Got Fraction(1, 2)"),
    kind("initializer", 0.12, "callable", "Got 0.12"),
    kind("initializer", no_weights, "must return", "shape (4, 3)"),
    kind("initializer", complex_weights, "must return finite weights"),
    span("initializer", "zeros", "'he_normal'", "callable", "Got 'zeros'"),
    span("initializer", weights_of_nan, "must return finite weights"),
    kind("dropout", "0.5", "[0.0, 1.0)", "Got '0.5'"),
    kind("dropout", None, "[0.0, 1.0)", "Got None"),
    kind("dropout", np.array(0.5), "a number in [0, 1)", "array(0.5)"),
    kind("dropout", {0.5}, "a sequence", "{0.5}"),
    kind("dropout", ["0.5"], "a number in [0, 1)", "['0.5']"),
    span("dropout", 1.0, "[0.0, 1.0)", "Got 1.0"),
    span("dropout", [1.0], "a number in [0, 1)", "[1.0]"),
    span("dropout", [np.nan], "a number in [0, 1)", "[nan]"),
    span("dropout", [0.1, 0.2], "1 hidden layers", "[0.1, 0.2]"),
    kind("batch_norm", "yes", "bool", "Got 'yes'"),
    kind("class_weight", 2.0, "'balanced'", "Got 2.0"),
    kind("class_weight", [1.0, 2.0, 3.0], "dictionary", "[1.0, 2.0, 3.0]"),
    kind("class_weight", [2.0], "dictionaries", "2.0"),
    kind("class_weight", {0: "a"}, ">= 0", "{0: 'a'}"),
    span("class_weight", "auto", "'balanced'", "Got 'auto'"),
    span("class_weight", {9: 1.0}, "[0 1 2]", "[9]"),
    span("class_weight", {0: -1.0}, ">= 0", "{0: -1.0}"),
    span("class_weight", {0: np.inf}, "finite", "{0: inf}"),
    span("class_weight", {0: 10**400}, "finite", "{0: 1000"),
    span("class_weight", {0: 0, 1: 0, 2: 0}, "sum above 0", "0.0"),
    kind("max_iter", 10.0, "int", "Got 10.0"),
    span("max_iter", 0, "[1, inf)", "Got 0"),
    kind("tol", "0", "[0", "Got '0'"),
    span("tol", -1e-4, "[0", "Got -0.0001"),
    span("tol", np.nan, "[0", "Got nan"),
    span("tol", 10**400, "[0", "Got 1000"),
    kind("max_fun", 10.0, "int", "Got 10.0"),
    span("max_fun", 0, "[1, inf)", "Got 0"),
    kind("batch_size", 10.0, "int", "'auto'", "Got 10.0"),
    span("batch_size", 0, "[1, inf)", "Got 0"),
    span("batch_size", "all", "'auto'", "Got 'all'"),
    kind("learning_rate", 0.1, "'constant'", "callable", "Got 0.1"),
    kind("learning_rate", None, "'constant'", "callable", "Got None"),
    span("learning_rate", "linear", "'constant'", "'cosine'", "Got 'linear'"),
    kind("learning_rate_init", "0.1", "(0", "Got '0.1'"),
    span("learning_rate_init", 0.0, "(0", "Got 0.0"),
    span("learning_rate_init", -1, "(0", "Got -1"),
    span("learning_rate_init", np.nan, "(0", "Got nan"),
    span("learning_rate_init", np.inf, "(0", "Got inf"),
    kind("power_t", "0.5", "[0", "Got '0.5'"),
    span("power_t", -0.5, "[0", "Got -0.5"),
    kind("shuffle", "yes", "bool", "Got 'yes'"),
    kind("momentum", "0.9", "[0", "Got '0.9'"),
    span("momentum", 1.1, "[0", "Got 1.1"),
    span("momentum", -0.1, "[0", "Got -0.1"),
    kind("nesterovs_momentum", 0.9, "bool", "Got 0.9"),
    kind("beta_1", "0.9", "[0", "Got '0.9'"),
    span("beta_1", 1.0, "[0", "Got 1.0"),
    kind("beta_2", "0.9", "[0", "Got '0.9'"),
    span("beta_2", 1.0, "[0", "Got 1.0"),
    kind("epsilon", None, "(0", "Got None"),
    span("epsilon", 0.0, "(0", "Got 0.0"),
    kind("max_grad_norm", "1", "(0", "Got '1'"),
    span("max_grad_norm", 0.0, "(0", "Got 0.0"),
    kind("early_stopping", "yes", "bool", "Got 'yes'"),
    kind("validation_fraction", "0.1", "[0", "Got '0.1'"),
    span("validation_fraction", 1.0, "[0", "Got 1.0"),
    span("validation_fraction", -0.1, "[0", "Got -0.1"),
    kind("n_iter_no_change", 2.5, "int", "Got 2.5"),
    span("n_iter_no_change", 0, "[1, inf)", "Got 0"),
    span("n_iter_no_change", -np.inf, "inf", "Got -inf"),
    kind("scoring", 1.0, "callable", "Got 1.0"),
    span("scoring", "precise", "the name of a scorer", "'loss'", "Got 'precise'"),
    kind("n_init", "auto", "int", "Got 'auto'"),
    span("n_init", 0, "[1, ", "Got 0"),
    span("n_init", 10**400, "[1, ", "Got 1000"),
    kind("n_jobs", 1.5, "int", "Got 1.5"),
    span("n_jobs", 0, "Got 0"),
    span("n_jobs", 10**400, "[1, ", "Got 1000"),
    kind("warm_start", "yes", "bool", "Got 'yes'"),
    kind("random_state", "seed", "Got 'seed'"),
    span("random_state", -1, "Got -1"),
    kind("verbose", "loud", "Got 'loud'"),
    span("verbose", -1, "Got -1"),
]

each_wrong_parameter = pytest.mark.parametrize(
    "wrong",
    WRONG_PARAMETERS,
    ids=[
        f"{wrong.name}={'callable' if callable(wrong.value) else wrong.value}"
        for wrong in WRONG_PARAMETERS
    ],
)


def test_every_keyword_has_a_value_of_a_wrong_kind_and_one_out_of_range():
    wrong_in = {
        what: {wrong.name for wrong in WRONG_PARAMETERS if wrong.wrong_in == what}
        for what in ("kind", "range")
    }
    with_range = {
        name
        for name, constraints in BackpropMLPClassifier._parameter_constraints.items()
        if any(isinstance(constraint, Interval | StrOptions) for constraint in constraints)
    }
    assert wrong_in["kind"] == set(BackpropMLPClassifier().get_params())
    assert with_range <= wrong_in["range"]


@each_wrong_parameter
def test_a_wrong_parameter_is_named_with_its_value(wrong):
    model = classifier(**{wrong.name: wrong.value})
    with pytest.raises((ValueError, TypeError)) as error:
        model.fit(X, Y)
    for fragment in (wrong.name, *wrong.fragments):
        assert fragment in str(error.value)


@each_wrong_parameter
@pytest.mark.parametrize("warm_start", [False, True])
def test_a_wrong_parameter_changes_nothing_in_fit(trained, wrong, warm_start):
    if warm_start and callable(wrong.value):
        pytest.skip("no initialiser is asked where training goes on")
    trained.set_params(**{"warm_start": warm_start, wrong.name: wrong.value})
    with unchanged(trained), pytest.raises((ValueError, TypeError)):
        trained.fit(X, Y)


@each_wrong_parameter
def test_a_wrong_parameter_changes_nothing_in_partial_fit(trained, wrong):
    if callable(wrong.value) or (wrong.name, wrong.value) == ("n_jobs", 0):
        pytest.skip("only fit has a random start, and starts to run side by side")
    trained.set_params(**{wrong.name: wrong.value})
    with unchanged(trained), pytest.raises(REFUSED):
        trained.partial_fit(X, Y)


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


# Training data


WRONG_DATA = pytest.mark.parametrize(
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
        ((X, Y, 0 * ONES), "sample_weight"),
        ((X, Y, ONES[:-1]), r"sample_weight.shape == \(11,\), expected \(12,\)"),
        ((X, Y, np.ones((12, 2))), "sample_weight .*Sample weights must be 1D"),
        ((X, Y, ["heavy"] * 12), "sample_weight .*could not convert string to float: 'heavy'"),
        ((X, Y, [10**400] * 12), "sample_weight .*too large"),
        ((X, Y, 1j * ONES), "Complex data not supported"),
        ((X, Y, sp.csr_matrix(np.ones((12, 1)))), "sample_weight"),
        (("X", Y), "could not convert string to float: 'X'"),
        ((3.0, Y), "Expected 2D array, got scalar array"),
        (([[1.0, 2.0], [3.0]], [0, 1]), "inhomogeneous"),
        ((np.full((12, 4), None), Y), "Input X contains NaN"),
        ((np.full((12, 4), {}), Y), "argument must be a string or a .*number, not 'dict'"),
        ((1j * sp.csr_matrix(X), Y), "Complex data not supported"),
        ((pd.DataFrame(X, columns=["a", "b", "c", 4]), Y), "Feature names are only supported"),
        ((X, "no_validation"), "y should be a 1d array.*'no_validation'"),
        ((X, "a"), "y should be a 1d array"),
        ((np.ma.masked_less(X, 0.0), Y), "X must not hold masked entries"),
        ((X, np.ma.masked_less(Y, 1)), "y must not hold masked entries"),
        ((X, Y, np.ma.masked_less(ONES, 2)), "sample_weight must not hold masked entries"),
        ((X, np.array(5)), r"y should be a 1d array.*got array\(5\)"),
        ((X, {1: 2}), "y should be a 1d array.*got {1: 2}"),
        ((X, np.zeros((12, 2, 2), int)), "dim 3"),
        ((X, with_value(Y, np.inf)), "Input y contains infinity"),
        ((X, Y.astype(object)), "Unknown label type: unknown"),
        ((X, np.array(["a", pd.NA, "b"], object)[Y]), "Input y contains NaN"),
        ((X, np.array(["2020-01-01", "NaT"], "M8[D]")[Y % 2]), "Input y contains NaT"),
        ((X, pd.Series(["a", pd.NA, "b"], dtype="string")[Y]), "Input y contains NaN"),
        ((X, pd.Series(["a", pd.NA, "b"], dtype="category")[Y]), "Input y contains NaN"),
        ((X, np.array(["a", np.nan, "b"], object)[Y]), "Input y contains NaN"),
        ((X, np.array(["a", None, "b"])[Y]), "Input y contains NaN"),
        ((X, 1j * Y), "Complex data not supported"),
        ((X, LABELS / 2), "Unknown label type: continuous-multioutput"),
        ((X, LABELS[:, :0]), r"0 feature\(s\)"),
        ((X, sp.csr_matrix(LABELS[:, :1])), "Sparse data was passed for y"),
        ((X, [[1, 2], [3], [1]] * 4), "inhomogeneous"),
        ((X, np.array(["2020-01-01", "NaT", "2020-01-02"], "M8[D]")[Y]), "Input y contains NaT"),
        ((X, np.array(["NaT", 1, 2], "m8[s]")[Y]), "Input y contains NaT"),
    ],
)


@WRONG_DATA
def test_wrong_training_data_are_named(data, message):
    with pytest.raises((ValueError, TypeError), match=message):
        BackpropMLPClassifier(3).fit(*data)


@WRONG_DATA
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("warm_start", [False, True])
def test_wrong_training_data_change_nothing(trained, method, warm_start, data, message):
    trained.set_params(warm_start=warm_start)
    with unchanged(trained), pytest.raises((ValueError, TypeError)):
        getattr(trained, method)(*data)


DAYS = np.arange(48).reshape(12, 4).astype("M8[D]")
DAYS[0, 0] = np.datetime64("NaT")


def polars_of(array):
    return pytest.importorskip("polars", reason="it comes with the extra test").DataFrame(array)


@pytest.mark.parametrize(
    ("make_rows", "what"),
    [
        (lambda: DAYS, r"datetime64\[D\]"),
        (lambda: DAYS - DAYS[1, 1], r"timedelta64\[D\]"),
        (lambda: DAYS[:, 0], r"datetime64\[D\]"),
        (lambda: list(map(list, DAYS)), r"datetime64\[D\]"),
        (lambda: np.array(list(map(list, DAYS)), object), r".*datetime64\('NaT'.*"),
        (lambda: [[np.timedelta64(1, "D"), 1.0]] * 12, r".*timedelta64\(1,'D'\)"),
        (lambda: pd.DataFrame(DAYS, columns=list("pqrs")), r"datetime64\[\w+\] in column 'p'"),
        (lambda: FRAME.assign(q=DAYS[:, 0]), r"datetime64\[\w+\] in column 'q'"),
        (lambda: FRAME.assign(q=DAYS[:, 0] - DAYS[1, 1]), r"timedelta64\[\w+\] in column 'q'"),
        (lambda: FRAME.assign(q=pd.period_range("2020", periods=12)), ".* in column 'q'"),
        (lambda: polars_of(DAYS), "Date in column 'column_0'"),
        (
            lambda: polars_of((DAYS - DAYS[1, 1]).astype("m8[ms]")),
            "Duration.* in column 'column_0'",
        ),
    ],
)
def test_dates_are_no_numbers(trained, make_rows, what):
    rows = make_rows()
    message = f"^X must hold numbers; got {what}. Turn dates and times into numbers first"
    for call in (trained.fit, trained.partial_fit):
        with unchanged(trained), pytest.raises(ValueError, match=message):
            call(rows, Y)


@pytest.mark.parametrize(
    "call",
    [
        lambda model, dates: model.fit(X, Y, X_val=dates, y_val=Y),
        lambda model, dates: model.predict(dates),
        lambda model, dates: model.predict_proba(dates),
        lambda model, dates: model.predict_log_proba(dates),
        lambda model, dates: model.decision_function(dates),
        lambda model, dates: model.score(dates, Y),
        lambda model, dates: model.activations(dates),
        lambda model, dates: model.cost(dates, Y),
        lambda model, dates: model.cost_gradient(dates, Y),
        lambda model, dates: check_gradient(model, dates, Y),
        lambda model, dates: learning_rate_range_test(model, dates, Y),
        lambda model, dates: regressor(X=dates),
        lambda model, dates: LINE.predict(dates),
        lambda model, dates: BackpropMLPClassifierCV(model, cv=2).fit(dates, Y),
        lambda model, dates: BackpropMLPRegressorCV(cv=2).fit(dates, X[:, 0]),
        lambda model, dates: encoded(dates),
        lambda model, dates: encoded(X).transform(dates),
    ],
)
def test_dates_are_refused_wherever_rows_are_taken(trained, call):
    with (
        unchanged(trained),
        pytest.raises(ValueError, match=r"^X(_val)? must hold numbers; got date"),
    ):
        call(trained, DAYS)


def given(X_val=X, y_val=Y, **others):
    return {"X_val": X_val, "y_val": y_val, **others}


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize(
    ("validation", "message"),
    [
        ({"X_val": X}, "X_val and y_val must be given together; got one of them"),
        ({"y_val": Y}, "X_val and y_val must be given together; got one of them"),
        ({"sample_weight_val": ONES}, "sample_weight_val needs X_val and y_val; got neither"),
        (given(X[:, :3]), "X_val has 3 features"),
        (given(X[0]), "X_val and y_val are not allowed: Expected 2D array"),
        (given(X[:0], Y[:0]), r"X_val and y_val .* 0 sample\(s\)"),
        (given(with_value(X, np.nan)), "Input X_val contains NaN"),
        (given(with_value(X, np.inf)), "Input X_val contains infinity"),
        (given(y_val=Y[:5]), "X_val and y_val .* inconsistent numbers of samples"),
        (given(y_val=Y + 1), r"y_val holds .* not among the classes \[0 1 2\]: \[3\]"),
        (given(y_val=NAMES), "y_val holds .* not among the classes"),
        (given(y_val=LABELS), "y_val should be a 1d array"),
        (given(y_val=with_value(Y, np.nan)), "Input y_val contains NaN"),
        (given(y_val="no_validation"), "y_val .*'no_validation'"),
        (given(sample_weight_val=-ONES), "sample_weight_val"),
        (given(sample_weight_val=ONES[:3]), r"sample_weight_val.shape == \(3,\)"),
        (given(sample_weight_val=with_value(ONES, np.nan)), "sample_weight_val contains NaN"),
        (given(sample_weight_val=0.0 * ONES), "sample_weight_val"),
        (given(sample_weight_val=1e308 * ONES), "^the weights of the validation rows .* got inf"),
    ],
)
def test_wrong_validation_data_are_named(trained, validation, message, early_stopping):
    trained.set_params(early_stopping=early_stopping)
    with unchanged(trained), pytest.raises(ValueError, match=message):
        trained.fit(X, Y, **validation)


@pytest.mark.parametrize("fraction", [0.0, 0.99])
def test_a_fraction_that_leaves_nothing_is_named(trained, fraction):
    trained.set_params(early_stopping=True, validation_fraction=fraction)
    with unchanged(trained), pytest.raises(ValueError, match=f"validation_fraction={fraction}"):
        trained.fit(X, Y)


@pytest.mark.parametrize(
    ("params", "data", "message"),
    [
        ({}, (X, np.minimum(Y, 1)), "warm_start can only be used where `y` has the same classes"),
        ({}, (X, NAMES), "warm_start can only be used where `y` has the same classes"),
        ({}, (X, LABELS), "previous fit's kind, one class per row; got a 0/1 matrix of labels"),
        ({}, (X[:, :3], Y), "X has 3 features"),
        (
            {"hidden_layer_sizes": 4},
            (X, Y),
            r"hidden_layer_sizes of the previous fit: \[3\]; got 4",
        ),
        ({"hidden_layer_sizes": ()}, (X, Y), r"previous fit: \[3\]; got \(\)"),
        ({"solver": "cg", "dropout": 0.5}, (X, Y), "dropout needs mini-batches"),
        ({"solver": "cg", "batch_norm": True}, (X, Y), "batch_norm needs mini-batches"),
    ],
)
def test_a_warm_start_elsewhere_is_named(trained, params, data, message):
    trained.set_params(warm_start=True, **params)
    with unchanged(trained), pytest.raises(ValueError, match=message):
        trained.fit(*data)


@pytest.mark.parametrize(
    ("params", "data", "classes", "kind", "message"),
    [
        ({}, (X, Y + 1), None, ValueError, r"not among the classes \[0 1 2\]: \[3\]"),
        ({}, (X, NAMES), None, ValueError, r"not among the classes \[0 1 2\]: \['a' 'b' 'c'\]"),
        ({}, (X, LABELS), None, ValueError, "y should be a 1d array"),
        ({}, (X[:, :3], Y), None, ValueError, "X has 3 features"),
        ({}, (X, Y), [0, 1], ValueError, "classes must be those of the first call"),
        ({}, (X, Y), ["a", "b", "c"], ValueError, "classes must be those of the first call"),
        ({}, (X, Y), 3, ValueError, "classes must be a sequence of labels.*got 3"),
        ({}, (X, Y), [[0, 1, 2]], ValueError, r"classes must be a sequence.*\[\[0, 1, 2\]\]"),
        ({}, (X, Y), [0, 1, None], ValueError, "classes must be a sequence.*None"),
        ({"hidden_layer_sizes": 4}, (X, Y), None, ValueError, r"previous fit: \[3\]; got 4"),
        ({"solver": "cg"}, (X, Y), None, AttributeError, "solver must be one of"),
        ({"early_stopping": True}, (X, Y), None, AttributeError, "early_stopping must be False"),
        ({"class_weight": "balanced"}, (X, Y), None, AttributeError, "must not be 'balanced'"),
    ],
)
def test_a_wrong_further_call_of_partial_fit_is_named(
    trained, params, data, classes, kind, message
):
    trained.set_params(**params)
    with unchanged(trained), pytest.raises(kind) as error:
        trained.partial_fit(*data, classes=classes)
    # Where there is no such method, the reason is told as the cause.
    assert re.search(message, f"{error.value} {error.value.__cause__}", re.DOTALL)


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        (Y, None, "classes must be given in the first call to partial_fit; got None"),
        (Y, 3, "classes must be a sequence of labels.*got 3"),
        (Y, "abc", "classes must be a sequence of labels.*got 'abc'"),
        (Y, [], r"classes must be a sequence of labels.*got \[\]"),
        (Y, [[0, 1, 2]], r"classes must be a sequence of labels.*got \[\[0, 1, 2\]\]"),
        (Y, [0, 1, 2, np.nan], "classes must be a sequence of labels.*nan"),
        (Y, [0, 1, 2, np.inf], "classes must be a sequence of labels.*inf"),
        (Y, [0, 1, 2, 2.5], r"classes must be a sequence of labels.*2\.5"),
        (Y, [0, 1, 2, None], "classes must be a sequence of labels.*None"),
        (Y, [0, 1], r"not among the classes \[0 1\]: \[2\]"),
        (Y, ["0", "1", "2"], "not among the classes"),
        (LABELS, [0, 1], r"classes of a multilabel problem must be \[0 1 2\] or None"),
    ],
)
def test_a_wrong_first_call_of_partial_fit_is_named(labels, classes, message):
    model = classifier()
    with unchanged(model), pytest.raises(ValueError, match=message):
        model.partial_fit(X, labels, classes=classes)


@pytest.mark.parametrize(
    "frame",
    [
        FRAME[["q", "p", "r", "s"]],
        FRAME[["p", "q", "r"]],
        FRAME.assign(t=1.0),
        FRAME.rename(columns={"p": "t"}),
    ],
    ids=["another order", "too few", "too many", "another name"],
)
@pytest.mark.parametrize(
    "call",
    [
        lambda model, frame: model.partial_fit(frame, NAMES),
        lambda model, frame: model.set_params(warm_start=True).fit(frame, NAMES),
        lambda model, frame: model.fit(FRAME, NAMES, X_val=frame, y_val=NAMES),
        lambda model, frame: model.predict(frame),
        lambda model, frame: model.activations(frame),
        lambda model, frame: model.cost_gradient(frame, NAMES),
    ],
    ids=["partial_fit", "warm start", "X_val", "predict", "activations", "cost_gradient"],
)
def test_other_features_by_name_are_named(trained_on_names, call, frame):
    trained_on_names.set_params(warm_start=True)
    with (
        unchanged(trained_on_names),
        pytest.raises(ValueError, match="feature names should match those that were passed"),
    ):
        call(trained_on_names, frame)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_other_features_by_name_of_validation_rows_are_named(early_stopping):
    model = classifier(early_stopping=early_stopping)
    swapped = FRAME[["q", "p", "r", "s"]]
    with pytest.raises(ValueError, match=r"X_val and y_val are not allowed: The feature names"):
        model.fit(FRAME, NAMES, X_val=swapped, y_val=NAMES)


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


# Fitted networks


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


SIZES = r"coefs_\[0\] and intercepts_\[0\] must have the shapes \(4, 5\) and \(5,\)"


@pytest.mark.parametrize(
    "call",
    [
        lambda model: model.predict(X),
        lambda model: model.predict_proba(X[:1]),
        lambda model: model.activations(X),
        lambda model: model.cost(X, NAMES),
        lambda model: model.set_params(warm_start=True, solver="cg").fit(X, NAMES),
        lambda model: model.set_params(solver="adam").partial_fit(X, NAMES),
    ],
    ids=["predict", "predict_proba", "activations", "cost", "fit", "partial_fit"],
)
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"coefs_": None}, "coefs_ must hold 2 arrays, one per layer; got None"),
        ({"coefs_": [np.ones((4, 5))]}, "coefs_ must hold 2 arrays, one per layer; got 1 of them"),
        ({"intercepts_": []}, "intercepts_ must hold 2 arrays, one per layer; got 0 of them"),
        ({"coefs_": [np.ones((3, 5)), np.ones((5, 3))]}, rf"{SIZES}; got \(3, 5\) and \(5,\)"),
        ({"coefs_": [np.ones((4, 6)), np.ones((5, 3))]}, rf"{SIZES}; got \(4, 6\) and \(5,\)"),
        ({"coefs_": [np.ones((4, 5)), np.ones((5, 2))]}, r"\(5, 3\) and \(3,\); got \(5, 2\)"),
        ({"intercepts_": [np.ones((1, 5)), np.ones(3)]}, rf"{SIZES}; got \(4, 5\) and \(1, 5\)"),
        ({"intercepts_": [np.ones(5), 0.0]}, r"intercepts_\[1\] must have the shapes"),
        (
            {"coefs_": [1j * np.ones((4, 5)), np.ones((5, 3))]},
            "arrays of numbers; they are complex",
        ),
        ({"coefs_": [[["a"]], np.ones((5, 3))]}, "arrays of numbers; could not convert string"),
        ({"coefs_": [sp.eye(4, 5), np.ones((5, 3))]}, r"coefs_\[0\] .* arrays of numbers"),
        ({"coefs_": [np.full((4, 5), np.nan), np.ones((5, 3))]}, "intercepts_ must be finite"),
        ({"intercepts_": [np.ones(5), np.full(3, np.inf)]}, "intercepts_ must be finite"),
    ],
)
def test_weights_that_can_not_be_assigned_are_named(fitted, call, changes, message):
    model = copy.deepcopy(fitted)
    vars(model).update(changes)
    with pytest.raises(ValueError, match=message):
        call(model)


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
        ([THETA1, np.ones((2, 6))], {}, ValueError, "Two rows .* multilabel=True, or .*softmax"),
        ([THETA1, THETA2], {"classes": ["a", "b"]}, ValueError, "classes must be .* for 3 rows"),
        ([THETA1, THETA2], {"classes": [1, 2, 2]}, ValueError, r"classes must be .* \[1 2 2\]"),
        ([1j * THETA1, THETA2], {}, ValueError, "thetas must be .* complex"),
        ([["a"]], {}, ValueError, "thetas must be a sequence of matrices"),
        ([THETA1, THETA2], {"classes": [1, 2, np.nan]}, ValueError, "classes must be .* nan"),
        ([THETA1, THETA2], {"classes": [1, None, "a"]}, ValueError, "classes must be .* None"),
        ([THETA1, THETA2], {"classes": 3}, ValueError, "classes must be .* got 3"),
        ([THETA1, THETA2], {"classes": [[1, 2, 3]]}, ValueError, "classes must be"),
        ([THETA1, np.ones((1, 6))], {"classes": [1, 2, 3]}, ValueError, "two labels for one row"),
        ([THETA1, np.ones((1, 6))], {"classes": []}, ValueError, "two labels for one row"),
        ([THETA1, np.ones((1, 6))], {"multilabel": True}, ValueError, "two labels or more"),
        ([THETA1, THETA2], {"multilabel": "no"}, ValueError, "multilabel must be .* got 'no'"),
        ([THETA1, THETA2], {"multilabel": None}, ValueError, "multilabel must be .* got None"),
        ([THETA1, THETA2], {"multilabel": True, "classes": "abc"}, ValueError, "must be .0 1 2"),
        (
            [THETA1, np.ones((2, 6))],
            {"output_activation": "softmax", "classes": [1]},
            ValueError,
            "classes must be .* for 2 rows",
        ),
        ([THETA1, THETA2], {"alpha": -1}, ValueError, "'alpha' parameter"),
        ([THETA1, THETA2], {"activation": ["relu"] * 2}, ValueError, "activation must be"),
        ([THETA1, THETA2], {"class_weight": "balanced"}, ValueError, "class_weight='balanced'"),
        ([THETA1, THETA2], {"class_weight": {7: 1}}, ValueError, "class_weight names labels"),
        ([THETA1, THETA2], {"hidden_layer_sizes": 5}, ValueError, "hidden_layer_sizes must not"),
        ([THETA1, THETA2], {"layers": 5}, TypeError, "layers"),
    ],
)
def test_wrong_matrices_are_named(thetas, params, kind, message):
    with pytest.raises(kind, match=re.compile(message, re.DOTALL)):
        BackpropMLPClassifier.from_thetas(thetas, **params)


@pytest.mark.parametrize(
    "method",
    ["predict", "predict_proba", "predict_log_proba", "decision_function", "activations"],
)
@pytest.mark.parametrize("kind", [BackpropMLPClassifier, BackpropMLPClassifierCV])
def test_what_is_not_fitted_does_not_predict(kind, method):
    if kind is BackpropMLPClassifierCV and method == "activations":
        pytest.skip("there is no such method")
    with pytest.raises(NotFittedError, match=f"This {kind.__name__} instance is not fitted yet"):
        getattr(kind(), method)(X)


@pytest.mark.parametrize("method", ["cost", "cost_gradient", "score"])
def test_what_is_not_fitted_has_no_cost(method):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(BackpropMLPClassifier(), method)(X, Y)


def test_what_is_not_fitted_has_no_thetas():
    with pytest.raises(NotFittedError, match="not fitted yet"):
        _ = BackpropMLPClassifier().thetas_


# The other public functions and classes


def search(*, network=None, **params):
    """A fit of a search over alpha."""
    network = classifier(solver="lbfgs") if network is None else network
    return BackpropMLPClassifierCV(network, **{"alphas": [1.0], "cv": 2, **params}).fit(X, Y)


def regressor(y=X[:, 0], X=X, sample_weight=None, **params):
    """A fit of a regressor."""
    params = {"hidden_layer_sizes": 3, "max_iter": 2, "random_state": 0} | params
    return BackpropMLPRegressor(**params).fit(X, y, sample_weight)


def regressor_search(*, y=X[:, 0], network=None, **params):
    """A fit of a search over a regressor's alpha."""
    return BackpropMLPRegressorCV(network, **{"alphas": [1.0], "cv": 2, **params}).fit(X, y)


def onnx_graph(model, X=X, **params):
    return pytest.importorskip("backprop_mlp.onnx").to_onnx(model, X, **params)


def on_dask(X=X, y=Y, **params):
    door = pytest.importorskip("backprop_mlp.dask")
    return door.DaskBackpropMLPClassifier(**params).fit(X, y)


def regressor_on_dask(**params):
    door = pytest.importorskip("backprop_mlp.dask")
    return door.DaskBackpropMLPRegressor(**params).fit(X, X[:, 0])


def encoded(X, sample_weight=None, **params):
    return PiecewiseLinearEncoder(**params).fit(X, sample_weight=sample_weight)


DATES = FRAME.assign(q=pd.date_range("2020-01-01", periods=len(FRAME)))
FIXED = BackpropMLPClassifier.from_thetas([THETA1, THETA2])
LINE = BackpropMLPRegressor.from_thetas([np.ones((1, 5))])
OTHER = LogisticRegression()
CALLS = {
    "BackpropMLPClassifierCV": [
        (lambda: search(network=OTHER), ValueError, "'estimator' parameter"),
        (lambda: search(network=classifier(early_stopping=True)), ValueError, "early_stopping"),
        (lambda: search(network=classifier(alpha=-1.0)), ValueError, "'alpha' parameter"),
        (lambda: search(alphas=0), ValueError, "'alphas' parameter.*Got 0"),
        (lambda: search(alphas=0.5), ValueError, "'alphas' parameter.*Got 0.5"),
        (lambda: search(alphas=10**400), ValueError, "'alphas' parameter.*Got 1000"),
        (lambda: search(alphas=[]), ValueError, r"alphas must be .* got \[\]"),
        (lambda: search(alphas=[-1.0]), ValueError, r"alphas must be .* got \[-1.0\]"),
        (lambda: search(alphas=[np.nan]), ValueError, r"alphas must be .* got \[nan\]"),
        (lambda: search(alphas=["a"]), ValueError, r"alphas must be .* got \['a'\]"),
        (lambda: search(alphas=[1j]), ValueError, r"alphas must be .* got \[1j\]"),
        (lambda: search(alphas=[[1.0]]), ValueError, r"alphas must be .* got \[\[1.0\]\]"),
        (lambda: search(cv=1), ValueError, "'cv' parameter.*Got 1"),
        (lambda: search(cv=100), ValueError, "cv, the number of folds, .* got 100"),
        (lambda: search(cv=100), ValueError, "got 100 with n_samples=12.$"),
        (lambda: search(cv=[]), ValueError, r"cv must give at least one fold; got \[\]"),
        (lambda: search(cv=np.array(5)), ValueError, r"cv must be an int.* got array\(5\)"),
        (lambda: search(scoring="loss"), ValueError, "'scoring' parameter"),
        (lambda: search(n_jobs="all"), ValueError, "'n_jobs' parameter"),
        (lambda: search(refit="yes"), ValueError, "'refit' parameter"),
    ],
    "BackpropMLPRegressor": [
        (lambda: regressor(loss="absolute_error"), ValueError, "'loss' parameter"),
        (lambda: regressor(huber_threshold=0.0), ValueError, "'huber_threshold' parameter"),
        (lambda: regressor(quantile=0.0), ValueError, "'quantile' parameter.*Got 0.0"),
        (lambda: regressor(normalize_y="y"), ValueError, "'normalize_y' parameter"),
        (lambda: regressor(solver="newton"), ValueError, "'solver' parameter"),
        (lambda: regressor(alpha=-1.0), ValueError, "'alpha' parameter.*Got -1.0"),
        (lambda: regressor(dropout=0.5), ValueError, "dropout needs mini-batches"),
        (lambda: regressor(hidden_layer_sizes=(3, 0)), ValueError, "hidden_layer_sizes must hold"),
        (lambda: regressor(activation="sin"), ValueError, "activation.*sin"),
        (lambda: regressor(loss="poisson"), ValueError, "y must be >= 0 with loss='poisson'"),
        (lambda: regressor(loss="gamma"), ValueError, "y must be > 0 with loss='gamma'"),
        (lambda: regressor(NAMES), ValueError, "y must hold numbers"),
        (lambda: regressor(X[:, 0] + 1j), ValueError, "Complex data not supported"),
        (lambda: regressor(X[:5, 0]), ValueError, "inconsistent numbers of samples"),
        (lambda: regressor(np.full(12, np.nan)), ValueError, "contains NaN"),
        (lambda: regressor(sp.csr_matrix(X)), ValueError, "y must be a dense array"),
        (lambda: regressor(np.ones((12, 2, 2))), ValueError, "dim 3"),
        (lambda: regressor(sample_weight=-ONES), ValueError, "Negative values"),
        (lambda: regressor(sample_weight=0.0 * ONES), ValueError, "non-zero|sum above 0"),
        (lambda: LINE.predict(X[:, :3]), ValueError, "4 features"),
        (lambda: LINE.cost(X, X), ValueError, "y must be of shape"),
        (lambda: BackpropMLPRegressor.from_thetas([]), ValueError, "thetas must be"),
        (lambda: BackpropMLPRegressor().predict(X), ValueError, "not fitted"),
    ],
    "BackpropMLPRegressorCV": [
        (lambda: regressor_search(network=OTHER), ValueError, "'estimator' parameter"),
        (
            lambda: regressor_search(network=BackpropMLPRegressor(early_stopping=True)),
            ValueError,
            "early_stopping",
        ),
        (lambda: regressor_search(alphas=[-1.0]), ValueError, r"alphas must be .* got \[-1.0\]"),
        (lambda: regressor_search(cv=1), ValueError, "'cv' parameter.*Got 1"),
        (lambda: regressor_search(scoring="log"), ValueError, "'scoring' parameter"),
        (lambda: regressor_search(refit="yes"), ValueError, "'refit' parameter"),
        (lambda: regressor_search(y=NAMES), ValueError, "y must hold numbers"),
        (
            lambda: regressor_search(network=BackpropMLPRegressor(loss="gamma")),
            ValueError,
            "y must be > 0",
        ),
    ],
    "PiecewiseLinearEncoder": [
        (lambda: encoded(X, n_bins=0), ValueError, "'n_bins' parameter.*Got 0"),
        (lambda: encoded(X, n_bins=2.5), ValueError, "'n_bins' parameter.*Got 2.5"),
        (lambda: encoded(X, scale=-1.0), ValueError, "'scale' parameter.*Got -1.0"),
        (lambda: encoded(sp.csr_matrix(X)), TypeError, "X must be dense.*got a sparse matrix"),
        (lambda: encoded([[np.inf]]), ValueError, "infinity"),
        (lambda: encoded(np.ma.masked_less(X, 0.0)), ValueError, "X must not hold masked entries"),
        (lambda: encoded(X, sample_weight=-ONES), ValueError, "Negative values"),
    ],
    "make_tabular_classifier": [
        (lambda: make_tabular_classifier(n_folds=1), ValueError, "n_folds must be .* got 1"),
        (lambda: make_tabular_classifier(estimator=OTHER), TypeError, "must be a BackpropMLPCl"),
        (lambda: make_tabular_classifier().fit(DATES, Y), ValueError, "Column 'q' must hold"),
    ],
    "make_tabular_regressor": [
        (lambda: make_tabular_regressor(n_folds="5"), ValueError, "n_folds must be .* got '5'"),
        (lambda: make_tabular_regressor(estimator=OTHER), TypeError, "must be a BackpropMLPReg"),
        (lambda: make_tabular_regressor().fit(DATES, ONES), ValueError, "Column 'q' must hold"),
    ],
    "check_gradient": [
        (lambda: check_gradient(OTHER, X, Y), TypeError, "estimator must be a Backprop"),
        (lambda: check_gradient(classifier(), X[:, 0], Y), ValueError, "Expected 2D array"),
        (lambda: check_gradient(FIXED, X, Y + 1), ValueError, r"not among the classes .*: \[3\]"),
        (lambda: check_gradient(FIXED, X, Y, -ONES), ValueError, "sample_weight"),
        (lambda: check_gradient(FIXED, X, Y, step=0.0), ValueError, "step must be .* got 0.0"),
        (lambda: check_gradient(FIXED, X, Y, step=10**400), ValueError, "step must be .* got 1000"),
        (lambda: check_gradient(FIXED, X, Y, step=1e-30), ValueError, "step must not vanish"),
        *[
            (
                lambda seed=seed: check_gradient(classifier(), X, Y, random_state=seed),
                ValueError,
                f"random_state must be an integer >= 0; got {re.escape(repr(seed))}",
            )
            for seed in (None, "seed", -1, 1.5)
        ],
    ],
    "learning_rate_range_test": [
        (lambda: learning_rate_range_test(OTHER, X, Y), TypeError, "must be a Backprop"),
        (lambda: learning_rate_range_test(FIXED, X, Y), ValueError, "solver must be one of"),
        (
            lambda: learning_rate_range_test(classifier(), X, Y, min_rate=1.0, max_rate=0.1),
            ValueError,
            "min_rate < max_rate; got 1.0 and 0.1",
        ),
        (
            lambda: learning_rate_range_test(classifier(), X, Y, max_rate=10**400),
            ValueError,
            "min_rate < max_rate; got .* and 1000",
        ),
        (
            lambda: learning_rate_range_test(classifier(), X, Y, n_steps=3),
            ValueError,
            "n_steps must be an integer >= 10; got 3",
        ),
    ],
    "load_ex4_data": [
        (lambda: load_ex4_data("no_such.mat"), FileNotFoundError, "no_such.mat"),
        (lambda: load_ex4_data(__file__), ValueError, "expected a MATLAB file"),
        (lambda: load_ex4_data(3), TypeError, "int"),
        (lambda: load_ex4_data("x", zero_label="0"), ValueError, "zero_label .* got '0'"),
    ],
    "load_ex4_weights": [
        (lambda: load_ex4_weights("no_such.mat"), FileNotFoundError, "no_such.mat"),
        (lambda: load_ex4_weights(__file__), ValueError, "expected a MATLAB file"),
    ],
    "ImageGridDisplay": [
        (lambda: ImageGridDisplay.from_rows(X[0]), ValueError, r"X must hold one image.*\(4,\)"),
        (lambda: ImageGridDisplay.from_rows(X[:0]), ValueError, r"X must hold one image.*\(0, 4\)"),
        (
            lambda: ImageGridDisplay.from_rows(sp.csr_matrix(X)),
            ValueError,
            r"X must hold one image per row; got an array of shape \(\)",
        ),
        *[
            (
                lambda shape=shape: ImageGridDisplay.from_rows(X, image_shape=shape),
                ValueError,
                rf"image_shape must be \(height, width\).*got {re.escape(repr(shape))}",
            )
            for shape in (4, "ab", (2, 3), (-2, -2), (2.0, 2.0), (1, 2, 2))
        ],
        (lambda: ImageGridDisplay.from_rows(X, order="A"), ValueError, "order must be .* got 'A'"),
        *[
            (
                lambda number=number: ImageGridDisplay.from_rows(X, n_columns=number),
                ValueError,
                f"n_columns must be an integer > 0; got {number!r}",
            )
            for number in (0, -1, 1.5, "two")
        ],
        (lambda: ImageGridDisplay(X).plot(), ValueError, r"images must have .* got \(12, 4\)"),
    ],
    "HiddenUnitsDisplay": [
        *[
            (
                lambda layer=layer: HiddenUnitsDisplay.from_estimator(FIXED, layer=layer),
                ValueError,
                f"layer must be from 0 to 1 for this network; got {layer!r}",
            )
            for layer in (2, -1, 0.5, "first", None)
        ],
        (lambda: HiddenUnitsDisplay.from_estimator(3), TypeError, "not an estimator instance"),
        (
            lambda: HiddenUnitsDisplay.from_estimator(BackpropMLPClassifier()),
            NotFittedError,
            "not fitted yet",
        ),
        (
            lambda: HiddenUnitsDisplay.from_estimator(OTHER.fit(X, Y)),
            TypeError,
            "must be a network that has coefs_; got LogisticRegression",
        ),
        (
            lambda: HiddenUnitsDisplay.from_estimator(FIXED, n_columns=0),
            ValueError,
            "n_columns must be an integer > 0; got 0",
        ),
        (lambda: HiddenUnitsDisplay(X).plot(), ValueError, r"weights must have .* got \(12, 4\)"),
    ],
    "NetworkActivationsDisplay": [
        *[
            (
                lambda row=row: NetworkActivationsDisplay.from_estimator(FIXED, X, row=row),
                ValueError,
                f"row must be from 0 to 11; got {row!r}",
            )
            for row in (12, -1, 0.5, "first", None)
        ],
        (
            lambda: NetworkActivationsDisplay.from_estimator(FIXED, X, n_largest=0),
            ValueError,
            "n_largest must be an integer > 0; got 0",
        ),
        (
            lambda: NetworkActivationsDisplay.from_estimator(FIXED, X[:, :2]),
            ValueError,
            "X has 2 features",
        ),
        (
            lambda: NetworkActivationsDisplay.from_estimator(OTHER.fit(X, Y), X),
            TypeError,
            "must be a network that has activations; got LogisticRegression",
        ),
    ],
    "LossCurveDisplay": [
        (lambda: LossCurveDisplay.from_estimator([FIXED]), TypeError, "not an estimator instance"),
        (lambda: LossCurveDisplay.from_estimator({}), ValueError, "estimator must .* got {}"),
        (lambda: LossCurveDisplay({}).plot(), ValueError, "loss_curves must be .* got {}"),
        (lambda: LossCurveDisplay([1.0]).plot(), ValueError, r"loss_curves must be .* \[1.0\]"),
        (
            lambda: LossCurveDisplay.from_estimator({"a": BackpropMLPClassifier()}),
            NotFittedError,
            "not fitted yet",
        ),
        (
            lambda: LossCurveDisplay.from_estimator(OTHER.fit(X, Y)),
            TypeError,
            "must be a network that has loss_curve_; got LogisticRegression",
        ),
    ],
    "GradientCheckDisplay": [
        (lambda: GradientCheckDisplay.from_estimator(OTHER, X, Y), TypeError, "must be a Backprop"),
        (
            lambda: GradientCheckDisplay.from_estimator(classifier(), X, Y, random_state=None),
            ValueError,
            "random_state must be an integer >= 0; got None",
        ),
    ],
    "LearningRateRangeDisplay": [
        (
            lambda: LearningRateRangeDisplay.from_estimator(FIXED, X, Y),
            ValueError,
            "solver must be one of",
        ),
    ],
    "Constant": [
        (lambda: schedules.Constant(-1.0), ValueError, "initial must be .* got -1.0"),
        (lambda: schedules.Constant(10**400), ValueError, "initial must be .* got 1000"),
    ],
    "InvScaling": [
        (lambda: schedules.InvScaling(0.1, power=np.nan), ValueError, "power must be .* got nan"),
    ],
    "Step": [(lambda: schedules.Step(0.1, every=0), ValueError, "every must be .* > 0; got 0")],
    "Exponential": [
        (lambda: schedules.Exponential("a", 10), ValueError, "initial must be .* got 'a'"),
    ],
    "InverseTime": [
        (lambda: schedules.InverseTime(0.1, 10, decay=-1), ValueError, "decay must be .* got -1"),
    ],
    "Cosine": [
        (
            lambda: schedules.Cosine(0.1, 5, warm_up=5),
            ValueError,
            "warm_up must be below horizon=5",
        ),
    ],
    "Uniform": [
        (lambda: initializers.Uniform(0), ValueError, "width must be .* > 0; got 0"),
        (lambda: initializers.Uniform(10**400), ValueError, "width must be .* > 0; got 1000"),
    ],
    **{
        name: [(lambda name=name: getattr(initializers, name)(0.1), TypeError, "argument")]
        for name in ("GlorotUniform", "GlorotNormal", "Xavier", "HeNormal")
    },
    "to_onnx": [
        (lambda: onnx_graph(BackpropMLPClassifier()), NotFittedError, "not fitted yet"),
        (lambda: onnx_graph(FIXED, None), ValueError, "needs X, .* or initial_types; got neither"),
        (lambda: onnx_graph(FIXED, None, initial_types=[]), ValueError, "needs X, .* got neither"),
        (lambda: onnx_graph(FIXED, options=1), TypeError, "options must be a dictionary.* got 1"),
        (lambda: onnx_graph(FIXED, options=[]), TypeError, r"options must be .* got \[\]"),
        (lambda: onnx_graph(3), TypeError, "model must be a fitted estimator; got 3"),
        (lambda: onnx_graph(BackpropMLPClassifier), TypeError, "model must be a fitted estimator"),
        *[
            (
                lambda rows=rows: onnx_graph(FIXED, rows),
                ValueError,
                f"X must be an array of shape .* got {re.escape(repr(rows))}",
            )
            for rows in ("X", True, np.array(5), [[1.0, 2.0, 3.0, 4.0]])
        ],
        (
            lambda: onnx_graph(FIXED, pd.DataFrame(X)),
            ValueError,
            r"columns of X must have strings as names.* got 0\. X.to_numpy\(\)",
        ),
        (
            lambda: onnx_graph(from_halves()),
            ValueError,
            r"integers or strings; got \[0.5 1.5 2.5\]",
        ),
    ],
    "DaskBackpropMLPClassifier": [
        (lambda: on_dask(estimator=OTHER), ValueError, "'estimator' parameter"),
        (lambda: on_dask(client="localhost"), ValueError, "'client' parameter"),
        (
            lambda: on_dask(estimator=classifier(solver="cg", early_stopping=True)),
            ValueError,
            "early_stopping=True needs X_val and y_val",
        ),
    ],
    "DaskBackpropMLPRegressor": [
        (lambda: regressor_on_dask(estimator=OTHER), ValueError, "'estimator' parameter"),
        (lambda: regressor_on_dask(client="localhost"), ValueError, "'client' parameter"),
        (
            lambda: regressor_on_dask(estimator=BackpropMLPRegressor(early_stopping=True)),
            ValueError,
            "early_stopping=True needs X_val and y_val",
        ),
    ],
}


def from_halves():
    return BackpropMLPClassifier.from_thetas([THETA1, THETA2], classes=[0.5, 1.5, 2.5])


def test_every_public_name_has_a_wrong_call():
    """But for warnings and results, which nobody makes, and the classifier: see above."""
    names = {
        *backprop_mlp.__all__,
        *schedules.__all__,
        *initializers.__all__,
        *("to_onnx", "DaskBackpropMLPClassifier", "DaskBackpropMLPRegressor"),
    }
    warnings = {"IgnoredKeywordWarning", "StrongPenaltyWarning"}
    results = {"GradientCheck", "BlockCheck", "LearningRateRange"}
    results |= {"NetworkSummary", "LayerSummary"}
    assert set(CALLS) == names - warnings - results - {"BackpropMLPClassifier"}


@pytest.mark.filterwarnings("ignore:.*least populated class:UserWarning")
@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        pytest.param(*row, id=f"{name}-{number}")
        for name, rows in CALLS.items()
        for number, row in enumerate(rows)
    ],
)
def test_a_wrong_call_is_named(call, kind, message):
    with pytest.raises(kind, match=re.compile(message, re.DOTALL)):
        call()
    if "matplotlib.pyplot" in sys.modules:
        assert not sys.modules["matplotlib.pyplot"].get_fignums()
