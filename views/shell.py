"""The parts that kept pages share: rendered once per language, and what differs from page to page put in.

They are most of the work of rendering a list, and nearly the same in all of them.
"""

import re
import secrets
from functools import lru_cache

from flask import current_app, g, request
from markupsafe import Markup, escape

from language import current, prefix_of

# Nothing that comes from outside can look like it.
_NONCE = secrets.token_hex(8)
_BLANK = re.compile(rf"{_NONCE}\.([a-z0-9_]+)\.")


class NotKept(RuntimeError):
    """A header that is kept for everybody was asked for by a page that is not."""


def draw(template: str, **context) -> str:
    """As flask.render_template, without the context processors: they look at who is asking."""
    return current_app.jinja_env.get_template(template).render(context)


def blank(name: str) -> str:
    """What a mould is drawn with in the place of a text that differs each time."""
    return f"{_NONCE}.{name}."


def mould(template: str, **context) -> str:
    """`template` drawn once, for `mould % {name: text}`: each `blank(name)` in `context` is left open.

    What is put in is put in as it is, so it must be escaped. A template can do no more with a blank than write it.
    """
    return _BLANK.sub(r"%(\1)s", draw(template, **context).replace("%", "%%"))


def header(here: str, phone_search: bool = False, q: str = "") -> Markup:
    """The header of the page at `here`, a path with its query string but without a language.

    Raises NotKept outside of a kept page: what is personal must be a hole in it.
    """
    if not g.get("keeping"):
        raise NotKept
    text = _header(current(), phone_search, bool(q)) % {"here": escape(here), "q": escape(q)}
    return Markup(text)  # noqa: S704


def url_in_all(query_string: str):
    """Language links of a page that is kept: without what somebody once added to its address."""
    here = request.path

    def url_in(code: str) -> str:
        return prefix_of(code) + here + query_string

    return url_in


def part(template: str, **context) -> Markup:
    """A part that `context` and the language alone decide, rendered once; for kept pages, as `header`."""
    if not g.get("keeping"):
        raise NotKept
    return _part(template, current(), **context)


@lru_cache(maxsize=32)
def _header(code: str, phone_search: bool, searched: bool) -> str:
    return mould(
        "shared/_header.html",
        url_in=lambda other: prefix_of(other) + blank("here"),
        phone_search=phone_search,
        q=blank("q") if searched else "",
    )


@lru_cache(maxsize=4096)
def _part(template: str, code: str, **context) -> Markup:
    return Markup(draw(template, **context))  # noqa: S704
