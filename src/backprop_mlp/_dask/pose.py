"""From an estimator's keywords and rows on the workers to the problem that they pose."""

from typing import Any

from sklearn.metrics import check_scoring

from .._estimator.fitted import fitted_network
from .._estimator.pose import Problem, training_network
from .._sklearn import is_scorer_of_predictions
from .._solvers.full_batch import METHODS
from .._targets.targets import union
from .._training.baseline import constant_cost
from .._training.validation import Validation
from .checks import check_partitions, features_of
from .rows import PartitionedRows
from .scoring import GatheredScorer


def check_supported(classifier, X_val, y_val, sample_weight_val):
    """An error where the classifier's keywords need what Dask collections can't give."""
    if (X_val is None) != (y_val is None):
        raise ValueError("X_val and y_val must be given together; got one of them.")
    if X_val is None and sample_weight_val is not None:
        raise ValueError("sample_weight_val needs X_val and y_val; got neither.")
    if X_val is None and classifier.early_stopping:
        raise ValueError("early_stopping=True needs X_val and y_val on Dask collections.")
    scoring = classifier.scoring
    if X_val is not None and callable(scoring) and not is_scorer_of_predictions(scoring):
        raise ValueError(
            "scoring of the estimator must be None, a name or made by sklearn.metrics.make_scorer "
            f"on Dask collections: the rows, which {scoring!r} may read, stay on the workers."
        )


def pose(client, classifier, given, given_val, earlier):
    """The problem that keywords and partitions pose; the classifier's features are noted.

    Parameters
    ----------
    client : distributed.Client
    classifier : BackpropMLPClassifier
    given : list of tuple of Delayed
        As `delayed_rows` gives them.
    given_val : list of tuple of Delayed or None
        The validation rows.
    earlier : Earlier or None
        What training goes on from.

    Returns
    -------
    problem : Problem
    """
    checked = check_partitions(client, given, classifier, reset=earlier is None)
    for name, value in features_of(checked).items():
        setattr(classifier, name, value)
    targets = union([summary.targets for _, summary in checked])
    network = training_network(
        classifier, classifier.n_features_in_, targets, earlier, "warm_start=True"
    )
    # Mini-batches go through one partition after another, all else through all at once.
    together = classifier.solver in METHODS
    rows: Any = PartitionedRows.encode(client, checked, targets, together=together)
    totals = rows.class_totals()
    class_weight = targets.class_weights(classifier.class_weight, totals)
    rows = rows.times(class_weight)
    validation = None
    if given_val is not None:
        validation = _pose_validation(client, classifier, given_val, targets, class_weight)
    constant = constant_cost(targets, network.loss, totals, class_weight, rows.total_weight)
    return Problem(targets, network, rows, validation, class_weight, constant_cost=constant)


def _pose_validation(client, classifier, given, targets, class_weight):
    """The rows to validate on."""
    checked = check_partitions(client, given, classifier, reset=False)
    rows: Any = PartitionedRows.encode(client, checked, targets, together=True)
    scoring = classifier.scoring
    scorer_rows: tuple = ((), {})
    if scoring not in (None, "loss"):
        scoring = GatheredScorer(check_scoring(classifier, scoring), rows)
        weighted = any(summary.is_weighted for _, summary in checked)
        scorer_rows = scoring.labels_and_weights(targets, weighted)
    return Validation(rows.times(class_weight), targets, scoring, scorer_rows)


def pose_fitted(client, classifier, given):
    """Partitions as a problem for the fitted network, and its packed parameters."""
    checked = check_partitions(client, given, classifier, reset=False)
    fitted = fitted_network(classifier)
    rows: Any = PartitionedRows.encode(client, checked, fitted.targets, together=True)
    rows = rows.times(classifier.class_weight_)
    return Problem(fitted.targets, fitted.network, rows), fitted.theta()
