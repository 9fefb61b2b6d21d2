"""Errors of tasks: what they say, and what they leave on the cluster."""

import gc
import time

import numpy as np
import pytest

dask = pytest.importorskip("dask")
pytest.importorskip("distributed")

from dask_data import DIGITS, LABELS, chunked, network  # noqa: E402

from backprop_mlp._dask.collections import gather  # noqa: E402
from backprop_mlp.dask import DaskBackpropMLPClassifier  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

WITH_NAN = DIGITS.copy()
WITH_NAN[-1, 0] = np.nan


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
@pytest.mark.parametrize(
    ("X", "y", "X_val", "y_val", "message"),
    [
        (WITH_NAN, LABELS, None, None, "X contains NaN"),
        (DIGITS, LABELS, WITH_NAN, LABELS, "X_val contains NaN"),
        (DIGITS, LABELS, DIGITS, LABELS + 1, "y_val holds labels that are not among the classes"),
    ],
)
def test_a_fit_that_fails_leaves_no_partitions_on_the_workers(
    client, solver, X, y, X_val, y_val, message
):
    given_val = {}
    if X_val is not None:
        given_val = {"X_val": chunked(X_val, 100, 250), "y_val": chunked(y_val, 100, 250)}
    before = set(client.futures)
    with pytest.raises(ValueError, match=message):
        DaskBackpropMLPClassifier(network(solver=solver), client=client).fit(
            chunked(X, 100, 250), chunked(y, 100, 250), **given_val
        )
    gc.collect()
    # Another thread takes them off the list.
    deadline = time.monotonic() + 10.0
    while (left := set(client.futures) - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not left


@pytest.mark.parametrize("as_frame", [False, True])
def test_dates_are_refused_before_any_work(client, as_frame):
    model = DaskBackpropMLPClassifier(network(), client=client)
    labels = chunked(LABELS, 300)
    fitted = DaskBackpropMLPClassifier(network(), client=client).fit(chunked(DIGITS, 300), labels)
    days = chunked(DIGITS.astype("M8[D]"), 300)
    if as_frame:
        dd = pytest.importorskip("dask.dataframe", exc_type=ImportError)
        days = dd.from_dask_array(days)
    before = set(client.futures)
    for call in (lambda: model.fit(days, labels), lambda: fitted.predict(days)):
        with pytest.raises(ValueError, match=r"^X must hold numbers; got datetime64"):
            call()
    assert set(client.futures) <= before


CALLS_WITH_OTHER_FEATURES = {
    "predict": lambda model, X, y, others: model.predict(others),
    "predict_proba": lambda model, X, y, others: model.predict_proba(others),
    "score": lambda model, X, y, others: model.score(others, y),
    "cost": lambda model, X, y, others: model.cost(others, y),
    "a warm start": lambda model, X, y, others: model.fit(others, y),
    "validation": lambda model, X, y, others: model.fit(X, y, X_val=others, y_val=y),
}


@pytest.mark.parametrize("as_frame", [False, True])
@pytest.mark.parametrize("call", CALLS_WITH_OTHER_FEATURES)
def test_other_features_are_refused_before_any_work(client, monkeypatch, call, as_frame):
    labels = chunked(LABELS, 300)
    rows = chunked(DIGITS, 300)
    if as_frame:
        dd = pytest.importorskip("dask.dataframe", exc_type=ImportError)
        rows = dd.from_dask_array(rows, columns=[f"pixel {k}" for k in range(64)])
        others, message = rows[rows.columns[::-1]], "feature names should match"
    else:
        others, message = rows[:, :9], "has 9 features, but BackpropMLPClassifier is expecting 64"
    model = DaskBackpropMLPClassifier(network(max_iter=1, warm_start=True), client=client)
    model.fit(rows, labels)
    monkeypatch.setattr(client, "compute", lambda *_: pytest.fail("workers were asked"))
    with pytest.raises(ValueError, match=message):
        CALLS_WITH_OTHER_FEATURES[call](model, rows, labels, others)


@pytest.mark.parametrize("which", ["X", "y"])
def test_a_delayed_object_is_no_collection_of_rows(client, which):
    given = {"X": chunked(DIGITS, 300), "y": chunked(LABELS, 300)}
    given[which] = dask.delayed(DIGITS)
    with pytest.raises(TypeError, match=f"^{which} must be a Dask array or dataframe"):
        DaskBackpropMLPClassifier(network(), client=client).fit(**given)


class OwnWordsError(Exception):
    """What is made again of its arguments says something else."""

    def __init__(self, name):
        super().__init__(f"{name} again")


def _fail(kind, arguments):
    raise kind(*arguments) from LookupError("the reason")


@pytest.mark.parametrize(
    ("kind", "arguments"), [(ValueError, ("a", 1)), (KeyError, ("a",)), (OwnWordsError, ("here",))]
)
def test_an_error_is_that_of_the_task(client, kind, arguments):
    expected = kind(*arguments)
    with pytest.raises(kind) as raised:
        gather(client, [client.submit(_fail, kind, arguments, pure=False)])
    assert raised.value.args == expected.args
    assert str(raised.value) == str(expected)
    assert isinstance(raised.value.__cause__, LookupError)
    assert "_fail" in [entry.name for entry in raised.traceback]
