"""What a shopper changes on the order's page: address, phone, note, colours, the whole order, the new time (AFT-1,
AFT-2, DLV-5)."""

from flask import Blueprint, abort, redirect, request, url_for
from flask_babel import gettext

from models.actor import SHOPPER
from models.cancellation import cancel as cancel_order
from models.cancellation import is_cancellable
from models.delivery import NotOffered, TooLate, arrange
from models.order import NotAllowed, Order, OutOfStock
from models.order_change import AlreadyPacked, TooOften
from models.order_change import change as change_order
from models.quote import together
from models.trail import ChangedMeanwhile, mark_of
from views.forms.order_changes import CancelForm, ChangeForms, TimeForm
from views.order_page import order_page, time_context, time_form
from views.order_story import story
from views.orders import find_order_or_refuse
from views.respond import go
from views.shopper import shopper

blueprint = Blueprint("order_changes", __name__)

PIECE = "orders/_changes.html"


def to_order(order: Order, **told):
    """Back to the order's page, which says what was done."""
    return go(url_for("orders.show", number=order.number, **told))


@blueprint.route("/porosia/<number>/ndrysho", methods=["GET", "POST"])
def change(number: str):
    """One of the forms of the order's page (AFT-1); an address that is opened by itself leads back there."""
    order = find_order_or_refuse(number)
    if request.method == "GET":
        return redirect(url_for("orders.show", number=order.number, _anchor="ndryshimet"), 303)
    forms = ChangeForms(order, order.lines(), request.form)
    if forms.address is None:
        return _gone(order)
    form = forms.sent
    if form is None:
        abort(422)
    if not form.validate():
        return order_page(order, piece=PIECE, status=422, forms=forms)
    try:
        change_order(order, form.wanted(order), by=SHOPPER, now=shopper().now, mark=request.form.get("shenja", ""))
    except ChangedMeanwhile as changed:
        fresh = Order.get_by_id(order.id)
        forms = ChangeForms(fresh, fresh.lines(), request.form)
        return order_page(fresh, piece=PIECE, status=409, forms=forms, meanwhile=story(changed.steps))
    except OutOfStock:
        fresh = Order.get_by_id(order.id)
        forms = ChangeForms(fresh, fresh.lines(), request.form)
        forms.sent.ngjyra.errors = [gettext("Kjo ngjyrë mbaroi ndërkohë. Zgjidhni një tjetër.")]
        return order_page(fresh, piece=PIECE, status=422, forms=forms)
    except AlreadyPacked:
        fresh = Order.get_by_id(order.id)
        forms = ChangeForms(fresh, fresh.lines(), request.form)
        if forms.sent is None:
            return _gone(fresh)
        forms.sent.gift_note.errors = [gettext("Porosia është paketuar tashmë: kartolina mbetet siç është.")]
        return order_page(fresh, piece=PIECE, status=422, forms=forms)
    except TooOften:
        forms = ChangeForms(order, order.lines(), request.form)
        return order_page(order, piece=PIECE, status=409, forms=forms, too_often=True)
    except NotAllowed:
        return _gone(Order.get_by_id(order.id))
    return to_order(order, u="ndryshuar")


def _gone(order: Order):
    """The order went on while its form was open: nothing may be changed any more."""
    return order_page(order, piece=PIECE, status=409, too_late=True)


@blueprint.route("/porosia/<number>/anulo", methods=["GET", "POST"])
def cancel(number: str):
    """What returns and when, and then the cancelling itself (AFT-2)."""
    order = find_order_or_refuse(number)
    form = CancelForm()
    if order.state == "cancelled":
        return to_order(order)
    if request.method == "GET":
        return _cancel_page(order, form)
    if not form.validate():
        return _cancel_page(order, form, 422)
    try:
        cancel_order(order, by=SHOPPER, now=shopper().now, mark=form.shenja.data or "", why=form.arsyeja.data)
    except ChangedMeanwhile as changed:
        return _cancel_page(Order.get_by_id(order.id), form, 409, meanwhile=story(changed.steps))
    except NotAllowed:
        return _cancel_page(Order.get_by_id(order.id), form, 409)
    return to_order(order, u="anuluar")


def _cancel_page(order: Order, form: CancelForm, status: int = 200, **context):
    return order_page(
        order,
        "orders/cancel.html",
        "orders/_cancel.html",
        status,
        cancel_form=form,
        trail_mark=mark_of(order),
        cancellable=is_cancellable(order, SHOPPER),
        due=together(line.quote for line in order.lines()),
        **context,
    )


@blueprint.route("/porosia/<number>/koha", methods=["GET", "POST"])
def time(number: str):
    """A new time after an attempt that failed (DLV-5)."""
    order = find_order_or_refuse(number)
    form = TimeForm()
    if request.method == "GET":
        return _time_page(order, time_form(order))
    if not form.validate():
        return _time_page(order, form, 422)
    try:
        arrange(order, form.slot, by=SHOPPER, now=shopper().now, mark=form.shenja.data or "")
    except NotOffered:
        form.koha.errors = [gettext("Kjo kohë nuk ofrohet më. Zgjidhni një tjetër.")]
        return _time_page(order, form, 422)
    except ChangedMeanwhile as changed:
        return _time_page(Order.get_by_id(order.id), form, 409, meanwhile=story(changed.steps))
    except (NotAllowed, TooLate):
        return _time_page(Order.get_by_id(order.id), form, 409)
    return to_order(order, u="koha")


def _time_page(order: Order, form: TimeForm, status: int = 200, **context):
    return order_page(order, "orders/time.html", "orders/_time.html", status, **time_context(order, form), **context)
