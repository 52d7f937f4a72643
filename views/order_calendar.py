"""Shto në kalendar: the delivery of an order as a calendar file, for whoever may see the order (DLV-2, DLV-5)."""

from flask import Blueprint, abort, make_response, request, url_for

import config
from documents.calendar import entry_of, is_coming, is_known
from language import current
from views.orders import find_order_or_refuse, without_token
from views.respond import keep_private
from views.shopper import shopper

blueprint = Blueprint("order_calendar", __name__)
blueprint.after_request(keep_private)


@blueprint.get("/porosia/<number>/kalendari.ics")
def show(number: str):
    order = find_order_or_refuse(number)
    if "k" in request.args:
        return without_token()
    if not is_known(order):
        abort(404)
    # No token in it: a calendar is shared with others, who are not to see the order.
    where = url_for("orders.show", number=order.number) if order.profile_id else url_for("orders.find")
    response = make_response(entry_of(order, current(), _outside(where), shopper().now))
    response.mimetype = "text/calendar"
    response.headers["Content-Disposition"] = f'inline; filename="{order.number}.ics"'
    return response


def _outside(path: str) -> str:
    return config.BASE_URL + path


def register(app) -> None:
    """`in_calendar(order)` for templates."""
    app.jinja_env.globals.update(in_calendar=is_coming)
