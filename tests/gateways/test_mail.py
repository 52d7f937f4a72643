"""The mail gateway, against the sandbox's mail server as a process and against servers that misbehave."""

import os
import re
import shutil
import smtplib
import socket
import subprocess
import sys
import threading
import time
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path

import pytest

from gateways import GatewayError
from gateways.mail import MailServer, OutcomeUnknown
from gateways.sandbox.mail import read_inbox, store

ROOT = Path(__file__).resolve().parents[2]
SENDER = "Dyqani <shitje@example.com>"


def letter(to="blerta@example.com", subject="Porosia juaj", **more):
    message = EmailMessage()
    message["To"] = to
    message["Subject"] = subject
    for name, value in more.items():
        message[name.replace("_", "-")] = value
    message.set_content("Faleminderit për porosinë.\n")
    return message


def environment(**settings):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SMTP_", "DYQANI_"))}
    return kept | {"DYQANI_ENV": "test", "SMTP_PORT": "0", **settings}


@pytest.fixture(scope="module")
def sink(tmp_path_factory):
    """The sandbox mail server as a process, on a free port: (MailServer, folder)."""
    folder = tmp_path_factory.mktemp("sink") / "inbox"
    process = subprocess.Popen(
        [sys.executable, "-m", "gateways.sandbox.mail"],
        cwd=ROOT,
        env=environment(DYQANI_INBOX=str(folder)),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port = int(re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())[1])
        yield MailServer("127.0.0.1", port, sender=SENDER, timeout=5), folder
    finally:
        process.terminate()
        assert process.wait(10) == 0
        process.stdout.close()


class Scripted:
    """A mail server that answers each step with the line it was given; None closes, a number sleeps first."""

    def __init__(self, **replies):
        self.replies = replies
        self.heard = []
        self.letters = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for a caller
        self.listener.close()
        self.thread.join(5)

    @property
    def server(self):
        return MailServer("127.0.0.1", self.port, sender=SENDER, timeout=0.5)

    def run(self):
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return
        connection.settimeout(5)
        with connection, connection.makefile("rb") as lines:
            try:
                if self.answer(connection, "greeting", "220 test"):
                    self.talk(connection, lines)
            except OSError:
                return

    def talk(self, connection, lines):
        for line in lines:
            verb = line[:4].decode("ascii", "replace").strip().lower()
            self.heard.append(verb)
            if not self.answer(connection, verb, {"data": "354 go", "quit": "221 bye"}.get(verb, "250 ok")):
                return
            if verb == "data" and self.replies.get("data", "354").startswith("354"):
                body = b"".join(iter(lines.readline, b".\r\n"))
                self.letters.append(body)
                if not self.answer(connection, "body", "250 kept"):
                    return

    def answer(self, connection, step, usual):
        reply = self.replies.get(step, usual)
        if isinstance(reply, float):
            time.sleep(reply)
            reply = usual
        if reply is None:
            return False
        connection.sendall(reply.encode() + b"\r\n")
        return True


@pytest.mark.rule("MSG-2")
def test_a_delivered_mail_lies_in_the_inbox_with_all_its_parts(sink):
    server, folder = sink
    who = Address("Shpresë Çela", "shprese", "example.com")
    message = letter(to=who, subject="Porosia DY-1 është konfirmuar ✓")
    message.add_alternative("<p>Faleminderit për porosinë.</p>", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="vërtetim.pdf")
    server.deliver(message)
    mail = read_inbox(folder, 1)[0]
    assert mail["from"] == SENDER
    assert mail["to"] == "Shpresë Çela <shprese@example.com>"
    assert mail["subject"] == "Porosia DY-1 është konfirmuar ✓"
    assert mail["text"] == "Faleminderit për porosinë.\n"
    assert mail["html"].strip() == "<p>Faleminderit për porosinë.</p>"
    assert mail["attachments"] == ["vërtetim.pdf"]
    assert ("Return-Path", "<shitje@example.com>") in mail["headers"]
    assert ("Delivered-To", "shprese@example.com") in mail["headers"]
    assert {"Date", "Message-ID"} <= {name for name, _ in mail["headers"]}


@pytest.mark.parametrize(
    "name",
    [
        "Ана Марковска",
        "Šehu, Ана",
        'Ана "Ќе" Ѓорѓиева',
        "Gjylshahe Çela-Ëngjëllushi " * 5,
        "Ана <ана@пошта.мк>",
        "ann@example.org, Ben",
    ],
)
def test_a_recipients_name_arrives_as_it_was_typed(sink, name):
    server, folder = sink
    server.deliver(letter(to=Address(name, "ana", "example.com")))
    mail = read_inbox(folder, 1)[0]
    [delivered] = [value for header, value in mail["headers"] if header == "Delivered-To"]
    assert delivered == "ana@example.com"
    kept = message_from_bytes((folder / f"{mail['id']}.eml").read_bytes(), policy=policy.compat32)
    shown, address = parseaddr(kept["To"])
    shown = str(make_header(decode_header(shown)))
    assert (shown.replace('"', ""), address) == (name.replace('"', "").strip(), "ana@example.com")


def test_what_goes_over_the_wire_is_ascii_with_dots_stuffed_and_no_long_lines():
    with Scripted() as mail:
        message = letter()
        message.set_content("Përshëndetje\n.\nRCPT TO:<x@example.com>\n" + "ë" * 3000 + "\n")
        mail.server.deliver(message)
    [body] = mail.letters
    assert body.isascii()
    assert max(map(len, body.split(b"\r\n"))) <= 998
    assert mail.heard == ["ehlo", "mail", "rcpt", "data", "quit"]


@pytest.mark.parametrize(
    "subject",
    [
        "до имате (po) до Samsung pajisjen ја GB Уште време до 512 Galaxy ndiqni:",
        "Нарачката чека: Уште имате време да ја платите нарачката DY-7K3M-Q2XD-4 до петок, 27 ноември 2026, 18:00",
        "Çmimi ra për pajisjen që po e ndiqni: Samsung Galaxy S25 Ultra 512 GB, argjend i ftohtë, në Dyqani",
        "Ultra DY-7K3M-Q2XD-4 (po) argjend pajisjen GB DY-7K3M-Q2XD-4 Samsung 512",
    ],
)
def test_a_subject_is_read_with_each_of_its_spaces_however_long(subject):
    _, _, payload = MailServer("127.0.0.1", sender=SENDER)._written_out(letter(subject=subject))
    raw = re.search(rb"(?m)^Subject: .*\r\n(?:[ \t].*\r\n)*", payload)[0]
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    # Both readers of the library: mail programs follow the older one's rules.
    assert message_from_bytes(payload, policy=policy.default)["Subject"] == subject
    older = message_from_bytes(payload)["Subject"].replace("\r\n", "")
    assert str(make_header(decode_header(older))) == subject


@pytest.mark.rule("PRV-2")
def test_the_address_that_stops_stands_in_its_header_as_it_is():
    stop = f"<https://shop.example/en/pelqimet/ndal/{'Ab-9_.' * 40}>"
    message = letter(List_Unsubscribe=stop, List_Unsubscribe_Post="List-Unsubscribe=One-Click")
    _, _, payload = MailServer("127.0.0.1", sender=SENDER)._written_out(message)
    lines = payload.split(b"\r\n")
    assert f"List-Unsubscribe: {stop}".encode() in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines


def test_a_line_of_a_single_dot_survives_the_way(sink):
    server, folder = sink
    message = letter()
    message.set_content("para\n.\n..\npas\n")
    server.deliver(message)
    assert read_inbox(folder, 1)[0]["text"] == "para\n.\n..\npas\n"


def test_hidden_recipients_get_the_mail_and_stay_hidden(sink):
    server, folder = sink
    server.deliver(letter(Cc="agim@example.com", Bcc="fshehur@example.com"))
    mail = read_inbox(folder, 1)[0]
    delivered = {value for header, value in mail["headers"] if header == "Delivered-To"}
    assert delivered == {"blerta@example.com", "agim@example.com", "fshehur@example.com"}
    assert "Bcc" not in {name for name, _ in mail["headers"]}


@pytest.mark.rule("MSG-1")
def test_the_hand_over_is_noted_when_everybody_is_accepted_and_before_the_message_leaves():
    with Scripted() as mail:
        seen = []
        mail.server.deliver(letter(), lambda: seen.extend(mail.heard))
    assert seen == ["ehlo", "mail", "rcpt"]
    assert len(mail.letters) == 1


@pytest.mark.rule("MSG-1")
@pytest.mark.parametrize("error", [RuntimeError, ConnectionError, smtplib.SMTPException])
def test_when_the_hand_over_cannot_be_noted_nothing_is_sent(error):
    def refuse():
        raise error("taken by another worker")

    with Scripted() as mail, pytest.raises(error, match="taken by another worker"):
        mail.server.deliver(letter(), refuse)
    assert "data" not in mail.heard


@pytest.mark.rule("MSG-1")
@pytest.mark.parametrize(
    ("to", "permanent"),
    [("reject@example.com", True), ("later@example.com", False), ("LATER@example.com", False)],
)
def test_the_sinks_refusing_addresses_are_refused_before_the_hand_over(sink, to, permanent):
    server, folder = sink
    before = len(read_inbox(folder))
    noted = []
    with pytest.raises(GatewayError) as refusal:
        server.deliver(letter(Cc=to), lambda: noted.append(True))
    assert refusal.value.permanent is permanent
    assert noted == []
    assert len(read_inbox(folder)) == before


@pytest.mark.rule("MSG-1")
@pytest.mark.parametrize(
    ("replies", "permanent"),
    [
        ({"greeting": "421 too busy"}, False),
        ({"greeting": "554 no service"}, False),
        ({"greeting": "HTTP/1.0 400 Bad Request"}, False),
        ({"greeting": None}, False),
        ({"ehlo": None}, False),
        ({"ehlo": "550 who", "helo": "550 who"}, False),
        ({"mail": "530 5.7.0 log in first"}, False),
        ({"mail": "550 not this sender"}, False),
        ({"mail": "552 too big"}, True),
        ({"mail": "452 full"}, False),
        ({"mail": None}, False),
        ({"rcpt": "550 no such user"}, True),
        ({"rcpt": "530 5.7.0 log in first"}, False),
        ({"rcpt": "450 greylisted"}, False),
        ({"rcpt": "421 closing"}, False),
        ({"rcpt": "what?"}, False),
        ({"rcpt": None}, False),
        ({"data": "451 not now"}, False),
        ({"data": "554 no valid recipients"}, True),
        ({"data": None}, False),
        ({"body": "451 scanning failed"}, False),
        ({"body": "554 5.7.1 spam"}, True),
    ],
)
def test_a_refusing_or_dying_server_leaves_a_plain_answer(replies, permanent):
    with Scripted(**replies) as mail, pytest.raises(GatewayError) as refusal:
        mail.server.deliver(letter())
    assert refusal.value.permanent is permanent
    assert not isinstance(refusal.value, OutcomeUnknown)


@pytest.mark.rule("MSG-1")
@pytest.mark.parametrize("body", [None, 1.0, "eh?"])
def test_silence_after_the_message_is_told_apart_and_not_to_be_tried_again(body):
    with Scripted(body=body) as mail, pytest.raises(OutcomeUnknown) as silence:
        mail.server.deliver(letter())
    assert silence.value.permanent
    assert len(mail.letters) == 1


@pytest.mark.rule("MSG-1")
@pytest.mark.parametrize("goodbye", [None, 1.0, "500 what?"])
def test_a_bad_goodbye_does_not_make_a_taken_mail_fail(goodbye):
    with Scripted(quit=goodbye) as mail:
        mail.server.deliver(letter())
    assert len(mail.letters) == 1


@pytest.mark.rule("MSG-1")
@pytest.mark.parametrize("step", ["greeting", "ehlo", "rcpt"])
def test_a_slow_server_is_left_after_the_timeout(step):
    with Scripted(**{step: 2.0}) as mail:
        started = time.monotonic()
        with pytest.raises(GatewayError) as refusal:
            mail.server.deliver(letter())
        waited = time.monotonic() - started
    assert refusal.value.permanent is False
    assert waited < 1.8


@pytest.mark.rule("MSG-1")
def test_no_server_at_all_is_a_passing_trouble():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for server in (MailServer("127.0.0.1", port, sender=SENDER), MailServer("", sender=SENDER)):
        with pytest.raises(GatewayError) as refusal:
            server.deliver(letter())
        assert refusal.value.permanent is False


@pytest.mark.rule("PRV-1")
def test_the_reason_does_not_repeat_the_address_that_the_server_quotes():
    with (
        Scripted(rcpt="550 5.1.1 <blerta@example.com>: no such user") as mail,
        pytest.raises(GatewayError) as refusal,
    ):
        mail.server.deliver(letter())
    assert str(refusal.value) == "The mail server refused the recipient: 550 5.1.1."


def test_the_password_is_not_shown():
    assert "sekret" not in repr(MailServer("mail.example.com", user="dyqani", password="sekret"))


@pytest.mark.parametrize("wrong", [{"tls": "yes"}, {"user": "blertë"}, {"password": "fjalëkalim"}])
def test_settings_that_cannot_work_are_refused_at_once(wrong):
    with pytest.raises(ValueError, match="tls is|plain ASCII"):
        MailServer("mail.example.com", **wrong)


def crafted(name, value):
    """A message whose header went around the checks of the email package."""
    message = letter()
    del message[name]
    message._headers.append((name, value))
    return message


@pytest.mark.parametrize(
    "message",
    [
        crafted("Subject", "Porosia\r\nBcc: spy@example.com"),
        crafted("Subject", "Porosia\nX-More: 1"),
        crafted("Subject", "Porosia\r\n\r\nA body of another"),
        letter(to="blertë@example.com"),
        letter(to="blerta@dyqani-ë.example"),
        letter(to="undisclosed-recipients:;"),
        letter(to="blerta"),
        letter(From="shitje"),
        EmailMessage(),
    ],
    ids=["bcc", "header", "body", "local part", "domain", "nobody", "no domain", "bare sender", "empty"],
)
def test_a_message_that_could_mislead_is_refused_before_a_connection_is_made(message):
    with Scripted() as mail, pytest.raises(GatewayError) as refusal:
        mail.server.deliver(message)
    assert refusal.value.permanent
    assert mail.heard == []


def test_a_line_break_in_a_header_is_refused_where_the_message_is_written():
    with pytest.raises(ValueError, match="linefeed|newline|return"):
        letter(subject="Porosia\r\nBcc: spy@example.com")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that nobody but the tests trusts."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=127.0.0.1",
            ),
            *(
                "-addext",
                "subjectAltName=IP:127.0.0.1",
                "-keyout",
                folder / "key.pem",
                "-out",
                folder / "cert.pem",
            ),
        ],
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture
def relay(certificate):
    """A mail server that wants encryption and a login, as operators run them: start(tls) gives its controller.

    The controller greets itself once at start, so SSL_CERT_FILE must name the certificate by then.
    """
    import ssl

    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult, LoginPassword

    class Kept:
        def __init__(self):
            self.letters = []

        async def handle_DATA(self, server, session, envelope):  # noqa: N802
            self.letters.append((session.ssl is not None, session.authenticated))
            return "250 ok"

    def authenticate(server, session, envelope, mechanism, credentials):
        good = credentials == LoginPassword(b"dyqani", b"fjalekalim")
        return AuthResult(success=good, handled=good)

    running = []

    def start(tls):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        wrapped = {"ssl_context": context} if tls == "ssl" else {"tls_context": context, "require_starttls": True}
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        controller = Controller(
            Kept(),
            hostname="127.0.0.1",
            port=port,
            authenticator=authenticate,
            auth_required=True,
            auth_require_tls=tls != "ssl",
            **wrapped,
        )
        controller.start()
        running.append(controller)
        return controller

    yield start
    for controller in running:
        controller.stop()


@pytest.mark.rule("MSG-2")
@pytest.mark.filterwarnings("ignore:Requiring AUTH")
@pytest.mark.parametrize("tls", ["starttls", "ssl"])
def test_a_mail_goes_out_encrypted_and_logged_in(relay, certificate, monkeypatch, tls):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    controller = relay(tls)
    MailServer("127.0.0.1", controller.port, "dyqani", "fjalekalim", tls, SENDER, 5).deliver(letter())
    # Under "ssl" the whole connection is encrypted, so that no STARTTLS marks the session.
    assert controller.handler.letters == [(tls == "starttls", True)]


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
@pytest.mark.parametrize("tls", ["starttls", "ssl"])
def test_a_certificate_that_nobody_vouches_for_is_not_accepted(relay, certificate, monkeypatch, tls):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    controller = relay(tls)
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    with pytest.raises(GatewayError, match="certificate") as refusal:
        MailServer("127.0.0.1", controller.port, "dyqani", "fjalekalim", tls, SENDER, 5).deliver(letter())
    assert refusal.value.permanent is False
    assert controller.handler.letters == []


def test_a_wrong_login_is_our_trouble_and_the_mail_is_kept_for_later(relay, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    controller = relay("starttls")
    with pytest.raises(GatewayError) as refusal:
        MailServer("127.0.0.1", controller.port, "dyqani", "gabim", "starttls", SENDER, 5).deliver(letter())
    assert refusal.value.permanent is False


def test_nothing_is_sent_in_the_clear_when_the_server_offers_no_encryption():
    with Scripted() as mail:
        server = MailServer("127.0.0.1", mail.port, "dyqani", "fjalekalim", "starttls", SENDER, 0.5)
        with pytest.raises(GatewayError) as refusal:
            server.deliver(letter())
    assert refusal.value.permanent is False
    assert {"auth", "mail"}.isdisjoint(mail.heard)


def test_the_inbox_shows_the_newest_mail_first_and_no_more_than_asked(tmp_path):
    for number in range(5):
        store(tmp_path, f"Subject: {number}\r\n\r\nbody\r\n".encode(), "a@example.com", ["b@example.com"])
    assert [mail["subject"] for mail in read_inbox(tmp_path, 3)] == ["4", "3", "2"]
    assert [mail["at"] for mail in read_inbox(tmp_path)] == sorted(
        (mail["at"] for mail in read_inbox(tmp_path)), reverse=True
    )


def test_an_inbox_that_is_not_there_is_empty_and_strange_files_in_it_are_passed_over(tmp_path):
    assert read_inbox(tmp_path / "none") == []
    (tmp_path / "notes.eml").write_text("Subject: not ours\n\n")
    (tmp_path / ".arriving-x").write_text("Subject: half\n\n")
    assert read_inbox(tmp_path) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"Subject: =?utf-8?q?=FF?=\r\nContent-Type: text/plain; charset=no-such\r\n\r\n\xff body",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\nno parts",
        b"From: @@\r\nTo: <<\r\nDate: never\r\n\r\nbody",
    ],
)
def test_a_mail_in_bad_shape_does_not_break_the_inbox(tmp_path, content):
    store(tmp_path, content, "", ["b@example.com"])
    [mail] = read_inbox(tmp_path)
    assert set(mail) == {"id", "at", "from", "to", "subject", "text", "html", "attachments", "headers"}
    assert all(isinstance(mail[part], str) for part in ("from", "to", "subject", "text", "html"))


def run_sink(**settings):
    return subprocess.run(
        [sys.executable, "-m", "gateways.sandbox.mail"],
        cwd=ROOT,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=20,
    )


def test_the_sink_refuses_to_run_in_production(tmp_path):
    ended = run_sink(DYQANI_ENV="production", DYQANI_INBOX=str(tmp_path / "inbox"))
    assert ended.returncode == 1
    assert "does not run in production" in ended.stderr
    assert not (tmp_path / "inbox").exists()


def test_the_sink_says_when_its_port_is_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run_sink(SMTP_PORT=str(port), DYQANI_INBOX=str(tmp_path))
    assert ended.returncode == 1
    assert f"cannot listen on port {port}" in ended.stderr
    assert "Traceback" not in ended.stderr
