"""Profiles that several processes change at the same moment, on whichever database DATABASE_URL names."""

from collections import Counter

import pytest

from tests.crowd import Crowd
from tests.databases import own_database
from tests.world import PASSWORD


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("profiles")
    with own_database(folder) as url:
        crowd = Crowd(url, folder)
        yield crowd
        crowd.end()


@pytest.fixture
def shop(running):
    running.alone("clear")
    return running


def errors(results):
    return Counter(result["error"] for result in results if "error" in result)


@pytest.mark.rule("PRO-1")
def test_two_clicks_on_a_confirmation_at_once_make_one_profile(shop):
    [token] = shop.alone("registrations", 1)
    results = shop.at_once([("confirm_registration", token)] * 6)
    assert errors(results) == {"LinkOver": 5}
    assert shop.alone("profiles")["emails"] == ["ana@example.com"]


@pytest.mark.rule("PRO-1")
def test_several_registrations_of_one_email_confirmed_at_once_make_one_profile(shop):
    tokens = shop.alone("registrations", 6)
    results = shop.at_once([("confirm_registration", token) for token in tokens])
    assert errors(results) == {"EmailTaken": 5}
    assert shop.alone("profiles")["emails"] == ["ana@example.com"]


@pytest.mark.rule("PRO-2")
def test_a_link_that_is_used_by_several_at_once_sets_one_password(shop):
    shop.alone("code_profiles", 1)
    token = shop.alone("link_to", "password", "")
    words = [f"fjalia numër {number}" for number in range(4)]
    results = shop.at_once([("set_password", token, word) for word in words])
    assert errors(results) == {"LinkOver": 3}
    [taken] = [result["is"] for result in results if "is" in result]
    assert [shop.alone("guess", "profile0@example.com", word) for word in words] == [word == taken for word in words]
    after = shop.alone("profiles")
    assert (after["sessions"], after["mails"]) == ([2], ["password_changed", "password_reset"])


@pytest.mark.rule("PRO-1")
def test_two_profiles_that_confirm_one_email_at_once_do_not_share_it(shop):
    shop.alone("code_profiles", 2)
    tokens = [shop.alone("link_to", "email", "re@example.com", f"profile{index}@example.com") for index in range(2)]
    results = shop.at_once([("confirm_email", token) for token in tokens])
    assert errors(results) == {"EmailTaken": 1}
    after = shop.alone("profiles")
    assert after["emails"].count("re@example.com") == 1
    assert after["mails"].count("email_changed") == 1


@pytest.mark.rule("PRO-2")
def test_of_twelve_guesses_at_once_five_at_most_are_tried(shop):
    shop.alone("code_profiles", 1)
    email = "profile0@example.com"
    results = shop.at_once([("guess", email, f"wrong {number}") for number in range(12)])
    assert set(errors(results)) == {"LockedOut"}
    assert errors(results)["LockedOut"] >= 7
    # Where none was tried because of the crowd, what is left of the five is still there.
    tried = 12 - errors(results)["LockedOut"]
    for number in range(5 - tried):
        assert shop.alone("guess", email, f"again {number}") is False
    [locked] = shop.at_once([("guess", email, PASSWORD)])
    assert locked.get("error") == "LockedOut"
