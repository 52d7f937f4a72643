"""The sandbox bank as a process of its own, driven over HTTP as a browser and the shop would."""

import dataclasses
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urljoin

import html5lib
import pytest
import requests

from gateways import GatewayError
from gateways.bank import Bank, ForgedMessage, Verdict, ver3_hash
from gateways.sandbox import bank_words
from gateways.sandbox.bank import TEST_CARDS, passes_luhn

ROOT = Path(__file__).resolve().parent.parent.parent
AMOUNT = 4998050
ACCOUNT = {
    "BANK_CLIENT_ID": "180000001",
    "BANK_STORE_KEY": "key|of\\test",
    "BANK_API_USER": "api",
    "BANK_API_PASSWORD": "p<&>w",
}


def environment(folder, **more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BANK_")}
    here = {"DYQANI_ENV": "test", "DYQANI_INSTANCE": str(folder), "BANK_SANDBOX_PORT": "0"}
    return {**kept, **here, **ACCOUNT, "BANK_SANDBOX_STORE": str(folder / "bank" / "store.sqlite3"), **more}


class Process:
    """The bank, started on a free port with its store in `folder`."""

    def __init__(self, folder, **more):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gateways.sandbox.bank"],
            cwd=ROOT,
            env=environment(folder, **more),
            stdout=subprocess.PIPE,
            stderr=(folder / "bank.log").open("a"),
            text=True,
        )
        line = self.process.stdout.readline()
        assert "http://127.0.0.1:" in line, (folder / "bank.log").read_text()
        self.url = re.search(r"http://\S+", line)[0]
        self.port = self.url.rpartition(":")[2]
        self.bank = Bank(
            gate_url=f"{self.url}/fim/est3Dgate",
            api_url=f"{self.url}/fim/api",
            client_id=ACCOUNT["BANK_CLIENT_ID"],
            store_key=ACCOUNT["BANK_STORE_KEY"],
            api_user=ACCOUNT["BANK_API_USER"],
            api_password=ACCOUNT["BANK_API_PASSWORD"],
            timeout=5,
        )

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait(10)
        self.process.stdout.close()
        return code


class Shop:
    """Takes what the bank posts to it: `returns` through the browser, `callbacks` from server to server."""

    def __init__(self):
        self.returns, self.callbacks, self.reply, self.status, self.pause = [], [], b"Approved", 200, 0
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                fields = dict(parse_qsl(body, keep_blank_values=True))
                if self.path != "/callback":
                    shop.returns.append(fields)
                    answer, status = b"welcome back", 200
                else:
                    answer, status = shop.reply, shop.status
                    shop.callbacks.append(fields)
                    time.sleep(shop.pause)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def form(self, bank, oid, language="en", amount=AMOUNT):
        return bank.payment_form(
            oid,
            amount,
            f"{self.url}/return",
            f"{self.url}/callback",
            language,
            secrets.token_hex(8),
            {"name": "Ана | Тест\\"},
        )

    def callbacks_about(self, oid, count, within=6.0):
        """The callbacks for `oid`, once there are `count` of them."""
        found, until = [], time.monotonic() + within
        while len(found) < count and time.monotonic() < until:
            found = [fields for fields in self.callbacks if fields["oid"] == oid]
            time.sleep(0.02)
        return found


class Page:
    """One answer as a browser sees it: its forms can be filled in and sent with one of their buttons."""

    def __init__(self, session, response):
        self.session, self.response, self.status = session, response, response.status_code
        self.document = html5lib.parse(response.text, namespaceHTMLElements=False)

    def one(self, path):
        found = self.document.find(path)
        assert found is not None, f"{path} is not in {self.response.text}"
        return found

    def form(self, name):
        form = self.one(f".//form[@id='{name}']")
        fields = {e.get("name"): e.get("value", "") for e in form.iter("input")}
        return urljoin(self.response.url, form.get("action")), fields

    def send(self, name, **typed):
        action, fields = self.form(name)
        return Page(self.session, self.session.post(action, data={**fields, **typed}, timeout=10))

    def has(self, path):
        return self.document.find(path) is not None

    @property
    def text(self):
        return " ".join("".join(self.document.itertext()).split())


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    process = Process(tmp_path_factory.mktemp("bank"))
    yield process
    assert process.end() == 0


@pytest.fixture
def bank(running):
    return running.bank


@pytest.fixture
def shop():
    shop = Shop()
    yield shop
    shop.server.shutdown()
    shop.server.server_close()


@pytest.fixture
def oid():
    return f"T-{secrets.token_hex(5)}"


def open_page(bank, form):
    session = requests.Session()
    session.trust_env = False
    return Page(session, session.post(bank.gate_url, data=form, timeout=10))


def give_card(page, card, action="pay"):
    """Choose a test card by its link, as a shopper would, and go on to the 3-D Secure step."""
    link = page.one(f".//a[@id='use-{card}']").get("href")
    filled = Page(page.session, page.session.get(urljoin(page.response.url, link), timeout=10))
    assert filled.form("card")[1]["number"] == TEST_CARDS[card].spaced
    return filled.send("card", action=action)


def pay(bank, form, card):
    """The whole way to the bank's result page."""
    step = give_card(open_page(bank, form), card)
    return step.send("code-form", code=step.one(".//output[@id='given']").text, action="confirm")


@pytest.mark.rule("PAY-5")
@pytest.mark.parametrize("card", ["approve", "approve_mastercard"])
def test_an_approving_card_comes_back_signed_through_browser_and_callback(bank, shop, oid, card):
    result = pay(bank, shop.form(bank, oid), card)
    assert result.send("return").text == "welcome back"
    back, called = bank.read(shop.returns[0]), bank.read(shop.callbacks_about(oid, 1)[0])
    assert bank.verdict(back, oid, AMOUNT) is bank.verdict(called, oid, AMOUNT) is Verdict.PAID
    assert (back.is_callback, called.is_callback) == (False, True)
    assert back.auth_code == called.auth_code != ""
    assert back.trans_id == called.trans_id != ""
    status = bank.status(oid)
    assert (status.verdict, status.captured, status.auth_code) == (Verdict.PAID, AMOUNT, back.auth_code)
    assert (status.trans_id, status.host_ref, status.md_status) == (back.trans_id, back.host_ref, "1")


@pytest.mark.rule("PAY-6")
@pytest.mark.parametrize(
    ("card", "code", "md_status"), [("decline", "51", "1"), ("expired", "54", "1"), ("fail_3d", "99", "0")]
)
def test_a_refusing_card_is_declined_everywhere(bank, shop, oid, card, code, md_status):
    pay(bank, shop.form(bank, oid), card).send("return")
    messages = [bank.read(shop.returns[0]), bank.read(shop.callbacks_about(oid, 1)[0])]
    for message in messages:
        assert (message.proc_return_code, message.md_status) == (code, md_status)
        assert bank.verdict(message, oid, AMOUNT) is Verdict.DECLINED
        assert message.error
    status = bank.status(oid)
    assert (status.verdict, status.captured) == (Verdict.DECLINED, None)


@pytest.mark.rule("PAY-7")
def test_a_lost_return_leaves_the_browser_at_the_bank_and_the_callback_tells(bank, shop, oid):
    result = pay(bank, shop.form(bank, oid), "lost_return")
    assert not result.has(".//form")
    assert bank.verdict(bank.read(shop.callbacks_about(oid, 1)[0]), oid, AMOUNT) is Verdict.PAID
    assert shop.returns == []


@pytest.mark.rule("PAY-7")
def test_when_return_and_callback_are_lost_only_the_status_query_tells(bank, shop, oid):
    result = pay(bank, shop.form(bank, oid), "lost_both")
    assert not result.has(".//form")
    assert bank.status(oid).verdict is Verdict.PAID
    assert shop.callbacks_about(oid, 1, within=1.5) == []


@pytest.mark.rule("PAY-6")
def test_the_same_callback_comes_twice_and_has_one_digest(bank, shop, oid):
    pay(bank, shop.form(bank, oid), "twice")
    twice = [bank.read(fields) for fields in shop.callbacks_about(oid, 2)]
    assert len(twice) == 2
    assert twice[0].digest == twice[1].digest


@pytest.mark.rule("PAY-6")
def test_the_forged_callback_comes_first_and_is_recognised(bank, shop, oid):
    pay(bank, shop.form(bank, oid), "forged")
    forged, genuine = shop.callbacks_about(oid, 2)
    assert forged["amount"] == "1.00"
    assert forged["Response"] == "Approved"
    with pytest.raises(ForgedMessage, match="wrong"):
        bank.read(forged)
    assert bank.verdict(bank.read(genuine), oid, AMOUNT) is Verdict.PAID


@pytest.mark.rule("PAY-7")
def test_the_slow_cards_callback_comes_after_three_seconds_and_before_the_return(bank, shop, oid):
    started = time.monotonic()
    page = pay(bank, shop.form(bank, oid), "slow")
    assert page.response.headers["Refresh"] == "1"
    assert not page.has(".//form")
    assert shop.callbacks_about(oid, 1)
    assert 2.8 < time.monotonic() - started < 5
    time.sleep(0.1)
    page = Page(page.session, page.session.get(page.response.url, timeout=10))
    page.send("return")
    assert bank.read(shop.returns[0]).oid == oid


@pytest.mark.rule("PAY-8")
@pytest.mark.parametrize("where", ["card", "code-form"])
def test_cancelling_comes_back_as_a_decline(bank, shop, oid, where):
    page = open_page(bank, shop.form(bank, oid))
    if where == "code-form":
        page = give_card(page, "approve")
    page.send(where, action="cancel").send("return")
    assert bank.verdict(bank.read(shop.returns[0]), oid, AMOUNT) is Verdict.DECLINED
    assert bank.verdict(bank.read(shop.callbacks_about(oid, 1)[0]), oid, AMOUNT) is Verdict.DECLINED
    assert bank.status(oid).verdict is Verdict.DECLINED


@pytest.mark.rule("PAY-8")
def test_a_declined_order_may_be_tried_again_with_a_new_form(bank, shop, oid):
    pay(bank, shop.form(bank, oid), "decline")
    pay(bank, shop.form(bank, oid), "approve")
    assert bank.status(oid).verdict is Verdict.PAID


@pytest.mark.rule("PAY-6")
def test_a_paid_order_is_never_paid_again(bank, shop, oid):
    form = shop.form(bank, oid)
    first = pay(bank, form, "approve").form("return")[1]
    for again in (form, shop.form(bank, oid)):
        page = open_page(bank, again)
        message = bank.read(page.form("return")[1])
        assert (message.response, message.proc_return_code) == ("Error", "99")
        assert bank.verdict(message, oid, AMOUNT) is Verdict.UNKNOWN
    assert bank.status(oid).trans_id == first["TransId"]
    assert len(shop.callbacks_about(oid, 2, within=0.5)) == 1


@pytest.mark.rule("PAY-6")
def test_two_tabs_of_one_order_pay_it_once(bank, shop, oid):
    tabs = [give_card(open_page(bank, shop.form(bank, oid)), "approve") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda tab: tab.send("code-form", code="123456", action="confirm"), tabs))
    responses = sorted(bank.read(page.form("return")[1]).response for page in pages)
    assert responses == ["Approved", "Error", "Error", "Error"]


@pytest.mark.rule("PAY-6")
def test_a_double_click_decides_once_and_shows_the_same_result(bank, shop, oid):
    step = give_card(open_page(bank, shop.form(bank, oid)), "approve")
    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda _: step.send("code-form", code="123456", action="confirm"), range(4)))
    assert len({page.form("return")[1]["TransId"] for page in pages}) == 1
    assert len(shop.callbacks_about(oid, 2, within=0.7)) == 1


def test_reload_and_back_lead_to_the_step_where_the_payment_is(bank, shop, oid):
    form = shop.form(bank, oid)
    first = open_page(bank, form)
    assert open_page(bank, form).response.url == first.response.url
    step = give_card(first, "approve")
    again = Page(first.session, first.session.get(first.response.url, timeout=10))
    assert again.response.url == step.response.url
    done = step.send("code-form", code="000000", action="confirm")
    assert first.send("card", number="x").response.url == done.response.url


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("number", ""),
        ("number", "4000 0000 0000 0003"),
        ("number", "4242 4242 4242 4242"),
        ("number", "4" * 30),
        ("number", "abc\x00ë"),
        ("expiry", ""),
        ("expiry", "13/30"),
        ("expiry", "01/20"),
        ("expiry", "1230000"),
        ("cvv", ""),
        ("cvv", "12"),
        ("cvv", "١٢٣"),
    ],
)
def test_a_wrong_card_field_is_told_beside_it_and_nothing_moves(bank, shop, oid, field, typed):
    page = open_page(bank, shop.form(bank, oid))
    card = {"number": TEST_CARDS["approve"].number, "expiry": "12/35", "cvv": "123", field: typed}
    answer = page.send("card", **card, action="pay")
    assert answer.status == 422
    wrong = answer.one(f".//input[@id='{field}']")
    assert wrong.get("aria-invalid") == "true"
    assert f"{field}-error" in wrong.get("aria-describedby").split()
    assert answer.one(f".//p[@id='{field}-error']").text
    assert answer.one(".//div[@role='alert']//a").get("href") == f"#{field}"
    kept = answer.form("card")[1]
    assert kept["cvv"] == ""
    if field != "number":
        assert kept["number"] == TEST_CARDS["approve"].number
    assert bank.status(oid).verdict is Verdict.NOT_FOUND


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a"])
def test_a_wrong_code_is_told_beside_its_field(bank, shop, oid, code):
    step = give_card(open_page(bank, shop.form(bank, oid)), "approve")
    answer = step.send("code-form", code=code, action="confirm")
    assert answer.status == 422
    assert answer.one(".//p[@id='code-error']").text
    assert bank.status(oid).verdict is Verdict.NOT_FOUND


@pytest.mark.rule("PAY-6")
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"amount": "1.00"}, "hash does not fit"),
        ({"hash": "x"}, "hash does not fit"),
        ({"hash": None}, "hash is missing"),
        ({"oid": ""}, "oid is missing"),
        ({"OID": "other"}, "given twice"),
        ({"hashAlgorithm": "ver2"}, "ver3"),
        ({"clientid": "1", "hash": ...}, "not a merchant"),
        ({"storetype": "3d", "hash": ...}, "3d_pay_hosting"),
        ({"TranType": "PreAuth", "hash": ...}, "Auth"),
        ({"amount": "0.00", "hash": ...}, "above zero"),
        ({"amount": "1.299,00", "hash": ...}, "above zero"),
        ({"currency": "000", "hash": ...}, "ISO number"),
        ({"okUrl": "javascript:alert(1)", "hash": ...}, "okUrl"),
        ({"callbackUrl": "file:///etc/passwd", "hash": ...}, "callbackUrl"),
        ({"failUrl": "http://[", "hash": ...}, "failUrl"),
    ],
    ids=str,
)
def test_a_broken_request_shows_what_is_wrong_and_opens_nothing(bank, shop, oid, changes, told):
    fields = {**shop.form(bank, oid), **changes}
    if fields["hash"] is ...:
        fields["hash"] = ver3_hash(fields, bank.store_key)
    page = open_page(bank, {name: value for name, value in fields.items() if value is not None})
    assert page.status == 400
    assert told in page.text
    assert not page.has(".//form")
    assert bank.store_key not in page.text


def test_oversized_and_undecodable_requests_are_refused(bank):
    assert requests.post(bank.gate_url, data={"oid": "x" * 100_000}, timeout=10).status_code == 413
    assert requests.post(bank.gate_url, data=b"oid=%ff%fe&\xff=\xfe", timeout=10).status_code == 400
    assert requests.get(bank.gate_url, timeout=10).status_code == 405
    assert requests.get(bank.gate_url.replace("fim/est3Dgate", "pay/nobody"), timeout=10).status_code == 404


@pytest.mark.rule("PAY-9")
def test_refunds_add_up_and_never_exceed_what_was_captured(bank, shop, oid):
    pay(bank, shop.form(bank, oid), "approve")
    first = bank.refund(oid, 98050)
    assert first.trans_id
    part = bank.status(oid)
    assert (part.verdict, part.captured, part.refunded) == (Verdict.PAID, AMOUNT, 98050)
    with pytest.raises(GatewayError, match="More than was captured") as caught:
        bank.refund(oid, AMOUNT - 98050 + 1)
    assert caught.value.permanent
    with pytest.raises(GatewayError, match="cannot be voided"):
        bank.void(oid)
    bank.refund(oid, AMOUNT - 98050)
    whole = bank.status(oid)
    assert (whole.verdict, whole.refunded) == (Verdict.DECLINED, AMOUNT)


@pytest.mark.rule("PAY-9")
def test_simultaneous_refunds_of_the_whole_amount_give_it_back_once(bank, shop, oid):
    pay(bank, shop.form(bank, oid), "approve")

    def refund(_):
        try:
            return bank.refund(oid, AMOUNT).trans_id
        except GatewayError as error:
            return error.permanent

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(refund, range(4)))
    assert answers.count(True) == 3
    assert bank.status(oid).refunded == AMOUNT


@pytest.mark.rule("PAY-9")
def test_a_void_happens_once_and_ends_refunds(bank, shop, oid):
    pay(bank, shop.form(bank, oid), "approve")
    bank.void(oid)
    status = bank.status(oid)
    assert (status.verdict, status.voided) == (Verdict.DECLINED, True)
    for act in (lambda: bank.void(oid), lambda: bank.refund(oid, 100)):
        with pytest.raises(GatewayError, match="void"):
            act()


@pytest.mark.rule("PAY-9")
def test_nothing_is_refunded_or_voided_that_was_not_paid(bank, shop, oid):
    for act in (lambda: bank.refund(oid, 100), lambda: bank.void(oid)):
        with pytest.raises(GatewayError, match="No record"):
            act()
    pay(bank, shop.form(bank, oid), "decline")
    with pytest.raises(GatewayError, match="No record"):
        bank.refund(oid, 100)


def test_the_api_refuses_strangers_and_what_is_no_request(bank):
    for change in ({"api_password": "wrong"}, {"api_user": "x"}, {"client_id": "1"}):
        with pytest.raises(GatewayError, match="CORE-2001") as caught:
            dataclasses.replace(bank, **change).status("T-1")
        assert caught.value.permanent
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><CC5Request><Name>&a;</Name></CC5Request>'
    for data in ("", "<CC5Request", "<html/>", bomb):
        answer = requests.post(bank.api_url, data={"DATA": data}, timeout=10)
        assert answer.status_code == 200
        assert "<Response>Error</Response>" in answer.text


@pytest.mark.rule("PAY-7")
def test_a_callback_is_repeated_until_the_reply_is_exactly_as_agreed(bank, shop, oid):
    shop.reply = b"Approved\n"
    pay(bank, shop.form(bank, oid), "approve")
    assert len(shop.callbacks_about(oid, 1)) == 1
    shop.reply, shop.status = b"Approved", 500
    assert len(shop.callbacks_about(oid, 2)) == 2
    shop.status = 200
    tried = shop.callbacks_about(oid, 3)
    assert len(tried) == 3
    assert len({tuple(sorted(fields.items())) for fields in tried}) == 1
    assert len(shop.callbacks_about(oid, 4, within=1.5)) == 3


@pytest.mark.rule("PAY-7")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["kill", "term"])
def test_a_bank_that_was_stopped_goes_on_where_it_was(tmp_path, shop, number):
    shop.status = 503
    first = Process(tmp_path)
    pay(first.bank, shop.form(first.bank, "T-paid"), "approve")
    half = give_card(open_page(first.bank, shop.form(first.bank, "T-half")), "approve")
    assert shop.callbacks_about("T-paid", 1)
    started = time.monotonic()
    first.end(number)
    assert time.monotonic() - started < 3
    shop.callbacks.clear()
    shop.status = 200
    second = Process(tmp_path)
    try:
        called = shop.callbacks_about("T-paid", 1)
        assert second.bank.verdict(second.bank.read(called[0]), "T-paid", AMOUNT) is Verdict.PAID
        assert second.bank.status("T-paid").captured == AMOUNT
        half.response.url = half.response.url.replace(first.port, second.port)
        half.send("code-form", code="123456", action="confirm")
        assert second.bank.status("T-half").verdict is Verdict.PAID
    finally:
        second.end()


def start(folder, **more):
    return subprocess.run(
        [sys.executable, "-m", "gateways.sandbox.bank"],
        cwd=ROOT,
        env=environment(folder, **more),
        capture_output=True,
        text=True,
        timeout=20,
    )


@pytest.mark.rule("PRV-6")
def test_the_sandbox_refuses_to_start_in_production(tmp_path):
    ended = start(tmp_path, DYQANI_ENV="production")
    assert ended.returncode == 1
    assert "does not start in production" in ended.stderr
    assert not (tmp_path / "bank").exists()


def test_the_sandbox_refuses_any_address_but_loopback(tmp_path, running):
    ended = start(tmp_path, BANK_SANDBOX_HOST="0.0.0.0")  # noqa: S104
    assert ended.returncode == 1
    assert "127.0.0.1 only" in ended.stderr
    answer = requests.get(f"{running.url}/health", headers={"Host": "bank.example.com"}, timeout=10)
    assert answer.status_code == 421


def test_a_port_in_use_is_said_clearly(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = start(tmp_path, BANK_SANDBOX_PORT=str(taken.getsockname()[1]))
    assert ended.returncode == 1
    assert "BANK_SANDBOX_PORT" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_store_that_cannot_be_written_is_said_clearly(tmp_path):
    (tmp_path / "file").write_text("")
    ended = start(tmp_path, BANK_SANDBOX_STORE=str(tmp_path / "file" / "store.sqlite3"))
    assert ended.returncode == 1
    assert "cannot open its store" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_health_page_answers(running):
    assert requests.get(f"{running.url}/health", timeout=10).json()["status"] == "ok"


@pytest.mark.rule("LOC-1")
@pytest.mark.parametrize(("language", "amount"), [("sq", "49.980,50"), ("mk", "49.980,50"), ("en", "49,980.50")])
def test_the_pages_speak_the_language_of_the_request(bank, shop, oid, language, amount):
    page = open_page(bank, shop.form(bank, oid, language))
    assert page.document.get("lang") == language
    assert bank_words.word("card_title", language) in page.text
    assert f"{amount} MKD" in page.text.replace("\u00a0", " ")
    result = pay(bank, shop.form(bank, oid, language), "approve")
    assert bank_words.word("approved_title", language) in result.text


@pytest.mark.rule("LOC-1")
def test_every_text_exists_in_three_languages():
    for key, texts in bank_words._WORDS.items():
        assert len(texts) == 3, key
        assert all(text.strip() for text in texts), key


def test_no_page_carries_inline_script_or_style(bank, shop, oid, running):
    step = give_card(open_page(bank, shop.form(bank, oid)), "approve")
    home = requests.get(running.url, timeout=10)
    pages = [step, open_page(bank, {}), step.send("code-form", code="1"), Page(None, home)]
    pages.append(step.send("code-form", code="123456", action="confirm"))
    for page in pages:
        assert "'unsafe" not in page.response.headers["Content-Security-Policy"]
        for element in page.document.iter():
            assert element.tag != "style"
            assert element.get("style") is None
            assert not [name for name in element.attrib if name.startswith("on")]
            if element.tag == "script":
                source = urljoin(page.response.url, element.get("src"))
                assert requests.get(source, timeout=10).status_code == 200
                assert not (element.text or "").strip()
        strict = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
        strict.parse(page.response.text)


def test_every_test_card_is_listed_and_has_a_valid_number_of_its_own(running):
    page = requests.get(running.url, timeout=10).text
    assert len({card.number for card in TEST_CARDS.values()}) == len(TEST_CARDS)
    for card in TEST_CARDS.values():
        assert passes_luhn(card.number)
        assert card.spaced in page
    assert not passes_luhn("4000000000000003")
