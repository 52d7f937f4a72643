"""Papers of orders: what each says in three languages, and that a reprint is the same (DLV-4)."""

import io
import time
import unicodedata

import pytest
from peewee import IntegrityError
from pypdf import PdfReader

from mails import compose
from models.actor import SHOPPER, Actor
from models.base import IS_SQLITE, db
from models.cancellation import cancel
from models.claim import Claim
from models.document import Document, Wanted, draw_together, due
from models.money import money
from models.order import Order
from models.order_change import Wanted as Changed
from models.order_change import change
from models.outbox import Mail
from models.payment import Refund
from models.stock_return import StockReturn
from tests.papers import NEW, brought_to, of_new_number, pages, paid, subscribed, text, with_points
from tests.query_count import assert_query_count
from tests.world import NOW, build, cart_with, checkout_of, in_state, later, ordered, place

AGENT = Actor("agent", "agent@example.com")
DELIVERED = ("packed", "with_courier", "delivered")
LANGUAGES = ("sq", "mk", "en")
CONFIRMATION, RECEIPT = Wanted("confirmation"), Wanted("receipt")


@pytest.fixture
def world():
    return build()


def kinds(order):
    return [
        (one.kind, one.about, one.issue) for one in Document.select().where(Document.order == order).order_by("id")
    ]


def said(order, wanted) -> str:
    return text(Document.find(order, wanted, later(9)).draw())


def den(amount, language):
    return money(amount, language).replace("\u00a0", " ")


# When they are issued


@pytest.mark.rule("DLV-4")
def test_the_confirmation_is_issued_when_it_is_confirmed_and_what_comes_with_the_parcel_when_it_is_packed(world):
    waiting, _ = ordered(world, "CASE-BLACK")
    assert kinds(waiting) == []
    order = subscribed(world)
    assert kinds(order) == [("confirmation", 0, 1)]
    brought_to(order, "packed")
    assert kinds(order) == [("confirmation", 0, 1), ("contract", 2, 1), ("receipt", 0, 1)]
    assert [one.issued_at for one in Document.of(order)] == [later(1), later(2), later(2)]


@pytest.mark.rule("DLV-4")
def test_an_order_with_nothing_to_be_paid_now_has_its_confirmation_at_once(world):
    order = subscribed(world, extra=())
    assert order.due_now == 0
    assert kinds(order) == [("confirmation", 0, 1)]


@pytest.mark.rule("DLV-4", "AFT-1")
def test_a_change_before_dispatch_issues_the_papers_anew_and_the_old_ones_stay(world):
    order = brought_to(subscribed(world), "packed")
    first = Document.find(order, RECEIPT, later(3))
    old = first.draw()
    wanted = Changed.of(order, street="Bulevardi i Ri 7", phone="38971222333")
    order = change(order, wanted, by=AGENT, now=later(4))
    assert sorted(kinds(order))[:2] == [("confirmation", 0, 1), ("confirmation", 0, 2)]
    new = Document.find(order, RECEIPT, later(5))
    assert (new.issue, new.issued_at) == (2, later(4))
    assert "Bulevardi i Ri 7" in text(new.draw())
    assert "Botimi 2" in text(new.draw())
    again = Document.find(order, RECEIPT, later(5), issue=1)
    assert (again.draw(), "Rr. Ilindenit 12" in text(old)) == (old, True)
    order = change(order, Changed.of(order, phone="38971222444"), by=AGENT, now=later(6))
    order = change(order, wanted, by=AGENT, now=later(7))
    assert Document.find(order, RECEIPT, later(8)).issue == 4


@pytest.mark.rule("DLV-4")
def test_papers_that_say_the_same_are_no_other_issue(world):
    order = brought_to(subscribed(world), "packed")
    before = kinds(order)
    for minute in (5, 6):
        with db.atomic():
            Document.issue_all(order.relock(), later(minute))
        assert Document.find(order, RECEIPT, later(minute)).issue == 1
        assert [one.issue for one in Document.for_parcel(order, later(minute))] == [1, 1]
    assert kinds(order) == before


@pytest.mark.rule("DLV-4")
def test_after_dispatch_nothing_is_issued_anew(world):
    order = brought_to(subscribed(world), "packed", "with_courier")
    Order.update(phone="38970999999").where(Order.id == order.id).execute()
    assert Document.find(order.relock(), RECEIPT, later(9)).issue == 1
    assert "070 999 999" not in said(order, RECEIPT)


@pytest.mark.rule("DLV-4")
def test_an_order_from_before_there_were_papers_has_them_when_they_are_asked_for(world):
    order = subscribed(world)
    order = in_state(order, "delivered")
    assert [one.kind for one in Document.of(order)] == ["confirmation"]
    assert Document.find(order, RECEIPT, later(99)).issued_at == later(99)
    assert Document.find(order, RECEIPT, later(100)).issued_at == later(99)


@pytest.mark.rule("DLV-4")
@pytest.mark.parametrize("wanted", [Wanted("contract", 1), Wanted("contract", 9), Wanted("refund", 1)])
def test_a_paper_that_the_order_does_not_have_is_not_made(world, wanted):
    order = brought_to(subscribed(world), "packed")
    with pytest.raises(LookupError):
        Document.find(order, wanted, later(9))
    assert Document.select().count() == 3


def test_the_papers_of_an_order_that_ended_are_those_it_had(world):
    waiting, _ = ordered(world, "CASE-BLACK")
    assert due(waiting) == []
    cancel(waiting, by=AGENT, now=later(1))
    assert due(waiting.relock()) == []
    order = brought_to(subscribed(world), "packed")
    cancel(order, by=AGENT, now=later(5))
    assert due(order.relock()) == [CONFIRMATION]


# What they say


@pytest.mark.rule("DLV-4", "LOC-1", "MSG-3")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_confirmation_says_what_was_ordered_in_the_orders_language(world, language):
    order = subscribed(world, language, recipient="Besnik Đorđević")
    told = said(order, CONFIRMATION)
    title = {"sq": "Konfirmimi i porosisë", "mk": "Потврда на нарачката", "en": "Order confirmation"}
    assert title[language] in told
    case = {"sq": "Këllëf për Galaxy S25", "mk": "Футрола за Galaxy S25", "en": "Case for Galaxy S25"}
    gift = {"sq": "Kufje Galaxy Buds FE", "mk": "Слушалки Galaxy Buds FE", "en": "Galaxy Buds FE earbuds"}
    place = {"sq": "1200 Tetovë", "mk": "1200 Тетово", "en": "1200 Tetovo"}
    month = {"sq": "Në muaj, 24 muaj", "mk": "Месечно, 24 месеци", "en": "A month, for 24 months"}
    for words in (case, gift, place, month):
        assert words[language] in told, told
    for expected in (
        order.number,
        "Ana Markovska",
        "ana@example.com",
        "070 123 456",
        "Rr. Ilindenit 12",
        "S25-BLACK-128",
        "Linja M",
        "070 100 001",
        "Arben Osmani",
        den(2_592_000, language),
        den(99_000, language),
        den(2_691_000, language),
        den(108_000 + 89_900, language),
        "2026-11",
    ):
        assert expected in told, expected


@pytest.mark.rule("DLV-3", "DLV-4", "LOC-1")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_contract_says_who_signs_what_for_how_much(world, language):
    order = subscribed(world, language)
    told = said(order, Wanted("contract", 2))
    title = {"sq": "Kontrata Besnik 24", "mk": "Договор Besnik 24", "en": "Besnik 24 contract"}
    interest = {
        "sq": "me këste pa kamatë: 24 × 1.080 den",
        "mk": "на рати без камата: 24 × 1.080 ден.",
        "en": "interest-free instalments: 24 × 1,080 den",
    }
    for words in (title, interest):
        assert words[language] in told, told
    for expected in (
        f"{order.number}/2",
        "Arben Osmani",
        "S-38970100001",
        "070 100 001",
        "Galaxy S25, 128 GB",
        "Linja M",
        den(89_900, language),
        den(2_592_000, language),
        den(197_900, language),
        den(2_592_000 + 24 * 89_900, language),
    ):
        assert expected in told, expected
    # Somebody else's things are on no contract.
    assert "Ana Markovska" not in told


@pytest.mark.rule("DLV-4", "LOC-1")
@pytest.mark.parametrize(
    ("language", "title"),
    [("sq", "Kontrata për numër të ri"), ("mk", "Договор за нов број"), ("en", "Contract for a new number")],
)
def test_the_contract_of_a_new_number_is_signed_by_who_ordered_it(world, language, title):
    order = of_new_number(world, language)
    told = said(order, Wanted("contract", 1))
    for expected in (title, "Ana Markovska", "070 200 001", den(2_880_000, language), "Galaxy S25, 128 GB"):
        assert expected in told, expected
    assert "Besnik" not in told
    assert NEW not in told


@pytest.mark.rule("DLV-3", "DLV-4", "LOC-1")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_receipt_form_says_who_may_receive_it_and_has_room_for_what_is_checked(world, language):
    told = said(subscribed(world, language), RECEIPT)
    expected = {
        "sq": (
            "E pranon vetëm poseduesi i numrit, Arben Osmani, ose dikush me autorizimin e tij të rregullt",
            "Letërnjoftim",
            "Pasaportë",
            "Autorizimi",
            "IMEI ose numri serik",
            "Pranuesi",
            "Korrieri",
            "Kontrata për 070 100 001, dy kopje",
        ),
        "mk": ("само носителот на бројот, Arben Osmani", "Лична карта", "Пасош", "Полномошно", "Примач", "Курир"),
        "en": (
            "Only the number’s holder, Arben Osmani",
            "Identity card",
            "Authorisation",
            "Recipient",
            "The courier",
        ),
    }
    for words in expected[language]:
        assert words in told, words


@pytest.mark.rule("DLV-3", "DLV-4")
def test_without_a_contract_the_named_person_receives_it_and_no_authorisation_is_asked_for(world):
    checkout = checkout_of(cart_with(world, "CASE-BLACK"), recipient="Besa Čaušević")
    told = said(paid(*place(checkout)), RECEIPT)
    assert "E pranon Besa Čaušević, kundrejt një dokumenti të vlefshëm identifikimi." in told
    assert "Autorizimi" not in told


@pytest.mark.rule("DLV-3", "DLV-4", "PAY-4")
def test_what_points_paid_is_told_and_goes_to_their_holder(world):
    order = with_points(world)
    told = said(order, CONFIRMATION)
    for expected in (
        "1.000 pikë nga 070 100 001",
        "−500 den",
        "11.490 den",
        "vetëm poseduesi i numrit, Arben Osmani",
    ):
        assert expected in told, expected


@pytest.mark.rule("DLV-4", "PAY-9", "LOC-1")
@pytest.mark.parametrize(
    ("language", "title", "billed"),
    [
        ("sq", "Vërtetim për kthimin e parave", "25.920 den në faturën e numrit 070 100 001 nuk faturohen"),
        ("mk", "Потврда за враќање на парите", "на сметката на бројот 070 100 001"),
        ("en", "Refund note", "25,920 den are not charged on the bill of the number 070 100 001"),
    ],
)
def test_the_refund_note_says_what_went_back(world, language, title, billed):
    order = subscribed(world, language)
    cancel(order, by=AGENT, now=later(5))
    refund = Refund.get()
    with pytest.raises(LookupError):
        Document.find(order.relock(), Wanted("refund", refund.id), later(6))
    refund._write_done(later(7))
    [_, paper] = due(order.relock())
    found = Document.find(order.relock(), paper, later(9))
    assert found.issued_at == later(7)
    told = text(found.draw())
    for expected in (title, billed, order.number, den(99_000, language), "Ana Markovska", refund.payment.oid):
        assert expected in told, expected


@pytest.mark.rule("DLV-4", "PAY-9", "AFT-3", "LOC-1")
@pytest.mark.parametrize(
    ("language", "why", "gone"),
    [
        (
            "sq",
            ("Blerësi u tërhoq nga blerja e artikujve të shënuar.", "Artikujt që u kthyen"),
            "nuk e kishte më të nevojshme",
        ),
        ("mk", ("Купувачот се повлече од купувањето на наведените артикли.", "Вратени артикли"), "не се наплаќа"),
        ("en", ("The buyer withdrew from the purchase of the items listed.", "Items that were returned"), "charged"),
    ],
)
def test_the_refund_note_of_lines_that_went_back_alone_tells_of_them_alone(world, language, why, gone):
    order = brought_to(subscribed(world, language, extra=("CASE-BLACK", "SIM-PREPAID")), *DELIVERED)
    case = next(line for line in order.lines() if line.sku == "CASE-BLACK")
    claim = Claim.open(order, "withdrawal", "no_reason", key="k", by=SHOPPER, now=later(9), lines=[case.id])
    claim.decide(True, by=AGENT, now=later(10))
    StockReturn.of(order).arrive(by=AGENT, sellable=True, now=later(11))
    refund = Refund.get()
    refund._write_done(later(12))
    told = said(order.relock(), Wanted("refund", refund.id))
    for expected in (*why, "CASE-BLACK", den(99_000, language), den(129_000, language)):
        assert expected in told, expected
    for other in ("Galaxy S25, 128 GB", "SIM-PREPAID", "070 100 001", gone):
        assert other not in told, other
    message = compose(Mail.get(Mail.kind == "money_back"))
    for kind in ("plain", "html"):
        body = message.get_body((kind,)).get_content().replace("\u00a0", " ")
        assert why[1] in body
        assert case.title(language) in body
        assert "128 GB" not in body


@pytest.mark.rule("DLV-4")
def test_names_in_letters_that_the_font_has_not_are_written_as_near_as_it_can(world):
    order = subscribed(world)
    odd = {"first_name": "Ѝвана\u200f 李", "last_name": "Ștefănescu-Öztürk", "street": "Rr. „Nënë Tereza” 5‑a"}
    order = change(order, Changed.of(order, street=odd["street"]), by=AGENT, now=later(3))
    names = {name: odd[name] for name in ("first_name", "last_name")}
    Order.update(**names).where(Order.id == order.id).execute()
    told = unicodedata.normalize("NFC", said(order.relock(), CONFIRMATION))
    assert "Ѝвана ? Ștefănescu-Öztürk" in told
    assert "Rr. „Nënë Tereza” 5-a" in told


@pytest.mark.rule("DLV-4")
@pytest.mark.parametrize("language", LANGUAGES)
def test_long_names_and_many_lines_go_on_to_the_next_page_and_nothing_leaves_the_paper(world, language):
    from documents.sheet import HEIGHT, SIDE, WIDTH, Sheet

    order = subscribed(world, language)
    document = Document.find(order, CONFIRMATION, later(9))
    content = document.content
    name = "Aleksandrina-Konstantina Maximiliana Hadži-Stojanovska-Kërçovaliu"
    for block in content["blocks"]:
        if block[0] == "pairs":
            block[1][0][1], block[1][3][1] = name, "a" * 64 + "@" + "shumëgjatë." * 9 + "example.com"
        if block[0] == "table":
            block[1]["rows"] = [
                [[f"{name} {number}", f"{name} · {name}"], ["1"], ["1.999.999 den"], ["1.999.999 den"]]
                for number in range(40)
            ]
    written = []

    class Watched(Sheet):
        def text(self, x, y, text=""):
            written.append((x, y, x + self._measure(text, self.font_size_pt, "B" in self.font_style), text))
            super().text(x, y, text)

    sheet = Watched([content], NOW)
    read = pages(bytes(sheet.output()))
    assert len(read) > 3
    for number in range(40):
        assert f"Kërçovaliu {number}" in " ".join(read)
    assert all(order.number in page for page in read)
    outside = [one for one in written if one[0] < SIDE - 0.1 or one[2] > WIDTH - SIDE + 0.1 or one[1] > HEIGHT - 8]
    assert outside == []
    last = {"sq": "Faqja {0} nga {0}", "mk": "Страница {0} од {0}", "en": "Page {0} of {0}"}[language]
    assert last.format(len(read)) in read[-1]


@pytest.mark.rule("DLV-4")
def test_each_paper_has_a_qr_code_of_its_order_number():
    from documents.sheet import squares

    rows = squares("DY-7K3M-9QPX-7")
    size = len(rows)
    # The finder patterns of three corners, and as many rows as columns.
    assert rows[0][0] == (0, 7)
    assert rows[0][-1] == (size - 7, 7)
    assert rows[-1][0] == (0, 7)
    assert rows != squares("DY-7K3M-9QPX-8")


# That a reprint is the same


@pytest.mark.rule("DLV-4")
def test_a_reprint_is_the_same_to_the_byte_whatever_changed_meanwhile(world, monkeypatch):
    import config

    order = brought_to(subscribed(world), "packed", "with_courier", "delivered")
    papers = [Document.find(order, wanted, later(9)) for wanted in due(order)]
    first = {paper.id: paper.draw() for paper in papers}
    Order.update(first_name="Tjetër", street="Tjetër").where(Order.id == order.id).execute()
    monkeypatch.setattr(config, "CONTACT_PHONE", "9999")
    time.sleep(1.1)
    for paper in (Document.find(order.relock(), wanted, later(999)) for wanted in due(order)):
        assert paper.draw() == first[paper.id]
        assert len(paper.sha256) == 64
    noted = dict(Document.select(Document.id, Document.sha256).tuples())
    assert noted == {paper.id: paper.sha256 for paper in papers}


@pytest.mark.rule("DLV-4")
@pytest.mark.parametrize("bad", [{"content": {}}, {"issued_at": NOW}, {"issue": 2}, {"made_of": ""}, {"sha256": "b"}])
def test_what_was_issued_stays_as_it_was(world, bad):
    order = subscribed(world)
    Document.update(sha256="a").where(Document.order == order).execute()
    with pytest.raises(IntegrityError), db.atomic():
        Document.update(**bad).where(Document.order == order).execute()
    with pytest.raises(IntegrityError), db.atomic():
        Document.delete().where(Document.order == order).execute()
    if not IS_SQLITE:
        with pytest.raises(IntegrityError), db.atomic():
            db.execute_sql("TRUNCATE document")


@pytest.mark.rule("DLV-4")
def test_the_file_says_what_it_is(world):
    order = subscribed(world, "mk")
    reader = PdfReader(io.BytesIO(Document.find(order, CONFIRMATION, later(9)).draw()))
    assert reader.metadata.title == f"Потврда на нарачката {order.number}"
    assert reader.metadata.creation_date == later(1)
    assert reader.trailer["/Root"]["/Lang"] == "mk"


@pytest.mark.rule("DLV-4")
def test_many_papers_are_printed_as_one_file_each_with_its_own_page_numbers(world):
    orders = [brought_to(subscribed(world), "packed"), brought_to(of_new_number(world, "en"), "packed")]
    papers = [paper for order in orders for paper in Document.for_parcel(order, later(9))]
    assert [paper.kind for paper in papers] == ["contract", "receipt"] * 2
    read = pages(draw_together(papers, later(9)))
    assert [page.count("1 nga 1") or page.count("1 of 1") for page in read] == [1, 1, 1, 1]
    assert [order.number for order in orders for _ in "12"] == [
        next(order.number for order in orders if order.number in page) for page in read
    ]


@pytest.mark.rule("DLV-4")
def test_a_paper_is_found_with_few_queries_and_drawn_quickly(world):
    order = brought_to(subscribed(world), "packed", "with_courier")
    with assert_query_count(1):
        document = Document.find(order, RECEIPT, later(9))
    document.draw()
    began = time.perf_counter()
    with assert_query_count(0):
        document.draw()
    # A tenth of a second here; the bar is for computers that do other things meanwhile.
    assert time.perf_counter() - began < 1
