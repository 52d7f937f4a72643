"""Home, categories, offers and the search: lists of devices with their filters (CAT-1, CAT-2, CAT-6)."""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from flask import Blueprint, current_app, redirect, request
from markupsafe import escape
from werkzeug.exceptions import HTTPException

import language
from language import current, prefix_of
from models.catalogue_index import Query
from models.drawing import drawing_path
from models.money import with_symbol
from models.shelf import shelf
from views.cards import cards_html
from views.characteristics import grouped
from views.facets import facets_html, flag_name, value_name
from views.filters import FLAGS, MANY, Filters, clean_text
from views.found import OWN, list_head, list_things, list_title, standing_of
from views.kept import kept_page
from views.pager import page_name, pager_html, pages_text
from views.respond import wants_piece
from views.shell import blank, draw, header, mould, part
from views.structured import path_of
from views.templating import category_name
from views.words import gettext, ngettext, url, words_in

blueprint = Blueprint("browse", __name__)

# Cards whose pictures are asked for before the first paint. A drawing is a document of its own to a browser, and
# takes a slow phone some 30 ms: the others follow at once, but let the page be seen first.
_FIRST_VIEW = 1
SUGGESTED = 6
_SEARCH_FIELDS = re.compile("(q[29]?)-suggestions")


@dataclass(frozen=True, slots=True)
class _List:
    """One of the shop's lists."""

    endpoint: str
    kind: str | None = None
    offers: bool = False
    # The home page shows phones below its window.
    home: bool = False

    @property
    def heading(self) -> str:
        return category_name(self.kind) if self.kind else gettext("Oferta")


_HOME = _List("browse.home", kind="phone", home=True)
_KINDS = {
    kind: _List(endpoint, kind=kind)
    for kind, endpoint in (
        ("phone", "browse.phones"),
        ("tablet", "browse.tablets"),
        ("accessory", "browse.accessories"),
        ("prepaid_sim", "browse.prepaid_sims"),
    )
}
_OFFERS = _List("browse.offers", offers=True)
_SEARCH = _List("browse.search")


# The three phones in the shop's window.
_WINDOW = tuple(
    drawing_path({"kind": "phone", "camera": camera}, colour, screen, angle)
    for camera, colour, screen, angle in (
        ("bar", "#f1c3c6", "", "back"),
        ("tri", "#a4bddc", "#e9f1fc #86a8dc #223a6b", "fan"),
        ("quad", "#5d7f6b", "#eaf7df #7cbf93 #143f3c", "front"),
    )
)


@blueprint.get("/")
def home():
    return _show(_HOME)


@blueprint.get("/celulare")
def phones():
    return _show(_KINDS["phone"])


@blueprint.get("/tablete")
def tablets():
    return _show(_KINDS["tablet"])


@blueprint.get("/pajisje-shtese")
def accessories():
    return _show(_KINDS["accessory"])


@blueprint.get("/sim-pripejd")
def prepaid_sims():
    return _show(_KINDS["prepaid_sim"])


@blueprint.get("/oferta")
def offers():
    """What is discounted or comes with a gift (CAT-2)."""
    return _show(_OFFERS)


@blueprint.get("/kerko")
def search():
    return _show(_SEARCH)


@blueprint.get("/kerko/sugjerime")
def suggestions():
    """What someone still typing may mean; nothing for nothing."""
    q = clean_text(request.args.get("q", ""))
    found = []
    if q:
        found = [json.loads(card) for card in shelf.cards(shelf.fresh().suggest(q, SUGGESTED))]
    field = _SEARCH_FIELDS.fullmatch(request.headers.get("HX-Target", ""))
    return draw("browse/_suggestions.html", q=q, cards=found, lang_code=language.current(), field=field and field[1])


@blueprint.before_app_request
def without_last_slash():
    """Lead an address that ends with one slash too many to the page that it means."""
    path = request.path
    if request.routing_exception is None or not path.endswith("/") or "//" in path or request.method != "GET":
        return None
    try:
        current_app.url_map.bind("").match(path[:-1], "GET")
    except HTTPException:
        return None
    query = request.query_string.decode("ascii", "ignore")
    return redirect(quote(request.script_root + path[:-1]) + (f"?{query}" if query else ""), 308)


# Lists


def _show(wanted: _List):
    """The list's page, or the piece that htmx swaps, from what is kept for everybody."""
    version = shelf.fresh().version
    filters = Filters.read(request.args, _known)
    if wanted is not _SEARCH and filters.q:
        filters = filters.but(q="", page=filters.page)
    if filters.page > 1:
        # An address may name any page: kept is only what there is.
        filters = filters.but(page=shelf.search(filters.query(wanted.kind, wanted.offers)).page)
    query_string = filters.query_string()
    piece = wants_piece()
    # What was used to get here is gone after the swap: the heading takes the focus.
    used = request.headers.get("HX-Trigger", "") if piece else ""
    moved = used.startswith(("hiq-", "faqe-"))
    typing = used == "filtrat"
    response = kept_page(
        (version, wanted.endpoint, query_string, piece, moved, typing),
        lambda: _render_list(wanted, filters, query_string, piece, moved, typing),
    )
    if piece:
        response.headers["HX-Push-Url"] = url(wanted.endpoint) + query_string
    return response


def _known(facet: str) -> list:
    """The brands, storages or systems that an address may name."""
    return [value for value, _ in shelf.choices(Query(per_page=1)).facets[facet]]


def _render_list(wanted: _List, filters: Filters, query_string: str, piece: bool, moved: bool, typing: bool) -> str:
    code = language.current()
    result = shelf.search(filters.query(wanted.kind, wanted.offers))
    base = result
    if filters.is_filtered or not filters.q:
        base = shelf.choices(Filters(q=filters.q).query(wanted.kind, wanted.offers))
    path = url(wanted.endpoint)
    first = 0 if wanted.home else _FIRST_VIEW
    shown = shelf.cards(result.ids or result.nearest)
    cards = cards_html(shown, code, first)
    facets, has_filters = facets_html(filters, base, result, oob=piece, typing=typing)
    chips = _chips(code, filters, path)
    many_pages = result.pages > 1
    said = pages_text(wanted.kind, result) if many_pages else ""
    texts = {
        "q": escape(filters.q),
        "heading": escape(_heading(wanted, filters)),
        "count": escape(_count(wanted, result.total)),
        "facets": facets,
        "cards": cards,
    }
    if result.corrected:
        texts["corrected"] = escape(result.corrected)
    for at, (label, address) in enumerate(chips):
        texts[f"chip{at}"], texts[f"without{at}"] = escape(label), escape(address)
    if chips:
        texts["clear_url"] = escape(path + filters.cleared().query_string())
    if many_pages:
        first_address = path + (filters.but(page=1).query_string() if filters.page > 1 else query_string)
        texts["pager"] = pager_html(code, said, result.page, result.pages, first_address)
    texts["results"] = (
        _results_mould(
            code,
            wanted,
            bool(filters.q),
            filters.sort,
            moved,
            has_filters,
            result.total > 1,
            len(chips),
            bool(result.corrected),
            bool(result.total),
            bool(cards),
            result.is_near,
            many_pages,
        )
        % texts
    )
    if piece:
        texts["said"] = escape(said) if said else texts["count"]
        return _piece_mould(code) % texts
    here = request.path + query_string
    texts["here"] = escape(here)
    name = "home" if wanted.home else wanted.kind or ("offers" if wanted.offers else "search")
    standing = standing_of(filters, wanted is _SEARCH)
    if standing == OWN:
        texts["things"] = list_things(name, request.path, wanted.heading, shown)
    texts["header"] = header(here, phone_search=True, q=filters.q)
    if filters.page > 1:
        texts["page_name"] = escape(page_name(code, filters.page))
    return _page_mould(code, wanted, name, standing, bool(filters.q), filters.page > 1) % texts


@lru_cache(maxsize=1024)
def _results_mould(
    code, wanted, searched, sort, moved, has_filters, several, chips, corrected, found, has_cards, is_near, has_pages
) -> str:
    return mould(
        "browse/_results.html",
        wanted=wanted,
        path=url(wanted.endpoint),
        q=blank("q") if searched else "",
        sorts=_sorts(code, searched, sort),
        moved=moved,
        has_filters=has_filters,
        several=several,
        chips=[(blank(f"chip{at}"), blank(f"without{at}")) for at in range(chips)],
        corrected=blank("corrected") if corrected else "",
        found=found,
        cards=blank("cards") if has_cards else "",
        is_near=is_near,
        pager=blank("pager") if has_pages else "",
        **{name: blank(name) for name in ("heading", "count", "clear_url")},
    )


@lru_cache(maxsize=8)
def _piece_mould(code: str) -> str:
    return mould("browse/_list_piece.html", **{name: blank(name) for name in ("results", "facets", "count", "said")})


@lru_cache(maxsize=256)
def _page_mould(code: str, wanted: _List, name: str, standing: str, searched: bool, is_later: bool) -> str:
    page_title = blank("heading") if searched else list_title(name)
    if is_later:
        page_title = f"{page_title} – {blank('page_name')}"
    return mould(
        "browse/list.html",
        wanted=wanted,
        path=url(wanted.endpoint),
        top=part("browse/_top.html", kind=wanted.kind, home=wanted.home, window=_WINDOW if wanted.home else ()),
        footer=part("shared/_footer.html"),
        page_title=page_title,
        found=list_head(
            name,
            title=page_title,
            path=blank("here"),
            plain_path=path_of(wanted.endpoint),
            standing=standing,
            page_name=blank("page_name") if is_later else "",
            things=blank("things") if standing == OWN else "",
        ),
        url_in=lambda other: prefix_of(other) + blank("here"),
        q=blank("q") if searched else "",
        **{name: blank(name) for name in ("heading", "header", "facets", "results", "count")},
    )


def _heading(wanted: _List, filters: Filters) -> str:
    if wanted is not _SEARCH:
        return wanted.heading
    return gettext("Kërkimi „%(q)s”", q=filters.q) if filters.q else gettext("Të gjitha pajisjet")


def _count(wanted: _List, total: int) -> str:
    number = grouped(total)
    if wanted.kind in ("phone", "tablet"):
        return ngettext("%(number)s model", "%(number)s modele", total, number=number)
    return ngettext("%(number)s artikull", "%(number)s artikuj", total, number=number)


def _sorts(code: str, searched: bool, chosen: str) -> list[tuple[str, str, bool]]:
    _ = words_in(code)
    names = {
        "te-kerkuarat": _("Më të kërkuarat"),
        "cmimi": _("Çmimi: nga më i ulëti"),
        "cmimi-zbrites": _("Çmimi: nga më i larti"),
        "te-rejat": _("Më të rejat"),
    }
    if searched:
        names = {"": _("Më të përshtatshmet"), **names}
    else:
        chosen = chosen or "te-kerkuarat"
    return [(value, name, value == chosen) for value, name in names.items()]


def _chips(code: str, filters: Filters, path: str) -> list[tuple[str, str]]:
    """What is filtered by, each with the address without it."""
    chips = []
    if not filters.is_filtered:
        return chips

    def chip(label, **changes):
        chips.append((label, path + filters.but(**changes).query_string()))

    for parameter, name in MANY:
        chosen = getattr(filters, name)
        for value in chosen:
            chip(value_name(code, parameter, value), **{name: tuple(other for other in chosen if other != value)})
    if filters.is_priced:
        chip(_price_range(filters.price_from, filters.price_to), price_from=None, price_to=None)
    for parameter, name in FLAGS:
        if getattr(filters, name):
            chip(flag_name(code, parameter), **{name: False})
    return chips


def _price_range(low: int | None, high: int | None) -> str:
    if low is None:
        return gettext("deri %(price)s", price=with_symbol(grouped(high), current()))
    if high is None:
        return gettext("nga %(price)s", price=with_symbol(grouped(low), current()))
    return with_symbol(f"{grouped(low)}–{grouped(high)}", current())
