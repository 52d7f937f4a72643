"""What a stranger, with or without a login, can do with somebody else's ids, numbers and tokens: nothing.

The tables below name every route of the shop that takes one. A new route that is in neither fails the first test.
"""

from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

import config
from models import MODELS, profile_link
from models.actor import SHOPPER
from models.attachment import put
from models.bill_payment import BillPayment
from models.claim import Claim
from models.club_service import ClubService
from models.invoice import Invoice
from models.number import Number
from models.number_claim import NumberClaim
from models.order import Order
from models.payment import Refund
from models.profile import Profile
from models.profile_link import ProfileLink
from models.saved_address import SavedAddress
from models.voucher import Voucher
from models.watch import Watch
from models.wish import WishList
from tests import world as named
from tests.bills import owing
from tests.club import joined, offer
from tests.views.browser import Browser

# Pages and files that are the same for everybody, the demo's inbox (never in production), and the billing system's
# push, which is refused without its secret (tests/models/test_bss_push.py).
FOR_EVERYBODY = {
    "bss.push",
    "demo.mail",
    "demo.mail_html",
    "device.show",
    "everywhere.picture",
    "feed.show",
    "pages.question",
    "og.device",
    "og.page",
    "og.plain",
    "pictures.drawing",
    "pictures.photo",
    "sitemap.devices",
    "watches.ask",
}
NOT_THERE = {404}
# A cart without that line shows what is in it.
OWN_CART = {303, 404}
# A number that is not in the profile is as good as taken out.
OWN_NUMBERS = {204, 303}
# Nor one that is not among the addresses.
OWN_ADDRESSES = {204, 303}
# A mailed link that opens nothing.
OVER = {410}
# A wish that is not on one's own list is as good as taken off; who has no list has no such page.
OWN_WISHES = {200, 204, 303, 404}
# One that was put together.
FORGED = {404}

# (endpoint, method): the victim's values of the route, what is sent along, and the answers that are right.
ROUTES = {
    ("orders.show", "GET"): (lambda victim: {"number": victim.order.number}, {}, NOT_THERE),
    ("orders.confirmation", "GET"): (lambda victim: {"number": victim.order.number}, {}, NOT_THERE),
    ("delivery_link.choose", "GET"): (
        lambda victim: {"code": victim.order.number.replace("-", "") + "A" * 10},
        {},
        FORGED,
    ),
    ("order_changes.change", "GET"): (lambda victim: {"number": victim.order.number}, {}, NOT_THERE),
    ("order_changes.change", "POST"): (
        lambda victim: {"number": victim.order.number},
        {"cka": "shenimi", "note": "I huaj", "shenja": "9.9"},
        NOT_THERE,
    ),
    ("order_changes.cancel", "GET"): (lambda victim: {"number": victim.order.number}, {}, NOT_THERE),
    ("order_changes.cancel", "POST"): (
        lambda victim: {"number": victim.order.number},
        {"arsyeja": "changed_mind", "shenja": "9.9"},
        NOT_THERE,
    ),
    ("order_changes.time", "GET"): (lambda victim: {"number": victim.order.number}, {}, NOT_THERE),
    ("order_changes.time", "POST"): (
        lambda victim: {"number": victim.order.number},
        {"koha": "2026-03-12.9-12", "shenja": "9.9"},
        NOT_THERE,
    ),
    ("order_again.again", "GET"): (lambda victim: {"number": victim.order.number}, {}, NOT_THERE),
    ("order_again.again", "POST"): (lambda victim: {"number": victim.order.number}, {}, NOT_THERE),
    ("order_calendar.show", "GET"): (lambda victim: {"number": victim.order.number}, {}, NOT_THERE),
    ("addresses.change", "GET"): (lambda victim: {"address_id": victim.address.id}, {}, NOT_THERE),
    ("addresses.change", "POST"): (
        lambda victim: {"address_id": victim.address.id},
        {"street": "Rr. e Huaj 1", "place": "1200", "municipality": "MK-609"},
        NOT_THERE,
    ),
    ("addresses.put_first", "POST"): (lambda victim: {"address_id": victim.address.id}, {}, NOT_THERE),
    ("addresses.remove", "POST"): (lambda victim: {"address_id": victim.address.id}, {}, OWN_ADDRESSES),
    ("claims.withdraw", "GET"): (lambda victim: {"number": victim.order.number}, {}, NOT_THERE),
    ("claims.withdraw", "POST"): (
        lambda victim: {"number": victim.order.number},
        {"arsyeja": "no_reason", "e_pahapur": "y", "cka": "gjithe", "celes": "a" * 20},
        NOT_THERE,
    ),
    ("claims.complain", "GET"): (lambda victim: {"number": victim.order.number}, {}, NOT_THERE),
    ("claims.complain", "POST"): (
        lambda victim: {"number": victim.order.number},
        {"arsyeja": "late", "teksti": "I huaj", "celes": "a" * 20},
        NOT_THERE,
    ),
    ("claims.file", "GET"): (
        lambda victim: {"number": victim.order.number, "file_id": victim.file.id},
        {},
        NOT_THERE,
    ),
    ("documents.show", "GET"): (
        lambda victim: {"number": victim.order.number, "name": "kthimi-1"},
        {},
        NOT_THERE,
    ),
    ("pay.show", "GET"): (lambda victim: {"number": victim.order.number}, {}, NOT_THERE),
    ("pay.retry", "POST"): (lambda victim: {"number": victim.order.number}, {}, NOT_THERE),
    ("pay_link.share", "GET"): (lambda victim: {"number": victim.order.number}, {}, NOT_THERE),
    ("pay_link.make", "POST"): (lambda victim: {"number": victim.order.number}, {}, NOT_THERE),
    ("pay_link.revoke", "POST"): (lambda victim: {"number": victim.order.number}, {}, NOT_THERE),
    # Who has such a link was sent it; one for another purpose opens none of them (tests/views/test_pay_link.py).
    **{
        route: (lambda victim: {"token": victim.password_token}, {}, OVER)
        for route in (
            ("payer.show", "GET"),
            ("payer.pay", "POST"),
            ("payer.to_bank", "GET"),
            ("payer.outcome", "GET"),
            ("payer.receipt", "POST"),
            ("cart_link.show", "GET"),
            ("cart_link.take", "POST"),
            ("consents_stop.stop", "GET"),
            ("consents_stop.stop", "POST"),
        )
    },
    ("bills.outcome", "GET"): (lambda victim: {"number": victim.bills.number}, {}, NOT_THERE),
    ("bills.to_bank", "GET"): (lambda victim: {"number": victim.bills.number}, {}, NOT_THERE),
    ("bills.retry", "POST"): (lambda victim: {"number": victim.bills.number}, {}, NOT_THERE),
    ("cart.remove", "POST"): (lambda victim: {"line_id": victim.line.id}, {"ku": "shporta"}, OWN_CART),
    ("cart.change_quantity", "POST"): (
        lambda victim: {"line_id": victim.line.id},
        {"ku": "shporta", "sasia": "3"},
        OWN_CART,
    ),
    ("wishes.remove", "POST"): (lambda victim: {"line_id": victim.wish.id}, {}, OWN_WISHES),
    ("wishes.move", "POST"): (lambda victim: {"line_id": victim.wish.id}, {}, OWN_WISHES),
    # Who has no link has no list, though somebody shares one.
    ("wishes.shared", "GET"): (lambda victim: {"token": "a" * 32}, {}, FORGED),
    ("numbers.remove", "GET"): (lambda victim: {"number_id": victim.number.id}, {}, NOT_THERE),
    ("numbers.remove", "POST"): (lambda victim: {"number_id": victim.number.id}, {}, OWN_NUMBERS),
    ("numbers.prove", "GET"): (lambda victim: {"token": victim.claim.token}, {}, NOT_THERE),
    ("numbers.prove", "POST"): (
        lambda victim: {"token": victim.claim.token},
        {"way": "id", "id_number": "0202990450007"},
        NOT_THERE,
    ),
    ("numbers.confirm", "GET"): (lambda victim: {"token": victim.claim.token}, {}, NOT_THERE),
    ("numbers.confirm", "POST"): (lambda victim: {"token": victim.claim.token}, {"code": "123456"}, NOT_THERE),
    ("numbers.send_again", "POST"): (lambda victim: {"token": victim.claim.token}, {}, NOT_THERE),
    ("numbers.added", "GET"): (lambda victim: {"token": victim.claim.token}, {}, NOT_THERE),
    ("club.service", "GET"): (lambda victim: {"member_id": victim.member.id, "service": "mb"}, {}, NOT_THERE),
    ("club.service", "POST"): (
        lambda victim: {"member_id": victim.member.id, "service": "mb"},
        {"pike": "50", "token": "a" * 32},
        NOT_THERE,
    ),
    ("club.ordered", "GET"): (lambda victim: {"uuid": victim.service.uuid}, {}, NOT_THERE),
    ("club.offer", "GET"): (
        lambda victim: {"member_id": victim.member.id, "offer_id": victim.voucher.offer_id},
        {},
        NOT_THERE,
    ),
    ("club.offer", "POST"): (
        lambda victim: {"member_id": victim.member.id, "offer_id": victim.voucher.offer_id},
        {"token": "a" * 32},
        NOT_THERE,
    ),
    ("club.voucher", "GET"): (lambda victim: {"voucher_id": victim.voucher.id}, {}, NOT_THERE),
    ("club_stop.stop", "GET"): (lambda victim: {"token": victim.password_token}, {}, OVER),
    ("club_stop.stop", "POST"): (lambda victim: {"token": victim.password_token}, {}, OVER),
    ("watches.stop_mine", "POST"): (lambda victim: {"watch_id": victim.watch.id}, {}, NOT_THERE),
    ("watches.confirm", "GET"): (lambda victim: {"token": victim.watch.stop_token}, {}, OVER),
    ("watches.confirm", "POST"): (lambda victim: {"token": victim.watch.stop_token}, {}, OVER),
    ("watches_stop.stop", "GET"): (lambda victim: {"token": victim.password_token}, {}, OVER),
    ("watches_stop.stop", "POST"): (lambda victim: {"token": victim.password_token}, {"te_gjitha": "1"}, OVER),
    # Whoever has a mailed link has read the mail; a link for one purpose opens no other.
    ("my_data.confirm", "GET"): (lambda victim: {"token": victim.password_token}, {}, OVER),
    ("my_data.confirm", "POST"): (lambda victim: {"token": victim.password_token}, {"password": "a guess"}, OVER),
    ("profile.confirm_registration", "GET"): (lambda victim: {"token": victim.password_token}, {}, OVER),
    ("profile.confirm_registration", "POST"): (lambda victim: {"token": victim.password_token}, {}, OVER),
    ("profile.confirm_email", "GET"): (lambda victim: {"token": victim.password_token}, {}, OVER),
    ("profile.confirm_email", "POST"): (lambda victim: {"token": victim.password_token}, {}, OVER),
    ("profile.new_password", "GET"): (lambda victim: {"token": victim.email_token}, {}, OVER),
    ("profile.new_password", "POST"): (
        lambda victim: {"token": victim.email_token},
        {"password": "a stranger's own", "again": "a stranger's own"},
        OVER,
    ),
}

# The same for ids that travel in a form: (endpoint, method) → fields, answers.
NO_SUCH_LINE = {303, 204, 404}
FORMS = {
    ("checkout.number", "GET"): (lambda victim: {"linja": victim.line.id}, NO_SUCH_LINE),
    ("checkout.number", "POST"): (lambda victim: {"linja": victim.line.id, "numri": "38970100101"}, NO_SUCH_LINE),
    ("checkout.hold_number", "POST"): (
        lambda victim: {"linja": victim.line.id, "numri": "38970100101"},
        NO_SUCH_LINE,
    ),
    ("checkout.obstacles", "GET"): (lambda victim: {"linja": victim.line.id, "numri": "38970100101"}, NO_SUCH_LINE),
    ("checkout.free_numbers", "GET"): (lambda victim: {"linja": victim.line.id}, NO_SUCH_LINE),
    ("bills.begin", "POST"): (lambda victim: {"faturat": ["F-1"]}, {422}),
    ("bills.show", "GET"): (lambda victim: {"faturat": ["F-1"], "zgjedhja": "1"}, {200}),
    ("club.page", "GET"): (lambda victim: {"sherbimi": victim.member.id}, NOT_THERE),
    ("club.history", "GET"): (lambda victim: {"sherbimi": victim.member.id}, NOT_THERE),
    ("club.join_in", "POST"): (lambda victim: {"numri": victim.number.id}, NOT_THERE),
    ("wishes.share", "POST"): (lambda victim: {"cka": "ndal"}, NOT_THERE),
    ("wishes.show", "GET"): (lambda victim: {}, {200}),
    ("orders.take", "POST"): (lambda victim: {}, {303, 204}),
    ("orders.mine", "GET"): (lambda victim: {"q": victim.order.number}, {200}),
    ("orders.find", "POST"): (lambda victim: {"number": victim.order.number, "email": "x@example.com"}, {422}),
}


def taking_a_value(app) -> set[tuple[str, str]]:
    """(endpoint, method) of every route that takes a value, without those for everybody."""
    return {
        (rule.endpoint, method)
        for rule in app.url_map.iter_rules()
        if rule.arguments
        and rule.endpoint not in FOR_EVERYBODY
        # Who works where, and what of one clerk or partner is another's: tests/views/test_roles.py and beside it.
        and not rule.endpoint.startswith(("desk_", "partner."))
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


def test_every_route_that_takes_an_id_is_tried(app):
    assert taking_a_value(app) == set(ROUTES)
    known = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert known >= FOR_EVERYBODY
    assert known >= {endpoint for endpoint, _ in FORMS}


@pytest.fixture
def victim(world, tmp_path, monkeypatch):
    """A profile with something of everything, made elsewhere than in the stranger's browser."""
    profile = named.profile("zana@example.com")
    Profile.update(verified_at=named.NOW, first_name="Zana", last_name="Elezi").where(
        Profile.id == profile.id
    ).execute()
    owing(profile, "F-1")
    bills = BillPayment.begin(profile, ["F-1"], named.NOW, "sq")
    placed = named.checkout_of(
        named.cart_with(world, "S25-BLACK-128"), email="zana@example.com", street="Rruga Zana 7"
    )
    order, payment = named.place(placed, profile=profile)
    Refund.begin(payment, named.NOW)._write_done(named.NOW)
    cart = named.cart_with(world, "TAB-GREY-64", profile=profile)
    ProfileLink.ask_password(profile.email, "", named.NOW)
    code = ProfileLink.get().code
    member = joined(Number.get(), points=500)
    monkeypatch.setattr(config, "ATTACHMENTS", tmp_path)
    claim = Claim.open(
        order,
        "complaint",
        "late",
        key="k",
        by=SHOPPER,
        now=named.NOW,
        text="Zana ankohet",
        papers=[put("zana.pdf", b"%PDF-1.4\n%%EOF\n")],
    )
    wish = WishList.add(profile, world.devices["tab-a9"], None, 1, named.NOW)
    wish.wish_list.share()
    return SimpleNamespace(
        wish=wish,
        file=claim.attachments.get(),
        member=member,
        service=ClubService.convert(member.id, "SMS", 40, named.NOW, channel="web", key="service"),
        voucher=Voucher.convert(member.id, offer(points=60), named.NOW, channel="web", key="voucher"),
        profile=profile,
        watch=Watch.ask_for(profile, world["S25-BLACK-128"], "price", segment=None, now=named.NOW),
        order=order,
        bills=bills,
        line=cart.lines(named.NOW)[0].line,
        number=Number.get(),
        address=SavedAddress.keep(profile, "Rruga Zana 7", "1200", "MK-609", named.NOW),
        claim=NumberClaim.begin(profile, "38970100109", named.NOW),
        password_token=profile_link.sign("password", code),
        email_token=profile_link.sign("email", code),
    )


SECRETS = ("zana", "elezi", "rruga zana", "38970100101", "070 100 101", "1.899", "44.880", "52.800")


@pytest.fixture(params=["guest", "another profile"])
def other(request, app, world, victim):
    """The stranger's browser, and whether it is logged in: then with a number and a cart of its own."""
    browser = Browser(app)
    if request.param != "guest":
        profile = named.profile("besa@example.com")
        Profile.update(verified_at=named.NOW).where(Profile.id == profile.id).execute()
        owing(profile, who="2")
        assert browser.log_in(profile.email).status == 303
        browser.choose(world["CASE-BLACK"])
    browser.get("/")
    browser.token()
    return SimpleNamespace(browser=browser, logged_in=request.param != "guest")


def everything() -> dict:
    """Every row of every table."""
    return {
        model.__name__: list(model.select().order_by(*model._meta.get_primary_keys()).dicts()) for model in MODELS
    }


def ask(app, browser, endpoint, method, values, sent, piece, query=None):
    with app.test_request_context():
        path = app.url_map.bind("shop.test").build(endpoint, values, method=method)
    if method == "GET":
        return browser.get(path, piece=piece, query_string=query)
    return browser.post(path, sent, piece=piece)


def leads_to_login(page) -> bool:
    return page.status in (204, 302, 303) and urlsplit(page.location or "").path == "/hyr"


@pytest.mark.rule("PRV-1")
@pytest.mark.parametrize(("endpoint", "method"), sorted(ROUTES), ids=lambda value: value)
def test_a_stranger_reads_and_changes_nothing_of_a_profile(app, victim, other, endpoint, method):
    values, sent, right = ROUTES[endpoint, method]
    before = everything()
    for piece in (False, True):
        page = ask(app, other.browser, endpoint, method, values(victim), dict(sent), piece)
        # A piece of the cart comes with 200: it is the stranger's own.
        fine = right | ({200} if right is OWN_CART and piece else set())
        assert page.status in fine or (not other.logged_in and leads_to_login(page)), (page.status, page.location)
        assert everything() == before
        said = page.words.lower()
        assert [word for word in SECRETS if word in said] == []


@pytest.mark.rule("PRV-1")
@pytest.mark.parametrize(("endpoint", "method"), sorted(FORMS), ids=lambda value: value)
def test_ids_in_a_form_open_nothing_either(app, victim, other, endpoint, method):
    fields, right = FORMS[endpoint, method]
    before = everything()
    for piece in (False, True):
        page = ask(app, other.browser, endpoint, method, {}, fields(victim), piece, query=fields(victim))
        assert page.status in right or (not other.logged_in and leads_to_login(page)), (page.status, page.location)
        after = everything()
        if endpoint == "orders.find":
            # A failed try is counted (ORD-2).
            after["Attempt"] = before["Attempt"]
        assert after == before
        said = page.words.lower()
        assert [word for word in SECRETS if word in said] == []


@pytest.mark.rule("PRV-1")
def test_the_victim_itself_is_let_in_with_the_same_values(app, victim):
    """Else the tables above would prove nothing."""
    browser = Browser(app)
    browser.log_in(victim.profile.email)
    for (endpoint, method), (values, _, right) in ROUTES.items():
        # An order that awaits its payment stands in no calendar yet: tests/views/test_returning.py has one that does.
        if method != "GET" or right is OVER or right is FORGED or endpoint == "order_calendar.show":
            continue
        page = ask(app, browser, endpoint, method, values(victim), {}, False)
        assert page.status in (200, 302, 303), endpoint
        assert not leads_to_login(page)
    assert Invoice.select().count() == Order.select().count() == 1
