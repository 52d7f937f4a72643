"""The operator's price list: a CSV file with one row per variant, checked and taken into the catalogue (CAT-7).

docs/catalogue.md describes the columns for an operator.
"""

import difflib
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import itemgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

import config
from models import drawing
from models.base import IS_SQLITE, db
from models.catalogue import (
    KINDS,
    SEGMENTS,
    Brand,
    CatalogueVersion,
    Device,
    Gift,
    Promotion,
    Tariff,
    TariffPrice,
    Variant,
)
from models.money import MINOR, to_minor
from models.sheet import BadLine, BadLines, Sheet, match_header, shown
from models.shelf import relist

# How many bad lines are kept to be shown; the others are counted.
SHOWN = 200
# Raise it when what is made of a row changes: then every device is taken anew.
EDITION = "1"
FAMILIES = (
    "black white grey silver blue green red pink purple yellow orange gold brown"  # the shop's colour filter
).split()
_BATCH = 500
_RELISTED = 2_000
_VARIANTS_MOST = 200
_MAX = 2**31 - 1
# Any number that no other part of the shop locks.
_IMPORT_LOCK = 7_402_017


# What a cell may hold: each reads a cell that is not blank, or raises ValueError with the reason.


def _text(longest: int, cell: str) -> str:
    if len(cell) > longest:
        raise ValueError(f"has {len(cell)} characters, at most {longest} fit")
    return cell


def _like(pattern: str, example: str, longest: int) -> Callable:
    whole = re.compile(pattern)

    def read(cell):
        if not whole.fullmatch(cell):
            raise ValueError(f"must look like {example}, not {shown(cell)}")
        return _text(longest, cell)

    return read


def _one_of(*values: str) -> Callable:
    allowed = frozenset(values)

    def read(cell):
        if cell not in allowed:
            raise ValueError(f"must be {', '.join(values[:-1])} or {values[-1]}, not {shown(cell)}")
        return cell

    return read


def _whole(low: int, high: int) -> Callable:
    def read(cell):
        if not re.fullmatch(r"-?[0-9]{1,15}", cell):
            raise ValueError(f"must be a whole number in digits alone, such as 12990, not {shown(cell)}")
        if not low <= int(cell) <= high:
            raise ValueError(f"must be from {low} to {high}, not {cell}")
        return int(cell)

    return read


def _number(low: float, high: float) -> Callable:
    def read(cell):
        if not re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,4})?", cell):
            raise ValueError(f"must be a number such as 6 or 6.7, with a point, not {shown(cell)}")
        value = float(cell)
        if not low <= value <= high:
            raise ValueError(f"must be from {low:g} to {high:g}, not {cell}")
        return int(value) if value.is_integer() else value

    return read


def _money(least: int) -> Callable:
    amount = _whole(least, _MAX // MINOR)
    return lambda cell: to_minor(amount(cell))


def _month(cell: str) -> int:
    if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", cell):
        raise ValueError(f"must be a year and a month such as 2025-03, not {shown(cell)}")
    return int(cell.replace("-", ""))


def _hex(cell: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", cell):
        raise ValueError(f"must be # and six hexadecimal digits such as #2c2c2f, not {shown(cell)}")
    return cell.lower()


def _shades(cell: str) -> str:
    shades = cell.split()
    if len(shades) != 3:
        raise ValueError(f"must be three colours with spaces between, not {shown(cell)}")
    return " ".join(map(_hex, shades))


def _photo(cell: str) -> str:
    if "/" in cell or "\\" in cell:
        raise ValueError("must be a file's name alone, without a folder")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*\.(jpe?g|png|webp|avif)", cell):
        raise ValueError(
            f"must be a name of letters, digits, . _ - that ends in .jpg, .png, .webp or .avif, not {shown(cell)}"
        )
    return _text(_longest(Variant.photo), cell)


def _fits(cell: str) -> list[str]:
    fits = cell.split()
    for name in fits:
        group, _, what = name.partition(":")
        if group == "kind" and what not in KINDS:
            raise ValueError(f"names the kind {shown(what)}; there are {', '.join(KINDS)}")
        if not (group in ("kind", "brand") and what) and not re.fullmatch(_SLUG, name):
            raise ValueError(f"must name slugs, kind:… or brand:…, not {shown(name)}")
    return list(dict.fromkeys(fits))


def _moment(cell: str) -> datetime | tuple[datetime, datetime]:
    """A moment in UTC; for a day its beginning and its end in the shop's time zone."""
    zone = ZoneInfo(config.TIMEZONE)
    try:
        if not re.match(r"20[0-9]{2}-", cell):
            raise ValueError
        if len(cell) == 10:
            day = datetime.fromisoformat(cell)
            return tuple(d.replace(tzinfo=zone).astimezone(UTC) for d in (day, day + timedelta(days=1)))
        moment = datetime.fromisoformat(cell)
    except ValueError:
        raise ValueError(f"must be a day or a moment such as 2025-11-03T09:00, not {shown(cell)}") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _longest(model_field) -> int:
    return model_field.max_length


def _name_of(model_field) -> Callable:
    return partial(_text, _longest(model_field))


_SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"
_SKU = _like(r"[A-Za-z0-9][A-Za-z0-9._/-]*", "SAM-S25-BLU-128", _longest(Variant.sku))
_MEGAPIXELS = _like(r"[0-9]+(\.[0-9]+)?( ?\+ ?[0-9]+(\.[0-9]+)?)*", "50+12+10", 40)
_LANGUAGES = ("sq", "mk", "en")

FACTS = {
    "screen_in": _number(0.5, 40),
    "screen_tech": partial(_text, 60),
    "screen_px": _like(r"[0-9]{2,5} ?[x×] ?[0-9]{2,5}", "1080x2340", 20),
    "refresh_hz": _whole(1, 1000),
    "chipset": partial(_text, 80),
    "rear_mp": _MEGAPIXELS,
    "front_mp": _MEGAPIXELS,
    "battery_mah": _whole(1, 100_000),
    "charging_w": _number(0.1, 1000),
    "network": _one_of("5G", "4G", "3G", "2G", "none"),
    "sim": partial(_text, 60),
    "os": partial(_text, 20),
    "os_version": partial(_text, 30),
    "size_mm": _like(r"[0-9]+(\.[0-9]+)?( ?[x×] ?[0-9]+(\.[0-9]+)?){1,2}", "147.6x71.6x7.8", 40),
    "weight_g": _number(0.1, 100_000),
    "water": partial(_text, 20),
    "bluetooth": _like(r"[0-9](\.[0-9])?", "5.3", 4),
    "in_box": partial(_text, 200),
    "power_w": _number(0.1, 10_000),
    "capacity_mah": _whole(1, 1_000_000),
    "length_m": _number(0.01, 100),
    "battery_hours": _number(0.1, 100_000),
}
# Columns that say the same on every row of a device.
DEVICE_COLUMNS = {
    "kind": _one_of(*KINDS),
    "brand": _name_of(Brand.name),
    "slug": _like(_SLUG, "samsung-galaxy-s25", _longest(Device.slug)),
    **{f"name_{language}": _name_of(Device.name_sq) for language in _LANGUAGES},
    **{f"note_{language}": _name_of(Device.note_sq) for language in _LANGUAGES},
    "released": _month,
    "popularity": _whole(0, 1_000_000),
    "warranty_months": _whole(0, 120),
    **FACTS,
    "draw_kind": _one_of(*drawing.KINDS),
    "draw_camera": partial(_text, 20),
    "draw_hole": _one_of(*drawing.HOLES),
    "fits": _fits,
    **{f"gift_{language}": _name_of(Gift.name_sq) for language in _LANGUAGES},
    "gift_sku": _like(r"[A-Za-z0-9][A-Za-z0-9._/-]*", "SAM-BFE-GRAFIT", _longest(Gift.sku)),
    "gift_stock": _whole(0, 1_000_000),
}
VARIANT_COLUMNS = {
    "sku": _SKU,
    **{f"colour_{language}": _name_of(Variant.colour_sq) for language in _LANGUAGES},
    "colour_hex": _hex,
    "colour_family": _one_of(*FAMILIES),
    "storage_gb": _whole(1, 100_000),
    "ram_gb": _whole(1, 10_000),
    "price": _money(1),
    "stock": _whole(0, 1_000_000),
    "draw_screen": _shades,
    "photo": _photo,
    "promo_percent": _whole(1, 90),
    "promo_price": _money(1),
    "promo_from": _moment,
    "promo_until": _moment,
    "promo_segment": _one_of(*SEGMENTS),
}
# Cells that may not be blank; their columns must be there. The other columns may be left out.
NEEDED = [
    "sku",
    "kind",
    "brand",
    "slug",
    "name_sq",
    "name_mk",
    "name_en",
    "released",
    "colour_hex",
    "colour_family",
    "price",
    "stock",
]
_tariff_price = _money(0)
_TARIFF_COLUMN = re.compile(r"(besnik24|new_number):(.+)")
_WITH_TARIFF = ("phone", "tablet")


@dataclass
class Report:
    """What an import did. Devices are counted, `variants` are the rows written, `bad` the first bad lines."""

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
    # Devices were not taken off the shelf because lines were skipped.
    complete_refused: bool = False


class _Rows(NamedTuple):
    """Where the columns of one file stand."""

    width: int
    places: dict[str, int]
    device: list[tuple[int, str, Callable]]
    variant: list[tuple[int, str, Callable]]
    # (index, column, contract type, tariff code)
    prices: list[tuple[int, str, str, str]]
    device_cells: Callable
    # Sorted by name: a file whose columns are moved about is still the same list.
    named: list[tuple[str, int]]


@dataclass(slots=True)
class _Group:
    """The rows of one device, as they come."""

    slug: str
    cells: tuple
    line: int
    values: dict
    digest: object
    variants: list = field(default_factory=list)
    alike: dict = field(default_factory=dict)
    rows: int = 0
    bad: bool = False


class _Judged:
    """What the first reading learned: small keys only, whatever the file's size."""

    def __init__(self):
        self.digests: dict[str, bytes] = {}
        self.bad: set[str] = set()
        self.orphans = 0
        self.first: list[BadLine] = []
        self.count = 0
        self.header_bad = False

    def add(self, bad: BadLine) -> None:
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(bad)


class PriceList:
    """A price list in a file: a path, or an open binary file that can be read twice.

    `tariffs` may be a TariffList that is taken together with it; its codes count as known.
    """

    def __init__(self, source, tariffs: "TariffList | None" = None):
        self._sheet = Sheet(source)
        self._tariffs = tariffs

    @property
    def name(self) -> str:
        return self._sheet.name

    def check(self) -> Iterator[BadLine]:
        """Every bad line, one for each of its bad cells, nearly in the order of the file (what needs the whole file,
        as `fits` does, comes last); raises models.sheet.Unreadable. Changes nothing."""
        with self._sheet.opened():
            yield from self._judge(_Judged(), lambda share: None)

    def load(
        self,
        now,
        skip_bad: bool = False,
        complete: bool = False,
        progress: Callable[[float], None] | None = None,
    ) -> Report:
        """Take the list into the catalogue in one transaction (CAT-7).

        A device whose rows are those of its last import is not touched. With a bad line nothing is changed and
        BadLines is raised; with `skip_bad` each device with a bad line is left as it is. With `complete`, devices
        that the list does not name are no longer shown, unless a line was skipped. `progress` is told the share
        done, 0 to 1. Raises models.sheet.Unreadable.
        """
        progress = progress or (lambda share: None)
        with self._sheet.opened() as sheet:
            state = sheet.state()
            judged = _Judged()
            for bad in self._judge(judged, lambda share: progress(share * 0.25)):
                judged.add(bad)
            judged.first.sort()
            if judged.count and (not skip_bad or judged.header_bad):
                raise BadLines(self.name, judged.first, judged.count)
            with db.atomic():
                _one_at_a_time()
                report = self._write(judged, now, complete, progress)
                if sheet.state() != state:
                    raise BadLines(self.name, [BadLine(1, "", "the file was changed while it was read")], 1)
        report.bad, report.bad_count = judged.first, judged.count
        progress(1.0)
        return report

    # The first reading: what is wrong, and the digest of each device.

    def _judge(self, judged: _Judged, progress) -> Iterator[BadLine]:
        if self._tariffs:
            bad = list(self._tariffs.check())
            if bad:
                raise BadLines(self._tariffs.name, bad[:SHOWN], len(bad))
        lines = self._sheet.lines()
        rows, bad = self._rows(next(lines, None))
        if bad:
            judged.header_bad = True
            yield from bad
            return
        size = self._sheet.size or 1
        row = 0
        group: _Group | None = None
        spoilt_next = False
        # SKU → which row; of each row its line and slug.
        skus: dict[str, int] = {}
        where: list[tuple[int, str]] = []
        brands = {name.casefold(): name for (name,) in Brand.select(Brand.name).tuples()}
        sold: set[str] = set()
        # What `fits` names and no row has named yet → the lines that name it.
        open_fits: dict[str, list[tuple[int, str]]] = {}

        def close():
            if group.bad:
                judged.bad.add(group.slug)
            else:
                judged.digests.setdefault(group.slug, group.digest.digest())

        for line in lines:
            row += 1
            if row % 500 == 0:
                progress(line.end / size)
            problems = self._of_line(line, rows)
            slug = self._slug(line.cells, rows)
            if slug is None:
                # It may belong to the device before it or to the one after it.
                judged.orphans += 1
                if group:
                    group.bad = True
                spoilt_next = True
                problems = problems or [("slug", "is blank" if not line.cells[rows.places["slug"]] else "is none")]
                yield from (BadLine(line.number, *problem) for problem in problems)
                continue
            if group is None or slug != group.slug:
                if group:
                    close()
                again = slug in judged.digests or slug in judged.bad
                group = _Group(slug, (), line.number, {}, hashlib.sha256(EDITION.encode()))
                if again:
                    judged.bad.add(slug)
                    problems.append(("slug", "came before; the rows of a device must stand together"))
                group.bad = spoilt_next
                spoilt_next = False
                judged.digests.setdefault(slug, b"") if group.bad else None
            if line.cells is not None and len(line.cells) == rows.width:
                self._take(group, line, rows, problems)
                sku = line.cells[rows.places["sku"]]
                if sku in skus:
                    number, other = where[skus[sku]]
                    problems.append(("sku", f"is on line {number}, too"))
                    judged.bad.add(other)
                elif sku:
                    skus[sku] = len(where)
                    where.append((line.number, slug))
                if group.rows == 1:
                    self._of_brand(group, brands, sold, problems)
                    self._of_fits(group, line.number, judged, sold, open_fits, brands)
            if problems:
                group.bad = True
                yield from (BadLine(line.number, *problem) for problem in dict.fromkeys(problems))
            # The rows themselves are not needed here.
            group.variants.clear()
        if group:
            close()
        elif not judged.orphans:
            judged.header_bad = True
            yield BadLine(1, "", "the file has no devices")
        yield from self._unknown_fits(judged, open_fits, sold)
        judged.digests = {slug: digest for slug, digest in judged.digests.items() if slug not in judged.bad}

    def _rows(self, header) -> tuple[_Rows | None, list[BadLine]]:
        codes = {code for (code,) in Tariff.select(Tariff.code).tuples()}
        if self._tariffs:
            codes |= self._tariffs.codes
        known = {**DEVICE_COLUMNS, **VARIANT_COLUMNS}

        def allowed(name):
            found = _TARIFF_COLUMN.fullmatch(name)
            if found:
                return None if found[2] in codes else f"there is no tariff {shown(found[2])}"
            if name in known:
                return None
            near = difflib.get_close_matches(name, known, 1)
            return "is no column of a price list" + (f"; is it {near[0]}?" if near else "")

        places, bad = match_header(header, NEEDED, allowed)
        if bad:
            return None, bad
        in_device = [(index, name, DEVICE_COLUMNS[name]) for name, index in places.items() if name in DEVICE_COLUMNS]
        tariffs = [
            (index, name, *_TARIFF_COLUMN.fullmatch(name).groups()) for name, index in places.items() if ":" in name
        ]
        return (
            _Rows(
                width=len(header.cells),
                places=places,
                device=in_device,
                variant=[
                    (index, name, VARIANT_COLUMNS[name]) for name, index in places.items() if name in VARIANT_COLUMNS
                ],
                prices=tariffs,
                device_cells=itemgetter(*(index for index, _, _ in in_device)),
                named=sorted(places.items()),
            ),
            [],
        )

    @staticmethod
    def _of_line(line, rows):
        if line.cells is None:
            return [("", reason) for _, reason in line.wrong]
        if len(line.cells) != rows.width:
            return [("", f"has {len(line.cells)} cells, the header has {rows.width}")]
        names = {index: name for name, index in rows.places.items()} if line.wrong else {}
        return [(names[index], reason) for index, reason in line.wrong]

    @staticmethod
    def _slug(cells, rows):
        place = rows.places["slug"]
        if cells is None or len(cells) <= place or not re.fullmatch(_SLUG, cells[place]):
            return None
        return cells[place] if len(cells[place]) <= _longest(Device.slug) else None

    @staticmethod
    def _take(group: _Group, line, rows: _Rows, problems) -> None:
        """Read a row of the right width into its group; what is wrong is added to `problems`."""
        cells = line.cells
        group.rows += 1
        group.digest.update(
            "\x1f".join([f"{name}={cells[index]}" for name, index in rows.named if cells[index]]).encode() + b"\x1e"
        )
        told = {column for column, _ in problems}
        of_device = rows.device_cells(cells)
        if group.rows == 1:
            group.cells = of_device
            group.values = _read(cells, rows.device, told, problems)
            problems += [wrong for wrong in _device_wrong(group.values) if wrong[0] not in told]
        elif of_device != group.cells:
            for (_, name, _), first, here in zip(rows.device, group.cells, of_device, strict=True):
                if first != here:
                    problems.append(
                        (
                            name,
                            f"is {shown(here)}, but {shown(first)} on line {group.line} of the same device",
                        )
                    )
        values = _read(cells, rows.variant, told, problems)
        problems += [wrong for wrong in _variant_wrong(values) if wrong[0] not in told]
        prices = []
        sold_alone = group.values.get("kind") not in _WITH_TARIFF
        for index, name, contract, code in rows.prices:
            if cells[index]:
                if sold_alone and "kind" in group.values:
                    problems.append((name, "only phones and tablets are sold with a tariff"))
                    continue
                try:
                    prices.append((contract, code, _tariff_price(cells[index])))
                except ValueError as error:
                    problems.append((name, str(error)))
        values["prices"] = prices
        look = tuple(cells[rows.places[name]] for name in _LOOK if name in rows.places)
        twin = group.alike.setdefault(look, line.number)
        if twin != line.number:
            problems.append(("sku", f"is the same colour, storage and memory as line {twin}"))
        if group.rows > _VARIANTS_MOST:
            problems.append(("slug", f"has more than {_VARIANTS_MOST} variants"))
            group.alike.clear()
        group.variants.append(values)

    @staticmethod
    def _of_brand(group, brands, sold, problems):
        brand = group.values.get("brand")
        if brand:
            known = brands.setdefault(brand.casefold(), brand)
            if known != brand:
                problems.append(("brand", f"is {shown(brand)} here and {shown(known)} elsewhere"))
            sold.add("brand:" + brand.casefold())

    @staticmethod
    def _of_fits(group, line, judged, sold, open_fits, brands):
        for name in group.values.get("fits", ()):
            if name.startswith("kind:"):
                continue
            if name.startswith("brand:"):
                name = name.casefold()
                if name.removeprefix("brand:") in brands:
                    continue
            elif name == group.slug or name in judged.digests or name in judged.bad:
                continue
            open_fits.setdefault(name, []).append((line, group.slug))

    @staticmethod
    def _unknown_fits(judged, open_fits, sold):
        left = [
            name for name in open_fits if name not in sold and name not in judged.digests and name not in judged.bad
        ]
        unknown = set(left)
        for some in _parts(left, 10_000):
            unknown.difference_update(
                slug for (slug,) in Device.select(Device.slug).where(Device.slug.in_(some)).tuples()
            )
        for name in left:
            if name in unknown:
                for line, slug in open_fits[name]:
                    judged.bad.add(slug)
                    yield BadLine(line, "fits", f"names {shown(name)}, which is neither in the file nor in the shop")

    # The second reading: what changed is written.

    def _write(self, judged: _Judged, now, complete, progress) -> Report:
        report = Report()
        tariffs = self._tariffs.write() if self._tariffs else 0
        report.tariffs = tariffs
        same = set()
        gone = []
        for number, slug, digest, listed in (
            Device.select(Device.id, Device.slug, Device.digest, Device.listed).tuples().iterator()
        ):
            ours = judged.digests.get(slug)
            if ours is not None and ours.hex() == digest:
                same.add(slug)
            elif ours is None and listed:
                gone.append(number)
        report.unchanged = len(same)
        writer = _Writer(report)
        if len(same) < len(judged.digests) or judged.count:
            batch = []
            for group in self._changed(judged, same, report, lambda share: progress(0.25 + share * 0.4)):
                batch.append(group)
                if len(batch) == _BATCH:
                    writer.write(batch)
                    batch = []
            if batch:
                writer.write(batch)
        if complete and judged.count:
            report.complete_refused = True
        elif complete:
            for some in _parts(gone, _BATCH):
                # Without its digest it counts as changed, and is shown again, when a list names it again.
                report.delisted += Device.update(listed=False, digest="").where(Device.id.in_(some)).execute()
            writer.touched.update(gone)
        touched = sorted(writer.touched)
        for done, some in enumerate(_parts(touched, _RELISTED)):
            relist(some, now)
            progress(0.65 + 0.35 * min(1, (done + 1) * _RELISTED / len(touched)))
        if tariffs and not touched:
            CatalogueVersion.next()
        return report

    def _changed(self, judged, same, report, progress) -> Iterator[_Group]:
        lines = self._sheet.lines()
        rows, bad = self._rows(next(lines, None))
        if bad:
            raise BadLines(self.name, bad, len(bad))
        size = self._sheet.size or 1
        report.skipped_devices = len(judged.bad)
        group = None
        for row, line in enumerate(lines, 1):
            if row % 500 == 0:
                progress(line.end / size)
            slug = self._slug(line.cells, rows)
            if group and slug != group.slug:
                yield group
                group = None
            if slug is None or slug in judged.bad:
                report.skipped_lines += 1
                continue
            if slug in same:
                continue
            if group is None:
                group = _Group(slug, (), line.number, {}, hashlib.sha256(EDITION.encode()))
            problems = self._of_line(line, rows)
            if not problems:
                self._take(group, line, rows, problems)
            if problems:
                bad = [BadLine(line.number, *problem) for problem in problems]
                raise BadLines(self.name, bad, len(bad))
        if group:
            yield group


_LOOK = ("colour_sq", "colour_mk", "colour_en", "colour_hex", "storage_gb", "ram_gb")


def _read(cells, columns, told, problems) -> dict:
    values = {}
    for index, name, read in columns:
        cell = cells[index]
        if cell:
            if name in told:
                continue
            try:
                values[name] = read(cell)
            except ValueError as error:
                problems.append((name, str(error)))
        elif name in NEEDED:
            problems.append((name, "is blank"))
    return values


def _all_languages(values, stem):
    given = [language for language in _LANGUAGES if f"{stem}_{language}" in values]
    if given and len(given) < len(_LANGUAGES):
        for language in _LANGUAGES:
            if language not in given:
                yield f"{stem}_{language}", f"is blank, but {stem}_{given[0]} is not"


def _device_wrong(values) -> Iterator[tuple[str, str]]:
    """What is wrong between the columns of a device."""
    kind = values.get("kind")
    yield from _all_languages(values, "note")
    yield from _all_languages(values, "gift")
    gift = [f"gift_{language}" for language in _LANGUAGES if f"gift_{language}" in values]
    if gift and "gift_stock" not in values:
        yield "gift_stock", "is blank, but there is a gift"
    if not gift:
        for name in ("gift_sku", "gift_stock"):
            if name in values:
                yield name, "belongs to a gift, but gift_sq is blank"
    if kind and kind != "accessory" and "fits" in values:
        yield "fits", "is for accessories alone"
    drawn = _draw_kind(values)
    if kind and not drawn:
        yield (
            "draw_kind",
            f"is blank; an accessory must say which of {', '.join(drawing.KINDS)} it looks like",
        )
    if drawn and "draw_camera" in values:
        cameras = drawing.CAMERAS.get(drawn, ("none",))
        if values["draw_camera"] not in cameras:
            shapes = ", ".join(cameras)
            yield "draw_camera", f"of a {drawn} can be {shapes}, not {shown(values['draw_camera'])}"


def _draw_kind(values) -> str | None:
    usual = {"phone": "phone", "tablet": "tablet", "prepaid_sim": "sim"}
    return values.get("draw_kind") or usual.get(values.get("kind"))


def _variant_wrong(values) -> Iterator[tuple[str, str]]:
    """What is wrong between the columns of a variant."""
    yield from _all_languages(values, "colour")
    percent, price = values.get("promo_percent"), values.get("promo_price")
    if percent is not None and price is not None:
        yield "promo_price", "is given beside promo_percent; a promotion has one of them"
    if percent is None and price is None:
        for name in ("promo_from", "promo_until", "promo_segment"):
            if name in values:
                yield name, "belongs to a promotion, but promo_percent and promo_price are blank"
    if price is not None and "price" in values and price >= values["price"]:
        yield "promo_price", "is not below the price"
    starts, ends = _period(values)
    if starts and ends and ends <= starts:
        yield "promo_until", "is not after promo_from"


def _period(values) -> tuple[datetime | None, datetime | None]:
    """When the promotion starts and ends; the last day counts in full."""
    starts, ends = values.get("promo_from"), values.get("promo_until")
    return (starts[0] if isinstance(starts, tuple) else starts, ends[1] if isinstance(ends, tuple) else ends)


class _Writer:
    """Writes devices with all that belongs to them, batch by batch, in the caller's transaction."""

    def __init__(self, report: Report):
        self.report = report
        # Devices whose cards must be worked out anew.
        self.touched: set[int] = set()
        self._written: set[int] = set()
        self._brands = dict(Brand.select(Brand.name, Brand.id).tuples())
        self._tariffs = dict(Tariff.select(Tariff.code, Tariff.id).tuples())

    def write(self, groups: list[_Group]) -> None:
        slugs = [group.slug for group in groups]
        known = _numbers(Device.slug, slugs)
        self.report.added += len(slugs) - len(known)
        self.report.changed += len(known)
        self._know_brands({group.values["brand"] for group in groups})
        _put(Device, _DEVICE_FIELDS, (self._device(group) for group in groups), "slug")
        numbers = _numbers(Device.slug, slugs)
        self._written.update(numbers.values())
        self.touched.update(numbers.values())

        rows = [
            (numbers[group.slug], position, values)
            for group in groups
            for position, values in enumerate(group.variants)
        ]
        self.report.variants += len(rows)
        skus = [values["sku"] for _, _, values in rows]
        before = self._variants_before(list(known.values()), skus)
        self._let_go(before, {values["sku"]: device for device, _, values in rows}, set(known.values()))
        _put(Variant, _VARIANT_FIELDS, (_variant(*row) for row in rows), "sku")
        variants = _numbers(Variant.sku, skus)
        self._offer(rows, variants, [number for number, sku, _ in before if sku in variants])
        self._give(groups, numbers, list(known.values()))

    def _know_brands(self, names):
        new = sorted(names - self._brands.keys())
        if new:
            _put(Brand, [Brand.name], ((name,) for name in new), "name")
            self._brands |= _numbers(Brand.name, new)

    def _device(self, group):
        values = group.values
        drawn = _draw_kind(values)
        picture = {
            "kind": drawn,
            "camera": values.get("draw_camera") or drawing.CAMERAS.get(drawn, ("none",))[0],
            "hole": values.get("draw_hole") or "dot",
        }
        return (
            values["slug"],
            values["kind"],
            self._brands[values["brand"]],
            *(values[f"name_{language}"] for language in _LANGUAGES),
            *(values.get(f"note_{language}", "") for language in _LANGUAGES),
            values["released"],
            values.get("popularity", 0),
            values.get("warranty_months", Device.warranty_months.default),
            _json({name: values[name] for name in FACTS if name in values}),
            _json(picture),
            _json(values.get("fits", [])),
            True,
            group.digest.hexdigest(),
        )

    @staticmethod
    def _variants_before(devices, skus):
        columns = (Variant.id, Variant.sku, Variant.device)
        found = set()
        for some in _parts(devices, _BATCH):
            found.update(Variant.select(*columns).where(Variant.device.in_(some)).tuples())
        for some in _parts(skus, 5_000):
            found.update(Variant.select(*columns).where(Variant.sku.in_(some)).tuples())
        return sorted(found)

    def _let_go(self, before, owners, known):
        """Variants that left their device are no longer sold; a SKU that another device now has goes there."""
        left = [number for number, sku, device in before if device in known and sku not in owners]
        for some in _parts(left, 5_000):
            Variant.update(listed=False).where(Variant.id.in_(some)).execute()
        robbed = {device for _, sku, device in before if sku in owners and owners[sku] != device}
        if robbed:
            self.touched |= robbed
            # Should the list name it again, it must be taken anew.
            Device.update(digest="").where(Device.id.in_(list(robbed - self._written))).execute()

    def _offer(self, rows, variants, existing):
        for some in _parts(existing, 5_000):
            TariffPrice.delete().where(TariffPrice.variant.in_(some)).execute()
            Promotion.delete().where(Promotion.variant.in_(some)).execute()
        _put(
            TariffPrice,
            [TariffPrice.variant, TariffPrice.tariff, TariffPrice.contract_type, TariffPrice.price],
            (
                (variants[values["sku"]], self._tariffs[code], contract, price)
                for _, _, values in rows
                for contract, code, price in values["prices"]
            ),
        )
        moment = Promotion.starts_at.db_value
        _put(
            Promotion,
            [
                Promotion.variant,
                Promotion.percent,
                Promotion.price,
                Promotion.segment,
                Promotion.starts_at,
                Promotion.ends_at,
            ],
            (
                (
                    variants[values["sku"]],
                    values.get("promo_percent"),
                    values.get("promo_price"),
                    values.get("promo_segment", "all"),
                    *map(moment, _period(values)),
                )
                for _, _, values in rows
                if "promo_percent" in values or "promo_price" in values
            ),
        )

    @staticmethod
    def _give(groups, numbers, existing):
        gifts = [
            (
                numbers[group.slug],
                *(group.values[f"gift_{language}"] for language in _LANGUAGES),
                group.values.get("gift_sku", ""),
                group.values["gift_stock"],
            )
            for group in groups
            if "gift_sq" in group.values
        ]
        given = {row[0] for row in gifts}
        without = [number for number in existing if number not in given]
        if without:
            Gift.delete().where(Gift.device.in_(without)).execute()
        fields = [Gift.device, Gift.name_sq, Gift.name_mk, Gift.name_en, Gift.sku, Gift.stock]
        _put(Gift, fields, gifts, "device_id")


_DEVICE_FIELDS = [
    Device.slug,
    Device.kind,
    Device.brand,
    Device.name_sq,
    Device.name_mk,
    Device.name_en,
    Device.note_sq,
    Device.note_mk,
    Device.note_en,
    Device.released,
    Device.popularity,
    Device.warranty_months,
    Device.facts,
    Device.drawing,
    Device.fits,
    Device.listed,
    Device.digest,
]
_VARIANT_FIELDS = [
    Variant.device,
    Variant.sku,
    Variant.position,
    Variant.colour_sq,
    Variant.colour_mk,
    Variant.colour_en,
    Variant.colour_hex,
    Variant.colour_family,
    Variant.storage_gb,
    Variant.ram_gb,
    Variant.price,
    Variant.stock,
    Variant.screen,
    Variant.photo,
    Variant.listed,
]


def _variant(device, position, values):
    return (
        device,
        values["sku"],
        position,
        *(values.get(f"colour_{language}", "") for language in _LANGUAGES),
        values["colour_hex"],
        values["colour_family"],
        values.get("storage_gb"),
        values.get("ram_gb"),
        values["price"],
        values["stock"],
        values.get("draw_screen", ""),
        values.get("photo", ""),
        True,
    )


def _json(value) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _parts(values: list, size: int) -> Iterator[list]:
    return (values[start : start + size] for start in range(0, len(values), size))


def _numbers(column, values) -> dict[str, int]:
    """The ids of the rows whose `column` is one of `values`, by that column."""
    model = column.model
    found = {}
    for some in _parts(list(values), 5_000):
        found.update(model.select(column, model.id).where(column.in_(some)).tuples())
    return found


def _put(model, fields, rows, key: str = "") -> None:
    """Insert rows of database values; where `key` (a unique column) is there already, the row is updated.

    A prepared statement takes a fifth of the time of a built INSERT, and a price list has a million prices.
    """
    columns = [field.column_name for field in fields]
    places = ", ".join([db.param] * len(columns))
    # Names are the model's own, values are bound.
    statement = f'INSERT INTO "{model._meta.table_name}" ({", ".join(columns)}) VALUES ({places})'  # noqa: S608
    if key:
        changes = ", ".join(f"{column} = EXCLUDED.{column}" for column in columns if column != key)
        statement += f" ON CONFLICT ({key}) DO " + (f"UPDATE SET {changes}" if changes else "NOTHING")
    rows = list(rows)
    if rows:
        db.cursor().executemany(statement, rows)


def _one_at_a_time() -> None:
    """Two imports take turns; on SQLite the transaction itself sees to it."""
    if not IS_SQLITE:
        db.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_IMPORT_LOCK,))


_TARIFF_COLUMNS = {
    "code": _like(r"[A-Za-z0-9][A-Za-z0-9._-]*", "linja-m", _longest(Tariff.code)),
    "name": _name_of(Tariff.name),
    "monthly_price": _money(0),
    "internet_gb": _whole(0, 1_000_000),
    "minutes": _whole(0, 1_000_000),
    "sms": _whole(0, 1_000_000),
    "position": _whole(0, 10_000),
}
_TARIFFS_NEEDED = ("code", "name", "monthly_price")
_UNLIMITED = ("internet_gb", "minutes", "sms")


class TariffList:
    """The operator's tariffs in a CSV file: code, name, price per month, and what is in it."""

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
        """Every bad line; raises models.sheet.Unreadable."""
        self.rows = []
        with self._sheet.opened() as sheet:
            lines = sheet.lines()
            places, bad = match_header(
                next(lines, None),
                _TARIFFS_NEEDED,
                lambda name: None if name in _TARIFF_COLUMNS else "is no column of a tariff list",
            )
            if bad:
                yield from bad
                return
            columns = [(index, name, _TARIFF_COLUMNS[name]) for name, index in places.items()]
            seen = {}
            for line in lines:
                problems = PriceList._of_line(line, _Rows(len(places), places, [], [], [], None, []))
                if line.cells is not None and len(line.cells) == len(places):
                    values = self._values(line.cells, columns, problems)
                    first = seen.setdefault(values.get("code"), line.number)
                    if "code" in values and first != line.number:
                        problems.append(("code", f"is on line {first}, too"))
                    self.rows.append({"position": len(self.rows), **values})
                yield from (BadLine(line.number, *problem) for problem in problems)
            if not seen:
                yield BadLine(1, "", "the file has no tariffs")

    @staticmethod
    def _values(cells, columns, problems):
        values = {}
        told = {column for column, _ in problems}
        for index, name, read in columns:
            cell = cells[index]
            if name in _UNLIMITED and cell.casefold() in ("", "unlimited"):
                values[name] = None
            elif cell and name not in told:
                try:
                    values[name] = read(cell)
                except ValueError as error:
                    problems.append((name, str(error)))
            elif name in _TARIFFS_NEEDED and not cell:
                problems.append((name, "is blank"))
        return values

    def write(self) -> int:
        """Write what `check` read; returns how many tariffs are new or changed. Others stay as they are."""
        kept = {tariff.code: tariff for tariff in Tariff.select()}
        changed = 0
        for row in self.rows:
            tariff = kept.get(row["code"])
            if tariff and tariff.listed and all(getattr(tariff, name) == row[name] for name in row):
                continue
            changed += 1
            values = {**dict.fromkeys(_UNLIMITED), **row, "listed": True}
            Tariff.insert(**values).on_conflict(
                conflict_target=[Tariff.code],
                preserve=[getattr(Tariff, name) for name in values if name != "code"],
            ).execute()
        return changed


def load_tariffs(source) -> int:
    """Take a list of tariffs in one transaction; returns how many are new or changed.

    A code that is there already is updated. Raises BadLines, having changed nothing, and models.sheet.Unreadable.
    """
    tariffs = TariffList(source)
    bad = list(tariffs.check())
    if bad:
        raise BadLines(tariffs.name, bad[:SHOWN], len(bad))
    with db.atomic():
        _one_at_a_time()
        changed = tariffs.write()
        if changed:
            CatalogueVersion.next()
    return changed
