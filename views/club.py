"""Klubi Im: points, what lapses when, what they become, the history (CLB-1, CLB-8, CLB-11, CLB-12, CLB-15)."""

from flask import Blueprint

from views.respond import respond

blueprint = Blueprint("club", __name__, url_prefix="/klubi")


@blueprint.get("")
def page():
    """The club: for a guest what it is, for a member the points."""
    return respond("club/page.html", section="club")
