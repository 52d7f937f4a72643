"""What a choice costs and when: today, on the first bill, each month, in all (OFF-2). Pure, without a database."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby, zip_longest

from models.catalogue import CONTRACT_MONTHS
from models.instalments import split
from models.payment_ways import CARD, FIRST_BILL, INSTALMENTS


@dataclass(frozen=True, slots=True)
class Quote:
    """Amounts in minor units; today's, the first bill's and the instalments add up to the device's price."""

    # Charged to the card when the order is placed.
    today: int
    # The device's whole price, charged once with the first bill; 0 where it is not paid so.
    first_bill: int
    # The device's part on each bill, the larger ones first; empty where it is not paid so (PAY-3).
    instalments: list[int]
    # The tariff's monthly price; 0 without a tariff.
    monthly: int
    # The first bill altogether: tariff, first instalment, and what is charged once.
    first_month: int
    device_total: int
    # Device and tariff over the whole contract; without a tariff the device alone.
    contract_total: int

    @property
    def bills(self) -> list[int]:
        """What each monthly bill of the contract is charged with, the first one first; empty when nothing is."""
        if not (self.monthly or self.instalments or self.first_bill):
            return []
        months = max(CONTRACT_MONTHS if self.monthly else 1, len(self.instalments))
        parts = self.instalments + [0] * (months - len(self.instalments))
        bills = [part + (self.monthly if month < CONTRACT_MONTHS else 0) for month, part in enumerate(parts)]
        bills[0] += self.first_bill
        return bills

    @property
    def months(self) -> list[tuple[int, int, int]]:
        """`bills` as stretches of equal ones: (from month, to month, amount), both counted from 1."""
        stretches = []
        month = 1
        for amount, equal in groupby(self.bills):
            length = len(list(equal))
            stretches.append((month, month + length - 1, amount))
            month += length
        return stretches


def quote(price: int, payment: str, parts: int | None, tariff_monthly: int | None, quantity: int = 1) -> Quote:
    """What `quantity` pieces at `price` each cost, paid by `payment`: card, first_bill or instalments (OFF-2, PAY-3).

    `parts` belongs to instalments alone. Raises ValueError for another way to pay, for instalments without parts or
    parts without instalments, and for a price, a tariff or a quantity that cannot be.
    """
    if quantity < 1 or price < 0 or (tariff_monthly or 0) < 0:
        raise ValueError(f"no such purchase: {quantity} at {price} with {tariff_monthly} a month")
    if payment not in (CARD, FIRST_BILL, INSTALMENTS):
        raise ValueError(f"no way to pay a device: {payment!r}")
    if (payment == INSTALMENTS) != (parts is not None):
        raise ValueError(f"{payment} in {parts} parts")
    total = price * quantity
    monthly = (tariff_monthly or 0) * quantity
    instalments = split(total, parts) if payment == INSTALMENTS else []
    first_bill = total if payment == FIRST_BILL else 0
    return Quote(
        today=total if payment == CARD else 0,
        first_bill=first_bill,
        instalments=instalments,
        monthly=monthly,
        first_month=monthly + first_bill + (instalments[0] if instalments else 0),
        device_total=total,
        contract_total=total + CONTRACT_MONTHS * monthly,
    )


def together(quotes: Iterable[Quote]) -> Quote:
    """What several choices cost as one purchase: each amount is the sum of theirs."""
    quotes = list(quotes)

    def total(name: str) -> int:
        return sum(getattr(one, name) for one in quotes)

    return Quote(
        today=total("today"),
        first_bill=total("first_bill"),
        instalments=[sum(parts) for parts in zip_longest(*(one.instalments for one in quotes), fillvalue=0)],
        monthly=total("monthly"),
        first_month=total("first_month"),
        device_total=total("device_total"),
        contract_total=total("contract_total"),
    )
