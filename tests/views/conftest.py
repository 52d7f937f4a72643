"""The shop as its shoppers meet it: the world of tests/world.py, seen through browsers at a fixed time."""

import pytest
import time_machine

from models.base import IS_SQLITE, db
from tests import world as named
from tests.views.browser import Browser
from views import kept


@pytest.fixture(scope="session")
def app(migrated):
    from app import create_app

    return create_app()


@pytest.fixture(autouse=True)
def nothing_kept(rolled_back):
    """Pages kept for everybody are true for one catalogue version, and each test has the same numbers."""
    kept.forget()
    yield
    kept.forget()


@pytest.fixture
def clock():
    """The time of the named world; `clock.shift(seconds)` moves it."""
    with time_machine.travel(named.NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def world(clock):
    return named.build()


@pytest.fixture
def shopper(app, world) -> Browser:
    return Browser(app)


@pytest.fixture
def stranger(app, world) -> Browser:
    """Somebody else's browser."""
    return Browser(app)


@pytest.fixture
def profile(world):
    return named.profile()


@pytest.fixture
def many(world):
    """Twenty variants that can be bought."""
    from models.catalogue import Variant

    with db.atomic():
        for number in range(20):
            Variant.create(
                device=world.devices["kellef-s25"],
                sku=f"MANY-{number}",
                position=number + 1,
                colour_sq=f"Ngjyra {number}",
                colour_hex=f"#0000{number:02x}",
                colour_family="blue",
                price=10_000 + number * 100,
                stock=5,
            )
    return [f"MANY-{number}" for number in range(20)]


@pytest.fixture(scope="session")
def is_sqlite() -> bool:
    return IS_SQLITE
