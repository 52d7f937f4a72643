"""Coming back in a browser: an order in two clicks and a tick, and the same order again (CHK-2, CHK-3)."""

import re

import pytest
from playwright.sync_api import expect

from e2e import journey
from e2e.conftest import DESKTOP, PHONE, arrive, check_accessible
from e2e.member import log_in, member_with


@pytest.mark.rule("CHK-2", "CHK-3")
@pytest.mark.parametrize(("size", "javascript"), [(PHONE, True), (DESKTOP, False)], ids=["phone", "no-script"])
def test_who_comes_back_orders_in_two_clicks_and_then_once_more(shop, visitor, size, javascript):
    check = check_accessible if javascript else (lambda page: None)
    email, _ = member_with(shop)
    page = visitor(size=size, javascript=javascript, scheme="dark" if size is PHONE else "light")
    log_in(page, email, "/profili/adresat/shto")
    page.fill("#street", "Rruga e Shembullit 12")
    page.select_option("#place", "1200")
    page.select_option("#municipality", "MK-609")
    check(page)
    page.locator("#adresa button").click()
    arrive(page, "**/profili/adresat?u=ruajtur")
    check(page)
    # A name is the one thing that is not known yet: it is typed once, with the first order.
    journey.put_in_cart(page)
    page.locator("#cart-contents a.btn").first.click()
    arrive(page, "**/porosia/te-dhenat")
    page.fill("#last_name", "Mbiemri")
    page.fill("#phone", "070 123 456")
    page.locator("#hapi .actions button").click()
    arrive(page, "**/porosia/dergesa")
    expect(page.locator("[name=adresa]:checked")).to_have_count(1)
    page.locator("details.change summary").click()
    page.fill("#gift_note", "Gëzuar!")
    page.locator("label:has(#wish-9-12)").click()
    check(page)
    page.locator("#hapi .actions button").click()
    arrive(page, "**/porosia/pagesa")
    journey.choose_card(page)
    expect(page.locator("#hapi")).to_contain_text("Gëzuar!")
    journey.place_and_pay(page, javascript)
    page.get_by_role("link", name="Ndiq porosinë").click()
    arrive(page, "**/porosia/DY-*")
    with page.expect_download():
        page.get_by_role("link", name="Shto në kalendar").click()
    check(page)

    # The same again: one press fills the cart, one click leads to the overview, the second one orders.
    page.locator("form[action$=perseri] button").click()
    arrive(page, "**/shporta")
    page.locator("#cart-contents a.btn").first.click()
    arrive(page, "**/porosia/pasqyra?gati=1")
    expect(page.locator("#hapi")).to_contain_text("Rruga e Shembullit 12, 1200 Tetovë")
    expect(page.locator("#hapi")).not_to_contain_text("Gëzuar!")
    expect(page.locator("#terms")).not_to_be_checked()
    check(page)
    journey.place(page)
    arrive(page, "**/pay/**" if javascript else re.compile(r"/porosia/DY-.*/pagesa"))
