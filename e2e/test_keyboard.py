"""Whole journeys with the keyboard alone, the focus always in sight: as a guest, with Besnik 24, with points, and
giving back what was bought."""

import re

import pytest
from playwright.sync_api import expect

from e2e import journey
from e2e.conftest import arrive
from e2e.keyboard import Keyboard
from e2e.member import PASSWORD, member_with
from e2e.ordered import ordered
from gateways.sandbox.bank import TEST_CARDS

PHONE_PAGE = "/pajisja/samsung-galaxy-s25"
ON = "#hapi .actions button"


def log_in(keyboard, email):
    arrive(keyboard.page, re.compile("/hyr"))
    keyboard.type_into("#email", email)
    keyboard.type_into("#password", PASSWORD)
    keyboard.press("Enter")


def type_delivery(keyboard):
    """The place by its first letters; the postal code and the municipality follow it."""
    page = keyboard.page
    arrive(page, "**/porosia/dergesa")
    keyboard.type_into("#street", "Rruga 1")
    with page.expect_response("**/dergesa/kodi**"):
        keyboard.type_into("#place", "Tet")
    expect(page.locator("#postal_code")).to_have_value("1200")
    if page.locator("#municipality").input_value() == "":
        keyboard.type_into("#municipality", "Tet")
    keyboard.enter(ON)
    arrive(page, "**/porosia/pagesa")


def place(keyboard):
    keyboard.tick("#terms")
    keyboard.enter("button.confirm")


def pay(keyboard):
    """The card and the code of 3-D Secure on the bank's pages, and back."""
    page = keyboard.page
    arrive(page, "**/pay/**")
    keyboard.type_into("#number", TEST_CARDS["approve"].number)
    keyboard.type_into("#expiry", "12/39")
    keyboard.type_into("#cvv", "123")
    keyboard.enter("button[name=action][value=pay]")
    arrive(page, "**/3ds")
    keyboard.type_into("#code", "123456")
    keyboard.enter("#code-form button[value=confirm]")


def confirmed(shop, page, email):
    arrive(page, journey.CONFIRMED)
    expect(page.locator("h1")).to_have_text("Faleminderit, porosia u pranua.")
    [mail] = shop.wait_for_mail(email)
    assert journey.number_on(page) in mail["subject"] + mail["text"]


@pytest.mark.rule("CHK-1", "CHK-6", "PAY-5")
def test_a_guest_buys_with_the_keyboard_alone(shop, visitor):
    page, email = visitor(), journey.new_email()
    keyboard = Keyboard(page)

    page.goto("/")
    keyboard.tab_to(".skip", most=1)
    keyboard.press("Enter")
    keyboard.enter(".cards h3 a")
    arrive(page, "**/pajisja/**")
    keyboard.enter("#cmimi button")
    arrive(page, "**/shporta")
    keyboard.enter("#cart-contents a.btn")
    arrive(page, "**/porosia/te-dhenat")
    keyboard.type_into("#first_name", "Emri")
    keyboard.type_into("#last_name", "Mbiemri")
    keyboard.type_into("#email", email)
    keyboard.type_into("#phone", "070123456")
    keyboard.press("Enter")
    type_delivery(keyboard)
    # Back for another look: what was typed is still there.
    keyboard.enter(".steps a[href$='/te-dhenat']")
    arrive(page, "**/porosia/te-dhenat")
    expect(page.locator("#last_name")).to_have_value("Mbiemri")
    keyboard.enter(ON)
    arrive(page, "**/porosia/dergesa")
    expect(page.locator("#street")).to_have_value("Rruga 1")
    keyboard.enter(ON)
    arrive(page, "**/porosia/pagesa")
    keyboard.enter(ON)
    arrive(page, "**/porosia/pasqyra")
    place(keyboard)
    pay(keyboard)

    confirmed(shop, page, email)


@pytest.mark.rule("CHK-1", "CHK-6", "OFF-1", "OFF-3", "PAY-1", "PAY-3")
def test_besnik_24_is_ordered_in_instalments_with_the_keyboard_alone(shop, visitor):
    email, msisdn = member_with(shop)
    page = visitor()
    keyboard = Keyboard(page)

    page.goto(PHONE_PAGE)
    keyboard.choose("#lloji-besnik24")
    expect(page.locator("#pagesa-keste")).to_be_checked()
    keyboard.choose("#tarifa-linja-m")
    expect(page.locator("#cmimi small")).to_contain_text("Linja M, 24 këste")
    keyboard.choose("#keste-12", "ArrowLeft")
    expect(page.locator("#cmimi small")).to_contain_text("Linja M, 12 këste")
    keyboard.enter("#cmimi button")
    # A contract on one's own number begins with the login, and what was chosen stays.
    log_in(keyboard, email)
    arrive(page, re.compile("//[^/]+/pajisja/"))
    expect(page.locator("#keste-12")).to_be_checked()
    keyboard.enter("#cmimi button")
    arrive(page, "**/shporta")
    keyboard.enter("#cart-contents a.btn")
    arrive(page, "**/porosia/numri")
    keyboard.choose(f"[name=numri][value='{msisdn}']")
    keyboard.enter(ON)
    arrive(page, "**/porosia/te-dhenat")
    keyboard.type_into("#last_name", "Mbiemri")
    keyboard.type_into("#phone", "070 123 456")
    keyboard.press("Enter")
    type_delivery(keyboard)
    keyboard.choose("[name^='pagesa-'][value='card']")
    keyboard.choose("[name^='pagesa-'][value='instalments']", "ArrowUp")
    keyboard.choose("[name^='keste-'][value='6']", "ArrowLeft")
    expect(page.locator(".parts-6")).to_be_visible()
    keyboard.enter(ON)
    arrive(page, "**/porosia/pasqyra")
    expect(page.locator("#hapi")).to_contain_text("Me këste në faturë: 6 ×")
    place(keyboard)

    confirmed(shop, page, email)
    expect(page.locator("#rezultati")).to_contain_text("Besnik 24 · Linja M")


@pytest.mark.rule("CHK-6", "PAY-4", "PAY-5")
def test_a_member_pays_in_part_with_points_with_the_keyboard_alone(shop, visitor):
    email, _ = member_with(shop, 3480)
    page = visitor()
    keyboard = Keyboard(page)

    page.goto(PHONE_PAGE)
    keyboard.enter("#cmimi button")
    arrive(page, "**/shporta")
    keyboard.enter("#cart-contents .note a")
    log_in(keyboard, email)
    arrive(page, re.compile("//[^/]+/shporta$"))
    keyboard.enter("#cart-contents a.btn")
    arrive(page, "**/porosia/te-dhenat")
    keyboard.type_into("#last_name", "Mbiemri")
    keyboard.type_into("#phone", "070 123 456")
    keyboard.press("Enter")
    type_delivery(keyboard)
    keyboard.tab_to("#pike-shiriti")
    keyboard.press("End")
    expect(page.locator("#pike-vlera")).to_contain_text("3.480 pikë")
    keyboard.type_into("#pike", "998")
    expect(page.locator("#pike-vlera")).to_contain_text("998 pikë")
    keyboard.tab_to("#pike-shiriti", back=True)
    keyboard.press("ArrowRight")
    expect(page.locator("#pike")).to_have_value("1000")
    expect(page.locator("#pike-vlera")).to_contain_text("1.000 pikë")
    keyboard.enter(ON)
    arrive(page, "**/porosia/pasqyra")
    expect(page.locator("#hapi")).to_contain_text("Me 1.000 pikë")
    place(keyboard)
    pay(keyboard)

    confirmed(shop, page, email)
    expect(page.locator("#rezultati")).to_contain_text("me 1.000 pikë")


@pytest.mark.rule("AFT-3", "CHK-6")
def test_part_of_an_order_is_given_back_with_the_keyboard_alone(shop, visitor):
    email = journey.new_email()
    _, link = ordered(shop, email, "delivered", "samsung-galaxy-s25", "xiaomi-15")
    page = visitor()
    keyboard = Keyboard(page)

    page.goto(link)
    keyboard.enter("main a[href$='/terheqja']")
    arrive(page, "**/terheqja")
    keyboard.choose("#cka-disa")
    keyboard.tick("#linjat input")
    keyboard.type_into("#teksti", "Mora edhe një tjetër.")
    keyboard.enter("#terheqja button")
    # What is missing is said where the focus is, with the way to it; what was chosen and typed stays.
    expect(page.locator("#terheqja [role=alert]")).to_be_focused()
    expect(page.locator("#linjat input").first).to_be_checked()
    expect(page.locator("#teksti")).to_have_value("Mora edhe një tjetër.")
    keyboard.enter("[role=alert] a[href='#arsyeja']")
    expect(page.locator("#arsyeja")).to_be_focused()
    assert keyboard.is_on("#arsyeja")
    keyboard.press("ArrowDown")
    expect(page.locator("[name=arsyeja]").nth(1)).to_be_checked()
    keyboard.tick("#e_pahapur")
    keyboard.enter("#terheqja button")
    arrive(page, re.compile("u=terheqja"))
    expect(page.locator("main")).to_contain_text("Kërkesat dhe ankesat")
    expect(page.locator("main")).to_contain_text("Në shqyrtim")
    expect(page.locator("main")).to_contain_text("Mora edhe një tjetër.")
