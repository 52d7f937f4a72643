"""Withdrawals and complaints of the order's shopper, with the files that come along (AFT-3, AFT-4)."""

from flask import Blueprint, abort, request, session
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from models.actor import SHOPPER
from models.attachment import BYTES_MAX, MOST, Attachment, put
from models.claim import AlreadyAsked, Claim, last_day_to_withdraw, withdrawal_of
from models.order import NotAllowed, Order
from models.order_number import MistypedNumber, read_number
from views import errors
from views.attachments import hand_out
from views.forms.claims import ComplaintForm, WithdrawForm, told_too_large
from views.order_changes import to_order
from views.order_page import order_page
from views.orders import find_order_or_refuse, without_token
from views.respond import wants_piece
from views.shopper import shopper

blueprint = Blueprint("claims", __name__)

# The files, and the form around them.
BODY_MAX = MOST * BYTES_MAX + 64 * 1024


@blueprint.url_value_preprocessor
def take_files(endpoint, values):
    """The one form that may be large, for whom the order may belong to; before anything of it is read.

    Whether the order is really theirs is decided by `find_order_or_refuse`; who has neither a login nor an order
    in the session sends as little as to any other page.
    """
    if endpoint == "claims.complain" and request.method == "POST" and values:
        try:
            number = read_number(values["number"])
        except MistypedNumber:
            return
        if number in session.get("orders", []) or "_user_id" in session:
            request.max_content_length = BODY_MAX


@blueprint.errorhandler(RequestEntityTooLarge)
def too_large(error):
    """What was sent was not read: the form is shown anew, and says how large files may be."""
    if request.endpoint != "claims.complain":
        return errors.refuse(error)
    try:
        order = find_order_or_refuse(request.view_args["number"])
    except HTTPException as refused:
        return errors.refuse(refused)
    form = ComplaintForm(formdata=None)
    form.deshmia.errors = [told_too_large()]
    return _complaint_page(order, form, 422 if wants_piece() else 413)


@blueprint.route("/porosia/<number>/terheqja", methods=["GET", "POST"])
def withdraw(number: str):
    """A request to withdraw from the purchase (AFT-3)."""
    order = find_order_or_refuse(number)
    if "k" in request.args and request.method == "GET":
        return without_token()
    form = WithdrawForm().show(order, order.lines())
    if request.method == "GET":
        return _withdraw_page(order, form)
    if not form.has_key:
        abort(422)
    if not form.validate():
        return _withdraw_page(order, form, 422)
    try:
        Claim.open(
            order,
            "withdrawal",
            form.arsyeja.data,
            key=form.celes.data,
            by=SHOPPER,
            now=shopper().now,
            text=form.teksti.data,
            lines=form.lines,
        )
    except NotAllowed as refused:
        return _withdraw_page(Order.get_by_id(order.id), form, 409, refused=refused)
    return to_order(order, u="terheqja")


def _withdraw_page(order: Order, form: WithdrawForm, status: int = 200, refused=None):
    return order_page(
        order,
        "orders/withdraw.html",
        "orders/_withdraw.html",
        status,
        form=form,
        until=last_day_to_withdraw(order, shopper().now),
        asked=isinstance(refused, AlreadyAsked) or withdrawal_of(order) is not None,
    )


@blueprint.route("/porosia/<number>/ankesa", methods=["GET", "POST"])
def complain(number: str):
    """A complaint, with the proof of payment attached (AFT-4)."""
    order = find_order_or_refuse(number)
    if "k" in request.args and request.method == "GET":
        return without_token()
    form = ComplaintForm()
    form.was_paid = order.due_now > 0
    if request.method == "GET":
        return _complaint_page(order, form)
    if not form.has_key:
        abort(422)
    if not form.validate():
        return _complaint_page(order, form, 422)
    # Each file lies there before its row is written: no row is ever without its file.
    papers = [put(name, data) for name, data in form.files]
    try:
        Claim.open(
            order,
            "complaint",
            form.arsyeja.data,
            key=form.celes.data,
            by=SHOPPER,
            now=shopper().now,
            text=form.teksti.data,
            papers=papers,
        )
    except AlreadyAsked:
        return _complaint_page(order, form, 409, asked=True)
    return to_order(order, u="ankesa")


def _complaint_page(order: Order, form: ComplaintForm, status: int = 200, **context):
    return order_page(order, "orders/complain.html", "orders/_complain.html", status, form=form, most=MOST, **context)


@blueprint.get("/porosia/<number>/deshmia/<int:file_id>")
def file(number: str, file_id: int):
    """A file of one of the order's claims, for who may see the order."""
    order = find_order_or_refuse(number)
    if "k" in request.args:
        return without_token()
    found = Attachment.get_or_none(Attachment.id == file_id)
    if found is None or found.claim.order_id != order.id:
        abort(404)
    return hand_out(found)
