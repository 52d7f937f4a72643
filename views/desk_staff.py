"""Stafi: who works here, in which role; an admin gives and takes roles, and takes a lost app away (DSK-5)."""

from flask import Blueprint, abort, flash, request, url_for
from flask_babel import gettext

from models.profile import Profile
from models.second_factor import SecondFactor, WorkSession
from models.staff import LastAdmin, NotVerified, OwnRole, Staff
from views.forms.staff import NewStaffForm, RoleForm, WhyForm
from views.respond import go, keep_private, respond
from views.shopper import shopper
from views.staff_only import actor, staff, staff_only

blueprint = Blueprint("desk_staff", __name__, url_prefix="/desk/stafi")


blueprint.after_request(keep_private)


def find_staff_or_404(number: int) -> Staff:
    return Staff.of_id(number) or abort(404)


@blueprint.route("", methods=["GET", "POST"])
@staff_only("admin")
def people():
    """Everybody, and a form that gives a profile its role."""
    form = NewStaffForm()
    if request.method != "POST":
        return _people(form)
    if not form.validate():
        return _people(form, 422)
    profile = Profile.of_email(form.e_posta.data)
    if profile is None:
        form.e_posta.errors = [gettext("Nuk ka profil me këtë e-postë. Personi regjistrohet vetë në dyqan.")]
        return _people(form, 422)
    if trouble := _give(profile, form):
        form.e_posta.errors = [trouble]
        return _people(form, 422)
    flash("role_given")
    return go(url_for(".person", number=Staff.of(profile).id))


def _people(form, status=200):
    return respond(
        "desk/staff.html",
        status=status,
        form=form,
        people=Staff.everybody(),
        apps=SecondFactor.profiles(),
        working=WorkSession.profiles(shopper().now),
    )


@blueprint.route("/<int:number>", methods=["GET", "POST"])
@staff_only("admin")
def person(number: int):
    """One of them: another role, no role, another app."""
    found = find_staff_or_404(number)
    form = RoleForm()
    if request.method != "POST":
        form.roli.data = found.role
        form.partneri.data = found.partner.code if found.partner else ""
        return _person(found, form)
    if not form.validate():
        return _person(found, form, 422)
    if trouble := _give(found.profile, form):
        form.roli.errors = [trouble]
        return _person(found, form, 422)
    flash("role_given")
    return go(url_for(".person", number=number))


@blueprint.post("/<int:number>/hiqe")
@staff_only("admin")
def take_role(number: int):
    """No role any more; what is open in its browsers ends with the next click."""
    found = find_staff_or_404(number)
    form = WhyForm()
    if not form.validate():
        return _person(found, RoleForm(formdata=None), 422, form.arsyeja.errors[0])
    try:
        Staff.remove(found.profile, shopper().now, by=actor(), why=form.arsyeja.data)
    except (LastAdmin, OwnRole) as error:
        return _person(found, RoleForm(formdata=None), 422, why_not(error))
    flash("role_taken")
    return go(url_for(".people"))


@blueprint.post("/<int:number>/aplikacioni")
@staff_only("admin")
def reset_app(number: int):
    """The app and the recovery codes count no more; the person connects another with the next login."""
    found = find_staff_or_404(number)
    form = WhyForm()
    if not form.validate():
        return _person(found, RoleForm(formdata=None), 422, form.arsyeja.errors[0])
    SecondFactor.reset(found.profile, actor(), shopper().now, form.arsyeja.data)
    flash("app_reset")
    return go(url_for(".person", number=number))


def _person(found: Staff, form, status=200, trouble=""):
    if form.roli.data is None:
        form.roli.data = found.role
        form.partneri.data = found.partner.code if found.partner else ""
    return respond(
        "desk/staff_person.html",
        status=status,
        found=found,
        form=form,
        why=WhyForm(formdata=None),
        trouble=trouble,
        app=SecondFactor.of(found.profile),
        is_me=found.profile == staff().profile,
    )


def _give(profile: Profile, form: RoleForm) -> str:
    """Give the role that the form says; returns why not, or ""."""
    try:
        Staff.add(profile, form.roli.data, shopper().now, form.partner, by=actor(), why=form.arsyeja.data)
    except (NotVerified, LastAdmin, OwnRole) as error:
        return why_not(error)
    return ""


def why_not(error: Exception) -> str:
    match error:
        case NotVerified():
            return gettext("Askush nuk e ka konfirmuar ende këtë e-postë.")
        case LastAdmin():
            return gettext("Ky është administratori i fundit: askush nuk do të mund të jepte më role.")
        case _:
            return gettext("Rolin tuaj e ndryshon një administrator tjetër.")
