"""What a guest does on the way from a device to an order, step by step."""

import re
from itertools import count

from e2e.conftest import arrive
from gateways.sandbox.bank import TEST_CARDS

CONFIRMED = re.compile(r"/porosia/DY-.*/konfirmimi")
_numbers = count(1)


def new_email() -> str:
    return f"shopper{next(_numbers)}@example.com"


def put_in_cart(page, path="/pajisja/samsung-galaxy-s25"):
    page.goto(path)
    page.locator("#cmimi button").click()
    arrive(page, "**/shporta")


def to_checkout(page, check=lambda page: None):
    check(page)
    page.locator("#cart-contents a.btn").first.click()
    arrive(page, "**/porosia/te-dhenat")


def fill_data(page, email):
    page.fill("#first_name", "Emri")
    page.fill("#last_name", "Mbiemri")
    page.fill("#email", email)
    page.fill("#phone", "070 123 456")
    page.locator("#hapi .actions button").click()
    arrive(page, "**/porosia/dergesa")


def fill_delivery(page):
    page.fill("#street", "Rruga e Shembullit 12, hyrja 2")
    page.select_option("#place", "1200")
    if page.locator("#municipality").input_value() == "":
        page.select_option("#municipality", "MK-609")
    page.locator("#hapi .actions button").click()
    arrive(page, "**/porosia/pagesa")


def choose_card(page):
    page.locator("#hapi .actions button").click()
    arrive(page, "**/porosia/pasqyra")


def place(page):
    page.check("#terms")
    page.locator("button.confirm").click()


def pay(page, card="approve"):
    """Type the card and the code of 3-D Secure on the bank's page."""
    page.fill("#number", TEST_CARDS[card].number)
    page.fill("#expiry", "12/39")
    page.fill("#cvv", "123")
    page.locator("button[name=action][value=pay]").click()
    arrive(page, "**/3ds")
    page.fill("#code", "123456")
    page.locator("#code-form button[value=confirm]").click()


def to_bank(page, javascript=True):
    """On from the shop's own page towards the bank, which sends itself only where scripts run."""
    if not javascript:
        page.locator("form[data-send] button").click()
    arrive(page, "**/pay/**")


def pay_and_return(page, javascript=True, card="approve", to=CONFIRMED):
    """Pay on the bank's page and arrive `to`; the result hands itself over only where scripts run."""
    pay(page, card)
    if not javascript:
        page.locator("#return button").click()
    arrive(page, to)


def place_and_pay(page, javascript=True, card="approve"):
    """From the overview to the order's confirmation, by way of the bank."""
    place(page)
    if not javascript:
        arrive(page, re.compile(r"/porosia/DY-.*/pagesa"))
    to_bank(page, javascript)
    pay_and_return(page, javascript, card)


def number_on(page) -> str:
    return re.search(r"DY-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]", page.content()).group(0)
