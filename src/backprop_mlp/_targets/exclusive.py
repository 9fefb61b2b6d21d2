"""Exclusive classes: each row belongs to one of them."""

from dataclasses import dataclass

import numpy as np

from .._network.losses import Loss, SigmoidLoss, SoftmaxLoss, loss_for
from .class_weight import balance_classes, read_class_weight
from .labels import LabelTargets, one_column


def label_kind(labels):
    """Labels of one kind can be compared: "number", "M" (dates), "m" (times) or "string"."""
    kind = labels.dtype.kind
    if kind in "biuf":
        return "number"
    return kind if kind in "mM" else "string"


@dataclass(frozen=True)
class ExclusiveClasses(LabelTargets):
    """Classes of which each row has one: see `Targets`.

    A row's code is the number of its class. One output tells two classes apart;
    a single class has an output of its own, and is certain.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Labels, sorted, each once.
    """

    classes: np.ndarray

    multilabel = False
    weighs_outputs = False

    @property
    def exclusive_classes(self):
        """The labels, of which each row has one."""
        return self.classes

    @property
    def n_outputs(self) -> int:
        """One per class, but one for two classes."""
        n_classes = len(self.classes)
        return 1 if n_classes == 2 else n_classes

    def choose_loss(self, output_activation: str) -> Loss:
        """The loss for the outputs that the user asked for, which only many classes leave open."""
        if len(self.classes) == 1:
            return SoftmaxLoss()
        return SigmoidLoss() if len(self.classes) == 2 else loss_for(output_activation)

    def codes(self, y, sample_weight=None, dtype=np.float64):
        """Each row's class number, of shape (n_rows,)."""
        y = one_column(y)
        unknown = y
        if label_kind(y) == label_kind(self.classes):
            codes = np.searchsorted(self.classes, y).clip(max=len(self.classes) - 1)
            unknown = y[self.classes[codes] != y]
            if unknown.size == 0:
                return codes
        raise ValueError(
            f"y holds labels that are not among the classes {self.classes}: {np.unique(unknown)}."
        )

    def encode(self, codes, dtype):
        """Y: a one in the column of the class; for two classes, 1 for the second."""
        if self.n_outputs == 1:
            return (codes == len(self.classes) - 1)[:, np.newaxis].astype(dtype)
        return (np.arange(self.n_outputs)[:, np.newaxis] == codes).T.astype(dtype)

    def proba(self, loss: Loss, z):
        """Probabilities of shape (n_rows, n_classes); outputs are divided by their sum."""
        if len(self.classes) == 2:
            # 1 - h would lose a small probability of the first class.
            return np.hstack([loss.proba(-z), loss.proba(z)])
        return loss.class_proba(z)

    def log_proba(self, loss: Loss, z):
        """Logarithms of the probabilities, finite for finite logits."""
        if len(self.classes) == 2:
            return np.hstack([loss.log_proba(-z), loss.log_proba(z)])
        return loss.class_log_proba(z)

    def predicted_codes(self, z):
        """The class with the largest logit; of two, the second where z > 0."""
        if len(self.classes) == 2:
            return (z[:, 0] > 0.0).astype(np.intp)
        return z.argmax(axis=1)

    def predict(self, loss: Loss, z):
        """Labels of shape (n_rows,)."""
        return self.classes[self.predicted_codes(z)]

    def tally(self, loss: Loss, z, block):
        """Weight of the rows whose class is predicted."""
        right = (self.encode(self.predicted_codes(z), z.dtype) == block.Y).all(axis=1)
        return block.sample_weight[right].sum()

    def totals(self, codes, sample_weight):
        """Total weight of each class, of shape (n_classes,)."""
        return np.bincount(codes, weights=sample_weight, minlength=len(self.classes))

    def class_weights(self, class_weight, totals=None):
        """Weight of each class, of shape (n_classes,)."""
        if class_weight is None:
            return np.ones(len(self.classes))
        if isinstance(class_weight, str):
            return balance_classes(totals)
        dictionaries = [class_weight] if isinstance(class_weight, dict) else class_weight
        if len(dictionaries) != 1:
            raise ValueError(
                f"class_weight must be one dictionary for exclusive classes; got {class_weight!r}."
            )
        return read_class_weight(dictionaries[0], self.classes)

    def loss_weights(self, codes, sample_weight, class_weights):
        """The rows' weights, times those of their classes, of shape (n_rows,)."""
        return sample_weight * class_weights[codes]
