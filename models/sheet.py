"""A table in a CSV file, read one line at a time, with the number of every line that cannot be read.

A cell never holds a line break, so each line stands for itself: one that is broken does not spoil the next,
and memory does not grow with the file.
"""

import csv
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

# Bytes; the longest true line of a price list has about 1,500.
LONGEST_LINE = 65_536
# Control characters, and those that nobody sees: they make two texts differ that look the same, or turn a
# name around on the page.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffd]")


class BadLine(NamedTuple):
    """What cannot be taken: the line's number (the header is 1), the column ("" for the line), and why."""

    line: int
    column: str
    reason: str

    def __str__(self):
        return f"{self.line}: {self.column}: {self.reason}" if self.column else f"{self.line}: {self.reason}"


class BadLines(Exception):
    """A file was not taken for its bad lines; nothing was changed (CAT-7).

    `first` are some of them, by line; `count` is how many there are in all; `file` is the file's name.
    """

    def __init__(self, file: str, first: list[BadLine], count: int):
        self.file, self.first, self.count = file, first, count
        super().__init__(f"{file}: {count} bad, the first in line {first[0]}")


class Unreadable(Exception):
    """The file is not there, is no file, or may not be read; the text says which."""


class Line(NamedTuple):
    """`cells` is None where the line cannot be divided; `wrong` are (cell's index or None, reason); `end` is
    the byte after it."""

    number: int
    cells: list[str] | None
    wrong: list[tuple[int | None, str]]
    end: int


class Sheet:
    """A CSV file (a path, or an open binary file that can be read again from its start).

    UTF-8, with or without a byte order mark; separated by commas, or by semicolons as Excel writes where the
    comma stands in decimals.
    """

    def __init__(self, source):
        self._source = source
        named = source if isinstance(source, str | os.PathLike) else getattr(source, "name", "")
        self.name = os.fspath(named) if isinstance(named, str | os.PathLike) else ""
        self._file = None

    @contextmanager
    def opened(self):
        """Open the file once for all its readings; raises Unreadable."""
        if self._file is not None:
            yield self
        elif hasattr(self._source, "read"):
            self._file = self._source
            try:
                yield self
            finally:
                self._file = None
        else:
            with self._open() as self._file:
                try:
                    yield self
                finally:
                    self._file = None

    def _open(self):
        path = Path(self._source)
        try:
            kind = path.stat().st_mode
            if stat.S_ISDIR(kind):
                raise Unreadable(f"{path} is a folder, not a file.")
            if not stat.S_ISREG(kind):
                raise Unreadable(f"{path} is not a plain file; it is read twice, so a pipe will not do.")
            return path.open("rb")
        except FileNotFoundError:
            raise Unreadable(f"There is no file {path}.") from None
        except OSError as error:
            raise Unreadable(f"{path} cannot be read: {error.strerror}.") from None

    @property
    def size(self) -> int:
        """Bytes."""
        here = self._file.tell()
        size = self._file.seek(0, os.SEEK_END)
        self._file.seek(here)
        return size

    def state(self) -> tuple:
        """Differs when the file was written to in between."""
        try:
            state = os.fstat(self._file.fileno())
        except OSError:
            return (self.size,)
        return state.st_size, state.st_mtime_ns

    def lines(self) -> Iterator[Line]:
        """Every line that is not blank, from the first on; the header is the first."""
        file, delimiter, number, end = self._file, "", 0, 0
        file.seek(0)
        while raw := file.readline(LONGEST_LINE + 1):
            number += 1
            end += len(raw)
            if len(raw) > LONGEST_LINE:
                while raw and not raw.endswith(b"\n"):
                    raw = file.readline(LONGEST_LINE)
                    end += len(raw)
                yield Line(number, None, [(None, f"is longer than {LONGEST_LINE:,} bytes")], end)
                continue
            if number == 1:
                if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
                    yield Line(1, None, [(None, "the file is UTF-16; save it as “CSV UTF-8”")], end)
                    return
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            raw = raw.rstrip(b"\r\n")
            try:
                text, damaged = raw.decode(), False
            except UnicodeDecodeError:
                text, damaged = raw.decode(errors="replace"), True
            if not text.isascii():
                # A Mac may write "ë" as two characters.
                text = unicodedata.normalize("NFC", text)
            delimiter = delimiter or (";" if text.count(";") > text.count(",") else ",")
            if '"' in text:
                try:
                    cells = next(csv.reader([text], delimiter=delimiter, strict=True))
                except csv.Error:
                    why = "has a quotation mark that is not closed, or text after one that is"
                    yield Line(number, None, [(None, why)], end)
                    continue
            else:
                cells = text.split(delimiter)
            wrong = _unseen(cells, damaged) if _UNSEEN.search(text) else []
            cells = [cell.strip() for cell in cells]
            if any(cells):
                yield Line(number, cells, wrong, end)


def unseen(text: str) -> str | None:
    """Why a text cannot be a cell's: it has a character that nobody sees; None where it has none."""
    found = _UNSEEN.search(text)
    return found and f"has a character that nobody sees (U+{ord(found[0]):04X})"


def _unseen(cells, damaged):
    wrong = []
    for index, cell in enumerate(cells):
        found = _UNSEEN.search(cell)
        if not found:
            continue
        if found[0] != "\ufffd":
            reason = f"has a character that nobody sees (U+{ord(found[0]):04X})"
        elif damaged:
            reason = "is not written in UTF-8; save the file as “CSV UTF-8”"
        else:
            reason = "has a character that was lost when the file was made (U+FFFD)"
        wrong.append((index, reason))
    return wrong


def match_header(
    line: Line | None, needed, refusal: Callable[[str], str | None]
) -> tuple[dict[str, int], list[BadLine]]:
    """Where each column stands, and what is wrong with the header.

    `needed` are names that must be there; `refusal` says why a name is no good, None where it is.
    """
    if line is None:
        return {}, [BadLine(1, "", "the file is empty")]
    if line.cells is None:
        return {}, [BadLine(line.number, "", reason) for _, reason in line.wrong]
    places, bad = {}, []
    unreadable = dict(line.wrong)
    for index, name in enumerate(line.cells):
        number = f"column {index + 1}"
        if index in unreadable:
            bad.append(BadLine(line.number, number, unreadable[index]))
        elif not name:
            bad.append(BadLine(line.number, number, "has no name"))
        elif name in places:
            bad.append(BadLine(line.number, name[:60], "is there twice"))
        else:
            places[name] = index
            if reason := refusal(name):
                bad.append(BadLine(line.number, name[:60], reason))
    bad += [BadLine(line.number, name, "this column is missing") for name in needed if name not in places]
    return places, bad


def line_problems(line: Line, names: list[str]) -> dict[str, str]:
    """What is wrong with a line before its cells are read, by column ("" for the line)."""
    if line.cells is None:
        return {"": line.wrong[0][1]}
    if len(line.cells) != len(names):
        return {"": f"has {len(line.cells)} cells, the header has {len(names)}"}
    return {names[index]: reason for index, reason in line.wrong}
