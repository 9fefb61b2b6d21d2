"""Losses on the linear outputs z of a network that predicts numbers.

As in `losses`: sums over rows and outputs, weighted and *not* normalised, computed so that
small losses are as accurate as large ones.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.special import xlogy

from .losses import Separable, TrainingLoss, in_precision, weighted_sum


class RegressionLoss(TrainingLoss, Protocol):
    """What the loss of numbers has beyond `TrainingLoss`.

    The link is what takes a prediction to z: the identity, or the logarithm.
    """

    @property
    def has_identity_link(self) -> bool:
        """Whether predictions are z: then y may be centred and scaled."""

    @property
    def refuses_negative_numbers(self) -> bool:
        """Whether ``check_range`` does, whatever else it allows."""

    @property
    def mean_is_best_constant(self) -> bool:
        """Whether no constant prediction costs less than the mean of y."""

    def predict(self, z):
        """Predictions, shaped as z: the inverse link."""

    def link(self, mu):
        """Finite z whose predictions are mu, or as close to it as numbers are."""

    def terms(self, z, Y):
        """What each output of each row costs, without weights, shaped as z."""

    def cost_unit(self, z):
        """What ``tol`` is counted in where all rows have the logits z, of shape (n_outputs,).

        A float, at most 1. Below 1 it is what costs and their gradients are in proportion to: a
        cost can be small only because its numbers are, or because the loss makes them so, and
        is then trained as far as any other.
        """

    def check_range(self, y, dtype=np.float64):
        """An error if numbers y are not such as can be predicted in a precision.

        Raises
        ------
        ValueError
            If one is not.
        """


class _IdentityLink(Separable):
    """What losses have in common whose predictions are z."""

    output_activation = "identity"
    has_identity_link = True
    refuses_negative_numbers = False
    mean_is_best_constant = True

    def cost_unit(self, z):
        """1: where y is normalised, so is the loss."""
        return 1.0

    def predict(self, z):
        """z itself."""
        return z

    def link(self, mu):
        """mu itself."""
        return mu

    def check_range(self, y, dtype=np.float64):
        """Any numbers will do."""

    def constant_logits(self, totals, weights):
        """The mean."""
        return totals / weights


class _StraightTails(_IdentityLink):
    """What losses have in common that are straight lines far from the right prediction.

    All of their second derivative is next to it: in few rows, or none. So their curvature is that
    of the lowest parabola above the loss that touches it at the error e, (l'(e) - l'(0)) / e
    (Hunter & Lange, "Quantile regression via an MM algorithm", 2000).
    """

    mean_is_best_constant = False

    def _curvatures(self, z, Y, w):
        rise, begin = self._tails()
        # A threshold may be too small for the precision.
        begin = max(begin, float(np.finfo(z.dtype).tiny))
        return rise / np.maximum(np.abs(z - Y), begin) * in_precision(w, z)

    def _tails(self):
        """By how much l' rises from 0 to the tails, and the |e| at which they begin."""
        raise NotImplementedError


class _LogLink(Separable):
    """What losses have in common whose predictions are exp(z)."""

    name: str
    allowed: str
    output_activation = "exp"
    has_identity_link = False
    refuses_negative_numbers = True
    mean_is_best_constant = True

    def predict(self, z):
        """exp(z)."""
        return np.exp(z)

    def link(self, mu):
        """log(mu), of 0 as if it were the smallest number."""
        return np.log(np.maximum(mu, np.finfo(mu.dtype).tiny))

    def is_allowed(self, least):
        """Whether the least of all numbers is ``allowed``."""
        raise NotImplementedError

    def check_range(self, y, dtype=np.float64):
        """An error if a number is not ``allowed``, or would not be in the precision."""
        least = y.min()
        if not self.is_allowed(least):
            raise ValueError(f"y must be {self.allowed} with loss={self.name!r}; got {least}.")
        if not self.is_allowed(least.astype(dtype)):
            raise ValueError(
                f"y must be {self.allowed} with loss={self.name!r}, rounded to {np.dtype(dtype)}, "
                f"too; got {least}. Scale y or give X in float64."
            )

    def constant_logits(self, totals, weights):
        """The logarithm of the mean; of zeros alone, as if half a row counted one."""
        return np.log(np.where(totals > 0.0, totals, 0.5) / weights)


@dataclass(frozen=True)
class SquaredError(_IdentityLink):
    """Half the squared error, summed over the outputs: sum_i w_i sum_k (z_ik - Y_ik)^2 / 2."""

    name = "squared_error"

    def value(self, z, Y, w):
        """The loss, a float."""
        return weighted_sum(self.terms(z, Y), w)

    def terms(self, z, Y):
        """What each output costs, shaped as z."""
        errors = z - Y
        return 0.5 * errors * errors

    def value_and_delta(self, z, Y, w):
        """The loss, and its derivative with respect to z, shaped as z."""
        delta = z - Y
        value = 0.5 * weighted_sum(delta * delta, w)
        delta *= in_precision(w, z)
        return value, delta

    def delta_tangent(self, z, tz, Y, w):
        """Derivative of delta along tz."""
        return tz * in_precision(w, z)


@dataclass(frozen=True)
class Huber(_StraightTails):
    """Half the squared error of small errors, the absolute error of large ones.

    With e = z - Y and the threshold t: e^2 / 2 where |e| <= t, else t (|e| - t / 2)
    (Huber, "Robust estimation of a location parameter", 1964).

    Parameters
    ----------
    threshold : float, default=1.35
    """

    threshold: float = 1.35

    name = "huber"

    def value(self, z, Y, w):
        """The loss, a float."""
        return weighted_sum(self.terms(z, Y), w)

    def terms(self, z, Y):
        """What each output costs, shaped as z."""
        errors = z - Y
        return self._terms(errors, self._clipped(errors))

    def value_and_delta(self, z, Y, w):
        """The loss, and its derivative with respect to z, shaped as z."""
        errors = z - Y
        delta = self._clipped(errors)
        value = weighted_sum(self._terms(errors, delta), w)
        delta *= in_precision(w, z)
        return value, delta

    def delta_tangent(self, z, tz, Y, w):
        """Derivative of delta along tz."""
        return np.where(np.abs(z - Y) <= self.threshold, tz, 0) * in_precision(w, z)

    def cost_unit(self, z):
        """The threshold, up to 1: no derivative is larger."""
        return min(1.0, self.threshold)

    def _tails(self):
        return self.threshold, self.threshold

    def _clipped(self, errors):
        return np.clip(errors, -self.threshold, self.threshold)

    def _terms(self, errors, clipped):
        return clipped * (errors - 0.5 * clipped)


@dataclass(frozen=True)
class Poisson(_LogLink):
    """Half the Poisson deviance of predictions exp(z): exp(z) - Y z + Y log Y - Y.

    It is 0 where predictions are right, and minus the log-likelihood of counts but for
    what does not depend on z (McCullagh & Nelder, "Generalized linear models", 1989,
    section 2.3).
    """

    name = "poisson"
    allowed = ">= 0"

    def value(self, z, Y, w):
        """The loss, a float."""
        return weighted_sum(self.terms(z, Y), w)

    def terms(self, z, Y):
        """What each output costs, shaped as z."""
        return self._terms(z, Y, np.exp(z))

    def value_and_delta(self, z, Y, w):
        """The loss, and its derivative with respect to z, shaped as z."""
        mu = np.exp(z)
        value = weighted_sum(self._terms(z, Y, mu), w)
        delta = np.subtract(mu, Y, out=mu)
        delta *= in_precision(w, z)
        return value, delta

    def delta_tangent(self, z, tz, Y, w):
        """Derivative of delta along tz."""
        return np.exp(z) * tz * in_precision(w, z)

    def cost_unit(self, z):
        """The mean prediction, up to 1: counts per day cost less than those per year."""
        return min(1.0, float(np.exp(z).mean()))

    def _terms(self, z, Y, mu):
        with np.errstate(divide="ignore"):
            u = z - np.log(Y)
        terms = xlogy(Y, Y) - Y * (z + 1.0) + mu
        # Close to the right prediction these cancel.
        close = np.abs(u) < 0.5
        np.copyto(terms, Y * _exp_remainder(np.where(close, u, 0)), where=close)
        return terms

    def is_allowed(self, least):
        """Whether the least of all numbers is ``allowed``."""
        return least >= 0.0


@dataclass(frozen=True)
class Gamma(_LogLink):
    """Half the gamma deviance of predictions exp(z): z - log Y + Y exp(-z) - 1.

    It is 0 where predictions are right, and minus the log-likelihood of numbers with a
    constant coefficient of variation but for factors and terms that do not depend on z
    (McCullagh & Nelder, "Generalized linear models", 1989, section 2.3).
    """

    name = "gamma"
    allowed = "> 0"

    def value(self, z, Y, w):
        """The loss, a float."""
        return weighted_sum(self.terms(z, Y), w)

    def terms(self, z, Y):
        """What each output costs, shaped as z."""
        return _exp_remainder(np.log(Y) - z)

    def value_and_delta(self, z, Y, w):
        """The loss, and its derivative with respect to z, shaped as z."""
        u = np.log(Y) - z
        value = weighted_sum(_exp_remainder(u), w)
        delta = np.negative(np.expm1(u, out=u), out=u)
        delta *= in_precision(w, z)
        return value, delta

    def delta_tangent(self, z, tz, Y, w):
        """Derivative of delta along tz."""
        return np.exp(np.log(Y) - z) * tz * in_precision(w, z)

    def cost_unit(self, z):
        """1: the gamma deviance does not depend on y's unit."""
        return 1.0

    def is_allowed(self, least):
        """Whether the least of all numbers is ``allowed``."""
        return least > 0.0


@dataclass(frozen=True)
class Quantile(_StraightTails):
    """The pinball loss, whose best constant is a quantile, with its kink rounded off.

    With e = Y - z and the quantile q: q e above and (q - 1) e below the prediction, but
    for |e| < s, where |e| becomes e^2 / (2 s) + s / 2. That is the pinball loss averaged
    over errors moved by up to s either way (Fernandes, Guerre & Horta, "Smoothing
    quantile regressions", 2021): its second derivative exists, which full-batch solvers
    need, and it is nowhere more than s / 4 above.

    Parameters
    ----------
    quantile : float, default=0.5
        In (0, 1).
    smoothing : float, default=0.003
        s, in the units of Y.
    """

    quantile: float = 0.5
    smoothing: float = 0.003

    name = "quantile"

    def value(self, z, Y, w):
        """The loss, a float."""
        return weighted_sum(self.terms(z, Y), w)

    def terms(self, z, Y):
        """What each output costs, shaped as z."""
        errors = z - Y
        return self._terms(errors, self._slope(errors))

    def value_and_delta(self, z, Y, w):
        """The loss, and its derivative with respect to z, shaped as z."""
        errors = z - Y
        slope = self._slope(errors)
        value = weighted_sum(self._terms(errors, slope), w)
        delta = np.add(0.5 * slope, 0.5 - self.quantile, out=slope)
        delta *= in_precision(w, z)
        return value, delta

    def delta_tangent(self, z, tz, Y, w):
        """Derivative of delta along tz."""
        curvature = np.where(np.abs(z - Y) < self.smoothing, 0.5 / self.smoothing, 0.0)
        return curvature.astype(z.dtype) * tz * in_precision(w, z)

    def cost_unit(self, z):
        """4 q (1 - q): the mean size of the derivative at the quantile, next to the median's."""
        return 4.0 * self.quantile * (1.0 - self.quantile)

    def _tails(self):
        return 0.5, self.smoothing

    def _slope(self, errors):
        """Derivative of the rounded absolute value."""
        return np.clip(errors / self.smoothing, -1.0, 1.0)

    def _terms(self, errors, slope):
        rounded = slope * errors + 0.5 * self.smoothing * (1.0 - slope * slope)
        return 0.5 * rounded + (0.5 - self.quantile) * errors


def _exp_remainder(u):
    """exp(u) - 1 - u, accurate for small u, too."""
    with np.errstate(over="ignore"):
        remainder = np.expm1(u) - u
    small = np.abs(u) < 0.5
    if small.any():
        v = np.where(small, u, 0)
        # The Taylor series; its next term is below the rounding of float64.
        series = np.ones_like(v)
        for n in range(17, 2, -1):
            series = 1.0 + series * v / n
        np.copyto(remainder, 0.5 * v * v * series, where=small)
    return remainder


REGRESSION_LOSSES: dict[str, Any] = {
    loss.name: loss for loss in (SquaredError, Huber, Poisson, Gamma, Quantile)
}
"""Classes of losses by the names that users give."""


def loss_with(name: str, **fields: float) -> RegressionLoss:
    """The loss of a name with given fields."""
    return REGRESSION_LOSSES[name](**fields)


def regression_loss(name: str, *, threshold: float, quantile: float) -> RegressionLoss:
    """The loss that keywords choose.

    Parameters
    ----------
    name : {"squared_error", "huber", "poisson", "gamma", "quantile"}
    threshold : float
        Of "huber".
    quantile : float
        Of "quantile".
    """
    parameters = {
        "huber": {"threshold": float(threshold)},
        "quantile": {"quantile": float(quantile)},
    }
    return loss_with(name, **parameters.get(name, {}))
