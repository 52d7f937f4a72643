"""Tables as CSV files, as table programs open them: UTF-8 with its mark, and no cell is a formula."""

import csv
import io
import re
from collections.abc import Iterable

from flask import Response

# What a table program would take for a formula.
_FORMULA = re.compile(r"\A[=+\-@\t\r]")


def csv_line(cells: Iterable) -> str:
    """One line; text that would be a formula gets an apostrophe, numbers stay numbers."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(
        [cell if isinstance(cell, int) else _FORMULA.sub(r"'\g<0>", str(cell)) for cell in cells]
    )
    return text.getvalue()


def csv_file(name: str, lines: Iterable[Iterable]) -> Response:
    """The answer with the file `name`.csv; the first of `lines` is its head. The lines are sent as they are made."""
    # A mark first, by which table programs know that it is UTF-8.
    response = Response(_marked(lines), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _marked(lines):
    mark = "\ufeff"
    for cells in lines:
        yield mark + csv_line(cells)
        mark = ""
