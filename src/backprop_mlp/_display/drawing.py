"""Matplotlib for the Displays: axes, line styles, colour bars and marks at an edge.

Matplotlib is imported inside functions only: the package works without it.
"""

import numpy as np


def pyplot_for(display):
    """matplotlib.pyplot, or an error that says what to install."""
    try:
        import matplotlib.pyplot
    except ImportError as error:
        raise ImportError(
            f'{type(display).__name__} draws with matplotlib: pip install "backprop-mlp[plot]"'
        ) from error
    return matplotlib.pyplot


def figure_and_ax(display, ax):
    """Where to draw: the caller's axis, or the axis of a new figure."""
    pyplot = pyplot_for(display)
    if ax is None:
        _, ax = pyplot.subplots(layout="constrained")
    if not _is_axis(ax):
        raise TypeError(f"ax must be a matplotlib.axes.Axes, or None; got {ax!r}.")
    return ax.figure, ax


def figure_and_axes(display, ax, n_axes, figsize):
    """Where to draw: the caller's axes in their order, or a row of axes in a new figure."""
    pyplot = pyplot_for(display)
    if ax is None:
        _, ax = pyplot.subplots(1, n_axes, figsize=figsize, layout="constrained")
    axes = np.ravel(ax)
    if not all(map(_is_axis, axes)):
        raise TypeError(f"ax must be {n_axes} matplotlib.axes.Axes, or None; got {ax!r}.")
    if axes.size != n_axes:
        raise ValueError(f"ax must be {n_axes} axes, or None; got {axes.size}.")
    return axes[0].figure, axes


def _is_axis(ax):
    from matplotlib.axes import Axes

    return isinstance(ax, Axes)


def line_style(style, kwargs):
    """Default keywords of a line, overridden by the caller's, who may have written "lw"."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.lines import Line2D

    return style | normalize_kwargs(kwargs, Line2D)


def mark_at_edge(ax, x, edge, style):
    """Mark points that lie beyond the bottom or the top of the picture, at that edge.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    x : array-like of shape (n_points,)
        Where the points lie along the horizontal axis.
    edge : {"bottom", "top"}
        The edge beyond which they lie. A triangle points that way.
    style : dict
        Other keywords of `matplotlib.axes.Axes.plot`.

    Returns
    -------
    line : matplotlib.lines.Line2D
        The marks.
    """
    height, marker = {"bottom": (0.0, "v"), "top": (1.0, "^")}[edge]
    (line,) = ax.plot(
        x,
        np.full(len(x), height),
        transform=ax.get_xaxis_transform(),
        **style | {"marker": marker, "linestyle": "", "clip_on": False},
    )
    return line


def add_colorbar(drawn, label):
    """Draw the scale of an image next to it; pointed ends stand for numbers beyond the scale."""
    numbers = np.ma.masked_invalid(drawn.get_array())
    below = numbers.min() < drawn.norm.vmin
    above = numbers.max() > drawn.norm.vmax
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}.get(
        (bool(below), bool(above))
    )
    return drawn.axes.figure.colorbar(
        drawn,
        ax=drawn.axes,
        label=label,
        fraction=0.046,
        pad=0.04,
        extend=extend,
    )
