"""Parameter matrices as the exercise writes them: Theta1, Theta2, biases first."""

from itertools import pairwise

import numpy as np


def as_thetas(dense):
    """(n_out, 1 + n_in) matrices, biases first, from pairs (W, b)."""
    return [np.column_stack([b, W.T]) for W, b in dense]


def read_thetas(thetas, classes):
    """Given matrices and labels, checked, in the order of the sorted labels.

    Parameters
    ----------
    thetas : sequence of array-like of shape (n_out, 1 + n_in)
    classes : array-like of shape (n_classes,) or None
        Label of each row of the last matrix, or two labels for a single row.

    Returns
    -------
    thetas : list of ndarray, float64
        The rows of the last one in the order of the labels.
    labels : ndarray of shape (n_classes,)
        Sorted.

    Raises
    ------
    ValueError
        If shapes and classes do not fit together.
    """
    try:
        thetas = [np.array(theta) for theta in thetas]
        if any(map(np.iscomplexobj, thetas)):
            raise TypeError("they are complex")  # noqa: TRY301
        thetas = [theta.astype(np.float64) for theta in thetas]
    except (TypeError, ValueError) as error:
        raise ValueError(f"thetas must be a sequence of matrices; {error}.") from error
    shapes = [theta.shape for theta in thetas]
    if (
        not thetas
        or any(len(shape) != 2 or min(shape[0], shape[1] - 1) < 1 for shape in shapes)
        or any(after[1] != 1 + before[0] for before, after in pairwise(shapes))
        or not all(np.isfinite(theta).all() for theta in thetas)
    ):
        raise ValueError(
            "thetas must be finite matrices of shape (n_out, 1 + n_in), each with as many "
            f"inputs as the one before has outputs; got shapes {shapes}."
        )
    n_rows = shapes[-1][0]
    n_classes = 2 if n_rows == 1 else n_rows
    labels = np.arange(n_classes) if classes is None else np.asarray(classes)
    try:
        order = np.argsort(labels)
        distinct = len(np.unique(labels[labels == labels])) == n_classes
    except TypeError:  # labels of several kinds can't be sorted
        distinct = False
    if labels.shape != (n_classes,) or not distinct or n_rows == 2:
        raise ValueError(
            "classes must be one label per row of the last matrix, each once, or two labels "
            f"for one row; got {labels} for {n_rows} rows."
        )
    if n_rows > 1:
        thetas[-1] = thetas[-1][order]
    elif order[0] == 1:
        thetas[-1] = -thetas[-1]
    return thetas, labels[order]
