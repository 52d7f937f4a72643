"""An operator's endpoint for development and tests: it takes the shop's events, and says which it has.

It checks each signature, keeps every event once by its id, and can be told to refuse, to be late or to fall silent.
Like the operator's network it gives what the club's points were turned into, a moment later, and says so to the shop.
Run by `python -m gateways.sandbox.bss`; listens on loopback only.
"""

import http.client
import json
import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from gateways.bss import EVENT, SIGNATURE, TIMESTAMP, BadSignature, sign, verify

PATH = "/events"
# Seconds after which the network has given what was ordered; and before each next try to tell the shop.
GIVEN_AFTER = 2
_AGAIN = (1, 2, 5, 10, 30, 60)


class Handler(BaseHTTPRequestHandler):
    """One event."""

    server: "Endpoint"

    def do_POST(self):  # noqa: N802
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path != PATH:
            return self.answer(404)
        try:
            verify(
                [self.server.secret],
                self.headers.get(TIMESTAMP, ""),
                self.headers.get(SIGNATURE, ""),
                body,
                datetime.now(UTC),
            )
        except BadSignature:
            return self.answer(401)
        event = json.loads(body)
        if self.headers.get(EVENT) != event["id"]:
            return self.answer(400)
        return self.answer(self.server.take(event))

    def answer(self, status: int) -> None:
        if status == 0:
            # The line goes dead after the event was taken.
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Names and numbers stay out of the terminal."""


class Network:
    """The operator's network: it gives what is ordered, and pushes so to the shop at `url`, signed with `secret`.

    `result` is what it answers: active or refused.
    """

    def __init__(self, url: str, secret: str, after: float = GIVEN_AFTER, result: str = "active"):
        self.url, self.secret, self.after, self.result = url, secret, after, result

    def give(self, event: dict) -> None:
        """Answer the order of a service, in a thread of its own; other events need no answer."""
        if event["kind"] == "club_service_ordered":
            threading.Thread(target=self._answer, args=(event,), daemon=True).start()

    def _answer(self, event: dict) -> None:
        # The same id however often it is told: the shop takes it once.
        told = {
            "id": f"given-{event['id']}",
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "data": {"service": event["data"]["service"], "result": self.result},
        }
        time.sleep(self.after)
        for wait in _AGAIN:
            if self.push("club_service", told):
                return
            time.sleep(wait)

    def push(self, kind: str, told: dict) -> bool:
        """Whether the shop has it, or will never want it."""
        body, timestamp = json.dumps(told).encode(), int(time.time())
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP: str(timestamp),
            SIGNATURE: sign(self.secret, timestamp, body),
        }
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
        try:
            connection.request("POST", f"/bss/{kind}", body, headers)
            return connection.getresponse().status in (200, 201, 409, 422)
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class Endpoint(ThreadingHTTPServer):
    """On 127.0.0.1; port 0 takes a free one. Raises OSError when the port is in use.

    `deliveries` are the events as they came, doubles too; `taken` are those that were new. `answers` are given to
    the next ones instead of 200: a status, or 0 to take the event and break off. With `file` what is taken stands
    in it, a JSON text on each line.
    """

    daemon_threads = True

    def __init__(self, port: int, secret: str, file: Path | None = None, network: Network | None = None):
        self.secret, self.file, self.network = secret, file, network
        self.answers: list[int] = []
        self.deliveries: list[dict] = []
        self.taken: list[dict] = []
        self._lock = threading.Lock()
        if file is not None and file.exists():
            self.taken = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        super().__init__(("127.0.0.1", port), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{PATH}"

    def take(self, event: dict) -> int:
        """The status that goes back."""
        with self._lock:
            self.deliveries.append(event)
            status = self.answers.pop(0) if self.answers else 200
            if status in (0, 200) and event["id"] not in {known["id"] for known in self.taken}:
                self.taken.append(event)
                if self.file is not None:
                    with self.file.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(event, ensure_ascii=False) + "\n")
                if self.network is not None:
                    self.network.give(event)
            return status


def main() -> int:
    """The process. BSS_SANDBOX_PORT is the port, BSS_SANDBOX_FILE what is taken, BSS_WEBHOOK_SECRET the secret.

    What it gives is pushed to the shop on this machine's PORT, with the first of BSS_PUSH_SECRET.
    """
    import config

    if config.ENV == "production":
        sys.stderr.write("The sandbox endpoint does not run in production.\n")
        return 1
    file = Path(os.environ.get("BSS_SANDBOX_FILE", "") or config.INSTANCE / "events.jsonl")
    port = int(os.environ.get("BSS_SANDBOX_PORT", "") or config.PORT + 4)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        network = None
        if config.BSS_PUSH_SECRET:
            network = Network(f"http://127.0.0.1:{config.PORT}", config.BSS_PUSH_SECRET[0])
        endpoint = Endpoint(port, config.BSS_WEBHOOK_SECRET, file, network)
    except OSError as error:
        sys.stderr.write(f"The sandbox endpoint cannot listen on port {port}: {error.strerror}.\n")
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        # `shutdown` waits for the loop that the signal came in the middle of.
        signal.signal(number, lambda *_: threading.Thread(target=endpoint.shutdown).start())
    sys.stdout.write(f"The sandbox endpoint takes events on {endpoint.url} and keeps them in {file}.\n")
    sys.stdout.flush()
    endpoint.serve_forever(0.1)
    endpoint.server_close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
