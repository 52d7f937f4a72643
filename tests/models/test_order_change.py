"""What changes of an order before it is with the courier (AFT-1, DSK-1)."""

import pytest
from peewee import IntegrityError

from models import order_change
from models.actor import SHOPPER, Actor
from models.base import db
from models.bss_event import BssEvent
from models.cancellation import cancel
from models.delivery import arrange, times
from models.order import NotAllowed, Order, OutOfStock
from models.order_change import Wanted, change, colours_of
from models.order_note import OrderNote
from models.outbox import Mail
from models.trail import HARMLESS, AuditEntry, ChangedMeanwhile, mark_of, record, trail_of
from tests.delivery import confirmed, failed
from tests.world import NOW, build, in_state, later, ordered

AGENT = Actor("agent", "agent@example.com")


@pytest.fixture
def world():
    return build()


def with_two_colours(world):
    """An order of one black Galaxy; the blue of the same storage is there too, three of it."""
    blue = world["S25-BLUE-256"]
    blue.storage_gb = 128
    blue.save()
    order, _ = ordered(world, "S25-BLACK-128")
    return order, order.lines()[0], blue


@pytest.mark.rule("AFT-1")
def test_address_and_phone_change_and_the_trail_says_what_they_were(world):
    order, _ = ordered(world, "CASE-BLACK")
    wanted = Wanted.of(order, street="Rr. Marshall Tito 5", phone="38971222333")
    changed = change(order, wanted, by=AGENT, now=later(5), why="me telefon")
    assert (changed.street, changed.phone) == ("Rr. Marshall Tito 5", "38971222333")
    [entry] = AuditEntry.select()
    assert (entry.role, entry.who, entry.what, entry.why) == ("agent", "agent@example.com", "changed", "me telefon")
    assert entry.before == {"street": "Rr. Ilindenit 12", "phone": "38970123456"}
    assert entry.after == {"street": "Rr. Marshall Tito 5", "phone": "38971222333"}


@pytest.mark.rule("AFT-1")
def test_another_colour_takes_a_piece_and_gives_the_first_one_back_at_the_price_that_was_ordered(world):
    order, line, blue = with_two_colours(world)
    change(order, Wanted.of(order, colours={line.id: blue.id}), by=SHOPPER, now=later(5))
    [now_line] = order.lines()
    assert (now_line.sku, now_line.price, now_line.colours["en"]) == (blue.sku, line.price, "Blue")
    assert now_line.picture != line.picture
    assert (world.stock("S25-BLACK-128"), world.stock("S25-BLUE-256")) == (20, 2)


@pytest.mark.rule("AFT-1")
def test_a_colour_that_is_gone_or_of_another_storage_changes_nothing(world):
    order, line, blue = with_two_colours(world)
    assert [variant.id for variant in colours_of(line)] == [line.variant_id, blue.id]
    world.set_stock(blue.sku, 0)
    assert [variant.id for variant in colours_of(line)] == [line.variant_id]
    for variant in (blue, world["IP16-PINK-128"]):
        wanted = Wanted.of(order, street="Tjetër 1", colours={line.id: variant.id})
        with pytest.raises(OutOfStock):
            change(order, wanted, by=SHOPPER, now=later(5))
    assert Order.get_by_id(order.id).street == "Rr. Ilindenit 12"
    assert world.stock("S25-BLACK-128") == 19


@pytest.mark.rule("AFT-1", "ORD-4")
def test_a_packed_order_with_another_colour_is_packed_anew_and_the_billing_system_hears_of_it_once(world):
    order, line, blue = with_two_colours(world)
    order.move("confirmed", by="bank", now=later(1))
    order.move("packed", by="warehouse", now=later(2))
    changed = change(order, Wanted.of(order, colours={line.id: blue.id}), by=AGENT, now=later(3))
    assert changed.state == "confirmed"
    told = [event.kind for event in BssEvent.select().order_by(BssEvent.id)]
    assert told == ["order_confirmed", "order_changed"]
    assert BssEvent.select().order_by(BssEvent.id.desc()).first().payload["lines"][0]["sku"] == blue.sku


@pytest.mark.rule("AFT-1")
@pytest.mark.parametrize("state", ["with_courier", "delivered", "lapsed", "cancelled", "returned", "delivery_failed"])
def test_after_dispatch_nothing_changes(world, state):
    order, _ = ordered(world, "CASE-BLACK")
    order = in_state(order, state)
    with pytest.raises(NotAllowed):
        change(order, Wanted.of(order, street="Tjetër 1"), by=AGENT, now=later(5))
    assert not AuditEntry.select().exists()


@pytest.mark.rule("DSK-1")
def test_the_second_of_two_is_told_what_the_first_changed(world):
    order, _ = ordered(world, "CASE-BLACK")
    mark = mark_of(order)
    change(order, Wanted.of(order, street="E para 1"), by=AGENT, now=later(5), mark=mark)
    with pytest.raises(ChangedMeanwhile) as error:
        change(order, Wanted.of(order, street="E dyta 2"), by=AGENT, now=later(6), mark=mark)
    assert [step.after for step in error.value.steps] == [{"street": "E para 1"}]
    change(order, Wanted.of(order, street="E dyta 2"), by=AGENT, now=later(7), mark=mark_of(order))
    assert Order.get_by_id(order.id).street == "E dyta 2"
    assert [step.what for step in trail_of(order)] == ["state", "changed", "changed"]


@pytest.mark.rule("DSK-1", "AFT-1", "AFT-2", "DLV-5")
def test_what_changes_nothing_of_an_order_keeps_neither_shopper_nor_warehouse_from_a_change(world):
    order, waiting = confirmed(world), failed(confirmed(world))
    marks = [mark_of(order), mark_of(waiting)]
    for row in (order, waiting):
        OrderNote.add(row, "Thirri dje.", by=AGENT, now=later(61), key=row.number)
        for what in sorted(HARMLESS):
            record(AGENT, what, later(61), order=row)
    changed = change(order, Wanted.of(order, street="E re 1"), by=SHOPPER, now=later(70), mark=marks[0])
    assert changed.street == "E re 1"
    slot = times(waiting, later(70))[0]
    assert arrange(waiting, slot, by=SHOPPER, now=later(70), mark=marks[1]).slot == slot
    with pytest.raises(ChangedMeanwhile) as error:
        cancel(order, by=SHOPPER, now=later(71), mark=marks[0])
    assert [step.what for step in error.value.steps] == ["changed"]
    mark = mark_of(order)
    OrderNote.add(order, "Thirri përsëri.", by=AGENT, now=later(72), key="again")
    assert cancel(order, by=SHOPPER, now=later(73), mark=mark).state == "cancelled"


def test_nothing_wanted_anew_writes_nothing(world):
    order, _ = ordered(world, "CASE-BLACK")
    change(order, Wanted.of(order), by=AGENT, now=later(5))
    assert not AuditEntry.select().exists()


@pytest.mark.rule("DSK-5")
@pytest.mark.parametrize("wrong", [AuditEntry.update(why="tjetër"), AuditEntry.delete()])
def test_the_trail_is_only_added_to(wrong):
    record(AGENT, "login", NOW)
    with pytest.raises(IntegrityError), db.atomic():
        wrong.execute()
    assert AuditEntry.get().why == ""


@pytest.mark.rule("AFT-1")
def test_the_same_change_sent_twice_from_one_page_is_one_change(world):
    order, line, blue = with_two_colours(world)
    wanted, mark = Wanted.of(order, street="E re 1", colours={line.id: blue.id}), mark_of(order)
    for minute in (5, 6):
        assert change(order, wanted, by=SHOPPER, now=later(minute), mark=mark).street == "E re 1"
    assert AuditEntry.select().count() == 1
    assert Mail.select().where(Mail.kind == "order_changed").count() == 1
    assert world.stock("S25-BLUE-256") == 2


@pytest.mark.rule("AFT-1", "MSG-1")
def test_each_change_is_told_by_a_mail_in_the_language_of_the_order(world):
    order, _ = ordered(world, "CASE-BLACK", language="mk")
    for street in ("E re 1", "E re 2"):
        change(order, Wanted.of(order, street=street), by=AGENT, now=later(5))
    mails = list(Mail.select().where(Mail.kind == "order_changed"))
    assert [(mail.recipient, mail.language) for mail in mails] == [(order.email, "mk")] * 2


@pytest.mark.rule("AFT-1")
def test_a_shopper_changes_an_order_twenty_times_and_the_desk_as_often_as_needed(world, monkeypatch):
    monkeypatch.setattr(order_change, "BY_SHOPPER_MOST", 2)
    order, _ = ordered(world, "CASE-BLACK")
    for number in (1, 2):
        change(order, Wanted.of(order, street=f"E re {number}"), by=SHOPPER, now=later(5))
    with pytest.raises(order_change.TooOften):
        change(order, Wanted.of(order, street="E re 3"), by=SHOPPER, now=later(5))
    assert change(order, Wanted.of(order, street="E re 3"), by=AGENT, now=later(5)).street == "E re 3"
