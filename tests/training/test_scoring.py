"""Scores of networks and rows that lack some of the classes."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.datasets import load_iris
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    get_scorer,
    log_loss,
    make_scorer,
    precision_score,
)

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp._sklearn import scorer_of_classes
from backprop_mlp._training.scoring import AllClasses, score_rows

X, y = load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)


pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def fitted(y, dtype=np.float64):
    return BackpropMLPClassifier(4, "tanh", max_iter=5, random_state=0).fit(X.astype(dtype), y)


# A classifier that speaks of all classes


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("labels", [["b"], ["b", "d"], ["b", "d", "e"], ["a", "c", "f"]])
@pytest.mark.parametrize("classes", [["a", "b", "c", "d", "e", "f"]])
def test_missing_classes_have_probability_zero(classes, labels, dtype):
    labels, classes = np.array(labels), np.array(classes)
    classifier = fitted(labels[y % len(labels)], dtype)
    seen = AllClasses(classifier, classes)
    known = np.isin(classes, labels)
    lowest = np.finfo(dtype).min
    rows = X.astype(dtype)
    P, log_P, z = (
        seen.predict_proba(rows),
        seen.predict_log_proba(rows),
        seen.decision_function(rows),
    )
    assert P.shape == log_P.shape == z.shape == (len(X), len(classes))
    assert P.dtype == log_P.dtype == z.dtype == dtype
    np.testing.assert_array_equal(P[:, known], classifier.predict_proba(rows))
    np.testing.assert_array_equal(log_P[:, known], classifier.predict_log_proba(rows))
    assert np.all(P[:, ~known] == 0.0)
    assert np.all(log_P[:, ~known] == lowest)
    assert np.all(z[:, ~known] == lowest)
    # The largest logit is that of the prediction.
    np.testing.assert_array_equal(classes[z.argmax(axis=1)], classifier.predict(rows))
    np.testing.assert_array_equal(seen.predict(rows), classifier.predict(rows))


@pytest.mark.parametrize("label", ["no", "yes"])
def test_of_two_classes_the_one_that_is_known_is_sure(label):
    seen = AllClasses(fitted(np.full(len(X), label)), np.array(["no", "yes"]))
    assert seen.predict_proba(X).tolist() == [[float(label == "no"), float(label == "yes")]] * 150
    z = seen.decision_function(X)
    assert z.shape == (150,)
    assert np.all(np.isfinite(z))
    assert np.all((z > 0.0) == (label == "yes"))


def test_all_else_is_the_classifiers():
    classifier = fitted(y)
    seen = AllClasses(classifier, np.arange(5))
    assert is_classifier(seen)
    assert seen.alpha == classifier.alpha
    assert seen.coefs_ is classifier.coefs_
    assert seen.get_params() == classifier.get_params()
    for twin in (copy.copy(seen), pickle.loads(pickle.dumps(seen))):
        np.testing.assert_array_equal(twin.predict_proba(X), seen.predict_proba(X))
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        seen.nothing_of_the_kind  # noqa: B018


# What a metric is given


def test_metrics_are_given_the_classes_that_they_take():
    two, three = np.array(["no", "yes"]), np.array([0, 1, 2])
    keywords = {
        name: {
            n: scorer_of_classes(get_scorer(name), classes)._kwargs
            for n, classes in ((2, two), (3, three))
        }
        for name in ("accuracy", "neg_log_loss", "f1", "average_precision", "roc_auc_ovr")
    }
    assert keywords["accuracy"] == {2: {}, 3: {}}
    assert keywords["neg_log_loss"][2].keys() == {"labels"}
    assert keywords["neg_log_loss"][3]["labels"] is three
    assert keywords["f1"][2]["pos_label"] == "yes"
    assert keywords["f1"][3].keys() == {"average", "labels"}
    assert keywords["average_precision"] == {2: {"pos_label": "yes"}, 3: {}}


def test_the_keywords_of_a_scorer_stay_and_the_scorer_itself_does_not_change():
    classes = np.array(["no", "yes"])
    scorer = make_scorer(f1_score, pos_label="no", zero_division=1.0)
    kept = scorer_of_classes(scorer, classes)._kwargs
    assert (kept["pos_label"], kept["zero_division"]) == ("no", 1.0)
    assert scorer._kwargs == {"pos_label": "no", "zero_division": 1.0}
    given = scorer_of_classes(make_scorer(precision_score), classes, taken={"pos_label"})._kwargs
    assert given.keys() == {"labels"}


def test_other_callables_are_given_nothing():
    def scorer(estimator, X, y):
        return len(estimator.classes_)

    assert scorer_of_classes(scorer, np.arange(5)) is scorer
    assert score_rows(scorer, fitted(y), X, y, np.arange(5), {}) == 5
    assert score_rows(scorer, fitted(y), X, y, None, {}) == 3


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
def test_an_average_over_the_classes_does_not_warn_of_the_positive_class(average, recwarn):
    names = np.array(["no", "yes"])[(y == 2).astype(int)]
    classifier = fitted(names)
    recwarn.clear()
    scorer = make_scorer(f1_score, average=average)
    score = score_rows(scorer, classifier, X, names, classifier.classes_, {})
    assert score == pytest.approx(f1_score(names, classifier.predict(X), average=average))
    assert not recwarn.list


def test_rows_and_classifier_may_lack_different_classes():
    classifier = fitted(np.where(y == 1, 0, y))  # knows 0 and 2
    rows = y < 2
    P = np.insert(classifier.predict_proba(X[rows]), 1, 0.0, axis=1)
    weights = np.random.default_rng(0).uniform(size=rows.sum())
    score = score_rows(
        get_scorer("neg_log_loss"),
        classifier,
        X[rows],
        y[rows],
        np.arange(3),
        {"sample_weight": weights},
    )
    assert score == -log_loss(y[rows], P, labels=[0, 1, 2], sample_weight=weights)
    score = score_rows(get_scorer("accuracy"), classifier, X[rows], y[rows], np.arange(3), {})
    assert score == accuracy_score(y[rows], classifier.predict(X[rows]))


def test_the_second_of_two_classes_is_the_positive_one():
    names = np.array(["no", "yes"])[(y == 2).astype(int)]
    classifier = fitted(names)
    score = score_rows(
        get_scorer("average_precision"), classifier, X, names, classifier.classes_, {}
    )
    assert score == average_precision_score(y == 2, classifier.predict_proba(X)[:, 1])
