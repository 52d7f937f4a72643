"""Shopper and payer, and two workers, at once and killed in the middle, in real processes (PAY-6, MSG-1)."""

import json

import pytest

from tests.crowd import Crowd
from tests.test_concurrency import bank, errors, good, pays, running, shop, sink  # noqa: F401

# An order that waits for its payment, with a link: the shopper's attempt, and the link's id.
ORDERED = """
import json
from models.pay_link import PayLink
from tests.world import NOW, World, ordered
order, payment = ordered(World(now=NOW), "CASE-BLACK")
print(json.dumps([payment.oid, PayLink.make(order, NOW).id]))
"""
PRESS = """
import sys
from models.pay_link import PayLink
from tests.world import later
print(PayLink.get_by_id(int(sys.argv[1])).pay(later(1)).oid)
"""
TAKE_BACK = """
import sys
from models.order import Order
from models.pay_link import PayLink
from tests.world import later
print(PayLink.revoke(Order.get(), later(1)))
"""
# Carts of two mailboxes, one of them with two, left a day ago with the box ticked.
LEFT = """
from models.cart_reminder import remember_wish
from tests.world import NOW, World, cart_with, checkout_of
for email in ("ana@example.com", "ana@example.com", "besa@example.com"):
    checkout = checkout_of(cart_with(World(now=NOW), "CASE-BLACK"), email=email)
    remember_wish(checkout, True, "sq", "Po", NOW)
"""
REMIND = """
from datetime import timedelta
from models.cart_reminder import CartReminder
from tests.world import NOW
print(CartReminder.write_all_due(NOW + timedelta(hours=25)))
"""
REMINDED = """
import json
from models.cart_reminder import CartReminder
from models.outbox import Mail
mails = [mail.recipient for mail in Mail.select().where(Mail.kind == "cart_reminder")]
print(json.dumps([sorted(mails), CartReminder.select().count()]))
"""


def ordered(shop):  # noqa: F811
    return json.loads(shop.alone("script", ORDERED, []))


@pytest.mark.rule("PAY-8")
def test_many_who_press_pay_at_the_same_moment_go_on_with_one_attempt(shop):  # noqa: F811
    _, link = ordered(shop)
    pressed = good(shop.at_once([("script", PRESS, [str(link)])] * 6))
    assert len(set(pressed)) == 1
    assert len(shop.alone("facts")["payments"]) == 2


@pytest.mark.rule("PAY-6", "PAY-9")
def test_shopper_and_payer_pay_at_the_same_moment_and_the_order_is_paid_once(shop, bank):  # noqa: F811
    own, link = ordered(shop)
    theirs = shop.alone("script", PRESS, [str(link)]).strip()
    messages = [message for oid in (own, theirs) for message in pays(bank, shop, oid)]
    tasks = [("hear", message, channel) for message in messages for channel in ("return", "callback")]
    good(shop.at_once([*tasks, ("script", TAKE_BACK, [])]))
    after = shop.alone("facts")
    assert sorted(after["payments"].values()) == ["paid", "surplus"]
    assert after["refunds"] == ["due"]
    assert after["orders"][0]["events"] == ["awaiting_payment", "confirmed"]
    assert sorted(kind for kind, _, _ in after["mails"]) == ["order_confirmed", "pay_link", "payment_returned"]


@pytest.mark.rule("PRV-2", "MSG-1")
def test_workers_at_the_same_moment_and_one_killed_in_the_middle_remind_each_mailbox_once(shop, tmp_path):  # noqa: F811
    shop.alone("script", LEFT, [])
    doomed = Crowd(shop.url, tmp_path, DYQANI_CRASH_AT="cart reminder: written")
    try:
        assert errors(doomed.at_once([("script", REMIND, [])])) == {"Died": 1}
    finally:
        doomed.end()
    assert json.loads(shop.alone("script", REMINDED, [])) == [[], 0]
    written = good(shop.at_once([("script", REMIND, [])] * 4))
    assert sum(map(int, written)) == 2
    assert json.loads(shop.alone("script", REMINDED, [])) == [["ana@example.com", "besa@example.com"], 2]
