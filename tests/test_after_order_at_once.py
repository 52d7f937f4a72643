"""A shopper, the desk and the warehouse at one order at the same moment, and a process that dies: real processes."""

import json
import os
import time
from collections import Counter

import pytest

from models.attachment import ORPHAN_SECONDS
from tests.crowd import Crowd
from tests.databases import own_database

BEGIN = """
import json, sys
from datetime import timedelta
from models.actor import SHOPPER, Actor
from models.attachment import Attachment, put
from models.cancellation import cancel
from models.claim import Claim
from models.delivery import contents_of, hand_over, pack
from models.order import Order
from models.order_change import Wanted, change
from models.outbox import Mail
from models.payment import Refund
from models.stock_return import StockReturn
from models.trail import AuditEntry
from models.catalogue import Variant
from gateways.bank import Verdict
from tests.world import NOW, World, ordered

W, A = Actor("warehouse", "warehouse@example.com"), Actor("agent", "agent@example.com")
order = Order.get_or_none(Order.number == sys.argv[1]) if len(sys.argv) > 1 else None
"""
MAKE = (
    BEGIN.replace("sys.argv[1]", "''")
    + """
world = World(variants={variant.sku: variant for variant in Variant.select()})
made, payment = ordered(world, "CASE-BLACK")
payment.settle(Verdict.PAID, NOW)
made = Order.get_by_id(made.id)
states = sys.argv[1:]
if states:
    pack(made, contents_of(made.lines()), by=W, now=NOW)
if "delivered" in states:
    hand_over(made, by=W, now=NOW)
    made = Order.get_by_id(made.id)
    made.move("delivered", by=W, now=NOW)
print(made.number)
"""
)
FACTS = (
    BEGIN
    + """
print(json.dumps({
    "state": order.state,
    "street": order.street,
    "changes": [
        entry.after
        for entry in AuditEntry.select().where(AuditEntry.order == order).order_by(AuditEntry.id)
        if entry.what == "changed"
    ],
    "mails": [mail.kind for mail in Mail.select().where(Mail.order == order).order_by(Mail.id)],
    "stock": Variant.get(Variant.sku == "CASE-BLACK").stock,
    "refunds": Refund.select().count(),
    "claims": [[claim.kind, claim.state, claim.reply] for claim in Claim.of(order)],
    "files": [file.stored for file in Attachment.select().join(Claim).where(Claim.order == order)],
}))
"""
)
HAND_OVER = BEGIN + "hand_over(order, by=W, now=NOW)"
CHANGE = BEGIN + "change(order, Wanted.of(order, street=sys.argv[2]), by=SHOPPER, now=NOW)"
CANCEL = BEGIN + "cancel(order, by=SHOPPER, now=NOW, why='too_slow')"
COMPLAIN = (
    BEGIN
    + """
paper = put("ekstrakti.pdf", b"%PDF-1.4\\n%%EOF\\n")
Claim.open(order, "complaint", "late", key=sys.argv[2], by=SHOPPER, now=NOW, text="Vonë", papers=[paper])
"""
)
WITHDRAW = BEGIN + "Claim.open(order, 'withdrawal', 'no_reason', key=sys.argv[2], by=SHOPPER, now=NOW)"
ANSWER = BEGIN + "Claim.of(order)[0].answer(sys.argv[2], by=A, now=NOW)"
ACCEPT = BEGIN + "Claim.of(order)[0].decide(True, by=A, now=NOW)"
ARRIVE = BEGIN + "print(StockReturn.of(order).arrive(by=W, sellable=True, now=NOW))"


class Shop:
    """A crowd on a database of its own, with a folder for files."""

    def __init__(self, url, folder):
        self.url, self.folder, self.files = url, folder, folder / "attachments"
        self.crowd = Crowd(url, folder, DYQANI_ATTACHMENTS=str(self.files))
        self.crowd.alone("begin_anew")

    def order(self, *states) -> str:
        return self.crowd.alone("script", MAKE, states).strip()

    def at_once(self, *tasks) -> Counter:
        """The names of the errors of the tasks, each (script, words); "" for one that went well."""
        results = self.crowd.at_once([("script", script, words) for script, words in tasks])
        return Counter(result.get("error", "") for result in results)

    def facts(self, number) -> dict:
        return json.loads(self.crowd.alone("script", FACTS, [number]))

    def dies(self, point, script, *words) -> None:
        dying = Crowd(self.url, self.folder, DYQANI_ATTACHMENTS=str(self.files), DYQANI_CRASH_AT=point)
        [result] = dying.at_once([("script", script, words)])
        dying.end()
        assert result["error"] == "Died", result

    def on_disk(self) -> set[str]:
        return set(os.listdir(self.files)) if self.files.is_dir() else set()


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("after")
    with own_database(folder) as url:
        shop = Shop(url, folder)
        yield shop
        shop.crowd.end()


@pytest.mark.rule("AFT-1", "DSK-2")
def test_what_changes_at_the_moment_of_the_handover_changes_before_it_or_not_at_all(shop):
    for _ in range(3):
        number = shop.order("packed")
        tasks = [(CHANGE, [number, f"Rruga {one}"]) for one in range(3)]
        errors = shop.at_once(*tasks[:2], (HAND_OVER, [number]), tasks[2])
        after = shop.facts(number)
        assert after["state"] == "with_courier"
        assert errors == Counter({"": 1 + len(after["changes"]), "NotAllowed": 3 - len(after["changes"])})
        assert after["street"] == (after["changes"][-1]["street"] if after["changes"] else "Rr. Ilindenit 12")
        # Each is told by a mail of its own, all before that of the courier: no change came after.
        told = [kind for kind in after["mails"] if kind in ("order_changed", "on_its_way")]
        assert told == ["order_changed"] * len(after["changes"]) + ["on_its_way"]


@pytest.mark.rule("AFT-2", "PAY-9")
def test_cancelled_and_handed_over_at_once_it_is_one_of_both_with_all_that_belongs_to_it(shop):
    for _ in range(3):
        number = shop.order("packed")
        before = shop.facts(number)
        errors = shop.at_once((CANCEL, [number]), (HAND_OVER, [number]), (CANCEL, [number]))
        after = shop.facts(number)
        gained = (after["stock"] - before["stock"], after["refunds"] - before["refunds"])
        if after["state"] == "cancelled":
            assert (errors, gained) == (Counter({"": 2, "NotAllowed": 1}), (1, 1))
            assert after["mails"].count("order_cancelled") == 1
            assert "on_its_way" not in after["mails"]
        else:
            assert (after["state"], errors, gained) == (
                "with_courier",
                Counter({"": 1, "NotAllowed": 2}),
                (0, 0),
            )
            assert "order_cancelled" not in after["mails"]


@pytest.mark.rule("AFT-4")
def test_one_form_that_is_sent_four_times_at_once_is_one_claim_with_one_file(shop):
    number, before = shop.order(), shop.on_disk()
    assert shop.at_once(*[(COMPLAIN, [number, "same"])] * 4) == Counter({"": 4})
    after = shop.facts(number)
    assert after["claims"] == [["complaint", "open", ""]]
    assert after["mails"].count("claim_received") == 1
    assert shop.on_disk() - before == set(after["files"])
    assert len(after["files"]) == 1
    assert shop.at_once(*[(ANSWER, [number, str(one)]) for one in range(3)]) == Counter({"": 1, "AlreadyAnswered": 2})
    assert shop.facts(number)["mails"].count("claim_answered") == 1


@pytest.mark.rule("AFT-3", "PAY-9")
def test_of_three_withdrawals_at_once_one_is_taken_and_its_pieces_and_money_come_back_once(shop):
    number = shop.order("packed", "delivered")
    errors = shop.at_once(*[(WITHDRAW, [number, str(one)]) for one in range(3)])
    assert errors == Counter({"": 1, "AlreadyAsked": 2})
    assert shop.at_once(*[(ACCEPT, [number])] * 2) == Counter({"": 1, "AlreadyAnswered": 1})
    before = shop.facts(number)
    assert shop.at_once(*[(ARRIVE, [number])] * 3) == Counter({"": 3})
    after = shop.facts(number)
    assert (after["state"], after["claims"]) == ("returned", [["withdrawal", "returned", ""]])
    assert (after["stock"] - before["stock"], after["refunds"] - before["refunds"]) == (1, 1)


@pytest.mark.rule("AFT-4")
def test_killed_before_the_claim_is_kept_its_file_is_swept_and_the_same_press_again_makes_it(shop):
    number, before = shop.order(), shop.on_disk()
    shop.dies("claim: written", COMPLAIN, number, "press")
    after = shop.facts(number)
    assert (after["claims"], after["files"], after["mails"].count("claim_received")) == ([], [], 0)
    [orphan] = shop.on_disk() - before
    long_ago = time.time() - ORPHAN_SECONDS - 60
    for name in shop.on_disk():
        os.utime(shop.files / name, (long_ago, long_ago))
    assert shop.crowd.alone("script", BEGIN + "print(Attachment.sweep(NOW))", []).strip() == "1"
    assert orphan not in shop.on_disk()
    assert shop.on_disk() == before, "those of claims stay, however old"
    assert shop.at_once((COMPLAIN, [number, "press"])) == Counter({"": 1})
    assert len(shop.facts(number)["files"]) == 1


@pytest.mark.rule("AFT-4")
def test_killed_after_the_claim_is_kept_it_is_there_with_its_file_and_its_mail(shop):
    number, before = shop.order(), shop.on_disk()
    shop.dies("claim: opened", COMPLAIN, number, "press")
    assert shop.at_once((COMPLAIN, [number, "press"])) == Counter({"": 1})
    after = shop.facts(number)
    assert (len(after["claims"]), after["mails"].count("claim_received")) == (1, 1)
    assert shop.on_disk() - before == set(after["files"])
