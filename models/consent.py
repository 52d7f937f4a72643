"""What somebody agreed to, when and in which words (PRV-2)."""

from peewee import BooleanField, CharField, Check, ForeignKeyField, TextField

from models.base import BaseModel, MomentField, db
from models.number import Number, ProfileNumber
from models.profile import Profile

KINDS = ("club_email", "club_sms")
CHANNELS = ("web", "sms", "mail", "desk")


class Consent(BaseModel):
    """One yes or no; rows are only added, and the last one counts. Without a row it is no."""

    profile = ForeignKeyField(Profile, backref="consents", on_delete="CASCADE")
    kind = CharField(max_length=20, constraints=[Check(f"kind IN {KINDS!r}")])
    given = BooleanField()
    # What was shown beside the box, or how it was taken back.
    wording = TextField()
    channel = CharField(max_length=4, constraints=[Check(f"channel IN {CHANNELS!r}")])
    at = MomentField()

    class Meta:
        indexes = ((("profile", "kind", "at"), False),)

    @classmethod
    def of(cls, profile: Profile) -> dict[str, bool]:
        """By kind; one query."""
        rows = cls.select(cls.kind, cls.given).where(cls.profile == profile).order_by(cls.id).tuples()
        return dict.fromkeys(KINDS, False) | dict(rows)

    @classmethod
    def say(cls, profile: Profile, kind: str, given: bool, now, *, wording: str, channel: str) -> bool:
        """Write it down where it differs from what counts now; false when it does not."""
        if cls.of(profile)[kind] == given:
            return False
        cls.create(profile=profile, kind=kind, given=given, wording=wording, channel=channel, at=now)
        return True

    @classmethod
    def stop_sms(cls, msisdn: str, now) -> int:
        """STOP was sent from `msisdn`: no profile with that number gets club news by SMS any more.

        Returns how many had wanted them; none is no trouble.
        """
        with db.atomic():
            profiles = (
                Profile.select()
                .join(ProfileNumber)
                .join(Number)
                .where(Number.msisdn == msisdn, Number.active)
                .order_by(Profile.id)
            )
            return sum(
                cls.say(profile, "club_sms", False, now, wording="STOP te 50777", channel="sms")
                for profile in list(profiles)
            )
