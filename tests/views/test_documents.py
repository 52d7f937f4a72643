"""Papers on the order's page and at the desk: who opens which, and what the pages list (DLV-4)."""

from datetime import timedelta

import pytest

from models.actor import Actor
from models.base import utcnow
from models.bss_event import BssEvent
from models.cancellation import cancel
from models.document import Document
from models.identification import Identification
from models.order_change import Wanted as Changed
from models.order_change import change
from models.payment import Refund
from models.staff import Staff
from tests.papers import brought_to, pages, subscribed
from tests.query_count import assert_query_count
from tests.staff import works
from tests.views.browser import HOST, Browser
from tests.views.test_html import faults
from tests.world import build, later, ordered

AGENT = Actor("agent", "agent@example.com")


@pytest.fixture
def world():
    return build()


@pytest.fixture
def order(world):
    return brought_to(subscribed(world), "packed")


def owner(app) -> Browser:
    """Whose order it is."""
    browser = Browser(app)
    browser.log_in("arben@example.com")
    return browser


def at_work(app, role: str) -> Browser:
    works(role)
    browser = Browser(app)
    browser.log_in(f"{role}@example.com")
    return browser


def identified(order, who: str = "agent@example.com", now=None) -> None:
    """The agent has the order's customer on the phone."""
    Identification.create(order=order, at=now or utcnow(), role="agent", who=who, compared="sim", matched=True)


def paper(browser, path: str):
    return browser.client.get(path, base_url=HOST)


def path(order, name: str, desk: bool = False) -> str:
    return f"{'/desk/porosite' if desk else '/porosia'}/{order.number}/dokumentet/{name}.pdf"


@pytest.mark.rule("DLV-4")
@pytest.mark.parametrize("name", ["konfirmimi", "kontrata-2", "pranimi"])
def test_the_shopper_opens_the_papers_of_the_own_order(app, order, name):
    answer = paper(owner(app), path(order, name))
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Content-Disposition"] == f'inline; filename="{order.number}-{name}.pdf"'
    assert order.number in pages(answer.data)[0]


@pytest.mark.rule("DLV-4", "PRV-1")
@pytest.mark.parametrize("name", ["konfirmimi", "kontrata-2", "pranimi", "kthimi-1"])
def test_strangers_find_no_papers(app, order, name):
    guest, other = Browser(app), Browser(app)
    other.post("/profili/krijo", {})
    for browser in (guest, other):
        answer = paper(browser, path(order, name))
        assert answer.status_code == 404
        assert b"PDF" not in answer.data[:10]
    assert guest.get(path(order, name, desk=True)).location.startswith("/hyr")


@pytest.mark.rule("DLV-4")
@pytest.mark.parametrize(
    "name", ["kontrata-1", "kontrata-3", "kontrata", "kthimi", "kthimi-1", "fatura", "pranimi-1"]
)
def test_a_paper_that_the_order_has_not_is_not_found(app, order, name):
    assert paper(owner(app), path(order, name)).status_code == 404
    assert paper(at_work(app, "agent"), path(order, name, desk=True)).status_code == 404
    assert paper(at_work(app, "warehouse"), f"/desk/porosite/DY-0000/dokumentet/{name}.pdf").status_code == 404


@pytest.mark.rule("DLV-4")
def test_what_comes_with_the_parcel_opens_for_the_shopper_once_it_is_packed_and_for_the_desk_before(app, world):
    order = subscribed(world)
    shopper, warehouse = owner(app), at_work(app, "warehouse")
    assert paper(shopper, path(order, "konfirmimi")).status_code == 200
    for name in ("pranimi", "kontrata-2"):
        assert paper(shopper, path(order, name)).status_code == 404
        assert paper(warehouse, path(order, name, desk=True)).status_code == 200
    brought_to(order, "packed")
    assert paper(shopper, path(order, "pranimi")).status_code == 200
    assert Document.select().count() == 3


@pytest.mark.rule("DLV-4")
def test_a_signed_link_opens_a_paper_and_leaves_the_address_without_its_token(app, order):
    from models.order_link import sign

    browser = Browser(app)
    answer = paper(browser, f"{path(order, 'konfirmimi')}?k={sign(order)}")
    assert (answer.status_code, answer.headers["Location"]) == (303, path(order, "konfirmimi"))
    assert paper(browser, path(order, "konfirmimi")).status_code == 200


@pytest.mark.rule("DLV-4", "PRV-1", "DSK-1")
def test_an_agent_opens_papers_while_the_caller_is_identified_and_is_told_so_before(app, world, order):
    agent, other = at_work(app, "agent"), ordered(world, "CASE-BLACK")[0]
    identified(other)
    identified(order, who="agent2@example.com")
    identified(order, now=utcnow() - timedelta(minutes=31))
    first_issue = path(order, "pranimi", desk=True) + "?botimi=1"
    for name in (path(order, "konfirmimi", desk=True), first_issue):
        page = agent.get(name)
        assert page.status == 409
        assert "Identifikoni klientin" in page.words
        assert [a for a in page.all("a") if a.get("href") == f"/desk/porosite/{order.number}#thirresi"]
        for personal in ("Ana", "Markovska", "Ilindenit", "ana@example.com", "070 123 456"):
            assert personal not in page.words, personal
        assert faults(page.html, "sq") == []
    identified(order)
    assert paper(agent, path(order, "konfirmimi", desk=True)).status_code == 200
    Identification.end(order, AGENT, utcnow())
    assert paper(agent, path(order, "konfirmimi", desk=True)).status_code == 409
    # Who packs needs them without a caller.
    warehouse = at_work(app, "warehouse")
    assert paper(warehouse, path(order, "konfirmimi", desk=True)).status_code == 200


@pytest.mark.rule("DLV-4", "AFT-1")
def test_the_desk_opens_earlier_issues_too(app, order):
    change(order, Changed.of(order, street="Bulevardi i Ri 7"), by=AGENT, now=later(5))
    agent = at_work(app, "agent")
    identified(order)
    latest, first = (paper(agent, path(order, "pranimi", desk=True) + query) for query in ("", "?botimi=1"))
    assert "Bulevardi i Ri 7" in pages(latest.data)[0]
    assert "Rr. Ilindenit 12" in pages(first.data)[0]
    for wrong in ("0", "3", "-1", "një", "99999"):
        assert paper(agent, f"{path(order, 'pranimi', desk=True)}?botimi={wrong}").status_code == 404
    # The shopper has the one that counts.
    shown = paper(owner(app), path(order, "pranimi") + "?botimi=1")
    assert "Bulevardi i Ri 7" in pages(shown.data)[0]


@pytest.mark.rule("DLV-4", "DSK-2")
def test_the_warehouse_prints_what_goes_into_many_parcels_at_once(app, world, order):
    from tests.papers import of_new_number

    second, waiting = of_new_number(world, "en"), ordered(world, "CASE-BLACK")[0]
    warehouse = at_work(app, "warehouse")
    many = "&".join(f"numri={one.number}" for one in (order, second, waiting, order))
    answer = paper(warehouse, f"/desk/dokumentet.pdf?{many}")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    read = pages(answer.data)
    assert [order.number in page for page in read] == [True, True, False, False]
    assert [second.number in page for page in read] == [False, False, True, True]
    assert paper(warehouse, f"/desk/dokumentet.pdf?numri={waiting.number}").status_code == 404
    assert paper(warehouse, "/desk/dokumentet.pdf?numri=x").status_code == 404
    assert paper(warehouse, "/desk/dokumentet.pdf").status_code == 400
    too_many = "&".join(f"numri=DY-{number}" for number in range(51))
    assert paper(warehouse, f"/desk/dokumentet.pdf?{too_many}").status_code == 400


@pytest.mark.rule("DLV-4")
def test_a_paper_asks_few_queries(app, order):
    browser, agent = owner(app), at_work(app, "agent")
    identified(order)
    for who, desk in ((browser, False), (agent, True)):
        paper(who, path(order, "pranimi", desk=desk))
        with assert_query_count(14):
            assert paper(who, path(order, "pranimi", desk=desk)).status_code == 200


@pytest.mark.rule("DLV-4", "PAY-9")
def test_a_cancelled_orders_page_has_its_refund_note_and_says_what_goes_back(app, order):
    cancel(order, by=AGENT, now=later(5))
    browser = owner(app)
    Refund.get()._write_done(later(6))
    BssEvent.update(state="sent").execute()
    assert paper(browser, path(order, "kthimi-1")).status_code == 200
    for gone in ("pranimi", "kontrata-2"):
        assert paper(browser, path(order, gone)).status_code == 404


def in_page(app, template: str, order, url: str, role: str = "warehouse") -> str:
    """What a page that includes `template` shows of it, to who works in `role`."""
    from flask import g, render_template

    with app.test_request_context(url, base_url=HOST):
        g.staff = Staff(role=role)
        return " ".join(render_template(template, order=order).split())


@pytest.mark.rule("DLV-4")
def test_the_box_of_papers_announces_what_is_to_come_and_links_what_is_there(app, world):
    order = subscribed(world)
    box = in_page(app, "orders/_documents.html", order, "/")
    assert path(order, "konfirmimi") in box
    assert path(order, "pranimi") not in box
    assert "Formulari i pranimit" in box
    assert "Kontrata Besnik 24" in box
    box = in_page(app, "orders/_documents.html", brought_to(order, "packed"), "/")
    for name in ("konfirmimi", "kontrata-2", "pranimi"):
        assert path(order, name) in box
    waiting, _ = ordered(world, "CASE-BLACK")
    assert "Formulari i pranimit" in in_page(app, "orders/_documents.html", waiting, "/")
    cancel(waiting, by=AGENT, now=later(1))
    assert in_page(app, "orders/_documents.html", waiting.relock(), "/") == ""


@pytest.mark.rule("DLV-4")
def test_the_desks_box_links_every_issue_and_the_print(app, order):
    order = change(order, Changed.of(order, street="Bulevardi i Ri 7"), by=AGENT, now=later(5))
    box = in_page(app, "desk/_documents.html", order, "/")
    assert path(order, "pranimi", desk=True) in box
    assert f"{path(order, 'pranimi', desk=True)}?botimi=1" in box
    assert f"{path(order, 'kontrata-2', desk=True)}?botimi=1" not in box
    assert f"/desk/dokumentet.pdf?numri={order.number}" in box
    # An agent has each paper, and nothing to pack.
    box = in_page(app, "desk/_documents.html", order, "/", role="agent")
    assert path(order, "pranimi", desk=True) in box
    assert "/desk/dokumentet.pdf" not in box


@pytest.mark.rule("PAY-9")
def test_the_box_of_what_goes_back_tells_shopper_and_desk_how_far_it_is(app, order):
    assert in_page(app, "orders/_money_back.html", order, "/") == ""
    cancel(order, by=AGENT, now=later(5))
    order = order.relock()
    box = in_page(app, "orders/_money_back.html", order, "/")
    for words in ("990\u00a0den në kartelë", "te banka", "25.920\u00a0den në faturë", "po njoftohet"):
        assert words.replace("\u00a0", " ") in box.replace("\u00a0", " "), box
    Refund.update(reason="CORE-2507 IP not allowed", refused_at=later(6)).execute()
    assert "CORE-2507" not in in_page(app, "orders/_money_back.html", order, "/")
    assert "CORE-2507" in in_page(app, "desk/_money_back.html", order, "/")
    Refund.get()._write_done(later(7))
    BssEvent.update(state="sent", sent_at=later(8)).execute()
    box = in_page(app, "orders/_money_back.html", order, "/")
    for words in ("u kthye", "operatori u njoftua", "10.03.2026"):
        assert words in box, box
