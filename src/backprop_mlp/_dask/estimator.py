"""What Dask's classifier and regressor share: training, attributes, lazy predictions, the cost."""

import copy
from typing import Any, Self

import dask
import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._estimator.adoption import adopt_best, earlier_training
from .._estimator.assembly import open_objective
from .._estimator.documentation import DocumentationLinkMixin
from .._estimator.fit_warnings import warn_before
from .._estimator.rows import errors_of_validation_rows
from .._estimator.thetas import as_thetas
from .._estimator.training import train_estimator
from .._sklearn import CallbackSupportMixin, validate_params, with_callbacks
from .._training.callbacks import CallbackTask
from .collections import check_client, check_features, delayed_rows, one_column
from .pose import check_supported, pose, pose_fitted
from .prediction import copy_for_workers, predict_lazily


class DaskNetwork(DocumentationLinkMixin, CallbackSupportMixin, MetaEstimatorMixin, BaseEstimator):
    """A network that is trained on the partitions of Dask collections; see its subclasses."""

    estimator: Any
    client: Any
    estimator_: Any

    def __getstate__(self):
        # A client is a connection and can't be copied.
        return {**super().__getstate__(), "client": None}

    def __sklearn_clone__(self):
        twin = super(DaskNetwork, copy.copy(self)).__sklearn_clone__()
        twin.client = self.client
        return twin

    def _default_estimator(self):
        """The network for ``estimator=None``."""
        raise NotImplementedError

    def _fit(self, X, y, sample_weight, X_val, y_val, sample_weight_val) -> Self:
        """Train the network, as `fit` of the subclasses says."""
        estimator = self._default_estimator() if self.estimator is None else self.estimator
        task = CallbackTask.of_meta_estimator(self, estimator, max_subtasks=1)
        earlier = None
        # Of a clone: the user's RandomState stays as it is.
        local = copy_for_workers(clone(estimator))
        if estimator.warm_start and hasattr(self, "estimator_"):
            local = copy.copy(self.estimator_).set_params(**local.get_params())
            earlier = earlier_training(local)
        validate_params(local)
        check_supported(local, X_val, y_val, sample_weight_val)
        client = check_client(self.client)
        given = delayed_rows(X, one_column(y), sample_weight)
        check_features(local, X, reset=earlier is None)
        given_val = None
        if X_val is not None:
            with errors_of_validation_rows():
                given_val = delayed_rows(X_val, one_column(y_val, "y_val"), sample_weight_val)
                check_features(local, X_val)
        problem = pose(client, local, given, given_val, earlier)
        warn_before(local, problem, earlier)
        task.begin_fit(X, y, sample_weight)
        with task.fit_of(estimator, "fit"):
            _train(estimator, local, problem, earlier, (X, y, sample_weight))
        self.estimator_ = local
        task.end(lambda: vars(self))
        return self

    def __getattr__(self, name):
        """A fitted attribute of ``estimator_``, such as ``coefs_`` or ``loss_curve_``."""
        if _is_fitted_attribute(name) and "estimator_" in vars(self):
            return getattr(self.estimator_, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name, value):
        """Assign to ``estimator_`` what is read from it."""
        fitted = _is_fitted_attribute(name) and name != "estimator_"
        if fitted and "estimator_" in vars(self):
            # A copy of this object may have the same network.
            self.estimator_ = copy.copy(self.estimator_)
            setattr(self.estimator_, name, value)
        else:
            super().__setattr__(name, value)

    def __delattr__(self, name):
        """Delete from ``estimator_`` what is read from it."""
        if name in vars(self) or "estimator_" not in vars(self):
            super().__delattr__(name)
        else:
            self.estimator_ = copy.copy(self.estimator_)
            delattr(self.estimator_, name)

    def __dir__(self):
        fitted = dir(self.estimator_) if "estimator_" in vars(self) else ()
        return {*super().__dir__(), *filter(_is_fitted_attribute, fitted)}

    def _lazily(self, method, X):
        """What a method of the fitted network returns, computed when it is asked for."""
        check_is_fitted(self)
        if not dask.is_dask_collection(X):
            return getattr(self.estimator_, method)(X)
        return predict_lazily(self.estimator_, method, X)

    # The cost

    def cost(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """J at the fitted parameters, penalty included.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Input data.
        y : dask.array.Array, dask.dataframe.Series or DataFrame of shape (n_samples,) or \
                (n_samples, n_outputs)
            As in training.
        sample_weight : dask.array.Array or Series of shape (n_samples,), default=None
            Row weights, which the fitted class weights of a classifier multiply.

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
                (n_samples, n_outputs)
            As in training.
        sample_weight : dask.array.Array or Series of shape (n_samples,), default=None
            Row weights, which the fitted class weights of a classifier multiply.

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
        given = delayed_rows(X, one_column(y), sample_weight)
        check_features(self.estimator_, X)
        return pose_fitted(check_client(self.client), self.estimator_, given)


def _is_fitted_attribute(name):
    return name.endswith("_") and not name.startswith("_")


@with_callbacks
def _train(estimator, local, problem, earlier, given):
    """Train a network, and call the callbacks that are set on an estimator.

    Parameters
    ----------
    estimator : BackpropMLP
        The one that the user gave.
    local : BackpropMLP
        Its copy, which is trained.
    problem : Problem
    earlier : Earlier or None
    given : tuple of X, y and sample_weight
        For the hooks, as the user gave them.
    """
    n_starts = local.n_init if earlier is None else 1
    task = CallbackTask.of_call(estimator, "fit", n_starts, local.max_iter)
    task.begin_fit(*given)
    rng = check_random_state(local.random_state)
    outcomes = train_estimator(local, problem, earlier, rng, task, n_starts)
    adopt_best(local, outcomes, problem, earlier)
    task.end(lambda: vars(local))
