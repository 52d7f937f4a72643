"""Cancelling an order that is not delivered yet, and what returns with it (AFT-2, PAY-9)."""

import pytest

from gateways.bank import Verdict
from models.actor import SHOPPER, Actor
from models.cancellation import Cancellation, cancel
from models.order import NotAllowed, Order
from models.payment import Refund
from models.stock_return import StockReturn
from models.trail import AuditEntry
from tests.world import build, in_state, later, ordered

AGENT = Actor("agent", "agent@example.com")


@pytest.fixture
def world():
    return build()


def paid(world, *states):
    order, payment = ordered(world, "CASE-BLACK")
    payment.settle(Verdict.PAID, later(1))
    order = Order.get_by_id(order.id)
    for state in states:
        order.move(state, by="warehouse", now=later(2))
    return order, payment


@pytest.mark.rule("AFT-2", "PAY-9")
def test_a_cancelled_order_gives_pieces_and_money_back_once_however_often_it_is_cancelled(world):
    order, payment = paid(world)
    for minute in (3, 4):
        assert cancel(order, by=SHOPPER, now=later(minute), why="ndryshova mendim").state == "cancelled"
    assert world.stock("CASE-BLACK") == 40
    [refund] = Refund.select()
    assert (refund.payment, refund.amount, refund.state) == (payment, payment.amount, "due")
    assert (Cancellation.of(order).role, Cancellation.of(order).why) == ("shopper", "ndryshova mendim")
    assert AuditEntry.select().where(AuditEntry.what == "cancelled").count() == 1


@pytest.mark.rule("AFT-2")
def test_an_order_nobody_paid_is_cancelled_without_money_and_money_that_comes_late_goes_back(world):
    order, payment = ordered(world, "CASE-BLACK")
    cancel(order, by=SHOPPER, now=later(1))
    assert not Refund.select().exists()
    assert payment.settle(Verdict.PAID, later(2)) == "surplus"
    assert Refund.get().payment == payment
    assert world.stock("CASE-BLACK") == 40


@pytest.mark.rule("AFT-2")
@pytest.mark.parametrize("states", [("packed", "with_courier"), ("packed", "with_courier", "delivery_failed")])
def test_from_dispatch_on_the_desk_alone_cancels_and_the_pieces_are_awaited(world, states):
    order, _ = paid(world, *states)
    with pytest.raises(NotAllowed):
        cancel(order, by=SHOPPER, now=later(3))
    cancel(order, by=AGENT, now=later(3))
    assert world.stock("CASE-BLACK") == 39
    [awaited] = StockReturn.awaited()
    warehouse = Actor("warehouse", "warehouse@example.com")
    assert awaited.arrive(by=warehouse, sellable=True, now=later(9))
    assert not awaited.arrive(by=warehouse, sellable=True, now=later(10))
    assert world.stock("CASE-BLACK") == 40


@pytest.mark.rule("AFT-3")
@pytest.mark.parametrize("state", ["delivered", "returned", "lapsed"])
def test_what_is_delivered_or_over_is_not_cancelled_by_anybody(world, state):
    order, _ = ordered(world, "CASE-BLACK") if state == "lapsed" else paid(world)
    order = in_state(order, state)
    for by in (SHOPPER, AGENT):
        with pytest.raises(NotAllowed):
            cancel(order, by=by, now=later(3))
    assert not Refund.select().exists()
