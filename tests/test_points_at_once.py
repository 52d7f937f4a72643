"""The same points wanted by several orders at the same moment: real processes, on the database of DATABASE_URL."""

from collections import Counter

import pytest

from tests.crowd import Crowd
from tests.databases import own_database

SKU = "CASE-BLACK"


@pytest.fixture
def shop(tmp_path):
    """A crowd, in front of the world as it is at its beginning; the ledger is never emptied, so each has its own."""
    with own_database(tmp_path) as url:
        crowd = Crowd(url, tmp_path)
        crowd.alone("begin_anew")
        yield crowd
        crowd.end()


def errors(results):
    return Counter(result["error"] for result in results if "error" in result)


def good(results):
    wrong = [result for result in results if "error" in result]
    assert not wrong, wrong[0]
    return [result["is"] for result in results]


def checked(shop):
    """The ledger as it is now, which adds up."""
    now = shop.alone("points_now")
    assert now["audit"] == []
    assert now["balance"] == sum(points for _, points in now["entries"]) >= 0
    return now


@pytest.mark.rule("PAY-4", "CLB-16")
def test_two_checkouts_at_the_same_moment_with_the_same_points_make_one_order(shop):
    overviews = shop.alone("points_checkouts", 2, 600, 1000)
    results = shop.at_once([("place", *overview) for overview in overviews])
    assert errors(results) == {"PointsChanged": 1}
    now = checked(shop)
    assert (now["balance"], list(now["orders"].values())) == (400, ["held"])
    facts = shop.alone("facts")
    assert (len(facts["orders"]), facts["stock"][SKU]) == (1, 39)
    # Who was refused still has what was chosen.
    assert Counter(map(tuple, facts["carts"].values())) == {(SKU,): 1, (): 1}


@pytest.mark.rule("PAY-4", "CLB-16")
def test_of_twenty_orders_with_a_fifth_of_the_points_five_are_placed(shop):
    overviews = shop.alone("points_checkouts", 20, 200, 1000)
    results = shop.at_once([("place", *overview) for overview in overviews])
    assert errors(results) == {"PointsChanged": 15}
    now = checked(shop)
    assert (now["balance"], Counter(now["orders"].values())) == (0, {"held": 5})
    assert shop.alone("facts")["stock"][SKU] == 35


@pytest.mark.rule("PAY-4", "CHK-4")
def test_an_order_with_points_that_eight_processes_place_is_one_and_takes_them_once(shop):
    [overview] = shop.alone("points_checkouts", 1, 600, 1000)
    placed = good(shop.at_once([("place", *overview)] * 8))
    assert len({tuple(one) for one in placed}) == 1
    now = checked(shop)
    assert (now["balance"], now["entries"][-1]) == (400, ["order", -600])


@pytest.mark.rule("PAY-4", "CLB-16")
def test_orders_and_conversions_at_once_never_spend_a_point_twice(shop):
    overviews = shop.alone("points_checkouts", 10, 100, 1000)
    results = shop.at_once(
        [("place", *overview) for overview in overviews] + [("convert", 100, f"sms:{n}") for n in range(10)]
    )
    done = [result for result in results if "is" in result]
    assert len(done) == 10
    assert set(errors(results)) <= {"PointsChanged", "NotEnough"}
    assert checked(shop)["balance"] == 0


@pytest.mark.rule("PAY-8", "PAY-9")
def test_a_lapse_a_cancellation_and_the_banks_yes_at_once_leave_the_points_in_one_place(shop):
    overviews = shop.alone("points_checkouts", 6, 100, 600)
    placed = good(shop.at_once([("place", *overview) for overview in overviews]))
    tasks = []
    for number, oid in placed:
        tasks += [("lapse", number), ("cancel_whole", number), ("settle", oid, "PAID"), ("settle", oid, "PAID")]

    results = shop.at_once(tasks)

    assert set(errors(results)) <= {"NotAllowed"}
    now, facts = checked(shop), shop.alone("facts")
    states = {order["number"]: order["state"] for order in facts["orders"]}
    for number, oid in placed:
        wanted = {"confirmed": ("taken", "paid"), "lapsed": ("returned", "surplus"), "cancelled": ("returned", None)}
        points, payment = wanted[states[number]]
        assert now["orders"][number] == points
        assert payment in (None, facts["payments"][oid])
    kept = sum(state == "taken" for state in now["orders"].values())
    assert now["balance"] == 600 - 100 * kept
    assert facts["stock"][SKU] == 40 - kept


@pytest.mark.rule("PAY-8", "PAY-9")
def test_an_order_that_lapses_in_eight_processes_gives_its_points_back_once(shop):
    [overview] = shop.alone("points_checkouts", 1, 600, 1000)
    number, _ = shop.alone("place", *overview)
    results = shop.at_once([("lapse", number)] * 8)
    assert errors(results) == {"NotAllowed": 7}
    now = checked(shop)
    assert (now["balance"], now["entries"][-1], now["orders"]) == (1000, ["returned", 600], {number: "returned"})


@pytest.mark.rule("PAY-8", "PAY-4")
def test_late_money_of_two_orders_for_the_same_points_brings_one_back(shop):
    overviews = shop.alone("points_checkouts", 2, 300, 600)
    placed = good(shop.at_once([("place", *overview) for overview in overviews]))
    for number, _ in placed:
        shop.alone("lapse", number)
    shop.alone("convert", 300, "sms:late")

    good(shop.at_once([("settle", oid, "PAID", 40) for _, oid in placed] * 3))

    now, facts = checked(shop), shop.alone("facts")
    assert (now["balance"], Counter(now["orders"].values())) == (0, {"taken": 1, "returned": 1})
    assert Counter(order["state"] for order in facts["orders"]) == {"confirmed": 1, "lapsed": 1}
    assert Counter(facts["payments"].values()) == {"paid": 1, "surplus": 1}
    assert (facts["refunds"], facts["stock"][SKU]) == (["due"], 39)


@pytest.mark.rule("PAY-8", "ORD-5")
def test_orders_that_lapse_while_others_with_the_same_points_and_pieces_are_placed_never_wait_in_a_ring(shop):
    """Pieces before the member, in both directions: else PostgreSQL would end one of them."""
    overviews = shop.alone("points_checkouts", 24, 50, 1200)
    first = good(shop.at_once([("place", *overview) for overview in overviews[:12]]))

    results = shop.at_once(
        [("lapse", number) for number, _ in first] + [("place", *overview) for overview in overviews[12:]]
    )

    good(results)
    now = checked(shop)
    assert (now["balance"], Counter(now["orders"].values())) == (600, {"returned": 12, "held": 12})
    assert shop.alone("facts")["stock"][SKU] == 28
