"""What lies in the warehouse and what the courier has: the lists of the day, and many orders at once (DSK-2)."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from peewee import JOIN, Case, fn

from models.actor import Actor
from models.calendar import local_day
from models.claim import Claim
from models.delivery import (
    ArrangedTime,
    ContentsChanged,
    DeliveryAttempt,
    NotArranged,
    contents_of,
    hand_over,
    missed,
    pack,
)
from models.document import Document
from models.order import NotAllowed, Order, OrderEvent, OrderLine
from models.order_number import MistypedNumber, read_number
from models.stock_return import StockReturn

# In these an order is promised and not there yet.
UNDER_WAY = ("confirmed", "packed", "with_courier", "delivery_failed")
# So many of a list stand on one page; the rest follows when these are done.
SHOWN = 200
# So many numbers are taken in one go.
AT_ONCE = 200


@dataclass(frozen=True)
class Counts:
    """How many orders wait at each step, and how many of all are later than promised."""

    to_pack: int
    packed: int
    with_courier: int
    failed: int
    awaited: int
    overdue: int
    missed: int

    @classmethod
    def now(cls, now) -> "Counts":
        """Three queries."""
        late = fn.SUM(fn.COALESCE((Order.promised_on < local_day(now)).cast("INTEGER"), 0))
        rows = (
            Order.select(Order.state, fn.COUNT(Order.id), late)
            .where(Order.state.in_(UNDER_WAY))
            .group_by(Order.state)
            .tuples()
        )
        found = {state: (count, overdue) for state, count, overdue in rows}
        return cls(
            *(found.get(state, (0, 0))[0] for state in UNDER_WAY),
            awaited=StockReturn.select().where(StockReturn.arrived_at.is_null()).count(),
            overdue=sum(int(overdue) for _, overdue in found.values()),
            missed=missed(now).count(),
        )


@dataclass
class Parcel:
    """An order with what the warehouse and the courier need of it."""

    order: Order
    lines: list[OrderLine] = field(default_factory=list)
    attempts: list[DeliveryAttempt] = field(default_factory=list)
    # The time that is arranged for the next attempt.
    arranged: ArrangedTime | None = None
    # A colour changed after it was packed: it is packed anew.
    recoloured: bool = False
    # It is packed, and its papers were issued anew since: those that lie in it are old (AFT-1, DLV-4).
    reissued: bool = False

    @property
    def contents(self) -> str:
        return contents_of(self.lines)

    @property
    def next_attempt(self) -> int:
        return self.attempts[-1].number + 1 if self.attempts else 1

    @property
    def last(self) -> DeliveryAttempt | None:
        return self.attempts[-1] if self.attempts else None

    @property
    def pieces(self) -> int:
        return sum(line.quantity for line in self.lines)

    def is_late(self, now) -> bool:
        """Promised for a day before today, and not delivered (DLV-2)."""
        return self.order.state in UNDER_WAY and self.order.promised_on < local_day(now)

    def is_missed(self, now) -> bool:
        """The arranged time passed, and nobody said how the attempt went (DLV-5)."""
        return self.arranged is not None and self.arranged.slot.is_over(now)

    def is_holder_only(self) -> bool:
        """As `models.delivery.is_holder_only`, of the lines at hand (DLV-3)."""
        return self.order.points > 0 or any(line.contract_type == "besnik24" for line in self.lines)


def parcels(orders: list[Order]) -> list[Parcel]:
    """The orders' parcels, in the same order; four queries, however many."""
    found = {order.id: Parcel(order) for order in orders}
    if not found:
        return []
    ids = list(found)
    for line in OrderLine.select().where(OrderLine.order.in_(ids)).order_by(OrderLine.position):
        found[line.order_id].lines.append(line)
    for attempt in DeliveryAttempt.select().where(DeliveryAttempt.order.in_(ids)).order_by(DeliveryAttempt.number):
        found[attempt.order_id].attempts.append(attempt)
    for time in ArrangedTime.select().where(ArrangedTime.order.in_(ids)):
        if time.attempt == found[time.order_id].next_attempt:
            found[time.order_id].arranged = time
    repacked = OrderEvent.select(OrderEvent.order).where(OrderEvent.order.in_(ids), OrderEvent.why == "repack")
    for event in repacked:
        found[event.order_id].recoloured = found[event.order_id].order.state == "confirmed"
    for number in reissued(order.id for order in orders if order.state == "packed"):
        found[number].reissued = True
    return list(found.values())


def reissued(ids: Iterable[int]) -> set[int]:
    """Those of these orders whose papers for the parcel were issued anew after they were packed; one query."""
    packed_at = OrderEvent.select(fn.MAX(OrderEvent.at)).where(
        OrderEvent.order == Document.order, OrderEvent.state == "packed"
    )
    anew = Document.select(Document.order).where(
        Document.order.in_(list(ids)),
        Document.kind.in_(("contract", "receipt")),
        Document.issue > 1,
        Document.issued_at > packed_at,
    )
    return {row.order_id for row in anew}


def parcel_of(order: Order) -> Parcel:
    return parcels([order])[0]


def in_state(state: str, limit: int = SHOWN) -> list[Parcel]:
    """The parcels in this state, the earliest promised first."""
    orders = Order.select().where(Order.state == state).order_by(Order.promised_on, Order.id).limit(limit)
    return parcels(list(orders))


@dataclass(frozen=True)
class Listed:
    """The first of a list, and how many are in it."""

    parcels: list[Parcel]
    total: int

    @classmethod
    def of(cls, orders, limit: int) -> "Listed":
        found = list(orders.limit(limit))
        return cls(parcels(found), len(found) if len(found) < limit else orders.count())


def _with_times(state: str):
    """The orders in this state, each with the time that is arranged for its next attempt, or none."""
    past = DeliveryAttempt.alias()
    is_over = fn.EXISTS(past.select(past.id).where(past.order == Order.id, past.number >= ArrangedTime.attempt))
    on = (ArrangedTime.order == Order.id) & ~is_over
    return Order.select(Order).join(ArrangedTime, JOIN.LEFT_OUTER, on=on).where(Order.state == state)


def timed(limit: int = SHOWN) -> Listed:
    """After a failed attempt, with a new time: the soonest first (DLV-5)."""
    orders = _with_times("delivery_failed").where(ArrangedTime.id.is_null(False))
    return Listed.of(orders.order_by(ArrangedTime.day, ArrangedTime.starts, Order.id), limit)


def untimed(limit: int = SHOWN) -> Listed:
    """After a failed attempt, without a new time: whose days are over first (DLV-5)."""
    last, later = DeliveryAttempt.alias(), DeliveryAttempt.alias()
    is_last = ~fn.EXISTS(later.select(later.id).where(later.order == Order.id, later.number > last.number))
    orders = (
        _with_times("delivery_failed")
        .join_from(Order, last, on=(last.order == Order.id) & is_last)
        .where(ArrangedTime.id.is_null())
    )
    return Listed.of(orders.order_by(last.until, Order.id), limit)


def to_pack() -> dict[date, list[Parcel]]:
    """What is to be picked, by the day that was promised (DSK-2)."""
    days = defaultdict(list)
    for parcel in in_state("confirmed"):
        days[parcel.order.promised_on].append(parcel)
    return dict(days)


def awaited(limit: int = SHOWN) -> list[tuple[StockReturn, Parcel]]:
    """Pieces that are on their way back, the longest awaited first; of a withdrawal its lines alone (AFT-3)."""
    rows = list(StockReturn.awaited().limit(limit))
    found = {parcel.order.id: parcel for parcel in parcels([row.order for row in rows])}
    withdrawn = Claim.select().where(
        Claim.order.in_(list(found) or [0]), Claim.kind == "withdrawal", Claim.state == "accepted"
    )
    for claim in withdrawn:
        if claim.lines is not None:
            parcel = found[claim.order_id]
            parcel.lines = [line for line in parcel.lines if line.id in claim.lines]
    return [(row, found[row.order_id]) for row in rows]


@dataclass(frozen=True)
class Tour:
    """A part of the courier's list: those whose time passed, today's, later ones, those without a time."""

    name: str
    parcels: list[Parcel]


def tours(now, limit: int = SHOWN) -> list[Tour]:
    """What the courier has, today's times first and in their order (DSK-2, DLV-5)."""
    today, parts = local_day(now), {"missed": [], "today": [], "untimed": [], "later": []}
    # Of too many those of later days are left out first, those of today never for the others.
    day = ArrangedTime.day
    urgency = Case(None, [(day == today, 0), (day < today, 1), (day.is_null(), 2)], 3)
    orders = _with_times("with_courier").order_by(urgency, day, ArrangedTime.starts, Order.promised_on, Order.id)
    for parcel in parcels(list(orders.limit(limit))):
        time = parcel.arranged
        if time is None:
            name = "untimed"
        elif parcel.is_missed(now):
            name = "missed"
        else:
            name = "today" if time.day == today else "later"
        parts[name].append(parcel)
    for name in ("missed", "today", "later"):
        parts[name].sort(key=lambda parcel: parcel.arranged.slot)
    return [Tour(name, found) for name, found in parts.items() if found]


# Many at once


@dataclass(frozen=True)
class Told:
    """What became of one number: `outcome` is done, papers (done, and its papers are to be printed anew), already or
    why not.

    mistyped, unknown, repack (recoloured since it was packed), not_packed, no_time, changed, or the order's state.
    """

    typed: str
    outcome: str
    order: Order | None = None

    @property
    def is_fine(self) -> bool:
        return self.outcome in ("done", "papers", "already")


def numbers_in(text: str) -> list[str]:
    """What was scanned or typed, each number once: by lines, commas or spaces, whatever a scanner sends."""
    found: dict[str, str] = {}
    for piece in re.split(r"[\n\r,;\t]+", text):
        piece = " ".join(piece.split())
        # A number may be typed with spaces; several on a line are each one.
        parts = [piece] if _read(piece) or " " not in piece else piece.split(" ")
        for part in filter(None, parts):
            found.setdefault(_read(part) or part, part[:40])
    return list(found.values())


def _read(text: str) -> str | None:
    try:
        return read_number(text)
    except MistypedNumber:
        return None


def hand_over_all(typed: list[str], *, by: Actor, now) -> list[Told]:
    """Hand each of these numbers over to the courier, each in its own transaction (DSK-2)."""
    told = [_each(number, lambda order: hand_over(order, by=by, now=now)) for number in typed[:AT_ONCE]]
    anew = reissued(row.order.id for row in told if row.outcome == "done" and row.order.state == "packed")
    return [replace(row, outcome="papers") if row.order and row.order.id in anew else row for row in told]


def pack_all(chosen: list[tuple[str, str]], *, by: Actor, now) -> list[Told]:
    """Pack these orders, each with the contents its list showed and in its own transaction (DSK-2)."""
    return [
        _each(number, lambda order, picked=contents: pack(order, picked, by=by, now=now))
        for number, contents in chosen[:AT_ONCE]
    ]


def _each(typed: str, do) -> Told:
    number = _read(typed)
    if number is None:
        return Told(typed, "mistyped")
    order = Order.of_number(number)
    if order is None:
        return Told(typed, "unknown")
    try:
        return Told(typed, "done" if do(order) else "already", order)
    except ContentsChanged:
        return Told(typed, "changed", order)
    except NotArranged:
        return Told(typed, "no_time", order)
    except NotAllowed:
        order = Order.get_by_id(order.id)
        if order.state == "confirmed":
            return Told(typed, "repack" if parcel_of(order).recoloured else "not_packed", order)
        return Told(typed, order.state, order)
