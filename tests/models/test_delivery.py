"""The way to the door: times, attempts, who receives it, and the way back (DLV-2…5)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from peewee import IntegrityError

from models.actor import SHOPPER
from models.bss_event import BssEvent
from models.calendar import ZONE
from models.cancellation import cancel
from models.catalogue import Variant
from models.delivery import (
    CHOICES,
    ArrangedTime,
    ContentsChanged,
    DeliveryAttempt,
    NoAuthorisation,
    NoReason,
    NotArranged,
    NotOffered,
    NotReceived,
    Slot,
    TooLate,
    arrange,
    arranged,
    contents_of,
    deadline,
    deliver,
    fail,
    give_up,
    hand_over,
    missed,
    next_attempt,
    pack,
    return_all_due,
    times,
)
from models.order import NotAllowed, Order
from models.order_change import Wanted, change
from models.outbox import Mail
from models.payment import Refund
from models.points_choice import PointsChoice
from models.sms import Sms
from models.stock_return import StockReturn
from models.trail import AuditEntry, ChangedMeanwhile, mark_of, record
from tests.club import joined
from tests.delivery import AGENT, RECEIVER, WAREHOUSE, confirmed, failed, packed, with_courier
from tests.world import NOW, build, cart_with, checkout_of, contract_line, later, own_number, place, profile

TUESDAY = NOW.date()


@pytest.fixture
def world():
    return build()


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A moment by the clocks of Skopje."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE).astimezone(UTC)


def told(kind: str) -> list[Mail]:
    return list(Mail.select().where(Mail.kind == kind).order_by(Mail.id))


def done(order) -> list[str]:
    return [entry.what for entry in AuditEntry.select().where(AuditEntry.order == order).order_by(AuditEntry.id)]


# Times


@pytest.mark.rule("DLV-2")
def test_times_are_offered_from_monday_to_saturday_without_public_holidays(world):
    # Easter Monday of 2026 is 13 April: Friday 10 is Orthodox Good Friday.
    order = failed(confirmed(world), now=at(date(2026, 4, 8), 11))
    offered = times(order, at(date(2026, 4, 8), 12))
    days = list(dict.fromkeys(slot.day for slot in offered))
    assert len(days) == 5
    assert days == sorted(days)
    assert date(2026, 4, 12) not in days  # a Sunday
    assert date(2026, 4, 13) not in days  # a public holiday
    assert date(2026, 4, 11) in days  # a Saturday
    assert {slot.hours for slot in offered} == {"9–12", "12–15", "15–18"}
    assert len(offered) == 15


@pytest.mark.rule("DLV-5")
def test_a_shopper_chooses_from_the_next_delivery_day_on_and_the_courier_what_is_left_of_today(world):
    order = failed(confirmed(world))
    noon = at(TUESDAY, 12, 30)
    assert times(order, noon)[0] == Slot(TUESDAY + timedelta(days=1), 9, 12)
    assert times(order, noon, WAREHOUSE)[:2] == [Slot(TUESDAY, 12, 15), Slot(TUESDAY, 15, 18)]


@pytest.mark.rule("DLV-5")
@pytest.mark.parametrize("state", ["confirmed", "packed", "with_courier"])
def test_before_an_attempt_failed_a_shopper_has_nothing_to_arrange(world, state):
    order = confirmed(world)
    order = {"confirmed": lambda o: o, "packed": packed, "with_courier": with_courier}[state](order)
    assert times(order, later(30)) == []
    assert bool(times(order, later(30), AGENT)) == (state == "with_courier")
    with pytest.raises(NotAllowed):
        arrange(order, Slot(TUESDAY + timedelta(days=1), 9, 12), by=SHOPPER, now=later(30))


@pytest.mark.parametrize("code", ["", "2026-03-11", "2026-03-11.9-13", "2026-3-11.9-12", "2026-03-11.09-12"])
def test_what_is_no_slot_is_not_read_as_one(code):
    with pytest.raises(NotOffered):
        Slot.read(code)
    assert Slot.read("2026-03-11.9-12") == Slot(date(2026, 3, 11), 9, 12)


@pytest.mark.rule("DLV-5")
def test_the_customer_arranges_a_new_time_and_the_courier_takes_it_out_again(world):
    order = failed(confirmed(world))
    slot = times(order, later(70))[4]
    assert arrange(order, slot, by=SHOPPER, now=later(70)).slot == slot
    assert arranged(order).slot == slot
    assert Order.get_by_id(order.id).state == "delivery_failed"
    assert hand_over(order, by=WAREHOUSE, now=later(24 * 60))
    assert done(order)[-3:] == ["attempt_failed", "time_arranged", "handed_over"]
    [first, second] = told("on_its_way")
    assert second.data == {"attempt": 2, "time": slot.code}
    assert next_attempt(order) == 2


@pytest.mark.rule("DLV-5")
def test_the_same_time_twice_is_one_and_another_replaces_it(world):
    order = failed(confirmed(world))
    first, second = times(order, later(70))[:2]
    mark = mark_of(order)
    for _ in range(2):
        arrange(order, first, by=SHOPPER, now=later(70), mark=mark)
    arrange(order, second, by=AGENT, now=later(71))
    [kept] = ArrangedTime.select()
    assert (kept.slot, kept.role, kept.choices) == (second, "agent", 2)
    assert len(told("time_arranged")) == 2
    assert AuditEntry.select().order_by(AuditEntry.id.desc()).first().before == {"time": first.code}


def test_a_shopper_may_not_choose_without_end(world):
    order = failed(confirmed(world))
    offered = times(order, later(70))
    for slot in offered[:CHOICES]:
        arrange(order, slot, by=SHOPPER, now=later(70))
    assert times(order, later(70)) == []
    with pytest.raises(NotOffered):
        arrange(order, offered[-1], by=SHOPPER, now=later(70))
    assert arrange(order, offered[-1], by=AGENT, now=later(70))


@pytest.mark.rule("DLV-5")
def test_a_time_that_is_not_offered_is_refused(world):
    order = failed(confirmed(world))
    sunday = Slot(date(2026, 3, 15), 9, 12)
    for slot in (sunday, Slot(TUESDAY, 15, 18), Slot(TUESDAY + timedelta(days=30), 9, 12)):
        with pytest.raises(NotOffered):
            arrange(order, slot, by=SHOPPER, now=later(70))
    assert not ArrangedTime.select().exists()


@pytest.mark.rule("DSK-1")
def test_who_arranges_a_time_is_told_what_happened_meanwhile(world):
    order = failed(confirmed(world))
    mark = mark_of(order)
    record(AGENT, "changed", later(61), order=order, after={"phone": "38971000000"})
    with pytest.raises(ChangedMeanwhile):
        arrange(order, times(order, later(70))[0], by=SHOPPER, now=later(70), mark=mark)


@pytest.mark.rule("DLV-5")
def test_two_working_days_are_counted_without_sundays_and_holidays_and_end_with_their_day(world):
    saturday = date(2026, 3, 14)
    order = failed(confirmed(world), now=at(saturday, 10))
    assert deadline(order) == date(2026, 3, 17)
    last = at(date(2026, 3, 17), 23, 59)
    assert times(order, last)
    slot = times(order, last)[0]
    with pytest.raises(TooLate):
        arrange(order, slot, by=SHOPPER, now=at(date(2026, 3, 18), 0))
    assert times(order, at(date(2026, 3, 18), 0), AGENT) == []
    assert arrange(order, slot, by=SHOPPER, now=last)


def test_nothing_else_has_a_deadline(world):
    assert deadline(confirmed(world)) is None
    assert deadline(with_courier(confirmed(world))) is None


# Packing and handing over


@pytest.mark.rule("DSK-2")
def test_packed_and_handed_over_are_steps_with_who_and_when_and_happen_once(world):
    order = confirmed(world)
    contents = contents_of(order.lines())
    assert pack(order, contents, by=WAREHOUSE, now=later(10))
    assert not pack(order, contents, by=WAREHOUSE, now=later(11))
    assert hand_over(order, by=WAREHOUSE, now=later(20))
    assert not hand_over(order, by=WAREHOUSE, now=later(21))
    events = [(event.state, event.author, event.who) for event in order.history()[-2:]]
    assert events == [
        ("packed", "warehouse", "warehouse@example.com"),
        ("with_courier", "warehouse", "warehouse@example.com"),
    ]
    assert done(order) == ["packed", "handed_over"]
    [mail] = told("on_its_way")
    assert mail.data == {"attempt": 1}


@pytest.mark.rule("AFT-1", "DSK-2")
def test_what_was_picked_before_the_colour_changed_is_not_packed(world):
    order = confirmed(world, "S25-BLACK-128")
    picked = contents_of(order.lines())
    blue = Variant.get_by_id(world["S25-BLUE-256"].id)
    blue.storage_gb = 128
    blue.save()
    [line] = order.lines()
    change(order, Wanted.of(order, colours={line.id: blue.id}), by=AGENT, now=later(5))
    with pytest.raises(ContentsChanged):
        pack(order, picked, by=WAREHOUSE, now=later(10))
    assert Order.get_by_id(order.id).state == "confirmed"


@pytest.mark.rule("DLV-5")
def test_after_a_failed_attempt_it_goes_out_again_for_a_new_time_alone(world):
    order = failed(confirmed(world))
    with pytest.raises(NotArranged):
        hand_over(order, by=WAREHOUSE, now=later(70))
    assert Order.get_by_id(order.id).state == "delivery_failed"


@pytest.mark.rule("DSK-5")
def test_neither_agent_nor_shopper_packs_hands_over_or_delivers(world):
    order = confirmed(world)
    for by in (AGENT, SHOPPER):
        with pytest.raises(NotAllowed):
            pack(order, contents_of(order.lines()), by=by, now=later(10))
    order = with_courier(order)
    for by in (AGENT, SHOPPER):
        with pytest.raises(NotAllowed):
            fail(order, 1, "not_home", by=by, now=later(30))
        with pytest.raises(NotAllowed):
            deliver(order, 1, RECEIVER, "id_card", by=by, now=later(30))
    assert not DeliveryAttempt.select().exists()


# Attempts


@pytest.mark.rule("DLV-5")
def test_a_failed_attempt_is_recorded_with_its_reason_and_the_customer_told_in_writing_once(world):
    order = with_courier(confirmed(world))
    for _ in range(2):
        fail(order, 1, "other", "rruga ishte e mbyllur", by=WAREHOUSE, now=later(60))
    [attempt] = DeliveryAttempt.of(order)
    assert (attempt.number, attempt.outcome, attempt.reason, attempt.text) == (
        1,
        "failed",
        "other",
        "rruga ishte e mbyllur",
    )
    assert attempt.until == date(2026, 3, 12)
    assert (attempt.by, attempt.at) == (WAREHOUSE, later(60))
    order = Order.get_by_id(order.id)
    assert order.state == "delivery_failed"
    assert len(told("attempt_failed")) == 1
    [sms] = Sms.select().where(Sms.kind == "attempt_failed")
    assert (sms.recipient, sms.language, sms.until) == (order.phone, "sq", attempt.over_at)


@pytest.mark.rule("DLV-5")
@pytest.mark.parametrize(("reason", "text"), [("", ""), ("nonsense", "x"), ("other", "  ")])
def test_a_failed_attempt_needs_a_reason(world, reason, text):
    order = with_courier(confirmed(world))
    with pytest.raises(NoReason):
        fail(order, 1, reason, text, by=WAREHOUSE, now=later(60))
    assert Order.get_by_id(order.id).state == "with_courier"


def test_an_attempt_that_went_one_way_is_not_told_to_have_gone_the_other(world):
    order = failed(confirmed(world))
    with pytest.raises(NotAllowed):
        deliver(order, 1, RECEIVER, "id_card", by=WAREHOUSE, now=later(61))
    arrange(order, times(order, later(61))[0], by=SHOPPER, now=later(61))
    order = with_courier(order)
    with pytest.raises(NotAllowed):
        deliver(order, 1, RECEIVER, "id_card", by=WAREHOUSE, now=later(62))
    deliver(order, 2, RECEIVER, "id_card", by=WAREHOUSE, now=later(63))
    with pytest.raises(NotAllowed):
        fail(order, 2, "not_home", by=WAREHOUSE, now=later(64))
    assert [attempt.outcome for attempt in DeliveryAttempt.of(order)] == ["failed", "delivered"]


# Who receives it


@pytest.mark.rule("DLV-3")
def test_delivered_is_written_with_who_received_it_and_the_kind_of_document_once(world):
    order = with_courier(confirmed(world))
    for _ in range(2):
        deliver(order, 1, f"  {RECEIVER} ", "passport", by=WAREHOUSE, now=later(60))
    [attempt] = DeliveryAttempt.of(order)
    assert (attempt.recipient, attempt.document, attempt.authorised) == (RECEIVER, "passport", False)
    assert Order.get_by_id(order.id).state == "delivered"
    assert len(told("delivered")) == 1
    assert AuditEntry.select().where(AuditEntry.what == "delivered").get().after["document"] == "passport"


@pytest.mark.rule("DLV-3")
@pytest.mark.parametrize(
    ("recipient", "document", "field"),
    [("", "id_card", "recipient"), ("  . ", "id_card", "recipient"), (RECEIVER, "", "document")]
    + [(RECEIVER, "library_card", "document")],
)
def test_nothing_is_delivered_without_a_name_and_a_document(world, recipient, document, field):
    order = with_courier(confirmed(world))
    with pytest.raises(NotReceived) as refused:
        deliver(order, 1, recipient, document, authorised=True, by=WAREHOUSE, now=later(60))
    assert refused.value.field == field
    assert Order.get_by_id(order.id).state == "with_courier"


def contract_order(world):
    owner = profile()
    number = own_number(owner)
    cart = cart_with(world, profile=owner)
    contract_line(cart, number=number)
    return place(checkout_of(cart), profile=owner)[0]


def order_with_points(world):
    owner = profile()
    member = joined(own_number(owner), points=1000)
    checkout = checkout_of(cart_with(world, "CASE-BLACK", profile=owner))
    checkout.choose_points(PointsChoice(owner, checkout.cart.lines(NOW), NOW), member.id, 100)
    return place(checkout, profile=owner)[0]


@pytest.mark.rule("DLV-3")
def test_a_besnik_24_device_goes_to_the_numbers_holder_or_somebody_with_an_authorisation(world):
    order = contract_order(world)
    assert (order.signer, order.full_name, order.state) == ("Arben Osmani", RECEIVER, "confirmed")
    order = with_courier(order)
    # Who ordered and who was named for delivery do not count: the holder alone signs.
    with pytest.raises(NoAuthorisation):
        deliver(order, 1, RECEIVER, "id_card", by=WAREHOUSE, now=later(60))
    assert Order.get_by_id(order.id).state == "with_courier"
    deliver(order, 1, RECEIVER, "id_card", authorised=True, by=WAREHOUSE, now=later(61))
    assert DeliveryAttempt.get().authorised


@pytest.mark.rule("DLV-3")
@pytest.mark.parametrize("name", ["Arben Osmani", "OSMANI Arben", "Арбен Османи", "arben  osmani"])
def test_the_holder_is_known_however_the_name_is_written(world, name):
    order = with_courier(contract_order(world))
    attempt = deliver(order, 1, name, "id_card", by=WAREHOUSE, now=later(60))
    assert not attempt.authorised


@pytest.mark.rule("DLV-3")
def test_another_order_goes_to_the_person_named_for_delivery(world):
    checkout = checkout_of(cart_with(world, "CASE-BLACK"), recipient="Besa Krasniqi")
    order, _ = place(checkout)
    order.move("confirmed", by="bank", now=NOW)
    order = with_courier(order)
    with pytest.raises(NoAuthorisation):
        deliver(order, 1, RECEIVER, "id_card", by=WAREHOUSE, now=later(60))
    assert not deliver(order, 1, "Besa Krasniqi", "id_card", by=WAREHOUSE, now=later(61)).authorised


# The way back


@pytest.mark.rule("DLV-5")
def test_without_a_new_time_the_order_returns_after_the_second_working_day_once(world):
    order = failed(confirmed(world))
    last = at(date(2026, 3, 12), 23, 59)
    assert return_all_due(last) == 0
    for _ in range(2):
        return_all_due(at(date(2026, 3, 13), 0, 5))
    order = Order.get_by_id(order.id)
    assert order.state == "returned"
    assert (order.history()[-1].author, order.history()[-1].why) == ("system", "no_new_time")
    assert [row.order_id for row in StockReturn.awaited()] == [order.id]
    assert Refund.select().count() == 1
    assert len(told("returned")) == 1
    # Into stock they come when they are there.
    assert world.stock("CASE-BLACK") == 39


@pytest.mark.rule("DLV-5")
def test_after_days_off_the_worker_makes_up_for_all_in_batches(world):
    orders = [failed(confirmed(world)) for _ in range(5)]
    much_later = at(date(2026, 4, 20), 12)
    assert [return_all_due(much_later, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert {Order.get_by_id(order.id).state for order in orders} == {"returned"}


@pytest.mark.rule("DLV-5")
def test_an_order_that_cannot_return_keeps_no_other_from_it(world):
    broken, fine = failed(confirmed(world)), failed(confirmed(world))
    # Points that no row tells of cannot be given back.
    Order.update(points=100, points_worth=100).where(Order.id == broken.id).execute()
    for returned in (1, 0):
        assert return_all_due(at(date(2026, 3, 20), 12)) == returned
    assert [Order.get_by_id(order.id).state for order in (broken, fine)] == ["delivery_failed", "returned"]
    assert [row.order_id for row in StockReturn.select()] == [fine.id]


@pytest.mark.rule("DLV-5")
def test_an_order_with_a_new_time_stays_and_stands_out_when_it_passes(world):
    order = failed(confirmed(world))
    slot = times(order, later(70))[1]
    arrange(order, slot, by=SHOPPER, now=later(70))
    during, after = at(slot.day, 14, 59), at(slot.day, 15)
    assert list(missed(during)) == []
    assert [row.order_id for row in missed(after)] == [order.id]
    assert return_all_due(at(date(2026, 3, 20), 12)) == 0
    order = failed(Order.get_by_id(order.id), now=after)
    assert list(missed(after)) == []
    # The second failure begins two working days of its own.
    assert deadline(order) == date(2026, 3, 13)


@pytest.mark.rule("DLV-5")
def test_one_that_was_cancelled_delivered_or_given_up_before_does_not_return(world):
    gone, up = failed(confirmed(world)), failed(confirmed(world))
    cancel(gone, by=AGENT, now=later(70))
    assert give_up(up, by=WAREHOUSE, now=later(70))
    assert not give_up(up, by=WAREHOUSE, now=later(71))
    assert return_all_due(at(date(2026, 3, 20), 12)) == 0
    assert Refund.select().count() == 2
    with pytest.raises(NotAllowed):
        give_up(gone, by=WAREHOUSE, now=later(72))


@pytest.mark.rule("DSK-2")
def test_returned_points_and_money_go_back_and_the_billing_system_is_told(world):
    order = order_with_points(world)
    order.move("confirmed", by="bank", now=NOW)
    failed(order)
    return_all_due(at(date(2026, 3, 13), 0, 5))
    assert order.relock().state == "returned"
    event = BssEvent.select().order_by(BssEvent.id.desc()).first()
    assert (event.kind, event.payload) == ("order_returned", {"order": order.number, "before": "delivery_failed"})


@pytest.mark.rule("PRV-1")
def test_the_billing_system_is_not_told_who_received_it(world):
    order = with_courier(confirmed(world))
    deliver(order, 1, RECEIVER, "id_card", by=WAREHOUSE, now=later(60))
    event = BssEvent.select().order_by(BssEvent.id.desc()).first()
    assert (event.kind, event.payload) == ("order_delivered", {"order": order.number, "before": "with_courier"})


def test_the_database_keeps_one_attempt_per_number_and_one_time_for_each(world):
    order = failed(confirmed(world))
    facts = {"order": order, "number": 1, "at": NOW, "outcome": "failed", "reason": "not_home", "role": "admin"}
    with pytest.raises(IntegrityError):
        DeliveryAttempt.create(**facts, until=TUESDAY)
