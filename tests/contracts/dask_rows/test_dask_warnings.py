"""What a fit on Dask collections warns of: as a fit in memory does."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import DataConversionWarning

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


def test_workers_name_the_column_of_labels(client):
    rows, labels, column = (chunked(array, 75) for array in (X, y, y[:, np.newaxis]))
    there = DaskBackpropMLPClassifier(network(max_iter=1), client=client)
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        there.fit(rows, labels, X_val=rows, y_val=column)
    said = {str(w.message) for w in record if w.category is DataConversionWarning}
    assert len(said) == 1
    assert "column-vector y_val" in said.pop()
