"""How the shop tells the operator of events, against the sandbox endpoint and receivers that misbehave."""

import http.client
import json
import re
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gateways import GatewayError
from gateways.bss import SIGNATURE, TIMESTAMP, BadSignature, Operator, Unreachable, sign, verify
from gateways.sandbox.bss import Endpoint, Network

SECRET = "the webhook's secret"
BODY = b'{"id": "e-1", "sequence": 1}'
NOW = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)


@pytest.fixture
def endpoint():
    with Endpoint(0, SECRET) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


def tell(endpoint, secret=SECRET, event="e-1", body=BODY, now=None):
    Operator(endpoint.url, secret, 2).tell(event, body, now or datetime.now(UTC))


def test_an_event_arrives_signed_and_the_receiver_says_that_it_has_it(endpoint):
    tell(endpoint)
    tell(endpoint)
    assert [event["id"] for event in endpoint.deliveries] == ["e-1", "e-1"]
    assert endpoint.taken == [json.loads(BODY)]


def test_a_receiver_that_knows_another_secret_is_as_good_as_away(endpoint):
    with pytest.raises(Unreachable):
        tell(endpoint, secret="another")
    with pytest.raises(Unreachable):
        tell(endpoint, now=datetime.now(UTC) - timedelta(seconds=400))
    assert endpoint.taken == []


@pytest.mark.parametrize("status", [400, 409, 410, 413, 415, 422])
def test_what_is_refused_is_refused_for_good(endpoint, status):
    endpoint.answers = [status]
    with pytest.raises(GatewayError) as caught:
        tell(endpoint)
    assert caught.value.permanent
    assert str(caught.value) == f"The operator's endpoint answered HTTP {status}."


@pytest.mark.parametrize("status", [500, 501, 507])
def test_a_receiver_that_stumbles_over_an_event_may_take_it_later(endpoint, status):
    endpoint.answers = [status]
    with pytest.raises(GatewayError) as caught:
        tell(endpoint)
    assert not caught.value.permanent
    assert not isinstance(caught.value, Unreachable)


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404, 408, 425, 429, 502, 503, 504, 0])
def test_a_receiver_that_takes_nothing_now_is_told_apart(endpoint, status):
    endpoint.answers = [status]
    with pytest.raises(Unreachable):
        tell(endpoint)


def test_a_receiver_that_is_silent_or_speaks_something_else_is_as_good_as_away():
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/events"
        with pytest.raises(Unreachable, match="TimeoutError"):
            Operator(url, SECRET, 0.2).tell("e-1", BODY, NOW)

        def babble():
            for _ in range(2):
                connection, _ = server.accept()
                connection.recv(4096)
                connection.sendall(b"220 mail.example.com ESMTP\r\n")
                connection.close()

        thread = threading.Thread(target=babble, daemon=True)
        thread.start()
        with pytest.raises(Unreachable):
            Operator(url, SECRET, 2).tell("e-1", BODY, NOW)
    with pytest.raises(Unreachable, match="ConnectionRefusedError"):
        Operator(url, SECRET, 2).tell("e-1", BODY, NOW)


@pytest.mark.parametrize("url", ["", "ftp://example.com/", "https:///events", "https://example.com/#x"])
def test_an_address_that_cannot_be_is_refused(url):
    with pytest.raises(ValueError, match="webhook"):
        Operator(url, SECRET)


def test_the_secret_is_not_shown():
    assert SECRET not in repr(Operator("https://example.com/", SECRET))


def test_a_signature_is_of_time_body_and_secret():
    timestamp = str(int(NOW.timestamp()))
    verify([SECRET], timestamp, sign(SECRET, timestamp, BODY), BODY, NOW)
    for change in (
        {"secrets": ["another"]},
        {"secrets": []},
        {"body": BODY + b" "},
        {"timestamp": str(int(timestamp) + 1)},
        {"now": NOW + timedelta(seconds=301)},
        {"now": NOW - timedelta(seconds=301)},
        {"signature": sign(SECRET, timestamp, BODY).removeprefix("sha256=")},
    ):
        good = {"secrets": [SECRET], "timestamp": timestamp, "signature": sign(SECRET, timestamp, BODY), "body": BODY}
        with pytest.raises(BadSignature):
            verify(**{**good, "now": NOW, **change})


def test_the_documentations_check_takes_what_the_shop_signs_and_nothing_else(endpoint):
    text = (Path(__file__).resolve().parents[2] / "docs" / "bss.md").read_text(encoding="utf-8")
    names = {}
    exec(re.search(r"```python\n(.*?)```", text, re.S)[1], names)  # noqa: S102, the code is our documentation's
    check = names["event_in"]
    for age, good in ((0, True), (400, False)):
        timestamp = str(int(datetime.now(UTC).timestamp()) - age)
        headers = http.client.HTTPMessage()
        headers[TIMESTAMP], headers[SIGNATURE] = timestamp, sign(SECRET, timestamp, BODY)
        if good:
            assert check(headers, BODY, SECRET.encode()) == json.loads(BODY)
            for secret, body in ((b"another", BODY), (SECRET.encode(), BODY + b" ")):
                with pytest.raises(ValueError, match="not signed"):
                    check(headers, body, secret)
        else:
            with pytest.raises(ValueError, match="too long ago"):
                check(headers, BODY, SECRET.encode())


# What the points club orders


class Shop(BaseHTTPRequestHandler):
    """Takes what the network pushes; `answers` are given first, 200 after them."""

    def do_POST(self):  # noqa: N802
        body = self.rfile.read(int(self.headers["Content-Length"]))
        verify(["push"], self.headers[TIMESTAMP], self.headers[SIGNATURE], body, datetime.now(UTC))
        self.server.pushed.append((self.path, json.loads(body)))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.mark.rule("CLB-11")
@pytest.mark.parametrize("answers", [[], [503]])
def test_the_sandbox_gives_what_is_ordered_and_tells_the_shop_until_it_hears(answers):
    event = {"id": "e-1", "kind": "club_service_ordered", "data": {"service": "s-1"}}
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as shop:
        shop.pushed, shop.answers = [], list(answers)
        threading.Thread(target=shop.serve_forever, args=(0.02,), daemon=True).start()
        network = Network(f"http://127.0.0.1:{shop.server_address[1]}", "push", after=0)
        with Endpoint(0, SECRET, network=network) as endpoint:
            for told in (event, event, {**event, "id": "e-2", "kind": "order_lapsed"}):
                assert endpoint.take(told) == 200
            deadline = time.monotonic() + 10
            while len(shop.pushed) < 1 + len(answers) and time.monotonic() < deadline:
                time.sleep(0.02)
        shop.shutdown()
    assert {path for path, _ in shop.pushed} == {"/bss/club_service"}
    assert [told["id"] for _, told in shop.pushed] == ["given-e-1"] * (1 + len(answers))
    assert shop.pushed[0][1]["data"] == {"service": "s-1", "result": "active"}
