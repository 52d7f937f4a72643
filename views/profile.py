"""Logging in and out (PRO-2); the cart and the step stay (CHK-7, CRT-4)."""

from urllib.parse import urlsplit

from flask import Blueprint, request, session, url_for
from flask_babel import gettext
from flask_login import login_user, logout_user

from models.profile import LockedOut, Profile
from views import caller
from views.forms.profile import LoginForm
from views.respond import go, respond
from views.shopper import COOKIE, shopper

blueprint = Blueprint("profile", __name__)


def next_page() -> str:
    """Where to go after logging in: a path of this shop, never another site."""
    target = request.values.get("next", "")
    try:
        parts = urlsplit(target)
    except ValueError:
        return url_for("browse.home")
    is_path = target.startswith("/") and not target.startswith("//") and not parts.netloc and not parts.scheme
    if is_path and "\\" not in target and not any(ord(character) < 32 for character in target):
        return target
    return url_for("browse.home")


@blueprint.route("/hyr", methods=["GET", "POST"])
def log_in():
    form = LoginForm()
    if request.method == "GET":
        return respond("profile/log_in.html", "profile/_log_in.html", form=form, next_page=next_page())
    if not form.validate():
        return _again(form, 422)
    try:
        profile = Profile.log_in(form.email.data, form.password.data, caller.network(), shopper().now)
    except LockedOut:
        form.email.errors = [gettext("Shumë përpjekje. Provoni përsëri pas 15 minutash.")]
        return _again(form, 429)
    if profile is None:
        # The same words whether the e-mail is known or not (PRO-2).
        form.email.errors = [gettext("E-posta ose fjalëkalimi nuk përputhet.")]
        return _again(form, 422)
    target = next_page()
    # A session that somebody else may have begun is not the one that is logged in.
    remembered = session.get("orders", [])
    session.clear()
    session["orders"] = remembered
    login_user(profile, remember=form.remember.data)
    person = shopper()
    if person.cart is not None:
        person.take_cart(person.cart.join(profile, person.now))
    else:
        from models.cart import Cart

        theirs = Cart.get_or_none(Cart.profile == profile)
        if theirs is not None:
            person.take_cart(theirs)
    return go(target)


def _again(form, status):
    return respond("profile/log_in.html", "profile/_log_in.html", status=status, form=form, next_page=next_page())


@blueprint.post("/dil")
def log_out():
    response = go(url_for("browse.home"))
    if shopper().profile is None:
        # Out already, in another tab: a guest's cart stays.
        return response
    session.clear()
    # After clearing: the session carries the word that takes the remember cookie away.
    logout_user()
    # The cart is the profile's: it waits there for the next login.
    response.delete_cookie(COOKIE, path="/")
    return response
