"""Adding a number to a profile, step by step (PRO-3)."""

import hashlib
import hmac
import secrets
from datetime import timedelta

from peewee import CharField, ForeignKeyField

import config
from models.base import BaseModel, MomentField, ShortLived, db, locked
from models.number import Number
from models.profile import Profile
from models.security_code import CodeOver, SecurityCode
from models.subscriber import Holder

# Of one profile; the oldest go when there are more.
KEPT = 20


class NotVerified(Exception):
    """The profile's e-mail is not verified yet: it cannot add numbers (PRO-1)."""


class AlreadyAdded(Exception):
    """The number is in this profile."""


class TooSoon(Exception):
    """The next code can be asked for from `until` on."""

    def __init__(self, until):
        super().__init__("too soon")
        self.until = until


class NumberClaim(ShortLived, BaseModel):
    """Somebody says that a number is theirs: the number, the proof, the code, and the number is in the profile.

    Whether the number exists and the proof is right is written down, and told to nobody before the code (PRO-4).
    """

    token = CharField(unique=True, max_length=32)
    profile = ForeignKeyField(Profile, backref="number_claims", on_delete="CASCADE")
    # As it was typed, E.164 without the plus; it may be nobody's.
    msisdn = CharField(max_length=15)
    # Where to go on afterwards, a path of the shop.
    back = CharField(max_length=300, default="")
    # Who held the number when it was proved; blank while it is not, and for a wrong proof.
    holder = ForeignKeyField(Holder, null=True, on_delete="CASCADE")
    # Tells a repeated proof from another one, without keeping ID or SIM.
    proof = CharField(max_length=64, default="")
    code = ForeignKeyField(SecurityCode, null=True, on_delete="SET NULL")
    began_at = MomentField(index=True)
    added_at = MomentField(null=True)

    @classmethod
    def begin(cls, profile: Profile, msisdn: str, now, back: str = "") -> "NumberClaim":
        """Raises NotVerified, and AlreadyAdded for a number of this profile."""
        if not profile.is_verified:
            raise NotVerified
        if Number.of_profile_by(profile, msisdn=msisdn) is not None:
            raise AlreadyAdded
        claim = cls.create(token=secrets.token_hex(16), profile=profile, msisdn=msisdn, back=back, began_at=now)
        kept = cls.select(cls.id).where(cls.profile == profile).order_by(cls.id.desc()).limit(KEPT)
        cls.delete().where(cls.profile == profile, cls.id.not_in([row.id for row in kept])).execute()
        return claim

    @classmethod
    def of_profile(cls, profile: Profile, token: str) -> "NumberClaim | None":
        """The claim, if it is this profile's; one query."""
        return (
            cls.select(cls, SecurityCode)
            .join_from(cls, SecurityCode, "LEFT JOIN")
            .where(cls.token == token, cls.profile == profile)
            .first()
        )

    def prove(self, now, *, id_number: str = "", sim_end: str = "") -> None:
        """Take the holder's ID number or the SIM's last digits, and send a code; raises TooManyCodes (PRO-3, PRO-4).

        The same proof twice within the pause, as by a double click, sends one code. Whether the proof is right
        shows nowhere: not in what comes next, nor in the time it takes.
        """
        proof = self._digest(f"{id_number}|{sim_end}")
        with db.atomic():
            claim = self._locked()
            again = hmac.compare_digest(claim.proof, proof)
            if again and claim.code is not None and claim.code.is_live(now) and now < claim.again_at:
                return
            number = Number.of_msisdn(claim.msisdn)
            holder = number.holder if number is not None else None
            known = "" if number is None else holder.id_number if id_number else number.sim_end
            right = hmac.compare_digest(known.encode(), (id_number or sim_end).encode())
            claim.proof = proof
            claim.holder = holder if right else None
            claim._send(now)

    def send_again(self, now) -> None:
        """Another code on the same proof; raises TooSoon within the pause, TooManyCodes, CodeOver before a proof."""
        with db.atomic():
            claim = self._locked()
            if claim.code is None:
                raise CodeOver
            if now < claim.again_at:
                raise TooSoon(claim.again_at)
            claim._send(now)

    @property
    def again_at(self):
        """From when on another code can be asked for."""
        return self.code.sent_at + timedelta(seconds=config.CODE_PAUSE)

    def confirm(self, typed: str, now) -> None:
        """Add the number when `typed` is the code; a second time it is added already (PRO-3).

        Raises WrongCode or CodeOver.
        """
        if self.added_at is not None:
            return
        if self.code is None:
            raise CodeOver
        self.code.check(typed, now)
        with db.atomic():
            self.code.spend(now)
            number = Number.of_msisdn(self.msisdn)
            if number is None or number.subscriber.holder_id != self.holder_id:
                # It changed hands between proof and code: the proof was the former holder's.
                raise CodeOver
            number.add_to(self.profile, now)
            self.added_at = now
            self.save()

    def _send(self, now) -> None:
        self.code = SecurityCode.send(self.profile, self.msisdn, now, genuine=self.holder_id is not None)
        self.save()

    def _locked(self) -> "NumberClaim":
        """The row as it is now, until the transaction ends: two requests at once take turns."""
        return locked(NumberClaim.select().where(NumberClaim.id == self.id)).get()

    def _digest(self, text: str) -> str:
        return hmac.new(config.secret_key().encode(), f"{self.token}|{text}".encode(), hashlib.sha256).hexdigest()

    @classmethod
    def past(cls, now):
        """Claims a day after they began."""
        return cls.began_at < now - timedelta(days=1)
