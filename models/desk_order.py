"""What an agent does to an order for whoever calls: once the caller is identified (AFT-1, AFT-2, DLV-5, DSK-1)."""

import crash
from models import cancellation, delivery, order_change
from models.actor import Actor
from models.allowance import Allowance
from models.base import db
from models.delivery import ArrangedTime, Slot
from models.identification import Identification
from models.order import Order
from models.order_change import Wanted
from models.outbox import Mail
from models.security_code import HOUR
from models.sms import Sms
from models.trail import record, refuse_changed

# Messages of one order that are sent again within an hour.
MOST_RESENT = 10
# Between the key of the first message and the form's: those of one reason are found by the beginning of their keys.
AGAIN = ":again:"


class NotResendable(Exception):
    """A code is never sent again, nor what is on its way or means nothing any more."""


class TooManyResent(Exception):
    """Enough of this order was sent again; again from `until` on."""

    def __init__(self, until):
        super().__init__("too many messages")
        self.until = until


def change(order: Order, wanted: Wanted, *, by: Actor, now, mark: str, why: str) -> Order:
    """As `order_change.change`, for an identified caller; raises NotIdentified beside its errors."""
    with db.atomic():
        order = _held(order, by, now, mark)
        changed = order_change.change(order, wanted, by=by, now=now, why=why)
        crash.at("desk: changed")
    return changed


def cancel(order: Order, *, by: Actor, now, mark: str, why: str) -> Order:
    """As `cancellation.cancel`, for an identified caller; raises NotIdentified beside its errors."""
    with db.atomic():
        order = order.relock()
        if order.state == "cancelled":
            return order
        order = _held(order, by, now, mark)
        cancelled = cancellation.cancel(order, by=by, now=now, why=why)
        crash.at("desk: cancelled")
    return cancelled


def arrange(order: Order, slot: Slot, *, by: Actor, now, mark: str) -> ArrangedTime:
    """As `delivery.arrange`, for an identified caller; raises NotIdentified beside its errors."""
    with db.atomic():
        order = order.relock()
        Identification.require(order, by, now)
        return delivery.arrange(order, slot, by=by, now=now, mark=mark)


def _held(order: Order, by: Actor, now, mark: str) -> Order:
    order = order.relock()
    Identification.require(order, by, now)
    refuse_changed(order, mark)
    return order


def is_resendable(message: "Mail | Sms", order: Order, now) -> bool:
    """Whether the message may go out once more: not a code, not one on its way, nor an invitation to pay what is
    not payable."""
    if message.state not in ("sent", "handed", "failed"):
        return False
    if isinstance(message, Sms) and (message.code_id is not None or message.kind.endswith("_code")):
        return False
    if message.kind == "pay_link":
        return not message.is_too_late(now)
    return message.kind != "payment_failed" or order.is_payable(now)


def resend(order: Order, message: "Mail | Sms", *, by: Actor, now, key: str) -> bool:
    """Write the message anew, to where the first one went; false when the form with `key` was sent before.

    `message` is one of the order's. Raises NotResendable, TooManyResent.
    """
    with db.atomic():
        order = order.relock()
        kind = type(message)
        key = f"{message.key.partition(AGAIN)[0]}{AGAIN}{key}"
        if kind.select().where(kind.key == key).exists():
            return False
        if not is_resendable(message, order, now):
            raise NotResendable(message.kind)
        limit = f"resend:{order.id}"
        if not Allowance.take(limit, most=MOST_RESENT, within=HOUR, now=now):
            raise TooManyResent(Allowance.free_at(limit, most=MOST_RESENT, within=HOUR, now=now))
        if kind is Mail:
            Mail.write_to(
                message.recipient,
                message.kind,
                now,
                key=key,
                language=message.language,
                order=order,
                profile=message.profile_id,
                data=message.data,
            )
        else:
            Sms.write(
                message.kind,
                message.recipient,
                message.language,
                now,
                key=key,
                data=message.data,
                until=None,
            )
        crash.at("desk: message written")
        record(by, "resent", now, order=order, after={"message": kind.what, "kind": message.kind})
        return True
