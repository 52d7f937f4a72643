"""The database and what every table shares.

`db` is opened from DATABASE_URL at import: SQLite (WAL, foreign keys, BEGIN IMMEDIATE) or PostgreSQL through
psycopg 3 with a pool. Several processes share either.
"""

from datetime import UTC, datetime

from peewee import DateTimeField, Model, SqliteDatabase
from playhouse import db_url

import config


def connect(url: str):
    """A database for `url`: sqlite:///FILE, or psycopg3+pool://… for PostgreSQL."""
    if url.startswith("sqlite"):
        # IMMEDIATE: a transaction that reads before it writes must not find the file taken in between.
        return db_url.connect(
            url,
            lock_type="IMMEDIATE",
            timeout=30,
            pragmas={
                "journal_mode": "wal",
                "foreign_keys": 1,
                # An order that was confirmed to a shopper is there after a power cut too.
                "synchronous": "full",
                "busy_timeout": 30_000,
                "cache_size": -16_000,
            },
        )
    if url.startswith(("postgres://", "postgresql://")):
        url = "psycopg3+pool://" + url.split("://", 1)[1]
    options = {}
    if "+pool" in url.split("://", 1)[0]:
        options = {"max_connections": config.DATABASE_POOL, "stale_timeout": 300, "timeout": 10}
    return db_url.connect(url, **options)


if config.DATABASE_URL.startswith("sqlite:///"):
    config.INSTANCE.mkdir(parents=True, exist_ok=True)

db = connect(config.DATABASE_URL)
IS_SQLITE = isinstance(db, SqliteDatabase)


def utcnow() -> datetime:
    """The present moment, aware and in UTC (LOC-3)."""
    return datetime.now(UTC)


class MomentField(DateTimeField):
    """A moment in UTC, always aware (LOC-3).

    SQLite keeps text of one fixed form, so that comparing text compares moments; PostgreSQL keeps TIMESTAMPTZ.
    """

    field_type = "DATETIME" if IS_SQLITE else "TIMESTAMPTZ"

    def db_value(self, value):
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment without a time zone cannot be stored.")
        value = value.astimezone(UTC)
        return value.strftime("%Y-%m-%d %H:%M:%S.%f+00:00") if IS_SQLITE else value

    def python_value(self, value):
        if value is None:
            return None
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        return value.astimezone(UTC)


class Unfinished(int):
    """How much a job did that stopped because its time was over: the worker goes on with it in its next round."""


class BaseModel(Model):
    class Meta:
        database = db
        legacy_table_names = False
        only_save_dirty = True


# PostgreSQL's code for "you waited for each other, and it hit you".
DEADLOCK = "40P01"


class ShortLived:
    """For a model whose rows are kept for a while only (PRV-3): `past` says of which it is over.

    The worker takes those every hour; the retention job counts by the same words (models/retention.py).
    """

    @classmethod
    def past(cls, now):
        """Which rows are over at `now`, as a condition."""
        raise NotImplementedError

    @classmethod
    def forget_old(cls, now) -> int:
        """Delete what is past; returns how many rows."""
        return cls.delete().where(cls.past(now)).execute()


def locked(query):
    """The query's rows, locked until the transaction ends.

    PostgreSQL locks the rows; on SQLite the transaction, which is IMMEDIATE, holds the whole file already.
    """
    return query if IS_SQLITE else query.for_update()


def unclaimed(query):
    """As `locked`, but passing over rows that another process holds."""
    return query if IS_SQLITE else query.for_update("FOR UPDATE SKIP LOCKED")
