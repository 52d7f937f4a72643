"""What the mails after an order say: changes, cancellations and claims; mails.py writes them out (AFT-1…4)."""

from contextlib import suppress

from models.attachment import Attachment
from models.calendar import wish_hours
from models.claim import Claim
from models.order import Order
from models.order_points import OrderPoints
from models.outbox import Mail
from models.payment import Payment, Refund
from models.places import municipality_of, place_of
from models.trail import AuditEntry

# What of a change is told; the place is told with its postal code.
_TOLD = ("street", "postal_code", "municipality", "phone", "note", "gift_note", "wish")


def context(mail: Mail, language: str, root: str) -> dict:
    """What the templates of mail/<kind>/ are given beside the order; `root` is the shop's address in the language."""
    given = {"has_order_link": True, "shops_url": f"{root}/dyqanet"}
    return given | _CONTEXTS[mail.kind](mail, language)


def _changed(mail: Mail, language: str) -> dict:
    entry = AuditEntry.get_by_id(mail.data["entry"])
    changes = [
        (name, _shown(name, entry.before.get(name, ""), language), _shown(name, entry.after[name], language))
        for name in _TOLD
        if name in entry.after
    ]
    lines = {f"colour:{line.position + 1}": line for line in mail.order.lines()}
    changes += [
        (lines[name].title(language), entry.before[name].get(language, ""), after.get(language, ""))
        for name, after in entry.after.items()
        if name in lines
    ]
    return {"changes": changes, "by_shopper": entry.role == "shopper"}


def _shown(name: str, value: str, language: str) -> str:
    with suppress(KeyError):
        if name == "postal_code" and value:
            return f"{value} {place_of(value).name(language)}"
        if name == "municipality" and value:
            return municipality_of(value).name(language)
    return wish_hours(value) if name == "wish" else value


def _cancelled(mail: Mail, language: str) -> dict:
    return {"refund": _refund(mail.order), "points_state": _points_state(mail.order)}


def _claim(mail: Mail, language: str) -> dict:
    claim = Claim.get_by_id(mail.data["claim"])
    claim.order = mail.order
    return {
        "claim": claim,
        "claimed": [line.title(language) for line in claim.lines_of()],
        "files": [file.name for file in Attachment.of([claim])[claim.id]],
        "paragraphs": claim.reply.splitlines(),
    }


def _money_back(mail: Mail, language: str) -> dict:
    # Of an order that was not sent back whole, only what was.
    claim = Claim.returned_of(mail.order) if mail.order.state == "delivered" else None
    return {
        "back": Refund.get_by_id(mail.data["refund"]).amount,
        "claimed": [line.title(language) for line in claim.lines_of()] if claim else [],
    }


def _refund(order: Order) -> int:
    """What goes back to the card, in minor units; 0 where it paid nothing."""
    refund = Refund.select(Refund.amount).join(Payment).where(Payment.order == order).first()
    return refund.amount if refund else 0


def _points_state(order: Order) -> str | None:
    return OrderPoints.of(order).state if order.points else None


_CONTEXTS = {
    "order_changed": _changed,
    "order_cancelled": _cancelled,
    "claim_received": _claim,
    "claim_answered": _claim,
    "money_back": _money_back,
}
