"""Who may import whom: read from the source, so that it also holds for code that no test runs."""

import ast
import sys
from pathlib import Path

import pytest

import backprop_mlp

PACKAGE = Path(backprop_mlp.__file__).parent

ORDER = [
    {
        "_activations",
        "_stopping",
        "_threads",
        "_datasets",
        "_callbacks",
        "_documentation",
        "schedules",
    },
    {"_layers", "_losses"},
    {"_network", "_targets"},
    {"_objective", "_centring", "initializers"},
    {"_scipy_solvers", "_stochastic", "_validation"},
    {"_training"},
    {"_assembly"},
    {"_classifier"},
    {"_classifier_cv"},
    {"_gradient_check", "_learning_rate_range"},
    {"_display"},
    {"dask", "onnx", "__init__"},
]
"""Files from the ground up: each imports from earlier rows only."""

ROOMS_FOR = {
    # scikit-learn stays where user input is validated and where estimators are handled.
    "sklearn": {
        "_classifier",
        "_classifier_cv",
        "_targets",
        "_callbacks",
        "_training",
        "_validation",
        "_gradient_check",
        "_learning_rate_range",
        "_display",
        "dask",
        "onnx",
    },
    "joblib": {"_training"},
    "threadpoolctl": {"_threads"},
    # Optional extras stay behind their own doors; matplotlib is imported inside plot.
    "matplotlib": {"_display"},
    "pandas": set(),
    "polars": set(),
    "dask": {"dask"},
    "distributed": {"dask"},
    "onnx": {"onnx"},
    "skl2onnx": {"onnx"},
}

OPTIONAL = {"matplotlib", "pandas", "polars", "dask", "distributed", "onnx", "skl2onnx"}


def modules():
    return {path.stem: ast.parse(path.read_text("utf-8")) for path in PACKAGE.glob("*.py")}


def imported(tree):
    """(name, whether it is one of the package's own) of each import in a tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.split(".")[0], False
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0], False
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 1, "the package has no sub-packages"
            for name in [node.module] if node.module else [alias.name for alias in node.names]:
                yield name, True


def own_imports():
    """The files that each file imports."""
    return {stem: {name for name, own in imported(tree) if own} for stem, tree in modules().items()}


def foreign_imports():
    """The other packages that each file imports."""
    return {
        stem: {name for name, own in imported(tree) if not own} for stem, tree in modules().items()
    }


def test_imports_run_one_way():
    floor = {stem: level for level, row in enumerate(ORDER) for stem in row}
    upward = {
        (stem, name)
        for stem, names in own_imports().items()
        for name in names
        if stem in floor and floor.get(name, -1) >= floor[stem]
    }
    assert upward == set()


def test_no_two_files_import_each_other():
    graph = own_imports()
    reachable = dict(graph)
    for _ in graph:
        reachable = {
            stem: names.union(*(reachable.get(name, set()) for name in names))
            for stem, names in reachable.items()
        }
    assert {stem for stem, names in reachable.items() if stem in names} == set()


def test_every_import_of_the_package_is_one_of_its_files():
    stems = set(modules())
    assert {name for names in own_imports().values() for name in names} <= stems
    assert all("backprop_mlp" not in names for names in foreign_imports().values())


@pytest.mark.parametrize("package", ROOMS_FOR)
def test_a_package_is_imported_only_in_its_rooms(package):
    users = {stem for stem, names in foreign_imports().items() if package in names}
    assert users <= ROOMS_FOR[package]


def test_numpy_and_scipy_are_all_that_the_mathematics_needs():
    mathematics = {"_activations", "_losses", "_layers", "_network", "_objective", "_centring"}
    for stem in mathematics:
        assert foreign_imports()[stem] <= sys.stdlib_module_names | {"numpy", "scipy"}


def test_matplotlib_is_imported_only_inside_functions():
    for tree in modules().values():
        inside = {
            node
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef)
            for node in ast.walk(function)
        }
        outside = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom) and node not in inside
        ]
        names = {name for node in outside for name, own in imported(node) if not own}
        assert "matplotlib" not in names


def test_the_package_imports_without_its_extras():
    """Only files that nothing imports may need an optional package at import."""
    needed = {"__init__"}
    graph = own_imports()
    while more := {name for stem in needed for name in graph[stem]} - needed:
        needed |= more
    top_level = {
        name
        for stem in needed
        for node in modules()[stem].body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name, own in imported(node)
        if not own
    }
    assert top_level & OPTIONAL == set()


def test_every_public_name_has_a_docstring():
    for name in backprop_mlp.__all__:
        assert getattr(backprop_mlp, name).__doc__
    for stem, tree in modules().items():
        assert ast.get_docstring(tree), f"{stem}.py says nothing about itself"
