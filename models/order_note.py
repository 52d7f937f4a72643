"""What people at work write down about an order for each other; only ever added to (DSK-1)."""

from peewee import CharField, ForeignKeyField, TextField

from models.actor import Actor
from models.base import BaseModel, MomentField, db
from models.order import Order
from models.trail import record

LONGEST = 1000


class OrderNote(BaseModel):
    """One note. Triggers refuse every change of a row."""

    order = ForeignKeyField(Order, backref="notes", on_delete="RESTRICT")
    # The form's: sent twice it is one note.
    key = CharField(unique=True, max_length=32)
    at = MomentField()
    role = CharField(max_length=10)
    who = CharField(max_length=254)
    text = TextField()

    @property
    def by(self) -> Actor:
        return Actor(self.role, self.who)

    @classmethod
    def add(cls, order: Order, text: str, *, by: Actor, now, key: str) -> bool:
        """Write `text` down; false when the form with `key` was sent before. Raises ValueError for an empty one."""
        if not text.strip() or len(text) > LONGEST:
            raise ValueError("a note has 1 to 1000 characters")
        with db.atomic():
            added = (
                cls.insert(order=order, key=key, at=now, role=by.role, who=by.name, text=text)
                .on_conflict(conflict_target=[cls.key], action="NOTHING")
                .as_rowcount()
                .execute()
            )
            if added:
                record(by, "note", now, order=order)
        return bool(added)

    @classmethod
    def of(cls, order: Order) -> list["OrderNote"]:
        """The newest first."""
        return list(cls.select().where(cls.order == order).order_by(cls.id.desc()))
