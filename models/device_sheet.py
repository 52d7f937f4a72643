"""A device as its editors change it: named by the columns of the price list, and compared field by field (DSK-4).

A sheet has no pieces: stock is moved (models/stock_movement.py), never set.
"""

import json
from collections.abc import Iterator
from datetime import datetime

from peewee import fn

from models.catalogue import LANGUAGES, Brand, Device, Gift, Promotion, Tariff, TariffPrice, Variant
from models.catalogue_batch import parts
from models.choice import CONTRACTS, Choice
from models.drawing import CAMERAS
from models.price_list_columns import FACTS, LOOK, WITH_TARIFF, device_wrong, drawn_as, has_gift, variant_wrong
from models.shelf import card_of, relist

_TEXTS = tuple(f"{stem}_{language}" for stem in ("name", "note") for language in LANGUAGES)
_GIFT = tuple(f"gift_{language}" for language in LANGUAGES)
_NUMBERS = ("released", "popularity", "warranty_months")
_VARIANT = ("position", *LOOK, "colour_family", "price", "screen", "photo", "listed")
_MANY_VARIANTS = 200


class Wrong(ValueError):
    """What keeps a sheet from being published: `problems` are (path, reason)."""

    def __init__(self, problems: list[tuple[str, str]]):
        super().__init__("; ".join(f"{path}: {reason}" for path, reason in problems))
        self.problems = problems


class DeviceSheet:
    """Everything of a device that is edited.

    `device`: column → value, blanks left out; `listed` says whether the shop shows it. `variants`: SKU → column →
    value, in the order they are shown; `promotions` is a list, `besnik24:CODE` and `new_number:CODE` are prices with
    that tariff. Amounts are minor units, moments ISO texts: a sheet is JSON.
    """

    def __init__(self, device: dict, variants: dict[str, dict]):
        self.device = device
        self.variants = variants

    @classmethod
    def of(cls, device: Device) -> "DeviceSheet":
        """The device as the shop has it; five queries."""
        values = {"slug": device.slug, "kind": device.kind, "brand": device.brand.name, "listed": device.listed}
        values |= {name: getattr(device, name) for name in (*_TEXTS, *_NUMBERS) if getattr(device, name)}
        values["warranty_months"] = device.warranty_months
        values |= {name: device.facts[name] for name in FACTS if device.facts.get(name) not in (None, "")}
        values |= {f"draw_{name}": value for name, value in device.drawing.items() if value and value != "none"}
        if device.fits:
            values["fits"] = device.fits
        gift = Gift.get_or_none(Gift.device == device)
        if gift is not None:
            values |= {f"gift_{language}": getattr(gift, f"name_{language}") for language in LANGUAGES}
            if gift.sku:
                values["gift_sku"] = gift.sku
        rows = list(Variant.select().where(Variant.device == device).order_by(Variant.position, Variant.id))
        ids = {row.id: row.sku for row in rows}
        variants = {
            row.sku: {name: getattr(row, name) for name in _VARIANT if getattr(row, name) not in (None, "")}
            for row in rows
        }
        prices = (
            TariffPrice.select(TariffPrice.variant, TariffPrice.contract_type, Tariff.code, TariffPrice.price)
            .join(Tariff)
            .where(TariffPrice.variant.in_(list(ids)))
            .order_by(Tariff.position, Tariff.id)
        )
        for variant, contract, code, price in prices.tuples():
            variants[ids[variant]][f"{contract}:{code}"] = price
        for row in Promotion.select().where(Promotion.variant.in_(list(ids))).order_by(Promotion.id):
            variants[ids[row.variant_id]].setdefault("promotions", []).append(promotion_json(row))
        for values_of in variants.values():
            values_of.get("promotions", []).sort(key=json.dumps)
        return cls(values, variants)

    @classmethod
    def of_json(cls, value: dict) -> "DeviceSheet":
        return cls(dict(value["device"]), {sku: dict(values) for sku, values in value["variants"].items()})

    def to_json(self) -> dict:
        return {"device": self.device, "variants": self.variants}

    def copy(self) -> "DeviceSheet":
        return DeviceSheet.of_json(json.loads(json.dumps(self.to_json())))

    def flat(self) -> dict:
        """Path → value: "name_sq"; of a variant "price:SKU", of its price with a tariff "besnik24:CODE SKU"."""
        found = dict(self.device)
        for sku, values in self.variants.items():
            for name, value in values.items():
                found[path_of(name, sku)] = value
        return found

    def differences(self, other: "DeviceSheet") -> tuple[dict, dict]:
        """What of `other` is not so here: (before, after) by path; what is not there is None."""
        mine, others = self.flat(), other.flat()
        changed = [path for path in (mine | others) if mine.get(path) != others.get(path)]
        return {path: mine.get(path) for path in changed}, {path: others.get(path) for path in changed}

    def with_changes(self, after: dict) -> "DeviceSheet":
        """This sheet with the values of `after`, by path; None takes a value away."""
        made = self.copy()
        for path, value in after.items():
            name, sku = read_path(path)
            values = made.device if sku is None else made.variants.setdefault(sku, {})
            if value is None:
                values.pop(name, None)
            else:
                values[name] = value
        made.variants = {sku: values for sku, values in made.variants.items() if values}
        return made

    # Checks

    def problems(self) -> Iterator[tuple[str, str]]:
        """What is wrong between the fields, as (path, reason in the words of the price list); three queries."""
        yield from device_wrong({"gift_stock": 0, **self.device} if has_gift(self.device) else self.device)
        if len(self.variants) > _MANY_VARIANTS:
            yield "slug", f"has more than {_MANY_VARIANTS} variants"
        looks: dict[tuple, str] = {}
        for sku, values in self.variants.items():
            for name, reason in _variant_problems(values, self.device.get("kind")):
                yield path_of(name, sku), reason
            if values.get("listed"):
                twin = looks.setdefault(tuple(values.get(name) for name in LOOK), sku)
                if twin != sku:
                    yield path_of("colour_hex", sku), f"has the colour, storage and memory of {twin}"
                    yield path_of("colour_hex", twin), f"has the colour, storage and memory of {sku}"
        slug = self.device["slug"]
        others = Variant.select(Variant.sku, Device.slug).join(Device).where(Variant.sku.in_(list(self.variants)))
        for sku, other in others.tuples():
            if other != slug:
                yield path_of("sku", sku), f"is a variant of {other}"
        yield from self._brand_problems()
        names = [name for name in self.device.get("fits", ()) if ":" not in name]
        if names:
            there = {found for (found,) in Device.select(Device.slug).where(Device.slug.in_(names)).tuples()}
            for name in names:
                if name not in there:
                    yield "fits", f"names “{name}”, which is not in the shop"

    def _brand_problems(self):
        brand = self.device.get("brand", "")
        twin = Brand.get_or_none(fn.LOWER(Brand.name) == brand.lower())
        if twin is not None and twin.name != brand:
            yield "brand", f"is “{brand}”, but “{twin.name}” elsewhere"

    # What the shop would show

    def _models(self) -> tuple[Device, list[Variant], dict[str, list[Promotion]], list[TariffPrice]]:
        """Rows as they would be written; those that are in the database bear their ids and their pieces."""
        kept = Device.get_or_none(Device.slug == self.device["slug"])
        stock = {}
        gift_stock = 0
        if kept is not None:
            columns = (Variant.sku, Variant.id, Variant.stock)
            stock = {row[0]: row[1:] for row in Variant.select(*columns).where(Variant.device == kept).tuples()}
            gift_stock = Gift.select(Gift.stock).where(Gift.device == kept).scalar() or 0
        device = Device(
            **_device_columns(self.device), slug=self.device["slug"], brand=Brand(name=self.device["brand"])
        )
        device.id = kept.id if kept is not None else 0
        device.gift = _gift_of(self.device, gift_stock)
        tariffs = {tariff.code: tariff for tariff in Tariff.select().where(Tariff.listed)}
        variants, promotions, prices = [], {}, []
        for place, (sku, values) in enumerate(self.variants.items()):
            number, pieces = stock.get(sku, (-1 - place, 0))
            variant = Variant(**_variant_columns(values), device=device, sku=sku, stock=pieces)
            variant.id = number
            if not variant.listed:
                continue
            variants.append(variant)
            promotions[variant.id] = [
                Promotion(variant=variant, **_promotion_columns(one)) for one in values.get("promotions", ())
            ]
            for contract, code, price in _prices(values):
                if code in tariffs:
                    prices.append(
                        TariffPrice(variant=variant, tariff=tariffs[code], contract_type=contract, price=price)
                    )
        variants.sort(key=lambda variant: variant.position)
        prices.sort(key=lambda row: (row.tariff.position, row.tariff.id))
        return device, variants, promotions, prices

    def as_offered(self, now) -> tuple[Choice | None, str]:
        """The device's page and card as they would be: the choice (None where nothing of it is shown), the card."""
        device, variants, promotions, prices = self._models()
        if not variants:
            return None, ""
        gift = device.gift if device.gift is not None and device.gift.name_sq else None
        cheapest = min((row.price for row in prices if row.contract_type == "besnik24"), default=None)
        card = card_of(device, variants, promotions, gift, cheapest, now)
        return Choice.made_of(device, variants, promotions, prices, now), card

    # Writing

    def write(self, live: "DeviceSheet | None", now) -> Device:
        """Make the shop's device, which is as `live` says (None: not there), as this sheet says; and its listing.

        In the caller's transaction, which holds the device's row. Only what differs is written, and never pieces.
        Raises Wrong.
        """
        problems = list(self.problems())
        if problems:
            raise Wrong(problems)
        brand, _ = Brand.get_or_create(name=self.device["brand"])
        columns = {**_device_columns(self.device), "brand": brand}
        if live is None:
            device = Device.create(slug=self.device["slug"], **columns)
        else:
            device = Device.get(Device.slug == self.device["slug"])
            # What the price list knows nothing of stays.
            kept = {name: value for name, value in device.facts.items() if name not in FACTS}
            columns["facts"] = {**kept, **columns["facts"]}
            Device.update(**columns).where(Device.id == device.id).execute()
        old = live.variants if live else {}
        changed = {sku: values for sku, values in self.variants.items() if old.get(sku) != values}
        self._write_variants(device, changed, old)
        self._write_gift(device)
        relist([device.id], now)
        return device

    def _write_variants(self, device, changed, old):
        ids = dict(Variant.select(Variant.sku, Variant.id).where(Variant.device == device).tuples())
        # By variant id, as placing an order takes them.
        for sku in sorted(changed, key=lambda sku: ids.get(sku, 0)):
            values, columns = changed[sku], _variant_columns(changed[sku])
            if sku in ids:
                Variant.update(**columns).where(Variant.id == ids[sku]).execute()
            else:
                ids[sku] = Variant.create(device=device, sku=sku, stock=0, **columns).id
            if list(_prices(old.get(sku, {}))) != list(_prices(values)):
                self._write_prices(ids[sku], values)
            if old.get(sku, {}).get("promotions") != values.get("promotions"):
                Promotion.delete().where(Promotion.variant == ids[sku]).execute()
                for one in values.get("promotions", ()):
                    Promotion.create(variant=ids[sku], **_promotion_columns(one))

    def _write_prices(self, variant, values):
        tariffs = dict(Tariff.select(Tariff.code, Tariff.id).tuples())
        TariffPrice.delete().where(TariffPrice.variant == variant).execute()
        rows = [
            {"variant": variant, "tariff": tariffs[code], "contract_type": contract, "price": price}
            for contract, code, price in _prices(values)
        ]
        for some in parts(rows, 100):
            TariffPrice.insert_many(some).execute()

    def _write_gift(self, device):
        wanted = _gift_of(self.device, 0)
        if wanted is None:
            Gift.delete().where(Gift.device == device).execute()
            return
        names = {f"name_{language}": getattr(wanted, f"name_{language}") for language in LANGUAGES}
        # Its pieces stay: they are moved, never set.
        Gift.insert(device=device, stock=0, sku=wanted.sku, **names).on_conflict(
            conflict_target=[Gift.device], update={**names, "sku": wanted.sku}
        ).execute()


def path_of(name: str, sku: str) -> str:
    """Where a variant's value stands in a flat sheet, and in the trail."""
    return f"{name} {sku}" if ":" in name else f"{name}:{sku}"


def read_path(path: str) -> tuple[str, str | None]:
    """(name, SKU); None for what is the device's."""
    name, colon, rest = path.partition(":")
    if not colon:
        return name, None
    code, space, sku = rest.partition(" ")
    return (f"{name}:{code}", sku) if space else (name, rest)


def promotion_json(row: Promotion) -> dict:
    """A promotion as a sheet holds it."""
    values = {"percent": row.percent, "price": row.price, "segment": row.segment}
    for name, at in (("from", row.starts_at), ("until", row.ends_at)):
        values[name] = at.isoformat() if at is not None else None
    return {name: value for name, value in values.items() if value is not None}


def _promotion_columns(one: dict) -> dict:
    return {
        "percent": one.get("percent"),
        "price": one.get("price"),
        "segment": one.get("segment", "all"),
        "starts_at": datetime.fromisoformat(one["from"]) if one.get("from") else None,
        "ends_at": datetime.fromisoformat(one["until"]) if one.get("until") else None,
    }


def _prices(values: dict) -> Iterator[tuple[str, str, int]]:
    """(contract type, tariff's code, price) of a variant."""
    for name, price in sorted(values.items(), key=lambda item: item[0]):
        contract, colon, code = name.partition(":")
        if colon and contract in CONTRACTS:
            yield contract, code, price


def _variant_problems(values: dict, kind: str | None) -> Iterator[tuple[str, str]]:
    yield from variant_wrong({name: value for name, value in values.items() if name != "promotions"})
    for name in ("colour_hex", "colour_family", "price"):
        if name not in values:
            yield name, "is blank"
    for one in values.get("promotions", ()):
        cells = {
            "price": values.get("price", 1),
            "promo_percent": one.get("percent"),
            "promo_price": one.get("price"),
        }
        for name in ("from", "until"):
            if one.get(name):
                cells[f"promo_{name}"] = datetime.fromisoformat(one[name])
        cells = {name: value for name, value in cells.items() if value is not None}
        for _, reason in variant_wrong(cells):
            yield "promotions", reason
    if kind not in WITH_TARIFF and any(_prices(values)):
        yield (
            next(f"{contract}:{code}" for contract, code, _ in _prices(values)),
            ("must be blank: only phones and tablets are sold with a tariff"),
        )


def _device_columns(values: dict) -> dict:
    drawn = drawn_as(values)
    return {
        "kind": values["kind"],
        **{name: values.get(name, "") for name in _TEXTS},
        "released": values["released"],
        "popularity": values.get("popularity", 0),
        "warranty_months": values.get("warranty_months", Device.warranty_months.default),
        "facts": {name: values[name] for name in FACTS if name in values},
        "drawing": {
            "kind": drawn,
            "camera": values.get("draw_camera") or CAMERAS.get(drawn, ("none",))[0],
            "hole": values.get("draw_hole") or "dot",
        },
        "fits": values.get("fits", []),
        "listed": bool(values.get("listed")),
    }


def _variant_columns(values: dict) -> dict:
    texts = (*(f"colour_{language}" for language in LANGUAGES), "screen", "photo")
    return {
        "position": values.get("position", 0),
        **{name: values.get(name, "") for name in texts},
        "colour_hex": values["colour_hex"],
        "colour_family": values["colour_family"],
        "storage_gb": values.get("storage_gb"),
        "ram_gb": values.get("ram_gb"),
        "price": values["price"],
        "listed": bool(values.get("listed")),
    }


def _gift_of(values: dict, stock: int) -> Gift | None:
    if not has_gift(values):
        return None
    gift = Gift(
        **{f"name_{language}": values.get(f"gift_{language}", "") for language in LANGUAGES},
        sku=values.get("gift_sku", ""),
        stock=stock,
    )
    gift.id = -1
    return gift
