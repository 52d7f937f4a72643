"""A device's page: pictures, variants, price, characteristics and what goes with it (CAT-3, CAT-4, OFF-1)."""

import re
from dataclasses import dataclass

from flask import Blueprint, abort, redirect, request, url_for

import language
from models.base import utcnow
from models.calendar import local_day, promised_day
from models.catalogue import Device
from models.choice import Choice
from models.drawing import angles, picture_path
from models.order import storage_label
from models.shelf import Shelf, shelf
from views import characteristics
from views.cards import card_html
from views.kept import kept_page
from views.respond import wants_piece
from views.shell import draw, header, part, url_in_all
from views.templating import CATEGORIES, category_name
from views.words import gettext, words_in

blueprint = Blueprint("device", __name__)

RELATED = 4
_SLUG = re.compile("[a-z0-9-]{1,120}")
_ENDPOINTS = dict(CATEGORIES)


@dataclass(frozen=True, slots=True)
class _Wish:
    """Which colour, storage and view of a device an address asks for."""

    colour: str | None = None
    storage: int | None = None
    view: str = ""
    # What the shopper has just chosen, "colour" or "storage": the other gives way.
    keep: str = ""

    @classmethod
    def read(cls, args) -> "_Wish":
        colour = args.get("ngjyra", "").lower().lstrip("#")
        storage = args.get("memoria", "")
        return cls(
            colour=colour if re.fullmatch("[0-9a-f]{6}", colour) else None,
            storage=int(storage) if re.fullmatch("[0-9]{1,6}", storage) else None,
            view=args.get("pamja", ""),
            keep={"ngjyra": "colour", "memoria": "storage"}.get(args.get("mbaj", ""), ""),
        )


@blueprint.get("/pajisja/<slug>")
def show(slug: str):
    """The page of a device, with one colour and storage chosen (CAT-3, CAT-4)."""
    if not _SLUG.fullmatch(slug):
        abort(404)
    # Known before the offers are: another thread may take in a change meanwhile, and what is older than the change
    # must not be kept under its number.
    version = shelf.fresh().version
    choice = shelf.offered(slug)
    if choice is None:
        abort(404)
    wish = _Wish.read(request.args)
    offer, exact = choice.nearest(wish.colour, wish.storage, wish.keep)
    views = () if offer.variant.photo else angles(choice.device.drawing)
    view = wish.view if wish.view in views[1:] else ""
    if exact:
        address = _address(choice, offer, view)
    else:
        # Coming back to this address must tell again why something else is shown.
        address = _device_url(slug, wish.colour, wish.storage, view, wish.keep)
    piece = wants_piece()
    if not piece and request.args.keys() & {"csrf_token", "slug"}:
        # Chosen without a script: the whole form is in the address.
        return redirect(address, 303)
    now = utcnow()
    missing = None if exact else (wish.colour, wish.storage, wish.keep)
    response = kept_page(
        (version, "device.show", slug, offer.variant.id, view, missing, piece, local_day(now)),
        lambda: _render_device(choice, offer, view, wish, exact, piece, now),
    )
    if piece:
        response.headers["HX-Push-Url"] = address
    return response


def _device_url(slug, colour=None, storage=None, view="", keep="") -> str:
    return url_for(
        "device.show",
        slug=slug,
        ngjyra=colour,
        memoria=storage,
        pamja=view or None,
        mbaj={"colour": "ngjyra", "storage": "memoria"}.get(keep),
    )


def _address(choice: Choice, offer, view: str) -> str:
    """Where a variant is shown; what the page opens with by itself is not named."""
    if offer is choice.first:
        return _device_url(choice.device.slug, view=view)
    return _device_url(choice.device.slug, offer.colour, offer.storage, view)


def _render_device(choice: Choice, offer, view, wish, exact, piece, now) -> str:
    chosen_language = language.current()
    shown, variant = choice.device, offer.variant
    specifications = characteristics.specifications(shown, variant)
    own_url = _address(choice, offer, view)
    context = {
        "_": words_in(chosen_language),
        "device": shown,
        "choice": choice,
        "offer": offer,
        "variant": variant,
        "lang_code": chosen_language,
        "name": shown.full_name(chosen_language),
        "colour": variant.colour(chosen_language),
        "summary": characteristics.summary(shown),
        "missing": "" if exact else _missing(choice, offer, wish),
        "colours": _colour_choices(choice, offer),
        "storages": _storage_choices(choice, offer),
        "views": _views(choice, offer, view),
        "view": view,
        "picture": picture_path(shown, variant, view or "pair"),
        "gift": choice.gift,
        "promised": promised_day(now),
        "warranty": characteristics.warranty(shown),
        "path": url_for("device.show", slug=shown.slug),
        "similar_url": url_for(_ENDPOINTS[shown.kind], gjendje="1"),
        "own_url": own_url,
        "memory": next((text for key, _, text in specifications if key == "memoria"), ""),
    }
    if piece:
        return draw("device/_piece.html", **context)
    related_title, related, groups = _related(shown)
    # A few facts read better below one another.
    half = -(-len(specifications) // 2) if len(specifications) > 5 else len(specifications)
    query_string = "".join(own_url.partition("?")[1:])
    context.update(
        url_in=url_in_all(query_string),
        header=header(request.path + query_string),
        footer=part("shared/_footer.html"),
        category_endpoint=_ENDPOINTS[shown.kind],
        category=category_name(shown.kind),
        columns=(specifications[:half], specifications[half:]),
        related_title=related_title,
        related=[card_html(card, chosen_language, "lazy") for card in related],
        fits=groups,
    )
    return draw("device/page.html", **context)


def _missing(choice: Choice, offer, wish: _Wish) -> str:
    """Why another variant is shown than the one that was asked for."""
    colour = next((o.variant.colour(language.current()) for o in choice.offers if o.colour == wish.colour), "")
    asked = ", ".join(part for part in (colour, storage_label(wish.storage) if wish.storage else "") if part)
    seen = ", ".join(
        part
        for part in (
            offer.variant.colour(language.current()),
            storage_label(offer.storage) if offer.storage else "",
        )
        if part
    )
    if choice.exactly(wish.colour, wish.storage) is not None:
        return gettext("%(asked)s nuk ka në gjendje. Po shihni: %(seen)s.", asked=asked, seen=seen)
    return gettext("%(asked)s nuk prodhohet. Po shihni: %(seen)s.", asked=asked, seen=seen)


def _colour_choices(choice: Choice, offer) -> list[dict]:
    return [
        {
            "value": other.colour,
            "hex": other.variant.colour_hex,
            "name": other.variant.colour(language.current()),
            "checked": other.colour == offer.colour,
            "sold_out": not other.in_stock,
        }
        for other in choice.colours()
    ]


def _storage_choices(choice: Choice, offer) -> list[dict]:
    choices = []
    for other in choice.storages():
        exact = choice.exactly(offer.colour, other.storage)
        choices.append(
            {
                "value": other.storage,
                "name": storage_label(other.storage),
                "checked": other.storage == offer.storage,
                # One that this colour does not have leads to a colour that has it.
                "sold_out": not (exact or other).in_stock,
            }
        )
    return choices


def _views(choice: Choice, offer, view: str) -> list[dict]:
    if offer.variant.photo:
        return []
    names = {
        "pair": gettext("Para dhe pas"),
        "back": gettext("Pas"),
        "front": gettext("Para"),
        "side": gettext("Anash"),
        "fan": gettext("Para dhe pas, të kthyera"),
    }
    views = [angle for angle in angles(choice.device.drawing) if angle != "fan"]
    if len(views) < 2:
        return []
    return [
        {
            "angle": angle,
            "name": names[angle],
            "url": _address(choice, offer, "" if angle == views[0] else angle),
            "picture": picture_path(choice.device, offer.variant, angle),
            "current": angle == (view or views[0]),
        }
        for angle in views
    ]


def _related(shown: Device) -> tuple[str, list[str], list[tuple[str, str]]]:
    """A title, the cards below it, and for an accessory the kinds and makers it fits, as links."""
    if shown.kind in ("phone", "tablet"):
        ids = shelf.accessories_for(shown, RELATED)
        return gettext("Shkojnë bashkë me të"), Shelf.cards(ids) if ids else [], []
    slugs = [target for target in shown.fits if ":" not in target]
    groups = []
    for target in shown.fits:
        group, _, what = target.partition(":")
        if group == "kind" and what in _ENDPOINTS:
            groups.append((category_name(what), url_for(_ENDPOINTS[what])))
        elif group == "brand" and what:
            groups.append((what, url_for("browse.phones", marka=what)))
    return gettext("Përshtatet me"), Shelf.cards_of(slugs, RELATED) if slugs else [], groups
