"""A guest finds a device, pays by card, gets the mail, and finds the order again."""

import re

import pytest
from playwright.sync_api import expect

from e2e import journey
from e2e.conftest import DESKTOP, PHONE, arrive, check_accessible


@pytest.mark.rule("CHK-1", "CHK-3", "CHK-5", "PAY-5", "ORD-2", "OFF-4")
@pytest.mark.parametrize(("size", "javascript"), [(PHONE, True), (DESKTOP, False)], ids=["phone", "no-script"])
def test_a_guest_buys_a_phone_and_finds_the_order_again(shop, visitor, size, javascript):
    page = visitor(size=size, javascript=javascript)
    check = check_accessible if javascript else (lambda page: None)
    email = journey.new_email()

    page.goto("/")
    check(page)
    page.goto("/celulare")
    check(page)
    page.get_by_role("link", name="Samsung Galaxy S25", exact=True).click()
    arrive(page, "**/pajisja/samsung-galaxy-s25")
    check(page)
    page.locator("#cmimi button").click()
    arrive(page, "**/shporta")
    journey.to_checkout(page, check)
    check(page)
    journey.fill_data(page, email)
    check(page)
    journey.fill_delivery(page)
    check(page)
    journey.choose_card(page)
    check(page)
    journey.place_and_pay(page, javascript)

    expect(page.get_by_role("heading", level=1)).to_have_text("Faleminderit, porosia u pranua.")
    check(page)
    number = journey.number_on(page)
    [mail] = shop.wait_for_mail(email)
    assert number in mail["subject"] + mail["text"]
    assert "Samsung Galaxy S25" in mail["text"]
    link = re.search(r"http://127\.0\.0\.1:\d+/porosia/DY-\S+?\?k=[\w.-]+", mail["text"]).group(0)

    stranger = visitor(size=size, javascript=javascript)
    assert stranger.goto(f"/porosia/{number}").status == 404
    stranger.goto(link)
    expect(stranger.locator("h1")).to_contain_text("Vjen")
    assert "k=" not in stranger.url
    check(stranger)

    guest = visitor(size=size, javascript=javascript)
    guest.goto("/porosia/gjej")
    check(guest)
    guest.fill("#number", number.lower().replace("-", " "))
    guest.fill("#email", email)
    guest.locator("#gjej button").click()
    arrive(guest, f"**/porosia/{number}")
    expect(guest.locator("h1")).to_contain_text("Vjen")


@pytest.mark.rule("LOC-1", "MSG-3")
@pytest.mark.parametrize(("language", "scheme"), [("mk", "dark"), ("en", "light"), ("sq", "dark")])
def test_every_step_is_accessible_in_each_language_and_scheme(shop, visitor, language, scheme):
    page = visitor(size=PHONE, scheme=scheme)
    prefix = "" if language == "sq" else f"/{language}"
    email = journey.new_email()

    for path in (
        "/",
        "/celulare?onlajn=1",
        "/kerko?q=galaksi",
        "/kerko?q=zzzzqq",
        "/shporta",
        "/hyr",
        "/ndihme",
        "/kushtet",
        "/privatesia",
        "/nuk-ka",
    ):
        page.goto(prefix + path)
        assert page.locator("html").get_attribute("lang") == language
        check_accessible(page)
    journey.put_in_cart(page, f"{prefix}/pajisja/samsung-galaxy-s25")
    page.locator("#cart-icon").click()
    check_accessible(page)
    page.keyboard.press("Escape")
    journey.to_checkout(page, check_accessible)
    page.locator("#hapi .actions button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    check_accessible(page)
    journey.fill_data(page, email)
    check_accessible(page)
    journey.fill_delivery(page)
    journey.choose_card(page)
    check_accessible(page)
    journey.place_and_pay(page, card="decline")
    arrive(page, f"**{prefix}/porosia/DY-*/konfirmimi")
    check_accessible(page)
    page.locator("#rezultati form button").click()
    journey.to_bank(page)
    journey.pay_and_return(page, card="approve_mastercard")
    arrive(page, f"**{prefix}/porosia/DY-*/konfirmimi")
    check_accessible(page)
    page.goto(f"{prefix}/porosia/{journey.number_on(page)}")
    check_accessible(page)

    subjects = [mail["subject"] for mail in shop.wait_for_mail(email, count=2)]
    assert len(subjects) == 2
