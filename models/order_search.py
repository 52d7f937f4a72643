"""The desk finds orders by number, phone, e-mail or name, whatever is typed, newest first (DSK-1)."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_

from peewee import Value, fn

from models.calendar import ZONE, local_day
from models.my_orders import part_of_number
from models.new_number import CALLING_CODE
from models.order import STATES, Order, OrderLine
from models.order_key import GROUPED, LONGEST, PERMUTED, OrderKey, first_characters
from models.search_text import stem_so_far, words

PER_PAGE = 25
# From more keys on they are gone through, the newest order's first, until a page is full: so common a name fills it
# soon. Fewer are gathered and counted.
MANY = 1000
# The filter of orders whose promised day is over.
LATE = "late"
# In these somebody still waits for the order.
AWAITED = ("confirmed", "packed", "with_courier", "delivery_failed")
# So long the placing of an order takes at most.
AT_ONCE = timedelta(hours=1)
# The characters of an order number without its prefix.
WHOLE_NUMBER = 9
SHORTEST_PHONE, SHORTEST_EMAIL, SHORTEST_NAME = 5, 3, 2


def is_late(order: Order, now) -> bool:
    """Whether the day that was promised is over and the order is not there (DLV-2)."""
    return order.state in AWAITED and order.promised_on < local_day(now)


@dataclass(frozen=True)
class Found:
    """An order as the list shows it."""

    order: Order
    first: OrderLine
    # How many pieces come with the first line.
    more: int
    # The ways of payment of its lines, each once, with the number of instalments: ("instalments", 24).
    ways: tuple[tuple[str, int | None], ...]
    # The numbers of its contracts, or else the delivery's.
    phone: str
    late: bool


class OrderSearch:
    """One page of what is found by `q`, in `state` (or LATE), placed on `since` or later; nothing typed finds all.

    `after` is the number of the order that the page before ended with; the newest is who was placed last, and has the
    highest id. At most five queries, however many orders there are.
    """

    def __init__(self, now, q: str = "", state: str = "", since: date | None = None, after: str = ""):
        self.now, self.q, self.since = now, q, since
        self.state = state if state in (*STATES, LATE) else ""
        self.beginnings = beginnings(q)
        # How many there are in all; None where nobody counted that far.
        self.total: int | None = None
        self._orders = [] if q and not self.beginnings else self._page(after)
        self.has_more = len(self._orders) > PER_PAGE
        self._orders = self._orders[:PER_PAGE]
        if self.total is None and not after and not self.has_more:
            self.total = len(self._orders)

    @property
    def only(self) -> Order | None:
        """The one order there is, when there is one."""
        return self._orders[0] if self.total == 1 and self._orders else None

    @property
    def last(self) -> str:
        """Where the next page begins."""
        return self._orders[-1].number if self._orders else ""

    def entries(self) -> list[Found]:
        """What the list shows; one query."""
        lines: dict[int, list[OrderLine]] = {}
        ids = [order.id for order in self._orders]
        for line in OrderLine.select().where(OrderLine.order.in_(ids)).order_by(OrderLine.position):
            lines.setdefault(line.order_id, []).append(line)
        return [
            Found(
                order,
                lines[order.id][0],
                sum(line.quantity for line in lines[order.id]) - 1,
                tuple(dict.fromkeys((line.payment, line.parts) for line in lines[order.id])),
                next((line.msisdn for line in lines[order.id] if line.msisdn), order.phone),
                is_late(order, self.now),
            )
            for order in self._orders
            if order.id in lines
        ]

    def _page(self, after: str) -> list[Order]:
        wanted = self._filter()
        last = Order.of_number(after) if after else None
        if last is not None:
            wanted.append(Order.id < last.id)
        if not self.beginnings:
            return list(self._newest(wanted))
        common = _common(self.beginnings)
        if common and self.state and _are_few(wanted):
            return list(self._newest([*wanted, _has_any(self.beginnings)]))
        found = reduce(
            lambda all_, one: all_.union_all(one),
            (_hits(one, wanted, in_turn=one in common) for one in self.beginnings),
        )
        hit = found.alias("hit")
        top = OrderKey.select(hit.c.id, fn.COUNT(1).over().alias("total")).from_(hit).group_by(hit.c.id)
        top = top.order_by(hit.c.id.desc()).limit(PER_PAGE + 1).alias("top")
        page = Order.select(Order, top.c.total.alias("hits")).join(top, on=(Order.id == top.c.id))
        orders = list(page.order_by(Order.id.desc()).objects())
        if not common and last is None:
            self.total = orders[0].hits if orders else 0
        return orders

    def _newest(self, wanted: list):
        """A page of the orders that are as `wanted`."""
        if self.state == LATE:
            late = Order.alias()
            awaited = late.select(late.id).where(late.state.in_(AWAITED), late.promised_on < local_day(self.now))
            # By itself, as OFFSET says to PostgreSQL: they are few, and it would rather go through all orders.
            wanted = [Order.id.in_(awaited.offset(0)), *wanted]
        newest = Order.select().order_by(Order.id.desc()).limit(PER_PAGE + 1)
        return newest.where(*wanted) if wanted else newest

    def _filter(self) -> list:
        wanted = []
        if self.state == LATE:
            wanted += [Order.state.in_(AWAITED), Order.promised_on < local_day(self.now)]
        elif self.state:
            wanted.append(Order.state == self.state)
        if self.since is not None:
            began = datetime.combine(self.since, datetime.min.time(), ZONE)
            wanted.append(Order.placed_at >= began)
            # Who goes through the newest need not go on to the oldest. Orders that are placed at once may have their
            # ids the other way round.
            earliest = Order.alias()
            first = earliest.select(earliest.id).where(earliest.placed_at >= began - AT_ONCE)
            wanted.append(Order.id >= first.order_by(earliest.placed_at, earliest.id).limit(1))
        return wanted


def _begins(column, beginning: str):
    return (column >= beginning) & (column < beginning + "\uffff")


def _common(these: list[str]) -> set[str]:
    """Those of the beginnings that more than MANY keys have; one query."""
    counts = []
    for at, one in enumerate(these):
        some = (
            OrderKey.select(OrderKey.order.alias("id"))
            .where(_begins(OrderKey.key, one))
            .limit(MANY + 1)
            .alias("some")
        )
        counts.append(OrderKey.select(Value(at).alias("at"), fn.COUNT(some.c.id)).from_(some))
    counted = reduce(lambda all_, one: all_.union_all(one), counts)
    return {these[at] for at, count in counted.tuples() if count > MANY}


def _are_few(wanted: list) -> bool:
    """Whether at most MANY orders are as `wanted`; one query."""
    some = Order.select(Order.id).where(*wanted).limit(MANY + 1).alias("some")
    return Order.select(fn.COUNT(some.c.id)).from_(some).scalar() <= MANY


def _hits(beginning: str, wanted: list, *, in_turn: bool):
    """The ids of the orders with a key that begins so, and as `wanted`.

    With `in_turn` the newest alone, along the index in which the keys of the same first characters stand by order: it
    ends as soon as the page is full.
    """
    key = OrderKey.alias()
    query = key.select(key.order.alias("id")).where(_begins(key.key, beginning))
    if wanted:
        # With OFFSET PostgreSQL asks order by order, and does not gather all that are so beforehand.
        query = query.where(fn.EXISTS(Order.select(1).where(Order.id == key.order, *wanted).offset(0)))
    if in_turn and len(beginning) >= GROUPED:
        query = query.where(first_characters(key.key) == beginning[:GROUPED])
        query = query.distinct().order_by(key.order.desc()).limit(PER_PAGE + 1)
    # A part of a compound query cannot have an order of its own.
    part = query.alias("part")
    return OrderKey.select(part.c.id.alias("id")).from_(part)


def _has_any(these: list[str]):
    """Of an order, that it has a key with one of the beginnings."""
    conditions = []
    for one in these:
        key = OrderKey.alias()
        # With OFFSET PostgreSQL asks order by order, and does not read all keys that begin so beforehand.
        conditions.append(fn.EXISTS(key.select(1).where(key.order == Order.id, _begins(key.key, one)).offset(0)))
    return reduce(or_, conditions)


def beginnings(q: str) -> list[str]:
    """The beginnings of keys that what was typed may mean; none where it is too short to mean anything."""
    text = " ".join(q.split())
    if not text:
        return []
    found = []
    part = part_of_number(text)
    if part and len(part) <= WHOLE_NUMBER:
        found.append(f"n{part}")
    if re.fullmatch(r"\+?[\d\s./()\-]+", text):
        return found + [f"t{phone}" for phone in _phones(text)]
    if " " not in text and len(text) >= SHORTEST_EMAIL:
        found.append(f"e{text.lower()}")
    if not re.search(r"[\d@]", text):
        found += _names(text)
    return [beginning[:LONGEST] for beginning in found]


def _phones(text: str) -> list[str]:
    """The number as it is kept, for each way in which so many digits may be meant."""
    digits = re.sub(r"\D", "", text)
    if len(digits) < SHORTEST_PHONE:
        return []
    if text.startswith("+"):
        return [digits]
    if digits.startswith("00"):
        return [digits[2:]]
    if digits.startswith("0"):
        return [CALLING_CODE + digits[1:]]
    return [digits] if digits.startswith(CALLING_CODE) else [CALLING_CODE + digits, digits]


def _names(text: str) -> list[str]:
    """Any one of the words may be unfinished, in any order."""
    said = words(text)
    if not said or sum(len(word.raw) for word in said) < SHORTEST_NAME:
        return []
    stems = [word.stem for word in said]
    if len(said) == 1:
        return [f"w{stem_so_far(said[0].raw)}"]
    if len(said) > PERMUTED:
        return ["w" + " ".join([*stems[:-1], stem_so_far(said[-1].raw)])]
    rows = []
    for last in range(len(said)):
        rest = [*stems[:last], *stems[last + 1 :]]
        rows.append("w" + " ".join([*rest, stem_so_far(said[last].raw)]))
    return list(dict.fromkeys(rows))
