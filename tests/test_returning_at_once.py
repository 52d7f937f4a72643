"""Who comes back in several tabs at the same moment: addresses and carts are what one tab would have made them."""

import json
from collections import Counter

import pytest

from tests.crowd import Crowd
from tests.databases import own_database

BEGIN = """
import json, sys
from models.cart import Cart
from models.catalogue import Variant
from models.number import Number
from models.order import Order
from models.order_again import Repeat
from models.profile import Profile
from models.saved_address import SavedAddress
from tests.world import NOW, World, checkout_of, contract_line, in_state, own_number, place, profile
"""
# A profile with nine addresses, the cart of a new browser, and an order that was cancelled.
MAKE = (
    BEGIN
    + """
owner = profile(sys.argv[1])
number = own_number(owner, sys.argv[2])
cart = Cart.begin(NOW).join(owner, NOW)
cart.add(Variant.get(Variant.sku == "CASE-BLACK"), NOW)
cart.set_quantity(cart.lines(NOW)[0].id, 3)
contract_line(cart, number=number)
order, _ = place(checkout_of(cart), profile=owner)
order.relock().give_back_stock()
order.move("cancelled", by="shopper", now=NOW)
for one in range(9):
    SavedAddress.keep(owner, f"Rr. {one}", "1200", "MK-609", NOW)
print(json.dumps([owner.id, cart.id, order.number]))
"""
)
KEEP = BEGIN + "SavedAddress.keep(Profile.get_by_id(int(sys.argv[1])), sys.argv[2], '1200', 'MK-609', NOW)"
FIRST = BEGIN + "SavedAddress.get(SavedAddress.street == sys.argv[1]).put_first()"
AGAIN = (
    BEGIN
    + """
owner = Profile.get_by_id(int(sys.argv[1]))
order = Order.of_number(sys.argv[3])
Repeat(order, owner, Number.of_profile(owner), "private", NOW).put(Cart.get_by_id(int(sys.argv[2])))
"""
)
FACTS = (
    BEGIN
    + """
kept = SavedAddress.of(Profile.get_by_id(int(sys.argv[1])))
print(json.dumps({
    "kept": len(kept),
    "first": [one.street for one in kept if one.is_default],
    "cart": [[one.variant.sku, one.quantity, one.msisdn] for one in Cart.get_by_id(int(sys.argv[2])).lines(NOW)],
}))
"""
)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    folder = tmp_path_factory.mktemp("returning")
    with own_database(folder) as url:
        made = Crowd(url, folder)
        made.alone("begin_anew")
        yield made
        made.end()


def at_once(crowd, *tasks) -> Counter:
    return Counter(one.get("error", "") for one in crowd.at_once([("script", text, words) for text, words in tasks]))


def test_of_four_tabs_that_keep_the_tenth_address_one_does_and_the_same_one_is_one(crowd):
    owner, cart, _ = json.loads(crowd.alone("script", MAKE, ["a@example.com", "38970100001"]))
    tasks = [(KEEP, [str(owner), f"Rruga {one}"]) for one in range(4)]
    assert at_once(crowd, *tasks) == Counter({"": 1, "TooManyAddresses": 3})
    again = [(KEEP, [str(owner), "Rr. 3"]), (KEEP, [str(owner), "rr  3"]), (FIRST, ["Rr. 4"]), (FIRST, ["Rr. 5"])]
    assert at_once(crowd, *again) == Counter({"": 4})
    facts = json.loads(crowd.alone("script", FACTS, [str(owner), str(cart)]))
    assert facts["kept"] == 10
    assert facts["first"] in (["Rr. 4"], ["Rr. 5"])


@pytest.mark.rule("OFF-5", "ELG-5")
def test_an_order_that_is_repeated_in_five_tabs_at_once_is_in_the_cart_once(crowd):
    owner, cart, number = json.loads(crowd.alone("script", MAKE, ["b@example.com", "38970100002"]))
    words = [str(owner), str(cart), number]
    assert at_once(crowd, *[(AGAIN, words)] * 5) == Counter({"": 5})
    facts = json.loads(crowd.alone("script", FACTS, words[:2]))
    assert facts["cart"] == [["CASE-BLACK", 3, ""], ["S25-BLACK-128", 1, "38970100002"]]
