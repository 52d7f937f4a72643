"""The desk's front door: to where the work of each role begins."""

from flask import Blueprint, current_app, redirect, url_for

from models.staff import ROLES
from views.desk_nav import places
from views.respond import keep_private, respond
from views.staff_only import STARTS, staff, staff_only

blueprint = Blueprint("desk_home", __name__, url_prefix="/desk")


blueprint.after_request(keep_private)


@blueprint.get("")
@staff_only(*ROLES)
def start():
    """To where the role's work begins; where it has no page of its own, what it may open."""
    first = STARTS.get(staff().role)
    if first in current_app.view_functions:
        return redirect(url_for(first), 303)
    return respond("desk/home.html", places=places())
