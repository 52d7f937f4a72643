"""After the order, as its shopper sees it: changing, cancelling, a new time, withdrawing, complaining (AFT-1…5)."""

import re
import time

import pytest
from PIL import Image
from playwright.sync_api import expect

from e2e.conftest import DESKTOP, PHONE, arrive, check_accessible
from e2e.journey import new_email
from e2e.ordered import ordered

MOVED = """
import sys
from models.actor import Actor
from models.base import db, utcnow
from models.order import Order
from models.order_change import Wanted, change

with db.connection_context():
    order = Order.of_number(sys.argv[1])
    change(order, Wanted.of(order, street="Nga qendra 1"), by=Actor("agent", "agent@example.com"), now=utcnow())
"""
SEEN_AS = pytest.mark.parametrize(
    ("size", "scheme", "javascript"),
    [(DESKTOP, "light", True), (PHONE, "dark", True), (PHONE, "light", False)],
    ids=["desktop", "phone-dark", "no-script"],
)


def check_of(javascript):
    return check_accessible if javascript else lambda page: None


def told(shop, email, words, count=1) -> None:
    """Wait until `count` mails with `words` in their subject reached `email`."""
    deadline = time.monotonic() + 20
    while sum(words in mail["subject"] for mail in shop.mails(email)) < count:
        assert time.monotonic() < deadline, [mail["subject"] for mail in shop.mails(email)]
        time.sleep(0.3)


def open_part(page, name):
    page.locator("#ndryshimet summary", has_text=name).click()


@pytest.mark.rule("AFT-1")
@SEEN_AS
def test_until_the_courier_leaves_the_shopper_changes_address_phone_and_colour(
    shop, visitor, size, scheme, javascript
):
    check, email = check_of(javascript), new_email()
    number, link = ordered(shop, email)
    page = visitor(size=size, scheme=scheme, javascript=javascript)
    page.goto(link)
    expect(page.locator("#ndryshimet")).to_contain_text("Rruga 12, 1200 Tetovë")
    open_part(page, "Adresa")
    open_part(page, "Telefoni për kontakt")
    check(page)

    # A phone that is none is told beside the field, which keeps what was typed.
    page.fill("#phone", "12")
    page.locator("#ndryshimet details", has_text="Telefoni për kontakt").get_by_role("button").click()
    expect(page.locator("#phone-error")).to_contain_text("Shkruani numër celular që fillon me 07.")
    expect(page.locator("#phone")).to_have_value("12")
    check(page)
    page.fill("#phone", "071 222 333")
    page.locator("#ndryshimet details", has_text="Telefoni për kontakt").get_by_role("button").click()
    arrive(page, re.compile(r"u=ndryshuar"))
    expect(page.locator("main")).to_contain_text("Ndryshimi u ruajt")
    expect(page.locator("#ndryshimet")).to_contain_text("071 222 333")

    # Another colour, by its name.
    first = page.locator("#ndryshimet summary", has_text="Ngjyra")
    before = first.inner_text()
    first.click()
    details = page.locator("#ndryshimet details", has_text="Ngjyra")
    details.locator("input[type=radio]:not(:checked)").first.check(force=True)
    check(page)
    details.get_by_role("button", name="Ruaj").click()
    arrive(page, re.compile(r"u=ndryshuar"))
    expect(page.locator("#ndryshimet summary", has_text="Ngjyra")).not_to_have_text(before)
    told(shop, email, "u ndryshua", 2)

    # An agent was faster: nothing is lost of what was typed.
    open_part(page, "Shënim për korrierin")
    page.fill("#note", "Kati 3")
    shop.run(MOVED, number)
    page.locator("#ndryshimet details", has_text="Shënim për korrierin").get_by_role("button").click()
    expect(page.locator("#ndryshimet [role=alert]")).to_contain_text("adresa, nga qendra e kontaktit")
    expect(page.locator("#note")).to_have_value("Kati 3")
    check(page)
    page.locator("#ndryshimet details", has_text="Shënim për korrierin").get_by_role("button").click()
    arrive(page, re.compile(r"u=ndryshuar"))
    expect(page.locator("#ndryshimet")).to_contain_text("Kati 3")
    expect(page.locator("#ndryshimet")).to_contain_text("Nga qendra 1")


@pytest.mark.rule("AFT-2", "PAY-9")
@SEEN_AS
def test_an_order_is_cancelled_after_its_page_said_what_returns(shop, visitor, size, scheme, javascript):
    check, email = check_of(javascript), new_email()
    _, link = ordered(shop, email)
    page = visitor(size=size, scheme=scheme, javascript=javascript)
    page.goto(link)
    page.get_by_role("button", name="Anulo porosinë").click()
    dialog = page.locator("#anulo")
    expect(dialog).to_contain_text("kthehen në kartelën me të cilën u pagua")
    check(page)
    dialog.get_by_role("button", name="Jo, mbaje").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Anulo porosinë").click()
    dialog.get_by_role("button", name="Po, anuloje").click()
    expect(page.locator("#arsyeja-error")).to_have_text("Zgjidhni arsyen.")
    check(page)
    page.select_option("#arsyeja", "too_slow")
    page.get_by_role("button", name="Po, anuloje").click()
    arrive(page, re.compile(r"u=anuluar"))
    expect(page.locator("h1")).to_have_text("Anuluar")
    expect(page.locator(".time")).to_contain_text("Paratë po kthehen në kartelë")
    check(page)
    told(shop, email, "u anulua")


@pytest.mark.rule("DLV-5")
def test_a_new_time_is_chosen_with_the_keyboard_alone(shop, visitor):
    _, link = ordered(shop, new_email(), "failed")
    page = visitor()
    page.goto(link)
    expect(page.locator("h1")).to_have_text("Dërgesa nuk u krye")
    check_accessible(page)
    page.locator("#koha-e-re button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#termini-error")).to_have_text("Zgjidhni ditën dhe orën.")
    check_accessible(page)
    page.locator("#termini").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    chosen = page.locator("#koha-e-re input:checked").get_attribute("value")
    page.keyboard.press("Enter")
    arrive(page, re.compile(r"u=koha"))
    hours = chosen.partition(".")[2].replace("-", "–")
    expect(page.locator("h1")).to_contain_text(hours)
    expect(page.locator(f"#koha-e-re input[value='{chosen}']")).to_be_checked()
    check_accessible(page)


@pytest.mark.rule("AFT-3")
@SEEN_AS
def test_after_the_delivery_part_of_an_order_is_withdrawn_from(shop, visitor, size, scheme, javascript):
    check, email = check_of(javascript), new_email()
    _, link = ordered(shop, email, "delivered", "samsung-galaxy-s25", "xiaomi-15")
    page = visitor(size=size, scheme=scheme, javascript=javascript)
    page.goto(link)
    page.get_by_role("link", name="Tërhiqem nga blerja").click()
    expect(page.locator("h1")).to_have_text("Tërheqje nga blerja")
    check(page)
    page.get_by_role("button", name="Dërgo kërkesën").click()
    expect(page.locator("#e_pahapur-error")).to_contain_text("të pahapur")
    check(page)
    page.check("#cka-disa")
    page.locator("#linjat input").first.check()
    page.get_by_label("Ndërrova mendje").check()
    page.check("#e_pahapur")
    check(page)
    page.get_by_role("button", name="Dërgo kërkesën").click()
    arrive(page, re.compile(r"u=terheqja"))
    expect(page.locator("main")).to_contain_text("Kërkesat dhe ankesat")
    expect(page.locator("main")).to_contain_text("Në shqyrtim")
    check(page)
    told(shop, email, "kërkesën për tërheqje")


@pytest.mark.rule("AFT-4", "AFT-5")
@SEEN_AS
def test_a_complaint_is_sent_with_its_proof_and_a_damaged_device_has_its_shop(
    shop, visitor, tmp_path, size, scheme, javascript
):
    check, email = check_of(javascript), new_email()
    _, link = ordered(shop, email, "delivered")
    page = visitor(size=size, scheme=scheme, javascript=javascript)
    page.goto(link)
    page.get_by_role("link", name="Bëni ankesë").click()
    expect(page.locator("h1")).to_have_text("Ankesë")
    check(page)
    page.get_by_label("E pagova, por nuk e mora").check()
    page.fill("#teksti", "Pagova më 3 mars.\nEnde asgjë.")
    wrong = tmp_path / "faqja.html"
    wrong.write_text("<script>alert(1)</script>")
    page.set_input_files("#deshmia", wrong)
    page.get_by_role("button", name="Dërgo ankesën").click()
    expect(page.locator("#deshmia-error")).to_contain_text("„faqja.html“ nuk është PDF, JPEG ose PNG.")
    expect(page.locator("#teksti")).to_have_value("Pagova më 3 mars.\nEnde asgjë.")
    check(page)
    proof = tmp_path / "Ekstrakti i bankës.png"
    Image.new("RGB", (60, 40), "#2240d2").save(proof)
    page.set_input_files("#deshmia", proof)
    page.get_by_role("button", name="Dërgo ankesën").click()
    arrive(page, re.compile(r"u=ankesa"))
    expect(page.locator("main")).to_contain_text("Ankesën e morëm")
    check(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Ekstrakti_i_bankës.png").click()
    assert download.value.path().read_bytes() == proof.read_bytes()
    told(shop, email, "E morëm ankesën")

    page.get_by_role("link", name="Pajisja është e dëmtuar").click()
    expect(page.locator("h1")).to_have_text("Dyqanet tona")
    expect(page.locator("#lista h2").first).to_have_text("Tetovë")
    check(page)
    page.select_option("#komuna", "MK-501")
    page.get_by_role("button", name="Shfaq më të afërtat").click()
    expect(page.locator("#lista h2").first).to_have_text("Manastir")
