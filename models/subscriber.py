"""The shop's copy of whom the operator bills: number holders and their subscriber codes.

The billing system owns them; `flask bss import` brings them up to date (docs/bss.md).
"""

from datetime import date, datetime, timedelta

from peewee import BooleanField, CharField, Check, DateField, ForeignKeyField

from models.base import BaseModel
from models.calendar import local_day


class Holder(BaseModel):
    """A person or company that holds numbers (poseduesi i numrit)."""

    # EMBG of a person, tax number of a company; capitals and digits.
    id_number = CharField(unique=True, max_length=20)
    segment = CharField(max_length=10, constraints=[Check("segment IN ('private', 'business')")])
    first_name = CharField(max_length=60, default="")
    last_name = CharField(max_length=60, default="")
    company = CharField(max_length=120, default="")

    @property
    def is_private(self) -> bool:
        return self.segment == "private"

    @property
    def name(self) -> str:
        return self.company or f"{self.first_name} {self.last_name}".strip()

    def unpaid_invoices(self) -> list["Invoice"]:  # noqa: F821
        """Of all subscriber codes, the oldest first, due or not; each with its `subscriber` (PRO-7); one query."""
        from models.invoice import Invoice

        return list(self._invoices(Invoice.paid_at.is_null()).order_by(Invoice.due_on, Invoice.id))

    def debts(self, now) -> list["Invoice"]:  # noqa: F821
        """The unpaid invoices whose due date is past (ELG-1)."""
        today = local_day(now)
        return [invoice for invoice in self.unpaid_invoices() if invoice.due_on < today]

    def last_debt_paid(self) -> "Invoice | None":  # noqa: F821
        """The debt that was paid last, on any of the codes (ELG-2); see Invoice.was_debt."""
        from models.invoice import Invoice

        paid = self._invoices(Invoice.paid_at.is_null(False)).order_by(Invoice.paid_at.desc()).iterator()
        return next((invoice for invoice in paid if invoice.was_debt), None)

    def debts_paid_since(self, moment: datetime) -> list["Invoice"]:  # noqa: F821
        """Debts that were paid at `moment` or later, the last first (ELG-2).

        Not only the last one counts: a debt paid in a shop this morning makes a shopper wait for longer than one
        paid online a minute ago.
        """
        from models.invoice import Invoice

        paid = self._invoices(Invoice.paid_at >= moment).order_by(Invoice.paid_at.desc())
        return [invoice for invoice in paid if invoice.was_debt]

    def active_contracts(self, now) -> list["Contract"]:  # noqa: F821
        """Besnik 24 contracts that run on any of the holder's numbers, each with its `number` (ELG-3); one query."""
        from models.contract import Contract
        from models.number import Number

        return list(
            Contract.running(now)
            .select(Contract, Number)
            .join(Number)
            .join(Subscriber)
            .where(Subscriber.holder == self)
            .order_by(Contract.id)
        )

    def _invoices(self, condition):
        from models.invoice import Invoice

        return Invoice.select(Invoice, Subscriber).join(Subscriber).where(Subscriber.holder == self, condition)


class Subscriber(BaseModel):
    """A subscriber code (kod abonues): what invoices are written to."""

    holder = ForeignKeyField(Holder, backref="subscribers", on_delete="CASCADE")
    code = CharField(unique=True, max_length=30)
    since = DateField()
    # Known to the operator from before, so that six months need not pass (ELG-4).
    has_history = BooleanField(default=False)

    def months(self, now) -> int:
        """Whole months since the code began (ELG-4)."""
        return months_between(self.since, local_day(now))


def months_between(first: date, second: date) -> int:
    """Whole months from one day to another: 31 January to 28 February is one (the month has no later day)."""
    months = (second.year - first.year) * 12 + second.month - first.month
    ends_month = (second + timedelta(days=1)).month != second.month
    if second.day < first.day and not ends_month:
        months -= 1
    return months
