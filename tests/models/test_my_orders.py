"""A profile's orders: which, in what order, found how, and those made before as a guest (ORD-1)."""

from datetime import timedelta

import pytest

from models.my_orders import PER_PAGE, MyOrders, guest_orders, take_guest_orders
from models.order import Order
from models.profile import Profile
from tests import world as world_of
from tests.query_count import assert_query_count
from tests.world import NOW, build, cart_with, checkout_of, later, place, profile


@pytest.fixture
def world():
    return build()


@pytest.fixture
def owner(world):
    return verified(profile())


def verified(one):
    Profile.update(verified_at=NOW).where(Profile.id == one.id).execute()
    return Profile.get_by_id(one.id)


def order(world, owner, *skus, minutes=0, email="arben@example.com"):
    """An order of `owner`, or of a guest where that is None."""
    made, _ = place(
        checkout_of(cart_with(world, *(skus or ("CASE-BLACK",))), email=email), later(minutes), profile=owner
    )
    return made


def numbers(*arguments, **more):
    return [entry.order.number for entry in MyOrders(*arguments, **more).entries()]


def move(made, *states):
    for hours, state in enumerate(states, 1):
        world_of.move(Order.get_by_id(made.id), state, NOW + timedelta(hours=hours))


@pytest.mark.rule("ORD-1")
def test_all_orders_of_the_profile_are_listed_newest_first_and_nobody_elses(world, owner):
    first, second = order(world, owner), order(world, owner, "TAB-GREY-64", minutes=5)
    order(world, None)
    order(world, profile("besa@example.com"))
    assert numbers(owner) == [second.number, first.number]
    assert MyOrders(owner).has_any
    assert not MyOrders(profile("nobody@example.com")).has_any


@pytest.mark.rule("ORD-1")
def test_an_entry_shows_the_first_device_how_much_comes_with_it_and_since_when(world, owner):
    made = order(world, owner, "S25-BLACK-128", "CASE-BLACK")
    move(made, "confirmed", "packed", "with_courier", "delivered")
    [entry] = MyOrders(owner).entries()
    assert entry.first.sku == "S25-BLACK-128"
    assert entry.more == 1
    assert entry.placed_on == entry.since == NOW.date()


@pytest.mark.rule("ORD-1")
def test_orders_are_filtered_by_group_of_states(world, owner):
    waiting, delivered, lapsed = (order(world, owner, minutes=minute) for minute in range(3))
    move(delivered, "confirmed", "packed", "with_courier", "delivered")
    lapsed.lapse(NOW)
    assert numbers(owner, group="open") == [waiting.number]
    assert numbers(owner, group="delivered") == [delivered.number]
    assert numbers(owner, group="ended") == [lapsed.number]
    assert len(numbers(owner, group="' OR 1=1")) == 3
    assert MyOrders(owner, group="delivered", q="tablet").has_any


@pytest.mark.rule("ORD-1")
@pytest.mark.rule("ORD-3")
def test_an_order_is_found_by_its_number_however_it_is_typed(world, owner):
    made = order(world, owner, "TAB-GREY-64")
    order(world, owner, minutes=1)
    Order.update(number="DY-7K30-9VPX-1").where(Order.id == made.id).execute()
    for text in ("DY-7K30-9VPX-1", "dy7k309vpx1", "7k3o 9upx l", "DY 7K30", "9vpx", "k30-9v"):
        assert numbers(owner, text) == ["DY-7K30-9VPX-1"], text
    for text in ("7k3", "DY-7K31", "7K309VPX12", "DY"):
        assert numbers(owner, text) == [], text


@pytest.mark.rule("ORD-1")
def test_an_order_is_found_by_a_device_as_shoppers_write_it(world, owner):
    phone = order(world, owner, "S25-BLACK-128", "CASE-BLACK")
    tablet = order(world, owner, "TAB-GREY-64", minutes=1)
    order(world, owner, "SIM-PREPAID", minutes=2)
    for text in ("galaxy s25", "GALAKSI s25", "Галакси S25", "s25 128 gb", "футрола", "case for galaxy", "kellef"):
        assert numbers(owner, text) == [phone.number], text
    assert numbers(owner, "samsung") == [tablet.number, phone.number]
    assert numbers(owner, "tab") == [tablet.number]
    for text in ("nokia", "galaxy nokia", "%", "_"):
        assert numbers(owner, text) == [], text


@pytest.mark.rule("ORD-1")
def test_a_search_finds_nobody_elses_order(world, owner):
    other = order(world, profile("besa@example.com"))
    for text in (other.number, "kellef"):
        assert numbers(owner, text) == []


@pytest.mark.rule("ORD-1")
def test_long_lists_come_in_pages_and_a_page_that_is_none_is_the_nearest(world, owner):
    made = [order(world, owner, minutes=minute).number for minute in range(PER_PAGE + 3)]
    assert numbers(owner) == made[:2:-1]
    assert numbers(owner, page=2) == made[2::-1]
    assert (MyOrders(owner).pages, MyOrders(owner).total) == (2, PER_PAGE + 3)
    for page, nearest in ((0, 1), (-5, 1), (3, 2), (999_999, 2)):
        assert MyOrders(owner, page=page).page == nearest


def test_the_list_asks_few_queries_however_long_it_is(world, owner):
    order(world, owner)
    counts = []
    for _ in range(2):
        with assert_query_count(5) as asked:
            MyOrders(owner, q="kellef", group="open").entries()
        counts.append(len(asked))
        for minute in range(8):
            order(world, owner, "CASE-BLACK", "TAB-GREY-64" if minute < 3 else "SIM-PREPAID", minutes=minute)
    assert counts[0] == counts[1]


# Made as a guest


@pytest.mark.rule("ORD-1")
def test_orders_made_as_a_guest_with_the_verified_email_can_be_taken_once(world, owner):
    mine = [order(world, None, email="Arben@Example.com"), order(world, None, "TAB-GREY-64", minutes=1)]
    order(world, None, email="besa@example.com")
    assert guest_orders(owner) == 2
    assert numbers(owner) == []
    assert take_guest_orders(owner) == 2
    assert take_guest_orders(owner) == guest_orders(owner) == 0
    assert sorted(numbers(owner)) == sorted(made.number for made in mine)


@pytest.mark.rule("ORD-1")
def test_an_email_that_nobody_confirmed_takes_nothing(world):
    stranger = profile()
    Profile.update(verified_at=None).execute()
    stranger = Profile.get_by_id(stranger.id)
    order(world, None)
    assert guest_orders(stranger) == take_guest_orders(stranger) == 0
    assert Order.get().profile_id is None


@pytest.mark.rule("ORD-1")
def test_an_order_of_another_profile_is_never_taken(world, owner):
    other = profile("besa@example.com")
    order(world, other, email=owner.email)
    assert guest_orders(owner) == take_guest_orders(owner) == 0
    assert Order.get().profile == other
