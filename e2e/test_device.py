"""The device's page with contracts: by mouse, by keys alone, and without JavaScript (OFF-1…3)."""

import re

import pytest
from playwright.sync_api import expect

from e2e.conftest import DESKTOP, PHONE, arrive, check_accessible

PATH = "/pajisja/samsung-galaxy-s25"


def change(page, choose):
    """Choose something and wait for what follows it."""
    with page.expect_response(lambda response: "mbaj=" in response.url and response.ok):
        choose()


def go_back(page):
    """Back, and the page that htmx asks for anew: its entry in the history is changed first."""
    with page.expect_event("load"):
        page.go_back()


def show(page, name):
    """The button of a fieldset in a browser without a script."""
    page.get_by_role("button", name=name).click()
    page.wait_for_load_state()


def query(page) -> str:
    return page.url.partition("?")[2]


def press_until(page, wanted, key="Tab", most=60):
    """Press `key` until the focus is on the element `wanted`."""
    for _ in range(most):
        if page.evaluate("document.activeElement?.id") == wanted:
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} does not reach #{wanted}, but #{page.evaluate('document.activeElement?.id')}")


@pytest.mark.rule("OFF-1", "OFF-2")
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_contract_is_chosen_with_the_mouse_and_the_summary_follows(shop, visitor, size, scheme):
    page = visitor(size=size, scheme=scheme)
    page.goto(PATH)
    check_accessible(page)
    change(page, lambda: page.locator("#lloji-besnik24").check())
    expect(page.locator("#kushtet table")).to_be_visible()
    expect(page.locator("#sum")).to_contain_text("/muaj")
    check_accessible(page)
    change(page, lambda: page.locator("tr", has=page.locator("#tarifa-linja-l")).click())
    expect(page.locator("#cmimi small")).to_have_text("Sot 0 den · Linja L, 24 këste")
    change(page, lambda: page.locator("#keste-6").check())
    expect(page.locator("#kesti")).to_contain_text("6 ×")
    expect(page.locator("#cmimi small")).to_contain_text("në 6 muajt e parë")
    change(page, lambda: page.locator("#pagesa-fatura").check())
    expect(page.locator("#cmimi small")).to_contain_text("në faturën e parë")
    expect(page.locator(".more")).to_be_hidden()
    check_accessible(page)
    assert "lloji=besnik24&tarifa=linja-l&pagesa=fatura" in query(page)
    change(page, lambda: page.locator("#lloji-numer-i-ri").check())
    expect(page.locator("#pagesa-keste")).to_have_count(0)
    expect(page.locator("#tarifa-linja-l")).to_be_checked()
    check_accessible(page)
    page.locator("#cmimi button").click()
    arrive(page, "**/shporta")
    expect(page.locator("#cart-contents")).to_contain_text("Pajisje me numër të ri · Linja L")
    check_accessible(page)


@pytest.mark.rule("OFF-1", "PAY-1")
def test_besnik_24_begins_with_instalments_whatever_was_looked_at_before(shop, visitor):
    page = visitor()
    page.goto(PATH)
    change(page, lambda: page.locator("#lloji-numer-i-ri").check())
    expect(page.locator("#pagesa-keste")).to_have_count(0)
    change(page, lambda: page.locator("#lloji-besnik24").check())
    expect(page.locator("#pagesa-keste")).to_be_checked()


@pytest.mark.rule("OFF-2")
def test_an_address_opens_the_same_choice_in_another_browser_and_back_leads_through_the_choices(shop, visitor):
    page = visitor()
    page.goto(PATH)
    change(page, lambda: page.locator("#lloji-besnik24").check())
    change(page, lambda: page.locator("#keste-12").check())
    change(page, lambda: page.locator(".pick.colour label").nth(1).click())
    expect(page.locator("#keste-12")).to_be_checked()
    shared, said = page.url, page.locator("#cmimi").inner_text()
    other = visitor(javascript=False)
    other.goto(shared)
    assert other.locator("#cmimi").inner_text() == said
    go_back(page)
    expect(page.locator("#keste-12")).to_be_checked()
    go_back(page)
    expect(page.locator("#cmimi small")).to_contain_text("24 këste")
    go_back(page)
    expect(page.locator("#kushtet")).to_be_hidden()


@pytest.mark.rule("OFF-1", "OFF-3")
def test_a_contract_is_chosen_and_ordered_by_keys_alone(shop, visitor):
    page = visitor()
    page.goto(PATH)
    press_until(page, "lloji-vetem")
    change(page, lambda: page.keyboard.press("ArrowDown"))
    expect(page.locator("#tarifa-linja-s")).to_be_visible()
    # The focus stays where it is while what follows is swapped.
    assert page.evaluate("document.activeElement.id") == "lloji-numer-i-ri"
    press_until(page, page.locator("[name=tarifa]:checked").get_attribute("id"))
    at = page.evaluate("document.activeElement.id")
    change(page, lambda: page.keyboard.press("ArrowDown"))
    assert page.evaluate("document.activeElement.id") != at
    press_until(page, "pagesa-kartele")
    change(page, lambda: page.keyboard.press("ArrowDown"))
    assert page.evaluate("document.activeElement.id") == "pagesa-fatura"
    expect(page.locator("#njoftimi")).to_contain_text("në faturën e parë")
    page.keyboard.press("Tab")
    expect(page.locator("#cmimi button")).to_be_focused()
    page.keyboard.press("Enter")
    arrive(page, "**/shporta")
    expect(page.locator("#cart-contents")).to_contain_text("në faturën e parë")


@pytest.mark.rule("OFF-1", "OFF-2")
def test_every_choice_is_there_without_javascript(shop, visitor):
    page = visitor(javascript=False)
    page.goto(PATH)
    page.locator("#lloji-besnik24").check()
    show(page, "Shfaq këtë mënyrë")
    page.locator("tr", has=page.locator("#tarifa-linja-m")).click()
    show(page, "Shfaq këtë tarifë")
    page.locator("#keste-12").check()
    show(page, "Shfaq këtë pagesë")
    assert query(page).endswith("lloji=besnik24&tarifa=linja-m&pagesa=keste&keste=12")
    expect(page.locator("#cmimi small")).to_contain_text("Linja M, 12 këste")
    page.locator("#lloji-numer-i-ri").check()
    page.locator("#cmimi button").click()
    # Nobody has seen yet what that costs.
    expect(page.locator(".note")).to_contain_text("Shihni çmimin e asaj që zgjodhët")
    page.locator("#cmimi button").click()
    arrive(page, "**/shporta")
    expect(page.locator("#cart-contents")).to_contain_text("Pajisje me numër të ri · Linja M")


@pytest.mark.rule("OFF-3")
@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_besnik_24_leads_through_the_login_back_to_the_choice_and_into_the_cart(shop, visitor, javascript):
    page = visitor(javascript=javascript)
    chosen = "lloji=besnik24&tarifa=linja-m&pagesa=keste&keste=6"
    page.goto(f"{PATH}?{chosen}")
    expect(page.locator("#pajisja")).to_contain_text("kërkon hyrje")
    said = page.locator("#cmimi").inner_text()
    page.locator("#cmimi button").click()
    arrive(page, re.compile("/hyr"))
    page.fill("#email", "eligible@example.com")
    page.fill("#password", "dyqani-demo")
    page.locator("#password").press("Enter")
    arrive(page, re.compile("//[^/]+/pajisja/"))
    assert chosen in page.url
    expect(page.locator(".note.ok")).to_contain_text("tani mund ta porosisni")
    expect(page.locator("#pajisja")).not_to_contain_text("kërkon hyrje")
    assert page.locator("#cmimi").inner_text() == said
    if javascript:
        check_accessible(page)
    page.locator("#cmimi button").click()
    arrive(page, "**/shporta")
    expect(page.locator("#cart-contents")).to_contain_text("Besnik 24 · Linja M")
    expect(page.locator("#cart-contents")).to_contain_text("6 ×")
    if javascript:
        check_accessible(page)


@pytest.mark.parametrize("contract", ["lloji=besnik24&tarifa=linja-l&pagesa=keste&keste=24", "lloji=numer-i-ri"])
@pytest.mark.parametrize("language", ["", "/mk"])
def test_a_contract_scrolls_nothing_sideways_on_the_narrowest_phone(shop, visitor, contract, language):
    page = visitor(size={"viewport": {"width": 320, "height": 640}})
    page.goto(f"{language}{PATH}?{contract}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
