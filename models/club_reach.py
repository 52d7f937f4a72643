"""How members are reached: the profile that gets their mails, and the number that gets their SMS (CLB-6, CLB-8)."""

from dataclasses import dataclass

from peewee import JOIN

from models.club_member import ClubMember
from models.number import Number, ProfileNumber
from models.profile import Profile


@dataclass(frozen=True, slots=True)
class Reach:
    """None and blank: no way to tell."""

    profile: Profile | None
    msisdn: str


def reach(members: list[ClubMember], asking: Profile | None = None) -> dict[int, Reach]:
    """By member's id; one query for some hundred members with their services and profiles.

    Mails go to the profile `asking`, or to the membership's as long as it has the service: the number, or for a fixed
    service one of the same subscriber code. A fixed service gets no SMS: that profile's first number of the code
    does, or where there is no profile the first number of the code.
    """
    ids = [member.number_id for member in members if member.number_id]
    codes = {member.fixed.subscriber_id for member in members if member.fixed_id}
    rows = (
        Number.select(Number.id, Number.subscriber, Number.msisdn, ProfileNumber.profile)
        .join(ProfileNumber, JOIN.LEFT_OUTER)
        .where(Number.active, Number.id.in_(ids) | Number.subscriber.in_(codes))
        .order_by(ProfileNumber.id, Number.id)
        .tuples()
    )
    holding: set[tuple[int, int]] = set()
    of_profile: dict[tuple[int, int], str] = {}
    of_code: dict[int, tuple[int, str]] = {}
    for id, code, msisdn, owner in rows:
        holding.add((id, owner))
        of_profile.setdefault((code, owner), msisdn)
        of_code[code] = min(of_code.get(code, (id, msisdn)), (id, msisdn))
    ways = {}
    for member in members:
        profile = asking
        if member.number_id:
            if profile is None and (member.number_id, member.profile_id) in holding:
                profile = member.profile
            msisdn = member.msisdn
        else:
            code = member.fixed.subscriber_id
            if profile is None and (code, member.profile_id) in of_profile:
                profile = member.profile
            _, msisdn = of_code.get(code, (0, ""))
            if profile is not None:
                msisdn = of_profile.get((code, profile.id), msisdn)
        ways[member.id] = Reach(profile, msisdn)
    return ways
