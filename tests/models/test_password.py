"""What is taken for a password, and how it is kept (PRO-1, PRO-2)."""

import unicodedata

import pytest
from argon2 import PasswordHasher

from models.password import COMMON, WeakPassword, hash_of, is_outdated, opens, refuse_weak

pytestmark = pytest.mark.rule("PRO-2")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "short"),
        ("abc1234", "short"),
        ("x" * 201, "long"),
        ("12345678", "common"),
        ("PassWord1", "common"),
        ("fjalëkalimi", "common"),
        ("лозинка123", "common"),
        ("aaaaaaaaaaaa", "common"),
        ("abababababab", "common"),
        ("ana.m@example.com", "email"),
        ("Ana.M@Example.com", "email"),
    ],
)
def test_a_password_that_others_would_guess_is_refused_with_its_reason(password, reason):
    with pytest.raises(WeakPassword) as refused:
        refuse_weak(password, "ana.m@example.com")
    assert refused.value.reason == reason


def test_the_name_of_the_mailbox_is_no_password():
    with pytest.raises(WeakPassword):
        refuse_weak("ana.markovska", "ana.markovska@example.com")


@pytest.mark.parametrize("password", ["një fjali", "ветар и сонце", "qwmrtzbv", "        x  y", "😀😃😄😁😆😅😂🤣"])
def test_nothing_is_asked_of_letters_and_signs(password):
    refuse_weak(password, "ana@example.com")


def test_every_common_password_is_long_enough_to_be_one_and_in_small_letters():
    assert len(COMMON) > 150
    assert [word for word in COMMON if len(word) < 8 or word != word.casefold()] == []


def test_a_password_opens_its_own_hash_however_the_keyboard_composes_it():
    kept = hash_of(unicodedata.normalize("NFD", "fjalë e çelur"))
    assert opens(kept, unicodedata.normalize("NFC", "fjalë e çelur"))
    assert not opens(kept, "fjale e celur")
    assert "fjal" not in kept


def test_two_hashes_of_one_password_differ():
    assert hash_of("një fjali e shkurtër") != hash_of("një fjali e shkurtër")


@pytest.mark.parametrize("broken", ["", "x", "$argon2id$", "!"])
def test_a_hash_that_is_none_opens_nothing(broken):
    assert not opens(broken, "")
    assert not opens(broken, "x")


def test_a_hash_of_weaker_parameters_is_outdated():
    assert is_outdated(PasswordHasher(time_cost=1, memory_cost=1024).hash("x"))
    assert not is_outdated(hash_of("x"))
