"""Asking to be told, confirming, stopping and one's own list: what a guest and a profile see (PRV-1, PRV-2)."""

import re

import pytest

from models.outbox import Mail
from models.profile import Profile
from models.watch import Watch
from tests.query_count import assert_query_count
from tests.views.browser import Browser
from tests.views.test_html import LANGUAGES, check
from tests.world import NOW

SOLD_OUT = "IP16-BLACK-256"
PATH = "/pajisja/iphone-16/njoftim"
ASK = {"cka": "gjendja", "varianti": SOLD_OUT}


@pytest.fixture
def member(app, world, profile) -> Browser:
    browser = Browser(app)
    browser.log_in(profile.email)
    return browser


def waiting(world, email="ana@example.com", kind="stock", sku=SOLD_OUT) -> Watch:
    Watch.ask(email, world[sku], kind, language="sq", address="", now=NOW)
    return Watch.select().order_by(Watch.id.desc()).get()


def links(page) -> dict[str, str]:
    """The page's links by their words."""
    return {"".join(link.itertext()).strip(): link.get("href") for link in page.all("a")}


def test_a_device_page_leads_to_both_wishes_and_names_what_is_missing(shopper):
    page = shopper.get("/pajisja/iphone-16")
    assert "Mungon tani: E zezë, 256 GB" in page.words
    assert links(page)["Më trego kur të kthehet"] == f"{PATH}?cka=gjendja"
    assert links(page)["Më trego kur të ulet çmimi"] == f"{PATH}?cka=cmimi&varianti=IP16-PINK-128"
    gone = links(shopper.get("/pajisja/iphone-16?ngjyra=1f2023&memoria=256"))
    assert gone["Më trego kur të kthehet"] == f"{PATH}?cka=gjendja&varianti={SOLD_OUT}"
    assert "Më trego kur të kthehet" not in links(shopper.get("/pajisja/galaxy-s25"))


@pytest.mark.rule("PRV-2")
def test_looking_at_the_form_changes_nothing_and_asking_sends_a_mail_to_confirm(shopper):
    page = check(shopper.get(f"{PATH}?cka=gjendja"), "sq")
    assert Watch.select().count() == 0
    answer = shopper.post(PATH, {**page.form(PATH), "email": "Ana@Example.com"})
    assert (answer.status, answer.location) == (303, "/njoftime/derguar")
    assert [(watch.email, watch.state, watch.variant.sku) for watch in Watch.select()] == [
        ("ana@example.com", "waiting", SOLD_OUT)
    ]
    check(shopper.follow(answer), "sq")


@pytest.mark.rule("PRV-1")
def test_the_answer_is_the_same_for_a_known_mailbox_and_an_unknown_one(app, world, profile):
    waiting(world, profile.email).confirm(NOW)
    answers = []
    for email in (profile.email, "nobody@example.com"):
        browser = Browser(app)
        answer = browser.post(PATH, {**ASK, "email": email})
        shown = browser.follow(answer)
        answers.append((answer.status, answer.location, re.sub(r'value="[^"]+"', "", shown.html)))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("email", ["", "ana", "ana@", "a" * 300 + "@example.com"])
def test_what_is_no_e_mail_is_said_beside_the_field_and_the_choice_stays(shopper, email):
    before = Mail.select().count()
    for piece in (False, True):
        page = shopper.post(PATH, {**ASK, "email": email}, piece=piece)
        assert page.status == 422
        assert page.text_of("email-error")
        assert page.by_id("email").get("value") == email
    assert Watch.select().count() == 0
    assert Mail.select().count() == before


def test_what_came_back_meanwhile_is_said(shopper, world):
    form = shopper.get("/pajisja/tab-a9/njoftim?cka=gjendja")
    assert form.location == "/pajisja/tab-a9"
    world.set_stock("TAB-GREY-64", 0)
    page = shopper.get("/pajisja/tab-a9/njoftim?cka=gjendja")
    sent = page.form("/pajisja/tab-a9/njoftim")
    for sku in ("S25-BLACK-128", "x", ""):
        answer = shopper.post("/pajisja/tab-a9/njoftim", {**sent, "varianti": sku, "email": "a@example.com"})
        assert answer.status == 422
    world.set_stock("TAB-GREY-64", 2)
    back = shopper.post("/pajisja/tab-a9/njoftim", {**sent, "email": "a@example.com"})
    assert back.location == "/pajisja/tab-a9"
    assert Watch.select().count() == 0


@pytest.mark.parametrize("path", ["/pajisja/no-such/njoftim", "/pajisja/A.B/njoftim", "/njoftime/x/ndal"])
def test_what_is_not_there_is_a_404(shopper, path):
    assert shopper.get(path).status in (404, 405)
    assert shopper.post(path).status in (404, 405)


@pytest.mark.rule("PRV-2")
def test_after_some_mails_no_more_are_sent(shopper):
    for _ in range(3):
        assert shopper.post(PATH, {**ASK, "email": "a@example.com"}).status == 303
    page = shopper.post(PATH, {**ASK, "email": "a@example.com"})
    assert page.status == 429
    assert "disa e-posta" in page.text_of("email-error")


@LANGUAGES
def test_a_mailed_link_confirms_by_its_button_alone(shopper, world, language, prefix):
    watch = waiting(world)
    path = f"{prefix}/njoftime/konfirmimi/{watch.confirm_token}"
    for _ in range(2):
        page = check(shopper.get(path), language)
        assert Watch.get_by_id(watch.id).state == "waiting"
    answer = shopper.post(path, page.form(path))
    assert answer.location == path
    assert Watch.get_by_id(watch.id).state == "active"
    done = check(shopper.follow(answer), language)
    assert done.all("button", class_="btn wide") == []
    assert shopper.post(path).location == path
    Watch.get_by_id(watch.id).stop(NOW)
    check(shopper.get(path), language, 410)
    check(shopper.post(path), language, 410)


@pytest.mark.rule("PRV-2")
@LANGUAGES
def test_a_mailed_link_stops_by_its_button_or_by_the_mail_programs_own(app, world, language, prefix):
    first, second = (waiting(world, kind=kind) for kind in ("stock", "price"))
    for watch in (first, second):
        watch.confirm(NOW)
    path = f"{prefix}/njoftime/ndal/{first.stop_token}"
    program = Browser(app)
    check(program.get(path), language)
    assert Watch.get_by_id(first.id).state == "active"
    for _ in range(2):
        # Without a session, a token or anything of the page (RFC 8058).
        answer = Browser(app).post(path, {"List-Unsubscribe": "One-Click"}, token=False)
        check(answer, language)
    assert [Watch.get_by_id(watch.id).state for watch in (first, second)] == ["stopped", "active"]
    check(program.post(path, {"te_gjitha": "1"}, token=False), language)
    assert Watch.get_by_id(second.id).state == "stopped"
    check(program.get(f"{prefix}/njoftime/ndal/{first.confirm_token}"), language, 410)
    check(program.post(f"{prefix}/njoftime/ndal/x", token=False), language, 410)


def test_a_verified_profile_is_told_at_once_where_it_will_be_written_to(member, profile):
    page = check(member.get(f"{PATH}?cka=cmimi&varianti={SOLD_OUT}"), "sq")
    assert profile.email in page.words
    assert page.by_id("email") is None
    answer = member.post(PATH, page.form(PATH))
    assert answer.location == "/njoftime"
    mine = check(member.follow(answer), "sq")
    assert "Në rregull" in mine.words
    assert "Kur të kushtojë më pak se 71.990 den; tani 71.990 den" in mine.words
    assert Mail.select().count() == 0


def test_a_profile_that_is_not_verified_confirms_by_mail(member, profile):
    Profile.update(verified_at=None).where(Profile.id == profile.id).execute()
    page = member.get(f"{PATH}?cka=gjendja")
    assert page.by_id("email").get("value") == profile.email
    assert member.post(PATH, page.form(PATH)).location == "/njoftime/derguar"
    assert Watch.get().state == "waiting"


@LANGUAGES
def test_ones_own_are_stopped_in_the_list(member, profile, world, language, prefix):
    for sku, kind in ((SOLD_OUT, "stock"), ("S25-BLACK-128", "price")):
        Watch.ask_for(profile, world[sku], kind, segment=None, now=NOW)
    page = check(member.get(f"{prefix}/njoftime"), language)
    first, second = Watch.select().order_by(Watch.id)
    path = f"{prefix}/njoftime/{first.id}/ndal"
    assert member.post(path, page.form(path)).location == f"{prefix}/njoftime"
    check(member.get(f"{prefix}/njoftime"), language)
    piece = check(member.post(f"{prefix}/njoftime/{second.id}/ndal", piece=True), None)
    assert piece.all("ul") == []
    assert {watch.state for watch in Watch.select()} == {"stopped"}
    # Pressed again, in another tab.
    assert member.post(path).status == 303


def test_a_list_of_many_asks_no_more_than_a_list_of_one(member, profile, many):
    from models.catalogue import Variant

    def budget():
        with assert_query_count(12) as asked:
            assert member.get("/njoftime").status == 200
        return len(asked)

    counts = []
    for number in (1, 15):
        for sku in many[:number]:
            Watch.ask_for(profile, Variant.get(Variant.sku == sku), "price", segment=None, now=NOW)
        counts.append(budget())
    assert counts[0] == counts[1]
