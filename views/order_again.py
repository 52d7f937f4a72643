"""Porosit përsëri: a past order's devices into the cart, with what is otherwise today told line by line (OFF-5)."""

from flask import Blueprint, request, url_for

from models.cart import Cart
from models.order import Order
from models.order_again import Again, Repeat
from views.order_page import is_mine
from views.orders import find_order_or_refuse, without_token
from views.reasons import told
from views.respond import go, keep_private, respond
from views.shopper import shopper

blueprint = Blueprint("order_again", __name__)
blueprint.after_request(keep_private)


@blueprint.route("/porosia/<number>/perseri", methods=["GET", "POST"])
def again(number: str):
    """What the order would be today; a press puts it into the cart.

    Where everything is as it was, the cart is all there is to see. Pressed twice, the cart is the same.
    """
    order = find_order_or_refuse(number)
    if "k" in request.args:
        return without_token()
    person = shopper()
    repeat = Repeat(order, person.profile, person.numbers, person.segment, person.now)
    if request.method == "GET":
        return _page(order, repeat.look(person.cart))
    try:
        found = repeat.put(person.cart_to_fill())
    except Cart.DoesNotExist:
        # It joined another one a moment ago: the next press finds that.
        return go(url_for(".again", number=order.number))
    if all(line.is_as_it_was for line in found):
        return go(url_for("cart.show"))
    return go(url_for(".again", number=order.number))


def _page(order: Order, found: list[Again]):
    return respond(
        "orders/again.html",
        order=order,
        is_mine=is_mine(order),
        found=found,
        ready=any(one.outcome == "ready" for one in found),
        held=any(one.outcome == "in_cart" for one in found),
        told=told,
    )
