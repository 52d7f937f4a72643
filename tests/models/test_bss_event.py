"""Events for the billing system: written with what they report, brought at least once and in order."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

import config
from models.base import db
from models.bill_payment import BillPayment
from models.bss_event import BACK_OFF, PAUSE, BssEvent
from models.invoice import Invoice
from models.new_number import NewNumber
from models.order import NotAllowed
from models.payment import Payment, Verdict
from tests.bills import owing
from tests.query_count import assert_query_count
from tests.world import NOW, build, cart_with, checkout_of, contract_line, later, ordered, own_number, place, profile

SECRET = "the webhook's secret"


@pytest.fixture
def world():
    return build()


@pytest.fixture
def endpoint(monkeypatch):
    """The sandbox's endpoint, with its own clock: signatures are of the present."""
    from gateways.sandbox.bss import Endpoint

    with Endpoint(0, SECRET) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        monkeypatch.setattr(config, "BSS_WEBHOOK_URL", server.url)
        monkeypatch.setattr(config, "BSS_WEBHOOK_SECRET", SECRET)
        monkeypatch.setattr(config, "BSS_TIMEOUT", 2)
        yield server
        server.shutdown()
        thread.join(5)


def present(seconds: float = 0) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def confirmed(world, *skus):
    order, payment = ordered(world, *skus or ("CASE-BLACK",))
    payment.settle(Verdict.PAID, later(1))
    return order.relock()


def told(kind=None):
    """The events as the billing system gets them, in their order."""
    BssEvent.count_since(0)
    return [event.told for event in BssEvent.since(0) if kind in (None, event.kind)]


# What is written


@pytest.mark.rule("ORD-4")
def test_a_card_order_is_told_when_it_is_paid_and_not_before(world):
    order, payment = ordered(world, "S25-BLACK-128", "CASE-BLACK")
    assert told() == []
    payment.settle(Verdict.PAID, later(1))
    payment.settle(Verdict.PAID, later(2))
    [event] = told()
    assert (event["sequence"], event["kind"], event["version"], event["at"]) == (
        1,
        "order_confirmed",
        1,
        "2026-03-10T11:01:00Z",
    )
    data = event["data"]
    assert (data["order"], data["before"], data["total"], data["paid_by_card"]) == (
        order.number,
        "awaiting_payment",
        "53790.00",
        "53790.00",
    )
    assert data["customer"]["email"] == "ana@example.com"
    assert data["delivery"]["receiver"] == "Ana Markovska"
    phone, case = data["lines"]
    assert phone == {
        "position": 1,
        "sku": "S25-BLACK-128",
        "device": "Samsung Galaxy S25, 128\u00a0GB",
        "colour": "E zezë",
        "quantity": 1,
        "price": "52800.00",
        "gift": "Kufje Galaxy Buds FE",
        "contract_type": "device_only",
        "msisdn": None,
        "subscriber": None,
        "tariff": None,
        "payment": "card",
        "instalments": [],
        "first_bill": "0.00",
    }
    assert (case["sku"], case["gift"]) == ("CASE-BLACK", None)


@pytest.mark.rule("OFF-4")
@pytest.mark.rule("PAY-3")
def test_a_contract_on_an_own_number_is_told_with_tariff_code_and_instalments(world):
    owner = profile()
    number = own_number(owner)
    cart = cart_with(world, profile=owner)
    contract_line(cart, number=number)
    place(checkout_of(cart), profile=owner)
    [event] = told("order_confirmed")
    data = event["data"]
    [line] = data["lines"]
    assert (line["contract_type"], line["msisdn"], line["subscriber"]) == (
        "besnik24",
        "38970100001",
        "S-38970100001",
    )
    assert line["tariff"] == {"code": "linja-m", "name": "Linja M", "monthly_price": "899.00"}
    assert (line["payment"], line["instalments"]) == ("instalments", ["1080.00"] * 24)
    assert data["before"] is None
    assert (data["total"], data["paid_by_card"], data["signer"]) == ("25920.00", "0.00", "Arben Osmani")
    assert data["delivery"]["receiver"] == "Arben Osmani"


@pytest.mark.rule("OFF-6")
def test_a_new_number_is_told_with_its_tariff(world):
    number = NewNumber.create(msisdn="38970227418")
    cart = cart_with(world)
    contract_line(cart, contract_type="new_number", payment="card", number=number)
    _, payment = place(checkout_of(cart))
    payment.settle(Verdict.PAID, later(1))
    [line] = told("order_confirmed")[0]["data"]["lines"]
    assert (line["contract_type"], line["msisdn"], line["subscriber"], line["payment"]) == (
        "new_number",
        "38970227418",
        None,
        "card",
    )
    assert line["tariff"]["code"] == "linja-m"


@pytest.mark.rule("ORD-4")
def test_the_ways_of_an_order_are_told_in_their_order(world):
    order = confirmed(world)
    for state in ("packed", "with_courier", "delivered", "returned"):
        order.move(state, by="admin", now=later(2))
    assert [(event["kind"], event["data"]["before"]) for event in told()] == [
        ("order_confirmed", "awaiting_payment"),
        ("order_delivered", "with_courier"),
        ("order_returned", "delivered"),
    ]
    other, _ = ordered(world, "CASE-BLACK")
    other.lapse(later(31))
    third, _ = ordered(world, "CASE-BLACK")
    third.move("cancelled", by="shopper", now=later(3))
    assert [(event["kind"], event["data"]) for event in told()[3:]] == [
        ("order_lapsed", {"order": other.number, "before": "awaiting_payment"}),
        ("order_cancelled", {"order": third.number, "before": "awaiting_payment"}),
    ]


@pytest.mark.rule("PAY-9")
def test_a_lapsed_order_whose_money_comes_late_is_confirmed_after_all(world):
    order, payment = ordered(world, "CASE-BLACK")
    order.lapse(later(31))
    payment.settle(Verdict.PAID, later(40))
    assert [event["kind"] for event in told()] == ["order_lapsed", "order_confirmed"]
    assert told()[1]["data"]["before"] == "lapsed"


@pytest.mark.rule("PRO-7")
def test_each_invoice_that_is_paid_online_is_told_and_no_other(world):
    owner = profile()
    owing(owner, "F-1", "F-2", "F-3")
    bills = BillPayment.begin(owner, ["F-1", "F-2"], NOW, "sq")
    payment = Payment.latest_of(bills)
    # Somebody was faster at the counter.
    Invoice.get(Invoice.number == "F-2").pay(NOW, "shop")
    for _ in range(2):
        payment.settle(Verdict.PAID, later(1))
    [event] = told()
    assert (event["kind"], event["data"]) == (
        "invoice_paid_online",
        {
            "invoice": "F-1",
            "subscriber": "S-1",
            "amount": "1899.00",
            "currency": "MKD",
            "paid_at": "2026-03-10T11:01:00Z",
            "payment": bills.number,
        },
    )


@pytest.mark.rule("ORD-4")
def test_what_did_not_happen_is_not_told(world):
    order = confirmed(world)
    with pytest.raises(NotAllowed):
        order.move("returned", by="admin", now=later(2))
    with db.atomic() as transaction:
        order.move("packed", by="admin", now=later(2))
        order.move("cancelled", by="admin", now=later(2))
        transaction.rollback()
    assert [event["kind"] for event in told()] == ["order_confirmed"]


def test_an_event_costs_an_order_few_questions(world):
    order, _ = ordered(world, "S25-BLACK-128", "CASE-BLACK", "TAB-GREY-64")
    with assert_query_count(2):
        BssEvent.of_order(order, "confirmed", NOW)
    with assert_query_count(1):
        BssEvent.of_order(order, "lapsed", NOW)
    with assert_query_count(0):
        BssEvent.of_order(order, "packed", NOW)


def test_every_field_of_an_event_is_documented():
    from pathlib import Path

    text = (Path(config.ROOT) / "docs" / "bss.md").read_text(encoding="utf-8")
    test_world = build()
    owner = profile()
    cart = cart_with(test_world, profile=owner)
    contract_line(cart, number=own_number(owner))
    place(checkout_of(cart), profile=owner)
    [event] = told()
    documented = text.partition("## Events")[2].partition("## The webhook")[0]

    def names(value):
        if isinstance(value, dict):
            return set(value).union(*map(names, value.values()))
        return set().union(*map(names, value)) if isinstance(value, list) else set()

    assert {name for name in names(event) if f"`{name}`" not in documented} == set()


# Numbers


def test_numbers_have_no_gaps_and_stay(world):
    for _ in range(3):
        confirmed(world)
    assert [event["sequence"] for event in told()] == [1, 2, 3]
    first = told()
    confirmed(world)
    assert told()[:3] == first
    assert [event.sequence for event in BssEvent.since(2, batch=1)] == [3, 4]
    assert BssEvent.count_since(4) == 0


# The webhook


def test_events_are_brought_once_in_their_order_and_signed(world, endpoint):
    order = confirmed(world)
    order.move("cancelled", by="admin", now=later(2))
    assert BssEvent.send_all_due(present()) == 2
    assert BssEvent.send_all_due(present()) == 0
    assert [json.loads(json.dumps(event)) for event in endpoint.deliveries] == told()
    assert BssEvent.counts() == {"due": 0, "sent": 2, "refused": 0, "skipped": 0}


def test_nothing_is_brought_without_an_address(world):
    confirmed(world)
    assert BssEvent.send_all_due(present()) == 0
    assert BssEvent.get().tries == 0


@pytest.mark.rule("MSG-1")
def test_an_answer_that_is_lost_brings_the_event_again_under_its_id(world, endpoint):
    confirmed(world)
    endpoint.answers = [0]
    assert BssEvent.send_all_due(present()) == 1
    assert BssEvent.send_all_due(present(BACK_OFF[0] + 1)) == 1
    assert len(endpoint.deliveries) == 2
    assert [event["id"] for event in endpoint.taken] == [told()[0]["id"]]


def test_while_nobody_is_there_one_event_is_tried_now_and_then_and_all_go_out_afterwards(world, endpoint):
    for _ in range(4):
        confirmed(world)
    endpoint.answers = [503] * 3
    assert BssEvent.send_all_due(present()) == 1
    # Also what happens meanwhile waits.
    confirmed(world)
    assert BssEvent.send_all_due(present(1)) == 0
    assert BssEvent.send_all_due(present(6)) == 1
    assert BssEvent.send_all_due(present(12)) == 1
    assert len(endpoint.deliveries) == 3
    assert BssEvent.send_all_due(present(12 + PAUSE)) == 5
    assert {event["sequence"] for event in endpoint.taken} == {1, 2, 3, 4, 5}


def test_a_dead_endpoint_costs_no_order_and_no_event(world, endpoint, monkeypatch):
    monkeypatch.setattr(config, "BSS_WEBHOOK_URL", "http://127.0.0.1:9/events")
    order = confirmed(world)
    now = present()
    for days in range(40):
        BssEvent.send_all_due(now + timedelta(days=days))
    assert order.relock().state == "confirmed"
    assert BssEvent.counts()["due"] == 1
    monkeypatch.setattr(config, "BSS_WEBHOOK_URL", endpoint.url)
    BssEvent.update(due_at=present()).execute()
    BssEvent.update(unreachable_at=present(-100)).execute()
    assert BssEvent.send_all_due(present()) == 1
    assert len(endpoint.taken) == 1


def test_one_event_that_the_endpoint_stumbles_over_does_not_hold_up_other_orders(world, endpoint):
    order = confirmed(world)
    order.move("cancelled", by="admin", now=later(2))
    confirmed(world)
    endpoint.answers = [500]
    assert BssEvent.send_all_due(present()) == 2
    assert [event["sequence"] for event in endpoint.taken] == [3]
    assert BssEvent.send_all_due(present(BACK_OFF[0] + 1)) == 2
    assert [event["sequence"] for event in endpoint.taken] == [3, 1, 2]


def test_a_refused_event_is_set_aside_with_those_of_its_order_until_somebody_decides(world, endpoint):
    order = confirmed(world)
    order.move("cancelled", by="admin", now=later(2))
    confirmed(world)
    endpoint.answers = [422]
    BssEvent.send_all_due(present())
    assert [event["sequence"] for event in endpoint.taken] == [3]
    assert BssEvent.send_all_due(present(86_400)) == 0
    [refused] = BssEvent.refused()
    assert (refused.sequence, refused.trouble) == (1, "The operator's endpoint answered HTTP 422.")

    assert BssEvent.retry([2], present()) == 0
    assert BssEvent.retry([], present()) == 1
    endpoint.answers = [422]
    BssEvent.send_all_due(present())
    assert BssEvent.skip([1], present()) == 1
    BssEvent.send_all_due(present())
    assert [event["sequence"] for event in endpoint.taken] == [3, 2]
    assert BssEvent.counts() == {"due": 0, "sent": 2, "refused": 0, "skipped": 1}


def test_what_was_fetched_already_need_not_be_brought(world, endpoint):
    for _ in range(3):
        confirmed(world)
    assert len(told()) == 3
    assert BssEvent.taken_until(2, NOW) == 2
    BssEvent.send_all_due(present())
    assert [event["sequence"] for event in endpoint.taken] == [3]


def test_a_claimed_event_is_kept_from_other_workers_and_so_are_those_behind_it(world):
    order = confirmed(world)
    order.move("cancelled", by="admin", now=later(2))
    BssEvent.number_all()
    assert BssEvent.claim(later(3)).sequence == 1
    assert BssEvent.claim(later(3)) is None
    # Its worker died.
    assert BssEvent.claim(later(3) + timedelta(seconds=config.MAIL_LEASE + 1)).sequence == 1


def test_a_slow_endpoint_does_not_keep_the_worker(world, endpoint):
    confirmed(world)
    assert BssEvent.send_all_due(present(), within=0) == 0


@pytest.mark.rule("PRV-1")
def test_what_is_kept_of_trouble_names_nobody(world, endpoint):
    confirmed(world)
    endpoint.answers = [400]
    BssEvent.send_all_due(present())
    assert "ana" not in BssEvent.get().trouble.lower()
