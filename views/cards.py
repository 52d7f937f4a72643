"""A device's card, as lists and pages show it; drawn once for its facts and language."""

import json
from functools import lru_cache

from markupsafe import Markup, escape

from models.money import money
from models.order import storage_label
from views.shell import blank, mould
from views.words import url, words_in

# Colours that a card shows; how many more there are, it says.
_SWATCHES = 6


def loading(place: int, first: int) -> str:
    if place >= first:
        return "lazy"
    return "first" if place == 0 else "eager"


_LOADING = {"lazy": ' loading="lazy"', "first": ' fetchpriority="high"', "eager": ""}


def card_html(card: str, chosen_language: str, place: str) -> Markup:
    """A device's card as HTML; `card` is its facts, so that what is kept is true by itself."""
    before, after = _halves(card, chosen_language)
    return Markup(f"{before}{_LOADING[place]}{after}")  # noqa: S704 (escaped when it was drawn)


def forget() -> None:
    """Drop every card that was drawn."""
    _halves.cache_clear()


@lru_cache(maxsize=6000)
def _halves(card: str, chosen_language: str) -> tuple[str, str]:
    """A card before and after what depends on its place in the page."""
    facts = json.loads(card)
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
        "picture": escape(facts["picture"]),
        "name": escape(facts["name"][chosen_language]),
        "address": escape(_root(chosen_language) + facts["slug"]),
        "price": escape(money(facts["price"], chosen_language)),
        "storages": escape(storages),
        "note": escape(note),
    }
    for at, colour in enumerate(colours[:_SWATCHES]):
        texts[f"colour{at}"] = escape(colour)
    if before:
        texts["before"] = escape(money(before, chosen_language))
        texts["off"] = _off(chosen_language, facts["off"])
    if facts["private_off"]:
        texts["private"] = _private_off(chosen_language, facts["private_off"])
    if gift:
        texts["gift"] = escape(gift[chosen_language])
    if month:
        texts["month"] = escape(money(month, chosen_language))
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
        **{name: blank(name) for name in ("loading", "picture", "name", "address", "price")},
    ).split("%(loading)s")


@lru_cache(maxsize=512)
def _off(code: str, percent: int) -> Markup:
    _ = words_in(code)
    return escape(_("Vetëm onlajn −%(num)d%%", num=percent))


@lru_cache(maxsize=512)
def _private_off(code: str, percent: int) -> Markup:
    """What a private subscriber saves after logging in (CAT-5)."""
    _ = words_in(code)
    return escape(_("Me hyrje −%(num)d%%", num=percent))


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
