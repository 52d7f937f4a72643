"""The audit trail in words (DSK-1)."""

import re

import pytest

import config
from models.actor import SHOPPER, Actor
from models.order_change import Wanted, change
from models.trail import trail_of
from tests.world import NOW, ordered
from views.trail_words import WHAT, step_in_words

AGENT = Actor("agent", "agent@example.com")
WRITTEN = re.compile(r"\brecord\(\s*[^,()]+(?:\([^()]*\))?,\s*\"([a-z_]+)\"")


@pytest.fixture
def words(app, world):
    """The last step of an order, in the words of a language."""

    def last(order, language="sq"):
        with app.test_request_context("/", environ_base={"dyqani.language": language}):
            return step_in_words(trail_of(order)[-1])

    return last


@pytest.mark.rule("DSK-1")
def test_what_changed_is_told_with_what_stood_there_before(words, world):
    order = ordered(world, "CASE-BLACK")[0]
    wanted = Wanted.of(order, street="Rr. Marshalli 5", phone="38971234567")
    change(order, wanted, by=AGENT, now=NOW, why="telefonoi")
    said = words(order)
    assert (said.what, said.by, said.role) == ("Porosia u ndryshua", "Agjent · agent@example.com", "Agjent")
    assert said.why == "telefonoi"
    assert {(one.name, one.before, one.after) for one in said.changes} == {
        ("Adresa", "Rr. Ilindenit 12", "Rr. Marshalli 5"),
        ("Telefoni", "070\u00a0123\u00a0456", "071\u00a0234\u00a0567"),
    }
    assert words(order, "en").what == "The order was changed"


def test_a_state_is_told_by_its_name(words, world):
    order = ordered(world, "CASE-BLACK")[0]
    order.move("cancelled", by=SHOPPER, now=NOW)
    said = words(order)
    assert (said.what, said.by, said.changes) == ("Anuluar", "Klienti", [])


@pytest.mark.rule("DSK-1")
def test_all_that_the_code_writes_into_the_trail_has_words():
    written = set()
    for folder in ("models", "views", "commands"):
        for file in (config.ROOT / folder).rglob("*.py"):
            written |= set(WRITTEN.findall(file.read_text("utf-8")))
    assert "changed" in written
    assert written - set(WHAT) == set()
