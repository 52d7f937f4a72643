"""What the desk finds by what is typed (DSK-1)."""

import re

import pytest
from playhouse.test_utils import count_queries

from gateways.bank import Verdict
from models import order_search
from models.actor import Actor
from models.base import IS_SQLITE, db
from models.order import Order, OrderLine
from models.order_change import Wanted, change
from models.order_key import OrderKey, keys_of
from models.order_search import LATE, PER_PAGE, OrderSearch, is_late
from tests.query_count import assert_query_count
from tests.world import NOW, build, cart_with, checkout_of, contract_line, later, own_number, place, profile

AGENT = Actor("agent", "agent@example.com")


@pytest.fixture
def world():
    return build()


def order_of(world, now=NOW, **who) -> Order:
    order, _ = place(checkout_of(cart_with(world, "CASE-BLACK", now=now), now, **who), now)
    return order


def found(q="", now=NOW, **more) -> list[str]:
    return [order.order.email for order in OrderSearch(now, q, **more).entries()]


@pytest.fixture
def people(world):
    order_of(world, now=later(0))
    order_of(
        world,
        now=later(1),
        first_name="Бојан",
        last_name="Ѓорѓиевски",
        email="bojan.gj@example.com",
        phone="38971222333",
    )
    order_of(
        world,
        now=later(2),
        first_name="Shpëtim",
        last_name="Çela Hoxha",
        email="shpetim@example.com",
        phone="38975444555",
        recipient="Vjosa Çela",
    )


ANA, BOJAN, SHPETIM = "ana@example.com", "bojan.gj@example.com", "shpetim@example.com"


@pytest.mark.rule("DSK-1")
@pytest.mark.parametrize(
    ("typed", "who"),
    [
        ("Ana", [ANA]),
        ("markovska ana", [ANA]),
        ("MARKOVSKA", [ANA]),
        ("Маркоска", []),
        ("Марковска Ана", [ANA]),
        ("Bojan", [BOJAN]),
        ("Gjorgjievski", [BOJAN]),
        ("ѓорѓ", [BOJAN]),
        ("gjorgjievski boj", [BOJAN]),
        ("gjor bojan", [BOJAN]),
        ("shpetim cela", [SHPETIM]),
        ("Hoxha Shpetim", [SHPETIM]),
        ("çela", [SHPETIM]),
        ("vjosa", [SHPETIM]),
        ("070 123 456", [ANA]),
        ("+389 70/123-456", [ANA]),
        ("0038970123456", [ANA]),
        ("38970123456", [ANA]),
        ("70123456", [ANA]),
        ("070 123", [ANA]),
        ("071222", [BOJAN]),
        ("ana@example.com", [ANA]),
        ("ANA@Example.com ", [ANA]),
        ("bojan.g", [BOJAN]),
        ("shpetim@", [SHPETIM]),
        ("example.com", []),
        ("%", []),
        ("_na", []),
        ("'", []),
        ("070", []),
        ("\U0010ffff", []),
    ],
)
def test_an_order_is_found_by_phone_mail_or_name_however_it_is_typed(people, typed, who):
    assert found(typed) == who


@pytest.mark.rule("DSK-1", "ORD-3")
def test_an_order_is_found_by_its_number_whole_or_in_part_with_what_is_misread(world):
    order, _ = order_of(world), order_of(world, email="other@example.com")
    Order.update(number="DY-7K1M-0VPX-7").where(Order.id == order.id).execute()
    OrderKey.write(Order.get_by_id(order.id))
    for typed in ("DY-7K1M-0VPX-7", "dy7k1m0vpx7", "7KIM-OUPX 7", "7k1m", "7K1M-0V", "0vpx7", "ovpx", "DY-7K1M"):
        assert found(typed) == [ANA], typed
    assert OrderSearch(NOW, "7KIM").only == order
    assert found("7k1") == []
    assert OrderSearch(NOW).only is None


@pytest.mark.rule("DSK-1")
def test_an_order_is_found_by_the_number_that_was_ordered_and_by_who_signs(world):
    owner = profile("besa@example.com")
    number = own_number(owner, "38970100009")
    cart = cart_with(world, profile=owner)
    contract_line(cart, number=number)
    order, _ = place(checkout_of(cart, email="besa@example.com", phone="38975444555"), profile=owner)
    for typed in ("070 100 009", "075 444 555", "Arben Osmani", "osmani"):
        assert found(typed) == ["besa@example.com"], typed
    [entry] = OrderSearch(NOW, "osmani").entries()
    assert (entry.phone, entry.ways, entry.more) == ("38970100009", (("instalments", 24),), 0)


@pytest.mark.rule("DSK-1", "AFT-1")
def test_a_changed_phone_is_found_and_the_old_one_no_more(people):
    order = Order.get(Order.email == ANA)
    change(order, Wanted.of(order, phone="38976111222"), by=AGENT, now=later(5))
    assert (found("076 111 222"), found("070 123 456"), found("markovska")) == ([ANA], [], [ANA])


@pytest.mark.rule("DSK-1")
def test_what_is_found_is_filtered_by_state_and_day_newest_first(people):
    bojan = Order.get(Order.email == BOJAN)
    bojan.payments.get().settle(Verdict.PAID, later(2))
    assert found() == [SHPETIM, BOJAN, ANA]
    assert found(state="confirmed") == [BOJAN]
    assert found("bojan", state="packed") == []
    assert found(since=NOW.date()) == [SHPETIM, BOJAN, ANA]
    assert found(since=later(days=1).date()) == []
    assert found(state="nothing") == [SHPETIM, BOJAN, ANA]


@pytest.mark.rule("DSK-1", "DLV-2")
def test_a_promise_that_is_over_is_late_until_the_order_is_there(people):
    order = Order.get(Order.email == ANA)
    order.payments.get().settle(Verdict.PAID, later(2))
    order = Order.get_by_id(order.id)
    on_the_day, after = (later(days=(order.promised_on - NOW.date()).days + more) for more in (0, 1))
    assert not is_late(order, on_the_day)
    assert is_late(order, after)
    assert found(state=LATE, now=on_the_day) == []
    assert found(state=LATE, now=after) == [ANA]
    assert [entry.late for entry in OrderSearch(after).entries()] == [False, False, True]
    for state in ("packed", "with_courier", "delivered"):
        order.move(state, by="warehouse", now=after)
    assert found(state=LATE, now=after) == []


def many(world, count, states=("awaiting_payment",), **who):
    """Copies of one order, a minute apart, as placing writes them, in these states by turns."""
    first = order_of(world, **who)
    values = {name: value for name, value in first.__data__.items() if name != "id"}
    line = {name: value for name, value in first.lines()[0].__data__.items() if name != "id"}
    orders = [
        values
        | {
            "number": f"DY-{index:04}-0000-0",
            "checkout_key": f"k{index}",
            "placed_at": later(index + 1),
            "email": f"m{index}@example.com",
            "state": states[index % len(states)],
        }
        for index in range(count)
    ]
    for start in range(0, count, 500):
        Order.insert_many(orders[start : start + 500]).execute()
    ids = [id for (id,) in Order.select(Order.id).where(Order.id != first.id).order_by(Order.id).tuples()]
    keys = []
    for index, id in enumerate(ids):
        for key in keys_of(f"DY-{index:04}-0000-0", f"m{index}@example.com", {first.phone}, {first.full_name}):
            keys.append({"key": key, "order": id})
    for start in range(0, count, 500):
        OrderLine.insert_many([line | {"order": id} for id in ids[start : start + 500]]).execute()
    for start in range(0, len(keys), 2000):
        OrderKey.insert_many(keys[start : start + 2000]).execute()


@pytest.mark.rule("DSK-1")
def test_pages_follow_each_other_without_a_gap_and_each_asks_as_little_as_the_first(world):
    many(world, 60)
    seen, after = [], ""
    for _ in range(3):
        with assert_query_count(4):
            page = OrderSearch(NOW, "markovska", after=after)
            seen += [entry.order.email for entry in page.entries()]
        after = page.last
        assert page.has_more == (len(seen) < 61)
    assert seen == [f"m{index}@example.com" for index in reversed(range(60))] + [ANA]
    assert OrderSearch(NOW, "markovska").total == 61
    assert len(OrderSearch(NOW).entries()) == PER_PAGE


@pytest.mark.rule("DSK-1")
def test_a_name_that_very_many_have_fills_its_page_with_the_newest(world, monkeypatch):
    monkeypatch.setattr(order_search, "MANY", 1000)
    many(world, 1100)
    with assert_query_count(3):
        page = OrderSearch(NOW, "ana mark")
        assert [entry.order.email for entry in page.entries()][:2] == ["m1099@example.com", "m1098@example.com"]
    assert (page.total, page.has_more) == (None, True)
    second = OrderSearch(NOW, "ana mark", after=page.last)
    assert second.entries()[0].order.email == f"m{1100 - PER_PAGE - 1}@example.com"
    assert found("m1077@example.com") == ["m1077@example.com"]


@pytest.mark.rule("DSK-1")
@pytest.mark.parametrize("most", [10, 1000])
def test_a_filter_leaves_the_same_of_many_and_of_few_hits(world, monkeypatch, most):
    monkeypatch.setattr(order_search, "MANY", most)
    many(world, 60, ["delivered"] * 19 + ["packed"])
    order_of(world, now=later(days=2), first_name="Besa", email="besa@example.com")
    for typed in ("ana", "markovska ana", "070 123"):
        assert found(typed, state="packed") == ["m59@example.com", "m39@example.com", "m19@example.com"], typed
        assert len(found(typed, state="delivered")) == PER_PAGE
        assert found(typed, state="lapsed") == []
    assert found("ana", since=later(days=1).date()) == []
    assert found("markovska", since=later(days=1).date()) == ["besa@example.com"]
    assert found("markovska", since=later(days=9).date()) == []
    assert found("ana", since=NOW.date(), state="packed") == ["m59@example.com", "m39@example.com", "m19@example.com"]


# What a query has put together itself.
PARTS = re.compile(r"SCAN (some|part|hit|top|\(subquery)")


@pytest.mark.rule("DSK-1")
@pytest.mark.parametrize("most", [10, 1000])
def test_an_index_answers_every_search(world, monkeypatch, most):
    monkeypatch.setattr(order_search, "MANY", most)
    many(world, 800, ["delivered"] * 15 + ["cancelled", "returned", "lapsed", "confirmed", "packed"])
    db.execute_sql("ANALYZE")
    if not IS_SQLITE:
        # So few rows are quicker read than looked up: asked is whether an index could answer.
        db.execute_sql("SET LOCAL enable_seqscan = off")
    searches = [(typed, "") for typed in ("ana markovska", "070 123 456", "7K1M", "m9@", "")]
    with count_queries() as counter:
        for typed, state in [*searches, ("", "lapsed"), ("", LATE), ("ana markovska", "delivered")]:
            OrderSearch(NOW, typed, state)
    for record in counter.get_queries():
        sql, values = record.msg
        plan = db.execute_sql(f"{'EXPLAIN QUERY PLAN' if IS_SQLITE else 'EXPLAIN'} {sql}", values).fetchall()
        steps = [str(row[-1]).strip() for row in plan]
        if "WHERE" not in sql:
            # All orders by their id: it ends with the page.
            continue
        # Going along an index of orders ends with the page; going through keys, or a table, does not.
        through = [
            step for step in steps if step.startswith("SCAN") and "USING" not in step and not PARTS.search(step)
        ]
        assert not through + [step for step in steps if step.startswith("SCAN") and "order_key" in step], (sql, steps)
        assert not [step for step in steps if "Seq Scan" in step], (sql, steps)
