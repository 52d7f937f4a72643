"""An editor's day: draft, preview and publishing, a promotion, pieces, an import (DSK-4, CAT-5, CAT-7)."""

import re
from itertools import count

import pytest
from playwright.sync_api import expect

from e2e.at_work import log_in
from e2e.conftest import DESKTOP, PHONE, arrive, check_accessible

HERE = "/desk/katalogu"
SEEN_AS = pytest.mark.parametrize(
    ("size", "scheme", "javascript"),
    [(DESKTOP, "light", True), (PHONE, "dark", True), (PHONE, "light", False)],
    ids=["desktop", "phone-dark", "no-script"],
)
# Each test has a device and a price of its own: they share a shop.
_devices = iter(("samsung-galaxy-s25", "apple-iphone-16", "google-pixel-9a", "samsung-galaxy-a56"))
_prices = count(41_111)
HEADER = "sku,kind,brand,slug,name_sq,name_mk,name_en,released,colour_hex,colour_family,price,stock"


def written(amount):
    return f"{amount:,}".replace(",", ".")


@pytest.mark.rule("DSK-4", "CAT-5")
@SEEN_AS
def test_a_price_goes_through_draft_and_preview_to_the_shop(shop, visitor, size, scheme, javascript):
    page = visitor(size=size, scheme=scheme, javascript=javascript)
    check = check_accessible if javascript else (lambda page: None)
    log_in(page, shop, "editor", HERE)
    check(page)
    slug, price = next(_devices), next(_prices)
    page.goto(f"{HERE}?q={slug}")
    page.locator("#lista tbody th a").first.click()
    arrive(page, re.compile(rf"{HERE}/pajisja/{slug}$"))
    check(page)
    page.locator("table.tbl tbody th a").first.click()
    arrive(page, re.compile("varianti"))
    check(page)
    page.fill("#price", "4.1")
    page.locator("form[action*=varianti] .actions button").click()
    expect(page.locator("#price-error")).to_be_visible()
    check(page)
    page.fill("#price", written(price))
    # Without the promotion that the demo may have.
    page.fill("[id='promo-0-percent']", "")
    page.fill("[id='promo-0-price']", "")
    page.fill("[id='promo-0-from']", "")
    page.fill("[id='promo-0-until']", "")
    page.locator("form[action*=varianti] .actions button").click()
    arrive(page, re.compile(rf"{HERE}/pajisja/{slug}$"))
    expect(page.locator("#drafti")).to_be_visible()
    check(page)
    page.locator("a[href*=pamja]").first.click()
    arrive(page, re.compile("pamja[?]"))
    chosen = page.url.partition("?")[2]
    expect(page.locator("main")).to_contain_text(written(price))
    check(page)
    visitor_page = visitor()
    visitor_page.goto(f"/pajisja/{slug}?{chosen}")
    expect(visitor_page.locator("main")).not_to_contain_text(written(price))
    page.go_back()
    page.fill("#arsyeja", "Java e zezë")
    page.locator("form[action$=publiko] button").click()
    expect(page.locator(".note.ok")).to_be_visible()
    expect(page.locator("#drafti")).to_have_count(0)
    visitor_page.goto(f"/pajisja/{slug}?{chosen}")
    expect(visitor_page.locator("main")).to_contain_text(written(price))


@pytest.mark.rule("DSK-4", "CAT-5")
def test_a_promotion_and_pieces_reach_the_shop(shop, visitor):
    page = visitor()
    log_in(page, shop, "editor", HERE)
    page.goto(f"{HERE}/promocionet")
    check_accessible(page)
    page.goto(f"{HERE}?q=belkin-boostcharge-30w-charger")
    page.locator("#lista tbody th a").first.click()
    arrive(page, re.compile("/pajisja/"))
    page.locator("table.tbl tbody th a").first.click()
    arrive(page, re.compile("varianti"))
    page.fill("#price", "2.000")
    page.fill("[id='promo-0-percent']", "30")
    page.locator("form[action*=varianti] .actions button").click()
    page.locator("form[action$=publiko] button").click()
    expect(page.locator(".note.ok")).to_be_visible()
    page.locator("a[href*=gjendja][href*=sku]").first.click()
    arrive(page, re.compile("gjendja"))
    check_accessible(page)
    page.fill("#levizja", "-5000")
    page.select_option("#arsyeja", "count")
    page.locator("form[action*=gjendja] button").click()
    expect(page.locator("#levizja-error")).to_be_visible()
    page.fill("#levizja", "+12")
    page.locator("form[action*=gjendja] button").click()
    expect(page.locator(".note.ok")).to_be_visible()
    expect(page.locator("table.tbl")).to_contain_text("+12")
    visitor_page = visitor()
    visitor_page.goto("/pajisja/belkin-boostcharge-30w-charger")
    expect(visitor_page.locator("main")).to_contain_text("1.400 den")


@pytest.mark.rule("CAT-7", "DSK-4")
@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_an_import_tells_the_bad_line_and_then_takes_the_good_list(shop, visitor, tmp_path, javascript):
    page = visitor(javascript=javascript)
    check = check_accessible if javascript else (lambda page: None)
    log_in(page, shop, "editor", HERE)
    name = "eins" if javascript else "zwei"
    row = f"E2E-{name},accessory,Anker,e2e-{name},Kabllo {name},Кабел {name},Cable {name},2026-01,#111111,black"
    header, row = f"{HEADER},draw_kind", f"{row},{{price}},4,cable"

    def send(price):
        page.goto(f"{HERE}/importi")
        check(page)
        file = tmp_path / "lista.csv"
        file.write_text(f"{header}\n{row.format(price=price)}\n", "utf-8")
        page.set_input_files("#lista", file)
        page.locator("form[enctype] button").click()
        arrive(page, re.compile(r"importi/\d+$"))

    def wait_for(locator):
        # With a script the page asks by itself; without one its reader does.
        for _ in range(1 if javascript else 40):
            if not javascript and page.locator(locator).count() == 0:
                page.wait_for_timeout(500)
                page.reload()
        expect(page.locator(locator)).to_be_visible(timeout=20_000)

    send("1.299")
    wait_for("#gabimet")
    expect(page.locator("#puna table")).to_contain_text("price")
    expect(page.locator("#puna table tbody th")).to_have_text("2")
    check(page)
    send("1299")
    wait_for("form[action$=konfirmo]")
    check(page)
    page.locator("form[action$=konfirmo] button").click()
    wait_for("#si:has-text('U mor')")
    expect(page.locator("#puna")).not_to_have_attribute("hx-trigger", re.compile("."))
    visitor_page = visitor()
    visitor_page.goto(f"/pajisja/e2e-{name}")
    expect(visitor_page.locator("main")).to_contain_text("1.299 den")
