"""The cart (CRT-1…5)."""

from urllib.parse import urlsplit

from flask import Blueprint, abort, make_response, render_template, request, session, url_for
from flask_babel import gettext
from peewee import JOIN

import config
from language import current
from models.base import db
from models.calendar import promised_day
from models.cart import NotForSale
from models.catalogue import Brand, Device
from models.checkout import title_of
from models.order import Order
from models.shelf import Shelf, shelf
from views.cards import card_html
from views.respond import go, respond, wants_piece
from views.shopper import shopper

blueprint = Blueprint("cart", __name__)


@blueprint.get("/shporta")
def show():
    return respond("cart/page.html", **_contents(), suggested=_suggested(), unpaid=_unpaid())


@blueprint.post("/shporta")
def add():
    """Porosit: the choice goes into the cart (OFF-3); what cannot be had is said, with the way back."""
    device = (
        Device.select(Device, Brand)
        .join(Brand, JOIN.INNER)
        .where(Device.slug == request.form.get("slug", "")[:120], Device.listed)
        .first()
    )
    if device is None:
        abort(404)
    variant = device.variant_for(request.form.get("ngjyra", ""), request.form.get("memoria", ""))
    try:
        if variant is None:
            raise NotForSale(device.slug)
        with db.atomic():
            shopper().cart_to_fill().add(variant, shopper().now, shopper().segment)
    except NotForSale:
        return respond("cart/not_added.html", status=422, device=device)
    return go(url_for("cart.show"))


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
    """How many pieces of a line are wanted."""
    where, cart = _place_of_form(), _cart_or_404()
    if all(chosen.id != line_id for chosen in shopper().lines()):
        return _changed(where, "")
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

        html = render_template("checkout/_changed.html", said=said, **summary_context(request.form.get("hapi", "")))
    else:
        on_cart_page = where == "shporta" or _current_path() == url_for("cart.show")
        html = render_template("cart/_changed.html", said=said, on_cart_page=on_cart_page, **_contents())
    response = make_response(html)
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
        "promised": promised_day(person.now),
        "most": config.LINE_QUANTITY_MAX,
    }


def _unpaid() -> Order | None:
    """The newest order this browser placed that can still be paid (PAY-8), for who finds the cart empty.

    Placing empties the cart: whoever comes back from the bank without paying would find no trace of the order.
    """
    if shopper().lines() or not session.get("orders"):
        return None
    return (
        Order.awaiting_payment()
        .where(Order.number.in_(session["orders"]), Order.payable_until > shopper().now)
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
    return [card_html(card, current(), "lazy") for card in Shelf.cards(ids)]
