"""Who calls is who the order belongs to, and what that opens (AFT-1, AFT-2, DSK-1)."""

import pytest
from peewee import IntegrityError

from gateways.bank import Verdict
from models import desk_order
from models.actor import Actor
from models.allowance import Allowance
from models.base import db
from models.delivery import times
from models.desk_order import NotResendable, TooManyResent, resend
from models.identification import MOST_OF_ORDER, Identification, NotIdentified, TooManyTries, holders_of
from models.number import Number
from models.order import Order
from models.order_change import Wanted
from models.order_note import OrderNote
from models.outbox import Mail
from models.payment import Refund
from models.sms import Sms
from models.subscriber import Holder, Subscriber
from models.trail import AuditEntry, ChangedMeanwhile, mark_of
from tests.delivery import confirmed, failed
from tests.world import (
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
)

AGENT = Actor("agent", "agent@example.com")
OTHER = Actor("agent", "agent2@example.com")
CONTACT = {"email": "ana@example.com", "phone": "38970123456"}


@pytest.fixture
def world():
    return build()


@pytest.fixture
def order(world):
    return ordered(world, "CASE-BLACK")[0]


@pytest.fixture
def contract(world):
    """An order of a Besnik 24 device for 070 100 001."""
    owner = profile()
    cart = cart_with(world, profile=owner)
    contract_line(cart, number=own_number(owner))
    return place(checkout_of(cart), profile=owner)[0]


def asked(order, number=None, *, by=AGENT, now=NOW, **said):
    return Identification.check(order, number or order.number, by=by, now=now, **said)


@pytest.mark.rule("DSK-1")
def test_a_guest_is_who_knows_number_mail_and_phone_and_each_try_is_written_down(order):
    assert not asked(order, email="ana@example.com", phone="38971000000")
    assert not asked(order, email="other@example.com", phone="38970123456")
    assert not asked(order, "DY-0000-0000-0", **CONTACT)
    assert asked(
        order, order.number.lower().replace("-", " "), now=later(1), email="ANA@example.com ", phone="38970123456"
    )
    rows = list(Identification.select().order_by(Identification.id))
    assert [(row.matched, row.compared, row.who) for row in rows] == [
        *[(False, "contact", "agent@example.com")] * 3,
        (True, "contact", "agent@example.com"),
    ]
    trail = [(entry.what, entry.after) for entry in AuditEntry.select().order_by(AuditEntry.id)]
    assert trail == [*[("not_identified", {"compared": "contact"})] * 3, ("identified", {"compared": "contact"})]


@pytest.mark.rule("DSK-1")
@pytest.mark.parametrize(
    ("said", "fits"),
    [
        ({"id_number": "0101990400001"}, True),
        ({"id_number": "0101990 400001"}, True),
        ({"sim_end": "100001"}, True),
        ({"id_number": "0101990400002"}, False),
        ({"sim_end": "100002"}, False),
        ({"id_number": "0101990400002", "sim_end": "100001"}, False),
        (CONTACT, False),
        ({}, False),
    ],
)
def test_of_a_contract_the_holder_is_who_knows_id_number_or_sim(contract, said, fits):
    Number.get().holder.update(id_number="0101990400001").execute()
    assert asked(contract, **said) is fits


@pytest.mark.rule("DSK-1", "DLV-3")
def test_who_has_the_number_by_now_does_not_speak_for_who_signed(contract):
    other = Holder.create(id_number="0202985460001", segment="private", first_name="Elena", last_name="Stojanova")
    Subscriber.update(holder=other).where(Subscriber.id == Number.get().subscriber_id).execute()
    assert not asked(contract, id_number="0202985460001")
    assert asked(contract, **CONTACT)


@pytest.mark.rule("DSK-1")
def test_a_number_that_was_given_up_has_nobody_to_speak_for_it(contract):
    Number.update(active=False).execute()
    assert holders_of(contract) is None
    assert asked(contract, **CONTACT)


@pytest.mark.rule("DSK-1")
def test_it_counts_for_half_an_hour_for_that_agent_and_that_order(world, order):
    another, _ = ordered(world, "TAB-GREY-64", now=later(1))
    assert asked(order, **CONTACT)
    assert Identification.live(order, AGENT, later(29))
    for order_, by, now in ((order, AGENT, later(31)), (order, OTHER, later(1)), (another, AGENT, later(1))):
        with pytest.raises(NotIdentified):
            Identification.require(order_, by, now)


def test_when_the_call_is_over_the_next_one_is_asked_anew(order):
    assert asked(order, **CONTACT)
    assert Identification.end(order, AGENT, later(2))
    assert not Identification.end(order, AGENT, later(3))
    assert Identification.live(order, AGENT, later(3)) is None
    assert asked(order, now=later(4), **CONTACT)
    assert Identification.live(order, AGENT, later(5))


@pytest.mark.rule("DSK-1")
def test_tries_are_limited_for_an_order_whoever_asks_and_what_fits_once_is_not_asked_again(order):
    for index in range(MOST_OF_ORDER):
        assert not asked(order, by=(AGENT, OTHER)[index % 2], now=later(index))
    with pytest.raises(TooManyTries) as error:
        asked(order, now=later(10), **CONTACT)
    assert error.value.until == later(60)
    assert Identification.live(order, AGENT, later(10)) is None
    assert Identification.select().count() == MOST_OF_ORDER
    assert asked(order, now=later(61), **CONTACT)
    places = Allowance.select().count()
    assert asked(order, now=later(62), **CONTACT)
    assert (Allowance.select().count(), Identification.select().count()) == (places, MOST_OF_ORDER + 1)


@pytest.mark.rule("AFT-1", "AFT-2", "DSK-1")
def test_without_it_nothing_is_changed_or_cancelled(order):
    wanted, mark = Wanted.of(order, street="Tjetër 1"), mark_of(order)
    with pytest.raises(NotIdentified):
        desk_order.change(order, wanted, by=AGENT, now=NOW, mark=mark, why="telefon")
    with pytest.raises(NotIdentified):
        desk_order.cancel(order, by=AGENT, now=NOW, mark=mark, why="telefon")
    assert Order.get_by_id(order.id).street == order.street
    assert not AuditEntry.select().exists()


@pytest.mark.rule("AFT-1", "DSK-1")
def test_what_changes_nothing_keeps_nobody_from_changing_but_a_change_does(order):
    mark = mark_of(order)
    assert asked(order, by=OTHER, **CONTACT)
    assert asked(order, **CONTACT)
    OrderNote.add(order, "Do të telefonojë nesër.", by=OTHER, now=NOW, key="a")
    desk_order.change(order, Wanted.of(order, street="E para 1"), by=AGENT, now=later(1), mark=mark, why="telefon")
    with pytest.raises(ChangedMeanwhile) as error:
        desk_order.cancel(order, by=OTHER, now=later(2), mark=mark, why="telefon")
    assert [step.what for step in error.value.steps] == ["changed"]


@pytest.mark.rule("DLV-5", "DSK-1")
def test_a_time_is_arranged_for_who_is_identified_at_that_moment(world):
    order = failed(confirmed(world))
    slot, mark = times(order, later(70), AGENT)[0], mark_of(order)
    with pytest.raises(NotIdentified):
        desk_order.arrange(order, slot, by=AGENT, now=later(70), mark=mark)
    assert asked(order, now=later(70), **CONTACT)
    assert Identification.end(order, AGENT, later(71))
    with pytest.raises(NotIdentified):
        desk_order.arrange(order, slot, by=AGENT, now=later(72), mark=mark)
    assert asked(order, now=later(73), **CONTACT)
    assert desk_order.arrange(order, slot, by=AGENT, now=later(74), mark=mark).slot == slot


@pytest.mark.rule("AFT-2", "PAY-9")
def test_an_agent_cancels_once_and_the_card_gets_its_money(world):
    order, payment = ordered(world, "CASE-BLACK")
    payment.settle(Verdict.PAID, later(1))
    order = Order.get_by_id(order.id)
    assert asked(order, **CONTACT)
    mark = mark_of(order)
    for minute in (2, 3):
        cancelled = desk_order.cancel(order, by=AGENT, now=later(minute), mark=mark, why="ndërroi mendim")
        assert cancelled.state == "cancelled"
    assert Refund.get().amount == payment.amount
    assert AuditEntry.select().where(AuditEntry.what == "cancelled").get().who == "agent@example.com"


@pytest.mark.rule("DSK-1")
def test_a_note_is_one_however_often_it_is_sent_and_stays_as_it_was_written(order):
    for _ in range(2):
        OrderNote.add(order, "Thirri në orën 12.", by=AGENT, now=NOW, key="a")
    [note] = OrderNote.of(order)
    assert (note.text, note.by) == ("Thirri në orën 12.", AGENT)
    assert AuditEntry.get().what == "note"
    for wrong in ("", "  ", "x" * 1001):
        with pytest.raises(ValueError, match="note"):
            OrderNote.add(order, wrong, by=AGENT, now=NOW, key="b")
    for query in (OrderNote.update(text="tjetër"), OrderNote.delete()):
        with pytest.raises(IntegrityError), db.atomic():
            query.execute()


@pytest.mark.rule("DSK-1", "MSG-1")
def test_a_mail_is_sent_again_once_for_each_form_and_so_often_in_an_hour(world):
    order, payment = ordered(world, "CASE-BLACK")
    payment.settle(Verdict.PAID, later(1))
    mail = Mail.get(Mail.kind == "order_confirmed")
    with pytest.raises(NotResendable):
        resend(order, mail, by=AGENT, now=later(2), key="a")
    Mail.update(state="sent").execute()
    mail = Mail.get_by_id(mail.id)
    assert resend(order, mail, by=AGENT, now=later(2), key="a")
    assert not resend(order, mail, by=AGENT, now=later(2), key="a")
    again = Mail.select().order_by(Mail.id.desc()).get()
    assert (again.kind, again.recipient, again.state) == ("order_confirmed", "ana@example.com", "due")
    assert AuditEntry.get().after == {"message": "mail", "kind": "order_confirmed"}
    for index in range(9):
        assert resend(order, mail, by=AGENT, now=later(3), key=f"b{index}")
    with pytest.raises(TooManyResent):
        resend(order, mail, by=AGENT, now=later(4), key="c")


@pytest.mark.rule("DSK-1", "PRO-4")
def test_a_code_is_never_sent_again_nor_an_invitation_to_pay_what_is_not_payable(order):
    Sms.write("gift_code", order.phone, "sq", NOW, key="g")
    Sms.update(state="sent").execute()
    with pytest.raises(NotResendable):
        resend(order, Sms.get(), by=AGENT, now=NOW, key="a")
    Mail.write("payment_failed", order, NOW, key="p")
    Mail.update(state="sent").execute()
    with pytest.raises(NotResendable):
        resend(order, Mail.get(), by=AGENT, now=order.payable_until, key="a")
    assert resend(order, Mail.get(), by=AGENT, now=NOW, key="a")
