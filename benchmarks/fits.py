"""Whole fits beside MLPClassifier: L-BFGS, also to the same cost, the defaults, Adam's epochs."""

from collections import defaultdict
from contextlib import contextmanager
from itertools import count

import numpy as np
from _data import digit_sets
from _measure import Row, Side, default_threads, duration, interleaved, quartiles, times
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from backprop_mlp import BackpropMLPClassifier

SAME_COST = 1.02
"""Our cost at the end may be at most this many times the peer's."""

TO_ITS_COST = {"8 x 8 digits": 2.0, "ex4data1.mat": 3.0}
"""How many times as fast as the peer we are to reach the cost at which it ends."""


def measure(options):
    """Yield the rows of the table."""
    sets = digit_sets(options)
    repeats = options.repeats or 7
    for name, (X, y) in sets.items():
        for n_threads, target in sorted({default_threads(): 4.0, 1: 1.5}.items(), reverse=True):
            yield from _lbfgs(name, X, y, n_threads, target, repeats)
    yield from _defaults(*sets["8 x 8 digits"], options.repeats or 3)
    yield from _adam("8 x 8 digits", *sets["8 x 8 digits"], 20, repeats)
    X, y = load_iris(return_X_y=True)
    yield from _adam("iris, a single batch", StandardScaler().fit_transform(X), y, 200, repeats)


class Fits:
    """Fits of one estimator, each from another random start; what is left of them.

    Parameters
    ----------
    make : callable(random_state) -> estimator
    X, y : ndarray
    """

    def __init__(self, make, X, y):
        self.make = make
        self.X, self.y = X, y
        self.seeds = count()
        self.left = defaultdict(list)

    def __call__(self):
        estimator = self.make(next(self.seeds)).fit(self.X, self.y)
        self.left["cost"].append(float(estimator.loss_))
        self.left["iterations"].append(estimator.n_iter_)

    def median(self, what):
        return float(np.median(self.left[what]))

    def to_costs_of(self, other):
        """Side's ``opened``: fits that end where the other's fit of the same number did."""
        seeds = count()

        @contextmanager
        def opened():
            seed = next(seeds)
            estimator = self.make(seed).fit(self.X, self.y)
            reached = np.array(estimator.loss_curve_) <= other.left["cost"][seed]
            n_iter = 1 + int(reached.argmax()) if reached.any() else estimator.n_iter_
            yield lambda: self.make(seed).set_params(max_iter=n_iter).fit(self.X, self.y)

        return opened


def _lbfgs(name, X, y, n_threads, target, repeats):
    """The same network and alpha: as many iterations, and as many as lead to the peer's cost."""
    network = {"hidden_layer_sizes": 25, "alpha": 1.0, "max_iter": 200, "solver": "lbfgs"}
    fits = {
        # MLPClassifier's L-BFGS has no rule for a lack of progress: ours is switched off.
        "ours": Fits(
            lambda seed: BackpropMLPClassifier(
                **network, n_iter_no_change=np.inf, output_activation="softmax", random_state=seed
            ),
            X,
            y,
        ),
        "MLPClassifier": Fits(lambda seed: MLPClassifier(**network, random_state=seed), X, y),
    }
    sides = [Side.of(side, call, n_threads) for side, call in fits.items()]
    if n_threads == 1:
        to_its_cost = fits["ours"].to_costs_of(fits["MLPClassifier"])
        sides.append(Side("ours to its cost", to_its_cost, n_threads))
    seconds = interleaved(sides, repeats, calls=1)
    left = "; ".join(
        f"{side}: cost {call.median('cost'):.4f} after {call.median('iterations'):.0f} iterations"
        for side, call in fits.items()
    )
    what = f"L-BFGS, 25 relu, softmax, {name}"
    yield Row(
        "fit",
        what,
        "MLPClassifier(lbfgs), " + ("1 thread" if n_threads == 1 else "out of the box"),
        **quartiles(seconds["MLPClassifier"] / seconds["ours"]),
        target=target,
        detail=f"{times(seconds)}; {left}",
    )
    if n_threads == 1:
        yield Row(
            "fit",
            what,
            "MLPClassifier(lbfgs), 1 thread, to its cost",
            **quartiles(seconds["MLPClassifier"] / seconds["ours to its cost"]),
            target=TO_ITS_COST.get(name),
        )
    costs = np.array(fits["ours"].left["cost"]) / np.array(fits["MLPClassifier"].left["cost"])
    yield Row(
        "fit",
        what,
        "its cost at the end",
        **quartiles(costs),
        unit="times the cost",
        target=SAME_COST,
        at_least=False,
    )


def _defaults(X, y, repeats):
    """Cross-validation with nothing set, time and accuracy."""
    makers = {
        "MLPClassifier()": (MLPClassifier, {}),
        "ours()": (BackpropMLPClassifier, {}),
        "ours(lbfgs)": (BackpropMLPClassifier, {"solver": "lbfgs"}),
    }
    accuracies = defaultdict(list)

    def validation(name):
        maker, params = makers[name]
        seeds = count()

        def validate():
            estimator = maker(**params, random_state=next(seeds))
            accuracies[name].append(cross_val_score(estimator, X, y, cv=5).mean())

        return validate

    sides = [Side.of(name, validation(name), default_threads()) for name in makers]
    seconds = interleaved(sides, repeats, calls=1)
    peer = "MLPClassifier()"
    for name, target in (("ours()", 1.0), ("ours(lbfgs)", 1.5)):
        what = f"5-fold cross-validation, {name}"
        yield Row(
            "fit",
            what,
            peer,
            **quartiles(seconds[peer] / seconds[name]),
            target=target,
            detail=times(seconds) if name == "ours()" else "",
        )
        gain = 100.0 * (np.array(accuracies[name]) - np.array(accuracies[peer]))
        yield Row(
            "fit",
            what,
            "its accuracy",
            **quartiles(gain),
            unit="points higher",
            target=0.0,
            detail=f"mean accuracy {np.mean(accuracies[name]):.4f}, "
            f"{peer} {np.mean(accuracies[peer]):.4f}",
        )


def _adam(name, X, y, n_epochs, repeats):
    """Epochs of Adam with batches of 200 rows at most."""
    params = {"solver": "adam", "batch_size": min(200, len(X)), "max_iter": n_epochs}
    params |= {"tol": 0.0, "n_iter_no_change": n_epochs}
    for n_threads in sorted({1, default_threads()}, reverse=True):
        sides = [
            Side.of(
                "ours",
                Fits(lambda s: BackpropMLPClassifier(**params, random_state=s), X, y),
                n_threads,
            ),
            Side.of(
                "MLPClassifier",
                Fits(lambda s: MLPClassifier(**params, random_state=s), X, y),
                n_threads,
            ),
        ]
        seconds = interleaved(sides, repeats, calls=1)
        epoch = {name: duration(np.median(values) / n_epochs) for name, values in seconds.items()}
        yield Row(
            "fit",
            f"an epoch of Adam, batches of 200, {name}",
            "MLPClassifier, " + ("1 thread" if n_threads == 1 else "out of the box"),
            **quartiles(seconds["MLPClassifier"] / seconds["ours"]),
            target=1.0,
            detail=", ".join(f"{name} {value}" for name, value in epoch.items()),
        )
