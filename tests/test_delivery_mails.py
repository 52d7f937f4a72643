"""The mails and the SMS on an order's way to the door (DLV-3…5, MSG-3)."""

import re
from email import policy
from email.parser import BytesParser

import pytest
from playhouse.test_utils import count_queries

import config
import mails
from gateways.sms import segments
from models.actor import SHOPPER
from models.delivery import REASONS, arrange, deliver, fail, give_up, times
from models.order import Order
from models.order_link import BadLink, read, read_short, sign_short
from models.outbox import DELIVERY_KINDS, Mail
from models.sms import Sms
from models.sms_text import compose
from models.trail import AuditEntry
from tests.delivery import RECEIVER, WAREHOUSE, confirmed, failed, with_courier
from tests.test_translations import Albanian
from tests.world import build, later


@pytest.fixture
def world():
    return build()


def sent(kind: str, world, language: str = "sq"):
    """The mail of that kind, parsed from what goes over the wire, with its text and HTML."""
    order = confirmed(world, "S25-BLACK-128", language=language)
    if kind == "on_its_way":
        with_courier(order)
    elif kind == "delivered":
        deliver(with_courier(order), 1, RECEIVER, "id_card", by=WAREHOUSE, now=later(60))
    else:
        order = failed(order)
    if kind == "time_arranged":
        arrange(order, times(order, later(70))[0], by=SHOPPER, now=later(70))
    elif kind == "returned":
        give_up(order, by=WAREHOUSE, now=later(70))
    mail = Mail.get(Mail.kind == kind)
    message = BytesParser(policy=policy.default).parsebytes(mails.compose(mail).as_bytes(policy=policy.SMTP))
    text, html = (message.get_body((part,)).get_content().replace("\u00a0", " ") for part in ("plain", "html"))
    return Order.get_by_id(order.id), message, text, html


@pytest.mark.rule("MSG-3")
@pytest.mark.parametrize("language", ["sq", "mk", "en"])
@pytest.mark.parametrize("kind", DELIVERY_KINDS)
def test_each_mail_is_in_the_orders_language_and_opens_the_order(world, kind, language):
    order, message, text, html = sent(kind, world, language)
    assert message["To"] == order.email
    assert message["Content-Language"] == language
    assert order.number in message["Subject"]
    prefix = "" if language == "sq" else f"/{language}"
    for part in (text, html):
        assert order.number in part
        token = re.search(rf"http://shop\.test{prefix}/porosia/{order.number}\?k=([\w.-]+)", part)[1]
        assert read(token) == order.number
        assert "%(" not in part
    assert "<" not in text
    assert "agent@" not in text + html
    assert "warehouse@" not in text + html
    if language != "sq":
        albanian = Albanian(language)
        said = [message["Subject"], *text.splitlines(), *re.split(r"\. ", text)]
        assert [line for line in said if albanian.is_in(line.strip())] == []


@pytest.mark.rule("DLV-3", "DLV-4")
@pytest.mark.parametrize("kind", ["on_its_way", "attempt_failed", "time_arranged"])
def test_before_the_courier_comes_it_is_said_who_receives_with_which_document_and_signs_what(world, kind):
    _, _, text, html = sent(kind, world)
    for part in (text, html):
        assert f"Porosinë e pranon vetëm {RECEIVER}." in part
        assert "Përgatitni letërnjoftimin ose pasaportën" in part
        assert "Me pajisjen vjen formulari i pranimit" in part


@pytest.mark.rule("DLV-5")
def test_the_notice_says_until_when_a_new_time_may_be_chosen_and_where(world):
    order, message, text, html = sent("attempt_failed", world)
    for part in (text, html):
        assert "Zgjidhni një kohë të re deri të enjten, 12 mars." in part
        assert "Në adresë nuk ishte askush" in part
        assert f"/porosia/{order.number}?k=" in part
        assert "#koha" in part
    assert config.CONTACT_PHONE in text


@pytest.mark.rule("DLV-5")
def test_the_new_time_is_told_as_people_say_it_also_when_the_courier_sets_out_again(world):
    order, message, text, _ = sent("time_arranged", world)
    assert "Vjen të mërkurën, 11 mars, ora 9–12." in text
    assert "të mërkurën, 11 mars, ora 9–12" in message["Subject"].replace("\u00a0", " ")
    with_courier(order, later(24 * 60))
    again = Mail.select().where(Mail.kind == "on_its_way").order_by(Mail.id.desc()).first()
    assert "Vjen të mërkurën, 11" in mails.compose(again).get_body(("plain",)).get_content()


@pytest.mark.rule("AFT-5")
def test_the_mail_of_the_delivery_says_what_to_do_with_a_damaged_device(world):
    _, _, text, _ = sent("delivered", world)
    assert f"E pranoi {RECEIVER}." in text
    assert "çojeni te dyqani më i afërt" in text


@pytest.mark.rule("PAY-9")
def test_the_mail_of_a_return_says_what_goes_back_to_the_card(world):
    _, _, text, html = sent("returned", world)
    for part in (text, html):
        assert "52.800 den kthehen në kartelën me të cilën u pagua." in part


@pytest.mark.rule("DLV-5")
@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_is_told_and_what_the_courier_typed_is_not(world, reason):
    order = with_courier(confirmed(world))
    fail(order, 1, reason, "qeni i fqinjit", by=WAREHOUSE, now=later(60))
    message = mails.compose(Mail.get(Mail.kind == "attempt_failed"))
    assert "qeni" not in message.as_string()
    assert AuditEntry.get(AuditEntry.what == "attempt_failed").why == "qeni i fqinjit"


@pytest.mark.rule("DLV-5", "MSG-3")
@pytest.mark.parametrize(("language", "most"), [("sq", 2), ("mk", 2), ("en", 1)])
def test_the_sms_has_a_link_for_the_new_time_and_is_short(world, monkeypatch, language, most):
    monkeypatch.setattr(config, "BASE_URL", "https://dyqani.example.mk")
    order = failed(confirmed(world, language=language))
    text = compose(Sms.get(Sms.kind == "attempt_failed"))
    prefix = "" if language == "sq" else f"/{language}"
    assert text.endswith(f"https://dyqani.example.mk{prefix}/koha/{sign_short(order)}")
    assert "12.03.2026" in text or "12/03/2026" in text
    assert segments(text) <= most


@pytest.mark.rule("ORD-2")
def test_a_short_link_opens_its_own_order_alone(world):
    order, other = confirmed(world), confirmed(world)
    code = sign_short(order)
    assert read_short(code) == order.number
    mark = code[-10:]
    mixed = sign_short(other)[:-10] + mark
    for wrong in ("", mark, mixed, code[:-1], code[:-1] + "!", code.lower(), code + "A", "ë" * 21):
        with pytest.raises(BadLink):
            read_short(wrong)


def test_a_mail_takes_few_queries(world):
    sent("attempt_failed", world)
    with count_queries(only_select=True) as counted:
        mails.compose(Mail.get(Mail.kind == "attempt_failed"))
    assert counted.count <= 6
