"""Të dhënat e mia: a profile takes its data along, and is erased (PRV-4); what the privacy page tells (PRV-1)."""

import io
import json
import re
import zipfile
from datetime import timedelta

import html5lib
import pytest

import config
import views.choosing
import views.shopper
import views.wisher
from models import personal
from models.erasure import Erasure
from models.order import Order
from models.outbox import Mail
from models.payment import Payment
from models.person_data import TAKEN_A_DAY
from models.retention import RULES, retain
from models.trail import AuditEntry
from tests import world as named
from tests.query_count import assert_query_count
from tests.staff import works
from tests.views.browser import Browser
from tests.views.test_html import faults

PAGE, TAKE, ERASE = "/profili/privatesia", "/profili/privatesia/shkarko", "/profili/privatesia/fshirja"
LANGUAGES = pytest.mark.parametrize(("language", "prefix"), [("sq", ""), ("mk", "/mk"), ("en", "/en")])


@pytest.fixture
def owner(shopper, profile):
    shopper.log_in(profile.email)
    shopper.get(PAGE)
    return profile


def taken(shopper) -> dict[str, bytes]:
    """The files of a download."""
    answer = shopper.post(TAKE, {"take_password": named.PASSWORD})
    assert answer.status == 200, answer.words
    assert answer.headers["Content-Type"] == "application/zip"
    assert "no-store" in answer.headers["Cache-Control"]
    with zipfile.ZipFile(io.BytesIO(answer.response.get_data())) as file:
        return {name: file.read(name) for name in file.namelist()}


def ask(shopper, **typed):
    return shopper.post(ERASE, {"erase_password": named.PASSWORD, "understood": "y", **typed})


def link_path(shopper) -> str:
    """Where the mailed link leads."""
    return f"{ERASE}/{Erasure.select().order_by(Erasure.id.desc()).first().token}"


@pytest.mark.rule("PRV-4")
def test_the_password_gives_a_file_to_read_and_one_for_programs(shopper, owner, world):
    order, _ = named.ordered(world, "CASE-BLACK")
    Order.update(profile=owner).where(Order.id == order.id).execute()
    files = taken(shopper)
    given = json.loads(files["te-dhenat.json"])
    assert given["person"] == owner.email
    assert [row["number"] for row in given["tables"]["order"]] == [order.number]
    page = files["lexo.html"].decode()
    assert order.number in page
    assert owner.password_hash not in page
    parser = html5lib.HTMLParser()
    parser.parse(page)
    assert parser.errors == []
    entry = AuditEntry.get(AuditEntry.what == "data_taken")
    assert (entry.role, entry.subject) == ("shopper", f"profile:{owner.id}")


@pytest.mark.rule("PRV-4")
@pytest.mark.parametrize("form", [TAKE, ERASE])
def test_without_the_password_nothing_is_given_or_asked_for(shopper, owner, form):
    name = "take_password" if form == TAKE else "erase_password"
    for typed in ("", "wrong-word"):
        page = shopper.post(form, {name: typed, "understood": "y"})
        assert page.status == 422
        assert page.by_id(name).get("aria-invalid") == "true"
    assert not AuditEntry.select().exists()
    assert not Erasure.select().exists()


@pytest.mark.rule("PRV-4")
def test_data_are_taken_a_few_times_a_day(shopper, owner):
    for _ in range(TAKEN_A_DAY):
        taken(shopper)
    page = shopper.post(TAKE, {"take_password": named.PASSWORD})
    assert page.status == 429
    assert "nesër" in page.text_of("take_password-error")


@pytest.mark.rule("PRV-4")
def test_a_guest_has_neither_page_nor_file(stranger):
    assert stranger.get(PAGE).location.startswith("/hyr")
    for path in (TAKE, ERASE, f"{PAGE}/mbaje"):
        assert stranger.post(path, {"take_password": named.PASSWORD}).location.startswith("/hyr")


@pytest.mark.rule("PRV-4")
def test_from_the_form_over_the_mail_to_the_last_day_and_back_again(shopper, owner, clock):
    page = ask(shopper, understood="")
    assert page.status == 422
    assert "lexuat" in page.text_of("understood-error")
    assert ask(shopper).location == PAGE
    page = shopper.get(PAGE)
    assert "Jua dërguam lidhjen" in page.words
    assert Mail.select().where(Mail.kind == "erase_profile").count() == 1
    shown = shopper.get(link_path(shopper))
    assert shown.status == 200
    assert Erasure.get().confirmed_at is None
    path = link_path(shopper)
    assert shopper.post(path).location == PAGE
    # A second press, or another tab.
    assert shopper.post(path).status == 410
    page = shopper.get(PAGE)
    assert "Llogaria fshihet më" in page.words
    assert ask(shopper).location == PAGE
    assert shopper.post(f"{PAGE}/mbaje").location == PAGE
    assert "Llogaria mbetet" in shopper.get(PAGE).words
    assert Erasure.carry_out_all_due(named.NOW + timedelta(days=60)) == 0


@pytest.mark.rule("PRV-4", "PRO-2")
def test_after_it_every_browser_is_out_and_the_password_opens_nothing(shopper, stranger, owner, clock):
    stranger.log_in(owner.email)
    ask(shopper)
    shopper.post(link_path(shopper))
    clock.shift(config.ERASURE_DAYS * 86_400 + 1)
    assert Erasure.carry_out_all_due(named.NOW + timedelta(days=config.ERASURE_DAYS, seconds=1)) == 1
    for browser in (shopper, stranger):
        assert browser.get("/profili").location.startswith("/hyr")
    assert stranger.log_in(owner.email).status == 422


@pytest.mark.rule("PRV-4")
def test_the_link_in_another_browser_needs_the_password_and_tells_nothing_of_the_profile(
    shopper, stranger, owner, world
):
    ask(shopper)
    path = link_path(shopper)
    order, _ = named.ordered(world, "CASE-BLACK")
    Order.update(profile=owner).where(Order.id == order.id).execute()
    page = stranger.get(path)
    assert page.status == 200
    assert order.number not in page.html
    assert owner.email not in page.html
    assert stranger.post(path, {"password": "wrong-word"}).status == 422
    # Something was begun meanwhile: the link is not used up.
    assert stranger.post(path, {"password": named.PASSWORD}).status == 422
    order.lapse(named.NOW)
    assert stranger.post(path, {"password": named.PASSWORD}).location == f"{ERASE}"
    assert stranger.get(ERASE).status == 200
    assert stranger.get(f"{ERASE}/made-up").status == 410


@pytest.mark.rule("PRV-4")
def test_what_is_open_stands_there_with_its_order_and_no_form(shopper, owner, world):
    order, _ = named.ordered(world, "CASE-BLACK")
    Order.update(profile=owner).where(Order.id == order.id).execute()
    page = shopper.get(PAGE)
    assert order.number in page.words
    assert "Tani nuk mund të fshihet" in page.words
    assert not page.all("form", action=ERASE)
    assert ask(shopper).status == 422
    assert not Erasure.select().exists()


@pytest.mark.rule("PRV-4", "DSK-5")
def test_whoever_works_here_is_told_to_give_the_role_back_first(app, world):
    works("agent")
    browser = Browser(app)
    browser.log_in("agent@example.com")
    page = browser.get(PAGE)
    assert "rol pune" in page.words
    assert not page.all("form", action=ERASE)
    assert ask(browser).status == 422


@LANGUAGES
def test_the_pages_are_whole_in_each_language(shopper, owner, world, language, prefix):
    named.own_number(owner)
    assert faults(shopper.get(f"{prefix}{PAGE}").html, language) == []
    assert faults(shopper.post(f"{prefix}{ERASE}", {}).html, language) == []
    ask(shopper)
    path = f"{prefix}{link_path(shopper)}"
    assert faults(shopper.get(path).html, language) == []
    shopper.post(path)
    assert faults(shopper.get(f"{prefix}{PAGE}").html, language) == []
    assert faults(shopper.get(f"{prefix}{ERASE}").html, language) == []


def test_the_page_asks_as_often_whatever_the_profile_has(shopper, owner, world):
    def asked() -> int:
        with assert_query_count(40) as queries:
            assert shopper.get(PAGE).status == 200
        return len(queries)

    for number in range(3):
        named.own_number(owner, f"3897010000{number}")
    first = asked()
    for number in range(3, 9):
        named.own_number(owner, f"3897010000{number}")
        order, _ = named.ordered(world, "CASE-BLACK")
        Order.update(profile=owner).where(Order.id == order.id).execute()
    assert asked() == first


@pytest.mark.rule("PRV-3")
def test_an_order_past_its_years_still_opens_at_the_desk_without_a_person(app, world, clock):
    order, payment = named.ordered(world, "CASE-BLACK")
    order.move("confirmed", by="bank", now=named.NOW)
    Payment.update(state="paid").where(Payment.id == payment.id).execute()
    for state in ("packed", "with_courier", "delivered"):
        order.move(state, by="warehouse", now=named.NOW)
    [orders] = [rule for rule in RULES if rule.name == "orders"]
    assert retain(orders, named.NOW.replace(year=named.NOW.year + 12)).count == 1
    works("agent")
    browser = Browser(app)
    browser.log_in("agent@example.com")
    page = browser.get(f"/desk/porosite/{order.number}")
    assert page.status == 200
    assert named.GUEST["last_name"] not in page.html
    assert named.GUEST["email"] not in page.html


# The privacy page


@pytest.mark.rule("PRV-1", "PRV-3")
@LANGUAGES
def test_the_privacy_page_tells_every_kind_with_what_why_and_how_long(client, language, prefix):
    page = client.get(f"{prefix}/privatesia").text
    assert re.findall(r'id="ruhet-(\w+)"', page) == [kind.name for kind in personal.kinds()]
    assert faults(page, language) == []


@pytest.mark.rule("PRV-1", "PRV-3")
def test_the_privacy_page_speaks_of_the_settings_in_force(client, monkeypatch):
    monkeypatch.setattr(config, "KEEP_CONTACT_DAYS", 77)
    monkeypatch.setattr(config, "KEEP_ORDER_YEARS", 12)
    page = client.get("/privatesia").text
    assert "77 ditë pasi mbaroi porosia" in page
    assert "12 vjet pas fundit të vitit" in page


@pytest.mark.rule("PRV-1")
def test_the_shop_sets_no_cookie_that_the_privacy_page_does_not_tell(app, world, profile, client):
    """A walk with everything that has a cookie of its own, ended by a look at the answers."""
    browser, names = Browser(app), set()
    steps = [
        lambda: browser.get("/"),
        lambda: browser.choose(world["CASE-BLACK"]),
        lambda: browser.post("/deshirat", {"p": "galaxy-s25"}),
        lambda: browser.get("/krahaso?p=galaxy-s25&p=iphone-16"),
        lambda: browser.get("/pajisja/galaxy-s25"),
        lambda: browser.log_in(profile.email, remember="y"),
        lambda: browser.get(PAGE),
    ]
    for step in steps:
        step()
        names |= set(cookies_of(browser))
    assert {"cart", "session", "remember_token", "deshirat", "krahaso"} <= names
    page = client.get("/privatesia").text
    told = set(re.findall(r"<p><b>([\w-]+)</b></p>", page))
    assert told == set(personal.COOKIES)
    assert names <= told, f"say in models/personal.py what {sorted(names - told)} is for"


def cookies_of(browser) -> list[str]:
    return [cookie.key for cookie in browser.client._cookies.values()]


def test_a_view_that_sets_a_cookie_of_its_own_is_known_here():
    """Views that the walk does not come to: who sets a cookie in another file declares it, and adds the file."""
    ways = re.compile(r"\bkeep_cookie\(|\.set_cookie\(|[\"']Set-Cookie[\"']")
    setting = {path.stem for path in (config.ROOT / "views").glob("*.py") if ways.search(path.read_text())}
    assert setting == {"respond", "shopper", "wisher", "choosing"}
    cookies = {views.shopper.COOKIE, views.wisher.COOKIE, views.choosing.COMPARED, views.choosing.SEEN}
    assert cookies | {"session", "remember_token"} == set(personal.COOKIES)
    scripts = (config.ROOT / "static" / "js").glob("*.js")
    assert [path.name for path in scripts if "document.cookie" in path.read_text()] == []
