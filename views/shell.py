"""The parts that kept pages share: rendered once per language, and what differs from page to page put in.

They are most of the work of rendering a list, and nearly the same in all of them.
"""

import secrets
from functools import lru_cache

from flask import current_app, g, request
from markupsafe import Markup, escape

from language import current, prefix_of

# Nothing that comes from outside can look like these.
_HERE = f"/{secrets.token_hex(8)}"
_SEARCHED = secrets.token_hex(8)


class NotKept(RuntimeError):
    """A header that is kept for everybody was asked for by a page that is not."""


def draw(template: str, **context) -> str:
    """As flask.render_template, without the context processors: they look at who is asking."""
    return current_app.jinja_env.get_template(template).render(context)


def header(here: str, phone_search: bool = False, q: str = "") -> Markup:
    """The header of the page at `here`, a path with its query string but without a language.

    Raises NotKept outside of a kept page: what is personal must be a hole in it.
    """
    if not g.get("keeping"):
        raise NotKept
    text = _header(current(), phone_search, bool(q)).replace(_HERE, str(escape(here)))
    return Markup(text.replace(_SEARCHED, str(escape(q))) if q else text)  # noqa: S704


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
    return draw(
        "shared/_header.html",
        url_in=lambda other: prefix_of(other) + _HERE,
        phone_search=phone_search,
        q=_SEARCHED if searched else "",
    )


@lru_cache(maxsize=4096)
def _part(template: str, code: str, **context) -> Markup:
    return Markup(draw(template, **context))  # noqa: S704
