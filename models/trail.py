"""The audit trail: what was done, by whom and when, only ever added to (DSK-1, DSK-5)."""

import re
from dataclasses import dataclass
from datetime import datetime

from peewee import CharField, ForeignKeyField, JSONField, TextField, fn

from models.actor import Actor
from models.base import BaseModel, MomentField
from models.order import Order, OrderEvent

# Steps after which an order is what it was: nobody needs to be told of them before changing it.
HARMLESS = frozenset({"note", "identified", "not_identified", "call_ended", "resent"})


class ChangedMeanwhile(Exception):
    """Somebody else changed the order since its page was shown; `steps` says what happened, the oldest first."""

    def __init__(self, steps):
        super().__init__(", ".join(step.what for step in steps))
        self.steps = list(steps)


class AuditEntry(BaseModel):
    """One thing that somebody did. Triggers refuse every change of a row."""

    at = MomentField(index=True)
    role = CharField(max_length=10, index=True)
    # The e-mail of who works here; "" for a shopper and for the shop itself.
    who = CharField(max_length=254, default="", index=True)
    # What was done, in one word of the code: changed, moved, note, login…
    what = CharField(max_length=40, index=True)
    order = ForeignKeyField(Order, null=True, backref="trail", on_delete="RESTRICT")
    # What it was done to where that is no order: device:galaxy-s25, staff:agent@example.com.
    subject = CharField(max_length=160, default="", index=True)
    # Field → value, before and after; codes and amounts in minor units, never secrets.
    before = JSONField(default=dict)
    after = JSONField(default=dict)
    why = TextField(default="")

    @property
    def by(self) -> Actor:
        return Actor(self.role, self.who)


def record(by: Actor, what: str, now, *, order=None, subject="", before=None, after=None, why="") -> AuditEntry:
    """Write down what `by` did; call it in the transaction that does it (DSK-1)."""
    return AuditEntry.create(
        at=now,
        role=by.role,
        who=by.name,
        what=what,
        order=order,
        subject=subject,
        before=before or {},
        after=after or {},
        why=why,
    )


@dataclass(frozen=True)
class Step:
    """One line of an order's trail. `what` is `state` for a change of state, whose `after` is {"state": …}."""

    at: datetime
    by: Actor
    what: str
    before: dict
    after: dict
    why: str


def trail_of(order: Order) -> list[Step]:
    """All that happened to the order, the oldest first: its states and what people did; two queries."""
    return _steps(order, 0, 0)


def mark_of(order: Order) -> str:
    """How far the trail goes: what a page shows that somebody is about to change."""
    event = OrderEvent.select(fn.MAX(OrderEvent.id)).where(OrderEvent.order == order).scalar() or 0
    entry = AuditEntry.select(fn.MAX(AuditEntry.id)).where(AuditEntry.order == order).scalar() or 0
    return f"{event}.{entry}"


def refuse_changed(order: Order, mark: str) -> None:
    """Raises ChangedMeanwhile when more than HARMLESS steps follow `mark`; call it with the order's row held.

    A mark that no page wrote counts as one from before everything.
    """
    event, entry = map(int, mark.split(".")) if re.fullmatch(r"\d{1,18}\.\d{1,18}", mark) else (0, 0)
    if steps := [step for step in _steps(order, event, entry) if step.what not in HARMLESS]:
        raise ChangedMeanwhile(steps)


def trail_of_subject(subject: str, limit: int | None = None, what: str | None = None) -> list[AuditEntry]:
    """What happened to what is no order (device:…, variant:…), the newest first; one query."""
    found = AuditEntry.select().where(AuditEntry.subject == subject).order_by(AuditEntry.id.desc()).limit(limit)
    return list(found.where(AuditEntry.what == what) if what else found)


def mark_of_subject(subject: str) -> str:
    """As `mark_of`, for what is no order."""
    return str(AuditEntry.select(fn.MAX(AuditEntry.id)).where(AuditEntry.subject == subject).scalar() or 0)


def refuse_changed_subject(subject: str, mark: str) -> None:
    """Raises ChangedMeanwhile when the subject's trail goes on after `mark`; call it with its row held."""
    last = int(mark) if re.fullmatch(r"[0-9]{1,18}", mark) else 0
    steps = [entry for entry in trail_of_subject(subject, 50) if entry.id > last]
    if steps:
        raise ChangedMeanwhile(steps[::-1])


def _steps(order: Order, event: int, entry: int) -> list[Step]:
    events = OrderEvent.select().where(OrderEvent.order == order, OrderEvent.id > event).order_by(OrderEvent.id)
    entries = AuditEntry.select().where(AuditEntry.order == order, AuditEntry.id > entry).order_by(AuditEntry.id)
    moves = [Step(e.at, Actor(e.author, e.who), "state", {}, {"state": e.state}, e.why) for e in events]
    done = [Step(e.at, e.by, e.what, e.before, e.after, e.why) for e in entries]
    # Sorting is stable: of one moment the states come first.
    return sorted(moves + done, key=lambda step: step.at)
