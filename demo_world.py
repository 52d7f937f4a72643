"""The demo world: a full catalogue and one profile for each situation the shop must master.

The same every time, and loaded once: what is there already stays as it is. Never in production.
"""

from datetime import timedelta

import config
from models.base import db
from models.price_list import PriceList, TariffList
from models.profile import Profile

PASSWORD = "dyqani-demo"  # noqa: S105
# Who they are comes with the numbers and roles; the mailbox is all there is to know of them here.
PROFILES = (
    "eligible",
    "debt",
    "justpaid",
    "paidonline",
    "instalments",
    "almostpaid",
    "newcomer",
    "business",
    "nonumber",
    "blocked",
    "agent",
    "warehouse",
    "clerk",
    "partner",
    "editor",
    "admin",
)


def load(now) -> str:
    """Load what is missing of the demo world as of `now`, and say what that was.

    Raises BadLines, having changed no device, when data/catalogue.csv or data/tariffs.csv is not in order.
    """
    data = config.ROOT / "data"
    report = PriceList(data / "catalogue.csv", TariffList(data / "tariffs.csv")).load(now)
    profiles = _profiles(now)
    if not (report.added or report.changed or report.tariffs or profiles):
        return "The demo world is there already."
    return (
        f"The demo world is loaded: {report.added + report.changed} devices in {report.variants} variants, "
        f"{report.tariffs} tariffs, {profiles} profiles (password {PASSWORD})."
    )


def _profiles(now) -> int:
    emails = [f"{name}@example.com" for name in PROFILES]
    there = {email for (email,) in Profile.select(Profile.email).where(Profile.email.in_(emails)).tuples()}
    missing = [email for email in emails if email not in there]
    if not missing:
        return 0
    model = Profile()
    # One hash for all: they have one password, and each hash takes a tenth of a second on purpose.
    model.set_password(PASSWORD)
    rows = [
        {
            "email": email,
            "password_hash": model.password_hash,
            "first_name": "Demo",
            "last_name": email.partition("@")[0].capitalize(),
            "language": "sq",
            "created_at": now - timedelta(days=365),
        }
        for email in missing
    ]
    with db.atomic():
        return Profile.insert_many(rows).on_conflict_ignore().as_rowcount().execute()
