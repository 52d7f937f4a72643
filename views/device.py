"""A device's page: pictures, variants, contract types, tariffs, price, characteristics and what goes with it (CAT-3,
CAT-4, OFF-1, OFF-2)."""

import json

from flask import Blueprint, abort, make_response, redirect, request, url_for

import language
from models.base import utcnow
from models.calendar import local_day, promised_day
from models.catalogue import Device
from models.choice import CONTRACTS, Choice, Offer, Terms, payments
from models.drawing import angles, picture_path
from models.instalments import PARTS, split
from models.order import storage_label
from models.pricing import monthly_price
from models.quote import quote
from models.shelf import Shelf, shelf
from views import characteristics
from views.cards import card_html
from views.choosing import looking_at, note_seen
from views.forms.device import NO_WISH, PAYMENT_WORDS, SLUG, TYPE_WORDS, Wish, address
from views.found import device_head
from views.kept import kept_page, profile_here
from views.respond import wants_piece
from views.shell import draw, header, part, url_in_all
from views.shopper import shopper
from views.structured import path_of
from views.templating import CATEGORIES, category_name, contract_name, den, parts_text
from views.words import gettext, ngettext, words_in

blueprint = Blueprint("device", __name__)

RELATED = 4
_ENDPOINTS = dict(CATEGORIES)
# What was just chosen → the piece that follows it; the whole form follows a colour or a storage.
_PIECES = {
    "type": "device/_terms_piece.html",
    "tariff": "device/_sum_piece.html",
    "payment": "device/_sum_piece.html",
}


@blueprint.get("/pajisja/<slug>")
def show(slug: str):
    """The page of a device, with one colour, storage and contract chosen (CAT-3, CAT-4, OFF-1, OFF-2)."""
    if not SLUG.fullmatch(slug):
        abort(404)
    # Known before the offers are: another thread may take in a change meanwhile, and what is older than the change
    # must not be kept under its number.
    version = shelf.fresh().version
    choice = shelf.offered(slug)
    if choice is None:
        abort(404)
    looking_at(choice.device.id)
    wish = Wish.read(request.args) if request.args else NO_WISH
    audience = _audience(choice)
    offer, exact = choice.nearest(wish.colour, wish.storage, wish.keep)
    terms, missed = _nearest_terms(choice, offer, wish, audience)
    views = () if offer.variant.photo else angles(choice.device.drawing)
    view = wish.view if wish.view in views[1:] else ""
    is_met = exact and not missed and wish.keep != "order"

    def here():
        if is_met:
            return _address(choice, offer, terms, view)
        # Coming back to this address must tell again why something else is shown.
        wished = (wish.contract_type, wish.tariff, wish.payment, wish.parts)
        return address(slug, wish.colour, wish.storage, wished, view, wish.keep)

    piece = wants_piece()
    if not piece and request.args.keys() & {"csrf_token", "slug"}:
        # Chosen without a script: the whole form is in the address.
        return redirect(here(), 303)
    now = utcnow()
    small = _PIECES.get(wish.keep) if piece and is_met else None
    if small and not wish.follows(terms.contract_type, offer.variant.sku):
        # A faster choice took the place of one that was not shown yet.
        small = None
    if small:
        response = make_response(draw(small, **_terms_context(offer, terms, choice, now, audience), keep=wish.keep))
        response.headers["Vary"] = "HX-Request, Accept-Encoding"
    else:
        # Nothing that was typed is in the key: it must stay among what this device has.
        why = None if is_met else (None if exact else (wish.colour, wish.storage, wish.keep), missed, wish.keep)
        response = kept_page(
            (
                version,
                "device.show",
                slug,
                offer.variant.id,
                terms.key,
                view,
                why,
                piece,
                audience,
                local_day(now),
            ),
            lambda: _render_device(choice, offer, terms, view, wish, exact, missed, piece, now, audience),
        )
    if not piece:
        note_seen(response, choice.device.id)
    else:
        response.headers["HX-Push-Url"] = here()
        if not small and wish.keep in _PIECES:
            response.headers["HX-Retarget"] = "#pajisja"
    return response


def _audience(choice: Choice) -> str:
    """For whom a page is kept: all the same, unless some pay less (CAT-5)."""
    if not choice.has_private:
        return ""
    if profile_here() is None:
        return "guest"
    return shopper().segment or "unknown"


def _nearest_terms(choice: Choice, offer: Offer, wish: Wish, audience: str) -> tuple[Terms, tuple[str, str] | None]:
    """The terms that are shown, and what of the wish is not: its kind and the word that was asked for."""
    terms, missed = offer.nearest_terms(wish.contract_type, wish.tariff, wish.payment, wish.parts, audience)
    if missed == "tariff" and choice.tariff(wish.tariff) is None:
        # As a colour that the device does not come in: no wish.
        missed = None
    if missed == "payment" and wish.keep in ("type", "order"):
        # The way to pay follows the contract type.
        missed = None
    asked = {"type": wish.contract_type, "tariff": wish.tariff, "payment": wish.payment}
    return terms, (missed, asked[missed]) if missed else None


def _address(choice: Choice, offer: Offer, terms: Terms, view: str) -> str:
    """Where a choice is shown; what the page opens with by itself is not named."""
    if offer is choice.first:
        return address(choice.device.slug, terms=terms.key, view=view)
    return address(choice.device.slug, offer.colour, offer.storage, terms.key, view)


def _terms_context(offer: Offer, terms: Terms, choice: Choice, now, audience: str) -> dict:
    """What the pieces show that follow the contract type, the tariff and the way to pay."""
    variant = offer.variant
    chosen_language = language.current()
    return {
        "_": words_in(chosen_language),
        "lang_code": chosen_language,
        "device": choice.device,
        "choice": choice,
        "offer": offer,
        "variant": variant,
        "price": offer.price_for(audience),
        "terms": terms,
        "type_word": TYPE_WORDS[terms.contract_type],
        "colour": variant.colour(chosen_language),
        "path": url_for("device.show", slug=choice.device.slug),
        "gift": choice.gift,
        "promised": promised_day(now),
        "similar_url": url_for(_ENDPOINTS[choice.device.kind], gjendje="1"),
        "tariffs": _tariff_choices(offer, terms),
        "payments": _payment_choices(terms),
        "parts": _parts_choices(terms),
        "quote": terms.quote,
        "headline": _headline(offer, terms),
    }


def preview_context(choice: Choice, args, path: str, now) -> dict:
    """What device/page.html and device/_piece.html show of a device that need not be in the database (DSK-4).

    As a private subscriber would see it; everything that can be chosen leads to `path`, and so does the order.
    """
    wish = Wish.read(args)
    offer, exact = choice.nearest(wish.colour, wish.storage, wish.keep)
    terms, missed = _nearest_terms(choice, offer, wish, "private")
    views = () if offer.variant.photo else angles(choice.device.drawing)
    view = wish.view if wish.view in views[1:] else ""
    context = _device_context(choice, offer, terms, view, wish, exact, missed, now, "private")
    shop = url_for("device.show", slug=choice.device.slug)
    for one in context["views"]:
        one["url"] = path + one["url"].removeprefix(shop)
    return context | _page_context(choice.device, context["specifications"]) | {"path": path, "order_to": path}


def _render_device(choice, offer, terms, view, wish, exact, missed, piece, now, audience) -> str:
    context = _device_context(choice, offer, terms, view, wish, exact, missed, now, audience)
    if piece:
        return draw("device/_piece.html", **context)
    query_string = "".join(context["own_url"].partition("?")[1:])
    context |= _page_context(choice.device, context["specifications"])
    title, head = device_head(
        choice, context["category"], path_of(context["category_endpoint"]), not query_string, context["summary"]
    )
    context |= {
        "page_title": title,
        "found": head,
        "url_in": url_in_all(query_string),
        "header": header(request.path + query_string),
        "footer": part("shared/_footer.html"),
    }
    return draw("device/page.html", **context)


def _device_context(choice, offer, terms, view, wish, exact, missed, now, audience) -> dict:
    chosen_language = language.current()
    shown, variant = choice.device, offer.variant
    specifications = characteristics.specifications(shown, variant)
    return _terms_context(offer, terms, choice, now, audience) | {
        "name": shown.full_name(chosen_language),
        "summary": characteristics.summary(shown),
        "missing": _missing(choice, offer, terms, wish, exact, missed),
        "colours": _colour_choices(choice, offer),
        "storages": _storage_choices(choice, offer),
        "contracts": _contract_choices(offer, terms, offer.price_for(audience).now)
        if shown.kind in ("phone", "tablet")
        else [],
        "views": _views(choice, offer, terms, view),
        "view": view,
        "picture": picture_path(shown, variant, view or "pair"),
        "warranty": characteristics.warranty(shown),
        "own_url": _address(choice, offer, terms, view),
        "audience": audience,
        "specifications": specifications,
        "memory": next((text for key, _, text in specifications if key == "memoria"), ""),
    }


def _page_context(shown: Device, specifications) -> dict:
    """What stands around the choice."""
    related_title, related, similar, groups = _related(shown)
    # A few facts read better below one another.
    half = -(-len(specifications) // 2) if len(specifications) > 5 else len(specifications)
    return {
        "category_endpoint": _ENDPOINTS[shown.kind],
        "category": category_name(shown.kind),
        "columns": (specifications[:half], specifications[half:]),
        "related_title": related_title,
        "related": [card_html(card, language.current(), "lazy") for card in related],
        "similar": [card_html(card, language.current(), "lazy") for card in similar],
        "fits": groups,
    }


def _missing(choice: Choice, offer: Offer, terms: Terms, wish: Wish, exact: bool, missed) -> str:
    """Why something else is shown than what was asked for."""
    said = [] if exact else [_missing_variant(choice, offer, wish)]
    kind, asked = missed or (None, None)
    if kind == "type":
        said.append(
            gettext("%(name)s nuk ofrohet për këtë ngjyrë dhe memorie.", name=contract_name(asked))
            if choice.device.kind in ("phone", "tablet")
            else gettext("%(name)s është vetëm për celularë dhe tabletë.", name=contract_name(asked))
        )
    elif kind == "tariff":
        said.append(
            gettext(
                "%(asked)s nuk ofrohet këtu. Po shihni: %(seen)s.",
                asked=choice.tariff(asked).name,
                seen=terms.tariff.name,
            )
        )
    elif kind == "payment":
        said.append(
            gettext("Me këste paguhet vetëm me Besnik 24.")
            if asked == "instalments"
            else gettext("Në faturën e parë paguhet vetëm me kontratë.")
        )
    if wish.keep == "order":
        said.append(gettext("Shihni çmimin e asaj që zgjodhët, pastaj porositni."))
    return " ".join(said)


def _missing_variant(choice: Choice, offer: Offer, wish: Wish) -> str:
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


def _contract_choices(offer: Offer, terms: Terms, alone: int) -> list[dict]:
    """OFF-1: each contract type, with what the device costs at least in it; `alone` without a contract."""
    texts = {"new_number": gettext("Kontratë 24 muaj"), "besnik24": gettext("Vazhdoni me numrin tuaj")}
    choices = [
        {
            "type": "device_only",
            "text": gettext("Pa kontratë"),
            "amount": den(alone),
        }
    ]
    for contract_type in CONTRACTS:
        lowest = offer.lowest(contract_type)
        amount = ""
        if lowest is not None:
            # Monthly only where it can be paid monthly (PAY-3).
            amount = (
                gettext("nga %(price)s/muaj", price=den(monthly_price(lowest)))
                if contract_type == "besnik24"
                else gettext("nga %(price)s", price=den(lowest))
            )
        choices.append({"type": contract_type, "text": texts[contract_type], "amount": amount})
    return [
        one
        | {
            "value": TYPE_WORDS[one["type"]],
            "title": contract_name(one["type"]),
            "checked": one["type"] == terms.contract_type,
            "offered": offer.has(one["type"]),
        }
        for one in choices
    ]


def _tariff_choices(offer: Offer, terms: Terms) -> list[dict]:
    """OFF-2: each tariff of the contract type, with the device's price in it and what both cost."""
    choices = []
    for one in offer.tariffs.get(terms.contract_type, ()):
        tariff = one.tariff
        if terms.contract_type == "besnik24":
            parts = split(one.price, max(PARTS))
            months = quote(one.price, "instalments", max(PARTS), tariff.monthly_price).months
            text = parts_text(parts)
            whole = (
                gettext("me tarifën %(price)s/muaj", price=den(months[0][2]))
                if len(months) == 1
                else gettext("me tarifën deri %(price)s/muaj", price=den(months[0][2]))
            )
        else:
            text = gettext("njëfish")
            total = quote(one.price, "card", None, tariff.monthly_price).contract_total
            whole = gettext("mesatarisht %(price)s/muaj", price=den(monthly_price(total)))
        choices.append(
            {
                "code": tariff.code,
                "name": tariff.name,
                "monthly": den(tariff.monthly_price),
                "internet": gettext("Pa kufi") if tariff.internet_gb is None else f"{tariff.internet_gb}\u00a0GB",
                "minutes": gettext("Pa kufi") if tariff.minutes is None else str(tariff.minutes),
                "price": den(one.price),
                "text": text,
                "whole": whole,
                "checked": terms.tariff is not None and tariff.code == terms.tariff.code,
            }
        )
    return choices


def _payment_choices(terms: Terms) -> list[dict]:
    """OFF-2, PAY-1: the ways to pay the device in this contract."""
    if terms.tariff is None:
        return []
    titles = {
        "instalments": (gettext("Me këste në faturë"), gettext("Pa kamatë, bashkë me faturën mujore")),
        "card": (gettext("Njëfish me kartelë"), gettext("%(price)s sot", price=den(terms.price))),
        "first_bill": (gettext("Në faturën e parë"), gettext("%(price)s me faturën e parë", price=den(terms.price))),
    }
    return [
        {
            "way": way,
            "value": PAYMENT_WORDS[way],
            "title": titles[way][0],
            "text": titles[way][1],
            "checked": way == terms.payment,
            # PAY-1: with a new number it takes a number in the profile; Besnik 24 has one anyway.
            "hint": gettext("për abonentë, me hyrje")
            if (way, terms.contract_type) == ("first_bill", "new_number")
            else "",
        }
        for way in payments(terms.contract_type)
    ]


def _parts_choices(terms: Terms) -> dict:
    """PAY-3: how many instalments, and what each is."""
    chosen = terms.parts or max(PARTS)
    return {
        "text": gettext("këste: %(parts)s", parts=parts_text(split(terms.price, chosen))),
        "choices": [{"value": number, "checked": number == chosen} for number in PARTS],
    }


def _headline(offer: Offer, terms: Terms) -> tuple[str, str]:
    """The bar's amount and the line below it: true for each way to pay."""
    variant = offer.variant
    if terms.tariff is None:
        storage = storage_label(variant.storage_gb) if variant.storage_gb else ""
        name = " · ".join(part for part in (variant.colour(language.current()), storage) if part)
        return den(terms.price), name
    sums = terms.quote
    tariff, monthly = terms.tariff.name, den(sums.monthly)
    if terms.payment == "card":
        return den(sums.today), gettext("sot, pastaj %(price)s/muaj · %(tariff)s", price=monthly, tariff=tariff)
    stretches = sums.months
    _, last, amount = stretches[0]
    today = gettext("Sot %(price)s", price=den(sums.today))
    if terms.parts:
        parts = ngettext("%(num)d këst", "%(num)d këste", terms.parts)
        tariff = f"{tariff}, {parts}"
    if last == 1:
        when = gettext("në faturën e parë")
        if len(stretches) == 2:
            when = gettext("në faturën e parë, pastaj %(price)s/muaj", price=den(stretches[1][2]))
        return den(amount), f"{when} · {today} · {tariff}"
    big = gettext("%(price)s/muaj", price=den(amount))
    if len(stretches) == 1:
        return big, f"{today} · {tariff}"
    when = gettext("në %(num)d muajt e parë", num=last)
    return big, f"{when} · {today} · {tariff}"


def _views(choice: Choice, offer: Offer, terms: Terms, view: str) -> list[dict]:
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
            "url": _address(choice, offer, terms, "" if angle == views[0] else angle),
            "picture": picture_path(choice.device, offer.variant, angle),
            "current": angle == (view or views[0]),
        }
        for angle in views
    ]


def _related(shown: Device) -> tuple[str, list[str], list[str], list[tuple[str, str]]]:
    """A title, the cards below it, those of similar devices, and for an accessory the kinds and makers it fits, as
    links."""
    similar = shelf.similar_to(shown, RELATED)
    if shown.kind in ("phone", "tablet"):
        # One question for both.
        cards = shelf.cards([*shelf.accessories_for(shown, RELATED), *similar])
        fitting = [card for card in cards if json.loads(card)["kind"] == "accessory"]
        return gettext("Shkojnë bashkë me të"), fitting, cards[len(fitting) :], []
    slugs = [target for target in shown.fits if ":" not in target]
    groups = []
    for target in shown.fits:
        group, _, what = target.partition(":")
        if group == "kind" and what in _ENDPOINTS:
            groups.append((category_name(what), url_for(_ENDPOINTS[what])))
        elif group == "brand" and what:
            groups.append((what, url_for("browse.phones", marka=what)))
    fitted = Shelf.cards_of(slugs, RELATED) if slugs else []
    return gettext("Përshtatet me"), fitted, shelf.cards(similar), groups
