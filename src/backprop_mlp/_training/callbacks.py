"""scikit-learn's callbacks (from its version 1.9): a task for each start and iteration."""

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # older scikit-learn: no callbacks, all else as usual

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands in for scikit-learn's mixin where that does not exist."""

    def with_callbacks(method):
        """Leave a method as it is."""
        return method


class Task:
    """A callback context and what its hooks are told; without a context it does nothing.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext or None
    told : dict
        Keyword arguments of every hook: estimator, X, y and metadata.
    """

    def __init__(self, context, told):
        self._context = context
        self._told = told

    @classmethod
    def of_fit(cls, estimator, n_starts, max_iter):
        """The task of a whole `fit`: iterations if there is one start, starts otherwise."""
        if not hasattr(estimator, "_init_callback_context"):
            return cls(None, {})
        context = estimator._init_callback_context(
            max_subtasks=max_iter if n_starts == 1 else n_starts,
            sequential_subtasks=n_starts == 1,
        )
        # Callbacks know the estimator by its identity: it must be the one they are set on.
        return cls(
            context if hasattr(estimator, "_skl_callbacks") else None, {"estimator": estimator}
        )

    def begin(self, **told):
        """Call the hooks of the task's beginning."""
        self._told = self._told | told
        if self._context is not None:
            self._context.call_on_fit_task_begin(**self._told)

    def begin_subtask(self, name, **options):
        """Begin a task inside this one."""
        task = Task(None, self._told)
        if self._context is not None:
            task = Task(self._context.subcontext(task_name=name, **options), self._told)
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
            reconstruction_attributes=attributes, **self._told
        )
