"""Importi: an editor uploads the price list, sees what it would change, and confirms (CAT-7, DSK-4)."""

from flask import Blueprint, abort, current_app, flash, request, url_for

import config
from models.price_list_job import NotCheckedNow, PriceListJob, TooLarge
from views.cell_words import reason_text
from views.forms import tidy
from views.respond import go, keep_private, respond
from views.shopper import shopper
from views.staff_only import actor, staff_only
from views.words import gettext

blueprint = Blueprint("desk_import", __name__, url_prefix="/desk/katalogu")

# Above the file: the fields of the form, and what divides them.
_AROUND = 64 * 1024

blueprint.after_request(keep_private)


def find_job_or_404(id: int) -> PriceListJob:
    return (PriceListJob.get_or_none(PriceListJob.id == id) if id < 2**31 else None) or abort(404)


@blueprint.get("/importi")
@staff_only("editor")
def begin():
    """The form, and the uploads before."""
    return _begin()


def _begin(status=200, trouble=""):
    return respond(
        "desk/catalogue/imports.html",
        status=status,
        jobs=PriceListJob.latest(),
        trouble=trouble,
        most=config.PRICE_LIST_MB,
    )


@blueprint.post("/importi")
@staff_only("editor")
def upload():
    """A price list, to be checked.

    Only now, when it is known who sends it, is the body read: the shop's limit for forms is too small for it, so the
    token is checked here instead of before.
    """
    request.max_content_length = (config.PRICE_LIST_MB << 20) + _AROUND
    if (request.content_length or 0) > request.max_content_length:
        return _begin(422, _too_large())
    current_app.extensions["csrf"].protect()
    file = request.files.get("lista")
    if file is None or not file.filename:
        return _begin(422, gettext("Zgjidhni skedarin e listës së çmimeve."))
    try:
        job = PriceListJob.begin(
            file.stream,
            tidy(file.filename) or "lista.csv",
            skip_bad="kalo" in request.form,
            complete="plote" in request.form,
            by=actor(),
            now=shopper().now,
        )
    except TooLarge:
        return _begin(422, _too_large())
    return go(url_for(".job", id=job.id))


def _too_large() -> str:
    return gettext("Skedari është tepër i madh: lejohen %(most)d MB.", most=config.PRICE_LIST_MB)


@blueprint.get("/importi/<int:id>")
@staff_only("editor")
def job(id: int):
    """How far it is, what it would change, or what is wrong with it."""
    found = find_job_or_404(id)
    bad = [(line.line, line.column, reason_text(line.reason)) for line in found.bad_lines]
    return respond("desk/catalogue/import.html", "desk/catalogue/_import.html", job=found, bad=bad)


@blueprint.post("/importi/<int:id>/konfirmo")
@staff_only("editor")
def confirm(id: int):
    """Take what was checked, exactly."""
    return _decide(find_job_or_404(id), PriceListJob.confirm)


@blueprint.post("/importi/<int:id>/anulo")
@staff_only("editor")
def cancel(id: int):
    """Change nothing."""
    return _decide(find_job_or_404(id), PriceListJob.cancel)


def _decide(found: PriceListJob, what):
    try:
        what(found, by=actor(), now=shopper().now)
    except NotCheckedNow:
        # Pressed twice it is done already.
        pass
    else:
        flash(found.state)
    return go(url_for(".job", id=found.id))
