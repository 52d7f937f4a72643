"""Choosing: devices side by side, the wish list, what was looked at; by finger on a phone, and without scripts."""

import re

import pytest
from playwright.sync_api import expect

from e2e.conftest import DESKTOP, PHONE, arrive, check_accessible, wait_until

# Layout shifts of the page that nobody caused, added up.
SHIFTS = """new Promise((done) => {
  let sum = 0;
  const add = (list) => { for (const one of list.getEntries()) if (!one.hadRecentInput) sum += one.value; };
  new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 200);
})"""


def press(card, what, answer):
    """A button of a card, until the shop has answered it."""
    card.hover()
    with card.page.expect_response(answer):
        card.locator(f"[data-choose={what}]").click()


def wished(response) -> bool:
    return response.request.method == "POST" and response.url.endswith("/deshirat")


def test_four_devices_side_by_side_and_a_fifth_is_refused(shop, visitor):
    page = visitor(size=PHONE, scheme="dark")
    page.goto("/celulare")
    cards = page.locator(".card")
    for place in range(4):
        press(cards.nth(place), "compared", re.compile("/krahaso/shto"))
        expect(page.locator("#zgjedhjet")).to_contain_text(f"({place + 1})")
    press(cards.nth(4), "compared", re.compile("/krahaso/shto"))
    expect(page.locator("#zgjedhjet [role=alert]")).to_contain_text("Krahasohen deri në 4 pajisje.")
    expect(page.locator(".card [data-choose=compared][aria-pressed=true]")).to_have_count(4)
    check_accessible(page)

    page.locator("#zgjedhjet .btn").click()
    arrive(page, "**/krahaso?p=**")
    table = page.locator(".side-by-side")
    expect(table.locator("thead th")).to_have_count(4)
    check_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # By keyboard as by finger: the table moves, its titles and heads stay.
    table.focus()
    title, head = table.locator("tbody th[scope=row]").first, table.locator("thead th").first
    before = title.bounding_box()["x"], head.bounding_box()["y"]
    for key in ("ArrowRight", "ArrowDown"):
        page.keyboard.press(key, delay=200)
    wait_until(page, "document.querySelector('.side-by-side').scrollLeft > 0")
    wait_until(page, "document.querySelector('.side-by-side').scrollTop > 0")
    assert (title.bounding_box()["x"], head.bounding_box()["y"]) == pytest.approx(before, abs=1)

    rows = table.locator("tbody tr:not(.group)").count()
    page.locator("#ndryshimet").click()
    arrive(page, "**vetem=ndryshimet")
    expect(table.locator("tbody tr.is-different").first).to_be_visible()
    assert table.locator("tbody tr:not(.group)").count() == table.locator("tbody tr.is-different").count() < rows
    table.locator("thead .x").first.click()
    expect(table.locator("thead th")).to_have_count(3)
    expect(page.locator("#lista")).to_be_focused()
    page.locator("#edhe + p a").first.click()
    expect(table.locator("thead th")).to_have_count(4)
    # A sheet of A4 across.
    page.set_viewport_size({"width": 1030, "height": 700})
    page.emulate_media(media="print")
    expect(table.locator("thead .x").first).to_be_hidden()
    assert table.evaluate("element => element.scrollWidth <= element.clientWidth")


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_a_wish_is_kept_with_its_colour_and_moved_into_the_cart(shop, visitor, javascript):
    page = visitor(size=PHONE if javascript else DESKTOP, javascript=javascript)
    page.goto("/celulare")
    cards = page.locator(".card")
    if javascript:
        for place in (0, 1):
            press(cards.nth(place), "wished", wished)
        expect(cards.nth(1).locator("[data-choose=wished]")).to_have_attribute("aria-pressed", "true")
        press(cards.nth(1), "wished", wished)
        expect(cards.nth(1).locator("[data-choose=wished]")).to_have_attribute("aria-pressed", "false")
        page.reload()
        expect(page.locator(".card [data-choose=wished][aria-pressed=true]")).to_have_count(1)
    else:
        cards.first.hover()
        cards.first.locator("[data-choose=wished]").click()
        page.get_by_role("main").get_by_role("button", name="Ruaje te lista e dëshirave").click()
        arrive(page, "**/deshirat")
    page.goto("/pajisja/xiaomi-15")
    page.locator("#pajisja [data-choose=wished]").click()
    if javascript:
        expect(page.locator("#pajisja [data-choose=wished]")).to_have_attribute("aria-pressed", "true")
        expect(page.locator("#zgjedhjet")).to_have_attribute("data-wished", re.compile("xiaomi-15"))
        page.goto("/deshirat")
    arrive(page, "**/deshirat")
    lines = page.locator(".lines.big > li")
    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text("Xiaomi 15")
    if javascript:
        check_accessible(page)
        page.get_by_role("button", name="Bëje lidhjen").click()
        expect(page.locator("#lidhja")).to_be_visible()
        link = page.locator("#lidhja").input_value()
        friend = visitor()
        friend.goto(link)
        expect(friend.locator("main .lines > li")).to_have_count(2)
        check_accessible(friend)
    lines.first.get_by_role("button", name="Shto në shportë").click()
    arrive(page, "**/shporta")
    expect(page.locator("#cart-contents")).to_contain_text("Xiaomi 15")
    page.goto("/deshirat")
    expect(lines).to_have_count(1)


def test_what_was_looked_at_comes_back_without_moving_the_page_and_can_be_stopped(shop, visitor):
    page = visitor(size=PHONE)
    for slug in ("xiaomi-15", "apple-iphone-16"):
        page.goto(f"/pajisja/{slug}")
    for path, shown in (("/", 2), ("/pajisja/samsung-galaxy-s25", 2)):
        page.goto(path)
        expect(page.locator(".strip a")).to_have_count(shown)
        assert page.evaluate(SHIFTS) <= 0.02
    check_accessible(page)
    page.locator(".seen .link").click()
    arrive(page, "**/te-shikuarat")
    check_accessible(page)
    page.get_by_role("button", name="Mos i mbaj mend më").click()
    expect(page.locator("main")).to_contain_text("Nuk mbajmë mend çfarë shikoni.")
    page.goto("/pajisja/xiaomi-15")
    page.goto("/")
    expect(page.locator(".strip")).to_have_count(0)
