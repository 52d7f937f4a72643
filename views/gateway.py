"""What the SMS gateway calls the shop with; nobody else is answered (MSG-2)."""

import hmac
from ipaddress import ip_address

import structlog
from flask import Blueprint, Response, abort, request

import config
from gateways.sms import BadMessage, read_report
from models.base import utcnow
from models.sms import Sms

blueprint = Blueprint("gateway", __name__)
log = structlog.get_logger()


def require_gateway() -> None:
    """404, as for an address that does not exist, unless address and secret are the gateway's."""
    given = request.args.getlist("secret")
    known = len(given) == 1 and hmac.compare_digest(given[0].encode(), config.SMS_SECRET.encode())
    if not (known and _is_allowed(request.remote_addr or "")):
        log.warning("gateway.refused", secret=known)
        abort(404)


def _is_allowed(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    # A socket for both families shows an IPv4 caller so.
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in config.SMS_ADDRESSES)


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
