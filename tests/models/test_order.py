"""Orders and their states (ORD-1…5, DLV-3)."""

import pytest

from models.base import db
from models.catalogue import Gift, Listing
from models.order import GiftGone, NotAllowed, Order, OrderEvent, OutOfStock, storage_label
from models.order_link import BadLink, read, sign
from models.order_number import MistypedNumber
from tests.world import NOW, build, cart_with, checkout_of, later, ordered, place


@pytest.fixture
def world():
    return build()


def shown_in_stock(world, slug):
    return Listing.select(Listing.in_stock).where(Listing.device == world.devices[slug]).scalar()


@pytest.mark.rule("ORD-2")
def test_a_guest_finds_an_order_by_number_and_email_however_they_are_typed(world):
    order, _ = ordered(world, "CASE-BLACK")
    typed = order.number.lower().replace("-", " ")
    assert Order.found_by(typed, " ANA@example.com ") == order


@pytest.mark.rule("ORD-2")
def test_the_number_alone_or_another_email_finds_nothing(world):
    order, _ = ordered(world, "CASE-BLACK")
    assert Order.found_by(order.number, "") is None
    assert Order.found_by(order.number, "besa@example.com") is None


@pytest.mark.rule("ORD-3")
def test_a_mistyped_number_is_said_to_be_mistyped(world):
    order, _ = ordered(world, "CASE-BLACK")
    wrong = order.number[:-1] + ("2" if order.number[-1] != "2" else "3")
    with pytest.raises(MistypedNumber):
        Order.found_by(wrong, order.email)


@pytest.mark.rule("ORD-3")
def test_two_orders_never_have_one_number(world):
    numbers = {ordered(world, "CASE-BLACK")[0].number for _ in range(20)}
    assert len(numbers) == 20


@pytest.mark.rule("ORD-4")
def test_each_change_has_a_time_an_author_and_a_reason(world):
    order, _ = ordered(world, "CASE-BLACK")
    order.move("confirmed", by="bank", now=later(2))
    order.move("packed", by="admin", now=later(60), why="raft 4")
    assert [(event.state, event.author, event.at, event.why) for event in order.history()] == [
        ("awaiting_payment", "shopper", NOW, ""),
        ("confirmed", "bank", later(2), ""),
        ("packed", "admin", later(60), "raft 4"),
    ]


@pytest.mark.rule("ORD-4")
def test_an_order_that_another_process_moved_is_not_moved_again(world):
    order, _ = ordered(world, "CASE-BLACK")
    stale = Order.get_by_id(order.id)
    order.move("confirmed", by="bank", now=NOW)
    with pytest.raises(NotAllowed):
        stale.move("lapsed", by="system", now=NOW)
    assert OrderEvent.select().where(OrderEvent.state == "lapsed").count() == 0


@pytest.mark.rule("PAY-8")
def test_an_order_is_payable_until_its_time_is_over(world):
    order, _ = ordered(world, "CASE-BLACK")
    assert order.is_payable(later(29.9))
    assert not order.is_payable(later(30))
    order.move("confirmed", by="bank", now=NOW)
    assert not order.is_payable(NOW)


def test_only_a_confirmed_order_is_paid(world):
    order, _ = ordered(world, "CASE-BLACK")
    assert not order.is_paid
    order.move("cancelled", by="admin", now=NOW)
    assert not order.is_paid
    order, _ = ordered(world, "CASE-BLACK")
    order.move("confirmed", by="bank", now=NOW)
    assert order.is_paid
    order.move("cancelled", by="admin", now=NOW)
    assert order.is_paid


@pytest.mark.rule("PAY-8")
def test_a_lapse_gives_every_piece_and_gift_back_once(world):
    cart = cart_with(world, "S25-BLACK-128", "S25-BLUE-256", "CASE-BLACK")
    cart.set_quantity(cart.lines(NOW)[0].id, 2)
    order, _ = place(checkout_of(cart))
    assert (world.stock("S25-BLACK-128"), world.gifts()) == (18, 7)
    order.lapse(later(30))
    with pytest.raises(NotAllowed):
        order.lapse(later(31))
    with pytest.raises(NotAllowed):
        Order.get_by_id(order.id).lapse(later(31))
    stock = [world.stock(sku) for sku in ("S25-BLACK-128", "S25-BLUE-256", "CASE-BLACK")]
    assert (stock, world.gifts()) == ([20, 3, 40], 10)


@pytest.mark.rule("CAT-5")
def test_a_gift_that_is_gone_is_told_from_a_device_that_is(world):
    order, _ = ordered(world, "S25-BLACK-128")
    order.lapse(later(31))
    world.set_gifts(0)
    with pytest.raises(GiftGone), db.atomic():
        order.take_stock()
    assert world.stock("S25-BLACK-128") == 20
    world.set_stock("S25-BLACK-128", 0)
    with pytest.raises(OutOfStock) as gone, db.atomic():
        order.take_stock()
    assert not isinstance(gone.value, GiftGone)


def test_a_lapse_whose_gift_left_the_catalogue_still_gives_the_pieces_back(world):
    order, _ = ordered(world, "S25-BLACK-128")
    Gift.delete().execute()
    order.lapse(later(30))
    assert world.stock("S25-BLACK-128") == 20


@pytest.mark.rule("CAT-6")
def test_the_shelf_follows_when_the_last_piece_goes_and_comes_back(world):
    cart = cart_with(world, "TAB-GREY-64", "PIXEL-WHITE-128")
    for line, pieces in zip(cart.lines(NOW), (5, 4), strict=True):
        cart.set_quantity(line.id, pieces)
    order, _ = place(checkout_of(cart))
    assert (shown_in_stock(world, "tab-a9"), shown_in_stock(world, "pixel-9")) == (True, False)
    order.lapse(later(30))
    assert (shown_in_stock(world, "tab-a9"), shown_in_stock(world, "pixel-9")) == (True, True)


@pytest.mark.rule("CAT-5")
def test_the_shelf_follows_when_the_last_gift_goes_and_comes_back(world):
    world.set_gifts(1)

    def marked():
        return Listing.select(Listing.gift).where(Listing.device == world.devices["galaxy-s25"]).scalar()

    assert marked()
    order, _ = ordered(world, "S25-BLACK-128")
    assert not marked()
    order.lapse(later(30))
    assert marked()


@pytest.mark.rule("ORD-5")
def test_a_variant_that_left_the_shelf_cannot_be_taken(world):
    order, _ = ordered(world, "TAB-GREY-64")
    type(world["TAB-GREY-64"]).update(listed=False).execute()
    with pytest.raises(OutOfStock):
        order.take_stock()


@pytest.mark.rule("DLV-3")
def test_the_person_named_for_delivery_receives_or_else_the_shopper(world):
    order, _ = place(checkout_of(cart_with(world, "CASE-BLACK"), recipient="Besa Osmani"))
    assert order.receiver == "Besa Osmani"
    order, _ = ordered(world, "CASE-BLACK")
    assert order.receiver == "Ana Markovska"


@pytest.mark.parametrize(
    ("size", "label"), [(64, "64\u00a0GB"), (1024, "1\u00a0TB"), (2048, "2\u00a0TB"), (1536, "1536\u00a0GB")]
)
def test_storage_is_written_as_people_say_it(size, label):
    assert storage_label(size) == label


@pytest.mark.rule("ORD-2")
def test_a_signed_link_opens_its_own_order_alone(world):
    first, second = ordered(world, "CASE-BLACK")[0], ordered(world, "CASE-BLACK")[0]
    assert read(sign(first)) == first.number
    head, _, signature = sign(first).partition(".")
    other_head = sign(second).partition(".")[0]
    for forged in ("", None, head, f"{other_head}.{signature}", sign(first) + "x", "ë.ë"):
        with pytest.raises(BadLink):
            read(forged)
