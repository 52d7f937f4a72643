"""The door through which the billing system pushes: who is let in, and what is answered."""

import io
import json
import time

import pytest
import structlog

import config
from gateways.bss import SIGNATURE, TIMESTAMP, sign
from models.bss_push import BssMessage
from models.invoice import Invoice
from tests.bills import owing
from tests.views.browser import HOST
from tests.world import NOW
from views import bss

SECRET = "sandbox-push"
AT = "2026-03-10T10:00:00Z"
PAID = {"number": "F-1", "paid_at": "2026-03-10T09:00:00Z", "paid_through": "shop"}


@pytest.fixture
def invoice(profile):
    owing(profile, "F-1")
    return lambda: Invoice.get(Invoice.number == "F-1")


@pytest.fixture
def post(app, world):
    """Send a message signed as it should be, except for what a test says otherwise."""

    def send(kind="invoice", data=PAID, *, number="message-1", body=None, secret=SECRET, at=None, **more):
        if body is None:
            body = json.dumps({"id": number, "at": AT, "data": data}).encode()
        timestamp = str(int(time.time()) if at is None else at)
        headers = {TIMESTAMP: timestamp, SIGNATURE: sign(secret, timestamp, body), **more.pop("headers", {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        more.setdefault("content_type", "application/json")
        return app.test_client().post(f"/bss/{kind}", base_url=HOST, data=body, headers=headers, **more)

    return send


@pytest.mark.rule("ELG-2")
def test_a_payment_is_pushed_and_the_same_message_again_answers_the_same(post, invoice):
    for _ in range(2):
        answer = post()
        assert (answer.status_code, answer.json) == (200, {"id": "message-1", "result": "changed"})
    assert invoice().paid_through == "shop"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers


def test_a_new_row_is_answered_201_also_when_its_message_comes_again(post, invoice):
    data = {"number": "F-2", "subscriber": "S-1", "issued_on": "2026-03-01", "due_on": "2026-03-15", "amount": 899}
    assert [post(data=data).status_code for _ in range(2)] == [201, 201]
    assert Invoice.select().count() == 2


def test_each_wrong_field_is_named(post, invoice):
    answer = post(data={"number": "F-1", "amount": "a lot", "colour": "red"})
    assert answer.status_code == 422
    assert answer.json["errors"] == {
        "amount": "must be an amount such as 1899 or 1899.50, without other separators",
        "colour": "is no field of invoice",
    }


def test_an_id_of_another_message_is_a_conflict(post, invoice):
    post()
    answer = post(data={"number": "F-1", "paid_through": "reversed"})
    assert (answer.status_code, answer.json["id"]) == (409, "message-1")
    assert invoice().is_paid


@pytest.mark.rule("PRV-6")
@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "another"},
        {"secret": ""},
        {"headers": {SIGNATURE: None}},
        {"headers": {SIGNATURE: "sha256="}},
        {"headers": {SIGNATURE: "sha256=é"}},
        {"headers": {TIMESTAMP: None}},
        {"headers": {TIMESTAMP: str(int(NOW.timestamp()) + 1)}},
        {"at": int(NOW.timestamp()) - 301},
        {"at": int(NOW.timestamp()) + 301},
        {"at": "yesterday"},
        {"at": "-1"},
        {"at": "9" * 400},
    ],
    ids=str,
)
def test_nobody_is_let_in_without_the_signature_of_these_minutes(post, invoice, wrong):
    answer = post(**wrong)
    assert answer.status_code == 401
    assert not invoice().is_paid
    assert not BssMessage.select().exists()


def test_a_body_that_was_altered_on_the_way_is_not_taken(post, invoice):
    body = json.dumps({"id": "message-1", "at": AT, "data": PAID}).encode()
    timestamp = str(int(time.time()))
    signature = sign(SECRET, timestamp, body)
    answer = post(body=body.replace(b"F-1", b"F-2"), headers={TIMESTAMP: timestamp, SIGNATURE: signature})
    assert answer.status_code == 401


def test_who_cannot_sign_does_not_learn_what_there_is(post, invoice):
    assert post(kind="nothing", secret="another").status_code == 401
    assert post(kind="nothing").status_code == 404


def test_a_new_secret_and_the_old_one_hold_while_one_takes_the_others_place(post, invoice, monkeypatch):
    monkeypatch.setattr(config, "BSS_PUSH_SECRET", ("the-new-one", SECRET))
    assert post().status_code == 200
    assert post(secret="the-new-one").status_code == 200
    assert post(secret="the-new-one,sandbox-push").status_code == 401


def test_nothing_can_be_pushed_without_a_secret(post, invoice, monkeypatch):
    monkeypatch.setattr(config, "BSS_PUSH_SECRET", ())
    assert post().status_code == 404
    assert post(secret="").status_code == 404
    assert not invoice().is_paid


@pytest.mark.parametrize(("address", "status"), [("203.0.113.7", 403), ("::ffff:127.0.0.1", 200), ("", 403)])
def test_only_listed_addresses_are_let_in(post, invoice, address, status):
    assert post(environ_overrides={"REMOTE_ADDR": address}).status_code == status
    assert invoice().is_paid == (status == 200)


def test_what_is_too_long_or_no_json_is_refused(post, invoice):
    body = b'{"id": "' + b"x" * 16_384 + b'"}'
    assert post(body=body).status_code == 413
    assert post(body=b"x" * 200_000).status_code == 413
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        assert post(content_type=kind).status_code == 415
    assert not invoice().is_paid


def test_garbage_that_is_signed_is_answered_in_json(post, world):
    for body in (b"", b"\x00", b"{", b"[" * 9000, b'{"data": {"a": 1}}', b'"\\ud800"'):
        answer = post(body=body)
        assert (answer.status_code, list(answer.json)) == (422, ["errors"])


def test_nothing_is_read_there(app, world):
    client = app.test_client()
    assert client.get("/bss/invoice").status_code == 405
    # Only this door takes JSON.
    assert client.post("/shporta", json={"a": 1}).status_code == 400


@pytest.mark.rule("PRV-1")
def test_logs_name_neither_rows_nor_what_is_told_of_them(post, invoice, monkeypatch):
    told = io.StringIO()
    processors = structlog.get_config()["processors"]
    monkeypatch.setattr(bss, "log", structlog.wrap_logger(structlog.PrintLogger(told), processors=processors))
    post()
    post(number="message-2", data={"number": "F-1", "amount": "Markovska", "Osmani": 1})
    post(number="message-3", secret="another")
    lines = [json.loads(line) for line in told.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["bss.pushed", "bss.bad_message", "bss.refused"]
    for personal in ("F-1", "Markovska", "Osmani", "message-", "S-1"):
        assert personal not in told.getvalue()
