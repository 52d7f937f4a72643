"""The delivery calendar (DLV-2, LOC-3)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calendar import (
    delivery_day_after,
    is_delivery_day,
    local_day,
    promised_day,
    public_holidays,
    seconds_left_today,
)

pytestmark = pytest.mark.rule("DLV-2")

days = st.dates(date(2024, 1, 1), date(2031, 12, 31))
moments = st.datetimes(datetime(2024, 1, 1), datetime(2031, 12, 31)).map(lambda m: m.replace(tzinfo=UTC))  # noqa: DTZ001


def test_saturday_is_a_delivery_day_and_sunday_is_not():
    assert is_delivery_day(date(2026, 3, 14))
    assert not is_delivery_day(date(2026, 3, 15))


@pytest.mark.parametrize("holiday", [date(2026, 5, 1), date(2026, 8, 2), date(2026, 9, 8), date(2026, 10, 12)])
def test_there_is_no_delivery_on_a_public_holiday(holiday):
    assert holiday in public_holidays(holiday.year)
    assert not is_delivery_day(holiday)


def test_an_order_of_a_tuesday_is_promised_for_the_monday_after():
    assert promised_day(datetime(2026, 3, 10, 11, 0, tzinfo=UTC)) == date(2026, 3, 16)


def test_the_promise_counts_days_of_skopje():
    """22:30 in UTC is the next day there in winter."""
    assert local_day(datetime(2026, 1, 13, 22, 59, tzinfo=UTC)) == date(2026, 1, 13)
    assert local_day(datetime(2026, 1, 13, 23, 0, tzinfo=UTC)) == date(2026, 1, 14)
    assert local_day(datetime(2026, 7, 13, 22, 0, tzinfo=UTC)) == date(2026, 7, 14)


def test_the_days_around_new_year_are_counted_over_both_years():
    assert delivery_day_after(date(2026, 12, 30), 3) == date(2027, 1, 4)


@given(days, st.integers(0, 30))
def test_there_are_exactly_that_many_delivery_days_up_to_the_promise(day, count):
    end = delivery_day_after(day, count)
    between = [day + timedelta(days=n) for n in range(1, (end - day).days + 1)]
    assert sum(is_delivery_day(one) for one in between) == count
    assert not between or is_delivery_day(end)


@given(days, days, st.integers(1, 10))
def test_who_orders_later_is_not_promised_an_earlier_day(one, other, count):
    first, second = sorted((one, other))
    assert delivery_day_after(first, count) <= delivery_day_after(second, count)


@given(moments)
def test_a_page_that_names_a_date_is_true_until_local_midnight(now):
    left = seconds_left_today(now)
    assert 1 <= left <= 25 * 3600
    assert local_day(now + timedelta(seconds=left - 1)) == local_day(now)
    assert local_day(now + timedelta(seconds=left + 1)) > local_day(now)
