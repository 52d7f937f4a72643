"""Waiting for a device, and looking for one by what it costs a month, as shoppers do it."""

import re

import pytest
from playwright.sync_api import expect

from e2e.conftest import arrive
from e2e.journey import new_email

# The variant of the demo that is sold out; it comes back as the desk's delivery would bring it.
COME_BACK = """
import sys
from models.base import db, utcnow
from models.catalogue import Variant
from models.shelf import relist
with db.connection_context(), db.atomic():
    Variant.update(stock=int(sys.argv[2])).where(Variant.sku == sys.argv[1]).execute()
    relist([Variant.get(Variant.sku == sys.argv[1]).device_id], utcnow())
"""
SKU = "GOO-P9-OBSIDIAN-128"


@pytest.mark.rule("PRV-2")
@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_a_guest_is_told_once_when_a_device_is_back_and_stops_with_one_button(shop, visitor, javascript):
    shop.run(COME_BACK, SKU, "0")
    page, email = visitor(javascript=javascript), new_email()
    page.goto("/pajisja/google-pixel-9")
    page.locator("#permbledhja").get_by_role("link", name="Më trego kur të kthehet").click()
    arrive(page, "**/njoftim?*")
    page.fill("#email", email)
    page.locator("#njoftim form button").click()
    arrive(page, "**/njoftime/derguar")

    [asked] = shop.wait_for_mail(email)
    page.goto(re.search(r"http\S+/njoftime/konfirmimi/\S+", asked["text"])[0])
    page.locator("main form button").click()
    expect(page.locator("main .note")).to_contain_text("U konfirmua")
    shop.run(COME_BACK, SKU, "2")
    told = shop.wait_for_mail(email, 2)[0]
    assert told["subject"] == "Google Pixel 9 është përsëri në gjendje"
    page.goto(re.search(r"http\S+/njoftime/ndal/\S+", told["text"])[0])
    expect(page.locator("main .note")).to_contain_text("mbaroi")
    page.get_by_role("button", name="Ndali të gjitha").click()
    expect(page.locator("main .note")).to_contain_text("I ndalëm të gjitha")


@pytest.mark.rule("OFF-2")
@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_a_budget_leads_to_the_very_choice_that_it_counted(shop, visitor, javascript):
    page = visitor(javascript=javascript)
    page.goto("/buxheti")
    everything = page.locator("#rezultatet .row .muted").first.inner_text()
    page.fill("#deri", "1200")
    page.locator("#buxheti button").click()
    expect(page.locator("#lista")).to_have_text("Deri në 1.200 den në muaj")
    expect(page.locator("#rezultatet .row .muted").first).not_to_have_text(everything)
    assert "deri=1200" in page.url
    monthly = page.locator("#produktet .card .price").first.inner_text()
    page.locator("#produktet .card a").first.click()
    arrive(page, "**/pajisja/**")
    expect(page.locator("#sum")).to_contain_text(monthly)
