"""Who may order on contract or on the bill: every reason against it, from what is known of a holder (ELG-1…6).

Pure: no database, no words for people. Amounts are minor units, moments are aware, days are days in the shop's
country (LOC-3).
"""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar

import config
from models.calendar import ZONE, local_day
from models.instalments import split
from models.payment_ways import CARD, ON_BILL, POINTS


def is_overdue(due_on: date, moment: datetime) -> bool:
    """Whether an invoice is debt at `moment`: the day it is due on still belongs to the holder (ELG-1)."""
    return local_day(moment) > due_on


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or that month's last: 31 August and 6 months is 28 or 29 February."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def start_of(day: date) -> datetime:
    """The moment at which a day begins in the shop's country, in UTC."""
    return datetime.combine(day, time(), ZONE).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Invoice:
    """An unpaid invoice of one of the holder's subscriber codes."""

    code: str
    number: str
    amount: int
    due_on: date


@dataclass(frozen=True, slots=True)
class DebtPayment:
    """The payment of an invoice that was overdue then; one paid in time makes nobody wait (ELG-2)."""

    paid_at: datetime
    online: bool

    @property
    def clears_at(self) -> datetime:
        """From when on the holder may order again, in UTC."""
        hours = config.DEBT_WAIT_ONLINE_HOURS if self.online else config.DEBT_WAIT_HOURS
        # Hours pass alike on the nights when the clocks change; in local time they would not.
        return self.paid_at.astimezone(UTC) + timedelta(hours=hours)


@dataclass(frozen=True, slots=True)
class Contract:
    """A Besnik 24 contract of one of the holder's numbers.

    `total` is the device's price and `paid` what of it is paid. `instalments` is the number of parts on the bill;
    0 for a device paid one-off.
    """

    number: str
    ends_on: date
    total: int = 0
    paid: int = 0
    instalments: int = 0

    def is_active(self, now: datetime) -> bool:
        return local_day(now) <= self.ends_on

    @property
    def is_paid_enough(self) -> bool:
        """Whether so much is paid that another device may be bought in instalments (ELG-3)."""
        return not self.instalments or self.paid * 100 >= self.total * config.INSTALMENTS_SHARE

    @property
    def paid_percent(self) -> int:
        """The share that is paid in whole per cent, rounded down: a page never tells 75 too early."""
        return self.paid * 100 // self.total if self.total else 100

    @property
    def amount_left(self) -> int:
        """Minor units still to be paid until another device may be bought in instalments (ELG-3)."""
        # Rounded up: whoever pays just this much has the share.
        return max(0, -(-self.total * config.INSTALMENTS_SHARE // 100) - self.paid)

    @property
    def instalments_left(self) -> int:
        """How many instalments from now on reach the share; one that is paid in part still counts (ELG-3)."""
        if self.is_paid_enough:
            return 0
        parts = split(self.total, self.instalments)
        wanted, due, count = self.paid + self.amount_left, 0, 0
        for part in parts:
            due += part
            if due > self.paid:
                count += 1
            if due >= wanted:
                break
        return count


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that is neither delivered nor ended, with a Besnik 24 device for `number`."""

    number: str
    order: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one number holder, over all of the holder's subscriber codes and numbers.

    `has_history`: the holder was a subscriber before. `in_cart`: numbers with a Besnik 24 device in the cart,
    without the line that is being checked itself.
    """

    subscriber_since: date
    has_history: bool = False
    segment: str = "private"
    unpaid: tuple[Invoice, ...] = ()
    debt_payments: tuple[DebtPayment, ...] = ()
    contracts: tuple[Contract, ...] = ()
    open_orders: tuple[OpenOrder, ...] = ()
    in_cart: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the shopper wants: the contract type, the holder's number it is for, and the way of payment.

    `payment` None: not chosen yet. A Besnik 24 device is always for a number, else ValueError.
    """

    contract_type: str
    number: str | None = None
    payment: str | None = None

    def __post_init__(self):
        if self.contract_type == "besnik24" and not self.number:
            raise ValueError("a Besnik 24 device is for a number")

    @property
    def is_checked(self) -> bool:
        """Contract orders and payment on the bill are checked; what is paid by card alone is sold to anyone."""
        return self.contract_type in ("besnik24", "new_number") or self.payment in ON_BILL


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why an order is not possible, or not in every way of payment. `possible_from` is None where no time tells."""

    rule: ClassVar[str]
    kind: ClassVar[str]
    # The ways of payment that it leaves open; empty where there is no order at all.
    leaves: ClassVar[frozenset[str]] = frozenset()

    possible_from: datetime | None = None

    @property
    def blocks_order(self) -> bool:
        return not self.leaves

    def blocks(self, payment: str) -> bool:
        return payment not in self.leaves


@dataclass(frozen=True, slots=True, kw_only=True)
class Debt(Reason):
    """Overdue invoices on any of the holder's codes; to be paid online (ELG-1)."""

    rule = "ELG-1"
    kind = "debt"

    invoices: tuple[Invoice, ...]

    @property
    def amount(self) -> int:
        return sum(invoice.amount for invoice in self.invoices)


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtJustPaid(Reason):
    """A debt was paid, but too short a time ago; `possible_from` tells until when to wait (ELG-2)."""

    rule = "ELG-2"
    kind = "debt_just_paid"

    payment: DebtPayment


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalmentsRunning(Reason):
    """Instalments of another number, too few of them paid: one-off by card stays possible (ELG-3)."""

    rule = "ELG-3"
    kind = "instalments_running"
    # The rule names the card as the only way that is left; the first bill is a bill too.
    leaves = frozenset({CARD, POINTS})

    contract: Contract


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubscriber(Reason):
    """A subscriber for too few months, and none before (ELG-4)."""

    rule = "ELG-4"
    kind = "new_subscriber"

    since: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractRunning(Reason):
    """The number has an active Besnik 24 device; possible from the day after the contract's last (ELG-5)."""

    rule = "ELG-5"
    kind = "contract_running"

    contract: Contract


@dataclass(frozen=True, slots=True, kw_only=True)
class InOpenOrder(Reason):
    """The number has a Besnik 24 device in an order that is still open (ELG-5)."""

    rule = "ELG-5"
    kind = "in_open_order"

    order: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InCart(Reason):
    """The number has a Besnik 24 device in the cart already (ELG-5)."""

    rule = "ELG-5"
    kind = "in_cart"

    number: str


def check(standing: Standing, wanted: Wanted, now: datetime) -> list[Reason]:
    """All reasons against an order, in the order of the rules; empty where it is possible (ELG-1…5).

    Call it when the number is chosen and again when the order is placed. Whom nobody knows (a guest, a profile
    without a number) has no standing, and nothing to be checked: `payment_ways.ways` says what they may buy.
    A segment is no reason: private and business subscribers may buy alike (ELG-6).
    """
    if not wanted.is_checked:
        return []
    return [
        *_debt(standing, now),
        *_just_paid(standing, now),
        *_instalments_running(standing, wanted, now),
        *_new_subscriber(standing, now),
        *_number_taken(standing, wanted, now),
    ]


def ways_left(ways: Iterable[str], reasons: Iterable[Reason]) -> tuple[str, ...]:
    """Those of `ways` that no reason blocks, in their order: what a page offers then and there (ELG-3)."""
    reasons = list(reasons)
    return tuple(way for way in ways if not any(reason.blocks(way) for reason in reasons))


def _debt(standing, now):
    overdue = [invoice for invoice in standing.unpaid if is_overdue(invoice.due_on, now)]
    if overdue:
        overdue.sort(key=lambda invoice: (invoice.due_on, invoice.code, invoice.number))
        yield Debt(invoices=tuple(overdue))


def _just_paid(standing, now):
    # Not the last payment decides but the one that makes wait longest: a debt paid in a shop an hour ago is not
    # forgotten because another was paid online since.
    payment = max(standing.debt_payments, key=lambda one: one.clears_at, default=None)
    if payment and now < payment.clears_at:
        yield DebtJustPaid(payment=payment, possible_from=payment.clears_at)


def _instalments_running(standing, wanted, now):
    if wanted.payment in InstalmentsRunning.leaves:
        return
    for contract in sorted(standing.contracts, key=lambda one: (one.number, one.ends_on)):
        if contract.number != wanted.number and contract.is_active(now) and not contract.is_paid_enough:
            yield InstalmentsRunning(contract=contract)


def _new_subscriber(standing, now):
    possible_from = start_of(months_after(standing.subscriber_since, config.SUBSCRIBER_MONTHS))
    if not standing.has_history and now < possible_from:
        yield NewSubscriber(since=standing.subscriber_since, possible_from=possible_from)


def _number_taken(standing, wanted, now):
    if wanted.contract_type != "besnik24":
        return
    running = [one for one in standing.contracts if one.number == wanted.number and one.is_active(now)]
    if running:
        contract = max(running, key=lambda one: one.ends_on)
        yield ContractRunning(contract=contract, possible_from=start_of(contract.ends_on + timedelta(days=1)))
    for one in sorted(standing.open_orders, key=lambda one: one.order):
        if one.number == wanted.number:
            yield InOpenOrder(order=one.order)
    if wanted.number in standing.in_cart:
        yield InCart(number=wanted.number)
