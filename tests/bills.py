"""What a profile of the tests owes the operator."""

from datetime import timedelta

from models.calendar import local_day
from models.invoice import Invoice
from models.number import Number, ProfileNumber
from models.profile import Profile
from models.subscriber import Holder, Subscriber
from tests.world import NOW

OWED = 189_900


def holder(name: str = "1", segment: str = "private") -> Holder:
    return Holder.create(
        id_number=f"010199045{name:0>4}", segment=segment, first_name="Arben", last_name=f"Osmani {name}"
    )


def code(of: Holder, name: str = "S-1", since=None) -> Subscriber:
    since = since or local_day(NOW) - timedelta(days=900)
    return Subscriber.create(holder=of, code=name, since=since, has_history=True)


def number(of: Subscriber, msisdn: str = "38970100101", profile: Profile | None = None) -> Number:
    made = Number.create(msisdn=msisdn, subscriber=of, sim_end=msisdn[-6:], kind="postpaid", tariff="linja-m")
    if profile is not None:
        ProfileNumber.create(profile=profile, number=made, added_at=NOW)
    return made


def invoice(of: Subscriber, name: str = "F-1", due: int = -5, amount: int = OWED, **more) -> Invoice:
    """Due so many days from the world's today."""
    due_on = local_day(NOW) + timedelta(days=due)
    return Invoice.create(
        subscriber=of, number=name, issued_on=due_on - timedelta(days=15), due_on=due_on, amount=amount, **more
    )


def owing(profile: Profile, *invoices: str, who: str = "1", due: int = -5) -> Subscriber:
    """`profile` gets a number of a new holder, who owes `invoices` of 1.899 den each."""
    subscriber = code(holder(who), f"S-{who}")
    number(subscriber, f"3897010010{who}", profile)
    for name in invoices:
        invoice(subscriber, name, due)
    return subscriber
