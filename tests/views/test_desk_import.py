"""Importi: a price list from the page, checked, confirmed, and taken by the worker (CAT-7, DSK-4)."""

import fcntl
import io
from datetime import timedelta

import pytest

import config
import jobs
from models.catalogue import Device, Variant
from models.price_list_columns import NEEDED
from models.price_list_job import PriceListJob
from models.trail import AuditEntry
from tests.staff import works
from tests.views.browser import Browser
from tests.views.test_html import check

HERE = "/desk/katalogu/importi"
HEADER = ",".join(NEEDED)
GOOD = (
    "NEW-1,phone,Samsung,nova-1,Nova 1,Нова 1,Nova 1,2026-01,#111111,black,19990,4",
    "NEW-2,phone,Samsung,nova-2,Nova 2,Нова 2,Nova 2,2026-01,#222222,black,29990,5",
)


def csv(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines]).encode()


@pytest.fixture
def editor(app, world, tmp_path, monkeypatch) -> Browser:
    monkeypatch.setattr(config, "INSTANCE", tmp_path)
    works("editor")
    browser = Browser(app)
    assert browser.log_in("editor@example.com").status == 303
    return browser


def upload(browser, content: bytes, name="lista.csv", **more):
    return browser.post(HERE, {"lista": (io.BytesIO(content), name), **more}, content_type="multipart/form-data")


def round_of_the_worker(world):
    jobs.run_round(world.now, only=[(PriceListJob.work_all_due, 1)])


@pytest.mark.rule("CAT-7", "DSK-4")
def test_a_list_is_checked_then_confirmed_then_taken_and_its_file_removed(editor, shopper, world, tmp_path):
    page = upload(editor, csv(*GOOD))
    assert page.status == 303, page.words
    job = page.location
    waiting = editor.get(job)
    assert waiting.by_id("puna").get("hx-trigger") == "every 2s"
    assert len(list((tmp_path / "imports").iterdir())) == 1
    round_of_the_worker(world)
    checked = editor.get(job, piece=True)
    # It stops asking.
    assert "hx-trigger" not in checked.html
    assert "Pajisje që shtohen 2" in checked.words
    assert Device.select().where(Device.slug == "nova-1").count() == 0
    for _ in range(2):
        assert editor.post(f"{job}/konfirmo").status == 303
    assert editor.get(job).by_id("puna").get("hx-trigger") == "every 2s"
    round_of_the_worker(world)
    round_of_the_worker(world)
    assert "Pajisje të shtuara 2" in editor.get(job).words
    assert "19.990 den" in shopper.get("/pajisja/nova-1").words
    assert list((tmp_path / "imports").iterdir()) == []
    entry = AuditEntry.get(AuditEntry.what == "imported")
    assert (entry.who, entry.after["added"], entry.after["file"]) == ("editor@example.com", 2, "lista.csv")
    assert editor.post(f"{job}/anulo").status == 303
    assert PriceListJob.get().state == "done"


@pytest.mark.rule("CAT-7")
@pytest.mark.parametrize(("prefix", "said"), [("", "numër të plotë"), ("/mk", "цел број"), ("/en", "whole number")])
def test_bad_lines_are_told_by_number_and_nothing_changes(editor, world, tmp_path, prefix, said):
    page = upload(editor, csv(GOOD[0], GOOD[1].replace("29990", "29.990")))
    round_of_the_worker(world)
    told = editor.get(prefix + page.location)
    assert "3 price" in told.text_of("puna")
    assert said in told.words
    assert Device.select().where(Device.slug == "nova-1").count() == 0
    assert list((tmp_path / "imports").iterdir()) == []
    assert editor.post(f"{page.location}/konfirmo").status == 303
    assert PriceListJob.get().state == "bad"
    check(told, prefix[1:] or "sq")


@pytest.mark.rule("CAT-7")
def test_with_lines_skipped_the_good_devices_are_taken_and_none_is_hidden(editor, world):
    page = upload(editor, csv(GOOD[0], GOOD[1].replace("29990", "x")), kalo="1", plote="1")
    round_of_the_worker(world)
    told = editor.get(page.location)
    assert "Pajisje që shtohen 1" in told.words
    assert "asnjë pajisje nuk fshihet" in told.words
    check(told, "sq")
    editor.post(f"{page.location}/konfirmo")
    round_of_the_worker(world)
    assert Device.select().where(Device.slug << ["nova-1", "nova-2"]).count() == 1
    assert Device.select().where(~Device.listed).count() == 0


@pytest.mark.rule("CAT-7")
def test_a_complete_list_says_how_many_it_would_hide(editor, world):
    page = upload(editor, csv(*GOOD), plote="1")
    round_of_the_worker(world)
    assert "Pajisje që fshihen 7" in editor.get(page.location).words
    editor.post(f"{page.location}/anulo")
    round_of_the_worker(world)
    assert Device.select().where(~Device.listed).count() == 0


@pytest.mark.rule("CAT-7")
def test_what_would_do_something_else_than_was_confirmed_is_confirmed_anew(editor, world):
    page = upload(editor, csv(*GOOD))
    round_of_the_worker(world)
    editor.post(f"{page.location}/konfirmo")
    # Meanwhile another list brings one of the two.
    from models.price_list import PriceList

    PriceList(io.BytesIO(csv(GOOD[0].replace("19990", "18990")))).load(world.now)
    round_of_the_worker(world)
    told = editor.get(page.location)
    assert "Dyqani ndryshoi pas kontrollit" in told.words
    assert "Pajisje që ndryshojnë 1" in told.words
    assert Variant.get(Variant.sku == "NEW-1").price == 1_899_000
    editor.post(f"{page.location}/konfirmo")
    round_of_the_worker(world)
    assert Variant.get(Variant.sku == "NEW-1").price == 1_999_000


@pytest.mark.rule("CAT-7")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "bosh"),
        (b"\x00\x01\x02", "kolon"),
        (b"\xff\xfex\x00", "UTF-16"),
        (b"sku;price\nA;1\n", "mungon"),
        (b"PK\x03\x04 a zip", "kolon"),
    ],
)
def test_what_is_no_price_list_is_told(editor, world, content, said):
    page = upload(editor, content)
    round_of_the_worker(world)
    assert said in editor.get(page.location).words
    assert PriceListJob.get().state == "bad"


@pytest.mark.rule("CAT-7")
def test_no_file_and_one_that_is_too_large_are_refused(editor, world, monkeypatch, tmp_path):
    assert editor.post(HERE, {}).status == 422
    monkeypatch.setattr(config, "PRICE_LIST_MB", 0)
    page = upload(editor, b"x" * 70_000)
    assert page.status == 422
    assert "tepër i madh" in page.words
    page = upload(editor, b"x" * 100)
    assert page.status == 422
    assert PriceListJob.select().count() == 0
    assert not (tmp_path / "imports").exists() or list((tmp_path / "imports").iterdir()) == []
    # What the other forms of the shop take stays small.
    assert editor.post("/desk/katalogu/pajisja", {"slug": "x" * 70_000}).status == 413


def test_a_large_file_needs_the_forms_token_as_every_form(editor, world):
    page = editor.post(HERE, {"lista": (io.BytesIO(b"x"), "l.csv")}, token=False, content_type="multipart/form-data")
    assert page.status in (303, 400, 422)
    assert PriceListJob.select().count() == 0


def test_a_file_whose_name_leads_elsewhere_stays_in_its_folder(editor, world, tmp_path):
    page = upload(editor, csv(*GOOD), name="../../etc/passwd")
    assert page.status == 303
    job = PriceListJob.get()
    assert job.path.parent == tmp_path / "imports"
    assert "passwd" in editor.get(page.location).words


@pytest.mark.rule("CAT-7")
def test_what_nobody_confirms_goes_after_a_day(editor, world, tmp_path):
    page = upload(editor, csv(*GOOD))
    round_of_the_worker(world)
    PriceListJob.forget_old(world.now + timedelta(hours=23))
    assert PriceListJob.get().state == "checked"
    PriceListJob.forget_old(world.now + timedelta(hours=25))
    assert PriceListJob.get().state == "cancelled"
    assert list((tmp_path / "imports").iterdir()) == []
    assert editor.get(page.location).status == 200
    PriceListJob.forget_old(world.now + timedelta(days=40))
    assert PriceListJob.select().count() == 0


@pytest.mark.rule("CAT-7")
def test_a_file_that_another_worker_holds_is_left_to_it(editor, world):
    page = upload(editor, csv(*GOOD))
    with PriceListJob.get().path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        round_of_the_worker(world)
        assert PriceListJob.get().state == "waiting"
    # It died, or is done: the next round goes on.
    round_of_the_worker(world)
    assert "Pajisje që shtohen 2" in editor.get(page.location).words


@pytest.mark.rule("CAT-7")
def test_a_file_that_is_no_longer_what_was_uploaded_is_not_taken(editor, world):
    page = upload(editor, csv(*GOOD))
    round_of_the_worker(world)
    editor.post(f"{page.location}/konfirmo")
    PriceListJob.get().path.write_bytes(csv(GOOD[0].replace("19990", "1")))
    round_of_the_worker(world)
    assert PriceListJob.get().state == "failed"
    assert Device.select().where(Device.slug == "nova-1").count() == 0


def test_a_file_that_is_gone_ends_its_job(editor, world):
    page = upload(editor, csv(*GOOD))
    PriceListJob.get().path.unlink()
    round_of_the_worker(world)
    assert "Asgjë nuk ndryshoi" in editor.get(page.location).words
    assert editor.get(HERE).status == 200
