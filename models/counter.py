"""What a clerk at a shop's counter finds of a customer: the service, and a phone that a code can go to (CLB-13)."""

from dataclasses import dataclass
from datetime import timedelta

import config
from models.allowance import Allowance
from models.base import db, locked
from models.club_ledger import usable_points
from models.club_member import ClubMember, FixedService
from models.number import Number
from models.number_claim import TooSoon
from models.profile import Profile
from models.security_code import HOUR, CodeOver, SecurityCode, TooManyCodes
from models.subscriber import Holder, Subscriber


class TooManyLookUps(Exception):
    """The clerk has looked up as many customers as one may within an hour; again from `until` on."""

    def __init__(self, until):
        super().__init__("too many look-ups")
        self.until = until


@dataclass(frozen=True)
class Customer:
    """A mobile number or a fixed service, with its membership and the numbers that its code can be sent to."""

    service: Number | FixedService
    member: ClubMember | None
    phones: tuple[Number, ...]
    # Points that can be used now; none while they are blocked.
    usable: int

    @property
    def is_fixed(self) -> bool:
        return isinstance(self.service, FixedService)

    @property
    def tariff(self) -> str:
        """The key of the table of welcome points."""
        return self.service.package if self.is_fixed else self.service.tariff

    def phone(self, id: str | None) -> Number | None:
        """The one with this id, or the only one there is."""
        if len(self.phones) == 1:
            return self.phones[0]
        return next((phone for phone in self.phones if str(phone.id) == id), None)

    @classmethod
    def look_up(cls, clerk: Profile, now, *, msisdn: str = "", code: str = "") -> "Customer | None":
        """Whom `msisdn`, or the `code` of a fixed service, belongs to; None where nobody. Raises TooManyLookUps.

        Each look-up counts: a clerk serves who stands there, and does not go through the numbers.
        """
        key = f"look-up:{clerk.id}"
        if not Allowance.take(key, most=config.DESK_LOOK_UPS, within=HOUR, now=now):
            raise TooManyLookUps(Allowance.free_at(key, most=config.DESK_LOOK_UPS, within=HOUR, now=now))
        return cls.of(now, msisdn=msisdn, code=code)

    @classmethod
    def of(cls, now, *, msisdn: str = "", code: str = "") -> "Customer | None":
        service = Number.of_msisdn(msisdn) if msisdn else fixed_of(code)
        if service is None:
            return None
        column = ClubMember.number if msisdn else ClubMember.fixed
        member = ClubMember.select().where(column == service, ClubMember.ended_at.is_null()).first()
        usable = usable_points(member, now) if member is not None else 0
        return cls(service, member, tuple(phones_of(service)), usable)


def fixed_of(code: str) -> FixedService | None:
    """The fixed service of this code, with subscriber and holder; one query."""
    return (
        FixedService.select(FixedService, Subscriber, Holder)
        .join(Subscriber)
        .join(Holder)
        .where(FixedService.code == code, FixedService.active)
        .first()
    )


def phones_of(service: Number | FixedService) -> list[Number]:
    """The numbers whose holder can speak for `service`: itself, or those of the fixed service's subscriber code."""
    if isinstance(service, Number):
        return [service]
    same = Number.select().where(Number.subscriber == service.subscriber_id, Number.active)
    return list(same.order_by(Number.id))


def send_code(
    clerk: Profile, msisdn: str, now, *, kind: str, language: str, data: dict | None = None
) -> SecurityCode:
    """A code to a customer's phone; raises TooManyCodes.

    A stranger is not told when a number has had its SMS of the hour (PRO-4); a clerk, with the customer waiting, is.
    """
    with db.atomic():
        code = SecurityCode.send(
            clerk, msisdn, now, genuine=True, kind=kind, language=language, data=data, most=config.DESK_CODE_SENDS
        )
        if not code.genuine:
            key = f"code-sms:{msisdn}"
            raise TooManyCodes(Allowance.free_at(key, most=config.CODE_SENDS, within=HOUR, now=now))
    return code


class AwaitsCode:
    """A clerk's request that waits for the code on a customer's phone; a row with `code`, `clerk` and `token`."""

    # What is known of it once the code was right.
    OUTCOME: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        raise NotImplementedError

    def _finish(self, now) -> None:
        """Spend the code and do what it is for, or raise; in a transaction of its own."""
        raise NotImplementedError

    def _take(self, typed: str, now) -> None:
        if self.is_done:
            return
        try:
            if self.code is None:
                raise CodeOver
            self.code.check(typed, now)
            with db.atomic():
                self._finish(now)
        except CodeOver:
            # A double click: the other request used the code up, and is done.
            done = type(self).get_by_id(self.id)
            if not done.is_done:
                raise
            for name in self.OUTCOME:
                setattr(self, name, getattr(done, name))

    def _ready_for_another(self, now) -> "AwaitsCode":
        """The row as it is now, held; raises CodeOver once it is done, TooSoon within the pause."""
        kind = type(self)
        fresh = locked(kind.select().where(kind.id == self.id)).get()
        if fresh.is_done or fresh.clerk is None:
            raise CodeOver
        if fresh.code is not None and now < fresh.again_at:
            raise TooSoon(fresh.again_at)
        return fresh

    def is_live(self, now) -> bool:
        """Whether its code can still be typed."""
        return not self.is_done and self.code is not None and self.code.is_live(now)

    @property
    def again_at(self):
        """From when on another code can be asked for."""
        return self.code.sent_at + timedelta(seconds=config.CODE_PAUSE)
