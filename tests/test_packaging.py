"""What is distributed: nothing is missing, nothing is superfluous, and it installs and works."""

import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_page_on_installing_names_the_oldest_versions():
    page = (ROOT / "docs" / "start.md").read_text("utf-8").lower()
    (needed,) = (line for line in page.splitlines() if line.startswith("it needs "))
    assert [r for r in PROJECT["dependencies"] if r.replace(">=", " ") not in needed] == []


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The wheel and the source distribution, built as for a release."""
    pytest.importorskip("build", reason="python -m build makes the distributions")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--outdir", folder, ROOT]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, source


@pytest.mark.slow
def test_the_metadata_are_complete(built):
    wheel, _ = built
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        known = message_from_bytes(archive.read(name))
    assert known["Name"] == "backprop-mlp"
    assert known["Version"] == PROJECT["version"]
    assert known["License-Expression"] == "BSD-3-Clause"
    assert known["Requires-Python"] == ">=3.11"
    assert known["Summary"]
    assert "Typing :: Typed" in known.get_all("Classifier")
    assert {"dask", "onnx", "plot", "progress", "test"} <= set(known.get_all("Provides-Extra"))
    description = known.get_payload(decode=True).decode()
    assert description.split() == (ROOT / "README.md").read_text("utf-8").split()
    # There is no web site to lead to.
    assert known.get_all("Project-URL") is None


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_else(built):
    wheel, _ = built
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    information = f"backprop_mlp-{PROJECT['version']}.dist-info"
    package = {name for name in names if not name.startswith(information)}
    source = ROOT / "src"
    expected = {
        path.relative_to(source).as_posix()
        for path in (source / "backprop_mlp").rglob("*")
        if path.suffix in {".py", ".typed"}
    }
    assert package == expected
    assert {
        f"{information}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "licenses/LICENSE")
    } == names - package


@pytest.mark.slow
def test_the_source_distribution_holds_what_its_tests_and_examples_need(built):
    _, source = built
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for folder, pattern in (
        ("src/backprop_mlp", "*.py"),
        ("tests", "*.py"),
        ("examples", "*.py"),
        ("data", "*"),
    ):
        here = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).glob(pattern)}
        assert {name for name in here - names if not Path(name).match("data/ex4*")} == set()
    assert {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "PKG-INFO"} <= names
    # The exercise's own files are not ours to give, and pictures are made by the examples.
    assert not any(Path(name).match("data/ex4*") for name in names)
    assert not any(name.startswith("examples/pictures") for name in names)


@pytest.mark.slow
def test_the_wheel_works_in_an_empty_environment(built, tmp_path):
    """Without extras: doors that need one say which module is missing."""
    wheel, _ = built
    venv.create(tmp_path / "empty", with_pip=True)
    (python,) = (tmp_path / "empty").glob("*/python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", wheel], check=True)
    program = """
import importlib, sys
from sklearn.datasets import load_iris
from backprop_mlp import BackpropMLPClassifier, BackpropMLPClassifierCV
X, y = load_iris(return_X_y=True)
network = BackpropMLPClassifier(5, "tanh", random_state=0)
assert network.fit(X, y).score(X, y) > 0.9
assert BackpropMLPClassifierCV(network, alphas=2, cv=2).fit(X, y).score(X, y) > 0.9
for door, library in (("dask", "dask"), ("onnx", "skl2onnx")):
    try:
        importlib.import_module(f"backprop_mlp.{door}")
    except ModuleNotFoundError as error:
        assert error.name == library, error
    else:
        sys.exit(f"backprop_mlp.{door} does not need {library}")
"""
    subprocess.run([python, "-I", "-W", "ignore", "-c", program], check=True, cwd=tmp_path)
