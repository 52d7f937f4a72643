"""The operator's shops once editors keep them at the desk; until then they come from the file (DSK-4, AFT-5)."""

from peewee import BooleanField, CharField

from models.base import BaseModel, db
from models.catalogue import CatalogueVersion

TEXTS = ("municipality", "postal_code", "street_sq", "street_mk", "street_en")
TEXTS += ("weekdays", "saturday", "sunday", "phone")


class ShopRow(BaseModel):
    """A shop; the columns are those of the brand's shops.csv."""

    municipality = CharField(max_length=12)
    postal_code = CharField(max_length=10)
    street_sq = CharField(max_length=120)
    street_mk = CharField(max_length=120)
    street_en = CharField(max_length=120)
    # "09:00–20:00"; blank: closed.
    weekdays = CharField(max_length=11, default="")
    saturday = CharField(max_length=11, default="")
    sunday = CharField(max_length=11, default="")
    phone = CharField(max_length=30, default="")
    # A shop that closed stays for the trail, but is not shown.
    listed = BooleanField(default=True)

    @classmethod
    def adopt(cls, shops) -> int:
        """Take the file's shops, when there are none here; returns how many."""
        with db.atomic():
            if cls.select().exists():
                return 0
            for shop in shops:
                cls.create(**{name: getattr(shop, name) for name in TEXTS})
            CatalogueVersion.next()
        return len(shops)
