"""Imports of the billing system's extract as real processes, each on a database of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.base import connect

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = 1_200
IMPORT = """
import sys
from models.base import db, utcnow
from models.bss_import import BssExtract

hold_at = float(sys.argv[2])
def told(share):
    if share >= hold_at:
        print("held", flush=True)
        sys.stdin.readline()
db.connect()
counts = BssExtract(sys.argv[1]).load(utcnow(), progress=told)
print("done", *(count.added for count in counts.values()))
"""


@pytest.fixture
def folder(tmp_path):
    """Twelve hundred subscribers with a number and a bill each."""
    lines = {
        "subscribers.csv": ["code,holder_id,segment,first_name,last_name,since"],
        "numbers.csv": ["msisdn,subscriber,sim_end,kind"],
        "invoices.csv": ["number,subscriber,issued_on,due_on,amount,paid_at,paid_through"],
    }
    for index in range(PEOPLE):
        lines["subscribers.csv"].append(f"S-{index},ID{index:06d},private,Ana,Markovska,2020-01-01")
        lines["numbers.csv"].append(f"{38971000000 + index},S-{index},112233,postpaid")
        lines["invoices.csv"].append(f"F-{index},S-{index},2026-01-01,2026-01-15,899,,")
    made = tmp_path / "extract"
    made.mkdir()
    for name, rows in lines.items():
        (made / name).write_text("\n".join(rows))
    return made


def start(url, folder, hold_at=2.0):
    return subprocess.Popen(
        [sys.executable, "-c", IMPORT, str(folder), str(hold_at)],
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
            for table in ("holder", "subscriber", "number", "invoice")
        ]


def test_a_killed_import_leaves_nothing_half_done(folder, fresh_database):
    process = start(fresh_database, folder, 0.8)
    assert process.stdout.readline() == "held\n"
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()
    assert counts(fresh_database) == [0, 0, 0, 0]
    out, _ = start(fresh_database, folder).communicate(timeout=60)
    assert out == f"done {PEOPLE} {PEOPLE} {PEOPLE}\n"


def test_two_imports_at_once_take_turns_and_make_no_doubles(folder, fresh_database):
    both = [start(fresh_database, folder) for _ in range(2)]
    told = sorted(process.communicate(timeout=60)[0] for process in both)
    assert told == ["done 0 0 0\n", f"done {PEOPLE} {PEOPLE} {PEOPLE}\n"]
    assert counts(fresh_database) == [PEOPLE] * 4
