"""From the cart to an order (CHK-1…7, CAT-5)."""

import pytest

import config
from models.cart import CartLine
from models.catalogue import Promotion, Variant
from models.checkout import Checkout, EmptyCart, Incomplete, OfferChanged, digest_of
from models.order import Order, OrderEvent, OrderLine, OutOfStock
from models.outbox import Mail
from models.payment import Payment
from tests.world import GUEST, NOW, build, cart_with, checkout_of, later, ordered, place, profile


@pytest.fixture
def world():
    return build()


def nothing_is_written(world, stock):
    assert {sku: world.stock(sku) for sku in stock} == stock
    assert [table.select().count() for table in (Order, OrderLine, OrderEvent, Payment, Mail)] == [0] * 5


@pytest.mark.rule("CHK-6")
def test_a_cart_has_one_checkout_and_what_was_typed_stays(world):
    cart = cart_with(world, "CASE-BLACK")
    checkout_of(cart, street="Rr. Marshall Tito 4")
    assert Checkout.of(cart, later(60)).street == "Rr. Marshall Tito 4"
    assert Checkout.select().count() == 1


@pytest.mark.rule("CHK-1")
@pytest.mark.parametrize(
    ("left_out", "step"),
    [("phone", "data"), ("email", "data"), ("street", "delivery"), ("place", "delivery"), ("payment_way", "payment")],
)
def test_the_first_step_that_is_not_filled_in_is_named(world, left_out, step):
    checkout = checkout_of(cart_with(world, "CASE-BLACK"), **{left_out: ""})
    assert checkout.missing_step(checkout.cart.lines(NOW)) == step
    with pytest.raises(Incomplete) as refused:
        place(checkout)
    assert refused.value.step == step
    nothing_is_written(world, {"CASE-BLACK": 40})


def test_a_place_that_is_none_leads_back_to_the_delivery_step(world):
    checkout = checkout_of(cart_with(world, "CASE-BLACK"), place="9999")
    with pytest.raises(Incomplete) as refused:
        place(checkout)
    assert refused.value.step == "delivery"


@pytest.mark.rule("CHK-3")
def test_placing_makes_the_order_that_was_shown(world):
    cart = cart_with(world, "S25-BLACK-128", "REDMI-GREEN-128")
    cart.set_quantity(cart.lines(NOW)[1].id, 2)
    checkout = checkout_of(cart, note="Këmbana e dytë", recipient="Besa Osmani")
    order, payment = place(checkout, language="mk")
    assert order.state == "awaiting_payment"
    assert order.total == payment.amount == 5_280_000 + 2 * 1_080_000
    assert (order.full_name, order.email, order.language) == ("Ana Markovska", "ana@example.com", "mk")
    assert (order.place, order.municipality, order.receiver) == ("Tetovë", "MK-609", "Besa Osmani")
    assert order.currency == config.CURRENCY
    assert (order.payable_until - NOW).total_seconds() == config.PAYABLE_MINUTES * 60
    assert str(order.promised_on) == "2026-03-16"
    lines = Order.get_by_id(order.id).lines()
    assert [(line.sku, line.quantity, line.price, line.before) for line in lines] == [
        ("S25-BLACK-128", 1, 5_280_000, None),
        ("REDMI-GREEN-128", 2, 1_080_000, 1_200_000),
    ]
    assert lines[0].title("mk") == "Samsung Galaxy S25, 128\u00a0GB"
    assert lines[0].gift["en"] == "Galaxy Buds FE earbuds"
    assert lines[1].gift is None


@pytest.mark.rule("ORD-4")
def test_placing_begins_the_timeline(world):
    order, _ = ordered(world, "CASE-BLACK")
    assert [(event.state, event.author, event.at) for event in order.history()] == [
        ("awaiting_payment", "shopper", NOW)
    ]


@pytest.mark.rule("ORD-5")
def test_placing_takes_every_piece_and_gift_and_empties_the_cart(world):
    cart = cart_with(world, "S25-BLACK-128", "CASE-BLACK")
    cart.set_quantity(cart.lines(NOW)[0].id, 2)
    place(checkout_of(cart))
    assert (world.stock("S25-BLACK-128"), world.stock("CASE-BLACK"), world.gifts()) == (18, 39, 8)
    assert CartLine.select().count() == 0


@pytest.mark.rule("CHK-4")
def test_placing_again_finds_the_same_order_and_payment(world):
    checkout = checkout_of(cart_with(world, "CASE-BLACK"))
    shown = {"key": checkout.key, "seen": checkout.digest(checkout.cart.lines(NOW))}
    first, again = place(checkout, **shown), place(checkout, now=later(1), **shown)
    assert first == again
    assert world.stock("CASE-BLACK") == 39
    assert Order.select().count() == Payment.select().count() == 1


@pytest.mark.rule("CHK-4")
def test_an_old_overview_finds_its_order_though_the_cart_was_filled_anew(world):
    checkout = checkout_of(cart_with(world, "CASE-BLACK"))
    shown = {"key": checkout.key, "seen": checkout.digest(checkout.cart.lines(NOW))}
    order, _ = place(checkout, **shown)
    checkout.cart.add(world["TAB-GREY-64"], NOW)
    assert place(checkout, **shown)[0] == order
    assert [chosen.variant.sku for chosen in checkout.cart.lines(NOW)] == ["TAB-GREY-64"]


@pytest.mark.rule("CHK-4")
def test_the_next_order_of_a_cart_is_another_one(world):
    cart = cart_with(world, "CASE-BLACK")
    first, _ = place(checkout_of(cart))
    cart.add(world["CASE-BLACK"], NOW)
    second, _ = place(checkout_of(cart))
    assert first.number != second.number
    assert world.stock("CASE-BLACK") == 38


@pytest.mark.rule("CHK-4")
def test_the_key_of_another_cart_places_nothing(world):
    order, _ = ordered(world, "CASE-BLACK")
    mine = checkout_of(cart_with(world, "TAB-GREY-64"))
    with pytest.raises(OfferChanged):
        place(mine, key=order.checkout_key)
    assert not Checkout.is_placed(mine.cart, order.checkout_key)
    assert Order.select().count() == 1


@pytest.mark.rule("CHK-6")
def test_after_an_order_the_address_stays_and_the_note_goes(world):
    cart = cart_with(world, "CASE-BLACK")
    key = checkout_of(cart, note="Këmbana e dytë", recipient="Besa").key
    place(Checkout.of(cart, NOW))
    kept = Checkout.of(cart, NOW)
    assert kept.street == GUEST["street"]
    assert (kept.note, kept.recipient, kept.payment_way) == ("", "", "")
    assert kept.key != key


@pytest.mark.rule("CAT-5")
def test_a_price_that_changed_is_confirmed_anew(world):
    checkout = checkout_of(cart_with(world, "CASE-BLACK"))
    seen = checkout.digest(checkout.cart.lines(NOW))
    Variant.update(price=109_000).where(Variant.sku == "CASE-BLACK").execute()
    with pytest.raises(OfferChanged):
        place(checkout, seen=seen)
    nothing_is_written(world, {"CASE-BLACK": 40})
    order, _ = place(checkout)
    assert order.total == 109_000


@pytest.mark.rule("CAT-5")
def test_a_promotion_that_ended_since_the_overview_is_confirmed_anew(world):
    Promotion.update(ends_at=later(5)).where(Promotion.variant == world["REDMI-GREEN-128"]).execute()
    checkout = checkout_of(cart_with(world, "REDMI-GREEN-128"))
    seen = checkout.digest(checkout.cart.lines(later(4)))
    with pytest.raises(OfferChanged):
        place(checkout, now=later(6), seen=seen)


@pytest.mark.rule("CAT-5")
def test_a_gift_that_ran_out_since_the_overview_is_confirmed_anew(world):
    checkout = checkout_of(cart_with(world, "S25-BLACK-128"))
    seen = checkout.digest(checkout.cart.lines(NOW))
    world.set_gifts(0)
    with pytest.raises(OfferChanged):
        place(checkout, seen=seen)
    order, _ = place(checkout)
    assert order.lines()[0].gift is None


@pytest.mark.rule("CAT-5")
def test_two_variants_of_a_device_can_be_ordered_with_its_last_gift(world):
    world.set_gifts(1)
    order, _ = ordered(world, "S25-BLACK-128", "S25-BLUE-256")
    assert [line.gift is not None for line in order.lines()] == [True, False]
    assert world.gifts() == 0


@pytest.mark.rule("CHK-3")
@pytest.mark.parametrize("change", ["add", "remove", "quantity"])
def test_a_cart_changed_in_another_tab_is_confirmed_anew(world, change):
    cart = cart_with(world, "CASE-BLACK", "TAB-GREY-64")
    checkout = checkout_of(cart)
    lines = cart.lines(NOW)
    seen = checkout.digest(lines)
    if change == "add":
        cart.add(world["SIM-PREPAID"], NOW)
    elif change == "remove":
        cart.remove(lines[0].id)
    else:
        cart.set_quantity(lines[0].id, 2)
    with pytest.raises(OfferChanged):
        place(checkout, seen=seen)
    assert Order.select().count() == 0


@pytest.mark.rule("CRT-5")
def test_an_empty_cart_places_nothing(world):
    cart = cart_with(world, "CASE-BLACK")
    checkout = checkout_of(cart)
    cart.remove(cart.lines(NOW)[0].id)
    with pytest.raises(EmptyCart):
        place(checkout)


@pytest.mark.rule("CRT-5")
def test_a_cart_that_is_gone_places_nothing(world):
    cart = cart_with(world, "CASE-BLACK")
    checkout = checkout_of(cart)
    seen = checkout.digest(cart.lines(NOW))
    cart.delete_instance()
    with pytest.raises(EmptyCart):
        place(checkout, seen=seen)


@pytest.mark.rule("ORD-5")
def test_no_order_without_stock_and_the_device_is_named(world):
    checkout = checkout_of(cart_with(world, "CASE-BLACK", "TAB-GREY-64"))
    world.set_stock("TAB-GREY-64", 0)
    with pytest.raises(OutOfStock) as refused:
        place(checkout, language="en")
    assert refused.value.names == ["Samsung Galaxy Tab A9, 64\u00a0GB"]
    assert refused.value.skus == ["TAB-GREY-64"]
    nothing_is_written(world, {"CASE-BLACK": 40, "TAB-GREY-64": 0})


@pytest.mark.rule("ORD-5")
def test_pieces_that_went_between_reading_and_taking_leave_nothing_written(world):
    """Another order took them after this one had looked: the guarded UPDATE is what decides."""
    order, _ = ordered(world, "CASE-BLACK", "S25-BLUE-256")
    OrderLine.update(quantity=3).where(OrderLine.order == order, OrderLine.sku == "S25-BLUE-256").execute()
    before = {"CASE-BLACK": world.stock("CASE-BLACK"), "S25-BLUE-256": world.stock("S25-BLUE-256")}
    from models.base import db

    with pytest.raises(OutOfStock) as refused, db.atomic():
        order.take_stock()
    assert refused.value.skus == ["S25-BLUE-256"]
    assert {sku: world.stock(sku) for sku in before} == before


def test_an_order_of_a_profile_is_the_profiles(world):
    arben = profile()
    checkout = checkout_of(cart_with(world, "CASE-BLACK"))
    order, _ = place(checkout, profile=arben)
    assert list(arben.orders) == [order]


@pytest.mark.rule("ORD-2")
def test_the_contact_email_is_kept_in_small_letters(world):
    order, _ = place(checkout_of(cart_with(world, "CASE-BLACK"), email="Ana@Example.COM"))
    assert order.email == "ana@example.com"


def test_the_digest_says_the_same_of_the_same_offer_alone(world):
    one = cart_with(world, "CASE-BLACK")
    assert digest_of(one.lines(NOW)) == digest_of(one.lines(later(1)))
    other = cart_with(world, "CASE-BLACK")
    assert digest_of(one.lines(NOW)) != digest_of(other.lines(NOW))
