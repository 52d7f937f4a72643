"""Logging in, a new password, the end of all sessions (PRO-2)."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from models.base import IS_SQLITE
from models.cart import Cart
from models.outbox import Mail
from models.password import WeakPassword, is_outdated
from models.profile import Attempt, LockedOut, Profile, WrongPassword
from tests.query_count import assert_query_count
from tests.world import NOW, PASSWORD, build, cart_with, later, profile

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


@pytest.mark.parametrize("email", ["arben@example.com", "nobody@example.com"])
def test_a_try_is_counted_before_it_is_made_so_that_of_many_at_once_none_slips_through(email):
    profile()
    for _ in range(4):
        fail(email)
    # Three at the same moment: each has written its try before any of them looks.
    for _ in range(3):
        Attempt.create(key=f"login:{email}", at=NOW)
    with pytest.raises(LockedOut):
        Profile.log_in(email, PASSWORD, "192.0.2.1", NOW)


def test_a_try_that_is_refused_does_not_lengthen_the_lock():
    arben = profile()
    for _ in range(5):
        fail()
    with pytest.raises(LockedOut):
        Profile.log_in("arben@example.com", PASSWORD, "192.0.2.1", later(14))
    assert Profile.log_in("arben@example.com", PASSWORD, "192.0.2.1", later(15)) == arben


def test_a_hash_of_weaker_parameters_is_made_anew_at_the_next_login():
    arben = profile()
    weak = PasswordHasher(time_cost=1, memory_cost=1024).hash(PASSWORD)
    Profile.update(password_hash=weak).execute()
    fail()
    assert Profile.get().password_hash == weak
    assert Profile.log_in(arben.email, PASSWORD, "192.0.2.1", NOW) == arben
    assert not is_outdated(Profile.get().password_hash)
    assert Profile.log_in(arben.email, PASSWORD, "192.0.2.1", NOW) == arben


# A new password


def test_a_new_password_ends_every_session_and_tells_the_owner_once():
    arben = profile()
    session = arben.get_id()
    arben.change_password("një fjali e re", NOW)
    assert Profile.of_session(session) is None
    assert Profile.of_session(arben.get_id()) == arben
    assert Profile.log_in(arben.email, PASSWORD, "192.0.2.1", NOW) is None
    assert Profile.log_in(arben.email, "një fjali e re", "192.0.2.1", NOW) == arben
    [mail] = Mail.select()
    assert (mail.kind, mail.recipient, mail.profile) == ("password_changed", arben.email, arben)


def test_each_change_of_the_password_is_told():
    arben = profile()
    arben.change_password("një fjali e re", NOW)
    arben.change_password("edhe një tjetër", NOW)
    assert Mail.select().count() == 2


def test_a_weak_new_password_changes_nothing():
    arben = profile()
    before = arben.password_hash
    with pytest.raises(WeakPassword):
        arben.change_password("12345678", NOW)
    assert (Profile.get().password_hash, Profile.get().session_number, Mail.select().count()) == (before, 1, 0)


def test_a_new_password_opens_a_profile_that_was_locked():
    arben = profile()
    for _ in range(5):
        fail()
    arben.change_password("një fjali e re", NOW)
    assert Profile.log_in(arben.email, "një fjali e re", "192.0.2.9", NOW) == arben


def test_the_present_password_is_asked_for_and_its_failures_are_counted_as_a_logins():
    arben = profile()
    arben.prove(PASSWORD, "192.0.2.1", NOW)
    for _ in range(5):
        with pytest.raises(WrongPassword):
            arben.prove("wrong", "192.0.2.1", NOW)
    with pytest.raises(LockedOut):
        arben.prove(PASSWORD, "192.0.2.1", NOW)
    with pytest.raises(LockedOut):
        Profile.log_in(arben.email, PASSWORD, "192.0.2.9", NOW)


# Log out everywhere


def test_logging_out_everywhere_takes_the_cart_from_the_other_browsers_too():
    """Its cookie would go on showing what was typed at the checkout."""
    world = build()
    arben, besa = profile(), profile("besa@example.com")
    cart = cart_with(world, "CASE-BLACK", profile=arben)
    other = cart_with(world, "TAB-GREY-64", profile=besa)
    session = arben.get_id()
    arben.end_sessions()
    assert Profile.of_session(session) is None
    assert Cart.of_token(cart.token) is None
    assert Cart.get(Cart.profile == arben).held.count() == 1
    assert Cart.of_token(other.token) == other
    assert Profile.get_by_id(besa.id).session_number == 1


def test_the_details_are_changed_and_nothing_else():
    arben = profile()
    arben.change_details(first_name="Ana", last_name="Markovska", phone="", language="mk")
    read = Profile.get()
    assert (read.name, read.phone, read.language, read.email) == ("Ana Markovska", "", "mk", "arben@example.com")


@pytest.mark.skipif(IS_SQLITE, reason="SQLite locks no rows")
def test_the_members_of_a_profile_are_held_by_id_before_their_language_changes():
    arben = profile()
    with assert_query_count(10) as asked:
        arben.change_details(first_name="Ana", last_name="Markovska", phone="", language="mk")
    held, changed = [sql for sql in asked if '"club_member"' in sql]
    assert held.endswith('ORDER BY "t1"."id" FOR UPDATE')
    assert changed.startswith("UPDATE")


def test_an_email_is_verified_by_a_moment():
    arben = profile()
    assert arben.is_verified
    arben.verified_at = None
    assert not arben.is_verified
