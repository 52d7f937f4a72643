"""Links in mails that prove a mailbox: a new password, a new e-mail (PRO-2); and how such links are signed."""

import hashlib
import secrets
from datetime import timedelta
from functools import lru_cache

import structlog
from itsdangerous import BadData, URLSafeSerializer
from peewee import CharField, Check, ForeignKeyField, IntegerField, IntegrityError

import config
from models import password as passwords
from models.base import BaseModel, MomentField, ShortLived, db, locked
from models.profile import Attempt, Profile, plain_email

log = structlog.get_logger()

# Mails of one kind that somebody may cause to one address, and from one network, in AN_HOUR.
MAILS_TO_EMAIL = 3
MAILS_FROM_NETWORK = 20
AN_HOUR = timedelta(hours=1)


class LinkOver(Exception):
    """The link was used, withdrawn, is too old, or was never the shop's: nobody is told which."""


class EmailTaken(Exception):
    """Another profile has got the e-mail in the meantime."""


@lru_cache(maxsize=8)
def _serializer(purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(
        config.secret_key(), salt=f"profile-{purpose}", signer_kwargs={"digest_method": hashlib.sha256}
    )


def sign(purpose: str, code: str) -> str:
    """The token for a link's address. The tables alone do not tell it: it is signed with SECRET_KEY."""
    return _serializer(purpose).dumps(code)


def read(purpose: str, token: str) -> str:
    """The code that `token` was signed for; raises LinkOver."""
    try:
        code = _serializer(purpose).loads(token)
    except (BadData, ValueError, TypeError) as error:
        raise LinkOver from error
    if not isinstance(code, str):
        raise LinkOver
    return code


def new_code() -> str:
    return secrets.token_urlsafe(15)


def mailbox_of(email: str) -> str:
    """By what mails to `email` are counted: what stands behind a plus most servers deliver to the same mailbox."""
    name, _, server = email.rpartition("@")
    return f"{name.split('+', 1)[0] or name}@{server}"


def count_mail(what: str, email: str, address: str, now) -> None:
    """Count a mail that somebody asks for; raises LockedOut when `email` or the network `address` had its share."""
    limits = {f"{what}:{mailbox_of(email)}": MAILS_TO_EMAIL}
    if address:
        limits[f"{what}-from:{address}"] = MAILS_FROM_NETWORK
    Attempt.begin(limits, AN_HOUR, now)


def tell_known(profile: Profile, now, *, key: str) -> None:
    """Write to whom a known e-mail belongs that somebody else wanted a profile with it: the page tells nobody."""
    from models.outbox import Mail

    Mail.write_to(
        profile.email, "already_registered", now, key=f"known:{key}", language=profile.language, profile=profile
    )


class ProfileLink(ShortLived, BaseModel):
    """A link that was mailed to `email`, for one profile and one use."""

    code = CharField(unique=True, max_length=24)
    purpose = CharField(max_length=8, constraints=[Check("purpose IN ('password', 'email')")])
    # None where somebody asked for the password of an unknown e-mail: as much is written as for a known one, so that
    # time does not tell which it is.
    profile = ForeignKeyField(Profile, null=True, on_delete="CASCADE")
    email = CharField(max_length=254)
    mails = IntegerField(default=0, constraints=[Check("mails >= 0")])
    created_at = MomentField()
    expires_at = MomentField(index=True)
    used_at = MomentField(null=True)

    class Meta:
        constraints = [  # noqa: RUF012
            Check("expires_at > created_at"),
            Check("profile_id IS NOT NULL OR purpose = 'password'"),
        ]

    @classmethod
    def ask_password(cls, email: str, address: str, now) -> None:
        """Mail a link for a new password to `email`, if a profile has it; nobody learns whether (PRO-2).

        Raises LockedOut, for known and unknown e-mails alike.
        """
        email = plain_email(email)
        count_mail("password-mail", email, address, now)
        with db.atomic():
            profile = Profile.of_email(email)
            link = cls._begin("password", profile, email, now, timedelta(minutes=config.PASSWORD_LINK_MINUTES))
            link._mail("password_reset" if profile is not None else "unknown_email", now)

    @classmethod
    def ask_email(cls, profile: Profile, email: str, address: str, now) -> "ProfileLink":
        """Mail a link to `email`, with which it becomes the profile's, or is shown to be (PRO-1).

        Where another profile has it, its owner is told instead, and whoever asked sees no difference. An earlier
        wish is void. Raises LockedOut.
        """
        email = plain_email(email)
        count_mail("email-mail", email, address, now)
        with db.atomic():
            # Two wishes at once take turns: one stays.
            locked(Profile.select().where(Profile.id == profile.id)).get()
            cls.void(profile, "email", now)
            link = cls._begin("email", profile, email, now, timedelta(hours=config.CONFIRM_HOURS))
            link._mail_for_email(now)
        return link

    @classmethod
    def awaited_email(cls, profile: Profile, now) -> "ProfileLink | None":
        """The wish for another e-mail that has not been confirmed yet."""
        return (
            cls.select()
            .where(cls.profile == profile, cls.purpose == "email", cls.used_at.is_null(), cls.expires_at > now)
            .order_by(cls.id.desc())
            .first()
        )

    def send_again(self, address: str, now) -> None:
        """The mail for the new e-mail once more; raises LockedOut."""
        count_mail("email-mail", self.email, address, now)
        with db.atomic():
            self._mail_for_email(now)

    @classmethod
    def void(cls, profile: Profile, purpose: str, now) -> None:
        """Make the profile's links of `purpose` that are under way open nothing."""
        cls.update(used_at=now).where(cls.profile == profile, cls.purpose == purpose, cls.used_at.is_null()).execute()

    @classmethod
    def of_token(cls, purpose: str, token: str, now) -> "ProfileLink":
        """The link with `token`, while it opens something; raises LinkOver. Looking uses nothing up."""
        link = cls.get_or_none(cls.code == read(purpose, token), cls.purpose == purpose)
        if link is None or link.profile is None or link.used_at is not None or link.expires_at <= now:
            raise LinkOver
        return link

    def set_password(self, password: str, now) -> Profile:
        """Take a new password for the profile, once; every session ends (PRO-2).

        Raises WeakPassword, which leaves the link usable, and LinkOver.
        """
        passwords.refuse_weak(password, self.email)
        password_hash = passwords.hash_of(password)
        with db.atomic():
            profile = self._use(now)
            if profile.email != self.email:
                raise LinkOver
            profile.keep_password(password_hash, now)
            if profile.verified_at is None:
                # Whoever has the link has the mailbox.
                profile.verified_at = now
                profile.save()
        return profile

    def confirm_email(self, now) -> Profile:
        """Make `email` the profile's, once; the former address is told (PRO-1).

        Raises LinkOver, and EmailTaken when another profile came first.
        """
        from models.outbox import Mail

        try:
            with db.atomic():
                profile = self._use(now)
                former, profile.email, profile.verified_at = profile.email, self.email, now
                profile.save()
                if former != self.email:
                    # What was mailed to the former address must not open the profile any more.
                    ProfileLink.void(profile, "password", now)
                    Mail.write_to(
                        former,
                        "email_changed",
                        now,
                        key=f"email_changed:{self.id}",
                        language=profile.language,
                        profile=profile,
                    )
        except IntegrityError as error:
            raise EmailTaken from error
        log.info("profile.email_confirmed")
        return profile

    @classmethod
    def past(cls, now):
        return cls.expires_at <= now

    @classmethod
    def forget_old(cls, now) -> int:
        """Delete links whose time is over (PRV-3), and the mails of unknown e-mails; returns how many links."""
        from models.outbox import WITHHELD_KINDS, Mail

        over = now - timedelta(minutes=config.PASSWORD_LINK_MINUTES)
        Mail.delete().where(Mail.kind.in_(WITHHELD_KINDS), Mail.written_at <= over).execute()
        return super().forget_old(now)

    @classmethod
    def _begin(cls, purpose, profile, email, now, lives) -> "ProfileLink":
        return cls.create(
            code=new_code(), purpose=purpose, profile=profile, email=email, created_at=now, expires_at=now + lives
        )

    def _use(self, now) -> Profile:
        mine = ProfileLink.update(used_at=now).where(
            ProfileLink.id == self.id, ProfileLink.used_at.is_null(), ProfileLink.expires_at > now
        )
        if not mine.execute():
            # Used in another tab at the same moment.
            raise LinkOver
        return locked(Profile.select().where(Profile.id == self.profile_id)).get()

    def _mail_for_email(self, now) -> None:
        known = Profile.get_or_none(Profile.email == self.email, Profile.id != self.profile_id)
        if known is None:
            self._mail("confirm_email", now)
        else:
            self._count()
            tell_known(known, now, key=f"link:{self.id}:{self.mails}")

    def _mail(self, kind: str, now) -> None:
        from models.outbox import Mail

        self._count()
        Mail.write_to(
            self.email,
            kind,
            now,
            key=f"{kind}:{self.id}:{self.mails}",
            # Nobody's is never sent.
            language=self.profile.language if self.profile is not None else config.LANGUAGES[0],
            profile=self.profile,
            data={"link": self.id},
        )

    def _count(self) -> None:
        ProfileLink.update(mails=ProfileLink.mails + 1).where(ProfileLink.id == self.id).execute()
        self.mails = ProfileLink.select(ProfileLink.mails).where(ProfileLink.id == self.id).scalar()
