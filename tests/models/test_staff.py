"""Roles: who has one, what comes with it, when it is over (DSK-5)."""

import pytest
from click.testing import CliRunner
from peewee import IntegrityError

from commands.staff import staff as command
from models.base import db
from models.profile import Profile
from models.staff import ROLES, NoSuchRole, NotVerified, Staff
from tests.club import offer
from tests.query_count import assert_query_count
from tests.staff import works
from tests.world import NOW, later, profile

pytestmark = pytest.mark.rule("DSK-5")


@pytest.mark.parametrize("role", [role for role in ROLES if role != "partner"])
def test_a_profile_has_one_role(role):
    works(role)
    assert Staff.of(Profile.get()).role == role


def test_a_partners_login_belongs_to_its_partner():
    theirs = offer().partner
    login = works("partner", partner=theirs)
    with assert_query_count(1):
        assert Staff.of(login).partner.name == "Kinema Qendra"


def test_another_role_takes_the_place_of_the_one_before():
    login = works("partner", partner=offer().partner)
    Staff.add(login, "clerk", later(1))
    assert [(row.role, row.partner, row.since) for row in Staff.select()] == [("clerk", None, later(1))]


@pytest.mark.parametrize(("role", "has_partner"), [("king", False), ("", False), ("clerk", True), ("partner", False)])
def test_what_is_no_role_is_refused_and_changes_nothing(role, has_partner):
    whose = works("agent")
    with pytest.raises(NoSuchRole):
        Staff.add(whose, role, NOW, offer().partner if has_partner else None)
    assert Staff.of(whose).role == "agent"


def test_nobody_works_with_an_email_that_nobody_confirmed():
    unknown = profile()
    unknown.verified_at = None
    with pytest.raises(NotVerified):
        Staff.add(unknown, "clerk", NOW)


def test_a_role_goes_once_and_with_the_profile():
    clerk = works("clerk")
    assert Staff.remove(clerk, NOW)
    assert not Staff.remove(clerk, NOW)
    Staff.add(clerk, "clerk", NOW)
    clerk.delete_instance()
    assert Staff.select().count() == 0


def test_a_partner_with_logins_stays():
    theirs = offer().partner
    works("partner", partner=theirs)
    with pytest.raises(IntegrityError), db.atomic():
        theirs.delete_instance(recursive=False)


def test_the_session_says_the_role_with_the_query_it_makes_anyway():
    clerk = works("clerk")
    with assert_query_count(1):
        assert Profile.of_session(clerk.get_id()).works_as.role == "clerk"
    shopper = profile("ana@example.com")
    assert Profile.of_session(shopper.get_id()).works_as is None


# flask staff …


def run(*words):
    return CliRunner().invoke(command, words)


def test_flask_staff_adds_lists_and_removes():
    profile("besa@example.com")
    profile("ana@example.com")
    offer()
    assert run("add", "Besa@example.com", "clerk").output == "besa@example.com is clerk.\n"
    said = run("add", "ana@example.com", "partner", "--partner", "kinema-qendra").output
    assert said == "ana@example.com is partner of Kinema Qendra.\n"
    lines = [line.split()[:3] for line in run("list").output.splitlines()]
    assert lines == [["clerk", "besa@example.com", "-"], ["partner", "ana@example.com", "kinema-qendra"]]
    assert "has no role any more" in run("remove", "besa@example.com").output
    assert Staff.select().count() == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "nobody@example.com", "clerk"), "There is no profile nobody@example.com."),
        (("add", "arben@example.com", "king"), "There is no role king; there are: agent, warehouse, clerk"),
        (("add", "arben@example.com", "partner"), "needs --partner CODE"),
        (("add", "arben@example.com", "clerk", "--partner", "kinema-qendra"), "needs --partner CODE"),
        (
            ("add", "arben@example.com", "partner", "--partner", "x"),
            "There is no partner x; there are: kinema",
        ),
        (("remove", "arben@example.com"), "arben@example.com has no role."),
    ],
)
def test_flask_staff_says_what_is_wrong(words, said):
    profile()
    offer()
    result = run(*words)
    assert result.exit_code == 1
    assert said in result.output
    assert Staff.select().count() == 0


def test_flask_staff_gives_no_role_to_an_unconfirmed_email():
    unknown = profile()
    Profile.update(verified_at=None).where(Profile.id == unknown.id).execute()
    assert "Nobody has confirmed" in run("add", unknown.email, "clerk").output
