"""The regressor: its keywords, and `fit`."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from ._base import BackpropMLP
from ._estimator import keywords
from ._estimator.adoption import adopt_thetas
from ._estimator.assembly import where_partial_fit_makes_sense
from ._estimator.fitting import fit_chunk, fit_rows
from ._estimator.tasks import Regression
from ._estimator.thetas import hidden_sizes, read_matrices
from ._network.regression_losses import REGRESSION_LOSSES
from ._sklearn import Interval, StrOptions, _fit_context, validate_params, with_callbacks
from ._targets.continuous import Numbers


class BackpropMLPRegressor(Regression, BackpropMLP):
    """Neural network regressor, trained by backpropagation.

    Minimises, with SciPy's conjugate gradient by default,

    .. math::

        J = \\frac{1}{m} \\sum_{i=1}^m \\sum_{k=1}^K \\ell(z_{ik}, Y_{ik})
            + \\frac{\\alpha}{2m} \\sum_{l,p,q} (W^{(l)}_{pq})^2

    where z are the network's linear outputs, Y the numbers to be predicted, one per output,
    m the number of rows (or their total weight) and the biases stay out of the penalty
    [1]_. With the default loss, :math:`\\ell` is half the squared error.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Number of units in each hidden layer. ``()`` is a linear model.
    activation : {"identity", "logistic", "tanh", "relu", "leaky_relu"} or \
            sequence of these, default="relu"
        Activation function of the hidden units: one for all layers, or one per
        layer. The slope of ``leaky_relu`` left of zero is 0.01.
    loss : {"squared_error", "huber", "poisson", "gamma", "quantile"}, \
            default="squared_error"
        What an output z costs, summed over the outputs. "squared_error": (z - Y)^2 / 2. "huber":
        the same up to ``huber_threshold``, and linear beyond. "poisson" (y >= 0) and "gamma"
        (y > 0): half the deviance, with the prediction exp(z). "quantile": the pinball loss, whose
        best constant is the ``quantile``.
    huber_threshold : float, default=1.35
        Where "huber" turns from square to linear, > 0; in normalised units of y: with
        ``normalize_y=True`` in its standard deviation, which outliers inflate (the guide
        says what to do). Below 1 ``tol`` is counted in it, and ``alpha`` weighs up to
        1 / ``huber_threshold`` times as much. No other loss reads it.
    quantile : float, default=0.5
        Which quantile q "quantile" predicts, in (0, 1). ``tol`` is counted in 4 q (1 - q), and
        far from 0.5 ``alpha`` weighs more, as the loss is small. No other loss reads it.
    normalize_y : bool, default=True
        Whether y is centred and scaled by its weighted mean and standard deviation in
        training, each output by its own, so that ``alpha`` and ``tol`` mean the same
        whatever units y has. Not with a log link ("poisson", "gamma"): with "poisson" ``alpha``
        weighs the more, the smaller y is, and next to nothing where y is large: divide y by its
        mean. ``coefs_``, predictions and scores are in y's units, costs in the normalised ones.
        Calls that go on from an earlier fit keep its mean and scale, 1 where y did not vary.
    solver : {"cg", "lbfgs", "newton-cg", "adam", "rmsprop", "sgd"}, default="cg"
        Full-batch, SciPy's: "cg" is conjugate gradient (Polak and Ribiere), "lbfgs"
        limited-memory BFGS, "newton-cg" Newton's method with exact Hessian-vector products.
        Mini-batch: "adam", "rmsprop" and "sgd" (gradient descent with momentum). All minimise the
        same J.
    alpha : float, default=1.0
        Strength of the L2 penalty, >= 0: the course's lambda, divided by m. Times batch_size / m
        it is `MLPRegressor`'s for "adam" and "sgd". In `partial_fit` m is the rows of a call:
        take alpha times their share of the whole stream. Losses of several outputs are summed, so
        alpha weighs 1/K of what it does in `MLPRegressor`, which averages them.
    initializer : {"auto", "uniform", "glorot_uniform", "glorot_normal", "xavier", \
            "he_normal"} or callable, default="auto"
        Random starting weights. "auto" is He before relu and leaky relu units, Glorot elsewhere,
        times 4 before logistic units; "uniform" is the exercise's [-0.12, 0.12] with biases. Others
        start at zero (random where units have a single input), those of outputs at the mean of
        y, or its logarithm with a log link, and with full-batch solvers the first layer starts
        centred and scaled to its inputs. See `backprop_mlp.initializers` for objects with
        parameters, and for what a callable must return.
    dropout : float or sequence of float, default=0.0
        Probability, in [0, 1), of dropping a hidden unit in a training step: one for all hidden
        layers, or one per layer. Mini-batch solvers only.
    batch_norm : bool, default=False
        Whether batch normalisation stands before each activation function. Its scales and shifts
        are trained, without a penalty, and its running moments are folded into ``coefs_`` and
        ``intercepts_``. Mini-batch solvers only.
    max_iter : int, default=200
        Largest number of iterations, >= 1; with mini-batches, of epochs.
    tol : float, default=1e-4
        Training has converged when the gradient's largest component is below tol (full-batch
        solvers), or when ``n_iter_no_change`` iterations in a row each gain less than tol, >= 0,
        on the best before: in cost, or with ``early_stopping`` in validation score. Then tol is in
        the units of ``scoring``, and the gradient is compared with min(tol, 1e-4) unless
        ``scoring`` is "loss".
    max_fun : int, default=15000
        Largest number of evaluations of the cost and its gradient by a full-batch solver, >= 1.
        The iteration in which it is reached is finished.
    batch_size : int or "auto", default="auto"
        Largest number of rows of a mini-batch, >= 1. The rows are divided into batches of nearly
        equal size. "auto": min(200, n_samples).
    learning_rate : {"constant", "invscaling", "adaptive", "step", "exponential", \
            "inverse_time", "cosine"} or callable, default="constant"
        How the learning rate of a mini-batch solver changes, from ``learning_rate_init``.
        "invscaling": divided by (1 + rows seen)^power_t. "adaptive": divided by 5 where training
        would otherwise stop for lack of progress (never in `partial_fit`, which compares no
        costs). "step": halved every 10 epochs. "exponential": times 0.95 per epoch.
        "inverse_time": divided by 1 + epochs. "cosine": half a cosine, from the first of all
        epochs to 0 at the last of this fit, after a warm-up of a twentieth. Epochs and rows are
        counted over all calls that go on from each other; a call of `partial_fit` is one epoch. A
        callable gets the number of updates before a step; see `backprop_mlp.schedules`.
    learning_rate_init : float, default=0.001
        Learning rate of a mini-batch solver at the start, > 0.
    power_t : float, default=0.5
        Exponent of "invscaling", >= 0.
    shuffle : bool, default=True
        Whether each epoch visits the rows in a new order.
    momentum : float, default=0.9
        Momentum of "sgd", in [0, 1].
    nesterovs_momentum : bool, default=True
        Whether the momentum of "sgd" is Nesterov's.
    beta_1 : float, default=0.9
        Decay of the mean of the gradients, in [0, 1), for "adam".
    beta_2 : float, default=0.999
        Decay of the mean square of the gradients, in [0, 1), for "adam" and "rmsprop".
    epsilon : float, default=1e-8
        Added to the root of the mean square, > 0, for "adam" and "rmsprop".
    max_grad_norm : float or None, default=None
        Largest Euclidean norm of a mini-batch's gradient, > 0; longer ones are shortened to it.
    early_stopping : bool, default=False
        Whether the validation score decides when to stop, and the parameters with the best score
        are kept. The validation rows are held out from X, unless `fit` is given its own.
    validation_fraction : float, default=0.1
        Fraction of the rows, in (0, 1), that ``early_stopping`` holds out.
    n_iter_no_change : int or inf, default=10
        See ``tol``; >= 1. With inf a lack of progress ends nothing.
    scoring : str, callable or None, default=None
        Validation score: None is R2, "loss" minus the mean loss without penalty, all else a
        scorer of scikit-learn. Row weights count. Where y of the validation rows does not vary,
        as in a single row, 1 minus the mean squared error, in normalised units, takes R2's place.
        With ``early_stopping`` ``tol`` is in its units: those of y for "neg_mean_absolute_error",
        normalised ones for "loss".
    n_init : int, default=1
        Number of random starts, >= 1, of which the one with the lowest final cost (with
        ``early_stopping``: the best validation score) is kept. A warm start makes no further
        starts.
    n_jobs : int or None, default=None
        Number of starts to run side by side, in threads. None means 1 unless in a
        `joblib.parallel_config` context; -1 means all processors. It does not change the result.
    warm_start : bool, default=False
        Whether `fit` goes on from ``coefs_`` and ``intercepts_``, as the previous call left them
        or as you have assigned them since. ``n_fun_``, ``t_`` and ``loss_curve_`` go on. A
        mini-batch solver also goes on from its own state, in the precision of the new rows, so
        that n calls with one epoch equal one call with n epochs, bit by bit. A changed solver
        begins a new state. See Notes.
    random_state : int, RandomState instance or None, default=None
        Source of all that is random: starting weights, held-out rows, mini-batches and dropout.
        An int gives the same result in every call.
    verbose : bool or int, default=False
        Whether to print a line per iteration. Like ``loss_curve_`` and ``n_fun_`` it counts over
        all calls that training goes on from; seconds are those of the call.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_in, n_out)
        Weights of each layer, in the precision of the training data. Those of the
        output layer are in y's units, and float64.
    intercepts_ : list of ndarray of shape (n_out,)
        Biases of each layer.
    thetas_ : list of ndarray of shape (n_out, 1 + n_in)
        The same, biases first: the exercise's Theta1, Theta2.
    loss_ : float
        J, in normalised units of y, of the fitted parameters on the rows that are not
        held out, penalty included; with mini-batches the mean over the last epoch, unless
        early stopping keeps earlier parameters.
    best_loss_ : float or None
        Lowest J of all iterations; None with ``early_stopping``, where the score tells.
    loss_curve_ : list of float
        J of the same rows after each iteration, those of earlier calls that this one
        goes on from included; with mini-batches the mean over each epoch.
    validation_scores_ : list of float or None
        Validation score after each iteration of ``loss_curve_``; nan where there
        were no validation rows, None if there never were.
    validation_loss_curve_ : list of float or None
        The same for J with its loss averaged over the validation rows:
        comparable with ``loss_curve_``.
    best_validation_score_ : float or None
        Highest score by this call's scorer on its validation rows; with ``early_stopping`` that of
        the fitted parameters, which may be those that a warm start began with.
    n_iter_ : int
        Number of iterations of the last call; `partial_fit` leaves 1.
    n_fun_ : int
        Number of evaluations of J, or of a mini-batch's share, and the gradient.
    t_ : int
        Number of rows seen in training, each as often as it was.
    converged_ : bool
        Whether training ended because there was nothing left to gain; not where a callback
        or Ctrl-C ended it.
    y_mean_, y_scale_ : ndarray of shape (n_outputs,)
        What normalised units of y are: (y - mean) / scale; 0 and 1 without
        ``normalize_y`` or with a log link.
    n_layers_ : int
        Number of layers, input and output included.
    n_outputs_ : int
        Number of output units.
    out_activation_ : {"identity", "exp"}
        Activation function of the output units.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X had names that are all strings.

    See Also
    --------
    sklearn.neural_network.MLPRegressor : The network that scikit-learn brings.
    BackpropMLPRegressorCV : The same with alpha chosen along a path.
    make_tabular_regressor : Averaged networks for a table, in one line.
    check_gradient : Backpropagation against finite differences.

    Notes
    -----
    Rows of float32 or float64, dense or sparse in CSR format, are read in blocks, in their own
    precision and without a copy of X, but for a few wide ones. All else is converted before.

    The kink of the pinball loss is rounded off where errors are below 0.003 in normalised units,
    so that it has the derivatives that solvers need; it is at most 0.00075 higher there, and the
    same elsewhere. Without ``normalize_y`` these are y's own units: scale a small y.

    J, and with it `cost`, `cost_gradient`, ``loss_curve_`` and the gradient check, are
    in normalised units of y. For one output multiply a squared error's J by
    ``y_scale_ ** 2`` to have it in y's units.

    Where a warm start goes on from weights that you have assigned, a mini-batch solver keeps its
    moments; batch normalisation begins new scales, which can't be read from ``coefs_``. With
    ``early_stopping`` a warm start first measures ``coefs_`` on the validation rows of its call:
    that is what must be beaten. Rows that were held out stay held out. Where early stopping kept
    earlier parameters, a mini-batch solver goes on from its last ones, unless ``coefs_`` have been
    changed since.

    Ctrl-C ends training, in all restarts, with a warning and keeps the best parameters so far:
    those of the last whole iteration or epoch, so that training may go on from there as if it had
    not been interrupted, with ``early_stopping`` those with the best score. As long as there is no
    cost to tell, before the first evaluation or in the first epoch (the only one of `partial_fit`),
    and while input is validated, `KeyboardInterrupt` is raised instead. One that a callback raises
    counts as Ctrl-C. Any other exception, be it raised by a callback, goes through when all
    restarts have ended. A fit that raises one leaves the estimator as it was. A `GridSearchCV`
    goes on after an interrupted fit; it ends with it if ``error_score="raise"`` and
    ``warnings.filterwarnings("error", "Training was interrupted")`` are set.

    Where numbers overflow, in training or in a prediction, that is a
    `FloatingPointError` that says what to do; nan is never returned.

    References
    ----------
    .. [1] A. Ng, "Machine Learning", programming exercise 4: Neural networks
           learning, sections 1.3, 1.4 and 2; the cost of a number: exercise 1,
           section 2.2.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from backprop_mlp import BackpropMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), BackpropMLPRegressor(alpha=30, random_state=0))
    >>> bool(model.fit(X, y).score(X, y) > 0.5)
    True
    """

    _parameter_constraints: dict = {
        **BackpropMLP._parameter_constraints,
        "loss": [StrOptions(set(REGRESSION_LOSSES))],
        "huber_threshold": [Interval(Real, 0, None, closed="neither")],
        "quantile": [Interval(Real, 0, 1, closed="neither")],
        "normalize_y": ["boolean"],
        "scoring": [keywords.REGRESSION_SCORING, callable, None],
    }
    y_mean_: np.ndarray
    y_scale_: np.ndarray

    def __init__(
        self,
        hidden_layer_sizes: keywords.Sizes = (100,),
        activation: keywords.ActivationNames = "relu",
        *,
        loss: keywords.RegressionLossName = "squared_error",
        huber_threshold: float = 1.35,
        quantile: float = 0.5,
        normalize_y: bool = True,
        solver: keywords.Solver = "cg",
        alpha: float = 1.0,
        initializer: keywords.Initializer = "auto",
        dropout: keywords.Dropout = 0.0,
        batch_norm: bool = False,
        max_iter: int = 200,
        tol: float = 1e-4,
        max_fun: int = 15000,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: keywords.LearningRate = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        shuffle: bool = True,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        max_grad_norm: float | None = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: float = 10,
        scoring: keywords.Scoring = None,
        n_init: int = 1,
        n_jobs: int | None = None,
        warm_start: bool = False,
        random_state: keywords.RandomState = None,
        verbose: bool | int = False,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.loss = loss
        self.huber_threshold = huber_threshold
        self.quantile = quantile
        self.normalize_y = normalize_y
        self.solver = solver
        self.alpha = alpha
        self.initializer = initializer
        self.dropout = dropout
        self.batch_norm = batch_norm
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

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: keywords.Matrix,
        y: keywords.Matrix,
        sample_weight: keywords.Weights = None,
        *,
        X_val: keywords.Matrix = None,
        y_val: keywords.Matrix = None,
        sample_weight_val: keywords.Weights = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data; float32 is computed in float32, all else in float64.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers to be predicted.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights >= 0; None means 1. A row of weight 2 counts as two rows, in the
            penalty's 1/m too; one of weight 0 as none, whatever its y, but mini-batches draw it.
        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Validation data: measured after every iteration, and with ``early_stopping``
            used instead of held-out rows of X.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Their numbers.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : BackpropMLPRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or an input is not allowed. Nothing has been done then.
        TypeError
            If an entry of X is no number, such as a dictionary, or ``scoring`` gives none.
        FloatingPointError
            If the cost overflows: at the start, where mini-batches diverge, or on validation rows.

        Warns
        -----
        ConvergenceWarning
            If training ended before it converged, or above the cost of a constant prediction.
        IgnoredKeywordWarning, StrongPenaltyWarning
            If solver or loss never read a keyword that is set; if alpha is too strong for m.
        UserWarning
            If Ctrl-C ended it; if y is a column (a DataConversionWarning); if y varies, and did not
            in the fit that training goes on from; if most of y is too crowded for a robust loss.
        """
        return fit_rows(self, X, y, sample_weight, (X_val, y_val, sample_weight_val))

    @where_partial_fit_makes_sense
    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: keywords.Matrix,
        y: keywords.Matrix,
        sample_weight: keywords.Weights = None,
    ) -> Self:
        """Train for one epoch on the given rows, which may be new ones.

        Only for mini-batch solvers, without ``early_stopping`` and without
        ``learning_rate="cosine"``, which does not know the last epoch here. m, in the
        penalty too, is that of the given rows. With ``normalize_y`` mean and scale of y
        are those of the first call's rows, in all calls: let these be typical. Where y does
        not vary in them, as in a single row, the scale is 1.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers to be predicted.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights >= 0.

        Returns
        -------
        self : BackpropMLPRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or an input is not allowed.
        FloatingPointError
            If the cost overflows.

        Warns
        -----
        IgnoredKeywordWarning, StrongPenaltyWarning
            If a keyword does nothing, as "adaptive" here; if the rows' total weight is small.
        UserWarning
            If y is a column (a DataConversionWarning), constant at first, or crowded: see `fit`.
        """
        return fit_chunk(self, X, y, sample_weight)

    @classmethod
    def from_thetas(cls, thetas: Sequence[ArrayLike], **params: Any) -> Self:
        """A fitted regressor from given parameter matrices: ``thetas_`` of any other.

        Parameters
        ----------
        thetas : sequence of array-like of shape (n_out, 1 + n_in)
            One matrix per layer, biases in the first column. The last one has a row per
            output; with a log link its outputs are logarithms of predictions.
        **params : dict
            Parameters of the regressor. ``hidden_layer_sizes`` follows from the matrices.

        Returns
        -------
        regressor : BackpropMLPRegressor
            Ready to predict, with ``y_mean_`` 0 and ``y_scale_`` 1; `fit` would start again,
            or from these parameters with ``warm_start=True``.

        Raises
        ------
        ValueError
            If shapes or parameters do not fit together.

        Examples
        --------
        >>> from backprop_mlp import BackpropMLPRegressor
        >>> line = BackpropMLPRegressor.from_thetas([[[1.0, 2.0]]])
        >>> line.predict([[0.0], [3.0]])
        array([1., 7.])
        """
        matrices = read_matrices(thetas)
        regressor = cls(hidden_layer_sizes=hidden_sizes(matrices, params), **params)
        validate_params(regressor)
        n_outputs = len(matrices[-1])
        unscaled = np.zeros(n_outputs), np.ones(n_outputs)
        targets = Numbers(regressor._loss_for(None), *unscaled, n_outputs == 1, False)
        adopt_thetas(regressor, matrices, targets)
        return regressor
