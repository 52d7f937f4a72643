"""The desk's navigation: one list, of which each role sees what it may open (DSK-5)."""

from dataclasses import dataclass

from flask import current_app, g, request

from views.forms import lazy_gettext


@dataclass(frozen=True)
class Place:
    """An entry: the endpoint it leads to, and its name. It stands there once the endpoint does."""

    endpoint: str
    name: str
    # Blueprints beside its own whose pages belong to it.
    more: tuple[str, ...] = ()

    @property
    def part(self) -> str:
        """The blueprint, whose other pages belong to the entry as well."""
        return self.endpoint.partition(".")[0]


PLACES = (
    Place("desk_orders.search", lazy_gettext("Porositë")),
    Place("desk_delivery.board", lazy_gettext("Dorëzimet")),
    Place("desk_claims.board", lazy_gettext("Ankesat")),
    Place("desk_refunds.board", lazy_gettext("Kthimet")),
    Place("desk_gifts.begin", lazy_gettext("Dhurata")),
    Place("desk_joining.begin", lazy_gettext("Anëtarësimi")),
    Place("desk_catalogue.devices", lazy_gettext("Katalogu"), ("desk_tables", "desk_import")),
    Place("desk_figures.show", lazy_gettext("Raporte")),
    Place("desk_staff.people", lazy_gettext("Stafi")),
    Place("desk_trail.entries", lazy_gettext("Gjurma")),
    Place("desk_person.export", lazy_gettext("Kërkesat e autoriteteve")),
    Place("partner.check", lazy_gettext("Kontrollo kodin")),
    Place("partner.history", lazy_gettext("Historia")),
)


def places() -> list[Place]:
    """What who is at work may open; nothing before the code is given, which is asked for without a navigation."""
    if not g.get("at_work"):
        return []
    return [place for place in PLACES if g.staff.role in _roles(place.endpoint)]


def is_here(place: Place, shown: list[Place]) -> bool:
    """Whether the page being shown is the entry's, or one behind it."""
    endpoint = request.endpoint or ""
    if any(one.endpoint == endpoint for one in shown):
        return place.endpoint == endpoint
    part = endpoint.partition(".")[0]
    same = [one for one in shown if part in (one.part, *one.more)]
    return same[:1] == [place]


def _roles(endpoint: str) -> frozenset:
    return getattr(current_app.view_functions.get(endpoint), "roles", frozenset())


def register(app) -> None:
    """`desk_places()` and `is_here(place, shown)` for the desk's layout."""
    app.jinja_env.globals.update(desk_places=places, is_here=is_here)
