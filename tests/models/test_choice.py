"""Which variant of a device is shown for a wish (CAT-4)."""

from types import SimpleNamespace

import pytest

from models.choice import Choice, Offer
from models.pricing import Price

pytestmark = pytest.mark.rule("CAT-4")


def offer(colour, storage, stock=5, price=100):
    return Offer(SimpleNamespace(colour_code=colour, storage_gb=storage, stock=stock), Price(price), None, {})


@pytest.fixture
def choice():
    return Choice(
        SimpleNamespace(),
        [
            offer("blue", 128, stock=0, price=90),
            offer("blue", 256),
            offer("black", 128, price=95),
            offer("black", 512, price=140),
            offer("pink", 256, stock=0),
        ],
    )


def shown(choice, *wish):
    found, exact = choice.nearest(*wish)
    return found.colour, found.storage, exact


def test_without_a_wish_the_cheapest_in_stock_is_shown(choice):
    assert shown(choice, None, None) == ("black", 128, True)
    assert shown(choice, "mauve", 7) == ("black", 128, True)


def test_an_exact_wish_is_shown_even_when_it_is_sold_out(choice):
    assert shown(choice, "blue", 256) == ("blue", 256, True)
    assert shown(choice, "blue", 128) == ("blue", 128, True)


def test_the_colour_stays_and_the_storage_gives_way(choice):
    assert shown(choice, "blue", 512) == ("blue", 256, False)
    assert shown(choice, "black", 256) == ("black", 128, False)


def test_what_was_chosen_last_stays(choice):
    assert shown(choice, "blue", 512, "storage") == ("black", 512, False)
    assert shown(choice, "black", 256, "storage") == ("blue", 256, False)


def test_choosing_a_colour_whose_storage_is_sold_out_leads_to_what_there_is_of_it(choice):
    assert shown(choice, "blue", 128, "colour") == ("blue", 256, False)


def test_half_a_wish_is_filled_up(choice):
    assert shown(choice, "blue", None) == ("blue", 256, True)
    assert shown(choice, None, 512) == ("black", 512, True)


def test_a_colour_that_is_sold_out_altogether_is_shown_as_such(choice):
    assert shown(choice, "pink", 256, "colour") == ("pink", 256, True)


def test_storages_come_in_their_order_and_colours_in_that_of_the_price_list(choice):
    assert [one.storage for one in choice.storages()] == [128, 256, 512]
    assert [one.colour for one in choice.colours()] == ["blue", "black", "pink"]
    assert [one.in_stock for one in choice.colours()] == [True, True, False]
