"""Class weights: what users give, as numbers per class or per label, and as weights of rows."""

from collections.abc import Callable
from functools import partial

import numpy as np

from .._numbers import as_float


def balance_classes(totals):
    """Weights that give all classes with any weight the same weight in total.

    Parameters
    ----------
    totals : ndarray of shape (n_classes,)
        Total weight of each class.

    Returns
    -------
    weights : ndarray of shape (n_classes,)
        Total weight / (classes with weight * weight of the class); 0 for a
        class without weight.
    """
    present = totals > 0.0
    with np.errstate(over="ignore"):
        weights = totals.sum() / (present.sum() * np.where(present, totals, 1.0))
    return np.where(present, weights, 0.0)


def read_class_weight(class_weight, classes):
    """Weight of each class from a {label: weight} dictionary; 1 where it says nothing.

    Raises
    ------
    TypeError, ValueError
        If class_weight is no dictionary, names other labels, or holds anything
        but finite numbers >= 0.
    """
    if not isinstance(class_weight, dict):
        raise TypeError(f"class_weight must hold dictionaries; got {class_weight!r} in it.")
    known = keep_classes(class_weight, classes)
    if unknown := [label for label in class_weight if label not in known]:
        raise ValueError(
            f"class_weight names labels that are not among the classes {classes}: {unknown}."
        )
    if bad := {
        label: weight
        for label, weight in class_weight.items()
        if not 0.0 <= as_float(weight) < np.inf
    }:
        raise ValueError(f"class_weight must hold finite numbers >= 0; got {bad}.")
    # Not by compute_class_weight, for which the label "0" is the number 0.
    weights = {_plain(label): float(weight) for label, weight in class_weight.items()}
    return np.array([weights.get(label, 1.0) for label in classes.tolist()])


def keep_classes(class_weight, classes):
    """The part of a {label: weight} dictionary that is about some classes."""
    known = set(classes.tolist())
    return {label: weight for label, weight in class_weight.items() if _plain(label) in known}


def _plain(label):
    """A label as ``tolist`` has it: a date of NumPy's is not equal to Python's."""
    return label.item() if isinstance(label, np.generic) else label


def weigh_rows(targets, codes, sample_weight, class_weights):
    """The rows' weights with those of their classes, and how blocks weigh the loss.

    Parameters
    ----------
    targets : Targets
    codes : {ndarray, csr_matrix} of shape (n_rows,) or (n_rows, n_labels)
    sample_weight : ndarray of shape (n_rows,), float64
    class_weights : ndarray or None
        As ``targets.class_weights`` returns them; None for numbers.

    Returns
    -------
    row_weight : ndarray of shape (n_rows,), float64
        Their sum is m; batch normalisation and centring use them. They are
        ``sample_weight`` itself where class weights say nothing about whole rows.
    weigh : callable(codes, row_weight) -> ndarray of shape (n_rows, n_outputs), or None
        Makes the weights per output of one block's rows; None where the rows'
        weights are those of the loss.
    """
    if class_weights is None or np.all(class_weights == 1.0):
        return sample_weight, None
    weigh: Callable = partial(targets.loss_weights, class_weights=class_weights)
    if targets.weighs_outputs:
        return sample_weight, weigh
    return weigh(codes, sample_weight), None
