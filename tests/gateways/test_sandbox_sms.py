"""The sandbox SMS gateway as a process: it answers as Kannel does, keeps SMS, and brings reports."""

import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from gateways import GatewayError
from gateways.sandbox.sms import read_sms, report_address, shown_by_handset, store
from gateways.sms import ReportStatus, SmsGateway, read_report
from tests.processes import Process, SmsSink, free_port

pytestmark = pytest.mark.rule("MSG-2")

NUMBER = "38970100020"


@pytest.fixture(scope="module")
def sink(tmp_path_factory):
    sink = SmsSink(tmp_path_factory.mktemp("sms"))
    yield sink
    sink.end()


@pytest.fixture
def inbox(sink):
    sink.empty()
    return sink


@pytest.fixture
def shop():
    """Takes reports."""
    reports = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            reports.put(dict(parse_qsl(urlsplit(self.path).query)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{http.server_address[1]}/sms/report?secret=a%2Fb%25", reports
    http.shutdown()
    http.server_close()


def gateway(sink, **more):
    return SmsGateway(**{"url": sink.url, "user": "sandbox", "password": "sandbox", "sender": "Dyqani"} | more)


@pytest.mark.parametrize("text", ["Kodi: 123456 [po] €", "Nëse është çelës", "Вашиот код: ѓ ќ џ", "po 😀\nrreshti"])
def test_an_sms_is_kept_letter_by_letter(inbox, text):
    gateway(inbox).send(NUMBER, text, "m-1")
    [sms] = inbox.messages()
    assert (sms["from"], sms["to"], sms["text"]) == ("Dyqani", NUMBER, text)
    assert sms["at"].tzinfo is not None


def test_letters_without_their_coding_arrive_as_question_marks(inbox):
    login = {"username": "sandbox", "password": "sandbox", "from": "x", "to": NUMBER, "charset": "UTF-8"}
    assert requests.get(inbox.url, params={**login, "text": "çë ж a"}, timeout=5).status_code == 202
    assert inbox.messages()[0]["text"] == "?? ? a"
    assert shown_by_handset("ë", "2") == "ë"


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({"password": "wrong"}, 403, "Authorization failed for sendsms"),
        ({"username": None}, 403, "Authorization failed for sendsms"),
        ({"to": None}, 400, "Missing receiver number, rejected"),
        ({"to": "abc"}, 400, "Garbage 'to' field, rejected."),
        ({"to": "38970100020 38970100021"}, 400, "Garbage 'to' field, rejected."),
        ({"from": None}, 400, "Sender missing and no global set, rejected"),
        ({"to": "38970109990"}, 403, "Not routable. Do not try again."),
        ({"to": "38970109991"}, 503, "Temporal failure, try again later."),
        ({}, 202, "0: Accepted for delivery"),
    ],
)
def test_it_answers_in_kannels_words(inbox, changed, status, words):
    fields = {"username": "sandbox", "password": "sandbox", "from": "x", "to": NUMBER, "text": "po"} | changed
    answer = requests.get(inbox.url, params=fields, timeout=5)
    assert (answer.status_code, answer.text) == (status, words)
    assert len(inbox.messages()) == (status == 202)


@pytest.mark.parametrize(("number", "permanent"), [("38970109990", True), ("38970109991", False)])
def test_the_shops_side_understands_its_refusals(inbox, number, permanent):
    with pytest.raises(GatewayError) as caught:
        gateway(inbox).send(number, "po", "m-1")
    assert caught.value.permanent == permanent


@pytest.mark.parametrize(
    ("number", "last"),
    [
        (NUMBER, ReportStatus.DELIVERED),
        ("38970109992", ReportStatus.FAILED),
        ("38970109993", ReportStatus.REJECTED),
    ],
)
def test_reports_come_under_the_messages_id(inbox, shop, number, last):
    url, reports = shop
    gateway(inbox, dlr_url=url).send(number, "po", "m-77")
    calls = [reports.get(timeout=5) for _ in range(2)]
    assert [call["secret"] for call in calls] == ["a/b%"] * 2
    assert [read_report(call).message_id for call in calls] == ["m-77"] * 2
    assert {read_report(call).status for call in calls} == {ReportStatus.ACCEPTED, last}


def test_a_shop_that_is_away_does_not_hurt_it(inbox):
    gateway(inbox, dlr_url=f"http://127.0.0.1:{free_port()}/x").send(NUMBER, "po", "m-1")
    gateway(inbox).send(NUMBER, "po", "m-2")
    assert len(inbox.messages()) == 2


def test_a_report_address_is_made_as_kannel_makes_it():
    assert report_address("http://s/r?a=1%%2F&status=%d", ReportStatus.DELIVERED) == "http://s/r?a=1%2F&status=1"


def test_sms_are_read_newest_first_beside_other_files(tmp_path):
    assert read_sms(tmp_path / "none") == []
    for text in ("a", "b", "c"):
        store(tmp_path, "x", NUMBER, text)
    (tmp_path / ".arriving-1").write_text("{")
    (tmp_path / "mail.eml").write_text("x")
    assert [sms["text"] for sms in read_sms(tmp_path)] == ["c", "b", "a"]
    assert [sms["text"] for sms in read_sms(tmp_path, limit=1)] == ["c"]


def test_it_says_no_in_production_and_when_its_port_is_taken(tmp_path, sink):
    ended = Process(tmp_path, "sms", "gateways.sandbox.sms", DYQANI_ENV="production")
    assert ended.process.wait(20) == 1
    assert "does not run in production" in ended.log.read_text()
    ended.end()
    port = sink.url.split(":")[2].partition("/")[0]
    taken = Process(tmp_path, "sms2", "gateways.sandbox.sms", SMS_SANDBOX_PORT=port)
    assert taken.process.wait(20) == 1
    assert "cannot listen on port" in taken.log.read_text()
    taken.end()


def test_it_stops_at_once_when_it_is_told_to(tmp_path):
    sink = SmsSink(tmp_path)
    assert sink.end(5) == 0
