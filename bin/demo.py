"""Starts the demo shop with everything around it, and stops it all again; bin/run calls it.

Runs under the machine's own Python, before there is a virtual environment: standard library only. A process
runner from elsewhere would keep one more Python in memory for each process that it watches.
"""

import ctypes
import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from string import Template

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv" / "bin" / "python"
# Under nohup the end of the terminal is not the end of the shop.
STOPPING = (signal.SIGINT, signal.SIGTERM) + (
    () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)
)
START_SECONDS = 90
STOP_SECONDS = 15
# A card of the sandbox bank that approves (gateways/sandbox/bank.py).
APPROVED_CARD = "4000 0000 0000 0002"

USAGE = """Usage: bin/run

Makes ready what the shop needs (bin/setup), loads the demo world once, and starts the shop on
http://127.0.0.1:8000 with its worker, a sandbox bank, a sandbox mail server, a sandbox SMS gateway and a sandbox
billing system, which gives what points are turned into. Ctrl-C stops everything.

  PORT               the shop's port (8000)
  HOST               the shop's address (127.0.0.1); 0.0.0.0 to be seen by others
  DYQANI_INSTANCE    the data folder (instance)
  DATABASE_URL       the database (SQLite in the data folder)
  DYQANI_BASE_URL    how shoppers reach the shop (http://127.0.0.1:PORT)
  BANK_SANDBOX_PORT  the sandbox bank's port (PORT + 1)
  SMTP_PORT          the sandbox mail server's port (PORT + 2)
  SMS_SANDBOX_PORT   the sandbox SMS gateway's port (PORT + 3)
  BSS_SANDBOX_PORT   the sandbox billing system's port (PORT + 4)
  WEB_CONCURRENCY    web server processes (2)

This is the demo; docs/install.md tells how to run a shop for real.
"""


class Stop(Exception):
    """The end of the run, with the exit code for the shell."""

    def __init__(self, code: int, reason: str = ""):
        super().__init__(reason)
        self.code = code


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def port_of(name: str, default: int) -> int:
    """The port that the variable `name` gives; raises Stop when it is none."""
    value = os.environ.get(name, "").strip() or str(default)
    if not (value.isascii() and value.isdigit() and 0 < int(value) < 65536):
        raise Stop(2, f"{name} must be a port number from 1 to 65535, not {value!r}.")
    return int(value)


def require_free(host: str, port: int, name: str, who: str) -> None:
    """Raises Stop when `host`:`port` cannot be listened on."""
    try:
        [(family, kind, proto, _, address), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        with socket.socket(family, kind, proto) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
            trial.listen(1)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = f"Port {port} of {host}, for {who}, is in use by another program."
        else:
            reason = f"{who.capitalize()} cannot listen on {host}:{port}: {error.strerror}."
        raise Stop(1, f"{reason}\nStop that program, or choose another port:  {name}={port + 10} bin/run") from None


def settings() -> dict[str, str]:
    """The environment of the shop's processes, checked; raises Stop with what is wrong."""
    if os.environ.get("DYQANI_ENV", "demo") not in ("", "demo"):
        raise Stop(2, "bin/run starts the demo only (DYQANI_ENV=demo). For production see docs/install.md.")
    host = os.environ.get("HOST", "").strip() or "127.0.0.1"
    port = port_of("PORT", 8000)
    bank = port_of("BANK_SANDBOX_PORT", port + 1)
    smtp = port_of("SMTP_PORT", port + 2)
    sms = port_of("SMS_SANDBOX_PORT", port + 3)
    bss = port_of("BSS_SANDBOX_PORT", port + 4)
    if len({port, bank, smtp, sms, bss}) < 5:
        ports = f"shop ({port}), bank ({bank}), mail ({smtp}), SMS ({sms}) and billing system ({bss})"
        raise Stop(2, f"The ports of {ports} must differ.")
    require_free(host, port, "PORT", "the shop")
    require_free("127.0.0.1", bank, "BANK_SANDBOX_PORT", "the sandbox bank")
    require_free("127.0.0.1", smtp, "SMTP_PORT", "the sandbox mail server")
    require_free("127.0.0.1", sms, "SMS_SANDBOX_PORT", "the sandbox SMS gateway")
    require_free("127.0.0.1", bss, "BSS_SANDBOX_PORT", "the sandbox billing system")
    instance = Path(os.environ.get("DYQANI_INSTANCE", "").strip() or ROOT / "instance").absolute()
    # What belongs to a real bank, mail server, SMS gateway or billing system must not reach the demo, nor the demo
    # them.
    foreign = ("SMTP_", "BANK_", "SMS_", "USSD_", "BSS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    if store := os.environ.get("BANK_SANDBOX_STORE"):
        kept["BANK_SANDBOX_STORE"] = os.path.abspath(store)
    return kept | {
        "DYQANI_ENV": "demo",
        "DYQANI_INSTANCE": str(instance),
        "DYQANI_BASE_URL": os.environ.get("DYQANI_BASE_URL", "").strip() or f"http://127.0.0.1:{port}",
        "HOST": host,
        "PORT": str(port),
        "BANK_SANDBOX_PORT": str(bank),
        "BANK_GATE_URL": f"http://127.0.0.1:{bank}/fim/est3Dgate",
        "BANK_API_URL": f"http://127.0.0.1:{bank}/fim/api",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(smtp),
        "SMTP_TLS": "none",
        "SMS_SANDBOX_PORT": str(sms),
        "SMS_URL": f"http://127.0.0.1:{sms}/cgi-bin/sendsms",
        "BSS_SANDBOX_PORT": str(bss),
        "BSS_WEBHOOK_URL": f"http://127.0.0.1:{bss}/events",
        # Freed memory goes back to the system, and threads share it: a shop at rest stays small.
        "MALLOC_ARENA_MAX": "2",
        "PYTHONUNBUFFERED": "1",
    }


def lock(instance: Path):
    """Keeps the data folder for this run; raises Stop when another run has it or it cannot be written."""
    try:
        instance.mkdir(parents=True, exist_ok=True)
        file = open(instance / "run.lock", "w")  # noqa: SIM115, held open as long as we run
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Stop(
            1,
            f"Another bin/run uses the data folder {instance}.\n"
            "Stop it, or choose another folder:  DYQANI_INSTANCE=/path/to/folder bin/run",
        ) from None
    except OSError as error:
        raise Stop(1, f"The data folder {instance} cannot be used: {error.strerror}.") from None
    return file


def _in_child() -> None:
    # Our signals are blocked, and a child would begin so.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (*STOPPING, signal.SIGCHLD))
    # When even we are killed, nothing goes on running alone.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class Processes:
    """The processes of the shop, each in a group of its own, so that a Ctrl-C reaches us alone."""

    def __init__(self, environment: dict[str, str]):
        self.environment = environment
        self.running: dict[str, subprocess.Popen] = {}
        self.open = False

    def start(self, name: str, *command: str | Path) -> None:
        self.running[name] = subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_in_child,
        )

    def run(self, name: str, *command: str | Path) -> None:
        """One step to its end; raises Stop when it fails."""
        self.start(name, *command)
        while (code := self.running[name].poll()) is None:
            self.listen(1.0)
        del self.running[name]
        if code:
            raise Stop(1, f"{name} failed; the shop is not started.")

    def listen(self, seconds: float) -> None:
        """Waits until a process ends or `seconds` are over; raises Stop when we are told to stop."""
        arrived = signal.sigtimedwait((*STOPPING, signal.SIGCHLD), seconds)
        if arrived is not None and arrived.si_signo in STOPPING:
            raise Stop(0 if self.open else 128 + arrived.si_signo)

    def require_all(self) -> None:
        """Raises Stop when a process has ended."""
        for name, process in self.running.items():
            if (code := process.poll()) is not None:
                how = f"by signal {-code}" if code < 0 else f"with code {code}"
                raise Stop(1, f"The process {name} ended {how}; stopping the others.")

    def stop(self) -> None:
        """Ends what runs: politely at first, by force after STOP_SECONDS or at a second Ctrl-C."""
        deadline = time.monotonic() + STOP_SECONDS
        for process in self.running.values():
            _signal(process, signal.SIGTERM)
        while any(process.poll() is None for process in self.running.values()):
            try:
                self.listen(max(0.0, min(0.5, deadline - time.monotonic())))
            except Stop:
                deadline = 0
            if time.monotonic() >= deadline:
                break
        for process in self.running.values():
            # Also where the first of a group has gone and left others behind.
            _signal(process, signal.SIGKILL)
            process.wait()


def _signal(process: subprocess.Popen, number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return


def answers(host: str, port: int, path: str | None = None) -> bool:
    """Whether something listens there; with a path, whether it answers 200."""
    try:
        with socket.create_connection((host, port), 5) as connection:
            if path is None:
                return True
            # By hand: http.client brings the whole of TLS into memory, for one line.
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode("ascii"))
            return b" 200 " in connection.makefile("rb").readline(1000)
    except OSError:
        return False


def wait_until_open(processes: Processes) -> None:
    """Returns when the shop and the sandboxes around it answer; raises Stop when one ends or it takes too long."""
    environment = processes.environment
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(environment["HOST"], environment["HOST"])  # noqa: S104
    waiting = [
        ("The shop", host, int(environment["PORT"]), "/health"),
        ("The sandbox bank", "127.0.0.1", int(environment["BANK_SANDBOX_PORT"]), None),
        ("The sandbox mail server", "127.0.0.1", int(environment["SMTP_PORT"]), None),
        ("The sandbox SMS gateway", "127.0.0.1", int(environment["SMS_SANDBOX_PORT"]), None),
        ("The sandbox billing system", "127.0.0.1", int(environment["BSS_SANDBOX_PORT"]), None),
    ]
    deadline = time.monotonic() + START_SECONDS
    while waiting:
        processes.require_all()
        if answers(*waiting[0][1:]):
            waiting.pop(0)
            continue
        if time.monotonic() > deadline:
            raise Stop(1, f"{waiting[0][0]} does not answer after {START_SECONDS} seconds; stopping.")
        processes.listen(0.2)


def main() -> int:
    if sys.argv[1:]:
        say(USAGE.rstrip())
        return 0 if sys.argv[1] in ("-h", "--help") else 2
    # Asked for with sigtimedwait instead: no moment is left in which a Ctrl-C could get lost or cut us off.
    signal.pthread_sigmask(signal.SIG_BLOCK, (*STOPPING, signal.SIGCHLD))
    processes = None
    code, reason = 0, ""
    try:
        environment = settings()
        instance = Path(environment["DYQANI_INSTANCE"])
        held = lock(instance)
        processes = Processes(environment)
        processes.run("bin/setup", ROOT / "bin" / "setup")
        flask = (PYTHON, "-m", "flask", "--app", "app")
        processes.run("flask db migrate", *flask, "db", "migrate")
        processes.run("flask demo load", *flask, "demo", "load")
        say("Starting…")
        processes.start("bank", PYTHON, "-m", "gateways.sandbox.bank")
        processes.start("mail", PYTHON, "-m", "gateways.sandbox.mail")
        processes.start("sms", PYTHON, "-m", "gateways.sandbox.sms")
        processes.start("bss", PYTHON, "-m", "gateways.sandbox.bss")
        processes.start("web", PYTHON, "-m", "gunicorn", "--config", ROOT / "gunicorn.conf.py")
        processes.start("worker", *flask, "worker")
        wait_until_open(processes)
        processes.open = True
        welcome = Template((ROOT / "bin" / "welcome.txt").read_text("utf-8"))
        say(welcome.substitute(url=environment["DYQANI_BASE_URL"], card=APPROVED_CARD, instance=instance))
        while True:
            processes.listen(60)
            processes.require_all()
    except Stop as stop:
        code, reason = stop.code, str(stop)
    except BrokenPipeError:
        code = 1
    finally:
        if processes is not None and processes.running:
            with_others = [name for name, process in processes.running.items() if process.poll() is None]
            processes.stop()
            reason = reason or f"Stopped {', '.join(with_others)}."
    if processes is not None:
        held.close()
    try:
        if reason:
            (sys.stderr if code else sys.stdout).write(reason + "\n")
    except BrokenPipeError:
        return code or 1
    return code


if __name__ == "__main__":
    raise SystemExit(main())
