"""Devices side by side. The choice stands in the address; a cookie carries it from page to page on the way there."""

from urllib.parse import parse_qs, urlsplit

from flask import Blueprint, abort, request
from flask_babel import gettext

from language import current
from models import compare
from models.catalogue_index import Query
from models.choice import Choice
from models.compare import MOST, TooMany
from models.drawing import picture_path
from models.order import storage_label
from models.pricing import monthly_price
from models.shelf import shelf
from views import characteristics
from views.choosing import address_of, compared_ids, facts_of, keep_compared, seen_ids, tray
from views.forms.device import SLUG
from views.kept import profile_here
from views.respond import go, respond, wants_piece
from views.shopper import shopper
from views.templating import den
from views.words import ngettext, url

blueprint = Blueprint("compare", __name__)

# Devices that the page offers to put beside the others.
MORE = 4


@blueprint.get("/krahaso")
def show():
    """The devices of the address beside each other.

    The browser carries on what is opened by who compares nothing yet, and each step from its own comparison; a link
    that somebody else made is looked at, and what the browser carries stays.
    """
    shelf.fresh()
    asked = list(dict.fromkeys(request.args.getlist("p")))
    choices = [found for slug in asked[: 3 * MOST] if (found := _offered(slug))]
    own = [card["slug"] for card in facts_of(compared_ids())]
    if not asked and own:
        return go(address_of(own))
    notes = []
    if len(choices) < len(asked[: 3 * MOST]):
        notes.append(("", gettext("Çfarë nuk shitet më nga kjo lidhje nuk tregohet këtu.")))
    if len(choices) > MOST:
        notes.append(("warn", _refused(choices[MOST].device)))
    refused = _offered(request.args.get("teprica", ""))
    shown = choices[:MOST]
    if refused is not None and len(shown) == MOST and refused not in shown:
        notes.append(("warn", _refused(refused.device)))
    response = respond("compare/page.html", "compare/_piece.html", notes=notes, **_context(shown))
    if shown and (not own or _came_from() == own):
        keep_compared(response, [choice.device.id for choice in shown])
    return response


@blueprint.get("/krahaso/shto")
def add():
    """Put a device beside those that the browser carries, or with `hiq` take it out; doing it twice is once.

    A link and no form: cards are kept for everybody, without a token, and only the browser's own cookie changes.
    """
    shelf.fresh()
    choice = _offered(request.args.get("p", ""))
    if choice is None:
        abort(404)
    chosen, name = compared_ids(), choice.device.full_name(current())
    # What is not sold any more takes nobody's place.
    known = [card["slug"] for card in facts_of(chosen)]
    if len(known) < len(chosen):
        chosen = [found.device.id for slug in known if (found := _offered(slug))]
    refused = ""
    if request.args.get("hiq"):
        chosen = compare.without(chosen, choice.device.id)
        said = gettext("U hoq nga krahasimi: %(name)s.", name=name)
    else:
        try:
            chosen = compare.with_one(chosen, choice.device.id)
            said = gettext("U shtua në krahasim: %(name)s.", name=name)
        except TooMany:
            refused = said = _refused(choice.device)
    if not wants_piece():
        more = {"teprica": choice.device.slug} if refused else {}
        slugs = [card["slug"] for card in facts_of(chosen)]
        response = go(address_of(slugs, **more) if slugs else url("compare.clear"))
    else:
        response = respond(
            "compare/_chosen.html",
            "compare/_chosen.html",
            status=422 if refused else 200,
            tray=tray(chosen, refused=refused, oob=True),
            said="" if refused else said,
        )
    keep_compared(response, chosen)
    return response


@blueprint.get("/krahaso/hiq")
def clear():
    """Compare nothing any more."""
    if not wants_piece():
        response = go(url("compare.show"))
    elif request.headers.get("HX-Target") == "krahasimi":
        response = respond("compare/page.html", "compare/_piece.html", notes=[], **_context([]))
        response.headers["HX-Push-Url"] = url("compare.show")
    else:
        shelf.fresh()
        said = gettext("Nuk krahasohet më asgjë.")
        response = respond("compare/_chosen.html", "compare/_chosen.html", tray=tray([], oob=True), said=said)
    keep_compared(response, [])
    return response


def _came_from() -> list[str]:
    """The devices of the comparison that led here by one of its links; none where it was another page."""
    before = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
    if not before.path.endswith(url("compare.show")):
        return []
    asked = dict.fromkeys(parse_qs(before.query).get("p", []))
    return [slug for slug in list(asked)[: 3 * MOST] if _offered(slug)][:MOST]


def _offered(slug: str) -> Choice | None:
    return shelf.offered(slug) if SLUG.fullmatch(slug) else None


def _refused(device) -> str:
    return ngettext(
        "Krahasohet deri në %(num)d pajisje. Hiqni një që të shtoni: %(name)s.",
        "Krahasohen deri në %(num)d pajisje. Hiqni një që të shtoni: %(name)s.",
        MOST,
        name=device.full_name(current()),
    )


def _context(choices: list[Choice]) -> dict:
    slugs = [choice.device.slug for choice in choices]
    only = bool(request.args.get("vetem")) and len(choices) > 1
    kept = {"vetem": "ndryshimet"} if only else {}
    groups = _groups(choices)
    has_differences = any(row["differs"] for group in groups for row in group["rows"])
    if only:
        for group in groups:
            group["rows"] = [row for row in group["rows"] if row["differs"]]
    names = [choice.device.full_name(current()) for choice in choices]
    used = request.headers.get("HX-Trigger", "") if wants_piece() else ""
    return {
        "heading": gettext("Krahasimi"),
        "columns": [
            {
                "slug": choice.device.slug,
                "name": name,
                "picture": picture_path(choice.device, choice.first.variant, "pair"),
                "url": url("device.show", slug=choice.device.slug),
                "in_stock": choice.in_stock,
                "remove_url": address_of(compare.without(slugs, choice.device.slug), **kept)
                if len(slugs) > 1
                else url("compare.clear"),
            }
            for choice, name in zip(choices, names, strict=True)
        ],
        "groups": groups,
        "only_differences": only,
        "has_differences": has_differences,
        "all_url": address_of(slugs),
        "differences_url": address_of(slugs, vetem="ndryshimet"),
        "clear_url": url("compare.clear"),
        "more": _more(choices, kept),
        "most": MOST,
        # What was used to get here is gone after the swap: the heading takes the focus.
        "moved": used.startswith(("hiq-", "shto-")),
        "said": gettext("Krahasohen: %(names)s.", names=", ".join(names))
        if names
        else gettext("Nuk krahasohet më asgjë."),
    }


def _more(choices: list[Choice], kept: dict) -> list[dict]:
    """Other devices of the same kind: those that were looked at, then the most wanted ones."""
    if not choices or len(choices) >= MOST:
        return []
    slugs = [choice.device.slug for choice in choices]
    kind = choices[0].device.kind
    wanted = shelf.search(Query(kind=kind, in_stock=True, per_page=MORE + MOST)).ids
    found = {card["slug"]: card for card in facts_of(dict.fromkeys([*seen_ids(), *wanted])) if card["kind"] == kind}
    return [
        {
            "slug": slug,
            "name": card["name"][current()],
            "url": address_of([*slugs, slug], **kept),
        }
        for slug, card in found.items()
        if slug not in slugs
    ][:MORE]


# The table


def _groups(choices: list[Choice]) -> list[dict]:
    """The rows of the table, in two groups; a cell has a text, or a price with one."""
    if not choices:
        return []
    segment = shopper().segment if any(choice.has_private for choice in choices) and profile_here() else None
    offer = [
        _row(gettext("Vetëm pajisje"), [_price(choice, segment) for choice in choices]),
        _row(gettext("Me Besnik 24"), [_text(_monthly(choice)) for choice in choices]),
        _row(gettext("Gjendja"), [_stock(choice) for choice in choices]),
        _row(gettext("Dhuratë"), [_gift(choice) for choice in choices]),
        _row(gettext("Ngjyrat"), [_text(_colours(choice)) for choice in choices]),
    ]
    facts = [
        _row(rows[0][0], [_text(text) for _, text in rows])
        for rows in zip(*(_specifications(choice) for choice in choices), strict=True)
    ]
    groups = [(gettext("Oferta"), offer), (gettext("Karakteristikat"), facts)]
    return [
        # A row without a word on any of the devices says nothing.
        {"title": title, "rows": [row for row in rows if any(cell["text"] for cell in row["cells"])]}
        for title, rows in groups
    ]


def _row(title: str, cells: list[dict]) -> dict:
    return {"title": title, "cells": cells, "differs": compare.differs([cell["text"] for cell in cells])}


def _text(text: str, tag: str = "") -> dict:
    return {"text": text, "tag": tag}


def _gift(choice: Choice) -> dict:
    # Of an empty cell it is said that nobody knows; here it is known.
    return _text(choice.gift.name(current()) if choice.gift else "") | {"none": gettext("pa dhuratë")}


def _price(choice: Choice, segment: str | None) -> dict:
    offered = [offer for offer in choice.offers if offer.in_stock] or choice.offers
    prices = [offer.price_for(segment) for offer in offered]
    lowest = min(prices, key=lambda price: price.now)
    return {"text": den(lowest.now), "price": lowest, "is_from": len({price.now for price in prices}) > 1}


def _monthly(choice: Choice) -> str:
    lowest = [price for offer in choice.offers if (price := offer.lowest("besnik24")) is not None]
    return gettext("nga %(price)s/muaj", price=den(monthly_price(min(lowest)))) if lowest else ""


def _stock(choice: Choice) -> dict:
    return _text(gettext("Në gjendje"), "ok") if choice.in_stock else _text(gettext("Nuk ka në gjendje"), "warn")


def _colours(choice: Choice) -> str:
    return ", ".join(filter(None, (offer.variant.colour(current()) for offer in choice.colours())))


def _specifications(choice: Choice) -> list[tuple[str, str]]:
    """Title and text of each row, the storage of all the variants."""
    rams = sorted({offer.variant.ram_gb for offer in choice.offers if offer.variant.ram_gb})
    memory = [" / ".join(storage_label(offer.storage) for offer in choice.storages())]
    memory += [" / ".join(f"{ram}\u00a0GB" for ram in rams) + "\u00a0RAM"] if rams else []
    return [
        (title, ", ".join(filter(None, memory)) if key == "memoria" else text)
        for key, title, text in characteristics.rows_of(choice.device, choice.first.variant)
    ]
