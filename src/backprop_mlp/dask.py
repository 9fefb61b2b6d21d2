"""Training on Dask collections, for data that outgrow one machine; needs the extra ``dask``.

The solver runs in the process that calls `fit` and does not know where the rows
are. Each evaluation of the cost is one pass: parameters go to the workers, every
partition is summed where it lies, and the sums come back. The rows never do.
"""

import copy
from typing import Any, Self

import dask
import dask.array as da
import numpy as np
from distributed import Client, default_client
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import (
    check_is_fitted,
)

from ._classifier import BackpropMLPClassifier
from ._dask.rows import (
    FEATURES,
    PartitionedRows,
    check_partitions,
    count_hits,
    delayed_rows,
    features_of,
    itself,
    whole_rows,
)
from ._estimator.adoption import adopt_best, earlier_training
from ._estimator.assembly import open_objective
from ._estimator.documentation import DocumentationLinkMixin
from ._estimator.fitted import fitted_network
from ._estimator.pose import Problem, training_network
from ._estimator.tags import NetworkClassifierMixin
from ._estimator.thetas import as_thetas
from ._estimator.training import train_estimator
from ._sklearn import _fit_context, validate_params
from ._solvers.full_batch import METHODS
from ._targets.targets import union
from ._training.callbacks import Task
from ._training.validation import Validation

__all__ = ["DaskBackpropMLPClassifier"]


class DaskBackpropMLPClassifier(
    DocumentationLinkMixin, MetaEstimatorMixin, NetworkClassifierMixin, BaseEstimator
):
    """A `BackpropMLPClassifier` that is trained on the partitions of Dask collections.

    Minimises the same objective with the same full-batch solvers. Each
    evaluation is one pass over the partitions: a worker sums the cost and the
    gradient of its own rows, and only parameters and sums travel. Partitions
    are read and checked once, then stay on the workers until training ends;
    they are never gathered. Each one is computed by one thread, so there should
    be at least as many partitions as threads.

    Parameters
    ----------
    estimator : BackpropMLPClassifier, default=None
        Holds the keywords of training; it is cloned. Its solver must be "cg",
        "lbfgs" or "newton-cg". None means ``BackpropMLPClassifier()``.

    client : distributed.Client, default=None
        Connection to the cluster; None means the current one. Clones share it,
        pickles and copies are without.

    Attributes
    ----------
    estimator_ : BackpropMLPClassifier
        The fitted classifier, with all its attributes.

    classes_ : ndarray of shape (n_classes,)
        Sorted labels; for multilabel problems the numbers of the columns.

    n_features_in_ : int
        Number of features seen during `fit`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if X was a dataframe whose names are all strings.

    See Also
    --------
    BackpropMLPClassifier : The same for data in memory.

    Notes
    -----
    Sums are added in an order that depends on the partitions alone. So the
    result does not depend on the workers, their number or their loss; Dask
    computes the partitions of a lost worker again, from where they came.

    With the same partitions as blocks, cost and gradient are those of the plain
    classifier up to the rounding of a sum.

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

    def __getstate__(self):
        # A client is a connection and can't be copied.
        return {**super().__getstate__(), "client": None}

    def __sklearn_clone__(self):
        twin = super(DaskBackpropMLPClassifier, copy.copy(self)).__sklearn_clone__()
        twin.client = self.client
        return twin

    # Training

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
            ``early_stopping`` needs them, with ``scoring`` None or "loss".
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
            If the cost overflows at the start.

        Warns
        -----
        ConvergenceWarning
            If training ended before it converged.
        UserWarning
            If Ctrl-C ended it.
        """
        estimator = BackpropMLPClassifier() if self.estimator is None else self.estimator
        earlier = None
        if estimator.warm_start and hasattr(self, "estimator_"):
            local = copy.copy(self.estimator_).set_params(**estimator.get_params())
            earlier = earlier_training(local)
        else:
            local = clone(estimator)
        validate_params(local)
        _check_supported(local, X_val, y_val, sample_weight_val)
        client = default_client(self.client)
        given = delayed_rows(X, y, sample_weight)
        given_val = None if X_val is None else delayed_rows(X_val, y_val, sample_weight_val)

        checked = check_partitions(client, given, _unfitted(local), reset=earlier is None)
        for name, value in features_of(checked).items():
            setattr(local, name, value)
        targets = union([summary.targets for _, summary in checked])
        network = training_network(local, local.n_features_in_, targets, earlier, "warm_start=True")
        rows: Any = PartitionedRows.encode(client, checked, targets)
        class_weight = targets.class_weights(local.class_weight, rows.class_totals())
        rows = rows.times(class_weight)
        validation = None
        if given_val is not None:
            checked = check_partitions(client, given_val, _unfitted(local), reset=False)
            rows_val: Any = PartitionedRows.encode(client, checked, targets)
            validation = Validation(rows_val.times(class_weight), targets, local.scoring)
        problem = Problem(targets, network, rows, validation, class_weight)
        outcomes = train_estimator(
            local,
            problem,
            earlier,
            check_random_state(local.random_state),
            Task(None, {}),
            local.n_init if earlier is None else 1,
        )
        adopt_best(local, outcomes, problem, earlier)
        self.estimator_ = local
        return self

    def to_local(self) -> BackpropMLPClassifier:
        """The fitted classifier, for data in memory.

        Returns
        -------
        classifier : BackpropMLPClassifier
            A copy that needs neither Dask nor this object.
        """
        check_is_fitted(self)
        return copy.deepcopy(self.estimator_)

    @property
    def classes_(self) -> np.ndarray:
        """Sorted labels."""
        return self.estimator_.classes_

    @property
    def n_features_in_(self) -> int:
        """Number of features seen during `fit`."""
        return self.estimator_.n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the features, if X was a dataframe whose names are all strings."""
        return self.estimator_.feature_names_in_

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

    def _lazily(self, method, X):
        """What a method of the fitted classifier returns, computed when it is asked for."""
        check_is_fitted(self)
        local = self.estimator_
        if not dask.is_dask_collection(X):
            return getattr(local, method)(X)
        X = whole_rows("X", X, (2,))
        exclusive = not fitted_network(local).targets.multilabel
        if method == "predict":
            columns = () if exclusive else (len(local.classes_),)
            dtype = local.classes_.dtype if exclusive else np.dtype(np.int64)
        else:
            n_columns = local.n_outputs_ if method == "decision_function" else len(local.classes_)
            binary = method == "decision_function" and exclusive and len(local.classes_) == 2
            columns = () if binary else (n_columns,)
            X_dtype = X.dtype if isinstance(X, da.Array) else X._meta.to_numpy().dtype
            dtype = np.result_type(
                local.coefs_[0], np.float32 if X_dtype == np.float32 else np.float64
            )
        empty = np.empty((0, *columns), dtype)
        options = {
            "classifier": dask.delayed(local),
            "method": method,
            "empty": empty,
            "meta": empty,
        }
        if not isinstance(X, da.Array):
            return X.map_partitions(_outputs, **options)
        if columns:
            return da.map_blocks(_outputs, X, chunks=(X.chunks[0], columns), **options)
        return da.map_blocks(_outputs, X, drop_axis=1, **options)

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
        """
        check_is_fitted(self)
        if not dask.is_dask_collection(X):
            return self.estimator_.score(X, y, sample_weight)
        client = default_client(self.client)
        rows = client.compute(delayed_rows(X, y, sample_weight))
        classifier = client.submit(itself, self.estimator_, pure=False)
        hits = client.gather(client.map(count_hits, rows, classifier=classifier, pure=False))
        right, total = map(sum, zip(*hits, strict=True))
        return right / total

    # The cost

    def cost(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """J at the fitted parameters, penalty included.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Input data.
        y : dask.array.Array, dask.dataframe.Series or DataFrame of shape (n_samples,) or \
                (n_samples, n_labels)
            Labels, all of which are known from training.
        sample_weight : dask.array.Array or Series of shape (n_samples,), default=None
            Row weights. The fitted class weights multiply them.

        Returns
        -------
        J : float
            The cost, with the m of the given rows.
        """
        problem, theta = self._pose_fitted(X, y, sample_weight)
        with open_objective(problem, self.estimator_.alpha) as objective:
            return objective.finite_value(theta)

    def cost_gradient(
        self, X: Any, y: Any, sample_weight: Any = None
    ) -> tuple[float, list[np.ndarray]]:
        """J and its gradient at the fitted parameters.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Input data.
        y : dask.array.Array, dask.dataframe.Series or DataFrame of shape (n_samples,) or \
                (n_samples, n_labels)
            Labels, all of which are known from training.
        sample_weight : dask.array.Array or Series of shape (n_samples,), default=None
            Row weights. The fitted class weights multiply them.

        Returns
        -------
        J : float
            The cost, with the m of the given rows.
        gradients : list of ndarray of shape (n_out, 1 + n_in), float64
            Derivatives dJ / dtheta, laid out as ``thetas_``.
        """
        problem, theta = self._pose_fitted(X, y, sample_weight)
        with open_objective(problem, self.estimator_.alpha) as objective:
            cost, grad = objective.finite_value_and_grad(theta)
        return cost, as_thetas(problem.network.dense_views(grad))

    def _pose_fitted(self, X, y, sample_weight):
        """Given rows as a problem for the fitted network, and its packed parameters."""
        check_is_fitted(self)
        local = self.estimator_
        client = default_client(self.client)
        given = delayed_rows(X, y, sample_weight)
        checked = check_partitions(client, given, _unfitted(local), reset=False)
        fitted = fitted_network(local)
        rows = PartitionedRows.encode(client, checked, fitted.targets)
        rows = rows.times(local.class_weight_)
        return Problem(fitted.targets, fitted.network, rows), fitted.theta()


def _check_supported(classifier, X_val, y_val, sample_weight_val):
    """An error where the classifier's keywords need what Dask collections can't give."""
    if classifier.solver not in METHODS:
        raise ValueError(
            f"solver of the estimator must be one of {sorted(METHODS)} on Dask collections; "
            f"got {classifier.solver!r}."
        )
    if (X_val is None) != (y_val is None):
        raise ValueError("X_val and y_val must be given together; got one of them.")
    if X_val is None and sample_weight_val is not None:
        raise ValueError("sample_weight_val needs X_val and y_val; got neither.")
    if X_val is None and classifier.early_stopping:
        raise ValueError("early_stopping=True needs X_val and y_val on Dask collections.")
    if X_val is not None and classifier.scoring not in (None, "loss"):
        raise ValueError(
            "scoring of the estimator must be None or 'loss' on Dask collections; "
            f"got {classifier.scoring!r}."
        )


def _unfitted(classifier):
    """What workers need of a classifier to check rows: no parameters of the network."""
    bare = clone(classifier)
    for name in FEATURES:
        if hasattr(classifier, name):
            setattr(bare, name, getattr(classifier, name))
    return bare


def _outputs(X, classifier, method, empty):
    """What a method of the classifier returns for one partition."""
    return getattr(classifier, method)(X) if X.shape[0] else empty
