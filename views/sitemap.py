"""The sitemaps and robots.txt: what is to be found, in each language, and what is nobody's to look for.

The index names one map of pages and one for each ten thousand devices; no map has more than 50,000 addresses. When
something changed is said where it is known: of a device, when its listing was last worked out.
"""

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, request, stream_with_context
from markupsafe import escape
from peewee import SQL, fn

import config
from language import prefix_of
from models.catalogue import CatalogueVersion, Device, Listing
from views import found, help_words
from views.structured import device_path

blueprint = Blueprint("sitemap", __name__)

# Ids of devices in one map; three addresses each stay below the limits, 50,000 and 50 MB.
DEVICES = 10_000
_ROWS = 500
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_MAP = (
    f'{_XML}<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml">\n'
)
_INDEX = f'{_XML}<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
# The lists, whose kind's last change is known.
_KINDS = {
    "browse.home": "phone",
    "browse.phones": "phone",
    "browse.tablets": "tablet",
    "browse.accessories": "accessory",
    "browse.prepaid_sims": "prepaid_sim",
}
_LISTS = ("/", "/celulare", "/tablete", "/pajisje-shtese", "/sim-pripejd", "/oferta")
# What belongs to one person, or to those who work here. The cart and the first steps of an order are left to look at:
# they say themselves that they are nothing to be found.
_PRIVATE = (
    "/krahaso",
    "/deshirat",
    "/te-shikuarat",
    "/porosia/",
    "/porosite",
    "/paguaj",
    "/pagese",
    "/profili",
    "/hyr",
    "/koha/",
    "/lajmet/",
    "/klubi/",
    "/desk",
    "/partneri",
    "/demo/",
    "/kerko",
    "/pay/",
    "/metrics",
    "/health",
)
_ALLOWED = ("/porosia/te-dhenat", "/porosia/numri")


@blueprint.get("/sitemap.xml")
def index():
    """Which maps there are."""
    _no_prefix()
    part = (Listing.device - 1) / DEVICES
    last = fn.MAX(Listing.changed_at)
    # By its name: PostgreSQL takes an expression with parameters for another one each time.
    parts = Listing.select(part.alias("part"), last).where(Listing.shown).group_by(SQL("part")).tuples()

    def written() -> Iterator[str]:
        yield _INDEX
        yield _entry("sitemap", "/sitemap-pages.xml", None)
        for number, changed_at in sorted(parts):
            yield _entry("sitemap", f"/sitemap-devices-{int(number) + 1}.xml", _moment(changed_at))
        yield "</sitemapindex>\n"

    return _streamed(written())


@blueprint.get("/sitemap-pages.xml")
def pages():
    """The pages for everybody that are no devices'."""
    _no_prefix()
    changed = dict(Listing.select(Listing.kind, fn.MAX(Listing.changed_at)).group_by(Listing.kind).tuples())

    def written() -> Iterator[str]:
        yield _MAP
        for endpoint, path in found.page_paths():
            yield _urls(path, _moment(changed.get(_KINDS.get(endpoint))))
        yield "</urlset>\n"

    return _streamed(written())


@blueprint.get("/sitemap-devices-<int:number>.xml")
def devices(number: int):
    """The devices' pages whose ids are in one ten thousand."""
    _no_prefix()
    if not 1 <= number <= 100_000:
        abort(404)
    first, last = (number - 1) * DEVICES + 1, number * DEVICES
    if not Listing.select().where(Listing.shown, Listing.device.between(first, last)).exists():
        abort(404)

    def written() -> Iterator[str]:
        yield _MAP
        after = first - 1
        while True:
            rows = list(
                Listing.select(Listing.device, Device.slug, Listing.changed_at)
                .join(Device)
                .where(Listing.shown, Listing.device > after, Listing.device <= last)
                .order_by(Listing.device)
                .limit(_ROWS)
                .tuples()
            )
            if not rows:
                break
            after = rows[-1][0]
            yield "".join(_urls(device_path(slug), changed_at) for _, slug, changed_at in rows)
        yield "</urlset>\n"

    return _streamed(written())


def _no_prefix() -> None:
    # One of each for all languages.
    if request.script_root:
        abort(404)


def _moment(value) -> datetime | None:
    """What MAX() gives: a database that keeps text gives text."""
    return Listing.changed_at.python_value(value)


def _entry(tag: str, path: str, changed_at: datetime | None, more: str = "") -> str:
    changed = f"<lastmod>{changed_at:%Y-%m-%dT%H:%M:%SZ}</lastmod>" if changed_at else ""
    return f"<{tag}><loc>{escape(config.BASE_URL + path)}</loc>{changed}{more}</{tag}>\n"


def _urls(path: str, changed_at: datetime | None) -> str:
    """A page in each language, each with links to all."""
    codes = config.LANGUAGES
    links = "".join(
        f'<xhtml:link rel="alternate" hreflang="{name}" href="{escape(config.BASE_URL + prefix_of(code) + path)}"/>'
        for name, code in [*((code, code) for code in codes), ("x-default", codes[0])]
    )
    return "".join(_entry("url", prefix_of(code) + path, changed_at, links) for code in codes)


def _streamed(pieces: Iterable[str]) -> Response:
    """`pieces` piece by piece, compressed where that is taken; true for one version of the catalogue."""
    response = Response(mimetype="application/xml")
    # What else is in a map than the catalogue: another release has other pages.
    around = [request.path, config.BASE_URL, *config.LANGUAGES, *found.PAGES, *help_words.slugs()]
    digest = hashlib.sha256("|".join(around).encode()).hexdigest()[:8]
    response.set_etag(f"{CatalogueVersion.current()}-{digest}")
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.headers["Vary"] = "Accept-Encoding"
    response.make_conditional(request)
    # It counted a body that is not there yet.
    response.headers.pop("Content-Length", None)
    if response.status_code == 304:
        return response
    chunks = (piece.encode() for piece in pieces)
    if request.accept_encodings["gzip"] > 0:
        response.headers["Content-Encoding"] = "gzip"
        chunks = _gzipped(chunks)
    response.response = stream_with_context(chunks)
    return response


def _gzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    packing = zlib.compressobj(5, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for chunk in chunks:
        if packed := packing.compress(chunk):
            yield packed
    yield packing.flush()


@blueprint.get("/robots.txt")
def robots():
    """Who may look at what; a trial shop on a public address is nobody's to find."""
    if config.ENV != "production" and not _is_here():
        lines = ["User-agent: *", "Disallow: /"]
    else:
        prefixes = [prefix_of(code) for code in config.LANGUAGES]
        lines = ["User-agent: *"]
        lines += [f"Disallow: {prefix}{path}" for prefix in prefixes for path in _PRIVATE]
        lines += [f"Allow: {prefix}{path}" for prefix in prefixes for path in _ALLOWED]
        # Filters together are without end; one alone, and the pages of a list, are not.
        lines += [f"Disallow: {prefix}{path}?*&" for prefix in prefixes for path in _LISTS]
        lines += ["", f"Sitemap: {config.BASE_URL}/sitemap.xml"]
    response = Response("\n".join(lines) + "\n", mimetype="text/plain")
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _is_here() -> bool:
    """Whether the shop's address is one of this machine alone, where no search engine comes."""
    return urlsplit(config.BASE_URL).hostname in ("127.0.0.1", "localhost", "::1")
