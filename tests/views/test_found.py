"""What search engines are told of each page: one address in each language, words of its own, data that fit the
schema, and nothing of what is somebody's own."""

import re
from datetime import timedelta
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

import config
from models.base import db
from models.catalogue import Device, Promotion
from models.profile import Profile
from models.shelf import relist
from tests import structured_data
from tests.views.browser import HOST, Browser, Page
from tests.views.test_html import plain_routes
from views import found
from views.filters import Filters

LANGUAGES = ("sq", "mk", "en")
NAMES = {
    "sitemap": "http://www.sitemaps.org/schemas/sitemap/0.9",
    "xhtml": "http://www.w3.org/1999/xhtml",
}
SHOP = frozenset({f"{config.BASE_URL}/#dyqani"})


def meta(page: Page, name: str) -> str | None:
    """The content of a page's one <meta> of this name or property."""
    named = [one.get("content") for one in page.all("meta") if name in (one.get("name"), one.get("property"))]
    assert len(named) <= 1, f"{name} is said {len(named)} times"
    return named[0] if named else None


def link(page: Page, rel: str) -> str | None:
    found = [one.get("href") for one in page.all("link", rel=rel)]
    assert len(found) <= 1
    return found[0] if found else None


def alternates(page: Page) -> dict[str, str]:
    return {one.get("hreflang"): one.get("href") for one in page.all("link", rel="alternate") if one.get("hreflang")}


def title_of(page: Page) -> str:
    return "".join(page.all("title")[0].itertext())


def is_listed(page: Page) -> bool:
    """Whether search engines may show a page."""
    told = [one.get("content") for one in page.all("meta") if one.get("name") in ("robots", "googlebot", "bingbot")]
    return page.status == 200 and not any("noindex" in content for content in told)


def xml(page: Page) -> ElementTree.Element:
    assert page.status == 200
    # A browser would read no further.
    assert page.headers.get("Content-Length") in (None, str(len(page.response.get_data())))
    return ElementTree.fromstring(page.response.get_data())  # noqa: S314 (our own)


def mapped(shopper: Browser) -> dict[str, dict[str, str]]:
    """Every address of the sitemaps with its alternates."""
    index = xml(shopper.get("/sitemap.xml"))
    found = {}
    for place in index.iterfind("sitemap:sitemap/sitemap:loc", NAMES):
        for entry in xml(shopper.get(place.text.removeprefix(HOST))).iterfind("sitemap:url", NAMES):
            address = entry.find("sitemap:loc", NAMES).text
            assert address not in found, f"{address} is mapped twice"
            links = entry.iterfind("xhtml:link", NAMES)
            found[address] = {one.get("hreflang"): one.get("href") for one in links}
    return found


# Every page that is to be found


# Reading them takes seconds, and the named world is the same each time.
_everything: dict[str, Page] = {}


@pytest.fixture
def everything(shopper) -> dict[str, Page]:
    """Every page of the sitemaps."""
    if not _everything:
        _everything.update((address, shopper.get(address.removeprefix(HOST))) for address in mapped(shopper))
    return _everything


def test_every_page_of_the_sitemaps_is_there_by_itself_in_each_language(app, shopper, everything):
    links = mapped(shopper)
    said = {address: alternates(page) for address, page in everything.items()}
    devices = Device.select().where(Device.listed).count()
    assert len(everything) == 3 * (devices + len(list(found.PAGES)) + more_pages(app))
    for address, page in everything.items():
        assert page.status == 200, address
        assert is_listed(page), address
        assert link(page, "canonical") == address
        assert said[address] == links[address]
        assert set(said[address]) == {*LANGUAGES, "x-default"}
        # What a page says of its other languages, these say of it.
        assert said[address][page.tree.get("lang")] == address
        for other in said[address].values():
            assert said[other] == said[address]
        assert meta(page, "og:url") == address


def more_pages(app) -> int:
    with app.test_request_context("/"):
        return sum(len(list(values())) for values in found.MORE_PAGES.values())


def test_every_page_that_is_to_be_found_has_one_heading_and_words_of_its_own_that_fit(everything):
    for language in LANGUAGES:
        pages = {address: page for address, page in everything.items() if page.tree.get("lang") == language}
        for said in (title_of, lambda page: meta(page, "description")):
            texts = [said(page) for page in pages.values()]
            assert all(texts)
            assert len(set(texts)) == len(texts), sorted(text for text in texts if texts.count(text) > 1)
        for address, page in pages.items():
            assert len(page.all("h1")) == 1, address
            assert 10 <= len(title_of(page)) <= found.TITLE_MOST, title_of(page)
            assert title_of(page).endswith(f" · {config.BRAND}")
            description = meta(page, "description")
            assert 40 <= len(description) <= found.DESCRIPTION_MOST, (len(description), description)
            assert meta(page, "og:description") == description
            assert title_of(page).startswith(meta(page, "og:title"))


def test_every_page_that_is_to_be_found_has_a_picture_and_data_that_fit_the_schema(everything):
    for address, page in everything.items():
        assert structured_data.faults(structured_data.graph_of(page), SHOP) == [], address
        assert urlsplit(meta(page, "og:image")).path.endswith(".png")
        assert meta(page, "og:image:alt")
        assert (meta(page, "og:image:width"), meta(page, "og:image:height")) == ("1200", "630")
        assert meta(page, "twitter:card") == "summary_large_image"


def test_links_say_where_they_lead(everything):
    vague = {
        "këtu",
        "kliko këtu",
        "më shumë",
        "тука",
        "повеќе",
        "here",
        "click here",
        "more",
        "read more",
        "learn more",
    }
    for address, page in everything.items():
        for one in page.all("a"):
            assert (one.get("href") or "#x").startswith(("/", "#", "tel:", "mailto:", "http")), address
            assert " ".join("".join(one.itertext()).split()).casefold() not in vague, address


def test_of_all_pages_without_an_argument_those_are_mapped_that_may_be_found(app, shopper, world):
    listed = set(mapped(shopper))
    for path in plain_routes(app):
        page = shopper.get(path)
        if page.headers.get("Content-Type", "").startswith("text/html"):
            assert is_listed(page) == (HOST + path in listed), path


# What is nobody's to find


def test_what_is_somebodys_own_is_not_listed(app, shopper, stranger, world, profile):
    order = shopper.order(world["CASE-BLACK"])
    shopper.log_in(profile.email)
    private = [f"/porosia/{order.number}", "/porosite", "/profili", "/profili/numrat", "/paguaj"]
    for path in private:
        page = shopper.get(path)
        assert not is_listed(page), path
        assert alternates(page) == {}
        assert link(page, "canonical") is None
        assert structured_data.graph_of(page) == []
    for path in ("/hyr", "/profili/regjistrohu", "/porosia/gjej", "/nuk-ka", "/pajisja/nuk-ka"):
        assert meta(stranger.get(path), "robots") == "noindex", path


def test_the_cart_and_the_steps_of_an_order_tell_engines_by_name_and_say_what_they_are(shopper, world):
    shopper.choose(world["S25-BLACK-128"])
    for path in ("/shporta", "/porosia/te-dhenat"):
        page = shopper.get(path)
        assert page.status == 200
        assert meta(page, "googlebot") == meta(page, "bingbot") == "noindex"
        assert meta(page, "description")
        assert alternates(page) == {}


def rules_of(text: str) -> list[tuple[bool, str]]:
    """(allowed, pattern) of a robots.txt with one group."""
    return [
        (name == "Allow", pattern)
        for name, _, pattern in (line.partition(": ") for line in text.splitlines())
        if name in ("Allow", "Disallow")
    ]


def may_look(rules, path: str) -> bool:
    """As RFC 9309 has it: of the rules that fit, the longest counts."""
    fitting = [
        (len(pattern), allowed)
        for allowed, pattern in rules
        if re.match(re.escape(pattern).replace(r"\*", ".*").replace(r"\$", "$"), path)
    ]
    return max(fitting)[1] if fitting else True


def test_robots_may_look_at_all_that_is_mapped_and_at_nothing_of_anybodys(shopper, monkeypatch):
    monkeypatch.setattr(config, "ENV", "production")
    text = shopper.get("/robots.txt").html
    rules = rules_of(text)
    assert f"Sitemap: {config.BASE_URL}/sitemap.xml" in text.splitlines()
    for address in mapped(shopper):
        assert may_look(rules, address.removeprefix(HOST)), address
    for prefix in ("", "/mk", "/en"):
        for path in (
            "/porosia/DY-1234-5678", "/porosite", "/paguaj", "/profili", "/profili/numrat", "/hyr", "/kerko?q=x",
            "/desk", "/partneri", "/metrics", "/celulare?marka=Apple&5g=1", "/?marka=Apple&faqe=2",
        ):  # fmt: skip
            assert not may_look(rules, prefix + path), path
        # The pages of a list and one filter alone, a variant that a feed names, and what says itself that it is
        # nothing to be found.
        for path in (
            "/celulare?faqe=2", "/celulare?marka=Apple", "/pajisja/x?ngjyra=1f2023&memoria=128", "/shporta",
            "/porosia/te-dhenat", "/pictures/card/0123456789abcdef/x.png",
        ):  # fmt: skip
            assert may_look(rules, prefix + path), path


@pytest.mark.parametrize(
    ("address", "is_closed"), [("https://trial.example.com", True), ("http://127.0.0.1:8000", False)]
)
def test_a_trial_shop_is_nobodys_to_find_unless_it_is_on_this_machine_alone(shopper, monkeypatch, address, is_closed):
    monkeypatch.setattr(config, "BASE_URL", address)
    assert ("Disallow: /\n" in shopper.get("/robots.txt").html) is is_closed


# Lists


@pytest.mark.parametrize(
    ("query", "standing"),
    [
        ("", found.OWN),
        ("?faqe=2", found.OWN),
        ("?rendit=cmimi", found.OTHER),
        ("?marka=Samsung", found.OTHER),
        ("?nga=10000", found.OTHER),
        ("?gjendje=1&rendit=cmimi&faqe=2", found.OTHER),
        ("?marka=Apple&marka=Samsung", found.DEEP),
        ("?marka=Samsung&5g=1", found.DEEP),
        ("?nga=10000&deri=50000", found.DEEP),
    ],
)
def test_a_list_has_an_address_of_its_own_or_is_a_view_of_another_or_is_not_to_be_found(
    shopper, monkeypatch, query, standing
):
    monkeypatch.setattr(config, "PER_PAGE", 2)
    page = shopper.get(f"/mk/celulare{query}")
    own = f"{HOST}/mk/celulare"
    assert is_listed(page) is (standing != found.DEEP)
    assert link(page, "canonical") == {found.OWN: own + query, found.OTHER: own, found.DEEP: None}[standing]
    assert (alternates(page) != {}) is (standing == found.OWN)
    assert bool(structured_data.graph_of(page)) is (standing == found.OWN)
    assert meta(page, "og:url") == own + query


def test_a_search_is_not_to_be_found_and_can_put_nothing_into_the_head(shopper):
    for query in ("?q=galaxy", "", '?q="><script>alert(1)</script>'):
        page = shopper.get(f"/kerko{query}")
        assert meta(page, "robots") == "noindex, follow"
        assert link(page, "canonical") is None
        assert "<script>alert" not in page.html


def test_each_page_of_a_list_has_words_of_its_own_and_names_what_is_on_it(shopper, monkeypatch):
    monkeypatch.setattr(config, "PER_PAGE", 2)
    first, second = shopper.get("/celulare"), shopper.get("/celulare?faqe=2")
    assert title_of(first) != title_of(second)
    assert meta(first, "description") != meta(second, "description")
    shown = [
        [one["url"] for one in structured_data.things(page, "ItemList")[0]["itemListElement"]]
        for page in (first, second)
    ]
    assert [len(urls) for urls in shown] == [2, 2]
    assert not set(shown[0]) & set(shown[1])
    for page, urls in zip((first, second), shown, strict=True):
        cards = [one.find(".//a").get("href") for one in page.all("li", class_="card")]
        assert urls == [HOST + href for href in cards]


def test_what_is_asked_for_is_known_by_what_stands_in_the_address():
    assert found.standing_of(Filters()) == found.OWN
    assert found.standing_of(Filters(page=3)) == found.OWN
    assert found.standing_of(Filters(q="x")) == found.DEEP
    assert found.standing_of(Filters(), is_search=True) == found.DEEP
    assert found.standing_of(Filters(five_g=True, sort="cmimi")) == found.OTHER


# Devices


def offers(page: Page) -> dict[str, dict]:
    return {one["sku"]: one["offers"] for one in structured_data.things(page, "Product")}


def test_a_device_names_each_variant_with_its_price_and_whether_it_is_there(shopper, world):
    page = shopper.get("/en/pajisja/iphone-16")
    group = structured_data.things(page, "ProductGroup")[0]
    assert group["name"] == "Apple iPhone 16"
    assert group["brand"] == {"@type": "Brand", "name": "Apple"}
    assert group["variesBy"] == ["https://schema.org/color", "https://schema.org/size"]
    found = offers(page)
    assert {sku: (one["price"], one["availability"].split("/")[-1]) for sku, one in found.items()} == {
        "IP16-PINK-128": ("64990.00", "InStock"),
        "IP16-BLACK-256": ("71990.00", "OutOfStock"),
    }
    assert found["IP16-PINK-128"]["url"] == f"{HOST}/en/pajisja/iphone-16?ngjyra=f2b6c6&memoria=128"
    assert structured_data.things(page, "Product")[0]["color"] == "Pink"


def test_a_device_of_one_variant_is_a_product_by_itself(shopper, world):
    page = shopper.get("/pajisja/tab-a9")
    assert structured_data.things(page, "ProductGroup") == []
    (product,) = structured_data.things(page, "Product")
    assert (product["name"], product["sku"]) == ("Samsung Galaxy Tab A9", "TAB-GREY-64")
    assert [one["name"] for one in structured_data.things(page, "BreadcrumbList")[0]["itemListElement"]] == [
        "Pajisje",
        "Tabletë",
        "Samsung Galaxy Tab A9",
    ]


@pytest.mark.rule("CAT-5")
def test_a_lowered_price_names_the_one_before_and_until_when_it_holds(shopper, world):
    before = offers(shopper.get("/pajisja/redmi-14"))["REDMI-GREEN-128"]
    assert before["price"] == "10800.00"
    assert before["priceSpecification"]["price"] == "12000.00"
    assert "priceValidUntil" not in before
    with db.atomic():
        Promotion.update(starts_at=world.now, ends_at=world.now + timedelta(days=2)).where(
            Promotion.variant == world["REDMI-GREEN-128"]
        ).execute()
        relist([world.devices["redmi-14"].id], world.now)
    assert offers(shopper.get("/pajisja/redmi-14"))["REDMI-GREEN-128"]["priceValidUntil"] == "2026-03-12T11:00:00Z"


@pytest.mark.rule("CAT-5")
def test_what_private_subscribers_pay_is_not_told_to_engines(shopper, world, profile):
    assert offers(shopper.get("/pajisja/pixel-9"))["PIXEL-WHITE-128"]["price"] == "48000.00"
    shopper.log_in(profile.email)
    page = shopper.get("/pajisja/pixel-9")
    assert offers(page)["PIXEL-WHITE-128"]["price"] == "48000.00"
    assert meta(page, "product:price:amount") == "48000.00"
    assert Profile.select().count()


def test_one_choice_of_a_device_is_a_view_of_its_page(shopper):
    page = shopper.get("/pajisja/galaxy-s25?ngjyra=a4bddc&memoria=256")
    assert link(page, "canonical") == f"{HOST}/pajisja/galaxy-s25"
    assert alternates(page) == {}
    assert is_listed(page)


@pytest.mark.rule("DLV-1", "DLV-2", "AFT-3")
def test_delivery_and_returns_are_told_as_they_are(shopper):
    page = shopper.get("/pajisja/galaxy-s25")
    (delivery,) = structured_data.things(page, "OfferShippingDetails")
    assert delivery["shippingRate"] == {"@type": "MonetaryAmount", "value": "0.00", "currency": config.CURRENCY}
    assert delivery["shippingDestination"]["addressCountry"] == "MK"
    assert delivery["deliveryTime"]["transitTime"]["maxValue"] == config.DELIVERY_DAYS
    assert len(delivery["deliveryTime"]["businessDays"]["dayOfWeek"]) == 6
    (returns,) = structured_data.things(page, "MerchantReturnPolicy")
    assert returns["merchantReturnDays"] == config.WITHDRAWAL_DAYS


def test_a_name_that_would_end_the_block_of_data_does_not(shopper, world):
    name = "X</script><script>alert(1)</script><!-- & \u2028 end"
    with db.atomic():
        Device.update(name_sq=name, name_mk=name, name_en=name).where(Device.slug == "tab-a9").execute()
        relist([world.devices["tab-a9"].id], world.now)
    page = shopper.get("/pajisja/tab-a9")
    assert "<script>alert" not in page.html
    assert structured_data.things(page, "Product")[0]["name"] == f"Samsung {name}"
    assert structured_data.faults(structured_data.graph_of(page), SHOP) == []


def test_a_long_name_leaves_out_what_does_not_fit(shopper, world):
    name = "Galaxy " + "Ultra " * 18
    with db.atomic():
        Device.update(name_sq=name.strip()).where(Device.slug == "tab-a9").execute()
        relist([world.devices["tab-a9"].id], world.now)
    page = shopper.get("/pajisja/tab-a9")
    assert title_of(page) == f"Samsung {name.strip()} · {config.BRAND}"
    assert len(meta(page, "description")) <= found.DESCRIPTION_MOST


# Other pages


def test_the_start_page_names_the_shop_and_its_search(shopper):
    page = shopper.get("/en/")
    (shop,) = structured_data.things(page, "OnlineStore")
    assert (shop["name"], shop["url"]) == (config.BRAND, f"{HOST}/en/")
    (action,) = structured_data.things(page, "SearchAction")
    search = action["target"]["urlTemplate"].replace("{search_term_string}", "galaxy").removeprefix(HOST)
    assert "Samsung Galaxy S25" in shopper.get(search).words


@pytest.mark.rule("AFT-5")
def test_each_shop_is_named_with_the_hours_that_the_page_says(shopper):
    page = shopper.get("/dyqanet")
    stores = structured_data.things(page, "MobilePhoneStore")
    assert len(stores) > 3
    for store in stores:
        assert store["address"]["streetAddress"] in page.words
        for hours in store["openingHoursSpecification"]:
            assert f"{hours['opens']}–{hours['closes']}" in page.words
