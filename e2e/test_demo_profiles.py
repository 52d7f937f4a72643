"""Every profile of the demo world is told the truth and gets what its row says (ELG-1…6, PAY-1, PAY-3)."""

import re

import pytest
from playwright.sync_api import expect

from e2e import journey
from e2e.conftest import DESKTOP, PHONE, arrive, check_accessible
from e2e.member import log_in, member_with
from e2e.owing import PASSWORD

BESNIK = "/pajisja/samsung-galaxy-s25?lloji=besnik24&pagesa=keste&keste=24"
SUITABLE, CARD_ONLY, NOT_YET = "I përshtatshëm", "Vetëm me kartelë", "Ende jo"


def begin(visitor, who, **how):
    """A page of the profile, logged in, with an empty cart."""
    page = visitor(**how)
    page.goto("/hyr")
    page.fill("#email", f"{who}@example.com")
    page.fill("#password", PASSWORD)
    page.locator("#password").press("Enter")
    arrive(page, re.compile("(?<!/hyr)$"))
    page.goto("/shporta")
    while page.locator("#cart-contents .x").count():
        before = page.locator("#cart-contents .x").count()
        page.locator("#cart-contents .x").first.click()
        expect(page.locator("#cart-contents .x")).to_have_count(before - 1)
    return page


def to_number(page, path=BESNIK):
    """Porosit, and on to the step of the number; who is known by now comes to it from the overview (CHK-2)."""
    page.goto(path)
    page.locator("#cmimi button").last.click()
    arrive(page, "**/shporta")
    page.locator("#cart-contents a.btn").first.click()
    arrive(page, re.compile("/porosia/(numri|pasqyra)"))
    if "/pasqyra" in page.url:
        page.locator("#hapi a[href*='/porosia/numri']").click()
        arrive(page, re.compile("/porosia/numri"))


def go_on(page):
    page.locator("#hapi .actions button").click()


def choose(page, msisdn):
    page.locator(f"input[name=numri][value='{msisdn}']").check()
    go_on(page)


def to_payment(page):
    arrive(page, re.compile("/porosia/(te-dhenat|pasqyra)"))
    if "/pasqyra" in page.url:
        page.locator("#hapi a[href*='/porosia/pagesa?']").click()
        arrive(page, re.compile("/porosia/pagesa"))
        return
    for name, value in {"first_name": "Demo", "last_name": "Abonent", "phone": "070 123 456"}.items():
        page.fill(f"#{name}", value)
    go_on(page)
    arrive(page, "**/porosia/dergesa")
    journey.fill_delivery(page)


def ways(page) -> list[str]:
    return page.locator("input[name^='pagesa-']").evaluate_all("fields => fields.map(field => field.value)")


def to_overview(page, way, parts=None):
    page.locator(f"input[name^='pagesa-'][value='{way}']").check()
    if parts:
        page.locator(f"input[name^='keste-'][value='{parts}']").check(force=True)
    go_on(page)
    arrive(page, "**/porosia/pasqyra")


def pay_by(page, way, parts=None):
    to_overview(page, way, parts)
    journey.place(page)


def confirmed(page):
    arrive(page, re.compile(r"/porosia/DY-[^/]+/konfirmimi"))
    expect(page.locator("h1")).to_have_text("Faleminderit, porosia u pranua.")


def row_of(page, msisdn):
    return page.locator(".choice", has=page.locator(f"input[value='{msisdn}']"))


@pytest.mark.rule("PAY-1", "PAY-3", "ELG-5", "CHK-1")
@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_eligible_orders_in_instalments_and_the_number_then_has_an_open_order(shop, visitor, size, scheme):
    msisdn = "38970100011" if size is PHONE else "38970100001"
    page = begin(visitor, "eligible", size=size, scheme=scheme)
    to_number(page)
    expect(row_of(page, msisdn)).to_contain_text(SUITABLE)
    check_accessible(page)

    choose(page, msisdn)
    to_payment(page)
    check_accessible(page)
    assert ways(page) == ["instalments", "card", "first_bill"]
    pay_by(page, "instalments", 24)
    confirmed(page)

    to_number(page)
    expect(row_of(page, msisdn)).to_contain_text(NOT_YET)
    expect(row_of(page, msisdn)).to_contain_text("Ka një porosi të hapur")
    expect(page.locator(f"input[value='{msisdn}']")).to_be_disabled()


@pytest.mark.rule("ELG-1", "ELG-2", "PRO-7")
def test_debt_is_listed_paid_online_and_then_three_hours_are_to_pass(shop, visitor):
    page = begin(visitor, "debt")
    to_number(page)
    expect(page.locator("h1")).to_have_text("Nuk mund ta përfundoni porosinë")
    expect(page.locator("#hapi")).to_contain_text("Keni borxh të papaguar: 1.899\u00a0den")
    check_accessible(page)

    page.locator("#hapi ol a.btn").click()
    arrive(page, "**/paguaj")
    page.locator("form aside button.btn").first.click()
    journey.to_bank(page)
    journey.pay_and_return(page, to=re.compile(r"/paguaj/FA-"))
    expect(page.locator("h1")).to_have_text("Faleminderit, pagesa u regjistrua.")

    page.goto("/porosia/numri")
    expect(page.locator("#hapi")).to_contain_text("Nuk kanë kaluar 3 orë nga pagesa e borxhit")
    expect(page.locator("#hapi")).not_to_contain_text("Keni borxh")


@pytest.mark.rule("ELG-2")
def test_justpaid_is_told_until_when_to_wait(shop, visitor):
    page = begin(visitor, "justpaid", size=PHONE)
    to_number(page)

    expect(page.locator("#hapi")).to_contain_text("Nuk kanë kaluar 24 orë nga pagesa e borxhit")
    expect(page.locator("#hapi")).to_contain_text("provoni përsëri pas")


@pytest.mark.rule("ELG-2", "PAY-1")
def test_paidonline_may_order_again_and_pays_with_the_first_bill(shop, visitor):
    page = begin(visitor, "paidonline")
    to_number(page)
    choose(page, "38970100004")
    to_payment(page)
    pay_by(page, "first_bill")

    confirmed(page)


@pytest.mark.rule("ELG-3", "PAY-1")
def test_instalments_is_offered_the_card_then_and_there(shop, visitor):
    page = begin(visitor, "instalments")
    to_number(page)
    expect(row_of(page, "38970100005")).to_contain_text(CARD_ONLY)
    expect(row_of(page, "38970100006")).to_contain_text(NOT_YET)

    choose(page, "38970100005")
    expect(page.locator("h1")).to_have_text("Nuk mund ta përfundoni porosinë")
    expect(page.locator("#hapi")).to_contain_text("keni paguar 50% të pajisjes")
    check_accessible(page)
    page.get_by_role("button", name=re.compile("Vazhdo njëfish me kartelë")).click()

    to_payment(page)
    assert ways(page) == ["card"]
    to_overview(page, "card")
    journey.place_and_pay(page)
    confirmed(page)


@pytest.mark.rule("ELG-3", "PAY-3")
def test_almostpaid_may_pay_in_instalments(shop, visitor):
    page = begin(visitor, "almostpaid")
    to_number(page)
    expect(row_of(page, "38970100008")).to_contain_text(NOT_YET)
    choose(page, "38970100007")
    to_payment(page)
    assert "instalments" in ways(page)
    pay_by(page, "instalments", 6)

    confirmed(page)


@pytest.mark.rule("ELG-4", "OFF-4")
def test_newcomer_gets_no_contract_but_the_device_alone(shop, visitor):
    page = begin(visitor, "newcomer")
    to_number(page)
    expect(page.locator("#hapi")).to_contain_text("Jeni abonent më pak se 6 muaj")

    page.locator("#hapi ol a.btn").click()
    arrive(page, "**/pajisja/**")
    expect(page.locator("input[name=lloji][value=vetem]")).to_be_checked()


@pytest.mark.rule("ELG-6", "PAY-3")
def test_business_orders_on_contract_too(shop, visitor):
    page = begin(visitor, "business", size=PHONE)
    to_number(page)
    choose(page, "38970100010")
    to_payment(page)
    pay_by(page, "instalments", 12)

    confirmed(page)


@pytest.mark.rule("PRO-5", "PAY-1")
def test_nonumber_is_led_to_adding_one(shop, visitor):
    page = begin(visitor, "nonumber")
    to_number(page)

    expect(page.locator("#hapi")).to_contain_text("nuk ka ende asnjë numër")
    page.locator("#hapi .actions a.btn").last.click()
    arrive(page, "**/profili/numrat/shto**")


@pytest.mark.rule("PAY-1")
def test_blocked_points_do_not_stop_a_contract(shop, visitor):
    page = begin(visitor, "blocked")
    to_number(page)
    choose(page, "38970100012")
    to_payment(page)
    assert ways(page) == ["instalments", "card", "first_bill"]
    pay_by(page, "instalments", 1)

    confirmed(page)


@pytest.mark.rule("CHK-1", "OFF-2", "PAY-1", "PAY-3")
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_besnik_24_is_chosen_and_ordered_in_instalments_without_a_script(shop, visitor, size):
    email, msisdn = member_with(shop)
    page = visitor(size=size, javascript=False)
    log_in(page, email, "/pajisja/samsung-galaxy-s25")
    page.locator("#lloji-besnik24").check()
    page.get_by_role("button", name="Shfaq këtë mënyrë").click()
    arrive(page, re.compile("lloji=besnik24"))
    page.locator("#keste-12").check(force=True)
    page.get_by_role("button", name="Shfaq këtë pagesë").click()
    arrive(page, re.compile("pagesa=keste&keste=12"))
    expect(page.locator("#cmimi small")).to_contain_text("12 këste")
    page.locator("#cmimi button").click()
    arrive(page, "**/shporta")
    page.locator("#cart-contents a.btn").first.click()
    arrive(page, "**/porosia/numri")
    expect(row_of(page, msisdn)).to_contain_text(SUITABLE)
    choose(page, msisdn)
    to_payment(page)
    assert ways(page) == ["instalments", "card", "first_bill"]
    expect(page.locator("input[value=instalments]")).to_be_checked()
    to_overview(page, "instalments", 6)
    expect(page.locator("#hapi")).to_contain_text("Me këste në faturë: 6 ×")
    journey.place(page)
    confirmed(page)
    expect(page.locator("#rezultati")).to_contain_text("Besnik 24")
    number = journey.number_on(page)
    [mail] = shop.wait_for_mail(email)
    assert number in mail["subject"] + mail["text"]


@pytest.mark.rule("OFF-4", "OFF-6", "PAY-2")
@pytest.mark.parametrize("javascript", [True, False], ids=["js", "no-js"])
def test_a_guest_picks_a_new_number_and_pays_by_card(shop, visitor, javascript):
    page = visitor(javascript=javascript)
    to_number(page, "/pajisja/samsung-galaxy-s25?lloji=new_number&pagesa=kartele")
    page.fill("#shifra", "27")
    if javascript:
        expect(page.locator("#te-lire .pick label").first).to_contain_text("27")
    else:
        page.locator("form[role=search] button").click()
    page.locator("#te-lire input[name=numri]").first.check(force=True)
    if javascript:
        expect(page.locator("#te-lire")).to_contain_text("e ruajmë për ju deri në orën")
        check_accessible(page)
    go_on(page)
    journey.fill_data(page, journey.new_email())
    journey.fill_delivery(page)
    assert ways(page) == ["card"]
    to_overview(page, "card")
    journey.place_and_pay(page, javascript)
    confirmed(page)
