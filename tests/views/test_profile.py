"""Logging in and out (PRO-2), and what it does to the cart and the session (CRT-4, CHK-7)."""

import pytest

from models.cart import Cart, CartLine
from models.profile import Attempt, Profile
from tests import world as named
from tests.views.browser import Browser

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
