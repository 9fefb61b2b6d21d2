"""What the site's reference is made of: nothing public is missing, no keyword stands twice."""

import re
import sys
from functools import cached_property
from inspect import signature
from pathlib import Path

import pytest
from test_docstrings import public_objects

from backprop_mlp import BackpropMLPClassifier, BackpropMLPRegressor
from backprop_mlp._estimator.ignored_keywords import READERS

pytest.importorskip("numpydoc", reason="numpydoc comes with the extras docs and lint")


@pytest.fixture
def reference(monkeypatch):
    """The site's own extension."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "docs" / "_ext")
    import public_reference

    yield public_reference
    sys.modules.pop("public_reference")


def test_everything_public_has_a_page(reference):
    pages = [name for names in reference.public_groups().values() for name in names]
    assert sorted(pages) == sorted(name for name, is_whole in public_objects() if is_whole)


def test_every_keyword_of_a_network_stands_in_one_group(reference):
    listed = [keyword for group in reference.keyword_groups().values() for keyword in group]
    networks = (BackpropMLPClassifier, BackpropMLPRegressor)
    keywords = {name for network in networks for name in signature(network).parameters}
    assert sorted(listed) == sorted(keywords)


def test_a_keyword_with_two_meanings_is_described_twice(reference):
    assert [whose for whose, *_ in reference._meanings("tol")] == [""]
    whose = [whose for whose, *_ in reference._meanings("scoring")]
    assert whose == [" (of the classifier)", " (of the regressor)"]
    assert [whose for whose, *_ in reference._meanings("quantile")] == [" (of the regressor)"]


def test_keywords_that_only_some_solvers_read_do_not_stand_with_the_others(reference):
    for_all = reference.keyword_groups()["Read by every solver"]
    assert not set(for_all) & (READERS.keys() | {"dropout", "batch_norm"})


def test_methods_of_a_class_have_their_places_on_its_page(reference):
    page = reference._page("backprop_mlp.BackpropMLPClassifier")
    for method in ("fit", "partial_fit", "predict_proba", "from_thetas", "cost_gradient"):
        assert f".. automethod:: {method}\n" in page


@pytest.mark.parametrize("name", [name for name, is_whole in public_objects() if is_whole])
def test_every_property_has_a_place_on_its_page(reference, name):
    from numpydoc.docscrape import ClassDoc

    thing = reference.find(name)
    if not isinstance(thing, type):
        return
    of_docstring = ClassDoc(thing, config={"show_class_members": False})["Attributes"]
    placed = {attribute.name for attribute in of_docstring}
    placed |= set(re.findall(r"\.\. autoattribute:: (\w+)\n", reference._page(name)))
    ours = [cls for cls in thing.__mro__ if cls.__module__.startswith("backprop_mlp")]
    properties = {
        each
        for cls in ours
        for each, member in vars(cls).items()
        if isinstance(member, property | cached_property) and not each.startswith("_")
    }
    assert properties <= placed
