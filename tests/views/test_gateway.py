"""The endpoints of the SMS and USSD gateways: for them alone (MSG-2, CLB-9, CLB-10)."""

import os
import subprocess
import sys
from ipaddress import ip_network

import pytest

import config
from models.base import db
from models.bss_event import BssEvent
from models.club_ledger import usable_points
from models.club_member import ClubMember
from models.club_service import ClubService
from models.inbound_sms import InboundSms
from models.security_code import SecurityCode
from models.sms import Sms
from tests import world as named
from tests.club import joined

pytestmark = pytest.mark.rule("MSG-2")

SECRET = "a secret of the gateway"
REPORT = "/sms/report"


@pytest.fixture
def sms(profile, monkeypatch):
    monkeypatch.setattr(config, "SMS_SECRET", SECRET)
    code = SecurityCode.send(profile, "38970100020", named.NOW, genuine=True)
    sms = Sms.get(Sms.code == code)
    Sms.update(state="sent").execute()
    return sms


def report(browser, sms, address="127.0.0.1", path=REPORT, **fields):
    query = {"secret": SECRET, "id": sms.message_id, "status": "1"} | fields
    return browser.get(
        path,
        query_string={name: value for name, value in query.items() if value is not None},
        environ_overrides={"REMOTE_ADDR": address},
    )


def told(sms):
    return Sms.get_by_id(sms.id).report


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_a_report_of_the_gateway_is_taken_in(stranger, sms, address):
    page = report(stranger, sms, address)
    assert (page.status, page.html) == (200, "OK")
    assert told(sms) == "delivered"


def test_a_report_brought_again_changes_nothing_and_is_a_yes(stranger, sms):
    for status in ("1", "1", "2", "8"):
        assert report(stranger, sms, status=status).status == 200
    assert told(sms) == "delivered"


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x", SECRET[:-1], "ë", "\u0000"])
def test_without_the_secret_there_is_no_such_address(stranger, sms, secret):
    page = report(stranger, sms, secret=secret)
    assert page.status in (400, 404)
    assert told(sms) == ""


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.1", "", "unix:"])
def test_from_another_address_the_secret_does_not_help(stranger, sms, address):
    assert report(stranger, sms, address).status == 404
    assert told(sms) == ""


def test_the_addresses_are_a_setting(stranger, sms, monkeypatch):
    monkeypatch.setattr(config, "SMS_ADDRESSES", (ip_network("192.0.2.0/24"),))
    assert report(stranger, sms, "127.0.0.1").status == 404
    assert report(stranger, sms, "192.0.2.77").status == 200


def test_a_secret_that_is_given_twice_is_none(stranger, sms):
    assert report(stranger, sms, secret=[SECRET, SECRET]).status == 404


@pytest.mark.parametrize(
    "fields", [{"id": None}, {"status": None}, {"status": "3"}, {"status": "x"}, {"id": "a b"}, {"id": "x" * 65}]
)
def test_a_report_out_of_form_is_refused(stranger, sms, fields):
    assert report(stranger, sms, **fields).status == 400
    assert told(sms) == ""


def test_a_report_of_an_sms_nobody_knows_is_a_yes(stranger, sms):
    assert report(stranger, sms, id="f" * 32).status == 200
    assert told(sms) == ""


def test_a_report_is_asked_for_by_get_alone(stranger, sms):
    assert stranger.post(REPORT, {}).status == 405


# 50777


INBOUND = "/sms/inbound"
MESSAGE = "8f14e45f-ceea-467f-ab01-7a9c1e2b3c4d"


@pytest.fixture
def member(world, monkeypatch):
    monkeypatch.setattr(config, "SMS_SECRET", SECRET)
    monkeypatch.setattr(config, "USSD_SECRET", USSD_SECRET)
    return joined(points=100)


def inbound(browser, text="20 MB", address="127.0.0.1", **fields):
    query = {
        "secret": SECRET,
        "from": "38970100001",
        "to": "50777",
        "text": text,
        "id": MESSAGE,
        "smsc": "fake",
        "time": "2026-03-10 11:00:00",
    }
    query |= {name.rstrip("_"): value for name, value in fields.items()}
    return browser.get(
        INBOUND,
        query_string={name: value for name, value in query.items() if value is not None},
        environ_overrides={"REMOTE_ADDR": address},
    )


def nothing_happened():
    return (ClubService.select().count(), InboundSms.select().count(), BssEvent.select().count()) == (0, 0, 0)


@pytest.mark.rule("CLB-9")
def test_an_sms_is_answered_in_its_alphabet_and_converts(stranger, member):
    page = inbound(stranger)
    assert (page.status, page.html) == (200, "20 pikë = 100 MB, 30 ditë. Aktivizimin ua konfirmojmë me SMS.")
    assert page.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert (page.headers["X-Kannel-Coding"], page.headers["X-Kannel-Charset"]) == ("2", "UTF-8")
    assert page.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in page.headers
    assert ClubService.select().count() == 1
    help = inbound(stranger, "?", id="8f14e45f-ceea-467f-ab01-7a9c1e2b3c4e")
    assert help.html.startswith("Shkruani: 10 MB")
    assert "X-Kannel-Coding" not in help.headers


@pytest.mark.rule("CLB-9")
def test_the_same_sms_three_times_converts_once_and_is_answered_alike(stranger, member):
    assert len({inbound(stranger, id=id).html for id in (MESSAGE, MESSAGE.upper(), MESSAGE)}) == 1
    assert (ClubService.select().count(), InboundSms.select().count()) == (1, 1)


@pytest.mark.rule("CLB-9")
@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x", "ë", [SECRET, SECRET]])
def test_an_sms_without_the_secret_meets_no_such_address(stranger, member, secret):
    assert inbound(stranger, secret=secret).status == 404
    assert nothing_happened()


@pytest.mark.rule("CLB-9")
@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "::ffff:192.0.2.1", ""])
def test_an_sms_from_another_address_meets_none_either(stranger, member, address):
    assert inbound(stranger, address=address).status == 404
    assert nothing_happened()


AWAY = """
from app import create_app
client = create_app().test_client()
for answer in (
    client.get("/sms/inbound?secret=sandbox&from=38970100001&to=50777&text=20+MB&smsc=x&time=2026-03-10+11:00:00"
               "&id=8f14e45f-ceea-467f-ab01-7a9c1e2b3c4d"),
    client.get("/sms/inbound?secret=wrong&from=38970100001&to=50777&text=20+MB"),
    client.post("/ussd?secret=sandbox-ussd",
                data={"sessionId": "1", "serviceCode": "*777#", "phoneNumber": "+38970100001", "text": ""}),
    client.post("/ussd", data={"sessionId": "1"}),
):
    print("ANSWER", answer.status_code, answer.text[:13].split("\\n")[0])
"""


@pytest.mark.rule("CLB-9", "CLB-10")
def test_with_the_database_away_the_gateways_still_get_words_and_nobody_else_does(tmp_path):
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/away/x.db", "PYTHONPATH": str(config.ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", AWAY], cwd=config.ROOT, env=environment, capture_output=True, text=True, check=True
    )
    answers = [line.split(" ", 2)[1:] for line in run.stdout.splitlines() if line.startswith("ANSWER")]
    assert [answer[0] for answer in answers] == ["200", "500", "200", "500"]
    assert (answers[0][1], answers[2][1]) == ("Nuk u krye. S", "END Nuk u kry")


@pytest.mark.rule("CLB-9")
def test_a_text_with_a_null_in_it_is_answered_with_words_to_the_gateway_alone(stranger, member):
    page = inbound(stranger, "20 MB\x00")
    assert (page.status, page.html.startswith("Nuk u krye.")) == (200, True)
    assert inbound(stranger, "20 MB\x00", secret="wrong").status in (400, 404)
    assert nothing_happened()


@pytest.mark.rule("CLB-9")
@pytest.mark.parametrize(
    "fields",
    [
        {"from_": "Banka"},
        {"from_": None},
        {"id": "1"},
        {"id": None},
        {"time": "now"},
        {"text": "x" * 3000},
        {"from_": ["38970100001", "38970100002"]},
    ],
)
def test_even_a_call_out_of_form_is_answered_with_words(stranger, member, fields):
    page = inbound(stranger, **fields)
    assert (page.status, page.html.startswith("Nuk u krye.")) == (200, True)
    assert nothing_happened()


@pytest.mark.rule("CLB-9", "CLB-16")
def test_after_a_failure_the_answer_says_so_and_nothing_of_the_message_stays(stranger, member):
    with db.atomic() as changes:
        # The event for the network, the last that is written, finds its table away.
        db.execute_sql("ALTER TABLE bss_event RENAME TO bss_event_away")
        page = inbound(stranger)
        db.execute_sql("ALTER TABLE bss_event_away RENAME TO bss_event")
        assert (page.status, page.html.startswith("Nuk u krye.")) == (200, True)
        assert nothing_happened()
        assert usable_points(ClubMember.get_by_id(member.id), named.NOW) == 100
        changes.rollback()
    assert inbound(stranger).html.startswith("20 pikë = 100 MB")


# *777#


USSD = "/ussd"
USSD_SECRET = "a secret of the other gateway"


def dial(browser, text="", address="127.0.0.1", secret=USSD_SECRET, headers=None, **fields):
    form = {"sessionId": "ATUid_1", "serviceCode": "*777*1#", "phoneNumber": "+38970100001", "text": text} | fields
    return browser.post(
        USSD,
        {name: value for name, value in form.items() if value is not None},
        token=False,
        query_string={} if secret is None else {"secret": secret},
        headers=headers,
        environ_overrides={"REMOTE_ADDR": address},
    )


@pytest.mark.rule("CLB-10")
def test_a_session_goes_on_with_con_and_ends_with_end(stranger, member):
    said = [dial(stranger, text).html for text in ("", "3", "3*20", "3*20*1", "3*20*1")]
    assert [text[:4] for text in said] == ["CON "] * 3 + ["END "] * 2
    assert said[3] == said[4] == "END 20 pikë = 100 MB, 30 ditë. Aktivizimin ua konfirmojmë me SMS."
    page = dial(stranger)
    assert page.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "Set-Cookie" not in page.headers
    assert ClubService.select().count() == 1


@pytest.mark.rule("CLB-10")
@pytest.mark.parametrize("phone", ["+38970100001", "38970100001", " 38970100001"])
def test_the_plus_of_the_number_may_be_lost_on_the_way(stranger, member, phone):
    assert dial(stranger, phoneNumber=phone).html.startswith("CON Konverto:")


@pytest.mark.rule("CLB-10")
def test_the_secret_may_stand_in_a_header_instead(stranger, member):
    assert dial(stranger, secret=None, headers={"X-Gateway-Secret": USSD_SECRET}).status == 200
    for secret, header in ((None, "wrong"), ("wrong", USSD_SECRET), (USSD_SECRET, USSD_SECRET)):
        assert dial(stranger, secret=secret, headers={"X-Gateway-Secret": header}).status == 404


@pytest.mark.rule("CLB-10")
@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET, "ë"])
def test_dialling_without_the_secret_meets_no_such_address(stranger, member, secret):
    assert dial(stranger, "3*20*1", secret=secret).status == 404
    assert nothing_happened()


@pytest.mark.rule("CLB-10")
def test_without_a_secret_in_the_settings_nobody_is_answered(stranger, member, monkeypatch):
    monkeypatch.setattr(config, "USSD_SECRET", "")
    assert dial(stranger, secret="").status == 404


@pytest.mark.rule("CLB-10")
def test_the_gateway_of_ussd_has_its_own_addresses(stranger, member, monkeypatch):
    monkeypatch.setattr(config, "USSD_ADDRESSES", (ip_network("192.0.2.0/24"),))
    assert dial(stranger, "3*20*1").status == 404
    assert nothing_happened()
    assert dial(stranger, address="192.0.2.9").status == 200
    assert inbound(stranger, address="192.0.2.9").status == 404


@pytest.mark.rule("CLB-10")
@pytest.mark.parametrize(
    "fields",
    [
        {"phoneNumber": "ana"},
        {"phoneNumber": "+0"},
        {"phoneNumber": None},
        {"phoneNumber": ""},
        {"sessionId": None},
        {"sessionId": " "},
        {"serviceCode": None},
        {"sessionId": "x" * 501},
        {"text": "1*" * 300},
        {"phoneNumber": ["+38970100001", "+38970100002"]},
    ],
)
def test_a_callback_out_of_form_is_refused(stranger, member, fields):
    assert dial(stranger, **fields).status == 400
    assert nothing_happened()


@pytest.mark.rule("CLB-10")
def test_a_failure_ends_the_session_with_words(stranger, member):
    with db.atomic() as changes:
        db.execute_sql("ALTER TABLE bss_event RENAME TO bss_event_away")
        page = dial(stranger, "3*20*1")
        db.execute_sql("ALTER TABLE bss_event_away RENAME TO bss_event")
        assert (page.status, page.html.startswith("END Nuk u krye.")) == (200, True)
        assert nothing_happened()
        changes.rollback()


@pytest.mark.rule("CLB-10")
def test_the_menu_is_asked_for_by_post_alone(stranger, member):
    assert stranger.get(USSD, query_string={"secret": USSD_SECRET}).status == 405
