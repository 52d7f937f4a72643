"""The demo world: full, the same every time, and loaded once."""

from collections import Counter
from datetime import UTC, datetime

import pytest

import demo_world
from models import drawing
from models.catalogue import CatalogueVersion, Device, Listing, Tariff, TariffPrice, Variant
from models.profile import Profile

WHO = """
    eligible debt justpaid paidonline instalments almostpaid newcomer business nonumber blocked
    agent warehouse clerk partner editor admin
"""
NOW = datetime(2025, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def loaded():
    return demo_world.load(NOW)


@pytest.mark.rule("CAT-1")
@pytest.mark.rule("CAT-2")
def test_the_shelf_is_full(loaded):
    count = Counter(listing.kind for listing in Listing.select().where(Listing.shown))
    assert count["phone"] >= 90
    assert count["tablet"] >= 20
    assert count["accessory"] >= 40
    assert count["prepaid_sim"] >= 1
    makers = {row.brand for row in Listing.select(Listing.brand).where(Listing.kind == "phone").distinct()}
    assert len(makers) >= 8
    assert {"Apple", "Samsung", "Xiaomi", "Google", "Motorola", "Honor"} <= makers
    for mark in (Listing.discounted, Listing.gift, Listing.five_g, ~Listing.in_stock):
        assert Listing.select().where(mark).exists()
    assert f"{Device.select().count()} devices" in loaded


@pytest.mark.rule("CAT-5")
def test_phones_and_tablets_have_a_price_with_each_tariff_and_contract_type(loaded):
    sold = Variant.select().join(Device).where(Device.kind.in_(("phone", "tablet"))).count()
    assert Tariff.select().count() >= 3
    assert TariffPrice.select().count() == sold * Tariff.select().count() * 2


@pytest.mark.rule("CAT-4")
def test_every_variant_has_a_picture_that_can_be_drawn(loaded):
    for variant in Variant.select(Variant, Device).join(Device):
        for angle in drawing.angles(variant.device.drawing):
            name = drawing.picture_path(variant.device, variant, angle).rpartition("/")[2].removesuffix(".svg")
            assert drawing.read_name(name), (variant.sku, name)


def test_the_profiles_are_those_of_the_demo_world_and_have_one_password(loaded):
    profiles = list(Profile.select())
    assert {profile.email for profile in profiles} == {f"{name}@example.com" for name in WHO.split()}
    assert len({profile.password_hash for profile in profiles}) == 1
    assert Profile.log_in("eligible@example.com", "dyqani-demo", "127.0.0.1", NOW)
    assert Profile.log_in("eligible@example.com", "dyqani-demi", "127.0.0.1", NOW) is None


def test_a_second_load_changes_nothing_and_says_so(loaded):
    Variant.update(stock=1).where(Variant.stock > 1).execute()
    Profile.update(first_name="Besa").where(Profile.email == "debt@example.com").execute()
    version = CatalogueVersion.current()
    assert demo_world.load(NOW) == "The demo world is there already."
    assert CatalogueVersion.current() == version
    assert not Variant.select().where(Variant.stock > 1).exists()
    assert Profile.get(Profile.email == "debt@example.com").first_name == "Besa"
    assert Profile.select().count() == 16


def test_what_is_missing_is_loaded_again(loaded):
    Profile.delete().where(Profile.email == "admin@example.com").execute()
    assert "0 devices in 0 variants, 0 tariffs, 1 profiles" in demo_world.load(NOW)
