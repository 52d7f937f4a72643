"""A migrated database of its own, of the kind that DATABASE_URL names, for tests that start processes."""

import secrets
from contextlib import contextmanager
from pathlib import Path

from playhouse.db_url import connect as connect_url
from playhouse.migrations import Runner

import config
from models.base import connect


@contextmanager
def own_database(folder: Path):
    """Its URL. On SQLite a file in `folder`, on PostgreSQL a database beside the one of the other tests."""
    if config.DATABASE_URL.startswith("sqlite"):
        url = f"sqlite:///{folder}/own-{secrets.token_hex(4)}.db"
        migrate(url)
        yield url
        return
    name = f"own_{secrets.token_hex(6)}"
    admin = connect_url(config.DATABASE_URL.replace("+pool", ""))
    admin.connect()
    connection = admin.connection()
    connection.autocommit = True
    connection.execute(f"CREATE DATABASE {name}")
    base, _, query = config.DATABASE_URL.partition("?")
    url = base.rpartition("/")[0] + "/" + name + (f"?{query}" if query else "")
    try:
        migrate(url)
        yield url
    finally:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        admin.close()


def migrate(url: str) -> None:
    """The tables, made by the migrations alone."""
    database = connect(url.replace("+pool", ""))
    with database.connection_context():
        Runner(database, str(config.ROOT / "migrations")).up()
    database.close()
