"""Points turned into the operator's services: MB, SMS, MMS and bundles of a month (CLB-9…12)."""

import uuid
from datetime import timedelta

from peewee import CharField, Check, ForeignKeyField, IntegerField

import crash
from models.base import BaseModel, MomentField, db
from models.bss_event import BssEvent
from models.calendar import ZONE, local_day
from models.club_ledger import ClubEntry, debit, entry_of, give_back
from models.club_member import ClubMember
from models.club_rate import BUNDLES, UNITS, Rates
from models.sms import Sms
from models.voucher import CHANNELS

STATES = ("ordered", "active", "refused", "over", "lost")
# In these the member has it, or is about to.
LIVE = ("ordered", "active")


class TooFew(Exception):
    """Fewer points than a conversion takes; `least` says how many (CLB-12)."""

    def __init__(self, least: int):
        super().__init__("too few points")
        self.least = least


class NoNumber(Exception):
    """A fixed service's points: there is no number to give units or a bundle to."""


class NotOffered(Exception):
    """The bundle or unit is not given (any more), or not for what was confirmed (CLB-17)."""


class ClubService(BaseModel):
    """Units or a bundle for one number.

    ordered → active, once the operator's network says so, → over after its time; refused, with the points given
    back; lost with a change of tariff (CLB-14).
    """

    entry = ForeignKeyField(ClubEntry, unique=True, on_delete="RESTRICT")
    member = ForeignKeyField(ClubMember, backref="services", on_delete="RESTRICT")
    # Under which the operator's network knows it.
    uuid = CharField(unique=True, max_length=36)
    msisdn = CharField(max_length=15)
    what = CharField(max_length=5, constraints=[Check(f"what IN {UNITS + BUNDLES!r}")])
    # Units; of a bundle 1.
    amount = IntegerField(constraints=[Check("amount > 0")])
    # Days that it lives; 0: until the same day of the next month.
    days = IntegerField(constraints=[Check("days >= 0")])
    channel = CharField(max_length=4, constraints=[Check(f"channel IN {CHANNELS!r}")])
    state = CharField(max_length=8, constraints=[Check(f"state IN {STATES!r}")])
    ordered_at = MomentField()
    active_at = MomentField(null=True)
    ends_at = MomentField(null=True, index=True)

    class Meta:
        constraints = [Check("(active_at IS NULL) = (ends_at IS NULL)")]

    @classmethod
    def convert(
        cls, member_id: int, what: str, points: int, now, *, channel: str, key: str, amount: int | None = None
    ) -> "ClubService":
        """Turn `points` into units, or into a bundle for which `points` is what the caller was told that it costs.

        `amount`: the units that were confirmed, of a bundle 1; None where nothing was shown. The network is told by
        an event of the same transaction. The same `key` again finds the same service. Raises TooFew, NotOffered, also
        where the points give another amount than was confirmed, NoNumber, Blocked, NotEnough, NotMember (CLB-9…12).
        """
        with db.atomic():
            member = ClubMember.hold(member_id, now)
            known = entry_of(key)
            if known is not None:
                return cls.get(cls.entry == known)
            if not member.number_id:
                raise NoNumber
            rates = Rates(local_day(now))
            if what in BUNDLES:
                kind, given, days = "bundle", 1, 0
                if not rates["bundle", what] or points != rates["bundle", what]:
                    raise NotOffered
            else:
                kind, given, days = "units", points * rates["unit", what], rates["days", ""]
                if not rates["unit", what]:
                    raise NotOffered
                if points < rates["least", ""]:
                    raise TooFew(rates["least", ""])
            if amount not in (None, given):
                raise NotOffered
            about = {"what": what, "amount": given, "channel": channel}
            entry = debit(member, points, kind, now, key=key, about=about)
            service = cls.create(
                entry=entry,
                member=member,
                uuid=str(uuid.uuid4()),
                msisdn=member.number.msisdn,
                what=what,
                amount=given,
                days=days,
                channel=channel,
                state="ordered",
                ordered_at=now,
            )
            crash.at("club: service written")
            BssEvent.of_club_service(service, "ordered", now)
        return service

    @classmethod
    def of_uuid(cls, uuid: str) -> "ClubService | None":
        return cls.get_or_none(cls.uuid == uuid)

    def confirm(self, now) -> bool:
        """The network gives it from now on (CLB-12); false when that is known, or it is over otherwise."""
        ends = now + timedelta(days=self.days) if self.days else _month_later(now)
        with db.atomic():
            member = ClubMember.hold(self.member_id, now)
            changed = self._move("ordered", "active", active_at=now, ends_at=ends)
            if changed:
                self._tell("service_active", member, now)
        return changed

    def refuse(self, now) -> bool:
        """The network cannot give it: the points go back, once (PAY-9)."""
        with db.atomic():
            member = ClubMember.hold(self.member_id, now)
            changed = self._move("ordered", "refused")
            if changed:
                give_back(self.entry, member, now, about={"what": self.what, "why": "refused"})
                self._tell("service_refused", member, now)
        return changed

    @classmethod
    def lose_all(cls, member: ClubMember, whats, now) -> int:
        """What a change of tariff takes (CLB-14), with the network told; returns how many. Inside the transaction
        that holds the member."""
        lost = 0
        for service in list(
            cls.select().where(cls.member == member, cls.what.in_(whats), cls.state.in_(LIVE)).order_by(cls.id)
        ):
            if service._move(service.state, "lost"):
                BssEvent.of_club_service(service, "lost", now)
                lost += 1
        return lost

    @classmethod
    def end_all_due(cls, now) -> int:
        """Mark what has lived its time; returns how many (CLB-12). The network ends it by itself."""
        return cls.update(state="over").where(cls.state == "active", cls.ends_at <= now).execute()

    @classmethod
    def live_of(cls, member: ClubMember, now) -> "list[ClubService]":
        """What the member has or awaits, the newest first (CLB-15)."""
        good = cls.ends_at.is_null() | (cls.ends_at > now)
        return list(cls.select().where(cls.member == member, cls.state.in_(LIVE), good).order_by(cls.id.desc()))

    def _move(self, before: str, state: str, **values) -> bool:
        changed = (
            ClubService.update(state=state, **values)
            .where(ClubService.id == self.id, ClubService.state == before)
            .execute()
        )
        if changed:
            self.state = state
            for name, value in values.items():
                setattr(self, name, value)
        return bool(changed)

    def _tell(self, kind: str, member: ClubMember, now) -> None:
        Sms.write(kind, self.msisdn, member.language, now, key=f"{kind}:{self.id}", data={"service": self.id})


def _month_later(now):
    """The same local time on the same day of the next month, or on its last day."""
    local = now.astimezone(ZONE)
    year, month = local.year + local.month // 12, local.month % 12 + 1
    for day in range(local.day, local.day - 4, -1):
        try:
            return local.replace(year=year, month=month, day=day).astimezone(now.tzinfo)
        except ValueError:
            continue
    raise AssertionError("Each month has a 28th day.")
