"""An order's page, for whoever may see it: its signed link, its number and e-mail, or its profile (ORD-2)."""

from datetime import timedelta

from flask import Blueprint, abort, redirect, request, session, url_for
from flask_babel import gettext

from models.my_orders import GROUPS, MyOrders, guest_orders, take_guest_orders
from models.order import Order
from models.order_link import BadLink, read
from models.order_number import MistypedNumber, read_number
from models.order_points import OrderPoints
from models.payment import Payment
from models.profile import Attempt, LockedOut
from models.quote import together
from views import caller
from views.forms import tidy
from views.forms.orders import FindForm
from views.members import members_only
from views.order_page import is_mine, order_page
from views.respond import go, keep_private, respond
from views.shopper import shopper

blueprint = Blueprint("orders", __name__)

# How many orders one browser remembers having been shown.
REMEMBERED = 20


def remember_order(kept, order: Order) -> None:
    """This browser placed the order, or proved to know it: it may see it.

    Not where the order is the profile's that is logged in: that one sees it by its login, and nobody after it.
    """
    if is_mine(order):
        return
    kept["orders"] = [number for number in kept.get("orders", []) if number != order.number][-REMEMBERED + 1 :] + [
        order.number
    ]


def find_order_or_refuse(number: str) -> Order:
    """The order, for somebody who may see it; 404 for everybody else, so that numbers cannot be tried out."""
    try:
        order = Order.of_number(read_number(number))
    except MistypedNumber:
        abort(404)
    if order is None:
        abort(404)
    token = request.args.get("k")
    if token:
        try:
            known = read(token) == order.number
        except BadLink:
            known = False
        if known:
            remember_order(session, order)
            return order
    # The login first: where it is over, what the session remembered is over too.
    if is_mine(order) or order.number in session.get("orders", []):
        return order
    abort(404)


def without_token():
    """After a signed link: the same address without the token, which then stays out of the history."""
    return redirect(url_for(request.endpoint, **request.view_args), 303)


@blueprint.get("/porosia/<number>")
def show(number: str):
    order = find_order_or_refuse(number)
    if "k" in request.args:
        return without_token()
    return order_page(order, done=request.args.get("u", ""))


@blueprint.get("/porosia/<number>/konfirmimi")
def confirmation(number: str):
    """After the bank: what came of the payment (CHK-5, PAY-7); asks again by itself while it is not known."""
    order = find_order_or_refuse(number)
    if "k" in request.args:
        return without_token()
    payment = Payment.latest_of(order)
    if order.state == "awaiting_payment" and payment is not None:
        payment.ask_soon(shopper().now)
    lines = order.lines()
    return order_page(
        order,
        "orders/confirmation.html",
        "orders/_outcome.html",
        payment=payment,
        due=together(line.quote for line in lines),
        # Where the order's points are by now (PAY-9).
        points_state=OrderPoints.of(order).state if order.points else None,
        payable=order.is_payable(shopper().now),
    )


@blueprint.route("/porosia/gjej", methods=["GET", "POST"])
def find():
    """A guest finds an order by its number and contact e-mail (ORD-2)."""
    form = FindForm()
    if request.method == "GET":
        return respond("orders/find.html", "orders/_find.html", form=form)
    if not form.validate():
        return respond("orders/find.html", "orders/_find.html", status=422, form=form)
    now = shopper().now
    key = f"order-find:{caller.network()}"
    try:
        Attempt.refuse(key, most=20, within=timedelta(minutes=15), now=now)
        order = Order.found_by(form.number.data, form.email.data)
    except MistypedNumber:
        form.number.errors = [
            gettext("Ky numër është shkruar gabim; kontrollojeni te e-posta, p.sh. DY-7K3M-9QPX-7.")
        ]
        return respond("orders/find.html", "orders/_find.html", status=422, form=form)
    except LockedOut:
        form.number.errors = [gettext("Shumë përpjekje. Provoni përsëri pas 15 minutash.")]
        return respond("orders/find.html", "orders/_find.html", status=429, form=form)
    if order is None:
        Attempt.insert(key=key, at=now).execute()
        form.number.errors = [gettext("Nuk ka porosi me këtë numër dhe këtë e-postë.")]
        return respond("orders/find.html", "orders/_find.html", status=422, form=form)
    remember_order(session, order)
    return go(url_for("orders.show", number=order.number))


@blueprint.get("/porosite")
@members_only
def mine():
    """Porositë e mia: all orders of the profile, searched, filtered and paged by the address alone (ORD-1)."""
    profile = shopper().profile
    found = MyOrders(
        profile, tidy(request.args.get("q"))[:60], request.args.get("gjendja", ""), _number(request.args.get("faqe"))
    )
    response = respond(
        "orders/mine.html",
        "orders/_mine.html",
        found=found,
        entries=found.entries(),
        groups=["", *GROUPS],
        guest_orders=guest_orders(profile),
        taken=_number(request.args.get("marre"), 0),
    )
    return keep_private(response)


def _number(text: str | None, otherwise: int = 1) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 6 else otherwise


@blueprint.post("/porosite/te-mysafirit")
@members_only
def take():
    """The orders made as a guest with the profile's verified e-mail become its own (ORD-1)."""
    taken = take_guest_orders(shopper().profile)
    return go(url_for("orders.mine", marre=taken or None))
