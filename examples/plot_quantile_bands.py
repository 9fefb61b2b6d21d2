"""
Quantiles as a band
===================

Not one curve but a band: networks that predict quantiles.

Measurements along a curve, whose noise grows from left to right and is skewed: far outliers
lie above the curve only. Three networks are trained on the same 600 points with
``loss="quantile"``, for the 5 %, the 50 % and the 95 % quantile. Nine points in ten should lie
in the band, everywhere: it is wide where the noise is, and not symmetrical about the median.

Dashed: the network with the default loss, which predicts the mean; outliers pull it up.
Grey: the true quantiles.
"""

import matplotlib.pyplot as plt
import numpy as np
from _pictures import argument_parser, save

from backprop_mlp import BackpropMLPRegressor

# %%
# The curve, and noise that grows and is skewed.

QUANTILES = [0.05, 0.5, 0.95]


def curve(x):
    """What is measured, but for the noise."""
    return np.sin(2.0 * x) + 0.3 * x


def spread(x):
    """The scale of the noise, which is exponential."""
    return 0.1 + 0.25 * x


def draw_points(n_points, seed):
    """x of shape (n_points, 1), and y."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.0, 3.0, n_points)
    return x[:, np.newaxis], curve(x) + spread(x) * rng.exponential(size=n_points)


# %%
# One network per quantile, and one for the mean; how many new points lie below each.

options = argument_parser(__doc__).parse_args()
X, y = draw_points(600, seed=0)
X_test, y_test = draw_points(20_000, seed=1)
grid = np.linspace(0.0, 3.0, 301)
settings = {"hidden_layer_sizes": 30, "activation": "tanh", "alpha": 0.1, "max_iter": 2000}
settings["random_state"] = 0
curves, below = {}, {}
print("quantile   new points below the curve")
for quantile in QUANTILES:
    network = BackpropMLPRegressor(loss="quantile", quantile=quantile, **settings).fit(X, y)
    curves[quantile] = network.predict(grid[:, np.newaxis])
    below[quantile] = np.mean(y_test < network.predict(X_test))
    print(f"{quantile:<10g} {100 * below[quantile]:.1f} %")
mean = BackpropMLPRegressor(**settings).fit(X, y).predict(grid[:, np.newaxis])

# %%
# The band.

figure, ax = plt.subplots(figsize=(9.0, 5.2), layout="constrained")
ax.scatter(X, y, s=8, color="0.6", label="training rows")
low, middle, high = curves.values()
ax.fill_between(grid, low, high, color="C0", alpha=0.25, label="5 % to 95 %, predicted")
ax.plot(grid, middle, color="C0", label="50 %, predicted")
ax.plot(grid, mean, color="C3", linestyle="--", label='mean, loss="squared_error"')
for number, quantile in enumerate(QUANTILES):
    true = curve(grid) - spread(grid) * np.log(1.0 - quantile)
    ax.plot(grid, true, color="0.3", linewidth=1.0, label=None if number else "true quantiles")
inside = below[0.95] - below[0.05]
ax.set(xlabel="x", ylabel="y", title=f"{100 * inside:.0f} % of 20,000 new points in the band")
ax.legend(loc="upper left")
save(figure, options.output, "quantile_bands")
