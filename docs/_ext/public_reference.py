"""The reference: a page per public object, and the keywords by the solver that reads them.

All of it comes from ``__all__`` of the package and of its public modules, from signatures,
docstrings and the table of keywords' readers. A new public object needs no line here.
"""

import inspect
import pkgutil
from functools import cached_property
from importlib import import_module
from pathlib import Path

from numpydoc.docscrape import ClassDoc
from sklearn.base import BaseEstimator

import backprop_mlp
from backprop_mlp._estimator.assembly import MINI_BATCH_SOLVERS, SOLVERS
from backprop_mlp._estimator.ignored_keywords import LOSS_READING, READERS
from backprop_mlp._solvers.full_batch import METHODS

GROUPS = {
    "Networks": lambda thing: inspect.isclass(thing) and issubclass(thing, BaseEstimator),
    "Networks in one line": lambda thing: thing.__name__.startswith("make_"),
    "Summaries": lambda thing: thing.__name__.endswith("Summary"),
    "Pictures": lambda thing: thing.__name__.endswith("Display"),
    "Warnings": lambda thing: inspect.isclass(thing) and issubclass(thing, Warning),
    "The exercise's files": lambda thing: thing.__name__.startswith("load_"),
    "Checks": lambda thing: True,
}
"""Heading -> what stands under it. The first that fits holds."""

ORDER = (
    "Networks",
    "Networks in one line",
    "Summaries",
    "Checks",
    "Pictures",
    "The exercise's files",
    "Warnings",
)

MODULES = {
    "initializers": "Starting weights",
    "schedules": "Learning rates",
    "onnx": "ONNX",
    "dask": "Dask",
}
"""Public module -> its heading; another one's is its name."""


def group_of(thing):
    """The heading under which a public object of the package stands."""
    return next(heading for heading, fits in GROUPS.items() if fits(thing))


def public_groups():
    """Heading -> dotted names of public objects, the package's before its modules'."""
    groups = {heading: [] for heading in ORDER}
    for name in backprop_mlp.__all__:
        groups[group_of(getattr(backprop_mlp, name))].append(f"backprop_mlp.{name}")
    for module in pkgutil.iter_modules(backprop_mlp.__path__):
        if not module.name.startswith("_"):
            path = f"backprop_mlp.{module.name}"
            heading = MODULES.get(module.name, path)
            groups[heading] = [f"{path}.{name}" for name in import_module(path).__all__]
    return {heading: names for heading, names in groups.items() if names}


def find(name):
    """The object of a dotted name."""
    module, _, last = name.rpartition(".")
    return getattr(import_module(module), last)


def _own_methods(cls):
    """(directive, name) of the public methods and properties that this package defines."""
    for name, member in inspect.getmembers(cls):
        # What skl2onnx asks an estimator for is nothing that a user calls.
        if name.startswith(("_", "onnx_")):
            continue
        static = inspect.getattr_static(cls, name)
        if isinstance(static, property | cached_property):
            getter = static.fget if isinstance(static, property) else static.func
            function, directive = getter, "autoattribute"
        else:
            function, directive = member, "automethod"
        function = inspect.unwrap(function) if callable(function) else function
        if (getattr(function, "__module__", None) or "").startswith("backprop_mlp"):
            yield directive, name


def _page(name):
    thing = find(name)
    module, _, last = name.rpartition(".")
    lines = [last, "=" * len(last), "", f".. currentmodule:: {module}", ""]
    if inspect.isclass(thing):
        lines += [f".. autoclass:: {last}", ""]
        methods = list(_own_methods(thing))
        # Those that the docstring lists; with its members numpydoc adds every property.
        documented = ClassDoc(thing, config={"show_class_members": False})
        attributes = {a.name for a in documented["Attributes"]}
        lines += [f"   .. {how}:: {name}" for how, name in methods if name not in attributes]
        if issubclass(thing, BaseEstimator):
            lines += [
                "",
                "scikit-learn's own methods of an estimator are there, too: ``get_params``,",
                "``set_params``, ``score``, and where metadata are routed ``set_fit_request``.",
            ]
    else:
        lines += [f".. autofunction:: {last}"]
    lines += ["", f".. minigallery:: {name}", "   :add-heading: Examples that use it", ""]
    return "\n".join(lines)


def _summary(name):
    return inspect.getdoc(find(name)).splitlines()[0]


def _index():
    lines = [
        "Reference",
        "=========",
        "",
        "Everything public, by what it is for. Which keyword does what with which solver is on",
        "a page of its own:",
        "",
        ".. toctree::",
        "   :maxdepth: 1",
        "",
        "   keywords",
        "",
    ]
    for heading, names in public_groups().items():
        lines += [heading, "-" * len(heading), "", ".. list-table::", "   :widths: 40 60", ""]
        for name in names:
            shown = name.removeprefix("backprop_mlp.")
            lines += [f"   * - :doc:`{shown} <generated/{name}>`", f"     - {_summary(name)}"]
        lines += ["", ".. toctree::", "   :hidden:", ""]
        lines += [f"   {n.rpartition('.')[2]} <generated/{n}>" for n in names] + [""]
    return "\n".join(lines)


NETWORKS = {
    "classifier": backprop_mlp.BackpropMLPClassifier,
    "regressor": backprop_mlp.BackpropMLPRegressor,
}


def keyword_groups():
    """Heading -> keywords of the classifier and the regressor, by the solvers that read them."""
    full, mini = set(METHODS), set(MINI_BATCH_SOLVERS)
    groups = {"Read by every solver": []}
    named = {
        frozenset(full): "Read by the full-batch solvers: " + _listed(METHODS),
        frozenset(mini): "Read by the mini-batch solvers: " + _listed(MINI_BATCH_SOLVERS),
    }
    for heading in named.values():
        groups[heading] = []
    signatures = map(inspect.signature, NETWORKS.values())
    for keyword in dict.fromkeys(name for found in signatures for name in found.parameters):
        if keyword in READERS:
            solvers = READERS[keyword].solvers
            only = _listed(s for s in SOLVERS if s in solvers)
            heading = named.get(frozenset(solvers), f"Read by {only} alone")
        elif keyword in ("dropout", "batch_norm"):
            # With a full-batch solver they are an error, not ignored.
            heading = named[frozenset(mini)]
        else:
            heading = "Read by every solver"
        groups.setdefault(heading, []).append(keyword)
    return groups


def _listed(solvers):
    *others, last = solvers
    return f"{', '.join(others)} and {last}" if others else last


def _described(estimator):
    """{keyword: (type, lines of its description)} of an estimator's docstring."""
    return {
        name: (parameter.type, parameter.desc)
        for parameter in ClassDoc(estimator)["Parameters"]
        for name in parameter.name.split(", ")
    }


def _meanings(keyword):
    """(whose it is or "", type, lines) of each meaning that a keyword has."""
    described = {kind: _described(estimator) for kind, estimator in NETWORKS.items()}
    found = [(kind, *entries[keyword]) for kind, entries in described.items() if keyword in entries]
    if len(found) == len(NETWORKS) and all(one[1:] == found[0][1:] for one in found):
        return [("", *found[0][1:])]
    return [(f" (of the {kind})", *rest) for kind, *rest in found]


def _keywords():
    lines = [
        "Keywords by solver",
        "==================",
        "",
        "The keywords of :doc:`generated/backprop_mlp.BackpropMLPClassifier` and",
        ":doc:`generated/backprop_mlp.BackpropMLPRegressor`, by the solvers that read them. A",
        "keyword that is set and that the chosen solver or loss never reads is named in an",
        ":doc:`generated/backprop_mlp.IgnoredKeywordWarning`. ``dropout`` and ``batch_norm`` with",
        "a full-batch solver are an error, since full-batch solvers cannot train such a network.",
        "",
    ]
    for heading, keywords in keyword_groups().items():
        lines += [heading, "-" * len(heading), ""]
        for keyword in keywords:
            condition = READERS[keyword].where if keyword in READERS else ""
            if keyword in LOSS_READING:
                condition = f"where loss={LOSS_READING[keyword]!r}"
            for whose, kind, described in _meanings(keyword):
                lines += [f"``{keyword}``{whose} : {kind}"]
                if condition:
                    lines += [f"    *Read {condition}.*", ""]
                lines += [f"    {line}" if line else "" for line in described] + [""]
    return "\n".join(lines)


def _write(path, text):
    # Sphinx reads again what has changed.
    if not path.exists() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")


def write_pages(app, _config):
    """Write all pages of the reference, and remove those of objects that are no more."""
    folder = Path(app.srcdir) / "reference"
    generated = folder / "generated"
    generated.mkdir(parents=True, exist_ok=True)
    names = [name for group in public_groups().values() for name in group]
    for path in generated.glob("*.rst"):
        if path.stem not in names:
            path.unlink()
    for name in names:
        _write(generated / f"{name}.rst", _page(name))
    _write(folder / "index.rst", _index())
    _write(folder / "keywords.rst", _keywords())


def setup(app):
    """Write the pages before any is read."""
    app.connect("config-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
