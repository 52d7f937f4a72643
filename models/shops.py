"""The operator's shops, the nearest first: those that editors keep, or else those of the file (AFT-5, DSK-4)."""

import csv
import math
import re
from dataclasses import dataclass
from functools import lru_cache

import config
from models.places import in_order, municipalities, municipality_of, place_of
from models.shop_row import TEXTS, ShopRow

# Of the streets, those in languages that the shop does not speak: the file need not say them.
_UNSPOKEN = {"street_sq", "street_mk", "street_en"} - {f"street_{language}" for language in config.LANGUAGES}


_HOURS = re.compile(r"([01]\d|2[0-3]):[0-5]\d–([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True, slots=True)
class Shop:
    """`municipality` is its code; hours are "09:00–20:00", or "" where it is closed."""

    municipality: str
    postal_code: str
    weekdays: str
    saturday: str
    sunday: str
    phone: str
    street_sq: str = ""
    street_mk: str = ""
    street_en: str = ""

    def street(self, language: str) -> str:
        return getattr(self, f"street_{language}") or getattr(self, f"street_{config.LANGUAGES[0]}")

    def place(self, language: str) -> str:
        """The town, and which of its municipalities where it has several: "Shkup, Karposh"."""
        town, part = place_of(self.postal_code).name(language), municipality_of(self.municipality).name(language)
        return town if town == part else f"{town}, {part}"


def shops() -> tuple[Shop, ...]:
    """All that are shown; one query. Raises as `from_file` where editors keep none."""
    rows = list(ShopRow.select().order_by(ShopRow.id))
    if not rows:
        return from_file()
    return tuple(Shop(**{name: getattr(row, name) for name in TEXTS}) for row in rows if row.listed)


@lru_cache(maxsize=1)
def from_file() -> tuple[Shop, ...]:
    """All of them, in the order of the file that DYQANI_SHOPS names.

    Raises ValueError, with the line, for a bad row, and OSError without the file.
    """
    found = []
    with open(config.SHOPS, encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), 2):
            try:
                shop = Shop(**{name: (row[name] or "").strip() for name in Shop.__slots__ if name not in _UNSPOKEN})
            except KeyError as error:
                raise ValueError(f"{config.SHOPS}, line {number}: no column {error}") from None
            for find, code in ((municipality_of, shop.municipality), (place_of, shop.postal_code)):
                try:
                    find(code)
                except KeyError:
                    why = f"{code!r} is not in {config.PLACES.name}"
                    raise ValueError(f"{config.SHOPS}, line {number}: {why}") from None
            if any(hours and not _HOURS.fullmatch(hours) for hours in (shop.weekdays, shop.saturday, shop.sunday)):
                raise ValueError(f"{config.SHOPS}, line {number}: hours look like 08:00–20:00, or are blank")
            found.append(shop)
    return tuple(found)


@lru_cache(maxsize=1)
def _points() -> dict[str, tuple[float, float]]:
    found = {}
    with open(config.POINTS, encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), 2):
            try:
                found[row["code"]] = float(row["lat"]), float(row["lon"])
            except (KeyError, TypeError, ValueError):
                raise ValueError(f"{config.POINTS}, line {number}: needs code, lat and lon, two numbers") from None
    return found


def check_files() -> None:
    """Read shops, places and where these lie, as the shop does at its start; raises ValueError and OSError."""
    from_file()
    far = [one.code for one in municipalities(config.LANGUAGES[0]) if one.code not in _points()]
    if far:
        raise ValueError(f"{config.POINTS}: says nothing of {', '.join(far)}")


def kilometres(one: str, other: str) -> float:
    """As the crow flies between the seats of two municipalities; raises KeyError."""
    (lat, lon), (to_lat, to_lon) = _points()[one], _points()[other]
    east = (to_lon - lon) * math.cos(math.radians((lat + to_lat) / 2))
    return 111.2 * math.hypot(to_lat - lat, east)


def by_distance(municipality: str) -> list[Shop]:
    """The nearest to the municipality first; raises KeyError for a code that is none."""
    return sorted(shops(), key=lambda shop: kilometres(municipality, shop.municipality))


def by_place(language: str) -> list[Shop]:
    """By the alphabet of their places."""
    return sorted(shops(), key=lambda shop: in_order(shop.place(language), language))
