"""Walks a whole shop with the brand that DYQANI_BRAND_FOLDER names, in a process of its own, and writes down what
everybody there sees and reads: `python -m tests.brand_walk FILE` (tests/test_brand.py).

FILE becomes a JSON list of [who, address, status, content type, text].
"""

import json
import re
import sys
import uuid
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import config
import demo_world
import mails
from app import create_app
from documents.content import compose as compose_paper
from documents.content import facts_of_contract
from documents.sheet import draw
from gateways.bank import Verdict
from models.base import db, utcnow
from models.calendar import local_day
from models.catalogue import Variant
from models.number import Number, ProfileNumber
from models.order import Order
from models.outbox import Mail
from models.payment import Payment
from models.places import municipalities, places
from models.profile import Profile
from models.sms import Sms
from models.sms_text import compose
from tests.papers import text as text_of_pdf
from tests.views.browser import PAYMENT, Browser

MOST_PAGES = 140
# Answers that are no pages of the shop, or end what is walked.
_PASSED_OVER = re.compile(r"/(dil|demo|photos|pay)\b|/desk/(dil|hyrja)")


class Walk:
    def __init__(self, app):
        self.app, self.seen, self.files = app, [], set()

    def note(self, who: str, address: str, status: int, kind: str, text: str) -> None:
        self.seen.append([who, address, status, kind, text])

    def look(self, who: str, browser: Browser, address: str):
        """One address, with what came: the text of a PDF, the page as it is."""
        page = browser.get(address)
        kind = page.headers.get("Content-Type", "").partition(";")[0]
        text = text_of_pdf(page.response.get_data()) if kind == "application/pdf" else page.html
        self.note(who, address, page.status, kind, text)
        return page, kind

    def walk(self, who: str, browser: Browser, prefix: str, *starts: str, below: str = "") -> None:
        """Every page that links lead to from `starts`, in one language, and `below` an address; of addresses that
        differ by their query the first alone."""
        others = tuple(f"/{code}" for code in config.LANGUAGES[1:] if f"/{code}" != prefix)
        inside = re.compile(rf"{prefix}{below}(/|$)")
        waiting, met = [prefix + start for start in starts], set()
        while waiting and len(met) < MOST_PAGES:
            address = waiting.pop(0)
            path = urlsplit(address).path
            if path in met or _PASSED_OVER.search(path) or not inside.match(path):
                continue
            if path.startswith(others):
                continue
            met.add(path)
            page, kind = self.look(who, browser, address)
            if page.status in (302, 303) and page.location:
                waiting.append(_local(page.location))
            if kind != "text/html":
                continue
            for found in re.findall(r'(?:href|src)="([^"#]+)', page.html):
                to = _local(unescape(found))
                if re.match(r"/(static|ikona|pictures|manifest|sw\.js)", to):
                    self.files.add(to)
                elif to.startswith("/"):
                    waiting.append(to)

    def look_at_files(self) -> None:
        guest = Browser(self.app)
        for address in sorted(self.files):
            if address.endswith((".png", ".woff2")):
                continue
            self.look("file", guest, address)


def _local(address: str) -> str:
    return address.removeprefix("http://shop.test")


def data(prefix: str) -> dict[str, dict[str, str]]:
    """What a guest types: of the first municipality and place of the brand's own country."""
    place, town = places("sq")[0], municipalities("sq")[0]
    number = demo_world.here("38970123456")
    return {
        "te-dhenat": {
            "first_name": "Arta",
            "last_name": "Berisha",
            "email": "arta@example.com",
            "phone": f"+{number}",
        },
        "dergesa": {
            "street": "Rruga e Lumit 4",
            "place": place.code,
            "municipality": town.code,
            "postal_code": place.postal_code,
        },
        "pagesa": PAYMENT,
    }


def order(walk: Walk, prefix: str) -> Order:
    """A guest's whole order, each step looked at, paid at the bank."""
    browser, who = Browser(walk.app), f"order{prefix}"
    variants = Variant.select().where(Variant.listed, Variant.stock > 5).order_by(Variant.id)
    for variant in [one for one in variants if one.device.kind in ("phone", "accessory")][:3]:
        assert browser.choose(variant, prefix).status == 303
    walk.look(who, browser, f"{prefix}/shporta")
    for step, typed in data(prefix).items():
        walk.look(who, browser, f"{prefix}/porosia/{step}")
        page = browser.post(f"{prefix}/porosia/{step}", {})
        walk.note(who, f"{prefix}/porosia/{step} with nothing", page.status, "text/html", page.html)
        page = browser.post(f"{prefix}/porosia/{step}", typed)
        assert page.status == 303, page.words
    shown, _ = walk.look(who, browser, f"{prefix}/porosia/pasqyra")
    placed = browser.confirm(shown, prefix=prefix)
    assert placed.status == 303, placed.words
    walk.look(who, browser, _local(placed.location))
    made = Order.of_number(placed.location.split("/")[-2])
    payment = Payment.get(Payment.order == made)
    payment.settle(Verdict.PAID, utcnow())
    own = f"/porosia/{made.number}"
    walk.walk(who, browser, prefix, own, f"{own}/dokumentet/konfirmimi.pdf", below=own)
    walk.note("order number", made.number, 200, "", made.number)
    return made


def contract(walk: Walk, prefix: str) -> None:
    """A subscriber's order of a contract in instalments, from the address of its choice to the paper to sign."""
    browser, who = Browser(walk.app), f"contract{prefix}"
    browser.log_in("eligible@example.com")
    device = Variant.get(Variant.sku == "F-ONE-128").device
    choice = f"{prefix}/pajisja/{device.slug}?lloji={config.FACE.contract_word}"
    page, _ = walk.look(who, browser, choice)
    cart = f"{prefix}/shporta"
    page = browser.post(cart, page.form(cart))
    assert page.status == 303, page.words
    typed = data(prefix)
    for step in ("numri", "te-dhenat", "dergesa", "pagesa"):
        path = f"{prefix}/porosia/{step}"
        page, _ = walk.look(who, browser, path)
        page = browser.post(path, {**page.form(path), **(typed[step] if step in ("te-dhenat", "dergesa") else {})})
        assert page.status == 303, page.words
    shown, _ = walk.look(who, browser, f"{prefix}/porosia/pasqyra")
    placed = browser.confirm(shown, prefix=prefix)
    assert placed.status == 303, placed.words
    number = placed.location.split("/")[-2]
    made = Order.of_number(number)
    for payment in Payment.select().where(Payment.order == made):
        payment.settle(Verdict.PAID, utcnow())
    walk.walk(who, browser, prefix, f"/porosia/{number}", below=f"/porosia/{number}")
    line = made.lines()[0]
    words = compose_paper("contract", facts_of_contract(made, line), 1, utcnow())
    walk.note(who, f"contract of {number}", 200, "application/pdf", text_of_pdf(draw([words], utcnow())))


def messages(walk: Walk) -> None:
    """All that was written to people by now, mails and SMS, and what the club's numbers answer."""
    for mail in Mail.select():
        message = mails.compose(mail)
        headers = "\n".join(f"{name}: {value}" for name, value in message.items())
        walk.note("mail", f"{mail.kind} {mail.language}", 200, "headers", headers)
        for part in message.walk():
            if part.get_content_maintype() == "text":
                walk.note("mail", f"{mail.kind} {mail.language}", 200, part.get_content_type(), part.get_content())
    for sms in Sms.select():
        walk.note("sms", f"{sms.kind} {sms.language}", 200, "text/plain", compose(sms))
    member = (
        Number.select().join(ProfileNumber).where(ProfileNumber.profile == Profile.of_email("eligible@example.com"))
    )
    phone = member.first().msisdn
    gateway = Browser(walk.app)
    at = "2026-03-10+11:00:00"
    for number, said in enumerate(("??", "PIKE", f"90 {config.FACE.bundles['super'][1]}", "5 MB")):
        page = gateway.get(
            f"/sms/inbound?secret={config.SMS_SECRET}&from=%2B{phone}&to={config.FACE.sms_code}"
            f"&id={uuid.uuid5(uuid.NAMESPACE_URL, str(number))}&text={said.replace(' ', '+')}&time={at}"
        )
        walk.note("gateway", said, page.status, "text/plain", page.html)
    for typed in ("", "1", "1*5", "1*6"):
        form = {
            "sessionId": "walk",
            "serviceCode": f"*{config.FACE.ussd_code}#",
            "phoneNumber": f"+{phone}",
            "text": typed,
        }
        page = gateway.post(f"/ussd?secret={config.USSD_SECRET}", form, token=False)
        walk.note("gateway", f"ussd {typed}", page.status, "text/plain", page.html)


def main(path: Path) -> None:
    app = create_app()
    walk = Walk(app)
    with db.connection_context():
        now = utcnow()
        assert local_day(now)
        demo_world.load(now)
    prefixes = ["", *(f"/{code}" for code in config.LANGUAGES[1:])]
    for prefix in prefixes:
        walk.walk(f"guest{prefix}", Browser(app), prefix, "/")
        walk.look(f"guest{prefix}", Browser(app), f"{prefix}/nuk-ka")
        order(walk, prefix)
    contract(walk, "")
    machines = ("/robots.txt", "/manifest.webmanifest", "/en/manifest.webmanifest")
    gone = ("/mk/", "/mk/celulare", "/mk/kushtet")
    maps = (
        "/sitemap.xml",
        "/sitemap-pages.xml",
        "/sitemap-devices-1.xml",
        "/feed/sq.xml",
        "/feed/en.xml",
        "/feed/mk.xml",
    )
    for address in (*machines, *gone, *maps):
        walk.look("machine", Browser(app), address)
    for prefix in prefixes:
        shopper = Browser(app)
        assert shopper.log_in("eligible@example.com").status == 303
        for below in ("/profili", "/klubi", "/porosite", "/paguaj"):
            walk.walk(f"shopper{prefix}", shopper, prefix, below, below=below)
    for role in ("agent", "warehouse", "clerk", "partner", "editor", "admin"):
        prefix = prefixes[len(role) % len(prefixes)]
        desk = Browser(app)
        desk.log_in(f"{role}@example.com")
        walk.walk(f"desk {role}", desk, prefix, "/desk", below="/desk")
    with db.connection_context():
        messages(walk)
    walk.look_at_files()
    path.write_text(json.dumps(walk.seen, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
