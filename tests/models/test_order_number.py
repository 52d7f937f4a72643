"""Order numbers (ORD-3)."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_2

from models.order_number import ALPHABET, MistypedNumber, new_number, read_number

pytestmark = pytest.mark.rule("ORD-3")

TYPEABLE = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@st.composite
def numbers(draw):
    body = "".join(draw(st.lists(st.sampled_from(ALPHABET), min_size=8, max_size=8)))
    check = mod_37_2.calc_check_digit(body)
    if check not in ALPHABET:
        body = body[:7] + ALPHABET[(ALPHABET.index(body[7]) + 1) % 32]
        check = mod_37_2.calc_check_digit(body)
    if check not in ALPHABET:
        return new_number()
    return f"DY-{body[:4]}-{body[4:]}-{check}"


def test_a_number_is_short_and_has_no_letters_that_are_misread():
    for _ in range(500):
        number = new_number()
        assert len(number) == 14
        assert not set("ILOU") & set(number)
        assert read_number(number) == number


def test_a_thousand_numbers_are_all_different_and_share_no_beginning():
    drawn = {new_number() for _ in range(1000)}
    assert len(drawn) == 1000
    assert len({number[3:7] for number in drawn}) > 900


@given(numbers(), st.data())
def test_a_number_is_read_however_it_is_spaced_and_cased(number, data):
    plain = number.replace("-", "")
    gaps = data.draw(st.lists(st.sampled_from(["", " ", "-", ".", "/"]), min_size=len(plain), max_size=len(plain)))
    typed = "".join(gap + character for gap, character in zip(gaps, plain, strict=True))
    assert read_number(typed) == number
    assert read_number(typed.lower()) == number


@given(numbers())
def test_a_number_is_read_without_its_first_two_letters(number):
    assert read_number(number.removeprefix("DY-")) == number


def test_a_number_that_begins_like_the_prefix_is_read_without_it():
    body = next(f"DY7K3M9{last}" for last in ALPHABET if mod_37_2.calc_check_digit(f"DY7K3M9{last}") in ALPHABET)
    typed = body + mod_37_2.calc_check_digit(body)
    assert read_number(typed) == read_number(f"DY{typed}")


@given(numbers())
def test_letters_that_look_alike_are_the_same(number):
    swapped = number.translate(str.maketrans({"1": "I", "0": "O", "V": "U"}))
    assert read_number(swapped) == number
    assert read_number(number.translate(str.maketrans({"1": "L"}))) == number


@settings(max_examples=60)
@given(numbers())
def test_every_single_wrong_character_is_recognised(number):
    body = number.removeprefix("DY-")
    for place, right in enumerate(body):
        if right == "-":
            continue
        for wrong in TYPEABLE:
            typed = f"DY-{body[:place]}{wrong}{body[place + 1 :]}"
            try:
                read = read_number(typed)
            except MistypedNumber:
                continue
            # I for 1 and the like: another spelling of the same number.
            assert read == number, typed


@given(numbers())
def test_every_swap_of_two_characters_is_recognised(number):
    plain = number.replace("-", "").removeprefix("DY")
    for first in range(9):
        for second in range(first + 1, 9):
            if plain[first] == plain[second]:
                continue
            typed = list(plain)
            typed[first], typed[second] = typed[second], typed[first]
            with pytest.raises(MistypedNumber):
                read_number("DY" + "".join(typed))


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_is_called_mistyped(text):
    with contextlib.suppress(MistypedNumber):
        assert read_number(read_number(text)) == read_number(text)
