"""The inner interface of a fitted estimator: its network, parameters and targets.

Prediction and ONNX work with a `Predictor`, Dask, displays and diagnostics with the
`FittedNetwork` that it is outside of searches; none of them reaches into an estimator's
private members.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._network.layers import Dense, Elementwise
from .._network.network import Network, plain_network
from .._objective.blocks import block_slices, flops, rows_per_block
from .._objective.overflow import IGNORE_OVERFLOW, refuse_overflow
from .._objective.threads import WORTH_BLAS_THREADS, block_map, one_blas_thread


class Predictor(Protocol):
    """What predicts: the contract of one fitted network, and of an average of several."""

    targets: Any
    """What the outputs stand for: `Targets`."""
    members: Sequence
    """The networks whose outputs are averaged; none if this is a network itself."""

    @property
    def loss(self) -> Any:
        """By which logits become predictions: a `Loss` or `RegressionLoss`."""

    def map_rows(self, X, function) -> Any:
        """``function(z)`` of the logits z of X's rows, block by block.

        Parameters
        ----------
        X : {ndarray, csr_matrix} of shape (n_rows, n_features)
            Checked rows.
        function : callable(z) -> ndarray with a row per row of z

        Returns
        -------
        result : ndarray of shape (n_rows, ...)
        """

    def predict(self, z):
        """Predictions for logits z."""
        with np.errstate(**IGNORE_OVERFLOW):
            y = self.targets.predict(self.loss, z)
        if not self.targets.has_classes:
            refuse_overflow("predictions", y)
        return y

    def proba(self, z):
        """Probabilities of the classes for logits z."""
        with np.errstate(**IGNORE_OVERFLOW):
            return self.targets.proba(self.loss, z)

    def log_proba(self, z):
        """Logarithms of the probabilities for logits z, always finite."""
        with np.errstate(**IGNORE_OVERFLOW):
            return self.targets.log_proba(self.loss, z)


@dataclass(eq=False)
class FittedNetwork(Predictor):
    """The plain network of a fitted estimator.

    Parameters
    ----------
    network : Network
        Dense layers and activation functions alone, and the loss.
    dense : list of tuple of ndarray
        (W, b) of each dense layer, for predictions in y's units.
    targets : Targets
        What the outputs stand for.
    trained_output : tuple of ndarray or None
        (W, b) of the output layer as training left it, in its own units.
    """

    network: Network
    dense: list
    targets: Any
    trained_output: tuple | None = None

    members = ()  # it predicts by itself

    @property
    def loss(self):
        return self.network.loss

    @property
    def params(self):
        """The parameters of each layer: (W, b), or () for a layer without."""
        dense = iter(self.dense)
        return [next(dense) if isinstance(layer, Dense) else () for layer in self.network.layers]

    @property
    def activation_names(self):
        """Name of each layer's activation function, from the first hidden one to the outputs."""
        hidden = [activation.name for activation in self.network.hidden_activations]
        return [*hidden, self.loss.output_activation]

    def theta(self):
        """The packed parameters in the units of training, float64.

        To change units rounds: the output layer is as training left it, unless it has
        been assigned since.
        """
        return self.network.pack(*zip(*self._trained, strict=True))

    @property
    def dtype(self):
        """The precision in which training left the parameters, or they have been assigned since.

        The higher one if layers differ: no weight is rounded to another layer's precision.
        """
        return np.result_type(*(values for dense in self._trained for values in dense))

    @property
    def _trained(self):
        """(W, b) of each dense layer in the units of training."""
        *hidden, output = self.dense
        trained = self.trained_output
        if trained is None or not _are_equal(output, output_in_units(self.targets, trained)):
            trained = self.targets.from_units(*output)
        return [*hidden, trained]

    def logits(self, X):
        """Logits of the rows of X, of shape (n_rows, n_outputs)."""
        return self._forward(X)[0]

    def activations(self, X):
        """Activations of each layer: X, the hidden layers, the outputs."""
        z, caches = self._forward(X)
        hidden = [
            cache
            for layer, cache in zip(self.network.layers, caches, strict=True)
            if isinstance(layer, Elementwise)
        ]
        with np.errstate(**IGNORE_OVERFLOW):
            outputs = self.targets.outputs(self.loss, z)
        refuse_overflow("outputs", outputs)
        return [X, *hidden, outputs]

    def map_rows(self, X, function):
        network, n_rows = self.network, X.shape[0]
        if n_rows * network.n_weights < WORTH_BLAS_THREADS:
            # For a single row the guard takes as long as the products.
            return function(self.logits(X))
        slices = block_slices(n_rows, rows_per_block(network, X))
        if len(slices) == 1:
            with one_blas_thread:
                return function(self.logits(X))

        def outputs(rows):
            return function(self.logits(X[rows]))

        result = None
        block_flops = flops(network, X, n_rows / len(slices))
        with block_map(block_flops) as map_blocks:
            for rows, block in zip(slices, map_blocks(outputs, slices), strict=True):
                if result is None:
                    result = np.empty((n_rows, *block.shape[1:]), block.dtype)
                result[rows] = block
        return result

    def check_finite(self):
        """An error if weights that have been assigned are not finite."""
        if not all(np.isfinite(values).all() for dense in self.dense for values in dense):
            raise ValueError("coefs_ and intercepts_ must be finite; they hold nan or infinity.")

    def _forward(self, X):
        with np.errstate(**IGNORE_OVERFLOW):
            z, caches = self.network.forward(self.params, X)
        try:
            refuse_overflow("logits", z, X)
        except FloatingPointError:
            self.check_finite()
            raise
        return z, caches


def fitted_network(estimator):
    """The network of a fitted estimator, in its current ``coefs_`` and ``intercepts_``.

    Parameters
    ----------
    estimator : BackpropMLP

    Returns
    -------
    fitted : FittedNetwork

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    ValueError
        If weights that have been assigned do not fit together.
    """
    if not hasattr(estimator, "coefs_"):  # asked first: it is faster than the check
        check_is_fitted(estimator)
    loss, targets = estimator._fitted_task()
    dense = _dense_layers(estimator, targets.n_outputs)
    sizes = (len(dense[0][0]), *(len(b) for _, b in dense))
    network = plain_network(sizes, tuple(estimator._activations), loss)
    return FittedNetwork(network, dense, targets, getattr(estimator, "_trained_output", None))


def kind_error(estimator, wanted):
    """The error for an estimator that is not what is wanted; it says where a network is in it."""
    where = ""
    if isinstance(estimator, Pipeline):
        where = " Give its last step, and X as the steps before have transformed it."
    elif hasattr(estimator, "best_estimator_"):
        where = " Give its best_estimator_."
    elif hasattr(estimator, "estimators_"):
        where = " Give one of its estimators_."
    return TypeError(f"estimator must be {wanted}; got {estimator!r}.{where}")


def _dense_layers(estimator, n_outputs):
    """(W, b) of each layer, as training left them or the user has assigned them since."""
    n_layers, n_in = len(estimator._activations) + 1, estimator.n_features_in_
    for name in ("coefs_", "intercepts_"):
        given = getattr(estimator, name)
        if not hasattr(given, "__len__") or len(given) != n_layers:
            what = f"{len(given)} of them" if hasattr(given, "__len__") else repr(given)
            raise ValueError(f"{name} must hold {n_layers} arrays, one per layer; got {what}.")
    dense = []
    for number, layer in enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True)):
        W, b = [_in_floats(values, number) for values in layer]
        n_out = n_outputs if number == n_layers - 1 else b.size
        if W.shape != (n_in, n_out) or b.shape != (n_out,):
            raise ValueError(
                f"coefs_[{number}] and intercepts_[{number}] must have the shapes "
                f"{(n_in, n_out)} and {(n_out,)}; got {W.shape} and {b.shape}."
            )
        dense.append((W, b))
        n_in = n_out
    return dense


def _in_floats(values, number):
    """Assigned weights as an array of float32 or float64; the same one where it is that."""
    if isinstance(values, np.ndarray) and values.dtype.char in "fd":
        return values
    try:
        if np.iscomplexobj(values):
            raise TypeError("they are complex")  # noqa: TRY301
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"coefs_[{number}] and intercepts_[{number}] must be arrays of numbers; {error}."
        ) from error


def output_in_units(targets, trained):
    """The output layer (W, b) in y's units, from that of training.

    What overflows is reported where it is computed with.
    """
    with np.errstate(**IGNORE_OVERFLOW):
        return targets.to_units(*trained)


def _are_equal(dense, others):
    """Whether two dense layers are equal, bit by bit."""
    return all(
        values.dtype == other.dtype and np.array_equal(values, other)
        for values, other in zip(dense, others, strict=True)
    )
