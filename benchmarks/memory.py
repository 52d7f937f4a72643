"""What the processes of bin/run need: at rest after the start, and at rest after visitors came; `bin/bench memory`.

PSS divides what several processes share among them, so its sum is what the machine has less of; the sum of RSS counts
shared pages once for each process.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.client import Browser
from benchmarks.shop import ROOT, START_SECONDS, descendants, free_ports, keep, machine, settings, table, verdict

MOST_MB = 400
PATHS = ("/", "/celulare", "/tablete", "/pajisje-shtese", "/oferta", "/kerko?q=samsung", "/shporta", "/mk/", "/en/")


def memory_of(pid: int) -> tuple[str, float, float]:
    """What the process is, its PSS and its RSS in MB."""
    folder = Path(f"/proc/{pid}")
    command = [part for part in (folder / "cmdline").read_text("utf-8", "replace").split("\0") if part]
    name = " ".join(Path(part).name for part in command if not part.startswith("-"))[:60]
    figures = {}
    for line in (folder / "smaps_rollup").read_text().splitlines()[1:]:
        key, value, *_ = line.split()
        figures[key] = int(value) / 1024
    return name, figures["Pss:"], figures["Rss:"]


def measure(rest: float = 5.0, visits: int = 200) -> list[list[tuple[str, float, float]]]:
    """The processes after the start and after `visits` pages, each time after `rest` seconds without a request."""
    port, bank, smtp = free_ports(3)
    with tempfile.TemporaryDirectory(prefix="dyqani-bench-") as folder:
        own = settings(DYQANI_INSTANCE=folder, PORT=port, BANK_SANDBOX_PORT=bank, SMTP_PORT=smtp)
        log = Path(folder) / "run.log"
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [ROOT / "bin" / "run"],
                cwd=ROOT,
                env=own,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            deadline = time.monotonic() + START_SECONDS
            while f"http://127.0.0.1:{port}" not in log.read_text("utf-8", "replace"):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"bin/run does not start:\n{log.read_text('utf-8', 'replace')[-4000:]}")
                time.sleep(0.2)
            found = []
            browser = Browser(port)
            for count in (0, visits):
                for number in range(count):
                    browser.get(PATHS[number % len(PATHS)])
                time.sleep(rest)
                found.append([memory_of(pid) for pid in descendants(process.pid)])
            return found
        finally:
            os.kill(process.pid, signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def report(found) -> str:
    started, visited = found
    rows = [
        [name, f"{pss:.0f}", f"{rss:.0f}", f"{later_pss:.0f}", f"{later_rss:.0f}"]
        for (name, pss, rss), (_, later_pss, later_rss) in zip(started, visited, strict=True)
    ]
    sums = [sum(one[at] for one in moment) for moment in found for at in (1, 2)]
    rows.append(["all", *(f"{value:.0f}" for value in sums)])
    header = ["process", "PSS MB, started", "RSS MB, started", "PSS MB, after visits", "RSS MB, after visits"]
    verdicts = [
        [f"all processes at rest, {when}", f"< {MOST_MB} MB", f"{pss:.0f} MB", verdict(pss < MOST_MB)]
        for when, pss in (("started", sums[0]), ("after visits", sums[2]))
    ]
    return "\n".join([f"{machine()}.", "", table(header, rows), "", table(["", "limit", "measured", ""], verdicts)])


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/bench memory", description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the table in docs/performance.md")
    options = parser.parse_args(arguments)
    text = report(measure())
    sys.stdout.write(text + "\n")
    if options.write:
        keep("memory", text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
