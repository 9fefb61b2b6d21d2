"""
One grid over this classifier and scikit-learn's
================================================

One pipeline, one grid, two classifiers: this one and scikit-learn's MLPClassifier.

Both take the same keywords, so that one grid searches over both. All else is
left at each one's defaults: conjugate gradient against Adam, for up to 200
iterations or epochs. Every cell of the grid is in the table, whoever is ahead
there. Each fit has one thread, so that times compare. The same alpha is a stronger
penalty in MLPClassifier with Adam, which divides it by the rows of a mini-batch
instead of all rows.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from _pictures import argument_parser, save
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from backprop_mlp import BackpropMLPClassifier

# %%
# Both classifiers stand in the grid as values of one step of the pipeline.

PROBLEMS = {
    "digits": load_digits,
    "breast cancer": load_breast_cancer,
    "wine": load_wine,
}

CLASSIFIERS = [BackpropMLPClassifier(random_state=0), MLPClassifier(random_state=0)]

ALPHAS = [0.1, 1.0, 10.0]
WIDTHS = [25, 100]

VERDICTS = {-1.0: "ours", 0.0: "equal", 1.0: "theirs"}

GRID = {
    "classifier": CLASSIFIERS,
    "classifier__hidden_layer_sizes": [(width,) for width in WIDTHS],
    "classifier__alpha": ALPHAS,
}


def search(X, y):
    """Accuracy, its spread over the folds, and seconds per fit.

    Each is an array of shape (classifiers, widths, alphas).
    """
    pipeline = Pipeline([("scaler", StandardScaler()), ("classifier", None)])
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    search = GridSearchCV(pipeline, GRID, scoring="accuracy", cv=folds, refit=False)
    with warnings.catch_warnings(), threadpool_limits(1):
        # 200 iterations or epochs are not always enough; that is part of the comparison.
        warnings.simplefilter("ignore", ConvergenceWarning)
        results = search.fit(X, y).cv_results_
    shape = (len(CLASSIFIERS), len(WIDTHS), len(ALPHAS))
    cells = np.empty((3, *shape))
    for number, params in enumerate(results["params"]):
        cell = (
            CLASSIFIERS.index(params["classifier"]),
            WIDTHS.index(*params["classifier__hidden_layer_sizes"]),
            ALPHAS.index(params["classifier__alpha"]),
        )
        for kind, name in enumerate(("mean_test_score", "std_test_score", "mean_fit_time")):
            cells[kind][cell] = results[name][number]
    return cells


def print_table(problem, cells):
    """A row per cell of the grid, ours next to theirs."""
    accuracy, spread, seconds = cells
    for width in range(len(WIDTHS)):
        for alpha in range(len(ALPHAS)):
            cell = (slice(None), width, alpha)
            columns = "".join(
                f"{100 * mean:10.1f} +- {100 * deviation:3.1f} %{time:8.2f} s"
                for mean, deviation, time in zip(
                    accuracy[cell], spread[cell], seconds[cell], strict=True
                )
            )
            ahead = VERDICTS[np.sign(np.diff(accuracy[cell])).item()]
            print(f"{problem:14}{WIDTHS[width]:5d}{ALPHAS[alpha]:6g}{columns}   {ahead}")


def draw(axes, problem, cells):
    """Accuracy above, seconds per fit below."""
    accuracy, spread, seconds = cells
    names = [type(classifier).__name__ for classifier in CLASSIFIERS]
    for classifier, (name, color, marker) in enumerate(zip(names, ("C0", "C1"), "os", strict=True)):
        for width, linestyle in enumerate((":", "-")):
            style = {
                "color": color,
                "marker": marker,
                "linestyle": linestyle,
                "label": f"{name}, {WIDTHS[width]} units",
            }
            # A little apart, so that no bar hides another.
            x = np.array(ALPHAS) * 1.12 ** (2 * classifier + width - 1.5)
            cell = (classifier, width)
            axes[0].errorbar(x, 100 * accuracy[cell], 100 * spread[cell], capsize=3, **style)
            axes[1].plot(x, seconds[cell], **style)
    axes[0].set(title=problem, xscale="log")
    axes[1].set(xlabel="alpha", xscale="log", ylim=(0.0, None))


# %%
# The table has every cell of the grid, and who is ahead there. All else is at each one's defaults,
# so this compares defaults, not the best that either can do.

options = argument_parser(__doc__).parse_args()
figure, axes = plt.subplots(
    2, len(PROBLEMS), figsize=(13.0, 7.6), sharex=True, layout="constrained"
)
header = f"{'problem':14}{'units':>5}{'alpha':>6}"
print(header + "".join(f"{type(each).__name__:>27}" for each in CLASSIFIERS) + "   ahead")
for column, (problem, load) in zip(axes.T, PROBLEMS.items(), strict=True):
    cells = search(*load(return_X_y=True))
    print_table(problem, cells)
    draw(column, problem, cells)
axes[0, 0].set_ylabel("Accuracy in 3 folds, %")
axes[1, 0].set_ylabel("Seconds per fit, one thread")
axes[0, 2].yaxis.get_major_locator().set_params(integer=True)
figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
save(figure, options.output, "grid_search_vs_mlpclassifier")
