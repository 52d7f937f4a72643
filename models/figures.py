"""The figures of a stretch of days: orders, revenue, checkout steps, stock, late deliveries, payments, points.

Days are those of the shop's country (LOC-3); amounts are minor units (LOC-2). Each figure is a few grouped queries,
however many orders there are.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from peewee import SQL, fn

import config
from models.base import IS_SQLITE
from models.calendar import ZONE, end_of_day, local_day
from models.catalogue import CONTRACT_TYPES, Brand, Device, Variant
from models.club_ledger import EARNED, SPENT, ClubEntry
from models.order import Order, OrderEvent, OrderLine
from models.payment import Payment
from models.step_count import StepCount

# What came to nothing, or has not been paid yet, is no revenue.
NOT_SOLD = ("awaiting_payment", "lapsed", "cancelled", "returned")
# On its way, or to be sent.
OPEN = ("confirmed", "packed", "with_courier", "delivery_failed")
# The longest stretch that is shown, in days.
LONGEST = 366
# So many rows of a list of things to look after.
MOST = 50


class BadDays(ValueError):
    """The last day is before the first one, or the stretch is longer than LONGEST."""


@dataclass(frozen=True)
class Short:
    """A variant that is running out: pieces left, pieces sold in the stretch, and days until there are none."""

    variant: Variant
    device: Device
    stock: int
    sold: int
    days_left: int


@dataclass(frozen=True)
class Late:
    """An order whose promised day is over."""

    order: Order
    days: int


class Figures:
    """All figures from the day `first` to the day `last`, both included; raises BadDays."""

    def __init__(self, first: date, last: date, now: datetime):
        if last < first or (last - first).days >= LONGEST:
            raise BadDays(f"{first} … {last}")
        self.first, self.last, self.now = first, last, now
        self.since = end_of_day(first - timedelta(days=1))
        self.until = end_of_day(last)
        self.days = [first + timedelta(days=count) for count in range((last - first).days + 1)]

    def _in(self, moment):
        return (moment >= self.since) & (moment < self.until)

    def orders_per_day(self) -> list[tuple[date, int, int]]:
        """Day, orders that were placed, orders that were confirmed (paid, or with nothing due)."""
        placed = self._per_day(Order, Order.placed_at)
        confirmed = self._per_day(
            OrderEvent,
            OrderEvent.at,
            OrderEvent.state == "confirmed",
            # Packed anew for another colour it was confirmed before.
            OrderEvent.why != "repack",
        )
        return [(day, placed[day], confirmed[day]) for day in self.days]

    def revenue(self) -> list[tuple[str, int, int]]:
        """Contract type, pieces, and what they cost over the whole contract: of orders placed in the stretch."""
        amount = fn.SUM(OrderLine.price.cast("BIGINT") * OrderLine.quantity)
        rows = (
            OrderLine.select(OrderLine.contract_type, fn.SUM(OrderLine.quantity), amount)
            .join(Order)
            .where(self._in(Order.placed_at), Order.state.not_in(NOT_SOLD))
            .group_by(OrderLine.contract_type)
            .tuples()
        )
        found = {kind: (int(pieces), int(total)) for kind, pieces, total in rows}
        return [(kind, *found.get(kind, (0, 0))) for kind in CONTRACT_TYPES]

    def steps(self) -> list[tuple[str, int]]:
        """How many reached each step of the checkout, then `placed` and `confirmed`."""
        placed = Order.select().where(self._in(Order.placed_at))
        confirmed = (
            OrderEvent.select(OrderEvent.order)
            .join(Order)
            .where(self._in(Order.placed_at), OrderEvent.state == "confirmed")
            .distinct()
        )
        counts = StepCount.between(self.first, self.last)
        return [*counts.items(), ("placed", placed.count()), ("confirmed", confirmed.count())]

    def running_out(self) -> list[Short]:
        """Variants whose pieces last for less than STOCK_DAYS days at the pace of the stretch, the first to go
        first; those that sold and are gone lead."""
        sold = fn.SUM(OrderLine.quantity)
        pace = (
            OrderLine.select(OrderLine.variant, sold.alias("sold"))
            .join(Order)
            .where(self._in(Order.placed_at), Order.state.not_in(NOT_SOLD))
            .group_by(OrderLine.variant)
        )
        rows = (
            Variant.select(Variant, Device, Brand, pace.c.sold.alias("pieces"))
            .join(Device)
            .join(Brand)
            .join_from(Variant, pace, on=(pace.c.variant_id == Variant.id))
            .where(
                Variant.listed,
                Device.listed,
                Variant.stock * len(self.days) < pace.c.sold * config.STOCK_DAYS,
            )
            .order_by((Variant.stock * 1000 / pace.c.sold), Variant.id)
            .limit(MOST)
        )
        found = []
        for variant in rows.objects():
            pieces = int(variant.pieces)
            found.append(
                Short(variant, variant.device, variant.stock, pieces, variant.stock * len(self.days) // pieces)
            )
        return found

    def late(self) -> tuple[int, list[Late]]:
        """How many orders are late now, and the latest of them first; whatever the stretch."""
        today = local_day(self.now)
        query = Order.select().where(Order.state.in_(OPEN), Order.promised_on < today)
        rows = query.order_by(Order.promised_on, Order.id).limit(MOST)
        return query.count(), [Late(order, (today - order.promised_on).days) for order in rows]

    def delivered(self) -> tuple[int, int]:
        """How many orders were delivered in the stretch, and how many of them after their promised day."""
        rows = (
            OrderEvent.select(self._hour(OrderEvent.at), Order.promised_on, fn.COUNT(OrderEvent.id))
            .join(Order)
            .where(self._in(OrderEvent.at), OrderEvent.state == "delivered")
            .group_by(self._hour(OrderEvent.at), Order.promised_on)
            .tuples()
        )
        total = after = 0
        for hour, promised, count in rows:
            total += count
            after += count if _day(hour) > promised else 0
        return total, after

    def payments_per_day(self) -> list[tuple[date, int, int]]:
        """Day, attempts at the bank that were paid, and that came to nothing; by the day they began."""
        good = self._per_day(Payment, Payment.started_at, Payment.state.in_(("paid", "surplus")))
        bad = self._per_day(Payment, Payment.started_at, Payment.state.in_(("declined", "abandoned")))
        return [(day, good[day], bad[day]) for day in self.days]

    def trouble(self) -> list[tuple[str, int]]:
        """Why payments failed, in the bank's words, the most frequent first; "" where nobody said."""
        rows = (
            Payment.select(Payment.reason, fn.COUNT(Payment.id))
            .where(self._in(Payment.started_at), Payment.state.in_(("declined", "abandoned")))
            .group_by(Payment.reason)
            .order_by(fn.COUNT(Payment.id).desc(), Payment.reason)
            .limit(MOST)
        )
        return list(rows.tuples())

    def points(self) -> list[tuple[str, int, int]]:
        """Kind of entry in the club's ledger, how many, and points: issued (+) and spent, lapsed or lost (−)."""
        rows = (
            ClubEntry.select(ClubEntry.kind, fn.COUNT(ClubEntry.id), fn.SUM(ClubEntry.points))
            .where(self._in(ClubEntry.at), ClubEntry.points != 0)
            .group_by(ClubEntry.kind)
            .tuples()
        )
        found = {kind: (count, int(points)) for kind, count, points in rows}
        order = (*EARNED, "returned", *SPENT, "lapsed", "lost")
        return [(kind, *found[kind]) for kind in order if kind in found]

    def _per_day(self, model, moment, *conditions) -> Counter:
        hour = self._hour(moment)
        rows = model.select(hour, fn.COUNT(model.id)).where(self._in(moment), *conditions).group_by(hour).tuples()
        counts = Counter()
        for when, count in rows:
            counts[_day(when)] += count
        return counts

    @staticmethod
    def _hour(moment):
        # Which day an hour belongs to, the shop's zone says; no database of ours has to know zones. The unit is
        # written out: as a parameter it would make another expression of it in GROUP BY.
        return fn.SUBSTR(moment.cast("TEXT"), 1, 13) if IS_SQLITE else fn.date_trunc(SQL("'hour'"), moment)


def _day(hour) -> date:
    if isinstance(hour, str):
        hour = datetime.fromisoformat(f"{hour}:00:00+00:00")
    return hour.astimezone(ZONE).date()


def last_days(now: datetime, count: int = 30) -> tuple[date, date]:
    """The last `count` days, today included."""
    today = local_day(now)
    return today - timedelta(days=count - 1), today
