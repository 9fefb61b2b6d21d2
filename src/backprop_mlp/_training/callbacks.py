"""scikit-learn's callbacks (from its version 1.9): a task per start, iteration, fold and alpha."""

from contextlib import ExitStack, nullcontext


class CallbackTask:
    """A callback context and what its hooks are given; without a context it does nothing.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext or None
    given : dict
        Keyword arguments of every hook: estimator, X, y and metadata.
    """

    def __init__(self, context, given):
        self._context = context
        self._given = given

    @classmethod
    def of_call(cls, estimator, name, n_starts, max_iter):
        """The task of a whole call: its iterations if there is one start, its starts otherwise."""
        if not hasattr(estimator, "_init_callback_context"):
            return cls(None, {})
        context = estimator._init_callback_context(
            task_name=name,
            max_subtasks=max_iter if n_starts == 1 else n_starts,
            sequential_subtasks=n_starts == 1,
        )
        # Callbacks know the estimator by its identity: it must be the one they are set on.
        return cls(
            context if hasattr(estimator, "_skl_callbacks") else None, {"estimator": estimator}
        )

    @classmethod
    def of_meta_estimator(cls, outer, estimator, max_subtasks):
        """The task of a `fit` whose subtasks are the fits of another estimator, or their paths.

        Parameters
        ----------
        outer : estimator
            Whose `fit` it is: a search, or what trains on Dask collections.
        estimator : estimator or None
            What it fits; it may have callbacks of its own.
        max_subtasks : int or None
            Number of subtasks; None if that is not known yet.
        """
        if not hasattr(outer, "_init_callback_context"):
            return cls(None, {})
        context = outer._init_callback_context(max_subtasks=max_subtasks)
        wanted = any(hasattr(either, "_skl_callbacks") for either in (outer, estimator))
        return cls(context if wanted else None, {"estimator": outer})

    def paths(self, n_folds, n_alphas):
        """The subtask of a walk along all paths, and its subtasks, one per fold; none has begun.

        They are made before any of them is sent to another process.
        """
        if self._context is None:
            return CallbackTask(None, {}), [CallbackTask(None, {})] * n_folds
        search = self._context.subcontext("search", max_subtasks=n_folds, sequential_subtasks=False)
        folds = [
            search.subcontext("fold", task_id=number, max_subtasks=n_alphas)
            for number in range(n_folds)
        ]
        return CallbackTask(search, self._given), [
            CallbackTask(fold, self._given) for fold in folds
        ]

    def begin(self, **given):
        """Call the hooks of the task's beginning."""
        self._given = self._given | given
        if self._context is not None:
            self._context.call_on_fit_task_begin(**self._given)

    def begin_fit(self, X, y, sample_weight):
        """Begin the task of a call with its rows."""
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.begin(X=X, y=y, metadata=metadata)

    def begin_subtask(self, name, **options):
        """Begin a task inside this one."""
        task = CallbackTask(None, self._given)
        if self._context is not None:
            task = CallbackTask(self._context.subcontext(task_name=name, **options), self._given)
        task.begin()
        return task

    def end(self, attributes=None):
        """Call the hooks of the task's end.

        Parameters
        ----------
        attributes : callable() -> dict, default=None
            Fitted attributes as if `fit` ended here; None if there are none.

        Returns
        -------
        stop : bool
            Whether a callback asks to stop.
        """
        if self._context is None:
            return False
        return self._context.call_on_fit_task_end(
            reconstruction_attributes=attributes, **self._given
        )

    def whole(self, **given):
        """Context from the task's beginning to its end; one that fails has no end."""
        return _Whole(self, given)

    def fit_of(self, estimator, name):
        """Context of a subtask that is another estimator's `fit`; it is entered already.

        The two are one task in the tree. For its time, callbacks that are made to be
        propagated are the estimator's, too.
        """
        if self._context is None:
            return nullcontext()
        task = CallbackTask(self._context.subcontext(name), self._given)
        with ExitStack() as entered:
            entered.enter_context(task._context.propagate_callback_context(estimator))
            entered.enter_context(task.whole())
            return entered.pop_all()


class _Whole:
    """Calls the hooks of a task's beginning and, unless it fails, of its end.

    In a generator a hook's StopIteration would become a RuntimeError.
    """

    def __init__(self, task, given):
        self._task = task
        self._given = given

    def __enter__(self):
        self._task.begin(**self._given)

    def __exit__(self, error_class, error, traceback):
        if error_class is None:
            self._task.end()
