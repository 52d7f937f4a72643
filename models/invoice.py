"""The shop's copy of invoices: what is owed, and when and how it was paid."""

from peewee import CharField, Check, DateField, ForeignKeyField, IntegerField

from models.base import BaseModel, MomentField
from models.calendar import local_day
from models.subscriber import Subscriber

PAID_THROUGH = ("online", "app", "shop", "bank", "other")
# The pay-online page and the app: the shorter wait of ELG-2.
ONLINE = ("online", "app")


class Invoice(BaseModel):
    subscriber = ForeignKeyField(Subscriber, backref="invoices", on_delete="CASCADE")
    number = CharField(unique=True, max_length=40)
    issued_on = DateField()
    due_on = DateField()
    # Minor units.
    amount = IntegerField(constraints=[Check("amount > 0")])
    paid_at = MomentField(null=True)
    paid_through = CharField(
        max_length=10,
        default="",
        constraints=[Check(f"paid_through IN ({', '.join(repr(way) for way in ('', *PAID_THROUGH))})")],
    )

    class Meta:
        constraints = [Check("(paid_at IS NULL) = (paid_through = '')"), Check("due_on >= issued_on")]

    @property
    def is_paid(self) -> bool:
        return self.paid_at is not None

    @property
    def paid_online(self) -> bool:
        return self.paid_through in ONLINE

    def is_debt(self, now) -> bool:
        """Unpaid on a day after the one it was due on (ELG-1)."""
        return not self.is_paid and self.due_on < local_day(now)

    @property
    def was_debt(self) -> bool:
        """Paid on a day after the one it was due on (ELG-2)."""
        return self.is_paid and self.due_on < local_day(self.paid_at)

    def pay(self, now, through: str = "online") -> bool:
        """Note that it was paid; false, and nothing changes, when it was paid already (PRO-7)."""
        if through not in PAID_THROUGH:
            raise ValueError(f"An invoice is not paid through {through!r}.")
        changed = (
            Invoice.update(paid_at=now, paid_through=through)
            .where(Invoice.id == self.id, Invoice.paid_at.is_null())
            .execute()
        )
        if changed:
            self.paid_at, self.paid_through = now, through
        return bool(changed)
