"""What all tests share: no windows, seeded randomness, and the exercise's folder."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("MPLBACKEND", "Agg")


def pytest_configure(config):
    """Let our own advice be said: pytest would turn it into an error.

    In pyproject.toml the class's name would import the package before coverage is measured.
    """
    config.addinivalue_line("filterwarnings", "default::backprop_mlp.StrongPenaltyWarning")


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
