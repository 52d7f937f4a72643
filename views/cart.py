"""The cart (CRT-1…5)."""

from flask import Blueprint, abort, make_response, render_template, request, url_for
from flask_babel import gettext
from peewee import JOIN

import config
from language import current
from models.base import db
from models.calendar import promised_day
from models.cart import NotForSale
from models.catalogue import Brand, Device
from models.checkout import title_of
from views.respond import go, respond, wants_piece
from views.shopper import shopper

blueprint = Blueprint("cart", __name__)


@blueprint.get("/shporta")
def show():
    return respond("cart/page.html", **_contents())


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
    cart = _cart_or_404()
    gone = next((chosen for chosen in shopper().lines() if chosen.id == line_id), None)
    # Taken out already, in another tab: what is shown then is right all the same.
    cart.remove(line_id)
    shopper().forget_lines()
    said = gettext("U hoq nga shporta: %(name)s.", name=title_of(gone, current())) if gone else ""
    return _changed(said)


@blueprint.post("/shporta/<int:line_id>/sasia")
def change_quantity(line_id: int):
    cart = _cart_or_404()
    try:
        found = cart.set_quantity(line_id, int(request.form.get("sasia", "")))
    except ValueError:
        abort(422)
    shopper().forget_lines()
    return _changed(gettext("Sasia u ndryshua.") if found else "")


def _cart_or_404():
    cart = shopper().cart
    if cart is None:
        abort(404)
    return cart


def _changed(said: str):
    """After a change: the piece it was made in, and every other place that shows the cart, out of band."""
    where = request.form.get("ku", "")
    if where not in ("shporta", "porosia", "dritarja"):
        abort(422)
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
        on_cart_page = request.headers.get("HX-Current-URL", "").split("?")[0].endswith("/shporta")
        html = render_template("cart/_changed.html", said=said, on_cart_page=on_cart_page, **_contents())
    response = make_response(html)
    response.vary.add("HX-Request")
    return response


def _contents() -> dict:
    person = shopper()
    return {
        "lines": person.lines(),
        "count": person.count,
        "total": person.total,
        "promised": promised_day(person.now),
        "most": config.LINE_QUANTITY_MAX,
    }
