"""What the billing system is told: events of orders and of paid invoices, in an outbox of their own (docs/bss.md).

An event is written in the transaction of what it reports. It gets its sequence number afterwards, when it is there
for everybody: numbers that were given inside of orders' transactions would become visible in another order, and who
asks for "all after 17" would miss the 16 that was still being written.
"""

import json
import time
import uuid
from datetime import UTC, timedelta

import structlog
from peewee import CharField, Check, IntegerField, JSONField, fn

import config
import crash
from gateways import GatewayError
from gateways.bss import Operator, Unreachable
from models.base import IS_SQLITE, BaseModel, MomentField, db, unclaimed
from models.money import MINOR
from models.number import Number
from models.payment_ways import ON_BILL
from models.subscriber import Subscriber

log = structlog.get_logger()

# The form of the payloads; it is raised when a field changes its meaning or goes, not when one is added.
VERSION = 1
# An order's state → what the billing system is told of it.
OF_STATES = {
    "confirmed": "order_confirmed",
    "lapsed": "order_lapsed",
    "cancelled": "order_cancelled",
    "delivered": "order_delivered",
    "returned": "order_returned",
}
# What a converted service goes through → what the operator's network is told of it.
OF_SERVICES = {"ordered": "club_service_ordered", "lost": "club_service_lost"}
KINDS = (*OF_STATES.values(), "order_changed", "invoice_paid_online", *OF_SERVICES.values())
STATES = ("due", "sent", "refused", "skipped")
# Seconds before each next try of one event; the last one until it is forgotten (PRV-3): none is given up before.
BACK_OFF = (5, 15, 60, 300, 900)
# While nobody takes events, one of them is tried every so many seconds, in the end.
PAUSE = 60
# Any number that nothing else in the database locks.
_NUMBERING_LOCK = 7_402_019


def operator() -> Operator:
    return Operator(url=config.BSS_WEBHOOK_URL, secret=config.BSS_WEBHOOK_SECRET, timeout=config.BSS_TIMEOUT)


class BssEvent(BaseModel):
    """One event for the billing system.

    due → sent, or refused, which waits for a person and holds up the later events of its subject. What nobody took
    until its data are forgotten is skipped (models/retention.py). It is sent at least once: a worker that dies after
    the receiver took it leaves a due row, which goes out again under the same `uuid`.
    """

    uuid = CharField(unique=True, max_length=36)
    # Without gaps, in an order that never changes; null until it was given.
    sequence = IntegerField(null=True, unique=True)
    # Not a CHECK: SQLite would have to build the table anew for each new kind.
    kind = CharField(max_length=30)
    version = IntegerField(default=VERSION)
    # The order or invoice it is about: events of one subject go out in the order in which they happened.
    subject = CharField(max_length=40)
    payload = JSONField()
    at = MomentField()
    state = CharField(max_length=8, default="due", constraints=[Check(f"state IN {STATES!r}")])
    tries = IntegerField(default=0)
    due_at = MomentField()
    sent_at = MomentField(null=True)
    # When its last try found nobody there.
    unreachable_at = MomentField(null=True)
    trouble = CharField(max_length=255, default="")

    class Meta:
        indexes = ((("state", "due_at"), False), (("subject", "state"), False))

    # Writing

    @classmethod
    def of_order(cls, order, state: str, now) -> None:
        """Tell that `order` goes to `state` from the one it is in, or was placed so; call it in that transaction.

        Of the steps on the way to the shopper's door the billing system is told the last alone.
        """
        kind = OF_STATES.get(state)
        if kind is None:
            return
        told = {"order": order.number, "before": None if order.state == state else order.state}
        if state == "confirmed":
            told |= _confirmed(order)
        elif state in ("cancelled", "returned") and order.state != "awaiting_payment" and (undo := _undo(order)):
            told["undo"] = undo
        cls._write(kind, order.number, told, now)

    @classmethod
    def of_changed_order(cls, order, now) -> None:
        """Tell how `order` is after its address, phone or colours changed; call it in that transaction (AFT-1)."""
        cls._write("order_changed", order.number, {"order": order.number} | _confirmed(order), now)

    @classmethod
    def of_paid_invoices(cls, payment: str, invoices, now) -> None:
        """Tell that `invoices` were paid by card together, in the payment of that number; call it in that
        transaction (PRO-7)."""
        ids = [invoice.subscriber_id for invoice in invoices]
        codes = dict(Subscriber.select(Subscriber.id, Subscriber.code).where(Subscriber.id.in_(ids)).tuples())
        for invoice in invoices:
            told = {
                "invoice": invoice.number,
                "subscriber": codes[invoice.subscriber_id],
                "amount": _amount(invoice.amount),
                "currency": config.CURRENCY,
                "paid_at": _moment(now),
                "payment": payment,
            }
            cls._write("invoice_paid_online", invoice.number, told, now)

    @classmethod
    def of_club_service(cls, service, what: str, now) -> None:
        """Have the network give or end units or a bundle; call it in that transaction (CLB-11, CLB-14)."""
        told = {
            "service": service.uuid,
            "msisdn": service.msisdn,
            "what": service.what,
            "amount": service.amount,
            "days": service.days,
            "ordered_at": _moment(service.ordered_at),
        }
        cls._write(OF_SERVICES[what], service.uuid, told, now)

    @classmethod
    def _write(cls, kind: str, subject: str, told: dict, now) -> None:
        cls.create(uuid=str(uuid.uuid4()), kind=kind, subject=subject, payload=told, at=now, due_at=now)

    # Reading

    @classmethod
    def number_all(cls, most: int = 1000) -> int:
        """Give sequence numbers to events that have none; returns to how many. Several callers take turns."""
        with db.atomic():
            if not cls.select().where(cls.sequence.is_null()).exists():
                return 0
            if not IS_SQLITE:
                db.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_NUMBERING_LOCK,))
            last = cls.select(fn.MAX(cls.sequence)).scalar() or 0
            # By id: of one subject the earlier event was there before the later one was written.
            waiting = cls.select(cls.id).where(cls.sequence.is_null()).order_by(cls.id).limit(most)
            count = 0
            for count, event in enumerate(waiting, 1):
                cls.update(sequence=last + count).where(cls.id == event.id).execute()
            return count

    @classmethod
    def count_since(cls, sequence: int) -> int:
        """How many events there are after `sequence`; all of them have their numbers then."""
        while cls.number_all():
            pass
        return cls.select().where(cls.sequence > sequence).count()

    @classmethod
    def since(cls, sequence: int, batch: int = 500):
        """The events after `sequence` that have their numbers, in that order; a batch is read at a time."""
        while True:
            rows = list(cls.select().where(cls.sequence > sequence).order_by(cls.sequence).limit(batch))
            yield from rows
            if len(rows) < batch:
                return
            sequence = rows[-1].sequence

    @property
    def told(self) -> dict:
        """The event as the billing system gets it."""
        return {
            "id": self.uuid,
            "sequence": self.sequence,
            "kind": self.kind,
            "version": self.version,
            "at": _moment(self.at),
            "data": self.payload,
        }

    # Sending

    @classmethod
    def claim(cls, now) -> "BssEvent | None":
        """The next event that may go out, kept from other workers for MAIL_LEASE seconds.

        Not while an earlier one of its subject is on its way, or was refused.
        """
        earlier = cls.alias()
        held_up = fn.EXISTS(
            earlier.select(earlier.id).where(
                earlier.subject == cls.subject, earlier.id < cls.id, earlier.state.in_(("due", "refused"))
            )
        )
        with db.atomic():
            event = unclaimed(
                cls.select()
                .where(cls.state == "due", cls.due_at <= now, cls.sequence.is_null(False), ~held_up)
                .order_by(cls.due_at, cls.id)
                .limit(1)
            ).first()
            if event is None:
                return None
            event.tries += 1
            event.unreachable_at = None
            event.due_at = now + timedelta(seconds=config.MAIL_LEASE)
            event.save()
            return event

    def send(self, now) -> bool:
        """Bring the claimed event to the receiver; false when nobody takes events at present."""
        crash.at("event: claimed")
        body = json.dumps(self.told, ensure_ascii=False).encode()
        try:
            operator().tell(self.uuid, body, now)
        except GatewayError as error:
            self._keep(error, now)
            return not isinstance(error, Unreachable)
        crash.at("event: accepted")
        cls = type(self)
        # It has it, whoever sent it: another worker that took it over meanwhile sends it once more in vain.
        cls.update(state="sent", sent_at=now, trouble="").where(cls.id == self.id, cls.state == "due").execute()
        # Somebody is there again: what waited for that waits no longer.
        cls.update(due_at=now, unreachable_at=None).where(
            cls.state == "due", cls.unreachable_at.is_null(False)
        ).execute()
        log.info("event.sent", sequence=self.sequence, kind=self.kind)
        return True

    def _keep(self, error: GatewayError, now) -> None:
        cls = type(self)
        state = "refused" if error.permanent else "due"
        cls.update(
            state=state,
            due_at=now + timedelta(seconds=_wait(self.tries)),
            unreachable_at=now if isinstance(error, Unreachable) else None,
            trouble=str(error)[:255],
        ).where(cls.id == self.id, cls.tries == self.tries, cls.state == "due").execute()
        log.warning("event.not_sent", sequence=self.sequence, state=state, tries=self.tries, reason=str(error))

    @classmethod
    def is_paused(cls, now) -> bool:
        """Whether nobody was there a moment ago: other events would only find the same, each after a timeout that
        keeps the worker from its other tasks."""
        waiting = cls.select(fn.MAX(cls.tries), fn.MAX(cls.unreachable_at)).where(
            cls.state == "due", cls.unreachable_at.is_null(False)
        )
        [(tries, last)] = waiting.tuples()
        return last is not None and last > now - timedelta(seconds=min(PAUSE, _wait(tries)))

    @classmethod
    def send_all_due(cls, now, limit: int = 50, within: float = 10) -> int:
        """Bring what is due, for `within` seconds; returns how many were tried. Nothing without BSS_WEBHOOK_URL."""
        if not config.BSS_WEBHOOK_URL:
            return 0
        cls.number_all()
        if cls.is_paused(now):
            return 0
        tried, began = 0, time.monotonic()
        while tried < limit and time.monotonic() - began < within:
            # Each lease, and each signature's timestamp, is of when its event is taken up.
            moment = now + timedelta(seconds=time.monotonic() - began)
            event = cls.claim(moment)
            if event is None:
                break
            tried += 1
            if not event.send(moment):
                break
        return tried

    # What a person sees and decides

    @classmethod
    def counts(cls) -> dict[str, int]:
        """How many there are of each state."""
        found = dict(cls.select(cls.state, fn.COUNT(cls.id)).group_by(cls.state).tuples())
        return {state: found.get(state, 0) for state in STATES}

    @classmethod
    def refused(cls) -> "list[BssEvent]":
        """Those that the receiver does not want, the oldest first."""
        return list(cls.select().where(cls.state == "refused").order_by(cls.sequence))

    @classmethod
    def retry(cls, sequences, now) -> int:
        """Make refused events due again, of these numbers or, with none, all; returns how many."""
        return cls._decide("due", sequences, now)

    @classmethod
    def skip(cls, sequences, now) -> int:
        """Give refused events up, so that the later ones of their subjects go on; returns how many."""
        return cls._decide("skipped", sequences, now)

    @classmethod
    def _decide(cls, state: str, sequences, now) -> int:
        query = cls.update(state=state, due_at=now, tries=0).where(cls.state == "refused")
        return (query.where(cls.sequence.in_(list(sequences))) if sequences else query).execute()

    @classmethod
    def taken_until(cls, sequence: int, now) -> int:
        """The receiver has all events up to `sequence`, by an export: the webhook begins after them. Returns how
        many were still to be sent."""
        return (
            cls.update(state="sent", sent_at=now, trouble="")
            .where(cls.sequence <= sequence, cls.state.in_(("due", "refused")))
            .execute()
        )


def _wait(tries: int) -> int:
    return BACK_OFF[min(tries, len(BACK_OFF)) - 1]


def _confirmed(order) -> dict:
    """All that the billing system needs to write the contracts and the bill, and to deliver."""
    lines = order.lines()
    own = _own(lines)
    codes = _codes(own)
    return {
        "placed_at": _moment(order.placed_at),
        "currency": order.currency,
        "total": _amount(order.total),
        "paid_by_card": _amount(order.due_now),
        "points": order.points,
        "points_of": _points_of(order),
        "paid_by_points": _amount(order.points_worth),
        "language": order.language,
        "promised_on": order.promised_on.isoformat(),
        "customer": {
            "first_name": order.first_name,
            "last_name": order.last_name,
            "email": order.email,
            "phone": order.phone,
        },
        "delivery": {
            "street": order.street,
            "place": order.place,
            "municipality": order.municipality,
            "postal_code": order.postal_code,
            "note": order.note,
            "receiver": order.receiver,
        },
        "signer": (order.signer or None) if own else None,
        "lines": [_line(line, codes) for line in lines],
    }


def _own(lines) -> list[str]:
    return [line.msisdn for line in lines if line.contract_type == "besnik24"]


def _codes(own: list[str]) -> dict[str, str]:
    """Of each own number its subscriber code."""
    if not own:
        return {}
    query = Number.select(Number.msisdn, Subscriber.code).join(Subscriber).where(Number.msisdn.in_(own))
    return dict(query.tuples())


def _undo(order) -> list[dict]:
    """What of the order was to come with bills, and does not: first-bill parts and instalments, by line (PAY-9)."""
    lines = order.lines()
    codes = _codes(_own(lines))
    named = ("position", "sku", "contract_type", "msisdn", "subscriber", "instalments", "first_bill")
    billed = [_line(line, codes) for line in lines if line.payment in ON_BILL]
    return [{name: line[name] for name in named} for line in billed]


def _points_of(order) -> str | None:
    """The number or fixed service whose points paid; None without points."""
    from models.order_points import OrderPoints

    return OrderPoints.get(OrderPoints.order == order).service_code if order.points else None


def _line(line, codes: dict[str, str]) -> dict:
    quote = line.quote
    tariff = line.tariff and {
        "code": line.tariff["code"],
        "name": line.tariff["name"],
        "monthly_price": _amount(line.tariff["monthly_price"]),
    }
    return {
        "position": line.position + 1,
        "sku": line.sku,
        "device": line.title("sq"),
        "colour": line.colour("sq"),
        "quantity": line.quantity,
        "price": _amount(line.price),
        "gift": line.gift["sq"] if line.gift else None,
        "contract_type": line.contract_type,
        "msisdn": line.msisdn or None,
        "subscriber": codes.get(line.msisdn),
        "tariff": tariff,
        "payment": line.payment,
        "instalments": [_amount(part) for part in quote.instalments],
        "first_bill": _amount(quote.first_bill),
    }


def _amount(minor: int) -> str:
    """Minor units as the files have amounts: 189950 → "1899.50"."""
    return f"{minor // MINOR}.{minor % MINOR:0{len(str(MINOR)) - 1}d}"


def _moment(moment) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
