"""Profiles: who logs in, by e-mail and password (PRO-2)."""

from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from flask_login import UserMixin
from peewee import CharField, IntegerField

from models.base import BaseModel, MomentField

_hasher = PasswordHasher()
# Hashing against it takes as long as against a real one: time does not tell whether an e-mail is known.
_NOBODY = _hasher.hash("nobody has this password")


class LockedOut(Exception):
    """Too many failures in a short time (PRO-2)."""


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

    def get_id(self) -> str:
        return f"{self.id}.{self.session_number}"

    @classmethod
    def of_session(cls, session_id: str) -> "Profile | None":
        number, _, session_number = session_id.partition(".")
        if not (number.isdecimal() and session_number.isdecimal()):
            return None
        return cls.get_or_none(cls.id == int(number), cls.session_number == int(session_number))

    def set_password(self, password: str) -> None:
        self.password_hash = _hasher.hash(password)

    @classmethod
    def log_in(cls, email: str, password: str, address: str, now) -> "Profile | None":
        """The profile that e-mail and password open, else None; raises LockedOut (PRO-2)."""
        keys = (f"login:{email.strip().lower()}", f"login-from:{address}")
        for key, most in zip(keys, (5, 30), strict=True):
            Attempt.refuse(key, most=most, within=timedelta(minutes=15), now=now)
        profile = cls.get_or_none(cls.email == email.strip().lower())
        try:
            _hasher.verify(profile.password_hash if profile else _NOBODY, password)
        except (VerifyMismatchError, InvalidHashError):
            profile = None
        if profile is None:
            for key in keys:
                Attempt.insert(key=key, at=now).execute()
            return None
        Attempt.delete().where(Attempt.key == keys[0]).execute()
        return profile


class Attempt(BaseModel):
    """A failed try at something that could be guessed: a login, an order's number and e-mail."""

    key = CharField(index=True, max_length=300)
    at = MomentField()

    @classmethod
    def refuse(cls, key: str, *, most: int, within: timedelta, now) -> None:
        """Raise LockedOut when `key` failed `most` times within the last `within`."""
        if cls.select().where(cls.key == key, cls.at > now - within).count() >= most:
            raise LockedOut(key.split(":", 1)[0])

    @classmethod
    def forget_old(cls, now) -> int:
        return cls.delete().where(cls.at < now - timedelta(days=1)).execute()
