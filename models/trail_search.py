"""The whole audit trail, for who looks after it: filtered, and paged by where the last page ended (DSK-1)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from peewee import JOIN

from models.calendar import ZONE
from models.order import Order
from models.trail import AuditEntry

PER_PAGE = 50
# What a file's making holds in memory at a time.
_CHUNK = 500


@dataclass(frozen=True)
class TrailSearch:
    """What is looked for: an e-mail, a word of the code, an order's number, and local days, both included."""

    who: str = ""
    what: str = ""
    number: str = ""
    since: date | None = None
    until: date | None = None

    def page(self, before: int | None = None) -> tuple[list[AuditEntry], int | None]:
        """The newest entries, or those older than the entry `before`, with their orders; and where the next page
        begins, None after the last. One query, as fast on the last page as on the first."""
        found = list(self._older(before).limit(PER_PAGE + 1))
        shown = found[:PER_PAGE]
        return shown, shown[-1].id if len(found) > PER_PAGE else None

    def all(self) -> Iterator[AuditEntry]:
        """All of them, the newest first, a chunk in memory at a time."""
        before = None
        while chunk := list(self._older(before).limit(_CHUNK)):
            yield from chunk
            before = chunk[-1].id

    def _older(self, before: int | None):
        query = (
            AuditEntry.select(AuditEntry, Order.id, Order.number)
            .join(Order, JOIN.LEFT_OUTER)
            .order_by(AuditEntry.id.desc())
        )
        if self.who:
            query = query.where(AuditEntry.who == self.who)
        if self.what:
            query = query.where(AuditEntry.what == self.what)
        if self.number:
            query = query.where(Order.number == self.number)
        if self.since is not None:
            query = query.where(AuditEntry.at >= _midnight(self.since))
        if self.until is not None:
            query = query.where(AuditEntry.at < _midnight(self.until + timedelta(days=1)))
        return query if before is None else query.where(AuditEntry.id < before)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), ZONE).astimezone(UTC)
