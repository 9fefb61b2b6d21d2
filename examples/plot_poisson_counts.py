"""
Rates of counts
===============

Counts: a network whose predictions are rates.

Bicycles per hour at a counter, simulated: a rate that rises and falls twice a day, higher on
working days, and counts that are Poisson's about it. ``loss="poisson"`` predicts exp(z), which
is never negative, and errors count by how likely they are: twenty too many at night are
worse than at noon.

Left: the rates of a working day, as they are and as two networks with the same settings
predict them from 600 hours. The one with the squared error predicts fewer than no bicycles
at night. Right: the mean Poisson deviance on new hours, by the number of hours in training
(bands: the lowest and the highest of five draws). Where a prediction is not above 0 the deviance
is not defined: the smallest prediction is then set to 0.1.
"""

import matplotlib.pyplot as plt
import numpy as np
from _pictures import argument_parser, save
from sklearn.metrics import mean_poisson_deviance
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backprop_mlp import BackpropMLPRegressor

# %%
# Rates, and counts that are drawn from them.

SIZES = [100, 200, 400, 800, 1600]
SHOWN_SIZE = 600
STYLES = {
    "poisson": {"color": "C0", "linestyle": "-", "marker": "o"},
    "squared_error": {"color": "C3", "linestyle": "--", "marker": "s"},
}
SMALLEST = 0.1


def rates(hour, working_day):
    """Bicycles per hour."""
    morning = np.exp(-0.5 * ((hour - 8.0) / 1.2) ** 2)
    evening = np.exp(-0.5 * ((hour - 17.5) / 1.8) ** 2)
    return 1.0 + 120.0 * working_day * (morning + evening) + 25.0 * (1 - working_day) * evening


def draw_hours(n_hours, seed):
    """Hour and kind of day, of shape (n_hours, 2), and counts."""
    rng = np.random.default_rng(seed)
    hour, working_day = rng.uniform(0.0, 24.0, n_hours), rng.integers(0, 2, n_hours)
    return np.column_stack([hour, working_day]), rng.poisson(rates(hour, working_day))


def trained(loss, n_hours, seed):
    """A network for counts."""
    X, y = draw_hours(n_hours, seed)
    network = BackpropMLPRegressor(
        50, "tanh", loss=loss, solver="lbfgs", alpha=1.0, max_iter=1000, random_state=seed
    )
    return make_pipeline(StandardScaler(), network).fit(X, y)


# %%
# Two losses, all else equal.

options = argument_parser(__doc__).parse_args()
X_test, y_test = draw_hours(20_000, seed=1000)
figure, (left, right) = plt.subplots(1, 2, figsize=(11.0, 4.8), layout="constrained")
hours = np.linspace(0.0, 24.0, 289)
working_day = np.column_stack([hours, np.ones_like(hours)])
left.plot(hours, rates(hours, 1), color="0.3", label="true rate")
left.axhline(0.0, color="0.7", linewidth=0.8)
print("loss            " + "".join(f"{size:>8}" for size in SIZES) + "  hours")
for loss, style in STYLES.items():
    shown = trained(loss, SHOWN_SIZE, seed=0).predict(working_day)
    left.plot(hours, shown, label=f'loss="{loss}"', **style | {"marker": None})
    deviances = [
        [
            mean_poisson_deviance(
                y_test, np.maximum(trained(loss, size, seed).predict(X_test), SMALLEST)
            )
            for seed in range(5)
        ]
        for size in SIZES
    ]
    means = np.mean(deviances, axis=1)
    print(f"{loss:<16}" + "".join(f"{mean:8.2f}" for mean in means))
    right.fill_between(
        SIZES, np.min(deviances, axis=1), np.max(deviances, axis=1), alpha=0.2,
        color=style["color"],
    )  # fmt: skip
    right.plot(SIZES, means, label=f'loss="{loss}"', **style)
left.set(xlabel="hour of a working day", ylabel="bicycles per hour", title="Predicted rates")
left.set_ylim(top=170.0)  # room for the legend
left.legend()
right.set(
    xscale="log", yscale="log", xlabel="hours in training", ylabel="mean Poisson deviance",
    title="New hours",
)  # fmt: skip
right.legend()
save(figure, options.output, "poisson_counts")
