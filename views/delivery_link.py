"""The short link of an SMS: to the order's page, where a new time is chosen (DLV-5)."""

from flask import Blueprint, abort, redirect, url_for

from models.order import Order
from models.order_link import BadLink, read_short, sign
from models.order_number import MistypedNumber
from views.respond import keep_private

blueprint = Blueprint("delivery_link", __name__)


@blueprint.get("/koha/<code>")
def choose(code: str):
    """Whoever has the SMS may see the order, as with the link of its mails."""
    try:
        order = Order.of_number(read_short(code))
    except (BadLink, MistypedNumber):
        abort(404)
    if order is None:
        abort(404)
    return keep_private(redirect(url_for("orders.show", number=order.number, k=sign(order), _anchor="koha"), 303))
