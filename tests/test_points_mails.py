"""What the mails of an order say of the points that paid a part of it (CHK-5, PAY-4, PAY-9, DLV-3)."""

import pytest

import mails
from gateways.bank import Verdict
from models.outbox import Mail
from tests.club import joined
from tests.models.test_order_points import ordered_with
from tests.world import build, later, own_number, profile


@pytest.fixture
def owner():
    return profile()


@pytest.fixture
def order_and_payment(owner):
    return ordered_with(build(), joined(own_number(owner), points=1000), 600, owner)


def parts(kind: str) -> list[str]:
    """The newest mail of a kind, as text and as HTML, with plain spaces."""
    mail = Mail.select().where(Mail.kind == kind).order_by(Mail.id.desc()).get()
    message = mails.compose(mail)
    return [message.get_body((kind,)).get_content().replace("\u00a0", " ") for kind in ("plain", "html")]


@pytest.mark.rule("CHK-5", "PAY-4", "DLV-3")
def test_the_confirmation_tells_points_card_amount_and_who_may_receive(order_and_payment):
    _, payment = order_and_payment
    payment.settle(Verdict.PAID, later(1))
    text, html = parts("order_confirmed")
    assert "Gjithsej për pajisjet: 11.990 den\n600 pikë: −300 den\nU paguan me kartelë: 11.690 den" in text
    for part in (text, html):
        assert "600 pikë" in part
        assert "−300 den" in part
        assert "11.690 den" in part
        assert "Arben Osmani, poseduesi i numrit" in part
        assert "Porosinë e paguar me pikë e pranon vetëm poseduesi i numrit" in part
        assert "e nënshkruan kontratën" not in part


@pytest.mark.rule("PAY-8", "PAY-4")
def test_a_failed_payment_asks_for_what_the_points_leave(order_and_payment):
    _, payment = order_and_payment
    payment.settle(Verdict.DECLINED, later(1))
    for part in parts("payment_failed"):
        assert "600 pikë" in part
        assert "11.690 den" in part


@pytest.mark.rule("PAY-8", "PAY-9")
def test_a_lapsed_order_tells_that_its_points_are_back(order_and_payment):
    order, _ = order_and_payment
    order.lapse(later(31))
    Mail.write("order_lapsed", order, later(31), key="lapsed")
    for part in parts("order_lapsed"):
        assert "600 pikë u kthyen në Klubin Im." in part


@pytest.mark.rule("PAY-9")
def test_late_money_for_an_order_with_points_says_that_devices_or_points_are_gone(order_and_payment, owner):
    order, payment = order_and_payment
    order.lapse(later(31))
    ordered = order.lines()[0].variant
    type(ordered).update(stock=0).execute()
    assert payment.settle(Verdict.PAID, later(40)) == "surplus"
    for part in parts("payment_returned"):
        assert "kurse pajisjet ose pikët e saj u përdorën ndërkohë" in part
        assert "11.690 den" in part


@pytest.mark.rule("MSG-3")
@pytest.mark.parametrize(("language", "said"), [("mk", "600 поени"), ("en", "600 points")])
def test_points_are_told_in_the_readers_language(order_and_payment, language, said):
    order, payment = order_and_payment
    type(order).update(language=language).execute()
    payment.settle(Verdict.PAID, later(1))
    for part in parts("order_confirmed"):
        assert said in part
        assert "pikë" not in part
