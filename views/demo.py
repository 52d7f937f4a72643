"""The demo's inbox: what the shop has sent, as its readers would see it, and the codes of its staff's apps.

Not registered in production.
"""

import base64
import re
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from flask import Blueprint, Response, abort, jsonify, request
from markupsafe import Markup

import config
from gateways.sandbox.mail import read_inbox
from gateways.sandbox.sms import read_sms
from models.base import utcnow
from models.second_factor import STEP, SecondFactor
from views.respond import respond

blueprint = Blueprint("demo", __name__)

SHOWN = 50
# The sandbox names its files by time (UTC) and a random tail.
_ID = re.compile(r"\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{8}")
_CID = re.compile(r"cid:([^\"'\s<>)]+)")
# A mail lives on inline styles and its own pictures; it gets nothing else.
_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
)


@blueprint.get("/demo/inbox")
def inbox():
    """Mails and SMS, newest first."""
    messages = {"mails": read_inbox(config.INBOX, SHOWN), "smses": read_sms(config.INBOX, SHOWN)}
    return _private(respond("demo/inbox.html", "demo/_messages.html", **messages))


@blueprint.get("/demo/inbox.json")
def inbox_json():
    """The same for scripts, in one list; ?to= narrows it to one recipient, ?kind= to mail or sms."""
    recipient = request.args.get("to", "").strip().lower()
    kind = request.args.get("kind", "")
    nothing = {"subject": "", "html": "", "attachments": []}
    messages = [{"kind": "mail", **mail} for mail in read_inbox(config.INBOX, SHOWN)]
    messages += [{"kind": "sms", **nothing, **sms} for sms in read_sms(config.INBOX, SHOWN)]
    messages.sort(key=lambda message: message["at"], reverse=True)
    shown = ("kind", "id", "from", "to", "subject", "text", "html", "attachments")
    return _private(
        jsonify(
            [
                {**{name: message[name] for name in shown}, "at": message["at"].isoformat()}
                for message in messages
                if recipient in message["to"].lower() and kind in ("", message["kind"])
            ]
        )
    )


@blueprint.get("/demo/kodi")
def codes():
    """What the apps of the demo's staff show now: the second factor of their logins (DSK-5)."""
    now = utcnow()
    left = STEP - int(now.timestamp()) % STEP
    shown = [(factor.profile.email, factor.code_at(now)) for factor in SecondFactor.of_demo()]
    return _private(respond("demo/codes.html", "demo/_codes.html", codes=shown, left=left))


@blueprint.get("/demo/kodi.json")
def codes_json():
    """The same for scripts: e-mail → code."""
    now = utcnow()
    return _private(jsonify({factor.profile.email: factor.code_at(now) for factor in SecondFactor.of_demo()}))


@blueprint.get("/demo/inbox/<mail_id>")
def mail(mail_id: str):
    """One mail: its HTML in a frame of its own, its text beside it."""
    message = find_mail_or_404(mail_id)
    shown = {
        "id": mail_id,
        "from": str(message["From"] or ""),
        "to": str(message["To"] or message["Delivered-To"] or ""),
        "subject": str(message["Subject"] or ""),
        "at": datetime.strptime(mail_id[:23], "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC),
        "text": _content(message, "plain"),
        "has_html": message.get_body(("html",)) is not None,
        "attachments": [part.get_filename() or "" for part in message.iter_attachments()],
    }
    return _private(respond("demo/mail.html", mail=shown))


@blueprint.get("/demo/inbox/<mail_id>/html")
def mail_html(mail_id: str):
    """The HTML as it was sent, for the frame: no scripts, no address but the pictures that came with it."""
    message = find_mail_or_404(mail_id)
    if message.get_body(("html",)) is None:
        abort(404)
    pictures = {
        part["Content-ID"].strip("<>"): part
        for part in message.walk()
        if part["Content-ID"] and not part.is_multipart()
    }

    def inline(match):
        part = pictures.get(match[1])
        if part is None or part.get_content_maintype() != "image":
            return "data:,"
        data = base64.b64encode(part.get_payload(decode=True)).decode()
        return f"data:{part.get_content_type()};base64,{data}"

    html = _CID.sub(inline, _content(message, "html"))
    # A link leads out of the frame, as it would out of a mail program.
    html = re.sub(r"(<head\b[^>]*>)", r'\1<base target="_top">', html, count=1)
    response = Response(html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = _CSP
    return _private(response)


def find_mail_or_404(mail_id: str) -> EmailMessage:
    if not _ID.fullmatch(mail_id):
        abort(404)
    try:
        content = Path(config.INBOX, f"{mail_id}.eml").read_bytes()
    except FileNotFoundError:
        abort(404)
    return BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(content)


def _content(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    if part is None:
        return ""
    try:
        text = part.get_content()
    except LookupError:  # a character set nobody knows
        text = part.get_payload(decode=True).decode("utf-8", "replace")
    return text.replace("\r\n", "\n")


def linked(text: str) -> Markup:
    """A mail's text with the shop's own addresses as links."""
    pieces = re.split(rf"({re.escape(config.BASE_URL)}\S*)", text)
    return Markup("").join(
        Markup('<a href="{0}">{0}</a>').format(piece) if number % 2 else piece for number, piece in enumerate(pieces)
    )


blueprint.add_app_template_filter(linked, "linked")


def _private(response):
    response.headers["Cache-Control"] = "no-store"
    return response
