"""Papers in the browser, and the money of a cancelled order on its way back to the card (DLV-4, PAY-9)."""

import io
import re
import sqlite3
import time
from contextlib import closing

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from e2e import journey
from e2e.at_work import log_in
from e2e.conftest import DESKTOP, PHONE, arrive, check_accessible


def ordered(page, email) -> str:
    """A case, ordered and paid by card at the bank's own page; its number."""
    journey.put_in_cart(page, "/pajisja/xiaomi-15")
    journey.to_checkout(page)
    journey.fill_data(page, email)
    journey.fill_delivery(page)
    journey.choose_card(page)
    journey.place(page)
    arrive(page, "**/pay/**")
    journey.pay(page)
    arrive(page, re.compile(r"/porosia/DY-.*/konfirmimi"))
    return journey.number_on(page)


def paper(page, link) -> str:
    """The text of the PDF that a link leads to, as its reader would see it."""
    answer = page.request.get(link.get_attribute("href"))
    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
    return " ".join(" ".join(sheet.extract_text().split()) for sheet in PdfReader(io.BytesIO(answer.body())).pages)


def books(shop, number) -> tuple:
    """What the bank has taken for the order and given back, and whether it was cancelled there."""
    with closing(sqlite3.connect(shop.environment["BANK_SANDBOX_STORE"], timeout=30)) as file:
        asked = "SELECT amount, refunded, voided FROM payment WHERE approved = 1 AND oid LIKE ?"
        return file.execute(asked, (f"{number}-%",)).fetchone()


def until(holds, seconds=30):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.3)


@pytest.mark.rule("DLV-4", "PAY-9", "AFT-2")
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_shopper_opens_the_papers_and_sees_the_money_of_a_cancelled_order_come_back(shop, visitor, size):
    page, email = visitor(size=size), journey.new_email()
    number = ordered(page, email)
    page.goto(f"/porosia/{number}")
    check_accessible(page)
    box = page.locator("section", has=page.locator("#dokumentet"))
    told = paper(page, box.get_by_role("link", name=re.compile("Konfirmimi i porosisë")))
    for words in (number, "Emri Mbiemri", email, "Rruga e Shembullit 12", "Xiaomi 15"):
        assert words in told
    # What comes with the parcel is announced, and opens once it is packed.
    expect(box).to_contain_text("Formulari i pranimit")
    expect(box.get_by_role("link", name=re.compile("Formulari i pranimit"))).to_have_count(0)

    page.get_by_role("button", name="Anulo porosinë").click()
    page.select_option("#arsyeja", "too_slow")
    page.get_by_role("button", name="Po, anuloje").click()
    arrive(page, re.compile(r"u=anuluar"))
    back = page.locator("section", has=page.locator("#kthimi"))
    expect(back).to_contain_text("në kartelë")
    until(lambda: (books(shop, number)[1], books(shop, number)[2]) != (0, 0))
    amount, refunded, voided = books(shop, number)
    assert voided or refunded == amount
    mails = shop.wait_for_mail(email, 3)
    assert [mail["subject"] for mail in mails if "u kthyen" in mail["subject"]]
    page.goto(f"/porosia/{number}")
    expect(back.locator(".tag")).to_have_text("u kthye")
    check_accessible(page)
    note = paper(page, page.get_by_role("link", name=re.compile("Vërtetim për kthimin e parave")))
    assert number in note


@pytest.mark.rule("DLV-4", "DSK-2", "PAY-9")
def test_the_desk_opens_the_papers_and_sees_what_goes_back(shop, visitor):
    shopper, page = visitor(), visitor()
    number = ordered(shopper, journey.new_email())
    log_in(page, shop, "warehouse", "/desk/depo")
    answer = page.request.get(f"/desk/dokumentet.pdf?numri={number}")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
    assert number in PdfReader(io.BytesIO(answer.body())).pages[0].extract_text()
    assert page.request.get(f"/desk/porosite/{number}/dokumentet/pranimi.pdf").status == 200
    assert page.goto("/desk/kthimet").status == 403

    agent = visitor(size=PHONE, scheme="dark")
    log_in(agent, shop, "agent", "/desk/kthimet")
    expect(agent.locator("h1")).to_have_text("Kthimet në kartela")
    # Whether some is still on its way depends on what others cancelled a moment ago.
    expect(agent.locator("#kthimet")).to_be_visible()
    check_accessible(agent)
