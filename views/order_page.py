"""The order's page with all that its shopper can do there; views/orders.py says who may see it."""

from itertools import groupby

from models.actor import SHOPPER
from models.attachment import Attachment
from models.cancellation import is_cancellable
from models.claim import Claim, last_day_to_withdraw
from models.delivery import arranged, deadline, times
from models.order import Order
from models.order_points import OrderPoints
from models.payment import Payment, Refund
from models.quote import together
from models.trail import mark_of, trail_of
from views.forms.claims import ABOUT
from views.forms.order_changes import CancelForm, ChangeForms, TimeForm
from views.order_story import short_day, slot_text, story
from views.respond import keep_private, respond
from views.shopper import shopper


def is_mine(order: Order) -> bool:
    profile = shopper().profile
    return profile is not None and order.profile_id == profile.id


def order_page(order: Order, page="orders/page.html", piece=None, status=200, *, forms=None, **context):
    """Render `page` of the order, or its `piece` for htmx; never kept by a cache."""
    lines = order.lines()
    response = respond(
        page,
        piece,
        status,
        order=order,
        lines=lines,
        is_mine=is_mine(order),
        now=shopper().now,
        **(_whole(order, lines, forms) if page == "orders/page.html" else {}),
        **context,
    )
    return keep_private(response)


def _whole(order: Order, lines, forms) -> dict:
    now = shopper().now
    claims = Claim.of(order)
    for claim in claims:
        claim.order = order
    return {
        "due": together(line.quote for line in lines),
        # Where the order's points are by now (PAY-9).
        "points_state": OrderPoints.of(order).state if order.points else None,
        "story": story(trail_of(order)),
        "payable": order.is_payable(now),
        "forms": forms or ChangeForms(order, lines),
        "trail_mark": mark_of(order),
        "cancellable": is_cancellable(order, SHOPPER),
        "cancel_form": CancelForm(formdata=None),
        "refunds": refunds_of(order),
        "claims": claims,
        "files": Attachment.of(claims),
        "about": ABOUT,
        "withdraw_until": None if any(_stands(claim) for claim in claims) else last_day_to_withdraw(order, now),
        **(time_context(order, time_form(order)) if order.state in ("delivery_failed", "with_courier") else {}),
    }


def time_form(order: Order) -> TimeForm:
    """The form of a new time, which shows the one that is arranged."""
    form = TimeForm(formdata=None)
    known = arranged(order)
    if known is not None:
        form.koha.data = known.slot.code
    return form


def time_context(order: Order, form: TimeForm) -> dict:
    """What the form of a new time shows: the times that are offered, by day, and until when to choose (DLV-5)."""
    slots = times(order, shopper().now)
    return {
        "time_form": form,
        "days": [(short_day(day), list(of_day)) for day, of_day in groupby(slots, key=lambda slot: slot.day)],
        "arranged": arranged(order),
        "arrange_until": deadline(order),
        "trail_mark": mark_of(order),
        "slot_text": slot_text,
    }


def _stands(claim: Claim) -> bool:
    """Whether the claim is a withdrawal that was not refused: then no other may be asked for."""
    return claim.kind == "withdrawal" and claim.state != "refused"


def refunds_of(order: Order) -> list[Refund]:
    """What goes, or went, back to the card for the order."""
    return list(Refund.select().join(Payment).where(Payment.order == order).order_by(Refund.id))
