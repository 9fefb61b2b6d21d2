"""Where rows are cut into blocks, what a block holds, and how results are added up."""

import math

import numpy as np
import pytest
import scipy.sparse as sp

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp._network.losses import SoftmaxLoss
from backprop_mlp._network.network import Network
from backprop_mlp._objective import blocks
from backprop_mlp._objective.blocks import (
    FLOPS_PER_PARAM,
    DataSet,
    RowBlocks,
    add_up,
    block_slices,
    flops,
    row_slices,
    rows_per_block,
    total_of_parts,
)


def one_hot(codes, dtype):
    return np.eye(3, dtype=dtype)[codes]


# Where rows are cut


@pytest.mark.parametrize("n_rows", [1, 2, 9, 10, 11, 99, 2_345])
@pytest.mark.parametrize("max_rows", [1, 10, 1250])
@pytest.mark.parametrize("cut", [row_slices, block_slices])
def test_slices_cover_the_rows_in_nearly_equal_parts(n_rows, max_rows, cut):
    slices = cut(n_rows, max_rows)
    assert [row for rows in slices for row in range(n_rows)[rows]] == list(range(n_rows))
    lengths = {rows.stop - rows.start for rows in slices}
    assert max(lengths) <= max_rows
    assert min(lengths) >= max(1, max(lengths) - 1)


@pytest.mark.parametrize("n_rows", [1, 2, 10, 11, 20, 21, 41, 12_345])
def test_two_threads_have_blocks_of_the_same_number(n_rows):
    n_least = math.ceil(n_rows / 10)
    n_blocks = len(block_slices(n_rows, 10))
    assert n_blocks in (n_least, n_least + 1)
    assert n_blocks == 1 or n_blocks % 2 == 0


def test_no_block_is_empty_where_there_are_as_many_as_rows():
    assert block_slices(3, 1) == [slice(0, 1), slice(1, 2), slice(2, 3)]


@pytest.mark.parametrize(
    ("sizes", "n_rows"),
    [((3, 100, 2), 1250), ((400, 25, 10), 1250), ((30, 50, 3), 2500), ((10, 5, 20), 6250)],
    ids=str,
)
def test_the_widest_layer_of_a_block_has_the_same_memory_up_to_100_units(sizes, n_rows):
    layers = Network.feedforward(sizes, ("tanh",), SoftmaxLoss())
    assert rows_per_block(layers, np.empty((1, sizes[0]))) == n_rows
    assert rows_per_block(layers, np.empty((1, sizes[0]), np.float32)) == 2 * n_rows


def test_blocks_are_as_long_as_they_may_be():
    X = np.ones((20, 1))
    for max_rows, n_blocks in ((20, 1), (19, 2), (10, 2), (9, 4)):
        assert len(RowBlocks(X, X, X[:, 0], None, max_rows)) == n_blocks


def test_sparse_rows_are_cut_by_the_numbers_that_they_hold():
    wide = Network.feedforward((1000, 100, 2), ("tanh",), SoftmaxLoss())
    X = sp.eye_array(800, 1000, format="csr")
    assert len(RowBlocks.of(wide, X, X, np.ones(800), None)) == 1
    assert len(RowBlocks.of(wide, X.toarray(), X, np.ones(800), None)) == 2


@pytest.mark.parametrize(("n_rows", "n_blocks"), [(298, 1), (300, 2), (2500, 2)])
def test_float32_rows_are_cut_where_they_are_twice_as_much_work(n_rows, n_blocks):
    wide = Network.feedforward((1000, 100, 2), ("tanh",), SoftmaxLoss())
    X = np.zeros((n_rows, 1000), np.float32)
    assert len(RowBlocks.of(wide, X, X, np.ones(n_rows), None)) == n_blocks


def test_chosen_rows_are_cut_by_their_number():
    wide = Network.feedforward((1000, 100, 2), ("tanh",), SoftmaxLoss())
    X = np.zeros((800, 1000))
    assert len(RowBlocks.of(wide, X, X, np.ones(800), None, np.arange(100))) == 1


def sparse_rows(n_rows, n_features, per_row, dtype=np.float64):
    rng = np.random.default_rng(0)
    entries = rng.integers(n_features, size=n_rows * per_row)
    edges = np.arange(0, n_rows * per_row + 1, per_row)
    return sp.csr_array((np.ones(len(entries), dtype), entries, edges), (n_rows, n_features))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_features", [100, 3000, 100_000])
@pytest.mark.parametrize("per_row", [1, 5, 50])
def test_a_block_of_wide_sparse_rows_is_worth_its_gradient(n_features, per_row, dtype):
    """Or its activations are half as large as the gradient: then it may be worth less."""
    wide = Network.feedforward((n_features, 50, 10), ("tanh",), SoftmaxLoss())
    X = sparse_rows(100, n_features, per_row, dtype)
    max_rows = rows_per_block(wide, X)
    worth = flops(wide, X, max_rows) >= FLOPS_PER_PARAM * wide.n_params
    as_large = (max_rows + 1) * 2 * 60 > wide.n_params
    assert worth or as_large
    small = rows_per_block(Network.feedforward((50, 50, 10), ("tanh",), SoftmaxLoss()), X)
    assert max_rows <= max(small, wide.n_params // (2 * 60))


def test_sparse_rows_count_by_what_they_hold():
    """Twenty stored numbers take as much memory in a row of 20 inputs as of 1000."""
    network = Network.feedforward((1000, 15, 2), ("tanh",), SoftmaxLoss())
    dense = Network.feedforward((20, 15, 2), ("tanh",), SoftmaxLoss())
    X = sparse_rows(30, 1000, 20)
    assert rows_per_block(network, X) == rows_per_block(dense, np.empty((1, 20)))


# What a block holds

X, CODES, WEIGHTS = np.arange(10.0)[:, np.newaxis], np.arange(10) % 3, np.linspace(0.5, 2.0, 10)
CHOSEN = np.array([9, 2, 3, 5])


def weigh_outputs(codes, sample_weight):
    return sample_weight[:, np.newaxis] * (1.0 + one_hot(codes, float))


@pytest.mark.parametrize("chosen", [None, CHOSEN])
def test_without_weights_of_its_own_the_loss_gets_those_of_the_rows(chosen):
    for block in RowBlocks(X, CODES, WEIGHTS, one_hot, 3, chosen):
        assert block.loss_weight is block.sample_weight


@pytest.mark.parametrize("chosen", [None, CHOSEN])
@pytest.mark.parametrize("max_rows", [2, 10])
def test_weights_per_output_are_made_block_by_block(chosen, max_rows):
    seen = []

    def weigh(codes, sample_weight):
        seen.append(len(codes))
        return weigh_outputs(codes, sample_weight)

    blocks = RowBlocks(X, CODES, WEIGHTS, one_hot, max_rows, chosen, weigh)
    rows = np.arange(10) if chosen is None else chosen
    made = list(blocks)
    expected = weigh_outputs(CODES[rows], WEIGHTS[rows])
    np.testing.assert_array_equal(np.concatenate([block.loss_weight for block in made]), expected)
    np.testing.assert_array_equal(
        np.concatenate([block.sample_weight for block in made]), WEIGHTS[rows]
    )
    assert blocks.total_weight == WEIGHTS[rows].sum()
    assert blocks.largest_weight == expected.max()
    assert max(seen) <= max_rows


@pytest.mark.parametrize("chosen", [None, CHOSEN])
def test_the_largest_weight_is_that_of_the_rows_that_belong_to_the_data_set(chosen):
    weights = np.arange(10.0)
    weights[0] = 20.0
    expected = 20.0 if chosen is None else 9.0
    assert RowBlocks(X, CODES, weights, one_hot, 3, chosen).largest_weight == expected


# Sums


def test_only_blocks_with_rows_of_zero_weight_are_copies():
    X = np.arange(12.0).reshape(6, 2)
    weights = np.array([1.0, 2.0, 3.0, 0.0, 1.0, 0.0])
    first, second = RowBlocks(X, np.arange(6) % 3, weights, one_hot, 3)
    assert np.shares_memory(first.X, X)
    np.testing.assert_array_equal(second.X, X[[4]])
    np.testing.assert_array_equal(second.sample_weight, [1.0])


def test_results_are_added_in_their_order_and_arrays_in_float64():
    values = np.float32([1.0, 2.0**-30, -1.0])
    results = [(float(v), (np.full(2, v), i)) for i, v in enumerate(values)]
    total, (array, count) = add_up(iter(results))
    assert total == 2.0**-30
    np.testing.assert_array_equal(array, [2.0**-30] * 2)
    assert array.dtype == np.float64
    assert count == 3


@pytest.mark.parametrize("n_results", [1, 2])
def test_a_sum_is_an_array_of_its_own(n_results):
    """Results may be parts of the data set, and read-only."""
    array = np.ones(3)
    array.setflags(write=False)
    total = add_up([array] * n_results)
    total += 1.0
    np.testing.assert_array_equal(array, 1.0)
    np.testing.assert_array_equal(total, n_results + 1.0)


def test_there_is_no_block_of_rows_without_weight():
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(100, 3)), rng.integers(3, size=100)
    weights = np.where(np.arange(100) < 65, 0.0, 1.0)
    found = RowBlocks(X, codes, weights, one_hot, max_rows=10)
    assert [len(block.X) for block in found] == [5, 10, 10, 10]
    assert found.n_rows == 100
    assert found.n_weighted_rows == 35


def test_of_chosen_rows_those_with_a_weight_are_counted():
    weights = np.where(np.arange(10) < 3, 0.0, 1.0)
    assert RowBlocks(X, CODES, weights, one_hot, 3, CHOSEN).n_weighted_rows == 3


@pytest.mark.parametrize("chosen", [None, np.arange(0, 100, 3)])
@pytest.mark.parametrize("make", [np.asarray, sp.csr_matrix])
def test_the_total_of_parts_is_that_of_all_rows(make, chosen, monkeypatch):
    monkeypatch.setattr(blocks, "CODES_AT_ONCE", 30)
    rng = np.random.default_rng(0)
    codes, weights = rng.integers(2, size=(100, 4)), rng.uniform(size=100)
    seen = []

    def total(codes, sample_weight):
        seen.append(codes.shape[0])
        return codes.T @ sample_weight

    found = total_of_parts(total, make(codes), weights, chosen)
    rows = slice(None) if chosen is None else chosen
    np.testing.assert_allclose(found, codes[rows].T @ weights[rows], rtol=1e-14)
    assert max(seen) < 20
    assert sum(seen) == len(codes[rows])


def test_sparse_rows_that_hold_nothing_train_a_model_without_hidden_layers():
    y = np.arange(6) % 3 > 0
    model = BackpropMLPClassifier((), solver="lbfgs").fit(sp.csr_matrix((6, 3)), y)
    found = model.predict_proba(sp.csr_matrix((1, 3)))
    np.testing.assert_allclose(found, [[1 / 3, 2 / 3]], rtol=1e-3)


def test_rows_in_memory_and_on_workers_fulfil_the_contract_of_a_data_set():
    pytest.importorskip("distributed")
    from backprop_mlp._dask.rows import PartitionedRows

    contract = {*DataSet.__annotations__, *(name for name in vars(DataSet) if name[0] != "_")}
    assert contract >= {"input_moments", "dtype", "n_rows", "fold"}
    in_memory = RowBlocks(np.zeros((2, 1)), np.zeros(2, int), np.ones(2), one_hot, max_rows=1)
    on_workers = PartitionedRows(None, [], [], np.dtype(np.float64))
    assert all(contract <= {*dir(rows)} for rows in (in_memory, on_workers))


@pytest.mark.parametrize(("n_outputs", "n_rows"), [(400, 1250), (1_000, 500), (100_000, 125)])
def test_blocks_of_many_outputs_have_fewer_rows(n_outputs, n_rows):
    network = Network.feedforward((50, 25, n_outputs), ("tanh",), SoftmaxLoss())
    assert rows_per_block(network, np.empty((1, 50))) == n_rows
