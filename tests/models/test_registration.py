"""Registering: a profile begins when its e-mail is confirmed (PRO-1), and nobody learns which are known (PRO-2)."""

from datetime import timedelta

import pytest

from models.outbox import Mail
from models.password import WeakPassword
from models.profile import Attempt, LockedOut, Profile, WrongPassword
from models.profile_link import EmailTaken, LinkOver, sign
from models.registration import Registration
from tests.world import NOW, later, profile

pytestmark = pytest.mark.rule("PRO-1")
WORD = "një fjali e shkurtër"
TYPED = {"first_name": "Ana", "last_name": "Markovska", "language": "mk", "address": "", "now": NOW}


def register(email="ana@example.com", password=WORD, **changed):
    return Registration.begin(email=email, password=password, **{**TYPED, **changed})


def test_before_the_email_is_confirmed_there_is_no_profile_and_nothing_to_log_in_with():
    register()
    assert Profile.select().count() == 0
    assert Profile.log_in("ana@example.com", WORD, "192.0.2.1", NOW) is None


def test_the_link_in_the_mail_makes_the_profile():
    register(" Ana@Example.com ")
    [mail] = Mail.select()
    assert (mail.kind, mail.recipient, mail.language, mail.state) == (
        "confirm_registration",
        "ana@example.com",
        "mk",
        "due",
    )
    found = Registration.of_token(Registration.get().token, later(60 * 24 - 1))
    ana = found.confirm(later(5))
    assert Profile.log_in("ana@example.com", WORD, "192.0.2.1", later(6)) == ana
    assert (ana.name, ana.language, ana.verified_at, ana.is_verified) == ("Ana Markovska", "mk", later(5), True)


def test_looking_at_the_link_uses_nothing_up():
    token = register().token
    for _ in range(3):
        Registration.of_token(token, NOW)
    assert Profile.select().count() == 0
    assert Registration.of_token(token, NOW).confirm(NOW)


def test_the_link_is_used_once():
    registration = register()
    first, second = (Registration.of_token(registration.token, NOW) for _ in range(2))
    first.confirm(NOW)
    with pytest.raises(LinkOver):
        second.confirm(NOW)
    with pytest.raises(LinkOver):
        Registration.of_token(registration.token, NOW)
    assert Profile.select().count() == 1


def test_the_link_lives_a_day():
    registration = register()
    with pytest.raises(LinkOver):
        Registration.of_token(registration.token, later(60 * 24))
    with pytest.raises(LinkOver):
        registration.confirm(later(60 * 24))
    assert Profile.select().count() == 0


@pytest.mark.parametrize("token", ["", "x", "x.y", "é", "a" * 5000])
def test_a_token_that_the_shop_did_not_sign_opens_nothing(token):
    register()
    with pytest.raises(LinkOver):
        Registration.of_token(token, NOW)


def test_the_token_of_another_purpose_opens_nothing():
    registration = register()
    with pytest.raises(LinkOver):
        Registration.of_token(sign("password", registration.code), NOW)


def test_what_the_tables_hold_is_no_token():
    registration = register()
    assert registration.token not in str([list(model.select().dicts()) for model in (Registration, Mail)])


@pytest.mark.rule("PRO-2")
def test_a_known_email_leads_to_as_many_rows_and_its_owner_is_told():
    arben = profile()
    rows = []
    for email in (arben.email, "nobody@example.com"):
        before = [model.select().count() for model in (Registration, Mail, Attempt, Profile)]
        register(email.upper(), address="192.0.2.1")
        after = [model.select().count() for model in (Registration, Mail, Attempt, Profile)]
        rows.append([now - then for now, then in zip(after, before, strict=True)])
    assert rows[0] == rows[1] == [1, 1, 2, 0]
    told = Mail.get(Mail.recipient == arben.email)
    assert (told.kind, told.profile, told.language) == ("already_registered", arben, arben.language)
    assert Profile.get_by_id(arben.id).password_hash == arben.password_hash


@pytest.mark.rule("PRO-2")
def test_a_known_email_cannot_be_registered_even_with_the_link_that_nobody_got():
    arben = profile()
    registration = register(arben.email)
    with pytest.raises(EmailTaken):
        registration.confirm(NOW)
    assert [row.id for row in Profile.select()] == [arben.id]


def test_of_two_registrations_of_one_email_the_first_to_be_confirmed_is_the_profile():
    first, second = register(first_name="E para"), register(first_name="E dyta", password="edhe një fjali")
    second.confirm(NOW)
    with pytest.raises(EmailTaken):
        first.confirm(NOW)
    assert Profile.get().first_name == "E dyta"


def test_an_owner_who_clicks_a_strangers_link_does_not_confirm_the_strangers_password():
    registration = register()
    with pytest.raises(WrongPassword):
        registration.prove("the owner does not know it", "192.0.2.1", NOW)
    registration.prove(WORD, "192.0.2.1", NOW)


def test_the_password_of_a_registration_cannot_be_tried_out():
    registration = register()
    for _ in range(5):
        with pytest.raises(WrongPassword):
            registration.prove("wrong", "192.0.2.1", NOW)
    with pytest.raises(LockedOut):
        registration.prove(WORD, "192.0.2.9", NOW)


@pytest.mark.parametrize("password", ["short", "12345678", "ana@example.com"])
def test_a_weak_password_is_refused_before_anything_is_written(password):
    with pytest.raises(WeakPassword):
        register(password=password)
    assert Registration.select().count() == Mail.select().count() == Attempt.select().count() == 0


@pytest.mark.rule("PRO-2")
@pytest.mark.parametrize("email", ["arben@example.com", "nobody@example.com"])
def test_an_email_gets_three_mails_an_hour_known_or_not(email):
    profile()
    registration = register(email)
    registration.send_again("", later(1))
    register(email, now=later(2))
    with pytest.raises(LockedOut):
        register(email, now=later(59))
    with pytest.raises(LockedOut):
        registration.send_again("", later(59))
    assert Mail.select().where(Mail.recipient == email).count() == 3
    register(email, now=later(61))


def test_one_network_causes_twenty_mails_an_hour():
    for number in range(20):
        Attempt.create(key="registration-mail-from:192.0.2.1", at=later(number))
    with pytest.raises(LockedOut):
        register(address="192.0.2.1", now=later(30))
    register(address="192.0.2.2", now=later(30))


def test_a_mail_that_is_sent_again_carries_the_same_link():
    registration = register()
    registration.send_again("", NOW)
    assert [mail.data for mail in Mail.select()] == [{"link": registration.id}] * 2


@pytest.mark.rule("PRV-3")
def test_what_was_typed_is_forgotten_when_the_link_is_over():
    register()
    register(profile().email)
    assert Registration.forget_old(NOW + timedelta(hours=23)) == 0
    assert Registration.forget_old(NOW + timedelta(hours=24)) == 2
    # What an owner was told belongs to their profile.
    assert [mail.kind for mail in Mail.select()] == ["already_registered"]
