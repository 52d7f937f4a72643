"""Devices side by side: the choice in the address and in the cookie, and what the page says of it."""

from urllib.parse import parse_qs, urlsplit

import pytest

from models.catalogue import Device
from models.shelf import relist
from tests import world as named
from tests.query_count import assert_query_count
from tests.views.browser import HOST, Browser
from tests.views.test_html import faults

FOUR = ("galaxy-s25", "iphone-16", "redmi-14", "pixel-9")
PATH = "/krahaso?p=" + "&p=".join(FOUR)


def chosen(page) -> list[str]:
    """The devices of the address that the answer leads to."""
    assert page.status == 303
    assert urlsplit(page.location).path.endswith("/krahaso")
    return parse_qs(urlsplit(page.location).query)["p"]


def row(page, title: str) -> list[str]:
    """The cells of the row with this title."""
    for line in page.tree.iter("tr"):
        [*heads] = line.iter("th")
        if heads and " ".join("".join(heads[0].itertext()).split()).startswith(title):
            return [" ".join(" ".join(cell.itertext()).split()) for cell in line.iter("td")]
    raise AssertionError(f"no row {title}")


def different(page) -> set[str]:
    """The titles of the rows that are marked."""
    return {
        next(line.iter("th")).text.strip()
        for line in page.tree.iter("tr")
        if "is-different" in (line.get("class") or "")
    }


def test_a_comparison_is_its_address_and_the_same_for_who_gets_it_by_mail(shopper, stranger):
    mine, theirs = shopper.get(PATH), stranger.get(PATH)
    for page in (mine, theirs):
        heads = [link.text for th in page.tree.iter("thead") for link in th.iter("a") if link.get("class") == "go"]
        assert heads == ["Samsung Galaxy S25", "Apple iPhone 16", "Xiaomi Redmi 14", "Google Pixel 9"]
    # Neither a search engine nor a kept page has it.
    assert "noindex" in mine.html


def test_prices_stock_and_facts_stand_beside_each_other_and_differences_are_told_in_words(shopper, world):
    world.set_stock("PIXEL-WHITE-128", 0)
    page = shopper.get(PATH)
    assert row(page, "Vetëm pajisje") == [
        "nga 52.800 den",
        "64.990 den",
        "10.800 den më parë 12.000 den",
        "48.000 den",
    ]
    assert row(page, "Me Besnik 24") == ["nga 1.080 den/muaj", *["– nuk ka të dhëna"] * 3]
    assert row(page, "Gjendja") == [*["Në gjendje"] * 3, "Nuk ka në gjendje"]
    assert row(page, "Memoria") == [*["128 GB / 256 GB, 8 GB RAM"] * 2, *["128 GB, 8 GB RAM"] * 2]
    assert row(page, "Procesori") == ["Snapdragon 8 Elite"] * 4
    assert {"Vetëm pajisje", "Gjendja", "Rrjeti", "Sistemi"} <= different(page)
    assert "Procesori" not in different(page)
    assert page.words.count("ndryshon ") >= len(different(page))


def test_only_differences_leaves_out_what_is_alike(shopper):
    page = shopper.get(f"{PATH}&vetem=ndryshimet")
    lines = [line for line in page.tree.iter("tr") if line.find("th") is not None and line.find("td") is not None]
    titles = {line.find("th").text.strip() for line in lines if line.find("th").get("scope") == "row"}
    assert "Procesori" not in titles
    assert titles == different(page)
    same = shopper.get("/krahaso?p=galaxy-s25&vetem=ndryshimet")
    assert row(same, "Procesori") == ["Snapdragon 8 Elite"]


def test_a_card_puts_a_device_beside_those_chosen_before_and_twice_is_once(shopper):
    for slug in ("galaxy-s25", "iphone-16", "galaxy-s25"):
        page = shopper.get(f"/krahaso/shto?p={slug}")
    assert chosen(page) == ["galaxy-s25", "iphone-16"]
    # Without a choice in the address, the browser's own is shown.
    assert chosen(shopper.get("/krahaso")) == ["galaxy-s25", "iphone-16"]
    assert chosen(shopper.get("/krahaso/shto?p=galaxy-s25&hiq=1")) == ["iphone-16"]
    assert shopper.follow(shopper.get("/krahaso/hiq")).status == 200
    assert "Ende nuk keni zgjedhur pajisje" in shopper.get("/krahaso").words


def test_somebody_elses_comparison_is_looked_at_and_ones_own_stays(shopper, stranger):
    shopper.get("/krahaso/shto?p=tab-a9")
    for headers in ({}, {"Referer": "https://mail.example/krahaso?p=tab-a9x"}, {"Referer": f"{HOST}/celulare"}):
        assert "Google Pixel 9" in shopper.get(PATH, headers=headers).text_of("krahasimi")
    assert chosen(shopper.get("/krahaso")) == ["tab-a9"]
    # Nor does a step on it change one's own.
    shopper.get("/krahaso?p=galaxy-s25", headers={"Referer": HOST + PATH})
    assert chosen(shopper.get("/krahaso")) == ["tab-a9"]
    # Who compares nothing yet goes on with it.
    stranger.get(PATH)
    assert chosen(stranger.get("/krahaso")) == list(FOUR)


@pytest.mark.parametrize("piece", [False, True])
@pytest.mark.parametrize("prefix", ["", "/en"])
def test_each_step_from_ones_own_comparison_is_carried_on(shopper, piece, prefix):
    where = "HX-Current-URL" if piece else "Referer"
    shopper.get(prefix + PATH)
    at = prefix + PATH
    for slugs in (FOUR[:3], FOUR[:2], (*FOUR[:2], "pixel-9")):
        step = f"{prefix}/krahaso?p=" + "&p=".join(slugs)
        shopper.get(step, piece=piece, headers={where: HOST + at})
        assert chosen(shopper.get(f"{prefix}/krahaso")) == list(slugs)
        at = f"{step}&vetem=ndryshimet"


def test_a_fifth_is_refused_in_words_and_nothing_is_lost(shopper):
    for slug in FOUR:
        shopper.get(f"/krahaso/shto?p={slug}")
    said = "Krahasohen deri në 4 pajisje. Hiqni një që të shtoni: Samsung Galaxy Tab A9."
    page = shopper.get("/krahaso/shto?p=tab-a9")
    assert chosen(page) == list(FOUR)
    assert said in shopper.follow(page).words
    piece = shopper.get("/krahaso/shto?p=tab-a9", piece=True)
    assert piece.status == 422
    assert said in piece.words
    assert piece.by_id("zgjedhjet").get("data-compared") == " ".join(FOUR)
    # Nor does an address with five show more than four.
    five = shopper.get(f"{PATH}&p=tab-a9")
    assert said in five.words
    assert len(list(next(five.tree.iter("thead")).iter("th"))) == 4


def test_the_tray_follows_on_every_list_and_names_what_the_script_marks(shopper):
    assert shopper.get("/celulare").by_id("zgjedhjet").get("data-compared") == ""
    piece = shopper.get("/krahaso/shto?p=iphone-16", piece=True)
    assert piece.by_id("zgjedhjet").get("hx-swap-oob") == "true"
    assert "U shtua në krahasim: Apple iPhone 16." in piece.words
    for path in ("/", "/celulare", "/kerko?q=galaxy", "/pajisja/galaxy-s25"):
        tray = shopper.get(path).by_id("zgjedhjet")
        assert tray.get("data-compared") == "iphone-16"
        assert [link.get("href") for link in tray.iter("a")] == ["/krahaso?p=iphone-16", "/krahaso/hiq"]
    gone = shopper.get("/krahaso/hiq", piece=True)
    assert gone.by_id("zgjedhjet").get("data-compared") == ""
    assert shopper.get("/celulare").by_id("zgjedhjet").get("hidden") is not None


def test_htmx_gets_the_table_alone_with_the_focus_on_its_heading(shopper):
    piece = shopper.get("/krahaso?p=galaxy-s25", piece=True, headers={"HX-Trigger": "hiq-iphone-16"})
    assert "<html" not in piece.html
    assert piece.by_id("lista").get("autofocus") is not None
    assert "Krahasohen: Samsung Galaxy S25." in piece.words
    last = shopper.get("/krahaso/hiq", piece=True, headers={"HX-Target": "krahasimi"})
    assert last.headers["HX-Push-Url"] == "/krahaso"
    assert "Ende nuk keni zgjedhur" in last.words


def test_what_is_sold_no_more_is_left_out_and_takes_nobodys_place(shopper, world):
    for slug in FOUR:
        shopper.get(f"/krahaso/shto?p={slug}")
    Device.update(listed=False).where(Device.slug == "iphone-16").execute()
    relist([world.devices["iphone-16"].id], named.NOW)
    page = shopper.get(PATH)
    assert "Çfarë nuk shitet më nga kjo lidhje nuk tregohet këtu." in page.words
    assert "iPhone" not in page.text_of("krahasimi").replace("Krahaso edhe me", "")
    assert chosen(shopper.get("/krahaso/shto?p=tab-a9")) == ["galaxy-s25", "redmi-14", "pixel-9", "tab-a9"]


@pytest.mark.parametrize(
    "query", ["p=nuk-ka", "p=../x&p=<b>", "p=" + "a" * 3000, "p=galaxy-s25&teprica=<b>", "p=&vetem=1"]
)
def test_an_address_that_was_made_up_is_a_page_like_any(shopper, query):
    page = shopper.get(f"/krahaso?{query}")
    assert page.status == 200
    assert faults(page.html, "sq") == []


@pytest.mark.parametrize("cookie", ["", "jo", "1.2.3.x", "0", "999999999", "9" * 30, "1" * 4000, "1" + ".1" * 10])
def test_a_cookie_that_was_made_up_chooses_nothing(shopper, cookie):
    for name in ("krahaso", "pare", "deshirat"):
        shopper.client.set_cookie(name, cookie, domain="shop.test")
    for path in ("/", "/pajisja/galaxy-s25", "/krahaso", "/deshirat", "/te-shikuarat"):
        assert shopper.get(path).status == 200
    assert shopper.get("/krahaso/shto?p=nuk-ka").status == 404
    assert shopper.get("/krahaso/shto").status == 404


@pytest.mark.rule("CAT-5")
def test_a_private_subscriber_compares_the_price_that_is_theirs(shopper, profile):
    assert row(shopper.get(PATH), "Vetëm pajisje")[3] == "48.000 den"
    named.own_number(profile)
    shopper.log_in(profile.email)
    assert row(shopper.get(PATH), "Vetëm pajisje")[3] == "38.400 den më parë 48.000 den"


@pytest.mark.rule("LOC-1")
@pytest.mark.parametrize(("language", "prefix"), [("sq", ""), ("mk", "/mk"), ("en", "/en")])
def test_the_markup_of_the_comparison(shopper, language, prefix):
    for path in (PATH, f"{PATH}&p=tab-a9", f"{PATH}&vetem=1", "/krahaso?p=kellef-s25&p=galaxy-s25", "/krahaso/hiq"):
        page = shopper.get(prefix + path)
        page = shopper.follow(page) if page.location else page
        assert faults(page.html, language) == []
    shopper.get(f"{prefix}/krahaso/shto?p=galaxy-s25")
    assert faults(shopper.get(f"{prefix}/celulare").html, language) == []
    assert faults(shopper.get(f"{prefix}/krahaso/shto?p=iphone-16", piece=True).html) == []


def test_a_comparison_costs_the_same_once_its_devices_are_known(app, shopper, world):
    shopper.get(PATH)
    with assert_query_count(2):
        Browser(app).get(PATH)
    # A list asks for its version alone, whatever is compared.
    shopper.get("/celulare")
    with assert_query_count(1):
        shopper.get("/celulare")


def test_nothing_is_offered_beside_four_and_of_one_kind_beside_fewer(shopper):
    assert shopper.get(PATH).by_id("edhe") is None
    links = shopper.get("/krahaso?p=galaxy-s25").all("a")
    offered = ["".join(link.itertext()).strip() for link in links if (link.get("id") or "").startswith("shto-")]
    assert offered == ["Apple iPhone 16", "Xiaomi Redmi 14", "Google Pixel 9"]
