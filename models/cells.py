"""What a cell of an operator's table may hold.

Each function makes a reader for one sort of cell: it takes the text of a cell that is not blank and returns
what it says, or raises ValueError with the reason in words that stand after the column's name.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import config
from models.money import MINOR, STEP, to_minor

# A price is a 32-bit integer in the database.
_MOST_MINOR = 2**31 - 1


def shown(cell: str) -> str:
    """A cell as a message quotes it: short, and without anything that a terminal obeys."""
    text = cell[:40] + ("…" if len(cell) > 40 else "")
    return f"“{text}”" if text.isprintable() else f"“{ascii(text)[1:-1]}”"


def text(longest: int) -> Callable[[str], str]:
    """Any text of at most `longest` characters."""

    def read(cell):
        if len(cell) > longest:
            raise ValueError(f"has {len(cell)} characters, at most {longest} fit")
        return cell

    return read


def like(pattern: str, example: str, longest: int) -> Callable[[str], str]:
    """Text of a form, with an example for those who miss it."""
    short, whole = text(longest), re.compile(pattern)

    def read(cell):
        if not whole.fullmatch(short(cell)):
            raise ValueError(f"must look like {example}, not {shown(cell)}")
        return cell

    return read


def one_of(*values: str) -> Callable[[str], str]:
    """One of a few words."""
    allowed = frozenset(values)

    def read(cell):
        if cell not in allowed:
            raise ValueError(f"must be {', '.join(values[:-1])} or {values[-1]}, not {shown(cell)}")
        return cell

    return read


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number, without separators."""

    def read(cell):
        if not re.fullmatch(r"-?[0-9]{1,15}", cell):
            raise ValueError(f"must be a whole number in digits alone, such as 12990, not {shown(cell)}")
        if not low <= int(cell) <= high:
            raise ValueError(f"must be from {low} to {high}, not {cell}")
        return int(cell)

    return read


def number(low: float, high: float) -> Callable[[str], int | float]:
    """A number that may have a fraction; an int where it has none."""

    def read(cell):
        if not re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,4})?", cell):
            raise ValueError(f"must be a number such as 6 or 6.7, with a point, not {shown(cell)}")
        value = float(cell)
        if not low <= value <= high:
            raise ValueError(f"must be from {low:g} to {high:g}, not {cell}")
        return int(value) if value.is_integer() else value

    return read


def amount(least: int) -> Callable[[str], int]:
    """An amount of at least `least` units of the currency, returned in minor units (LOC-2): whole units, or with
    hundredths where people reckon with those."""
    units = whole(least, _MOST_MINOR // MINOR)
    if STEP == MINOR:
        return lambda cell: to_minor(units(cell))

    def read(cell):
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,2})?", cell):
            raise ValueError(f"must be an amount such as 129 or 12.90, with a point, not {shown(cell)}")
        major, _, part = cell.partition(".")
        minor = to_minor(int(major)) + int(part.ljust(2, "0") or 0)
        if not to_minor(least) <= minor <= _MOST_MINOR:
            raise ValueError(f"must be from {least} to {_MOST_MINOR // MINOR}, not {cell}")
        return minor

    return read


def month(cell: str) -> int:
    """A month as yyyymm: "2025-03" → 202503."""
    if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", cell):
        raise ValueError(f"must be a year and a month such as 2025-03, not {shown(cell)}")
    return int(cell.replace("-", ""))


def colour(cell: str) -> str:
    """#rrggbb, in lower case."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", cell):
        raise ValueError(f"must be # and six hexadecimal digits such as #2c2c2f, not {shown(cell)}")
    return cell.lower()


def colours(count: int) -> Callable[[str], str]:
    """So many colours with one space between."""

    def read(cell):
        if len(cell.split()) != count:
            raise ValueError(f"must be {count} colours with spaces between, not {shown(cell)}")
        return " ".join(map(colour, cell.split()))

    return read


def moment(cell: str) -> datetime | tuple[datetime, datetime]:
    """A moment in UTC; for a day its first moment and the one after its last, in the shop's zone (LOC-3)."""
    zone = ZoneInfo(config.TIMEZONE)
    try:
        if not re.match(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}", cell):
            raise ValueError
        read = datetime.fromisoformat(cell)
    except ValueError:
        raise ValueError(f"must be a day or a moment such as 2025-11-03T09:00, not {shown(cell)}") from None
    if len(cell) == 10:
        return tuple(day.replace(tzinfo=zone).astimezone(UTC) for day in (read, read + timedelta(days=1)))
    return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
