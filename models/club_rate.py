"""What the club's points are worth: rates and tables, each from a day on (CLB-17)."""

from datetime import date

from peewee import CharField, Check, DateField, IntegerField

import config
from models.base import BaseModel, db
from models.money import MINOR

# What the club's terms say where the operator has said nothing else.
DEFAULTS = {
    # Minor units of the currency that count as a euro, of which each gives a point (CLB-3).
    ("euro", ""): MINOR if config.CURRENCY == "EUR" else 6150,
    # Minor units that a point takes off a card payment (PAY-4).
    ("point", ""): 1 if config.CURRENCY == "EUR" else 50,
    # Minor units of which at least must remain for the card (PAY-4).
    ("card", ""): MINOR if config.CURRENCY == "EUR" else 60 * MINOR,
    # Units a point is converted to, the least points of a conversion, and the days that the units live (CLB-12).
    ("unit", "MB"): 5,
    ("unit", "SMS"): 1,
    ("unit", "MMS"): 1,
    ("least", ""): 10,
    ("days", ""): 30,
    # Points that come back after their last day live so many days more (PAY-9).
    ("days", "returned"): 30,
    # Points for a bundle of a month; 0: it is not offered (CLB-9).
    ("bundle", "hej"): 90,
    ("bundle", "super"): 90,
    ("bundle", "fillo"): 90,
    # Points are good until the end of this month of the year after (CLB-5).
    ("validity", "month"): 6,
    ("validity", "years"): 1,
    # So many days ahead it is said that points lapse (CLB-6); 0: not said.
    ("notice", "first"): 30,
    ("notice", "last"): 7,
    # Months in a row without earning after which points are blocked (CLB-7).
    ("block", ""): 2,
}
# Tables with a row for each tariff or package; what has none gives no points (CLB-2, CLB-4).
TABLES = ("welcome", "topup")
NAMES = tuple(sorted({name for name, _ in DEFAULTS} | set(TABLES)))
UNITS = ("MB", "SMS", "MMS")
BUNDLES = ("hej", "fillo", "super")


class BackDated(Exception):
    """A rate that would count from a day that is over, or change one that counts already (CLB-17)."""


class Rate(BaseModel):
    """One value of one rate, from a day on; a later row replaces it from its own day."""

    name = CharField(max_length=12, constraints=[Check(f"name IN ({', '.join(repr(name) for name in NAMES)})")])
    # What of: a tariff, a package, a unit; blank where there is one alone.
    key = CharField(max_length=40, default="")
    since = DateField()
    value = IntegerField(constraints=[Check("value >= 0")])

    class Meta:
        table_name = "club_rate"
        indexes = ((("name", "key", "since"), True),)

    @classmethod
    def change(cls, name: str, key: str, value: int, since: date, today: date) -> bool:
        """Let `value` count from `since` on; false when it does already. Raises BackDated.

        What lies ahead may be changed until its day has come; what counts from today on or longer stays, for points
        were turned by it. A rate of which nothing was said before may begin on any day: nothing was credited by
        another one.
        """
        with db.atomic():
            known = {row.since: row for row in cls.select().where(cls.name == name, cls.key == key)}
            if since in known:
                if known[since].value == value:
                    return False
                if since <= today:
                    raise BackDated
            elif since < today and (known or (name, key) in DEFAULTS):
                raise BackDated
            cls.insert(name=name, key=key, since=since, value=value).on_conflict(
                conflict_target=[cls.name, cls.key, cls.since], update={cls.value: value}
            ).execute()
        return True


class Rates:
    """All rates as they are on one day; one query."""

    def __init__(self, day: date):
        self.day = day
        self._values = dict(DEFAULTS)
        rows = Rate.select(Rate.name, Rate.key, Rate.value).where(Rate.since <= day).order_by(Rate.since).tuples()
        for name, key, value in rows:
            self._values[name, key] = value

    def __getitem__(self, of: tuple[str, str]) -> int:
        return self._values[of]

    def welcome(self, tariff: str) -> int:
        """Points for joining with this tariff or package (CLB-2)."""
        return self._values.get(("welcome", tariff), 0)

    def topup(self, package: str) -> int:
        """Points for topping this package up (CLB-4)."""
        return self._values.get(("topup", package), 0)

    def for_spent(self, amount: int) -> int:
        """Points for `amount` minor units spent in a month: one for each full euro (CLB-3)."""
        return max(0, amount) // self["euro", ""]

    def last_day(self, year: int) -> date:
        """Until when points earned in `year` can be used (CLB-5)."""
        month = self["validity", "month"]
        year += self["validity", "years"] + month // 12
        return date.fromordinal(date(year, month % 12 + 1, 1).toordinal() - 1)

    def worth(self, points: int) -> int:
        """What `points` take off a card payment, in minor units (PAY-4)."""
        return points * self["point", ""]

    def most_points(self, eligible: int, due: int) -> int:
        """The most points an order can take: `eligible` of the `due` minor units may be paid so (PAY-4).

        Always such a number that the card is charged a whole amount.
        """
        one, least = self["point", ""], self["card", ""]
        step = self.step
        return max(0, min(eligible, due - least) // one // step * step) if one else 0

    @property
    def step(self) -> int:
        """So many points make a whole unit of the currency."""
        one = self["point", ""]
        return next(count for count in range(1, MINOR + 1) if count * one % MINOR == 0)
