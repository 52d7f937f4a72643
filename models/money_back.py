"""What goes back when an order ends, and how far it is: the card's money, points, what was to be billed (PAY-9)."""

from dataclasses import dataclass
from datetime import datetime

from models.bss_event import BssEvent
from models.order import Order
from models.order_points import OrderPoints
from models.payment import Payment, Refund

# What is told of the bill: while the event waits it is due, and what the receiver refused waits for a person.
_TOLD = {"due": "due", "sent": "told", "refused": "refused", "skipped": "refused"}
# Where the points are: come back, or gone with the member's others (CLB-14).
_POINTS = {"returned": "done", "lost": "lost"}


@dataclass(frozen=True)
class Part:
    """One thing that goes back.

    `what` is card, points or bill. `state`: due, done, refused (somebody has to look after it), told (to the
    operator, who undoes it on the bill), lost (points that went with the member's others).
    """

    what: str
    state: str
    # Minor units; of points how many.
    amount: int
    # When it came to this state; None while it is due.
    at: datetime | None = None
    # Why the bank or the billing system refuses, in their words: for who works here, never for shoppers.
    reason: str = ""
    # The number or service whose points or bill it is.
    whose: str = ""
    # The refund, of a card's money.
    refund: int | None = None
    # Whether it is a payment that the order did not need, such as a second one.
    surplus: bool = False


def money_back_of(order: Order, lines=None, refunds=None) -> list[Part]:
    """The order's parts: the card first, then points, then bills; empty where nothing goes back.

    Three queries; fewer with the order's `lines` and `refunds` (oldest first), where they are known already.
    """
    parts = [_of_card(refund) for refund in (_refunds(order) if refunds is None else refunds)]
    if order.state in ("cancelled", "returned"):
        if order.points and (points := OrderPoints.of(order)) is not None and points.state in _POINTS:
            state = _POINTS[points.state]
            parts.append(Part("points", state, points.points, at=points.at, whose=points.service_code))
        parts += _of_bills(order, order.lines() if lines is None else lines)
    return parts


def _refunds(order: Order):
    return Refund.select(Refund, Payment).join(Payment).where(Payment.order == order).order_by(Refund.id)


def _of_card(refund: Refund) -> Part:
    state = "refused" if refund.state != "done" and refund.refused_at else refund.state
    return Part(
        "card",
        state,
        refund.amount,
        at=refund.done_at or refund.refused_at,
        reason=refund.reason,
        refund=refund.id,
        surplus=refund.payment.state == "surplus",
    )


def _of_bills(order: Order, lines) -> list[Part]:
    billed = [line for line in lines if line.quote.first_bill or line.quote.instalments]
    if not billed:
        return []
    kinds = ("order_cancelled", "order_returned")
    event = BssEvent.select().where(BssEvent.subject == order.number, BssEvent.kind.in_(kinds)).first()
    # An order that was cancelled before it was confirmed was told to nobody.
    if event is None or "undo" not in event.payload:
        return []
    state = _TOLD[event.state]
    return [
        Part("bill", state, line.total, at=event.sent_at, reason=event.trouble, whose=line.msisdn) for line in billed
    ]
