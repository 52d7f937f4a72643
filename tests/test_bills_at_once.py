"""Invoices and money at the same moment, in real processes, on whichever database DATABASE_URL names (PRO-7)."""

import pytest

from tests.bills import OWED
from tests.crowd import Crowd
from tests.test_concurrency import bank, errors, good, pays, running, shop, sink  # noqa: F401


def adds_up(after):
    """Each invoice is paid once; what else was charged goes back, and the operator hears of each once."""
    online = sorted(number for number, through in after["paid"].items() if through == "online")
    assert after["needed"] == after["told"] == online
    assert after["charged"] - after["back"] == OWED * len(online)


@pytest.mark.rule("PRO-7")
def test_the_same_choice_begun_at_the_same_moment_is_one_payment(shop):  # noqa: F811
    [owner] = shop.alone("owing", 1, 2)
    begun = good(shop.at_once([("begin_bills", owner, ["F-0", "F-1"])] * 8))
    assert len(set(begun)) == 1
    assert shop.alone("bills")["payments"] == ["started"]


@pytest.mark.rule("PAY-6")
def test_return_callback_and_status_query_at_the_same_moment_pay_invoices_once(shop, bank):  # noqa: F811
    [owner] = shop.alone("owing", 1, 2)
    oid = shop.alone("begin_bills", owner, ["F-0", "F-1"])
    returned, called = pays(bank, shop, oid)
    good(shop.at_once([("hear", returned, "return"), ("hear", called, "callback")] * 3 + [("ask_bank", oid)] * 3))
    after = shop.alone("bills")
    assert (after["payments"], after["mails"], after["back"]) == (["paid"], ["bills_paid"], 0)
    adds_up(after)


@pytest.mark.rule("PAY-9")
def test_profiles_of_one_holder_pay_overlapping_choices_at_the_same_moment(shop):  # noqa: F811
    """Each invoice once, in whatever order the rows are taken; what was too much goes back."""
    owners = shop.alone("owing", 6, 4)
    choices = [
        ["F-0", "F-1", "F-2", "F-3"],
        ["F-3", "F-2"],
        ["F-1", "F-0"],
        ["F-0"],
        ["F-3", "F-0"],
        ["F-2", "F-1", "F-3"],
    ]
    oids = [shop.alone("begin_bills", owner, choice) for owner, choice in zip(owners, choices, strict=True)]
    good(shop.at_once([("settle", oid, "PAID") for oid in oids] * 2))
    after = shop.alone("bills")
    assert set(after["paid"].values()) == {"online"}
    adds_up(after)


@pytest.mark.rule("PAY-9")
def test_an_invoice_paid_in_a_shop_and_by_card_at_the_same_moment_is_paid_once(shop):  # noqa: F811
    owners = shop.alone("owing", 1, 4)
    oids = [shop.alone("begin_bills", owners[0], [f"F-{number}"]) for number in range(4)]
    tasks = [("settle", oid, "PAID") for oid in oids] + [("pay_in_shop", f"F-{number}") for number in range(4)]
    results = good(shop.at_once(tasks))
    after = shop.alone("bills")
    in_shop = results[4:].count(True)
    assert list(after["paid"].values()).count("shop") == in_shop
    assert after["payments"].count("surplus") == in_shop
    adds_up(after)


@pytest.mark.rule("PAY-8")
def test_money_and_lapse_of_a_bill_payment_at_the_same_moment_leave_it_paid(shop):  # noqa: F811
    [owner] = shop.alone("owing", 1, 3)
    oids = [shop.alone("begin_bills", owner, [f"F-{number}"]) for number in range(3)]
    results = shop.at_once([("settle", oid, "PAID", 31) for oid in oids] + [("lapse_all_due",)] * 3)
    assert not errors(results)
    after = shop.alone("bills")
    assert (after["states"], after["payments"]) == (["paid"] * 3, ["paid"] * 3)
    adds_up(after)


@pytest.mark.rule("PAY-7")
def test_a_process_that_is_killed_while_it_settles_leaves_nothing_half_done(running, shop, bank, tmp_path):  # noqa: F811
    [owner] = shop.alone("owing", 1, 2)
    oid = shop.alone("begin_bills", owner, ["F-0", "F-1"])
    returned, called = pays(bank, shop, oid)
    before = shop.alone("bills")
    settings = {"BANK_GATE_URL": bank.gate_url, "BANK_API_URL": bank.api_url}
    doomed = Crowd(shop.url, tmp_path, DYQANI_CRASH_AT="settle: written", **settings)
    try:
        for task in (("hear", returned, "return"), ("ask_bank", oid)):
            assert [result["error"] for result in doomed.at_once([task])] == ["Died"]
            assert shop.alone("bills") == before
    finally:
        doomed.end()
    shop.alone("hear", called, "callback")
    after = shop.alone("bills")
    assert after["mails"] == ["bills_paid"]
    adds_up(after)
