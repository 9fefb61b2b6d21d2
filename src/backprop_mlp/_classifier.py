"""The scikit-learn estimator: validation, assembly, and the fitted attributes."""

import copy
import threading
import warnings
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from numbers import Integral, Real
from time import perf_counter

import numpy as np
from joblib import Parallel, delayed
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ._activations import ACTIVATIONS
from ._layers import Dense, Elementwise
from ._network import Network
from ._objective import ROWS_PER_BLOCK, Objective, RowBlocks, row_slices
from ._scipy_solvers import METHODS, minimize_scipy
from ._stopping import Stopping
from ._targets import Targets
from ._threads import block_map
from .initializers import INITIALIZERS, initialize

_PRECISIONS = (np.float64, np.float32)


class BackpropMLPClassifier(ClassifierMixin, BaseEstimator):
    """Neural network classifier, trained by backpropagation.

    Minimises, with SciPy's conjugate gradient by default,

    .. math::

        J = \\frac{1}{m} \\sum_{i=1}^m \\sum_{k=1}^K
            [-Y_{ik} \\log h_{ik} - (1 - Y_{ik}) \\log (1 - h_{ik})]
            + \\frac{\\alpha}{2m} \\sum_{l,p,q} (W^{(l)}_{pq})^2

    where h are the network's outputs, Y the targets, m the number of rows (or
    their total weight) and the biases stay out of the penalty [1]_. K is 1 for
    two classes. With ``output_activation="softmax"`` the first term is the
    categorical cross-entropy.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Number of units in each hidden layer. ``()`` is logistic regression.

    activation : {"identity", "logistic", "tanh", "relu", "leaky_relu"} or \
            sequence of these, default="relu"
        Activation function of the hidden units: one for all layers, or one a
        layer. The slope of ``leaky_relu`` left of zero is 0.01.

    output_activation : {"logistic", "softmax"}, default="logistic"
        Output units for three or more classes: "logistic" is the exercise's
        sum of K binary cross-entropies, whose outputs are divided by their sum
        to give probabilities; "softmax" the categorical cross-entropy. Two
        classes are one logistic output, and multilabel problems one logistic
        output a label, whatever is chosen here.

    solver : {"cg", "lbfgs"}, default="cg"
        "cg": conjugate gradient (Polak and Ribiere). "lbfgs": limited-memory
        BFGS. Both are SciPy's and see all rows at every step.

    alpha : float, default=1.0
        Strength of the L2 penalty, >= 0: the course's lambda, with
        `MLPClassifier`'s scaling.

    initializer : {"auto", "uniform", "glorot_uniform", "he_normal"} or callable, \
            default="auto"
        Random starting weights. "auto" is He for layers of relu and leaky relu
        units, Glorot for the others; "uniform" is the exercise's
        [-0.12, 0.12], biases included. See `backprop_mlp.initializers` for
        objects with parameters, and for what a callable must return.

    class_weight : dict, list of dict, "balanced" or None, default=None
        Factor of the row weights, a class: ``{label: weight}``, 1 for labels
        that are left out. "balanced" gives every class the same total weight.
        For multilabel problems a list of ``{0: weight, 1: weight}``, one a
        label; a row's factor is then the product over its labels.

    max_iter : int, default=200
        Largest number of iterations.

    tol : float, default=1e-4
        Training has converged when the gradient's largest component is below
        tol, or when ``n_iter_no_change`` iterations together lowered the cost
        by less than tol.

    n_iter_no_change : int, default=10
        See ``tol``.

    max_fun : int, default=15000
        Largest number of evaluations of the cost and its gradient. The
        iteration in which it is reached is finished.

    n_init : int, default=1
        Number of random starts, of which the one with the lowest final cost is
        kept. A warm start makes no further starts.

    n_jobs : int or None, default=None
        Number of starts to run side by side, in threads. None means 1 unless
        in a `joblib.parallel_config` context; -1 means all processors. It does not change
        the result.

    warm_start : bool, default=False
        Whether `fit` goes on from the parameters of the previous call, and
        counts on in ``n_iter_``, ``n_fun_`` and ``loss_curve_``.

    random_state : int, RandomState instance or None, default=None
        Source of the random starts. An int gives the same result in every call.

    verbose : bool or int, default=False
        Whether to print a line an iteration.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted labels; for multilabel problems the numbers of the columns.

    coefs_ : list of ndarray of shape (n_in, n_out)
        Weights of each layer, in the precision of the training data.

    intercepts_ : list of ndarray of shape (n_out,)
        Biases of each layer.

    thetas_ : list of ndarray of shape (n_out, 1 + n_in)
        The same, biases first: the exercise's Theta1, Theta2.

    loss_ : float
        J at the end, penalty included.

    best_loss_ : float
        Lowest J of all iterations.

    loss_curve_ : list of float, of length ``n_iter_``
        J after each iteration.

    n_iter_ : int
        Number of iterations.

    n_fun_ : int
        Number of evaluations of J and its gradient.

    converged_ : bool
        Whether training ended because there was nothing left to gain.

    class_weight_ : ndarray of shape (n_classes,) or (n_labels, 2)
        Factor of the row weights: a class, or a label's absence and presence.

    n_layers_ : int
        Number of layers, input and output included.

    n_outputs_ : int
        Number of output units.

    out_activation_ : {"logistic", "softmax"}
        Activation function of the output units.

    n_features_in_ : int
        Number of features seen during `fit`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if X had names that are all strings.

    See Also
    --------
    sklearn.neural_network.MLPClassifier : scikit-learn's own.
    check_gradient : Backpropagation against finite differences.

    Notes
    -----
    Rows are read in blocks, in the precision of X (float32 stays float32, all
    else becomes float64) and without a copy of X, sparse or dense.

    Ctrl-C ends training with a warning and keeps the best parameters so far. A
    fit that fails leaves the estimator as it was.

    References
    ----------
    .. [1] A. Ng, "Machine Learning", programming exercise 4: Neural networks
           learning, sections 1.3, 1.4 and 2.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from backprop_mlp import BackpropMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), BackpropMLPClassifier(random_state=0))
    >>> bool(model.fit(X, y).score(X, y) > 0.95)
    True
    """

    _parameter_constraints: dict = {
        "hidden_layer_sizes": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "activation": [StrOptions(set(ACTIVATIONS)), "array-like"],
        "output_activation": [StrOptions({"logistic", "softmax"})],
        "solver": [StrOptions(set(METHODS))],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "initializer": [StrOptions({"auto", *INITIALIZERS}), callable],
        "class_weight": [StrOptions({"balanced"}), dict, list, None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    loss_curve_: list[float]
    n_fun_: int

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        output_activation="logistic",
        solver="cg",
        alpha=1.0,
        initializer="auto",
        class_weight=None,
        max_iter=200,
        tol=1e-4,
        n_iter_no_change=10,
        max_fun=15000,
        n_init=1,
        n_jobs=None,
        warm_start=False,
        random_state=None,
        verbose=False,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.output_activation = output_activation
        self.solver = solver
        self.alpha = alpha
        self.initializer = initializer
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.n_init = n_init
        self.n_jobs = n_jobs
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.input_tags.sparse = True
        return tags

    # Training

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data; float32 is computed in float32, all else in float64.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels, or a 0/1 matrix (dense or sparse) for multilabel
            problems.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights >= 0. A row of weight 2 counts as two rows, in the
            penalty's 1/m too; one of weight 0 as none. None means 1.

        Returns
        -------
        self : BackpropMLPClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or an input is not allowed. Nothing has been done
            then.
        FloatingPointError
            If the cost overflows at the start.
        """
        # Everything is fitted aside: a failure leaves this estimator as it was.
        aside = copy.copy(self)
        aside._fit(X, y, sample_weight)
        self.__dict__ = aside.__dict__
        return self

    def _fit(self, X, y, sample_weight):
        goes_on = self.warm_start and hasattr(self, "coefs_")
        rng = check_random_state(self.random_state)
        X, codes, sample_weight, targets, network = self._set_up(X, y, sample_weight, goes_on)
        with _objective(network, targets, X, codes, sample_weight, self.alpha) as objective:
            if goes_on:
                theta = self._theta(network)
                results = [self._descend(objective, lambda: theta, 0, threading.Event())]
            else:
                results = self._descend_all(objective, rng)
        result = min(results, key=lambda result: result.fun)
        self._adopt_network(network, targets, result.x, X.dtype)
        self._adopt_record(result, goes_on)

    def _set_up(self, X, y, sample_weight, goes_on=False):
        """Validate training data; note what they are; build the network for them."""
        X, y = self._validate_rows(X, y, reset=not goes_on)
        targets = Targets.of(y)
        if goes_on and not (
            targets.multilabel == self._multilabel
            and np.array_equal(targets.classes, self.classes_)
        ):
            raise ValueError(
                "warm_start=True needs the classes of the previous fit in y: "
                f"{self.classes_}; got {targets.classes}."
            )
        network = self._new_network(X.shape[1], targets)
        n_units = [layer.n_out for layer in network.layers if isinstance(layer, Dense)]
        if goes_on and n_units != [b.size for b in self.intercepts_]:
            raise ValueError(
                "warm_start=True needs the hidden_layer_sizes of the previous fit: "
                f"{[b.size for b in self.intercepts_[:-1]]}; got {self.hidden_layer_sizes!r}."
            )
        codes = targets.codes(y)
        sample_weight = _row_weights(sample_weight, X)
        self.class_weight_ = targets.class_weights(self.class_weight, codes, sample_weight)
        sample_weight = self._times_class_weight(sample_weight, codes, targets)
        return X, codes, sample_weight, targets, network

    def _start(self, X, y, sample_weight=None):
        """Become fitted at a random start, without training."""
        self._validate_params()
        X, _, _, targets, network = self._set_up(X, y, sample_weight)
        seed = self._seeds(check_random_state(self.random_state))[0]
        theta = initialize(network, self.initializer, np.random.default_rng(seed))
        self._adopt_network(network, targets, theta, np.float64)
        return self

    def _seeds(self, rng):
        """Seed of each random start."""
        return rng.randint(np.iinfo(np.int32).max, size=self.n_init)

    def _new_network(self, n_features, targets):
        """The network that the parameters describe."""
        hidden = self.hidden_layer_sizes
        hidden = [hidden] if isinstance(hidden, Integral) else list(hidden)
        if not all(isinstance(size, Integral) and int(size) > 0 for size in hidden):
            raise ValueError(
                f"hidden_layer_sizes must hold integers > 0; got {self.hidden_layer_sizes!r}."
            )
        names = self.activation
        names = [names] * len(hidden) if isinstance(names, str) else list(names)
        if len(names) != len(hidden) or not all(
            isinstance(name, str) and name in ACTIVATIONS for name in names
        ):
            raise ValueError(
                f"activation must be one of {sorted(ACTIVATIONS)}, or one of them for each of "
                f"the {len(hidden)} hidden layers; got {self.activation!r}."
            )
        sizes = [n_features, *(int(size) for size in hidden), targets.n_outputs]
        return Network.feedforward(sizes, names, targets.loss(self.output_activation))

    def _descend_all(self, objective, rng):
        """One result for each random start; fewer if Ctrl-C ended it."""
        interrupted = threading.Event()
        results = {}
        running = []

        def descend(number, seed):
            if interrupted.is_set():
                return
            finished = threading.Event()
            running.append(finished)
            try:
                start = partial(
                    initialize,
                    objective.network,
                    self.initializer,
                    np.random.default_rng(seed),
                )
                results[number] = self._descend(objective, start, number, interrupted)
            finally:
                finished.set()

        try:
            Parallel(n_jobs=self.n_jobs, require="sharedmem")(
                delayed(descend)(number, seed) for number, seed in enumerate(self._seeds(rng))
            )
        except KeyboardInterrupt:
            # Only the main thread hears Ctrl-C: the starts in other threads end
            # with their current iteration and keep what they have.
            interrupted.set()
            for finished in running:
                finished.wait()
            if not results:
                raise
        return [results[number] for number in sorted(results)]

    def _descend(self, objective, start, number, interrupted):
        """Minimise from ``start()``; warn if that ended without convergence."""
        stopping = Stopping(self.tol, self.n_iter_no_change, self.max_iter, self.max_fun)
        began = perf_counter()

        def report(iteration):
            if self.verbose:
                label = f"start {number + 1}, iteration" if self.n_init > 1 else "iteration"
                print(
                    f"{label} {iteration.number:4d}   cost {iteration.cost:.6f}   "
                    f"gradient {iteration.grad_max:.1e}   evaluations {iteration.n_fun:5d}   "
                    f"{perf_counter() - began:.2f} s"
                )
            if interrupted.is_set():
                raise KeyboardInterrupt

        result = minimize_scipy(
            objective, start(), solver=self.solver, stopping=stopping, callback=report
        )
        if result.interrupted:
            interrupted.set()
            warnings.warn(
                f"Training was interrupted after {result.nit} iterations; the best "
                "parameters so far are kept.",
                stacklevel=2,
            )
        elif not result.success:
            warnings.warn(
                f"Training ended before it converged: {result.message} "
                f"(cost {result.fun:.6g} after {result.nit} iterations). Scale the features "
                "(StandardScaler), raise max_iter, tol or alpha, or go on with "
                "warm_start=True.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return result

    def _adopt_network(self, network, targets, theta, dtype):
        """Set the attributes that describe a fitted network."""
        self.classes_ = targets.classes
        self._multilabel = targets.multilabel
        self._activations = [
            layer.activation.name for layer in network.layers if isinstance(layer, Elementwise)
        ]
        dense = network.dense_views(theta)
        self.coefs_ = [W.astype(dtype) for W, _ in dense]
        self.intercepts_ = [b.astype(dtype) for _, b in dense]
        self.n_layers_ = len(dense) + 1
        self.n_outputs_ = targets.n_outputs
        self.out_activation_ = network.loss.name

    def _adopt_record(self, result, goes_on):
        """Set the attributes that tell how training went."""
        earlier = (self.loss_curve_, self.n_fun_) if goes_on else ([], 0)
        self.loss_ = result.fun
        self.loss_curve_ = [*earlier[0], *result.costs]
        self.best_loss_ = min([*self.loss_curve_, result.fun])
        self.n_iter_ = len(self.loss_curve_)
        self.n_fun_ = earlier[1] + result.nfev
        self.converged_ = result.success

    # The fitted network

    @classmethod
    def from_thetas(cls, thetas, *, classes=None, **params):
        """A fitted classifier from given parameter matrices.

        Parameters
        ----------
        thetas : sequence of array-like of shape (n_out, 1 + n_in)
            One matrix a layer, biases in the first column: the exercise's
            Theta1, Theta2. The last one has a row a class, or one row for two
            classes.
        classes : array-like of shape (n_classes,), default=None
            Label of each row of the last matrix, in any order; for a single
            row the labels of output 0 and 1. None means 0, 1, 2, ...
            ``classes_`` is sorted, and the rows of the last matrix with it.
        **params : dict
            Parameters of the classifier. ``hidden_layer_sizes`` follows from
            the matrices.

        Returns
        -------
        classifier : BackpropMLPClassifier
            Ready to predict; `fit` would start anew, or from these parameters with
            ``warm_start=True``.

        Raises
        ------
        ValueError
            If shapes, classes or parameters do not fit together.

        Examples
        --------
        >>> from backprop_mlp import BackpropMLPClassifier
        >>> xnor = BackpropMLPClassifier.from_thetas(
        ...     [[[-30, 20, 20], [10, -20, -20]], [[-10, 20, 20]]], activation="logistic"
        ... )
        >>> xnor.predict([[0, 0], [0, 1], [1, 0], [1, 1]])
        array([1, 0, 0, 1])
        """
        try:
            thetas = [np.array(theta, dtype=np.float64) for theta in thetas]
        except (TypeError, ValueError) as error:
            raise ValueError(f"thetas must be a sequence of matrices; {error}.") from error
        shapes = [theta.shape for theta in thetas]
        if (
            not thetas
            or any(len(shape) != 2 or min(shape[0], shape[1] - 1) < 1 for shape in shapes)
            or any(after[1] != 1 + before[0] for before, after in pairwise(shapes))
            or not all(np.isfinite(theta).all() for theta in thetas)
        ):
            raise ValueError(
                "thetas must be finite matrices of shape (n_out, 1 + n_in), each with as many "
                f"inputs as the one before has outputs; got shapes {shapes}."
            )
        n_rows = shapes[-1][0]
        n_classes = 2 if n_rows == 1 else n_rows
        labels = np.arange(n_classes) if classes is None else np.asarray(classes)
        order = np.argsort(labels)
        if labels.shape != (n_classes,) or len(np.unique(labels)) != n_classes or n_rows == 2:
            raise ValueError(
                "classes must be one label a row of the last matrix, each once, or two labels "
                f"for one row; got {labels} for {n_rows} rows."
            )
        if n_rows > 1:
            thetas[-1] = thetas[-1][order]
        elif order[0] == 1:
            thetas[-1] = -thetas[-1]
        classifier = cls(hidden_layer_sizes=[shape[0] for shape in shapes[:-1]], **params)
        classifier._validate_params()
        if classifier.class_weight == "balanced":
            raise ValueError(
                f"class_weight={classifier.class_weight!r} needs training data; "
                "from_thetas takes a dictionary or None."
            )
        targets = Targets(labels[order], False)
        network = classifier._new_network(shapes[0][1] - 1, targets)
        classifier.class_weight_ = targets.class_weights(classifier.class_weight, None, None)
        theta = network.pack([t[:, 1:].T for t in thetas], [t[:, 0] for t in thetas])
        classifier._adopt_network(network, targets, theta, np.float64)
        classifier.n_features_in_ = shapes[0][1] - 1
        classifier.loss_curve_, classifier.n_iter_, classifier.n_fun_ = [], 0, 0
        return classifier

    @property
    def thetas_(self):
        """Parameters of each layer, of shape (n_out, 1 + n_in), biases first."""
        check_is_fitted(self)
        return _as_thetas(zip(self.coefs_, self.intercepts_, strict=True))

    @property
    def _targets(self):
        return Targets(self.classes_, self._multilabel)

    @property
    def _network(self):
        sizes = [self.coefs_[0].shape[0], *(W.shape[1] for W in self.coefs_)]
        return Network.feedforward(
            sizes, self._activations, self._targets.loss(self.out_activation_)
        )

    def _theta(self, network):
        return network.pack(self.coefs_, self.intercepts_)

    def _params(self, network):
        """The fitted parameters, a layer of the network."""
        dense = zip(self.coefs_, self.intercepts_, strict=True)
        return [next(dense) if isinstance(layer, Dense) else () for layer in network.layers]

    # Prediction

    def _by_rows(self, X, function):
        """``function(network, z)`` of the logits z of X's rows, block by block."""
        check_is_fitted(self)
        X = self._validate_rows(X, reset=False)
        network = self._network
        params = self._params(network)
        slices = row_slices(X.shape[0])

        def outputs(rows):
            return function(network, network.forward(params, X[rows])[0])

        result = None
        with block_map(len(slices), _work(network, X)) as map_blocks:
            for rows, block in zip(slices, map_blocks(outputs, slices), strict=True):
                if result is None:
                    result = np.empty((X.shape[0], *block.shape[1:]), block.dtype)
                result[rows] = block
        return result

    def decision_function(self, X):
        """Logits of the output units.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        z : ndarray of shape (n_samples,) for two classes, else (n_samples, n_outputs)
            Log-odds of the second class, or one column a class or label.
        """
        z = self._by_rows(X, lambda network, z: z)
        return z[:, 0] if len(self.classes_) == 2 and not self._multilabel else z

    def predict(self, X):
        """The class with the largest logit; for multilabel problems, every label above 0.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            Labels.
        """
        return self._by_rows(X, lambda network, z: self._targets.labels(z))

    def predict_proba(self, X):
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
        """
        return self._by_rows(X, lambda network, z: self._targets.proba(network.loss, z))

    def predict_log_proba(self, X):
        """Logarithms of the probabilities, computed from the logits: always finite.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        log_P : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        return self._by_rows(X, lambda network, z: self._targets.log_proba(network.loss, z))

    def activations(self, X):
        """Activations of every layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        activations : list of {ndarray, sparse matrix} of shape (n_samples, n_units)
            ``n_layers_`` entries: X itself, the hidden layers, and the outputs
            h (for three or more classes with logistic outputs these are not
            yet divided by their sum).
        """
        check_is_fitted(self)
        X = self._validate_rows(X, reset=False)
        network = self._network
        z, caches = network.forward(self._params(network), X)
        hidden = [
            cache
            for layer, cache in zip(network.layers, caches, strict=True)
            if isinstance(layer, Elementwise)
        ]
        return [X, *hidden, network.loss.proba(z)]

    # The cost

    def cost(self, X, y, sample_weight=None):
        """J at the fitted parameters, penalty included.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels, all of which are known from training.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights. The fitted class weights multiply them, so that on the
            training data the cost is ``loss_``.

        Returns
        -------
        J : float
            The cost, with the m of the given rows.
        """
        with self._fitted_objective(X, y, sample_weight) as objective:
            return objective.value(self._theta(objective.network))

    def cost_gradient(self, X, y, sample_weight=None):
        """J and its gradient at the fitted parameters: the exercise's nnCostFunction.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels, all of which are known from training.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights. The fitted class weights multiply them.

        Returns
        -------
        J : float
            The cost, with the m of the given rows.
        gradients : list of ndarray of shape (n_out, 1 + n_in), float64
            dJ / dtheta, laid out as ``thetas_``.
        """
        with self._fitted_objective(X, y, sample_weight) as objective:
            cost, grad = objective.value_and_grad(self._theta(objective.network))
        return cost, _as_thetas(objective.network.dense_views(grad))

    @contextmanager
    def _fitted_objective(self, X, y, sample_weight, precisions=_PRECISIONS):
        """The objective of given rows at the fitted network."""
        check_is_fitted(self)
        X, y = self._validate_rows(X, y, reset=False, precisions=precisions)
        targets = self._targets
        codes = targets.codes(y)
        sample_weight = self._times_class_weight(_row_weights(sample_weight, X), codes, targets)
        with _objective(self._network, targets, X, codes, sample_weight, self.alpha) as objective:
            yield objective

    def _times_class_weight(self, sample_weight, codes, targets):
        if np.all(self.class_weight_ == 1.0):
            return sample_weight
        return sample_weight * targets.row_factors(self.class_weight_, codes)

    def _validate_rows(self, X, y="no_validation", *, reset, precisions=_PRECISIONS):
        """X (and y) checked, in a precision that the network computes in; no copy if it can."""
        return validate_data(
            self,
            X,
            y,
            reset=reset,
            accept_sparse="csr",
            dtype=precisions,
            **({} if isinstance(y, str) else {"multi_output": True}),
        )


def _row_weights(sample_weight, X):
    """Weight of each row, float64 >= 0 with a sum above 0; ones take no memory."""
    n_rows = X.shape[0]
    if sample_weight is None:
        return np.broadcast_to(1.0, n_rows)
    return _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)


def _work(network, X):
    """Floating-point operations of one evaluation of one block, roughly."""
    rows = min(X.shape[0], ROWS_PER_BLOCK)
    inputs = X.nnz / X.shape[0] if issparse(X) else X.shape[1]
    first = network.layers[0].n_out
    return 2.0 * rows * (2 * inputs * first + 3 * (network.n_weights - X.shape[1] * first))


@contextmanager
def _objective(network, targets, X, codes, sample_weight, alpha):
    """The objective of some rows, while their blocks may be computed."""
    total_weight = float(sample_weight.sum())
    if not 0.0 < total_weight < np.inf:
        raise ValueError(
            "sample_weight, times class_weight, must have a finite sum above 0; "
            f"got {total_weight}."
        )
    blocks = RowBlocks(X, lambda rows, dtype: targets.encode(codes[rows], dtype), sample_weight)
    with block_map(len(blocks), _work(network, X)) as map_blocks:
        yield Objective(network, blocks, total_weight, alpha, X.dtype, map_blocks)


def _as_thetas(dense):
    """(n_out, 1 + n_in) matrices, biases first, from pairs (W, b)."""
    return [np.column_stack([b, W.T]) for W, b in dense]
