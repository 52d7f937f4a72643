"""The page that gives a person's data to an authority (PRV-5)."""

import json

import pytest

from models.trail import AuditEntry
from tests import world as named
from tests.staff import works
from tests.views.browser import Browser

PAGE = "/desk/te-dhenat"
REQUEST = {"personi": "ANA@example.com", "autoriteti": "Gjykata themelore", "numri": "12/2026", "baza": "neni 12"}


@pytest.fixture
def admin(app, world):
    works("admin")
    browser = Browser(app)
    browser.log_in("admin@example.com")
    return browser


def disclosed() -> list[AuditEntry]:
    return list(AuditEntry.select().where(AuditEntry.what == "disclosed"))


@pytest.mark.rule("PRV-5")
def test_the_file_has_the_persons_data_and_the_trail_says_who_took_it(admin, world):
    order, _ = named.ordered(world, "CASE-BLACK")
    assert admin.get(PAGE).status == 200
    answer = admin.post(PAGE, REQUEST)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="te-dhenat-')
    assert "no-store" in answer.headers["Cache-Control"]
    given = json.loads(answer.html)
    assert [row["number"] for row in given["tables"]["order"]] == [order.number]
    [entry] = disclosed()
    assert (entry.who, entry.role, entry.why) == ("admin@example.com", "admin", "neni 12")


@pytest.mark.parametrize("missing", REQUEST)
def test_a_request_that_lacks_something_is_told_what_beside_its_field(admin, world, missing):
    named.ordered(world, "CASE-BLACK")
    admin.get(PAGE)
    page = admin.post(PAGE, REQUEST | {missing: " "})
    assert page.status == 422
    assert page.by_id(missing).get("aria-invalid") == "true"
    kept = next(name for name in REQUEST if name != missing)
    assert page.by_id(kept).get("value") == REQUEST[kept]
    assert disclosed() == []


def test_nobody_of_that_name_is_said_and_not_recorded(admin, world):
    admin.get(PAGE)
    page = admin.post(PAGE, REQUEST | {"personi": "nobody@example.com"})
    assert page.status == 422
    assert "nuk ruhet asgjë" in page.words
    assert disclosed() == []
