"""
Seven optimisers from the same starts
=====================================

Seven optimisers on the same network, from the same starts.

Two circles, one inside the other, and a network with two hidden layers. Gradient
descent (plain, with momentum, with Nesterov's momentum), RMSprop and Adam step
along mini-batches of 32 rows. Conjugate gradient and L-BFGS see all rows in every
step and find its length themselves.

Left: the cost over the passes through the data, each mini-batch method at the best
of nine learning rates, for a comparison at one common rate compares rates, not
methods. Well tuned, the five are much alike here; conjugate gradient and L-BFGS,
which have nothing to tune, start more slowly and end where the five do. Right: the
cost at the end over the learning rate; a triangle on the upper edge stands for a higher
one. Where the good rates lie differs thirtyfold from method to method.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from _pictures import argument_parser, plot_below, save
from sklearn.datasets import make_circles
from sklearn.exceptions import ConvergenceWarning

from backprop_mlp import BackpropMLPClassifier

# %%
# Every mini-batch method is tried at nine rates. The two full-batch solvers have no rate.

N_PASSES = 40
PASSES = np.arange(1, N_PASSES + 1)
RATES = np.logspace(-3.5, 0.5, 9)
SEEDS = range(3)
HIGHEST = 1.5

MINI_BATCH = {
    "gradient descent": {"solver": "sgd", "momentum": 0.0},
    "with momentum": {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False},
    "Nesterov": {"solver": "sgd", "momentum": 0.9},
    "RMSprop": {"solver": "rmsprop", "beta_2": 0.9},
    "Adam": {"solver": "adam"},
}
FULL_BATCH = {"conjugate gradient": {"solver": "cg"}, "L-BFGS": {"solver": "lbfgs"}}
STYLES = {
    name: {"marker": marker, "linestyle": line, "markersize": 7}
    for name, marker, line in zip(
        [*MINI_BATCH, *FULL_BATCH], "osD^vP*", ["--"] * 5 + ["-"] * 2, strict=True
    )
}


def cost_curve(X, y, **settings):
    """Cost after each pass through the data, the mean over the starts."""
    curves = []
    for seed in SEEDS:
        network = BackpropMLPClassifier(
            (16, 16),
            "tanh",
            alpha=0.01,
            n_iter_no_change=N_PASSES,
            random_state=seed,
            **settings,
        ).fit(X, y)
        # An iteration of a full-batch solver passes through the data about once or twice.
        passes_an_iteration = network.n_fun_ / network.n_iter_ if "max_fun" in settings else 1.0
        passes = passes_an_iteration * np.arange(1, network.n_iter_ + 1)
        curves.append(np.interp(PASSES, passes, network.loss_curve_))
    return np.mean(curves, axis=0)


# %%
# A pass is a look at every row: an epoch of a mini-batch method, an evaluation of the cost of a
# full-batch one. So the curves compare equal work.

options = argument_parser(__doc__).parse_args()
# The number of passes is fixed: no convergence is expected.
warnings.simplefilter("ignore", ConvergenceWarning)
X, y = make_circles(1000, noise=0.1, factor=0.5, random_state=0)

figure, (left, right) = plt.subplots(1, 2, figsize=(11.0, 5.2), sharey=True, layout="constrained")
print(f"Cost after {N_PASSES} passes, mean of {len(SEEDS)} starts")
print(f"{'':20}{'best rate':>10}{'cost':>9}")
best_curves = {}
for name, settings in MINI_BATCH.items():
    curves = [
        cost_curve(X, y, max_iter=N_PASSES, batch_size=32, learning_rate_init=rate, **settings)
        for rate in RATES
    ]
    ends = np.array([curve[-1] for curve in curves])
    best_curves[name] = curves[ends.argmin()]
    plot_below(right, RATES, ends, HIGHEST, **STYLES[name])
    print(f"{name:20}{RATES[ends.argmin()]:10.2g}{ends.min():9.4f}")
for name, settings in FULL_BATCH.items():
    best_curves[name] = cost_curve(X, y, max_iter=N_PASSES, max_fun=N_PASSES, **settings)
    print(f"{name:20}{'none':>10}{best_curves[name][-1]:9.4f}")

# sphinx_gallery_defer_figures

# %%
# The curves at the best rates on the left, and how much the rate matters on the right.

for name, curve in best_curves.items():
    left.plot(PASSES, curve, markevery=4, label=name, **STYLES[name])
left.set(title="Each at its best rate", xlabel="Passes through the data", ylabel="Cost J")
left.set(yscale="log", ylim=(0.01, HIGHEST))
left.yaxis.set_major_formatter("{x:g}")
right.set(title=f"After {N_PASSES} passes", xlabel="Learning rate", xscale="log")
figure.legend(loc="outside lower center", ncols=4)
save(figure, options.output, "optimizers")
