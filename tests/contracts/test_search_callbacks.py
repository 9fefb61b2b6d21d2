"""scikit-learn's own callbacks on searches, whose fits run in threads or in processes."""

from io import StringIO

import pytest
from joblib import parallel_config
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backprop_mlp import BackpropMLPClassifier, BackpropMLPClassifierCV

callback = pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)

N_ITER = 3 * (3 + 1) + 3
"""The first fit of each of three paths, the second, and the last on all rows."""


def search():
    network = BackpropMLPClassifier(4, "tanh", max_iter=3, tol=0.0, random_state=0)
    return BackpropMLPClassifierCV(network, alphas=[0.1, 1.0], cv=3, n_jobs=2)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_scoring_monitor(backend):
    outside = callback.ScoringMonitor(scoring="accuracy")
    inside = callback.ScoringMonitor(scoring="accuracy")
    model = search().set_callbacks(outside)
    model.estimator.set_callbacks(inside)
    with parallel_config(backend):
        model.fit(X, y)
    (row,) = outside.get_logs().data
    assert row["accuracy"] == model.score(X, y)
    rows = inside.get_logs().data
    assert [row["task_name"] for row in rows].count("iteration") == N_ITER
    assert len({row["task_id_path"] for row in rows}) == len(rows)


def test_scoring_monitor_inside_a_parallel_grid_search():
    network = search().estimator
    monitor = callback.ScoringMonitor(scoring="accuracy")
    grid_search = GridSearchCV(
        network.set_params(max_iter=2).set_callbacks(monitor), {"alpha": [0.1, 1.0]}, cv=2, n_jobs=2
    )
    grid_search.fit(X, y)
    rows = monitor.get_logs().data
    # 2 values of alpha on 2 folds and the refit, 2 iterations each.
    assert [row["task_name"] for row in rows].count("iteration") == 5 * 2
    assert len({row["task_id_path"] for row in rows}) == len(rows)


@pytest.fixture
def progress(monkeypatch):
    """What the progress bars show in the end."""
    rich = pytest.importorskip("rich.console", reason="progress bars need rich")
    pytest.importorskip("rich.progress")
    shown = StringIO()
    console = rich.Console(file=shown, width=200, force_terminal=False)
    monkeypatch.setattr("rich._console", console)
    return shown.getvalue


@pytest.mark.parametrize("backend", ["threading", "loky"])
@pytest.mark.parametrize("n_init", [1, 2])
def test_progress_bar(progress, n_init, backend):
    model = search().set_params(estimator__n_init=n_init)
    pipeline = make_pipeline(StandardScaler(), model)
    pipeline.set_callbacks(callback.ProgressBar(max_propagation_depth=None))
    with parallel_config(backend):
        pipeline.fit(X, y)
    text = progress()
    assert text.count("BackpropMLPClassifierCV - fold") == 3
    assert text.count("BackpropMLPClassifierCV - alpha | BackpropMLPClassifier - fit") == 6
    assert text.count("BackpropMLPClassifierCV - refit | BackpropMLPClassifier - fit") == 1
    assert "100%" in text


def test_progress_bar_of_a_parallel_grid_search(progress):
    network = search().estimator
    grid_search = GridSearchCV(network, {"alpha": [0.1, 1.0]}, cv=2, n_jobs=2)
    grid_search.set_callbacks(callback.ProgressBar(max_propagation_depth=None)).fit(X, y)
    assert progress().count("BackpropMLPClassifier - fit") == 5
