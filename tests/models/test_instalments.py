"""Instalments (PAY-3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.instalments import PARTS, split

pytestmark = pytest.mark.rule("PAY-3")

prices = st.integers(0, 10**12)


def test_one_six_twelve_and_twenty_four_parts_are_offered():
    assert PARTS == (1, 6, 12, 24)


@given(prices, st.sampled_from(PARTS) | st.integers(1, 60))
def test_the_parts_add_up_to_the_price_and_differ_by_at_most_one_minor_unit(price, parts):
    amounts = split(price, parts)

    assert len(amounts) == parts
    assert sum(amounts) == price
    assert max(amounts) - min(amounts) <= 1


@given(prices, st.sampled_from(PARTS))
def test_no_later_part_is_larger_and_none_is_below_zero(price, parts):
    amounts = split(price, parts)

    assert amounts == sorted(amounts, reverse=True)
    assert amounts[-1] >= 0


@pytest.mark.parametrize(
    ("price", "parts", "amounts"),
    [
        (4_998_000, 1, [4_998_000]),
        (4_998_000, 24, [208_250] * 24),
        (1_299_900, 24, [54_163] * 12 + [54_162] * 12),
        (5, 6, [1, 1, 1, 1, 1, 0]),
        (0, 12, [0] * 12),
    ],
)
def test_the_larger_parts_come_first(price, parts, amounts):
    assert split(price, parts) == amounts


@pytest.mark.parametrize("parts", [0, -1])
def test_a_price_without_a_part_is_refused(parts):
    with pytest.raises(ValueError, match="at least one part"):
        split(100_000, parts)


def test_a_price_below_zero_is_refused():
    with pytest.raises(ValueError, match="not below zero"):
        split(-1, 6)
