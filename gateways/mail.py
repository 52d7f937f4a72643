"""The mail server that carries the shop's messages, spoken to over SMTP (MSG-1, MSG-2)."""

import copy
import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email import policy
from email.errors import MessageError
from email.header import Header
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.utils import localtime, make_msgid, parseaddr
from functools import partial

from . import GatewayError

# Replies that speak of our login, not of the message: every mail would be refused alike, and all of them can
# go once the settings are put right.
_OUR_LOGIN = frozenset({530, 534, 535, 538})
_BARE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_STATUS = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}")


class _Wire(policy.EmailPolicy):
    """How headers are written out, where the library's own folding is not read alike by everybody.

    It writes an address of the web as encoded words as soon as it is longer than a line, which RFC 2369 does not
    allow in List- headers; and it drops the space between two words of a long subject that are encoded apart.
    """

    def fold_binary(self, name, value) -> bytes:
        if name.lower().startswith("list-") and value.isascii():
            written = str(value)
        elif name.lower() == "subject":
            charset = "ascii" if value.isascii() else "utf-8"
            written = Header(str(value), charset, header_name=name).encode(linesep=self.linesep)
        else:
            return super().fold_binary(name, value)
        return f"{name}: {written}{self.linesep}".encode("ascii")


_WIRE = _Wire(linesep="\r\n", cte_type="7bit", utf8=False)


class OutcomeUnknown(GatewayError):
    """The whole message was handed over, and the server fell silent before it said yes or no (MSG-1).

    It is `permanent`, because another try may bring the mail a second time.
    """

    def __init__(self, message: str):
        super().__init__(message, permanent=True)


@dataclass(frozen=True)
class MailServer:
    """An SMTP server and the name the shop writes under.

    `tls` is "none", "starttls" or "ssl"; the server's certificate is checked. Without a `user` there is no
    login. `sender` ("Name <address>") fills a From that a message leaves out. `timeout` is in seconds and
    holds for each step of the talk.
    """

    host: str
    port: int = 25
    user: str = ""
    password: str = field(default="", repr=False)
    tls: str = "none"
    sender: str = ""
    timeout: float = 20.0

    def __post_init__(self):
        if self.tls not in ("none", "starttls", "ssl"):
            raise ValueError(f'tls is "none", "starttls" or "ssl", not {self.tls!r}.')
        if not (self.user + self.password).isascii():
            raise ValueError("A mail server's user and password are plain ASCII.")

    def deliver(self, message: EmailMessage, before_data: Callable[[], object] | None = None) -> None:
        """Hands one message to the server: all its recipients are accepted, or nobody gets it (MSG-1, MSG-2).

        `before_data` is called when everybody is accepted and nothing of the message has left yet: there the
        outbox writes down the hand-over. What it raises stops the delivery and comes out unchanged.

        From, Date and Message-ID are filled in on the way when missing. Give a Message-ID that is the same at
        each try, so that the receiving side can tell a repetition.

        Raises OutcomeUnknown when the message may have arrived or not. After any other GatewayError it has
        not: `permanent=True` says that this recipient or this message is refused, `permanent=False` that the
        server cannot be reached, refuses us, or wants us to come again.
        """
        sender, recipients, payload = self._written_out(message)
        smtp = self._connect()
        try:
            size = [f"SIZE={len(payload)}"] if smtp.has_extn("size") else []
            # Whoever may not send today is a matter of settings; only "too big" is said of the message.
            _ask(partial(smtp.mail, sender, size), "the sender", lasting={552})
            for recipient in recipients:
                _ask(partial(smtp.rcpt, recipient), "the recipient")
            if before_data is not None:
                before_data()
            _ask(partial(smtp.docmd, "DATA"), "the message", wanted=354)
            self._hand_over(smtp, payload)
            # The message is taken: how the goodbye goes no longer matters.
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()
        finally:
            smtp.close()

    def _hand_over(self, smtp: smtplib.SMTP, payload: bytes) -> None:
        dotted = re.sub(rb"(?m)^\.", b"..", payload)
        try:
            # A line that breaks in here never carried the closing dot, and half a message is no message.
            smtp.send(dotted + b".\r\n")
        except (smtplib.SMTPException, OSError) as error:
            raise GatewayError("The mail server went away during the message.", permanent=False) from error
        try:
            reply = smtp.getreply()
        except (smtplib.SMTPException, OSError) as error:
            raise OutcomeUnknown("The mail server fell silent after the message.") from error
        if not 200 <= reply[0] <= 599:
            raise OutcomeUnknown("The mail server answered the message in no words of SMTP.")
        _ask(lambda: reply, "the message")

    def _written_out(self, message: EmailMessage) -> tuple[str, list[str], bytes]:
        """The envelope's two sides and the message as it goes over the wire."""
        try:
            message = copy.deepcopy(message)
            if "From" not in message:
                message["From"] = self.sender
            sender = message["From"].addresses[0].addr_spec
            recipients = [
                address.addr_spec
                for name in ("To", "Cc", "Bcc")
                for header in message.get_all(name, [])
                for address in header.addresses
            ]
            del message["Bcc"]
            if "Date" not in message:
                message["Date"] = localtime()
            if "Message-ID" not in message:
                message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
            payload = message.as_bytes(policy=_WIRE)
        except (MessageError, ValueError, LookupError, AttributeError, TypeError) as error:
            raise GatewayError(
                f"The message cannot be written out: {type(error).__name__}.", permanent=True
            ) from error
        if not payload.endswith(b"\r\n"):
            payload += b"\r\n"
        if not recipients or not all(map(_is_plain, (sender, *recipients))):
            raise GatewayError("The message has an address that is missing or not plain.", permanent=True)
        # A line break that found its way into a value reads as one more header, and a bare one as the end of
        # the message by some servers.
        written = BytesHeaderParser(policy=policy.compat32).parsebytes(payload).keys()
        if written != message.keys() or _BARE_LINE_END.search(payload):
            raise GatewayError("The message has a line break in a wrong place.", permanent=True)
        return sender, recipients, payload

    def _connect(self) -> smtplib.SMTP:
        """A greeted connection, encrypted and logged in as the settings say."""
        if not self.host:
            raise GatewayError("No mail server is set.", permanent=False)
        options = {
            # By the sender's domain: asking the resolver for the machine's own name can take many seconds.
            "local_hostname": parseaddr(self.sender)[1].rpartition("@")[2] or "localhost",
            "timeout": self.timeout,
        }
        smtp = None
        try:
            if self.tls == "ssl":
                context = ssl.create_default_context()
                smtp = smtplib.SMTP_SSL(self.host, self.port, context=context, **options)
            else:
                smtp = smtplib.SMTP(self.host, self.port, **options)
            smtp.ehlo_or_helo_if_needed()
            if self.tls == "starttls":
                smtp.starttls(context=ssl.create_default_context())
                smtp.ehlo_or_helo_if_needed()
            if self.user:
                smtp.login(self.user, self.password)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            if smtp is not None:
                smtp.close()
            raise GatewayError(f"The mail server {self.host}:{self.port}: {error}", permanent=False) from error
        return smtp


def _is_plain(address: str) -> bool:
    local, at, domain = address.rpartition("@")
    return bool(local and at and domain) and address.isascii() and address.isprintable()


def _ask(
    step: Callable[[], tuple[int, bytes]],
    about: str,
    *,
    wanted: int = 250,
    lasting: set[int] | None = None,
) -> None:
    """One step of the talk. `lasting`: the only refusals that are permanent; without it, every 5xx is.

    Of the server's words only the numbers are kept: the rest often repeats the address, which stays out of
    logs (PRV-1).
    """
    try:
        code, words = step()
    except (smtplib.SMTPException, OSError) as error:
        raise GatewayError(f"The mail server went away at {about}: {error}", permanent=False) from error
    except ValueError as error:
        raise GatewayError(f"The mail server cannot be told {about}.", permanent=True) from error
    if code == wanted or (wanted == 250 and 250 <= code < 260):
        return
    status = _STATUS.match(words)
    said = f"{code} {status[0].decode()}" if status else str(code)
    permanent = code in lasting if lasting is not None else 500 <= code <= 599 and code not in _OUR_LOGIN
    raise GatewayError(f"The mail server refused {about}: {said}.", permanent=permanent)
