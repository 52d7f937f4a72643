"""Real processes at the same moment, each with its own connection, on whichever database DATABASE_URL names."""

from collections import Counter

import pytest

from gateways.bank import ver3_hash
from tests.crowd import Crowd
from tests.databases import own_database
from tests.processes import Bank, MailSink, pay_at_bank, returned_fields

KEY = "SANDBOX-KEY"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A crowd on a database of its own, with a bank and a mail server."""
    folder = tmp_path_factory.mktemp("crowd")
    bank, sink = Bank(folder), MailSink(folder)
    with own_database(folder) as url:
        crowd = Crowd(url, folder, BANK_GATE_URL=bank.gate_url, BANK_API_URL=bank.api_url, SMTP_PORT=str(sink.port))
        yield crowd, bank, sink
        crowd.end()
    sink.end()
    bank.end()


@pytest.fixture
def shop(running):
    """The crowd, in front of the world as it is at its beginning."""
    running[0].alone("begin_anew")
    running[2].empty()
    return running[0]


@pytest.fixture
def bank(running):
    return running[1]


@pytest.fixture
def sink(running):
    return running[2]


def errors(results):
    return Counter(result["error"] for result in results if "error" in result)


def good(results):
    wrong = [result for result in results if "error" in result]
    assert not wrong, wrong[0]
    return [result["is"] for result in results]


def adds_up(order):
    return order["total"] == sum(quantity * price for _, quantity, price, _ in order["lines"])


@pytest.mark.rule("ORD-5")
def test_fifty_buyers_of_twenty_pieces_make_twenty_orders_and_thirty_clear_refusals(shop):
    overviews = shop.alone("checkouts", [["S25-BLACK-128"]] * 50)
    shop.alone("set_gifts", 1000)
    results = shop.at_once([("place", *overview) for overview in overviews])
    assert errors(results) == {"OutOfStock": 30}
    assert all("Galaxy S25" in result["text"] for result in results if "error" in result)
    after = shop.alone("facts")
    assert len(after["orders"]) == len({result["is"][0] for result in results if "is" in result}) == 20
    assert after["stock"]["S25-BLACK-128"] == 0
    assert after["gifts"] == 980


@pytest.mark.rule("ORD-3")
def test_orders_at_the_same_moment_have_different_numbers(shop):
    overviews = shop.alone("checkouts", [["SIM-PREPAID"]] * 12)
    placed = good(shop.at_once([("place", *overview) for overview in overviews]))
    assert len({number for number, _ in placed}) == 12


@pytest.mark.rule("CHK-4")
def test_one_checkout_placed_by_eight_processes_is_one_order(shop):
    [overview] = shop.alone("checkouts", [["S25-BLACK-128", "CASE-BLACK"]])
    placed = good(shop.at_once([("place", *overview)] * 8))
    assert len({tuple(one) for one in placed}) == 1
    after = shop.alone("facts")
    assert len(after["orders"]) == len(after["payments"]) == 1
    assert (after["stock"]["S25-BLACK-128"], after["stock"]["CASE-BLACK"], after["gifts"]) == (19, 39, 9)


@pytest.mark.rule("CHK-4")
def test_two_tabs_of_one_cart_that_place_and_add_at_once_lose_nothing(shop):
    """The order is what the overview showed, or the shopper is asked anew; what was added is never swallowed."""
    [overview] = shop.alone("checkouts", [["CASE-BLACK"]])
    [token] = shop.alone("tokens")
    placed, added = shop.at_once([("place", *overview), ("add", token, "TAB-GREY-64")])
    assert "is" in added
    after = shop.alone("facts")
    [lines] = after["carts"].values()
    if "is" in placed:
        assert [line[0] for line in after["orders"][0]["lines"]] == ["CASE-BLACK"]
        assert lines == ["TAB-GREY-64"]
    else:
        assert placed["error"] == "OfferChanged"
        assert (after["orders"], lines) == ([], ["CASE-BLACK", "TAB-GREY-64"])


@pytest.mark.rule("CAT-5")
def test_the_last_gift_goes_to_one_order(shop):
    overviews = shop.alone("checkouts", [["S25-BLACK-128"]] * 8)
    shop.alone("set_gifts", 1)
    results = shop.at_once([("place", *overview) for overview in overviews])
    assert set(errors(results)) <= {"OutOfStock", "OfferChanged"}
    after = shop.alone("facts")
    assert [line[3] for order in after["orders"] for line in order["lines"]] == [True]
    assert (after["gifts"], after["stock"]["S25-BLACK-128"]) == (0, 19)


@pytest.mark.rule("ORD-5")
def test_orders_of_the_same_devices_in_opposite_order_do_not_block_each_other(shop):
    shop.alone("set_stock", "S25-BLUE-256", 100)
    shop.alone("set_gifts", 1000)
    there, back = ["S25-BLACK-128", "S25-BLUE-256", "REDMI-GREEN-128"], ["REDMI-GREEN-128", "S25-BLUE-256"]
    overviews = shop.alone("checkouts", [there, back] * 4)
    good(shop.at_once([("place", *overview) for overview in overviews]))
    after = shop.alone("facts")
    assert (after["stock"]["REDMI-GREEN-128"], after["stock"]["S25-BLUE-256"]) == (0, 92)
    assert all(adds_up(order) for order in after["orders"])


@pytest.mark.rule("PAY-8")
def test_orders_that_lapse_and_orders_that_are_placed_do_not_block_each_other(shop):
    """Of the same two variants and gifts, in opposite order, whose last pieces come and go."""
    shop.alone("set_stock", "S25-BLACK-128", 8)
    shop.alone("set_stock", "S25-BLUE-256", 8)
    baskets = [["S25-BLACK-128", "S25-BLUE-256"], ["S25-BLUE-256", "S25-BLACK-128"]]
    shop.alone("set_gifts", 100)
    first = [shop.alone("place", *overview)[0] for overview in shop.alone("checkouts", baskets * 3)]
    overviews = shop.alone("checkouts", baskets * 4)
    tasks = [("lapse", number) for number in first] + [("place", *overview) for overview in overviews]
    results = shop.at_once(tasks)
    good(results[: len(first)])
    assert set(errors(results)) <= {"OutOfStock"}
    after = shop.alone("facts")
    placed = sum("is" in result for result in results[len(first) :])
    assert placed >= 2
    assert (after["stock"]["S25-BLACK-128"], after["stock"]["S25-BLUE-256"]) == (8 - placed, 8 - placed)
    assert after["gifts"] == 100 - 2 * placed


@pytest.mark.rule("ORD-5")
def test_an_order_that_an_import_stands_in_the_way_of_is_placed_all_the_same(shop):
    overviews = shop.alone("checkouts", [["S25-BLACK-128", "CASE-BLACK"]] * 3)
    tasks = [("restock", "CASE-BLACK", "S25-BLACK-128")] + [("place", *overview) for overview in overviews]
    restocked, *placed = shop.at_once(tasks)
    good(placed)
    more = 10 if "is" in restocked else 0
    after = shop.alone("facts")
    assert after["stock"]["S25-BLACK-128"] == 17 + more
    assert after["stock"]["CASE-BLACK"] == 37 + more


@pytest.mark.rule("PAY-8")
def test_four_workers_lapse_an_order_once(shop):
    overviews = shop.alone("checkouts", [["CASE-BLACK"]] * 3)
    for overview in overviews:
        _, oid = shop.alone("place", *overview)
        shop.alone("settle", oid, "DECLINED")
    lapsed = good(shop.at_once([("lapse_all_due",)] * 4))
    assert sum(lapsed) == 3
    after = shop.alone("facts")
    assert after["stock"]["CASE-BLACK"] == 40
    assert all(order["events"] == ["awaiting_payment", "lapsed"] for order in after["orders"])
    assert Counter(kind for kind, _, _ in after["mails"]) == {"payment_failed": 3, "order_lapsed": 3}


def pays(bank, shop, oid, card="approve"):
    """What the bank says of it, through the browser and from server to server."""
    fields = returned_fields(pay_at_bank(bank, shop.alone("form", oid), card))
    call = {name: value for name, value in fields.items() if name not in ("HASH", "encoding")}
    call["callbackCall"] = "true"
    return fields, {**call, "HASH": ver3_hash(call, KEY), "encoding": "UTF-8"}


@pytest.mark.rule("PAY-6")
@pytest.mark.rule("PAY-7")
def test_return_callback_and_status_query_at_the_same_moment_confirm_once(shop, bank):
    [overview] = shop.alone("checkouts", [["CASE-BLACK"]])
    _, oid = shop.alone("place", *overview)
    returned, called = pays(bank, shop, oid)
    tasks = [("hear", returned, "return"), ("hear", called, "callback")] * 3 + [("ask_bank", oid)] * 3
    assert good(shop.at_once(tasks)) == [oid] * 6 + ["paid"] * 3
    after = shop.alone("facts")
    assert after["orders"][0]["events"] == ["awaiting_payment", "confirmed"]
    assert [kind for kind, _, _ in after["mails"]] == ["order_confirmed"]
    assert after["payments"] == {oid: "paid"}


@pytest.mark.rule("PAY-9")
def test_two_attempts_paid_at_the_same_moment_pay_once_and_one_goes_back_once(shop, bank):
    [overview] = shop.alone("checkouts", [["CASE-BLACK"]])
    number, first = shop.alone("place", *overview)
    second = shop.alone("retry", number)
    messages = [pays(bank, shop, oid)[0] for oid in (first, second)]
    good(shop.at_once([("hear", fields, "return") for fields in messages]))
    after = shop.alone("facts")
    assert sorted(after["payments"].values()) == ["paid", "surplus"]
    assert after["orders"][0]["events"] == ["awaiting_payment", "confirmed"]
    assert sum(good(shop.at_once([("refund_all",)] * 4))) == 1
    assert shop.alone("facts")["refunds"] == ["done"]


@pytest.mark.rule("PAY-8")
def test_money_and_lapse_at_the_same_moment_end_in_one_of_both(shop):
    """Confirmed with its pieces taken, and no word of a lapse or a lapse that was taken back."""
    overviews = shop.alone("checkouts", [["CASE-BLACK"]] * 4)
    placed = [shop.alone("place", *overview) for overview in overviews]
    tasks = [("settle", oid, "PAID") for _, oid in placed] + [("lapse", number) for number, _ in placed]
    results = shop.at_once(tasks)
    assert set(errors(results)) <= {"NotAllowed"}
    after = shop.alone("facts")
    assert {order["state"] for order in after["orders"]} == {"confirmed"}
    assert after["stock"]["CASE-BLACK"] == 36


@pytest.mark.rule("MSG-1")
def test_two_workers_over_one_outbox_send_each_mail_once(shop, sink):
    [overview] = shop.alone("checkouts", [["CASE-BLACK"]])
    shop.alone("place", *overview)
    shop.alone("write_mails", 40)
    tried = good(shop.at_once([("send_all",)] * 2))
    arrived = Counter(dict(mail["headers"])["Message-ID"] for mail in sink.mails())
    after = shop.alone("facts")
    assert sum(tried) == 40
    assert {state for _, state, _ in after["mails"]} == {"sent"}
    assert arrived == Counter(message_id for _, _, message_id in after["mails"])


@pytest.mark.rule("CRT-4")
def test_four_browsers_that_log_in_at_once_share_one_cart(shop):
    baskets = [["CASE-BLACK"], ["TAB-GREY-64"], ["CASE-BLACK", "SIM-PREPAID"], ["REDMI-GREEN-128"]]
    profile, tokens = shop.alone("guests", baskets)
    assert len(set(good(shop.at_once([("join", token, profile) for token in tokens])))) == 1
    [lines] = shop.alone("facts")["carts"].values()
    assert lines == ["CASE-BLACK", "REDMI-GREEN-128", "SIM-PREPAID", "TAB-GREY-64"]


@pytest.mark.rule("CRT-4")
def test_a_login_in_one_tab_and_an_order_in_another_do_not_block_each_other(shop):
    """The order is written and the profile's cart is what is left, or the shopper is asked anew."""
    profile, [there] = shop.alone("guests", [["SIM-PREPAID"]])
    shop.alone("join", there, profile)
    overviews = shop.alone("checkouts", [["CASE-BLACK"]])
    [here] = [token for token in shop.alone("tokens") if token != there]
    placed, joined = shop.at_once([("place", *overviews[0]), ("join", here, profile)])
    assert "is" in joined
    assert placed.get("error") in (None, "EmptyCart", "OfferChanged")
    after = shop.alone("facts")
    ordered = [line[0] for order in after["orders"] for line in order["lines"]]
    assert sorted(ordered + sum(after["carts"].values(), [])) == ["CASE-BLACK", "SIM-PREPAID"]


@pytest.mark.rule("CHK-6")
def test_a_checkout_opened_by_six_processes_at_once_is_one(shop):
    _, [token] = shop.alone("guests", [["CASE-BLACK"]])
    assert len(set(good(shop.at_once([("first_checkout", token)] * 6)))) == 1


def test_an_add_to_cart_clicked_six_times_at_once_is_one_line(shop):
    _, [token] = shop.alone("guests", [["CASE-BLACK"]])
    assert len(set(good(shop.at_once([("add", token, "TAB-GREY-64")] * 6)))) == 1
    assert list(shop.alone("facts")["carts"].values()) == [["CASE-BLACK", "TAB-GREY-64"]]


@pytest.mark.rule("CAT-7")
def test_the_first_changes_of_a_catalogue_at_once_are_counted_one_by_one(shop):
    shop.alone("clear")
    assert sorted(good(shop.at_once([("next_version",)] * 8))) == [1, 2, 3, 4, 5, 6, 7, 8]
