"""From the password to work: the code, the app's first visit, recovery codes, the limits (DSK-5)."""

import base64
import io
import re
from urllib.parse import unquote, urlsplit

import pyotp
import pytest
from click.testing import CliRunner

import config
from commands.staff import staff
from models.actor import SYSTEM
from models.profile import Profile
from models.second_factor import DEMO_NONCE, SecondFactor, WorkSession
from models.trail import AuditEntry
from tests import world as named
from tests.staff import code_of, works
from tests.views.browser import Browser
from tests.views.test_html import LANGUAGES, faults

pytestmark = pytest.mark.rule("DSK-5")
LOGIN, ENROL, CODES = "/desk/hyrja", "/desk/hyrja/lidhja", "/desk/hyrja/rezerve"
EMAIL = "clerk@example.com"
PAGE = "/desk/dhurata"


@pytest.fixture
def clerk(app, world) -> Browser:
    """A clerk's browser after the password."""
    works("clerk")
    browser = Browser(app)
    assert browser.give_password(EMAIL).status == 303
    return browser


@pytest.fixture
def new(app, world) -> Browser:
    """The browser of a clerk without an app."""
    works("clerk", app=False)
    browser = Browser(app)
    assert browser.give_password(EMAIL).status == 303
    return browser


def give_code(browser, code=None, **more):
    return browser.post(LOGIN, {"kodi_im": code or code_of(EMAIL), **more})


def trail():
    return [one.what for one in AuditEntry.select().order_by(AuditEntry.id) if one.what != "role_given"]


def secret_in(page) -> str:
    return page.text_of("sekreti").replace(" ", "")


# The code


def test_the_password_alone_opens_the_shop_and_nothing_of_the_desk(clerk):
    assert clerk.get("/profili").status == 200
    assert clerk.get(PAGE).location == f"{LOGIN}?next={PAGE}"
    assert give_code(clerk, kthehu=PAGE).location == PAGE
    assert clerk.get(PAGE).status == 200
    assert trail() == ["login"]


def test_a_wrong_code_is_told_with_the_tries_that_are_left_and_never_shown_again(clerk):
    page = give_code(clerk, "000000", kthehu=PAGE)
    assert page.status == 422
    assert "Mbeten 4 përpjekje" in page.words
    assert page.form(LOGIN)["kodi_im"] == ""
    assert page.form(LOGIN)["kthehu"] == PAGE
    for _ in range(4):
        page = give_code(clerk, "000000")
    assert "Shumë kode të pasakta" in page.words
    page = give_code(clerk)
    assert (page.status, clerk.get(PAGE).status) == (429, 303)


def test_a_code_opens_one_browser_and_never_a_second(clerk, app):
    code = code_of(EMAIL)
    assert give_code(clerk, code).status == 303
    other = Browser(app)
    other.give_password(EMAIL)
    assert give_code(other, code).status == 422
    assert other.get(PAGE).status == 303


def test_somebody_elses_code_page_is_not_there_for_shoppers(app, world):
    named.profile()
    browser = Browser(app)
    browser.give_password("arben@example.com")
    for path in (LOGIN, ENROL, CODES):
        assert browser.get(path).status == 404
        assert browser.post(path, {"kodi_im": "000000"}).status == 404


@pytest.mark.parametrize(
    "back",
    ["https://example.com/", "//example.com/desk", "/\\example.com", "/desk\n/x", "/profili", "desk", "/deskx/y"],
)
def test_the_code_leads_to_the_desk_and_never_elsewhere(clerk, back):
    assert give_code(clerk, kthehu=back).location == "/desk"
    assert clerk.get(LOGIN, query_string={"next": back}).location == "/desk"


def test_who_is_at_work_already_is_not_asked_again(clerk):
    give_code(clerk)
    assert clerk.get(f"{LOGIN}?next={PAGE}").location == PAGE


def test_a_remembered_login_never_opens_the_desk(app, world):
    works("clerk")
    browser = Browser(app)
    browser.give_password(EMAIL, remember="y")
    give_code(browser)
    assert browser.get(PAGE).status == 200
    # The browser is closed and opened again: its session is gone, its remember cookie is not.
    browser.client.delete_cookie("session", domain="shop.test")
    assert browser.get("/profili").status == 200
    assert browser.get(PAGE).location == f"/hyr?next={PAGE}"
    assert browser.get(LOGIN).location.startswith("/hyr")
    assert browser.post(LOGIN, {"kodi_im": code_of(EMAIL)}).location.startswith("/hyr")
    assert WorkSession.select().count() == 1


def test_logging_out_ends_the_work_even_for_who_copied_the_cookies(clerk):
    give_code(clerk)
    thief = clerk.copy()
    assert thief.get(PAGE).status == 200
    clerk.post("/dil")
    assert thief.get(PAGE).location == f"{LOGIN}?next={PAGE}"


# The limits


def test_after_the_limit_the_code_is_asked_again_and_leads_back(clerk, clock):
    give_code(clerk)
    clock.shift(config.STAFF_IDLE_MINUTES * 60 - 1)
    assert clerk.get(PAGE).status == 200
    clock.shift(config.STAFF_IDLE_MINUTES * 60)
    page = clerk.get(f"{PAGE}?x=1")
    assert page.location == f"{LOGIN}?next={PAGE}?x%3D1"
    sent = clerk.follow(page).form(LOGIN) | {"kodi_im": code_of(EMAIL)}
    assert clerk.post(LOGIN, sent).location == f"{PAGE}?x=1"


def test_a_piece_that_htmx_asks_for_after_the_limit_leads_to_the_code_and_back_to_its_page(clerk):
    where = {"HX-Current-URL": f"http://shop.test{PAGE}?q=1"}
    page = clerk.get(PAGE, piece=True, headers=where)
    assert (page.status, unquote(page.location)) == (204, f"{LOGIN}?next={PAGE}?q=1")
    foreign = {"HX-Current-URL": "http://elsewhere.test/x"}
    assert unquote(clerk.get(PAGE, piece=True, headers=foreign).location) == f"{LOGIN}?next=/desk"


TYPED = {"numri": '070 <b>"100"</b>\n&amp; 001', "dhurata": "ë, ç"}


@pytest.mark.parametrize("piece", [False, True])
def test_what_was_sent_after_the_limit_waits_for_the_code_and_arrives_whole(clerk, piece):
    page = clerk.post(PAGE, TYPED, piece=piece)
    assert page.status == (422 if piece else 403)
    assert page.headers.get("HX-Retarget") == ("body" if piece else None)
    assert "pret këtu" in page.words
    # A wrong code first: nothing is lost by it either.
    page = clerk.post(LOGIN, waiting(page) | {"kodi_im": "000000"})
    assert page.status == 422
    sent = waiting(page) | {"kodi_im": code_of(EMAIL)}
    answer = clerk.post(LOGIN, sent)
    assert (answer.status, answer.location) == (307, PAGE)
    # As a browser does with 307: the same again, to where it was meant for.
    assert {name: sent[name] for name in TYPED} == TYPED
    arrived = clerk.post(answer.location, sent)
    assert arrived.status == 422
    assert 'value="070 &lt;b&gt;&#34;100&#34;&lt;/b&gt; &amp;amp; 001"' in arrived.html


def waiting(page) -> dict:
    """The form's fields with those that wait; a browser drops the first line break of a textarea."""
    fields = page.form(LOGIN)
    for area in page.all("textarea"):
        fields[area.get("name")] = area.text or ""
    return fields


@pytest.mark.parametrize("how", ["out everywhere", "remembered"])
def test_what_cannot_wait_for_a_password_is_said_to_be_unsent(app, world, how):
    works("clerk")
    browser = Browser(app)
    browser.give_password(EMAIL, remember="y")
    give_code(browser)
    browser.token()
    if how == "remembered":
        browser.client.delete_cookie("session", domain="shop.test")
    else:
        Profile.of_email(EMAIL).end_sessions()
    answer = browser.post(PAGE, TYPED, headers={"Referer": f"http://shop.test{PAGE}"})
    assert answer.location == f"/hyr?next={PAGE}"
    assert "Forma nuk u dërgua" in browser.follow(answer).words


def test_a_file_is_to_be_chosen_again_after_the_limit(clerk):
    sent = {**TYPED, "file": (io.BytesIO(b"x"), "x.csv")}
    answer = clerk.post(PAGE, sent, content_type="multipart/form-data")
    assert urlsplit(answer.location).path == LOGIN
    assert "Forma nuk u dërgua" in clerk.follow(answer).words


def test_a_form_is_sent_on_to_the_desk_alone(clerk):
    answer = give_code(clerk, vazhdo="1", kthehu="/profili/dalja")
    assert (answer.status, answer.location) == (307, "/desk")


# The app's first visit


def test_the_first_visit_connects_an_app_and_shows_the_recovery_codes_once(new):
    assert new.get(PAGE).location == f"{ENROL}?next={PAGE}"
    page = new.get(f"{ENROL}?next={PAGE}")
    secret = secret_in(page)
    assert secret_in(new.get(f"{ENROL}?next={PAGE}")) == secret
    picture = page.all("img")[-1].get("src")
    assert picture.startswith("data:image/svg+xml")
    assert "style=" not in page.html
    code = pyotp.TOTP(secret).at(named.NOW)
    done = new.post(ENROL, page.form(ENROL) | {"kodi_im": code})
    assert done.status == 200
    codes = re.findall(r"\b[2-9A-Z]{5}-[2-9A-Z]{5}\b", done.words)
    assert len(codes) == 10
    assert [a for a in done.all("a") if a.get("href") == PAGE]
    assert new.get(PAGE).status == 200
    assert trail() == ["factor_enrolled"]
    # Nothing of it is shown again: not the secret, not the codes.
    assert new.get(ENROL).location == f"{LOGIN}?next=/desk"
    assert new.post(ENROL, {"kodi_im": code}).location == f"{LOGIN}?next=/desk"
    left = new.get(CODES)
    assert "Ju kanë mbetur 10 kode rezervë." in left.words
    assert not any(one in left.html for one in (*codes, secret))
    session = base64.urlsafe_b64decode(new.cookie("session").value.lstrip(".").split(".")[0] + "===")
    assert secret.encode() not in session


def test_a_wrong_code_connects_nothing_and_the_secret_stays_the_same(new):
    page = new.get(ENROL)
    again = new.post(ENROL, page.form(ENROL) | {"kodi_im": "000000"})
    assert again.status == 422
    assert secret_in(again) == secret_in(page)
    assert SecondFactor.select().count() == 0


def test_another_browser_is_shown_another_secret_and_the_first_to_connect_counts(new, app):
    other = Browser(app)
    other.give_password(EMAIL)
    mine, theirs = new.get(ENROL), other.get(ENROL)
    assert secret_in(mine) != secret_in(theirs)
    code = pyotp.TOTP(secret_in(theirs)).at(named.NOW)
    other.post(ENROL, theirs.form(ENROL) | {"kodi_im": code})
    late = new.post(ENROL, mine.form(ENROL) | {"kodi_im": pyotp.TOTP(secret_in(mine)).at(named.NOW)})
    assert late.location == f"{LOGIN}?next=/desk"
    assert new.get(PAGE).status == 303


# Recovery codes


def test_a_recovery_code_opens_the_desk_and_says_how_many_are_left(new):
    page = new.get(ENROL)
    done = new.post(ENROL, page.form(ENROL) | {"kodi_im": pyotp.TOTP(secret_in(page)).at(named.NOW)})
    code = re.search(r"\b[2-9A-Z]{5}-[2-9A-Z]{5}\b", done.words)[0]
    new.post("/dil")
    new.give_password(EMAIL)
    answer = give_code(new, code.lower(), kthehu=PAGE)
    assert answer.location == f"{CODES}?next={PAGE}"
    assert "Ju kanë mbetur 9 kode rezervë." in new.follow(answer).words
    assert trail() == ["factor_enrolled", "recovery_used"]


def test_recovery_codes_are_made_new_with_a_code_of_the_app(clerk, clock):
    give_code(clerk)
    assert clerk.post(CODES, {"kodi_im": "000000"}).status == 422
    clock.shift(60)
    page = clerk.post(CODES, {"kodi_im": code_of(EMAIL)})
    assert len(re.findall(r"\b[2-9A-Z]{5}-[2-9A-Z]{5}\b", page.words)) == 10
    assert "recovery_renewed" in trail()


# Without a phone


def test_an_app_that_was_taken_away_ends_the_work_and_the_next_visit_connects_another(clerk):
    give_code(clerk)
    SecondFactor.reset(Profile.of_email(EMAIL), SYSTEM, named.NOW)
    assert clerk.get(PAGE).location == f"{ENROL}?next={PAGE}"


def test_the_command_takes_an_app_away(clerk):
    run = CliRunner().invoke(staff, ["reset-second-factor", EMAIL, "--why", "humbi telefonin"])
    assert run.output == f"{EMAIL} connects another app with the next login.\n"
    assert AuditEntry.get(AuditEntry.what == "factor_reset").why == "humbi telefonin"
    assert CliRunner().invoke(staff, ["reset-second-factor", EMAIL]).exit_code == 1


# Words and markup


@LANGUAGES
def test_the_pages_in_three_languages(clerk, new_page, language, prefix, clock):
    pages = [clerk.get(prefix + LOGIN), clerk.post(prefix + LOGIN, {"kodi_im": "000000"}), clerk.post(prefix + PAGE)]
    give_code(clerk)
    clock.shift(60)
    pages += [clerk.get(prefix + CODES), clerk.post(prefix + CODES, {"kodi_im": code_of(EMAIL)})]
    pages += new_page(prefix)
    for page in pages:
        assert faults(page.html, language) == []


@pytest.fixture
def new_page(app, world):
    def pages(prefix):
        works("agent", app=False)
        browser = Browser(app)
        browser.give_password("agent@example.com")
        return [browser.get(prefix + ENROL), browser.post(prefix + ENROL, {"kodi_im": ""})]

    return pages


def test_no_page_of_the_login_is_kept_in_a_cache(clerk):
    for page in (clerk.get(LOGIN), give_code(clerk, "000000"), give_code(clerk), clerk.get(CODES)):
        assert page.headers["Cache-Control"] == "private, no-store"


# The demo


def test_the_demos_codes_open_the_desk_and_nobody_elses_are_shown(app, world):
    works("clerk", app=False)
    works("agent")
    SecondFactor.create(profile=Profile.of_email(EMAIL), nonce=DEMO_NONCE, since=named.NOW)
    browser = Browser(app)
    assert browser.get("/demo/kodi.json").response.json.keys() == {EMAIL}
    page = browser.get("/demo/kodi")
    assert EMAIL in page.words
    assert "agent@example.com" not in page.words
    browser.give_password(EMAIL)
    for _ in range(2):
        # The second time another one is shown: each opens once.
        code = browser.get("/demo/kodi.json").response.json[EMAIL]
        assert browser.post(LOGIN, {"kodi_im": code}).status == 303
