"""What was looked at last: a strip, and the page where it is deleted or stopped."""

import pytest

from models.catalogue import Device
from models.shelf import relist
from tests import world as named
from tests.query_count import assert_query_count
from tests.views.test_html import faults
from views.choosing import SEEN, SEEN_MOST

SLUGS = ("galaxy-s25", "iphone-16", "redmi-14")


def strip(page) -> list[str]:
    """The devices of the strip, by the last part of their addresses."""
    shown = [ul for ul in page.all("ul") if ul.get("class") == "strip"]
    return [link.get("href").split("/")[-1] for ul in shown for link in ul.iter("a")]


@pytest.fixture
def looked(shopper):
    for slug in SLUGS:
        shopper.get(f"/pajisja/{slug}")
    return shopper


def test_the_last_one_stands_first_and_a_device_is_not_shown_on_its_own_page(looked):
    assert strip(looked.get("/")) == ["redmi-14", "iphone-16", "galaxy-s25"]
    assert strip(looked.get("/pajisja/galaxy-s25")) == ["redmi-14", "iphone-16"]
    assert strip(looked.get("/en")) == ["galaxy-s25", "redmi-14", "iphone-16"]
    assert strip(looked.get("/celulare")) == []


def test_a_piece_of_a_page_is_no_second_look(looked):
    before = looked.cookie(SEEN).value
    looked.get("/pajisja/galaxy-s25?mbaj=ngjyra&ngjyra=a4bddc", piece=True)
    assert looked.cookie(SEEN).value == before


def test_only_numbers_of_devices_are_kept_and_no_more_than_the_strip_shows(looked, world):
    for number in range(SEEN_MOST):
        copy = Device.create(
            **{**world.devices["tab-a9"].__data__, "id": None, "slug": f"tab-{number}", "name_sq": f"Tab {number}"}
        )
        variant = world["TAB-GREY-64"]
        type(variant).create(**{**variant.__data__, "id": None, "device": copy, "sku": f"TAB-{number}"})
        relist([copy.id], named.NOW)
        looked.get(f"/pajisja/tab-{number}")
    kept = looked.cookie(SEEN)
    assert len(kept.value.split(".")) == SEEN_MOST + 1
    assert kept.http_only
    assert kept.same_site == "Lax"
    assert len(strip(looked.get("/"))) == SEEN_MOST


def test_what_is_sold_no_more_is_not_shown(looked, world):
    Device.update(listed=False).where(Device.slug == "iphone-16").execute()
    relist([world.devices["iphone-16"].id], named.NOW)
    assert strip(looked.get("/")) == ["redmi-14", "galaxy-s25"]
    assert "iPhone" not in looked.get("/te-shikuarat").text_of("permbajtja")


@pytest.mark.rule("PRV-1")
def test_it_can_be_deleted_stopped_and_begun_again(looked):
    assert len(looked.get("/te-shikuarat").all("li", class_="card")) == len(SLUGS)
    looked.post("/te-shikuarat", {"cka": "fshi"})
    assert looked.cookie(SEEN) is None
    assert strip(looked.get("/")) == []
    looked.get("/pajisja/galaxy-s25")
    looked.post("/te-shikuarat", {"cka": "ndal"})
    looked.get("/pajisja/galaxy-s25")
    assert looked.cookie(SEEN).value == "jo"
    assert strip(looked.get("/")) == []
    assert "Nuk mbajmë mend çfarë shikoni." in looked.get("/te-shikuarat").words
    looked.post("/te-shikuarat", {"cka": "nis"})
    looked.get("/pajisja/galaxy-s25")
    assert strip(looked.get("/")) == ["galaxy-s25"]


@pytest.mark.rule("LOC-1")
@pytest.mark.parametrize(("language", "prefix"), [("sq", ""), ("mk", "/mk"), ("en", "/en")])
def test_the_markup_of_strip_and_page(looked, language, prefix):
    for path in ("/", "/pajisja/pixel-9", "/te-shikuarat"):
        assert faults(looked.get(prefix + path).html, language) == []
    looked.post(f"{prefix}/te-shikuarat", {"cka": "ndal"})
    assert faults(looked.get(f"{prefix}/te-shikuarat").html, language) == []


def test_the_strip_asks_the_database_nothing_once_its_devices_are_known(looked):
    for path in ("/", "/pajisja/galaxy-s25"):
        looked.get(path)
        with assert_query_count(1):
            looked.get(path)
