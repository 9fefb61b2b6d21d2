"""From an estimator's keywords and rows on the workers to the problem that they pose."""

from typing import Any

from sklearn.metrics import check_scoring

from .._estimator.fitted import fitted_network
from .._estimator.pose import Problem, training_network
from .._estimator.rows import check_validation_arguments, errors_of_validation_rows
from .._sklearn import is_scorer_of_predictions
from .._solvers.full_batch import METHODS
from .._targets.targets import unite_targets
from .._training.baseline import find_baseline
from .._training.scoring import check_scorer
from .._training.validation import Validation
from .checks import check_partitions, features_of
from .rows import PartitionedRows
from .scoring import GatheredScorer


def check_supported(estimator, X_val, y_val, sample_weight_val):
    """An error where the estimator's keywords need what Dask collections can't give."""
    check_validation_arguments(X_val, y_val, sample_weight_val)
    if X_val is None and estimator.early_stopping:
        raise ValueError(
            "early_stopping=True needs X_val and y_val, Dask collections like X and y: no rows "
            "are held out of partitions."
        )
    scoring = estimator.scoring
    if X_val is not None and callable(scoring) and not is_scorer_of_predictions(scoring):
        raise ValueError(
            "scoring of the estimator must be None, a name or made by sklearn.metrics.make_scorer "
            f"on Dask collections: the rows, which {scoring!r} may read, stay on the workers."
        )


def pose(client, estimator, given, given_val, earlier):
    """The problem that keywords and partitions pose; the estimator's features are noted.

    Parameters
    ----------
    client : distributed.Client
    estimator : BackpropMLP
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
    checked = check_partitions(client, given, estimator, reset=earlier is None)
    for name, value in features_of(checked).items():
        setattr(estimator, name, value)
    targets: Any = unite_targets([summary.targets for _, summary in checked])
    if earlier is not None:
        targets = targets.continuing(fitted_network(estimator).targets, "warm_start")
    network = training_network(estimator, estimator.n_features_in_, targets, earlier, "warm_start")
    # Mini-batches go through one partition after another, all else through all at once.
    together = estimator.solver in METHODS
    rows: Any = PartitionedRows.encode(client, checked, targets, together=together)
    totals = rows.total_of_codes(targets.totals)
    if earlier is None and not targets.has_classes:
        targets = targets.scaled_by(totals)
        rows = rows.scaled_by(targets)
    class_weight = estimator._class_weights(targets, totals)
    rows = rows.times(class_weight)
    validation = None
    if given_val is not None:
        with errors_of_validation_rows():
            validation = _pose_validation(client, estimator, given_val, targets, class_weight)
        if validation.scorer_rows is not None:
            check_scorer(validation.scoring.scorer, validation.scorer_rows[1])

    m, total = rows.total_weight, rows.total_of_codes
    baseline = find_baseline(targets, network.loss, totals, class_weight, m, total)
    return Problem(targets, network, rows, validation, class_weight, baseline=baseline)


def _pose_validation(client, estimator, given, targets, class_weight):
    """The rows to validate on."""
    checked = check_partitions(client, given, estimator, reset=False)
    rows: Any = PartitionedRows.encode(client, checked, targets, together=True)
    scoring = estimator.scoring
    scorer_rows: tuple | None = None
    if scoring not in (None, "loss"):
        scoring = GatheredScorer(check_scoring(estimator, scoring), rows)
        weighted = any(summary.is_weighted for _, summary in checked)
        scorer_rows = scoring.labels_and_weights(targets, weighted)
    totals = None if targets.has_classes else rows.total_of_codes(targets.totals)
    return Validation(rows.times(class_weight), targets, scoring, scorer_rows, totals)


def pose_fitted(client, estimator, given):
    """Partitions as a problem for the fitted network, and its packed parameters, finite."""
    checked = check_partitions(client, given, estimator, reset=False)
    fitted = fitted_network(estimator)
    fitted.check_finite()
    rows: Any = PartitionedRows.encode(client, checked, fitted.targets, together=True)
    rows = rows.times(getattr(estimator, "class_weight_", None))
    return Problem(fitted.targets, fitted.network, rows), fitted.theta()
