"""Python processes that are there at once: forked from one that has imported the libraries, and nothing of the shop.

Reading the libraries takes a start of the shop longer than all the rest of it, and the tests start, kill and restart
hundreds of processes. Each one is as real as one of `subprocess`: its own memory, environment, pid and end, its own
reading of config.py and of all the shop's modules. `start` stands in for subprocess.Popen([sys.executable, …]).
"""

import contextlib
import importlib
import json
import os
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import time
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIBRARIES = (
    *("argon2", "flask.cli", "flask_login", "flask_wtf.csrf", "gunicorn.app.wsgiapp", "gunicorn.workers.gthread"),
    *("jinja2.ext", "numpy", "peewee", "playhouse.db_url", "playhouse.migrations", "psycopg", "psycopg_pool"),
    *("requests", "structlog", "werkzeug.middleware.proxy_fix", "whitenoise"),
)
PIPE, DEVNULL = subprocess.PIPE, subprocess.DEVNULL
_INT = struct.Struct("i")


class Started:
    """A running process, with what the tests use of subprocess.Popen."""

    def __init__(self, told: int, streams: dict):
        self._told, self.returncode = told, None
        self.stdin, self.stdout, self.stderr = (streams.get(name) for name in ("stdin", "stdout", "stderr"))
        [self.pid] = _INT.unpack(os.read(told, _INT.size))

    def poll(self) -> int | None:
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, or minus the signal that ended it; raises subprocess.TimeoutExpired."""
        if self._ended(timeout) is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def _ended(self, timeout):
        if self.returncode is None and select.select([self._told], [], [], timeout)[0]:
            said = os.read(self._told, _INT.size)
            os.close(self._told)
            # Nothing: the process that started it is gone, and with it what it knew.
            self.returncode = _INT.unpack(said)[0] if said else -signal.SIGKILL
        return self.returncode


class Starter:
    """The process that the others are forked from; begun at the first start, it ends with the tests."""

    def __init__(self):
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        subprocess.Popen(
            [sys.executable, "-m", "tests.starter", str(theirs.fileno())],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()

    def start(self, words, *, env, stdin=DEVNULL, stdout=DEVNULL, stderr=None) -> Started:
        """Run `words`, "-m MODULE …" or "-c CODE …", in the project's folder and a session of its own.

        The streams are PIPE (text here), DEVNULL or something with a fileno(); stderr is the tests' own by default.
        """
        streams, given, close = {}, [], []
        for name, wanted, mode in (("stdin", stdin, "w"), ("stdout", stdout, "r"), ("stderr", stderr, "r")):
            if wanted == PIPE:
                reading, writing = os.pipe()
                kept, gone = (writing, reading) if mode == "w" else (reading, writing)
                streams[name] = os.fdopen(kept, mode, encoding="utf-8")
                given.append(gone)
                close.append(gone)
            elif wanted == DEVNULL:
                given.append(os.open(os.devnull, os.O_RDWR))
                close.append(given[-1])
            else:
                given.append(2 if wanted is None else wanted.fileno())
        told, tell = os.pipe()
        message = json.dumps({"words": [str(word) for word in words], "env": dict(env)}).encode()
        socket.send_fds(self._ours, [message], [*given, tell])
        for number in (*close, tell):
            os.close(number)
        return Started(told, streams)


_starter = None


def start(words, **more) -> Started:
    """As Starter.start, with one starter for all."""
    global _starter  # noqa: PLW0603
    if _starter is None:
        _starter = Starter()
    return _starter.start(words, **more)


def run(words, *, env, timeout: float = 120) -> subprocess.CompletedProcess:
    """A process from its start to its end, with what it said; raises subprocess.TimeoutExpired."""
    process = start(words, env=env, stdout=PIPE, stderr=PIPE)
    said = {process.stdout: b"", process.stderr: b""}
    open_ones, end = list(said), time.monotonic() + timeout
    while open_ones:
        ready, _, _ = select.select(open_ones, [], [], max(0.0, end - time.monotonic()))
        if not ready:
            process.kill()
            raise subprocess.TimeoutExpired(words, timeout)
        for stream in ready:
            piece = os.read(stream.fileno(), 65_536)
            said[stream] += piece
            if not piece:
                open_ones.remove(stream)
                stream.close()
    out, trouble = (piece.decode() for piece in said.values())
    return subprocess.CompletedProcess(words, process.wait(timeout), out, trouble)


# In the process itself


def _wait_for_work(sock):
    """Fork for each message; returns, in the child, what it is to run."""
    tell_of = {}

    def reap(*_):
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                tell = tell_of.pop(found[0])
                with contextlib.suppress(BrokenPipeError):
                    os.write(tell, _INT.pack(os.waitstatus_to_exitcode(found[1])))
                os.close(tell)

    signal.signal(signal.SIGCHLD, reap)
    while True:
        message, descriptors, _, _ = socket.recv_fds(sock, 1 << 20, 4)
        if not message:
            os._exit(0)
        # Not before it is known whom to tell.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        *streams, tell = descriptors
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
            for number in (tell, *tell_of.values()):
                os.close(number)
            sock.close()
            return json.loads(message), streams
        os.write(tell, _INT.pack(pid))
        tell_of[pid] = tell
        for number in streams:
            os.close(number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])


def _become(asked, streams):
    """From here on this is a process like any other, with nothing of the starter's about it."""
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    for stream in streams:
        os.close(stream)
    os.environ.clear()
    os.environ.update(asked["env"])
    at_once = bool(os.environ.get("PYTHONUNBUFFERED"))
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
        stream.reconfigure(write_through=at_once, line_buffering=number == 2)
        setattr(sys, name, stream)


if __name__ == "__main__":
    for library in LIBRARIES:
        importlib.import_module(library)
    asked, streams = _wait_for_work(socket.socket(fileno=int(sys.argv[1])))
    _become(asked, streams)
    how, what, *words = asked["words"]
    sys.argv = [how, *words]
    if how == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = ""
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(what, "<string>", "exec"), main.__dict__)  # noqa: S102
