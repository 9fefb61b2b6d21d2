"""Keywords that the chosen solver or loss never reads, and the warning that names them."""

import warnings
from collections.abc import Callable
from functools import lru_cache
from inspect import signature
from typing import NamedTuple

from .._solvers.full_batch import METHODS
from .assembly import MINI_BATCH_SOLVERS


class IgnoredKeywordWarning(UserWarning):
    """A keyword was set that the chosen solver or loss never reads.

    A search over several solvers or losses may silence it.

    Examples
    --------
    >>> import warnings
    >>> from backprop_mlp import IgnoredKeywordWarning
    >>> warnings.simplefilter("ignore", IgnoredKeywordWarning)
    """


class Readers(NamedTuple):
    """Who reads a keyword.

    Parameters
    ----------
    solvers : tuple of str
    where : str, default=""
        Under which other keywords they read it; empty if under all.
    reads : callable(estimator) -> bool, default=always
        Whether they do under an estimator's.
    """

    solvers: tuple
    where: str = ""
    reads: Callable = lambda estimator: True


READERS = {
    "max_fun": Readers(tuple(METHODS)),
    "batch_size": Readers(MINI_BATCH_SOLVERS),
    "learning_rate": Readers(MINI_BATCH_SOLVERS),
    "learning_rate_init": Readers(
        MINI_BATCH_SOLVERS,
        "where learning_rate is a schedule's name",
        lambda estimator: isinstance(estimator.learning_rate, str),
    ),
    "power_t": Readers(
        MINI_BATCH_SOLVERS,
        "where learning_rate='invscaling'",
        lambda estimator: estimator.learning_rate == "invscaling",
    ),
    "shuffle": Readers(MINI_BATCH_SOLVERS),
    "momentum": Readers(("sgd",)),
    "nesterovs_momentum": Readers(("sgd",)),
    "beta_1": Readers(("adam",)),
    "beta_2": Readers(("adam", "rmsprop")),
    "epsilon": Readers(("adam", "rmsprop")),
    "max_grad_norm": Readers(MINI_BATCH_SOLVERS),
}
"""Keywords that only some solvers read. ``dropout`` and ``batch_norm`` are not among them:
what a full-batch solver can't train is an error."""

LOSS_READING = {"huber_threshold": "huber", "quantile": "quantile"}
"""Keywords that only one loss reads, and its name."""

CHOICES = {"solver": "solver", "learning_rate": "schedule (learning_rate)", "loss": "loss"}
"""Keywords whose values decide what is read, and what they choose, for the message."""


def ignored_keywords(estimator):
    """Keywords, away from their defaults, that the estimator's solver or loss never reads.

    Parameters
    ----------
    estimator : BackpropMLP

    Returns
    -------
    ignored : list of str
    """
    defaults = _defaults(estimator.__class__)

    return [
        keyword
        for keyword in (*READERS, *LOSS_READING)
        if keyword in defaults
        and getattr(estimator, keyword) != defaults[keyword]
        and _not_reading(estimator, keyword)
    ]


def _not_reading(estimator, keyword):
    """Names of the keywords whose values keep another one from being read."""
    if keyword in LOSS_READING:
        return set() if estimator.loss == LOSS_READING[keyword] else {"loss"}
    readers = READERS[keyword]
    by_solver = set() if estimator.solver in readers.solvers else {"solver"}
    return by_solver if readers.reads(estimator) else by_solver | {"learning_rate"}


@lru_cache
def _defaults(estimator_class):
    """Keyword -> its default: reading a signature takes as long as some evaluations."""
    keywords = signature(estimator_class).parameters
    return {name: keyword.default for name, keyword in keywords.items()}


def warn_of_ignored_keywords(estimator):
    """Warn once of all keywords that the estimator's solver or loss never reads."""
    ignored = ignored_keywords(estimator)
    if not ignored:
        return
    causes = set().union(*(_not_reading(estimator, keyword) for keyword in ignored))
    named = causes | {"solver"} if "learning_rate" in causes else causes
    chosen = _listed([_as_set(estimator, name) for name in CHOICES if name in named])
    *others, last = [what for name, what in CHOICES.items() if name in causes]
    choices = f"{', '.join(others)} or {last}" if others else last
    readers = "; ".join(f"{keyword} is read by {_readers(keyword)}" for keyword in ignored)
    warnings.warn(
        f"With {chosen}, {_listed(ignored)} {_do(ignored)} nothing: {readers}. "
        f"Leave out what does nothing, or choose a {choices} that reads it.",
        IgnoredKeywordWarning,
        stacklevel=2,
    )


def warn_of_adaptive_chunks(estimator):
    """Warn that `partial_fit` never lowers an adaptive learning rate."""
    if isinstance(estimator.learning_rate, str) and estimator.learning_rate == "adaptive":
        warnings.warn(
            "learning_rate='adaptive' does nothing in partial_fit: the costs of chunks, whose "
            "rows may differ, are not compared, and the rate stays as it is. Choose a schedule "
            "that counts calls or rows, such as 'invscaling' or 'exponential'.",
            IgnoredKeywordWarning,
            stacklevel=2,
        )


def _as_set(estimator, name):
    """A keyword with its value, for the message; a function has no short name."""
    value = getattr(estimator, name)
    return f"a callable {name}" if callable(value) else f"{name}={value!r}"


def _readers(keyword):
    """What reads a keyword, for the message."""
    if keyword in LOSS_READING:
        return f"loss={LOSS_READING[keyword]!r}"
    readers = READERS[keyword]
    return _listed(readers.solvers) + (f" {readers.where}" if readers.where else "")


def _listed(names):
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _do(names):
    return "does" if len(names) == 1 else "do"
