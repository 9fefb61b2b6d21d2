"""The pruning callback that the documentation shows, with a stand-in for Optuna's trial."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale

from backprop_mlp import BackpropMLPClassifier

pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(scale(X), y, stratify=y, random_state=0)


class TrialPruned(Exception):  # noqa: N818
    """Stands for `optuna.TrialPruned`."""


class Trial:
    """Stands for `optuna.Trial`: wants to end after some reports."""

    def __init__(self, patience=np.inf):
        self.patience = patience
        self.reports = {}

    def report(self, value, step):
        assert isinstance(value, float)
        assert step not in self.reports
        self.reports[step] = value

    def should_prune(self):
        return len(self.reports) >= self.patience


class Pruning:
    """Reports the validation score after every iteration, and ends a trial without hope."""

    def __init__(self, trial, X_val, y_val):
        self.trial = trial
        self.X_val = X_val
        self.y_val = y_val

    def setup(self, estimator, context): ...

    def teardown(self, estimator, context): ...

    def on_fit_task_begin(self, estimator, context): ...

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name == "iteration":
            score = fitted_estimator.score(self.X_val, self.y_val)
            self.trial.report(score, step=context.task_id)
            if self.trial.should_prune():
                raise TrialPruned


def network(solver):
    return BackpropMLPClassifier(5, solver=solver, max_iter=9, tol=0.0, random_state=0)


@pytest.mark.parametrize("solver", ["cg", "lbfgs", "newton-cg", "adam", "sgd"])
def test_every_iteration_is_reported_with_its_validation_score(solver):
    trial = Trial()
    model = network(solver).set_callbacks(Pruning(trial, X_val, y_val)).fit(X_train, y_train)
    watched = network(solver).fit(X_train, y_train, X_val=X_val, y_val=y_val)
    assert list(trial.reports) == list(range(model.n_iter_))
    np.testing.assert_allclose(list(trial.reports.values()), watched.validation_scores_)


@pytest.mark.parametrize("solver", ["cg", "lbfgs", "newton-cg", "adam", "sgd"])
def test_a_trial_without_hope_ends_at_once(solver):
    trial = Trial(patience=3)
    model = network(solver).set_callbacks(Pruning(trial, X_val, y_val))
    with pytest.raises(TrialPruned):
        model.fit(X_train, y_train)
    assert list(trial.reports) == [0, 1, 2]
    assert not hasattr(model, "coefs_")
