"""The cart and the lists as shoppers use them, with and without JavaScript."""

import pytest
from playwright.sync_api import expect

from e2e import journey
from e2e.conftest import PHONE, arrive


@pytest.mark.rule("CRT-1", "CRT-2", "CRT-3", "CRT-5")
@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_the_x_removes_a_line_in_the_window_and_in_the_checkout(shop, visitor, javascript):
    page = visitor(javascript=javascript)
    journey.put_in_cart(page, "/pajisja/xiaomi-15")
    journey.put_in_cart(page, "/pajisja/apple-iphone-16")
    expect(page.locator("#cart-icon .count")).to_have_text("2")
    page.goto("/celulare")
    page.locator("#cart-icon").click()
    page.locator("#shporta .x").first.click()
    expect(page.locator("#cart-icon .count")).to_have_text("1")
    page.goto("/shporta")
    journey.to_checkout(page)
    page.locator("#permbledhja .x").first.click()
    arrive(page, "**/shporta")
    expect(page.locator("h1")).to_have_text("Shporta është bosh")


@pytest.mark.rule("CRT-4")
def test_the_cart_is_still_there_when_the_browser_is_opened_again(shop, visitor):
    page = visitor()
    journey.put_in_cart(page, "/pajisja/xiaomi-15")
    cookies = page.context.cookies()
    [cart] = [cookie for cookie in cookies if cookie["name"] == "cart"]
    again = visitor()
    again.context.add_cookies([cart])
    again.goto("/")

    expect(again.locator("#cart-icon .count")).to_have_text("1")
    assert cart["httpOnly"]
    assert cart["expires"] > 0


@pytest.mark.rule("CAT-6")
def test_filters_swap_the_list_and_the_back_button_undoes_them(shop, visitor):
    page = visitor()
    page.goto("/celulare")
    everything = page.locator("#rezultatet .bar .muted").first.inner_text()
    with page.expect_response(lambda response: "marka=Samsung" in response.url):
        page.locator("#f-marka-Samsung").check()
    expect(page.locator("#rezultatet .bar .muted").first).not_to_have_text(everything)
    assert "marka=Samsung" in page.url
    filtered = page.locator("#rezultatet .bar .muted").first.inner_text()
    page.reload()
    expect(page.locator("#rezultatet .bar .muted").first).to_have_text(filtered)
    page.go_back()
    expect(page.locator("#rezultatet .bar .muted").first).to_have_text(everything)


@pytest.mark.rule("CAT-6")
def test_a_list_is_the_same_with_and_without_javascript(shop, visitor):
    plain, scripted = visitor(javascript=False), visitor()
    plain.goto("/celulare")
    plain.locator("#f-marka-Google").check()
    plain.get_by_role("button", name="Zbato filtrat").click()
    scripted.goto("/celulare")
    with scripted.expect_response(lambda response: "marka=Google" in response.url):
        scripted.locator("#f-marka-Google").check()
    expect(scripted.locator(".chip")).to_have_count(1)

    names = [visit.locator(".cards h3").all_inner_texts() for visit in (plain, scripted)]
    assert names[0] == names[1] != []


@pytest.mark.rule("CAT-6")
def test_suggestions_come_while_typing_and_are_reached_by_arrow_keys(shop, visitor):
    page = visitor()
    page.goto("/")
    page.locator("#q").press_sequentially("piksel", delay=30)
    expect(page.locator("#q-suggestions a").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    arrive(page, "**/pajisja/google-pixel**")


@pytest.mark.rule("LOC-1")
def test_the_language_switch_stays_on_the_page(shop, visitor):
    page = visitor()
    page.goto("/celulare?marka=Apple")
    page.locator("[popovertarget=gjuha]").click()
    page.locator("#gjuha a[lang=mk]").click()
    arrive(page, "**/mk/celulare?marka=Apple")
    assert page.locator("html").get_attribute("lang") == "mk"


def test_the_second_view_takes_static_files_from_the_browser(shop, visitor):
    page = visitor(size=PHONE)
    page.goto("/celulare")
    page.wait_for_load_state("networkidle")
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    asked, kept = {}, set()
    session.on("Network.requestWillBeSent", lambda event: asked.update({event["requestId"]: event["request"]["url"]}))
    session.on("Network.requestServedFromCache", lambda event: kept.add(event["requestId"]))
    session.on(
        "Network.responseReceived",
        lambda event: kept.add(event["requestId"]) if event["response"].get("fromDiskCache") else None,
    )
    page.goto("/celulare")
    page.wait_for_load_state("networkidle")

    from_network = {url for number, url in asked.items() if number not in kept and not url.startswith("data:")}
    assert from_network == {f"{shop.url}/celulare"}


@pytest.mark.parametrize(
    "path", ["/mk/oferta", "/oferta", "/mk/celulare?marka=Samsung", "/mk/pajisja/samsung-galaxy-s25"]
)
def test_nothing_scrolls_sideways_on_the_narrowest_phone(shop, visitor, path):
    page = visitor(size={"viewport": {"width": 320, "height": 640}})
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
