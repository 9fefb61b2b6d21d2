"""The columns of a table, whose errors say what is no table."""

from reprlib import repr as shortened

from sklearn.compose import ColumnTransformer

from .columns import names_of


class TableColumns(ColumnTransformer):
    """A `sklearn.compose.ColumnTransformer` that refuses what is no table in words that help.

    scikit-learn reads dictionaries, polars' LazyFrame and the like as arrays, and speaks of
    reshaping them.
    """

    def fit_transform(self, X, y=None, **params):
        """Learn the columns, and what becomes of them.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), default=None
        **params : dict
            See `sklearn.compose.ColumnTransformer`.

        Returns
        -------
        Xt : array or dataframe of shape (n_samples, n_transformed_features)

        Raises
        ------
        TypeError, ValueError
            If X is no table, or two of its columns have one name.
        """
        names_of(X)
        return super().fit_transform(X, y, **params)

    def transform(self, X, **params):
        """What becomes of the columns.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
        **params : dict
            See `sklearn.compose.ColumnTransformer`.

        Returns
        -------
        Xt : array or dataframe of shape (n_samples, n_transformed_features)

        Raises
        ------
        TypeError, ValueError
            As `fit_transform`, or if X has no names and training had.
        """
        names = names_of(X)
        known = getattr(self, "feature_names_in_", None)
        if known is not None and names == list(range(len(names))):
            raise ValueError(
                f"X must be a dataframe with the columns of training, {shortened(known.tolist())}; "
                "got columns that are numbered."
            )
        return super().transform(X, **params)
