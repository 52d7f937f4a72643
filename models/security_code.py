"""The code that comes by SMS and proves that somebody has a number in hand (PRO-3, PRO-4)."""

import hashlib
import hmac
import re
import secrets
from datetime import timedelta

from peewee import BooleanField, CharField, Check, ForeignKeyField, IntegerField

import config
from models.allowance import Allowance
from models.base import BaseModel, MomentField, ShortLived, db
from models.profile import Profile

DIGITS = 6
HOUR = timedelta(hours=1)


class TooManyCodes(Exception):
    """No more codes for this number or profile before `until` (PRO-4)."""

    def __init__(self, until):
        super().__init__("too many codes")
        self.until = until


class WrongCode(Exception):
    """Not the code; `left` tries remain (PRO-4)."""

    def __init__(self, left: int):
        super().__init__("wrong code")
        self.left = left


class CodeOver(Exception):
    """Used, too old, or mistyped too often: a new one is needed (PRO-4)."""


class SecurityCode(ShortLived, BaseModel):
    """One code for one profile and one number.

    Its digits are nowhere in the database, not even hashed: of six digits any hash gives way to trying them all. They
    are worked out from the row and the shop's secret key when the SMS is written and when a code is compared.
    """

    profile = ForeignKeyField(Profile, backref="security_codes", on_delete="CASCADE")
    msisdn = CharField(max_length=15)
    nonce = CharField(max_length=32)
    # Whether ID or SIM were right and its SMS was let out. If not, the row looks the same from outside, but no digits
    # are the right ones.
    genuine = BooleanField()
    sent_at = MomentField(index=True)
    expires_at = MomentField()
    tries = IntegerField(default=0, constraints=[Check("tries >= 0")])
    used_at = MomentField(null=True)

    @classmethod
    def send(
        cls,
        profile: Profile,
        msisdn: str,
        now,
        *,
        genuine: bool,
        kind: str = "security_code",
        language: str = "",
        data: dict | None = None,
        most: int | None = None,
    ) -> "SecurityCode":
        """A new code with its SMS, in the profile's language where no other is named; raises TooManyCodes.

        `kind` is the SMS's, and `data` what it tells beside the code; `most` is how many the profile may
        send within an hour, where it is not CODE_SENDS_PER_PROFILE.

        Where the request is not `genuine` everything is written alike and no SMS goes out: neither the answer nor
        its time tells which it was. The limits that are told count both; the one for a number's SMS is silent and
        counts real ones alone, so that no stranger can use it up, nor send SMS to a number from many profiles. A code
        whose SMS it withholds is not genuine either: nobody has it, so whoever types it has guessed.
        """
        from models.sms import Sms

        with db.atomic():
            for key, places in (
                (f"code:{profile.id}:{msisdn}", config.CODE_SENDS),
                (f"code:{profile.id}", most or config.CODE_SENDS_PER_PROFILE),
            ):
                if not Allowance.take(key, most=places, within=HOUR, now=now):
                    raise TooManyCodes(Allowance.free_at(key, most=places, within=HOUR, now=now))
            key = f"code-sms:{msisdn}" if genuine else f"code-none:{profile.id}:{msisdn}"
            allowed = Allowance.take(key, most=config.CODE_SENDS, within=HOUR, now=now)
            # A code that is replaced before its SMS went out would only puzzle.
            older = cls.select(cls.id).where(cls.profile == profile, cls.msisdn == msisdn)
            Sms.update(state="withheld").where(Sms.state == "due", Sms.code.in_(older)).execute()
            code = cls.create(
                profile=profile,
                msisdn=msisdn,
                nonce=secrets.token_hex(16),
                genuine=genuine and allowed,
                sent_at=now,
                expires_at=now + timedelta(minutes=config.CODE_MINUTES),
            )
            Sms.write(
                kind,
                msisdn,
                language or profile.language,
                now,
                key=f"{kind}:{code.id}",
                code=code,
                data=data,
                until=code.expires_at,
                withheld=not code.genuine,
            )
        return code

    @property
    def digits(self) -> str:
        """What the SMS says: six digits, of this row alone."""
        about = f"security-code:{self.profile_id}:{self.msisdn}:{self.nonce}".encode()
        digest = hmac.digest(config.secret_key().encode(), about, hashlib.sha256)
        return f"{int.from_bytes(digest[:8]) % 10**DIGITS:0{DIGITS}}"

    def is_live(self, now) -> bool:
        return self.used_at is None and self.expires_at > now and self.tries < config.CODE_TRIES

    def check(self, typed: str, now) -> None:
        """Count a try and compare; raises WrongCode or CodeOver (PRO-4).

        The try is committed whatever comes of it: call it outside of a transaction that may be rolled back.
        """
        counted = (
            SecurityCode.update(tries=SecurityCode.tries + 1)
            .where(self._is_mine(), SecurityCode.tries < config.CODE_TRIES, SecurityCode.expires_at > now)
            .execute()
        )
        if not counted:
            raise CodeOver
        right = hmac.compare_digest(re.sub(r"[^0-9]", "", typed, flags=re.ASCII), self.digits)
        if not (right and self.genuine):
            tries = SecurityCode.select(SecurityCode.tries).where(SecurityCode.id == self.id).scalar()
            raise WrongCode(max(0, config.CODE_TRIES - tries))

    def spend(self, now) -> None:
        """It was typed and cannot be used again; raises CodeOver when it has been. In the caller's transaction."""
        if not SecurityCode.update(used_at=now).where(self._is_mine()).execute():
            raise CodeOver

    def _is_mine(self):
        return (SecurityCode.id == self.id) & SecurityCode.used_at.is_null()

    @classmethod
    def past(cls, now):
        """Codes, with their SMS, a day after they were sent."""
        return cls.sent_at < now - timedelta(days=1)
