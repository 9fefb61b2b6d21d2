"""Numbers: one output or several, each with a mean and a scale of its own."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import issparse

from .._network.regression_losses import RegressionLoss


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
        Whether `scaled_by` is to make mean and scale those of the rows.
    """

    loss: RegressionLoss
    mean: Any
    scale: Any
    one_dimensional: bool
    normalizes: bool

    has_classes = False
    exclusive_classes = None

    @classmethod
    def of(cls, y, loss: RegressionLoss, normalize_y: bool):
        """The problem that validated y poses.

        Where y is to be normalised, mean and scale are such that totals are accurate: its
        first row, and the largest distance from it.

        Raises
        ------
        ValueError
            If y does not hold numbers, or some that the loss does not allow.
        """
        y = _as_numbers(y)
        n_outputs = 1 if y.ndim == 1 else y.shape[1]
        mean, scale = np.zeros(n_outputs), np.ones(n_outputs)
        normalizes = normalize_y and loss.has_identity_link
        if normalizes:
            mean = np.array(y[0], dtype=np.float64, ndmin=1)
            with np.errstate(over="ignore"):
                scale = np.maximum(y.max(axis=0) - mean, mean - y.min(axis=0)).astype(np.float64)
            if not np.isfinite(scale).all():
                raise ValueError(
                    "y must span less than the largest number of float64 with normalize_y=True; "
                    f"got values from {y.min()} to {y.max()}."
                )
            scale[scale == 0.0] = 1.0
        return cls(loss, mean, scale, y.ndim == 1, normalizes)

    @staticmethod
    def union(problems):
        """The problem that parts of a training set pose together, from what each poses alone.

        Raises
        ------
        ValueError
            If they have different numbers of outputs.
        """
        first = problems[0]
        shapes = {(targets.one_dimensional, targets.n_outputs) for targets in problems}
        if len(shapes) > 1:
            raise ValueError(
                "y must have as many columns in all of its parts; got "
                f"{sorted(targets.n_outputs for targets in problems)}."
            )
        if not first.normalizes:
            return first
        distances = [abs(targets.mean - first.mean) + targets.scale for targets in problems]
        return replace(first, scale=np.max(distances, axis=0))

    @property
    def n_outputs(self) -> int:
        """One per column of y."""
        return len(self.mean)

    def codes(self, y):
        """y itself, an array of numbers."""
        y = _as_numbers(y)
        expected = () if self.one_dimensional else (self.n_outputs,)
        if y.shape[1:] != expected:
            raise ValueError(
                f"y must be of shape {('n_samples', *expected)}, as in training; "
                f"got shape {y.shape}.".replace("'", "")
            )
        self.loss.check_range(y)
        return y

    def encode(self, codes, dtype):
        """Y, in the units of training."""
        Y = np.subtract(codes.reshape(len(codes), -1), self.mean, dtype=np.float64)
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
        """What R2 is made of: sums of w, w e^2, w d and w d^2 per output.

        e are the errors, d the distances of Y from its mean in training, or from 0.
        """
        Y = block.Y.astype(np.float64)
        errors = loss.predict(z) - Y
        w = block.sample_weight
        return np.stack([np.full(len(self.mean), w.sum()), w @ errors**2, w @ Y, w @ Y**2])

    def score(self, tally, total_weight) -> float:
        """R2, the mean over the outputs, as `sklearn.metrics.r2_score` has it."""
        weight, squared_errors, first, second = tally
        squares = second - first**2 / weight
        # What is left of equal numbers is rounding.
        constant = squares <= 1e-12 * second
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = 1.0 - squared_errors / squares
        return float(np.where(constant, np.where(squared_errors == 0.0, 1.0, 0.0), scores).mean())

    def totals(self, codes, sample_weight):
        """Sums of w, w Y and w Y^2 per output, of shape (3, n_outputs): they add up."""
        Y = self.encode(codes, np.float64)
        total = np.full(self.n_outputs, sample_weight.sum())
        return np.stack([total, sample_weight @ Y, sample_weight @ Y**2])

    def scaled_by(self, totals):
        """The same with the mean and the standard deviation of all rows."""
        if not self.normalizes:
            return self
        weight, first, second = totals
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = first / weight
            variance = second / weight - mean**2
        # Equal rows are at 0, exactly; weights whose sum is no number are refused later.
        scale = np.where(variance > 0.0, np.sqrt(np.maximum(variance, 0.0)), 1.0)
        mean = np.where(np.isfinite(mean), mean, 0.0)
        return replace(self, mean=self.mean + self.scale * mean, scale=self.scale * scale)

    def continuing(self, before, what):
        """This problem's loss, with mean and scale of the previous fit."""
        if self.one_dimensional != before.one_dimensional or self.n_outputs != before.n_outputs:
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
        """The output layer for predictions in y's units, from that in the units of training."""
        return W * self.scale, b * self.scale + self.mean

    def from_units(self, W, b):
        """The inverse of `to_units`, but for rounding."""
        return W / self.scale, (b - self.mean) / self.scale


def _as_numbers(y):
    """y as an array of numbers, without a copy if it is one."""
    if issparse(y):
        raise ValueError("y must be a dense array of numbers; got a sparse matrix.")
    y = np.asarray(y)
    if y.dtype.kind in "biuf":
        return y
    try:
        return y.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"y must hold numbers; {error}.") from error
