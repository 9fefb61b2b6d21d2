"""What a fit on Dask collections warns of: as a fit in memory does."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

pytest.importorskip("distributed")

from dask_data import chunked, network

from backprop_mlp import BackpropMLPRegressor
from backprop_mlp.dask import DaskBackpropMLPClassifier, DaskBackpropMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

X, y = load_iris(return_X_y=True)


def warned(fit, *data, **given):
    """The texts of the warnings about data and training."""
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        fit(*data, **given)
    return [str(w.message) for w in record if issubclass(w.category, UserWarning)]


def test_it_warns_of_the_same(client):
    weights = np.r_[0.0, np.full(len(y) - 1, 0.01)]
    plain = network(momentum=0.1, max_iter=2, n_init=2)
    expected = warned(plain.fit, 100 * X, y, weights)
    there = DaskBackpropMLPClassifier(plain, client=client)
    said = warned(there.fit, *(chunked(array, 50, 60) for array in (100 * X, y, weights)))
    assert len(expected) == 3
    assert said == expected


@pytest.mark.parametrize("loss", ["squared_error", "huber", "quantile"])
def test_a_constant_model_of_numbers_is_warned_of_as_in_memory(client, loss):
    numbers = np.exp(X[:, 0])
    plain = BackpropMLPRegressor((4,), loss=loss, alpha=1e5, random_state=0)
    expected = warned(plain.fit, X, numbers)
    said = warned(DaskBackpropMLPRegressor(plain).fit, chunked(X, 50, 60), chunked(numbers, 50, 60))
    assert len(expected) == 1
    assert "predicts next to the same for every row" in expected[0]
    assert said == expected


def test_a_y_that_did_not_vary_before_a_warm_start_is_warned_of(client):
    there = DaskBackpropMLPRegressor(BackpropMLPRegressor((4,), warm_start=True, random_state=0))
    rows, numbers = chunked(X, 50, 60), chunked(X[:, 0], 50, 60)
    assert warned(there.fit, rows, 0.0 * numbers) == []
    (said,) = (text for text in warned(there.fit, rows, numbers) if "y_scale_ is 1" in text)
    assert said.startswith("y did not vary in the fit that training goes on from")


def test_a_column_of_labels_is_warned_of_once_as_in_memory(client):
    column = y[:, np.newaxis]
    plain = network(max_iter=1)
    expected = warned(plain.fit, X, column, X_val=X, y_val=column)
    rows, labels = chunked(X, 50, 60), chunked(column, 50, 60)
    there = DaskBackpropMLPClassifier(plain, client=client)
    assert warned(there.fit, rows, labels, X_val=rows, y_val=labels) == expected
    assert ["column-vector y " in text for text in expected[:2]] == [True, False]
    assert "column-vector y_val " in expected[1]
    assert warned(there.cost, rows, labels) == expected[:1]


def test_rows_without_names_are_warned_of_once_as_in_memory(client):
    dd = pytest.importorskip("dask.dataframe", exc_type=ImportError)
    table = pd.DataFrame(X, columns=list("abcd"))
    plain = network(max_iter=1)
    expected = warned(plain.fit, table, y, X_val=X, y_val=y)
    rows, labels = dd.from_pandas(table, npartitions=3), chunked(y, 50, 50)
    there = DaskBackpropMLPClassifier(plain, client=client)
    unnamed = chunked(X, 50, 50)
    # Its workers, threads of this process, warn of each partition as well; processes would not.
    assert set(warned(there.fit, rows, labels, X_val=unnamed, y_val=labels)) == set(expected)
    assert warned(there.predict, unnamed) == [text for text in expected if "feature names" in text]
