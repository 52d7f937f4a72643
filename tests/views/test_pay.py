"""To the bank and back: the signed form, the return, the callback, and another try (PAY-5…8)."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest

import config
from gateways.bank import Verdict, to_major, ver3_hash
from models.catalogue import Variant
from models.order import Order, OrderEvent
from models.outbox import Mail
from models.payment import BankMessage, Payment, Refund
from tests import world as named
from tests.views.browser import Browser, rows, signed_link

RETURN = "/pay/return"
CALLBACK = "/pay/callback"
CHANNELS = pytest.mark.parametrize("channel", [RETURN, CALLBACK])


@pytest.fixture
def order(world) -> Order:
    """A guest's order, waiting for its payment."""
    return named.ordered(world, "S25-BLACK-128")[0]


@pytest.fixture
def payment(order) -> Payment:
    return Payment.latest_of(order)


@pytest.fixture
def bank(app, world) -> Browser:
    """Whoever posts to the shop without a cookie or a token of it: the bank, or somebody in its name."""
    return Browser(app)


def result(payment: Payment, outcome: str = "paid", *, key: str | None = None, **changed) -> dict[str, str]:
    """The bank's signed message about `payment`; `changed` fields are changed before it signs."""
    fields = {
        "clientid": config.BANK_CLIENT_ID,
        "oid": payment.oid,
        "ReturnOid": payment.oid,
        "amount": to_major(payment.amount),
        "currency": "807",
        "mdStatus": "1",
        "Response": "Approved",
        "ProcReturnCode": "00",
        "AuthCode": "554433",
        "TransId": "26069NABC1234",
        "HostRefNum": "606912345678",
        "MaskedPan": "431111***1111",
        "rnd": "8f3a",
        "hashAlgorithm": "ver3",
    }
    if outcome == "declined":
        fields |= {"Response": "Declined", "ProcReturnCode": "51", "ErrMsg": "Not sufficient funds", "AuthCode": ""}
    fields |= changed
    fields["HASH"] = ver3_hash(fields, config.BANK_STORE_KEY if key is None else key)
    return fields


def send(bank: Browser, channel: str, fields, **more):
    return bank.post(channel, fields, token=False, **more)


def everything():
    """What a message of the bank may change."""
    state = [(order.id, order.state) for order in Order.select().order_by(Order.id)]
    payments = [(payment.id, payment.state) for payment in Payment.select().order_by(Payment.id)]
    return state, payments, rows(OrderEvent, Mail, Refund, Payment)


# To the bank


@pytest.mark.rule("PAY-5")
@pytest.mark.parametrize("prefix", ["", "/mk", "/en"])
def test_the_form_for_the_bank_is_signed_and_goes_to_the_bank_alone(shopper, order, payment, prefix):
    page = shopper.follow(shopper.get(prefix + signed_link(order, "/pagesa")))
    form = next(form for form in page.all("form") if form.get("data-send") is not None)
    assert (form.get("method"), form.get("action")) == ("post", config.BANK_GATE_URL)
    fields = {field.get("name"): field.get("value") for field in form.iter("input")}
    assert fields["hash"] == ver3_hash(fields, config.BANK_STORE_KEY)
    assert (fields["oid"], fields["amount"], fields["currency"]) == (payment.oid, "52800.00", "807")
    assert fields["lang"] == (prefix[1:] or "sq")
    assert fields["okUrl"] == fields["failUrl"] == f"{config.BASE_URL}/pay/return"
    assert fields["callbackUrl"] == f"{config.BASE_URL}/pay/callback"
    # Nothing of ours goes along: the token would open the shopper's session to the bank.
    assert "csrf_token" not in fields
    assert page.headers["Cache-Control"] == "private, no-store"


@pytest.mark.rule("PAY-5")
def test_no_page_of_the_shop_asks_for_a_card(shopper, world):
    shopper.choose(world["CASE-BLACK"])
    shopper.fill_in()
    order = shopper.order()
    for path in ("/porosia/pagesa", "/porosia/pasqyra", f"/porosia/{order.number}/pagesa"):
        page = shopper.get(path)
        names = " ".join((field.get("name") or "") + (field.get("autocomplete") or "") for field in page.all("input"))
        for word in ("pan", "cvv", "cvc", "cc-", "expir"):
            assert word not in names.lower()


def test_each_form_for_the_bank_has_its_own_nonce(shopper, order):
    shopper.get(signed_link(order, "/pagesa"))
    nonces = set()
    for _ in range(3):
        page = shopper.get(f"/porosia/{order.number}/pagesa")
        nonces |= {field.get("value") for field in page.all("input", name="rnd")}
    assert len(nonces) == 3


# Back from the bank


@pytest.mark.rule("PAY-6")
@CHANNELS
@pytest.mark.parametrize(("outcome", "state"), [("paid", "confirmed"), ("declined", "awaiting_payment")])
def test_the_banks_message_settles_the_order(bank, order, payment, channel, outcome, state):
    answer = send(bank, channel, result(payment, outcome))
    assert Order.get().state == state
    assert Payment.get().state == outcome
    assert BankMessage.get().outcome == "applied"
    if channel == CALLBACK:
        assert (answer.status, answer.html) == (200, config.BANK_CALLBACK_REPLY)
        assert answer.headers["Content-Type"].startswith("text/plain")
    else:
        assert answer.status == 303
        assert answer.location.startswith(f"/porosia/{order.number}/konfirmimi?k=")


@pytest.mark.rule("PAY-7")
@pytest.mark.parametrize(("language", "prefix"), [("sq", ""), ("mk", "/mk"), ("en", "/en")])
@pytest.mark.parametrize("outcome", ["paid", "declined"])
def test_the_shopper_comes_back_to_the_outcome_in_the_orders_language(bank, world, language, prefix, outcome):
    order, payment = named.ordered(world, "CASE-BLACK", language=language)
    back = send(bank, RETURN, result(payment, outcome))
    assert back.location.startswith(f"{prefix}/porosia/{order.number}/konfirmimi?k=")
    # The bank's POST carries no cookie of the shop; the signed link shows the order all the same, and goes.
    opened = bank.follow(back)
    assert (opened.status, opened.location) == (303, f"{prefix}/porosia/{order.number}/konfirmimi")
    shown = bank.follow(opened)
    assert shown.status == 200
    assert shown.tree.get("lang") == language
    assert order.number in shown.words


@pytest.mark.rule("PAY-7")
@pytest.mark.parametrize("outcome", ["paid", "declined"])
def test_an_email_with_the_outcome_is_written_once(bank, payment, outcome):
    for channel in (CALLBACK, RETURN, CALLBACK):
        send(bank, channel, result(payment, outcome))
    assert [mail.kind for mail in Mail.select()] == [
        {"paid": "order_confirmed", "declined": "payment_failed"}[outcome]
    ]


@CHANNELS
def test_the_banks_messages_leave_the_shoppers_cookies_alone(shopper, world, channel):
    order = shopper.order(world["CASE-BLACK"])
    payment = Payment.latest_of(order)
    for fields in (result(payment), result(payment, key="wrong"), {}):
        answer = send(shopper, channel, fields)
        assert answer.headers.getlist("Set-Cookie") == []
    # In a browser the same messages come without cookies, and would otherwise overwrite them.
    for fields in (result(payment), result(payment, key="wrong"), {}):
        answer = send(Browser(shopper.app), channel, fields)
        assert answer.headers.getlist("Set-Cookie") == []


@pytest.mark.rule("PAY-6")
@CHANNELS
@pytest.mark.parametrize("prefix", ["", "/mk"])
def test_a_message_that_the_bank_did_not_sign_changes_nothing_and_is_noted(bank, payment, channel, prefix):
    before = everything()
    good = result(payment)
    forged = [
        result(payment, key="guessed"),
        result(payment, key=""),
        {**good, "HASH": ""},
        {**good, "HASH": good["HASH"].swapcase()},
        {**good, "HASH": good["HASH"] + "="},
        {name: value for name, value in good.items() if name != "HASH"},
        {**good, "amount": "1.00"},
        {**good, "mdStatus": "7"},
        {**good, "Response": "approved"},
        {**result(payment, "declined"), "Response": "Approved", "ProcReturnCode": "00"},
        {},
    ]
    for number, fields in enumerate(forged, 1):
        answer = send(bank, prefix + channel, fields)
        assert answer.status == 400
        assert everything() == before
        assert BankMessage.select().where(BankMessage.outcome == "forged").count() == number


@pytest.mark.rule("PAY-6")
@CHANNELS
@pytest.mark.parametrize(
    "changed",
    [
        {"amount": "1.00"},
        {"amount": "528.00"},
        {"amount": "52800.01"},
        {"amount": "52,800.00"},
        {"amount": "-52800.00"},
        {"amount": ""},
        {"amount": "5.28e4"},
        {"currency": "978"},
        {"currency": ""},
        {"clientid": "190100000"},
    ],
)
def test_a_signed_message_of_another_sum_currency_or_merchant_changes_nothing(bank, payment, channel, changed):
    before = everything()
    answer = send(bank, channel, result(payment, **changed))
    assert answer.status == 400
    assert everything() == before
    assert BankMessage.get().outcome == "mismatch"


@pytest.mark.rule("PAY-6")
@CHANNELS
@pytest.mark.parametrize("oid", ["", "DY-0000-0000-0-1-00000000", "x" * 5000, "Ѓ", "' OR 1=1 --"])
def test_a_signed_message_about_an_unknown_payment_changes_nothing(bank, payment, channel, oid):
    before = everything()
    answer = send(bank, channel, result(payment, oid=oid, ReturnOid=oid))
    assert answer.status == 400
    assert everything() == before
    assert BankMessage.get().outcome == "stranger"


@pytest.mark.rule("PAY-6")
@CHANNELS
def test_a_signed_message_that_names_two_orders_changes_neither(bank, payment, world, channel):
    other = named.ordered(world, "CASE-BLACK")[1]
    before = everything()
    assert send(bank, channel, result(payment, ReturnOid=other.oid)).status == 400
    assert everything() == before


@pytest.mark.rule("PAY-6")
@CHANNELS
def test_a_field_given_twice_makes_the_message_a_forgery(bank, payment, channel):
    before = everything()
    good = result(payment)
    for name, value in (("oid", payment.oid), ("AMOUNT", "1.00"), ("Hash", good["HASH"])):
        body = [*good.items(), (name, value)]
        answer = bank.client.post(channel, data=urlencode(body), content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 400
        assert everything() == before


@pytest.mark.rule("PAY-6")
@CHANNELS
def test_a_replayed_message_changes_nothing_and_is_answered_alike(bank, payment, channel):
    first = send(bank, channel, result(payment))
    after = everything()
    again = send(bank, channel, result(payment))
    assert (again.status, again.location, again.html) == (first.status, first.location, first.html)
    assert everything() == after
    assert [message.outcome for message in BankMessage.select().order_by(BankMessage.id)] == ["applied", "replayed"]


@pytest.mark.rule("PAY-6")
def test_a_yes_is_not_taken_back_by_a_later_no(bank, payment):
    send(bank, CALLBACK, result(payment))
    after = everything()
    send(bank, RETURN, result(payment, "declined"))
    assert everything() == after
    assert Order.get().state == "confirmed"


@pytest.mark.rule("PAY-6")
@CHANNELS
@pytest.mark.parametrize(
    "changed",
    [
        {"mdStatus": "0"},
        {"mdStatus": ""},
        {"ProcReturnCode": "05"},
        {"ProcReturnCode": ""},
        {"Response": "Error", "ProcReturnCode": "99"},
        {"Response": ""},
    ],
)
def test_a_message_that_is_no_clear_yes_does_not_confirm_the_order(bank, payment, channel, changed):
    answer = send(bank, channel, result(payment, **changed))
    assert answer.status in (200, 303)
    assert Order.get().state == "awaiting_payment"
    assert Payment.get().state == "unknown"
    assert Mail.select().count() == 0


@CHANNELS
@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "head"])
def test_the_banks_addresses_take_a_post_alone(bank, channel, method):
    answer = getattr(bank.client, method)(channel)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


@CHANNELS
def test_a_message_of_any_length_is_not_read(bank, payment, channel):
    before = everything()
    answer = send(bank, channel, {**result(payment), "filler": "x" * 100_000})
    assert answer.status == 413
    assert everything() == before
    assert BankMessage.select().count() == 0


@CHANNELS
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff\xfe=\xff", "application/x-www-form-urlencoded"),
        (b"oid=%FF%FE&HASH=%C3", "application/x-www-form-urlencoded"),
        (b"oid=%00&HASH=%00", "application/x-www-form-urlencoded"),
        (b"oid=%ED%A0%80&HASH=x", "application/x-www-form-urlencoded"),
        (b"&&&===&", "application/x-www-form-urlencoded"),
        (b'{"oid": 1}', "application/json"),
        (b"<CC5Response/>", "text/xml"),
        (b"--x\r\nnothing", "multipart/form-data; boundary=x"),
        (b"x", "multipart/form-data"),
        (b"", ""),
    ],
)
def test_a_body_that_is_none_of_the_banks_is_refused(bank, payment, channel, body, kind):
    before = everything()
    answer = bank.client.post(channel, data=body, content_type=kind)
    assert answer.status_code == 400
    assert everything() == before


@pytest.mark.rule("PAY-6")
def test_a_return_that_is_not_understood_says_what_happens_now(bank, payment):
    page = send(bank, RETURN, result(payment, key="wrong"))
    assert page.status == 400
    assert "Përgjigjja e bankës nuk u kuptua" in page.words
    assert "/porosia/gjej" in [link.get("href") for link in page.by_id("permbajtja").iter("a")]


# Another try


@pytest.mark.rule("PAY-8")
@pytest.mark.parametrize("prefix", ["", "/mk"])
def test_a_declined_payment_can_be_tried_again_from_the_page_and_from_the_mail(shopper, order, payment, prefix):
    payment.settle(Verdict.DECLINED, named.NOW)
    page = shopper.follow(shopper.get(prefix + signed_link(order, "/pagesa")))
    path = f"{prefix}/porosia/{order.number}/pagesa"
    again = shopper.post(path, page.form(path))
    assert (again.status, again.location) == (303, path)
    latest = Payment.latest_of(order)
    assert latest.id != payment.id
    form = shopper.follow(again)
    assert latest.oid in [field.get("value") for field in form.all("input", name="oid")]


@pytest.mark.rule("PAY-8")
def test_the_second_attempt_pays_the_order(shopper, bank, order, payment):
    payment.settle(Verdict.DECLINED, named.NOW)
    shopper.get(signed_link(order))
    shopper.post(f"/porosia/{order.number}/pagesa")
    send(bank, RETURN, result(Payment.latest_of(order)))
    assert Order.get().state == "confirmed"
    assert "Faleminderit" in shopper.get(f"/porosia/{order.number}/konfirmimi").words


@pytest.mark.rule("PAY-8")
def test_after_its_time_an_order_takes_no_new_attempt(shopper, order, clock):
    shopper.get(signed_link(order))
    clock.shift(30 * 60)
    page = shopper.get(f"/porosia/{order.number}/pagesa")
    assert page.status == 200
    assert "Koha për pagesë mbaroi" in page.words
    assert not any(form.get("data-send") is not None for form in page.all("form"))
    again = shopper.post(f"/porosia/{order.number}/pagesa")
    assert again.location == f"/porosia/{order.number}/konfirmimi"
    assert Payment.select().count() == 1


@pytest.mark.rule("PAY-8")
@pytest.mark.parametrize("outcome", ["paid", "lapsed"])
def test_an_order_that_is_settled_takes_no_new_attempt(shopper, order, payment, clock, outcome):
    shopper.get(signed_link(order))
    if outcome == "paid":
        payment.settle(Verdict.PAID, named.NOW)
    else:
        clock.shift(31 * 60)
        order.lapse(named.later(31))
    again = shopper.post(f"/porosia/{order.number}/pagesa")
    assert again.location == f"/porosia/{order.number}/konfirmimi"
    assert shopper.get(f"/porosia/{order.number}/pagesa").location == f"/porosia/{order.number}/konfirmimi"
    assert Payment.select().count() == 1


def test_a_double_click_on_another_try_opens_one_attempt(shopper, order, payment):
    payment.settle(Verdict.DECLINED, named.NOW)
    shopper.get(signed_link(order))
    fields = {"csrf_token": shopper.token()}
    for _ in range(3):
        again = shopper.post(f"/porosia/{order.number}/pagesa", fields, token=False)
        assert again.location == f"/porosia/{order.number}/pagesa"
    assert Payment.select().count() == 2


def test_a_payment_without_an_answer_can_be_tried_again_and_what_is_too_much_goes_back(shopper, bank, order, payment):
    payment.settle(Verdict.UNKNOWN, named.NOW)
    shopper.get(signed_link(order))
    page = shopper.get(f"/porosia/{order.number}/pagesa")
    assert "tepricën jua kthejmë vetë" in page.words
    shopper.post(f"/porosia/{order.number}/pagesa")
    second = Payment.latest_of(order)
    send(bank, CALLBACK, result(second))
    send(bank, CALLBACK, result(payment))
    assert [row.state for row in Payment.select().order_by(Payment.id)] == ["surplus", "paid"]
    assert [(refund.payment, refund.state) for refund in Refund.select()] == [(payment, "due")]


@pytest.mark.rule("PAY-8")
def test_money_that_comes_after_the_lapse_gives_the_order_back_while_its_pieces_are_there(
    shopper, bank, world, order, payment, clock
):
    clock.shift(31 * 60)
    order.lapse(named.NOW + timedelta(minutes=31))
    assert world.stock("S25-BLACK-128") == 20
    back = send(bank, RETURN, result(payment))
    assert Order.get().state == "confirmed"
    assert world.stock("S25-BLACK-128") == 19
    assert "Faleminderit" in shopper.follow(shopper.get(back.location)).words


@pytest.mark.rule("PAY-8")
def test_money_that_comes_after_the_pieces_are_gone_goes_back_and_the_page_says_so(
    shopper, bank, world, order, payment, clock
):
    clock.shift(31 * 60)
    order.lapse(named.NOW + timedelta(minutes=31))
    Variant.update(stock=0).where(Variant.sku == "S25-BLACK-128").execute()
    back = send(bank, RETURN, result(payment))
    assert Order.get().state == "lapsed"
    assert "Shuma ju kthehet në kartelë" in shopper.follow(shopper.get(back.location)).words
    assert [mail.kind for mail in Mail.select()] == ["payment_returned"]
