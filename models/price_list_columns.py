"""The columns of the operator's price list, and what must hold between the cells of a row (CAT-4, CAT-5)."""

import re
from collections.abc import Iterator
from datetime import datetime

import config
from models import cells, drawing
from models.catalogue import KINDS, LANGUAGES, SEGMENTS, Brand, Device, Gift, Variant

FAMILIES = ("black", "white", "grey", "silver", "blue", "green", "red", "pink", "purple")
FAMILIES += ("yellow", "orange", "gold", "brown")
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# The kinds that are sold with a contract (OFF-1).
WITH_TARIFF = ("phone", "tablet")

_SKU = r"[A-Za-z0-9][A-Za-z0-9._/-]*"
_MEGAPIXELS = cells.like(r"[0-9]+(\.[0-9]+)?( ?\+ ?[0-9]+(\.[0-9]+)?)*", "50+12+10", 40)
_USUAL_DRAWING = {"phone": "phone", "tablet": "tablet", "prepaid_sim": "sim"}


def _photo(cell):
    if "/" in cell or "\\" in cell:
        raise ValueError("must be a file's name alone, without a folder")
    name = r"[A-Za-z0-9][A-Za-z0-9._-]*\.(jpe?g|png|webp|avif)"
    return cells.like(name, "galaxy-s25-blue.jpg", Variant.photo.max_length)(cell)


def _fits(cell):
    names = cell.split()
    for name in names:
        group, _, what = name.partition(":")
        if group == "kind" and what not in KINDS:
            raise ValueError(f"names the kind {cells.shown(what)}; there are {', '.join(KINDS)}")
        if not (group in ("kind", "brand") and what) and not SLUG.fullmatch(name):
            raise ValueError(f"must name slugs, kind:… or brand:…, not {cells.shown(name)}")
    return list(dict.fromkeys(names))


def _in_languages(stem, read):
    return {f"{stem}_{language}": read for language in LANGUAGES}


PORTS = ("usb-c", "lightning", "micro-usb")
# Facts of a device that its page shows; what a device has not is left blank.
FACTS = {
    "screen_in": cells.number(0.5, 40),
    "screen_tech": cells.text(60),
    "screen_px": cells.like(r"[0-9]{2,5} ?[x×] ?[0-9]{2,5}", "1080x2340", 20),
    "refresh_hz": cells.whole(1, 1000),
    "chipset": cells.text(80),
    "rear_mp": _MEGAPIXELS,
    "front_mp": _MEGAPIXELS,
    "battery_mah": cells.whole(1, 100_000),
    "charging_w": cells.number(0.1, 1000),
    "network": cells.one_of("5G", "4G", "3G", "2G", "none"),
    "sim": cells.text(60),
    "os": cells.text(20),
    "os_version": cells.text(30),
    "size_mm": cells.like(r"[0-9]+(\.[0-9]+)?( ?[x×] ?[0-9]+(\.[0-9]+)?){1,2}", "147.6x71.6x7.8", 40),
    "weight_g": cells.number(0.1, 100_000),
    "water": cells.text(20),
    "bluetooth": cells.like(r"[0-9](\.[0-9])?", "5.3", 4),
    "in_box": cells.text(200),
    "power_w": cells.number(0.1, 10_000),
    "capacity_mah": cells.whole(1, 1_000_000),
    "length_m": cells.number(0.01, 100),
    "battery_hours": cells.number(0.1, 100_000),
    # What a device is charged through, and what a cable or charger goes into.
    "port": cells.one_of(*PORTS),
}
# They say the same on every row of a device.
OF_DEVICE = {
    "kind": cells.one_of(*KINDS),
    "brand": cells.text(Brand.name.max_length),
    "slug": cells.like(SLUG.pattern, "samsung-galaxy-s25", Device.slug.max_length),
    **_in_languages("name", cells.text(Device.name_sq.max_length)),
    **_in_languages("note", cells.text(Device.note_sq.max_length)),
    "released": cells.month,
    "popularity": cells.whole(0, 1_000_000),
    "warranty_months": cells.whole(0, 120),
    **FACTS,
    "draw_kind": cells.one_of(*drawing.KINDS),
    "draw_camera": cells.text(20),
    "draw_hole": cells.one_of(*drawing.HOLES),
    "fits": _fits,
    **_in_languages("gift", cells.text(Gift.name_sq.max_length)),
    "gift_sku": cells.like(_SKU, "SAM-BFE-GRAFIT", Gift.sku.max_length),
    "gift_stock": cells.whole(0, 1_000_000),
}
OF_VARIANT = {
    "sku": cells.like(_SKU, "SAM-S25-BLU-128", Variant.sku.max_length),
    **_in_languages("colour", cells.text(Variant.colour_sq.max_length)),
    "colour_hex": cells.colour,
    "colour_family": cells.one_of(*FAMILIES),
    "storage_gb": cells.whole(1, 100_000),
    "ram_gb": cells.whole(1, 10_000),
    "price": cells.amount(1),
    "stock": cells.whole(0, 1_000_000),
    "draw_screen": cells.colours(3),
    "photo": _photo,
    "promo_percent": cells.whole(1, 90),
    "promo_price": cells.amount(1),
    "promo_from": cells.moment,
    "promo_until": cells.moment,
    "promo_segment": cells.one_of(*SEGMENTS),
}
# besnik24:CODE and new_number:CODE: the price with that tariff.
TARIFF_COLUMN = re.compile(r"(besnik24|new_number):(.+)")
TARIFF_PRICE = cells.amount(0)
# Their columns must be there and their cells may not be blank; the other columns may be left out.
NEEDED = ("sku", "kind", "brand", "slug", *(f"name_{language}" for language in config.LANGUAGES), "released")
NEEDED += ("colour_hex", "colour_family", "price", "stock")
# Two variants of a device differ in one of them (CAT-4).
LOOK = ("colour_sq", "colour_mk", "colour_en", "colour_hex", "storage_gb", "ram_gb")


def device_wrong(values: dict) -> Iterator[tuple[str, str]]:
    """What is wrong between the columns of a device: (column, reason)."""
    kind = values.get("kind")
    yield from _in_some_languages(values, "note")
    yield from _in_some_languages(values, "gift")
    if has_gift(values):
        if "gift_stock" not in values:
            yield "gift_stock", "is blank, but there is a gift"
    else:
        for name in ("gift_sku", "gift_stock"):
            if name in values:
                yield name, "belongs to a gift, but gift_sq, gift_mk and gift_en are blank"
    if kind and kind != "accessory" and "fits" in values:
        yield "fits", "is for accessories alone"
    drawn = drawn_as(values)
    if kind and not drawn:
        yield "draw_kind", f"is blank; an accessory must look like one of {', '.join(drawing.KINDS)}"
    camera = values.get("draw_camera")
    if drawn and camera and camera not in drawing.CAMERAS.get(drawn, ("none",)):
        shapes = ", ".join(drawing.CAMERAS.get(drawn, ("none",)))
        yield "draw_camera", f"of a {drawn} can be {shapes}, not {cells.shown(camera)}"


def variant_wrong(values: dict) -> Iterator[tuple[str, str]]:
    """What is wrong between the columns of a variant: (column, reason)."""
    yield from _in_some_languages(values, "colour")
    percent, price = values.get("promo_percent"), values.get("promo_price")
    if percent is not None and price is not None:
        yield "promo_price", "is given beside promo_percent; a promotion has one of them"
    if percent is None and price is None:
        for name in ("promo_from", "promo_until", "promo_segment"):
            if name in values:
                yield name, "belongs to a promotion, but promo_percent and promo_price are blank"
    if price is not None and price >= values.get("price", price + 1):
        yield "promo_price", "is not below the price"
    starts, ends = promotion_period(values)
    if starts and ends and ends <= starts:
        yield "promo_until", "is not after promo_from"


def _in_some_languages(values, stem):
    given = [language for language in LANGUAGES if f"{stem}_{language}" in values]
    if given:
        for language in config.LANGUAGES:
            if language not in given:
                yield f"{stem}_{language}", f"is blank, but {stem}_{given[0]} is not"


def text_in(values: dict, stem: str, language: str) -> str:
    """What the cells say in `language`; in one that the shop does not speak, as in its first."""
    return values.get(f"{stem}_{language}") or values.get(f"{stem}_{config.LANGUAGES[0]}") or ""


def has_gift(values: dict) -> bool:
    return any(f"gift_{language}" in values for language in LANGUAGES)


def drawn_as(values: dict) -> str | None:
    """The kind of drawing; None for an accessory that does not say."""
    return values.get("draw_kind") or _USUAL_DRAWING.get(values.get("kind"))


def promotion_period(values: dict) -> tuple[datetime | None, datetime | None]:
    """When the promotion starts and ends; a day that is named as the last counts in full."""
    starts, ends = values.get("promo_from"), values.get("promo_until")
    return (
        starts[0] if isinstance(starts, tuple) else starts,
        ends[1] if isinstance(ends, tuple) else ends,
    )
