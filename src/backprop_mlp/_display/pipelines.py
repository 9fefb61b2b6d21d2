"""The fitted network that a picture is drawn of."""

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._estimator.fitted import kind_error


def last_step(estimator, attribute):
    """A fitted network, alone or at the end of a pipeline, that has the attribute."""
    network = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    check_is_fitted(network)
    if not hasattr(network, attribute):
        raise kind_error(network, f"a network that has {attribute}")
    return network
