"""50777 and *777# from the demo's phone, answered by the running shop (CLB-9, CLB-10)."""

import pytest
from playwright.sync_api import expect

from e2e.conftest import DESKTOP, PHONE, arrive, check_accessible

MEMBER, STRANGER = "38970100001", "38970100002"
PAGE = "/demo/telefoni"


def says(page, text):
    """Send an SMS; the answer that is shown."""
    page.fill("#teksti", text)
    page.locator("#sms form button").click()
    newest = page.locator(".talk li:not(.answer)").first
    expect(newest).to_contain_text(text)
    return page.locator(".talk .answer span").first


def types(page, digits):
    page.fill("#shifra", digits)
    page.locator("form[action$='/pergjigja'] button").click()


@pytest.mark.rule("CLB-9", "CLB-10")
@pytest.mark.parametrize("how", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_points_become_units_by_sms_and_by_dialling(visitor, how, javascript):
    page = visitor(size=how, javascript=javascript)
    page.goto("/demo/inbox")
    page.locator(f"main a[href$='{PAGE}']").click()
    arrive(page, f"**{PAGE}")
    page.select_option("#numri", MEMBER)
    page.locator(".phone-number button").click()
    expect(says(page, "mirëdita")).to_contain_text("Shkruani: 10 MB")
    expect(says(page, " 10mb ")).to_contain_text("10 pikë = 50 MB")
    page.locator("button[value='*777*1#']").click()
    screen = page.locator(".screen")
    expect(screen).to_contain_text("2 SMS")
    types(page, "7")
    expect(screen).to_contain_text("Zgjidhni 2-6:")
    types(page, "2")
    expect(screen).to_contain_text("Sa pikë?")
    types(page, "10")
    expect(screen).to_contain_text("10 pikë = 10 SMS")
    if javascript:
        check_accessible(page)
    types(page, "1")
    expect(screen).to_contain_text("Aktivizimin ua konfirmojmë me SMS.")
    expect(page.locator("#shifra")).to_have_count(0)


@pytest.mark.rule("CLB-9", "CLB-10")
def test_a_number_outside_the_club_is_told_how_to_join(visitor):
    page = visitor()
    page.goto(f"{PAGE}?numri={STRANGER}")
    expect(says(page, "20 MB")).to_contain_text("nuk është në Klubi Im")
    page.locator("button[value='*777#']").click()
    expect(page.locator(".screen")).to_contain_text("nuk është në Klubi Im")
