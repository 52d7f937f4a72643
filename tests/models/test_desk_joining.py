"""A clerk takes a number or a fixed service into the club, after the customer's SMS code (CLB-1, CLB-2)."""

from datetime import date

import pytest

import config
from models.club_ledger import ClubEntry, audit
from models.club_member import AlreadyMember, ClubMember, FixedService
from models.club_rate import Rate
from models.counter import Customer
from models.desk_joining import DeskJoining, ServiceGone
from models.number import Number
from models.number_claim import TooSoon
from models.security_code import CodeOver, SecurityCode, TooManyCodes, WrongCode
from models.sms import Sms
from models.sms_text import compose
from tests.staff import digits, other, works
from tests.world import NOW, later, own_number, profile

pytestmark = pytest.mark.rule("CLB-1")


@pytest.fixture
def clerk():
    Rate.create(name="welcome", key="linja-m", since=date(2026, 1, 1), value=100)
    Rate.create(name="welcome", key="net-100", since=date(2026, 1, 1), value=80)
    return works("clerk")


@pytest.fixture
def number():
    return own_number(profile())


@pytest.fixture
def fixed(number):
    return FixedService.create(code="FX-1", subscriber=number.subscriber, kind="internet", package="net-100")


def ask(clerk, service, language="sq", now=NOW, msisdn="38970100001"):
    return DeskJoining.ask(clerk, service, msisdn, language, now)


@pytest.mark.rule("CLB-2")
def test_a_number_joins_with_its_code_welcome_points_and_the_first_day_that_earns(clerk, number):
    joining = ask(clerk, number, "mk")
    assert ClubMember.select().count() == 0
    joining.confirm(digits(), later(1))
    member = ClubMember.get()
    assert (member.number, member.fixed, member.profile, member.language) == (number, None, None, "mk")
    assert (member.balance, member.earns_from, member.joined_at) == (100, date(2026, 4, 1), later(1))
    assert (joining.member, joining.welcome.points) == (member, 100)
    assert list(audit()) == []


@pytest.mark.rule("CLB-2")
def test_a_fixed_service_joins_with_a_code_on_a_number_of_the_same_subscriber_code(clerk, number, fixed):
    joining = ask(clerk, fixed)
    assert Sms.get().recipient == number.msisdn
    joining.confirm(digits(), NOW)
    member = ClubMember.get()
    assert (member.fixed, member.kind, member.balance) == (fixed, "fixed", 80)


def test_the_customer_is_told_by_sms_in_the_language_that_was_chosen(clerk, number):
    ask(clerk, number, "en").confirm(digits(), NOW)
    code, welcome = Sms.select().order_by(Sms.id)
    assert compose(code) == f"{code.code.digits}: the code to join My Club. Tell it to the shop clerk alone."
    assert (welcome.kind, welcome.recipient, welcome.language) == ("club_joined", number.msisdn, "en")
    assert "100" in compose(welcome)


def test_a_tariff_without_welcome_points_joins_without(clerk, number):
    Number.update(tariff="old").execute()
    joining = ask(clerk, number)
    joining.confirm(digits(), NOW)
    assert (joining.welcome, ClubMember.get().balance) == (None, 0)


def test_confirmed_twice_it_joins_once(clerk, number):
    joining = ask(clerk, number)
    code, same = digits(), DeskJoining.get()
    for row in (joining, joining, same):
        row.confirm(code, NOW)
    assert (ClubMember.select().count(), ClubEntry.select().count()) == (1, 1)
    assert same.member == ClubMember.get()


def test_a_wrong_code_counts_and_joins_nothing(clerk, number):
    joining = ask(clerk, number)
    code = digits()
    for remaining in range(config.CODE_TRIES - 1, -1, -1):
        with pytest.raises(WrongCode) as refused:
            joining.confirm(other(code), NOW)
        assert refused.value.left == remaining
    with pytest.raises(CodeOver):
        joining.confirm(code, NOW)
    assert ClubMember.select().count() == 0


def test_a_code_is_over_after_its_minutes(clerk, number):
    joining = ask(clerk, number)
    with pytest.raises(CodeOver):
        joining.confirm(digits(), later(config.CODE_MINUTES))


def test_a_member_does_not_join_again(clerk, number):
    joining = ask(clerk, number)
    code = digits()
    # On the web, while the clerk waited for the code.
    ClubMember.join_number(number, NOW, language="sq")
    with pytest.raises(AlreadyMember):
        joining.confirm(code, NOW)
    with pytest.raises(AlreadyMember):
        ask(clerk, number, now=later(2))
    assert ClubMember.select().count() == 1


def test_a_service_that_left_the_club_may_join_again(clerk, number):
    ClubMember.join_number(number, NOW, language="sq")
    ClubMember.update(ended_at=NOW).execute()
    ask(clerk, number).confirm(digits(), NOW)
    assert ClubMember.select().where(ClubMember.ended_at.is_null()).count() == 1


def test_a_number_that_is_given_up_meanwhile_does_not_join(clerk, number):
    joining = ask(clerk, number)
    Number.update(active=False).execute()
    with pytest.raises(ServiceGone):
        joining.confirm(digits(), NOW)
    assert ClubMember.select().count() == 0


def test_the_code_goes_to_no_strangers_phone(clerk, number, fixed):
    own_number(profile("besa@example.com"), "38970100009")
    for service in (number, fixed):
        with pytest.raises(ServiceGone):
            ask(clerk, service, msisdn="38970100009")
    assert Sms.select().count() == 0


def test_a_double_click_sends_one_code(clerk, number):
    assert ask(clerk, number) == ask(clerk, number, now=later(0.2))
    assert Sms.select().count() == 1


def test_another_code_comes_after_a_pause_and_the_number_has_a_limit(clerk, number):
    joining = ask(clerk, number)
    with pytest.raises(TooSoon):
        joining.send_again(later(0.5))
    for minute in range(1, config.CODE_SENDS):
        joining.send_again(later(minute))
    with pytest.raises(TooManyCodes):
        joining.send_again(later(10))
    joining.confirm(digits(), later(3))
    with pytest.raises(CodeOver):
        joining.send_again(later(90))


def test_a_joining_is_for_the_clerk_alone_who_began_it(clerk, number):
    joining = ask(clerk, number)
    assert DeskJoining.of_clerk(clerk, joining.token) == joining
    assert DeskJoining.of_clerk(works("clerk", "other@example.com"), joining.token) is None


@pytest.mark.rule("PRV-3")
def test_joinings_are_forgotten_and_members_stay(clerk, number):
    ask(clerk, number).confirm(digits(), NOW)
    assert DeskJoining.forget_old(later(days=2)) == 1
    assert SecurityCode.forget_old(later(days=2)) == 1
    assert ClubMember.select().count() == 1


def test_who_has_several_numbers_says_which_one_the_code_goes_to(clerk, number, fixed):
    second = own_number(profile("besa@example.com"), "38970100009", holder_of=number)
    customer = Customer.look_up(clerk, NOW, code="FX-1")
    assert [phone.msisdn for phone in customer.phones] == ["38970100001", "38970100009"]
    assert customer.phone(None) is None
    assert customer.phone(str(second.id)) == second
    assert customer.phone("999999") is None
    Number.update(active=False).where(Number.id == second.id).execute()
    assert Customer.look_up(clerk, NOW, code="FX-1").phone(None) == number
