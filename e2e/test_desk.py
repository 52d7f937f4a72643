"""An agent takes a call: search, identification, another colour, a second tab that is told, cancelling (DSK-1)."""

import re
from itertools import count

import pytest
from playwright.sync_api import expect

from e2e.at_work import log_in
from e2e.conftest import DESKTOP, PHONE, arrive, check_accessible
from e2e.journey import number_on
from e2e.test_my_orders import place_as_guest

_callers = count(1)
SEEN_AS = pytest.mark.parametrize(
    ("size", "scheme", "javascript"),
    [(DESKTOP, "light", True), (PHONE, "dark", True), (PHONE, "light", False)],
    ids=["desktop", "phone-dark", "no-script"],
)


def caller(shop) -> str:
    """Somebody who has ordered a Galaxy; the e-mail."""
    email = f"caller{next(_callers)}@example.com"
    place_as_guest(shop, email, "samsung-galaxy-s25")
    return email


def identify(page, email):
    page.fill("#numri", number_on(page).lower())
    page.fill("#email", email)
    page.fill("#telefoni", "070/123-456")
    page.locator("#thirresi button").click()
    arrive(page, "**?u=identifikuar")


@pytest.mark.rule("DSK-1", "AFT-1", "AFT-2")
@SEEN_AS
def test_an_agent_takes_a_call(shop, visitor, size, scheme, javascript):
    page = visitor(size=size, scheme=scheme, javascript=javascript)
    check = check_accessible if javascript else (lambda page: None)
    email = caller(shop)
    log_in(page, shop, "agent", "/desk/porosite")
    check(page)

    # Without a mouse: the box has the focus, and Enter opens the only hit.
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("nobody at all")
    page.keyboard.press("Enter")
    expect(page.locator("#r")).to_have_text("0 porosi")
    check(page)
    page.fill("#q", email)
    page.keyboard.press("Enter")
    arrive(page, re.compile(r"/desk/porosite/DY-[^/?]+$"))
    expect(page.locator("main")).not_to_contain_text(email)
    expect(page.locator("main")).not_to_contain_text("Rruga 12")
    check(page)

    # The caller is identified, at the second try.
    page.fill("#numri", number_on(page))
    page.fill("#email", "somebody@example.com")
    page.fill("#telefoni", "070 123 456")
    page.locator("#thirresi button").click()
    expect(page.locator("#numri-error")).to_contain_text("Të dhënat nuk përputhen")
    check(page)
    identify(page, email)
    expect(page.locator("#street")).to_have_value("Rruga 12")
    check(page)

    # A second tab, opened before the first one saves.
    second = page.context.new_page()
    second.goto(page.url)
    other = page.locator("input[name^=ngjyra-]:not(:checked)").first
    colour = " ".join(other.locator("xpath=..").text_content().split())
    page.get_by_role("button", name="Ruaj ndryshimet").click()
    expect(page.locator("#arsyeja-error")).to_be_visible()
    check(page)
    page.locator(".pick label", has_text=re.compile(rf"^\s*{re.escape(colour)}\s*$")).click()
    page.fill("#arsyeja", "klienti kërkoi me telefon")
    page.get_by_role("button", name="Ruaj ndryshimet").click()
    arrive(page, "**?u=ndryshuar")
    expect(page.locator(".lines")).to_contain_text(colour)
    expect(page.locator(".time")).to_contain_text(colour)
    second.fill("#note", "kati 3")
    second.fill("#arsyeja", "e kërkoi klienti")
    second.get_by_role("button", name="Ruaj ndryshimet").click()
    expect(second.locator("#nderkohe")).to_contain_text("klienti kërkoi me telefon")
    expect(second.locator("#note")).to_have_value("kati 3")
    # The other tab's colour stays, too.
    expect(second.locator(".pick label", has_text=colour).locator("input:checked")).to_have_count(1)
    check(second)
    second.get_by_role("button", name="Ruaj ndryshimet").click()
    arrive(second, "**?u=ndryshuar")
    second.close()

    page.fill("#shenimi", "Do të telefonojë nesër.")
    page.get_by_role("button", name="Shto shënim").click()
    arrive(page, "**?u=shenuar")
    expect(page.locator("main")).to_contain_text("Do të telefonojë nesër.")

    page.get_by_role("link", name="Anulo porosinë").click()
    arrive(page, "**/anulo")
    expect(page.locator("main")).to_contain_text("në kartelë")
    check(page)
    page.fill("#arsyeja", "ndërroi mendim")
    page.get_by_role("button", name="Po, anuloje").click()
    arrive(page, "**?u=anuluar")
    expect(page.locator("h1 + .tag")).to_have_text("Anuluar")
    expect(page.locator("main")).to_contain_text("Kthimi i parave")
    check(page)
    page.get_by_role("button", name="Mbaro telefonatën").click()
    expect(page.locator("main")).not_to_contain_text(email)
    assert shop.wait_for_mail(email)


@pytest.mark.rule("DSK-1")
def test_the_desk_goes_by_keyboard(shop, visitor):
    page = visitor()
    caller(shop)
    caller(shop)
    log_in(page, shop, "agent", "/desk/porosite")
    page.locator("h1").click()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    expect(page.locator("#q")).to_have_value("")
    page.keyboard.type("mbiemri emri")
    page.keyboard.press("Enter")
    arrive(page, re.compile(r"kerkimi="))
    expect(page.locator("#q")).to_be_focused()
    links = page.locator("[data-rows] tbody th a")
    page.keyboard.press("ArrowDown")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("k")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.press("ArrowDown")
    number = links.nth(0).text_content()
    page.keyboard.press("Enter")
    arrive(page, f"**/desk/porosite/{number}")
    # Back at the search, as it was.
    page.locator("h1").click()
    page.keyboard.press("/")
    arrive(page, re.compile(r"kerkimi="))
    expect(page.locator("#q")).to_have_value("mbiemri emri")


@pytest.mark.rule("AFT-4", "DSK-1")
@SEEN_AS
def test_a_complaint_by_phone_is_written_down_and_answered(shop, visitor, size, scheme, javascript):
    page = visitor(size=size, scheme=scheme, javascript=javascript)
    check = check_accessible if javascript else (lambda page: None)
    email = caller(shop)
    log_in(page, shop, "agent", "/desk/porosite")
    page.fill("#q", email)
    page.keyboard.press("Enter")
    arrive(page, re.compile(r"/desk/porosite/DY-[^/?]+$"))
    page.get_by_role("link", name="Shkruaj ankesë").click()
    arrive(page, "**/desk/ankesat/e-re/**")
    check(page)
    page.get_by_label("me vonesë").check()
    page.fill("#teksti", "Duhej të vinte dje.")
    page.get_by_role("button", name="Shkruaj ankesën").click()
    arrive(page, re.compile(r"/desk/ankesat/\d+$"))
    address = page.url
    check(page)
    page.goto("/desk/ankesat")
    expect(page.locator("tbody").first).to_contain_text("edhe 15 ditë")
    check(page)
    page.goto(address)
    page.get_by_role("button", name="Dërgo përgjigjen").click()
    expect(page.locator("#pergjigja-error")).to_be_visible()
    page.fill("#pergjigja", "Vjen nesër deri në orën 12.")
    page.get_by_role("button", name="Dërgo përgjigjen").click()
    arrive(page, "**?u=pergjigjur")
    expect(page.locator("main")).to_contain_text("Vjen nesër deri në orën 12.")
    check(page)
