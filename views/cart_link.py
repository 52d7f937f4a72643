"""The link in a reminder of a left cart: its lines, in whichever browser, and nothing of who left it."""

from flask import Blueprint, url_for

from models.cart_reminder import CartReminder, LinkOver
from models.quote import together
from views.respond import go, respond
from views.secret_page import keep_secret
from views.shopper import shopper

blueprint = Blueprint("cart_link", __name__, url_prefix="/shporta/e-ruajtur")
blueprint.after_request(keep_secret)


def _lines_or_refuse(token: str):
    """The reminder with the lines that are there still; raises LinkOver where none is."""
    person = shopper()
    found = CartReminder.of_token(token, person.now)
    lines = found.lines(person.now, lambda: person.segment)
    if not lines:
        raise LinkOver
    return found, lines


@blueprint.errorhandler(LinkOver)
def over(error):
    """Ordered, emptied or too old: which, is for who left it."""
    return respond("cart/link_over.html", status=410)


@blueprint.get("/<token>")
def show(token: str):
    found, lines = _lines_or_refuse(token)
    cart = shopper().cart
    if cart is not None and cart.id == found.cart_id:
        return go(url_for("cart.show"))
    return respond(
        "cart/link.html",
        token=token,
        lines=lines,
        until=found.until,
        due=together(chosen.quote for chosen in lines if chosen.is_available),
        total=sum(chosen.total for chosen in lines if chosen.is_available),
        any_left=any(chosen.is_available for chosen in lines),
    )


@blueprint.post("/<token>")
def take(token: str):
    """The lines go into this browser's own cart; twice they are there once."""
    found, _ = _lines_or_refuse(token)
    person = shopper()
    cart = person.cart_to_fill()
    if cart.id != found.cart_id:
        found.copy_into(cart, person.now, person.segment)
    return go(url_for("cart.show"))
