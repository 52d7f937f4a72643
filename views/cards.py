"""A device's card, as lists and pages show it; drawn once for its facts and language."""

import json
from functools import lru_cache

from markupsafe import Markup

from models.order import storage_label
from views.shell import draw
from views.words import words_in


def loading(place: int, first: int) -> str:
    if place >= first:
        return "lazy"
    return "first" if place == 0 else "eager"


@lru_cache(maxsize=6000)
def card_html(card: str, chosen_language: str, place: str) -> Markup:
    """A device's card as HTML; `card` is its facts, so that what is kept is true by itself."""
    facts = json.loads(card)
    # The template escaped what is in it.
    return Markup(  # noqa: S704
        draw(
            "browse/_card.html",
            _=words_in(chosen_language),
            card=facts,
            lang_code=chosen_language,
            place=place,
            storages=_storages(facts["storages"]),
        )
    )


def _storages(sizes: list[int]) -> str:
    """128, 256 → "128 / 256 GB"; more, or of two units → "128 GB – 1 TB"."""
    if not sizes:
        return ""
    if len(sizes) == 1:
        return storage_label(sizes[0])
    if len(sizes) == 2 and sizes[1] < 1024:
        return f"{sizes[0]} / {storage_label(sizes[1])}"
    return f"{storage_label(sizes[0])} – {storage_label(sizes[-1])}"
