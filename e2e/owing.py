"""A profile of its own with invoices to pay, made in the running shop: the demo world's stay as they are."""

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
from models.invoice import Invoice
from models.number import Number, ProfileNumber
from models.profile import Profile
from models.subscriber import Holder, Subscriber

who, due = int(sys.argv[1]), [int(days) for days in sys.argv[2:]]
now = utcnow()
with db.connection_context(), db.atomic():
    profile = Profile(email=f"owing{who}@example.com", first_name="Emri", created_at=now, verified_at=now)
    profile.set_password("dyqani-demo")
    profile.save()
    holder = Holder.create(id_number=f"02029904500{who:02}", segment="private", first_name="Emri")
    code = Subscriber.create(holder=holder, code=f"OWING-{who}", since=local_day(now) - timedelta(days=900))
    number = Number.create(msisdn=f"389701003{who:02}", subscriber=code, sim_end="000000", kind="postpaid")
    ProfileNumber.create(profile=profile, number=number, added_at=now)
    for position, days in enumerate(due, 1):
        on = local_day(now) + timedelta(days=days)
        Invoice.create(
            subscriber=code, number=f"OWING-{who}-{position}", issued_on=on - timedelta(days=15), due_on=on,
            amount=100_000 * position,
        )
"""


def profile_that_owes(shop, *due: int) -> tuple[str, str]:
    """E-mail and subscriber code of a new profile with an invoice for each of `due`, days from today.

    The first is of 1.000 den, the second of 2.000, and so on.
    """
    who = next(_numbers)
    shop.run(MAKE, str(who), *map(str, due))
    return f"owing{who}@example.com", f"OWING-{who}"


def log_in(page, email, then="/porosite"):
    page.goto(f"/hyr?next={then}")
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    page.locator("#password").press("Enter")
    arrive(page, re.compile("^(?!.*/hyr)"))
