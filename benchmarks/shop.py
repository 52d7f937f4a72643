"""A shop of its own for a measurement: a fresh database, a catalogue in it, and servers as gunicorn.conf.py says."""

import csv
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from benchmarks.synthetic import write

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 120
_OURS = re.compile(
    r"(DYQANI|BANK|SMTP)_|(HOST|PORT|DATABASE_URL|DATABASE_POOL|SECRET_KEY|WEB_CONCURRENCY|MAIL_FROM)$"
)
_TICK = os.sysconf("SC_CLK_TCK")


def settings(**ours) -> dict[str, str]:
    """The environment without what the caller's shell says about a shop of their own, and with `ours`."""
    kept = {name: value for name, value in os.environ.items() if not _OURS.match(name)}
    return kept | {
        "DYQANI_ENV": "demo",
        "PYTHONUNBUFFERED": "1",
        **{name: str(value) for name, value in ours.items()},
    }


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def run(environment: dict[str, str], *command: str | Path) -> None:
    """One step to its end; raises SystemExit with what it said when it fails."""
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")


def flask(environment: dict[str, str], *arguments: str | Path) -> None:
    run(environment, sys.executable, "-m", "flask", "--app", "app", *arguments)


@contextmanager
def database(url: str | None, folder: Path):
    """The URL of an empty database: a file in `folder`, or a new one on the PostgreSQL server of `url`."""
    if url is None:
        yield f"sqlite:///{folder}/shop.db"
        return
    import psycopg

    address, _, parameters = url.partition("?")
    name = f"bench_{secrets.token_hex(4)}"
    connection = psycopg.connect(url.replace("psycopg3+pool", "postgresql"), autocommit=True)
    try:
        connection.execute(f"CREATE DATABASE {name}")
        yield f"{address.rpartition('/')[0]}/{name}" + (f"?{parameters}" if parameters else "")
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        connection.close()


def synthetic(environment: dict[str, str], count: int, folder: Path) -> Path:
    """Fill the database with `count` made-up devices; returns the price list."""
    price_list, tariffs = folder / "price-list.csv", ROOT / "data" / "tariffs.csv"
    with open(tariffs, encoding="utf-8", newline="") as file:
        write(count, price_list, [row["code"] for row in csv.DictReader(file)])
    flask(environment, "db", "migrate")
    flask(environment, "catalog", "import", price_list, "--tariffs", tariffs)
    return price_list


class Server:
    """gunicorn with the shop's settings, serving `application`. Use it with `with`."""

    def __init__(
        self, environment: dict[str, str], port: int, log: Path, application: str = "", cores: set[int] | None = None
    ):
        self.port, self._log, self._application = port, log, application
        self._environment = environment | {"PORT": str(port)}
        self._cores = cores

    def __enter__(self) -> "Server":
        command = [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py")]
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                command + ([self._application] if self._application else []),
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=self._stay_on_cores,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise SystemExit(f"The server does not start:\n{self.log_end()}")
            time.sleep(0.05)
        return self

    def _stay_on_cores(self) -> None:
        if self._cores:
            os.sched_setaffinity(0, self._cores)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False

    def __exit__(self, *error) -> None:
        self.stop()

    def stop(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()

    def log_end(self) -> str:
        """The last of what its processes said."""
        return self._log.read_text("utf-8", "replace")[-4000:]

    def cpu(self) -> float:
        """Seconds of processor time that its processes have had so far."""
        total = 0
        for pid in descendants(self._process.pid):
            try:
                values = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
            except OSError:
                continue
            total += int(values[11]) + int(values[12])
        return total / _TICK


def descendants(pid: int) -> list[int]:
    """`pid` and all processes below it."""
    found = [pid]
    for one in found:
        try:
            for task in Path(f"/proc/{one}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def machine() -> str:
    """What a reader must know of the machine, without a date or a name."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = f" ({line.partition(':')[2].strip()})"
            break
    version = ".".join(map(str, sys.version_info[:3]))
    return f"{len(os.sched_getaffinity(0))} processor cores{model}, Python {version}"


def keep(name: str, text: str, path: Path = ROOT / "docs" / "performance.md") -> None:
    """Put `text` between the markers of `name`; raises SystemExit where the file has none."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = path.read_text("utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{path} has lost its markers {begin} and {end}.")
    path.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}", "utf-8")


def verdict(holds: bool) -> str:
    return "holds" if holds else "FAILS"


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table that can also be read as it is; the first column is text, the others are figures."""
    widths = [max(len(row[at]) for row in [header, *rows]) for at in range(len(header))]

    def line(cells):
        padded = [
            cells[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)),
        ]
        return f"| {' | '.join(padded)} |"

    rule = "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])])
    return "\n".join([line(header), f"|{rule}|", *map(line, rows)])
