"""Joining as a person does it: with an SMS and a mail, written along (CLB-1, CLB-2, MSG-1, MSG-3)."""

from datetime import date

import pytest

import mails
from gateways.sms import segments
from models.club_joining import join
from models.club_member import AlreadyMember, ClubMember, FixedService
from models.club_rate import Rate
from models.number import Number
from models.outbox import Mail
from models.profile import Profile
from models.sms import Sms
from models.sms_text import compose
from tests.world import NOW, own_number, profile


@pytest.fixture
def number():
    return Number.of_msisdn(own_number(profile()).msisdn)


def welcome(key, points):
    Rate.create(name="welcome", key=key, value=points, since=date(2026, 1, 1))


def speaks(language):
    Profile.update(language=language).execute()
    return Profile.get()


@pytest.mark.rule("CLB-1", "CLB-2", "MSG-3")
@pytest.mark.parametrize("language", ["sq", "mk", "en"])
@pytest.mark.parametrize("points", [0, 12_345])
def test_the_sms_says_since_when_points_come_in_one_sms(number, language, points):
    if points:
        welcome("linja-m", points)
    member = join(number, NOW, profile=speaks(language))
    assert (member.language, member.balance) == (language, points)
    text = compose(Sms.get())
    assert "01.04.2026" in text
    assert ("12345" in text) == bool(points)
    assert segments(text) == 1


@pytest.mark.rule("CLB-1", "CLB-2", "MSG-3")
@pytest.mark.parametrize(
    ("language", "words"),
    [("sq", "Mirë se erdhët"), ("mk", "Добре дојдовте"), ("en", "Welcome to My Club")],
)
def test_the_mail_says_how_points_are_earned(number, language, words):
    welcome("linja-m", 100)
    join(number, NOW, profile=speaks(language))
    message = mails.compose(Mail.get())
    for kind in ("plain", "html"):
        body = message.get_body((kind,)).get_content()
        for said in (words, "01.04.2026", "070\u00a0100\u00a0001", "100"):
            assert said in body, said


@pytest.mark.rule("CLB-1", "CLB-4")
def test_a_fixed_service_is_told_of_by_mail_alone(number):
    fixed = FixedService.create(code="FX-1", subscriber=number.subscriber, kind="tv", package="tv-1")
    welcome("tv-1", 30)
    member = join(fixed, NOW, profile=Profile.get())
    assert (member.fixed, member.balance) == (fixed, 30)
    assert (Sms.select().count(), Mail.select().count()) == (0, 1)
    body = mails.compose(Mail.get()).get_body(("plain",)).get_content()
    assert "FX-1" in body
    assert "me çdo rimbushje" in body


@pytest.mark.rule("CLB-1", "MSG-1")
def test_who_is_in_already_is_told_nothing_again(number):
    join(number, NOW, profile=Profile.get())
    with pytest.raises(AlreadyMember):
        join(number, NOW, profile=Profile.get())
    assert (ClubMember.select().count(), Sms.select().count(), Mail.select().count()) == (1, 1, 1)


@pytest.mark.rule("MSG-3")
def test_the_club_follows_the_language_that_the_profile_chooses(number):
    join(number, NOW, profile=speaks("sq"))
    Profile.get().change_details(first_name="A", last_name="B", phone="", language="en")
    assert ClubMember.get().language == "en"
