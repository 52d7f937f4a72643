"""The bank gateway on its own: hash, form, reading of messages, verdicts, and the XML of its books."""

import dataclasses
import logging
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from gateways import GatewayError
from gateways.bank import Bank, BankDeclined, ForgedMessage, Verdict, to_major, to_minor, ver3_hash

VECTOR_A = {
    "clientid": "190100000",
    "storetype": "3d_pay",
    "amount": "100.25",
    "oid": "order222",
    "okUrl": "https://domain.com/success",
    "failUrl": "https://domain.com/fail_url",
    "rnd": "rand",
    "hashAlgorithm": "ver3",
    "lang": "tr",
    "currency": "949",
    "islemtipi": "Auth",
    "taksit": "",
    "firmaadi": "siparis veren",
    "Email": "test@test.com",
}
VECTOR_B = {
    "clientid": "190100000",
    "storetype": "3d",
    "amount": "100.25",
    "oid": "order222",
    "okUrl": "https://domain.com/success",
    "failUrl": "https://domain.com/fail_url",
    "rnd": "12345",
    "hashAlgorithm": "ver3",
    "lang": "tr",
    "currency": "949",
    "islemtipi": "Auth",
    "taksit": "",
}
VECTOR_C = {
    "amount": "12999.00",
    "BillToName": "Ана | Тест\\Марковска",
    "callbackUrl": "https://shop.example.mk/pay/callback",
    "clientid": "180000000",
    "currency": "807",
    "failUrl": "https://shop.example.mk/pay/return",
    "hashAlgorithm": "ver3",
    "Instalment": "",
    "lang": "mk",
    "oid": "MKT-2026-000042",
    "okUrl": "https://shop.example.mk/pay/return",
    "refreshtime": "5",
    "rnd": "a1B2c3D4e5",
    "storetype": "3d_pay_hosting",
    "TranType": "Auth",
}
HASH_A = "/uPxhEKWCEGi3NsDOOQ4u8Hu5g71v5GWspOid70WehTWEz97PqxG3IN1Jv5jsbOXOw3Z3Rr/0UtywzEgbqFfdA=="
HASH_B = "4aUsG5hqlIFLc9s8PKc5rWb2OLhmxDDewNgKa2XrwoYCIxlyVq8Fjl4IVaZzoqL983CfTseicmnTA0PjZr74xg=="
HASH_C = "MfhO64Q5ZK1N7vaS74Q/Axz75r0jLotx1IpTgoHsdPU83grxoFOHzECD1A9E+4sFf5mwtDRhWFJDuWVbNdAd3A=="
KEY_C = "SKEY|1\\x"

BANK = Bank(
    gate_url="http://127.0.0.1:1/fim/est3Dgate",
    api_url="http://127.0.0.1:1/fim/api",
    client_id="180000000",
    store_key=KEY_C,
    api_user="shop<api>&",
    api_password="p&ss<word>",
    timeout=2,
)


def result(**changes):
    """A signed result of an approved payment; a change to None leaves the field out."""
    fields = {
        "oid": "A-1",
        "ReturnOid": "A-1",
        "clientid": "180000000",
        "amount": "12999.00",
        "currency": "807",
        "mdStatus": "1",
        "mdErrorMsg": "",
        "Response": "Approved",
        "ProcReturnCode": "00",
        "ErrMsg": "",
        "AuthCode": "P77974",
        "TransId": "24003Vl7F13152",
        "HostRefNum": "400300744233",
        "MaskedPan": "400000***0002",
        "md": "400000:72240E12F06488A0",
        "EXTRA_CARDBRAND": "VISA",
        "hashAlgorithm": "ver3",
        "rnd": "abc",
    }
    fields.update(changes)
    fields = {name: value for name, value in fields.items() if value is not None}
    fields["HASH"] = ver3_hash(fields, BANK.store_key)
    return fields


@pytest.mark.rule("PAY-6")
@pytest.mark.parametrize(
    ("fields", "key", "expected"),
    [(VECTOR_A, "123456", HASH_A), (VECTOR_B, "123456", HASH_B), (VECTOR_C, KEY_C, HASH_C)],
    ids=["A", "B", "C"],
)
def test_the_published_vectors_give_their_published_hashes(fields, key, expected):
    assert ver3_hash(fields, key) == expected
    assert ver3_hash(dict(reversed(fields.items())), key) == expected
    assert ver3_hash({name.upper(): value for name, value in fields.items()}, key) == expected
    assert ver3_hash(fields | {"HASH": "x", "Encoding": "UTF-8"}, key) == expected


@pytest.mark.rule("PAY-6")
@given(
    st.dictionaries(st.sampled_from(sorted(VECTOR_C)), st.text(), min_size=1),
    st.sampled_from(sorted(VECTOR_C)),
    st.text(),
)
def test_a_change_to_any_value_changes_the_hash(fields, name, value):
    changed = {**fields, name: value}
    if changed != fields:
        assert ver3_hash(changed, KEY_C) != ver3_hash(fields, KEY_C)


@given(st.integers(min_value=1, max_value=10**11))
def test_an_amount_survives_the_way_to_the_bank_and_back(amount):
    assert to_minor(to_major(amount)) == amount


@pytest.mark.parametrize("text", ["", "-1.00", "1,00", "1.000", "1e3", " 1.00", "1.00\n", "١.٠٠", "1.", ".5", "nan"])
def test_what_is_not_plainly_an_amount_is_no_amount(text):
    assert to_minor(text) is None


def test_amounts_without_or_with_one_decimal_are_read_in_minor_units():
    assert to_minor("12999") == 1299900
    assert to_minor("12999.5") == 1299950


@pytest.mark.rule("PAY-5")
def test_the_payment_form_carries_the_signed_fields_of_the_protocol():
    form = BANK.payment_form(
        "MKT-2026-000042",
        1299900,
        "https://shop.example.mk/pay/return",
        "https://shop.example.mk/pay/callback",
        "mk",
        "a1B2c3D4e5",
        {"name": "Ана | Тест\\Марковска"},
    )
    assert form == {**VECTOR_C, "hash": HASH_C, "encoding": "UTF-8"}


def test_the_buyer_in_the_form_is_one_line_whatever_was_typed():
    form = BANK.payment_form(
        "A", 100, "r", "c", "sq", "n", {"name": " Ana\r\n\tTest\x00 ", "email": "", "phone": "+389"}
    )
    assert form["BillToName"] == "Ana Test"
    assert form["tel"] == "+389"
    assert "email" not in form


@pytest.mark.parametrize("amount", [0, -1, 12.5, "100", True, None])
def test_an_amount_that_is_no_whole_positive_number_is_refused(amount):
    with pytest.raises(ValueError, match="minor units"):
        BANK.payment_form("A", amount, "r", "c", "sq", "n")
    with pytest.raises(ValueError, match="minor units"):
        BANK.refund("A", amount)


def test_an_unknown_currency_is_refused_at_once():
    with pytest.raises(ValueError, match="XXX"):
        dataclasses.replace(BANK, currency="XXX")


@pytest.mark.rule("PAY-5")
def test_reading_keeps_the_outcome_and_nothing_of_the_card():
    message = BANK.read(result(ErrMsg="card 4000 0000 0000 0002 refused", callbackCall="true"))
    assert (message.oid, message.amount, message.currency) == ("A-1", 1299900, "807")
    assert (message.auth_code, message.trans_id, message.host_ref) == (
        "P77974",
        "24003Vl7F13152",
        "400300744233",
    )
    assert message.is_callback
    assert "400000" not in repr(message)
    assert "4000 0000" not in repr(message)
    assert not BANK.read(result()).is_callback


@pytest.mark.rule("PAY-6")
@pytest.mark.parametrize(
    "changes",
    [
        {"HASH": None},
        {"HASH": ""},
        {"HASH": "AAAA"},
        {"HASH": "ë" * 88},
        {"amount": "1.00"},
        {"oid": "A-2"},
        {"Response": "Declined"},
        {"extra": "1"},
        {"rnd": None},
    ],
    ids=str,
)
def test_a_message_changed_on_its_way_is_forged(changes):
    fields = {**result(), **changes}
    with pytest.raises(ForgedMessage):
        BANK.read({name: value for name, value in fields.items() if value is not None})


@pytest.mark.rule("PAY-6")
def test_a_message_signed_with_another_key_is_forged():
    with pytest.raises(ForgedMessage):
        dataclasses.replace(BANK, store_key="other").read(result())


@pytest.mark.rule("PAY-6")
def test_a_name_given_twice_is_forged_in_any_case_and_with_any_values():
    fields = result(AMOUNT="12999.00")
    with pytest.raises(ForgedMessage, match="twice"):
        BANK.read(fields)
    twice = MultiDict([*result().items(), ("amount", "12999.00")])
    with pytest.raises(ForgedMessage, match="twice"):
        BANK.read(twice)
    assert BANK.read(MultiDict(result())).amount == 1299900


@pytest.mark.rule("PAY-6")
def test_the_digest_recognises_the_same_message_and_tells_others_apart():
    first = BANK.read(result())
    again = BANK.read(dict(reversed(({**result(), "encoding": "ISO-8859-9"}).items())))
    assert first.digest == again.digest
    others = [result(TransId="x"), result(callbackCall="true"), result(EXTRA="")]
    assert len({first.digest, *(BANK.read(fields).digest for fields in others)}) == 4


@pytest.mark.rule("PAY-6")
@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, Verdict.PAID),
        ({"mdStatus": "2"}, Verdict.UNKNOWN),
        ({"mdStatus": "0"}, Verdict.UNKNOWN),
        ({"mdStatus": None}, Verdict.UNKNOWN),
        ({"ProcReturnCode": "51"}, Verdict.UNKNOWN),
        ({"ProcReturnCode": None}, Verdict.UNKNOWN),
        ({"Response": "approved"}, Verdict.UNKNOWN),
        ({"Response": "Declined", "ProcReturnCode": "51"}, Verdict.DECLINED),
        ({"Response": "Declined", "ProcReturnCode": "99", "mdStatus": "0"}, Verdict.DECLINED),
        ({"Response": None, "ProcReturnCode": None, "mdStatus": "0"}, Verdict.DECLINED),
        ({"Response": None, "ProcReturnCode": None, "mdStatus": "1"}, Verdict.UNKNOWN),
        ({"Response": "Declined", "ProcReturnCode": "00"}, Verdict.UNKNOWN),
        ({"Response": "Error", "ProcReturnCode": "99"}, Verdict.UNKNOWN),
        ({"clientid": "180000001"}, Verdict.MISMATCH),
        ({"oid": "A-2", "ReturnOid": "A-2"}, Verdict.MISMATCH),
        ({"ReturnOid": "A-2"}, Verdict.MISMATCH),
        ({"amount": "12999.01"}, Verdict.MISMATCH),
        ({"amount": "12.999,00"}, Verdict.MISMATCH),
        ({"amount": None}, Verdict.MISMATCH),
        ({"currency": "978"}, Verdict.MISMATCH),
        ({"Response": "Declined", "ProcReturnCode": "51", "amount": "1.00"}, Verdict.MISMATCH),
    ],
    ids=str,
)
def test_the_verdict_follows_the_signed_fields(changes, verdict):
    assert BANK.verdict(BANK.read(result(**changes)), "A-1", 1299900) is verdict


@pytest.mark.rule("PAY-6")
def test_the_accepted_set_of_3d_secure_results_is_a_setting():
    wider = dataclasses.replace(BANK, accepted_md_status=frozenset({"1", "2"}))
    assert wider.verdict(wider.read(result(mdStatus="2")), "A-1", 1299900) is Verdict.PAID


def test_secrets_do_not_show_in_the_representation():
    shown = repr(BANK)
    assert all(secret not in shown for secret in (KEY_C, repr(KEY_C), BANK.api_user, BANK.api_password))


class Books:
    """A bank's API on loopback that gives one prepared answer and keeps what it was asked."""

    def __init__(self):
        self.answer, self.status, self.headers, self.asked = b"", 200, {}, []
        books = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                books.asked.append(parse_qs(body, keep_blank_values=True)["DATA"][0])
                self.send_response(books.status)
                for name, value in books.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    for part in books.answer if isinstance(books.answer, list) else [books.answer]:
                        self.wfile.write(part) if isinstance(part, bytes) else time.sleep(part)
                        self.wfile.flush()
                except OSError:
                    self.close_connection = True

            def log_message(self, *_):
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        port = self.server.server_address[1]
        self.bank = dataclasses.replace(BANK, api_url=f"http://127.0.0.1:{port}/fim/api")

    def says(self, extra=None, **outer):
        outer = {
            "OrderId": "A-1",
            "Response": "Approved",
            "ProcReturnCode": "00",
            "ErrMsg": "Record(s) found",
            **outer,
        }
        root = ET.Element("CC5Response")
        for name, value in outer.items():
            ET.SubElement(root, name).text = value
        inner = ET.SubElement(root, "Extra")
        for name, value in (extra or {}).items():
            ET.SubElement(inner, name).text = value
        self.answer = ET.tostring(root, encoding="utf-8", xml_declaration=True)


@pytest.fixture
def books():
    books = Books()
    yield books
    books.server.shutdown()
    books.server.server_close()


SALE = {
    "ORD_ID": "A-1",
    "CHARGE_TYPE_CD": "S",
    "ORIG_TRANS_AMT": "1299900",
    "CAPTURE_AMT": "1299900",
    "TRANS_STAT": "C",
    "PROC_RET_CD": "00",
    "AUTH_CODE": "P1",
    "TRANS_ID": "T1",
    "HOST_REF_NUM": "H1",
}


@pytest.mark.rule("PAY-7")
@pytest.mark.parametrize(
    ("changes", "verdict", "captured"),
    [
        ({}, Verdict.PAID, 1299900),
        ({"TRANS_STAT": "S"}, Verdict.PAID, 1299900),
        ({"TRANS_STAT": "A", "CAPTURE_AMT": ""}, Verdict.PAID, 1299900),
        ({"TRANS_STAT": "PN"}, Verdict.UNKNOWN, None),
        ({"TRANS_STAT": "D", "PROC_RET_CD": "51"}, Verdict.DECLINED, None),
        ({"TRANS_STAT": "ERR", "PROC_RET_CD": "99"}, Verdict.DECLINED, None),
        ({"TRANS_STAT": "C", "PROC_RET_CD": "51"}, Verdict.UNKNOWN, None),
        ({"TRANS_STAT": "C", "PROC_RET_CD": ""}, Verdict.UNKNOWN, None),
        ({"TRANS_STAT": "??"}, Verdict.UNKNOWN, None),
        ({"ORIG_TRANS_AMT": "x", "CAPTURE_AMT": ""}, Verdict.UNKNOWN, None),
        ({"MDSTATUS": "1"}, Verdict.PAID, 1299900),
        ({"MDSTATUS": "2"}, Verdict.UNKNOWN, 1299900),
        ({"CHARGE_TYPE_CD": "C", "TRANS_STAT": "D", "PROC_RET_CD": "99"}, Verdict.UNKNOWN, None),
    ],
    ids=str,
)
def test_the_status_reads_the_inner_code_and_the_state_of_the_record(books, changes, verdict, captured):
    books.says({**SALE, **changes})
    status = books.bank.status("A-1")
    assert (status.verdict, status.captured) == (verdict, captured)
    assert (status.auth_code, status.trans_id, status.host_ref) == ("P1", "T1", "H1")


@pytest.mark.rule("PAY-9")
def test_the_status_tells_what_went_back(books):
    books.says({**SALE, "CHARGE_TYPE_CD": "C", "CAPTURE_AMT": "10000"})
    part = books.bank.status("A-1")
    assert (part.verdict, part.captured, part.refunded) == (Verdict.PAID, 1299900, 10000)
    books.says({**SALE, "CHARGE_TYPE_CD": "C"})
    whole = books.bank.status("A-1")
    assert (whole.verdict, whole.refunded) == (Verdict.DECLINED, 1299900)
    books.says({**SALE, "TRANS_STAT": "V"})
    void = books.bank.status("A-1")
    assert (void.verdict, void.voided) == (Verdict.DECLINED, True)


@pytest.mark.rule("PAY-9")
@pytest.mark.parametrize(
    ("back", "verdict"), [("1299900", Verdict.DECLINED), ("1299899", Verdict.UNKNOWN), ("", Verdict.UNKNOWN)]
)
def test_money_taken_with_half_3d_secure_is_declined_once_all_of_it_went_back(books, back, verdict):
    books.says({**SALE, "MDSTATUS": "2", **({"CHARGE_TYPE_CD": "C", "CAPTURE_AMT": back} if back else {})})
    status = books.bank.status("A-1")
    assert (status.verdict, status.captured, status.refunded) == (verdict, 1299900, int(back or 0))


def test_a_status_that_comes_as_one_line_is_read_too(books):
    books.says({"ORDERSTATUS": "\t".join(f"{name}:{value}" for name, value in SALE.items())})
    assert books.bank.status("A-1").captured == 1299900


@pytest.mark.rule("PAY-7")
def test_an_order_that_the_bank_does_not_know_is_not_found(books):
    books.says({"ORDERSTATUS": "ORD_ID:\tTRANS_STAT:\t"}, OrderId="", Response="Declined", ProcReturnCode="99")
    assert books.bank.status("A-1").verdict is Verdict.NOT_FOUND


@pytest.mark.rule("PAY-7")
def test_refused_credentials_are_never_taken_for_an_unknown_order(books):
    books.says(OrderId="", Response="Error", ProcReturnCode="99", ErrMsg="user unknown")
    with pytest.raises(GatewayError, match="user unknown") as caught:
        books.bank.status("A-1")
    assert caught.value.permanent


@pytest.mark.rule("PAY-6")
def test_an_answer_about_another_order_settles_nothing(books):
    books.says({**SALE, "ORD_ID": "A-2"})
    with pytest.raises(GatewayError, match="another order"):
        books.bank.status("A-1")
    books.says(OrderId="A-2")
    with pytest.raises(GatewayError, match="another order"):
        books.bank.refund("A-1", 100)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html><body>Maintenance",
        b"<html></html>",
        b"\xff\xfe\x00",
        b'<?xml version="1.0" encoding="nonsense"?><CC5Response/>',
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><CC5Response><Response>&a;</Response></CC5Response>',
        b"<CC5Response>" + b" " * 300_000 + b"</CC5Response>",
    ],
    ids=["empty", "broken", "page", "bytes", "encoding", "entity", "long"],
)
def test_an_answer_that_is_not_the_banks_xml_is_worth_another_try(books, answer):
    books.answer = answer
    with pytest.raises(GatewayError) as caught:
        books.bank.status("A-1")
    assert not caught.value.permanent


@pytest.mark.parametrize(
    ("code", "permanent"), [(500, False), (503, False), (429, False), (403, True), (404, True), (302, True)]
)
def test_an_http_error_is_permanent_only_when_the_request_is_at_fault(books, code, permanent):
    books.status = code
    if code == 302:
        books.headers = {"Location": books.bank.api_url}
    with pytest.raises(GatewayError, match=str(code)) as caught:
        books.bank.status("A-1")
    assert caught.value.permanent is permanent
    assert len(books.asked) == 1


def test_a_bank_that_is_away_or_slow_or_drips_is_worth_another_try(books):
    with pytest.raises(GatewayError) as caught:
        BANK.status("A-1")
    assert not caught.value.permanent
    hasty = dataclasses.replace(books.bank, timeout=0.2)
    for answer in ([1.0, b"<CC5Response/>"], [b"<", *[0.1, b" "] * 20]):
        books.answer = answer
        started = time.monotonic()
        with pytest.raises(GatewayError) as caught:
            hasty.status("A-1")
        assert not caught.value.permanent
        assert time.monotonic() - started < 1.5


@pytest.mark.rule("PAY-9")
def test_a_refund_asks_for_its_amount_and_returns_the_banks_references(books):
    books.says(AuthCode="P9", TransId="T9", HostRefNum="H9")
    receipt = books.bank.refund("A-1", 10050)
    assert (receipt.auth_code, receipt.trans_id, receipt.host_ref) == ("P9", "T9", "H9")
    asked = fromstring(books.asked[-1])
    assert {child.tag: child.text for child in asked} == {
        "Name": BANK.api_user,
        "Password": BANK.api_password,
        "ClientId": "180000000",
        "OrderId": "A-1",
        "Type": "Credit",
        "Total": "100.50",
        "Currency": "807",
    }


@pytest.mark.rule("PAY-9")
def test_a_void_and_a_status_query_ask_in_the_protocols_words(books):
    books.says(SALE)
    books.bank.void("A-1")
    books.bank.status("A-1")
    void, status = (fromstring(text) for text in books.asked)
    assert void.findtext("Type") == "Void"
    assert status.findtext("Extra/ORDERSTATUS") == "QUERY"
    assert status.find("Type") is None


@pytest.mark.rule("PAY-9")
def test_a_refused_refund_is_permanent_and_says_why(books):
    books.says(Response="Declined", ProcReturnCode="99", ErrMsg="more than was captured")
    with pytest.raises(GatewayError, match="more than was captured") as caught:
        books.bank.refund("A-1", 100)
    assert caught.value.permanent


@pytest.mark.rule("PAY-9")
@pytest.mark.parametrize(
    "said",
    [
        {"Response": "Error", "ProcReturnCode": "99"},
        {"Response": "Declined", "ProcReturnCode": ""},
        {"Response": "Declined", "ProcReturnCode": "00"},
        {"Response": "", "ProcReturnCode": "05"},
        {"Response": "Declined", "ProcReturnCode": "05", "OrderId": "A-2"},
    ],
    ids=str,
)
def test_only_a_plain_no_to_this_very_order_is_a_declined_refund(books, said):
    books.says(Response="Declined", ProcReturnCode="05")
    for ask in (lambda: books.bank.refund("A-1", 100), lambda: books.bank.void("A-1")):
        with pytest.raises(BankDeclined):
            ask()
    books.says(**said)
    with pytest.raises(GatewayError) as caught:
        books.bank.refund("A-1", 100)
    assert not isinstance(caught.value, BankDeclined)


def test_no_credential_reaches_a_log_or_an_error(books, caplog):
    caplog.set_level(logging.DEBUG)
    books.says(Response="Error", ProcReturnCode="99", OrderId="")
    texts = []
    for bank in (books.bank, BANK):
        with pytest.raises(GatewayError) as caught:
            bank.status("A-1")
        texts.append(repr(caught.value) + repr(caught.value.__cause__))
    shown = caplog.text + "".join(texts)
    assert "fim/api" in shown
    assert all(secret not in shown for secret in (BANK.api_user, BANK.api_password, BANK.store_key))
