"""Të dhënat e mia: a profile takes all its data with it, and is erased (PRV-4).

Both ask for the password again: a browser that somebody left open gives nothing away. The erasure is confirmed by a
mailed link, and done some days later; until then its owner may think again.
"""

import io
import json
import zipfile
from contextlib import suppress

from flask import Blueprint, flash, render_template, request, send_file, url_for
from flask_babel import gettext

import config
from language import current
from models import personal
from models.attachment import Attachment
from models.erasure import AlreadyConfirmed, Erasure, NotYet, StaffProfile, outlook, what_is_open
from models.person_data import take_out
from models.profile import LockedOut, WrongPassword
from models.profile_link import LinkOver
from views import caller, data_words, privacy_words
from views.forms.my_data import ConfirmForm, DownloadForm, EraseForm
from views.members import members_only
from views.respond import go, keep_private, respond
from views.shopper import shopper

blueprint = Blueprint("my_data", __name__, url_prefix="/profili/privatesia")
blueprint.after_request(keep_private)


@blueprint.get("")
@members_only
def show():
    return _page()


def _page(status: int = 200, **forms):
    person = shopper()
    forms.setdefault("take", DownloadForm(formdata=None))
    forms.setdefault("erase", EraseForm(formdata=None))
    return respond(
        "profile/data.html",
        "profile/_data.html",
        status=status,
        profile=person.profile,
        waiting=Erasure.waiting_of(person.profile),
        reasons=what_is_open(person.profile, person.now),
        outlook=outlook(person.profile, person.now),
        is_staff=person.profile.works_as is not None,
        **forms,
    )


def _network() -> str:
    return "" if caller.is_local() else caller.network()


def _prove(profile, field) -> int:
    """0 where the password in `field` is the profile's; else the status of the page that says why it is not."""
    try:
        profile.prove(field.data, caller.network(), shopper().now)
    except WrongPassword:
        field.errors = [gettext("Ky nuk është fjalëkalimi juaj i tanishëm.")]
        return 422
    except LockedOut:
        field.errors = [gettext("Shumë përpjekje. Provoni përsëri pas 15 minutash.")]
        return 429
    return 0


# Taking it along


@blueprint.post("/shkarko")
@members_only
def download():
    """All data of the profile in one file; made anew each time, and written to the trail."""
    person, form = shopper(), DownloadForm()
    if not form.validate():
        return _page(422, take=form)
    if status := _prove(person.profile, form.take_password):
        return _page(status, take=form)
    try:
        given = take_out(person.profile, person.now)
    except LockedOut:
        form.take_password.errors = [gettext("Sot i keni shkarkuar disa herë. Provoni përsëri nesër.")]
        return _page(429, take=form)
    return send_file(
        _packed(given, person.now),
        mimetype="application/zip",
        as_attachment=True,
        download_name=f"te-dhenat-{person.now:%Y%m%d}.zip",
        max_age=0,
    )


def _packed(given: dict, now) -> io.BytesIO:
    """The data for machines, the same for people, and the files that were attached to claims."""
    page = render_template(
        "profile/data_file.html", given=given, made_at=now, parts=_parts(given), language=current()
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("te-dhenat.json", json.dumps(given, ensure_ascii=False, indent=2))
        file.writestr("lexo.html", page)
        ids = [row["id"] for row in given["tables"].get("attachment", ())]
        for attachment in Attachment.select().where(Attachment.id.in_(ids)):
            # One that was swept meanwhile is not there any more.
            with suppress(FileNotFoundError):
                file.write(attachment.path, f"skedaret/{attachment.id}-{attachment.name}")
    packed.seek(0)
    return packed


def _parts(given: dict) -> list:
    """(kind in words, its tables with their rows): each table once, under the first kind that it holds."""
    parts, told, reader = [], set(), data_words.Reader(given["tables"])
    for kind in privacy_words.kinds():
        tables = [
            (table, given["tables"][table])
            for table in personal.tables_of(kind.name)
            if table in given["tables"] and table not in told
        ]
        told |= {table for table, _ in tables}
        if tables:
            shown = [(data_words.table(table), [reader.row(table, row) for row in rows]) for table, rows in tables]
            parts.append((kind, shown))
    return parts


# Going


@blueprint.post("/fshirja")
@members_only
def erase():
    """Ask for the link that confirms the erasure."""
    person, form = shopper(), EraseForm()
    if not form.validate():
        return _page(422, erase=form)
    if status := _prove(person.profile, form.erase_password):
        return _page(status, erase=form)
    try:
        Erasure.ask(person.profile, _network(), person.now)
    except (StaffProfile, NotYet):
        # The page says what stands in the way.
        return _page(422, erase=EraseForm(formdata=None))
    except AlreadyConfirmed:
        return go(url_for("my_data.show"))
    except LockedOut:
        form.erase_password.errors = [
            gettext("Kësaj adrese i kemi dërguar disa e-posta. Provoni përsëri pas një ore.")
        ]
        return _page(429, erase=form)
    flash("erasure_mailed")
    return go(url_for("my_data.show"))


@blueprint.route("/fshirja/<token>", methods=["GET", "POST"])
def confirm(token: str):
    """The mailed link: a button, for programs that look into mails press none."""
    person = shopper()
    try:
        erasure = Erasure.of_token(token, person.now)
    except LinkOver:
        return respond("profile/over.html", status=410)
    is_mine = person.profile is not None and person.profile.id == erasure.profile_id
    form = ConfirmForm()
    if request.method != "POST":
        return _ask(erasure, form, is_mine)
    if not is_mine:
        if not form.validate():
            return _ask(erasure, form, is_mine, 422)
        if status := _prove(erasure.profile, form.password):
            return _ask(erasure, form, is_mine, status)
    try:
        erasure.confirm(person.now)
    except LinkOver:
        return respond("profile/over.html", status=410)
    except (StaffProfile, NotYet):
        return _ask(erasure, form, is_mine, 422)
    return go(url_for("my_data.show" if is_mine else "my_data.confirmed"))


def _ask(erasure: Erasure, form, is_mine: bool, status: int = 200):
    now = shopper().now
    # Whoever has nothing but the mail is not told what there is in the profile.
    shown = (
        {"reasons": what_is_open(erasure.profile, now), "outlook": outlook(erasure.profile, now)} if is_mine else {}
    )
    return respond(
        "profile/data_confirm.html",
        status=status,
        form=form,
        needs_password=not is_mine,
        refused=status == 422 and not form.errors,
        days=config.ERASURE_DAYS,
        **shown,
    )


@blueprint.get("/fshirja")
def confirmed():
    """After the link was confirmed in a browser that is not logged in; the same for everybody."""
    return respond("profile/data_confirmed.html", days=config.ERASURE_DAYS)


@blueprint.post("/mbaje")
@members_only
def withdraw():
    """Keep the profile after all."""
    person = shopper()
    if Erasure.withdraw(person.profile, person.now):
        flash("erasure_withdrawn")
    return go(url_for("my_data.show"))
