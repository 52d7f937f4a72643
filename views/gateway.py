"""What the SMS gateway and the USSD gateway call the shop with; nobody else is answered (MSG-2, CLB-9, CLB-10)."""

import hmac
import re

import structlog
from flask import Blueprint, Response, abort, request
from werkzeug.exceptions import HTTPException

import config
import language as languages
from gateways.sms import BadMessage, answer_headers, read_inbound, read_report
from models.base import utcnow
from models.club_answers import Screen, Words, answer_sms, answer_ussd
from models.sms import Sms
from views import caller, errors

blueprint = Blueprint("gateway", __name__)

log = structlog.get_logger()

# Where the secret may stand for who would rather keep it out of the address.
SECRET_HEADER = "X-Gateway-Secret"  # noqa: S105
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}", re.ASCII)


def require_gateway() -> None:
    """404, as for an address that does not exist, unless address and secret are the SMS gateway's."""
    if not _is_gateway():
        abort(404)


def require_ussd_gateway() -> None:
    """The same for the gateway of *777#."""
    if not _is_ussd_gateway():
        abort(404)


def _is_gateway() -> bool:
    return _is_one(request.args.getlist("secret"), config.SMS_SECRET, config.SMS_ADDRESSES)


def _is_ussd_gateway() -> bool:
    given = [*request.args.getlist("secret"), *request.headers.getlist(SECRET_HEADER)]
    return _is_one(given, config.USSD_SECRET, config.USSD_ADDRESSES)


def _is_one(given: list[str], secret: str, networks) -> bool:
    known = bool(secret) and len(given) == 1 and hmac.compare_digest(given[0].encode(), secret.encode())
    if not (known and caller.is_within(networks)):
        log.warning("gateway.refused", secret=known)
        return False
    return True


@blueprint.get("/sms/report")
def report():
    """A delivery report. 200 whether it was new or not: brought again it changes nothing."""
    require_gateway()
    try:
        Sms.take_in(read_report(request.args), utcnow())
    except BadMessage as error:
        log.warning("gateway.bad_message", reason=str(error))
        abort(400)
    return _plain("OK", {"Content-Type": "text/plain; charset=utf-8"})


@blueprint.get("/sms/inbound")
def inbound():
    """An SMS to 50777; the body goes back as the answer (CLB-9).

    Always 200 with words, see `failed`: in place of anything else the subscriber would get the gateway's own English.
    After a failure nothing of the message was written, unless only the word that it was got lost.
    """
    require_gateway()
    try:
        message = read_inbound(request.args)
        text = answer_sms(message.sender, message.text, message.message_id, utcnow())
    except BadMessage as error:
        log.warning("gateway.bad_message", reason=str(error))
        text = _no_success()
    return _plain(text, answer_headers(text))


@blueprint.post("/ussd")
def ussd():
    """One step of *777#: all inputs so far come in, a screen goes out (CLB-10)."""
    require_ussd_gateway()
    form = request.form
    if any(len(form.getlist(name)) != 1 for name in ("sessionId", "serviceCode", "phoneNumber")):
        abort(400)
    # A + that was not escaped comes as a space.
    phone = "+" + form["phoneNumber"].lstrip("+ ")
    session, code, text = form["sessionId"], form["serviceCode"], form.get("text", "")
    if not _PHONE.fullmatch(phone) or not session.strip() or len(session) > 500 or len(text) > 500:
        log.warning("gateway.bad_message", reason="no session, no phone number, or too long")
        abort(400)
    return _screen(answer_ussd(phone, session, code, text, utcnow()))


@blueprint.errorhandler(Exception)
def failed(error: Exception):
    """Words for the subscriber, also where the request never came to its view: the database is away, or the text
    holds what no page takes. Only for the gateways; whoever else meets the error page, as everywhere."""
    refused = isinstance(error, HTTPException)
    is_gateway = {"gateway.inbound": _is_gateway, "gateway.ussd": _is_ussd_gateway}.get(request.endpoint)
    # A 400 of 50777's is none of the view's own: that one answers with words whatever it gets.
    to_be_answered = not refused or (error.code == 400 and request.endpoint == "gateway.inbound")
    if not (to_be_answered and is_gateway and is_gateway()):
        if refused:
            return errors.refuse(error)
        raise error
    log.error("gateway.failed", endpoint=request.endpoint, exc_info=error)
    if request.endpoint == "gateway.ussd":
        return _screen(Screen(_no_success(), True))
    return _plain(_no_success(), answer_headers(_no_success()))


def _no_success() -> str:
    return Words(languages.DEFAULT).no_success()


def _screen(screen: Screen) -> Response:
    kind = "END" if screen.is_last else "CON"
    return _plain(f"{kind} {screen.text}", {"Content-Type": "text/plain; charset=utf-8"})


def _plain(text: str, headers: dict[str, str]) -> Response:
    response = Response(text)
    response.headers.update(headers)
    response.headers["Cache-Control"] = "no-store"
    return response
