"""Whose points there are for the card payment of a cart, and how many it takes (PAY-1, PAY-4)."""

from dataclasses import dataclass
from functools import cached_property

from peewee import JOIN, fn

from models.calendar import local_day
from models.cart import Chosen
from models.club_ledger import ClubLot
from models.club_member import ClubMember, FixedService
from models.club_rate import Rates
from models.number import Number, ProfileNumber
from models.payment_ways import ACCESSORY, CARD, POINTS, PREPAID_SIM, ways
from models.profile import Profile
from models.subscriber import Holder, Subscriber

WHYS = ("not_yours", "blocked", "too_few", "too_many", "step", "worth")


class PointsChanged(Exception):
    """The points cannot be used as was chosen (PAY-4); `why` is one of WHYS.

    `limit`: with `too_few` how many there are, with `too_many` how many the cart takes, with `step` of what they must
    be a multiple. `worth`: a point takes off something else since it was chosen (CLB-17).
    """

    def __init__(self, why: str, limit: int = 0):
        super().__init__(why)
        self.why, self.limit = why, limit


@dataclass(frozen=True, slots=True)
class MemberPoints:
    """What one membership has for the lines of a cart."""

    member: ClubMember
    # Of the number or service: who alone may receive what these points pay (DLV-3).
    holder: Holder
    # All that have not lapsed; blocked or not (CLB-7).
    kept: int
    # Of those, how many the cart takes; none while they are blocked.
    most: int

    @property
    def id(self) -> int:
        return self.member.id

    @property
    def usable(self) -> int:
        return 0 if self.member.is_blocked else self.kept


class PointsChoice:
    """What the memberships of a profile have for the lines of a cart: two queries, however many there are."""

    def __init__(self, profile: Profile | None, lines: list[Chosen], now):
        self._day = local_day(now)
        self._kept = _memberships(profile, self._day) if profile is not None else []
        self.look_at(lines)

    @cached_property
    def rates(self) -> Rates:
        return Rates(self._day)

    def look_at(self, lines: list[Chosen], as_card: frozenset[int] = frozenset()) -> None:
        """Work out what `lines` take; those with an id in `as_card` as if they were paid by card. No query."""
        # So many the lines take, whoever's they are.
        self.takes = most_points(lines, self.rates, as_card) if self._kept else 0
        self.members = [self._of(member) for member in self._kept]

    def _of(self, member: ClubMember) -> MemberPoints:
        kept, step = member.kept or 0, self.rates.step
        most = 0 if member.is_blocked else min(kept, self.takes) // step * step
        return MemberPoints(member, member.billed.holder, kept, most)

    @property
    def first(self) -> MemberPoints | None:
        """The membership that is shown chosen where nobody chose: the one with the most for this cart."""
        return max(self.members, key=lambda one: one.most, default=None)

    @property
    def least(self) -> int:
        """What must remain for the card, in minor units (PAY-4)."""
        return self.rates["card", ""]

    def of(self, member_id: int | None) -> MemberPoints | None:
        return next((one for one in self.members if one.id == member_id), None)

    def check(self, member_id: int | None, points: int) -> MemberPoints:
        """The membership whose points these may be; raises PointsChanged where they cannot be used so."""
        one = self.of(member_id)
        if one is None:
            raise PointsChanged("not_yours")
        if one.member.is_blocked:
            raise PointsChanged("blocked")
        if points > one.kept:
            raise PointsChanged("too_few", one.kept)
        if not 0 < points <= self.takes:
            raise PointsChanged("too_many", self.takes)
        if points % self.rates.step:
            raise PointsChanged("step", self.rates.step)
        return one

    def worth(self, points: int) -> int:
        return self.rates.worth(points)


def _memberships(profile: Profile, today) -> list[ClubMember]:
    """Those of ClubMember.of_profile, each with `kept`, its points that have not lapsed, and `billed`, its subscriber
    code with the holder; one query."""
    numbers = Number.select(Number.id).join(ProfileNumber).where(ProfileNumber.profile == profile, Number.active)
    fixed = FixedService.select(FixedService.id).where(
        FixedService.subscriber.in_(Number.codes_of(profile)), FixedService.active
    )
    one, other = ClubMember.alias(), ClubMember.alias()
    # Each half goes by its index: an OR would read all members there are.
    mine = one.select(one.id).where(one.number.in_(numbers), one.ended_at.is_null()) | other.select(other.id).where(
        other.fixed.in_(fixed), other.ended_at.is_null()
    )
    kept = ClubLot.select(fn.SUM(ClubLot.left)).where(
        ClubLot.member == ClubMember.id, ClubLot.left > 0, ClubLot.usable_until >= today
    )
    return list(
        ClubMember.select(ClubMember, Number, FixedService, Subscriber, Holder, kept.alias("kept"))
        .join(Number, JOIN.LEFT_OUTER)
        .join_from(ClubMember, FixedService, JOIN.LEFT_OUTER)
        .join_from(
            ClubMember,
            Subscriber,
            on=Subscriber.id == fn.COALESCE(Number.subscriber, FixedService.subscriber),
            attr="billed",
        )
        .join_from(Subscriber, Holder)
        .where(ClubMember.id.in_(mine))
        .order_by(ClubMember.number.is_null(), ClubMember.id)
    )


def most_points(lines: list[Chosen], rates: Rates, as_card: frozenset[int] = frozenset()) -> int:
    """The most points that these lines take: of what is charged to the card, and can be paid with points (PAY-1,
    PAY-4)."""
    by_card = [chosen for chosen in lines if chosen.line.payment == CARD or chosen.id in as_card]
    by_points = [chosen.total for chosen in by_card if POINTS in ways_of(chosen, True, True)]
    return rates.most_points(sum(by_points), sum(chosen.total for chosen in by_card))


def ways_of(chosen: Chosen, logged_in: bool, own_number: bool) -> tuple[str, ...]:
    """The ways to pay this line has (PAY-1)."""
    return ways(chosen.contract_type if chosen.is_contract else _kind(chosen), logged_in, own_number)


def _kind(chosen: Chosen) -> str:
    return chosen.device.kind if chosen.device.kind in (ACCESSORY, PREPAID_SIM) else "device_only"
