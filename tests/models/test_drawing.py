"""The picture of a variant (CAT-4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.catalogue import Device, Variant
from models.drawing import ANGLES, CAMERAS, HOLES, KINDS, angles, drawing_path, picture_path, read_name

pytestmark = pytest.mark.rule("CAT-4")

colours = st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)


@st.composite
def drawings(draw):
    kind = draw(st.sampled_from(KINDS))
    camera = draw(st.sampled_from(CAMERAS.get(kind, ("none",))))
    return {"kind": kind, "camera": camera, "hole": draw(st.sampled_from(HOLES))}


def name_of(path):
    return path.rpartition("/")[2].removesuffix(".svg")


@given(drawings(), colours, st.none() | st.tuples(colours, colours, colours), st.sampled_from(ANGLES["phone"]))
def test_the_name_of_a_drawing_says_all_that_it_shows(drawing, colour, screen, angle):
    path = drawing_path(drawing, colour, " ".join(screen or ()), angle)
    assert read_name(name_of(path)) == {
        "kind": drawing["kind"],
        "cam": drawing["camera"],
        "hole": drawing["hole"],
        "angle": angle if angle in angles(drawing) else "pair",
        "color": colour,
        "screen": list(screen) if screen else None,
    }


@given(st.text(max_size=60))
def test_a_name_that_is_none_draws_nothing(name):
    assert read_name(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "phone-tri-dot-pair-1f2023 ",
        "phone-tri-dot-pair-1f202",
        "phone-tri-dot-pair-1F2023",
        "phone-tri-dot-pair-1f2023\n",
        "phone-one-dot-pair-1f2023",
        "tablet-one-dot-fan-1f2023",
        "sim-none-dot-back-ffffff",
        "car-none-dot-pair-ffffff",
        "phone-tri-dot-pair-1f2023-ffffff-ffffff",
        "phone-tri-dot-pair-<svg>00",
    ],
)
def test_a_name_outside_the_rules_draws_nothing(name):
    assert read_name(name) is None


def test_a_device_without_facts_of_its_look_is_drawn_all_the_same():
    for kind in KINDS:
        assert read_name(name_of(drawing_path({"kind": kind}, "#ffffff", "", "pair")))
    assert read_name(name_of(drawing_path({}, "#ffffff", "", "pair")))["kind"] == "phone"


def test_a_photo_of_the_operator_takes_the_place_of_the_drawing():
    device = Device(drawing={"kind": "phone"})
    assert picture_path(device, Variant(photo="s25.jpg", colour_hex="#ffffff", screen="")) == "/photos/s25.jpg"
    assert picture_path(device, Variant(photo="", colour_hex="#ffffff", screen="")).startswith("/pictures/")


def test_variants_of_another_colour_have_another_picture():
    device = Device(drawing={"kind": "phone", "camera": "tri"})
    paths = {picture_path(device, Variant(photo="", colour_hex=c, screen="")) for c in ("#ffffff", "#000000")}
    assert len(paths) == 2
