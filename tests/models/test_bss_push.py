"""Pushed changes: the rules of the files, once each, never over a later one, and nobody's data in what is said."""

import json
import re
from datetime import UTC, date, datetime
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

import config
from models.bss_import import FILES, BssExtract
from models.bss_known import BssKnown
from models.bss_push import KINDS, BadMessage, BssMessage, IdUsed, Message
from models.contract import Contract
from models.invoice import Invoice
from models.new_number import NewNumber
from models.number import Number, ProfileNumber
from models.subscriber import Holder, Subscriber
from tests.models.test_bss_import import load, rows
from tests.world import NOW, later, profile

COUNT = count(1)


def message(kind, data, at=NOW, number=None, **more):
    """The text of a message as the billing system writes it."""
    told = {"id": number or f"message-{next(COUNT)}", "at": at.isoformat(), "data": data, **more}
    return Message.read(kind, json.dumps(told).encode())


def push(kind, data, at=NOW, number=None, now=None):
    return message(kind, data, at, number).take(now or max(at, NOW))


def errors_of(kind, data, **more):
    with pytest.raises(BadMessage) as caught:
        push(kind, data, **more)
    return caught.value.errors


@pytest.fixture
def copy():
    """The extract of the import's tests, taken in."""
    load()


INVOICE = {
    "number": "F-9",
    "subscriber": "S-1",
    "issued_on": "2026-02-28",
    "due_on": "2026-03-15",
    "amount": 1899.5,
}
CONTRACT = {
    "code": "K-9",
    "msisdn": "38970100102",
    "kind": "besnik24",
    "device": "Galaxy S25",
    "started_on": "2026-03-02",
    "ends_on": "2028-03-01",
    "price": 24000,
    "instalments": 24,
    "instalments_paid": 0,
}


@pytest.mark.rule("ELG-1")
def test_an_invoice_is_told_then_paid_then_the_payment_taken_back_then_withdrawn(copy):
    assert push("invoice", INVOICE) == "added"
    made = Invoice.get(Invoice.number == "F-9")
    assert (made.amount, made.due_on, made.is_paid) == (189_950, date(2026, 3, 15), False)

    paid = {"number": "F-9", "paid_at": "2026-03-10T10:30:00+01:00", "paid_through": "shop"}
    assert push("invoice", paid, later(1)) == "changed"
    made = Invoice.get(Invoice.number == "F-9")
    assert (made.paid_at, made.paid_through) == (datetime(2026, 3, 10, 9, 30, tzinfo=UTC), "shop")

    assert push("invoice", {"number": "F-9", "paid_through": "reversed"}, later(2)) == "changed"
    assert not Invoice.get(Invoice.number == "F-9").is_paid

    assert push("invoice", {"number": "F-9", "cancelled": True}, later(3)) == "changed"
    assert not Invoice.select().where(Invoice.number == "F-9").exists()
    assert push("invoice", {"number": "F-9", "cancelled": True}, later(4)) == "unchanged"


@pytest.mark.rule("ELG-3")
def test_a_contract_is_signed_paid_off_and_ended(copy):
    assert push("contract", CONTRACT) == "added"
    assert push("contract", {"code": "K-9", "instalments_paid": 18}, later(1)) == "changed"
    made = Contract.get(Contract.code == "K-9")
    assert (made.paid, made.instalments_paid, made.ended) == (1_800_000, 18, False)
    assert push("contract", {"code": "K-9", "paid": 24000}, later(2)) == "changed"
    assert Contract.get(Contract.code == "K-9").share_paid == 1
    assert push("contract", {"code": "K-9", "ended": True}, later(3)) == "changed"
    assert Contract.get(Contract.code == "K-9").ended


def test_a_change_of_an_ended_contract_does_not_let_it_run_again(copy):
    Contract.update(ended=True).where(Contract.code == "K-1").execute()
    push("contract", {"code": "K-1", "instalments_paid": 13})
    assert Contract.get(Contract.code == "K-1").ended


@pytest.mark.rule("PRO-3")
def test_a_number_changes_its_tariff_keeps_its_profiles_and_loses_them_when_it_is_given_up(copy):
    number = Number.of_msisdn("38970100101")
    ProfileNumber.create(profile=profile(), number=number, added_at=NOW)
    assert push("number", {"msisdn": "38970100101", "tariff": "linja-l"}) == "changed"
    assert Number.of_msisdn("38970100101").tariff == "linja-l"
    assert ProfileNumber.select().exists()
    assert push("number", {"msisdn": 38970100101, "active": False}, later(1)) == "changed"
    assert Number.of_msisdn("38970100101") is None
    assert not ProfileNumber.select().exists()


@pytest.mark.rule("OFF-6")
def test_a_number_that_comes_into_use_leaves_the_pool(copy):
    data = {"msisdn": "38970200001", "subscriber": "S-1", "sim_end": "112233", "kind": "prepaid"}
    assert push("number", data) == "added"
    assert NewNumber.get(NewNumber.msisdn == "38970200001").state == "sold"
    assert errors_of("new_number", {"msisdn": "38970100102"}).keys() == {"msisdn"}
    assert push("new_number", {"msisdn": "38970200009"}) == "added"


def test_a_subscriber_code_is_added_to_a_known_holder_by_the_id_alone(copy):
    data = {"code": "S-9", "holder_id": "0101990450006", "since": "2026-03-01"}
    assert push("subscriber", data) == "added"
    assert Subscriber.get(Subscriber.code == "S-9").holder.name == "Ana Markovska"


def test_a_code_that_goes_to_a_new_holder_needs_the_new_name(copy):
    moved = {"code": "S-2", "holder_id": "0202990450006"}
    assert errors_of("subscriber", moved) == {"segment": "is missing"}
    moved["segment"] = "private"
    assert errors_of("subscriber", moved).keys() == {"first_name", "last_name"}
    assert push("subscriber", {**moved, "first_name": "Ilir", "last_name": "Osmani"}) == "changed"
    assert Subscriber.get(Subscriber.code == "S-2").holder.name == "Ilir Osmani"
    assert Subscriber.get(Subscriber.code == "S-1").holder.name == "Ana Markovska"


def test_the_documentations_messages_can_be_pushed_one_after_the_other():
    text = (config.ROOT / "docs" / "bss.md").read_text(encoding="utf-8")
    files = re.findall(r"^(\w+\.csv)\n\n```\n(.*?)```", text.partition("## An example")[2], re.M | re.S)
    BssExtract({name: table.encode() for name, table in files}).load(NOW)
    pushed = re.findall(r"^\| [^|]+ \| `/bss/(\w+)` \| `(\{.*\})` \|$", text, re.M)
    results = [push(kind, json.loads(data), later(minutes)) for minutes, (kind, data) in enumerate(pushed)]
    assert len(results) == 14
    # What was spent is told of a number that is in no club.
    assert [results.count(one) for one in ("added", "changed", "unchanged")] == [6, 7, 1]


@pytest.mark.parametrize("kind", [file.kind() for file in FILES])
def test_the_same_row_again_changes_nothing(copy, kind):
    """What the shop knows, told with other words by the billing system."""
    keys = {
        "subscriber": {"code": "S-1"},
        "number": {"msisdn": "38970100101"},
        "invoice": {"number": "F-1"},
        "contract": {"code": "K-1"},
        "new_number": {"msisdn": "38970200001"},
        "fixed_service": {"code": "FX-1"},
    }
    before = rows()
    assert push(kind, keys[kind]) == "unchanged"
    assert rows() == before


def test_a_message_that_comes_again_is_answered_the_same_and_changes_nothing(copy):
    paid = {"number": "F-2", "paid_at": "2026-03-10T09:00", "paid_through": "shop"}
    assert push("invoice", paid, number="payment-1") == "changed"
    push("invoice", {"number": "F-2", "paid_through": "reversed"}, later(1))
    before = rows()
    assert push("invoice", paid, number="payment-1") == "changed"
    assert push("invoice", dict(reversed(paid.items())), number="payment-1", now=later(days=60)) == "changed"
    assert rows() == before


def test_an_id_belongs_to_one_message(copy):
    push("invoice", {"number": "F-2", "due_on": "2026-03-20"}, number="change-1")
    before = rows()
    for kind, data, at in (
        ("invoice", {"number": "F-2", "due_on": "2026-03-21"}, NOW),
        ("invoice", {"number": "F-2", "due_on": "2026-03-20"}, later(1)),
        ("contract", {"code": "K-1", "ended": True}, NOW),
    ):
        with pytest.raises(IdUsed):
            push(kind, data, at, number="change-1")
    assert rows() == before


def test_a_message_that_was_refused_may_come_again_corrected_under_its_id(copy):
    errors_of("invoice", {**INVOICE, "subscriber": "S-9"}, number="invoice-1")
    assert push("invoice", INVOICE, number="invoice-1") == "added"


def test_a_message_that_was_overtaken_changes_nothing(copy):
    push("number", {"msisdn": "38970100101", "tariff": "linja-l"}, at=later(2))
    assert push("number", {"msisdn": "38970100101", "tariff": "linja-s"}, at=later(1), number="overtaken") == "older"
    assert Number.of_msisdn("38970100101").tariff == "linja-l"
    assert push("number", {"msisdn": "38970100101", "tariff": "linja-s"}, at=later(1), number="overtaken") == "older"
    # Of the same moment, the one that comes last holds; of another row, there is no telling.
    assert push("number", {"msisdn": "38970100101", "tariff": "linja-m"}, at=later(2)) == "changed"
    assert push("number", {"msisdn": "38970100102", "tariff": "linja-m"}, at=NOW) == "changed"


def test_a_withdrawn_invoice_does_not_come_back_with_an_overtaken_message(copy):
    push("invoice", {"number": "F-2", "cancelled": True}, at=later(1))
    again = {**INVOICE, "number": "F-2"}
    assert push("invoice", again, at=NOW) == "older"
    assert not Invoice.select().where(Invoice.number == "F-2").exists()


def test_a_refused_message_leaves_nothing_behind(copy):
    before = rows()
    errors_of("invoice", {"number": "F-2", "due_on": "2020-01-01"}, at=later(1))
    assert rows() == before
    assert not BssMessage.select().exists()
    assert not BssKnown.select().exists()


@pytest.mark.rule("PRO-7")
def test_a_change_of_an_invoice_keeps_the_payment_that_the_shop_took(copy):
    Invoice.get(Invoice.number == "F-2").pay(NOW)
    push("invoice", {"number": "F-2", "due_on": "2026-03-20"})
    push("invoice", {**INVOICE, "number": "F-2"}, later(1))
    # Told by somebody who has not heard of it.
    push("invoice", {"number": "F-2", "paid_at": None, "paid_through": ""}, later(2))
    invoice = Invoice.get(Invoice.number == "F-2")
    assert (invoice.paid_at, invoice.paid_through) == (NOW, "online")


@pytest.mark.parametrize(
    ("kind", "data", "wrong"),
    [
        ("invoice", {}, {"number"}),
        ("invoice", {"number": "F-9"}, {"subscriber", "issued_on", "due_on", "amount"}),
        ("invoice", {**INVOICE, "amount": "1.899,50"}, {"amount"}),
        ("invoice", {**INVOICE, "amount": 0}, {"amount"}),
        ("invoice", {**INVOICE, "amount": -5, "due_on": "soon"}, {"amount", "due_on"}),
        ("invoice", {**INVOICE, "subscriber": "S-99"}, {"subscriber"}),
        ("invoice", {**INVOICE, "subscriber": None}, {"subscriber"}),
        ("invoice", {**INVOICE, "amount": [1]}, {"amount"}),
        ("invoice", {**INVOICE, "amount": {"den": 1}}, {"amount"}),
        ("invoice", {**INVOICE, "colour": "red"}, {"colour"}),
        ("invoice", {**INVOICE, "paid_at": "2026-03-10T09:00"}, {"paid_through"}),
        ("invoice", {**INVOICE, "due_on": "2026-02-01"}, {"due_on"}),
        ("number", {"msisdn": "070100101"}, {"msisdn"}),
        ("number", {"msisdn": "38970100101", "kind": "fixed", "sim_end": "12"}, {"kind", "sim_end"}),
        ("number", {"msisdn": "38970100101", "tariff": "linja\nm"}, {"tariff"}),
        ("number", {"msisdn": "38970100101", "tariff": "\ud800"}, {"tariff"}),
        ("contract", {**CONTRACT, "msisdn": "38970100101"}, {"msisdn"}),
        ("contract", {**CONTRACT, "instalments": True}, {"instalments"}),
        ("contract", {"code": "K-1", "instalments_paid": 25}, {"instalments_paid"}),
        ("subscriber", {"code": "S-3", "company": ""}, {"company"}),
        ("new_number", {"msisdn": "38970200001", "state": "held"}, {"state"}),
    ],
    ids=str,
)
def test_each_wrong_field_is_named_and_nothing_is_changed(copy, kind, data, wrong):
    before = rows()
    assert errors_of(kind, data).keys() == wrong
    assert rows() == before


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (b"", {""}),
        (b"\xff", {""}),
        (b"[" * 9000, {""}),
        (b"[]", {""}),
        (b'{"id": "message-x", "id": "message-y", "at": "2026-03-10T11:00Z", "data": {}}', {""}),
        (b'{"id": "message-x", "at": "2026-03-10T11:00Z", "data": {"amount": NaN}}', {""}),
        (b"{}", {"id", "at", "data"}),
        (b'{"id": 17, "at": 17, "data": []}', {"id", "at", "data"}),
        (b'{"id": "short", "at": "2026-03-10", "data": {}}', {"id", "at"}),
        (b'{"id": "message-x", "at": "2026-03-10T11:00Z", "data": {}, "more": 1}', {"more"}),
    ],
)
def test_what_is_no_message_is_refused(body, wrong):
    with pytest.raises(BadMessage) as caught:
        Message.read("invoice", body)
    assert caught.value.errors.keys() == wrong


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.booleans() | st.text(max_size=9), st.lists).map(
        lambda told: json.dumps(told).encode()
    )
)
def test_nothing_but_a_message_passes_for_one(body):
    with pytest.raises(BadMessage):
        Message.read("invoice", body)


def test_a_moment_in_the_future_is_refused_for_it_would_hold_up_all_that_follows(copy):
    data = {"number": "F-2", "due_on": "2026-03-20"}
    assert errors_of("invoice", data, at=later(6), now=NOW) == {"at": "is in the future"}
    assert push("invoice", data, at=later(4), now=NOW) == "changed"


@pytest.mark.rule("PRV-1")
def test_no_reason_quotes_what_was_told(copy):
    secret, said = "Petrovska-4711", ""
    for kind, name in (("subscriber", "code"), ("number", "msisdn"), ("invoice", "number"), ("contract", "code")):
        for column in KINDS[kind].columns:
            data = {name: "38970100101", column: secret}
            try:
                push(kind, data)
            except BadMessage as error:
                said += str(error.errors)
    assert "msisdn" in said
    assert secret not in said


@pytest.mark.rule("PRV-3")
def test_what_a_message_told_is_not_kept_and_its_id_goes_after_ninety_days(copy):
    push("subscriber", {"code": "S-1", "first_name": "Anastasija"})
    kept = BssMessage.get()
    assert "Anastasija" not in str(kept.__data__)
    assert BssMessage.forget_old(later(days=89)) == 0
    assert BssMessage.forget_old(later(days=91)) == 1


def test_an_extract_may_withdraw_an_invoice_too(copy):
    from tests.models.test_bss_import import only

    lines = "number,subscriber,issued_on,due_on,amount,paid_at,paid_through,cancelled\n"
    lines += "F-2,S-1,2026-02-01,2026-02-28,899,,,yes\nF-3,S-3,2026-03-01,2026-03-15,12000,,,\n"
    told = only(invoices=lines)["invoices.csv"]
    assert (told.added, told.changed, told.unchanged) == (0, 1, 1)
    assert {invoice.number for invoice in Invoice.select()} == {"F-1", "F-3"}
    assert only(invoices=lines)["invoices.csv"].unchanged == 2
    assert Holder.select().count() == 2


def extract(made_at, **files):
    content = {f"{name}.csv": text.encode() for name, text in files.items()}
    return BssExtract(content).load(NOW, made_at=made_at)


TARIFFS = """msisdn,subscriber,sim_end,kind,tariff
38970100101,S-1,112233,postpaid,{0}
38970100102,S-2,445566,prepaid,{0}
"""


def tariffs():
    return [number.tariff for number in Number.select().where(Number.active).order_by(Number.msisdn)][:2]


def test_an_extract_does_not_undo_what_was_pushed_after_it_was_made(copy):
    push("number", {"msisdn": "38970100101", "tariff": "linja-l"}, at=later(-10))
    told = extract(later(-20), numbers=TARIFFS.format("linja-s"))["numbers.csv"]
    assert (told.changed, told.unchanged) == (1, 1)
    assert tariffs() == ["linja-l", "linja-s"]
    extract(later(-5), numbers=TARIFFS.format("linja-s"))
    assert tariffs() == ["linja-s", "linja-s"]


def test_a_message_of_before_the_extract_does_not_undo_it(copy):
    extract(later(-5), numbers=TARIFFS.format("linja-s"))
    assert push("number", {"msisdn": "38970100101", "tariff": "linja-m"}, at=later(-10)) == "older"
    assert push("number", {"msisdn": "38970100102", "tariff": "linja-m"}, at=later(-4)) == "changed"
    assert tariffs() == ["linja-s", "linja-m"]


def test_an_extract_that_does_not_say_when_it_was_made_holds(copy):
    push("number", {"msisdn": "38970100101", "tariff": "linja-l"})
    extract(None, numbers=TARIFFS.format("linja-s"))
    assert tariffs() == ["linja-s", "linja-s"]
