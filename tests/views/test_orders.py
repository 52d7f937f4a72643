"""Who may see an order, how a guest finds it again, and what its page tells (ORD-2…4, CHK-5, PAY-7)."""

from datetime import timedelta

import pytest
from itsdangerous import URLSafeSerializer

from gateways.bank import Verdict
from models.cart import Cart
from models.order import Order, OrderLine
from models.order_link import sign
from models.payment import Payment
from models.profile import Attempt, Profile
from tests import world as named
from tests.query_count import assert_query_count
from tests.views.browser import HOST, Browser, signed_link

FIND = "/porosia/gjej"
PAGES = ("", "/konfirmimi", "/pagesa")
MISTYPED = "Ky numër është shkruar gabim"
NOT_FOUND = "Nuk ka porosi me këtë numër dhe këtë e-postë."


@pytest.fixture
def order(world) -> Order:
    """A guest's order, waiting for its payment."""
    return named.ordered(world, "S25-BLACK-128")[0]


def pay(order: Order, verdict: Verdict = Verdict.PAID) -> Payment:
    payment = Payment.latest_of(order)
    payment.settle(verdict, named.NOW)
    return payment


def routes_of_an_order(app) -> list[tuple[str, str]]:
    """Every route that takes an order's number, with its methods."""
    found = [
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/porosia/<number>")
        for method in rule.methods & {"GET", "POST", "PUT", "PATCH", "DELETE"}
    ]
    assert len(found) >= 4
    return sorted(found)


# Who may see it


@pytest.mark.rule("ORD-2")
@pytest.mark.parametrize("logged_in", [False, True])
@pytest.mark.parametrize("token", ["", "?k=", "?k=x", "other"])
def test_an_order_does_not_exist_for_a_stranger(app, order, stranger, world, profile, logged_in, token):
    if token == "other":
        other, _ = named.ordered(world, "CASE-BLACK")
        token = f"?k={sign(other)}"
    if logged_in:
        stranger.log_in(profile.email)
    fields = {"csrf_token": stranger.token()}
    nowhere = stranger.get("/porosia/DY-0000-0000-0")
    for method, rule in routes_of_an_order(app):
        path = rule.replace("<number>", order.number) + token
        for piece in (False, True):
            if method == "GET":
                page = stranger.get(path, piece=piece)
            else:
                page = stranger.post(path, fields, token=False, piece=piece)
            assert page.status == 404, (method, rule)
            assert not named.stands_in("Ana", page.html)
            assert order.email not in page.html
    # Nothing tells an order that exists from one that does not.
    assert stranger.get(f"/porosia/{order.number}").text_of("permbajtja") == nowhere.text_of("permbajtja")
    assert Payment.select().where(Payment.order == order).count() == 1


def test_another_profile_does_not_see_it_and_its_own_does(stranger, shopper, world, profile):
    other = named.profile("besa@example.com")
    shopper.log_in(profile.email)
    order = shopper.order(world["CASE-BLACK"])
    stranger.log_in(other.email)
    assert stranger.get(f"/porosia/{order.number}").status == 404
    elsewhere = Browser(shopper.app)
    elsewhere.log_in(profile.email)
    assert elsewhere.get(f"/porosia/{order.number}").status == 200


def test_the_browser_that_placed_it_sees_it_and_its_copy_of_the_number_in_small_letters(shopper, world):
    order = shopper.order(world["CASE-BLACK"])
    assert shopper.get(f"/porosia/{order.number}").status == 200
    assert shopper.get(f"/porosia/{order.number.lower()}").status == 200


@pytest.mark.rule("ORD-2")
def test_a_profiles_order_is_not_remembered_by_the_browser_it_was_placed_in(shopper, world, profile):
    shopper.log_in(profile.email)
    order = shopper.order(world["CASE-BLACK"])
    path = f"/porosia/{order.number}"
    for opened in (None, signed_link(order)):
        if opened:
            assert shopper.get(opened).status == 303
        assert shopper.get(path).status == 200
        with shopper.client.session_transaction(base_url=HOST) as kept:
            assert order.number not in kept.get("orders", [])
    shopper.post(FIND, {"number": order.number, "email": order.email})
    # The login ends elsewhere.
    Profile.update(session_number=Profile.session_number + 1).execute()
    assert shopper.get(path).status == 404
    # Its signed link opens it for who has the mail.
    assert shopper.follow(shopper.get(signed_link(order))).status == 200
    assert shopper.get(path).status == 200


@pytest.mark.rule("PAY-8")
def test_an_empty_cart_reminds_a_profile_of_its_unpaid_order(shopper, stranger, world, profile):
    shopper.log_in(profile.email)
    order = shopper.order(world["CASE-BLACK"])
    assert order.number in shopper.get("/shporta").words
    assert order.number not in stranger.get("/shporta").words


def test_a_browser_remembers_twenty_orders(shopper, world):
    first, *others = [named.ordered(world, "CASE-BLACK")[0] for _ in range(21)]
    for order in (first, *others):
        assert shopper.get(signed_link(order)).status == 303
    assert shopper.get(f"/porosia/{others[-1].number}").status == 200
    assert shopper.get(f"/porosia/{others[0].number}").status == 200
    assert shopper.get(f"/porosia/{first.number}").status == 404


# The link in the mail


@pytest.mark.rule("ORD-2")
@pytest.mark.parametrize("ending", PAGES)
@pytest.mark.parametrize("prefix", ["", "/mk", "/en"])
def test_the_signed_link_opens_the_order_and_leaves_the_address(stranger, order, ending, prefix):
    opened = stranger.get(prefix + signed_link(order, ending))
    assert (opened.status, opened.location) == (303, f"{prefix}/porosia/{order.number}{ending}")
    assert "k=" not in opened.location
    shown = stranger.follow(opened)
    assert shown.status == 200
    assert order.number in shown.html
    # From then on the browser knows it, also without the link.
    assert stranger.get(f"/porosia/{order.number}").status == 200


@pytest.mark.rule("ORD-2")
def test_the_signed_link_of_a_paid_order_leads_to_its_page(stranger, order):
    pay(order)
    assert stranger.follow(stranger.get(signed_link(order))).status == 200
    assert stranger.get(f"/porosia/{order.number}/pagesa").location == f"/porosia/{order.number}/konfirmimi"


@pytest.mark.rule("ORD-2")
def test_a_token_that_this_shop_did_not_sign_is_refused(stranger, order, world):
    good = sign(order)
    other, _ = named.ordered(world, "CASE-BLACK")
    bad = [
        good[:-1],
        good + "x",
        good[1:],
        good.swapcase(),
        order.number,
        sign(other),
        URLSafeSerializer("a secret of long ago", salt="order-link").dumps(order.number),
        URLSafeSerializer("", salt="order-link").dumps(order.number),
        ".".join((good.split(".")[0], "")),
        "a" * 4000,
        "ë",
    ]
    for token in bad:
        for page in PAGES:
            answer = stranger.get(f"/porosia/{order.number}{page}", query_string={"k": token})
            assert answer.status == 404, token


def test_a_token_opens_its_own_order_only(stranger, order, world):
    other, _ = named.ordered(world, "CASE-BLACK")
    assert stranger.get(f"/porosia/{other.number}?k={sign(order)}").status == 404
    assert stranger.get(f"/porosia/{other.number}").status == 404


def test_a_wrong_token_does_not_shut_out_who_may_see_the_order(shopper, world):
    order = shopper.order(world["CASE-BLACK"])
    page = shopper.get(f"/porosia/{order.number}?k=x")
    assert (page.status, page.location) == (303, f"/porosia/{order.number}")


@pytest.mark.parametrize(
    "number", ["DY", "DY-7K3M-9QPX", "gjej2", "1", "%27%20OR%201=1", "a" * 500, "%F0%9F%98%80", "DY-ÿÿÿÿ"]
)
@pytest.mark.parametrize("ending", PAGES)
def test_what_is_no_number_is_no_order(stranger, order, number, ending):
    assert stranger.get(f"/porosia/{number}{ending}").status == 404


# Finding it by number and e-mail


@pytest.mark.rule("ORD-2")
@pytest.mark.parametrize("piece", [False, True])
@pytest.mark.parametrize("prefix", ["", "/en"])
def test_a_guest_finds_the_order_by_number_and_email(stranger, order, piece, prefix):
    form = stranger.get(prefix + FIND).form(prefix + FIND)
    found = stranger.post(prefix + FIND, {**form, "number": order.number, "email": order.email}, piece=piece)
    assert found.status == (204 if piece else 303)
    assert found.location == f"{prefix}/porosia/{order.number}"
    assert stranger.get(found.location).status == 200


@pytest.mark.rule("ORD-2")
@pytest.mark.rule("ORD-3")
def test_the_number_is_read_however_it_is_written_down(stranger, order):
    plain = order.number.replace("-", "")
    for text in (order.number.lower(), plain, plain[2:], f"  {order.number} ", order.number.replace("-", " ")):
        found = stranger.post(FIND, {"number": text, "email": f" {order.email.upper()}"})
        assert found.location == f"/porosia/{order.number}", text


@pytest.mark.rule("ORD-3")
@pytest.mark.parametrize("piece", [False, True])
def test_a_mistyped_number_is_told_as_such(stranger, order, piece):
    digits = order.number.replace("-", "")[2:]
    swapped = next(
        digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]
        for at in range(len(digits) - 1)
        if digits[at] != digits[at + 1]
    )
    wrong = ("A" if digits[3] != "A" else "B").join((digits[:3], digits[4:]))
    for text in (swapped, wrong, digits[:-1], digits + "0", "DY", "?", "ë" * 9, "0" * 30):
        page = stranger.post(FIND, {"number": text, "email": order.email}, piece=piece)
        assert page.status == 422, text
        assert MISTYPED in page.text_of("number-error"), text
        form = page.form(FIND)
        assert (form["number"], form["email"]) == (text, order.email)
    # Mistyping is nobody's guessing.
    assert Attempt.select().count() == 0


@pytest.mark.rule("ORD-2")
def test_a_wrong_email_and_an_unknown_number_get_the_same_words(stranger, order, world):
    other = "DY-" + _another_number(order)
    answers = []
    for number, email in ((order.number, "besa@example.com"), (other, order.email)):
        page = stranger.post(FIND, {"number": number, "email": email})
        assert page.status == 422
        answers.append(page.text_of("number-error"))
    assert answers == [NOT_FOUND, NOT_FOUND]
    assert stranger.get(f"/porosia/{order.number}").status == 404


@pytest.mark.rule("ORD-2")
@pytest.mark.parametrize("piece", [False, True])
def test_trying_out_numbers_and_emails_ends_after_twenty_tries(stranger, order, clock, piece):
    fields = {"number": order.number, "csrf_token": stranger.token()}
    for number in range(20):
        assert stranger.post(FIND, {**fields, "email": f"a{number}@example.com"}, token=False).status == 422
    page = stranger.post(FIND, {**fields, "email": order.email}, token=False, piece=piece)
    assert page.status == (422 if piece else 429)
    assert "Shumë përpjekje" in page.text_of("number-error")
    clock.shift(15 * 60 + 1)
    assert stranger.post(FIND, {**fields, "email": order.email}, token=False).status == 303


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", ""),
        ("number", "D" * 31),
        ("number", "D" * 60_000),
        ("number", "\x07\x08"),
        ("email", ""),
        ("email", "ana"),
        ("email", "ana@"),
        ("email", "ana@@example.com"),
        ("email", "ana@exa mple.com"),
        ("email", "ana@example.com\r\nBcc: x@example.com"),
        ("email", "анa@example.com"),
        ("email", "a" * 250 + "@example.com"),
    ],
)
def test_a_search_that_cannot_find_anything_is_refused(stranger, order, field, value):
    page = stranger.post(FIND, {"number": order.number, "email": order.email, field: value})
    assert page.status == 422
    assert page.by_id(field).get("aria-invalid") == "true"
    assert page.text_of(f"{field}-error")


def test_the_search_form_is_one_markup_as_page_and_as_piece(stranger, order):
    page, piece = stranger.get(FIND), stranger.get(FIND, piece=True)
    assert "<html" not in piece.html
    assert piece.html.strip() in page.html
    for answer in (page, piece, stranger.post(FIND, {}), stranger.post(FIND, {}, piece=True)):
        assert "HX-Request" in answer.headers["Vary"]


# What its page tells


@pytest.mark.rule("ORD-4")
def test_the_timeline_tells_each_change_with_its_time_in_skopje(stranger, order):
    pay(order)
    words = stranger.follow(stranger.get(signed_link(order))).words
    assert "Pret pagesën 10.03.2026, ora 12:00 · nga ju" in words
    assert "Porosia u pranua 10.03.2026, ora 12:00 · u pagua me kartelë" in words
    for state in ("U përgatit", "Te korrieri", "Dorëzuar"):
        assert state in words


@pytest.mark.rule("ORD-4")
@pytest.mark.parametrize("state", ["packed", "with_courier", "delivered", "delivery_failed", "returned", "cancelled"])
@pytest.mark.parametrize("prefix", ["", "/mk", "/en"])
def test_an_order_of_any_state_can_be_looked_at(stranger, order, state, prefix):
    pay(order)
    way = {
        "packed": ["packed"],
        "with_courier": ["packed", "with_courier"],
        "delivered": ["packed", "with_courier", "delivered"],
        "delivery_failed": ["packed", "with_courier", "delivery_failed"],
        "returned": ["packed", "with_courier", "delivered", "returned"],
        "cancelled": ["cancelled"],
    }[state]
    order = Order.get()
    for step in way:
        order.move(step, by="admin", now=named.NOW + timedelta(hours=1))
    stranger.get(signed_link(order))
    for page in ("", "/konfirmimi"):
        shown = stranger.get(f"{prefix}/porosia/{order.number}{page}")
        assert shown.status == 200
        assert "hx-trigger" not in (shown.by_id("rezultati").attrib if page else {})


@pytest.mark.rule("PAY-8")
def test_an_unpaid_order_offers_its_payment_until_it_lapses(stranger, order, clock):
    stranger.get(signed_link(order))
    page = stranger.get(f"/porosia/{order.number}")
    assert "Paguajeni deri në orën 12:30" in page.words
    assert f"/porosia/{order.number}/pagesa" in [link.get("href") for link in page.all("a")]
    clock.shift(30 * 60)
    page = stranger.get(f"/porosia/{order.number}")
    assert "Paguajeni deri" not in page.words
    order.lapse(named.later(30))
    for path in ("", "/konfirmimi"):
        assert stranger.get(f"/porosia/{order.number}{path}").status == 200
    assert "Koha për pagesë mbaroi" in stranger.get(f"/porosia/{order.number}/konfirmimi").words


@pytest.mark.rule("CHK-5")
def test_the_confirmation_tells_number_sum_and_what_comes_next(stranger, order):
    pay(order)
    words = stranger.follow(stranger.get(signed_link(order, "/konfirmimi"))).words
    for part in (
        "Faleminderit, porosia u pranua.",
        order.number,
        "Konfirmimin e dërguam në ana@example.com.",
        "U paguan 52.800 den",
        "Samsung Galaxy S25, 128 GB",
        "070 123 456",
        "Deri të hënën, 16 mars. E pranon Ana Markovska",
    ):
        assert part in words, part


@pytest.mark.rule("PAY-7")
def test_the_confirmation_asks_again_by_itself_until_the_outcome_is_known(stranger, order):
    stranger.get(signed_link(order))
    path = f"/porosia/{order.number}/konfirmimi"
    waiting = stranger.get(path).by_id("rezultati")
    assert waiting.get("hx-get") == path
    assert waiting.get("hx-trigger") == "load delay:2s"
    assert waiting.get("role") == "status"
    # Without JavaScript the page itself is asked for again.
    assert 'http-equiv="refresh"' in stranger.get(path).html
    piece = stranger.get(path, piece=True)
    assert piece.by_id("rezultati").get("hx-get") == path
    assert "<html" not in piece.html
    pay(order)
    for answer in (stranger.get(path), stranger.get(path, piece=True)):
        assert "Faleminderit" in answer.text_of("rezultati")
        assert answer.by_id("rezultati").get("hx-get") is None
        assert 'http-equiv="refresh"' not in answer.html


@pytest.mark.rule("PAY-7")
def test_looking_at_the_confirmation_has_the_bank_asked_soon(stranger, order, clock):
    stranger.get(signed_link(order))
    clock.shift(10)
    stranger.get(f"/porosia/{order.number}/konfirmimi")
    assert Payment.latest_of(order).ask_at == named.NOW + timedelta(seconds=10)


@pytest.mark.rule("PAY-8")
def test_a_declined_payment_is_told_with_the_way_to_try_again(stranger, order):
    pay(order, Verdict.DECLINED)
    stranger.get(signed_link(order))
    path = f"/porosia/{order.number}/konfirmimi"
    for page in (stranger.get(path), stranger.get(path, piece=True)):
        assert "Pagesa nuk u krye" in page.words
        assert f"/porosia/{order.number}/pagesa" in [form.get("action") for form in page.all("form")]
        assert page.by_id("rezultati").get("hx-get") is None


@pytest.mark.parametrize("ending", PAGES)
def test_the_pages_of_an_order_are_kept_by_nobody(stranger, order, ending):
    stranger.get(signed_link(order))
    shown = stranger.get(f"/porosia/{order.number}{ending}")
    assert shown.headers["Cache-Control"] == "private, no-store"
    assert "HX-Request" in shown.headers["Vary"]


def test_the_confirmations_piece_is_the_same_markup_as_in_its_page(stranger, order):
    stranger.get(signed_link(order))
    for verdict in (None, Verdict.DECLINED, Verdict.PAID):
        if verdict:
            pay(order, verdict)
        path = f"/porosia/{order.number}/konfirmimi"
        piece = stranger.get(path, piece=True)
        assert piece.html.strip() in stranger.get(path).html


@pytest.mark.parametrize("ending", PAGES)
def test_the_pages_of_an_order_ask_few_queries_however_many_lines_it_has(stranger, world, many, ending):
    counts = []
    for skus in (["CASE-BLACK"], many):
        order, _ = named.ordered(world, *skus)
        stranger.get(signed_link(order))
        with assert_query_count(9) as asked:
            assert stranger.get(f"/porosia/{order.number}{ending}").status == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


@pytest.mark.rule("ORD-4")
def test_texts_of_a_shopper_are_shown_as_text(stranger, world):
    evil = "<script>alert(1)</script>"
    cart = named.cart_with(world, "CASE-BLACK")
    checkout = named.checkout_of(cart, first_name=evil, street=evil, recipient=evil, note=evil)
    order, _ = named.place(checkout)
    stranger.get(signed_link(order))
    for path in ("", "/konfirmimi", "/pagesa"):
        assert evil not in stranger.get(f"/porosia/{order.number}{path}").html
    pay(order)
    assert evil not in stranger.get(f"/porosia/{order.number}/konfirmimi").html
    shopper = Browser(stranger.app)
    shopper.client.set_cookie("cart", Cart.get().token, domain=HOST.removeprefix("http://"))
    shopper.choose(world["CASE-BLACK"])
    for path in ("/porosia/te-dhenat", "/porosia/dergesa"):
        assert evil not in shopper.get(path).html


def _another_number(order: Order) -> str:
    """A well-formed number that no order has."""
    from models.order_number import new_number

    while (number := new_number()) == order.number:
        pass
    return number.removeprefix("DY-")


# Porositë e mia

MINE = "/porosite"


@pytest.fixture
def member(app, profile) -> Browser:
    """The profile's browser, logged in; its e-mail is verified."""
    Profile.update(verified_at=named.NOW).execute()
    browser = Browser(app)
    assert browser.log_in(profile.email).status == 303
    return browser


def of_profile(world, profile, *skus, minutes=0, email="arben@example.com") -> Order:
    checkout = named.checkout_of(named.cart_with(world, *skus), email=email)
    return named.place(checkout, named.later(minutes), profile=profile)[0]


def listed(page) -> list[str]:
    return [link.get("href").rsplit("/", 1)[-1] for link in page.all("a", class_="go")]


@pytest.mark.rule("ORD-1")
@pytest.mark.parametrize("prefix", ["", "/mk", "/en"])
def test_a_guest_is_led_to_the_login_and_back_to_my_orders(stranger, profile, prefix):
    asked = stranger.get(prefix + MINE)
    assert (asked.status, asked.location) == (303, f"{prefix}/hyr?next={prefix}/porosite")


@pytest.mark.rule("ORD-1")
def test_my_orders_lists_them_with_state_number_date_and_total_and_opens_each(member, world, profile):
    waiting = of_profile(world, profile, "S25-BLACK-128", "CASE-BLACK")
    paid = of_profile(world, profile, "TAB-GREY-64", minutes=1)
    pay(paid)
    named.ordered(world, "CASE-BLACK")
    page = member.get(MINE)
    assert listed(page) == [paid.number, waiting.number]
    assert f"Galaxy S25, 128 GB dhe 1 artikull {waiting.number} · 10.03.2026 53.790 den Pret pagesën" in page.words
    assert "Porosia u pranua Vjen deri të hënën, 16 mars" in page.words
    assert page.headers["Cache-Control"] == "private, no-store"
    for number in listed(page):
        assert member.get(f"/porosia/{number}").status == 200


@pytest.mark.rule("ORD-1")
@pytest.mark.parametrize("piece", [False, True])
def test_my_orders_are_searched_and_filtered_by_the_address(member, world, profile, piece):
    waiting = of_profile(world, profile, "S25-BLACK-128")
    lapsed = of_profile(world, profile, "TAB-GREY-64", minutes=1)
    lapsed.lapse(named.NOW)
    for query, found in (
        ("?q=tab", [lapsed.number]),
        ("?gjendja=open", [waiting.number]),
        ("?gjendja=ended&q=galaxy", [lapsed.number]),
        (f"?q={waiting.number.lower().replace('-', '+')}", [waiting.number]),
        ("?q=nokia", []),
        ("?faqe=x&gjendja=x", [lapsed.number, waiting.number]),
        (f"?q={'x' * 3000}", []),
    ):
        page = member.get(MINE + query, piece=piece)
        assert page.status == 200
        assert listed(page) == found, query
        assert ("<html" in page.html) != piece
    assert "Asnjë porosi e tillë" in member.get(f"{MINE}?q=nokia", piece=piece).words


def test_the_search_form_of_my_orders_holds_what_was_asked(member, world, profile):
    of_profile(world, profile, "CASE-BLACK")
    form = member.get(f"{MINE}?q=%3Cb%3Ekellef&gjendja=open").form(MINE)
    assert form == {"q": "<b>kellef", "gjendja": "open"}


@pytest.mark.rule("ORD-1")
def test_long_lists_have_pages_that_keep_the_filter(member, world, profile):
    for minute in range(11):
        of_profile(world, profile, "SIM-PREPAID", minutes=minute)
    page = member.get(f"{MINE}?q=sim&gjendja=open")
    assert len(listed(page)) == 10
    second = page.by_id("faqe-2").get("href")
    assert second == f"{MINE}?q=sim&gjendja=open&faqe=2"
    assert page.by_id("faqe-2").get("hx-get") == second
    assert len(listed(member.get(second))) == 1


def test_who_has_no_orders_reads_so(member):
    page = member.get(MINE)
    assert "Ende nuk keni porosi" in page.words
    assert "/porosia/gjej" in [link.get("href") for link in page.by_id("permbajtja").iter("a")]


def test_my_orders_ask_few_queries_however_many_there_are(member, world, profile, many):
    of_profile(world, profile, "CASE-BLACK")
    counts = []
    for _ in range(2):
        with assert_query_count(7) as asked:
            assert member.get(f"{MINE}?q=k").status == 200
        counts.append(len(asked))
        for minute in range(9):
            of_profile(world, profile, *many[minute : minute + 2], minutes=minute)
    assert counts[0] == counts[1]


@pytest.mark.rule("ORD-1")
def test_guest_orders_with_the_verified_email_are_taken_by_a_button_once(member, world, profile):
    found = [of_profile(world, None, "CASE-BLACK"), of_profile(world, None, "TAB-GREY-64", minutes=1)]
    page = member.get(MINE)
    assert "Gjetëm 2 porosi të bëra me e-postën tuaj" in page.words
    assert listed(page) == []
    path = f"{MINE}/te-mysafirit"
    fields = page.form(path)
    taken = member.post(path, fields)
    assert (taken.status, taken.location) == (303, f"{MINE}?marre=2")
    shown = member.follow(taken)
    assert "2 porosi u shtuan në profilin tuaj." in shown.words
    assert sorted(listed(shown)) == sorted(order.number for order in found)
    assert member.post(path, fields).location == MINE
    assert "Gjetëm" not in member.get(MINE).words


@pytest.mark.rule("ORD-1")
def test_nobody_takes_orders_with_an_email_that_is_not_verified_or_not_theirs(app, member, world, profile):
    of_profile(world, None, "CASE-BLACK", email="besa@example.com")
    of_profile(world, named.profile("besa@example.com"), "CASE-BLACK", email=profile.email)
    path = f"{MINE}/te-mysafirit"
    assert "Gjetëm" not in member.get(MINE).words
    assert member.post(path).location == MINE
    Profile.update(verified_at=None).execute()
    of_profile(world, None, "TAB-GREY-64")
    assert "Gjetëm" not in member.get(MINE).words
    member.post(path)
    assert Order.select().where(Order.profile == profile).count() == 0
    assert Browser(app).post(path).location.startswith("/hyr")


@pytest.mark.rule("DLV-4")
def test_an_order_tells_which_papers_come_with_it(member, world, profile):
    order = of_profile(world, profile, "S25-BLACK-128")
    page = member.get(f"/porosia/{order.number}")
    assert "Formulari i pranimit" in page.words
    assert "Kontrata Besnik 24" not in page.words
    assert MINE in [link.get("href") for link in page.by_id("permbajtja").iter("a")]
    OrderLine.update(contract_type="besnik24", taken="38970100101").execute()
    Order.update(signer="Zana Osmani").execute()
    words = member.get(f"/porosia/{order.number}").words
    assert "Kontrata Besnik 24" in words


@pytest.mark.rule("DLV-3")
def test_what_comes_with_a_contract_is_for_its_signer_alone(member, world, profile):
    order = of_profile(world, profile, "S25-BLACK-128")
    assert "Ana Markovska, kundrejt një dokumenti" in member.get(f"/porosia/{order.number}").words
    OrderLine.update(contract_type="besnik24").execute()
    Order.update(signer="Zana Osmani").execute()
    assert "vetëm poseduesi i numrit, Zana Osmani, ose dikush" in member.get(f"/porosia/{order.number}").words
