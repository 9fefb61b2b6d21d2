"""
The exercise from beginning to end
==================================

A network learns to read handwritten digits.

Shows the images, checks the gradient, trains 25 hidden units with 50 iterations
of conjugate gradient, prints the accuracy on the training rows and on rows that
were held out, and draws what the units have learned. Without options it takes
the digits of this project; ``--data`` and ``--weights`` take the exercise's own files.
"""

import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _pictures import DIGITS, argument_parser, save
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from backprop_mlp import (
    BackpropMLPClassifier,
    GradientCheckDisplay,
    HiddenUnitsDisplay,
    ImageGridDisplay,
    LossCurveDisplay,
    check_gradient,
    load_ex4_data,
    load_ex4_weights,
)


def show_data(path, folder):
    """Read the images and draw a hundred of them."""
    X, y = load_ex4_data(path, zero_label=0)
    print(f"{len(X)} images of {X.shape[1]} pixels from {path.name}")
    counts = "  ".join(f"{label}: {count}" for label, count in enumerate(np.bincount(y)))
    print(f"Images of each digit: {counts}")
    chosen = np.random.default_rng(0).choice(len(X), 100, replace=False)
    display = ImageGridDisplay.from_rows(X[chosen], vmin=0.0, vmax=1.0)
    display.ax_.set_title("A hundred of the handwritten digits")
    save(display.figure_, folder, "ex4_digits")
    return X, y


def show_checkpoints(X, y, path):
    """The exercise's own weights: their cost for three lambdas, and their accuracy."""
    thetas = load_ex4_weights(path)
    # The exercise counts 1, 2, ..., 9, 0.
    classes = [*range(1, 10), 0]
    for alpha in (0.0, 1.0, 3.0):
        trained = BackpropMLPClassifier.from_thetas(
            thetas, classes=classes, activation="logistic", alpha=alpha
        )
        print(f"Cost of the given weights, lambda {alpha:g}: {trained.cost(X, y):.6f}")
    print(f"Accuracy of the given weights: {100 * trained.score(X, y):.2f} %")


def exercise_network():
    """The network of the exercise, not yet trained."""
    return BackpropMLPClassifier(
        hidden_layer_sizes=(25,),
        activation="logistic",
        initializer="uniform",
        alpha=1.0,
        max_iter=50,
        random_state=0,
    )


def debug_network():
    """The small network, with data, of the exercise's checkNNGradients."""

    def sines(n_rows, n_columns):
        entries = np.sin(np.arange(1, n_rows * n_columns + 1)) / 10
        return entries.reshape(n_rows, n_columns, order="F")

    network = BackpropMLPClassifier.from_thetas(
        [sines(5, 4), sines(3, 6)], classes=[1, 2, 3], activation="logistic", alpha=3.0
    )
    return network, sines(5, 3), np.array([2, 3, 1, 2, 3])


def check_gradients(X, y, folder):
    """Backpropagation against differences: the debug network, then the one to be trained."""
    print("The exercise's debug network, lambda 3:")
    print(check_gradient(*debug_network(), step=1e-4))
    display = GradientCheckDisplay.from_estimator(
        exercise_network(), X[::50], y[::50], max_coordinates=200
    )
    check = display.check
    verdict = {True: "passed", False: "FAILED", None: "not decided"}[check.passed]
    print(
        f"The network for the digits, {len(check.names)} of its coordinates: relative difference "
        f"{check.relative_difference:.2g}, {verdict}"
    )
    save(display.figure_, folder, "ex4_gradient_check")


def train(X, y, folder):
    """Train on four fifths of the rows; draw the cost and the hidden units."""
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.2, stratify=y, random_state=0
    )
    with warnings.catch_warnings():
        # Fifty iterations are what the exercise asks for: no convergence is expected.
        warnings.simplefilter("ignore", ConvergenceWarning)
        network = exercise_network().fit(X_train, y_train)
    print(f"{'iteration':>9}  {'cost':>8}")
    for iteration, cost in enumerate(network.loss_curve_, start=1):
        if iteration in (1, 2, 5) or iteration % 10 == 0 or iteration == network.n_iter_:
            print(f"{iteration:9d}  {cost:8.4f}")
    for rows, X_part, y_part in (("training", X_train, y_train), ("held-out", X_test, y_test)):
        accuracy = 100 * network.score(X_part, y_part)
        print(f"Accuracy on {len(X_part):4d} {rows} rows: {accuracy:.2f} %")

    display = LossCurveDisplay.from_estimator(network)
    display.ax_.set(title=f"{network.n_iter_} iterations of conjugate gradient", ylim=(0.0, None))
    save(display.figure_, folder, "ex4_loss_curve")

    display = HiddenUnitsDisplay.from_estimator(network)
    display.ax_.set_title("What the 25 hidden units look for")
    save(display.figure_, folder, "ex4_hidden_units")

    show_mistakes(X_test, y_test, network.predict(X_test), folder)


def show_mistakes(X, y, predicted, folder):
    """Draw held-out digits that were misread."""
    wrong = np.flatnonzero(predicted != y)
    figure, axes = plt.subplots(2, 6, figsize=(7.2, 3.4), layout="constrained")
    for ax in axes.flat:
        ax.axis("off")
    for row, ax in zip(wrong, axes.flat, strict=False):
        ImageGridDisplay.from_rows(X[[row]], ax=ax, vmin=0.0, vmax=1.0)
        ax.set_title(f"{y[row]} read as {predicted[row]}", fontsize="small")
    first = f" (the first {axes.size})" if len(wrong) > axes.size else ""
    figure.suptitle(f"{len(wrong)} of {len(y)} held-out digits are misread{first}")
    save(figure, folder, "ex4_mistakes")


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--data", type=Path, default=DIGITS, help="a file like ex4data1.mat")
    parser.add_argument("--weights", type=Path, help="the exercise's ex4weights.mat")
    options = parser.parse_args()
    for path in filter(None, (options.data, options.weights)):
        if not path.exists():
            parser.error(f"there is no file {path}; data/README.md says where the exercise's go")

    print("Data")
    X, y = show_data(options.data, options.output)
    if options.weights is not None:
        print("\nCheckpoints")
        show_checkpoints(X, y, options.weights)
    print("\nGradient check")
    check_gradients(X, y, options.output)
    print("\nTraining")
    train(X, y, options.output)


if __name__ == "__main__":
    main()
