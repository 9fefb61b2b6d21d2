"""The longer jobs, each in an environment of its own: ``nox -l`` lists them."""

import tomllib
from pathlib import Path

import nox

nox.needs_version = ">=2024.10"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True

ROOT = Path(__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


@nox.session
def tests(session):
    """The tests, and which lines they run."""
    session.install("-e", ".[test]")
    session.run("pytest", "--cov", "--cov-report=term-missing", *session.posargs)


@nox.session
def lint(session):
    """Format and lint."""
    session.install("ruff>=0.8")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")


@nox.session
def types(session):
    """Types and docstrings."""
    session.install("-e", ".[test,lint]")
    session.run("mypy")
    tests = ["tests/contracts/test_types.py", "tests/test_docstrings.py"]
    session.run("pytest", "-m", "", *tests, *session.posargs)


@nox.session
def docs(session):
    """The site, with warnings as errors and every example run, and its test in a browser."""
    session.install("-e", ".[docs,test]")
    site = ["docs", "docs/_build/html"]
    session.run("python", "-m", "sphinx", "-W", "--keep-going", *session.posargs, *site)
    session.run("pytest", "-m", "", "tests/test_site.py")


@nox.session
def oldest(session):
    """The tests on the oldest versions that are declared."""
    session.install("-e", ".[test]", *(r.replace(">=", "==") for r in PROJECT["dependencies"]))
    session.run("pytest", *session.posargs)


@nox.session
def slow(session):
    """The tests that take more than a few seconds."""
    session.install("-e", ".[test]")
    session.run("pytest", "-m", "slow", *session.posargs)


@nox.session
def examples(session):
    """Every example, each within a minute of processor time."""
    session.install("-e", ".[examples]")
    for path in sorted((ROOT / "examples").glob("[!_]*.py")):
        limited = f'ulimit -t 60 && exec python "{path}"'
        session.run("bash", "-c", limited, external=True, env=ONE_THREAD)


@nox.session
def benchmarks(session):
    """Speed and memory on this machine."""
    session.install("-e", ".[test]")
    session.run("python", "benchmarks/run.py", *session.posargs)
