"""The wish list of a guest or a profile, and the page that others read when it is shared."""

import re

from flask import Blueprint, abort, flash, make_response, render_template, request, url_for
from flask_babel import gettext

import config
from language import current
from models.cart import NotForSale
from models.choice import Choice
from models.compare import MOST
from models.shelf import shelf
from models.wish import TOKEN_LENGTH, NotInStock, Wished, WishesFull, WishList
from views.choosing import address_of, tray
from views.forms.device import SLUG, address
from views.kept import profile_here
from views.respond import go, keep_private, respond, wants_piece
from views.shopper import shopper
from views.wisher import owner, owner_to_be, wish_list
from views.words import ngettext, url

blueprint = Blueprint("wishes", __name__)
# Somebody's own.
blueprint.after_request(keep_private)

_SHARE = re.compile(f"[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}")


@blueprint.get("/deshirat")
def show():
    return respond("wishes/page.html", "wishes/_list.html", **_contents())


@blueprint.get("/deshirat/shto")
def ask():
    """What a heart on a card opens: a form with a token, which cards that are kept for everybody cannot have.

    With a script it is sent by itself.
    """
    choice = _choice_or_404(request.args.get("p", ""))
    context = {"slug": choice.device.slug, "name": choice.device.full_name(current())}
    if not wants_piece():
        return respond("wishes/ask.html", **context)
    # Of two hearts pressed at once both are one guest's: the token is there before either form is sent.
    owner_to_be()
    return respond("wishes/_send.html", "wishes/_send.html", remove=bool(request.args.get("hiq")), **context)


@blueprint.post("/deshirat")
def change():
    """Put a device on the list, or with `hiq` take it off; doing it twice is once."""
    shelf.fresh()
    choice = _choice_or_404(request.form.get("p", ""))
    name = choice.device.full_name(current())
    status = 200
    if request.form.get("hiq"):
        mine = wish_list()
        if mine is not None:
            mine.remove_device(choice.device)
        said = gettext("U hoq nga lista e dëshirave: %(name)s.", name=name)
    else:
        variant = choice.device.variant_for(request.form.get("ngjyra", ""), request.form.get("memoria", ""))
        shown = (choice.of_variant(variant) if variant is not None else None) or choice.first
        person = shopper()
        try:
            WishList.add(owner_to_be(), choice.device, variant, shown.price_for(_segment()).now, person.now)
            said = gettext("U ruajt te lista e dëshirave: %(name)s.", name=name)
        except WishesFull:
            said, status = _full(), 422
    if not wants_piece():
        flash(said, "wish-bad" if status == 422 else "wish-ok")
        return go(url_for("wishes.show"))
    response = make_response(
        render_template("wishes/_changed.html", tray=tray(oob=True), said=said, is_refused=status == 422), status
    )
    response.vary.add("HX-Request")
    return response


@blueprint.post("/deshirat/<int:line_id>/heqja")
def remove(line_id: int):
    """The x of a wish; that it is gone already is right all the same."""
    mine = wish_list()
    if mine is None:
        abort(404)
    gone = next((one for one in mine.lines(shopper().now) if one.id == line_id), None)
    said = ""
    if gone is not None and mine.remove(line_id):
        said = gettext("U hoq nga lista e dëshirave: %(name)s.", name=gone.device.full_name(current()))
    return _changed(said)


@blueprint.post("/deshirat/<int:line_id>/shporta")
def move(line_id: int):
    """Put a wished device into the cart and take it off the list."""
    mine = wish_list()
    if mine is None:
        abort(404)
    person = shopper()
    try:
        mine.move_to_cart(line_id, person.cart_to_fill, person.now, _segment())
    except (NotInStock, NotForSale):
        said = gettext("Kjo pajisje nuk ka në gjendje tani; mbetet te lista.")
        if not wants_piece():
            flash(said, "wish-bad")
            return go(url_for("wishes.show"))
        return respond("wishes/_list.html", "wishes/_list.html", 422, said=said, is_refused=True, **_contents())
    return go(url_for("cart.show"))


@blueprint.post("/deshirat/lidhja")
def share():
    """Begin to share the list by a link that only reads it, or stop."""
    mine = wish_list()
    if mine is None:
        abort(404)
    if request.form.get("cka") == "ndal":
        mine.stop_sharing()
    else:
        mine.share()
    return _changed("")


@blueprint.get("/deshirat/lista/<token>")
def shared(token: str):
    """The list as others see it: what is still sold, and no word of whose it is."""
    found = WishList.of_share(token) if _SHARE.fullmatch(token) else None
    if found is None:
        abort(404)
    lines = [one for one in found.lines(shopper().now) if one.is_sold]
    return respond("wishes/shared.html", lines=lines, device_url=_device_url)


def _choice_or_404(slug: str) -> Choice:
    shelf.fresh()
    choice = shelf.offered(slug) if SLUG.fullmatch(slug) else None
    if choice is None:
        abort(404)
    return choice


def _segment() -> str | None:
    return shopper().segment if profile_here() is not None else None


def _full() -> str:
    return ngettext(
        "Lista mban deri në %(num)d pajisje. Hiqni një, pastaj provoni përsëri.",
        "Lista mban deri në %(num)d pajisje. Hiqni një, pastaj provoni përsëri.",
        config.WISHES_MAX,
    )


def _contents() -> dict:
    mine = wish_list()
    lines = mine.lines(shopper().now, _segment) if mine is not None else []
    sold = [one.device.slug for one in lines if one.is_sold]
    return {
        "lines": lines,
        "share_url": f"{config.BASE_URL}{url_for('wishes.shared', token=mine.share_token)}"
        if mine is not None and mine.share_token
        else "",
        "compare_url": address_of(sold[:MOST]) if len(sold) > 1 else "",
        "is_guest": not owner() or profile_here() is None,
        "days": config.WISH_DAYS,
        "own_url": url("wishes.show"),
        "device_url": _device_url,
    }


def _device_url(one: Wished) -> str:
    """The device's page, with the colour and storage that were wished."""
    if one.line.variant_id != one.variant.id:
        return address(one.device.slug)
    return address(one.device.slug, one.variant.colour_code, one.variant.storage_gb)


def _changed(said: str):
    if not wants_piece():
        if said:
            flash(said, "wish-ok")
        return go(url_for("wishes.show"))
    return respond("wishes/_list.html", "wishes/_list.html", said=said, is_refused=False, **_contents())
