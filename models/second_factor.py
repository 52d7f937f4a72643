"""What who works here needs beside the password: a code from an app on the phone, each time (DSK-5).

Nothing that opens the desk is in the tables: an app's secret is worked out from SECRET_KEY and the row's nonce, a
recovery code is kept as a digest that needs SECRET_KEY, and a session as the digest of what its browser holds.
"""

import base64
import hashlib
import hmac
import re
import secrets
from datetime import timedelta

import pyotp
from peewee import CharField, Check, ForeignKeyField, IntegerField

import config
from models.actor import Actor
from models.base import BaseModel, MomentField, ShortLived, db, locked
from models.profile import Attempt, Profile
from models.trail import record

STEP = 30
# One step early or late: clocks differ, and people type slowly.
DRIFT = 1
# Wrong codes of one profile, whatever kind, until all are refused for LOCKED.
WRONG_CODES = 5
LOCKED = timedelta(minutes=15)
RECOVERY_CODES = 10
# Without those that are taken for one another.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
# Of the demo's apps, whose codes /demo/kodi shows. In another shop it is worth nothing: SECRET_KEY is another there.
DEMO_NONCE = "demo".ljust(32, "0")
# A session is marked as seen this often, and is over that much early at most.
_SEEN_EVERY = timedelta(seconds=10)


class WrongFactor(Exception):
    """Not a code of this profile's app, or one that was used; `left` is how many tries remain."""

    def __init__(self, left: int):
        super().__init__(left)
        self.left = left


class EnrolledAlready(Exception):
    """The profile has its app; somebody takes that one away first."""


class SecondFactor(BaseModel):
    """That a profile's app knows its secret. Without a row the person is asked to connect one."""

    profile = ForeignKeyField(Profile, unique=True, backref="second_factor", on_delete="CASCADE")
    nonce = CharField(max_length=32)
    # The newest time step whose code was taken: it, and those before it, are not taken again.
    last_step = IntegerField(default=0, constraints=[Check("last_step >= 0")])
    since = MomentField()

    @classmethod
    def of(cls, profile: Profile) -> "SecondFactor | None":
        return cls.get_or_none(cls.profile == profile)

    @classmethod
    def held(cls, profile: Profile) -> "SecondFactor":
        """The profile's, until the transaction ends; WrongFactor where it was taken away this very moment."""
        factor = locked(cls.select().where(cls.profile == profile)).first()
        if factor is None:
            raise WrongFactor(WRONG_CODES)
        return factor

    @staticmethod
    def new_nonce() -> str:
        return secrets.token_hex(16)

    @staticmethod
    def secret_of(profile: Profile, nonce: str) -> str:
        """The secret that an app gets, in base32; only shown while it is being connected."""
        about = f"second-factor:{profile.id}:{nonce}".encode()
        return base64.b32encode(_digest(about)[:20]).decode()

    @staticmethod
    def address_of(profile: Profile, nonce: str) -> str:
        """The same as an app's QR says it."""
        totp = pyotp.TOTP(SecondFactor.secret_of(profile, nonce))
        return totp.provisioning_uri(name=profile.email, issuer_name=config.BRAND)

    @classmethod
    def enrol(cls, by: Actor, profile: Profile, nonce: str, typed: str, now) -> list[str]:
        """Connect the app that `nonce` was shown to, proven by its code; returns the recovery codes.

        Raises WrongFactor, LockedOut, EnrolledAlready.
        """
        key = _count(by, profile, now)
        step = _step_of(cls.secret_of(profile, nonce), typed, now)
        if step is None:
            raise _failed(by, profile, now)
        with db.atomic():
            made = (
                cls.insert(profile=profile, nonce=nonce, last_step=step, since=now)
                .on_conflict_ignore()
                .as_rowcount()
                .execute()
            )
            if not made:
                raise EnrolledAlready
            Attempt.forget(key)
            record(by, "factor_enrolled", now, subject=subject(profile))
            return RecoveryCode.renew(cls.of(profile))

    @classmethod
    def prove(cls, by: Actor, profile: Profile, typed: str, now) -> bool:
        """Take a code of the app, or a recovery code, once; true for the latter. Raises WrongFactor, LockedOut.

        The try is committed whatever comes of it: call it outside of a transaction that may be rolled back.
        """
        key = _count(by, profile, now)
        with db.atomic():
            factor = cls.of(profile)
            step = _step_of(cls.secret_of(profile, factor.nonce), typed, now) if factor else None
            if step is not None:
                # One guarded statement: of two with the same code, one finds its step taken.
                right = cls.update(last_step=step).where(cls.id == factor.id, cls.last_step < step).execute()
            else:
                right = factor is not None and RecoveryCode.spend(factor, typed, now)
            if right:
                Attempt.forget(key)
        if not right:
            raise _failed(by, profile, now)
        return step is None

    @classmethod
    def reset(cls, profile: Profile, by: Actor, now, why: str = "") -> bool:
        """Forget the app and its recovery codes, and end the work that began with them; false without one.

        With the next visit another app is connected.
        """
        with db.atomic():
            gone = cls.delete().where(cls.profile == profile).execute()
            WorkSession.end_all(profile)
            Attempt.forget(_key(profile))
            if gone:
                record(by, "factor_reset", now, subject=subject(profile), why=why)
        return bool(gone)

    def code_at(self, now) -> str:
        """What the app shows, or shows next where that one was used; for the demo and the tests."""
        step = min(max(_step(now), self.last_step + 1), _step(now) + DRIFT)
        return _code(self.secret_of(self.profile, self.nonce), step)

    @classmethod
    def of_demo(cls) -> list["SecondFactor"]:
        """Those of the demo's people, by e-mail; one query."""
        return list(cls.select(cls, Profile).join(Profile).where(cls.nonce == DEMO_NONCE).order_by(Profile.email))

    @classmethod
    def profiles(cls) -> set[int]:
        """The ids of all profiles with an app; one query."""
        return {profile for (profile,) in cls.select(cls.profile).tuples()}

    def codes_left(self) -> int:
        return RecoveryCode.select().where(RecoveryCode.factor == self, RecoveryCode.used_at.is_null()).count()


class RecoveryCode(BaseModel):
    """A code on paper for the day the phone is gone; each opens once."""

    factor = ForeignKeyField(SecondFactor, backref="recovery_codes", on_delete="CASCADE")
    digest = CharField(max_length=64)
    used_at = MomentField(null=True)

    class Meta:
        indexes = ((("factor", "digest"), True),)

    @classmethod
    def renew(cls, factor: SecondFactor) -> list[str]:
        """New ones instead of all before, as they are shown once: "K7F4Q-9M2XA"; with `factor` held."""
        cls.delete().where(cls.factor == factor).execute()
        codes = ["".join(secrets.choice(_ALPHABET) for _ in range(10)) for _ in range(RECOVERY_CODES)]
        cls.insert_many([{"factor": factor, "digest": cls._digest(factor, code)} for code in codes]).execute()
        return [f"{code[:5]}-{code[5:]}" for code in codes]

    @classmethod
    def spend(cls, factor: SecondFactor, typed: str, now) -> bool:
        plain = re.sub(r"[^0-9A-Z]", "", typed.upper(), flags=re.ASCII)
        return bool(
            cls.update(used_at=now)
            .where(cls.factor == factor, cls.digest == cls._digest(factor, plain), cls.used_at.is_null())
            .execute()
        )

    @staticmethod
    def _digest(factor: SecondFactor, code: str) -> str:
        return _digest(f"recovery:{factor.nonce}:{code}".encode()).hex()


class WorkSession(ShortLived, BaseModel):
    """That somebody gave password and code in one browser: for a shift at most, and not for long without a click.

    It is over when the profile's sessions are (`session_number`), with a log-out, and with the role or the app.
    """

    profile = ForeignKeyField(Profile, backref="work_sessions", on_delete="CASCADE")
    # The digest of what the browser holds.
    key = CharField(max_length=64, unique=True)
    session_number = IntegerField()
    began_at = MomentField(index=True)
    seen_at = MomentField()

    @classmethod
    def begin(cls, profile: Profile, now) -> str:
        """A new one; returns what its browser holds."""
        token = secrets.token_urlsafe(24)
        cls.create(
            profile=profile, key=_hashed(token), session_number=profile.session_number, began_at=now, seen_at=now
        )
        return token

    @classmethod
    def goes_on(cls, token: str, profile: Profile, now) -> bool:
        """Whether `token` is a session of the profile that is not over; it is marked as seen. One query mostly."""
        found = cls.get_or_none(
            cls.key == _hashed(token),
            cls.profile == profile,
            cls.session_number == profile.session_number,
            cls.began_at > now - timedelta(hours=config.STAFF_HOURS),
            cls.seen_at > now - timedelta(minutes=config.STAFF_IDLE_MINUTES),
        )
        if found is None:
            return False
        if found.seen_at < now - _SEEN_EVERY:
            cls.update(seen_at=now).where(cls.id == found.id, cls.seen_at < now).execute()
        return True

    @classmethod
    def profiles(cls, now) -> set[int]:
        """The ids of the profiles that are at work, by what was seen last; one query."""
        seen = cls.seen_at > now - timedelta(minutes=config.STAFF_IDLE_MINUTES)
        return {profile for (profile,) in cls.select(cls.profile).where(seen).tuples()}

    @classmethod
    def end(cls, token: str) -> None:
        cls.delete().where(cls.key == _hashed(token)).execute()

    @classmethod
    def end_all(cls, profile: Profile) -> None:
        cls.delete().where(cls.profile == profile).execute()

    @classmethod
    def past(cls, now):
        """Those that are over by their hours."""
        return cls.began_at < now - timedelta(hours=config.STAFF_HOURS)


def begin_work(by: Actor, profile: Profile, typed: str, now) -> tuple[str, bool]:
    """Password and code are there: what the browser holds from now on, and whether it was a recovery code.

    Raises WrongFactor, LockedOut.
    """
    is_recovery = SecondFactor.prove(by, profile, typed, now)
    with db.atomic():
        factor = SecondFactor.held(profile)
        if is_recovery:
            record(by, "recovery_used", now, subject=subject(profile), after={"left": factor.codes_left()})
        else:
            record(by, "login", now, subject=subject(profile))
        return WorkSession.begin(profile, now), is_recovery


def renew_codes(by: Actor, profile: Profile, typed: str, now) -> list[str]:
    """Ten new recovery codes for a code of the app. Raises WrongFactor, LockedOut."""
    SecondFactor.prove(by, profile, typed, now)
    with db.atomic():
        factor = SecondFactor.held(profile)
        record(by, "recovery_renewed", now, subject=subject(profile))
        return RecoveryCode.renew(factor)


def subject(profile: Profile) -> str:
    """How the trail names somebody who works here."""
    return f"staff:{profile.email}"[:160]


def _key(profile: Profile) -> str:
    return f"second-factor:{profile.id}"


def _count(by: Actor, profile: Profile, now) -> str:
    """Count a try before it is made; raises LockedOut."""
    key = _key(profile)
    Attempt.begin({key: WRONG_CODES}, LOCKED, now)
    return key


def _failed(by: Actor, profile: Profile, now) -> WrongFactor:
    tries = Attempt.select().where(Attempt.key == _key(profile), Attempt.at > now - LOCKED).count()
    left = max(0, WRONG_CODES - tries)
    with db.atomic():
        record(by, "login_failed", now, subject=subject(profile), after={"left_tries": left})
        if not left:
            record(by, "login_locked", now, subject=subject(profile))
    return WrongFactor(left)


def _step(now) -> int:
    return int(now.timestamp()) // STEP


def _code(secret: str, step: int) -> str:
    return pyotp.TOTP(secret).at(step * STEP)


def _step_of(secret: str, typed: str, now) -> int | None:
    """The time step that `typed` is the code of, or None."""
    plain = re.sub(r"[^0-9]", "", typed, flags=re.ASCII) if re.fullmatch(r"[\d\s.-]*", typed) else ""
    found = None
    for step in range(_step(now) - DRIFT, _step(now) + DRIFT + 1):
        if hmac.compare_digest(_code(secret, step), plain):
            found = step
    return found


def _digest(about: bytes) -> bytes:
    return hmac.digest(config.secret_key().encode(), about, hashlib.sha256)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
