"""The operator's price list: a CSV file with one row per variant, checked and taken into the catalogue (CAT-7).

docs/catalogue.md describes it for an operator. The file is read twice: once to judge it, once to write what
changed; what is kept of it meanwhile are slugs, SKUs and digests, whatever its size.
"""

import difflib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from operator import attrgetter, itemgetter

from models import cells
from models.base import IS_SQLITE, db
from models.catalogue import Brand, Device, Tariff
from models.catalogue_batch import CatalogueBatch, parts
from models.price_list_columns import (
    LOOK,
    NEEDED,
    OF_DEVICE,
    OF_VARIANT,
    SLUG,
    TARIFF_COLUMN,
    TARIFF_PRICE,
    WITH_TARIFF,
    device_wrong,
    variant_wrong,
)
from models.sheet import BadLine, BadLines, Line, Sheet, line_problems, match_header
from models.shelf import relist
from models.tariff_list import TariffList, load_tariffs

__all__ = ["BadLine", "BadLines", "PriceList", "Report", "TariffList", "load_tariffs"]

# How many bad lines are kept to be shown; the others are counted.
SHOWN = 200
# Raise it when what is made of a row changes: then every device is taken anew.
_EDITION = b"1"
_BATCH = 500
_RELISTED = 500
_VARIANTS_MOST = 200
_KEPT = 2_048
_SLUG_MOST = Device.slug.max_length
# Any number that nothing else in the database locks.
_IMPORT_LOCK = 7_402_017


@dataclass
class Report:
    """What an import did: devices are counted; `variants` are rows written; `bad` the first bad lines."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    delisted: int = 0
    variants: int = 0
    skipped_devices: int = 0
    skipped_lines: int = 0
    tariffs: int = 0
    bad: list[BadLine] = field(default_factory=list)
    bad_count: int = 0
    # No device was taken off the shelf, because lines were skipped.
    complete_refused: bool = False


class PriceList:
    """A price list: a path, or an open binary file that can be read twice.

    `tariffs` may be a TariffList that is taken together with it; its codes count as known.
    """

    def __init__(self, source, tariffs: TariffList | None = None):
        self._sheet = Sheet(source)
        self._tariffs = tariffs

    @property
    def name(self) -> str:
        return self._sheet.name

    def check(self) -> Iterator[BadLine]:
        """Every bad line, one for each of its bad cells; changes nothing.

        In the order of the file, but for `fits` that name nothing: they need the whole file and come last. Raises
        models.sheet.Unreadable, and BadLines for the list of tariffs.
        """
        with self._sheet.opened() as sheet:
            yield from _Judgement(sheet, self._known_codes()).run(lambda share: None)

    def load(
        self,
        now,
        skip_bad: bool = False,
        complete: bool = False,
        progress: Callable[[float], None] | None = None,
    ) -> Report:
        """Take the list into the catalogue in one transaction (CAT-7).

        A device whose rows are those of its last import is not touched. With a bad line nothing is changed and
        BadLines is raised; with `skip_bad` each device with a bad line is left as it is instead. With `complete`,
        devices that the list does not name are no longer shown, unless a line was skipped. `progress` is told the
        share done, 0 to 1. Raises models.sheet.Unreadable, too.
        """
        progress = progress or (lambda share: None)
        with self._sheet.opened() as sheet:
            state = sheet.state()
            judgement, report = self._judged(sheet, skip_bad, lambda share: progress(share * 0.25))
            with db.atomic():
                _one_at_a_time()
                self._write(judgement, report, now, complete, progress)
                if sheet.state() != state:
                    raise BadLines(self.name, [BadLine(1, "", "the file changed while it was read")], 1)
        progress(1.0)
        return report

    def foresee(
        self, skip_bad: bool = False, complete: bool = False, progress: Callable[[float], None] | None = None
    ) -> Report:
        """What `load` would do now, without `variants`; changes nothing, and raises as it does."""
        with self._sheet.opened() as sheet:
            judgement, report = self._judged(sheet, skip_bad, progress or (lambda share: None))
            same, gone, there = self._compared(judgement)
            report.unchanged = len(same)
            report.changed = there - len(same)
            report.added = len(judgement.digests) - there
            report.skipped_devices = len(judgement.bad)
            report.complete_refused = complete and judgement.bad_lines
            report.delisted = len(gone) if complete and not judgement.bad_lines else 0
        return report

    def _judged(self, sheet, skip_bad, progress) -> "tuple[_Judgement, Report]":
        """The first reading; raises BadLines where the list cannot be taken."""
        judgement, report = _Judgement(sheet, self._known_codes()), Report()
        for bad in judgement.run(progress):
            report.bad_count += 1
            if len(report.bad) < SHOWN:
                report.bad.append(bad)
        report.bad.sort(key=attrgetter("line"))
        if report.bad and (judgement.hopeless or not skip_bad):
            raise BadLines(self.name, report.bad, report.bad_count)
        return judgement, report

    @staticmethod
    def _compared(judgement) -> tuple[set[str], list[int], int]:
        """Slugs that are as they were imported, ids of devices that the list does not name, and how many of those
        that it names are there."""
        digests, same, gone, there = judgement.digests, set(), [], 0
        columns = (Device.id, Device.slug, Device.digest, Device.listed)
        for id, slug, digest, listed in Device.select(*columns).tuples().iterator():
            if slug in digests:
                there += 1
                if digests[slug].hex() == digest:
                    same.add(slug)
            elif listed and slug not in judgement.bad:
                gone.append(id)
        return same, gone, there

    def _known_codes(self) -> set[str]:
        codes = {code for (code,) in Tariff.select(Tariff.code).tuples()}
        if self._tariffs:
            bad = list(self._tariffs.check())
            if bad:
                raise BadLines(self._tariffs.name, bad[:SHOWN], len(bad))
            codes |= self._tariffs.codes
        return codes

    def _write(self, judgement, report, now, complete, progress) -> None:
        if self._tariffs:
            report.tariffs = self._tariffs.write()
        same, gone, _ = self._compared(judgement)
        report.unchanged = len(same)

        batch = CatalogueBatch()
        if judgement.bad_lines or len(same) < len(judgement.digests):
            changed = self._changed(judgement, same, report, lambda share: progress(0.25 + share * 0.4))
            while some := list(islice(changed, _BATCH)):
                batch.write(some)
        report.added, report.changed, report.variants = batch.added, batch.changed, batch.variants

        if complete and judgement.bad_lines:
            report.complete_refused = True
        elif complete:
            for some in parts(gone, _BATCH):
                # Without a digest it counts as changed, and is shown again, when a list names it again.
                Device.update(listed=False, digest="").where(Device.id.in_(some)).execute()
            report.delisted = len(gone)
            batch.touched.update(gone)

        # Last, for it locks the catalogue's version, which an order raises that sells out a variant.
        touched = sorted(batch.touched)
        for done, some in enumerate(parts(touched, _RELISTED)):
            progress(0.65 + 0.35 * done * _RELISTED / len(touched))
            relist(some, now)

    def _changed(self, judgement, same, report, progress) -> Iterator["_Device"]:
        """The second reading: the devices to write."""
        columns, size = judgement.columns, self._sheet.size
        report.skipped_devices = len(judgement.bad)
        device = None
        lines = self._sheet.lines()
        next(lines, None)
        for count, line in enumerate(lines):
            if count % 500 == 0:
                progress(line.end / size)
            slug = columns.slug_of(line)
            if device and slug != device.slug:
                yield device
                device = None
            if slug is None or slug in judgement.bad:
                report.skipped_lines += 1
            elif slug not in same:
                device = device or _Device(slug, line.number)
                problems = line_problems(line, columns.names)
                if not problems:
                    columns.take(line, device, problems)
                if problems:  # it was good when it was judged: somebody writes to the file
                    bad = [BadLine(line.number, *problem) for problem in problems.items()]
                    raise BadLines(self.name, bad, len(bad))
        if device:
            yield device


class _Device:
    """The rows of one device, as they come."""

    def __init__(self, slug: str, line: int):
        self.slug, self.line = slug, line
        self.cells: tuple = ()
        self.values: dict = {}
        self.variants: list[dict] = []
        self.digest = hashlib.sha256(_EDITION)
        self.rows = 0
        # What a variant looks like → its line.
        self.looks: dict[tuple, int] = {}
        self.bad = False


class _Columns:
    """Where the columns of one file stand, and how its rows are read."""

    def __init__(self, places: dict[str, int]):
        self.names = list(places)
        self.slug = places["slug"]
        self.sku = places["sku"]
        of_device = [name for name in places if name in OF_DEVICE]
        self._of_device = [(places[name], name, _kept(name, OF_DEVICE)) for name in of_device]
        self._of_variant = [(places[name], name, _kept(name, OF_VARIANT)) for name in places if name in OF_VARIANT]
        self._price = lru_cache(_KEPT)(TARIFF_PRICE)
        self._of_tariff = [
            (places[name], name, *TARIFF_COLUMN.fullmatch(name).groups())
            for name in places
            if TARIFF_COLUMN.fullmatch(name)
        ]
        self._device_cells = itemgetter(*(places[name] for name in of_device))
        self._look = [places[name] for name in LOOK if name in places]
        # By name: a file whose columns were moved about is still the same list.
        self._sorted = sorted(places.items())

    def slug_of(self, line: Line) -> str | None:
        """The slug that a line bears, even one that is bad otherwise; None where it cannot be known."""
        if line.cells is None or len(line.cells) <= self.slug:
            return None
        slug = line.cells[self.slug]
        return slug if SLUG.fullmatch(slug) and len(slug) <= _SLUG_MOST else None

    def take(self, line: Line, device: _Device, problems: dict[str, str]) -> None:
        """Read a row that has all its cells; what is wrong is added to `problems`, one reason per column."""
        row = line.cells
        device.rows += 1
        said = "\x1f".join([f"{name}={row[index]}" for name, index in self._sorted if row[index]])
        device.digest.update(said.encode() + b"\x1e")
        of_device = self._device_cells(row)
        if device.rows == 1:
            device.cells = of_device
            device.values = _read(row, self._of_device, problems)
            _blame(problems, device_wrong(device.values))
        elif of_device != device.cells:
            for (_, name, _), first, here in zip(self._of_device, device.cells, of_device, strict=True):
                if first != here:
                    first, here = cells.shown(first), cells.shown(here)
                    problems.setdefault(name, f"is {here}, but {first} on line {device.line} of the same device")
        values = _read(row, self._of_variant, problems)
        _blame(problems, variant_wrong(values))
        values["prices"] = self._prices(row, device.values.get("kind"), problems)
        twin = device.looks.setdefault(tuple([row[index] for index in self._look]), line.number)
        if twin != line.number:
            problems.setdefault("sku", f"has the colour, storage and memory of line {twin}")
        if device.rows > _VARIANTS_MOST:
            problems.setdefault("slug", f"has more than {_VARIANTS_MOST} variants")
            device.looks.clear()
        device.variants.append(values)

    def _prices(self, row, kind, problems):
        prices = []
        for index, name, contract, code in self._of_tariff:
            if not row[index] or name in problems:
                continue
            if kind and kind not in WITH_TARIFF:
                problems[name] = "must be blank: only phones and tablets are sold with a tariff"
                continue
            try:
                prices.append((contract, code, self._price(row[index])))
            except ValueError as error:
                problems[name] = str(error)
        return prices


class _Judgement:
    """The first reading: what is wrong, and a digest of each device that is good."""

    def __init__(self, sheet: Sheet, codes: set[str]):
        self._sheet, self._codes = sheet, codes
        self.columns: _Columns | None = None
        self.digests: dict[str, bytes] = {}
        # Slugs of devices with a bad line.
        self.bad: set[str] = set()
        self.bad_lines = False
        # Nothing of the file can be taken.
        self.hopeless = False
        self._device: _Device | None = None
        # SKU → which of the rows; and of each row its line and slug.
        self._skus: dict[str, int] = {}
        self._rows: list[tuple[int, str]] = []
        self._brands: dict[str, str] = {}
        # What `fits` names and was not there yet → the line and slug of each device that names it.
        self._open_fits: dict[str, list[tuple[int, str]]] = {}

    def run(self, progress) -> Iterator[BadLine]:
        for bad in self._run(progress):
            self.bad_lines = True
            yield bad
        for slug in self.bad:
            self.digests.pop(slug, None)

    def _run(self, progress):
        lines = self._sheet.lines()
        places, bad = match_header(next(lines, None), NEEDED, self._refusal)
        if bad:
            self.hopeless = True
            yield from bad
            return
        self.columns = _Columns(places)
        self._brands = {name.casefold(): name for (name,) in Brand.select(Brand.name).tuples()}
        size, count, lost = self._sheet.size, 0, False
        for count, line in enumerate(lines, 1):
            if count % 500 == 0:
                progress(line.end / size)
            problems = line_problems(line, self.columns.names)
            slug = self.columns.slug_of(line)
            if slug is None:
                if not problems:
                    _read(line.cells, [(self.columns.slug, "slug", OF_DEVICE["slug"])], problems)
                # It may be a row of the device before it, or of the one after it.
                lost = True
                if self._device:
                    self._device.bad = True
            else:
                if self._device is None or slug != self._device.slug:
                    self._close()
                    self._device = _Device(slug, line.number)
                    self._device.bad = lost
                    lost = False
                    if slug in self.digests or slug in self.bad:
                        problems["slug"] = "came before; the rows of a device must stand together"
                if "" not in problems:
                    self._judge(line, problems)
                self._device.bad |= bool(problems)
            yield from (BadLine(line.number, *problem) for problem in problems.items())
        self._close()
        if not count:
            self.hopeless = True
            yield BadLine(1, "", "the file has no devices")
        yield from self._unknown_fits()

    def _refusal(self, name):
        found = TARIFF_COLUMN.fullmatch(name)
        if found:
            code = cells.shown(found[2])
            return None if found[2] in self._codes else f"there is no tariff {code}; load the tariffs first"
        if name in OF_DEVICE or name in OF_VARIANT:
            return None
        near = difflib.get_close_matches(name, [*OF_DEVICE, *OF_VARIANT], 1)
        return "is no column of a price list" + (f"; is it {near[0]}?" if near else "")

    def _close(self):
        device = self._device
        if device and device.bad:
            self.bad.add(device.slug)
        elif device:
            self.digests[device.slug] = device.digest.digest()

    def _judge(self, line, problems):
        device, sku = self._device, line.cells[self.columns.sku]
        self.columns.take(line, device, problems)
        # Only the second reading needs them.
        device.variants.clear()
        if sku in self._skus:
            number, other = self._rows[self._skus[sku]]
            problems.setdefault("sku", f"is on line {number}, too")
            # Which of the two is right cannot be known.
            self.bad.add(other)
        else:
            self._skus[sku] = len(self._rows)
            self._rows.append((line.number, device.slug))
        if device.rows == 1:
            brand = device.values.get("brand", "")
            known = self._brands.setdefault(brand.casefold(), brand)
            if known != brand:
                problems.setdefault("brand", f"is {cells.shown(brand)}, but {cells.shown(known)} elsewhere")
            for name in device.values.get("fits", ()) if "fits" not in problems else ():
                if not name.startswith("kind:") and not self._sells(name):
                    self._open_fits.setdefault(name, []).append((line.number, device.slug))

    def _sells(self, name):
        if name.startswith("brand:"):
            return name.removeprefix("brand:").casefold() in self._brands
        return name in self.digests or name in self.bad

    def _unknown_fits(self):
        unknown = [name for name in self._open_fits if not self._sells(name)]
        for some in parts(unknown, 5_000):
            there = {slug for (slug,) in Device.select(Device.slug).where(Device.slug.in_(some)).tuples()}
            for name in some:
                if name not in there:
                    why = f"names {cells.shown(name)}, which is neither in the file nor in the shop"
                    for line, slug in self._open_fits[name]:
                        self.bad.add(slug)
                        yield BadLine(line, "fits", why)


def _kept(name, readers):
    """The reader of a column; cells that come again are not read again."""
    return readers[name] if name in ("sku", "slug") else lru_cache(_KEPT)(readers[name])


def _read(row, columns, problems) -> dict:
    values = {}
    for index, name, read in columns:
        cell = row[index]
        if name in problems:
            continue
        if cell:
            try:
                values[name] = read(cell)
            except ValueError as error:
                problems[name] = str(error)
        elif name in NEEDED:
            problems[name] = "is blank"
    return values


def _blame(problems, wrong) -> None:
    # What is said of a cell itself comes before what is said of several.
    for column, reason in wrong:
        problems.setdefault(column, reason)


def _one_at_a_time() -> None:
    """Two imports take turns; on SQLite the transaction sees to it."""
    if not IS_SQLITE:
        db.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_IMPORT_LOCK,))
