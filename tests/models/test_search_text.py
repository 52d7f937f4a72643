"""What a shopper types and what a device is called meet in one spelling (CAT-6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.search_text import key_of, latin, stem_so_far, tokens, word, words

pytestmark = pytest.mark.rule("CAT-6")


@pytest.mark.parametrize(
    "spellings",
    [
        "galaxy Galaxy GALAXY galaksi галакси Галакси",
        "iphone iPhone ajfon ајфон Ајфон",
        "ipad ајпад",
        "xiaomi ksiaomi ксиаоми шаоми shaomi сјаоми",
        "samsung самсунг",
        "huawei huavej хуавеј",
        "motorola моторола",
        "redmi редми",
        "pixel piksel пиксел",
        "honor хонор",
        "google гугл",
        "apple епл апле",
        "nokia нокиа",
        "watch воч",
        "lite лајт",
        "bluetooth блутут",
        "tablet tabletë tablete таблет",
        "cable kabel kabllo kabëll кабел",
        "celular celularë целулар",
        "çanta canta чанта",
        "karikues karikuës",
        "grey gray",
    ],
)
def test_every_spelling_of_a_word_is_the_same_word(spellings):
    assert len({tuple(tokens(spelling)) for spelling in spellings.split()}) == 1


def test_different_words_stay_different():
    names = ["samsung", "apple", "xiaomi", "google", "motorola", "honor", "huawei", "nokia", "realme"]
    names += ["galaxy", "iphone", "redmi", "pixel"]
    assert len({key_of(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("256 GB", "256gb"),
        ("256 ГБ", "256GB"),
        ("1 TB", "1TB"),
        ("5 G", "5G"),
        ("6,7 inch", "6.7inch"),
        ("S25+", "s25 plus"),
        ("Galaxy™ S25", "galaxy s25"),
        ("Xhevahir\u00a0A56", "xhevahir a56"),
        ("kafe\u0308", "kafë"),
    ],
)
def test_measures_marks_and_scripts_do_not_matter(written, same):
    assert tokens(written) == tokens(same)


def test_a_cyrillic_letter_is_read_as_it_sounds_not_as_it_looks():
    assert tokens("\u042125") == ["s25"]


def test_letters_and_digits_that_stand_together_stay_one_word():
    assert tokens("Galaxy S25 A56 128GB") == ["galaksi", "s25", "a56", "128gb"]


def test_a_number_alone_does_not_take_a_word_that_is_no_unit():
    assert tokens("iPhone 16 Pro") == ["ifon", "16", "pro"]


def test_both_parts_of_a_compound_are_words_and_so_is_the_whole():
    assert [found.raw for found in words("Wi-Fi", compounds=True)] == ["wi", "fi", "wifi"]
    assert [found.raw for found in words("Wi-Fi")] == ["wi", "fi"]


def test_macedonian_letters_become_the_latin_ones_that_a_shopper_would_type():
    assert latin("Ѓ Ќ Џ Љ Њ Ж Ч Ш Х Ѕ ѝ") == "gj q xh lj nj zh ch sh h dz i"


def test_punctuation_alone_is_no_word():
    assert tokens(" -- !? … ,.;() _ + ") == []


@given(st.text())
def test_any_text_folds_to_words_that_are_not_empty(text):
    found = words(text, compounds=True)
    assert all(each.key and each.stem and each.raw and each.key in each.terms for each in found)


@given(st.text(alphabet="abcçdeëfghijklmnopqrstuvwxyz", min_size=1), st.integers(0, 30))
def test_what_is_typed_so_far_leads_to_the_word(written, typed):
    stem = word(latin(written)).stem
    assert stem.startswith(stem_so_far(latin(written)[:typed]))
