"""A device's page with contract types, tariffs and ways of payment, and the way into the cart (OFF-1…4, CAT-5)."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.base import db
from models.cart import Cart, CartLine
from models.catalogue import Tariff, TariffPrice
from models.shelf import relist
from tests import world as named
from tests.query_count import assert_query_count
from tests.views.browser import Browser, rows
from tests.views.test_html import LANGUAGES, check, faults
from views import kept

PATH = "/pajisja/galaxy-s25"
CART = "/shporta"
# A choice of the form, as tests change it.
BESNIK = {
    "slug": "galaxy-s25",
    "ngjyra": "1f2023",
    "memoria": "128",
    "lloji": "besnik24",
    "tarifa": "linja-m",
    "pagesa": "keste",
    "keste": "24",
}
NEW = BESNIK | {"lloji": "numer-i-ri", "pagesa": "kartele"}


@pytest.fixture
def world(world):
    """The named world with more tariffs: the black Galaxy in all of them, the blue one with a new number alone.

    linja-l: 31.190 den, which 24 does not divide; linja-old is no longer sold.
    """
    with db.atomic():
        small = Tariff.create(
            code="linja-s", name="Linja S", monthly_price=59_900, internet_gb=10, minutes=300, position=1
        )
        large = Tariff.create(code="linja-l", name="Linja L", monthly_price=119_900, internet_gb=80, position=3)
        old = Tariff.create(code="linja-old", name="Linja e vjetër", monthly_price=100, listed=False, position=9)
        for sku, tariff, contract_type, price in (
            ("S25-BLACK-128", small, "besnik24", 3_768_000),
            ("S25-BLACK-128", large, "besnik24", 3_119_000),
            ("S25-BLACK-128", old, "besnik24", 100_000),
            ("S25-BLUE-256", small, "new_number", 4_200_000),
        ):
            TariffPrice.create(variant=world[sku], tariff=tariff, contract_type=contract_type, price=price)
        relist([world.devices["galaxy-s25"].id], world.now)
    return world


@pytest.fixture
def member(app, world, profile) -> Browser:
    """Somebody who is logged in, a private subscriber with a number."""
    named.own_number(profile)
    browser = Browser(app)
    browser.log_in(profile.email)
    return browser


def sent_by(page) -> dict[str, str]:
    """The choice that the page's form would send."""
    form = page.form(CART)
    return {name: form[name] for name in ("ngjyra", "memoria", "lloji", "tarifa", "pagesa", "keste") if name in form}


def address(**choice) -> str:
    return f"{PATH}?{'&'.join(f'{name}={value}' for name, value in choice.items())}"


def facts(page) -> dict[str, str]:
    """The rows of the summary."""
    box = page.by_id("permbledhja")
    names, values = ([" ".join("".join(part.itertext()).split()) for part in box.iter(tag)] for tag in ("dt", "dd"))
    return dict(zip(names, values, strict=True))


# OFF-1: the contract types


@pytest.mark.rule("OFF-1")
def test_a_phone_offers_three_contract_types_and_opens_with_the_device_alone(shopper, world):
    page = shopper.get(PATH)
    kinds = {box.get("value"): box for box in page.all("input", name="lloji")}
    assert list(kinds) == ["vetem", "numer-i-ri", "besnik24"]
    assert [box.get("checked") is not None for box in kinds.values()] == [True, False, False]
    assert all(box.get("disabled") is None for box in kinds.values())
    # Per month only what can be paid per month (PAY-3).
    assert "nga 1.080 den/muaj" in page.words
    assert "nga 28.800 den" in page.words
    assert page.all("table", class_="tariffs") == []
    assert page.all("input", name="pagesa") == []


@pytest.mark.rule("OFF-1")
@pytest.mark.parametrize("slug", ["kellef-s25", "sim-pripejd"])
def test_accessories_and_prepaid_sims_have_no_contract_types(shopper, world, slug):
    page = shopper.get(f"/pajisja/{slug}")
    assert page.all("input", name="lloji") == []
    asked = shopper.get(f"/pajisja/{slug}?lloji=besnik24&tarifa=linja-m")
    assert "Besnik 24 është vetëm për celularë dhe tabletë." in asked.words
    assert asked.by_id("kushtet") is None


@pytest.mark.rule("OFF-1")
def test_a_type_without_a_price_for_the_variant_cannot_be_chosen_and_says_so(shopper, world):
    page = shopper.get(address(ngjyra="a4bddc", memoria="256"))
    assert page.by_id("lloji-besnik24").get("disabled") is not None
    assert page.by_id("lloji-numer-i-ri").get("disabled") is None
    assert page.words.count("nuk ofrohet për këtë variant") == 1
    tablet = shopper.get("/pajisja/tab-a9")
    assert tablet.words.count("nuk ofrohet për këtë variant") == 2


@pytest.mark.rule("OFF-1")
def test_a_colour_that_the_contract_type_does_not_come_with_shows_the_device_alone_and_says_why(shopper, world):
    page = shopper.get(address(ngjyra="a4bddc", memoria="256", lloji="besnik24", mbaj="ngjyra"))
    assert "Besnik 24 nuk ofrohet për këtë ngjyrë dhe memorie." in page.words
    assert sent_by(page) == {"ngjyra": "a4bddc", "memoria": "256", "lloji": "vetem"}
    assert page.text_of("sum") == "Çmimi juaj: 57.600 den"


@pytest.mark.rule("OFF-4")
def test_a_guest_reads_that_besnik_24_needs_a_login_and_a_member_does_not(shopper, member, world):
    for _ in range(2):
        assert "kërkon hyrje" in shopper.get(PATH).words
        assert "kërkon hyrje" not in member.get(PATH).words


# OFF-2: tariffs and ways of payment


@pytest.mark.rule("OFF-2")
def test_the_tariff_table_names_each_tariff_with_the_devices_price_in_it(shopper, world):
    page = shopper.get(address(lloji="besnik24"))
    table = [" ".join(" ".join(row.itertext()).split()) for row in page.all("table", class_="tariffs")[0].iter("tr")]
    assert table[1:] == [
        "Linja S 599 den 10 GB 300 37.680 den 24 × 1.570 den me tarifën 2.169 den/muaj",
        "Linja M 899 den 30 GB Pa kufi 25.920 den 24 × 1.080 den me tarifën 1.979 den/muaj",
        # 31.190 den do not divide by 24: both parts are named, none of them wrong by a hundredth.
        "Linja L 1.199 den 80 GB Pa kufi 31.190 den 8 × 1.299,59 den + 16 × 1.299,58 den"
        " me tarifën deri 2.498,59 den/muaj",
    ]
    assert "Linja e vjetër" not in page.words


@pytest.mark.rule("OFF-2")
def test_a_new_number_has_no_instalments_and_its_table_promises_none(shopper, world):
    page = shopper.get(address(lloji="numer-i-ri"))
    assert [box.get("value") for box in page.all("input", name="pagesa")] == ["kartele", "fatura"]
    assert page.all("input", name="keste") == []
    row = " ".join(" ".join(page.all("table", class_="tariffs")[0].iter("tbody").__next__().itertext()).split())
    # (28.800 + 24 × 899) ÷ 24
    assert row == "Linja M 899 den 30 GB Pa kufi 28.800 den njëfish mesatarisht 2.099 den/muaj"
    assert "për abonentë, me hyrje" in page.words


@pytest.mark.rule("OFF-2")
def test_a_contract_opens_with_the_tariff_that_costs_least_and_the_widest_payment(shopper, world):
    besnik = shopper.get(address(lloji="besnik24"))
    assert sent_by(besnik) == {
        "ngjyra": "1f2023",
        "memoria": "128",
        "lloji": "besnik24",
        "tarifa": "linja-m",
        "pagesa": "keste",
        "keste": "24",
    }
    assert [box.get("value") for box in besnik.all("input", name="pagesa")] == ["keste", "kartele", "fatura"]
    assert [box.get("value") for box in besnik.all("input", name="keste")] == ["1", "6", "12", "24"]
    assert sent_by(shopper.get(address(lloji="numer-i-ri")))["pagesa"] == "kartele"


@pytest.mark.rule("OFF-2", "PAY-3")
@pytest.mark.parametrize(
    ("choice", "headline", "rows"),
    [
        (
            {"lloji": "besnik24", "tarifa": "linja-m", "pagesa": "keste", "keste": "24"},
            "1.979 den/muaj Sot 0 den · Linja M, 24 këste",
            {
                "Pajisja, me këste": "24 × 1.080 den",
                "Tarifa Linja M": "899 den/muaj",
                "Në muaj": "1.979 den",
                "Sot paguani": "0 den",
                "Fatura e parë": "1.979 den",
                "Gjithsej për pajisjen": "25.920 den",
                "Pajisja dhe tarifa, 24 muaj": "47.496 den",
            },
        ),
        (
            {"lloji": "besnik24", "tarifa": "linja-m", "pagesa": "keste", "keste": "12"},
            "3.059 den/muaj në 12 muajt e parë · Sot 0 den · Linja M, 12 këste",
            {
                "Pajisja, me këste": "12 × 2.160 den",
                "Muajt 1–12": "3.059 den",
                "Muajt 13–24": "899 den",
                "Fatura e parë": "3.059 den",
                "Pajisja dhe tarifa, 24 muaj": "47.496 den",
            },
        ),
        (
            {"lloji": "besnik24", "tarifa": "linja-m", "pagesa": "keste", "keste": "1"},
            "26.819 den në faturën e parë, pastaj 899 den/muaj · Sot 0 den · Linja M, 1 këst",
            {"Pajisja, me këste": "1 × 25.920 den", "Muaji 1": "26.819 den", "Muajt 2–24": "899 den"},
        ),
        (
            {"lloji": "besnik24", "tarifa": "linja-l", "pagesa": "keste", "keste": "24"},
            "2.498,59 den/muaj në 8 muajt e parë · Sot 0 den · Linja L, 24 këste",
            {
                "Pajisja, me këste": "8 × 1.299,59 den + 16 × 1.299,58 den",
                "Muajt 1–8": "2.498,59 den",
                "Muajt 9–24": "2.498,58 den",
                "Gjithsej për pajisjen": "31.190 den",
                "Pajisja dhe tarifa, 24 muaj": "59.966 den",
            },
        ),
        (
            {"lloji": "besnik24", "tarifa": "linja-l", "pagesa": "keste", "keste": "6"},
            "6.397,34 den/muaj në 2 muajt e parë · Sot 0 den · Linja L, 6 këste",
            {"Muajt 1–2": "6.397,34 den", "Muajt 3–6": "6.397,33 den", "Muajt 7–24": "1.199 den"},
        ),
        (
            {"lloji": "besnik24", "tarifa": "linja-m", "pagesa": "kartele"},
            "25.920 den sot, pastaj 899 den/muaj · Linja M",
            {
                "Pajisja, me kartelë": "25.920 den",
                "Në muaj": "899 den",
                "Sot paguani": "25.920 den",
                "Fatura e parë": "899 den",
                "Pajisja dhe tarifa, 24 muaj": "47.496 den",
            },
        ),
        (
            {"lloji": "besnik24", "tarifa": "linja-s", "pagesa": "fatura"},
            "38.279 den në faturën e parë, pastaj 599 den/muaj · Sot 0 den · Linja S",
            {
                "Pajisja, në faturën e parë": "37.680 den",
                "Muaji 1": "38.279 den",
                "Muajt 2–24": "599 den",
                "Sot paguani": "0 den",
                "Fatura e parë": "38.279 den",
            },
        ),
        (
            {"lloji": "numer-i-ri", "tarifa": "linja-m", "pagesa": "kartele"},
            "28.800 den sot, pastaj 899 den/muaj · Linja M",
            {"Sot paguani": "28.800 den", "Në muaj": "899 den", "Pajisja dhe tarifa, 24 muaj": "50.376 den"},
        ),
        (
            {"lloji": "numer-i-ri", "tarifa": "linja-m", "pagesa": "fatura"},
            "29.699 den në faturën e parë, pastaj 899 den/muaj · Sot 0 den · Linja M",
            {"Sot paguani": "0 den", "Fatura e parë": "29.699 den", "Gjithsej për pajisjen": "28.800 den"},
        ),
        (
            {"lloji": "vetem"},
            "52.800 den E zezë · 128 GB",
            {"Pajisja": "52.800 den", "Dërgesa": "Falas", "Sot paguani": "52.800 den"},
        ),
    ],
)
def test_the_summary_is_right_for_each_combination(shopper, world, choice, headline, rows):
    page = shopper.get(address(**choice))
    assert page.text_of("cmimi").removeprefix("Çmimi juaj: ").removesuffix(" Porosit") == headline
    shown = facts(page)
    assert {name: shown.get(name) for name in rows} == rows
    assert shown["Dhuratë: Kufje Galaxy Buds FE"] == "0 den"
    # What htmx gets says the same.
    part = shopper.get(address(**choice), piece=True)
    assert part.text_of("cmimi") == page.text_of("cmimi")
    assert facts(part) == shown


# In the address


@pytest.mark.parametrize(
    "query",
    [
        "lloji=besnik",
        "lloji=Besnik24",
        "lloji=",
        "lloji=besnik24%0d%0a",
        "lloji=vetem&tarifa=linja-m&keste=24",
        "tarifa=linja-m&pagesa=keste&keste=6",
        "pagesa=pike",
        "keste=7",
    ],
)
def test_what_no_choice_is_made_of_shows_the_page_as_it_opens(shopper, world, query):
    page = shopper.get(f"{PATH}?{query}")
    assert page.status == 200
    assert sent_by(page)["lloji"] == "vetem"
    assert page.text_of("sum") == "Çmimi juaj: 52.800 den"


@pytest.mark.parametrize(
    "query", ["tarifa=linja-x", "tarifa=linja-old", "tarifa=%27--", "pagesa=pike", "keste=7", "keste=-1", "keste=1e1"]
)
def test_unknown_words_within_a_contract_are_no_wish(shopper, world, query):
    page = shopper.get(f"{PATH}?lloji=besnik24&{query}")
    shown = sent_by(page)
    assert (shown["tarifa"], shown["pagesa"], shown["keste"]) == ("linja-m", "keste", "24")
    assert not page.all("p", class_="note")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("lloji=numer-i-ri&tarifa=linja-l", "Linja L nuk ofrohet këtu. Po shihni: Linja M."),
        ("lloji=numer-i-ri&pagesa=keste", "Me këste paguhet vetëm me Besnik 24."),
        ("lloji=vetem&pagesa=keste", "Me këste paguhet vetëm me Besnik 24."),
        ("lloji=vetem&pagesa=fatura", "Në faturën e parë paguhet vetëm me kontratë."),
        ("ngjyra=a4bddc&memoria=256&lloji=besnik24", "Besnik 24 nuk ofrohet për këtë ngjyrë dhe memorie."),
        (
            "ngjyra=a4bddc&memoria=128&lloji=besnik24",
            "Blu, 128 GB nuk prodhohet. Po shihni: Blu, 256 GB. Besnik 24 nuk ofrohet për këtë ngjyrë dhe memorie.",
        ),
    ],
)
def test_a_wish_that_cannot_be_met_is_told(shopper, world, query, words):
    page = shopper.get(f"{PATH}?{query}")
    assert page.status == 200
    assert words in page.words


def test_a_contract_type_that_was_just_chosen_takes_its_own_payment_without_a_word(shopper, world):
    page = shopper.get(address(lloji="numer-i-ri", tarifa="linja-m", pagesa="keste", keste="24", mbaj="lloji"))
    assert sent_by(page)["pagesa"] == "kartele"
    assert not page.all("p", class_="note")


_WORD = st.sampled_from(
    [
        "",
        "vetem",
        "numer-i-ri",
        "besnik24",
        "linja-s",
        "linja-m",
        "linja-l",
        "linja-old",
        "keste",
        "kartele",
        "fatura",
    ]
    + ["1", "6", "12", "24", "7", "128", "256", "1f2023", "a4bddc", "back", "lloji", "tarifa", "pagesa", "porosia"]
)


def _field(*words):
    return st.none() | st.sampled_from(words) | _WORD


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.fixed_dictionaries(
        {
            "ngjyra": _field("1f2023", "a4bddc"),
            "memoria": _field("128", "256"),
            "lloji": _field("vetem", "numer-i-ri", "besnik24"),
            "tarifa": _field("linja-s", "linja-m", "linja-l"),
            "pagesa": _field("keste", "kartele", "fatura"),
            "keste": _field("1", "6", "12", "24"),
            "pamja": _field("back", "side"),
            "mbaj": _field("ngjyra", "memoria", "lloji", "tarifa", "pagesa"),
        }
    )
)
@pytest.mark.rule("OFF-2")
def test_every_choice_can_be_shared_as_an_address(shopper, world, wish):
    """Whatever is asked for, what is then shown has an address that shows it again, and leads to the cart."""
    asked = {name: value for name, value in wish.items() if value is not None}
    page = shopper.get(address(**asked))
    assert page.status == 200
    shown = sent_by(page)
    # The language links of the page are its own address.
    own = page.by_id("gjuha").find(".//a").get("href")
    again = shopper.get(own)
    assert sent_by(again) == shown
    assert not again.all("p", class_="note")
    assert again.text_of("cmimi") == page.text_of("cmimi")
    part = shopper.get(own, piece=True)
    assert part.headers["HX-Push-Url"] == own
    # What was pushed for the wish itself shows the same.
    pushed = shopper.get(address(**asked), piece=True).headers["HX-Push-Url"]
    assert sent_by(shopper.get(pushed)) == shown


@pytest.mark.rule("OFF-2")
def test_the_links_of_the_gallery_and_of_the_languages_keep_the_contract(shopper, world):
    path = address(lloji="besnik24", tarifa="linja-l", pagesa="keste", keste="12")
    page = shopper.get(path)
    back = page.by_id("pamja-back").get("href")
    assert back == f"{path}&pamja=back"
    shown = shopper.get(back)
    assert sent_by(shown) == sent_by(page)
    english = shopper.get("/en" + path)
    assert "12 instalments" in english.words
    assert {link.get("href") for link in english.by_id("gjuha").iter("a")} == {path, f"/mk{path}", f"/en{path}"}


# Without JavaScript


@pytest.mark.rule("OFF-2")
@pytest.mark.parametrize("keep", ["lloji", "tarifa", "pagesa"])
def test_each_choice_has_a_button_without_a_script_that_leads_to_its_address(shopper, world, keep):
    page = shopper.get(address(lloji="besnik24", tarifa="linja-m", pagesa="keste", keste="24"))
    buttons = [button for button in page.all("button", name="mbaj") if button.get("value") == keep]
    assert [(button.get("formmethod"), button.get("formaction")) for button in buttons] == [("get", PATH)]
    form = page.form(CART) | {"mbaj": keep, "tarifa": "linja-l", "keste": "12"}
    shown = shopper.get(address(**form))
    assert shown.status == 303
    assert shown.location == address(lloji="besnik24", tarifa="linja-l", pagesa="keste", keste="12")


@pytest.mark.rule("OFF-3")
@pytest.mark.parametrize("lloji", ["besnik24", "numer-i-ri"])
def test_ordering_a_type_that_the_form_did_not_show_yet_leads_to_what_it_costs(shopper, world, lloji):
    form = shopper.get(PATH).form(CART) | {"lloji": lloji}
    led = shopper.post(CART, form)
    assert led.status == 303
    page = shopper.follow(led)
    assert "Shihni çmimin e asaj që zgjodhët, pastaj porositni." in page.words
    assert sent_by(page)["lloji"] == lloji
    assert CartLine.select().count() == 0


@pytest.mark.rule("OFF-3")
def test_ordering_a_type_that_has_no_instalments_from_a_page_that_showed_them_says_what_to_do(shopper, world):
    form = shopper.get(address(lloji="besnik24")).form(CART) | {"lloji": "numer-i-ri"}
    page = shopper.follow(shopper.post(CART, form))
    assert [" ".join("".join(note.itertext()).split()) for note in page.all("p", class_="note")] == [
        "Shihni çmimin e asaj që zgjodhët, pastaj porositni."
    ]
    assert shopper.post(CART, page.form(CART)).location == CART


@pytest.mark.rule("OFF-3")
def test_ordering_the_device_alone_from_a_page_that_showed_a_contract_leads_to_its_price_first(shopper, world):
    form = shopper.get(address(lloji="besnik24")).form(CART) | {"lloji": "vetem"}
    led = shopper.post(CART, form)
    page = shopper.follow(led)
    assert page.text_of("sum") == "Çmimi juaj: 52.800 den"
    assert CartLine.select().count() == 0
    assert shopper.post(CART, page.form(CART)).location == CART


@pytest.mark.parametrize("gone", ["tarifa", "pagesa", "keste"])
def test_half_a_contract_leads_to_the_page_that_asks_for_the_rest(member, world, gone):
    form = {name: value for name, value in BESNIK.items() if name != gone}
    led = member.post(CART, form)
    assert led.status == 303
    assert urlsplit(led.location).path == PATH
    assert sent_by(member.follow(led))["lloji"] == "besnik24"
    assert CartLine.select().count() == 0


# The small pieces


def region(page, name: str) -> str:
    from xml.etree.ElementTree import tostring

    element = page.by_id(name)
    assert element is not None, f"no #{name}"
    element.tail = None
    element.attrib.pop("hx-swap-oob", None)
    return re.sub(r"\s+", " ", unescape(tostring(element, encoding="unicode")))


def sent_from(page, **changed) -> str:
    """What htmx asks for after a change in the form of `page`."""
    form = page.form(CART)
    names = ("ngjyra", "memoria", "lloji", "tarifa", "pagesa", "keste", "pamja", "shfaqur")
    return address(**({name: form[name] for name in names if name in form} | changed))


@pytest.mark.rule("OFF-2")
@pytest.mark.parametrize(
    ("changed", "there", "not_there"),
    [
        ({"lloji": "numer-i-ri", "mbaj": "lloji"}, ("kushtet", "cmimi", "permbledhja"), ("pajisja", "foto")),
        ({"lloji": "vetem", "mbaj": "lloji"}, ("kushtet", "cmimi", "permbledhja"), ("pajisja", "menyra")),
        ({"tarifa": "linja-l", "mbaj": "tarifa"}, ("cmimi", "permbledhja", "menyra"), ("pajisja", "kushtet")),
        ({"keste": "12", "mbaj": "pagesa"}, ("cmimi", "permbledhja", "kesti"), ("pajisja", "kushtet", "menyra")),
        ({"pagesa": "fatura", "mbaj": "pagesa"}, ("cmimi", "permbledhja", "kesti"), ("pajisja", "menyra")),
    ],
)
def test_a_change_swaps_only_what_follows_it_and_that_is_what_the_page_shows(
    shopper, world, changed, there, not_there
):
    before = shopper.get(address(lloji="besnik24", tarifa="linja-m", pagesa="keste", keste="24"))
    path = sent_from(before, **changed)
    part = shopper.get(path, piece=True)
    whole = shopper.get(part.headers["HX-Push-Url"])
    assert faults(part.html) == []
    assert "HX-Retarget" not in part.headers
    assert "HX-Request" in part.headers["Vary"]
    for name in there:
        assert region(part, name) == region(whole, name)
    for name in not_there:
        assert part.by_id(name) is None
    assert part.text_of("njoftimi").split(",")[0] in part.text_of("sum")
    for name, value in changed.items():
        assert name == "mbaj" or name not in sent_by(whole) or sent_by(whole)[name] == value


@pytest.mark.parametrize(
    "changed",
    [
        # Another colour was chosen just before, and its answer never came.
        {"ngjyra": "a4bddc", "memoria": "256", "lloji": "numer-i-ri", "mbaj": "lloji"},
        # The same with the contract type.
        {"lloji": "numer-i-ri", "tarifa": "linja-m", "mbaj": "tarifa"},
        # What was asked for is no longer there.
        {"tarifa": "linja-l", "lloji": "numer-i-ri", "mbaj": "tarifa"},
    ],
)
def test_a_change_of_what_was_not_shown_yet_swaps_the_whole_form(shopper, world, changed):
    before = shopper.get(address(lloji="besnik24", tarifa="linja-m", pagesa="keste", keste="24"))
    part = shopper.get(sent_from(before, **changed), piece=True)
    assert part.headers["HX-Retarget"] == "#pajisja"
    assert part.by_id("pajisja") is not None
    assert sent_by(part)["lloji"] == "numer-i-ri"


# OFF-3: into the cart


@pytest.mark.rule("OFF-3")
@pytest.mark.parametrize(
    ("choice", "line"),
    [
        ({"lloji": "numer-i-ri", "pagesa": "kartele"}, ("new_number", "linja-m", "card", None, 2_880_000)),
        ({"lloji": "numer-i-ri", "pagesa": "fatura"}, ("new_number", "linja-m", "first_bill", None, 2_880_000)),
        (
            {"lloji": "besnik24", "tarifa": "linja-l", "pagesa": "keste", "keste": "6"},
            ("besnik24", "linja-l", "instalments", 6, 3_119_000),
        ),
        ({"lloji": "besnik24", "pagesa": "kartele"}, ("besnik24", "linja-m", "card", None, 2_592_000)),
        ({"lloji": "besnik24", "pagesa": "fatura"}, ("besnik24", "linja-m", "first_bill", None, 2_592_000)),
        ({"lloji": "vetem"}, ("device_only", None, "card", None, 5_280_000)),
    ],
)
def test_what_the_page_shows_is_what_lands_in_the_cart(member, world, choice, line):
    added = member.post(CART, member.get(address(**choice)).form(CART))
    assert (added.status, added.location) == (303, CART)
    [held] = CartLine.select()
    tariff = held.tariff.code if held.tariff else None
    assert (held.contract_type, tariff, held.payment, held.parts, held.price_seen) == line


@pytest.mark.rule("OFF-4")
def test_a_guest_may_choose_a_new_number_and_a_device_alone(shopper, world):
    assert shopper.post(CART, NEW).location == CART
    assert shopper.choose(world["S25-BLACK-128"]).location == CART
    assert {line.contract_type for line in CartLine.select()} == {"new_number", "device_only"}


@pytest.mark.rule("OFF-3")
@pytest.mark.parametrize("prefix", ["", "/mk", "/en"])
def test_besnik_24_leads_a_guest_through_the_login_and_back_to_the_same_choice(shopper, profile, world, prefix):
    named.own_number(profile)
    chosen = shopper.get(
        prefix + address(lloji="besnik24", tarifa="linja-l", pagesa="keste", keste="6", pamja="back")
    )
    led = shopper.post(f"{prefix}/shporta", chosen.form(f"{prefix}/shporta"))
    assert led.status == 303
    assert urlsplit(led.location).path == f"{prefix}/hyr"
    assert rows(Cart, CartLine).CartLine == 0
    login = shopper.follow(led)
    logged_in = shopper.post(
        f"{prefix}/hyr",
        {**login.form(f"{prefix}/hyr"), "email": profile.email, "password": named.PASSWORD},
    )
    assert logged_in.status == 303
    back = shopper.follow(logged_in)
    assert back.form(f"{prefix}/shporta") | {"csrf_token": ""} == chosen.form(f"{prefix}/shporta") | {
        "csrf_token": ""
    }
    assert len([note for note in back.all("p") if note.get("class") == "note ok"]) == 1
    if not prefix:
        assert "tani mund ta porosisni" in back.words
    added = shopper.post(f"{prefix}/shporta", back.form(f"{prefix}/shporta"))
    assert added.location == f"{prefix}/shporta"
    assert CartLine.get().parts == 6


@pytest.mark.rule("OFF-3")
def test_the_note_after_the_login_is_for_who_has_logged_in(shopper, world):
    page = shopper.get(address(lloji="besnik24", hyri="1"))
    assert "tani mund ta porosisni" not in page.words


@pytest.mark.rule("OFF-3")
@pytest.mark.parametrize(
    "changed",
    [
        {"lloji": "besnik"},
        {"lloji": "besnik24 "},
        {"lloji": "prepaid_sim"},
        {"tarifa": "linja-x"},
        {"tarifa": "linja-old"},
        {"tarifa": "' OR 1=1 --"},
        {"tarifa": "x" * 5000},
        {"pagesa": "pike"},
        {"pagesa": "instalments"},
        {"keste": "7"},
        {"keste": "0"},
        {"keste": "-24"},
        {"keste": "24.0"},
        {"keste": "٢٤"},
        {"keste": "9" * 5000},
        {"lloji": "numer-i-ri"},
        {"lloji": "numer-i-ri", "pagesa": "fatura", "tarifa": "linja-s"},
        {"lloji": "vetem"},
        {"lloji": "vetem", "tarifa": "", "pagesa": "fatura"},
        {"lloji": "vetem", "tarifa": "", "pagesa": "kartele", "keste": "24"},
        {"lloji": ""},
        {"ngjyra": "a4bddc", "memoria": "256"},
        {"slug": "tab-a9", "ngjyra": "8a8d91", "memoria": "64"},
        {"slug": "iphone-16", "ngjyra": "1f2023", "memoria": "256", "lloji": "vetem", "tarifa": "", "pagesa": ""},
    ],
)
def test_a_choice_that_the_page_does_not_offer_is_refused_and_nothing_is_written(shopper, member, world, changed):
    for browser in (shopper, member):
        page = browser.post(CART, BESNIK | changed)
        assert page.status == 422
        assert "Nuk u shtua në shportë" in page.words
        assert faults(page.html, "sq") == []
        back = next(link for link in page.all("a", class_="btn") if "/pajisja/" in link.get("href"))
        assert browser.get(back.get("href")).status == 200
    assert rows(Cart, CartLine) == rows_of(0, 0)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"tarifa": "linja-x"}, "Samsung Galaxy S25 nuk shitet me këtë tarifë."),
        ({"ngjyra": "a4bddc", "memoria": "256"}, "Samsung Galaxy S25 nuk shitet me këtë lloj kontrate."),
        ({"lloji": "numer-i-ri"}, "Samsung Galaxy S25 nuk paguhet kështu me këtë lloj kontrate."),
        ({"pagesa": "pike"}, "Zgjedhja për Samsung Galaxy S25 nuk u kuptua."),
    ],
)
def test_a_refusal_says_what_cannot_be_had(member, world, changed, words):
    assert words in member.post(CART, BESNIK | changed).words


def test_a_choice_that_sold_out_meanwhile_is_refused(member, world):
    form = member.get(address(lloji="besnik24")).form(CART)
    world.set_stock("S25-BLACK-128", 0)
    page = member.post(CART, form)
    assert page.status == 422
    assert "nuk ka më në gjendje" in page.words


def test_a_price_that_left_the_list_meanwhile_is_refused(member, world):
    form = member.get(address(lloji="besnik24")).form(CART)
    with db.atomic():
        TariffPrice.delete().execute()
        relist([world.devices["galaxy-s25"].id], world.now)
    assert member.post(CART, form).status == 422
    assert CartLine.select().count() == 0


# CAT-5: who pays less


@pytest.mark.rule("CAT-5", "ELG-6")
def test_a_promotion_for_private_subscribers_is_told_to_guests_and_given_to_who_it_is_for(app, world):
    browsers = {"guest": Browser(app)}
    for number, (who, segment) in enumerate((("private", "private"), ("business", "business"), ("unknown", None))):
        person = named.profile(f"{who}@example.com")
        if segment:
            named.own_number(person, f"3897010002{number}", segment=segment)
        browsers[who] = Browser(app)
        browsers[who].log_in(person.email)
    # Twice round: who looks first must not decide what the others see.
    for who in (*browsers, *reversed(browsers)):
        page = browsers[who].get("/pajisja/pixel-9")
        assert page.text_of("sum") == f"Çmimi juaj: {'38.400' if who == 'private' else '48.000'} den", who
        assert ("Me hyrje : 38.400 den , për abonentë privatë" in page.words) == (who == "guest"), who
        assert ("Për abonentë privatë −20%" in page.words) == (who == "private"), who
        assert ("38.400" in page.html) == (who in ("guest", "private")), who
    for who, browser in browsers.items():
        browser.post(CART, browser.get("/pajisja/pixel-9").form(CART))
        line = CartLine.select().order_by(CartLine.id.desc()).get()
        assert line.price_seen == (3_840_000 if who == "private" else 4_800_000), who
        cart = browser.get(CART).text_of("cart-contents")
        assert ("38.400 den" in cart) == (who == "private"), who


@pytest.mark.rule("CAT-5")
def test_the_guests_hint_leads_through_the_login_back_to_the_device(shopper, world):
    page = shopper.get("/pajisja/pixel-9")
    links = [link for link in page.all("a") if "".join(link.itertext()) == "Me hyrje"]
    assert [parse_qs(urlsplit(link.get("href")).query)["next"] for link in links] == [["/pajisja/pixel-9"]]


# Kept for everybody


CHOICES = [
    {},
    {"lloji": "besnik24"},
    {"lloji": "besnik24", "hyri": "1"},
    {"lloji": "besnik24", "tarifa": "linja-l", "pagesa": "fatura"},
    {"lloji": "numer-i-ri", "pagesa": "fatura"},
    {"lloji": "vetem", "pagesa": "keste"},
]


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("member_first", [True, False])
def test_a_kept_page_holds_nothing_of_the_one_it_was_drawn_for(shopper, member, profile, world, choice, member_first):
    member.choose(world["CASE-BLACK"])
    order = [member, shopper] if member_first else [shopper, member]
    for browser in order:
        browser.get(address(**choice))
    for parts, _ in kept._kept.values():
        text = b"".join(text for text, _ in parts).decode()
        for personal in (profile.email, profile.first_name, "kërkon hyrje", "Keni hyrë"):
            assert personal not in text
        assert not re.search(r'name="csrf_token" value="[^"]', text)
    guest = shopper.get(address(**choice))
    assert profile.email not in guest.html
    assert "kërkon hyrje" in guest.words
    assert "Keni hyrë" not in guest.words
    assert "0 artikuj" in guest.by_id("cart-icon").get("aria-label")


def test_made_up_addresses_fill_the_store_of_kept_pages_with_nothing(shopper, world):
    shopper.get(PATH)
    shopper.get(address(lloji="besnik24"))
    before = set(kept._kept)
    for number in range(20):
        shopper.get(address(tarifa=f"linja-{number}", keste=number, shfaqur=number, hyri=number, x=number))
        shopper.get(address(lloji="besnik24", tarifa=f"t{number}", keste=100 + number, pamja=f"v{number}"))
        shopper.get(address(lloji=f"l{number}", ngjyra=f"{number:06x}", memoria=number + 1000))
    assert set(kept._kept) == before


@pytest.mark.parametrize("choice", CHOICES)
def test_a_page_with_a_contract_asks_few_queries_and_a_kept_one_only_for_the_version(shopper, world, choice):
    with assert_query_count(8):
        shopper.get(address(**choice))
    with assert_query_count(1):
        shopper.get(address(**choice))
    with assert_query_count(1):
        page = shopper.get(address(**choice))
    with assert_query_count(1):
        shopper.get(sent_from(page, mbaj="pagesa"), piece=True)


def test_a_member_pays_for_the_segment_only_where_the_price_depends_on_it(member, world):
    member.get(PATH)
    # The version and the profile; then also its numbers.
    with assert_query_count(2):
        member.get(PATH)
    member.get("/pajisja/pixel-9")
    with assert_query_count(3):
        member.get("/pajisja/pixel-9")


# The markup


@LANGUAGES
@pytest.mark.parametrize("choice", CHOICES)
def test_the_markup_of_each_choice(shopper, member, world, language, prefix, choice):
    check(shopper.get(prefix + address(**choice)), language)
    check(member.get(prefix + address(**choice)), language)
    check(shopper.get(prefix + address(**choice), piece=True), None)


@LANGUAGES
def test_the_markup_of_a_refusal_and_of_a_sold_out_contract(shopper, world, language, prefix):
    check(shopper.post(f"{prefix}/shporta", BESNIK | {"tarifa": "x"}), language, 422)
    world.set_stock("S25-BLACK-128", 0)
    page = check(shopper.get(f"{prefix}{PATH}?ngjyra=1f2023&memoria=128&lloji=besnik24"), language)
    assert [button.get("disabled") for button in page.by_id("cmimi").iter("button")] == [""]


def rows_of(carts: int, lines: int):
    from types import SimpleNamespace

    return SimpleNamespace(Cart=carts, CartLine=lines)
