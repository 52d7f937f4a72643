"""Translated words and the shop's own addresses, each worked out once per language and process.

A page asks for some hundred of them; going through the request's locale each time took most of its time.
"""

from functools import lru_cache

import flask
import flask_babel
from flask import request

import language


@lru_cache(maxsize=16_384)
def _translated(code: str, text: str) -> str:
    # Without variables the translation comes as it is written, with its placeholders.
    return flask_babel.gettext(text)


def gettext(text: str, **variables) -> str:
    """`text` in the language of this request, with `variables` in their places."""
    found = _translated(language.current(), text)
    return found % variables if variables else found


@lru_cache(maxsize=8)
def _translations(code: str):
    return flask_babel.get_translations()


def ngettext(singular: str, plural: str, num: int, **variables) -> str:
    """As `gettext`, in the form that goes with `num`."""
    variables.setdefault("num", num)
    return _translations(language.current()).ungettext(singular, plural, num) % variables


@lru_cache(maxsize=8)
def words_in(code: str):
    """`gettext` for one language: for the templates of one page."""

    def in_language(text: str, **variables) -> str:
        found = _translated(code, text)
        return found % variables if variables else found

    return in_language


@lru_cache(maxsize=512)
def _address(root: str, endpoint: str) -> str:
    return flask.url_for(endpoint)


def url(endpoint: str, **values) -> str:
    """The address of a view, as flask.url_for."""
    if values or endpoint.startswith("."):
        return flask.url_for(endpoint, **values)
    return _address(request.script_root, endpoint)
