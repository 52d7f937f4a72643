"""Subscribers with a number in their profile, and a pool of new numbers, for the measurement of their orders.

    python -m benchmarks.subscribers

writes them into the database of the settings.
"""

from datetime import timedelta

from benchmarks.journeys import PASSWORD, POOL, PROFILES, email, new_number
from models.base import db, utcnow
from models.new_number import NewNumber
from models.number import Number, ProfileNumber
from models.profile import Profile
from models.subscriber import Holder, Subscriber


def write() -> None:
    now = utcnow()
    first = Profile()
    # One hash for all: it is slow on purpose.
    first.set_password(PASSWORD)
    with db.atomic():
        for at in range(PROFILES):
            owner = Profile.create(
                email=email(at),
                password_hash=first.password_hash,
                first_name="Arta",
                last_name="Berisha",
                phone="38970100000",
                created_at=now,
                verified_at=now,
            )
            msisdn = str(38970100000 + at)
            holder = Holder.create(
                id_number=f"0101990{at:06}", segment="private", first_name="Arta", last_name="Berisha"
            )
            code = Subscriber.create(holder=holder, code=f"S-{at}", since=(now - timedelta(days=2000)).date())
            number = Number.create(msisdn=msisdn, subscriber=code, sim_end=msisdn[-6:], kind="postpaid")
            ProfileNumber.create(profile=owner, number=number, added_at=now)
        for begin in range(0, POOL, 1000):
            rows = [{"msisdn": new_number(at)} for at in range(begin, begin + 1000)]
            NewNumber.insert_many(rows).execute()


if __name__ == "__main__":
    with db.connection_context():
        write()
