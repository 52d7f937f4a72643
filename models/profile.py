"""Profiles: who logs in, by e-mail and password (PRO-1, PRO-2)."""

import secrets
from collections.abc import Mapping
from datetime import timedelta

import structlog
from flask_login import UserMixin
from peewee import JOIN, CharField, IntegerField

from models import password as passwords
from models.base import BaseModel, MomentField, ShortLived, db, locked

log = structlog.get_logger()

# Wrong passwords for one e-mail, and from one network, until both are refused for LOCKED.
WRONG_FOR_EMAIL = 5
WRONG_FROM_NETWORK = 30
LOCKED = timedelta(minutes=15)


class LockedOut(Exception):
    """Too many tries in a short time (PRO-2)."""


class WrongPassword(Exception):
    """The present password that was typed is not the profile's."""


class Profile(BaseModel, UserMixin):
    email = CharField(unique=True, max_length=254)
    password_hash = CharField(max_length=200)
    first_name = CharField(max_length=60, default="")
    last_name = CharField(max_length=60, default="")
    phone = CharField(max_length=20, default="")
    language = CharField(max_length=2, default="sq")
    # Part of the login's cookie: raising it ends all sessions.
    session_number = IntegerField(default=1)
    created_at = MomentField()
    # When somebody showed that the mailbox of `email` is theirs. Orders of guests with the same e-mail are shown to
    # nobody else.
    verified_at = MomentField(null=True)
    # The role of who works for the shop, read with the session (DSK-5); models/staff.py has the last word.
    works_as = None

    @property
    def is_verified(self) -> bool:
        return self.verified_at is not None

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def get_id(self) -> str:
        return f"{self.id}.{self.session_number}"

    @classmethod
    def of_session(cls, session_id: str) -> "Profile | None":
        number, _, session_number = session_id.partition(".")
        if not (number.isdecimal() and session_number.isdecimal()):
            return None
        from models.staff import Staff

        return (
            cls.select(cls, Staff)
            .join(Staff, JOIN.LEFT_OUTER, on=(Staff.profile == cls.id), attr="works_as")
            .where(cls.id == int(number), cls.session_number == int(session_number))
            .first()
        )

    @classmethod
    def of_email(cls, email: str) -> "Profile | None":
        return cls.get_or_none(cls.email == plain_email(email))

    def set_password(self, password: str) -> None:
        self.password_hash = passwords.hash_of(password)

    @classmethod
    def log_in(cls, email: str, password: str, address: str, now) -> "Profile | None":
        """The profile that e-mail and password open, else None; raises LockedOut (PRO-2)."""
        email = plain_email(email)
        keys = (f"login:{email}", f"login-from:{address}")
        tries = Attempt.begin(dict(zip(keys, (WRONG_FOR_EMAIL, WRONG_FROM_NETWORK), strict=True)), LOCKED, now)
        profile = cls.get_or_none(cls.email == email)
        if not passwords.opens(profile.password_hash if profile else passwords.NOBODYS, password) or profile is None:
            return None
        Attempt.take_back(tries)
        Attempt.forget(keys[0])
        if passwords.is_outdated(profile.password_hash):
            before = profile.password_hash
            profile.set_password(password)
            # Not over one that was changed in the meantime.
            cls.update(password_hash=profile.password_hash).where(
                cls.id == profile.id, cls.password_hash == before
            ).execute()
        return profile

    def prove(self, password: str, address: str, now) -> None:
        """Raise WrongPassword unless `password` is the present one; LockedOut as for a login (PRO-2)."""
        if Profile.log_in(self.email, password, address, now) != self:
            raise WrongPassword

    def change_password(self, password: str, now) -> None:
        """Take `password` from now on; every session ends, and the owner is told (PRO-2).

        Raises WeakPassword. Links for a new password that are still under way open nothing any more.
        """
        passwords.refuse_weak(password, self.email)
        password_hash = passwords.hash_of(password)
        with db.atomic():
            self.keep_password(password_hash, now)

    def keep_password(self, password_hash: str, now) -> None:
        """As `change_password`, in the caller's transaction, of a password that was checked and hashed before."""
        from models.outbox import Mail
        from models.profile_link import ProfileLink

        self._end_sessions()
        Profile.update(password_hash=password_hash).where(Profile.id == self.id).execute()
        self.password_hash = password_hash
        ProfileLink.void(self, "password", now)
        Attempt.forget(f"login:{self.email}")
        Mail.write_to(
            self.email,
            "password_changed",
            now,
            key=f"password_changed:{self.id}:{self.session_number}",
            language=self.language,
            profile=self,
        )
        log.info("profile.password_changed")

    def end_sessions(self) -> None:
        """Log out everywhere: every session, remembered or not, and every browser that holds the profile's cart."""
        with db.atomic():
            self._end_sessions()

    def _end_sessions(self) -> None:
        from models.cart import Cart

        Profile.update(session_number=Profile.session_number + 1).where(Profile.id == self.id).execute()
        self.session_number = Profile.select(Profile.session_number).where(Profile.id == self.id).scalar()
        # A browser that is logged out there keeps the cart's cookie, and with it what was typed at the checkout.
        Cart.update(token=secrets.token_urlsafe(24)).where(Cart.profile == self).execute()

    def change_details(self, *, first_name: str, last_name: str, phone: str, language: str) -> None:
        """`phone` as E.164 digits, or empty. The club writes in `language` from now on, too (MSG-3)."""
        from models.club_member import ClubMember

        self.first_name, self.last_name, self.phone, self.language = first_name, last_name, phone, language
        with db.atomic():
            self.save()
            # By id, as whoever holds several members does: the two never wait for each other in a ring.
            mine = ClubMember.select(ClubMember.id).where(ClubMember.profile == self)
            list(locked(mine.order_by(ClubMember.id)).tuples())
            ClubMember.update(language=language).where(ClubMember.profile == self).execute()


class Attempt(ShortLived, BaseModel):
    """A try at something that could be guessed or made without end: a login, an order's number, a mail."""

    key = CharField(index=True, max_length=300)
    at = MomentField()

    @classmethod
    def refuse(cls, key: str, *, most: int, within: timedelta, now) -> None:
        """Raise LockedOut when `key` failed `most` times within the last `within`."""
        if cls.select().where(cls.key == key, cls.at > now - within).count() >= most:
            raise LockedOut(key.split(":", 1)[0])

    @classmethod
    def begin(cls, limits: Mapping[str, int], within: timedelta, now) -> list[int]:
        """Count a try at each key of `limits` before it is made; raises LockedOut where one has had its most.

        Of many at the same moment none slips through, for each counts the others. `take_back` undoes it.
        """
        made = [cls.insert(key=key, at=now).execute() for key in limits]
        for key, most in limits.items():
            if cls.select().where(cls.key == key, cls.at > now - within).count() > most:
                cls.take_back(made)
                raise LockedOut(key.split(":", 1)[0])
        return made

    @classmethod
    def take_back(cls, made: list[int]) -> None:
        cls.delete().where(cls.id.in_(made)).execute()

    @classmethod
    def forget(cls, key: str) -> None:
        cls.delete().where(cls.key == key).execute()

    @classmethod
    def past(cls, now):
        return cls.at < now - timedelta(days=1)


def plain_email(email: str) -> str:
    """As profiles keep it: mailboxes that differ in case alone are one."""
    return email.strip().lower()
