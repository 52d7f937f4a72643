"""Erasures and retention in several processes at the same moment, and killed in the middle."""

import json

import pytest

from tests.crowd import Crowd
from tests.databases import own_database

BEGIN = """
from datetime import timedelta
from models.base import db
from models.club_member import ClubMember
from models.erasure import Erasure
from models.profile import Attempt
from tests.club import joined
from tests.world import NOW, build, cart_with, checkout_of
with db.connection_context():
    member = joined(points=100)
    owner = member.profile
    checkout = checkout_of(cart_with(build(), "CASE-BLACK", profile=owner))
    print(Erasure.ask(owner, "", NOW).token, checkout.id)
    for _ in range(450):
        Attempt.insert(key="x", at=NOW).execute()
"""
CONFIRM = """
import sys
from models.base import db
from models.erasure import Erasure
from tests.world import NOW
with db.connection_context():
    Erasure.of_token(sys.argv[1], NOW).confirm(NOW)
"""
CARRY_OUT = """
from datetime import timedelta
from models.base import db
from models.erasure import Erasure
from tests.world import NOW
with db.connection_context():
    print(Erasure.carry_out_all_due(NOW + timedelta(days=30)))
"""
ORDER = """
import sys
from models.base import db
from models.cart import Cart
from models.checkout import Checkout, EmptyCart
from models.profile import Profile
from tests.world import place
with db.connection_context():
    try:
        checkout = Checkout.get_by_id(int(sys.argv[1]))
        print(place(checkout, profile=checkout.cart.profile)[0].number)
    except (EmptyCart, Checkout.DoesNotExist, Cart.DoesNotExist):
        print("nothing")
"""
RETAIN = """
from datetime import timedelta
from models.base import db
from models.retention import RULES, retain
from tests.world import NOW
[attempts] = [rule for rule in RULES if rule.name == "attempts"]
with db.connection_context():
    print(retain(attempts, NOW + timedelta(days=30)).count)
"""
TOLD = """
import json
from models.base import db
from models.club_ledger import audit
from models.erasure import Erasure
from models.order import Order
from models.outbox import Mail
from models.profile import Attempt, Profile
from models.retention import RetentionRun
from models.trail import AuditEntry
with db.connection_context():
    print(json.dumps({
        "email": Profile.get().email,
        "done": Erasure.select().where(Erasure.done_at.is_null(False)).count(),
        "whats": sorted(entry.what for entry in AuditEntry.select()),
        "mails": sorted(mail.kind for mail in Mail.select()),
        "orders": [order.profile_id for order in Order.select()],
        "audit": list(audit()),
        "attempts": Attempt.select().where(Attempt.key == "x").count(),
        "report": sum(run.count for run in RetentionRun.select()),
    }))
"""


@pytest.fixture
def shop(tmp_path):
    with own_database(tmp_path) as url:
        crowd = Crowd(url, tmp_path)
        yield crowd
        crowd.end()


def last(result: dict) -> str:
    """What a task said in the end; the log goes before it."""
    return result["is"].split()[-1]


def told(shop) -> dict:
    return json.loads(shop.alone("script", TOLD, []))


@pytest.mark.rule("PRV-4")
def test_confirmed_and_erased_by_several_at_once_it_is_done_once_whatever_is_ordered_meanwhile(shop, tmp_path):
    token, checkout = shop.alone("script", BEGIN, []).split()[-2:]
    results = shop.at_once([("script", CONFIRM, [token])] * 4)
    assert sorted(result.get("error", "") for result in results) == ["", "LinkOver", "LinkOver", "LinkOver"]
    dying = Crowd(shop.url, tmp_path, DYQANI_CRASH_AT="erasure: written")
    before = told(shop)
    [killed] = dying.at_once([("script", CARRY_OUT, [])])
    dying.end()
    assert "error" in killed
    assert told(shop) == before
    *carried, ordered = shop.at_once([("script", CARRY_OUT, [])] * 3 + [("script", ORDER, [checkout])])
    done = sum(int(last(result)) for result in carried)
    after = told(shop)
    assert after["audit"] == []
    if last(ordered) != "nothing":
        # The order came first: the profile waits for it, and is whole.
        assert (done, after["done"], len(after["orders"])) == (0, 0, 1)
        assert after["orders"] != [None]
        assert after["email"] == "arben@example.com"
    else:
        assert (done, after["done"], after["orders"]) == (1, 1, [])
        assert after["whats"].count("erased") == after["mails"].count("profile_erased") == 1


@pytest.mark.rule("PRV-3")
def test_what_two_jobs_delete_at_once_is_reported_once_and_a_killed_one_is_made_up_for(shop, tmp_path):
    shop.alone("script", BEGIN, [])
    dying = Crowd(shop.url, tmp_path, DYQANI_CRASH_AT="retention: attempts")
    [killed] = dying.at_once([("script", RETAIN, [])])
    dying.end()
    assert "error" in killed
    assert (told(shop)["attempts"], told(shop)["report"]) == (450, 0)
    results = shop.at_once([("script", RETAIN, [])] * 3)
    taken = sum(int(last(result)) for result in results)
    after = told(shop)
    assert after["attempts"] == 0
    assert taken == after["report"] >= 450
