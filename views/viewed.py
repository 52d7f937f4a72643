"""The devices that were looked at last: all of them, and what is done with them."""

from flask import Blueprint, request, url_for

from language import current
from models.shelf import shelf
from views.cards import cards_html
from views.choosing import DAYS, SEEN_MOST, forget_seen, is_seen_off, seen_ids
from views.respond import go, respond

blueprint = Blueprint("viewed", __name__)


@blueprint.get("/te-shikuarat")
def show():
    shelf.fresh()
    cards = shelf.cards(seen_ids()[:SEEN_MOST]) if seen_ids() else []
    return respond(
        "viewed/page.html",
        cards=cards_html(cards, current()),
        is_off=is_seen_off(),
        days=DAYS,
        most=SEEN_MOST,
    )


@blueprint.post("/te-shikuarat")
def change():
    """Forget them, and from now on keep none, or keep them again."""
    response = go(url_for("viewed.show"))
    wanted = request.form.get("cka", "fshi")
    forget_seen(response, off=wanted == "ndal" or (wanted == "fshi" and is_seen_off()))
    return response
