"""Somebody takes their data along and leaves, in a browser (PRV-4)."""

import json
import zipfile

import pytest
from playwright.sync_api import expect

from e2e.conftest import DESKTOP, PHONE, arrive, check_accessible
from e2e.test_profile import link_in, log_in
from tests.world import PASSWORD

MAKE = """
import sys
from models.base import db, utcnow
from models.profile import Profile

with db.connection_context():
    profile = Profile(email=sys.argv[1], first_name="Emri", created_at=utcnow(), verified_at=utcnow())
    profile.set_password(sys.argv[2])
    profile.save()
"""
# The days are over.
HURRY = """
import sys
from datetime import timedelta
from models.base import db, utcnow
from models.erasure import Erasure
from models.profile import Profile

with db.connection_context():
    owner = Profile.get(Profile.email == sys.argv[1])
    Erasure.update(due_at=utcnow() - timedelta(seconds=1)).where(Erasure.profile == owner).execute()
    Erasure.carry_out_all_due(utcnow())
"""


@pytest.mark.rule("PRV-4")
@pytest.mark.parametrize(("size", "javascript"), [(PHONE, True), (DESKTOP, False)], ids=["phone", "no-js"])
def test_data_are_taken_along_and_the_account_goes(shop, visitor, tmp_path, size, javascript):
    # axe is a script itself.
    check = check_accessible if javascript else lambda page: None
    page = visitor(size=size, javascript=javascript)
    email = f"leaves-{javascript}@example.com".lower()
    shop.run(MAKE, email, PASSWORD)
    log_in(page, email, PASSWORD)
    page.wait_for_url(lambda url: "/hyr" not in url)
    page.goto("/profili")
    page.locator("a.btn[href$='/profili/privatesia']").click()
    arrive(page, "**/profili/privatesia")
    check(page)

    page.fill("#take_password", PASSWORD)
    with page.expect_download() as saving:
        page.locator("form[action$='/shkarko'] button").click()
    saved = tmp_path / saving.value.suggested_filename
    saving.value.save_as(saved)
    with zipfile.ZipFile(saved) as file:
        given = json.loads(file.read("te-dhenat.json"))
        page.set_content(file.read("lexo.html").decode())
    assert given["person"] == email
    expect(page.locator("h1")).to_have_text("Të dhënat e mia")
    check(page)

    page.goto("/profili/privatesia")
    page.locator("form[action$='/fshirja'] button").click()
    expect(page.get_by_role("alert")).to_contain_text("Shënojeni që e lexuat.")
    check(page)
    page.check("#understood")
    page.fill("#erase_password", PASSWORD)
    page.locator("form[action$='/fshirja'] button").click()
    expect(page.locator(".note.ok")).to_contain_text("Jua dërguam lidhjen")
    page.goto(link_in(shop, email, "/profili/privatesia/fshirja/"))
    check(page)
    page.locator("main form button").click()
    arrive(page, "**/profili/privatesia")
    expect(page.locator(".note.warn")).to_contain_text("Llogaria fshihet më")
    check(page)

    shop.wait_for_mail(email, 2)
    shop.run(HURRY, email)
    page.goto("/profili")
    arrive(page, "**/hyr?next=**")
    assert "u fshi" in shop.wait_for_mail(email, 3)[0]["subject"]
