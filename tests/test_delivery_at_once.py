"""Packing, handing over, the door and the way back by several at the same moment, and killed in the middle: real
processes, on the database of DATABASE_URL (DSK-2, DLV-5)."""

from collections import Counter

import pytest

from tests.crowd import Crowd
from tests.databases import own_database


@pytest.fixture
def shop(tmp_path):
    """A crowd on a database of its own: the trail is never emptied."""
    with own_database(tmp_path) as url:
        crowd = Crowd(url, tmp_path)
        crowd.alone("begin_anew")
        yield crowd
        crowd.end()


def errors(results):
    return Counter(result["error"] for result in results if "error" in result)


def outcomes(results):
    wrong = [result for result in results if "error" in result]
    assert not wrong, wrong[0]
    return Counter(outcome for result in results for outcome in result["is"])


@pytest.mark.rule("DSK-2", "ORD-4")
def test_clerks_who_pack_and_hand_over_the_same_orders_do_each_step_once(shop):
    numbers = shop.alone("parcels", "confirmed", 4)
    # Two go through the list from its end, so that they meet.
    packing = [("pack_parcels", numbers), ("pack_parcels", numbers[::-1])] * 2
    assert outcomes(shop.at_once(packing)) == {"done": 4, "already": 12}
    handing = [("hand_over_parcels", numbers), ("hand_over_parcels", numbers[::-1])] * 2
    assert outcomes(shop.at_once(handing)) == {"done": 4, "already": 12}
    after = shop.alone("parcel_facts")
    assert after["states"] == {"with_courier": 4}
    assert after["trail"] == {"packed": 4, "handed_over": 4}
    assert after["mails"] == {"on_its_way": 4}


@pytest.mark.rule("DSK-2", "AFT-2")
def test_an_order_is_handed_over_or_cancelled_by_its_shopper_and_its_pieces_are_counted_right(shop):
    for number in shop.alone("parcels", "packed", 3):
        shop.at_once([("hand_over_parcels", [number]), ("cancel_parcel", number)])
    after = shop.alone("parcel_facts")
    assert sum(after["states"].values()) == 3
    assert set(after["states"]) <= {"with_courier", "cancelled"}
    # What was cancelled is back on the shelf; what left is not.
    assert after["stock"] == 40 - after["states"].get("with_courier", 0)
    assert after["mails"].get("on_its_way", 0) == after["states"].get("with_courier", 0)
    assert after["refunds"] == after["states"].get("cancelled", 0)


@pytest.mark.rule("DLV-3", "DLV-5")
def test_one_attempt_told_by_several_at_once_went_one_way(shop):
    [number] = shop.alone("parcels", "with_courier", 1)
    results = shop.at_once([("tell_failed", number), ("tell_delivered", number)] * 3)
    assert errors(results) == {"NotAllowed": 3}
    after = shop.alone("parcel_facts")
    assert after["attempts"] in (["failed"], ["delivered"])
    [state] = after["states"]
    assert (state == "delivered") == (after["attempts"] == ["delivered"])
    assert sum(after["trail"].values()) == 3  # packed, handed over, and how it went
    assert after["smses"] == (1 if state == "delivery_failed" else 0)


@pytest.mark.rule("DLV-5")
def test_the_worker_takes_an_order_back_or_the_customer_has_a_new_time_never_both(shop):
    for number in shop.alone("parcels", "delivery_failed", 4):
        # The customer's last second and the worker's first one.
        shop.at_once([("return_due", 1), ("choose_time", number, -1), ("return_due", 1)])
    after = shop.alone("parcel_facts")
    assert set(after["states"]) <= {"returned", "delivery_failed"}
    returned, timed = after["states"].get("returned", 0), after["states"].get("delivery_failed", 0)
    assert (returned + timed, after["timed"]) == (4, timed)
    assert after["awaited"] == after["refunds"] == returned
    assert after["mails"].get("returned", 0) == returned
    assert after["mails"].get("time_arranged", 0) == timed


@pytest.mark.rule("DLV-5")
def test_several_workers_take_each_order_back_once(shop):
    shop.alone("parcels", "delivery_failed", 6)
    counts = [result["is"] for result in shop.at_once([("return_due", 1)] * 4)]
    assert sum(counts) == 6
    after = shop.alone("parcel_facts")
    assert after["states"] == {"returned": 6}
    assert (after["awaited"], after["refunds"], after["mails"]["returned"]) == (6, 6, 6)


@pytest.mark.rule("DLV-5")
def test_of_several_times_chosen_at_once_one_is_left_and_each_is_told(shop):
    [number] = shop.alone("parcels", "delivery_failed", 1)
    results = shop.at_once([("choose_time", number, -60, place) for place in (0, 0, 4, 4)])
    assert errors(results) == {}
    after = shop.alone("parcel_facts")
    assert after["timed"] == 1
    # Two chose one and the same: what is chosen already is no change.
    assert 2 <= after["mails"]["time_arranged"] == after["trail"]["time_arranged"] <= 4


@pytest.mark.rule("DSK-2", "DLV-5")
@pytest.mark.parametrize(
    ("point", "state", "task", "then"),
    [
        ("handover: moved", "packed", "hand_over_parcel", "with_courier"),
        ("attempt: moved", "with_courier", "tell_failed", "delivery_failed"),
        ("delivery: moved", "with_courier", "tell_delivered", "delivered"),
        ("return: moved", "delivery_failed", "return_due", "returned"),
        ("time: arranged", "delivery_failed", "choose_time", "delivery_failed"),
    ],
)
def test_who_is_killed_in_the_middle_of_a_step_has_done_none_of_it_and_the_next_does_all(
    shop, tmp_path, point, state, task, then
):
    [number] = shop.alone("parcels", state, 1)
    before = shop.alone("parcel_facts")
    words = (1,) if task == "return_due" else (number, -60) if task == "choose_time" else (number,)
    dying = Crowd(shop.url, tmp_path, DYQANI_CRASH_AT=point)
    [result] = dying.at_once([(task, *words)])
    dying.end()
    assert "error" in result
    assert shop.alone("parcel_facts") == before
    shop.alone(task, *words)
    after = shop.alone("parcel_facts")
    assert after["states"] == {then: 1}
    assert sum(after["mails"].values()) == sum(before["mails"].values()) + 1
    assert sum(after["trail"].values()) == sum(before["trail"].values()) + 1
