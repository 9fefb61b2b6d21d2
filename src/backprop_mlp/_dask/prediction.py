"""Predictions of Dask collections, computed when they are asked for."""

import copy

import dask
import dask.array as da
import numpy as np

from .._estimator.fitted import fitted_network
from .collections import whole_rows


def travelling(classifier):
    """A copy for the workers: its callbacks, which may be bound to this process, stay here."""
    twin = copy.copy(classifier)
    if hasattr(twin, "set_callbacks"):
        twin.set_callbacks()
    return twin


def predict_lazily(classifier, method, X):
    """What a method of a fitted classifier returns, computed when it is asked for.

    Parameters
    ----------
    classifier : BackpropMLPClassifier
    method : {"predict", "predict_proba", "predict_log_proba", "decision_function"}
    X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)

    Returns
    -------
    outputs : dask.array.Array with a row per row of X
    """
    X = whole_rows("X", X, (2,))
    exclusive = not fitted_network(classifier).targets.multilabel
    n_classes = len(classifier.classes_)
    if method == "predict":
        columns = () if exclusive else (n_classes,)
        dtype = classifier.classes_.dtype if exclusive else np.dtype(np.int64)
    else:
        n_columns = classifier.n_outputs_ if method == "decision_function" else n_classes
        binary = method == "decision_function" and exclusive and n_classes == 2
        columns = () if binary else (n_columns,)
        X_dtype = X.dtype if isinstance(X, da.Array) else X._meta.to_numpy().dtype
        dtype = np.result_type(
            classifier.coefs_[0], np.float32 if X_dtype == np.float32 else np.float64
        )
    empty = np.empty((0, *columns), dtype)
    options = {
        "classifier": dask.delayed(travelling(classifier)),
        "method": method,
        "empty": empty,
        "meta": empty,
    }
    if not isinstance(X, da.Array):
        return X.map_partitions(_outputs, **options)
    if columns:
        return da.map_blocks(_outputs, X, chunks=(X.chunks[0], columns), **options)
    return da.map_blocks(_outputs, X, drop_axis=1, **options)


def _outputs(X, classifier, method, empty):
    """What a method of the classifier returns for one partition."""
    return getattr(classifier, method)(X) if X.shape[0] else empty
