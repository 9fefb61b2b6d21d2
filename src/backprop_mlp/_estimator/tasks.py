"""The two tasks, to tell classes and to tell numbers: what they predict, and how they train."""

from dataclasses import asdict

import numpy as np

from .._network.losses import loss_for
from .._network.regression_losses import REGRESSION_LOSSES, loss_with, regression_loss
from .._targets.continuous import Numbers
from .._targets.targets import announced_targets, fitted_targets, targets_of
from .keywords import Matrix
from .rows import check_rows
from .tags import NetworkClassifierMixin, NetworkRegressorMixin


class ClassPredictions(NetworkClassifierMixin):
    """What a network, or the average of some, says of classes and labels.

    An estimator's ``_predictor()`` is its `Predictor`.
    """

    def _map_rows(self, X, output):
        """An output of what predicts, such as "proba", for the rows of X."""
        predictor = self._predictor()
        return predictor.map_rows(check_rows(self, X), getattr(predictor, output))

    def decision_function(self, X: Matrix) -> np.ndarray:
        """Logits: of the output units, or where networks are averaged of the mean probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        z : ndarray of shape (n_samples,) for two classes, else (n_samples, n_outputs)
            Log-odds of the second class, or one column per class or label.

        Raises
        ------
        NotFittedError
            If there is no fitted network.
        ValueError
            If X is not allowed.
        FloatingPointError
            If the outputs overflow.
        """
        predictor = self._predictor()
        z = predictor.map_rows(check_rows(self, X), lambda z: z)
        return z[:, 0] if len(self.classes_) == 2 and not predictor.targets.multilabel else z

    def predict(self, X: Matrix) -> np.ndarray:
        """The class with the largest logit; for multilabel problems, every label above 0.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            Labels.

        Raises
        ------
        NotFittedError
            If there is no fitted network.
        ValueError
            If X is not allowed.
        FloatingPointError
            If the outputs overflow.
        """
        return self._map_rows(X, "predict")

    def predict_proba(self, X: Matrix) -> np.ndarray:
        """Probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        P : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``. Rows sum to one, but for multilabel
            problems, where each column is a label's own probability.

        Raises
        ------
        NotFittedError
            If there is no fitted network.
        ValueError
            If X is not allowed.
        FloatingPointError
            If the outputs overflow.
        """
        return self._map_rows(X, "proba")

    def predict_log_proba(self, X: Matrix) -> np.ndarray:
        """Logarithms of the probabilities, computed from the logits: always finite.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        log_P : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.

        Raises
        ------
        NotFittedError
            If there is no fitted network.
        ValueError
            If X is not allowed.
        FloatingPointError
            If the outputs overflow.
        """
        return self._map_rows(X, "log_proba")


class Classification(ClassPredictions):
    """Classes and labels, and what training asks of them."""

    def _targets_of(self, y):
        return targets_of(y)

    def _chunk_targets(self, y, classes, before):
        return announced_targets(classes, y, before)

    def _loss_for(self, targets):
        return targets.choose_loss(self.output_activation)

    def _class_weights(self, targets, totals):
        return targets.class_weights(self.class_weight, totals)

    def _adopt_targets(self, targets, trained_output):
        self.classes_, self._multilabel = targets.classes, targets.multilabel

    def _fitted_task(self):
        # Files hold only losses that their outputs do not tell.
        loss = getattr(self, "_loss", None) or loss_for(self.out_activation_)
        return loss, fitted_targets(self.classes_, self._multilabel)

    def __getstate__(self):
        state = super().__getstate__()
        loss = state.get("_loss")
        if loss is not None and loss == loss_for(self.out_activation_):
            # Files need no more than the outputs' name to find it again.
            state = {name: value for name, value in state.items() if name != "_loss"}
        return state


class NumberPredictions(NetworkRegressorMixin):
    """What a network, or the average of some, says of numbers: see `ClassPredictions`."""

    def predict(self, X: Matrix) -> np.ndarray:
        """The predicted numbers; where networks are averaged, the mean of theirs.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In y's units and in float64, so that a y far from zero keeps its digits. With a
            log link exp of the outputs.

        Raises
        ------
        NotFittedError
            If there is no fitted network.
        ValueError
            If X is not allowed.
        FloatingPointError
            If the outputs overflow.
        """
        predictor = self._predictor()
        return predictor.map_rows(check_rows(self, X), predictor.predict)


class Regression(NumberPredictions):
    """Numbers, and what training asks of them."""

    def _targets_of(self, y):
        return Numbers.of(y, self._loss_for(None), self.normalize_y)

    def _chunk_targets(self, y, classes, before):
        targets = self._targets_of(y)
        return targets if before is None else targets.continuing(before, "partial_fit")

    def _loss_for(self, targets):
        return regression_loss(self.loss, quantile=self.quantile, threshold=self.huber_threshold)

    def _refuses_negative_numbers(self):
        try:
            return self._loss_for(None).refuses_negative_numbers
        except (KeyError, TypeError, ValueError):  # keywords are not validated before `fit`
            return False

    def _class_weights(self, targets, totals):
        return None

    def _adopt_targets(self, targets, trained_output):
        self.y_mean_, self.y_scale_ = targets.mean, targets.scale
        self._one_dimensional = targets.one_dimensional
        self._trained_output = trained_output

    def _fitted_task(self):
        numbers = self.y_mean_, self.y_scale_, self._one_dimensional, False
        return self._loss, Numbers(self._loss, *numbers)

    def __getstate__(self):
        state = super().__getstate__()
        loss = state.get("_loss")
        if type(loss) in REGRESSION_LOSSES.values():
            # Files hold built-in types in its place.
            state = {name: value for name, value in state.items() if name != "_loss"}
            state["_loss_fields"] = {"name": loss.name, **asdict(loss)}
        return state

    def __setstate__(self, state):
        # In the estimator itself the fields would be left over where it is fitted again.
        others = {name: value for name, value in state.items() if name != "_loss_fields"}
        if "_loss_fields" in state:
            others = {"_loss": loss_with(**state["_loss_fields"])} | others
        super().__setstate__(others)
