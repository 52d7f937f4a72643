"""What the billing system and the network push of the club: each counts once (CLB-3, CLB-4, CLB-11, CLB-14)."""

from datetime import date

import pytest

from models.bss_import import BssExtract
from models.bss_push import BadMessage
from models.club_ledger import usable_points
from models.club_member import ClubMember, FixedService
from models.club_month import ClubMonth, ClubTopup
from models.club_rate import Rate
from models.club_service import ClubService
from models.number import Number
from models.sms import Sms
from models.subscriber import Subscriber
from tests.club import joined
from tests.models.test_bss_push import errors_of, push
from tests.world import NOW, later, own_number, profile


@pytest.fixture
def member():
    """A member that earns since February, with 100 points."""
    return joined(own_number(profile(), now=later(days=-40)), points=100, now=later(days=-40))


def again(member):
    return ClubMember.get_by_id(member.id)


# Top-ups

TOPUP = {"reference": "T-1", "service": "FX-1", "topped_up_at": "2026-03-10T10:00:00Z"}


@pytest.fixture
def fixed(member):
    code = Subscriber.get()
    Rate.change("topup", "net-100", 15, date(2020, 1, 1), date(2026, 1, 1))
    push("fixed_service", {"code": "FX-1", "subscriber": code.code, "kind": "internet", "package": "net-100"})
    return ClubMember.join_fixed(FixedService.get(), later(days=-40), language="sq")


@pytest.mark.rule("CLB-4")
def test_a_top_up_is_credited_at_once_and_once(fixed):
    assert push("topup", TOPUP) == "added"
    assert push("topup", TOPUP, number="another-message") == "unchanged"
    assert again(fixed).balance == 15
    # An earlier one may come later: it is no older word of the same thing.
    assert push("topup", {**TOPUP, "reference": "T-0"}, at=later(-60)) == "added"
    assert again(fixed).balance == 30


@pytest.mark.rule("CLB-4")
def test_a_top_up_that_cannot_be_taken_says_why(fixed):
    push("topup", TOPUP)
    assert errors_of("topup", {**TOPUP, "service": "FX-9"}) == {"service": "is no fixed service of the shop"}
    assert errors_of("topup", {**TOPUP, "topped_up_at": "2026-03-10T10:01:00Z"}) == {
        "reference": "was told otherwise before, and stays so"
    }
    late = {**TOPUP, "reference": "T-2", "topped_up_at": "2026-03-11T10:00:00Z"}
    assert errors_of("topup", late) == {"topped_up_at": "is in the future"}
    assert errors_of("topup", {"reference": "T-3"}).keys() == {"service", "topped_up_at"}
    assert ClubTopup.select().count() == 1


def test_the_package_of_the_moment_is_the_services_own_or_the_one_that_is_told(fixed):
    Rate.change("topup", "net-300", 20, date(2020, 1, 1), date(2026, 1, 1))
    push("fixed_service", {"code": "FX-1", "package": "net-300"}, at=later(1))
    push("topup", TOPUP)
    push("topup", {**TOPUP, "reference": "T-2", "package": "net-100"})
    assert [row.package for row in ClubTopup.select().order_by(ClubTopup.id)] == ["net-300", "net-100"]
    assert again(fixed).balance == 35


# A number's month


@pytest.mark.rule("CLB-3")
def test_one_numbers_month_is_credited_once_and_other_amounts_are_refused(member):
    data = {"msisdn": member.msisdn, "month": "2026-02", "amount": 615.5}
    assert push("spending", data) == "added"
    assert push("spending", data) == "unchanged"
    assert again(member).balance == 110
    assert errors_of("spending", {**data, "amount": 700}) == {"amount": "was told otherwise before, and stays so"}
    assert errors_of("spending", {**data, "month": "2026-03"}) == {"month": "is not over"}
    assert errors_of("spending", {**data, "msisdn": "38970999999"}) == {"msisdn": "is no number of the shop"}
    # Before the first month that earns.
    assert push("spending", {**data, "month": "2026-01"}) == "unchanged"
    assert ClubMonth.select().count() == 1


def test_the_month_of_a_number_that_is_no_member_is_passed_over():
    number = own_number(profile())
    assert push("spending", {"msisdn": number.msisdn, "month": "2026-02", "amount": 615}) == "unchanged"


# The network's answer


@pytest.fixture
def ordered(member):
    return ClubService.convert(member.id, "MB", 10, NOW, channel="web", key="c-1")


@pytest.mark.rule("CLB-11", "CLB-12")
def test_units_are_active_once_the_network_says_so(member, ordered):
    data = {"service": ordered.uuid, "result": "active"}
    assert push("club_service", data) == "changed"
    assert push("club_service", data, number="another-message", at=later(5)) == "unchanged"
    service = ClubService.get_by_id(ordered.id)
    assert (service.state, (service.ends_at - service.active_at).days) == ("active", 30)
    assert [sms.kind for sms in Sms.select()] == ["service_active"]
    assert errors_of("club_service", {**data, "result": "refused"}) == {
        "result": "was told otherwise before, and stays so"
    }


@pytest.mark.rule("CLB-11")
def test_what_the_network_cannot_give_comes_back_once(member, ordered):
    data = {"service": ordered.uuid, "result": "refused"}
    assert usable_points(again(member), NOW) == 90
    assert push("club_service", data) == "changed"
    assert push("club_service", data, number="another-message") == "unchanged"
    assert usable_points(again(member), NOW) == 100
    assert [sms.kind for sms in Sms.select()] == ["service_refused"]


def test_an_answer_to_nothing_is_a_clear_error(member):
    data = {"service": "00000000-0000-4000-8000-000000000000", "result": "active"}
    assert errors_of("club_service", data) == {"service": "is none that the shop ordered"}
    assert errors_of("club_service", {"service": "x", "result": "gone"}).keys() == {"service", "result"}


@pytest.mark.rule("CLB-14")
def test_an_answer_after_a_change_of_tariff_changes_nothing(member, ordered):
    push("subscriber", {"code": Subscriber.get().code, "segment": "business", "company": "Firma"})
    ClubMember.follow_all_services(NOW)
    assert push("club_service", {"service": ordered.uuid, "result": "active"}) == "unchanged"
    assert ClubService.get_by_id(ordered.id).state == "lost"
    assert again(member).balance == 0


@pytest.mark.rule("CLB-14")
def test_an_answer_for_a_number_that_is_somebody_elses_by_now_changes_nothing(member, ordered):
    push("number", {"msisdn": member.msisdn, "active": False})
    assert push("club_service", {"service": ordered.uuid, "result": "refused"}) == "unchanged"
    ClubMember.follow_all_services(NOW)
    assert ClubService.get_by_id(ordered.id).state == "lost"
    assert push("club_service", {"service": ordered.uuid, "result": "active"}, at=later(9)) == "unchanged"


# Changes of tariff and holder, by import


@pytest.mark.rule("CLB-14")
def test_one_extract_that_changes_segment_and_kind_counts_as_one_change(member):
    """Private prepaid to business postpaid, told in two files: the points are lost."""
    number, code = Number.get(), Subscriber.get()
    number.kind = "prepaid"
    number.save()
    ClubMember.update(kind="prepaid").execute()
    holder = code.holder
    files = {
        "subscribers.csv": "code,holder_id,segment,first_name,last_name,company,since\n"
        f"{code.code},{holder.id_number},business,,,Firma,{code.since}\n",
        "numbers.csv": "msisdn,subscriber,sim_end,kind\n"
        + f"{number.msisdn},{code.code},{number.sim_end},postpaid\n",
    }
    BssExtract({name: text.encode() for name, text in files.items()}).load(NOW)
    assert again(member).balance == 100
    ClubMember.follow_all_services(NOW)
    assert again(member).balance == 0
    assert again(member).entries.order_by(ClubMember.id).count() == 2


def test_a_pushed_cell_that_is_wrong_is_named():
    with pytest.raises(BadMessage):
        push("spending", {"msisdn": "38970100101", "month": "2026-2", "amount": 1})
