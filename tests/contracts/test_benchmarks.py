"""The benchmark commands run, on little data, and write what can be drawn. No time is judged."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris

FOLDER = Path(__file__).parents[2] / "benchmarks"
GROUPS = {"evaluation", "fit", "wide", "centring", "prediction", "growth", "memory", "import"}


def run(script, *options):
    """What a script prints."""
    command = [sys.executable, FOLDER / script, *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_unknown_group_is_refused():
    command = [sys.executable, FOLDER / "run.py", "evaluations"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "no such group: evaluations" in done.stderr


@pytest.mark.slow
def test_every_group_measures_and_is_drawn(tmp_path):
    pytest.importorskip("matplotlib", reason="the figures are drawn with matplotlib")
    path = tmp_path / "figures.json"
    small = ("--scale", 0.01, "--repeats", 1, "--map-gib", 0.01)
    printed = run("run.py", *small, "--json", path)
    found = json.loads(path.read_text())
    assert found["machine"]["CPU"] in printed
    groups = {row["group"] for row in found["rows"]}
    assert ("dask" in groups) == (find_spec("distributed") is not None)
    assert groups >= (GROUPS if sys.platform == "linux" else GROUPS - {"memory"})
    assert all(row["low"] <= row["figure"] <= row["high"] for row in found["rows"])
    run("draw.py", path, "--output", tmp_path)
    pictures = {path.stem.removeprefix("figures_") for path in tmp_path.glob("*.png")}
    speeds = {"speed_evaluation", "speed_fit", "speed_prediction"}
    assert pictures - {"speed_torch"} == speeds | {"spending", "growth"}


def test_evaluations_to_a_cost_need_the_tables(monkeypatch):
    monkeypatch.delenv("TABLES", raising=False)
    assert "skipped: needs real tables" in run("run.py", "evaluations_to_cost")


def test_tables_are_compared_by_both_measures(tmp_path, monkeypatch):
    X, y = load_iris(return_X_y=True)
    folder = tmp_path / "classification"
    folder.mkdir()
    for name, columns in (("all", slice(None)), ("first", slice(2))):
        np.savez(folder / f"{name}.npz", X=X[:, columns], y=y)
    monkeypatch.setenv("TABLES", str(tmp_path))
    names = ("defaults", "HistGradientBoosting")
    small = ("--folders", "classification", "--n-folds", 1, "--models", *names)
    printed = run("tables.py", *small, "--json", tmp_path / "figures.json")
    assert "classification: 2 tables" in printed
    for name in names:
        (row,) = [line for line in printed.splitlines() if line.startswith(f"| {name} |")]
        assert 0.5 < float(row.split("|")[2]) <= 1.0
    # The second call finds every figure in the file.
    assert run("tables.py", *small, "--json", tmp_path / "figures.json") == printed


def test_tables_need_their_folder(monkeypatch):
    monkeypatch.delenv("TABLES", raising=False)
    command = [sys.executable, FOLDER / "tables.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Set TABLES" in done.stderr
