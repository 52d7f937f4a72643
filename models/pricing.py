"""What a variant costs now (CAT-5)."""

from dataclasses import dataclass, field
from datetime import datetime

from models.catalogue import CONTRACT_MONTHS, Promotion, Variant
from models.money import STEP


@dataclass(frozen=True, slots=True)
class Price:
    """A price in minor units, with the one it was lowered from."""

    now: int
    before: int | None = None
    # Promotions are online-only prices: they hold in this shop alone.
    segment: str | None = None
    # From when until when it is lowered; None where there is no such end.
    since: datetime | None = field(default=None, compare=False)
    until: datetime | None = field(default=None, compare=False)

    @property
    def percent_off(self) -> int:
        """How many per cent are off, rounded to whole ones; 0 without a discount."""
        if not self.before:
            return 0
        return round((self.before - self.now) * 100 / self.before)


def monthly_price(total: int) -> int:
    """What a contract's price of `total` is per month, up to the least amount people reckon with; minor units."""
    return -(-total // CONTRACT_MONTHS // STEP) * STEP


def device_only_price(variant: Variant, promotions: list[Promotion], now, segment: str | None = None) -> Price:
    """The best device-only price for a shopper of `segment` (None: a guest) at `now`.

    `promotions` are those of the variant.
    """
    best, chosen = variant.price, None
    for promotion in promotions:
        if promotion.applies(now, segment):
            price = promotion.lowers(variant.price)
            if price < best:
                best, chosen = price, promotion
    if chosen is None:
        return Price(best)
    return Price(best, variant.price, chosen.segment, chosen.starts_at, chosen.ends_at)
