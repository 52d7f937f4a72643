"""The sitemaps as the database makes them: when a device changed, how they are parted, and what is sent again."""

import re
from datetime import timedelta
from itertools import pairwise

import pytest

from models.base import db
from models.catalogue import Device, Listing
from models.feed import items
from models.shelf import relist
from tests.query_count import assert_query_count
from tests.views.browser import HOST
from tests.views.test_found import NAMES, mapped, xml
from views import help_words, sitemap


@pytest.fixture
def one_map(monkeypatch):
    """All devices in the first map, however high a long run of tests has counted their ids."""
    monkeypatch.setattr(sitemap, "DEVICES", 10**9)


@pytest.mark.usefixtures("one_map")
def test_a_map_says_when_a_device_last_changed_and_nothing_where_nobody_knows(shopper, world):
    changed = world.now + timedelta(hours=3)
    relist([world.devices["tab-a9"].id], changed)
    Listing.update(changed_at=None).where(Listing.device == world.devices["pixel-9"]).execute()
    told = {
        entry.find("sitemap:loc", NAMES).text.removeprefix(HOST): entry.findtext("sitemap:lastmod", None, NAMES)
        for entry in xml(shopper.get("/sitemap-devices-1.xml")).iterfind("sitemap:url", NAMES)
    }
    assert told["/mk/pajisja/tab-a9"] == "2026-03-10T14:00:00Z"
    assert told["/pajisja/redmi-14"] == "2026-03-10T11:00:00Z"
    assert told["/pajisja/pixel-9"] is None


def test_devices_are_parted_into_maps_by_their_ids_and_one_that_is_gone_is_in_none(shopper, world, monkeypatch):
    monkeypatch.setattr(sitemap, "DEVICES", 3)
    monkeypatch.setattr(sitemap, "_ROWS", 2)
    with db.atomic():
        Device.update(listed=False).where(Device.slug == "redmi-14").execute()
        relist([world.devices["redmi-14"].id], world.now)
    addresses = [address for address in mapped(shopper) if "/pajisja/" in address]
    assert len(addresses) == 3 * (len(world.devices) - 1)
    assert not any("redmi-14" in address for address in addresses)
    numbers = [
        int(re.search(r"devices-(\d+)", place.text)[1])
        for place in xml(shopper.get("/sitemap.xml")).iterfind("sitemap:sitemap/sitemap:loc", NAMES)
        if "devices" in place.text
    ]
    assert all(before < after for before, after in pairwise(numbers))
    for path in ("/sitemap-devices-0.xml", "/sitemap-devices-99999.xml", "/mk/sitemap.xml", "/en/sitemap-pages.xml"):
        assert shopper.get(path).status == 404, path


@pytest.mark.usefixtures("one_map")
def test_a_map_is_not_sent_again_while_nothing_changed_and_comes_compressed(shopper, world):
    first = shopper.get("/sitemap-devices-1.xml", headers={"Accept-Encoding": "gzip"})
    assert first.headers["Content-Encoding"] == "gzip"
    tag = {"If-None-Match": first.headers["ETag"]}
    assert shopper.get("/sitemap-devices-1.xml", headers=tag).status == 304
    relist([world.devices["tab-a9"].id], world.now)
    assert shopper.get("/sitemap-devices-1.xml", headers=tag).status == 200
    with assert_query_count(4):
        shopper.get("/sitemap-devices-1.xml")


def test_another_release_has_other_maps(shopper, world, monkeypatch):
    maps = ("/sitemap.xml", "/sitemap-pages.xml")
    before = [shopper.get(path).headers["ETag"] for path in maps]
    assert len(set(before)) == 2
    monkeypatch.setattr(help_words, "slugs", lambda: ["another"])
    for path, tag in zip(maps, before, strict=True):
        assert shopper.get(path, headers={"If-None-Match": tag}).status == 200


def test_the_catalogue_is_read_batch_by_batch(world):
    batches = 4
    with assert_query_count(3 * batches + 1):
        read = [(device.slug, [item.variant.sku for item in found]) for device, found in items(world.now, batch=2)]
    assert dict(read).keys() == world.devices.keys()
    assert sum(len(skus) for _, skus in read) == len(world.variants)
