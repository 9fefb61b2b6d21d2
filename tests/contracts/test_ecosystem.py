"""scikit-learn's tools around the classifier: inspection, composition, routing, pictures."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.ensemble import StackingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import PartialDependenceDisplay, permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backprop_mlp import BackpropMLPClassifier, BackpropMLPClassifierCV
from backprop_mlp._estimator import documentation

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, SPECIES = load_iris(return_X_y=True, as_frame=True)
X = X.sample(frac=1.0, random_state=0)
SPECIES = SPECIES[X.index]
IS_VIRGINICA = SPECIES == 2
X_MULTI, Y_MULTI = make_multilabel_classification(120, 6, n_classes=3, random_state=0)


def network(**params):
    return BackpropMLPClassifier(
        **{"hidden_layer_sizes": 8, "max_iter": 40, "alpha": 0.1, "random_state": 0} | params
    )


def scaled(**params):
    return make_pipeline(StandardScaler(), network(**params))


def _permutation_importance():
    # A column of noise matters less than every measured one.
    noisy = X.assign(noise=np.random.default_rng(0).normal(size=len(X)))
    model = scaled().fit(noisy, SPECIES)
    importance = permutation_importance(model, noisy, SPECIES, random_state=0).importances_mean
    return importance[:4].max() - abs(importance[4])


def _partial_dependence():
    model = scaled().fit(X, SPECIES)
    display = PartialDependenceDisplay.from_estimator(
        model, X, ["petal width (cm)", (2, 3)], target=2, grid_resolution=8
    )
    # Virginica has the widest petals.
    curve = display.pd_results[0]["average"][display.target_idx]
    return curve[-1] - curve[0]


def _calibrated():
    model = CalibratedClassifierCV(scaled(), cv=3).fit(X, SPECIES)
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    return model.score(X, SPECIES)


def _out_of_fold():
    P = cross_val_predict(scaled(), X, SPECIES, cv=3, method="predict_proba")
    return np.mean(P.argmax(axis=1) == SPECIES)


def _stacked():
    members = [
        ("network", scaled()),
        ("linear", make_pipeline(StandardScaler(), LogisticRegression())),
    ]
    return StackingClassifier(members, cv=3).fit(X, SPECIES).score(X, SPECIES)


def _one_against_the_rest():
    return OneVsRestClassifier(scaled()).fit(X, SPECIES).score(X, SPECIES)


def _chain():
    model = ClassifierChain(scaled(), cv=3, random_state=0).fit(X_MULTI, Y_MULTI)
    return np.mean(model.predict(X_MULTI) == Y_MULTI)


def _halving():
    search = HalvingGridSearchCV(
        scaled(), {"backpropmlpclassifier__alpha": [0.01, 1.0, 100.0]}, cv=3, random_state=0
    )
    return search.fit(X, SPECIES).score(X, SPECIES)


def _halving_over_iterations():
    search = HalvingGridSearchCV(
        network(), {"alpha": [0.01, 1.0, 100.0]}, resource="max_iter", max_resources=40, cv=3
    )
    return search.fit(X, SPECIES).score(X, SPECIES)


def _frozen():
    model = scaled().fit(X, SPECIES)
    frozen = CalibratedClassifierCV(FrozenEstimator(model)).fit(X, SPECIES)
    np.testing.assert_array_equal(
        clone(FrozenEstimator(model)).predict_proba(X), model.predict_proba(X)
    )
    return frozen.score(X, SPECIES)


def _tuned_threshold():
    model = TunedThresholdClassifierCV(scaled(), scoring="f1", cv=3, thresholds=20).fit(
        X, IS_VIRGINICA
    )
    return model.score(X, IS_VIRGINICA)


def _pandas_output():
    with sklearn.config_context(transform_output="pandas"):
        columns = make_column_transformer(
            (StandardScaler(), list(X.columns[:3])), remainder="passthrough"
        )
        model = make_pipeline(columns, network()).fit(X, SPECIES)
        assert list(model[-1].feature_names_in_) == [
            *(f"standardscaler__{name}" for name in X.columns[:3]),
            f"remainder__{X.columns[3]}",
        ]
        return model.score(X, SPECIES)


def _polars():
    table = pl.DataFrame(X.to_numpy(), schema=list(X.columns))
    model = network().fit(table, SPECIES.to_numpy())
    # Old versions of scikit-learn can't read the names of new ones of polars.
    expected = getattr(StandardScaler().fit(table), "feature_names_in_", None)
    np.testing.assert_array_equal(getattr(model, "feature_names_in_", None), expected)
    return model.score(table, SPECIES.to_numpy())


@pytest.mark.parametrize(
    ("use", "at_least"),
    [
        (_permutation_importance, 0.05),
        (_partial_dependence, 0.2),
        (_calibrated, 0.9),
        (_out_of_fold, 0.9),
        (_stacked, 0.9),
        (_one_against_the_rest, 0.9),
        (_chain, 0.7),
        (_halving, 0.9),
        (_halving_over_iterations, 0.9),
        (_frozen, 0.9),
        (_tuned_threshold, 0.9),
        (_pandas_output, 0.9),
        (_polars, 0.9),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_scikit_learns_tools(use, at_least):
    assert use() > at_least


# Metadata routing


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


WEIGHTS = np.random.default_rng(0).uniform(0.0, 2.0, len(X))
TRAIN, REST = slice(0, 100), slice(100, None)


def same_predictions(model, expected):
    np.testing.assert_allclose(
        model.predict_proba(X), expected.predict_proba(X), rtol=0, atol=1e-12
    )


def test_weights_go_through_pipelines_and_searches(routing):
    requests = network().set_fit_request(sample_weight=True)
    scaler = StandardScaler().set_fit_request(sample_weight=False)
    pipeline = make_pipeline(scaler, requests)
    scorer = get_scorer("accuracy").set_score_request(sample_weight=True)
    grid = {"backpropmlpclassifier__alpha": [0.1]}
    search = GridSearchCV(pipeline, grid, cv=3, scoring=scorer)
    search.fit(X, SPECIES, sample_weight=WEIGHTS)
    inputs = StandardScaler().fit_transform(X)
    expected = network().fit(inputs, SPECIES, WEIGHTS)
    np.testing.assert_array_equal(
        search.best_estimator_[-1].predict_proba(inputs), expected.predict_proba(inputs)
    )
    assert search.score(X, SPECIES, sample_weight=WEIGHTS) == pytest.approx(
        expected.score(inputs, SPECIES, WEIGHTS), rel=1e-12
    )


def test_weights_that_nobody_asked_for_are_an_error(routing):
    with pytest.raises(ValueError, match="sample_weight"):
        make_pipeline(StandardScaler(), network()).fit(X, SPECIES, sample_weight=WEIGHTS)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_validation_rows_go_through_pipelines_and_searches(routing, early_stopping):
    params = {"early_stopping": early_stopping, "n_iter_no_change": 5}
    requests = network(**params).set_fit_request(X_val=True, y_val=True, sample_weight_val=True)
    # The pipeline transforms the validation rows as it does all others.
    pipeline = make_pipeline(StandardScaler(), requests, transform_input=["X_val"])
    search = GridSearchCV(pipeline, {"backpropmlpclassifier__alpha": [0.1]}, cv=3)
    search.fit(
        X[TRAIN],
        SPECIES[TRAIN],
        X_val=X[REST],
        y_val=SPECIES[REST],
        sample_weight_val=WEIGHTS[REST],
    )
    scaler = StandardScaler().fit(X[TRAIN])
    expected = network(**params).fit(
        scaler.transform(X[TRAIN]),
        SPECIES[TRAIN],
        X_val=scaler.transform(X[REST]),
        y_val=SPECIES[REST],
        sample_weight_val=WEIGHTS[REST],
    )
    fitted = search.best_estimator_[-1]
    assert fitted.validation_scores_ == expected.validation_scores_
    assert fitted.validation_loss_curve_ == expected.validation_loss_curve_


# The picture of an estimator in a notebook


@pytest.fixture
def published(monkeypatch):
    """Sets the address that the package was published with."""
    return lambda site: monkeypatch.setattr(documentation, "_published_site", lambda: site)


@pytest.mark.parametrize(
    "estimator", [BackpropMLPClassifier(), BackpropMLPClassifierCV(BackpropMLPClassifier())]
)
@pytest.mark.parametrize("site", ["https://example.org/docs", "https://example.org/docs/", ".."])
def test_the_picture_leads_to_the_reference_of_a_configured_site(estimator, site, monkeypatch):
    monkeypatch.setenv("BACKPROP_MLP_DOCS", site)
    link = estimator._get_doc_link()
    page = f"reference/generated/backprop_mlp.{type(estimator).__name__}.html"
    assert link == f"{site.rstrip('/')}/{page}"
    assert f'href="{link}"' in estimator._repr_html_()


def test_the_picture_leads_to_the_site_in_the_package_s_metadata(published, monkeypatch):
    monkeypatch.delenv("BACKPROP_MLP_DOCS", raising=False)
    published("https://example.org")
    link = "https://example.org/reference/generated/backprop_mlp.BackpropMLPClassifier.html"
    assert BackpropMLPClassifier()._get_doc_link() == link


def test_without_a_site_the_picture_leads_nowhere(published, monkeypatch):
    monkeypatch.delenv("BACKPROP_MLP_DOCS", raising=False)
    published("")
    assert BackpropMLPClassifier()._get_doc_link() == ""


@pytest.mark.parametrize("estimator", [BackpropMLPClassifier(), BackpropMLPClassifierCV()])
def test_the_picture_holds_no_path_of_this_machine(estimator, monkeypatch):
    """A notebook is saved here and opened elsewhere."""
    monkeypatch.delenv("BACKPROP_MLP_DOCS", raising=False)
    picture = estimator._repr_html_()
    assert "file:" not in picture
    assert str(Path(documentation.__file__).parents[1]) not in picture


def test_an_estimator_of_the_user_has_no_link_to_ours():
    class Derived(BackpropMLPClassifier):
        pass

    assert Derived()._get_doc_link() == ""
    Derived()._repr_html_()
