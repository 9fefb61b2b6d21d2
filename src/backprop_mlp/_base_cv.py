"""What the searches over alpha share: paths in folds, a choice, a network or an average."""

from __future__ import annotations

from copy import deepcopy
from functools import partial
from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.metrics import get_scorer
from sklearn.model_selection import check_cv
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from ._base import N_JOBS
from ._estimator.adoption import fitted_twin
from ._estimator.documentation import DocumentationLinkMixin
from ._estimator.fit_warnings import warn_of_a_crowded_y, warn_of_folds
from ._estimator.fitted import Predictor
from ._estimator.rows import check_rows, row_weights
from ._estimator.seeds import MAX_SEED, draw_seeds, drawn_again_after_failure
from ._numbers import MAX_COUNT
from ._onnx.protocol import OnnxMixin
from ._search.alpha_grid import fixed_grid
from ._search.alpha_path import AlphaPath, check_estimator_of_path
from ._search.alpha_search import choose_alpha
from ._search.averaging import keeps_average, networks_of
from ._search.folds import check_n_folds, pairs_of, rows_of_folds
from ._search.held_out import HeldOut, are_constant, mean_loss, measure_columns, out_of_fold
from ._sklearn import (
    CallbackSupportMixin,
    Interval,
    StrOptions,
    _raise_for_params,
    _routing_enabled,
)
from ._targets.class_weight import weigh_rows
from ._targets.continuous import as_numbers
from ._training.baseline import baseline_of_numbers
from ._training.callbacks import CallbackTask
from ._training.scoring import check_scorer, score_rows
from ._training.search_fit import SearchFit, fit_for_search


class AlphaSearch(
    OnnxMixin, DocumentationLinkMixin, CallbackSupportMixin, MetaEstimatorMixin, BaseEstimator
):
    """An estimator that chooses ``alpha`` by cross-validation; see its subclasses."""

    _parameter_constraints: dict = {
        "alphas": [
            StrOptions({"auto"}),
            Interval(Integral, 1, MAX_COUNT, closed="both"),
            "array-like",
        ],
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
    random_state: Any = None  # files of 0.1.0 do not have it
    best_estimator_: Any
    estimators_: list

    _OF_OTHER_FITS: tuple[str, ...] = ("best_estimator_", "estimators_")
    """Fitted attributes that not every fit sets."""

    _HELD_OUT_LOSS: str
    """Name of the scoring by which the held-out loss chooses, as None does."""

    _DEFAULT_SCORER: Any
    """Name or scorer: what `score` uses where the held-out loss chooses."""

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
                splitter=self.cv,  # as it is: to look into a generator would use it up
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
            .add(scorer=self._scorer, method_mapping=scored)
        )

    def _search(self, X, y, sample_weight, params) -> Self:
        """Choose alpha, as `fit` of the subclasses says."""
        _raise_for_params(params, self, "fit")
        # How often it walks along all paths then is for the losses to say.
        walks_on = isinstance(self.alphas, str) and self._by_loss
        max_subtasks = None if walks_on else 1 + self._refits
        task = CallbackTask.of_meta_estimator(self, self.estimator, max_subtasks)
        # Everything is fitted on a copy: a failure leaves this search as it was.
        fitted = fitted_twin(self)
        for name in self._OF_OTHER_FITS:
            fitted.__dict__.pop(name, None)
        with drawn_again_after_failure(self.random_state):
            fitted._fit(X, y, sample_weight, params, task)
        self.__dict__ = fitted.__dict__
        return self

    def _fit(self, X, y, sample_weight, params, task):
        grid = fixed_grid(self.alphas, self._by_loss)
        estimator = clone(self._default_estimator() if self.estimator is None else self.estimator)
        check_estimator_of_path(estimator)
        X, y, sample_weight = self._validate_rows(X, y, sample_weight)
        targets, codes, weights = self._pose(estimator, y, sample_weight)
        routed = self._routed("fit", sample_weight, params)
        rng = None if self.random_state is None else check_random_state(self.random_state)
        splits = self._splitter(y, rng).split(X, y, **routed.splitter.split)
        scored_by = (None, {}) if self._by_loss else (self._scorer, routed.scorer.score)
        check_scorer(*scored_by)
        in_scores = sample_weight if self._by_loss else scored_by[1].get("sample_weight")
        folds = rows_of_folds(splits, weights, in_scores, self.cv)
        y = y if targets.has_classes else _harmless_without_weight(y, codes, in_scores)
        seeds = draw_seeds(rng, len(folds) + 1)
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        task.begin(X=X, y=y, metadata=metadata)
        held_out, classes = self._held_out_of(targets), targets.exclusive_classes
        path = AlphaPath(estimator, X, y, sample_weight, classes, held_out, *scored_by)
        choice = choose_alpha(path, grid, folds, seeds[1:], task, self.n_jobs)
        self._adopt(choice, folds, len(weights))
        if self._refits:
            self._refit(estimator, seeds[0], X, y, sample_weight, task)
        else:
            # No fit of this search warns.
            if not targets.has_classes:
                baseline = baseline_of_numbers(targets, codes, weights)
                warn_of_a_crowded_y(estimator, targets, baseline)
            networks = [step.network for step in choice.steps[choice.best]]
            warn_of_folds(
                networks,
                weights.sum(),
                np.count_nonzero(weights),
                self._preferred,
                partial(are_constant, held_out, networks, X, y, sample_weight),
                partial(measure_columns, X, sample_weight),
            )
        if self._averages:
            self.estimators_ = choice.networks()
        task.end(lambda: vars(self))

    def _pose(self, estimator, y, sample_weight):
        """What y asks of networks, its codes, and the rows' weights with those of their classes."""
        weights = np.ones(y.shape[0]) if sample_weight is None else sample_weight
        targets = estimator._targets_of(y)
        codes = targets.codes(y, weights)
        totals = targets.totals(codes, weights)
        if not targets.has_classes:
            targets = targets.scaled_by(totals)
            codes = targets.codes(y, weights)
        self._adopt_targets(targets)
        class_weight = estimator._class_weights(targets, totals)
        return targets, codes, weigh_rows(targets, codes, weights, class_weight)[0]

    def _splitter(self, y, rng):
        """What splits the rows into folds."""
        is_number = self.cv is None or isinstance(self.cv, Integral)
        given = self.cv if is_number or hasattr(self.cv, "split") else pairs_of(self.cv)
        cv = check_cv(given, y, classifier=is_classifier(self))
        if is_number:
            check_n_folds(cv, y)
        if rng is None or not isinstance(self.cv, Integral):
            return cv
        return type(cv)(cv.n_splits, shuffle=True, random_state=rng.randint(MAX_SEED))

    def _adopt(self, choice, folds, n_rows):
        """Set the attributes that tell of the choice."""
        self.alphas_ = choice.alphas
        self.scores_ = choice.table("score")
        self.train_scores_ = choice.table("train_score")
        self.n_iter_ = choice.table("n_iter")
        self.alpha_ = float(choice.alphas[choice.best])
        self.best_score_ = float(choice.means[choice.best])
        kept = choice.averaged if self._averages else [choice.best]
        tests = [test for _, test in folds]
        setattr(self, self._OUT_OF_FOLD, out_of_fold(n_rows, tests, choice.outputs(kept)))

    def _refit(self, estimator, seed, X, y, sample_weight, task):
        """Train on all rows with the chosen alpha."""
        # Not by set_params: the __init__ of a subclass need not take what all networks have.
        self.best_estimator_ = estimator
        estimator.alpha = self.alpha_
        if seed is not None:
            estimator.random_state = seed
        said = SearchFit(
            "refit",
            warns=True,
            prefers_alpha=self._preferred,
            has_estimator=self.estimator is not None,
        )
        with task.fit_of(estimator, "refit"):
            fit_for_search(said, estimator.fit, X, y, sample_weight)

    @property
    def _preferred(self):
        """Whether smaller alphas than the chosen one were tried."""
        return bool(self.alpha_ > self.alphas_.min())

    def _validate_rows(self, X, y, sample_weight, reset=True):
        """Rows, checked; X as it was given if its columns have names."""
        checked, y = check_rows(self, X, y, reset=reset)
        if sample_weight is not None:
            sample_weight = row_weights(sample_weight, checked)
            with np.errstate(over="ignore"):
                total = sample_weight.sum()
            if np.isinf(total):
                raise ValueError(f"sample_weight must have a finite sum above 0; got {total}.")
        return X if hasattr(self, "feature_names_in_") else checked, y, sample_weight

    @property
    def _refits(self):
        """Whether `fit` is to train a network on all rows."""
        return bool(self.refit) and not self._averages

    @property
    def _averages(self):
        """Whether `fit` is to keep the networks of the folds, instead of a new one."""
        return isinstance(self.refit, str)

    @property
    def _by_loss(self):
        """Whether the held-out loss chooses."""
        by_name = isinstance(self.scoring, str) and self.scoring == self._HELD_OUT_LOSS
        return self.scoring is None or by_name

    @property
    def _scorer(self):
        """What `score` uses, and unless the held-out loss chooses, `fit`."""
        if not self._by_loss:
            return get_scorer(self.scoring)
        scorer = deepcopy(get_scorer(self._DEFAULT_SCORER))  # all searches share it
        # The user did not choose it, and has nothing on which to set a request.
        return scorer.set_score_request(sample_weight=True) if _routing_enabled() else scorer

    def _routed(self, method, sample_weight, params):
        """The metadata for the splitter and the scorer, with and without metadata routing."""
        given = {} if sample_weight is None else {"sample_weight": sample_weight}
        if _routing_enabled():
            return process_routing(self, method, **given, **params)
        return Bunch(splitter=Bunch(split={}), scorer=Bunch(score=given))

    def _predictor(self) -> Predictor:
        return networks_of(self)

    def _score(self, X, y, sample_weight, params):
        """The score of the predictions, as `score` of the subclasses says."""
        _raise_for_params(params, self, "score")
        targets = self._predictor().targets
        if self.scoring is not None and self._by_loss:
            X, y, sample_weight = self._validate_rows(X, y, sample_weight, reset=False)
            outputs = self._held_out_of(targets).outputs(self, X)
            return -self._held_out_loss(y, outputs, sample_weight)
        routed = self._routed("score", sample_weight, params)
        # A scorer may read what it was given a network for, such as ``coefs_``, or ask for its
        # ``score``, which in networks is the default one.
        if keeps_average(self):
            judged = fitted_twin(self)
            judged.scoring = None
        else:
            judged = self.best_estimator_
        return score_rows(
            self._scorer, judged, X, y, targets.exclusive_classes, routed.scorer.score
        )

    def _held_out_loss(self, y, outputs, sample_weight):
        """The loss by which alpha is chosen, of outputs for rows: the lower, the better."""
        held_out = self._held_out_of(self._predictor().targets)
        return mean_loss(held_out, y, outputs, sample_weight)

    # What tells the searches apart

    def _default_estimator(self):
        """The network for ``estimator=None``."""
        raise NotImplementedError

    def _adopt_targets(self, targets):
        """Set the attributes that tell what y asks of networks."""
        raise NotImplementedError

    def _held_out_of(self, targets) -> HeldOut:
        """What networks say of rows that they do not train on, and what that costs.

        Parameters
        ----------
        targets : Targets
            Those that were adopted, or those of a network that was kept.
        """
        raise NotImplementedError


def _harmless_without_weight(y, codes, in_scores):
    """Numbers as a scorer is given them: of rows without weight in scores, those of the codes.

    What a scorer does with a number of zero weight is not known: it might overflow. One that reads
    no weights counts all rows, also those on which nothing is trained, with the y that they have.

    Parameters
    ----------
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
    codes : ndarray, shaped as y
        In rows without weight in training a harmless number.
    in_scores : array-like of shape (n_rows,) or None
        The rows' weights in scores; None if scores do not read any.
    """
    y = as_numbers(y)
    if in_scores is None:
        return y
    return np.where(np.asarray(in_scores) != 0.0, y.T, codes.T).T
