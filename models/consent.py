"""What somebody agreed to, when and in which words (PRV-2)."""

import hashlib
from functools import lru_cache

from itsdangerous import BadData, URLSafeSerializer
from peewee import BooleanField, CharField, Check, ForeignKeyField, TextField, fn

import config
from models.base import BaseModel, MomentField, db
from models.number import Number, ProfileNumber
from models.profile import Profile

KINDS = ("club_email", "club_sms")
CHANNELS = ("web", "sms", "mail", "desk")


class BadLink(Exception):
    """The link to stop was not signed by this shop, or its profile is gone."""


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
    def to(cls, kind: str) -> list[int]:
        """The profiles whose last word to `kind` is yes, in the order of their ids; one query."""
        last = cls.select(fn.MAX(cls.id)).where(cls.kind == kind).group_by(cls.profile)
        given = cls.select(cls.profile).where(cls.id.in_(last), cls.given).order_by(cls.profile)
        return [profile for (profile,) in given.tuples()]

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


@lru_cache(maxsize=1)
def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(
        config.secret_key(), salt="club-news-stop", signer_kwargs={"digest_method": hashlib.sha256}
    )


def stop_token(profile: Profile) -> str:
    """What the link that stops the club's mails to `profile` carries; it opens nothing else, and does not expire."""
    return _serializer().dumps(profile.id)


def of_stop_token(token: str) -> Profile:
    """Whose mails the link stops; raises BadLink."""
    try:
        profile = Profile.get_or_none(Profile.id == int(_serializer().loads(token)))
    except (BadData, ValueError, TypeError) as error:
        raise BadLink from error
    if profile is None:
        raise BadLink
    return profile
