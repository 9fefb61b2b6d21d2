"""What scikit-learn and other libraries ask about all classifiers of the package."""

from sklearn.base import ClassifierMixin


class NetworkClassifierMixin(ClassifierMixin):
    """A classifier of any number of classes or labels, whose rows may be sparse."""

    # Asked for by libraries that know no tags; scikit-learn 1.8 and later set it no more.
    _estimator_type = "classifier"

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.input_tags.sparse = True
        return tags
