"""Products of sparse rows: the same bits, however many columns are taken at once."""

import numpy as np
import pytest
import scipy.sparse as sp

from backprop_mlp._network import sparse
from backprop_mlp._network.sparse import write_sparse_product


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_columns", [1, 7, 16, 17, 50])
@pytest.mark.parametrize("n_bytes", [0, 100_000, 10**9])
@pytest.mark.parametrize("turned", [False, True])
def test_a_product_is_that_of_scipy_bit_by_bit(dtype, n_columns, n_bytes, turned, monkeypatch):
    monkeypatch.setattr(sparse, "BYTES_OF_COLUMNS", n_bytes)
    rng = np.random.default_rng(0)
    A = sp.csr_array((rng.normal(size=(40, 700)) * (rng.random((40, 700)) < 0.05)).astype(dtype))
    A = A.T if turned else A
    B = rng.normal(size=(n_columns, A.shape[1])).astype(dtype).T
    out = np.full((n_columns, A.shape[0]), np.nan, dtype).T
    write_sparse_product(A, B, out)
    np.testing.assert_array_equal(out, A @ B)


def test_few_columns_are_taken_at_once_where_they_are_long():
    widths = []

    class Spy:
        shape = (3, 100_000)

        def __matmul__(self, columns):
            widths.append(columns.shape[1])
            return np.zeros((3, columns.shape[1]))

    write_sparse_product(Spy(), np.zeros((50, 100_000)).T, np.empty((3, 50)))
    assert sum(widths) == 50
    assert max(widths) <= 8
