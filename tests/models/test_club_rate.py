"""Rates and tables of the club, each from its day on (CLB-3, CLB-5, CLB-12, CLB-17, PAY-4)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.club_rate import DEFAULTS, BackDated, Rate, Rates
from models.money import MINOR
from tests.query_count import assert_query_count

TODAY = date(2026, 3, 10)


def change(name, key, value, since, today=TODAY):
    return Rate.change(name, key, value, since, today)


def test_without_a_word_of_the_operator_the_clubs_terms_count():
    rates = Rates(TODAY)
    assert {of: rates[of] for of in DEFAULTS} == DEFAULTS
    assert (rates.welcome("linja-m"), rates.topup("net-100")) == (0, 0)


@pytest.mark.rule("CLB-17")
def test_a_change_counts_from_its_day_on_and_never_before():
    change("euro", "", 6200, date(2026, 4, 1))
    change("euro", "", 6300, date(2026, 5, 1))
    days = [date(2026, 3, 31), date(2026, 4, 1), date(2026, 4, 30), date(2026, 5, 1)]
    assert [Rates(day)["euro", ""] for day in days] == [6150, 6200, 6200, 6300]


@pytest.mark.rule("CLB-17")
def test_a_day_that_is_over_cannot_be_changed_and_one_ahead_can():
    with pytest.raises(BackDated):
        change("euro", "", 6200, date(2026, 3, 9))
    ahead = date(2026, 3, 11)
    assert change("euro", "", 6250, TODAY)
    assert not change("euro", "", 6250, TODAY)
    # Since this morning it counts; what is to come may still be thought over.
    with pytest.raises(BackDated):
        change("euro", "", 6200, TODAY)
    assert change("euro", "", 6300, ahead)
    assert change("euro", "", 6400, ahead)
    with pytest.raises(BackDated):
        change("euro", "", 6300, ahead, today=ahead)
    # What counts since yesterday counts.
    with pytest.raises(BackDated):
        change("euro", "", 6200, TODAY, today=date(2026, 3, 11))
    assert not change("euro", "", 6250, TODAY, today=date(2026, 3, 11))
    assert Rates(TODAY)["euro", ""] == 6250


@pytest.mark.rule("CLB-17")
def test_a_table_may_begin_on_any_day_where_nothing_was_said_before():
    assert change("welcome", "linja-m", 100, date(2020, 1, 1))
    with pytest.raises(BackDated):
        change("welcome", "linja-m", 120, date(2021, 1, 1))
    assert Rates(date(2020, 1, 1)).welcome("linja-m") == 100


@pytest.mark.rule("CLB-3")
@pytest.mark.parametrize(
    ("spent", "points"), [(0, 0), (-100, 0), (6149, 0), (6150, 1), (12_299, 1), (12_300, 2), (61_500, 10)]
)
def test_each_full_euro_is_a_point(spent, points):
    assert Rates(TODAY).for_spent(spent) == points


@pytest.mark.rule("CLB-5")
@pytest.mark.parametrize(
    ("month", "years", "day"),
    [
        (6, 1, date(2027, 6, 30)),
        (12, 0, date(2026, 12, 31)),
        (12, 1, date(2027, 12, 31)),
        (2, 2, date(2028, 2, 29)),
        (1, 1, date(2027, 1, 31)),
    ],
)
def test_points_of_a_year_are_good_until_the_end_of_a_month(month, years, day):
    change("validity", "month", month, TODAY)
    change("validity", "years", years, TODAY)
    assert Rates(TODAY).last_day(2026) == day


@pytest.mark.rule("PAY-4")
@given(st.integers(0, 10_000_000), st.integers(0, 10_000_000))
def test_the_most_points_leave_the_card_its_least_and_a_whole_amount(eligible, due):
    rates = Rates.__new__(Rates)
    rates.day, rates._values = TODAY, dict(DEFAULTS)
    points = rates.most_points(min(eligible, due), due)
    assert points >= 0
    if points:
        assert due - rates.worth(points) >= rates["card", ""]
        assert rates.worth(points) <= eligible
        assert rates.worth(points) % MINOR == 0


def test_all_rates_are_one_query():
    with assert_query_count(1):
        rates = Rates(TODAY)
        rates.welcome("linja-m")
        rates.last_day(2026)
