"""The docstrings of everything public follow numpydoc and agree with the signatures."""

import inspect
import pkgutil
import re
from contextlib import suppress
from importlib import import_module
from typing import get_args

import numpy as np
import pytest
from sklearn.exceptions import DataConversionWarning

import backprop_mlp
from backprop_mlp import (
    BackpropMLPClassifier,
    BackpropMLPClassifierCV,
    BackpropMLPRegressor,
    BackpropMLPRegressorCV,
    GradientCheckDisplay,
    HiddenUnitsDisplay,
    ImageGridDisplay,
    LossCurveDisplay,
    NetworkActivationsDisplay,
    check_gradient,
)
from backprop_mlp._estimator.assembly import SOLVERS
from backprop_mlp._estimator.keywords import (
    ActivationName,
    Initializer,
    LearningRate,
    RegressionLossName,
    Solver,
)
from backprop_mlp._network.activations import ACTIVATIONS
from backprop_mlp._network.regression_losses import REGRESSION_LOSSES
from backprop_mlp.initializers import INITIALIZERS
from backprop_mlp.schedules import NAMES as SCHEDULES

pytest.importorskip("numpydoc", reason="numpydoc comes with the extra lint")
from numpydoc.docscrape import ClassDoc, FunctionDoc
from numpydoc.validate import validate

IGNORED = {
    "ES01": "a summary often says it all",
    "EX01": "asked of classes and functions below, not of every method",
    "RT02": "a single return value has a name, too, as in scikit-learn",
    "SA01": "not everything has a relative",
    "SS05": "takes plural nouns for verbs: logits, probabilities, activations",
}


def public_modules():
    yield backprop_mlp
    for module in pkgutil.iter_modules(backprop_mlp.__path__):
        if not module.name.startswith("_"):
            # A module whose extra is not installed stays out.
            with suppress(ImportError):
                yield import_module(f"backprop_mlp.{module.name}")


def public_objects():
    """(dotted name, whether it is a class or function of a module) of all that users may call."""
    for module in public_modules():
        for name in module.__all__:
            thing = getattr(module, name)
            yield f"{module.__name__}.{name}", True
            for member, value in vars(thing).items() if inspect.isclass(thing) else ():
                documented = callable(value) or isinstance(value, classmethod | property)
                if documented and not member.startswith("_"):
                    yield f"{module.__name__}.{name}.{member}", False


@pytest.mark.parametrize(("name", "needs_example"), list(public_objects()))
def test_docstring(name, needs_example):
    ignored = IGNORED.keys() - ({"EX01"} if needs_example else set())
    errors = validate(name)["errors"]
    assert [f"{code} {text}" for code, text in errors if code not in ignored] == []


def described(estimator):
    """{keyword: its type and description} in an estimator's docstring."""
    entries = ClassDoc(estimator)["Parameters"]
    return {entry.name: (entry.type, entry.desc) for entry in entries}


PAIRS = {
    "networks": (
        BackpropMLPClassifier,
        BackpropMLPRegressor,
        {"alpha", "hidden_layer_sizes", "initializer", "scoring", "validation_fraction"},
    ),
    "searches": (
        BackpropMLPClassifierCV,
        BackpropMLPRegressorCV,
        {"alphas", "cv", "estimator", "refit", "scoring"},
    ),
}
"""Two estimators, and the keywords whose meaning differs."""


@pytest.mark.parametrize(("one", "other", "differ"), PAIRS.values(), ids=PAIRS)
def test_what_means_the_same_is_said_in_the_same_words(one, other, differ):
    one, other = described(one), described(other)
    assert {name for name in one.keys() & other.keys() if one[name] != other[name]} == differ


def test_a_check_that_is_drawn_takes_the_keywords_of_the_check():
    check, drawn = check_gradient, GradientCheckDisplay.from_estimator
    one, other = (inspect.signature(call).parameters for call in (check, drawn))
    for name in ("step", "max_coordinates", "random_state"):
        assert one[name] == other[name]
    one, other = ({p.name: p for p in FunctionDoc(call)["Parameters"]} for call in (check, drawn))
    for name in ("max_coordinates", "random_state"):
        assert one[name] == other[name]


RAISED = {
    LossCurveDisplay.from_estimator: {"NotFittedError", "TypeError", "ValueError"},
    HiddenUnitsDisplay.from_estimator: {"NotFittedError", "TypeError", "ValueError"},
    NetworkActivationsDisplay.from_estimator: {
        "NotFittedError",
        "TypeError",
        "ValueError",
        "FloatingPointError",
    },
    ImageGridDisplay.plot: {"TypeError", "ValueError"},
}
"""Errors of pictures; tests/contracts/test_wrong_input.py makes them."""


@pytest.mark.parametrize("method", RAISED, ids=lambda method: method.__qualname__)
def test_what_a_picture_raises_is_told(method):
    assert {entry.type for entry in FunctionDoc(method)["Raises"]} == RAISED[method]


def warnings_told(method):
    """Names of the warnings that a docstring tells of."""
    entries = FunctionDoc(method)["Warns"]
    return set(re.findall(r"\w+Warning", " ".join(" ".join((e.type, *e.desc)) for e in entries)))


X, COLUMN = np.arange(40.0)[:, np.newaxis], np.arange(40)[:, np.newaxis] % 2


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", [BackpropMLPClassifier, BackpropMLPRegressor])
def test_what_a_chunk_warns_of_is_told(kind):
    network = kind(3, solver="sgd", learning_rate="adaptive")
    classes = {"classes": [0, 1]} if kind is BackpropMLPClassifier else {}
    with pytest.warns(DataConversionWarning) as record:
        network.partial_fit(X / 40.0, COLUMN, np.full(40, 1e-3), **classes)
    names = {warning.category.__name__ for warning in record}
    assert names == {"DataConversionWarning", "IgnoredKeywordWarning", "StrongPenaltyWarning"}
    assert names <= warnings_told(kind.partial_fit)


@pytest.mark.filterwarnings("ignore::backprop_mlp.StrongPenaltyWarning")
@pytest.mark.parametrize("search", [BackpropMLPClassifierCV, BackpropMLPRegressorCV])
def test_that_a_search_warns_of_a_column_is_told(search):
    with pytest.warns(DataConversionWarning):
        search(alphas=[1.0], cv=2, refit=False).fit(X / 40.0, COLUMN)
    assert "DataConversionWarning" in warnings_told(search.fit)


NETWORKS = (BackpropMLPClassifier, BackpropMLPRegressor)
NAMED = {
    "activation": (ActivationName, ACTIVATIONS, NETWORKS),
    "solver": (Solver, SOLVERS, NETWORKS),
    "initializer": (Initializer, ["auto", *INITIALIZERS], NETWORKS),
    "learning_rate": (LearningRate, SCHEDULES, NETWORKS),
    "loss": (RegressionLossName, REGRESSION_LOSSES, [BackpropMLPRegressor]),
}
"""Keyword: its type, the names that it takes, and the estimators that have it."""


@pytest.mark.parametrize("keyword", NAMED)
def test_every_name_that_a_keyword_takes_is_offered_to_editors_and_readers(keyword):
    kind, names, estimators = NAMED[keyword]
    assert set(get_args(get_args(kind)[0])) == set(names)
    for estimator in estimators:
        choices = re.search("{(.*)}", described(estimator)[keyword][0], flags=re.DOTALL)[1]
        assert set(re.findall('"([a-z_-]+)"', choices)) == set(names)
