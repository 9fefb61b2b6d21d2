"""Where the rows of collections come from: X, y and weights are parts of the same rows."""

import numpy as np
import pandas as pd
import pytest

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
pytest.importorskip("distributed")

from dask_data import network  # noqa: E402

from backprop_mlp.dask import DaskBackpropMLPClassifier  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FEATURES = [f"column {k}" for k in range(10)]


@pytest.fixture
def dd():
    return pytest.importorskip("dask.dataframe", exc_type=ImportError)


def rows_and_labels():
    """A table whose label is the sign of the first column, and weights 1 and 0 likewise."""
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(600, 10)), columns=FEATURES)
    return table.assign(label=table["column 0"] > 0.0, weight=(table["column 1"] > 0.0) * 1.0)


def _drawn(table):
    """The rows in an order of its own at each call."""
    return table.sample(frac=1.0, random_state=np.random.default_rng())


def _drawn_array(table):
    return _drawn(table).to_numpy(np.float64)


def parts_of_frames(dd, table):
    frame = dd.from_pandas(table, npartitions=3)
    frame = frame.map_partitions(_drawn, meta=frame._meta)
    return frame[FEATURES], frame["label"], frame["weight"]


def parts_of_arrays(dd, table):
    draw = dask.delayed(_drawn_array, pure=False)
    parts = [draw(table[start : start + 200]) for start in (0, 200, 400)]
    whole = da.concatenate([da.from_delayed(part, (200, 12), float) for part in parts])
    return whole[:, :10], whole[:, 10], whole[:, 11]


@pytest.mark.parametrize("cut", [parts_of_frames, parts_of_arrays])
def test_rows_that_come_in_another_order_each_time_keep_their_labels_and_weights(client, dd, cut):
    table = rows_and_labels()
    X, y, weights = cut(dd, table)
    there = DaskBackpropMLPClassifier(network(max_iter=50), client=client).fit(X, y, weights)
    counted = table[table["weight"] > 0.0]
    here = network(max_iter=50).fit(counted[FEATURES], counted["label"])
    assert there.score(X, y, weights) == 1.0
    assert there.loss_ == pytest.approx(here.loss_, rel=1e-3, abs=1e-3)
    assert there.to_local().score(table[FEATURES].to_numpy(), table["label"]) > 0.9


# Dask's own use of pandas.
@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")
@pytest.mark.parametrize("filesystem", ["fsspec", "arrow"])
def test_columns_of_files_have_the_partitions_of_the_files(client, dd, tmp_path, filesystem):
    pytest.importorskip("pyarrow.parquet")
    table = rows_and_labels()
    dd.from_pandas(table, npartitions=6).to_parquet(tmp_path)
    read = dd.read_parquet(tmp_path, filesystem=filesystem)
    there = DaskBackpropMLPClassifier(network(), client=client)
    there.fit(read[FEATURES], read["label"], read["weight"])
    here = network().fit(table[FEATURES], table["label"], table["weight"])
    np.testing.assert_allclose(there.coefs_[0], here.coefs_[0], rtol=1e-6)
    assert there.score(read[FEATURES], read["label"]) == here.score(table[FEATURES], table["label"])
    cost = there.cost(read[FEATURES], read["label"], read["weight"])
    assert cost == pytest.approx(here.cost(table[FEATURES], table["label"], table["weight"]))
