"""The shop's copy of Besnik 24 contracts: the device, its instalments, and how far they are paid."""

from fractions import Fraction

from peewee import BooleanField, CharField, Check, DateField, ForeignKeyField, IntegerField

from models.base import BaseModel
from models.calendar import local_day
from models.number import Number


class Contract(BaseModel):
    number = ForeignKeyField(Number, backref="contracts", on_delete="CASCADE")
    # The operator's own.
    code = CharField(unique=True, max_length=40)
    kind = CharField(max_length=12, default="besnik24", constraints=[Check("kind IN ('besnik24')")])
    device = CharField(max_length=160)
    started_on = DateField()
    # The last day.
    ends_on = DateField()
    # Of the device, and what of it is paid, minor units.
    price = IntegerField(constraints=[Check("price >= 0")])
    paid = IntegerField(default=0, constraints=[Check("paid >= 0")])
    # 1: paid in one piece.
    instalments = IntegerField(constraints=[Check("instalments IN (1, 6, 12, 24)")])
    instalments_paid = IntegerField(default=0, constraints=[Check("instalments_paid >= 0")])
    ended = BooleanField(default=False)

    class Meta:
        constraints = [
            Check("ends_on >= started_on"),
            Check("paid <= price"),
            Check("instalments_paid <= instalments"),
        ]

    @classmethod
    def running(cls, now):
        """A query for the contracts that bind at `now`."""
        return cls.select().where(~cls.ended, cls.ends_on >= local_day(now))

    @classmethod
    def end_all_due(cls, now) -> int:
        """Mark contracts as ended whose last day is past; returns how many."""
        return cls.update(ended=True).where(~cls.ended, cls.ends_on < local_day(now)).execute()

    def is_active(self, now) -> bool:
        return not self.ended and self.ends_on >= local_day(now)

    @property
    def has_instalments(self) -> bool:
        return self.instalments > 1

    @property
    def share_paid(self) -> Fraction:
        """How much of the price is paid, 0 to 1, exactly (ELG-3)."""
        return Fraction(self.paid, self.price) if self.price else Fraction(1)


# A number has one Besnik 24 contract at a time (ELG-5).
Contract.add_index(Contract.index(Contract.number, unique=True, where=~Contract.ended, name="contract_running_once"))
