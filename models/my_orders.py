"""Porositë e mia: the orders of a profile, and those it made before as a guest (ORD-1)."""

import re
from dataclasses import dataclass
from datetime import date

from models.calendar import local_day
from models.order import Order, OrderEvent, OrderLine, storage_label
from models.order_number import ALPHABET, MISREAD, PREFIX
from models.parted_order import PartedOrder
from models.profile import Profile
from models.search_text import SMALL_WORDS, words

PER_PAGE = 10
# What a shopper filters by: state group → states.
GROUPS = {
    "open": ("awaiting_payment", "confirmed", "packed", "with_courier", "delivery_failed"),
    "delivered": ("delivered",),
    "ended": ("lapsed", "cancelled", "returned"),
}
# So many characters of a number are looked for in the middle of one.
SHORTEST_PART = 4


@dataclass(frozen=True)
class Entry:
    """An order as the list shows it: its first line, how many pieces come with it, and the days it shows (LOC-3)."""

    order: Order
    first: OrderLine
    more: int
    placed_on: date
    # Since when it is in its state.
    since: date


class MyOrders:
    """A page of a profile's orders, newest first; `q` is part of a number or of a device's name.

    At most five queries, however many orders and lines there are. A page beyond the last one is the last one.
    """

    def __init__(self, profile: Profile, q: str = "", group: str = "", page: int = 1):
        self.profile, self.q, self.group = profile, q, group if group in GROUPS else ""
        wanted = Order.profile == profile
        if self.group:
            wanted &= Order.state.in_(GROUPS[self.group])
        if q:
            wanted &= Order.id.in_(self._found())
        self.total = Order.select().where(wanted).count()
        self.pages = max(1, -(-self.total // PER_PAGE))
        self.page = min(max(1, page), self.pages)
        # Who has no orders at all is told otherwise than who filtered them away.
        self.has_any = bool(self.total) or Order.select().where(Order.profile == profile).exists()
        self._orders = list(
            Order.select()
            .where(wanted)
            .order_by(Order.placed_at.desc(), Order.id.desc())
            .paginate(self.page, PER_PAGE)
        )

    def entries(self) -> list[Entry]:
        ids = [order.id for order in self._orders]
        lines: dict[int, list[OrderLine]] = {}
        for line in OrderLine.select().where(OrderLine.order.in_(ids)).order_by(OrderLine.position):
            lines.setdefault(line.order_id, []).append(line)
        since = {
            (order, state): at
            for order, state, at in OrderEvent.select(OrderEvent.order, OrderEvent.state, OrderEvent.at)
            .where(OrderEvent.order.in_(ids))
            .order_by(OrderEvent.id)
            .tuples()
        }
        return [
            Entry(
                order,
                lines[order.id][0],
                sum(line.quantity for line in lines[order.id]) - 1,
                local_day(order.placed_at),
                local_day(since.get((order.id, order.state), order.placed_at)),
            )
            for order in self._orders
            if order.id in lines
        ]

    def _found(self) -> list[int]:
        part = part_of_number(self.q)
        asked = [word for word in words(self.q) if word.key not in SMALL_WORDS]
        rows = (
            OrderLine.select(Order.id, Order.number, OrderLine.names, OrderLine.storage_gb)
            .join(Order)
            .where(Order.profile == self.profile)
            .tuples()
        )
        found = set()
        for order, number, names, storage in rows:
            if part and part in number.replace("-", "")[len(PREFIX) :]:
                found.add(order)
            elif asked and order not in found:
                size = storage_label(storage) if storage else ""
                there = words(f"{' '.join(names.values())} {size}", compounds=True)
                if all(
                    any(
                        known.key == word.key or any(term.startswith(word.stem) for term in known.terms)
                        for known in there
                    )
                    for word in asked
                ):
                    found.add(order)
        return sorted(found)


def part_of_number(text: str) -> str:
    """What of an order number `text` is, however it is spaced, cased and misread; "" when it is too short for one."""
    compact = re.sub(r"[^0-9A-Z]", "", text.upper())
    if len(compact) > len(PREFIX) + SHORTEST_PART - 1:
        compact = compact.removeprefix(PREFIX)
    compact = compact.translate(MISREAD)
    if len(compact) < SHORTEST_PART or any(character not in ALPHABET for character in compact):
        return ""
    return compact


def _of_guest(profile: Profile):
    # An e-mail that nobody confirmed is anybody's: its orders stay with whoever has their number (ORD-2).
    if not profile.is_verified:
        return None
    # Nor those of an erased profile, which somebody asked to be no part of any profile any more (PRV-4).
    parted = PartedOrder.select(PartedOrder.order)
    return Order.profile.is_null() & (Order.email == profile.email) & Order.id.not_in(parted)


def guest_orders(profile: Profile) -> int:
    """How many orders were made with the profile's verified e-mail without a login; one query."""
    condition = _of_guest(profile)
    return Order.select().where(condition).count() if condition is not None else 0


def take_guest_orders(profile: Profile) -> int:
    """Take them into the profile; returns how many. Twice, or in two tabs, takes each once; never another's."""
    condition = _of_guest(profile)
    return Order.update(profile=profile).where(condition).execute() if condition is not None else 0
