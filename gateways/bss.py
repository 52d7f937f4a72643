"""The operator's billing system over HTTP: how messages are signed both ways, and how it is told of events."""

import hashlib
import hmac
import http.client
import re
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from . import GatewayError

TIMESTAMP, SIGNATURE, EVENT = "X-Dyqani-Timestamp", "X-Dyqani-Signature", "X-Dyqani-Event"
# Seconds that a message's timestamp may be off.
WINDOW = 300
_LONGEST_ANSWER = 4096
# Said of our login or address, of a receiver that is not ready, or of too many at once: later it may be otherwise.
_NOT_NOW = frozenset({401, 403, 404, 407, 408, 421, 425, 429})


class BadSignature(ValueError):
    """A message is not signed with the secret, or not within the last minutes."""


class Unreachable(GatewayError):
    """The receiver takes nothing at present, whatever it is sent."""

    def __init__(self, message: str):
        super().__init__(message, permanent=False)


def sign(secret: str, timestamp: int | str, body: bytes) -> str:
    """The signature of a message: `sha256=` and the HMAC-SHA256 of "TIMESTAMP.BODY" in hexadecimal."""
    return "sha256=" + hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def verify(secrets: Iterable[str], timestamp: str, signature: str, body: bytes, now: datetime) -> None:
    """Raises BadSignature unless one of `secrets` signed the message, less than WINDOW seconds from `now`."""
    # Each is compared to the end: how long it takes tells nothing.
    known = [hmac.compare_digest(sign(secret, timestamp, body).encode(), signature.encode()) for secret in secrets]
    if not any(known):
        raise BadSignature("the signature does not fit")
    if not re.fullmatch("[0-9]{1,12}", timestamp, re.ASCII) or abs(now.timestamp() - int(timestamp)) > WINDOW:
        raise BadSignature(f"the timestamp is no Unix time within {WINDOW} seconds of the shop's clock")


@dataclass(frozen=True)
class Operator:
    """The receiver of the shop's events. `timeout` is in seconds and holds for each step of the talk."""

    url: str
    secret: str = field(repr=False)
    timeout: float = 10.0

    def __post_init__(self):
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment:
            raise ValueError("The webhook's url is no http or https address.")

    def tell(self, event: str, body: bytes, now: datetime) -> None:
        """Bring one event, by its id; returns once the receiver said that it has it (2xx).

        Raises Unreachable when nobody can take events now, and GatewayError when this one was refused: for good
        with `permanent`. The receiver may have it after any error but a refusal, and takes it once by its id.
        """
        timestamp = int(now.timestamp())
        headers = {
            "Content-Type": "application/json",
            EVENT: event,
            TIMESTAMP: str(timestamp),
            SIGNATURE: sign(self.secret, timestamp, body),
        }
        parts = urlsplit(self.url)
        options = {"timeout": self.timeout}
        if parts.scheme == "https":
            options["context"] = ssl.create_default_context()
        made = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = made(parts.hostname, parts.port, **options)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request("POST", target, body, headers)
            response = connection.getresponse()
            status = response.status
            response.read(_LONGEST_ANSWER)
        except (http.client.HTTPException, OSError, ValueError) as error:
            raise Unreachable(f"The operator's endpoint cannot be reached: {type(error).__name__}.") from error
        finally:
            connection.close()
        _judge(status)


def _judge(status: int) -> None:
    """Raises for everything but a yes. Of the answer only its number is kept: words may repeat the event (PRV-1)."""
    if 200 <= status < 300:
        return
    said = f"The operator's endpoint answered HTTP {status}."
    if status in _NOT_NOW or status in (502, 503, 504) or status < 400:
        raise Unreachable(said)
    raise GatewayError(said, permanent=status < 500)
