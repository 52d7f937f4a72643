"""Pëlqimet e mia: what the profile agreed to, since when and in which words; taken back with one click (PRV-2)."""

from dataclasses import dataclass

from flask import Blueprint, abort, flash, request, url_for
from flask_babel import gettext

import config
from models.cart_reminder import KIND as CART
from models.consent import GUEST_KINDS, KINDS, BadLink, Consent, of_take_back_token
from views.consent_words import NAMES, PLACES, WORDING
from views.members import members_only
from views.respond import go, keep_private, respond, wants_piece
from views.secret_page import keep_secret
from views.shopper import shopper

blueprint = Blueprint("consents", __name__, url_prefix="/profili/pelqimet")
blueprint.after_request(keep_private)
# The link in each such mail: mail programs follow it with neither a session nor a form's token (RFC 8058).
stop_blueprint = Blueprint("consents_stop", __name__, url_prefix="/pelqimet")
stop_blueprint.after_request(keep_secret)


@dataclass(frozen=True)
class Agreed:
    """One kind of marketing: what counts now, and the word it stands on; of the profile, or of its mailbox as a
    guest's."""

    kind: str
    as_guest: bool
    last: Consent | None

    @property
    def given(self) -> bool:
        return self.last is not None and self.last.given

    @property
    def name(self):
        return NAMES[self.kind]

    @property
    def wording(self):
        return WORDING[self.kind]


def _agreed(history: list[Consent]) -> list[Agreed]:
    last = {}
    for word in history:
        last.setdefault((word.kind, word.profile_id is None), word)
    mine = [Agreed(kind, False, last.get((kind, False))) for kind in KINDS]
    if not config.CART_REMINDER_HOURS:
        # Nobody is reminded: nobody is asked either, and who agreed before may still take it back.
        mine = [one for one in mine if one.kind != CART or one.given]
    # A guest's yes is given at a checkout: here it can be taken back alone.
    guests = [Agreed(kind, True, last[kind, True]) for kind in GUEST_KINDS if (kind, True) in last]
    return [*mine, *(one for one in guests if one.given)]


@blueprint.get("")
@members_only
def mine():
    return _page()


def _page(said: str = ""):
    history = Consent.history(shopper().profile)
    return respond(
        "profile/consents.html",
        "profile/_consents.html",
        agreed=_agreed(history),
        history=history,
        names=NAMES,
        places=PLACES,
        said=said,
    )


@blueprint.post("")
@members_only
def say():
    """One yes, or one no: the words that stood there are kept with it."""
    person, kind, word = shopper(), request.form.get("lloji", ""), request.form.get("fjala", "")
    if kind not in KINDS or word not in ("po", "jo"):
        abort(422)
    if request.form.get("si") == "mysafir":
        # Of its own mailbox, and never a yes: that is given where a cart is.
        if word == "jo" and person.profile.is_verified and kind in GUEST_KINDS:
            Consent.say_as_guest(
                person.profile.email, kind, False, person.now, wording=gettext("Hiq pëlqimin"), channel="web"
            )
    else:
        wording = str(WORDING[kind]) if word == "po" else gettext("Hiq pëlqimin")
        Consent.say(person.profile, kind, word == "po", person.now, wording=wording, channel="web")
    if wants_piece():
        return _page(gettext("Të dhënat u ruajtën."))
    flash("saved")
    return go(url_for(".mine"))


@stop_blueprint.route("/ndal/<token>", methods=["GET", "POST"])
def stop(token: str):
    """The link in a mail: a button, for programs that look into mails press none; it asks nothing further."""
    try:
        consent = of_take_back_token(token)
    except BadLink:
        return respond("profile/over.html", status=410)
    if request.method == "POST":
        consent.take_back(shopper().now, wording=gettext("Mos më dërgoni më"), channel="mail")
    return respond("profile/consent_stop.html", token=token, name=NAMES[consent.kind], wanted=consent.is_live)
