"""The one door to scikit-learn's private helpers and its version differences."""

from collections.abc import Callable
from copy import copy
from inspect import signature
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeVar

from sklearn.metrics._scorer import _BaseScorer
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import Interval as IntervalOfFloats
from sklearn.utils._param_validation import Options, StrOptions
from sklearn.utils.metadata_routing import _raise_for_params, _routing_enabled
from sklearn.utils.validation import (
    _check_feature_names_in,
    _check_method_params,
    _check_sample_weight,
    _num_samples,
)

if TYPE_CHECKING:
    from sklearn.callback import CallbackSupportMixin

    # scikit-learn's have no types: what they decorate would be Any to users' type checkers.
    Method = TypeVar("Method", bound=Callable[..., Any])

    def _fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[Method], Method]: ...

    def available_if(check: Callable[[Any], bool]) -> Callable[[Method], Method]: ...

    def with_callbacks(method: Method) -> Method: ...

else:
    from sklearn.base import _fit_context
    from sklearn.utils.metaestimators import available_if

    try:
        from sklearn.callback import CallbackSupportMixin, with_callbacks
    except ImportError:  # before scikit-learn 1.9: no callbacks, all else as usual

        class CallbackSupportMixin:
            """Stands in for scikit-learn's mixin where that does not exist."""

        def with_callbacks(method):
            """Leave a method as it is."""
            return method


__all__ = [
    "CallbackSupportMixin",
    "Interval",
    "NamedOptions",
    "Options",
    "StrOptions",
    "_check_feature_names_in",
    "_check_method_params",
    "_check_sample_weight",
    "_fit_context",
    "_num_samples",
    "_raise_for_params",
    "_routing_enabled",
    "_safe_indexing",
    "available_if",
    "is_scorer_of_predictions",
    "scorer_of_classes",
    "takes_weights",
    "validate_params",
    "with_callbacks",
]


class Interval(IntervalOfFloats):
    """scikit-learn's, without the numbers that would fail later, in words that name no keyword.

    Those are fractions, which NumPy does not take, and numbers that no float holds.
    """

    def __contains__(self, val):
        try:
            if self.type is Real and not super().__contains__(float(val)):
                return False
            return super().__contains__(val)
        except (TypeError, OverflowError):
            return False


class NamedOptions(StrOptions):
    """`StrOptions` that an error message describes in given words.

    Parameters
    ----------
    options : set of str
    description : str
        Follows "must be" in the message.
    """

    def __init__(self, options, description):
        super().__init__(options)
        self.description = description

    def __str__(self):
        return self.description


def validate_params(estimator):
    """Check an estimator's keywords as its own `fit` does.

    Raises
    ------
    ValueError
        If a keyword is not allowed.
    """
    estimator._validate_params()


def is_scorer_of_predictions(scorer):
    """Whether a scorer needs predictions alone: what `sklearn.metrics.make_scorer` makes."""
    return isinstance(scorer, _BaseScorer)


def scorer_of_classes(scorer, classes, taken=()):
    """A scorer whose metric knows all classes, also those that its rows lack.

    As in scikit-learn's ``LogisticRegressionCV``, the metric is given ``labels``, and
    of two classes the second as ``pos_label``, if it takes them.

    Parameters
    ----------
    scorer : callable
        Only what `sklearn.metrics.make_scorer` makes is changed, in a copy.
    classes : ndarray of shape (n_classes,)
        Sorted labels.
    taken : container of str, default=()
        Keywords of the metric that the caller will give. Those that the scorer was
        made with stay as they are, too.

    Returns
    -------
    scorer : callable
    """
    if not isinstance(scorer, _BaseScorer):
        return scorer
    keywords = signature(scorer._score_func).parameters
    given = {}
    if "labels" in keywords:
        given["labels"] = classes
    if "pos_label" in keywords and len(classes) == 2:
        given["pos_label"] = None if _averages(scorer, keywords) else classes[1]
    given = {name: value for name, value in given.items() if name not in taken}
    scorer = copy(scorer)
    scorer._kwargs = given | scorer._kwargs
    return scorer


def takes_weights(scorer):
    """Whether a scorer can be given ``sample_weight``, as far as its signature says."""
    function = scorer._score_func if isinstance(scorer, _BaseScorer) else scorer
    try:
        # A decorator's function may take what the one inside does not; what it takes with ** it
        # hands on, as those of scikit-learn's metrics do.
        inside, itself = signature(function), signature(function, follow_wrapped=False)
    except (TypeError, ValueError):  # of a function that has none
        return True
    takes_any = any(each.kind is each.VAR_KEYWORD for each in inside.parameters.values())
    return takes_any or "sample_weight" in {*inside.parameters, *itself.parameters}


def _averages(scorer, keywords):
    """Whether the metric is an average over the classes, which warns of a ``pos_label``."""
    average = keywords.get("average")
    return (
        average is not None
        and average.default == "binary"
        and scorer._kwargs.get("average", "binary") != "binary"
    )
