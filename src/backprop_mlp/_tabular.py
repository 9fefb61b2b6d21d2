"""A whole pipeline for tables as they come: columns prepared, two sets of networks averaged."""

from contextlib import ExitStack, contextmanager
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.utils import check_random_state

from ._classifier import BackpropMLPClassifier
from ._classifier_cv import BackpropMLPClassifierCV
from ._estimator.adoption import unchanged_on_failure
from ._estimator.assembly import build_network
from ._estimator.columns import (
    float32_of,
    floats_of,
    numbers_of,
    same_names,
    strings_of,
)
from ._estimator.keywords import RandomState
from ._estimator.rare_categories import MAX_CATEGORIES, MIN_FREQUENCY, categories_of_training
from ._estimator.scaler import VaryingScaler
from ._estimator.seeds import draw_seeds
from ._piecewise_linear import PiecewiseLinearEncoder
from ._regressor import BackpropMLPRegressor
from ._regressor_cv import BackpropMLPRegressorCV
from ._search.alpha_path import check_estimator_of_path
from ._search.folds import TooManyFoldsError
from ._sklearn import available_if, validate_params

PLAIN_UNITS = (64, 32)
"""Hidden units of the networks on standardised columns: the second layer finds interactions."""

RAMPS_UNITS = (100,)
"""Those of the networks on ramps, which bend without a second layer and gain nothing by one."""


def make_tabular_classifier(
    *,
    estimator: BackpropMLPClassifier | None = None,
    n_folds: int = 5,
    n_jobs: int | None = None,
    random_state: RandomState = None,
) -> Pipeline:
    """A classifier for tables with numbers, categories and gaps, as a pipeline.

    The columns are prepared: gaps in numbers are filled with medians and marked by columns of
    their own, and categories are one-hot encoded. Two sets of networks vote with their
    probabilities: one sees standardised columns, the other one their piecewise-linear
    encoding as well. In each set `BackpropMLPClassifierCV` chooses alpha by the held-out
    log-loss and averages the networks of its folds. How much each set counts is what gives
    the vote the lowest held-out log-loss.

    Parameters
    ----------
    estimator : BackpropMLPClassifier, default=None
        Holds the keywords of both sets' networks; it is cloned. None means softmax outputs,
        L-BFGS, at most 40 iterations for the first alpha, and hidden layers of 64 and 32
        units for "plain", one of 100 for "ramps". A dictionary as its ``class_weight`` names
        labels of y. ``early_stopping`` must be False; ``alpha`` and ``random_state`` are not
        read.
    n_folds : int, default=5
        The effort: folds of each set, >= 2. Time for training grows with it, and time for
        a prediction, too: there are up to 4 networks per fold.
    n_jobs : int or None, default=None
        Number of folds to train in parallel, in threads. It does not change the result.
        They share Python's interpreter: on small tables little time is saved.
    random_state : int, RandomState instance or None, default=None
        Source of the folds and of the starting weights, read here: every `fit` of the model
        has the same. An int gives the same model in every call.

    Returns
    -------
    model : sklearn.pipeline.Pipeline
        Not fitted. ``model["columns"]`` is a `sklearn.compose.ColumnTransformer` of "numbers",
        "gaps", which marks missing numbers, and "categories"; "scaler", a
        `sklearn.preprocessing.StandardScaler` that makes 0 of constant columns, and "float32"
        standardise and halve the precision, which training does not need;
        ``model["networks"]`` is a `sklearn.ensemble.VotingClassifier` of "plain" and "ramps",
        in which dictionaries of class weights name the labels. When it is fitted, its
        ``weights_`` hold how much each set counts, unless its ``weights`` are set, and its
        ``oof_proba_`` a row of probabilities for each training row, by the networks that
        were not trained on it. y is of shape (n_samples,).

    Raises
    ------
    ValueError
        If n_folds is not an integer >= 2, or n_jobs, random_state or a keyword of the
        estimator is not allowed.
    TypeError
        If estimator is not a `BackpropMLPClassifier`.

    See Also
    --------
    make_tabular_regressor : The same for numbers.
    BackpropMLPClassifierCV : One set of networks.
    PiecewiseLinearEncoder : What the other set sees.

    Notes
    -----
    X is a pandas or polars dataframe, or an array. Columns of numbers and booleans are
    numbers. Strings, categories and mixtures are categories: of each column the 29 most
    frequent values that at least 3 rows have get columns of their own, and the others share
    one. Values that only a prediction brings count among the others; where training had no
    others, they are zero in all columns. `fit` warns of columns most of whose rows share that
    column: of numbers or dates that come as words, the networks would learn nothing.
    A missing category counts as a value like any other: it has a column of its own where at
    least 3 rows lack it. A column that is constant or empty in training tells nothing of what
    other values mean: it is ignored, whatever number or category it holds at a prediction.
    Words where training had numbers are refused, with the column's name. So are dates, times,
    nested values and complex numbers: what of them tells something, such as the month or an
    age in days, is for the user to say.

    Every step can be replaced, as with every pipeline:
    ``model.set_params(networks__ramps="drop")`` leaves the encoding out, and
    ``networks__weights=[1, 1]`` makes both sets equal. ``sample_weight``
    reaches the networks with metadata routing only, since pipelines hand on what is requested:
    the guide on tables shows the lines. Medians and categories are of all rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from backprop_mlp import make_tabular_classifier
    >>> table = pd.DataFrame(
    ...     {"age": [31, 45, None, 22] * 10, "city": ["Rome", None, "Oslo", "Rome"] * 10}
    ... )
    >>> buys = ["no", "yes", "yes", "no"] * 10
    >>> model = make_tabular_classifier(n_folds=2, random_state=0).fit(table, buys)
    >>> model.predict(table.head(3))
    array(['no', 'yes', 'yes'], dtype='<U3')
    """
    network = BackpropMLPClassifier(solver="lbfgs", output_activation="softmax", max_iter=40)
    networks = _make_networks(
        estimator, network, BackpropMLPClassifierCV, n_folds, n_jobs, random_state
    )
    # To import scikit-learn's ensembles takes longer than this package, which most do without.
    from ._estimator.voting import LabelVotingClassifier

    return _assemble(LabelVotingClassifier(networks, voting="soft"))


def make_tabular_regressor(
    *,
    estimator: BackpropMLPRegressor | None = None,
    n_folds: int = 5,
    n_jobs: int | None = None,
    random_state: RandomState = None,
) -> Pipeline:
    """A regressor for tables with numbers, categories and gaps, as a pipeline.

    As `make_tabular_classifier`, which describes the columns and what is done with them: two
    sets of networks, with and without a piecewise-linear encoding of the columns, whose
    predictions are averaged, with the weights of the lowest held-out loss. In each set
    `BackpropMLPRegressorCV` chooses alpha by the held-out loss and averages the networks of its
    folds.

    Parameters
    ----------
    estimator : BackpropMLPRegressor, default=None
        Holds the keywords of both sets' networks, such as ``loss``; it is cloned. None means
        L-BFGS, at most 40 iterations for the first alpha, and hidden layers of 64 and 32
        units for "plain", one of 100 for "ramps". ``early_stopping`` must be False; ``alpha``
        and ``random_state`` are not read.
    n_folds : int, default=5
        The effort: folds of each set, >= 2. Time for training grows with it, and time for
        a prediction, too: there are up to 4 networks per fold.
    n_jobs : int or None, default=None
        Number of folds to train in parallel, in threads. It does not change the result.
        They share Python's interpreter: on small tables little time is saved.
    random_state : int, RandomState instance or None, default=None
        Source of the folds and of the starting weights, read here: every `fit` of the model
        has the same. An int gives the same model in every call.

    Returns
    -------
    model : sklearn.pipeline.Pipeline
        Not fitted. As that of `make_tabular_classifier`, but for ``model["networks"]``, a
        `sklearn.ensemble.VotingRegressor` with ``weights_`` and an ``oof_prediction_``: y is of
        shape (n_samples,).

    Raises
    ------
    ValueError
        If n_folds is not an integer >= 2, or n_jobs, random_state or a keyword of the
        estimator is not allowed.
    TypeError
        If estimator is not a `BackpropMLPRegressor`.

    See Also
    --------
    make_tabular_classifier : The same for classes.
    BackpropMLPRegressorCV : One set of networks.

    Examples
    --------
    >>> import pandas as pd
    >>> from backprop_mlp import make_tabular_regressor
    >>> table = pd.DataFrame(
    ...     {"rooms": [2, 3, None, 4] * 10, "city": ["Rome", None, "Oslo", "Rome"] * 10}
    ... )
    >>> rent = [900.0, 1300.0, 1100.0, 1800.0] * 10
    >>> model = make_tabular_regressor(n_folds=2, random_state=0).fit(table, rent)
    >>> bool(model.score(table, rent) > 0.9)
    True
    """
    network = BackpropMLPRegressor(solver="lbfgs", max_iter=40)
    networks = _make_networks(
        estimator, network, BackpropMLPRegressorCV, n_folds, n_jobs, random_state
    )
    from ._estimator.voting import SearchVotingRegressor

    return _assemble(SearchVotingRegressor(networks))


def _make_networks(estimator, default, search, n_folds, n_jobs, random_state):
    """The two sets of networks, with their names."""
    if not isinstance(n_folds, Integral) or n_folds < 2:
        raise ValueError(f"n_folds must be an integer >= 2; got {n_folds!r}.")
    kind = type(default)
    if estimator is not None and not isinstance(estimator, kind):
        raise TypeError(f"estimator must be a {kind.__name__} or None; got {estimator!r}.")
    validate_params(search(n_jobs=n_jobs, random_state=random_state))
    if estimator is None:
        members = [
            clone(default).set_params(hidden_layer_sizes=units)
            for units in (PLAIN_UNITS, RAMPS_UNITS)
        ]
    else:
        _check_keywords(estimator)
        members = [clone(estimator), clone(estimator)]
    # Folds and starts of their own: the more the two sets differ, the better is their mean.
    plain, ramps = (
        search(network, cv=int(n_folds), n_jobs=n_jobs, refit="folds", random_state=seed)
        for network, seed in zip(
            members, draw_seeds(check_random_state(random_state), 2), strict=True
        )
    )
    encoded = Pipeline([("encoder", PiecewiseLinearEncoder()), ("networks", ramps)])
    return [("plain", plain), ("ramps", encoded)]


def _check_keywords(estimator):
    """An error, naming ``estimator``, if a keyword is not allowed whatever the table will be."""
    try:
        check_estimator_of_path(estimator)
        build_network(estimator, 1, estimator._targets_of(np.array([0.0, 1.0])))
    except ValueError as error:
        raise ValueError(f"estimator is not allowed: {error}") from error


class TablePipeline(Pipeline):
    """A `sklearn.pipeline.Pipeline` that a fit which fails leaves as it was.

    Of scikit-learn's the first steps would be those of the new rows, and the networks those of
    the rows before: it would predict, and be wrong in silence.
    """

    def fit(self, X, y=None, **params):
        """Fit one step after another.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        **params : dict
            See `sklearn.pipeline.Pipeline`.

        Returns
        -------
        self : TablePipeline

        Raises
        ------
        ValueError
            If ``sample_weight`` is given without metadata routing.
        """
        if "sample_weight" in params:
            from ._estimator.voting import refuse_weights_without_routing

            refuse_weights_without_routing()
        with self._unchanged_on_failure():
            return super().fit(X, y, **params)

    def _can_fit_transform(self):
        return hasattr(super(), "fit_transform")

    @available_if(_can_fit_transform)
    def fit_transform(self, X, y=None, **params):
        """Fit one step after another, and transform with the last one, too.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        **params : dict
            See `sklearn.pipeline.Pipeline`.

        Returns
        -------
        Xt : ndarray of shape (n_samples, n_transformed_features)
        """
        with self._unchanged_on_failure():
            return super().fit_transform(X, y, **params)

    @contextmanager
    def _unchanged_on_failure(self):
        """Context that leaves all steps as they were, and what is inside them, if it fails.

        What the searches call cv has the name that a model for tables is made with.
        """
        with ExitStack() as stack:
            # Steps are not cloned: all are fitted in place, those of a pipeline in it, too.
            for part in (self, *self.get_params().values()):
                if isinstance(part, BaseEstimator):
                    stack.enter_context(unchanged_on_failure(part))
            try:
                yield
            except TooManyFoldsError as error:
                raise ValueError(str(error).replace("cv", "n_folds", 1)) from error


def _assemble(networks):
    """From the columns of a table to the networks."""
    return TablePipeline(
        [
            ("columns", _make_columns()),
            ("scaler", VaryingScaler()),
            ("float32", _make_step(float32_of)),
            ("networks", networks),
        ]
    )


def _make_columns():
    """What makes numbers of all columns of a table."""
    from sklearn.impute import MissingIndicator, SimpleImputer

    from ._estimator.table_columns import TableColumns

    numbers = make_pipeline(
        _make_step(floats_of), SimpleImputer(strategy="median", keep_empty_features=True)
    )
    # A part of its own, so that "missingindicator_a" is not taken for a column of that name.
    gaps = make_pipeline(_make_step(floats_of), MissingIndicator(error_on_new=False))
    categories = make_pipeline(
        _make_step(strings_of),
        OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            max_categories=MAX_CATEGORIES,
            min_frequency=MIN_FREQUENCY,
            sparse_output=False,
            feature_name_combiner=category_name,
        ),
    )
    return TableColumns(
        [
            ("numbers", numbers, numbers_of),
            ("gaps", gaps, numbers_of),
            ("categories", categories, categories_of_training),
        ]
    )


def _make_step(function):
    """A step that takes columns as they come."""
    return FunctionTransformer(function, feature_names_out=same_names)


def category_name(column, category):
    """Name of the column of a category: no other category of any column has the same.

    Only strings are quoted: so no value looks like a missing one, and none of column "a_b" like
    one of column "a". scikit-learn calls those that share a column "infrequent_sklearn".
    """
    return f"{column}={str(category)!r}" if isinstance(category, str) else f"{column} is missing"
