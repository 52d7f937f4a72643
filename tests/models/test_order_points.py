"""Points beside a card payment: held when it is ordered, taken when it is paid, given back once (PAY-4, PAY-9)."""

from datetime import date, timedelta

import pytest

from gateways.bank import Verdict
from models.base import db
from models.bss_event import BssEvent
from models.cart import Cart
from models.catalogue import Variant
from models.checkout import Checkout, Incomplete, PointsChanged
from models.club_ledger import ClubEntry, audit, block, debit, lapsing, usable_points
from models.club_member import ClubMember
from models.club_rate import Rate
from models.number import Number, ProfileNumber
from models.order import NotAllowed, Order
from models.order_points import OrderPoints
from models.outbox import Mail
from models.payment import Payment, Refund
from models.points_choice import PointsChoice
from models.subscriber import Holder
from tests.club import give, joined, joined_fixed
from tests.world import (
    NOW,
    build,
    cart_with,
    checkout_of,
    contract_line,
    later,
    move,
    own_number,
    place,
    profile,
)

TABLET, CASE, SIM = "TAB-GREY-64", "CASE-BLACK", "SIM-PREPAID"
JUNE_26 = date(2026, 6, 30)


@pytest.fixture
def world():
    return build()


@pytest.fixture
def owner():
    return profile()


@pytest.fixture
def number(owner):
    return own_number(owner)


@pytest.fixture
def member(number):
    return joined(number, points=1000)


def choose(checkout: Checkout, member: ClubMember, points: int, owner, now=NOW) -> None:
    checkout.choose_points(PointsChoice(owner, checkout.cart.lines(now), now), member.id, points)


def checkout_with(world, member, points, owner, *skus, now=NOW) -> Checkout:
    checkout = checkout_of(cart_with(world, *(skus or (TABLET,)), now=now, profile=owner), now)
    choose(checkout, member, points, owner, now)
    return checkout


def ordered_with(world, member, points, owner, *skus, now=NOW) -> tuple[Order, Payment]:
    return place(checkout_with(world, member, points, owner, *skus, now=now), now, profile=owner)


def points_of(member, now=NOW) -> int:
    return usable_points(ClubMember.get_by_id(member.id), now)


def entries(member) -> list[tuple[str, int]]:
    mine = ClubEntry.select().where(ClubEntry.member == member).order_by(ClubEntry.id)
    return [(entry.kind, entry.points) for entry in mine]


def state(order) -> str:
    return OrderPoints.get(OrderPoints.order == order).state


def end(order, step: str, now) -> None:
    with db.atomic():
        order = order.relock()
        order.give_back_stock()
        move(order, step, now)


@pytest.fixture(autouse=True)
def adds_up(rolled_back):
    """After each of these tests the whole ledger adds up (CLB-16)."""
    yield
    assert list(audit()) == []


# How many


@pytest.mark.rule("PAY-4")
@pytest.mark.parametrize(
    ("skus", "most"),
    [
        ([TABLET], (1_199_000 - 6_000) // 50),
        ([CASE], (99_000 - 6_000) // 50),
        # PAY-1: a prepaid SIM is paid by card, and is enough of what must remain for it.
        ([CASE, SIM], 99_000 // 50),
        ([SIM], 0),
    ],
)
def test_a_cart_takes_points_for_what_may_be_paid_so_and_leaves_60_den_for_the_card(world, owner, number, skus, most):
    member = joined(number, points=100_000)
    cart = cart_with(world, *skus, profile=owner)
    choice = PointsChoice(owner, cart.lines(NOW), NOW)
    assert choice.takes == most == choice.of(member.id).most
    if most:
        order, payment = ordered_with(world, member, most, owner, *skus)
        assert payment.amount == order.due_now == order.total - most * 50 >= 6_000
        assert payment.amount % 100 == 0


@pytest.mark.rule("PAY-4", "PAY-3")
def test_a_contract_takes_points_for_what_the_card_is_charged_and_none_for_the_bill(world, owner, number, member):
    cart = cart_with(world, TABLET, profile=owner)
    contract_line(cart, number=number)
    assert PointsChoice(owner, cart.lines(NOW), NOW).takes == (1_199_000 - 6_000) // 50
    checkout = checkout_of(cart)
    choose(checkout, member, 1000, owner)

    order, payment = place(checkout, profile=owner)

    assert (order.total, order.due_now, payment.amount) == (1_199_000 + 2_592_000, 1_149_000, 1_149_000)
    assert (order.points, order.points_worth) == (1000, 50_000)


@pytest.mark.rule("PAY-4")
@pytest.mark.parametrize(
    ("points", "why", "limit"),
    [(1002, "too_few", 1000), (999, "step", 2), (-2, "too_many", 23860), (0, None, 0)],
)
def test_points_that_are_not_there_or_leave_a_fraction_cannot_be_chosen(world, owner, member, points, why, limit):
    checkout = checkout_of(cart_with(world, TABLET, profile=owner))
    if why is None:
        choose(checkout, member, points, owner)
    else:
        with pytest.raises(PointsChanged) as refused:
            choose(checkout, member, points, owner)
        assert (refused.value.why, refused.value.limit) == (why, limit)
    assert Checkout.get_by_id(checkout.id).points == 0


@pytest.mark.rule("PAY-4")
def test_points_of_somebody_elses_number_cannot_be_chosen(world, owner, member):
    other = profile("other@example.com")
    strangers = joined(own_number(other, "38970100055"), points=500)
    checkout = checkout_of(cart_with(world, TABLET, profile=owner))
    with pytest.raises(PointsChanged) as refused:
        choose(checkout, strangers, 100, owner)
    assert refused.value.why == "not_yours"


@pytest.mark.rule("PAY-4")
def test_of_several_memberships_one_pays(world, owner, number, member):
    fixed = joined_fixed(number.subscriber, points=500)
    choice = PointsChoice(owner, cart_with(world, TABLET, profile=owner).lines(NOW), NOW)
    assert [(one.id, one.most) for one in choice.members] == [(member.id, 1000), (fixed.id, 500)]
    assert choice.first.id == member.id

    ordered_with(world, fixed, 300, owner)

    assert (points_of(member), points_of(fixed)) == (1000, 200)


# Placing


@pytest.mark.rule("PAY-4", "DLV-3")
def test_an_order_with_points_holds_them_and_charges_the_card_the_rest(world, owner, member):
    order, payment = ordered_with(world, member, 600, owner)

    assert (order.points, order.points_worth, order.due_now) == (600, 30_000, 1_199_000 - 30_000)
    assert payment.amount == 1_169_000
    assert points_of(member) == 400
    assert entries(member)[-1] == ("order", -600)
    assert state(order) == "held"
    # DLV-3: the number's holder alone.
    assert order.signer == order.receiver == "Arben Osmani"
    # The next order begins without.
    checkout = Checkout.get()
    assert (checkout.points, checkout.points_of_id, checkout.points_worth) == (0, None, 0)


@pytest.mark.rule("PAY-4", "CHK-4")
def test_placing_twice_holds_the_points_once(world, owner, member):
    checkout = checkout_with(world, member, 600, owner)
    seen = checkout.digest(checkout.cart.lines(NOW))
    first, _ = place(checkout, profile=owner, seen=seen)
    again, _ = place(checkout, profile=owner, seen=seen)
    assert first == again
    assert points_of(member) == 400


@pytest.mark.rule("PAY-4")
def test_points_that_another_session_spent_are_told_and_nothing_is_ordered(world, owner, member):
    checkout = checkout_with(world, member, 600, owner)
    with db.atomic():
        debit(ClubMember.hold(member.id, NOW), 500, "units", NOW, key="elsewhere", about={})
    with pytest.raises(PointsChanged) as refused:
        place(checkout, profile=owner)
    assert (refused.value.why, refused.value.limit) == ("too_few", 500)
    assert Order.select().count() == 0
    assert world.stock(TABLET) == 6
    assert points_of(member) == 500
    # What was chosen and typed is there yet.
    kept = Checkout.get()
    assert (kept.points, kept.points_of_id, kept.has_data) == (600, member.id, True)


@pytest.mark.rule("PAY-4", "CLB-7")
def test_points_that_were_blocked_meanwhile_cannot_be_used(world, owner, member):
    checkout = checkout_with(world, member, 600, owner)
    with db.atomic():
        block(ClubMember.hold(member.id, NOW), NOW, ["2026-01", "2026-02"])
    with pytest.raises(PointsChanged) as refused:
        place(checkout, profile=owner)
    assert refused.value.why == "blocked"
    assert Order.select().count() == 0


@pytest.mark.rule("PAY-4", "CLB-5")
def test_points_that_lapsed_since_they_were_chosen_cannot_be_used(world, owner, number):
    member = joined(number)
    give(member, 600, until=NOW.date())
    checkout = checkout_with(world, member, 600, owner)
    tomorrow = later(days=1)
    with pytest.raises(PointsChanged):
        place(checkout, tomorrow, profile=owner)
    # The club took note of it.
    assert entries(member)[-1] == ("lapsed", -600)


@pytest.mark.rule("PAY-4", "CLB-14")
def test_points_that_were_lost_to_a_change_of_tariff_cannot_be_used(world, owner, member):
    checkout = checkout_with(world, member, 600, owner)
    Holder.update(segment="business", company="Firma dooel").execute()
    with pytest.raises(PointsChanged) as refused:
        place(checkout, profile=owner)
    assert (refused.value.why, refused.value.limit) == ("too_few", 0)
    assert entries(member)[-1] == ("lost", -1000)


@pytest.mark.rule("PAY-4")
@pytest.mark.parametrize("gone", ["number", "holder", "guest"])
def test_points_that_are_not_the_shoppers_any_more_are_not_used(world, owner, member, gone):
    checkout = checkout_with(world, member, 600, owner)
    if gone == "number":
        ProfileNumber.delete().execute()
    elif gone == "holder":
        somebody = Holder.create(id_number="0202990450007", segment="private", first_name="Demo", last_name="Other")
        type(member.number.subscriber).update(holder=somebody).execute()
    with pytest.raises(PointsChanged):
        place(checkout, profile=None if gone == "guest" else owner)
    assert Order.select().count() == 0


@pytest.mark.rule("PAY-4")
def test_a_cart_that_shrank_under_its_points_is_not_ordered(world, owner, member):
    checkout = checkout_with(world, member, 1000, owner, CASE, TABLET)
    Variant.update(price=40_000).where(Variant.sku == TABLET).execute()
    cart = Cart.get()
    cart.remove(next(line.id for line in cart.lines(NOW) if line.variant.sku == CASE))
    with pytest.raises(PointsChanged) as refused:
        place(checkout, profile=owner)
    assert (refused.value.why, refused.value.limit) == ("too_many", (40_000 - 6_000) // 50)


@pytest.mark.rule("PAY-4", "CLB-17")
def test_a_rate_that_counts_from_today_on_is_told_before_the_order_is_placed(world, owner, member):
    checkout = checkout_with(world, member, 600, owner)
    Rate.change("point", "", 100, (NOW + timedelta(days=1)).date(), NOW.date())
    with pytest.raises(PointsChanged) as refused:
        place(checkout, later(days=1), profile=owner)
    assert refused.value.why == "worth"


@pytest.mark.rule("CAT-5", "PAY-4")
def test_points_that_another_tab_chose_after_the_overview_are_shown_first(world, owner, member):
    from models.checkout import OfferChanged

    checkout = checkout_of(cart_with(world, TABLET, profile=owner))
    seen = checkout.digest(checkout.cart.lines(NOW))
    choose(checkout, member, 600, owner)
    with pytest.raises(OfferChanged):
        place(checkout, profile=owner, seen=seen)
    assert points_of(member) == 1000


@pytest.mark.rule("PAY-4")
def test_points_never_follow_a_cart_to_another_profile(world, owner, member):
    checkout = checkout_with(world, member, 600, owner)
    # As after the erasure of the profile: the cart has no owner, and a browser may hold it yet.
    Cart.update(profile=None).execute()
    other = profile("other@example.com")

    cart = Cart.get().join(other, NOW)

    kept = Checkout.get(Checkout.cart == cart)
    assert (kept.points, kept.points_of_id, kept.points_worth) == (0, None, 0)
    assert kept.first_name == checkout.first_name


@pytest.mark.rule("PAY-4")
def test_points_never_follow_what_was_typed_into_another_cart(world, owner, member):
    other = profile("other@example.com")
    theirs = cart_with(world, CASE, profile=other)
    checkout_with(world, member, 600, owner)
    Cart.update(profile=None).where(Cart.id != theirs.id).execute()

    cart = Cart.get(Cart.id != theirs.id).join(other, NOW)

    assert cart == theirs
    assert Checkout.get(Checkout.cart == cart).points == 0


# The holder


@pytest.mark.rule("DLV-3")
def test_with_a_contract_and_points_both_holders_are_named_once_each(world, owner, number):
    other = own_number(owner, "38970100002")
    Holder.update(first_name="Blerta").where(Holder.id == other.holder.id).execute()
    mine, theirs = joined(number, points=200), joined(Number.get_by_id(other.id), points=200)
    names = []
    for member in (mine, theirs):
        cart = cart_with(world, CASE, profile=owner)
        contract_line(cart, payment="card", number=number)
        checkout = checkout_of(cart)
        choose(checkout, member, 100, owner)
        order, _ = place(checkout, profile=owner)
        names.append(order.receiver)
        end(order, "cancelled", later(1))
    assert names == ["Arben Osmani", "Arben Osmani, Blerta Osmani"]


# Paying


@pytest.mark.rule("PAY-4", "PAY-6")
def test_paid_points_are_spent_however_often_the_bank_says_so(world, owner, member):
    order, payment = ordered_with(world, member, 600, owner)
    for minutes in (1, 2):
        assert payment.settle(Verdict.PAID, later(minutes)) == "paid"
    assert (state(order), points_of(member)) == ("taken", 400)
    told = BssEvent.get(BssEvent.kind == "order_confirmed").payload
    assert (told["points"], told["points_of"]) == (600, "38970100001")
    assert (told["total"], told["paid_by_points"], told["paid_by_card"]) == ("11990.00", "300.00", "11690.00")
    # Who alone may receive it signs no contract here.
    assert (told["delivery"]["receiver"], told["signer"]) == ("Arben Osmani", None)


@pytest.mark.rule("PAY-4", "PAY-8")
def test_a_declined_card_leaves_the_points_held_while_the_order_can_be_paid(world, owner, member):
    order, payment = ordered_with(world, member, 600, owner)
    payment.settle(Verdict.DECLINED, later(1))
    assert (state(order), points_of(member)) == ("held", 400)
    again = Payment.retry(order, later(2))
    assert again.amount == order.due_now
    again.settle(Verdict.PAID, later(3))
    assert (state(order), points_of(member)) == ("taken", 400)


# What comes back


@pytest.mark.rule("PAY-8", "PAY-9")
def test_an_order_that_lapses_gives_its_points_back_to_their_lots_once(world, owner, number):
    member = joined(number)
    give(member, 100, until=JUNE_26)
    give(member, 500)
    before = lapsing(member, NOW)
    order, _ = ordered_with(world, member, 200, owner)

    order.lapse(later(31))

    assert lapsing(member, later(31)) == before
    assert (state(order), entries(member)[-2:]) == ("returned", [("order", -200), ("returned", 200)])
    with pytest.raises(NotAllowed):
        order.lapse(later(32))
    with db.atomic():
        assert OrderPoints.give_back(order, later(33)) is False
    assert points_of(member, later(33)) == 600


@pytest.mark.rule("PAY-9")
@pytest.mark.parametrize("paid", [False, True])
def test_a_cancelled_order_gives_its_points_back_once(world, owner, member, paid):
    order, payment = ordered_with(world, member, 600, owner)
    if paid:
        payment.settle(Verdict.PAID, later(1))
    end(order, "cancelled", later(2))
    assert (state(order), points_of(member)) == ("returned", 1000)
    with pytest.raises(NotAllowed):
        end(order, "cancelled", later(3))
    assert points_of(member) == 1000


@pytest.mark.rule("PAY-9")
def test_an_order_that_came_back_from_the_courier_gives_its_points_back(world, owner, member):
    order, payment = ordered_with(world, member, 600, owner)
    payment.settle(Verdict.PAID, later(1))
    order = Order.get_by_id(order.id)
    for step in ("packed", "with_courier", "delivery_failed", "returned"):
        assert points_of(member) == 400
        order.move(step, by="admin", now=later(2))
    assert points_of(member) == 1000


@pytest.mark.rule("PAY-9")
def test_a_delivered_order_keeps_its_points(world, owner, member):
    order, payment = ordered_with(world, member, 600, owner)
    payment.settle(Verdict.PAID, later(1))
    order = Order.get_by_id(order.id)
    for step in ("packed", "with_courier", "delivered"):
        order.move(step, by="admin", now=later(2))
    assert (state(order), points_of(member)) == ("taken", 400)


@pytest.mark.rule("PAY-9")
def test_points_whose_last_day_passed_meanwhile_come_back_for_thirty_days(world, owner, number):
    member = joined(number)
    give(member, 100, until=NOW.date() + timedelta(days=3))
    give(member, 500)
    order, payment = ordered_with(world, member, 300, owner)
    payment.settle(Verdict.PAID, later(1))

    end(order, "cancelled", cancelled := later(days=10))

    assert lapsing(member, cancelled)[0] == ((NOW + timedelta(days=40)).date(), 100)
    assert points_of(member, later(days=40)) == 600
    assert points_of(member, later(days=41)) == 500


@pytest.mark.rule("PAY-8", "PAY-9", "CLB-5")
@pytest.mark.parametrize("step", ["lapsed", "cancelled"])
def test_an_order_that_nobody_paid_makes_no_points_live_longer(world, owner, number, step):
    member = joined(number)
    last = NOW.date() + timedelta(days=3)
    give(member, 100, until=last)
    give(member, 500)
    order, _ = ordered_with(world, member, 300, owner)

    end(order, step, over := later(days=10))

    # 200 of the 300 were of the lot that is good yet.
    assert lapsing(member, over) == [((NOW + timedelta(days=90)).date(), 500)]
    assert (state(order), points_of(member, over)) == ("returned", 500)
    assert entries(member)[-3:] == [("order", -300), ("returned", 300), ("lapsed", -100)]
    told = ClubEntry.select().order_by(ClubEntry.id.desc()).get()
    assert (told.about, told.balance) == ({"until": last.isoformat()}, 500)
    with db.atomic():
        ClubMember.hold(member.id, later(days=11))
    assert entries(member)[-1] == ("lapsed", -100)


@pytest.mark.rule("PAY-9", "CLB-5")
def test_unpaid_points_whose_lot_lapsed_by_a_faster_clock_come_back_with_its_last_day(world, owner, number):
    member = joined(number)
    last = NOW.date() + timedelta(days=3)
    give(member, 100, until=last)
    order, _ = ordered_with(world, member, 60, owner)
    with db.atomic():
        ClubMember.hold(member.id, later(days=4))

    end(order, "lapsed", later(days=3))

    assert lapsing(member, later(days=3)) == [(last, 60)]
    with db.atomic():
        ClubMember.hold(member.id, later(days=4))
    assert entries(member)[-4:] == [("order", -60), ("lapsed", -40), ("returned", 60), ("lapsed", -60)]


@pytest.mark.rule("PAY-9", "CLB-7")
def test_points_come_back_to_a_blocked_member_and_stay_blocked(world, owner, member):
    order, _ = ordered_with(world, member, 600, owner)
    with db.atomic():
        block(ClubMember.hold(member.id, NOW), NOW, ["2026-01", "2026-02"])
    order.lapse(later(31))
    held = ClubMember.get_by_id(member.id)
    assert (held.balance, usable_points(held, later(31)), state(order)) == (1000, 0, "returned")


@pytest.mark.rule("PAY-9", "CLB-14")
@pytest.mark.parametrize("points", [600, 1000])
def test_points_of_an_order_do_not_come_back_after_a_change_to_a_business_tariff(world, owner, member, points):
    order, _ = ordered_with(world, member, points, owner)
    Holder.update(segment="business", company="Firma dooel").execute()
    ClubMember.follow_all_services(later(1))

    order.lapse(later(31))

    assert ClubMember.get_by_id(member.id).balance == 0
    assert state(order) == "lost"
    assert Order.get_by_id(order.id).state == "lapsed"


@pytest.mark.rule("PAY-9", "CLB-14")
def test_points_of_an_order_do_not_come_back_to_somebody_elses_number(world, owner, member):
    order, _ = ordered_with(world, member, 600, owner)
    somebody = Holder.create(id_number="0202990450007", segment="private", first_name="Demo", last_name="Other")
    type(member.number.subscriber).update(holder=somebody).execute()

    order.lapse(later(31))

    kept = ClubMember.get_by_id(member.id)
    assert kept.ended_at is not None
    assert (kept.balance, state(order), Order.get_by_id(order.id).state) == (0, "lost", "lapsed")


# Money that comes when the order has lapsed


@pytest.mark.rule("PAY-8", "PAY-4")
def test_late_money_takes_the_points_again_and_the_order_comes_back(world, owner, member):
    order, payment = ordered_with(world, member, 600, owner)
    order.lapse(later(31))
    assert payment.settle(Verdict.PAID, later(40)) == "paid"
    assert (Order.get_by_id(order.id).state, state(order), points_of(member)) == ("confirmed", "taken", 400)
    assert entries(member)[-3:] == [("order", -600), ("returned", 600), ("order", -600)]
    # And they come back from there, too.
    end(order, "cancelled", later(50))
    assert (state(order), points_of(member)) == ("returned", 1000)


@pytest.mark.rule("PAY-8", "PAY-9")
@pytest.mark.parametrize("why", ["spent", "blocked", "business", "another holder"])
def test_late_money_goes_back_when_the_points_are_not_there_any_more(world, owner, member, why):
    order, payment = ordered_with(world, member, 600, owner)
    order.lapse(later(31))
    with db.atomic():
        held = ClubMember.hold(member.id, later(32))
        if why == "spent":
            debit(held, 500, "units", later(32), key="elsewhere", about={})
        elif why == "blocked":
            block(held, later(32), ["2026-01", "2026-02"])
    if why == "business":
        Holder.update(segment="business", company="Firma dooel").execute()
    elif why == "another holder":
        somebody = Holder.create(id_number="0202990450007", segment="private", first_name="Demo", last_name="Other")
        type(member.number.subscriber).update(holder=somebody).execute()

    assert payment.settle(Verdict.PAID, later(40)) == "surplus"

    assert Order.get_by_id(order.id).state == "lapsed"
    assert [refund.amount for refund in Refund.select()] == [payment.amount]
    # Nothing of the order was taken again.
    assert (world.stock(TABLET), state(order)) == (6, "returned")
    assert Mail.select().where(Mail.kind == "payment_returned").count() == 1


@pytest.mark.rule("PAY-4")
def test_without_points_no_order_has_a_row_of_them(world, owner, member):
    order, _ = place(checkout_of(cart_with(world, TABLET, profile=owner)), profile=owner)
    assert (order.points, order.signer) == (0, "")
    assert OrderPoints.of(order) is None
    end(order, "cancelled", later(1))
    assert points_of(member) == 1000


@pytest.mark.rule("PAY-1", "PAY-4")
def test_nothing_is_ordered_with_points_alone(world, owner, number):
    member = joined(number, points=100_000)
    checkout = checkout_of(cart_with(world, CASE, profile=owner))
    with pytest.raises(PointsChanged):
        choose(checkout, member, 99_000 // 50, owner)
    checkout.payment_way = ""
    checkout.save()
    with pytest.raises(Incomplete):
        place(checkout, profile=owner)
