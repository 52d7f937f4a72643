"""To the bank's page and back (PAY-5…8)."""

from flask import Blueprint, make_response, redirect, request, url_for

import config
import language
from models.base import utcnow
from models.bill_payment import BillPayment
from models.order import NotAllowed
from models.order_link import sign
from models.payment import Payment, hear
from views.orders import find_order_or_refuse, without_token
from views.pay_link import outcome_address
from views.respond import go, keep_private, respond
from views.shopper import shopper

blueprint = Blueprint("pay", __name__)


@blueprint.get("/porosia/<number>/pagesa")
def show(number: str):
    """The signed form for the bank, or what became of the payment."""
    order = find_order_or_refuse(number)
    if "k" in request.args:
        return without_token()
    payment = Payment.latest_of(order)
    if order.state != "awaiting_payment":
        return redirect(url_for("orders.confirmation", number=order.number), 303)
    payable = order.is_payable(shopper().now)
    open_payment = payment if payment is not None and payment.state == "started" and payable else None
    response = respond(
        "pay/page.html",
        order=order,
        payment=payment,
        payable=payable,
        gate_url=config.BANK_GATE_URL,
        fields=open_payment.form(language.current()) if open_payment else None,
    )
    return keep_private(response)


@blueprint.post("/porosia/<number>/pagesa")
def retry(number: str):
    """A new attempt, from the page or from the mail's link (PAY-8)."""
    order = find_order_or_refuse(number)
    try:
        Payment.resume(order, shopper().now)
    except NotAllowed:
        return go(url_for("orders.confirmation", number=order.number))
    return go(url_for("pay.show", number=order.number))


def from_bank():
    """The bank's result, brought by the shopper's browser: believed for its signature, not for who brings it."""
    payment = hear(request.form, "return", utcnow())
    if payment is None:
        return respond("pay/not_understood.html", status=400)
    purpose = payment.purpose
    prefix = language.prefix_of(purpose.language)
    if isinstance(purpose, BillPayment):
        # Of a profile, which is still logged in or logs in again: what it owes is not for whoever has a link.
        return redirect(f"{prefix}/paguaj/{purpose.number}", 303)
    if payment.link_id is not None:
        # Who paid for somebody else is told of their payment, and of nothing else.
        return redirect(outcome_address(payment), 303)
    # The bank's POST carries no cookie of ours; the signed link lets the shopper see the order all the same.
    return redirect(f"{prefix}/porosia/{purpose.number}/konfirmimi?k={sign(purpose)}", 303)


def callback():
    """The bank's result, server to server: answered with the bank's word once it is taken in."""
    payment = hear(request.form, "callback", utcnow())
    response = make_response(config.BANK_CALLBACK_REPLY if payment else "Refused", 200 if payment else 400)
    response.mimetype = "text/plain"
    return response


# What the bank posts carries no token of ours: its hash is what is checked (PAY-6).
bank_blueprint = Blueprint("bank", __name__)
bank_blueprint.add_url_rule("/pay/return", "from_bank", from_bank, methods=["POST"])
bank_blueprint.add_url_rule("/pay/callback", "callback", callback, methods=["POST"])
