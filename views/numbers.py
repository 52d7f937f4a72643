"""Numrat e mi: the profile's numbers, adding one, removing one (PRO-3, PRO-4, PRO-5)."""

from urllib.parse import urlsplit

from flask import Blueprint, abort, redirect, request, url_for
from flask_babel import gettext, ngettext

from models.catalogue import Tariff
from models.contract import Contract
from models.number import Number
from models.number_claim import AlreadyAdded, NumberClaim, TooSoon
from models.security_code import CodeOver, TooManyCodes, WrongCode
from views.forms.numbers import CodeForm, NumberForm, ProofForm
from views.members import members_only
from views.respond import go, keep_private, respond, wants_piece
from views.shopper import shopper
from views.templating import clock

blueprint = Blueprint("numbers", __name__, url_prefix="/profili/numrat")


def find_number_or_404(number_id: int) -> Number:
    """A number of this profile; 404 for those of others, so that ids cannot be tried out."""
    number = Number.of_profile_by(shopper().profile, id=number_id)
    return number or abort(404)


def find_claim_or_404(token: str) -> NumberClaim:
    """What this profile began to add; 404 for what others did."""
    return NumberClaim.of_profile(shopper().profile, token) or abort(404)


def way_back() -> str:
    """Where to go on after adding: the path of this shop in ?tjetra=, else nothing."""
    target = request.values.get("tjetra", "")
    try:
        parts = urlsplit(target)
    except ValueError:
        return ""
    ours = target.startswith("/") and not target.startswith("//") and not parts.netloc and not parts.scheme
    plain = target.isascii() and target.isprintable() and "\\" not in target and len(target) <= 300
    return target if ours and plain else ""


@blueprint.get("")
@members_only
def mine():
    """The list."""
    person = shopper()
    contracts = {}
    if person.numbers:
        running = Contract.running(person.now).where(Contract.number.in_(person.numbers))
        contracts = {contract.number_id: contract for contract in running}
    return _page("numbers/mine.html", contracts=contracts, tariffs=_tariff_names(person.numbers))


def _tariff_names(numbers: list[Number]) -> dict[str, str]:
    """Of the tariffs that the shop sells; the operator's others are called by their code."""
    codes = {number.tariff for number in numbers}
    return dict(Tariff.select(Tariff.code, Tariff.name).where(Tariff.code.in_(codes)).tuples()) if codes else {}


@blueprint.route("/shto", methods=["GET", "POST"])
@members_only
def add():
    """The first step: which number. ?tjetra= is where to go on afterwards."""
    profile, back = shopper().profile, way_back()
    if not profile.is_verified:
        # PRO-1: its orders and numbers would be somebody's who only typed the e-mail.
        status = 422 if request.method == "POST" else 200
        return _page("numbers/not_verified.html", "numbers/_not_verified.html", status=status)
    form = NumberForm()
    if request.method == "POST" and form.validate():
        try:
            claim = NumberClaim.begin(profile, form.phone_digits, shopper().now, back)
        except AlreadyAdded:
            form.phone.errors = [gettext("Ky numër është tashmë në profilin tuaj.")]
        else:
            return go(url_for(".prove", token=claim.token))
    return _step("number", form, 422 if request.method == "POST" else 200, back=back)


@blueprint.route("/shto/<token>", methods=["GET", "POST"])
@members_only
def prove(token: str):
    """The second step: ID number or SIM. What comes next never tells whether it was right (PRO-4)."""
    claim = find_claim_or_404(token)
    if claim.added_at is not None:
        return go(url_for(".added", token=token))
    form = ProofForm()
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate():
            try:
                claim.prove(shopper().now, **form.proof)
            except TooManyCodes as error:
                [name] = form.proof
                form[name].errors = [too_many(error)]
                status = 429
            else:
                return go(url_for(".confirm", token=token))
    return _step("proof", form, status, claim=claim)


@blueprint.route("/shto/<token>/kodi", methods=["GET", "POST"])
@members_only
def confirm(token: str):
    """The third step: the code."""
    claim = find_claim_or_404(token)
    if claim.added_at is not None:
        return go(url_for(".added", token=token))
    if claim.code is None:
        return go(url_for(".prove", token=token))
    form = CodeForm()
    if request.method != "POST":
        if wants_piece():
            return _page("numbers/add.html", "numbers/_again.html", claim=claim, **_until_again(claim))
        return _step("code", form, 200, claim=claim)
    if form.validate():
        try:
            claim.confirm(form.code.data, shopper().now)
        except WrongCode as error:
            form.code.errors = [wrong(error)]
        except CodeOver:
            form.code.errors = [gettext("Ky kod nuk vlen më. Kërkoni një tjetër.")]
        else:
            return go(url_for(".added", token=token))
        # A code that was refused is not typed again.
        form.code.data = ""
    return _step("code", form, 422, claim=claim)


@blueprint.post("/shto/<token>/kodi/tjeter")
@members_only
def send_again(token: str):
    """Another code."""
    claim = find_claim_or_404(token)
    if claim.added_at is not None:
        return go(url_for(".added", token=token))
    form = CodeForm(formdata=None)
    try:
        claim.send_again(shopper().now)
    except CodeOver:
        return go(url_for(".prove", token=token))
    except TooSoon:
        # A second click: the code is on its way.
        return go(url_for(".confirm", token=token))
    except TooManyCodes as error:
        form.code.errors = [too_many(error)]
        return _step("code", form, 429, claim=claim)
    return go(url_for(".confirm", token=token))


@blueprint.get("/shto/<token>/fund")
@members_only
def added(token: str):
    """The number is in the profile; x leads on (PRO-3)."""
    claim = find_claim_or_404(token)
    if claim.added_at is None:
        return redirect(url_for(".prove", token=token), 303)
    return _step("added", None, 200, claim=claim)


@blueprint.route("/<int:number_id>/heqja", methods=["GET", "POST"])
@members_only
def remove(number_id: int):
    """Asks, and takes the number out of the profile. A second time it is gone: back to the list."""
    person = shopper()
    if request.method == "POST":
        number = Number.of_profile_by(person.profile, id=number_id)
        if number is not None:
            number.remove_from(person.profile)
            person.forget_lines()
        return go(url_for(".mine"))
    number = find_number_or_404(number_id)
    in_cart = any(getattr(line.line, "number_id", None) == number.id for line in person.lines())
    return _page("numbers/remove.html", number=number, in_cart=in_cart)


def too_many(error: TooManyCodes) -> str:
    return gettext("Keni kërkuar shumë kode. Provoni përsëri në orën %(time)s.", time=clock(error.until))


def wrong(error: WrongCode) -> str:
    if not error.left:
        return gettext("Kodi nuk është i saktë dhe nuk vlen më. Kërkoni një tjetër.")
    return tries_left(error)


def tries_left(error: WrongCode) -> str:
    return ngettext(
        "Kodi nuk është i saktë; mbetet %(num)d përpjekje.",
        "Kodi nuk është i saktë; mbeten %(num)d përpjekje.",
        error.left,
    )


def _step(step: str, form, status: int, claim=None, **context):
    if step == "code":
        context |= _until_again(claim)
    return _page(
        "numbers/add.html", f"numbers/_{step}.html", status=status, step=step, form=form, claim=claim, **context
    )


def _until_again(claim: NumberClaim) -> dict:
    return {"wait": max(0, round((claim.again_at - shopper().now).total_seconds()))}


def _page(page: str, piece: str | None = None, status: int = 200, **context):
    response = respond(page, piece, status=status, **context)
    # Who has which number is nobody else's business, on a shared computer neither.
    return keep_private(response)
