"""The desk's figures in a browser, and a person's data for an authority (PRV-5)."""

import json

import pytest
from playwright.sync_api import expect

from e2e.at_work import log_in
from e2e.conftest import DESKTOP, PHONE, check_accessible

NAMES = ("porosite", "te-ardhurat", "hapat", "stoku", "vonesat", "pagesat", "piket")


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_figures_are_drawn_and_stand_in_tables(shop, visitor, size, scheme):
    page = visitor(size=size, scheme=scheme)
    log_in(page, shop, "editor", "/desk/shifrat")
    for name in NAMES:
        expect(page.locator(f"#t-{name}")).to_be_visible()
    plots = page.locator("img.plot")
    for number in range(plots.count()):
        plots.nth(number).scroll_into_view_if_needed()
        expect(plots.nth(number)).to_have_js_property("complete", True)
        assert plots.nth(number).evaluate("picture => picture.naturalWidth") > 0
    check_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.fill("#nga", "2026-01-31")
    page.fill("#deri", "2026-01-01")
    page.get_by_role("button", name="Shfaq").click()
    expect(page.get_by_role("alert")).to_be_visible()
    check_accessible(page)
    with page.expect_download() as file:
        page.get_by_role("link", name="Porositë në ditë, CSV").click()
    assert file.value.suggested_filename == "dyqani-porosite.csv"


@pytest.mark.rule("PRV-5")
def test_an_admin_hands_a_persons_data_to_an_authority_and_the_trail_says_so(shop, visitor):
    page = visitor()
    log_in(page, shop, "admin", "/desk/te-dhenat")
    check_accessible(page)
    page.get_by_role("button", name="Shkarko të dhënat").click()
    expect(page.locator("[aria-invalid=true]")).to_have_count(4)
    check_accessible(page)
    for field, text in (
        ("personi", "eligible@example.com"),
        ("autoriteti", "Gjykata themelore"),
        ("numri", "12/2026"),
        ("baza", "neni 12"),
    ):
        page.fill(f"#{field}", text)
    with page.expect_download() as file:
        page.get_by_role("button", name="Shkarko të dhënat").click()
    given = json.loads(file.value.path().read_text("utf-8"))
    assert given["tables"]["profile"][0]["email"] == "eligible@example.com"
    page.goto("/desk/gjurma")
    given = page.locator("tbody tr", has_text="Të dhënat iu dhanë një autoriteti")
    expect(given).to_contain_text("eligible@example.com")
    expect(given).to_contain_text("Gjykata themelore")
