"""Ordering again: the same devices at today's prices, and what is otherwise said line by line (OFF-5, CAT-5)."""

import pytest

from models.cart import Cart
from models.catalogue import Promotion, Tariff, Variant
from models.new_number import NewNumber
from models.number import Number
from models.order import Order, OrderLine
from models.order_again import Repeat
from tests.world import (
    NOW,
    build,
    cart_with,
    checkout_of,
    contract_line,
    in_state,
    later,
    own_number,
    place,
    profile,
)


@pytest.fixture
def world():
    return build()


@pytest.fixture
def ana(world):
    return profile()


def past(cart, owner=None, state="delivered"):
    order, payment = place(checkout_of(cart), profile=owner)
    order = in_state(order, state)
    if state in ("delivered", "cancelled"):
        # As Order.move does at the end of the way.
        OrderLine.update(taken=None).where(OrderLine.order == order).execute()
    return order


def repeat(order, owner=None, now=None):
    numbers = Number.of_profile(owner) if owner is not None else []
    return Repeat(order, owner, numbers, None, now or later(60))


def held(cart):
    return [
        (one.variant.sku, one.quantity, one.contract_type, one.line.payment, one.msisdn)
        for one in cart.lines(later(60))
    ]


def outcomes(found):
    return [one.outcome for one in found]


def test_the_same_devices_are_put_into_the_cart_and_twice_is_once(world):
    before = cart_with(world, "TAB-GREY-64", "CASE-BLACK")
    before.set_quantity(before.lines(NOW)[1].id, 3)
    order, cart = past(before), Cart.begin(NOW)
    assert outcomes(repeat(order).look(cart)) == ["ready", "ready"]
    found = repeat(order).put(cart)
    assert all(one.is_as_it_was for one in found)
    there = held(cart)
    assert [line[:2] for line in there] == [("TAB-GREY-64", 1), ("CASE-BLACK", 3)]
    assert outcomes(repeat(order).put(cart)) == ["in_cart", "in_cart"]
    assert held(cart) == there


def test_more_pieces_that_the_cart_holds_already_stay(world):
    order, cart = past(cart_with(world, "CASE-BLACK")), cart_with(world, "CASE-BLACK")
    cart.set_quantity(cart.lines(NOW)[0].id, 4)
    repeat(order).put(cart)
    assert held(cart)[0][:2] == ("CASE-BLACK", 4)


@pytest.mark.rule("CAT-5")
def test_another_price_and_a_gift_that_is_gone_are_told(world):
    order = past(cart_with(world, "S25-BLACK-128", "REDMI-GREEN-128"))
    Promotion.delete().execute()
    world.set_gifts(0)
    galaxy, redmi = repeat(order).put(Cart.begin(NOW))
    assert (redmi.price_before, redmi.chosen.price.now) == (1_080_000, 1_200_000)
    assert (galaxy.price_before, galaxy.lost_gift["sq"]) == (None, "Kufje Galaxy Buds FE")
    assert not galaxy.is_as_it_was
    assert not redmi.is_as_it_was


def test_what_is_gone_sold_out_or_short_is_told_and_the_rest_is_put_in(world):
    before = cart_with(world, "TAB-GREY-64", "CASE-BLACK", "IP16-PINK-128", "REDMI-GREEN-128")
    before.set_quantity(before.lines(NOW)[1].id, 5)
    order, cart = past(before), Cart.begin(NOW)
    Variant.update(listed=False).where(Variant.sku == "TAB-GREY-64").execute()
    world.set_stock("CASE-BLACK", 2)
    world.set_stock("IP16-PINK-128", 0)
    found = repeat(order).put(cart)
    assert outcomes(found) == ["gone", "in_cart", "sold_out", "in_cart"]
    assert found[1].fewer == 2
    assert [line[:2] for line in held(cart)] == [("CASE-BLACK", 2), ("REDMI-GREEN-128", 1)]


@pytest.mark.rule("OFF-5", "ELG-5")
def test_besnik_24_is_for_its_number_again_and_never_twice(world, ana):
    number = own_number(ana)
    before = cart_with(world, profile=ana)
    contract_line(before, number=number)
    order = past(before, ana)
    cart = Cart.of_token(before.token)
    found = repeat(order, ana).put(cart)
    assert [one.is_as_it_was for one in found] == [True]
    there = held(cart)
    assert there == [("S25-BLACK-128", 1, "besnik24", "instalments", number.msisdn)]
    assert outcomes(repeat(order, ana).put(cart)) == ["in_cart"]
    assert held(cart) == there


@pytest.mark.rule("ELG-5")
def test_a_number_with_an_open_order_gets_no_second_device(world, ana):
    number = own_number(ana)
    before = cart_with(world, profile=ana)
    contract_line(before, number=number)
    order = past(before, ana, "confirmed")
    [line] = repeat(order, ana).put(Cart.of_token(before.token))
    assert (line.outcome, [reason.rule for reason in line.reasons]) == ("not_allowed", ["ELG-5"])
    assert held(before) == []


@pytest.mark.rule("ELG-5")
def test_a_number_that_the_cart_names_for_another_device_is_told(world, ana):
    number = own_number(ana)
    before = cart_with(world, profile=ana)
    contract_line(before, number=number, payment="card")
    order = past(before, ana)
    Tariff.create(code="linja-l", name="Linja L", monthly_price=109_900, internet_gb=60, position=3)
    cart = Cart.of_token(before.token)
    other = contract_line(cart, payment="card", number=number)
    type(other).update(tariff=Tariff.get(Tariff.code == "linja-l")).where(type(other).id == other.id).execute()
    [line] = repeat(order, ana).put(cart)
    assert (line.outcome, [reason.kind for reason in line.reasons]) == ("not_allowed", ["in_cart"])


@pytest.mark.rule("OFF-4", "PRO-5")
def test_besnik_24_of_who_is_not_in_or_has_the_number_no_more_is_told(world, ana):
    number = own_number(ana)
    before = cart_with(world, profile=ana)
    contract_line(before, number=number)
    order = past(before, ana)
    assert outcomes(repeat(order).put(Cart.begin(NOW))) == ["login"]
    number.remove_from(ana)
    assert outcomes(repeat(order, ana).put(Cart.of_token(before.token))) == ["number_gone"]


def test_a_tariff_that_is_not_sold_any_more_is_told(world):
    before = cart_with(world)
    contract_line(before, contract_type="new_number", payment="card", number=NewNumber.create(msisdn="38970227418"))
    order, cart = past(before), Cart.begin(NOW)
    assert outcomes(repeat(order).put(cart)) == ["in_cart"]
    assert held(cart) == [("S25-BLACK-128", 1, "new_number", "card", "")]
    assert outcomes(repeat(order).put(cart)) == ["in_cart"]
    Tariff.update(listed=False).execute()
    assert outcomes(repeat(order).put(Cart.begin(NOW))) == ["not_offered"]


@pytest.mark.rule("PAY-1")
def test_a_guest_pays_by_card_what_was_on_the_bill_and_is_told(world, ana):
    own_number(ana)
    before = cart_with(world, profile=ana)
    free = NewNumber.create(msisdn="38970227418")
    contract_line(before, contract_type="new_number", payment="first_bill", number=free)
    order = past(before, ana, "cancelled")
    [line] = repeat(order).put(Cart.begin(NOW))
    assert (line.outcome, line.chosen.line.payment, line.pays_otherwise) == ("in_cart", "card", True)
    assert Order.get_by_id(order.id).lines()[0].payment == "first_bill"
