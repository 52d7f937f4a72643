"""Invoices paid by card (PRO-7), against the real sandbox bank: paid once, and what was too much goes back."""

from datetime import timedelta

import pytest
from peewee import IntegrityError

import config
from gateways.bank import Verdict
from models import bill_payment
from models.base import db
from models.bill_payment import BillPayment, BillPaymentLine, NothingChosen, NotOwed, TooManyOpen, unpaid_of
from models.invoice import Invoice
from models.number import Number, ProfileNumber
from models.order import NotAllowed, Order
from models.outbox import Mail
from models.payment import LATE_ASKS, BankMessage, Payment, Refund, bank, hear
from tests.bills import OWED, code, holder, invoice, number, owing
from tests.models.test_payment import (  # noqa: F401
    LAPSED,
    at_bank,
    message,
    now_of,
    outcomes,
    pay,
    point_to,
    running,
    signed,
)
from tests.query_count import assert_query_count
from tests.world import NOW, build, later, ordered, profile


@pytest.fixture
def owner():
    return profile()


def begun(owner, *numbers, now=NOW, language="sq"):
    """A bill payment over the invoices `numbers`, and its attempt."""
    bills = BillPayment.begin(owner, numbers, now, language)
    return bills, Payment.latest_of(bills)


def paid(name):
    return Invoice.get(Invoice.number == name).is_paid


def mails():
    return [mail.kind for mail in Mail.select().order_by(Mail.id)]


def lines(bills):
    return [(line.number, line.paid) for line in bills.invoiced()]


# What is owed


@pytest.mark.rule("PRO-7")
@pytest.mark.rule("ELG-1")
def test_what_is_owed_on_any_code_of_any_holder_behind_the_profiles_numbers_can_be_paid(owner):
    first = holder("1")
    known, other = code(first, "S-1"), code(first, "S-2")
    number(known, "38970100101", owner)
    second = code(holder("2"), "S-3")
    number(second, "38970100102", owner)
    stranger = code(holder("3"), "S-4")
    number(stranger, "38970100103")
    given_up = code(holder("4"), "S-5")
    Number.update(active=False).where(Number.id == number(given_up, "38970100104", owner).id).execute()
    invoice(known, "F-1", due=5)
    invoice(other, "F-2", due=-1)
    invoice(second, "F-3", due=-30)
    invoice(second, "F-4", due=-60, paid_at=later(-60), paid_through="shop")
    invoice(stranger, "F-5")
    invoice(given_up, "F-6")
    with assert_query_count(1):
        assert [(one.number, one.subscriber.code) for one in unpaid_of(owner)] == [
            ("F-3", "S-3"),
            ("F-2", "S-2"),
            ("F-1", "S-1"),
        ]
    assert unpaid_of(profile("nonumber@example.com")) == []


@pytest.mark.rule("PRO-7")
def test_two_numbers_of_one_holder_show_an_invoice_once(owner):
    subscriber = owing(owner, "F-1")
    number(subscriber, "38970100109", owner)
    assert [one.number for one in unpaid_of(owner)] == ["F-1"]


# Beginning


@pytest.mark.rule("PRO-7")
def test_the_chosen_invoices_are_charged_in_one_sum(owner):
    owing(owner, "F-1", "F-2", "F-3")
    bills, payment = begun(owner, "F-1", "F-3", language="mk")
    assert (bills.total, payment.amount, payment.state) == (2 * OWED, 2 * OWED, "started")
    assert payment.purpose == bills
    assert bills.payable_until == later(LAPSED)
    assert (bills.email, bills.language) == (owner.email, "mk")
    assert lines(bills) == [("F-1", False), ("F-3", False)]
    fields = payment.form("mk")
    assert fields["amount"] == "3798.00"
    assert fields["oid"].startswith(bills.number)
    assert fields["BillToName"] == "Arben Osmani"
    assert not any(paid(name) for name in ("F-1", "F-2", "F-3"))


def test_nothing_chosen_is_no_payment(owner):
    owing(owner, "F-1")
    with pytest.raises(NothingChosen):
        BillPayment.begin(owner, [], NOW, "sq")


@pytest.mark.rule("PRO-7")
def test_nobody_pays_what_is_paid_already_or_not_behind_their_numbers(owner):
    owing(owner, "F-1", "F-2")
    owing(profile("besa@example.com"), "F-9", who="2")
    Invoice.get(Invoice.number == "F-2").pay(NOW, "shop")
    for numbers in (["F-1", "F-2"], ["F-9"], ["F-1", "no such"]):
        with pytest.raises(NotOwed) as error:
            BillPayment.begin(owner, numbers, NOW, "sq")
        assert error.value.numbers == [name for name in numbers if name != "F-1"]
    assert BillPayment.select().count() == Payment.select().count() == 0


@pytest.mark.rule("PRO-7")
def test_the_same_choice_twice_is_one_payment_until_its_time_is_over(owner):
    owing(owner, "F-1", "F-2")
    bills, payment = begun(owner, "F-1", "F-2")
    assert begun(owner, "F-2", "F-1", now=later(1)) == (bills, payment)
    other, _ = begun(owner, "F-1")
    assert other != bills
    assert begun(owner, "F-1", "F-2", now=later(LAPSED))[0] != bills


@pytest.mark.rule("PRO-7")
def test_a_corrected_invoice_is_a_choice_of_its_own(owner):
    owing(owner, "F-1")
    bills, _ = begun(owner, "F-1")
    Invoice.update(amount=100).execute()
    other, payment = begun(owner, "F-1")
    assert other != bills
    assert payment.amount == 100


def test_a_profile_does_not_open_payments_without_end(owner, monkeypatch):
    monkeypatch.setattr(bill_payment, "MOST_OPEN", 2)
    owing(owner, "F-1", "F-2", "F-3")
    begun(owner, "F-1")
    begun(owner, "F-2")
    with pytest.raises(TooManyOpen):
        begun(owner, "F-3")
    # What is open already can be gone on with, and time heals.
    begun(owner, "F-1")
    begun(owner, "F-3", now=later(LAPSED))


def test_an_order_with_nothing_due_has_no_payment():
    world = build()
    order, _ = ordered(world, "CASE-BLACK")
    Order.update(due_now=0).execute()
    with pytest.raises(ValueError, match="due now"):
        Payment.begin(now_of(order), NOW)


# The bank's answer


@pytest.mark.rule("PRO-7")
@pytest.mark.rule("ELG-2")
def test_a_signed_yes_pays_the_invoices_online_at_that_moment_and_once(owner, at_bank):  # noqa: F811
    owing(owner, "F-1", "F-2", "F-3")
    bills, payment = begun(owner, "F-1", "F-2", language="en")
    fields = message(at_bank, payment)
    assert hear(fields, "return", later(3)) == payment
    for name in ("F-1", "F-2"):
        one = Invoice.get(Invoice.number == name)
        assert (one.paid_at, one.paid_through, one.paid_online) == (later(3), "online", True)
    assert not paid("F-3")
    assert (now_of(bills).state, now_of(bills).paid_at) == ("paid", later(3))
    assert now_of(payment).state == "paid"
    assert lines(bills) == [("F-1", True), ("F-2", True)]
    [mail] = Mail.select()
    assert (mail.kind, mail.recipient, mail.language) == ("bills_paid", owner.email, "en")
    # Again, by each of the three ways.
    hear(fields, "return", later(4))
    hear(signed(fields, callbackCall="true"), "callback", later(5))
    now_of(payment).ask_bank(later(6))
    assert outcomes() == ["applied", "replayed", "applied"]
    assert mails() == ["bills_paid"]
    assert Refund.select().count() == 0
    assert Invoice.get(Invoice.number == "F-1").paid_at == later(3)


@pytest.mark.rule("PAY-6")
@pytest.mark.parametrize(
    ("spoil", "outcome"),
    [
        ({"amount": "1.00"}, "mismatch"),
        ({"currency": "978"}, "mismatch"),
        ({"clientid": "180000009"}, "mismatch"),
        ({"oid": "FA-0000-0000-0-1-aabbccdd", "ReturnOid": ""}, "stranger"),
        (None, "forged"),
    ],
)
def test_what_is_not_the_banks_message_about_it_changes_nothing(owner, at_bank, spoil, outcome):  # noqa: F811
    owing(owner, "F-1")
    bills, payment = begun(owner, "F-1")
    fields = message(at_bank, payment)
    fields = signed(fields, **spoil) if spoil else {**fields, "amount": "1.00"}
    assert hear(fields, "callback", later(1)) is None
    assert outcomes() == [outcome]
    assert not paid("F-1")
    assert (now_of(bills).state, now_of(payment).state) == ("awaiting_payment", "started")
    assert mails() == []


@pytest.mark.rule("PAY-6")
def test_the_money_of_an_order_pays_no_invoice_and_the_other_way_round(owner, at_bank):  # noqa: F811
    order, for_order = ordered(build(), "CASE-BLACK")
    owing(owner, "F-1")
    bills, payment = begun(owner, "F-1")
    ours, theirs = message(at_bank, payment), message(at_bank, for_order)
    assert hear(signed(theirs, oid=payment.oid, ReturnOid=payment.oid), "return", later(1)) is None
    assert hear(signed(ours, oid=for_order.oid, ReturnOid=for_order.oid), "return", later(1)) is None
    assert (now_of(bills).state, now_of(order).state) == ("awaiting_payment", "awaiting_payment")


@pytest.mark.rule("PAY-7")
@pytest.mark.parametrize("card", ["lost_both", "lost_return"])
def test_a_payment_whose_messages_were_lost_is_found_by_the_status_query(owner, at_bank, card):  # noqa: F811
    owing(owner, "F-1")
    _, payment = begun(owner, "F-1")
    pay(at_bank, payment, card)
    assert Payment.settle_all_due(NOW + timedelta(seconds=config.BANK_QUERY_AFTER)) == 1
    assert paid("F-1")
    assert mails() == ["bills_paid"]


@pytest.mark.rule("PAY-7")
def test_a_decline_is_told_once_and_another_card_may_be_tried(owner, at_bank):  # noqa: F811
    owing(owner, "F-1")
    bills, payment = begun(owner, "F-1")
    fields = message(at_bank, payment, "decline")
    hear(fields, "return", later(1))
    hear(signed(fields, callbackCall="true"), "callback", later(1))
    assert mails() == ["bills_failed"]
    assert not paid("F-1")
    second = Payment.resume(bills, later(2))
    assert second != payment
    assert Payment.resume(bills, later(2)) == second
    hear(message(at_bank, second), "return", later(3))
    assert paid("F-1")
    assert mails() == ["bills_failed", "bills_paid"]


@pytest.mark.rule("PAY-8")
def test_who_leaves_the_bank_gets_no_mail_for_nothing_was_held(owner, at_bank):  # noqa: F811
    owing(owner, "F-1")
    begun(owner, "F-1")
    for minutes in (2, 6, 12):
        Payment.update(ask_at=later(minutes)).execute()
        assert Payment.settle_all_due(later(minutes)) == 1
    assert mails() == []


# Paid meanwhile


@pytest.mark.rule("PRO-7")
def test_nobody_is_sent_to_the_bank_for_what_was_paid_meanwhile(owner):
    owing(owner, "F-1", "F-2")
    bills, payment = begun(owner, "F-1", "F-2")
    assert bills.is_payable(later(1))
    Invoice.get(Invoice.number == "F-2").pay(later(1), "shop")
    assert not bills.is_payable(later(1))
    for verb in (Payment.resume, Payment.retry):
        with pytest.raises(NotAllowed):
            verb(bills, later(1))
    assert Payment.select().count() == 1


@pytest.mark.rule("PAY-9")
def test_the_share_of_an_invoice_that_was_paid_in_a_shop_meanwhile_goes_back(owner, at_bank):  # noqa: F811
    subscriber = owing(owner, "F-1", "F-2")
    invoice(subscriber, "F-3", amount=50_000)
    bills, payment = begun(owner, "F-1", "F-2", "F-3")
    fields = message(at_bank, payment)
    Invoice.get(Invoice.number == "F-3").pay(later(1), "shop")
    hear(fields, "return", later(2))
    assert (now_of(payment).state, now_of(bills).state) == ("paid", "paid")
    assert lines(bills) == [("F-1", True), ("F-2", True), ("F-3", False)]
    assert Invoice.get(Invoice.number == "F-3").paid_through == "shop"
    assert Refund.get().amount == 50_000
    assert mails() == ["bills_paid"]
    assert Refund.carry_out_all_due(later(3)) == 1
    assert Refund.carry_out_all_due(later(60)) == 0
    assert bank().status(payment.oid).refunded == 50_000
    # The bank's books, asked again, take nothing back.
    now_of(payment).ask_bank(later(4))
    assert (now_of(payment).state, paid("F-1")) == ("paid", True)


@pytest.mark.rule("PAY-9")
@pytest.mark.parametrize("change", ["paid", "amount", "gone"])
def test_money_for_invoices_that_are_not_owed_any_more_goes_back_whole(owner, at_bank, change):  # noqa: F811
    owing(owner, "F-1")
    bills, payment = begun(owner, "F-1")
    fields = message(at_bank, payment)
    if change == "paid":
        Invoice.get().pay(later(1), "shop")
    elif change == "amount":
        Invoice.update(amount=OWED - 1).execute()
    else:
        Invoice.delete().execute()
    hear(fields, "return", later(2))
    assert now_of(payment).state == "surplus"
    assert lines(bills) == [("F-1", False)]
    assert mails() == ["bills_returned"]
    assert Refund.carry_out_all_due(later(3)) == 1
    assert bank().status(payment.oid).refunded == OWED
    if change == "amount":
        assert not paid("F-1")


@pytest.mark.rule("PAY-9")
def test_two_tabs_with_different_choices_pay_a_shared_invoice_once(owner, at_bank):  # noqa: F811
    owing(owner, "F-1", "F-2", "F-3")
    first, first_payment = begun(owner, "F-1", "F-2")
    second, second_payment = begun(owner, "F-2", "F-3")
    answers = [message(at_bank, first_payment), message(at_bank, second_payment)]
    hear(answers[0], "return", later(1))
    hear(answers[1], "return", later(2))
    assert lines(first) == [("F-1", True), ("F-2", True)]
    assert lines(second) == [("F-2", False), ("F-3", True)]
    assert Invoice.get(Invoice.number == "F-2").paid_at == later(1)
    [refund] = Refund.select()
    assert (refund.payment, refund.amount) == (second_payment, OWED)


@pytest.mark.rule("PAY-9")
def test_two_attempts_of_one_choice_that_were_both_paid_leave_one(owner, at_bank):  # noqa: F811
    owing(owner, "F-1")
    bills, first = begun(owner, "F-1")
    answer = message(at_bank, first)
    second = Payment.retry(bills, later(1))
    hear(message(at_bank, second), "return", later(2))
    hear(answer, "return", later(3))
    assert (now_of(first).state, now_of(second).state) == ("surplus", "paid")
    assert mails() == ["bills_paid", "bills_returned"]
    assert lines(bills) == [("F-1", True)]
    Refund.carry_out_all_due(later(4))
    assert (bank().status(first.oid).refunded, bank().status(second.oid).refunded) == (OWED, 0)


@pytest.mark.rule("PAY-9")
def test_two_profiles_with_numbers_of_one_holder_pay_an_invoice_once(owner, at_bank):  # noqa: F811
    subscriber = owing(owner, "F-1")
    other = profile("besa@example.com")
    number(subscriber, "38970100199", other)
    _, mine = begun(owner, "F-1")
    theirs, their_payment = begun(other, "F-1")
    answers = [message(at_bank, mine), message(at_bank, their_payment)]
    for answer in answers:
        hear(answer, "callback", later(1))
    assert (now_of(mine).state, now_of(their_payment).state) == ("paid", "surplus")
    assert lines(theirs) == [("F-1", False)]
    assert [mail.recipient for mail in Mail.select().where(Mail.kind == "bills_returned")] == ["besa@example.com"]


def test_a_number_taken_out_meanwhile_does_not_stop_the_payment(owner, at_bank):  # noqa: F811
    owing(owner, "F-1")
    _, payment = begun(owner, "F-1")
    ProfileNumber.delete().execute()
    hear(message(at_bank, payment), "return", later(1))
    assert paid("F-1")


@pytest.mark.rule("PRV-4")
def test_a_profile_that_goes_leaves_the_payment_and_it_is_settled(owner, at_bank):  # noqa: F811
    owing(owner, "F-1")
    bills, payment = begun(owner, "F-1")
    fields = message(at_bank, payment)
    owner.delete_instance(recursive=False)
    hear(fields, "return", later(1))
    assert paid("F-1")
    assert (now_of(bills).profile_id, Mail.get().recipient) == (None, owner.email)


# Its time is over


@pytest.mark.rule("PAY-8")
def test_a_payment_nobody_made_is_dropped_without_a_word(owner, at_bank):  # noqa: F811
    owing(owner, "F-1")
    bills, payment = begun(owner, "F-1")
    assert Payment.lapse_all_due(later(LAPSED - 0.1)) == 0
    assert Payment.lapse_all_due(later(LAPSED)) == 1
    assert Payment.lapse_all_due(later(LAPSED + 1)) == 0
    assert (now_of(bills).state, now_of(payment).state) == ("lapsed", "abandoned")
    assert mails() == []
    with pytest.raises(NotAllowed):
        Payment.resume(bills, later(LAPSED + 1))


@pytest.mark.rule("PAY-8")
def test_it_is_not_dropped_while_the_bank_cannot_be_asked_and_holds_up_no_order(owner, monkeypatch):
    world = build()
    owing(owner, "F-1")
    bills, _ = begun(owner, "F-1")
    order, declined = ordered(world, "CASE-BLACK")
    declined.settle(Verdict.DECLINED, later(1))
    point_to(monkeypatch, "http://127.0.0.1:9")
    assert Payment.lapse_all_due(later(LAPSED)) == 1
    assert (now_of(bills).state, now_of(order).state) == ("awaiting_payment", "lapsed")
    # Also in the next round, when it waits for its next question.
    other, declined = ordered(world, "CASE-BLACK")
    declined.settle(Verdict.DECLINED, later(1))
    assert Payment.lapse_all_due(later(LAPSED)) == 1
    assert now_of(other).state == "lapsed"


@pytest.mark.rule("PAY-7")
def test_late_money_pays_what_is_still_owed(owner, at_bank):  # noqa: F811
    owing(owner, "F-1")
    bills, payment = begun(owner, "F-1")
    Payment.lapse_all_due(later(LAPSED))
    pay(at_bank, payment, "lost_both")
    assert Payment.settle_all_due(later(LAPSED) + timedelta(seconds=LATE_ASKS[0])) == 1
    assert paid("F-1")
    assert now_of(bills).state == "paid"
    assert mails() == ["bills_paid"]


@pytest.mark.rule("ELG-2")
def test_the_wait_after_a_debt_counts_from_the_online_payment(owner, at_bank):  # noqa: F811
    subscriber = owing(owner, "F-1")
    _, payment = begun(owner, "F-1")
    hear(message(at_bank, payment), "return", later(3))
    [debt] = subscriber.holder.debts_paid_since(NOW)
    assert (debt.paid_at, debt.paid_online) == (later(3), True)
    assert subscriber.holder.debts(later(3)) == []


@pytest.mark.rule("PAY-6")
def test_an_invoice_that_was_taken_back_by_the_operator_can_be_paid_anew(owner, at_bank):  # noqa: F811
    owing(owner, "F-1")
    first, payment = begun(owner, "F-1")
    hear(message(at_bank, payment), "return", later(1))
    Invoice.update(paid_at=None, paid_through="").execute()
    second, payment = begun(owner, "F-1", now=later(2))
    assert second != first
    hear(message(at_bank, payment), "return", later(3))
    assert paid("F-1")
    assert now_of(payment).state == "paid"


def test_an_invoice_stands_in_a_choice_once(owner):
    owing(owner, "F-1")
    bills, _ = begun(owner, "F-1", "F-1")
    with pytest.raises(IntegrityError), db.atomic():
        BillPaymentLine.create(bill_payment=bills, number="F-1", amount=1)


@pytest.mark.rule("PAY-6")
def test_each_message_is_noted(owner, at_bank):  # noqa: F811
    owing(owner, "F-1")
    _, payment = begun(owner, "F-1")
    hear(message(at_bank, payment), "return", later(1))
    assert BankMessage.get().payment == payment
