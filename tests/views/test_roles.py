"""Who may open what of the desk and of the partners' pages: every route, every role (DSK-5).

A new route under /desk or /partneri that is not in the table fails the first test.
"""

from io import BytesIO
from urllib.parse import urlsplit

import pytest

from models import MODELS
from models.actor import SHOPPER, SYSTEM
from models.attachment import Attachment, put
from models.claim import Claim
from models.club_offer import ClubGift
from models.desk_joining import DeskJoining
from models.number import Number
from models.payment import Refund
from models.price_list_job import PriceListJob
from models.profile import Profile
from models.second_factor import WorkSession
from models.staff import ROLES, Staff
from models.stock_return import StockReturn
from models.voucher import Voucher
from tests import world as named
from tests.club import gift, joined, offer
from tests.papers import paid
from tests.staff import asked, code_of, voucher, works
from tests.views.browser import Browser

EVERYBODY = set(ROLES)
# (endpoint, method) → the roles that have the page; admin has every one but a partner's.
ALLOWED = {
    ("desk_home.start", "GET"): EVERYBODY,
    ("desk_login.codes", "GET"): EVERYBODY,
    ("desk_login.codes", "POST"): EVERYBODY,
    ("desk_orders.search", "GET"): {"agent"},
    ("desk_orders.search", "POST"): {"agent"},
    ("desk_orders.show", "GET"): {"agent"},
    ("desk_orders.show", "POST"): {"agent"},
    ("desk_orders.identify", "POST"): {"agent"},
    ("desk_orders.end_call", "POST"): {"agent"},
    ("desk_orders.add_note", "POST"): {"agent"},
    ("desk_orders.resend", "POST"): {"agent"},
    ("desk_orders.arrange_time", "POST"): {"agent"},
    ("desk_orders.cancel", "GET"): {"agent"},
    ("desk_orders.cancel", "POST"): {"agent"},
    ("desk_claims.board", "GET"): {"agent"},
    ("desk_claims.show", "GET"): {"agent"},
    ("desk_claims.show", "POST"): {"agent"},
    ("desk_claims.proof", "GET"): {"agent"},
    ("desk_claims.write_down", "GET"): {"agent"},
    ("desk_claims.write_down", "POST"): {"agent"},
    ("desk_delivery.board", "GET"): {"warehouse"},
    ("desk_delivery.pack", "POST"): {"warehouse"},
    ("desk_delivery.hand_over", "GET"): {"warehouse"},
    ("desk_delivery.hand_over", "POST"): {"warehouse"},
    ("desk_delivery.tour", "GET"): {"warehouse"},
    ("desk_delivery.attempts", "GET"): {"warehouse"},
    ("desk_delivery.parcel", "GET"): {"warehouse"},
    ("desk_delivery.delivered", "POST"): {"warehouse"},
    ("desk_delivery.failed", "POST"): {"warehouse"},
    ("desk_delivery.arrange_time", "POST"): {"warehouse"},
    ("desk_delivery.gives_up", "POST"): {"warehouse"},
    ("desk_delivery.returns", "GET"): {"warehouse"},
    ("desk_delivery.arrived", "POST"): {"warehouse"},
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
    ("desk_figures.show", "GET"): {"agent", "editor"},
    ("desk_figures.sheet", "GET"): {"agent", "editor"},
    ("desk_figures.picture", "GET"): {"agent", "editor"},
    ("desk_person.export", "GET"): {"admin"},
    ("desk_person.export", "POST"): {"admin"},
    ("desk_documents.of_order", "GET"): {"agent", "warehouse"},
    ("desk_documents.together", "GET"): {"warehouse"},
    ("desk_refunds.board", "GET"): {"agent"},
    ("desk_refunds.retry", "POST"): {"agent"},
    ("desk_catalogue.devices", "GET"): {"editor"},
    ("desk_catalogue.new_device", "GET"): {"editor"},
    ("desk_catalogue.new_device", "POST"): {"editor"},
    ("desk_catalogue.device", "GET"): {"editor"},
    ("desk_catalogue.facts", "GET"): {"editor"},
    ("desk_catalogue.facts", "POST"): {"editor"},
    ("desk_catalogue.variant", "GET"): {"editor"},
    ("desk_catalogue.variant", "POST"): {"editor"},
    ("desk_catalogue.preview", "GET"): {"editor"},
    ("desk_catalogue.preview", "POST"): {"editor"},
    ("desk_catalogue.publish", "POST"): {"editor"},
    ("desk_catalogue.catch_up", "POST"): {"editor"},
    ("desk_catalogue.drop", "POST"): {"editor"},
    ("desk_catalogue.stock", "GET"): {"editor"},
    ("desk_catalogue.stock", "POST"): {"editor"},
    ("desk_catalogue.promotions", "GET"): {"editor"},
    ("desk_tables.rows", "GET"): {"editor"},
    ("desk_tables.add", "GET"): {"editor"},
    ("desk_tables.add", "POST"): {"editor"},
    ("desk_tables.edit", "GET"): {"editor"},
    ("desk_tables.edit", "POST"): {"editor"},
    ("desk_tables.adopt_shops", "POST"): {"editor"},
    ("desk_tables.stock", "GET"): {"editor"},
    ("desk_tables.stock", "POST"): {"editor"},
    ("desk_import.begin", "GET"): {"editor"},
    ("desk_import.upload", "POST"): {"editor"},
    ("desk_import.job", "GET"): {"editor"},
    ("desk_import.confirm", "POST"): {"editor"},
    ("desk_import.cancel", "POST"): {"editor"},
    ("desk_staff.people", "GET"): {"admin"},
    ("desk_staff.people", "POST"): {"admin"},
    ("desk_staff.person", "GET"): {"admin"},
    ("desk_staff.person", "POST"): {"admin"},
    ("desk_staff.take_role", "POST"): {"admin"},
    ("desk_staff.reset_app", "POST"): {"admin"},
    ("desk_trail.entries", "GET"): {"admin"},
    ("desk_trail.table", "GET"): {"admin"},
    ("partner.check", "GET"): {"partner"},
    ("partner.check", "POST"): {"partner"},
    ("partner.used", "GET"): {"partner"},
    ("partner.history", "GET"): {"partner"},
    ("partner.table", "GET"): {"partner"},
}
# Where who works here gives the code: with the password alone.
BEFORE_THE_CODE = {
    ("desk_login.ask", "GET"),
    ("desk_login.ask", "POST"),
    ("desk_login.enrol", "GET"),
    ("desk_login.enrol", "POST"),
}
# Logged in but not at work: a shopper, a clerk who gave no code, one who has no app, one whose role was taken away.
NOT_AT_WORK = ("subscriber", "without-code", "without-app", "dismissed")
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
    assert of_the_desk(app) == set(ALLOWED) | BEFORE_THE_CODE


@pytest.mark.rule("DSK-5")
def test_the_guard_of_each_route_says_what_the_table_says(app):
    guards = {endpoint: app.view_functions[endpoint].roles for endpoint, _ in ALLOWED}
    assert {row: guards[row[0]] for row in ALLOWED} == {row: having(row) for row in ALLOWED}


def having(row) -> set[str]:
    """The roles that have the page of a row."""
    return ALLOWED[row] if ALLOWED[row] == {"partner"} else ALLOWED[row] | {"admin"}


@pytest.fixture
def work(app, world):
    """What the addresses of the desk name: for a blueprint one value, or else a value for each argument's name."""
    cinema = offer().partner
    staff = {role: works(role, partner=cinema if role == "partner" else None) for role in ROLES}
    member = joined(points=1000)
    code = voucher(member, offer("KOKO", 50))
    code.use(staff["partner"], named.NOW, "a" * 32)
    handout = asked(staff["clerk"], member, gift())
    besa = named.own_number(named.profile("besa@example.com"), "38970100009")
    joining = DeskJoining.ask(staff["clerk"], besa, besa.msisdn, "sq", named.NOW)
    order, payment = named.ordered(world, "CASE-BLACK")
    confirmed = paid(*named.ordered(world, "CASE-BLACK"))
    StockReturn.expect(order, named.NOW)
    paper = put("fatura.pdf", b"%PDF-1.4\n%%EOF")
    claim = Claim.open(order, "complaint", "late", key="k", by=SHOPPER, now=named.NOW, papers=[paper])
    upload = PriceListJob.begin(BytesIO(b"sku"), "l.csv", skip_bad=False, complete=False, by=SYSTEM, now=named.NOW)
    return {
        "desk_claims": {"number": claim.id, "file": Attachment.get().id, "order": order.number},
        "desk_gifts": handout.token,
        "desk_joining": joining.token,
        "partner": Voucher.get().used_key,
        "number": order.number,
        "desk_figures": "porosite",
        "desk_documents": {"number": confirmed.number, "name": "konfirmimi"},
        "desk_refunds": {"refund": Refund.begin(payment, named.NOW).id},
        "desk_catalogue": "galaxy-s25",
        "desk_tables": {"table": "dhuratat", "id": ClubGift.get().id},
        "desk_import": {"id": upload.id},
        # The admin's own: nobody takes one's own role.
        "desk_staff": {"number": Staff.of(staff["admin"]).id},
        "email": "besa@example.com",
    }


def browser_of(app, who: str) -> Browser:
    browser = Browser(app)
    if who in ROLES:
        assert browser.log_in(f"{who}@example.com").status == 303
    elif who == "subscriber":
        browser.log_in("arben@example.com")
    elif who == "without-code":
        browser.give_password("clerk@example.com")
    elif who == "without-app":
        works("clerk", "new@example.com", app=False)
        browser.log_in("new@example.com")
    elif who == "dismissed":
        works("clerk", "gone@example.com")
        browser.log_in("gone@example.com")
        Staff.remove(Profile.of_email("gone@example.com"), named.NOW)
    browser.token()
    return browser


def everything() -> dict:
    return {model.__name__: sorted(map(repr, model.select().tuples())) for model in MODELS}


def ask(app, browser, row, names, piece=False):
    endpoint, method = row
    rule = next(rule for rule in app.url_map.iter_rules(endpoint) if method in rule.methods)
    of_part = names.get(endpoint.split(".")[0], {})
    if isinstance(of_part, str):
        of_part = dict.fromkeys(rule.arguments, of_part)
    values = {name: of_part.get(name, names.get(name, "1")) for name in rule.arguments}
    path = app.url_map.bind("shop.test").build(endpoint, values, method=method)
    if method == "GET":
        return browser.get(path, piece=piece)
    sent = {"numri": "070 100 001", "kodi": "K7F49Q2M", "code": "000000"}
    return browser.post(path, sent, piece=piece)


@pytest.mark.rule("DSK-5", "PRV-1")
@pytest.mark.parametrize("who", ROLES)
def test_each_role_opens_its_own_pages_alone(app, work, who):
    browser = browser_of(app, who)
    before = everything()
    for row in ALLOWED:
        if who in having(row):
            continue
        for piece in (False, True):
            page = ask(app, browser, row, work, piece)
            assert page.status == 403, row
            said = page.words.lower()
            assert [word for word in SECRETS if word in said] == [], row
    assert everything() == before
    for row in ALLOWED:
        if who in having(row):
            # Else the table would prove nothing.
            assert ask(app, browser, row, work).status not in (403, *({404} if who in ALLOWED[row] else ())), row


@pytest.mark.rule("DSK-5", "PRV-1")
@pytest.mark.parametrize("who", ["guest", *NOT_AT_WORK])
def test_who_is_not_at_work_opens_nothing_of_the_desk(app, work, who):
    browser = browser_of(app, who)
    before = everything()
    for row in [*ALLOWED, *(sorted(BEFORE_THE_CODE) if who in ("guest", "subscriber", "dismissed") else ())]:
        for piece in (False, True):
            page = ask(app, browser, row, work, piece)
            said = page.words.lower()
            if (who, row[1]) != ("without-code", "POST"):
                # There, what was typed comes back.
                assert [word for word in SECRETS if word in said] == [], row
            if who in ("subscriber", "dismissed"):
                assert page.status == 404, row
            elif who == "without-code" and row[1] == "POST":
                # The code is asked for there and then, and what was sent waits for it.
                assert (page.status, bool(page.by_id("kodi_im") is not None)) == (422 if piece else 403, True), row
            else:
                to = {"guest": "/hyr", "without-code": "/desk/hyrja", "without-app": "/desk/hyrja/lidhja"}[who]
                assert page.status in (204, 303), row
                assert urlsplit(page.location).path == to, row
    assert everything() == before


@pytest.mark.rule("DSK-5")
def test_a_role_that_is_taken_away_ends_with_the_next_click(app, work):
    browser = browser_of(app, "clerk")
    assert browser.get("/desk/dhurata").status == 200
    Staff.remove(Profile.of_email("clerk@example.com"), named.NOW)
    assert browser.get("/desk/dhurata").status == 404
    assert browser.post("/desk/dhurata", {"numri": "070 100 001"}).status == 404
    assert WorkSession.select().count() == 0


@pytest.mark.rule("DSK-5")
def test_a_role_that_changed_changes_the_pages(app, work):
    browser = browser_of(app, "clerk")
    Staff.add(Profile.of_email("clerk@example.com"), "partner", named.NOW, offer("X", partner="Kafe Sheshi").partner)
    assert browser.get("/desk/dhurata").status == 403
    assert "Kafe Sheshi" in browser.get("/partneri").words


@pytest.mark.rule("DSK-5")
def test_sessions_that_were_ended_elsewhere_end_the_work(app, work):
    browser = browser_of(app, "clerk")
    Profile.of_email("clerk@example.com").end_sessions()
    assert browser.get("/desk/dhurata").location == "/hyr?next=/desk/dhurata"


@pytest.mark.rule("DSK-5")
def test_who_may_not_is_told_so_with_a_way_back_to_their_own_pages(app, work):
    page = browser_of(app, "warehouse").get("/desk/dhurata")
    assert page.status == 403
    assert "Kjo faqe i takon një roli tjetër" in page.words
    assert [a for a in page.all("a") if a.get("href") == "/desk"]


@pytest.mark.rule("DSK-5")
@pytest.mark.parametrize("who", [*ROLES, "subscriber"])
def test_the_profiles_menu_leads_to_work_who_works(app, work, who):
    browser = browser_of(app, who)
    menu = browser.get("/shporta").by_id("profili")
    to_work = [a.get("href") for a in menu.iter("a") if a.get("href").startswith(("/desk", "/partneri"))]
    assert len(to_work) == (0 if who == "subscriber" else 1)
    for link in to_work:
        assert browser.get(link).status in (200, 303)


@pytest.mark.rule("DSK-5")
def test_the_desk_itself_leads_to_where_the_role_begins(app, work):
    for who in ROLES:
        browser = browser_of(app, who)
        page = browser.get("/desk")
        assert (page.status, page.location) != (303, "/desk")
        assert page.status == 200 or browser.follow(page).status == 200, who


def test_who_logs_in_on_the_way_to_the_desk_comes_back_to_it(app, work):
    browser = Browser(app)
    page = browser.get("/desk/dhurata")
    assert page.location == "/hyr?next=/desk/dhurata"
    back = browser.post(page.location, {"email": "clerk@example.com", "password": named.PASSWORD})
    assert back.location == "/desk/dhurata"
    code = browser.follow(back)
    assert code.location == "/desk/hyrja?next=/desk/dhurata"
    sent = browser.follow(code).form("/desk/hyrja") | {"kodi_im": code_of("clerk@example.com")}
    assert browser.post("/desk/hyrja", sent).location == "/desk/dhurata"


def test_pages_of_the_desk_are_kept_in_no_cache(app, work):
    for who in ("clerk", "partner", "agent"):
        browser = browser_of(app, who)
        for row, roles in ALLOWED.items():
            if who in roles:
                assert "no-store" in ask(app, browser, row, work).headers["Cache-Control"], row
    assert Number.select().count() == 2
