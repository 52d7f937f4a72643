"""A profile from its first form to its last session, with and without JavaScript (PRO-1, PRO-2)."""

import re
import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import expect

from e2e import journey
from e2e.conftest import DESKTOP, PHONE, arrive, check_accessible

WORD = "një fjali e shkurtër"
NEW = "edhe një fjali tjetër"
SCRIPTS = [pytest.param(True, id="js"), pytest.param(False, id="no-js")]


def link_in(shop, email: str, part: str, count: int = 1) -> str:
    """The address that stands in the newest mail to `email` with such a link."""
    for mail in shop.wait_for_mail(email, count):
        found = re.search(rf"{re.escape(shop.url)}\S*{part}\S+", mail["text"])
        if found:
            return found.group(0)
    raise AssertionError(f"{email} has no mail with {part}")


def log_in(page, email: str, password: str):
    page.goto("/hyr")
    page.fill("#email", email)
    page.fill("#password", password)
    page.locator("#hyrja form button").click()


def open_form(page, name: str):
    """A form of the profile's page: behind its line with JavaScript, at its own address without a click."""
    page.goto(f"/profili/{name}")
    return page.locator("details[open] form")


@pytest.mark.rule("PRO-1", "PRO-2", "PRO-6", "CHK-7")
@pytest.mark.parametrize(("size", "javascript"), [(PHONE, True), (DESKTOP, False)], ids=["phone", "no-js"])
def test_somebody_registers_and_keeps_a_profile(shop, visitor, size, javascript):
    # axe is a script itself.
    check = check_accessible if javascript else lambda page: None
    page = visitor(size=size, javascript=javascript)
    email = f"profile-{size['viewport']['width']}-{javascript}@example.com".lower()

    # What a guest chose stays, and the way leads back to the step they were at.
    journey.put_in_cart(page)
    journey.to_checkout(page)
    page.locator("#hapi a[href*='/hyr']").click()
    arrive(page, "**/hyr?next=**")
    check(page)
    page.locator("#hyrja a[href*='regjistrohu']").click()
    arrive(page, "**/profili/regjistrohu?next=**")
    check(page)
    page.fill("#first_name", "Ana")
    page.fill("#email", email)
    page.fill("#password", "12345678")
    page.locator("#regjistrimi form button").click()
    expect(page.get_by_role("alert")).to_contain_text("Shkruani mbiemrin.")
    check(page)
    expect(page.locator("#email")).to_have_value(email)
    page.fill("#last_name", "Markovska")
    page.fill("#password", "12345678")
    page.locator("#regjistrimi form button").click()
    expect(page.locator("#password-error")).to_contain_text("Një fjali e shkurtër është më e sigurt.")
    page.fill("#password", WORD)
    page.locator("#regjistrimi form button").click()
    arrive(page, "**/profili/regjistrohu/e-posta")
    expect(page.locator("main")).to_contain_text(email)
    check(page)

    link = link_in(shop, email, "/profili/konfirmimi/")
    phone = visitor(size=PHONE, javascript=javascript)
    phone.goto(link)
    expect(phone.locator("#password")).to_be_visible()
    check(phone)
    page.goto(link)
    check(page)
    page.locator("main form button").click()
    arrive(page, "**/porosia/te-dhenat")
    expect(page.locator("#first_name")).to_have_value("Ana")
    expect(page.locator("#email")).to_have_value(email)
    phone.reload()
    expect(phone.locator("h1")).to_have_text("Kjo lidhje nuk vlen më")
    check(phone)

    # The menu leads to my orders, and to the profile.
    page.goto("/")
    page.locator(".top [popovertarget=profili]").click()
    expect(page.locator("#profili a").first).to_have_text("Porositë e mia")
    check(page)
    page.locator("#profili a", has_text="Profili im").click()
    arrive(page, "**/profili")
    expect(page.locator("#profili-im")).to_contain_text("E konfirmuar")
    check(page)

    form = open_form(page, "te-dhenat")
    form.locator("#phone").fill("02")
    form.locator("button").click()
    expect(page.get_by_role("alert")).to_contain_text("Shkruani numër celular")
    check(page)
    form = page.locator("details[open] form")
    form.locator("#phone").fill("071 234 567")
    form.locator("button").click()
    expect(page.locator("#profili-im .note[role=status]")).to_have_text("Të dhënat u ruajtën.")
    expect(page.locator("#profili-im")).to_contain_text("071")

    # Another e-mail counts once it is confirmed.
    new_email = email.replace("profile-", "tjeter-")
    form = open_form(page, "e-posta")
    form.locator("#new_email").fill(new_email)
    form.locator("#email_password").fill(WORD)
    form.locator("button").click()
    expect(page.locator("#profili-im")).to_contain_text("E-posta e re pret konfirmimin")
    check(page)
    page.goto(link_in(shop, new_email, "/profili/e-posta/konfirmimi/"))
    check(page)
    page.locator("main form button").click()
    arrive(page, "**/profili")
    expect(page.locator("#profili-im")).to_contain_text(new_email)
    told = shop.wait_for_mail(email, 2)
    assert any("u ndryshua" in mail["subject"] for mail in told)

    # A second device stays in until the password changes; this one stays in after it.
    log_in(phone, new_email, WORD)
    arrive(phone, f"{shop.url}/")
    form = open_form(page, "fjalekalimi")
    form.locator("#present").fill(WORD)
    form.locator("#password").fill(NEW)
    form.locator("button").click()
    expect(page.locator("#profili-im .note[role=status]")).to_contain_text("Fjalëkalimi u ndryshua.")
    phone.goto("/profili")
    arrive(phone, "**/hyr?next=**")

    # And out, everywhere.
    log_in(phone, new_email, NEW)
    arrive(phone, f"{shop.url}/")
    page.goto("/profili")
    page.locator("form[action$='/profili/dalja'] button").click()
    arrive(page, "**/hyr")
    expect(page.locator("#hyrja").get_by_role("status")).to_have_text("Dolët nga të gjitha pajisjet.")
    check(page)
    phone.goto("/profili")
    arrive(phone, "**/hyr?next=**")


def somebody(shop, email: str) -> str:
    """A profile of the demo's password that nobody else logs in to, with a verified e-mail."""
    with closing(sqlite3.connect(shop.environment["DATABASE_URL"].removeprefix("sqlite:///"), timeout=30)) as file:
        file.execute(
            "INSERT INTO profile "
            "(email, password_hash, first_name, last_name, phone, language, session_number, created_at, verified_at) "
            "SELECT ?, password_hash, first_name, last_name, phone, language, 1, created_at, verified_at "
            "FROM profile WHERE email = 'nonumber@example.com'",
            [email],
        )
        file.commit()
    return email


@pytest.mark.rule("PRO-2")
@pytest.mark.parametrize("javascript", SCRIPTS)
def test_a_forgotten_password_and_an_email_that_is_known(shop, visitor, javascript):
    check = check_accessible if javascript else lambda page: None
    email = somebody(shop, f"known-{javascript}@example.com".lower())
    page = visitor(javascript=javascript)

    # Registering a known e-mail looks as registering any other; its owner is told.
    page.goto("/profili/regjistrohu")
    page.fill("#first_name", "Ana")
    page.fill("#last_name", "Markovska")
    page.fill("#email", email)
    page.fill("#password", WORD)
    page.locator("#regjistrimi form button").click()
    arrive(page, "**/profili/regjistrohu/e-posta")
    expect(page.locator("main")).to_contain_text(email)
    [mail] = shop.wait_for_mail(email)
    assert mail["subject"] == "Keni tashmë llogari te ne"
    page.locator("main form[action$='perseri'] button").click()
    expect(page.locator("main").get_by_role("status")).to_contain_text("E dërguam.")

    page.goto("/hyr")
    page.locator("#hyrja a[href$='/hyr/harruar']").click()
    check(page)
    page.fill("#email", "nobody@example.com")
    page.locator("#harruar form button").click()
    arrive(page, "**/hyr/harruar/derguar")
    shown = page.locator("main").inner_text()
    check(page)
    page.goto("/hyr/harruar")
    page.fill("#email", email)
    page.locator("#harruar form button").click()
    arrive(page, "**/hyr/harruar/derguar")
    assert page.locator("main").inner_text() == shown
    page.goto(link_in(shop, email, "/hyr/fjalekalimi/", 3))
    check(page)
    page.fill("#password", "123")
    page.locator("main form button").click()
    expect(page.locator("#password-error")).to_be_visible()
    check(page)
    page.fill("#password", WORD)
    page.locator("main form button").click()
    arrive(page, "**/hyr")
    log_in(page, email, WORD)
    arrive(page, f"{shop.url}/")
    assert shop.mails("nobody@example.com") == []


@pytest.mark.rule("LOC-1", "MSG-3")
@pytest.mark.parametrize(("language", "scheme"), [("mk", "dark"), ("en", "light")])
def test_the_pages_are_accessible_in_each_language_and_scheme(shop, visitor, language, scheme):
    page = visitor(size=PHONE, scheme=scheme)
    email = f"profile-{language}@example.com"
    page.goto(f"/{language}/profili/regjistrohu")
    page.fill("#first_name", "Ana")
    page.fill("#last_name", "Markovska")
    page.fill("#email", email)
    page.fill("#password", WORD)
    page.locator("#regjistrimi form button").click()
    arrive(page, f"**/{language}/profili/regjistrohu/e-posta")
    check_accessible(page)
    link = link_in(shop, email, "/profili/konfirmimi/")
    assert link.startswith(f"{shop.url}/{language}/")
    page.goto(link)
    check_accessible(page)
    page.locator("main form button").click()
    arrive(page, f"**/{language}/profili")
    for name in ("te-dhenat", "e-posta", "fjalekalimi"):
        page.goto(f"/{language}/profili/{name}")
        check_accessible(page)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["viewport"]["width"]
