"""Somebody else pays: one link an order, money once, and nothing of the shopper in the payer's hands (PAY-8)."""

import json

import pytest

import config
import mails
from gateways.bank import Verdict
from models.desk_order import is_resendable
from models.order import NotAllowed, Order
from models.order_link import BadLink, read, sign
from models.outbox import Mail
from models.pay_link import (
    LinkOver,
    PayLink,
    TooMany,
    has_receipt,
    of_outcome_token,
    outcome_token,
    paid_lines,
    send_receipt,
)
from models.payment import Payment, Refund
from models.person_data import data_of, person_of
from tests.world import (
    GUEST,
    NOW,
    build,
    cart_with,
    checkout_of,
    contract_line,
    later,
    ordered,
    own_number,
    place,
    profile,
    stands_in,
)


@pytest.fixture
def world():
    return build()


@pytest.fixture
def order(world) -> Order:
    return ordered(world, "S25-BLACK-128")[0]


@pytest.fixture
def link(order) -> PayLink:
    return PayLink.make(order, NOW)


@pytest.mark.rule("PAY-8")
def test_an_order_has_one_good_link_until_it_is_taken_back_and_then_another(order, link):
    assert PayLink.make(order, later(1)) == link
    assert PayLink.of_token(link.token()) == link
    assert PayLink.revoke(order, later(2))
    assert not PayLink.revoke(order, later(3))
    with pytest.raises(LinkOver):
        PayLink.of_token(link.token())
    second = PayLink.make(order, later(4))
    assert second.token() != link.token()
    for _ in range(config.PAY_LINKS_PER_ORDER - 2):
        PayLink.revoke(order, later(5))
        PayLink.make(order, later(5))
    PayLink.revoke(order, later(6))
    with pytest.raises(TooMany):
        PayLink.make(order, later(6))


@pytest.mark.rule("PAY-8")
def test_a_link_is_made_and_paid_by_as_long_as_the_order_may_be_paid_and_no_longer(order, link):
    assert link.pay(later(29)).state == "started"
    with pytest.raises(NotAllowed):
        link.pay(later(30))
    with pytest.raises(NotAllowed):
        PayLink.make(order, later(30))
    order.move("confirmed", by="bank", now=later(1))
    with pytest.raises(NotAllowed):
        link.pay(later(2))


@pytest.mark.rule("PAY-8")
def test_tokens_cannot_be_made_up_nor_taken_for_one_another(order, link):
    payment = link.pay(NOW)
    outcome = outcome_token(payment)
    assert of_outcome_token(outcome) == payment
    for bad in ("", "x", link.nonce, link.token()[:-1], link.token() + "x", outcome, sign(order)):
        with pytest.raises(LinkOver):
            PayLink.of_token(bad)
    own = Payment.latest_of(order)
    for bad in ("", "x", str(payment.id), link.token(), sign(order), outcome_token(own)):
        with pytest.raises(LinkOver):
            of_outcome_token(bad)
    for token in (link.token(), outcome):
        with pytest.raises(BadLink):
            read(token)
    # Neither says which order it is of.
    assert order.number not in link.token() + outcome


@pytest.mark.rule("PAY-5", "PRV-1")
def test_nothing_of_the_shopper_stands_in_the_payers_form_for_the_bank(order, link):
    payment = link.pay(NOW)
    fields = payment.form("en", "/en")
    assert fields["okUrl"] == f"{config.BASE_URL}/en/pay/return"
    said = json.dumps(fields)
    for secret in (order.number, GUEST["email"], GUEST["phone"], GUEST["first_name"], GUEST["last_name"]):
        assert not stands_in(secret, said)
    own = Payment.latest_of(order)
    assert own.link_id is None
    assert own.form("sq")["email"] == order.email


@pytest.mark.rule("PAY-8")
def test_two_clicks_and_two_people_with_the_link_go_on_with_one_attempt_and_many_are_refused(order, link):
    payment = link.pay(NOW)
    assert link.pay(later(1)) == payment == PayLink.get().begun()
    # Nor does the shopper go on with it, or the payer with the shopper's.
    assert Payment.resume(order, later(1)).link_id is None
    for minute in range(config.PAY_LINK_TRIES - 1):
        link.pay(later(minute)).settle(Verdict.DECLINED, later(minute))
    link.pay(later(20)).settle(Verdict.DECLINED, later(20))
    with pytest.raises(TooMany):
        link.pay(later(21))


@pytest.mark.rule("PAY-8")
def test_a_link_that_was_taken_back_begins_no_payment_and_what_was_begun_still_counts(order, link):
    payment = link.pay(NOW)
    PayLink.revoke(order, later(1))
    with pytest.raises(LinkOver):
        link.pay(later(2))
    assert payment.settle(Verdict.PAID, later(3)) == "paid"
    assert Order.get().state == "confirmed"


@pytest.mark.rule("PAY-6", "PAY-9")
@pytest.mark.parametrize("first", ["shopper", "payer"])
def test_paid_by_both_the_order_is_paid_once_and_the_second_money_goes_back(order, link, first):
    own, theirs = Payment.latest_of(order), link.pay(NOW)
    one, other = (own, theirs) if first == "shopper" else (theirs, own)
    assert one.settle(Verdict.PAID, later(1)) == "paid"
    assert other.settle(Verdict.PAID, later(1)) == "surplus"
    assert (Refund.get().payment, Refund.get().amount) == (other, order.due_now)
    assert [(mail.kind, mail.recipient) for mail in Mail.select().order_by(Mail.id)] == [
        ("pay_link", order.email),
        ("order_confirmed", order.email),
        ("payment_returned", order.email),
    ]


@pytest.mark.rule("PAY-8", "PAY-9")
def test_money_by_a_link_that_comes_after_the_order_lapsed_brings_it_back_or_returns(world, order, link):
    payment = link.pay(later(29))
    order.lapse(later(31))
    world.set_stock("S25-BLACK-128", 0)
    assert payment.settle(Verdict.PAID, later(32)) == "surplus"
    assert Refund.select().count() == 1


@pytest.mark.rule("PAY-4", "PRV-1")
def test_the_payer_is_told_of_what_the_card_pays_for_alone(world):
    arben = profile()
    cart = cart_with(world, "CASE-BLACK", profile=arben)
    contract_line(cart, number=own_number(arben))
    order, _ = place(checkout_of(cart), profile=arben)
    assert [line.sku for line in paid_lines(order)] == ["CASE-BLACK"]
    assert PayLink.make(order, NOW).pay(NOW).amount == order.due_now == 99_000


@pytest.mark.rule("MSG-1", "PRV-1")
@pytest.mark.parametrize("language", ["sq", "mk", "en"])
def test_the_payers_receipt_goes_once_to_what_they_typed_and_says_nothing_of_the_order(order, link, language):
    payment = link.pay(NOW)
    with pytest.raises(NotAllowed):
        send_receipt(payment, "payer@example.com", language, NOW)
    payment.settle(Verdict.PAID, later(1), auth_code="554433")
    payment = Payment.get_by_id(payment.id)
    for email in ("Payer@Example.com", "again@example.com"):
        send_receipt(payment, email, language, later(2))
    [mail] = Mail.select().where(Mail.kind == "payer_receipt")
    assert (mail.recipient, mail.language, mail.order_id) == ("payer@example.com", language, None)
    assert has_receipt(payment)
    message = mails.compose(mail)
    for kind in ("plain", "html"):
        part = message.get_body((kind,)).get_content()
        assert "554433" in part
        for secret in (order.number, "Galaxy", GUEST["first_name"], GUEST["email"], GUEST["street"]):
            assert not stands_in(secret, part)


@pytest.mark.rule("PRV-5")
def test_the_payers_address_is_no_part_of_the_shoppers_data_and_the_link_opens_nothing_from_there(order, link):
    payment = link.pay(NOW)
    payment.settle(Verdict.PAID, later(1))
    send_receipt(Payment.get_by_id(payment.id), "Payer@Example.com", "sq", later(2))
    found = data_of(person_of(order.email))
    assert "payer@example.com" not in json.dumps(found)
    assert len(found["pay_link"]) == 1
    assert [row["kind"] for row in data_of(person_of("payer@example.com"))["mail"]] == ["payer_receipt"]
    assert link.nonce not in json.dumps(found)


@pytest.mark.rule("PAY-8", "MSG-1", "MSG-3")
@pytest.mark.parametrize(("language", "prefix"), [("sq", ""), ("mk", "/mk"), ("en", "/en")])
def test_the_shopper_gets_the_link_and_the_way_back_by_mail_at_once(world, order, language, prefix):
    Order.update(language=language).execute()
    link = PayLink.make(order, NOW)
    PayLink.make(order, later(1))
    [mail] = Mail.select()
    assert (mail.kind, mail.recipient, mail.language, mail.state) == ("pay_link", order.email, language, "due")
    assert link.nonce not in json.dumps(mail.data)
    message = mails.compose(mail)
    assert order.number in message["Subject"]
    root = f"{config.BASE_URL}{prefix}"
    for kind in ("plain", "html"):
        part = message.get_body((kind,)).get_content()
        for said in (
            order.number,
            f"{root}/paguaj-per/{link.token()}",
            f"{root}/porosia/{order.number}?k={sign(order)}",
            f"{root}/porosia/{order.number}/pagesa?k={sign(order)}",
            "12:30",
        ):
            assert said in part
    if language == "sq":
        assert "jo këtë e-postë" in message.get_body(("plain",)).get_content()


@pytest.mark.rule("PAY-8", "MSG-1")
def test_a_new_link_has_a_mail_of_its_own_and_one_that_is_over_is_not_sent(order, link):
    PayLink.revoke(order, later(1))
    PayLink.make(order, later(2))
    old, new = Mail.select().order_by(Mail.id)
    assert old.is_too_late(later(3))
    assert not new.is_too_late(later(3))
    assert old.send(later(3)) == "failed"
    Mail.update(state="sent").execute()
    assert [is_resendable(mail, order, later(3)) for mail in Mail.select().order_by(Mail.id)] == [False, True]
    assert new.is_too_late(later(30))
    assert not is_resendable(Mail.get_by_id(new.id), order, later(30))
