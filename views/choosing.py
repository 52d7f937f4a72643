"""What a visitor has chosen to compare, has looked at and wishes for, on pages that are kept for everybody.

What is compared and what was looked at are ids of devices in two cookies, and nowhere else. Buttons on kept pages are
the same for all; the script marks those whose devices the part `choosing` names.
"""

import json
import re
from collections.abc import Iterable
from functools import lru_cache

from flask import current_app, g, render_template, request
from markupsafe import Markup, escape

from language import current
from models import compare
from models.money import money
from models.shelf import shelf
from models.wish import WishList
from views import wisher
from views.kept import constant, fills
from views.shell import blank, mould
from views.words import url

COMPARED, SEEN = "krahaso", "pare"
# In the place of ids: the visitor does not want them kept.
OFF = "jo"
# Days that a browser keeps either.
DAYS = 30
# Devices that the strip shows; the one being looked at is not among them.
SEEN_MOST = 8
_IDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,8}")


def _ids(text: str) -> list[int]:
    """The ids in a cookie's text; none where it is not one of ours."""
    return list(dict.fromkeys(map(int, text.split(".")))) if _IDS.fullmatch(text) else []


def _keep(response, cookie: str, text: str) -> None:
    """Let the browser keep `text`, which is digits and dots or a word of ours; nothing for ""."""
    if not text and cookie not in request.cookies:
        return
    # Written out: the page of a device gives one each time, and response.set_cookie takes several times as long.
    age = DAYS * 86_400 if text else 0
    secure = "; Secure" if current_app.config["SESSION_COOKIE_SECURE"] else ""
    response.headers.add("Set-Cookie", f"{cookie}={text}; Max-Age={age}; Path=/; HttpOnly; SameSite=Lax{secure}")


@lru_cache(maxsize=6000)
def _facts(card: str) -> dict:
    """A card's facts, read once."""
    return json.loads(card)


def facts_of(ids: Iterable[int]) -> list[dict]:
    """What the cards of these devices say, in that order, without those that are not sold any more."""
    ids = list(ids)
    return [_facts(card) for card in shelf.cards(ids)] if ids else []


# Compared


def compared_ids() -> list[int]:
    """The devices that this browser has chosen."""
    return _ids(request.cookies.get(COMPARED, ""))[: compare.MOST]


def keep_compared(response, ids: Iterable[int]) -> None:
    """The browser carries this choice from page to page."""
    text = ".".join(map(str, ids))
    if text != request.cookies.get(COMPARED, ""):
        _keep(response, COMPARED, text)


def address_of(slugs: Iterable[str], **more) -> str:
    """The comparison of these devices; nothing in it is anybody's, so that it can be given away."""
    return url("compare.show", p=list(slugs), **more)


# Looked at


def seen_ids() -> list[int]:
    """The devices that were looked at, the last one first."""
    return _ids(request.cookies.get(SEEN, ""))


def is_seen_off() -> bool:
    return request.cookies.get(SEEN) == OFF


def looking_at(device_id: int) -> None:
    """This request's page is about this device: what was looked at is shown without it."""
    g.looking_at = device_id


def note_seen(response, device_id: int) -> None:
    """Put a device before those that were looked at earlier, unless the visitor does not want it."""
    text = request.cookies.get(SEEN, "")
    if text == OFF:
        return
    ids = _ids(text)
    if ids[:1] != [device_id]:
        # One more than the strip shows: it leaves out the device of its own page.
        ids = [device_id, *compare.without(ids, device_id)][: SEEN_MOST + 1]
        _keep(response, SEEN, ".".join(map(str, ids)))


def forget_seen(response, *, off: bool) -> None:
    """Nothing is remembered of what was looked at; with `off`, nor will it be."""
    _keep(response, SEEN, OFF if off else "")


# Parts of kept pages


@fills("choosing", COMPARED, wisher.COOKIE)
def choosing() -> str:
    """What is compared, and what is marked on buttons; the same for every guest who chose nothing."""
    if COMPARED not in request.cookies and not wisher.has_wishes():
        return constant("choosing", "compare/_tray.html", compared=[], wished=[])
    return tray()


def tray(compared: Iterable[int] | None = None, **more) -> Markup:
    """The tray with what is compared, what the browser carries by itself, and for the script what is wished."""
    owner = wisher.owner() if wisher.has_wishes() or g.get("wish_token") else None
    html = render_template(
        "compare/_tray.html",
        compared=facts_of(compared_ids() if compared is None else compared),
        wished=WishList.slugs_of(owner) if owner is not None else [],
        **more,
    )
    return Markup(html)  # noqa: S704 (our template escapes)


@fills("seen", SEEN)
def seen_strip() -> str:
    """The devices looked at last, but for the one of this page."""
    ids = compare.without(seen_ids(), g.get("looking_at"))[:SEEN_MOST]
    shown = shelf.cards(ids) if ids else []
    if not shown:
        return constant("seen", "viewed/_strip.html", things="")
    code = current()
    things = Markup("").join(_thing(card, code) for card in shown)
    return _strip_mould(code) % {"things": things}


@lru_cache(maxsize=8)
def _strip_mould(code: str) -> str:
    return mould("viewed/_strip.html", things=blank("things"))


@lru_cache(maxsize=4000)
def _thing(card: str, code: str) -> Markup:
    """One device of the strip, drawn once for its facts and language."""
    facts = _facts(card)
    texts = {
        "address": url("device.show", slug=facts["slug"]),
        "picture": facts["picture"],
        "name": facts["name"][code],
        "price": money(facts["price"], code),
    }
    shape = _thing_mould(code, facts["from"], facts["in_stock"])
    return Markup(shape % {name: escape(text) for name, text in texts.items()})  # noqa: S704 (escaped)


@lru_cache(maxsize=32)
def _thing_mould(code: str, is_from: bool, in_stock: bool) -> str:
    names = ("address", "picture", "name", "price")
    return mould("viewed/_thing.html", is_from=is_from, in_stock=in_stock, **{name: blank(name) for name in names})
