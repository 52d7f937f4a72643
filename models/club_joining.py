"""Joining the club from a profile, with what its member is told (CLB-1, CLB-2)."""

from models.base import db
from models.club_ledger import entry_of
from models.club_member import ClubMember, FixedService
from models.number import Number
from models.outbox import Mail
from models.profile import Profile
from models.sms import Sms


def join(service: Number | FixedService, now, *, profile: Profile) -> ClubMember:
    """Take a number or fixed service of `profile` into the club; raises AlreadyMember (CLB-1).

    The mail to the profile and the SMS to the number are written along, in the profile's language.
    """
    is_number = isinstance(service, Number)
    with db.atomic():
        take = ClubMember.join_number if is_number else ClubMember.join_fixed
        member = take(service, now, language=profile.language, profile=profile)
        welcome = entry_of(f"welcome:{member.id}")
        told = {"member": member.id, "points": welcome.points if welcome else 0}
        key = f"club_joined:{member.id}"
        if is_number:
            Sms.write("club_joined", service.msisdn, member.language, now, key=key, data=told)
        Mail.write_to(
            profile.email, "club_joined", now, key=key, language=profile.language, profile=profile, data=told
        )
    return member
