"""A month's credit and the worker's runs killed in the middle, in real processes, on a database of their own."""

import signal

import pytest

from models.base import connect
from tests import starter
from tests.databases import own_database
from tests.processes import until

FILL = """
import sys
from pathlib import Path
from benchmarks.club import fill
from models.base import db
with db.connection_context():
    fill(2000, Path(sys.argv[1]))
"""
TOLD = """
import json
from peewee import fn
from models.base import db
from models.club_ledger import ClubEntry, audit
from models.club_member import ClubMember
from models.club_month import ClubMonth
with db.connection_context():
    print(json.dumps([
        ClubMonth.select().count(),
        ClubEntry.select().count(),
        ClubMember.select(fn.SUM(ClubMember.balance)).scalar(),
        list(audit()),
    ]))
"""
CREDIT = """
import sys
from datetime import UTC, datetime
from models.base import db
from models.club_lists import SpendingList
with db.connection_context():
    count = SpendingList(sys.argv[1]).credit("2025-12", datetime(2026, 1, 3, 10, tzinfo=UTC))
    print(count.credited, count.unchanged, count.idle)
"""
LAPSE = """
from datetime import UTC, datetime
from models.base import db
from models.club_ledger import lapse_all_due
from models.club_notice import ClubNotice
with db.connection_context():
    ClubNotice.tell_all_due(datetime(2026, 6, 25, 10, tzinfo=UTC))
    lapse_all_due(datetime(2026, 7, 2, 10, tzinfo=UTC))
"""
SENT = """
from models.base import db
from models.club_notice import ClubNotice
from models.outbox import Mail
from models.sms import Sms
with db.connection_context():
    print([ClubNotice.select().count(), Sms.select().count(), Mail.select().count()])
"""


class Shop:
    """A database, and processes over it."""

    def __init__(self, url, folder):
        self.url = url
        self._settings = {
            "PATH": "/usr/bin:/bin",
            "DYQANI_ENV": "test",
            "DYQANI_INSTANCE": str(folder),
            "DATABASE_URL": url,
        }

    def begin(self, *words, crash_at=""):
        return starter.start(["-c", *words], env={**self._settings, "DYQANI_CRASH_AT": crash_at})

    def run(self, *words, crash_at=""):
        done = starter.run(["-c", *words], env={**self._settings, "DYQANI_CRASH_AT": crash_at})
        assert done.returncode == (-signal.SIGKILL if crash_at else 0), done.stderr
        return done.stdout.strip()

    def months(self):
        database = connect(self.url.replace("+pool", ""))
        with database.connection_context():
            return database.execute_sql("SELECT COUNT(*) FROM club_month").fetchone()[0]


@pytest.fixture
def shop(tmp_path):
    with own_database(tmp_path) as url:
        yield Shop(url, tmp_path)


@pytest.mark.rule("CLB-3", "CLB-5", "CLB-6", "CLB-16")
def test_a_credit_a_lapse_and_notices_that_are_killed_go_on_where_they_were(shop, tmp_path):
    file = tmp_path / "month.csv"
    shop.run(FILL, file)
    # Dead with a batch written and not yet committed.
    shop.run(CREDIT, file, crash_at="club: month credited")
    assert shop.run(TOLD) == "[0, 0, 0, []]"
    # Dead with some batches committed.
    process = shop.begin(CREDIT, file)
    until(shop.months, within=60)
    process.kill()
    process.wait()
    done = shop.months()
    assert done in (500, 1000, 1500, 2000)
    assert shop.run(CREDIT, file) == f"{2000 - done} {done} 0"
    # 2,000 lines of 1,000 to 1,899 units.
    points = sum((1000 + n % 900) * 100 // 6150 for n in range(1, 2001))
    assert shop.run(TOLD) == f"[2000, 2000, {points}, []]"
    assert shop.run(CREDIT, file) == "0 2000 0"
    # The same of what the worker does.
    shop.run(LAPSE, crash_at="club: notices written")
    assert shop.run(SENT) == "[0, 0, 0]"
    shop.run(LAPSE, crash_at="club: lapsing")
    assert shop.run(SENT) == "[2000, 2000, 2000]"
    assert shop.run(TOLD) == f"[2000, 2000, {points}, []]"
    shop.run(LAPSE)
    assert shop.run(SENT) == "[2000, 2000, 2000]"
    assert shop.run(TOLD) == "[2000, 4000, 0, []]"
