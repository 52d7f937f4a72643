"""What somebody agreed to, when and in which words (PRV-2).

Direct marketing goes out by what stands here alone: the outboxes take such a message only with the consent that it
goes out by, and ask once more before it is sent.
"""

import hashlib
from functools import lru_cache

from itsdangerous import BadData, URLSafeSerializer
from peewee import BooleanField, CharField, Check, ForeignKeyField, TextField, fn

import config
from models.base import BaseModel, MomentField, db
from models.number import Number, ProfileNumber
from models.profile import Profile, plain_email
from models.refusal import Refusal

KINDS = ("club_email", "club_sms", "cart_email")
# What a guest may agree to: of the club's news a profile alone.
GUEST_KINDS = ("cart_email",)
# Where the word was given: in the profile, at the checkout, by STOP, by a mail's link, at the desk.
CHANNELS = ("web", "checkout", "sms", "mail", "desk")
# All direct marketing there is: (outbox, kind of message) → the consent that it needs.
MARKETING = {
    ("mail", "club_news"): "club_email",
    ("sms", "club_news"): "club_sms",
    ("mail", "cart_reminder"): "cart_email",
}


class BadLink(Exception):
    """The link to stop was not signed by this shop, or whose it is, is gone."""


class NoConsent(Exception):
    """Direct marketing to somebody who did not agree to it."""


class Consent(BaseModel):
    """One yes or no; rows are only added, and the last one counts. Without a row it is no.

    It is a profile's, or of a guest's mailbox: `email`, as plain_email keeps it.
    """

    profile = ForeignKeyField(Profile, null=True, backref="consents", on_delete="CASCADE")
    email = CharField(max_length=254, default="")
    kind = CharField(max_length=20, constraints=[Check(f"kind IN {KINDS!r}")])
    given = BooleanField()
    # What was shown beside the box, or how it was taken back.
    wording = TextField()
    channel = CharField(max_length=10, constraints=[Check(f"channel IN {CHANNELS!r}")])
    at = MomentField()

    class Meta:
        indexes = ((("profile", "kind", "at"), False), (("email", "kind"), False))
        constraints = [Check("(profile_id IS NULL) = (email <> '')")]

    @classmethod
    def of(cls, profile: Profile) -> dict[str, bool]:
        """By kind; one query."""
        rows = cls.select(cls.kind, cls.given).where(cls.profile == profile).order_by(cls.id).tuples()
        return dict.fromkeys(KINDS, False) | dict(rows)

    @classmethod
    def live_of(cls, kind: str) -> dict[int, "Consent"]:
        """The yes of each profile whose last word to `kind` is one, by its id, in the order of ids; one query."""
        last = cls.select(fn.MAX(cls.id)).where(cls.kind == kind, cls.profile.is_null(False)).group_by(cls.profile)
        given = cls.select().where(cls.id.in_(last), cls.given).order_by(cls.profile)
        return {consent.profile_id: consent for consent in given}

    @classmethod
    def live(cls, kind: str, *, profile: Profile | int | None = None, email: str = "") -> "Consent | None":
        """The yes to `kind` that counts now, of a profile or of a guest's mailbox; None where it is no."""
        if profile is None and not email:
            return None
        whose = cls.profile == profile if profile is not None else cls.email == plain_email(email)
        last = cls.select().where(whose, cls.kind == kind).order_by(cls.id.desc()).first()
        return last if last is not None and last.given else None

    @property
    def is_live(self) -> bool:
        """Whether who said this says yes by now; one query."""
        return Consent.live(self.kind, profile=self.profile_id, email=self.email) is not None

    @classmethod
    def history(cls, profile: Profile) -> list["Consent"]:
        """Every word of the profile, and of its mailbox as a guest's once that is verified; the newest first."""
        whose = cls.profile == profile
        if profile.is_verified:
            whose |= cls.email == profile.email
        return list(cls.select().where(whose).order_by(cls.id.desc()))

    @classmethod
    def say(cls, profile: Profile, kind: str, given: bool, now, *, wording: str, channel: str) -> bool:
        """Write it down where it differs from what counts now; false when it does not."""
        if cls.of(profile)[kind] == given:
            return False
        cls.create(profile=profile, kind=kind, given=given, wording=wording, channel=channel, at=now)
        return True

    @classmethod
    def say_as_guest(cls, email: str, kind: str, given: bool, now, *, wording: str, channel: str) -> bool:
        """The same for the mailbox that a guest typed; false also where it is not taken.

        Anybody can type anybody's e-mail. Who stopped the mails from the mailbox itself, or said no in the profile
        that has it, is not asked again by what a stranger ticks: only the profile says yes then.
        """
        if kind not in GUEST_KINDS:
            raise ValueError(f"A guest does not agree to {kind!r}.")
        email = plain_email(email)
        if given and cls._refused(email, kind):
            return False
        if (cls.live(kind, email=email) is not None) == given:
            return False
        cls.create(email=email, kind=kind, given=given, wording=wording, channel=channel, at=now)
        return True

    @classmethod
    def _refused(cls, email: str, kind: str) -> bool:
        if Refusal.holds(email, kind):
            return True
        if cls.select().where(cls.email == email, cls.kind == kind, ~cls.given, cls.channel == "mail").exists():
            return True
        last = (
            cls.select(cls.given)
            .join(Profile)
            .where(Profile.email == email, cls.kind == kind)
            .order_by(cls.id.desc())
            .first()
        )
        return last is not None and not last.given

    @classmethod
    def remember(cls, email: str, now) -> None:
        """Who is not to be asked again stays so when their words go with the profile; call it before that (PRV-4)."""
        for kind in GUEST_KINDS:
            if cls._refused(email, kind):
                Refusal.keep(email, kind, now)

    @classmethod
    def forget(cls, ids) -> int:
        """Delete words whose years are over; that a mailbox stopped the mails stays, without its address (PRV-3)."""
        stopped = cls.select().where(cls.id.in_(ids), cls.profile.is_null(), ~cls.given, cls.channel == "mail")
        for said in list(stopped):
            Refusal.keep(said.email, said.kind, said.at)
        return cls.delete().where(cls.id.in_(ids)).execute()

    def take_back(self, now, *, wording: str, channel: str) -> bool:
        """The word is taken back by whoever it is of; false when that was done already."""
        if self.profile_id is not None:
            return Consent.say(self.profile, self.kind, False, now, wording=wording, channel=channel)
        return Consent.say_as_guest(self.email, self.kind, False, now, wording=wording, channel=channel)

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
                cls.say(profile, "club_sms", False, now, wording=f"STOP te {config.FACE.sms_code}", channel="sms")
                for profile in list(profiles)
            )


def proof(outbox: str, kind: str, consent: Consent | None, profile: Profile | int | None, recipient: str) -> dict:
    """What the row of a message keeps of the consent it goes out by; empty for what is no marketing (PRV-2).

    Both outboxes ask this for each message that is written. Raises NoConsent where marketing has no yes to its kind
    by the very profile or mailbox that it goes to.
    """
    needed = MARKETING.get((outbox, kind))
    if needed is None:
        return {}
    if consent is None or not consent.given or consent.kind != needed:
        raise NoConsent(f"{outbox} {kind}")
    number = profile.id if isinstance(profile, Profile) else profile
    if consent.profile_id != number or (number is None and consent.email != plain_email(recipient)):
        raise NoConsent(f"{outbox} {kind}: somebody else's")
    return {"consent": consent.id}


def is_consented(outbox: str, kind: str, data: dict | None) -> bool:
    """Whether who got to be written to still wants it: asked again just before a message is sent."""
    if (outbox, kind) not in MARKETING:
        return True
    consent = Consent.get_or_none(Consent.id == (data or {}).get("consent"))
    return consent is not None and consent.kind == MARKETING[outbox, kind] and consent.is_live


@lru_cache(maxsize=2)
def _serializer(salt: str = "club-news-stop") -> URLSafeSerializer:
    return URLSafeSerializer(config.secret_key(), salt=salt, signer_kwargs={"digest_method": hashlib.sha256})


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


def take_back_token(consent: Consent) -> str:
    """What the link that takes `consent` back carries: no address stands in it, and it does not expire."""
    return _serializer("consent-stop").dumps(consent.id)


def of_take_back_token(token: str) -> Consent:
    """The consent that the link takes back; raises BadLink."""
    try:
        consent = Consent.get_or_none(Consent.id == int(_serializer("consent-stop").loads(token)))
    except (BadData, ValueError, TypeError) as error:
        raise BadLink from error
    if consent is None:
        raise BadLink
    return consent
