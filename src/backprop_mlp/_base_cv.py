"""What the searches over alpha share: paths in folds, a choice, a network or an average."""

from __future__ import annotations

import copy
from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.metrics import get_scorer
from sklearn.model_selection import check_cv
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted, validate_data

from ._base import N_JOBS
from ._estimator.advice import warn_of_ignored_keywords, warn_of_light_rows
from ._estimator.alpha_grid import fixed_grid
from ._estimator.alpha_path import AlphaPath
from ._estimator.alpha_search import choose_alpha
from ._estimator.documentation import DocumentationLinkMixin
from ._estimator.held_out import mean_loss, out_of_fold
from ._estimator.onnx_protocol import OnnxMixin
from ._estimator.seeds import MAX_SEED, draw_seeds
from ._sklearn import (
    CallbackSupportMixin,
    Interval,
    StrOptions,
    _check_sample_weight,
    _raise_for_params,
    _routing_enabled,
    validate_params,
)
from ._training.callbacks import Task
from ._training.scoring import score_rows


def can_predict(search):
    """Whether a search keeps networks to predict with; an error with the reason if not."""
    if not search.refit:
        raise AttributeError(
            "Only a search with refit=True or refit='folds' can predict; got refit=False."
        )
    return True


class AlphaSearch(
    OnnxMixin, DocumentationLinkMixin, CallbackSupportMixin, MetaEstimatorMixin, BaseEstimator
):
    """An estimator that chooses ``alpha`` by cross-validation; see its subclasses."""

    _parameter_constraints: dict = {
        "alphas": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left"), "array-like"],
        "cv": ["cv_object"],
        "n_jobs": N_JOBS,
        "refit": ["boolean", StrOptions({"folds"})],
        "random_state": ["random_state"],
    }
    alpha_: float
    alphas_: np.ndarray
    scores_: np.ndarray
    train_scores_: np.ndarray
    n_iter_: np.ndarray
    best_score_: float
    n_features_in_: int
    feature_names_in_: np.ndarray
    estimator: Any
    alphas: Any
    cv: Any
    scoring: Any
    n_jobs: Any
    refit: Any
    random_state: Any
    best_estimator_: Any
    estimators_: list

    _OF_OTHER_FITS: tuple[str, ...] = ("best_estimator_", "estimators_")
    """Fitted attributes that not every fit sets."""

    _HELD_OUT_LOSS: str
    """Name of the scoring by which the held-out loss chooses, as None does."""

    _DEFAULT_SCORER: str
    """What `score` uses where the held-out loss chooses."""

    _OUT_OF_FOLD: str
    """Attribute of the out-of-fold outputs."""

    def get_metadata_routing(self) -> MetadataRouter:
        """Where metadata go: ``sample_weight`` to `fit`, others to the splitter and the scorer.

        Returns
        -------
        routing : MetadataRouter
            See scikit-learn's user guide on metadata routing.
        """
        scored = MethodMapping().add(caller="score", callee="score")
        if not self._by_loss:  # which takes the row weights of `fit` itself
            scored = scored.add(caller="fit", callee="score")
        return (
            MetadataRouter(owner=type(self).__name__)
            .add_self_request(self)
            .add(
                splitter=check_cv(self.cv),
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
            .add(scorer=self._scorer, method_mapping=scored)
        )

    def _search(self, X, y, sample_weight, params) -> Self:
        """Choose alpha, as `fit` of the subclasses says."""
        _raise_for_params(params, self, "fit")
        walks_on = isinstance(self.alphas, str) and self._by_loss
        refits = bool(self.refit) and not self._averages
        task = Task.of_search(self, self.estimator, refits, None if walks_on else 1)
        # Everything is fitted on a copy: a failure leaves this search as it was.
        fitted = copy.copy(self)
        for name in self._OF_OTHER_FITS:
            fitted.__dict__.pop(name, None)
        fitted._fit(X, y, sample_weight, params, task)
        self.__dict__ = fitted.__dict__
        return self

    def _fit(self, X, y, sample_weight, params, task):
        grid = fixed_grid(self.alphas, self._by_loss)
        estimator = clone(self._default_estimator() if self.estimator is None else self.estimator)
        validate_params(estimator)
        if estimator.early_stopping:
            raise ValueError(
                "early_stopping of the estimator must be False on a path of alphas; got True. "
                "GridSearchCV takes it."
            )
        X, y, sample_weight = self._validate_rows(X, y, sample_weight)
        classes = self._classes_of(y)
        held_out = self._held_out_of(estimator, y, sample_weight)
        routed = self._routed("fit", sample_weight, params)
        rng = None if self.random_state is None else check_random_state(self.random_state)
        splits = list(self._splitter(y, rng).split(X, y, **routed.splitter.split))
        if not splits:
            raise ValueError(f"cv must give at least one fold; got {self.cv!r}.")
        seeds = draw_seeds(rng, len(splits) + 1)
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        task.begin(X=X, y=y, metadata=metadata)
        path = AlphaPath(
            estimator,
            X,
            y,
            sample_weight,
            classes,
            held_out,
            None if self._by_loss else self._scorer,
            {} if self._by_loss else routed.scorer.score,
        )
        choice = choose_alpha(path, grid, splits, seeds[1:], task, self.n_jobs)
        self._adopt(choice, splits, len(y))
        if self.refit and not self._averages:
            self._refit(estimator, seeds[0], X, y, sample_weight, task)
        else:
            # No fit of this search warns.
            warn_of_ignored_keywords(estimator)
            if sample_weight is not None:
                n_rows = np.count_nonzero(sample_weight)
                warn_of_light_rows(self.alpha_, sample_weight.sum(), n_rows)
        if self._averages:
            self.estimators_ = choice.networks()
            self._adopt_averaged(y)
        task.end(lambda: vars(self))

    def _splitter(self, y, rng):
        """What splits the rows into folds."""
        cv = check_cv(self.cv, y, classifier=is_classifier(self))
        if rng is None or not isinstance(self.cv, Integral):
            return cv
        return type(cv)(cv.n_splits, shuffle=True, random_state=rng.randint(MAX_SEED))

    def _adopt(self, choice, splits, n_rows):
        """Set the attributes that tell of the choice."""
        self.alphas_ = choice.alphas
        self.scores_ = choice.table("score")
        self.train_scores_ = choice.table("train_score")
        self.n_iter_ = choice.table("n_iter")
        self.alpha_ = float(choice.alphas[choice.best])
        self.best_score_ = float(choice.means[choice.best])
        kept = choice.averaged if self._averages else [choice.best]
        tests = [test for _, test in splits]
        setattr(self, self._OUT_OF_FOLD, out_of_fold(n_rows, tests, choice.outputs(kept)))

    def _refit(self, estimator, seed, X, y, sample_weight, task):
        """Train on all rows with the chosen alpha."""
        self.best_estimator_ = estimator.set_params(alpha=self.alpha_)
        if seed is not None:
            estimator.set_params(random_state=seed)
        with task.fit_of(estimator, "refit"):
            estimator.fit(X, y, sample_weight)
        self._adopt_refitted()

    def _validate_rows(self, X, y, sample_weight):
        """Training data, checked; X as it was given if its columns have names."""
        precisions = [np.float64, np.float32]
        checked, y = validate_data(
            self, X, y, accept_sparse="csr", dtype=precisions, multi_output=True
        )
        y = self._check_y(y)
        if not hasattr(self, "feature_names_in_"):
            X = checked
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, checked, dtype=np.float64, ensure_non_negative=True
            )
        return X, y, sample_weight

    @property
    def _averages(self):
        """Whether the networks of the folds are kept, instead of a new one."""
        return isinstance(self.refit, str)

    @property
    def _by_loss(self):
        """Whether the held-out loss chooses."""
        by_name = isinstance(self.scoring, str) and self.scoring == self._HELD_OUT_LOSS
        return self.scoring is None or by_name

    @property
    def _scorer(self):
        """What `score` uses, and unless the held-out loss chooses, `fit`."""
        return get_scorer(self._DEFAULT_SCORER if self._by_loss else self.scoring)

    def _routed(self, method, sample_weight, params):
        """The metadata for the splitter and the scorer, with and without metadata routing."""
        given = {} if sample_weight is None else {"sample_weight": sample_weight}
        if _routing_enabled():
            return process_routing(self, method, **given, **params)
        return Bunch(splitter=Bunch(split={}), scorer=Bunch(score=given))

    def _score(self, X, y, sample_weight, params):
        """The score of the predictions, as `score` of the subclasses says."""
        _raise_for_params(params, self, "score")
        check_is_fitted(self)
        if self.scoring is not None and self._by_loss:
            held_out = self._held_out_fitted(y)
            losses = held_out.row_losses(y, held_out.outputs(self, X))
            return -mean_loss(losses, sample_weight)
        routed = self._routed("score", sample_weight, params)
        # A scorer may read what it was given a network for, such as ``coefs_``.
        judged = self if self._averages else self.best_estimator_
        return score_rows(
            self._scorer, judged, X, y, self._classes_of(y, fitted=True), routed.scorer.score
        )

    # What tells the searches apart

    def _default_estimator(self):
        """The network for ``estimator=None``."""
        raise NotImplementedError

    def _check_y(self, y):
        """Validated y of the training rows."""
        raise NotImplementedError

    def _classes_of(self, y, fitted=False):
        """Sorted labels of exclusive classes, of y or those of the last fit; else None."""
        raise NotImplementedError

    def _held_out_of(self, estimator, y, sample_weight):
        """What networks say of rows that they do not train on, and what that costs."""
        raise NotImplementedError

    def _held_out_fitted(self, y):
        """The same of the last fit, for rows that may lack classes."""
        raise NotImplementedError

    def _adopt_averaged(self, y):
        """Set what `predict` needs next to ``estimators_``."""
        raise NotImplementedError

    def _adopt_refitted(self):
        """Set what `predict` needs next to ``best_estimator_``."""
        raise NotImplementedError
