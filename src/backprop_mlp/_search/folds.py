"""The rows of folds, as numbers, checked before anything is trained on them."""

import numpy as np
from sklearn.model_selection import StratifiedKFold


class TooManyFoldsError(ValueError):
    """More folds than rows; the message begins with "cv", as the searches call their number."""


def check_n_folds(folds, y):
    """An error if rows are too few for a number of folds.

    Parameters
    ----------
    folds : KFold or StratifiedKFold
        What scikit-learn makes of the number.
    y : {ndarray, sparse matrix} of shape (n_rows,) or (n_rows, n_labels)
    """
    n_rows, of_what = y.shape[0], "rows"
    if isinstance(folds, StratifiedKFold):
        n_rows, of_what = np.unique(y, return_counts=True)[1].max(), "rows of any class"
    if folds.n_splits > n_rows:
        raise TooManyFoldsError(
            f"cv, the number of folds, must be at most the number of {of_what}, {n_rows}; got "
            f"{folds.n_splits} with n_samples={y.shape[0]}."
        )


def pairs_of(cv):
    """Given folds as a list, each of them rows to train on and rows to leave out.

    Parameters
    ----------
    cv : iterable

    Raises
    ------
    ValueError
        If it can not be gone through, or gives what is not a pair.
    """
    try:
        folds = list(cv)
    except TypeError as error:  # such as an array without dimensions, which has __iter__
        raise ValueError(
            f"cv must be an int, a splitter or an iterable of folds; got {cv!r}."
        ) from error
    for fold in folds:
        if not hasattr(fold, "__len__") or len(fold) != 2:
            raise ValueError(
                "cv must give pairs of rows to train on and rows to leave out; got "
                f"{fold!r} among its folds."
            )
    return folds


def rows_of_folds(splits, weights, sample_weight, cv):
    """Numbers of the rows of each fold.

    Parameters
    ----------
    splits : iterable of tuple of array-like
        The rows to train on and to leave out: numbers, or a mask with an entry per row.
    weights : ndarray of shape (n_rows,)
        Of all rows in training, with those of their classes.
    sample_weight : array-like of shape (n_rows,) or None
        Of all rows in scores; None if scores do not read it.
    cv : object
        Where the splits come from, for the message.

    Returns
    -------
    folds : list of tuple of ndarray of int

    Raises
    ------
    ValueError
        If there is no fold, or if one has no rows, or such as do not exist, or trains on none
        that has a weight, or if no fold leaves out one that has a weight.
    """
    n_rows = len(weights)
    folds = [(_numbers(train, n_rows), _numbers(test, n_rows)) for train, test in splits]
    if not folds:
        raise ValueError(
            f"cv must give at least one fold; got {cv!r}. What a generator gives can be used once: "
            "put it into a list."
        )
    for number, (train, _) in enumerate(folds):
        if not np.any(weights[train] > 0.0):
            raise ValueError(
                "cv must give folds that train on rows with weights above 0; all rows of fold "
                f"{number} have weight 0."
            )
    in_scores = np.ones(n_rows) if sample_weight is None else np.asarray(sample_weight)
    if not any(np.any(in_scores[test]) for _, test in folds):
        raise ValueError(
            "cv must give folds that leave out rows with weights above 0; all rows that are left "
            "out have weight 0."
        )
    return folds


def _numbers(rows, n_rows):
    try:
        numbers = np.asarray(rows)
    except ValueError:  # rows of different lengths
        numbers = np.empty(0)
    if numbers.dtype.kind == "b" and numbers.shape == (n_rows,):
        numbers = np.flatnonzero(numbers)
    if numbers.ndim != 1 or numbers.size == 0:
        raise ValueError(
            "cv must give folds with rows to train on and rows to leave out, 1-D arrays of at "
            f"least one row; got {rows!r}."
        )
    if numbers.dtype.kind not in "iu" or numbers.min() < -n_rows or numbers.max() >= n_rows:
        raise ValueError(
            f"cv must give numbers of rows, whole numbers below {n_rows}, or masks of {n_rows} "
            f"entries; got {rows!r}."
        )
    return numbers
