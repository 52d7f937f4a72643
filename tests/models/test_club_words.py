"""What is written to 50777 and dialled under *777#, as grammar alone (CLB-9, CLB-10)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.club_words import CONVERT, MAIN, Convert, Offer, Place, Word, follow, inputs_of, points_of, read

pytestmark = pytest.mark.rule("CLB-9")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("20 MB", Convert(20, "MB")),
        ("15 SMS", Convert(15, "SMS")),
        ("12 MMS", Convert(12, "MMS")),
        ("90 hej", Convert(90, "hej")),
        ("90 Msuper", Convert(90, "super")),
        ("90 Mfillo", Convert(90, "fillo")),
        ("KINEMA", Offer("KINEMA")),
        ("kafe25", Offer("KAFE25")),
        ("STOP", Word.STOP),
        ("pikë", Word.BALANCE),
        ("Gjendja", Word.BALANCE),
        ("поени", Word.BALANCE),
    ],
)
def test_each_line_of_the_clubs_terms_is_understood(text, meant):
    assert read(text) == meant


@pytest.mark.parametrize(
    "text",
    ["90 hej", "90hej", " 90  HEJ! ", "90\nHej", "90 h e j", "„90 hej“", "0090 hej", "90\u00a0hej.", "９０ ｈｅｊ"],
)
def test_case_and_spaces_do_not_matter(text):
    assert read(text) == Convert(90, "hej")


@pytest.mark.parametrize("text", ["stop", " Stop. ", "S T O P", "СТОП"])
def test_stop_is_heard_however_it_is_written(text):
    assert read(text) is Word.STOP


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "?",
        "90",
        "-20 MB",
        "1.5 MB",
        "MB: 20",
        "1234567 MB",
        "9" * 500 + " MB",
        "dua 20 MB ju lutem shumë",
        "20 МБ",
        "٢٠ MB",
        "💬",
        "\x00",
        "x" * 2000,
    ],
)
def test_anything_else_is_answered_with_help(text):
    assert read(text) is Word.HELP


@pytest.mark.parametrize(("text", "code"), [("1 0 MB", "10MB"), ("20 GB!!", "20GB"), ("MB 20", "MB20")])
def test_what_looks_like_a_code_may_be_one_and_converts_nothing_else(text, code):
    assert read(text) == Offer(code)


@pytest.mark.parametrize("points", [0, 1, 9, 999_999])
def test_how_many_points_are_enough_is_not_the_grammars_business(points):
    assert read(f"{points} MB") == Convert(points, "MB")


@given(st.text(max_size=80))
def test_whatever_is_sent_means_something(text):
    meant = read(text)
    assert isinstance(meant, (Word, Convert, Offer))


@given(
    st.integers(0, 999_999),
    st.sampled_from(["MB", "SMS", "MMS", "hej", "Msuper", "Mfillo"]),
    st.data(),
)
def test_a_conversion_survives_every_case_and_any_spaces_around_its_words(points, word, data):
    cased = "".join(data.draw(st.sampled_from([letter.lower(), letter.upper()])) for letter in word)
    space = st.text(alphabet=" \t\n\r\u00a0\u2003", max_size=3)
    text = data.draw(space) + str(points) + data.draw(space) + cased + data.draw(space)
    assert read(text) == read(f"{points} {word}")
    assert read(text).points == points


# *777#


@pytest.mark.rule("CLB-10")
@pytest.mark.parametrize(
    ("digit", "what", "screen"),
    [
        ("2", "SMS", "points"),
        ("3", "MB", "points"),
        ("4", "MMS", "points"),
        ("5", "fillo", "confirm"),
        ("6", "super", "confirm"),
    ],
)
def test_the_digits_under_777_1_are_those_of_the_terms(digit, what, screen):
    assert follow(["1", digit]) == Place(screen, what)


@pytest.mark.rule("CLB-10")
@pytest.mark.parametrize(
    ("code", "text", "place"),
    [
        ("*777#", "", MAIN),
        ("*777#", "1", CONVERT),
        ("*777*1#", "", CONVERT),
        ("*777*1", "", CONVERT),
        ("*777*1#", "3", Place("points", "MB")),
        ("*777#", "1*3", Place("points", "MB")),
        ("*777*1*3#", "20", Place("confirm", "MB", 20)),
        ("777", "1*3*20", Place("confirm", "MB", 20)),
        ("*777*1#", "3*20*1", Place("done", "MB", 20)),
        ("*777*1#", "3*20*2", Place("no")),
        ("*777*1#", "3*20*0", CONVERT),
        ("*777*1#", "3*0", CONVERT),
        ("*777*1#", "0", MAIN),
        ("*777*1#", "5*1", Place("done", "fillo")),
        ("*777#", "2", Place("balance")),
        # Wrong inputs stay in the text that the gateway sends on, and lead on as if they had not been.
        ("*777*1#", "1", Place("convert", wrong=True)),
        ("*777*1#", "7*3", Place("points", "MB")),
        ("*777*1#", "3*xx*20*9*1", Place("done", "MB", 20)),
        ("*777#", "9**1*2*20*1", Place("done", "SMS", 20)),
        # After the end nothing more is asked.
        ("*777*1#", "3*20*1*1", Place("done", "MB", 20)),
        ("*777*1#", "3*20*2*1", Place("no")),
    ],
)
def test_what_was_dialled_and_typed_so_far_says_where_one_stands(code, text, place):
    assert follow(inputs_of(code, text)) == place


@pytest.mark.rule("CLB-10")
@pytest.mark.parametrize("typed", ["", "0", "00", "-5", "1.5", "1e3", "abc", "1234567", "²", "٣"])
def test_no_number_of_points_is_none(typed):
    assert points_of(typed) is None


@pytest.mark.rule("CLB-10")
@given(st.lists(st.text(max_size=8), max_size=12))
def test_no_input_leads_out_of_the_menu_and_only_a_yes_converts(inputs):
    place = follow(inputs)
    assert place.screen in ("main", "convert", "points", "confirm", "done", "no", "balance")
    if place.screen == "done":
        assert "1" in [typed.strip() for typed in inputs]
