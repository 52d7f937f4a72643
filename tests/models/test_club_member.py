"""Members of the club: joining, and what a change of tariff or holder takes (CLB-1, CLB-2, CLB-14)."""

from datetime import UTC, date, datetime

import pytest

from models.base import Unfinished, db
from models.bss_event import BssEvent
from models.club_ledger import ClubEntry, NotEnough, audit, debit, usable_points
from models.club_member import AlreadyMember, ClubMember, FixedService, NotMember, month_after
from models.club_rate import Rate
from models.club_service import ClubService
from models.number import Number
from models.subscriber import Holder, Subscriber
from tests.club import give, joined, joined_fixed
from tests.query_count import assert_query_count
from tests.world import NOW, later, own_number, profile


def again(member):
    return ClubMember.get_by_id(member.id)


def table(name, key, value):
    Rate.change(name, key, value, date(2020, 1, 1), date(2026, 1, 1))


# Joining


@pytest.mark.rule("CLB-1")
@pytest.mark.parametrize(
    ("moment", "first"),
    [
        ("2026-01-27T11:00", date(2026, 2, 1)),
        ("2026-02-01T11:00", date(2026, 3, 1)),
        ("2025-12-31T11:00", date(2026, 1, 1)),
        # Already February in Skopje.
        ("2026-01-31T23:30", date(2026, 3, 1)),
    ],
)
def test_earning_starts_on_the_first_of_the_next_month(moment, first):
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert joined(now=now).earns_from == first


@pytest.mark.rule("CLB-2", "CLB-5")
def test_welcome_points_are_those_of_the_tariff_or_package_and_of_the_year_of_joining():
    table("welcome", "linja-m", 100)
    table("welcome", "net-100", 80)
    number = own_number(profile())
    number.tariff = "linja-m"
    number.save()
    mobile, fixed = joined(number), joined_fixed(number.subscriber)
    assert (mobile.balance, again(fixed).balance) == (100, 80)
    [lot] = mobile.lots
    assert (lot.year, lot.usable_until) == (2026, date(2027, 6, 30))
    [entry] = mobile.entries
    assert (entry.kind, entry.about) == ("welcome", {"tariff": "linja-m"})
    assert list(audit()) == []


@pytest.mark.rule("CLB-2")
def test_a_tariff_without_a_line_in_the_table_gives_no_welcome_points():
    member = joined()
    assert (member.balance, member.entries.count()) == (0, 0)


@pytest.mark.rule("CLB-1")
def test_a_service_is_a_member_once():
    member = joined()
    with pytest.raises(AlreadyMember), db.atomic():
        ClubMember.join_number(member.number, NOW, language="sq")
    fixed = joined_fixed(member.number.subscriber)
    with pytest.raises(AlreadyMember), db.atomic():
        ClubMember.join_fixed(fixed.fixed, NOW, language="sq")
    assert ClubMember.select().count() == 2


def test_the_memberships_of_a_profile_are_its_numbers_and_the_fixed_services_of_their_codes():
    who = profile()
    first = own_number(who, "38970100001")
    second = own_number(who, "38970100002", holder_of=first)
    members = [joined(second), joined(first), joined_fixed(first.subscriber)]
    stranger = joined(own_number(profile("besa@example.com"), "38970100003"))
    with assert_query_count(2):
        found = ClubMember.of_profile(who)
    assert [member.id for member in found] == [members[1].id, members[0].id, members[2].id]
    assert ClubMember.of_profile_by(who, stranger.id) is None


# Changes of tariff and holder


def change(member, *, segment=None, kind=None, active=None):
    """What the billing system told of the number meanwhile."""
    if segment:
        holder = Number.get_by_id(member.number_id).holder
        Holder.update(segment=segment, company="Firma").where(Holder.id == holder.id).execute()
    values = {name: value for name, value in (("kind", kind), ("active", active)) if value is not None}
    if values:
        Number.update(**values).where(Number.id == member.number_id).execute()


def prepare(kind):
    """A member with 100 points, 10 of which were turned into each unit, and 90 into a bundle."""
    number = own_number(profile())
    number.kind = kind
    number.save()
    member = joined(number, points=220)
    for what in ("MB", "SMS", "MMS"):
        ClubService.convert(member.id, what, 10, NOW, channel="web", key=f"c:{what}")
    bundle = ClubService.convert(member.id, "super", 90, NOW, channel="web", key="c:super")
    bundle.confirm(NOW)
    return again(member)


def states():
    return {service.what: service.state for service in ClubService.select()}


ALL = {"MB": "ordered", "SMS": "ordered", "MMS": "ordered", "super": "active"}


@pytest.mark.rule("CLB-14")
@pytest.mark.parametrize("kind", ["prepaid", "postpaid"])
def test_private_to_business_postpaid_loses_points_and_units(kind):
    member = prepare(kind)
    change(member, segment="business", kind="postpaid")
    assert ClubMember.follow_all_services(later(1)) == 1
    assert ClubMember.follow_all_services(later(2)) == 0
    assert again(member).balance == 0
    assert states() == ALL | {"MB": "lost", "SMS": "lost", "MMS": "lost"}
    entry = member.entries.order_by(ClubEntry.id.desc()).first()
    assert (entry.kind, entry.points, entry.about) == ("lost", -100, {"why": "business"})
    # The network is told to end them.
    lost = BssEvent.select().where(BssEvent.kind == "club_service_lost")
    assert sorted(event.payload["what"] for event in lost) == ["MB", "MMS", "SMS"]
    assert list(audit()) == []
    # The membership goes on, and earns again.
    give(again(member), 5)
    assert usable_points(again(member), NOW) == 5


@pytest.mark.rule("CLB-14")
def test_more_changes_than_are_found_at_a_time_are_followed_in_one_round_unless_its_time_is_over():
    arben = profile()
    members = [joined(own_number(arben, f"3897010000{last}"), points=10) for last in range(1, 6)]
    Number.update(active=False).execute()
    first = ClubMember.follow_all_services(later(1), limit=2, within=0)
    assert (first, type(first)) == (1, Unfinished)
    rest = ClubMember.follow_all_services(later(1), limit=2)
    assert (rest, type(rest)) == (4, int)
    assert all(again(member).ended_at for member in members)
    assert ClubMember.follow_all_services(later(2)) == 0


@pytest.mark.rule("CLB-14")
def test_private_prepaid_to_private_postpaid_keeps_points_and_loses_mb_and_sms():
    member = prepare("prepaid")
    change(member, kind="postpaid")
    ClubMember.follow_all_services(later(1))
    assert again(member).balance == 100
    assert states() == ALL | {"MB": "lost", "SMS": "lost"}


@pytest.mark.rule("CLB-14")
@pytest.mark.parametrize(
    ("kind", "segment", "to"),
    [
        # Postpaid to prepaid, and private prepaid to business prepaid: the terms name neither.
        ("postpaid", None, "prepaid"),
        ("prepaid", "business", "prepaid"),
    ],
)
def test_other_changes_take_nothing(kind, segment, to):
    member = prepare(kind)
    change(member, segment=segment, kind=to)
    ClubMember.follow_all_services(later(1))
    assert again(member).balance == 100
    assert states() == ALL
    assert ClubMember.follow_all_services(later(2)) == 0


@pytest.mark.rule("CLB-14")
@pytest.mark.parametrize("looks", ["hold", "hold_all", "job", "nobody"])
@pytest.mark.parametrize("steps", [("business", "postpaid"), ("postpaid", "business")])
def test_it_matters_not_which_half_of_a_change_to_business_postpaid_is_told_first(steps, looks):
    member = prepare("prepaid")
    for turn, step in enumerate(steps):
        change(member, **{"segment" if step == "business" else "kind": step})
        if looks == "job":
            ClubMember.follow_all_services(later(turn))
        elif looks != "nobody":
            with db.atomic():
                if looks == "hold":
                    ClubMember.hold(member.id, later(turn))
                else:
                    ClubMember.hold_all([member.id], later(turn))
        if turn == 0:
            assert again(member).balance == 100
            # Nothing more is to be done until the other half is told.
            assert looks == "nobody" or not ClubMember.changed_services().exists()
    ClubMember.follow_all_services(later(5))
    assert again(member).balance == 0
    assert states() == ALL | {"MB": "lost", "SMS": "lost", "MMS": "lost"}
    assert (again(member).segment, again(member).kind) == ("business", "postpaid")
    assert not ClubMember.changed_services().exists()


@pytest.mark.rule("CLB-14")
def test_half_a_change_that_is_taken_back_took_nothing():
    member = prepare("postpaid")
    change(member, segment="business", kind="prepaid")
    assert ClubMember.follow_all_services(later(1)) == 1
    assert ClubMember.follow_all_services(later(2)) == 0
    assert not again(member).is_behind
    change(member, segment="private")
    assert ClubMember.follow_all_services(later(3)) == 0
    assert again(member).balance == 100
    assert states() == ALL


@pytest.mark.rule("CLB-14")
def test_business_back_to_private_does_not_bring_back_what_was_lost():
    member = prepare("postpaid")
    change(member, segment="business")
    ClubMember.follow_all_services(later(1))
    change(member, segment="private")
    ClubMember.follow_all_services(later(2))
    assert again(member).balance == 0


@pytest.mark.rule("CLB-14")
def test_points_cannot_be_spent_after_the_change_though_the_job_has_not_run():
    member = prepare("postpaid")
    change(member, segment="business")
    with pytest.raises(NotEnough):
        ClubService.convert(member.id, "MB", 10, later(1), channel="web", key="late")
    # Nothing of the refused conversion stays; the job does the rest.
    assert again(member).balance == 100
    ClubMember.follow_all_services(later(2))
    assert again(member).balance == 0


@pytest.mark.rule("CLB-14")
@pytest.mark.parametrize("given_up", [True, False])
def test_another_holder_or_none_ends_the_membership_with_all_it_has(given_up):
    member = prepare("postpaid")
    if given_up:
        change(member, active=False)
    else:
        other = Holder.create(id_number="0101990454800", segment="private", first_name="Besa", last_name="Leka")
        code = Subscriber.create(holder=other, code="S-OTHER", since=date(2024, 1, 1))
        Number.update(subscriber=code).where(Number.id == member.number_id).execute()
    with pytest.raises(NotMember), db.atomic():
        ClubMember.hold(member.id, later(1))
    ClubMember.follow_all_services(later(1))
    ended = again(member)
    assert (ended.balance, ended.ended_at) == (0, later(1))
    assert set(states().values()) == {"lost"}
    assert ClubMember.of_msisdn("38970100001") is None
    with pytest.raises(NotMember), db.atomic():
        ClubMember.hold(member.id, later(2))
    assert ended.entries.order_by(ClubEntry.id.desc()).first().about == {"why": "given_up" if given_up else "holder"}
    assert list(audit()) == []
    if not given_up:
        # The new holder joins anew; the former one's history stays the former one's.
        new = ClubMember.join_number(Number.get_by_id(member.number_id), later(3), language="sq")
        assert (new.balance, new.entries.count()) == (0, 0)


@pytest.mark.rule("CLB-14")
def test_a_fixed_service_loses_its_points_with_its_holder_and_not_with_the_holders_segment():
    member = joined_fixed(own_number(profile()).subscriber, points=50)
    Holder.update(segment="business").execute()
    ClubMember.follow_all_services(later(1))
    assert again(member).balance == 50
    FixedService.update(active=False).execute()
    ClubMember.follow_all_services(later(2))
    assert (again(member).balance, again(member).ended_at) == (0, later(2))


def test_members_held_together_are_as_if_each_was_held_alone():
    who = profile()
    members = [joined(own_number(who, f"3897010000{n}"), points=50) for n in range(1, 5)]
    change(members[1], segment="business")
    change(members[2], active=False)
    give(members[3], 10, until=date(2026, 3, 20))
    with db.atomic():
        held = ClubMember.hold_all([member.id for member in members], later(days=20))
    assert [member.id for member in held] == [members[0].id, members[1].id, members[3].id]
    assert [member.balance for member in held] == [again(member).balance for member in held] == [50, 0, 50]
    assert list(audit()) == []


def test_with_nothing_to_follow_the_job_is_one_query():
    joined(points=10)
    with assert_query_count(1):
        ClubMember.follow_all_services(NOW)


@pytest.mark.rule("CLB-5")
def test_spent_points_are_spent_though_the_clock_of_another_process_is_behind():
    """One process lapses just after midnight, another, whose clock was read before it, gives points back."""
    from models.club_ledger import give_back

    member = joined()
    give(member, 50, until=date(2026, 6, 30))
    before, after = (datetime(2026, 6, 30, hour, 30, tzinfo=UTC) for hour in (21, 22))
    with db.atomic():
        entry = debit(ClubMember.hold(member.id, before), 20, "voucher", before, key="v", about={})
    with db.atomic():
        ClubMember.hold(member.id, after)
    with db.atomic():
        give_back(entry, ClubMember.hold(member.id, before), before, about={})
    with db.atomic():
        held = ClubMember.hold(member.id, after)
    # Thirty days of their own.
    assert (held.balance, usable_points(held, after)) == (20, 20)
    assert list(audit()) == []


def test_month_after_goes_over_the_years_end():
    assert month_after(date(2025, 12, 31)) == date(2026, 1, 1)
