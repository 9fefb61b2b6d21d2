"""The pruning callback of the page on callbacks, with a stand-in for Optuna."""

import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale

from backprop_mlp import BackpropMLPClassifier

pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "callbacks.md"
SOLVERS = ["cg", "lbfgs", "newton-cg", "adam", "sgd"]

X, y = load_iris(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(scale(X), y, stratify=y, random_state=0)


class TrialPruned(Exception):  # noqa: N818
    """Stands for `optuna.TrialPruned`."""


class Trial:
    """Stands for `optuna.Trial`: wants to end after some reports."""

    def __init__(self, patience=np.inf):
        self.patience = patience
        self.reports = {}

    def suggest_float(self, name, low, high, *, log):
        return (low * high) ** 0.5 if log else (low + high) / 2.0

    def report(self, value, step):
        assert isinstance(value, float)
        assert step not in self.reports
        self.reports[step] = value

    def should_prune(self):
        return len(self.reports) >= self.patience


class Study:
    """Stands for `optuna.Study`: only keeps what it is to do."""

    def __init__(self, direction):
        self.direction = direction

    def optimize(self, objective, n_trials):
        self.objective = objective
        self.n_trials = n_trials


@pytest.fixture
def page(monkeypatch):
    """What the page's block defines."""
    optuna = ModuleType("optuna")
    vars(optuna).update(TrialPruned=TrialPruned, create_study=Study)
    monkeypatch.setitem(sys.modules, "optuna", optuna)
    text = PAGE.read_text("utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    (code,) = [block for block in blocks if "import optuna" in block]
    namespace: dict = {}
    exec(compile(code, PAGE.name, "exec"), namespace)
    return namespace


def network(solver):
    return BackpropMLPClassifier(5, solver=solver, max_iter=9, tol=0.0, random_state=0)


def fit(model):
    return model.fit(X_train, y_train, X_val=X_val, y_val=y_val)


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_iteration_is_reported_with_its_validation_score(page, solver):
    trial = Trial()
    model = fit(network(solver).set_callbacks(page["Pruning"](trial)))
    assert list(trial.reports) == list(range(model.n_iter_))
    assert list(trial.reports.values()) == fit(network(solver)).validation_scores_


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_trial_without_hope_ends_at_once(page, solver):
    trial = Trial(patience=3)
    model = network(solver).set_callbacks(page["Pruning"](trial))
    with pytest.raises(TrialPruned):
        fit(model)
    assert list(trial.reports) == [0, 1, 2]
    assert not hasattr(model, "coefs_")


def test_the_study_maximises_the_score_of_the_fitted_network(page):
    study, trial = page["study"], Trial()
    assert study.direction == "maximize"
    assert study.n_trials == 20
    assert study.objective(trial) == pytest.approx(list(trial.reports.values())[-1])


def test_the_objective_of_the_study_is_pruned(page):
    trial = Trial(patience=5)
    with pytest.raises(TrialPruned):
        page["study"].objective(trial)
    assert len(trial.reports) == 5
