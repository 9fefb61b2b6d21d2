"""The user's rows, checked: X and y in a precision that the network computes in, and weights."""

import re
import warnings
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.exceptions import DataConversionWarning
from sklearn.utils import check_array
from sklearn.utils.validation import column_or_1d, validate_data

from .._sklearn import _check_sample_weight
from .columns import are_dates, refuse_masked

PRECISIONS = (np.float64, np.float32)
"""float32 stays float32; all else becomes float64."""

FEW_NUMBERS = 100_000
"""Size of X up to which a look at all numbers takes less time than scikit-learn's validation,
and next to no memory."""

NO_Y: Any = object()
"""In place of y where rows have none; None is what a user gives for y."""


class Given(NamedTuple):
    """Rows as the user gives them; validation rows need not be given."""

    X: Any = None
    y: Any = None
    sample_weight: Any = None


def check_rows(estimator, X, y=NO_Y, *, reset=False, precisions=PRECISIONS, y_name="y"):
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
    y_name : str, default="y"
        What a warning calls y.

    Returns
    -------
    X : {ndarray, csr_matrix} of shape (n_samples, n_features)
    y : ndarray or sparse matrix
        Only if it was given.
    """
    if y is NO_Y and not reset and _is_valid(estimator, X, precisions):
        return X
    refuse_no_numbers(X)
    given = {"reset": reset, "accept_sparse": "csr", "dtype": precisions}
    if y is NO_Y:
        return validate_data(estimator, X, **given)
    with _errors_naming_y(y):
        X, y = validate_data(estimator, X, y, multi_output=True, **given)
    _refuse_missing(y)
    if not issparse(y) and y.ndim == 2 and y.shape[1] == 1:
        # Made 1-D here, and so warned of once; scikit-learn's own words always say y.
        warn_of_a_column(y_name)
        y = column_or_1d(y)
    return X, y


def warn_of_a_column(y_name):
    """Warn that y is two-dimensional, with one column."""
    warnings.warn(
        f"A column-vector {y_name} was passed when a 1d array was expected: "
        f"{y_name}.ravel() makes it one.",
        DataConversionWarning,
        stacklevel=3,
    )


def _is_valid(estimator, X, precisions):
    """Whether X is so plain and small that a look shows what validation would: nothing to do.

    That is so of single rows, which services predict one after another, and of the rows of a
    fold, which a search predicts for each alpha.
    """
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and 0 < X.size <= FEW_NUMBERS
        and precisions is PRECISIONS
        and X.dtype in precisions
        and X.shape[1] == getattr(estimator, "n_features_in_", None)
        and not hasattr(estimator, "feature_names_in_")
        and bool(np.isfinite(X).all())
    )


def refuse_no_numbers(X):
    """An error if X holds dates or times, or masked entries.

    Where nothing else is in X, NumPy makes numbers of them without a word, and -9.2e18 of NaT.
    """
    refuse_masked("X", X)
    if hasattr(X, "columns") and hasattr(X, "dtypes"):
        dtypes = list(X.dtypes)
        for dtype in filter(are_dates, dict.fromkeys(dtypes)):
            raise _got_dates(f"{dtype} in column {list(X.columns)[dtypes.index(dtype)]!r}")
        may_hide_some = object in dtypes
    else:
        dtype = getattr(X, "dtype", None)
        if are_dates(dtype):
            raise _got_dates(dtype)
        may_hide_some = getattr(dtype, "kind", "O") == "O" and not issparse(X)
    if may_hide_some:
        _refuse_dates_among_objects(X)


def _refuse_dates_among_objects(X):
    """The same for lists and arrays of objects. Python's and pandas' dates become no numbers."""
    try:
        values = np.asarray(X)
    except (TypeError, ValueError):
        return  # scikit-learn says what is wrong
    if are_dates(values.dtype):
        raise _got_dates(values.dtype)
    if values.dtype == object:
        for value in values.flat:
            if isinstance(value, np.datetime64 | np.timedelta64):
                raise _got_dates(repr(value))


def _got_dates(what):
    return ValueError(
        f"X must hold numbers; got {what}. Turn dates and times into numbers first, such as a "
        "month or an age in days."
    )


def check_y(estimator, y):
    """y as `check_rows` takes it, where X is not yet an array of numbers."""
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None."
        )
    with _errors_naming_y(y):
        y = check_array(
            y, accept_sparse="csr", ensure_2d=False, dtype=None, input_name="y", estimator=estimator
        )
    _refuse_missing(y)
    return y


def _is_scalar(y):
    """Whether NumPy takes y for a single value, as it does a dictionary or polars' LazyFrame."""
    # Lists, which may be long, are looked at once, by scikit-learn.
    if y is None or isinstance(y, list | tuple):
        return False
    return (y.ndim if hasattr(y, "ndim") else np.asarray(y).ndim) == 0


@contextmanager
def _errors_naming_y(y):
    """Context in which errors of scikit-learn that speak of missing values name y."""
    refuse_masked("y", y)
    if _is_scalar(y):
        raise ValueError(f"y should be a 1d array, or a 2d one; got {y!r}.")
    try:
        yield
    except (TypeError, ValueError) as error:
        # What scikit-learn says of missing values among objects does not name y.
        if str(error) == "Input contains NaN" or "NA is ambiguous" in str(error):
            raise ValueError("Input y contains NaN.") from error
        raise


def _refuse_missing(y):
    """An error if y is missing in a way that scikit-learn lets through.

    Those are dates and times among labels, and None, which is what polars has for a null.
    """
    if issparse(y):
        return
    if y.dtype.kind in "mM" and np.isnat(y).any():
        raise ValueError("Input y contains NaT.")
    if y.dtype.kind == "O" and any(value is None for value in y.flat):
        raise ValueError("Input y contains NaN.")


def row_weights(sample_weight, X):
    """Weight of each row, float64, finite, >= 0, with one above 0; ones take no memory."""
    if sample_weight is None:
        return np.broadcast_to(1.0, X.shape[0])
    refuse_masked("sample_weight", sample_weight)
    with errors_naming_weights():
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    if not weights.any():
        raise ValueError("sample_weight must have a sum above 0; got only zeros.")
    check_finite_weights(weights)
    return weights


@contextmanager
def errors_naming_weights():
    """Context in which scikit-learn's errors about weights name sample_weight, as not all do."""
    try:
        yield
    except (TypeError, ValueError, OverflowError) as error:
        if "sample_weight" in str(error):
            raise
        raise ValueError(f"sample_weight is not allowed: {error}") from error


def check_finite_weights(weights):
    """An error for nan or infinity, which scikit-learn's assume_finite=True lets through."""
    finite = np.isfinite(weights)
    if not finite.all():
        raise ValueError(f"sample_weight must hold finite numbers; got {weights[~finite][0]}.")


def check_validation_arguments(X_val, y_val, sample_weight_val):
    """An error if only some of the validation rows are given."""
    if (X_val is None) != (y_val is None):
        raise ValueError("X_val and y_val must be given together; got one of them.")
    if X_val is None and sample_weight_val is not None:
        raise ValueError("sample_weight_val needs X_val and y_val; got neither.")


@contextmanager
def errors_of_validation_rows():
    """Context in which errors that speak of X, y and sample_weight mean X_val and so on."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if type(error) not in (TypeError, ValueError):
            raise  # its message is not all that it holds
        named = re.sub(r"\b(X|y|sample_weight)\b", r"\1_val", str(error))
        # Or it would seem to be about the training rows.
        if "_val" not in named and "validation rows" not in named:
            named = f"X_val and y_val are not allowed: {named}"
        raise type(error)(named) from error
