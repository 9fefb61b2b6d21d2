"""The exercise's .mat files."""

from os import PathLike
from pathlib import Path

import numpy as np


def load_ex4_data(path: str | PathLike, *, zero_label: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Read images and labels stored as in the exercise's ``ex4data1.mat``.

    Parameters
    ----------
    path : str or path-like
        A MATLAB file with X (m x pixels, grey levels, the pixels of an image
        column by column) and y (m x 1, labels 1 to 10, where 10 stands for the
        digit 0).
    zero_label : {10, 0}, default=10
        Label of the digit 0 in the result: as stored, or 0.

    Returns
    -------
    X : ndarray of shape (m, pixels), float64
        Images.
    y : ndarray of shape (m,), int64
        Labels.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file holds something else; the message says what was expected
        and what was found.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from scipy.io import savemat
    >>> from backprop_mlp import load_ex4_data
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "two_images.mat"
    ...     savemat(path, {"X": np.zeros((2, 400)), "y": np.array([[10], [3]])})
    ...     X, y = load_ex4_data(path, zero_label=0)
    >>> X.shape, y
    ((2, 400), array([0, 3]))
    """
    if zero_label not in (0, 10):
        raise ValueError(f"zero_label must be 10 or 0; got {zero_label!r}.")
    X, y = _read(path, ("X", "y"))
    if y.shape != (len(X), 1) or not np.isin(y, np.arange(1, 11)).all():
        raise _wrong(
            path,
            f"y of shape ({len(X)}, 1) with labels 1 to 10",
            f"y of shape {y.shape} with values {_some(y)}",
        )
    labels = y[:, 0].astype(np.int64)
    labels[labels == 10] = zero_label
    return X, labels


def load_ex4_weights(path: str | PathLike) -> list[np.ndarray]:
    """Read parameter matrices stored as in the exercise's ``ex4weights.mat``.

    Parameters
    ----------
    path : str or path-like
        A MATLAB file with Theta1 (hidden x (1 + pixels)) and Theta2
        (classes x (1 + hidden)), biases in the first column.

    Returns
    -------
    thetas : list of two ndarray, float64
        [Theta1, Theta2], as `BackpropMLPClassifier.from_thetas` takes them.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file holds something else; the message says what was expected
        and what was found.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from scipy.io import savemat
    >>> from backprop_mlp import load_ex4_weights
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "weights.mat"
    ...     savemat(path, {"Theta1": np.zeros((25, 401)), "Theta2": np.zeros((10, 26))})
    ...     thetas = load_ex4_weights(path)
    >>> [theta.shape for theta in thetas]
    [(25, 401), (10, 26)]
    """
    theta1, theta2 = _read(path, ("Theta1", "Theta2"))
    if theta2.shape[1] != 1 + theta1.shape[0]:
        raise _wrong(
            path,
            f"Theta2 with {1 + theta1.shape[0]} columns, one more than Theta1 has rows",
            f"Theta2 of shape {theta2.shape}",
        )
    return [theta1, theta2]


def _read(path, names):
    """The named matrices of a MATLAB file, finite and float64."""
    # Here, for few need it, and it is a sixth of the package's time to import.
    from scipy.io import loadmat

    with Path(path).open("rb") as file:
        try:
            content = loadmat(file)
        # On bytes that are no (whole) MATLAB file, the reader fails in a dozen ways.
        except Exception as error:
            raise _wrong(
                path, "a MATLAB file (version 4 to 7.2)", f"something else ({error})"
            ) from error
    matrices = []
    for name in names:
        if name not in content:
            found = [key for key in content if not key.startswith("__")]
            raise _wrong(path, f"the matrices {' and '.join(names)}", f"{found}")
        matrix = content[name]
        if (
            not isinstance(matrix, np.ndarray)
            or matrix.dtype.kind not in "biuf"
            or matrix.ndim != 2
            or matrix.size == 0
            or not np.isfinite(matrix).all()
        ):
            raise _wrong(path, f"{name} as a matrix of finite real numbers", _describe(matrix))
        matrices.append(matrix.astype(np.float64))
    return matrices


def _wrong(path, expected, found):
    return ValueError(f"{path}: expected {expected}, found {found}.")


def _describe(matrix):
    if isinstance(matrix, np.ndarray):
        return f"an array of shape {matrix.shape} and dtype {matrix.dtype}"
    return type(matrix).__name__


def _some(values):
    values = np.unique(values)
    return f"{values[:12].tolist()}{' ...' if values.size > 12 else ''}"
