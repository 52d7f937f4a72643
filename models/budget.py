"""What can be had for so much a month with Besnik 24: answered from memory, for any number of devices (CAT-6, OFF-2).

Each process that is asked keeps, of each device and tariff, the cheapest variant in stock: eight bytes each. What
changed since the version it knows is taken in, as the shelf does.
"""

from dataclasses import dataclass, field
from math import floor, log10
from threading import RLock
from typing import NamedTuple

import numpy as np

from models.base import db
from models.catalogue import CONTRACT_MONTHS, CatalogueVersion, Listing, Tariff
from models.instalments import PARTS
from models.money import MINOR
from models.payment_ways import CARD, INSTALMENTS
from models.quote import Quote, quote

KINDS = ("phone", "tablet")
SORTS = ("popular", "month", "total")
# The longest way to pay in parts asks least of a month.
LONGEST = max(PARTS)
# Of the devices' smallest months: where the steps that are offered lie.
_STEPS = (0.02, 0.15, 0.35, 0.55, 0.75, 0.9)
_NEVER = np.iinfo(np.int64).max
# CROSS JOIN: SQLite keeps to the order, from what changed to its prices, in which every step is an index's.
_CHEAPEST = (
    "SELECT variant.device_id, tariff_price.tariff_id, tariff_price.price, variant.id "  # noqa: S608
    "FROM listing CROSS JOIN variant CROSS JOIN tariff_price "
    "WHERE variant.device_id = listing.device_id AND tariff_price.variant_id = variant.id "
    f"AND listing.version > {db.param} AND listing.shown AND listing.kind IN ('phone', 'tablet') "
    "AND variant.listed AND variant.stock > 0 AND tariff_price.contract_type = 'besnik24' "
    "ORDER BY variant.device_id, variant.position, variant.id"
)


class Priced(NamedTuple):
    """A tariff as the index knows it; `monthly_price` in minor units."""

    id: int
    code: str
    name: str
    monthly_price: int


@dataclass(frozen=True, slots=True)
class BudgetQuery:
    """`most` a month, tariff and instalment together, and `today` at most by card; minor units.

    None of `most` is no limit; `tariff` is a code, None any.
    """

    most: int | None = None
    today: int = 0
    tariff: str | None = None
    kind: str | None = None
    sort: str = "popular"
    page: int = 1
    per_page: int = 12

    def __post_init__(self):
        if self.sort not in SORTS:
            raise ValueError(f"unknown sort {self.sort!r}")
        if self.per_page < 1:
            raise ValueError("per_page must be at least 1")


@dataclass(frozen=True, slots=True)
class Fit:
    """A device in the cheapest tariff that fits: which variant, and how it is paid."""

    device: int
    variant: int
    tariff: Priced
    # Of the variant in this tariff, minor units.
    price: int
    payment: str

    @property
    def parts(self) -> int | None:
        return LONGEST if self.payment == INSTALMENTS else None

    @property
    def quote(self) -> Quote:
        return quote(self.price, self.payment, self.parts, self.tariff.monthly_price)

    @property
    def terms(self) -> tuple:
        """As `Terms.key`: what the device's page calls this choice."""
        return ("besnik24", self.tariff.code, self.payment, self.parts)


@dataclass(slots=True)
class BudgetResult:
    """A page of what fits; `least` is the smallest month of all that is asked for but the budget, or None."""

    fits: list[Fit]
    total: int
    page: int
    pages: int
    least: int | None
    tariffs: list[Priced] = field(default_factory=list)


class BudgetIndex:
    """One process's cheapest variants, by device and tariff; its threads take turns."""

    def __init__(self):
        self._turn = RLock()
        self._empty()

    def _empty(self):
        self.version = -1
        self.tariffs: list[Priced] = []
        self._slots: dict[int, int] = {}
        self._ids = np.zeros(0, np.int64)
        self._popularity = np.zeros(0, np.int64)
        self._kind = np.zeros(0, np.int8)
        # By slot and tariff: the lowest price, -1 where there is none, and whose it is.
        self._price = np.zeros((0, 0), np.int64)
        self._variant = np.zeros((0, 0), np.int64)
        self._steps: list[int] | None = None

    def __len__(self) -> int:
        return len(self._slots)

    def fresh(self) -> "BudgetIndex":
        """Take in what changed since the last call: one query when nothing did, four when something did."""
        current = CatalogueVersion.current()
        if current != self.version:
            with self._turn:
                if current != self.version:
                    self._take_in(current)
        return self

    def _take_in(self, current):
        tariffs = [
            Priced(*row)
            for row in Tariff.select(Tariff.id, Tariff.code, Tariff.name, Tariff.monthly_price)
            .where(Tariff.listed)
            .order_by(Tariff.position, Tariff.id)
            .tuples()
        ]
        if current < self.version or [one.id for one in tariffs] != [one.id for one in self.tariffs]:
            # Another database, or other columns: everything anew.
            self._empty()
        self.tariffs = tariffs
        changed = list(
            Listing.select(Listing.device, Listing.kind, Listing.popularity)
            .where(Listing.version > self.version, Listing.kind.in_(KINDS))
            .tuples()
        )
        self._make_room([row[0] for row in changed])
        if changed:
            slots = np.array([self._slots[row[0]] for row in changed])
            self._kind[slots] = [KINDS.index(row[1]) for row in changed]
            self._popularity[slots] = [row[2] for row in changed]
            # What sold out or left the shelf has no prices any more.
            self._price[slots] = -1
            self._read_prices()
        self._steps = None
        self.version = current

    def _make_room(self, devices):
        new = [device for device in devices if device not in self._slots]
        used = len(self._slots)
        for slot, device in enumerate(new, used):
            self._slots[device] = slot
        room, columns, had = len(self._slots), len(self.tariffs), len(self._ids)
        if room > had:
            # A quarter more than is needed, so that devices which come one by one do not copy all the others.
            more = room + room // 4 - had
            for name in ("_ids", "_popularity", "_kind"):
                old = getattr(self, name)
                setattr(self, name, np.concatenate([old, np.zeros(more, old.dtype)]))
            for name, value in (("_price", -1), ("_variant", 0)):
                old = getattr(self, name).reshape(had, columns)
                setattr(self, name, np.concatenate([old, np.full((more, columns), value, np.int64)]))
        self._ids[used:room] = new

    def _read_prices(self):
        column = {tariff.id: at for at, tariff in enumerate(self.tariffs)}
        rows = db.execute_sql(_CHEAPEST, (self.version,))
        best: dict[tuple[int, int], tuple[int, int]] = {}
        for device, tariff, price, variant in rows:
            if tariff not in column or device not in self._slots:
                continue
            key = self._slots[device], column[tariff]
            if key not in best or price < best[key][0]:
                best[key] = price, variant
        if best:
            at = tuple(np.array(list(best)).T)
            values = np.array(list(best.values()))
            self._price[at], self._variant[at] = values[:, 0], values[:, 1]

    # Asking

    def steps(self) -> list[int]:
        """Budgets worth offering, minor units: round ones, from the cheapest device on to where most fit."""
        with self._turn:
            if self._steps is None:
                months = self._months()
                least = months.min(axis=1, initial=_NEVER)
                least = np.sort(least[least < _NEVER])
                picked = [least[int(share * (len(least) - 1))] for share in _STEPS] if len(least) else []
                self._steps = sorted({_round_up(int(amount)) for amount in picked})
            return self._steps

    def _months(self):
        """By slot and tariff: the largest of the equal months, tariff and instalment together; _NEVER without."""
        price = self._price[: len(self._slots)]
        # The larger instalments come first (PAY-3), so the first month is the largest.
        months = -(-price // LONGEST) + self._monthly()
        return np.where(price < 0, _NEVER, months)

    def _monthly(self):
        return np.array([tariff.monthly_price for tariff in self.tariffs], np.int64)

    def search(self, query: BudgetQuery) -> BudgetResult:
        """For each device the tariff that costs least over the contract among those that fit, paid in the longest
        parts where these fit, else at once where that does."""
        with self._turn:
            return self._search(query)

    def _search(self, query):
        used, monthly = len(self._slots), self._monthly()
        price, months = self._price[:used], self._months()
        offered = price >= 0
        if query.tariff is not None:
            offered = offered & np.array([tariff.code == query.tariff for tariff in self.tariffs], bool)
        if query.kind is not None:
            offered = offered & (self._kind[:used] == KINDS.index(query.kind))[:, None]
        least = months[offered].min(initial=_NEVER)
        most = _NEVER - 1 if query.most is None else query.most
        in_parts = offered & (months <= most)
        fits = in_parts
        if query.today:
            fits = fits | (offered & (price <= query.today) & (monthly <= most))
        totals = np.where(fits, price + CONTRACT_MONTHS * monthly, _NEVER)
        if not used or not self.tariffs:
            slots = best = np.zeros(0, np.int64)
        else:
            best = totals.argmin(axis=1)
            slots = np.flatnonzero(fits.any(axis=1))
            best = best[slots]
        popular = (self._ids[slots], -self._popularity[slots])
        if query.sort == "month":
            popular = (*popular, np.where(in_parts[slots, best], months[slots, best], monthly[best]))
        elif query.sort == "total":
            popular = (*popular, totals[slots, best])
        order = np.lexsort(popular)
        pages = max(1, -(-len(slots) // query.per_page))
        page = min(max(1, query.page), pages)
        shown = order[(page - 1) * query.per_page : page * query.per_page]
        return BudgetResult(
            fits=[
                Fit(
                    device=int(self._ids[slot]),
                    variant=int(self._variant[slot, column]),
                    tariff=self.tariffs[column],
                    price=int(price[slot, column]),
                    payment=INSTALMENTS if in_parts[slot, column] else CARD,
                )
                for slot, column in zip(slots[shown].tolist(), best[shown].tolist(), strict=True)
            ],
            total=len(slots),
            page=page,
            pages=pages,
            least=None if least == _NEVER else int(least),
            tariffs=self.tariffs,
        )


def _round_up(amount: int) -> int:
    """Up to a half of its first figure, in whole units: 827 → 850, 1432 → 1500; minor units."""
    whole = max(1, -(-amount // MINOR))
    step = max(1, 10 ** floor(log10(whole)) // 2)
    return -(-whole // step) * step * MINOR


budget = BudgetIndex()
