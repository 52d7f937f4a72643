"""Wishes to be told, asked, confirmed, stopped and told at the same moment: real processes (MSG-1)."""

import json
from collections import Counter

import pytest

from tests.crowd import Crowd
from tests.databases import own_database

BEGIN = """
import json, sys
from models.base import db
from models.catalogue import Variant
from models.outbox import Mail
from models.profile import Profile
from models.shelf import relist
from models.watch import Watch
from tests.world import NOW, later, profile

def variant():
    return Variant.get(Variant.sku == "IP16-BLACK-256")

def back():
    with db.atomic():
        Variant.update(stock=2).where(Variant.sku == "IP16-BLACK-256").execute()
        relist([variant().device_id], NOW)
"""
TELL = BEGIN + "Watch.tell_all_due(NOW)"
BACK = BEGIN + "back()"
ASK_FOR = BEGIN + "Watch.ask_for(Profile.get(), variant(), 'stock', segment=None, now=NOW)"
CONFIRM = BEGIN + "Watch.get_by_id(int(sys.argv[1])).confirm(NOW)"
STOP = BEGIN + "Watch.get_by_id(int(sys.argv[1])).stop(NOW)"
WAIT = (
    BEGIN
    + """
profile()
Watch.tell_all_due(NOW)
for number in range(int(sys.argv[1])):
    Watch.ask(sys.argv[2 + number % (len(sys.argv) - 2)] % number, variant(), "stock", language="sq",
              address="", now=later(60 * number))
if "confirmed" in sys.argv:
    for watch in Watch.select():
        watch.confirm(later(60 * 10))
print(json.dumps([watch.id for watch in Watch.select().order_by(Watch.id)]))
"""
)
FACTS = (
    BEGIN
    + """
print(json.dumps({
    "states": sorted(watch.state for watch in Watch.select()),
    "told": sorted(mail.recipient for mail in Mail.select().where(Mail.kind == "watch_back")),
}))
"""
)
CONFIRMED = WAIT.replace('"confirmed" in sys.argv', "True")

# In which order transactions come to a row is set by the clock: each task begins so many seconds after the start.
AFTER = (
    BEGIN
    + """
import time
time.sleep(float(sys.argv[1]))
"""
)
# Somebody has the row of a watch for a second and a half; PostgreSQL gives it to who wants it meanwhile in the order
# they came.
HELD = (
    AFTER
    + """
with db.atomic():
    Watch.update(language="sq").where(Watch.id == int(sys.argv[2])).execute()
    time.sleep(1.5)
"""
)
WRITTEN_ANEW = (
    BEGIN
    + """
for fresh in (True, False):
    Watch.update(fresh=fresh).where(Watch.id == int(sys.argv[1])).execute()
"""
)
CONFIRM_AFTER = AFTER + "Watch.get_by_id(int(sys.argv[2])).confirm(NOW)"
STOP_ALL_AFTER = AFTER + "Watch.get_by_id(int(sys.argv[2])).stop_all(NOW)"
TELL_AFTER = AFTER + "Watch.tell_all_due(NOW)"
ASK_AFTER = AFTER + "Watch.ask_for(Profile.get(), variant(), sys.argv[2], segment=None, now=NOW)"
# A profile's three wishes, written anew in another order, as presses and rounds of the worker do.
THREE = (
    BEGIN
    + """
owner = profile()
Watch.tell_all_due(NOW)
skus = ("IP16-BLACK-256", "CASE-BLACK", "REDMI-GREEN-128")
made = [
    Watch.ask_for(owner, Variant.get(Variant.sku == sku), kind, segment=None, now=NOW).id
    for sku, kind in zip(skus, ("stock", "price", "price"))
]
for number in (made[1], made[0]):
    for fresh in (False, True):
        Watch.update(fresh=fresh).where(Watch.id == number).execute()
print(json.dumps(made))
"""
)
# A profile's wish for a lower price, which has come true.
CHEAPER = (
    BEGIN
    + """
back()
owner = profile()
wish = Watch.ask_for(owner, variant(), "price", segment=None, now=NOW)
with db.atomic():
    Variant.update(price=Variant.price - 100).where(Variant.id == variant().id).execute()
    relist([variant().device_id], NOW)
print(json.dumps([wish.id]))
"""
)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    folder = tmp_path_factory.mktemp("watches")
    with own_database(folder) as url:
        crowd = Crowd(url, folder)
        yield crowd
        crowd.end()


@pytest.fixture
def shop(crowd):
    crowd.alone("begin_anew")
    return crowd


def at_once(crowd, *tasks) -> Counter:
    """The names of the errors of the tasks, each (script, words); "" for one that went well."""
    results = crowd.at_once([("script", script, words) for script, words in tasks])
    return Counter(result.get("error", "") for result in results)


def facts(crowd) -> dict:
    return json.loads(crowd.alone("script", FACTS, []))


@pytest.mark.rule("MSG-1")
def test_workers_that_look_at_once_tell_each_mailbox_once(shop):
    shop.alone("script", CONFIRMED, ["6", "a%d@example.com"])
    shop.alone("script", BACK, [])
    assert at_once(shop, *[(TELL, [])] * 4) == Counter({"": 4})
    assert facts(shop) == {"states": ["told"] * 6, "told": [f"a{number}@example.com" for number in range(6)]}


@pytest.mark.rule("MSG-1")
def test_a_wish_that_is_confirmed_while_the_piece_comes_back_is_not_lost(shop):
    [watch] = json.loads(shop.alone("script", WAIT, ["1", "a%d@example.com"]))
    assert at_once(shop, (BACK, []), (CONFIRM, [str(watch)]), (TELL, []), (TELL, [])) == Counter({"": 4})
    shop.alone("script", TELL, [])
    assert facts(shop) == {"states": ["told"], "told": ["a0@example.com"]}


def test_links_about_the_same_that_are_pressed_at_once_leave_one_wish(shop):
    watches = json.loads(shop.alone("script", WAIT, ["3", "a@example.com%.0s"]))
    tasks = [(CONFIRM, [str(watch)]) for watch in watches * 2]
    assert set(at_once(shop, *tasks)) <= {"", "LinkOver"}
    states = facts(shop)["states"]
    assert states.count("active") == 1
    assert states.count("waiting") == 0


def test_a_profiles_button_pressed_five_times_at_once_is_one_wish(shop):
    shop.alone("script", BEGIN + "profile()", [])
    assert at_once(shop, *[(ASK_FOR, [])] * 5) == Counter({"": 5})
    assert facts(shop)["states"] == ["active"]


@pytest.mark.rule("PRV-2")
def test_who_stops_while_being_told_is_told_or_stopped_and_never_both(shop):
    watches = json.loads(shop.alone("script", CONFIRMED, ["3", "a%d@example.com"]).splitlines()[-1])
    shop.alone("script", BACK, [])
    tasks = [(STOP, [str(watch)]) for watch in watches]
    assert at_once(shop, *tasks, (TELL, []), (TELL, [])) == Counter({"": 5})
    assert facts(shop)["states"] == ["stopped"] * 3


def test_who_ends_all_while_the_worker_looks_at_them_waits_for_it_and_not_in_a_ring(shop):
    made = json.loads(shop.alone("script", THREE, []))
    held, stopped = (HELD, ["0", str(made[1])]), (STOP_ALL_AFTER, ["0.8", str(made[0])])
    assert at_once(shop, held, (TELL_AFTER, ["0.4"]), stopped) == Counter({"": 3})
    assert facts(shop)["states"] == ["stopped"] * 3


def test_who_ends_all_while_another_link_is_pressed_waits_for_it_and_not_in_a_ring(shop):
    first, second = json.loads(shop.alone("script", WAIT, ["2", "a@example.com%.0s"]))
    shop.alone("script", CONFIRM, [str(first)])
    shop.alone("script", WRITTEN_ANEW, [str(second)])
    held, stopped = (HELD, ["0", str(first)]), (STOP_ALL_AFTER, ["0.4", str(first)])
    answers = at_once(shop, held, stopped, (CONFIRM_AFTER, ["0.8", str(second)]))
    assert set(answers) <= {"", "LinkOver"}
    assert facts(shop)["states"] == ["stopped"] * 2


def test_a_link_and_a_profiles_button_pressed_at_once_leave_one_wish(shop):
    first, second = json.loads(shop.alone("script", WAIT, ["2", "arben@example.com%.0s"]))
    shop.alone("script", CONFIRM, [str(first)])
    held, pressed = (HELD, ["0", str(first)]), (CONFIRM_AFTER, ["0.4", str(second)])
    assert at_once(shop, held, pressed, (ASK_AFTER, ["0.8", "stock"])) == Counter({"": 3})
    states = facts(shop)["states"]
    assert (states.count("active"), states.count("waiting")) == (1, 0)


def test_a_button_that_is_pressed_while_the_worker_tells_waits_for_it_and_not_in_a_ring(shop):
    [wish] = json.loads(shop.alone("script", CHEAPER, []))
    held, pressed = (HELD, ["0", str(wish)]), (ASK_AFTER, ["0.8", "price"])
    assert at_once(shop, held, (TELL_AFTER, ["0.4"]), pressed) == Counter({"": 3})
    # SQLite lets anybody go first: with what it costs by then there is nothing to tell.
    assert facts(shop)["states"] in (["active"], ["active", "told"])
