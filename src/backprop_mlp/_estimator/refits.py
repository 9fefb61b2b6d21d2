"""Fits of one estimator on the same rows, such as those along a path: rows are posed once."""

from contextvars import ContextVar

from .._training.search_fit import SearchFit, fit_for_search

_REFITS: ContextVar["Refits | None"] = ContextVar("fits of one estimator", default=None)


class Refits:
    """Fits of one estimator on the same rows, between which no keyword changes their problem.

    The rows are validated and posed in the first of them alone.

    Parameters
    ----------
    estimator : BackpropMLP
    X, y, sample_weight
        As each `fit` is given them.
    """

    def __init__(self, estimator, X, y, sample_weight):
        self._estimator = estimator
        self._rows = (X, y, sample_weight)
        self._problem = None

    def fit(self, name):
        """Call the estimator's `fit`, which leaves warnings about its outcome to the caller.

        Parameters
        ----------
        name : str
            As that of `SearchFit`.
        """
        before = _REFITS.set(self)
        try:
            fit_for_search(SearchFit(name), self._estimator.fit, *self._rows)
        finally:
            _REFITS.reset(before)

    def problem(self, estimator, rows, pose_rows):
        """The problem of the rows that a fit was given, from ``pose_rows()`` if it is not known.

        Callbacks may fit others on the same rows.
        """
        own = zip((estimator, *rows), (self._estimator, *self._rows), strict=True)
        if not all(given is known for given, known in own):
            return pose_rows()
        if self._problem is None:
            self._problem = pose_rows()
        return self._problem


def pose_once(estimator, rows, pose_rows):
    """The problem of rows, from ``pose_rows()`` unless an earlier one of refits has posed it."""
    refits = _REFITS.get()
    return pose_rows() if refits is None else refits.problem(estimator, rows, pose_rows)
