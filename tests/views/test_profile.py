"""Registering, logging in and out, and one's own profile (PRO-1, PRO-2, PRO-6); the cart and the session with it
(CRT-4, CHK-7)."""

import re
from email.utils import parsedate_to_datetime

import pytest

import config
import mails
from models.cart import Cart, CartLine
from models.outbox import Mail
from models.profile import Attempt, Profile
from models.registration import Registration
from tests import world as named
from tests.query_count import assert_query_count
from tests.test_translations import Albanian, Said
from tests.views.browser import DATA, Browser, signed_link
from tests.views.test_html import faults

WRONG = "E-posta ose fjalëkalimi nuk përputhet."
LOCKED = "Shumë përpjekje. Provoni përsëri pas 15 minutash."


def is_in(shopper: Browser, profile: Profile) -> bool:
    return profile.email in shopper.get("/hyr").text_of("profili")


@pytest.mark.rule("PRO-2")
@pytest.mark.parametrize("piece", [False, True])
def test_email_and_password_log_in(shopper, profile, piece):
    page = shopper.post("/hyr", {"email": profile.email, "password": named.PASSWORD}, piece=piece)
    assert page.status == (204 if piece else 303)
    assert page.location == "/"
    assert is_in(shopper, profile)


@pytest.mark.rule("PRO-2")
def test_the_email_is_taken_however_it_is_cased_and_spaced(shopper, profile):
    assert shopper.log_in(f"  {profile.email.upper()} ").status == 303
    assert is_in(shopper, profile)


@pytest.mark.rule("PRO-2")
@pytest.mark.parametrize("piece", [False, True])
def test_a_wrong_password_and_an_unknown_email_get_the_same_words(shopper, profile, piece):
    answers = []
    for email in (profile.email, "nobody@example.com"):
        page = shopper.post("/hyr", {"email": email, "password": "wrong"}, piece=piece)
        assert page.status == 422
        assert page.text_of("email-error") == WRONG
        answers.append(page.html.replace(email, "").replace(page.by_id("email").get("value"), ""))
    assert answers[0] == answers[1]
    assert not is_in(shopper, profile)


@pytest.mark.rule("CHK-6")
def test_a_refused_login_keeps_the_email_and_the_way_back_but_never_the_password(shopper, profile):
    page = shopper.post(
        "/hyr", {"email": profile.email, "password": "wrong-word", "next": "/shporta", "remember": "y"}
    )
    form = page.form("/hyr")
    assert (form["email"], form["next"], form["remember"]) == (profile.email, "/shporta", "y")
    assert "wrong-word" not in page.html
    assert page.by_id("email").get("aria-invalid") == "true"


@pytest.mark.rule("PRO-2")
@pytest.mark.parametrize("piece", [False, True])
def test_after_five_failures_the_right_password_is_refused_too_for_a_quarter_of_an_hour(
    shopper, profile, clock, piece
):
    for _ in range(5):
        assert shopper.log_in(profile.email, "wrong").status == 422
    page = shopper.post("/hyr", {"email": profile.email, "password": named.PASSWORD}, piece=piece)
    assert page.status == (422 if piece else 429)
    assert page.text_of("email-error") == LOCKED
    clock.shift(15 * 60 + 1)
    assert shopper.log_in(profile.email).status == 303


@pytest.mark.rule("PRO-2")
def test_an_unknown_email_is_locked_in_the_same_way(shopper, world):
    for _ in range(5):
        assert shopper.log_in("nobody@example.com", "wrong").status == 422
    page = shopper.log_in("nobody@example.com", "wrong")
    assert (page.status, page.text_of("email-error")) == (429, LOCKED)


@pytest.mark.rule("PRO-2")
def test_thirty_failures_from_one_address_lock_it_whatever_the_emails(shopper, profile):
    for number in range(3):
        assert shopper.log_in(f"somebody{number}@example.com", "wrong").status == 422
    # Hashing takes its time on purpose: the others are written as these were.
    written = Attempt.select(Attempt.key, Attempt.at).order_by(Attempt.id.desc()).first()
    assert written.key == "login-from:127.0.0.1"
    Attempt.insert_many([{"key": written.key, "at": written.at}] * 26).execute()
    assert shopper.log_in("somebody@example.com", "wrong").status == 422
    assert shopper.log_in(profile.email).status == 429


@pytest.mark.rule("PRO-2")
def test_the_lockout_outlives_the_process(app, shopper, profile):
    from app import create_app

    for _ in range(5):
        shopper.log_in(profile.email, "wrong")
    assert Browser(create_app()).log_in(profile.email).status == 429


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", ""),
        ("email", "   "),
        ("email", "a" * 255),
        ("email", "a" * 60_000),
        ("email", "\x7f\x07"),
        ("password", ""),
        ("password", "p" * 201),
        ("password", "p" * 60_000),
    ],
)
def test_a_login_that_cannot_be_one_is_refused_without_being_counted(shopper, profile, field, value):
    page = shopper.post("/hyr", {"email": profile.email, "password": named.PASSWORD, field: value})
    assert page.status == 422
    assert page.by_id(field).get("aria-invalid") == "true"
    assert Attempt.select().count() == 0


def test_the_login_form_is_one_markup_as_page_and_as_piece(shopper, profile):
    page, piece = shopper.get("/hyr"), shopper.get("/hyr", piece=True)
    assert "<html" not in piece.html
    assert piece.html.strip() in page.html
    for answer in (page, piece, shopper.post("/hyr", {}), shopper.post("/hyr", {}, piece=True)):
        assert "HX-Request" in answer.headers["Vary"]


# Where it leads


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "evil.example",
        "http:evil.example",
        "http://[",
        "//[",
        "",
        "?x",
    ],
)
@pytest.mark.parametrize("piece", [False, True])
def test_a_login_never_leads_to_another_site(shopper, profile, target, piece):
    page = shopper.get("/hyr", query_string={"next": target})
    assert page.status == 200
    assert page.form("/hyr")["next"] == "/"
    leads = [link.get("href") for link in page.by_id("hyrja").iter("a")]
    assert leads == ["/hyr/harruar", "/profili/regjistrohu", "/"]
    fields = {"email": profile.email, "password": named.PASSWORD, "next": target}
    assert shopper.post("/hyr", fields, piece=piece).location == "/"


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/shporta", "/shporta"),
        ("/mk/porosia/pagesa", "/mk/porosia/pagesa"),
        ("/kerko?q=k%C3%ABllëf", "/kerko?q=k%C3%ABll%C3%ABf"),
        ("/pajisja/Ѓ", "/pajisja/%D0%83"),
    ],
)
@pytest.mark.parametrize("piece", [False, True])
def test_a_login_leads_back_to_a_page_of_the_shop(shopper, profile, target, location, piece):
    fields = {"email": profile.email, "password": named.PASSWORD, "next": target}
    assert shopper.post("/hyr", fields, piece=piece).location == location


# The session


def test_a_session_that_somebody_else_began_is_not_the_one_logged_in(shopper, profile):
    planted = shopper.token()
    before = shopper.cookie("session").value
    shopper.log_in(profile.email)
    assert shopper.cookie("session").value != before
    # What the old session knew opens nothing in the new one.
    assert shopper.post("/dil", {"csrf_token": planted}).status == 400
    assert is_in(shopper, profile)


def test_orders_of_a_guest_can_still_be_seen_after_logging_in(shopper, world, profile):
    order = shopper.order(world["CASE-BLACK"])
    shopper.log_in(profile.email)
    assert shopper.get(f"/porosia/{order.number}").status == 200


@pytest.mark.parametrize("remember", [False, True])
def test_logging_out_ends_the_login_the_cart_and_the_remembered_orders(shopper, world, profile, remember):
    shopper.log_in(profile.email, **({"remember": "y"} if remember else {}))
    order = shopper.order(world["S25-BLACK-128"])
    shopper.choose(world["CASE-BLACK"])
    page = shopper.post("/dil")
    assert (page.status, page.location) == (303, "/")
    assert not is_in(shopper, profile)
    assert "Shporta është bosh" in shopper.get("/shporta").words
    assert shopper.get(f"/porosia/{order.number}").status == 404
    # It waits for the next login.
    shopper.log_in(profile.email)
    assert "Këllëf për Galaxy S25" in shopper.get("/shporta").words


def test_logging_out_twice_leaves_what_a_guest_chose_since(shopper, world, profile):
    shopper.log_in(profile.email)
    other_tab = shopper.get("/shporta").form("/dil")
    shopper.post("/dil")
    shopper.choose(world["CASE-BLACK"])
    page = shopper.post("/dil", {**other_tab, "csrf_token": shopper.token()})
    assert page.status == 303
    assert "Këllëf për Galaxy S25" in shopper.get("/shporta").words


def test_a_remembered_login_comes_back_after_the_browser_was_closed(shopper, profile):
    shopper.log_in(profile.email, remember="y")
    reopened = Browser(shopper.app)
    reopened.client.set_cookie("remember_token", shopper.cookie("remember_token").value, domain="shop.test")
    assert is_in(reopened, profile)


def test_a_login_without_remember_leaves_no_lasting_cookie(shopper, profile):
    shopper.log_in(profile.email)
    assert shopper.cookie("remember_token") is None


@pytest.mark.parametrize("value", ["1|x", "1.1|" + "0" * 128, "x", "'", "9" * 400])
def test_a_forged_remember_cookie_logs_nobody_in(shopper, profile, value):
    shopper.client.set_cookie("remember_token", value, domain="shop.test")
    assert not is_in(shopper, profile)


def test_a_login_of_an_earlier_session_number_is_over(shopper, profile):
    shopper.log_in(profile.email, remember="y")
    Profile.update(session_number=2).execute()
    assert not is_in(shopper, profile)


def test_the_profile_menu_names_who_is_in(shopper, profile):
    shopper.log_in(profile.email)
    menu = shopper.get("/shporta").text_of("profili")
    assert "Arben" in menu
    assert "Dil" in menu


# The cart


@pytest.mark.rule("CRT-4")
def test_the_cart_joins_the_profiles_cart_on_login(shopper, world, profile):
    named.cart_with(world, "TAB-GREY-64", profile=profile)
    shopper.choose(world["CASE-BLACK"])
    shopper.log_in(profile.email)
    words = shopper.get("/shporta").text_of("cart-contents")
    assert "Galaxy Tab A9" in words
    assert "Këllëf për Galaxy S25" in words
    assert (Cart.select().count(), CartLine.select().count()) == (1, 2)


@pytest.mark.rule("CRT-4")
def test_a_profiles_cart_is_found_on_another_browser(shopper, stranger, world, profile):
    shopper.log_in(profile.email)
    shopper.choose(world["CASE-BLACK"])
    stranger.log_in(profile.email)
    assert "Këllëf për Galaxy S25" in stranger.get("/shporta").words


@pytest.mark.rule("CRT-4")
def test_the_first_cart_of_a_profile_is_its_own_from_then_on(shopper, stranger, world, profile):
    shopper.log_in(profile.email)
    shopper.choose(world["CASE-BLACK"])
    shopper.post("/dil")
    stranger.choose(world["TAB-GREY-64"])
    stranger.log_in(profile.email)
    assert "2 artikuj" in stranger.get("/shporta").by_id("cart-icon").get("aria-label")


def test_the_next_person_at_the_browser_does_not_get_the_cart_of_the_one_before(shopper, world, profile):
    other = named.profile("besa@example.com")
    shopper.log_in(profile.email)
    shopper.order(world["CASE-BLACK"])
    shopper.choose(world["TAB-GREY-64"])
    # The browser was closed: the login is over, the cart's cookie is still there.
    shopper.client.delete_cookie("session", domain="shop.test")
    shopper.log_in(other.email)
    assert "Galaxy Tab A9" not in shopper.get("/shporta").words
    assert Cart.select().where(Cart.profile == profile).count() == 1


def closed(browser: Browser) -> Browser:
    """The browser was closed: the login is over, the cart's cookie is still there."""
    browser.client.delete_cookie("session", domain="shop.test")
    return browser


@pytest.mark.rule("PRV-1")
def test_who_opens_a_closed_browser_sees_nothing_of_the_profiles_cart(shopper, world, profile):
    shopper.log_in(profile.email)
    shopper.choose(world["TAB-GREY-64"])
    shopper.post("/porosia/te-dhenat", DATA)
    seen_at = Cart.get().seen_at
    closed(shopper)
    for path in ("/", "/shporta", "/porosia/te-dhenat", "/porosia/pasqyra"):
        page = shopper.get(path)
        assert "Galaxy Tab A9" not in page.text_of("cart-icon") + page.text_of("cart-contents"), path
        assert DATA["email"] not in page.html, path
        assert (page.status, page.location) != (303, "/porosia/dergesa"), path
    assert "Shporta është bosh" in shopper.get("/shporta").words
    # What the next one chooses is theirs, in a cart of its own.
    before = shopper.cookie("cart").value
    shopper.choose(world["CASE-BLACK"])
    assert shopper.cookie("cart").value != before
    assert "Galaxy Tab A9" not in shopper.get("/shporta").words
    assert Cart.get(Cart.profile == profile).seen_at == seen_at


@pytest.mark.rule("CRT-4")
@pytest.mark.parametrize("chosen", [False, True])
def test_a_cart_waits_in_a_closed_browser_for_its_profiles_next_login(shopper, world, profile, chosen):
    shopper.log_in(profile.email)
    shopper.choose(world["TAB-GREY-64"])
    closed(shopper)
    if chosen:
        shopper.choose(world["CASE-BLACK"])
    shopper.log_in(profile.email)
    words = shopper.get("/shporta").text_of("cart-contents")
    assert ("Galaxy Tab A9" in words, "Këllëf për Galaxy S25" in words) == (True, chosen)
    assert Cart.select().count() == 1


@pytest.mark.rule("CRT-4")
def test_a_login_replaces_the_cookie_of_another_profiles_cart(shopper, world, profile):
    other = named.profile("besa@example.com")
    shopper.log_in(profile.email)
    shopper.choose(world["TAB-GREY-64"])
    token = shopper.cookie("cart").value
    closed(shopper).log_in(other.email)
    assert Cart.of_token(shopper.cookie("cart").value).profile == other
    assert Cart.of_token(token).profile == profile


def test_asking_whose_the_cart_is_costs_a_guest_nothing(shopper, world, profile):
    shopper.choose(world["CASE-BLACK"])
    counts = []
    for _ in range(2):
        with assert_query_count(12) as asked:
            shopper.get("/shporta")
        counts.append([sql for sql in asked if 'FROM "profile"' in sql])
    assert counts == [[], []]


def test_a_login_that_was_ended_elsewhere_takes_the_remembered_orders_along(shopper, stranger, world, profile):
    order = named.ordered(world, "CASE-BLACK")[0]
    for browser in (shopper, stranger):
        browser.log_in(profile.email, remember="y")
    shopper.get(signed_link(order))
    assert shopper.get(f"/porosia/{order.number}").status == 200
    stranger.post("/profili/dalja")
    assert shopper.get(f"/porosia/{order.number}").status == 404
    # The next session is not ended once more by the cookie of the remembered login.
    assert shopper.cookie("remember_token") is None
    mine = shopper.order(world["CASE-BLACK"])
    assert shopper.get(f"/porosia/{mine.number}").status == 200


def test_a_page_that_finds_the_login_over_has_forms_that_can_be_sent(shopper, stranger, world, profile):
    for browser in (shopper, stranger):
        browser.log_in(profile.email)
    stranger.post("/profili/dalja")
    page = shopper.get("/hyr")
    assert (
        shopper.post("/hyr", {**page.form("/hyr"), "email": profile.email, "password": named.PASSWORD}).status == 303
    )


# Registering

WORD = "një fjali e shkurtër"
TYPED = {"first_name": "Ana", "last_name": "Markovska", "email": "ana@example.com", "password": WORD}
OVER = "Kjo lidhje nuk vlen më"


def path_in(mail: Mail) -> str:
    """The address of the link in a mail, as its reader would open it."""
    text = mails.compose(mail).get_body(("plain",)).get_content()
    root = re.escape(config.BASE_URL)
    return re.search(rf"{root}(/\S*(?:konfirmimi|fjalekalimi)/\S+)", text)[1]


def mailed(kind: str) -> str:
    return path_in(Mail.select().where(Mail.kind == kind).order_by(Mail.id.desc()).get())


def register(browser: Browser, prefix: str = "", **changed):
    return browser.post(f"{prefix}/profili/regjistrohu", {**TYPED, **changed})


# Different in each answer, whatever was asked.
UNIQUE = ("Set-Cookie", "Content-Length", "X-Request-Id")


def seen(page, *different: str) -> tuple:
    """What an answer tells: all of it, but for the token of the session and what was typed into it."""
    html = re.sub(r'name="csrf_token" value="[^"]+"', "", page.html)
    for text in different:
        html = html.replace(text, "")
    headers = {name: value for name, value in page.headers if name not in UNIQUE}
    cookies = sorted(cookie.split("=")[0] for cookie in page.headers.getlist("Set-Cookie"))
    return page.status, html, headers, cookies


@pytest.mark.rule("PRO-1")
@pytest.mark.parametrize("prefix", ["", "/mk"])
def test_registering_confirming_and_being_in(shopper, prefix):
    asked = register(shopper, prefix)
    assert (asked.status, asked.location) == (303, f"{prefix}/profili/regjistrohu/e-posta")
    assert "ana@example.com" in shopper.follow(asked).words
    assert Profile.select().count() == 0
    link = mailed("confirm_registration")
    assert link.startswith(f"{prefix}/profili/konfirmimi/")
    page = shopper.get(link)
    assert "password" not in page.form(link)
    assert Profile.select().count() == 0
    done = shopper.post(link)
    assert (done.status, done.location) == (303, f"{prefix}/profili")
    welcome = shopper.follow(done)
    assert "Ana Markovska" in welcome.text_of("profili")
    assert Profile.get().language == (prefix.strip("/") or "sq")
    # The news is told once.
    assert len(welcome.words) > len(shopper.get(f"{prefix}/profili").words)


@pytest.mark.rule("PRO-1")
def test_what_looks_into_mails_confirms_nothing(shopper, stranger):
    register(shopper)
    link = mailed("confirm_registration")
    for _ in range(3):
        assert stranger.get(link).status == 200
    # Not even in the browser that registered: HEAD carries no token.
    for browser in (shopper, stranger):
        assert browser.client.head(link, base_url="http://shop.test").status_code == 200
    assert Profile.select().count() == 0


@pytest.mark.rule("PRO-1")
def test_on_another_device_the_password_of_the_registration_is_asked_for(shopper, stranger):
    register(shopper)
    link = mailed("confirm_registration")
    for typed in ("", "not the password"):
        page = stranger.post(link, {"password": typed})
        assert page.status == 422
        assert page.by_id("password").get("aria-invalid") == "true"
    assert Profile.select().count() == 0
    assert stranger.post(link, {"password": WORD}).location == "/profili"
    assert "Ana" in stranger.get("/profili").words


@pytest.mark.rule("PRO-1")
def test_two_clicks_on_the_confirmation_make_one_profile(shopper):
    register(shopper)
    link = mailed("confirm_registration")
    other_tab = shopper.copy()
    assert shopper.post(link).status == 303
    late = other_tab.post(link)
    assert late.status == 410
    assert OVER in late.words
    assert shopper.get(link).status == 410
    assert Profile.select().count() == 1


@pytest.mark.rule("PRO-2")
@pytest.mark.parametrize("piece", [False, True])
def test_registering_a_known_email_is_answered_byte_by_byte_as_an_unknown_one(app, profile, piece):
    answers = []
    for email in (profile.email, "ardit@example.com"):
        browser = Browser(app)
        first = browser.post("/profili/regjistrohu", {**TYPED, "email": email}, piece=piece)
        answer = [seen(first)]
        answer += [seen(browser.get("/profili/regjistrohu/e-posta"), email)]
        again = browser.post("/profili/regjistrohu/perseri")
        answer += [seen(again), seen(browser.follow(again), email)]
        # What was typed opens nothing, either way.
        answer += [seen(browser.log_in(email, WORD), email)]
        answers.append(answer)
    assert answers[0] == answers[1]
    assert [mail.kind for mail in Mail.select().order_by(Mail.id)] == ["already_registered"] * 2 + [
        "confirm_registration"
    ] * 2


@pytest.mark.rule("PRO-2")
@pytest.mark.parametrize("email", ["arben@example.com", "ardit@example.com"])
def test_after_three_mails_an_email_gets_no_more_for_an_hour_known_or_not(shopper, profile, clock, email):
    for _ in range(3):
        assert register(shopper, email=email).status == 303
    page = register(shopper, email=email)
    assert page.status == 429
    assert "disa e-posta" in page.text_of("email-error")
    again = shopper.follow(shopper.post("/profili/regjistrohu/perseri"))
    assert "disa e-posta" in again.words
    assert Mail.select().count() == 3
    clock.shift(3601)
    assert register(shopper, email=email).status == 303


def test_one_network_asks_for_twenty_mails_an_hour(app, world):
    elsewhere = {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}}
    browser = Browser(app)
    for number in range(19):
        Attempt.create(key="registration-mail-from:192.0.2.7", at=named.later(-number))
    assert browser.post("/profili/regjistrohu", {**TYPED, "email": "a@example.com"}, **elsewhere).status == 303
    assert browser.post("/profili/regjistrohu", {**TYPED, "email": "b@example.com"}, **elsewhere).status == 429


@pytest.mark.rule("CHK-6")
@pytest.mark.parametrize("piece", [False, True])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("first_name", ""),
        ("first_name", "123"),
        ("last_name", "x" * 61),
        ("email", "ana"),
        ("email", ""),
        ("password", ""),
        ("password", "1234567"),
        ("password", "12345678"),
        ("password", "ana@example.com"),
        ("password", "p" * 201),
    ],
)
def test_a_registration_that_lacks_something_says_what_and_keeps_the_rest(shopper, field, value, piece):
    page = shopper.post("/profili/regjistrohu", {**TYPED, "next": "/shporta", field: value}, piece=piece)
    assert page.status == 422
    assert page.by_id(field).get("aria-invalid") == "true"
    form = page.form("/profili/regjistrohu")
    for name in {"first_name", "last_name", "email"} - {field}:
        assert form[name] == TYPED[name]
    assert form["next"] == "/shporta"
    assert form["password"] == ""
    assert Registration.select().count() == 0


def test_after_registering_the_visitor_goes_on_where_they_were(shopper, world):
    shopper.choose(world["CASE-BLACK"])
    page = shopper.get("/hyr", query_string={"next": "/porosia/te-dhenat"})
    to_register = next(a.get("href") for a in page.all("a") if "regjistrohu?" in (a.get("href") or ""))
    form = shopper.get(to_register).form("/profili/regjistrohu")
    assert form["next"] == "/porosia/te-dhenat"
    register(shopper, next=form["next"])
    assert shopper.post(mailed("confirm_registration")).location == "/porosia/te-dhenat"
    assert "Këllëf për Galaxy S25" in shopper.get("/shporta").words
    assert Cart.get().profile == Profile.get()


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_registering_never_leads_to_another_site(shopper, target):
    page = shopper.get("/profili/regjistrohu", query_string={"next": target})
    assert "evil" not in "".join(a.get("href") or "" for a in page.by_id("regjistrimi").iter("a"))
    register(shopper, next=target)
    assert shopper.post(mailed("confirm_registration")).location == "/profili"


def test_confirming_begins_a_session_of_its_own(shopper):
    register(shopper)
    planted = shopper.token()
    shopper.post(mailed("confirm_registration"))
    assert shopper.post("/dil", {"csrf_token": planted}).status == 400


def test_the_page_that_awaits_the_mail_is_for_who_registered(stranger):
    assert stranger.get("/profili/regjistrohu/e-posta").location == "/profili/regjistrohu"
    assert stranger.post("/profili/regjistrohu/perseri").location == "/profili/regjistrohu"


# A forgotten password


@pytest.mark.rule("PRO-2")
def test_a_forgotten_password_is_replaced_by_way_of_the_mailbox(shopper, stranger, profile):
    stranger.log_in(profile.email, remember="y")
    assert shopper.post("/hyr/harruar", {"email": profile.email}).location == "/hyr/harruar/derguar"
    link = mailed("password_reset")
    assert link.startswith("/hyr/fjalekalimi/")
    for _ in range(2):
        assert shopper.get(link).status == 200
    weak = shopper.post(link, {"password": "12345678"})
    assert (weak.status, weak.by_id("password").get("aria-invalid")) == (422, "true")
    done = shopper.post(link, {"password": WORD})
    assert done.location == "/hyr"
    assert "Fjalëkalimi i ri vlen" in shopper.follow(done).words
    assert not is_in(stranger, profile)
    assert shopper.log_in(profile.email).status == 422
    assert shopper.log_in(profile.email, WORD).status == 303


@pytest.mark.rule("PRO-2")
def test_the_link_to_a_new_password_opens_once_and_for_an_hour(shopper, profile, clock):
    shopper.post("/hyr/harruar", {"email": profile.email})
    link = mailed("password_reset")
    other_tab = shopper.copy()
    assert shopper.post(link, {"password": WORD}).status == 303
    late = other_tab.post(link, {"password": "edhe një fjali"})
    assert (late.status, OVER in late.words) == (410, True)
    assert shopper.log_in(profile.email, WORD).status == 303
    shopper.post("/hyr/harruar", {"email": profile.email})
    link = mailed("password_reset")
    clock.shift(3600)
    assert shopper.get(link).status == 410
    assert shopper.post(link, {"password": "edhe një fjali"}).status == 410


@pytest.mark.rule("PRO-2")
@pytest.mark.parametrize("piece", [False, True])
def test_a_known_and_an_unknown_email_are_answered_byte_by_byte_alike(app, profile, piece):
    answers = []
    for email in (profile.email, "nobody@example.com"):
        browser, answer = Browser(app), []
        for _ in range(4):
            page = browser.post("/hyr/harruar", {"email": email}, piece=piece)
            answer.append(seen(page, email))
        answer.append(seen(browser.get("/hyr/harruar/derguar")))
        answers.append(answer)
    assert answers[0] == answers[1]
    assert [status for status, *_ in answers[0]] == [204 if piece else 303] * 3 + [422 if piece else 429, 200]
    assert {mail.recipient for mail in Mail.select().where(Mail.due_at.is_null(False))} == {profile.email}


@pytest.mark.rule("PRO-2")
def test_a_login_is_answered_byte_by_byte_alike_until_the_lock_and_after_it(app, profile):
    answers = []
    for email in (profile.email, "nobody@example.com"):
        browser = Browser(app)
        answers.append([seen(browser.log_in(email, "wrong"), email) for _ in range(7)])
    assert answers[0] == answers[1]
    assert [status for status, *_ in answers[0]] == [422] * 5 + [429] * 2


@pytest.mark.parametrize("kind", ["hyr/fjalekalimi", "profili/konfirmimi", "profili/e-posta/konfirmimi"])
@pytest.mark.parametrize("token", ["x", "eA.x", "é", "x" * 2000])
def test_a_link_that_the_shop_did_not_write_opens_nothing(shopper, profile, kind, token):
    for page in (shopper.get(f"/{kind}/{token}"), shopper.post(f"/{kind}/{token}", {"password": WORD})):
        assert page.status == 410
        assert OVER in page.words


# One's own profile


@pytest.fixture
def member(shopper, profile) -> Browser:
    shopper.log_in(profile.email)
    return shopper


@pytest.mark.parametrize("path", ["/profili", "/profili/te-dhenat", "/profili/fjalekalimi", "/profili/e-posta"])
@pytest.mark.parametrize("prefix", ["", "/en"])
def test_a_guest_logs_in_first_and_comes_back(shopper, profile, path, prefix):
    page = shopper.get(prefix + path)
    assert page.status == 303
    form = shopper.follow(page).form(f"{prefix}/hyr")
    assert form["next"] == prefix + path
    assert shopper.post(f"{prefix}/hyr", {"email": profile.email, "password": named.PASSWORD, **form}).status == 422
    fields = {**form, "email": profile.email, "password": named.PASSWORD}
    assert shopper.post(f"{prefix}/hyr", fields).location == prefix + path


def test_a_guest_changes_nothing(app, stranger, profile):
    before = list(Profile.select().dicts())
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/profili") and "POST" in rule.methods and not rule.arguments:
            if "regjistrohu" in rule.rule:
                continue
            page = stranger.post(
                rule.rule, {"password": WORD, "present": named.PASSWORD, "new_email": "x@example.com"}
            )
            assert (page.status, page.location.partition("?")[0]) == (303, "/hyr"), rule.rule
    assert list(Profile.select().dicts()) == before
    assert Mail.select().count() == 0


def test_no_address_names_a_profile(app):
    """Whose it is, is said by the session or by a signed link alone."""
    ours = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("profile.")]
    assert len(ours) > 15
    assert {argument for rule in ours for argument in rule.arguments} == {"token"}


@pytest.mark.rule("PRO-6")
def test_the_menu_leads_to_my_orders_first(member):
    menu = member.get("/shporta").by_id("profili")
    links = [a.get("href") for a in menu.iter("a")]
    assert links[:2] == ["/porosite", "/deshirat"]
    assert {"/klubi", "/profili/numrat", "/paguaj", "/profili"} <= set(links)
    assert " ".join(next(menu.iter("a")).itertext()).strip() == "Porositë e mia"


def test_a_guests_menu_leads_to_logging_in_and_to_registering(shopper):
    menu = shopper.get("/").by_id("profili")
    links = [a.get("href") for a in menu.iter("a")]
    assert links == ["/hyr", "/profili/regjistrohu", "/deshirat", "/porosia/gjej"]


@pytest.mark.rule("PRO-1")
def test_the_page_tells_what_the_profile_knows(member, profile):
    page = member.get("/profili")
    for text in ("Arben Osmani", "070 654 321", profile.email, "E konfirmuar", "Shqip"):
        assert text in page.words.replace("\u00a0", " "), text
    assert page.headers["Cache-Control"] == "private, no-store"


def test_the_page_asks_few_queries(member):
    member.get("/profili")
    with assert_query_count(4):
        member.get("/profili")


@pytest.mark.parametrize("piece", [False, True])
def test_name_phone_and_language_are_changed(member, profile, piece):
    fields = {"first_name": "Ana", "last_name": "Markovska", "phone": "071 234 567", "language": "mk"}
    done = member.post("/profili/te-dhenat", fields, piece=piece)
    assert done.location == "/mk/profili"
    read = Profile.get_by_id(profile.id)
    assert (read.name, read.phone, read.language) == ("Ana Markovska", "38971234567", "mk")
    assert 'lang="mk"' in member.follow(done).html
    member.post("/mk/profili/te-dhenat", {**fields, "phone": "", "language": "sq"})
    assert Profile.get_by_id(profile.id).phone == ""


@pytest.mark.rule("CHK-6")
@pytest.mark.parametrize("piece", [False, True])
@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("te-dhenat", "first_name", ""),
        ("te-dhenat", "phone", "02 123"),
        ("te-dhenat", "language", "de"),
        ("e-posta", "new_email", "x"),
        ("e-posta", "new_email", "arben@example.com"),
        ("e-posta", "email_password", "wrong"),
        ("e-posta", "email_password", ""),
        ("fjalekalimi", "present", "wrong"),
        ("fjalekalimi", "password", "12345678"),
        ("fjalekalimi", "password", ""),
    ],
)
def test_a_change_that_is_refused_says_why_beside_its_field_and_changes_nothing(
    member, profile, path, field, value, piece
):
    good = {
        "te-dhenat": {"first_name": "Ana", "last_name": "Markovska", "phone": "", "language": "mk"},
        "e-posta": {"new_email": "re@example.com", "email_password": named.PASSWORD},
        "fjalekalimi": {"present": named.PASSWORD, "password": WORD},
    }[path]
    page = member.post(f"/profili/{path}", {**good, field: value}, piece=piece)
    assert page.status == 422
    assert page.by_id(field).get("aria-invalid") == "true"
    assert ("<html" in page.html) is not piece
    opened = [details for details in page.all("details") if details.get("open") is not None]
    assert len(opened) == 1
    assert page.by_id(field) in list(opened[0].iter())
    read = Profile.get_by_id(profile.id)
    assert (read.first_name, read.email, read.session_number) == ("Arben", profile.email, 1)
    assert Mail.select().count() == 0
    assert named.PASSWORD not in page.html
    assert WORD not in page.html


@pytest.mark.rule("PRO-2")
@pytest.mark.parametrize("remember", [False, True])
def test_a_new_password_ends_every_other_session_and_keeps_this_one(app, world, profile, remember):
    here, there = Browser(app), Browser(app)
    here.log_in(profile.email, **({"remember": "y"} if remember else {}))
    here.choose(world["CASE-BLACK"])
    there.log_in(profile.email, remember="y")
    assert "Këllëf për Galaxy S25" in there.get("/shporta").words
    before = here.cookie("remember_token")
    done = here.post("/profili/fjalekalimi", {"present": named.PASSWORD, "password": WORD})
    assert done.location == "/profili"
    assert is_in(here, profile)
    assert "Këllëf për Galaxy S25" in here.get("/shporta").words
    assert (here.cookie("remember_token") is not None) is remember
    if remember:
        assert here.cookie("remember_token").value != before.value
    assert not is_in(there, profile)
    # The cart, and what was typed at its checkout, went with the session.
    assert "Këllëf për Galaxy S25" not in there.get("/shporta").words
    assert Browser(app).log_in(profile.email).status == 422
    assert Browser(app).log_in(profile.email, WORD).status == 303


@pytest.mark.rule("PRO-2")
def test_the_present_password_cannot_be_tried_out(member):
    fields = {"present": "wrong", "password": WORD}
    assert [member.post("/profili/fjalekalimi", fields).status for _ in range(6)] == [422] * 5 + [429]
    page = member.post("/profili/fjalekalimi", {**fields, "present": named.PASSWORD})
    assert (page.status, page.text_of("present-error")) == (429, LOCKED)


@pytest.mark.rule("PRO-2")
def test_logging_out_everywhere_ends_every_session_remembered_or_not(app, profile):
    here, there, remembered = (Browser(app) for _ in range(3))
    here.log_in(profile.email)
    there.log_in(profile.email)
    remembered.log_in(profile.email, remember="y")
    remembered.client.delete_cookie("session", domain="shop.test")
    done = here.post("/profili/dalja")
    assert done.location == "/hyr"
    assert "Dolët nga të gjitha pajisjet." in here.follow(done).words
    for browser in (here, there, remembered):
        assert not is_in(browser, profile)


def test_a_remembered_login_lasts_thirty_days(shopper, profile):
    page = shopper.log_in(profile.email, remember="y")
    [cookie] = [text for text in page.headers.getlist("Set-Cookie") if text.startswith("remember_token")]
    until = parsedate_to_datetime(re.search(r"Expires=([^;]+)", cookie)[1])
    assert (until - named.NOW).days == 30


# Another e-mail


def wish(browser: Browser, email: str, **more):
    return browser.post("/profili/e-posta", {"new_email": email, "email_password": named.PASSWORD}, **more)


@pytest.mark.rule("PRO-1")
def test_a_new_email_counts_once_it_is_confirmed(member, profile):
    assert wish(member, "re@example.com").location == "/profili"
    page = member.get("/profili")
    assert "re@example.com" in page.words
    assert Profile.get_by_id(profile.id).email == profile.email
    link = mailed("confirm_email")
    assert "password" not in member.get(link).form(link)
    done = member.post(link)
    assert done.location == "/profili"
    assert Profile.get_by_id(profile.id).email == "re@example.com"
    assert member.post(link).status == 410
    assert [mail.recipient for mail in Mail.select().where(Mail.kind == "email_changed")] == [profile.email]


@pytest.mark.rule("PRO-1")
def test_a_stranger_whose_mailbox_was_typed_cannot_give_it_to_the_profile(member, stranger, profile):
    """Neither by the click alone nor with a profile of their own."""
    besa = named.profile("besa@example.com")
    wish(member, "re@example.com")
    link = mailed("confirm_email")
    assert stranger.post(link).status == 422
    stranger.log_in(besa.email)
    assert stranger.post(link, {"password": "not the password"}).status == 422
    assert {row.email for row in Profile.select()} == {profile.email, besa.email}
    # On another device of theirs the profile's own password confirms it.
    assert stranger.post(link, {"password": named.PASSWORD}).location == "/profili"
    assert "re@example.com" in stranger.get("/profili").words


@pytest.mark.rule("PRO-2")
@pytest.mark.parametrize("piece", [False, True])
def test_wishing_for_a_known_email_is_answered_byte_by_byte_as_for_an_unknown_one(app, world, piece):
    known = named.profile("nobody1@example.com")
    answers = []
    for owner, email in (("a1@example.com", known.email), ("a2@example.com", "nobody2@example.com")):
        named.profile(owner)
        browser = Browser(app)
        browser.log_in(owner)
        answer = [seen(wish(browser, email, piece=piece), email, owner)]
        answer.append(seen(browser.get("/profili"), email, owner))
        again = browser.post("/profili/e-posta/perseri")
        answer += [seen(again), seen(browser.follow(again), email, owner)]
        answers.append(answer)
    assert answers[0] == answers[1]
    assert [mail.kind for mail in Mail.select().order_by(Mail.id)] == ["already_registered"] * 2 + [
        "confirm_email"
    ] * 2


def test_a_wish_for_another_email_can_be_withdrawn(member):
    wish(member, "re@example.com")
    link = mailed("confirm_email")
    assert member.post("/profili/e-posta/anulimi").location == "/profili"
    member.get("/profili")
    assert "re@example.com" not in member.get("/profili").words
    assert member.get(link).status == 410


@pytest.mark.rule("PRO-1")
def test_an_email_that_is_not_verified_says_so_and_can_be(member, profile):
    Profile.update(verified_at=None).where(Profile.id == profile.id).execute()
    page = member.get("/profili")
    assert "E pakonfirmuar" in page.words
    assert "Pa konfirmim nuk shtohen numra" in page.words
    for _ in range(3):
        member.post("/profili/e-posta/perseri")
    assert "disa e-posta" in member.follow(member.post("/profili/e-posta/perseri")).words
    assert Mail.select().count() == 3
    assert member.post(mailed("confirm_email")).location == "/profili"
    assert "E konfirmuar" in member.get("/profili").words
    before = Mail.select().count()
    member.post("/profili/e-posta/perseri")
    assert Mail.select().count() == before


def test_what_is_personal_stays_in_no_cache(shopper, profile):
    register(shopper)
    shopper.post("/hyr/harruar", {"email": profile.email})
    for path in ("/hyr", "/profili/regjistrohu/e-posta", mailed("confirm_registration"), mailed("password_reset")):
        assert shopper.get(path).headers["Cache-Control"] == "private, no-store"


# Words and markup


@pytest.mark.rule("LOC-1")
@pytest.mark.parametrize(("language", "prefix"), [("sq", ""), ("mk", "/mk"), ("en", "/en")])
def test_every_page_of_the_journey_is_whole_and_in_its_language(shopper, stranger, profile, language, prefix):
    albanian = Albanian(language) if language != "sq" else None
    pages = [shopper.get(f"{prefix}/hyr"), shopper.get(f"{prefix}/profili/regjistrohu")]
    pages += [
        register(shopper, prefix, first_name="", email="", password="123"),
        register(shopper, prefix, email="x"),
    ]
    register(shopper, prefix)
    again = shopper.post(f"{prefix}/profili/regjistrohu/perseri")
    pages += [
        shopper.follow(again),
        shopper.get(f"{prefix}/hyr/harruar"),
        shopper.get(f"{prefix}/hyr/harruar/derguar"),
    ]
    pages += [shopper.post(f"{prefix}/hyr/harruar", {"email": ""})]
    shopper.post(f"{prefix}/hyr/harruar", {"email": profile.email})
    # The mail is in the profile's language, its page in that of whoever opens it.
    to_password = prefix + mailed("password_reset")
    to_profile = mailed("confirm_registration")
    pages += [shopper.get(to_password), shopper.post(to_password, {"password": "12345678"})]
    pages += [stranger.get(to_profile), stranger.post(to_profile, {"password": "wrong"})]
    pages += [shopper.follow(shopper.post(to_profile)), shopper.get(to_profile)]
    for number in range(4):
        fields = {"new_email": f"re{number}@example.com", "email_password": WORD}
        pages += [shopper.follow(shopper.post(f"{prefix}/profili/e-posta", fields))]
    pages += [shopper.post(f"{prefix}/profili/e-posta", {"new_email": "ana@example.com", "email_password": "x"})]
    pages += [shopper.post(f"{prefix}/profili/fjalekalimi", {"present": "x", "password": WORD})]
    pages += [stranger.get(prefix + mailed("confirm_email").removeprefix(prefix))]
    Profile.update(verified_at=None).execute()
    for path in ("", "/te-dhenat", "/fjalekalimi", "/e-posta"):
        pages += [shopper.get(f"{prefix}/profili{path}")]
    pages += [shopper.follow(shopper.post(f"{prefix}/profili/dalja"))]
    for page in pages:
        assert "<html" in page.html
        assert faults(page.html, language) == []
        if albanian:
            assert [text for text in Said(page, language).texts if albanian.is_in(text)] == []
