"""Orders on their way to the door, for the tests of delivery."""

from datetime import datetime

from gateways.bank import Verdict
from models.actor import Actor
from models.delivery import contents_of, fail, hand_over, next_attempt, pack
from models.order import Order
from tests.world import GUEST, NOW, World, later, ordered

WAREHOUSE = Actor("warehouse", "warehouse@example.com")
AGENT = Actor("agent", "agent@example.com")
RECEIVER = f"{GUEST['first_name']} {GUEST['last_name']}"


def confirmed(world: World, *skus: str, language: str = "sq", now: datetime = NOW) -> Order:
    """A paid order, "CASE-BLACK" unless said otherwise."""
    order, payment = ordered(world, *(skus or ("CASE-BLACK",)), language=language, now=now)
    payment.settle(Verdict.PAID, now)
    return Order.get_by_id(order.id)


def packed(order: Order, now: datetime | None = None) -> Order:
    pack(order, contents_of(order.lines()), by=WAREHOUSE, now=now or later(10))
    return Order.get_by_id(order.id)


def with_courier(order: Order, now: datetime | None = None) -> Order:
    """Packed where it was not yet, and handed over."""
    if order.state == "confirmed":
        order = packed(order, now)
    hand_over(order, by=WAREHOUSE, now=now or later(20))
    return Order.get_by_id(order.id)


def failed(order: Order, reason: str = "not_home", now: datetime | None = None) -> Order:
    """Handed over where it was not yet, and the attempt failed; by default an hour after NOW, on a Tuesday."""
    if order.state != "with_courier":
        order = with_courier(order)
    fail(order, next_attempt(order), reason, by=WAREHOUSE, now=now or later(60))
    return Order.get_by_id(order.id)
