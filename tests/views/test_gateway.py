"""The endpoints of the SMS gateway: for it alone (MSG-2)."""

from ipaddress import ip_network

import pytest

import config
from models.security_code import SecurityCode
from models.sms import Sms
from tests import world as named

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
