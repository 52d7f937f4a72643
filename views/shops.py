"""The operator's shops: where a damaged device is taken, and where pieces come back to (AFT-5)."""

from flask import Blueprint, render_template, request
from flask_babel import gettext

import language
from models.catalogue import CatalogueVersion
from models.places import municipalities
from models.shops import by_distance, by_place, kilometres
from views.kept import kept_page

blueprint = Blueprint("shops", __name__)


@blueprint.get("/dyqanet")
def list_all():
    """All shops, the nearest to a municipality first where one is chosen."""
    chosen = request.args.get("komuna", "")
    known = municipalities(language.current())
    if chosen not in {place.code for place in known}:
        chosen = ""

    def render():
        return render_template(
            "pages/shops.html",
            chosen=chosen,
            municipalities=known,
            shops=by_distance(chosen) if chosen else by_place(language.current()),
            kilometres=lambda shop: round(kilometres(chosen, shop.municipality)),
            hours=hours,
        )

    # Kept by the chosen place alone: anybody can make up queries.
    # Editors who change a shop raise the catalogue's version.
    key = (request.endpoint, CatalogueVersion.current())
    return render() if request.query_string else kept_page(key, render)


def hours(shop) -> list[tuple[str, str]]:
    """When the shop is open, as (days, hours); the days it is closed are said too."""
    days = (
        (gettext("E hënë–e premte"), shop.weekdays),
        (gettext("E shtunë"), shop.saturday),
        (gettext("E diel"), shop.sunday),
    )
    return [(name, open_at or gettext("mbyllur")) for name, open_at in days]
