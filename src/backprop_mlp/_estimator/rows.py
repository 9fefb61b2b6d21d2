"""The user's rows, checked: X and y in a precision that the network computes in, and weights."""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import column_or_1d, validate_data

from .._sklearn import _check_sample_weight

PRECISIONS = (np.float64, np.float32)
"""float32 stays float32; all else becomes float64."""


def check_rows(estimator, X, y="no_validation", *, reset=False, precisions=PRECISIONS):
    """X, or X and y, as the network takes them; no copy where none is needed.

    Parameters
    ----------
    estimator : estimator
        Its features are noted (``reset``) or compared.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), optional
    reset : bool, default=False
        Whether these rows define the features.
    precisions : dtype or sequence of dtype, default=PRECISIONS
        What X may be computed in; all else becomes the first of them.

    Returns
    -------
    X : {ndarray, csr_matrix} of shape (n_samples, n_features)
    y : ndarray or sparse matrix
        Only if it was given.
    """
    given = {"reset": reset, "accept_sparse": "csr", "dtype": precisions}
    if isinstance(y, str):
        return validate_data(estimator, X, y, **given)
    X, y = validate_data(estimator, X, y, multi_output=True, **given)
    if not issparse(y) and y.ndim == 2 and y.shape[1] == 1:
        # Made 1-D here, and so warned of once.
        y = column_or_1d(y, warn=True)
    return X, y


def row_weights(sample_weight, X):
    """Weight of each row, float64 >= 0 with a sum above 0; ones take no memory."""
    if sample_weight is None:
        return np.broadcast_to(1.0, X.shape[0])
    return _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
