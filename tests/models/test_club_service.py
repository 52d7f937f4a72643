"""Points into units and bundles: what they cost, how long they live, what the network says (CLB-11, CLB-12)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from models.base import db
from models.bss_event import BssEvent
from models.club_ledger import Blocked, ClubEntry, NotEnough, audit, block, usable_points
from models.club_member import ClubMember, NotMember
from models.club_rate import Rate
from models.club_service import ClubService, NoNumber, NotOffered, TooFew
from models.sms import Sms
from tests.club import joined, joined_fixed
from tests.world import NOW, later


@pytest.fixture
def member():
    return joined(points=1_000)


def convert(member, what="MB", points=50, key="web:1", now=NOW):
    return ClubService.convert(member.id, what, points, now, channel="web", key=key)


def change_rate(name, key, value):
    Rate.create(name=name, key=key, value=value, since=date(2026, 1, 1))


@pytest.mark.rule("CLB-11", "CLB-12")
@pytest.mark.parametrize(("what", "units"), [("MB", 250), ("SMS", 50), ("MMS", 50)])
def test_units_live_for_30_days_from_when_the_network_confirms_them(member, what, units):
    service = convert(member, what)
    assert (service.amount, service.state, service.ends_at) == (units, "ordered", None)
    assert usable_points(member, NOW) == 950
    assert service.confirm(later(5))
    service = ClubService.get()
    assert (service.state, service.ends_at) == ("active", later(5) + timedelta(days=30))
    # The network says so again.
    assert not service.confirm(later(9))
    assert ClubService.get().ends_at == later(5) + timedelta(days=30)
    assert ClubService.end_all_due(later(5) + timedelta(days=29)) == 0
    assert ClubService.end_all_due(later(5) + timedelta(days=30)) == 1
    assert ClubService.get().state == "over"
    assert ClubService.live_of(member, later(5) + timedelta(days=30)) == []


@pytest.mark.rule("CLB-12")
@pytest.mark.parametrize(
    ("begun", "ends"),
    [
        (datetime(2026, 3, 10, 11, tzinfo=UTC), datetime(2026, 4, 10, 10, tzinfo=UTC)),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), datetime(2026, 2, 28, 12, tzinfo=UTC)),
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), datetime(2027, 1, 31, 23, 30, tzinfo=UTC)),
    ],
    ids=["summer time begins", "a short month", "a new year"],
)
def test_a_bundle_ends_on_the_same_day_of_the_next_month_at_the_same_local_time(begun, ends):
    member = joined(points=100, until=date(2027, 6, 30), now=begun)
    service = convert(member, "hej", 90, now=begun)
    assert (service.amount, service.days) == (1, 0)
    assert service.confirm(begun)
    assert ClubService.get().ends_at == ends


@pytest.mark.rule("CLB-12", "CLB-16")
@pytest.mark.parametrize(
    ("what", "points", "error"),
    [
        ("MB", 9, TooFew),
        ("MB", 0, TooFew),
        ("MB", -10, TooFew),
        ("MB", 1_001, NotEnough),
        ("hej", 89, NotOffered),
        ("hej", 180, NotOffered),
    ],
)
def test_what_is_refused_writes_nothing(member, what, points, error):
    with pytest.raises(error):
        convert(member, what, points)
    assert (ClubService.select().count(), BssEvent.select().count()) == (0, 0)
    assert usable_points(member, NOW) == 1_000


@pytest.mark.rule("CLB-12", "CLB-17")
def test_the_least_points_the_rate_and_the_price_of_a_bundle_are_the_operators(member):
    change_rate("least", "", 20)
    change_rate("unit", "MB", 8)
    change_rate("bundle", "fillo", 120)
    change_rate("unit", "SMS", 0)
    change_rate("bundle", "hej", 0)
    with pytest.raises(TooFew) as error:
        convert(member, "MB", 19)
    assert error.value.least == 20
    assert convert(member, "MB", 20).amount == 160
    for what, points in (("SMS", 50), ("hej", 90), ("hej", 0), ("fillo", 90)):
        with pytest.raises(NotOffered):
            convert(member, what, points, key=what)
    assert convert(member, "fillo", 120, key="f").what == "fillo"


@pytest.mark.rule("CLB-12", "CLB-17")
def test_other_units_than_were_confirmed_are_not_given(member):
    def confirmed(amount, key, what="MB", points=50):
        return ClubService.convert(member.id, what, points, NOW, channel="web", key=key, amount=amount)

    for amount in (-1, 0, 249, 251):
        with pytest.raises(NotOffered):
            confirmed(amount, f"a:{amount}")
    with pytest.raises(NotOffered):
        confirmed(2, "b", "hej", 90)
    made = confirmed(250, "c")
    change_rate("unit", "MB", 4)
    with pytest.raises(NotOffered):
        confirmed(250, "d")
    assert confirmed(250, "c") == made
    assert confirmed(None, "e").amount == 200
    assert confirmed(1, "f", "hej", 90).amount == 1
    assert usable_points(member, NOW) == 1_000 - 50 - 50 - 90


@pytest.mark.rule("CLB-7")
def test_blocked_points_and_those_of_a_membership_that_ended_become_nothing(member):
    with db.atomic():
        block(ClubMember.hold(member.id, NOW), NOW, ["2026-01", "2026-02"])
    with pytest.raises(Blocked):
        convert(member)
    ClubMember.update(blocked_at=None, ended_at=NOW).execute()
    with pytest.raises(NotMember):
        convert(member)


@pytest.mark.rule("CLB-11")
def test_a_fixed_service_has_no_number_to_give_units_to(member):
    fixed = joined_fixed(member.number.subscriber, points=100)
    with pytest.raises(NoNumber):
        convert(fixed)
    assert usable_points(fixed, NOW) == 100


@pytest.mark.rule("CLB-16")
def test_the_same_key_is_one_conversion_also_when_the_points_are_gone_since(member):
    first = convert(member, points=1_000)
    assert convert(member, points=1_000) == first
    assert BssEvent.select().where(BssEvent.kind == "club_service_ordered").count() == 1
    assert list(audit()) == []


@pytest.mark.rule("CLB-12", "PAY-9")
def test_what_the_network_refuses_gives_the_points_back_once_and_stays_refused(member):
    service = convert(member)
    assert service.refuse(NOW)
    assert not service.refuse(NOW)
    assert not ClubService.get().confirm(NOW)
    assert usable_points(member, NOW) == 1_000
    assert ClubEntry.select().where(ClubEntry.kind == "returned").count() == 1
    assert [row.kind for row in Sms.select()] == ["service_refused"]
    assert list(audit()) == []


@pytest.mark.rule("CLB-12")
def test_what_is_active_cannot_be_refused_any_more(member):
    service = convert(member)
    service.confirm(NOW)
    assert not ClubService.get().refuse(NOW)
    assert usable_points(member, NOW) == 950


@pytest.mark.rule("CLB-15")
def test_what_is_ordered_or_active_is_live_the_newest_first(member):
    services = [convert(member, "MB", 10, key=str(turn)) for turn in range(4)]
    services[0].confirm(NOW)
    services[1].refuse(NOW)
    services[2].confirm(NOW - timedelta(days=31))
    assert [service.id for service in ClubService.live_of(member, NOW)] == [services[3].id, services[0].id]
