"""Pieces that left the house and are to come back: into stock, or aside where they cannot be sold (DSK-2)."""

from peewee import BooleanField, CharField, ForeignKeyField

from models.actor import Actor
from models.base import BaseModel, MomentField, db, locked
from models.order import Order
from models.trail import record


class StockReturn(BaseModel):
    """The pieces of one order on their way back."""

    order = ForeignKeyField(Order, unique=True, on_delete="RESTRICT")
    expected_since = MomentField()
    arrived_at = MomentField(null=True)
    # Whether they went back on the shelf; null until they are there.
    sellable = BooleanField(null=True)
    who = CharField(max_length=254, default="")

    @classmethod
    def expect(cls, order: Order, now) -> "StockReturn":
        """The order's pieces are awaited; once, however often it is said. Call it in the transaction that ends it."""
        cls.insert(order=order, expected_since=now).on_conflict_ignore().execute()
        return cls.get(cls.order == order)

    @classmethod
    def of(cls, order: Order) -> "StockReturn | None":
        return cls.get_or_none(cls.order == order)

    @classmethod
    def awaited(cls):
        """Those that are not there yet, the longest awaited first, with their orders."""
        return cls.select(cls, Order).join(Order).where(cls.arrived_at.is_null()).order_by(cls.expected_since, cls.id)

    def arrive(self, *, by: Actor, sellable: bool, now) -> bool:
        """The pieces are there; sellable ones go back into stock, once. False when they had arrived before.

        Of an accepted withdrawal they are those of its lines, and the money goes back with them (AFT-3).
        """
        from models.claim import Claim

        with db.atomic():
            order = self.order.relock()
            fresh = locked(StockReturn.select().where(StockReturn.id == self.id)).get()
            if fresh.arrived_at is not None:
                return False
            claim = Claim.awaited_of(order)
            if sellable:
                order.give_back_stock(claim and claim.lines)
            StockReturn.update(arrived_at=now, sellable=sellable, who=by.name).where(
                StockReturn.id == self.id
            ).execute()
            record(by, "pieces_back", now, order=order, after={"sellable": sellable})
            if claim is not None:
                # After the stock: the member whose points return is held last.
                claim.came_back(order, by=by, now=now)
        return True
