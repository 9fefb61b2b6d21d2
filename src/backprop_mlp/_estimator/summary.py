"""A fitted network as a table: layers, shapes, parameters."""

from dataclasses import dataclass

from .fitted import fitted_network


@dataclass(frozen=True)
class LayerSummary:
    """One layer of weights with the activation function after it.

    Parameters
    ----------
    name : str
        Which layer: ``"hidden 1"``, the next ones, or ``"output"``.
    n_inputs, n_units : int
        Shape of the weights.
    activation : str
        Name of the activation function.
    n_params : int
        Number of weights and biases.

    See Also
    --------
    NetworkSummary : All layers of a network.

    Examples
    --------
    >>> import numpy as np
    >>> from backprop_mlp import BackpropMLPRegressor
    >>> network = BackpropMLPRegressor.from_thetas([np.ones((3, 5)), np.ones((1, 4))])
    >>> network.summary().layers[0]
    LayerSummary(name='hidden 1', n_inputs=4, n_units=3, activation='relu', n_params=15)
    """

    name: str
    n_inputs: int
    n_units: int
    activation: str
    n_params: int


@dataclass(frozen=True)
class NetworkSummary:
    """The layers of a fitted network; printed, a table.

    Parameters
    ----------
    layers : tuple of LayerSummary
        From the first hidden layer to the outputs.

    See Also
    --------
    BackpropMLPClassifier.summary : Makes it.

    Examples
    --------
    >>> import numpy as np
    >>> from backprop_mlp import BackpropMLPRegressor
    >>> network = BackpropMLPRegressor.from_thetas([np.ones((3, 5)), np.ones((1, 4))])
    >>> network.summary().n_params
    19
    """

    layers: tuple[LayerSummary, ...]

    @property
    def n_params(self) -> int:
        """Number of all weights and biases."""
        return sum(layer.n_params for layer in self.layers)

    def __str__(self) -> str:
        rows = [("layer", "inputs", "units", "activation", "parameters")]
        rows += [
            (layer.name, str(layer.n_inputs), str(layer.n_units), layer.activation,
             f"{layer.n_params:,}")
            for layer in self.layers
        ]  # fmt: skip
        rows.append(("total", "", "", "", f"{self.n_params:,}"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        align = (str.ljust, str.rjust, str.rjust, str.ljust, str.rjust)
        return "\n".join(
            "  ".join(fit(cell, width) for fit, cell, width in zip(align, row, widths, strict=True))
            for row in rows
        )

    __repr__ = __str__


def summarise(estimator) -> NetworkSummary:
    """The layers of a fitted estimator's network."""
    fitted = fitted_network(estimator)
    names = [f"hidden {number}" for number in range(1, len(fitted.dense))] + ["output"]
    return NetworkSummary(
        tuple(
            LayerSummary(name, W.shape[0], W.shape[1], activation, W.size + b.size)
            for name, activation, (W, b) in zip(
                names, fitted.activation_names, fitted.dense, strict=True
            )
        )
    )
