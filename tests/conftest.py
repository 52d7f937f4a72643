"""One database for a test run; each test leaves it as it found it.

DATABASE_URL chooses it (SQLite in a temporary folder by default); it must be empty and may be thrown away.
"""

import os
import secrets
import tempfile
from pathlib import Path

_scratch = tempfile.TemporaryDirectory(prefix="dyqani-tests-")
os.environ["DYQANI_ENV"] = "test"
os.environ.setdefault("DYQANI_INSTANCE", _scratch.name)
os.environ.setdefault("DATABASE_URL", f"sqlite:///{_scratch.name}/test.db")
os.environ.setdefault("DYQANI_BASE_URL", "http://shop.test")

import pytest  # noqa: E402
from playhouse.db_url import connect as connect_url  # noqa: E402

import config  # noqa: E402
from cli import migrations  # noqa: E402
from models.base import db  # noqa: E402
from models.shelf import shelf  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def migrated():
    """The tables, made by the migrations alone."""
    db.connect(reuse_if_open=True)
    migrations().up()
    db.close()


@pytest.fixture(autouse=True)
def rolled_back(request, migrated):
    """Each test runs in a transaction that is rolled back, unless it is marked to bring its own database."""
    if "fresh_database" in request.fixturenames:
        yield
        return
    db.connect(reuse_if_open=True)
    with db.atomic() as transaction:
        shelf.__init__()
        yield
        transaction.rollback()
    shelf.__init__()
    db.close()


@pytest.fixture
def app():
    from app import create_app

    return create_app()


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def fresh_database(tmp_path):
    """The URL of an empty, migrated database of its own, for tests that start processes."""
    if config.DATABASE_URL.startswith("sqlite"):
        url = f"sqlite:///{tmp_path}/own.db"
        _migrate(url)
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
    _migrate(url)
    yield url
    connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    admin.close()


def _migrate(url):
    import subprocess
    import sys

    subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", "db", "migrate"],
        cwd=Path(__file__).resolve().parent.parent,
        env={**os.environ, "DATABASE_URL": url},
        check=True,
        capture_output=True,
    )
