"""Withdrawals and complaints as a shopper sends them, and the files that come along (AFT-3…5)."""

import os
import time
from io import BytesIO

import pytest
from PIL import Image
from werkzeug.datastructures import FileStorage, MultiDict

import config
from gateways.bank import Verdict
from models.actor import Actor
from models.attachment import BYTES_MAX, ORPHAN_SECONDS, Attachment, is_older, put
from models.claim import Claim
from models.order import Order
from models.outbox import Mail
from tests import world as named
from tests.views.browser import Browser, signed_link
from tests.world import NOW, later

AGENT = Actor("agent", "agent@example.com")
WAREHOUSE = Actor("warehouse", "warehouse@example.com")
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def picture(kind="PNG", size=(40, 30)) -> bytes:
    kept = BytesIO()
    Image.new("RGB", size, "#2240d2").save(kept, kind)
    return kept.getvalue()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "ATTACHMENTS", tmp_path / "attachments")
    return tmp_path / "attachments"


@pytest.fixture
def order(world):
    order, payment = named.ordered(world, "S25-BLACK-128", "CASE-BLACK")
    payment.settle(Verdict.PAID, later(1))
    return Order.get_by_id(order.id)


@pytest.fixture
def delivered(order):
    for state in ("packed", "with_courier", "delivered"):
        order.move(state, by=WAREHOUSE, now=NOW)
    return order


@pytest.fixture
def mine(shopper, order) -> Browser:
    shopper.get(signed_link(order))
    return shopper


def path(order, ending="/ankesa"):
    return f"/porosia/{order.number}{ending}"


def complaint(browser, order, *files, **typed):
    """Send the form of a complaint; `files` are (name, bytes)."""
    shown = browser.get(path(order)).form(path(order))
    shown.pop("deshmia", None)
    sent = MultiDict(shown | {"arsyeja": "not_received", "teksti": "Pagova dhe nuk erdhi."} | typed)
    for name, data in files:
        sent.add("deshmia", FileStorage(BytesIO(data), filename=name))
    return sent


def send(browser, order, sent, **more):
    return browser.client.post(path(order), base_url="http://shop.test", data=sent, **more)


def sent_once(browser, order, *files, **typed):
    from tests.views.browser import Page

    return Page(send(browser, order, complaint(browser, order, *files, **typed), content_type="multipart/form-data"))


@pytest.mark.rule("AFT-4")
def test_a_complaint_with_its_proof_is_received_shown_and_told_by_mail(mine, order, folder):
    done = sent_once(mine, order, ("ekstrakti.pdf", PDF), ("foto.jpeg", picture("JPEG")), ("p.png", picture()))
    assert done.status == 303
    page = mine.follow(done)
    assert "Ankesën e morëm; ju dërguam edhe e-postë." in page.words
    assert "Përgjigjemi më së voni më 25.03.2026." in page.words
    claim = Claim.get()
    assert (claim.kind, claim.about, claim.text) == ("complaint", "not_received", "Pagova dhe nuk erdhi.")
    files = Attachment.of([claim])[claim.id]
    assert [(file.name, file.kind) for file in files] == [
        ("ekstrakti.pdf", "application/pdf"),
        ("foto.jpg", "image/jpeg"),
        ("p.png", "image/png"),
    ]
    assert sorted(os.listdir(folder)) == sorted(file.stored for file in files)
    assert Mail.get(Mail.kind == "claim_received").data == {"claim": claim.id}


@pytest.mark.rule("AFT-4", "PRV-1")
def test_a_file_is_handed_to_who_may_see_the_order_alone_and_never_as_a_page(mine, stranger, order, world):
    sent_once(mine, order, ("ekstrakti.pdf", PDF))
    file = Attachment.get()
    got = mine.get(path(order, f"/deshmia/{file.id}"))
    assert got.response.get_data() == PDF
    assert got.headers["Content-Disposition"] == "attachment; filename=ekstrakti.pdf"
    assert got.headers["Content-Type"] == "application/pdf"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert got.headers["Cache-Control"] == "private, no-store"
    assert stranger.get(path(order, f"/deshmia/{file.id}")).status == 404
    other, _ = named.ordered(world, "CASE-BLACK")
    stranger.get(signed_link(other))
    assert stranger.get(path(other, f"/deshmia/{file.id}")).status == 404, "a file of another order"
    assert mine.get(path(order, f"/deshmia/{file.id + 1}")).status == 404
    file.path.unlink()
    assert mine.get(path(order, f"/deshmia/{file.id}")).status == 404


@pytest.mark.rule("AFT-4")
@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.pdf", b"", "„a.pdf“ është bosh."),
        ("a.pdf", b"<html><script>alert(1)</script>", "„a.pdf“ nuk është PDF, JPEG ose PNG."),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "nuk është PDF, JPEG ose PNG."),
        ("a.gif", b"GIF89a\x01\x00\x01\x00", "nuk është PDF, JPEG ose PNG."),
        ("a.exe", b"MZ\x90\x00", "nuk është PDF, JPEG ose PNG."),
        ("a.zip", b"PK\x03\x04", "nuk është PDF, JPEG ose PNG."),
        ("a.pdf", b"%PDF-1.4 and nothing", "„a.pdf“ nuk hapet."),
        ("a.png", picture()[:-30], "„a.png“ nuk hapet."),
        ("a.jpg", picture("JPEG", (400, 300))[:300], "„a.jpg“ nuk hapet."),
        ("a.jpg", b"\xff\xd8\xff<script>alert(1)</script>", "„a.jpg“ nuk hapet."),
        ("a.pdf", PDF[:-6] + b" " * (BYTES_MAX - len(PDF) + 1) + b"%%EOF\n", "„a.pdf“ është më i madh se 5 MB."),
    ],
)
def test_a_file_is_judged_by_what_is_in_it(mine, order, folder, name, data, told):
    page = sent_once(mine, order, ("mirë.pdf", PDF), (name, data))
    assert page.status == 422
    assert told in page.text_of("deshmia-error")
    assert "Pagova dhe nuk erdhi." in page.html
    assert not Claim.select().exists()
    assert not folder.exists() or not os.listdir(folder)


@pytest.mark.rule("AFT-4")
@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("..\\..\\windows\\win.ini", "win.pdf"),
        ("ekstrakti.pdf.html", "ekstrakti_pdf.pdf"),
        ('x";filename=evil.html', "x_filename_evil.pdf"),
        ("a\r\nSet-Cookie: b=c.pdf", "a_Set-Cookie_b_c.pdf"),
        (".htaccess", "htaccess.pdf"),
        ("Çmimi i ëndrrës.PDF", "Çmimi_i_ëndrrës.pdf"),
        ("/", "deshmia.pdf"),
        ("x" * 300 + ".pdf", "x" * 80 + ".pdf"),
    ],
)
def test_the_name_of_a_file_is_no_path_and_ends_as_what_it_is(order, folder, name, kept):
    paper = put(name, PDF)
    assert paper.name == kept
    assert (folder / paper.stored).read_bytes() == PDF
    assert (folder / paper.stored).stat().st_mode & 0o777 == 0o600


@pytest.mark.rule("AFT-4")
def test_what_was_paid_but_never_came_needs_its_proof_and_what_is_late_does_not(mine, order):
    page = sent_once(mine, order)
    assert page.status == 422
    assert page.text_of("deshmia-error") == "Bashkëngjitni dëshminë e pagesës, p.sh. ekstraktin e bankës."
    assert sent_once(mine, order, arsyeja="late").status == 303


@pytest.mark.rule("AFT-4")
def test_at_most_three_files_come_along(mine, order):
    page = sent_once(mine, order, *[(f"{number}.pdf", PDF) for number in range(4)])
    assert page.status == 422
    assert page.text_of("deshmia-error") == "Bashkëngjitni më së shumti 3 skedarë; zgjodhët 4."


@pytest.mark.rule("AFT-4")
def test_pressed_twice_it_is_one_claim_with_one_copy_of_its_files(mine, order, folder):
    sent = complaint(mine, order)
    for _ in range(2):
        sent.setlist("deshmia", [FileStorage(BytesIO(PDF), filename="a.pdf")])
        assert send(mine, order, sent, content_type="multipart/form-data").status_code == 303
    assert (Claim.select().count(), Attachment.select().count(), len(os.listdir(folder))) == (1, 1, 1)
    assert Mail.select().where(Mail.kind == "claim_received").count() == 1


@pytest.mark.rule("AFT-4")
def test_the_fourth_claim_waits_until_one_is_answered(mine, order, folder):
    for _ in range(3):
        assert sent_once(mine, order, arsyeja="late").status == 303
    page = sent_once(mine, order, ("a.pdf", PDF))
    assert page.status == 409
    assert "Ankesat tuaja po i shqyrtojmë." in page.words
    assert Claim.select().count() == 3
    assert not os.listdir(folder), "what was laid there for it is taken away"


@pytest.mark.rule("AFT-4")
def test_more_than_the_form_takes_is_not_read_and_the_form_says_so(mine, stranger, order):
    huge = b"x" * (3 * BYTES_MAX + 70_000)
    page = sent_once(mine, order, ("a.pdf", huge))
    assert page.status == 413
    assert "Lejohen 3 skedarë deri në 5 MB secili." in page.text_of("deshmia-error").replace("\u00a0", " ")
    assert stranger.post(path(order), {"teksti": "x" * 70_000}).status == 404, "nor does a stranger learn more"
    assert mine.post(path(order, "/ndrysho"), {"note": "x" * 70_000}).status == 413, "no other form is so large"


@pytest.mark.rule("AFT-4")
@pytest.mark.parametrize(
    ("typed", "field", "told"),
    [
        ({"arsyeja": ""}, "arsyeja", "Zgjidhni për çfarë ankoheni."),
        ({"arsyeja": "changed_mind"}, "arsyeja", "Zgjidhni për çfarë ankoheni."),
        ({"teksti": " \n "}, "teksti", "Shkruani çfarë ka ndodhur."),
        ({"teksti": "x" * 2001}, "teksti", "Lejohen më së shumti 2000 shkronja; keni 2001."),
    ],
)
def test_what_is_missing_of_a_complaint_is_said_beside_its_field(mine, order, typed, field, told):
    page = sent_once(mine, order, ("a.pdf", PDF), **typed)
    assert page.status == 422
    assert page.text_of(f"{field}-error") == told
    assert not Claim.select().exists()


@pytest.mark.parametrize("key", ["", "short", "x" * 44, "with space inside it"])
def test_a_form_without_its_key_is_none(mine, order, key):
    assert sent_once(mine, order, celes=key, arsyeja="late").status == 422
    assert not Claim.select().exists()


@pytest.mark.rule("AFT-4")
def test_files_without_a_row_are_swept_and_those_of_claims_stay(mine, order, folder):
    sent_once(mine, order, ("a.pdf", PDF))
    lost, fresh = put("b.pdf", PDF), put("c.pdf", PDF)
    long_ago = time.time() - ORPHAN_SECONDS - 60
    for name in os.listdir(folder):
        if name != fresh.stored:
            os.utime(folder / name, (long_ago, long_ago))
    assert [Attachment.sweep(NOW) for _ in range(2)] == [1, 0]
    assert sorted(os.listdir(folder)) == sorted([Attachment.get().stored, fresh.stored])
    assert lost.stored not in os.listdir(folder)


def test_a_file_that_another_workers_sweep_took_away_is_none_to_sweep(folder):
    stays, gone = put("a.pdf", PDF), put("b.pdf", PDF)
    listed = list(os.scandir(folder))
    os.unlink(folder / gone.stored)
    assert [file.name for file in listed if is_older(file, time.time() + 60)] == [stays.stored]


@pytest.mark.rule("AFT-4")
def test_the_answer_is_read_on_the_orders_page_without_the_name_of_who_wrote_it(mine, order):
    sent_once(mine, order, ("a.pdf", PDF))
    Claim.get().answer("E kontrolluam.\nVjen nesër.", by=AGENT, now=later(60))
    page = mine.get(path(order, ""))
    assert "E kontrolluam. Vjen nesër." in page.words
    assert "Iu përgjigjëm ankesës · " not in page.words.split("nga qendra e kontaktit")[0][-30:]
    assert "agent@example.com" not in page.html


def withdrawal(browser, order, **typed):
    shown = browser.get(path(order, "/terheqja")).form(path(order, "/terheqja"))
    return shown | {"arsyeja": "changed_mind", "e_pahapur": "y"} | typed


@pytest.mark.rule("AFT-3")
def test_a_withdrawal_is_asked_for_confirmed_by_mail_and_shown_with_its_state(mine, delivered):
    assert "Tërhiqem nga blerja" in mine.get(path(delivered, "")).words
    sent = withdrawal(mine, delivered, teksti="Nuk më duhet.")
    done = mine.post(path(delivered, "/terheqja"), sent)
    assert done.status == 303
    page = mine.follow(done)
    assert "Kërkesën e morëm; ju dërguam edhe e-postë." in page.words
    assert "Kërkuat tërheqje nga blerja" in page.words
    assert "Tërhiqem nga blerja" not in page.words
    claim = Claim.get()
    assert (claim.kind, claim.about, claim.lines, claim.text) == ("withdrawal", "changed_mind", None, "Nuk më duhet.")
    assert Mail.select().where(Mail.kind == "claim_received").count() == 1
    assert mine.post(path(delivered, "/terheqja"), sent).status == 303, "a second press"
    assert Claim.select().count() == 1
    again = mine.get(path(delivered, "/terheqja"))
    assert "Tërheqjen e keni kërkuar tashmë." in again.words
    claim.decide(True, by=AGENT, now=later(60))
    page = mine.get(path(delivered, ""))
    assert "Tërheqja u pranua" in page.words
    assert "sillni te dyqani më i afërt" in page.words


@pytest.mark.rule("AFT-3")
def test_some_lines_go_back_and_the_others_stay(mine, delivered):
    case = delivered.lines()[1]
    sent = withdrawal(mine, delivered) | {"cka": "disa", "linjat": [str(case.id)]}
    assert mine.post(path(delivered, "/terheqja"), sent).status == 303
    assert Claim.get().lines == [case.id]
    assert "Kthehen: Këllëf për Galaxy S25" in mine.get(path(delivered, "")).words.replace(" :", ":")


@pytest.mark.rule("AFT-3")
@pytest.mark.parametrize("piece", [False, True])
@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"e_pahapur": ""}, "Tërheqja vlen vetëm për pajisje të pahapur dhe të paaktivizuar."),
        ({"arsyeja": "late"}, "Zgjidhni arsyen."),
        ({"cka": "disa"}, "Zgjidhni të paktën një pajisje."),
        ({"cka": "disa", "linjat": "999999"}, "Kjo pajisje kthehet vetëm me gjithë porosinë."),
        ({"cka": "asgjë"}, "Zgjidhni çfarë ktheni."),
        ({"teksti": "x" * 2001}, "Lejohen më së shumti 2000 shkronja; keni 2001."),
    ],
)
def test_what_is_missing_of_a_withdrawal_is_said(mine, delivered, piece, typed, told):
    page = mine.post(path(delivered, "/terheqja"), withdrawal(mine, delivered) | typed, piece=piece)
    assert page.status == 422
    assert told in page.words
    assert not Claim.select().exists()


@pytest.mark.rule("AFT-3")
def test_before_the_delivery_and_after_14_days_there_is_no_form_and_nothing_is_taken(mine, order, clock):
    sent = {"arsyeja": "changed_mind", "e_pahapur": "y", "cka": "gjithe", "celes": "a" * 20}
    assert "Kjo porosi nuk kthehet nga faqja." in mine.get(path(order, "/terheqja")).words
    assert mine.post(path(order, "/terheqja"), sent).status == 409
    for state in ("packed", "with_courier", "delivered"):
        order.move(state, by=WAREHOUSE, now=NOW)
    clock.shift(15 * 86400)
    assert "Tërhiqem nga blerja" not in mine.get(path(order, "")).words
    assert mine.post(path(order, "/terheqja"), sent).status == 409
    assert not Claim.select().exists()


@pytest.mark.rule("AFT-5")
def test_a_damaged_device_is_taken_to_the_nearest_shop_which_the_page_names(mine, stranger, delivered):
    page = mine.get(path(delivered, ""))
    link = next(a.get("href") for a in page.all("a") if "/dyqanet?komuna=" in (a.get("href") or ""))
    shops = stranger.get(link)
    places = [" ".join("".join(one.itertext()).split()) for one in shops.by_id("lista").iter("h2")]
    assert places[:2] == ["Tetovë", "Gostivar"]
    assert "në komunën tuaj" in shops.words
    assert len(places) == len(set(places)) == 17
    assert "E shtunë 09:00–15:00 E diel mbyllur" in shops.words
    everywhere = [
        " ".join("".join(one.itertext()).split()) for one in stranger.get("/dyqanet").by_id("lista").iter("h2")
    ]
    assert sorted(everywhere) == sorted(places)
    assert everywhere[0] == "Dibër", "by the alphabet"
    for prefix in ("/mk", "/en"):
        assert stranger.get(f"{prefix}/dyqanet?komuna=MK-999").status == 200
