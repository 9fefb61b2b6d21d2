"""The docstrings of everything public follow numpydoc and agree with the signatures."""

import inspect
import pkgutil
from contextlib import suppress
from importlib import import_module

import pytest

import backprop_mlp

validate = pytest.importorskip(
    "numpydoc.validate", reason="numpydoc comes with the extra lint"
).validate

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
