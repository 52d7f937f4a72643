"""A choice of the operator's invoices that is paid in one card payment (PRO-7)."""

from datetime import timedelta

from peewee import BooleanField, CharField, Check, ForeignKeyField, IntegerField, fn

import config
from models.base import BaseModel, MomentField, db, locked
from models.bss_event import BssEvent
from models.invoice import Invoice
from models.number import Number, ProfileNumber
from models.order_number import new_number
from models.profile import Profile
from models.subscriber import Subscriber

STATES = ("awaiting_payment", "paid", "lapsed")
PREFIX = "FA"
# Choices that one profile may have open at the bank at the same time: each costs questions to the bank.
MOST_OPEN = 20


class NothingChosen(Exception):
    """No invoice was chosen."""


class NotOwed(Exception):
    """Of the chosen invoices, `numbers` are paid already, were changed, or are nobody's in this profile."""

    def __init__(self, numbers):
        super().__init__(", ".join(numbers))
        self.numbers = list(numbers)


class TooManyOpen(Exception):
    """The profile began many payments and finished none."""


def unpaid_of(profile: Profile) -> list[Invoice]:
    """The unpaid invoices behind the profile's numbers, the oldest first, due or not (PRO-7); one query.

    Of all subscriber codes of all their holders, as ELG-1 counts them; each with its `subscriber`.
    """
    theirs = (
        Subscriber.select(Subscriber.holder)
        .join(Number)
        .join(ProfileNumber)
        .where(ProfileNumber.profile == profile, Number.active)
    )
    return list(
        Invoice.select(Invoice, Subscriber)
        .join(Subscriber)
        .where(Subscriber.holder.in_(theirs), Invoice.paid_at.is_null())
        .order_by(Invoice.due_on, Invoice.id)
    )


class BillPayment(BaseModel):
    """Invoices that a profile chose to pay together.

    It holds nothing back: an invoice may be paid elsewhere until the money is there. What the money was not needed
    for goes back to the card, so that an invoice is paid once, whatever happens at the same moment.
    """

    # FA-7K3M-9QPX-7: what people and the bank know it by.
    number = CharField(unique=True, max_length=20)
    profile = ForeignKeyField(Profile, null=True, backref="bill_payments", on_delete="SET NULL")
    # Where the receipt goes, and its language.
    email = CharField(max_length=254)
    language = CharField(max_length=2)
    state = CharField(max_length=20, constraints=[Check(f"state IN ({', '.join(repr(state) for state in STATES)})")])
    # Minor units.
    total = IntegerField(constraints=[Check("total > 0")])
    begun_at = MomentField()
    payable_until = MomentField(index=True)
    paid_at = MomentField(null=True)

    class Meta:
        constraints = [Check("(state = 'paid') = (paid_at IS NOT NULL)")]

    @classmethod
    def begin(cls, profile: Profile, numbers, now, language: str) -> "BillPayment":
        """A payment of the invoices `numbers`, with its first attempt at the bank.

        The same choice twice, by a double click or in two tabs, is one payment while it can be paid.
        Raises NothingChosen, NotOwed, TooManyOpen.
        """
        from models.payment import Payment

        chosen = set(numbers)
        if not chosen:
            raise NothingChosen
        with db.atomic():
            # Two clicks at the same moment wait here for each other.
            profile = locked(Profile.select().where(Profile.id == profile.id)).get()
            invoices = [invoice for invoice in unpaid_of(profile) if invoice.number in chosen]
            gone = chosen - {invoice.number for invoice in invoices}
            if gone:
                raise NotOwed(sorted(gone))
            opened = cls._open_of(profile, now)
            wanted = {(invoice.id, invoice.amount) for invoice in invoices}
            for known in opened:
                if {(line.invoice_id, line.amount) for line in known.lines} == wanted:
                    return known
            if len(opened) >= MOST_OPEN:
                raise TooManyOpen
            made = cls.create(
                number=PREFIX + new_number()[2:],
                profile=profile,
                email=profile.email,
                language=language,
                state="awaiting_payment",
                total=sum(invoice.amount for invoice in invoices),
                begun_at=now,
                payable_until=now + timedelta(minutes=config.PAYABLE_MINUTES),
            )
            BillPaymentLine.insert_many(
                [
                    {"bill_payment": made, "invoice": invoice, "number": invoice.number, "amount": invoice.amount}
                    for invoice in sorted(invoices, key=lambda invoice: invoice.id)
                ]
            ).execute()
            Payment.begin(made, now)
            return made

    @classmethod
    def of_number(cls, number: str) -> "BillPayment | None":
        return cls.get_or_none(cls.number == number)

    @classmethod
    def paid_by(cls, profile: Profile, most: int = 5) -> "list[BillPayment]":
        """What the profile paid last, each with its `needed`: what of the money did not go back, in minor units."""
        return list(
            cls.select(cls, fn.SUM(BillPaymentLine.amount).alias("needed"))
            .join(BillPaymentLine)
            .where(cls.profile == profile, cls.state == "paid", BillPaymentLine.paid)
            .group_by(cls)
            .order_by(cls.paid_at.desc(), cls.id.desc())
            .limit(most)
        )

    @classmethod
    def awaiting_payment(cls):
        return cls.select().where(cls.state == "awaiting_payment")

    @classmethod
    def _open_of(cls, profile, now) -> "list[BillPayment]":
        opened = cls.awaiting_payment().where(cls.profile == profile, cls.payable_until > now).order_by(cls.id)
        return list(opened.prefetch(BillPaymentLine.select()))

    @property
    def due_now(self) -> int:
        """What the card is charged, in minor units."""
        return self.total

    @property
    def full_name(self) -> str:
        return f"{self.profile.first_name} {self.profile.last_name}".strip() if self.profile else ""

    @property
    def phone(self) -> str:
        return self.profile.phone if self.profile else ""

    def invoiced(self) -> "list[BillPaymentLine]":
        """The chosen invoices; one query."""
        return list(BillPaymentLine.select().where(BillPaymentLine.bill_payment == self).order_by(BillPaymentLine.id))

    def is_payable(self, now) -> bool:
        """In time, and every invoice is still owed as it was chosen: else nobody is sent to the bank for it."""
        if self.state != "awaiting_payment" or now >= self.payable_until:
            return False
        settled = (
            BillPaymentLine.select()
            .left_outer_join(Invoice)
            .where(
                BillPaymentLine.bill_payment == self,
                Invoice.id.is_null() | Invoice.paid_at.is_null(False) | (Invoice.amount != BillPaymentLine.amount),
            )
        )
        return not settled.exists()

    def relock(self) -> "BillPayment":
        """This payment as it is now, held until the transaction ends."""
        return locked(BillPayment.select().where(BillPayment.id == self.id)).get()

    def take_money(self, now) -> int:
        """The card was charged: note the invoices as paid online (ELG-2); returns how much of it was needed.

        An invoice that was paid meanwhile, in a shop or by another card payment, or whose amount the operator
        changed, is left alone: its share is not needed. Money that comes late, after the payment lapsed, is as good
        as any. Call it on the relocked row, inside the transaction that settles the payment.
        """
        if self.state == "paid":
            return 0
        lines = {line.invoice_id: line for line in self.invoiced() if line.invoice_id is not None}
        # By id: two payments that share invoices wait for each other in one order, never in a ring.
        owed = locked(Invoice.select().where(Invoice.id.in_(list(lines))).order_by(Invoice.id))
        paid = [invoice for invoice in owed if invoice.amount == lines[invoice.id].amount and invoice.pay(now)]
        if not paid:
            return 0
        BillPaymentLine.update(paid=True).where(
            BillPaymentLine.bill_payment == self, BillPaymentLine.invoice.in_([invoice.id for invoice in paid])
        ).execute()
        self.state, self.paid_at = "paid", now
        self.save()
        BssEvent.of_paid_invoices(self.number, paid, now)
        return sum(invoice.amount for invoice in paid)

    def tell(self, kind: str, now, *, key: str) -> None:
        """Put a mail about it into the outbox; call it in the transaction of what it reports (MSG-1)."""
        from models.outbox import Mail

        about = {"bill_payment": self.number}
        Mail.write_to(self.email, kind, now, key=key, language=self.language, profile=self.profile_id, data=about)

    def lapse(self) -> None:
        """Nobody paid in time: it is dropped, and the invoices are owed as before."""
        BillPayment.update(state="lapsed").where(
            BillPayment.id == self.id, BillPayment.state == "awaiting_payment"
        ).execute()


class BillPaymentLine(BaseModel):
    """An invoice as it was chosen: number and amount stay what they were."""

    bill_payment = ForeignKeyField(BillPayment, backref="lines", on_delete="CASCADE")
    invoice = ForeignKeyField(Invoice, null=True, on_delete="SET NULL")
    number = CharField(max_length=40)
    # Minor units.
    amount = IntegerField(constraints=[Check("amount > 0")])
    # Whether the card's money paid it; else, once the payment is over, its share went back.
    paid = BooleanField(default=False)

    class Meta:
        indexes = ((("bill_payment", "number"), True),)
