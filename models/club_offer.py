"""What points can be turned into at partners, and the gifts of the operator's shops (CLB-8, CLB-13, CLB-17)."""

from datetime import date

from peewee import CharField, Check, DateField, ForeignKeyField, IntegerField, JSONField

from models.base import BaseModel


class Partner(BaseModel):
    """A business where the club's codes are taken."""

    code = CharField(unique=True, max_length=30)
    name = CharField(max_length=80)
    place = CharField(max_length=80, default="")


class _Offered(BaseModel):
    """What is offered for points between two days; a change is a new row from its own day (CLB-17)."""

    # By language.
    names = JSONField()
    details = JSONField()
    points = IntegerField(constraints=[Check("points > 0")])
    since = DateField()
    # The last day; null: until it is said.
    until = DateField(null=True)

    def name(self, language: str) -> str:
        return self.names.get(language) or self.names["sq"]

    def detail(self, language: str) -> str:
        return self.details.get(language) or self.details.get("sq", "")

    @classmethod
    def _on(cls, day: date):
        return (cls.since <= day) & (cls.until.is_null() | (cls.until >= day))


class PartnerOffer(_Offered):
    """What a partner gives for a code (CLB-8)."""

    partner = ForeignKeyField(Partner, backref="offers", on_delete="RESTRICT")
    # What is sent to 50777 for it: capitals and digits.
    code = CharField(max_length=12)
    # How many days a code is good for, the day of converting not counted.
    days = IntegerField(constraints=[Check("days > 0")])

    class Meta:
        indexes = ((("code", "since"), True),)

    @classmethod
    def on(cls, day: date) -> "list[PartnerOffer]":
        """All that are offered on `day`, with their partners; one query."""
        return list(cls.select(cls, Partner).join(Partner).where(cls._on(day)).order_by(Partner.name, cls.id))

    @classmethod
    def of_code(cls, code: str, day: date) -> "PartnerOffer | None":
        """The offer of this SMS code on `day`, with its partner."""
        return (
            cls.select(cls, Partner)
            .join(Partner)
            .where(cls.code == code, cls._on(day))
            .order_by(cls.since.desc())
            .first()
        )


class ClubGift(_Offered):
    """A gift that a clerk hands out for points (CLB-13)."""

    code = CharField(max_length=30)
    stock = IntegerField(constraints=[Check("stock >= 0")])
    # The variant whose picture shows it.
    sku = CharField(max_length=60, default="")

    class Meta:
        indexes = ((("code", "since"), True),)

    @classmethod
    def on(cls, day: date) -> "list[ClubGift]":
        """All that are offered on `day`, the cheapest first; one query."""
        return list(cls.select().where(cls._on(day)).order_by(cls.points, cls.id))
