"""The outbox and its worker (MSG-1, MSG-3), against the real SMTP sink."""

import socket
import threading
from datetime import timedelta

import pytest

import config
from models.order import Order
from models.outbox import KINDS, Mail
from models.outgoing import BACK_OFF
from tests.processes import MailSink
from tests.world import NOW, build, later, ordered

pytestmark = pytest.mark.rule("MSG-1")


@pytest.fixture(scope="module")
def sink(tmp_path_factory):
    sink = MailSink(tmp_path_factory.mktemp("mail"))
    yield sink
    sink.end()


@pytest.fixture
def inbox(sink, monkeypatch):
    sink.empty()
    monkeypatch.setattr(config, "SMTP_PORT", sink.port)
    return sink


@pytest.fixture
def world():
    return build()


def write(world, kind="order_confirmed", language="sq", now=NOW, email="ana@example.com"):
    order, _ = ordered(world, "CASE-BLACK", language=language)
    Order.update(email=email).where(Order.id == order.id).execute()
    Mail.write(kind, Order.get_by_id(order.id), now, key=f"{kind}:{order.id}")
    return Mail.get(Mail.order == order)


def now_of(mail):
    return Mail.get_by_id(mail.id)


class Server:
    """A mail server of one conversation: it gives `answers` in turn, then hangs up. None: without a word."""

    def __init__(self, answers):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.said = []

        def talk():
            connection, _ = self.socket.accept()
            with connection, connection.makefile("rwb") as stream:
                for answer in answers:
                    if answer is not None:
                        stream.write(answer + b"\r\n")
                        stream.flush()
                    line = stream.readline()
                    self.said.append(line.strip())
                    if line.strip() == b"DATA":
                        stream.write(b"354 go on\r\n")
                        stream.flush()
                        while stream.readline() not in (b".\r\n", b""):
                            pass

        self.thread = threading.Thread(target=talk, daemon=True)
        self.thread.start()


def test_a_mail_is_written_once_per_key(world):
    mail = write(world)
    Mail.write("order_confirmed", mail.order, NOW, key=mail.key)
    assert Mail.select().count() == 1


def test_a_due_mail_is_sent_and_never_again(world, inbox):
    mail = write(world)
    assert Mail.send_all_due(NOW) == 1
    assert Mail.send_all_due(later(60 * 24)) == 0
    assert (now_of(mail).state, now_of(mail).sent_at) == ("sent", now_of(mail).sent_at)
    [arrived] = inbox.mails()
    assert arrived["to"] == "ana@example.com"
    assert dict(arrived["headers"])["Message-ID"] == mail.message_id


@pytest.mark.rule("MSG-3")
@pytest.mark.parametrize(("language", "word"), [("sq", "porosi"), ("mk", "нарачка"), ("en", "order")])
def test_a_mail_is_in_the_language_of_its_order(world, inbox, language, word):
    write(world, language=language)
    Mail.send_all_due(NOW)
    [arrived] = inbox.mails()
    assert f'lang="{language}"' in arrived["html"]
    assert word in (arrived["text"] + arrived["subject"]).lower()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_mail_can_be_sent_as_text_and_html(world, inbox, kind):
    mail = write(world, kind)
    Mail.send_all_due(NOW)
    [arrived] = inbox.mails()
    assert mail.order.number in arrived["text"]
    assert mail.order.number in arrived["html"]


def test_without_a_mail_server_nothing_is_lost_and_the_tries_get_rarer(world, inbox, monkeypatch):
    mail = write(world)
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = free.getsockname()[1]
    monkeypatch.setattr(config, "SMTP_PORT", closed)
    moment = NOW
    for wait in BACK_OFF[:4]:
        assert Mail.send_all_due(moment) == 1
        row = now_of(mail)
        assert row.state == "due"
        assert abs((row.due_at - moment).total_seconds() - wait) < 2
        assert Mail.send_all_due(row.due_at - timedelta(seconds=1)) == 0
        moment = row.due_at
    monkeypatch.setattr(config, "SMTP_PORT", inbox.port)
    assert Mail.send_all_due(moment) == 1
    assert (now_of(mail).state, now_of(mail).trouble) == ("sent", "")
    assert len(inbox.mails()) == 1


def test_after_the_last_try_a_mail_is_set_aside(world, monkeypatch):
    mail = write(world)
    monkeypatch.setattr(config, "SMTP_HOST", "")
    Mail.update(tries=len(BACK_OFF)).execute()
    Mail.send_all_due(NOW)
    assert now_of(mail).state == "failed"
    assert Mail.send_all_due(later(60 * 24 * 30)) == 0


def test_an_address_that_is_refused_for_good_is_not_tried_again(world, inbox):
    mail = write(world, email="reject@example.com")
    Mail.send_all_due(NOW)
    assert now_of(mail).state == "failed"
    assert "550" in now_of(mail).trouble
    assert inbox.mails() == []


def test_an_address_that_is_refused_for_now_is_tried_again(world, inbox):
    mail = write(world, email="later@example.com")
    Mail.send_all_due(NOW)
    row = now_of(mail)
    assert (row.state, row.tries) == ("due", 1)
    assert row.due_at > NOW


def test_one_mail_in_trouble_does_not_hold_up_the_next(world, inbox):
    write(world, email="reject@example.com")
    write(world, email="later@example.com")
    write(world)
    assert Mail.send_all_due(NOW) == 3
    assert [mail["to"] for mail in inbox.mails()] == ["ana@example.com"]


def test_a_silent_mail_server_keeps_the_worker_for_a_moment_only(world, monkeypatch):
    for _ in range(4):
        write(world)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(config, "SMTP_PORT", silent.getsockname()[1])
        monkeypatch.setattr(config, "SMTP_TIMEOUT", 1)
        assert Mail.send_all_due(NOW, within=0.5) == 1
    assert Mail.select().where(Mail.state == "due").count() == 4


def test_a_mail_is_claimed_by_one_worker_until_its_lease_is_over(world):
    mail = write(world)
    claimed = Mail.claim(NOW)
    assert claimed == mail
    assert Mail.claim(NOW) is None
    assert Mail.claim(NOW + timedelta(seconds=config.MAIL_LEASE)) == mail


def test_who_lost_the_lease_does_not_send(world, inbox):
    mail = write(world)
    slow = Mail.claim(NOW)
    Mail.claim(NOW + timedelta(seconds=config.MAIL_LEASE))
    assert slow.send(NOW) == "due"
    assert inbox.mails() == []
    assert (now_of(mail).state, now_of(mail).tries) == ("due", 2)


def test_the_hand_over_is_written_down_before_the_server_gets_the_text(world, monkeypatch):
    """A worker that dies in there leaves a row that nobody sends again by itself."""
    mail = write(world)
    server = Server([b"220 hello", b"250 hello", b"250 sender", b"250 recipient", None])
    monkeypatch.setattr(config, "SMTP_PORT", server.port)
    monkeypatch.setattr(config, "SMTP_TIMEOUT", 1)
    Mail.claim(NOW).send(NOW)
    server.thread.join(5)
    assert b"DATA" in server.said
    row = now_of(mail)
    assert row.state == "handed"
    assert row.trouble
    assert Mail.send_all_due(later(60 * 24)) == 0


def test_a_server_that_goes_away_before_the_text_gets_another_try(world, monkeypatch):
    mail = write(world)
    server = Server([b"220 hello", b"250 hello", b"250 sender"])
    monkeypatch.setattr(config, "SMTP_PORT", server.port)
    Mail.claim(NOW).send(NOW)
    assert now_of(mail).state == "due"


def test_a_temporary_no_to_the_whole_text_makes_the_mail_due_again(world, monkeypatch):
    mail = write(world)
    server = Server([b"220 hello", b"250 hello", b"250 sender", b"250 recipient", b"451 not now"])
    monkeypatch.setattr(config, "SMTP_PORT", server.port)
    Mail.claim(NOW).send(NOW)
    assert now_of(mail).state == "due"
    assert now_of(mail).due_at > NOW


def test_a_mail_that_cannot_be_composed_is_set_aside(world, inbox):
    mail = write(world, email="no address at all")
    Mail.send_all_due(NOW)
    assert now_of(mail).state == "failed"


def test_a_kind_that_has_no_template_is_refused(world):
    with pytest.raises(ValueError, match="newsletter"):
        write(world, kind="newsletter")
    assert Mail.select().count() == 0
