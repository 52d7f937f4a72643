"""One database for a test run; each test leaves it as it found it.

DATABASE_URL chooses it (SQLite in a temporary folder by default); it must be empty and may be thrown away.
"""

import os
import tempfile

_scratch = tempfile.TemporaryDirectory(prefix="dyqani-tests-")
os.environ["DYQANI_ENV"] = "test"
os.environ.setdefault("DYQANI_INSTANCE", _scratch.name)
os.environ.setdefault("DATABASE_URL", f"sqlite:///{_scratch.name}/test.db")
os.environ.setdefault("DYQANI_BASE_URL", "http://shop.test")
# Hundreds of tests make a profile: their passwords need not cost what a thief should pay.
os.environ.setdefault("DYQANI_PASSWORD_MEMORY", "1024")

import pytest  # noqa: E402

from cli import migrations  # noqa: E402
from models.base import db  # noqa: E402
from models.shelf import shelf  # noqa: E402
from tests.databases import own_database  # noqa: E402


def pytest_collection_modifyitems(config, items):
    """Of what is killed at many points, every second point is tried on one database and the others on the other one:
    bin/test says by TESTS_TURN, 0 or 1, which are whose; without it all are."""
    turn = os.environ.get("TESTS_TURN")
    if not turn:
        return
    points = [item for item in items if item.path.name == "test_kill.py"]
    others = {item for number, item in enumerate(points) if number % 2 != int(turn)}
    config.hook.pytest_deselected(items=list(others))
    items[:] = [item for item in items if item not in others]


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
    with own_database(tmp_path) as url:
        yield url
