"""Imports as real processes, each on a database of its own: killed, two at once, and how much memory they take."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import synthetic
from models.base import connect

pytestmark = pytest.mark.rule("CAT-7")

ROOT = Path(__file__).resolve().parents[2]
IMPORT = """
import sys
from pathlib import Path
from models.base import db, utcnow
from models.price_list import PriceList, TariffList

hold_at = float(sys.argv[2])
def told(share):
    if share >= hold_at:
        # getrusage would count what the test's process took before it became this one.
        (now,) = [line.split()[1] for line in Path("/proc/self/status").open() if line.startswith("VmRSS")]
        print("held", now, flush=True)
        sys.stdin.readline()
db.connect()
report = PriceList(sys.argv[1], TariffList("data/tariffs.csv")).load(utcnow(), progress=told)
print("done", report.added, report.changed, report.unchanged)
"""


def start(url, path, hold_at=2.0):
    return subprocess.Popen(
        [sys.executable, "-c", IMPORT, str(path), str(hold_at)],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def counts(url):
    other = connect(url)
    with other.connection_context():
        return [
            other.execute_sql(f"SELECT COUNT(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in ("device", "variant", "tariff", "tariff_price", "listing")
        ]


@pytest.mark.parametrize("share", [0.3, 0.55, 0.8])
def test_a_killed_import_leaves_nothing_half_done(share, fresh_database, tmp_path):
    path = tmp_path / "list.csv"
    rows = synthetic.write(700, path, ["linja-m"])
    process = start(fresh_database, path, share)
    assert process.stdout.readline().startswith("held")
    process.kill()
    process.wait()
    assert counts(fresh_database) == [0, 0, 0, 0, 0]

    out, _ = start(fresh_database, path).communicate(timeout=120)
    assert out.split() == ["done", "700", "0", "0"]
    devices, variants, _, _, listings = counts(fresh_database)
    assert (devices, variants, listings) == (700, rows, 700)


def test_two_imports_at_once_make_no_doubles(fresh_database, tmp_path):
    path = tmp_path / "list.csv"
    rows = synthetic.write(300, path, ["linja-m"])
    both = [start(fresh_database, path) for _ in range(2)]
    told = sorted(process.communicate(timeout=120)[0] for process in both)
    assert told == ["done 0 0 300\n", "done 300 0 0\n"]
    assert counts(fresh_database)[:2] == [300, rows]


def test_memory_does_not_grow_with_the_list(fresh_database, tmp_path):
    path = tmp_path / "list.csv"
    synthetic.write(4_000, path, ["linja-s", "linja-m", "linja-l", "linja-max"])
    process = start(fresh_database, path, 0.0)
    held = []
    while (line := process.stdout.readline()).startswith("held"):
        held.append(int(line.split()[1]) / 1024)
        process.stdin.write("\n")
        process.stdin.flush()
    assert process.wait() == 0
    # SQLite's page cache and one batch take some 34 MB; all 4,000 devices at once would take 57.
    assert max(held) - held[0] < 46, held[::8]
