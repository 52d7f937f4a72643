"""An order of somebody who is known, filled in and ready to be looked at (CHK-2, CHK-3)."""

import pytest

from models.cart import CartLine
from models.checkout import Checkout
from models.new_number import NewNumber
from models.number import Number
from models.order import Order
from models.returning import fill_in
from models.saved_address import SavedAddress
from tests.world import (
    NOW,
    build,
    cart_with,
    checkout_of,
    contract_line,
    has_device,
    later,
    ordered,
    owes,
    own_number,
    place,
    profile,
)


@pytest.fixture
def world():
    return build()


@pytest.fixture
def ana(world):
    made = profile()
    SavedAddress.keep(made, "Rr. e Re 5", "1000", "MK-801", NOW)
    return made


def filled(cart, owner, now=NOW):
    checkout = Checkout.of(cart, now)
    step = fill_in(checkout, owner, Number.of_profile(owner), cart.lines(now), now)
    return step, Checkout.get_by_id(checkout.id)


@pytest.mark.rule("CHK-2")
def test_profile_and_first_address_fill_in_everything_but_the_terms(world, ana):
    step, checkout = filled(cart_with(world, "CASE-BLACK", profile=ana), ana)
    assert step is None
    assert (checkout.first_name, checkout.email, checkout.phone) == ("Arben", "arben@example.com", "38970654321")
    assert (checkout.street, checkout.place, checkout.postal_code) == ("Rr. e Re 5", "1000", "1000")
    assert (checkout.payment_way, checkout.points, checkout.note, checkout.gift_note) == ("card", 0, "", "")
    order, _ = place(checkout, profile=ana)
    assert (order.address_in("en"), order.profile) == ("Rr. e Re 5, 1000 Skopje", ana)


@pytest.mark.rule("CHK-2")
def test_without_a_kept_address_the_last_order_says_where(world):
    besa = profile("besa@example.com")
    order, _ = ordered(world, "CASE-BLACK")
    Order.update(profile=besa).where(Order.id == order.id).execute()
    step, checkout = filled(cart_with(world, "TAB-GREY-64", profile=besa), besa)
    assert (step, checkout.street, checkout.municipality) == (None, "Rr. Ilindenit 12", "MK-609")


def test_who_is_not_known_well_enough_begins_at_the_data_and_nothing_is_written(world):
    besa = profile("besa@example.com")
    step, checkout = filled(cart_with(world, "CASE-BLACK", profile=besa), besa)
    assert (step, checkout.first_name, checkout.payment_way) == ("data", "", "")


@pytest.mark.rule("CHK-6")
def test_what_was_typed_stays_and_what_is_left_of_the_order_before_does_not(world, ana):
    cart = cart_with(world, "CASE-BLACK", profile=ana)
    typed = checkout_of(cart, reached=2)
    assert filled(cart, ana)[1].street == "Rr. Ilindenit 12"
    place(typed, profile=ana)
    cart.add(world["TAB-GREY-64"], NOW)
    step, checkout = filled(cart, ana)
    assert (step, checkout.first_name, checkout.street) == (None, "Ana", "Rr. e Re 5")


@pytest.mark.rule("ELG-5")
def test_the_only_number_that_a_contract_can_be_for_is_proposed(world, ana):
    number = own_number(ana)
    taken = own_number(ana, "38970100002")
    has_device(taken, 80)
    cart = cart_with(world, profile=ana)
    line = contract_line(cart)
    step, _ = filled(cart, ana)
    assert (step, CartLine.get_by_id(line.id).number) == (None, number)
    assert filled(cart, ana, later(1))[0] is None


@pytest.mark.rule("CHK-1")
def test_of_two_numbers_the_shopper_chooses(world, ana):
    own_number(ana)
    own_number(ana, "38970100002")
    cart = cart_with(world, profile=ana)
    line = contract_line(cart)
    step, checkout = filled(cart, ana)
    assert (step, CartLine.get_by_id(line.id).number, checkout.payment_way) == ("number", None, "card")


@pytest.mark.rule("OFF-6")
def test_a_new_number_is_chosen_by_the_shopper(world, ana):
    own_number(ana)
    cart = cart_with(world, profile=ana)
    contract_line(cart, contract_type="new_number", payment="card")
    assert filled(cart, ana)[0] == "number"
    free = NewNumber.create(msisdn="38970227418")
    contract_line(cart, contract_type="new_number", payment="card", number=free)
    assert filled(cart, ana)[0] is None


@pytest.mark.rule("ELG-1")
def test_with_a_debt_nothing_is_proposed(world, ana):
    owes(own_number(ana))
    cart = cart_with(world, profile=ana)
    contract_line(cart)
    assert filled(cart, ana)[0] == "number"


@pytest.mark.rule("ELG-3")
def test_instalments_that_are_not_allowed_any_more_lead_to_the_step_that_says_so(world, ana):
    number = own_number(ana)
    cart = cart_with(world, profile=ana)
    contract_line(cart, number=number)
    other = own_number(ana, "38970100002", holder_of=number)
    has_device(other, 50)
    step, checkout = filled(cart, ana)
    assert (step, checkout.payment_way) == ("payment", "")
