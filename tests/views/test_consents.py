"""Pëlqimet e mia, the box at the checkout, and the links of the reminder (PRV-2)."""

import pytest

import config
from models.cart import Cart, CartLine
from models.cart_reminder import CartReminder
from models.checkout import Checkout
from models.consent import Consent, take_back_token
from models.outbox import Mail
from tests import world as named
from tests.models.test_cart_reminder import DUE
from tests.query_count import assert_query_count
from tests.views.browser import DATA, HOST, Browser
from tests.views.test_html import LANGUAGES, check

PAGE = "/profili/pelqimet"
DATA_STEP = "/porosia/te-dhenat"


@pytest.fixture
def arben(app, profile) -> Browser:
    browser = Browser(app)
    assert browser.log_in(profile.email).status == 303
    return browser


def form_of(page, kind, **hidden):
    """The form of one consent, as it stands."""
    for form in [form for form in page.all("form") if (form.get("action") or "").endswith(PAGE)]:
        sent = {field.get("name"): field.get("value") for field in form.iter() if field.get("name")}
        if sent.get("lloji") == kind and all(sent.get(name) == value for name, value in hidden.items()):
            return sent
    return None


# In the profile


@pytest.mark.rule("PRV-2")
@LANGUAGES
def test_each_consent_is_off_until_it_is_given_and_taken_back_with_one_click(arben, profile, language, prefix):
    page = check(arben.get(prefix + PAGE), language)
    for kind in ("club_email", "club_sms", "cart_email"):
        assert form_of(page, kind)["fjala"] == "po"
    assert arben.post(prefix + PAGE, form_of(page, "cart_email")).location == prefix + PAGE
    page = check(arben.get(prefix + PAGE), language)
    yes = Consent.get()
    assert (yes.profile, yes.kind, yes.given, yes.channel) == (profile, "cart_email", True, "web")
    # The wording that is kept is the one that stood there, and it is shown with its time.
    assert yes.wording in page.words
    assert "10.03.2026" in page.words
    check(arben.post(prefix + PAGE, form_of(page, "cart_email"), piece=True), None)
    assert not Consent.of(profile)["cart_email"]
    page = arben.get(prefix + PAGE)
    # Both words stand in the history, the newest first.
    assert len(page.all("tr")) == 3
    assert [row.given for row in Consent.select().order_by(Consent.id)] == [True, False]


@pytest.mark.rule("PRV-2")
def test_sent_twice_a_word_is_one_and_what_is_none_is_refused(arben, profile):
    for _ in range(2):
        arben.post(PAGE, {"lloji": "club_sms", "fjala": "po"})
    assert Consent.select().count() == 1
    for bad in (
        {},
        {"lloji": "club_sms"},
        {"lloji": "pigeon", "fjala": "po"},
        {"lloji": "club_sms", "fjala": "ndoshta"},
    ):
        assert arben.post(PAGE, bad).status == 422
    assert arben.post(PAGE, {"lloji": "club_sms", "fjala": "jo"}, token=False).status == 400
    assert Consent.of(profile)["club_sms"]


@pytest.mark.rule("PRV-2")
def test_a_word_is_said_for_oneself_alone(app, arben, profile):
    besa = named.profile("besa@example.com")
    Consent.say(besa, "club_email", True, named.NOW, wording="Po", channel="web")
    Consent.say_as_guest("besa@example.com", "cart_email", True, named.NOW, wording="Po", channel="checkout")
    for more in ({}, {"si": "mysafir"}, {"profile": besa.id, "email": besa.email, "si": "mysafir"}):
        arben.post(PAGE, {"lloji": "cart_email", "fjala": "jo", **more})
        arben.post(PAGE, {"lloji": "club_email", "fjala": "jo", **more})
    assert Consent.select().count() == 2
    assert "besa" not in arben.get(PAGE).html
    # A guest is led to the login, and says nothing.
    guest = Browser(app)
    assert guest.get(PAGE).location == f"/hyr?next={PAGE}"
    assert guest.post(PAGE, {"lloji": "club_sms", "fjala": "po"}).location.startswith("/hyr")
    assert Consent.select().count() == 2


@pytest.mark.rule("PRV-2")
def test_what_was_agreed_to_as_a_guest_with_the_same_mailbox_is_seen_and_taken_back_there(arben, profile):
    Consent.say_as_guest(
        profile.email, "cart_email", True, named.NOW, wording="Fjalët e mysafirit", channel="checkout"
    )
    page = check(arben.get(PAGE), "sq")
    assert "Fjalët e mysafirit" in page.words
    sent = form_of(page, "cart_email", si="mysafir")
    assert sent["fjala"] == "jo"
    # A yes as a guest is none of this page's.
    arben.post(PAGE, {**sent, "fjala": "po"})
    arben.post(PAGE, sent)
    assert Consent.live("cart_email", email=profile.email) is None
    assert Consent.select().count() == 2
    assert form_of(arben.get(PAGE), "cart_email", si="mysafir") is None


def test_the_profiles_page_has_the_three_boxes_and_leads_to_the_history(arben, profile):
    page = arben.get("/profili")
    assert set(page.form("/profili/lajmet")) == {"csrf_token"}
    assert len(page.all("input", type="checkbox")) >= 3
    assert PAGE in page.html
    arben.post("/profili/lajmet", {"cart_email": "y"})
    assert Consent.of(profile) == {"club_email": False, "club_sms": False, "cart_email": True}


def test_the_page_costs_as_many_queries_with_a_long_history(arben, profile):
    arben.get(PAGE)
    with assert_query_count(6):
        arben.get(PAGE)
    for number in range(40):
        Consent.say(profile, "club_sms", number % 2 == 0, named.later(number), wording="x", channel="web")
    with assert_query_count(6):
        arben.get(PAGE)


# At the checkout


@pytest.mark.rule("PRV-2")
@LANGUAGES
def test_the_box_is_empty_and_its_words_are_kept_only_when_it_is_ticked(shopper, world, language, prefix):
    shopper.choose(world["CASE-BLACK"])
    page = check(shopper.get(prefix + DATA_STEP), language)
    box = page.by_id("kujtesa")
    assert box.get("checked") is None
    words = " ".join(" ".join(page.all("label", for_="kujtesa")[0].itertext()).split())
    shopper.post(prefix + DATA_STEP, DATA)
    assert Consent.select().count() == 0
    shopper.post(prefix + DATA_STEP, {**DATA, "kujtesa": "y"})
    yes = Consent.get()
    assert (yes.email, yes.profile_id, yes.channel) == (DATA["email"], None, "checkout")
    assert yes.wording == words
    assert Checkout.get().remind_in == language
    assert shopper.get(prefix + DATA_STEP).by_id("kujtesa").get("checked") is not None
    # Ticking it off takes it back.
    shopper.post(prefix + DATA_STEP, DATA)
    assert [row.given for row in Consent.select().order_by(Consent.id)] == [True, False]


@pytest.mark.rule("PRV-2")
@pytest.mark.parametrize("ticked", [False, True])
def test_another_email_at_the_same_checkout_takes_back_what_was_said_for_the_one_before(shopper, world, ticked):
    shopper.choose(world["CASE-BLACK"])
    shopper.post(DATA_STEP, {**DATA, "email": "wrong@example.com", "kujtesa": "y"})
    # The same mailbox in other letters is no other one.
    shopper.post(DATA_STEP, {**DATA, "email": "Wrong@example.com", "kujtesa": "y"})
    assert Consent.select().count() == 1
    shopper.post(DATA_STEP, {**DATA, **({"kujtesa": "y"} if ticked else {})})
    assert Consent.live("cart_email", email="wrong@example.com") is None
    assert (Consent.live("cart_email", email=DATA["email"]) is not None) == ticked
    assert Checkout.get().remind_in == ("sq" if ticked else "")
    assert Consent.select().count() == 2 + ticked


@pytest.mark.rule("PRV-2")
def test_with_a_wrong_field_the_tick_stays_and_nothing_is_written(shopper, world):
    shopper.choose(world["CASE-BLACK"])
    page = shopper.post(DATA_STEP, {**DATA, "email": "x", "kujtesa": "y"})
    assert page.status == 422
    assert page.by_id("kujtesa").get("checked") is not None
    assert Consent.select().count() == 0


@pytest.mark.rule("PRV-2")
def test_a_profile_is_asked_until_it_agrees_and_is_not_asked_again(arben, profile, world):
    arben.choose(world["CASE-BLACK"])
    assert arben.get(DATA_STEP).by_id("kujtesa") is not None
    arben.post(DATA_STEP, {**DATA, "email": "else@example.com", "kujtesa": "y"})
    assert Consent.live("cart_email", profile=profile).channel == "checkout"
    assert Consent.live("cart_email", email="else@example.com") is None
    assert arben.get(DATA_STEP).by_id("kujtesa") is None
    # The box that is not there says no "no".
    arben.post(DATA_STEP, DATA)
    assert Consent.of(profile)["cart_email"]


def test_where_none_are_written_nobody_is_asked(shopper, arben, world, monkeypatch):
    monkeypatch.setattr(config, "CART_REMINDER_HOURS", 0)
    shopper.choose(world["CASE-BLACK"])
    assert shopper.get(DATA_STEP).by_id("kujtesa") is None
    shopper.post(DATA_STEP, {**DATA, "kujtesa": "y"})
    assert Consent.select().count() == 0
    assert form_of(arben.get(PAGE), "cart_email") is None
    assert "cart_email" not in arben.get("/profili").html


# The links in the mail


@pytest.fixture
def reminder(shopper, world, clock) -> CartReminder:
    """Of the shopper's cart, which was left with the box ticked a day ago."""
    for sku in ("S25-BLACK-128", "CASE-BLACK"):
        shopper.choose(world[sku])
    shopper.fill_in()
    shopper.post(DATA_STEP, {**DATA, "kujtesa": "y"})
    clock.move_to(DUE)
    assert CartReminder.write_all_due(DUE) == 1
    return CartReminder.get()


@pytest.mark.rule("PRV-2", "CRT-4")
@LANGUAGES
def test_the_link_shows_the_lines_alone_and_brings_them_into_another_browser(
    app, shopper, reminder, language, prefix
):
    path = f"{prefix}/shporta/e-ruajtur/{reminder.token()}"
    other = Browser(app)
    page = check(other.get(path), language)
    for secret in (*DATA.values(), "Rruga e", "123 456"):
        assert str(secret) not in page.html
    assert "Galaxy S25" in page.words
    headers = page.headers
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "private, no-store")
    assert "noindex" in headers["X-Robots-Tag"]
    # Looking begins no cart; the button does, twice the same one.
    assert Cart.select().count() == 1
    for _ in range(2):
        assert other.post(path).location == f"{prefix}/shporta"
    mine = Cart.get(Cart.id != reminder.cart_id)
    assert other.cookie("cart").value == mine.token != reminder.cart.token
    assert [line.variant.sku for line in mine.held] == ["S25-BLACK-128", "CASE-BLACK"]
    # What was typed at the checkout stayed where it was typed.
    assert "Markovska" not in other.get(f"{prefix}{DATA_STEP}").html
    # In the browser that has the cart it is simply opened, and nothing is doubled.
    assert shopper.get(path).location == f"{prefix}/shporta"
    shopper.post(path)
    assert CartLine.select().where(CartLine.cart == reminder.cart).count() == 2


@pytest.mark.rule("PRV-2")
def test_the_link_is_over_when_its_cart_was_ordered_or_its_days_are_and_says_not_which(app, shopper, reminder, clock):
    path = f"/shporta/e-ruajtur/{reminder.token()}"
    other = Browser(app)
    clock.shift(config.CART_LINK_DAYS * 24 * 3600)
    late = [other.get(path), other.post(path)]
    clock.move_to(DUE)
    assert shopper.confirm(shopper.overview()).status == 303
    over = [other.get(path), other.post(path), other.get(path + "x"), other.get("/shporta/e-ruajtur/x")]
    assert {page.status for page in late + over} == {410}
    assert len({page.words for page in late + over}) == 1
    check(over[0], "sq", 410)
    assert Cart.select().count() == 1


@pytest.mark.rule("PRV-2")
def test_the_mails_link_stops_it_with_a_button_or_the_mail_programs_own_and_no_login(app, reminder):
    path = f"/pelqimet/ndal/{take_back_token(Consent.get())}"
    page = check(Browser(app).get(path), "sq")
    # Looking at it stops nothing.
    assert Consent.get().is_live
    assert DATA["email"] not in page.html
    for fields in ({"List-Unsubscribe": "One-Click"}, {}):
        page = check(Browser(app).post(path, fields, token=False), "sq")
    assert [(row.given, row.channel) for row in Consent.select().order_by(Consent.id)] == [
        (True, "checkout"),
        (False, "mail"),
    ]
    assert Mail.get(Mail.kind == "cart_reminder").is_too_late(DUE)
    assert page.headers["Cache-Control"] == "private, no-store"
    assert Browser(app).post("/pelqimet/ndal/x", token=False).status == 410
    assert f"{HOST}/pelqimet" not in page.headers.get("Location", "")
