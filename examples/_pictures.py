"""What the examples share: the digits, where pictures go, and how these look."""

import argparse
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")  # Files only: no screen is needed.
STYLE = {
    "axes.grid": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.dpi": 120,
    "figure.titlesize": "large",
    "font.size": 12,
    "legend.fontsize": "medium",
}

DIGITS = Path(__file__).parents[1] / "data" / "digits20x20.mat"
FOLDER = Path(__file__).with_name("pictures")


def argument_parser(description):
    """A command line with the option --output; and from here on pictures look as ours do."""
    # Here, for the site's gallery sets matplotlib back before each example.
    matplotlib.rcParams.update(STYLE)
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=FOLDER,
        metavar="FOLDER",
        help="where to save the pictures (default: %(default)s)",
    )
    return parser


def plot_below(ax, x, y, top, **style):
    """Draw a line; a triangle on the upper edge, at ``top``, stands for what lies beyond."""
    y = np.asarray(y)
    (line,) = ax.plot(x, np.minimum(y, top), **style)
    beyond = np.flatnonzero(~(y <= top))
    if len(beyond):
        edge = np.full(len(beyond), top)
        color = line.get_color()
        ax.plot(np.asarray(x)[beyond], edge, "^", color=color, markersize=10, clip_on=False)


def save(figure, folder, name):
    """Save a figure as a PNG file, and say so. It stays open for the site's gallery."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    figure.savefig(path)
    here = Path.cwd()
    print(f"saved {path.relative_to(here) if path.is_relative_to(here) else path}")
