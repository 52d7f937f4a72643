"""A migrated database of its own, of the kind that DATABASE_URL names, for tests that start processes."""

import atexit
import secrets
import shutil
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from playhouse.db_url import connect as connect_url
from playhouse.migrations import Runner

import config
from models.base import connect


@contextmanager
def own_database(folder: Path):
    """Its URL. On SQLite a file in `folder`, on PostgreSQL a database beside the one of the other tests."""
    if config.DATABASE_URL.startswith("sqlite"):
        path = folder / f"own-{secrets.token_hex(4)}.db"
        shutil.copyfile(_migrated_file(folder.parent), path)
        yield f"sqlite:///{path}"
        return
    name = _name()
    with _administration() as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {_migrated_database()}")
        try:
            yield _beside(name)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@lru_cache(maxsize=1)
def _migrated_file(folder: Path) -> Path:
    # The migrations run once; their outcome is copied.
    path = folder / f"migrated-{secrets.token_hex(4)}.db"
    migrate(f"sqlite:///{path}")
    return path


@lru_cache(maxsize=1)
def _migrated_database() -> str:
    name = _name()
    with _administration() as admin:
        admin.execute(f"CREATE DATABASE {name}")
    migrate(_beside(name))
    atexit.register(_drop, name)
    return name


def _drop(name: str) -> None:
    with _administration() as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _name() -> str:
    return f"own_{secrets.token_hex(6)}"


def _beside(name: str) -> str:
    base, _, query = config.DATABASE_URL.partition("?")
    return base.rpartition("/")[0] + "/" + name + (f"?{query}" if query else "")


@contextmanager
def _administration():
    admin = connect_url(config.DATABASE_URL.replace("+pool", ""))
    admin.connect()
    connection = admin.connection()
    connection.autocommit = True
    try:
        yield connection
    finally:
        admin.close()


def migrate(url: str) -> None:
    """The tables, made by the migrations alone."""
    database = connect(url.replace("+pool", ""))
    with database.connection_context():
        Runner(database, str(config.ROOT / "migrations")).up()
    database.close()


def empty() -> None:
    """Delete every row, those that are never to be changed too: between two worlds of one database."""
    from models import MODELS
    from models.base import IS_SQLITE, db

    with db.atomic():
        if IS_SQLITE:
            rows = db.execute_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in rows:
                db.execute_sql(f"DROP TRIGGER {name}")
        else:
            db.execute_sql("SET LOCAL session_replication_role = replica")
        for model in reversed(MODELS):
            model.delete().execute()
        if IS_SQLITE:
            for _, sql in rows:
                db.execute_sql(sql)
