"""Devices of a price list on their way into the tables, some hundreds at a time (CAT-7)."""

import json
from collections.abc import Iterator

from models import drawing
from models.base import IS_SQLITE, db
from models.catalogue import Brand, Device, Gift, Promotion, Tariff, TariffPrice, Variant
from models.price_list_columns import FACTS, LANGUAGES, drawn_as, has_gift, promotion_period, text_in

_MANY = 5_000
# Variants after which PostgreSQL looks at its tables anew for the first time.
_PLANNED = 1_000

_DEVICE = (
    Device.slug,
    Device.kind,
    Device.brand,
    Device.name_sq,
    Device.name_mk,
    Device.name_en,
    Device.note_sq,
    Device.note_mk,
    Device.note_en,
    Device.released,
    Device.popularity,
    Device.warranty_months,
    Device.facts,
    Device.drawing,
    Device.fits,
    Device.listed,
    Device.digest,
)
_VARIANT = (
    Variant.device,
    Variant.sku,
    Variant.position,
    Variant.colour_sq,
    Variant.colour_mk,
    Variant.colour_en,
    Variant.colour_hex,
    Variant.colour_family,
    Variant.storage_gb,
    Variant.ram_gb,
    Variant.price,
    Variant.stock,
    Variant.screen,
    Variant.photo,
    Variant.listed,
)
_PRICE = (TariffPrice.variant, TariffPrice.tariff, TariffPrice.contract_type, TariffPrice.price)
_PROMOTION = (
    Promotion.variant,
    Promotion.percent,
    Promotion.price,
    Promotion.segment,
    Promotion.starts_at,
    Promotion.ends_at,
)
_GIFT = (Gift.device, Gift.name_sq, Gift.name_mk, Gift.name_en, Gift.sku, Gift.stock)


class CatalogueBatch:
    """Writes devices with their variants, prices, promotions and gift, in the caller's transaction.

    A device to write has `slug`, `values` and `variants` (read cells by column, the prices with a tariff under
    "prices") and `digest`, a hash of its rows. `touched` are the ids of all devices whose listing must be worked
    out anew.
    """

    def __init__(self):
        self.added = self.changed = self.variants = 0
        self.touched: set[int] = set()
        self._written: set[int] = set()
        self._plan_at = _PLANNED
        self._brands = dict(Brand.select(Brand.name, Brand.id).tuples())
        self._tariffs = dict(Tariff.select(Tariff.code, Tariff.id).tuples())

    def write(self, devices: list) -> None:
        """Add or update them by slug and SKU."""
        slugs = [device.slug for device in devices]
        known = set(_ids(Device.slug, slugs).values())
        self.added += len(slugs) - len(known)
        self.changed += len(known)
        self._know_brands({device.values["brand"] for device in devices})
        _put(_DEVICE, (self._device(device) for device in devices), "slug")
        ids = _ids(Device.slug, slugs)
        self._written.update(ids.values())
        self.touched.update(ids.values())

        rows = [
            (ids[device.slug], position, values)
            for device in devices
            for position, values in enumerate(device.variants)
        ]
        self.variants += len(rows)
        owners = {values["sku"]: device for device, _, values in rows}
        before = _variants_before(known, owners)
        self._let_go(before, owners, known)
        _put(_VARIANT, (_variant(*row) for row in rows), "sku")
        self._offer(rows, _ids(Variant.sku, list(owners)), [id for id, sku, _ in before if sku in owners])
        _give({ids[device.slug]: device.values for device in devices}, known)
        if self.variants >= self._plan_at and not IS_SQLITE:
            # PostgreSQL keeps the plans it made while the tables were small, those of the foreign keys too.
            self._plan_at = 8 * self.variants
            db.execute_sql("ANALYZE device, variant, tariff_price, promotion, gift")

    def _know_brands(self, names):
        new = sorted(names - self._brands.keys())
        _put((Brand.name,), ((name,) for name in new), "name")
        self._brands |= _ids(Brand.name, new)

    def _device(self, device):
        values = device.values
        drawn = drawn_as(values)
        picture = {
            "kind": drawn,
            "camera": values.get("draw_camera") or drawing.CAMERAS.get(drawn, ("none",))[0],
            "hole": values.get("draw_hole") or "dot",
        }
        return (
            device.slug,
            values["kind"],
            self._brands[values["brand"]],
            *(text_in(values, "name", language) for language in LANGUAGES),
            *(text_in(values, "note", language) for language in LANGUAGES),
            values["released"],
            values.get("popularity", 0),
            values.get("warranty_months", Device.warranty_months.default),
            _json({name: values[name] for name in FACTS if name in values}),
            _json(picture),
            _json(values.get("fits", [])),
            True,
            device.digest.hexdigest(),
        )

    def _let_go(self, before, owners, known):
        """Variants that left their device are no longer sold; a SKU that another device now has moves there."""
        left = [id for id, sku, device in before if device in known and sku not in owners]
        for some in parts(left, _MANY):
            Variant.update(listed=False).where(Variant.id.in_(some)).execute()
        robbed = {device for _, sku, device in before if sku in owners and owners[sku] != device}
        if robbed:
            self.touched |= robbed
            # Should a list name it again with the rows it had, it must be taken anew.
            Device.update(digest="").where(Device.id.in_(list(robbed - self._written))).execute()

    def _offer(self, rows, variants, existing):
        for some in parts(existing, _MANY):
            TariffPrice.delete().where(TariffPrice.variant.in_(some)).execute()
            Promotion.delete().where(Promotion.variant.in_(some)).execute()
        prices = (
            (variants[values["sku"]], self._tariffs[code], contract, price)
            for _, _, values in rows
            for contract, code, price in values["prices"]
        )
        _put(_PRICE, prices)
        moment = Promotion.starts_at.db_value
        promotions = (
            (
                variants[values["sku"]],
                values.get("promo_percent"),
                values.get("promo_price"),
                values.get("promo_segment", "all"),
                *map(moment, promotion_period(values)),
            )
            for _, _, values in rows
            if "promo_percent" in values or "promo_price" in values
        )
        _put(_PROMOTION, promotions)


def _variants_before(devices, skus):
    columns = (Variant.id, Variant.sku, Variant.device)
    found = set()
    for some in parts(list(devices), _MANY):
        found.update(Variant.select(*columns).where(Variant.device.in_(some)).tuples())
    for some in parts(list(skus), _MANY):
        found.update(Variant.select(*columns).where(Variant.sku.in_(some)).tuples())
    return found


def _variant(device, position, values):
    return (
        device,
        values["sku"],
        position,
        *(text_in(values, "colour", language) for language in LANGUAGES),
        values["colour_hex"],
        values["colour_family"],
        values.get("storage_gb"),
        values.get("ram_gb"),
        values["price"],
        values["stock"],
        values.get("draw_screen", ""),
        values.get("photo", ""),
        True,
    )


def _give(devices, known):
    gifts = [
        (
            id,
            *(text_in(values, "gift", language) for language in LANGUAGES),
            values.get("gift_sku", ""),
            values["gift_stock"],
        )
        for id, values in devices.items()
        if has_gift(values)
    ]
    without = known - {row[0] for row in gifts}
    if without:
        Gift.delete().where(Gift.device.in_(list(without))).execute()
    _put(_GIFT, gifts, "device_id")


def parts(values: list, size: int) -> Iterator[list]:
    """`values` in order, at most `size` at a time."""
    return (values[start : start + size] for start in range(0, len(values), size))


def _json(value) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _ids(column, values) -> dict[str, int]:
    """The ids of the rows whose unique `column` is one of `values`, by that column."""
    found = {}
    for some in parts(list(values), _MANY):
        found.update(column.model.select(column, column.model.id).where(column.in_(some)).tuples())
    return found


def _put(fields, rows, key: str = "") -> None:
    """Insert rows of database values; where `key` (a unique column) is there already, the row is updated.

    A price list has a million prices: a built INSERT takes five times as long as one prepared statement, and on
    PostgreSQL that takes several times as long as COPY.
    """
    rows = list(rows)
    if not rows:
        return
    # The names are the models' own; values are bound.
    columns = [field.column_name for field in fields]
    table, names = fields[0].model._meta.table_name, ", ".join(columns)
    clause = ""
    if key:
        changes = ", ".join(f"{column} = EXCLUDED.{column}" for column in columns if column != key)
        clause = f" ON CONFLICT ({key}) DO " + (f"UPDATE SET {changes}" if changes else "NOTHING")
    if IS_SQLITE:
        places = ", ".join("?" * len(columns))
        db.cursor().executemany(f"INSERT INTO {table} ({names}) VALUES ({places}){clause}", rows)  # noqa: S608
    elif not key:
        _copy(table, names, rows)
    else:
        # COPY knows no conflicts.
        db.execute_sql(f"CREATE TEMP TABLE incoming AS SELECT {names} FROM {table} LIMIT 0")  # noqa: S608
        _copy("incoming", names, rows)
        db.execute_sql(f"INSERT INTO {table} ({names}) SELECT {names} FROM incoming{clause}")  # noqa: S608
        db.execute_sql("DROP TABLE incoming")


def _copy(table, names, rows):
    with db.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
