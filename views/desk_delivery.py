"""Dorëzimet: the warehouse packs and hands over, the courier tells how it went at the door (DSK-2, DLV-3, DLV-5).

Every step of many orders is each order's own: what could not be done is said beside its number, the rest is done.
"""

from flask import Blueprint, abort, request, url_for
from flask_babel import gettext, ngettext

import language as languages
from delivery_mails import slot_text
from models.calendar import local_day
from models.delivery import (
    NoAuthorisation,
    NoReason,
    NotOffered,
    NotReceived,
    Slot,
    TooLate,
    arrange,
    deliver,
    fail,
    give_up,
    may_receive,
    times,
)
from models.order import NotAllowed, Order
from models.order_number import MistypedNumber, read_number
from models.stock_return import StockReturn
from models.trail import ChangedMeanwhile, mark_of
from models.warehouse import (
    AT_ONCE,
    SHOWN,
    Counts,
    Told,
    awaited,
    hand_over_all,
    in_state,
    numbers_in,
    pack_all,
    parcel_of,
    timed,
    to_pack,
    tours,
    untimed,
)
from views.documents import MOST
from views.forms.desk_delivery import DeliveredForm, FailedForm, HandoverForm, TimeForm
from views.respond import go, keep_private, respond
from views.shopper import shopper
from views.staff_only import actor, staff_only
from views.templating import state_name

blueprint = Blueprint("desk_delivery", __name__, url_prefix="/desk/depo")
blueprint.after_request(keep_private)

# Whoever works at the door or in the warehouse; an admin besides (views/staff_only.py).
ROLE = "warehouse"


@blueprint.app_template_filter("slot_text")
def slot_in_words(slot: Slot) -> str:
    """ "të martën, 24 nëntor, ora 15–18" """
    return slot_text(slot, languages.current())


def find_order_or_404(number: str) -> Order:
    try:
        return Order.of_number(read_number(number)) or abort(404)
    except MistypedNumber:
        abort(404)


def _respond(page: str, status: int = 200, **context):
    now = shopper().now
    done = request.args.get("u", "")
    return respond(
        f"desk/delivery/{page}.html",
        status=status,
        counts=Counts.now(now),
        now=now,
        today=local_day(now),
        said=_said(done, request.args.get("sa", "")),
        most=SHOWN,
        **context,
    )


def _said(done: str, count: str) -> str:
    """What the last press did, for the page that follows it."""
    number = int(count) if count.isdecimal() and len(count) < 4 else 0
    if done == "paketuar" and number:
        return ngettext("%(num)d porosi u paketua.", "%(num)d porosi u paketuan.", number)
    if done == "dorezuar-korrierit" and number:
        return ngettext("%(num)d porosi iu dha korrierit.", "%(num)d porosi iu dhanë korrierit.", number)
    return {
        "dorezuar": gettext("Dorëzimi u shënua."),
        "pa-dorezuar": gettext("Përpjekja u shënua; klienti njoftohet me e-postë dhe SMS."),
        "koha": gettext("Koha u caktua; klienti njoftohet me e-postë."),
        "kthehet": gettext("Porosia kthehet; pjesët priten në depo."),
        "ne-raft": gettext("Pjesët u kthyen në shitje."),
        "menjane": gettext("Pjesët u vunë mënjanë."),
    }.get(done, "")


# The warehouse


@blueprint.get("")
@staff_only(ROLE)
def board():
    """What is to be picked, by the day it was promised for."""
    return _board()


def _board(status: int = 200, told: list[Told] = ()):
    return _respond("board", status, days=to_pack(), told=_failures(told), done=_done(told))


@blueprint.post("/paketimi")
@staff_only(ROLE)
def pack():
    """One order is packed, or all that are ticked."""
    one = request.form.get("nje")
    chosen = [one] if one else request.form.getlist("porosia")
    pairs = [(number, contents) for number, _, contents in (value.partition(":") for value in chosen)]
    if not pairs:
        return _respond("board", 422, days=to_pack(), told=[], done=[], nothing_chosen=True)
    told = pack_all(pairs, by=actor(), now=shopper().now)
    if _failures(told):
        return _board(422, told)
    return go(url_for(".board", u="paketuar", sa=len(told)))


@blueprint.route("/korrieri", methods=["GET", "POST"])
@staff_only(ROLE)
def hand_over():
    """A batch goes to the courier: numbers are scanned or typed, each is answered."""
    form = HandoverForm()
    if request.method == "GET":
        return _hand_over(form)
    if not form.validate():
        return _hand_over(form, 422)
    typed = numbers_in(form.numrat.data)
    told = hand_over_all(typed, by=actor(), now=shopper().now)
    failed = _failures(told)
    # What was not done stays typed, and what was too much for one go.
    form.numrat.data = "\n".join([row.typed for row in failed] + typed[AT_ONCE:])
    if failed:
        form.numrat.errors = [gettext("Numrat që mbetën nuk iu dhanë korrierit.")]
        return _hand_over(form, 422, told)
    if form.numrat.data or any(row.outcome == "papers" for row in told):
        return _hand_over(form, 200, told)
    return go(url_for(".hand_over", u="dorezuar-korrierit", sa=len(told)))


def _hand_over(form, status: int = 200, told: list[Told] = ()):
    waiting = in_state("packed")
    return _respond(
        "handover",
        status,
        form=form,
        waiting=waiting,
        papers=[parcel.order.number for parcel in waiting][:MOST],
        again=timed(),
        told=_failures(told),
        done=_done(told),
    )


def _failures(told) -> list[Told]:
    return [row for row in told if not row.is_fine]


def _done(told) -> list[Told]:
    return [row for row in told if row.is_fine]


@blueprint.app_template_filter("told_text")
def told_text(told: Told) -> str:
    """What became of one number."""
    match told.outcome:
        case "done":
            return gettext("U bë.")
        case "papers":
            return gettext("U bë. Dokumentet ndryshuan pas paketimit: printojini përsëri para se të niset.")
        case "already":
            return gettext("Ishte bërë më parë.")
        case "mistyped":
            return gettext("Numri është shkruar gabim; skanojeni ose krahasojeni përsëri.")
        case "unknown":
            return gettext("Nuk ka porosi me këtë numër.")
        case "repack":
            return gettext("Ngjyra ndryshoi pas paketimit: paketojeni përsëri.")
        case "not_packed":
            return gettext("Ende nuk është paketuar.")
        case "no_time":
            return gettext("Pas përpjekjes që nuk doli pritet kohë e re.")
        case "changed":
            return gettext("Porosia ndryshoi që kur u hap lista: merrni pjesët e reja.")
    return gettext("Gjendja e saj: %(state)s.", state=state_name(told.outcome))


# The courier


@blueprint.get("/rruga")
@staff_only(ROLE)
def tour():
    """What the courier has, today's times first."""
    return _respond("tour", tours=tours(shopper().now))


@blueprint.get("/perpjekjet")
@staff_only(ROLE)
def attempts():
    """What was not delivered, and waits for a new time or for its day."""
    return _respond("attempts", waiting=untimed(), timed=timed())


@blueprint.get("/porosia/<number>")
@staff_only(ROLE)
def parcel(number: str):
    """One parcel: its contents, who may receive it, and what happened at the door."""
    return _parcel(find_order_or_404(number))


def _parcel(order: Order, status: int = 200, **given):
    order = Order.get_by_id(order.id)
    now, names = shopper().now, may_receive(order)
    slots = times(order, now, actor())
    attempt = parcel_of(order)
    # The form that was posted as it was typed, the others as they begin.
    forms = {
        "delivered": given.get("delivered") or DeliveredForm(names, formdata=None),
        "failed": given.get("failed") or FailedForm(formdata=None),
        "time": given.get("time") or TimeForm(slots, formdata=None),
    }
    return _respond(
        "parcel",
        status,
        parcel=attempt,
        order=order,
        names=names,
        slots=slots,
        trail_mark=mark_of(order),
        awaited=StockReturn.of(order),
        trouble=given.get("trouble", ""),
        **forms,
    )


@blueprint.post("/porosia/<number>/dorezuar")
@staff_only(ROLE)
def delivered(number: str):
    """Who received it, having shown which document (DLV-3)."""
    order = find_order_or_404(number)
    form = DeliveredForm(may_receive(order))
    if not form.validate():
        return _parcel(order, 422, delivered=form)
    try:
        deliver(
            order,
            _attempt(form),
            form.recipient,
            form.dokumenti.data or "",
            authorised=form.authorised,
            by=actor(),
            now=shopper().now,
        )
    except NotReceived as missing:
        if missing.field == "document":
            form.dokumenti.errors = [gettext("Zgjidhni llojin e dokumentit që u tregua.")]
        else:
            form.emri.errors = [gettext("Shkruani emrin dhe mbiemrin e atij që e pranoi.")]
        return _parcel(order, 422, delivered=form)
    except NoAuthorisation:
        form.autorizimi.errors = [gettext("Pa autorizim të rregullt porosia nuk i dorëzohet dikujt tjetër.")]
        return _parcel(order, 422, delivered=form)
    except NotAllowed:
        return _parcel(order, 409, trouble=_went_on(order))
    return go(url_for(".tour", u="dorezuar"))


@blueprint.post("/porosia/<number>/pa-dorezuar")
@staff_only(ROLE)
def failed(number: str):
    """An attempt failed: the customer is told in writing (DLV-5)."""
    order = find_order_or_404(number)
    form = FailedForm()
    if not form.validate():
        return _parcel(order, 422, failed=form)
    try:
        fail(
            order,
            _attempt(form),
            form.arsyeja.data or "",
            form.shenimi.data or "",
            by=actor(),
            now=shopper().now,
        )
    except NoReason:
        if form.arsyeja.data == "other":
            form.shenimi.errors = [gettext("Shkruani me pak fjalë arsyen.")]
        else:
            form.arsyeja.errors = [gettext("Zgjidhni arsyen.")]
        return _parcel(order, 422, failed=form)
    except NotAllowed:
        return _parcel(order, 409, trouble=_went_on(order))
    return go(url_for(".tour", u="pa-dorezuar"))


@blueprint.post("/porosia/<number>/koha")
@staff_only(ROLE)
def arrange_time(number: str):
    """The courier, or who answers the phone, arranges a time (DLV-5)."""
    order = find_order_or_404(number)
    form = TimeForm(times(order, shopper().now, actor()))
    try:
        arrange(order, Slot.read(form.koha.data or ""), by=actor(), now=shopper().now, mark=form.shenja.data or "")
    except NotOffered:
        form.koha.errors = [gettext("Zgjidhni një nga kohët e ofruara.")]
        return _parcel(order, 422, time=form)
    except ChangedMeanwhile:
        return _parcel(order, 409, trouble=gettext("Porosia ndryshoi ndërkohë; shikojeni dhe zgjidhni përsëri."))
    except TooLate:
        return _parcel(order, 409, trouble=gettext("Afati për kohë të re mbaroi: porosia kthehet."))
    except NotAllowed:
        return _parcel(order, 409, trouble=_went_on(order))
    return go(url_for(".parcel", number=order.number, u="koha"))


@blueprint.post("/porosia/<number>/kthehet")
@staff_only(ROLE)
def gives_up(number: str):
    """Nobody will receive it: it returns before its days are over."""
    order = find_order_or_404(number)
    try:
        give_up(order, by=actor(), now=shopper().now)
    except NotAllowed:
        return _parcel(order, 409, trouble=_went_on(order))
    return go(url_for(".returns", u="kthehet"))


def _attempt(form) -> int:
    text = form.perpjekja.data or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


def _went_on(order: Order) -> str:
    state = Order.get_by_id(order.id).state
    return gettext("Asgjë nuk u shënua: gjendja e porosisë është „%(state)s“.", state=state_name(state))


# Back


@blueprint.get("/kthimet")
@staff_only(ROLE)
def returns():
    """Pieces that are awaited, the longest awaited first."""
    return _respond("returns", rows=awaited())


@blueprint.post("/kthimet/<number>")
@staff_only(ROLE)
def arrived(number: str):
    """The pieces are there: into stock, or aside where they cannot be sold (DSK-2)."""
    order = find_order_or_404(number)
    row = StockReturn.of(order) or abort(404)
    condition = request.form.get("gjendja")
    if condition not in ("shitet", "menjane"):
        abort(422)
    row.arrive(by=actor(), sellable=condition == "shitet", now=shopper().now)
    return go(url_for(".returns", u="ne-raft" if condition == "shitet" else "menjane"))
