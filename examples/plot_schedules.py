"""
Learning-rate schedules
=======================

Learning-rate schedules, and what they are good for.

Left: the schedules of `backprop_mlp.schedules`, as their names set them up. (The one
that is missing, "adaptive", reacts to the cost and is no function of the step.)
Middle: the digits, 50 relu units and gradient descent with momentum, at a high
rate. A constant rate keeps jumping about; the staircase calms down with each step
down; the cosine calms down to the end, where it is lowest. Right: the cost at the end,
over the highest rate. At low rates a schedule has nothing to offer, for it only takes
away. It lets higher rates work, and so makes the choice less delicate. A triangle on the upper
edge stands for a higher cost.

Each cost is the mean of three starts.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from _pictures import argument_parser, plot_below, save
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp.schedules import Constant, Cosine, Exponential, InverseTime, InvScaling, Step

# %%
# The schedules as their names set them up, for this number of rows.

N_EPOCHS = 40
BATCH_SIZE = 32
HIGH_RATE = 0.3
RATES = [0.01, 0.03, 0.1, 0.3, 0.6]
SEEDS = range(3)
HIGHEST = 1.2
STYLES = {
    "constant": {"color": "C0", "linestyle": "--", "marker": "o"},
    "step": {"color": "C1", "linestyle": "-", "marker": "s"},
    "cosine": {"color": "C2", "linestyle": "-", "marker": "D"},
    "exponential": {"color": "C3", "linestyle": "-.", "marker": "^"},
    "inverse_time": {"color": "C4", "linestyle": "--", "marker": "v"},
    "invscaling": {"color": "C5", "linestyle": ":", "marker": "P"},
}


def schedules(n_rows):
    """The schedules by name: what ``learning_rate="step"`` and so on stand for."""
    epoch = -(-n_rows // BATCH_SIZE)
    horizon = N_EPOCHS * epoch
    return {
        "constant": Constant(HIGH_RATE),
        "step": Step(HIGH_RATE, every=10 * epoch),
        "cosine": Cosine(HIGH_RATE, horizon=horizon, warm_up=horizon // 20),
        "exponential": Exponential(HIGH_RATE, every=epoch),
        "inverse_time": InverseTime(HIGH_RATE, every=epoch),
        "invscaling": InvScaling(HIGH_RATE, samples_per_epoch=n_rows, steps_per_epoch=epoch),
    }, epoch


def cost_curve(X, y, schedule, rate):
    """Cost of all rows after each epoch, mean over the starts; infinite if it diverges."""
    curves = []
    for seed in SEEDS:
        network = BackpropMLPClassifier(
            50,
            solver="sgd",
            batch_size=BATCH_SIZE,
            learning_rate=schedule,
            learning_rate_init=rate,
            max_iter=N_EPOCHS,
            n_iter_no_change=N_EPOCHS,
            random_state=seed,
        )
        try:
            # Validation on the training rows gives the cost of all rows after each epoch.
            network.fit(X, y, X_val=X, y_val=y)
        except FloatingPointError:
            return np.full(N_EPOCHS, np.inf)
        curves.append(network.validation_loss_curve_)
    return np.mean(curves, axis=0)


# %%
# The left panel is nothing but the schedules as functions of the step.

options = argument_parser(__doc__).parse_args()
# The number of epochs is fixed: no convergence is expected.
warnings.simplefilter("ignore", ConvergenceWarning)
X, y = load_digits(return_X_y=True)
# Single precision is enough here, and faster.
X = (X / 16.0).astype(np.float32)

figure, axes = plt.subplots(1, 3, figsize=(13.0, 4.8), layout="constrained")
drawn, epoch = schedules(len(y))
steps = np.arange(N_EPOCHS * epoch)
for name, schedule in drawn.items():
    rates = [schedule(step) for step in steps]
    axes[0].plot(steps / epoch, rates, label=name, markevery=5 * epoch, **STYLES[name])
axes[0].set(title="Schedules", xlabel="Epoch", ylabel="Learning rate", ylim=(0.0, None))

# sphinx_gallery_defer_figures

# %%
# Then training: what the schedule does at a high rate, and which rates it allows.

print(f"Cost after {N_EPOCHS} epochs, by the highest rate")
print(f"{'':10}" + "".join(f"{rate:8g}" for rate in RATES))
for name in ("constant", "step", "cosine"):
    curves = {rate: cost_curve(X, y, name, rate) for rate in RATES}
    ends = [curve[-1] for curve in curves.values()]
    axes[1].plot(range(1, N_EPOCHS + 1), curves[HIGH_RATE], markevery=5, **STYLES[name])
    plot_below(axes[2], RATES, ends, HIGHEST, **STYLES[name])
    print(f"{name:10}" + "".join(f"{end:8.3f}" for end in ends))
axes[1].set(title=f"Training from rate {HIGH_RATE:g}", xlabel="Epoch")
axes[2].set(title=f"After {N_EPOCHS} epochs", xlabel="Highest learning rate", xscale="log")
for ax in axes[1:]:
    ax.set(ylabel="Cost J", yscale="log", ylim=(0.15, HIGHEST))
    ax.set_yticks([0.2, 0.3, 0.5, 1.0], ["0.2", "0.3", "0.5", "1"])
axes[2].set_xticks(RATES, [f"{rate:g}" for rate in RATES])
for ax in axes[1:]:
    ax.minorticks_off()
figure.legend(loc="outside lower center", ncols=6)
save(figure, options.output, "schedules")
