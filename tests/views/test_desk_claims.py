"""Complaints and withdrawals at the desk: what runs out first on top, answered once (AFT-3, AFT-4)."""

import pytest

from gateways.bank import Verdict
from models.actor import SHOPPER, Actor
from models.attachment import Attachment, put
from models.claim import Claim
from models.order import Order
from models.order_note import OrderNote
from models.outbox import Mail
from models.stock_return import StockReturn
from models.trail import AuditEntry
from tests.query_count import assert_query_count
from tests.staff import works
from tests.views.browser import Browser
from tests.views.test_html import faults
from tests.world import NOW, later, ordered

BOARD = "/desk/ankesat"
PDF = b"%PDF-1.4\n%%EOF"


@pytest.fixture
def agent(app, world) -> Browser:
    works("agent")
    browser = Browser(app)
    browser.log_in("agent@example.com")
    return browser


@pytest.fixture
def order(world) -> Order:
    made, payment = ordered(world, "CASE-BLACK")
    payment.settle(Verdict.PAID, later(1))
    return Order.get_by_id(made.id)


def complaint(order, key="k", now=NOW, **more) -> Claim:
    return Claim.open(order, "complaint", "late", key=key, by=SHOPPER, now=now, text="Ku është?", **more)


@pytest.fixture
def withdrawal(order) -> Claim:
    for minute, state in enumerate(("packed", "with_courier", "delivered")):
        order.move(state, by="warehouse", now=later(2 + minute))
    return Claim.open(order, "withdrawal", "no_reason", key="w", by=SHOPPER, now=later(10))


def page_of(claim) -> str:
    return f"{BOARD}/{claim.id}"


@pytest.mark.rule("AFT-4", "DSK-1")
def test_what_runs_out_first_stands_on_top_and_what_is_answered_below(agent, world, order, clock):
    first = complaint(order)
    other, _ = ordered(world, "TAB-GREY-64", now=later(1))
    second = complaint(other, now=later(days=3))
    done = complaint(order, key="d")
    done.answer("Erdhi.", by=Actor("agent", "agent@example.com"), now=later(5))
    clock.move_to(later(days=13))
    agent.log_in("agent@example.com")
    page = agent.get(BOARD)
    links = [a.get("href") for a in page.all("a") if (a.get("href") or "").startswith(f"{BOARD}/")]
    assert links == [page_of(first), page_of(second), page_of(done)]
    assert "edhe 2 ditë" in page.words
    assert page.text_of("p") == "2 presin përgjigje"
    clock.move_to(later(days=16))
    agent.log_in("agent@example.com")
    assert "vonë 1 ditë" in agent.get(BOARD).words


@pytest.mark.rule("AFT-4")
def test_the_list_is_as_quick_when_it_is_long(agent, world, order):
    complaint(order)
    with assert_query_count(12) as few:
        agent.get(BOARD)
    for index in range(30):
        first = Claim.select().first()
        values = {name: value for name, value in first.__data__.items() if name not in ("id", "key")}
        Claim.create(**values, key=f"c{index}")
    with assert_query_count(len(few)):
        page = agent.get(BOARD)
    [following] = page.all("a", rel="next")
    assert len(agent.get(following.get("href")).all("tr")) == 1 + 6
    for wrong in ("0", "99", "x", "-1"):
        assert agent.get(f"{BOARD}?faqe={wrong}").status == 200


@pytest.mark.rule("AFT-4", "DSK-1")
def test_a_complaint_is_answered_once_with_a_mail_and_an_entry_of_the_trail(agent, order):
    claim = complaint(order)
    form = agent.get(page_of(claim)).form(page_of(claim))
    assert agent.post(page_of(claim), form).status == 422
    for _ in range(2):
        page = agent.post(page_of(claim), form | {"pergjigja": "Vjen nesër.\n\nNa falni."})
        assert (page.status, page.location) == (303, f"{page_of(claim)}?u=pergjigjur")
    claim = Claim.get_by_id(claim.id)
    assert (claim.state, claim.reply, claim.answered_by) == (
        "answered",
        "Vjen nesër.\n\nNa falni.",
        "agent@example.com",
    )
    assert Mail.select().where(Mail.kind == "claim_answered").count() == 1
    assert AuditEntry.select().where(AuditEntry.what == "claim_answered").count() == 1
    assert "Vjen nesër." in agent.get(page_of(claim)).words


@pytest.mark.rule("AFT-4", "DSK-1")
def test_of_two_who_answer_the_second_is_told_and_what_was_typed_is_still_there(app, agent, order):
    claim = complaint(order)
    works("agent", "agent2@example.com")
    colleague = Browser(app)
    colleague.log_in("agent2@example.com")
    mine, theirs = (browser.get(page_of(claim)).form(page_of(claim)) for browser in (agent, colleague))
    agent.post(page_of(claim), mine | {"pergjigja": "Vjen nesër."})
    page = colleague.post(page_of(claim), theirs | {"pergjigja": "Vjen të hënën."})
    assert page.status == 409
    assert "Vjen nesër." in page.words
    assert "Vjen të hënën." in page.words
    assert Claim.get_by_id(claim.id).reply == "Vjen nesër."


@pytest.mark.rule("AFT-4", "DSK-1")
def test_an_order_that_changed_meanwhile_is_told_before_the_answer_and_a_note_is_not(agent, order):
    claim = complaint(order)
    form = agent.get(page_of(claim)).form(page_of(claim)) | {"pergjigja": "Vjen nesër."}
    OrderNote.add(order, "Thirri.", by=Actor("agent", "a@example.com"), now=later(2), key="n")
    order.move("packed", by="warehouse", now=later(3))
    page = agent.post(page_of(claim), form)
    assert page.status == 409
    assert "U përgatit" in page.text_of("nderkohe")
    again = page.form(page_of(claim)) | {"pergjigja": "Vjen nesër."}
    OrderNote.add(order, "Thirri.", by=Actor("agent", "a@example.com"), now=later(4), key="n2")
    assert agent.post(page_of(claim), again).status == 303


@pytest.mark.rule("AFT-3", "DSK-1")
def test_a_withdrawal_that_is_accepted_waits_for_its_pieces(agent, withdrawal):
    form = agent.get(page_of(withdrawal)).form(page_of(withdrawal))
    assert agent.post(page_of(withdrawal), form).status == 422
    for _ in range(2):
        assert agent.post(page_of(withdrawal), form | {"vendimi": "prano"}).status == 303
    assert Claim.get_by_id(withdrawal.id).state == "accepted"
    assert StockReturn.select().count() == 1
    assert "E pranuar, pritet kthimi" in agent.get(f"/desk/porosite/{withdrawal.order.number}").words


@pytest.mark.rule("AFT-3")
def test_a_refusal_says_why(agent, withdrawal):
    form = agent.get(page_of(withdrawal)).form(page_of(withdrawal)) | {"vendimi": "refuzo"}
    page = agent.post(page_of(withdrawal), form)
    assert page.status == 422
    assert page.by_id("pergjigja-error") is not None
    assert agent.post(page_of(withdrawal), form | {"pergjigja": "U hap."}).status == 303
    assert Claim.get_by_id(withdrawal.id).state == "refused"
    assert not StockReturn.select().exists()
    assert agent.post(page_of(withdrawal), form | {"vendimi": "x"}).status == 422


@pytest.mark.rule("AFT-4")
def test_a_proof_is_a_download_of_its_own_claim_alone(agent, order):
    with_proof = complaint(order, papers=[put("fatura.pdf", PDF)])
    without = complaint(order, key="other")
    [proof] = Attachment.select()
    page = agent.get(f"{page_of(with_proof)}/deshmia/{proof.id}")
    assert page.status == 200
    assert page.headers["Content-Disposition"].startswith("attachment")
    assert "fatura.pdf" in agent.get(page_of(with_proof)).words
    assert agent.get(f"{page_of(without)}/deshmia/{proof.id}").status == 404
    for number in (0, 99, 2**40):
        assert agent.get(f"{BOARD}/{number}").status == 404
        assert agent.get(f"{page_of(with_proof)}/deshmia/{number}").status == 404


@pytest.mark.rule("AFT-4", "DSK-1")
def test_a_complaint_by_phone_is_written_down_once(agent, order):
    path = f"{BOARD}/e-re/{order.number}"
    form = agent.get(path).form(path)
    assert agent.post(path, form).status == 422
    assert agent.post(path, form | {"per": "changed_mind", "teksti": "x"}).status == 422
    for _ in range(2):
        page = agent.post(path, form | {"per": "not_received", "teksti": "S’ka ardhur."})
        assert page.location == page_of(Claim.get())
    [claim] = Claim.select()
    assert (claim.role, claim.about, claim.text) == ("agent", "not_received", "S’ka ardhur.")
    for key in ("b", "c"):
        complaint(order, key=key)
    page = agent.post(path, {"per": "late", "teksti": "Prapë.", "celesi": "another-key-of-the-form"})
    assert page.status == 409
    assert "Prapë." in page.html


@pytest.mark.parametrize(("language", "prefix"), [("sq", ""), ("mk", "/mk"), ("en", "/en")])
def test_the_pages_are_valid_in_each_language(agent, withdrawal, language, prefix):
    complaint(withdrawal.order, papers=[put("fatura.pdf", PDF)])
    new = f"{prefix}{BOARD}/e-re/{withdrawal.order.number}"
    paths = [f"{prefix}{BOARD}", new, *(prefix + page_of(claim) for claim in Claim.select())]
    pages = [agent.get(path) for path in paths] + [agent.post(path, {}) for path in paths[1:]]
    for page in pages:
        assert page.status in (200, 422)
        assert faults(page.html, language) == []
