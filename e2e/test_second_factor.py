"""Somebody begins to work here: the role, the app, the codes, the limit, and the end of it (DSK-5)."""

import pyotp
import pytest
from playwright.sync_api import expect

from e2e.at_work import forget_code, log_in, stay_away
from e2e.conftest import DESKTOP, PHONE, arrive, check_accessible

EMAIL = "nonumber@example.com"


def give_password(page):
    page.goto("/hyr?next=/desk")
    page.fill("#email", EMAIL)
    page.fill("#password", "dyqani-demo")
    page.locator("#hyrja form button.btn").click()


def give_code(page, code):
    page.fill("#kodi_im", code)
    page.locator("main form button.btn").first.click()


@pytest.mark.rule("DSK-5")
@pytest.mark.parametrize(
    ("size", "scheme", "javascript"),
    [(DESKTOP, "light", True), (PHONE, "dark", False)],
    ids=["desktop", "phone-no-script"],
)
def test_a_new_agent_connects_an_app_works_with_it_and_is_dismissed(shop, visitor, size, scheme, javascript):
    admin = visitor(size=size, scheme=scheme)
    log_in(admin, shop, "admin", "/desk/stafi")
    check_accessible(admin)
    admin.fill("#e_posta", EMAIL)
    admin.select_option("#roli", "agent")
    admin.fill("#arsyeja", "fillon sot")
    admin.get_by_role("button", name="Jepja rolin").click()
    expect(admin.locator("h1")).to_be_visible()
    arrive(admin, "**/desk/stafi/*")
    check_accessible(admin)
    person = admin.url

    # The first visit.
    agent = visitor(size=size, scheme=scheme, javascript=javascript)
    check = check_accessible if javascript else (lambda page: None)
    give_password(agent)
    expect(agent.locator("h1")).to_have_text("Lidhni aplikacionin e kodeve")
    check(agent)
    agent.locator("summary").click()
    app = pyotp.TOTP(agent.locator("#sekreti").inner_text().replace(" ", ""))
    give_code(agent, app.now())
    expect(agent.locator("h1")).to_have_text("Kodet rezervë")
    check(agent)
    recovery = agent.locator(".codes li").all_inner_texts()
    assert len(recovery) == 10
    agent.get_by_role("link", name="I ruajta, vazhdo").click()
    arrive(agent, "**/desk/porosite")

    # Another day, without the phone.
    agent.get_by_role("button", name="Dil").click()
    arrive(agent, f"{shop.url}/")
    give_password(agent)
    expect(agent.locator("h1")).to_have_text("Kodi i hyrjes")
    check(agent)
    give_code(agent, recovery[0].lower())
    expect(agent.locator("main")).to_contain_text("Ju kanë mbetur 9 kode rezervë.")
    check(agent)
    agent.get_by_role("link", name="Vazhdo në punë").click()
    arrive(agent, "**/desk/porosite")

    # Away for a while: what is sent then waits for the code.
    stay_away(shop, EMAIL)
    forget_code(shop, EMAIL)
    agent.fill("#q", "070 999 999")
    agent.locator("#q").press("Enter")
    expect(agent.locator("main")).to_contain_text("Seanca e punës kishte mbaruar.")
    check(agent)
    give_code(agent, "000000")
    expect(agent.locator("#kodi-error")).to_contain_text("Mbeten 4 përpjekje")
    give_code(agent, app.now())
    expect(agent.locator("#q")).to_have_value("070 999 999")

    # What the admin sees of it, and the end.
    admin.goto(f"/desk/gjurma?kush={EMAIL}")
    check_accessible(admin)
    for words in ("Aplikacioni i kodeve u lidh", "Hyri në punë me kod rezervë", "Kodi i hyrjes nuk ishte i saktë"):
        expect(admin.locator("tbody tr", has_text=words)).not_to_have_count(0)
    admin.goto(person)
    admin.get_by_role("button", name="Shkëpute aplikacionin").click()
    expect(admin.locator("main")).to_contain_text("Ende pa aplikacion")
    agent.reload()
    expect(agent.locator("h1")).to_have_text("Lidhni aplikacionin e kodeve")
    admin.get_by_role("button", name="Hiqja rolin").click()
    arrive(admin, "**/desk/stafi")
    assert agent.goto("/desk/porosite").status == 404


@pytest.mark.rule("DSK-5")
def test_another_roles_page_is_refused_with_a_way_back(shop, visitor):
    page = visitor(size=PHONE, scheme="dark")
    log_in(page, shop, "clerk", "/desk/dhurata")
    assert page.goto("/desk/gjurma").status == 403
    expect(page.locator("h1")).to_have_text("Kjo faqe i takon një roli tjetër")
    check_accessible(page)
    page.get_by_role("link", name="Te faqet tuaja").click()
    arrive(page, "**/desk/dhurata")
    page.locator("[popovertarget=menyja]").click()
    expect(page.locator("#menyja")).to_be_visible()
    check_accessible(page)


def test_the_demos_codes_show_themselves_anew(visitor):
    page = visitor()
    page.goto("/demo/inbox")
    page.get_by_role("link", name="Kodet e hyrjes").click()
    arrive(page, "**/demo/kodi")
    expect(page.locator("dt", has_text="admin@example.com")).to_be_visible()
    check_accessible(page)
    with page.expect_response(lambda response: "/demo/kodi" in response.url, timeout=9_000) as again:
        pass
    assert again.value.ok
