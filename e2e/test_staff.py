"""A partner checks a member's code; a clerk hands out a gift and takes a customer into the club (CLB-1, CLB-13)."""

import re
import time
from itertools import count

import pytest
from playwright.sync_api import expect

from e2e.at_work import log_in
from e2e.conftest import DESKTOP, PHONE, arrive, check_accessible

MEMBER, MSISDN = "070 100 001", "38970100001"
# Not in the club when the demo begins; each of the tests takes one in.
_joining = iter(("38970100003", "38970100004", "38970100005"))
_vouchers = count(1)


def known_smses(shop, number):
    return {sms["id"] for sms in shop.smses(number)}


def next_code(shop, number, known, seconds=20):
    """The six digits of the next SMS to `number`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for sms in shop.smses(number):
            if sms["id"] not in known and re.match(r"\d{6}:", sms["text"]):
                return sms["text"][:6]
        time.sleep(0.2)
    raise AssertionError(f"no code to {number}")


def converted(shop, offer="KINEMA"):
    """A code at the partner, as a member's conversion makes it."""
    script = (
        "from models.base import db, utcnow; from models.calendar import local_day;"
        "from models.club_member import ClubMember; from models.club_offer import PartnerOffer;"
        "from models.voucher import Voucher\n"
        "with db.connection_context():\n"
        f"    member = ClubMember.of_msisdn('{MSISDN}'); now = utcnow()\n"
        f"    offer = PartnerOffer.of_code('{offer}', local_day(now))\n"
        f"    key = 'e2e:voucher:{next(_vouchers)}'\n"
        "    print(Voucher.convert(member.id, offer, now, channel='web', key=key).code)\n"
    )
    return shop.run(script).split()[-1]


SEEN_AS = pytest.mark.parametrize(
    ("size", "scheme", "javascript"),
    [(DESKTOP, "light", True), (PHONE, "dark", True), (PHONE, "light", False)],
    ids=["desktop", "phone-dark", "no-script"],
)


@pytest.mark.rule("CLB-8", "DSK-3")
@SEEN_AS
def test_a_partner_checks_a_code_marks_it_used_and_finds_it_again(shop, visitor, size, scheme, javascript):
    page = visitor(size=size, scheme=scheme, javascript=javascript)
    check = check_accessible if javascript else (lambda page: None)
    code = converted(shop)
    log_in(page, shop, "partner", "/partneri")
    expect(page.locator("h1")).to_have_text("Kontrollo kodin")
    check(page)

    # Without a mouse: the field has the focus, Enter checks.
    expect(page.locator("#kodi")).to_be_focused()
    page.keyboard.type("ZZZZ ZZZZ")
    page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_contain_text("Ky kod nuk njihet te Kinema Qendra")
    check(page)
    page.fill("#kodi", f"{code[:4]} {code[4:]}".lower())
    page.locator("#kodi").press("Enter")
    expect(page.locator(".verdict h2")).to_have_text("Kodi vlen")
    expect(page.locator(".verdict")).to_contain_text("Një biletë 2D")
    check(page)
    page.get_by_role("button", name="Shëno si të përdorur").click()
    arrive(page, "**/partneri/perdorimi/*")
    expect(page.locator("h1")).to_have_text("Kodi u përdor")
    check(page)
    page.reload()
    expect(page.locator("h1")).to_have_text("Kodi u përdor")

    page.get_by_role("link", name="Kodi tjetër").click()
    page.fill("#kodi", code)
    page.locator("#kodi").press("Enter")
    expect(page.locator(".verdict")).to_contain_text("Ky kod është përdorur më")

    page.goto("/partneri/historia")
    check(page)
    page.fill("#kodi-q", code)
    page.locator("#kodi-q").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    check(page)
    expect(page.get_by_role("link", name="CSV")).to_have_attribute("href", f"/partneri/historia.csv?q={code}")


@pytest.mark.rule("CLB-13", "DSK-3")
@SEEN_AS
def test_a_clerk_hands_out_a_gift_with_the_members_code(shop, visitor, size, scheme, javascript):
    page = visitor(size=size, scheme=scheme, javascript=javascript)
    check = check_accessible if javascript else (lambda page: None)
    log_in(page, shop, "clerk", "/desk/dhurata")
    expect(page.locator("h1")).to_have_text("Dhurata për pikë")
    check(page)
    expect(page.locator("#numri")).to_be_focused()
    page.keyboard.type("070 100 099")
    page.keyboard.press("Enter")
    expect(page.locator("#numri-error")).to_contain_text("nuk është në Klubin Im")
    check(page)
    page.fill("#numri", MEMBER)
    page.locator("#numri").press("Enter")
    expect(page.locator("#zgjedhja")).to_be_visible()
    check(page)

    known = known_smses(shop, MSISDN)
    page.get_by_label("Kabllo USB-C, 2 m").check()
    page.get_by_role("button", name="Dërgo kodin anëtarit").click()
    expect(page.locator("#code")).to_be_focused()
    check(page)
    code = next_code(shop, MSISDN, known)
    page.keyboard.type(f"{(int(code) + 1) % 10**6:06}")
    page.keyboard.press("Enter")
    expect(page.locator("#code-error")).to_contain_text("mbeten 4 përpjekje")
    expect(page.locator("#code")).to_be_focused()
    check(page)
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Dhurata u dorëzua")
    expect(page.locator(".receipt")).to_contain_text("700 pikë")
    check(page)
    number = page.locator(".receipt dd").first.inner_text()
    page.reload()
    expect(page.locator("h1")).to_have_text("Dhurata u dorëzua")
    page.get_by_role("link", name="Anëtari tjetër").click()
    expect(page.locator("tbody tr", has_text=number)).to_have_count(1)
    check(page)


@pytest.mark.rule("CLB-1", "CLB-2")
@SEEN_AS
def test_a_clerk_takes_a_customer_into_the_club(shop, visitor, size, scheme, javascript):
    page = visitor(size=size, scheme=scheme, javascript=javascript)
    check = check_accessible if javascript else (lambda page: None)
    msisdn = next(_joining)
    log_in(page, shop, "clerk", "/desk/anetaresimi")
    check(page)
    page.fill("#numri", f"0{msisdn[3:]}")
    page.locator("#numri").press("Enter")
    expect(page.locator("#sherbimi")).to_be_visible()
    expect(page.locator("main")).to_contain_text("100 pikë")
    check(page)
    known = known_smses(shop, msisdn)
    page.get_by_role("button", name="Dërgo kodin klientit").click()
    expect(page.locator("#code")).to_be_visible()
    check(page)
    page.fill("#code", next_code(shop, msisdn, known))
    page.locator("#code").press("Enter")
    expect(page.locator("h1")).to_have_text("U anëtarësua në Klubin Im")
    expect(page.locator(".kv")).to_contain_text("100 pikë")
    check(page)


@pytest.mark.rule("DSK-5")
def test_the_desk_is_not_there_for_a_shopper(shop, visitor):
    page = visitor(size=PHONE)
    page.goto("/hyr?next=/profili")
    page.fill("#email", "eligible@example.com")
    page.fill("#password", "dyqani-demo")
    page.locator("#hyrja form button.btn").click()
    arrive(page, f"{shop.url}/profili")
    for path in ("/desk", "/desk/dhurata", "/desk/anetaresimi", "/partneri", "/partneri/historia"):
        assert page.goto(path).status == 404


def test_the_receipt_is_printed_without_the_desk_around_it(shop, visitor):
    page = visitor()
    log_in(page, shop, "clerk", "/desk/dhurata")
    page.locator("tbody a").first.click()
    expect(page.locator("h1")).to_have_text("Dhurata u dorëzua")
    page.emulate_media(media="print")
    expect(page.locator(".top")).to_be_hidden()
    expect(page.locator(".no-paper")).to_be_hidden()
    expect(page.locator(".signs")).to_be_visible()
