"""Who may import whom: read from the source, so that it also holds for code that no test runs."""

import ast
import re
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

import backprop_mlp

PACKAGE = Path(backprop_mlp.__file__).parent

FLOORS = [
    {"_numbers"},
    {"schedules", "_cached", "_datasets", "_sklearn", "_stop_iteration"},
    {"_network"},
    {"_targets", "initializers"},
    {"_objective"},
    {"_solvers"},
    {"_training"},
    {"_estimator"},
    {"_search"},
    {"_onnx"},
    {"_base", "_piecewise_linear"},
    {"_base_cv", "_classifier", "_regressor"},
    {"_classifier_cv", "_regressor_cv"},
    {"_tabular"},
    {"_diagnostics"},
    {"_display"},
    {"_dask"},
    {"dask", "onnx"},
    {"__init__"},
]
"""Folders, and files outside of them, from the ground up: each imports from earlier rows only."""

ROOMS_FOR = {
    # scikit-learn stays where user input is validated and where estimators are handled.
    "sklearn": {
        "_sklearn",
        "_targets",
        "_training",
        "_estimator",
        "_search",
        "_base",
        "_base_cv",
        "_classifier",
        "_classifier_cv",
        "_piecewise_linear",
        "_tabular",
        "_regressor",
        "_regressor_cv",
        "_diagnostics",
        "_display",
        "_dask",
        "_onnx",
        "dask",
        "onnx",
    },
    "joblib": {"_training"},
    "threadpoolctl": {"_objective"},
    # Optional extras stay behind their own doors; matplotlib is imported inside plot.
    "matplotlib": {"_display"},
    "pandas": set(),
    "polars": set(),
    "dask": {"_dask", "dask"},
    "distributed": {"_dask", "dask"},
    "onnx": {"_onnx", "onnx"},
    "skl2onnx": {"_onnx", "onnx"},
}

PROJECT = Path(__file__).parents[1] / "pyproject.toml"

OPTIONAL = {"matplotlib", "pandas", "polars", "dask", "distributed", "onnx", "skl2onnx"}


@cache
def parsed(path):
    """A file's tree."""
    return ast.parse(path.read_text("utf-8"))


@cache
def modules():
    """Each file's tree, by its path without the suffix: ("_network", "layers"), ("dask",)."""
    return {
        path.relative_to(PACKAGE).with_suffix("").parts: parsed(path)
        for path in PACKAGE.rglob("*.py")
        if path.name != "__init__.py" or path.parent == PACKAGE
    }


def imported(place, tree):
    """(name, whether it is one of the package's own files) of each import in a tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.split(".")[0], False
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0], False
        elif isinstance(node, ast.ImportFrom):
            folder = place[: len(place) - node.level]
            parts = tuple(node.module.split(".")) if node.module else ()
            if PACKAGE.joinpath(*folder, *parts).is_dir():  # the names are those of files
                for alias in node.names:
                    yield (*folder, *parts, alias.name), True
            else:
                yield (*folder, *parts), True


@cache
def own_imports():
    """The files that each file imports."""
    return {
        place: {name for name, own in imported(place, tree) if own}
        for place, tree in modules().items()
    }


@cache
def foreign_imports():
    """The other packages that each file imports."""
    return {
        place: {name for name, own in imported(place, tree) if not own}
        for place, tree in modules().items()
    }


def test_every_file_stands_on_a_floor():
    assert {place[0] for place in modules()} == set().union(*FLOORS)


def test_imports_run_one_way():
    floor = {room: level for level, row in enumerate(FLOORS) for room in row}
    upward = {
        (place, name)
        for place, names in own_imports().items()
        for name in names
        if place[0] != name[0] and floor[name[0]] >= floor[place[0]]
    }
    assert upward == set()


def test_no_two_files_import_each_other():
    graph = own_imports()
    reachable = dict(graph)
    for _ in graph:
        reachable = {
            place: names.union(*(reachable.get(name, set()) for name in names))
            for place, names in reachable.items()
        }
    assert {place for place, names in reachable.items() if place in names} == set()


def test_every_import_of_the_package_is_one_of_its_files():
    places = set(modules())
    assert {name for names in own_imports().values() for name in names} <= places
    assert all("backprop_mlp" not in names for names in foreign_imports().values())


@pytest.mark.parametrize("package", ROOMS_FOR)
def test_a_package_is_imported_only_in_its_rooms(package):
    users = {place[0] for place, names in foreign_imports().items() if package in names}
    assert users <= ROOMS_FOR[package]


@pytest.mark.parametrize("room", ["_network", "_objective", "_solvers"])
def test_numpy_and_scipy_are_all_that_the_mathematics_needs(room):
    allowed = sys.stdlib_module_names | {"numpy", "scipy", "threadpoolctl"}
    for place, names in foreign_imports().items():
        assert place[0] != room or names <= allowed


def test_private_helpers_of_scikit_learn_come_through_one_door():
    private = {
        (place, f"{node.module}.{alias.name}")
        for place, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 0
        for alias in node.names
        if node.module.split(".")[0] == "sklearn"
        and any(part.startswith("_") for part in (*node.module.split("."), alias.name))
    }
    assert {place for place, _ in private} <= {("_sklearn",)}


def test_cached_properties_are_those_without_a_lock():
    users = {
        place
        for place, tree in modules().items()
        for node in ast.walk(tree)
        if (
            isinstance(node, ast.ImportFrom)
            and node.module == "functools"
            and any(alias.name == "cached_property" for alias in node.names)
        )
        or (isinstance(node, ast.Attribute) and node.attr == "cached_property")
    }
    assert users == {("_cached",)}


def test_matplotlib_is_imported_only_inside_functions():
    for place, tree in modules().items():
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
        names = {name for node in outside for name, own in imported(place, node) if not own}
        assert "matplotlib" not in names


def test_the_package_imports_without_its_extras():
    """Only files that nothing imports may need an optional package at import."""
    needed = {("__init__",)}
    graph = own_imports()
    while more := {name for place in needed for name in graph[place]} - needed:
        needed |= more
    top_level = {
        name
        for place in needed
        for node in modules()[place].body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name, own in imported(place, node)
        if not own
    }
    assert top_level & OPTIONAL == set()


def test_what_the_package_needs_is_what_it_imports():
    declared = tomllib.loads(PROJECT.read_text("utf-8"))["project"]["dependencies"]
    names = {re.match(r"[\w-]+", each)[0].replace("scikit-learn", "sklearn") for each in declared}
    imports = set().union(*foreign_imports().values())
    assert names == imports - sys.stdlib_module_names - OPTIONAL


def test_no_file_is_a_hall():
    """A newcomer reads a file in one go."""
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text("utf-8").splitlines()) <= 500, path.name


def test_every_public_name_and_every_file_has_a_docstring():
    for name in backprop_mlp.__all__:
        assert getattr(backprop_mlp, name).__doc__
    for path in PACKAGE.rglob("*.py"):
        assert ast.get_docstring(parsed(path)), path
