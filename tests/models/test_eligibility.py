"""Who may order on contract or on the bill (ELG-1…6), on bare facts."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.eligibility import (
    Contract,
    DebtPayment,
    Invoice,
    OpenOrder,
    Standing,
    Wanted,
    check,
    is_overdue,
    months_after,
    start_of,
    ways_left,
)
from models.instalments import split
from models.payment_ways import CARD, FIRST_BILL, INSTALMENTS, POINTS, ways

NOW = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)
TODAY = NOW.date()
ONE, OTHER = "38970100005", "38970100006"
OLD = Standing(subscriber_since=date(2021, 3, 1))
BESNIK = Wanted("besnik24", ONE)

INVOICE = Invoice("C-1", "2026-02-77", 189_900, date(2026, 2, 25))
HALF_PAID = Contract(OTHER, date(2027, 3, 1), total=2_400_000, paid=1_200_000, instalments=24)
OWN = Contract(ONE, date(2026, 9, 30))


def kinds(standing, wanted=BESNIK, now=NOW):
    return [(reason.rule, reason.kind) for reason in check(standing, wanted, now)]


def only(standing, wanted=BESNIK, now=NOW):
    (reason,) = check(standing, wanted, now)
    return reason


def utc(*numbers):
    return datetime(*numbers, tzinfo=UTC)


@pytest.mark.rule("ELG-1", "ELG-2", "ELG-3", "ELG-4", "ELG-5")
def test_a_subscriber_of_years_without_debt_may_order_everything():
    for payment in (None, CARD, POINTS, FIRST_BILL, INSTALMENTS):
        assert check(OLD, replace(BESNIK, payment=payment), NOW) == []
        assert check(OLD, Wanted("new_number", None, payment), NOW) == []


@pytest.mark.rule("ELG-1", "ELG-2", "ELG-3", "ELG-4", "ELG-5")
def test_all_reasons_are_told_together_in_the_order_of_the_rules():
    standing = Standing(
        subscriber_since=TODAY - timedelta(days=30),
        unpaid=(INVOICE,),
        debt_payments=(DebtPayment(NOW - timedelta(hours=2), online=False),),
        contracts=(HALF_PAID, OWN),
        open_orders=(OpenOrder(ONE, "DY-7K3M-9QPX-7"),),
        in_cart=frozenset({ONE}),
    )

    assert kinds(standing) == [
        ("ELG-1", "debt"),
        ("ELG-2", "debt_just_paid"),
        ("ELG-3", "instalments_running"),
        ("ELG-4", "new_subscriber"),
        ("ELG-5", "contract_running"),
        ("ELG-5", "in_open_order"),
        ("ELG-5", "in_cart"),
    ]


PARTS_OF_STANDING = {
    "ELG-1": {"unpaid": (INVOICE,)},
    "ELG-2": {"debt_payments": (DebtPayment(NOW, online=True),)},
    "ELG-3": {"contracts": (HALF_PAID,)},
    "ELG-4": {"subscriber_since": TODAY},
    "ELG-5": {"in_cart": frozenset({ONE})},
}


@pytest.mark.rule("ELG-1", "ELG-2", "ELG-3", "ELG-4", "ELG-5")
@pytest.mark.parametrize("chosen", list(product([False, True], repeat=5)))
def test_each_rule_speaks_for_itself_whatever_the_others_say(chosen):
    told = [rule for rule, is_chosen in zip(PARTS_OF_STANDING, chosen, strict=True) if is_chosen]
    standing = replace(OLD, **{name: value for rule in told for name, value in PARTS_OF_STANDING[rule].items()})

    assert [rule for rule, _ in kinds(standing)] == told


@pytest.mark.rule("ELG-6")
@given(st.sets(st.sampled_from(sorted(PARTS_OF_STANDING))))
def test_private_and_business_subscribers_may_order_alike(rules):
    parts = {name: value for rule in rules for name, value in PARTS_OF_STANDING[rule].items()}
    private = replace(OLD, segment="private", **parts)

    assert check(private, BESNIK, NOW) == check(replace(private, segment="business"), BESNIK, NOW)


EVERYTHING_AGAINST = replace(
    OLD, **{name: value for parts in PARTS_OF_STANDING.values() for name, value in parts.items()}
)


@pytest.mark.rule("ELG-1", "ELG-2", "ELG-3", "ELG-4", "ELG-5")
@pytest.mark.parametrize("bought", ["device_only", "accessory", "prepaid_sim"])
@pytest.mark.parametrize("payment", [None, CARD, POINTS])
def test_what_has_no_contract_and_no_bill_is_sold_to_anyone(bought, payment):
    assert check(EVERYTHING_AGAINST, Wanted(bought, None, payment), NOW) == []


@pytest.mark.rule("ELG-1", "ELG-2", "ELG-4")
@pytest.mark.parametrize("payment", [CARD, POINTS])
def test_a_contract_order_is_checked_also_when_it_is_paid_by_card(payment):
    checked = ["ELG-1", "ELG-2", "ELG-4"]

    assert [rule for rule, _ in kinds(EVERYTHING_AGAINST, Wanted("new_number", None, payment))] == checked
    assert [rule for rule, _ in kinds(EVERYTHING_AGAINST, Wanted("besnik24", ONE, payment))] == [*checked, "ELG-5"]


def test_a_besnik_24_device_without_a_number_cannot_be_asked_for():
    with pytest.raises(ValueError, match="for a number"):
        Wanted("besnik24")


# Debt


@pytest.mark.rule("ELG-1")
def test_debt_tells_the_overdue_invoices_of_all_codes_oldest_first_and_their_sum():
    newer = Invoice("C-2", "2026-03-01", 50_000, date(2026, 3, 1))
    reason = only(replace(OLD, unpaid=(newer, INVOICE)))

    assert reason.invoices == (INVOICE, newer)
    assert reason.amount == 239_900
    assert reason.blocks_order
    assert reason.possible_from is None


@pytest.mark.rule("ELG-1")
def test_an_invoice_is_debt_from_the_day_after_it_is_due_in_skopje():
    """The day ends at 23:00 in UTC in winter, at 22:00 in summer."""
    assert not is_overdue(date(2026, 3, 10), utc(2026, 3, 10, 22, 59, 59))
    assert is_overdue(date(2026, 3, 10), utc(2026, 3, 10, 23, 0))
    assert not is_overdue(date(2026, 7, 10), utc(2026, 7, 10, 21, 59, 59))
    assert is_overdue(date(2026, 7, 10), utc(2026, 7, 10, 22, 0))


@pytest.mark.rule("ELG-1")
def test_an_invoice_that_is_not_due_yet_is_no_debt_and_is_not_listed_with_one():
    fresh = Invoice("C-1", "2026-03-77", 99_900, date(2026, 3, 25))

    assert kinds(replace(OLD, unpaid=(fresh,))) == []
    assert only(replace(OLD, unpaid=(fresh, INVOICE))).invoices == (INVOICE,)


# Debt paid a short time ago


@pytest.mark.rule("ELG-2")
@pytest.mark.parametrize(("online", "hours"), [(False, 24), (True, 3)])
def test_after_a_debt_was_paid_one_waits_a_day_and_online_three_hours(online, hours):
    payment = DebtPayment(NOW, online)
    standing = replace(OLD, debt_payments=(payment,))
    clear = NOW + timedelta(hours=hours)

    for moment in (NOW, clear - timedelta(microseconds=1)):
        reason = only(standing, now=moment)
        assert (reason.kind, reason.payment, reason.possible_from) == ("debt_just_paid", payment, clear)
        assert reason.blocks_order
    assert kinds(standing, now=clear) == []


@pytest.mark.rule("ELG-2")
def test_a_debt_paid_in_a_shop_is_not_forgotten_because_another_was_paid_online_since():
    in_shop = DebtPayment(NOW - timedelta(hours=2), online=False)
    online = DebtPayment(NOW - timedelta(hours=1), online=True)

    assert only(replace(OLD, debt_payments=(in_shop, online))).payment == in_shop


@pytest.mark.rule("ELG-2")
@pytest.mark.parametrize("night", [utc(2026, 3, 28, 12, 0), utc(2026, 10, 24, 12, 0)])
def test_a_day_has_24_hours_also_when_the_clocks_change(night):
    reason = only(replace(OLD, debt_payments=(DebtPayment(night, online=False),)), now=night)

    assert reason.possible_from == night + timedelta(hours=24)


# Instalments on another number


@pytest.mark.rule("ELG-3")
@pytest.mark.parametrize("payment", [None, INSTALMENTS, FIRST_BILL])
def test_instalments_of_another_number_leave_only_the_card(payment):
    reason = only(replace(OLD, contracts=(HALF_PAID,)), replace(BESNIK, payment=payment))

    assert (reason.kind, reason.contract) == ("instalments_running", HALF_PAID)
    assert not reason.blocks_order
    assert ways_left(ways("besnik24", True, True), [reason]) == (CARD, POINTS)


@pytest.mark.rule("ELG-3")
@pytest.mark.parametrize("payment", [CARD, POINTS])
def test_one_off_by_card_in_the_chosen_tariff_stays_possible(payment):
    assert kinds(replace(OLD, contracts=(HALF_PAID,)), replace(BESNIK, payment=payment)) == []


@pytest.mark.rule("ELG-3")
def test_no_way_is_left_when_another_reason_blocks_the_order():
    reasons = check(replace(OLD, contracts=(HALF_PAID,), unpaid=(INVOICE,)), BESNIK, NOW)

    assert ways_left(ways("besnik24", True, True), reasons) == ()
    assert ways_left((CARD,), []) == (CARD,)


@pytest.mark.rule("ELG-3")
@pytest.mark.parametrize(
    ("paid", "blocked"),
    [(0, True), (1_200_000, True), (1_799_999, True), (1_800_000, False), (1_920_000, False), (2_400_000, False)],
)
def test_three_quarters_of_the_instalments_are_enough(paid, blocked):
    standing = replace(OLD, contracts=(replace(HALF_PAID, paid=paid),))

    assert bool(kinds(standing)) == blocked


@pytest.mark.rule("ELG-3")
def test_it_is_told_how_much_is_paid_and_how_many_instalments_are_left():
    assert (HALF_PAID.paid_percent, HALF_PAID.instalments_left, HALF_PAID.amount_left) == (50, 6, 600_000)

    almost = replace(HALF_PAID, paid=1_799_999)
    assert (almost.paid_percent, almost.instalments_left, almost.amount_left) == (74, 1, 1)

    enough = replace(HALF_PAID, paid=1_800_000)
    assert (enough.paid_percent, enough.instalments_left, enough.amount_left) == (75, 0, 0)


@pytest.mark.rule("ELG-3")
@given(st.integers(1, 10**9), st.sampled_from([1, 6, 12, 24, 36]), st.data())
def test_the_instalments_that_are_left_are_just_as_many_as_it_takes(total, parts, data):
    amounts = split(total, parts)
    contract = Contract(OTHER, TODAY, total, sum(amounts[: data.draw(st.integers(0, parts))]), parts)
    done = amounts.index(0) if contract.paid == total and 0 in amounts else None
    if done is not None:
        assert contract.instalments_left == 0
        return
    count = next(n for n in range(parts + 1) if sum(amounts[:n]) == contract.paid)
    left = contract.instalments_left

    assert replace(contract, paid=sum(amounts[: count + left])).is_paid_enough
    assert left == 0 or not replace(contract, paid=sum(amounts[: count + left - 1])).is_paid_enough


@pytest.mark.rule("ELG-3")
@given(st.integers(1, 10**9), st.sampled_from([1, 6, 12, 24]), st.data())
def test_who_pays_what_is_left_has_paid_enough_and_one_minor_unit_less_is_not(total, parts, data):
    contract = Contract(OTHER, TODAY, total, data.draw(st.integers(0, total)), parts)
    left = contract.amount_left

    assert contract.is_paid_enough == (left == 0) == (contract.instalments_left == 0)
    assert replace(contract, paid=contract.paid + left).is_paid_enough
    assert left == 0 or not replace(contract, paid=contract.paid + left - 1).is_paid_enough


@pytest.mark.rule("ELG-3")
def test_a_device_paid_one_off_and_a_contract_that_is_over_are_no_instalments():
    one_off = Contract(OTHER, date(2027, 3, 1), total=2_400_000, paid=0, instalments=0)
    over = replace(HALF_PAID, ends_on=TODAY - timedelta(days=1))

    assert kinds(replace(OLD, contracts=(one_off, over))) == []


@pytest.mark.rule("ELG-3")
def test_each_number_with_instalments_is_told():
    third = replace(HALF_PAID, number="38970100001")
    reasons = check(replace(OLD, contracts=(HALF_PAID, third)), BESNIK, NOW)

    assert [reason.contract.number for reason in reasons] == ["38970100001", OTHER]


@pytest.mark.rule("ELG-3")
def test_for_a_new_number_every_number_of_the_holder_is_another():
    reason = only(replace(OLD, contracts=(HALF_PAID,)), Wanted("new_number", None, FIRST_BILL))

    assert ways_left(ways("new_number", True, True), [reason]) == (CARD, POINTS)


# Subscribers of a few months


@pytest.mark.rule("ELG-4")
def test_a_subscriber_of_three_months_is_told_from_when_on():
    reason = only(replace(OLD, subscriber_since=date(2025, 12, 10)))

    assert (reason.kind, reason.since) == ("new_subscriber", date(2025, 12, 10))
    assert reason.possible_from == utc(2026, 6, 9, 22, 0)
    assert reason.blocks_order


@pytest.mark.rule("ELG-4")
def test_a_subscriber_with_history_need_not_wait():
    assert kinds(replace(OLD, subscriber_since=TODAY, has_history=True)) == []


@pytest.mark.rule("ELG-4", "LOC-3")
@pytest.mark.parametrize(
    ("since", "possible_from"),
    [
        # Midnight in Skopje is 23:00 in UTC in winter and 22:00 in summer.
        (date(2025, 9, 10), utc(2026, 3, 9, 23, 0)),
        (date(2026, 1, 10), utc(2026, 7, 9, 22, 0)),
        # Months without such a day.
        (date(2025, 8, 31), utc(2026, 2, 27, 23, 0)),
        (date(2023, 8, 31), utc(2024, 2, 28, 23, 0)),
        (date(2023, 8, 29), utc(2024, 2, 28, 23, 0)),
        (date(2025, 12, 31), utc(2026, 6, 29, 22, 0)),
        (date(2026, 7, 1), utc(2026, 12, 31, 23, 0)),
        # On both nights when the clocks change, the day begins before they do.
        (date(2025, 9, 29), utc(2026, 3, 28, 23, 0)),
        (date(2026, 4, 25), utc(2026, 10, 24, 22, 0)),
    ],
)
def test_six_months_end_at_midnight_in_skopje(since, possible_from):
    standing = replace(OLD, subscriber_since=since)

    assert only(standing, now=possible_from - timedelta(microseconds=1)).possible_from == possible_from
    assert kinds(standing, now=possible_from) == []


@pytest.mark.rule("ELG-4")
@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(0, 120))
def test_so_many_months_later_is_that_month_and_no_later_day_of_it(day, months):
    later = months_after(day, months)

    assert (later.year - day.year) * 12 + later.month - day.month == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)


# One device per number


@pytest.mark.rule("ELG-5", "OFF-5")
def test_a_number_with_an_active_contract_is_free_on_the_day_after_it_ends():
    standing = replace(OLD, contracts=(OWN,))
    reason = only(standing)

    assert (reason.kind, reason.contract, reason.blocks_order) == ("contract_running", OWN, True)
    assert reason.possible_from == start_of(date(2026, 10, 1)) == utc(2026, 9, 30, 22, 0)
    assert kinds(standing, now=reason.possible_from - timedelta(microseconds=1)) == [("ELG-5", "contract_running")]
    assert kinds(standing, now=reason.possible_from) == []


@pytest.mark.rule("ELG-5", "OFF-5")
def test_a_number_in_an_open_order_or_in_the_cart_gets_no_second_device():
    standing = replace(OLD, open_orders=(OpenOrder(ONE, "DY-7K3M-9QPX-7"),), in_cart=frozenset({ONE}))
    in_order, in_cart = check(standing, BESNIK, NOW)

    assert (in_order.kind, in_order.order) == ("in_open_order", "DY-7K3M-9QPX-7")
    assert (in_cart.kind, in_cart.number) == ("in_cart", ONE)
    assert ways_left(ways("besnik24", True, True), [in_cart]) == ()


@pytest.mark.rule("ELG-5", "OFF-5")
def test_another_number_of_the_holder_and_a_new_one_stay_free():
    standing = replace(
        OLD, contracts=(OWN,), open_orders=(OpenOrder(ONE, "DY-7K3M-9QPX-7"),), in_cart=frozenset({ONE})
    )

    assert kinds(standing, Wanted("besnik24", OTHER)) == []
    assert kinds(standing, Wanted("new_number")) == []
