"""Sparse rows: entries that are stored in parts, and products that are written by columns."""

import math

BYTES_OF_COLUMNS = 1_000_000
"""Memory of the columns that are multiplied at once: they stay in a core's cache."""

BYTES_OF_A_LINE = 64
"""What a core fetches from memory at once: at least as many columns as fill it."""


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
    B : ndarray of shape (k, n_columns)
    out : ndarray of shape (n, n_columns)
    """
    n_columns = B.shape[1]
    column = max(A.shape) * out.itemsize
    at_once = max(BYTES_OF_COLUMNS // column, BYTES_OF_A_LINE // out.itemsize)
    n_parts = math.ceil(n_columns / at_once)
    for part in range(n_parts):
        columns = slice(n_columns * part // n_parts, n_columns * (part + 1) // n_parts)
        out[:, columns] = A @ B[:, columns]
