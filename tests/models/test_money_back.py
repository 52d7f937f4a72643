"""Money, points and bills of an order that ended: each goes back once, and everybody sees how far it is (PAY-9)."""

import pytest

import config
from gateways.bank import Verdict
from mails import compose
from models.actor import Actor
from models.bss_event import BssEvent
from models.cancellation import cancel
from models.club_ledger import usable_points
from models.club_member import ClubMember
from models.money_back import money_back_of
from models.order import Order
from models.order_points import OrderPoints
from models.outbox import Mail
from models.payment import Payment, Refund, bank
from models.trail import AuditEntry
from tests.papers import brought_to, subscribed, with_points
from tests.processes import Bank, pay_at_bank
from tests.query_count import assert_query_count
from tests.world import NOW, build, later, move, ordered

AGENT = Actor("agent", "agent@example.com")
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    process = Bank(tmp_path_factory.mktemp("bank"))
    yield process
    process.end()


@pytest.fixture
def at_bank(running, monkeypatch):
    monkeypatch.setattr(config, "BANK_GATE_URL", f"{running.url}/fim/est3Dgate")
    monkeypatch.setattr(config, "BANK_API_URL", f"{running.url}/fim/api")
    return running


@pytest.fixture
def world():
    return build()


def paid_at(at_bank, world) -> tuple[Order, Payment]:
    order, payment = ordered(world, "CASE-BLACK")
    pay_at_bank(at_bank, payment.form("sq"), "approve")
    payment.settle(Verdict.PAID, later(1))
    return order.relock(), payment


def states(order) -> list[tuple]:
    return [(part.what, part.state, part.amount) for part in money_back_of(order.relock())]


def mails() -> list[str]:
    return [mail.kind for mail in Mail.select().order_by(Mail.id) if mail.kind == "money_back"]


# What each part is


@pytest.mark.rule("PAY-9")
def test_nothing_goes_back_of_an_order_that_goes_on(world):
    assert states(subscribed(world)) == []


@pytest.mark.rule("PAY-9")
def test_of_an_order_that_nobody_paid_nothing_goes_back_and_nobody_is_told(world):
    order, _ = ordered(world, "CASE-BLACK")
    cancel(order, by=AGENT, now=later(5))
    assert states(order) == []
    assert "undo" not in BssEvent.get(BssEvent.kind == "order_cancelled").payload


@pytest.mark.rule("PAY-9")
@pytest.mark.parametrize(("payment", "parts"), [("instalments", 24), ("first_bill", None)])
def test_what_was_to_be_billed_is_told_to_the_operator_once_with_each_amount(world, payment, parts):
    order = subscribed(world, payment=payment, parts=parts)
    for minute in (5, 6):
        cancel(order, by=AGENT, now=later(minute))
    [event] = BssEvent.select().where(BssEvent.kind == "order_cancelled")
    [line] = event.payload["undo"]
    assert (line["position"], line["msisdn"], line["subscriber"]) == (2, "38970100001", "S-38970100001")
    if parts:
        assert (line["first_bill"], line["instalments"]) == ("0.00", ["1080.00"] * 24)
    else:
        assert (line["first_bill"], line["instalments"]) == ("25920.00", [])
    assert states(order) == [("card", "due", 99_000), ("bill", "due", 2_592_000)]
    for state, shown in (("sent", "told"), ("refused", "refused")):
        BssEvent.update(state=state, trouble="no").where(BssEvent.id == event.id).execute()
        assert states(order)[1] == ("bill", shown, 2_592_000)


@pytest.mark.rule("PAY-9")
def test_what_comes_back_after_delivery_gives_money_points_and_bills_back(world):
    order = with_points(world)
    member = OrderPoints.of(order).member
    order = brought_to(order, "packed", "with_courier", "delivered")
    assert usable_points(ClubMember.get_by_id(member.id), later(9)) == 0
    move(order, "returned", later(10))
    assert states(order) == [("card", "due", 1_149_000), ("points", "done", 1000)]
    assert usable_points(ClubMember.get_by_id(member.id), later(11)) == 1000
    part = money_back_of(order.relock())[1]
    assert (part.whose, part.at) == ("38970100001", later(10))


@pytest.mark.rule("PAY-9")
def test_a_returned_contract_is_told_to_be_undone(world):
    order = brought_to(subscribed(world), "packed", "with_courier", "delivered", "returned")
    [event] = BssEvent.select().where(BssEvent.kind == "order_returned")
    assert (event.payload["before"], len(event.payload["undo"])) == ("delivered", 1)
    assert [part[0] for part in states(order)] == ["card", "bill"]


@pytest.mark.rule("PAY-9")
def test_points_that_went_with_the_members_others_are_shown_as_lost(world):
    order = with_points(world)
    OrderPoints.update(state="lost").where(OrderPoints.order == order).execute()
    cancel(order, by=AGENT, now=later(5))
    assert states(order)[1] == ("points", "lost", 1000)


@pytest.mark.rule("PAY-9")
def test_the_list_asks_few_queries(world):
    order = subscribed(world)
    cancel(order, by=AGENT, now=later(5))
    order = order.relock()
    with assert_query_count(3):
        assert len(money_back_of(order)) == 2


# The card's money


@pytest.mark.rule("PAY-9")
def test_money_that_has_gone_back_is_told_by_mail_once(world, at_bank):
    order, payment = paid_at(at_bank, world)
    cancel(order, by=AGENT, now=later(5))
    assert states(order) == [("card", "due", 99_000)]
    assert mails() == []
    for minute in (6, 60, 600):
        Refund.carry_out_all_due(later(minute))
    assert states(order) == [("card", "done", 99_000)]
    assert mails() == ["money_back"]
    assert bank().status(payment.oid).refunded == 99_000 or bank().status(payment.oid).voided
    # Whoever else carried it out at the same moment writes nothing.
    Refund.get()._write_done(later(700))
    assert (mails(), Refund.get().done_at) == (["money_back"], later(6))


@pytest.mark.rule("PAY-9", "MSG-3")
@pytest.mark.parametrize(
    ("language", "title", "amount"),
    [
        ("sq", "Paratë u kthyen.", "990 den"),
        ("mk", "Парите се вратени.", "990 ден."),
        ("en", "The money is back.", "990 den"),
    ],
)
def test_the_mail_says_how_much_went_back_in_the_orders_language(world, language, title, amount):
    order = subscribed(world, language)
    cancel(order, by=AGENT, now=later(5))
    Refund.get()._write_done(later(6))
    message = compose(Mail.get(Mail.kind == "money_back"))
    text, html = (message.get_body((kind,)).get_content().replace("\u00a0", " ") for kind in ("plain", "html"))
    assert order.number in message["Subject"]
    for body in (text, html):
        for words in (title, amount, order.number, f"/porosia/{order.number}?k="):
            assert words in body, words


@pytest.mark.rule("PAY-9")
def test_a_bank_that_is_down_delays_a_refund_and_loses_none(world, at_bank, monkeypatch):
    order, payment = paid_at(at_bank, world)
    cancel(order, by=AGENT, now=later(5))
    monkeypatch.setattr(config, "BANK_API_URL", NOBODY)
    Refund.carry_out_all_due(later(6))
    [part] = money_back_of(order.relock())
    assert (part.state, bool(part.reason)) == ("due", True)
    monkeypatch.setattr(config, "BANK_API_URL", f"{at_bank.url}/fim/api")
    assert Refund.carry_out_all_due(Refund.get().try_at) == 1
    assert states(order) == [("card", "done", 99_000)]
    assert mails() == ["money_back"]


@pytest.mark.rule("PAY-9")
def test_what_the_bank_refuses_is_shown_as_refused_until_it_goes_through(world, at_bank, monkeypatch):
    order, _ = paid_at(at_bank, world)
    cancel(order, by=AGENT, now=later(5))
    monkeypatch.setattr(config, "BANK_API_PASSWORD", "wrong")
    for minute in (6, 70):
        Refund.carry_out_all_due(later(minute))
    [part] = money_back_of(order.relock())
    assert (part.state, part.at) == ("refused", later(6))
    monkeypatch.setattr(config, "BANK_API_URL", NOBODY)
    monkeypatch.setattr(config, "BANK_API_PASSWORD", "sandbox")
    Refund.carry_out_all_due(later(days=2))
    assert states(order) == [("card", "due", 99_000)], "Now it is only away."
    monkeypatch.setattr(config, "BANK_API_URL", f"{at_bank.url}/fim/api")
    Refund.carry_out_all_due(later(days=9))
    assert states(order) == [("card", "done", 99_000)]


# Tried on request


@pytest.mark.rule("PAY-9", "DSK-1")
def test_an_agent_has_a_refund_tried_in_the_next_round_and_the_trail_says_so_once(world):
    order = subscribed(world)
    cancel(order, by=AGENT, now=later(5))
    refund = Refund.get()
    Refund.update(try_at=later(days=1), reason="no", tries=3).execute()
    assert Refund.try_soon(refund.id, by=AGENT, now=later(10))
    assert not Refund.try_soon(refund.id, by=AGENT, now=later(10))
    assert Refund.get().try_at == later(10)
    [entry] = AuditEntry.select().where(AuditEntry.what == "refund_hurried")
    assert (entry.order, entry.who, entry.after) == (order, AGENT.name, {"amount": 99_000})
    assert Refund.claim(later(10)).is_in_hand


@pytest.mark.rule("PAY-9")
def test_a_refund_that_somebody_carries_out_or_that_is_done_is_left_alone(world):
    order = subscribed(world)
    cancel(order, by=AGENT, now=later(5))
    held = Refund.claim(later(6))
    assert not Refund.try_soon(held.id, by=AGENT, now=later(6))
    held._write_done(later(7))
    assert not Refund.try_soon(held.id, by=AGENT, now=later(8))
    assert not AuditEntry.select().where(AuditEntry.what == "refund_hurried").exists()
    with pytest.raises(Refund.DoesNotExist):
        Refund.try_soon(999, by=AGENT, now=NOW)


@pytest.mark.rule("PAY-9")
def test_a_payment_that_the_order_did_not_need_is_marked_so_and_told_by_no_second_mail(world):
    order, payment = ordered(world, "CASE-BLACK")
    cancel(order, by=AGENT, now=later(1))
    payment.settle(Verdict.PAID, later(2))
    [part] = money_back_of(order.relock())
    assert (part.surplus, part.state) == (True, "due")
    Refund.get()._write_done(later(3))
    assert mails() == []
    assert states(order) == [("card", "done", 99_000)]
