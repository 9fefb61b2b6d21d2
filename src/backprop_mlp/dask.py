"""Training on Dask collections, for data that outgrow one machine; needs the extra ``dask``.

The solver runs in the process that calls `fit` and does not know where the rows
are. Each evaluation of the cost is one pass: parameters go to the workers, every
partition is summed where it lies, and the sums come back. The rows never do. With a
mini-batch solver parameters and the solver's state go from partition to partition.
"""

from __future__ import annotations

import copy
from typing import Any, Self

import dask
from distributed import Client
from sklearn.utils.validation import check_is_fitted

from ._classifier import BackpropMLPClassifier
from ._dask.collections import check_client, check_features, delayed_rows
from ._dask.estimator import DaskNetwork
from ._dask.prediction import copy_for_workers
from ._dask.scoring import score_classifier, score_regressor
from ._estimator.tags import NetworkClassifierMixin, NetworkRegressorMixin
from ._regressor import BackpropMLPRegressor
from ._sklearn import _fit_context, with_callbacks

__all__ = ["DaskBackpropMLPClassifier", "DaskBackpropMLPRegressor"]


class DaskBackpropMLPClassifier(NetworkClassifierMixin, DaskNetwork):
    """A `BackpropMLPClassifier` that is trained on the partitions of Dask collections.

    Minimises the same objective with the same solvers. Partitions are read and
    checked once, then stay on the workers, in memory or spilled to disk, until
    training ends; they are never gathered.

    Full-batch solvers: an evaluation is one pass over the partitions. Each thread
    of a worker sums the cost and the gradient of its share of the worker's
    partitions, and only parameters and sums travel. There should be at least as
    many partitions as threads.

    Mini-batch solvers: parameters and the solver's state travel from partition to
    partition, and one worker computes at a time. Batches are cut inside
    partitions, which should hold many times ``batch_size`` rows. With ``shuffle``
    each epoch visits the partitions, and the rows in each, in a new order. So
    rows that lie in one partition are seen after each other: shuffle data that
    are sorted by class before you store them. ``alpha`` means the same as
    everywhere.

    Parameters
    ----------
    estimator : BackpropMLPClassifier, default=None
        Holds the keywords of training; it is cloned. Its callbacks are called as
        by its own `fit`, in this process. None means ``BackpropMLPClassifier()``.

    client : distributed.Client, default=None
        Connection to the cluster; None means the current one. Clones share it,
        pickles and copies are without.

    Attributes
    ----------
    estimator_ : BackpropMLPClassifier
        The fitted classifier, without callbacks.

    coefs_, intercepts_, thetas_, loss_, loss_curve_, n_iter_, converged_, classes_, ...
        Every fitted attribute of ``estimator_`` is one of this object, too; see
        `BackpropMLPClassifier`.

    See Also
    --------
    BackpropMLPClassifier : The same for data in memory.

    Notes
    -----
    Sums of partitions are added without rounding errors and rounded once. So the
    result does not depend on the workers, their number or their loss; Dask
    computes the partitions of a lost worker again, from where they came.

    With the same partitions as blocks, cost and gradient are those of the plain
    classifier up to the rounding of a sum. With a single partition a mini-batch
    solver takes the same steps as in memory.

    Ctrl-C ends training with a warning and keeps the best parameters so far, those
    of the last finished iteration or epoch. Before there is one, and while
    partitions are read and checked, `KeyboardInterrupt` is raised instead. In a
    terminal Ctrl-C reaches the workers of a `distributed.LocalCluster`, too, and
    ends them: the classifier is fitted, but the cluster is gone.

    With scikit-learn 1.9 or later, ``set_callbacks`` takes scikit-learn's callbacks;
    those that are propagated, such as progress bars, follow the network's training.
    Others are notified of its iterations, and end it, if they are set on ``estimator``.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from sklearn.datasets import load_iris
    >>> from backprop_mlp import BackpropMLPClassifier
    >>> from backprop_mlp.dask import DaskBackpropMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> X, y = da.from_array(X, chunks=(50, 4)), da.from_array(y, chunks=50)
    >>> client = Client(processes=False, dashboard_address=None)
    >>> network = BackpropMLPClassifier(5, "tanh", solver="lbfgs", random_state=0)
    >>> classifier = DaskBackpropMLPClassifier(network)
    >>> classifier.fit(X, y).predict(X)
    dask.array<_outputs, shape=(150,), dtype=int64, chunksize=(50,), chunktype=numpy.ndarray>
    >>> bool(classifier.score(X, y) > 0.95)
    True
    >>> client.close()
    """

    _parameter_constraints: dict = {
        "estimator": [BackpropMLPClassifier, None],
        "client": [Client, None],
    }

    estimator_: BackpropMLPClassifier

    def __init__(
        self, estimator: BackpropMLPClassifier | None = None, *, client: Client | None = None
    ):
        self.estimator = estimator
        self.client = client

    def _default_estimator(self):
        return BackpropMLPClassifier()

    # Training

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train the network.

        All collections of a call have the same partitions, or are Dask arrays
        of known lengths, which are cut like X.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Training data; blocks may be NumPy arrays or SciPy sparse matrices,
            of unknown length, or empty. float32 is computed in float32, all
            else in float64.
        y : dask.array.Array, dask.dataframe.Series or DataFrame of shape (n_samples,) or \
                (n_samples, n_labels)
            Class labels, or a 0/1 matrix for multilabel problems. No partition
            needs to hold all classes.
        sample_weight : dask.array.Array or Series of shape (n_samples,), default=None
            Row weights >= 0. None means 1.
        X_val : dask.array.Array or dask.dataframe.DataFrame of shape (n_val, n_features), \
                default=None
            Validation data: measured after every iteration.
            ``early_stopping`` needs them. For a ``scoring`` other than None and
            "loss" the logits, n_val * n_outputs numbers, are gathered for each score,
            and the labels once. It must be a name, or made by
            `sklearn.metrics.make_scorer`: other callables may read the rows, which
            stay on the workers.
        y_val : dask.array.Array, dask.dataframe.Series or DataFrame of shape (n_val,) or \
                (n_val, n_labels), default=None
            Their labels, all of which occur in y.
        sample_weight_val : dask.array.Array or Series of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : DaskBackpropMLPClassifier
            The fitted estimator.

        Raises
        ------
        TypeError
            If an input is not a Dask collection.
        ValueError
            If a parameter or an input is not allowed, or there is no client.
        FloatingPointError
            If the cost overflows: at the start, where mini-batches diverge, or on validation rows.

        Warns
        -----
        ConvergenceWarning
            If training ended before it converged, or above the cost of a constant prediction.
        IgnoredKeywordWarning, StrongPenaltyWarning, UserWarning
            As for `BackpropMLPClassifier.fit`.
        """
        return self._fit(X, y, sample_weight, X_val, y_val, sample_weight_val)

    def to_local(self) -> BackpropMLPClassifier:
        """The fitted classifier, for data in memory.

        Returns
        -------
        classifier : BackpropMLPClassifier
            A copy that needs neither Dask nor this object.
        """
        check_is_fitted(self)
        return copy.deepcopy(self.estimator_)

    # Prediction

    def predict(self, X: Any) -> Any:
        """The class with the largest logit; for multilabel problems, every label above 0.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Input data. Data in memory are predicted at once, as the plain
            classifier does; so it is with every method that predicts.

        Returns
        -------
        y : dask.array.Array of shape (n_samples,) or (n_samples, n_labels)
            Labels, not computed yet.
        """
        return self._lazily("predict", X)

    def predict_proba(self, X: Any) -> Any:
        """Probabilities of the classes.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        P : dask.array.Array of shape (n_samples, n_classes)
            In the order of ``classes_``, not computed yet.
        """
        return self._lazily("predict_proba", X)

    def predict_log_proba(self, X: Any) -> Any:
        """Logarithms of the probabilities, always finite.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        log_P : dask.array.Array of shape (n_samples, n_classes)
            In the order of ``classes_``, not computed yet.
        """
        return self._lazily("predict_log_proba", X)

    def decision_function(self, X: Any) -> Any:
        """Logits of the output units.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        z : dask.array.Array of shape (n_samples,) for two classes, else (n_samples, n_outputs)
            Logits, not computed yet.
        """
        return self._lazily("decision_function", X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy, counted where the partitions are.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Input data. Data in memory are scored as the plain classifier does.
        y : dask.array.Array, dask.dataframe.Series or DataFrame of shape (n_samples,) or \
                (n_samples, n_labels)
            Labels.
        sample_weight : dask.array.Array or Series of shape (n_samples,), default=None
            Row weights.

        Returns
        -------
        score : float
            Share of the weight of the rows that are predicted right.

        Raises
        ------
        ValueError
            If an input is not allowed, there are no rows or none with weight, or
            there is no client.
        """
        check_is_fitted(self)
        if not dask.is_dask_collection(X):
            return self.estimator_.score(X, y, sample_weight)
        given = delayed_rows(X, y, sample_weight)
        check_features(self.estimator_, X)
        client, network = check_client(self.client), copy_for_workers(self.estimator_)
        return score_classifier(client, given, network)


class DaskBackpropMLPRegressor(NetworkRegressorMixin, DaskNetwork):
    """A `BackpropMLPRegressor` that is trained on the partitions of Dask collections.

    As `DaskBackpropMLPClassifier`, for numbers: the same objective with the same solvers,
    each evaluation one pass over the partitions. With ``normalize_y`` mean and standard
    deviation of y are those of all partitions.

    Parameters
    ----------
    estimator : BackpropMLPRegressor, default=None
        Holds the keywords of training; it is cloned. Its callbacks are called as
        by its own `fit`, in this process. None means ``BackpropMLPRegressor()``.

    client : distributed.Client, default=None
        Connection to the cluster; None means the current one. Clones share it,
        pickles and copies are without.

    Attributes
    ----------
    estimator_ : BackpropMLPRegressor
        The fitted regressor, without callbacks.

    coefs_, intercepts_, thetas_, loss_, loss_curve_, n_iter_, converged_, y_mean_, ...
        Every fitted attribute of ``estimator_`` is one of this object, too; see
        `BackpropMLPRegressor`.

    See Also
    --------
    BackpropMLPRegressor : The same for data in memory.
    DaskBackpropMLPClassifier : What is said there of partitions, interruption and callbacks
        holds here.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from backprop_mlp import BackpropMLPRegressor
    >>> from backprop_mlp.dask import DaskBackpropMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X, y = da.from_array(scale(X), chunks=(150, 10)), da.from_array(y, chunks=150)
    >>> client = Client(processes=False, dashboard_address=None)
    >>> regressor = DaskBackpropMLPRegressor(BackpropMLPRegressor(5, alpha=30, random_state=0))
    >>> regressor.fit(X, y).predict(X)
    dask.array<_outputs, shape=(442,), dtype=float64, chunksize=(150,), chunktype=numpy.ndarray>
    >>> bool(regressor.score(X, y) > 0.5)
    True
    >>> client.close()
    """

    _parameter_constraints: dict = {
        "estimator": [BackpropMLPRegressor, None],
        "client": [Client, None],
    }

    estimator_: BackpropMLPRegressor

    def __init__(
        self, estimator: BackpropMLPRegressor | None = None, *, client: Client | None = None
    ):
        self.estimator = estimator
        self.client = client

    def _default_estimator(self):
        return BackpropMLPRegressor()

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train the network.

        All collections of a call have the same partitions, or are Dask arrays
        of known lengths, which are cut like X.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Training data; blocks may be NumPy arrays or SciPy sparse matrices,
            of unknown length, or empty. float32 is computed in float32, all
            else in float64.
        y : dask.array.Array, dask.dataframe.Series or DataFrame of shape (n_samples,) or \
                (n_samples, n_outputs)
            Numbers to be predicted.
        sample_weight : dask.array.Array or Series of shape (n_samples,), default=None
            Row weights >= 0. None means 1.
        X_val : dask.array.Array or dask.dataframe.DataFrame of shape (n_val, n_features), \
                default=None
            Validation data: measured after every iteration.
            ``early_stopping`` needs them. For a ``scoring`` other than None and
            "loss" the outputs, n_val * n_outputs numbers, are gathered for each score,
            and y_val once. It must be a name, or made by
            `sklearn.metrics.make_scorer`: other callables may read the rows, which
            stay on the workers.
        y_val : dask.array.Array, dask.dataframe.Series or DataFrame of shape (n_val,) or \
                (n_val, n_outputs), default=None
            Their numbers.
        sample_weight_val : dask.array.Array or Series of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : DaskBackpropMLPRegressor
            The fitted estimator.

        Raises
        ------
        TypeError
            If an input is not a Dask collection.
        ValueError
            If a parameter or an input is not allowed, or there is no client.
        FloatingPointError
            If the cost overflows: at the start, where mini-batches diverge, or on validation rows.

        Warns
        -----
        ConvergenceWarning
            If training ended before it converged, or above the cost of a constant prediction.
        IgnoredKeywordWarning, StrongPenaltyWarning, UserWarning
            As for `BackpropMLPRegressor.fit`.
        """
        return self._fit(X, y, sample_weight, X_val, y_val, sample_weight_val)

    def to_local(self) -> BackpropMLPRegressor:
        """The fitted regressor, for data in memory.

        Returns
        -------
        regressor : BackpropMLPRegressor
            A copy that needs neither Dask nor this object.
        """
        check_is_fitted(self)
        return copy.deepcopy(self.estimator_)

    def predict(self, X: Any) -> Any:
        """The predicted numbers, in y's units.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Input data. Data in memory are predicted at once, as the plain regressor
            does.

        Returns
        -------
        y : dask.array.Array of shape (n_samples,) or (n_samples, n_outputs)
            Numbers, not computed yet.
        """
        return self._lazily("predict", X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R2, the mean over the outputs, summed up where the partitions are.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Input data. Data in memory are scored as the plain regressor does.
        y : dask.array.Array, dask.dataframe.Series or DataFrame of shape (n_samples,) or \
                (n_samples, n_outputs)
            Numbers.
        sample_weight : dask.array.Array or Series of shape (n_samples,), default=None
            Row weights.

        Returns
        -------
        score : float
            As `sklearn.metrics.r2_score`, for any y: its numbers need not be such as
            the loss can be trained on.

        Raises
        ------
        ValueError
            If an input is not allowed, there are no rows or none with weight, or
            there is no client.
        """
        check_is_fitted(self)
        if not dask.is_dask_collection(X):
            return self.estimator_.score(X, y, sample_weight)
        given = delayed_rows(X, y, sample_weight)
        check_features(self.estimator_, X)
        client, network = check_client(self.client), copy_for_workers(self.estimator_)
        return score_regressor(client, given, network)
