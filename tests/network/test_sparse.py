"""Sparse rows: entries in parts, and products of the same bits by however many columns."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp

from backprop_mlp._network import sparse
from backprop_mlp._network.sparse import merge_duplicates, write_sparse_product


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_columns", [1, 7, 16, 17, 50])
@pytest.mark.parametrize("n_bytes", [0, 100_000, 10**9])
@pytest.mark.parametrize("most_entries", [0.0, np.inf])
@pytest.mark.parametrize("turned", [False, True])
def test_a_product_is_that_of_scipy_bit_by_bit(
    dtype, n_columns, n_bytes, turned, most_entries, monkeypatch
):
    monkeypatch.setattr(sparse, "BYTES_OF_COLUMNS", n_bytes)
    monkeypatch.setattr(sparse, "MOST_ENTRIES", most_entries)
    monkeypatch.setattr(sparse, "FEWEST_WEIGHTS", 0)
    rng = np.random.default_rng(0)
    A = sp.csr_array((rng.normal(size=(40, 700)) * (rng.random((40, 700)) < 0.02)).astype(dtype))
    A = A.T if turned else A
    B = rng.normal(size=(n_columns, A.shape[1])).astype(dtype).T
    out = np.full((n_columns, A.shape[0]), np.nan, dtype).T
    write_sparse_product(A, B, out)
    np.testing.assert_array_equal(out, A @ B)


def test_few_columns_are_taken_at_once_where_they_are_long():
    widths = []

    class Spy:
        format, shape, nnz = "csr", (3, 100_000), 3 * 100_000

        def __matmul__(self, columns):
            widths.append(columns.shape[1])
            return np.zeros((3, columns.shape[1]))

    write_sparse_product(Spy(), np.zeros((50, 100_000)).T, np.empty((3, 50)))
    assert sum(widths) == 50
    assert max(widths) <= 8


@pytest.mark.parametrize("turned", [False, True])
def test_few_rows_take_no_memory_of_the_size_of_the_weights(turned):
    n_features = 200_000
    rows = sp.csr_matrix((np.ones(3), [5, 70_000, 5], [0, 2, 3]), (2, n_features))
    A = rows.T if turned else rows
    B, out = np.ones((4, A.shape[1])).T, np.empty((4, A.shape[0])).T
    tracemalloc.start()
    write_sparse_product(A, B, out)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(out, A @ B)
    assert peak < 0.1 * 8 * n_features


def test_entries_in_parts_are_added_up_in_a_copy():
    parts = sp.csr_matrix(([1.0, 2.0, 4.0], [1, 1, 0], [0, 2, 3]), (2, 2))
    merged = merge_duplicates(parts)
    assert merged.nnz == 2
    np.testing.assert_array_equal(merged.toarray(), [[0.0, 3.0], [4.0, 0.0]])
    np.testing.assert_array_equal(parts.data, [1.0, 2.0, 4.0])


def test_entries_in_one_part_are_not_copied():
    rows = sp.csr_matrix(np.eye(2))
    assert merge_duplicates(rows) is rows
