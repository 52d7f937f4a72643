"""The operator's lists for the club: rates, partners' offers, gifts (CLB-17). Files as docs/club.md describes them.

A list may be taken again and again: what is there already stays. What counts already is never changed backwards: a
new value, price or text of an offer is a new line from its own day on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from peewee import fn

import config
from models import cells
from models.base import db, locked
from models.bss_columns import SPENDINGS, TOPUPS, day
from models.club_ledger import BATCH
from models.club_member import ClubMember, FixedService
from models.club_month import ClubTopup, Differs, MonthCount, MonthlyCredit
from models.club_offer import ClubGift, Partner, PartnerOffer
from models.club_rate import DEFAULTS, NAMES, TABLES, BackDated, Rate
from models.club_words import BUNDLE_WORDS, Offer, read
from models.sheet import BadLine, BadLines, Line, Sheet, line_problems, match_header

# How many bad lines are kept to be shown; the others are counted.
SHOWN = 200
# What means something else in an SMS to 50777 (CLB-9, PRV-2).
RESERVED = frozenset(
    {"MB", "SMS", "MMS", "HEJ", "SUPER", "FILLO", "STOP", "START", "INFO", "HELP", "PO", "JO"}
    | {word.upper() for word in BUNDLE_WORDS.values()}
)
BACK_DATED = "is over, or counts already: a change is a line of its own, from today on or from a later day"
LAST_DAY_OVER = "is over: the last day may be today or a later day"


def _offer_code(cell: str) -> str:
    code = cells.like("[A-Z][A-Z0-9]*", "KINEMA2D", PartnerOffer.code.max_length)(cell)
    if code in RESERVED or read(code) != Offer(code):
        raise ValueError(f"{cell} means something else in an SMS")
    return code


_CODE = "[A-Za-z0-9][A-Za-z0-9._-]*"
_LANGUAGES = ("sq", "mk", "en")
_TEXTS = {
    **{f"name_{language}": (cells.text(60), ...) for language in _LANGUAGES},
    **{f"detail_{language}": (cells.text(120), "") for language in _LANGUAGES},
}
# In a language that the shop does not speak a text may be left out: it is then the first language's.
_UNSPOKEN = {
    f"{stem}_{language}": f"{stem}_{config.LANGUAGES[0]}"
    for stem in ("name", "detail")
    for language in _LANGUAGES
    if language not in config.LANGUAGES
}
_PERIOD = {"since": (day, ...), "until": (day, None)}


class Table:
    """A CSV file whose lines are read and judged one at a time.

    `columns`: name → (reader, what a blank cell means; … is "may not be blank"). `key`: what may stand once.
    """

    columns: dict
    optional: frozenset = frozenset()
    key: tuple[str, ...]
    what = "this list"

    def __init__(self, source):
        self._sheet = Sheet(source)
        self.name = self._sheet.name
        # How much of the file was read, 0 to 1.
        self.share = 0.0

    def rows(self, again: bool = False) -> Iterator[tuple[int, dict | None, list[BadLine]]]:
        """(line, its values or None, what is wrong with it); raises models.sheet.Unreadable.

        What is kept of the file meanwhile are its keys; `again`: nothing, for it was checked.
        """
        with self._sheet.opened() as sheet:
            lines = sheet.lines()
            needed = [name for name in self.columns if name not in self.optional and name not in _UNSPOKEN]
            places, bad = match_header(next(lines, None), needed, self._refusal)
            if bad:
                yield 1, None, bad
                return
            names, seen, any_line, size = list(places), {}, False, sheet.size
            for line in lines:
                any_line, self.share = True, line.end / size
                values, problems = self._read(line, names)
                if values is not None and not again:
                    key = self.hashed(values)
                    first = seen.setdefault(key, line.number)
                    if first != line.number:
                        problems[self.key[0]] = f"is on line {first}, too"
                bad = [BadLine(line.number, *problem) for problem in problems.items()]
                yield line.number, None if bad else values, bad
            if not any_line:
                yield 1, None, [BadLine(1, "", "the file has no lines")]

    def hashed(self, values: dict):
        """What may stand in the file once."""
        return tuple(values[name] for name in self.key)

    def wrong(self, values: dict) -> Iterator[tuple[str, str]]:
        """Of cells that disagree: (column, reason)."""
        return iter(())

    def check(self, progress: Callable[[float], None] | None = None) -> None:
        """Read the whole file; raises BadLines when a line is bad, and Unreadable. `progress` is told the share."""
        first, count = [], 0
        for line, _, bad in self.rows():
            count += len(bad)
            first += bad[: SHOWN - len(first)]
            if progress is not None and line % 500 == 0:
                progress(self.share)
        if count:
            raise BadLines(self.name, first, count)

    def good(self) -> Iterator[tuple[int, dict]]:
        """(line, values) of a file that was checked."""
        for line, values, _ in self.rows(again=True):
            if values is not None:
                yield line, values

    def batches(self) -> Iterator[list[tuple[int, dict]]]:
        """As `good`, some hundred lines at a time."""
        batch = []
        for one in self.good():
            batch.append(one)
            if len(batch) == BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def _refusal(self, name: str) -> str | None:
        return None if name in self.columns else f"is no column of {self.what}"

    def _read(self, line: Line, names: list[str]) -> tuple[dict | None, dict[str, str]]:
        problems = line_problems(line, names)
        if "" in problems:
            return None, problems
        values = {name: blank for name, (_, blank) in self.columns.items() if name in self.optional}
        for name, cell in zip(names, line.cells, strict=True):
            if name in problems:
                continue
            read, blank = self.columns[name]
            if not cell:
                if blank is ... and name not in _UNSPOKEN:
                    problems[name] = "is blank"
                else:
                    values[name] = blank
                continue
            try:
                values[name] = read(cell)
            except ValueError as error:
                problems[name] = str(error)
        for name, first in _UNSPOKEN.items():
            if name in self.columns and values.get(name) in (None, "", ...):
                values[name] = values.get(first, "")
        if not problems:
            for column, reason in self.wrong(values):
                problems.setdefault(column, reason)
        return (None if problems else values), problems


class _List(Table):
    """A list that is written in one transaction, or not at all."""

    def load(self, today: date) -> int:
        """Take the list; returns how many lines are new or changed. Raises BadLines, having changed nothing, and
        models.sheet.Unreadable."""
        self.check()
        bad: list[BadLine] = []
        with db.atomic():
            count = 0
            for line, values in self.good():
                try:
                    count += self.write(values, today)
                except BackDated:
                    bad.append(BadLine(line, "since", BACK_DATED))
                except ValueError as error:
                    bad.append(BadLine(line, *error.args))
            self.finish(today)
            if bad:
                raise BadLines(self.name, bad[:SHOWN], len(bad))
        return count

    def write(self, values: dict, today: date) -> bool:
        """Write one line; false when it is there already. Raises BackDated, or ValueError(column, reason)."""
        raise NotImplementedError

    def finish(self, today: date) -> None:
        """After the last line, in the same transaction."""


class RateList(_List):
    """Rates and tables: name, key, since, value (models/club_rate.py has the names)."""

    what = "a list of rates"
    columns = {
        "name": (cells.one_of(*NAMES), ...),
        "key": (cells.text(Rate.key.max_length), ""),
        "since": (day, ...),
        "value": (cells.whole(0, 2_000_000_000), ...),
    }
    key = ("name", "key", "since")

    def wrong(self, values):
        name, key, value = values["name"], values["key"], values["value"]
        if name in TABLES:
            if not key:
                yield "key", "is blank, but a table has a tariff or a package in each line"
        elif (name, key) not in DEFAULTS:
            keys = sorted(known for other, known in DEFAULTS if other == name)
            yield "key", "must be blank" if keys == [""] else f"must be {', '.join(keys)}"
        low, high = _RANGES.get((name, key), _RANGES.get((name, ""), (0, 2_000_000_000)))
        if not low <= value <= high:
            yield "value", f"must be from {low} to {high}"

    def write(self, values, today):
        return Rate.change(values["name"], values["key"], values["value"], values["since"], today)


# Where not every number makes sense.
_RANGES = {
    ("euro", ""): (1, 2_000_000_000),
    ("point", ""): (0, 1_000_000),
    ("unit", ""): (0, 10_000),
    ("bundle", ""): (0, 1_000_000),
    ("welcome", ""): (0, 1_000_000),
    ("topup", ""): (0, 1_000_000),
    ("least", ""): (1, 1_000_000),
    ("days", ""): (1, 3_650),
    ("validity", "month"): (1, 12),
    ("validity", "years"): (0, 20),
    ("notice", ""): (0, 365),
    ("block", ""): (1, 120),
}


class _OfferedList(_List):
    """Lines that are offered from `since` to `until`; a line of the same code from a later day replaces it then."""

    model = None
    # What a line that counts already cannot change any more; names and details may be corrected.
    fixed: tuple[str, ...] = ()
    # What is taken of new lines alone.
    once: tuple[str, ...] = ()

    def __init__(self, source):
        super().__init__(source)
        # Code → what its lines in the file say of their last day.
        self._untils: dict[str, dict[date, date | None]] = {}

    def wrong(self, values):
        if values["until"] is not None and values["until"] < values["since"]:
            yield "until", "is before since"

    def write(self, values, today):
        # Held before anything is compared: a handout takes of the stock meanwhile.
        rows = {row.since: row for row in locked(self.model.select().where(self.model.code == values["code"]))}
        kept = self.values(values)
        since, until = kept["since"], kept.pop("until")
        known = rows.get(since)
        self._untils.setdefault(kept["code"], {})[since] = until
        if known is None:
            if rows and since < today:
                raise BackDated
            self.model.create(**kept, until=until)
            return True
        new = {name: value for name, value in kept.items() if name not in self.once and getattr(known, name) != value}
        if since <= today and new.keys() & set(self.fixed):
            raise BackDated
        if new:
            self.model.update(**new).where(self.model.id == known.id).execute()
        later = min((day for day in rows if day > since), default=None)
        ends = until if later is None else min(until or date.max, later - timedelta(days=1))
        if ends != known.until and (later is None or until is not None):
            if (known.until or date.max) < today or (ends or date.max) < today - timedelta(days=1):
                raise ValueError("until", LAST_DAY_OVER)
            self.model.update(until=ends).where(self.model.id == known.id).execute()
            return True
        return bool(new)

    def values(self, values: dict) -> dict:
        """The row's, with its names and details by language."""
        told = {name: value for name, value in values.items() if name not in _TEXTS}
        for texts in ("names", "details"):
            found = {language: values[f"{texts[:-1]}_{language}"] for language in ("sq", "mk", "en")}
            told[texts] = {language: text for language, text in found.items() if text}
        return told

    def finish(self, today):
        # Where a line follows another of its code, the earlier one ends the day before.
        for code in self._untils:
            rows = list(self.model.select().where(self.model.code == code).order_by(self.model.since))
            for row, following in zip(rows, rows[1:], strict=False):
                last = following.since - timedelta(days=1)
                if (row.until or date.max) > last:
                    self.model.update(until=last).where(self.model.id == row.id).execute()


class OfferList(_OfferedList):
    """Partners and what they give for a code."""

    what = "a list of offers"
    model = PartnerOffer
    columns = {
        "partner": (cells.like("[a-z0-9][a-z0-9-]*", "kinema-qendra", Partner.code.max_length), ...),
        "partner_name": (cells.text(Partner.name.max_length), ...),
        "place": (cells.text(Partner.place.max_length), ""),
        "code": (_offer_code, ...),
        "points": (cells.whole(1, 1_000_000), ...),
        "days": (cells.whole(1, 3_650), ...),
        **_PERIOD,
        **_TEXTS,
    }
    key = ("code", "since")
    fixed = ("partner", "points", "days")

    def values(self, values):
        told = super().values(values)
        name, place = told.pop("partner_name"), told.pop("place")
        partner, made = Partner.get_or_create(code=told["partner"], defaults={"name": name, "place": place})
        if not made and (partner.name, partner.place) != (name, place):
            Partner.update(name=name, place=place).where(Partner.id == partner.id).execute()
        return {**told, "partner": partner}


class GiftList(_OfferedList):
    """Gifts of the shops. The stock is taken of new gifts alone, or of all with `count`: it goes down by itself."""

    what = "a list of gifts"
    model = ClubGift
    columns = {
        "code": (cells.like(_CODE, "kabllo-usb-c", ClubGift.code.max_length), ...),
        "points": (cells.whole(1, 1_000_000), ...),
        "stock": (cells.whole(0, 1_000_000), ...),
        "sku": (cells.text(ClubGift.sku.max_length), ""),
        **_PERIOD,
        **_TEXTS,
    }
    key = ("code", "since")
    fixed = ("points",)

    def __init__(self, source, count: bool = False):
        super().__init__(source)
        self.once = () if count else ("stock",)


class SpendingList(Table):
    """What numbers spent in one month: msisdn, amount (CLB-3)."""

    what = "a month's data"
    columns = {name: SPENDINGS[name] for name in ("msisdn", "amount")}
    key = ("msisdn",)

    def hashed(self, values):
        # A number takes less memory than its text, and a month has a line for each member.
        return int(values["msisdn"])

    def credit(self, month: str, now, progress: Callable[[float], None] | None = None) -> MonthCount:
        """Credit the month, batch after batch; members without a line spent nothing.

        With a bad line nothing is changed: raises BadLines, and models.sheet.Unreadable, models.club_month.NotOver.
        A run that was killed is made up by the same one again. `progress` is told the share done, 0 to 1.
        """
        progress = progress or (lambda share: None)
        run = MonthlyCredit(month, now)
        self.check(lambda share: progress(share / 10))
        for batch in self.batches():
            run.credit([(line, values["msisdn"], values["amount"]) for line, values in batch])
            progress(0.1 + 0.6 * self.share)
        most = ClubMember.select(fn.MAX(ClubMember.id)).scalar() or 1
        run.credit_nothing(lambda last: progress(0.7 + 0.3 * last / most))
        progress(1.0)
        return run.count


@dataclass
class TopupCount:
    """What became of a file of top-ups: with points, without any, known before; lines that were not taken."""

    credited: int = 0
    points: int = 0
    without: int = 0
    unchanged: int = 0
    refused: list[BadLine] = field(default_factory=list)


class TopupList(Table):
    """Top-ups of fixed services: reference, service, topped_up_at, package (CLB-4)."""

    what = "a list of top-ups"
    columns = TOPUPS
    optional = frozenset({"package"})
    key = ("reference",)

    def credit(self, now, progress: Callable[[float], None] | None = None) -> TopupCount:
        """Credit the top-ups, once each; may be killed, and run again.

        A line of an unknown service, of a moment to come, or that was told otherwise before is not taken, and named
        in `refused`. Raises BadLines, having changed nothing, and models.sheet.Unreadable.
        """
        progress = progress or (lambda share: None)
        self.check(lambda share: progress(share / 10))
        count = TopupCount()
        for batch in self.batches():
            with db.atomic():
                self._credit(batch, now, count)
            progress(0.1 + 0.9 * self.share)
        progress(1.0)
        return count

    def _credit(self, batch: list[tuple[int, dict]], now, count: TopupCount) -> None:
        codes = {values["service"] for _, values in batch}
        services = {
            service.code: service for service in FixedService.select().where(FixedService.code.in_(list(codes)))
        }
        known = {values["reference"] for _, values in batch}
        told = ClubTopup.select(ClubTopup.reference).where(ClubTopup.reference.in_(list(known)))
        known = {reference for (reference,) in told.tuples()}
        members = ClubMember.select(ClubMember.id, ClubMember.fixed).where(
            ClubMember.fixed.in_(list(services.values())), ClubMember.ended_at.is_null()
        )
        # Members are held in the order of their ids, as everywhere.
        order = {fixed: id for id, fixed in members.tuples()}

        def turn(one):
            service = services.get(one[1]["service"])
            return order.get(service.id, 0) if service else 0

        for line, values in sorted(batch, key=turn):
            service, at = services.get(values["service"]), values["topped_up_at"]
            if service is None:
                count.refused.append(BadLine(line, "service", "is no fixed service of the shop"))
                continue
            if at > now:
                count.refused.append(BadLine(line, "topped_up_at", "is in the future"))
                continue
            try:
                made = ClubTopup.take(values["reference"], service, at, now, values["package"])
            except Differs:
                count.refused.append(BadLine(line, "reference", "was told otherwise before, and stays so"))
                continue
            if values["reference"] in known:
                count.unchanged += 1
            elif made.entry_id is None:
                count.without += 1
            else:
                count.credited += 1
                count.points += made.entry.points
