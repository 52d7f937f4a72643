"""What members spent in a month, and the points for it: credited once (CLB-3)."""

from peewee import CharField, Check, ForeignKeyField, IntegerField

from models.base import BaseModel, MomentField
from models.club_ledger import ClubEntry
from models.club_member import ClubMember, FixedService


class ClubMonth(BaseModel):
    """One month of one member, as the billing system told it; without an entry where it gave no points."""

    member = ForeignKeyField(ClubMember, backref="months", on_delete="RESTRICT")
    # "2026-10".
    month = CharField(max_length=7, constraints=[Check("LENGTH(month) = 7")])
    # Minor units.
    spent = IntegerField(constraints=[Check("spent >= 0")])
    entry = ForeignKeyField(ClubEntry, null=True, unique=True, on_delete="RESTRICT")
    at = MomentField()

    class Meta:
        indexes = ((("member", "month"), True),)


class ClubTopup(BaseModel):
    """A top-up of a fixed service, as the billing system told it (CLB-4)."""

    reference = CharField(unique=True, max_length=40)
    fixed = ForeignKeyField(FixedService, on_delete="RESTRICT")
    package = CharField(max_length=40)
    topped_up_at = MomentField()
    # Without one where it gave no points: no member, or before the first day that earns.
    entry = ForeignKeyField(ClubEntry, null=True, unique=True, on_delete="RESTRICT")
    at = MomentField()

    class Meta:
        indexes = ((("fixed", "topped_up_at"), False),)
