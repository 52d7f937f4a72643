"""Who works for the shop, or for one of the club's partners: one role each (DSK-5)."""

from peewee import JOIN, CharField, Check, ForeignKeyField

from models.base import BaseModel, MomentField
from models.club_offer import Partner
from models.profile import Profile

ROLES = ("agent", "warehouse", "clerk", "partner", "editor", "admin")


class NoSuchRole(ValueError):
    """Not a role, or the role `partner` without its partner, or another role with one (DSK-5)."""


class NotVerified(Exception):
    """Nobody has confirmed the profile's e-mail: it may be anybody's."""


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
        """The profile's role, with the partner it works for; one query, so that a role that is taken away is gone
        with the next request."""
        return cls._all().where(cls.profile == profile).first()

    @classmethod
    def add(cls, profile: Profile, role: str, now, partner: Partner | None = None) -> "Staff":
        """Give `profile` this role instead of the one it had; raises NoSuchRole, NotVerified."""
        if role not in ROLES or (role == "partner") != (partner is not None):
            raise NoSuchRole(role)
        if not profile.is_verified:
            raise NotVerified(profile.email)
        cls.insert(profile=profile, role=role, partner=partner, since=now).on_conflict(
            conflict_target=[cls.profile], update={cls.role: role, cls.partner: partner, cls.since: now}
        ).execute()
        return cls.of(profile)

    @classmethod
    def remove(cls, profile: Profile) -> bool:
        """Take the profile's role away; false when it had none."""
        return bool(cls.delete().where(cls.profile == profile).execute())

    @classmethod
    def everybody(cls) -> list["Staff"]:
        """All, by role and e-mail, with profiles and partners; one query."""
        return list(cls._all().order_by(cls.role, Profile.email))

    @classmethod
    def _all(cls):
        return (
            cls.select(cls, Profile, Partner)
            .join(Profile)
            .join_from(cls, Partner, JOIN.LEFT_OUTER, on=(cls.partner == Partner.id))
        )
