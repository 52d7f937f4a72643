"""Card payments of orders and of invoices, settled by what the bank says (PAY-5…9, PRO-7)."""

import secrets
import time
from datetime import timedelta

import structlog
from peewee import JOIN, CharField, Check, ForeignKeyField, IntegerField, TextField

import config
import crash
from gateways import GatewayError
from gateways.bank import Bank, BankDeclined, ForgedMessage, Message, Verdict
from models.actor import Actor
from models.base import BaseModel, MomentField, db, locked, unclaimed
from models.bill_payment import BillPayment
from models.calendar import promised_day
from models.order import NotAllowed, Order, OutOfStock, PointsGone
from models.outbox import Mail
from models.pay_link import PayLink
from models.trail import record

log = structlog.get_logger()

STATES = ("started", "paid", "declined", "unknown", "abandoned", "surplus")
OPEN = ("started", "unknown")
# What the bank is asked for: open attempts, and once in a while those that ended without money.
ASKED_FOR = (*OPEN, "abandoned", "declined")
# Seconds after the time to pay at which an abandoned attempt is looked up once more: somebody may have been
# typing a card at that moment, and both of the bank's messages may have been lost (PAY-7).
LATE_ASKS = (600, 3600, 24 * 3600)
# The longest wait, in seconds, between two tries of a refund: when the bank is away, and when it refuses (PAY-9).
AWAY_WAIT, REFUSED_WAIT = 3600, 24 * 3600
# From this try on, a refund that does not go through is an error in the log, once a day.
ALARM_FROM = 5
# The reason of a refund that somebody is carrying out.
IN_HAND = "the bank is being asked"
# What the shopper is told by mail.
MAILS_OF_ORDERS = {"paid": "order_confirmed", "failed": "payment_failed", "returned": "payment_returned"}
MAILS_OF_BILLS = {"paid": "bills_paid", "failed": "bills_failed", "returned": "bills_returned"}


def bank() -> Bank:
    """The operator's account at the bank, from the settings."""
    return Bank(
        gate_url=config.BANK_GATE_URL,
        api_url=config.BANK_API_URL,
        client_id=config.BANK_CLIENT_ID,
        store_key=config.BANK_STORE_KEY,
        api_user=config.BANK_API_USER,
        api_password=config.BANK_API_PASSWORD,
        currency=config.CURRENCY,
        accepted_md_status=config.BANK_ACCEPTED_MD_STATUS,
        reply=config.BANK_CALLBACK_REPLY,
        timeout=config.BANK_TIMEOUT,
    )


class Payment(BaseModel):
    """One attempt to pay by card what it is for: an order, or a choice of invoices.

    Each may have several attempts, of which at most one is paid.
    """

    order = ForeignKeyField(Order, null=True, backref="payments", on_delete="RESTRICT")
    bill_payment = ForeignKeyField(BillPayment, null=True, backref="payments", on_delete="RESTRICT")
    # By which link somebody else began it for the shopper; RESTRICT, for who comes back from the bank with it is
    # shown nothing of the order as long as it stands here.
    link = ForeignKeyField(
        PayLink,
        null=True,
        backref="payments",
        on_delete="RESTRICT",
        constraints=[Check("link_id IS NULL OR order_id IS NOT NULL")],
    )
    # What the bank knows the attempt by.
    oid = CharField(unique=True, max_length=40)
    amount = IntegerField(constraints=[Check("amount > 0")])
    # started: sent to the bank. unknown: the bank's answer was no clear yes or no. abandoned: no money moved and
    # none will be waited for. surplus: paid, but needed no more; it goes back (PAY-9).
    state = CharField(max_length=12, constraints=[Check(f"state IN ({', '.join(repr(state) for state in STATES)})")])
    started_at = MomentField(index=True)
    settled_at = MomentField(null=True)
    # When the bank is next asked for the outcome, and how often it was (PAY-7).
    ask_at = MomentField(null=True, index=True)
    asked = IntegerField(default=0)
    auth_code = CharField(max_length=40, default="")
    trans_id = CharField(max_length=80, default="")
    reason = CharField(max_length=255, default="")

    class Meta:
        constraints = [Check("(order_id IS NULL) <> (bill_payment_id IS NULL)")]

    @property
    def purpose(self) -> "Order | BillPayment":
        """What the money is for."""
        return self.order if self.order_id is not None else self.bill_payment

    @classmethod
    def _of(cls, purpose):
        return cls.bill_payment == purpose if isinstance(purpose, BillPayment) else cls.order == purpose

    @classmethod
    def _with_purpose(cls):
        return (
            cls.select(cls, Order, BillPayment)
            .join(Order, JOIN.LEFT_OUTER)
            .switch(cls)
            .join(BillPayment, JOIN.LEFT_OUTER)
        )

    @classmethod
    def begin(cls, purpose: "Order | BillPayment", now, link: PayLink | None = None) -> "Payment":
        """A new attempt over what is due now, of the shopper or of who has the order's `link`; call it inside a
        transaction.

        An order with nothing due now has no payment: ValueError.
        """
        if not purpose.due_now:
            raise ValueError(f"Nothing of {purpose.number} is due now.")
        tries = cls.select().where(cls._of(purpose)).count()
        return cls.create(
            **{"bill_payment" if isinstance(purpose, BillPayment) else "order": purpose},
            # The random tail keeps attempts from being guessed, the number lets people find them at the bank. The
            # order's number is not for who pays for somebody else: with the e-mail it would open the order.
            oid=f"PL-{secrets.token_hex(12)}" if link else f"{purpose.number}-{tries + 1}-{secrets.token_hex(4)}",
            link=link,
            amount=purpose.due_now,
            state="started",
            started_at=now,
            ask_at=now + timedelta(seconds=config.BANK_QUERY_AFTER),
        )

    @classmethod
    def latest_of(cls, purpose: "Order | BillPayment") -> "Payment | None":
        """The last attempt of the shopper; those of who has a link are not theirs to go on with."""
        return cls.select().where(cls._of(purpose), cls.link.is_null()).order_by(cls.id.desc()).first()

    @classmethod
    def retry(cls, purpose: "Order | BillPayment", now) -> "Payment":
        """A new attempt for what is still payable (PAY-8); raises NotAllowed otherwise."""
        with db.atomic():
            purpose = purpose.relock()
            if not purpose.is_payable(now):
                raise NotAllowed(f"{purpose.number} cannot be paid any more")
            return cls.begin(purpose, now)

    @classmethod
    def resume(cls, purpose: "Order | BillPayment", now) -> "Payment":
        """The attempt that was begun and has no answer yet, or else a new one; raises NotAllowed as `retry` does.

        Two clicks at the same moment, or the back button, find one attempt.
        """
        with db.atomic():
            purpose = purpose.relock()
            latest = cls.latest_of(purpose)
            if latest is not None and latest.state == "started" and purpose.is_payable(now):
                return latest
            return cls.retry(purpose, now)

    def form(self, language: str, prefix: str = "") -> dict[str, str]:
        """The signed fields for the bank's page (PAY-5); the browser comes back to the pages under `prefix`."""
        payer = self.purpose
        bill_to = {"name": payer.full_name, "email": payer.email, "phone": payer.phone}
        if self.link_id is not None:
            # Somebody else pays: nothing of the shopper is in their form.
            bill_to = {}
        return bank().payment_form(
            self.oid,
            self.amount,
            f"{config.BASE_URL}{prefix}/pay/return",
            f"{config.BASE_URL}/pay/callback",
            language,
            secrets.token_hex(8),
            bill_to,
        )

    def settle(self, verdict: Verdict, now, *, auth_code="", trans_id="", reason="") -> str:
        """Take in what the bank says; returns the payment's state. Hearing it again changes nothing (PAY-6).

        In one transaction: the payment, the order with its event or the invoices, what goes back, and the mail that
        tells the shopper.
        """
        with db.atomic():
            purpose = self.purpose.relock()
            payment = locked(Payment.select().where(Payment.id == self.id)).get()
            # A decline may be followed by a yes that overtook it (the shopper tried another card on the bank's
            # page); a yes is never taken back by a message.
            if payment.state in ("paid", "surplus") or (payment.state == "declined" and verdict != Verdict.PAID):
                return payment.state
            payment.auth_code, payment.trans_id = auth_code[:40], trans_id[:80]
            payment.reason = reason[:255]
            if verdict == Verdict.PAID:
                payment._take_money(purpose, now)
            elif verdict == Verdict.DECLINED:
                # The shopper may have had another card accepted on the same page, and both messages may be lost:
                # the books are looked at once more when it can no longer be paid.
                payment.state, payment.settled_at = "declined", now
                payment.ask_at = purpose.payable_until + timedelta(seconds=LATE_ASKS[0])
                if purpose.state == "awaiting_payment":
                    payment._tell("failed", purpose, now, payment.id)
            else:
                payment.state = "unknown"
                payment.ask_at = min(payment.ask_at or now, now + timedelta(seconds=config.BANK_QUERY_EVERY))
            payment.save()
            crash.at("settle: written")
            self.state = payment.state
            return payment.state

    def _take_money(self, purpose: "Order | BillPayment", now) -> None:
        self.settled_at, self.ask_at = now, None
        if isinstance(purpose, BillPayment):
            needed = purpose.take_money(now)
        else:
            needed = self.amount if self._confirm(purpose, now) else 0
        self.state = "paid" if needed else "surplus"
        if needed < self.amount:
            Refund.begin(self, now, self.amount - needed)
        if needed:
            self._tell("paid", purpose, now, purpose.id)
        else:
            self._tell("returned", purpose, now, self.id)

    def _confirm(self, order: Order, now) -> bool:
        """The money confirms its order; false, and nothing changes, when the order does not need it."""
        revived = False
        if order.state == "lapsed":
            # The money came after the order lapsed. What it was for may still be there.
            try:
                with db.atomic():
                    order.take_again(now)
                revived = True
            except (OutOfStock, PointsGone):
                revived = False
        if order.state != "awaiting_payment" and not revived:
            return False
        if revived:
            # DLV-2: the promise counts from when the order came to life again.
            order.promised_on = promised_day(now)
            Order.update(promised_on=order.promised_on).where(Order.id == order.id).execute()
        order.move("confirmed", by="bank", now=now)
        return True

    def _tell(self, outcome: str, purpose: "Order | BillPayment", now, number: int) -> None:
        """Write the mail that tells the outcome, once for each `number` (PAY-7)."""
        if isinstance(purpose, BillPayment):
            kind = MAILS_OF_BILLS[outcome]
            purpose.tell(kind, now, key=f"{kind}:{number}")
        else:
            kind = MAILS_OF_ORDERS[outcome]
            Mail.write(kind, purpose, now, key=f"{kind}:{number}")

    def ask_bank(self, now) -> str:
        """Ask the bank for the outcome (PAY-7) and take it in; returns the payment's state.

        A bank that cannot be reached, or does not know yet, is asked again later. An attempt the bank never saw is
        abandoned once what it is for can no longer be paid.
        """
        try:
            status = bank().status(self.oid)
        except GatewayError as error:
            log.warning("bank.status_failed", payment=self.id, reason=str(error))
            self._ask_later(now)
            return self.state
        if status.verdict == Verdict.PAID and status.captured not in (None, self.amount):
            log.error("bank.amount_differs", payment=self.id, captured=status.captured)
            self._ask_later(now)
            return self.state
        unaccepted = status.verdict == Verdict.UNKNOWN and bool(status.captured)
        if unaccepted:
            # Money that settles nothing here: the operator gives it back or accepts it (docs/bank.md).
            log.error("bank.captured_unaccepted", payment=self.id)
        if self.state == "declined" and status.verdict != Verdict.PAID and not unaccepted:
            Payment.update(ask_at=None).where(Payment.id == self.id, Payment.state == "declined").execute()
            return self.state
        if status.verdict in (Verdict.PAID, Verdict.DECLINED):
            return self.settle(
                status.verdict, now, auth_code=status.auth_code, trans_id=status.trans_id, reason=status.error
            )
        if status.verdict == Verdict.NOT_FOUND and now >= self.purpose.payable_until:
            late = (self.purpose.payable_until + timedelta(seconds=seconds) for seconds in LATE_ASKS)
            Payment.update(
                state="abandoned", settled_at=now, ask_at=next((moment for moment in late if moment > now), None)
            ).where(Payment.id == self.id, Payment.state.in_((*OPEN, "abandoned"))).execute()
            self.state = Payment.select(Payment.state).where(Payment.id == self.id).scalar()
            return self.state
        if status.verdict == Verdict.NOT_FOUND:
            self._remind(now)
        self._ask_later(now)
        return self.state

    def _remind(self, now) -> None:
        """The shopper left the bank's page without paying: the way back comes by mail, once an order (PAY-8).

        Nothing is held for who left invoices unpaid, and they are on the pay-online page as before. Who made a link
        for somebody else to pay by left nothing, and has the way back in its mail.
        """
        if self.order_id is None or now < self.started_at + timedelta(minutes=config.PAYMENT_REMINDER_MINUTES):
            return
        with db.atomic():
            order = self.order.relock()
            if order.is_payable(now) and PayLink.of(order) is None:
                Mail.write("payment_failed", order, now, key=f"payment_waiting:{order.id}")

    def _ask_later(self, now) -> None:
        wait = min(config.BANK_QUERY_EVERY * 2 ** min(self.asked, 6), 1800)
        ask_at = now + timedelta(seconds=wait)
        if now < self.purpose.payable_until:
            # The answer is wanted by the time it lapses.
            ask_at = min(ask_at, self.purpose.payable_until)
        Payment.update(asked=Payment.asked + 1, ask_at=ask_at).where(
            Payment.id == self.id, Payment.state.in_(ASKED_FOR)
        ).execute()

    def ask_soon(self, now) -> None:
        """The shopper is back and waits: the worker asks the bank in its next round, though not without end."""
        if self.state not in OPEN or self.asked >= 5 or now < self.started_at + timedelta(seconds=5):
            return
        Payment.update(ask_at=now).where(
            Payment.id == self.id, Payment.state.in_(OPEN), Payment.ask_at > now + timedelta(seconds=5)
        ).execute()

    @classmethod
    def settle_all_due(cls, now, limit: int = 50, within: float = 10) -> int:
        """Ask the bank for payments whose time has come, for `within` seconds; returns how many were asked (PAY-7).

        A bank that is slow to answer must not keep the worker from the mails.
        """
        asked, began = 0, time.monotonic()
        due = list(
            cls._with_purpose().where(cls.state.in_(ASKED_FOR), cls.ask_at <= now).order_by(cls.ask_at).limit(limit)
        )
        for payment in due:
            if time.monotonic() - began >= within:
                break
            payment.ask_bank(now)
            asked += 1
        return asked

    @classmethod
    def lapse_all_due(cls, now, limit: int = 50, within: float = 10) -> int:
        """End the orders and bill payments nobody paid in time (PAY-8), for `within` seconds; returns how many.

        The bank is asked for each open attempt first: what has an outcome that is not known does not lapse.
        """
        lapsed, began = 0, time.monotonic()
        for purpose in [
            *cls._overdue(Order, cls.order, now, limit),
            *cls._overdue(BillPayment, cls.bill_payment, now, limit),
        ]:
            if time.monotonic() - began >= within:
                break
            for attempt in list(cls._with_purpose().where(cls._of(purpose), cls.state.in_(OPEN))):
                attempt.ask_bank(now)
            lapsed += cls._lapse(purpose, now)
        return lapsed

    @classmethod
    def _overdue(cls, model, key, now, limit: int) -> list:
        # Those that wait for the bank must not hold up the others.
        waiting = cls.select(key).where(key.is_null(False), cls.state.in_(OPEN), cls.ask_at > now)
        return list(
            model.awaiting_payment()
            .where(model.payable_until <= now, model.id.not_in(waiting))
            .order_by(model.payable_until)
            .limit(limit)
        )

    @classmethod
    def _lapse(cls, purpose: "Order | BillPayment", now) -> bool:
        with db.atomic():
            purpose = purpose.relock()
            if purpose.state != "awaiting_payment":
                return False
            if cls.select().where(cls._of(purpose), cls.state.in_(OPEN)).exists():
                return False
            if isinstance(purpose, BillPayment):
                purpose.lapse()
            else:
                purpose.lapse(now)
                Mail.write("order_lapsed", purpose, now, key=f"order_lapsed:{purpose.id}")
            crash.at("lapse: written")
        return True


# An order, or a choice of invoices, is paid at most once, whatever two messages say at the same moment (PAY-6).
Payment.add_index(
    Payment.index(Payment.order, unique=True, where=(Payment.state == "paid"), name="payment_paid_once")
)
Payment.add_index(
    Payment.index(
        Payment.bill_payment, unique=True, where=(Payment.state == "paid"), name="payment_of_bills_paid_once"
    )
)


class Refund(BaseModel):
    """Money that goes back to a card, exactly once, however long the bank is away (PAY-9)."""

    payment = ForeignKeyField(Payment, unique=True, on_delete="RESTRICT")
    amount = IntegerField(constraints=[Check("amount > 0")])
    state = CharField(max_length=10, constraints=[Check("state IN ('due', 'done', 'refused')")])
    begun_at = MomentField()
    done_at = MomentField(null=True)
    try_at = MomentField(null=True, index=True)
    tries = IntegerField(default=0)
    reason = CharField(max_length=255, default="")
    # Since when the bank says no; null while it only is away.
    refused_at = MomentField(null=True)

    @classmethod
    def begin(cls, payment: Payment, now, amount: int | None = None) -> "Refund":
        """Give `amount` minor units of `payment` back, or all of it."""
        return cls.create(payment=payment, amount=amount or payment.amount, state="due", begun_at=now, try_at=now)

    @classmethod
    def of_order(cls, order: Order, now) -> "Refund | None":
        """Give back what the card paid for an order that ended, once (PAY-9); None where it paid nothing.

        Call it in the transaction that ends the order.
        """
        paid = Payment.select().where(Payment.order == order, Payment.state == "paid").first()
        if paid is None:
            return None
        return cls.get_or_none(cls.payment == paid) or cls.begin(paid, now)

    @classmethod
    def open(cls):
        """Those whose money is not back yet, the oldest first, with their payments; one query."""
        return (
            cls.select(cls, Payment, Order, BillPayment)
            .join(Payment)
            .join(Order, JOIN.LEFT_OUTER)
            .switch(Payment)
            .join(BillPayment, JOIN.LEFT_OUTER)
            .where(cls.state != "done")
            .order_by(cls.id)
        )

    @classmethod
    def claim(cls, now) -> "Refund | None":
        """The next due refund, kept from other workers for as long as the bank may take to answer."""
        with db.atomic():
            refund = unclaimed(
                cls.select().where(cls.state == "due", cls.try_at <= now).order_by(cls.try_at, cls.id).limit(1)
            ).first()
            return refund and refund._take(now)

    @classmethod
    def claim_now(cls, number: int, now) -> "Refund | None":
        """The refund with the id `number`, before its time too; None when it is done or somebody holds it."""
        with db.atomic():
            refund = locked(cls.select().where(cls.id == number, cls.state != "done")).first()
            if refund is None or (refund.reason == IN_HAND and refund.try_at > now):
                return None
            return refund._take(now)

    @classmethod
    def try_soon(cls, number: int, *, by: Actor, now) -> bool:
        """Have the worker try the refund with the id `number` in its next round, and note in the trail who asked.

        False, and nothing is noted, when the money is back, or when it is due or being tried already. Nobody waits
        for the bank meanwhile, which may take its time when it is in trouble. Raises Refund.DoesNotExist.
        """
        with db.atomic():
            payment = cls.get_by_id(number).payment
            if payment.order_id is not None:
                # The order's row before the refund's, as ending an order takes them.
                payment.order.relock()
            soon = cls.update(state="due", try_at=now).where(
                cls.id == number,
                cls.state != "done",
                cls.try_at.is_null() | ((cls.try_at > now) & (cls.reason != IN_HAND)),
            )
            if not soon.execute():
                return False
            subject = "" if payment.order_id is not None else f"bills:{payment.purpose.number}"
            amount = cls.get_by_id(number).amount
            record(by, "refund_hurried", now, order=payment.order, subject=subject, after={"amount": amount})
        return True

    @property
    def is_in_hand(self) -> bool:
        """Whether somebody asks the bank for it just now."""
        return self.state == "due" and self.reason == IN_HAND

    def _take(self, now) -> "Refund":
        # Three calls, each of which gives up after four timeouts, in a round that may have begun a while ago.
        self.state, self.reason = "due", IN_HAND
        self.try_at = now + timedelta(seconds=14 * config.BANK_TIMEOUT)
        self.save()
        return self

    def carry_out(self, now) -> str:
        """Give the money back; a refund that the bank's books show already is not asked for again.

        For whoever holds it by `claim`: two at once would both read the books before either gives back. What the
        bank refuses stays due, and is tried ever more seldom down to once a day: only the operator can say whether
        the money went back otherwise, and then the books say it too.
        """
        try:
            status = bank().status(self.payment.oid)
            if not status.voided and status.refunded < self.amount:
                self._give_back(status)
                crash.at("refund: given")
        except GatewayError as error:
            self._put_off(error, now)
            return self.state
        self._write_done(now)
        return self.state

    def _write_done(self, now) -> None:
        """The money is back: in one transaction the state, and for an order its note and the mail that tells it."""
        from models.document import Document, Wanted

        done = {"state": "done", "done_at": now, "try_at": None, "reason": "", "refused_at": None}
        with db.atomic():
            # The order's row before the refund's, as ending an order takes them.
            order = self.payment.order and self.payment.order.relock()
            first = Refund.update(**done).where(Refund.id == self.id, Refund.state != "done").execute()
            if first and order is not None:
                Document.issue_of(order, Wanted("refund", self.id), now)
                # Who paid twice or too late was told already that it comes back.
                if self.payment.state == "paid":
                    self._tell_done(order, now)
            crash.at("refund: written")
        for name, value in done.items():
            setattr(self, name, value)

    def _tell_done(self, order: Order, now) -> None:
        told = {"language": order.language, "order": order, "data": {"refund": self.id}}
        Mail.write_to(order.email, "money_back", now, key=f"money_back:{self.id}", **told)

    def _give_back(self, status) -> None:
        try:
            bank().refund(self.payment.oid, self.amount - status.refunded)
        except BankDeclined as declined:
            whole = self.amount == self.payment.amount == status.captured and not status.refunded
            if not whole:
                raise
            # Before the bank closes its day, it may know a payment only to be cancelled, not refunded.
            try:
                bank().void(self.payment.oid)
            except GatewayError as error:
                raise GatewayError(f"{declined}; void: {error}", permanent=error.permanent) from error

    def _put_off(self, error: GatewayError, now) -> None:
        longest = REFUSED_WAIT if error.permanent else AWAY_WAIT

        def wait(tries):
            return timedelta(seconds=min(30 * 2 ** min(tries, 12), longest))

        day, before = timedelta(days=1), now - wait(self.tries)
        self.tries += 1
        self.refused_at = (self.refused_at or now) if error.permanent else None
        self.reason = str(error)[:255]
        self.try_at = now + wait(self.tries)
        self.save()
        # What the bank wrote stays in the row: it may name somebody.
        told = {"refund": self.id, "payment": self.payment_id, "tries": self.tries, "refused": error.permanent}
        new_day = (now - self.begun_at) // day > (before - self.begun_at) // day
        if self.tries == ALARM_FROM or (self.tries > ALARM_FROM and new_day):
            log.error("refund.stuck", **told)
        else:
            log.warning("refund.failed", **told)

    @classmethod
    def carry_out_all_due(cls, now, limit: int = 20, within: float = 10) -> int:
        """Give back what is due, for `within` seconds; returns how many refunds were tried (PAY-9)."""
        tried, began = 0, time.monotonic()
        while tried < limit and time.monotonic() - began < within:
            refund = cls.claim(now)
            if refund is None:
                break
            refund.carry_out(now)
            tried += 1
        return tried


class BankMessage(BaseModel):
    """Every message the bank, or somebody in its name, sent: what it was and what came of it (PAY-6)."""

    at = MomentField()
    channel = CharField(max_length=10, constraints=[Check("channel IN ('return', 'callback')")])
    payment = ForeignKeyField(Payment, null=True, on_delete="SET NULL")
    digest = CharField(max_length=64, default="", index=True)
    outcome = CharField(max_length=12)
    detail = TextField(default="")


def strange(now):
    """Which messages of the bank name no payment and are older than 90 days, as a condition (PRV-3)."""
    return BankMessage.payment.is_null() & (BankMessage.at < now - timedelta(days=90))


def forget_strangers(now) -> int:
    """Delete messages that belonged to no payment, after 90 days (PRV-3); returns how many."""
    return BankMessage.delete().where(strange(now)).execute()


def hear(fields, channel: str, now) -> Payment | None:
    """Take in a message that came as the bank's (PAY-6): its payment, or None when it is none of ours.

    A forged, replayed or altered message changes nothing; each is logged with what was wrong.
    """
    try:
        message = bank().read(fields)
    except ForgedMessage as error:
        BankMessage.create(at=now, channel=channel, outcome="forged", detail=str(error)[:200])
        log.warning("bank.forged", channel=channel, reason=str(error))
        return None
    payment = _payment_of(message)
    if payment is None:
        BankMessage.create(at=now, channel=channel, outcome="stranger", digest=message.digest)
        log.warning("bank.unknown_order", channel=channel)
        return None
    verdict = bank().verdict(message, payment.oid, payment.amount)
    if verdict == Verdict.MISMATCH:
        BankMessage.create(at=now, channel=channel, payment=payment, outcome="mismatch", digest=message.digest)
        log.warning("bank.mismatch", channel=channel, payment=payment.id)
        return None
    replayed = BankMessage.select().where(BankMessage.digest == message.digest, BankMessage.outcome == "applied")
    if replayed.exists():
        BankMessage.create(at=now, channel=channel, payment=payment, outcome="replayed", digest=message.digest)
        return payment
    payment.settle(verdict, now, auth_code=message.auth_code, trans_id=message.trans_id, reason=message.error)
    BankMessage.create(at=now, channel=channel, payment=payment, outcome="applied", digest=message.digest)
    return payment


def _payment_of(message: Message) -> Payment | None:
    return Payment._with_purpose().where(Payment.oid == message.oid).first()
