"""Pages that are the same for everybody are rendered once per catalogue version and kept.

What is personal (cart, profile, CSRF token) is never in them: the templates leave a hole, which is filled for
each request. While a page is rendered for keeping, asking for the shopper raises PersonalInKept.
"""

import gzip
import secrets
import threading
from collections import OrderedDict

import brotli
from flask import Response, g, make_response, render_template, request, session
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from language import current
from views.shopper import COOKIE, shopper

# Nobody outside can write a marker into a page.
_NONCE = secrets.token_hex(8)
_MARK = f"<!--{_NONCE}:"
# Pages one process keeps; the least recently asked for goes first.
KEEP = 600

_kept: "OrderedDict[tuple, list]" = OrderedDict()
# The web server may give one process several threads.
_turn = threading.Lock()
_empty: dict[tuple[str, str], str] = {}
# Name of a hole → what fills it, where another module does.
_fillers: dict = {}
# Name of a hole → the cookies without which it is what it is for everybody.
_needs: dict[str, tuple[str, ...]] = {"cart_icon": (COOKIE,), "cart_popover": (COOKIE,)}


def fills(name: str, *cookies: str):
    """Say that a function fills the hole `name`: it gives the HTML for this request.

    For who has none of `cookies` it gives a `constant`.
    """

    def register(function):
        _fillers[name] = function
        _needs[name] = cookies
        return function

    return register


def hole(name: str) -> Markup:
    """In a template: the personal part `name`, or a hole for it where the page is rendered for everybody."""
    if g.get("keeping"):
        return Markup(f"{_MARK}{name}-->")  # noqa: S704 (the nonce is ours)
    return Markup(_fill(name))  # noqa: S704 (rendered by our templates)


def _fill(name: str) -> str:
    if name == "csrf":
        return generate_csrf()
    if name in ("cart_icon", "cart_popover"):
        if COOKIE not in request.cookies or not shopper().lines():
            return _constant(name, count=0, lines=[], total=0)
        person = shopper()
        return render_template(f"shared/_{name}.html", count=person.count, lines=person.lines(), total=person.total)
    if name in ("profile_menu", "login_hint", "after_login"):
        person = profile_here()
        if person is None:
            return _constant(name, profile=None)
        return render_template(f"shared/_{name}.html", profile=person)
    if name in _fillers:
        return _fillers[name]()
    raise ValueError(f"There is no hole {name!r}.")


def profile_here():
    """The profile of this request's shopper, or None.

    Flask-Login takes its time, and writes to the session, even to find that nobody has logged in.
    """
    return shopper().profile if "_user_id" in session or "remember_token" in request.cookies else None


def _constant(name: str, **context) -> str:
    return constant(name, f"shared/_{name}.html", **context)


def constant(name: str, template: str, **context) -> str:
    """What fills the hole `name` for everybody of whom nothing is known: drawn once per language."""
    key = (name, current())
    if key not in _empty:
        _empty[key] = render_template(template, **context)
    return _empty[key]


def kept_page(key: tuple, render) -> Response:
    """The page of `key`, rendered by `render()` when it is met for the first time, with its holes filled.

    `key` names everything the page depends on: catalogue version, language, address, day.
    """
    code = current()
    key = (code, *key)
    with _turn:
        parts = _kept.get(key)
        if parts is not None:
            _kept.move_to_end(key)
    if parts is None:
        g.keeping = True
        try:
            html = render()
        finally:
            g.keeping = False
        parts = _split(html)
        with _turn:
            _kept[key] = parts
            while len(_kept) > KEEP:
                _kept.popitem(last=False)
    page, copies = parts
    is_same_for_all = True
    cookies = request.cookies
    filled = []
    for text, name in page:
        filled.append(text)
        if name:
            same = _empty.get((name, code))
            needed = _needs.get(name)
            part = same if needed and cookies.keys().isdisjoint(needed) else None
            if part is None:
                part = _fill(name)
                same = _empty.get((name, code))
            is_same_for_all = is_same_for_all and part is same
            filled.append(part.encode())
    body = b"".join(filled)
    encoding = accepted_encoding() if is_same_for_all else None
    # Where nothing in it is personal, a compressed copy serves every guest.
    response = make_response(_copy(copies, body, encoding) if encoding else body)
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.headers["Vary"] = "HX-Request, Accept-Encoding"
    return response


def _copy(copies: dict, body: bytes, encoding: str) -> bytes:
    """The compressed copy of a kept page; thorough, at many times the work, for what is asked for again."""
    copy, is_thorough = copies.get(encoding, (None, False))
    if not is_thorough:
        is_thorough = copy is not None
        copy = compress(body, encoding, thorough=is_thorough)
        copies[encoding] = copy, is_thorough
    return copy


def _split(html: str):
    page = []
    first, *rest = html.split(_MARK)
    text = first
    for piece in rest:
        name, _, after = piece.partition("-->")
        page.append((text.encode(), name))
        text = after
    page.append((text.encode(), None))
    return page, {}


def accepted_encoding() -> str | None:
    """The best encoding that the browser takes."""
    accepted = request.headers.get("Accept-Encoding", "")
    if "q=" in accepted:
        # No browser weighs them; whoever does may mean "anything but this".
        taken = {name for name in ("br", "gzip") if request.accept_encodings[name] > 0}
    else:
        taken = {name.strip() for name in accepted.lower().split(",")}
    return next((name for name in ("br", "gzip") if name in taken), None)


def compress(body: bytes, encoding: str, *, thorough: bool = False) -> bytes:
    if encoding == "br":
        return brotli.compress(body, quality=9 if thorough else 4)
    return gzip.compress(body, 9 if thorough else 4, mtime=0)


def compressed(response: Response) -> Response:
    """Compress a page's text on its way out, where the browser takes it."""
    encoding = accepted_encoding()
    if (
        encoding is None
        or response.direct_passthrough
        or response.status_code in (204, 304)
        or "Content-Encoding" in response.headers
        or not (response.mimetype.startswith("text/") or response.mimetype in ("application/json", "image/svg+xml"))
    ):
        return response
    body = response.get_data()
    if len(body) < 600:
        return response
    response.set_data(compress(body, encoding))
    response.headers["Content-Encoding"] = encoding
    response.vary.add("Accept-Encoding")
    return response


def forget() -> None:
    """Drop everything kept (tests, and a changed template during development)."""
    _kept.clear()
    _empty.clear()
