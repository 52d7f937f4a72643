"""The shop on a home screen, without a line, on paper, and on screens from the narrowest phone to the widest desk."""

import io
import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from e2e import at_work, journey
from e2e.conftest import PHONE, arrive, wait_until
from e2e.member import member_with
from e2e.owing import log_in
from e2e.test_my_orders import place_as_guest

KEPT = "caches.keys().then(async names => (await Promise.all(names.map(async name => \
    (await (await caches.open(name)).keys()).map(one => new URL(one.url).pathname)))).flat())"
# Elements whose text or box ends beyond the page, but for those in something that scrolls by itself.
REACHING = """width => [...document.querySelectorAll('body *')].filter(one => {
  for (let around = one.parentElement; around; around = around.parentElement)
    if (around !== document.body && getComputedStyle(around).overflowX !== 'visible') return false;
  const text = document.createRange();
  text.selectNodeContents(one);
  return one.checkVisibility() && [one, text].some(part => part.getBoundingClientRect().right > width + 1);
}).map(one => one.outerHTML.slice(0, 90)).slice(-3)"""
# Words that end beyond the card or the frame that they stand in.
BEYOND = """() => [...document.querySelectorAll('.card > *, .cats .item > span')].filter(one => {
  const text = document.createRange();
  text.selectNodeContents(one);
  const ends = one.closest('.card, .item').getBoundingClientRect().right;
  return one.checkVisibility() && !one.matches('.card__tools, .card__marks')
    && text.getBoundingClientRect().right > ends + 1;
}).map(one => one.textContent.trim())"""
# Words of headings that go on in the next line.
BROKEN = r"""() => [...document.querySelectorAll('h1, h2')].filter(one => one.checkVisibility()).flatMap(one => {
  const found = [];
  for (const texts = document.createTreeWalker(one, NodeFilter.SHOW_TEXT); texts.nextNode();)
    for (const { 0: word, index } of texts.currentNode.data.matchAll(/[\p{L}\p{N}]+/gu)) {
      const range = document.createRange();
      range.setStart(texts.currentNode, index);
      range.setEnd(texts.currentNode, index + word.length);
      if (new Set([...range.getClientRects()].map(line => Math.round(line.top))).size > 1) found.push(word);
    }
  return found;
})"""
NARROW, WIDE, LARGE_TEXT = 320, 2560, 390
TWICE = "document.documentElement.style.fontSize = '200%'"
COMPARED = [
    f"p={slug}" for slug in ("samsung-galaxy-s25", "apple-iphone-16", "samsung-galaxy-s25-ultra", "xiaomi-15")
]
# Who looks, where the look begins, and which links are followed from there.
STEPS = ("/shporta", "/porosia/te-dhenat", "/porosia/dergesa", "/porosia/pagesa", "/porosia/pasqyra")


@pytest.mark.rule("PRV-1")
def test_without_a_line_a_page_says_so_and_nothing_of_a_shopper_is_kept(visitor):
    page = visitor(size=PHONE, worker=True)
    journey.put_in_cart(page)
    page.goto("/mk/celulare")
    wait_until(page, "navigator.serviceWorker.controller")
    page.reload()
    page.context.set_offline(True)
    page.goto("/mk/pajisja/xiaomi-15")
    expect(page.locator("h1")).to_have_text("Нема врска")
    # In the shop's own look.
    assert page.evaluate("document.styleSheets.length") == 3
    assert page.evaluate("document.querySelector('main img').naturalWidth") > 0
    kept = page.evaluate(KEPT)
    assert {"/pa-lidhje", "/mk/pa-lidhje", "/en/pa-lidhje"} < set(kept)
    assert all(path.startswith("/static/") or path.endswith("/pa-lidhje") for path in kept)
    page.context.set_offline(False)
    page.locator("main a.btn").first.click()
    expect(page.locator("h1")).to_have_text("Xiaomi 15")

    # A new version takes over at once, and what the old one kept goes.
    page.evaluate("caches.open('dyqani-old')")
    page.evaluate("navigator.serviceWorker.register('/sw.js?v=new', {scope: '/', updateViaCache: 'all'})")
    wait_until(page, "navigator.serviceWorker.controller.scriptURL.endsWith('new')")
    wait_until(page, "!await caches.has('dyqani-old')")


def sideways(page, address) -> list[str]:
    """Where the page at `address` can be scrolled sideways or does not use a wide screen."""
    page.set_viewport_size({"width": NARROW, "height": 640})
    page.goto(address)
    found = []

    def look(width, what):
        page.set_viewport_size({"width": width, "height": 844})
        if (reaches := page.evaluate("document.documentElement.scrollWidth")) > width:
            wide = page.evaluate(REACHING, width)
            found.append(f"{address} {what}: {reaches} px: {wide}")

    look(NARROW, "at 320 px")
    look(WIDE, "at 2560 px")
    page.evaluate(TWICE)
    look(LARGE_TEXT, "with letters twice as large")
    return found


def linked(page, starts, allowed) -> list[str]:
    """The pages that the pages at `starts` link to, one for each kind of address."""
    kinds = {}
    for start in starts:
        page.goto(start)
        for href in [
            start,
            *page.eval_on_selector_all("a[href^='/']", "all => all.map(a => a.getAttribute('href'))"),
        ]:
            path = urlsplit(href).path
            if re.match(allowed, path) and not re.search(r"\.\w{2,4}$|/dil$|/dokument", path):
                kinds.setdefault(re.sub(r"/[^/]*[0-9][^/]*|/pajisja/[^/]+", "/#", path), href)
    return list(kinds.values())


@pytest.mark.parametrize("who", ["guest", "member", "admin"])
def test_every_page_fits_the_narrowest_and_the_widest_screen_and_letters_twice_as_large(shop, visitor, who):
    page = visitor()
    if who == "guest":
        journey.put_in_cart(page, "/pajisja/xiaomi-15")
        journey.to_checkout(page)
        email = journey.new_email()
        journey.fill_data(page, email)
        journey.fill_delivery(page)
        journey.choose_card(page)
        # Macedonian words are the longest.
        shown = [*STEPS, *linked(page, ["/mk/"], r"/mk/(?!demo)")]
        shown.append("/pajisja/samsung-galaxy-s25?lloji=besnik24")
    elif who == "member":
        email, _ = member_with(shop, 400)
        place_as_guest(shop, email, "xiaomi-15", "samsung-galaxy-s25")
        log_in(page, email)
        page.locator("form[action$=te-mysafirit] button").click()
        expect(page.locator("#lista .order")).to_have_count(2)
        shown = linked(page, ["/porosite", "/klubi", "/profili"], r"/(porosi|klubi|profili|paguaj)")
    else:
        # Nearly everything at work is open to them.
        at_work.log_in(page, shop, "admin", "/desk/stafi")
        shown = linked(page, linked(page, ["/desk/stafi"], r"/desk"), r"/desk")
    assert len(shown) > 5
    wrong = [said for address in shown for said in sideways(page, address)]
    assert not wrong, "\n".join(wrong)


def edges(page, selector) -> dict:
    return page.eval_on_selector(selector, "one => one.getBoundingClientRect().toJSON()")


@pytest.mark.parametrize("address", ["/mk/buxheti", "/mk/celulare", "/mk/oferta"])
def test_prices_and_kinds_stay_in_their_frames_on_the_narrowest_screen(visitor, address):
    page = visitor(size={"viewport": {"width": NARROW, "height": 640}})
    page.goto(address)
    assert page.evaluate(BEYOND) == []


@pytest.mark.parametrize("address", ["/mk/", "/mk/klubi", "/mk/ndihme/si-porosisni", "/mk/pajisja/xiaomi-15"])
def test_no_heading_breaks_within_a_word_when_letters_are_twice_as_large(visitor, address):
    page = visitor(size={"viewport": {"width": LARGE_TEXT, "height": 844}})
    page.goto(address)
    page.evaluate(TWICE)
    assert page.evaluate(BROKEN) == []


def test_the_bar_of_what_is_compared_leaves_the_page_in_sight_with_letters_twice_as_large(visitor):
    page = visitor(size={"viewport": {"width": LARGE_TEXT, "height": 844}})
    page.goto("/celulare")
    for number in range(4):
        page.locator(".card [data-choose=compared]").nth(number).click()
        expect(page.locator(".tray li")).to_have_count(number + 1)
    page.evaluate(TWICE)
    bar = edges(page, ".tray")
    assert bar["height"] < 100
    assert bar["left"] >= 0
    assert bar["right"] <= LARGE_TEXT
    # What is said stands above it.
    page.evaluate("document.querySelector('#flash').textContent = document.body.dataset.offline")
    assert edges(page, "#flash")["bottom"] <= bar["top"]

    page.goto("/pajisja/xiaomi-15")
    page.evaluate(TWICE)
    page.locator("#cmimi").scroll_into_view_if_needed()
    bar = edges(page, ".tray")
    assert bar["height"] < 100
    assert edges(page, "#cmimi")["bottom"] <= bar["top"] + 1


def test_three_devices_stand_side_by_side_on_a_phone_and_stay_named(visitor):
    page = visitor(size=PHONE)
    page.goto(f"/krahaso?{'&'.join(COMPARED[:3])}")
    region = ".side-by-side"
    assert page.eval_on_selector(region, "one => one.scrollWidth <= one.clientWidth")
    assert page.eval_on_selector(region, "one => getComputedStyle(one).overflowY") == "visible"
    page.evaluate("scrollTo(0, 900)")
    assert edges(page, f"{region} thead")["top"] == pytest.approx(edges(page, ".top")["bottom"], abs=2)
    # The fourth is cut by the edge, so that it is seen to be there, and the keyboard reaches what scrolls.
    page.goto(f"/krahaso?{'&'.join(COMPARED)}")
    last = edges(page, f"{region} thead th:last-child")
    assert last["left"] < PHONE["viewport"]["width"] < last["right"]
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["viewport"]["width"]
    page.locator(region).focus()
    page.keyboard.press("ArrowRight")
    wait_until(page, f"document.querySelector('{region}').scrollLeft > 0")


def test_a_comparison_on_paper_has_every_device(visitor):
    page = visitor(size=PHONE)
    page.goto(f"/mk/krahaso?{'&'.join(COMPARED)}")
    paper = PdfReader(io.BytesIO(page.pdf(format="A4", prefer_css_page_size=True)))
    assert len(paper.pages) == 1
    # As wide as a sheet within its margins.
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680, "height": 960})
    assert page.evaluate(REACHING, 680) == []
    assert page.locator(".side-by-side thead th").count() == len(COMPARED)


def test_an_order_on_paper_is_the_order_alone(shop, visitor):
    page = visitor(scheme="dark")
    email, _ = member_with(shop)
    place_as_guest(shop, email, "xiaomi-15")
    log_in(page, email)
    page.locator("form[action$=te-mysafirit] button").click()
    page.locator("#lista a.go").first.click()
    arrive(page, "**/porosia/DY-**")
    number = journey.number_on(page)
    paper = PdfReader(io.BytesIO(page.pdf(format="A4")))
    text = " ".join(" ".join(sheet.extract_text().split()) for sheet in paper.pages)
    assert len(paper.pages) <= 2
    assert number in text
    assert "Xiaomi 15" in text
    assert "Rruga 12" in text
    for pressed in ("Ndrysho", "Anulo porosinë", "Klubi Im", "Privatësia", "Pyetje që lindin këtu"):
        assert pressed not in text
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_pages_fade_into_each_other_only_where_motion_is_welcome(visitor):
    page = visitor()
    rules = "[...document.styleSheets].flatMap(one => [...one.cssRules]).map(one => one.cssText).join('')"
    page.goto("/celulare")
    assert "@view-transition" in page.evaluate(rules)
    revealed = "addEventListener('pagereveal', event => { window.faded = event.viewTransition !== null })"
    page.add_init_script(revealed)
    for motion, faded in (("reduce", False), ("no-preference", True)):
        page.emulate_media(reduced_motion=motion)
        page.goto("/celulare")
        page.locator(".card a").first.click()
        arrive(page, "**/pajisja/**")
        assert page.evaluate("window.faded") is faded


def test_what_is_chosen_and_focused_shows_in_the_readers_own_colours(visitor):
    page = visitor()
    page.emulate_media(forced_colors="active", contrast="more")
    page.goto("/pajisja/samsung-galaxy-s25?lloji=besnik24")
    border = "all => all.map(one => getComputedStyle(one).borderTopWidth)"
    for is_chosen, wide in ((":checked", "3px"), (":not(:checked)", "1px")):
        found = f".choice:has(> input{is_chosen}), .pick label:has(input{is_chosen})"
        assert set(page.eval_on_selector_all(found, border)) == {wide}
    assert page.eval_on_selector_all("#q", border) == ["1px"]
    page.locator("#cmimi button").focus()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
