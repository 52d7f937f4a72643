"""Kthimet: money that is not back on its card yet, and the button that has the bank asked again (PAY-9)."""

from flask import Blueprint, abort, url_for

from models.payment import Refund
from views.respond import go, keep_private, respond
from views.shopper import shopper
from views.staff_only import actor, staff_only

blueprint = Blueprint("desk_refunds", __name__, url_prefix="/desk/kthimet")
blueprint.after_request(keep_private)

# So many are listed; there are never so many but when the bank is away for long, and then the oldest count.
MOST = 100


@blueprint.get("")
@staff_only("agent")
def board():
    """All refunds that are open, the oldest first, and why."""
    refunds = list(Refund.open().limit(MOST + 1))
    return respond(
        "desk/refunds.html",
        "desk/_refunds.html",
        refunds=refunds[:MOST],
        more=len(refunds) > MOST,
        now=shopper().now,
    )


@blueprint.post("/<int:refund>/provo")
@staff_only("agent")
def retry(refund: int):
    """Ask the bank again soon; pressed twice it is one entry in the trail."""
    try:
        Refund.try_soon(refund, by=actor(), now=shopper().now)
    except Refund.DoesNotExist:
        abort(404)
    return go(url_for(".board"))
