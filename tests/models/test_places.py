"""Where the shop delivers to (DLV-1)."""

import pytest

from models.places import municipalities, municipality_of, place_of, places

pytestmark = pytest.mark.rule("DLV-1")

LANGUAGES = ("sq", "mk", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_place_and_municipality_has_a_name_in_each_language(language):
    for place in (*places(language), *municipalities(language)):
        assert place.name(language).strip()


def test_all_municipalities_of_the_country_are_there():
    """80, and the City of Skopje above ten of them may be a line of its own."""
    assert 80 <= len(municipalities("sq")) <= 81
    assert len({place.code for place in municipalities("sq")}) == len(municipalities("sq"))


def test_a_place_is_known_by_its_postal_code():
    assert place_of("1200").name("sq") == "Tetovë"
    assert place_of("1200").name("mk") == "Тетово"
    assert municipality_of("MK-609").name("sq") == "Tetovë"


@pytest.mark.parametrize("code", ["", "0000", "9999", "MK-609", "1200 "])
def test_a_code_that_is_no_place_is_refused(code):
    with pytest.raises(KeyError):
        place_of(code)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_list_in_any_language_holds_the_same_places(language):
    assert {place.code for place in places(language)} == {place.code for place in places("sq")}


def test_lists_are_in_the_order_of_their_alphabet():
    albanian = [place.name("sq") for place in municipalities("sq")]
    assert albanian.index("Butel") < albanian.index("Çair") < albanian.index("Dibër")
    macedonian = [place.name("mk") for place in municipalities("mk")]
    assert macedonian[0].startswith("А")
    assert macedonian.index("Илинден") < macedonian.index("Јегуновце") < macedonian.index("Карбинци")
