"""What a product feed says of each variant, read batch by batch: the whole catalogue is never in memory."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from models.catalogue import Brand, Device, Listing, Promotion, Variant
from models.pricing import Price, device_only_price

# Devices read at once.
BATCH = 250


@dataclass(frozen=True, slots=True)
class Item:
    """A variant with what it costs a guest without a contract."""

    variant: Variant
    price: Price


def items(now: datetime, batch: int = BATCH) -> Iterator[tuple[Device, list[Item]]]:
    """Every device that is shown, in the order of ids, with its variants; three queries for a batch of them."""
    after = 0
    while True:
        devices = list(
            Device.select(Device, Brand)
            .join_from(Device, Brand)
            .join_from(Device, Listing, on=(Listing.device == Device.id))
            .where(Device.id > after, Listing.shown, Device.listed)
            .order_by(Device.id)
            .limit(batch)
        )
        if not devices:
            return
        after = devices[-1].id
        variants = _variants(devices)
        promotions = _promotions(devices, now)
        for device in devices:
            found = []
            for variant in variants[device.id]:
                variant.device = device
                found.append(Item(variant, device_only_price(variant, promotions[variant.id], now)))
            if found:
                yield device, found


def _variants(devices) -> dict[int, list[Variant]]:
    found = defaultdict(list)
    for row in (
        Variant.select(
            Variant.id,
            Variant.device,
            Variant.sku,
            Variant.colour_sq,
            Variant.colour_mk,
            Variant.colour_en,
            Variant.colour_hex,
            Variant.storage_gb,
            Variant.ram_gb,
            Variant.price,
            Variant.stock,
            Variant.screen,
            Variant.photo,
        )
        .where(Variant.device.in_([device.id for device in devices]), Variant.listed)
        .order_by(Variant.device, Variant.position, Variant.id)
    ):
        found[row.device_id].append(row)
    return found


def _promotions(devices, now) -> dict[int, list[Promotion]]:
    found = defaultdict(list)
    for row in (
        Promotion.select(Promotion)
        .join(Variant)
        .where(
            Variant.device.in_([device.id for device in devices]),
            Promotion.segment == "all",
            (Promotion.ends_at.is_null()) | (Promotion.ends_at > now),
        )
    ):
        found[row.variant_id].append(row)
    return found
