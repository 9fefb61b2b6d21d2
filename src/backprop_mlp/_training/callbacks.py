"""scikit-learn's callbacks (from its version 1.9): a task for each start and iteration."""


class Task:
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
        task = Task(None, self._given)
        if self._context is not None:
            task = Task(self._context.subcontext(task_name=name, **options), self._given)
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
