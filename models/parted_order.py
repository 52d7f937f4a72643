"""Orders whose profile was erased: they stay, and are in nobody's list (PRV-4)."""

from peewee import ForeignKeyField

from models.base import BaseModel, MomentField
from models.order import Order


class PartedOrder(BaseModel):
    """An order whose profile was erased: whoever registers with its e-mail later does not take it over."""

    order = ForeignKeyField(Order, unique=True, on_delete="CASCADE")
    at = MomentField()
