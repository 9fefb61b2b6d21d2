"""Scores on rows, or of networks, that lack some of the classes, and R2 of any numbers."""

import numpy as np
from sklearn.metrics import r2_score

from .._objective.overflow import IGNORE_OVERFLOW
from .._sklearn import scorer_of_classes, takes_weights
from .._targets.continuous import as_numbers


def check_scorer(scorer, metadata):
    """An error, before any work, if a scorer is to be given row weights that it does not take."""
    if metadata.get("sample_weight") is not None and not takes_weights(scorer):
        raise ValueError(
            f"scoring must be a score that takes sample_weight where rows have weights; {scorer!r} "
            "does not. Choose another one, or fit without sample_weight."
        )


def score_rows(scorer, estimator, X, y, classes, metadata):
    """What a scorer gives for rows of a problem whose classes may be more than theirs.

    Parameters
    ----------
    scorer : callable(estimator, X, y, **metadata)
    estimator : estimator
        A classifier may be fitted on rows that lack some of the classes.
    X, y
        Rows that may lack some, too.
    classes : ndarray of shape (n_classes,) or None
        Sorted labels of all rows; None for numbers, and for multilabel problems, where no
        label can be missing.
    metadata : dict
        The scorer's keywords, such as ``sample_weight``.

    Returns
    -------
    score
        What the scorer gives; metrics of probabilities count 0 for the classes that
        the estimator does not know.
    """
    if classes is not None:
        scorer = scorer_of_classes(scorer, classes, taken=metadata)
        if not np.array_equal(estimator.classes_, classes):
            estimator = AllClasses(estimator, classes)
    return scorer(estimator, X, y, **metadata)


def r2(y, predictions, sample_weight=None):
    """R2 as `sklearn.metrics.r2_score` has it, also where squares would overflow or vanish.

    Each output is measured in a power of two, which rounds nothing: in that of y, which would
    vanish next to predictions far beyond it. Where their squares overflow even so, R2 is -inf.
    Rows with zero weight are ignored, whatever their y.
    """
    y = as_numbers(y).astype(np.float64, copy=False)
    if predictions.ndim == 1 and y.shape[1:] == (1,):
        y = y[:, 0]
    weights = np.asarray(1.0 if sample_weight is None else sample_weight)
    # What is not such is left to scikit-learn, which says what is wrong.
    if weights.dtype.kind in "biuf" and weights.shape == y.shape[:1] == predictions.shape[:1]:
        counted = weights != 0.0
        if counted.any():
            y, predictions, weights = y[counted], predictions[counted], weights[counted]
            # Their unit does not matter: so their sum does not overflow.
            sample_weight = weights / np.abs(weights).max()
    if y.size and y.shape == predictions.shape and np.isfinite(y).all():
        exponents = -np.frexp(np.abs(y).max(axis=0))[1]
        y, predictions = np.ldexp(y, exponents), _finite_ldexp(predictions, exponents)
    with np.errstate(**IGNORE_OVERFLOW):
        return r2_score(y, predictions, sample_weight=sample_weight)


def _finite_ldexp(x, exponents):
    """x times powers of two, and the largest number in place of what overflows."""
    largest = np.finfo(np.float64).max
    with np.errstate(**IGNORE_OVERFLOW):
        return np.ldexp(x, exponents).clip(-largest, largest)


class AllClasses:
    """A fitted classifier that speaks of all classes, also of those that it does not know.

    The missing ones have probability 0, and as logit and log-probability the lowest
    number of the dtype, as in `sklearn.model_selection.cross_val_predict`. All else
    is the classifier's.

    Parameters
    ----------
    classifier : classifier
        Fitted on some of the classes.
    classes : ndarray of shape (n_classes,)
        All of them, sorted.
    """

    def __init__(self, classifier, classes):
        self._classifier = classifier
        self._columns = np.searchsorted(classes, classifier.classes_)
        self.classes_ = classes

    def __getattr__(self, name):
        if name == "_classifier":  # a copy that is not filled yet
            raise AttributeError(name)
        return getattr(self._classifier, name)

    def predict_proba(self, X):
        """Probabilities of shape (n_samples, n_classes)."""
        return self._spread(self._classifier.predict_proba(X), 0.0)

    def predict_log_proba(self, X):
        """Logarithms of the probabilities, of shape (n_samples, n_classes)."""
        log_P = self._classifier.predict_log_proba(X)
        return self._spread(log_P, np.finfo(log_P.dtype).min)

    def decision_function(self, X):
        """Logits of shape (n_samples, n_classes), or (n_samples,) for two classes."""
        z = self._classifier.decision_function(X)
        lowest = np.finfo(z.dtype).min
        if len(self.classes_) == 2:
            # It knows one class, and is sure of it.
            return np.full(len(z), -lowest if self._columns[0] == 1 else lowest)
        if z.ndim == 1:
            # Log-odds of the second class: of each class they are these.
            z = np.column_stack([-z, z])
        return self._spread(z, lowest)

    def _spread(self, columns, missing):
        return spread_columns(columns, self._columns, len(self.classes_), missing)


def spread_columns(columns, numbers, n_columns, missing):
    """Columns with their numbers among all columns; ``missing`` in the others."""
    spread = np.full((len(columns), n_columns), missing, columns.dtype)
    spread[:, numbers] = columns
    return spread
