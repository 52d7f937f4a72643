"""The billing system's extract: a folder of CSV files, taken into the shop's copy in one transaction.

docs/bss.md describes it for an operator's engineer. Files are read one after the other, a batch of lines at a
time; what is kept of them are the keys of the file in hand, to find doubles.
"""

import difflib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from models import bss_columns as columns
from models.base import IS_SQLITE, db, locked
from models.bss_known import BssKnown
from models.calendar import local_day
from models.cart import CartLine
from models.club_member import FixedService
from models.contract import Contract
from models.invoice import Invoice
from models.new_number import NewNumber
from models.number import Number, ProfileNumber
from models.sheet import BadLine, Line, Sheet, Unreadable, line_problems, match_header
from models.subscriber import Holder, Subscriber

# How many bad lines of a file are kept to be shown; the others are counted.
SHOWN = 200
_BATCH = 500
# Any number that nothing else in the database locks.
_IMPORT_LOCK = 7_402_018


@dataclass
class Count:
    """What became of a file's lines."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0
    bad: list[BadLine] = field(default_factory=list)
    bad_count: int = 0
    # Nothing of the file can be taken.
    hopeless: bool = False

    def blame(self, bad: BadLine) -> None:
        self.bad_count += 1
        if len(self.bad) < SHOWN:
            self.bad.append(bad)


class BadExtract(Exception):
    """An extract was not taken for its bad lines; nothing was changed. `counts`: a Count for each file."""

    def __init__(self, counts: dict[str, Count]):
        self.counts = counts
        bad = [f"{name}: {count.bad_count}" for name, count in counts.items() if count.bad_count]
        super().__init__("bad lines: " + ", ".join(bad))


class BssExtract:
    """Some or all of the files in FILES: a folder, or each file's content by its name.

    Raises models.sheet.Unreadable where there is none of them, or one of another name that could be a slip.
    """

    def __init__(self, source: str | Path | dict[str, bytes]):
        if isinstance(source, dict):
            self._sheets = {file.name: Sheet(io.BytesIO(source[file.name])) for file in FILES if file.name in source}
            return
        folder = Path(source)
        if not folder.is_dir():
            raise Unreadable(f"There is no folder {folder}.")
        try:
            there = {path.name for path in folder.iterdir() if path.suffix.lower() == ".csv"}
        except OSError as error:
            raise Unreadable(f"{folder} cannot be read: {error.strerror}.") from None
        known = [file.name for file in FILES]
        for name in sorted(there.difference(known)):
            near = difflib.get_close_matches(name.lower(), known, 1)
            raise Unreadable(f"{folder / name} is no file of an extract" + (f"; is it {near[0]}?" if near else "."))
        if not there:
            raise Unreadable(f"{folder} holds none of {', '.join(known)}.")
        self._sheets = {name: Sheet(folder / name) for name in known if name in there}

    def load(
        self,
        now,
        skip_bad: bool = False,
        progress: Callable[[float], None] | None = None,
        made_at: datetime | None = None,
    ) -> dict[str, Count]:
        """Take the files into the shop's copy in one transaction; returns a Count for each file.

        Rows are found by their key and updated in place, and those that no file names stay as they are. With a
        bad line nothing is changed and BadExtract is raised; with `skip_bad` such lines are left out instead.
        `progress` is told the share done, 0 to 1. `made_at` is of when the files are: rows of which a later change
        was pushed (models.bss_push) are left as they are, and those that are pushed with an earlier one will be.
        Raises models.sheet.Unreadable, too.
        """
        progress = progress or (lambda share: None)
        files = [file(now) for file in FILES if file.name in self._sheets]
        readings = [(file, once) for file in files for once in file.readings]
        counts = {file.name: Count() for file, _ in readings}
        with db.atomic():
            _one_at_a_time()
            for done, (file, reading) in enumerate(readings):
                count = counts[file.name]
                with self._sheets[file.name].opened() as sheet:
                    state = sheet.state()
                    _Reading(file, reading, sheet, count, made_at).run(
                        lambda share, done=done: progress((done + share) / len(readings))
                    )
                    if sheet.state() != state:
                        count.hopeless = True
                        count.blame(BadLine(1, "", "the file changed while it was read"))
                if count.hopeless:
                    # What refers to its lines would be blamed for nothing.
                    break
            for count in counts.values():
                count.bad.sort()
            if any(count.hopeless or (count.bad_count and not skip_bad) for count in counts.values()):
                raise BadExtract(counts)
        progress(1.0)
        return counts


@dataclass(slots=True)
class Row:
    """A line whose cells are good; `problem` is (column, reason) once something else is wrong."""

    line: int
    values: dict
    problem: tuple[str, str] | None = None


class _Reading:
    """One way through one file."""

    def __init__(self, file: "File", reading: str, sheet: Sheet, count: Count, made_at: datetime | None):
        self._file, self._which, self._sheet, self._count = file, reading, sheet, count
        self._made_at = made_at

    def run(self, progress) -> None:
        lines = self._sheet.lines()
        header = next(lines, None)
        places, bad = match_header(header, self._file.needed, self._refusal)
        if bad:
            self._count.hopeless = True
            for one in bad:
                self._count.blame(_without_cells(one, header, self._file.columns))
            return
        names, size, batch = list(places), self._sheet.size, []
        for line in lines:
            row = self._row(line, names)
            if row is not None:
                batch.append(row)
            if len(batch) == _BATCH:
                self._write(batch)
                batch = []
                progress(line.end / size)
        self._write(batch)
        progress(1.0)

    def _refusal(self, name: str) -> str | None:
        return None if name in self._file.columns else f"is no column of {self._file.name}"

    def _row(self, line: Line, names: list[str]) -> Row | None:
        problems = line_problems(line, names)
        values = {}
        if "" not in problems:
            for name, cell in zip(names, line.cells, strict=True):
                self._read(name, cell, values, problems)
        # The other reading tells what is wrong with the lines that are its.
        if self._file.reading_of(values) != self._which:
            return None
        for column, reason in self._file.wrong(values):
            problems.setdefault(column, reason)
        key = values.get(self._file.key)
        if key is not None:
            first = self._file.seen.setdefault(key, line.number)
            if first != line.number:
                problems.setdefault(self._file.key, f"is on line {first}, too")
        if not problems:
            return Row(line.number, values)
        self._count.skipped += 1
        for problem in problems.items():
            self._count.blame(BadLine(line.number, *problem))
        return None

    def _read(self, name, cell, values, problems) -> None:
        if name in problems:
            return
        read, blank = self._file.columns[name]
        if not cell:
            if blank is ...:
                problems[name] = "is blank"
            else:
                values[name] = blank
            return
        try:
            values[name] = read(cell)
        except ValueError as error:
            problems[name] = str(error)

    def _write(self, batch: list[Row]) -> None:
        if self._made_at is not None:
            batch = self._not_overtaken(batch)
        if not batch:
            return
        keys = [row.values[self._file.key] for row in batch]
        self._file.write(batch, self._count)
        if self._made_at is not None:
            written = [key for key, row in zip(keys, batch, strict=True) if not row.problem]
            BssKnown.advance_all(self._file.kind(), written, self._made_at)
        for row in batch:
            if row.problem:
                self._count.skipped += 1
                self._count.blame(BadLine(row.line, *row.problem))

    def _not_overtaken(self, batch: list[Row]) -> list[Row]:
        keys = [row.values[self._file.key] for row in batch]
        later = BssKnown.later_than(self._file.kind(), keys, self._made_at)
        self._count.unchanged += len(later)
        return [row for row, key in zip(batch, keys, strict=True) if key not in later]


class File:
    """One kind of file: its columns, what must agree in a line, and how a batch of lines is written."""

    name: str
    key: str
    columns: columns.Columns
    # What a row says is true until it says otherwise; of a thing that happened (models.bss_club) nothing is older.
    is_state = True
    # A file is read once for each of these; `reading_of` says in which a line's turn is.
    readings: tuple[str, ...] = ("all",)

    def __init__(self, now):
        # Key → the line it is on.
        self.seen: dict[str, int] = {}

    @classmethod
    def kind(cls) -> str:
        """What a message about one of its rows is about: invoices.csv → invoice."""
        return cls.name.removesuffix(".csv").removesuffix("s")

    @property
    def needed(self) -> list[str]:
        return [name for name in self.columns if name not in columns.OPTIONAL]

    def reading_of(self, values: dict) -> str:
        return self.readings[0]

    def wrong(self, values: dict) -> Iterator[tuple[str, str]]:
        return iter(())

    def known(self, key: str) -> dict:
        """What the shop knows of the row of that key, by column, held until the transaction ends; {} of a new one."""
        return {}

    def complete(self, values: dict) -> dict:
        """A change that names some columns alone, with what the shop knows in the others (models.bss_push)."""
        known = self.known(values[self.key])
        if not known:
            # What may be blank need not be told of a new row.
            known = {name: blank for name, (_, blank) in self.columns.items() if blank is not ...}
            known = {name: blank for name, blank in known.items() if name not in columns.OPTIONAL}
        return {**known, **values}

    def missing(self, values: dict) -> list[str]:
        """Columns without which a row cannot be."""
        return [name for name, (_, blank) in self.columns.items() if blank is ... and name not in values]

    def write(self, batch: list[Row], count: Count) -> None:
        raise NotImplementedError


class _Subscribers(File):
    name, key, columns = "subscribers.csv", "code", columns.SUBSCRIBERS
    _OF_HOLDER = ("segment", "first_name", "last_name", "company")

    def __init__(self, now):
        super().__init__(now)
        # Holder's id → the line it was on first, and a hash of what that said.
        self._holders: dict[str, tuple[int, int]] = {}

    def wrong(self, values):
        return columns.wrong_subscriber(values)

    def known(self, key):
        subscriber = locked(Subscriber.select().where(Subscriber.code == key)).first()
        if subscriber is None:
            return {}
        holder = subscriber.holder
        return {
            **_cells(subscriber, "code", "since", "has_history"),
            "holder_id": holder.id_number,
            **_cells(holder, *self._OF_HOLDER),
        }

    def complete(self, values):
        whole = super().complete(values)
        if "holder_id" not in values:
            return whole
        # Somebody else's name is not the new holder's.
        holder = Holder.get_or_none(Holder.id_number == values["holder_id"])
        known = dict.fromkeys(self._OF_HOLDER, "") if holder is None else _cells(holder, *self._OF_HOLDER)
        if holder is None:
            whole.pop("segment", None)
            del known["segment"]
        return {**whole, **known, **values}

    def write(self, batch, count):
        holders = {}
        for row in batch:
            number = row.values["holder_id"]
            said = {name: row.values[name] for name in self._OF_HOLDER if name in row.values}
            first = self._holders.setdefault(number, (row.line, hash(tuple(said.values()))))
            if first[1] != hash(tuple(said.values())):
                row.problem = ("holder_id", f"has another segment or name than on line {first[0]}")
            elif first[0] == row.line:
                holders[number] = {"id_number": number, **said}
        renamed = {change.old["id_number"] for change in _upsert(Holder, Holder.id_number, holders.values(), Count())}
        ids = _ids(Holder.id_number, (row.values["holder_id"] for row in batch))
        good = [row.values for row in batch if not row.problem]
        before = _ids(Subscriber.code, (values["code"] for values in good))
        rows = [
            {
                "holder": ids[values["holder_id"]],
                **{name: values[name] for name in ("code", "since", "has_history") if name in values},
            }
            for values in good
        ]
        changes = _upsert(Subscriber, Subscriber.code, rows, count)
        _forget_profiles(
            Number.subscriber.in_([change.old["id"] for change in changes if "holder" in change.differences])
        )
        # A line whose holder alone changed has changed, too.
        before = before.keys() - {change.old["code"] for change in changes}
        also = sum(values["code"] in before and values["holder_id"] in renamed for values in good)
        count.changed += also
        count.unchanged -= also


class _Numbers(File):
    name, key, columns = "numbers.csv", "msisdn", columns.NUMBERS

    def known(self, key):
        number = locked(Number.select().where(Number.msisdn == key)).first()
        if number is None:
            return {}
        return {
            **_cells(number, "msisdn", "sim_end", "kind", "tariff", "active"),
            "subscriber": number.subscriber.code,
        }

    def write(self, batch, count):
        _resolve(batch, "subscriber", Subscriber.code, "is no subscriber code of the shop or of subscribers.csv")
        rows = [row.values for row in batch if not row.problem]
        changes = _upsert(Number, Number.msisdn, rows, count)
        moved = [change for change in changes if "subscriber" in change.differences]
        codes = {change.old["subscriber"] for change in moved} | {c.differences["subscriber"] for c in moved}
        holder_of = dict(Subscriber.select(Subscriber.id, Subscriber.holder).where(Subscriber.id.in_(codes)).tuples())
        lost = [
            change.old["id"]
            for change in moved
            if holder_of[change.old["subscriber"]] != holder_of[change.differences["subscriber"]]
        ]
        lost += [change.old["id"] for change in changes if change.differences.get("active") is False]
        _forget_profiles(Number.id.in_(lost))
        # What somebody uses is no longer to be had from the pool, whatever new_numbers.csv says.
        _sold_elsewhere(values["msisdn"] for values in rows if values.get("active", True))


class _Invoices(File):
    name, key, columns = "invoices.csv", "number", columns.INVOICES

    def wrong(self, values):
        return columns.wrong_invoice(values)

    def known(self, key):
        # A payment in the shop waits for us, and we for it: what is read here is still true when it is written.
        invoice = locked(Invoice.select().where(Invoice.number == key)).first()
        if invoice is None:
            return {}
        told = _cells(invoice, "number", "issued_on", "due_on", "amount", "paid_at", "paid_through")
        return {**told, "subscriber": invoice.subscriber.code}

    def complete(self, values):
        whole = super().complete(values)
        if "paid_at" in values or "paid_through" in values:
            whole = {**whole, "paid_at": None, "paid_through": "", **values}
        return whole

    def missing(self, values):
        return [] if values.get("cancelled") else super().missing(values)

    def write(self, batch, count):
        gone = {row.values["number"] for row in batch if row.values.pop("cancelled", False)}
        if gone:
            # A choice of invoices that is being paid knows that one may go (models.bill_payment).
            deleted = Invoice.delete().where(Invoice.number.in_(list(gone))).execute()
            count.changed += deleted
            count.unchanged += len(gone) - deleted
            batch = [row for row in batch if row.values["number"] not in gone]
        _resolve(batch, "subscriber", Subscriber.code, "is no subscriber code of the shop or of subscribers.csv")
        rows = [row.values for row in batch if not row.problem]
        # Held until the import is over, and in the order in which a payment takes them: one that is being written at
        # this moment is waited for, or waits.
        numbers = [values["number"] for values in rows]
        held = locked(Invoice.select(Invoice.number, Invoice.paid_at).where(Invoice.number.in_(numbers)))
        paid = {number for number, at in held.order_by(Invoice.id).tuples() if at is not None}
        told, silent = [], []
        for values in rows:
            if values["paid_through"] == columns.REVERSED:
                values["paid_through"] = ""
            elif values["paid_at"] is None and values["number"] in paid:
                # It was paid in the shop a minute ago, and the billing system has not heard of it (PRO-7).
                silent.append({k: v for k, v in values.items() if k not in ("paid_at", "paid_through")})
                continue
            told.append(values)
        _upsert(Invoice, Invoice.number, told, count)
        _upsert(Invoice, Invoice.number, silent, count)


class _Contracts(File):
    name, key, columns = "contracts.csv", "code", columns.CONTRACTS
    # A contract that ended makes room for the number's next one, wherever the two stand in the file (ELG-5).
    readings = ("ended", "running")

    def __init__(self, now):
        super().__init__(now)
        self._today = local_day(now)

    def reading_of(self, values):
        ends_on = values.get("ends_on")
        running = not values.get("ended", False) and ends_on is not None and ends_on >= self._today
        return "running" if running else "ended"

    def wrong(self, values):
        return columns.wrong_contract(values)

    def known(self, key):
        contract = locked(Contract.select().where(Contract.code == key)).first()
        if contract is None:
            return {}
        names = [name for name in self.columns if name != "msisdn"]
        return {**_cells(contract, *names), "msisdn": contract.number.msisdn}

    def complete(self, values):
        whole = super().complete(values)
        if "paid" not in values and values.keys() & {"price", "instalments", "instalments_paid"}:
            # The share of the instalments counts, not what was paid before.
            whole["paid"] = None
        return whole

    def write(self, batch, count):
        _resolve(batch, "msisdn", Number.msisdn, "is no number of the shop or of numbers.csv", field="number")
        running = {}
        for row in batch:
            values = row.values
            if row.problem:
                continue
            values["ended"] = self.reading_of(values) == "ended"
            if values.get("paid") is None:
                values["paid"] = values["price"] * values["instalments_paid"] // values["instalments"]
            if not values["ended"]:
                running.setdefault(values["number"], row)
                if running[values["number"]] is not row:
                    row.problem = ("msisdn", f"has a running contract on line {running[values['number']].line}, too")
        (
            Contract.update(ended=True)
            .where(Contract.number.in_(list(running)), ~Contract.ended, Contract.ends_on < self._today)
            .execute()
        )
        others = Contract.select(Contract.number, Contract.code).where(
            ~Contract.ended, Contract.number.in_(list(running))
        )
        for number, code in others.tuples():
            if running[number].values["code"] != code:
                running[number].problem = ("msisdn", "has another running contract in the shop")
        _upsert(Contract, Contract.code, [row.values for row in batch if not row.problem], count)


class _NewNumbers(File):
    name, key, columns = "new_numbers.csv", "msisdn", columns.NEW_NUMBERS

    def write(self, batch, count):
        wanted = [row.values["msisdn"] for row in batch]
        pool = {number.msisdn: number for number in NewNumber.select().where(NewNumber.msisdn.in_(wanted))}
        used = _ids(Number.msisdn, wanted, Number.active)
        new, freed, gone = [], [], []
        for row in batch:
            msisdn, state = row.values["msisdn"], row.values.get("state", "free")
            known = pool.get(msisdn)
            if known is None and msisdn in used and state == "free":
                row.problem = ("msisdn", "is in use already, as numbers.csv or the shop says")
            elif known is None:
                new.append({"msisdn": msisdn, "state": state})
            elif state == "sold" and known.state != "sold":
                gone.append(msisdn)
            elif state == "free" and known.state == "sold" and known.order_id is None and msisdn not in used:
                # The operator had taken it out, and puts it back.
                freed.append(msisdn)
            else:
                # Held or sold in the shop: the shop knows better.
                count.unchanged += 1
        count.added += len(new)
        count.changed += len(freed) + len(gone)
        if new:
            NewNumber.insert_many(new).execute()
        if freed:
            NewNumber.update(state="free").where(NewNumber.msisdn.in_(freed), NewNumber.order.is_null()).execute()
        _sold_elsewhere(gone)


class _FixedServices(File):
    name, key, columns = "fixed_services.csv", "code", columns.FIXED_SERVICES

    def known(self, key):
        service = locked(FixedService.select().where(FixedService.code == key)).first()
        if service is None:
            return {}
        return {**_cells(service, "code", "kind", "package", "active"), "subscriber": service.subscriber.code}

    def write(self, batch, count):
        _resolve(batch, "subscriber", Subscriber.code, "is no subscriber code of the shop or of subscribers.csv")
        _upsert(FixedService, FixedService.code, [row.values for row in batch if not row.problem], count)


# In the order of what refers to what.
FILES: tuple[type[File], ...] = (_Subscribers, _Numbers, _Invoices, _Contracts, _NewNumbers, _FixedServices)


@dataclass(slots=True)
class _Change:
    old: dict
    differences: dict


def _upsert(model, key, rows, count: Count) -> list[_Change]:
    """Insert what is new, write the cells that differ; returns what was changed."""
    rows = list(rows)
    if not rows:
        return []
    kept = {row[key.name]: row for row in model.select().where(key.in_([row[key.name] for row in rows])).dicts()}
    new, changes = [], []
    for values in rows:
        old = kept.get(values[key.name])
        if old is None:
            new.append(values)
            continue
        differences = {name: value for name, value in values.items() if old[name] != value}
        if differences:
            # Only these: what the shop writes to the row at the same moment stays.
            model.update(**differences).where(model.id == old["id"]).execute()
            changes.append(_Change(old, differences))
    if new:
        model.insert_many(new).execute()
    count.added += len(new)
    count.changed += len(changes)
    count.unchanged += len(rows) - len(new) - len(changes)
    return changes


def _cells(row, *names: str) -> dict:
    return {name: getattr(row, name) for name in names}


def _ids(key, wanted, *conditions) -> dict[str, int]:
    model = key.model
    return dict(model.select(key, model.id).where(key.in_(list(set(wanted))), *conditions).tuples())


def _resolve(batch: list[Row], column: str, key, why: str, field: str = "") -> None:
    """Put the id of what a column names into the rows; a row that names nothing has a problem."""
    ids = _ids(key, (row.values[column] for row in batch))
    for row in batch:
        found = ids.get(row.values.pop(column))
        if found is None:
            row.problem = (column, why)
        else:
            row.values[field or column] = found


def _forget_profiles(numbers) -> None:
    """The proof that a profile holds a number was the former holder's (PRO-3); what is in a cart for it goes too."""
    gone = Number.select(Number.id).where(numbers)
    ProfileNumber.delete().where(ProfileNumber.number.in_(gone)).execute()
    CartLine.delete().where(CartLine.number.in_(gone)).execute()


def _sold_elsewhere(msisdns) -> None:
    msisdns = list(msisdns)
    if msisdns:
        (
            NewNumber.update(state="sold", held_until=None, cart=None, line=None)
            .where(NewNumber.msisdn.in_(msisdns), NewNumber.state != "sold")
            .execute()
        )


def _without_cells(bad: BadLine, header: Line | None, known) -> BadLine:
    """Of a file without a header the first line is somebody's: its cells are not quoted as names (PRV-1)."""
    if not bad.column or bad.column in known or header is None or header.cells is None:
        return bad
    for index, cell in enumerate(header.cells):
        if cell[:60] == bad.column:
            return bad._replace(column=f"column {index + 1}")
    return bad


def is_importing() -> bool:
    """Whether an import runs; else none begins until the transaction in hand ends.

    On SQLite the transaction has waited for it already.
    """
    if IS_SQLITE:
        return False
    return not db.execute_sql("SELECT pg_try_advisory_xact_lock_shared(%s)", (_IMPORT_LOCK,)).fetchone()[0]


def _one_at_a_time() -> None:
    """Two imports take turns; on SQLite the transaction sees to it."""
    if not IS_SQLITE:
        db.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_IMPORT_LOCK,))
