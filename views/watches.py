"""„Më trego kur të kthehet“, „Më trego kur të ulet çmimi“: asking, confirming, stopping, and one's own list (PRV-2).

What a guest is told is the same whatever is known of the e-mail that was typed. No address names a mailbox: a wish is
opened by the link in its mail, and the list is that of who is logged in.
"""

from flask import Blueprint, abort, flash, request, url_for
from flask_babel import gettext

from language import current
from models.drawing import picture_path
from models.order import storage_label
from models.profile import LockedOut
from models.profile_link import LinkOver
from models.shelf import shelf
from models.watch import NotWatchable, TooManyWatches, Watch
from views import caller
from views.forms.device import SLUG, address
from views.forms.watches import WatchForm
from views.members import members_only
from views.respond import go, keep_private, respond, wants_piece
from views.shopper import shopper

blueprint = Blueprint("watches", __name__)
# Mail programs press the button of their own without a session, and without a form's token (RFC 8058).
stop_blueprint = Blueprint("watches_stop", __name__)
for _each in (blueprint, stop_blueprint):
    _each.after_request(keep_private)

# What an address says → what is waited for.
KIND_WORDS = {"gjendja": "stock", "cmimi": "price"}
WORDS_OF = {kind: word for word, kind in KIND_WORDS.items()}


@blueprint.route("/pajisja/<slug>/njoftim", methods=["GET", "POST"])
def ask(slug: str):
    """Ask to be told of one variant; a GET shows the form, a profile's button counts at once."""
    choice = shelf.fresh().offered(slug) if SLUG.fullmatch(slug) else None
    if choice is None:
        abort(404)
    wanted = KIND_WORDS.get(request.values.get("cka", ""))
    if wanted is None:
        wanted = "price" if choice.in_stock else "stock"
    offers = choice.offers if wanted == "price" else [offer for offer in choice.offers if not offer.in_stock]
    if not offers:
        # Everything is there by now: nothing to wait for.
        return go(url_for("device.show", slug=slug))
    asked = request.values.get("varianti", "")
    offer = next((offer for offer in offers if offer.variant.sku == asked), None)
    form = WatchForm()
    if request.method != "POST":
        return _ask(choice, wanted, offers, offer or _first(choice, offers), form)
    if offer is None:
        # It came back, or was never one of this device.
        return _ask(choice, wanted, offers, _first(choice, offers), form, 422, moved=bool(asked))
    person = shopper()
    is_known = person.profile is not None and person.profile.is_verified
    if not is_known and not form.validate():
        return _ask(choice, wanted, offers, offer, form, 422)
    try:
        if is_known:
            Watch.ask_for(person.profile, offer.variant, wanted, segment=person.segment, now=person.now)
        else:
            # Behind a proxy that names nobody everybody would be one network.
            network = "" if caller.is_local() else caller.network()
            Watch.ask(form.email.data, offer.variant, wanted, language=current(), address=network, now=person.now)
    except NotWatchable:
        return _ask(choice, wanted, offers, offer, form, 422, moved=True)
    except TooManyWatches:
        return _ask(choice, wanted, offers, offer, form, 422, too_many=True)
    except LockedOut:
        form.email.errors = [gettext("Kësaj adrese i kemi dërguar disa e-posta. Provoni përsëri më vonë.")]
        return _ask(choice, wanted, offers, offer, form, 429)
    if is_known:
        flash("watching")
        return go(url_for("watches.mine"))
    return go(url_for("watches.sent"))


def _first(choice, offers):
    return choice.first if choice.first in offers else offers[0]


def _ask(choice, wanted, offers, offer, form, status=200, *, moved=False, too_many=False):
    person = shopper()
    profile = person.profile
    if profile is not None and not profile.is_verified and not form.email.data and request.method != "POST":
        form.email.data = profile.email
    variant = offer.variant
    return respond(
        "watches/ask.html",
        "watches/_ask.html",
        status=status,
        form=form,
        device=choice.device,
        name=choice.device.full_name(current()),
        kind=wanted,
        word=WORDS_OF[wanted],
        offers=[(one.variant.sku, variant_name(one.variant), one is offer) for one in offers],
        offer=offer,
        cost=offer.price_for(person.segment if profile is not None else None),
        picture=picture_path(choice.device, variant, "pair"),
        profile=profile if profile is not None and profile.is_verified else None,
        device_url=address(choice.device.slug, offer.colour, offer.storage),
        moved=moved,
        too_many=too_many,
    )


def variant_name(variant) -> str:
    """What tells a variant from the others of its device: "Blu, 256 GB"."""
    storage = storage_label(variant.storage_gb) if variant.storage_gb else ""
    return ", ".join(part for part in (variant.colour(current()), storage) if part)


@blueprint.get("/njoftime/derguar")
def sent():
    """The same after every mail that may have been sent."""
    return respond("watches/sent.html")


@blueprint.route("/njoftime/konfirmimi/<token>", methods=["GET", "POST"])
def confirm(token: str):
    """The mailed link: a button makes the wish count, for programs that look into mails press none."""
    now = shopper().now
    try:
        watch = Watch.of_confirm_token(token, now)
        if request.method == "POST":
            watch.confirm(now)
            return go(url_for("watches.confirm", token=token))
    except LinkOver:
        return respond("watches/over.html", status=410)
    except TooManyWatches:
        return respond("watches/confirm.html", status=422, watch=watch, too_many=True, **_of(watch))
    return respond("watches/confirm.html", watch=watch, too_many=False, **_of(watch))


@stop_blueprint.route("/njoftime/ndal/<token>", methods=["GET", "POST"])
def stop(token: str):
    """The link in each of these mails: its button, or a mail program's own, ends the wish at once (RFC 8058).

    No login, no session, no further question; a second button ends all that the mailbox waits for.
    """
    now = shopper().now
    try:
        watch = Watch.of_stop_token(token, now)
    except LinkOver:
        return respond("watches/over.html", status=410)
    everything = request.method == "POST" and "te_gjitha" in request.form
    if everything:
        watch.stop_all(now)
    elif request.method == "POST":
        watch.stop(now)
    return respond(
        "watches/stop.html", token=token, watch=Watch.of_stop_token(token, now), everything=everything, **_of(watch)
    )


def _of(watch: Watch) -> dict:
    device = watch.variant.device
    return {
        "device": device,
        "name": device.full_name(current()),
        "details": variant_name(watch.variant),
        "picture": picture_path(device, watch.variant, "pair"),
    }


@blueprint.get("/njoftime")
@members_only
def mine():
    """What the profile waits for."""
    return _mine()


def _mine():
    person = shopper()
    watches = [
        {
            "watch": watch,
            "url": address(watch.variant.device.slug, watch.variant.colour_code, watch.variant.storage_gb),
            "is_sold": watch.variant.listed and watch.variant.device.listed,
            **_of(watch),
        }
        for watch in Watch.of_profile(person.profile, person.now)
    ]
    return respond("watches/mine.html", "watches/_mine.html", watches=watches, profile=person.profile)


@blueprint.post("/njoftime/<int:watch_id>/ndal")
@members_only
def stop_mine(watch_id: int):
    person = shopper()
    watch = Watch.of_profile_by_id(person.profile, watch_id)
    if watch is None:
        abort(404)
    watch.stop(person.now)
    if wants_piece():
        return _mine()
    flash("stopped")
    return go(url_for("watches.mine"))
