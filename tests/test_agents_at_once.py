"""Several agents at one order: real processes, on DATABASE_URL's database (DSK-1, AFT-1, AFT-2)."""

import json
from collections import Counter

import pytest

from tests.crowd import Crowd
from tests.databases import own_database

# A paid order of one black Galaxy, of which there is a blue one, and agents who have identified its caller.
BEGIN = """
import json, sys
from gateways.bank import Verdict
from models.actor import Actor
from models.identification import Identification
from models.order import Order
from models.trail import mark_of
from tests.world import NOW, build, later, ordered

world = build()
blue = world["S25-BLUE-256"]
blue.storage_gb = 128
blue.save()
order, payment = ordered(world, "S25-BLACK-128")
payment.settle(Verdict.PAID, later(1))
order = Order.get_by_id(order.id)
for index in range(int(sys.argv[1])):
    by = Actor("agent", f"agent{index}@example.com")
    assert Identification.check(order, order.number, by=by, now=NOW, email=order.email, phone=order.phone)
print(json.dumps([order.id, mark_of(order), order.lines()[0].id, blue.id]))
"""
ACT = """
import sys
from models import desk_order
from models.actor import Actor
from models.desk_order import resend
from models.identification import Identification
from models.order import Order
from models.order_change import Wanted
from models.order_note import OrderNote
from models.outbox import Mail
from models.trail import mark_of
from tests.world import later

what, id, mark, index, *words = sys.argv[1:]
order, by = Order.get_by_id(int(id)), Actor("agent", f"agent{index}@example.com")
if mark == "now":
    mark = mark_of(order)
if what == "change":
    street, line, variant = words
    wanted = Wanted.of(order, street=street, colours={int(line): int(variant)})
    desk_order.change(order, wanted, by=by, now=later(2), mark=mark, why="telefon")
elif what == "cancel":
    desk_order.cancel(order, by=by, now=later(2), mark=mark, why="telefon")
elif what == "note":
    print(OrderNote.add(order, "Thirri.", by=by, now=later(2), key=words[0]))
elif what == "identify":
    print(Identification.check(order, order.number, by=by, now=later(40), email="x@example.com", phone=order.phone))
elif what == "resend":
    Mail.update(state="sent").where(Mail.key == f"order_confirmed:{id}").execute()
    print(resend(order, Mail.get(Mail.key == f"order_confirmed:{id}"), by=by, now=later(2), key=words[0]))
"""
FACTS = """
import json
from models.catalogue import Variant
from models.identification import Identification
from models.order import Order
from models.order_note import OrderNote
from models.outbox import Mail
from models.payment import Refund
from models.trail import AuditEntry

order = Order.get()
print(json.dumps({
    "state": order.state, "street": order.street, "sku": order.lines()[0].sku,
    "black": Variant.get(Variant.sku == "S25-BLACK-128").stock,
    "blue": Variant.get(Variant.sku == "S25-BLUE-256").stock,
    "refunds": Refund.select().count(), "notes": OrderNote.select().count(),
    "tries": Identification.select().count(), "mails": Mail.select().count(),
    "trail": sorted(entry.what for entry in AuditEntry.select()),
}))
"""


@pytest.fixture
def shop(tmp_path):
    """A crowd on a database of its own: the trail is never emptied."""
    with own_database(tmp_path) as url:
        crowd = Crowd(url, tmp_path)
        yield crowd
        crowd.end()


def begin(shop, agents):
    return [str(part) for part in json.loads(shop.alone("script", BEGIN, [str(agents)]))]


def facts(shop):
    return json.loads(shop.alone("script", FACTS, []))


def act(what, order, mark, index, *words):
    return ("script", ACT, [what, order, mark, str(index), *words])


def errors(results):
    return Counter(result["error"] for result in results if "error" in result)


@pytest.mark.rule("DSK-1", "AFT-1")
def test_of_agents_who_save_at_once_one_does_and_the_others_are_told(shop):
    order, mark, line, blue = begin(shop, 4)
    results = shop.at_once([act("change", order, mark, index, f"Rruga {index}", line, blue) for index in range(4)])
    assert errors(results) == {"ChangedMeanwhile": 3}, results
    after = facts(shop)
    assert after["street"] == f"Rruga {next(index for index in range(4) if 'is' in results[index])}"
    assert (after["sku"], after["black"], after["blue"]) == ("S25-BLUE-256", 20, 2)
    assert after["trail"].count("changed") == 1


@pytest.mark.rule("DSK-1", "AFT-1", "AFT-2", "PAY-9")
def test_one_changes_while_others_cancel_and_all_pieces_and_the_money_are_there_once(shop):
    order, mark, line, blue = begin(shop, 4)
    tasks = [act("change", order, mark, 0, "Rruga 0", line, blue)]
    results = shop.at_once(tasks + [act("cancel", order, mark, index) for index in (1, 2, 3)])
    after = facts(shop)
    if "is" in results[0]:
        assert errors(results) == {"ChangedMeanwhile": 3}, results
        assert (after["state"], after["black"], after["blue"], after["refunds"]) == ("confirmed", 20, 2, 0)
    else:
        # Cancelled once; whoever comes after finds it so.
        assert errors(results) == {"NotAllowed": 1} or errors(results) == {"ChangedMeanwhile": 1}, results
        assert (after["state"], after["black"], after["blue"], after["refunds"]) == ("cancelled", 20, 3, 1)


@pytest.mark.rule("DSK-1")
def test_one_form_that_is_sent_five_times_at_once_is_one_note_and_one_mail(shop):
    order, mark, *_ = begin(shop, 1)
    before = facts(shop)
    results = shop.at_once([act("note", order, mark, 0, "same")] * 5)
    assert sorted(result["is"].strip() for result in results) == ["False"] * 4 + ["True"]
    results = shop.at_once([act("resend", order, mark, 0, "same")] * 4)
    assert sorted(result["is"].strip() for result in results) == ["False"] * 3 + ["True"]
    after = facts(shop)
    assert (after["notes"], after["mails"] - before["mails"]) == (1, 1)
    assert (after["trail"].count("note"), after["trail"].count("resent")) == (1, 1)


@pytest.mark.rule("DSK-1")
def test_of_many_tries_at_once_none_slips_by_the_limit(shop):
    order, mark, *_ = begin(shop, 1)
    results = shop.at_once([act("identify", order, mark, index) for index in range(1, 10)])
    # One of the six of this hour was the agent's who was right.
    assert errors(results) == {"TooManyTries": 4}, results
    assert facts(shop)["tries"] == 6


@pytest.mark.rule("DSK-1", "AFT-1", "AFT-2")
def test_a_process_that_dies_in_the_middle_has_changed_nothing_and_the_next_click_does_it(shop, tmp_path):
    order, _, line, blue = begin(shop, 1)
    for point, task in (
        ("identification: written", act("identify", order, "now", 1)),
        ("desk: message written", act("resend", order, "now", 0, "same")),
        ("desk: changed", act("change", order, "now", 0, "Rruga 0", line, blue)),
        ("desk: cancelled", act("cancel", order, "now", 0)),
    ):
        before = facts(shop)
        dying = Crowd(shop.url, tmp_path, DYQANI_CRASH_AT=point)
        [result] = dying.at_once([task])
        dying.end()
        assert result["error"] == "Died", point
        assert facts(shop) == before, point
        [result] = shop.at_once([task])
        assert "is" in result, result
        assert facts(shop) != before, point
