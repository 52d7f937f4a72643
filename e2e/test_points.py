"""A member pays in part with points: slider, field, keyboard, with and without a script, up to the bank's books."""

import re
import sqlite3

import pytest
from playwright.sync_api import expect

from e2e import journey
from e2e.conftest import DESKTOP, PHONE, arrive, check_accessible
from e2e.member import log_in, member_with

PHONE_PAGE = "/pajisja/samsung-galaxy-s25"
BESNIK = f"{PHONE_PAGE}?lloji=besnik24&pagesa=keste&keste=24"
SPACE = "\u00a0"
SPEND = """
import sys
from models.base import db, utcnow
from models.club_ledger import debit
from models.club_member import ClubMember
now = utcnow()
with db.connection_context(), db.atomic():
    member = ClubMember.of_msisdn(sys.argv[1])
    debit(ClubMember.hold(member.id, now), 10, "units", now, key="e2e:elsewhere", about={"what": "MB", "amount": 50})
"""


def den(text: str) -> int:
    """ "37.180 den" → 37180"""
    return int(re.sub(r"\D", "", text))


def to_payment(page, path=PHONE_PAGE):
    page.goto(path)
    page.locator("#cmimi button").last.click()
    arrive(page, "**/shporta")
    page.locator("#cart-contents a.btn").first.click()
    if "lloji=besnik24" in path:
        arrive(page, "**/porosia/numri")
        page.locator("#hapi .actions button").click()
    arrive(page, "**/porosia/te-dhenat")
    page.fill("#last_name", "Mbiemri")
    page.fill("#phone", "070 123 456")
    page.locator("#hapi .actions button").click()
    arrive(page, "**/porosia/dergesa")
    journey.fill_delivery(page)


def captured(shop, number: str) -> list[int]:
    """What the bank's own books hold as taken for an order, in minor units."""
    with sqlite3.connect(shop.environment["BANK_SANDBOX_STORE"], timeout=10) as books:
        return [
            amount
            for (amount,) in books.execute(
                "SELECT amount FROM payment WHERE approved = 1 AND oid LIKE ?", (f"{number}-%",)
            )
        ]


def balance(page) -> int:
    page.goto("/klubi")
    return den(page.locator(".big").first.inner_text())


@pytest.mark.rule("PAY-4", "DLV-3", "CHK-5")
@pytest.mark.parametrize(
    ("size", "scheme", "javascript"),
    [(PHONE, "dark", True), (DESKTOP, "light", False)],
    ids=["phone-dark", "no-script"],
)
def test_a_member_pays_in_part_with_points_and_the_card_is_charged_the_rest(shop, visitor, size, scheme, javascript):
    email, _ = member_with(shop, 3480)
    page = visitor(size=size, scheme=scheme, javascript=javascript)
    check = check_accessible if javascript else (lambda page: None)
    log_in(page, email)
    to_payment(page)
    price = den(page.locator("#shuma-kartele").inner_text())
    expect(page.locator("#pike-sa")).to_have_text("Keni 3.480 pikë.")
    check(page)

    # Wrong at first: told beside the field, and what was typed stays.
    page.fill("#pike", "99999")
    if not javascript:
        expect(page.locator("#pike-shiriti")).to_be_hidden()
        page.locator("#pike-llogarit").click()
    expect(page.locator("#pike-error")).to_have_text("Nuk ka aq pikë: keni 3.480 pikë.")
    expect(page.locator("#pike")).to_have_value("99999")
    expect(page.locator("#pike")).to_have_attribute("aria-invalid", "true")
    check(page)
    page.fill("#pike", "1000")
    if javascript:
        expect(page.locator("#pike-llogarit")).to_be_hidden()
        expect(page.locator("#pike-shiriti")).to_have_value("1000")
    else:
        page.locator("#pike-llogarit").click()
    expect(page.locator("#pike-vlera")).to_have_text("1.000 pikë = −500" + SPACE + "den")
    expect(page.locator("#pike:not([aria-invalid])")).to_be_visible()
    assert den(page.locator("#shuma-kartele").inner_text()) == price - 500
    expect(page.locator("#shumat")).to_contain_text("−500")
    check(page)
    page.locator("#hapi .actions button").click()
    arrive(page, "**/porosia/pasqyra")
    expect(page.locator("#hapi")).to_contain_text("Me 1.000 pikë")
    expect(page.locator("#hapi")).to_contain_text("e pranon vetëm Emri, poseduesi i numrit")
    check(page)

    journey.place_and_pay(page, javascript)
    expect(page.get_by_role("heading", level=1)).to_have_text("Faleminderit, porosia u pranua.")
    expect(page.locator("#rezultati")).to_contain_text("1.000 pikë")
    check(page)
    number = journey.number_on(page)
    assert captured(shop, number) == [(price - 500) * 100]
    [mail] = shop.wait_for_mail(email)
    text = mail["text"].replace(SPACE, " ")
    assert "1.000 pikë: −500 den" in text
    assert "Porosinë e paguar me pikë e pranon vetëm poseduesi i numrit" in text

    page.goto(f"/porosia/{number}")
    expect(page.locator("main")).to_contain_text("vetëm poseduesi i numrit, Emri")
    check(page)
    page.goto("/porosite")
    expect(page.locator("#lista")).to_contain_text("me 1.000 pikë")
    check(page)
    assert balance(page) == 2480


@pytest.mark.rule("PAY-4", "CHK-6")
def test_slider_and_field_stay_in_step_by_keyboard_and_the_sums_follow(shop, visitor):
    email, _ = member_with(shop, 3480)
    page = visitor()
    log_in(page, email)
    to_payment(page)
    price = den(page.locator("#shuma-kartele").inner_text())
    slider, field = page.locator("#pike-shiriti"), page.locator("#pike")

    slider.focus()
    for key, points in (("End", 3480), ("ArrowLeft", 3478), ("Home", 0), ("ArrowRight", 2)):
        page.keyboard.press(key)
        expect(field).to_have_value(str(points))
        expect(page.locator("#shuma-kartele")).to_have_text(
            f"{price - points // 2:,}".replace(",", ".") + SPACE + "den"
        )
        expect(slider).to_be_focused()

    field.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("1.234")
    expect(slider).to_have_value("1234")
    expect(page.locator("#pike-vlera")).to_contain_text("1.234 pikë")
    # Who types goes on typing.
    expect(field).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("Backspace")
    expect(field).to_have_value("1.23")
    expect(page.locator("#pike-error")).to_contain_text("numër të plotë")
    # Enter works it out, and orders nothing.
    page.fill("#pike", "600")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.keyboard.press("Enter")
    expect(page.locator("#pike[value='600']")).to_be_visible()
    expect(page.locator("#pike-shiriti")).to_have_value("600")
    assert page.url.endswith("/porosia/pagesa")
    page.locator("#pike-te-gjitha").focus()
    page.keyboard.press("Enter")
    expect(field).to_have_value("3480")
    expect(page.locator("#shumat")).to_contain_text("3.480 pikë")
    check_accessible(page)
    # On a phone-sized drag, too: the slider is a real one.
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(field).not_to_have_value("3480")
    assert int(field.input_value()) % 2 == 0


@pytest.mark.rule("PAY-1", "PAY-3", "PAY-4")
@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "dark"), (PHONE, "light")], ids=["desktop", "phone"])
def test_with_a_contract_points_belong_to_the_card_alone(shop, visitor, size, scheme):
    email, _ = member_with(shop, 2000)
    page = visitor(size=size, scheme=scheme)
    log_in(page, email)
    to_payment(page, BESNIK)
    expect(page.locator("#pike")).to_be_hidden()
    page.locator("input[value=card]").check()
    expect(page.locator("#pike")).to_be_visible()
    page.fill("#pike", "2000")
    expect(page.locator("#pike-vlera")).to_contain_text("−1.000")
    check_accessible(page)
    # Instalments after all: the points are not used, and the sums say so.
    page.locator("input[value=instalments]").check()
    expect(page.locator("#shumat")).not_to_contain_text("2.000 pikë")
    page.locator("input[value=card]").check()
    expect(page.locator("#shumat")).to_contain_text("2.000 pikë")
    page.locator("#hapi .actions button").click()
    arrive(page, "**/porosia/pasqyra")
    expect(page.locator("#hapi")).to_contain_text("Me 2.000 pikë")
    check_accessible(page)


@pytest.mark.rule("PAY-4", "CRT-3")
def test_the_points_follow_the_cart_when_a_line_is_taken_out(shop, visitor):
    email, _ = member_with(shop, 40_000)
    page = visitor()
    log_in(page, email)
    page.goto("/pajisje-shtese")
    page.locator(".card a").first.click()
    page.locator("#cmimi button").click()
    arrive(page, "**/shporta")
    to_payment(page)
    page.locator("#pike-te-gjitha").click()
    expect(page.locator("#pike-vlera")).to_contain_text("40.000 pikë")
    most = int(page.locator("#pike-shiriti").get_attribute("max"))
    page.locator("#permbledhja .x").last.click()
    expect(page.locator("#pike-shiriti")).not_to_have_attribute("max", str(most))
    expect(page.locator("#pike-error")).to_contain_text("Kjo porosi merr më së shumti")
    check_accessible(page)


@pytest.mark.rule("PAY-4", "CLB-7")
@pytest.mark.parametrize(
    ("blocked", "joined", "said"),
    [(True, True, "Pikët janë të bllokuara."), (False, False, "Bëhuni anëtar i Klubit Im")],
    ids=["blocked", "no member"],
)
def test_who_has_no_points_to_use_is_told_why_with_the_way_to_the_club(shop, visitor, blocked, joined, said):
    email, _ = member_with(shop, 600 if joined else 0, blocked=blocked, joined=joined)
    page = visitor(size=PHONE, scheme="dark")
    log_in(page, email, "/")
    to_payment(page)
    expect(page.locator("#piket")).to_contain_text(said)
    expect(page.locator("#pike")).to_have_count(0)
    check_accessible(page)
    page.locator("#piket a").click()
    arrive(page, re.compile("/klubi"))
    page.go_back()
    page.locator("#hapi .actions button").click()
    arrive(page, "**/porosia/pasqyra")


@pytest.mark.rule("PAY-4")
def test_points_that_were_spent_elsewhere_lead_back_to_the_payment(shop, visitor):
    email, msisdn = member_with(shop, 1000)
    page = visitor(size=PHONE)
    log_in(page, email)
    to_payment(page)
    page.fill("#pike", "1000")
    expect(page.locator("#pike-vlera")).to_contain_text("1.000 pikë")
    page.locator("#hapi .actions button").click()
    arrive(page, "**/porosia/pasqyra")

    shop.run(SPEND, msisdn)

    journey.place(page)
    arrive(page, "**/porosia/pagesa")
    expect(page.locator("#hapi")).to_contain_text("Pikët që zgjodhët nuk mund të përdoren më kështu.")
    expect(page.locator("#pike-error")).to_have_text("Nuk ka aq pikë: keni 990 pikë.")
    check_accessible(page)
    page.locator("#pike-te-gjitha").click()
    expect(page.locator("#pike")).to_have_value("990")
    page.locator("#hapi .actions button").click()
    arrive(page, "**/porosia/pasqyra")
    expect(page.locator("#hapi")).to_contain_text("Me 990 pikë")
