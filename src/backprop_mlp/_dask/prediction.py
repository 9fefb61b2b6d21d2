"""Predictions of Dask collections, computed when they are asked for."""

import copy

import dask
import dask.array as da
import numpy as np
from sklearn.base import is_regressor
from sklearn.utils import check_array

from .._estimator.fitted import fitted_network
from .._estimator.rows import PRECISIONS, refuse_no_numbers
from .collections import check_features, whole_rows


def copy_for_workers(network):
    """A copy for the workers: its callbacks, which may be bound to this process, stay here."""
    twin = copy.copy(network)
    if hasattr(twin, "set_callbacks"):
        twin.set_callbacks()
    return twin


def predict_lazily(network, method, X):
    """What a method of a fitted network returns, computed when it is asked for.

    Parameters
    ----------
    network : BackpropMLP
    method : {"predict", "predict_proba", "predict_log_proba", "decision_function"}
    X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)

    Returns
    -------
    outputs : dask.array.Array with a row per row of X
    """
    X = whole_rows("X", X, (2,))
    refuse_no_numbers(X._meta)
    check_features(network, X)
    network = _as_it_is_now(network)
    if is_regressor(network):
        columns = () if network.n_outputs_ == 1 else (network.n_outputs_,)
        dtype = _precision(network, X)
    else:
        columns, dtype = _columns_of_classes(network, method, X)
    empty = np.empty((0, *columns), dtype)
    options = {
        "network": dask.delayed(network),
        "method": method,
        "empty": empty,
        "meta": empty,
    }
    if not isinstance(X, da.Array):
        return X.map_partitions(_outputs, **options)
    if columns:
        return da.map_blocks(_outputs, X, chunks=(X.chunks[0], columns), **options)
    return da.map_blocks(_outputs, X, drop_axis=1, **options)


def _as_it_is_now(network):
    """A copy for the workers whose weights stay what they are, until the outputs are computed."""
    twin = copy_for_workers(network)
    twin.coefs_ = copy.deepcopy(network.coefs_)
    twin.intercepts_ = copy.deepcopy(network.intercepts_)
    return twin


def _columns_of_classes(classifier, method, X):
    """Further dimensions, and dtype, of what a method of a classifier returns."""
    exclusive = not fitted_network(classifier).targets.multilabel
    n_classes = len(classifier.classes_)
    if method == "predict":
        dtype = classifier.classes_.dtype if exclusive else np.dtype(np.int64)
        return () if exclusive else (n_classes,), dtype
    n_columns = classifier.n_outputs_ if method == "decision_function" else n_classes
    binary = method == "decision_function" and exclusive and n_classes == 2
    return () if binary else (n_columns,), _precision(classifier, X)


def _precision(network, X):
    """The precision of the outputs of a network for the rows of X."""
    if isinstance(X, da.Array):
        given = np.float32 if X.dtype == np.float32 else np.float64
    else:
        # As partitions are checked: a dataframe's array may have another dtype.
        given = check_array(X._meta, dtype=PRECISIONS, ensure_min_samples=0).dtype
    return np.result_type(*network.coefs_, given)


def _outputs(X, network, method, empty):
    """What a method of the network returns for one partition."""
    return getattr(network, method)(X) if X.shape[0] else empty
