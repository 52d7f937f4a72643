"""Money: whole minor units of one currency (LOC-2), and how each language writes it."""

import re
from functools import lru_cache

from babel.numbers import get_currency_symbol

import config

# The currency's symbol where the language's common use differs from the locale data.
_SYMBOLS = {("sq", "MKD"): "den", ("mk", "MKD"): "ден.", ("en", "MKD"): "den"}
# What groups digits, and what stands before a fraction.
SIGNS = {"sq": (".", ","), "mk": (".", ","), "en": (",", ".")}

# Written before the amount, close to it.
_BEFORE = {("en", "EUR"), ("en", "USD")}

# As ISO 4217 says of each currency that the bank takes. Locale data say none for the lek and the Serbian dinar, which
# people no longer divide: money kept that way would go to the bank as a hundredth.
MINOR = 100
# The least amount that people reckon with, in minor units: of some currencies nobody has seen a hundredth for years.
STEP = 1 if config.CURRENCY in ("EUR", "USD", "BAM") else MINOR


def symbol(language: str) -> str:
    return _SYMBOLS.get((language, config.CURRENCY)) or get_currency_symbol(config.CURRENCY, locale=language)


@lru_cache(maxsize=65_536)
def money(amount: int, language: str = "sq") -> str:
    """`amount` minor units as `language` writes them: 4998000 → "49.980 den"; spaces do not break."""
    return ("\u2212" if amount < 0 else "") + with_symbol(number(abs(amount), language), language)


def with_symbol(text: str, language: str) -> str:
    """A number, or a range of them, with the currency where `language` writes it."""
    if (language, config.CURRENCY) in _BEFORE:
        return f"{symbol(language)}{text}"
    return f"{text}\u00a0{symbol(language)}"


def number(amount: int, language: str = "sq") -> str:
    """`amount` minor units without the currency; a fraction is shown only where there is one."""
    group, point = SIGNS.get(language, (".", ","))
    whole, part = divmod(abs(amount), MINOR)
    text = f"{whole:,}".replace(",", group)
    if part:
        text += f"{point}{part:0{len(str(MINOR)) - 1}d}"
    return ("\u2212" if amount < 0 else "") + text


def to_minor(major: int) -> int:
    """Whole units of the currency in minor units: 49980 → 4998000."""
    return major * MINOR


def read_amount(text: str) -> int | None:
    """A whole amount as people type it ("10.000", "10 000 den") in minor units; None where it is none."""
    # A fraction ("1.500,50", "1,500.5") is dropped: filters by price know whole amounts only.
    whole = re.sub(r"[.,]\d{1,2}(?!\d)", "", text, flags=re.ASCII)
    digits = re.sub(r"[^0-9]", "", whole)
    if not digits or len(digits) > 9:
        return None
    return int(digits) * MINOR
