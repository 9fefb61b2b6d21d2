"""What the examples share: where their pictures go, and how these look."""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # Files only: no screen is needed.
matplotlib.rcParams.update(
    {
        "axes.grid": False,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "figure.dpi": 120,
        "figure.titlesize": "large",
        "font.size": 12,
        "legend.fontsize": "medium",
    }
)

FOLDER = Path(__file__).with_name("pictures")


def argument_parser(description):
    """A command line with the option --output."""
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


def save(figure, folder, name):
    """Save a figure as a PNG file, say so, and close it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    figure.savefig(path)
    matplotlib.pyplot.close(figure)
    print(f"saved {path}")
