"""Training on Dask collections, for data that outgrow one machine; needs the extra ``dask``.

The solver runs in the process that calls `fit` and does not know where the rows
are. Each evaluation of the cost is one pass: parameters go to the workers, every
partition is summed where it lies, and the sums come back. The rows never do.
"""

import copy
from functools import cached_property, partial, reduce
from typing import Any, NamedTuple

import dask
import dask.array as da
import numpy as np
from distributed import Client, default_client
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, _fit_context, clone
from sklearn.metrics import accuracy_score
from sklearn.utils import check_random_state
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    check_is_fitted,
    check_non_negative,
)

from ._classifier import _LATER, BackpropMLPClassifier, _as_thetas, _refuse_overflow
from ._estimator.assembly import Problem
from ._estimator.documentation import DocumentationLinkMixin
from ._objective.objective import Objective, RowBlocks
from ._objective.threads import block_map
from ._solvers.full_batch import METHODS
from ._targets.targets import Targets
from ._training.callbacks import Task
from ._training.validation import Validation

__all__ = ["DaskBackpropMLPClassifier"]

_FAN_IN = 16
"""Sums that are added in one place: they bound the memory of an addition."""

_FEATURES = ("n_features_in_", "feature_names_in_")
"""Fitted attributes that describe the features."""


class DaskBackpropMLPClassifier(
    DocumentationLinkMixin, MetaEstimatorMixin, ClassifierMixin, BaseEstimator
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

    def __init__(self, estimator=None, *, client=None):
        self.estimator = estimator
        self.client = client

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.input_tags.sparse = True
        return tags

    def __getstate__(self):
        # A client is a connection and can't be copied.
        return {**super().__getstate__(), "client": None}

    def __sklearn_clone__(self):
        twin = super(DaskBackpropMLPClassifier, copy.copy(self)).__sklearn_clone__()
        twin.client = self.client
        return twin

    # Training

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
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
        goes_on = estimator.warm_start and hasattr(self, "estimator_")
        if goes_on:
            local = copy.copy(self.estimator_).set_params(**estimator.get_params())
        else:
            local = clone(estimator)
        local._validate_params()
        _check_supported(local, X_val, y_val, sample_weight_val)
        client = default_client(self.client)
        given = _delayed_rows(X, y, sample_weight)
        given_val = None if X_val is None else _delayed_rows(X_val, y_val, sample_weight_val)

        checked = _check(client, given, _unfitted(local), reset=not goes_on)
        for name, value in _features(checked).items():
            setattr(local, name, value)
        targets = Targets.union([summary.targets for _, summary in checked])
        network = local._training_network(local.n_features_in_, targets, goes_on)
        rows: Any = PartitionedRows.encode(client, checked, targets)
        local.class_weight_ = targets.class_weights(local.class_weight, rows.class_totals())
        rows = rows.times(local.class_weight_)
        validation = None
        if given_val is not None:
            checked = _check(client, given_val, _unfitted(local), reset=False)
            rows_val: Any = PartitionedRows.encode(client, checked, targets)
            validation = Validation(rows_val.times(local.class_weight_), targets, local.scoring)
        local._train(
            Problem(targets, network, rows, validation),
            rows.objective(network, local.alpha),
            None,
            check_random_state(local.random_state),
            goes_on,
            1 if goes_on else local.n_init,
            Task(None, {}),
        )
        self.estimator_ = local
        return self

    def to_local(self):
        """The fitted classifier, for data in memory.

        Returns
        -------
        classifier : BackpropMLPClassifier
            A copy that needs neither Dask nor this object.
        """
        check_is_fitted(self)
        return copy.deepcopy(self.estimator_)

    @property
    def classes_(self):
        """Sorted labels."""
        return self.estimator_.classes_

    @property
    def n_features_in_(self):
        """Number of features seen during `fit`."""
        return self.estimator_.n_features_in_

    @property
    def feature_names_in_(self):
        """Names of the features, if X was a dataframe whose names are all strings."""
        return self.estimator_.feature_names_in_

    # Prediction

    def predict(self, X):
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

    def predict_proba(self, X):
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

    def predict_log_proba(self, X):
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

    def decision_function(self, X):
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
        X = _whole_rows("X", X, (2,))
        exclusive = not local._multilabel
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

    def score(self, X, y, sample_weight=None):
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
        rows = client.compute(_delayed_rows(X, y, sample_weight))
        classifier = client.submit(_itself, self.estimator_, pure=False)
        hits = client.gather(client.map(_count_hits, rows, classifier=classifier, pure=False))
        right, total = map(sum, zip(*hits, strict=True))
        return right / total

    # The cost

    def cost(self, X, y, sample_weight=None):
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
        objective, theta = self._fitted_objective(X, y, sample_weight)
        with np.errstate(**_LATER):
            cost = objective.value(theta)
        _refuse_overflow("cost", cost)
        return cost

    def cost_gradient(self, X, y, sample_weight=None):
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
        objective, theta = self._fitted_objective(X, y, sample_weight)
        with np.errstate(**_LATER):
            cost, grad = objective.value_and_grad(theta)
        _refuse_overflow("cost", cost)
        _refuse_overflow("gradient of the cost", grad)
        return cost, _as_thetas(objective.network.dense_views(grad))

    def _fitted_objective(self, X, y, sample_weight):
        """The objective of given rows, and the fitted parameters."""
        check_is_fitted(self)
        local = self.estimator_
        client = default_client(self.client)
        given = _delayed_rows(X, y, sample_weight)
        checked = _check(client, given, _unfitted(local), reset=False)
        rows = PartitionedRows.encode(client, checked, local._targets)
        network = local._network
        objective = rows.times(local.class_weight_).objective(network, local.alpha)
        return objective, local._theta(network)


class PartitionedRows:
    """The rows of a data set on the workers of a cluster, in place of ``RowBlocks``.

    Parameters
    ----------
    client : distributed.Client
    partitions : list of distributed.Future of Partition
        None of them empty.
    dtype : dtype
        The precision in which the rows are computed.
    """

    def __init__(self, client, partitions, dtype):
        self.client = client
        self.partitions = partitions
        self.dtype = dtype

    @classmethod
    def encode(cls, client, checked, targets):
        """The rows of checked partitions, with numbers for labels."""
        futures, summaries = zip(*checked, strict=True)
        dtype = np.result_type(*(summary.dtype for summary in summaries))
        partitions = client.map(_encode, futures, targets=targets, dtype=dtype, pure=False)
        return cls(client, partitions, dtype)

    def times(self, class_weight):
        """The same rows, their weights multiplied by those of their classes."""
        if np.all(class_weight == 1.0):
            return self
        weighed = self.client.map(_weigh, self.partitions, class_weight=class_weight, pure=False)
        return PartitionedRows(self.client, weighed, self.dtype)

    def class_totals(self):
        """As ``Targets.class_totals`` of all rows."""
        return sum(self.client.gather(self.client.map(_class_totals, self.partitions, pure=False)))

    @cached_property
    def _sizes(self):
        sizes = self.client.gather(self.client.map(_size, self.partitions, pure=False))
        return [sum(values) for values in zip(*sizes, strict=True)]

    @property
    def n_rows(self):
        """Number of rows."""
        return self._sizes[0]

    @property
    def total_weight(self):
        """Sum of the row weights."""
        return self._sizes[1]

    @cached_property
    def smallest_weight(self):
        """The smallest row weight above zero."""
        smallest = self.client.map(_smallest_weight, self.partitions, pure=False)
        return min(self.client.gather(smallest))

    def objective(self, network, alpha):
        """The objective of these rows."""
        map_blocks = partial(_sums_over, network.rows_per_block(self.dtype))
        return Objective(network, self, self.total_weight, alpha, self.dtype, map_blocks)


def _sums_over(longest, function, rows):
    """Sums of ``function(block)`` over the blocks of one or several partitions, for Objective.

    The function, which holds the parameters, is the result of a task, so that
    it goes to each worker once and survives the loss of one. Where there are
    many partitions, workers add their sums up, always the same ones.
    """
    client = rows.client
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TiB"}):
        function = client.submit(_itself, function, pure=False)
    sums = client.map(
        _sum_over_blocks, rows.partitions, function=function, longest=longest, pure=False
    )
    while len(sums) > _FAN_IN:
        groups = [sums[start : start + _FAN_IN] for start in range(0, len(sums), _FAN_IN)]
        sums = client.map(_sum, groups, pure=False)
    return client.gather(sums)


# What is checked before any work


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


def _delayed_rows(X, y, sample_weight):
    """One delayed (X, y, sample_weight) a partition."""
    X = _whole_rows("X", X, (2,))
    parts = [_delayed(X)]
    for name, other, ndims in (("y", y, (1, 2)), ("sample_weight", sample_weight, (1,))):
        if other is None and name != "y":
            parts.append([None] * len(parts[0]))
            continue
        other = _whole_rows(name, other, ndims)
        if isinstance(X, da.Array) and isinstance(other, da.Array):
            n_rows, n_others = X.shape[0], other.shape[0]
            if not np.isnan(n_rows + n_others):
                if n_rows != n_others:
                    raise ValueError(f"{name} must have {n_rows} rows, as X has; got {n_others}.")
                other = other.rechunk({0: X.chunks[0]})
        parts.append(_delayed(other))
        if len(parts[-1]) != len(parts[0]):
            raise ValueError(
                f"{name} must have {len(parts[0])} partitions, as X has; got {len(parts[-1])}."
            )
    return [dask.delayed(rows) for rows in zip(*parts, strict=True)]


def _whole_rows(name, collection, ndims):
    """The collection, with whole rows in each partition."""
    if not dask.is_dask_collection(collection) or getattr(collection, "ndim", 0) not in ndims:
        raise TypeError(
            f"{name} must be a Dask array or dataframe with {' or '.join(map(str, ndims))} "
            f"dimensions; got {type(collection).__name__}"
            f"{f' with {collection.ndim}' if hasattr(collection, 'ndim') else ''}. Data in "
            "memory are BackpropMLPClassifier's; dask.array.from_array makes them a Dask array."
        )
    if isinstance(collection, da.Array) and collection.ndim == 2:
        return collection.rechunk({1: -1})
    return collection


def _delayed(collection):
    """One delayed object a partition."""
    partitions = collection.to_delayed()
    return partitions.ravel().tolist() if isinstance(collection, da.Array) else list(partitions)


def _unfitted(classifier):
    """What workers need of a classifier to check rows: no parameters of the network."""
    bare = clone(classifier)
    for name in _FEATURES:
        if hasattr(classifier, name):
            setattr(bare, name, getattr(classifier, name))
    return bare


# Passes over the partitions


class Summary(NamedTuple):
    """What the client is told of a partition that has rows."""

    targets: Targets
    dtype: Any
    features: dict


class Checked(NamedTuple):
    """A partition's rows after validation, on a worker."""

    X: Any
    y: Any
    sample_weight: np.ndarray
    features: dict


class Partition(NamedTuple):
    """A partition's rows, ready to be computed on a worker: see ``RowBlocks``."""

    X: Any
    codes: Any
    sample_weight: np.ndarray
    targets: Targets


def _check(client, given, classifier, *, reset):
    """Have the workers check partitions; a pair (future of Checked, Summary) for each with rows."""
    rows = client.compute(given)
    checked = client.map(_check_rows, rows, classifier=classifier, reset=reset, pure=False)
    summaries = client.gather(client.map(_summarise, checked, pure=False))
    pairs = [pair for pair in zip(checked, summaries, strict=True) if pair[1] is not None]
    if not pairs:
        raise ValueError(f"X must have at least one row; got {len(given)} empty partitions.")
    return pairs


def _features(checked):
    """The attributes that describe the features, which all partitions share."""
    first, *others = (summary.features for _, summary in checked)
    for other in others:
        if first.keys() != other.keys() or not all(
            np.array_equal(first[name], other[name]) for name in first
        ):
            raise ValueError(f"Partitions of X must have the same features; got {first}, {other}.")
    return first


# What runs on the workers


def _itself(value):
    return value


def _check_rows(rows, classifier, reset):
    """Validate one partition as the plain classifier would."""
    X, y, sample_weight = rows
    check_consistent_length(X, y, sample_weight)
    if X.shape[0] == 0:
        return None
    # Workers in threads of one process are given the same object.
    seen = copy.copy(classifier)
    X, y = seen._validate_rows(X, y, reset=reset)
    features = {name: getattr(seen, name) for name in _FEATURES if hasattr(seen, name)}
    if sample_weight is None:
        weights = np.ones(X.shape[0])
    else:
        # Unlike those of all rows, the weights of a partition may all be zero.
        weights = check_array(
            sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
        )
        check_non_negative(weights, "`sample_weight`")
    return Checked(X, y, weights, features)


def _summarise(checked):
    if checked is None:
        return None
    return Summary(Targets.of(checked.y), checked.X.dtype, checked.features)


def _encode(checked, targets, dtype):
    X = _aligned(checked.X.astype(dtype, copy=False))
    return Partition(X, targets.codes(checked.y), checked.sample_weight, targets)


def _weigh(partition, class_weight):
    factors = partition.targets.row_factors(class_weight, partition.codes)
    return partition._replace(sample_weight=partition.sample_weight * factors)


def _class_totals(partition):
    return partition.targets.class_totals(partition.codes, partition.sample_weight)


def _size(partition):
    return len(partition.sample_weight), float(partition.sample_weight.sum())


def _smallest_weight(partition):
    weights = partition.sample_weight
    return float(weights.min(initial=np.inf, where=weights > 0.0))


def _sum_over_blocks(partition, function, longest):
    """Sum of ``function(block)`` over a partition's blocks, which bound the memory.

    The function is a partial one, whose arguments are the parameters.
    """
    X, codes, weights, targets = partition
    blocks = RowBlocks(X, codes, weights, targets.encode, longest)
    arguments = map(_aligned, function.args)
    function = partial(function.func, *arguments)
    # The worker's threads take a partition each: one thread for this one.
    with block_map(0.0) as map_blocks, np.errstate(**_LATER):
        return _sum(map_blocks(lambda block: function(block._replace(X=_aligned(block.X))), blocks))


def _aligned(value):
    """An array's copy if it does not lie in memory as NumPy's own arrays do, else the value.

    Arrays that come from another process often do not. NumPy computes with them
    in other ways, slower and with another rounding.
    """
    return np.require(value, requirements="A") if isinstance(value, np.ndarray) else value


def _sum(results):
    return reduce(_add, results)


def _add(a, b):
    """Sum of what a function of blocks returns: numbers, arrays, or tuples of them."""
    if isinstance(a, tuple):
        return tuple(map(_add, a, b))
    return np.add(a, b, dtype=np.float64) if isinstance(a, np.ndarray) else a + b


def _outputs(X, classifier, method, empty):
    """What a method of the classifier returns for one partition."""
    return getattr(classifier, method)(X) if X.shape[0] else empty


def _count_hits(rows, classifier):
    """Weight of the rows that are predicted right, and of all."""
    X, y, sample_weight = rows
    check_consistent_length(X, y, sample_weight)
    if X.shape[0] == 0:
        return 0.0, 0.0
    right = accuracy_score(y, classifier.predict(X), normalize=False, sample_weight=sample_weight)
    return float(right), float(X.shape[0] if sample_weight is None else sample_weight.sum())
