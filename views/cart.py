"""The cart (CRT-1…5)."""

from urllib.parse import urlsplit

from flask import Blueprint, abort, make_response, render_template, request, session, url_for
from flask_babel import gettext

import config
from language import current
from models.base import db
from models.calendar import promised_day
from models.cart import NotForSale
from models.checkout import title_of
from models.choice import Choice, NotOffered, Offer
from models.order import Order
from models.payment_ways import INSTALMENTS
from models.shelf import Shelf, shelf
from views.cards import card_html
from views.forms.device import SLUG, Wish, address
from views.kept import profile_here
from views.respond import go, respond, wants_piece
from views.shopper import shopper

blueprint = Blueprint("cart", __name__)


@blueprint.get("/shporta")
def show():
    return respond("cart/page.html", **_contents(), suggested=_suggested(), unpaid=_unpaid())


@blueprint.post("/shporta")
def add():
    """Porosit: the choice goes into the cart (OFF-3); what cannot be had is said, with the way back.

    Besnik 24 leads through the login and back to the same choice. A form whose contract type was changed without a
    script leads to what it then costs: nobody buys what was not shown.
    """
    person = shopper()
    slug = request.form.get("slug", "")
    choice = Choice.of_slug(slug, person.now) if SLUG.fullmatch(slug) else None
    if choice is None:
        abort(404)
    wish = Wish.read(request.form)
    variant = choice.device.variant_for(request.form.get("ngjyra", ""), request.form.get("memoria", ""))
    offer = choice.of_variant(variant) if variant is not None else None
    try:
        if offer is None or not offer.in_stock:
            raise NotOffered("variant")
        if wish.garbled - ({"keste"} if wish.payment != INSTALMENTS else set()):
            raise NotOffered("words")
        if not wish.was_shown or _is_half(wish, offer):
            return go(_address_of(choice, offer, wish, keep="order"))
        terms = offer.terms(
            wish.contract_type or "device_only", wish.tariff, wish.payment, wish.parts, person.segment
        )
        if terms.contract_type == "besnik24" and profile_here() is None:
            return go(url_for("profile.log_in", next=_address_of(choice, offer, wish, hyri=1)))
        with db.atomic():
            person.cart_to_fill().add(
                offer.variant,
                person.now,
                person.segment,
                contract_type=terms.contract_type,
                tariff=terms.tariff,
                payment=terms.payment,
                parts=terms.parts,
            )
    except NotOffered as refused:
        return _not_added(choice, wish, refused.what)
    except NotForSale:
        # Sold, or taken out of the price list, since the offers were read.
        return _not_added(choice, wish, "variant")
    return go(url_for("cart.show"))


def _is_half(wish: Wish, offer: Offer) -> bool:
    """Whether a contract was chosen without its tariff or payment: without a script they are asked for next."""
    if wish.contract_type in (None, "device_only") or not offer.has(wish.contract_type):
        return False
    return wish.tariff is None or wish.payment is None or (wish.payment == INSTALMENTS and wish.parts is None)


def _address_of(choice: Choice, offer: Offer, wish: Wish, **more) -> str:
    """The device's page with the choice as it was made, the variant by name: it may not open with it later."""
    terms = (wish.contract_type or "device_only", wish.tariff, wish.payment, wish.parts)
    return address(choice.device.slug, offer.colour, offer.storage, terms, wish.view, **more)


def _not_added(choice: Choice, wish: Wish, what: str):
    name = choice.device.full_name(current())
    said = {
        "variant": gettext(
            "%(name)s në këtë ngjyrë dhe memorie nuk ka më në gjendje. Zgjidhni një tjetër.", name=name
        ),
        "type": gettext("%(name)s nuk shitet me këtë lloj kontrate. Zgjidhni një tjetër.", name=name),
        "tariff": gettext("%(name)s nuk shitet me këtë tarifë. Zgjidhni një tjetër.", name=name),
        "payment": gettext(
            "%(name)s nuk paguhet kështu me këtë lloj kontrate. Zgjidhni një pagesë tjetër.", name=name
        ),
        "words": gettext("Zgjedhja për %(name)s nuk u kuptua. Zgjidheni përsëri në faqen e pajisjes.", name=name),
    }[what]
    if what == "variant":
        back = address(choice.device.slug)
    else:
        terms = (wish.contract_type or "device_only", wish.tariff, None, None)
        back = address(choice.device.slug, wish.colour, wish.storage, terms)
    return respond("cart/not_added.html", status=422, said=said, back=back)


@blueprint.post("/shporta/<int:line_id>/heqja")
def remove(line_id: int):
    """The x of a line, in the cart and in each step of the checkout (CRT-3)."""
    where, cart = _place_of_form(), _cart_or_404()
    gone = next((chosen for chosen in shopper().lines() if chosen.id == line_id), None)
    if gone is None:
        # Taken out already, in another tab: what is shown then is right all the same.
        return _changed(where, "")
    cart.remove(line_id)
    shopper().forget_lines()
    return _changed(where, gettext("U hoq nga shporta: %(name)s.", name=title_of(gone, current())))


@blueprint.post("/shporta/<int:line_id>/sasia")
def change_quantity(line_id: int):
    """How many pieces of a line are wanted; a contract is for one device (OFF-5)."""
    where, cart = _place_of_form(), _cart_or_404()
    line = next((chosen for chosen in shopper().lines() if chosen.id == line_id), None)
    if line is None:
        return _changed(where, "")
    if line.is_contract:
        abort(422)
    try:
        cart.set_quantity(line_id, int(request.form.get("sasia", "")))
    except ValueError:
        abort(422)
    shopper().forget_lines()
    return _changed(where, gettext("Sasia u ndryshua."))


def _cart_or_404():
    cart = shopper().cart
    if cart is None:
        abort(404)
    return cart


def _place_of_form() -> str:
    """Where the form stands: the cart's page, its window in the header, or the checkout; 422 for anywhere else."""
    where = request.form.get("ku", "")
    if where not in ("shporta", "porosia", "dritarja"):
        abort(422)
    return where


def _changed(where: str, said: str):
    """After a change: the piece it was made in, and every other place that shows the cart, out of band."""
    if not wants_piece():
        back = request.form.get("hapi", "")
        if where == "porosia" and shopper().lines() and back in ("data", "delivery", "payment", "overview"):
            return go(url_for(f"checkout.{back}"))
        return go(url_for("cart.show"))
    if where == "porosia":
        if not shopper().lines():
            return go(url_for("cart.show"))
        from views.checkout import summary_context

        context = summary_context(request.form.get("hapi", ""))
        if context["step"] == "overview" and context["used"].points != context["checkout"].points:
            # What is left does not take the points that were chosen: the payment's page says so (PAY-4).
            return go(url_for("checkout.payment"))
        html = render_template("checkout/_changed.html", said=said, **context)
    else:
        on_cart_page = where == "shporta" or _current_path() == url_for("cart.show")
        html = render_template("cart/_changed.html", said=said, on_cart_page=on_cart_page, **_contents())
    response = make_response(html)
    response.headers["HX-Trigger"] = "cart-changed"
    response.vary.add("HX-Request")
    return response


def _current_path() -> str:
    """The path of the page that htmx asks from; empty where it does not say."""
    try:
        return urlsplit(request.headers.get("HX-Current-URL", "")).path
    except ValueError:
        return ""


def _contents() -> dict:
    person = shopper()
    return {
        "lines": person.lines(),
        "count": person.count,
        "total": person.total,
        "due": person.due,
        # Contracts whose number is not picked yet.
        "waiting": sorted({one.contract_type for one in person.lines() if one.is_contract and not one.msisdn}),
        "promised": promised_day(person.now),
        "most": config.LINE_QUANTITY_MAX,
    }


def _unpaid() -> Order | None:
    """The newest order of this browser or its profile that can still be paid (PAY-8), for who finds the cart empty.

    Placing empties the cart: whoever comes back from the bank without paying would find no trace of the order.
    """
    if shopper().lines():
        return None
    profile = profile_here()
    remembered = session.get("orders", [])
    if profile is None and not remembered:
        return None
    whose = Order.number.in_(remembered)
    if profile is not None:
        whose |= Order.profile == profile
    return (
        Order.awaiting_payment()
        .where(whose, Order.payable_until > shopper().now)
        .order_by(Order.placed_at.desc())
        .first()
    )


# How many accessories the cart's page reminds of.
SUGGESTED = 4


def _suggested() -> list:
    """Cards of accessories that fit what is in the cart and are not in it.

    The shelf is asked as this process knows it, if at all: a reminder need not be the newest.
    """
    lines = shopper().lines()
    held = {chosen.device.id for chosen in lines}
    if not lines:
        return []
    fitting = dict.fromkeys(
        number
        for chosen in lines
        if chosen.device.kind in ("phone", "tablet")
        for number in shelf.accessories_for(chosen.device, SUGGESTED + len(held))
    )
    ids = [number for number in fitting if number not in held][:SUGGESTED]
    return [card_html(card, current(), "lazy") for card in Shelf.cards_now(ids)]
