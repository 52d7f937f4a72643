"""The second factor: codes of an app, recovery codes, work sessions, and how they end (DSK-5)."""

from datetime import timedelta

import pytest

import config
from models.actor import SYSTEM, Actor
from models.base import db
from models.profile import LockedOut, Profile
from models.second_factor import (
    DRIFT,
    RECOVERY_CODES,
    STEP,
    WRONG_CODES,
    EnrolledAlready,
    RecoveryCode,
    SecondFactor,
    WorkSession,
    WrongFactor,
    begin_work,
    renew_codes,
)
from models.staff import LastAdmin, OwnRole, Staff
from models.trail import AuditEntry
from tests.staff import works
from tests.world import NOW

pytestmark = pytest.mark.rule("DSK-5")
BY = Actor("clerk", "clerk@example.com")


def at(seconds: float):
    return NOW + timedelta(seconds=seconds)


@pytest.fixture
def clerk() -> Profile:
    return works("clerk")


@pytest.fixture
def new() -> Profile:
    """Who works here and has connected no app yet."""
    return works("clerk", app=False)


def code(profile, seconds=0) -> str:
    """What the app showed or will show so many seconds from now."""
    factor = SecondFactor.of(profile)
    factor.last_step = 0
    return factor.code_at(at(seconds))


def trail() -> list[str]:
    return [
        entry.what for entry in AuditEntry.select().where(AuditEntry.what != "role_given").order_by(AuditEntry.id)
    ]


def enrolled(profile, now=NOW) -> list[str]:
    nonce = SecondFactor.new_nonce()
    app = SecondFactor(profile=profile, nonce=nonce)
    return SecondFactor.enrol(BY, profile, nonce, app.code_at(now), now)


# Connecting an app


def test_an_app_is_connected_once_with_its_code_and_gives_ten_codes_for_bad_days(new):
    codes = enrolled(new)
    assert len(set(codes)) == RECOVERY_CODES
    assert trail() == ["factor_enrolled"]
    with pytest.raises(EnrolledAlready):
        enrolled(new, at(60))


def test_an_app_that_shows_another_secrets_code_is_not_connected(new):
    nonce = SecondFactor.new_nonce()
    with pytest.raises(WrongFactor):
        SecondFactor.enrol(BY, new, nonce, SecondFactor(profile=new, nonce="0" * 32).code_at(NOW), NOW)
    assert SecondFactor.of(new) is None
    assert trail() == ["login_failed"]


def test_the_code_that_connected_the_app_opens_nothing_more(new):
    enrolled(new)
    with pytest.raises(WrongFactor):
        begin_work(BY, new, code(new), NOW)


def test_each_profile_and_each_visit_has_a_secret_of_its_own(new):
    other = works("agent", app=False)
    nonce = "a" * 32
    secrets = {SecondFactor.secret_of(whose, which) for whose in (new, other) for which in (nonce, "b" * 32)}
    assert len(secrets) == 4
    assert all(len(secret) == 32 for secret in secrets)


def test_what_stands_in_the_tables_opens_nothing(new):
    codes = enrolled(new)
    token, _ = begin_work(BY, new, codes[0], NOW)
    kept = str([list(model.select().tuples()) for model in (SecondFactor, RecoveryCode, WorkSession, AuditEntry)])
    factor = SecondFactor.of(new)
    for secret in (token, factor.secret_of(new, factor.nonce), *codes, *(one.replace("-", "") for one in codes)):
        assert secret not in kept


# Codes of the app


@pytest.mark.parametrize("steps", range(-DRIFT, DRIFT + 1))
def test_a_code_counts_one_step_early_and_one_late(clerk, steps):
    token, is_recovery = begin_work(BY, clerk, code(clerk, steps * STEP), NOW)
    assert not is_recovery
    assert WorkSession.goes_on(token, clerk, NOW)
    assert trail() == ["login"]


@pytest.mark.parametrize("steps", [-DRIFT - 1, DRIFT + 1])
def test_two_steps_off_it_does_not(clerk, steps):
    with pytest.raises(WrongFactor):
        begin_work(BY, clerk, code(clerk, steps * STEP), NOW)


def test_a_code_is_taken_once_and_none_from_before_it(clerk):
    begin_work(BY, clerk, code(clerk), NOW)
    for seconds in (0, -STEP):
        with pytest.raises(WrongFactor):
            begin_work(BY, clerk, code(clerk, seconds), NOW)
    begin_work(BY, clerk, code(clerk, STEP), NOW)


@pytest.mark.parametrize("typed", ["", " ", "12345", "1234567", "abcdef", "１２３４５６", "\x00", "9" * 40, "- - -"])
def test_what_is_no_code_is_refused(clerk, typed):
    with pytest.raises(WrongFactor):
        begin_work(BY, clerk, typed, NOW)


def test_spaces_in_a_code_do_not_matter(clerk):
    shown = code(clerk)
    begin_work(BY, clerk, f" {shown[:3]} {shown[3:]} ", NOW)


def test_wrong_codes_lock_the_profile_for_a_while_and_the_right_one_with_them(clerk):
    left = []
    for _ in range(WRONG_CODES):
        with pytest.raises(WrongFactor) as error:
            begin_work(BY, clerk, "000000", NOW)
        left.append(error.value.left)
    assert left == [4, 3, 2, 1, 0]
    with pytest.raises(LockedOut):
        begin_work(BY, clerk, code(clerk), NOW)
    # What is refused unlooked writes no more lines: nobody fills the trail.
    assert trail() == ["login_failed"] * 5 + ["login_locked"]
    begin_work(BY, clerk, code(clerk, 15 * 60 + 1), at(15 * 60 + 1))


def test_a_right_code_forgets_the_wrong_ones(clerk):
    for round_ in range(3):
        for _ in range(WRONG_CODES - 1):
            with pytest.raises(WrongFactor):
                begin_work(BY, clerk, "000000", at(round_ * STEP))
        begin_work(BY, clerk, code(clerk, round_ * STEP), at(round_ * STEP))


def test_another_profiles_code_is_none(clerk):
    other = works("agent")
    with pytest.raises(WrongFactor):
        begin_work(BY, clerk, code(other), NOW)


# Recovery codes


def test_a_recovery_code_opens_once_however_it_is_written(new):
    codes = enrolled(new)
    token, is_recovery = begin_work(BY, new, f" {codes[3].replace('-', ' ').lower()}", NOW)
    assert is_recovery
    assert WorkSession.goes_on(token, new, NOW)
    with pytest.raises(WrongFactor):
        begin_work(BY, new, codes[3], NOW)
    assert SecondFactor.of(new).codes_left() == RECOVERY_CODES - 1
    assert AuditEntry.get(AuditEntry.what == "recovery_used").after == {"left": 9}


def test_new_recovery_codes_end_the_old_ones(new):
    old = enrolled(new)
    fresh = renew_codes(BY, new, code(new, 60), at(60))
    assert not set(old) & set(fresh)
    with pytest.raises(WrongFactor):
        begin_work(BY, new, old[0], at(61))
    begin_work(BY, new, fresh[0], at(61))
    assert "recovery_renewed" in trail()


def test_recovery_codes_are_renewed_with_a_code_alone(new):
    enrolled(new)
    with pytest.raises(WrongFactor):
        renew_codes(BY, new, "000000", NOW)
    assert SecondFactor.of(new).codes_left() == RECOVERY_CODES


def test_another_profiles_recovery_code_opens_nothing(new):
    codes = enrolled(new)
    other = works("agent")
    with pytest.raises(WrongFactor):
        begin_work(BY, other, codes[0], NOW)


# Sessions


@pytest.fixture
def token(clerk) -> str:
    return begin_work(BY, clerk, code(clerk), NOW)[0]


def test_work_goes_on_while_somebody_clicks_and_ends_after_half_an_hour_without(clerk, token):
    minute = 60
    for minutes in (29, 58, 87):
        assert WorkSession.goes_on(token, clerk, at(minutes * minute))
    assert not WorkSession.goes_on(token, clerk, at((87 + config.STAFF_IDLE_MINUTES) * minute))


def test_work_ends_after_a_shift_however_busy_it_was(clerk, token):
    hours = 0.0
    while hours < config.STAFF_HOURS:
        assert WorkSession.goes_on(token, clerk, at(hours * 3600))
        hours += 0.25
    assert not WorkSession.goes_on(token, clerk, at(config.STAFF_HOURS * 3600))


def test_a_session_is_its_profiles_alone(clerk, token):
    assert not WorkSession.goes_on(token, works("agent"), NOW)
    assert not WorkSession.goes_on("", clerk, NOW)
    assert not WorkSession.goes_on(token + "x", clerk, NOW)


@pytest.mark.parametrize("how", ["out everywhere", "app", "role", "log out", "password"])
def test_work_ends_with(clerk, token, how):
    match how:
        case "out everywhere":
            clerk.end_sessions()
        case "app":
            assert SecondFactor.reset(clerk, SYSTEM, NOW)
        case "role":
            Staff.remove(clerk, NOW)
        case "log out":
            WorkSession.end(token)
        case "password":
            clerk.change_password("një fjali e re", NOW)
    assert not WorkSession.goes_on(token, Profile.get_by_id(clerk.id), NOW)


def test_sessions_that_are_over_are_forgotten(clerk, token):
    assert WorkSession.forget_old(at(config.STAFF_HOURS * 3600)) == 0
    assert WorkSession.forget_old(at(config.STAFF_HOURS * 3600 + 1)) == 1


# Another app


def test_a_lost_app_is_taken_away_and_another_one_connected(new):
    codes = enrolled(new)
    before = SecondFactor.of(new).nonce
    assert SecondFactor.reset(new, Actor("admin", "admin@example.com"), at(60), "humbi telefonin")
    assert not SecondFactor.reset(new, SYSTEM, at(60))
    assert AuditEntry.get(AuditEntry.what == "factor_reset").why == "humbi telefonin"
    assert RecoveryCode.select().count() == 0
    with pytest.raises(WrongFactor):
        begin_work(BY, new, codes[0], at(61))
    enrolled(new, at(120))
    assert SecondFactor.of(new).nonce != before


def test_everything_of_it_goes_with_the_profile(clerk, token):
    clerk.delete_instance()
    assert [model.select().count() for model in (SecondFactor, RecoveryCode, WorkSession)] == [0, 0, 0]


# Roles, as they are given and taken


def test_roles_that_are_given_and_taken_stand_in_the_trail(clerk):
    admin = Actor("admin", "admin@example.com")
    Staff.add(clerk, "agent", NOW, by=admin, why="ndërroi punën")
    Staff.add(clerk, "agent", NOW, by=admin)
    Staff.remove(clerk, NOW, by=admin)
    entries = list(AuditEntry.select().where(AuditEntry.who == "admin@example.com").order_by(AuditEntry.id))
    assert [(one.what, one.before, one.after, one.why) for one in entries] == [
        ("role_given", {"role": "clerk"}, {"role": "agent"}, "ndërroi punën"),
        ("role_taken", {"role": "agent"}, {}, ""),
    ]
    assert {one.subject for one in entries} == {"staff:clerk@example.com"}


def test_the_last_admin_stays_one(clerk):
    admin = works("admin")
    with pytest.raises(LastAdmin):
        Staff.remove(admin, NOW)
    with pytest.raises(LastAdmin):
        Staff.add(admin, "agent", NOW)
    Staff.add(clerk, "admin", NOW)
    assert Staff.remove(admin, NOW)


def test_nobody_changes_their_own_role(clerk):
    works("admin")
    for role in ("admin", "agent"):
        with pytest.raises(OwnRole):
            Staff.add(clerk, role, NOW, by=BY)
    with pytest.raises(OwnRole):
        Staff.remove(clerk, NOW, by=BY)
    assert Staff.of(clerk).role == "clerk"


def test_a_refused_role_writes_nothing(clerk):
    before = AuditEntry.select().count()
    with pytest.raises(OwnRole), db.atomic():
        Staff.remove(clerk, NOW, by=BY)
    assert AuditEntry.select().count() == before
