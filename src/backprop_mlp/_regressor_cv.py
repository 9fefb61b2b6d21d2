"""Cross-validation over the strength of a regressor's penalty, along a path."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import make_scorer

from ._base_cv import AlphaSearch
from ._estimator.keywords import REGRESSION_SCORING, Matrix, RandomState, Scoring, Weights
from ._estimator.tasks import NumberPredictions
from ._regressor import BackpropMLPRegressor
from ._search.averaging import can_predict
from ._search.held_out import HeldOutNumbers
from ._sklearn import _fit_context, available_if, with_callbacks
from ._training.scoring import r2


class BackpropMLPRegressorCV(NumberPredictions, AlphaSearch):
    """A `BackpropMLPRegressor` that chooses ``alpha`` by cross-validation.

    It can also predict by the mean of the folds' networks, which are better together than one
    network trained on all rows. In every fold one network is trained with the weakest
    penalty, and then with each stronger one in turn, starting from the parameters it has.

    Parameters
    ----------
    estimator : BackpropMLPRegressor, default=None
        Holds all other keywords; it is cloned. ``early_stopping`` must be False: it
        would keep the parameters of the alpha before, which score better until the
        stronger penalty has been followed. So ``validation_fraction`` is not read, nor
        is ``alpha``. None means ``BackpropMLPRegressor()``. The lines that
        it prints with ``verbose=True`` name the fold and the alpha.

    alphas : "auto", int or array-like of float, default="auto"
        The grid, numbers >= 0; an int n stands for n numbers from 0.01 to 100 on
        a logarithmic scale. "auto" begins with 1, the root of 10, and 10, and goes on in
        such steps from the end at which the best alpha lies until it lies inside, at
        least from 0.01 and at most to 1000; with a ``scoring`` other than the loss
        it is 7 numbers from 0.1 to 100.

    cv : int, cross-validation generator or iterable, default=5
        The folds. An int means folds of rows as they follow each other, which
        ``random_state`` shuffles; see `sklearn.model_selection.check_cv`.

    scoring : str, callable or None, default=None
        None and "loss" choose the alpha with the lowest mean loss of the predictions
        over the held-out rows of all folds together, summed over the outputs, each in
        units of its standard deviation over all rows (not with a log link). Row weights
        count, the penalty does not. All else is a scorer's name, or
        ``scorer(estimator, X, y)``; greater is better, and the mean over the folds
        chooses.

    n_jobs : int or None, default=None
        Number of folds to train in parallel, in threads unless a
        `joblib.parallel_config` context selects another backend. None means 1
        outside such a context; -1 means all processors. The result does not
        depend on it. Threads share Python's interpreter: small networks gain little.

    refit : bool or "folds", default=True
        True trains a new network on all rows with the chosen alpha: one network, with
        ``coefs_`` of its own, at the price of one more fit. "folds" trains nothing more: it
        keeps the folds' networks at the chosen alpha and at the next weaker one of the
        grid, and averages their predictions; the weaker one is left out where the mean of
        both has a held-out loss more than 5 % above that of the chosen one alone. With False
        the search can't predict.

    random_state : int, RandomState instance or None, default=None
        Shuffles the folds if ``cv`` is an int, and gives the network of each fold, and the
        one of ``refit=True``, a start of its own. None leaves the rows in their order and
        every start to the ``random_state`` of the estimator.

    Attributes
    ----------
    alpha_ : float
        The alpha with the highest score, the largest of them in case of a tie.

    alphas_ : ndarray of shape (n_alphas,)
        The grid in ascending order, without duplicates.

    scores_ : ndarray of shape (n_alphas, n_folds)
        Scores on the rows that each fold leaves out; by default minus their mean loss.
        nan for a fold whose rows have no weight, which does not count; minus infinity where
        the network overflows in a row with weight.

    train_scores_ : ndarray of shape (n_alphas, n_folds)
        Scores on the rows that each fold trains on.

    n_iter_ : ndarray of shape (n_alphas, n_folds)
        Number of iterations of each fit along the paths.

    best_score_ : float
        Score of the chosen alpha: the mean over the folds, by default over their rows.

    best_estimator_ : BackpropMLPRegressor
        Trained on all rows, if ``refit=True``.

    estimators_ : list of BackpropMLPRegressor
        Fold by fold, the weaker alpha first, if ``refit="folds"``.

    oof_prediction_ : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Out-of-fold predictions of the training rows, by the networks at ``alpha_`` (with
        ``refit="folds"`` the mean with those at the next weaker alpha, if kept) of the fold that
        leaves the row out: the mean of them if there are several, nan if there is none.

    y_mean_, y_scale_ : ndarray of shape (n_outputs,)
        The units in which the loss is held out; each fold's network has its own.

    n_features_in_ : int
        Number of features seen during `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X had names that are all strings.

    See Also
    --------
    BackpropMLPRegressor : The regressor for one alpha.
    sklearn.model_selection.GridSearchCV : Searches over any parameters.
    sklearn.model_selection.ValidationCurveDisplay : Draws the scores over the alphas.

    Notes
    -----
    The path leads from weak to strong penalties because the way back is closed: a
    strong penalty removes hidden units, whose incoming and outgoing weights both
    become zero. There the gradient is zero, too, so these units stay removed
    however weak the penalty becomes (Lemhadri et al. [1]_ go from dense to sparse
    for the same reason).

    The first fit of a path has at most ``max_iter`` iterations. The others start
    near their minimum and have at most a third of it for each factor of ten between
    the alphas, so that a fine grid takes no more work than a coarse one. They may
    end before they converge; only the fit on all rows warns of that.

    `score` is R2 with ``scoring=None``, and with "loss" minus the mean loss.

    With ``refit="folds"`` a prediction costs as many networks' memory and time as
    ``estimators_`` has: up to 10 with 5 folds. During the search the networks of all alphas and
    folds are kept, and their predictions of the rows that they leave out.

    Ctrl-C ends the search. An error in one fold ends the others, those in threads
    at the end of their current iteration. A search that fails leaves the estimator
    as it was. Ctrl-C in the last fit, on all rows, ends that fit alone, as
    `BackpropMLPRegressor` describes.

    With scikit-learn 1.9 or later, ``set_callbacks`` takes scikit-learn's callbacks.
    The subtasks of a fit are "search", with ``alphas="auto"`` once more for every alpha
    beyond the first three, and with ``refit=True`` "refit"; those of "search"
    are the folds, and those of a fold its fits, one per alpha. As in
    `sklearn.model_selection.GridSearchCV`, callbacks that are propagated, such as
    progress bars, belong on the search, and others may be set on ``estimator``.

    Each fold that is being trained holds a copy of its rows, as in every search
    of scikit-learn.

    References
    ----------
    .. [1] I. Lemhadri, F. Ruan, L. Abraham, R. Tibshirani, "LassoNet: A neural
           network with feature sparsity", Journal of Machine Learning Research
           22 (2021), section 3.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from backprop_mlp import BackpropMLPRegressor, BackpropMLPRegressorCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> network = BackpropMLPRegressor(5, "tanh", random_state=0)
    >>> search = BackpropMLPRegressorCV(network, cv=3, refit="folds", random_state=0)
    >>> bool(search.fit(scale(X), y).alpha_ >= 1.0)
    True
    >>> bool(search.score(scale(X), y) > 0.5)
    True
    """

    _parameter_constraints: dict = {
        **AlphaSearch._parameter_constraints,
        "estimator": [BackpropMLPRegressor, None],
        "scoring": [REGRESSION_SCORING, callable, None],
    }
    best_estimator_: BackpropMLPRegressor
    estimators_: list[BackpropMLPRegressor]
    oof_prediction_: np.ndarray
    y_mean_: np.ndarray
    y_scale_: np.ndarray

    def __init__(
        self,
        estimator: BackpropMLPRegressor | None = None,
        *,
        alphas: ArrayLike | Literal["auto"] = "auto",
        cv: Any = 5,
        scoring: Scoring = None,
        n_jobs: int | None = None,
        refit: bool | Literal["folds"] = True,
        random_state: RandomState = None,
    ):
        self.estimator = estimator
        self.alphas = alphas
        self.cv = cv
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.refit = refit
        self.random_state = random_state

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Matrix, y: Matrix, sample_weight: Weights = None, **params: Any) -> Self:
        """Choose alpha by cross-validation; train on all rows, or keep the folds' networks.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers to be predicted.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights >= 0, in training and in scoring. With metadata routing
            the scorer gets them if it requests them.
        **params : dict
            With metadata routing: further metadata of the splitter and the
            scorer, such as ``groups``.

        Returns
        -------
        self : BackpropMLPRegressorCV
            The fitted search.

        Raises
        ------
        ValueError
            If a parameter or an input is not allowed, or if a score is not a
            number.
        FloatingPointError
            If the numbers overflow in training, or for every alpha in rows that a fold
            leaves out.
        KeyboardInterrupt
            If Ctrl-C comes before alpha is chosen.

        Warns
        -----
        ConvergenceWarning
            If the fit on all rows ended before it converged.
        IgnoredKeywordWarning, StrongPenaltyWarning
            As for `BackpropMLPRegressor.fit`, once per search.
        UserWarning
            If y is a column (a DataConversionWarning); if most of y is too crowded for a robust
            loss.
        """
        return self._search(X, y, sample_weight, params)

    # A search that has kept no network does not predict.
    predict = available_if(can_predict)(NumberPredictions.predict)

    @available_if(can_predict)
    def score(self, X: Matrix, y: Matrix, sample_weight: Weights = None, **params: Any) -> float:
        """The score of the predictions by ``scoring``; None is R2.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights.
        **params : dict
            With metadata routing: further metadata of the scorer.

        Returns
        -------
        score : float
            Greater is better.
        """
        return self._score(X, y, sample_weight, params)

    # What a regressor is to a search

    _HELD_OUT_LOSS = "loss"
    _DEFAULT_SCORER = make_scorer(r2)
    _OUT_OF_FOLD = "oof_prediction_"

    def _default_estimator(self):
        return BackpropMLPRegressor()

    def _adopt_targets(self, targets):
        self.y_mean_, self.y_scale_ = targets.mean, targets.scale

    def _held_out_of(self, targets) -> HeldOutNumbers:
        return HeldOutNumbers(replace(targets, mean=self.y_mean_, scale=self.y_scale_))
