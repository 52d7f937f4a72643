"""An admin's pages: who works here, and what everybody did (DSK-1, DSK-5)."""

import csv
import io

import pytest

from models.actor import SYSTEM, Actor
from models.profile import Profile
from models.second_factor import SecondFactor
from models.staff import Staff
from models.trail import AuditEntry, record
from models.trail_search import PER_PAGE
from tests import world as named
from tests.club import offer
from tests.query_count import assert_query_count
from tests.staff import works
from tests.views.browser import Browser
from tests.views.test_html import LANGUAGES, faults

PEOPLE, TRAIL = "/desk/stafi", "/desk/gjurma"
AGENT = Actor("agent", "agent@example.com")


@pytest.fixture
def admin(app, world) -> Browser:
    works("admin")
    browser = Browser(app)
    browser.log_in("admin@example.com")
    return browser


def give(browser, email, role, partner="", why=""):
    return browser.post(PEOPLE, {"e_posta": email, "roli": role, "partneri": partner, "arsyeja": why})


def page_of(profile) -> str:
    return f"{PEOPLE}/{Staff.of(profile).id}"


# Roles


@pytest.mark.rule("DSK-5")
def test_a_role_is_given_changed_and_taken_away(admin):
    besa, cinema = named.profile("besa@example.com"), offer().partner.code
    page = give(admin, " BESA@example.com", "agent", why="fillon sot")
    assert page.location == page_of(besa)
    assert "Roli u dha" in admin.follow(page).words
    admin.post(page_of(besa), {"roli": "partner", "partneri": cinema})
    assert (Staff.of(besa).role, Staff.of(besa).partner.name) == ("partner", "Kinema Qendra")
    # Another role has no partner, whatever the form says of one.
    admin.post(page_of(besa), {"roli": "clerk", "partneri": cinema})
    assert (Staff.of(besa).role, Staff.of(besa).partner) == ("clerk", None)
    gone = admin.post(f"{page_of(besa)}/hiqe", {"arsyeja": "iku"})
    assert gone.location == PEOPLE
    assert "Roli u hoq" in admin.follow(gone).words
    assert Staff.of(besa) is None
    told = AuditEntry.select().where(AuditEntry.subject == "staff:besa@example.com").order_by(AuditEntry.id)
    assert [(one.what, one.who, one.why) for one in told] == [
        ("role_given", "admin@example.com", "fillon sot"),
        ("role_given", "admin@example.com", ""),
        ("role_given", "admin@example.com", ""),
        ("role_taken", "admin@example.com", "iku"),
    ]


@pytest.mark.rule("DSK-5")
@pytest.mark.parametrize(
    ("email", "role", "partner", "told"),
    [
        ("nobody@example.com", "agent", "", "Nuk ka profil me këtë e-postë"),
        ("new@example.com", "agent", "", "Askush nuk e ka konfirmuar"),
        ("besa@example.com", "king", "", "Kontrolloni"),
        ("besa@example.com", "", "", "Zgjidhni rolin."),
        ("besa@example.com", "partner", "", "Zgjidhni partnerin"),
        ("besa@example.com", "partner", "no-such", "Kontrolloni"),
        ("", "agent", "", "Shkruani e-postën."),
        ("admin@example.com", "agent", "", "Rolin tuaj e ndryshon një administrator tjetër."),
    ],
)
def test_a_role_that_cannot_be_given_is_refused_with_what_was_typed(admin, email, role, partner, told):
    named.profile("besa@example.com")
    Profile.update(verified_at=None).where(Profile.id == named.profile("new@example.com").id).execute()
    page = give(admin, email, role, partner, "sepse po")
    assert page.status == 422
    assert told in page.words
    assert page.form(PEOPLE)["e_posta"] == email
    assert page.form(PEOPLE)["arsyeja"] == "sepse po"
    assert Staff.select().count() == 1


@pytest.mark.rule("DSK-5")
def test_an_admin_keeps_their_own_role_and_the_last_one_stays(admin):
    me = page_of(Profile.of_email("admin@example.com"))
    page = admin.get(me)
    assert not [form for form in page.all("form") if (form.get("action") or "").endswith("/hiqe")]
    for path, sent in ((f"{me}/hiqe", {}), (me, {"roli": "agent"})):
        page = admin.post(path, sent)
        assert page.status == 422
        assert "Rolin tuaj e ndryshon një administrator tjetër." in page.words
    assert Staff.get().role == "admin"


@pytest.mark.rule("DSK-5")
def test_a_lost_app_is_taken_away_with_the_reason_in_the_trail(admin):
    clerk = works("clerk")
    page = admin.get(page_of(clerk))
    assert "Shkëpute aplikacionin" in page.words
    done = admin.post(f"{page_of(clerk)}/aplikacioni", {"arsyeja": "humbi telefonin"})
    assert "Ende pa aplikacion" in admin.follow(done).words
    assert SecondFactor.of(clerk) is None
    assert AuditEntry.get(AuditEntry.what == "factor_reset").why == "humbi telefonin"


def test_the_list_says_who_is_at_work_and_who_has_no_app_yet(admin):
    works("clerk")
    works("editor", app=False)
    rows = [" ".join(" ".join(row.itertext()).split()) for row in admin.get(PEOPLE).all("tr")[1:]]
    assert ["Në punë tani" in row for row in rows] == [True, False, False]
    assert "I lidhur" in rows[1]
    assert "Ende jo" in rows[2]


@pytest.mark.parametrize("path", ["/999999", "/999999/hiqe", "/999999/aplikacioni", f"/{10**30}"])
def test_who_is_not_on_the_list_is_not_found(admin, path):
    assert admin.post(PEOPLE + path, {"roli": "agent"}).status in (400, 404)


# The trail


@pytest.fixture
def done(world):
    """What several people did on two days, the last of it last."""
    order = named.ordered(world, "CASE-BLACK")[0]
    change = {"before": {"street": "Rr. A 1"}, "after": {"street": "Rr. B 2"}}
    record(AGENT, "changed", named.NOW, order=order, why="=telefonoi", **change)
    record(SYSTEM, "cancelled", named.later(24 * 60), order=named.ordered(world, "CASE-BLACK")[0])
    record(
        Actor("clerk", "clerk@example.com"), "login_failed", named.later(24 * 60), subject="staff:clerk@example.com"
    )
    return order


def rows_of(page) -> list[str]:
    table = page.by_id("lista")
    return (
        []
        if table.find(".//tbody") is None
        else [" ".join(" ".join(row.itertext()).split()) for row in table.find(".//tbody").iter("tr")]
    )


@pytest.mark.rule("DSK-1")
def test_the_trail_says_who_did_what_when_and_why_with_before_and_after(admin, done):
    row = next(row for row in rows_of(admin.get(TRAIL)) if "Porosia u ndryshua" in row)
    for words in (
        "10.03.2026, ora 12:00",
        "Agjent",
        "agent@example.com",
        "Rr. A 1",
        "Rr. B 2",
        done.number,
        "telefonoi",
    ):
        assert words in row


@pytest.mark.rule("DSK-1")
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"kush": "Agent@example.com "}, 1),
        ({"kush": "agent"}, 0),
        ({"cfare": "cancelled"}, 1),
        ({"cfare": "no-such"}, 0),
        ({"nga": "2026-03-11"}, 2),
        ({"deri": "2026-03-10", "kush": "agent@example.com"}, 1),
        ({"nga": "2026-03-11", "deri": "2026-03-11", "cfare": "login_failed"}, 1),
        ({"nga": "soon", "cfare": "changed"}, 1),
        ({"porosia": "DY-0000"}, 0),
        ({"para": "1"}, 0),
        ({"para": "x", "cfare": "changed"}, 1),
        ({"para": "9" * 40, "cfare": "changed"}, 1),
    ],
)
def test_the_trail_is_filtered(admin, done, asked, found):
    assert len(rows_of(admin.get(TRAIL, query_string=asked))) == found


@pytest.mark.rule("DSK-1")
def test_the_trail_of_one_order_is_found_by_its_number_however_it_is_typed(admin, done):
    for typed in (done.number, done.number.lower().replace("-", " ")):
        assert len(rows_of(admin.get(TRAIL, query_string={"porosia": typed}))) == 1


@pytest.mark.rule("DSK-1")
def test_the_pages_of_the_trail_hold_each_entry_once_and_take_few_queries(admin):
    for number in range(2 * PER_PAGE + 7):
        record(AGENT, "note", named.NOW, subject=f"n:{number:03}")
    path, seen = f"{TRAIL}?cfare=note", []
    while path:
        with assert_query_count(5):
            page = admin.get(path)
        seen += [row.split()[-1] for row in rows_of(page)]
        # Somebody goes on working meanwhile: the pages after this one do not move.
        record(AGENT, "note", named.NOW, subject="n:new")
        older = [a.get("href") for a in page.all("a", rel="next")]
        path = older[0] if older else ""
    assert seen == [f"{number:03}" for number in reversed(range(2 * PER_PAGE + 7))]


@pytest.mark.rule("DSK-1")
def test_the_trail_as_a_file_holds_all_that_the_filter_finds_and_no_formula(admin, done):
    for number in range(PER_PAGE + 3):
        record(AGENT, "note", named.NOW, subject=f"n:{number}")
    answer = admin.get(f"{TRAIL}.csv?kush=agent@example.com")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    head, *rows = csv.reader(io.StringIO(answer.html.removeprefix("\ufeff")))
    assert len(rows) == PER_PAGE + 4
    assert rows[-1][:7] == [
        "2026-03-10",
        "12:00:00",
        "Agjent",
        AGENT.name,
        "Porosia u ndryshua",
        "changed",
        done.number,
    ]
    assert rows[-1][8:] == ["Adresa: Rr. A 1 → Rr. B 2", "'=telefonoi"]
    assert "text/csv" in admin.get(f"/mk{TRAIL}.csv").headers["Content-Type"]


# Words and markup


@LANGUAGES
def test_the_pages_in_three_languages(admin, done, language, prefix):
    clerk = works("clerk")
    paths = (PEOPLE, page_of(clerk), TRAIL, f"{TRAIL}?kush=x", f"{TRAIL}?para=2", "/desk")
    for path in paths:
        page = admin.get(prefix + path)
        if page.status == 303:
            page = admin.follow(page)
        assert faults(page.html, language) == []
    assert faults(admin.get(f"{prefix}{TRAIL}", piece=True).html) == []
    assert faults(admin.post(prefix + PEOPLE, {}).html, language) == []
