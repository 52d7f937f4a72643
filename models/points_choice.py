"""Whose points there are for the card payment of a cart, and how many it takes (PAY-1, PAY-4)."""

from dataclasses import dataclass

from peewee import fn

from models.calendar import local_day
from models.cart import Chosen
from models.club_ledger import ClubLot
from models.club_member import ClubMember
from models.club_rate import Rates
from models.payment_ways import ACCESSORY, CARD, POINTS, PREPAID_SIM, ways
from models.profile import Profile

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
    """What the memberships of a profile have for the lines of a cart: four queries, however many there are."""

    def __init__(self, profile: Profile | None, lines: list[Chosen], now):
        self.rates = Rates(local_day(now))
        # So many the lines take, whoever's they are.
        self.takes = most_points(lines, self.rates)
        members = ClubMember.of_profile(profile) if profile is not None else []
        kept = _kept([member.id for member in members], local_day(now)) if members else {}
        self.members = [self._of(member, kept.get(member.id, 0)) for member in members]

    def _of(self, member: ClubMember, kept: int) -> MemberPoints:
        step = self.rates.step
        most = 0 if member.is_blocked else min(kept, self.takes) // step * step
        return MemberPoints(member, kept, most)

    @property
    def is_open(self) -> bool:
        """Whether any points can be used."""
        return any(one.most for one in self.members)

    @property
    def first(self) -> MemberPoints | None:
        """The membership that is shown chosen where nobody chose: the one with the most for this cart."""
        return max(self.members, key=lambda one: one.most, default=None)

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


def _kept(ids: list[int], today) -> dict[int, int]:
    good = ClubLot.select(ClubLot.member, fn.SUM(ClubLot.left)).where(
        ClubLot.member.in_(ids), ClubLot.left > 0, ClubLot.usable_until >= today
    )
    return dict(good.group_by(ClubLot.member).tuples())


def most_points(lines: list[Chosen], rates: Rates) -> int:
    """The most points that these lines take: of what is charged to the card, and can be paid with points (PAY-1,
    PAY-4)."""
    by_card = (chosen for chosen in lines if chosen.line.payment == CARD)
    by_points = (chosen.quote.today for chosen in by_card if POINTS in ways_of(chosen, True, True))
    return rates.most_points(sum(by_points), sum(chosen.quote.today for chosen in lines))


def ways_of(chosen: Chosen, logged_in: bool, own_number: bool) -> tuple[str, ...]:
    """The ways to pay this line has (PAY-1)."""
    return ways(chosen.contract_type if chosen.is_contract else _kind(chosen), logged_in, own_number)


def _kind(chosen: Chosen) -> str:
    return chosen.device.kind if chosen.device.kind in (ACCESSORY, PREPAID_SIM) else "device_only"
