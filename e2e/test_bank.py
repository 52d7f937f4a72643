"""What the bank's page can end in, seen by the shopper."""

import re

import pytest
from playwright.sync_api import expect

from e2e import journey
from e2e.conftest import arrive


def order(page, email):
    journey.put_in_cart(page, "/pajisja/xiaomi-15")
    journey.to_checkout(page)
    journey.fill_data(page, email)
    journey.fill_delivery(page)
    journey.choose_card(page)
    journey.place(page)
    arrive(page, "**/pay/**")


@pytest.mark.rule("PAY-8")
def test_a_declined_card_can_be_tried_again_at_once(shop, visitor):
    page, email = visitor(), journey.new_email()
    order(page, email)
    journey.pay(page, "decline")
    arrive(page, "**/konfirmimi")

    expect(page.locator("h1")).to_have_text("Pagesa nuk u krye")
    [mail] = shop.wait_for_mail(email)
    page.goto(re.search(r"http://127\.0\.0\.1:\d+/porosia/DY-\S+?/pagesa\?k=[\w.-]+", mail["text"]).group(0))
    page.locator("main form button").click()
    arrive(page, "**/pay/**")
    journey.pay(page)
    arrive(page, "**/konfirmimi")
    expect(page.locator("h1")).to_have_text("Faleminderit, porosia u pranua.")


@pytest.mark.rule("PAY-7")
@pytest.mark.parametrize("card", ["lost_return", "lost_both"])
def test_a_lost_connection_is_settled_without_the_shopper(shop, visitor, card):
    page, email = visitor(), journey.new_email()
    order(page, email)
    number = re.search(r"DY-\w{4}-\w{4}-\w", page.content()).group(0)
    journey.pay(page, card)
    expect(page.locator("#lost")).to_be_visible()

    [mail] = shop.wait_for_mail(email, seconds=40)
    assert number in mail["subject"] + mail["text"]
    page.goto(f"/porosia/{number}/konfirmimi")
    expect(page.locator("h1")).to_have_text("Faleminderit, porosia u pranua.")


@pytest.mark.rule("PAY-7")
def test_the_page_waits_for_the_bank_and_stops_asking_when_it_knows(shop, visitor):
    page, email = visitor(), journey.new_email()
    order(page, email)
    number = re.search(r"DY-\w{4}-\w{4}-\w", page.content()).group(0)
    waiting = page.context.new_page()
    waiting.goto(f"/porosia/{number}/konfirmimi")
    expect(waiting.locator("h1")).to_have_text("Po e kontrollojmë pagesën")
    journey.pay(page, "lost_return")

    expect(waiting.locator("h1")).to_have_text("Faleminderit, porosia u pranua.", timeout=20_000)
    assert waiting.locator("#rezultati").get_attribute("hx-get") is None


@pytest.mark.rule("PAY-6")
@pytest.mark.parametrize("card", ["twice", "forged", "slow"])
def test_odd_messages_of_the_bank_still_give_one_order_and_one_mail(shop, visitor, card):
    page, email = visitor(), journey.new_email()
    order(page, email)
    journey.pay(page, card)
    arrive(page, "**/konfirmimi", timeout=30_000)
    expect(page.locator("h1")).to_have_text("Faleminderit, porosia u pranua.", timeout=20_000)

    shop.wait_for_mail(email)
    page.wait_for_timeout(3000)
    assert len(shop.mails(email)) == 1
