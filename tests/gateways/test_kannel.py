"""The SMS gateway through a real Kannel, with the configuration of docs/sms.md and Kannel's own test handset.

Skipped where Debian's packages kannel and kannel-extras are not installed.
"""

import queue
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from werkzeug.datastructures import MultiDict

import config
from gateways import GatewayError
from gateways.sms import ReportStatus, answer_headers, read_inbound, read_report, segments
from models.security_code import SecurityCode
from models.sms import Sms
from tests.kannel import NUMBER, PATIENCE, SHORT, Kannel, needed
from tests.world import NOW, profile

pytestmark = [pytest.mark.rule("MSG-2"), needed]


class Shop:
    """Takes the calls of Kannel; answers an inbound SMS with `words`, by the gateway's own headers."""

    def __init__(self):
        shop = self
        self.inbound, self.reports, self.words = queue.Queue(), queue.Queue(), ""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                parts = urlsplit(self.path)
                args = MultiDict(parse_qsl(parts.query, keep_blank_values=True))
                (shop.inbound if parts.path == "/sms/inbound" else shop.reports).put(args)
                body = shop.words.encode()
                self.send_response(200)
                for name, value in answer_headers(shop.words).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture(scope="module")
def kannel(tmp_path_factory):
    shop = Shop()
    kannel = Kannel(tmp_path_factory.mktemp("kannel"), shop.port)
    kannel.shop = shop
    yield kannel
    kannel.close()
    shop.close()


def test_the_documented_configuration_listens_on_loopback_only(kannel):
    listening = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for address, port in re.findall(r": ([0-9A-F]+):([0-9A-F]{4}) 0+:0000 0A ", Path(table).read_text()):
            if int(port, 16) in kannel.ports:
                listening.add((address, int(port, 16)))

    assert listening == {("0100007F", port) for port in kannel.ports}


@pytest.mark.parametrize(
    "text",
    [
        "Kodi juaj: 123456 [vlen 5 min] € {x} ~",
        "Kodi juaj është 123456. Çmimi, çelësi, ë",
        "Вашиот код е 123456: ѓ ќ џ љ њ Ѕ",
        "Nëse keni pyetje: на македонски ✓ 😀",
    ],
)
def test_a_text_reaches_the_handset_letter_by_letter(kannel, text):
    with kannel.handset() as handset:
        kannel.gateway().send(NUMBER, text, "m-1")

        assert handset.gets() == ("Dyqani", text)


@pytest.mark.parametrize(
    ("text", "encoding"), [("abcdefghij" * 40, "ascii"), ("Здравоооо " * 25, "utf-16-be"), ("a" * 765, "ascii")]
)
def test_a_long_text_comes_whole_in_as_many_parts_as_were_counted(kannel, text, encoding):
    with kannel.handset() as handset:
        kannel.gateway().send(NUMBER, text, "m-1")
        parts = [handset.gets()[1] for _ in range(segments(text))]
        kannel.gateway().send(NUMBER, "e fundit", "m-2")

        assert b"".join(parts).decode(encoding) == text
        assert handset.gets()[1] == "e fundit"


@pytest.mark.rule("MSG-1")
def test_a_message_for_a_network_that_is_away_is_queued_and_comes_later(kannel):
    kannel.gateway().send(NUMBER, "më vonë", "m-1")

    with kannel.handset() as handset:
        assert handset.gets() == ("Dyqani", "më vonë")


def test_the_reports_of_a_message_come_under_its_id(kannel):
    address = f"http://127.0.0.1:{kannel.shop.port}/sms/report?secret=a%2Fb%25"
    with kannel.handset():
        kannel.gateway(dlr_url=address).send(NUMBER, "po", "m-77")
        calls = [kannel.shop.reports.get(timeout=PATIENCE) for _ in range(2)]

    assert {call["secret"] for call in calls} == {"a/b%"}
    assert {read_report(call).message_id for call in calls} == {"m-77"}
    assert {read_report(call).status for call in calls} == {ReportStatus.ACCEPTED, ReportStatus.DELIVERED}


@pytest.mark.rule("MSG-1")
@pytest.mark.rule("MSG-3")
@pytest.mark.rule("PRO-3")
@pytest.mark.parametrize(
    ("language", "words"),
    [("sq", "kodi për ta shtuar numrin"), ("mk", "код за додавање на бројот"), ("en", "your code to add the number")],
)
def test_a_code_of_the_outbox_reaches_the_handset_and_its_reports_the_row(
    kannel, client, monkeypatch, language, words
):
    """From the row of the outbox through the real gateway and back, with the endpoint that the reports come to."""
    monkeypatch.setattr(config, "SMS_URL", f"http://127.0.0.1:{kannel.sendsms}/cgi-bin/sendsms")
    monkeypatch.setattr(config, "SMS_USER", "shop")
    monkeypatch.setattr(config, "SMS_PASSWORD", "CHANGE-SENDSMS")
    monkeypatch.setattr(config, "SMS_SECRET", "a/b% &ë")
    monkeypatch.setattr(config, "SMS_REPORT_URL", f"http://127.0.0.1:{kannel.shop.port}/sms/report")
    owner = profile()
    owner.language = language
    code = SecurityCode.send(owner, NUMBER, NOW, genuine=True)
    with kannel.handset() as handset:
        Sms.send_all_due(NOW)
        sender, text = handset.gets()
        reports = [kannel.shop.reports.get(timeout=PATIENCE) for _ in range(2)]

    assert sender == config.SMS_SENDER
    assert text.startswith(f"{code.digits}: {words}")
    for args in reports:
        assert client.get("/sms/report", query_string=args).status_code == 200
    row = Sms.get(Sms.code == code)
    assert (row.state, row.report) == ("sent", "delivered")


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("10 MB", "10 MB, 30 dite [po]"),
        ("10 MB të mirë, ë", "Pikët u kthyen: çdo gjë në rregull"),
        ("10 МБ ѓ", "10 поени се заменети, ќе важат 30 дена"),
    ],
)
def test_an_inbound_sms_is_read_and_its_answer_comes_back_in_both_scripts(kannel, said, answer):
    kannel.shop.words = answer
    with kannel.handset(f"{NUMBER} {SHORT} text {said}") as handset:
        args = kannel.shop.inbound.get(timeout=PATIENCE)
        message = read_inbound(args)

        assert args["secret"] == "CHANGE-SHOP"
        assert (message.sender, message.receiver, message.text, message.smsc) == (NUMBER, SHORT, said, "fake")
        assert abs(message.sent_at.timestamp() - time.time()) < 2 * PATIENCE
        assert handset.gets() == (SHORT, answer)


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"user": "nobody"}])
def test_a_wrong_login_is_a_matter_of_settings(kannel, wrong):
    with pytest.raises(GatewayError, match="403") as caught:
        kannel.gateway(**wrong).send(NUMBER, "po", "m-1")

    assert not caught.value.permanent
