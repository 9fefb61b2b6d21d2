"""What the networks share, whatever they predict: keywords of training, and looking inside."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from ._estimator.assembly import ACTIVATION_NAMES, SOLVERS, open_objective
from ._estimator.documentation import DocumentationLinkMixin
from ._estimator.fitted import Predictor, fitted_network
from ._estimator.keywords import Matrix, Weights
from ._estimator.pose import pose_fitted
from ._estimator.rows import check_rows
from ._estimator.summary import NetworkSummary, summarise
from ._estimator.thetas import as_thetas
from ._network.activations import ACTIVATIONS
from ._numbers import MAX_COUNT
from ._onnx.protocol import OnnxMixin
from ._sklearn import CallbackSupportMixin, Interval, NamedOptions, Options, StrOptions
from .initializers import INITIALIZERS
from .schedules import NAMES as SCHEDULES

N_JOBS = [
    Interval(Integral, None, -1, closed="right"),
    Interval(Integral, 1, MAX_COUNT, closed="both"),
    None,
]
"""What ``n_jobs`` may be: 0 has no meaning."""


class BackpropMLP(OnnxMixin, DocumentationLinkMixin, CallbackSupportMixin, BaseEstimator):
    """A network trained by backpropagation; see its subclasses."""

    _parameter_constraints: dict = {
        "hidden_layer_sizes": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "activation": [
            NamedOptions(set(ACTIVATIONS), f"a str among {ACTIVATION_NAMES}"),
            "array-like",
        ],
        "solver": [StrOptions(set(SOLVERS))],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "initializer": [StrOptions({"auto", *INITIALIZERS}), callable],
        "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
        "batch_norm": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions(set(SCHEDULES)), callable],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "shuffle": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "max_grad_norm": [Interval(Real, 0, None, closed="neither"), None],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
        "n_init": [Interval(Integral, 1, MAX_COUNT, closed="both")],
        "n_jobs": N_JOBS,
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    coefs_: list[np.ndarray]
    intercepts_: list[np.ndarray]
    loss_: float
    loss_curve_: list[float]
    # Some fits have None; Any, so that type checkers let code that knows its fit use them.
    best_loss_: float | Any
    validation_scores_: list[float] | Any
    validation_loss_curve_: list[float] | Any
    best_validation_score_: float | Any
    n_iter_: int
    n_fun_: int
    t_: int
    converged_: bool
    n_layers_: int
    n_outputs_: int
    out_activation_: str
    n_features_in_: int
    feature_names_in_: np.ndarray

    @property
    def thetas_(self) -> list[np.ndarray]:
        """Parameters of each layer, of shape (n_out, 1 + n_in), biases first."""
        return as_thetas(fitted_network(self).dense)

    def summary(self) -> NetworkSummary:
        """The layers with their shapes, activation functions and numbers of parameters.

        Returns
        -------
        summary : NetworkSummary
            Printed, a table. ``layers`` holds the same as attributes, and ``n_params``
            is the number of all weights and biases.

        Raises
        ------
        NotFittedError
            If there is no fitted network.

        Examples
        --------
        >>> import numpy as np
        >>> from backprop_mlp import BackpropMLPClassifier
        >>> thetas = [np.ones((25, 401)), np.ones((10, 26))]
        >>> BackpropMLPClassifier.from_thetas(thetas, activation="logistic").summary()
        layer     inputs  units  activation  parameters
        hidden 1     400     25  logistic        10,025
        output        25     10  logistic           260
        total                                    10,285
        """
        return summarise(self)

    def activations(self, X: Matrix) -> list:
        """Activations of every layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        activations : list of {ndarray, sparse matrix} of shape (n_samples, n_units)
            ``n_layers_`` entries: X itself, the hidden layers, and the outputs
            h (for three or more classes with logistic outputs these are not
            yet divided by their sum).

        Raises
        ------
        NotFittedError
            If there is no fitted network.
        ValueError
            If X is not allowed.
        FloatingPointError
            If the outputs overflow.
        """
        fitted = fitted_network(self)
        return fitted.activations(check_rows(self, X))

    def cost(self, X: Matrix, y: Matrix, sample_weight: Weights = None) -> float:
        """J at the fitted parameters, penalty included.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            As in training: labels that are known from there, or numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights, which the fitted class weights of a classifier multiply. With a
            full-batch solver and no rows held out, the cost on the training data is
            ``loss_``.

        Returns
        -------
        J : float
            The cost, with the m of the given rows.

        Raises
        ------
        NotFittedError
            If there is no fitted network.
        ValueError
            If an input is not allowed, such as a label that is not known from training.
        FloatingPointError
            If the cost overflows.
        """
        problem, theta = pose_fitted(self, X, y, sample_weight)
        with open_objective(problem, self.alpha) as objective:
            return objective.finite_value(theta)

    def cost_gradient(
        self, X: Matrix, y: Matrix, sample_weight: Weights = None
    ) -> tuple[float, list[np.ndarray]]:
        """J and its gradient at the fitted parameters: the exercise's nnCostFunction.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            As in training: labels that are known from there, or numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights, which the fitted class weights of a classifier multiply.

        Returns
        -------
        J : float
            The cost, with the m of the given rows.
        gradients : list of ndarray of shape (n_out, 1 + n_in), float64
            Derivatives dJ / dtheta, laid out as ``thetas_``.

        Raises
        ------
        NotFittedError
            If there is no fitted network.
        ValueError
            If an input is not allowed, such as a label that is not known from training.
        FloatingPointError
            If the cost overflows.
        """
        problem, theta = pose_fitted(self, X, y, sample_weight)
        with open_objective(problem, self.alpha) as objective:
            cost, grad = objective.finite_value_and_grad(theta)
        return cost, as_thetas(problem.network.dense_views(grad))

    def _predictor(self) -> Predictor:
        return fitted_network(self)

    # What tells a classifier from a regressor in training

    def _targets_of(self, y):
        """The `Targets` that validated y of all rows poses."""
        raise NotImplementedError

    def _chunk_targets(self, y, classes, before):
        """The `Targets` of a call of ``partial_fit``, from those of the first call or None."""
        raise NotImplementedError

    def _loss_for(self, targets):
        """The loss that the keywords choose."""
        raise NotImplementedError

    def _class_weights(self, targets, totals):
        """As `ClassTargets.class_weights` returns them; None for numbers."""
        raise NotImplementedError

    def _adopt_targets(self, targets, trained_output):
        """Set the attributes that `_fitted_task` reads, and the output layer of training."""
        raise NotImplementedError

    def _fitted_task(self):
        """Loss and `Targets` of the last fit."""
        raise NotImplementedError
