"""Numbers: one output or several, each with a mean and a scale of its own."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import issparse

from .._network.regression_losses import RegressionLoss
from .moments import Moments


@dataclass(frozen=True)
class Numbers:
    """Numbers to be predicted: see `Targets`.

    The codes are y itself. Y is (y - mean) / scale: the network is trained in these units,
    in which ``alpha`` and ``tol`` mean the same whatever y is measured in. Where the loss
    has a log link, or the user wants it so, mean and scale are 0 and 1.

    Parameters
    ----------
    loss : RegressionLoss
        Says which numbers are allowed.
    mean, scale : ndarray of shape (n_outputs,), float64
    one_dimensional : bool
        Whether y is of shape (n_rows,).
    normalizes : bool
        Whether mean and scale are still to become those of the rows: see `scaled_by`.
    """

    loss: RegressionLoss
    mean: np.ndarray
    scale: np.ndarray
    one_dimensional: bool
    normalizes: bool

    has_classes = False
    exclusive_classes = None

    @classmethod
    def of(cls, y, loss: RegressionLoss, normalize_y: bool):
        """The problem that validated y poses, in y's units until `scaled_by` changes them.

        Raises
        ------
        ValueError
            If y does not hold numbers.
        """
        y = as_numbers(y)
        n_outputs = 1 if y.ndim == 1 else y.shape[1]
        normalizes = normalize_y and loss.has_identity_link
        return cls(loss, np.zeros(n_outputs), np.ones(n_outputs), y.ndim == 1, normalizes)

    @property
    def n_outputs(self) -> int:
        """One per column of y."""
        return len(self.mean)

    @property
    def shape(self) -> tuple:
        """Of the numbers of a row: () or (n_outputs,)."""
        return () if self.one_dimensional else (self.n_outputs,)

    def codes(self, y, sample_weight=None, dtype=np.float64):
        """y itself, an array of numbers; in rows with zero weight what logits of 0 predict.

        Such rows may hold any finite number, which must not overflow where it does not count.
        """
        y = as_numbers(y)
        if y.shape[1:] != self.shape:
            raise ValueError(
                f"y must be of shape {('n_samples', *self.shape)}, as in training; "
                f"got shape {y.shape}.".replace("'", "")
            )
        if sample_weight is not None and not np.all(counted := sample_weight > 0.0):
            harmless = self.loss.predict(np.zeros(self.n_outputs)) * self.scale + self.mean
            y = np.where(counted, y.T, harmless.reshape(-1, 1) if y.ndim == 2 else harmless).T
        if not self.normalizes:
            self._check_precision(y, np.dtype(dtype))
        self.loss.check_range(y, dtype)
        return y

    def _check_precision(self, y, dtype):
        """An error if the squares of numbers overflow in the units and precision of training."""
        reach = 1e-3 * np.sqrt(float(np.finfo(dtype).max))
        lowest, highest = (
            np.atleast_1d(bound).astype(np.float64) for bound in (y.min(axis=0), y.max(axis=0))
        )
        with np.errstate(over="ignore", invalid="ignore"):
            distances = np.maximum(highest - self.mean, self.mean - lowest)
            too_far = distances > reach * self.scale
        for k in np.flatnonzero(too_far):
            remedy = " or give X in float64" if dtype == np.float32 else ""
            raise ValueError(
                f"y must be within {reach * self.scale[k]:.3g} of {self.mean[k]:.6g} to be "
                f"computed in {dtype}; got numbers from {lowest[k]:.6g} to {highest[k]:.6g}. "
                f"Scale y{remedy}."
            )

    def encode(self, codes, dtype):
        """Y, in the units of training."""
        Y = np.subtract(codes.reshape(len(codes), self.n_outputs), self.mean, dtype=np.float64)
        Y /= self.scale
        return Y.astype(dtype, order="F")

    def outputs(self, loss, z):
        """The predictions, shaped as z."""
        return loss.predict(z)

    def predict(self, loss: RegressionLoss, z):
        """Predictions in y's units, from logits in y's units, shaped as y is."""
        mu = loss.predict(z)
        return mu[:, 0] if self.one_dimensional else mu

    def tally(self, loss: RegressionLoss, z, block):
        """The sum of w e^2 per output, where e are the errors, in the units of training."""
        errors = loss.predict(z) - block.Y.astype(np.float64)
        return block.sample_weight @ errors**2

    def score(self, tally, total_weight, totals) -> float:
        """R2, the mean over the outputs, as `sklearn.metrics.r2_score` has it.

        Where no output varies, R2 is 0 for all networks but exact ones: 1 minus the mean square of
        the errors, in the units of training, takes its place, and tells them apart.
        """
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            squares = total_weight * (totals.deviation / self.scale) ** 2
            if not squares.any():
                return float((1.0 - tally / total_weight).mean())
            scores = 1.0 - tally / squares
        return average_r2(scores, tally, squares)

    def totals(self, codes, sample_weight):
        """`Moments` of y, in its own units: they add up."""
        return Moments.of(codes.reshape(len(codes), self.n_outputs), sample_weight)

    def scaled_by(self, totals):
        """The same with the mean and the standard deviation of all rows.

        Raises
        ------
        ValueError
            If y spans more than the largest number.
        """
        # Weights whose sum is not finite are refused later.
        if not self.normalizes or not np.isfinite(totals.weight):
            return self
        mean, deviation = totals.mean, totals.deviation
        if not np.isfinite([mean, deviation]).all():
            raise ValueError(
                "y must span less than the largest number of float64 with normalize_y=True; got "
                f"a mean of {mean} and a standard deviation of {deviation}."
            )
        scale = np.where(deviation > 0.0, deviation, 1.0)
        return replace(self, mean=mean, scale=scale, normalizes=False)

    def continuing(self, before, what):
        """This problem's loss, with mean and scale of the previous fit."""
        if self.n_outputs != before.n_outputs:
            raise ValueError(
                f"{what} needs as many outputs in y as the previous fit: {before.n_outputs}; "
                f"got {self.n_outputs}."
            )
        if self.loss.has_identity_link != before.loss.has_identity_link:
            raise ValueError(
                f"{what} needs a loss with the link of the previous fit's, {before.loss.name!r}; "
                f"got {self.loss.name!r}."
            )
        return replace(before, loss=self.loss)

    def to_units(self, W, b):
        """The output layer for predictions in y's units, float64, from that of training.

        In float32 a y far from zero would lose all of its digits.
        """
        return W * self.scale, b * self.scale + self.mean

    def from_units(self, W, b):
        """The inverse of `to_units`, but for rounding."""
        return W / self.scale, (b - self.mean) / self.scale


def average_r2(scores, errors, variation) -> float:
    """Mean of each output's R2: where y does not vary 1 if it is predicted exactly, else 0.

    Parameters
    ----------
    scores : ndarray of shape (n_outputs,)
        Each output's R2; any number where y does not vary.
    errors, variation : ndarray of shape (n_outputs,)
        Sizes of the errors and of y's deviations, in any unit.
    """
    of_a_constant = np.where(errors == 0.0, 1.0, 0.0)
    return float(np.where(variation == 0.0, of_a_constant, scores).mean())


def as_numbers(y):
    """y as an array of numbers, without a copy if it is one."""
    if issparse(y):
        raise ValueError("y must be a dense array of numbers; got a sparse matrix.")
    y = np.asarray(y)
    if y.dtype.kind in "biuf":
        finite = np.isfinite(y)
        if not finite.all():  # scikit-learn's assume_finite=True lets them through
            raise ValueError(f"y must hold finite numbers; got {y[~finite][0]}.")
        return y
    if y.dtype.kind != "O":
        raise ValueError(f"y must hold numbers; got dtype {y.dtype}.")
    others = [value for value in y.flat if isinstance(value, _NO_NUMBERS)]
    if others:
        raise ValueError(f"y must hold numbers; got {others[0]!r}.")
    try:
        numbers = y.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"y must hold numbers; {error}.") from error
    # A None, which scikit-learn lets through, has become nan, and a number may be too large.
    for number, value in zip(numbers.flat, y.flat, strict=True):
        if not np.isfinite(number):
            raise ValueError(f"y must hold finite numbers; got {value!r}.")
    return numbers


_NO_NUMBERS = (str, bytes, np.datetime64, np.timedelta64)
"""Objects that NumPy would convert to numbers."""
