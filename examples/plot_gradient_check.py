"""
The gradient check finds a bug
==============================

The gradient check finds a bug: a penalty that includes the biases.

Takes the debug network of the exercise (checkNNGradients, section 2.4), three
inputs, five hidden units, three classes, and prints backpropagation next to
central differences of the cost. Then it plants a bug that many a first solution
has had: the penalty's gradient, lambda / m times theta, is added to the biases
as well. Training would go on nearly as before; the check does not.
"""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
from _pictures import argument_parser, save

from backprop_mlp import BackpropMLPClassifier, GradientCheckDisplay, check_gradient

# %%
# The exercise's debug network, and the bug: the penalty's gradient is added to the biases, too.

LAMBDA = 3.0


def sines(n_rows, n_columns):
    """The exercise's debugInitializeWeights: sin(1), sin(2), ... over 10, column by column."""
    entries = np.sin(np.arange(1, n_rows * n_columns + 1)) / 10
    return entries.reshape(n_rows, n_columns, order="F")


def with_regularised_biases(check, network, m):
    """The same check, had backpropagation added lambda / m times theta to the biases."""
    wrong = check.backpropagation.copy()
    is_bias = [name.startswith("intercepts_") for name in check.names]
    wrong[is_bias] += LAMBDA / m * np.concatenate(network.intercepts_)
    return replace(check, backpropagation=wrong)


# %%
# Backpropagation and differences side by side. The coordinates with an arrow are those that the
# bug changes: biases, and nothing else.

options = argument_parser(__doc__).parse_args()
network = BackpropMLPClassifier.from_thetas(
    [sines(5, 4), sines(3, 6)], classes=[1, 2, 3], activation="logistic", alpha=LAMBDA
)
X, y = sines(5, 3), np.array([2, 3, 1, 2, 3])

right = check_gradient(network, X, y, step=1e-4)
wrong = with_regularised_biases(right, network, len(X))

print(f"Debug network, lambda {LAMBDA:g}, cost {right.cost:.6f}")
print(f"{'':18}{'differences':>13}{'right':>13}{'with the bug':>14}")
for name, difference, good, bad in zip(
    right.names, right.differences, right.backpropagation, wrong.backpropagation, strict=True
):
    mark = "" if good == bad else "  <-"
    print(f"{name:18}{difference:13.8f}{good:13.8f}{bad:14.8f}{mark}")
for title, check in (("Right", right), ("With the bug", wrong)):
    verdict = "passed" if check.passed else "FAILED"
    print(f"{title}: relative difference {check.relative_difference:.2g}, {verdict}")

# %%
# The same in a picture. On the diagonal both agree; with the bug the biases leave it.

figure = plt.figure(figsize=(10.5, 9.0), layout="constrained")
for part, title, check in zip(
    figure.subfigures(2, 1, hspace=0.05),
    ("Right: biases stay out of the penalty", "Planted bug: biases are in the penalty"),
    (right, wrong),
    strict=True,
):
    part.suptitle(title, fontweight="bold")
    GradientCheckDisplay(check).plot(ax=part.subplots(1, 2))
save(figure, options.output, "gradient_check")
