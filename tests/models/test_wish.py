"""Wish lists of guests and profiles."""

from datetime import timedelta

import pytest

import config
from models.base import db
from models.cart import Cart, CartLine
from models.catalogue import Device, Variant
from models.wish import NotInStock, WishesFull, WishLine, WishList, new_token
from tests.query_count import assert_query_count
from tests.world import NOW, build, later, profile


@pytest.fixture
def world():
    return build()


@pytest.fixture
def wish(world):
    def wish(owner, slug, sku=None, now=NOW):
        variant = world[sku] if sku else None
        return WishList.add(owner, world.devices[slug], variant, 1_000_000, now)

    return wish


def slugs(wishes, now=NOW):
    return [one.device.slug for one in wishes.lines(now)]


def test_the_newest_wish_stands_first_and_the_same_device_stands_once(world, wish):
    guest = new_token()
    wish(guest, "galaxy-s25")
    wish(guest, "tab-a9", now=later(1))
    wish(guest, "galaxy-s25", "S25-BLUE-256", now=later(2))
    wishes = WishList.of_guest(guest)
    assert slugs(wishes) == ["tab-a9", "galaxy-s25"]
    # The colour and storage that were chosen last are the ones that are wished.
    assert wishes.lines(NOW)[1].variant == world["S25-BLUE-256"]
    assert sorted(WishList.slugs_of(guest)) == ["galaxy-s25", "tab-a9"]


def test_a_wish_without_a_colour_is_for_the_cheapest_that_there_is(world, wish):
    guest = new_token()
    wish(guest, "galaxy-s25")
    wishes = WishList.of_guest(guest)
    assert wishes.lines(NOW)[0].buyable == world["S25-BLACK-128"]
    world.set_stock("S25-BLACK-128", 0)
    assert wishes.lines(NOW)[0].buyable == world["S25-BLUE-256"]


def test_what_is_out_of_stock_and_what_is_sold_no_more_say_so(world, wish):
    guest = new_token()
    wish(guest, "galaxy-s25", "S25-BLUE-256")
    wish(guest, "tab-a9")
    wish(guest, "kellef-s25")
    world.set_stock("S25-BLUE-256", 0)
    world.set_stock("TAB-GREY-64", 0)
    Device.update(listed=False).where(Device.slug == "kellef-s25").execute()
    case, tablet, galaxy = WishList.of_guest(guest).lines(NOW)
    assert (case.is_sold, case.buyable) == (False, None)
    assert (tablet.is_sold, tablet.in_stock, tablet.buyable) == (True, False, None)
    # Another colour is there: the one that was wished is not put into the cart in its place.
    assert (galaxy.in_stock, galaxy.buyable, galaxy.variant) == (True, None, world["S25-BLUE-256"])


def test_a_price_that_fell_since_is_told_and_a_members_own_price_is_the_members(world):
    guest = new_token()
    WishList.add(guest, world.devices["pixel-9"], None, 5_000_000, NOW)
    wishes = WishList.of_guest(guest)
    assert wishes.lines(NOW)[0].saved == 200_000
    assert wishes.lines(NOW, lambda: "private")[0].saved == 1_160_000


def test_a_full_list_takes_no_more_and_says_so(world, wish, monkeypatch):
    monkeypatch.setattr(config, "WISHES_MAX", 2)
    guest = new_token()
    for slug in ("galaxy-s25", "tab-a9", "tab-a9"):
        wish(guest, slug)
    with pytest.raises(WishesFull):
        wish(guest, "pixel-9")
    assert slugs(WishList.of_guest(guest)) == ["tab-a9", "galaxy-s25"]


def test_a_wish_moves_into_the_cart_once(world, wish):
    guest = new_token()
    line = wish(guest, "galaxy-s25", "S25-BLUE-256")
    wishes, cart = WishList.of_guest(guest), Cart.begin(NOW)
    assert wishes.move_to_cart(line.id, lambda: cart, NOW)
    assert not wishes.move_to_cart(line.id, lambda: cart, NOW)
    assert [(chosen.variant, chosen.quantity) for chosen in cart.lines(NOW)] == [(world["S25-BLUE-256"], 1)]
    assert slugs(wishes) == []


def test_what_cannot_be_had_stays_on_the_list(world, wish):
    guest = new_token()
    line = wish(guest, "galaxy-s25", "S25-BLUE-256")
    world.set_stock("S25-BLUE-256", 0)
    wishes = WishList.of_guest(guest)
    with pytest.raises(NotInStock):
        wishes.move_to_cart(line.id, lambda: Cart.begin(NOW), NOW)
    assert slugs(wishes) == ["galaxy-s25"]
    assert not CartLine.select().exists()


def test_neither_happens_when_the_cart_refuses(world, wish):
    guest = new_token()
    line = wish(guest, "tab-a9")

    def sell_the_last() -> Cart:
        Variant.update(stock=0).where(Variant.sku == "TAB-GREY-64").execute()
        raise RuntimeError("killed here")

    wishes = WishList.of_guest(guest)
    with pytest.raises(RuntimeError), db.atomic():
        wishes.move_to_cart(line.id, sell_the_last, NOW)
    assert slugs(wishes) == ["tab-a9"]
    assert world.stock("TAB-GREY-64") == 6


def test_nobody_removes_or_moves_a_wish_of_another_list(world, wish):
    mine, other = new_token(), new_token()
    line = wish(other, "tab-a9")
    wish(mine, "galaxy-s25")
    wishes, cart = WishList.of_guest(mine), Cart.begin(NOW)
    assert not wishes.remove(line.id)
    assert not wishes.move_to_cart(line.id, lambda: cart, NOW)
    assert cart.lines(NOW) == []
    assert slugs(WishList.of_guest(other)) == ["tab-a9"]


@pytest.mark.rule("CRT-4")
def test_a_guests_wishes_join_the_profiles_on_login_and_what_the_profile_wished_stands(world, wish):
    owner, guest = profile(), new_token()
    wish(owner, "galaxy-s25", "S25-BLACK-128")
    wish(guest, "galaxy-s25", "S25-BLUE-256", now=later(1))
    wish(guest, "tab-a9", now=later(2))
    joined = WishList.join(guest, owner, later(3))
    assert slugs(joined) == ["tab-a9", "galaxy-s25"]
    assert joined.lines(NOW)[1].line.variant == world["S25-BLACK-128"]
    assert WishList.of_guest(guest) is None
    assert WishList.join(guest, owner, later(4)) is None
    assert WishList.select().count() == 1


def test_what_does_not_fit_at_login_is_the_oldest_of_the_guests(world, wish, monkeypatch):
    monkeypatch.setattr(config, "WISHES_MAX", 2)
    owner, guest = profile(), new_token()
    wish(owner, "galaxy-s25")
    wish(guest, "tab-a9", now=later(1))
    wish(guest, "pixel-9", now=later(2))
    assert slugs(WishList.join(guest, owner, later(3))) == ["pixel-9", "galaxy-s25"]
    assert WishLine.select().count() == 2


def test_a_guests_token_is_another_lists_after_login(world, wish):
    """Who kept the cookie of a guest that logged in has nothing of the profile."""
    owner, guest = profile(), new_token()
    wish(guest, "tab-a9")
    WishList.join(guest, owner, NOW)
    wish(guest, "pixel-9")
    assert slugs(WishList.of_profile(owner)) == ["tab-a9"]
    assert slugs(WishList.of_guest(guest)) == ["pixel-9"]


def test_a_shared_list_is_read_by_its_link_until_it_is_shared_no_more(world, wish):
    wishes = WishList.get_by_id(wish(new_token(), "tab-a9").wish_list_id)
    link = wishes.share()
    assert wishes.share() == link
    assert slugs(WishList.of_share(link)) == ["tab-a9"]
    wishes.stop_sharing()
    assert WishList.of_share(link) is None
    assert wishes.share() != link


def test_the_link_that_a_guest_gave_away_leads_to_the_profiles_list_after_login(world, wish):
    owner, guest = profile(), new_token()
    link = WishList.get_by_id(wish(guest, "tab-a9").wish_list_id).share()
    WishList.join(guest, owner, NOW)
    theirs = WishList.of_share(link)
    assert (theirs.profile, slugs(theirs)) == (owner, ["tab-a9"])
    assert theirs.share() == link


@pytest.mark.rule("PRV-1")
@pytest.mark.parametrize("shared", [False, True])
def test_a_guests_link_does_not_show_what_the_profile_wished_for_before(world, wish, shared):
    owner, guest = profile(), new_token()
    theirs = WishList.get_by_id(wish(owner, "pixel-9").wish_list_id)
    own = theirs.share() if shared else None
    link = WishList.get_by_id(wish(guest, "tab-a9").wish_list_id).share()
    WishList.join(guest, owner, NOW)
    assert WishList.of_share(link) is None
    assert WishList.of_profile(owner).share_token == own


@pytest.mark.rule("PRV-3")
def test_a_guests_list_is_forgotten_after_its_days_and_a_profiles_stays(world, wish):
    owner, guest, visitor = profile(), new_token(), new_token()
    for whose in (owner, guest, visitor):
        wish(whose, "tab-a9")
    days = timedelta(days=config.WISH_DAYS)
    WishList.of_guest(visitor).touch(NOW + days)
    assert WishList.forget_old(NOW + days) == 0
    assert WishList.forget_old(NOW + days + timedelta(seconds=1)) == 1
    assert WishList.of_guest(guest) is None
    assert WishLine.select().count() == 2
    owner.delete_instance()
    assert WishLine.select().count() == 1


def test_a_long_list_asks_no_more_than_a_short_one(world, wish):
    guest = new_token()
    for slug in world.devices:
        wish(guest, slug)
    wishes = WishList.of_guest(guest)
    with assert_query_count(3):
        assert len(wishes.lines(NOW)) == len(world.devices)
