"""Ankesat: what shoppers complain of and ask to give back, answered before its time is over (AFT-3, AFT-4)."""

from flask import Blueprint, abort, redirect, request, url_for
from flask_babel import gettext

from models.attachment import Attachment
from models.claim import AlreadyAnswered, AlreadyAsked, Claim
from models.desk_claims import Board, answer, decide
from models.order import NotAllowed
from models.trail import ChangedMeanwhile, mark_of
from views.attachments import hand_out
from views.desk_orders import find_order_or_404
from views.forms.desk_claims import AnswerForm, ComplaintForm, DecideForm
from views.respond import go, keep_private, respond
from views.shopper import shopper
from views.staff_only import actor, staff_only

blueprint = Blueprint("desk_claims", __name__, url_prefix="/desk/ankesat")
blueprint.after_request(keep_private)


def find_claim_or_404(number: int) -> Claim:
    return Claim.of_id(number) or abort(404)


@blueprint.get("")
@staff_only("agent")
def board():
    """What waits, the first to run out on top; then what was answered last."""
    page = request.args.get("faqe", "")
    now = shopper().now
    return respond(
        "desk/claims/board.html", board=Board(int(page) if page.isdecimal() and len(page) < 6 else 1), now=now
    )


@blueprint.route("/<int:number>", methods=["GET", "POST"])
@staff_only("agent")
def show(number: int):
    """One claim with its files, and its answer."""
    if number > 2**31 - 1:
        abort(404)
    claim = find_claim_or_404(number)
    form = _form(claim)
    if request.method == "GET":
        return _page(claim, form)
    if not form.validate():
        return _page(claim, form, 422)
    now = shopper().now
    try:
        if claim.kind == "complaint":
            answer(claim, form.pergjigja.data, by=actor(), now=now, mark=form.mark.data or "")
        else:
            accept = form.vendimi.data == "prano"
            decide(claim, accept, why=form.pergjigja.data, by=actor(), now=now, mark=form.mark.data or "")
    except AlreadyAnswered as error:
        if error.claim.reply == form.pergjigja.data and error.claim.answered_by == actor().name:
            # The same form, sent twice.
            return _done(claim)
        return _page(
            find_claim_or_404(number), form, 409, trouble=gettext("Dikush u përgjigj ndërkohë. Ja përgjigjja e tij.")
        )
    except ChangedMeanwhile as changed:
        return _page(find_claim_or_404(number), form, 409, changed=changed)
    except NotAllowed:
        return _page(
            find_claim_or_404(number), form, 409, trouble=gettext("Kjo nuk bëhet më në gjendjen e porosisë.")
        )
    return _done(claim)


def _done(claim: Claim):
    return go(url_for(".show", number=claim.id, u="pergjigjur"))


def _form(claim: Claim):
    return AnswerForm() if claim.kind == "complaint" else DecideForm()


def _page(claim: Claim, form, status=200, trouble="", changed=None):
    form.mark.data = mark_of(claim.order)
    return respond(
        "desk/claims/page.html",
        status=status,
        claim=claim,
        order=claim.order,
        lines=claim.lines_of(),
        files=Attachment.of([claim])[claim.id],
        form=form,
        trouble=trouble,
        changed=changed,
        done=request.args.get("u") == "pergjigjur" and request.method == "GET",
        now=shopper().now,
    )


@blueprint.get("/<int:number>/deshmia/<int:file>")
@staff_only("agent")
def proof(number: int, file: int):
    """A file that the shopper attached."""
    if max(number, file) > 2**31 - 1:
        abort(404)
    found = Attachment.get_or_none(Attachment.id == file, Attachment.claim == number)
    return hand_out(found) if found is not None else abort(404)


@blueprint.route("/e-re/<order>", methods=["GET", "POST"])
@staff_only("agent")
def write_down(order: str):
    """A complaint made by phone, written down by the agent."""
    found = find_order_or_404(order)
    form = ComplaintForm()
    if request.method == "GET":
        return respond("desk/claims/new.html", order=found, form=form)
    if not form.validate():
        return respond("desk/claims/new.html", status=422, order=found, form=form)
    try:
        claim = Claim.open(
            found,
            "complaint",
            form.per.data,
            key=form.celesi.data,
            by=actor(),
            now=shopper().now,
            text=form.teksti.data,
        )
    except AlreadyAsked:
        form.per.errors = [gettext("Kjo porosi ka tashmë ankesa që presin përgjigje.")]
        return respond("desk/claims/new.html", status=409, order=found, form=form)
    return redirect(url_for(".show", number=claim.id), 303)
