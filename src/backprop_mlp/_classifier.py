"""The scikit-learn estimator: its keywords, `fit`, and what a fitted one can do."""

import copy
from dataclasses import replace
from functools import partial
from itertools import pairwise
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context, clone
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ._estimator.assembly import (
    MINI_BATCH_SOLVERS,
    SOLVERS,
    Problem,
    activation_names,
    build_mini_batches,
    build_network,
    open_objective,
)
from ._estimator.documentation import DocumentationLinkMixin
from ._network.activations import ACTIVATIONS
from ._network.layers import Dense, Elementwise
from ._network.losses import loss_for
from ._network.network import Network, plain_network
from ._objective.objective import RowBlocks, block_slices, work
from ._objective.threads import WORTH_BLAS_THREADS, block_map, one_blas_thread
from ._targets.class_weight import weigh_rows
from ._targets.targets import announced, fitted_targets, sorted_classes, targets_of
from ._training.callbacks import CallbackSupportMixin, Task, with_callbacks
from ._training.run import Best, Interruption, Monitor, run_side_by_side, train
from ._training.stopping import Stopping
from ._training.validation import Validation, split_rows
from .initializers import INITIALIZERS, initialize
from .schedules import NAMES as SCHEDULES

_PRECISIONS = (np.float64, np.float32)

# Hidden units may overflow where the next layer bounds them; what counts is checked.
_LATER: Any = {"over": "ignore", "invalid": "ignore"}


def _has_partial_fit(classifier):
    """Whether `partial_fit` makes sense with the classifier's keywords."""
    if classifier.solver not in MINI_BATCH_SOLVERS:
        raise AttributeError(
            f"partial_fit needs mini-batches: solver must be one of {MINI_BATCH_SOLVERS}; got "
            f"solver={classifier.solver!r}."
        )
    if classifier.early_stopping:
        raise AttributeError("partial_fit holds out no rows: early_stopping must be False.")
    if classifier.class_weight == "balanced":
        raise AttributeError(
            "partial_fit does not see all rows: class_weight must not be 'balanced'."
        )
    return True


class BackpropMLPClassifier(
    DocumentationLinkMixin, CallbackSupportMixin, ClassifierMixin, BaseEstimator
):
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

    solver : {"cg", "lbfgs", "newton-cg", "adam", "rmsprop", "sgd"}, default="cg"
        Full-batch, SciPy's: "cg" is conjugate gradient (Polak and Ribiere),
        "lbfgs" limited-memory BFGS, "newton-cg" Newton's method with exact
        Hessian-vector products. Mini-batch: "adam", "rmsprop" and "sgd"
        (gradient descent with momentum). All minimise the same J.

    alpha : float, default=1.0
        Strength of the L2 penalty, >= 0: the course's lambda, with
        `MLPClassifier`'s scaling.

    initializer : {"auto", "uniform", "glorot_uniform", "glorot_normal", "xavier", \
            "he_normal"} or callable, default="auto"
        Random starting weights. "auto" is He for layers of relu and leaky relu
        units, Glorot for the others; "uniform" is the exercise's
        [-0.12, 0.12], biases included. See `backprop_mlp.initializers` for
        objects with parameters, and for what a callable must return.

    dropout : float or sequence of float, default=0.0
        Probability, in [0, 1), of dropping a hidden unit in a training step:
        one for all hidden layers, or one a layer. Mini-batch solvers only.

    batch_norm : bool, default=False
        Whether batch normalisation stands before each activation function. Its
        scales and shifts are trained, without a penalty, and its running
        moments are folded into ``coefs_`` and ``intercepts_``. Mini-batch
        solvers only.

    class_weight : dict, list of dict, "balanced" or None, default=None
        Factor of the row weights per class: ``{label: weight}``, 1 for labels
        that are left out. "balanced" gives every class the same total weight.
        For multilabel problems a list of ``{0: weight, 1: weight}``, one per
        label, or "balanced" for each label by itself. They weigh each label's
        own term of the loss, as one network per label would; m, in J, is then
        the sum of the row weights alone.

    max_iter : int, default=200
        Largest number of iterations; with mini-batches, of epochs.

    tol : float, default=1e-4
        Training has converged when the gradient's largest component is below
        tol (full-batch solvers), or when ``n_iter_no_change`` iterations in a
        row were each better by less than tol than the best before: their cost,
        or with ``early_stopping`` their validation score.

    max_fun : int, default=15000
        Largest number of evaluations of the cost and its gradient by a
        full-batch solver. The iteration in which it is reached is finished.

    batch_size : int or "auto", default="auto"
        Rows of a mini-batch at the most; the rows are divided evenly. "auto" is
        min(200, n_samples).

    learning_rate : {"constant", "invscaling", "adaptive", "step", "exponential", \
            "inverse_time", "cosine"} or callable, default="constant"
        How the learning rate of a mini-batch solver changes, from
        ``learning_rate_init``. "invscaling": divided by (1 + samples
        seen)^power_t. "adaptive": divided by 5 where training would otherwise
        stop for lack of progress. "step": halved every 10 epochs.
        "exponential": times 0.95 an epoch. "inverse_time": divided by 1 +
        epochs. "cosine": half a cosine, from the first of all epochs to 0 at
        the last of this fit, after a warm-up of a twentieth. A callable
        step -> rate stands for itself; see `backprop_mlp.schedules`.

    learning_rate_init : float, default=0.001
        Learning rate of a mini-batch solver at the start.

    power_t : float, default=0.5
        Exponent of "invscaling".

    shuffle : bool, default=True
        Whether each epoch visits the rows in a new order.

    momentum : float, default=0.9
        Momentum of "sgd", in [0, 1].

    nesterovs_momentum : bool, default=True
        Whether the momentum of "sgd" is Nesterov's.

    beta_1, beta_2 : float, default=0.9 and 0.999
        Decay of the mean and of the mean square of the gradients, in [0, 1):
        both for "adam", the second for "rmsprop".

    epsilon : float, default=1e-8
        Added to the root of the mean square, for "adam" and "rmsprop".

    max_grad_norm : float or None, default=None
        Largest Euclidean norm of a mini-batch's gradient; longer gradients are
        shortened to it.

    early_stopping : bool, default=False
        Whether the validation score decides when to stop, and the parameters
        with the best score are kept. The validation rows are held out from X,
        unless `fit` is given its own.

    validation_fraction : float, default=0.1
        Fraction of the rows that ``early_stopping`` holds out, stratified by
        class where each class is large enough.

    n_iter_no_change : int or inf, default=10
        See ``tol``. With inf a lack of progress ends nothing.

    scoring : str, callable or None, default=None
        Validation score: None is accuracy, "loss" minus the mean loss without
        penalty, all else a scorer of scikit-learn. Row weights count, and in the
        first two class weights.

    n_init : int, default=1
        Number of random starts, of which the one with the lowest final cost (with
        ``early_stopping``: the best validation score) is kept. A warm start makes no
        further starts.

    n_jobs : int or None, default=None
        Number of starts to run side by side, in threads. None means 1 unless
        in a `joblib.parallel_config` context; -1 means all processors. It does not change
        the result.

    warm_start : bool, default=False
        Whether `fit` goes on from the parameters of the previous call, and
        counts on in ``n_iter_``, ``n_fun_``, ``t_`` and ``loss_curve_``. A
        mini-batch solver also goes on from its own state, so that n calls with
        one epoch equal one call with n epochs, bit by bit.

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
        J at the end, penalty included; with mini-batches the mean over the last
        epoch, and with ``early_stopping`` that of the best iteration.

    best_loss_ : float
        Lowest J of all iterations.

    loss_curve_ : list of float, of length ``n_iter_``
        J after each iteration; with mini-batches the mean over each epoch.

    validation_scores_ : list of float or None
        Validation score after each iteration, if there were validation rows.

    validation_loss_curve_ : list of float or None
        J after each iteration, its loss averaged over the validation rows
        instead: comparable with ``loss_curve_``.

    best_validation_score_ : float or None
        Highest validation score.

    n_iter_ : int
        Number of iterations.

    n_fun_ : int
        Number of evaluations of J, or of a mini-batch's share, and the gradient.

    t_ : int
        Number of rows seen in training, each as often as it was.

    converged_ : bool
        Whether training ended because there was nothing left to gain.

    class_weight_ : ndarray of shape (n_classes,) or (n_labels, 2)
        Factors per class, or for the absence and presence of each label.

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
    sklearn.neural_network.MLPClassifier : The network that scikit-learn brings.
    check_gradient : Backpropagation against finite differences.

    Notes
    -----
    Rows are read in blocks, in the precision of X (float32 stays float32, all
    else becomes float64) and without a copy of X, sparse or dense.

    Ctrl-C ends training, in all restarts, with a warning and keeps the best
    parameters so far: of a full-batch solver those of the last finished iteration,
    of a mini-batch solver those of the last update, with ``early_stopping`` those
    with the best score. As long as there is no cost to tell, before the first
    evaluation or in the first epoch (so always in `partial_fit`), and while
    input is validated, `KeyboardInterrupt` is raised instead. An exception,
    be it raised by a callback, goes through when all restarts have ended. A fit
    that raises one leaves the estimator as it was.

    Where numbers overflow, in training or in a prediction, that is a
    `FloatingPointError` that says what to do; nan is never returned.

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
        "solver": [StrOptions(set(SOLVERS))],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "initializer": [StrOptions({"auto", *INITIALIZERS}), callable],
        "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
        "batch_norm": ["boolean"],
        "class_weight": [StrOptions({"balanced"}), dict, list, None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions(set(SCHEDULES)), callable],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "shuffle": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "max_grad_norm": [Interval(Real, 0, None, closed="neither"), None],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
        "scoring": [StrOptions({"loss", *get_scorer_names()}), callable, None],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    _interruption: Interruption | None = None
    """Of the search that this classifier is part of: it wants nothing that is half trained."""

    loss_curve_: list[float]
    validation_loss_curve_: list[float] | None
    n_iter_: int
    n_fun_: int
    t_: int

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        output_activation="logistic",
        solver="cg",
        alpha=1.0,
        initializer="auto",
        dropout=0.0,
        batch_norm=False,
        class_weight=None,
        max_iter=200,
        tol=1e-4,
        max_fun=15000,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        shuffle=True,
        momentum=0.9,
        nesterovs_momentum=True,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        max_grad_norm=None,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        scoring=None,
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
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.tol = tol
        self.max_fun = max_fun
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.shuffle = shuffle
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.max_grad_norm = max_grad_norm
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.scoring = scoring
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

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
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
        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Validation data: measured after every iteration, and with
            ``early_stopping`` used instead of held-out rows of X.
        y_val : array-like of shape (n_val,) or (n_val, n_labels), default=None
            Their labels, all of which occur in y.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

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
            If the cost overflows: at the start, where mini-batches diverge, or
            on the validation rows.

        Warns
        -----
        ConvergenceWarning
            If training ended before it converged.
        UserWarning
            If Ctrl-C ended it.
        """
        goes_on = self.warm_start and hasattr(self, "coefs_")
        n_starts = 1 if goes_on else self.n_init
        task = Task.of_fit(self, n_starts, self.max_iter)
        # Everything is fitted aside: a failure leaves this estimator as it was.
        aside = copy.copy(self)
        aside._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), goes_on, n_starts, task)
        self.__dict__ = aside.__dict__
        return self

    @available_if(_has_partial_fit)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None, *, classes=None):
        """Train for one epoch on the given rows, which may be new ones.

        Only for mini-batch solvers, without ``early_stopping`` and without
        ``class_weight="balanced"``. m, in the penalty too, is that of the given
        rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels, or a 0/1 matrix for multilabel problems.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights >= 0.
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever occur. Needed in the first call; may be
            left out later, and for multilabel problems, where the columns of y
            tell.

        Returns
        -------
        self : BackpropMLPClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or an input is not allowed.
        FloatingPointError
            If the cost overflows.
        """
        aside = copy.copy(self)
        aside._partial_fit(X, y, sample_weight, classes)
        self.__dict__ = aside.__dict__
        return self

    def _fit(self, X, y, sample_weight, given_validation, goes_on, n_starts, task):
        rng = check_random_state(self.random_state)
        problem = self._set_up(X, y, sample_weight, given_validation, rng, goes_on)
        state = self._resumable_state(problem.network, problem.blocks.X.dtype) if goes_on else None
        mini_batches = build_mini_batches(
            self, problem.blocks, first_step=0 if state is None else state["step"]
        )
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        task.begin(X=X, y=y, metadata=metadata)
        with open_objective(problem, self.alpha) as objective:
            self._train(problem, objective, mini_batches, rng, goes_on, n_starts, task)
        task.end(lambda: vars(self))

    def _train(self, problem, objective, mini_batches, rng, goes_on, n_starts, task):
        """Train from every start, or on from where training ended; adopt the best outcome."""
        seeds = rng.randint(np.iinfo(np.int32).max, size=n_starts)
        interruption = self._interruption or Interruption()
        state = self._resumable_state(problem.network, objective.dtype) if goes_on else None

        def run(number):
            start_rng = np.random.default_rng(seeds[number])
            if goes_on:
                theta = self._theta_to_go_on_from(problem.network)
            else:
                theta = initialize(problem.network, self.initializer, start_rng)
            start_task = task
            if n_starts > 1:
                start_task = task.begin_subtask("start", task_id=number, max_subtasks=self.max_iter)
            monitor = Monitor(
                objective,
                self._stopping(mini_batches, goes_on, state),
                validation=problem.validation,
                best=self._best_so_far(goes_on) if self.early_stopping else None,
                make_estimator=partial(self._fitted_copy, problem, objective.dtype),
                task=start_task,
                label=self._label(number, n_starts),
                interruption=interruption,
            )
            outcome = train(
                objective,
                theta,
                state,
                start_rng,
                solver=self.solver,
                mini_batches=mini_batches,
                monitor=monitor,
            )
            if n_starts > 1:
                start_task.end()
            return outcome

        outcomes = run_side_by_side(run, n_starts, self.n_jobs, interruption)
        if self._interruption and self._interruption.is_set():
            raise KeyboardInterrupt
        for outcome in outcomes:
            outcome.warn()
        outcome = min(outcomes, key=lambda outcome: outcome.rank)
        self._adopt_network(outcome.network, problem.targets, outcome.theta, objective.dtype)
        self._adopt_record(outcome, problem, goes_on)

    def _partial_fit(self, X, y, sample_weight, classes):
        first = not hasattr(self, "coefs_")
        if not first:
            # scikit-learn validates the parameters in the first call alone.
            self._validate_params()
        X, y = self._validate_rows(X, y, reset=first)
        targets = announced(classes, y) if first else self._targets
        if (
            not first
            and classes is not None
            and not np.array_equal(sorted_classes(classes), self.classes_)
        ):
            raise ValueError(
                f"classes must be those of the first call to partial_fit, {self.classes_}, or "
                f"None; got {classes!r}."
            )
        network = build_network(self, X.shape[1], targets)
        codes = targets.codes(y)
        self.class_weight_ = targets.class_weights(self.class_weight)
        weights = _row_weights(sample_weight, X)
        weights, weigh = self._times_class_weight(weights, codes, targets, X.dtype)
        blocks = RowBlocks.of(network, X, codes, weights, targets.encode, weigh=weigh)
        problem = Problem(targets, network, blocks, None)
        rng = np.random.default_rng(
            check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        )
        if first:
            state, theta = None, initialize(network, self.initializer, rng)
        else:
            self._check_same_sizes(network, "partial_fit")
            state = self._resumable_state(network, X.dtype)
            theta = self._theta_to_go_on_from(network)
        mini_batches = build_mini_batches(self, problem.blocks)
        # One epoch is what is asked for, whatever it brings.
        stopping = replace(self._stopping(mini_batches, not first, state), tol=-np.inf, max_iter=1)
        with open_objective(problem, self.alpha) as objective:
            monitor = Monitor(
                objective,
                stopping,
                make_estimator=partial(self._fitted_copy, problem, objective.dtype),
                task=Task(None, {}),
                label=self._label(0, 1),
                interruption=Interruption(),
            )
            outcome = train(
                objective,
                theta,
                state,
                rng,
                solver=self.solver,
                mini_batches=mini_batches,
                monitor=monitor,
            )
        if outcome.interrupted:
            outcome.warn()
        self._adopt_network(outcome.network, targets, outcome.theta, objective.dtype)
        self._adopt_record(outcome, problem, not first)

    def _set_up(
        self,
        X,
        y,
        sample_weight,
        given_validation,
        rng,
        goes_on=False,
        precisions=_PRECISIONS,
    ):
        """Validate training data; note what they are; assemble the problem they pose."""
        X, y = self._validate_rows(X, y, reset=not goes_on, precisions=precisions)
        targets = targets_of(y)
        network = self._training_network(X.shape[1], targets, goes_on)
        codes = targets.codes(y)
        weights = _row_weights(sample_weight, X)
        chosen = held_out = None
        X_val, y_val, sample_weight_val = given_validation
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val must be given together; got one of them.")
        if X_val is None and sample_weight_val is not None:
            raise ValueError("sample_weight_val needs X_val and y_val; got neither.")
        if self.early_stopping and X_val is None:
            chosen, held_out = split_rows(
                codes, weights, targets.multilabel, self.validation_fraction, rng
            )
        rows = slice(None) if chosen is None else chosen
        totals = targets.class_totals(codes[rows], weights[rows])
        self.class_weight_ = targets.class_weights(self.class_weight, totals)
        factored, weigh = self._times_class_weight(weights, codes, targets, X.dtype)
        blocks = RowBlocks.of(network, X, codes, factored, targets.encode, chosen, weigh)
        validation = None
        scoring = self.scoring
        if scoring not in (None, "loss"):
            scoring = check_scoring(self, scoring)
        if X_val is not None:
            X_val, y_val = self._validate_rows(X_val, y_val, reset=False)
            codes_val = targets.codes(y_val)
            weights = _row_weights(sample_weight_val, X_val)
            factored, weigh = self._times_class_weight(weights, codes_val, targets, X_val.dtype)
            blocks_val = RowBlocks.of(
                network, X_val, codes_val, factored, targets.encode, weigh=weigh
            )
            validation = Validation(
                blocks_val, targets, scoring, _scorer_rows(X_val, y_val, sample_weight_val)
            )
        elif held_out is not None:
            blocks_val = RowBlocks.of(network, X, codes, factored, targets.encode, held_out, weigh)
            scorer_rows: tuple = ((), {})
            if callable(scoring):
                given = None if sample_weight is None else weights[held_out]
                scorer_rows = _scorer_rows(X[held_out], y[held_out], given)
            validation = Validation(blocks_val, targets, scoring, scorer_rows)
        return Problem(targets, network, blocks, validation)

    def _training_network(self, n_features, targets, goes_on):
        """The network that the keywords describe, which is the fitted one if training goes on."""
        if goes_on and not (
            targets.multilabel == self._multilabel
            and np.array_equal(targets.classes, self.classes_)
        ):
            raise ValueError(
                "warm_start=True needs the classes of the previous fit in y: "
                f"{self.classes_}; got {targets.classes}."
            )
        network = build_network(self, n_features, targets)
        if goes_on:
            self._check_same_sizes(network, "warm_start=True")
        return network

    def _stopping(self, mini_batches, goes_on, state):
        """The rules when to stop, with the record that they go on from."""
        by_score = self.early_stopping
        costs = list(self.loss_curve_) if goes_on else []
        scores = list(self.validation_scores_ or []) if goes_on else []
        stopping = Stopping(
            self.tol,
            self.n_iter_no_change,
            self.max_iter,
            self.max_fun if mini_batches is None else np.inf,
            by_score,
            self.learning_rate_init if self.learning_rate == "adaptive" else 0.0,
            costs,
            scores,
            since=len(scores if by_score else costs),
        )
        if state is not None and state["by_score"] == by_score:
            stopping.since = state["since"]
        if state is not None and self.learning_rate == "adaptive":
            stopping.rate_factor = state["rate_factor"]
        return stopping

    def _best_so_far(self, goes_on):
        """What early stopping has to beat: the fitted parameters, if they have a score."""
        if goes_on and self._score is not None:
            return Best(self._score, self.loss_, self._theta(self._network))
        return Best()

    def _check_same_sizes(self, network, what):
        """Refuse to go on with other hidden layers."""
        n_units = [layer.n_out for layer in network.layers if isinstance(layer, Dense)]
        if n_units != [b.size for b in self.intercepts_]:
            raise ValueError(
                f"{what} needs the hidden_layer_sizes of the previous fit: "
                f"{[b.size for b in self.intercepts_[:-1]]}; got {self.hidden_layer_sizes!r}."
            )

    def _resumable_state(self, network, dtype):
        """The mini-batch solver's state, if it still belongs to keywords and data."""
        state = self._state
        fits = (
            state is not None
            and state["solver"] == self.solver
            and state["theta"].size == network.n_params
            and state["theta"].dtype == dtype
        )
        return state if fits else None

    def _theta_to_go_on_from(self, network):
        """The fitted parameters of the training network, float64.

        Batch normalisation is folded away in ``coefs_``: only a mini-batch
        solver's state holds its scales and shifts.
        """
        if self._state is not None and not network.row_wise:
            theta = self._state["theta"]
            if theta.size == network.n_params:
                return theta.astype(np.float64)
        return self._theta(network)

    def _label(self, number, n_starts):
        """What begins each printed line, or None."""
        if not self.verbose:
            return None
        return f"start {number + 1}, iteration" if n_starts > 1 else "iteration"

    def _fitted_copy(self, problem, dtype, network, theta):
        """This estimator as if it were fitted with a plain network."""
        fitted = copy.copy(self)
        fitted._adopt_network(network, problem.targets, theta, dtype)
        return fitted

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
        self.out_activation_ = network.loss.output_activation
        self._state = None
        self._score = None

    def _adopt_record(self, outcome, problem, goes_on):
        """Set the attributes that tell how training went."""
        n_fun, t = 0, 0
        losses: list[float] = []
        if goes_on:
            n_fun, t, losses = self.n_fun_, self.t_, self.validation_loss_curve_ or []
        n_new = len(outcome.costs) - (self.n_iter_ if goes_on else 0)
        self.loss_ = outcome.cost
        self.loss_curve_ = outcome.costs
        self.best_loss_ = min([*outcome.costs, outcome.cost])
        self.validation_scores_ = outcome.scores or None
        self.validation_loss_curve_ = [*losses, *outcome.losses] or None
        self.best_validation_score_ = max(outcome.scores, default=None)
        self._score = outcome.score
        self.n_iter_ = len(outcome.costs)
        self.n_fun_ = n_fun + outcome.n_fun
        passes = outcome.n_fun if outcome.state is None else n_new
        self.t_ = t + passes * problem.blocks.n_rows
        self.converged_ = outcome.stopping.converged
        if outcome.state is not None:
            self._state = outcome.state | {
                "solver": self.solver,
                "by_score": outcome.stopping.by_score,
                "since": outcome.stopping.since,
                "rate_factor": outcome.stopping.rate_factor,
            }

    def _forget_record(self):
        """Keep the parameters and forget how they came about: records and schedules begin anew."""
        self.loss_curve_ = []
        self.n_iter_ = self.n_fun_ = self.t_ = 0
        self.validation_scores_ = self.validation_loss_curve_ = None
        self.best_validation_score_ = None
        if self._state is not None:
            self._state = self._state | {"step": 0, "since": 0, "rate_factor": 1.0}

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
            thetas = [np.array(theta) for theta in thetas]
            if any(map(np.iscomplexobj, thetas)):
                raise TypeError("they are complex")  # noqa: TRY301
            thetas = [theta.astype(np.float64) for theta in thetas]
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
        try:
            order = np.argsort(labels)
            distinct = len(np.unique(labels[labels == labels])) == n_classes
        except TypeError:  # labels of several kinds can't be sorted
            distinct = False
        if labels.shape != (n_classes,) or not distinct or n_rows == 2:
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
        targets = fitted_targets(labels[order], False)
        network = Network.feedforward(
            [shapes[0][1] - 1, *(shape[0] for shape in shapes)],
            activation_names(classifier, len(shapes) - 1),
            targets.loss(classifier.output_activation),
        )
        classifier.class_weight_ = targets.class_weights(classifier.class_weight)
        theta = network.pack([t[:, 1:].T for t in thetas], [t[:, 0] for t in thetas])
        classifier._adopt_network(network, targets, theta, np.float64)
        classifier.n_features_in_ = shapes[0][1] - 1
        classifier._forget_record()
        return classifier

    @property
    def thetas_(self):
        """Parameters of each layer, of shape (n_out, 1 + n_in), biases first."""
        check_is_fitted(self)
        return _as_thetas(zip(self.coefs_, self.intercepts_, strict=True))

    @property
    def _targets(self):
        return fitted_targets(self.classes_, self._multilabel)

    @property
    def _network(self):
        sizes = (len(self.coefs_[0]), *map(len, self.intercepts_))
        return plain_network(sizes, tuple(self._activations), loss_for(self.out_activation_))

    def _theta(self, network):
        return network.pack(self.coefs_, self.intercepts_)

    def _params(self, network):
        """The fitted parameters, a layer of the network."""
        dense = zip(self.coefs_, self.intercepts_, strict=True)
        return [next(dense) if isinstance(layer, Dense) else () for layer in network.layers]

    # Prediction

    def _by_rows(self, X, function):
        """``function(network, z)`` of the logits z of X's rows, block by block."""
        if not hasattr(self, "coefs_"):  # asked first: it is faster than the check
            check_is_fitted(self)
        X = self._validate_rows(X, reset=False)
        network = self._network
        params = self._params(network)
        if X.shape[0] * network.n_weights < WORTH_BLAS_THREADS:
            # For a single row the guard takes as long as the products.
            return function(network, _forward(network, params, X)[0])
        slices = block_slices(X.shape[0], network.rows_per_block(X.dtype))
        if len(slices) == 1:
            with one_blas_thread:
                return function(network, _forward(network, params, X)[0])

        def outputs(rows):
            return function(network, _forward(network, params, X[rows])[0])

        result = None
        rows = X.shape[0] / len(slices)
        with block_map(work(network, X, rows)) as map_blocks:
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
        return self._by_rows(X, lambda network, z: self._targets.predict(z))

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
        z, caches = _forward(network, self._params(network), X)
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
        problem = self._fitted_problem(X, y, sample_weight)
        with open_objective(problem, self.alpha) as objective, np.errstate(**_LATER):
            cost = objective.value(self._theta(objective.network))
        _refuse_overflow("cost", cost)
        return cost

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
            Derivatives dJ / dtheta, laid out as ``thetas_``.
        """
        problem = self._fitted_problem(X, y, sample_weight)
        with open_objective(problem, self.alpha) as objective, np.errstate(**_LATER):
            cost, grad = objective.value_and_grad(self._theta(objective.network))
        _refuse_overflow("cost", cost)
        _refuse_overflow("gradient of the cost", grad)
        return cost, _as_thetas(objective.network.dense_views(grad))

    def _fitted_problem(self, X, y, sample_weight, precisions=_PRECISIONS):
        """Given rows as a problem for the fitted network."""
        check_is_fitted(self)
        X, y = self._validate_rows(X, y, reset=False, precisions=precisions)
        targets = self._targets
        codes = targets.codes(y)
        weights = _row_weights(sample_weight, X)
        weights, weigh = self._times_class_weight(weights, codes, targets, X.dtype)
        network = self._network
        blocks = RowBlocks.of(network, X, codes, weights, targets.encode, weigh=weigh)
        return Problem(targets, network, blocks, None)

    def _training_problem(self, X, y, sample_weight):
        """Given rows in float64, the network that training sees, and its theta.

        At the fitted parameters; if there are none, at a random start.
        """
        if hasattr(self, "coefs_"):
            problem = self._fitted_problem(X, y, sample_weight, np.float64)
            network = build_network(self, self.n_features_in_, problem.targets)
            if network.training_only:
                self._check_same_sizes(network, "a check")
                return problem._replace(network=network), self._theta_to_go_on_from(network)
            return problem, self._theta(problem.network)
        aside = clone(self).set_params(early_stopping=False)
        aside._validate_params()
        rng = check_random_state(aside.random_state)
        problem = aside._set_up(X, y, sample_weight, (None, None, None), rng, precisions=np.float64)
        seed = rng.randint(np.iinfo(np.int32).max, size=1)[0]
        return problem, initialize(problem.network, aside.initializer, np.random.default_rng(seed))

    def _times_class_weight(self, sample_weight, codes, targets, dtype):
        """As ``weigh_rows``, for rows of a dtype."""
        weights, weigh = weigh_rows(targets, codes, sample_weight, self.class_weight_)
        # The gradient is summed in the precision of the rows, and must not vanish there.
        largest = 1.0
        if dtype == np.float32:
            largest = weights.max() * (1.0 if weigh is None else self.class_weight_.max())
        if largest > 0.0 and not 1e-20 <= largest <= 1e20:
            raise ValueError(
                "sample_weight, times class_weight, must have a largest value from 1e-20 to 1e20 "
                f"where X is float32; got {largest:g}. Scale the weights or take X in float64."
            )
        return weights, weigh

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


def _forward(network, params, X):
    """Logits and caches as ``network.forward`` gives them."""
    with np.errstate(**_LATER):
        z, caches = network.forward(params, X)
    _refuse_overflow("logits", z)
    return z, caches


def _refuse_overflow(name, values):
    """An error if there are infinities or nan among the values."""
    if not np.isfinite(values).all():
        raise FloatingPointError(
            f"The {name} for these rows of X can't be computed: the numbers overflow. Scale the "
            "features as those that the network was trained on."
        )


def _row_weights(sample_weight, X):
    """Weight of each row, float64 >= 0 with a sum above 0; ones take no memory."""
    n_rows = X.shape[0]
    if sample_weight is None:
        return np.broadcast_to(1.0, n_rows)
    return _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)


def _scorer_rows(X, y, sample_weight):
    """What a scorer is given behind the estimator."""
    return (X, y), {} if sample_weight is None else {"sample_weight": sample_weight}


def _as_thetas(dense):
    """(n_out, 1 + n_in) matrices, biases first, from pairs (W, b)."""
    return [np.column_stack([b, W.T]) for W, b in dense]
