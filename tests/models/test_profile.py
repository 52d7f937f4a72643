"""Logging in (PRO-2)."""

from datetime import timedelta

import pytest

from models.profile import Attempt, LockedOut, Profile
from tests.world import NOW, PASSWORD, later, profile

pytestmark = pytest.mark.rule("PRO-2")


def fail(email="arben@example.com", now=NOW, address="192.0.2.1"):
    assert Profile.log_in(email, "wrong", address, now) is None


def test_email_and_password_open_the_profile():
    arben = profile()
    assert Profile.log_in(" Arben@Example.com ", PASSWORD, "192.0.2.1", NOW) == arben


def test_the_password_itself_is_nowhere_in_the_row():
    assert PASSWORD not in str(profile().__data__)


def test_an_unknown_email_and_a_wrong_password_are_answered_alike():
    profile()
    fail("arben@example.com")
    fail("nobody@example.com")
    assert Attempt.select().where(Attempt.key.startswith("login:")).count() == 2


@pytest.mark.parametrize("email", ["arben@example.com", "nobody@example.com"])
def test_five_failures_lock_an_email_whether_it_is_known_or_not(email):
    profile()
    for _ in range(5):
        fail(email)
    with pytest.raises(LockedOut):
        Profile.log_in(email, PASSWORD, "192.0.2.9", later(14))


def test_the_lock_opens_after_fifteen_minutes():
    arben = profile()
    for _ in range(5):
        fail()
    assert Profile.log_in("arben@example.com", PASSWORD, "192.0.2.1", later(15)) == arben


def test_a_login_that_succeeds_forgets_the_failures_before():
    arben = profile()
    for _ in range(4):
        fail()
    assert Profile.log_in("arben@example.com", PASSWORD, "192.0.2.1", NOW) == arben
    for _ in range(4):
        fail()
    assert Profile.log_in("arben@example.com", PASSWORD, "192.0.2.1", NOW) == arben


def test_one_address_cannot_try_many_emails():
    for number in range(30):
        Attempt.create(key="login-from:192.0.2.1", at=later(number / 10))
    with pytest.raises(LockedOut):
        Profile.log_in("arben@example.com", PASSWORD, "192.0.2.1", later(5))
    assert Profile.log_in("arben@example.com", PASSWORD, "192.0.2.2", later(5)) is None


def test_failures_are_forgotten_after_a_day():
    fail()
    assert Attempt.forget_old(NOW + timedelta(hours=23)) == 0
    assert Attempt.forget_old(NOW + timedelta(hours=25)) == 2


def test_a_session_ends_when_its_number_is_raised():
    arben = profile()
    session = arben.get_id()
    assert Profile.of_session(session) == arben
    arben.session_number += 1
    arben.save()
    assert Profile.of_session(session) is None


@pytest.mark.parametrize("session", ["", "1", "1.", ".1", "x.1", "1.x", "1.1.1", "².1", "-1.1"])
def test_a_session_that_is_none_opens_nothing(session):
    assert Profile.of_session(session) is None
