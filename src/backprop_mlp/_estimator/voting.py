"""Votes of searches: of classifiers, weighed by the user's labels, and of regressors.

Unless weights are given, those searches count more that say better what the rows hold that they
left out.
"""

import numpy as np
from scipy.special import logsumexp
from sklearn import get_config
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, column_or_1d

from .._sklearn import _routing_enabled
from .._targets.targets import targets_of
from .rows import check_y
from .vote_weights import find_vote_weights


def _mean_out_of_fold(vote, name):
    """Mean of an attribute of the fitted members, weighed as their votes.

    The members are searches, or pipelines that end with one.

    Raises
    ------
    AttributeError
        If one of them has no such attribute.
    """
    check_is_fitted(vote)
    values = [getattr(search, name) for search in _searches_of(vote)]
    return np.average(values, axis=0, weights=_weights_of_members(vote))


def _searches_of(vote):
    """The fitted members, or the last steps of those that are pipelines."""
    return [member[-1] if isinstance(member, Pipeline) else member for member in vote.estimators_]


def _found_weights(vote, name, y, fit_params):
    """The fitted members' weights by an attribute; None where not all are searches that have it."""
    searches = _searches_of(vote)
    if not all(hasattr(search, name) and hasattr(search, "_held_out_loss") for search in searches):
        return None
    outputs = [getattr(search, name) for search in searches]
    return find_vote_weights(searches, outputs, y, _weights_of_rows(vote, fit_params))


def _weights_of_rows(vote, fit_params):
    """The rows' weights that the first search is given, under whatever name it requests them."""
    if _routing_enabled():
        first = next(name for name, member in vote.estimators if not isinstance(member, str))
        fit_params = process_routing(vote, "fit", **fit_params)[first].fit
        member = vote.named_estimators[first]
        if isinstance(member, Pipeline):
            fit_params = process_routing(member, "fit", **fit_params)[member.steps[-1][0]].fit
    return fit_params.get("sample_weight")


def _weights_of_members(vote):
    """The weights of those members that are not dropped, given or found; None for equal ones."""
    if vote.weights is None:
        return getattr(vote, "weights_", None)  # files of older versions have none
    given = zip(vote.estimators, vote.weights, strict=True)
    return [weight for (_, member), weight in given if not isinstance(member, str)]


def _average(vote, outputs):
    """The members' outputs, averaged, in their precision; the mean of whole numbers is none."""
    mean = np.average(outputs, axis=0, weights=_weights_of_members(vote))
    return mean.astype(np.result_type(np.float32, *outputs), copy=False)


def _log_proba(member, X):
    """Logarithms of a member's probabilities: not all classifiers have a method for them."""
    if hasattr(member, "predict_log_proba"):
        return member.predict_log_proba(X)
    with np.errstate(divide="ignore"):
        return np.log(member.predict_proba(X))


def _averages_probabilities(vote):
    """Whether there are probabilities; an error with the reason if not."""
    if vote.voting != "soft":
        raise AttributeError(f"voting must be 'soft' for probabilities; got {vote.voting!r}.")
    return True


def refuse_weights_without_routing():
    """An error for weights that reach a pipeline for tables, or one in its votes, by their name.

    scikit-learn's advises to put a step's name before it, which ends in the same error.
    """
    if not get_config()["enable_metadata_routing"]:
        raise ValueError(
            "sample_weight reaches models for tables by metadata routing only: call fit within "
            "sklearn.config_context(enable_metadata_routing=True), after "
            "set_fit_request(sample_weight=True) of 'scaler', 'networks__plain', "
            "'networks__ramps__encoder' and 'networks__ramps__networks' in get_params()."
        )


def _refuse_weights_of_pipelines(vote, fit_params):
    """An error for weights without routing, where a member is a pipeline."""
    members = [member for _, member in vote.estimators]
    if "sample_weight" in fit_params and any(isinstance(each, Pipeline) for each in members):
        refuse_weights_without_routing()


class _RoutedScore:
    """A voter whose `score` gets what is requested of it.

    scikit-learn's voters leave their own requests out: a Pipeline that ends with one can't score,
    with or without weights.
    """

    def get_metadata_routing(self):
        """Where metadata go: to the members' `fit`, and what is requested of `score` to `score`.

        Returns
        -------
        routing : MetadataRouter
        """
        return super().get_metadata_routing().add_self_request(self)  # type: ignore[misc]


class SearchVotingRegressor(_RoutedScore, VotingRegressor):
    """A `sklearn.ensemble.VotingRegressor` of searches, with what they say out of fold.

    ``weights=None`` stands for those with the lowest held-out loss: ``weights_``, of shape
    (n_members,), or None for equal ones where not all members are searches with
    ``oof_prediction_``.
    """

    @property
    def oof_prediction_(self):
        """Predictions of the training rows, by networks that were not trained on them."""
        return _mean_out_of_fold(self, "oof_prediction_")

    def fit(self, X, y, **fit_params):
        """Fit the members.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        **fit_params : dict
            See `sklearn.ensemble.VotingRegressor`.

        Returns
        -------
        self : SearchVotingRegressor

        Raises
        ------
        ValueError
            If y is not there, or does not hold one number per row, or there are weights without
            metadata routing and a pipeline among the members.
        """
        _refuse_weights_of_pipelines(self, fit_params)
        y = check_y(self, y)
        super().fit(X, y, **fit_params)
        y = column_or_1d(y)
        self.weights_ = _found_weights(self, "oof_prediction_", y, fit_params)
        return self

    def predict(self, X):
        """Averaged predictions, in the members' precision.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        return _average(self, [member.predict(X) for member in self.estimators_])


class LabelVotingClassifier(_RoutedScore, VotingClassifier):
    """A `sklearn.ensemble.VotingClassifier` of searches, with what they say out of fold.

    scikit-learn trains the members on 0, 1, ... in place of the labels: a dictionary such as
    ``{1: 50}`` would weigh the second label, whatever it is. Here each ``class_weight`` of a
    member, or of an estimator within it, names labels, and the fitted members' name their codes.

    With ``voting="soft"`` ``weights=None`` stands for those with the lowest held-out loss:
    ``weights_``, of shape (n_members,), or None for equal ones where not all members are searches
    with ``oof_proba_``.
    """

    @property
    def oof_proba_(self):
        """Probabilities of the training rows, by networks that were not trained on them."""
        return _mean_out_of_fold(self, "oof_proba_")

    def fit(self, X, y, **fit_params):
        """Fit the members, on codes of the labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        **fit_params : dict
            See `sklearn.ensemble.VotingClassifier`.

        Returns
        -------
        self : LabelVotingClassifier

        Raises
        ------
        TypeError, ValueError
            If y does not hold one label per row, or a dictionary of class weights names
            other labels than those of y, or there are weights without metadata routing and a
            pipeline among the members.
        """
        _refuse_weights_of_pipelines(self, fit_params)
        y = check_y(self, y)
        targets = targets_of(y)
        if targets.multilabel:
            raise ValueError("y must hold one label per row; got a matrix of several labels.")
        members = [(name, _weighing_codes(member, targets)) for name, member in self.estimators]
        params = self.get_params(deep=False) | {"estimators": members}
        y = column_or_1d(y, warn=True)
        fitted = VotingClassifier(**params).fit(X, y, **fit_params)
        fitted.weights_ = None
        if self.voting == "soft":
            codes = fitted.le_.transform(y)
            fitted.weights_ = _found_weights(fitted, "oof_proba_", codes, fit_params)
        kept = {name: value for name, value in vars(self).items() if not name.endswith("_")}
        found = {name: value for name, value in vars(fitted).items() if name.endswith("_")}
        self.__dict__ = kept | found
        return self

    @available_if(_averages_probabilities)
    def predict_proba(self, X):
        """Averaged probabilities, in the members' precision, in which their sums are 1.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        P : ndarray of shape (n_samples, n_classes)
        """
        check_is_fitted(self)
        return _average(self, [member.predict_proba(X) for member in self.estimators_])

    @available_if(_averages_probabilities)
    def predict_log_proba(self, X):
        """Logarithms of the averaged probabilities, always finite.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        log_P : ndarray of shape (n_samples, n_classes)
        """
        check_is_fitted(self)
        log_P = np.array([_log_proba(member, X) for member in self.estimators_])
        weights = _weights_of_members(self)
        b = np.ones(len(log_P)) if weights is None else np.asarray(weights, dtype=np.float64)
        shares = (b / b.sum())[:, np.newaxis, np.newaxis]
        mean = logsumexp(log_P, axis=0, b=shares).astype(log_P.dtype, copy=False)
        return np.maximum(mean, np.finfo(mean.dtype).min)

    @available_if(_averages_probabilities)
    def decision_function(self, X):
        """Logarithms of the averaged probabilities; of two classes their difference.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        z : ndarray of shape (n_samples, n_classes), or (n_samples,) for two classes
            Its largest column, or its sign, is what `predict` says.
        """
        log_P = self.predict_log_proba(X)
        return log_P[:, 1] - log_P[:, 0] if len(self.classes_) == 2 else log_P


def _weighing_codes(member, targets):
    """A member whose class weights name the codes of the labels."""
    if isinstance(member, str):  # "drop"
        return member
    by_code = {
        name: dict(enumerate(targets.class_weights(value).tolist()))
        for name, value in member.get_params().items()
        if name.split("__")[-1] == "class_weight" and isinstance(value, dict | list)
    }
    return clone(member).set_params(**by_code) if by_code else member
