"""The pages of a list, as links below it (CAT-6)."""

from functools import lru_cache

from markupsafe import escape

import config
from views.characteristics import grouped
from views.shell import blank, mould
from views.words import ngettext, words_in


def pages_text(kind: str | None, result) -> str:
    """Which devices of how many the page shows: "1–12 nga 40 modele"."""
    start = (result.page - 1) * config.PER_PAGE
    said = {
        "first": grouped(start + 1),
        "last": grouped(min(start + config.PER_PAGE, result.total)),
        "total": grouped(result.total),
    }
    if kind in ("phone", "tablet"):
        return ngettext(
            "%(first)s–%(last)s nga %(total)s model", "%(first)s–%(last)s nga %(total)s modele", result.total, **said
        )
    return ngettext(
        "%(first)s–%(last)s nga %(total)s artikull",
        "%(first)s–%(last)s nga %(total)s artikuj",
        result.total,
        **said,
    )


def page_name(code: str, number: int) -> str:
    _ = words_in(code)
    return _("Faqja %(num)d", num=number)


def pager_html(code: str, text: str, here: int, last: int, first_address: str) -> str:
    """Links from page `here` to the others up to `last`; `first_address` is that of the first."""

    first = escape(first_address)
    others = f"{first}{'&amp;' if '?' in first_address else '?'}faqe="

    def to(page):
        return first if page == 1 else f"{others}{page}"

    numbers = sorted({1, last, *range(max(1, here - 1), min(last, here + 1) + 1)})
    steps, before = [], 0
    for number in numbers:
        if number == before + 2:
            steps.append(number - 1)
        elif number > before + 2:
            steps.append(None)
        steps.append(number)
        before = number
    texts = {"text": escape(text)}
    if here > 1:
        texts["previous"] = to(here - 1)
    if here < last:
        texts["next"] = to(here + 1)
    for at, number in enumerate(steps):
        if number is not None:
            texts[f"number{at}"] = number
            texts[f"name{at}"] = _name(code) % {"num": number}
            texts[f"address{at}"] = to(number)
    shape = tuple(None if number is None else number == here for number in steps)
    return _mould(code, shape, here > 1, here < last) % texts


@lru_cache(maxsize=8)
def _name(code: str) -> str:
    _ = words_in(code)
    return str(escape(_("Faqja %(num)d")))


@lru_cache(maxsize=256)
def _mould(code: str, shape: tuple[bool | None, ...], has_previous: bool, has_next: bool) -> str:
    """Pages of this `shape`: True for the one that is shown, False for others, None for what is left out."""
    steps = [
        None
        if is_here is None
        else {"here": is_here, **{name: blank(f"{name}{at}") for name in ("number", "name", "address")}}
        for at, is_here in enumerate(shape)
    ]
    return mould(
        "browse/_pager.html",
        text=blank("text"),
        steps=steps,
        previous=blank("previous") if has_previous else "",
        next=blank("next") if has_next else "",
    )
