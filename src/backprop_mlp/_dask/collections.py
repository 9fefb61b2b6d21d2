"""What users give: Dask collections and a client, checked before any work."""

import copy

import dask
import dask.array as da
import numpy as np
from distributed import default_client, wait
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

from .._estimator.rows import refuse_no_numbers, warn_of_a_column
from .._training.interruption import is_ending
from .placement import has_workers

MAKE_A_CLIENT = (
    "Two lines make one on this machine:\n\n"
    "    from distributed import Client\n    client = Client()\n"
)
"""For messages."""


def check_client(client):
    """The given client, or the current one.

    Raises
    ------
    ValueError
        If there is none, or if it is closed or asynchronous.
    """
    try:
        client = default_client(client)
    except ValueError as error:
        raise ValueError(
            f"Dask collections need a client, and there is none. {MAKE_A_CLIENT}"
        ) from error
    if client.status == "closed":
        raise ValueError(f"client must be connected; got a closed one. {MAKE_A_CLIENT}")
    if client.asynchronous:
        raise ValueError(
            "client must wait for results; got one with asynchronous=True, which does not. "
            f"{MAKE_A_CLIENT}"
        )
    return client


def gather(client, futures):
    """Results of tasks, which Ctrl-C may end.

    It comes while they are awaited: `Client.gather`, if it was, would print an error
    for each of them.

    Raises
    ------
    ConnectionError
        After Ctrl-C, if it has ended the workers, too.
    Exception
        That of a task which failed.
    """
    if not is_ending():
        wait(futures)
    while not all(future.done() for future in futures):
        try:
            wait(futures, timeout=1.0)
        except TimeoutError:
            if not has_workers(client):
                raise ConnectionError("Ctrl-C has ended the cluster's workers.") from None
    try:
        return client.gather(futures)
    except Exception as error:
        raise _apart_from_client(error) from error.__cause__


def _apart_from_client(error):
    """A task's error for those who called; the client keeps the given one with the task's future.

    With its traceback the client would keep the futures in all frames, that one among them: the
    partitions of a fit that failed would stay on the workers until the client is closed.
    """
    try:
        twin = copy.copy(error)
    except Exception:
        return error
    if str(twin) != str(error):  # its class makes other words of its own
        return error
    twin.__traceback__, error.__traceback__ = error.__traceback__, None
    return twin


def delayed_rows(X, y, sample_weight):
    """A tuple of delayed X, y and sample_weight per partition; the weights may be None."""
    X = whole_rows("X", X, (2,))
    refuse_no_numbers(X._meta)
    parts = [_delayed(X)]
    for name, other, ndims in (("y", y, (1, 2)), ("sample_weight", sample_weight, (1,))):
        if other is None and name != "y":
            parts.append([None] * len(parts[0]))
            continue
        other = whole_rows(name, other, ndims)
        if isinstance(X, da.Array) and isinstance(other, da.Array):
            n_rows, n_others = X.shape[0], other.shape[0]
            if not np.isnan(n_rows + n_others):
                if n_rows != n_others:
                    raise ValueError(f"{name} must have {n_rows} rows, as X has; got {n_others}.")
                other = other.rechunk({0: X.chunks[0]})
        parts.append(_delayed(other))
        if len(parts[-1]) != len(parts[0]):
            raise ValueError(
                f"{name} must have {len(parts[0])} partitions, as X has; got {len(parts[-1])}."
            )
    return list(zip(*parts, strict=True))


def one_column(y, name="y"):
    """y, one-dimensional if it has one column.

    It is warned of here: what worker processes warn of does not reach those who called.
    """
    if _ndim(y) != 2 or y.shape[1] != 1 or issparse(y._meta):
        return y
    warn_of_a_column(name)
    return y[:, 0] if isinstance(y, da.Array) else y.iloc[:, 0]


def check_features(estimator, X, *, reset=False):
    """Note the features of X, or compare them, as far as the collection tells them.

    Parameters
    ----------
    estimator : BackpropMLP
    X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
    reset : bool, default=False
        Whether these rows define the features.

    Raises
    ------
    ValueError
        If they are not those of the estimator.

    Warns
    -----
    UserWarning
        If the estimator's features have names and these have none.
    """
    if not np.isnan(X.shape[1]):
        described = X if isinstance(X, da.Array) else X._meta
        validate_data(estimator, described, reset=reset, skip_check_array=True)


def _ndim(collection):
    """Number of dimensions of a Dask array or dataframe; 0 of anything else."""
    ndim = getattr(collection, "ndim", 0)
    # Whatever a Delayed is asked for is another Delayed.
    return ndim if dask.is_dask_collection(collection) and isinstance(ndim, int) else 0


def whole_rows(name, collection, ndims):
    """The collection, with whole rows in each partition."""
    if _ndim(collection) not in ndims:
        ndim = getattr(collection, "ndim", None)
        raise TypeError(
            f"{name} must be a Dask array or dataframe with {' or '.join(map(str, ndims))} "
            f"dimensions; got {type(collection).__name__}"
            f"{f' with {ndim}' if isinstance(ndim, int) else ''}. For data in "
            "memory use BackpropMLPClassifier or BackpropMLPRegressor; dask.array.from_array makes "
            "them a Dask array."
        )
    if isinstance(collection, da.Array) and collection.ndim == 2:
        return collection.rechunk({1: -1})
    return collection


def _delayed(collection):
    """One delayed object per partition.

    As the user made them. Dask would optimise the graphs of X and y apart: rows that both come
    from would be read, and shuffled, once for each of them, in other orders if the user's function
    draws them, and narrow columns of a file in fewer partitions than wide ones.
    """
    partitions = collection.to_delayed(optimize_graph=False)
    return partitions.ravel().tolist() if isinstance(collection, da.Array) else list(partitions)
