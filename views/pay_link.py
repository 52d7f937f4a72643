"""Somebody else pays (PAY-8): the shopper makes a link and sends it; who has it sees what is to be paid, and pays.

What the payer's pages show is worked out in models/pay_link.py and nowhere else: no address, phone, e-mail, name or
number of the order. They stand in no search engine and no cache, and tell no other page where somebody came from.
"""

from contextlib import suppress
from datetime import timedelta

from flask import Blueprint, redirect, request, url_for

import config
import language
from models.order import NotAllowed
from models.pay_link import (
    LinkOver,
    PayLink,
    TooMany,
    has_receipt,
    of_outcome_token,
    outcome_token,
    paid_lines,
    send_receipt,
)
from models.profile import Attempt, LockedOut
from views import caller
from views.forms.pay_link import ReceiptForm
from views.orders import find_order_or_refuse, without_token
from views.respond import go, keep_private, respond
from views.secret_page import keep_secret
from views.shopper import shopper
from views.templating import den, moment
from views.words import gettext

blueprint = Blueprint("pay_link", __name__)
payer = Blueprint("payer", __name__)


# The shopper's side


@blueprint.get("/porosia/<number>/paguan-tjeter")
def share(number: str):
    """The order's link, to be sent; asks again by itself until it was paid."""
    order = find_order_or_refuse(number)
    if "k" in request.args:
        return without_token()
    return _share(order)


def _share(order, status=200, **context):
    now = shopper().now
    if not order.is_payable(now):
        return go(url_for("orders.confirmation", number=order.number))
    link, lines = PayLink.of(order), paid_lines(order)
    address = ""
    if link is not None:
        path = f"{language.prefix_of(language.current())}/paguaj-per/{link.token()}"
        address = config.BASE_URL + path
    response = respond(
        "pay_link/share.html",
        "pay_link/_share.html",
        status=status,
        order=order,
        link=link,
        address=address,
        wish=_wish(order, lines, address) if address else "",
        lines=lines,
        **context,
    )
    return keep_private(response)


def _wish(order, lines, address: str) -> str:
    """What the shopper's SMS or mail to the payer begins with: no more than the payer's page says (PRV-1)."""
    here = language.current()
    names = [line.title(here) if line.quantity == 1 else f"{line.quantity} × {line.title(here)}" for line in lines]
    text = gettext(
        "Ju lutem paguajeni për mua te %(brand)s: %(what)s, %(amount)s, deri më %(until)s. %(address)s",
        brand=config.BRAND,
        what=", ".join(names),
        amount=den(order.due_now),
        until=moment(order.payable_until),
        address=address,
    )
    return text.replace("\u00a0", " ")


@blueprint.post("/porosia/<number>/paguan-tjeter")
def make(number: str):
    order = find_order_or_refuse(number)
    try:
        PayLink.make(order, shopper().now)
    except NotAllowed:
        return go(url_for("orders.confirmation", number=order.number))
    except TooMany:
        return _share(order, 429, too_many=True)
    return go(url_for("pay_link.share", number=order.number))


def made_link(order) -> str:
    """Where the link of an order that was placed for somebody else to pay is shown."""
    with suppress(NotAllowed, TooMany):
        PayLink.make(order, shopper().now)
    return url_for("pay_link.share", number=order.number)


@blueprint.post("/porosia/<number>/paguan-tjeter/anulimi")
def revoke(number: str):
    """The link opens nothing any more; the shopper may make another, or pay."""
    order = find_order_or_refuse(number)
    PayLink.revoke(order, shopper().now)
    return go(url_for("pay_link.share", number=order.number))


# The payer's side


payer.after_request(keep_secret)


def _count(what: str, most: int) -> None:
    """One more try of this caller; raises LockedOut. A proxy that names nobody would be everybody."""
    if not caller.is_local():
        within = timedelta(minutes=config.PAYABLE_MINUTES)
        Attempt.begin({f"{what}:{caller.network()}": most}, within, shopper().now)


def find_link_or_refuse(token: str) -> PayLink:
    """The link; raises LinkOver for one that was put together or taken back, and LockedOut for who tries many."""
    try:
        return PayLink.of_token(token)
    except LinkOver:
        _count("pay-link-tried", config.PAY_LINK_PER_ADDRESS)
        raise


def _over(status=410):
    """What a link that opens nothing says: never why."""
    return respond("pay_link/over.html", status=status)


@payer.errorhandler(LinkOver)
def over(error):
    return _over()


@payer.errorhandler(LockedOut)
def too_many(error):
    return respond("pay_link/over.html", status=429, too_many=True)


@payer.get("/paguaj-per/<token>")
def show(token: str):
    """What is to be paid, and until when; once it was paid, thanks."""
    return _show(find_link_or_refuse(token), token)


def _show(link: PayLink, token: str, status=200, **context):
    order = link.order
    payable = order.is_payable(shopper().now)
    if not payable and not order.is_paid:
        return _over()
    return respond(
        "pay_link/page.html",
        status=status,
        token=token,
        payable=payable,
        amount=order.due_now if payable else None,
        until=order.payable_until,
        # What it was for is said as long as it is to be paid, and no longer.
        lines=paid_lines(order) if payable else [],
        **context,
    )


@payer.post("/paguaj-per/<token>")
def pay(token: str):
    """On to the bank: with the attempt that was begun, or a new one."""
    link = find_link_or_refuse(token)
    try:
        _count("pay-link", config.PAY_LINK_PER_ADDRESS)
        link.pay(shopper().now)
    except NotAllowed:
        return go(url_for(".show", token=token))
    except (TooMany, LockedOut):
        return _show(link, token, 429, too_many=True)
    return go(url_for(".to_bank", token=token))


@payer.get("/paguaj-per/<token>/banka")
def to_bank(token: str):
    """The signed form for the bank (PAY-5), with nothing of the shopper in it."""
    link = find_link_or_refuse(token)
    payment = link.begun()
    if payment is None or not link.order.is_payable(shopper().now):
        return redirect(url_for(".show", token=token), 303)
    here = language.current()
    return respond(
        "pay_link/bank.html",
        amount=payment.amount,
        until=link.order.payable_until,
        gate_url=config.BANK_GATE_URL,
        fields=payment.form(here, language.prefix_of(here)),
    )


@payer.get("/paguar-per/<token>")
def outcome(token: str):
    """What became of the payer's own attempt; asks again by itself while it is not known (PAY-7)."""
    payment = of_outcome_token(token)
    payment.ask_soon(shopper().now)
    return _outcome(payment, token, ReceiptForm(formdata=None))


def _outcome(payment, token: str, form, status=200):
    order = payment.order
    link = payment.link
    again = link.revoked_at is None and order.is_payable(shopper().now)
    return respond(
        "pay_link/outcome.html",
        "pay_link/_outcome.html",
        status=status,
        token=token,
        payment=payment,
        form=form,
        has_receipt=payment.state == "paid" and has_receipt(payment),
        again=url_for(".show", token=link.token()) if again else "",
    )


@payer.post("/paguar-per/<token>")
def receipt(token: str):
    """A receipt of the amount by mail, to who wants one: the address is asked for now, and kept in its mail alone."""
    payment, form = of_outcome_token(token), ReceiptForm()
    if payment.state != "paid":
        return go(url_for(".outcome", token=token))
    if not form.validate():
        return _outcome(payment, token, form, 422)
    send_receipt(payment, form.email.data, language.current(), shopper().now)
    return go(url_for(".outcome", token=token))


def outcome_address(payment) -> str:
    """Where who paid by a link comes back to from the bank: in the language of the address they came back by."""
    return url_for("payer.outcome", token=outcome_token(payment))
