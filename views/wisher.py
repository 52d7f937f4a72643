"""Whose wish list a request is about: the profile's that is logged in, or that of the token in the guest's cookie."""

import re
from datetime import timedelta

from flask import after_this_request, g, request

import config
from models.profile import Profile
from models.wish import TOKEN_LENGTH, WishList, new_token
from views.kept import profile_here
from views.respond import keep_cookie
from views.shopper import shopper

COOKIE = "deshirat"
# In a cookie of who is logged in: there is a list in the profile. Pages of who has none need not ask for it.
MARK = "po"
_TOKEN = re.compile(f"[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}")


def token() -> str | None:
    """The token in the guest's cookie, if it is one of ours."""
    text = request.cookies.get(COOKIE, "")
    return text if _TOKEN.fullmatch(text) else None


def owner() -> Profile | str | None:
    """The profile that is logged in, else the guest's token, else None.

    A profile's list is for who is logged in to it alone: no cookie opens it.
    """
    begun = g.get("wish_token")
    return profile_here() or token() or (begun if begun != MARK else None)


def owner_to_be() -> Profile | str:
    """As `owner`; a guest without a token gets one, and the answer carries its cookie."""
    found = owner() or new_token()
    _carry(found)
    return found


def wish_list() -> WishList | None:
    """The list of this request, or None; one that is looked at counts its days from then on."""
    person = owner()
    if person is None:
        return None
    found = WishList.of_guest(person) if isinstance(person, str) else WishList.of_profile(person)
    if found is not None and found.seen_at < shopper().now - timedelta(days=1):
        found.touch(shopper().now)
        _carry(person)
    return found


def has_wishes() -> bool:
    """Whether there may be wishes; without one, a page asks the database nothing."""
    return COOKIE in request.cookies


def join_wishes(profile: Profile) -> None:
    """What happens to a guest's wishes on login: they are the profile's from now on, and no cookie opens them."""
    mine = token()
    theirs = WishList.join(mine, profile, shopper().now) if mine is not None else None
    if theirs is not None or WishList.of_profile(profile) is not None:
        _carry(profile)
    elif COOKIE in request.cookies:
        after_this_request(_drop)


def _drop(response):
    response.delete_cookie(COOKIE, path="/")
    return response


def _carry(person: Profile | str) -> None:
    """Give the browser its list for WISH_DAYS more: a guest's token, or of a profile's that there is one."""
    text = person if isinstance(person, str) else MARK
    if g.get("wish_token") == text:
        return
    g.wish_token = text

    @after_this_request
    def keep(response):
        keep_cookie(response, COOKIE, text, config.WISH_DAYS)
        return response
