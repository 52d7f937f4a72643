"""Katalogu: drafts, preview, publishing, stock and the small tables, as editors meet them (DSK-4, CAT-5)."""

import re

import pytest

from models.catalogue import Device, Gift, Promotion, Tariff, TariffPrice, Variant
from models.device_draft import DeviceDraft
from models.shop_row import ShopRow
from models.stock_movement import StockMovement
from models.trail import AuditEntry
from tests.club import gift, offer
from tests.query_count import assert_query_count
from tests.staff import works
from tests.views.browser import OVERVIEW, Browser
from tests.views.test_html import check

HERE = "/desk/katalogu"
GALAXY = f"{HERE}/pajisja/galaxy-s25"
BLACK = f"{GALAXY}/varianti?sku=S25-BLACK-128"


@pytest.fixture
def editor(app, world) -> Browser:
    works("editor")
    browser = Browser(app)
    assert browser.log_in("editor@example.com").status == 303
    return browser


def sent(browser: Browser, address: str, action: str | None = None, **changed) -> dict:
    """What the form at `address` sends with `changed` in it."""
    return {**browser.get(address).form((action or address).partition("?")[0]), **changed}


def save(browser: Browser, address: str, **changed):
    return browser.post(address, sent(browser, address, **changed))


def publish(browser: Browser, page: str = GALAXY, **changed):
    return browser.post(f"{page}/publiko", sent(browser, page, f"{page}/publiko", **changed))


# Drafts


@pytest.mark.rule("DSK-4", "CAT-5")
def test_a_price_is_drafted_looked_at_and_published(editor, shopper, world):
    page = save(editor, BLACK, price="49.990")
    assert page.location == GALAXY
    told = editor.follow(page)
    assert "52.800 den" in told.words
    assert "49.990 den" in told.words
    # The shop knows nothing of it.
    assert "52.800 den" in shopper.get("/pajisja/galaxy-s25").words
    seen = editor.get(f"{GALAXY}/pamja")
    assert seen.status == 200
    assert "49.990 den" in seen.words
    assert "49.990 den" in seen.text_of("pajisja")
    assert publish(editor, arsyeja="Java e zezë").location == GALAXY
    assert Variant.get(Variant.sku == "S25-BLACK-128").price == 4_999_000
    assert DeviceDraft.select().count() == 0
    assert "49.990 den" in shopper.get("/pajisja/galaxy-s25").words
    assert "49.990 den" in shopper.get("/celulare").words
    entry = AuditEntry.get(AuditEntry.what == "edited")
    assert (entry.who, entry.subject, entry.why) == ("editor@example.com", "device:galaxy-s25", "Java e zezë")
    assert (entry.before, entry.after) == ({"price:S25-BLACK-128": 5_280_000}, {"price:S25-BLACK-128": 4_999_000})


@pytest.mark.rule("DSK-1", "DSK-4")
def test_the_audit_trail_says_what_changed_in_words(app, editor, world):
    save(editor, BLACK, price="49.990")
    works("admin")
    admin = Browser(app)
    admin.log_in("admin@example.com")
    said = admin.get("/desk/gjurma").words
    assert "Çmimi vetëm për pajisjen · S25-BLACK-128: më parë 52.800 den 49.990 den" in said


@pytest.mark.rule("DSK-4")
def test_a_form_that_is_saved_as_it_stands_changes_nothing(editor, world):
    for address in (BLACK, f"{GALAXY}/te-dhenat"):
        assert save(editor, address).status == 303
    for slug, sku in (("redmi-14", "REDMI-GREEN-128"), ("kellef-s25", "CASE-BLACK"), ("sim-pripejd", "SIM-PREPAID")):
        assert save(editor, f"{HERE}/pajisja/{slug}/varianti?sku={sku}").status == 303
        assert save(editor, f"{HERE}/pajisja/{slug}/te-dhenat").status == 303
    assert DeviceDraft.select().count() == 0
    assert AuditEntry.select().where(AuditEntry.what == "drafted").count() == 0


@pytest.mark.rule("DSK-4")
@pytest.mark.parametrize("prefix", ["", "/mk", "/en"])
def test_prices_are_shown_as_they_are_read(editor, world, prefix):
    Variant.update(price=5_280_050).where(Variant.sku == "S25-BLACK-128").execute()
    assert save(editor, prefix + BLACK).status == 303
    assert DeviceDraft.select().count() == 0


@pytest.mark.rule("DSK-4", "CAT-5")
def test_tariffs_promotions_texts_and_the_gift_go_out_together(editor, shopper, world):
    assert (
        save(
            editor,
            BLACK,
            **{
                "besnik24:linja-m": "24.000",
                "new_number:linja-m": "",
                "promo-0-percent": "10",
                "promo-0-from": "2026-03-01T00:00",
                "promo-0-until": "2026-04-01T00:00",
            },
        ).status
        == 303
    )
    texts = {"name_sq": "Galaxy S25 i ri", "gift_sq": "Mbrojtëse", "gift_mk": "Футрола", "gift_en": "Case"}
    assert save(editor, f"{GALAXY}/te-dhenat", **texts).status == 303
    assert Promotion.select().where(Promotion.variant == world["S25-BLACK-128"]).count() == 0
    seen = editor.get(f"{GALAXY}/pamja?lloji=besnik24")
    assert "Galaxy S25 i ri" in seen.words
    assert "Mbrojtëse" in seen.words
    assert "1.000 den" in seen.words
    assert publish(editor).status == 303
    prices = TariffPrice.select(TariffPrice.contract_type, TariffPrice.price).where(
        TariffPrice.variant == world["S25-BLACK-128"]
    )
    assert list(prices.tuples()) == [("besnik24", 2_400_000)]
    page = shopper.get("/pajisja/galaxy-s25").words
    assert "47.520 den" in page
    assert "Galaxy S25 i ri" in page
    assert Gift.get().name_sq == "Mbrojtëse"
    # Its pieces are what they were.
    assert Gift.get().stock == 10
    # The promotion that is shown is the one that is saved again.
    assert save(editor, BLACK).status == 303
    assert DeviceDraft.select().count() == 0


@pytest.mark.rule("DSK-4")
def test_a_new_device_begins_as_a_draft_that_nobody_else_sees(editor, shopper, world):
    typed = {
        "slug": "fold-9",
        "kind": "phone",
        "brand": "Samsung",
        "released": "2026-03",
        "name_sq": "Fold 9",
        "name_mk": "Фолд 9",
        "name_en": "Fold 9",
    }
    made = save(editor, f"{HERE}/pajisja", **typed)
    page = f"{HERE}/pajisja/fold-9"
    assert made.location == page
    assert "Fold 9" in editor.get(HERE).words
    assert "nuk ka variant" in editor.get(f"{page}/pamja").words
    looks = {"colour_hex": "#112233", "colour_family": "blue", "price": "90.000", "sku": "FOLD-9"}
    colours = {"colour_sq": "Blu", "colour_mk": "Сина", "colour_en": "Blue", "storage_gb": "512"}
    assert save(editor, f"{page}/varianti", **looks, **colours).status == 303
    assert "90.000 den" in editor.get(f"{page}/pamja").words
    assert Device.get_or_none(Device.slug == "fold-9") is None
    assert publish(editor, page).status == 303
    assert shopper.get("/pajisja/fold-9").status == 404
    # Pieces come by a movement, then it is shown.
    stock = f"{page}/gjendja?sku=FOLD-9"
    assert save(editor, stock, levizja="+5", arsyeja="delivery").status == 303
    facts = sent(editor, f"{page}/te-dhenat", listed="y")
    assert editor.post(f"{page}/te-dhenat", facts).status == 303
    assert publish(editor, page).status == 303
    assert "90.000 den" in shopper.get("/pajisja/fold-9").words
    assert "Fold 9" in shopper.get("/kerko?q=fold+9").words


@pytest.mark.rule("DSK-4")
@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"price": ""}, "price", "Plotësoni"),
        ({"price": "0"}, "price", "Lejohet nga"),
        ({"price": "1.29"}, "price", "Shkruani shumën"),
        ({"price": "52,800"}, "price", "Shkruani shumën"),
        ({"price": "99999999999"}, "price", "Shkruani shumën"),
        ({"price": "-5"}, "price", "Shkruani shumën"),
        ({"price": "<script>alert(1)</script>"}, "price", "Shkruani shumën"),
        ({"colour_hex": "blu"}, "colour_hex", "#2c2c2f"),
        ({"colour_hex": "#12345g"}, "colour_hex", "#2c2c2f"),
        ({"colour_sq": ""}, "colour_sq", "tria gjuhët"),
        ({"colour_sq": "x" * 61}, "colour_sq", "60"),
        ({"colour_family": "teal"}, "colour_family", "Lejohet"),
        ({"storage_gb": "0"}, "storage_gb", "Lejohet nga 1"),
        ({"storage_gb": "shumë"}, "storage_gb", "numër të plotë"),
        (
            {
                "colour_hex": "#a4bddc",
                "colour_sq": "Blu",
                "colour_mk": "Сина",
                "colour_en": "Blue",
                "storage_gb": "256",
            },
            "colour_hex",
            "S25-BLUE-256",
        ),
        ({"photo": "../../etc/passwd"}, "photo", "pa dosje"),
        ({"screen": "#111111"}, "screen", "3 ngjyra"),
        ({"besnik24:linja-m": "abc"}, "besnik24:linja-m", "Shkruani shumën"),
        ({"promo-0-percent": "95"}, "promo-0-percent", "Lejohet nga 1 deri 90"),
        ({"promo-0-percent": "10", "promo-0-price": "100"}, "promo-0-percent", "jo të dyja"),
        ({"promo-0-price": "60.000"}, "promo-0-price", "nën çmimin"),
        ({"promo-0-from": "2026-03-01T00:00"}, "promo-0-percent", "përqindjen ose çmimin"),
        (
            {"promo-0-percent": "5", "promo-0-from": "2026-03-02T00:00", "promo-0-until": "2026-03-01T00:00"},
            "promo-0-until",
            "pas fillimit",
        ),
        ({"promo-0-percent": "5", "promo-0-from": "nesër"}, "promo-0-from", "2025-11-03T09:00"),
    ],
)
def test_what_is_wrong_with_a_variant_stands_beside_its_field(editor, world, changed, field, said):
    page = save(editor, BLACK, **changed)
    assert page.status == 422
    assert said in page.text_of(f"{field}-error"), page.text_of(f"{field}-error")
    for name, value in changed.items():
        shown = page.by_id(name)
        if shown.tag == "input":
            assert shown.get("value", "") == value
    assert DeviceDraft.select().count() == 0


@pytest.mark.rule("DSK-4")
@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"name_sq": ""}, "name_sq", "Plotësoni"),
        ({"note_sq": "Vetëm shqip"}, "note_mk", "tria gjuhët"),
        ({"gift_en": ""}, "gift_en", "tria gjuhët"),
        ({"released": "03/2025"}, "released", "2025-03"),
        ({"screen_in": "gjashtë"}, "screen_in", "numër"),
        ({"screen_in": "99"}, "screen_in", "Lejohet nga 0.5 deri 40"),
        ({"rear_mp": "pesëdhjetë"}, "rear_mp", "50+12+10"),
        ({"warranty_months": "500"}, "warranty_months", "Lejohet nga 0 deri 120"),
        ({"brand": "SAMSUNG"}, "brand", "Samsung"),
        ({"fits": "galaxy-s25"}, "fits", "pajisje shtesë"),
        ({"kind": "accessory", "draw_kind": "case", "fits": "nuk-ka"}, "fits", "nuk është në dyqan"),
        ({"draw_camera": "round"}, "draw_camera", "kamera"),
    ],
)
def test_what_is_wrong_with_the_facts_stands_beside_its_field(editor, world, changed, field, said):
    page = save(editor, f"{GALAXY}/te-dhenat", **changed)
    assert page.status == 422
    assert said in page.text_of(f"{field}-error"), page.words
    assert DeviceDraft.select().count() == 0


@pytest.mark.rule("DSK-4")
@pytest.mark.parametrize(
    ("slug", "said"),
    [("Galaxy S25", "samsung-galaxy-s25"), ("galaxy-s25", "zënë"), ("", "Plotësoni"), ("a" * 121, "120")],
)
def test_a_new_device_needs_an_address_of_its_own(editor, world, slug, said):
    typed = {
        "kind": "phone",
        "brand": "Samsung",
        "released": "2026-03",
        "name_sq": "X",
        "name_mk": "X",
        "name_en": "X",
    }
    page = save(editor, f"{HERE}/pajisja", slug=slug, **typed)
    assert page.status == 422
    assert said in page.text_of("slug-error")


@pytest.mark.rule("DSK-4")
def test_of_two_editors_the_second_is_told_and_loses_nothing(editor, world):
    works("editor", "second@example.com")
    second = Browser(editor.app)
    second.log_in("second@example.com")
    mine, theirs = sent(second, BLACK), sent(editor, BLACK)
    assert editor.post(BLACK, {**theirs, "price": "50.000", "storage_gb": "64"}).status == 303
    page = second.post(BLACK, {**mine, "price": "51.000", "photo": "s25.jpg"})
    assert page.status == 409
    assert "Dikush e ndryshoi ndërkohë" in page.words
    assert "editor@example.com" in page.words
    assert "50.000 den" in page.words
    again = page.form(BLACK.partition("?")[0])
    assert (again["price"], again["photo"]) == ("51.000", "s25.jpg")
    # What the second did not touch is the first's.
    assert again["storage_gb"] == "64"
    assert second.post(BLACK, again).status == 303
    values = DeviceDraft.get().sheet["variants"]["S25-BLACK-128"]
    assert (values["price"], values["storage_gb"], values["photo"]) == (5_100_000, 64, "s25.jpg")


@pytest.mark.rule("DSK-4")
def test_publishing_tells_when_somebody_saved_meanwhile(editor, world):
    save(editor, BLACK, price="50.000")
    seen = sent(editor, GALAXY, f"{GALAXY}/publiko")
    save(editor, BLACK, price="45.000")
    page = editor.post(f"{GALAXY}/publiko", seen)
    assert page.status == 409
    assert "45.000 den" in page.words
    assert Variant.get(Variant.sku == "S25-BLACK-128").price == 5_280_000
    assert editor.post(f"{GALAXY}/publiko", page.form(f"{GALAXY}/publiko")).status == 303
    assert Variant.get(Variant.sku == "S25-BLACK-128").price == 4_500_000


@pytest.mark.rule("DSK-4")
def test_publishing_is_refused_when_the_shop_changed_and_goes_on_from_there(editor, world):
    save(editor, BLACK, price="50.000")
    Variant.update(ram_gb=12).where(Variant.sku == "S25-BLACK-128").execute()
    page = publish(editor)
    assert page.status == 409
    assert "Dyqani ndryshoi" in page.words
    assert Variant.get(Variant.sku == "S25-BLACK-128").price == 5_280_000
    assert editor.post(f"{GALAXY}/bashko").status == 303
    assert publish(editor).status == 303
    row = Variant.get(Variant.sku == "S25-BLACK-128")
    assert (row.price, row.ram_gb) == (5_000_000, 12)


def test_publishing_twice_and_dropping_twice_are_once(editor, world):
    save(editor, BLACK, price="50.000")
    seen = sent(editor, GALAXY, f"{GALAXY}/publiko")
    assert editor.post(f"{GALAXY}/publiko", seen).status == 303
    assert editor.post(f"{GALAXY}/publiko", seen).status == 303
    assert AuditEntry.select().where(AuditEntry.what == "edited").count() == 1
    save(editor, BLACK, price="49.000")
    for _ in range(2):
        assert editor.post(f"{GALAXY}/hiq").status == 303
    assert DeviceDraft.select().count() == 0
    assert Variant.get(Variant.sku == "S25-BLACK-128").price == 5_000_000


@pytest.mark.rule("CAT-5")
def test_a_shopper_is_told_of_an_edit_between_overview_and_placing(editor, shopper, world):
    shopper.choose(world["S25-BLACK-128"])
    shopper.fill_in()
    shown = shopper.overview()
    save(editor, BLACK, price="54.000")
    # A draft is nobody's business.
    save(editor, BLACK, price="55.000")
    assert publish(editor).status == 303
    told = shopper.confirm(shown)
    assert told.status in (409, 422)
    assert "55.000 den" in told.words
    assert shopper.confirm(shopper.get(OVERVIEW)).status == 303


def test_nothing_of_the_preview_can_be_ordered(editor, world):
    page = editor.get(f"{GALAXY}/pamja")
    form = next(form for form in page.all("form") if form.get("id") == "pajisja")
    assert form.get("action") == f"{GALAXY}/pamja"
    assert editor.post(f"{GALAXY}/pamja", page.form(f"{GALAXY}/pamja")).location.startswith(f"{GALAXY}/pamja")
    piece = editor.get(f"{GALAXY}/pamja?ngjyra=a4bddc&memoria=256&mbaj=ngjyra", piece=True)
    assert "57.600 den" in piece.words
    assert piece.headers["HX-Retarget"] == "#pajisja"


# Stock


@pytest.mark.rule("DSK-4")
def test_pieces_are_moved_with_a_reason_and_sent_twice_once(editor, world):
    address = f"{GALAXY}/gjendja?sku=S25-BLACK-128"
    typed = sent(editor, address, levizja="+10", arsyeja="delivery", shenimi="Faturë 12")
    for _ in range(2):
        assert editor.post(address, typed).status == 303
    assert world.stock("S25-BLACK-128") == 30
    page = editor.get(address)
    assert "30 copë" in page.words
    assert "Furnizim" in page.words
    assert "Faturë 12" in page.words
    entry = AuditEntry.get(AuditEntry.what == "stock_moved")
    assert entry.after == {"stock": 30, "change": 10, "reason": "delivery"}
    assert save(editor, address, levizja="-1.000", arsyeja="damage").status == 422
    assert world.stock("S25-BLACK-128") == 30
    assert StockMovement.select().count() == 1


@pytest.mark.rule("DSK-4")
@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"levizja": "", "arsyeja": "count"}, "levizja"),
        ({"levizja": "0", "arsyeja": "count"}, "levizja"),
        ({"levizja": "dhjetë", "arsyeja": "count"}, "levizja"),
        ({"levizja": "1,5", "arsyeja": "count"}, "levizja"),
        ({"levizja": "9999999", "arsyeja": "count"}, "levizja"),
        ({"levizja": "-21", "arsyeja": "count"}, "levizja"),
        ({"levizja": "1", "arsyeja": ""}, "arsyeja"),
        ({"levizja": "1", "arsyeja": "theft"}, "arsyeja"),
        ({"levizja": "1", "arsyeja": "other"}, "arsyeja"),
    ],
)
def test_a_movement_says_how_many_and_why(editor, world, typed, field):
    page = save(editor, f"{GALAXY}/gjendja?sku=S25-BLACK-128", **typed)
    assert page.status == 422
    assert page.text_of(f"{field}-error")
    assert world.stock("S25-BLACK-128") == 20


@pytest.mark.rule("DSK-4")
def test_what_sold_out_is_in_the_shop_again_with_its_pieces(editor, shopper, world):
    address = f"{HERE}/pajisja/iphone-16/gjendja?sku=IP16-BLACK-256"
    assert save(editor, address, levizja="4", arsyeja="delivery").status == 303
    assert shopper.choose(world["IP16-BLACK-256"]).status == 303
    gift_page = f"{GALAXY}/gjendja"
    assert save(editor, gift_page, levizja="-10", arsyeja="damage").status == 303
    assert "Kufje" not in shopper.get("/pajisja/galaxy-s25").words


# Lists


@pytest.mark.rule("DSK-4")
def test_the_list_finds_by_name_and_sku_and_asks_as_much_of_many_as_of_few(editor, world, many):
    for q, found in (("galaxy", "galaxy-s25"), ("IP16-PINK", "iphone-16"), ("pixel 9", "pixel-9")):
        assert found in editor.get(f"{HERE}?q={q}").words
    assert "Asnjë pajisje" in editor.get(f"{HERE}?q=zzzz").words
    assert "galaxy-s25" not in editor.get(f"{HERE}?lloji=tablet").words
    Device.update(listed=False).where(Device.slug == "pixel-9").execute()
    from models.shelf import relist

    relist([world.devices["pixel-9"].id], world.now)
    hidden = editor.get(f"{HERE}?gjendja=hidden").words
    assert "pixel-9" in hidden
    assert "galaxy-s25" not in hidden
    save(editor, BLACK, price="50.000")
    assert "galaxy-s25" in editor.get(f"{HERE}?gjendja=draft").words
    with assert_query_count(12):
        editor.get(HERE)
    for page in ("?faqe=99", "?faqe=0", "?faqe=x", "?lloji=x&gjendja=y", "?q=%25_'\""):
        assert editor.get(HERE + page).status == 200


@pytest.mark.rule("DSK-4", "CAT-5")
def test_promotions_are_listed_by_when_they_run(editor, world):
    page = editor.get(f"{HERE}/promocionet")
    assert "REDMI-GREEN-128" in page.words
    assert "10.800 den" in page.words
    assert "REDMI" not in editor.get(f"{HERE}/promocionet?koha=over").words
    assert "REDMI" in editor.get(f"{HERE}/promocionet?koha=all").words


# Small tables


def add(browser, table, **typed):
    return browser.post(f"{HERE}/{table}/e-re", sent(browser, f"{HERE}/{table}/e-re", **typed))


@pytest.mark.rule("DSK-4")
def test_a_tariff_is_changed_and_unlisted(editor, shopper, world):
    row = Tariff.get()
    address = f"{HERE}/tarifat/{row.id}"
    assert save(editor, address, monthly_price="949", internet_gb="").status == 303
    assert (Tariff.get().monthly_price, Tariff.get().internet_gb) == (94_900, None)
    assert "949 den" in shopper.get("/pajisja/galaxy-s25?lloji=besnik24").words
    typed = sent(editor, address)
    del typed["listed"]
    assert editor.post(address, typed).status == 303
    assert not Tariff.get().listed
    assert "/muaj" not in shopper.get("/celulare").text_of("lista")
    assert "949 den" in editor.get(f"{HERE}/tarifat").words
    assert "949 den" in editor.get(address).words


@pytest.mark.rule("DSK-4")
@pytest.mark.parametrize(
    ("table", "typed", "field"),
    [
        ("tarifat", {"code": "linja-m", "name": "X", "monthly_price": "1"}, "code"),
        ("tarifat", {"code": "linja m", "name": "X", "monthly_price": "1"}, "code"),
        ("tarifat", {"code": "x", "name": "", "monthly_price": "1"}, "name"),
        ("tarifat", {"code": "x", "name": "X", "monthly_price": "falas"}, "monthly_price"),
        ("tarifat", {"code": "x", "name": "X", "monthly_price": "1", "minutes": "-3"}, "minutes"),
        ("markat", {"name": "samsung"}, "name"),
        ("markat", {"name": "x" * 61}, "name"),
        ("markat", {"name": ""}, "name"),
        ("partneret", {"code": "Kinema", "name": "X"}, "code"),
        ("partneret", {"code": "kinema-qendra", "name": "X"}, "code"),
        ("partneret", {"code": "x", "name": ""}, "name"),
        ("ofertat", {"code": "stop"}, "code"),
        ("ofertat", {"code": "STOP"}, "code"),
        ("ofertat", {"points": "0"}, "points"),
        ("ofertat", {"since": "2026-03-01"}, "since"),
        ("ofertat", {"since": "nesër"}, "since"),
        ("ofertat", {"since": "2026-05-01", "until": "2026-04-01"}, "until"),
        ("ofertat", {"partner": "nuk-ka"}, "partner"),
        ("ofertat", {"name_mk": ""}, "name_mk"),
        ("dhuratat", {"code": "kabllo usb"}, "code"),
        ("dhuratat", {"points": "shumë"}, "points"),
    ],
)
def test_a_bad_row_of_a_small_table_is_refused_beside_its_field(editor, world, table, typed, field):
    offer()
    full = {
        "ofertat": {"code": "KINEMA" if field == "since" else "POP", "partner": "kinema-qendra", "days": "30"},
        "dhuratat": {"code": "maus"},
    }.get(table, {})
    if full:
        full |= {"points": "50", "since": "2026-05-01", "name_sq": "A", "name_mk": "Б", "name_en": "C"}
    page = add(editor, table, **{**full, **typed})
    assert page.status == 422, page.location
    assert page.text_of(f"{field}-error"), page.words


@pytest.mark.rule("DSK-4", "CLB-17")
def test_an_offer_that_counts_already_is_followed_by_another(editor, world):
    first = offer()
    address = f"{HERE}/ofertat/{first.id}"
    refused = save(editor, address, points="999")
    assert refused.status == 422
    assert "Ajo që vlen tashmë" in refused.words
    assert save(editor, address, name_sq="Bileta 2D").status == 303
    page = editor.get(address)
    following = next(a.get("href") for a in page.all("a") if "nga=" in (a.get("href") or ""))
    typed = {**editor.get(following).form(f"{HERE}/ofertat/e-re"), "points": "999"}
    assert editor.post(f"{HERE}/ofertat/e-re", typed).status == 303
    rows = sorted((row.since.isoformat(), row.points) for row in type(first).select())
    assert rows[-1] == ("2026-03-11", 999)
    assert type(first).get_by_id(first.id).until.isoformat() == "2026-03-10"


@pytest.mark.rule("DSK-4")
def test_gifts_of_the_club_and_partners_and_makers(editor, world):
    kept = gift()
    address = f"{HERE}/dhuratat/{kept.id}/gjendja"
    before = kept.stock
    assert save(editor, address, levizja="+3", arsyeja="delivery").status == 303
    assert type(kept).get_by_id(kept.id).stock == before + 3
    assert add(editor, "partneret", code="kafe-sheshi", name="Kafe Sheshi", place="").status == 303
    assert add(editor, "markat", name="Nothing").status == 303
    row = world.devices["galaxy-s25"].brand
    assert save(editor, f"{HERE}/markat/{row.id}", name="Samsung Electronics").status == 303
    assert "Samsung Electronics" in editor.get(HERE).words
    for table in ("tarifat", "ofertat", "dhuratat", "partneret", "markat"):
        assert editor.get(f"{HERE}/{table}").status == 200
        assert editor.get(f"{HERE}/{table}/999999").status == 404
        assert editor.get(f"{HERE}/{table}/99999999999999").status == 404


def test_the_second_editor_of_a_row_is_told(editor, world):
    address = f"{HERE}/tarifat/{Tariff.get().id}"
    mine = sent(editor, address)
    assert save(editor, address, name="Linja XM").status == 303
    page = editor.post(address, {**mine, "monthly_price": "950"})
    assert page.status == 409
    assert "Linja XM" in page.words
    again = page.form(address)
    assert (again["name"], again["monthly_price"]) == ("Linja XM", "950")
    assert editor.post(address, again).status == 303


@pytest.mark.rule("DSK-4", "AFT-5")
def test_shops_are_kept_here_once_they_were_taken_from_the_file(editor, shopper, world):
    address = f"{HERE}/dyqanet"
    assert "Rruga e Shembullit 1" in shopper.get("/dyqanet").words
    assert "nga skedari" in editor.get(address).words
    for _ in range(2):
        assert editor.post(f"{address}/nga-skedari").status == 303
    assert "Rruga e Shembullit 1" in editor.get(address).words
    row = ShopRow.select().order_by(ShopRow.id).first()
    assert save(editor, f"{address}/{row.id}", street_sq="Rruga e Re 5", sunday="9-14").status == 422
    assert save(editor, f"{address}/{row.id}", street_sq="Rruga e Re 5", sunday="09:00-14:00").status == 303
    page = shopper.get("/dyqanet").words
    assert "Rruga e Re 5" in page
    assert "09:00–14:00" in page
    assert "Rruga e Shembullit 1 " not in page
    typed = sent(editor, f"{address}/{row.id}")
    del typed["listed"]
    assert editor.post(f"{address}/{row.id}", typed).status == 303
    assert "Rruga e Re 5" not in shopper.get("/dyqanet").words
    assert "Rruga e Shembullit 2" in shopper.get("/dyqanet").words
    for changed in (
        {"municipality": "MK-000"},
        {"postal_code": "9999"},
        {"street_mk": ""},
        {"weekdays": "gjithmonë"},
    ):
        assert save(editor, f"{address}/{row.id}", **changed).status == 422, changed
    check(editor.get(f"{address}/e-re"), "sq")
    check(editor.get(address), "sq")


# Markup


@pytest.mark.parametrize(("language", "prefix"), [("sq", ""), ("mk", "/mk"), ("en", "/en")])
def test_every_page_is_well_made_in_each_language(editor, world, language, prefix):
    kept, offered = gift(), offer()
    save(editor, BLACK, price="50.000", **{"promo-0-percent": "10"})
    save(editor, f"{GALAXY}/gjendja?sku=S25-BLACK-128", levizja="+1", arsyeja="other", shenimi="x")
    paths = [HERE, f"{HERE}/pajisja", GALAXY, BLACK, f"{GALAXY}/te-dhenat", f"{GALAXY}/varianti", f"{GALAXY}/gjendja"]
    paths += [f"{GALAXY}/gjendja?sku=S25-BLACK-128", f"{GALAXY}/pamja", f"{HERE}/promocionet", f"{HERE}/importi"]
    paths += [f"{HERE}/{table}" for table in ("tarifat", "ofertat", "dhuratat", "partneret", "markat")]
    paths += [f"{HERE}/{table}/e-re" for table in ("tarifat", "ofertat", "dhuratat", "partneret", "markat")]
    paths += [f"{HERE}/ofertat/{offered.id}", f"{HERE}/dhuratat/{kept.id}", f"{HERE}/dhuratat/{kept.id}/gjendja"]
    for path in paths:
        check(editor.get(prefix + path), language)
    for path in (BLACK, f"{GALAXY}/te-dhenat", f"{GALAXY}/gjendja", f"{HERE}/pajisja", f"{HERE}/tarifat/e-re"):
        check(editor.post(prefix + path, {}), language, 422)
    for path in (HERE, f"{HERE}/promocionet", f"{HERE}/tarifat"):
        check(editor.get(prefix + path, piece=True), None)


@pytest.mark.parametrize("path", [f"{HERE}/pajisja/nuk-ka", f"{HERE}/pajisja/A_b", f"{GALAXY}/varianti?sku=X"])
def test_what_is_not_there_is_not_found(editor, path):
    assert editor.get(path).status == 404
    assert not re.search("Traceback", editor.get(path).html)
