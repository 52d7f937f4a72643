"""Which variant of a device, and which contract, is shown for a wish (CAT-4, OFF-1, OFF-2)."""

from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.catalogue import Tariff, TariffPrice
from models.choice import Choice, NotOffered, Offer, TariffOffer, payments
from models.pricing import Price
from tests import world as named
from tests.query_count import assert_query_count

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


# Contract types, tariffs and payments (OFF-1, OFF-2)


def tariff(code, monthly):
    return SimpleNamespace(code=code, monthly_price=monthly)


@pytest.fixture
def phone():
    """One variant: Besnik 24 in two tariffs, the dearer one cheaper over the contract; a new number in one."""
    small, large = tariff("s", 60_000), tariff("l", 100_000)
    tariffs = {
        "besnik24": (TariffOffer(small, 3_600_000), TariffOffer(large, 2_400_000)),
        "new_number": (TariffOffer(small, 3_700_000),),
    }
    variant = SimpleNamespace(colour_code="blue", storage_gb=128, stock=1)
    return Offer(variant, Price(5_000_000), Price(4_000_000, 5_000_000, "private"), tariffs)


@pytest.fixture
def alone():
    return offer("blue", 128)


def of(terms):
    return (terms.contract_type, terms.tariff and terms.tariff.code, terms.payment, terms.parts, terms.price)


@pytest.mark.rule("OFF-2")
def test_each_contract_type_has_its_ways_to_pay():
    assert payments("device_only") == ("card",)
    assert payments("new_number") == ("card", "first_bill")
    assert payments("besnik24") == ("instalments", "card", "first_bill")


@pytest.mark.rule("OFF-1", "OFF-2")
@pytest.mark.parametrize(
    ("wish", "shown", "missed"),
    [
        ((None,), ("device_only", None, "card", None, 5_000_000), None),
        (("device_only", "s", "card", 24), ("device_only", None, "card", None, 5_000_000), None),
        (("device_only", None, "instalments"), ("device_only", None, "card", None, 5_000_000), "payment"),
        # 36.000 + 24 × 600 is more than 24.000 + 24 × 1.000.
        (("besnik24",), ("besnik24", "l", "instalments", 24, 2_400_000), None),
        (("besnik24", "s"), ("besnik24", "s", "instalments", 24, 3_600_000), None),
        (("besnik24", "s", "instalments", 6), ("besnik24", "s", "instalments", 6, 3_600_000), None),
        (("besnik24", "s", "instalments", 7), ("besnik24", "s", "instalments", 24, 3_600_000), None),
        (("besnik24", "s", "card", 6), ("besnik24", "s", "card", None, 3_600_000), None),
        (("besnik24", "x", "first_bill"), ("besnik24", "l", "first_bill", None, 2_400_000), "tariff"),
        (("new_number",), ("new_number", "s", "card", None, 3_700_000), None),
        (("new_number", "s", "instalments", 6), ("new_number", "s", "card", None, 3_700_000), "payment"),
        (("new_number", "l", "instalments", 6), ("new_number", "s", "card", None, 3_700_000), "tariff"),
    ],
)
def test_the_terms_that_are_shown_for_a_wish(phone, wish, shown, missed):
    terms, told = phone.nearest_terms(*wish)
    assert (of(terms), told) == (shown, missed)


@pytest.mark.rule("OFF-1")
def test_a_type_that_a_variant_is_not_sold_with_shows_the_device_alone(alone):
    terms, told = alone.nearest_terms("besnik24", "s", "card")
    assert (of(terms), told) == (("device_only", None, "card", None, 100), "type")
    assert alone.lowest("besnik24") is None
    assert not alone.has("besnik24")


@pytest.mark.rule("CAT-5")
def test_a_private_subscriber_pays_the_private_price_for_the_device_alone(phone, alone):
    for segment, price in (("private", 4_000_000), ("business", 5_000_000), (None, 5_000_000)):
        assert phone.terms("device_only", segment=segment).price == price
        assert phone.nearest_terms(None, segment=segment)[0].price == price
        assert phone.terms("besnik24", "s", "card", segment=segment).price == 3_600_000
    assert alone.price_for("private") == alone.price


@pytest.mark.rule("OFF-3")
@pytest.mark.parametrize(
    ("asked", "what"),
    [
        ((None,), "type"),
        (("prepaid_sim",), "type"),
        (("device_only", "s"), "tariff"),
        (("device_only", None, "first_bill"), "payment"),
        (("device_only", None, "card", 1), "payment"),
        (("besnik24",), "tariff"),
        (("besnik24", "x", "card"), "tariff"),
        (("besnik24", "s"), "payment"),
        (("besnik24", "s", "points"), "payment"),
        (("besnik24", "s", "instalments"), "payment"),
        (("besnik24", "s", "instalments", 7), "payment"),
        (("new_number", "l", "card"), "tariff"),
        (("new_number", "s", "instalments", 24), "payment"),
    ],
)
def test_what_is_not_offered_is_refused_by_name(phone, asked, what):
    with pytest.raises(NotOffered) as refused:
        phone.terms(*asked)
    assert refused.value.what == what


_ANY = st.fixed_dictionaries(
    {
        "contract_type": st.sampled_from([None, "device_only", "new_number", "besnik24", "x"]),
        "tariff": st.sampled_from([None, "s", "l", "x"]),
        "payment": st.sampled_from([None, "card", "first_bill", "instalments", "points"]),
        "parts": st.sampled_from([None, 0, 1, 6, 7, 12, 24]),
        "segment": st.sampled_from([None, "private", "business"]),
    }
)


@pytest.mark.rule("OFF-2")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_ANY)
def test_what_is_shown_is_offered_and_stays_what_it_is(phone, wish):
    terms, missed = phone.nearest_terms(**wish)
    parts = {"parts": terms.parts}
    exact = phone.terms(
        terms.contract_type, terms.tariff and terms.tariff.code, terms.payment, segment=wish["segment"], **parts
    )
    assert exact == terms
    assert phone.nearest_terms(*terms.key, segment=wish["segment"]) == (terms, None)
    assert terms.quote.device_total == terms.price
    if missed is None and wish["contract_type"] not in (None, "device_only", "x"):
        assert terms.contract_type == wish["contract_type"]
        assert wish["tariff"] in (None, terms.tariff.code)
        assert wish["payment"] in (None, terms.payment)


@pytest.mark.rule("CAT-5", "OFF-2")
def test_the_offers_of_a_device_come_with_the_tariffs_that_are_sold():
    world = named.build()
    old = Tariff.create(code="old", name="Old", monthly_price=1, listed=False)
    first = Tariff.create(code="first", name="First", monthly_price=1, position=0)
    for one in (old, first):
        TariffPrice.create(variant=world["S25-BLACK-128"], tariff=one, contract_type="besnik24", price=100)
    with assert_query_count(3):
        choice = Choice.of_slug("galaxy-s25", named.NOW)
        black = choice.of_variant(world["S25-BLACK-128"])
        assert [one.tariff.code for one in black.tariffs["besnik24"]] == ["first", "linja-m"]
        assert black.lowest("new_number") == 2_880_000
        assert not choice.of_variant(world["S25-BLUE-256"]).has("new_number")
        assert choice.tariff("linja-m").monthly_price == 89_900
        assert choice.tariff("old") is None
        assert choice.offers[0].variant.device.brand.name == "Samsung"
    assert Choice.of_slug("pixel-9", named.NOW).has_private
    assert not choice.has_private
    with assert_query_count(2):
        assert Choice.of_slug("kellef-s25", named.NOW).offers[0].tariffs == {}
