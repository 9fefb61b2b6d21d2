"""Cross-validation over the strength of the penalty, along a path."""

import copy
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.metrics import get_scorer
from sklearn.model_selection import check_cv
from sklearn.utils import Bunch
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, is_multilabel
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from ._base import N_JOBS
from ._classifier import BackpropMLPClassifier
from ._estimator.advice import warn_of_ignored_keywords, warn_of_light_rows
from ._estimator.alpha_path import AlphaPath, Fold
from ._estimator.documentation import DocumentationLinkMixin
from ._estimator.keywords import SCORER_NAME, Matrix, Scoring, Weights
from ._estimator.onnx_protocol import OnnxMixin
from ._estimator.tags import NetworkClassifierMixin
from ._sklearn import (
    CallbackSupportMixin,
    Interval,
    _check_sample_weight,
    _fit_context,
    _raise_for_params,
    _routing_enabled,
    validate_params,
    with_callbacks,
)
from ._training.callbacks import Task
from ._training.interruption import Interruption
from ._training.scoring import score_rows


def _is_refitted(search):
    if not search.refit:
        raise AttributeError("Only a search with refit=True can predict; got refit=False.")
    return True


class BackpropMLPClassifierCV(
    OnnxMixin,
    DocumentationLinkMixin,
    CallbackSupportMixin,
    MetaEstimatorMixin,
    NetworkClassifierMixin,
    BaseEstimator,
):
    """A `BackpropMLPClassifier` that chooses ``alpha`` by cross-validation.

    In every fold one network is trained with the weakest penalty, and then with
    each stronger one in turn, starting from the parameters it has. That takes a
    fraction of the work of `sklearn.model_selection.GridSearchCV`, which starts
    from new weights each time.

    Parameters
    ----------
    estimator : BackpropMLPClassifier, default=None
        Holds all other keywords; it is cloned. ``early_stopping`` must be False:
        it would keep the parameters of the alpha before, which score better
        until the stronger penalty has been followed. None means
        ``BackpropMLPClassifier()``.

    alphas : int or array-like of float, default=10
        The grid, numbers >= 0; an int n stands for n numbers from 0.01 to 100 on
        a logarithmic scale.

    cv : int, cross-validation generator or iterable, default=5
        The folds. An int means stratified folds; see
        `sklearn.model_selection.check_cv`.

    scoring : str, callable or None, default=None
        A scorer's name, or ``scorer(estimator, X, y)``; greater is better. None
        is accuracy. As in `sklearn.linear_model.LogisticRegressionCV`, a metric
        that takes ``labels`` is given all classes, and one that takes
        ``pos_label`` the second of two classes, unless the scorer was made with
        these keywords.

    n_jobs : int or None, default=None
        Number of folds to train in parallel, in threads unless a
        `joblib.parallel_config` context selects another backend. None means 1
        outside such a context; -1 means all processors. The result does not
        depend on it.

    refit : bool, default=True
        Whether to train a new network on all rows with the chosen alpha. Only
        then can the search predict.

    Attributes
    ----------
    alpha_ : float
        The alpha with the highest mean score, the largest of them in case of a tie.

    alphas_ : ndarray of shape (n_alphas,)
        The grid in ascending order, without duplicates.

    scores_ : ndarray of shape (n_alphas, n_folds)
        Scores on the rows that each fold leaves out.

    train_scores_ : ndarray of shape (n_alphas, n_folds)
        Scores on the rows that each fold trains on.

    n_iter_ : ndarray of shape (n_alphas, n_folds)
        Number of iterations of each fit along the paths.

    best_score_ : float
        Mean score of the chosen alpha over the folds.

    best_estimator_ : BackpropMLPClassifier
        Trained on all rows, if ``refit``.

    classes_ : ndarray of shape (n_classes,)
        Sorted labels; for multilabel problems the numbers of the columns.

    n_features_in_ : int
        Number of features seen during `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X had names that are all strings.

    See Also
    --------
    BackpropMLPClassifier : The classifier for one alpha.
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

    A fold may lack a class, in the rows that it trains on or in those that it
    leaves out: a class that its network does not know has probability 0 there.
    A scorer is then given the network with ``classes_`` and probabilities of all
    classes.

    Ctrl-C ends the search. An error in one fold ends the others, those in threads
    at the end of their current iteration. A search that fails leaves the estimator
    as it was. Ctrl-C in the last fit, on all rows, ends that fit alone, as
    `BackpropMLPClassifier` describes.

    With scikit-learn 1.9 or later, ``set_callbacks`` takes scikit-learn's callbacks.
    The subtasks of a fit are "search" and, if ``refit``, "refit"; those of "search"
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
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import ValidationCurveDisplay
    >>> from backprop_mlp import BackpropMLPClassifier, BackpropMLPClassifierCV
    >>> X, y = load_iris(return_X_y=True)
    >>> network = BackpropMLPClassifier(5, "tanh", random_state=0)
    >>> search = BackpropMLPClassifierCV(network, alphas=[0.1, 1.0, 10.0, 100.0]).fit(X, y)
    >>> search.alphas_.size, search.scores_.shape
    (4, (4, 5))
    >>> bool(search.best_score_ > 0.9)
    True

    The picture of a validation curve needs no further training:

    >>> display = ValidationCurveDisplay(
    ...     param_name="alpha",
    ...     param_range=search.alphas_,
    ...     train_scores=search.train_scores_,
    ...     test_scores=search.scores_,
    ...     score_name="Accuracy",
    ... )
    >>> display.plot().ax_.get_xscale()
    'log'
    """

    _parameter_constraints: dict = {
        "estimator": [BackpropMLPClassifier, None],
        "alphas": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "cv": ["cv_object"],
        "scoring": [SCORER_NAME, callable, None],
        "n_jobs": N_JOBS,
        "refit": ["boolean"],
    }
    alpha_: float
    alphas_: np.ndarray
    scores_: np.ndarray
    train_scores_: np.ndarray
    n_iter_: np.ndarray
    best_score_: float
    best_estimator_: BackpropMLPClassifier
    classes_: np.ndarray
    n_features_in_: int
    feature_names_in_: np.ndarray

    def __init__(
        self,
        estimator: BackpropMLPClassifier | None = None,
        *,
        alphas: ArrayLike = 10,
        cv: Any = 5,
        scoring: Scoring = None,
        n_jobs: int | None = None,
        refit: bool = True,
    ):
        self.estimator = estimator
        self.alphas = alphas
        self.cv = cv
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.refit = refit

    def get_metadata_routing(self) -> MetadataRouter:
        """Where metadata go: ``sample_weight`` to `fit`, others to the splitter and the scorer.

        Returns
        -------
        routing : MetadataRouter
            See scikit-learn's user guide on metadata routing.
        """
        return (
            MetadataRouter(owner=type(self).__name__)
            .add_self_request(self)
            .add(
                splitter=check_cv(self.cv),
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
            .add(
                scorer=self._scorer,
                method_mapping=MethodMapping()
                .add(caller="fit", callee="score")
                .add(caller="score", callee="score"),
            )
        )

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Matrix, y: Matrix, sample_weight: Weights = None, **params: Any) -> Self:
        """Choose alpha by cross-validation, and train with it on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels, or a 0/1 matrix for multilabel problems.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights >= 0, in training and in scoring. With metadata routing
            the scorer gets them if it requests them.
        **params : dict
            With metadata routing: further metadata of the splitter and the
            scorer, such as ``groups``.

        Returns
        -------
        self : BackpropMLPClassifierCV
            The fitted search.

        Raises
        ------
        ValueError
            If a parameter or an input is not allowed, or if a score is not a
            number.
        KeyboardInterrupt
            If Ctrl-C comes before alpha is chosen.

        Warns
        -----
        ConvergenceWarning
            If the fit on all rows ended before it converged.
        IgnoredKeywordWarning, StrongPenaltyWarning
            As for `BackpropMLPClassifier.fit`, once per search.
        """
        _raise_for_params(params, self, "fit")
        task = Task.of_search(self, self.estimator, self.refit)
        # Everything is fitted on a copy: a failure leaves this search as it was.
        fitted = copy.copy(self)
        for name in ("best_estimator_", "classes_"):  # of an earlier fit that had refit=True
            fitted.__dict__.pop(name, None)
        fitted._fit(X, y, sample_weight, params, task)
        self.__dict__ = fitted.__dict__
        return self

    def _fit(self, X, y, sample_weight, params, task):
        self.alphas_ = self._grid()
        estimator = clone(BackpropMLPClassifier() if self.estimator is None else self.estimator)
        validate_params(estimator)
        if estimator.early_stopping:
            raise ValueError(
                "early_stopping of the estimator must be False on a path of alphas; got True. "
                "GridSearchCV takes it."
            )
        X, y, sample_weight = self._validate_rows(X, y, sample_weight)
        classes = None if is_multilabel(y) else np.unique(y)
        routed = self._routed("fit", sample_weight, params)
        splits = list(check_cv(self.cv, y, classifier=True).split(X, y, **routed.splitter.split))
        if not splits:
            raise ValueError(f"cv must give at least one fold; got {self.cv!r}.")
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        task.begin(X=X, y=y, metadata=metadata)
        path = AlphaPath(
            estimator,
            self.alphas_,
            X,
            y,
            sample_weight,
            classes,
            self._scorer,
            routed.scorer.score,
        )
        self._choose(path, splits, task)
        if self.refit:
            self.best_estimator_ = estimator.set_params(alpha=self.alpha_)
            with task.fit_of(self.best_estimator_, "refit"):
                self.best_estimator_.fit(X, y, sample_weight)
            self.classes_ = self.best_estimator_.classes_
        else:
            # No fit of this search warns.
            warn_of_ignored_keywords(estimator)
            if sample_weight is not None:
                n_rows = np.count_nonzero(sample_weight)
                warn_of_light_rows(self.alpha_, sample_weight.sum(), n_rows)
        task.end(lambda: vars(self))

    def _validate_rows(self, X, y, sample_weight):
        """Training data, checked; X as it was given if its columns have names."""
        precisions = [np.float64, np.float32]
        checked, y = validate_data(
            self, X, y, accept_sparse="csr", dtype=precisions, multi_output=True
        )
        check_classification_targets(y)
        if not is_multilabel(y):
            y = column_or_1d(y, warn=True)
        if not hasattr(self, "feature_names_in_"):
            X = checked
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, checked, dtype=np.float64, ensure_non_negative=True
            )
        return X, y, sample_weight

    def _choose(self, path, splits, task):
        """Train along the alphas in every fold, note the scores, choose an alpha."""
        whole, tasks = task.paths(len(splits), len(self.alphas_))
        folds = [Fold(train, test, task) for (train, test), task in zip(splits, tasks, strict=True)]
        with whole.whole():
            paths = Interruption().run_all(path, folds, n_jobs=self.n_jobs, prefer="threads")
        self.scores_ = np.column_stack([path.scores for path in paths])
        self.train_scores_ = np.column_stack([path.train_scores for path in paths])
        self.n_iter_ = np.column_stack([path.n_iter for path in paths])
        means = self.scores_.mean(axis=1)
        best = len(means) - 1 - means[::-1].argmax()
        self.alpha_ = float(self.alphas_[best])
        self.best_score_ = float(means[best])

    def _grid(self):
        """The alphas in ascending order."""
        if isinstance(self.alphas, Integral):
            return np.logspace(-2.0, 2.0, int(self.alphas))
        alphas = np.asarray(self.alphas)
        if (
            alphas.ndim != 1
            or alphas.size == 0
            or alphas.dtype.kind not in "iuf"
            or not np.all((alphas >= 0.0) & (alphas < np.inf))
        ):
            raise ValueError(
                f"alphas must be an int > 0 or finite numbers >= 0; got {self.alphas!r}."
            )
        return np.unique(alphas.astype(np.float64))

    @property
    def _scorer(self):
        return get_scorer("accuracy" if self.scoring is None else self.scoring)

    def _routed(self, method, sample_weight, params):
        """The metadata for the splitter and the scorer, with and without metadata routing."""
        given = {} if sample_weight is None else {"sample_weight": sample_weight}
        if _routing_enabled():
            return process_routing(self, method, **given, **params)
        return Bunch(splitter=Bunch(split={}), scorer=Bunch(score=given))

    # Prediction

    @available_if(_is_refitted)
    def predict(self, X: Matrix) -> np.ndarray:
        """The class with the largest logit; for multilabel problems, every label above 0.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            Labels.
        """
        check_is_fitted(self)
        return self.best_estimator_.predict(X)

    @available_if(_is_refitted)
    def predict_proba(self, X: Matrix) -> np.ndarray:
        """Probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        P : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        check_is_fitted(self)
        return self.best_estimator_.predict_proba(X)

    @available_if(_is_refitted)
    def predict_log_proba(self, X: Matrix) -> np.ndarray:
        """Logarithms of the probabilities, always finite.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        log_P : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        check_is_fitted(self)
        return self.best_estimator_.predict_log_proba(X)

    @available_if(_is_refitted)
    def decision_function(self, X: Matrix) -> np.ndarray:
        """Logits of the output units.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        z : ndarray of shape (n_samples,) for two classes, else (n_samples, n_outputs)
            Log-odds of the second class, or one column per class or label.
        """
        check_is_fitted(self)
        return self.best_estimator_.decision_function(X)

    @available_if(_is_refitted)
    def score(self, X: Matrix, y: Matrix, sample_weight: Weights = None, **params: Any) -> float:
        """The score of the predictions by ``scoring``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights.
        **params : dict
            With metadata routing: further metadata of the scorer.

        Returns
        -------
        score : float
            Greater is better.
        """
        _raise_for_params(params, self, "score")
        check_is_fitted(self)
        routed = self._routed("score", sample_weight, params)
        classes = None if is_multilabel(y) else self.classes_
        return score_rows(self._scorer, self.best_estimator_, X, y, classes, routed.scorer.score)
