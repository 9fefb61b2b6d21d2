"""Files of version 0.1.0, as ``files_0_1_0/make_files.py`` wrote them, still predict and train."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from backprop_mlp import BackpropMLPClassifier, BackpropMLPClassifierCV

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    # Models of scikit-learn's are never promised to be loadable by another version; ours are.
    "error::sklearn.exceptions.InconsistentVersionWarning",
)

FOLDER = Path(__file__).parent / "files_0_1_0"
NAMES = sorted(path.stem for path in FOLDER.glob("*.pickle"))

CLASSIFIER = "backprop_mlp._classifier.BackpropMLPClassifier"
SEARCH = "backprop_mlp._classifier_cv.BackpropMLPClassifierCV"


def from_pickle(name):
    return pickle.loads((FOLDER / f"{name}.pickle").read_bytes())


def from_skops(name):
    skops = pytest.importorskip("skops.io")
    data = (FOLDER / f"{name}.skops").read_bytes()
    trusted = [CLASSIFIER, SEARCH] if name == "search" else [CLASSIFIER]
    assert skops.get_untrusted_types(data=data) == trusted
    return skops.loads(data, trusted=trusted)


READERS = pytest.mark.parametrize("read", [from_pickle, from_skops])
EVERY_FILE = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def predicted():
    """What version 0.1.0 said: ``predicted(name, what)``."""
    with np.load(FOLDER / "predicted.npz") as archive:
        arrays = dict(archive)

    def look_up(name, what):
        if what == "rows":
            return arrays["X"].astype(np.float32 if name == "float32" else np.float64)
        return arrays[f"{name}_{what}"]

    return look_up


def test_every_kind_of_model_has_a_file():
    assert len(NAMES) == 14
    assert sorted(path.stem for path in FOLDER.glob("*.skops")) == NAMES


@READERS
@EVERY_FILE
def test_an_old_file_predicts_what_it_did(read, name, predicted):
    model, rows, y = read(name), predicted(name, "rows"), predicted(name, "y")
    proba = model.predict_proba(rows)
    expected = predicted(name, "proba")
    assert proba.dtype == expected.dtype
    tolerance = 8 * np.finfo(np.float32).eps if proba.dtype == np.float32 else 1e-12
    np.testing.assert_allclose(proba, expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(model.predict(rows), predicted(name, "predict"))
    assert model.score(rows, y) == predicted(name, "score")


@READERS
@pytest.mark.parametrize("name", [name for name in NAMES if name != "search"])
def test_an_old_file_costs_what_it_did(read, name, predicted):
    model, rows, y = read(name), predicted(name, "rows"), predicted(name, "y")
    tolerance = 1e-6 if name == "float32" else 1e-12
    expected = predicted(name, "cost")
    assert model.cost(rows, y) == pytest.approx(expected, rel=tolerance, abs=tolerance)
    assert len(model.loss_curve_) == model.n_iter_


@READERS
@pytest.mark.parametrize("name", [name for name in NAMES if name != "search"])
def test_training_goes_on_from_an_old_file(read, name, predicted):
    """From its parameters, to a lower cost; its record goes on."""
    model, rows, y = read(name), predicted(name, "rows"), predicted(name, "y")
    cost = model.cost(rows, y)
    n_before, curve = len(model.loss_curve_), list(model.loss_curve_)
    scores = model.validation_scores_
    model.set_params(warm_start=True, tol=0.0).fit(rows, y)
    assert model.loss_curve_[:n_before] == curve
    if cost > 0.0:
        assert len(model.loss_curve_) > n_before
    if scores is not None:
        assert model.validation_scores_[: len(scores)] == scores
    if not model.early_stopping and not model.dropout:
        assert model.cost(rows, y) <= cost + 1e-6


@READERS
@EVERY_FILE
def test_an_old_file_is_shown_copied_and_trained_anew(read, name, predicted):
    model = read(name)
    repr(model)
    model._repr_html_()
    twin = clone(model)
    assert twin.get_params().keys() == type(model)().get_params().keys() | {
        name for name in twin.get_params() if "__" in name
    }
    twin.fit(predicted(name, "rows"), predicted(name, "y"))


@READERS
@pytest.mark.parametrize("name", ["batch_norm", "sgd", "float32"])
def test_an_old_file_takes_chunks(read, name, predicted):
    """Steps of almost no length stay at the parameters of the file: they are not drawn again."""
    model, rows, y = read(name), predicted(name, "rows"), predicted(name, "y")
    before = [W.copy() for W in model.coefs_]
    model.set_params(solver="sgd", learning_rate="constant", learning_rate_init=1e-12)
    model.set_params(momentum=0.0, dropout=0.0, batch_norm=False).partial_fit(rows, y)
    for W, old in zip(model.coefs_, before, strict=True):
        np.testing.assert_allclose(W, old, atol=1e-6)
    assert model.n_iter_ == 1


@READERS
def test_an_old_file_is_written_again_without_new_types(read, predicted):
    skops = pytest.importorskip("skops.io")
    for name in NAMES:
        model = read(name)
        data = skops.dumps(model)
        assert set(skops.get_untrusted_types(data=data)) <= {CLASSIFIER, SEARCH}
        again = skops.loads(data, trusted=[CLASSIFIER, SEARCH])
        rows = predicted(name, "rows")
        np.testing.assert_array_equal(again.predict_proba(rows), model.predict_proba(rows))
        assert type(again) in (BackpropMLPClassifier, BackpropMLPClassifierCV)
