"""Who works for the shop, or for one of the club's partners: one role each (DSK-5)."""

from peewee import CharField, Check, ForeignKeyField

from models.base import BaseModel, MomentField
from models.club_offer import Partner
from models.profile import Profile

ROLES = ("agent", "warehouse", "clerk", "partner", "editor", "admin")


class Staff(BaseModel):
    """A profile's role."""

    profile = ForeignKeyField(Profile, unique=True, backref="staff", on_delete="CASCADE")
    role = CharField(max_length=10, constraints=[Check(f"role IN {ROLES!r}")])
    # Whose codes the role `partner` checks.
    partner = ForeignKeyField(Partner, null=True, on_delete="RESTRICT")
    since = MomentField()

    class Meta:
        constraints = [Check("(role = 'partner') = (partner_id IS NOT NULL)")]

    @classmethod
    def of(cls, profile: Profile) -> "Staff | None":
        return cls.get_or_none(cls.profile == profile)
