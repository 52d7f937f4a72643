"""A profile of its own in the club, made in the running shop: the demo world's stay as they are."""

import re
from itertools import count

from e2e.conftest import arrive

PASSWORD = "dyqani-demo"  # noqa: S105
_numbers = count(1)

MAKE = """
import sys
from datetime import timedelta
from models.base import db, utcnow
from models.calendar import local_day
from models.club_ledger import block, credit
from models.club_member import ClubMember
from models.number import Number, ProfileNumber
from models.profile import Profile
from models.subscriber import Holder, Subscriber

who, points, is_blocked, is_in = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "1", sys.argv[4] == "1"
now = utcnow()
with db.connection_context(), db.atomic():
    profile = Profile(email=f"member{who}@example.com", first_name="Emri", created_at=now, verified_at=now)
    profile.set_password("dyqani-demo")
    profile.save()
    holder = Holder.create(id_number=f"03039904500{who:02}", segment="private", first_name="Emri")
    code = Subscriber.create(holder=holder, code=f"MEMBER-{who}", since=local_day(now) - timedelta(days=900))
    number = Number.create(msisdn=f"389701004{who:02}", subscriber=code, sim_end="000000", kind="postpaid")
    ProfileNumber.create(profile=profile, number=number, added_at=now)
    if is_in:
        member = ClubMember.join_number(number, now, language="sq", profile=profile)
        year = local_day(now).year
        until = local_day(now) + timedelta(days=200)
        if points:
            about = {"month": f"{year}-01"}
            credit(member, points, "month", now, key=f"e2e:{who}", year=year, until=until, about=about)
        if is_blocked:
            block(ClubMember.hold(member.id, now), now, ["2026-08", "2026-09"])
"""
CONFIRM = """
import sys
from models.base import db, utcnow
from models.club_service import ClubService
with db.connection_context():
    # The sandbox of the billing system may have been faster.
    for service in ClubService.select().where(ClubService.msisdn == sys.argv[1], ClubService.state == "ordered"):
        service.confirm(utcnow())
"""


def member_with(shop, points: int = 0, *, blocked: bool = False, joined: bool = True) -> tuple[str, str]:
    """A new profile with a number; returns its e-mail and the number."""
    who = next(_numbers)
    shop.run(MAKE, str(who), str(points), "1" if blocked else "0", "1" if joined else "0")
    return f"member{who}@example.com", f"389701004{who:02}"


def network_confirms(shop, msisdn: str) -> None:
    """The operator's network gives what was ordered for the number."""
    shop.run(CONFIRM, msisdn)


def log_in(page, email: str, path: str = "/klubi") -> None:
    page.goto(f"/hyr?next={path}")
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    page.locator("#hyrja form button.btn").click()
    arrive(page, re.compile("^(?!.*/hyr)"))
