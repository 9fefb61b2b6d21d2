"""The main job and the data that it reads. The other examples are run by .ci/run."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backprop_mlp import load_ex4_data

ROOT = Path(__file__).parents[2]

pytest.importorskip("matplotlib", reason="the examples draw pictures")


def run(script, *options):
    """What a script prints."""
    command = [sys.executable, ROOT / script, *options]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def accuracy(printed, rows):
    return float(re.search(rf"Accuracy on +\d+ {rows} rows: ([\d.]+) %", printed)[1])


PICTURES = {"digits", "gradient_check", "hidden_units", "loss_curve", "mistakes"}


def test_the_main_job_checks_trains_and_draws(tmp_path):
    printed = run("examples/ex4_digits.py", "--output", tmp_path)
    assert "Gradient check passed" in printed
    assert "of its coordinates: relative difference" in printed
    assert "FAILED" not in printed
    assert accuracy(printed, "training") >= 95.0
    assert accuracy(printed, "held-out") >= 95.0
    assert {path.name for path in tmp_path.iterdir()} == {f"ex4_{name}.png" for name in PICTURES}


@pytest.mark.slow
def test_the_main_job_reaches_the_figures_of_the_exercise(ex4_path, tmp_path):
    files = ("--data", ex4_path / "ex4data1.mat", "--weights", ex4_path / "ex4weights.mat")
    printed = run("examples/ex4_digits.py", *files, "--output", tmp_path)
    for alpha, cost in ((0, "0.287629"), (1, "0.383770"), (3, "0.576051")):
        assert f"lambda {alpha}: {cost}\n" in printed
    assert "Accuracy of the given weights: 97.52 %" in printed
    assert accuracy(printed, "training") >= 95.0


def test_the_digits_are_what_their_script_makes(tmp_path):
    """But for rounding to the next grey level, should another SciPy resize differently."""
    path = tmp_path / "digits.mat"
    run("data/make_digits20x20.py", path)
    X, y = load_ex4_data(ROOT / "data" / "digits20x20.mat")
    X_made, y_made = load_ex4_data(path)
    np.testing.assert_array_equal(y, y_made)
    np.testing.assert_allclose(X, X_made, atol=1 / 64)


def test_the_digits_are_stored_as_in_the_exercise():
    X, y = load_ex4_data(ROOT / "data" / "digits20x20.mat")
    assert X.shape == (1797, 400)
    assert 0.0 == X.min() < X.max() == 1.0
    assert sorted(set(y)) == [*range(1, 11)]
    np.testing.assert_array_equal(X * 64, np.rint(X * 64))


def test_the_pixels_of_a_digit_follow_column_by_column():
    """A one is high and narrow: its ink fills few columns and many rows."""
    X, y = load_ex4_data(ROOT / "data" / "digits20x20.mat")
    ones = X[y == 1].mean(axis=0).reshape(20, 20, order="F")
    rows, columns = (np.ptp(np.flatnonzero(ones.mean(axis=axis) > 0.2)) for axis in (1, 0))
    assert rows > 1.5 * columns
