"""What an order is found by at the desk: parts of its number, phones, e-mail and names, folded (DSK-1).

A key is one letter for its sort and the folded text; every search is a beginning of a key, so that an index answers
it whatever the number of orders:

    n7K3M9QPX7, nK3M9QPX7, …   the order's number from each of its characters on, at least four of them
    t38970123456               a phone: the delivery's, and each ordered number
    eana@example.com           the e-mail
    wana markovska, wmarkovska ana   the names of shopper, recipient and signer, in every order of their words
"""

from itertools import permutations

from peewee import SQL, CharField, CompositeKey, ForeignKeyField, fn

from models.base import IS_SQLITE, BaseModel
from models.my_orders import SHORTEST_PART
from models.order import Order
from models.order_number import PREFIX
from models.search_text import words

LONGEST = 80
# Keys with so many first characters in common stand by order in an index of their own.
GROUPED = 3
# A name of more words is kept from each word on, in the order it is written.
PERMUTED = 4


class OrderKey(BaseModel):
    """One key of one order."""

    # Compared byte by byte on both databases: a beginning is then a range.
    key = CharField(max_length=LONGEST, collation=None if IS_SQLITE else '"C"')
    # In the index below.
    order = ForeignKeyField(Order, backref="keys", on_delete="CASCADE", index=False)

    class Meta:
        primary_key = CompositeKey("key", "order")
        without_rowid = IS_SQLITE
        # Whether an order has a key is answered by the index alone.
        indexes = ((("order", "key"), False),)

    @classmethod
    def write(cls, order: Order) -> None:
        """The keys of `order` as it is now, instead of those it had; call it in the transaction that changes it."""
        names = {order.full_name, order.recipient, order.signer}
        phones = {order.phone, *(line.msisdn for line in order.lines())}
        keys = keys_of(order.number, order.email, phones, names)
        cls.delete().where(cls.order == order, cls.key.not_in(keys)).execute()
        cls.insert_many([{"key": key, "order": order} for key in keys]).on_conflict_ignore().execute()


def first_characters(key):
    """What the index groups the keys by; the figures stand in the SQL, or no planner would recognise it."""
    return fn.SUBSTR(key, SQL("1"), SQL(str(GROUPED)))


# The newest with a beginning, however many have it.
OrderKey.add_index(
    OrderKey.index(first_characters(OrderKey.key), OrderKey.order, OrderKey.key, name="order_key_newest")
)
# The newest in a state, and what is late.
Order.add_index(Order.index(Order.state, Order.id, name="order_state_newest"))
Order.add_index(Order.index(Order.state, Order.promised_on, name="order_state_promised"))


def keys_of(number: str, email: str, phones, names) -> list[str]:
    """All keys of an order with this number, e-mail, these phones (E.164 digits) and names, sorted."""
    compact = number.replace("-", "")[len(PREFIX) :]
    keys = {f"n{compact[start:]}" for start in range(len(compact) - SHORTEST_PART + 1)}
    keys |= {f"t{phone}" for phone in phones if phone}
    keys.add(f"e{email.strip().lower()}")
    for name in names:
        keys |= {f"w{' '.join(arranged)}" for arranged in _arrangements([word.stem for word in words(name)])}
    return sorted({key[:LONGEST] for key in keys})


def _arrangements(stems: list[str]):
    if len(stems) <= PERMUTED:
        return list(permutations(stems)) if stems else []
    return [stems[start:] for start in range(len(stems))]
