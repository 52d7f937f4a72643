"""Contracts from the cart to the order: prices, numbers, what is due when, and who may (OFF-2…6, PAY-3)."""

from datetime import timedelta

import pytest
from peewee import IntegrityError

from gateways.bank import Verdict
from models.base import db
from models.cart import Cart, CartLine, InCartAlready, NotForSale
from models.catalogue import Tariff, TariffPrice, Variant
from models.checkout import Incomplete, NotEligible, OfferChanged
from models.contract import Contract
from models.invoice import Invoice
from models.new_number import NewNumber
from models.number import ProfileNumber
from models.order import Order, OrderEvent, OrderLine, OutOfStock
from models.outbox import Mail
from models.payment import Payment
from tests.world import NOW, build, cart_with, checkout_of, contract_line, later, move, own_number, place, profile


@pytest.fixture
def world():
    return build()


@pytest.fixture
def owner(world):
    return profile()


@pytest.fixture
def number(owner):
    return own_number(owner)


def free(msisdn="38970227418"):
    return NewNumber.create(msisdn=msisdn)


def cart_of(owner, *skus, world=None):
    return cart_with(world, *skus, profile=owner) if skus else Cart.begin(NOW).join(owner, NOW)


def placed(cart, owner, now=NOW):
    return place(checkout_of(cart, now), now, profile=owner)


# Into the cart


@pytest.mark.rule("OFF-2", "CAT-5")
def test_a_contract_line_costs_its_price_in_the_tariff(world, owner):
    cart = cart_of(owner)
    contract_line(cart)

    [chosen] = cart.lines(NOW)

    assert (chosen.price.now, chosen.price.before, chosen.price_changed) == (2_592_000, None, False)
    assert (chosen.quote.today, chosen.quote.instalments, chosen.quote.monthly) == (0, [108_000] * 24, 89_900)
    assert chosen.msisdn == ""


@pytest.mark.parametrize(
    "wrong",
    [
        {"contract_type": "lease"},
        {"tariff": None},
        {"payment": "points"},
        {"payment": "instalments", "parts": 7},
        {"payment": "instalments", "parts": None},
        {"payment": "card", "parts": 24},
        {"contract_type": "new_number", "payment": "instalments", "parts": 24},
    ],
    ids=str,
)
@pytest.mark.rule("PAY-1", "PAY-3")
def test_what_nobody_can_buy_does_not_come_into_the_cart(world, owner, wrong):
    cart, variant = cart_of(owner), world["S25-BLACK-128"]
    asked = {"contract_type": "besnik24", "tariff": Tariff.get(), "payment": "instalments", "parts": 24, **wrong}

    with pytest.raises(NotForSale):
        cart.add(variant, NOW, **asked)

    assert not CartLine.select().exists()


def test_a_variant_without_a_price_in_the_tariff_is_not_sold_with_it(world, owner):
    with pytest.raises(NotForSale):
        contract_line(cart_of(owner), "IP16-PINK-128")


def test_a_tariff_that_is_sold_no_more_is_not_put_into_a_cart_and_one_in_it_cannot_be_had(world, owner):
    cart = cart_of(owner)
    contract_line(cart)
    Tariff.update(listed=False).execute()

    assert [chosen.is_available for chosen in cart.lines(NOW)] == [False]
    with pytest.raises(NotForSale):
        contract_line(cart)


@pytest.mark.rule("OFF-3", "OFF-5")
def test_the_same_contract_twice_is_one_line_until_it_has_a_number(world, owner, number):
    cart = cart_of(owner)
    first = contract_line(cart)
    again = contract_line(cart, payment="card")

    assert again.id == first.id
    assert [(line.payment, line.parts) for line in CartLine.select()] == [("card", None)]

    cart.choose_number(first.id, number)
    another = contract_line(cart)

    assert another.id != first.id


@pytest.mark.rule("OFF-5")
def test_a_contract_line_stays_at_one_piece(world, owner):
    cart = cart_of(owner)
    line = contract_line(cart)

    assert cart.set_quantity(line.id, 2) is False
    assert CartLine.get().quantity == 1


@pytest.mark.rule("OFF-5", "ELG-5")
def test_a_number_has_one_besnik_device_in_a_cart(world, owner, number):
    cart = cart_of(owner)
    contract_line(cart, number=number)
    second = contract_line(cart)

    with pytest.raises(InCartAlready):
        cart.choose_number(second.id, number)
    with pytest.raises(IntegrityError), db.atomic():
        CartLine.update(number=number).where(CartLine.id == second.id).execute()


@pytest.mark.rule("CRT-4", "OFF-6")
def test_a_guests_new_number_stays_held_when_the_cart_joins_the_profiles(world, owner):
    theirs = cart_of(owner, "CASE-BLACK", world=world)
    guests = Cart.begin(NOW)
    held = free()
    contract_line(guests, contract_type="new_number", payment="card", number=held)

    joined = guests.join(owner, NOW)

    assert joined.id == theirs.id
    assert [chosen.msisdn for chosen in joined.lines(NOW)] == ["", held.msisdn]
    assert NewNumber.get().state == "held"


# Placing


@pytest.mark.rule("PAY-3", "CHK-3")
def test_an_order_in_instalments_has_nothing_due_now_and_skips_the_bank(world, owner, number):
    cart = cart_of(owner)
    contract_line(cart, number=number)

    order, payment = placed(cart, owner)

    assert payment is None
    assert not Payment.select().exists()
    assert (order.state, order.total, order.due_now) == ("confirmed", 2_592_000, 0)
    assert [(event.state, event.author) for event in OrderEvent.select()] == [("confirmed", "shopper")]
    assert [mail.kind for mail in Mail.select()] == ["order_confirmed"]
    [line] = order.lines()
    assert (line.contract_type, line.payment, line.parts, line.msisdn) == (
        "besnik24",
        "instalments",
        24,
        number.msisdn,
    )
    assert line.tariff == {"code": "linja-m", "name": "Linja M", "monthly_price": 89_900}
    assert sum(line.quote.instalments) == line.total
    assert world.stock("S25-BLACK-128") == 19


@pytest.mark.rule("PAY-1", "PAY-3")
def test_of_a_mixed_order_the_card_is_charged_its_part_alone(world, owner, number):
    cart = cart_of(owner, "TAB-GREY-64", "CASE-BLACK", world=world)
    contract_line(cart, number=number)

    order, payment = placed(cart, owner)

    assert (order.state, order.total) == ("awaiting_payment", 1_199_000 + 99_000 + 2_592_000)
    assert order.due_now == payment.amount == 1_199_000 + 99_000


@pytest.mark.rule("DLV-3")
def test_a_besnik_order_is_received_by_the_numbers_holder_whoever_else_is_named(world, owner, number):
    cart = cart_of(owner)
    contract_line(cart, number=number)

    order, _ = place(checkout_of(cart, recipient="Somebody Else"), profile=owner)

    assert order.receiver == "Arben Osmani"


@pytest.mark.rule("CHK-4")
def test_placing_a_contract_twice_finds_the_one_order(world, owner, number):
    cart = cart_of(owner)
    contract_line(cart, number=number)
    checkout = checkout_of(cart)
    key, seen = checkout.key, checkout.digest(cart.lines(NOW))

    orders = [checkout.place_order(key=key, seen=seen, language="sq", now=NOW, profile=owner)[0] for _ in range(2)]

    assert orders[0].id == orders[1].id
    assert Order.select().count() == Mail.select().count() == 1


@pytest.mark.rule("CAT-5")
def test_a_changed_tariff_price_or_monthly_price_is_told_before_ordering(world, owner, number):
    for change in (
        TariffPrice.update(price=2_700_000),
        Tariff.update(monthly_price=99_900),
        CartLine.update(payment="card", parts=None),
    ):
        with db.atomic() as transaction:
            cart = cart_of(owner)
            contract_line(cart, number=number)
            checkout = checkout_of(cart)
            seen = checkout.digest(cart.lines(NOW))
            change.execute()
            with pytest.raises(OfferChanged):
                place(checkout, seen=seen, profile=owner)
            transaction.rollback()


# Numbers


@pytest.mark.rule("CHK-1", "PRO-5")
def test_a_besnik_line_needs_a_number_that_is_the_profiles_own(world, owner, number):
    cart = cart_of(owner)
    line = contract_line(cart)
    with pytest.raises(Incomplete) as missing:
        placed(cart, owner)
    assert missing.value.step == "number"

    cart.choose_number(line.id, number)
    ProfileNumber.delete().execute()
    with pytest.raises(Incomplete) as taken_out:
        placed(cart, owner)
    assert taken_out.value.step == "number"
    assert not Order.select().exists()


@pytest.mark.rule("PAY-1")
def test_nobody_places_a_besnik_order_without_a_login(world, owner, number):
    cart = cart_of(owner)
    contract_line(cart, number=number)

    with pytest.raises(Incomplete) as refused:
        placed(cart, None)

    assert refused.value.step == "number"


@pytest.mark.rule("PAY-1", "PAY-2")
def test_a_guest_does_not_pay_a_new_number_on_the_bill(world):
    cart = Cart.begin(NOW)
    contract_line(cart, contract_type="new_number", payment="first_bill", number=free())

    with pytest.raises(Incomplete) as refused:
        placed(cart, None)

    assert refused.value.step == "payment"


@pytest.mark.rule("OFF-4", "OFF-6")
def test_a_guest_buys_a_phone_with_a_new_number_which_is_sold_with_it(world):
    cart, held = Cart.begin(NOW), free()
    contract_line(cart, contract_type="new_number", payment="card", number=held)

    order, payment = placed(cart, None)

    assert (payment.amount, order.lines()[0].msisdn) == (2_880_000, held.msisdn)
    assert (NewNumber.get().state, NewNumber.get().order) == ("sold", order)


@pytest.mark.rule("OFF-6")
@pytest.mark.rule("DLV-5")
@pytest.mark.parametrize(("steps", "state"), [(("delivery_failed",), "free"), (("delivered",), "sold")])
def test_a_new_number_that_was_never_handed_over_is_free_again_when_its_order_returns(world, steps, state):
    cart, held = Cart.begin(NOW), free()
    contract_line(cart, contract_type="new_number", payment="card", number=held)
    order, payment = placed(cart, None)
    payment.settle(Verdict.PAID, later(1))
    order = Order.get_by_id(order.id)
    for step in ("packed", "with_courier", *steps, "returned"):
        move(order, step, later(2))
    assert NewNumber.get().state == state


def test_a_new_number_whose_time_is_up_is_picked_anew_before_ordering(world):
    cart = Cart.begin(NOW)
    contract_line(cart, contract_type="new_number", payment="card", number=free())

    with pytest.raises(Incomplete) as late:
        placed(cart, None, later(31))

    assert late.value.step == "number"


@pytest.mark.rule("OFF-6", "PAY-8")
def test_a_lapsed_order_gives_its_numbers_back(world, owner, number):
    cart = cart_of(owner)
    contract_line(cart, payment="card", number=number)
    contract_line(cart, contract_type="new_number", payment="card", number=free())
    order, _ = placed(cart, owner)
    assert {line.taken for line in order.lines()} == {None, number.msisdn}

    order.lapse(later(31))

    assert NewNumber.get().state == "free"
    assert [line.taken for line in order.lines()] == [None, None]


@pytest.mark.rule("OFF-6", "PAY-7")
def test_a_lapsed_order_that_is_paid_after_all_takes_its_numbers_again_or_nothing(world, owner, number):
    cart = cart_of(owner)
    contract_line(cart, payment="card", number=number)
    contract_line(cart, contract_type="new_number", payment="card", number=free())
    order, _ = placed(cart, owner)
    order.lapse(later(31))

    with db.atomic() as transaction:
        order.take_again(later(32))
        assert NewNumber.get().order == order
        assert {line.taken for line in order.lines()} == {None, number.msisdn}
        transaction.rollback()

    NewNumber.get().hold(Cart.begin(NOW), later(32))
    with pytest.raises(OutOfStock), db.atomic():
        order.take_again(later(33))
    assert world.stock("S25-BLACK-128") == 20


# Who may


@pytest.mark.rule("ELG-1", "ELG-6")
def test_a_debt_that_came_up_meanwhile_stops_the_order_and_is_named(world, owner, number):
    cart = cart_of(owner)
    contract_line(cart, number=number)
    day = NOW.date()
    Invoice.create(
        subscriber=number.subscriber,
        number="F-1",
        amount=189_900,
        issued_on=day - timedelta(30),
        due_on=day - timedelta(5),
    )

    with pytest.raises(NotEligible) as refused:
        placed(cart, owner)

    assert [reason.kind for reason in refused.value.reasons] == ["debt"]
    assert not Order.select().exists()


@pytest.mark.rule("ELG-3")
def test_instalments_that_run_leave_the_card(world, owner, number):
    other = own_number(owner, "38970100002")
    other.subscriber.holder = number.subscriber.holder
    other.subscriber.save()
    day = NOW.date()
    Contract.create(
        number=other,
        code="K-1",
        device="A56",
        started_on=day - timedelta(300),
        ends_on=day + timedelta(400),
        price=2_400_000,
        paid=1_200_000,
        instalments=24,
        instalments_paid=12,
    )
    cart = cart_of(owner)
    line = contract_line(cart, number=number)
    with pytest.raises(NotEligible) as refused:
        placed(cart, owner)
    assert [reason.kind for reason in refused.value.reasons] == ["instalments_running"]

    cart.choose_payment(line.id, "card", None)
    order, payment = placed(cart, owner)

    assert payment.amount == order.due_now == 2_592_000


@pytest.mark.rule("ELG-5")
def test_a_number_in_an_open_order_gets_no_second_device(world, owner, number):
    first = cart_of(owner)
    contract_line(first, number=number)
    order, _ = placed(first, owner)
    cart = cart_of(owner)
    contract_line(cart, number=number)

    with pytest.raises(NotEligible) as refused:
        placed(cart, owner)

    assert [(reason.kind, reason.order) for reason in refused.value.reasons] == [("in_open_order", order.number)]


@pytest.mark.rule("ELG-5")
def test_the_database_itself_keeps_a_second_open_order_from_a_number(world, owner, number):
    cart = cart_of(owner, "CASE-BLACK", world=world)
    contract_line(cart, number=number)
    order, _ = placed(cart, owner)

    with pytest.raises(IntegrityError), db.atomic():
        OrderLine.update(taken=number.msisdn).where(OrderLine.order == order, OrderLine.sku == "CASE-BLACK").execute()


@pytest.mark.rule("ELG-4")
def test_a_newcomer_who_is_logged_in_gets_no_new_number_either_but_a_guest_does(world, owner):
    own_number(owner, months=3, has_history=False)
    cart = cart_of(owner)
    contract_line(cart, contract_type="new_number", payment="card", number=free())

    with pytest.raises(NotEligible) as refused:
        placed(cart, owner)
    assert [reason.kind for reason in refused.value.reasons] == ["new_subscriber"]

    assert placed(cart, None)[0].due_now == 2_880_000


@pytest.mark.rule("ELG-6")
def test_a_business_subscriber_buys_on_contract_too(world, owner):
    number = own_number(owner, segment="business")
    cart = cart_of(owner)
    contract_line(cart, number=number)

    assert placed(cart, owner)[0].state == "confirmed"


def test_variants_are_untouched_when_an_order_is_refused(world, owner, number):
    cart = cart_of(owner)
    contract_line(cart, number=number)
    ProfileNumber.delete().execute()

    with pytest.raises(Incomplete):
        placed(cart, owner)

    assert Variant.get(Variant.sku == "S25-BLACK-128").stock == 20
