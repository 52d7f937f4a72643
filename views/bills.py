"""Paguaj onlajn: the operator's invoices, chosen and paid by card (PRO-7, ELG-1)."""

from flask import Blueprint, abort, redirect, request, url_for
from flask_babel import gettext

import config
import language
from models.bill_payment import BillPayment, NothingChosen, NotOwed, TooManyOpen, unpaid_of
from models.order import NotAllowed
from models.payment import Payment
from views.forms.bills import ChoiceForm
from views.members import members_only
from views.respond import go, keep_private, respond, wants_piece
from views.shopper import shopper

blueprint = Blueprint("bills", __name__)


def find_bills_or_refuse(number: str) -> BillPayment:
    """The profile's own payment of invoices; 404 for everybody else, so that numbers cannot be tried out."""
    bills = BillPayment.of_number(number.upper())
    if bills is None or bills.profile_id != shopper().profile.id:
        abort(404)
    return bills


@blueprint.get("/paguaj")
@members_only
def show():
    """The unpaid invoices; overdue ones are chosen, unless the address says which: ?faturat=…"""
    form = ChoiceForm(request.args)
    invoices = unpaid_of(shopper().profile)
    # With `zgjedhja` the address comes from the form itself, where none may be chosen.
    if "zgjedhja" in request.args or form.faturat.data:
        chosen = set(form.faturat.data)
    else:
        chosen = {invoice.number for invoice in invoices if invoice.is_debt(shopper().now)}
    return _page(form, invoices, chosen)


@blueprint.post("/paguaj")
@members_only
def begin():
    """To the bank with the chosen invoices."""
    form = ChoiceForm()
    profile, chosen = shopper().profile, set(form.faturat.data or ())
    if "llogarit" in request.form:
        # Without JavaScript: the sum of the choice, before going on.
        return go(url_for("bills.show", zgjedhja=1, faturat=sorted(chosen)))
    try:
        bills = BillPayment.begin(profile, chosen, shopper().now, language.current())
    except NothingChosen:
        form.faturat.errors = [gettext("Zgjidhni së paku një faturë.")]
    except NotOwed:
        form.faturat.errors = [
            gettext("Ndonjë faturë është paguar ose ka ndryshuar ndërkohë. Kontrolloni zgjedhjen.")
        ]
    except TooManyOpen:
        form.faturat.errors = [gettext("Keni nisur shumë pagesa. Provoni përsëri pas 30 minutash.")]
        return _page(form, unpaid_of(profile), chosen, 429)
    else:
        return go(url_for("bills.to_bank", number=bills.number))
    return _page(form, unpaid_of(profile), chosen, 422)


def _page(form, invoices, chosen, status=200):
    person = shopper()
    owed = [invoice for invoice in invoices if invoice.number in chosen]
    context = {
        "count": len(owed),
        "total": sum(invoice.amount for invoice in owed),
    }
    if not (wants_piece() and request.method == "GET"):
        numbers = {}
        for number in person.numbers:
            numbers.setdefault(number.subscriber_id, []).append(number.msisdn)
        codes = {}
        for invoice in invoices:
            codes.setdefault(invoice.subscriber, []).append(invoice)
        context |= {
            "form": form,
            "codes": codes,
            "numbers": numbers,
            "chosen": {invoice.number for invoice in owed},
            "has_number": bool(person.numbers),
            "earlier": BillPayment.paid_by(person.profile),
            "now": person.now,
        }
    response = respond(
        "bills/page.html", "bills/_sum.html" if request.method == "GET" else None, status=status, **context
    )
    return keep_private(response)


@blueprint.get("/paguaj/<number>")
@members_only
def outcome(number: str):
    """What became of the payment; asks again by itself while it is not known (PAY-7)."""
    bills = find_bills_or_refuse(number)
    payment = Payment.latest_of(bills)
    if bills.state == "awaiting_payment" and payment is not None:
        payment.ask_soon(shopper().now)
    response = respond(
        "bills/outcome.html",
        "bills/_outcome.html",
        bills=bills,
        payment=payment,
        lines=bills.invoiced(),
        payable=bills.is_payable(shopper().now),
    )
    return keep_private(response)


@blueprint.get("/paguaj/<number>/banka")
@members_only
def to_bank(number: str):
    """The signed form for the bank (PAY-5); for what cannot be paid any more, its outcome."""
    bills = find_bills_or_refuse(number)
    payment = Payment.latest_of(bills)
    if not bills.is_payable(shopper().now):
        return redirect(url_for("bills.outcome", number=bills.number), 303)
    fields = payment.form(language.current()) if payment.state == "started" else None
    response = respond("bills/bank.html", bills=bills, payment=payment, gate_url=config.BANK_GATE_URL, fields=fields)
    return keep_private(response)


@blueprint.post("/paguaj/<number>/banka")
@members_only
def retry(number: str):
    """Another try with the same invoices (PAY-8)."""
    bills = find_bills_or_refuse(number)
    try:
        Payment.resume(bills, shopper().now)
    except NotAllowed:
        return go(url_for("bills.outcome", number=bills.number))
    return go(url_for("bills.to_bank", number=bills.number))
