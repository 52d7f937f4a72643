"""Pages for who works for the shop, each for its own role (DSK-5)."""

from functools import wraps

from flask import abort, g

from models.staff import Staff
from views.members import members_only
from views.shopper import shopper

# Where each role begins; the other roles' pages are not there yet.
STARTS = {"clerk": "desk_gifts.begin", "partner": "partner.check"}


def staff_only(*roles: str):
    """The view, for these roles alone. A guest logs in first; for everybody else there is no such page.

    The role is read anew for each request: once it is taken away, the next click ends it.
    """

    def guard(view):
        @wraps(view)
        @members_only
        def guarded(*arguments, **values):
            staff = Staff.of(shopper().profile)
            if staff is None or staff.role not in roles:
                abort(404)
            g.staff = staff
            return view(*arguments, **values)

        return guarded

    return guard


def staff() -> Staff:
    """Who is at work in this request; in a view that is guarded by `staff_only`."""
    return g.staff


def start_of(profile) -> str | None:
    """The endpoint where the profile's work begins, by what its session says; None for a shopper."""
    works_as = getattr(profile, "works_as", None)
    return STARTS.get(works_as.role) if works_as is not None else None
