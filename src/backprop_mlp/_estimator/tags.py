"""What scikit-learn and other libraries ask about all estimators of the package."""

from sklearn.base import ClassifierMixin, RegressorMixin


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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.input_tags.sparse = True
        return tags
