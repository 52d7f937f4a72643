"""What is mailed after an order: changes, cancellations, claims and their answers, in three languages (AFT-1…4)."""

import pytest

import config
import mails
from gateways.bank import Verdict
from models.actor import SHOPPER, Actor
from models.cancellation import cancel
from models.claim import Claim
from models.order import Order
from models.order_change import Wanted, change
from models.outbox import Mail
from tests.test_mails import Seen, html_of, text_of
from tests.world import NOW, build, later, ordered

AGENT = Actor("agent", "agent@example.com")
WAREHOUSE = Actor("warehouse", "warehouse@example.com")


@pytest.fixture
def world():
    return build()


def paid(world, *skus, language="sq", states=()):
    order, payment = ordered(world, *(skus or ("CASE-BLACK",)), language=language)
    payment.settle(Verdict.PAID, later(1))
    order = Order.get_by_id(order.id)
    for state in states:
        order.move(state, by=WAREHOUSE, now=later(2))
    return order


def parts(kind):
    """The text and the words of the HTML of the last mail of `kind`, and its subject."""
    mail = Mail.select().where(Mail.kind == kind).order_by(Mail.id.desc()).first()
    message = mails.compose(mail)
    said = Seen(html_of(message)).text
    return (" ".join(text_of(message).split()), said), message["Subject"], message


@pytest.mark.rule("AFT-1", "MSG-3")
@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "sq",
            (
                "Rr. Marshalli 5",
                "më parë: Rr. Ilindenit 12",
                "1230 Gostivar",
                "071 222 333",
                "Blu",
                "më parë: E zezë",
            ),
        ),
        ("mk", ("Rr. Marshalli 5", "порано: Rr. Ilindenit 12", "1230 Гостивар", "071 222 333", "Сина")),
        ("en", ("Rr. Marshalli 5", "before: Rr. Ilindenit 12", "1230 Gostivar", "071 222 333", "Blue")),
    ],
)
def test_a_change_is_told_with_what_stood_there_before(world, language, said):
    blue = world["S25-BLUE-256"]
    blue.storage_gb = 128
    blue.save()
    order = paid(world, "S25-BLACK-128", language=language)
    line = order.lines()[0]
    wanted = Wanted.of(
        order,
        street="Rr. Marshalli 5",
        postal_code="1230",
        municipality="MK-604",
        phone="38971222333",
        colours={line.id: blue.id},
    )
    change(order, wanted, by=AGENT, now=later(5))
    texts, subject, _ = parts("order_changed")
    assert order.number in subject
    for text in texts:
        for words in (*said, order.number):
            assert words in text, words
        assert "agent@example.com" not in text


@pytest.mark.rule("AFT-1")
def test_a_note_that_was_taken_away_is_told_as_none(world):
    order = paid(world)
    Order.update(note="Kati 3").where(Order.id == order.id).execute()
    order = Order.get_by_id(order.id)
    change(order, Wanted.of(order, note=""), by=SHOPPER, now=later(5))
    for text in parts("order_changed")[0]:
        assert "pa shënim" in text
        assert "më parë: Kati 3" in text


@pytest.mark.rule("AFT-2", "PAY-9", "MSG-3")
@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("sq", "990 den kthehen në kartelën me të cilën u pagua, brenda 3 ditëve të punës."),
        ("mk", "990 ден. се враќаат на картичката со која е платено, во рок од 3 работни дена."),
        ("en", "goes back to the card that was paid with, within 3 working days."),
    ],
)
def test_a_cancellation_says_what_returns_and_when(world, language, said):
    order = paid(world, language=language)
    cancel(order, by=SHOPPER, now=later(5), why="too_slow")
    texts, subject, _ = parts("order_cancelled")
    assert order.number in subject
    for text in texts:
        assert said in text


@pytest.mark.rule("AFT-2")
def test_of_an_order_that_nobody_paid_nothing_is_promised_back(world):
    order, _ = ordered(world, "CASE-BLACK")
    cancel(order, by=SHOPPER, now=later(5))
    for text in parts("order_cancelled")[0]:
        assert "Nuk ju është marrë asnjë pagesë." in text
        assert "kthehen në kartelën" not in text


@pytest.mark.rule("AFT-4", "MSG-3")
@pytest.mark.parametrize(
    ("language", "day"),
    [("sq", "më së voni më 25.03.2026"), ("mk", "најдоцна на 25.03.2026"), ("en", "by 25.03.2026")],
)
def test_a_complaint_is_confirmed_with_what_was_written_and_the_last_day_of_the_answer(world, language, day):
    order = paid(world, language=language)
    Claim.open(order, "complaint", "late", key="k", by=SHOPPER, now=NOW, text="Rreshti një\nRreshti <b>dy</b>")
    texts, subject, message = parts("claim_received")
    assert order.number in subject
    for text in texts:
        assert day in text
        assert "Rreshti një" in text
        assert "Rreshti <b>dy</b>" in text
    assert "<b>dy</b>" not in html_of(message)


@pytest.mark.rule("AFT-3", "AFT-4")
def test_answers_are_mailed_word_for_word_and_without_the_name_of_who_wrote_them(world):
    order = paid(world, states=("packed", "with_courier", "delivered"))
    complaint = Claim.open(order, "complaint", "other", key="a", by=SHOPPER, now=NOW, text="Mungon kablli.")
    complaint.answer("Na vjen keq.\n\nJua dërgojmë nesër.", by=AGENT, now=later(9))
    for text in parts("claim_answered")[0]:
        assert "Na vjen keq." in text
        assert "Jua dërgojmë nesër." in text
        assert "agent@example.com" not in text
    Claim.open(order, "withdrawal", "no_reason", key="b", by=SHOPPER, now=NOW).decide(
        False, by=AGENT, now=later(9), why="Pajisja është e hapur."
    )
    texts, subject, _ = parts("claim_answered")
    assert subject == f"Tërheqja nga porosia {order.number} nuk u pranua"
    for text in texts:
        assert "Pajisja është e hapur." in text
        assert "Nuk mund ta pranojmë." in text
    Claim.open(order, "withdrawal", "no_reason", key="c", by=SHOPPER, now=NOW).decide(True, by=AGENT, now=later(10))
    texts, subject, message = parts("claim_answered")
    assert subject == f"Tërheqja nga porosia {order.number} u pranua"
    assert f"{config.BASE_URL}/dyqanet" in Seen(html_of(message)).links
    for text in texts:
        assert "sillni te dyqani më i afërt" in text


@pytest.mark.rule("MSG-1", "PRV-1")
@pytest.mark.parametrize("language", ["sq", "mk", "en"])
def test_each_mail_is_whole_and_asks_nobody_for_pictures(world, language):
    order = paid(world, language=language, states=("packed",))
    change(order, Wanted.of(order, note="Kati 3"), by=SHOPPER, now=later(5))
    cancel(Order.get_by_id(order.id), by=SHOPPER, now=later(6))
    Claim.open(order, "complaint", "not_received", key="k", by=SHOPPER, now=later(7), text="x").answer(
        "Po.", by=AGENT, now=later(8)
    )
    for kind in ("order_changed", "order_cancelled", "claim_received", "claim_answered"):
        texts, subject, message = parts(kind)
        assert order.number in subject
        assert message["Content-Language"] == language
        seen = Seen(html_of(message))
        found = {part["Content-ID"].strip("<>") for part in message.walk() if part["Content-ID"]}
        assert {image.removeprefix("cid:") for image in seen.images} == found
        assert all(link.startswith((config.BASE_URL, "mailto:")) for link in seen.links)
        assert any(f"/porosia/{order.number}?k=" in link for link in seen.links) or kind == "claim_answered"
        for text in texts:
            assert order.number in text
        assert "{" not in texts[0]
