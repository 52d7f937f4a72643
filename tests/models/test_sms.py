"""The SMS outbox and its worker (MSG-1, MSG-3), against the sandbox gateway."""

import socket
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from peewee import IntegrityError

import config
import jobs
from gateways.sms import Report, ReportStatus, segments
from models.base import IS_SQLITE, db
from models.outbox import Mail
from models.outgoing import BACK_OFF
from models.security_code import SecurityCode
from models.sms import Sms, sms_gateway
from tests.processes import SmsSink, free_port
from tests.world import NOW, later, profile

pytestmark = pytest.mark.rule("MSG-1")

NUMBER = "38970100020"


@pytest.fixture(scope="module")
def sink(tmp_path_factory):
    sink = SmsSink(tmp_path_factory.mktemp("sms"))
    yield sink
    sink.end()


@pytest.fixture
def inbox(sink, monkeypatch):
    sink.empty()
    monkeypatch.setattr(config, "SMS_URL", sink.url)
    monkeypatch.setattr(config, "SMS_REPORT_URL", "none")
    return sink


@pytest.fixture
def owner():
    return profile()


def write(owner, msisdn=NUMBER, now=NOW, language="sq", **more):
    owner.language = language
    code = SecurityCode.send(owner, msisdn, now, genuine=True)
    sms = Sms.get(Sms.code == code)
    if more:
        Sms.update(**more).where(Sms.id == sms.id).execute()
    return Sms.get_by_id(sms.id)


def now_of(sms):
    return Sms.get_by_id(sms.id)


class Answering:
    """A gateway that answers `status` to everything, or hangs up without a word."""

    def __init__(self, status, words=""):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if status is None:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.end_headers()
                self.wfile.write(words.encode())

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/cgi-bin/sendsms"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


def test_a_due_sms_is_sent_and_never_again(owner, inbox):
    sms = write(owner)
    assert Sms.send_all_due(NOW) == 1
    assert Sms.send_all_due(later(4)) == 0
    assert now_of(sms).state == "sent"
    [arrived] = inbox.messages()
    assert (arrived["to"], arrived["from"]) == (NUMBER, config.SMS_SENDER)
    assert arrived["text"].startswith(sms.code.digits)


def test_a_round_of_the_worker_sends_what_is_due(owner, inbox):
    write(owner)
    jobs.run_round(NOW, only=[due for due in jobs.DUE if due[0] == Sms.send_all_due])
    assert len(inbox.messages()) == 1


def test_an_sms_is_written_once_per_key(owner):
    sms = write(owner)
    Sms.write("security_code", NUMBER, "sq", NOW, key=sms.key)
    assert Sms.select().count() == 1


def test_a_kind_without_a_text_is_not_written(owner):
    with pytest.raises(ValueError, match="newsletter"):
        Sms.write("newsletter", NUMBER, "sq", NOW, key="k")


def test_an_sms_is_gone_with_the_transaction_of_what_it_reports(owner):
    with db.atomic() as transaction:
        write(owner)
        transaction.rollback()
    assert Sms.select().count() == SecurityCode.select().count() == 0


@pytest.mark.rule("MSG-3")
@pytest.mark.parametrize(
    ("language", "word"),
    [("sq", "kodi për ta shtuar numrin"), ("mk", "код за додавање на бројот"), ("en", "code to add")],
)
def test_a_code_is_said_in_the_language_of_the_profile_first_thing_and_in_one_sms(owner, inbox, language, word):
    sms = write(owner, language=language)
    Sms.send_all_due(NOW)
    [arrived] = inbox.messages()
    # With its letters: none of them came as a question mark.
    assert word in arrived["text"]
    assert arrived["text"].startswith(f"{sms.code.digits}")
    assert segments(arrived["text"]) == 1


def test_a_withheld_sms_is_never_sent(owner, inbox):
    write(owner, state="withheld")
    assert Sms.send_all_due(later(1)) == 0
    assert inbox.messages() == []


def test_without_a_gateway_nothing_is_lost_and_the_tries_get_rarer(owner, inbox, monkeypatch):
    sms = write(owner, until=None)
    url = config.SMS_URL
    monkeypatch.setattr(config, "SMS_URL", f"http://127.0.0.1:{free_port()}/cgi-bin/sendsms")
    moment = NOW
    for wait in BACK_OFF[:3]:
        assert Sms.send_all_due(moment) == 1
        row = now_of(sms)
        assert row.state == "due"
        assert abs((row.due_at - moment).total_seconds() - wait) < 2
        assert Sms.send_all_due(row.due_at - timedelta(seconds=1)) == 0
        moment = row.due_at
    monkeypatch.setattr(config, "SMS_URL", url)
    Sms.send_all_due(moment)
    assert (now_of(sms).state, now_of(sms).trouble) == ("sent", "")
    assert len(inbox.messages()) == 1


@pytest.mark.rule("PRO-4")
def test_a_code_whose_time_is_over_is_not_sent_any_more(owner, inbox):
    sms = write(owner)
    Sms.send_all_due(later(config.CODE_MINUTES))
    assert (now_of(sms).state, now_of(sms).trouble) == ("failed", "its time was over, or it is not wanted any more")
    assert inbox.messages() == []


@pytest.mark.parametrize(
    ("msisdn", "state"), [("38970109990", "failed"), ("38970109991", "due"), ("38970100020", "sent")]
)
def test_a_refusal_for_good_ends_it_and_one_for_now_is_tried_again(owner, inbox, msisdn, state):
    sms = write(owner, msisdn)
    Sms.send_all_due(NOW)
    assert now_of(sms).state == state
    assert len(inbox.messages()) == (state == "sent")


def test_after_the_last_try_it_is_set_aside(owner, inbox):
    sms = write(owner, "38970109991", tries=len(BACK_OFF), until=None)
    Sms.send_all_due(NOW)
    assert now_of(sms).state == "failed"


def test_one_in_trouble_does_not_hold_up_the_next(owner, inbox):
    write(owner, "38970109991")
    write(owner)
    assert Sms.send_all_due(NOW) == 2
    assert [one["to"] for one in inbox.messages()] == [NUMBER]


def test_a_gateway_that_falls_silent_leaves_the_sms_to_a_person(owner, monkeypatch):
    sms = write(owner, until=None)
    with Answering(None) as silent:
        monkeypatch.setattr(config, "SMS_URL", silent.url)
        Sms.send_all_due(NOW)
    assert now_of(sms).state == "handed"
    assert Sms.send_all_due(later(days=30)) == 0


def test_a_temporary_no_after_the_text_makes_it_due_again(owner, monkeypatch):
    sms = write(owner)
    with Answering(503) as busy:
        monkeypatch.setattr(config, "SMS_URL", busy.url)
        Sms.send_all_due(NOW)
    assert now_of(sms).state == "due"


def test_a_silent_gateway_keeps_the_worker_for_a_moment_only(owner, monkeypatch):
    for number in range(3):
        write(owner, f"3897010003{number}")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(config, "SMS_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/cgi-bin/sendsms")
        monkeypatch.setattr(config, "SMS_TIMEOUT", 1)
        assert Sms.send_all_due(NOW, within=0.5) == 1
    assert Sms.select().where(Sms.state == "due").count() == 2


def test_it_is_claimed_by_one_worker_until_its_lease_is_over(owner):
    sms = write(owner)
    assert Sms.claim(NOW) == sms
    assert Sms.claim(NOW) is None
    assert Sms.claim(NOW + timedelta(seconds=config.MAIL_LEASE)) == sms


def to_many(count=1, now=NOW, **more):
    """As the club's notices are written."""
    rows = [{"recipient": NUMBER, "language": "sq", "key": f"many:{number}", **more} for number in range(count)]
    Sms.write_all("points_lapse", rows, now)


def test_a_code_does_not_wait_for_messages_to_many(owner):
    to_many(3)
    code = write(owner, now=later(1))
    assert Sms.claim(later(2)) == code
    assert [Sms.claim(later(2)).kind for _ in range(3)] == ["points_lapse"] * 3
    assert Sms.claim(later(2)) is None


@pytest.mark.rule("CLB-6")
def test_messages_to_many_leave_in_the_daytime_alone_and_others_always(owner):
    # 20 o'clock in the shop's zone, and 9 in the morning.
    night, morning = NOW.replace(hour=19), later(days=1).replace(hour=8)
    to_many()
    assert Sms.claim(night) is None
    code = write(owner, now=night)
    assert Sms.claim(night) == code
    assert Sms.claim(morning - timedelta(seconds=1)) == code
    assert Sms.claim(morning).kind == "points_lapse"


@pytest.mark.skipif(not IS_SQLITE, reason="PostgreSQL chooses by what is in the table")
@pytest.mark.parametrize("outbox", [Sms, Mail])
def test_what_is_due_is_found_among_the_due_rows_alone(outbox):
    asked = []
    db.query_hooks.append(lambda event: asked.append((event.sql, event.params)))
    try:
        assert outbox.claim(NOW) is None
    finally:
        db.query_hooks.clear()
    plans = [
        str(list(db.execute_sql(f"EXPLAIN QUERY PLAN {sql}", params))) for sql, params in asked if "SELECT" in sql
    ]
    assert len(plans) == 2
    for plan, index in zip(plans, ("due", "bulk_due"), strict=True):
        assert f"USING INDEX {outbox.what}_{index} " in plan
        assert "SCAN" not in plan
        assert "TEMP B-TREE" not in plan


def test_who_lost_the_lease_does_not_send(owner, inbox):
    write(owner)
    slow = Sms.claim(NOW)
    Sms.claim(NOW + timedelta(seconds=config.MAIL_LEASE))
    slow.send(NOW)
    assert inbox.messages() == []


def test_what_was_taken_back_in_the_meantime_is_not_sent(owner, inbox):
    """Another code was asked for while a worker held the first."""
    sms = write(owner)
    held = Sms.claim(NOW)
    write(owner, now=later(1))
    held.send(later(1))
    assert now_of(sms).state == "withheld"
    assert inbox.messages() == []


def test_a_row_that_cannot_be_composed_is_set_aside(owner, inbox):
    sms = write(owner, code=None)
    Sms.send_all_due(NOW)
    assert now_of(sms).state == "failed"


def test_a_state_or_report_that_is_unknown_is_refused_by_the_database(owner):
    for bad in ({"state": "lost"}, {"report": "maybe"}, {"recipient": "112"}):
        with pytest.raises(IntegrityError), db.atomic():
            write(owner, **bad)


# Delivery reports


def report(sms, status):
    return Sms.take_in(Report(sms.message_id, status), later(1))


@pytest.mark.rule("MSG-2")
def test_reports_come_in_any_order_and_a_final_one_stays(owner, inbox):
    sms = write(owner)
    Sms.send_all_due(NOW)
    assert report(sms, ReportStatus.BUFFERED)
    assert report(sms, ReportStatus.ACCEPTED)
    assert report(sms, ReportStatus.DELIVERED)
    for status in ReportStatus:
        assert not report(sms, status)
    assert (now_of(sms).report, now_of(sms).state, now_of(sms).reported_at) == ("delivered", "sent", later(1))


@pytest.mark.parametrize("status", [ReportStatus.ACCEPTED, ReportStatus.DELIVERED, ReportStatus.FAILED])
def test_a_report_settles_what_became_of_an_sms_whose_fate_was_not_known(owner, status):
    sms = write(owner, state="handed")
    assert report(sms, status)
    assert now_of(sms).state == "sent"


def test_a_report_never_makes_a_waiting_sms_sent(owner):
    sms = write(owner)
    report(sms, ReportStatus.DELIVERED)
    assert now_of(sms).state == "due"


def test_a_report_of_an_unknown_sms_changes_nothing(owner):
    write(owner)
    assert not Sms.take_in(Report("nobody", ReportStatus.FAILED), NOW)


def test_the_gateway_is_told_where_to_report_with_the_secret(monkeypatch):
    monkeypatch.setattr(config, "SMS_REPORT_URL", "http://127.0.0.1:8000/sms/report")
    monkeypatch.setattr(config, "SMS_SECRET", "s" * 16)
    assert sms_gateway().dlr_url == f"http://127.0.0.1:8000/sms/report?secret={'s' * 16}"
    monkeypatch.setattr(config, "SMS_REPORT_URL", "none")
    assert sms_gateway().dlr_url == ""
