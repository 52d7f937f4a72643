"""The last gift, one code at two tills, one number at two counters: real processes, on DATABASE_URL's database."""

from collections import Counter

import pytest

from tests.crowd import Crowd
from tests.databases import own_database


@pytest.fixture
def shop(tmp_path):
    """A crowd on a database of its own: the ledger is never emptied."""
    with own_database(tmp_path) as url:
        crowd = Crowd(url, tmp_path)
        yield crowd
        crowd.end()


def errors(results):
    return Counter(result["error"] for result in results if "error" in result)


def good(results):
    return [result["is"] for result in results if "is" in result]


@pytest.mark.rule("CLB-13", "CLB-16")
def test_the_last_gift_goes_over_one_of_the_counters_and_the_other_members_keep_their_points(shop):
    tasks = [("hand_out", *handout) for handout in shop.alone("counter", 6, 1)]
    results = shop.at_once(tasks)
    assert errors(results) == {"GiftGone": 5}
    after = shop.alone("counter_facts")
    assert (after["stock"], after["gifts"], after["handed"]) == (0, 1, 1)
    assert sorted(after["balances"]) == [300, 1000, 1000, 1000, 1000, 1000]
    assert after["audit"] == []


@pytest.mark.rule("CLB-13", "CLB-16")
def test_a_list_of_gifts_that_is_loaded_during_a_handout_does_not_give_the_piece_back(shop, tmp_path):
    shop.alone("counter", 1, 5)
    listed = tmp_path / "gifts.csv"
    listed.write_text(
        "code,points,stock,sku,since,until,name_sq,name_mk,name_en,detail_sq,detail_mk,detail_en\n"
        "kabllo,700,5,,2026-01-01,,Kabllo,Кабел,Cable,,,\n"
    )
    results = shop.at_once([("take_gift_slowly", 1.0), ("load_gifts", str(listed), 0.4)])
    assert good(results) == [None, 1]
    assert shop.alone("counter_facts")["stock"] == 4


@pytest.mark.rule("CLB-13", "CLB-16")
def test_one_members_points_at_two_counters_buy_one_gift(shop):
    handouts = shop.alone("counter", 3, 5, 1000, 1)
    results = shop.at_once([("hand_out", *handout) for handout in handouts])
    assert errors(results) == {"NotEnough": 2}
    after = shop.alone("counter_facts")
    assert (after["stock"], after["balances"], after["handed"], after["audit"]) == (4, [300], 1, [])


@pytest.mark.rule("CLB-13")
def test_one_handout_sent_five_times_at_once_is_one_gift_and_each_answer_says_so(shop):
    [handout] = shop.alone("counter", 1, 5)
    results = shop.at_once([("hand_out", *handout)] * 5)
    assert good(results) == [-700] * 5, results
    after = shop.alone("counter_facts")
    assert (after["stock"], after["balances"], after["gifts"], after["audit"]) == (4, [300], 1, [])


@pytest.mark.rule("CLB-13")
def test_one_request_sent_four_times_at_once_sends_one_code(shop):
    shop.alone("counter", 1, 5)
    first = shop.alone("counter_facts")
    tokens = good(shop.at_once([("ask_gift", "clerk0@example.com", "38970100200")] * 4))
    assert len(set(tokens)) == 1
    after = shop.alone("counter_facts")
    assert (after["handouts"], after["codes"]) == (first["handouts"], first["codes"]) == (1, 1)


@pytest.mark.rule("CLB-13", "CLB-16")
def test_a_process_that_dies_after_the_points_were_taken_has_taken_none(shop, tmp_path):
    [handout] = shop.alone("counter", 1, 5)
    dying = Crowd(shop.url, tmp_path, DYQANI_CRASH_AT="club: gift debited")
    [result] = dying.at_once([("hand_out", *handout)])
    dying.end()
    assert result["error"] == "Died"
    after = shop.alone("counter_facts")
    assert (after["stock"], after["balances"], after["gifts"], after["handed"]) == (5, [1000], 0, 0)
    # The code was not used up: the same click again hands it out.
    assert shop.alone("hand_out", *handout) == -700
    after = shop.alone("counter_facts")
    assert (after["stock"], after["balances"], after["audit"]) == (4, [300], [])


@pytest.mark.rule("CLB-8")
def test_one_code_at_eight_tills_is_used_once_and_the_others_are_told(shop):
    code, logins = shop.alone("till", 4)
    # Two tills of each login.
    results = shop.at_once([("redeem", email, code, f"{index:032}") for index, email in enumerate(logins * 2)])
    assert errors(results) == {"VoucherUsed": 7}
    who, key, tries = shop.alone("redeemed")
    assert who in logins
    assert key
    assert tries == 0


@pytest.mark.rule("CLB-8")
def test_one_page_sent_five_times_at_once_is_one_use_and_each_answer_says_so(shop):
    code, [login] = shop.alone("till", 1)
    results = shop.at_once([("redeem", login, code, "a" * 32)] * 5)
    assert len(good(results)) == 5, results
    assert shop.alone("redeemed")[0] == login


@pytest.mark.rule("CLB-8")
def test_of_many_guesses_at_once_none_slips_by_the_limit(shop, tmp_path):
    code, [login] = shop.alone("till", 1)
    few = Crowd(shop.url, tmp_path, DYQANI_PARTNER_TRIES="3")
    results = few.at_once([("redeem", login, f"ZZZZZZZ{index}", "a" * 32) for index in range(9)])
    assert errors(results) == {"NoVoucher": 3, "TooManyUnknown": 6}
    [result] = few.at_once([("redeem", login, code, "a" * 32)])
    few.end()
    assert result["error"] == "TooManyUnknown"
    assert shop.alone("redeemed")[0] is None


@pytest.mark.rule("CLB-1", "CLB-2")
def test_one_number_at_two_counters_and_on_the_web_joins_once(shop):
    tasks = [("desk_join", *joining) for joining in shop.alone("desk_joinings", 3)]
    results = shop.at_once([*tasks, ("web_join",)])
    assert errors(results) == {"AlreadyMember": 3}
    members, entries, done = shop.alone("desk_joined")
    assert (members, done) == (1, 0 if "is" in results[-1] else 1)
    assert entries <= 1


@pytest.mark.rule("DSK-5")
def test_codes_and_roles_at_once_one_code_opens_one_session_and_one_admin_stays(shop):
    code = shop.alone("people_at_work")
    results = shop.at_once([("give_code", code)] * 5)
    assert good(results) == [False]
    assert shop.alone("work_facts")["sessions"] == 1
    # The right one, or so many wrong ones as are allowed, whatever the others do at the moment.
    results = shop.at_once([("give_code", f"{number:06}") for number in range(12)])
    assert good(results) == []
    facts = shop.alone("work_facts")
    assert facts["trail"]["login"] == 1
    assert facts["trail"]["login_failed"] <= 4 + 5
    admins = ("admin0@example.com", "admin1@example.com")
    results = shop.at_once([("take_role", admins[0], admins[1]), ("take_role", admins[1], admins[0])])
    assert (good(results), errors(results)) == ([True], {"LastAdmin": 1})
    assert shop.alone("work_facts")["admins"] == 1
