"""Pages for who works for the shop, each for its own role, behind password and code (DSK-5).

Role, session and code are asked of the database for each request: what is taken away ends with the next click.
"""

from functools import wraps
from urllib.parse import urlsplit

from flask import abort, flash, g, make_response, request, session, url_for
from flask_login import login_fresh

import language
from models.actor import Actor
from models.second_factor import SecondFactor, WorkSession
from models.staff import Staff
from views.respond import go, keep_private, wants_piece
from views.shopper import shopper

# Where each role begins: the endpoint of its first page.
STARTS = {
    "agent": "desk_orders.search",
    "clerk": "desk_gifts.begin",
    "editor": "desk_catalogue.devices",
    "warehouse": "desk_delivery.board",
    "admin": "desk_staff.people",
    "partner": "partner.check",
}
# Where the browser's part of a WorkSession stands in the session's cookie.
SESSION = "work"
# Where the searches of who is at work stand there, with the names and phones that were typed.
SEARCHES = "searches"


def staff_only(*roles: str):
    """The view, for these roles alone, and for `admin` where it is not a partner's.

    A guest logs in first, and so does who was only remembered; who works here gives the code when there is no session
    of it, and comes back. Another role is refused (403), and for everybody else there is no such page (404).
    """
    allowed = frozenset(roles) if roles == ("partner",) else frozenset(roles) | {"admin"}

    def guard(view):
        @wraps(view)
        def guarded(*arguments, **values):
            if shopper().profile is None:
                return _ask_password()
            g.staff = works_here()
            if not is_at_work():
                return _ask_code()
            if g.staff.role not in allowed:
                abort(403)
            # The next person at this computer finds nothing by going back.
            return keep_private(make_response(view(*arguments, **values)))

        # For the navigation, which shows what may be opened.
        guarded.roles = allowed
        return guarded

    return guard


def works_here() -> Staff:
    """The role of who is logged in, read anew; 404 without one."""
    return Staff.of(shopper().profile) or abort(404)


def is_at_work() -> bool:
    """Whether password and code were given in this browser, and neither limit is over.

    A remembered login is no password: it opens the shop, never the desk.
    """
    token = session.get(SESSION)
    person = shopper()
    g.at_work = bool(token) and login_fresh() and WorkSession.goes_on(token, person.profile, person.now)
    if not g.at_work and SEARCHES in session:
        # Whom somebody looked for is known as long as they are at work.
        del session[SEARCHES]
    return g.at_work


def staff() -> Staff:
    """Who is at work in this request; in a view that is guarded by `staff_only`."""
    return g.staff


def actor() -> Actor:
    """The same as the trail names it."""
    return Actor.of(g.staff)


def start_of(profile) -> str | None:
    """The endpoint where the profile's work begins, by what its session says; None for a shopper."""
    works_as = getattr(profile, "works_as", None)
    return STARTS.get(works_as.role, "desk_home.start") if works_as is not None else None


def _ask_code():
    """To the code, and back to this page; what a form has sent goes along, and is sent once the code is there."""
    if not login_fresh():
        return _ask_password()
    if SecondFactor.of(shopper().profile) is None:
        _say_unsent()
        return go(url_for("desk_login.enrol", next=_back()))
    if request.method == "GET" or request.mimetype == "multipart/form-data":
        _say_unsent()
        return go(url_for("desk_login.ask", next=_back()))
    from views.staff_login import ask_between

    return ask_between()


def _ask_password():
    _say_unsent()
    return go(url_for("profile.log_in", next=_back()))


def _say_unsent() -> None:
    """Nobody thinks that a form arrived which could not wait."""
    if request.method != "GET":
        flash("unsent", "bad")


def _back() -> str:
    return came_from() if wants_piece() or request.method != "GET" else language.url_in(language.current())


def came_from() -> str:
    """The page that the request was made from, by its path and query; the desk where it is none of this shop's."""
    parts = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
    if parts.netloc != request.host or not parts.path.startswith("/"):
        return url_for("desk_home.start")
    return "/" + parts.path.lstrip("/\\") + (f"?{parts.query}" if parts.query else "")
