"""Porositë: an agent finds an order, and does for who calls what may still be done (DSK-1, AFT-1, AFT-2).

Addresses carry no phone, e-mail or name: a search is kept in the session, under a word that the address names, until
the work ends (`views/staff_only.py`). What an agent sees of somebody before the caller is identified stands in
`templates/desk/orders`.
"""

import secrets
from dataclasses import dataclass

from flask import Blueprint, abort, redirect, request, session, url_for
from flask_babel import gettext

from models import desk_order
from models.cancellation import is_cancellable
from models.delivery import NotOffered, Slot, TooLate
from models.desk_order import NotResendable, TooManyResent
from models.identification import Identification, NotIdentified, TooManyTries
from models.order import NotAllowed, Order, OutOfStock
from models.order_change import AlreadyPacked, Wanted
from models.order_dossier import Dossier
from models.order_note import OrderNote
from models.order_number import MistypedNumber, read_number
from models.order_search import OrderSearch, is_late
from models.outbox import Mail
from models.quote import together
from models.sms import Sms
from models.trail import ChangedMeanwhile
from views.forms import as_typed
from views.forms.desk_orders import ChangeForm, ContactForm, HolderForm, NoteForm, ReasonForm, SearchForm
from views.respond import go, keep_private, respond
from views.shopper import shopper
from views.staff_only import SEARCHES, actor, staff_only
from views.templating import clock, phone_text

blueprint = Blueprint("desk_orders", __name__, url_prefix="/desk/porosite")
blueprint.after_request(keep_private)

# So many searches a browser keeps: each tab comes back to its own, and a cookie holds them.
KEPT = 5


@blueprint.app_template_filter("masked_mail")
def masked_mail(email: str) -> str:
    """Enough of an address for its owner to know it: "a•••@example.com"."""
    name, _, domain = email.rpartition("@")
    return f"{name[:1]}•••@{domain}"


def find_order_or_404(number: str) -> Order:
    """Whatever the case and the hyphens of the address."""
    try:
        return Order.of_number(read_number(number)) or abort(404)
    except MistypedNumber:
        abort(404)


# Finding


@blueprint.route("", methods=["GET", "POST"])
@staff_only("agent")
def search():
    """One box for everything that a caller may say; the only hit opens by itself."""
    if request.method == "POST":
        form = SearchForm()
        if not form.validate():
            return _results(form, None, "", 422)
        found = OrderSearch(shopper().now, form.q.data, form.gjendja.data, form.since)
        word = _keep(form)
        if form.q.data and found.only is not None:
            return go(url_for(".show", number=found.only.number))
        return go(url_for(".search", kerkimi=word))
    word = request.args.get("kerkimi", "")
    kept = next((row for row in session.get(SEARCHES, []) if row[0] == word), None)
    form = SearchForm(formdata=None)
    if kept is not None:
        _, form.q.data, form.gjendja.data, form.nga.data = kept
        form.validate_nga(form.nga)
    elif request.args.get("gjendja", "") in {choice.value for choice in form.gjendja.choices}:
        form.gjendja.data = request.args.get("gjendja", "")
    found = OrderSearch(
        shopper().now, form.q.data or "", form.gjendja.data or "", form.since, request.args.get("pas", "")[:20]
    )
    return _results(form, found, word if kept is not None else "")


def _keep(form: SearchForm) -> str:
    row = [form.q.data or "", form.gjendja.data or "", form.nga.data or ""]
    kept = [known for known in session.get(SEARCHES, []) if known[1:] != row][-KEPT + 1 :]
    word = secrets.token_urlsafe(6)
    session[SEARCHES] = [*kept, [word, *row]]
    return word


def _results(form, found, word, status=200):
    return respond("desk/orders/search.html", status=status, form=form, found=found, word=word)


def back_to_search() -> str:
    """The results that the agent looked at last."""
    kept = session.get(SEARCHES, [])
    return url_for(".search", kerkimi=kept[-1][0] if kept else None)


# One order


@blueprint.route("/<number>", methods=["GET", "POST"])
@staff_only("agent")
def show(number: str):
    """Everything of the order; what is posted changes it."""
    order = find_order_or_404(number)
    return _change(order) if request.method == "POST" else _page(order)


def _change(order: Order):
    dossier = _dossier(order)
    form = ChangeForm.of(order, [line.id for line in dossier.lines if f"ngjyra-{line.id}" in request.form])
    if not dossier.identified:
        return _page(order, 409, form=form, dossier=dossier)
    if not form.validate():
        return _page(order, 422, form=form, dossier=dossier)
    wanted = Wanted(
        street=form.street.data,
        postal_code=form.place.data,
        municipality=form.municipality.data,
        phone=form.phone_digits,
        note=form.note.data,
        # What the page did not show stays as it is.
        gift_note=form.gift_note.data if "gift_note" in request.form else None,
        wish=form.wish.data if "wish" in request.form else None,
        colours=form.colours(),
    )
    try:
        desk_order.change(
            order, wanted, by=actor(), now=shopper().now, mark=form.mark.data or "", why=form.arsyeja.data
        )
    except ChangedMeanwhile as changed:
        dossier = _dossier(Order.get_by_id(order.id))
        form.take_in(changed.steps, dossier.order, dossier.lines)
        return _page(dossier.order, 409, form=form, changed=changed, dossier=dossier)
    except OutOfStock as error:
        trouble = gettext("%(names)s nuk ka më në atë ngjyrë. Asgjë nuk u ndryshua.", names=", ".join(error.names))
        return _page(order, 422, form=form, trouble=trouble)
    except AlreadyPacked:
        trouble = gettext("Porosia është paketuar tashmë: kartolina mbetet siç është. Asgjë nuk u ndryshua.")
        return _page(Order.get_by_id(order.id), 409, form=form, trouble=trouble)
    except NotAllowed:
        trouble = gettext("Porosia nuk ndryshohet më në këtë gjendje.")
        return _page(Order.get_by_id(order.id), 409, form=form, trouble=trouble)
    except NotIdentified:
        return _page(order, 409, form=form)
    return _done(order, "ndryshuar")


def _done(order: Order, what: str):
    return go(url_for(".show", number=order.number, u=what))


def _dossier(order: Order) -> Dossier:
    return Dossier(order, actor(), shopper().now)


def _page(order: Order, status=200, *, dossier=None, **more):
    dossier = dossier or _dossier(order)
    form = more.pop("form", None)
    # What was typed into the form stays on the page, also where the order went on meanwhile.
    editable = dossier.is_changeable or (form is not None and more.get("changed") is not None)
    if form is None and dossier.identified:
        colours = dossier.colours()
        form = ChangeForm.of(order, list(colours), formdata=None, data=_as_it_is(dossier, colours))
    if form is not None:
        # What is typed goes on from what the page now shows.
        form.mark.data = dossier.mark
    context = {
        "order": order,
        "dossier": dossier,
        "form": form if dossier.identified else None,
        "caller": more.pop("caller", None) or _caller_form(dossier, formdata=None),
        "note": more.pop("note", None) or NoteForm(formdata=None),
        "key": secrets.token_hex(8),
        "done": request.args.get("u", "") if request.method == "GET" else "",
        "due": together(line.quote for line in dossier.lines),
        "editable": editable,
        "changed": None,
        "chosen": "",
        "trouble": "",
        "cancellable": is_cancellable(order, actor()),
        "late": is_late(order, shopper().now),
        "colours": dossier.colours() if dossier.identified else {},
        "back": back_to_search(),
        **more,
    }
    return respond("desk/orders/page.html", status=status, **context)


def _as_it_is(dossier: Dossier, colours) -> dict:
    order = dossier.order
    chosen = {f"ngjyra-{line.id}": str(line.variant_id) for line in dossier.lines if line.id in colours}
    return {
        "street": order.street,
        "place": order.postal_code,
        "postal_code": order.postal_code,
        "municipality": order.municipality,
        "phone": as_typed(order.phone),
        "note": order.note,
        "gift_note": order.gift_note,
        "wish": order.wish,
        **chosen,
    }


# Who calls


def _caller_form(dossier: Dossier, **more):
    return (ContactForm if dossier.asked_for == "contact" else HolderForm)(**more)


@blueprint.post("/<number>/identifikimi")
@staff_only("agent")
def identify(number: str):
    """What the caller said, compared and written down."""
    order = find_order_or_404(number)
    dossier, now = _dossier(order), shopper().now
    form = _caller_form(dossier)
    if not form.validate():
        return _page(order, 422, caller=form, dossier=dossier)
    try:
        fits = Identification.check(order, form.numri.data, by=actor(), now=now, **form.said)
    except TooManyTries as error:
        form.numri.errors = [gettext("Shumë përpjekje. Provoni përsëri në orën %(time)s.", time=clock(error.until))]
        return _page(order, 429, caller=form, dossier=dossier)
    if not fits:
        form.numri.errors = [gettext("Të dhënat nuk përputhen. Përpjekja u shënua.")]
        return _page(order, 422, caller=form)
    return _done(order, "identifikuar")


@blueprint.post("/<number>/mbaro")
@staff_only("agent")
def end_call(number: str):
    """The call is over: the next caller is asked anew."""
    order = find_order_or_404(number)
    Identification.end(order, actor(), shopper().now)
    return go(url_for(".show", number=order.number))


# Notes, messages, times


@blueprint.post("/<number>/shenime")
@staff_only("agent")
def add_note(number: str):
    order = find_order_or_404(number)
    form = NoteForm()
    if not form.validate():
        return _page(order, 422, note=form)
    key = form.celesi.data or secrets.token_hex(8)
    OrderNote.add(order, form.shenimi.data, by=actor(), now=shopper().now, key=f"{order.id}:{key}"[:32])
    return _done(order, "shenuar")


@blueprint.post("/<number>/mesazhet")
@staff_only("agent")
def resend(number: str):
    """One of the order's own mails or SMS, once more to where it went."""
    order = find_order_or_404(number)
    table = {"mail": Mail, "sms": Sms}.get(request.form.get("lloji", ""))
    message = next(
        (
            found.row
            for found in _dossier(order).messages
            if isinstance(found.row, table or ()) and str(found.row.id) == request.form.get("mesazhi")
        ),
        None,
    )
    key = request.form.get("celesi", "")[:16] or secrets.token_hex(8)
    try:
        if message is None:
            raise NotResendable
        desk_order.resend(order, message, by=actor(), now=shopper().now, key=key)
    except NotResendable:
        return _page(order, 422, trouble=gettext("Ky mesazh nuk dërgohet përsëri."))
    except TooManyResent as error:
        trouble = gettext("U dërguan shumë mesazhe. Provoni përsëri në orën %(time)s.", time=clock(error.until))
        return _page(order, 429, trouble=trouble)
    return _done(order, "derguar")


@blueprint.post("/<number>/koha")
@staff_only("agent")
def arrange_time(number: str):
    """The time at which the caller is at home (DLV-5)."""
    order = find_order_or_404(number)
    chosen, mark = request.form.get("koha", ""), request.form.get("mark", "")
    try:
        desk_order.arrange(order, Slot.read(chosen), by=actor(), now=shopper().now, mark=mark)
    except ChangedMeanwhile as changed:
        return _page(Order.get_by_id(order.id), 409, changed=changed, chosen=chosen)
    except (NotOffered, TooLate, NotAllowed):
        trouble = gettext("Kjo kohë nuk mund të zgjidhet më. Zgjidhni një tjetër.")
        return _page(Order.get_by_id(order.id), 422, trouble=trouble, chosen=chosen)
    except NotIdentified:
        return _page(order, 409)
    return _done(order, "caktuar")


# Cancelling


@dataclass(frozen=True)
class Returns:
    """What a cancellation gives back: the card's money and what points took off it in minor units, points, bills."""

    card: int
    points: int
    worth: int
    bills: list
    # The pieces are with the courier, and go back on the shelf when they are there.
    awaited: bool
    phone: str


def _returns(dossier: Dossier) -> Returns:
    order, paid = dossier.order, dossier.paid
    points = dossier.points
    live = points is not None and points.state in ("held", "taken")
    new = next((line.msisdn for line in dossier.lines if line.contract_type == "new_number"), "")
    return Returns(
        card=paid.amount if paid is not None else 0,
        points=points.points if live else 0,
        worth=points.worth if live else 0,
        bills=together(line.quote for line in dossier.lines).months,
        awaited=order.state in ("with_courier", "delivery_failed"),
        phone=phone_text(new) if new else "",
    )


@blueprint.route("/<number>/anulo", methods=["GET", "POST"])
@staff_only("agent")
def cancel(number: str):
    """What returns, and why; then it is cancelled."""
    order = find_order_or_404(number)
    dossier = _dossier(order)
    form = ReasonForm()
    if order.state == "cancelled":
        return redirect(url_for(".show", number=order.number), 303)
    if not is_cancellable(order, actor()):
        return _page(order, 409, dossier=dossier, trouble=gettext("Kjo porosi nuk anulohet më."))
    if not dossier.identified:
        return _page(order, 409, dossier=dossier, trouble=gettext("Para anulimit identifikoni klientin."))
    if request.method == "GET":
        return _confirm(dossier, form)
    if not form.validate():
        return _confirm(dossier, form, 422)
    try:
        desk_order.cancel(order, by=actor(), now=shopper().now, mark=form.mark.data or "", why=form.arsyeja.data)
    except ChangedMeanwhile as changed:
        return _confirm(_dossier(Order.get_by_id(order.id)), form, 409, changed=changed)
    except NotAllowed:
        return _page(Order.get_by_id(order.id), 409, trouble=gettext("Kjo porosi nuk anulohet më."))
    except NotIdentified:
        return _page(order, 409, trouble=gettext("Para anulimit identifikoni klientin."))
    return _done(order, "anuluar")


def _confirm(dossier: Dossier, form: ReasonForm, status=200, changed=None):
    form.mark.data = dossier.mark
    return respond(
        "desk/orders/cancel.html",
        status=status,
        order=dossier.order,
        form=form,
        returns=_returns(dossier),
        changed=changed,
    )
