"""Single changes that the billing system pushes: one message each, by the rules of its files (docs/bss.md)."""

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from peewee import CharField, Check, IntegrityError, OperationalError

from models import bss_columns
from models.base import DEADLOCK, BaseModel, MomentField, ShortLived, db
from models.bss_club import HAPPENINGS
from models.bss_import import FILES, Count, Row, is_importing
from models.bss_known import BssKnown
from models.sheet import unseen

# What a message can be about → the file whose columns it has: "invoice" → invoices.csv; or what happened.
KINDS = {file.kind(): file for file in (*FILES, *HAPPENINGS)}
RESULTS = ("added", "changed", "unchanged", "older")
# How far ahead of the shop's a sender's clock may be: a moment in the future would hold up all that follows.
AHEAD = timedelta(minutes=5)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{7,79}", re.ASCII)


class BadMessage(Exception):
    """A message that cannot be taken; `errors` says why, by field. Nothing was changed."""

    def __init__(self, errors: dict[str, str]):
        super().__init__(", ".join(errors))
        self.errors = errors


class IdUsed(Exception):
    """The id belongs to another message."""


class Busy(Exception):
    """An import runs; the message is to be sent again."""


@dataclass(frozen=True, slots=True)
class Message:
    """One change: `data` holds cells by column, as text."""

    kind: str
    id: str
    at: datetime
    data: dict[str, str]

    @classmethod
    def read(cls, kind: str, body: bytes) -> "Message":
        """The message in a JSON text: {"id": …, "at": …, "data": {column: cell}}. Raises BadMessage.

        A cell is text, a number, true, false or null; null is a blank one.
        """
        try:
            # Numbers stay as they were written: 1899.50 is no binary fraction.
            told = json.loads(
                body, parse_int=str, parse_float=str, parse_constant=_refuse_constant, object_pairs_hook=_once
            )
        except (ValueError, RecursionError):
            raise BadMessage({"": "is no JSON in UTF-8, or names a field twice"}) from None
        if not isinstance(told, dict):
            raise BadMessage({"": "must be an object with id, at and data"})
        errors = {name: "is no field of a message" for name in told if name not in ("id", "at", "data")}
        data, number, at = told.get("data"), told.get("id"), None
        if not isinstance(number, str) or not _ID.fullmatch(number):
            errors["id"] = "must be 8 to 80 letters, digits, points, colons and hyphens"
        try:
            at = bss_columns.moment(told.get("at") if isinstance(told.get("at"), str) else "")
        except ValueError as error:
            errors["at"] = str(error)
        cells = {}
        if isinstance(data, dict):
            for name, value in data.items():
                try:
                    cells[name] = _cell(value)
                except ValueError as error:
                    errors[name] = str(error)
        else:
            errors["data"] = "must be an object"
        if errors:
            raise BadMessage(_named(errors, kind))
        return cls(kind, number, at, cells)

    @property
    def digest(self) -> str:
        """The same for the same message, however it was written out."""
        told = [self.kind, self.at.isoformat(), sorted(self.data.items())]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def take(self, now) -> str:
        """Take the change into the shop's copy; returns one of RESULTS.

        The same message again answers the same and changes nothing. `older`: the shop knows of a later change of
        the row, and nothing was changed. Raises BadMessage, IdUsed, Busy.
        """
        if self.at > now + AHEAD:
            raise BadMessage({"at": "is in the future"})
        for _ in range(3):
            try:
                return self._take(now)
            except (IntegrityError, OperationalError) as error:
                # Another message made the same new row, or met this one crosswise: nothing of this one is written.
                lost = isinstance(error, IntegrityError) or getattr(error.orig, "sqlstate", None) == DEADLOCK
                if db.in_transaction() or not lost:
                    raise
        return self._take(now)

    def _take(self, now) -> str:
        with db.atomic():
            if is_importing():
                raise Busy
            kept = BssMessage.keep(self, now)
            if kept is not None:
                if kept.digest != self.digest:
                    raise IdUsed
                return kept.result
            file = KINDS[self.kind](now)
            values = self._values(file)
            result = "older"
            if not file.is_state or BssKnown.advance(self.kind, values[file.key], self.at):
                result = self._write(file, values)
            BssMessage.update(result=result).where(BssMessage.message == self.id).execute()
        return result

    def _values(self, file) -> dict:
        values, errors = {}, {}
        for name, cell in self.data.items():
            if name not in file.columns:
                errors[name] = f"is no field of {self.kind}"
                continue
            read, blank = file.columns[name]
            try:
                if not cell and blank is ...:
                    raise ValueError("is blank")
                values[name] = read(cell) if cell else blank
            except ValueError as error:
                errors[name] = str(error)
        if file.key not in values and file.key not in errors:
            errors[file.key] = "is missing"
        if errors:
            raise BadMessage(_named(errors, self.kind))
        return values

    def _write(self, file, values: dict) -> str:
        values = file.complete(values)
        errors = dict.fromkeys(file.missing(values), "is missing")
        for name, reason in file.wrong(values):
            errors.setdefault(name, reason)
        if errors:
            raise BadMessage(errors)
        count, row = Count(), Row(1, values)
        file.write([row], count)
        if row.problem:
            raise BadMessage(dict([row.problem]))
        return "added" if count.added else "changed" if count.changed else "unchanged"


class BssMessage(ShortLived, BaseModel):
    """A message that was taken, so that it is not taken twice; what it told is not kept."""

    message = CharField(unique=True, max_length=80)
    kind = CharField(max_length=20)
    digest = CharField(max_length=64)
    # Blank only until its transaction ends.
    result = CharField(
        max_length=10,
        default="",
        constraints=[Check(f"result IN ({', '.join(repr(result) for result in ('', *RESULTS))})")],
    )
    taken_at = MomentField(index=True)

    @classmethod
    def keep(cls, message: Message, now) -> "BssMessage | None":
        """Note that `message` is being taken; or the row of when it was. Two at once wait here for each other."""
        made = (
            cls.insert(message=message.id, kind=message.kind, digest=message.digest, taken_at=now)
            .on_conflict_ignore()
            .as_rowcount()
            .execute()
        )
        return None if made else cls.get(cls.message == message.id)

    @classmethod
    def past(cls, now):
        """Those of more than 90 days ago: older ones change nothing anyway."""
        return cls.taken_at < now - timedelta(days=90)


def _cell(value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str):
        raise ValueError("must be text, a number, true, false or null")
    if reason := unseen(value):
        raise ValueError(reason)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("has half a character") from None
        value = unicodedata.normalize("NFC", value)
    return value.strip()


def _named(errors: dict[str, str], kind: str) -> dict[str, str]:
    """Names that are none of ours may be anybody's, and are cut."""
    known = {"", "id", "at", "data", *KINDS[kind].columns}
    return {name if name in known else name[:40]: reason for name, reason in errors.items()}


def _once(pairs) -> dict:
    told = dict(pairs)
    if len(told) != len(pairs):
        raise ValueError
    return told


def _refuse_constant(name):
    raise ValueError
