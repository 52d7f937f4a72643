"""The product feeds: RSS 2.0 with the g: fields that merchant centres take, one for each language.

A feed is written to the disk piece by piece, compressed, when it is asked for and the catalogue has changed since;
then that file is what everybody gets. One is made at a time on a machine, and after a long one there is a pause, so
that nobody can keep the shop busy with it: meanwhile the last one is given out.
"""

import fcntl
import gzip
import hashlib
import os
import re
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import structlog
from flask import Blueprint, Response, abort, g, request
from markupsafe import escape

import config
from language import prefix_of
from models.base import utcnow
from models.catalogue import CatalogueVersion
from models.feed import Item, items
from models.order import storage_label
from views import characteristics, og, structured
from views.templating import category_name
from views.words import gettext

log = structlog.get_logger()
blueprint = Blueprint("feed", __name__)

# Raise it when what a feed says changes.
EDITION = "1"
# How much longer than making one took the next may be old.
_PAUSE = 10
_CHUNK = 64 * 1024
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TITLE_MOST, _TEXT_MOST = 150, 5000
# Google's product taxonomy: numbers where it asks for a certain one, else the way to the category.
CATEGORIES = {
    "phone": "267",
    "tablet": "4745",
    "prepaid_sim": "6030",
    "watch": "201",
    "case": "2353",
    "earbuds": "Electronics > Audio > Audio Components > Headphones & Headsets > Headphones",
    "charger": "Electronics > Electronics Accessories > Power > Power Adapters & Chargers",
    "powerbank": "Electronics > Electronics Accessories > Power > Power Adapters & Chargers",
    "cable": "Electronics > Electronics Accessories > Cables",
    "accessory": "Electronics > Communications > Telephony > Mobile Phone Accessories",
}
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0" xmlns:atom="http://www.w3.org/2005/Atom">\n<channel>\n'
)
_END = "</channel>\n</rss>\n"


class Busy(Exception):
    """Another one is being made, and there is none from before."""


@blueprint.get("/feed/<code>.xml")
def show(code: str):
    """The feed in one language."""
    if code not in config.LANGUAGES or request.script_root:
        abort(404)
    # All words below are in the feed's language.
    g.language = code
    try:
        file = _opened(code)
    except Busy:
        response = Response("", 503, mimetype="text/plain")
        response.headers["Retry-After"] = "30"
        return response
    response = Response(mimetype="application/rss+xml")
    response.call_on_close(file.close)
    response.set_etag(Path(file.name).name.split("~")[0])
    stat = os.fstat(file.fileno())
    response.last_modified = int(stat.st_mtime)
    response.headers["Cache-Control"] = "public, max-age=600"
    response.headers["Vary"] = "Accept-Encoding"
    response.make_conditional(request)
    # It counted a body that is not there yet.
    response.headers.pop("Content-Length", None)
    if response.status_code != 304:
        if request.accept_encodings["gzip"] > 0:
            response.headers["Content-Encoding"] = "gzip"
            response.headers["Content-Length"] = str(stat.st_size)
            response.response = _read(file)
        else:
            response.response = _unpacked(file)
    return response


def _opened(code: str) -> BinaryIO:
    """The feed's file, open: whoever makes the next one takes its name away. Raises Busy."""
    try:
        return open(current(code), "rb")
    except FileNotFoundError:
        # It was there a moment ago, so there is a newer one.
        return open(current(code), "rb")


def _read(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _unpacked(file: BinaryIO) -> Iterator[bytes]:
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    for chunk in _read(file):
        while chunk:
            yield unpacking.decompress(chunk, _CHUNK)
            chunk = unpacking.unconsumed_tail
    yield unpacking.flush()


# The files


def _stem(code: str, version: int) -> str:
    # What else is in a feed than the catalogue.
    around = [EDITION, config.BASE_URL, config.BRAND, config.CURRENCY, config.COUNTRY, og.EDITION]
    return f"{code}-{version}-{hashlib.sha256('|'.join(around).encode()).hexdigest()[:8]}"


def current(code: str) -> Path:
    """The file of the feed in one language, made anew where the catalogue has changed. Raises Busy.

    Its name says for which version it is, and, after ~, how many milliseconds it took.
    """
    stem = _stem(code, CatalogueVersion.current())
    made = _made(code)
    found = next((file for file in made if file.name.startswith(f"{stem}~")), None)
    if found is not None:
        return found
    last = max(made, key=lambda file: file.stat().st_mtime, default=None)
    if last is not None and _is_fresh(last):
        return last
    with _alone() as is_mine:
        if is_mine:
            return _make(code, stem)
    if last is None:
        raise Busy
    return last


def _made(code: str) -> list[Path]:
    return list(config.FEEDS.glob(f"{code}-*~*.xml.gz"))


def _is_fresh(file: Path) -> bool:
    took = int(file.name.split("~")[1].split(".")[0]) / 1000
    return time.time() - file.stat().st_mtime < took * _PAUSE


@contextmanager
def _alone():
    """True for the one process that makes a feed now."""
    config.FEEDS.mkdir(parents=True, exist_ok=True)
    with open(config.FEEDS / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _make(code: str, stem: str) -> Path:
    began = time.monotonic()
    before = _made(code)
    descriptor, scratch = tempfile.mkstemp(dir=config.FEEDS, suffix=".part")
    try:
        count = 0
        with os.fdopen(descriptor, "wb") as raw, gzip.GzipFile("", "wb", 5, raw, mtime=0) as file:
            for piece in written(code):
                file.write(piece.encode())
                count += 1
        took = int((time.monotonic() - began) * 1000)
        made = config.FEEDS / f"{stem}~{took}.xml.gz"
        os.replace(scratch, made)
    except BaseException:
        with suppress(OSError):
            os.unlink(scratch)
        raise
    for file in [*before, *config.FEEDS.glob("*.part")]:
        with suppress(OSError):
            file.unlink()
    log.info("feed.made", language=code, devices=count - 2, milliseconds=took)
    return made


# What stands in it


def written(code: str) -> Iterator[str]:
    """The feed, device by device; the language of the words is that of the request."""
    root = config.BASE_URL + prefix_of(code)
    said = gettext("Pajisjet e dyqanit me çmimet pa kontratë.")
    yield (
        f"{_HEAD}<title>{_xml(config.BRAND)}</title>\n<link>{_xml(root)}/</link>\n"
        f"<description>{_xml(said)}</description>\n<language>{code}</language>\n"
        f'<atom:link href="{_xml(config.BASE_URL)}/feed/{code}.xml" rel="self" type="application/rss+xml"/>\n'
    )
    shipping = (
        f"<g:shipping><g:country>{config.COUNTRY}</g:country><g:price>{_price(0)}</g:price></g:shipping>\n"
        "<g:condition>new</g:condition>\n<g:identifier_exists>no</g:identifier_exists>\n"
    )
    for device, found in items(utcnow()):
        yield "".join(_items(code, root, device, found, shipping))
    yield _END


def _items(code: str, root: str, device, found: list[Item], shipping: str) -> Iterator[str]:
    name = device.full_name(code)
    path = structured.device_path(device.slug)
    same = (
        f"<description>{_xml(_text(device, name, found[0].variant))}</description>\n"
        f"<g:brand>{_xml(device.brand.name)}</g:brand>\n"
        f"<g:product_type>{_xml(_type(device))}</g:product_type>\n"
        f"<g:google_product_category>{_xml(category_of(device))}</g:google_product_category>\n"
        f"{shipping}"
    )
    if len(found) > 1:
        same += f"<g:item_group_id>{_xml(device.slug)}</g:item_group_id>\n"
    for item in found:
        variant, price = item.variant, item.price
        colour = variant.colour(code)
        size = storage_label(variant.storage_gb) if variant.storage_gb else ""
        title = ", ".join(part for part in (name, colour, size) if part)[:_TITLE_MOST]
        lines = [
            f"<item>\n<g:id>{_xml(variant.sku)}</g:id>\n<title>{_xml(title)}</title>\n",
            f"<link>{_xml(root + structured.variant_path(path, variant))}</link>\n",
            f"<g:image_link>{_xml(og.plain_address(device, variant))}</g:image_link>\n",
            f"<g:availability>{'in_stock' if variant.stock > 0 else 'out_of_stock'}</g:availability>\n",
            f"<g:price>{_price(price.before or price.now)}</g:price>\n",
        ]
        if price.before:
            lines.append(f"<g:sale_price>{_price(price.now)}</g:sale_price>\n")
            if price.since is not None and price.until is not None:
                period = "/".join(moment.strftime("%Y-%m-%dT%H:%M+0000") for moment in (price.since, price.until))
                lines.append(f"<g:sale_price_effective_date>{period}</g:sale_price_effective_date>\n")
        if colour:
            lines.append(f"<g:color>{_xml(colour[:100])}</g:color>\n")
        if size:
            lines.append(f"<g:size>{_xml(size)}</g:size>\n")
        yield "".join([*lines, same, "</item>\n"])


def _type(device) -> str:
    return f"{gettext('Pajisje')} > {category_name(device.kind)} > {device.brand.name}"


def category_of(device) -> str:
    """Where Google's taxonomy has the device."""
    if device.kind == "accessory":
        return CATEGORIES.get(device.drawing.get("kind"), CATEGORIES["accessory"])
    return CATEGORIES[device.kind]


def _text(device, name: str, variant) -> str:
    """The line below the name, and the characteristics that all variants share."""
    facts = [
        f"{title}: {text}"
        for key, title, text in characteristics.specifications(device, variant)
        if key not in ("memoria", "garancia")
    ]
    said = [part for part in (characteristics.summary(device), *facts) if part]
    return ". ".join([name, *said])[:_TEXT_MOST]


def _price(amount: int) -> str:
    return f"{structured.decimal(amount)} {config.CURRENCY}"


def _xml(text: str) -> str:
    """`text` as it can stand in XML, which knows no control characters."""
    return str(escape(_NOT_XML.sub(" ", text)))
