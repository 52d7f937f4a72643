"""The SMS gateway, spoken to over Kannel's HTTP interface, and what it calls the shop with (MSG-2)."""

import enum
import http.client
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

from . import GatewayError
from .mail import OutcomeUnknown

# GSM 03.38 as Kannel writes it. It has Ç and no ç, and neither ë nor Cyrillic.
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Each of these is written as two characters.
_GSM_EXTENSION = frozenset("^{}\\[~]|€")

_NUMBER = re.compile(r"\+?[0-9]{3,15}", re.ASCII)
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.I)
_SENDER = re.compile(r"\+?[0-9]{3,15}|[A-Za-z0-9 ._-]{1,11}", re.ASCII)
_ALL_REPORTS = "31"
_LONGEST_ANSWER = 4096
_LONGEST_TEXT = 2000


class BadMessage(ValueError):
    """A call to the shop that is not in the gateway's form."""


class ReportStatus(enum.Enum):
    """What became of a message, by Kannel's number for it."""

    DELIVERED = 1
    FAILED = 2
    BUFFERED = 4
    ACCEPTED = 8
    REJECTED = 16

    @property
    def is_final(self) -> bool:
        return self in (self.DELIVERED, self.FAILED, self.REJECTED)


@dataclass(frozen=True)
class Inbound:
    """An SMS that a subscriber sent. `message_id` is the same when the gateway brings it twice (CLB-9)."""

    sender: str
    receiver: str
    text: str
    message_id: str
    smsc: str
    sent_at: datetime


@dataclass(frozen=True)
class Report:
    """A delivery report for the `message_id` that the shop sent under."""

    message_id: str
    status: ReportStatus


def fits_gsm(text: str) -> bool:
    """Whether a text can be sent in the 7-bit alphabet, 160 characters an SMS; with ë, ç or Cyrillic it cannot."""
    return all(character in _GSM or character in _GSM_EXTENSION for character in text)


def segments(text: str) -> int:
    """How many SMS a text takes: 160 characters for one and 153 for each of several; 70 and 67 beside GSM."""
    if fits_gsm(text):
        widths, one, several = [1 + (character in _GSM_EXTENSION) for character in text], 160, 153
    else:
        widths, one, several = [1 + (ord(character) > 0xFFFF) for character in text], 70, 67
    if sum(widths) <= one:
        return 1
    count, used = 1, 0
    for width in widths:
        # What is written as two must not be torn apart.
        if used + width > several:
            count, used = count + 1, 0
        used += width
    return count


def answer_headers(text: str) -> dict[str, str]:
    """The headers under which `text`, in UTF-8, goes back as an SMS in answer to an inbound one (CLB-9)."""
    # Kannel takes the body for Latin-1 without the charset, and for 7 bits without the coding.
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    if not fits_gsm(text):
        headers |= {"X-Kannel-Coding": "2", "X-Kannel-Charset": "UTF-8"}
    return headers


@dataclass(frozen=True)
class SmsGateway:
    """Kannel's sendsms interface, or one that speaks like it.

    `url` is the whole address, such as http://127.0.0.1:13013/cgi-bin/sendsms. `sender` is a number, or a name of
    at most 11 characters. `dlr_url` is where reports are wanted: the message's id and the status are added to its
    query; without it there are none. `timeout` is in seconds and holds for each step. A text of more than
    `most_segments` SMS is refused; Kannel would cut it off at its own `max-messages`, without a word.
    """

    url: str
    user: str
    password: str = field(repr=False)
    sender: str
    dlr_url: str = field(default="", repr=False)  # its query may hold a secret
    timeout: float = 10.0
    most_segments: int = 5

    def __post_init__(self):
        for name, url in (("url", self.url), *((("dlr_url", self.dlr_url),) if self.dlr_url else ())):
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment:
                raise ValueError(f"The SMS gateway's {name} is no http or https address.")
        if not _SENDER.fullmatch(self.sender):
            raise ValueError(f"An SMS sender is a number or at most 11 plain characters, not {self.sender!r}.")

    def send(
        self,
        to: str,
        text: str,
        message_id: str,
        before_send: Callable[[], object] | None = None,
    ) -> None:
        """Hands one SMS to the gateway, in the 7-bit alphabet where the text allows (MSG-1, MSG-2).

        `to` is a number in international form, with or without +. `before_send` is called when the gateway
        listens and nothing of the message has left yet; what it raises stops the sending and comes out
        unchanged.

        Raises OutcomeUnknown when the message may have been sent or not. After any other GatewayError it has
        not: `permanent=True` says that this number or text is refused, `permanent=False` that the gateway cannot
        be reached, refuses us, or wants us to come again.
        """
        target = self._target(to, text, message_id)
        connection = self._connect()
        try:
            if before_send is not None:
                before_send()
            try:
                connection.request("GET", target)
                response = connection.getresponse()
                status, answer = response.status, response.read(_LONGEST_ANSWER)
            except (http.client.HTTPException, OSError) as error:
                # Also a request that broke half-way: Kannel may have had its last byte.
                raise OutcomeUnknown(f"The SMS gateway fell silent: {type(error).__name__}.") from error
        finally:
            connection.close()
        _judge(status, answer)

    def _target(self, to: str, text: str, message_id: str) -> str:
        """The path and query of the request; raises a permanent GatewayError for what cannot be sent."""
        # A space between two numbers would make Kannel send to both.
        if not _NUMBER.fullmatch(to):
            raise GatewayError("The SMS has a recipient that is no phone number.", permanent=True)
        if not _MESSAGE_ID.fullmatch(message_id):
            raise GatewayError("The SMS has an id with other characters than letters and digits.", permanent=True)
        if not text.strip() or "\x00" in text:
            raise GatewayError("The SMS has no text.", permanent=True)
        if (count := segments(text)) > self.most_segments:
            raise GatewayError(f"The SMS is too long: {count} segments.", permanent=True)
        fields = {
            "username": self.user,
            "password": self.password,
            "from": self.sender,
            "to": to,
            "text": text,
            "coding": "0" if fits_gsm(text) else "2",
            "charset": "UTF-8",
        }
        if self.dlr_url:
            joint = "&" if urlsplit(self.dlr_url).query else "?"
            # Kannel replaces %d, and would replace any other % as well.
            address = self.dlr_url.replace("%", "%%")
            fields |= {"dlr-mask": _ALL_REPORTS, "dlr-url": f"{address}{joint}id={message_id}&status=%d"}
        parts = urlsplit(self.url)
        try:
            query = urlencode(fields)
        except UnicodeEncodeError as error:
            raise GatewayError("The SMS cannot be written out.", permanent=True) from error
        return f"{parts.path or '/'}?{parts.query + '&' if parts.query else ''}{query}"

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=self.timeout, context=context
            )
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=self.timeout)
        try:
            connection.connect()
        except (OSError, ValueError) as error:
            connection.close()
            raise GatewayError(f"The SMS gateway cannot be reached: {error}", permanent=False) from error
        return connection


def read_inbound(args: Mapping[str, str]) -> Inbound:
    """The SMS in the query of an inbound call: `from`, `to`, `text`, `id`, `smsc`, `time` (CLB-9).

    The text may be empty. Times come in UTC. Raises BadMessage for what is not in the form, and for a field that
    is given twice.
    """
    sender, receiver = _one(args, "from"), _one(args, "to")
    for name, number in (("from", sender), ("to", receiver)):
        if not _NUMBER.fullmatch(number):
            raise BadMessage(f"{name} is no phone number")
    text = _one(args, "text")
    if len(text) > _LONGEST_TEXT:
        raise BadMessage("the text is too long")
    message_id = _one(args, "id")
    if not _UUID.fullmatch(message_id):
        raise BadMessage("the id is no UUID")
    try:
        sent_at = datetime.strptime(_one(args, "time"), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise BadMessage("the time is none") from error
    return Inbound(
        sender=sender,
        receiver=receiver,
        text=text,
        message_id=message_id.lower(),
        smsc=_one(args, "smsc", "")[:64],
        sent_at=sent_at,
    )


def read_report(args: Mapping[str, str]) -> Report:
    """The delivery report in the query of a call: `id`, `status`. Raises BadMessage for what is not in the form."""
    message_id, status = _one(args, "id"), _one(args, "status")
    if not _MESSAGE_ID.fullmatch(message_id):
        raise BadMessage("the id is none of the shop's")
    if not re.fullmatch(r"[0-9]{1,2}", status, re.ASCII):
        raise BadMessage("the status is no number")
    try:
        return Report(message_id, ReportStatus(int(status)))
    except ValueError as error:
        raise BadMessage("the status is unknown") from error


def _one(args: Mapping[str, str], name: str, missing: str | None = None) -> str:
    values = args.getlist(name) if hasattr(args, "getlist") else [args[name]] if name in args else []
    if len(values) > 1:
        raise BadMessage(f"{name} is given twice")
    if not values and missing is None:
        raise BadMessage(f"{name} is missing")
    return values[0] if values else missing


def _judge(status: int, answer: bytes) -> None:
    """Raises for everything but Kannel's yes.

    Of its words only the status is kept: the rest may repeat the number or the text (PRV-1).
    """
    if status == 202 or (status == 200 and answer[:2] in (b"0:", b"3:")):
        return
    if 200 <= status < 300:
        raise OutcomeUnknown(f"The SMS gateway answered HTTP {status} in words that are not Kannel's.")
    # 403 is said of our login, which is a matter of settings, and of a number that no network takes.
    unroutable = status == 403 and answer.startswith(b"Not routable")
    permanent = status in (400, 413, 414) or unroutable
    raise GatewayError(f"The SMS gateway refused: HTTP {status}.", permanent=permanent)
