"""Losses on the logits z of the output layer, and the outputs they belong to.

A loss is a sum over rows, weighted and *not* normalised: the objective divides
once by the total weight. Everything is computed from logits, so that no finite
logit overflows.
"""

from dataclasses import dataclass

import numpy as np

from .activations import logistic


def _column(sample_weight, z):
    """The rows' weights beside z, in its precision."""
    return sample_weight[:, np.newaxis].astype(z.dtype, copy=False)


def _softplus(z):
    """log(1 + exp(z)), a new array."""
    value = np.abs(z)
    np.negative(value, out=value)
    np.exp(value, out=value)
    np.log1p(value, out=value)
    value += np.maximum(z, 0.0)
    return value


def _weighted_sum(row_values, sample_weight):
    """Sum of one value a row times the rows' weights, in float64."""
    return float(np.dot(row_values.astype(np.float64, copy=False), sample_weight))


@dataclass(frozen=True)
class SigmoidLoss:
    """Binary cross-entropy of logistic outputs, summed over the outputs.

    With h = 1 / (1 + exp(-z)), the exercise's cost (section 1.3):

        sum_i w_i sum_k [ -Y_ik log h_ik - (1 - Y_ik) log(1 - h_ik) ]
    """

    name = "logistic"

    def proba(self, z):
        """Outputs h, shaped as z."""
        h = z.copy()
        logistic(h)
        return h

    def log_proba(self, z):
        """log h, finite for finite z."""
        return -_softplus(-z)

    def value(self, z, Y, sample_weight):
        """The loss, a float."""
        values = _softplus(z)
        values -= Y * z
        return _weighted_sum(values.sum(axis=1), sample_weight)

    def value_and_delta(self, z, Y, sample_weight):
        """The loss, and its derivative with respect to z, shaped as z."""
        delta = self.proba(z)
        delta -= Y
        delta *= _column(sample_weight, z)
        return self.value(z, Y, sample_weight), delta

    def delta_tangent(self, z, tz, sample_weight):
        """Derivative of delta along the tangent tz of z, shaped as z."""
        h = self.proba(z)
        h *= 1.0 - h
        h *= tz
        h *= _column(sample_weight, z)
        return h


@dataclass(frozen=True)
class SoftmaxLoss:
    """Categorical cross-entropy of softmax outputs.

    With h_ik = exp(z_ik) / sum_j exp(z_ij):  - sum_i w_i sum_k Y_ik log h_ik

    With one output h is 1 and the loss 0: the network of a single class.
    """

    name = "softmax"

    def proba(self, z):
        """Outputs h, shaped as z; each row sums to one."""
        h = _below_maximum(z)
        np.exp(h, out=h)
        h /= np.add.reduce(h, axis=1, keepdims=True)
        return h

    def log_proba(self, z):
        """log h, finite for finite z."""
        shifted = _held_finite(_below_maximum(z))
        shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return shifted

    def value(self, z, Y, sample_weight):
        """The loss, a float."""
        return self.value_and_delta(z, Y, sample_weight)[0]

    def value_and_delta(self, z, Y, sample_weight):
        """The loss, and its derivative with respect to z, shaped as z."""
        shifted = _held_finite(_below_maximum(z))
        delta = np.exp(shifted)
        totals = delta.sum(axis=1)
        shifted *= Y
        value = _weighted_sum(np.log(totals) - shifted.sum(axis=1), sample_weight)
        delta /= totals[:, np.newaxis]
        delta -= Y
        delta *= _column(sample_weight, z)
        return value, delta

    def delta_tangent(self, z, tz, sample_weight):
        """Derivative of delta along the tangent tz of z, shaped as z."""
        h = self.proba(z)
        tdelta = tz - np.einsum("ij,ij->i", h, tz)[:, np.newaxis]
        tdelta *= h
        tdelta *= _column(sample_weight, z)
        return tdelta


def _below_maximum(z):
    """z minus each row's maximum; minus infinity where that is below the lowest number."""
    with np.errstate(over="ignore"):
        # The ufunc itself, as in `proba`: for one row the methods' detours take a third.
        return z - np.maximum.reduce(z, axis=1, keepdims=True)


def _held_finite(shifted):
    """Overwrites what is below half the dtype's lowest number with that half."""
    # The other half leaves room for what log_proba subtracts.
    return np.maximum(shifted, np.finfo(shifted.dtype).min / 2, out=shifted)


Loss = SigmoidLoss | SoftmaxLoss

LOSSES: dict[str, Loss] = {loss.name: loss for loss in (SigmoidLoss(), SoftmaxLoss())}
"""Name of the outputs -> their loss."""
