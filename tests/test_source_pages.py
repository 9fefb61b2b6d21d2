"""What the pages on how it works and how it is extended say of the source."""

import re
from itertools import islice
from pathlib import Path

import pytest
from keywords import FULL_BATCH, MINI_BATCH, READ_BY_SOME

from backprop_mlp._estimator.assembly import MINI_BATCH_SOLVERS
from backprop_mlp._estimator.ignored_keywords import READERS
from backprop_mlp._network.activations import ACTIVATIONS
from backprop_mlp._solvers import kronecker, secants
from backprop_mlp._solvers.full_batch import METHODS
from backprop_mlp._targets.exclusive import ExclusiveClasses
from backprop_mlp._targets.multilabel import Labels
from backprop_mlp._targets.targets import ClassTargets

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "backprop_mlp"
PAGES = sorted((*ROOT.glob("docs/how/*.md"), *ROOT.glob("docs/extending/*.md")))
TOUR = ROOT / "docs" / "how" / "source.md"
PLACE = re.compile(r"(?<![\w/.])(?:[\w.]+/)*\w+\.(?:py|md)(?![\w(])|(?<=`)(?:\w+/)+(?=`)")
"""A file or, between backquotes, a folder."""


def named_places(line):
    """(name, path or None) of all that a line names; short names stand next to the one before."""
    folder = PACKAGE
    for name in PLACE.findall(line):
        found = [base / name for base in (folder, PACKAGE, ROOT) if (base / name).exists()]
        yield name, found[0] if found else None
        if found and PACKAGE in found[0].parents:
            folder = found[0] if found[0].is_dir() else found[0].parent


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page):
    lines = re.sub(r"\]\([^)]*\)", "]", page.read_text(encoding="utf-8")).splitlines()
    missing = [
        name for line in lines for name, place in named_places(line.strip()) if place is None
    ]
    assert missing == []


def test_every_module_has_a_place_in_the_tour():
    rows = [line for line in TOUR.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    named = {place for row in rows for _, place in named_places(row)}
    modules = [path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"]
    assert [path.name for path in modules if not named & {path, path.parent}] == []


def test_every_table_that_the_pages_on_extending_name_stands_in_the_file():
    index = (ROOT / "docs" / "extending" / "index.md").read_text(encoding="utf-8")
    named = re.findall(r"row of ((?:`[A-Z_]+`(?: or )?)+) in `([\w/]+\.py)`", index)
    assert named
    for tables, file in named:
        source = (PACKAGE / file).read_text(encoding="utf-8")
        for table in re.findall("`([A-Z_]+)`", tables):
            assert re.search(rf"^{table}\b.* = ", source, flags=re.MULTILINE), (table, file)


@pytest.mark.parametrize("page", ["index.md", "loss.md"])
def test_the_method_by_which_targets_choose_a_loss_is_named_as_in_the_source(page):
    text = " ".join((ROOT / "docs" / "extending" / page).read_text(encoding="utf-8").split())
    named = re.findall(r"`(\w+)` of (?:the|their kind of) targets in `_targets/`", text)
    assert named == ["choose_loss"]
    assert all(hasattr(kind, *named) for kind in (ClassTargets, ExclusiveClasses, Labels))


def test_the_tests_of_all_solvers_know_every_solver_and_what_it_reads():
    assert set(FULL_BATCH) == set(METHODS)
    assert set(MINI_BATCH) == set(MINI_BATCH_SOLVERS)
    known = {keyword: set(solvers) for keyword, solvers in READ_BY_SOME.items()}
    assert known == {keyword: set(readers.solvers) for keyword, readers in READERS.items()}


def test_the_page_on_coordinates_has_the_numbers_of_the_source():
    page = " ".join((ROOT / "docs" / "how" / "coordinates.md").read_text(encoding="utf-8").split())
    built_at = ", ".join(map(str, islice(kronecker.BUILT_AT, 5)))
    for claim in (
        rf"a damping $\lambda = {kronecker.DAMPING:g}$",
        f"measured at some iterations ({built_at}, ...)",
        f"is not zero, from iteration {kronecker.BUILT_LATE[0]} on",
    ):
        assert claim in page
    words = {10: "ten"}
    assert f"At most {words[secants.N_STEPS]} steps are kept" in page
    assert f"starts again every {words[METHODS['cg'].stretch]} iterations" in page
    assert "one half behind logistic units, zero behind tanh and relu" in page
    assert [ACTIVATIONS[name].centre for name in ("logistic", "tanh", "relu")] == [0.5, 0.0, 0.0]
