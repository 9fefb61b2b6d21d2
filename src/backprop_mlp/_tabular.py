"""A whole pipeline for tables as they come: columns prepared, two sets of networks averaged."""

from numbers import Integral

from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.utils import check_random_state

from ._classifier import BackpropMLPClassifier
from ._classifier_cv import BackpropMLPClassifierCV
from ._estimator.columns import (
    categories_of,
    float32_of,
    floats_of,
    numbers_of,
    strings_of,
)
from ._estimator.keywords import RandomState
from ._estimator.seeds import draw_seeds
from ._piecewise_linear import PiecewiseLinearEncoder

MAX_CATEGORIES = 30
"""Columns that a column of categories becomes, at most; the rarest share the last one."""

MIN_FREQUENCY = 3
"""Rows that a category must have for a column of its own."""


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
    log-loss and averages the networks of its folds.

    Parameters
    ----------
    estimator : BackpropMLPClassifier, default=None
        Holds the networks' keywords; it is cloned. None means 50 hidden units, softmax
        outputs, L-BFGS and at most 60 iterations for the first alpha.
    n_folds : int, default=5
        The effort: folds of each set, >= 2. Time for training grows with it, and time for
        a prediction, too: there are up to 4 networks per fold.
    n_jobs : int or None, default=None
        Number of folds to train in parallel, in threads. It does not change the result.
    random_state : int, RandomState instance or None, default=None
        Source of the folds and of the starting weights, read here: every `fit` of the model
        has the same. An int gives the same model in every call.

    Returns
    -------
    model : sklearn.pipeline.Pipeline
        Not fitted. ``model["columns"]`` is a `sklearn.compose.ColumnTransformer`; "scaler"
        and "float32" standardise and halve the precision, which training does not need;
        ``model["networks"]`` is a `sklearn.ensemble.VotingClassifier` of "plain" and "ramps".

    Raises
    ------
    ValueError
        If n_folds is not an integer >= 2.
    TypeError
        If estimator is not a `BackpropMLPClassifier`.

    See Also
    --------
    BackpropMLPClassifierCV : One set of networks.
    PiecewiseLinearEncoder : What the other set sees.

    Notes
    -----
    X is a pandas or polars dataframe, or an array. Columns of numbers and booleans are
    numbers. Strings, categories and mixtures are categories: of each column the 29 most
    frequent values that at least 3 rows have get columns of their own, the others share
    one, and so do values that only a prediction brings. Missing values of a category are a
    category of their own. Dates, times and nested values are refused, with the column's name:
    what of them tells something, such as the month or an age in days, is for the user
    to say.

    Every step can be replaced, as with every pipeline:
    ``model.set_params(networks__ramps="drop")`` leaves the encoding out. ``sample_weight``
    reaches the networks with metadata routing only, since pipelines hand on what is requested.

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
    if not isinstance(n_folds, Integral) or n_folds < 2:
        raise ValueError(f"n_folds must be an integer >= 2; got {n_folds!r}.")
    if estimator is None:
        estimator = BackpropMLPClassifier(
            50, solver="lbfgs", output_activation="softmax", max_iter=60
        )
    elif not isinstance(estimator, BackpropMLPClassifier):
        raise TypeError(f"estimator must be a BackpropMLPClassifier or None; got {estimator!r}.")
    # Folds and starts of their own: the more the two sets differ, the better is their mean.
    plain, ramps = (
        BackpropMLPClassifierCV(
            clone(estimator), cv=int(n_folds), n_jobs=n_jobs, refit="folds", random_state=seed
        )
        for seed in draw_seeds(check_random_state(random_state), 2)
    )
    members = [
        ("plain", plain),
        ("ramps", Pipeline([("encoder", PiecewiseLinearEncoder()), ("networks", ramps)])),
    ]
    return Pipeline(
        [
            ("columns", _columns()),
            ("scaler", StandardScaler()),
            ("float32", FunctionTransformer(float32_of, feature_names_out="one-to-one")),
            ("networks", VotingClassifier(members, voting="soft")),
        ]
    )


def _columns():
    """What makes numbers of all columns of a table."""
    numbers = make_pipeline(
        FunctionTransformer(floats_of, feature_names_out="one-to-one"),
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
    )
    categories = make_pipeline(
        FunctionTransformer(strings_of, feature_names_out="one-to-one"),
        OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            max_categories=MAX_CATEGORIES,
            min_frequency=MIN_FREQUENCY,
            sparse_output=False,
        ),
    )
    return ColumnTransformer(
        [("numbers", numbers, numbers_of), ("categories", categories, categories_of)],
        verbose_feature_names_out=False,
    )
