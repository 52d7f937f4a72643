"""A device as its page offers it: every colour and storage, every contract type and tariff, and which of them is
meant (CAT-3, CAT-4, OFF-1, OFF-2)."""

from dataclasses import dataclass

from peewee import JOIN

from models.catalogue import CONTRACT_MONTHS, Device, Promotion, Tariff, TariffPrice, Variant
from models.instalments import PARTS
from models.payment_ways import CARD, FIRST_BILL, INSTALMENTS, ways
from models.pricing import Price, device_only_price
from models.quote import Quote, quote

# Bought with a tariff.
CONTRACTS = ("new_number", "besnik24")
# As they stand on the page; the first one that a contract type has is what it opens with.
_ORDER = (INSTALMENTS, CARD, FIRST_BILL)


class NotOffered(Exception):
    """A device is not sold that way; `what` says why: "type", "tariff" or "payment"."""

    def __init__(self, what: str):
        super().__init__(what)
        self.what = what


def payments(contract_type: str) -> tuple[str, ...]:
    """The ways to pay that somebody has, in the page's order (PAY-1); the checkout says who.

    Points come with a card payment, and are asked for there.
    """
    there = ways(contract_type, logged_in=True, own_number=True)
    return tuple(way for way in _ORDER if way in there)


@dataclass(frozen=True, slots=True)
class TariffOffer:
    """A variant in one tariff: `price` is the device's for the whole contract, minor units (CAT-5)."""

    tariff: Tariff
    price: int


@dataclass(frozen=True, slots=True)
class Terms:
    """How a variant is bought: contract type, tariff (None for a device alone), way of payment and its parts."""

    contract_type: str
    # Of the device, minor units.
    price: int
    tariff: Tariff | None = None
    payment: str = CARD
    # Of instalments alone.
    parts: int | None = None

    @property
    def quote(self) -> Quote:
        monthly = self.tariff.monthly_price if self.tariff else None
        return quote(self.price, self.payment, self.parts, monthly)

    @property
    def key(self) -> tuple:
        """What tells these terms from every other of the same variant."""
        return (self.contract_type, self.tariff and self.tariff.code, self.payment, self.parts)


@dataclass(frozen=True, slots=True)
class Offer:
    """One variant with what it costs now."""

    variant: Variant
    price: Price
    # What a private subscriber pays, where that is less.
    private: Price | None
    # Contract type → what the variant costs in each tariff, in the tariffs' order.
    tariffs: dict[str, tuple[TariffOffer, ...]]

    def price_for(self, segment: str | None) -> Price:
        """The device alone, for a shopper of `segment` (CAT-5)."""
        return self.private if self.private is not None and segment == "private" else self.price

    def lowest(self, contract_type: str) -> int | None:
        """The device's price in the tariff in which it costs least; None where it is not sold so."""
        return min((one.price for one in self.tariffs.get(contract_type, ())), default=None)

    def has(self, contract_type: str) -> bool:
        return contract_type == "device_only" or bool(self.tariffs.get(contract_type))

    def in_tariff(self, contract_type: str, code: str | None) -> TariffOffer | None:
        return next((one for one in self.tariffs.get(contract_type, ()) if one.tariff.code == code), None)

    def terms(
        self,
        contract_type: str | None,
        tariff: str | None = None,
        payment: str | None = None,
        parts: int | None = None,
        segment: str | None = None,
    ) -> Terms:
        """Exactly these terms; a contract reads `parts` with instalments alone. Raises NotOffered. (OFF-1, OFF-2)"""
        if contract_type is None or not self.has(contract_type):
            raise NotOffered("type")
        if contract_type == "device_only":
            if tariff is not None:
                raise NotOffered("tariff")
            if payment not in (None, CARD) or parts is not None:
                raise NotOffered("payment")
            return Terms(contract_type, self.price_for(segment).now)
        found = self.in_tariff(contract_type, tariff)
        if found is None:
            raise NotOffered("tariff")
        if payment not in payments(contract_type):
            raise NotOffered("payment")
        if payment != INSTALMENTS:
            parts = None
        elif parts not in PARTS:
            raise NotOffered("payment")
        return Terms(contract_type, found.price, found.tariff, payment, parts)

    def nearest_terms(
        self,
        contract_type: str | None,
        tariff: str | None = None,
        payment: str | None = None,
        parts: int | None = None,
        segment: str | None = None,
    ) -> tuple[Terms, str | None]:
        """The terms that are shown for a wish, and what of it cannot be met: "type", "tariff", "payment" or None.

        Without a wish it is the device alone; a contract opens with the tariff that costs least over its months.
        """
        if contract_type is None or not self.has(contract_type):
            return self.terms("device_only", segment=segment), "type" if contract_type else None
        if contract_type == "device_only":
            missed = "payment" if payment not in (None, CARD) else None
            return self.terms("device_only", segment=segment), missed
        missed = None
        found = self.in_tariff(contract_type, tariff)
        if found is None:
            missed = "tariff" if tariff else None
            found = min(
                self.tariffs[contract_type],
                key=lambda one: one.price + CONTRACT_MONTHS * one.tariff.monthly_price,
            )
        there = payments(contract_type)
        if payment not in there:
            missed = missed or ("payment" if payment else None)
            payment = there[0]
        parts = (parts if parts in PARTS else max(PARTS)) if payment == INSTALMENTS else None
        return Terms(contract_type, found.price, found.tariff, payment, parts), missed

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
        """None where no such device is sold. Three queries, two for what has no contracts."""
        device = Device.of_slug(slug)
        if device is None:
            return None
        promotions: dict[int, list[Promotion]] = {}
        variants = {}
        for row in (
            Variant.select(Variant, Promotion)
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
        tariffs = _tariffs(device) if device.kind in ("phone", "tablet") else {}
        for variant in variants.values():
            variant.device = device
        return cls(
            device,
            [
                _offer(variant, promotions.get(number, []), tariffs.get(number, {}), now)
                for number, variant in variants.items()
            ],
        )

    @classmethod
    def made_of(cls, device, variants, promotions, prices, now) -> "Choice":
        """Of rows that need not be in the database; `promotions` by variant id, `prices` in the tariffs' order."""
        tariffs: dict[int, dict] = {}
        for row in prices:
            of_variant = tariffs.setdefault(row.variant.id, {})
            offer = TariffOffer(row.tariff, row.price)
            of_variant[row.contract_type] = (*of_variant.get(row.contract_type, ()), offer)
        return cls(
            device,
            [_offer(one, promotions.get(one.id, []), tariffs.get(one.id, {}), now) for one in variants],
        )

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

    def of_variant(self, variant: Variant) -> Offer | None:
        return next((offer for offer in self.offers if offer.variant.id == variant.id), None)

    @property
    def has_private(self) -> bool:
        """Whether anything of it costs less for private subscribers (CAT-5)."""
        return any(offer.private is not None for offer in self.offers)

    def tariff(self, code: str | None) -> Tariff | None:
        """A tariff in which any of its variants is sold."""
        for offer in self.offers:
            for contract_type in CONTRACTS:
                found = offer.in_tariff(contract_type, code)
                if found is not None:
                    return found.tariff
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


def _tariffs(device: Device) -> dict[int, dict[str, tuple[TariffOffer, ...]]]:
    """Variant's id → contract type → its price in each tariff; one query."""
    found: dict[int, dict[str, tuple[TariffOffer, ...]]] = {}
    # All variants share the few tariffs: a process keeps many devices.
    shared: dict[int, Tariff] = {}
    for row in (
        TariffPrice.select(TariffPrice, Tariff)
        .join_from(TariffPrice, Tariff)
        .join_from(TariffPrice, Variant)
        .where(Variant.device == device, Variant.listed, Tariff.listed)
        .order_by(Tariff.position, Tariff.id)
    ):
        tariff = shared.setdefault(row.tariff_id, row.tariff)
        of_variant = found.setdefault(row.variant_id, {})
        of_variant[row.contract_type] = (*of_variant.get(row.contract_type, ()), TariffOffer(tariff, row.price))
    return found


def _offer(variant, promotions, tariffs, now):
    price = device_only_price(variant, promotions, now)
    private = device_only_price(variant, promotions, now, "private")
    return Offer(variant, price, private if private.now < price.now else None, tariffs)
