"""Pictures as PNG, drawn on demand: the card of a shared link (1200 × 630), and a variant's picture for product
feeds, which take no SVG.

The address of a card carries the hash of what stands on it, so that it is kept for good; another hash leads to the
present one. The address of a variant's picture is its drawing's name, signed: only those that the shop itself wrote
are drawn.
"""

import base64
import hashlib
import hmac
import json
from functools import lru_cache

import resvg_py
from flask import Blueprint, Response, abort, current_app, redirect, url_for
from fontTools.ttLib import TTFont
from markupsafe import Markup

import config
import language
from language import prefix_of
from models.choice import Choice
from models.drawing import EDITION, drawing_path, picture_path, read_name
from models.drawn import NAME, TooBusy, drawn
from models.money import money
from models.pricing import monthly_price
from models.shelf import shelf
from views.forms.device import SLUG
from views.shell import draw
from views.words import gettext

blueprint = Blueprint("og", __name__)

# Raise it when templates/pictures/card.svg changes.
CARD_EDITION = "1"
WIDTH, HEIGHT = 1200, 630
# What the cards of pages without a picture of their own show.
_SHOWN = {
    "home": drawing_path({"kind": "phone", "camera": "tri"}, "#a4bddc", "#e9f1fc #86a8dc #223a6b", "fan"),
    "offers": drawing_path({"kind": "phone", "camera": "bar"}, "#f1c3c6", "", "pair"),
}
# What merchant centres ask for at least is 500.
PLAIN_PIXELS = 800
PAGES = ("home", "phone", "tablet", "accessory", "prepaid_sim", "offers")
FONTS = tuple(str(config.ROOT / "documents" / "fonts" / f"Onest-{weight}.ttf") for weight in ("Regular", "Bold"))
_PHOTOS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}
_PHOTO_MOST = 8_000_000
# How wide the text may be; in which sizes a title is tried, and in how many lines.
_TEXT_WIDTH = 600
_TITLE_SIZES = ((68, 2), (58, 2), (48, 3), (40, 3))
_NOTE_SIZES = (30, 26, 22)


# Cards


# Cards of another face are other cards.
_LOOK = hashlib.sha256(json.dumps([config.FACE.light, config.FACE.mark.inner], sort_keys=True).encode()).hexdigest()


def _hash(facts: dict) -> str:
    text = json.dumps([CARD_EDITION, _LOOK, facts], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def device_facts(choice: Choice) -> dict:
    """What stands on a device's card: the price is a guest's, without a contract (CAT-5)."""
    code = language.current()
    first, device = choice.first, choice.device
    offered = [offer for offer in choice.offers if offer.in_stock] or choice.offers
    cheapest = min((low for offer in choice.offers if (low := offer.lowest("besnik24")) is not None), default=None)
    is_from = len({offer.price.now for offer in offered}) > 1
    note = device.note(code)
    if cheapest is not None:
        note = gettext("nga %(price)s/muaj me Besnik 24", price=money(monthly_price(cheapest), code))
    badge = ""
    if not choice.in_stock:
        badge = gettext("Nuk ka në gjendje")
    elif first.price.before:
        badge = gettext("Vetëm onlajn −%(num)d%%", num=first.price.percent_off)
    return {
        "brand": config.BRAND,
        "title": device.full_name(code),
        "before_price": gettext("nga") if is_from else "",
        "price": money(first.price.now, code),
        "before": money(first.price.before, code) if first.price.before else "",
        "note": note,
        "badge": badge,
        "is_offer": bool(first.price.before) and choice.in_stock,
        "foot": gettext("Dërgesë falas"),
        "pictures": [picture_path(device, first.variant, "pair")],
    }


def page_facts(page: str) -> dict:
    """What stands on the card of a page that is no device's."""
    said = {
        "home": (gettext("Telefoni i ri, drejt e te dera"), gettext("Celularë, tabletë e pajisje shtesë")),
        "phone": (gettext("Celularë"), gettext("Me ose pa kontratë")),
        "tablet": (gettext("Tabletë"), gettext("Me ose pa kontratë")),
        "accessory": (gettext("Pajisje shtesë"), gettext("Për celularin dhe tabletin tuaj")),
        "prepaid_sim": (gettext("SIM pripejd"), gettext("Pa kontratë dhe pa faturë")),
        "offers": (gettext("Oferta"), gettext("Zbritje vetëm onlajn dhe dhurata")),
    }[page]
    return {
        "brand": config.BRAND,
        "title": said[0],
        "before_price": "",
        "price": "",
        "before": "",
        "note": said[1],
        "badge": "",
        "is_offer": False,
        "foot": gettext("Dërgesë falas"),
        "pictures": [page],
    }


def device_address(choice: Choice) -> str:
    """The path of a device's card in the language of the page."""
    # Going through the routes would take longer than the rest of it.
    return f"{prefix_of(language.current())}/pictures/card/{_hash(device_facts(choice))}/{choice.device.slug}.png"


def page_address(page: str) -> str:
    """The path of the card of one of PAGES in the language of the page."""
    return _page_address(language.current(), page)


@lru_cache(maxsize=64)
def _page_address(code: str, page: str) -> str:
    return url_for("og.page", digest=_hash(page_facts(page)), page=page)


@blueprint.get("/pictures/card/<digest>/<slug>.png")
def device(digest: str, slug: str):
    """The card of a device's page."""
    if not NAME.fullmatch(digest) or not SLUG.fullmatch(slug):
        abort(404)
    if (found := drawn.kept(digest)) is not None:
        return _png(found)
    choice = shelf.fresh().offered(slug)
    if choice is None:
        abort(404)
    return _card(digest, device_facts(choice), device_address(choice))


@blueprint.get("/pictures/page/<digest>/<page>.png")
def page(digest: str, page: str):
    """The card of the start page, or of a category."""
    if not NAME.fullmatch(digest) or page not in PAGES:
        abort(404)
    return _card(digest, page_facts(page), page_address(page))


def _card(digest: str, facts: dict, address: str) -> Response:
    if digest != _hash(facts):
        # What was shared before a price changed shows the present one.
        response = redirect(address, 302)
        response.headers["Cache-Control"] = "public, max-age=300"
        return response
    return _drawn(digest, lambda: card_png(facts))


def _drawn(name: str, work) -> Response:
    try:
        return _png(drawn.get(name, work))
    except TooBusy as busy:
        response = Response("", 503, mimetype="text/plain")
        response.headers["Retry-After"] = str(busy.seconds)
        response.headers["Cache-Control"] = "no-store"
        return response


def _png(body: bytes) -> Response:
    response = Response(body, mimetype="image/png")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


# How a card is drawn


def card_png(facts: dict) -> bytes:
    """A card as PNG; the same facts give the same picture."""
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=card_svg(facts),
            width=WIDTH,
            height=HEIGHT,
            font_files=list(FONTS),
            font_family="Onest",
            sans_serif_family="Onest",
            skip_system_fonts=True,
        )
    )


def card_svg(facts: dict) -> str:
    size, lines = _fitted(facts["title"])
    note = facts["note"]
    note_size = next((one for one in _NOTE_SIZES if width_of(note, one) <= _TEXT_WIDTH), _NOTE_SIZES[-1])
    pictures = [_nested(path, place) for place, path in enumerate(facts["pictures"])]
    return draw(
        "pictures/card.svg",
        **facts | {"pictures": pictures, "note": _cut(note, note_size)},
        note_size=note_size,
        size=size,
        lines=lines,
        width_of=width_of,
        colours=config.FACE.light,
        mark=Markup(config.FACE.mark.inner),  # noqa: S704 (read by face.mark, which takes plain drawings alone)
    )


@lru_cache(maxsize=2)
def _letters(file: str) -> tuple[int, dict[int, int]]:
    font = TTFont(file)
    names, widths = font.getBestCmap(), font["hmtx"]
    return font["head"].unitsPerEm, {code: widths[name][0] for code, name in names.items()}


def width_of(text: str, size: float, bold: bool = False) -> float:
    """How wide `text` is in a card, in its pixels."""
    units, widths = _letters(FONTS[bold])
    return sum(widths.get(ord(letter), units // 2) for letter in text) * size / units


def _fitted(title: str) -> tuple[int, list[str]]:
    """The largest size in which a title takes few enough lines, and these; what does not fit at all is cut."""
    for size, most in _TITLE_SIZES:
        lines = _lines(title, size)
        if len(lines) <= most and all(width_of(line, size, bold=True) <= _TEXT_WIDTH for line in lines):
            return size, lines
    kept = lines[:most]
    if len(lines) > most:
        kept[-1] += "…"
    return size, [_cut(line, size, bold=True) for line in kept]


def _cut(text: str, size: int, bold: bool = False) -> str:
    """As much of `text` as its line takes."""
    if width_of(text, size, bold) <= _TEXT_WIDTH:
        return text
    while text and width_of(f"{text}…", size, bold) > _TEXT_WIDTH:
        text = text[:-1].rstrip("… ")
    return f"{text}…"


def _lines(text: str, size: int) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if not lines[-1] or width_of(longer, size, bold=True) <= _TEXT_WIDTH:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _nested(path: str, place: int) -> Markup:
    """A picture of the shop as an SVG inside the card's."""
    if path.startswith("/photos/"):
        try:
            svg = _photo_svg(path)
        except (OSError, ValueError):
            # A card without a picture is better than none.
            svg = ""
    elif path.startswith("/pictures/"):
        facts = read_name(path.rsplit("/", 1)[1].removesuffix(".svg"))
        svg = _device_svg(facts, place) if facts else ""
    else:
        svg = _page_svg(path)
    # Where the place of the picture is, the template says.
    return Markup(svg.replace("<svg ", '<svg width="400" height="400" ', 1))  # noqa: S704 (our own drawings)


def _photo_svg(path: str) -> str:
    """The operator's photo inside an SVG."""
    folder = config.PHOTOS.resolve()
    file = (folder / path.removeprefix("/photos/")).resolve()
    kind = _PHOTOS.get(file.suffix.lower())
    if kind is None or not file.is_relative_to(folder) or file.stat().st_size > _PHOTO_MOST:
        raise ValueError("No photo of the shop.")
    data = base64.b64encode(file.read_bytes()).decode()
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400">'
        f'<image width="400" height="400" href="data:image/{kind};base64,{data}"/></svg>'
    )


def _device_svg(facts: dict, place: int = 0) -> str:
    module = current_app.jinja_env.get_template("pictures/device.jinja").module
    return str(module.device(**facts, uid=f"d{place}"))


def _page_svg(page: str) -> str:
    if page in _SHOWN:
        return _device_svg(read_name(_SHOWN[page].rsplit("/", 1)[1].removesuffix(".svg")))
    kind = page if page in ("tablet", "accessory", "prepaid_sim") else "phone"
    return config.static_path(f"img/category-{kind}.svg").read_text(encoding="utf-8")


# Pictures of variants


@lru_cache(maxsize=8192)
def _signature(name: str) -> str:
    return hmac.new(config.secret_key().encode(), f"png:{name}".encode(), "sha256").hexdigest()[:12]


def plain_path(device, variant) -> str:
    """The path of a variant's picture as PNG; the operator's photo is what it is."""
    path = picture_path(device, variant)
    if path.startswith("/photos/"):
        return path
    name = path.rsplit("/", 1)[1].removesuffix(".svg")
    return f"/pictures/{EDITION}/{name}.{_signature(name)}.png"


def plain_address(device, variant) -> str:
    return config.BASE_URL + plain_path(device, variant)


@blueprint.get("/pictures/<edition>/<name>.<signature>.png")
def plain(edition: str, name: str, signature: str):
    """A drawing as PNG on white, as product feeds take it."""
    facts = read_name(name) if edition == EDITION else None
    if facts is None or not hmac.compare_digest(signature.encode(), _signature(name).encode()):
        abort(404)
    digest = hashlib.sha256(f"{EDITION}:{PLAIN_PIXELS}:{name}".encode()).hexdigest()[:16]
    return _drawn(digest, lambda: plain_png(facts))


def plain_png(facts: dict) -> bytes:
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=_device_svg(facts),
            width=PLAIN_PIXELS,
            height=PLAIN_PIXELS,
            background="#ffffff",
            skip_system_fonts=True,
        )
    )
