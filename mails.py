"""The shop's mails: a row of the outbox written out as text and HTML, in its reader's language.

The worker calls `compose` outside any request, so nothing here needs the application: templates, translations
and pictures are read from the project's folder.
"""

import base64
import re
import unicodedata
from contextlib import suppress
from datetime import date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from functools import lru_cache
from pathlib import Path

import idna
import resvg_py
import structlog
from babel.dates import format_date, format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from peewee import PeeweeException

import after_mails
import cart_mails
import club_mails
import config
import delivery_mails
import language as languages
import watch_mails
from gateways import GatewayError
from models import order_link, profile_link
from models.bill_payment import BillPayment
from models.calendar import ZONE, wish_hours
from models.drawing import read_name
from models.erasure import Erasure
from models.money import MINOR, money
from models.money import number as amount
from models.order import Order, OrderLine
from models.order_points import OrderPoints
from models.outbox import AFTER_KINDS, BILL_KINDS, CLUB_KINDS, DELIVERY_KINDS, PROFILE_KINDS, SENT_KINDS, Mail
from models.pay_link import PayLink
from models.payment import Payment
from models.places import municipality_of
from models.profile_link import ProfileLink
from models.quote import together
from models.registration import Registration
from views.templating import phone_text

log = structlog.get_logger()

# Twice the size they are shown at, for dense screens.
PICTURE_PIXELS = 128
MARK_PIXELS = 56
PHOTO_BYTES_MAX = 12_000_000


def compose(mail: Mail) -> EmailMessage:
    """The message of `mail`, whole: headers, text, HTML and its pictures (CHK-5, PAY-7, PAY-8, MSG-3).

    At most three queries, some more for a left cart. Raises GatewayError(permanent=True) when no message can be made
    of the row: the outbox then sets it aside instead of meeting it again each round; trouble with the database comes
    out unchanged.
    """
    try:
        return _compose(mail)
    except PeeweeException:
        raise
    except Exception as error:
        log.exception("mail.not_composed", mail=mail.id, kind=mail.kind)
        raise GatewayError(f"The mail cannot be composed: {type(error).__name__}.", permanent=True) from error


def _compose(mail: Mail) -> EmailMessage:
    if mail.kind not in SENT_KINDS:
        raise ValueError(f"There is no mail {mail.kind!r}.")
    language = mail.language if mail.language in languages.LOCALES else languages.DEFAULT
    pictures = Pictures(mail.message_id)
    context = _context(mail, language, pictures)
    templates = _templates(language)

    def write(part: str) -> str:
        return templates.get_template(f"mail/{mail.kind}/{part}").render(context)

    subject = context["subject"] = " ".join(write("subject.txt").split())
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = config.MAIL_FROM
    message["To"] = Address(addr_spec=_ascii_domain(mail.recipient))
    message["Date"] = mail.written_at.astimezone(ZONE)
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    if "stop_url" in context:
        # RFC 8058: mail programs stop what is advertising with one click (PRV-2).
        message["List-Unsubscribe"] = f"<{context['stop_url']}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(write("page.txt").strip() + "\n")
    page = write("page.html")
    message.add_alternative(page, subtype="html")
    # set_content drops headers whose names begin with Content-.
    message["Content-Language"] = language
    html = message.get_payload()[1]
    # Not every mail about an order shows its lines.
    shown = [(cid, png) for cid, png in pictures.inline.values() if f"cid:{cid}" in page]
    for number, (cid, png) in enumerate(shown, 1):
        html.add_related(png, "image", "png", cid=f"<{cid}>", disposition="inline", filename=f"{number}.png")
    return message


def _ascii_domain(address: str) -> str:
    """`address` with the domain as mail servers know it."""
    local, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    return f"{local}@{idna.encode(domain, uts46=True).decode()}"


def _context(mail: Mail, language: str, pictures: "Pictures") -> dict:
    root = config.BASE_URL + languages.prefix_of(language)
    context = {
        "mark": pictures.mark(),
        "shop_url": f"{root}/",
        "terms_url": f"{root}/kushtet",
        "privacy_url": f"{root}/privatesia",
        "has_order_link": False,
    }
    if mail.kind in PROFILE_KINDS:
        return context | _of_profile(mail, root)
    if mail.kind in BILL_KINDS:
        return context | _of_bills(mail, root)
    if mail.kind in watch_mails.KINDS:
        return context | watch_mails.context(mail, language, root, pictures)
    if mail.kind == "cart_reminder":
        return context | cart_mails.reminder(mail, language, root, pictures)
    if mail.kind == "payer_receipt":
        return context | cart_mails.receipt(mail)
    if mail.kind in CLUB_KINDS:
        return context | club_mails.context(mail, language, root)
    return context | _of_order(mail, language, root, pictures)


def _of_profile(mail: Mail, root: str) -> dict:
    """What a mail about a profile says (PRO-1, PRO-2); its link is signed here, and kept nowhere.

    No name: whoever causes a mail to somebody else must not write a line of it.
    """
    context = {
        "about_order": False,
        "email": clean(mail.recipient),
        "profile_url": f"{root}/profili",
        "log_in_url": f"{root}/hyr",
        "forgotten_url": f"{root}/hyr/harruar",
        "written_at": mail.written_at,
    }
    if mail.kind == "confirm_registration":
        registration = Registration.get_by_id(mail.data["link"])
        context |= {
            "link_url": f"{root}/profili/konfirmimi/{registration.token}",
            "until": registration.expires_at,
        }
    elif mail.kind in ("erase_profile", "erasure_confirmed"):
        erasure = Erasure.get_by_id(mail.data["erasure"])
        context |= {
            "link_url": f"{root}/profili/privatesia/fshirja/{erasure.token}",
            "until": erasure.expires_at,
            "due_at": erasure.due_at,
            "data_url": f"{root}/profili/privatesia",
        }
    elif mail.kind in ("password_reset", "confirm_email"):
        link = ProfileLink.get_by_id(mail.data["link"])
        path = "hyr/fjalekalimi" if mail.kind == "password_reset" else "profili/e-posta/konfirmimi"
        context |= {
            "link_url": f"{root}/{path}/{profile_link.sign(link.purpose, link.code)}",
            "until": link.expires_at,
        }
    return context


def _of_bills(mail: Mail, root: str) -> dict:
    """What a mail about a card payment of invoices says (PRO-7, PAY-7)."""
    bills = BillPayment.get(BillPayment.number == mail.data["bill_payment"])
    lines = bills.invoiced()
    paid = Payment.select(Payment.auth_code).where(Payment.bill_payment == bills, Payment.state == "paid").first()
    return {
        "about_order": False,
        "bills": bills,
        "lines": lines,
        # What of the card's money was not needed.
        "returned": sum(line.amount for line in lines if not line.paid) if bills.state == "paid" else 0,
        "auth_code": clean(paid.auth_code) if paid else "",
        "bills_url": f"{root}/paguaj",
        "payment_url": f"{root}/paguaj/{bills.number}",
    }


def _of_order(mail: Mail, language: str, root: str, pictures: "Pictures") -> dict:
    order = mail.order
    token = order_link.sign(order)
    order_url = f"{root}/porosia/{order.number}"
    lines = order.lines()
    context = {
        "about_order": True,
        "order": order,
        "name": clean(order.first_name),
        "lines": [_line(line, language, pictures) for line in lines],
        # What is due when, where something is billed (PAY-3).
        "due": together(line.quote for line in lines),
        "order_url": f"{order_url}?k={token}",
        "retry_url": f"{order_url}/pagesa?k={token}",
        "calendar_url": f"{order_url}/kalendari.ics?k={token}",
        # A worker that was away may write of a retry that is over.
        "is_open": order.state == "awaiting_payment",
        "has_order_link": mail.kind in ("order_confirmed", "payment_failed"),
    }
    if mail.kind in AFTER_KINDS:
        context |= after_mails.context(mail, language, root)
    if mail.kind in DELIVERY_KINDS:
        # To the part of the page where a new time is chosen.
        context |= {"time_url": f"{context['order_url']}#koha"} | delivery_mails.context(mail, language)
    if mail.kind == "order_lapsed":
        # Where the order's points are by now (PAY-9).
        context["points_state"] = OrderPoints.of(order).state if order.points else None
    if mail.kind == "pay_link":
        link = PayLink.get_by_id(mail.data["link"])
        context |= {"pay_url": f"{root}/paguaj-per/{link.token()}"}
    if mail.kind == "payment_failed":
        # Nobody refused anything where the shopper left the bank's page.
        context["was_left"] = (mail.key or "").startswith("payment_waiting:")
    if mail.kind == "order_confirmed":
        paid = Payment.select(Payment.auth_code).where(Payment.order == order, Payment.state == "paid").first()
        context |= {
            "auth_code": clean(paid.auth_code) if paid else "",
            "place": clean(order.place_in(language)),
            "municipality": _municipality(order, language),
            # DLV-3: what comes with a contract, or was paid with points, goes to the number's holder alone.
            "has_contract": (contract := any(line.contract_type == "besnik24" for line in lines)),
            "holder_only": contract or order.points > 0,
        }
    return context


def _line(line: OrderLine, language: str, pictures: "Pictures") -> dict:
    gift = line.gift or {}
    return {
        "title": clean(line.title(language)),
        "colour": clean(line.colour(language)),
        "quantity": line.quantity,
        "price": line.price,
        "before": line.before,
        "total": line.total,
        "gift": clean(gift.get(language) or gift.get("sq") or ""),
        "contract": _contract(line, language),
        "cid": pictures.of(line.picture),
    }


def _contract(line: OrderLine, language: str) -> str:
    """What a contract's line says below its device: "Besnik 24 · Linja L · 070 123 456"; empty without one."""
    if not line.is_contract:
        return ""
    gettext = words(language).gettext
    kind = gettext("Besnik 24") if line.contract_type == "besnik24" else gettext("Numër i ri")
    return clean(" · ".join((kind, line.tariff["name"], phone_text(line.msisdn))))


def _municipality(order: Order, language: str) -> str:
    with suppress(KeyError):
        return clean(municipality_of(order.municipality).name(language))
    return clean(order.municipality)


def clean(text: str) -> str:
    """What a person typed, on one line and without characters that steer the display.

    A note of several lines must not look like a part of the mail, nor a name turn the text around it.
    """
    shown = "".join(
        character if character == "\u00a0" else " " if character.isspace() else character
        for character in str(text or "")
        if character.isspace() or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co")
    )
    return re.sub(" +", " ", shown).strip()


# The translations of a language.
words = languages.translations


def by_day(day: date, language: str) -> str:
    """The last day of a promise as people say it: "deri të martën, 25 nëntor" (DLV-2)."""
    return words(language).gettext("deri %(day)s") % {"day": languages.last_day(day, language)}


def day_text(day: date, language: str) -> str:
    """A day in figures: "21.11.2025"."""
    return format_date(day, "dd.MM.yyyy", locale=languages.LOCALES[language])


def moment(at: datetime, language: str) -> str:
    """A moment in the shop's time zone: "21.11.2025, ora 14:32" (LOC-3)."""
    local = at.astimezone(ZONE)
    return words(language).gettext("%(day)s, ora %(time)s") % {
        "day": format_date(local.date(), "dd.MM.yyyy", locale=languages.LOCALES[language]),
        "time": format_datetime(local, "HH:mm", tzinfo=ZONE, locale=languages.LOCALES[language]),
    }


def points_text(count: int, language: str) -> str:
    """Points of the club as `language` writes them: "1.000 pikë"."""
    text = words(language).ngettext("%(count)s pikë", "%(count)s pikë", count)
    return text % {"count": amount(count * MINOR, language)}


@lru_cache(maxsize=8)
def _templates(language: str) -> Environment:
    templates = Environment(
        loader=FileSystemLoader(config.ROOT / "templates"),
        autoescape=select_autoescape(("html",), default=False),
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.install_gettext_translations(words(language), newstyle=True)
    templates.filters.update(
        den=lambda amount: money(amount, language),
        by_day=lambda day: by_day(day, language),
        moment=lambda at: moment(at, language),
        day=lambda day: day_text(day, language),
        points=lambda count: points_text(count, language),
        plain=lambda points: amount(points * MINOR, language),
        phone=lambda number: phone_text(clean(number)),
        clean=clean,
        hours=wish_hours,
    )
    templates.globals.update(lang=language, brand=config.BRAND, config=config, face=config.FACE)
    templates.globals.update(light=config.FACE.light, dark=config.FACE.dark, card_mark=config.CARD_MARK)
    return templates


class Pictures:
    """The pictures of one mail: each is sent once, inside it, for mail programs drop SVG and remote images."""

    def __init__(self, message_id: str):
        self._name = message_id.strip("<>")
        # path → (content id, PNG)
        self.inline: dict[str, tuple[str, bytes]] = {}

    def mark(self) -> str:
        return self._put("mark", mark_png())

    def of(self, path: str) -> str:
        """The content id of the picture that the shop shows under `path`; empty where there is none."""
        if path in self.inline:
            return self.inline[path][0]
        png = picture_png(path)
        return self._put(path, png) if png else ""

    def _put(self, path: str, png: bytes) -> str:
        cid = f"{len(self.inline) + 1}.{self._name}"
        self.inline[path] = (cid, png)
        return cid


@lru_cache(maxsize=1)
def mark_png() -> bytes:
    return _png(config.FACE.mark.svg(config.FACE.mark_in_mail), MARK_PIXELS)


@lru_cache(maxsize=64)
def picture_png(path: str) -> bytes | None:
    """The picture at the shop's address `path` as PNG; None when there is no such picture any more."""
    try:
        if path.startswith("/photos/"):
            return _png(_photo(path), PICTURE_PIXELS)
        return _png(_drawing(path), PICTURE_PIXELS)
    except (OSError, ValueError) as error:
        # A mail without a picture is better than none.
        log.warning("mail.no_picture", reason=type(error).__name__)
        return None


def _png(svg: str, pixels: int) -> bytes:
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, width=pixels, height=pixels, skip_system_fonts=True))


def _drawing(path: str) -> str:
    facts = read_name(Path(path).stem)
    if facts is None:
        raise ValueError("No drawing has this name.")
    return str(_templates(languages.DEFAULT).get_template("pictures/device.jinja").module.device(**facts))


def _photo(path: str) -> str:
    """The operator's photo inside an SVG, which brings it to the size of a mail's picture."""
    folder = config.PHOTOS.resolve()
    file = (folder / path.removeprefix("/photos/")).resolve()
    if not file.is_relative_to(folder) or file.stat().st_size > PHOTO_BYTES_MAX:
        raise ValueError("No photo of the shop.")
    kind = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}.get(file.suffix.lower())
    if kind is None:
        raise ValueError("No photo of a known kind.")
    data = base64.b64encode(file.read_bytes()).decode()
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400">'
        f'<image width="400" height="400" href="data:image/{kind};base64,{data}"/></svg>'
    )
