"""The code that comes by SMS: its life, its tries, its limits (PRO-4)."""

from datetime import timedelta

import pytest

import config
from models.allowance import Allowance
from models.base import db
from models.security_code import CodeOver, SecurityCode, TooManyCodes, WrongCode
from models.sms import Sms
from tests.crowd import Crowd
from tests.databases import own_database
from tests.query_count import assert_query_count
from tests.world import NOW, later, profile

pytestmark = pytest.mark.rule("PRO-4")

NUMBER, OTHER = "38970100020", "38970100021"


@pytest.fixture
def owner():
    return profile()


def send(owner, msisdn=NUMBER, now=NOW, genuine=True):
    return SecurityCode.send(owner, msisdn, now, genuine=genuine)


def another(digits):
    return f"{(int(digits) + 1) % 10**6:06}"


def on_their_way():
    return Sms.select().where(Sms.state == "due").count()


def test_the_right_code_is_right_however_it_is_spaced(owner):
    code = send(owner)
    code.check(f" {code.digits[:3]} {code.digits[3:]}", later(1))


def test_a_code_has_six_digits_of_its_own(owner):
    drawn = {SecurityCode(profile=owner, msisdn=NUMBER, nonce=f"{number:032x}").digits for number in range(200)}
    assert all(len(digits) == 6 and digits.isdecimal() for digits in drawn)
    assert len(drawn) > 190


def test_a_code_stands_nowhere_in_the_database(owner):
    code = send(owner)
    for model in (SecurityCode, Sms, Allowance):
        for row in model.select().dicts():
            texts = [str(value) for name, value in row.items() if not name.endswith("_at") and name != "until"]
            assert not any(code.digits == text for text in texts)
    assert "digits" not in SecurityCode._meta.fields


def test_a_code_is_bound_to_its_profile_and_number(owner):
    code = send(owner)
    nonce = code.nonce
    for bound in (
        SecurityCode(profile=profile("besa@example.com"), msisdn=NUMBER, nonce=nonce),
        SecurityCode(profile=owner, msisdn=OTHER, nonce=nonce),
    ):
        assert bound.digits != code.digits


def test_a_code_lives_five_minutes(owner):
    code = send(owner)
    code.check(code.digits, later(5) - timedelta(seconds=1))
    with pytest.raises(CodeOver):
        code.check(code.digits, later(5))


def test_a_code_may_be_mistyped_five_times(owner):
    code = send(owner)
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(WrongCode) as caught:
            code.check(another(code.digits), NOW)
        assert caught.value.left == left
    with pytest.raises(CodeOver):
        code.check(code.digits, NOW)


def test_a_code_is_used_once(owner):
    code = send(owner)
    code.check(code.digits, NOW)
    code.spend(NOW)
    for again in (lambda: code.check(code.digits, NOW), lambda: code.spend(NOW)):
        with pytest.raises(CodeOver):
            again()


def test_no_digits_are_right_where_the_proof_was_wrong(owner):
    code = send(owner, genuine=False)
    with pytest.raises(WrongCode):
        code.check(code.digits, NOW)


def test_three_codes_an_hour_for_a_number_and_then_the_time_is_told(owner):
    for minute in (0, 10, 20):
        send(owner, now=later(minute))
    with pytest.raises(TooManyCodes) as caught:
        send(owner, now=later(30))
    assert caught.value.until == later(60)
    assert SecurityCode.select().count() == 3
    send(owner, now=later(60))
    with pytest.raises(TooManyCodes) as caught:
        send(owner, now=later(61))
    assert caught.value.until == later(70)


@pytest.mark.parametrize("genuine", [True, False])
def test_the_limit_that_is_told_is_the_same_for_right_and_wrong_proofs(owner, genuine):
    for minute in (0, 10, 20):
        send(owner, now=later(minute), genuine=genuine)
    with pytest.raises(TooManyCodes):
        send(owner, now=later(30), genuine=not genuine)


def test_a_profile_has_so_many_codes_an_hour_for_all_its_numbers(owner, monkeypatch):
    monkeypatch.setattr(config, "CODE_SENDS_PER_PROFILE", 4)
    for number in range(4):
        send(owner, f"3897010003{number}")
    with pytest.raises(TooManyCodes):
        send(owner, "38970100039")
    # What failed took nothing: the number is not counted.
    assert not Allowance.select().where(Allowance.key.contains("38970100039")).exists()
    send(profile("besa@example.com"), "38970100039")


def test_a_number_gets_three_sms_an_hour_however_many_profiles_ask(owner):
    profiles = [owner, *(profile(f"besa{number}@example.com") for number in range(4))]
    codes = [send(one) for one in profiles]
    assert on_their_way() == 3
    # Nobody is told.
    assert len(codes) == 5


def test_a_code_whose_sms_was_withheld_is_not_found_by_guessing(owner):
    codes = [send(one) for one in (owner, *(profile(f"besa{number}@example.com") for number in range(4)))]
    for code in codes[:3]:
        code.check(code.digits, NOW)
    for code in codes[3:]:
        with pytest.raises(WrongCode):
            code.check(code.digits, NOW)
    # A later one with its SMS is right again.
    code = send(owner, now=later(60))
    code.check(code.digits, later(60))


def test_a_withheld_sms_is_written_with_as_many_queries(owner):
    profiles = [owner, *(profile(f"besa{number}@example.com") for number in range(3))]
    asked = []
    for one in profiles:
        with assert_query_count(14) as queries:
            send(one)
        asked.append(queries)
    # The fourth SMS is the one too many. Its allowance finds no free place; all else is written alike.
    assert [sql.split()[0] for sql in asked[3] if "allowance" not in sql] == [
        sql.split()[0] for sql in asked[0] if "allowance" not in sql
    ]


def test_strangers_with_a_wrong_proof_do_not_use_up_the_owners_sms(owner):
    for number in range(5):
        send(profile(f"besa{number}@example.com"), genuine=False)
    assert on_their_way() == 0
    send(owner)
    assert on_their_way() == 1


def test_a_right_and_a_wrong_proof_write_alike(owner):
    """As many queries, of the same kinds: the time does not tell them apart."""
    besa = profile("besa@example.com")
    with assert_query_count(12) as right:
        send(owner)
    with assert_query_count(12) as wrong:
        send(besa, genuine=False)
    assert right == wrong


def test_a_second_code_takes_the_first_ones_sms_back(owner):
    send(owner)
    code = send(owner, now=later(1))
    assert [sms.code_id for sms in Sms.select().where(Sms.state == "due")] == [code.id]


def test_what_was_sent_is_forgotten_after_a_day(owner):
    send(owner)
    SecurityCode.forget_old(later(days=1))
    assert Sms.select().count() == 1
    for model in (SecurityCode, Allowance):
        model.forget_old(later(days=1, seconds=1))
        assert model.select().count() == 0
    assert Sms.select().count() == 0


# Allowances


def test_an_allowance_counts_any_stretch_of_its_time():
    hour = timedelta(hours=1)
    taken = [m for m in range(0, 200, 7) if Allowance.take("k", most=3, within=hour, now=later(m))]
    for start in range(200):
        assert sum(start <= minute < start + 60 for minute in taken) <= 3
    assert Allowance.select().count() == 3


def test_an_allowance_is_given_back_with_the_transaction():
    with db.atomic() as transaction:
        assert Allowance.take("k", most=1, within=timedelta(hours=1), now=NOW)
        transaction.rollback()
    assert Allowance.take("k", most=1, within=timedelta(hours=1), now=NOW)


# At the same moment


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("codes")
    with own_database(folder) as url:
        crowd = Crowd(url, folder)
        crowd.alone("begin_anew")
        yield crowd
        crowd.end()


@pytest.fixture
def crowd(running):
    running.alone("clear")
    return running


def test_twelve_requests_at_once_send_three_codes(crowd):
    crowd.alone("code_profiles", 1)
    results = crowd.at_once([("send_code", 0, NUMBER)] * 12)
    assert sum("is" in result for result in results) == 3
    assert {result["error"] for result in results if "error" in result} == {"TooManyCodes"}
    assert crowd.alone("sms_states") == {"due": 1, "withheld": 2}


def test_twelve_profiles_at_once_send_three_sms_to_a_number(crowd):
    crowd.alone("code_profiles", 12)
    results = crowd.at_once([("send_code", index, NUMBER) for index in range(12)])
    assert all("is" in result for result in results), results
    assert crowd.alone("sms_states") == {"due": 3, "withheld": 9}


def test_twelve_wrong_codes_at_once_are_five_tries(crowd):
    crowd.alone("code_profiles", 1)
    code = crowd.alone("send_code", 0, NUMBER)
    results = crowd.at_once([("check_code", code, "wrong")] * 12)
    told = [result["error"] for result in results]
    assert sorted(set(told)) == ["CodeOver", "WrongCode"]
    assert told.count("WrongCode") == 5


def test_the_right_code_typed_eight_times_at_once_is_spent_once(crowd):
    crowd.alone("code_profiles", 1)
    code = crowd.alone("send_code", 0, NUMBER)
    results = crowd.at_once([("spend_code", code)] * 8)
    assert sum("is" in result for result in results) == 1
    assert {result["error"] for result in results if "error" in result} == {"CodeOver"}
