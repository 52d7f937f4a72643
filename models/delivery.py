"""The way to the door: delivery times, attempts, who received it, and what happens when nobody did (DLV-2…5)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import structlog
from peewee import BooleanField, CharField, Check, DateField, ForeignKeyField, IntegerField, TextField, fn

import crash
from models.actor import SHOPPER, SYSTEM, Actor
from models.base import BaseModel, MomentField, db
from models.calendar import WINDOWS, ZONE, delivery_day_after, end_of_day, is_delivery_day, local_day
from models.order import NotAllowed, Order, OrderLine
from models.outbox import Mail
from models.search_text import latin
from models.signers import signers_of
from models.sms import Sms
from models.stock_return import StockReturn
from models.trail import record, refuse_changed

log = structlog.get_logger()

# How many delivery days ahead a time may be chosen.
DAYS_OFFERED = 5
# Delivery days that the customer has to choose a new time after a failed attempt (DLV-5).
DAYS_TO_ARRANGE = 2
# So often may a shopper choose anew for one attempt; each choice is a mail, and a courier's plan.
CHOICES = 6
REASONS = ("no_answer", "not_home", "refused", "wrong_address", "no_id", "no_authorisation", "other")
# The kind alone is kept; its number is nobody's business (PRV-1).
DOCUMENTS = ("id_card", "passport", "driving_licence")


class NotOffered(Exception):
    """The time is not, or not any more, one that may be chosen (DLV-2, DLV-5)."""


class TooLate(Exception):
    """The 2 working days after the failed attempt are over: the order returns (DLV-5)."""


class NoReason(Exception):
    """A failed attempt needs one of REASONS, and `other` a word of explanation (DLV-5)."""


class NotReceived(Exception):
    """Delivered needs the recipient's name and one of DOCUMENTS; `field` is recipient or document (DLV-3)."""

    def __init__(self, field: str):
        super().__init__(field)
        self.field = field


class NoAuthorisation(Exception):
    """Somebody else than who may receive it, without a proper authorisation (DLV-3)."""


@dataclass(frozen=True, order=True)
class Slot:
    """A day and a window of hours in which the courier comes."""

    day: date
    starts: int
    ends: int

    @classmethod
    def read(cls, code: str) -> "Slot":
        """The slot of `code`; raises NotOffered where it is none."""
        try:
            day, _, hours = code.partition(".")
            starts, _, ends = hours.partition("-")
            slot = cls(date.fromisoformat(day), int(starts), int(ends))
        except ValueError:
            raise NotOffered(code) from None
        if (slot.starts, slot.ends) not in WINDOWS or slot.code != code:
            raise NotOffered(code)
        return slot

    @property
    def code(self) -> str:
        """As forms carry it: "2026-03-12.9-12"."""
        return f"{self.day.isoformat()}.{self.starts}-{self.ends}"

    @property
    def hours(self) -> str:
        """As people read it: "9–12"."""
        return f"{self.starts}–{self.ends}"

    def is_over(self, now) -> bool:
        return now >= datetime(self.day.year, self.day.month, self.day.day, self.ends, tzinfo=ZONE).astimezone(UTC)


class DeliveryAttempt(BaseModel):
    """One time that the courier stood at the door."""

    order = ForeignKeyField(Order, backref="attempts", on_delete="RESTRICT")
    # Counted from 1.
    number = IntegerField(constraints=[Check("number > 0")])
    at = MomentField()
    outcome = CharField(max_length=10, constraints=[Check("outcome IN ('failed', 'delivered')")])
    # Of a failed one: one of REASONS, and the last day on which the customer may arrange a new time.
    reason = CharField(max_length=20, default="")
    text = TextField(default="")
    until = DateField(null=True, index=True)
    # Of a delivered one: who took it, what kind of document they showed, and whether an authorisation (DLV-3).
    recipient = CharField(max_length=120, default="")
    document = CharField(max_length=20, default="")
    authorised = BooleanField(default=False)
    role = CharField(max_length=10)
    who = CharField(max_length=254, default="")

    class Meta:
        indexes = ((("order", "number"), True),)
        constraints = [
            Check(f"reason IN {('', *REASONS)!r} AND (reason <> '') = (outcome = 'failed')"),
            Check("(until IS NOT NULL) = (outcome = 'failed')"),
            Check(f"document IN {('', *DOCUMENTS)!r} AND (document <> '') = (outcome = 'delivered')"),
            Check("(recipient <> '') = (outcome = 'delivered')"),
        ]

    @classmethod
    def of(cls, order: Order) -> "list[DeliveryAttempt]":
        """All of the order's, the first first."""
        return list(cls.select().where(cls.order == order).order_by(cls.number))

    @classmethod
    def last_of(cls, order: Order) -> "DeliveryAttempt | None":
        return cls.select().where(cls.order == order).order_by(cls.number.desc()).first()

    @property
    def by(self) -> Actor:
        return Actor(self.role, self.who)

    @property
    def over_at(self) -> datetime:
        """The moment at which the working days to arrange a new time are over: the end of the last one."""
        return end_of_day(self.until)


class ArrangedTime(BaseModel):
    """The time that was arranged for an attempt; choosing anew replaces it, and the trail keeps the old one."""

    order = ForeignKeyField(Order, backref="arranged", on_delete="RESTRICT")
    # The number of the attempt that it is for.
    attempt = IntegerField(constraints=[Check("attempt > 0")])
    day = DateField(index=True)
    starts = IntegerField()
    ends = IntegerField()
    # How often it was chosen.
    choices = IntegerField(default=1)
    at = MomentField()
    role = CharField(max_length=10)
    who = CharField(max_length=254, default="")

    class Meta:
        indexes = ((("order", "attempt"), True),)
        constraints = [Check(" OR ".join(f"(starts = {starts} AND ends = {ends})" for starts, ends in WINDOWS))]

    @property
    def slot(self) -> Slot:
        return Slot(self.day, self.starts, self.ends)


def next_attempt(order: Order) -> int:
    """The number of the attempt that comes next, counted from 1."""
    last = DeliveryAttempt.select(fn.MAX(DeliveryAttempt.number)).where(DeliveryAttempt.order == order).scalar()
    return (last or 0) + 1


def arranged(order: Order) -> ArrangedTime | None:
    """The time that is arranged for the order's next attempt."""
    return ArrangedTime.get_or_none(ArrangedTime.order == order, ArrangedTime.attempt == next_attempt(order))


def deadline(order: Order) -> date | None:
    """The last day on which a new time may be arranged after a failed attempt; None where nothing is awaited."""
    if order.state != "delivery_failed":
        return None
    last = DeliveryAttempt.last_of(order)
    return last.until if last is not None else None


def times(order: Order, now, by: Actor = SHOPPER) -> list[Slot]:
    """The times that `by` may choose now, the soonest first; none where nothing is to be arranged (DLV-2, DLV-5).

    A shopper chooses after a failed attempt, from the next delivery day on; who works here also on the first way,
    and what is left of today.
    """
    is_shopper = by.role == "shopper"
    if order.state != "delivery_failed" and (is_shopper or order.state != "with_courier"):
        return []
    known = arranged(order)
    if known is not None and is_shopper and known.choices >= CHOICES:
        return []
    if known is None and _is_too_late(order, now):
        return []
    today = local_day(now)
    days = [delivery_day_after(today, count) for count in range(1, DAYS_OFFERED + 1)]
    if not is_shopper and is_delivery_day(today):
        days.insert(0, today)
    slots = [Slot(day, *window) for day in days for window in WINDOWS]
    return [slot for slot in slots if not slot.is_over(now)]


def arrange(order: Order, slot: Slot, *, by: Actor, now, mark: str | None = None) -> ArrangedTime:
    """Arrange `slot` for the next attempt, in one transaction with its mail (DLV-5); the same again changes nothing.

    The order stays in its state: the warehouse hands it to the courier again. Raises NotAllowed in another state,
    TooLate after the working days of the failed attempt, NotOffered for a time that `times` does not offer, and
    ChangedMeanwhile when the trail went on after `mark`.
    """
    with db.atomic():
        order = order.relock()
        if order.state not in ("with_courier", "delivery_failed") or (
            by.role == "shopper" and order.state == "with_courier"
        ):
            raise NotAllowed(f"{order.number} is {order.state}")
        known = arranged(order)
        if known is not None and known.slot == slot:
            return known
        if mark is not None:
            refuse_changed(order, mark)
        if known is None and _is_too_late(order, now):
            raise TooLate(order.number)
        if slot not in times(order, now, by):
            raise NotOffered(slot.code)
        before = {"time": known.slot.code} if known is not None else {}
        if known is None:
            known = ArrangedTime(order=order, attempt=next_attempt(order), choices=0)
        known.day, known.starts, known.ends = slot.day, slot.starts, slot.ends
        known.choices += 1
        known.at, known.role, known.who = now, by.role, by.name
        known.save()
        crash.at("time: arranged")
        entry = record(by, "time_arranged", now, order=order, before=before, after={"time": slot.code})
        _write("time_arranged", order, now, f"time_arranged:{entry.id}", {"time": slot.code})
    return known


def _is_too_late(order: Order, now) -> bool:
    last = DeliveryAttempt.last_of(order) if order.state == "delivery_failed" else None
    return last is not None and now >= last.over_at


# Warehouse and courier


class ContentsChanged(Exception):
    """What is to be packed is not what the list showed: somebody changed a colour meanwhile (AFT-1)."""


def contents_of(lines: list[OrderLine]) -> str:
    """What an order's pick list says, in short: a page carries it, so that what was picked is what is packed."""
    return "-".join(str(line.variant_id) for line in lines)


def pack(order: Order, contents: str, *, by: Actor, now) -> bool:
    """The pieces of `contents` are packed; false where they were before. Raises NotAllowed, ContentsChanged."""
    with db.atomic():
        order = order.relock()
        if contents != contents_of(order.lines()):
            raise ContentsChanged(order.number)
        if order.state == "packed":
            return False
        order.move("packed", by=by, now=now)
        record(by, "packed", now, order=order)
    return True


class NotArranged(Exception):
    """After a failed attempt it goes out again only for a new time (DLV-5)."""


def hand_over(order: Order, *, by: Actor, now) -> bool:
    """The courier has it, for the first attempt or for a new one; false where they had it before (DSK-2).

    Raises NotAllowed, and NotArranged where no new time was arranged after a failed attempt.
    """
    with db.atomic():
        order = order.relock()
        if order.state == "with_courier":
            return False
        known = arranged(order)
        if order.state == "delivery_failed" and known is None:
            raise NotArranged(order.number)
        number = next_attempt(order)
        order.move("with_courier", by=by, now=now)
        crash.at("handover: moved")
        record(by, "handed_over", now, order=order, after={"attempt": number})
        data = {"attempt": number} | ({"time": known.slot.code} if known is not None else {})
        _write("on_its_way", order, now, f"on_its_way:{order.id}:{number}", data)
    return True


def fail(order: Order, number: int, reason: str, text: str = "", *, by: Actor, now) -> DeliveryAttempt:
    """Attempt `number` failed: the customer is told in writing, by mail and SMS, and has 2 working days (DLV-5).

    Told twice it is one attempt. Raises NotAllowed, NoReason.
    """
    text = text.strip()
    if reason not in REASONS or (reason == "other" and not text):
        raise NoReason(reason)
    with db.atomic():
        order = order.relock()
        if (known := _attempt(order, number, "failed")) is not None:
            return known
        until = delivery_day_after(local_day(now), DAYS_TO_ARRANGE)
        attempt = DeliveryAttempt.create(
            order=order,
            number=number,
            at=now,
            outcome="failed",
            reason=reason,
            text=text,
            until=until,
            role=by.role,
            who=by.name,
        )
        order.move("delivery_failed", by=by, now=now, why=reason)
        crash.at("attempt: moved")
        record(
            by,
            "attempt_failed",
            now,
            order=order,
            after={"attempt": number, "reason": reason, "until": until.isoformat()},
            why=text,
        )
        key, data = f"attempt_failed:{attempt.id}", {"attempt": attempt.id}
        _write("attempt_failed", order, now, key, data)
        Sms.write("attempt_failed", order.phone, order.language, now, key=key, data=data, until=attempt.over_at)
    return attempt


def is_holder_only(order: Order) -> bool:
    """Whether nobody but the number's holder may receive it: a Besnik 24 device, or one paid with points (DLV-3)."""
    return order.points > 0 or any(line.contract_type == "besnik24" for line in order.lines())


def may_receive(order: Order) -> list[str]:
    """Who may receive the order without an authorisation (DLV-3)."""
    return signers_of(order) or [order.receiver]


def is_receiver(order: Order, name: str) -> bool:
    """Whether `name` is one of those who may, however it is written."""
    return _name(name) in {_name(known) for known in may_receive(order)}


def _name(name: str) -> tuple[str, ...]:
    return tuple(sorted(latin(name).replace("-", " ").split()))


def deliver(
    order: Order, number: int, recipient: str, document: str, *, authorised: bool = False, by: Actor, now
) -> DeliveryAttempt:
    """Attempt `number` was a success: `recipient` has it, having shown a valid `document` (DLV-3).

    Who receives in somebody's place has shown a proper authorisation. Told twice it is one delivery. Raises
    NotAllowed, NotReceived, NoAuthorisation.
    """
    recipient = " ".join(recipient.split())
    if len(recipient) < 2 or not any(character.isalpha() for character in recipient):
        raise NotReceived("recipient")
    if document not in DOCUMENTS:
        raise NotReceived("document")
    with db.atomic():
        order = order.relock()
        if (known := _attempt(order, number, "delivered")) is not None:
            return known
        in_person = is_receiver(order, recipient)
        if not in_person and not authorised:
            raise NoAuthorisation(recipient)
        attempt = DeliveryAttempt.create(
            order=order,
            number=number,
            at=now,
            outcome="delivered",
            recipient=recipient[:120],
            document=document,
            authorised=not in_person,
            role=by.role,
            who=by.name,
        )
        order.move("delivered", by=by, now=now)
        crash.at("delivery: moved")
        record(
            by,
            "delivered",
            now,
            order=order,
            after={
                "attempt": number,
                "recipient": attempt.recipient,
                "document": document,
                "authorised": attempt.authorised,
            },
        )
        _write("delivered", order, now, f"delivered:{order.id}", {"attempt": attempt.id})
    return attempt


def _attempt(order: Order, number: int, outcome: str) -> DeliveryAttempt | None:
    """What was written of attempt `number` before; raises NotAllowed where it went otherwise, or is not the next."""
    known = DeliveryAttempt.get_or_none(DeliveryAttempt.order == order, DeliveryAttempt.number == number)
    if known is not None and known.outcome == outcome:
        return known
    if known is not None or order.state != "with_courier" or number != next_attempt(order):
        raise NotAllowed(f"{order.number} is {order.state}, attempt {number}")
    return None


# Back to the warehouse


def give_up(order: Order, *, by: Actor, now) -> bool:
    """After a failed attempt the order returns: its pieces are awaited, its money goes back (DLV-5); false where it
    had returned before. Raises NotAllowed."""
    with db.atomic():
        order = order.relock()
        if order.state == "returned":
            return False
        if order.state != "delivery_failed":
            raise NotAllowed(f"{order.number} is {order.state}")
        _return(order, by, now)
    return True


def _return(order: Order, by: Actor, now) -> None:
    StockReturn.expect(order, now)
    order.move("returned", by=by, now=now, why="no_new_time" if by == SYSTEM else "")
    crash.at("return: moved")
    record(by, "returned", now, order=order)
    _write("returned", order, now, f"returned:{order.id}", {"reason": "not_delivered"})


def return_all_due(now, limit: int = 200) -> int:
    """Take orders back whose 2 working days are over without a new time; returns how many (DLV-5).

    Each in its own transaction, and asked anew with its row held: a time that is arranged at that moment counts. One
    that fails is logged.
    """
    later = DeliveryAttempt.alias()
    due = (
        DeliveryAttempt.select(DeliveryAttempt, Order)
        .join(Order)
        .where(
            Order.state == "delivery_failed",
            DeliveryAttempt.outcome == "failed",
            DeliveryAttempt.until < local_day(now),
            ~fn.EXISTS(
                later.select(later.id).where(
                    later.order == DeliveryAttempt.order, later.number > DeliveryAttempt.number
                )
            ),
            ~fn.EXISTS(
                ArrangedTime.select(ArrangedTime.id).where(
                    ArrangedTime.order == DeliveryAttempt.order, ArrangedTime.attempt > DeliveryAttempt.number
                )
            ),
        )
        .order_by(DeliveryAttempt.until, DeliveryAttempt.id)
        .limit(limit)
    )
    returned = 0
    for attempt in list(due):
        try:
            returned += _return_due(attempt.order, now)
        except Exception:
            # One order that cannot return keeps no other from it; it is tried again with the next batch.
            log.exception("delivery.not_returned", order=attempt.order.number)
    return returned


def _return_due(order: Order, now) -> bool:
    with db.atomic():
        order = order.relock()
        if order.state != "delivery_failed" or arranged(order) is not None or not _is_too_late(order, now):
            return False
        _return(order, SYSTEM, now)
    return True


def _write(kind: str, order: Order, now, key: str, data: dict) -> None:
    Mail.write_to(order.email, kind, now, key=key, language=order.language, order=order, data=data)


def missed(now):
    """Arranged times that passed without an attempt, the oldest first, with their orders (DLV-5)."""
    last = DeliveryAttempt.alias()
    today = local_day(now)
    hour = now.astimezone(ZONE).hour
    return (
        ArrangedTime.select(ArrangedTime, Order)
        .join(Order)
        .where(
            Order.state.in_(("with_courier", "delivery_failed")),
            (ArrangedTime.day < today) | ((ArrangedTime.day == today) & (ArrangedTime.ends <= hour)),
            ~fn.EXISTS(
                last.select(last.id).where(last.order == ArrangedTime.order, last.number >= ArrangedTime.attempt)
            ),
        )
        .order_by(ArrangedTime.day, ArrangedTime.starts, ArrangedTime.id)
    )
