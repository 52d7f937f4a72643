"""Money (LOC-2)."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import config
from models.money import MINOR, money, number, read_amount, to_minor

pytestmark = pytest.mark.rule("LOC-2")

LANGUAGES = ("sq", "mk", "en")
amounts = st.integers(min_value=-(10**12), max_value=10**12)


@pytest.mark.parametrize(
    ("language", "text"),
    [("sq", "49.980\u00a0den"), ("mk", "49.980\u00a0ден."), ("en", "49,980\u00a0den")],
)
def test_each_language_writes_denars_its_way(language, text):
    assert money(4_998_000, language) == text


def test_a_fraction_is_shown_only_where_there_is_one():
    assert number(100) == "1"
    assert number(150) == "1,50"
    assert number(105, "en") == "1.05"
    assert number(5) == "0,05"
    assert number(0) == "0"


def test_a_negative_amount_has_a_true_minus():
    assert number(-1_234_567, "en") == "\u221212,345.67"


@given(amounts, st.sampled_from(LANGUAGES))
def test_what_is_written_can_be_read_back_to_the_last_deni(amount, language):
    point = "." if language == "en" else ","
    text = number(amount, language)
    whole, _, part = text.replace("\u2212", "").partition(point)
    read = int(whole.replace(",", "").replace(".", "")) * MINOR + int((part or "0").ljust(2, "0"))
    assert read == abs(amount)
    assert text.startswith("\u2212") == (amount < 0)


@given(amounts, st.sampled_from(LANGUAGES))
def test_a_price_never_breaks_over_two_lines(amount, language):
    assert " " not in money(amount, language)


@given(st.integers(min_value=0, max_value=999_999_999), st.sampled_from(LANGUAGES))
def test_a_whole_amount_is_read_the_way_any_language_writes_it(whole, language):
    assert read_amount(number(to_minor(whole), language)) == to_minor(whole)
    assert read_amount(money(to_minor(whole), language)) == to_minor(whole)


@pytest.mark.parametrize(
    ("typed", "whole"),
    [("10 000", 10_000), ("10.000 den", 10_000), ("1.500,50", 1_500), ("1,500.5", 1_500), ("12999.00", 12_999)],
)
def test_people_type_amounts_in_many_ways(typed, whole):
    assert read_amount(typed) == to_minor(whole)


@pytest.mark.parametrize("typed", ["", "den", "-", "²", "٣٠", "1234567890", "½"])
def test_what_is_no_amount_is_none(typed):
    assert read_amount(typed) is None


@given(st.text(max_size=30))
def test_any_text_is_an_amount_of_whole_units_or_none(text):
    read = read_amount(text)
    assert read is None or (read >= 0 and read % MINOR == 0)


@pytest.mark.parametrize("currency", ["MKD", "EUR", "ALL", "RSD"])
def test_the_bank_gets_the_amount_that_the_shopper_sees_in_every_currency(currency):
    script = "from gateways.bank import to_major\nfrom models.money import number, to_minor\n"
    script += "print(to_major(to_minor(49980)), number(to_minor(49980)))"
    said = subprocess.run(
        [sys.executable, "-c", script],
        cwd=config.ROOT,
        env={**os.environ, "DYQANI_CURRENCY": currency},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == ["49980.00", "49.980"]
