"""The wish list of guests and members, its hearts on pages that are kept for everybody, and its read-only link."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

import config
from models.cart import CartLine
from models.catalogue import Device
from models.shelf import relist
from models.wish import WishLine, WishList
from tests import world as named
from tests.query_count import assert_query_count
from tests.views.browser import Browser
from tests.views.test_html import faults
from views.wisher import COOKIE


def press(browser, slug, **more):
    """A heart on a card, as htmx sends it: the form that the first answer brings is sent by itself."""
    asked = browser.get(f"/deshirat/shto?p={slug}{'&hiq=1' if more else ''}", piece=True)
    assert asked.status == 200
    return browser.post("/deshirat", asked.form("/deshirat"), token=False, piece=True)


def names(page) -> list[str]:
    """The wishes that the page lists."""
    # The cart's window has lines too.
    lines = next((ul for ul in page.all("ul") if ul.get("class") == "lines big"), None)
    return [] if lines is None else ["".join(li.find("div/b").itertext()) for li in lines.findall("li")]


def test_a_heart_on_a_card_is_one_press_with_a_script_and_the_page_marks_it(shopper):
    piece = press(shopper, "iphone-16")
    assert piece.by_id("zgjedhjet").get("data-wished") == "iphone-16"
    assert "U ruajt te lista e dëshirave: Apple iPhone 16." in piece.words
    press(shopper, "iphone-16")
    assert names(shopper.get("/deshirat")) == ["Apple iPhone 16"]
    assert shopper.get("/celulare").by_id("zgjedhjet").get("data-wished") == "iphone-16"
    gone = press(shopper, "iphone-16", hiq=1)
    assert gone.by_id("zgjedhjet").get("data-wished") == ""
    assert names(shopper.get("/deshirat")) == []


def test_without_a_script_a_heart_asks_first(shopper):
    card = shopper.get("/celulare").all("button", data_choose="wished")[0]
    assert card.get("formaction") == "/deshirat/shto"
    page = shopper.get(f"/deshirat/shto?p={card.get('value')}")
    kept = shopper.post("/deshirat", page.form("/deshirat"), token=False)
    shown = shopper.follow(kept)
    assert "U ruajt te lista e dëshirave: Samsung Galaxy S25." in shown.words
    assert names(shown) == ["Samsung Galaxy S25"]
    assert "U ruajt" not in shopper.get("/deshirat").words


def test_two_hearts_pressed_at_once_are_one_guests(shopper):
    """Both forms are asked for before either is sent, by a browser that had no list."""
    asked = [shopper.get(f"/deshirat/shto?p={slug}", piece=True) for slug in ("iphone-16", "tab-a9")]
    for page in asked:
        shopper.post("/deshirat", page.form("/deshirat"), token=False, piece=True)
    assert WishList.select().count() == 1
    assert len(names(shopper.get("/deshirat"))) == 2


def test_the_page_of_a_device_keeps_its_colour_and_storage(shopper, world):
    page = shopper.get("/pajisja/galaxy-s25?ngjyra=a4bddc&memoria=256")
    sent = {**page.form("/deshirat"), "p": "galaxy-s25"}
    assert shopper.post("/deshirat", sent, token=False).status == 303
    assert WishLine.get().variant == world["S25-BLUE-256"]
    shown = shopper.get("/deshirat")
    assert "Blu, 256 GB" in shown.words
    assert any(link.get("href") == "/pajisja/galaxy-s25?ngjyra=a4bddc&memoria=256" for link in shown.all("a"))
    # A press on a card names no colour, and the one that was chosen stays.
    press(shopper, "galaxy-s25")
    assert WishLine.get().variant == world["S25-BLUE-256"]


def test_a_wish_is_moved_into_the_cart_and_a_second_press_finds_it_there(shopper):
    press(shopper, "tab-a9")
    line = WishLine.get().id
    for _ in range(2):
        moved = shopper.post(f"/deshirat/{line}/shporta")
        assert (moved.status, moved.location) == (303, "/shporta")
    assert [row.quantity for row in CartLine.select()] == [1]
    assert names(shopper.get("/deshirat")) == []


def test_what_sold_out_says_so_and_stays(shopper, world):
    press(shopper, "tab-a9")
    world.set_stock("TAB-GREY-64", 0)
    line = WishLine.get().id
    shown = shopper.get("/deshirat")
    assert "Nuk ka në gjendje" in shown.words
    assert not [form for form in shown.all("form") if (form.get("action") or "").endswith("/shporta")]
    refused = shopper.post(f"/deshirat/{line}/shporta", piece=True)
    assert refused.status == 422
    assert "Kjo pajisje nuk ka në gjendje tani; mbetet te lista." in refused.words
    assert shopper.follow(shopper.post(f"/deshirat/{line}/shporta")).words.count("mbetet te lista.") == 1
    assert names(shopper.get("/deshirat")) == ["Samsung Galaxy Tab A9"]


def test_what_is_sold_no_more_is_told_and_can_be_taken_off(shopper, world):
    press(shopper, "tab-a9")
    Device.update(listed=False).where(Device.slug == "tab-a9").execute()
    relist([world.devices["tab-a9"].id], named.NOW)
    shown = shopper.get("/deshirat")
    assert "Nuk shitet më" in shown.words
    piece = shopper.post(f"/deshirat/{WishLine.get().id}/heqja", piece=True)
    assert "U hoq nga lista e dëshirave: Samsung Galaxy Tab A9." in piece.words
    assert names(piece) == []
    assert press(shopper, "pixel-9").status == 200
    assert shopper.get("/deshirat/shto?p=tab-a9").status == 404


def test_a_price_that_changed_since_is_told(shopper):
    press(shopper, "tab-a9")
    WishLine.update(price_seen=1_299_000).execute()
    assert "1.000 den më lirë se kur e ruajtët" in shopper.get("/deshirat").words
    WishLine.update(price_seen=1_099_000).execute()
    assert "Kur e ruajtët, kushtonte 10.990 den." in shopper.get("/deshirat").words


def test_a_full_list_says_so_where_the_heart_was_pressed(shopper, monkeypatch):
    monkeypatch.setattr(config, "WISHES_MAX", 1)
    press(shopper, "tab-a9")
    refused = press(shopper, "pixel-9")
    assert refused.status == 422
    assert refused.text_of("flash").startswith("Lista mban deri në 1 pajisje.")
    assert refused.by_id("zgjedhjet").get("data-wished") == "tab-a9"


@pytest.mark.rule("CRT-4", "PRV-1")
def test_a_guests_wishes_are_the_members_after_the_login_and_nobodys_after_the_logout(app, shopper, profile):
    press(shopper, "tab-a9")
    guest = shopper.cookie(COOKIE).value
    shopper.log_in(profile.email)
    press(shopper, "pixel-9")
    assert sorted(names(shopper.get("/deshirat"))) == ["Google Pixel 9", "Samsung Galaxy Tab A9"]
    assert shopper.get("/celulare").by_id("zgjedhjet").get("data-wished")
    # At another browser they are there after the login, and at this one gone after the logout.
    other = Browser(app)
    other.log_in(profile.email)
    assert len(names(other.get("/deshirat"))) == 2
    assert other.get("/celulare").by_id("zgjedhjet").get("data-wished")
    shopper.post("/dil")
    assert names(shopper.get("/deshirat")) == []
    assert shopper.get("/celulare").by_id("zgjedhjet").get("data-wished") == ""
    shopper.client.set_cookie(COOKIE, guest, domain="shop.test")
    assert names(shopper.get("/deshirat")) == []


@pytest.mark.rule("PRV-1")
def test_nobody_touches_the_wishes_of_another(shopper, stranger, profile):
    shopper.log_in(profile.email)
    press(shopper, "tab-a9")
    press(stranger, "pixel-9")
    line = WishLine.get(WishLine.device == Device.get(Device.slug == "tab-a9")).id
    for path in ("heqja", "shporta"):
        for piece in (False, True):
            assert stranger.post(f"/deshirat/{line}/{path}", piece=piece).status in (200, 204, 303)
    assert names(shopper.get("/deshirat")) == ["Samsung Galaxy Tab A9"]
    assert CartLine.select().count() == 0


def test_a_shared_list_is_read_by_who_has_the_link_and_by_nobody_once_it_is_stopped(shopper, stranger, profile):
    shopper.log_in(profile.email)
    press(shopper, "tab-a9")
    assert shopper.follow(shopper.post("/deshirat/lidhja", {"cka": "nis"})).status == 200
    link = urlsplit(shopper.get("/deshirat").by_id("lidhja").get("value")).path
    page = stranger.get(link)
    assert names(page) == ["Samsung Galaxy Tab A9"]
    assert profile.email not in page.html
    assert profile.first_name not in page.words
    assert not [form for form in page.tree.iter("main") for form in form.iter("form")]
    assert faults(page.html, "sq") == []
    shopper.post("/deshirat/lidhja", {"cka": "ndal"}, piece=True)
    assert stranger.get(link).status == 404
    for made_up in ("x", "a" * 32, "%2e%2e", "a" * 3000):
        assert stranger.get(f"/deshirat/lista/{made_up}").status == 404


def test_the_link_that_a_guest_gave_away_lives_on_after_login_and_is_stopped_there(shopper, stranger, profile):
    press(shopper, "tab-a9")
    shopper.post("/deshirat/lidhja", {"cka": "nis"})
    link = urlsplit(shopper.get("/deshirat").by_id("lidhja").get("value")).path
    shopper.log_in(profile.email)
    assert names(stranger.get(link)) == ["Samsung Galaxy Tab A9"]
    assert urlsplit(shopper.get("/deshirat").by_id("lidhja").get("value")).path == link
    shopper.post("/deshirat/lidhja", {"cka": "ndal"})
    assert stranger.get(link).status == 404


@pytest.mark.rule("PRV-3")
def test_a_guests_list_counts_its_days_from_the_last_look(shopper, clock):
    press(shopper, "tab-a9")
    clock.shift(timedelta(days=config.WISH_DAYS - 1))
    assert names(shopper.get("/deshirat")) == ["Samsung Galaxy Tab A9"]
    clock.shift(timedelta(days=config.WISH_DAYS - 1))
    assert WishList.forget_old(named.NOW + timedelta(days=2 * config.WISH_DAYS - 2)) == 0
    assert names(shopper.get("/deshirat")) == ["Samsung Galaxy Tab A9"]


@pytest.mark.parametrize("path", ["/deshirat/1/heqja", "/deshirat/1/shporta", "/deshirat/lidhja"])
def test_who_has_no_list_changes_none(shopper, path):
    for piece in (False, True):
        assert shopper.post(path, piece=piece).status == 404
    assert not WishList.select().exists()
    assert not CartLine.select().exists()


def test_to_ask_writes_nothing(shopper):
    shopper.get("/deshirat/shto?p=tab-a9")
    shopper.get("/deshirat/shto?p=tab-a9", piece=True)
    shopper.get("/deshirat")
    assert not WishList.select().exists()


@pytest.mark.rule("LOC-1")
@pytest.mark.parametrize(("language", "prefix"), [("sq", ""), ("mk", "/mk"), ("en", "/en")])
def test_the_markup_of_the_list(shopper, world, profile, language, prefix):
    for slug in ("tab-a9", "galaxy-s25", "pixel-9", "kellef-s25"):
        assert faults(press(shopper, slug).html) == []
    WishLine.update(price_seen=1_299_000).execute()
    world.set_stock("PIXEL-WHITE-128", 0)
    shopper.post("/deshirat/lidhja")
    for path in ("/deshirat", "/deshirat/shto?p=tab-a9"):
        assert faults(shopper.get(prefix + path).html, language) == []
    shopper.log_in(profile.email)
    assert faults(shopper.get(f"{prefix}/deshirat").html, language) == []


def test_who_wishes_nothing_costs_no_query_and_who_does_one(shopper, stranger):
    press(shopper, "tab-a9")
    for browser, most in ((stranger, 1), (shopper, 2)):
        browser.get("/celulare")
        with assert_query_count(most):
            browser.get("/celulare")
    # Two for the list and its days, three for what is on it, one each for the version and the cart's own.
    with assert_query_count(5):
        shopper.get("/deshirat")


def test_a_page_that_is_kept_says_nothing_of_who_made_it(shopper, stranger):
    press(shopper, "tab-a9")
    shopper.get("/krahaso/shto?p=tab-a9")
    shopper.get("/pajisja/galaxy-s25")
    for path in ("/", "/tablete", "/pajisja/tab-a9"):
        shopper.get(path)
        page = stranger.get(path)
        assert re.search('data-compared="" data-wished=""', page.html)
        assert page.by_id("te-shikuarat") is None
