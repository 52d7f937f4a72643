"""The shelf: devices as lists show them (CAT-2, CAT-5, CAT-6)."""

import json

import pytest

from models.base import db
from models.catalogue import CatalogueVersion, Device, Gift, Listing, Promotion, Variant
from models.catalogue_index import Query
from models.shelf import Shelf, relist, relist_due
from tests.query_count import assert_query_count
from tests.world import NOW, build, later


@pytest.fixture
def world():
    return build()


def card(world, slug):
    return Listing.get(Listing.device == world.devices[slug]).card


def listing(world, slug):
    return Listing.get(Listing.device == world.devices[slug])


def relisted(world, slug, now=NOW):
    with db.atomic():
        relist([world.devices[slug].id], now)
    return listing(world, slug)


@pytest.mark.rule("CAT-2")
def test_every_device_is_on_the_shelf(world):
    assert Listing.select().where(Listing.shown).count() == len(world.devices) == 7


@pytest.mark.rule("CAT-2")
def test_discount_and_gift_are_marked(world):
    assert (listing(world, "redmi-14").discounted, listing(world, "galaxy-s25").discounted) == (True, False)
    assert (listing(world, "redmi-14").gift, listing(world, "galaxy-s25").gift) == (False, True)
    redmi = card(world, "redmi-14")
    assert (redmi["price"], redmi["before"], redmi["off"]) == (1_080_000, 1_200_000, 10)
    assert card(world, "galaxy-s25")["gift"]["mk"] == "Слушалки Galaxy Buds FE"


@pytest.mark.rule("CAT-2")
def test_a_promotion_for_private_subscribers_is_told_but_is_not_the_price(world):
    pixel = card(world, "pixel-9")
    assert (pixel["price"], pixel["before"], pixel["private_off"]) == (4_800_000, None, 20)
    assert not listing(world, "pixel-9").discounted


@pytest.mark.rule("CAT-5")
def test_a_card_shows_the_cheapest_variant_that_can_be_bought(world):
    galaxy = card(world, "galaxy-s25")
    assert (galaxy["price"], galaxy["from"]) == (5_280_000, True)
    world.set_stock("S25-BLACK-128", 0)
    galaxy = card(world, "galaxy-s25")
    assert (galaxy["price"], galaxy["from"], galaxy["in_stock"]) == (5_760_000, False, True)


@pytest.mark.rule("CAT-5")
def test_a_card_names_the_smallest_monthly_part_in_whole_denars(world):
    """25.920 den with Linja M over 24 months."""
    assert card(world, "galaxy-s25")["month"] == 108_000
    assert card(world, "redmi-14")["month"] is None


@pytest.mark.rule("CAT-6")
def test_a_sold_out_device_stays_on_the_shelf_and_says_so(world):
    world.set_stock("TAB-GREY-64", 0)
    row = listing(world, "tab-a9")
    assert (row.shown, row.in_stock, row.card["price"]) == (True, False, 1_199_000)


@pytest.mark.parametrize("what", ["device", "variants"])
def test_what_left_the_price_list_leaves_the_shelf(world, what):
    tablet = world.devices["tab-a9"]
    if what == "device":
        Device.update(listed=False).where(Device.id == tablet.id).execute()
    else:
        Variant.update(listed=False).where(Variant.device == tablet).execute()
    assert not relisted(world, "tab-a9").shown


@pytest.mark.rule("CAT-5")
def test_a_gift_that_ran_out_is_no_longer_marked(world):
    world.set_gifts(0)
    assert not listing(world, "galaxy-s25").gift
    assert card(world, "galaxy-s25")["gift"] is None
    Gift.delete().execute()
    assert not relisted(world, "galaxy-s25").gift


@pytest.mark.rule("CAT-5")
def test_a_promotion_starts_and_ends_by_itself(world):
    promotion = Promotion.get(Promotion.variant == world["REDMI-GREEN-128"])
    promotion.starts_at, promotion.ends_at = later(10), later(20)
    promotion.save()
    row = relisted(world, "redmi-14")
    assert (row.card["price"], row.due_at) == (1_200_000, later(10))
    assert relist_due(later(9)) == 0
    assert relist_due(later(10)) == 1
    assert (card(world, "redmi-14")["price"], listing(world, "redmi-14").due_at) == (1_080_000, later(20))
    assert relist_due(later(20)) == 1
    assert (card(world, "redmi-14")["price"], listing(world, "redmi-14").due_at) == (1_200_000, None)
    assert relist_due(later(10_000)) == 0


def test_each_change_raises_the_version_by_one(world):
    before = CatalogueVersion.current()
    world.set_stock("CASE-BLACK", 1)
    assert CatalogueVersion.current() == before + 1
    assert listing(world, "kellef-s25").version == before + 1
    assert listing(world, "tab-a9").version < before + 1


def test_the_first_change_of_an_empty_shop_is_version_one():
    assert CatalogueVersion.current() == 0
    assert (CatalogueVersion.next(), CatalogueVersion.next()) == (1, 2)
    assert CatalogueVersion.current() == 2


@pytest.mark.rule("CAT-6")
def test_another_process_takes_in_what_changed(world):
    """Each process has its own Shelf over the same tables."""
    shelf = Shelf().fresh()
    assert found(shelf, in_stock=True) == {
        "galaxy-s25",
        "iphone-16",
        "redmi-14",
        "pixel-9",
        "tab-a9",
        "kellef-s25",
    } | {"sim-pripejd"}
    world.set_stock("TAB-GREY-64", 0)
    assert "tab-a9" not in found(shelf.fresh(), in_stock=True)
    Device.update(listed=False).where(Device.slug == "pixel-9").execute()
    relisted(world, "pixel-9")
    assert "pixel-9" not in found(shelf.fresh())
    Device.update(listed=True).where(Device.slug == "pixel-9").execute()
    relisted(world, "pixel-9")
    assert "pixel-9" in found(shelf.fresh())


@pytest.mark.rule("CAT-6")
def test_a_result_is_kept_until_the_shelf_changes_and_only_so_many_are(world):
    shelf = Shelf().fresh()
    phones = Query(kind="phone", in_stock=True)
    assert shelf.search(phones) is shelf.search(phones)
    before = shelf.search(phones).total
    for code in ("PIXEL-WHITE-128", "TAB-GREY-64"):
        world.set_stock(code, 0)
    assert shelf.fresh().search(phones).total == before - 1
    for price in range(1000):
        shelf.search(Query(price_from=price))
        shelf.choices(Query(q=f"galaxy {price}"))
    assert len(shelf._found) <= 256
    assert len(shelf._choices) <= 1


def found(shelf, **query):
    ids = shelf.index.search(Query(**query)).ids
    return {Device.get_by_id(number).slug for number in ids}


def test_a_shelf_notices_that_the_database_was_restored(world):
    world.set_stock("CASE-BLACK", 1)
    shelf = Shelf().fresh()
    CatalogueVersion.update(number=1).execute()
    Listing.update(version=1).where(Listing.device == world.devices["tab-a9"]).execute()
    Listing.delete().where(Listing.device != world.devices["tab-a9"]).execute()
    assert found(shelf.fresh()) == {"tab-a9"}


@pytest.mark.rule("CAT-6")
@pytest.mark.parametrize(
    ("kind", "asked"),
    [("earbuds", "kufje"), ("earbuds", "слушалки"), ("watch", "orë"), ("charger", "mbushes"), ("case", "маска")],
)
def test_an_accessory_is_found_by_what_it_is_though_its_name_leaves_it_out(world, kind, asked):
    Device.update(name_sq="Nimbus 3", name_mk="Nimbus 3", name_en="Nimbus 3", drawing={"kind": kind}).where(
        Device.slug == "kellef-s25"
    ).execute()
    relisted(world, "kellef-s25")
    assert found(Shelf().fresh(), q=asked) == {"kellef-s25"}


def slugs(cards):
    return [json.loads(card)["slug"] for card in cards]


def test_cards_come_in_the_order_asked_for(world):
    ids = [world.devices[slug].id for slug in ("tab-a9", "galaxy-s25", "redmi-14")]

    assert slugs(Shelf().fresh().cards([*ids, 999_999])) == ["tab-a9", "galaxy-s25", "redmi-14"]
    assert slugs(Shelf.cards_now([*ids, 999_999])) == ["tab-a9", "galaxy-s25", "redmi-14"]


def test_a_card_asked_for_again_costs_no_query_until_its_device_changes(world):
    ids, own = [world.devices[slug].id for slug in ("tab-a9", "redmi-14")], Shelf().fresh()
    first = own.cards(ids)
    with assert_query_count(0):
        assert own.cards(ids[::-1]) == first[::-1]

    Variant.update(price=1_100_000).where(Variant.sku == "TAB-GREY-64").execute()
    relisted(world, "tab-a9")

    assert own.cards(ids) == first, "what is shown goes with the index of the same version"
    with assert_query_count(4):
        tablet, phone = own.fresh().cards(ids)
    assert (json.loads(tablet)["price"], phone) == (1_100_000, first[1])
