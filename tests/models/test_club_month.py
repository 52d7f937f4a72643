"""A month of many members, credited once: rates, first earning day, blocks (CLB-1, CLB-3, CLB-4, CLB-7, CLB-17)."""

from datetime import UTC, date, datetime

import pytest

from models.base import db
from models.club_ledger import ClubEntry, ClubLot, audit, debit, usable_points
from models.club_member import ClubMember, FixedService
from models.club_month import (
    ClubMonth,
    ClubTopup,
    Differs,
    MonthlyCredit,
    NotOver,
    block_all_due,
    idle_run,
    months_before,
)
from models.club_rate import Rate
from tests.club import give, joined, joined_fixed
from tests.world import NOW, own_number, profile

EURO = 6150


def at(day: str, hour: int = 11) -> datetime:
    return datetime.fromisoformat(f"{day}T{hour:02}:00").replace(tzinfo=UTC)


def several(count, now=NOW):
    """So many members, each with a number of one profile."""
    who = profile()
    return [joined(own_number(who, f"3897012{index:04}", now=now), now=now) for index in range(1, count + 1)]


def credit(month, spent, now):
    """The month of members, by the bulk way; the rest spent nothing."""
    run = MonthlyCredit(month, now)
    run.credit([(line, member.msisdn, amount) for line, (member, amount) in enumerate(spent.items(), 2)])
    run.credit_nothing()
    return run.count


def again(member):
    return ClubMember.get_by_id(member.id)


# A month


@pytest.mark.rule("CLB-1", "CLB-3", "CLB-5")
def test_each_full_euro_gives_a_point_of_the_months_year_from_the_month_after_joining_on():
    member = joined(now=at("2025-11-27"))
    assert member.earns_from == date(2025, 12, 1)
    # November is the month of joining: it earns nothing, and is no month without earning.
    assert credit("2025-11", {member: 100 * EURO}, at("2025-12-03")).strangers == 1
    count = credit("2025-12", {member: 25 * EURO + EURO - 1}, at("2026-01-03"))
    assert (count.credited, count.points) == (1, 25)
    [lot] = member.lots
    # December's points are December's, whenever they are credited.
    assert (lot.points, lot.year, lot.usable_until) == (25, 2025, date(2026, 6, 30))
    [entry] = member.entries
    assert (entry.kind, entry.about) == ("month", {"month": "2025-12"})
    assert list(audit()) == []


@pytest.mark.rule("CLB-3")
def test_a_month_is_credited_once_however_often_it_is_told_and_by_whatever_way():
    member, other = several(2, at("2026-01-10"))
    for _ in range(2):
        count = credit("2026-02", {member: 10 * EURO}, at("2026-03-03"))
    assert (count.credited, count.idle, count.unchanged) == (0, 0, 1)
    ClubMonth.take(member.id, "2026-02", 10 * EURO, at("2026-03-04"))
    assert again(member).balance == 10
    assert again(other).balance == 0
    assert ClubMonth.select().count() == 2


@pytest.mark.rule("CLB-3", "CLB-16")
def test_another_amount_than_the_one_that_was_credited_is_told_and_changes_nothing():
    member, other = several(2, at("2026-01-10"))
    credit("2026-02", {member: 10 * EURO}, at("2026-03-03"))
    count = credit("2026-02", {member: 11 * EURO, other: EURO}, at("2026-03-03"))
    # Of the second no line spoke the first time: it spent nothing.
    assert count.differ == [(2, 10 * EURO), (3, 0)]
    with pytest.raises(Differs):
        ClubMonth.take(member.id, "2026-02", 11 * EURO, at("2026-03-04"))
    assert again(member).balance == 10


@pytest.mark.rule("CLB-3")
def test_a_month_that_is_not_over_in_the_shops_zone_is_refused():
    member = joined(now=at("2026-01-10"))
    # 23:30 on 28 February in Skopje, and half an hour into March.
    with pytest.raises(NotOver):
        MonthlyCredit("2026-02", datetime(2026, 2, 28, 22, 30, tzinfo=UTC))
    with pytest.raises(NotOver):
        ClubMonth.take(member.id, "2026-02", EURO, datetime(2026, 2, 28, 22, 30, tzinfo=UTC))
    MonthlyCredit("2026-02", datetime(2026, 2, 28, 23, 30, tzinfo=UTC))


@pytest.mark.rule("CLB-17")
def test_a_month_is_credited_at_the_rate_that_counted_in_it_whenever_that_is_done():
    member = joined(now=at("2026-01-10"))
    Rate.change("euro", "", 2 * EURO, date(2026, 3, 1), date(2026, 2, 20))
    Rate.change("validity", "month", 9, date(2026, 3, 1), date(2026, 2, 20))
    credit("2026-03", {member: 10 * EURO}, at("2026-04-20"))
    credit("2026-02", {member: 10 * EURO}, at("2026-04-20"))
    assert [(lot.points, lot.usable_until) for lot in member.lots.order_by(ClubLot.id)] == [
        (5, date(2027, 9, 30)),
        (10, date(2027, 6, 30)),
    ]


@pytest.mark.rule("CLB-5")
def test_a_month_that_is_told_years_late_gives_points_that_lapse_at_once():
    member = joined(now=at("2024-01-10"))
    count = credit("2024-02", {member: 10 * EURO}, at("2026-03-03"))
    assert count.points == 10
    assert again(member).balance == 0
    assert [entry.kind for entry in member.entries.order_by(ClubEntry.id)] == ["month", "lapsed"]
    assert list(audit()) == []


@pytest.mark.rule("CLB-3")
def test_numbers_that_are_no_members_are_counted_and_passed_over():
    member = joined(now=at("2026-01-10"))
    run = MonthlyCredit("2026-02", at("2026-03-03"))
    run.credit([(2, "38970999999", 100 * EURO), (3, member.msisdn, EURO)])
    assert (run.count.strangers, run.count.credited) == (1, 1)


@pytest.mark.rule("CLB-14")
def test_a_membership_that_ended_earns_no_more():
    member = joined(now=at("2026-01-10"))
    number = member.number
    number.active = False
    number.save()
    count = credit("2026-02", {member: 10 * EURO}, at("2026-03-03"))
    assert (count.credited, count.idle) == (0, 0)
    assert ClubMonth.select().count() == 0


def test_crediting_some_hundred_members_takes_few_queries():
    from tests.query_count import assert_query_count

    members = several(60, at("2026-01-10"))
    with assert_query_count(22):
        credit("2026-02", dict.fromkeys(members, 10 * EURO), at("2026-03-03"))
    assert {again(member).balance for member in members} == {10}
    assert list(audit()) == []


@pytest.mark.rule("CLB-3", "CLB-16")
def test_the_two_ways_of_crediting_write_the_same():
    one, many = several(2, at("2026-01-10"))
    ClubMonth.take(one.id, "2026-02", 7 * EURO, at("2026-03-03"))
    credit("2026-02", {many: 7 * EURO}, at("2026-03-03"))

    def written(member):
        entries = [(e.kind, e.points, e.balance, e.at, e.about) for e in member.entries]
        lots = [(lot.year, lot.usable_until, lot.points, lot.left) for lot in member.lots]
        months = [(row.month, row.spent, row.entry_id is not None) for row in member.months]
        return entries, lots, months

    assert written(one) == written(many)


# Months without earning


@pytest.mark.rule("CLB-7")
def test_two_months_in_a_row_without_earning_block_and_the_next_points_unblock():
    member = joined(now=at("2025-12-10"))
    credit("2026-01", {member: 50 * EURO}, at("2026-02-03"))
    credit("2026-02", {}, at("2026-03-03"))
    assert usable_points(again(member), at("2026-03-04")) == 50
    # Less than a euro is no earning.
    assert credit("2026-03", {member: EURO - 1}, at("2026-04-03")).blocked == 1
    assert again(member).is_blocked
    assert usable_points(again(member), at("2026-04-04")) == 0
    assert member.entries.order_by(ClubEntry.id.desc()).first().about == {"months": ["2026-02", "2026-03"]}
    credit("2026-04", {}, at("2026-05-03"))
    credit("2026-05", {member: EURO}, at("2026-06-03"))
    assert usable_points(again(member), at("2026-06-04")) == 51
    marks = [entry.kind for entry in member.entries.order_by(ClubEntry.id) if not entry.points]
    assert marks == ["blocked", "unblocked"]


@pytest.mark.rule("CLB-7")
@pytest.mark.parametrize("order", [("2026-01", "2026-02", "2026-03"), ("2026-03", "2026-01", "2026-02")])
def test_in_whatever_order_the_months_are_told_the_block_is_the_same(order):
    member = joined(now=at("2025-12-10"))
    spent = {"2026-01": 50 * EURO, "2026-02": 0, "2026-03": 0}
    for month in order:
        credit(month, {member: spent[month]}, at("2026-04-03"))
    assert again(member).is_blocked


@pytest.mark.rule("CLB-7")
def test_a_month_that_is_told_late_is_not_earning_again():
    member = joined(now=at("2025-12-10"))
    credit("2026-02", {}, at("2026-04-03"))
    credit("2026-03", {}, at("2026-04-03"))
    assert again(member).is_blocked
    credit("2026-01", {member: 50 * EURO}, at("2026-04-04"))
    assert again(member).is_blocked
    assert again(member).balance == 50


@pytest.mark.rule("CLB-7")
def test_a_month_of_which_nothing_was_told_blocks_nobody():
    member = joined(now=at("2025-12-10"))
    credit("2026-01", {}, at("2026-04-03"))
    credit("2026-03", {}, at("2026-04-03"))
    assert not again(member).is_blocked
    credit("2026-02", {}, at("2026-04-03"))
    assert again(member).is_blocked


@pytest.mark.rule("CLB-7", "CLB-17")
def test_how_many_months_block_is_a_rate():
    Rate.change("block", "", 3, date(2026, 2, 1), date(2026, 1, 1))
    member = joined(now=at("2025-12-10"))
    for month in ("2026-01", "2026-02"):
        credit(month, {}, at("2026-04-03"))
    assert not again(member).is_blocked
    credit("2026-03", {}, at("2026-04-03"))
    assert again(member).is_blocked


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], (None, [])),
        ([("2025-12", False), ("2026-01", False)], (None, ["2025-12", "2026-01"])),
        ([("2025-12", False), ("2026-02", False)], (None, [])),
        ([("2025-12", False), ("2026-01", True), ("2026-02", False)], ("2026-01", [])),
        ([("2026-03", False), ("2026-01", True), ("2026-02", False)], ("2026-01", ["2026-02", "2026-03"])),
    ],
)
def test_a_run_without_earning_is_found(rows, said):
    assert idle_run(rows, 2) == said


def test_months_before_a_day_go_over_the_years_end():
    assert months_before(date(2026, 1, 31), 2) == ["2025-11", "2025-12"]


# Top-ups


@pytest.fixture
def fixed():
    Rate.change("topup", "net-100", 15, date(2020, 1, 1), date(2026, 1, 1))
    return joined_fixed(own_number(profile(), now=at("2025-12-10")).subscriber, now=at("2025-12-10"))


def topup(member, day, reference=None, now=None, **more):
    fixed = FixedService.get_by_id(member.fixed_id)
    return ClubTopup.take(reference or f"T-{day}", fixed, at(day), now or at(day), **more)


@pytest.mark.rule("CLB-4", "CLB-5")
def test_a_top_up_gives_points_at_once_by_the_table_of_its_package(fixed):
    topup(fixed, "2026-01-05")
    [lot] = fixed.lots
    assert (lot.points, lot.year, lot.usable_until) == (15, 2026, date(2027, 6, 30))
    topup(fixed, "2026-01-06", package="unknown")
    assert again(fixed).balance == 15
    assert ClubTopup.select().count() == 2


@pytest.mark.rule("CLB-4", "CLB-16")
def test_a_top_up_counts_once_and_told_otherwise_it_is_refused(fixed):
    first = topup(fixed, "2026-01-05")
    assert topup(fixed, "2026-01-05") == first
    with pytest.raises(Differs):
        topup(fixed, "2026-01-06", reference="T-2026-01-05")
    with pytest.raises(Differs):
        topup(fixed, "2026-01-05", package="net-300")
    assert again(fixed).balance == 15


@pytest.mark.rule("CLB-1")
def test_a_top_up_before_the_first_earning_day_gives_nothing(fixed):
    topup(fixed, "2025-12-31")
    assert again(fixed).balance == 0


@pytest.mark.rule("CLB-17")
def test_a_top_up_counts_by_the_table_of_its_day(fixed):
    Rate.change("topup", "net-100", 40, date(2026, 2, 1), date(2026, 1, 20))
    topup(fixed, "2026-02-01")
    topup(fixed, "2026-01-31", now=at("2026-02-02"))
    assert sorted(lot.points for lot in fixed.lots) == [15, 40]


@pytest.mark.rule("CLB-7")
def test_two_months_without_a_top_up_block_a_fixed_service_and_a_top_up_unblocks(fixed):
    topup(fixed, "2026-01-05")
    assert block_all_due(at("2026-03-31")) == 0
    # A day is left for the top-ups of the month's last hours.
    assert block_all_due(at("2026-04-01")) == 0
    assert block_all_due(at("2026-04-02")) == 1
    assert block_all_due(at("2026-04-02")) == 0
    assert again(fixed).is_blocked
    topup(fixed, "2026-04-10")
    assert usable_points(again(fixed), at("2026-04-10")) == 30


@pytest.mark.rule("CLB-7")
def test_a_fixed_service_counts_from_its_first_earning_day(fixed):
    assert fixed.earns_from == date(2026, 1, 1)
    assert block_all_due(at("2026-02-20")) == 0
    assert block_all_due(at("2026-03-02")) == 1


@pytest.mark.rule("CLB-7")
def test_a_top_up_that_is_told_late_unblocks_if_it_was_in_a_month_that_blocked(fixed):
    block_all_due(at("2026-03-02"))
    topup(fixed, "2026-02-27", now=at("2026-03-05"))
    assert not again(fixed).is_blocked


@pytest.mark.rule("CLB-7")
def test_points_that_come_back_are_not_earned_again(fixed):
    from models.club_ledger import give_back

    give(fixed, 50, until=date(2026, 6, 30), now=at("2026-01-05"))
    with db.atomic():
        entry = debit(ClubMember.hold(fixed.id, at("2026-01-06")), 20, "voucher", at("2026-01-06"), key="v", about={})
    block_all_due(at("2026-03-02"))
    with db.atomic():
        give_back(entry, ClubMember.hold(fixed.id, at("2026-03-03")), at("2026-03-03"), about={})
    assert again(fixed).is_blocked
    assert again(fixed).balance == 50
