"""A price list that an editor uploaded: checked first, and taken once somebody confirmed what would change (CAT-7).

The worker does both, for a long list takes longer than a page may. The file lies in the data folder until the job has
ended. Nothing else says how far a job is: a worker that dies leaves it where it was, and the next one goes on.
"""

import fcntl
import hashlib
import os
import secrets
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from peewee import BooleanField, CharField, Check, IntegerField, JSONField

import config
from models.actor import Actor
from models.base import DEADLOCK, BaseModel, MomentField, db
from models.price_list import BadLine, BadLines, PriceList, Report
from models.sheet import Unreadable
from models.trail import record

STATES = ("waiting", "bad", "checked", "confirmed", "done", "failed", "cancelled")
# Nothing happens to it any more.
ENDED = frozenset({"bad", "done", "failed", "cancelled"})
# The worker has something to do with it.
UNDER_WAY = frozenset({"waiting", "confirmed"})
# Files that nobody confirmed are removed after a day, the jobs themselves after a month.
FILE_HOURS = 24
JOB_DAYS = 31
_COUNTS = ("added", "changed", "unchanged", "delisted", "skipped_devices")


class TooLarge(ValueError):
    """The file is larger than `config.PRICE_LIST_MB`."""


class NotCheckedNow(Exception):
    """Only what was checked can be confirmed, and only once."""


class _Stale(Exception):
    """The shop changed since the check: the list would do something else than what was confirmed."""


class PriceListJob(BaseModel):
    """One upload."""

    # Of the file in the data folder; nobody can guess one.
    token = CharField(unique=True, max_length=32)
    name = CharField(max_length=120)
    size = IntegerField()
    digest = CharField(max_length=64)
    # Leave devices with a bad line as they are; take devices that the list does not name off the shelf.
    skip_bad = BooleanField(default=False)
    complete = BooleanField(default=False)
    state = CharField(max_length=10, constraints=[Check(f"state IN {STATES!r}")], index=True)
    begun_at = MomentField(index=True)
    changed_at = MomentField()
    who = CharField(max_length=254)
    role = CharField(max_length=10)
    # What it would change, and then what it changed; and the first bad lines as [line, column, reason].
    counts = JSONField(default=dict)
    bad = JSONField(default=list)
    bad_count = IntegerField(default=0)
    # The shop changed after the check: what it would change was counted anew.
    recounted = BooleanField(default=False)

    @property
    def path(self) -> Path:
        return config.INSTANCE / "imports" / f"{self.token}.csv"

    @property
    def _progress(self) -> Path:
        return self.path.with_suffix(".progress")

    @property
    def is_under_way(self) -> bool:
        return self.state in UNDER_WAY

    @property
    def share(self) -> int:
        """How much of what is under way is done, in per cent."""
        try:
            return min(100, int(self._progress.read_text("ascii") or 0))
        except (OSError, ValueError):
            return 0

    @property
    def bad_lines(self) -> list[BadLine]:
        return [BadLine(*line) for line in self.bad]

    @classmethod
    def begin(cls, stream, name: str, *, skip_bad: bool, complete: bool, by: Actor, now) -> "PriceListJob":
        """Keep the uploaded file, and let the worker check it. Raises TooLarge."""
        job = cls(token=secrets.token_hex(16))
        job.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        try:
            with open(os.open(job.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                while some := stream.read(1 << 16):
                    size += len(some)
                    if size > config.PRICE_LIST_MB << 20:
                        raise TooLarge(size)
                    digest.update(some)
                    file.write(some)
            with db.atomic():
                job = cls.create(
                    token=job.token,
                    name=name[-120:],
                    size=size,
                    digest=digest.hexdigest(),
                    skip_bad=skip_bad,
                    complete=complete,
                    state="waiting",
                    begun_at=now,
                    changed_at=now,
                    who=by.name,
                    role=by.role,
                )
                record(by, "import_begun", now, subject=job.subject, after={"file": job.name, "size": size})
        except BaseException:
            job.path.unlink(missing_ok=True)
            raise
        return job

    @property
    def subject(self) -> str:
        return f"price_list:{self.token[:8]}"

    @classmethod
    def latest(cls, limit: int = 20) -> "list[PriceListJob]":
        return list(cls.select().order_by(cls.id.desc()).limit(limit))

    def confirm(self, *, by: Actor, now) -> None:
        """Let the worker take what was checked. Raises NotCheckedNow."""
        self._end_as("confirmed", by, now)

    def cancel(self, *, by: Actor, now) -> None:
        """Change nothing, and remove the file. Raises NotCheckedNow."""
        self._end_as("cancelled", by, now)
        self._remove()

    def _end_as(self, state, by, now) -> None:
        with db.atomic():
            moved = (
                PriceListJob.update(state=state, changed_at=now, who=by.name, role=by.role)
                .where(PriceListJob.id == self.id, PriceListJob.state == "checked")
                .execute()
            )
            if not moved:
                raise NotCheckedNow
            record(by, f"import_{state}", now, subject=self.subject, after=self.counts)
        self.state = state

    # The worker's

    @classmethod
    def work_all_due(cls, now) -> int:
        """Check what was uploaded, take what was confirmed; returns how many jobs were moved on."""
        count = 0
        for job in list(cls.select().where(cls.state.in_(list(UNDER_WAY))).order_by(cls.id)):
            with job._held() as held:
                if not held:
                    continue
                # Another worker may have done it meanwhile.
                job = cls.get_by_id(job.id)
                if job.is_under_way:
                    job._work(now)
                    count += 1
        return count

    @classmethod
    def forget_old(cls, now) -> int:
        """Remove the files of what nobody confirmed, and the jobs that ended long ago."""
        late = now - timedelta(hours=FILE_HOURS)
        for job in list(cls.select().where(cls.state == "checked", cls.changed_at < late)):
            cls.update(state="cancelled", changed_at=now).where(cls.id == job.id, cls.state == "checked").execute()
        gone = list(cls.select().where(cls.state.in_(list(ENDED)), cls.changed_at < now - timedelta(days=JOB_DAYS)))
        for job in list(cls.select().where(cls.state.in_(list(ENDED)), cls.changed_at >= late - timedelta(days=2))):
            job._remove()
        for job in gone:
            job._remove()
            job.delete_instance()
        return len(gone)

    def _work(self, now) -> None:
        try:
            if self.digest != _digest_of(self.path):
                raise Unreadable("The file is not what was uploaded.")
            if self.state == "waiting":
                self._check(now)
            else:
                self._take(now)
        except BadLines as error:
            self._say("bad", now, bad=[list(line) for line in error.first], bad_count=error.count)
        except Exception as error:
            if getattr(getattr(error, "orig", None), "sqlstate", None) == DEADLOCK or "locked" in str(error):
                # An order of its devices and it waited for each other: nothing was changed, it is tried again.
                raise
            # What a person can do about it is in the worker's log; here it is enough that nothing was changed.
            self._say("failed", now)
            if not isinstance(error, (Unreadable, FileNotFoundError)):
                raise
        if self.state in ENDED:
            self._remove()

    def _check(self, now) -> None:
        report = PriceList(str(self.path)).foresee(self.skip_bad, self.complete, self._tell(0, 100))
        self._say("checked", now, **_told(report))

    def _take(self, now) -> None:
        try:
            # One transaction with what it says of itself: killed in the middle, it was not begun.
            with db.atomic():
                report = PriceList(str(self.path)).load(now, self.skip_bad, self.complete, self._tell(0, 99))
                told = _told(report)
                if any(told["counts"].get(name) != self.counts.get(name) for name in _COUNTS):
                    raise _Stale
                by = Actor(self.role, self.who)
                record(by, "imported", now, subject=self.subject, after={"file": self.name, **told["counts"]})
                self._say("done", now, **told)
        except _Stale:
            self._check(now)
            self._say("checked", now, recounted=True)

    def _say(self, state, now, **values) -> None:
        PriceListJob.update(state=state, changed_at=now, **values).where(PriceListJob.id == self.id).execute()
        self.state = state
        for name, value in values.items():
            setattr(self, name, value)

    def _tell(self, low: int, high: int):
        """Writes the progress beside the file: within a transaction nobody else would see a row's."""
        last = -1

        def tell(share: float) -> None:
            nonlocal last
            per_cent = low + int(share * (high - low))
            if per_cent != last:
                last = per_cent
                self._progress.write_text(str(per_cent), "ascii")

        tell(0.0)
        return tell

    @contextmanager
    def _held(self):
        """Whether this process alone works on the file; a process that dies lets go of it."""
        try:
            file = self.path.open("rb")
        except OSError:
            # Without its file it ends as failed; whoever says so first.
            yield True
            return
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
                return
            yield True

    def _remove(self) -> None:
        self.path.unlink(missing_ok=True)
        self._progress.unlink(missing_ok=True)


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _told(report: Report) -> dict:
    counts = {name: getattr(report, name) for name in (*_COUNTS, "variants", "complete_refused")}
    return {"counts": counts, "bad": [list(line) for line in report.bad], "bad_count": report.bad_count}
