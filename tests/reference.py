"""The objective as its formula says, in plain NumPy: an oracle beside the package.

Nothing here comes from the package. All functions take complex parameters, so
that derivatives come from the complex step, Im f(x + ih) / h, which cancels
nothing and is exact to rounding.
"""

import numpy as np

FUNCTIONS = {
    "identity": lambda z: z,
    "logistic": lambda z: 1.0 / (1.0 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.where(z.real > 0.0, z, 0.0),
    "leaky_relu": lambda z: np.where(z.real > 0.0, z, 0.01 * z),
}

STEP = 1e-30


def derivative(function, x):
    """f'(x), element by element."""
    return function(x + 1j * STEP).imag / STEP


def logits(coefs, intercepts, activations, X):
    """z of the output layer."""
    a = X
    for W, b, name in zip(coefs, intercepts, [*activations, "identity"], strict=True):
        a = FUNCTIONS[name](a @ W + b)
    return a


def loss(output, z, Y, sample_weight):
    """Sum of the rows' weighted cross-entropies, from the outputs h."""
    if output == "logistic":
        h = FUNCTIONS["logistic"](z)
        values = -Y * np.log(h) - (1.0 - Y) * np.log(1.0 - h)
    else:
        h = np.exp(z)
        values = -Y * np.log(h / h.sum(axis=1, keepdims=True))
    return (values.sum(axis=1) * sample_weight).sum()


def cost(coefs, intercepts, activations, output, X, Y, sample_weight, alpha):
    """J: the mean loss and the penalty of the weights, biases left out."""
    m = sample_weight.sum()
    total = loss(output, logits(coefs, intercepts, activations, X), Y, sample_weight)
    return total / m + alpha / (2.0 * m) * sum((W**2).sum() for W in coefs)


def gradient(coefs, intercepts, *args):
    """dJ / dW and dJ / db of each layer."""

    def wrt(parameters):
        grads = []
        for index, values in enumerate(parameters):
            grads.append(np.empty(values.shape))
            for entry in np.ndindex(values.shape):
                moved = [array.astype(complex) for array in parameters]
                moved[index][entry] += 1j * STEP
                if parameters is coefs:
                    J = cost(moved, intercepts, *args)
                else:
                    J = cost(coefs, moved, *args)
                grads[-1][entry] = J.imag / STEP
        return grads

    return wrt(coefs), wrt(intercepts)


class Follower:
    """The least that a solver needs of its monitor: it asks the rules when to stop.

    Parameters
    ----------
    stopping : Stopping

    Attributes
    ----------
    iterations : list of Iteration
    """

    rate_factor = 1.0

    def __init__(self, stopping):
        self.stopping = stopping
        self.iterations = []

    @property
    def n_iter(self):
        return len(self.iterations)

    def start(self, cost, grad_max):
        return self.stopping.start(cost, grad_max)

    def __call__(self, iteration):
        self.iterations.append(iteration)
        return self.stopping.after(iteration)

    def give_up(self, message, grad_max):
        self.stopping.stop(message)
