"""A device as its page offers it: every colour and storage, and which of them is meant (CAT-3, CAT-4)."""

from dataclasses import dataclass

from peewee import JOIN, fn

from models.catalogue import Device, Promotion, TariffPrice, Variant
from models.pricing import Price, device_only_price, monthly_price


@dataclass(frozen=True, slots=True)
class Offer:
    """One variant with what it costs now."""

    variant: Variant
    price: Price
    # What a private subscriber pays, where that is less.
    private: Price | None
    # Contract type → the lowest price per month of contract, minor units.
    monthly: dict[str, int]

    @property
    def in_stock(self) -> bool:
        return self.variant.stock > 0

    @property
    def colour(self) -> str:
        return self.variant.colour_code

    @property
    def storage(self) -> int | None:
        return self.variant.storage_gb


class Choice:
    """The offers of one device, in the price list's order."""

    def __init__(self, device: Device, offers: list[Offer]):
        self.device = device
        self.offers = offers

    @classmethod
    def of_slug(cls, slug: str, now) -> "Choice | None":
        """None where no such device is sold. Two queries."""
        device = Device.of_slug(slug)
        if device is None:
            return None
        promotions: dict[int, list[Promotion]] = {}
        variants = {}
        for row in (
            Variant.select(Variant, Promotion, _cheapest("besnik24"), _cheapest("new_number"))
            .join(Promotion, JOIN.LEFT_OUTER, attr="promotion")
            .where(Variant.device == device, Variant.listed)
            .order_by(Variant.position, Variant.id)
        ):
            variants.setdefault(row.id, row)
            promotion = getattr(row, "promotion", None)
            if promotion is not None and promotion.id:
                promotions.setdefault(row.id, []).append(promotion)
        if not variants:
            return None
        return cls(device, [_offer(variant, promotions.get(number, []), now) for number, variant in variants.items()])

    @property
    def first(self) -> Offer:
        """What the page opens with: the cheapest that is in stock, whose price the lists show."""
        return min(self.offers, key=lambda offer: (not offer.in_stock, offer.price.now))

    @property
    def in_stock(self) -> bool:
        return any(offer.in_stock for offer in self.offers)

    @property
    def gift(self):
        """The gift that comes with it while it lasts, or None."""
        gift = getattr(self.device, "gift", None)
        return gift if gift is not None and gift.id and gift.stock > 0 else None

    def colours(self) -> list[Offer]:
        """One offer of each colour: the one in stock, where there is one."""
        return self._one_of_each("colour")

    def storages(self) -> list[Offer]:
        """One offer of each storage, the smallest first."""
        return sorted(
            (offer for offer in self._one_of_each("storage") if offer.storage), key=lambda offer: offer.storage
        )

    def exactly(self, colour: str | None, storage: int | None) -> Offer | None:
        for offer in self.offers:
            if offer.colour == colour and offer.storage == storage:
                return offer
        return None

    def nearest(self, colour: str | None, storage: int | None, keep: str = "") -> tuple[Offer, bool]:
        """What is shown for a wish, and whether it is the wish itself.

        `keep` is what the shopper has just chosen, "colour" or "storage": it stays as long as something of it is
        in stock, and the other gives way. What the device does not have at all is no wish.
        """
        colours = {offer.colour for offer in self.offers}
        storages = {offer.storage for offer in self.offers}
        colour = colour if colour in colours else None
        storage = storage if storage in storages else None
        if colour is None and storage is None:
            return self.first, True
        exact = self.exactly(colour, storage)
        if exact is not None and (exact.in_stock or not keep):
            return exact, True

        def distance(offer):
            same_colour, same_storage = offer.colour == colour, offer.storage == storage
            kept = same_storage if keep == "storage" else same_colour
            if colour is None or storage is None:
                kept = same_colour or same_storage
            gap = abs((offer.storage or 0) - (storage or offer.storage or 0))
            return (not kept, not offer.in_stock, offer is not exact, not same_storage, gap, offer.price.now)

        found = min(self.offers, key=distance)
        return found, found is exact or colour is None or storage is None

    def _one_of_each(self, name):
        found = {}
        for offer in self.offers:
            value = getattr(offer, name)
            if value not in found or (offer.in_stock and not found[value].in_stock):
                found[value] = offer
        return list(found.values())


def _cheapest(contract_type):
    return (
        TariffPrice.select(fn.MIN(TariffPrice.price))
        .where(TariffPrice.variant == Variant.id, TariffPrice.contract_type == contract_type)
        .alias(contract_type)
    )


def _offer(variant, promotions, now):
    price = device_only_price(variant, promotions, now)
    private = device_only_price(variant, promotions, now, "private")
    monthly = {
        contract_type: monthly_price(total)
        for contract_type in ("besnik24", "new_number")
        if (total := getattr(variant, contract_type, None)) is not None
    }
    return Offer(variant, price, private if private.now < price.now else None, monthly)
