"""The list of refunds at the desk, and the button that has one tried (PAY-9, DSK-1)."""

import pytest

from models.actor import Actor
from models.cancellation import cancel
from models.payment import Refund
from models.trail import AuditEntry
from tests.papers import subscribed
from tests.query_count import assert_query_count
from tests.staff import works
from tests.views.browser import Browser
from tests.world import build, later

AGENT = Actor("agent", "agent@example.com")
BOARD = "/desk/kthimet"


@pytest.fixture
def agent(app):
    works("agent")
    browser = Browser(app)
    browser.log_in("agent@example.com")
    return browser


@pytest.fixture
def refund():
    cancel(subscribed(build()), by=AGENT, now=later(5))
    Refund.update(try_at=later(days=4000), tries=4, reason="CORE-2507 IP not allowed", refused_at=later(6)).execute()
    return Refund.get()


@pytest.mark.rule("PAY-9")
def test_the_list_says_what_waits_why_and_since_when(agent, refund):
    page = agent.get(BOARD)
    assert page.status == 200
    for words in (
        refund.payment.order.number,
        "990 den",
        "banka e refuzoi",
        "CORE-2507 IP not allowed",
        "Provo tani",
    ):
        assert words in page.words.replace("\u00a0", " "), words
    refund._write_done(later(9))
    assert "Të gjitha paratë janë kthyer." in agent.get(BOARD).words


@pytest.mark.rule("PAY-9", "DSK-1")
def test_the_button_has_it_tried_once_however_often_it_is_pressed(agent, refund):
    path = f"{BOARD}/{refund.id}/provo"
    assert path in agent.get(BOARD).html
    for _ in range(2):
        answer = agent.post(path)
        assert (answer.status, answer.location) == (303, BOARD)
    assert Refund.get().try_at < later(days=4000)
    assert AuditEntry.select().where(AuditEntry.what == "refund_hurried").count() == 1
    page = agent.get(BOARD)
    assert path not in page.html
    # Until the worker was there, the list asks for itself.
    assert page.by_id("kthimet").get("hx-trigger") == "load delay:3s"


def test_a_refund_that_there_is_not_is_not_found(agent):
    assert agent.post(f"{BOARD}/17/provo").status == 404
    assert agent.get(f"{BOARD}/17/provo").status == 405


def test_the_list_asks_as_few_queries_for_one_refund_as_for_many(agent, refund):
    agent.get(BOARD)
    with assert_query_count(10):
        agent.get(BOARD)
