"""An order's papers as PDF: for its shopper, for agents and warehouse, and many at once for the printer (DLV-4)."""

from dataclasses import dataclass

from flask import Blueprint, abort, make_response, request, url_for
from flask_babel import gettext

from documents.gift_card import GiftCard
from models.document import Document, Wanted, draw_together, due, papers
from models.identification import Identification
from models.order import Order
from models.order_number import MistypedNumber, read_number
from views.orders import find_order_or_refuse, without_token
from views.respond import keep_private, respond
from views.shopper import shopper
from views.staff_only import actor, staff, staff_only
from views.templating import phone_text

blueprint = Blueprint("documents", __name__)
desk = Blueprint("desk_documents", __name__, url_prefix="/desk")
for _papers in (blueprint, desk):
    # A refusal, too, is kept by nobody.
    _papers.after_request(keep_private)

# The paper's kind as the address has it; a number behind it says which contract or refund.
SLUGS = {"confirmation": "konfirmimi", "contract": "kontrata", "receipt": "pranimi", "refund": "kthimi"}
# Before packing these are only announced to the shopper.
AT_THE_DOOR = frozenset({"contract", "receipt"})
# So many orders are printed at once.
MOST = 50


@blueprint.get("/porosia/<number>/dokumentet/<name>.pdf")
def show(number: str, name: str):
    """A paper of the shopper's own order."""
    order = find_order_or_refuse(number)
    if "k" in request.args:
        return without_token()
    wanted = _wanted_or_404(order, name)
    if not _is_for_shopper(order, wanted):
        abort(404)
    return _answer(order, wanted, name)


@desk.get("/porosite/<number>/dokumentet/<name>.pdf")
@staff_only("agent", "warehouse")
def of_order(number: str, name: str):
    """A paper of any order; `?botimi=2` for the issue of that number, else the latest.

    An agent opens it while the caller is identified, as everything personal of an order (PRV-1).
    """
    order = _order_or_404(number)
    issue = request.args.get("botimi", "")
    if issue and not (issue.isascii() and issue.isdigit() and len(issue) <= 4):
        abort(404)
    wanted = _wanted_or_404(order, name)
    if staff().role == "agent" and Identification.live(order, actor(), shopper().now) is None:
        return respond("desk/unidentified.html", status=409, order=order)
    return _answer(order, wanted, name, int(issue) if issue else None)


@desk.get("/dokumentet.pdf")
@staff_only("warehouse")
def together():
    """What goes into the parcels of the orders `?numri=…&numri=…`, in that order, as one PDF for the printer."""
    numbers = list(dict.fromkeys(request.args.getlist("numri")))
    if not numbers or len(numbers) > MOST:
        abort(400)
    now = shopper().now
    # One that was cancelled since the list was made has nothing to be printed.
    found = [paper for order in map(_order_or_404, numbers) for paper in _for_parcel(order, now)]
    if not found:
        abort(404)
    return _pdf(draw_together(found, now), "dokumentet")


def _for_parcel(order: Order, now) -> list:
    """The order's papers, and the card of a gift on top of them, which says nothing of prices."""
    found = Document.for_parcel(order, now)
    return [GiftCard.of(order, now), *found] if found and order.gift_note else found


def _order_or_404(number: str) -> Order:
    try:
        return Order.of_number(read_number(number)) or abort(404)
    except MistypedNumber:
        abort(404)


def _wanted_or_404(order: Order, name: str) -> Wanted:
    return names(due(order)).get(name) or abort(404)


def _answer(order: Order, wanted: Wanted, name: str, issue: int | None = None):
    try:
        document = Document.find(order, wanted, shopper().now, issue)
    except LookupError:
        abort(404)
    return _pdf(document.draw(), f"{order.number}-{name}")


def _pdf(data: bytes, name: str):
    response = make_response(data)
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return keep_private(response)


def _is_for_shopper(order: Order, wanted: Wanted) -> bool:
    """Contract and receipt form are there once they are in the parcel; the desk may print them before."""
    return wanted.kind not in AT_THE_DOOR or order.state != "confirmed"


# Lists of papers, for the pages


@dataclass(frozen=True)
class Paper:
    """An entry: its name, a line below it, and the address, or "" while it is only announced."""

    name: str
    note: str
    url: str
    # The addresses of earlier issues, with their numbers; for the desk.
    earlier: tuple[tuple[int, str], ...] = ()


def names(found: list[Wanted]) -> dict[str, Wanted]:
    """An order's papers by their names in addresses: "konfirmimi", "kontrata-2", of refunds the first "kthimi-1"."""
    named, refunds = {}, 0
    for wanted in found:
        refunds += wanted.kind == "refund"
        number = refunds if wanted.kind == "refund" else wanted.about
        named[f"{SLUGS[wanted.kind]}-{number}" if number else SLUGS[wanted.kind]] = wanted
    return named


def shopper_papers(order: Order, lines=None, refunds=None) -> list[Paper]:
    """What stands in the box of the order's page; what comes with the parcel is announced before it can be opened.

    `lines` and `refunds`: the order's, where the page has them already.
    """
    lines = order.lines() if lines is None else lines
    found, numbers = [], _numbers(lines)
    for name, wanted in names(_announced(order, lines, refunds)).items():
        url = ""
        if order.state != "awaiting_payment" and _is_for_shopper(order, wanted):
            url = url_for("documents.show", number=order.number, name=name)
        found.append(Paper(_title(wanted, numbers), _note(wanted, numbers), url))
    return found


def desk_papers(order: Order) -> list[Paper]:
    """All papers of the order with all their issues; three queries."""
    issued, lines = Document.of(order), order.lines()
    found, numbers = [], _numbers(lines)
    for name, wanted in names(due(order, lines)).items():
        values = {"number": order.number, "name": name}
        issues = [one for one in issued if (one.kind, one.about) == (wanted.kind, wanted.about)]
        note = gettext("Botimi %(num)d", num=issues[0].issue) if len(issues) > 1 else _note(wanted, numbers)
        earlier = tuple(
            (one.issue, url_for("desk_documents.of_order", **values, botimi=one.issue)) for one in issues[1:]
        )
        found.append(Paper(_title(wanted, numbers), note, url_for("desk_documents.of_order", **values), earlier))
    return found


def print_url(numbers) -> str:
    """Where the papers for the parcels of these orders are printed at once, at most MOST; "" for who may not."""
    if staff().role not in together.roles:
        return ""
    return url_for("desk_documents.together", numri=list(numbers))


def _announced(order: Order, lines, refunds) -> list[Wanted]:
    """Of an order that waits for its payment, what will come with it."""
    if order.state == "awaiting_payment":
        return [paper for paper in papers(order, lines) if paper.kind in AT_THE_DOOR]
    return due(order, lines, refunds)


def _numbers(lines) -> dict[int, tuple[str, str]]:
    return {line.position + 1: (line.contract_type, line.msisdn) for line in lines if line.is_contract}


def _title(wanted: Wanted, numbers) -> str:
    match wanted.kind:
        case "confirmation":
            return gettext("Konfirmimi i porosisë")
        case "receipt":
            return gettext("Formulari i pranimit")
        case "refund":
            return gettext("Vërtetim për kthimin e parave")
    besnik = numbers[wanted.about][0] == "besnik24"
    return gettext("Kontrata Besnik 24") if besnik else gettext("Kontrata për numër të ri")


def _note(wanted: Wanted, numbers) -> str:
    match wanted.kind:
        case "receipt":
            return gettext("e nënshkruan kush e merr dërgesën")
        case "contract":
            return gettext("%(number)s, nënshkruhet te dorëzimi", number=phone_text(numbers[wanted.about][1]))
    return "PDF"


def register(app) -> None:
    """`shopper_papers(order)`, `desk_papers(order)` and `print_url(numbers)` for templates."""
    app.jinja_env.globals.update(shopper_papers=shopper_papers, desk_papers=desk_papers, print_url=print_url)
