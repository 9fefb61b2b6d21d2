"""What all tests share: no windows, seeded randomness, and the exercise's folder."""

import gc
import hashlib
import os
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("MPLBACKEND", "Agg")

# They hold no examples, and of several named on one command line pytest would import one.
collect_ignore_glob = ["**/conftest.py"]


SAMPLE = 4
"""Cases of a test that are run, where it has more, without --whole-grids."""


def pytest_addoption(parser):
    """Let who has time run every case."""
    parser.addoption(
        "--whole-grids",
        action="store_true",
        help=f"run every case of the tests that have more than {SAMPLE}, not a sample of them",
    )


def pytest_collection_modifyitems(config, items):
    """Leave out most cases of large grids, but none that somebody asked for by name."""
    if unstable := [item.nodeid for item in items if " at 0x" in item.nodeid]:
        raise pytest.UsageError(f"names of tests must be the same in every run: {unstable}")
    asked_for = config.option.keyword or any("[" in str(arg) for arg in config.args)
    if config.option.whole_grids or asked_for:
        return
    grids = defaultdict(list)
    for item in items:
        if hasattr(item, "callspec"):
            grids[item.nodeid.partition("[")[0]].append(item)
    left_out = {item for cases in grids.values() for item in set(cases) - sampled(cases)}
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def pytest_collection_finish():
    """Spare garbage collection what stays to the end: modules, and thousands of tests."""
    gc.freeze()
    gc.enable()


def sampled(cases):
    """Some cases of a test, the same in every run: each part of their names is in one.

    Slow ones are not counted, for they are run apart.
    """
    chosen, seen = set(), set()
    by_lot = sorted(cases, key=lambda item: hashlib.sha256(item.nodeid.encode()).digest())
    for item in by_lot:
        parts = set(item.callspec.id.split("-"))
        if item.get_closest_marker("slow") or not parts <= seen:
            chosen.add(item)
            seen |= parts
    for item in by_lot:
        if len(chosen) >= SAMPLE:
            break
        chosen.add(item)
    return chosen


def pytest_configure(config):
    """Let advice be said: pytest would turn it into an error.

    In pyproject.toml the classes' names would import the package before coverage is measured,
    and scikit-learn in the process of pytest-xdist that runs no test.
    """
    if getattr(config.option, "dist", "no") != "no" and not hasattr(config, "workerinput"):
        return
    gc.disable()  # until the tests are collected
    for advice in ("sklearn.exceptions.ConvergenceWarning", "backprop_mlp.StrongPenaltyWarning"):
        config.addinivalue_line("filterwarnings", f"default::{advice}")


@pytest.fixture(autouse=True)
def no_figure_is_left():
    """Close what a test has drawn: displays make figures of their own."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(autouse=True)
def seeded():
    """Let each test find NumPy's own generator, which random_state=None uses, in one state."""
    np.random.seed(0)  # noqa: NPY002


@pytest.fixture(scope="session")
def ex4_path():
    """The folder with the exercise's own files, which are not part of the project."""
    folder = os.environ.get("EX4_DATA")
    if not folder:
        pytest.skip("needs the exercise's files: let EX4_DATA name their folder")
    return Path(folder)
