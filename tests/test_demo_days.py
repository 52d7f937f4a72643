"""The demo world, loaded on days of all sorts: what it says of people and points is true on each."""

from datetime import date, datetime

import pytest

import demo_world
from models.club_ledger import ClubEntry, audit, lapsing, usable_points
from models.club_member import ClubMember
from models.number import Number
from models.profile import Profile


def numbers_of(name):
    return Number.of_profile(Profile.get(Profile.email == f"{name}@example.com"))


@pytest.mark.parametrize("day", ["2026-01-31", "2026-02-28", "2028-02-29", "2026-03-31", "2026-08-30", "2026-12-31"])
def test_the_table_is_true_on_every_day_of_the_calendar(day):
    now = datetime.fromisoformat(f"{day}T11:00:00+00:00")
    demo_world.load(now)
    assert numbers_of("newcomer")[0].subscriber.months(now) == 3
    assert numbers_of("eligible")[0].subscriber.months(now) == 60
    assert numbers_of("almostpaid")[1].active_contract(now) is not None


@pytest.mark.rule("CLB-5", "CLB-7", "CLB-16")
@pytest.mark.parametrize(
    "day",
    ["2026-01-02", "2026-02-02", "2026-02-03", "2026-03-31", "2026-06-30", "2026-07-01", "2026-07-04", "2026-11-22"],
)
def test_on_whatever_day_it_is_loaded_the_members_have_their_points(day):
    now = datetime.fromisoformat(f"{day}T11:30+00:00")
    demo_world.load(now)
    eligible, blocked = (ClubMember.of_msisdn(f"38970100{end}") for end in ("001", "012"))
    assert usable_points(eligible, now) == 4200
    assert (usable_points(blocked, now), blocked.balance) == (0, 600)
    assert blocked.is_blocked
    assert list(audit()) == []
    days = [day for day, _ in lapsing(eligible, now)]
    # From February to June there are points of two years (CLB-5).
    assert days == ([date(2026, 6, 30), date(2027, 6, 30)] if "02-03" <= day[5:] <= "06-30" else [days[0]])
    assert (days[0].month, days[0].day) == (6, 30)
    kinds = {entry.kind for entry in eligible.entries}
    assert {"welcome", "month", "lapsed", "voucher"} <= kinds
    moments = [entry.at for entry in eligible.entries.order_by(ClubEntry.id)]
    assert moments == sorted(moments)
    assert moments[-1] <= now
