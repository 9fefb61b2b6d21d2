"""A caller's StopIteration on its way through code that would take it for an end of its own.

SciPy's methods end without an error when their callback raises one, and in a generator, such
as joblib's, Python makes another error of it.
"""


class CarriedError(Exception):
    """Carries a StopIteration, its only argument."""


def carry(function, *arguments):
    """What a function returns; a StopIteration that it raises comes out as a `CarriedError`."""
    try:
        return function(*arguments)
    except StopIteration as error:
        raise CarriedError(error) from None


def deliver(function, *arguments, **keywords):
    """What a function returns; a StopIteration that was carried through it comes out itself."""
    try:
        return function(*arguments, **keywords)
    except CarriedError as carried:
        (error,) = carried.args
    # Not where the other one is handled: it keeps the context that it had.
    raise error
