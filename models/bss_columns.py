"""The columns of the billing system's files, and how each cell is read.

What a cell holds may be personal, and what is said of a bad line ends in terminals and logs: no reason quotes
the cell (PRV-1), unlike those of the price list.
"""

import re
from collections.abc import Callable
from datetime import date, datetime

from models import cells
from models.club_member import FIXED_KINDS, FixedService
from models.contract import Contract
from models.invoice import PAID_THROUGH, Invoice
from models.money import MINOR
from models.number import Number
from models.subscriber import Holder, Subscriber

_DAY = "must be a day such as 2025-11-03"
_MOST_MINOR = 2**31 - 1
# What `paid_through` says of a payment that did not hold.
REVERSED = "reversed"


def _like(pattern: str, why: str) -> Callable[[str], str]:
    whole = re.compile(pattern)

    def read(cell):
        if not whole.fullmatch(cell):
            raise ValueError(why)
        return cell

    return read


def _text(longest: int) -> Callable[[str], str]:
    return cells.text(longest)


def _word(*words: str) -> Callable[[str], str]:
    def read(cell):
        if cell not in words:
            raise ValueError(f"must be {', '.join(words[:-1])} or {words[-1]}")
        return cell

    return read


def _yes(cell: str) -> bool:
    return _word("yes", "no")(cell) == "yes"


def day(cell: str) -> date:
    if not re.fullmatch(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}", cell):
        raise ValueError(_DAY)
    try:
        return date.fromisoformat(cell)
    except ValueError:
        raise ValueError("is no day of the calendar") from None


def moment(cell: str) -> datetime:
    """A moment in UTC; without an offset it is in the shop's zone (LOC-3). Raises ValueError."""
    why = "must be a moment such as 2025-11-03T09:00 or 2025-11-03T08:00Z"
    if "T" not in cell:
        raise ValueError(why)
    try:
        return cells.moment(cell)
    except (ValueError, OverflowError):
        raise ValueError(why) from None


def _amount(least: int) -> Callable[[str], int]:
    """An amount in units of the currency, with a point before a fraction, in minor units (LOC-2)."""
    places = len(str(MINOR)) - 1
    whole = re.compile(r"[0-9]{1,9}" + (rf"(?:\.([0-9]{{1,{places}}}))?" if places else "()"))

    def read(cell):
        found = whole.fullmatch(cell)
        if not found:
            raise ValueError("must be an amount such as 1899 or 1899.50, without other separators")
        units, _, fraction = cell.partition(".")
        minor = int(units) * MINOR + (int(fraction.ljust(places, "0")) if fraction else 0)
        if not least <= minor <= _MOST_MINOR:
            raise ValueError(f"must be from {least / MINOR:g} to {_MOST_MINOR // MINOR}")
        return minor

    return read


def _whole(*allowed: int) -> Callable[[str], int]:
    def read(cell):
        if not re.fullmatch("[0-9]{1,2}", cell) or int(cell) not in allowed:
            raise ValueError(f"must be {', '.join(map(str, allowed[:-1]))} or {allowed[-1]}")
        return int(cell)

    return read


def _count(most: int) -> Callable[[str], int]:
    def read(cell):
        if not re.fullmatch("[0-9]{1,2}", cell) or int(cell) > most:
            raise ValueError(f"must be a whole number from 0 to {most}")
        return int(cell)

    return read


def _code(longest: int) -> Callable[[str], str]:
    return _like(
        rf"[A-Za-z0-9][A-Za-z0-9._/-]{{0,{longest - 1}}}",
        f"must be at most {longest} letters, digits, points, hyphens and strokes",
    )


_MSISDN = _like("[1-9][0-9]{7,14}", "must be a number with its country code in digits alone, such as 38970123456")
_SUBSCRIBER = _code(Subscriber.code.max_length)

# Column → its reader, and what a blank cell means: … is "may not be blank".
Columns = dict[str, tuple[Callable[[str], object], object]]

SUBSCRIBERS: Columns = {
    "code": (_SUBSCRIBER, ...),
    "holder_id": (_like("[A-Z0-9]{5,20}", "must be 5 to 20 digits and capital letters"), ...),
    "segment": (_word("private", "business"), ...),
    "since": (day, ...),
    "first_name": (_text(Holder.first_name.max_length), ""),
    "last_name": (_text(Holder.last_name.max_length), ""),
    "company": (_text(Holder.company.max_length), ""),
    "has_history": (_yes, False),
}
NUMBERS: Columns = {
    "msisdn": (_MSISDN, ...),
    "subscriber": (_SUBSCRIBER, ...),
    "sim_end": (_like("[0-9]{6}", "must be the last six digits of the SIM's number"), ...),
    "kind": (_word("prepaid", "postpaid"), ...),
    "tariff": (_text(Number.tariff.max_length), ""),
    "active": (_yes, True),
}
INVOICES: Columns = {
    "number": (_code(Invoice.number.max_length), ...),
    "subscriber": (_SUBSCRIBER, ...),
    "issued_on": (day, ...),
    "due_on": (day, ...),
    "amount": (_amount(1), ...),
    "paid_at": (moment, None),
    "paid_through": (_word(*PAID_THROUGH, REVERSED), ""),
    "cancelled": (_yes, False),
}
CONTRACTS: Columns = {
    "code": (_code(Contract.code.max_length), ...),
    "msisdn": (_MSISDN, ...),
    "kind": (_like("besnik24", "must be besnik24; leave other contracts out"), ...),
    "device": (_text(Contract.device.max_length), ...),
    "started_on": (day, ...),
    "ends_on": (day, ...),
    "price": (_amount(0), ...),
    "instalments": (_whole(1, 6, 12, 24), ...),
    "instalments_paid": (_count(24), ...),
    "paid": (_amount(0), None),
    "ended": (_yes, False),
}
NEW_NUMBERS: Columns = {
    "msisdn": (_MSISDN, ...),
    "state": (_word("free", "sold"), "free"),
}
FIXED_SERVICES: Columns = {
    "code": (_code(FixedService.code.max_length), ...),
    "subscriber": (_SUBSCRIBER, ...),
    "kind": (_word(*FIXED_KINDS), ...),
    "package": (_text(FixedService.package.max_length), ...),
    "active": (_yes, True),
}
# What is told of the club by messages or in files of their own (docs/club.md).
TOPUPS: Columns = {
    "reference": (_code(40), ...),
    "service": (_code(FixedService.code.max_length), ...),
    "topped_up_at": (moment, ...),
    "package": (_text(FixedService.package.max_length), ""),
}
SPENDINGS: Columns = {
    "msisdn": (_MSISDN, ...),
    "month": (_like("20[0-9]{2}-(0[1-9]|1[0-2])", "must be a year and a month such as 2026-02"), ...),
    "amount": (_amount(0), ...),
}
CLUB_SERVICES: Columns = {
    "service": (_like("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "must be the event's service"), ...),
    "result": (_word("active", "refused"), ...),
}

# Columns that a file may do without.
OPTIONAL = frozenset({"company", "has_history", "tariff", "active", "cancelled", "paid", "ended", "state"})


def wrong_subscriber(values: dict):
    """Of cells that disagree: (column, reason)."""
    if values.get("segment") == "business" and not values.get("company"):
        yield "company", "is blank, but a business has a name"
    if values.get("segment") == "private":
        for name in ("first_name", "last_name"):
            if name in values and not values[name]:
                yield name, "is blank, but a private holder has a name"


def wrong_invoice(values: dict):
    if "issued_on" in values and "due_on" in values and values["due_on"] < values["issued_on"]:
        yield "due_on", "is before issued_on"
    if "paid_at" not in values or "paid_through" not in values:
        return
    through = values["paid_through"]
    if values["paid_at"] is not None and through in ("", REVERSED):
        yield "paid_through", "is not told, but paid_at is"
    if values["paid_at"] is None and through not in ("", REVERSED):
        yield "paid_at", "is blank, but paid_through is not"


def wrong_contract(values: dict):
    if "started_on" in values and "ends_on" in values and values["ends_on"] < values["started_on"]:
        yield "ends_on", "is before started_on"
    paid, all_ = values.get("instalments_paid"), values.get("instalments")
    if paid is not None and all_ is not None and paid > all_:
        yield "instalments_paid", "is more than there are instalments"
    if values.get("paid") is not None and "price" in values and values["paid"] > values["price"]:
        yield "paid", "is more than the price"
