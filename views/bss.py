"""What the operator's billing system pushes: single changes, signed, answered in JSON (docs/bss.md)."""

import structlog
from flask import Blueprint, Response, abort, json, request
from peewee import OperationalError
from werkzeug.exceptions import RequestEntityTooLarge

import config
from gateways.bss import SIGNATURE, TIMESTAMP, BadSignature, verify
from models.base import IS_SQLITE, utcnow
from models.bss_push import KINDS, BadMessage, Busy, IdUsed, Message
from views import caller

blueprint = Blueprint("bss", __name__)

log = structlog.get_logger()

# Bytes; the longest true message has about 1,000.
LONGEST = 16 * 1024
# Seconds after which a message that found an import running is to be sent again.
AGAIN_AFTER = 10


@blueprint.post("/bss/<kind>")
def push(kind: str):
    """One change. 201: a new row; 200: a row that was there; 422 names each wrong field; 503: send it again.

    Whoever cannot sign learns nothing, not even which addresses there are.
    """
    if not config.BSS_PUSH_SECRET:
        abort(404)
    body = _body()
    if isinstance(body, Response):
        return body
    try:
        verify(
            config.BSS_PUSH_SECRET,
            request.headers.get(TIMESTAMP, ""),
            request.headers.get(SIGNATURE, ""),
            body,
            utcnow(),
        )
    except BadSignature as error:
        return _refuse(401, str(error))
    if not caller.is_within(config.BSS_ADDRESSES):
        return _refuse(403, "this address is not among BSS_ADDRESSES")
    if kind not in KINDS:
        return _refuse(404, f"a change is one of {', '.join(KINDS)}")
    try:
        message = Message.read(kind, body)
        result = message.take(utcnow())
    except BadMessage as error:
        log.info("bss.bad_message", kind=kind, fields=sorted(error.errors.keys() & _fields(kind)))
        return _answer(422, {"errors": error.errors})
    except IdUsed:
        return _refuse(409, "the id belongs to another message", id=message.id)
    except Busy:
        return _come_again()
    except OperationalError as error:
        # Somebody writes for longer than SQLite waits: an import.
        if not (IS_SQLITE and "locked" in str(error)):
            raise
        return _come_again()
    log.info("bss.pushed", kind=kind, result=result)
    return _answer(201 if result == "added" else 200, {"id": message.id, "result": result})


def _body() -> bytes | Response:
    """What is signed; or the refusal of what is too long or no JSON."""
    request.max_content_length = LONGEST
    try:
        body = request.get_data()
    except RequestEntityTooLarge:
        return _refuse(413, f"a message has at most {LONGEST} bytes")
    if request.mimetype != "application/json":
        return _refuse(415, "a message is application/json")
    return body


def _fields(kind: str) -> set[str]:
    return {"id", "at", "data", *KINDS[kind].columns}


def _refuse(status: int, why: str, **more) -> Response:
    log.warning("bss.refused", status=status)
    return _answer(status, {**more, "error": why})


def _come_again() -> Response:
    response = _answer(503, {"error": "an import runs; send the message again"})
    response.headers["Retry-After"] = str(AGAIN_AFTER)
    return response


def _answer(status: int, told: dict) -> Response:
    response = Response(json.dumps(told, ensure_ascii=False) + "\n", status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
