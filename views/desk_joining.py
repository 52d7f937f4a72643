"""Anëtarësimi: a clerk takes a number or fixed service into the club, with a code on the customer's phone (CLB-1)."""

from flask import Blueprint, abort, request, url_for
from flask_babel import gettext

import config
import language
from models.calendar import local_day
from models.club_member import AlreadyMember, month_after
from models.club_rate import Rates
from models.counter import Customer, TooManyLookUps
from models.desk_joining import DeskJoining, ServiceGone
from models.security_code import TooManyCodes
from views.desk_code import CodeStep
from views.desk_gifts import too_many_look_ups
from views.forms.desk import JoinForm
from views.numbers import too_many
from views.respond import go, keep_private, respond
from views.shopper import shopper
from views.staff_only import staff_only

blueprint = Blueprint("desk_joining", __name__, url_prefix="/desk/anetaresimi")
blueprint.after_request(keep_private)


def find_joining_or_404(token: str) -> DeskJoining:
    """A joining that this very clerk began."""
    return DeskJoining.of_clerk(shopper().profile, token) or abort(404)


@blueprint.route("", methods=["GET", "POST"])
@staff_only("clerk")
def begin():
    """What joins; and once that is confirmed, the SMS."""
    form = _form()
    if request.method != "POST":
        form.numri.data = ""
        return _begin(form)
    if not form.validate():
        return _begin(form, 422)
    person = shopper()
    try:
        customer = Customer.look_up(person.profile, person.now, msisdn=form.msisdn, code=form.fixed)
    except TooManyLookUps as error:
        form.numri.errors = [too_many_look_ups(error)]
        return _begin(form, 429)
    if customer is None:
        form.numri.errors = [gettext("Ky numër ose shërbim nuk është aktiv te ne.")]
        return _begin(form, 422)
    if customer.member is not None:
        form.numri.errors = [gettext("Është anëtar i Klubit Im tashmë.")]
        return _begin(form, 422)
    if "dergo" not in request.form:
        return _begin(form, customer=customer)
    return _ask(form, customer)


def _ask(form: JoinForm, customer: Customer):
    person = shopper()
    phone = customer.phone(form.telefoni.data)
    trouble, status = gettext("Zgjidhni numrin ku shkon kodi."), 422
    if phone is not None:
        chosen = form.gjuha.data if form.gjuha.data in config.LANGUAGES else language.current()
        try:
            joining = DeskJoining.ask(person.profile, customer.service, phone.msisdn, chosen, person.now)
        except AlreadyMember:
            form.numri.errors = [gettext("Është anëtar i Klubit Im tashmë.")]
            return _begin(form, 422)
        except ServiceGone:
            trouble = gettext("Ky numër ose shërbim nuk është aktiv te ne.")
        except TooManyCodes as error:
            trouble, status = too_many(error), 429
        else:
            return go(url_for(".joining", token=joining.token))
    return _begin(form, status, customer=customer, trouble=trouble)


@blueprint.route("/<token>", methods=["GET", "POST"])
@staff_only("clerk")
def joining(token: str):
    """The customer's code; once it was right, what they have now."""
    return _code.answer(find_joining_or_404(token), _done)


@blueprint.post("/<token>/kodi")
@staff_only("clerk")
def send_again(token: str):
    """Another code to the customer."""
    return _code.send_again(find_joining_or_404(token))


def _refusal(error: Exception) -> str:
    if isinstance(error, AlreadyMember):
        return gettext("Është anëtar i Klubit Im tashmë.")
    return gettext("Ky numër ose shërbim nuk është aktiv te ne.")


def _form() -> JoinForm:
    form = JoinForm()
    form.gjuha.choices = [(code, language.NAMES[code]) for code in config.LANGUAGES]
    if form.gjuha.data not in config.LANGUAGES:
        form.gjuha.data = language.current()
    return form


def _begin(form, status=200, customer: Customer | None = None, trouble=""):
    today = local_day(shopper().now)
    return respond(
        "desk/join.html",
        "desk/_join.html",
        status=status,
        form=form,
        customer=customer,
        trouble=trouble,
        welcome=Rates(today).welcome(customer.tariff) if customer is not None else 0,
        earns_from=month_after(today),
    )


def _done(found: DeskJoining):
    return respond("desk/joined.html", found=found, member=found.member, welcome=found.welcome)


_code = CodeStep("join", ".joining", DeskJoining.confirm, (AlreadyMember, ServiceGone), _refusal)
