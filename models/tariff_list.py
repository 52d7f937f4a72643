"""The operator's tariffs in a CSV file: code, name, price per month, and what is in it."""

from collections.abc import Iterator

from models import cells
from models.base import db
from models.catalogue import CatalogueVersion, Tariff
from models.sheet import BadLine, BadLines, Sheet, line_problems, match_header

COLUMNS = {
    "code": cells.like(r"[A-Za-z0-9][A-Za-z0-9._-]*", "linja-m", Tariff.code.max_length),
    "name": cells.text(Tariff.name.max_length),
    "monthly_price": cells.amount(0),
    "internet_gb": cells.whole(0, 1_000_000),
    "minutes": cells.whole(0, 1_000_000),
    "sms": cells.whole(0, 1_000_000),
    "position": cells.whole(0, 10_000),
}
NEEDED = ("code", "name", "monthly_price")
# Blank, or the word: without limit.
_UNLIMITED = ("internet_gb", "minutes", "sms")


class TariffList:
    """A list of tariffs: a path, or an open binary file."""

    def __init__(self, source):
        self._sheet = Sheet(source)
        self.rows: list[dict] = []

    @property
    def name(self) -> str:
        return self._sheet.name

    @property
    def codes(self) -> set[str]:
        """Those that `check` found."""
        return {row["code"] for row in self.rows if "code" in row}

    def check(self) -> Iterator[BadLine]:
        """Every bad line, one for each bad cell; raises models.sheet.Unreadable. Changes nothing."""
        self.rows = []
        with self._sheet.opened() as sheet:
            lines = sheet.lines()
            places, bad = match_header(
                next(lines, None),
                NEEDED,
                lambda name: None if name in COLUMNS else "is no column of a list of tariffs",
            )
            if bad:
                yield from bad
                return
            names = list(places)
            seen = {}
            for line in lines:
                problems = line_problems(line, names)
                if line.cells is not None and len(line.cells) == len(names):
                    values = _read(line.cells, names, problems)
                    first = seen.setdefault(values.get("code"), line.number)
                    if "code" in values and first != line.number:
                        problems.setdefault("code", f"is on line {first}, too")
                    self.rows.append({"position": len(self.rows), **values})
                yield from (BadLine(line.number, *problem) for problem in problems.items())
            if not self.rows:
                yield BadLine(1, "", "the file has no tariffs")

    def write(self) -> int:
        """Write what `check` read, in the caller's transaction; returns how many tariffs are new or changed.

        Tariffs that the list does not name stay as they are.
        """
        kept = {tariff.code: tariff for tariff in Tariff.select()}
        changed = 0
        for row in self.rows:
            values = {**row, "listed": True}
            tariff = kept.get(row["code"])
            if tariff and all(getattr(tariff, name) == value for name, value in values.items()):
                continue
            changed += 1
            Tariff.insert(**values).on_conflict(
                conflict_target=[Tariff.code],
                preserve=[getattr(Tariff, name) for name in values if name != "code"],
            ).execute()
        if changed:
            CatalogueVersion.next()
        return changed


def load_tariffs(source) -> int:
    """Take a list of tariffs in one transaction; returns how many are new or changed.

    A code that is there already is updated. Raises BadLines, having changed nothing, and
    models.sheet.Unreadable.
    """
    tariffs = TariffList(source)
    bad = list(tariffs.check())
    if bad:
        raise BadLines(tariffs.name, bad, len(bad))
    with db.atomic():
        return tariffs.write()


def _read(row, names, problems):
    values = {}
    for name, cell in zip(names, row, strict=True):
        if name in problems:
            continue
        if name in _UNLIMITED and cell.casefold() in ("", "unlimited"):
            values[name] = None
        elif cell:
            try:
                values[name] = COLUMNS[name](cell)
            except ValueError as error:
                problems[name] = str(error)
        elif name in NEEDED:
            problems[name] = "is blank"
    return values
