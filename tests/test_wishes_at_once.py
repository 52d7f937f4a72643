"""One wish list touched by many processes at the same moment: real processes."""

import json
from collections import Counter

import pytest

from tests.crowd import Crowd
from tests.databases import own_database

BEGIN = """
import json, sys
from models.cart import Cart, CartLine
from models.catalogue import Device, Variant
from models.profile import Profile
from models.wish import WishLine, WishList
from tests.world import NOW, profile

G = "g" * 32
"""
WISH = BEGIN + "WishList.add(G, Device.get(Device.slug == sys.argv[1]), None, 100, NOW)"
MAKE = BEGIN + "profile(); Cart.create(token='c', created_at=NOW, seen_at=NOW)"
MOVE = (
    BEGIN
    + """
cart = Cart.of_token("c")
print(WishList.of_guest(G).move_to_cart(int(sys.argv[1]), lambda: cart, NOW))
"""
)
JOIN = BEGIN + "WishList.join(G, Profile.get(), NOW)"
FACTS = (
    BEGIN
    + """
print(json.dumps({
    "lists": WishList.select().count(),
    "of the profile": [list_.profile_id is not None for list_ in WishList.select()],
    "wishes": [[line.id, line.device.slug] for line in WishLine.select().order_by(WishLine.id)],
    "cart": [line.quantity for line in CartLine.select()],
}))
"""
)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wishes")
    with own_database(folder) as url:
        crowd = Crowd(url, folder, DYQANI_WISHES_MAX="3")
        yield crowd
        crowd.end()


@pytest.fixture
def shop(crowd):
    crowd.alone("begin_anew")
    crowd.alone("script", MAKE, [])
    return crowd


def at_once(crowd, *tasks) -> Counter:
    """The names of the errors of the tasks, each (script, words); "" for one that went well."""
    results = crowd.at_once([("script", script, words) for script, words in tasks])
    return Counter(result.get("error", "") for result in results)


def facts(crowd) -> dict:
    return json.loads(crowd.alone("script", FACTS, []))


def test_one_press_that_arrives_six_times_at_once_is_one_wish_on_one_list(shop):
    assert at_once(shop, *[(WISH, ["tab-a9"])] * 6) == Counter({"": 6})
    after = facts(shop)
    assert (after["lists"], [slug for _, slug in after["wishes"]]) == (1, ["tab-a9"])


def test_no_more_wishes_slip_in_at_once_than_the_list_holds(shop):
    slugs = ("galaxy-s25", "iphone-16", "redmi-14", "pixel-9", "tab-a9", "kellef-s25")
    assert at_once(shop, *[(WISH, [slug]) for slug in slugs]) == Counter({"": 3, "WishesFull": 3})
    assert len(facts(shop)["wishes"]) == 3


def test_a_wish_that_is_moved_four_times_at_once_is_one_piece_in_the_cart(shop):
    shop.alone("script", WISH, ["tab-a9"])
    [[line, _]] = facts(shop)["wishes"]
    assert at_once(shop, *[(MOVE, [str(line)])] * 4) == Counter({"": 4})
    after = facts(shop)
    assert (after["wishes"], after["cart"]) == ([], [1])


@pytest.mark.rule("CRT-4")
def test_two_logins_and_a_press_at_once_lose_no_wish(shop):
    shop.alone("script", WISH, ["tab-a9"])
    shop.alone("script", WISH, ["pixel-9"])
    assert at_once(shop, (JOIN, []), (WISH, ["redmi-14"]), (JOIN, [])) == Counter({"": 3})
    after = facts(shop)
    # What was pressed after the login is on a list of the guest, which the next login takes over.
    assert after["lists"] in (1, 2)
    assert after["of the profile"].count(True) == 1
    assert sorted(slug for _, slug in after["wishes"]) == ["pixel-9", "redmi-14", "tab-a9"]
