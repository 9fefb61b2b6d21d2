"""Losses on the logits z of the output layer, and the outputs they belong to.

A loss is a sum over rows, weighted and *not* normalised: the objective divides
once by the total weight. Everything is computed from logits and cancels
nothing: small losses, probabilities and derivatives are as accurate as large
ones, and no finite logit overflows.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.special import expit, logit

MANY_LOGARITHMS = 1000
"""Numbers from which on multiplying pairs of columns is faster than twice as many logarithms."""


class TrainingLoss(Protocol):
    """A loss on logits: the contract that network and objective rely on.

    A loss is an immutable, hashable value (a frozen dataclass), which may have
    parameters as its fields. Nothing rebuilds it from a name.

    In what follows z are logits of shape (n_rows, n_outputs), Y targets of the
    same shape and precision, tz a tangent of z, and w the weights, float64 and
    >= 0: of shape (n_rows,), a weight per row, or (n_rows, n_outputs), a weight
    per term of the sum over the outputs. Equal weights in a row of the second
    form mean the same as that weight in the first. No argument is overwritten,
    results have z's precision, and sums over rows are float64. A logit that is
    not finite makes the value so, by which overflows are noticed.
    """

    def __hash__(self) -> int:
        """Networks are kept by their loss."""

    @property
    def name(self) -> str:
        """What the loss is called: no two losses share a name."""

    @property
    def output_activation(self) -> str:
        """What turns logits into outputs: ``out_activation_`` of a fitted estimator."""

    def value(self, z, Y, w) -> float:
        """The weighted sum over the rows, not normalised."""

    def value_and_delta(self, z, Y, w):
        """The value, and its derivative delta with respect to z, shaped as z."""

    def delta_tangent(self, z, tz, Y, w):
        """Derivative of delta along tz, shaped as z."""

    def curvature(self, z, Y, w):
        """Second derivatives in the outputs, or those of a parabola above a loss without any.

        Returns
        -------
        total : ndarray of shape (n_outputs, n_outputs), float64
            Sum of the rows' matrices.
        traces : ndarray of shape (n_rows,)
            The trace of each row's, never below 0.
        """

    def constant_logits(self, totals, weights):
        """Finite logits of a network that tells no rows apart: where biases start.

        Parameters
        ----------
        totals : ndarray of shape (n_outputs,), float64
            Sum of w Y over the rows, for each output.
        weights : ndarray of shape (n_outputs,), float64
            Sum of w.

        Returns
        -------
        z : ndarray of shape (n_outputs,), float64
        """


class Loss(TrainingLoss, Protocol):
    """What the loss of a classifier's outputs has beyond `TrainingLoss`: probabilities."""

    def proba(self, z):
        """The outputs h, shaped as z.

        Of two classes with one output, h is the second's; ``proba(-z)`` is the first's.
        """

    def log_proba(self, z):
        """log h, shaped as z, finite for finite z."""

    def logits(self, h):
        """z whose outputs are h, which lie strictly between 0 and 1: the inverse of ``proba``."""

    def class_proba(self, z):
        """Probabilities of exclusive classes with an output each: h, divided by its row's sum."""

    def class_log_proba(self, z):
        """Logarithms of ``class_proba``, finite for finite z."""


def _exp_minus_twice(size):
    """exp(-2 size), a new array: from 0 to 1."""
    tail = -2.0 * size
    return np.exp(tail, out=tail)


def _sum_log1p(t):
    """Sums of log(1 + t) over the columns, for t from 0 to 1.

    Logarithms take long. Where there are many, columns are multiplied before: nothing cancels
    in (1 + a) (1 + b) - 1 = a + b + ab, and a product of 64 factors, at most 2^64, is far from
    overflowing.
    """
    for _ in range(6):
        n_columns = t.shape[1]
        if n_columns == 1 or t.size < MANY_LOGARITHMS:
            break
        half = n_columns // 2
        first, second = t[:, :half], t[:, n_columns - half :]
        t = t[:, : n_columns - half].copy("K")
        product = t[:, :half]
        product *= second
        product += first
        product += second
    return np.add.reduce(np.log1p(t), axis=1)


def in_precision(w, z):
    """Weights next to z, in its precision."""
    return (w[:, np.newaxis] if w.ndim == 1 else w).astype(z.dtype, copy=False)


def weighted_sum(values, w):
    """Sum of values, shaped as the logits, times their weights, in float64."""
    if w.ndim == 1:
        return float(np.dot(np.add.reduce(values, axis=1), w))
    return float((values * w).sum())


class Separable:
    """What losses have in common that are sums of a term per output: a diagonal Hessian."""

    delta_tangent: Any

    def curvature(self, z, Y, w):
        """Second derivatives in the outputs: their sum over rows, and each row's trace."""
        curvatures = self._curvatures(z, Y, w)
        total = np.add.reduce(curvatures, axis=0, dtype=np.float64)
        return np.diag(total), curvatures.sum(axis=1)

    def _curvatures(self, z, Y, w):
        """That of each output of each row, shaped as z."""
        return self.delta_tangent(z, np.ones_like(z), Y, w)


@dataclass(frozen=True)
class SigmoidLoss(Separable):
    """Binary cross-entropy of logistic outputs, summed over the outputs.

    With h = 1 / (1 + exp(-z)), the exercise's cost (section 1.3):

        sum_i w_i sum_k [ -Y_ik log h_ik - (1 - Y_ik) log(1 - h_ik) ]

    Y holds zeros and ones. A term is log(1 + exp(s)) of s = z (1 - 2Y), the
    logit of the wrong answer, and its derivative that answer's probability.
    """

    name = "binary_cross_entropy"
    output_activation = "logistic"

    def proba(self, z):
        """Outputs h, shaped as z."""
        return expit(z)

    def log_proba(self, z):
        """log h, finite for finite z."""
        log_h = np.abs(z)
        np.negative(log_h, out=log_h)
        np.exp(log_h, out=log_h)
        np.log1p(log_h, out=log_h)
        return np.subtract(np.minimum(z, 0.0), log_h, out=log_h)

    def logits(self, h):
        """The log-odds of h."""
        return logit(h)

    def class_proba(self, z):
        """h, divided by its row's sum, even where all h of a row underflow."""
        h = np.minimum(z, 0.0)
        # Subtracting a whole number rounds next to nothing.
        h -= np.floor(np.maximum.reduce(h, axis=1, keepdims=True))
        np.exp(h, out=h)
        h /= 1.0 + np.exp(-np.abs(z))
        h /= np.add.reduce(h, axis=1, keepdims=True)
        return h

    def class_log_proba(self, z):
        """Logarithms of ``class_proba``, finite for finite z."""
        return _log_of_shares(self.class_proba(z), lambda: self.log_proba(z))

    def value(self, z, Y, w):
        """The loss, a float."""
        half_s = 0.5 - Y
        half_s *= z
        size = np.abs(half_s)
        return self._sum_terms(half_s, size, _exp_minus_twice(size), w)

    def value_and_delta(self, z, Y, w):
        """The loss, and its derivative with respect to z, shaped as z."""
        half_s = 0.5 - Y
        delta = half_s * in_precision(w + w, z)
        half_s *= z
        size = np.abs(half_s)
        tail = _exp_minus_twice(size)
        # The probability of the wrong answer, exp(min(s, 0)) / (1 + exp(-|s|)).
        delta *= np.maximum(tail, np.sign(half_s))
        delta /= tail + 1.0
        return self._sum_terms(half_s, size, tail, w), delta

    def _sum_terms(self, half_s, size, tail, w):
        """Weighted sum of log(1 + exp(s)) = max(s, 0) + log(1 + exp(-|s|)); overwrites half_s.

        Parameters
        ----------
        half_s, size, tail : ndarray of shape (n_rows, n_outputs)
            s / 2, |s / 2| and exp(-|s|). Of s = -inf s / 2 + |s / 2| is nan.
        """
        half_s += size
        if w.ndim == 1:
            return float(np.dot(np.add.reduce(half_s, axis=1) + _sum_log1p(tail), w))
        half_s += np.log1p(tail)
        return weighted_sum(half_s, w)

    def delta_tangent(self, z, tz, Y, w):
        """Derivative of delta along the tangent tz of z, shaped as z."""
        slope = np.abs(z)
        np.negative(slope, out=slope)
        np.exp(slope, out=slope)
        # h (1 - h), which is the same for z and -z.
        slope /= (1.0 + slope) ** 2
        slope *= tz
        slope *= in_precision(w, z)
        return slope

    def constant_logits(self, totals, weights):
        """Log-odds of (totals + 1/2) / (weights + 1): finite for a class without rows, too."""
        return np.log(totals + 0.5) - np.log(np.maximum(weights - totals, 0.0) + 0.5)


@dataclass(frozen=True)
class SoftmaxLoss:
    """Categorical cross-entropy of softmax outputs.

    With h_ik = exp(z_ik) / sum_j exp(z_ij):  - sum_i w_i sum_k Y_ik log h_ik

    Each row of Y has a one and zeros; if weights are given per output, that
    one's counts. With one output h is 1 and the loss 0: the network of a
    single class.
    """

    name = "categorical_cross_entropy"
    output_activation = "softmax"

    def proba(self, z):
        """Outputs h, shaped as z; each row sums to one."""
        # The ufuncs themselves: for one row the methods' detours take a third.
        top = np.maximum.reduce(z, axis=1, keepdims=True)
        # Whole numbers, and only those that keep exp from 0 and infinity: subtracting them
        # rounds next to nothing, subtracting the maximum as much as the logits are large.
        top -= np.minimum(np.maximum(top, 0.0), np.finfo(z.dtype).maxexp / 2)
        with np.errstate(over="ignore"):
            h = z - np.floor(top, out=top)
        np.exp(h, out=h)
        h /= np.add.reduce(h, axis=1, keepdims=True)
        return h

    def log_proba(self, z):
        """log h, finite for finite z."""
        return _log_of_shares(self.proba(z), lambda: z)

    def logits(self, h):
        """log h."""
        return np.log(h)

    def class_proba(self, z):
        """The outputs, which sum to one already."""
        return self.proba(z)

    def class_log_proba(self, z):
        """Logarithms of the outputs, which sum to one already."""
        return self.log_proba(z)

    def value(self, z, Y, w):
        """The loss, a float."""
        return self.value_and_delta(z, Y, w)[0]

    def value_and_delta(self, z, Y, w):
        """The loss, and its derivative with respect to z, shaped as z."""
        w = _of_the_rows(w, Y)
        top = np.maximum.reduce(z, axis=1)
        with np.errstate(over="ignore"):
            delta = z - top[:, np.newaxis]
            product = z * Y
            # The right class's logit, less the largest.
            right = np.add.reduce(product, axis=1)
            right -= top
        np.exp(delta, out=delta)
        delta -= np.multiply(delta, Y, out=product)
        others = np.add.reduce(delta, axis=1)
        # The sum of all exponentials, less one: accurate where the right class is the largest.
        total = np.expm1(right)
        total += others
        values = np.log1p(total)
        values -= right
        total += 1.0
        delta -= np.multiply(others[:, np.newaxis], Y, out=product)
        delta *= (w / total).astype(z.dtype, copy=False)[:, np.newaxis]
        return float(np.dot(values, w)), delta

    def delta_tangent(self, z, tz, Y, w):
        """Derivative of delta along the tangent tz of z, shaped as z."""
        h = self.proba(z)
        tdelta = tz - np.einsum("ij,ij->i", h, tz)[:, np.newaxis]
        tdelta *= h
        tdelta *= in_precision(_of_the_rows(w, Y), z)
        return tdelta

    def curvature(self, z, Y, w):
        """Second derivatives in the outputs: their sum over rows, and each row's trace.

        Of one row it is diag(h) - h h': its columns sum to zero, which gives the diagonal
        without cancellation.
        """
        h = self.proba(z)
        weighted = h * _of_the_rows(w, Y)[:, np.newaxis]
        total = -(weighted.T @ h)
        np.fill_diagonal(total, 0.0)
        np.fill_diagonal(total, -total.sum(axis=0))
        weighted *= 1.0 - h
        return total, weighted.sum(axis=1).clip(min=0.0)

    def constant_logits(self, totals, weights):
        """Logarithms of the classes' shares, each class with half a row more."""
        return np.log(totals + 0.5) - np.log(np.sum(totals + 0.5))


def _of_the_rows(w, Y):
    """Weights per row, from those or from weights per output."""
    return w if w.ndim == 1 else np.einsum("ij,ij->i", w, Y)


def _log_of_shares(h, log_weights):
    """Logarithms of probabilities that sum to one per row, finite and accurate.

    Parameters
    ----------
    h : ndarray of shape (n_rows, n_outputs)
    log_weights : callable() -> ndarray of shape (n_rows, n_outputs)
        Logits whose softmax is h, asked for where h underflows.
    """
    with np.errstate(divide="ignore"):
        log_h = np.log(h)
    # Close to one it is the other outputs that say how close.
    likely = h > 0.5
    others = np.add.reduce(np.where(likely, 0.0, h), axis=1, keepdims=True)
    np.minimum(others, 0.5, out=others)
    np.copyto(log_h, np.log1p(-others), where=likely)
    lost = h < np.finfo(h.dtype).tiny
    if lost.any():
        z = log_weights()
        with np.errstate(over="ignore"):
            z = z - z.max(axis=1, keepdims=True)
        # Half the lowest number: the other half is room for what is subtracted.
        np.maximum(z, np.finfo(z.dtype).min / 2, out=z)
        z -= np.log(np.exp(z).sum(axis=1, keepdims=True))
        np.copyto(log_h, z, where=lost)
    return log_h


_BY_OUTPUT_ACTIVATION: dict[str, Loss] = {
    loss.output_activation: loss for loss in (SigmoidLoss(), SoftmaxLoss())
}


def loss_for(output_activation: str) -> Loss:
    """The loss that belongs to outputs where nothing else is said.

    Parameters
    ----------
    output_activation : {"logistic", "softmax"}

    Raises
    ------
    ValueError
        If no loss belongs to such outputs.
    """
    try:
        return _BY_OUTPUT_ACTIVATION[output_activation]
    except KeyError:
        raise ValueError(
            f"output_activation must be one of {sorted(_BY_OUTPUT_ACTIVATION)}; "
            f"got {output_activation!r}."
        ) from None
