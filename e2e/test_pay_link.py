"""Somebody else pays, in two browsers: the shopper sends a link, and the payer pays by it (PAY-8, PRV-2)."""

import re

import pytest
from playwright.sync_api import expect

from e2e.conftest import DESKTOP, PHONE, arrive, check_accessible
from e2e.journey import (
    choose_card,
    fill_data,
    fill_delivery,
    new_email,
    number_on,
    pay_and_return,
    put_in_cart,
    to_bank,
    to_checkout,
)


@pytest.mark.rule("PAY-8")
@pytest.mark.parametrize(
    ("size", "scheme", "javascript"), [(PHONE, "dark", True), (DESKTOP, "light", False)], ids=["phone", "no-script"]
)
def test_an_order_is_placed_for_somebody_else_who_pays_it_by_the_link(shop, visitor, size, scheme, javascript):
    check = check_accessible if javascript else (lambda page: None)
    page = visitor(size=size, scheme=scheme, javascript=javascript)
    put_in_cart(page)
    to_checkout(page)
    # The reminder's box is there, and empty.
    expect(page.locator("#kujtesa")).not_to_be_checked()
    fill_data(page, email := new_email())
    fill_delivery(page)
    choose_card(page)
    page.check("#terms")
    page.locator("button[name=paguan]").click()
    arrive(page, "**/paguan-tjeter")
    check(page)
    number = re.search(r"DY-[0-9A-Z-]+", page.url)[0]
    address = page.locator("#adresa").input_value()

    payer = visitor(size=size, scheme=scheme, javascript=javascript)
    payer.goto(address)
    expect(payer.locator("main .lines b")).to_contain_text("Galaxy S25")
    expect(payer.locator("body")).not_to_contain_text(number)
    check(payer)
    payer.locator("main form button").click()
    to_bank(payer, javascript)
    payer.wait_for_selector("#number")
    assert number not in payer.content()
    pay_and_return(payer, javascript, to="**/paguar-per/*")
    expect(payer.locator("h1")).to_have_text("Faleminderit, pagesa u krye.")
    check(payer)
    for secret in (number, email, "Mbiemri", "Rruga e Shembullit", "Galaxy"):
        assert secret not in payer.content()
    payer.fill("#email", new_email())
    payer.locator("#rezultati form button").click()
    expect(payer.locator("#rezultati .note.ok")).to_be_visible()
    # The link is over for whoever has it.
    payer.goto(address)
    expect(payer.locator("h1")).to_have_text("Faleminderit!")
    check(payer)

    if not javascript:
        page.reload()
    # With a script the shopper's page finds out by itself.
    arrive(page, "**/konfirmimi")
    assert number_on(page) == number
