"""What the shop writes to its shoppers (CHK-5, PAY-7, PAY-8, MSG-1…3)."""

import os
import socket
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from email import policy
from email.parser import BytesParser
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from playhouse.test_utils import count_queries

import config
import mails
from gateways import GatewayError
from gateways.sandbox.mail import read_inbox
from models import order_link
from models.catalogue import Brand, Device, Variant
from models.order import Order, OrderLine
from models.order_number import new_number
from models.outbox import KINDS, Mail
from models.payment import Payment

NOW = datetime(2026, 11, 20, 13, 32, tzinfo=UTC)
DRAWN = "/pictures/1/phone-tri-dot-pair-8ea9cf-e6eefb-7fa0d8-22335e.svg"


def order_of(language="sq", lines=1, **changes) -> Order:
    """A paid order of one phone with a gift, as its placing would have written it."""
    brand = Brand.create(name=f"Samsung {new_number()}")
    device = Device.create(
        slug=new_number(),
        kind="phone",
        brand=brand,
        name_sq="Galaxy S25",
        name_mk="Galaxy S25",
        name_en="Galaxy S25",
        released=202502,
    )
    variant = Variant.create(
        device=device, sku=new_number(), colour_hex="#8ea9cf", colour_family="blue", price=4998000, stock=3
    )
    number = new_number()
    facts = {
        "number": number,
        "checkout_key": number,
        "state": "confirmed",
        "language": language,
        "first_name": "Emri",
        "last_name": "Mbiemri",
        "email": "emri@example.com",
        "phone": "38970123456",
        "street": "Rruga e Shembullit 12",
        "place": "Tetovë",
        "municipality": "MK-609",
        "postal_code": "1200",
        "note": "Kati 3",
        "total": 4998000 * lines,
        "due_now": 4998000 * lines,
        "currency": "MKD",
        "placed_at": NOW,
        "payable_until": NOW + timedelta(minutes=30),
        "promised_on": date(2026, 11, 24),
        "terms_edition": "2026-11",
    }
    order = Order.create(**(facts | {key: value for key, value in changes.items() if key in Order._meta.fields}))
    for position in range(lines):
        line = {
            "order": order,
            "variant": variant,
            "device": device,
            "position": position,
            "sku": variant.sku,
            "contract_type": "device_only",
            "names": dict.fromkeys(("sq", "mk", "en"), "Samsung Galaxy S25"),
            "colours": {"sq": "Blu", "mk": "Сина", "en": "Blue"},
            "storage_gb": 256,
            "quantity": 1,
            "price": 4998000,
            "before": 5498000,
            "picture": DRAWN,
            "gift": {"id": 1, "sq": "Galaxy Buds FE", "mk": "Galaxy Buds FE", "en": "Galaxy Buds FE"},
        }
        OrderLine.create(**(line | {key: value for key, value in changes.items() if key in OrderLine._meta.fields}))
    return order


CONTRACT = {
    "contract_type": "besnik24",
    "tariff": {"code": "linja-l", "name": "Linja L", "monthly_price": 119_900},
    "msisdn": "38970100001",
    "payment": "instalments",
    "parts": 24,
}


def mail_of(kind: str, order: Order) -> Mail:
    Mail.write(kind, order, NOW, key=f"{kind}:{order.id}")
    return Mail.get(Mail.key == f"{kind}:{order.id}")


def written(kind="order_confirmed", order=None, **changes):
    """The mail as its reader gets it: parsed from the bytes that go over the wire."""
    message = mails.compose(mail_of(kind, order or order_of(**changes)))
    return BytesParser(policy=policy.default).parsebytes(message.as_bytes(policy=policy.SMTP))


def text_of(message) -> str:
    return message.get_body(("plain",)).get_content().replace("\u00a0", " ").replace("\r\n", "\n")


def html_of(message) -> str:
    return message.get_body(("html",)).get_content().replace("\u00a0", " ")


class Seen(HTMLParser):
    """What of a page people read, and what it links and embeds."""

    def __init__(self, html):
        super().__init__()
        self.words, self.links, self.tags, self.images = [], [], [], []
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        attrs = dict(attrs)
        if "href" in attrs:
            self.links.append(attrs["href"])
        if tag == "img":
            self.images.append(attrs["src"])

    def handle_data(self, data):
        self.words.append(data)


@pytest.mark.rule("CHK-5")
def test_the_confirmation_names_device_price_contact_delivery_and_order_number():
    order = order_of()
    message = written(order=order)
    for part in (text_of(message), Seen(html_of(message)).text):
        for fact in (
            order.number,
            "Samsung Galaxy S25, 256 GB",
            "Blu",
            "49.980 den",
            "Galaxy Buds FE",
            "Emri Mbiemri",
            "070 123 456",
            "emri@example.com",
            "Rruga e Shembullit 12",
            "1200 Tetovë",
            "Kati 3",
        ):
            assert fact in part, fact


@pytest.mark.rule("DLV-2")
def test_the_confirmation_promises_the_day_as_people_say_it():
    message = written()
    assert "Vjen deri të martën, 24 nëntor." in text_of(message)
    assert "deri të martën, 24 nëntor" in Seen(html_of(message)).text


@pytest.mark.parametrize("days", range(7))
def test_every_weekday_of_a_promise_is_said_in_the_accusative(days):
    said = mails.by_day(date(2026, 11, 23) + timedelta(days=days), "sq")
    names = ("hënën", "martën", "mërkurën", "enjten", "premten", "shtunën", "dielën")
    assert said.startswith(f"deri të {names[days]}, ")


@pytest.mark.rule("DLV-3")
def test_the_confirmation_says_who_may_receive_it_and_with_which_document():
    message = written(recipient="Tjetri Mbiemri")
    for part in (text_of(message), Seen(html_of(message)).text):
        assert "Porosinë e pranon vetëm Tjetri Mbiemri." in part
        assert "letërnjoftimin ose pasaportën" in part


@pytest.mark.rule("DLV-3")
def test_what_comes_with_a_contract_goes_to_the_number_holder_alone():
    text = text_of(written(**CONTRACT))
    assert "vetëm poseduesi i numrit" in text
    assert "autorizim të rregullt" in text


@pytest.mark.rule("CHK-5", "PAY-3")
def test_the_mail_of_a_contract_says_what_is_paid_when():
    message = written(**CONTRACT, price=3_120_000, before=None, total=3_120_000, due_now=0)

    for text in (text_of(message), html_of(message)):
        assert "Besnik 24 · Linja L · 070 100 001" in text
        assert "2.499 den" in text
        assert "pajisja paguhet me faturën mujore" in text
        assert "Sot paguani" in text
        assert "U paguan me kartelë" not in text


@pytest.mark.rule("ORD-2")
@pytest.mark.parametrize(("language", "prefix"), [("sq", ""), ("mk", "/mk"), ("en", "/en")])
def test_the_link_opens_the_order_in_the_readers_language(language, prefix):
    order = order_of(language=language)
    message = written(order=order)
    start = f"{config.BASE_URL}{prefix}/porosia/{order.number}?k="
    (link,) = {link for link in Seen(html_of(message)).links if link.startswith(start)}
    assert link in text_of(message)
    assert order_link.read(link.removeprefix(start)) == order.number


@pytest.mark.rule("ORD-2")
def test_a_link_that_was_altered_or_made_up_opens_nothing():
    token = order_link.sign(SimpleNamespace(number="DY-7K3M-9QPX-7"))
    other = order_link.sign(SimpleNamespace(number="DY-7K3M-9QPY-5"))
    forged = other.partition(".")[0] + "." + token.partition(".")[2]
    for wrong in (forged, token[:-1], token + "A", "", None, "x.y", "\u00eb", "." * 5000):
        with pytest.raises(order_link.BadLink):
            order_link.read(wrong)


@pytest.mark.rule("PAY-8")
@pytest.mark.rule("LOC-3")
def test_the_mail_of_a_failed_payment_carries_the_retry_link_and_until_when():
    order = order_of(state="awaiting_payment")
    message = written("payment_failed", order=order)
    retry = f"{config.BASE_URL}/porosia/{order.number}/pagesa?k={order_link.sign(order)}"
    assert retry in Seen(html_of(message)).links
    assert retry in text_of(message)
    for part in (text_of(message), Seen(html_of(message)).text):
        # 14:02 UTC, in Skopje's winter time.
        assert "20.11.2026, ora 15:02" in part
        assert "Nuk ju është marrë asnjë pagesë." in part


@pytest.mark.rule("PAY-8")
def test_a_late_mail_of_a_failed_payment_offers_no_retry_that_is_over():
    order = order_of(state="confirmed")
    message = written("payment_failed", order=order)
    for part in (text_of(message), html_of(message)):
        assert "/pagesa?k=" not in part
        assert f"/porosia/{order.number}?k=" in part


@pytest.mark.rule("PAY-8")
def test_the_mail_of_a_lapsed_order_says_that_nothing_was_charged_and_leads_to_the_shop():
    message = written("order_lapsed", state="lapsed")
    assert f"{config.BASE_URL}/" in Seen(html_of(message)).links
    for part in (text_of(message), Seen(html_of(message)).text):
        assert "Nuk ju është marrë asnjë pagesë." in part
        assert "/pagesa" not in part


@pytest.mark.rule("PAY-7")
def test_money_that_came_too_late_is_announced_to_go_back_to_the_card():
    message = written("payment_returned", state="lapsed")
    for part in (text_of(message), Seen(html_of(message)).text):
        assert "kthehet në kartelën me të cilën u pagua." in part
        assert "49.980 den" in part


@pytest.mark.rule("MSG-1")
@pytest.mark.parametrize("kind", KINDS)
def test_every_mail_has_its_headers_a_text_and_an_html_part(kind):
    order = order_of()
    mail = mail_of(kind, order)
    message = BytesParser(policy=policy.default).parsebytes(mails.compose(mail).as_bytes(policy=policy.SMTP))
    assert message["From"] == config.MAIL_FROM
    assert message["To"] == "emri@example.com"
    assert message["Message-ID"] == mail.message_id
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == mail.language
    assert message["Date"].datetime == NOW
    assert order.number in message["Subject"]
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert html.get_content_type() == "multipart/related"
    assert order.number in text_of(message)
    assert "{" not in text_of(message)
    assert "<" not in text_of(message)


@pytest.mark.rule("MSG-1")
def test_composing_twice_gives_the_same_message_id_and_content():
    mail = mail_of("order_confirmed", order_of())
    first, second = mails.compose(mail), mails.compose(mail)
    assert first["Message-ID"] == second["Message-ID"]
    assert text_of(first) == text_of(second)
    assert html_of(first) == html_of(second)


@pytest.mark.rule("PRV-1")
@pytest.mark.parametrize("kind", KINDS)
def test_a_mail_asks_nobody_for_pictures_scripts_or_fonts(kind):
    message = written(kind)
    seen = Seen(html_of(message))
    parts = {part["Content-ID"].strip("<>"): part for part in message.walk() if part["Content-ID"]}
    assert {image.removeprefix("cid:") for image in seen.images} == set(parts)
    assert all(image.startswith("cid:") for image in seen.images)
    assert not {"script", "link", "iframe", "object", "form"} & set(seen.tags)
    assert "url(" not in html_of(message)
    assert "@import" not in html_of(message)
    assert all(link.startswith((config.BASE_URL, "mailto:")) for link in seen.links)
    for part in parts.values():
        assert part.get_content_type() == "image/png"
        assert part.get_content().startswith(b"\x89PNG")


def test_a_picture_that_several_lines_share_is_sent_once_and_small():
    message = written(lines=3)
    pictures = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert len(pictures) == 2  # the mark and the phone
    assert len(message.as_bytes()) < 60_000
    assert Seen(html_of(message)).images.count(f"cid:{pictures[1]['Content-ID'].strip('<>')}") == 3


def test_a_picture_that_is_gone_leaves_an_empty_place():
    for path in ("/photos/gone.jpg", "/photos/../../etc/passwd", "/pictures/1/nonsense.svg", ""):
        message = written(picture=path)
        assert [part for part in message.walk() if part.get_content_type() == "image/png"][1:] == []
        assert "Samsung Galaxy S25" in html_of(message)


def test_a_photo_of_the_operator_is_brought_to_the_mails_size(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "PHOTOS", tmp_path)
    (tmp_path / "s25.png").write_bytes(mails.mark_png())
    png = mails.picture_png("/photos/s25.png")
    assert int.from_bytes(png[16:20]) == mails.PICTURE_PIXELS


NASTY = "<script>alert(1)</script>\"'&\r\nBcc: all@example.com\r\n\r\n\x07\u202eabc"


def test_what_people_typed_stays_text_and_on_its_line():
    message = written(
        first_name=NASTY[:60],
        last_name=NASTY[:60],
        street=NASTY,
        note=NASTY,
        recipient=NASTY,
        place=NASTY[:80],
        names={"sq": NASTY},
        colours={"sq": NASTY},
        gift={"id": 1, "sq": NASTY},
    )
    html, text = html_of(message), text_of(message)
    assert "<script" not in html
    assert "\u202e" not in html + text
    assert "\x07" not in html + text
    assert not any(line.startswith("Bcc:") for line in text.splitlines())
    assert message["Bcc"] is None
    assert "<script>alert(1)</script>" in Seen(html).text


@pytest.mark.rule("MSG-1")
@pytest.mark.parametrize(
    "address", ["a@example.com\r\nBcc: all@example.com", "no address", "", "a@b@c", "a b@example.com"]
)
def test_an_address_that_is_none_sets_the_mail_aside_for_good(address):
    mail = mail_of("order_confirmed", order_of())
    mail.recipient = address
    with pytest.raises(GatewayError) as trouble:
        mails.compose(mail)
    assert trouble.value.permanent


def test_an_address_in_a_national_domain_is_written_as_mail_servers_know_it():
    order = order_of(email="emri@dyqani-ynë.mk")
    assert written(order=order)["To"].addresses[0].domain == "xn--dyqani-yn-34a.mk"


def test_long_and_foreign_names_are_written_out_whole():
    name = "Ѓорѓи-Ќиро Ш Џ 李 " * 3
    message = written(first_name=name, names={"sq": "Ž" * 150}, language="sq")
    assert name.strip() in text_of(message)
    assert "Ž" * 150 in html_of(message)


@pytest.mark.rule("MSG-3")
@pytest.mark.rule("LOC-2")
def test_money_and_dates_follow_the_readers_language():
    assert "49,980 den" in text_of(written(language="en"))
    assert "49.980 ден." in text_of(written(language="mk"))
    assert "24 ноември" in text_of(written(language="mk"))
    assert "Blue" in text_of(written(language="en"))


def test_an_unknown_language_falls_back_to_the_shops_first():
    assert "Faleminderit" in text_of(written(language="xx"))


def test_a_mail_takes_at_most_three_queries_however_many_lines():
    order = order_of(lines=8)
    mail = Mail.get_by_id(mail_of("order_confirmed", order).id)
    with count_queries(only_select=True) as counted:
        mails.compose(mail)
    assert counted.count <= 3


def test_the_banks_code_stands_on_the_receipt():
    order = order_of()
    Payment.create(
        order=order, oid="x", amount=order.total, state="paid", started_at=NOW, settled_at=NOW, auth_code="A12345"
    )
    assert "A12345" in text_of(written(order=order))


@pytest.fixture
def mail_server(tmp_path, monkeypatch):
    """The sandbox mail server as a process of its own; yields the folder it fills."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {**os.environ, "SMTP_PORT": str(port), "DYQANI_INBOX": str(tmp_path)}
    command = [sys.executable, "-m", "gateways.sandbox.mail"]
    process = subprocess.Popen(command, cwd=config.ROOT, env=environ, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline()
        monkeypatch.setattr(config, "SMTP_PORT", port)
        yield tmp_path
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@pytest.mark.rule("MSG-1")
@pytest.mark.rule("MSG-2")
def test_the_worker_sends_what_is_composed_over_smtp_once(mail_server):
    order = order_of(language="mk", first_name="Ѓорѓи", note=NASTY)
    for kind in KINDS:
        mail_of(kind, order)
    assert Mail.send_all_due(NOW) == len(KINDS)
    assert Mail.send_all_due(NOW + timedelta(days=1)) == 0
    arrived = read_inbox(mail_server)
    assert len(arrived) == len(KINDS)
    assert {mail["to"] for mail in arrived} == {"emri@example.com"}
    assert all(order.number in mail["subject"] and "Ѓорѓи" in mail["text"] for mail in arrived)
    assert {mail.state for mail in Mail.select()} == {"sent"}


@pytest.mark.rule("MSG-1")
def test_a_mail_that_cannot_be_composed_is_set_aside_and_holds_nobody_up(mail_server):
    order = order_of()
    broken = mail_of("order_lapsed", order)
    Mail.update(recipient="no address").where(Mail.id == broken.id).execute()
    mail_of("order_confirmed", order)
    Mail.send_all_due(NOW)
    assert [mail["subject"] for mail in read_inbox(mail_server)] == [f"Porosia {order.number} u pranua"]
    assert Mail.get_by_id(broken.id).state == "failed"


@pytest.mark.rule("PAY-8")
def test_who_left_the_bank_is_not_told_of_a_refusal():
    mail = mail_of("payment_failed", order_of(state="awaiting_payment"))
    mail.key = "payment_waiting:1"
    text = text_of(mails.compose(mail))
    assert "pret ende pagesën prej" in text
    assert "nuk e miratoi" not in text
    assert "/pagesa?k=" in text
