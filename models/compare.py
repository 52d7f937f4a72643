"""What is compared side by side: up to MOST devices, in the order they were chosen.

The choice is no row anywhere: it stands in the address of the comparison, and in a cookie on the way there.
"""

from collections.abc import Iterable, Sequence

# More columns than these nobody reads on a phone, or on a sheet of paper.
MOST = 4


class TooMany(Exception):
    """Another device was to be compared with MOST already; `chosen` are those."""

    def __init__(self, chosen: Sequence):
        super().__init__(len(chosen))
        self.chosen = chosen


def with_one(chosen: Sequence, one) -> list:
    """`chosen` and `one` beside them; twice is once. Raises TooMany."""
    if one in chosen:
        return list(chosen)
    if len(chosen) >= MOST:
        raise TooMany(chosen)
    return [*chosen, one]


def without(chosen: Iterable, one) -> list:
    return [other for other in chosen if other != one]


def differs(texts: Sequence[str]) -> bool:
    """Whether a row tells its devices apart; what is not known of one of them is told apart as well."""
    return len(set(texts)) > 1
