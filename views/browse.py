"""Home, categories, offers and the search: lists of devices with their filters (CAT-1, CAT-2, CAT-6)."""

import json
import re
from dataclasses import dataclass
from functools import lru_cache

from flask import Blueprint, request
from markupsafe import Markup

import config
import language
from models.catalogue_index import Query
from models.drawing import drawing_path
from models.money import MINOR
from models.order import storage_label
from models.shelf import Shelf, shelf
from views import characteristics
from views.cards import card_html, loading
from views.characteristics import grouped
from views.filters import FAMILIES, FLAGS, MANY, Filters, clean_text
from views.kept import kept_page
from views.respond import wants_piece
from views.shell import draw, header, part, url_in_all
from views.templating import category_name
from views.words import gettext, ngettext, url, words_in

blueprint = Blueprint("browse", __name__)

# Cards whose pictures are in the first view.
_FIRST_VIEW = 3
# Values of a filter that show without unfolding.
_OPEN_VALUES = 7
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
        found = [json.loads(card) for card in Shelf.cards(shelf.fresh().suggest(q, SUGGESTED))]
    field = _SEARCH_FIELDS.fullmatch(request.headers.get("HX-Target", ""))
    return draw("browse/_suggestions.html", q=q, cards=found, lang_code=language.current(), field=field and field[1])


# Lists


def _show(wanted: _List):
    """The list's page, or the piece that htmx swaps, from what is kept for everybody."""
    version = shelf.fresh().version
    filters = Filters.read(request.args, _known())
    if wanted is not _SEARCH:
        filters = filters.but(q="", page=filters.page)
    query_string = filters.query_string()
    piece = wants_piece()
    # What was used to get here is gone after the swap: the heading takes the focus.
    used = request.headers.get("HX-Trigger", "") if piece else ""
    moved = used.startswith(("hiq-", "faqe-"))
    typing = used == "filtrat"
    response = kept_page(
        (version, wanted.endpoint, query_string, piece, moved, typing),
        lambda: _render_list(wanted, filters, piece, moved, typing),
    )
    if piece:
        response.headers["HX-Push-Url"] = _path_of(wanted) + query_string
    return response


def _known() -> dict[str, set]:
    """Which brands, storages and systems an address may name."""
    facets = shelf.choices(Query(per_page=1)).facets
    return {name: {value for value, _ in facets[name]} for name in ("brand", "storage", "os")}


def _path_of(wanted: _List) -> str:
    return url(wanted.endpoint)


def _render_list(wanted: _List, filters: Filters, piece: bool, moved: bool, typing: bool) -> str:
    result = shelf.search(filters.query(wanted.kind, wanted.offers))
    base = result
    if filters.is_filtered or not filters.q:
        base = shelf.choices(Filters(q=filters.q).query(wanted.kind, wanted.offers))
    filters = filters.but(page=result.page)
    path = _path_of(wanted)
    chosen_language = language.current()
    first = 0 if wanted.home else _FIRST_VIEW
    cards = [
        card_html(card, chosen_language, loading(place, first))
        for place, card in enumerate(Shelf.cards(result.ids or result.nearest))
    ]
    count = _count(wanted, result.total)
    context = {
        "_": words_in(chosen_language),
        "wanted": wanted,
        "filters": filters,
        "path": path,
        "own_url": path + filters.query_string(),
        "url_in": url_in_all(filters.query_string()),
        "result": result,
        "cards": cards,
        "count": count,
        "heading": _heading(wanted, filters),
        "sorts": _sorts(wanted, filters),
        "chips": _chips(filters, path),
        "clear_url": path + filters.cleared().query_string(),
        "pager": _pager(wanted, filters, result, path),
        "groups": _groups(wanted, filters, base, result),
        "moved": moved,
        "typing": typing,
        "currency": characteristics.currency(),
    }
    if piece:
        return draw("browse/_list_piece.html", **context)
    context.update(
        top=part("browse/_top.html", kind=wanted.kind, home=wanted.home, window=_WINDOW if wanted.home else ()),
        header=header(request.path + filters.query_string(), phone_search=True, q=filters.q),
        footer=part("shared/_footer.html"),
    )
    return draw("browse/list.html", **context)


def _heading(wanted: _List, filters: Filters) -> str:
    if wanted is not _SEARCH:
        return wanted.heading
    return gettext("Kërkimi „%(q)s”", q=filters.q) if filters.q else gettext("Të gjitha pajisjet")


def _count(wanted: _List, total: int) -> str:
    number = grouped(total)
    if wanted.kind in ("phone", "tablet"):
        return ngettext("%(number)s model", "%(number)s modele", total, number=number)
    return ngettext("%(number)s artikull", "%(number)s artikuj", total, number=number)


def _sorts(wanted: _List, filters: Filters) -> list[tuple[str, str, bool]]:
    names = {
        "te-kerkuarat": gettext("Më të kërkuarat"),
        "cmimi": gettext("Çmimi: nga më i ulëti"),
        "cmimi-zbrites": gettext("Çmimi: nga më i larti"),
        "te-rejat": gettext("Më të rejat"),
    }
    chosen = filters.sort
    if filters.q:
        names = {"": gettext("Më të përshtatshmet"), **names}
    else:
        chosen = chosen or "te-kerkuarat"
    return [(value, name, value == chosen) for value, name in names.items()]


def colour_name(family: str) -> str:
    """What shoppers call a family of colours."""
    return _colour_names(language.current()).get(family, family)


@lru_cache(maxsize=8)
def _colour_names(chosen_language: str) -> dict[str, str]:
    return {
        "black": gettext("E zezë"),
        "white": gettext("E bardhë"),
        "grey": gettext("Gri"),
        "silver": gettext("Argjend"),
        "blue": gettext("Blu"),
        "green": gettext("E gjelbër"),
        "purple": gettext("Vjollcë"),
        "pink": gettext("Rozë"),
        "red": gettext("E kuqe"),
        "orange": gettext("Portokalli"),
        "yellow": gettext("E verdhë"),
        "gold": gettext("Ar"),
        "brown": gettext("Kafe"),
    }


def _flag_name(parameter: str) -> str:
    return {
        "onlajn": gettext("Zbritje onlajn"),
        "dhurate": gettext("Me dhuratë"),
        "gjendje": gettext("Në gjendje"),
        "5g": "5G",
    }[parameter]


_LABELS = {"marka": str, "os": str, "memoria": storage_label, "ngjyra": colour_name}
_FACETS = {"marka": "brand", "memoria": "storage", "ngjyra": "colour", "os": "os"}


def _groups(wanted: _List, filters: Filters, base, result) -> list[dict]:
    """The filters that divide this list, in the order of the page: each with its values and their counts.

    Which values there are, and in which order, depends on the list alone: nothing moves while one chooses.
    """
    flags = {
        parameter: _value(parameter, "1", _flag_name(parameter), result.facets[name][0][1], getattr(filters, name))
        for parameter, name in FLAGS
        if base.facets[name][0][1] or getattr(filters, name)
    }
    groups = []
    top = [flags[parameter] for parameter in ("onlajn", "dhurate", "gjendje") if parameter in flags]
    if top:
        groups.append({"id": "kryesore", "title": None, "label": gettext("Kryesore"), "rows": top, "rest": []})
    titles = {
        "marka": gettext("Marka"),
        "memoria": gettext("Memoria"),
        "ngjyra": gettext("Ngjyra"),
        "os": gettext("Sistemi"),
    }
    for parameter, name in MANY:
        facet = _FACETS[parameter]
        counts = dict(result.facets[facet])
        chosen = getattr(filters, name)
        values = [value for value, _ in base.facets[facet]]
        values += [value for value in chosen if value not in values]
        if len(values) < 2 and not chosen:
            continue
        label = _LABELS[parameter]
        rows = [_value(parameter, value, label(value), counts.get(value, 0), value in chosen) for value in values]
        # One more row takes no more room than the line that would unfold it.
        unfolded = len(rows) if len(rows) <= _OPEN_VALUES + 1 else _OPEN_VALUES
        groups.append(
            {
                "id": parameter,
                "title": titles[parameter],
                "label": titles[parameter],
                "rows": rows[:unfolded],
                "rest": rows[unfolded:],
                "rest_open": any(value in chosen for value in values[unfolded:]),
            }
        )
    if "5g" in flags and (base.facets["five_g"][0][1] < base.total or filters.five_g):
        title = gettext("Rrjeti")
        groups.append({"id": "rrjeti", "title": title, "label": title, "rows": [flags["5g"]], "rest": []})
    priced = filters.price_from is not None or filters.price_to is not None
    if base.total > 1 or priced:
        place = 1 + max((at for at, group in enumerate(groups) if group["id"] in ("kryesore", "marka")), default=-1)
        groups.insert(
            place,
            {
                "id": "cmimi",
                "title": gettext("Çmimi"),
                "is_price": True,
                "low": "" if filters.price_from is None else grouped(filters.price_from),
                "high": "" if filters.price_to is None else grouped(filters.price_to),
                "least": "" if base.price_min is None else grouped(base.price_min // MINOR),
                "most": "" if base.price_max is None else grouped(-(-base.price_max // MINOR)),
            },
        )
    return groups


def _value(parameter: str, value, label: str, count: int, checked: bool) -> Markup:
    """One value of a filter with its count; one that would find nothing cannot be chosen."""
    state = "checked" if checked else "" if count else "disabled"
    hex_code = FAMILIES.get(value) if parameter == "ngjyra" else None
    before, after = _value_halves(parameter, value, label, hex_code, state)
    return Markup(f"{before}{grouped(count)}{after}")  # noqa: S704


@lru_cache(maxsize=2000)
def _value_halves(parameter, value, label, hex_code, state) -> list[str]:
    count = "0-of-these-0"
    html = draw(
        "browse/_value.html", parameter=parameter, value=value, label=label, hex=hex_code, state=state, count=count
    )
    return html.split(count)


def _chips(filters: Filters, path: str) -> list[tuple[str, str]]:
    """What is filtered by, each with the address without it."""
    chips = []

    def chip(label, **changes):
        chips.append((label, path + filters.but(**changes).query_string()))

    for parameter, name in MANY:
        chosen = getattr(filters, name)
        for value in chosen:
            chip(_LABELS[parameter](value), **{name: tuple(other for other in chosen if other != value)})
    if filters.price_from is not None or filters.price_to is not None:
        chip(_price_range(filters.price_from, filters.price_to), price_from=None, price_to=None)
    for parameter, name in FLAGS:
        if getattr(filters, name):
            chip(_flag_name(parameter), **{name: False})
    return chips


def _price_range(low: int | None, high: int | None) -> str:
    symbol = characteristics.currency()
    if low is None:
        return gettext("deri %(price)s", price=f"{grouped(high)}\u00a0{symbol}")
    if high is None:
        return gettext("nga %(price)s", price=f"{grouped(low)}\u00a0{symbol}")
    return f"{grouped(low)}–{grouped(high)}\u00a0{symbol}"


def _pager(wanted: _List, filters: Filters, result, path: str) -> dict | None:
    """Where the page stands among the others; None where it is alone."""
    if result.pages < 2:
        return None

    def to(page):
        return path + filters.but(page=page).query_string()

    here, last = result.page, result.pages
    numbers = sorted({1, last, *range(max(1, here - 1), min(last, here + 1) + 1)})
    steps, before = [], 0
    for number in numbers:
        if number == before + 2:
            steps.append((number - 1, to(number - 1)))
        elif number > before + 2:
            steps.append((None, None))
        steps.append((number, to(number)))
        before = number
    start = (here - 1) * config.PER_PAGE
    said = {
        "first": grouped(start + 1),
        "last": grouped(min(start + config.PER_PAGE, result.total)),
        "total": grouped(result.total),
    }
    if wanted.kind in ("phone", "tablet"):
        text = ngettext(
            "%(first)s–%(last)s nga %(total)s model", "%(first)s–%(last)s nga %(total)s modele", result.total, **said
        )
    else:
        text = ngettext(
            "%(first)s–%(last)s nga %(total)s artikull",
            "%(first)s–%(last)s nga %(total)s artikuj",
            result.total,
            **said,
        )
    return {
        "text": text,
        "here": here,
        "steps": steps,
        "previous": to(here - 1) if here > 1 else None,
        "next": to(here + 1) if here < last else None,
    }
