"""Pages for who is logged in: somebody else is led through the login and back."""

from functools import wraps

from flask import request, url_for

import language
from views.respond import go
from views.shopper import shopper


def members_only(view):
    """The view, for a profile alone; a guest logs in first and comes back to the page (a POST to none)."""

    @wraps(view)
    def guarded(*arguments, **values):
        if shopper().profile is None:
            back = {"next": language.url_in(language.current())} if request.method == "GET" else {}
            return go(url_for("profile.log_in", **back))
        return view(*arguments, **values)

    return guarded
