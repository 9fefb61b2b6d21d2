"""Mean and standard deviation of weighted numbers, of parts that are added up."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Moments:
    """Weighted mean and standard deviation of the columns of y; those of parts add up.

    Sums of squares of numbers far from zero cancel, and those of very large or small
    numbers overflow or vanish. So parts have moments of their own, which are merged
    (Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm for computing
    sample variances", 1979).

    Parameters
    ----------
    weight : float
        Total weight of the rows.
    mean, deviation : ndarray of shape (n_outputs,), float64
        0 for rows without weight; not finite where y spans more than float64 does.
    """

    weight: float
    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, y, sample_weight):
        """The moments of some rows; rows with zero weight do not count.

        Parameters
        ----------
        y : ndarray of shape (n_rows, n_outputs)
        sample_weight : ndarray of shape (n_rows,)
        """
        counted = sample_weight > 0.0
        if not counted.any():
            return cls(0.0, np.zeros(y.shape[1]), np.zeros(y.shape[1]))
        y = y[counted].astype(np.float64)
        largest = sample_weight.max()
        weights = sample_weight[counted] / largest
        total = weights.sum()
        # From a row whose weight matters, in units of the largest distance.
        reference = y[weights.argmax()]
        with np.errstate(over="ignore", invalid="ignore"):
            distances = y - reference
            unit = np.abs(distances).max(axis=0)
            unit[unit == 0.0] = 1.0
            distances /= unit
            mean = weights @ distances / total
            distances -= mean
            variance = weights @ distances**2 / total
            return cls(largest * total, reference + unit * mean, unit * np.sqrt(variance))

    @property
    def constant(self):
        """Numbers of the columns that hold a single number."""
        return np.flatnonzero(self.deviation == 0.0).tolist()

    def __add__(self, other):
        """The moments of both parts together."""
        if self.weight == 0.0 or other.weight == 0.0:
            return other if self.weight == 0.0 else self
        with np.errstate(over="ignore", invalid="ignore"):
            weight = self.weight + other.weight
            share, other_share = self.weight / weight, other.weight / weight
            distance = other.mean - self.mean
            within = np.hypot(
                np.sqrt(share) * self.deviation, np.sqrt(other_share) * other.deviation
            )
            between = np.sqrt(share * other_share) * distance
            return Moments(weight, self.mean + other_share * distance, np.hypot(within, between))
