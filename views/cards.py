"""A device's card, as lists and pages show it; drawn once for its facts and language."""

import json
from functools import lru_cache

from flask import current_app
from markupsafe import Markup

from models.order import storage_label
from views.words import url, words_in


def loading(place: int, first: int) -> str:
    if place >= first:
        return "lazy"
    return "first" if place == 0 else "eager"


@lru_cache(maxsize=6000)
def card_html(card: str, chosen_language: str, place: str) -> Markup:
    """A device's card as HTML; `card` is its facts, so that what is kept is true by itself."""
    facts = json.loads(card)
    card_of = current_app.jinja_env.get_template("browse/_card.html").module.card
    address = _root(chosen_language) + facts["slug"]
    return card_of(facts, chosen_language, place, _storages(facts["storages"]), address, words_in(chosen_language))


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
