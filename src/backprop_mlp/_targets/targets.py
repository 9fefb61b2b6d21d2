"""The user's labels y, and the targets Y of the network's outputs.

========== ===================== ================== ==================
kind       y                     outputs            loss
========== ===================== ================== ==================
constant   one class             1                  softmax (always 1)
binary     two classes           1                  logistic
multiclass three or more classes one a class        logistic, softmax
multilabel 0/1 matrix            one a label        logistic
========== ===================== ================== ==================
"""

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from .._network.losses import SigmoidLoss, SoftmaxLoss

_NUMERIC = "biuf"


@dataclass(frozen=True)
class Targets:
    """The classes of a problem, and what they ask of the network.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted labels; for multilabel problems the numbers of the columns.
    multilabel : bool
    """

    classes: Any
    multilabel: bool

    @classmethod
    def of(cls, y):
        """The problem that a training set's y, of shape (n_rows,) or (n_rows, n_labels), poses."""
        if _is_multilabel(y):
            return cls(LabelBinarizer().fit(y).classes_, True)
        return cls(np.unique(column_or_1d(y, warn=True)), False)

    @classmethod
    def announced(cls, classes, y):
        """The problem whose classes are told before all rows are seen.

        Raises
        ------
        ValueError
            If the classes are missing, or are not those of a multilabel y.
        """
        if _is_multilabel(y):
            columns = np.arange(y.shape[1])
            if classes is not None and not np.array_equal(classes, columns):
                raise ValueError(
                    f"classes of a multilabel problem must be {columns} or None; got {classes!r}."
                )
            return cls(columns, True)
        if classes is None:
            raise ValueError("classes must be given in the first call to partial_fit; got None.")
        return cls(sorted_classes(classes), False)

    @classmethod
    def union(cls, problems):
        """The problem that the parts of a training set pose together.

        Parameters
        ----------
        problems : list of Targets
            The problem that each part poses by itself.

        Raises
        ------
        ValueError
            If they are of different kinds.
        """
        classes = [targets.classes for targets in problems]
        if len({targets.multilabel for targets in problems}) > 1:
            raise ValueError("y must be multilabel in all of its parts or in none.")
        if problems[0].multilabel:
            widths = {len(columns) for columns in classes}
            if len(widths) > 1:
                raise ValueError(
                    f"y must have as many columns in all of its parts; got {sorted(widths)}."
                )
            return problems[0]
        if len({labels.dtype.kind in _NUMERIC for labels in classes}) > 1:
            raise ValueError(f"y must hold numbers or strings, not both; got {classes}.")
        return cls(np.unique(np.concatenate(classes)), False)

    @property
    def n_outputs(self):
        n_classes = len(self.classes)
        return 1 if n_classes == 2 and not self.multilabel else n_classes

    def loss(self, output_activation):
        """The loss for the outputs that the user asked for."""
        if self.multilabel or len(self.classes) == 2:
            return SigmoidLoss()
        if len(self.classes) == 1:
            return SoftmaxLoss()
        return {"logistic": SigmoidLoss, "softmax": SoftmaxLoss}[output_activation]()

    def codes(self, y):
        """Each row's class number, or the label matrix of a multilabel problem.

        Raises
        ------
        ValueError
            If y is of another kind, or holds a label that is not among the classes.
        """
        if self.multilabel:
            if getattr(y, "ndim", 1) != 2 or y.shape[1] != len(self.classes):
                raise ValueError(
                    f"y must be a 0/1 matrix with {len(self.classes)} columns, one a label; "
                    f"got shape {np.shape(y)}."
                )
            if not np.isin(values := y.data if issparse(y) else y, (0, 1)).all():
                raise ValueError(f"y must be a 0/1 matrix; got the values {np.unique(values)}.")
            return y.tocsr() if issparse(y) else y
        y = column_or_1d(y, warn=True)
        unknown = y
        if (y.dtype.kind in _NUMERIC) == (self.classes.dtype.kind in _NUMERIC):
            codes = np.searchsorted(self.classes, y).clip(max=len(self.classes) - 1)
            unknown = y[self.classes[codes] != y]
            if unknown.size == 0:
                return codes
        raise ValueError(
            f"y holds labels that are not among the classes {self.classes}: {np.unique(unknown)}."
        )

    def encode(self, codes, dtype):
        """Targets Y of shape (n_rows, n_outputs) from codes of the same rows."""
        if self.multilabel:
            return (codes.toarray() if issparse(codes) else codes).astype(dtype)
        if self.n_outputs == 1:
            # One output tells the second class from the first.
            return (codes == len(self.classes) - 1)[:, np.newaxis].astype(dtype)
        return (np.arange(self.n_outputs)[:, np.newaxis] == codes).T.astype(dtype)

    def log_proba(self, loss, z):
        """Log-probabilities of shape (n_rows, n_classes), finite for finite logits z.

        Logistic outputs of exclusive classes are divided by their sum.
        """
        log_h = loss.log_proba(z)
        if self.multilabel or isinstance(loss, SoftmaxLoss):
            return log_h
        if self.n_outputs == 1:
            return np.hstack([loss.log_proba(-z), log_h])
        return SoftmaxLoss().log_proba(log_h)

    def proba(self, loss, z):
        """Probabilities of shape (n_rows, n_classes)."""
        if self.multilabel or isinstance(loss, SoftmaxLoss):
            return loss.proba(z)
        if self.n_outputs == 1:
            h = loss.proba(z)
            return np.hstack([1.0 - h, h])
        return SoftmaxLoss().proba(loss.log_proba(z))

    def predicted_codes(self, z):
        """Codes of the predictions for logits z of shape (n_rows, n_outputs)."""
        if self.multilabel:
            return (z > 0.0).astype(np.int64)
        if len(self.classes) == 2:
            return (z[:, 0] > 0.0).astype(np.intp)
        return z.argmax(axis=1)

    def labels(self, z):
        """The user's labels for logits z of shape (n_rows, n_outputs)."""
        codes = self.predicted_codes(z)
        return codes if self.multilabel else self.classes[codes]

    def class_totals(self, codes, sample_weight):
        """Total weight of each class, or of the rows without and with a label.

        Returns
        -------
        totals : ndarray of shape (n_classes,), or (n_labels, 2) if multilabel, float64
        """
        if not self.multilabel:
            return np.bincount(codes, weights=sample_weight, minlength=len(self.classes))
        present = np.asarray(codes.T @ sample_weight, dtype=np.float64)
        return np.column_stack([sample_weight.sum() - present, present])

    def class_weights(self, class_weight, totals=None):
        """Weights that the user asks for: of each class, or of a label's absence and presence.

        "balanced" is total weight / (classes * weight of the class), over the
        classes that have any weight.

        Parameters
        ----------
        class_weight : dict, list of dict, "balanced" or None
        totals : ndarray, default=None
            As ``class_totals`` returns them; only "balanced" needs them.

        Returns
        -------
        weights : ndarray of shape (n_classes,), or (n_labels, 2) if multilabel, float64

        Raises
        ------
        TypeError, ValueError
            If class_weight does not fit the classes.
        """
        given = [class_weight] if isinstance(class_weight, dict) else class_weight
        if self.multilabel:
            if class_weight is None:
                return np.ones((len(self.classes), 2))
            if isinstance(class_weight, str):
                return np.array([_balanced(label_totals) for label_totals in totals])
            if len(given) != len(self.classes) or isinstance(class_weight, dict):
                raise ValueError(
                    "class_weight of a multilabel problem must be a list of "
                    f"{len(self.classes)} dictionaries {{0: weight, 1: weight}}, one a label; "
                    f"got {class_weight!r}."
                )
            return np.array([_given(weights, np.arange(2)) for weights in given])
        if class_weight is None:
            return np.ones(len(self.classes))
        if isinstance(class_weight, str):
            return _balanced(totals)
        if len(given) != 1:
            raise ValueError(
                f"class_weight must be one dictionary for exclusive classes; got {class_weight!r}."
            )
        return _given(given[0], self.classes)

    def row_factors(self, class_weights, codes):
        """What the rows' weights are multiplied by, of shape (n_rows,).

        In multilabel problems that is the product over the labels, as in
        scikit-learn.
        """
        if not self.multilabel:
            return class_weights[codes]
        factors = np.ones(codes.shape[0])
        for label, (absent, present) in enumerate(class_weights):
            column = codes[:, [label]]
            column = column.toarray() if issparse(column) else column
            factors *= np.where(column[:, 0] != 0, present, absent)
        return factors


def sorted_classes(classes):
    """Announced classes as an array of shape (n_classes,), sorted, each once.

    Raises
    ------
    ValueError
        If they are not a sequence of strings, or of whole numbers.
    """
    labels = np.asarray(classes)
    allowed = labels.dtype.kind in "biu"
    if labels.dtype.kind == "f":
        allowed = bool(np.isfinite(labels).all() and (labels == labels.round()).all())
    elif not allowed:
        allowed = all(isinstance(label, str) for label in labels.ravel().tolist())
    if labels.ndim != 1 or labels.size == 0 or not allowed:
        raise ValueError(
            f"classes must be a sequence of labels, strings or whole numbers; got {classes!r}."
        )
    return np.unique(labels)


def _is_multilabel(y):
    """Whether y is a 0/1 matrix; an error if it holds no labels at all."""
    try:
        check_classification_targets(y)
        return type_of_target(y, input_name="y").startswith("multilabel")
    except TypeError as error:
        # Objects that can't be sorted, such as None among strings.
        raise TypeError(f"y must hold labels of one kind, strings or numbers; {error}.") from error


def _balanced(weights):
    """Factors that give all classes with any weight the same weight in total."""
    present = weights > 0.0
    with np.errstate(over="ignore"):
        factors = weights.sum() / (present.sum() * np.where(present, weights, 1.0))
    return np.where(present, factors, 0.0)


def _given(class_weight, classes):
    """Weight of each class from a {label: weight} dictionary."""
    if not isinstance(class_weight, dict):
        raise TypeError(f"class_weight must hold dictionaries; got {class_weight!r} in it.")
    known = set(classes.tolist())
    if unknown := [label for label in class_weight if label not in known]:
        raise ValueError(
            f"class_weight names labels that are not among the classes {classes}: {unknown}."
        )
    if bad := {
        label: weight
        for label, weight in class_weight.items()
        if not (isinstance(weight, Real) and 0 <= float(weight) < float("inf"))
    }:
        raise ValueError(f"class_weight must hold finite numbers >= 0; got {bad}.")
    return compute_class_weight(class_weight, classes=classes, y=classes)
