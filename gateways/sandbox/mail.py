"""A mail server for development and tests: it takes every mail and keeps it in a folder, where the demo's
inbox page reads it. Run by `python -m gateways.sandbox.mail`; listens on loopback only.

Addresses that answer otherwise: `reject@…` is refused for good (550), `later@…` for now (451).
"""

import asyncio
import os
import re
import secrets
import signal
import sys
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

_NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{8}\.eml")


class Inbox:
    """What aiosmtpd calls for each recipient and each mail."""

    def __init__(self, folder: Path):
        self.folder = folder

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        """Accepts the recipient, or refuses it as its local part asks."""
        local = address.strip("<>").rpartition("@")[0].lower()
        if local == "reject":
            return "550 5.1.1 No such mailbox here"
        if local == "later":
            return "451 4.3.0 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        """Keeps the mail before saying yes to it."""
        try:
            store(self.folder, envelope.content, envelope.mail_from, envelope.rcpt_tos)
        except OSError as error:
            return f"452 4.3.1 Cannot keep the mail: {error.strerror}"
        return "250 2.0.0 Kept"


def store(folder: Path, content: bytes, sender: str, recipients: list[str]) -> Path:
    """Writes one mail as a file of its own, whole or not at all; names sort by time (UTC)."""
    folder.mkdir(parents=True, exist_ok=True)
    envelope = [f"Return-Path: <{sender or ''}>", *(f"Delivered-To: {recipient}" for recipient in recipients)]
    head = "".join(line + "\r\n" for line in envelope).encode("utf-8", "surrogateescape")
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}.eml"
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".arriving-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(head + content)
        return Path(temporary).rename(folder / name)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def read_inbox(folder: str | os.PathLike, limit: int = 50) -> list[dict]:
    """The newest `limit` mails of the folder, newest first; an empty list when there is no folder yet.

    Each is a dictionary: `id` (the file's name without its ending), `at` (aware, UTC), `from`, `to`,
    `subject`, `text` and `html` (empty where the mail has none), `attachments` (their names) and `headers`
    (pairs of name and value, in order).
    """
    try:
        names = sorted((name for name in os.listdir(folder) if _NAME.fullmatch(name)), reverse=True)[:limit]
    except FileNotFoundError:
        return []
    mails = []
    for name in names:
        # The demo may be emptied while somebody reads.
        with suppress(FileNotFoundError):
            mails.append(_read(Path(folder, name)))
    return mails


def _read(path: Path) -> dict:
    message = BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(path.read_bytes())
    return {
        "id": path.stem,
        "at": datetime.strptime(path.name[:23], "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC),
        "from": str(message["From"] or ""),
        "to": ", ".join(message.get_all("To", []) or message.get_all("Delivered-To", [])),
        "subject": str(message["Subject"] or ""),
        "text": _content(message, "plain"),
        "html": _content(message, "html"),
        "attachments": [part.get_filename() or "" for part in message.iter_attachments()],
        "headers": [(name, str(value)) for name, value in message.items()],
    }


def _content(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    try:
        text = part.get_content()
    except LookupError:  # a character set nobody knows
        text = part.get_payload(decode=True).decode("utf-8", "replace")
    return text.replace("\r\n", "\n")


async def serve(folder: Path, port: int, ready=None) -> None:
    """Takes mails on 127.0.0.1 until SIGTERM or SIGINT. `ready` is called with the port once it listens.

    Port 0 takes a free one. Raises OSError when the port is in use.
    """
    from aiosmtpd.smtp import SMTP

    loop = asyncio.get_running_loop()
    inbox = Inbox(folder)
    server = await loop.create_server(
        lambda: SMTP(inbox, hostname="localhost", ident="Dyqani sandbox", enable_SMTPUTF8=True, loop=loop),
        "127.0.0.1",
        port,
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if ready is not None:
        ready(server.sockets[0].getsockname()[1])
    await stop.wait()
    server.close()


def main() -> int:
    """The process. DYQANI_INBOX is the folder, SMTP_PORT the port."""
    import config

    if config.ENV == "production":
        sys.stderr.write("The sandbox mail server does not run in production.\n")
        return 1
    folder = Path(config.INBOX)

    def ready(port: int) -> None:
        sys.stdout.write(f"The sandbox mail server takes mails on 127.0.0.1:{port} and keeps them in {folder}.\n")
        sys.stdout.flush()

    try:
        asyncio.run(serve(folder, config.SMTP_PORT, ready))
    except OSError as error:
        sys.stderr.write(f"The sandbox mail server cannot listen on port {config.SMTP_PORT}: {error.strerror}.\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
