"""Categories that are too rare for a column of their own, and a warning where most are."""

import warnings
from collections import Counter
from reprlib import repr as shortened

from .columns import categories_of, named_columns, words_of

MAX_CATEGORIES = 30
"""Columns that a column of categories becomes, at most; the rarest share the last one."""

MIN_FREQUENCY = 3
"""Rows that a category must have for a column of its own."""

MAX_RARE_SHARE = 0.5
"""Share of the rows above which rare categories are worth a warning."""

MAX_NAMED = 3
"""Columns that the warning names."""


def categories_of_training(X):
    """The columns that hold categories, as `categories_of` gives them, for training.

    Numbers and dates that come as words would say nothing, in silence: one "?" among the numbers
    of a file is enough to make words of all.

    Warns
    -----
    UserWarning
        If most rows of a column hold rare categories, which share a column.
    """
    chosen = categories_of(X)
    columns = named_columns(X)
    by_name = dict(columns)
    pairs = [(key, by_name[key]) if isinstance(key, str) else columns[key] for key in chosen]
    found = [(name, _rare_one(words_of(name, column))) for name, column in pairs]
    if examples := {name: word for name, word in found if word is not None}:
        _warn(examples)
    return chosen


def _rare_one(words):
    """A rare category of a column, or None if no more than half of the rows hold one."""
    counts = Counter(word for word in words if word is not None)
    frequent = sum(count >= MIN_FREQUENCY for count in counts.values())
    if frequent < len(counts) or frequent > MAX_CATEGORIES:
        frequent = min(frequent, MAX_CATEGORIES - 1)
    rare = counts.most_common()[frequent:]
    return rare[0][0] if sum(count for _, count in rare) > MAX_RARE_SHARE * len(words) else None


def _warn(examples):
    """Say which columns, with the beginning and end of a category, and what to do."""
    names = list(examples)
    listed = ", ".join(map(repr, names[:MAX_NAMED]))
    if len(names) > MAX_NAMED:
        listed += f" and {len(names) - MAX_NAMED} more"
    columns = "column" if len(names) == 1 else "columns"
    example = shortened(examples[names[0]])
    warnings.warn(
        f"Most rows of {columns} {listed} hold categories, such as {example}, that fewer than "
        f"{MIN_FREQUENCY} rows have, or that are not among the {MAX_CATEGORIES - 1} most frequent. "
        "With the encoder of make_tabular_classifier and make_tabular_regressor they share a "
        "column, which hardly tells anything. If they are numbers or dates in words, convert them "
        "before, as pandas.to_numeric(..., errors='coerce') does; else group them, or drop the "
        f"{columns}.",
        UserWarning,
        stacklevel=2,
    )
