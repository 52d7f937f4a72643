"""Card payments (PAY-5…9), against the real sandbox bank."""

import re
import socket
import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
import requests
import structlog
from defusedxml.ElementTree import fromstring
from peewee import IntegrityError

import config
import models.payment
from gateways.bank import Verdict, ver3_hash
from models.base import db
from models.catalogue import Variant
from models.order import NotAllowed, Order
from models.outbox import Mail
from models.pay_link import PayLink
from models.payment import LATE_ASKS, REFUSED_WAIT, BankMessage, Payment, Refund, bank, forget_strangers, hear
from tests.processes import Bank, pay_at_bank, returned_fields
from tests.world import NOW, build, cart_with, checkout_of, later, ordered, place

LAPSED = config.PAYABLE_MINUTES


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bank")
    process = Bank(folder)
    process.folder = folder
    yield process
    process.end()


@pytest.fixture
def at_bank(running, monkeypatch):
    """The sandbox bank as the shop's settings name it. Its callbacks find nobody: the shop here has no web server."""
    point_to(monkeypatch, running.url)
    return running


def point_to(monkeypatch, url):
    monkeypatch.setattr(config, "BANK_GATE_URL", f"{url}/fim/est3Dgate")
    monkeypatch.setattr(config, "BANK_API_URL", f"{url}/fim/api")


@pytest.fixture
def world():
    return build()


def pay(at_bank, payment, card="approve"):
    """The shopper goes to the bank and types the card; the bank's result page."""
    return pay_at_bank(at_bank, payment.form("sq"), card)


def message(at_bank, payment, card="approve"):
    """The signed message that comes back through the browser."""
    return returned_fields(pay(at_bank, payment, card))


def signed(fields, key=None, **changed):
    """A message with a true signature, whatever it says."""
    fields = {name: value for name, value in fields.items() if name.lower() not in ("hash", "encoding")}
    fields.update(changed)
    return {**fields, "HASH": ver3_hash(fields, key or config.BANK_STORE_KEY), "encoding": "UTF-8"}


def now_of(row):
    return type(row).get_by_id(row.id)


def mails(order):
    return [mail.kind for mail in Mail.select().where(Mail.order == order).order_by(Mail.id)]


def outcomes():
    return [row.outcome for row in BankMessage.select().order_by(BankMessage.id)]


def untouched(order, payment):
    """Nothing came of what was heard."""
    assert now_of(order).state == "awaiting_payment"
    assert now_of(payment).state == "started"
    assert mails(order) == []
    assert len(order.history()) == 1


def lapse(order, now=None):
    """Time passes; nobody at the bank knows of the order."""
    assert Payment.lapse_all_due(now or later(LAPSED)) == 1
    assert now_of(order).state == "lapsed"


@pytest.mark.rule("PAY-5")
def test_the_form_for_the_bank_is_signed_and_holds_no_card(world):
    order, payment = ordered(world, "S25-BLACK-128")
    fields = payment.form("sq")
    assert fields["amount"] == "52800.00"
    assert fields["currency"] == "807"
    assert fields["oid"].startswith(order.number)
    assert fields["hash"] == ver3_hash(fields, config.BANK_STORE_KEY)
    assert fields["callbackUrl"] == f"{config.BASE_URL}/pay/callback"
    assert not re.search(r"card|pan|cvv", " ".join(fields), re.IGNORECASE)


@pytest.mark.rule("PAY-6")
def test_a_signed_yes_confirms_the_order_once(world, at_bank):
    order, payment = ordered(world, "S25-BLACK-128", language="mk")
    heard = hear(message(at_bank, payment), "return", later(2))
    assert heard == payment
    paid = now_of(payment)
    assert (paid.state, paid.settled_at, paid.ask_at) == ("paid", later(2), None)
    assert paid.auth_code
    assert paid.trans_id
    assert now_of(order).state == "confirmed"
    assert [(event.state, event.author) for event in order.history()] == [
        ("awaiting_payment", "shopper"),
        ("confirmed", "bank"),
    ]
    [mail] = Mail.select()
    assert (mail.kind, mail.language, mail.recipient, mail.state) == (
        "order_confirmed",
        "mk",
        "ana@example.com",
        "due",
    )


@pytest.mark.rule("PAY-6")
def test_the_same_message_again_changes_nothing(world, at_bank):
    order, payment = ordered(world, "CASE-BLACK")
    fields = message(at_bank, payment)
    assert hear(fields, "return", later(1)) == hear(fields, "return", later(2)) == payment
    assert outcomes() == ["applied", "replayed"]
    assert mails(order) == ["order_confirmed"]
    assert now_of(payment).settled_at == later(1)


@pytest.mark.rule("PAY-6")
def test_return_callback_and_status_query_settle_once_together(world, at_bank):
    order, payment = ordered(world, "CASE-BLACK")
    fields = message(at_bank, payment)
    hear(fields, "return", later(1))
    hear(signed(fields, callbackCall="true"), "callback", later(2))
    now_of(payment).ask_bank(later(3))
    assert outcomes() == ["applied", "applied"]
    assert mails(order) == ["order_confirmed"]
    assert len(order.history()) == 2


@pytest.mark.rule("PAY-6")
@pytest.mark.parametrize("change", ["amount", "mdStatus", "Response", "oid", "AuthCode"])
def test_an_altered_message_changes_nothing_and_is_logged(world, at_bank, change):
    order, payment = ordered(world, "CASE-BLACK")
    fields = message(at_bank, payment, "decline" if change == "Response" else "approve")
    fields[change] = {"amount": "1.00", "Response": "Approved", "oid": "another"}.get(change, "7")
    assert hear(fields, "return", later(1)) is None
    assert outcomes() == ["forged"]
    untouched(order, payment)


@pytest.mark.rule("PAY-6")
@pytest.mark.parametrize("spoil", ["without a hash", "another key", "a field twice", "nothing at all"])
def test_a_forged_message_changes_nothing_and_is_logged(world, at_bank, spoil):
    order, payment = ordered(world, "CASE-BLACK")
    fields = message(at_bank, payment)
    if spoil == "without a hash":
        del fields["HASH"]
    elif spoil == "another key":
        fields = signed(fields, key="a guess")
    elif spoil == "a field twice":
        fields["AMOUNT"] = fields["amount"]
    else:
        fields = {}
    assert hear(fields, "callback", later(1)) is None
    assert outcomes() == ["forged"]
    untouched(order, payment)


@pytest.mark.rule("PAY-6")
@pytest.mark.parametrize(
    "change", [{"amount": "1.00"}, {"currency": "978"}, {"clientid": "180000009"}, {"amount": "990.001"}]
)
def test_a_signed_message_of_another_amount_currency_or_client_changes_nothing(world, at_bank, change):
    order, payment = ordered(world, "CASE-BLACK")
    assert hear(signed(message(at_bank, payment), **change), "return", later(1)) is None
    assert outcomes() == ["mismatch"]
    untouched(order, payment)


@pytest.mark.rule("PAY-6")
def test_the_money_of_one_order_does_not_pay_another(world, at_bank):
    _, paid = ordered(world, "CASE-BLACK")
    order, payment = ordered(world, "S25-BLACK-128")
    moved = signed(message(at_bank, paid), oid=payment.oid, ReturnOid=payment.oid)
    assert hear(moved, "return", later(1)) is None
    untouched(order, payment)


@pytest.mark.rule("PAY-6")
@pytest.mark.parametrize("oid", ["", "unknown-1", "DY-0000-0000-0-1-aabbccdd"])
def test_a_signed_message_of_no_order_of_ours_is_logged_and_no_more(world, at_bank, oid):
    order, payment = ordered(world, "CASE-BLACK")
    assert hear(signed(message(at_bank, payment), oid=oid, ReturnOid=oid), "callback", later(1)) is None
    assert outcomes() == ["stranger"]
    untouched(order, payment)


@pytest.mark.rule("PAY-7")
def test_a_decline_keeps_the_order_payable_and_tells_the_shopper_once(world, at_bank):
    order, payment = ordered(world, "CASE-BLACK", language="en")
    fields = message(at_bank, payment, "decline")
    hear(fields, "return", later(1))
    hear(signed(fields, callbackCall="true"), "callback", later(1))
    assert now_of(payment).state == "declined"
    assert now_of(payment).reason == "Insufficient funds"
    assert now_of(order).is_payable(later(2))
    assert mails(order) == ["payment_failed"]
    assert Mail.get().language == "en"
    assert world.stock("CASE-BLACK") == 39


@pytest.mark.rule("PAY-6")
def test_a_yes_after_a_no_is_a_yes(world):
    order, payment = ordered(world, "CASE-BLACK")
    payment.settle(Verdict.DECLINED, later(1))
    assert now_of(payment).settle(Verdict.PAID, later(2)) == "paid"
    assert now_of(order).state == "confirmed"
    assert mails(order) == ["payment_failed", "order_confirmed"]


@pytest.mark.rule("PAY-6")
@pytest.mark.parametrize("verdict", [Verdict.DECLINED, Verdict.UNKNOWN])
def test_nothing_takes_a_yes_back(world, verdict):
    order, payment = ordered(world, "CASE-BLACK")
    payment.settle(Verdict.PAID, later(1))
    assert now_of(payment).settle(verdict, later(2)) == "paid"
    assert now_of(order).state == "confirmed"
    assert mails(order) == ["order_confirmed"]


@pytest.mark.rule("PAY-6")
def test_an_unclear_answer_does_not_reopen_a_no(world):
    _, payment = ordered(world, "CASE-BLACK")
    payment.settle(Verdict.DECLINED, later(1))
    assert now_of(payment).settle(Verdict.UNKNOWN, later(2)) == "declined"


@pytest.mark.rule("PAY-7")
def test_an_unclear_answer_is_asked_about_soon_and_settled_by_the_books(world, at_bank):
    """Half 3-D Secure is neither yes nor no to us; the bank's books say what became of it."""
    order, payment = ordered(world, "CASE-BLACK")
    hear(signed(message(at_bank, payment), Response="Error", ProcReturnCode="99"), "return", later(1))
    unclear = now_of(payment)
    assert unclear.state == "unknown"
    assert unclear.ask_at <= later(1) + timedelta(seconds=config.BANK_QUERY_EVERY)
    assert mails(order) == []
    assert Payment.settle_all_due(unclear.ask_at) == 1
    assert now_of(order).state == "confirmed"


@pytest.mark.rule("PAY-7")
@pytest.mark.parametrize("card", ["lost_both", "lost_return"])
def test_a_payment_whose_messages_were_lost_is_settled_by_the_status_query(world, at_bank, card):
    order, payment = ordered(world, "CASE-BLACK")
    pay(at_bank, payment, card)
    due = NOW + timedelta(seconds=config.BANK_QUERY_AFTER)
    assert Payment.settle_all_due(due - timedelta(seconds=1)) == 0
    assert Payment.settle_all_due(due) == 1
    assert now_of(order).state == "confirmed"
    assert mails(order) == ["order_confirmed"]
    assert Payment.settle_all_due(later(60)) == 0


@pytest.mark.rule("PAY-7")
def test_a_decline_whose_messages_were_lost_is_settled_by_the_status_query(world, at_bank):
    order, payment = ordered(world, "CASE-BLACK")
    pay(at_bank, payment, "decline")
    Payment.settle_all_due(later(2))
    assert now_of(payment).state == "declined"
    assert mails(order) == ["payment_failed"]


@pytest.mark.rule("PAY-7")
def test_the_bank_is_asked_ever_more_seldom_but_once_more_when_the_time_is_over(world, at_bank):
    _, payment = ordered(world, "CASE-BLACK")
    asked, moment = [], NOW
    while moment < later(LAPSED):
        moment = now_of(payment).ask_at
        asked.append(moment)
        Payment.settle_all_due(moment)
    gaps = [(after - before).total_seconds() for before, after in zip(asked, asked[1:], strict=False)]
    assert len(asked) < 12
    assert gaps[:-1] == sorted(gaps[:-1])
    assert asked[-1] == later(LAPSED)
    assert now_of(payment).state == "abandoned"


@pytest.mark.rule("PAY-7")
def test_who_waits_on_the_page_has_the_bank_asked_soon_but_not_without_end(world, at_bank):
    _, payment = ordered(world, "CASE-BLACK")
    payment.ask_soon(NOW + timedelta(seconds=2))
    assert now_of(payment).ask_at == NOW + timedelta(seconds=config.BANK_QUERY_AFTER)
    for second in range(10, 60, 5):
        moment = NOW + timedelta(seconds=second)
        now_of(payment).ask_soon(moment)
        Payment.settle_all_due(moment)
    assert now_of(payment).asked == 5


@pytest.mark.rule("PAY-7")
def test_a_silent_bank_keeps_the_worker_for_a_moment_only(world, monkeypatch):
    payments = [ordered(world, "CASE-BLACK")[1] for _ in range(4)]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        point_to(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setattr(config, "BANK_TIMEOUT", 1)
        assert Payment.settle_all_due(later(2), within=0.5) == 1
        assert Payment.lapse_all_due(later(LAPSED), within=0.5) == 0
    assert sum(now_of(payment).asked for payment in payments) == 2


@pytest.mark.rule("PAY-8")
def test_a_payment_can_be_tried_again_while_the_order_is_payable(world, at_bank):
    order, first = ordered(world, "CASE-BLACK")
    first.settle(Verdict.DECLINED, later(1))
    second = Payment.retry(order, later(29))
    assert second.oid != first.oid
    assert second.amount == order.total
    assert Payment.latest_of(order) == second
    hear(message(at_bank, second), "return", later(29.5))
    assert now_of(order).state == "confirmed"


@pytest.mark.rule("PAY-8")
def test_trying_again_goes_on_with_an_attempt_that_has_no_answer_yet(world):
    order, first = ordered(world, "CASE-BLACK")
    assert Payment.resume(order, later(1)) == first
    first.settle(Verdict.DECLINED, later(1))
    second = Payment.resume(order, later(2))
    assert second != first
    assert Payment.resume(order, later(3)) == second
    with pytest.raises(NotAllowed):
        Payment.resume(order, later(LAPSED))


@pytest.mark.rule("PAY-8")
@pytest.mark.parametrize("end", ["time", "paid", "lapsed", "cancelled"])
def test_a_payment_cannot_be_tried_again_afterwards(world, end):
    order, payment = ordered(world, "CASE-BLACK")
    now = later(1)
    if end == "time":
        now = later(LAPSED)
    elif end == "paid":
        payment.settle(Verdict.PAID, now)
    elif end == "lapsed":
        order.lapse(now)
    else:
        order.move("cancelled", by="admin", now=now)
    with pytest.raises(NotAllowed):
        Payment.retry(order, now)
    assert Payment.select().count() == 1


@pytest.mark.rule("PAY-8")
def test_an_order_nobody_paid_lapses_and_all_goes_back_once(world, at_bank):
    order, payment = ordered(world, "S25-BLACK-128", language="en")
    assert (world.stock("S25-BLACK-128"), world.gifts()) == (19, 9)
    assert Payment.lapse_all_due(later(LAPSED - 0.1)) == 0
    assert Payment.lapse_all_due(later(LAPSED)) == 1
    assert Payment.lapse_all_due(later(LAPSED + 1)) == 0
    assert (world.stock("S25-BLACK-128"), world.gifts()) == (20, 10)
    assert now_of(payment).state == "abandoned"
    assert mails(order) == ["order_lapsed"]
    assert Mail.get().language == "en"
    assert [event.state for event in order.history()] == ["awaiting_payment", "lapsed"]


@pytest.mark.rule("PAY-8")
def test_a_declined_order_lapses_without_asking_the_bank(world, monkeypatch):
    order, payment = ordered(world, "CASE-BLACK")
    payment.settle(Verdict.DECLINED, later(1))
    point_to(monkeypatch, "http://127.0.0.1:9")
    lapse(order)
    assert world.stock("CASE-BLACK") == 40


@pytest.mark.rule("PAY-8")
def test_an_order_does_not_lapse_while_the_bank_cannot_be_asked(world, at_bank, monkeypatch):
    order, payment = ordered(world, "CASE-BLACK")
    pay(at_bank, payment, "lost_both")
    point_to(monkeypatch, "http://127.0.0.1:9")
    assert Payment.lapse_all_due(later(LAPSED)) == 0
    assert now_of(order).state == "awaiting_payment"
    assert world.stock("CASE-BLACK") == 39
    point_to(monkeypatch, at_bank.url)
    assert Payment.lapse_all_due(later(LAPSED + 60)) == 0
    assert now_of(order).state == "confirmed"


@pytest.mark.rule("PAY-8")
def test_orders_that_wait_for_the_bank_do_not_hold_up_the_others(world, monkeypatch):
    for _ in range(3):
        ordered(world, "CASE-BLACK")
    order, payment = ordered(world, "TAB-GREY-64")
    payment.settle(Verdict.DECLINED, later(1))
    point_to(monkeypatch, "http://127.0.0.1:9")
    assert Payment.lapse_all_due(later(LAPSED), limit=3) == 0
    assert Payment.lapse_all_due(later(LAPSED), limit=3) == 1
    assert now_of(order).state == "lapsed"


@pytest.mark.rule("PAY-8")
def test_an_attempt_begun_at_the_last_moment_keeps_the_order_from_lapsing(world, at_bank, monkeypatch):
    order, first = ordered(world, "CASE-BLACK")
    first.settle(Verdict.DECLINED, later(1))
    second = Payment.retry(order, later(LAPSED - 0.1))
    pay(at_bank, second, "lost_both")
    assert Payment.lapse_all_due(second.ask_at) == 0
    assert now_of(order).state == "confirmed"


@pytest.mark.rule("PAY-8")
def test_late_money_brings_a_lapsed_order_back_where_its_pieces_are_there(world, at_bank):
    order, payment = ordered(world, "S25-BLACK-128")
    lapse(order)
    hear(message(at_bank, payment), "return", later(LAPSED + 5))
    assert now_of(order).state == "confirmed"
    assert now_of(payment).state == "paid"
    assert (world.stock("S25-BLACK-128"), world.gifts()) == (19, 9)
    assert mails(order) == ["order_lapsed", "order_confirmed"]
    assert Refund.select().count() == 0


@pytest.mark.rule("PAY-9")
def test_late_money_goes_back_where_the_pieces_are_gone(world, at_bank):
    order, payment = ordered(world, "S25-BLACK-128", "CASE-BLACK", language="mk")
    lapse(order)
    world.set_stock("S25-BLACK-128", 0)
    hear(message(at_bank, payment), "return", later(LAPSED + 5))
    assert now_of(order).state == "lapsed"
    assert now_of(payment).state == "surplus"
    assert (world.stock("S25-BLACK-128"), world.stock("CASE-BLACK"), world.gifts()) == (0, 40, 10)
    assert mails(order) == ["order_lapsed", "payment_returned"]
    assert {mail.language for mail in Mail.select()} == {"mk"}
    refund = Refund.get()
    assert (refund.state, refund.amount) == ("due", order.total)
    assert Refund.carry_out_all_due(later(LAPSED + 6)) == 1
    assert Refund.carry_out_all_due(later(LAPSED + 60)) == 0
    assert now_of(refund).state == "done"
    assert bank().status(payment.oid).refunded == order.total


@pytest.mark.rule("PAY-9")
def test_of_two_attempts_that_were_both_paid_the_second_goes_back(world, at_bank):
    order, first = ordered(world, "CASE-BLACK")
    first_fields = message(at_bank, first)
    second = Payment.retry(order, later(1))
    second_fields = message(at_bank, second)
    hear(second_fields, "return", later(2))
    hear(first_fields, "callback", later(3))
    assert (now_of(second).state, now_of(first).state) == ("paid", "surplus")
    assert mails(order) == ["order_confirmed", "payment_returned"]
    Refund.carry_out_all_due(later(4))
    assert (bank().status(first.oid).refunded, bank().status(second.oid).refunded) == (order.total, 0)
    assert now_of(order).state == "confirmed"
    assert world.stock("CASE-BLACK") == 39


@pytest.mark.rule("PAY-9")
def test_money_for_a_cancelled_order_goes_back(world, at_bank):
    order, payment = ordered(world, "CASE-BLACK")
    order.move("cancelled", by="admin", now=later(1))
    hear(message(at_bank, payment), "return", later(2))
    assert now_of(payment).state == "surplus"
    Refund.carry_out_all_due(later(3))
    assert bank().status(payment.oid).refunded == order.total


@pytest.mark.rule("PAY-7")
def test_money_that_came_after_the_lapse_without_a_word_is_found_later(world, at_bank):
    """The shopper typed the card while the order lapsed, and both of the bank's messages were lost."""
    order, payment = ordered(world, "CASE-BLACK")
    lapse(order)
    pay(at_bank, payment, "lost_both")
    assert Payment.settle_all_due(later(LAPSED) + timedelta(seconds=LATE_ASKS[0])) == 1
    assert now_of(payment).state == "paid"
    assert now_of(order).state == "confirmed"


@pytest.mark.rule("PAY-7")
def test_an_abandoned_attempt_is_not_asked_about_for_ever(world, at_bank):
    order, payment = ordered(world, "CASE-BLACK")
    lapse(order)
    asked = 0
    while (ask_at := now_of(payment).ask_at) is not None:
        assert Payment.settle_all_due(ask_at) == 1
        asked += 1
    assert asked == len(LATE_ASKS)
    assert now_of(payment).state == "abandoned"


@contextmanager
def bank_that_loses_replies(real, actions=("Credit",)):
    """Passes requests on to the real bank, and hangs up instead of handing its replies to `actions` back."""
    server = socket.create_server(("127.0.0.1", 0))
    lost = []

    def pass_on(connection):
        with connection, socket.create_connection(("127.0.0.1", real.port)) as inner:
            request = b""
            while b"CC5Request%3E" not in request.partition(b"\r\n\r\n")[2].replace(b"%3CCC5Request%3E", b""):
                part = connection.recv(65536)
                if not part:
                    return
                request += part
            head, _, body = request.partition(b"\r\n\r\n")
            head = re.sub(rb"(?i)connection: [^\r]*", b"Connection: close", head)
            inner.sendall(head + b"\r\n\r\n" + body)
            reply = b""
            while part := inner.recv(65536):
                reply += part
            if any(action.encode() in body for action in actions) and not lost:
                lost.append(reply)
                return
            connection.sendall(reply)

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            pass_on(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}", lost
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)


def surplus(world, at_bank):
    order, payment = ordered(world, "CASE-BLACK")
    order.move("cancelled", by="admin", now=NOW)
    hear(message(at_bank, payment), "return", NOW)
    return order, payment, Refund.get(Refund.payment == payment)


@pytest.mark.rule("PAY-9")
def test_a_refund_whose_reply_was_lost_is_not_given_twice(world, at_bank, monkeypatch):
    order, payment, refund = surplus(world, at_bank)
    with bank_that_loses_replies(at_bank) as (url, lost):
        point_to(monkeypatch, url)
        assert Refund.carry_out_all_due(NOW) == 1
        assert lost
        row = now_of(refund)
        assert (row.state, row.tries) == ("due", 1)
        assert Refund.carry_out_all_due(row.try_at - timedelta(seconds=1)) == 0
        assert Refund.carry_out_all_due(row.try_at) == 1
    assert now_of(refund).state == "done"
    point_to(monkeypatch, at_bank.url)
    assert bank().status(payment.oid).refunded == order.total


@pytest.mark.rule("PAY-9")
def test_a_refund_waits_while_the_bank_is_down(world, at_bank, monkeypatch):
    order, payment, refund = surplus(world, at_bank)
    point_to(monkeypatch, "http://127.0.0.1:9")
    moment = NOW
    for _ in range(8):
        Refund.carry_out_all_due(moment)
        assert now_of(refund).state == "due"
        moment = now_of(refund).try_at
    point_to(monkeypatch, at_bank.url)
    Refund.carry_out_all_due(moment)
    assert now_of(refund).state == "done"
    assert bank().status(payment.oid).refunded == order.total


@contextmanager
def told():
    """What the payments log meanwhile."""
    # The list itself, for a logger that was used before keeps it.
    processors = models.payment.log.bind()._processors
    events, before = [], list(processors)

    def keep(_, level, event):
        events.append({**event, "level": level})
        raise structlog.DropEvent

    processors[:] = [keep]
    try:
        yield events
    finally:
        processors[:] = before


class Between:
    """Stands between the shop and the bank; `answers` holds its own (HTTP status, XML) for an action."""

    def __init__(self, real):
        self.answers, self.asked = {}, []
        between = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                action = fromstring(parse_qs(body)["DATA"][0]).findtext("Type") or "Query"
                between.asked.append(action)
                if action in between.answers:
                    status, content = between.answers[action]
                    content = content.encode()
                else:
                    headers = {"Content-Type": self.headers["Content-Type"]}
                    reply = requests.post(f"{real.url}{self.path}", data=body, headers=headers, timeout=5)
                    status, content = reply.status_code, reply.content
                self.send_response(status)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


FORBIDDEN = (403, "")
NO = (200, "<CC5Response><Response>Declined</Response><ProcReturnCode>05</ProcReturnCode></CC5Response>")
UNKNOWN_USER = (200, "<CC5Response><Response>Error</Response><ProcReturnCode>99</ProcReturnCode></CC5Response>")


@pytest.fixture
def between(at_bank, monkeypatch):
    between = Between(at_bank)
    point_to(monkeypatch, between.url)
    yield between
    between.server.shutdown()
    between.server.server_close()


def tried(refund):
    """One more round, at the refund's time; that moment."""
    moment = now_of(refund).try_at
    assert Refund.carry_out_all_due(moment) == 1
    return moment


@pytest.mark.rule("PAY-9")
@pytest.mark.parametrize(
    "answers",
    [{"Query": FORBIDDEN}, {"Credit": FORBIDDEN}, {"Credit": UNKNOWN_USER}, {"Credit": NO, "Void": NO}],
    ids=["books", "address", "user", "no"],
)
def test_a_refund_that_the_bank_refuses_is_tried_until_it_goes_through(world, at_bank, between, answers):
    order, payment, refund = surplus(world, at_bank)
    between.answers = answers
    with told() as events:
        moments = [tried(refund) for _ in range(16)]
    gaps = [(after - before).total_seconds() for before, after in zip(moments, moments[1:], strict=False)]
    assert gaps == sorted(gaps)
    assert gaps[0] == 60
    assert set(gaps[-3:]) == {REFUSED_WAIT}
    row = now_of(refund)
    assert (row.state, row.tries) == ("due", 16)
    assert row.reason
    errors = [event for event in events if event["level"] == "error"]
    assert errors[0] == {
        "event": "refund.stuck",
        "level": "error",
        "refund": refund.id,
        "payment": payment.id,
        "tries": 5,
        "refused": True,
    }
    # Once on each day since then.
    days = [(moments[event["tries"] - 1] - NOW).days for event in errors]
    assert len(days) > 3
    assert days == sorted(set(days))
    assert ("Void" in between.asked) == (answers.get("Credit") == NO)
    between.answers = {}
    tried(refund)
    assert now_of(refund).state == "done"
    assert bank().status(payment.oid).refunded == order.total


@pytest.mark.rule("PAY-9")
def test_a_payment_that_cannot_be_refunded_yet_is_voided(world, at_bank, between):
    _, payment, refund = surplus(world, at_bank)
    between.answers = {"Credit": NO}
    tried(refund)
    assert (now_of(refund).state, now_of(refund).reason) == ("done", "")
    assert between.asked == ["Query", "Credit", "Void"]
    assert bank().status(payment.oid).voided


@pytest.mark.rule("PAY-9")
def test_a_void_whose_reply_was_no_reply_is_found_in_the_books(world, at_bank, between):
    _, payment, refund = surplus(world, at_bank)
    between.answers = {"Credit": NO, "Void": (502, "")}
    tried(refund)
    assert now_of(refund).state == "due"
    del between.answers["Void"]
    bank().void(payment.oid)
    between.asked.clear()
    tried(refund)
    assert (now_of(refund).state, between.asked) == ("done", ["Query"])


@pytest.mark.rule("PAY-9")
@pytest.mark.parametrize("part", ["of the amount", "left of it"])
def test_a_part_is_never_voided(world, at_bank, between, part):
    order, payment, refund = surplus(world, at_bank)
    if part == "of the amount":
        Refund.update(amount=100).execute()
    else:
        bank().refund(payment.oid, 100)
    between.answers = {"Credit": NO}
    between.asked.clear()
    tried(refund)
    assert now_of(refund).state == "due"
    assert between.asked == ["Query", "Credit"]


@pytest.mark.rule("PAY-9")
def test_the_operator_has_a_refund_tried_before_its_time_but_never_beside_another(world, at_bank, between):
    order, payment, refund = surplus(world, at_bank)
    between.answers = {"Credit": FORBIDDEN}
    tried(refund)
    between.answers = {}
    held = Refund.claim_now(refund.id, NOW + timedelta(seconds=1))
    assert Refund.claim_now(refund.id, NOW + timedelta(seconds=2)) is None
    assert held.carry_out(NOW + timedelta(seconds=3)) == "done"
    assert Refund.claim_now(refund.id, later(60)) is None
    assert bank().status(payment.oid).refunded == order.total
    # One that was given up by an earlier version.
    Refund.update(state="refused", try_at=NOW).execute()
    assert Refund.claim_now(refund.id, later(60)).carry_out(later(60)) == "done"
    assert bank().status(payment.oid).refunded == order.total


@pytest.fixture
def run(app):
    return lambda *words: app.test_cli_runner().invoke(args=["refund", *words])


@pytest.mark.rule("PAY-9")
def test_the_command_lists_what_is_due_and_tries_it_by_number_or_id(world, at_bank, between, run):
    order, _, refund = surplus(world, at_bank)
    other, _, second = surplus(world, at_bank)
    between.answers = {"Credit": FORBIDDEN}
    Refund.carry_out_all_due(NOW)
    lines = run("list").output.splitlines()
    assert len(lines) == 2
    assert all(word in lines[0] for word in (f"{refund.id}  {order.number}", "tries 1", "HTTP 403"))
    assert "ana@example.com" not in lines[0]
    stays = run("retry", order.number)
    assert stays.exit_code == 1
    assert "stays due" in stays.output
    assert now_of(refund).tries == 2
    between.answers = {}
    assert run("retry", order.number).exit_code == 0
    assert (now_of(refund).state, now_of(second).state) == ("done", "due")
    assert run("retry", str(second.id)).exit_code == 0
    assert run("list").output == ""
    gone = run("retry", other.number)
    assert gone.exit_code == 1
    assert "no refund" in gone.output


@pytest.mark.rule("PAY-7")
def test_money_taken_with_half_3d_secure_waits_for_the_operator_and_is_an_error_in_the_log(
    world, at_bank, monkeypatch
):
    order, payment = ordered(world, "CASE-BLACK")
    monkeypatch.setattr(config, "BANK_ACCEPTED_MD_STATUS", frozenset({"9"}))
    fields = message(at_bank, payment)
    with told() as events:
        hear(fields, "return", later(1))
        assert now_of(payment).ask_bank(later(2)) == "unknown"
    assert {"event": "bank.captured_unaccepted", "level": "error", "payment": payment.id} in events
    assert Payment.lapse_all_due(later(LAPSED)) == 0
    bank().refund(payment.oid, order.total)
    with told() as events:
        assert now_of(payment).ask_bank(later(LAPSED + 1)) == "declined"
    assert events == []
    assert Payment.lapse_all_due(later(LAPSED + 2)) == 1
    assert Refund.select().count() == 0


@pytest.mark.rule("PAY-7")
def test_money_taken_after_a_decline_with_half_3d_secure_is_not_forgotten(world, at_bank, monkeypatch):
    order, payment = ordered(world, "CASE-BLACK")
    payment.settle(Verdict.DECLINED, later(1))
    accepted = config.BANK_ACCEPTED_MD_STATUS
    monkeypatch.setattr(config, "BANK_ACCEPTED_MD_STATUS", frozenset({"9"}))
    pay(at_bank, payment)
    with told() as events:
        assert now_of(payment).ask_bank(later(LAPSED + 10)) == "declined"
    assert [event["event"] for event in events] == ["bank.captured_unaccepted"]
    monkeypatch.setattr(config, "BANK_ACCEPTED_MD_STATUS", accepted)
    Payment.settle_all_due(now_of(payment).ask_at)
    assert now_of(payment).state == "paid"


@pytest.mark.rule("PAY-9")
def test_a_refund_is_in_the_hands_of_one_worker(world, at_bank):
    _, _, refund = surplus(world, at_bank)
    assert Refund.claim(NOW) == refund
    assert Refund.claim(NOW) is None
    assert Refund.claim_now(refund.id, NOW) is None
    over = NOW + timedelta(seconds=14 * config.BANK_TIMEOUT)
    assert Refund.claim(over) == refund
    assert Refund.claim_now(refund.id, over) is None


@pytest.mark.rule("PAY-9")
def test_a_refund_that_the_bank_made_by_hand_is_not_made_again(world, at_bank):
    order, payment, refund = surplus(world, at_bank)
    bank().void(payment.oid)
    Refund.carry_out_all_due(NOW)
    assert now_of(refund).state == "done"
    assert bank().status(payment.oid).voided


@pytest.mark.rule("PAY-9")
def test_a_payment_is_refunded_by_one_row_alone(world, at_bank):
    _, payment, _ = surplus(world, at_bank)
    with pytest.raises(IntegrityError), db.atomic():
        Refund.begin(payment, NOW)


@pytest.mark.rule("PAY-6")
def test_the_database_itself_refuses_a_second_paid_attempt(world):
    order, first = ordered(world, "CASE-BLACK")
    first.settle(Verdict.PAID, NOW)
    second = Payment.begin(Order.get_by_id(order.id), NOW)
    second.state = "paid"
    with pytest.raises(IntegrityError), db.atomic():
        second.save()


@pytest.mark.rule("PAY-5")
def test_nothing_of_a_card_is_kept(world, at_bank):
    _, payment = ordered(world, "CASE-BLACK")
    hear(message(at_bank, payment), "return", NOW)
    kept = [str(row) for table in (Payment, BankMessage) for row in table.select().dicts()]
    assert not re.search(r"400000|4000 00|\*{4}", " ".join(kept))


@pytest.mark.rule("PAY-8")
def test_the_last_piece_goes_to_one_of_a_late_payer_and_a_new_buyer(world, at_bank):
    world.set_stock("TAB-GREY-64", 1)
    order, payment = ordered(world, "TAB-GREY-64")
    lapse(order)
    other, _ = place(checkout_of(cart_with(world, "TAB-GREY-64", now=later(LAPSED))), later(LAPSED))
    hear(message(at_bank, payment), "return", later(LAPSED + 1))
    assert (now_of(order).state, now_of(other).state) == ("lapsed", "awaiting_payment")
    assert Variant.get(Variant.sku == "TAB-GREY-64").stock == 0
    assert Refund.select().count() == 1
    assert Refund.carry_out_all_due(later(LAPSED + 2)) == 1


@pytest.mark.rule("PAY-7")
def test_a_declined_attempt_is_looked_up_once_more_when_its_order_can_no_longer_be_paid(world, at_bank):
    order, payment = ordered(world, "CASE-BLACK")
    payment.settle(Verdict.DECLINED, later(1))
    assert Payment.settle_all_due(later(LAPSED)) == 0
    # On the same page another card was accepted, and nobody told the shop.
    pay(at_bank, payment)
    lapse(order)
    assert Payment.settle_all_due(later(LAPSED + 15)) == 1
    assert now_of(order).state == "confirmed"
    assert now_of(payment).state == "paid"


@pytest.mark.rule("PAY-7")
def test_a_declined_attempt_that_stays_declined_is_not_asked_for_again(world, at_bank):
    order, payment = ordered(world, "CASE-BLACK")
    payment.settle(Verdict.DECLINED, later(1))
    assert Payment.settle_all_due(later(LAPSED + 15)) == 1
    assert Payment.settle_all_due(later(LAPSED + 3000)) == 0
    assert now_of(payment).state == "declined"


@pytest.mark.rule("PAY-6")
def test_messages_of_nobody_are_forgotten_after_ninety_days(world, at_bank):
    order, payment = ordered(world, "CASE-BLACK")
    hear({"oid": "x"}, "callback", later(0))
    hear(message(at_bank, payment), "callback", later(1))
    assert forget_strangers(later(89 * 24 * 60)) == 0
    assert forget_strangers(later(91 * 24 * 60)) == 1
    assert BankMessage.select().count() == 1


@pytest.mark.rule("PAY-8")
def test_who_leaves_the_bank_without_paying_gets_the_way_back_by_mail_once(world, at_bank):
    order, payment = ordered(world, "CASE-BLACK")
    for minutes in (2, 4, 6, 12, 20):
        Payment.update(ask_at=later(minutes)).execute()
        Payment.settle_all_due(later(minutes))
        assert mails(order) == (["payment_failed"] if minutes > 5 else [])
    assert now_of(order).state == "awaiting_payment"
    assert Mail.get().key == f"payment_waiting:{order.id}"


@pytest.mark.rule("PAY-8")
def test_while_a_link_is_good_nobody_is_told_that_a_payment_is_missing_and_the_lapse_is_told_as_ever(world, at_bank):
    order, _ = ordered(world, "CASE-BLACK")
    # Who has the link looks at the bank's page and leaves it.
    PayLink.make(order, later(0)).pay(later(1))
    for minutes in (2, 6, 12, 29):
        Payment.update(ask_at=later(minutes)).execute()
        Payment.settle_all_due(later(minutes))
        assert mails(order) == ["pay_link"]
    Payment.update(ask_at=later(LAPSED)).execute()
    Payment.settle_all_due(later(LAPSED))
    assert Payment.lapse_all_due(later(LAPSED)) == 1
    assert mails(order) == ["pay_link", "order_lapsed"]


@pytest.mark.rule("PAY-8")
def test_who_takes_the_link_back_and_does_not_pay_gets_the_way_back_by_mail(world, at_bank):
    order, _ = ordered(world, "CASE-BLACK")
    PayLink.make(order, later(0))
    PayLink.revoke(order, later(2))
    Payment.update(ask_at=later(6)).execute()
    Payment.settle_all_due(later(6))
    assert mails(order) == ["pay_link", "payment_failed"]
