"""Columns of tables of any library: which are numbers, which categories, and as arrays.

Neither pandas nor polars is imported: columns are asked for what they can do.
"""

import datetime
from collections import Counter
from decimal import Decimal
from numbers import Complex, Real
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.exceptions import NotFittedError

NUMBERS, CATEGORIES = "numbers", "categories"

UNDECLARED = "object"
"""How the name of the dtype begins whose columns are numbers if they hold some and nothing else."""

MAX_NUMBER = 1e150
"""Standard deviations of larger numbers would be infinite, and what they divide zero or nan."""

DATES, NESTED = "dates or times", "nested values"


def numbers_of(X):
    """The columns that hold numbers: for a ColumnTransformer.

    Parameters
    ----------
    X : dataframe or array of shape (n_samples, n_features)

    Returns
    -------
    columns : list
        Names, if X is a dataframe whose names are all strings; else positions, for a
        ColumnTransformer takes numbers for positions even where they are names.

    Raises
    ------
    TypeError
        If X is sparse.
    ValueError
        If a column holds what is neither a number nor a category, or two have one name, or
        there are no rows or no columns.
    """
    return _columns_of(X, NUMBERS)


def categories_of(X):
    """The columns that hold categories: see `numbers_of`."""
    return _columns_of(X, CATEGORIES)


def floats_of(X):
    """Columns of numbers as an array of float64, in which nan is missing.

    Raises
    ------
    ValueError
        If a column holds something else, or infinity, or numbers whose squares overflow.
    """
    return _stacked(X, _floats)


def strings_of(X):
    """Columns of categories as an array of strings, in which None is missing.

    Raises
    ------
    ValueError
        If a column holds what is neither a number nor a category, as it may at a prediction.
    """
    return _stacked(X, words_of)


def same_names(step, names):
    """Names of the columns that a step hands on: those of its input.

    Of a step that has seen no columns scikit-learn's diagrams expect this error, not a None.
    """
    if names is None:
        raise NotFittedError(f"{step!r} has seen no columns.")
    return names


def float32_of(X):
    """Scaled columns, an array or a dataframe, in single precision.

    Raises
    ------
    ValueError
        If a number is too large for it.
    """
    with np.errstate(over="ignore"):
        single = X.astype(np.float32) if hasattr(X, "astype") else np.asarray(X, dtype=np.float32)
    infinite = np.isinf(np.asarray(single))
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        name = X.columns[column] if hasattr(X, "columns") else int(column)
        raise ValueError(
            "X must hold numbers that are finite in float32 when they are scaled as in training; "
            f"got {np.asarray(X)[row, column]:g} in column {name!r} of the scaled ones."
        )
    return single


def _stacked(X, convert):
    return np.column_stack([convert(name, column) for name, column in named_columns(X)])


def _columns_of(X, kind):
    """Names or positions of the columns of a kind."""
    columns = named_columns(X)
    if not columns:
        raise ValueError("X must have at least one column; got none.")
    named = all(isinstance(name, str) for name, _ in columns)
    return [
        name if named else place
        for place, (name, column) in enumerate(columns)
        if _kind(name, column) == kind
    ]


def named_columns(X):
    """(name, column) of every column of a table, in order; an array's names are positions."""
    X, names = _table_of(X)
    # By position: a name of pandas may be a number or a tuple.
    by_position = X.iloc if hasattr(X, "iloc") else X
    return [(name, by_position[:, place]) for place, name in enumerate(names)]


def names_of(X):
    """Names of the columns of a table, in order; an error if it is none."""
    return _table_of(X)[1]


def _table_of(X):
    """A dataframe, or an array, and the names of its columns; an error if it is no table."""
    if issparse(X):
        raise TypeError("X must be a dataframe or a dense array; got a sparse matrix.")
    is_frame = hasattr(X, "shape") and hasattr(X, "columns") and hasattr(X, "dtypes")
    if not is_frame:
        X = _as_array(X)
    if X.shape[0] == 0:
        raise ValueError("X must have at least one row; got none.")
    if not is_frame:
        return X, list(range(X.shape[1]))
    names = list(X.columns)
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        raise ValueError(f"X must have a name of its own for each column; got {twice[0]!r} twice.")
    return X, names


def _as_array(X):
    """A table that is no dataframe as an array; an error if it is no table."""
    try:
        array = np.asarray(X)
    except ValueError:  # rows of different lengths
        array = np.empty(0)
    if array.ndim == 2:
        refuse_masked("X", X)
        return array
    entries = X if isinstance(X, list) and X else [X]
    shape = f" of shape {X.shape}" if hasattr(X, "shape") else ""
    what = f"{type(X).__name__}{shape}"
    if isinstance(entries[0], dict):
        what += ". Make a dataframe of it, as pandas.DataFrame does"
    elif hasattr(X, "collect"):  # polars' LazyFrame
        what += ". Its collect() gives a dataframe"
    raise ValueError(
        f"X must be a dataframe, or an array of shape (n_samples, n_features); got {what}."
    )


def refuse_masked(name, values):
    """An error for an array of numpy.ma with masked entries: all else reads what is under them."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError(
            f"{name} must not hold masked entries, whose masks would be ignored. Leave those rows "
            "out, or fill the entries: with filled(np.nan) they are gaps, which models for tables "
            "take."
        )


def are_dates(dtype):
    """Whether a dtype of NumPy, pandas or polars is one of dates, times or durations."""
    if hasattr(dtype, "is_temporal"):  # polars
        return dtype.is_temporal()
    spans = ("period", "interval[datetime")
    return getattr(dtype, "kind", None) in ("m", "M") or str(dtype).lower().startswith(spans)


def _kind(name, column):
    """Whether a column holds numbers or categories; an error if neither."""
    dtype = column.dtype
    words = str(dtype).lower()
    if are_dates(dtype):
        raise _refused(name, f"{dtype}, {DATES}")
    if hasattr(dtype, "is_nested"):  # polars
        if dtype.is_nested():
            raise _refused(name, f"{dtype}, {NESTED}")
        if dtype.is_numeric() or words == "boolean":
            return NUMBERS
    elif dtype.kind == "c":
        raise _refused(name, f"{dtype}, complex numbers")
    elif dtype.kind in "biuf" or words.startswith("decimal"):
        return NUMBERS
    if words == "str" or words.startswith("string"):
        return CATEGORIES  # as all values must be, so that none is looked at
    kind = _kind_of_values(name, _values(column))
    return kind if words.startswith(UNDECLARED) else CATEGORIES


def _kind_of_values(name, values):
    """What objects of any kind are: numbers if there are some, and all that are known are.

    Where none is known they are categories, so that whatever comes later can be read.
    """
    # One value of each type is enough to know the type. A call for each string would take long.
    known = {type(value): value for value in values if type(value) is str or not _is_missing(value)}
    for value in known.values():
        if what := _neither(value):
            raise _refused(name, f"{what} such as {value!r}")
    return NUMBERS if known and all(map(_is_number, known.values())) else CATEGORIES


def _is_number(value):
    return isinstance(value, Real | Decimal | np.bool_)


def _neither(value):
    """What a value is that is neither a number nor a category."""
    # pandas' periods and all of Python's dates and times can be formatted.
    durations = datetime.timedelta | np.datetime64 | np.timedelta64
    if isinstance(value, durations) or hasattr(value, "strftime"):
        return DATES
    if hasattr(value, "__len__") and not isinstance(value, str | bytes):
        return NESTED
    if isinstance(value, Complex) and not _is_number(value):
        return "complex numbers"
    return None


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
    """None, nan, pandas' NA and NaT: what is not equal to itself, or can't say.

    pandas' NA raises a TypeError, a signalling nan of decimal its own InvalidOperation.
    """
    if value is None:
        return True
    if isinstance(value, str) or hasattr(value, "__len__"):  # nested values are no gaps
        return False
    try:
        return not bool(value == value)
    except (TypeError, ArithmeticError):
        return True


def _floats(name, column):
    """A column as float64."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        floats = np.asarray(column, dtype=np.float64)
    elif hasattr(dtype, "is_numeric") and (dtype.is_numeric() or str(dtype) == "Boolean"):  # polars
        floats = column.cast(float).to_numpy()
    elif getattr(dtype, "kind", "O") in "biuf":  # pandas' own and Arrow's numbers
        floats = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        _kind(name, column)  # or some that are no numbers would become such
        try:
            floats = np.array(
                [np.nan if _is_missing(value) else float(value) for value in _values(column)]
            )
        except OverflowError as error:
            raise _too_large(name, "one that no float can hold") from error
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"Column {name!r} must hold numbers, as in training; {error}."
            ) from error
    if np.isinf(floats).any():
        raise ValueError(
            f"Column {name!r} must hold finite numbers; got infinity. Where it stands for a "
            "missing number, put nan."
        )
    too_large = floats[np.abs(floats) > MAX_NUMBER]
    if too_large.size:
        raise _too_large(name, f"{too_large[0]:g}")
    return floats


def _too_large(name, what):
    return ValueError(
        f"Column {name!r} must hold numbers between -{MAX_NUMBER:g} and {MAX_NUMBER:g}, whose "
        f"squares can be summed; got {what}."
    )


def words_of(name, column):
    """A column as strings, and None; an error if it holds neither numbers nor categories."""
    _kind(name, column)
    # Nearly all are strings, for which no function is called.
    values = [value if type(value) is str else _word(value) for value in _values(column)]
    return np.array(values, dtype=object)


def _word(value):
    """A value as a string, or None if it is missing.

    1.0 becomes 1, for a single gap makes floats of all integers of a column.
    """
    if _is_missing(value):
        return None
    whole = isinstance(value, float | np.floating) and value.is_integer()
    return str(int(value) if whole else value)
