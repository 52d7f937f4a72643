"""The product feeds: fields that merchant centres take, prices that are the device page's, and made seldom enough."""

import fcntl
import gzip
import os
import re
import time
from datetime import timedelta
from xml.etree import ElementTree

import pytest

import config
from models.base import db
from models.catalogue import Device, Promotion
from models.shelf import relist
from tests.query_count import assert_query_count
from tests.views.browser import HOST, Browser, Page
from views import feed

G = "{http://base.google.com/ns/1.0}"
MONEY = re.compile(r"(\d+)\.(\d\d) ([A-Z]{3})")
# Field → (must be there, what it looks like, its longest).
FIELDS = {
    f"{G}id": (True, r"\S(.*\S)?", 50),
    "title": (True, r"\S.*\S", 150),
    "description": (True, r"(?s)\S.*\S", 5000),
    "link": (True, r"https?://[^\s]+", 2000),
    f"{G}image_link": (True, r"https?://[^\s]+\.(png|jpg|jpeg|webp)", 2000),
    f"{G}availability": (True, "in_stock|out_of_stock", 20),
    f"{G}price": (True, MONEY.pattern, 20),
    f"{G}sale_price": (False, MONEY.pattern, 20),
    f"{G}sale_price_effective_date": (
        False,
        r"\d{4}-\d\d-\d\dT\d\d:\d\d\+0000/\d{4}-\d\d-\d\dT\d\d:\d\d\+0000",
        60,
    ),
    f"{G}brand": (True, r"\S(.*\S)?", 70),
    f"{G}identifier_exists": (True, "no|yes", 3),
    f"{G}condition": (True, "new", 20),
    f"{G}item_group_id": (False, "[a-z0-9-]+", 50),
    f"{G}color": (False, r"\S(.*\S)?", 100),
    f"{G}size": (False, r"\S(.*\S)?", 100),
    f"{G}product_type": (True, r"[^>]+( > [^>]+)*", 750),
    f"{G}google_product_category": (True, r"\d+|[A-Z][^>]*( > [^>]+)+", 750),
}
# Of google.com/basepages/producttype/taxonomy-with-ids: numbers that stand for what the shop sells.
KNOWN_NUMBERS = {"267", "4745", "6030", "201", "2353"}


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "FEEDS", tmp_path / "feeds")


def items_of(page: Page) -> list[ElementTree.Element]:
    assert page.status == 200
    assert page.headers.get("Content-Length") in (None, str(len(page.response.get_data())))
    rss = ElementTree.fromstring(page.response.get_data())  # noqa: S314 (our own)
    assert (rss.tag, rss.get("version")) == ("rss", "2.0")
    (channel,) = list(rss)
    assert channel.tag == "channel"
    # What RSS 2.0 asks of a channel.
    for name in ("title", "link", "description"):
        assert channel.findtext(name)
    return channel.findall("item")


def faults(item: ElementTree.Element) -> list[str]:
    found = []
    for name, (is_needed, pattern, longest) in FIELDS.items():
        values = item.findall(name)
        if len(values) > 1 or (is_needed and not values):
            found.append(f"{name} is there {len(values)} times")
        for value in values:
            if not re.fullmatch(pattern, value.text or "") or len(value.text) > longest:
                found.append(f"{name} cannot be {value.text!r}")
    found += [f"{one.tag} is no field" for one in item if one.tag not in FIELDS and one.tag != f"{G}shipping"]
    for shipping in item.findall(f"{G}shipping"):
        if shipping.findtext(f"{G}country") != "MK" or not MONEY.fullmatch(shipping.findtext(f"{G}price")):
            found.append("shipping is not what it should be")
    sale, price = (item.findtext(G + name) for name in ("sale_price", "price"))
    if sale and not float(sale.split()[0]) < float(price.split()[0]):
        found.append("the sale price is not lower")
    return found


@pytest.mark.parametrize("language", ["sq", "mk", "en"])
def test_every_item_has_the_fields_that_merchant_centres_take(shopper, world, language):
    found = items_of(shopper.get(f"/feed/{language}.xml"))
    assert {item.findtext(f"{G}id") for item in found} == set(world.variants)
    assert [fault for item in found for fault in faults(item)] == []
    prefix = "" if language == "sq" else f"/{language}"
    assert all(item.findtext("link").startswith(f"{HOST}{prefix}/pajisja/") for item in found)
    numbers = {item.findtext(f"{G}google_product_category") for item in found}
    assert {number for number in numbers if number.isdigit()} <= KNOWN_NUMBERS


def test_the_words_are_those_of_the_feeds_language(shopper):
    said = {code: shopper.get(f"/feed/{code}.xml").html for code in ("sq", "mk", "en")}
    assert "Galaxy S25, E zezë, 128\u00a0GB" in said["sq"]
    assert "Galaxy S25, Црна, 128\u00a0GB" in said["mk"]
    assert "Devices &gt; Phones &gt; Samsung" in said["en"]
    assert not set("ëç") & set(said["mk"] + said["en"])


@pytest.mark.rule("CAT-5")
def test_each_price_is_the_one_that_the_page_it_leads_to_shows(shopper, world):
    world.set_stock("PIXEL-WHITE-128", 0)
    for code, group in (("sq", "."), ("en", ",")):
        for item in items_of(shopper.get(f"/feed/{code}.xml")):
            page = shopper.get(item.findtext("link").removeprefix(HOST))
            (shown,) = [one for one in page.all("p") if "price big" in (one.get("class") or "")]
            whole, part, currency = MONEY.fullmatch(
                item.findtext(f"{G}sale_price") or item.findtext(f"{G}price")
            ).groups()
            assert (part, currency) == ("00", config.CURRENCY)
            assert "".join(shown.find("strong").itertext()) == f"{int(whole):,}".replace(",", group) + "\u00a0den"
            before = shown.find("s")
            assert (before is not None) is bool(item.findtext(f"{G}sale_price"))
            marks = [
                "".join(one.itertext()) for one in page.by_id("pajisja").iter("span") if one.get("class") == "tag"
            ]
            assert bool({"Nuk ka në gjendje", "Out of stock"} & set(marks)) is (
                item.findtext(f"{G}availability") == "out_of_stock"
            )


def test_a_lowered_price_stands_beside_the_one_before_with_its_days(shopper, world):
    with db.atomic():
        Promotion.update(starts_at=world.now, ends_at=world.now + timedelta(days=3)).where(
            Promotion.variant == world["REDMI-GREEN-128"]
        ).execute()
        relist([world.devices["redmi-14"].id], world.now)
    (redmi,) = [
        item for item in items_of(shopper.get("/feed/sq.xml")) if item.findtext(f"{G}id") == "REDMI-GREEN-128"
    ]
    assert redmi.findtext(f"{G}price") == "12000.00 MKD"
    assert redmi.findtext(f"{G}sale_price") == "10800.00 MKD"
    assert redmi.findtext(f"{G}sale_price_effective_date") == "2026-03-10T11:00+0000/2026-03-13T11:00+0000"


def test_variants_of_a_device_are_a_group_and_one_alone_is_none(shopper):
    groups = {
        item.findtext(f"{G}id"): item.findtext(f"{G}item_group_id") for item in items_of(shopper.get("/feed/sq.xml"))
    }
    assert groups["S25-BLACK-128"] == groups["S25-BLUE-256"] == "galaxy-s25"
    assert groups["TAB-GREY-64"] is None


def test_a_feed_is_sent_once_for_each_change_and_compressed(shopper, world):
    first = shopper.get("/feed/en.xml", headers={"Accept-Encoding": "gzip"})
    assert first.headers["Content-Encoding"] == "gzip"
    plain = shopper.get("/feed/en.xml", headers={"Accept-Encoding": "identity"})
    assert gzip.decompress(first.response.get_data()) == plain.response.get_data()
    tag = {"If-None-Match": first.headers["ETag"]}
    assert shopper.get("/feed/en.xml", headers=tag).status == 304
    with assert_query_count(1):
        shopper.get("/feed/en.xml")
    age_all()
    world.set_stock("TAB-GREY-64", 0)
    second = shopper.get("/feed/en.xml", headers=tag)
    assert second.status == 200
    assert second.headers["ETag"] != first.headers["ETag"]
    assert len(list(config.FEEDS.glob("en-*.gz"))) == 1


def age_all(seconds: int = 3600) -> None:
    """Let the feeds on the disk have been made so long ago."""
    for file in config.FEEDS.glob("*.gz"):
        os.utime(file, (time.time() - seconds,) * 2)


def test_while_one_is_made_others_get_the_last_one_or_are_told_to_wait(shopper, world):
    config.FEEDS.mkdir()
    with open(config.FEEDS / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = shopper.get("/feed/sq.xml")
        assert (waiting.status, waiting.headers["Retry-After"]) == (503, "30")
    first = shopper.get("/feed/sq.xml")
    assert first.status == 200
    age_all()
    world.set_stock("TAB-GREY-64", 0)
    with open(config.FEEDS / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert shopper.get("/feed/sq.xml").headers["ETag"] == first.headers["ETag"]


def test_after_one_that_took_long_there_is_a_pause(shopper, world):
    first = shopper.get("/feed/sq.xml")
    age_all(300)
    (file,) = config.FEEDS.glob("sq-*.gz")
    # As if it had taken a minute.
    os.replace(file, file.with_name(re.sub(r"~\d+", "~60000", file.name)))
    world.set_stock("TAB-GREY-64", 0)
    assert shopper.get("/feed/sq.xml").headers["ETag"] == first.headers["ETag"]
    age_all()
    assert shopper.get("/feed/sq.xml").headers["ETag"] != first.headers["ETag"]


def test_a_file_that_goes_before_it_is_opened_is_looked_for_again(shopper, world, monkeypatch):
    first = shopper.get("/feed/sq.xml")
    current, gone = feed.current, []

    def once_too_late(code):
        found = current(code)
        if not gone:
            gone.append(found)
            return found.with_name("gone.xml.gz")
        return found

    monkeypatch.setattr(feed, "current", once_too_late)
    again = shopper.get("/feed/sq.xml")
    assert gone
    assert (again.status, again.html) == (200, first.html)


def test_one_that_could_not_be_made_leaves_nothing_behind(shopper, world, monkeypatch):
    def broken(code):
        yield "<rss>"
        raise OSError("No space left on device")

    monkeypatch.setattr(feed, "written", broken)
    assert shopper.get("/feed/sq.xml").status == 500
    assert [file.name for file in config.FEEDS.iterdir()] == ["lock"]


@pytest.mark.parametrize("path", ["/feed/de.xml", "/feed/.xml", "/mk/feed/sq.xml", "/feed/sq", "/feed/sq.xml.gz"])
def test_there_are_no_other_feeds(shopper, path):
    assert shopper.get(path).status == 404


def test_text_that_is_no_xml_does_not_break_a_feed(shopper, world):
    with db.atomic():
        Device.update(
            name_sq='A & B <i>"x"</i>\x0b\x00end' if config.DATABASE_URL[:6] == "sqlite" else "A & B <i>"
        ).where(Device.slug == "tab-a9").execute()
        relist([world.devices["tab-a9"].id], world.now)
    titles = [item.findtext("title") for item in items_of(Browser(shopper.app).get("/feed/sq.xml"))]
    assert any("A & B <i>" in title for title in titles)
