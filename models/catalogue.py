"""What is sold: brands, devices, their variants, tariffs and the price of a variant in each (CAT-1…5)."""

import re

from peewee import (
    JOIN,
    BooleanField,
    CharField,
    Check,
    ForeignKeyField,
    IntegerField,
    JSONField,
    TextField,
)

import config
from models.base import BaseModel, MomentField, db
from models.money import MINOR

# The languages that names are kept in.
LANGUAGES = ("sq", "mk", "en")
KINDS = ("phone", "tablet", "accessory", "prepaid_sim")
CONTRACT_TYPES = ("device_only", "new_number", "besnik24")
SEGMENTS = ("all", "private")
# Besnik 24 and a new number bind for this many months.
CONTRACT_MONTHS = 24


class CatalogueVersion(BaseModel):
    """One row that counts the changes of the shelf; kept pages and the index are true for one number."""

    number = IntegerField(default=0)

    @classmethod
    def current(cls) -> int:
        row = db.execute_sql("SELECT number FROM catalogue_version WHERE id = 1").fetchone()
        return row[0] if row else 0

    @classmethod
    def next(cls) -> int:
        """Raise the number and return it; call it inside the transaction of the change it stands for."""
        (
            cls.insert(id=1, number=1)
            .on_conflict(conflict_target=[cls.id], update={cls.number: cls.number + 1})
            .execute()
        )
        return cls.current()


class Brand(BaseModel):
    name = CharField(unique=True, max_length=60)


class Device(BaseModel):
    """A model that is sold, with the facts that all its variants share."""

    slug = CharField(unique=True, max_length=120)
    kind = CharField(max_length=20, constraints=[Check("kind IN ('phone', 'tablet', 'accessory', 'prepaid_sim')")])
    brand = ForeignKeyField(Brand, backref="devices", on_delete="RESTRICT")
    name_sq = CharField(max_length=120)
    name_mk = CharField(max_length=120)
    name_en = CharField(max_length=120)
    note_sq = CharField(max_length=160, default="")
    note_mk = CharField(max_length=160, default="")
    note_en = CharField(max_length=160, default="")
    # yyyymm
    released = IntegerField(constraints=[Check("released BETWEEN 200001 AND 209912")])
    popularity = IntegerField(default=0)
    warranty_months = IntegerField(default=24, constraints=[Check("warranty_months >= 0")])
    facts = JSONField(default=dict)
    drawing = JSONField(default=dict)
    # Accessories: slugs of the devices they fit, or kind:… and brand:… for many.
    fits = JSONField(default=list)
    # Devices that left the price list stay for the orders that name them, but are not shown.
    listed = BooleanField(default=True)
    # Of the price list's rows it came from: an unchanged device is not written again (CAT-7).
    digest = CharField(max_length=64, default="")

    def name(self, language: str) -> str:
        return getattr(self, f"name_{language}", None) or self.name_sq

    def full_name(self, language: str) -> str:
        """With the maker's name before it, as a shopper asks for it; an accessory's name is whole already."""
        name = self.name(language)
        return name if self.kind in ("accessory", "prepaid_sim") else f"{self.brand.name} {name}"

    def note(self, language: str) -> str:
        return getattr(self, f"note_{language}", None) or self.note_sq

    @classmethod
    def of_slug(cls, slug: str) -> "Device | None":
        """The device that is shown under `slug`, with its brand and its gift (None without one); one query."""
        return (
            cls.select(Device, Brand, Gift)
            .join_from(Device, Brand)
            .join_from(Device, Gift, JOIN.LEFT_OUTER, on=(Gift.device == Device.id), attr="gift")
            .where(Device.slug == slug, Device.listed)
            .first()
        )

    def variant_for(self, colour: str, storage: int | str | None) -> "Variant | None":
        """The variant of exactly this colour (RRGGBB) and storage (GB; none where it has none), or None.

        Takes the words of a form as they come.
        """
        text = str(storage or "")
        if text and not re.fullmatch("[0-9]{1,6}", text):
            return None
        for variant in (
            Variant.select().where(Variant.device == self, Variant.listed).order_by(Variant.position, Variant.id)
        ):
            if variant.colour_code == colour.lower() and variant.storage_gb == (int(text) if text else None):
                return variant
        return None


class Variant(BaseModel):
    """One colour and storage of a device: what is in stock and what is ordered (CAT-4)."""

    device = ForeignKeyField(Device, backref="variants", on_delete="CASCADE")
    sku = CharField(unique=True, max_length=60)
    position = IntegerField(default=0)
    colour_sq = CharField(max_length=60, default="")
    colour_mk = CharField(max_length=60, default="")
    colour_en = CharField(max_length=60, default="")
    colour_hex = CharField(max_length=7)
    colour_family = CharField(max_length=12)
    storage_gb = IntegerField(null=True, constraints=[Check("storage_gb IS NULL OR storage_gb > 0")])
    ram_gb = IntegerField(null=True, constraints=[Check("ram_gb IS NULL OR ram_gb > 0")])
    # Device-only price, minor units.
    price = IntegerField(constraints=[Check("price > 0")])
    stock = IntegerField(default=0, constraints=[Check("stock >= 0")])
    screen = CharField(max_length=30, default="")
    photo = CharField(max_length=120, default="")
    listed = BooleanField(default=True)

    def colour(self, language: str) -> str:
        return getattr(self, f"colour_{language}", None) or self.colour_sq

    @property
    def colour_code(self) -> str:
        """The colour in an address: RRGGBB."""
        return self.colour_hex.lstrip("#").lower()


class Tariff(BaseModel):
    code = CharField(unique=True, max_length=30)
    name = CharField(max_length=60)
    # Per month, minor units.
    monthly_price = IntegerField(constraints=[Check("monthly_price >= 0")])
    # None: unlimited.
    internet_gb = IntegerField(null=True)
    minutes = IntegerField(null=True)
    sms = IntegerField(null=True)
    position = IntegerField(default=0)
    listed = BooleanField(default=True)


class TariffPrice(BaseModel):
    """The price of a variant bought with a tariff, for the whole contract, minor units (CAT-5)."""

    variant = ForeignKeyField(Variant, backref="tariff_prices", on_delete="CASCADE")
    tariff = ForeignKeyField(Tariff, on_delete="CASCADE")
    contract_type = CharField(max_length=12, constraints=[Check("contract_type IN ('new_number', 'besnik24')")])
    price = IntegerField(constraints=[Check("price >= 0")])

    class Meta:
        indexes = ((("variant", "tariff", "contract_type"), True),)


class Promotion(BaseModel):
    """An online promotion on the device-only price of one variant: a percentage or a price, for a period and a
    segment (CAT-5)."""

    variant = ForeignKeyField(Variant, backref="promotions", on_delete="CASCADE")
    percent = IntegerField(null=True, constraints=[Check("percent IS NULL OR (percent BETWEEN 1 AND 90)")])
    price = IntegerField(null=True, constraints=[Check("price IS NULL OR price > 0")])
    segment = CharField(max_length=10, default="all", constraints=[Check("segment IN ('all', 'private')")])
    starts_at = MomentField(null=True)
    ends_at = MomentField(null=True)

    class Meta:
        constraints = [
            Check("(percent IS NULL) <> (price IS NULL)"),
            Check("starts_at IS NULL OR ends_at IS NULL OR starts_at < ends_at"),
        ]

    def is_live(self, now) -> bool:
        return (self.starts_at is None or self.starts_at <= now) and (self.ends_at is None or now < self.ends_at)

    def applies(self, now, segment: str | None = None) -> bool:
        """Whether a shopper of `segment` (None: unknown, a guest) gets it now."""
        return self.is_live(now) and self.segment in ("all", segment)

    def lowers(self, price: int) -> int:
        """The promoted price in minor units, rounded down; never above `price`."""
        return min(price, promoted_price(price, self.percent, self.price))


def promoted_price(price: int, percent: int | None, fixed: int | None) -> int:
    """`price` with a promotion, in minor units: `fixed`, or `percent` off, down to whole PROMOTION_STEPs."""
    if fixed is not None:
        return fixed
    step = config.PROMOTION_STEP * MINOR
    cut = price * (100 - percent) // 100
    return cut // step * step if cut >= step else max(cut // MINOR, 1) * MINOR


class Gift(BaseModel):
    """A gift that comes with a device while its own stock lasts (CAT-5)."""

    device = ForeignKeyField(Device, backref="gifts", on_delete="CASCADE", unique=True)
    name_sq = CharField(max_length=120)
    name_mk = CharField(max_length=120)
    name_en = CharField(max_length=120)
    sku = CharField(max_length=60, default="")
    stock = IntegerField(default=0, constraints=[Check("stock >= 0")])

    def name(self, language: str) -> str:
        return getattr(self, f"name_{language}", None) or self.name_sq


class Listing(BaseModel):
    """A device as the shelf shows it: everything a card, a filter or the search needs, in one row.

    Derived from the tables above by `Shelf`; `version` is the CatalogueVersion at which the row last changed.
    """

    device = ForeignKeyField(Device, primary_key=True, on_delete="CASCADE")
    version = IntegerField(index=True)
    shown = BooleanField(default=True)
    kind = CharField(max_length=20)
    brand = CharField(max_length=60)
    price = IntegerField()
    released = IntegerField()
    popularity = IntegerField()
    storages = JSONField(default=list)
    colours = JSONField(default=list)
    os = CharField(max_length=20, null=True)
    five_g = BooleanField(default=False)
    in_stock = BooleanField(default=False)
    discounted = BooleanField(default=False)
    gift = BooleanField(default=False)
    text = TextField(default="")
    card = JSONField(default=dict)
    # When a promotion next starts or ends: then the row is worked out anew.
    due_at = MomentField(null=True, index=True)
    # When it last was worked out: what search engines are told. None: before anybody took note.
    changed_at = MomentField(null=True)
