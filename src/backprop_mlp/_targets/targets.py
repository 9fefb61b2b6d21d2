"""The user's y, and the targets Y of the network's outputs.

========== ===================== ================== ================== =================
kind       y                     outputs            loss               class
========== ===================== ================== ================== =================
constant   one class             1                  softmax (always 1) `ExclusiveClasses`
binary     two classes           1                  logistic           `ExclusiveClasses`
multiclass three or more classes one per class      logistic, softmax  `ExclusiveClasses`
multilabel 0/1 matrix            one per label      logistic           `Labels`
numbers    numbers               one per column     the user's         `Numbers`
========== ===================== ================== ================== =================
"""

from typing import Any, Protocol

import numpy as np
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from .._network.losses import Loss
from .exclusive import ExclusiveClasses, label_kind
from .labels import one_column
from .multilabel import Labels


class Targets(Protocol):
    """What a problem's y asks of the network: the contract of all kinds of targets.

    Codes are what stands for y where rows are kept: an array or CSR matrix of
    n_rows entries or rows, of which blocks make Y of shape (n_rows, n_outputs).
    z are logits of that shape too. Targets are immutable.
    """

    @property
    def has_classes(self) -> bool:
        """Whether y holds labels: then these are `ClassTargets`."""

    @property
    def exclusive_classes(self) -> Any:
        """Sorted labels, if each row has one of them, else None."""

    @property
    def n_outputs(self) -> int:
        """Number of the network's outputs."""

    def codes(self, y, sample_weight=None, dtype=np.float64):
        """Codes of validated y.

        Parameters
        ----------
        y : {ndarray, sparse matrix} of shape (n_rows,) or (n_rows, n_outputs)
        sample_weight : ndarray of shape (n_rows,), default=None
            Numbers of rows with zero weight do not count.
        dtype : dtype, default=float64
            The precision of the network, in which numbers must not overflow.

        Raises
        ------
        ValueError
            If y is of another kind, or holds what training did not.
        """

    def encode(self, codes, dtype):
        """Y, of shape (n_rows, n_outputs) and a dtype, from codes of the same rows."""

    def outputs(self, loss: Any, z):
        """The network's outputs, shaped as z."""

    def predict(self, loss: Any, z):
        """What the user is given as predictions: labels of the kind of y, or numbers."""

    def tally(self, loss: Any, z, block):
        """What a block adds to the score, weighted by ``block.sample_weight``: a number or array.

        z are logits in the units of training, as Y.
        """

    def score(self, tally, total_weight, totals) -> float:
        """The score of all blocks, from the sum of what they add; greater is better.

        Parameters
        ----------
        tally : float or ndarray
        total_weight : float
        totals : Moments or None
            As ``totals`` of the same rows; None for labels, which do not need them.
        """

    def totals(self, codes, sample_weight):
        """What the problem as a whole needs to know of rows: those of parts add up.

        Returns
        -------
        totals : ndarray or Moments
            Total weight of each class, float64 of shape (n_classes,), or (n_labels, 2) for
            labels; the moments of numbers.
        """

    def scaled_by(self, totals):
        """These targets with the mean and scale that all rows' totals give numbers.

        Codes of numbers must then be made again.
        """

    def continuing(self, before, what: str):
        """These targets in training that goes on: numbers keep their mean and scale.

        Parameters
        ----------
        before : Targets
            Those of the previous fit.
        what : str
            What goes on, for the message.

        Raises
        ------
        ValueError
            If the network can't go on with these targets.
        """

    def to_units(self, W, b):
        """The output layer in y's units, from that of training."""

    def from_units(self, W, b):
        """The output layer of training, from that in y's units."""


class ClassTargets(Targets, Protocol):
    """What labels have beyond `Targets`."""

    @property
    def classes(self) -> Any:
        """Labels of shape (n_classes,): ``classes_`` of a fitted estimator."""

    @property
    def multilabel(self) -> bool:
        """Whether a row may have several labels."""

    @property
    def weighs_outputs(self) -> bool:
        """Whether class weights are weights per row and output, instead of per row."""

    def choose_loss(self, output_activation: str) -> Loss:
        """The loss for the outputs that the user asked for."""

    def proba(self, loss: Loss, z):
        """Probabilities of shape (n_rows, n_classes), each accurate even if it is small."""

    def log_proba(self, loss: Loss, z):
        """Log-probabilities of shape (n_rows, n_classes), finite for finite z."""

    def predicted_codes(self, z):
        """Codes of the predictions."""

    def class_weights(self, class_weight, totals=None):
        """Weights that the user asks for: of each class, or of a label's absence and presence.

        "balanced" is total weight / (classes * weight of the class), over the
        classes that have any weight.

        Parameters
        ----------
        class_weight : dict, list of dict, "balanced" or None
        totals : ndarray, default=None
            As ``totals`` returns them; only "balanced" needs them.

        Returns
        -------
        weights : ndarray of shape (n_classes,), or (n_labels, 2) for labels, float64

        Raises
        ------
        TypeError, ValueError
            If class_weight does not fit the classes.
        """

    def loss_weights(self, codes, sample_weight, class_weights):
        """The weights with which rows enter the loss, float64.

        Parameters
        ----------
        codes : {ndarray, csr_matrix}
        sample_weight : ndarray of shape (n_rows,)
        class_weights : ndarray
            As ``class_weights`` returns them.

        Returns
        -------
        weights : ndarray of shape (n_rows, n_outputs) if ``weighs_outputs``, else (n_rows,)
        """


def targets_of(y) -> ClassTargets:
    """The problem that a training set's y, of shape (n_rows,) or (n_rows, n_labels), poses."""
    if _is_multilabel(y):
        return Labels.numbered(y.shape[1], None)
    return ExclusiveClasses(np.unique(one_column(y)))


def fitted_targets(classes, multilabel: bool) -> ClassTargets:
    """The problem that an estimator was fitted to, from its ``classes_``."""
    return Labels(classes) if multilabel else ExclusiveClasses(classes)


def announced_targets(classes, y, before: ClassTargets | None) -> ClassTargets:
    """The problem whose classes are given before all rows are seen.

    Parameters
    ----------
    classes : array-like of shape (n_classes,) or None
    y : array-like of shape (n_rows,) or (n_rows, n_labels)
    before : ClassTargets or None
        The problem of the first rows; None with them.

    Raises
    ------
    ValueError
        If the classes are missing, or are not those of a multilabel y or of before.
    """
    if before is not None:
        if classes is not None and not np.array_equal(sorted_classes(classes), before.classes):
            raise ValueError(
                f"classes must be those of the first call to partial_fit, {before.classes}, or "
                f"None; got {classes!r}."
            )
        return before
    if _is_multilabel(y):
        return Labels.numbered(y.shape[1], classes)
    if classes is None:
        raise ValueError("classes must be given in the first call to partial_fit; got None.")
    return ExclusiveClasses(sorted_classes(classes))


def unite_targets(problems) -> Targets:
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
    first = problems[0]
    if not first.has_classes:
        _check_widths({targets.shape for targets in problems})
        return first
    classes = [targets.classes for targets in problems]
    if len({targets.multilabel for targets in problems}) > 1:
        raise ValueError("y must be multilabel in all of its parts or in none.")
    if first.multilabel:
        _check_widths({(len(columns),) for columns in classes})
        return first
    if len(set(map(label_kind, classes))) > 1:
        raise ValueError(f"y must hold numbers or strings, not both; got {classes}.")
    return ExclusiveClasses(np.unique(np.concatenate(classes)))


def _check_widths(shapes):
    """An error if the rows of parts of y have several shapes."""
    if len(shapes) > 1:
        raise ValueError(
            "y must have as many columns in all of its parts; got rows of the shapes "
            f"{sorted(shapes)}."
        )


def sorted_classes(classes):
    """Announced classes as an array of shape (n_classes,), sorted, each once.

    Raises
    ------
    ValueError
        If they are not a sequence of strings, of whole numbers, or of dates or times.
    """
    labels = np.asarray(classes)
    allowed = labels.dtype.kind in "biu"
    if labels.dtype.kind in "mM":
        allowed = not np.isnat(labels).any()
    elif labels.dtype.kind == "f":
        allowed = bool(np.isfinite(labels).all() and (labels == labels.round()).all())
    elif not allowed:
        allowed = all(isinstance(label, str) for label in labels.ravel().tolist())
    if labels.ndim != 1 or labels.size == 0 or not allowed:
        raise ValueError(
            "classes must be a sequence of labels, strings, whole numbers or dates; got "
            f"{classes!r}."
        )
    return np.unique(labels)


def _is_multilabel(y):
    """Whether y is a 0/1 matrix; an error if it holds no labels at all."""
    try:
        kind = type_of_target(y, input_name="y")
        if kind not in ("binary", "multiclass", "multilabel-indicator"):
            check_classification_targets(y)
    except TypeError as error:
        # Objects that can't be sorted, such as None among strings.
        raise TypeError(f"y must hold labels of one kind, strings or numbers: {error}") from error
    return kind == "multilabel-indicator"
