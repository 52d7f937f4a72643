"""Somebody at work in the browser tests: password, and the code of the demo's app (DSK-5)."""

import re
import sqlite3
from contextlib import closing

import requests

from e2e.conftest import arrive


def log_in(page, shop, role, to):
    """`role`@example.com logs in on the way to `to`, a path of the shop, and is there."""
    email = f"{role}@example.com"
    page.goto(f"/hyr?next={to}")
    page.fill("#email", email)
    page.fill("#password", "dyqani-demo")
    page.locator("#hyrja form button.btn").click()
    arrive(page, re.compile(r"/desk/hyrja\?next="))
    page.fill("#kodi_im", code_of(shop, email))
    page.locator("main form button.btn").click()
    arrive(page, re.compile(rf"^http://[^/]+{to}([?#]|$)"))


def code_of(shop, email):
    """What the app of `email` shows, as if nobody had used it: tests log in more often than people."""
    forget_code(shop, email)
    return requests.get(f"{shop.url}/demo/kodi.json", timeout=10).json()[email]


def forget_code(shop, email):
    """The code that was used last may be used again."""
    _write(
        shop,
        "UPDATE second_factor SET last_step = 0 WHERE profile_id = (SELECT id FROM profile WHERE email = ?)",
        email,
    )


def stay_away(shop, email):
    """Long ago since `email` clicked anywhere at work."""
    _write(
        shop,
        "UPDATE work_session SET seen_at = '2020-01-01 00:00:00.000000+00:00' "
        "WHERE profile_id = (SELECT id FROM profile WHERE email = ?)",
        email,
    )


def _write(shop, statement, email):
    with closing(sqlite3.connect(shop.environment["DATABASE_URL"].removeprefix("sqlite:///"), timeout=30)) as file:
        file.execute(statement, [email])
        file.commit()
