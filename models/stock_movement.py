"""Pieces that come and go other than by orders: always so many more or fewer, and why (DSK-4).

Nobody types how many there are: an order may take one meanwhile.
"""

from peewee import CharField, Check, IntegerField

from models.actor import Actor
from models.base import BaseModel, MomentField, db, utcnow
from models.catalogue import Gift, Variant
from models.club_offer import ClubGift
from models.shelf import relist
from models.trail import record

REASONS = ("delivery", "count", "damage", "correction", "other")
# The most that can be there, and be moved at once.
MOST = 1_000_000


class TooFew(ValueError):
    """So many are not there; `stock` is how many are."""

    def __init__(self, stock: int):
        super().__init__(f"there are {stock}")
        self.stock = stock


class TooMany(ValueError):
    """More than a shop can have."""


class StockMovement(BaseModel):
    """So many pieces more or fewer of a variant, a device's gift, or a gift of the club. Triggers refuse changes."""

    # The form's: sent twice it is one movement.
    key = CharField(unique=True, max_length=40)
    at = MomentField()
    # As `subject_of` names it; no key into another table, for a gift may go and its history stays.
    what = CharField(max_length=140, index=True)
    change = IntegerField(constraints=[Check("change <> 0")])
    reason = CharField(max_length=12, constraints=[Check(f"reason IN {REASONS!r}")])
    note = CharField(max_length=200, default="")
    # How many there were then.
    stock = IntegerField(constraints=[Check("stock >= 0")])
    role = CharField(max_length=10)
    who = CharField(max_length=254)

    @classmethod
    def move(cls, kept, change: int, reason: str, *, by: Actor, now, key: str, note: str = "") -> "StockMovement":
        """Move `change` pieces (fewer: below zero) of `kept`: a Variant, a Gift or a ClubGift.

        A `key` that was sent before is that movement. Raises TooFew, TooMany, and ValueError for no reason.
        """
        if reason not in REASONS or not change or abs(change) > MOST:
            raise ValueError((change, reason))
        table = type(kept)
        with db.atomic():
            known = cls.get_or_none(cls.key == key)
            if known is not None:
                return known
            # One guarded statement: whatever an order takes at the same moment, it never falls below zero.
            moved = (
                table.update(stock=table.stock + change)
                .where(table.id == kept.id, table.stock + change >= 0, table.stock + change <= MOST)
                .execute()
            )
            # The row is held now: of two with one key the second finds the first's.
            known = cls.get_or_none(cls.key == key)
            if known is not None:
                if moved:
                    table.update(stock=table.stock - change).where(table.id == kept.id).execute()
                return known
            stock = table.select(table.stock).where(table.id == kept.id).scalar()
            if not moved:
                raise TooFew(stock or 0) if change < 0 else TooMany
            subject = subject_of(kept)
            made = cls.create(
                key=key,
                at=now,
                what=subject,
                change=change,
                reason=reason,
                note=note,
                stock=stock,
                role=by.role,
                who=by.name,
            )
            after = {"stock": stock, "change": change, "reason": reason}
            record(by, "stock_moved", now, subject=subject, before={"stock": stock - change}, after=after, why=note)
            if table is not ClubGift and (not stock or stock == change):
                # It sold out, or came back: cards and filters follow.
                relist([kept.device_id], utcnow())
        return made

    @classmethod
    def latest_of(cls, kept, limit: int = 50) -> "list[StockMovement]":
        """The newest first; one query."""
        return list(cls.select().where(cls.what == subject_of(kept)).order_by(cls.id.desc()).limit(limit))


def subject_of(kept) -> str:
    """What the trail calls it: variant:SKU, gift:id of its device, club_gift:id."""
    if isinstance(kept, Variant):
        return f"variant:{kept.sku}"
    if isinstance(kept, Gift):
        return f"gift:{kept.device_id}"
    return f"club_gift:{kept.id}"
