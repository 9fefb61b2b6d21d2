"""
Random search over four quantities
==================================

Random search over learning rate, width, dropout and batch normalisation.

Forty settings, drawn at random from distributions (the learning rate by its
logarithm), each cross-validated on half of the digits by scikit-learn's
`RandomizedSearchCV`. Every panel shows the same forty, over another quantity. What
matters has a shape: here the learning rate. The others are clouds. A grid of forty
would have tried two or three rates; random search has tried forty.

The table has the five best settings, and what the best one reads of the other half
next to the classifier with its default settings, for which nothing was searched.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from _pictures import argument_parser, save
from scipy.stats import loguniform, randint, uniform
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import RandomizedSearchCV, train_test_split

from backprop_mlp import BackpropMLPClassifier

# %%
# What is searched, and from which distribution each is drawn.

DISTRIBUTIONS = {
    "learning_rate_init": loguniform(1e-4, 1e-1),
    "hidden_layer_sizes": randint(5, 201),
    "dropout": uniform(0.0, 0.7),
    "batch_norm": [False, True],
}
N_SETTINGS = 40
N_EPOCHS = 15
LABELS = {
    "learning_rate_init": "Learning rate",
    "hidden_layer_sizes": "Hidden units",
    "dropout": "Dropout",
}
STYLES = {
    False: {"label": "without batch normalisation", "marker": "o", "color": "C0"},
    True: {"label": "with batch normalisation", "marker": "^", "color": "C1"},
}


# %%
# scikit-learn's search takes the classifier as it is.

options = argument_parser(__doc__).parse_args()
# The number of epochs is fixed: no convergence is expected.
warnings.simplefilter("ignore", ConvergenceWarning)
X, y = load_digits(return_X_y=True)
# Single precision is enough here, and faster.
X = (X / 16.0).astype(np.float32)
X_search, X_test, y_search, y_test = train_test_split(
    X, y, test_size=0.5, stratify=y, random_state=0
)
network = BackpropMLPClassifier(
    solver="adam",
    batch_size=50,
    max_iter=N_EPOCHS,
    n_iter_no_change=N_EPOCHS,
    random_state=0,
)
search = RandomizedSearchCV(
    network, DISTRIBUTIONS, n_iter=N_SETTINGS, cv=3, n_jobs=2, random_state=0
).fit(X_search, y_search)

settings = search.cv_results_["params"]
accuracies = 100 * search.cv_results_["mean_test_score"]
print(f"{'accuracy':>10}{'rate':>9}{'units':>7}{'dropout':>9}{'batch norm':>12}")
for index in np.argsort(-accuracies)[:5]:
    chosen = settings[index]
    print(
        f"{accuracies[index]:8.1f} %{chosen['learning_rate_init']:9.2g}"
        f"{chosen['hidden_layer_sizes']:7d}{chosen['dropout']:9.2f}"
        f"{'yes' if chosen['batch_norm'] else 'no':>12}"
    )
default = BackpropMLPClassifier(random_state=0).fit(X_search, y_search)
for name, classifier in (("best setting", search), ("default settings", default)):
    print(f"The other half, {name}: {100 * classifier.score(X_test, y_test):.1f} %")

# %%
# The same forty settings in every panel. A shape is a quantity that matters, a cloud one that does
# not.

figure, axes = plt.subplots(1, 3, figsize=(12.0, 4.6), sharey=True, layout="constrained")
with_batch_norm = np.array([chosen["batch_norm"] for chosen in settings])
for ax, (name, label) in zip(axes, LABELS.items(), strict=True):
    values = np.array([chosen[name] for chosen in settings])
    for batch_norm, style in STYLES.items():
        rows = with_batch_norm == batch_norm
        ax.plot(values[rows], 100 - accuracies[rows], linestyle="", markersize=8, **style)
    ax.plot(
        values[search.best_index_],
        100 - accuracies[search.best_index_],
        "o",
        color="black",
        fillstyle="none",
        markersize=16,
        label="best",
    )
    ax.set_xlabel(label)
axes[0].set_xscale("log")
axes[0].set(ylabel="Cross-validated error (%)", yscale="log")
axes[0].set_yticks([3, 5, 10, 20, 50, 100], ["3", "5", "10", "20", "50", "100"])
for ax in axes:
    ax.minorticks_off()
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
save(figure, options.output, "random_search")
