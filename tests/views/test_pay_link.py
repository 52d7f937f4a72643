"""Somebody else pays: the shopper's link, what its payer sees and pays, and who else could call (PAY-8, PRV-1)."""

from urllib.parse import unquote

import pytest

import config
from models.order import Order
from models.outbox import Mail
from models.pay_link import PayLink, outcome_token
from models.payment import Payment, Refund
from models.profile import Attempt
from tests import world as named
from tests.query_count import assert_query_count
from tests.views.browser import HOST, Browser, rows, signed_link
from tests.views.test_html import LANGUAGES, check
from tests.views.test_pay import RETURN, result, send

SECRETS = (*(str(value) for name, value in named.GUEST.items() if name in ("first_name", "last_name", "email")),)
ELSEWHERE = {"environ_overrides": {"REMOTE_ADDR": "203.0.113.9"}}


@pytest.fixture
def order(shopper, world) -> Order:
    """The shopper's order, waiting for its payment."""
    return shopper.order(world["S25-BLACK-128"])


@pytest.fixture
def path(shopper, order) -> str:
    """The address of the link, as the shopper's page shows it."""
    share = f"/porosia/{order.number}/paguan-tjeter"
    assert shopper.post(share).location == share
    shown = shopper.get(share).by_id("adresa").get("value")
    assert shown.startswith(f"{HOST}/paguaj-per/")
    return shown.removeprefix(HOST)


@pytest.fixture
def payer(stranger) -> Browser:
    """Somebody else's browser, who was sent the link."""
    return stranger


def says_nothing(page, order) -> bool:
    """Of the shopper and of the order: neither in what is read nor in what stands behind it."""
    secrets = (*SECRETS, order.number, order.street, order.phone, named.GUEST["phone"][-6:], order.checkout_key)
    return not [secret for secret in secrets if named.stands_in(secret, page.html)]


def keeps_quiet(page) -> bool:
    headers = page.headers
    return (
        headers["Referrer-Policy"] == "no-referrer"
        and "noindex" in headers["X-Robots-Tag"]
        and headers["Cache-Control"] == "private, no-store"
    )


@pytest.mark.rule("PAY-8", "PRV-1")
@LANGUAGES
def test_the_payer_sees_what_it_is_and_how_much_and_until_when_and_nothing_else(
    shopper, payer, order, path, language, prefix
):
    page = check(payer.get(prefix + path), language)
    amount = "52,800" if language == "en" else "52.800"
    for said in ("Samsung Galaxy S25", amount, config.BRAND, "12:30"):
        assert said in page.words.replace("\xa0", " ")
    assert says_nothing(page, order)
    assert keeps_quiet(page)
    check(shopper.get(f"{prefix}/porosia/{order.number}/paguan-tjeter"), language)
    bank = payer.follow(payer.post(prefix + path))
    check(bank, language)
    assert says_nothing(bank, order)
    assert keeps_quiet(bank)
    form = next(form for form in bank.all("form") if form.get("data-send") is not None)
    fields = {field.get("name"): field.get("value") for field in form.iter("input")}
    assert (fields["amount"], fields["okUrl"]) == ("52800.00", f"{HOST}{prefix}/pay/return")
    assert "csrf_token" not in fields


@pytest.mark.rule("PAY-8", "PAY-7")
@LANGUAGES
def test_after_the_payment_the_payer_is_thanked_in_their_language_and_the_shopper_gets_the_usual_mail(
    app, shopper, payer, order, path, language, prefix
):
    payer.post(prefix + path)
    payment = Payment.get(Payment.link.is_null(False))
    # The bank's POST brings none of the payer's cookies.
    back = send(Browser(app), prefix + RETURN, result(payment))
    assert back.status == 303
    assert back.location.startswith(f"{prefix}/paguar-per/")
    assert back.headers.getlist("Set-Cookie") == []
    page = check(payer.follow(back), language)
    assert says_nothing(page, order)
    assert keeps_quiet(page)
    assert "Galaxy" not in page.words
    assert Order.get().state == "confirmed"
    assert [(mail.kind, mail.recipient) for mail in Mail.select().order_by(Mail.id)] == [
        ("pay_link", order.email),
        ("order_confirmed", order.email),
    ]
    # Who opens the link now is told that it was paid, without what it was.
    over = check(Browser(app).get(prefix + path), language)
    assert says_nothing(over, order)
    assert "Galaxy" not in over.words
    # Neither page lets its reader see the order.
    assert payer.get(f"/porosia/{order.number}").status == 404
    # The shopper's page of the link leads to the confirmation.
    assert shopper.get(f"/porosia/{order.number}/paguan-tjeter", piece=True).location.endswith("/konfirmimi")
    confirmation = shopper.get(f"/porosia/{order.number}/konfirmimi")
    assert "Faleminderit, porosia u pranua." in confirmation.words


@pytest.mark.rule("PAY-9")
def test_who_pays_what_was_paid_meanwhile_is_told_that_the_money_comes_back(app, payer, order, path):
    payer.post(path)
    theirs = Payment.get(Payment.link.is_null(False))
    send(Browser(app), RETURN, result(Payment.latest_of(order)))
    page = payer.follow(send(payer, RETURN, result(theirs)))
    check(page, "sq")
    assert "Paratë ju kthehen" in page.words
    assert says_nothing(page, order)
    assert Refund.get().payment == theirs


@pytest.mark.rule("PAY-8")
def test_a_declined_card_may_be_tried_again_and_what_is_not_known_asks_again_by_itself(app, payer, order, path):
    payer.post(path)
    payment = Payment.get(Payment.link.is_null(False))
    outcome = f"/paguar-per/{outcome_token(payment)}"
    waits = check(payer.get(outcome), "sq")
    assert waits.by_id("rezultati").get("hx-get") == outcome
    assert check(payer.get(outcome, piece=True), None).by_id("rezultati") is not None
    page = payer.follow(send(payer, RETURN, result(payment, "declined")))
    check(page, "sq")
    assert path in page.html
    assert payer.post(path).location == f"{path}/banka"
    assert Payment.select().where(Payment.link.is_null(False)).count() == 2
    PayLink.revoke(order, named.later(1))
    again = payer.get(outcome)
    assert path not in again.html


@pytest.mark.rule("PAY-8")
def test_a_link_that_was_taken_back_or_put_together_or_is_too_late_says_the_same_and_begins_nothing(
    shopper, payer, order, path, clock
):
    before = rows(Payment, Attempt)
    answers = [
        payer.get(path + "x"),
        payer.post(path[:-1]),
        payer.get("/paguaj-per/x/banka"),
        payer.get("/paguar-per/x"),
    ]
    clock.shift(31 * 60)
    answers.append(payer.get(path))
    # Pressed on a page that was left open: back to the page, which says that it is over.
    assert payer.follow(payer.post(path)).status == 410
    clock.shift(-31 * 60)
    assert shopper.post(f"/porosia/{order.number}/paguan-tjeter/anulimi").status == 303
    answers += [payer.get(path), payer.post(path), payer.get(f"{path}/banka")]
    assert {answer.status for answer in answers} == {410}
    assert len({answer.words for answer in answers}) == 1
    check(answers[0], "sq", 410)
    assert keeps_quiet(answers[0])
    assert rows(Payment, Attempt) == before
    assert "Bëj lidhjen" in shopper.get(f"/porosia/{order.number}/paguan-tjeter").words


@pytest.mark.rule("PAY-8", "CHK-4")
def test_an_order_is_placed_for_somebody_else_to_pay_from_the_overview(shopper, payer, world):
    shopper.choose(world["CASE-BLACK"])
    shopper.fill_in()
    shown = shopper.overview()
    placed = [shopper.confirm(shown, paguan="tjeter", piece=piece) for piece in (True, False)]
    [order] = Order.select()
    assert {page.location for page in placed} == {f"/porosia/{order.number}/paguan-tjeter"}
    page = check(shopper.follow(placed[1]), "sq")
    assert payer.get(page.by_id("adresa").get("value").removeprefix(HOST)).status == 200
    assert PayLink.select().count() == 1
    # The shopper's own attempt waits as ever.
    assert shopper.get(f"/porosia/{order.number}/pagesa").all("form", data_send="")


@pytest.mark.rule("PAY-8")
def test_where_an_order_waits_for_its_money_its_pages_lead_to_the_link(shopper, order):
    share = f"/porosia/{order.number}/paguan-tjeter"
    for page in ("", "/konfirmimi"):
        assert share in shopper.get(f"/porosia/{order.number}{page}").html
    assert share in check(shopper.get(share), "sq").html
    # The mail's link opens it as well, and keeps its token out of the history.
    assert Browser(shopper.app).get(signed_link(order, "/paguan-tjeter")).location == share


@pytest.mark.rule("PRV-1")
def test_who_may_see_the_order_makes_and_takes_back_its_link_and_nobody_else(shopper, stranger, order, path):
    share = f"/porosia/{order.number}/paguan-tjeter"
    for answer in (stranger.get(share), stranger.post(share), stranger.post(f"{share}/anulimi")):
        assert answer.status == 404
    assert PayLink.get().revoked_at is None
    for page in (stranger.post(share, token=False), stranger.post(path, token=False)):
        assert page.status == 400


@pytest.mark.rule("MSG-1", "PRV-1")
def test_the_payer_gets_a_receipt_only_once_it_was_paid_and_once(payer, order, path):
    payer.post(path)
    payment = Payment.get(Payment.link.is_null(False))
    outcome = f"/paguar-per/{outcome_token(payment)}"
    assert payer.post(outcome, {"email": "payer@example.com"}).location == outcome
    assert [mail.kind for mail in Mail.select()] == ["pay_link"]
    send(payer, RETURN, result(payment))
    for piece in (False, True):
        refused = payer.post(outcome, {"email": "payer"}, piece=piece)
        check(refused, None if piece else "sq", 422)
        assert refused.by_id("email").get("value") == "payer"
    for email in ("payer@example.com", "again@example.com"):
        assert payer.post(outcome, {"email": email}, piece=True).status == 204
    page = check(payer.get(outcome), "sq")
    assert "payer@example.com" not in page.html
    assert [mail.recipient for mail in Mail.select().where(Mail.kind == "payer_receipt")] == ["payer@example.com"]


@pytest.mark.rule("PAY-8")
def test_from_one_address_so_many_payments_are_begun_and_so_many_links_tried(payer, order, path, monkeypatch):
    monkeypatch.setattr(config, "PAY_LINK_PER_ADDRESS", 2)
    assert [payer.post(path, **ELSEWHERE).status for _ in range(3)] == [303, 303, 429]
    assert [payer.get("/paguaj-per/x", **ELSEWHERE).status for _ in range(3)] == [410, 410, 429]
    # Who has a link that is good still sees it.
    assert payer.get(path, **ELSEWHERE).status == 200
    monkeypatch.setattr(config, "PAY_LINK_TRIES", 1)
    Payment.update(state="declined").where(Payment.link.is_null(False)).execute()
    check(payer.post(path), "sq", 429)


def test_an_order_has_only_so_many_links(shopper, order, monkeypatch):
    monkeypatch.setattr(config, "PAY_LINKS_PER_ORDER", 1)
    share = f"/porosia/{order.number}/paguan-tjeter"
    for step in ("", "/anulimi"):
        assert shopper.post(share + step).status == 303
    check(shopper.post(share), "sq", 429)


def test_the_payers_page_costs_a_few_queries(payer, path):
    payer.get(path)
    with assert_query_count(4):
        payer.get(path)


@pytest.mark.rule("PAY-8", "PRV-1")
@LANGUAGES
def test_the_shopper_sees_the_orders_number_and_shares_a_sentence_with_no_more_than_the_payer_is_shown(
    shopper, order, path, language, prefix
):
    page = check(shopper.get(f"{prefix}/porosia/{order.number}/paguan-tjeter"), language)
    assert order.number in page.words
    assert order.email in page.words
    shared = [unquote(a.get("href")) for a in page.all("a") if a.get("href").startswith(("sms:", "mailto:?"))]
    assert len(shared) == 2
    amount = "52,800" if language == "en" else "52.800"
    for text in shared:
        for said in ("Samsung Galaxy S25", amount, config.BRAND, "12:30"):
            assert said in text
        assert text.endswith(f" {HOST}{prefix}{path}")
        for secret in (*SECRETS, order.number, order.street, order.phone):
            assert not named.stands_in(secret, text)


@pytest.mark.rule("AFT-2", "PAY-9")
def test_what_somebody_else_paid_goes_back_to_their_card_and_the_dialog_says_so(app, shopper, payer, order, path):
    payer.post(path)
    send(payer, RETURN, result(Payment.get(Payment.link.is_null(False))))
    page = shopper.get(f"/porosia/{order.number}/anulo")
    assert "kthehen në kartelën me të cilën u pagua" in page.words
    assert "kartelën tuaj" not in page.words
