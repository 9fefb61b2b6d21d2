"""Measure how fast training and prediction are, and how much memory they take.

Every figure is a ratio to a peer measured in the same run (or a size, or a time
beyond the peer's): the median over repeats in which the sides take turns, all of
them warmed up. The number in brackets behind a side is its number of BLAS threads.
Close other programs first: the machine's load is printed above the table.
"""

import argparse
import json
import os
import platform
import sys
import warnings
from dataclasses import asdict
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from _data import Options, add_data_option
from _measure import Curve, blas
from sklearn.exceptions import ConvergenceWarning

GROUPS = {
    "evaluation": "evaluations",
    "fit": "fits",
    "wide": "wide",
    "centring": "centring",
    "evaluations_to_cost": "evaluations_to_cost",
    "prediction": "predictions",
    "growth": "growth",
    "memory": "memory",
    "import": "imports",
    "dask": "dask_fits",
    "torch": "torch_peer",
}
"""Name on the command line -> module whose ``measure`` yields its rows and curves."""


def machine():
    """What the figures depend on, as a dictionary."""
    packages = ("backprop-mlp", "scikit-learn", "numpy", "scipy", "threadpoolctl", "torch")
    return {
        "CPU": _cpu_model(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "load before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "Python": platform.python_version(),
        **{name: _version(name) for name in packages},
        "BLAS": sorted(
            {
                f"{library['internal_api']} {library['version']} "
                f"({library.get('architecture')}, {library['num_threads']} threads)"
                for library in blas().info()
            }
        ),
    }


def _cpu_model():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def print_machine(described):
    """One line a fact."""
    for name, value in described.items():
        print(f"{name + ':':15}{', '.join(value) if isinstance(value, list) else value}")


def print_row(row):
    """One line of the table."""
    target = verdict = ""
    if row.target is not None:
        target = f"{'>=' if row.at_least else '<='} {row.target:g}"
        verdict = "reached" if row.met else "MISSED"
    spread = f"{row.figure:8.3g} ({row.low:.3g} to {row.high:.3g})"
    print(
        f"{row.what:44} {row.against:50} {spread:28} {row.unit:18} {target:8} {verdict}", flush=True
    )
    if row.detail:
        print(f"    {row.detail}", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "groups", nargs="*", metavar="GROUP", help=f"which of {', '.join(GROUPS)} (default: all)"
    )
    parser.add_argument("--repeats", type=int, help="repeats of every measurement")
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="share of the rows of every data set, to try things out (default: %(default)s)",
    )
    parser.add_argument(
        "--map-gib",
        type=float,
        default=4.0,
        help="size of the memory-mapped file in GiB (default: %(default)s)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    add_data_option(parser)
    arguments = parser.parse_args()
    if unknown := [group for group in arguments.groups if group not in GROUPS]:
        parser.error(f"no such group: {', '.join(unknown)}; choose from {', '.join(GROUPS)}")
    options = Options(arguments.repeats, arguments.scale, arguments.ex4_data, arguments.map_gib)
    # Many fits end at max_iter: their number of iterations is part of the comparison.
    warnings.simplefilter("ignore", ConvergenceWarning)

    described = machine()
    print_machine(described)
    rows, curves = [], []
    for group in arguments.groups or GROUPS:
        print(f"\n=== {group}")
        for found in import_module(GROUPS[group]).measure(options):
            if isinstance(found, Curve):
                curves.append(found)
            else:
                rows.append(found)
                print_row(found)
    missed = [row for row in rows if row.met is False]
    asked = [row for row in rows if row.met is not None]
    print(f"\n{len(asked) - len(missed)} of {len(asked)} targets reached")
    if arguments.json:
        figures = {
            "machine": described,
            "rows": [asdict(row) | {"met": row.met} for row in rows],
            "curves": [asdict(curve) for curve in curves],
        }
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
