"""A device's card, as lists and pages show it; drawn once for its facts and language."""

import json
import re
from collections.abc import Iterable
from functools import lru_cache

from markupsafe import Markup, escape

from models.money import money
from models.order import storage_label
from views.shell import blank, mould
from views.words import url, words_in

# Colours that a card shows; how many more there are, it says.
_SWATCHES = 6
_TO_ESCAPE = re.compile("[&<>\"']")
# As json.loads, without looking for what may stand around a text that the database keeps as it was written.
_read = json.JSONDecoder().raw_decode


def loading(place: int, first: int) -> str:
    if place >= first:
        return "lazy"
    return "first" if place == 0 else "eager"


_LOADING = {"lazy": ' loading="lazy"', "first": ' fetchpriority="high"', "eager": ""}


def card_html(card: str, chosen_language: str, place: str) -> Markup:
    """A device's card as HTML; `card` is its facts, so that what is kept is true by itself."""
    before, after = _halves(card, chosen_language)
    return Markup(f"{before}{_LOADING[place]}{after}")  # noqa: S704 (escaped when it was drawn)


def cards_html(cards: Iterable[str], chosen_language: str, first: int = 0) -> str:
    """The cards of a list as HTML; the pictures of the `first` ones are in the first view."""
    pieces = []
    for place, card in enumerate(cards):
        before, after = _halves(card, chosen_language)
        pieces += before, _LOADING[loading(place, first)], after
    return "".join(pieces)


def draw_ahead(cards: Iterable[str], chosen_language: str) -> None:
    """Draw cards that will be asked for: what is drawn before the workers are forked, all of them share."""
    for card in cards:
        _halves(card, chosen_language)


def forget() -> None:
    """Drop every card that was drawn."""
    _halves.cache_clear()


@lru_cache(maxsize=6000)
def _halves(card: str, chosen_language: str) -> tuple[str, str]:
    """A card before and after what depends on its place in the page."""
    facts, _ = _read(card)
    colours, before, gift, month = facts["colours"], facts["before"], facts["gift"], facts["month"]
    note = facts["note"][chosen_language]
    storages = _storages(facts["storages"])
    shape = _mould(
        chosen_language,
        facts["in_stock"],
        bool(before),
        bool(facts["private_off"]),
        bool(gift),
        len(colours),
        bool(storages),
        facts["from"],
        "month" if month else "note" if note else "",
    )
    texts = {
        "picture": facts["picture"],
        "name": facts["name"][chosen_language],
        "address": _root(chosen_language) + facts["slug"],
        "slug": facts["slug"],
        "price": money(facts["price"], chosen_language),
        "storages": storages,
        "note": note,
    }
    for at, colour in enumerate(colours[:_SWATCHES]):
        texts[f"colour{at}"] = colour
    if before:
        texts["before"] = money(before, chosen_language)
        texts["off"] = _off(chosen_language, facts["off"])
    if facts["private_off"]:
        texts["private"] = _private_off(chosen_language, facts["private_off"])
    if gift:
        texts["gift"] = gift[chosen_language]
    if month:
        texts["month"] = money(month, chosen_language)
    # Few texts have anything to escape, and to look at all of them at once takes less time than to escape each.
    if _TO_ESCAPE.search("".join(texts.values())):
        texts = {name: escape(text) for name, text in texts.items()}
    start, end = shape
    return start % texts, end % texts


@lru_cache(maxsize=4096)
def _mould(code, in_stock, reduced, private, gift, colours, storages, is_from, below) -> list[str]:
    """A card of this shape in two halves: cards differ in their texts much more than in their parts."""
    return mould(
        "browse/_card.html",
        in_stock=in_stock,
        before=blank("before") if reduced else "",
        off=blank("off"),
        private=blank("private") if private else "",
        gift=blank("gift") if gift else "",
        colours=[blank(f"colour{at}") for at in range(min(colours, _SWATCHES))],
        colour_count=colours,
        storages=blank("storages") if storages else "",
        is_from=is_from,
        month=blank("month") if below == "month" else "",
        note=blank("note") if below == "note" else "",
        **{name: blank(name) for name in ("loading", "picture", "name", "address", "slug", "price")},
    ).split("%(loading)s")


@lru_cache(maxsize=512)
def _off(code: str, percent: int) -> str:
    _ = words_in(code)
    return _("Vetëm onlajn −%(num)d%%", num=percent)


@lru_cache(maxsize=512)
def _private_off(code: str, percent: int) -> str:
    """What a private subscriber saves after logging in (CAT-5)."""
    _ = words_in(code)
    return _("Me hyrje −%(num)d%%", num=percent)


@lru_cache(maxsize=8)
def _root(chosen_language: str) -> str:
    """What the addresses of all devices begin with: building each anew takes longer than the rest of its card."""
    return url("device.show", slug="slug").removesuffix("slug")


def _storages(sizes: list[int]) -> str:
    """128, 256 → "128 / 256 GB"; more, or of two units → "128 GB – 1 TB"."""
    if not sizes:
        return ""
    if len(sizes) == 1:
        return storage_label(sizes[0])
    if len(sizes) == 2 and sizes[1] < 1024:
        return f"{sizes[0]} / {storage_label(sizes[1])}"
    return f"{storage_label(sizes[0])} – {storage_label(sizes[-1])}"
