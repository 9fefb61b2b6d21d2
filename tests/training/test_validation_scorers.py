"""What scorers are given in early stopping: rows with their names, and all classes."""

import warnings
from functools import partial, wraps
from inspect import signature

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    f1_score,
    get_scorer,
    log_loss,
    make_scorer,
)
from sklearn.preprocessing import StandardScaler, scale

from backprop_mlp import BackpropMLPClassifier, BackpropMLPClassifierCV
from backprop_mlp._objective.objective import Objective

X, y = load_iris(return_X_y=True)
X = scale(X)
FEATURES = ["sepal length", "sepal width", "petal length", "petal width"]


def classifier(solver="cg", **params):
    defaults = {"max_iter": 5, "tol": 0.0, "random_state": 0}
    return BackpropMLPClassifier((5,), "tanh", solver=solver, **defaults | params)


def fit_strictly(model, *data, **given):
    """Fit; any warning but that it was short is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(*data, **given)


@pytest.fixture(params=["pandas", "polars"])
def frame(request):
    frame = pytest.importorskip(request.param).DataFrame(dict(zip(FEATURES, X.T, strict=True)))
    if not hasattr(StandardScaler().fit(frame), "feature_names_in_"):
        pytest.skip(f"this scikit-learn reads no names from this {request.param}")
    return frame


class Watching:
    """Accuracy by a scorer that notes what it is given."""

    def __init__(self):
        self.seen = []

    def __call__(self, estimator, X, y):
        self.seen.append(list(X.columns))
        return get_scorer("f1_macro")(estimator, X, y)


# Feature names


@pytest.mark.parametrize("rows", ["held out", "given", "given and watched only"])
@pytest.mark.parametrize("solver", ["cg", "lbfgs", "newton-cg", "adam", "rmsprop", "sgd"])
def test_a_scorer_sees_rows_with_their_names(solver, rows, frame):
    watching = Watching()
    given = {} if rows == "held out" else {"X_val": frame, "y_val": y}
    model = classifier(solver, scoring=watching, early_stopping="only" not in rows)
    fit_strictly(model, frame, y, **given)
    assert len(watching.seen) >= model.n_iter_ == 5
    assert all(names == FEATURES for names in watching.seen)
    assert model.feature_names_in_.tolist() == FEATURES


@pytest.mark.parametrize("scoring", ["f1_macro", "neg_log_loss", "roc_auc_ovr"])
def test_names_change_no_score(scoring, frame):
    named = fit_strictly(classifier(scoring=scoring, early_stopping=True), frame, y)
    bare = fit_strictly(classifier(scoring=scoring, early_stopping=True), X, y)
    assert named.validation_scores_ == bare.validation_scores_


@pytest.mark.parametrize("scoring", [None, "neg_log_loss"])
def test_a_search_scores_rows_with_their_names(scoring, frame):
    search = BackpropMLPClassifierCV(classifier(), alphas=[1, 10], cv=2, scoring=scoring)
    assert fit_strictly(search, frame, y).score(frame, y) <= 1.0


# Classes that the validation rows lack

brier_score = pytest.param(
    "neg_brier_score",
    marks=pytest.mark.skipif(
        "labels" not in signature(brier_score_loss).parameters,
        reason="scikit-learn before 1.7 has no Brier score of several classes",
    ),
)

METRICS = {
    "neg_log_loss": lambda y, P, classes: -log_loss(y, P, labels=classes),
    "neg_brier_score": lambda y, P, classes: -brier_score_loss(y, P, labels=classes),
    "f1_macro": lambda y, P, classes: f1_score(
        y, classes[P.argmax(axis=1)], labels=classes, average="macro", zero_division=0
    ),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.parametrize("kind", [int, str])
@pytest.mark.parametrize("metric", ["neg_log_loss", brier_score, "f1_macro"])
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_validation_rows_may_lack_a_class(solver, metric, kind):
    labels = y.astype(kind)
    few = np.flatnonzero(y < 2)[::3]
    model = classifier(solver, scoring=metric, early_stopping=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, labels, X_val=X[few], y_val=labels[few])
    expected = METRICS[metric](labels[few], model.predict_proba(X[few]), model.classes_)
    assert model.best_validation_score_ == pytest.approx(expected, rel=1e-12)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("scoring", ["neg_log_loss", brier_score, "f1_macro"])
def test_held_out_rows_may_lack_a_class_with_a_single_row(scoring):
    rows, labels = np.vstack([X, X[:1]]), np.append(y, 9)
    for seed in range(3):
        model = classifier(scoring=scoring, early_stopping=True, random_state=seed)
        assert np.isfinite(model.fit(rows, labels).validation_scores_).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_the_second_of_two_names_is_the_positive_class(solver):
    labels = np.array(["no", "yes"])[(y == 2).astype(int)]
    model = classifier(solver, scoring="f1", early_stopping=True)
    model.fit(X, labels, X_val=X[50:], y_val=labels[50:])
    expected = f1_score(labels[50:], model.predict(X[50:]), pos_label="yes")
    assert model.best_validation_score_ == pytest.approx(expected, rel=1e-12)
    model.set_params(scoring="average_precision").fit(X, labels, X_val=X[50:], y_val=labels[50:])
    shares = model.predict_proba(X[50:])[:, 1]
    expected = average_precision_score(labels[50:], shares, pos_label="yes")
    assert model.best_validation_score_ == pytest.approx(expected, rel=1e-12)


# Weights


def ignore_weights(estimator, X, y):
    """A scorer that can't count rows by their weights."""
    return 0.0


@pytest.mark.parametrize(
    "scoring",
    [ignore_weights, "rand_score", make_scorer(lambda y, predicted: 0.0)],
    ids=["function", "name", "made"],
)
@pytest.mark.parametrize("kind", ["early stopping", "given", "search"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_scorer_that_takes_no_weights_is_refused_before_any_work(kind, scoring, monkeypatch):
    weights = np.ones(len(y))
    model = classifier(scoring=scoring, early_stopping=kind == "early stopping")
    data, given = (X, y, weights), {}
    if kind == "given":
        data, given = (X, y), {"X_val": X, "y_val": y, "sample_weight_val": weights}
    if kind == "search":
        model = BackpropMLPClassifierCV(classifier(), scoring=scoring, cv=2)
    model.fit(X, y, **{name: given[name] for name in given if name != "sample_weight_val"})
    monkeypatch.setattr(Objective, "value_and_grad", None)
    with pytest.raises(ValueError, match=r"^scoring must be a score that takes sample_weight"):
        model.fit(*data, **given)


def unweighted(metric):
    """Decorator that adds weights, and leaves them out."""

    @wraps(metric)
    def with_weights(*args, sample_weight=None):
        return metric(*args)

    return with_weights


def logged(metric):
    """Decorator that hands on whatever it is given."""

    @wraps(metric)
    def whatever(*args, **kwargs):
        return metric(*args, **kwargs)

    return whatever


class Scorer:
    """An object that is called."""

    def __call__(self, estimator, X, y, sample_weight=None):
        return estimator.score(X, y, sample_weight)


@pytest.mark.parametrize(
    "scoring",
    [
        unweighted(ignore_weights),
        make_scorer(unweighted(lambda y, predicted: 0.0)),
        logged(lambda estimator, X, y, sample_weight: estimator.score(X, y, sample_weight)),
        lambda estimator, X, y, **metadata: estimator.score(X, y, **metadata),
        partial(lambda estimator, X, y, sample_weight: 0.0),
        make_scorer(partial(f1_score, average="macro")),
        Scorer(),
        Scorer().__call__,
    ],
    ids=["wraps", "made", "wraps all", "keywords", "partial", "made partial", "object", "method"],
)
@pytest.mark.parametrize("search", [False, True])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_scorer_that_takes_weights_is_not_refused(scoring, search):
    model = classifier(scoring=scoring, early_stopping=not search)
    if search:
        model = BackpropMLPClassifierCV(classifier(), scoring=scoring, alphas=[1.0], cv=2)
    model.fit(X, y, sample_weight=np.ones(len(y)))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_scorer_sees_nothing_of_an_earlier_fit():
    before, seen = set(vars(classifier())), []

    def note(estimator, X, y):
        seen.append({name for name in vars(estimator) if name.endswith("_")} - before)
        return 0.0

    model = classifier(scoring=note, early_stopping=True)
    first = model.fit(X, y)
    assert "coefs_" in seen[0]
    assert not seen[0] & {"n_iter_", "loss_", "loss_curve_", "validation_scores_", "converged_"}
    seen_first, n_seen = seen[0], len(seen)
    first.fit(X, y)
    assert seen[n_seen] == seen_first
