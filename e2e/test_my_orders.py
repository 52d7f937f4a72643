"""Porositë e mia in a browser: guest orders taken in, searched, filtered, opened (ORD-1)."""

import re

import pytest
from playwright.sync_api import expect

from e2e.conftest import DESKTOP, PHONE, check_accessible
from e2e.owing import log_in, profile_that_owes

# Orders as the checkout would place them, with this contact e-mail and without a profile.
PLACE = """
import sys
from models.base import db, utcnow
from models.cart import Cart
from models.catalogue import Device
from models.checkout import Checkout
from gateways.bank import Verdict

email, *slugs = sys.argv[1:]
now = utcnow()
with db.connection_context():
    for position, slug in enumerate(slugs):
        cart = Cart.begin(now)
        # All of them read: a statement left open would hold an old snapshot, and SQLite refuses to write from one.
        variants = list(Device.get(Device.slug == slug).variants)
        cart.add(next(variant for variant in variants if variant.stock > 3), now)
        checkout = Checkout.of(cart, now)
        typed = dict(
            first_name="Emri", last_name="Mbiemri", email=email, phone="38970123456", street="Rruga 12",
            place="1200", municipality="MK-609", postal_code="1200", payment_way="card",
        )
        for name, value in typed.items():
            setattr(checkout, name, value)
        checkout.save()
        order, payment = checkout.place_order(
            key=checkout.key, seen=checkout.digest(cart.lines(now)), language="sq", now=now
        )[:2]
        if position == 0:
            payment.settle(Verdict.PAID, now)
"""


def place_as_guest(shop, email, *slugs):
    shop.run(PLACE, email, *slugs)


@pytest.mark.rule("ORD-1")
@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_orders_made_as_a_guest_are_taken_in_found_and_opened(shop, visitor, size, javascript):
    check = check_accessible if javascript else (lambda page: None)
    email, _ = profile_that_owes(shop)
    page = visitor(size=size, javascript=javascript, scheme="dark" if size is PHONE else "light")
    log_in(page, email)
    expect(page.locator("main h2").first).to_have_text("Ende nuk keni porosi")
    check(page)

    place_as_guest(shop, email, "samsung-galaxy-s25", "xiaomi-15")
    page.goto("/porosite")
    expect(page.locator("main")).to_contain_text("Gjetëm 2 porosi të bëra me e-postën tuaj")
    check(page)
    page.locator("form[action$=te-mysafirit] button").click()
    expect(page.locator("#lista .order")).to_have_count(2)
    check(page)

    page.fill("#porosia-q", "xiaomi")
    if not javascript:
        page.locator("form[role=search] button:visible").last.click()
    expect(page.locator("#lista .order")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"q=xiaomi"))
    if javascript:
        expect(page.locator("#porosia-q")).to_be_focused()
    page.reload()
    expect(page.locator("#lista .order")).to_have_count(1)
    page.locator("#lista a.go").click()
    expect(page.locator("h1")).to_have_text("Pret pagesën")
    check(page)

    page.goto("/porosite")
    page.select_option("#gjendja", "open")
    if not javascript:
        page.locator("form[role=search] button:visible").last.click()
    expect(page.locator("#lista .order")).to_have_count(2)
    page.goto("/porosite?gjendja=ended")
    expect(page.locator("#lista h2")).to_have_text("Asnjë porosi e tillë")
    check(page)
