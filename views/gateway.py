"""What the SMS gateway calls the shop with; nobody else is answered (MSG-2)."""

import hmac

import structlog
from flask import Blueprint, Response, abort, request

import config
from gateways.sms import BadMessage, read_report
from models.base import utcnow
from models.sms import Sms
from views import caller

blueprint = Blueprint("gateway", __name__)

log = structlog.get_logger()


def require_gateway() -> None:
    """404, as for an address that does not exist, unless address and secret are the gateway's."""
    given = request.args.getlist("secret")
    known = len(given) == 1 and hmac.compare_digest(given[0].encode(), config.SMS_SECRET.encode())
    if not (known and caller.is_within(config.SMS_ADDRESSES)):
        log.warning("gateway.refused", secret=known)
        abort(404)


@blueprint.get("/sms/report")
def report():
    """A delivery report. 200 whether it was new or not: brought again it changes nothing."""
    require_gateway()
    try:
        Sms.take_in(read_report(request.args), utcnow())
    except BadMessage as error:
        log.warning("gateway.bad_message", reason=str(error))
        abort(400)
    response = Response("OK", mimetype="text/plain")
    response.headers["Cache-Control"] = "no-store"
    return response
