"""The code of the README and of the site's pages runs, each block on its own.

The README's shell commands are run by .ci/run.
"""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from backprop_mlp import BackpropMLPClassifier

matplotlib = pytest.importorskip("matplotlib", reason="the pages draw pictures")
pytest.importorskip("matplotlib.pyplot")

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]


def blocks_of(page):
    """(language, code) of each block of a page; directives of the site are in braces."""
    return re.findall(
        r"^```([\w{}-]*)[^\n]*\n(.*?)^```$", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE
    )


def name_of(page):
    return page.relative_to(ROOT).with_suffix("").as_posix()


BLOCKS = blocks_of(README)
# Code that stands on two pages is run once.
CODE = {
    code: f"{name_of(page)}: {code.splitlines()[-1][:40]}"
    for page in PAGES
    for language, code in blocks_of(page)
    if language == "python"
}
PYTHON = [pytest.param(code, id=name) for code, name in CODE.items()]
SHELL = [code for language, code in BLOCKS if language == "sh"]


@pytest.mark.filterwarnings("always:Training ended:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("always:y is crowded next to the huber_threshold")
@pytest.mark.parametrize("code", PYTHON)
def test_python_block(code, monkeypatch):
    """A page on which a fit ends too early says so."""
    monkeypatch.chdir(ROOT)
    with warnings.catch_warnings(record=True) as given:
        exec(compile(code, "page", "exec"), {"__name__": "__main__"})
    matplotlib.pyplot.close("all")
    if any(issubclass(warning.category, ConvergenceWarning) for warning in given):
        pages = [page for page in PAGES if ("python", code) in blocks_of(page)]
        assert all("ConvergenceWarning" in page.read_text("utf-8") for page in pages)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_is_run_by_someone(page):
    """What is not Python is a directive, a command line without a language, or the README's."""
    languages = {language for language, _ in blocks_of(page) if not language.startswith("{")}
    assert languages <= ({"python", "sh"} if page == README else {"python", ""})


def test_the_first_two_blocks_run_the_main_job_and_the_tests():
    """Those that .ci/run takes."""
    assert [language for language, _ in BLOCKS[:2]] == ["sh", "sh"]
    assert "examples/ex4_digits.py" in SHELL[0]
    assert "-m pytest" in SHELL[1]


def test_the_readme_is_a_page_and_no_scroll():
    assert len(README.read_text("utf-8").splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_of_the_project_that_is_named_exists(page):
    """Pictures and pages that are linked, and paths in code marks; the site's own are built."""
    text = page.read_text("utf-8")
    linked = re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", text)
    named = re.findall(r"`((?:docs|examples|benchmarks|data|tests)/[\w./]*)`", text)
    built = [path for path in linked if re.search(r"(gallery|reference)/[\w.]+\.rst$", path)]
    missing = [path for path in linked if not (path in built or (page.parent / path).exists())]
    made = ("docs/_build", "examples/pictures")
    missing += [path for path in named if not (path.startswith(made) or (ROOT / path).exists())]
    # A page of the gallery is an example.
    for path in built:
        stem = Path(path).stem
        if "gallery" in path and stem != "index" and not (ROOT / f"examples/{stem}.py").exists():
            missing.append(path)
    assert missing == []


def test_every_page_of_the_guide_is_reached_from_its_folder():
    for folder in ("guide", "how", "extending", "measured"):
        index = (ROOT / "docs" / folder / "index.md").read_text("utf-8")
        toctree = re.search(
            r"^```{toctree}\n:hidden:\n\n(.*?)^```$", index, re.DOTALL | re.MULTILINE
        )
        pages = {path.stem for path in (ROOT / "docs" / folder).glob("*.md")} - {"index"}
        assert set(toctree[1].split()) == pages, folder


def test_every_example_has_a_title_and_words():
    for path in (ROOT / "examples").glob("[!_]*.py"):
        assert re.match(r'"""\n(.+)\n=+\n\n\w', path.read_text("utf-8")), path.name


# What the pages say about MLPClassifier


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
