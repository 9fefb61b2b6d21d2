"""How a fit knows that a search makes it, and what the search says of it.

That stands in a context variable, so that it need not go through every call in between, nor
through scikit-learn's.
"""

from contextvars import ContextVar, copy_context
from typing import NamedTuple


class SearchFit(NamedTuple):
    """What a search says of a `fit` that it makes.

    Parameters
    ----------
    name : str
        Which one it is, such as "fold 2, alpha 10": the lines of ``verbose`` begin with it.
    warns : bool, default=False
        Whether the fit itself warns about its outcome. Searches fit many times and warn once:
        the others leave out what each would repeat; filters, which threads share, are not touched.
    prefers_alpha : bool, default=False
        Whether the search preferred its alpha to smaller ones.
    has_estimator : bool, default=True
        Whether the search was given the network, on which its user can set keywords.
    """

    name: str
    warns: bool = False
    prefers_alpha: bool = False
    has_estimator: bool = True


_SEARCH_FIT: ContextVar[SearchFit | None] = ContextVar("a fit that a search makes", default=None)


def fit_for_search(said: SearchFit, fit, *args):
    """Call a `fit` of ours for a search; what it warns of takes into account what that says."""
    context = copy_context()
    context.run(_SEARCH_FIT.set, said)
    return context.run(fit, *args)


def forget_search():
    """Let no search say anything of the fits in the present context."""
    _SEARCH_FIT.set(None)


def search_fit():
    """What a search says of the present `fit`; None if none has made it."""
    return _SEARCH_FIT.get()


def leaves_warnings():
    """Whether the present `fit` leaves warnings about its outcome to its caller."""
    said = search_fit()
    return said is not None and not said.warns


def alpha_is_chosen():
    """Whether a search preferred the alpha of the present `fit` to smaller ones."""
    said = search_fit()
    return said is not None and said.prefers_alpha
