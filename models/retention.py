"""The retention job: what is past its period goes, kind by kind, in small batches (PRV-3, docs/privacy.md).

Each of RULES knows which rows are due at a moment; the dry run counts them and the job takes them, by the same
condition. A batch is one transaction with its line of the report: a job that was killed is made up by the next one,
and what two do at once is counted once.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import structlog
from peewee import JOIN, CharField, Check, DateField, IntegerField, Value, fn

import config
import crash
from models import personal
from models.allowance import Allowance
from models.attachment import Attachment
from models.base import BaseModel, MomentField, Unfinished, db, locked
from models.bill_payment import BillPayment
from models.bss_event import BssEvent
from models.bss_known import BssKnown
from models.bss_push import BssMessage
from models.calendar import ZONE, local_day
from models.cancellation import Cancellation
from models.cart import Cart
from models.claim import Claim
from models.club_member import ClubMember, FixedService
from models.club_service import ClubService
from models.consent import Consent
from models.contract import Contract
from models.delivery import DeliveryAttempt
from models.desk_joining import DeskJoining
from models.document import Document
from models.erasure import FAREWELL, Erasure
from models.gift_handout import GiftHandout
from models.identification import Identification
from models.inbound_sms import InboundSms
from models.invoice import Invoice
from models.new_number import NewNumber
from models.number import Number
from models.number_claim import NumberClaim
from models.order import ENDED, Order, OrderEvent, OrderLine
from models.order_key import OrderKey
from models.order_note import OrderNote
from models.outbox import Mail
from models.payment import OPEN, BankMessage, Payment, Refund, strange
from models.profile import Attempt
from models.profile_link import ProfileLink
from models.registration import Registration
from models.second_factor import WorkSession
from models.security_code import SecurityCode
from models.sms import Sms
from models.stock_movement import StockMovement
from models.subscriber import Holder, Subscriber
from models.trail import AuditEntry
from models.watch import Watch
from models.wish import WishList

log = structlog.get_logger()

BATCH = 200
# Of what a job did, the reports are kept for so long.
REPORT_DAYS = 1095
# The name of whoever received a parcel, once it is forgotten: the column says that somebody did.
NOBODY = "—"


class RetentionRun(BaseModel):
    """What went of one kind on one day; how many rows, and when the job was through with it."""

    day = DateField()
    kind = CharField(max_length=30)
    count = IntegerField(default=0, constraints=[Check("count >= 0")])
    began_at = MomentField()
    ended_at = MomentField(null=True)

    class Meta:
        indexes = ((("day", "kind"), True),)

    @classmethod
    def add(cls, kind: str, count: int, now, *, ended: bool = False) -> None:
        """Count `count` more rows of today; call it in the transaction that took them."""
        day = local_day(now)
        cls.insert(day=day, kind=kind, count=0, began_at=now).on_conflict(
            conflict_target=[cls.day, cls.kind], update={cls.kind: cls.kind}
        ).execute()
        changes = {"count": cls.count + count} | ({"ended_at": now} if ended else {})
        cls.update(**changes).where(cls.day == day, cls.kind == kind).execute()

    @classmethod
    def ended_on(cls, day: date) -> set[str]:
        """The kinds that the job is through with on `day`."""
        return {kind for (kind,) in cls.select(cls.kind).where(cls.day == day, cls.ended_at.is_null(False)).tuples()}

    @classmethod
    def latest(cls, days: int, today: date) -> list["RetentionRun"]:
        """The reports of the last `days` days, the newest day first, in the order in which kinds are done."""
        return list(cls.select().where(cls.day > today - timedelta(days=days)).order_by(cls.day.desc(), cls.id))


class RetentionPermit(BaseModel):
    """That rows of an append-only table from before a moment may go.

    Triggers refuse to delete from the trail, from notes, stock movements and papers. They let a row go while a permit
    for its table is there, which a job writes and takes away in one transaction: nobody else ever sees one, and
    whoever deletes by hand has to write their permit first.
    """

    kind = CharField(unique=True, max_length=30)
    before = MomentField()

    @classmethod
    def open(cls, model, before) -> None:
        """Two jobs at once wait here for each other: the row is unique."""
        cls.insert(kind=model._meta.table_name, before=before).execute()

    @classmethod
    def close(cls, model) -> None:
        cls.delete().where(cls.kind == model._meta.table_name).execute()


def delete_kept(model, where, before) -> int:
    """Delete rows of an append-only table, all from before `before`; in the caller's transaction. How many went."""
    RetentionPermit.open(model, before)
    gone = model.delete().where(where).execute()
    RetentionPermit.close(model)
    return gone


@dataclass(frozen=True)
class Rule:
    """What goes when: rows of `model` of which `due(now)` holds, as old as `moment` says.

    `take(ids, now)` does it to some of them, whose rows are held, and returns of how many; without one they are
    deleted. `before()` is done first, while no row is held. `kind` is one of `personal.kinds()`, or blank where no
    person is in it.
    """

    name: str
    kind: str
    model: type
    moment: object
    due: Callable
    take: Callable | None = None
    before: Callable | None = None

    def count(self, now) -> "tuple[int, datetime | None]":
        """How many would go, and the oldest of them; changes nothing."""
        found = self.model.select(fn.COUNT(self.model._meta.primary_key), fn.MIN(self.moment)).where(self.due(now))
        [(count, oldest)] = found.tuples()
        return count, oldest

    def batch(self, now) -> int | None:
        """Take some rows; returns how many, None when nothing is due (another job may have taken those found)."""
        model, key, where = self.model, self.model._meta.primary_key, self.due(now)
        # Found outside of the transaction: a long look holds up nobody. Taken only where it still is due.
        found = [id for (id,) in model.select(key).where(where).order_by(key).limit(BATCH).tuples()]
        if not found:
            return None
        with db.atomic():
            held = locked(model.select(key).where(key.in_(found), where).order_by(key))
            ids = [id for (id,) in held.tuples()]
            gone = 0
            if ids:
                gone = self.take(ids, now) if self.take else model.delete().where(key.in_(ids)).execute()
            RetentionRun.add(self.name, gone, now)
            crash.at(f"retention: {self.name}")
        return gone


def _ago(now, days: int) -> datetime:
    return now - timedelta(days=days)


def _years_ago(now) -> datetime:
    """Before this moment orders of whole years are past KEEP_ORDER_YEARS."""
    return datetime(local_day(now).year - config.KEEP_ORDER_YEARS, 1, 1, tzinfo=ZONE).astimezone(UTC)


# Orders


def _none(query):
    """That a row has none of `query`, which names it; NOT IN of many rows would look at all of them for each row."""
    return ~fn.EXISTS(query)


def _at_rest(before):
    """Orders from before `before` that have ended, of which nothing is open any more."""
    moved = OrderEvent.select(OrderEvent.id).where(OrderEvent.order == Order.id, OrderEvent.at >= before)
    claimed = Claim.select(Claim.id).where(Claim.order == Order.id, Claim.state.in_(("open", "accepted")))
    paying = (
        Payment.select(Payment.id)
        .join(Refund, JOIN.LEFT_OUTER)
        .where(Payment.order == Order.id, Payment.state.in_(OPEN) | (Refund.state != "done"))
    )
    return Order.state.in_(ENDED) & (Order.placed_at < before) & _none(moved) & _none(claimed) & _none(paying)


def _came_to_nothing(now):
    """Nobody paid, and nothing was promised: no account needs it."""
    confirmed = OrderEvent.select(OrderEvent.id).where(OrderEvent.order == Order.id, OrderEvent.state == "confirmed")
    money = Payment.select(Payment.id).where(Payment.order == Order.id, Payment.state.in_(("paid", "surplus")))
    return (
        _at_rest(_ago(now, config.KEEP_UNPAID_DAYS))
        & Order.state.in_(("lapsed", "cancelled"))
        & (Order.last_name != "")
        & _none(confirmed)
        & _none(money)
    )


def _empty(kinds) -> dict:
    """The personal columns of an order of these kinds, emptied; the places stay, for the figures."""
    columns = {name for kind in kinds for name in personal.TABLES["order"].kinds[kind]}
    return dict.fromkeys(columns - {"language", "place", "municipality", "postal_code"}, "")


def _take_contacts(ids, now) -> int:
    Order.update(**_empty(["contact"])).where(Order.id.in_(ids)).execute()
    for order in Order.select().where(Order.id.in_(ids)):
        OrderKey.write(order)
    return len(ids)


def _take_orders(held, now) -> int:
    """Orders stay as figures: what, when and for how much; not who."""
    of = {model: model.order.in_(held) for model in (AuditEntry, OrderNote, Document, Identification, Mail)}
    numbers = [number for (number,) in Order.select(Order.number).where(Order.id.in_(held)).tuples()]
    Order.update(profile=None, **_empty(["contact", "order"])).where(Order.id.in_(held)).execute()
    OrderLine.update(msisdn="", taken=None).where(OrderLine.order.in_(held)).execute()
    OrderEvent.update(why="", who="").where(OrderEvent.order.in_(held)).execute()
    OrderKey.delete().where(OrderKey.order.in_(held), ~OrderKey.key.startswith("n")).execute()
    Cancellation.update(why="").where(Cancellation.order.in_(held)).execute()
    received = DeliveryAttempt.order.in_(held)
    DeliveryAttempt.update(text="", who="").where(received).execute()
    DeliveryAttempt.update(recipient=NOBODY).where(received, DeliveryAttempt.recipient != "").execute()
    claims = Claim.select(Claim.id).where(Claim.order.in_(held))
    # The row alone: `Attachment.sweep` takes a file that has none, also where this job is killed.
    Attachment.delete().where(Attachment.claim.in_(claims)).execute()
    Claim.update(text="", reply="", answered_by="").where(Claim.order.in_(held)).execute()
    for model in (Identification, Mail):
        model.delete().where(of[model]).execute()
    for model in (AuditEntry, OrderNote, Document):
        # Whatever their age: they go with their order.
        delete_kept(model, of[model], now + timedelta(days=1))
    NewNumber.update(order=None).where(NewNumber.order.in_(held)).execute()
    _empty_events(BssEvent.subject.in_(numbers))
    return len(held)


# Events for the billing system


def _number_events() -> None:
    """The rows stay, for their numbers are without gaps: one without a number would get its own after later ones."""
    while BssEvent.number_all():
        pass


def _empty_events(where) -> int:
    """They tell nothing any more; what nobody has taken in all that time is given up. How many they were."""
    where &= BssEvent.version != 0
    if given_up := BssEvent.update(state="skipped").where(where, BssEvent.state.in_(("due", "refused"))).execute():
        log.warning("retention.events_given_up", count=given_up)
    return BssEvent.update(payload={}, version=0).where(where).execute()


def _take_events(ids, now) -> int:
    return _empty_events(BssEvent.id.in_(ids))


# Holders


def _gone_holders(now):
    before = _ago(now, config.KEEP_HOLDER_DAYS)
    day = local_day(before)
    theirs = Subscriber.select(Subscriber.id).where(Subscriber.holder == Holder.id)
    members = ClubMember.select(ClubMember.id).where(
        ClubMember.holder == Holder.id, ClubMember.ended_at.is_null() | (ClubMember.ended_at >= before)
    )
    spoken_of = theirs.join(Number).join(BssKnown, on=(BssKnown.key == Number.msisdn))
    return (
        (Holder.first_name.concat(Holder.last_name).concat(Holder.company) != "")
        & _none(theirs.join(Number).where(Number.active))
        & _none(theirs.join(FixedService).where(FixedService.active))
        & _none(theirs.join(Invoice).where(Invoice.paid_at.is_null() | (Invoice.issued_on >= day)))
        & _none(theirs.join(Number).join(Contract).where(Contract.ends_on >= day))
        & _none(spoken_of.where(BssKnown.kind == "number", BssKnown.at >= before))
        & _none(members)
    )


def _take_holders(ids, now) -> int:
    codes = Subscriber.select(Subscriber.id).where(Subscriber.holder.in_(ids))
    Number.update(sim_end="000000").where(Number.subscriber.in_(codes)).execute()
    for id in ids:
        Holder.update(id_number=f"-{id}", first_name="", last_name="", company="").where(Holder.id == id).execute()
    return len(ids)


# Consents


def _old_consents(now):
    before = _ago(now, config.KEEP_CONSENT_DAYS)
    erased = Erasure.select(Erasure.profile).where(Erasure.done_at < before, Erasure.profile.is_null(False))
    # The last word counts for as long as the profile is there; a guest's was for the cart of that day.
    later = Consent.alias()
    newer = later.select(later.id).where(
        later.profile == Consent.profile, later.kind == Consent.kind, later.id > Consent.id
    )
    over = (Consent.at < before) & (Consent.profile.is_null() | fn.EXISTS(newer))
    return Consent.profile.in_(erased) | over


def _take_consents(ids, now) -> int:
    return Consent.forget(ids)


def _emptying(**values) -> Callable:
    def take(ids, now) -> int:
        model = next(iter(values.values()))[0].model
        return model.update(dict(values.values())).where(model.id.in_(ids)).execute()

    return take


def _kept(model) -> Callable:
    def take(ids, now) -> int:
        return delete_kept(model, model.id.in_(ids), _ago(now, config.KEEP_TRAIL_DAYS))

    return take


def _sent(model):
    return lambda now: (model.state != "due") & (model.written_at < _ago(now, config.KEEP_MESSAGE_DAYS))


def _older(field, days) -> Callable:
    """Rows whose moment is more than so many days ago; `days` is a number or a setting's name."""
    return lambda now: field < _ago(now, days if isinstance(days, int) else getattr(config, days))


def _answered(name) -> Callable:
    return lambda now: (Claim.state != "open") & (Claim.answered_at < _ago(now, getattr(config, name)))


RULES = (
    Rule("carts", "choice", Cart, Cart.seen_at, Cart.past),
    Rule("registrations", "registration", Registration, Registration.expires_at, Registration.past),
    Rule("links", "account", ProfileLink, ProfileLink.expires_at, ProfileLink.past),
    Rule("wishes", "wishes", WishList, WishList.seen_at, WishList.past),
    Rule("watches", "watches", Watch, Watch.created_at, Watch.past),
    Rule("attempts", "attempts", Attempt, Attempt.at, Attempt.past),
    Rule("allowances", "attempts", Allowance, Allowance.at, Allowance.past),
    Rule("number_claims", "numbers", NumberClaim, NumberClaim.began_at, NumberClaim.past),
    Rule("codes", "numbers", SecurityCode, SecurityCode.sent_at, SecurityCode.past),
    Rule("handouts", "club", GiftHandout, GiftHandout.asked_at, GiftHandout.past),
    Rule("joinings", "club", DeskJoining, DeskJoining.asked_at, DeskJoining.past),
    Rule("work_sessions", "work", WorkSession, WorkSession.began_at, WorkSession.past),
    Rule("inbound_sms", "inbound", InboundSms, InboundSms.at, InboundSms.past),
    Rule("bss_messages", "operator", BssMessage, BssMessage.taken_at, BssMessage.past),
    Rule(
        "strange_bank_messages",
        "payment",
        BankMessage,
        BankMessage.at,
        strange,
    ),
    Rule("bank_messages", "payment", BankMessage, BankMessage.at, _older(BankMessage.at, "KEEP_BANK_DAYS")),
    Rule("mails", "messages", Mail, Mail.written_at, _sent(Mail)),
    Rule("sms", "messages", Sms, Sms.written_at, _sent(Sms)),
    Rule(
        "farewells",
        "messages",
        Mail,
        Mail.written_at,
        lambda now: (Mail.kind == FAREWELL) & (Mail.state != "due") & (Mail.written_at < _ago(now, 1)),
    ),
    Rule(
        "bss_events",
        "told",
        BssEvent,
        BssEvent.at,
        lambda now: (BssEvent.version != 0) & (BssEvent.at < _ago(now, config.KEEP_EVENT_DAYS)),
        _take_events,
        _number_events,
    ),
    Rule("calls", "identified", Identification, Identification.at, _older(Identification.at, "KEEP_CALL_DAYS")),
    Rule(
        "claim_files",
        "files",
        Attachment,
        Attachment.at,
        lambda now: Attachment.claim.in_(Claim.select(Claim.id).where(_answered("KEEP_FILE_DAYS")(now))),
    ),
    Rule(
        "claims",
        "claims",
        Claim,
        Claim.answered_at,
        lambda now: _answered("KEEP_CLAIM_DAYS")(now) & ((Claim.text != "") | (Claim.reply != "")),
        _emptying(text=(Claim.text, ""), reply=(Claim.reply, "")),
    ),
    Rule("unpaid_orders", "order", Order, Order.placed_at, _came_to_nothing, _take_orders, _number_events),
    Rule(
        "contacts",
        "contact",
        Order,
        Order.placed_at,
        lambda now: _at_rest(_ago(now, config.KEEP_CONTACT_DAYS)) & (Order.email != ""),
        _take_contacts,
    ),
    Rule(
        "orders",
        "order",
        Order,
        Order.placed_at,
        lambda now: _at_rest(_years_ago(now)) & (Order.last_name != ""),
        _take_orders,
        _number_events,
    ),
    Rule(
        "bills",
        "payment",
        BillPayment,
        BillPayment.begun_at,
        lambda now: (
            (BillPayment.email != "")
            & (
                ((BillPayment.state == "lapsed") & (BillPayment.begun_at < _ago(now, config.KEEP_UNPAID_DAYS)))
                | ((BillPayment.state == "paid") & (BillPayment.paid_at < _years_ago(now)))
            )
        ),
        _emptying(email=(BillPayment.email, ""), profile=(BillPayment.profile, None)),
    ),
    Rule("trail", "trail", AuditEntry, AuditEntry.at, _older(AuditEntry.at, "KEEP_TRAIL_DAYS"), _kept(AuditEntry)),
    Rule("notes", "trail", OrderNote, OrderNote.at, _older(OrderNote.at, "KEEP_TRAIL_DAYS"), _kept(OrderNote)),
    Rule(
        "stock_movements",
        "work",
        StockMovement,
        StockMovement.at,
        _older(StockMovement.at, "KEEP_TRAIL_DAYS"),
        _kept(StockMovement),
    ),
    Rule("holders", "operator", Holder, Value(None), _gone_holders, _take_holders),
    Rule(
        "club_services",
        "club",
        ClubService,
        ClubService.ordered_at,
        lambda now: (
            (ClubService.msisdn != "")
            & ClubService.state.not_in(("ordered", "active"))
            & (ClubService.ordered_at < _ago(now, config.KEEP_CLUB_DAYS))
        ),
        _emptying(msisdn=(ClubService.msisdn, "")),
    ),
    Rule(
        "gifts",
        "club",
        GiftHandout,
        GiftHandout.handed_at,
        lambda now: (GiftHandout.msisdn != "") & (GiftHandout.handed_at < _ago(now, config.KEEP_CLUB_DAYS)),
        _emptying(msisdn=(GiftHandout.msisdn, "")),
    ),
    Rule("consents", "consent", Consent, Consent.at, _old_consents, _take_consents),
    Rule(
        "erasures",
        "erasure",
        Erasure,
        Erasure.asked_at,
        lambda now: (
            Erasure.confirmed_at.is_null() & (Erasure.expires_at <= now) | (Erasure.withdrawn_at < _ago(now, 30))
        ),
    ),
    Rule(
        "erasure_marks",
        "erasure",
        Erasure,
        Erasure.done_at,
        lambda now: (Erasure.mark != "") & (Erasure.done_at < _ago(now, config.KEEP_CONSENT_DAYS)),
        _emptying(mark=(Erasure.mark, "")),
    ),
    Rule(
        "reports",
        "",
        RetentionRun,
        RetentionRun.began_at,
        _older(RetentionRun.began_at, REPORT_DAYS),
    ),
)


def due(now) -> "list[tuple[Rule, int, datetime | None]]":
    """What would go now, rule by rule, with the oldest; changes nothing."""
    return [(rule, *rule.count(now)) for rule in RULES]


@dataclass(frozen=True)
class Retained:
    """How many rows of one rule a job took, and whether it is through with it."""

    count: int
    is_done: bool


def retain(rule: Rule, now, until: float | None = None) -> Retained:
    """Take all that is due of one rule, and say in the report that it is done.

    Where the time is over before, as `until` of `time.monotonic()` says, the rest is left to the next call.
    """
    count = 0
    if rule.before is not None:
        rule.before()
    while (batch := rule.batch(now)) is not None:
        count += batch
        if until is not None and time.monotonic() >= until:
            return Retained(count, False)
    RetentionRun.add(rule.name, 0, now, ended=True)
    return Retained(count, True)


def try_to_retain(rule: Rule, now, until: float | None = None) -> Retained | None:
    """As `retain`; None where the rule failed, which must stop no other. The report says that it is not through."""
    try:
        return retain(rule, now, until)
    except Exception:
        log.exception("retention.failed", kind=rule.name)
        RetentionRun.add(rule.name, 0, now)
        return None


def retain_all_due(now, within: float = 10) -> int:
    """The worker's daily round: each rule once a day, for `within` seconds at a time; returns how many rules it did.

    Unfinished when the time was over: it goes on in the next round. After days off one round makes up for all. A rule
    that failed is tried again an hour later.
    """
    done, ended = 0, RetentionRun.ended_on(local_day(now))
    until = time.monotonic() + within
    for rule in RULES:
        if rule.name in ended:
            continue
        retained = try_to_retain(rule, now, until)
        if retained is None:
            # Whatever time that took, the next one has its turn: else none after it ever would.
            continue
        if not retained.is_done:
            return Unfinished(done)
        done += 1
        if time.monotonic() >= until and rule is not RULES[-1]:
            return Unfinished(done)
    if done:
        log.info("retention.done", rules=done)
    return done
