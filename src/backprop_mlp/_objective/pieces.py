"""Long vectors in pieces that stay in a core's cache, for what is done entry by entry.

Several passes over vectors of a million parameters wait for memory: each reads from there what
the one before has written. Piece by piece they wait once. No bit depends on where they are cut.
"""

ENTRIES_AT_ONCE = 32_768
"""Parameters of a piece. On networks of 500,000 to 2 million parameters pieces half and twice as
long took about as much time; calling NumPy for a piece costs little beside computing it."""


def pieces(n_entries):
    """Slices of at most `ENTRIES_AT_ONCE` entries, from the first to the last."""
    starts = range(0, n_entries, ENTRIES_AT_ONCE)
    return [slice(start, start + ENTRIES_AT_ONCE) for start in starts]
