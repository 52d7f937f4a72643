"""What a device's page shows beside it: what fits, and what costs about as much (CAT-3, CAT-6)."""

import json

import pytest

from models.base import db
from models.catalogue import Device, Variant
from models.catalogue_index import CatalogueIndex, Entry
from models.shelf import Shelf, relist
from tests.query_count import assert_query_count
from tests.world import NOW, build


def entry(number, price, **more) -> Entry:
    facts = {"kind": "phone", "brand": "B", "released": 202501, "popularity": number, "in_stock": True}
    return Entry(**{"id": number, "price": price, **facts, **more})


@pytest.fixture
def index():
    made = CatalogueIndex()
    made.update(
        [
            entry(1, 30_000),
            entry(2, 29_000),
            entry(3, 31_000),
            entry(4, 44_000),
            entry(5, 20_000),
            entry(6, 46_000),
            entry(7, 19_000),
            entry(8, 30_000, in_stock=False),
            entry(9, 30_000, kind="tablet"),
        ],
        1,
    )
    return made


def test_others_of_the_kind_that_cost_about_as_much_are_near_the_most_popular_first(index):
    assert index.near(1, "phone", 4) == [5, 4, 3, 2]
    # The nearest three times as many are looked at, and no more.
    assert index.near(1, "phone", 1) == [5]
    assert index.near(9, "tablet", 4) == []
    assert index.near(99, "phone", 4) == []


def test_what_changes_its_price_or_leaves_is_near_no_more(index):
    index.update([entry(3, 90_000)], 2)
    index.remove([2], 3)
    assert index.near(1, "phone", 4) == [5, 4]


@pytest.fixture
def shelf():
    world = build()
    with db.atomic():
        for number, price in enumerate((4_900_000, 5_000_000, 5_600_000)):
            device = Device.create(
                slug=f"d{number}",
                kind="phone",
                brand=world.devices["galaxy-s25"].brand,
                name_sq="D",
                name_mk="D",
                name_en="D",
                released=202501,
                popularity=number,
                drawing={"kind": "phone", "camera": "tri", "hole": "dot"},
            )
            Variant.create(
                device=device, sku=f"D{number}", colour_hex="#000000", colour_family="black", price=price, stock=1
            )
        case = world.devices["kellef-s25"]
        other = Device.create(
            slug="kellef-2",
            kind="accessory",
            brand=case.brand,
            name_sq="K",
            name_mk="K",
            name_en="K",
            released=202501,
            drawing={"kind": "case"},
            fits=["galaxy-s25"],
        )
        Variant.create(device=other, sku="K2", colour_hex="#000000", colour_family="black", price=1000, stock=1)
        relist([device.id for device in Device.select()], NOW)
    return Shelf().fresh()


def slugs(shelf, device) -> list[str]:
    return [json.loads(card)["slug"] for card in shelf.cards(shelf.similar_to(device, 4))]


def test_a_phone_has_phones_beside_it_and_a_case_other_cases_for_the_same(shelf):
    phone, case = (Device.get(Device.slug == slug) for slug in ("galaxy-s25", "kellef-s25"))
    assert slugs(shelf, phone) == ["iphone-16", "pixel-9", "d2", "d1"]
    assert slugs(shelf, case) == ["kellef-2"]
    with assert_query_count(0):
        shelf.similar_to(phone, 4)


def test_a_device_that_is_not_in_the_shop_yet_has_nothing_beside_it(shelf):
    assert shelf.similar_to(Device(kind="phone", drawing={}, fits=[]), 4) == []
