"""What scikit-learn and other libraries ask about all estimators of the package."""

from sklearn.base import ClassifierMixin, RegressorMixin

from .._training.scoring import r2
from .keywords import Matrix, Weights


class NetworkClassifierMixin(ClassifierMixin):
    """A classifier of any number of classes or labels, whose rows may be sparse."""

    # Asked for by libraries that know no tags; scikit-learn 1.8 and later set it no more.
    _estimator_type = "classifier"

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.input_tags.sparse = True
        return tags


class NetworkRegressorMixin(RegressorMixin):
    """A regressor of any number of outputs, whose rows may be sparse."""

    # Asked for by libraries that know no tags; scikit-learn 1.8 and later set it no more.
    _estimator_type = "regressor"

    def score(self, X: Matrix, y: Matrix, sample_weight: Weights = None) -> float:
        """R2 of the predictions, the mean over the outputs.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights.

        Returns
        -------
        score : float
            As `sklearn.metrics.r2_score`; 1 is the best.
        """
        return r2(y, self.predict(X), sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = self._refuses_negative_numbers()
        tags.input_tags.sparse = True
        return tags

    def _refuses_negative_numbers(self):
        """Whether the loss allows no number below zero: here, that of ``estimator``."""
        estimator = getattr(self, "estimator", None)
        return (
            isinstance(estimator, NetworkRegressorMixin) and estimator._refuses_negative_numbers()
        )
