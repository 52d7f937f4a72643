"""Complaints and withdrawals: opened once, answered once within 15 days, and what comes back (AFT-3, AFT-4)."""

from datetime import timedelta

import pytest
from peewee import IntegrityError

from gateways.bank import Verdict
from models.actor import SHOPPER, Actor
from models.base import db
from models.claim import (
    AlreadyAnswered,
    AlreadyAsked,
    Claim,
    last_day_to_withdraw,
    withdrawal_of,
)
from models.order import NotAllowed, Order
from models.outbox import Mail
from models.payment import Refund
from models.stock_return import StockReturn
from models.trail import ChangedMeanwhile, mark_of, trail_of
from tests.world import NOW, build, later, ordered

AGENT = Actor("agent", "agent@example.com")
WAREHOUSE = Actor("warehouse", "warehouse@example.com")


@pytest.fixture
def world():
    return build()


def delivered(world, *skus, states=("packed", "with_courier", "delivered")):
    order, payment = ordered(world, *(skus or ("CASE-BLACK",)))
    payment.settle(Verdict.PAID, later(1))
    order = Order.get_by_id(order.id)
    for state in states:
        order.move(state, by=WAREHOUSE, now=later(2))
    return order


def withdraw(order, key="k", now=later(days=1), **more):
    return Claim.open(order, "withdrawal", "changed_mind", key=key, by=SHOPPER, now=now, **more)


def complain(order, key="k", about="late", now=later(5), **more):
    return Claim.open(order, "complaint", about, key=key, by=SHOPPER, now=now, text="Ende pa ardhur.", **more)


@pytest.mark.rule("AFT-4")
def test_a_complaint_is_to_be_answered_within_15_days_and_the_shopper_hears_that_it_was_received(world):
    order, _ = ordered(world, "CASE-BLACK")
    claim = complain(order)
    assert (claim.state, claim.kind, claim.due_on) == ("open", "complaint", NOW.date() + timedelta(days=15))
    assert [mail.kind for mail in Mail.select().where(Mail.data["claim"] == claim.id)] == ["claim_received"]
    assert (claim.days_left(later(5)), claim.days_left(later(days=16))) == (15, -1)
    step = trail_of(order)[-1]
    assert (step.what, step.by.role, step.after) == (
        "claim_opened",
        "shopper",
        {"claim": "complaint", "about": "late"},
    )
    assert "pa ardhur" not in step.why, "what is personal stays where it can be deleted"


@pytest.mark.rule("AFT-4")
def test_a_second_press_is_no_second_claim(world):
    order, _ = ordered(world, "CASE-BLACK")
    assert complain(order).id == complain(order, now=later(6)).id
    assert Claim.select().count() == 1
    assert Mail.select().where(Mail.kind == "claim_received").count() == 1


@pytest.mark.rule("AFT-4")
def test_the_key_of_one_order_says_nothing_of_another(world):
    first, second = (ordered(world, "CASE-BLACK")[0] for _ in range(2))
    assert complain(first).order_id == first.id
    assert complain(second).order_id == second.id


@pytest.mark.rule("AFT-4")
def test_no_more_than_three_claims_of_an_order_wait_at_the_same_time(world):
    order, _ = ordered(world, "CASE-BLACK")
    claims = [complain(order, key=f"k{number}") for number in range(3)]
    with pytest.raises(AlreadyAsked):
        complain(order, key="one more")
    claims[0].answer("Vjen nesër.", by=AGENT, now=later(9))
    complain(order, key="one more")


@pytest.mark.rule("AFT-4")
def test_the_list_at_the_desk_begins_with_what_runs_out_first(world):
    orders = [ordered(world, "CASE-BLACK")[0] for _ in range(3)]
    claims = [complain(order, now=later(days=day)) for order, day in zip(orders, (2, 0, 1), strict=True)]
    claims[2].answer("Vjen nesër.", by=AGENT, now=later(days=3))
    assert [claim.order_id for claim in Claim.waiting()] == [orders[1].id, orders[0].id]


@pytest.mark.rule("AFT-4")
def test_a_complaint_is_answered_once_with_a_mail(world):
    order, _ = ordered(world, "CASE-BLACK")
    claim = complain(order).answer(" Vjen nesër. ", by=AGENT, now=later(9))
    assert (claim.state, claim.reply, claim.answered_by) == ("answered", "Vjen nesër.", "agent@example.com")
    with pytest.raises(AlreadyAnswered) as error:
        claim.answer("Jo, pasnesër.", by=AGENT, now=later(10))
    assert error.value.claim.reply == "Vjen nesër."
    assert Mail.select().where(Mail.kind == "claim_answered").count() == 1
    with pytest.raises(NotAllowed):
        claim.decide(True, by=AGENT, now=later(10))


@pytest.mark.rule("DSK-1", "AFT-4")
def test_who_answers_a_page_that_is_old_is_told_what_changed(world):
    order, _ = ordered(world, "CASE-BLACK")
    claim, mark = complain(order), mark_of(order)
    complain(order, key="second")
    with pytest.raises(ChangedMeanwhile):
        claim.answer("Po.", by=AGENT, now=later(9), mark=mark)
    assert Claim.get_by_id(claim.id).is_open


@pytest.mark.rule("AFT-3")
def test_withdrawing_is_open_for_14_days_after_the_delivery(world):
    order = delivered(world)
    last = NOW.date() + timedelta(days=14)
    assert last_day_to_withdraw(order, later(days=14)) == last
    assert last_day_to_withdraw(order, later(days=15)) is None
    with pytest.raises(NotAllowed):
        withdraw(order, now=later(days=15))
    assert withdraw(order, now=later(days=14)).state == "open"


@pytest.mark.rule("AFT-3")
@pytest.mark.parametrize(
    "states", [(), ("packed",), ("packed", "with_courier"), ("packed", "with_courier", "delivery_failed")]
)
def test_before_the_delivery_there_is_nothing_to_withdraw_from(world, states):
    order = delivered(world, states=states)
    with pytest.raises(NotAllowed):
        withdraw(order)


@pytest.mark.rule("AFT-3")
def test_an_order_has_one_withdrawal_unless_it_was_refused(world):
    order = delivered(world)
    first = withdraw(order)
    with pytest.raises(AlreadyAsked):
        withdraw(order, key="second")
    with pytest.raises(ValueError, match="says why"):
        first.decide(False, by=AGENT, now=later(days=2), why="  ")
    refused = first.decide(False, by=AGENT, now=later(days=2), why="Pajisja është e hapur.")
    assert (refused.state, refused.reply) == ("refused", "Pajisja është e hapur.")
    assert withdrawal_of(order) is None
    assert not StockReturn.select().exists()
    assert withdraw(order, key="second").is_open


@pytest.mark.rule("AFT-3")
def test_two_withdrawals_of_an_order_are_refused_by_the_database_itself(world):
    order = delivered(world)
    row = withdraw(order).__data__ | {"key": "another"}
    row.pop("id")
    with pytest.raises(IntegrityError), db.atomic():
        Claim.insert(**row).execute()


@pytest.mark.rule("AFT-3", "PAY-9")
def test_an_accepted_withdrawal_returns_the_order_and_its_money_when_the_pieces_are_there(world):
    order = delivered(world, "S25-BLACK-128")
    claim = withdraw(order).decide(True, by=AGENT, now=later(days=2))
    assert claim.state == "accepted"
    [waiting] = StockReturn.awaited()
    assert not Refund.select().exists(), "the money goes back when the pieces are there"
    assert waiting.arrive(by=WAREHOUSE, sellable=True, now=later(days=4))
    assert not waiting.arrive(by=WAREHOUSE, sellable=True, now=later(days=5))
    assert Order.get_by_id(order.id).state == "returned"
    assert (world.stock("S25-BLACK-128"), world.gifts()) == (20, 10)
    assert [refund.amount for refund in Refund.select()] == [order.due_now]
    assert Claim.get_by_id(claim.id).state == "returned"


@pytest.mark.rule("AFT-3", "PAY-9")
def test_of_a_line_that_goes_back_alone_the_card_gets_its_price_and_the_order_stays_delivered(world):
    order = delivered(world, "S25-BLACK-128", "CASE-BLACK")
    case = order.lines()[1]
    claim = withdraw(order, lines=[case.id])
    assert [line.id for line in claim.lines_of()] == [case.id]
    claim.decide(True, by=AGENT, now=later(days=2))
    StockReturn.of(order).arrive(by=WAREHOUSE, sellable=True, now=later(days=4))
    assert Order.get_by_id(order.id).state == "delivered"
    assert (world.stock("CASE-BLACK"), world.stock("S25-BLACK-128")) == (40, 19)
    assert [refund.amount for refund in Refund.select()] == [case.total]


@pytest.mark.rule("AFT-3")
def test_all_lines_are_the_whole_order_and_lines_of_others_are_none(world):
    order, other = delivered(world, "CASE-BLACK"), delivered(world, "S25-BLACK-128", "CASE-BLACK")
    for wrong in ([], [order.lines()[0].id], [other.lines()[0].id, 10**9]):
        with pytest.raises(NotAllowed):
            withdraw(other, lines=wrong)
    assert withdraw(other, lines=[line.id for line in other.lines()]).lines is None


@pytest.mark.rule("AFT-3")
def test_what_points_or_a_contract_paid_for_goes_back_with_the_whole_order_alone(world):
    order = delivered(world, "S25-BLACK-128", "CASE-BLACK")
    Order.update(points=100, points_worth=500).where(Order.id == order.id).execute()
    with pytest.raises(NotAllowed):
        withdraw(order, lines=[order.lines()[1].id])


@pytest.mark.rule("AFT-3")
def test_pieces_that_cannot_be_sold_again_stay_aside_and_the_money_goes_back_all_the_same(world):
    order = delivered(world)
    withdraw(order).decide(True, by=AGENT, now=later(days=2))
    StockReturn.of(order).arrive(by=WAREHOUSE, sellable=False, now=later(days=4))
    assert world.stock("CASE-BLACK") == 39
    assert Refund.select().count() == 1
