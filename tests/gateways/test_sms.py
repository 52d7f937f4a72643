"""The SMS gateway, against an HTTP server on loopback that answers as Kannel does, and some that misbehave."""

import socket
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from gateways import GatewayError
from gateways.mail import OutcomeUnknown
from gateways.sms import (
    BadMessage,
    Inbound,
    Report,
    ReportStatus,
    SmsGateway,
    answer_headers,
    fits_gsm,
    read_inbound,
    read_report,
    segments,
)

pytestmark = pytest.mark.rule("MSG-2")

NUMBER = "38970100001"
YES = (202, "0: Accepted for delivery")


class Answering:
    """A gateway on a free port that gives one answer, and remembers what it was asked."""

    def __init__(self, status, words):
        heard = self.heard = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                parts = urlsplit(self.path)
                heard.append((parts.path, parse_qs(parts.query, strict_parsing=True)))
                body = words.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join(5)

    def gateway(self, **more):
        return gateway(self.http.server_address[1], **more)


class Silent:
    """A gateway that reads what it is asked and then does one thing: hold its tongue, or say just `words`."""

    def __init__(self, words=None):
        self.words = words
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join(5)
        self.listener.close()

    def run(self):
        connection, _ = self.listener.accept()
        with connection:
            connection.recv(65536)
            if self.words is None:
                self.done.wait(5)
            else:
                connection.sendall(self.words)

    def gateway(self):
        return gateway(self.listener.getsockname()[1], timeout=0.3)


def gateway(port, **more):
    settings = {"user": "shop", "password": "p&ss w=rd", "sender": "Dyqani", "timeout": 5} | more
    return SmsGateway(url=f"http://127.0.0.1:{port}/cgi-bin/sendsms", **settings)


def asked(text="Kodi juaj: 123456", to=NUMBER, **settings):
    """What the gateway hears when `text` is sent."""
    with Answering(*YES) as server:
        server.gateway(**settings).send(to, text, "m-1")
    ((path, fields),) = server.heard
    assert path == "/cgi-bin/sendsms"
    assert all(len(values) == 1 for values in fields.values())
    return {name: values[0] for name, values in fields.items()}


def refused(status, words):
    with Answering(status, words) as server, pytest.raises(GatewayError) as caught:
        server.gateway().send(NUMBER, "Kodi juaj: 123456", "m-1")
    return caught.value


def test_a_plain_text_is_sent_in_seven_bits():
    assert asked("Kodi juaj: 123456 [10 €]") == {
        "username": "shop",
        "password": "p&ss w=rd",
        "from": "Dyqani",
        "to": NUMBER,
        "text": "Kodi juaj: 123456 [10 €]",
        "coding": "0",
        "charset": "UTF-8",
    }


@pytest.mark.parametrize("text", ["Kodi juaj është 123456", "çmimi", "Вашиот код е 123456, ѓ ќ џ", "po ✓", "😀"])
def test_what_the_seven_bits_lack_is_sent_in_ucs_2(text):
    fields = asked(text)

    assert (fields["text"], fields["coding"], fields["charset"]) == (text, "2", "UTF-8")


def test_the_plus_of_a_number_and_line_breaks_of_a_text_arrive():
    fields = asked("a\nb + c & d=e %41", to="+38970100001")

    assert (fields["to"], fields["text"]) == ("+38970100001", "a\nb + c & d=e %41")


def test_reports_are_asked_for_under_the_id_of_the_message():
    fields = asked(dlr_url="https://shop.example/sms/report")

    assert fields["dlr-mask"] == "31"
    assert fields["dlr-url"] == "https://shop.example/sms/report?id=m-1&status=%d"


def test_a_report_address_keeps_its_own_query_from_the_gateways_placeholders():
    fields = asked(dlr_url="https://shop.example/sms/report?secret=a%2Fb")

    assert fields["dlr-url"] == "https://shop.example/sms/report?secret=a%%2Fb&id=m-1&status=%d"


def test_a_query_in_the_gateways_address_stays():
    with Answering(*YES) as server:
        settings = server.gateway()
        SmsGateway(url=f"{settings.url}?smsc=one", user="u", password="p", sender="50777").send(NUMBER, "a", "m-1")

    assert server.heard[0][1]["smsc"] == ["one"]
    assert server.heard[0][1]["from"] == ["50777"]


@pytest.mark.parametrize(
    ("status", "words"),
    [YES, (202, "3: Queued for later delivery"), (202, "Sent."), (200, "0: Accepted for delivery")],
)
def test_accepted_and_queued_messages_are_sent(status, words):
    with Answering(status, words) as server:
        assert server.gateway().send(NUMBER, "po", "m-1") is None
    assert len(server.heard) == 1


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "Number(s) has/have been denied by white- and/or black-lists."),
        (403, "Not routable. Do not try again."),
        (414, ""),
    ],
)
def test_a_message_that_is_refused_for_itself_is_refused_for_good(status, words):
    error = refused(status, words)

    assert error.permanent
    assert not isinstance(error, OutcomeUnknown)
    assert str(status) in str(error)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (403, "Authorization failed for sendsms"),
        (401, ""),
        (404, "Unknown request."),
        (301, ""),
        (429, ""),
        (500, "Sending failed."),
        (503, "Temporal failure, try again later."),
    ],
)
def test_our_own_settings_and_a_gateway_in_trouble_are_worth_another_try(status, words):
    assert not refused(status, words).permanent


@pytest.mark.rule("MSG-1")
@pytest.mark.parametrize(("status", "words"), [(200, "<html>Welcome"), (204, "")])
def test_a_yes_that_is_not_kannels_may_or_may_not_have_been_a_sending(status, words):
    assert isinstance(refused(status, words), OutcomeUnknown)


@pytest.mark.rule("PRV-1")
def test_an_error_tells_neither_number_nor_text_nor_password():
    error = refused(400, f"{NUMBER} 123456 p&ss w=rd")

    assert str(error) == "The SMS gateway refused: HTTP 400."
    assert "p&ss" not in repr(gateway(13013))
    assert "s3cret" not in repr(gateway(13013, dlr_url="http://shop.test/?secret=s3cret"))


@pytest.mark.rule("MSG-1")
@pytest.mark.parametrize("words", [None, b"", b"HTTP/1.1 20", b"SMTP\r\n\r\n"])
def test_silence_after_the_message_leaves_it_open_whether_it_was_sent(words):
    with Silent(words) as server, pytest.raises(OutcomeUnknown) as caught:
        server.gateway().send(NUMBER, "po", "m-1")
    assert caught.value.permanent


@pytest.mark.rule("MSG-1")
def test_a_gateway_that_is_down_is_tried_again_and_nothing_is_handed_over():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    handed = []

    with pytest.raises(GatewayError) as caught:
        gateway(port).send(NUMBER, "po", "m-1", lambda: handed.append(1))
    assert not caught.value.permanent
    assert handed == []


@pytest.mark.rule("MSG-1")
def test_the_hand_over_is_told_before_anything_leaves():
    def stop():
        raise LookupError("another worker has it")

    with Answering(*YES) as server:
        with pytest.raises(LookupError):
            server.gateway().send(NUMBER, "po", "m-1", stop)
        assert server.heard == []
        handed = []
        server.gateway().send(NUMBER, "po", "m-1", lambda: handed.append(len(server.heard)))
    assert handed == [0]


@pytest.mark.parametrize(
    ("to", "text", "message_id"),
    [
        ("38970100001 38970100002", "po", "m-1"),
        ("", "po", "m-1"),
        ("070x", "po", "m-1"),
        ("٣٨٩٧٠١٠٠٠٠١", "po", "m-1"),
        (NUMBER + "\n", "po", "m-1"),
        (NUMBER, "", "m-1"),
        (NUMBER, " \n", "m-1"),
        (NUMBER, "a\x00b", "m-1"),
        (NUMBER, "\ud800", "m-1"),
        (NUMBER, "a" * 766, "m-1"),
        (NUMBER, "ë" * 336, "m-1"),
        (NUMBER, "po", ""),
        (NUMBER, "po", "m&1"),
        (NUMBER, "po", "%p"),
    ],
)
def test_what_cannot_be_sent_is_refused_for_good_and_nobody_is_asked(to, text, message_id):
    with Answering(*YES) as server:
        with pytest.raises(GatewayError) as caught:
            server.gateway().send(to, text, message_id)
        assert caught.value.permanent
        assert server.heard == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "127.0.0.1:13013"},
        {"url": "ftp://127.0.0.1/"},
        {"dlr_url": "sms/report"},
        {"sender": ""},
        {"sender": "Dyqani i madh"},
        {"sender": "Dyqani\n"},
        {"sender": "Ç"},
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(wrong):
    with pytest.raises(ValueError, match="SMS"):
        SmsGateway(**{"url": "http://127.0.0.1/", "user": "u", "password": "p", "sender": "Dyqani"} | wrong)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 151, 2),  # the € moves to the second, which is then full
        ("a" * 152 + "€" + "a" * 152, 3),
        ("ë" * 70, 1),
        ("ë" * 71, 2),
        ("ж" * 134, 2),
        ("ж" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("", 1),
    ],
)
def test_segments_are_counted_as_the_network_cuts_them(text, count):
    assert segments(text) == count


@given(st.text(max_size=400), st.text(max_size=5))
def test_a_longer_text_never_takes_fewer_segments(text, more):
    assert segments(text + more) >= segments(text) >= 1


def test_the_seven_bits_have_a_large_c_with_cedilla_and_no_small_one():
    assert fits_gsm("ÇA")
    assert not fits_gsm("ça")
    assert not fits_gsm("`")


def test_an_answer_is_given_in_ucs_2_only_where_it_must_be():
    assert answer_headers("10 MB") == {"Content-Type": "text/plain; charset=utf-8"}
    assert answer_headers("10 поени") == {
        "Content-Type": "text/plain; charset=utf-8",
        "X-Kannel-Coding": "2",
        "X-Kannel-Charset": "UTF-8",
    }


INBOUND = {
    "from": "38970100001",
    "to": "50777",
    "text": "10 MB Здраво ë",
    "id": "e9c2d456-0f1c-4e27-98a9-f2cadfc580a6",
    "smsc": "FAKE",
    "time": "2026-11-22 03:29:23",
}


@pytest.mark.parametrize("kind", [dict, MultiDict])
def test_an_inbound_sms_is_read(kind):
    assert read_inbound(kind(INBOUND)) == Inbound(
        sender="38970100001",
        receiver="50777",
        text="10 MB Здраво ë",
        message_id="e9c2d456-0f1c-4e27-98a9-f2cadfc580a6",
        smsc="FAKE",
        sent_at=datetime(2026, 11, 22, 3, 29, 23, tzinfo=UTC),
    )


def test_an_inbound_sms_may_be_empty_and_its_network_unnamed():
    message = read_inbound({name: value for name, value in INBOUND.items() if name != "smsc"} | {"text": ""})

    assert (message.text, message.smsc) == ("", "")


@pytest.mark.parametrize("name", ["from", "to", "text", "id", "time"])
def test_an_inbound_sms_without_one_of_its_fields_is_none(name):
    with pytest.raises(BadMessage, match=name):
        read_inbound({key: value for key, value in INBOUND.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("from", "Dyqani"),
        ("from", "38970100001;"),
        ("to", ""),
        ("text", "a" * 2001),
        ("id", "1"),
        ("id", "e9c2d456-0f1c-4e27-98a9-f2cadfc580a6\n"),
        ("time", "yesterday"),
        ("time", "2026-02-30 00:00:00"),
    ],
)
def test_an_inbound_sms_with_a_field_out_of_form_is_none(name, value):
    with pytest.raises(BadMessage):
        read_inbound(INBOUND | {name: value})


def test_a_field_that_is_given_twice_is_refused():
    with pytest.raises(BadMessage, match="from is given twice"):
        read_inbound(MultiDict([*INBOUND.items(), ("from", "38970100002")]))


@pytest.mark.parametrize(
    ("number", "status", "final"),
    [
        ("1", ReportStatus.DELIVERED, True),
        ("2", ReportStatus.FAILED, True),
        ("4", ReportStatus.BUFFERED, False),
        ("8", ReportStatus.ACCEPTED, False),
        ("16", ReportStatus.REJECTED, True),
    ],
)
def test_a_report_says_what_became_of_a_message(number, status, final):
    assert read_report({"id": "m-1", "status": number}) == Report("m-1", status)
    assert status.is_final == final


@pytest.mark.parametrize(
    "args", [{}, {"id": "m-1"}, {"status": "1"}, {"id": "m-1", "status": "3"}, {"id": "m-1", "status": "%d"},
             {"id": "m-1", "status": "-1"}, {"id": "m-1", "status": "١"}, {"id": "m 1", "status": "1"}]
)  # fmt: skip
def test_a_report_out_of_form_is_none(args):
    with pytest.raises(BadMessage):
        read_report(args)
