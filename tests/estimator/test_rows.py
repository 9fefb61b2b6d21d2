"""Checked rows: whatever is given to predict, what scikit-learn's validation makes of it."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import config_context
from sklearn.utils.validation import validate_data

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp._estimator.rows import PRECISIONS, check_rows

ROWS = np.array([[0.5, -1.0, 2.0], [1.5, 0.0, -3.0]])


@pytest.fixture(name="fitted", scope="module")
def fitted_on_three_columns():
    with pytest.warns(match="max_iter"):
        return BackpropMLPClassifier((2,), max_iter=1, random_state=0).fit(ROWS, [0, 1])


def outcome(check):
    """What a check returns, or the words of its error."""
    try:
        return check()
    except (TypeError, ValueError) as error:
        return type(error), str(error)


GIVEN = {
    "float64": ROWS,
    "float32": ROWS.astype(np.float32),
    "float16": ROWS.astype(np.float16),
    "longdouble": ROWS.astype(np.longdouble),
    "int": ROWS.astype(int),
    "bool": ROWS > 0,
    "complex": ROWS + 0j,
    "object": ROWS.astype(object),
    "big_endian": ROWS.astype(">f8"),
    "columns_first": np.asfortranarray(ROWS),
    "reversed": ROWS[::-1, ::-1],
    "list": ROWS.tolist(),
    "matrix": ROWS.view(np.matrix),
    "masked": np.ma.array(ROWS),
    "csr": sp.csr_array(ROWS),
    "csc": sp.csc_matrix(ROWS),
    "one_row": ROWS[:1],
    "nan": np.where(ROWS > 1.0, np.nan, ROWS),
    "inf": np.where(ROWS > 1.0, np.inf, ROWS),
    "sum_overflows": np.full((2, 3), 1e308),
    "no_rows": ROWS[:0],
    "no_columns": ROWS[:, :0],
    "two_columns": ROWS[:, :2],
    "vector": ROWS[0],
    "cube": ROWS[np.newaxis],
    "number": np.float64(1.0),
}


@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN.keys())
def test_rows_to_predict_are_what_validation_makes_of_them(fitted, given):
    expected = outcome(
        lambda: validate_data(fitted, given, reset=False, accept_sparse="csr", dtype=PRECISIONS)
    )
    checked = outcome(lambda: check_rows(fitted, given))
    if isinstance(expected, tuple):
        assert checked == expected
        return
    assert type(checked) is type(expected)
    assert checked.dtype == expected.dtype
    assert (checked is given) == (expected is given)
    difference = checked != expected
    assert not (difference.nnz if sp.issparse(difference) else difference.any())


def test_rows_without_names_are_warned_of_where_the_fit_had_names(fitted):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(ROWS, columns=["a", "b", "c"])
    named = BackpropMLPClassifier((2,), max_iter=1, random_state=0)
    with pytest.warns(match="max_iter"):
        named.fit(frame, [0, 1])
    with pytest.warns(UserWarning, match="feature names"):
        named.predict(ROWS)


def test_assume_finite_lets_nan_into_a_prediction(fitted):
    with config_context(assume_finite=True):
        checked = check_rows(fitted, GIVEN["nan"])
    np.testing.assert_array_equal(checked, GIVEN["nan"])
