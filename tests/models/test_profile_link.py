"""Links to a new password and to a new e-mail: signed, for one use, for a while (PRO-1, PRO-2)."""

from datetime import timedelta

import pytest

from models.outbox import Mail
from models.password import WeakPassword
from models.profile import Attempt, LockedOut, Profile
from models.profile_link import EmailTaken, LinkOver, ProfileLink, sign
from tests.query_count import assert_query_count
from tests.world import NOW, PASSWORD, later, profile

pytestmark = pytest.mark.rule("PRO-2")
WORD = "një fjali e shkurtër"


@pytest.fixture
def arben():
    return profile()


def ask(email="arben@example.com", now=NOW, address=""):
    ProfileLink.ask_password(email, address, now)
    return ProfileLink.select().order_by(ProfileLink.id.desc()).get()


def token(link):
    return sign(link.purpose, link.code)


def again(arben):
    return Profile.get_by_id(arben.id)


# A new password


def test_the_link_sets_a_new_password_and_ends_every_session(arben):
    session = arben.get_id()
    link = ProfileLink.of_token("password", token(ask(" Arben@Example.com ")), later(59))
    assert link.set_password(WORD, later(59)) == arben
    assert Profile.of_session(session) is None
    assert Profile.log_in(arben.email, PASSWORD, "192.0.2.1", later(60)) is None
    assert Profile.log_in(arben.email, WORD, "192.0.2.1", later(60)) == arben
    assert [mail.kind for mail in Mail.select().order_by(Mail.id)] == ["password_reset", "password_changed"]


def test_the_link_sets_one_password_only(arben):
    link = ask()
    first, second = (ProfileLink.of_token("password", token(link), NOW) for _ in range(2))
    first.set_password(WORD, NOW)
    with pytest.raises(LinkOver):
        second.set_password("edhe një fjali", NOW)
    with pytest.raises(LinkOver):
        ProfileLink.of_token("password", token(link), NOW)
    assert Profile.log_in(arben.email, WORD, "192.0.2.1", NOW) == arben


def test_one_new_password_makes_the_other_links_void(arben):
    links = [ask(), ask()]
    ProfileLink.of_token("password", token(links[1]), NOW).set_password(WORD, NOW)
    with pytest.raises(LinkOver):
        ProfileLink.of_token("password", token(links[0]), NOW)


def test_the_link_lives_an_hour(arben):
    link = ask()
    with pytest.raises(LinkOver):
        ProfileLink.of_token("password", token(link), later(60))
    with pytest.raises(LinkOver):
        link.set_password(WORD, later(60))
    assert again(arben).password_hash == arben.password_hash


def test_a_weak_password_leaves_the_link_usable(arben):
    link = ask()
    with pytest.raises(WeakPassword):
        link.set_password("12345678", NOW)
    assert ProfileLink.of_token("password", token(link), NOW).set_password(WORD, NOW) == arben


def test_an_unknown_email_leads_to_as_many_rows_and_to_no_mail(arben):
    links = []
    for email in (arben.email, "nobody@example.com"):
        tries = Attempt.select().count()
        links.append(ask(email, address="192.0.2.1"))
        assert Attempt.select().count() == tries + 2
    assert ProfileLink.select().count() == 2
    assert Mail.select().count() == 2
    assert [mail.recipient for mail in Mail.select().where(Mail.due_at.is_null(False))] == [arben.email]
    assert Mail.claim(later(1)).recipient == arben.email
    assert Mail.claim(later(1)) is None
    # It was mailed to nobody, and would open nothing.
    with pytest.raises(LinkOver):
        ProfileLink.of_token("password", token(links[1]), NOW)


def test_a_known_and_an_unknown_email_cost_the_same_queries(arben):
    """As many, of the same kinds: the time does not tell them apart."""
    asked = []
    for email in (arben.email, "nobody@example.com"):
        with assert_query_count(10) as queries:
            ProfileLink.ask_password(email, "192.0.2.1", NOW)
        asked.append(queries)
    assert asked[0] == asked[1]


@pytest.mark.rule("PRV-3")
def test_what_was_written_for_an_unknown_email_goes_with_its_link(arben):
    ask()
    ask("nobody@example.com")
    ProfileLink.forget_old(later(59))
    assert Mail.select().count() == 2
    ProfileLink.forget_old(later(60))
    assert [mail.kind for mail in Mail.select()] == ["password_reset"]
    assert ProfileLink.select().count() == 0


@pytest.mark.parametrize("email", ["arben@example.com", "nobody@example.com"])
def test_an_email_may_be_asked_for_three_times_an_hour_known_or_not(arben, email):
    for minute in range(3):
        ask(email, later(minute))
    for same in (email, email.replace("@", "+shop@")):
        with pytest.raises(LockedOut):
            ask(same, later(59))
    # It is written to as it was typed.
    assert ask(email.replace("@", "+shop@"), later(61)).email == email.replace("@", "+shop@")


def test_one_network_may_ask_twenty_times_an_hour(arben):
    for number in range(20):
        Attempt.create(key="password-mail-from:192.0.2.1", at=later(number))
    with pytest.raises(LockedOut):
        ask(now=later(30), address="192.0.2.1")
    ask(now=later(30), address="192.0.2.2")


@pytest.mark.parametrize("forged", ["", "x", "x.y", "é", "a" * 5000])
def test_a_token_that_the_shop_did_not_sign_opens_nothing(arben, forged):
    ask()
    for purpose in ("password", "email"):
        with pytest.raises(LinkOver):
            ProfileLink.of_token(purpose, forged, NOW)


def test_a_link_of_one_purpose_does_not_serve_another(arben):
    link = ask()
    for code in (token(link), sign("email", link.code), sign("registration", link.code)):
        with pytest.raises(LinkOver):
            ProfileLink.of_token("email", code, NOW)


def test_whoever_has_the_link_has_shown_the_mailbox_to_be_theirs(arben):
    Profile.update(verified_at=None).execute()
    ask().set_password(WORD, later(3))
    assert again(arben).verified_at == later(3)


# A new e-mail


def wish(arben, email="re@example.com", now=NOW):
    return ProfileLink.ask_email(arben, email, "", now)


@pytest.mark.rule("PRO-1")
def test_a_new_email_counts_once_it_is_confirmed_and_the_former_address_is_told(arben):
    link = wish(arben, " Re@Example.com ")
    assert ProfileLink.awaited_email(arben, NOW) == link
    assert Profile.log_in("re@example.com", PASSWORD, "192.0.2.1", NOW) is None
    assert Profile.log_in("arben@example.com", PASSWORD, "192.0.2.1", NOW) == arben
    ProfileLink.of_token("email", token(link), later(60)).confirm_email(later(60))
    assert (again(arben).email, again(arben).verified_at) == ("re@example.com", later(60))
    assert ProfileLink.awaited_email(arben, later(60)) is None
    assert Profile.log_in("re@example.com", PASSWORD, "192.0.2.1", NOW) == arben
    assert [(mail.kind, mail.recipient) for mail in Mail.select().order_by(Mail.id)] == [
        ("confirm_email", "re@example.com"),
        ("email_changed", "arben@example.com"),
    ]


@pytest.mark.rule("PRO-1")
def test_a_new_email_is_confirmed_once(arben):
    link = wish(arben)
    first, second = (ProfileLink.of_token("email", token(link), NOW) for _ in range(2))
    first.confirm_email(NOW)
    with pytest.raises(LinkOver):
        second.confirm_email(NOW)
    assert Mail.select().where(Mail.kind == "email_changed").count() == 1


def test_a_later_wish_voids_the_one_before_and_it_can_be_withdrawn(arben):
    first, second = wish(arben), wish(arben, "tjeter@example.com")
    with pytest.raises(LinkOver):
        ProfileLink.of_token("email", token(first), NOW)
    assert ProfileLink.awaited_email(arben, NOW) == second
    ProfileLink.void(arben, "email", NOW)
    with pytest.raises(LinkOver):
        ProfileLink.of_token("email", token(second), NOW)


def test_a_link_to_a_password_that_went_to_the_former_address_is_void(arben):
    password = ask()
    wish(arben).confirm_email(NOW)
    with pytest.raises(LinkOver):
        ProfileLink.of_token("password", token(password), NOW)
    with pytest.raises(LinkOver):
        password.set_password(WORD, NOW)
    assert Profile.log_in("re@example.com", PASSWORD, "192.0.2.1", NOW) == arben


def test_the_email_of_another_profile_is_wished_for_as_any_other_and_its_owner_is_told(arben):
    besa = profile("besa@example.com")
    links = [wish(arben, "nobody@example.com"), wish(arben, besa.email)]
    assert [(link.mails, link.profile, link.used_at) for link in links] == [(1, arben, None)] * 2
    assert ProfileLink.awaited_email(arben, NOW).email == besa.email
    kinds = [(mail.kind, mail.recipient) for mail in Mail.select().order_by(Mail.id)]
    assert kinds == [("confirm_email", "nobody@example.com"), ("already_registered", besa.email)]
    with pytest.raises(EmailTaken):
        links[1].confirm_email(NOW)
    assert again(arben).email == "arben@example.com"
    assert Mail.select().count() == 2


def test_the_mail_is_sent_again_three_times_an_hour_at_most(arben):
    link = wish(arben)
    link.send_again("", later(1))
    link.send_again("", later(2))
    with pytest.raises(LockedOut):
        link.send_again("", later(3))
    with pytest.raises(LockedOut):
        wish(arben, now=later(4))
    assert Mail.select().count() == 3
    # Whoever asks for too much keeps what was asked for before.
    assert ProfileLink.awaited_email(arben, NOW) == link


@pytest.mark.rule("PRO-1")
def test_the_present_email_can_be_shown_to_be_ones_own(arben):
    Profile.update(verified_at=None).execute()
    wish(again(arben), arben.email).confirm_email(later(3))
    assert again(arben).verified_at == later(3)
    assert [mail.kind for mail in Mail.select()] == ["confirm_email"]


@pytest.mark.rule("PRV-3")
def test_links_are_forgotten_when_their_time_is_over(arben):
    ask()
    wish(arben)
    assert ProfileLink.forget_old(NOW + timedelta(minutes=59)) == 0
    assert ProfileLink.forget_old(NOW + timedelta(minutes=60)) == 1
    assert ProfileLink.forget_old(NOW + timedelta(hours=24)) == 1


@pytest.mark.rule("PRV-4")
def test_the_links_and_mails_of_a_profile_go_with_it(arben):
    ask()
    wish(arben)
    arben.delete_instance()
    assert ProfileLink.select().count() == Mail.select().count() == 0
