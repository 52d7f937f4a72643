"""A clerk hands out a gift after the member's SMS code: points and pieces go once, or not at all (CLB-13)."""

import pytest
from peewee import IntegrityError

import config
from models.base import db
from models.club_ledger import Blocked, ClubEntry, NotEnough, audit, debit, usable_points
from models.club_member import ClubMember, NotMember
from models.club_offer import ClubGift
from models.counter import Customer, TooManyLookUps
from models.gift_handout import GiftGone, GiftHandout, NotTheirs
from models.number_claim import TooSoon
from models.security_code import CodeOver, SecurityCode, TooManyCodes, WrongCode
from models.sms import Sms
from models.sms_text import compose
from models.subscriber import Holder
from models.voucher import OfferGone
from tests.club import gift, give, joined, joined_fixed
from tests.query_count import assert_query_count
from tests.staff import asked, digits, other, works
from tests.world import NOW, later, own_number, profile

pytestmark = pytest.mark.rule("CLB-13")


@pytest.fixture
def clerk():
    return works("clerk")


@pytest.fixture
def member():
    return joined(points=1000)


@pytest.fixture
def cable():
    return gift()


def left():
    return ClubGift.get().stock


def points(member, now=NOW):
    return usable_points(ClubMember.get_by_id(member.id), now)


def nothing_happened(member, stock=3, usable=1000):
    return (left(), points(member), ClubEntry.select().where(ClubEntry.kind == "gift").count()) == (stock, usable, 0)


def test_a_gift_goes_with_the_members_code(clerk, member, cable):
    handout = asked(clerk, member, cable)
    assert nothing_happened(member)
    handout.hand_out(digits(), later(1))
    assert (left(), points(member)) == (2, 300)
    entry = ClubEntry.get(ClubEntry.kind == "gift")
    assert (entry.points, entry.about["names"]["en"], entry.at) == (-700, "USB-C cable", later(1))
    kept = GiftHandout.get()
    assert (kept.entry, kept.handed_at, kept.points, kept.clerk) == (entry, later(1), 700, clerk)
    assert list(audit()) == []


def test_a_second_time_it_is_done_already(clerk, member, cable):
    handout = asked(clerk, member, cable)
    code, same = digits(), GiftHandout.get()
    handout.hand_out(code, NOW)
    handout.hand_out(code, NOW)
    # The other request of a double click, which had read the row before.
    same.hand_out(code, later(1))
    assert (same.handed_at, same.entry) == (NOW, handout.entry)
    assert (left(), points(member)) == (2, 300)


def test_the_sms_says_the_code_the_gift_and_the_points_in_the_members_language(clerk, cable):
    for language, said in (
        ("sq", "%s: kodi për dhuratën Kabllo USB-C, pikë 700."),
        ("mk", "%s: код за подарокот USB-C кабел, поени 700."),
        ("en", "%s: the code for the gift USB-C cable, points 700."),
    ):
        msisdn = f"3897010030{len(language + said) % 10}"
        number = own_number(profile(f"{language}@example.com"), msisdn)
        ClubMember.join_number(number, NOW, language=language)
        one = ClubMember.of_msisdn(msisdn)
        give(one, 800)
        asked(clerk, one, cable)
        sms = Sms.select().order_by(Sms.id.desc()).first()
        assert compose(sms) == said % digits()
        assert sms.recipient == msisdn


@pytest.mark.parametrize("language", ["sq", "mk", "en"])
def test_however_long_the_gifts_name_is_the_sms_is_one(clerk, member, language):
    from gateways.sms import segments

    long = gift("long")
    long.names = {"sq": "Çantë udhëtimi " * 9, "mk": "Патна торба " * 9, "en": "Travel bag " * 20}
    long.points = 1000
    long.save()
    ClubMember.update(language=language).where(ClubMember.id == member.id).execute()
    asked(clerk, member, long)
    text = compose(Sms.get())
    assert segments(text) == 1
    assert text.startswith(digits())
    assert "…" in text
    assert text.rstrip(".").endswith("000")


def test_a_wrong_code_counts_and_changes_nothing(clerk, member, cable):
    handout = asked(clerk, member, cable)
    code = digits()
    for remaining in range(config.CODE_TRIES - 1, -1, -1):
        with pytest.raises(WrongCode) as refused:
            handout.hand_out(other(code), NOW)
        assert refused.value.left == remaining
    with pytest.raises(CodeOver):
        handout.hand_out(code, NOW)
    assert nothing_happened(member)


def test_a_code_is_over_after_its_minutes(clerk, member, cable):
    handout = asked(clerk, member, cable)
    with pytest.raises(CodeOver):
        handout.hand_out(digits(), later(config.CODE_MINUTES))
    assert nothing_happened(member)


def test_another_members_code_is_wrong(clerk, member, cable):
    mine = asked(clerk, member, cable)
    besa = joined(own_number(profile("besa@example.com"), "38970100009"), points=900)
    asked(clerk, besa, cable)
    with pytest.raises(WrongCode):
        mine.hand_out(digits(), NOW)


def test_the_last_piece_that_went_meanwhile_is_told_and_takes_nothing(clerk, member, cable):
    handout = asked(clerk, member, cable)
    ClubGift.update(stock=0).execute()
    with pytest.raises(GiftGone):
        handout.hand_out(digits(), NOW)
    assert nothing_happened(member, stock=0)
    # The code was not spent: a piece that comes back is handed out with it.
    ClubGift.update(stock=1).execute()
    handout.hand_out(digits(), later(1))
    assert left() == 0


def test_points_that_were_spent_meanwhile_are_told_and_no_piece_goes(clerk, member, cable):
    handout = asked(clerk, member, cable)
    with db.atomic():
        debit(ClubMember.hold(member.id, NOW), 500, "units", NOW, key="u", about={})
    with pytest.raises(NotEnough) as refused:
        handout.hand_out(digits(), NOW)
    assert refused.value.usable == 500
    assert nothing_happened(member, usable=500)


def test_points_that_lapse_in_the_night_are_not_taken(clerk, cable):
    member = joined()
    give(member, 1000, until=NOW.date())
    evening = NOW.replace(hour=22, minute=58)
    handout = asked(clerk, member, cable, evening)
    with pytest.raises(NotEnough):
        handout.hand_out(digits(), NOW.replace(hour=23, minute=1))
    assert left() == 3


def test_a_gift_whose_price_changed_meanwhile_is_not_given_for_the_old_one_nor_the_new(clerk, member, cable):
    handout = asked(clerk, member, cable)
    ClubGift.update(points=900).execute()
    with pytest.raises(OfferGone):
        handout.hand_out(digits(), NOW)
    assert nothing_happened(member)


def test_a_gift_that_ended_meanwhile_is_told(clerk, member, cable):
    handout = asked(clerk, member, cable)
    ClubGift.update(until=later(days=-1).date()).execute()
    with pytest.raises(OfferGone):
        handout.hand_out(digits(), NOW)
    assert nothing_happened(member)


def test_points_that_were_blocked_meanwhile_stay(clerk, member, cable):
    handout = asked(clerk, member, cable)
    ClubMember.update(blocked_at=NOW).execute()
    with pytest.raises(Blocked):
        handout.hand_out(digits(), NOW)
    assert left() == 3


def test_a_number_that_is_anothers_meanwhile_gives_nothing(clerk, member, cable):
    handout = asked(clerk, member, cable)
    another = Holder.create(id_number="0202990450007", segment="private")
    code = member.number.subscriber
    code.holder = another
    code.save()
    with pytest.raises(NotMember):
        handout.hand_out(digits(), NOW)
    assert left() == 3


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda: ClubGift.update(stock=0).execute(), GiftGone),
        (lambda: ClubGift.update(until=later(days=-1).date()).execute(), OfferGone),
        (lambda: ClubGift.update(points=1001).execute(), NotEnough),
        (lambda: ClubMember.update(blocked_at=NOW).execute(), Blocked),
    ],
)
def test_what_cannot_be_had_sends_no_code(clerk, member, cable, change, error):
    change()
    with pytest.raises(error):
        asked(clerk, member, ClubGift.get())
    assert (Sms.select().count(), GiftHandout.select().count()) == (0, 0)


def test_the_code_goes_to_no_strangers_phone(clerk, member, cable):
    own_number(profile("besa@example.com"), "38970100009")
    for msisdn in ("38970100009", "38970199999", ""):
        with pytest.raises(NotTheirs):
            GiftHandout.ask(clerk, member, cable, msisdn, NOW)
    assert Sms.select().count() == 0


def test_a_fixed_service_confirms_with_a_number_of_the_same_subscriber_code(clerk, cable):
    number = own_number(profile())
    fixed = joined_fixed(number.subscriber, points=900)
    handout = GiftHandout.ask(clerk, fixed, cable, number.msisdn, NOW)
    assert Sms.get().recipient == number.msisdn
    handout.hand_out(digits(), NOW)
    assert points(fixed) == 200


def test_a_double_click_on_a_gift_sends_one_code(clerk, member, cable):
    assert asked(clerk, member, cable) == asked(clerk, member, cable, later(0.2))
    assert Sms.select().count() == 1
    # Later it is a new request.
    assert asked(clerk, member, cable, later(2)).id != GiftHandout.select().order_by(GiftHandout.id).first().id


def test_a_clerk_is_told_when_a_number_has_had_its_codes(clerk, member, cable):
    for minute in range(config.CODE_SENDS):
        asked(clerk, member, cable, later(minute))
    with pytest.raises(TooManyCodes) as refused:
        asked(clerk, member, cable, later(config.CODE_SENDS))
    assert refused.value.until == later(60)
    # Nor does another clerk get one, and nothing says that an SMS went out which did not.
    sent = SecurityCode.select().count()
    with pytest.raises(TooManyCodes):
        asked(works("clerk", "other@example.com"), member, cable, later(config.CODE_SENDS))
    assert SecurityCode.select().count() == sent
    assert Sms.select().where(Sms.state == "withheld").count() == sent - 1


def test_a_clerk_serves_more_members_an_hour_than_a_profile_adds_numbers(clerk, cable):
    for index in range(config.CODE_SENDS_PER_PROFILE + 2):
        one = joined(own_number(profile(f"m{index}@example.com"), f"3897010050{index}"), points=700)
        asked(clerk, one, cable)
    assert Sms.select().count() == config.CODE_SENDS_PER_PROFILE + 2


def test_another_code_for_the_same_gift_comes_after_a_pause(clerk, member, cable):
    handout = asked(clerk, member, cable)
    first = digits()
    with pytest.raises(TooSoon):
        handout.send_again(later(0.5))
    handout.send_again(later(1))
    assert digits() != first
    with pytest.raises(WrongCode):
        handout.hand_out(first, later(1))
    handout.hand_out(digits(), later(2))
    with pytest.raises(CodeOver):
        handout.send_again(later(5))
    assert (left(), points(member)) == (2, 300)


def test_no_other_code_comes_for_what_cannot_be_had_any_more(clerk, member, cable):
    handout = asked(clerk, member, cable)
    ClubGift.update(stock=0).execute()
    with pytest.raises(GiftGone):
        handout.send_again(later(1))
    assert Sms.select().count() == 1


def test_a_handout_is_for_the_clerk_alone_who_began_it(clerk, member, cable):
    handout = asked(clerk, member, cable)
    with assert_query_count(1):
        mine = GiftHandout.of_clerk(clerk, handout.token)
        assert (mine.gift.points, mine.member.language, mine.code.tries, mine.entry) == (700, "sq", 0, None)
    assert GiftHandout.of_clerk(works("clerk", "other@example.com"), handout.token) is None


def test_todays_handouts_are_the_clerks_own_of_the_local_day(clerk, member, cable):
    give(member, 2000)
    yesterday = later(days=-1)
    ClubMember.update(joined_at=yesterday).execute()
    for moment in (yesterday, NOW):
        asked(clerk, member, cable, moment).hand_out(digits(), moment)
    other_clerk = works("clerk", "other@example.com")
    asked(other_clerk, member, cable).hand_out(digits(), NOW)
    [mine] = GiftHandout.today_of(clerk, later(30))
    assert mine.handed_at == NOW
    assert len(GiftHandout.today_of(other_clerk, later(30))) == 1
    assert GiftHandout.today_of(clerk, later(days=1)) == []


def test_those_that_wait_for_a_code_are_shown_while_it_lives(clerk, member, cable):
    asked(clerk, member, cable)
    assert len(GiftHandout.waiting_of(clerk, later(4))) == 1
    assert GiftHandout.waiting_of(clerk, later(6)) == []
    assert GiftHandout.waiting_of(works("clerk", "other@example.com"), NOW) == []


@pytest.mark.rule("PRV-3")
def test_what_came_to_nothing_is_forgotten_and_receipts_stay(clerk, member, cable):
    asked(clerk, member, cable).hand_out(digits(), NOW)
    ClubMember.update(language="mk").execute()
    give(member, 700)
    asked(clerk, member, cable, later(1))
    assert GiftHandout.forget_old(later(days=2)) == 1
    assert SecurityCode.forget_old(later(days=2))
    kept = GiftHandout.of_clerk(clerk, GiftHandout.get().token)
    assert (kept.code, kept.handed_at, kept.entry.points) == (None, NOW, -700)


def test_a_handout_without_its_code_asks_for_another(clerk, member, cable):
    handout = asked(clerk, member, cable)
    SecurityCode.delete().execute()
    handout = GiftHandout.of_clerk(clerk, handout.token)
    with pytest.raises(CodeOver):
        handout.hand_out("123456", NOW)
    assert not handout.is_live(NOW)
    handout.send_again(later(1))
    handout.hand_out(digits(), later(1))
    assert left() == 2


def test_the_database_refuses_a_gift_that_is_handed_out_without_points(clerk, member, cable):
    handout = asked(clerk, member, cable)
    with pytest.raises(IntegrityError), db.atomic():
        GiftHandout.update(handed_at=NOW).where(GiftHandout.id == handout.id).execute()


# What a clerk finds


def test_a_clerk_finds_a_member_by_its_number_or_its_fixed_services_code(clerk, member):
    by_number = Customer.look_up(clerk, NOW, msisdn=member.msisdn)
    assert (by_number.member, by_number.usable, by_number.is_fixed) == (member, 1000, False)
    assert [phone.msisdn for phone in by_number.phones] == [member.msisdn]
    fixed = joined_fixed(member.number.subscriber, points=50)
    by_code = Customer.look_up(clerk, NOW, code=fixed.fixed.code)
    assert (by_code.member, by_code.usable, by_code.is_fixed) == (fixed, 50, True)
    assert [phone.msisdn for phone in by_code.phones] == [member.msisdn]


def test_a_clerk_finds_no_points_that_are_blocked_nor_a_membership_that_ended(clerk, member):
    ClubMember.update(blocked_at=NOW).execute()
    assert Customer.look_up(clerk, NOW, msisdn=member.msisdn).usable == 0
    ClubMember.update(ended_at=NOW).execute()
    assert Customer.look_up(clerk, NOW, msisdn=member.msisdn).member is None
    assert Customer.look_up(clerk, NOW, msisdn="38970199999") is None
    assert Customer.look_up(clerk, NOW, code="NONE") is None


def test_a_clerk_does_not_go_through_the_numbers(clerk, member):
    for _ in range(config.DESK_LOOK_UPS):
        Customer.look_up(clerk, NOW, msisdn="38970199999")
    with pytest.raises(TooManyLookUps) as refused:
        Customer.look_up(clerk, later(1), msisdn=member.msisdn)
    assert refused.value.until == later(60)
    assert Customer.look_up(works("clerk", "other@example.com"), later(1), msisdn=member.msisdn).member == member
