"""What a type checker, and so an editor, says of code that uses the package: nothing.

pyright reads the code and does not run it. It comes with the extra lint.
"""

import inspect
import json
import re
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from test_docstrings import public_modules, public_objects

pytest.importorskip("pyright", reason="pyright comes with the extra lint")

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

USES = {
    "keywords": """
        BackpropMLPClassifier(25)
        BackpropMLPClassifier((8, 8), activation=("tanh", "relu"), dropout=[0.3, 0.1])
        BackpropMLPClassifier([8, 8], ["tanh", "relu"], dropout=0.5, batch_norm=True)
        BackpropMLPClassifier(np.array([8, 8]), "logistic", initializer="uniform", alpha=1)
        BackpropMLPClassifier(8, learning_rate=Cosine(0.01, horizon=1000), batch_size=50)
        BackpropMLPClassifier(8, learning_rate=lambda step: 0.1 / (1 + step))
        BackpropMLPClassifier(8, initializer=GlorotUniform(), max_grad_norm=5.0)
        BackpropMLPClassifier(8, initializer=lambda rng, i, o: rng.normal(0, 0.1, (i, o)))
        BackpropMLPClassifier(8, class_weight="balanced", scoring="loss", early_stopping=True)
        BackpropMLPClassifier(8, class_weight={0: 1, 1: 2.5}, scoring=lambda clf, X, y: 0.5)
        BackpropMLPClassifier(8, class_weight=[{0: 1.0, 1: 2.0}, {1: 3}])
        counts = {label: 1 + label for label in (0, 1)}
        BackpropMLPClassifier(8, class_weight=counts)
        BackpropMLPClassifier(8, class_weight=[counts, counts])
        BackpropMLPClassifier(8, n_iter_no_change=np.inf, random_state=np.random.RandomState(0))
        BackpropMLPClassifier(8, n_init=3, n_jobs=2, random_state=0, verbose=1)
        BackpropMLPClassifierCV(BackpropMLPClassifier(25), alphas=[0.1, 1.0, 10.0], cv=3)
        BackpropMLPClassifierCV(alphas=np.logspace(-2, 2, 5), cv=KFold(3), scoring="neg_log_loss")
    """,
    "names from elsewhere": """
        for solver in ["adam", "sgd"]:
            BackpropMLPClassifier(8, solver=solver)
        for settings in ({"solver": "lbfgs", "max_iter": 1000}, {"solver": "adam", "tol": 0.1}):
            BackpropMLPClassifier(25, "logistic", random_state=0, **settings).fit(X, y)
    """,
    "fitted": """
        clf = BackpropMLPClassifier(8).fit(X, y, X_val=X, y_val=y)
        print(clf.predict_proba(X)[:, 1], clf.predict(X).mean(), (clf.predict(X) == y).mean())
        print(clf.decision_function(X).shape, clf.predict_log_proba(X).min(axis=0))
        print(clf.coefs_[0].shape, clf.intercepts_[-1] + 1.0, clf.thetas_[0][:, 1:], clf.classes_)
        print(f"{clf.loss_:.3f}", clf.n_iter_ + 1, clf.loss_curve_[-1], clf.validation_scores_[-1])
        print(clf.score(X, y) > 0.5, clf.cost(X, y) + 1.0, clf.cost_gradient(X, y)[1][0].shape)
        print(clf.partial_fit(X, y, classes=[0, 1, 2]).activations(X)[1])
        plain = BackpropMLPClassifier.from_thetas(clf.thetas_, classes=clf.classes_)
        print(plain.predict(X[:1]).tolist(), plain.set_params(alpha=2.0))
        summary: NetworkSummary = clf.summary()
        output: LayerSummary = summary.layers[-1]
        print(summary.n_params - output.n_params)
    """,
    "search": """
        search = BackpropMLPClassifierCV(alphas=5).fit(X, y)
        print(f"{search.alpha_:.2f}", search.scores_.mean(axis=1), search.best_estimator_.coefs_[0])
        print(search.predict_proba(X)[:, 1], search.score(X, y) > 0.5, search.best_score_ + 1.0)
    """,
    "diagnostics and displays": """
        clf = BackpropMLPClassifier(8, solver="sgd")
        check = check_gradient(clf, X, y, max_coordinates=10)
        print(check.passed, f"{check.relative_difference:.1g}", [str(b) for b in check.blocks])
        worst: BlockCheck = max(check.blocks, key=lambda block: block.relative_difference)
        print(worst.name, worst.advice)
        print(f"{learning_rate_range_test(clf, X, y, n_steps=50).suggestion:.2g}")
        display = LossCurveDisplay.from_estimator({"sgd": clf.fit(X, y)}, color="black")
        display.plot().figure_.savefig("curve.png")
        HiddenUnitsDisplay.from_estimator(clf, image_shape=(2, 2), order="C").ax_.set_title("units")
        HiddenUnitsDisplay.from_estimator(clf, image_shape=[2, 2])
        LossCurveDisplay({None: [3.0, 2.0], 0.1: [3.0, 1.0]}, {None: [3.0, 2.5]}).plot()
        LossCurveDisplay({str(alpha): np.ones(3) for alpha in (1, 2)}).plot()
        images, labels = load_ex4_data("ex4data1.mat", zero_label=0)
        ImageGridDisplay.from_rows(images[labels == 1], n_columns=5)
        ImageGridDisplay.from_rows(X, image_shape=np.ones((3, 2, 2)).shape[1:])
    """,
}

REVEALED = {
    "clf.fit(X, y)": "BackpropMLPClassifier",
    "clf.fit(X, y).predict(X)": "ndarray",
    "clf.partial_fit(X, y, classes=[0, 1, 2])": "BackpropMLPClassifier",
    "regressor.fit(X, y)": "BackpropMLPRegressor",
    "regressor.partial_fit(X, y)": "BackpropMLPRegressor",
    "search.fit(X, y)": "BackpropMLPClassifierCV",
    "search.decision_function(X)": "ndarray",
    "search.predict(X)": "ndarray",
    "search.predict_proba(X)": "ndarray",
    "search.predict_log_proba(X)": "ndarray",
    "search.score(X, y)": "float",
    "regressor_search.fit(X, y)": "BackpropMLPRegressorCV",
    "regressor_search.predict(X)": "ndarray",
    "regressor_search.score(X, y)": "float",
    "PiecewiseLinearEncoder().fit(X, y)": "PiecewiseLinearEncoder",
    "DaskBackpropMLPClassifier(clf).fit(X, y)": "DaskBackpropMLPClassifier",
    "DaskBackpropMLPRegressor(regressor).fit(X, y)": "DaskBackpropMLPRegressor",
}
"""What type checkers make of calls of methods that scikit-learn's decorators wrap."""

NAMES = """
from backprop_mlp.dask import *

clf, regressor = BackpropMLPClassifier(8), BackpropMLPRegressor(8)
search, regressor_search = BackpropMLPClassifierCV(clf), BackpropMLPRegressorCV(regressor)
"""

IMPORTS = """
import numpy as np
from sklearn.datasets import load_iris
from sklearn.model_selection import KFold
from backprop_mlp import *
from backprop_mlp.initializers import GlorotUniform
from backprop_mlp.schedules import Cosine

X, y = load_iris(return_X_y=True)
"""


def python_blocks(page):
    return re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def errors(tmp_path_factory):
    """What pyright objects to, by the name of the code: all in one run."""
    folder = tmp_path_factory.mktemp("code")
    names = {}
    for page in PAGES:
        for number, code in enumerate(python_blocks(page)):
            path = folder / f"page_{len(names)}.py"
            path.write_text(code, "utf-8")
            names[path.name] = f"{page.relative_to(ROOT)}, block {number}"
    for name, code in USES.items():
        path = folder / f"use_{len(names)}.py"
        path.write_text(IMPORTS + inspect.cleandoc(code), "utf-8")
        names[path.name] = name
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    run = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    report = json.loads(run.stdout)
    assert report["summary"]["filesAnalyzed"] == len(names), run.stderr
    return [
        (names[Path(found["file"]).name], found["range"]["start"]["line"], found["message"])
        for found in report["generalDiagnostics"]
        if found["severity"] == "error"
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", USES)
def test_a_type_checker_has_no_objection_to_code_that_runs(name, errors):
    assert [error for error in errors if error[0] == name] == []


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_type_checker_has_no_objection_to_a_page(page, errors):
    assert [error for error in errors if error[0].startswith(f"{page.relative_to(ROOT)}, ")] == []


@pytest.mark.slow
@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_decorated_methods_keep_their_types(checker, tmp_path):
    pytest.importorskip(checker, reason=f"{checker} comes with the extra lint")
    path = tmp_path / "revealed.py"
    calls = [f"reveal_type({call})" for call in REVEALED]
    path.write_text("\n".join([IMPORTS, NAMES, *calls]), "utf-8")
    command = [sys.executable, "-m", checker, str(path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = re.findall(r"(?:Revealed type|Type of .*) is \"(?:\w+\.)*(\w+)", run.stdout)
    assert dict(zip(REVEALED, found, strict=True)) == REVEALED, run.stdout


WRONG = {
    "BackpropMLPClassifier(8, alpha='strong')": "reportArgumentType",
    "BackpropMLPClassifier(8).fit(X, y).coef_": "reportAttributeAccessIssue",
    # Errors at run time.
    "BackpropMLPClassifier(8, class_weight=({0: 1},))": "reportArgumentType",
    "BackpropMLPClassifier(8, class_weight=MappingProxyType({0: 1}))": "reportArgumentType",
    "check_gradient(8, X, y, random_state=None)": "reportArgumentType",
    "check_gradient(8, X, y, random_state=np.random.RandomState(0))": "reportArgumentType",
    "GradientCheckDisplay.from_estimator(8, X, y, random_state=None)": "reportArgumentType",
}
"""Code, and the rule of pyright's that it breaks."""


@pytest.mark.slow
def test_wrong_types_are_found(tmp_path):
    """Else the tests above would say nothing."""
    path = tmp_path / "wrong.py"
    path.write_text("\n".join([IMPORTS, "from types import MappingProxyType", *WRONG]), "utf-8")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    run = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    found = json.loads(run.stdout)["generalDiagnostics"]
    lines = path.read_text("utf-8").splitlines()
    rules = [(lines[each["range"]["start"]["line"]], each["rule"]) for each in found]
    assert rules == list(WRONG.items())


def test_everything_public_is_annotated():
    missing = []
    for name, _ in public_objects():
        thing = sys.modules["backprop_mlp"]
        for part in name.split(".")[1:]:
            thing = getattr(thing, part)
        if isinstance(thing, property):
            thing = thing.fget
        elif inspect.isclass(thing):
            thing = thing.__init__ if "__init__" in vars(thing) else None
        thing = inspect.unwrap(thing) if callable(thing) else None
        if thing is None or not inspect.isroutine(thing):
            continue
        signature = inspect.signature(thing)
        missing += [
            f"{name}({parameter.name})"
            for parameter in signature.parameters.values()
            if parameter.annotation is parameter.empty and parameter.name not in ("self", "cls")
        ]
        if thing.__name__ != "__init__" and signature.return_annotation is signature.empty:
            missing.append(f"{name} -> ?")
    assert missing == []


def returned_types(thing):
    """The type hints of what a public function returns, and of what a public class holds."""
    if not inspect.isclass(thing):
        yield get_type_hints(inspect.unwrap(thing)).get("return")
        return
    yield from get_type_hints(thing).values()
    for name, member in inspect.getmembers_static(thing):
        function = member
        if isinstance(member, property | cached_property | classmethod):
            function = getattr(member, "fget", None) or getattr(member, "func", None)
            function = function or member.__func__
        if not name.startswith("_") and inspect.isfunction(function):
            yield get_type_hints(inspect.unwrap(function)).get("return")


def classes_in(hint):
    """The classes that a type hint names."""
    if get_args(hint):
        return {cls for part in get_args(hint) for cls in classes_in(part)}
    return {hint} if inspect.isclass(hint) else set()


def test_what_is_returned_can_be_imported():
    public = {getattr(module, name) for module in public_modules() for name in module.__all__}
    returned = {
        cls
        for thing in public
        if callable(thing) and thing.__module__.startswith("backprop_mlp")
        for hint in returned_types(thing)
        for cls in classes_in(hint)
        if cls.__module__.startswith("backprop_mlp")
    }
    assert {"GradientCheck", "BlockCheck", "NetworkSummary"} <= {cls.__name__ for cls in returned}
    assert returned - public == set()
