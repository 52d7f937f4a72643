"""The mails about card payments of invoices (PRO-7, PAY-7, MSG-1, MSG-3)."""

import re
from email import policy
from email.parser import BytesParser

import pytest
from playhouse.test_utils import count_queries

import mails
from gateways.bank import Verdict
from models.bill_payment import BillPayment
from models.invoice import Invoice
from models.outbox import BILL_KINDS, Mail
from models.payment import Payment
from tests.bills import owing
from tests.world import NOW, later, profile


def told(kind, language="sq", meanwhile=()):
    """The mail of that outcome, parsed from what goes over the wire; `meanwhile` was paid in a shop."""
    owner = profile()
    owing(owner, "F-1", "F-2")
    bills = BillPayment.begin(owner, ["F-1", "F-2"], NOW, language)
    for name in meanwhile:
        Invoice.get(Invoice.number == name).pay(NOW, "shop")
    verdict = Verdict.DECLINED if kind == "bills_failed" else Verdict.PAID
    Payment.latest_of(bills).settle(verdict, later(1), auth_code="554433")
    mail = Mail.get(Mail.kind == kind)
    message = BytesParser(policy=policy.default).parsebytes(mails.compose(mail).as_bytes(policy=policy.SMTP))
    text, html = (message.get_body((kind,)).get_content().replace("\u00a0", " ") for kind in ("plain", "html"))
    return bills, message, text, html


PAID_ELSEWHERE = {"bills_returned": ("F-1", "F-2")}


@pytest.mark.rule("PRO-7")
@pytest.mark.rule("MSG-3")
@pytest.mark.parametrize("language", ["sq", "mk", "en"])
@pytest.mark.parametrize("kind", BILL_KINDS)
def test_each_mail_names_the_payment_its_invoices_and_its_sum_in_the_readers_language(kind, language):
    bills, message, text, html = told(kind, language, PAID_ELSEWHERE.get(kind, ()))
    assert message["To"] == "arben@example.com"
    assert message["Content-Language"] == language
    prefix = "" if language == "sq" else f"/{language}"
    for part in (text, html):
        assert bills.number in part
        assert "F-1" in part
        assert "F-2" in part
        assert re.search(r"3[.,]798", part)
        assert f"http://shop.test{prefix}/paguaj" in part
        assert "%(" not in part
    assert ("554433" in text) == (kind == "bills_paid")
    assert bills.number in message["Subject"] or kind == "bills_paid"


@pytest.mark.rule("PAY-9")
def test_the_receipt_says_what_goes_back():
    _, _, text, _ = told("bills_paid", meanwhile=["F-2"])
    assert "Fatura F-2: 1.899 den (ju kthehet në kartelë)" in text
    assert "U paguan: 1.899 den" in text


def test_a_mail_takes_few_queries():
    told("bills_paid")
    mail = Mail.get()
    with count_queries(only_select=True) as counted:
        mails.compose(mail)
    assert counted.count <= 3


@pytest.mark.rule("MSG-1")
def test_each_outcome_is_written_with_it_and_once():
    bills, *_ = told("bills_paid")
    Payment.latest_of(bills).settle(Verdict.PAID, later(2))
    assert Mail.select().count() == 1
