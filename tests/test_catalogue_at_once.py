"""Editors, orders and stock at the same moment: real processes, on DATABASE_URL's database (DSK-4, CAT-5)."""

from collections import Counter

import pytest

from tests.crowd import Crowd
from tests.databases import own_database

BLACK = "S25-BLACK-128"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("editors")
    with own_database(folder) as url:
        crowd = Crowd(url, folder)
        yield crowd
        crowd.end()


@pytest.fixture
def shop(running):
    running.alone("begin_anew")
    return running


def errors(results):
    return Counter(result["error"] for result in results if "error" in result)


@pytest.mark.rule("DSK-4")
def test_pieces_that_are_moved_while_orders_take_them_add_up_and_never_fall_below_zero(shop):
    overviews = shop.alone("checkouts", [[BLACK]] * 12)
    shop.alone("set_gifts", 1000)
    moves = [("move_stock", BLACK, -4, f"away-{number}") for number in range(4)]
    # One form that was sent three times.
    moves += [("move_stock", BLACK, 3, "twice")] * 3
    results = shop.at_once([*(("place", *overview) for overview in overviews), *moves])
    assert set(errors(results)) <= {"OutOfStock", "TooFew"}, results
    placed = sum("is" in result for result in results[:12])
    after = shop.alone("catalogue_facts", BLACK)
    assert after["stock"] == 20 - placed + after["moved"] >= 0
    assert len({result["is"] for result in results[-3:]}) == 1


@pytest.mark.rule("DSK-4", "CAT-5")
def test_publishing_while_orders_are_placed_charges_nobody_what_they_did_not_see(shop):
    overviews = shop.alone("checkouts", [[BLACK]] * 8)
    shop.alone("save_draft", "galaxy-s25", {f"price:{BLACK}": 4_000_000, "name_sq": "Galaxy S25 i ri"})
    results = shop.at_once([*(("place", *overview) for overview in overviews), ("publish_draft", "galaxy-s25")])
    assert set(errors(results)) <= {"OfferChanged"}, results
    assert "is" in results[-1]
    placed = [result["is"][0] for result in results[:8] if "is" in result]
    after = shop.alone("catalogue_facts", BLACK)
    assert (after["price"], after["stock"], after["drafts"]) == (4_000_000, 20 - len(placed), 0)
    facts = shop.alone("facts")
    assert all(order["total"] == 5_280_000 for order in facts["orders"])


@pytest.mark.rule("DSK-4")
def test_of_five_editors_of_one_page_one_saves_and_one_publishes(shop):
    saves = [("save_draft", "galaxy-s25", {f"price:{BLACK}": 4_000_000 + index}, "0") for index in range(5)]
    assert errors(shop.at_once(saves)) == {"ChangedMeanwhile": 4}
    assert errors(shop.at_once([("publish_draft", "galaxy-s25")] * 4)) == {"NoDraft": 3}
    after = shop.alone("catalogue_facts", BLACK)
    assert (after["edits"], after["drafts"]) == (1, 0)
    assert 4_000_000 <= after["price"] <= 4_000_004
