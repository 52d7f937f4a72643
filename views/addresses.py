"""Adresat e mia: the addresses that a profile keeps for its orders (CHK-2); nobody else's can be asked for."""

from flask import Blueprint, abort, request, url_for
from flask_babel import gettext

from models.saved_address import MOST, SavedAddress, TooManyAddresses
from views.forms.addresses import AddressForm
from views.members import members_only
from views.respond import go, keep_private, respond
from views.shopper import shopper

blueprint = Blueprint("addresses", __name__, url_prefix="/profili/adresat")
blueprint.after_request(keep_private)


def find_address_or_404(address_id: int) -> SavedAddress:
    """An address of this profile; 404 for those of others, so that ids cannot be tried out."""
    return SavedAddress.of_profile_by(shopper().profile, address_id) or abort(404)


@blueprint.get("")
@members_only
def mine():
    """The list; `?u=` says what the last press did."""
    kept = SavedAddress.of(shopper().profile)
    return respond("addresses/mine.html", kept=kept, most=MOST, done=request.args.get("u", ""))


@blueprint.route("/shto", methods=["GET", "POST"])
@members_only
def add():
    form = AddressForm()
    if request.method != "POST":
        return _page(form)
    if not form.validate():
        return _page(form, 422)
    try:
        SavedAddress.keep(shopper().profile, now=shopper().now, **form.typed())
    except TooManyAddresses:
        form.street.errors = [
            gettext("Keni ruajtur %(most)d adresa. Hiqni njërën para se të shtoni tjetër.", most=MOST)
        ]
        return _page(form, 422)
    return go(url_for(".mine", u="ruajtur"))


@blueprint.route("/<int:address_id>", methods=["GET", "POST"])
@members_only
def change(address_id: int):
    address = find_address_or_404(address_id)
    if request.method != "POST":
        known = {name: getattr(address, name) for name in ("street", "municipality", "label")}
        known |= {"place": address.postal_code, "first": address.is_default}
        return _page(AddressForm(formdata=None, data=known), address=address)
    form = AddressForm()
    if not form.validate():
        return _page(form, 422, address=address)
    try:
        address.change(**form.typed())
    except SavedAddress.DoesNotExist:
        abort(404)
    return go(url_for(".mine", u="ruajtur"))


@blueprint.post("/<int:address_id>/e-para")
@members_only
def put_first(address_id: int):
    """From now on this one is chosen by itself."""
    find_address_or_404(address_id).put_first()
    return go(url_for(".mine", u="e-para"))


@blueprint.post("/<int:address_id>/heqja")
@members_only
def remove(address_id: int):
    """Forget it; what is not there is as good as forgotten."""
    SavedAddress.remove(shopper().profile, address_id)
    return go(url_for(".mine", u="hequr"))


def _page(form: AddressForm, status: int = 200, address: SavedAddress | None = None):
    return respond("addresses/form.html", "addresses/_form.html", status, form=form, address=address)
