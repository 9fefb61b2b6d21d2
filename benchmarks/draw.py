"""Draw the figures that ``run.py --json FILE`` has written.

A picture of each group of speeds, beside the peers and their targets; one of what is
spent beside the bare matrix products, and of the memory; and one of how time grows and
cost falls.
"""

import argparse
import json
import sys
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")  # Files only: no screen is needed.
import matplotlib.pyplot as plt

matplotlib.rcParams.update(
    {
        "axes.spines.right": False,
        "axes.spines.top": False,
        "figure.dpi": 110,
        "figure.titlesize": "large",
        "font.size": 11,
    }
)
HEIGHT = 0.27
"""Inches a row."""
STYLES = (
    {"marker": "o", "linestyle": "-"},
    {"marker": "s", "linestyle": "--"},
    {"marker": "^", "linestyle": ":"},
)


def draw_rows(axes, rows, x_label):
    """A dot a row with its quartiles, and a bar where its target is."""
    places = np.arange(len(rows))[::-1]
    for place, row in zip(places, rows, strict=True):
        reached = row["met"] is not False
        axes.plot([row["low"], row["high"]], [place, place], color="0.35", linewidth=1.5)
        axes.plot(
            row["figure"],
            place,
            marker="o",
            markersize=6,
            markeredgecolor="black",
            markerfacecolor="black" if reached else "white",
        )
        if row["target"] is not None:
            axes.plot(
                row["target"], place, marker="|", markersize=13, markeredgewidth=2.5, color="0.55"
            )
    axes.set_xscale("log")
    axes.set_yticks(places, [f"{row['what']}\n{row['against']}" for row in rows])
    axes.tick_params(axis="y", labelsize=8.5, length=0)
    axes.set_ylim(-0.8, len(rows) - 0.2)
    axes.set_xlabel(x_label)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(plt.NullFormatter())
    low, high = axes.get_xlim()
    steps = (1, 2, 5) if high > 8 * low else (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
    marks = [step * 10.0**power for power in range(-2, 6) for step in steps]
    axes.set_xticks([mark for mark in marks if low <= mark <= high])
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)


def key(figure):
    """What the marks mean, below all panels."""
    marks = [
        plt.Line2D([], [], marker="o", color="0.35", markerfacecolor="black", markersize=6),
        plt.Line2D([], [], marker="o", color="0.35", markerfacecolor="white", markersize=6),
        plt.Line2D([], [], marker="|", color="0.55", linestyle="", markersize=13, mew=2.5),
    ]
    labels = ["median and quartiles", "the same, target missed", "target"]
    figure.legend(marks, labels, loc="outside lower center", ncols=3)


SPEEDS = {
    "evaluation": "The cost and its gradient",
    "fit": "Whole fits",
    "prediction": "Probabilities",
    "torch": "The cost and its gradient, beside PyTorch",
}
"""Group -> title of the picture of its speeds."""


def draw_speed(group, rows, where):
    """Times faster than the peers: a group's rows that have a target."""
    rows = [
        row
        for row in rows
        if (row["group"], row["unit"]) == (group, "times faster") and row["target"] is not None
    ]
    if not rows:
        return None
    height = 1.6 + 2 * HEIGHT * len(rows)
    figure, axes = plt.subplots(figsize=(9.5, height), layout="constrained")
    axes.axvline(1.0, color="black", linewidth=0.8)
    draw_rows(axes, rows, "Times faster than the peer")
    figure.suptitle(f"{SPEEDS[group]}: speed\n{where}")
    key(figure)
    return figure


def draw_spending(rows, where):
    """Beside the bare products, and memory."""
    products = [row for row in rows if row["unit"] == "times the time" and row["target"]]
    memory = [row for row in rows if row["unit"] == "MiB"]
    panels = [
        (chosen, x_label)
        for chosen, x_label in (
            (products, "Times the time of what it is compared with"),
            (memory, "MiB at the peak"),
        )
        if chosen
    ]
    if not panels:
        return None
    counts = [len(chosen) for chosen, _ in panels]
    height = 1.6 + 0.7 * len(panels) + 2 * HEIGHT * sum(counts)
    figure, axes = plt.subplots(
        len(panels),
        1,
        figsize=(9.5, height),
        squeeze=False,
        height_ratios=counts,
        layout="constrained",
    )
    for panel, (chosen, x_label) in zip(axes.flat, panels, strict=True):
        draw_rows(panel, chosen, x_label)
    figure.suptitle(f"Time beside bare matrix products and fewer rows, and memory\n{where}")
    key(figure)
    return figure


def draw_curves(curves, where):
    """One panel a curve: growth on logarithmic axes, and costs."""
    if not curves:
        return None
    n_rows = -(-len(curves) // 2)
    figure, axes = plt.subplots(
        n_rows, 2, figsize=(9.5, 0.8 + 3.1 * n_rows), squeeze=False, layout="constrained"
    )
    for panel in axes.flat[len(curves) :]:
        panel.axis("off")
    for panel, curve in zip(axes.flat, curves, strict=False):
        grows = curve["y_label"].startswith("Milliseconds")
        for style, (label, values) in zip(STYLES, curve["lines"].items(), strict=False):
            every = None if grows else max(1, len(values) // 8)
            panel.plot(curve["x"], values, color="black", label=label, markevery=every, **style)
        if grows:
            x, y = np.array(curve["x"], float), next(iter(curve["lines"].values()))
            falls = y[-1] < y[0]
            ideal = y[0] * x[0] / x if falls else y[-1] * x / x[-1]
            label = "in inverse proportion" if falls else "in proportion"
            panel.plot(x, ideal, color="0.6", linestyle=":", label=label)
            panel.set(xscale="log", yscale="log")
            if len(x) < 6:
                panel.set_xticks(curve["x"], [f"{n:,}" for n in curve["x"]])
                panel.xaxis.set_minor_locator(plt.NullLocator())
            panel.yaxis.set_major_formatter("{x:g}")
            if falls:
                panel.set_ylim(0.45 * max(y), 1.1 * max(y))
                panel.yaxis.set_minor_formatter("{x:g}")
        else:
            panel.set_yscale("log")
            panel.yaxis.set_major_formatter("{x:g}")
            panel.yaxis.set_minor_formatter("{x:g}")
            panel.yaxis.set_minor_locator(matplotlib.ticker.LogLocator(subs=(2, 5)))
        panel.set(title=curve["title"], xlabel=curve["x_label"], ylabel=curve["y_label"])
        panel.legend(frameon=False)
    figure.suptitle(f"Growth of the time, and what centring brings\n{where}")
    return figure


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="what run.py --json has written")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="where to save the pictures (default: beside FILE)",
    )
    arguments = parser.parse_args()
    found = json.loads(arguments.file.read_text())
    folder = arguments.output or arguments.file.parent
    folder.mkdir(parents=True, exist_ok=True)
    where = f"{found['machine']['CPU']}, {found['machine']['cores']} cores"
    pictures = {
        **{f"speed_{group}": draw_speed(group, found["rows"], where) for group in SPEEDS},
        "spending": draw_spending(found["rows"], where),
        "growth": draw_curves(found["curves"], where),
    }
    for name, figure in pictures.items():
        if figure is not None:
            path = folder / f"{arguments.file.stem}_{name}.png"
            figure.savefig(path)
            plt.close(figure)
            print(f"saved {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
