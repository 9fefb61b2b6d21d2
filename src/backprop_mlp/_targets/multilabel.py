"""Labels that a row may have none, one or several of."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse

from .._network.losses import Loss, SigmoidLoss
from .._network.sparse import merge_duplicates
from .class_weight import balance_classes, read_class_weight
from .labels import LabelTargets


@dataclass(frozen=True)
class Labels(LabelTargets):
    """Labels, each of which is present or absent in each row: see `Targets`.

    The codes are the 0/1 matrix itself, of shape (n_rows, n_labels). Each label
    is a problem of two classes with an output, a probability and class weights
    of its own.

    Parameters
    ----------
    classes : ndarray of shape (n_labels,)
        The numbers of the columns.
    """

    classes: np.ndarray

    exclusive_classes = None
    multilabel = True
    weighs_outputs = True

    @classmethod
    def numbered(cls, n_labels, classes):
        """The problem of some columns, from the classes that the user gives for them, or None.

        Raises
        ------
        ValueError
            If they are not the columns' numbers.
        """
        columns = np.arange(n_labels)
        if classes is not None and not np.array_equal(classes, columns):
            raise ValueError(
                f"classes of a multilabel problem must be {columns} or None; got {classes!r}."
            )
        return cls(columns)

    @property
    def n_outputs(self) -> int:
        """One per label."""
        return len(self.classes)

    def choose_loss(self, output_activation: str) -> Loss:
        """Binary cross-entropy, whatever the outputs are called."""
        return SigmoidLoss()

    def codes(self, y, sample_weight=None, dtype=np.float64):
        """y itself, by rows if it is sparse."""
        if getattr(y, "ndim", 1) != 2 or y.shape[1] != len(self.classes):
            raise ValueError(
                f"y must be a 0/1 matrix with {len(self.classes)} columns, one per label; "
                f"got shape {np.shape(y)}."
            )
        if issparse(y):
            y = merge_duplicates(y.tocsr())
        values = y.data if issparse(y) else y
        if not ((values == 0) | (values == 1)).all():
            raise ValueError(f"y must be a 0/1 matrix; got the values {np.unique(values)}.")
        return y

    def encode(self, codes, dtype):
        """Y: the codes, dense, column by column as logits are."""
        return _dense(codes).astype(dtype, order="F")

    def proba(self, loss: Loss, z):
        """Each label's own probability, of shape (n_rows, n_labels)."""
        return loss.proba(z)

    def log_proba(self, loss: Loss, z):
        """Logarithms of the probabilities, finite for finite logits."""
        return loss.log_proba(z)

    def predicted_codes(self, z):
        """Every label whose logit is above 0."""
        return (z > 0.0).astype(np.int64)

    def predict(self, loss: Loss, z):
        """The predicted 0/1 matrix."""
        return self.predicted_codes(z)

    def tally(self, loss: Loss, z, block):
        """Weight of the rows whose labels are all predicted right."""
        right = ((z > 0.0) == (block.Y > 0.0)).all(axis=1)
        return block.sample_weight[right].sum()

    def totals(self, codes, sample_weight):
        """Total weight of the rows without and with each label, of shape (n_labels, 2)."""
        present = np.asarray(codes.T @ sample_weight, dtype=np.float64)
        return np.column_stack([sample_weight.sum() - present, present])

    def class_weights(self, class_weight, totals=None):
        """Weights of each label's absence and presence, of shape (n_labels, 2)."""
        if class_weight is None:
            return np.ones((len(self.classes), 2))
        if isinstance(class_weight, str):
            return np.array([balance_classes(label_totals) for label_totals in totals])
        if len(class_weight) != len(self.classes) or isinstance(class_weight, dict):
            raise ValueError(
                "class_weight of a multilabel problem must be a list of "
                f"{len(self.classes)} dictionaries {{0: weight, 1: weight}}, one per label; "
                f"got {class_weight!r}."
            )
        return np.array([read_class_weight(weights, np.arange(2)) for weights in class_weight])

    def loss_weights(self, codes, sample_weight, class_weights):
        """The rows' weights, times those of each label there or not there: (n_rows, n_labels)."""
        absent, present = class_weights[:, [0]], class_weights[:, [1]]
        weights = np.where(np.ascontiguousarray(_dense(codes).T) != 0, present, absent)
        weights *= sample_weight
        return weights.T


def _dense(codes):
    return codes.toarray() if issparse(codes) else codes
