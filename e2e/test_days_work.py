"""A day's work: a call, another colour, packing, the courier, nobody at home, a new time, delivered, given back, and
the money at the bank; the timeline shows it all (DSK-1, DSK-2, DLV-5, AFT-1, AFT-3, PAY-9, ORD-4)."""

import re
import sqlite3
import time
from contextlib import closing

import pytest
from playwright.sync_api import expect

from e2e.at_work import log_in
from e2e.conftest import arrive, check_accessible
from e2e.journey import (
    choose_card,
    fill_data,
    fill_delivery,
    new_email,
    number_on,
    pay,
    place,
    put_in_cart,
    to_checkout,
)


def bought(page, email) -> str:
    """A device that was really paid at the sandbox bank; the order's number."""
    put_in_cart(page)
    to_checkout(page)
    fill_data(page, email)
    fill_delivery(page)
    choose_card(page)
    place(page)
    pay(page)
    expect(page.locator("h1")).to_contain_text("Faleminderit", timeout=20_000)
    return number_on(page)


def link_in(shop, email, subject, path) -> str:
    """The address that the newest mail with these words in its subject links to under `path`."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for mail in shop.mails(email):
            if subject in mail["subject"] and (found := re.search(rf"http://[^\s\"]+?{path}[^\s\"]*", mail["text"])):
                return found[0]
        time.sleep(0.3)
    raise AssertionError([mail["subject"] for mail in shop.mails(email)])


def is_money_back(shop, number) -> bool:
    """Whether the bank has given the whole payment of the order back."""
    with closing(sqlite3.connect(shop.environment["BANK_SANDBOX_STORE"], timeout=10)) as store:
        query = "SELECT amount, refunded, voided FROM payment WHERE approved = 1 AND oid LIKE ?"
        [(amount, refunded, voided)] = store.execute(query, [f"{number}%"])
    return bool(voided) or refunded == amount


@pytest.mark.rule("DSK-1", "DSK-2", "AFT-1", "AFT-3", "DLV-3", "DLV-5", "ORD-4", "PAY-9")
def test_a_days_work_from_a_call_to_the_money_back(shop, visitor):
    email = new_email()
    customer = visitor()
    number = bought(customer, email)

    # An agent takes the call: who it is, and another colour.
    agent = visitor()
    log_in(agent, shop, "agent", "/desk/porosite")
    agent.fill("#q", number)
    agent.keyboard.press("Enter")
    arrive(agent, f"**/desk/porosite/{number}")
    agent.fill("#numri", number)
    agent.fill("#email", email)
    agent.fill("#telefoni", "070 123 456")
    agent.locator("#thirresi button").click()
    arrive(agent, "**?u=identifikuar")
    other = agent.locator("input[name^=ngjyra-]:not(:checked)").first
    colour = " ".join(other.locator("xpath=..").text_content().split())
    agent.locator(".pick label", has_text=re.compile(rf"^\s*{re.escape(colour)}\s*$")).click()
    agent.fill("#arsyeja", "klienti kërkoi me telefon")
    agent.get_by_role("button", name="Ruaj ndryshimet").click()
    arrive(agent, "**?u=ndryshuar")

    # The warehouse picks the new colour, packs, and hands over by the number.
    warehouse = visitor()
    log_in(warehouse, shop, "warehouse", "/desk/depo")
    row = warehouse.locator("tr", has_text=number)
    expect(row).to_contain_text(colour)
    row.get_by_role("button").click()
    arrive(warehouse, re.compile(r"u=paketuar&sa=1$"))
    warehouse.goto("/desk/depo/korrieri")
    warehouse.fill("#numrat", number)
    warehouse.get_by_role("button", name="Jepja korrierit").click()
    arrive(warehouse, re.compile(r"u=dorezuar-korrierit&sa=1$"))

    # Nobody at home.
    warehouse.goto(f"/desk/depo/porosia/{number}")
    warehouse.select_option("#arsyeja", "not_home")
    warehouse.get_by_role("button", name="Përpjekja nuk doli").click()
    arrive(warehouse, re.compile(r"u=pa-dorezuar$"))

    # The customer is told in writing, by mail and SMS, and chooses a time by the mail's link.
    customer = visitor()
    customer.goto(link_in(shop, email, "nuk u dorëzua", "/porosia/"))
    assert any("/koha/" in sms["text"] for sms in shop.smses("38970123456"))
    customer.locator("#koha input[name=koha]").nth(1).check(force=True)
    customer.get_by_role("button", name="Ruaj kohën").click()
    expect(customer.locator("main")).to_contain_text("Koha u ruajt")

    # Out again, and received against an ID card.
    warehouse.goto("/desk/depo/korrieri")
    expect(warehouse.locator("tr", has_text=number)).to_contain_text("ora 12–15")
    warehouse.fill("#numrat", number)
    warehouse.get_by_role("button", name="Jepja korrierit").click()
    arrive(warehouse, re.compile(r"u=dorezuar-korrierit&sa=1$"))
    warehouse.goto(f"/desk/depo/porosia/{number}")
    warehouse.select_option("#dokumenti", "id_card")
    warehouse.get_by_role("button", name="U dorëzua").click()
    arrive(warehouse, re.compile(r"u=dorezuar$"))

    # The customer withdraws, unopened.
    customer.goto(f"/porosia/{number}/terheqja")
    customer.locator("input[name=arsyeja]").first.check(force=True)
    customer.locator("#e_pahapur").check(force=True)
    customer.get_by_role("button", name="Dërgo kërkesën").click()
    arrive(customer, re.compile(r"u=terheqja"))

    # The agent accepts, the pieces arrive, and the money reaches the bank.
    agent.goto("/desk/ankesat")
    agent.locator("tr", has_text=number).get_by_role("link").first.click()
    agent.locator("#vendimi").check(force=True)
    agent.fill("#pergjigja", "E pranojmë; na e dërgoni.")
    agent.get_by_role("button", name="Dërgo përgjigjen").click()
    arrive(agent, "**?u=pergjigjur")
    assert not is_money_back(shop, number)
    warehouse.goto("/desk/depo/kthimet")
    warehouse.get_by_role("button", name=f"Mund të shiten: {number}").click()
    arrive(warehouse, re.compile(r"u=ne-raft$"))
    deadline = time.monotonic() + 30
    while not is_money_back(shop, number):
        assert time.monotonic() < deadline, "the money is not back"
        time.sleep(0.3)

    # The timeline tells it all: at the desk with who and why, to the customer without names.
    agent.goto(f"/desk/porosite/{number}")
    trail = agent.locator("ol.time").last
    for said in (
        "klienti kërkoi me telefon",
        colour,
        "agent@example.com",
        "U paketua",
        "Iu dha korrierit",
        "nuk ishte në adresë",
        "Koha e dorëzimit u caktua",
        "letërnjoftim",
        "warehouse@example.com",
        "Pajisjet u kthyen në depo",
    ):
        expect(trail).to_contain_text(said)
    check_accessible(agent)
    customer.goto(f"/porosia/{number}")
    for said in ("ngjyra · nga qendra e kontaktit", "U përgatit", "Dërgesa nuk u kry", "Dorëzua", "Banka e ktheu"):
        expect(customer.locator("main")).to_contain_text(re.compile(said, re.I))
    for name in ("agent@", "warehouse@"):
        expect(customer.locator("main")).not_to_contain_text(name)
    check_accessible(customer)
