"""What a choice costs, and when (OFF-2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.catalogue import CONTRACT_MONTHS
from models.instalments import PARTS
from models.quote import quote, together

pytestmark = pytest.mark.rule("OFF-2")

PRICES = st.integers(0, 50_000_000)
MONTHLY = st.none() | st.integers(0, 1_000_000)
WAYS = st.sampled_from([("card", None), ("first_bill", None), *(("instalments", parts) for parts in PARTS)])


@given(PRICES, WAYS, MONTHLY, st.integers(1, 9))
def test_the_parts_of_every_purchase_add_up(price, way, monthly, quantity):
    offer = quote(price, *way, monthly, quantity)
    assert offer.today + offer.first_bill + sum(offer.instalments) == offer.device_total == price * quantity
    assert offer.contract_total == offer.device_total + CONTRACT_MONTHS * offer.monthly
    assert offer.today + sum(offer.bills) == offer.contract_total
    assert offer.first_month == (offer.bills[0] if offer.bills else 0)
    if offer.instalments:
        assert max(offer.instalments) - min(offer.instalments) <= 1


@given(PRICES, WAYS, MONTHLY)
def test_a_device_is_paid_in_one_way_alone(price, way, monthly):
    offer = quote(price, *way, monthly)
    assert sum(bool(part) for part in (offer.today, offer.first_bill, sum(offer.instalments))) == (1 if price else 0)


def test_a_device_in_24_instalments_with_its_tariff():
    offer = quote(3_120_000, "instalments", 24, 119_900)
    assert (offer.today, offer.first_bill, offer.monthly) == (0, 0, 119_900)
    assert offer.instalments == [130_000] * 24
    assert offer.bills == [249_900] * 24
    assert offer.first_month == 249_900
    assert (offer.device_total, offer.contract_total) == (3_120_000, 5_997_600)


def test_fewer_instalments_than_months_leave_the_tariff_alone_afterwards():
    offer = quote(1_000_001, "instalments", 6, 59_900)
    assert offer.instalments == [166_667] * 5 + [166_666]
    assert offer.bills == [226_567] * 5 + [226_566] + [59_900] * 18


def test_the_first_bill_carries_the_device_once():
    offer = quote(3_120_000, "first_bill", None, 119_900)
    assert (offer.today, offer.first_bill, offer.first_month) == (0, 3_120_000, 3_239_900)
    assert offer.bills == [3_239_900] + [119_900] * 23


def test_a_device_alone_costs_its_price_today_and_nothing_later():
    offer = quote(4_998_000, "card", None, None, 2)
    assert (offer.today, offer.device_total, offer.contract_total) == (9_996_000,) * 3
    assert offer.bills == []
    assert offer.first_month == 0


@given(PRICES, WAYS, MONTHLY)
def test_the_stretches_of_equal_bills_are_the_bills(price, way, monthly):
    offer = quote(price, *way, monthly)
    bills = [amount for first, last, amount in offer.months for _ in range(first, last + 1)]
    assert bills == offer.bills
    assert len(offer.months) <= 3


@given(st.lists(st.tuples(PRICES, WAYS, MONTHLY), max_size=5))
def test_several_choices_cost_together_what_each_costs_alone(choices):
    quotes = [quote(price, *way, monthly) for price, way, monthly in choices]
    whole = together(quotes)
    assert whole.today + whole.first_bill + sum(whole.instalments) == whole.device_total
    assert whole.today + sum(whole.bills) == whole.contract_total == sum(one.contract_total for one in quotes)
    for month, amount in enumerate(whole.bills):
        assert amount == sum(one.bills[month] for one in quotes if month < len(one.bills))


def test_nothing_chosen_costs_nothing():
    nothing = together([])
    assert (nothing.today, nothing.first_month, nothing.contract_total, nothing.months) == (0, 0, 0, [])


@pytest.mark.parametrize(
    "wrong",
    [
        (100, "points", None, None),
        (100, "", None, None),
        (100, "instalments", None, 5),
        (100, "instalments", 0, 5),
        (100, "card", 6, None),
        (-1, "card", None, None),
        (100, "card", None, -1),
        (100, "card", None, None, 0),
    ],
)
def test_what_cannot_be_paid_so_has_no_quote(wrong):
    with pytest.raises(ValueError, match="no such purchase|no way to pay|part"):
        quote(*wrong)
