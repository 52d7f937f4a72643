"""Every step between two states, by every role and by plain SQL: what ORD-4 does not name is refused."""

import pytest
from peewee import IntegrityError

from models.actor import SHOPPER, SYSTEM, Actor
from models.base import db
from models.order import STATES, TRANSITIONS, NotAllowed, Order, OrderEvent
from models.order_steps import MAY
from models.staff import ROLES
from tests.world import NOW, build, in_state, later, ordered

EVERYBODY = ("shopper", "bank", "system", *ROLES, "nobody")
# What a person at the counter, in a partner's shop or at the catalogue has to do with orders: nothing.
UNINVOLVED = ("clerk", "partner", "editor", "nobody")


@pytest.fixture
def orders():
    """An order in each state, by state."""
    world = build()
    return {state: in_state(ordered(world, "CASE-BLACK")[0], state) for state in STATES}


@pytest.mark.rule("ORD-4")
def test_of_all_states_and_all_roles_each_takes_the_steps_of_the_table_and_no_other(orders):
    tried = set()
    for before, order in orders.items():
        for after in STATES:
            for role in EVERYBODY:
                with db.atomic() as attempt:
                    again = Order.get_by_id(order.id)
                    if role in MAY.get((before, after), ()):
                        again.move(after, by=Actor(role, "somebody@example.com"), now=later(5))
                        event = OrderEvent.select().order_by(OrderEvent.id.desc()).first()
                        assert (event.state, event.author, event.who) == (after, role, "somebody@example.com")
                    else:
                        with pytest.raises(NotAllowed):
                            again.move(after, by=Actor(role), now=later(5))
                        assert Order.get_by_id(order.id).state == before
                        assert not order.history()[1:]
                    attempt.rollback()
                tried.add((before, after, role))
    assert len(tried) == len(STATES) ** 2 * len(EVERYBODY)


@pytest.mark.rule("ORD-4")
def test_plain_sql_takes_an_order_along_the_steps_of_the_table_and_no_other(orders):
    for before, order in orders.items():
        for after in STATES:
            with db.atomic() as attempt:
                writing = Order.update(state=after).where(Order.id == order.id)
                if after == before or after in TRANSITIONS[before]:
                    assert writing.execute() == 1
                else:
                    with pytest.raises(IntegrityError), db.atomic():
                        writing.execute()
                    assert Order.get_by_id(order.id).state == before
                attempt.rollback()


@pytest.mark.rule("ORD-4", "DSK-5")
def test_who_does_what_is_as_the_rules_say():
    assert {step for step, roles in MAY.items() if "shopper" in roles} == {
        ("awaiting_payment", "cancelled"),
        ("confirmed", "cancelled"),
        ("packed", "cancelled"),
        ("packed", "confirmed"),
    }
    assert not any(role in roles for role in UNINVOLVED for roles in MAY.values())
    to_the_door = {"packed", "with_courier", "delivered", "delivery_failed", "returned"}
    for (_, after), roles in MAY.items():
        # Whoever packs does not cancel, and whoever cancels does not pack; an admin may both.
        assert ("warehouse" in roles) <= (after in to_the_door)
        assert ("agent" in roles) <= (after in {"cancelled", "confirmed", "returned"})
        assert not {"bank", "system"} & roles or after in {"confirmed", "lapsed", "returned"}
    assert TRANSITIONS["cancelled"] == TRANSITIONS["returned"] == set()


@pytest.mark.rule("ORD-4")
def test_a_step_that_is_refused_leaves_no_trace(orders):
    for by in (SHOPPER, SYSTEM, Actor("agent", "agent@example.com")):
        with pytest.raises(NotAllowed):
            orders["with_courier"].move("delivered", by=by, now=NOW)
    assert [event.state for event in orders["with_courier"].history()] == ["awaiting_payment"]
