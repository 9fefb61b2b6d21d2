"""The exported graphs, run by onnxruntime, agree with the classifier."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingRegressor, StackingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from backprop_mlp import (
    BackpropMLPClassifier,
    BackpropMLPClassifierCV,
    BackpropMLPRegressor,
    BackpropMLPRegressorCV,
    make_tabular_classifier,
    make_tabular_regressor,
)
from backprop_mlp._network.activations import ACTIVATIONS, Activation

onnxruntime = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")

from backprop_mlp._onnx import graph  # noqa: E402
from backprop_mlp._onnx.networks import ACTIVATIONS as OPERATORS  # noqa: E402
from backprop_mlp.onnx import to_onnx  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, SPECIES = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica (é)"])

TARGETS = {
    "integers": SPECIES * 7 - 3,
    "strings": NAMES[SPECIES],
    "objects": NAMES.astype(object)[SPECIES],
    "two integers": np.where(SPECIES == 1, 5, 2),
    "two strings": np.where(SPECIES == 1, "yes", "no"),
    "booleans": SPECIES == 1,
    "whole floats": SPECIES * 2.0,
    "beyond int32": SPECIES * 2**40,
    "one class": np.full(len(X), 4),
    "one string": np.full(len(X), "only"),
    "multilabel": np.column_stack([SPECIES == 0, SPECIES > 0, X[:, 0] > 6.0]).astype(int),
    "two labels": np.column_stack([SPECIES == 0, X[:, 0] > 6.0]).astype(int),
}


def run(graph, X):
    """Labels and probabilities, or whatever the graph's outputs are."""
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {session.get_inputs()[0].name: X})


def network(**params):
    return BackpropMLPClassifier(
        **{"hidden_layer_sizes": 6, "max_iter": 5, "alpha": 0.1, "random_state": 0} | params
    )


def regressor(**params):
    return BackpropMLPRegressor(
        **{"hidden_layer_sizes": 6, "max_iter": 10, "random_state": 0} | params
    )


def assert_agrees(model, X, tolerance):
    labels, probabilities = run(to_onnx(model, X[:1]), X)
    assert probabilities.dtype == X.dtype
    np.testing.assert_array_equal(labels, model.predict(X))
    np.testing.assert_allclose(probabilities, model.predict_proba(X), rtol=0, atol=tolerance)


# float32 graphs are computed in float32, as those of every scikit-learn model.
PRECISIONS = pytest.mark.parametrize(
    ("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-12)]
)


@PRECISIONS
@pytest.mark.parametrize("output_activation", ["logistic", "softmax"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_and_output(activation, output_activation, dtype, tolerance):
    model = make_pipeline(
        StandardScaler(),
        network(
            hidden_layer_sizes=(6, 5), activation=activation, output_activation=output_activation
        ),
    )
    assert_agrees(model.fit(X, SPECIES), X.astype(dtype), tolerance)


@PRECISIONS
@pytest.mark.parametrize("kind", TARGETS)
def test_every_kind_of_target(kind, dtype, tolerance):
    model = make_pipeline(StandardScaler(), network()).fit(X, TARGETS[kind])
    assert_agrees(model, X.astype(dtype), tolerance)


@PRECISIONS
@pytest.mark.parametrize("hidden", [(), 3, (4, 3, 2)])
def test_every_depth(hidden, dtype, tolerance):
    model = make_pipeline(StandardScaler(), network(hidden_layer_sizes=hidden, activation="tanh"))
    assert_agrees(model.fit(X, SPECIES), X.astype(dtype), tolerance)


@PRECISIONS
@pytest.mark.parametrize("params", [{"batch_norm": True}, {"dropout": 0.3}])
def test_batch_norm_and_dropout_are_folded_away(params, dtype, tolerance):
    model = make_pipeline(StandardScaler(), network(solver="adam", **params))
    assert_agrees(model.fit(X, SPECIES), X.astype(dtype), tolerance)


def test_a_network_trained_in_float32():
    X32 = X.astype(np.float32)
    assert_agrees(network().fit(X32, SPECIES), X32, 1e-5)


@pytest.mark.parametrize("output_activation", ["logistic", "softmax"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_logits_do_not_overflow(output_activation, dtype):
    thetas = [np.array([[0.0, 1.0], [0.0, -1.0], [-1000.0, 0.0]])]
    model = BackpropMLPClassifier.from_thetas(thetas, output_activation=output_activation)
    logits = np.array([[-1e4], [-800.0], [-1.0], [0.0], [800.0], [1e4]], dtype)
    assert_agrees(model, logits, 1e-5)
    binary = BackpropMLPClassifier.from_thetas([np.array([[0.0, 1.0]])])
    assert_agrees(binary, logits, 1e-5)


def units_off(found, exact):
    """Distance to exact numbers (longdouble) in units in the last place, where they are normal."""
    unit = np.spacing(exact.astype(found.dtype)).astype(np.longdouble)
    return np.where(exact < np.finfo(found.dtype).tiny, 0.0, np.abs(found - exact) / unit)


@pytest.mark.parametrize("opset", [None, 13, 17])
@pytest.mark.parametrize(("dtype", "largest"), [(np.float32, 87.0), (np.float64, 708.0)])
def test_small_probabilities_of_two_classes_are_exact_to_four_units(dtype, largest, opset):
    z = np.linspace(-largest, largest, 2001).astype(dtype)[:, np.newaxis]
    model = BackpropMLPClassifier.from_thetas([np.array([[0.0, 1.0]])])
    _, found = run(to_onnx(model, z[:1], target_opset=opset), z)
    exact = 1 / (1 + np.exp(np.hstack([z, -z]).astype(np.longdouble)))
    assert found.dtype == dtype
    assert units_off(found, exact).max() <= 4.0


@pytest.mark.parametrize("opset", [None, 13, 17])
@pytest.mark.parametrize("output_activation", ["logistic", "softmax"])
@pytest.mark.parametrize(("dtype", "spread"), [(np.float32, 20.0), (np.float64, 150.0)])
def test_small_probabilities_of_many_classes_are_as_exact_as_predict_proba(
    dtype, spread, output_activation, opset
):
    z = (spread * np.random.default_rng(0).normal(size=(2000, 4))).astype(dtype)
    thetas = [np.column_stack([np.zeros(4), np.eye(4)])]
    model = BackpropMLPClassifier.from_thetas(thetas, output_activation=output_activation)
    _, found = run(to_onnx(model, z[:1], target_opset=opset), z)
    expected = model.predict_proba(z).astype(np.longdouble)
    assert (expected < np.finfo(dtype).eps).any()
    assert units_off(found, expected).max() <= 8.0


def test_small_probabilities_of_labels_are_exact_to_four_units():
    z = np.linspace(-87.0, 87.0, 2001).astype(np.float32)[:, np.newaxis]
    model = BackpropMLPClassifier(()).fit(z, np.column_stack([z > 0, z > 1, z > 2]).astype(int))
    model.coefs_, model.intercepts_ = [np.array([[1, -1, 0.5]], "f")], [np.zeros(3, "f")]
    _, found = run(to_onnx(model, z[:1]), z)
    exact = 1 / (1 + np.exp(-(z * model.coefs_[0]).astype(np.longdouble)))
    assert units_off(found, exact).max() <= 4.0


def test_every_activation_can_be_exported():
    assert set(ACTIVATIONS) == set(OPERATORS)


@PRECISIONS
def test_the_activation_that_the_page_on_extending_adds(dtype, tolerance, monkeypatch):
    """ONNX Runtime has most activation operators in float32 only."""
    page = Path(__file__).parents[1] / "docs" / "extending" / "activation.md"
    first, *_, last = re.findall(
        r"^```python\n(.*?)^```$", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    function: dict = {}
    operators = dict(vars(graph))
    exec(first, function)
    exec(last, operators)
    monkeypatch.setitem(ACTIVATIONS, "softplus", function["new"])
    monkeypatch.setitem(OPERATORS, "softplus", operators["_softplus"])
    model = make_pipeline(StandardScaler(), network(activation="relu")).fit(X, SPECIES)
    model[-1]._activations = ["softplus"]
    assert_agrees(model, X.astype(dtype), tolerance)
    assert_agrees(model, (1e4 * X).astype(dtype), tolerance)


def test_an_activation_that_onnx_does_not_know_is_named(monkeypatch):
    model = network().fit(X, SPECIES)
    cubic = Activation("cubic", lambda z: None, lambda a, d: None, lambda a: None)
    monkeypatch.setitem(ACTIVATIONS, "cubic", cubic)
    model._activations = ["cubic"]
    with pytest.raises(NotImplementedError, match="activation 'cubic' has no operators for ONNX"):
        to_onnx(model, X)


@pytest.mark.parametrize("kind", ["integers", "strings", "two strings", "multilabel"])
def test_the_options_of_skl2onnx(kind):
    X32 = X.astype(np.float32)
    y = TARGETS[kind]
    model = network().fit(X32, y)
    expected = model.predict_proba(X32)
    classes = model.classes_.tolist()

    # skl2onnx's own default is dictionaries.
    labels, dictionaries = run(skl2onnx.to_onnx(model, X32[:1]), X32)
    np.testing.assert_array_equal(labels, model.predict(X32))
    assert list(dictionaries[0]) == classes
    np.testing.assert_allclose(
        [list(row.values()) for row in dictionaries], expected, rtol=0, atol=1e-5
    )

    _, *columns = run(to_onnx(model, X32[:1], options={"zipmap": "columns"}), X32)
    np.testing.assert_allclose(np.column_stack(columns), expected, rtol=0, atol=1e-5)

    options = {"zipmap": False, "output_class_labels": True}
    assert run(to_onnx(model, X32[:1], options=options), X32)[2].tolist() == classes

    options = {"zipmap": False, "raw_scores": True}
    scores = run(to_onnx(model, X32[:1], options=options), X32)[1]
    z = model.decision_function(X32)
    z = np.column_stack([-z, z]) if z.ndim == 1 else z
    np.testing.assert_allclose(scores, z, rtol=1e-4, atol=1e-4)

    if kind != "multilabel":
        options = {"zipmap": False, "nocl": True}
        numbers = run(to_onnx(model, X32[:1], options=options), X32)[0]
        np.testing.assert_array_equal(model.classes_[numbers], model.predict(X32))


class Subclass(BackpropMLPClassifier):
    """Registered by nobody."""


@pytest.fixture
def unregistered(monkeypatch):
    """As if nobody had imported ``backprop_mlp.onnx``."""
    for known in (skl2onnx._parse.sklearn_parsers_map, skl2onnx._parse.sklearn_operator_name_map):
        for kind in (BackpropMLPClassifier, BackpropMLPClassifierCV):
            monkeypatch.delitem(known, kind)
        monkeypatch.setitem(known, Subclass, None)  # only to be removed in the end
        del known[Subclass]


@pytest.mark.parametrize(
    "options",
    [
        None,
        {"zipmap": "columns"},
        {"zipmap": False},
        {"zipmap": False, "output_class_labels": True},
        {"zipmap": False, "raw_scores": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["integers", "two strings", "multilabel"])
@pytest.mark.parametrize(
    "model",
    [
        network(),
        Subclass(6, max_iter=10, random_state=0),
        make_pipeline(StandardScaler(), network()),
        GridSearchCV(make_pipeline(StandardScaler(), network()), {}, cv=2),
        GridSearchCV(network(), {}, cv=2),
        BackpropMLPClassifierCV(network(), alphas=2, cv=2),
    ],
    ids=repr,
)
def test_skl2onnx_asks_a_classifier_that_it_does_not_know(model, kind, options, unregistered):
    """The first conversion and those after it give the same graph."""
    X32 = X.astype(np.float32)
    model = clone(model).fit(X32, TARGETS[kind])
    last = model
    while not hasattr(last, "classes_") or hasattr(last, "steps") or isinstance(last, GridSearchCV):
        last = last.best_estimator_ if isinstance(last, GridSearchCV) else last[-1]
    options = None if options is None else {id(last): options}
    outputs = [
        run(skl2onnx.to_onnx(model, X32[:1], options=options), X32) for registered in range(2)
    ]
    assert len(outputs[0]) == len(outputs[1])
    np.testing.assert_array_equal(outputs[0][0], model.predict(X32))
    for first, second in zip(*outputs, strict=True):
        np.testing.assert_array_equal(first, second)
    if options == {id(last): {"zipmap": False}}:
        np.testing.assert_allclose(outputs[0][1], model.predict_proba(X32), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "model",
    [
        GridSearchCV(make_pipeline(StandardScaler(), network()), {}, cv=2),
        make_pipeline(StandardScaler(), GridSearchCV(network(), {"alpha": [0.1, 1.0]}, cv=2)),
        make_pipeline(StandardScaler(), BackpropMLPClassifierCV(network(), alphas=2, cv=2)),
        CalibratedClassifierCV(network(), cv=2),
        OneVsRestClassifier(network()),
        StackingClassifier([("network", network()), ("linear", LogisticRegression())], cv=2),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("y", [SPECIES, TARGETS["two integers"]], ids=["three", "two"])
@PRECISIONS
def test_inside_other_estimators(model, y, dtype, tolerance):
    assert_agrees(clone(model).fit(X, y), X.astype(dtype), tolerance)


def test_a_dataframe_makes_one_input_per_column():
    frame = pd.DataFrame(X.astype(np.float32), columns=list("abcd"))
    model = network().fit(frame, SPECIES)
    session = onnxruntime.InferenceSession(to_onnx(model, frame).SerializeToString())
    feeds = {name: frame[[name]].to_numpy() for name in frame}
    _, probabilities = session.run(None, feeds)
    np.testing.assert_allclose(probabilities, model.predict_proba(frame), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "model",
    [
        network(),
        regressor(),
        make_pipeline(StandardScaler(), network()),
        GridSearchCV(make_pipeline(StandardScaler(), network()), {}, cv=2),
    ],
    ids=repr,
)
def test_columns_that_the_model_refuses_make_no_graph(model):
    """It would read them as those of training."""
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = clone(model).fit(frame, SPECIES)
    with pytest.raises(ValueError, match="must be in the same order"):
        to_onnx(model, frame[list("dcba")])
    with pytest.raises(ValueError, match="feature names should match"):
        to_onnx(model, frame.rename(columns={"a": "e"}))
    with pytest.raises(ValueError, match=r"X has 3 features, but .* expecting 4"):
        to_onnx(model, X[:, :3])
    with pytest.raises(ValueError, match="Expected 2D array"):
        to_onnx(model, X[0])
    to_onnx(model, X)  # without a warning of names


def test_a_column_transformer_picks_its_columns_by_name():
    frame = pd.DataFrame(X, columns=list("abcd"))
    columns = ColumnTransformer([("scaled", StandardScaler(), ["a", "b", "d"])])
    model = make_pipeline(columns, network()).fit(frame, SPECIES)
    reordered = frame[list("dcba")]
    session = onnxruntime.InferenceSession(to_onnx(model, reordered).SerializeToString())
    _, probabilities = session.run(None, {name: frame[[name]].to_numpy() for name in frame})
    np.testing.assert_allclose(probabilities, model.predict_proba(frame), rtol=0, atol=1e-12)


@pytest.mark.parametrize("model", [network(), regressor()], ids=repr)
def test_skl2onnx_is_told_of_inputs_in_another_order(model):
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = clone(model).fit(frame, SPECIES)
    with pytest.raises(ValueError, match=r"order of training, .*'a', 'b'.*; got .*'d', 'c'"):
        skl2onnx.to_onnx(model, frame[list("dcba")])


@pytest.mark.parametrize(
    "around",
    [
        lambda model: model,
        lambda model: make_pipeline(model),
        lambda model: VotingClassifier([("tuned", model)]),
    ],
    ids=["alone", "pipeline", "votes"],
)
def test_a_threshold_that_skl2onnx_leaves_out_is_refused(around):
    tuned = TunedThresholdClassifierCV(network(), cv=2, scoring="f1")
    model = around(tuned).fit(X, SPECIES == 1)
    with pytest.raises(NotImplementedError, match="leaves out the threshold"):
        to_onnx(model, X)


@pytest.mark.parametrize("around", [lambda model: model, lambda model: make_pipeline(model)])
def test_a_threshold_is_looked_for_in_what_a_search_has_chosen(around):
    def chosen(replaced, candidate):
        search = GridSearchCV(Pipeline([("last", replaced)]), {"last": [candidate]}, cv=2)
        return around(search).fit(X, SPECIES == 1)

    tuned = TunedThresholdClassifierCV(network(), cv=2, scoring="recall")
    assert_agrees(chosen(tuned, network()), X, 1e-12)
    with pytest.raises(NotImplementedError, match="leaves out the threshold"):
        to_onnx(chosen(network(), tuned), X)


TABLE = make_tabular_classifier(n_folds=2, random_state=0)


@pytest.mark.parametrize(
    "model",
    [
        TABLE,
        make_tabular_regressor(n_folds=2, random_state=0),
        make_pipeline(StandardScaler(), TABLE),
        GridSearchCV(TABLE, {}, cv=2),
        StackingClassifier([("table", TABLE)], cv=2),
    ],
    ids=["classes", "numbers", "pipeline", "search", "stack"],
)
def test_a_model_for_tables_is_refused_in_words_that_help(model):
    """skl2onnx speaks of a FunctionTransformer, or of a rank."""
    with pytest.raises(NotImplementedError, match="behind a ColumnTransformer of your own"):
        to_onnx(clone(model).fit(X, SPECIES), X)


@pytest.mark.parametrize("network", [network(), BackpropMLPClassifierCV(cv=2, refit="folds")])
def test_a_frame_of_float32_numbers_and_of_texts_is_imputed_and_encoded(network):
    """The way that the guide shows."""
    frame = pd.DataFrame(X, columns=list("abcd"), dtype=np.float32)
    frame = frame.mask(frame > 6.5).assign(e=list("xyz") * 50)
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), list("abcd")),
        (OneHotEncoder(handle_unknown="ignore"), ["e"]),
    )
    model = make_pipeline(columns, network).fit(frame, SPECIES)
    session = onnxruntime.InferenceSession(to_onnx(model, frame[:1]).SerializeToString())
    _, probabilities = session.run(None, {name: frame[[name]].to_numpy() for name in frame})
    np.testing.assert_allclose(probabilities, model.predict_proba(frame), rtol=0, atol=1e-5)


CALIBRATIONS = CalibratedClassifierCV._parameter_constraints["method"][0].options
"""With scikit-learn 1.8 or newer there is "temperature", too."""


@pytest.mark.parametrize(
    "around",
    [
        lambda model: model,
        lambda model: make_pipeline(StandardScaler(), model),
        lambda model: GridSearchCV(model, {}, cv=2),
        lambda model: VotingClassifier([("calibrated", model)]),
        lambda model: StackingClassifier([("calibrated", model)], cv=2),
        lambda model: StackingClassifier([("network", network())], model, cv=2),
    ],
    ids=["alone", "pipeline", "search", "votes", "stack", "top of a stack"],
)
@pytest.mark.parametrize("method", sorted(CALIBRATIONS - {"sigmoid"}))
def test_a_calibration_that_skl2onnx_gets_wrong_is_refused(around, method):
    model = around(CalibratedClassifierCV(network(), method=method, cv=2)).fit(X, SPECIES)
    message = f"method='sigmoid' only.*; got method='{method}'"
    with pytest.raises(NotImplementedError, match=message):
        to_onnx(model, X)


@pytest.mark.parametrize("lowercase", [False, True])
def test_texts_come_as_a_column(lowercase):
    """So graphs read them; scikit-learn's vectorisers do not."""
    texts, labels = ["a good film", "a bad film"] * 10, [1, 0] * 10
    vectoriser = TfidfVectorizer(lowercase=lowercase)
    model = make_pipeline(vectoriser, network(alpha=0.1)).fit(texts, labels)
    column = np.array(texts)[:, np.newaxis]
    graph = to_onnx(model, column)
    if not lowercase:  # to lower it, onnxruntime asks for a locale that not every system has
        np.testing.assert_array_equal(run(graph, column)[0], model.predict(texts))


def test_integers_are_computed_in_float32():
    counts = np.rint(X * 10).astype(np.int64)
    model = make_pipeline(StandardScaler(), network()).fit(counts, SPECIES)
    _, probabilities = run(to_onnx(model, counts), counts)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, model.predict_proba(counts), rtol=0, atol=1e-5)


def test_labels_that_onnx_does_not_have_are_named():
    model = network().fit(X, SPECIES > 0)
    model.classes_ = np.array([0.5, 1.5])
    with pytest.raises(ValueError, match=r"integers or strings; got \[0\.5 1\.5\]"):
        to_onnx(model, X)


def test_an_unfitted_model_is_an_error():
    with pytest.raises(NotFittedError):
        to_onnx(network(), X)


# Numbers


NUMBERS = {"one output": X[:, 3] * 1e3, "two outputs": X[:, 2:] * [1.0, 1e6] + 1.0}


@PRECISIONS
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("y", NUMBERS.values(), ids=NUMBERS)
def test_numbers_are_those_of_predict(y, loss, dtype, tolerance):
    model = make_pipeline(StandardScaler(), regressor(loss=loss)).fit(X, y)
    (numbers,) = run(to_onnx(model, X[:1].astype(dtype)), X.astype(dtype))
    assert numbers.dtype == dtype
    assert numbers.shape == (len(X), y.size // len(X))
    expected = model.predict(X.astype(dtype)).reshape(numbers.shape)
    np.testing.assert_allclose(numbers, expected, rtol=100 * tolerance)


@pytest.mark.parametrize("refit", [True, "folds"])
@pytest.mark.parametrize("y", NUMBERS.values(), ids=NUMBERS)
def test_a_search_over_alpha_predicts_numbers(y, refit):
    search = BackpropMLPRegressorCV(regressor(), alphas=[1.0, 10.0], cv=2, refit=refit).fit(X, y)
    (numbers,) = run(to_onnx(search, X[:1]), X)
    expected = search.predict(X).reshape(numbers.shape)
    np.testing.assert_allclose(numbers, expected, rtol=1e-12)


@pytest.mark.parametrize("magnitude", [1.0, 2e37])
def test_a_mean_of_large_numbers_does_not_overflow(magnitude):
    """Their sum would, in float32."""
    y = magnitude * (X[:, 3] + 8.0)
    search = BackpropMLPRegressorCV(regressor(), alphas=[1.0], cv=5, refit="folds").fit(X, y)
    X32 = X.astype(np.float32)
    (numbers,) = run(to_onnx(search, X32), X32)
    np.testing.assert_allclose(numbers[:, 0], search.predict(X32), rtol=1e-5)


@pytest.mark.parametrize("model", [regressor(), BackpropMLPRegressorCV(cv=2, refit="folds")])
def test_parameters_that_overflow_in_the_graph_are_refused(model):
    model.fit(X, 1e40 * X[:, 3])
    with pytest.raises(ValueError, match=r"overflow in float32.*give X.*in float64"):
        to_onnx(model, X.astype(np.float32))
    (numbers,) = run(to_onnx(model, X), X)
    np.testing.assert_allclose(numbers[:, 0], model.predict(X), rtol=1e-9)


def test_skl2onnx_asks_a_regressor_inside_another_estimator():
    model = BaggingRegressor(regressor(), n_estimators=2, random_state=0).fit(X, X[:, 3])
    (numbers,) = run(skl2onnx.to_onnx(model, X[:1]), X)
    np.testing.assert_allclose(numbers[:, 0], model.predict(X), rtol=1e-6)
