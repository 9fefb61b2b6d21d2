"""Pickles, copies, clones, pictures as HTML, tags and containers: scikit-learn's common ground."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone, is_classifier
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler, scale
from sklearn.utils import estimator_html_repr, get_tags
from sklearn.utils.validation import _get_feature_names

from backprop_mlp import (
    BackpropMLPClassifier,
    BackpropMLPClassifierCV,
    BackpropMLPRegressor,
    check_gradient,
)
from backprop_mlp.initializers import Uniform

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
X = scale(X)
LABELS = np.column_stack([y == 0, y > 0, X[:, 0] > 0]).astype(int)
NAMES = np.array(["setosa", "versicolor", "virginica"])[y]


def through_pickle(model, tmp_path):
    return pickle.loads(pickle.dumps(model))


def through_joblib(model, tmp_path):
    joblib.dump(model, tmp_path / "model.joblib")
    return joblib.load(tmp_path / "model.joblib")


def through_memory_map(model, tmp_path):
    joblib.dump(model, tmp_path / "model.joblib")
    return joblib.load(tmp_path / "model.joblib", mmap_mode="r")


def through_deepcopy(model, tmp_path):
    return copy.deepcopy(model)


TRIPS = [through_pickle, through_joblib, through_memory_map, through_deepcopy]


@pytest.mark.parametrize("trip", TRIPS)
@pytest.mark.parametrize("target", [y, LABELS, NAMES], ids=["classes", "labels", "names"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_fitted_estimator_comes_back_as_it_was(trip, target, dtype, tmp_path):
    rows = X.astype(dtype)
    model = BackpropMLPClassifier(5, initializer=Uniform(0.5), max_iter=3, random_state=0)
    model.fit(rows, target)
    back = trip(model, tmp_path)
    np.testing.assert_array_equal(back.predict_proba(rows), model.predict_proba(rows))
    np.testing.assert_array_equal(back.predict(rows), model.predict(rows))
    assert back.cost(rows, target) == model.cost(rows, target)
    assert back.loss_ == model.loss_
    assert back.loss_curve_ == model.loss_curve_
    assert back.get_params() == model.get_params()


@pytest.mark.parametrize("trip", TRIPS)
def test_training_goes_on_after_the_trip(trip, tmp_path):
    model = BackpropMLPClassifier(5, max_iter=3, warm_start=True, random_state=0).fit(X, y)
    back = trip(model, tmp_path)
    assert back.fit(X, y).loss_curve_ == model.fit(X, y).loss_curve_


@pytest.mark.parametrize("trip", TRIPS)
@pytest.mark.parametrize("kind", [BackpropMLPClassifier, BackpropMLPRegressor])
def test_after_the_trip_a_new_fit_leaves_what_a_first_one_does(kind, trip, tmp_path):
    model = kind(5, max_iter=3, random_state=0).fit(X, y)
    back = trip(model, tmp_path).fit(X, y)
    assert vars(back).keys() == vars(model).keys()


def test_copies_share_nothing():
    model = BackpropMLPClassifier(5, max_iter=3, random_state=0).fit(X, y)
    before = model.predict_proba(X)
    back = copy.deepcopy(model)
    for W in back.coefs_:
        W[:] = 0.0
    np.testing.assert_array_equal(model.predict_proba(X), before)


def test_a_gradient_check_pickles():
    check = check_gradient(BackpropMLPClassifier(3, random_state=0), X[::10], y[::10])
    assert str(pickle.loads(pickle.dumps(check))) == str(check)


def test_a_clone_has_the_parameters_and_nothing_else():
    model = BackpropMLPClassifier((5, 4), ("relu", "tanh"), alpha=2.0, initializer=Uniform(0.5))
    twin = clone(model.set_params(max_iter=2).fit(X, y))
    assert twin.get_params() == model.get_params()
    assert not any(name.endswith("_") for name in vars(twin))


def test_fitted_parameters_are_those_that_were_given():
    """fit changes no parameter, not even to an equal one of another type."""
    given = {"hidden_layer_sizes": [5], "activation": ["relu"], "class_weight": {0: 2.0}}
    model = BackpropMLPClassifier(**given, max_iter=1).fit(X, y)
    for name, value in given.items():
        assert getattr(model, name) is value


@pytest.mark.parametrize("fitted", [False, True])
def test_html_and_text_show_the_parameters_that_differ_from_the_default(fitted):
    model = BackpropMLPClassifier(7, max_iter=1)
    if fitted:
        model.fit(X, y)
    assert repr(model) == "BackpropMLPClassifier(hidden_layer_sizes=7, max_iter=1)"
    html = estimator_html_repr(model)
    assert "BackpropMLPClassifier" in html
    assert "hidden_layer_sizes" in html
    assert ("<span>Fitted</span>" in html) == fitted
    assert ("<span>Not fitted</span>" in html) == (not fitted)


def test_tags_tell_what_the_estimator_takes():
    tags = get_tags(BackpropMLPClassifier())
    assert is_classifier(BackpropMLPClassifier())
    assert tags.estimator_type == "classifier"
    assert tags.classifier_tags.multi_label
    assert tags.classifier_tags.multi_class
    assert tags.input_tags.sparse
    assert not tags.input_tags.allow_nan
    assert tags.target_tags.required


@pytest.mark.parametrize("kind", [BackpropMLPClassifier, BackpropMLPClassifierCV])
def test_libraries_that_know_no_tags_find_a_classifier(kind):
    assert kind._estimator_type == "classifier"
    assert "_estimator_type" not in vars(kind())


@pytest.mark.parametrize("target", [y, LABELS, NAMES == "setosa", np.zeros(len(y))])
@pytest.mark.parametrize("hidden", [(), (5,), (5, 3)])
def test_the_summary_lists_every_layer(target, hidden):
    model = BackpropMLPClassifier(hidden, "tanh", max_iter=1, random_state=0).fit(X, target)
    summary = model.summary()
    assert [(row.n_inputs, row.n_units) for row in summary.layers] == [
        W.shape for W in model.coefs_
    ]
    assert [row.activation for row in summary.layers] == [
        *["tanh"] * len(hidden),
        model.out_activation_,
    ]
    assert summary.n_params == sum(theta.size for theta in model.thetas_)
    lines = str(summary).splitlines()
    assert len(lines) == len(hidden) + 3
    assert len({len(line) for line in lines}) == 1


# Containers


COLUMNS = [f"feature {number}" for number in range(4)]


@pytest.fixture(params=["pandas", "polars"])
def frame(request):
    data_frame = {"pandas": pd.DataFrame, "polars": pl.DataFrame}[request.param]
    frame = data_frame(dict(zip(COLUMNS, X.T, strict=True)))
    if _get_feature_names(frame) is None:
        pytest.skip(f"this scikit-learn cannot read the column names of this {request.param}")
    return frame


def test_frames_give_what_arrays_give_and_their_names_are_kept(frame):
    model = BackpropMLPClassifier(5, max_iter=3, random_state=0)
    expected = model.fit(X, NAMES).predict_proba(X)
    assert not hasattr(model, "feature_names_in_")
    column = type(frame[COLUMNS[0]])(NAMES)
    model.fit(frame, column)
    np.testing.assert_allclose(model.predict_proba(frame), expected, rtol=1e-9)
    np.testing.assert_array_equal(model.classes_, np.unique(NAMES))
    np.testing.assert_array_equal(model.predict(frame), np.unique(NAMES)[expected.argmax(axis=1)])
    assert model.feature_names_in_.tolist() == COLUMNS
    assert model.score(frame, column) > 0.6
    assert model.cost(frame, column) == pytest.approx(model.loss_, rel=1e-12)


def test_other_names_than_in_training_are_an_error(frame):
    model = BackpropMLPClassifier(5, max_iter=1).fit(frame, y)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[COLUMNS[::-1]])
    with pytest.warns(UserWarning, match="valid feature names"):
        model.predict(X)


def test_labels_in_a_frame_are_a_matrix(frame):
    columns = {f"label {number}": LABELS[:, number] for number in range(3)}
    model = BackpropMLPClassifier(5, max_iter=3, random_state=0)
    expected = model.fit(X, LABELS).predict_proba(X)
    model.fit(frame, type(frame)(columns))
    np.testing.assert_allclose(model.predict_proba(frame), expected, rtol=1e-9)


def test_set_output_reaches_the_estimator_through_a_pipeline(frame):
    select = make_column_transformer((StandardScaler(), COLUMNS[:2]), (MinMaxScaler(), COLUMNS[3:]))
    model = make_pipeline(select, BackpropMLPClassifier(5, max_iter=3, random_state=0))
    model.set_output(transform=type(frame).__module__.split(".")[0])
    model.fit(frame, NAMES)
    assert set(model.predict(frame)) <= set(NAMES)
    names = [name.split("__")[1] for name in model[-1].feature_names_in_]
    assert names == [COLUMNS[0], COLUMNS[1], COLUMNS[3]]


def test_a_set_output_of_the_estimator_itself_is_refused():
    # It has no transform, so it has no set_output either: scikit-learn's rule.
    assert not hasattr(BackpropMLPClassifier(), "set_output")
