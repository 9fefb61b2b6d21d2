"""PyTorch on the CPU beside us: one evaluation, and whole fits to the same cost."""

import time
from importlib.util import find_spec

import numpy as np
from _data import digit_sets
from _measure import Row, Side, default_threads, duration, interleaved, quartiles, times
from evaluations import (
    ALPHA,
    PRECISIONS,
    SHAPES,
    Ours,
    ProductsInBlocks,
    rows_of,
    shape_name,
)

from backprop_mlp import BackpropMLPClassifier

if find_spec("torch"):
    import torch

NOT_SLOWER = 1 / 1.05
LARGE = SHAPES[:2]
ADAM_RATES = (1e-3, 3e-3, 1e-2, 3e-2)
MAX_PASSES = 5000
"""Evaluations after which a fit of PyTorch's is given up."""


def measure(options):
    """Yield the rows of the table; none without PyTorch."""
    if find_spec("torch") is None:
        print("skipped: PyTorch is not installed")
        return
    for shape in SHAPES:
        for dtype in PRECISIONS:
            yield from _evaluation(shape, dtype, options)
    for name, (X, y) in digit_sets(options).items():
        yield from _fits(name, X, y, options)


class _Network:
    """The same network, cost and penalty, written with PyTorch's own modules.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    y : ndarray of int of shape (n_rows,)
        Class numbers.
    hidden, n_outputs : int
    alpha : float
    """

    def __init__(self, X, y, hidden, n_outputs, alpha):
        self.X = torch.from_numpy(X)
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(X.shape[1], hidden),
            torch.nn.ReLU(),
            torch.nn.Linear(hidden, n_outputs),
        ).to(self.X.dtype)
        self.parameters = list(self.layers.parameters())
        self.weights = [self.layers[0].weight, self.layers[2].weight]
        self.factor = alpha / (2.0 * len(X))
        if n_outputs == 1:
            self.loss = torch.nn.BCEWithLogitsLoss()
            self.y = torch.from_numpy(y[:, np.newaxis]).to(self.X.dtype)
        else:
            self.loss = torch.nn.CrossEntropyLoss()
            self.y = torch.from_numpy(y)

    def evaluate(self):
        """The cost; its gradient stays in the parameters."""
        for parameter in self.parameters:
            parameter.grad = None
        cost = self.loss(self.layers(self.X), self.y)
        cost = cost + self.factor * sum((W * W).sum() for W in self.weights)
        cost.backward()
        return cost


class _TorchThreads:
    """Opens a callable of PyTorch's with so many threads."""

    def __init__(self, call, n_threads):
        self.call = call
        self.n_threads = n_threads

    def __enter__(self):
        self.before = torch.get_num_threads()
        torch.set_num_threads(self.n_threads)
        return self.call

    def __exit__(self, *error):
        torch.set_num_threads(self.before)


def _torch_side(name, call, n_threads):
    return Side(name, lambda: _TorchThreads(call, n_threads), n_threads)


def _evaluation(shape, dtype, options):
    X, y = rows_of(shape, dtype, options)
    *_, hidden, n_outputs = shape
    ours, network = Ours(X, y, hidden), _Network(X, y, hidden, n_outputs, ALPHA)
    settings = sorted({1, default_threads()}, reverse=True)
    sides = []
    in_blocks = ProductsInBlocks(ours.problem)
    for n in settings:
        sides += [
            Side(f"ours({n})", ours.opened, n),
            Side(f"in blocks({n})", in_blocks.opened, n),
            _torch_side(f"PyTorch({n})", network.evaluate, n),
        ]
    seconds = interleaved(sides, options.repeats or 15)
    for n in settings:
        yield Row(
            "torch",
            f"{shape_name(shape)}, {dtype.__name__}",
            f"PyTorch, {n} threads each",
            **quartiles(seconds[f"PyTorch({n})"] / seconds[f"ours({n})"]),
            target=(1.4 if shape in LARGE else NOT_SLOWER) if n == settings[0] else None,
            detail=times(seconds) if n == settings[0] else "",
        )
    n = settings[0]
    yield Row(
        "torch",
        f"{shape_name(shape)}, {dtype.__name__}",
        f"PyTorch({n}), the products alone in our blocks",
        **quartiles(seconds[f"PyTorch({n})"] / seconds[f"in blocks({n})"]),
    )


def _fits(name, X, y, options):
    """Our L-BFGS fit, and the time in which PyTorch's optimisers come to the same cost.

    PyTorch gets the network from its own random start, and is stopped the moment it
    is within 2 % of the cost at which our fit ends. Ours includes everything that
    ``fit`` does.
    """
    X = np.ascontiguousarray(X, dtype=np.float64)
    codes = np.searchsorted(np.unique(y), y)
    n_classes = codes.max() + 1
    n_threads = default_threads()
    repeats = options.repeats or 3
    rate = None
    passes: dict[str, list] = {"LBFGS": [], "Adam": []}
    seconds: dict[str, list] = {"ours": [], "LBFGS": [], "Adam": []}
    for seed in range(-1, repeats):  # the first round warms up
        classifier = BackpropMLPClassifier(
            25, solver="lbfgs", output_activation="softmax", alpha=ALPHA, random_state=seed + 1
        )
        began = time.perf_counter()
        classifier.fit(X, y)
        seconds["ours"].append(time.perf_counter() - began)
        target = 1.02 * classifier.loss_

        def fit(optimise, seed=seed, target=target):
            torch.manual_seed(seed + 1)
            network = _Network(X, codes, 25, n_classes, ALPHA)
            with _TorchThreads(optimise, n_threads):
                began = time.perf_counter()
                n_passes = optimise(network, target)
                took = time.perf_counter() - began
            time.sleep(0.2)
            return took, n_passes

        if rate is None:
            rate = min(ADAM_RATES, key=lambda rate: fit(_adam(rate))[1])
        for optimiser, optimise in (("LBFGS", _lbfgs), ("Adam", _adam(rate))):
            took, n_passes = fit(optimise)
            seconds[optimiser].append(took)
            passes[optimiser].append(n_passes)
    own = np.array(seconds["ours"][1:])
    for optimiser, settings in (("LBFGS", "strong Wolfe"), ("Adam", f"full batch, rate {rate:g}")):
        peer = np.array(seconds[optimiser][1:])
        given_up = sum(n >= MAX_PASSES for n in passes[optimiser][1:])
        yield Row(
            "torch",
            f"L-BFGS fit, 25 relu, softmax, {name}",
            f"PyTorch {optimiser}, {settings}",
            **quartiles(peer / own),
            detail=f"ours {duration(np.median(own))}, PyTorch {duration(np.median(peer))} in "
            f"{np.median(passes[optimiser][1:]):.0f} evaluations"
            + (f", given up in {given_up} of {repeats}" if given_up else ""),
        )


def _lbfgs(network, target):
    """Evaluations that PyTorch's L-BFGS takes to a cost."""
    n_passes = 0
    best = np.inf

    def closure():
        nonlocal n_passes, best
        n_passes += 1
        cost = network.evaluate()
        best = min(best, float(cost.detach()))
        return cost

    optimiser = torch.optim.LBFGS(
        network.parameters, max_iter=10, history_size=10, line_search_fn="strong_wolfe"
    )
    while best > target and n_passes < MAX_PASSES:
        optimiser.step(closure)
    return n_passes


def _adam(rate):
    def optimise(network, target):
        """Evaluations that PyTorch's Adam takes to a cost."""
        optimiser = torch.optim.Adam(network.parameters, lr=rate)
        n_passes = 1
        while float(network.evaluate().detach()) > target and n_passes < MAX_PASSES:
            optimiser.step()
            n_passes += 1
        return n_passes

    return optimise
