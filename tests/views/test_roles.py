"""Who may open what of the desk and of the partners' pages: every route, every role (DSK-5).

A new route under /desk or /partneri that is not in the table fails the first test.
"""

from urllib.parse import urlsplit

import pytest

from models import MODELS
from models.desk_joining import DeskJoining
from models.number import Number
from models.profile import Profile
from models.staff import ROLES, Staff
from models.voucher import Voucher
from tests import world as named
from tests.club import gift, joined, offer
from tests.staff import asked, voucher, works
from tests.views.browser import Browser

# (endpoint, method) → the roles that have the page.
ALLOWED = {
    ("desk_gifts.start", "GET"): {"clerk", "partner"},
    ("desk_gifts.begin", "GET"): {"clerk"},
    ("desk_gifts.begin", "POST"): {"clerk"},
    ("desk_gifts.handout", "GET"): {"clerk"},
    ("desk_gifts.handout", "POST"): {"clerk"},
    ("desk_gifts.send_again", "POST"): {"clerk"},
    ("desk_joining.begin", "GET"): {"clerk"},
    ("desk_joining.begin", "POST"): {"clerk"},
    ("desk_joining.joining", "GET"): {"clerk"},
    ("desk_joining.joining", "POST"): {"clerk"},
    ("desk_joining.send_again", "POST"): {"clerk"},
    ("partner.check", "GET"): {"partner"},
    ("partner.check", "POST"): {"partner"},
    ("partner.used", "GET"): {"partner"},
    ("partner.history", "GET"): {"partner"},
    ("partner.table", "GET"): {"partner"},
}
PEOPLE = ("guest", "subscriber", *ROLES)
DONE = {200, 303}
# What a member of the work force, too, meets who has nothing to do there.
REFUSED = {404}
SECRETS = ("38970100001", "070 100 001", "1.000", "kinema", "usb-c")


def of_the_desk(app) -> set[tuple[str, str]]:
    return {
        (rule.endpoint, method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(("/desk", "/partneri"))
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


@pytest.mark.rule("DSK-5")
def test_every_route_of_the_desk_says_who_has_it(app):
    assert of_the_desk(app) == set(ALLOWED)


@pytest.fixture
def work(app, world):
    """A member, a gift that waits for its code, a joining, a used code; and a browser for each of PEOPLE."""
    cinema = offer().partner
    staff = {role: works(role, partner=cinema if role == "partner" else None) for role in ROLES}
    member = joined(points=1000)
    code = voucher(member, offer("KOKO", 50))
    code.use(staff["partner"], named.NOW, "a" * 32)
    handout = asked(staff["clerk"], member, gift())
    besa = named.own_number(named.profile("besa@example.com"), "38970100009")
    joining = DeskJoining.ask(staff["clerk"], besa, besa.msisdn, "sq", named.NOW)
    return {"desk_gifts": handout.token, "desk_joining": joining.token, "partner": Voucher.get().used_key}


def browser_of(app, who: str) -> Browser:
    browser = Browser(app)
    if who != "guest":
        email = "arben@example.com" if who == "subscriber" else f"{who}@example.com"
        assert browser.log_in(email).status == 303
    browser.token()
    return browser


def everything() -> dict:
    return {model.__name__: sorted(map(repr, model.select().tuples())) for model in MODELS}


def ask(app, browser, endpoint, method, tokens, piece=False):
    rule = next(rule for rule in app.url_map.iter_rules(endpoint))
    values = dict.fromkeys(rule.arguments, tokens[endpoint.split(".")[0]])
    path = app.url_map.bind("shop.test").build(endpoint, values, method=method)
    if method == "GET":
        return browser.get(path, piece=piece)
    sent = {"numri": "070 100 001", "kodi": "K7F49Q2M", "code": "000000"}
    return browser.post(path, sent, piece=piece)


@pytest.mark.rule("DSK-5", "PRV-1")
@pytest.mark.parametrize("who", PEOPLE)
def test_each_role_opens_its_own_pages_alone(app, work, who):
    browser = browser_of(app, who)
    for (endpoint, method), roles in ALLOWED.items():
        if who in roles:
            continue
        for piece in (False, True):
            before = everything()
            page = ask(app, browser, endpoint, method, work, piece)
            assert everything() == before, endpoint
            said = page.words.lower()
            assert [word for word in SECRETS if word in said] == [], endpoint
            if who == "guest":
                assert page.status in (204, 303)
                assert urlsplit(page.location).path == "/hyr", endpoint
            else:
                assert page.status in REFUSED, (endpoint, page.status)
    for (endpoint, method), roles in ALLOWED.items():
        if who in roles:
            # Else the table would prove nothing.
            assert ask(app, browser, endpoint, method, work).status not in REFUSED, endpoint


@pytest.mark.rule("DSK-5")
def test_a_role_that_is_taken_away_ends_with_the_next_click(app, work):
    browser = browser_of(app, "clerk")
    assert browser.get("/desk/dhurata").status == 200
    Staff.remove(Profile.of_email("clerk@example.com"))
    assert browser.get("/desk/dhurata").status == 404
    assert browser.post("/desk/dhurata", {"numri": "070 100 001"}).status == 404


@pytest.mark.rule("DSK-5")
def test_a_role_that_changed_changes_the_pages(app, work):
    browser = browser_of(app, "clerk")
    Staff.add(Profile.of_email("clerk@example.com"), "partner", named.NOW, offer("X", partner="Kafe Sheshi").partner)
    assert browser.get("/desk/dhurata").status == 404
    assert "Kafe Sheshi" in browser.get("/partneri").words


@pytest.mark.rule("DSK-5")
@pytest.mark.parametrize(
    ("who", "link"), [("clerk", "/desk/dhurata"), ("partner", "/partneri"), ("agent", None), ("subscriber", None)]
)
def test_the_profiles_menu_leads_to_work_who_works(app, work, who, link):
    browser = browser_of(app, who)
    menu = browser.get("/shporta").by_id("profili")
    to_work = [a.get("href") for a in menu.iter("a") if a.get("href").startswith(("/desk", "/partneri"))]
    assert to_work == ([link] if link else [])


@pytest.mark.rule("DSK-5")
def test_the_desk_itself_leads_to_where_the_role_begins(app, work):
    for who, start in (("clerk", "/desk/dhurata"), ("partner", "/partneri")):
        page = browser_of(app, who).get("/desk")
        assert (page.status, page.location) == (303, start)


def test_who_logs_in_on_the_way_to_the_desk_comes_back_to_it(app, work):
    browser = Browser(app)
    page = browser.get("/desk/dhurata")
    assert page.location == "/hyr?next=/desk/dhurata"
    back = browser.post(page.location, {"email": "clerk@example.com", "password": named.PASSWORD})
    assert back.location == "/desk/dhurata"


def test_pages_of_the_desk_are_kept_in_no_cache(app, work):
    for who in ("clerk", "partner"):
        browser = browser_of(app, who)
        for (endpoint, method), roles in ALLOWED.items():
            if who in roles:
                assert "no-store" in ask(app, browser, endpoint, method, work).headers["Cache-Control"]
    assert Number.select().count() == 2
