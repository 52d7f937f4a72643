"""The checkout of what is in the cart: number → data → delivery → payment → overview (CHK-1…7).

The number of a contract is picked in views/checkout_number.py.
"""

from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, redirect, request, session, url_for
from flask_babel import gettext
from peewee import Case

import config
from language import current
from models.base import db
from models.calendar import promised_day
from models.cart import CartLine
from models.checkout import Checkout, EmptyCart, Incomplete, NotEligible, OfferChanged, TooManyUnpaid
from models.eligibility import ways_left
from models.instalments import PARTS
from models.order import OutOfStock
from models.payment_ways import CARD, INSTALMENTS, POINTS, ways
from models.places import municipality_of, place_of, places
from models.points_choice import PointsChanged, PointsChoice, ways_of
from models.profile import Attempt, LockedOut
from models.returning import fill_in, fill_in_address, fill_in_person
from models.saved_address import MOST, SavedAddress, TooManyAddresses
from models.standing import reasons_against, standings
from models.step_count import STEPS, StepCount
from views import caller
from views.forms import as_typed
from views.forms.checkout import (
    ContractPaymentForm,
    DataForm,
    DeliveryForm,
    PaymentForm,
    PlaceForm,
    StepDeliveryForm,
    told_of_points,
)
from views.orders import remember_order
from views.pay_link import made_link
from views.reasons import told
from views.reminder_wish import reminder_box, take_wish
from views.respond import go, keep_private, respond, wants_piece
from views.shopper import shopper

blueprint = Blueprint("checkout", __name__)


def steps_of(lines) -> tuple[str, ...]:
    """The steps that apply: a number is picked for contracts only (CHK-1)."""
    return STEPS if any(chosen.is_contract for chosen in lines) else STEPS[1:]


@blueprint.get("/porosia")
def begin():
    """To the first step; for who is known well enough straight to the overview, all filled in (CHK-2, CHK-3)."""
    person = shopper()
    first = f"checkout.{steps_of(person.lines())[0]}"
    if person.profile is None:
        return redirect(url_for(first), 303)
    checkout = Checkout.of(person.cart_to_fill(), person.now)
    step = fill_in(checkout, person.profile, person.numbers, person.lines(), person.now)
    if step == "data":
        return redirect(url_for(first), 303)
    if step is not None:
        return redirect(url_for(f"checkout.{step}", pastaj="pasqyra"), 303)
    for passed in steps_of(person.lines()):
        StepCount.reached(checkout, passed, person.now)
    return redirect(url_for("checkout.overview", gati=1), 303)


@blueprint.before_request
def something_to_order():
    """An empty cart leads to the cart's page, never to an error (CRT-5)."""
    if request.endpoint == "checkout.overview" and request.method == "POST":
        return None  # placing twice finds the order that was placed (CHK-4)
    if not shopper().lines():
        # By way of `go`: htmx would put the cart's whole page where a piece belongs.
        return go(url_for("cart.show"))
    return None


def _checkout() -> Checkout:
    person = shopper()
    checkout = Checkout.of(person.cart_to_fill(), person.now)
    if person.profile is not None and not checkout.first_name and not checkout.email:
        # CHK-2: known data are filled in; the shopper checks and changes them.
        fill_in_person(checkout, person.profile, [] if person.profile.phone else person.numbers)
    return checkout


def _names() -> dict:
    return {
        "number": gettext("Numri"),
        "data": gettext("Të dhënat"),
        "delivery": gettext("Dërgesa"),
        "payment": gettext("Pagesa"),
        "overview": gettext("Pasqyra"),
    }


@dataclass(frozen=True)
class UsedPoints:
    """Points beside the card payment, what they take off it in minor units, and who holds them (PAY-4, DLV-3)."""

    points: int = 0
    worth: int = 0
    holder: str = ""


def _used_points(checkout: Checkout, choice: PointsChoice | None = None) -> UsedPoints:
    """Those that were chosen, as far as they can be used; nothing is asked where none were."""
    if not checkout.points:
        return UsedPoints()
    person = shopper()
    choice = choice or PointsChoice(person.profile, person.lines(), person.now)
    if checkout.points_trouble(choice) is not None:
        return UsedPoints()
    holder = choice.of(checkout.points_of_id).holder.name
    return UsedPoints(checkout.points, checkout.points_worth, holder)


def summary_context(step: str, checkout: Checkout | None = None, used: UsedPoints | None = None) -> dict:
    """What every step shows beside its form: the lines with their x, and the sums (CRT-3)."""
    person = shopper()
    lines = person.lines()
    names = _names()
    checkout = checkout or Checkout.of(person.cart_to_fill(), person.now)
    used = used or _used_points(checkout)
    return {
        "step": step if step in names else "",
        "names": names,
        "steps": steps_of(lines),
        "lines": lines,
        "contracts": [chosen for chosen in lines if chosen.is_contract],
        "count": person.count,
        "total": person.total,
        "due": person.due,
        "used": used,
        # What the card is charged.
        "today": person.due.today - used.worth,
        "signers": _signers(lines, used),
        "checkout": checkout,
        "digest": checkout.digest(lines),
        "promised": promised_day(person.now),
        # From the overview, and back to it.
        "back": "pasqyra" if request.args.get("pastaj") == "pasqyra" else None,
    }


def _signers(lines, used: UsedPoints) -> str:
    """Who alone may receive the order: signs the contracts of Besnik 24, or holds the points (DLV-3); else empty."""
    wanted = {chosen.line.number_id for chosen in lines if chosen.contract_type == "besnik24"}
    names = [number.holder.name for number in shopper().numbers if number.id in wanted] if wanted else []
    return ", ".join(dict.fromkeys([*names, used.holder] if used.holder else names))


def _skipped(checkout: Checkout, step: str) -> str | None:
    """The address of the first step before `step` that is not filled in; none when `step` may be shown."""
    missing = checkout.missing_step(shopper().lines())
    if missing is not None and STEPS.index(missing) < STEPS.index(step):
        return url_for(f"checkout.{missing}")
    return None


def _may_pay(chosen) -> tuple[str, ...]:
    """The ways in which the line of a contract may be paid at all (PAY-1); points go beside the card (PAY-4)."""
    person = shopper()
    return tuple(
        way for way in ways(chosen.contract_type, person.profile is not None, bool(person.numbers)) if way != POINTS
    )


def show_step(step: str, checkout: Checkout, status: int = 200, **context):
    """The page of a step, or the piece that htmx swaps; nothing typed so far matters to the step of the number."""
    StepCount.reached(checkout, step, shopper().now)
    context = {**summary_context(step, checkout, context.pop("used", None)), **context}
    name = context.pop("template", step)
    response = respond(f"checkout/{name}.html", f"checkout/_{name}.html", status=status, **context)
    return keep_private(response)


@blueprint.route("/porosia/te-dhenat", methods=["GET", "POST"])
def data():
    checkout = _checkout()
    if skipped := _skipped(checkout, "data"):
        return go(skipped)
    form = DataForm(obj=None if request.method == "POST" else checkout)
    if request.method == "GET":
        form.phone.data = as_typed(checkout.phone)
    if request.method == "POST":
        if not form.validate():
            return show_step("data", checkout, 422, form=form, **reminder_box(checkout))
        before = checkout.email
        checkout.first_name, checkout.last_name = form.first_name.data, form.last_name.data
        checkout.email, checkout.phone = form.email.data, form.phone_digits
        checkout.save()
        take_wish(checkout, before)
        return go(url_for(next_step(checkout, "delivery")))
    return show_step("data", checkout, form=form, **reminder_box(checkout))


@blueprint.route("/porosia/dergesa", methods=["GET", "POST"])
def delivery():
    checkout = _checkout()
    if skipped := _skipped(checkout, "delivery"):
        return go(skipped)
    profile = shopper().profile
    sent = request.method == "POST"
    if not sent and profile is not None:
        fill_in_address(checkout, profile)
    form = StepDeliveryForm(obj=None if sent else checkout)
    form.offer(SavedAddress.of(profile) if profile is not None else [], None if sent else checkout)
    if sent:
        if not form.validate():
            return show_step("delivery", checkout, 422, form=form)
        try:
            if profile is not None and form.ruaj.data and form.address is None:
                SavedAddress.keep(profile, form.street.data, form.place.data, form.municipality.data, shopper().now)
        except TooManyAddresses:
            form.ruaj.errors = [
                gettext(
                    "Keni ruajtur %(most)d adresa. Hiqni njërën te „Adresat e mia” ose mos e ruani këtë.", most=MOST
                )
            ]
            return show_step("delivery", checkout, 422, form=form)
        for name, value in form.delivery().items():
            setattr(checkout, name, value)
        checkout.save()
        return go(url_for(next_step(checkout, "payment")))
    return show_step("delivery", checkout, form=form)


@blueprint.get("/porosia/dergesa/kodi")
def postal_code():
    """The postal code of the place just chosen, filled in: a piece of the delivery step."""
    if not wants_piece():
        return redirect(url_for("checkout.delivery"), 303)
    form = DeliveryForm(request.args)
    try:
        place = place_of(request.args.get("place", ""))
        form.postal_code.data = place.code
        named = {choice.label: choice.value for choice in form.municipality.choices}
        if place.name(current()) in named:
            form.municipality.data = named[place.name(current())]
        elif form.municipality.data in {named.get(other.name(current())) for other in places(current())}:
            # It came with the place chosen before; a shopper would hardly notice that it stayed.
            form.municipality.data = ""
    except KeyError:
        form.postal_code.data = ""
    return respond("checkout/_place_fields.html", form=form)


@blueprint.route("/porosia/pagesa", methods=["GET", "POST"])
def payment():
    checkout = _checkout()
    if skipped := _skipped(checkout, "payment"):
        return go(skipped)
    person = shopper()
    contracts = [chosen for chosen in person.lines() if chosen.is_contract]
    offers = []
    if contracts:
        offers = _offers(contracts)
        if closed := next((chosen for chosen, left, _ in offers if not left), None):
            return go(url_for("checkout.obstacles", linja=closed.id))
    sent = request.method == "POST"
    form = _payment_form(offers, sent, None if sent else checkout)
    if not sent:
        trouble = _offer_points(form, checkout)
        return _show_payment(checkout, form, offers, trouble=trouble)
    _pay_as_typed(form, offers)
    _offer_points(form)
    if request.form.get("veprimi"):
        # To see what comes of it, without a script or with a click more; nothing is kept yet.
        if request.form["veprimi"] == "te-gjitha":
            form.use_all()
        return _show_payment(checkout, form, offers, 200 if form.check_points() else 422)
    if not form.validate():
        return _show_payment(checkout, form, offers, 422)
    with db.atomic():
        checkout.choose_points(form.choice, form.member and form.member.id, form.points)
        for chosen in contracts:
            person.cart.choose_payment(chosen.id, *form.chosen(chosen.id))
        checkout.payment_way = CARD
        checkout.save()
    return go(url_for(next_step(checkout, "overview")))


@blueprint.get("/porosia/pagesa/piket")
def points():
    """What the points that are being typed come to: pieces of the payment step. It keeps nothing."""
    if not wants_piece():
        return redirect(url_for("checkout.payment"), 303)
    checkout = _checkout()
    if skipped := _skipped(checkout, "payment"):
        return go(skipped)
    offers = [(chosen, _may_pay(chosen), ()) for chosen in shopper().lines() if chosen.is_contract]
    form = _payment_form(offers, True, formdata=request.args)
    _pay_as_typed(form, offers)
    _offer_points(form)
    form.check_points()
    whole = request.headers.get("HX-Target") == "piket"
    return _show_payment(checkout, form, offers, template="points_live", whole=whole)


def _payment_form(offers, sent: bool, checkout: Checkout | None = None, **formdata):
    if offers:
        return ContractPaymentForm.of([(chosen, left) for chosen, left, _ in offers], **formdata)
    form = PaymentForm(obj=checkout, **formdata)
    if not sent and not form.payment_way.data:
        form.payment_way.data = CARD
    return form


def _pay_as_typed(form, offers) -> None:
    """The lines as they would be paid: what points take off depends on it. Nothing is written."""
    for chosen, left, _ in offers:
        way, parts = form[f"pagesa-{chosen.id}"].data, form[f"keste-{chosen.id}"].data
        parts = next((number for number in PARTS if str(number) == parts), None)
        if way in left and (way != INSTALMENTS or parts):
            chosen.line.payment, chosen.line.parts = way, parts if way == INSTALMENTS else None


def _offer_points(form, checkout: Checkout | None = None) -> PointsChanged | None:
    """Let the form have what the profile's memberships have for this cart (PAY-1); none where nothing takes points.

    With `checkout`, what was chosen before; returns why that cannot be used any more.
    """
    person = shopper()
    takes = any(POINTS in ways_of(chosen, True, True) for chosen in person.lines())
    if person.numbers and takes:
        form.offer(PointsChoice(person.profile, person.lines(), person.now), checkout)
    if checkout is None or not checkout.points:
        return None
    trouble = checkout.points_trouble(form.choice) if form.choice is not None else PointsChanged("not_yours")
    if trouble is not None and form.choice is not None:
        form.pike.errors = [told_of_points(trouble)]
    return trouble


def _show_payment(checkout: Checkout, form, offers, status: int = 200, **context):
    lines, choice = shopper().lines(), form.choice
    used = None
    if context.get("trouble") is not None:
        used = UsedPoints()
    elif request.method == "POST" or "whole" in context:
        used = UsedPoints(form.points, form.worth, form.member.holder.name if form.member else "")
    elif choice is not None:
        used = _used_points(checkout, choice)
    if choice is not None:
        form.show_first()
    if choice is not None and not choice.takes:
        # What would be possible with the card, should that be chosen without a script.
        choice.look_at(lines, frozenset(chosen.id for chosen, left, _ in offers if CARD in left))
    if offers:
        context.setdefault("template", "contract_payment")
    # Of a cart with one choice for all, the card's amount stands beside it, and the points below.
    by_card = [chosen.total for chosen in lines] if not offers or len(lines) == 1 else None
    return show_step(
        "payment",
        checkout,
        status,
        form=form,
        offers=offers,
        used=used,
        choice=choice,
        amount=sum(by_card) if by_card else None,
        # The sums stand outside of what htmx swaps.
        sent=request.method == "POST",
        **context,
    )


def _offers(contracts):
    """How the device of each contract may be paid, and why not otherwise; the rest is paid by card (PAY-1, PAY-3)."""
    person = shopper()
    known = standings([number.holder.id for number in person.numbers], person.now)
    offers = []
    for chosen in contracts:
        reasons = {}
        for way in _may_pay(chosen):
            reasons[way] = reasons_against(
                chosen, person.numbers, person.lines(), person.now, payment=way, known=known
            )
        left = tuple(way for way, against in reasons.items() if way in ways_left([way], against))
        blocked = next((against for way, against in reasons.items() if way not in left), ())
        offers.append((chosen, left, [told(reason, chosen) for reason in blocked]))
    return offers


@blueprint.route("/porosia/pasqyra", methods=["GET", "POST"])
def overview():
    if request.method == "POST":
        return _place()
    checkout = _checkout()
    if skipped := _skipped(checkout, "overview"):
        return go(skipped)
    if any(chosen.is_contract and chosen.line.payment not in _may_pay(chosen) for chosen in shopper().lines()):
        # Chosen on the device's page, by somebody who may not pay so.
        return go(url_for("checkout.payment"))
    used = _used_points(checkout)
    if used.points != checkout.points:
        # The page of the payment tells why.
        return go(url_for("checkout.payment"))
    _note_prices_seen()
    filled_in = bool(request.args.get("gati")) and shopper().profile is not None
    return show_step("overview", checkout, form=PlaceForm(), used=used, filled_in=filled_in, **_places(checkout))


def _place():
    person = shopper()
    if person.cart is None:
        return go(url_for("cart.show"))
    checkout = Checkout.of(person.cart, person.now)
    form = PlaceForm()
    if not form.validate() and not Checkout.is_placed(person.cart, form.key.data):
        if not person.lines():
            return go(url_for("cart.show"))
        if skipped := _skipped(checkout, "overview"):
            return go(skipped)
        return show_step("overview", checkout, 422, form=form, **_places(checkout))
    address = "" if caller.is_local() else f"placed-from:{caller.network()}"
    within = timedelta(minutes=config.PAYABLE_MINUTES)
    try:
        if address:
            Attempt.refuse(address, most=config.PLACED_PER_ADDRESS, within=within, now=person.now)
        order, payment = checkout.place_order(
            key=form.key.data or "",
            seen=form.seen.data or "",
            language=current(),
            now=person.now,
            profile=person.profile,
            segment=person.segment,
        )
    except EmptyCart:
        return go(url_for("cart.show"))
    except Incomplete as incomplete:
        return go(url_for(f"checkout.{incomplete.step}"))
    except PointsChanged:
        return go(url_for("checkout.payment"))
    except NotEligible as refused:
        return go(url_for("checkout.obstacles", linja=refused.line_id))
    except (TooManyUnpaid, LockedOut):
        return show_step("overview", checkout, 429, form=PlaceForm(formdata=None), too_many=True, **_places(checkout))
    except OfferChanged:
        person.forget_lines()
        if not person.lines():
            return go(url_for("cart.show"))
        checkout = Checkout.of(person.cart, person.now)
        return show_step("overview", checkout, 409, form=PlaceForm(formdata=None), changed=True, **_places(checkout))
    except OutOfStock as gone:
        person.forget_lines()
        checkout = Checkout.of(person.cart, person.now)
        return show_step(
            "overview", checkout, 409, form=PlaceForm(formdata=None), sold_out=gone.names, **_places(checkout)
        )
    if address:
        Attempt.insert(key=address, at=person.now).execute()
    remember_order(session, order)
    if payment is None:
        # Nothing is due now: the bank has no part in it (PAY-3).
        return go(url_for("orders.confirmation", number=order.number))
    if request.form.get("paguan") == "tjeter":
        return go(made_link(order))
    return go(url_for("pay.show", number=order.number))


def next_step(checkout: Checkout, step: str) -> str:
    """Where to go after a step: on to `step`, or back to the overview when that is where the change came from."""
    if request.args.get("pastaj") == "pasqyra" and checkout.missing_step(shopper().lines()) is None:
        return "checkout.overview"
    return f"checkout.{step}"


def _note_prices_seen() -> None:
    """The overview shows today's prices; from now on these are the ones the shopper saw (CAT-5)."""
    changed = [chosen for chosen in shopper().lines() if chosen.price_changed]
    if changed:
        seen = Case(CartLine.id, [(chosen.id, chosen.price.now) for chosen in changed])
        CartLine.update(price_seen=seen).where(CartLine.id.in_([chosen.id for chosen in changed])).execute()


def _places(checkout: Checkout) -> dict:
    try:
        return {"place": place_of(checkout.place), "municipality": municipality_of(checkout.municipality)}
    except KeyError:
        return {"place": None, "municipality": None}
