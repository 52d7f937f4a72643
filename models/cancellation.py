"""Cancelling an order before it is delivered, once, with all that returns (AFT-2, PAY-9)."""

from peewee import CharField, ForeignKeyField, TextField

from models.actor import Actor
from models.base import BaseModel, MomentField, db
from models.order import NotAllowed, Order
from models.order_change import CHANGEABLE
from models.outbox import Mail
from models.stock_return import StockReturn
from models.trail import record, refuse_changed

# Who works at the desk may cancel until delivery, a shopper until dispatch.
CANCELLABLE = CHANGEABLE | {"with_courier", "delivery_failed"}


class Cancellation(BaseModel):
    """That an order was cancelled, by whom and why."""

    order = ForeignKeyField(Order, unique=True, on_delete="RESTRICT")
    at = MomentField()
    role = CharField(max_length=10)
    why = TextField(default="")

    @classmethod
    def of(cls, order: Order) -> "Cancellation | None":
        return cls.get_or_none(cls.order == order)


def is_cancellable(order: Order, by: Actor) -> bool:
    """Whether `by` may cancel the order in the state it is in (AFT-2)."""
    return order.state in (CHANGEABLE if by.role == "shopper" else CANCELLABLE)


def cancel(order: Order, *, by: Actor, now, mark: str | None = None, why: str = "") -> Order:
    """Cancel the order: pieces, numbers, points and money go back, each once; returns the order as it is now.

    Pieces that are with the courier are awaited (`StockReturn`). An order that is cancelled already stays as it is.
    Raises NotAllowed, and ChangedMeanwhile when the trail went on after `mark`.
    """
    with db.atomic():
        order = order.relock()
        if order.state == "cancelled":
            return order
        if not is_cancellable(order, by):
            raise NotAllowed(f"{order.number} is {order.state}")
        if mark is not None:
            refuse_changed(order, mark)
        if order.state in CHANGEABLE:
            # Stock before the member whose points return, as placing an order takes them.
            order.give_back_stock()
        else:
            StockReturn.expect(order, now)
        order.move("cancelled", by=by, now=now, why=why)
        Cancellation.create(order=order, at=now, role=by.role, why=why)
        record(by, "cancelled", now, order=order, why=why)
        Mail.write("order_cancelled", order, now, key=f"order_cancelled:{order.number}")
    return order
