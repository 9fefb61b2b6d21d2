"""scikit-learn's scorers on validation rows that lie on workers."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import make_multilabel_classification
from sklearn.metrics import fbeta_score, make_scorer

pytest.importorskip("distributed")

from dask_data import DIGITS, LABELS, WEIGHTS, chunked, network

from backprop_mlp.dask import DaskBackpropMLPClassifier

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Sending large graph"
)

KEYWORDS = ("X_val", "y_val", "sample_weight_val")
BETA = make_scorer(fbeta_score, beta=0.5, average="macro")


def both(client, arrays, scoring, **params):
    """The Dask estimator and the plain classifier, validated on the last 200 rows."""
    params = {"solver": "lbfgs", "scoring": scoring, **params}
    held_out = [array[400:] for array in arrays]
    found = DaskBackpropMLPClassifier(network(**params), client=client).fit(
        *(chunked(array[:400], 100, 250) for array in arrays),
        **dict(zip(KEYWORDS, (chunked(array, 20, 0, 100) for array in held_out), strict=False)),
    )
    plain = network(**params).fit(
        *(array[:400] for array in arrays), **dict(zip(KEYWORDS, held_out, strict=False))
    )
    return found, plain


def assert_same_scores(found, plain):
    np.testing.assert_allclose(found.validation_scores_, plain.validation_scores_, rtol=1e-7)
    np.testing.assert_allclose(
        found.validation_loss_curve_, plain.validation_loss_curve_, rtol=1e-7
    )
    assert found.best_validation_score_ == pytest.approx(plain.best_validation_score_, rel=1e-7)


@pytest.mark.parametrize(
    "scoring", ["accuracy", "neg_log_loss", "f1_macro", "roc_auc_ovr_weighted", BETA], ids=str
)
@pytest.mark.parametrize("weighted", [False, True])
def test_scorers_are_those_of_the_plain_classifier(client, scoring, weighted):
    arrays = (DIGITS, LABELS, WEIGHTS)[: 2 + weighted]
    assert_same_scores(*both(client, arrays, scoring))


def test_a_scorer_that_takes_no_weights_is_refused(client):
    with pytest.raises(ValueError, match=r"^scoring must be a score that takes sample_weight"):
        both(client, (DIGITS, LABELS, WEIGHTS), "rand_score")


@pytest.mark.parametrize("scoring", ["roc_auc", "average_precision", "f1", "neg_brier_score"])
def test_two_classes_with_names(client, scoring):
    names = np.array(["no", "yes"])[(LABELS > 4).astype(int)]
    arrays = (DIGITS, (LABELS > 4).astype(int) if scoring == "f1" else names)
    assert_same_scores(*both(client, arrays, scoring, class_weight="balanced"))


@pytest.mark.parametrize("scoring", ["f1_macro", "roc_auc", "accuracy"])
def test_labels(client, scoring):
    X, Y = make_multilabel_classification(600, 8, n_classes=3, random_state=0)
    assert_same_scores(*both(client, (X, Y), scoring))


def test_validation_rows_may_lack_classes(client):
    order = np.r_[np.arange(400), 400 + np.flatnonzero(LABELS[400:] < 4)]
    assert_same_scores(*both(client, (DIGITS[order], LABELS[order]), "neg_log_loss"))


def test_sparse_rows_of_mini_batches(client):
    params = {"solver": "adam", "scoring": "f1_macro", "early_stopping": True, "max_iter": 5}
    X, y = chunked(DIGITS, 300), chunked(LABELS, 300)
    sparse = X.map_blocks(csr_array, dtype=np.float64)
    scores = [
        DaskBackpropMLPClassifier(network(**params), client=client)
        .fit(rows, y, X_val=rows, y_val=y)
        .validation_scores_
        for rows in (X, sparse)
    ]
    np.testing.assert_allclose(*scores, rtol=1e-9)
