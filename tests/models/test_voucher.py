"""Points into a partner's code: once, told by SMS and mail to whom it belongs (CLB-8, MSG-3)."""

from datetime import date, timedelta

import pytest

import mails
from gateways.sms import segments
from models.base import db
from models.club_ledger import Blocked, ClubEntry, NotEnough, audit, block, usable_points
from models.club_member import ClubMember, NotMember
from models.number import Number, ProfileNumber
from models.order_number import ALPHABET
from models.outbox import Mail
from models.profile import Profile
from models.sms import Sms
from models.sms_text import compose
from models.voucher import LENGTH, OfferGone, Voucher
from tests.club import give, joined, joined_fixed, offer
from tests.world import NOW, own_number, profile


@pytest.fixture
def member():
    return joined(points=1_000)


def convert(member, of, key="web:1", now=NOW, **more):
    return Voucher.convert(member.id, of, now, **{"channel": "web", "key": key, **more})


@pytest.mark.rule("CLB-8")
def test_points_become_a_code_that_is_good_for_the_offers_days(member):
    voucher = convert(member, offer(points=600, days=30))
    assert len(voucher.code) == LENGTH
    assert set(voucher.code) <= set(ALPHABET)
    assert voucher.label == f"{voucher.code[:4]}\u00a0{voucher.code[4:]}"
    assert voucher.until == date(2026, 4, 9)
    assert voucher.is_good(NOW + timedelta(days=30, hours=10))
    assert not voucher.is_good(NOW + timedelta(days=31))
    assert usable_points(member, NOW) == 400
    entry = voucher.entry
    assert (entry.kind, entry.points, entry.about["partner"], entry.about["channel"]) == (
        "voucher",
        -600,
        "Kinema Qendra",
        "web",
    )


@pytest.mark.rule("CLB-8", "CLB-16")
def test_the_same_key_gives_the_same_code_and_is_told_once(member):
    of = offer(points=100)
    assert convert(member, of) == convert(member, of)
    assert convert(member, of, "web:2") != convert(member, of)
    assert usable_points(member, NOW) == 800
    assert (Sms.select().count(), Mail.select().count()) == (2, 2)
    assert list(audit()) == []


@pytest.mark.rule("CLB-8", "MSG-1")
def test_when_it_is_refused_nothing_is_written(member):
    over, dear = offer("OVER", 100), offer("DEAR", 1_001)
    type(over).update(until=NOW.date() - timedelta(days=1)).where(type(over).id == over.id).execute()
    over = type(over).get_by_id(over.id)
    cases = [(over, OfferGone), (dear, NotEnough)]
    for of, error in cases:
        with pytest.raises(error):
            convert(member, of)
    with db.atomic():
        block(ClubMember.hold(member.id, NOW), NOW, ["2026-01", "2026-02"])
    with pytest.raises(Blocked):
        convert(member, offer("CHEAP", 10))
    ClubMember.update(ended_at=NOW).execute()
    with pytest.raises(NotMember):
        convert(member, offer("LATE", 10))
    assert (Voucher.select().count(), Sms.select().count(), Mail.select().count()) == (0, 0, 0)
    assert ClubEntry.select().where(ClubEntry.points < 0).count() == 0


@pytest.mark.rule("CLB-17")
def test_an_offer_that_another_one_replaced_is_not_given_at_the_old_price(member):
    old = offer(points=100)
    made = type(old).create(
        partner=old.partner,
        code=old.code,
        names=old.names,
        details={},
        points=150,
        days=30,
        since=NOW.date(),
    )
    with pytest.raises(OfferGone):
        convert(member, old)
    assert convert(member, made).entry.points == -150


@pytest.mark.rule("CLB-8", "CLB-17")
def test_an_offer_that_costs_something_else_than_was_confirmed_is_not_given(member):
    of = offer(points=100)
    type(of).update(points=120).execute()
    for shown in (of, type(of).get()):
        with pytest.raises(OfferGone):
            convert(member, shown, points=100)
    assert usable_points(member, NOW) == 1_000
    # What the offer costs is looked at when it is turned, not when it was read.
    made = convert(member, of, points=120)
    assert made.entry.points == -120
    # What was done is found again, whatever it costs since.
    type(of).update(points=130).execute()
    assert convert(member, of, points=120) == made
    assert convert(member, of, "sms:1", channel="sms").entry.points == -130


# Who is told


@pytest.mark.rule("CLB-8", "MSG-3")
def test_the_sms_goes_to_the_number_and_the_mail_to_who_asks_in_their_languages(member):
    besa = profile("besa@example.com")
    Profile.update(language="mk").where(Profile.id == besa.id).execute()
    ProfileNumber.create(profile=besa, number=member.number, added_at=NOW)
    convert(member, offer(points=10), profile=Profile.get_by_id(besa.id))
    assert [(row.recipient, row.language) for row in Sms.select()] == [("38970100001", "sq")]
    assert [(row.recipient, row.language) for row in Mail.select()] == [("besa@example.com", "mk")]


@pytest.mark.rule("CLB-8", "PRV-1")
def test_by_sms_the_mail_goes_to_who_joined_as_long_as_it_has_the_number(member):
    convert(member, offer(points=10), channel="sms")
    assert Mail.get().recipient == "arben@example.com"
    member.number.remove_from(member.profile)
    convert(member, offer("NEXT", 10), key="sms:2", channel="sms")
    assert (Sms.select().count(), Mail.select().count()) == (2, 1)


@pytest.mark.rule("CLB-8")
def test_the_code_of_a_fixed_service_goes_to_the_profiles_number_of_the_same_code(member):
    own_number(member.profile, "38970100009")
    fixed = joined_fixed(member.number.subscriber, points=50)
    convert(fixed, offer(points=10), profile=member.profile)
    assert Sms.get().recipient == member.msisdn
    assert Mail.get().recipient == "arben@example.com"


@pytest.mark.rule("CLB-8", "MSG-3")
@pytest.mark.parametrize("language", ["sq", "mk", "en"])
@pytest.mark.parametrize("partner", ["Kafe", "Libraria Fletë", "Një partner me emër shumë të gjatë në Tetovë " * 2])
def test_the_sms_with_the_code_is_one_sms_in_each_language(member, language, partner):
    ClubMember.update(language=language).execute()
    voucher = convert(member, offer(partner=partner[:80].strip(), points=10))
    text = compose(Sms.get())
    assert text.startswith(f"{voucher.code[:4]} {voucher.code[4:]}: ")
    assert "09.04.2026" in text
    assert "\u00a0" not in text
    assert segments(text) == 1


@pytest.mark.rule("CLB-8", "MSG-3")
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("sq", ("Një biletë 2D", "Vlen deri më: 09.04.2026")),
        ("mk", ("Еден билет 2D", "Важи до: 09.04.2026")),
        ("en", ("One 2D ticket", "Good until: 09.04.2026")),
    ],
)
def test_the_mail_tells_code_partner_and_last_day(member, language, words):
    Profile.update(language=language).execute()
    voucher = convert(member, offer(points=10), profile=Profile.get())
    message = mails.compose(Mail.get())
    for kind in ("plain", "html"):
        body = message.get_body((kind,)).get_content()
        for said in (voucher.label, "Kinema Qendra", "09.04.2026", words[0]):
            assert said in body, said
    assert words[1] in message.get_body(("plain",)).get_content()
    assert f"/klubi/kodi/{voucher.id}" in message.get_body(("plain",)).get_content()
    assert "List-Unsubscribe" not in message


def test_a_member_of_the_desk_without_a_profile_is_told_by_sms_alone():
    number = own_number(profile())
    member = ClubMember.join_number(Number.of_msisdn(number.msisdn), NOW, language="en")
    give(member, 100)
    convert(member, offer(points=10), channel="sms")
    assert (Sms.select().count(), Mail.select().count()) == (1, 0)
