"""Parameter matrices as the exercise writes them: Theta1, Theta2, biases first."""

from itertools import pairwise

import numpy as np

from .._targets.exclusive import ExclusiveClasses
from .._targets.multilabel import Labels


def as_thetas(dense):
    """(n_out, 1 + n_in) matrices, biases first, from pairs (W, b)."""
    return [np.column_stack([b, W.T]) for W, b in dense]


def read_thetas(thetas, classes, *, multilabel=False, softmax=False):
    """Given matrices and labels, checked, in the order of the sorted labels.

    Parameters
    ----------
    thetas : sequence of array-like of shape (n_out, 1 + n_in)
    classes : array-like of shape (n_classes,) or None
        Label of each row of the last matrix; of a single row one label, or two.
    multilabel : bool, default=False
        Whether each row of the last matrix is a label of its own.
    softmax : bool, default=False
        Whether the outputs are a softmax, of which two are one logistic output.

    Returns
    -------
    thetas : list of ndarray, float64
        The rows of the last one in the order of the labels.
    targets : Targets

    Raises
    ------
    ValueError
        If shapes and classes do not fit together, or multilabel is neither True nor False.
    """
    if not isinstance(multilabel, bool | np.bool_):
        raise ValueError(f"multilabel must be True or False; got {multilabel!r}.")  # noqa: TRY004
    thetas = read_matrices(thetas)
    n_rows = len(thetas[-1])
    if multilabel:
        if n_rows == 1:
            raise ValueError(
                "multilabel=True needs a row of the last matrix per label, and two labels or more; "
                "got one row."
            )
        return thetas, Labels.numbered(n_rows, classes)
    if n_rows == 2 and not softmax:
        raise ValueError(
            "Two rows of the last matrix are two labels, with multilabel=True, or two classes, "
            "with output_activation='softmax'; got neither."
        )
    labels, order = _read_labels(classes, n_rows)
    if n_rows > 1:
        thetas[-1] = thetas[-1][order]
    elif order[0] == 1:
        thetas[-1] = -thetas[-1]
    if n_rows == 2:
        # exp(z2) / (exp(z1) + exp(z2)) is the logistic function of z2 - z1.
        thetas[-1] = np.diff(thetas[-1], axis=0)
    return thetas, ExclusiveClasses(labels)


def read_matrices(thetas):
    """Matrices that follow each other, as new arrays of float64."""
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
    return thetas


def hidden_sizes(matrices, params):
    """Sizes of the hidden layers that matrices make.

    Raises
    ------
    ValueError
        If the keywords that are given next to them hold the sizes, too.
    """
    if "hidden_layer_sizes" in params:
        raise ValueError(
            "hidden_layer_sizes must not be given: it follows from the matrices; got "
            f"{params['hidden_layer_sizes']!r}."
        )
    return [len(matrix) for matrix in matrices[:-1]]


def _read_labels(classes, n_rows):
    """Labels of exclusive classes, sorted, and their order before."""
    labels = np.arange(max(n_rows, 2)) if classes is None else np.asarray(classes)
    allowed = [(1,), (2,)] if n_rows == 1 else [(n_rows,)]
    try:
        order = np.argsort(labels)
        distinct = len(np.unique(labels[labels == labels])) == labels.size
    except (TypeError, IndexError):  # labels of several kinds can't be sorted
        distinct = False
    if labels.shape not in allowed or not distinct:
        raise ValueError(
            "classes must be one label per row of the last matrix, each once, or two labels "
            f"for one row; got {labels} for {n_rows} rows."
        )
    return labels[order], order
