"""How much each search of a vote counts: by what they say of the rows that they left out."""

import numpy as np
from scipy.optimize import minimize_scalar


def find_vote_weights(searches, outputs, y, sample_weight=None):
    """The weights with which a vote has the lowest held-out loss: they sum to 1.

    The searches are mixed one after another, each with the mixture of those before it: of two,
    the best weights of all, as the losses are convex in what is averaged. The gamma deviance alone
    is not, and may have a second minimum where predictions are many times off in few rows. The
    weights are one number from all rows, so that the loss of the mixture tells nearly as much of
    new rows as the losses of the searches do.

    Parameters
    ----------
    searches : list of AlphaSearch
        Fitted to the same y; the loss is that of the first.
    outputs : list of ndarray of shape (n_samples, ...)
        What the networks of each search say of the rows that they were not trained on, nan where
        there are no such networks.
    y : ndarray of shape (n_samples,)
        As the searches were given it.
    sample_weight : array-like of shape (n_samples,) or None, default=None

    Returns
    -------
    weights : ndarray of shape (n_searches,)
        Equal ones, if no row is left out by all searches or the mixture's loss is not finite.
    """
    known = np.all([_are_known(each) for each in outputs], axis=0)
    if sample_weight is not None:
        known &= np.asarray(sample_weight) > 0.0
        sample_weight = np.asarray(sample_weight, dtype=np.float64)[known]
    weights, equal = np.ones(1), np.full(len(searches), 1.0 / len(searches))
    if not known.any():
        return equal
    y, mixture = y[known], outputs[0][known]
    for other in outputs[1:]:
        other = other[known]

        def loss(share, mixture=mixture, other=other):
            mixed = (1.0 - share) * mixture + share * other
            return searches[0]._held_out_loss(y, mixed, sample_weight)

        if not np.isfinite(loss(0.5)):
            return equal
        share = minimize_scalar(loss, bounds=(0.0, 1.0), method="bounded").x
        weights = np.append((1.0 - share) * weights, share)
        mixture = (1.0 - share) * mixture + share * other
    return weights


def _are_known(outputs):
    """Which rows have outputs."""
    return ~np.isnan(outputs).reshape(len(outputs), -1).any(axis=1)
