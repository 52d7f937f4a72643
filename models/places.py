"""Municipalities and postal places of the country the shop delivers to (DLV-1), from config.PLACES."""

import csv
import re
from dataclasses import dataclass
from functools import lru_cache

import config


@dataclass(frozen=True, slots=True)
class Place:
    """`code` is the postal code of a place, the ISO 3166-2 code of a municipality."""

    code: str
    postal_code: str
    name_sq: str
    name_mk: str
    name_en: str

    def name(self, language: str) -> str:
        return getattr(self, f"name_{language}") or self.name_en


@lru_cache(maxsize=1)
def _all() -> tuple[dict[str, Place], dict[str, Place]]:
    municipalities, places = {}, {}
    with open(config.PLACES, encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), 2):
            try:
                is_post = row["type"] == "post"
                code = row["postal_code"] if is_post else row["code"]
                place = Place(code, row["postal_code"], row["name_sq"], row.get("name_mk", ""), row["name_en"])
            except KeyError as error:
                raise ValueError(f"{config.PLACES}, line {number}: no column {error}") from None
            if not code or not re.fullmatch(r"[0-9]{4,10}" if is_post else "[0-9]{0,10}", place.postal_code):
                raise ValueError(f"{config.PLACES}, line {number}: needs a code, and a postal code of 4 to 10 digits")
            (places if is_post else municipalities)[code] = place
    return municipalities, places


# By code point, Ç would come after Z, and Ѓ and Ј before А.
_ALPHABETS = {
    "sq": "abcçdeëfghijklmnopqrstuvwxyz",
    "mk": "абвгдѓежзѕијклљмнњопрстќуфхцчџш",
}


def in_order(name: str, language: str) -> tuple:
    """A key that sorts names as the alphabet of `language` does."""
    alphabet = _ALPHABETS.get(language, _ALPHABETS["sq"])
    return tuple(
        alphabet.index(letter) + 1 if letter in alphabet else ord(letter) if letter.isalpha() else 0
        for letter in name.casefold()
    )


@lru_cache(maxsize=8)
def municipalities(language: str) -> tuple[Place, ...]:
    return tuple(sorted(_all()[0].values(), key=lambda place: in_order(place.name(language), language)))


@lru_cache(maxsize=8)
def places(language: str) -> tuple[Place, ...]:
    return tuple(sorted(_all()[1].values(), key=lambda place: in_order(place.name(language), language)))


def municipality_of(code: str) -> Place:
    """Raises KeyError for a code that is none."""
    return _all()[0][code]


def place_of(postal_code: str) -> Place:
    """Raises KeyError for a code that is none."""
    return _all()[1][postal_code]
