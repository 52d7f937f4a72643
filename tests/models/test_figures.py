"""The figures of a stretch of days, against orders that were counted by hand."""

from datetime import date, timedelta

import pytest

from gateways.bank import Verdict
from models.cart import Cart
from models.checkout import Checkout
from models.figures import BadDays, Figures, last_days
from models.order import Order
from models.step_count import StepCount
from tests.club import joined
from tests.world import NOW, build, cart_with, checkout_of, later, ordered

TODAY = date(2026, 3, 10)


@pytest.fixture
def world():
    return build()


def paid(world, *skus, now=NOW):
    order, payment = ordered(world, *skus, now=now)
    payment.settle(Verdict.PAID, now + timedelta(minutes=1))
    return Order.get_by_id(order.id)


def figures(first=TODAY - timedelta(days=6), last=TODAY, now=NOW):
    return Figures(first, last, now)


def test_orders_stand_on_the_day_it_was_in_the_shops_country(world):
    # 23:30 UTC of the 8th is the 9th in Skopje.
    paid(world, "CASE-BLACK", now=NOW - timedelta(days=1, hours=11, minutes=30))
    ordered(world, "CASE-BLACK")
    rows = figures().orders_per_day()
    assert [day for day, _, _ in rows] == [TODAY - timedelta(days=count) for count in range(6, -1, -1)]
    assert rows[-2:] == [(date(2026, 3, 9), 1, 1), (TODAY, 1, 0)]


def test_revenue_counts_what_was_sold_by_contract_type(world):
    paid(world, "CASE-BLACK", "TAB-GREY-64")
    ordered(world, "CASE-BLACK")
    cancelled = paid(world, "CASE-BLACK")
    cancelled.give_back_stock()
    cancelled.move("cancelled", by="agent", now=later(5))
    assert figures().revenue() == [("device_only", 2, 99_000 + 1_199_000), ("new_number", 0, 0), ("besnik24", 0, 0)]


def test_each_step_is_counted_once_for_a_checkout_and_again_after_its_order(world):
    checkout = checkout_of(cart_with(world, "CASE-BLACK"))
    for step in ("data", "delivery", "data", "delivery", "payment"):
        StepCount.reached(checkout, step, NOW)
    # Another process that read the checkout before.
    StepCount.reached(Checkout.get_by_id(checkout.id), "payment", NOW)
    steps = dict(figures().steps())
    assert steps == {
        "number": 0, "data": 1, "delivery": 1, "payment": 1, "overview": 0, "placed": 0, "confirmed": 0,
    }  # fmt: skip
    Checkout.renew(Cart.get_by_id(checkout.cart_id))
    StepCount.reached(Checkout.get_by_id(checkout.id), "data", later(60 * 24))
    assert StepCount.between(TODAY, TODAY)["data"] == 1
    assert StepCount.between(TODAY, TODAY + timedelta(days=1))["data"] == 2


def test_what_runs_out_first_leads_and_what_does_not_sell_is_not_there(world):
    paid(world, "IP16-PINK-128")
    paid(world, "CASE-BLACK")
    world.set_stock("IP16-PINK-128", 1)
    world.set_stock("CASE-BLACK", 0)
    world.set_stock("TAB-GREY-64", 0)
    rows = figures().running_out()
    assert [(row.variant.sku, row.stock, row.sold, row.days_left) for row in rows] == [
        ("CASE-BLACK", 0, 1, 0),
        ("IP16-PINK-128", 1, 1, 7),
    ]


def test_late_orders_are_those_whose_promised_day_is_over(world):
    order = paid(world, "CASE-BLACK")
    paid(world, "CASE-BLACK", now=later(60 * 24 * 30))
    on = NOW + timedelta(days=(order.promised_on - TODAY).days + 2)
    count, [late] = figures(now=on).late()
    assert (count, late.order.number, late.days) == (1, order.number, 2)
    assert figures(now=on - timedelta(days=2)).late() == (0, [])


def test_a_delivery_after_the_promised_day_counts_as_late(world):
    for days in (1, 20):
        order = paid(world, "CASE-BLACK")
        for state in ("packed", "with_courier", "delivered"):
            order.move(state, by="warehouse", now=NOW + timedelta(days=days))
    assert figures(TODAY, TODAY + timedelta(days=30)).delivered() == (2, 1)


def test_payments_that_came_to_nothing_stand_with_their_reason(world):
    paid(world, "CASE-BLACK")
    _, payment = ordered(world, "CASE-BLACK")
    payment.settle(Verdict.DECLINED, later(1), reason="Not sufficient funds")
    ordered(world, "CASE-BLACK")
    found = figures()
    assert found.payments_per_day()[-1] == (TODAY, 1, 1)
    assert found.trouble() == [("Not sufficient funds", 1)]


@pytest.mark.rule("CLB-16")
def test_points_are_summed_by_kind(world):
    joined(points=300)
    [(kind, count, points)] = figures(TODAY - timedelta(days=365), TODAY).points()
    assert (count, points) == (1, 300)
    assert kind in ("welcome", "month", "topup")


@pytest.mark.parametrize(
    ("first", "last"), [(TODAY, TODAY - timedelta(days=1)), (TODAY - timedelta(days=366), TODAY)]
)
def test_days_that_make_no_stretch_are_refused(first, last):
    with pytest.raises(BadDays):
        Figures(first, last, NOW)


def test_the_last_days_end_today():
    assert last_days(NOW, 7) == (TODAY - timedelta(days=6), TODAY)
