"""An SMS gateway for development and tests: it speaks Kannel's sendsms interface, keeps every SMS in a folder, where
the demo's inbox page reads it, and brings delivery reports. Run by `python -m gateways.sandbox.sms`; listens on
loopback only.

Numbers that answer otherwise, by their end: …9990 no network takes (403), …9991 is refused for now (503), …9992 is
reported as failed, …9993 as rejected.
"""

import http.client
import json
import os
import re
import secrets
import signal
import sys
import tempfile
import threading
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from gateways.sms import ReportStatus, fits_gsm, segments

PATH = "/cgi-bin/sendsms"
_NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{8}\.sms")
# Seconds between the reports of one SMS.
REPORT_AFTER = 0.2


def store(folder: Path, sender: str, recipient: str, text: str) -> Path:
    """Writes one SMS as a file of its own, whole or not at all; names sort by time (UTC)."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}.sms"
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".arriving-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"from": sender, "to": recipient, "text": text}, file, ensure_ascii=False)
        return Path(temporary).rename(folder / name)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def read_sms(folder: str | os.PathLike, limit: int = 50) -> list[dict]:
    """The newest `limit` SMS of the folder, newest first; an empty list when there is no folder yet.

    Each is a dictionary: `id` (the file's name without its ending), `at` (aware, UTC), `from`, `to`, `text` as the
    handset shows it, and `segments`.
    """
    try:
        names = sorted((name for name in os.listdir(folder) if _NAME.fullmatch(name)), reverse=True)[:limit]
    except FileNotFoundError:
        return []
    found = []
    for name in names:
        # The demo may be emptied while somebody reads.
        with suppress(FileNotFoundError):
            kept = json.loads(Path(folder, name).read_text(encoding="utf-8"))
            at = datetime.strptime(name[:23], "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)
            found.append({"id": name.removesuffix(".sms"), "at": at, **kept, "segments": segments(kept["text"])})
    return found


def shown_by_handset(text: str, coding: str) -> str:
    """What arrives: without coding 2, letters that the 7 bits lack come as question marks (Kannel does so)."""
    if coding == "2":
        return text
    return "".join(character if fits_gsm(character) else "?" for character in text)


def report_address(dlr_url: str, status: ReportStatus) -> str:
    """The address of one report, with Kannel's own escapes: %d is the status, %% a per cent."""
    return re.sub("%([d%])", lambda match: str(status.value) if match[1] == "d" else "%", dlr_url)


class Handler(BaseHTTPRequestHandler):
    """One call of the shop."""

    server: "Gateway"

    def do_GET(self):  # noqa: N802
        parts = urlsplit(self.path)
        if parts.path == "/health":
            return self.answer(200, "ok")
        if parts.path != PATH:
            return self.answer(404, "Not found")
        fields = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if (fields.get("username"), fields.get("password")) != self.server.login:
            return self.answer(403, "Authorization failed for sendsms")
        recipient, sender = fields.get("to", ""), fields.get("from", "")
        if not recipient:
            return self.answer(400, "Missing receiver number, rejected")
        if not re.fullmatch(r"\+?[0-9]{3,15}", recipient, re.ASCII):
            return self.answer(400, "Garbage 'to' field, rejected.")
        if not sender:
            return self.answer(400, "Sender missing and no global set, rejected")
        if recipient.endswith("9990"):
            return self.answer(403, "Not routable. Do not try again.")
        if recipient.endswith("9991"):
            return self.answer(503, "Temporal failure, try again later.")
        try:
            text = shown_by_handset(fields.get("text", ""), fields.get("coding", "0"))
            store(self.server.folder, sender, recipient, text)
        except OSError as error:
            return self.answer(503, f"Cannot keep the SMS: {error.strerror}")
        self.answer(202, "0: Accepted for delivery")
        if fields.get("dlr-url"):
            self.server.report(fields["dlr-url"], fields.get("dlr-mask", "0"), recipient)

    def answer(self, status: int, words: str) -> None:
        body = words.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Numbers and texts stay out of the terminal."""


class Gateway(ThreadingHTTPServer):
    """On 127.0.0.1; port 0 takes a free one. Raises OSError when the port is in use."""

    daemon_threads = True

    def __init__(self, folder: Path, port: int, user: str, password: str):
        self.folder, self.login = folder, (user, password)
        super().__init__(("127.0.0.1", port), Handler)

    def report(self, dlr_url: str, mask: str, recipient: str) -> None:
        last = {"9992": ReportStatus.FAILED, "9993": ReportStatus.REJECTED}.get(
            recipient[-4:], ReportStatus.DELIVERED
        )
        wanted = int(mask) if mask.isdecimal() else 0
        calls = [report_address(dlr_url, one) for one in (ReportStatus.ACCEPTED, last) if wanted & one.value]

        def bring(address: str) -> None:
            # As Kannel: what the shop answers, or that it is away, changes nothing.
            with suppress(OSError, http.client.HTTPException, ValueError):
                parts = urlsplit(address)
                connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
                with suppress(OSError):
                    connection.request("GET", f"{parts.path}?{parts.query}")
                    connection.getresponse().read()
                connection.close()

        for number, address in enumerate(calls, 1):
            timer = threading.Timer(REPORT_AFTER * number, bring, (address,))
            timer.daemon = True
            timer.start()


def main() -> int:
    """The process. DYQANI_INBOX is the folder, SMS_SANDBOX_PORT the port, SMS_USER and SMS_PASSWORD the login."""
    import config

    if config.ENV == "production":
        sys.stderr.write("The sandbox SMS gateway does not run in production.\n")
        return 1
    folder = Path(config.INBOX)
    try:
        gateway = Gateway(folder, config.SMS_PORT, config.SMS_USER, config.SMS_PASSWORD)
    except OSError as error:
        sys.stderr.write(f"The sandbox SMS gateway cannot listen on port {config.SMS_PORT}: {error.strerror}.\n")
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        # `shutdown` waits for the loop that the signal came in the middle of.
        signal.signal(number, lambda *_: threading.Thread(target=gateway.shutdown).start())
    port = gateway.server_address[1]
    sys.stdout.write(
        f"The sandbox SMS gateway takes SMS on http://127.0.0.1:{port}{PATH} and keeps them in {folder}.\n"
    )
    sys.stdout.flush()
    gateway.serve_forever(0.1)
    gateway.server_close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
