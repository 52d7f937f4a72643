"""Gjurma: who did what and when, for an admin: filtered, page by page, and as a file (DSK-1)."""

from flask import Blueprint, request, stream_with_context
from flask_babel import gettext

from models.calendar import ZONE
from models.order_number import MistypedNumber, read_number
from models.profile import plain_email
from models.staff import Staff
from models.trail_search import TrailSearch
from views.csv_file import csv_file
from views.forms import tidy
from views.forms.desk import day_of
from views.respond import keep_private, respond
from views.staff_only import staff_only
from views.trail_words import WHAT, role_name, step_in_words, subject_name, what_name

blueprint = Blueprint("desk_trail", __name__, url_prefix="/desk")


blueprint.after_request(keep_private)


@blueprint.get("/gjurma")
@staff_only("admin")
def entries():
    """?kush=, ?cfare=, ?porosia=, ?nga= and ?deri= (days); ?para= is the last entry of the page before."""
    asked = _asked()
    shown, older = asked.page(_before())
    return respond(
        "desk/trail.html",
        "desk/_entries.html",
        asked=asked,
        entries=shown,
        older=older,
        is_first=_before() is None,
        whats=sorted(((what, what_name(what)) for what in WHAT), key=lambda pair: pair[1]),
        people=[one.profile.email for one in Staff.everybody()],
    )


@blueprint.get("/gjurma.csv")
@staff_only("admin")
def table():
    """All that the filter finds; sent as it is read."""
    return csv_file("gjurma", stream_with_context(_lines(_asked())))


def _asked() -> TrailSearch:
    number = tidy(request.args.get("porosia", ""))[:20]
    try:
        number = read_number(number) if number else ""
    except MistypedNumber:
        # It finds nothing, and stays in its field to be looked at.
        number = number.upper()
    return TrailSearch(
        who=plain_email(tidy(request.args.get("kush", ""))[:254]),
        what=tidy(request.args.get("cfare", ""))[:40],
        number=number,
        since=day_of(request.args.get("nga")),
        until=day_of(request.args.get("deri")),
    )


def _before() -> int | None:
    before = request.args.get("para", type=int)
    return before if before is not None and 0 < before < 2**62 else None


def _lines(asked: TrailSearch):
    yield [
        gettext("Data"),
        gettext("Ora"),
        gettext("Roli"),
        gettext("Kush"),
        gettext("Çfarë"),
        gettext("Kodi"),
        gettext("Porosia"),
        gettext("Për çka"),
        gettext("Ndryshimi"),
        gettext("Arsyeja"),
    ]
    for entry in asked.all():
        words, at = step_in_words(entry), entry.at.astimezone(ZONE)
        yield [
            at.strftime("%Y-%m-%d"),
            at.strftime("%H:%M:%S"),
            role_name(entry.role),
            entry.who,
            words.what,
            entry.what,
            entry.order.number if entry.order else "",
            subject_name(entry.subject),
            "; ".join(f"{one.name}: {one.before} → {one.after}" for one in words.changes),
            words.why,
        ]
