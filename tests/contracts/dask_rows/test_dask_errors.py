"""Errors of tasks: what they say, and what they leave on the cluster."""

import gc
import time

import numpy as np
import pytest

pytest.importorskip("distributed")

from dask_data import DIGITS, LABELS, chunked, network

from backprop_mlp._dask.collections import gather
from backprop_mlp.dask import DaskBackpropMLPClassifier

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
