"""What messages say, and how often."""

import warnings
from typing import Any

import numpy as np
import pytest
import sklearn
from keywords import FULL_BATCH, MINI_BATCH, SOLVERS
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.preprocessing import scale

from backprop_mlp import (
    BackpropMLPClassifier,
    BackpropMLPClassifierCV,
    BackpropMLPRegressor,
    BackpropMLPRegressorCV,
    PiecewiseLinearEncoder,
)

X, y = load_iris(return_X_y=True)
X = scale(X)


def classifier(solver="adam", **params):
    return BackpropMLPClassifier((5,), "identity", solver=solver, **{"random_state": 0} | params)


# Errors


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"dropout": 0.5}, "dropout needs mini-batches"),
        ({"batch_norm": True}, "batch_norm needs mini-batches"),
        ({"dropout": 0.5, "batch_norm": True}, "batch_norm and dropout need mini-batches"),
    ],
)
@pytest.mark.parametrize("solver", FULL_BATCH)
def test_one_keyword_needs_and_two_need(solver, params, words):
    with pytest.raises(ValueError, match=words):
        classifier(solver, **params).fit(X, y)


@pytest.mark.parametrize(
    "params",
    [
        {"activation": "sigmoid"},
        {"activation": ["sigmoid"]},
        {"output_activation": "sigmoid"},
    ],
    ids=str,
)
def test_the_sigmoid_is_said_to_be_called_logistic(params):
    with pytest.raises(ValueError, match=r"'logistic' \(the sigmoid\)"):
        BackpropMLPClassifier(5).set_params(**params).fit(X, y)


@pytest.mark.parametrize("search", [False, True])
def test_a_wrong_scorer_is_answered_in_one_line(search):
    model = BackpropMLPClassifierCV if search else BackpropMLPClassifier
    with pytest.raises(ValueError, match="get_scorer_names") as error:
        model(scoring="acuracy").fit(X, y)
    assert "'acuracy'" in str(error.value)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("storage", [np.asarray, csr_matrix, np.float32], ids=["f8", "csr", "f4"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("solver", SOLVERS)
def test_inputs_that_are_not_finite_are_not_called_an_overflow(solver, bad, storage):
    rows = X.copy()
    rows[7, 2] = bad
    rows, model = storage(rows), classifier(solver, max_iter=2)
    message = "holds nan or infinity"
    calls = [
        lambda: model.fit(rows, y),
        lambda: fitted.predict(rows),
        lambda: fitted.cost(rows, y),
        lambda: classifier(solver, max_iter=2).fit(X, y, X_val=rows, y_val=y),
    ]
    if solver in MINI_BATCH:
        calls.append(lambda: classifier(solver).partial_fit(rows, y, classes=[0, 1, 2]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = classifier(solver, max_iter=2).fit(X, y)
        with sklearn.config_context(assume_finite=True):
            for call in calls:
                with pytest.raises(ValueError, match=message) as error:
                    call()
                assert "overflow" not in str(error.value)
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("kind", ["network", "search", "encoder"])
def test_weights_that_are_not_finite_are_told_by_name(kind, early_stopping, bad):
    weights = np.ones(len(X))
    weights[7] = bad
    model: Any = classifier("lbfgs", max_iter=2, early_stopping=early_stopping)
    if kind == "search":
        model = BackpropMLPClassifierCV(classifier("lbfgs", max_iter=2), alphas=2, cv=2)
    elif kind == "encoder":
        model = PiecewiseLinearEncoder()
    with (
        sklearn.config_context(assume_finite=True),
        pytest.raises(ValueError, match=f"sample_weight must hold finite numbers; got {bad}"),
    ):
        model.fit(X, y, sample_weight=weights)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("column", [[np.inf] * 3, [-np.inf] * 3, [1.0, np.inf, np.nan]], ids=str)
def test_an_encoder_does_not_take_a_column_of_infinities_for_a_constant(column, dtype):
    rows = np.column_stack([np.arange(3.0), column]).astype(dtype)
    with (
        sklearn.config_context(assume_finite=True),
        pytest.raises(ValueError, match=r"X must span less .* in column 1"),
    ):
        PiecewiseLinearEncoder().fit(rows)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
@pytest.mark.parametrize("params", [{}, {"normalize_y": False}, {"loss": "poisson"}], ids=str)
def test_numbers_that_are_not_finite_are_told_by_name(params, solver, bad):
    numbers = y + 1.0
    numbers_with_gap = numbers.copy()
    numbers_with_gap[7] = bad
    model = BackpropMLPRegressor(3, solver=solver, max_iter=2, random_state=0, **params)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = clone(model).fit(X, numbers)
    calls = [
        lambda: model.fit(X, numbers_with_gap),
        lambda: model.fit(X, numbers, X_val=X, y_val=numbers_with_gap),
        lambda: fitted.cost(X, numbers_with_gap),
        lambda: fitted.score(X, numbers_with_gap),
        lambda: BackpropMLPRegressorCV(model, alphas=2, cv=2).fit(X, numbers_with_gap),
    ]
    if solver == "adam":
        calls.append(lambda: fitted.partial_fit(X, numbers_with_gap))
    with sklearn.config_context(assume_finite=True):
        for call in calls:
            with pytest.raises(ValueError, match=f"must hold finite numbers; got {bad}"):
                call()


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_what_overflows_is_still_called_an_overflow(solver):
    with (
        sklearn.config_context(assume_finite=True),
        pytest.raises(FloatingPointError, match=r"overflow|no longer finite"),
    ):
        classifier(solver).fit(5e307 * X, y)


def test_a_prediction_that_overflows_is_still_called_an_overflow():
    fixed = BackpropMLPClassifier.from_thetas([[[0.0, 10.0, -10.0]]])
    with (
        sklearn.config_context(assume_finite=True),
        pytest.raises(FloatingPointError, match="overflow"),
    ):
        fixed.predict([[1e308, -1e308]])


# Warnings


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_column_of_labels_is_warned_of_once_per_call(solver):
    column = y[:, np.newaxis]
    model = classifier(solver, max_iter=1)
    calls = [
        lambda: model.fit(X, column),
        lambda: model.fit(X, column, X_val=X, y_val=y),
        lambda: model.cost(X, column),
    ]
    if solver in MINI_BATCH:
        stream = classifier(solver)
        calls += [lambda: stream.partial_fit(X, column, classes=[0, 1, 2])]
        calls += [lambda: stream.partial_fit(X, column)]
    for call in calls:
        with warnings.catch_warnings(record=True) as record:
            warnings.simplefilter("always")
            call()
        said = [warning for warning in record if warning.category is DataConversionWarning]
        assert len(said) == 1
        assert "column-vector y was passed" in str(said[0].message)


@pytest.mark.parametrize("kind", [BackpropMLPClassifier, BackpropMLPRegressor])
@pytest.mark.parametrize("both", [False, True])
def test_a_column_of_validation_rows_is_warned_of_by_its_name(kind, both):
    column = y[:, np.newaxis]
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        kind(3, max_iter=1).fit(X, column if both else y, X_val=X, y_val=column)
    said = [str(w.message) for w in record if w.category is DataConversionWarning]
    names = ["y", "y_val"] if both else ["y_val"]
    assert len(said) == len(names)
    for message, name in zip(said, names, strict=True):
        assert message.startswith(f"A column-vector {name} was passed")
        assert f"{name}.ravel()" in message


# Dates as labels


@pytest.mark.parametrize("unit", ["D", "ns"])
@pytest.mark.parametrize("kind", ["dates", "times"])
@pytest.mark.parametrize("solver", MINI_BATCH)
def test_dates_and_times_may_be_announced_as_classes(solver, kind, unit):
    days = np.array([0, 10, 20])[y]
    labels = days.astype("m8[D]").astype(f"m8[{unit}]")
    if kind == "dates":
        labels = np.datetime64("2020-01-01", unit) + labels
    classes = np.unique(labels)
    stream, numbers = classifier(solver), classifier(solver)
    for part in (slice(0, 70), slice(70, 150), slice(0, 150, 2)):
        stream.partial_fit(X[part], labels[part], classes=classes)
        numbers.partial_fit(X[part], y[part], classes=[0, 1, 2])
    assert np.array_equal(stream.classes_, classes)
    assert np.array_equal(stream.predict(X), classes[numbers.predict(X)])


def test_labels_of_another_kind_than_dates_are_refused():
    dates = np.datetime64("2020-01-01") + y.astype("m8[D]")
    stream = classifier().partial_fit(X, dates, classes=np.unique(dates))
    for labels in (dates.astype(str), y, y.astype("m8[D]"), dates + 100):
        with pytest.raises(ValueError, match="not among the classes"):
            stream.partial_fit(X, labels)
    with pytest.raises(ValueError, match="classes must be a sequence"):
        classifier().partial_fit(X, dates, classes=[*np.unique(dates), np.datetime64("NaT")])


# Docstrings


def test_every_keyword_has_an_entry_of_its_own():
    docscrape = pytest.importorskip("numpydoc.docscrape", reason="comes with the extra lint")
    entries = [entry.name for entry in docscrape.ClassDoc(BackpropMLPClassifier)["Parameters"]]
    assert sorted(entries) == sorted(BackpropMLPClassifier().get_params())
