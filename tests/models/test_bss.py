"""The copy of the billing system's data: what is owed, since when, and what binds a number."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from peewee import IntegrityError

from models.base import db
from models.contract import Contract
from models.invoice import Invoice
from models.number import Number, ProfileNumber
from models.subscriber import Holder, Subscriber, months_between
from tests.query_count import assert_query_count
from tests.world import NOW, later, profile

TODAY = date(2026, 3, 10)


@pytest.fixture
def holder():
    return Holder.create(id_number="0101990450006", segment="private", first_name="Ana", last_name="Markovska")


def code(holder, name="S-1", since=TODAY - timedelta(days=900)):
    return Subscriber.create(holder=holder, code=name, since=since)


def number(subscriber, msisdn="38970100101", **more):
    return Number.create(msisdn=msisdn, subscriber=subscriber, sim_end="112233", kind="postpaid", **more)


def invoice(subscriber, name, due=-5, paid=None, through="shop", amount=189_900):
    """Due so many days from today; paid at a moment, or not."""
    due_on = TODAY + timedelta(days=due)
    return Invoice.create(
        subscriber=subscriber,
        number=name,
        issued_on=due_on - timedelta(days=15),
        due_on=due_on,
        amount=amount,
        paid_at=paid,
        paid_through=through if paid else "",
    )


def contract(of, name="K-1", ends=365, **more):
    values = {"price": 2_400_000, "paid": 1_200_000, "instalments": 24, "instalments_paid": 12, **more}
    ends_on = TODAY + timedelta(days=ends)
    return Contract.create(
        number=of, code=name, device="Galaxy S25", started_on=ends_on - timedelta(days=730), ends_on=ends_on, **values
    )


@pytest.mark.rule("ELG-1")
def test_a_holder_owes_what_is_unpaid_on_any_of_the_codes_and_debt_is_what_is_overdue(holder):
    first, second = code(holder), code(holder, "S-2")
    other = code(Holder.create(id_number="0202990450007", segment="private"), "S-3")
    invoice(first, "F-1", due=5)
    invoice(second, "F-2", due=-1)
    invoice(second, "F-3", due=-30, paid=later(-60))
    invoice(other, "F-4")
    with assert_query_count(1):
        assert [(one.number, one.subscriber.code) for one in holder.unpaid_invoices()] == [
            ("F-2", "S-2"),
            ("F-1", "S-1"),
        ]
    assert [one.number for one in holder.debts(NOW)] == ["F-2"]


@pytest.mark.rule("ELG-1")
def test_an_invoice_becomes_a_debt_when_the_day_it_is_due_on_is_over_in_skopje(holder):
    one = invoice(code(holder), "F-1", due=0)
    assert not one.is_debt(datetime(2026, 3, 10, 22, 59, tzinfo=UTC))
    assert one.is_debt(datetime(2026, 3, 10, 23, 0, tzinfo=UTC))


@pytest.mark.rule("ELG-2")
def test_only_what_was_paid_after_its_due_date_was_a_debt(holder):
    first, second = code(holder), code(holder, "S-2")
    assert holder.last_debt_paid() is None
    invoice(first, "F-1", due=-20, paid=later(-180), through="app")
    invoice(second, "F-2", due=-3, paid=later(-600))
    invoice(second, "F-3", due=2, paid=later(-5))
    last = holder.last_debt_paid()
    assert (last.number, last.paid_at, last.paid_online) == ("F-1", later(-180), True)
    # The one of ten hours ago counts as well: it was paid in a shop.
    assert [(one.number, one.paid_online) for one in holder.debts_paid_since(later(-600))] == [
        ("F-1", True),
        ("F-2", False),
    ]
    assert [one.number for one in holder.debts_paid_since(later(-599))] == ["F-1"]


@pytest.mark.rule("PRO-7")
def test_an_invoice_is_paid_once(holder):
    one = invoice(code(holder), "F-1")
    again = Invoice.get_by_id(one.id)
    assert one.pay(NOW)
    assert not again.pay(later(1), "bank")
    assert Invoice.get_by_id(one.id).paid_through == "online"
    with pytest.raises(ValueError, match="not paid through"):
        again.pay(NOW, "cheque")


@pytest.mark.rule("ELG-3")
def test_the_share_paid_is_exact(holder):
    one = contract(number(code(holder)), price=1_000_000, paid=750_000, instalments_paid=18)
    assert one.share_paid == Fraction(3, 4)
    one.paid -= 1
    assert one.share_paid < Fraction(3, 4)
    one.price = one.paid = 0
    assert one.share_paid == 1
    assert one.has_instalments


@pytest.mark.rule("ELG-3")
@pytest.mark.rule("ELG-5")
def test_a_contract_binds_its_number_until_its_last_day_is_over(holder):
    subscriber = code(holder)
    mine, other = number(subscriber), number(subscriber, "38970100102")
    contract(mine, "K-0", ends=-1, ended=True)
    one = contract(mine, ends=0)
    midnight = datetime(2026, 3, 10, 23, 0, tzinfo=UTC)
    assert mine.active_contract(midnight - timedelta(minutes=1)) == one
    assert mine.active_contract(midnight) is None
    assert other.active_contract(NOW) is None
    with assert_query_count(1):
        assert [(each.code, each.number.msisdn) for each in holder.active_contracts(NOW)] == [("K-1", "38970100101")]
    assert (one.is_active(NOW), one.is_active(midnight)) == (True, False)
    assert Contract.end_all_due(midnight) == 1
    assert Contract.end_all_due(midnight) == 0
    assert not Contract.get_by_id(one.id).is_active(NOW)


@pytest.mark.rule("ELG-5")
def test_a_number_has_one_running_contract_by_the_database_itself(holder):
    mine = number(code(holder))
    contract(mine, "K-0", ended=True)
    contract(mine)
    with pytest.raises(IntegrityError), db.atomic():
        contract(mine, "K-2")


@pytest.mark.rule("ELG-4")
@pytest.mark.parametrize(
    ("first", "second", "months"),
    [
        ("2025-09-10", "2026-03-10", 6),
        ("2025-09-11", "2026-03-10", 5),
        ("2025-08-31", "2026-02-28", 6),
        ("2025-08-31", "2026-02-27", 5),
        ("2026-03-10", "2026-03-10", 0),
        ("2020-02-29", "2021-02-28", 12),
    ],
)
def test_months_are_whole(holder, first, second, months):
    assert months_between(date.fromisoformat(first), date.fromisoformat(second)) == months


@pytest.mark.rule("ELG-4")
def test_months_of_a_subscriber_are_counted_by_the_day_in_skopje(holder):
    subscriber = code(holder, since=date(2025, 9, 11))
    assert subscriber.months(datetime(2026, 3, 10, 22, 59, tzinfo=UTC)) == 5
    assert subscriber.months(datetime(2026, 3, 10, 23, 0, tzinfo=UTC)) == 6


def test_numbers_of_a_profile_come_with_their_holder_in_one_query(holder):
    mine = profile()
    subscriber = code(holder)
    for msisdn, active in (("38970100102", True), ("38970100101", True), ("38970100103", False)):
        ProfileNumber.create(profile=mine, number=number(subscriber, msisdn, active=active), added_at=NOW)
    with assert_query_count(1):
        found = [(one.msisdn, one.subscriber.code, one.holder.name) for one in Number.of_profile(mine)]
    assert found == [("38970100102", "S-1", "Ana Markovska"), ("38970100101", "S-1", "Ana Markovska")]
    assert Number.of_msisdn("38970100103") is None
    with pytest.raises(IntegrityError), db.atomic():
        ProfileNumber.create(profile=mine, number=Number.of_msisdn("38970100101"), added_at=NOW)
