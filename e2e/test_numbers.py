"""Adding a number to a profile and removing it, as a subscriber does (PRO-3, PRO-4)."""

import time

import pytest
from playwright.sync_api import expect

from e2e.conftest import DESKTOP, PHONE, arrive, check_accessible

NUMBER, HOLDER_ID, SIM = "38970100020", "0101990450006", "445566"
SENTENCE = f"Numri i telefonit celular {NUMBER} është shtuar me sukses në profilin tuaj"


def log_in(page, email):
    page.goto("/hyr?next=/profili/numrat")
    page.fill("#email", email)
    page.fill("#password", "dyqani-demo")
    page.locator("#hyrja form button.btn").click()
    expect(page.locator("h1")).to_have_text("Numrat e mi")


def submit(page):
    page.locator("#shto form button.btn").first.click()


def type_number(page, number="070 100 020"):
    page.fill("#phone", number)
    submit(page)
    expect(page.locator("h1")).to_have_text("Vërtetoni se numri është juaji")


def next_sms(shop, known, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        fresh = [sms for sms in shop.smses(NUMBER) if sms["id"] not in known]
        if fresh:
            return fresh[0]
        time.sleep(0.2)
    raise AssertionError(f"no SMS to {NUMBER}")


def known_smses(shop):
    return {sms["id"] for sms in shop.smses(NUMBER)}


@pytest.mark.rule("PRO-3", "MSG-2")
@pytest.mark.parametrize(
    ("email", "size", "scheme", "javascript"),
    [
        ("nonumber@example.com", DESKTOP, "light", True),
        ("newcomer@example.com", PHONE, "dark", True),
        ("business@example.com", PHONE, "light", False),
    ],
    ids=["desktop", "phone-dark", "no-script"],
)
def test_a_number_is_added_by_id_and_code_and_removed_again(shop, visitor, email, size, scheme, javascript):
    page = visitor(size=size, scheme=scheme, javascript=javascript)
    check = check_accessible if javascript else (lambda page: None)
    log_in(page, email)
    check(page)
    page.locator("main").get_by_role("link", name="Shto", exact=True).click()
    expect(page.locator("h1")).to_have_text("Cilin numër dëshironi të shtoni?")
    check(page)
    page.fill("#phone", "12")
    submit(page)
    expect(page.locator("#phone-error")).to_be_visible()
    check(page)
    type_number(page)
    check(page)

    # A mistyped digit is told at once, beside its field.
    page.fill("#id_number", "0101990450007")
    submit(page)
    expect(page.locator("#id_number-error")).to_contain_text("shkruar gabim")
    check(page)
    known = known_smses(shop)
    page.fill("#id_number", HOLDER_ID)
    submit(page)
    expect(page.locator("h1")).to_have_text("Shkruani kodin nga SMS-i")
    check(page)

    code = next_sms(shop, known)["text"][:6]
    page.fill("#code", f"{(int(code) + 1) % 10**6:06}")
    submit(page)
    expect(page.locator("#code-error")).to_contain_text("mbeten 4 përpjekje")
    check(page)
    page.fill("#code", code)
    submit(page)
    expect(page.locator("h1")).to_have_text(SENTENCE)
    check(page)
    page.get_by_role("link", name="Mbyll").click()
    expect(page.locator("h1")).to_have_text("Numrat e mi")
    added = page.locator(".rows li", has_text="070 100 020")
    expect(added).to_be_visible()
    check(page)

    added.locator(".x").click()
    expect(page.locator("h1")).to_contain_text("Ta heqim numrin")
    check(page)
    page.get_by_role("button", name="Hiq numrin").click()
    expect(page.locator("h1")).to_have_text("Numrat e mi")
    expect(page.locator(".rows li", has_text="070 100 020")).to_have_count(0)


@pytest.mark.rule("PRO-3")
def test_a_number_is_added_by_its_sim_and_leads_back_to_where_it_came_from(shop, visitor):
    page = visitor(size=PHONE)
    log_in(page, "justpaid@example.com")
    page.goto("/profili/numrat/shto?tjetra=/shporta")
    type_number(page, "+389 70 100 020")
    page.check("#v-sim")
    expect(page.locator("#sim_end")).to_be_visible()
    expect(page.locator("#id_number")).to_be_hidden()
    known = known_smses(shop)
    page.fill("#sim_end", SIM)
    submit(page)
    expect(page.locator("h1")).to_have_text("Shkruani kodin nga SMS-i")
    page.fill("#code", next_sms(shop, known)["text"][:6])
    submit(page)
    expect(page.locator("h1")).to_have_text(SENTENCE)
    page.get_by_role("link", name="Mbyll").click()
    arrive(page, "**/shporta")


@pytest.mark.rule("PRO-4")
def test_a_wrong_id_looks_like_a_right_one_and_sends_nothing(shop, visitor):
    page = visitor()
    log_in(page, "blocked@example.com")
    known = known_smses(shop)
    for number in ("070 100 020", "070 100 099"):
        page.goto("/profili/numrat/shto")
        type_number(page, number)
        page.fill("#id_number", "0101990454818")
        submit(page)
        expect(page.locator("h1")).to_have_text("Shkruani kodin nga SMS-i")
        page.fill("#code", "123456")
        submit(page)
        expect(page.locator("#code-error")).to_contain_text("mbeten 4 përpjekje")
    page.wait_for_timeout(2500)
    assert known_smses(shop) == known


@pytest.mark.rule("MSG-2")
def test_the_demos_inbox_shows_the_sms(shop, visitor):
    page = visitor(size=PHONE)
    log_in(page, "almostpaid@example.com")
    page.goto("/profili/numrat/shto")
    type_number(page)
    known = known_smses(shop)
    page.fill("#id_number", HOLDER_ID)
    submit(page)
    expect(page.locator("h1")).to_have_text("Shkruani kodin nga SMS-i")
    text = next_sms(shop, known)["text"]
    page.goto("/demo/inbox")
    expect(page.locator("#smses")).to_contain_text(text)
    check_accessible(page)
