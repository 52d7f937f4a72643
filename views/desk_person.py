"""Të dhënat e një personi: all that is kept about somebody, given to an authority with a record of it (PRV-5)."""

import json

from flask import Blueprint, Response, request
from flask_babel import gettext

from models.actor import Actor
from models.person_data import NobodyFound, disclose
from views.forms.desk_person import PersonForm
from views.respond import keep_private, respond
from views.shopper import shopper
from views.staff_only import staff, staff_only

blueprint = Blueprint("desk_person", __name__, url_prefix="/desk/te-dhenat")
blueprint.after_request(keep_private)


@blueprint.route("", methods=["GET", "POST"])
@staff_only("admin")
def export():
    """The form; and once it is filled in, the file. Its record is written before anything is given."""
    form = PersonForm()
    if request.method == "GET":
        return _page(form)
    if not form.validate():
        return _page(form, 422)
    try:
        found = disclose(
            form.personi.data,
            by=Actor.of(staff()),
            authority=form.autoriteti.data,
            reference=form.numri.data,
            ground=form.baza.data,
            now=shopper().now,
        )
    except NobodyFound:
        form.personi.errors = [gettext("Për këtë nuk ruhet asgjë.")]
        return _page(form, 422)
    response = Response(json.dumps(found, ensure_ascii=False, indent=2), mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="te-dhenat-{shopper().now:%Y%m%d-%H%M%S}.json"'
    return response


def _page(form: PersonForm, status: int = 200):
    return respond("desk/person.html", None, status=status, form=form)
