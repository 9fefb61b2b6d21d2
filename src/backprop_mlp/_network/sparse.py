"""Sparse rows: entries that are stored in parts, and products that are written by columns."""

import math

import numpy as np

BYTES_OF_COLUMNS = 1_000_000
"""Memory of the columns that are multiplied at once: they stay in a core's cache."""

BYTES_OF_A_LINE = 64
"""What a core fetches from memory at once: at least as many columns as fill it."""

MOST_ENTRIES = 0.1
"""Entries, as a share of all features, of rows whose features are looked up before a product."""

FEWEST_WEIGHTS = 100_000
"""Below, to look up features takes longer than a product with the weights of all."""


def merge_duplicates(X):
    """Sparse rows with each entry stored once: X itself, or a copy where some are sums of parts.

    Parameters
    ----------
    X : csr_matrix

    Returns
    -------
    X : csr_matrix
    """
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X


def write_sparse_product(A, B, out):
    """Write A B into out, some columns at a time.

    SciPy copies B row by row, and its result lies row by row. So for wide sparse
    rows, where one of both is as large as a weight matrix, a few columns take little
    memory; and numbers at places all over them are found in the cache, which halves
    the time. No bit depends on it: each column is computed alone.

    Parameters
    ----------
    A : {csr_matrix, csc_matrix} of shape (n, k)
        Rows, or rows transposed.
    B : ndarray of shape (k, n_columns)
    out : ndarray of shape (n, n_columns)
    """
    A, features = _stored_features(A, B.shape[1])
    rows_of_B, rows_of_out = slice(None), slice(None)
    if A.format == "csr":
        rows_of_B = features
    else:
        rows_of_out = features
        if A.shape[0] < len(out):
            out.fill(0.0)
    n_columns = B.shape[1]
    column = max(*A.shape, 1) * out.itemsize
    at_once = max(BYTES_OF_COLUMNS // column, BYTES_OF_A_LINE // out.itemsize)
    n_parts = math.ceil(n_columns / at_once)
    for part in range(n_parts):
        columns = slice(n_columns * part // n_parts, n_columns * (part + 1) // n_parts)
        out[rows_of_out, columns] = A @ B[rows_of_B, columns]


def _stored_features(A, n_columns):
    """Rows, or rows transposed, without the features of which they store nothing.

    A few rows hold few of many features: all others' weights are neither read nor copied.

    Parameters
    ----------
    A : {csr_matrix, csc_matrix}
    n_columns : int
        Number of weights of a feature.

    Returns
    -------
    A : {csr_matrix, csc_matrix}
        As it is where it stores many entries, or where weights are few.
    features : {slice, ndarray of int}
        Those that are left.
    """
    n_features = A.shape[A.format == "csr"]
    if A.nnz > MOST_ENTRIES * n_features or n_features * n_columns < FEWEST_WEIGHTS:
        return A, slice(None)
    features, indices = np.unique(A.indices, return_inverse=True)
    shape = (A.shape[0], len(features)) if A.format == "csr" else (len(features), A.shape[1])
    return type(A)((A.data, indices, A.indptr), shape=shape), features
