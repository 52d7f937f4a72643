"""Registering, logging in and out, and one's own profile (PRO-1, PRO-2); the cart and the step stay (CHK-7, CRT-4).

Nobody learns here which e-mails are known: what a page says is the same either way, and the mail tells its reader.
No address names a profile: it is the one that is logged in, or the one that a signed link was mailed for.
"""

from urllib.parse import urlsplit

from flask import Blueprint, flash, request, session, url_for
from flask_babel import gettext
from flask_login import login_user, logout_user

from language import NAMES, current, prefix_of
from models.cart import Cart
from models.consent import Consent
from models.password import WeakPassword
from models.profile import LockedOut, Profile, WrongPassword, plain_email
from models.profile_link import EmailTaken, LinkOver, ProfileLink
from models.registration import Registration
from models.second_factor import WorkSession
from views import caller
from views.forms import as_typed
from views.forms.profile import (
    DetailsForm,
    EmailForm,
    ForgottenForm,
    LoginForm,
    NewPasswordForm,
    NewsForm,
    PasswordForm,
    ProveForm,
    RegisterForm,
    why_weak,
)
from views.members import members_only
from views.respond import go, keep_private, respond, wants_piece
from views.shopper import COOKIE, shopper
from views.wisher import join_wishes

blueprint = Blueprint("profile", __name__)


# A page with somebody's e-mail, or with a link that opens once, stays in no cache.
blueprint.after_request(keep_private)


def asked_page() -> str:
    """The page of this shop that the visitor wants to go on to, or "": never another site."""
    target = request.values.get("next", "")
    try:
        parts = urlsplit(target)
    except ValueError:
        return ""
    is_path = target.startswith("/") and not target.startswith("//") and not parts.netloc and not parts.scheme
    if is_path and "\\" not in target and not any(ord(character) < 32 for character in target):
        return target
    return ""


def next_page() -> str:
    """Where to go after logging in."""
    return asked_page() or url_for("browse.home")


def begin_session(profile: Profile, remember: bool = False) -> None:
    """Log `profile` in with a session of its own; the cart of this browser joins the profile's (CRT-4)."""
    # What a login that is over leaves in the session goes before anything is taken over from it.
    _ = shopper().profile
    # A session that somebody else may have begun is not the one that is logged in.
    remembered = session.get("orders", [])
    session.clear()
    session["orders"] = remembered
    login_user(profile, remember=remember)
    person = shopper()
    if person.cart is not None:
        person.take_cart(person.cart.join(profile, person.now))
    elif not _take_cart_of(profile) and person.token:
        # Nor does the cookie of a cart that is over, or another profile's, stay.
        person.cart_to_fill()
    join_wishes(profile)


def _take_cart_of(profile: Profile) -> bool:
    theirs = Cart.get_or_none(Cart.profile == profile)
    if theirs is not None:
        shopper().take_cart(theirs)
    return theirs is not None


def _network() -> str:
    """Whom mails are counted for; behind a proxy that names nobody everybody would be one."""
    return "" if caller.is_local() else caller.network()


# In and out


@blueprint.route("/hyr", methods=["GET", "POST"])
def log_in():
    form = LoginForm()
    if request.method != "POST":
        return _log_in(form)
    if not form.validate():
        return _log_in(form, 422)
    try:
        profile = Profile.log_in(form.email.data, form.password.data, caller.network(), shopper().now)
    except LockedOut:
        form.email.errors = [_locked()]
        return _log_in(form, 429)
    if profile is None:
        # The same words whether the e-mail is known or not (PRO-2).
        form.email.errors = [gettext("E-posta ose fjalëkalimi nuk përputhet.")]
        return _log_in(form, 422)
    target = next_page()
    begin_session(profile, form.remember.data)
    return go(target)


def _log_in(form, status=200):
    return respond(
        "profile/log_in.html",
        "profile/_log_in.html",
        status=status,
        form=form,
        next_page=next_page(),
        asked_page=asked_page(),
    )


def _locked() -> str:
    return gettext("Shumë përpjekje. Provoni përsëri pas 15 minutash.")


def _too_many_mails() -> str:
    return gettext("Kësaj adrese i kemi dërguar disa e-posta. Provoni përsëri pas një ore.")


@blueprint.post("/dil")
def log_out():
    response = go(url_for("browse.home"))
    if shopper().profile is None:
        # Out already, in another tab: a guest's cart stays.
        return response
    return _log_out(response)


def _log_out(response):
    WorkSession.end(session.get("work", ""))
    session.clear()
    # After clearing: the session carries the word that takes the remember cookie away.
    logout_user()
    # The cart is the profile's: it waits there for the next login.
    response.delete_cookie(COOKIE, path="/")
    return response


# Registering


@blueprint.route("/profili/regjistrohu", methods=["GET", "POST"])
def register():
    """Ask for a profile (PRO-1): the same answer for an e-mail that has one already."""
    form = RegisterForm()
    if request.method != "POST":
        return _register(form)
    if not form.validate():
        return _register(form, 422)
    try:
        registration = Registration.begin(
            email=form.email.data,
            password=form.password.data,
            first_name=form.first_name.data,
            last_name=form.last_name.data,
            language=current(),
            address=_network(),
            now=shopper().now,
        )
    except WeakPassword as error:
        form.password.errors = [why_weak(error)]
        return _register(form, 422)
    except LockedOut:
        form.email.errors = [_too_many_mails()]
        return _register(form, 429)
    session["registering"] = [registration.code, asked_page()]
    return go(url_for("profile.registered"))


def _register(form, status=200):
    return respond(
        "profile/register.html", "profile/_register.html", status=status, form=form, asked_page=asked_page()
    )


def _registering() -> Registration | None:
    """The registration that this browser began."""
    try:
        return Registration.of_code(session.get("registering", [""])[0], shopper().now)
    except LinkOver:
        return None


@blueprint.get("/profili/regjistrohu/e-posta")
def registered():
    registration = _registering()
    if registration is None:
        return go(url_for("profile.register"))
    return respond("profile/registered.html", email=registration.email)


@blueprint.post("/profili/regjistrohu/perseri")
def send_registration_again():
    registration = _registering()
    if registration is None:
        return go(url_for("profile.register"))
    try:
        registration.send_again(_network(), shopper().now)
        flash("sent")
    except LockedOut:
        flash("too_many", "bad")
    return go(url_for("profile.registered"))


@blueprint.route("/profili/konfirmimi/<token>", methods=["GET", "POST"])
def confirm_registration(token: str):
    """The mailed link: a button makes the profile, for programs that look into mails press none (PRO-1)."""
    now = shopper().now
    try:
        registration = Registration.of_token(token, now)
    except LinkOver:
        return _over()
    code, target = session.get("registering", ["", ""])
    is_mine = code == registration.code
    wrong = gettext("Ky nuk është fjalëkalimi që zgjodhët.")
    if asked := _unconfirmed("registration", registration.email, None if is_mine else registration.prove, wrong):
        return asked
    try:
        profile = registration.confirm(now)
    except (LinkOver, EmailTaken):
        return _over()
    begin_session(profile)
    flash("welcome")
    return go((is_mine and target) or url_for("profile.show"))


def _unconfirmed(what: str, email: str, prove, wrong: str):
    """The page with the button that confirms a mailed link; None once it was pressed by who may.

    `prove` checks the password that is asked for then, None where the browser needs none; `wrong` is said to another.
    """
    form = ProveForm()

    def ask(status=200):
        return respond(
            "profile/confirm.html",
            status=status,
            form=form,
            email=email,
            needs_password=prove is not None,
            what=what,
        )

    if request.method != "POST":
        return ask()
    if prove is None:
        return None
    if not form.validate():
        return ask(422)
    try:
        prove(form.password.data, caller.network(), shopper().now)
    except WrongPassword:
        form.password.errors = [wrong]
        return ask(422)
    except LockedOut:
        form.password.errors = [_locked()]
        return ask(429)
    return None


def _over():
    """A link that opens nothing (any more): why is told to nobody."""
    return respond("profile/over.html", status=410)


# A forgotten password


@blueprint.route("/hyr/harruar", methods=["GET", "POST"])
def forgotten():
    form = ForgottenForm()
    if request.method != "POST":
        return _forgotten(form)
    if not form.validate():
        return _forgotten(form, 422)
    try:
        ProfileLink.ask_password(form.email.data, _network(), shopper().now)
    except LockedOut:
        form.email.errors = [_too_many_mails()]
        return _forgotten(form, 429)
    return go(url_for("profile.forgotten_sent"))


def _forgotten(form, status=200):
    return respond("profile/forgotten.html", "profile/_forgotten.html", status=status, form=form)


@blueprint.get("/hyr/harruar/derguar")
def forgotten_sent():
    return respond("profile/forgotten_sent.html")


@blueprint.route("/hyr/fjalekalimi/<token>", methods=["GET", "POST"])
def new_password(token: str):
    """The mailed link to a new password (PRO-2); it is used up by the password, not by looking."""
    now = shopper().now
    try:
        link = ProfileLink.of_token("password", token, now)
    except LinkOver:
        return _over()
    form = NewPasswordForm()

    def ask(status=200):
        return respond("profile/new_password.html", status=status, form=form, email=link.email)

    if request.method != "POST":
        return ask()
    if not form.validate():
        return ask(422)
    try:
        link.set_password(form.password.data, now)
    except WeakPassword as error:
        form.password.errors = [why_weak(error)]
        return ask(422)
    except LinkOver:
        return _over()
    flash("password_set")
    return go(url_for("profile.log_in"))


# One's own profile


@blueprint.get("/profili")
@members_only
def show():
    return _profile()


def _profile(status=200, shown="", **forms):
    """The profile's page; `shown` is the form that stands open, with what was typed."""
    person = shopper()
    profile = person.profile
    if "details" not in forms:
        # What was typed belongs to the one form that was sent.
        forms["details"] = DetailsForm(formdata=None, obj=profile)
        forms["details"].phone.data = as_typed(profile.phone)
    forms.setdefault("email_form", EmailForm(formdata=None))
    forms.setdefault("password_form", PasswordForm(formdata=None))
    forms["news_form"] = NewsForm(formdata=None, data=Consent.of(profile))
    return respond(
        "profile/page.html",
        "profile/_page.html",
        status=status,
        profile=profile,
        awaited=ProfileLink.awaited_email(profile, person.now),
        shown=shown,
        language_names=NAMES,
        **forms,
    )


@blueprint.route("/profili/te-dhenat", methods=["GET", "POST"])
@members_only
def details():
    if request.method != "POST":
        return _profile(shown="details")
    form = DetailsForm()
    if not form.validate():
        return _profile(422, "details", details=form)
    shopper().profile.change_details(
        first_name=form.first_name.data,
        last_name=form.last_name.data,
        phone=form.phone_digits,
        language=form.language.data,
    )
    flash("saved")
    # The pages go on in the language just chosen.
    return go(prefix_of(form.language.data) + url_for("profile.show").removeprefix(request.script_root))


@blueprint.post("/profili/lajmet")
@members_only
def news():
    """Whether the club may write of offers (PRV-2); each yes and no is kept with the words that were shown."""
    person, form = shopper(), NewsForm()
    for field in form:
        Consent.say(person.profile, field.name, field.data, person.now, wording=str(field.label.text), channel="web")
    if wants_piece():
        kept = NewsForm(formdata=None, data=Consent.of(person.profile))
        return respond("profile/page.html", "profile/_news.html", news_form=kept, saved=True)
    flash("saved")
    return go(url_for("profile.show") + "#lajmet")


@blueprint.route("/profili/fjalekalimi", methods=["GET", "POST"])
@members_only
def password():
    if request.method != "POST":
        return _profile(shown="password")
    person, form = shopper(), PasswordForm()
    profile = person.profile
    if not form.validate():
        return _profile(422, "password", password_form=form)
    try:
        profile.prove(form.present.data, caller.network(), person.now)
        profile.change_password(form.password.data, person.now)
    except WrongPassword:
        form.present.errors = [gettext("Ky nuk është fjalëkalimi juaj i tanishëm.")]
        return _profile(422, "password", password_form=form)
    except LockedOut:
        form.present.errors = [_locked()]
        return _profile(429, "password", password_form=form)
    except WeakPassword as error:
        form.password.errors = [why_weak(error)]
        return _profile(422, "password", password_form=form)
    # Every session ended; this browser goes on with a new one.
    login_user(profile, remember="remember_token" in request.cookies)
    _take_cart_of(profile)
    flash("password_changed")
    return go(url_for("profile.show"))


@blueprint.route("/profili/e-posta", methods=["GET", "POST"])
@members_only
def email():
    """Ask for another e-mail (PRO-1); it counts once it is confirmed."""
    if request.method != "POST":
        return _profile(shown="email")
    person, form = shopper(), EmailForm()
    profile = person.profile
    if not form.validate():
        return _profile(422, "email", email_form=form)
    if plain_email(form.new_email.data) == profile.email:
        form.new_email.errors = [gettext("Kjo është e-posta juaj e tanishme.")]
        return _profile(422, "email", email_form=form)
    try:
        profile.prove(form.email_password.data, caller.network(), person.now)
    except WrongPassword:
        form.email_password.errors = [gettext("Ky nuk është fjalëkalimi juaj i tanishëm.")]
        return _profile(422, "email", email_form=form)
    except LockedOut:
        form.email_password.errors = [_locked()]
        return _profile(429, "email", email_form=form)
    try:
        ProfileLink.ask_email(profile, form.new_email.data, _network(), person.now)
    except LockedOut:
        form.new_email.errors = [_too_many_mails()]
        return _profile(429, "email", email_form=form)
    flash("sent")
    return go(url_for("profile.show"))


@blueprint.post("/profili/e-posta/perseri")
@members_only
def send_email_again():
    """The link to the awaited e-mail once more, or the one that shows the present one to be the profile's."""
    person = shopper()
    awaited = ProfileLink.awaited_email(person.profile, person.now)
    try:
        if awaited is not None:
            awaited.send_again(_network(), person.now)
            flash("sent")
        elif not person.profile.is_verified:
            ProfileLink.ask_email(person.profile, person.profile.email, _network(), person.now)
            flash("sent")
    except LockedOut:
        flash("too_many", "bad")
    return go(url_for("profile.show"))


@blueprint.post("/profili/e-posta/anulimi")
@members_only
def withdraw_email():
    ProfileLink.void(shopper().profile, "email", shopper().now)
    flash("withdrawn")
    return go(url_for("profile.show"))


@blueprint.route("/profili/e-posta/konfirmimi/<token>", methods=["GET", "POST"])
def confirm_email(token: str):
    """The link in the new mailbox; on a device where the profile is not logged in, with its password.

    Otherwise an owner who clicks through a mail that a stranger caused would give the mailbox, and the orders that
    came to it, to the stranger's profile.
    """
    person = shopper()
    try:
        link = ProfileLink.of_token("email", token, person.now)
    except LinkOver:
        return _over()
    is_mine = person.profile == link.profile
    wrong = gettext("Ky nuk është fjalëkalimi i asaj llogarie.")
    if asked := _unconfirmed("email", link.email, None if is_mine else link.profile.prove, wrong):
        return asked
    try:
        profile = link.confirm_email(person.now)
    except (LinkOver, EmailTaken):
        return _over()
    if not is_mine:
        begin_session(profile)
    flash("email_confirmed")
    return go(url_for("profile.show"))


@blueprint.post("/profili/dalja")
@members_only
def log_out_everywhere():
    shopper().profile.end_sessions()
    response = _log_out(go(url_for("profile.log_in")))
    flash("out_everywhere")
    return response
