"""Klubi Im in a browser: joining, points into services and codes, the history, news (CLB-1, 8, 11, 15, PRV-2)."""

import re

import pytest
from playwright.sync_api import expect

from e2e.conftest import DESKTOP, PHONE, arrive, check_accessible
from e2e.member import log_in, member_with, network_confirms

EVERYWHERE = pytest.mark.parametrize(
    ("size", "scheme", "javascript"),
    [(PHONE, "dark", True), (DESKTOP, "light", False)],
    ids=["phone-dark", "no-script"],
)


def checker(javascript):
    return check_accessible if javascript else (lambda page: None)


def fits(page):
    """Nothing sticks out of the page to the side."""
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def take(page, name):
    page.get_by_role("button", name=name).first.click()
    expect(page.locator("#mbeten")).to_be_visible()


@pytest.mark.rule("CLB-1", "CLB-15")
@EVERYWHERE
def test_a_guest_logs_in_from_the_club_and_joins_with_a_number(shop, visitor, size, scheme, javascript):
    email, number = member_with(shop, joined=False)
    page, check = visitor(size=size, scheme=scheme, javascript=javascript), checker(javascript)
    page.goto("/klubi")
    check(page)
    fits(page)
    page.get_by_role("link", name="Hyr dhe anëtarësohu").click()
    page.fill("#email", email)
    page.fill("#password", "dyqani-demo")
    page.locator("#hyrja form button.btn").click()
    expect(page.locator("h1")).to_have_text("Klubi Im")
    check(page)
    page.get_by_role("button", name="Anëtarëso").click()
    expect(page.locator(".note.ok")).to_contain_text("Jeni në klub. Fitoni pikë nga 01.")
    check(page)
    assert "Klubin Im" in shop.wait_for_mail(email)[0]["subject"]


@pytest.mark.rule("CLB-11", "CLB-12", "CLB-15")
@EVERYWHERE
def test_points_become_megabytes_that_are_active_once_the_network_says_so(shop, visitor, size, scheme, javascript):
    email, number = member_with(shop, 500)
    page, check = visitor(size=size, scheme=scheme, javascript=javascript), checker(javascript)
    log_in(page, email)
    expect(page.locator("#pike")).to_have_text("500")
    check(page)
    fits(page)

    page.fill("#pike-MB", "5")
    page.get_by_role("button", name="Merr Internet").click()
    expect(page.locator("#pike-MB-error")).to_have_text(re.compile("Konvertohen së paku 10"))
    expect(page.locator("#pike-MB")).to_have_value("5")
    check(page)
    if javascript:
        expect(page.locator(".note.bad")).to_be_focused()

    page.fill("#pike-MB", "120")
    if javascript:
        page.locator("#pike-MB").press("End")
        expect(page.locator("#sasia-MB")).to_have_text("600\u00a0MB")
    take(page, "Merr Internet")
    expect(page.locator("h1")).to_contain_text("600\u00a0MB")
    expect(page.locator("#mbeten")).to_have_text("380 pikë")
    check(page)
    fits(page)
    page.get_by_role("button", name="Konfirmo").click()
    arrive(page, "**/klubi/sherbimi/*")
    expect(page.locator("#rezultati")).to_contain_text("600\u00a0MB")
    check(page)
    network_confirms(shop, number)
    if not javascript:
        page.reload()
    expect(page.locator("h1")).to_have_text("600\u00a0MB: aktive")
    check(page)
    page.get_by_role("link", name="Kthehu te Klubi Im").click()
    expect(page.locator("#pike")).to_have_text("380")
    expect(page.locator("section[aria-labelledby=s]")).to_contain_text("Aktive")


@pytest.mark.rule("CLB-8", "CLB-16")
@EVERYWHERE
def test_points_become_a_partners_code_once_however_often_the_button_is_pressed(
    shop, visitor, size, scheme, javascript
):
    email, number = member_with(shop, 2_000)
    page, check = visitor(size=size, scheme=scheme, javascript=javascript), checker(javascript)
    log_in(page, email)
    take(page, "Merr kodin: Kinema")
    check(page)
    page.get_by_role("button", name="Merr kodin").dblclick()
    arrive(page, "**/klubi/kodi/*")
    code = page.locator("#kodi").inner_text()
    assert re.fullmatch(r"[0-9A-Z]{4}\u00a0[0-9A-Z]{4}", code)
    check(page)
    fits(page)
    [mail] = shop.wait_for_mail(email)
    assert code in mail["text"]
    page.goto("/klubi")
    expect(page.locator(".used")).to_have_count(1)
    expect(page.locator(".used .otp")).to_have_text(code)
    check(page)


@pytest.mark.rule("CLB-11")
def test_the_club_is_used_with_the_keyboard_alone(shop, visitor):
    email, _ = member_with(shop, 300)
    page = visitor()
    log_in(page, email)

    def tab_to(name, role="button"):
        wanted = page.get_by_role(role, name=name).first
        for _ in range(60):
            page.keyboard.press("Tab")
            if wanted.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError(f"{name} is not reached")

    page.locator("#pike-SMS").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("30")
    expect(page.locator("#sasia-SMS")).to_have_text("30\u00a0SMS")
    expect(page.locator("#pike-SMS")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("30\u00a0SMS")
    expect(page.locator("h1")).to_be_focused()
    tab_to("Konfirmo")
    page.keyboard.press("Enter")
    arrive(page, "**/klubi/sherbimi/*")
    page.go_back()
    page.goto("/klubi")
    expect(page.locator("#pike")).to_have_text("270")


@pytest.mark.rule("CLB-7", "CLB-15")
@EVERYWHERE
def test_blocked_points_are_explained_and_no_button_takes_them(shop, visitor, size, scheme, javascript):
    email, _ = member_with(shop, 600, blocked=True)
    page = visitor(size=size, scheme=scheme, javascript=javascript)
    log_in(page, email)
    expect(page.locator(".note.warn")).to_contain_text("nuk fitoi pikë në gusht dhe shtator 2026")
    expect(page.locator("#pike")).to_have_text("600")
    buttons = page.locator("#klubi").get_by_role("button", name=re.compile("^Merr"))
    assert buttons.count() > 5
    assert all(button.is_disabled() for button in buttons.all())
    checker(javascript)(page)
    fits(page)


@pytest.mark.rule("CLB-15", "LOC-1")
@pytest.mark.parametrize(
    ("prefix", "title"),
    [("", "Historia e pikëve"), ("/mk", "Историја на поените"), ("/en", "History of your points")],
)
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_history_and_the_club_in_each_language(visitor, prefix, title, size):
    page = visitor(size=size)
    log_in(page, "eligible@example.com", f"{prefix}/klubi")
    check_accessible(page)
    fits(page)
    page.goto(f"{prefix}/klubi/historia")
    expect(page.locator("h1")).to_have_text(title)
    check_accessible(page)
    fits(page)
    page.focus("#lloji")
    page.select_option("#lloji", "gone")
    arrive(page, "**lloji=gone**")
    expect(page.locator("#lloji")).to_be_focused()
    count = page.locator("#lista tbody tr").count()
    assert count >= 1
    page.reload()
    assert page.locator("#lista tbody tr").count() == count
    check_accessible(page)


@pytest.mark.rule("PRV-2")
@EVERYWHERE
def test_news_are_agreed_to_in_the_profile_and_stopped_there(shop, visitor, size, scheme, javascript):
    email, _ = member_with(shop)
    page = visitor(size=size, scheme=scheme, javascript=javascript)
    log_in(page, email, "/profili")
    boxes = page.locator("form[action='/profili/lajmet'] input[type=checkbox]")
    assert [box.is_checked() for box in boxes.all()] == [False, False, False]
    save = page.locator("form[action='/profili/lajmet'] button")
    boxes.first.check()
    if javascript:
        expect(page.locator("#lajmet [role=status]")).to_have_text("Të dhënat u ruajtën.")
        expect(boxes.first).to_be_focused()
        page.reload()
    else:
        save.click()
        expect(page.locator(".note.ok")).to_be_visible()
    assert [box.is_checked() for box in boxes.all()] == [True, False, False]
    checker(javascript)(page)
    boxes.first.uncheck()
    if javascript:
        expect(page.locator("#lajmet [role=status]")).to_have_text("Të dhënat u ruajtën.")
        page.reload()
    else:
        save.click()
    expect(boxes.first).not_to_be_checked()
