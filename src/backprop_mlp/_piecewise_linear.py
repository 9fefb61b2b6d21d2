"""Numbers as ramps between quantiles, so that a network can bend where the values are."""

import re
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from ._estimator.adoption import unchanged_on_failure
from ._estimator.documentation import DocumentationLinkMixin
from ._estimator.keywords import Matrix, Weights
from ._estimator.rows import PRECISIONS, refuse_no_numbers, row_weights
from ._objective.blocks import row_slices
from ._objective.overflow import IGNORE_OVERFLOW
from ._sklearn import Interval, StrOptions, _check_feature_names_in, _fit_context

RAMPS_AT_ONCE = 100_000
"""Numbers of a column's ramps that are made at once: they stay in a core's cache."""


class PiecewiseLinearEncoder(DocumentationLinkMixin, TransformerMixin, BaseEstimator):
    """Standardised columns, and next to them piecewise-linear ramps of each column.

    With the knots k_0 < k_1 < ... < k_T of a column, at quantiles of its values, the
    ramps of a value x are [1]_

    .. math::

        r_t = \\min(\\max(\\frac{x - k_{t-1}}{k_t - k_{t-1}}, 0), 1), \\quad t = 1, ..., T

    A linear combination of them is any piecewise-linear function with bends at the
    knots, and where knots are close it may be steep. So thresholds, which trees find
    easily, are within reach of a network, too.

    Parameters
    ----------
    n_bins : int or "auto", default="auto"
        Largest number T of ramps of a column; 1 makes none, since a single ramp would be the
        column itself. "auto" grows with the rows: 4 below 800 rows, 16 below 2,000, and 48
        from there on.
    scale : float, default=0.5
        Root of the ramps' mean variance over all columns, > 0. Each is centred, and all
        are multiplied by one factor, so that they stay as large next to each other as
        they are. The standardised columns have variance 1.

    Attributes
    ----------
    n_bins_ : int
        The number of bins that was used.
    knots_ : list of ndarray
        Knots of each column: its distinct values where they are at most ``n_bins_ + 1``. Of
        more, the smallest and the largest, those that hold a bin's share of the weight or
        more, such as the zeros of a column that is mostly zero, and quantiles of the others.
        Columns of one or two values have none.
    mean_, std_ : ndarray of shape (`n_features_in_`,)
        Mean and standard deviation of each column. The latter is infinite for constant and
        empty columns: they become 0, also where they hold another number later.
    ramp_mean_ : ndarray of shape (n_ramps,)
        Means of all ramps, column by column.
    ramp_factor_ : float
        What the centred ramps are multiplied by.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if X had names that are all strings.

    See Also
    --------
    sklearn.preprocessing.SplineTransformer : Smooth bases of one size per column.
    sklearn.preprocessing.KBinsDiscretizer : Steps in place of ramps.

    Notes
    -----
    Missing values (nan) are left out of all that is fitted, and stay nan in every column
    that they reach. Rows with zero weight are ignored, and a row with weight 2 counts as
    two rows, except in "auto", which counts rows. Values beyond the outer knots have the
    ramps of the nearest one; the standardised column goes on.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev, A. Babenko, "On embeddings for numerical features in
           tabular deep learning", NeurIPS (2022), section 3.1.

    Examples
    --------
    >>> from backprop_mlp import PiecewiseLinearEncoder
    >>> X = [[0.0], [1.0], [2.0], [3.0], [10.0]]
    >>> encoder = PiecewiseLinearEncoder(n_bins=2).fit(X)
    >>> encoder.knots_
    [array([ 0.,  2., 10.])]
    >>> encoder.get_feature_names_out()
    array(['x0', 'x0_ramp1', 'x0_ramp2'], dtype=object)
    >>> encoder.transform(X).shape
    (5, 3)
    """

    _parameter_constraints: dict = {
        "n_bins": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "scale": [Interval(Real, 0, None, closed="neither")],
    }
    n_bins_: int
    knots_: list[np.ndarray]
    mean_: np.ndarray
    std_: np.ndarray
    ramp_mean_: np.ndarray
    ramp_factor_: float
    n_features_in_: int
    feature_names_in_: np.ndarray

    def __init__(self, n_bins: int | Literal["auto"] = "auto", scale: float = 0.5):
        self.n_bins = n_bins
        self.scale = scale

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Matrix, y: Any = None, sample_weight: Weights = None) -> Self:
        """Find the knots, and what standardises.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers, among which nan stands for a missing one.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights >= 0.

        Returns
        -------
        self : PiecewiseLinearEncoder
            The fitted encoder.

        Raises
        ------
        TypeError
            If X is sparse.
        ValueError
            If a parameter or an input is not allowed, a column spans more than its numbers
            can hold, or a name would be there twice in the output.
        """
        with unchanged_on_failure(self):
            X = self._validated(X, reset=True)
            # Their unit does not matter: so their sum does not overflow.
            weights, _ = _at_most_one(row_weights(sample_weight, X))
            self._fit(X, weights)
        return self

    def transform(self, X: Matrix) -> np.ndarray:
        """The standardised columns, followed by the ramps column by column.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers, among which nan stands for a missing one.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_features + n_ramps)
            In float32 if X is, else in float64.

        Raises
        ------
        TypeError
            If X is sparse.
        ValueError
            If an input is not allowed, or what comes out is not finite in that precision.
        """
        check_is_fitted(self)
        X = self._validated(X, reset=False)
        means, factor = self.ramp_mean_.astype(X.dtype), self._factor_in(X.dtype)
        Z = np.empty((len(X), X.shape[1] + len(means)), X.dtype)
        most_knots = max(1, *map(len, self.knots_))
        for rows in row_slices(len(X), max(1, RAMPS_AT_ONCE // most_knots)):
            self._write(Z[rows], X[rows], means, factor)
        return Z

    def _write(self, Z, X, means, factor):
        """Write what becomes of some rows X into Z, column by column."""
        n_features = X.shape[1]
        with np.errstate(over="ignore"):
            for z, x, mean, std in zip(Z.T, X.T, self.mean_, self.std_, strict=False):
                if std == np.inf:
                    # Also where the difference from the mean overflows.
                    z[:] = np.where(np.isnan(x), x, 0.0)
                else:
                    z[:] = np.subtract(x, mean, dtype=np.float64) / std
        self._refuse_infinity(X, Z[:, :n_features])
        start = n_features
        # Far beyond the knots a difference may be infinite: that ramp is 0 or 1 all the same.
        with np.errstate(over="ignore"):
            for x, knots in zip(X.T, self.knots_, strict=True):
                if len(knots):
                    stop = start + len(knots) - 1
                    ramps = _ramps(x, knots)
                    ramps -= means[start - n_features : stop - n_features]
                    np.multiply(ramps, factor, out=Z[:, start:stop])
                    start = stop

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns of `transform`.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of X. None stands for ``feature_names_in_``, or x0, x1, ...

        Returns
        -------
        names : ndarray of shape (n_features + n_ramps,), dtype object
            The columns' own names, then for each column name_ramp1, name_ramp2, ...
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        ramps = [
            f"{name}_ramp{number}"
            for name, knots in zip(names, self.knots_, strict=True)
            for number in range(1, len(knots))
        ]
        return np.array([*names, *ramps], dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _validated(self, X, reset):
        """X, checked."""
        if issparse(X):
            raise TypeError(
                "X must be dense, for a zero lies between two knots as any other number does and "
                "its ramps are not zero; got a sparse matrix. Use X.toarray()."
            )
        refuse_no_numbers(X)
        return validate_data(self, X, reset=reset, dtype=PRECISIONS, ensure_all_finite="allow-nan")

    def _fit(self, X, weights):
        """Set what is fitted; no weight is above 1."""
        n_rows = np.count_nonzero(weights)
        self.n_bins_ = _auto_bins(n_rows) if self.n_bins == "auto" else int(self.n_bins)
        _refuse_names_of_ramps(getattr(self, "feature_names_in_", ()), self.n_bins_)
        self.mean_ = np.zeros(X.shape[1])
        self.std_ = np.full(X.shape[1], np.inf)
        self.knots_ = []
        for column, (x, w) in enumerate(_known(X, weights)):
            x = x.astype(np.float64)
            if x.size:
                self._refuse_span(column, x, X.dtype)
                self.mean_[column], self.std_[column] = _moments(x, w)
            self.knots_.append(_knots(x, w, self.n_bins_).astype(X.dtype))
        self._standardise_ramps(X, weights)

    def _refuse_span(self, column, x, dtype):
        """An error if the width of a column is not finite in X's precision."""
        # With scikit-learn's assume_finite=True it may be that of infinity from itself, nan.
        with np.errstate(**IGNORE_OVERFLOW):
            width = x.max() - x.min()
        if not width <= np.finfo(dtype).max:
            raise ValueError(
                f"X must span less than the largest number of {dtype} in every column; got "
                f"values from {x.min():g} to {x.max():g} in column {self._name(column)!r}."
            )

    def _refuse_infinity(self, X, Z):
        """An error if numbers of X are too many standard deviations from the mean."""
        infinite = np.isinf(Z)
        if infinite.any():
            row, column = np.argwhere(infinite)[0]
            raise ValueError(
                f"X must not be farther from a column's mean than {Z.dtype} can hold in its "
                f"standard deviations; got {X[row, column]:g} in column {self._name(column)!r}, "
                f"whose mean is {self.mean_[column]:g} and standard deviation "
                f"{self.std_[column]:g}."
            )

    def _factor_in(self, dtype):
        """``ramp_factor_`` as a finite number of a precision."""
        with np.errstate(over="ignore"):
            factor = dtype.type(self.ramp_factor_)
        if not np.isfinite(factor):
            raise ValueError(
                f"scale must be smaller, for ramps times {self.ramp_factor_:g} are not finite in "
                f"{dtype}; got {self.scale!r}."
            )
        return factor

    def _name(self, column):
        """What X calls a column."""
        return getattr(self, "feature_names_in_", range(len(self.mean_)))[column]

    def _standardise_ramps(self, X, weights):
        """Set the ramps' means and their common factor."""
        means, variances = [], []
        for (x, w), knots in zip(_known(X, weights), self.knots_, strict=True):
            if len(knots) == 0:
                continue
            mean, variance = _ramp_moments(x.astype(np.float64), w, knots.astype(np.float64))
            means.append(mean)
            variances.append(variance)
        self.ramp_mean_ = np.concatenate(means) if means else np.zeros(0)
        variance = np.concatenate(variances).mean() if variances else 1.0
        with np.errstate(over="ignore", divide="ignore"):
            self.ramp_factor_ = float(self.scale / np.sqrt(variance))
        self._factor_in(X.dtype)


def _auto_bins(n_rows):
    """More rows can tell more bins apart."""
    if n_rows < 800:
        return 4
    return 16 if n_rows < 2000 else 48


def _refuse_names_of_ramps(names, n_bins):
    """An error if a column has a name that a ramp of another one may have.

    Whether the other column gets that ramp is not asked: a table must not fit or fail by the
    values in it.
    """
    known = set(names)
    for name in names:
        parts = re.fullmatch(r"(.*)_ramp([1-9]\d*)", name, flags=re.DOTALL)
        if parts and parts[1] in known and int(parts[2]) <= n_bins:
            raise ValueError(
                f"X must have no column {name!r} next to {parts[1]!r}, since a ramp would have the "
                "same name. Rename one of them."
            )


def _known(X, weights):
    """Column by column, the numbers that are not missing in rows with weight, and the weights."""
    for x in X.T:
        known = (weights > 0.0) & ~np.isnan(x)
        yield x[known], weights[known]


def _at_most_one(x):
    """x times a power of two, which rounds nothing, and the exponent that takes it back."""
    exponent = np.frexp(np.abs(x).max())[1]
    return np.ldexp(x, -exponent), exponent


def _moments(x, w):
    """Mean and standard deviation of a column; infinity for a constant one.

    Networks keep the starting weights of a column that never varies: nothing is known of what
    another number in it would mean.
    """
    scaled, exponent = _at_most_one(x)
    mean = np.ldexp(np.average(scaled, weights=w), exponent)
    # Squares of large and of tiny numbers would be lost.
    deviations, exponent = _at_most_one(x - mean)
    std = np.ldexp(np.sqrt(np.average(deviations**2, weights=w)), exponent)
    largest = np.ldexp(np.abs(deviations).max(), exponent)
    constant = not largest > 10.0 * np.finfo(np.float64).eps * np.abs(mean)
    return mean, np.inf if constant or std == 0.0 else std


def _knots(x, w, n_bins):
    """Knots of the values x with weights w: none if there is no bend to make."""
    values, inverse = np.unique(x, return_inverse=True)
    if len(values) < 3:
        return values[:0]
    n_bins = min(n_bins, len(values))  # NumPy's integers may not hold more
    w = np.bincount(inverse, weights=w)
    is_knot = np.zeros(len(values), dtype=bool)
    is_knot[[0, -1]] = True
    while (n_left := n_bins + 1 - np.count_nonzero(is_knot)) < np.count_nonzero(~is_knot):
        below = np.cumsum(w)
        # Quantiles would hit these more than once: they are left out of the others' quantiles.
        fills_a_bin = w >= below[-1] / (n_left + 1)
        if not 0 < np.count_nonzero(fills_a_bin) <= n_left:
            # The smallest value up to which a share of the weight lies: with whole weights the
            # same as of repeated rows.
            shares = np.arange(1, n_left + 1) / (n_left + 1)
            is_knot[np.searchsorted(below, shares * below[-1])] = True
            break
        is_knot |= fills_a_bin
        w = np.where(fills_a_bin, 0.0, w)
    else:
        is_knot[:] = True
    knots = values[is_knot]
    return knots if len(knots) > 2 else knots[:0]


def _ramp_moments(x, w, knots):
    """Weighted mean and variance of each ramp of values between the outer knots.

    A ramp is a share for the values of its own bin, 0 for those of lower and 1 for those of
    higher bins. So sums over bins do, and there is no array of all ramps of all values.
    """
    bins = np.searchsorted(knots[1:-1], x, side="right")
    shares = (x - knots[bins]) / np.diff(knots)[bins]
    n_bins = len(knots) - 1
    within = np.bincount(bins, w, n_bins)
    # Each is summed from its own end, for differences of sums would lose light bins.
    below = np.append(0.0, np.cumsum(within[:-1]))
    above = np.append(np.cumsum(within[:0:-1])[::-1], 0.0)
    total = within.sum()
    mean = (np.bincount(bins, w * shares, n_bins) + above) / total
    squares = np.bincount(bins, w * (shares - mean[bins]) ** 2, n_bins)
    return mean, (squares + below * mean**2 + above * (1.0 - mean) ** 2) / total


def _ramps(x, knots):
    """The ramps of x between knots, one column per ramp."""
    ramps = x[:, np.newaxis] - knots[:-1]
    ramps /= np.diff(knots)
    return ramps.clip(0.0, 1.0, out=ramps)
