"""The README's code runs, each block on its own. Its shell commands are run by .ci/run."""

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from backprop_mlp import BackpropMLPClassifier

matplotlib = pytest.importorskip("matplotlib", reason="the README draws pictures")

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README.read_text(), flags=re.DOTALL | re.MULTILINE)
PYTHON = [code for language, code in BLOCKS if language == "python"]
SHELL = [code for language, code in BLOCKS if language == "sh"]


@pytest.mark.filterwarnings("ignore:Training ended:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("code", PYTHON, ids=lambda code: code.splitlines()[-1][:40])
def test_python_block(code, monkeypatch):
    monkeypatch.chdir(README.parent)
    exec(compile(code, README.name, "exec"), {"__name__": "__main__"})
    matplotlib.pyplot.close("all")


def test_every_block_is_run_by_someone():
    assert {language for language, _ in BLOCKS} == {"python", "sh"}


def test_the_first_two_blocks_run_the_main_job_and_the_tests():
    """Those that .ci/run takes."""
    main_job, tests = SHELL
    assert [language for language, _ in BLOCKS[:2]] == ["sh", "sh"]
    assert "examples/ex4_digits.py" in main_job
    assert "-m pytest" in tests


def test_every_picture_and_script_that_is_named_exists():
    text = README.read_text()
    named = re.findall(
        r"\]\((examples/[^)]+)\)|`(examples/\w+\.py)`|^\| `(\w+\.py)` \|", text, re.M
    )
    paths = {f"examples/{script}" if script else picture or path for picture, path, script in named}
    assert len(paths) > 8
    assert [path for path in paths if not (README.parent / path).exists()] == []
    scripts = {f"examples/{path.name}" for path in README.parent.glob("examples/[!_]*.py")}
    assert scripts <= paths


# What the README says about MLPClassifier


def scaled_iris():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.fixture(scope="module")
def theirs():
    X, y = scaled_iris()
    classifier = MLPClassifier(5, solver="lbfgs", alpha=1.0, max_iter=1000, random_state=0)
    return classifier.fit(X.astype(np.float32), y), X.astype(np.float32), y


def test_every_keyword_of_mlpclassifier_is_there():
    assert MLPClassifier().get_params().keys() <= BackpropMLPClassifier().get_params().keys()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_fitted_attribute_of_mlpclassifier_is_there():
    X, y = load_iris(return_X_y=True)
    settings = {"solver": "adam", "max_iter": 2}
    fitted = [
        {name for name in vars(classifier.fit(X, y)) if name.endswith("_") and name[0] != "_"}
        for classifier in (MLPClassifier(**settings), BackpropMLPClassifier(**settings))
    ]
    assert fitted[0] <= fitted[1]


def test_mlpclassifier_has_none_of_these():
    for keyword in ("class_weight", "dropout", "batch_norm", "max_grad_norm", "initializer"):
        assert keyword not in MLPClassifier().get_params()
    for method in ("decision_function", "cost", "cost_gradient", "from_thetas"):
        assert not hasattr(MLPClassifier, method)


def test_mlpclassifier_with_lbfgs_has_no_loss_curve_and_float64_weights(theirs):
    classifier, _, _ = theirs
    assert not hasattr(classifier, "loss_curve_")
    assert classifier.coefs_[0].dtype == np.float64


def test_log_probabilities_of_mlpclassifier_may_be_infinite_and_ours_are_not(theirs):
    classifier, X, _ = theirs
    far = 1e3 * X
    with np.errstate(divide="ignore"):
        assert np.isneginf(classifier.predict_log_proba(far)).any()
    ours = BackpropMLPClassifier.from_thetas(
        [
            np.column_stack([b, W.T])
            for W, b in zip(classifier.coefs_, classifier.intercepts_, strict=True)
        ],
        output_activation="softmax",
    )
    assert np.isfinite(ours.predict_log_proba(far)).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_in_mlpclassifier_the_strength_of_alpha_depends_on_the_batch_size():
    """Its weights shrink with the batch; ours hardly move."""
    X, y = scaled_iris()

    def norms(make):
        fits = [make(batch_size=size).fit(X, y) for size in (10, 150)]
        return [np.sqrt(sum(np.sum(W**2) for W in fit.coefs_)) for fit in fits]

    settings = {
        "hidden_layer_sizes": (5,), "activation": "tanh", "solver": "adam", "alpha": 3.0,
        "learning_rate_init": 0.01, "max_iter": 150, "tol": 0.0, "n_iter_no_change": 1000,
        "random_state": 0,
    }  # fmt: skip
    small, large = norms(lambda batch_size: MLPClassifier(**settings, batch_size=batch_size))
    assert small < 0.8 * large
    small, large = norms(
        lambda batch_size: BackpropMLPClassifier(**settings, batch_size=batch_size)
    )
    assert small > 0.9 * large
