"""Who works for the shop, or for one of the club's partners: one role each (DSK-5)."""

from peewee import JOIN, CharField, Check, ForeignKeyField

from models.actor import SYSTEM, Actor
from models.base import BaseModel, MomentField, db, locked
from models.club_offer import Partner
from models.profile import Profile
from models.second_factor import WorkSession, subject
from models.trail import record

ROLES = ("agent", "warehouse", "clerk", "partner", "editor", "admin")


class NoSuchRole(ValueError):
    """Not a role, or the role `partner` without its partner, or another role with one (DSK-5)."""


class NotVerified(Exception):
    """Nobody has confirmed the profile's e-mail: it may be anybody's."""


class LastAdmin(Exception):
    """Nobody would be left who can give roles."""


class OwnRole(Exception):
    """One's own role is somebody else's to change."""


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
    def add(
        cls, profile: Profile, role: str, now, partner: Partner | None = None, *, by: Actor = SYSTEM, why: str = ""
    ) -> "Staff":
        """Give `profile` this role instead of the one it had; raises NoSuchRole, NotVerified, LastAdmin, OwnRole."""
        if role not in ROLES or (role == "partner") != (partner is not None):
            raise NoSuchRole(role)
        if not profile.is_verified:
            raise NotVerified(profile.email)
        with db.atomic():
            had = cls._release(profile, by, role)
            if had is not None and (had.role, had.partner) == (role, partner):
                return had
            cls.insert(profile=profile, role=role, partner=partner, since=now).on_conflict(
                conflict_target=[cls.profile], update={cls.role: role, cls.partner: partner, cls.since: now}
            ).execute()
            before, after = _told(had), {"role": role} | ({"partner": partner.name} if partner else {})
            record(by, "role_given", now, subject=subject(profile), before=before, after=after, why=why)
        return cls.of(profile)

    @classmethod
    def remove(cls, profile: Profile, now, *, by: Actor = SYSTEM, why: str = "") -> bool:
        """Take the profile's role away, and end its work; false when it had none. Raises LastAdmin, OwnRole."""
        with db.atomic():
            had = cls._release(profile, by)
            if had is None or not cls.delete().where(cls.id == had.id).execute():
                return False
            WorkSession.end_all(profile)
            record(by, "role_taken", now, subject=subject(profile), before=_told(had), why=why)
        return True

    @classmethod
    def _release(cls, profile: Profile, by: Actor, role: str = "") -> "Staff | None":
        """The role that the profile is about to lose for `role`, if it may."""
        # Of two admins who take away each other's role at once, the second waits here, and finds the first gone.
        admins = list(locked(cls.select().where(cls.role == "admin").order_by(cls.id)))
        had = cls.of(profile)
        if had is not None and by.name == profile.email and role != had.role:
            raise OwnRole(profile.email)
        if role != "admin" and [row.profile_id for row in admins] == [profile.id]:
            raise LastAdmin(profile.email)
        return had

    @classmethod
    def of_id(cls, number: int) -> "Staff | None":
        """The row, with its profile and partner; one query."""
        return cls._all().where(cls.id == number).first()

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


def _told(had: Staff | None) -> dict:
    """A role as the trail keeps it."""
    if had is None:
        return {}
    return {"role": had.role} | ({"partner": had.partner.name} if had.partner else {})
