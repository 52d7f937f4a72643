"""Hyrja në punë: the code of the second factor after the password, and the app that shows it (DSK-5)."""

from functools import wraps

import segno
from flask import Blueprint, g, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext
from flask_login import login_fresh

import language
from models.profile import LockedOut
from models.second_factor import (
    LOCKED,
    RECOVERY_CODES,
    EnrolledAlready,
    SecondFactor,
    WorkSession,
    WrongFactor,
    begin_work,
    renew_codes,
)
from models.staff import ROLES
from views.forms.staff import FactorForm
from views.members import members_only
from views.respond import go, keep_private, respond, wants_piece
from views.shopper import shopper
from views.staff_only import SESSION, actor, is_at_work, staff_only, works_here
from views.words import ngettext

blueprint = Blueprint("desk_login", __name__, url_prefix="/desk/hyrja")

# Names of this page's own fields: whatever else a form carries is another page's, and waits for the code.
OWN = {"csrf_token", "kodi_im", "kthehu", "vazhdo"}
# Where the secret that is being shown has its nonce; worthless without SECRET_KEY.
NONCE = "factor"


blueprint.after_request(keep_private)


def worker(view):
    """The view, for who works here and gave the password in this browser; the code is what it asks for."""

    @wraps(view)
    @members_only
    def guarded():
        g.staff = works_here()
        if not login_fresh():
            return go(url_for("profile.log_in", next=back()))
        return view()

    return guarded


def back() -> str:
    """The page of the desk to go on to, never another site's."""
    target = request.values.get("next", "") if request.method == "GET" else request.form.get("kthehu", "")
    return target if is_ours(target) else url_for("desk_home.start")


def is_ours(target: str) -> bool:
    """Whether it is an address of the desk, or of a partner's pages, in one of the shop's languages."""
    if not target.isascii() or not target.isprintable() or "\\" in target:
        return False
    path = target.partition("?")[0]
    for code in language.NAMES:
        prefix = language.prefix_of(code)
        if path.startswith((f"{prefix}/desk", f"{prefix}/partneri")):
            return path.removeprefix(prefix).split("/")[1] in ("desk", "partneri")
    return False


@blueprint.route("", methods=["GET", "POST"])
@worker
def ask():
    """The code of the app, or a recovery code."""
    person = shopper()
    form = FactorForm()
    if request.method != "POST":
        if is_at_work():
            return go(back())
        if SecondFactor.of(person.profile) is None:
            return go(url_for(".enrol", next=back()))
        return _ask(form)
    if not form.validate():
        return _ask(form, 422)
    try:
        token, is_recovery = begin_work(actor(), person.profile, form.kodi_im.data, person.now)
    except LockedOut:
        form.kodi_im.errors = [locked()]
        return _ask(form, 429)
    except WrongFactor as error:
        form.kodi_im.errors = [wrong(error)]
        return _ask(form, 422)
    _begin(token)
    if request.form.get("vazhdo"):
        # The browser sends the form again, as it is, to where it was meant for.
        return redirect(back(), 307)
    return go(url_for(".codes", next=back()) if is_recovery else back())


def ask_between():
    """The code's page as the answer to a form that was sent after the session's end; nothing of it is lost."""
    return _ask(FactorForm(formdata=None), 403, language.url_in(language.current()))


def _ask(form, status=200, sent_to=""):
    """`sent_to` is where the form was meant for that waits for the code."""
    waits = sent_to or (back() if request.form.get("vazhdo") else "")
    # A code that was refused is not typed again.
    form.kodi_im.data = ""
    context = {
        "form": form,
        "back": waits or back(),
        "waits": waits,
        "kept": [pair for pair in request.form.items(multi=True) if pair[0] not in OWN] if waits else [],
    }
    if waits and wants_piece():
        # Instead of the whole page: what was asked for has no place for it.
        response = make_response(render_template("desk/login.html", **context), 422)
        response.headers["HX-Retarget"] = "body"
        response.headers["HX-Reswap"] = "innerHTML"
        response.headers["HX-Push-Url"] = "false"
        return response
    return respond("desk/login.html", status=status, **context)


@blueprint.route("/lidhja", methods=["GET", "POST"])
@worker
def enrol():
    """The first visit: an app takes the secret, and shows that it has it; then the recovery codes, once."""
    person = shopper()
    form = FactorForm()
    if SecondFactor.of(person.profile) is not None:
        return go(url_for(".ask", next=back()))
    if request.method != "POST" or not session.get(NONCE):
        session.setdefault(NONCE, SecondFactor.new_nonce())
        return _enrol(form)
    if not form.validate():
        return _enrol(form, 422)
    try:
        codes = SecondFactor.enrol(actor(), person.profile, session[NONCE], form.kodi_im.data, person.now)
    except EnrolledAlready:
        return go(url_for(".ask", next=back()))
    except LockedOut:
        form.kodi_im.errors = [locked()]
        return _enrol(form, 429)
    except WrongFactor as error:
        form.kodi_im.errors = [wrong(error)]
        return _enrol(form, 422)
    del session[NONCE]
    _begin(WorkSession.begin(person.profile, person.now))
    return respond("desk/recovery.html", codes=codes, back=back(), form=None, left=len(codes))


def _enrol(form, status=200):
    profile, nonce = shopper().profile, session[NONCE]
    secret = SecondFactor.secret_of(profile, nonce)
    form.kodi_im.data = ""
    return respond(
        "desk/enrol.html",
        status=status,
        form=form,
        back=back(),
        secret=" ".join(secret[place : place + 4] for place in range(0, len(secret), 4)),
        picture=segno.make(SecondFactor.address_of(profile, nonce), error="m").svg_data_uri(
            scale=6, border=4, dark="#000", light="#fff"
        ),
    )


@blueprint.route("/rezerve", methods=["GET", "POST"])
@staff_only(*ROLES)
def codes():
    """How many recovery codes are left; for a code of the app, ten new ones."""
    person, form = shopper(), FactorForm()
    if request.method != "POST":
        return _codes(form)
    if not form.validate():
        return _codes(form, 422)
    try:
        made = renew_codes(actor(), person.profile, form.kodi_im.data, person.now)
    except LockedOut:
        form.kodi_im.errors = [locked()]
        return _codes(form, 429)
    except WrongFactor as error:
        form.kodi_im.errors = [wrong(error)]
        return _codes(form, 422)
    return respond("desk/recovery.html", codes=made, back=back(), form=None, left=len(made))


def _codes(form, status=200):
    form.kodi_im.data = ""
    left = SecondFactor.of(shopper().profile).codes_left()
    return respond(
        "desk/recovery.html", status=status, form=form, codes=None, back=back(), left=left, most=RECOVERY_CODES
    )


def _begin(token: str) -> None:
    if before := session.get(SESSION):
        WorkSession.end(before)
    session[SESSION] = token


def wrong(error: WrongFactor) -> str:
    if not error.left:
        return locked()
    return ngettext(
        "Kodi nuk është i saktë ose është përdorur. Mbetet %(num)d përpjekje.",
        "Kodi nuk është i saktë ose është përdorur. Mbeten %(num)d përpjekje.",
        error.left,
    )


def locked() -> str:
    minutes = int(LOCKED.total_seconds()) // 60
    return gettext("Shumë kode të pasakta. Provoni përsëri pas %(num)d minutash.", num=minutes)
