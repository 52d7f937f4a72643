"""Registering: a profile begins when its e-mail is confirmed, not before (PRO-1)."""

from datetime import timedelta

import structlog
from peewee import CharField, Check, IntegerField, IntegrityError

import config
from models import password as passwords
from models.base import BaseModel, MomentField, ShortLived, db
from models.profile import LOCKED, WRONG_FOR_EMAIL, WRONG_FROM_NETWORK, Attempt, Profile, WrongPassword, plain_email
from models.profile_link import EmailTaken, LinkOver, count_mail, new_code, read, sign, tell_known

log = structlog.get_logger()


class Registration(ShortLived, BaseModel):
    """What somebody typed who wants a profile, until the mailbox is shown to be theirs.

    It opens nothing: a login with it would tell that the e-mail was unknown, and whoever types somebody else's e-mail
    must not have a profile waiting there for its owner's click. Several of one e-mail do not know of each other; the
    first to be confirmed becomes the profile.
    """

    code = CharField(unique=True, max_length=24)
    email = CharField(max_length=254)
    password_hash = CharField(max_length=200)
    first_name = CharField(max_length=60)
    last_name = CharField(max_length=60)
    language = CharField(max_length=2)
    mails = IntegerField(default=0, constraints=[Check("mails >= 0")])
    created_at = MomentField()
    expires_at = MomentField(index=True)
    used_at = MomentField(null=True)

    class Meta:
        constraints = [Check("expires_at > created_at")]  # noqa: RUF012

    @classmethod
    def begin(
        cls, *, email: str, password: str, first_name: str, last_name: str, language: str, address: str, now
    ) -> "Registration":
        """Keep what was typed for CONFIRM_HOURS and mail the link that makes a profile of it.

        For a known e-mail the same is done, except that the mail tells its owner: neither answer nor time differ.
        Raises WeakPassword, and LockedOut after too many mails to one e-mail or from one network.
        """
        email = plain_email(email)
        passwords.refuse_weak(password, email)
        count_mail("registration-mail", email, address, now)
        password_hash = passwords.hash_of(password)
        with db.atomic():
            registration = cls.create(
                code=new_code(),
                email=email,
                password_hash=password_hash,
                first_name=first_name,
                last_name=last_name,
                language=language,
                created_at=now,
                expires_at=now + timedelta(hours=config.CONFIRM_HOURS),
            )
            registration._mail(now)
        return registration

    @classmethod
    def of_code(cls, code: str, now) -> "Registration":
        """The registration with `code`, for the browser that began it; raises LinkOver when its time is over."""
        registration = cls.get_or_none(cls.code == code, cls.expires_at > now)
        if registration is None:
            raise LinkOver
        return registration

    @classmethod
    def of_token(cls, token: str, now) -> "Registration":
        """The registration that the mailed link opens; raises LinkOver. Looking uses nothing up."""
        registration = cls.of_code(read("registration", token), now)
        if registration.used_at is not None:
            raise LinkOver
        return registration

    @property
    def token(self) -> str:
        return sign("registration", self.code)

    def send_again(self, address: str, now) -> None:
        """The mail once more; raises LockedOut."""
        count_mail("registration-mail", self.email, address, now)
        with db.atomic():
            self._mail(now)

    def prove(self, password: str, address: str, now) -> None:
        """Raise WrongPassword unless `password` is the one that was registered with; LockedOut after several.

        Whoever confirms on another device than they registered on shows so that both were them: an owner who clicks
        the link in a mail that somebody else caused does not confirm a stranger's password.
        """
        limits = {f"registration:{self.code}": WRONG_FOR_EMAIL, f"login-from:{address}": WRONG_FROM_NETWORK}
        tries = Attempt.begin(limits, LOCKED, now)
        if not passwords.opens(self.password_hash, password):
            raise WrongPassword
        Attempt.take_back(tries)

    def confirm(self, now) -> Profile:
        """The profile, made once; raises LinkOver, and EmailTaken when another registration came first."""
        try:
            with db.atomic():
                mine = Registration.update(used_at=now).where(
                    Registration.id == self.id, Registration.used_at.is_null(), Registration.expires_at > now
                )
                if not mine.execute():
                    raise LinkOver
                profile = Profile.create(
                    email=self.email,
                    password_hash=self.password_hash,
                    first_name=self.first_name,
                    last_name=self.last_name,
                    language=self.language,
                    created_at=now,
                    verified_at=now,
                )
        except IntegrityError as error:
            raise EmailTaken from error
        log.info("profile.registered")
        return profile

    @classmethod
    def past(cls, now):
        return cls.expires_at <= now

    @classmethod
    def forget_old(cls, now) -> int:
        """Delete registrations whose time is over, confirmed or not, and their mails (PRV-3); returns how many."""
        from models.outbox import Mail

        over = now - timedelta(hours=config.CONFIRM_HOURS)
        # They belong to no profile whose end would take them along.
        Mail.delete().where(Mail.kind == "confirm_registration", Mail.written_at <= over).execute()
        return super().forget_old(now)

    def _mail(self, now) -> None:
        from models.outbox import Mail

        Registration.update(mails=Registration.mails + 1).where(Registration.id == self.id).execute()
        self.mails = Registration.select(Registration.mails).where(Registration.id == self.id).scalar()
        known = Profile.of_email(self.email)
        if known is not None:
            tell_known(known, now, key=f"registration:{self.id}:{self.mails}")
            return
        Mail.write_to(
            self.email,
            "confirm_registration",
            now,
            key=f"registration:{self.id}:{self.mails}",
            language=self.language,
            data={"link": self.id},
        )
