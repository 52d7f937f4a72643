"""Paguaj onlajn in a browser: invoices chosen, paid at the bank, and the receipt (PRO-7)."""

import re

import pytest
from playwright.sync_api import expect

from e2e import journey
from e2e.conftest import DESKTOP, PHONE, arrive, check_accessible
from e2e.owing import log_in, profile_that_owes

PAID = "Faleminderit, pagesa u regjistrua."


@pytest.mark.rule("PRO-7")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_overdue_invoices_are_chosen_and_paid_by_card(shop, visitor, size, scheme):
    email, code = profile_that_owes(shop, -5, 10)
    page = visitor(size=size, scheme=scheme)
    log_in(page, email, "/paguaj")
    overdue, open_ = (page.locator(f"input[value={code}-{number}]") for number in (1, 2))
    expect(overdue).to_be_checked()
    expect(open_).not_to_be_checked()
    expect(page.locator("#shuma")).to_contain_text("1.000 den".replace(" ", "\u00a0"))
    check_accessible(page)

    open_.check()
    expect(page.locator("#shuma")).to_contain_text("3.000 den".replace(" ", "\u00a0"))
    expect(open_).to_be_focused()
    assert "csrf" not in page.url
    overdue.uncheck()
    expect(page.locator("#shuma")).to_contain_text("2.000 den".replace(" ", "\u00a0"))
    overdue.check()

    page.locator("form aside button.btn").first.click()
    arrive(page, "**/pay/**")
    journey.pay(page)
    arrive(page, re.compile(r"/paguaj/FA-"))
    expect(page.locator("h1")).to_have_text(PAID)
    check_accessible(page)
    [mail] = shop.wait_for_mail(email)
    assert f"{code}-1" in mail["text"]
    assert f"{code}-2" in mail["text"]
    page.goto("/paguaj")
    expect(page.locator("main h2").first).to_have_text("Nuk keni fatura të papaguara")
    check_accessible(page)


@pytest.mark.rule("PRO-7")
def test_invoices_are_paid_without_javascript(shop, visitor):
    email, code = profile_that_owes(shop, -5, -6)
    page = visitor(javascript=False)
    log_in(page, email, "/paguaj")
    page.locator(f"input[value={code}-2]").uncheck()
    page.locator("button[name=llogarit]").click()
    expect(page.locator("#shuma")).to_contain_text("1.000\u00a0den")
    expect(page.locator(f"input[value={code}-2]")).not_to_be_checked()
    assert "csrf" not in page.url
    page.locator("form aside button.btn").first.click()
    page.locator("form[data-send] button").click()
    arrive(page, "**/pay/**")
    journey.pay(page)
    page.locator("#return button").click()
    arrive(page, re.compile(r"/paguaj/FA-"))
    expect(page.locator("h1")).to_have_text(PAID)


@pytest.mark.rule("PAY-7")
def test_a_lost_connection_is_settled_by_itself_and_the_page_sees_it(shop, visitor):
    email, code = profile_that_owes(shop, -5)
    page = visitor()
    log_in(page, email, "/paguaj")
    page.locator("form aside button.btn").first.click()
    arrive(page, "**/pay/**")
    journey.pay(page, "lost_both")
    expect(page.locator("#lost")).to_be_visible()
    shop.wait_for_mail(email, seconds=40)
    page.goto("/paguaj")
    page.locator(".rows a.go").first.click()
    expect(page.locator("h1")).to_have_text(PAID)


@pytest.mark.rule("PAY-8")
def test_a_declined_card_can_be_followed_by_another(shop, visitor):
    email, code = profile_that_owes(shop, -5)
    page = visitor()
    log_in(page, email, "/paguaj")
    page.locator("form aside button.btn").first.click()
    arrive(page, "**/pay/**")
    journey.pay(page, "decline")
    arrive(page, re.compile(r"/paguaj/FA-"))
    expect(page.locator("h1")).to_have_text("Pagesa nuk u krye")
    check_accessible(page)
    page.locator("main form button").click()
    arrive(page, "**/pay/**")
    journey.pay(page)
    arrive(page, re.compile(r"/paguaj/FA-"))
    expect(page.locator("h1")).to_have_text(PAID)
