"""Columns of tables of any library: which are numbers, which categories, and as arrays.

Neither pandas nor polars is imported: columns are asked for what they can do.
"""

import datetime
from typing import Any

import numpy as np
from scipy.sparse import issparse

MISSING = "missing"
"""The category of missing values."""

NUMBERS, CATEGORIES = "numbers", "categories"


def numbers_of(X):
    """Names, or numbers, of the columns that hold numbers: for a ColumnTransformer.

    Parameters
    ----------
    X : dataframe or array of shape (n_samples, n_features)

    Returns
    -------
    columns : list

    Raises
    ------
    TypeError
        If X is sparse.
    ValueError
        If a column holds what is neither a number nor a category.
    """
    return [name for name, column in _columns(X) if _kind(name, column) == NUMBERS]


def categories_of(X):
    """Names, or numbers, of the columns that hold categories: see `numbers_of`."""
    return [name for name, column in _columns(X) if _kind(name, column) == CATEGORIES]


def floats_of(X):
    """Columns of numbers as an array of float64, in which nan is missing.

    Raises
    ------
    ValueError
        If a column holds something else, or infinity.
    """
    return _stacked(X, _floats, np.float64)


def strings_of(X):
    """Columns of categories as an array of strings, in which "missing" is missing."""
    return _stacked(X, _strings, object)


def float32_of(X):
    """An array, or a dataframe, of numbers in single precision."""
    return X.astype(np.float32) if hasattr(X, "astype") else np.asarray(X, dtype=np.float32)


def _stacked(X, convert, dtype):
    columns = [convert(name, column) for name, column in _columns(X)]
    return np.column_stack(columns) if columns else np.empty((X.shape[0], 0), dtype)


def _columns(X):
    """(name, column) of every column of a table, in order."""
    if issparse(X):
        raise TypeError("X must be a dataframe or a dense array; got a sparse matrix.")
    if hasattr(X, "columns") and hasattr(X, "dtypes"):
        # By place: pandas allows names to be there twice.
        by_place = X.iloc if hasattr(X, "iloc") else X
        return [(name, by_place[:, place]) for place, name in enumerate(X.columns)]
    X = np.asarray(X)
    if X.ndim != 2:
        raise ValueError(
            f"X must be of shape (n_samples, n_features); got an array of shape {X.shape}."
        )
    return list(enumerate(X.T))


def _kind(name, column):
    """Whether a column holds numbers or categories; an error if neither."""
    dtype = column.dtype
    words = str(dtype).lower()
    if hasattr(dtype, "is_temporal"):  # polars
        if dtype.is_temporal():
            raise _refused(name, f"{dtype}, dates or times")
        if dtype.is_nested():
            raise _refused(name, f"{dtype}, nested values")
        if dtype.is_numeric() or words == "boolean":
            return NUMBERS
    elif words.startswith(("period", "interval[datetime")) or dtype.kind in "mM":
        raise _refused(name, f"{dtype}, dates or times")
    elif dtype.kind == "c":
        raise _refused(name, f"{dtype}, complex numbers")
    elif words != "category" and dtype.kind in "biuf":
        return NUMBERS
    return _kind_of_values(name, _values(column)) if words in {"object", "null"} else CATEGORIES


def _kind_of_values(name, values):
    """What objects of any kind are: numbers if all that are not missing are."""
    known = [value for value in values if not _is_missing(value)]
    for value in known:
        if isinstance(value, datetime.date | datetime.time | datetime.timedelta | np.datetime64):
            raise _refused(name, f"dates or times such as {value!r}")
        if isinstance(value, list | tuple | dict | set | np.ndarray):
            raise _refused(name, f"nested values such as {value!r}")
    is_number = [isinstance(value, bool | int | float | np.number | np.bool_) for value in known]
    return NUMBERS if all(is_number) else CATEGORIES


def _refused(name, what):
    return ValueError(
        f"Column {name!r} must hold numbers or categories; got {what}. Drop it, or put numbers in "
        "its place, such as a month or an age in days."
    )


def _values(column):
    """The entries of a column, as objects."""
    if hasattr(column, "to_list"):  # pandas, polars
        return column.to_list()
    return column.tolist()


def _is_missing(value: Any):
    """None, nan, pandas' NA and NaT: what is not equal to itself, or can't say."""
    if value is None:
        return True
    try:
        return not bool(value == value)
    except (TypeError, ValueError):
        return True


def _floats(name, column):
    """A column as float64."""
    if isinstance(getattr(column, "dtype", None), np.dtype) and column.dtype.kind in "biuf":
        floats = np.asarray(column, dtype=np.float64)
    else:
        try:
            floats = np.array(
                [np.nan if _is_missing(value) else float(value) for value in _values(column)]
            )
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"Column {name!r} must hold numbers, as in training; {error}."
            ) from error
    if np.isinf(floats).any():
        raise ValueError(f"Column {name!r} must hold finite numbers; got infinity.")
    return floats


def _strings(name, column):
    """A column as strings."""
    values = [MISSING if _is_missing(value) else str(value) for value in _values(column)]
    return np.array(values, dtype=object)
