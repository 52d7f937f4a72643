"""Load: browsers that ask as fast as they are answered, each in a process of its own, over plain sockets.

An HTTP library would take more time than a bare Flask page does, and the client would be what is measured.
"""

import multiprocessing
import os
import re
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlencode

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_COOKIE = re.compile(rb"\r\nset-cookie: *([^=;\s]+)=([^;\r]*)", re.IGNORECASE)
_LOCATION = re.compile(rb"\r\nlocation: *([^\r]*)", re.IGNORECASE)
_HIDDEN = re.compile(r'name="(csrf_token|key|seen)" value="([^"]*)"')
IDENTITY = "identity"
# What today's browsers send.
COMPRESSED = "gzip, deflate, br, zstd"


class Wrong(RuntimeError):
    """The server answered otherwise than the measurement is about."""


@dataclass
class Answer:
    status: int
    head: bytes
    body: bytes

    @property
    def location(self) -> str:
        found = _LOCATION.search(self.head)
        return found[1].decode() if found else ""

    def hidden(self) -> dict[str, str]:
        """The hidden fields of the page's forms that a browser sends back."""
        return dict(_HIDDEN.findall(self.body.decode()))


class Browser:
    """Sends requests one after the other, with its cookies, and notes how long each took in seconds."""

    def __init__(self, port: int, encoding: str = IDENTITY, keep_alive: bool = False):
        self.port, self.keep_alive = port, keep_alive
        self.cookies: dict[str, str] = {}
        self.took: list[float] = []
        self.received = 0
        self._headers = (
            f"Host: 127.0.0.1:{port}\r\nUser-Agent: Mozilla/5.0 (benchmark)\r\n"
            "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\nAccept-Language: sq,en;q=0.5\r\n"
            f"Accept-Encoding: {encoding}\r\nConnection: {'keep-alive' if keep_alive else 'close'}\r\n"
        )
        self._socket: socket.socket | None = None

    def get(self, path: str, expected: int = 200, measured: bool = True) -> Answer:
        return self._ask(f"GET {path}", b"", expected, measured)

    def post(self, path: str, form: dict, expected: int = 303, measured: bool = True) -> Answer:
        return self._ask(f"POST {path}", urlencode(form).encode(), expected, measured)

    def _ask(self, line: str, body: bytes, expected: int, measured: bool) -> Answer:
        head = f"{line} HTTP/1.1\r\n{self._headers}"
        if self.cookies:
            head += f"Cookie: {'; '.join(f'{name}={value}' for name, value in self.cookies.items())}\r\n"
        if line.startswith("POST"):
            head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        sent = head.encode() + b"\r\n" + body
        began = time.perf_counter()
        answer = self._exchange(sent)
        if measured:
            self.took.append(time.perf_counter() - began)
            self.received += len(answer.body)
        for name, value in _COOKIE.findall(answer.head):
            self.cookies[name.decode()] = value.decode()
        if answer.status != expected:
            start = answer.body[:300].decode(errors="replace")
            raise Wrong(f"{line} was answered {answer.status}, not {expected}: {start}")
        return answer

    def _exchange(self, sent: bytes) -> Answer:
        kept = self._socket
        if kept is not None:
            self._socket = None
            try:
                return self._once(kept, sent)
            except (ConnectionError, TimeoutError):
                # The server ended it meanwhile, as it may.
                kept.close()
        return self._once(socket.create_connection(("127.0.0.1", self.port), 60), sent)

    def _once(self, connection: socket.socket, sent: bytes) -> Answer:
        connection.sendall(sent)
        pieces, size, wanted = [], 0, None
        while wanted is None or size < wanted:
            piece = connection.recv(262_144)
            if not piece:
                break
            pieces.append(piece)
            size += len(piece)
            if wanted is None:
                so_far = pieces[0] if len(pieces) == 1 else b"".join(pieces)
                end = so_far.find(b"\r\n\r\n")
                if end >= 0 and (length := _LENGTH.search(so_far, 0, end)):
                    wanted = end + 4 + int(length[1])
        data = b"".join(pieces)
        head, _, body = data.partition(b"\r\n\r\n")
        if not head or (wanted is not None and size < wanted):
            raise ConnectionError("The answer is cut off.")
        if self.keep_alive:
            self._socket = connection
        else:
            connection.close()
        return Answer(int(head[9:12]), head, body)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Journey:
    """What one browser does again and again. `prepare` comes once and is not measured."""

    def prepare(self, browser: Browser) -> None:
        return

    def turn(self, browser: Browser, number: int) -> None:
        """One round; `number` is a different one for each round of all browsers."""
        raise NotImplementedError


@dataclass
class Outcome:
    """Of one slice: seconds from the first request to the last answer, and seconds of each request."""

    seconds: float = 0.0
    took: list[float] = field(default_factory=list)
    turns: int = 0
    received: int = 0
    client_cpu: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.took) / self.seconds if self.seconds else 0.0


class Browsers:
    """`count` processes, each with one browser for every journey that was opened. Use it with `with`."""

    def __init__(self, count: int, cores: set[int] | None):
        context = multiprocessing.get_context("fork")
        self._pipes, self._processes = [], []
        for place in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, place, count, cores), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def __enter__(self) -> "Browsers":
        return self

    def __exit__(self, *error) -> None:
        for pipe in self._pipes:
            # Closing is not enough: later processes have copies of the earlier ones' pipes.
            with suppress(BrokenPipeError):
                pipe.send(("stop", ""))
            pipe.close()
        for process in self._processes:
            process.join(5)
            if process.is_alive():
                process.terminate()

    def open(
        self, name: str, journey: Journey, port: int, encoding: str = IDENTITY, keep_alive: bool = False
    ) -> None:
        """Give every process a browser for `journey`; raises Wrong when its preparation fails."""
        self._all(("open", name, journey, port, encoding, keep_alive))

    def run(self, name: str, seconds: float = 0.0, turns: int = 0) -> Outcome:
        """Let all browsers of `name` do their rounds for `seconds`, and at least `turns` each; raises Wrong."""
        together = Outcome()
        for one in self._all(("run", name, seconds, turns)):
            together.seconds = max(together.seconds, one.seconds)
            together.took += one.took
            together.turns += one.turns
            together.received += one.received
            together.client_cpu += one.client_cpu
        return together

    def _all(self, command) -> list:
        for pipe in self._pipes:
            pipe.send(command)
        try:
            answers = [pipe.recv() for pipe in self._pipes]
        except EOFError:
            raise Wrong("A browser's process has ended.") from None
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers


def _serve(pipe, place: int, count: int, cores: set[int] | None) -> None:
    if cores:
        os.sched_setaffinity(0, cores)
    opened: dict[str, list] = {}
    while True:
        try:
            what, name, *rest = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        if what == "stop":
            return
        try:
            if what == "open":
                journey, port, encoding, keep_alive = rest
                browser = Browser(port, encoding, keep_alive)
                journey.prepare(browser)
                opened[name] = [journey, browser, place]
                pipe.send(None)
            else:
                pipe.send(_rounds(opened[name], *rest, count))
        except Exception as error:  # whatever it is, the one who asked must hear of it
            pipe.send(Wrong(f"{type(error).__name__}: {error}"))


def _rounds(state, seconds: float, turns: int, count: int) -> Outcome:
    journey, browser, number = state
    browser.took, browser.received = [], 0
    cpu, began = time.process_time(), time.perf_counter()
    done, end = 0, began + seconds
    try:
        while done < turns or time.perf_counter() < end:
            journey.turn(browser, number)
            number += count
            done += 1
    finally:
        # Between two slices the server must not wait for us.
        browser.close()
        state[2] = number
    passed = time.perf_counter() - began
    return Outcome(passed, browser.took, done, browser.received, time.process_time() - cpu)
