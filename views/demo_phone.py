"""The demo's phone: SMS to 50777 and *777# from the browser, as one of the demo's numbers (CLB-9, CLB-10).

It calls the shop's own addresses over loopback, as the gateways do, with another process of the web server to answer.
Not registered in production.
"""

import http.client
import uuid
from dataclasses import dataclass
from urllib.parse import urlencode

import structlog
from flask import Blueprint, abort, request, session, url_for
from flask_babel import gettext

import config
from gateways.sandbox.sms import read_sms, store
from models.base import utcnow
from models.club_member import ClubMember
from models.number import Number
from views.forms import tidy
from views.respond import go, respond

blueprint = Blueprint("phone", __name__, url_prefix="/demo/telefoni")

log = structlog.get_logger()

SHORT = config.FACE.sms_code
CODES = (f"*{config.FACE.ussd_code}#", f"*{config.FACE.ussd_code}*1#")
# As long as an SMS of several parts; more than any menu takes.
LONGEST_SMS, LONGEST_INPUT = 300, 20
SHOWN = 8
# The web server may be busy with just such pages.
TIMEOUT = 10


class NoAnswer(Exception):
    """The shop's own address did not answer."""


@dataclass
class Call:
    """A session of *777#, as the browser's cookie keeps it."""

    number: str
    id: str
    code: str
    text: str
    screen: str
    is_open: bool

    @classmethod
    def current(cls, number: str) -> "Call | None":
        """What was dialled last from this number in this browser."""
        kept = session.get("phone")
        return cls(**kept) if kept and kept["number"] == number else None

    def keep(self) -> None:
        session["phone"] = vars(self)

    def ask(self) -> None:
        """Have the shop answer all that was dialled and typed so far. Raises NoAnswer."""
        form = {
            "sessionId": self.id,
            "serviceCode": self.code,
            "phoneNumber": f"+{self.number}",
            "text": self.text,
        }
        answer = _call("POST", f"/ussd?{urlencode({'secret': config.USSD_SECRET})}", urlencode(form))
        kind, _, self.screen = answer.partition(" ")
        self.is_open = kind == "CON"
        self.keep()


def numbers() -> list[tuple[str, bool]]:
    """The demo's numbers, and whether each is in the club; two queries."""
    members = {
        member.number_id
        for member in ClubMember.select(ClubMember.number).where(
            ClubMember.ended_at.is_null(), ClubMember.number.is_null(False)
        )
    }
    active = Number.select().where(Number.active).order_by(Number.msisdn).limit(50)
    return [(number.msisdn, number.id in members) for number in active]


def chosen_number() -> str:
    """The one in ?numri= or the form, else the first member's; 404 for one that is none of the demo's."""
    known = numbers()
    wanted = request.values.get("numri", "")
    if wanted:
        return wanted if wanted in {msisdn for msisdn, _ in known} else abort(404)
    return next((msisdn for msisdn, is_member in known if is_member), known[0][0] if known else "")


@blueprint.get("")
def page():
    """The phone: what was said between the number and 50777, and the screen of *777#."""
    return _page(chosen_number())


def _page(number: str, status: int = 200, **wrong: str):
    talk = [sms for sms in read_sms(config.INBOX, 200) if {sms["from"], sms["to"]} == {number, SHORT}]
    response = respond(
        "demo/phone.html",
        status=status,
        numbers=numbers(),
        number=number,
        talk=talk[:SHOWN],
        call=Call.current(number),
        codes=CODES,
        wrong=wrong,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/sms")
def send():
    """An SMS to 50777; what is answered lies in the demo's inbox like any other SMS."""
    number, text = _own_number(), tidy(request.form.get("teksti"))
    if not text or len(text) > LONGEST_SMS:
        return _page(number, 422, sms=gettext("Shkruani një mesazh, më së shumti 300 shkronja."), typed=text)
    fields = {
        "secret": config.SMS_SECRET,
        "from": number,
        "to": SHORT,
        "text": text,
        "id": str(uuid.uuid4()),
        "smsc": "demo",
        "time": f"{utcnow():%Y-%m-%d %H:%M:%S}",
    }
    try:
        answer = _call("GET", f"/sms/inbound?{urlencode(fields)}")
    except NoAnswer:
        return _page(number, 503, sms=_no_answer(), typed=text)
    store(config.INBOX, number, SHORT, text)
    store(config.INBOX, SHORT, number, answer)
    return go(url_for(".page", numri=number, _anchor="sms"))


@blueprint.post("/thirrja")
def dial():
    """A new session of *777#."""
    number, code = _own_number(), request.form.get("kodi", "")
    if code not in CODES:
        abort(404)
    return _ask(Call(number, uuid.uuid4().hex, code, "", "", True))


@blueprint.post("/pergjigja")
def reply():
    """What is typed at the screen that is shown."""
    number = _own_number()
    call, typed = Call.current(number), tidy(request.form.get("shifra"))
    if call is None or not call.is_open:
        return go(url_for(".page", numri=number, _anchor="ussd"))
    if not typed or len(typed) > LONGEST_INPUT or "*" in typed:
        return _page(number, 422, ussd=gettext("Shkruani një numër."))
    call.text = f"{call.text}*{typed}" if call.text else typed
    return _ask(call)


def _ask(call: Call):
    try:
        call.ask()
    except NoAnswer:
        return _page(call.number, 503, ussd=_no_answer())
    return go(url_for(".page", numri=call.number, _anchor="ussd"))


def _own_number() -> str:
    return chosen_number() or abort(404)


def _no_answer() -> str:
    return gettext("Dyqani nuk u përgjigj. Provoni përsëri.")


def _call(method: str, path: str, body: str | None = None) -> str:
    """The text of the shop's answer. Raises NoAnswer."""
    connection = http.client.HTTPConnection("127.0.0.1", config.PORT, timeout=TIMEOUT)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise NoAnswer
        return answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        log.warning("demo.no_answer", reason=type(error).__name__)
        raise NoAnswer from error
    finally:
        connection.close()
