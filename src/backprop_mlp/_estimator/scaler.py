"""Standardised columns of a table, among which those that don't vary in training stay silent."""

import numpy as np
from sklearn.preprocessing import StandardScaler


class VaryingScaler(StandardScaler):
    """A `sklearn.preprocessing.StandardScaler` in which only columns that vary say something.

    Where training rows have one value, or none, a network's starting weights stay as they
    were drawn: nothing is known of what another value means. Here the ``scale_`` of such
    columns is infinite, so that they are 0 whatever they hold later. In
    `sklearn.preprocessing.StandardScaler` it is 1: a later 50,000 would be 50,000, as it is here
    with ``with_std=False``. There is no way back from 0: `inverse_transform` makes nan of them.
    """

    def partial_fit(self, X, y=None, sample_weight=None):
        """Go on with mean and standard deviation.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights >= 0; a column that varies in rows with zero weight alone is constant.

        Returns
        -------
        self : VaryingScaler
        """
        super().partial_fit(X, y, sample_weight)
        if self.with_std:
            # scikit-learn knows which columns vary by no more than rounding, and scales them by 1.
            self.scale_[self.scale_ != np.sqrt(self.var_)] = np.inf
        return self
