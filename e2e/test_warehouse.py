"""The warehouse packs and hands over by typed numbers, an attempt fails, the customer chooses a new time, and it is
delivered (DSK-2, DLV-3, DLV-5)."""

import re
from itertools import count

import pytest
from playwright.sync_api import expect

from e2e.at_work import log_in
from e2e.conftest import DESKTOP, PHONE, arrive, check_accessible
from e2e.ordered import ordered

_customers = count(1)
SEEN_AS = pytest.mark.parametrize(
    ("size", "scheme", "javascript"),
    [(DESKTOP, "light", True), (PHONE, "dark", True), (PHONE, "light", False)],
    ids=["desktop", "phone-dark", "no-script"],
)


def new_customer() -> str:
    return f"customer{next(_customers)}@example.com"


@pytest.mark.rule("DSK-2", "DLV-3", "DLV-5")
@SEEN_AS
def test_from_the_pick_list_to_the_door(shop, visitor, size, scheme, javascript):
    check = check_accessible if javascript else (lambda page: None)
    email = new_customer()
    (first, link), (second, _) = ordered(shop, email), ordered(shop, new_customer(), "paid", "xiaomi-15")
    page = visitor(size=size, scheme=scheme, javascript=javascript)
    log_in(page, shop, "warehouse", "/desk/depo")
    expect(page.locator("h1")).to_have_text("Lista e paketimit")
    check(page)

    # One by its own button, one by its box.
    page.get_by_role("button", name=f"U paketua {first}").click()
    arrive(page, re.compile(r"u=paketuar&sa=1$"))
    page.get_by_role("checkbox", name=f"Zgjidh {second}").check()
    page.locator("#paketimi > .row button").first.click()
    arrive(page, re.compile(r"u=paketuar&sa=1$"))
    expect(page.locator("main")).not_to_contain_text(second)
    check(page)

    # Handed over by typed numbers; one of them is mistyped and stays.
    page.get_by_role("link", name=re.compile("^Të paketuara")).click()
    arrive(page, "**/desk/depo/korrieri")
    expect(page.locator("main")).to_contain_text(first)
    check(page)
    wrong = second[:-1] + ("A" if second[-1] != "A" else "B")
    page.fill("#numrat", f"{first.lower().replace('-', ' ')}\n{wrong}")
    page.get_by_role("button", name="Jepja korrierit").click()
    expect(page.locator(".note.bad[role=alert]")).to_contain_text("Numri është shkruar gabim")
    expect(page.locator(".note.ok")).to_contain_text(first)
    expect(page.locator("#numrat")).to_have_value(wrong)
    check(page)
    page.fill("#numrat", second)
    page.get_by_role("button", name="Jepja korrierit").click()
    arrive(page, re.compile(r"u=dorezuar-korrierit&sa=1$"))

    # The courier: nobody at home.
    page.get_by_role("link", name=re.compile("^Te korrieri")).click()
    expect(page.locator("h1")).to_have_text("Lista e korrierit")
    check(page)
    page.get_by_role("link", name=first).click()
    expect(page.locator("h1")).to_have_text(first)
    check(page)
    page.get_by_role("button", name="Përpjekja nuk doli").click()
    expect(page.locator("#arsyeja-error")).to_have_text("Zgjidhni arsyen.")
    check(page)
    page.select_option("#arsyeja", "not_home")
    page.fill("#shenimi", "zilja nuk punon")
    page.get_by_role("button", name="Përpjekja nuk doli").click()
    arrive(page, re.compile(r"u=pa-dorezuar$"))
    page.get_by_role("link", name=re.compile("^Pa u dorëzuar")).click()
    expect(page.locator("main")).to_contain_text("zilja nuk punon")
    check(page)

    # The customer is told in writing, and chooses a time.
    mails = shop.wait_for_mail(email, 3)
    assert any("nuk u dorëzua" in mail["subject"] for mail in mails)
    customer = visitor(size=size, scheme=scheme, javascript=javascript)
    customer.goto(link)
    customer.locator("#koha input[name=koha]").first.check(force=True)
    customer.get_by_role("button", name="Ruaj kohën").click()
    expect(customer.locator("main")).to_contain_text("Koha u ruajt")

    # It goes out again, and is received by who is named for it.
    page.goto("/desk/depo/korrieri")
    expect(page.locator("#a")).to_contain_text("Niset përsëri, me kohë të re")
    check(page)
    page.fill("#numrat", first)
    page.get_by_role("button", name="Jepja korrierit").click()
    arrive(page, re.compile(r"u=dorezuar-korrierit&sa=1$"))
    page.goto(f"/desk/depo/porosia/{first}")
    page.locator("#pranuesi-tjeter").check()
    page.fill("#emri", "Dikush Tjetër")
    page.select_option("#dokumenti", "id_card")
    page.get_by_role("button", name="U dorëzua").click()
    expect(page.locator("#autorizimi-error")).to_be_visible()
    check(page)
    page.locator("#pranuesi").check()
    page.get_by_role("button", name="U dorëzua").click()
    arrive(page, re.compile(r"u=dorezuar$"))
    assert any("u dorëzua" in mail["subject"] for mail in shop.wait_for_mail(email, 6))

    # What comes back is sold again.
    page.goto(f"/desk/depo/porosia/{second}")
    page.select_option("#arsyeja", "refused")
    page.get_by_role("button", name="Përpjekja nuk doli").click()
    arrive(page, re.compile(r"u=pa-dorezuar$"))
    page.goto(f"/desk/depo/porosia/{second}")
    check(page)
    page.get_by_role("button", name="Ktheje në depo").click()
    arrive(page, re.compile(r"u=kthehet$"))
    check(page)
    page.get_by_role("button", name=f"Mund të shiten: {second}").click()
    arrive(page, re.compile(r"u=ne-raft$"))
    check(page)


@pytest.mark.rule("DSK-2")
def test_a_scanner_that_sends_a_line_for_each_parcel_needs_no_mouse(shop, visitor):
    numbers = [ordered(shop, new_customer(), "paid", "xiaomi-15")[0] for _ in range(2)]
    page = visitor()
    log_in(page, shop, "warehouse", "/desk/depo")
    for number in numbers:
        page.get_by_role("checkbox", name=f"Zgjidh {number}").focus()
        page.keyboard.press("Space")
    page.keyboard.press("Enter")
    arrive(page, re.compile(r"u=paketuar&sa=2$"))
    page.goto("/desk/depo/korrieri")
    expect(page.locator("#numrat")).to_be_focused()
    for number in numbers:
        page.keyboard.type(number)
        page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    arrive(page, re.compile(r"u=dorezuar-korrierit&sa=2$"))
