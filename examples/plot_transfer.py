"""
Transfer from many digits to a few
==================================

What a network has learned from many digits helps with a few: transfer.

A network learns to tell the ten digits apart, from 900 images. Then there is a new
question, with few images to learn the answer from: how many loops does a digit have?
(One in 0, 6 and 9, two in 8, none in the others.) Three ways to an answer:

- from scratch: a new network, for the few images alone;
- fine-tuning: the hidden layers of the first network and a fresh output layer, all
  trained on, with little penalty and for six iterations only;
- features: the first network's hidden activations as the inputs of a logistic
  regression; the hidden layers stay as they are.

Left: accuracy on digits that neither network has seen, by the number of images. What
the first network knows is worth most where images are few; the features make the most
of it. With 400 images the three ways end together. Right: why so short a training.
Fine-tuning reaches its best soon and then forgets: the penalty pulls the weights to
zero, not to where they came from, and the stronger it is the sooner.

Bands reach from the lowest to the highest of five draws of the images.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from _pictures import argument_parser, save
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp.initializers import GlorotUniform

# %%
# Three ways to an answer, as three kinds of estimators.

LOOPS = np.array([1, 0, 0, 0, 0, 0, 1, 0, 2, 1])
SIZES = [20, 50, 100, 200, 400]
SHOWN_SIZE = 50
N_FINE = 6
N_ITERATIONS = 100
DRAWS = range(5)
HIDDEN = (100, 50)
STYLES = {
    "features": {"color": "C2", "linestyle": "-", "marker": "D"},
    "fine-tuning": {"color": "C1", "linestyle": "-", "marker": "s"},
    "fine-tuning, alpha 1": {"color": "C3", "linestyle": "-.", "marker": "^"},
    "from scratch": {"color": "C0", "linestyle": "--", "marker": "o"},
}


def fine_tuned(donor, classes, rng, **params):
    """The donor's hidden layers with a fresh output layer, ready for `fit` to go on."""
    n_hidden, n_outputs = donor.thetas_[-1].shape[1] - 1, len(classes)
    W = GlorotUniform()(rng, n_hidden, n_outputs)
    fresh = np.column_stack([np.zeros(n_outputs), W.T])
    return BackpropMLPClassifier.from_thetas(
        [*donor.thetas_[:-1], fresh],
        classes=classes,
        activation=donor.activation,
        warm_start=True,
        **params,
    )


def hidden_activations(X, donor):
    """The outputs of the last hidden layer."""
    return donor.activations(X)[-2]


def on_features(donor):
    """Logistic regression on the donor's hidden activations; frozen, it survives a clone."""
    return make_pipeline(
        FunctionTransformer(hidden_activations, kw_args={"donor": FrozenEstimator(donor)}),
        StandardScaler(),
        LogisticRegression(max_iter=1000),
    )


def from_scratch(seed, **params):
    """A new network of the same size."""
    return BackpropMLPClassifier(HIDDEN, random_state=seed, **params)


def draw_band(ax, x, scores, style, label):
    """The mean over the draws, from the lowest to the highest."""
    scores = 100 * np.array(scores)
    ax.fill_between(x, scores.min(axis=1), scores.max(axis=1), color=style["color"], alpha=0.2)
    ax.plot(x, scores.mean(axis=1), label=label, markevery=max(1, len(x) // 10), **style)


# %%
# The donor is trained once. All that follows uses digits that it has never seen.

options = argument_parser(__doc__).parse_args()
# The number of iterations is fixed: no convergence is expected.
warnings.simplefilter("ignore", ConvergenceWarning)
X, y = load_digits(return_X_y=True)
X_many, X_rest, y_many, y_rest = train_test_split(
    X / 16.0, y, train_size=900, stratify=y, random_state=0
)
donor = BackpropMLPClassifier(HIDDEN, random_state=0).fit(X_many, y_many)
print(f"The donor reads {100 * donor.score(X_rest, y_rest):.1f} % of the other digits.")
loops = LOOPS[y_rest]

figure, (left, right) = plt.subplots(1, 2, figsize=(11.0, 5.2), sharey=True, layout="constrained")
scores = {name: [[] for _ in SIZES] for name in STYLES if name != "fine-tuning, alpha 1"}
for index, size in enumerate(SIZES):
    for seed in DRAWS:
        X_few, X_test, y_few, y_test = train_test_split(
            X_rest, loops, train_size=size, stratify=loops, random_state=seed
        )
        rng = np.random.default_rng(seed)
        ways = {
            "features": on_features(donor),
            "fine-tuning": fine_tuned(donor, [0, 1, 2], rng, alpha=0.01, max_iter=N_FINE),
            "from scratch": from_scratch(seed),
        }
        for name, estimator in ways.items():
            scores[name][index].append(estimator.fit(X_few, y_few).score(X_test, y_test))
print(f"{'Accuracy (%) by images':24}" + "".join(f"{size:8d}" for size in SIZES))
for name, values in scores.items():
    draw_band(left, SIZES, values, STYLES[name], name)
    print(f"{name:24}" + "".join(f"{100 * np.mean(value):8.1f}" for value in values))
left.set(title="By the number of images", xlabel="Images to learn from", xscale="log")
left.set_xticks(SIZES, [str(size) for size in SIZES])
left.minorticks_off()
left.set_ylabel("Accuracy on unseen digits (%)")

# sphinx_gallery_defer_figures

# %%
# How far is one to go on? The same question over the iterations: a penalty pulls to zero, and so
# away from what was learned.

curves = {name: [] for name in STYLES if name != "features"}
for seed in DRAWS:
    X_few, X_test, y_few, y_test = train_test_split(
        X_rest, loops, train_size=SHOWN_SIZE, stratify=loops, random_state=seed
    )
    settings = {"max_iter": N_ITERATIONS, "tol": 0.0}
    ways = {
        "fine-tuning": fine_tuned(
            donor, [0, 1, 2], np.random.default_rng(seed), alpha=0.01, **settings
        ),
        "fine-tuning, alpha 1": fine_tuned(
            donor, [0, 1, 2], np.random.default_rng(seed), alpha=1.0, **settings
        ),
        "from scratch": from_scratch(seed, **settings),
    }
    for name, network in ways.items():
        # Rows to validate on are watched, and change nothing.
        network.fit(X_few, y_few, X_val=X_test, y_val=y_test)
        curve = network.validation_scores_
        # Where there is nothing left to gain the last score stays.
        curves[name].append(np.pad(curve, (0, N_ITERATIONS - len(curve)), mode="edge"))
for name, values in curves.items():
    draw_band(right, range(1, N_ITERATIONS + 1), np.transpose(values), STYLES[name], name)
right.set(title=f"{SHOWN_SIZE} images, by iterations", xlabel="Iteration of conjugate gradient")
left.legend()
right.legend()
save(figure, options.output, "transfer")
