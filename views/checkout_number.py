"""The first step of a contract: for which of the own numbers, or with which new one (CHK-1, OFF-5, OFF-6, ELG)."""

from datetime import timedelta

from flask import abort, redirect, request, url_for
from flask_babel import gettext

import config
from models.allowance import Allowance
from models.base import db
from models.cart import Cart, CartLine, Chosen, InCartAlready
from models.checkout import Checkout
from models.eligibility import ways_left
from models.new_number import NewNumber, NumberTaken
from models.number import Number
from models.payment_ways import CARD
from models.profile import LockedOut
from models.standing import reasons_against, standings
from views import caller
from views.checkout import blueprint, next_step, show_step
from views.forms.checkout_number import DigitsForm, NewNumberForm, OwnNumberForm
from views.reasons import told
from views.respond import go, respond, wants_piece
from views.shopper import shopper

# Free numbers that are shown at a time.
SHOWN = 9


def _line_or_404(line_id: str | None = None) -> Chosen:
    """The contract line that is asked about, of this shopper's cart; by itself the first one without a number."""
    contracts = [chosen for chosen in shopper().lines() if chosen.is_contract]
    if line_id:
        contracts = [chosen for chosen in contracts if str(chosen.id) == line_id]
    elif any(not chosen.msisdn for chosen in contracts):
        contracts = [chosen for chosen in contracts if not chosen.msisdn]
    if not contracts:
        abort(404)
    return contracts[0]


@blueprint.route("/porosia/numri", methods=["GET", "POST"])
def number():
    """Which number the contract of a line is for; lines take turns."""
    if not any(chosen.is_contract for chosen in shopper().lines()):
        return go(url_for("checkout.data"))
    chosen = _line_or_404(request.values.get("linja", "")[:20])
    if chosen.contract_type == "new_number":
        return _new_number(chosen)
    if shopper().profile is None:
        # OFF-3: a contract on one's own number begins with the login.
        return go(url_for("profile.log_in", next=url_for("checkout.number")))
    return _own_number(chosen)


# One's own


def _own_number(chosen: Chosen):
    person = shopper()
    form = OwnNumberForm(person.numbers)
    if request.method != "POST":
        return _own_page(chosen, form)
    if not form.validate():
        return _own_page(chosen, form, 422)
    number, only_card = form.number, form.pagesa.data == "kartele"
    reasons = reasons_against(
        chosen, person.numbers, person.lines(), person.now, number=number, payment=CARD if only_card else None
    )
    if reasons:
        return _obstacles(chosen, number, reasons, 422)
    try:
        with db.atomic():
            if only_card:
                person.cart.choose_payment(chosen.id, CARD, None)
            person.cart.choose_number(chosen.id, number)
    except InCartAlready:
        person.forget_lines()
        return _own_page(chosen, form, 422)
    return _on()


def _own_page(chosen: Chosen, form: OwnNumberForm, status: int = 200):
    person = shopper()
    known = standings([number.holder.id for number in person.numbers], person.now)
    rows = []
    for number in person.numbers:
        reasons = reasons_against(chosen, person.numbers, person.lines(), person.now, number=number, known=known)
        if reasons and len(person.numbers) == 1 and not chosen.msisdn and request.method != "POST":
            # A single number needs no list where something stands against it.
            return _obstacles(chosen, number, reasons)
        rows.append(
            {
                "number": number,
                "reasons": [told(reason, chosen) for reason in reasons],
                "only_card": bool(reasons) and CARD in ways_left([CARD], reasons),
            }
        )
    picked = form.numri.data or chosen.msisdn
    if not picked:
        # The first one without a reason against it, or else one that can be had by card.
        open_rows = sorted(
            (row for row in rows if not row["reasons"] or row["only_card"]), key=lambda row: bool(row["reasons"])
        )
        picked = open_rows[0]["number"].msisdn if open_rows else ""
    return show_step(
        "number", Checkout(), status, template="own_number", chosen=chosen, form=form, rows=rows, picked=picked
    )


@blueprint.get("/porosia/numri/pengesat")
def obstacles():
    """All reasons against the contract of a line, each with what to do next (ELG-1…5)."""
    person = shopper()
    chosen = _line_or_404(request.args.get("linja", "")[:20])
    if person.profile is None:
        return go(url_for("profile.log_in", next=url_for("checkout.number")))
    asked = request.args.get("numri", "")
    number = next((one for one in person.numbers if one.msisdn == (asked or chosen.msisdn)), None)
    if number is None and asked:
        abort(404)
    if number is None and chosen.contract_type == "besnik24":
        return go(url_for("checkout.number", linja=chosen.id))
    payment = CARD if chosen.contract_type == "new_number" else None
    reasons = reasons_against(chosen, person.numbers, person.lines(), person.now, number=number, payment=payment)
    if not reasons:
        return go(url_for("checkout.number", linja=chosen.id))
    return _obstacles(chosen, number, reasons)


def _obstacles(chosen: Chosen, number: Number | None, reasons, status: int = 200):
    only_card = chosen.contract_type == "besnik24" and CARD in ways_left([CARD], reasons)
    return show_step(
        "number",
        Checkout(),
        status,
        template="obstacles",
        chosen=chosen,
        number=number,
        reasons=[told(reason, chosen) for reason in reasons],
        only_card=only_card,
    )


# A new one


def _new_number(chosen: Chosen):
    person = shopper()
    form = NewNumberForm()
    if request.method != "POST":
        return _new_page(chosen, form)
    if not form.validate():
        return _new_page(chosen, form, 422)
    known = standings([number.holder.id for number in person.numbers], person.now)
    reasons = reasons_against(chosen, person.numbers, person.lines(), person.now, payment=CARD, known=known)
    if reasons:
        return _obstacles(chosen, None, reasons, 422)
    if reasons_against(chosen, person.numbers, person.lines(), person.now, known=known):
        # ELG-3 leaves the card, which the step of payment then offers, and says why.
        person.cart.choose_payment(chosen.id, CARD, None)
    try:
        with db.atomic():
            free = _held(form.numri.data)
            free.attach(chosen.line, person.now)
    except (NumberTaken, LockedOut) as refused:
        return _new_page(chosen, form, _say(form, refused))
    except (Cart.DoesNotExist, CartLine.DoesNotExist):
        # Ordered, or taken out, in another tab a moment ago.
        return go(url_for("cart.show"))
    return _on()


def _held(msisdn: str) -> NewNumber:
    """The number of the pool, held for the shopper's cart from now on.

    Raises NumberTaken where it is not to be had, LockedOut where too many were picked from one address: nobody may
    keep the whole pool from others.
    """
    person = shopper()
    found = NewNumber.get_or_none(NewNumber.msisdn == msisdn[:15])
    if found is None:
        raise NumberTaken(msisdn)
    within = timedelta(minutes=config.NUMBER_HOLD_MINUTES)
    most = config.NUMBER_HOLDS_PER_ADDRESS
    if not caller.is_local() and not Allowance.take(
        f"number-holds:{caller.network()}", most=most, within=within, now=person.now
    ):
        raise LockedOut("number-holds")
    found.hold(person.cart, person.now)
    return found


def _say(form: NewNumberForm, refused: NumberTaken | LockedOut) -> int:
    """Say beside the numbers why one is not held, and give the answer's status."""
    if isinstance(refused, NumberTaken):
        form.numri.errors = [gettext("Këtë numër sapo e zgjodhi dikush tjetër. Zgjidhni një tjetër.")]
        return 422
    form.numri.errors = [
        gettext(
            "Keni zgjedhur shumë numra. Provoni përsëri pas %(minutes)d minutash.",
            minutes=config.NUMBER_HOLD_MINUTES,
        )
    ]
    return 429


@blueprint.get("/porosia/numri/te-lire")
def free_numbers():
    """Free numbers with the digits somebody likes, a page at a time: a piece of the step (OFF-6)."""
    chosen = _line_or_404(request.args.get("linja", "")[:20])
    if chosen.contract_type != "new_number":
        abort(404)
    if not wants_piece():
        asked = {name: request.args[name] for name in ("linja", "shifra", "pas") if request.args.get(name)}
        return redirect(url_for("checkout.number", **asked), 303)
    return _new_page(chosen, NewNumberForm(formdata=None), template="checkout/_free_numbers.html")


@blueprint.post("/porosia/numri/mbajtja")
def hold_number():
    """A free number that was just pointed at is held from then on, with the time shown (OFF-6)."""
    chosen = _line_or_404(request.form.get("linja", "")[:20])
    if chosen.contract_type != "new_number":
        abort(404)
    form = NewNumberForm()
    status = 200
    try:
        _held(form.numri.data or "")
    except (NumberTaken, LockedOut) as refused:
        status = _say(form, refused)
    except Cart.DoesNotExist:
        return go(url_for("cart.show"))
    if not wants_piece():
        return redirect(url_for("checkout.number", linja=chosen.id), 303)
    return _new_page(chosen, form, status, template="checkout/_free_numbers.html")


def _new_page(chosen: Chosen, form: NewNumberForm, status: int = 200, template: str = ""):
    person = shopper()
    digits = DigitsForm(request.values)
    sought = digits.shifra.data or "" if digits.validate() else ""
    found = NewNumber.search(sought, person.now, person.cart, SHOWN + 1, request.values.get("pas", "")[:15])
    picked = [one for one in NewNumber.held_by(person.cart, person.now) if one.line_id in (None, chosen.id)]
    # What was just pointed at, before what the line has from earlier.
    held = min(picked, key=lambda one: one.line_id is not None, default=None)
    context = {
        "chosen": chosen,
        "form": form,
        "digits": digits,
        "free": found[:SHOWN],
        "more": found[SHOWN - 1].msisdn if len(found) > SHOWN else "",
        "paged": bool(request.values.get("pas")),
        "held": held,
    }
    if template:
        return respond(template, template, status=status, **context)
    return show_step("number", Checkout(), status, template="new_number", **context)


def _on():
    """To the next contract without a number, or on to the data."""
    person = shopper()
    person.forget_lines()
    if any(chosen.is_contract and not chosen.msisdn for chosen in person.lines()):
        return go(url_for("checkout.number"))
    return go(url_for(next_step(Checkout.of(person.cart, person.now), "data")))
