"""The pictures of shared links and feeds: drawn once, in the page's language, and never too many for the shop."""

import os
import struct
from itertools import count

import pytest

import config
from models.catalogue import Device
from models.drawn import Drawn, Effort, TooBusy
from models.shelf import relist
from tests import structured_data
from tests.views.browser import HOST, Page
from tests.views.test_found import meta
from views import og

# Every letter and sign that the three languages and the prices need.
LETTERS = (
    "ABCÇDEËFGHIJKLMNOPQRSTUVXYZabcçdeëfghijklmnopqrstuvxyzWw0123456789"
    "АБВГДЃЕЖЗЅИЈКЛЉМНЊОПРСТЌУФХЦЧЏШабвгдѓежзѕијклљмнњопрстќуфхцчџш"
    "„“”’‘–−…×·•/%+,.:;!?()&€ \u00a0"
)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch) -> Drawn:
    """A folder of its own, with time enough."""
    store = Drawn(tmp_path / "drawn", 10_000_000, Effort(reserve=1000))
    monkeypatch.setattr(og, "drawn", store)
    return store


def path_in(page: Page) -> str:
    return meta(page, "og:image").removeprefix(HOST)


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", png[16:24])


@pytest.mark.parametrize("prefix", ["", "/mk", "/en"])
def test_the_card_of_a_device_and_of_the_shop(shopper, prefix):
    for path in ("/pajisja/galaxy-s25", "/"):
        shown = shopper.get(path_in(shopper.get(prefix + path)))
        assert (shown.status, shown.headers["Content-Type"]) == (200, "image/png")
        assert shown.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Set-Cookie" not in shown.headers
        png = shown.response.get_data()
        assert size_of(png) == (og.WIDTH, og.HEIGHT)
        assert 20_000 < len(png) < 300_000


def test_every_page_of_the_shop_has_a_card_that_is_there(shopper):
    seen = set()
    for page in ("celulare", "tablete", "pajisje-shtese", "sim-pripejd", "oferta", "klubi"):
        path = path_in(shopper.get(f"/{page}"))
        seen.add(path)
        assert shopper.get(path).status == 200
    assert len(seen) == 6


def test_a_card_says_name_price_and_brand_in_the_pages_language(app, world):
    from models.shelf import shelf

    with app.test_request_context("/", environ_overrides={"dyqani.language": "mk"}):
        facts = og.device_facts(shelf.fresh().offered("galaxy-s25"))
        svg = og.card_svg(facts)
    assert facts["price"] == "52.800\u00a0ден."
    for text in (config.BRAND, "Samsung Galaxy", "52.800\u00a0ден.", "од", "Бесплатна"):
        assert text in svg
    assert set("ёыэщъ") & set(svg) == set()


def test_cards_of_another_face_have_other_addresses(app, monkeypatch):
    with app.test_request_context("/"):
        before = og._hash(og.page_facts("home"))
        monkeypatch.setattr(og, "_LOOK", "another")
        assert og._hash(og.page_facts("home")) != before


def lacking(text: str) -> set[str]:
    """Letters of `text` that the card's fonts have not."""
    known = og._letters(og.FONTS[0])[1].keys() & og._letters(og.FONTS[1])[1].keys()
    return {letter for letter in text if ord(letter) not in known}


def test_the_cards_letters_have_all_that_the_languages_need_and_are_drawn(app, world):
    assert lacking(LETTERS) == set()
    for device in Device.select():
        for code in ("sq", "mk", "en"):
            assert lacking(device.full_name(code)) == set()
    with app.test_request_context("/"):
        facts = og.page_facts("home")
        drawn = {text: og.card_png(facts | {"title": text, "pictures": []}) for text in ("Црна", "Бела", "ЏџЏџ", " ")}
    # A font without these letters would draw the same boxes, or nothing.
    assert len(set(drawn.values())) == 4
    assert min(len(drawn["Црна"]), len(drawn["Бела"])) > len(drawn[" "])


def test_a_long_name_is_written_smaller_and_then_cut(app):
    for title, most in (
        ("Galaxy S25", 68),
        ("Samsung Galaxy Z Fold7 Special Edition Ultra", 68),
        ("Mbrojtëse " * 14, 40),
    ):
        size, lines = og._fitted(title.strip())
        assert size <= most
        assert len(lines) <= 3
        assert all(og.width_of(line, size, bold=True) <= 600 for line in lines)
    assert lines[-1].endswith("…")


def test_a_card_is_drawn_once_and_another_price_is_another_card(shopper, world, own_folder):
    first = path_in(shopper.get("/pajisja/tab-a9"))
    one = shopper.get(first)
    own_folder.effort = Effort(reserve=0)
    # There is no time to draw any more, but this one is kept.
    assert shopper.get(first).response.get_data() == one.response.get_data()
    variant = world["TAB-GREY-64"]
    variant.price = 999_000
    variant.save()
    relist([variant.device_id], world.now)
    second = path_in(shopper.get("/pajisja/tab-a9"))
    assert second != first
    own_folder.path_of(first.split("/")[3]).unlink()
    # Who shared the link before sees the present card.
    led = shopper.get(first)
    assert (led.status, led.location) == (302, second)


def test_whoever_asks_for_too_many_waits(shopper, own_folder):
    own_folder.effort = Effort(reserve=0)
    busy = shopper.get(path_in(shopper.get("/pajisja/redmi-14")))
    assert busy.status == 503
    assert int(busy.headers["Retry-After"]) >= 1
    assert busy.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/pictures/card/0123456789abcdef/nuk-ka.png",
        "/pictures/card/0123456789ABCDEF/tab-a9.png",
        "/pictures/card/..%2f..%2fetc/tab-a9.png",
        "/pictures/page/0123456789abcdef/desk.png",
        "/pictures/1/phone-tri-dot-pair-1f2023.000000000000.png",
        "/pictures/1/phone-tri-dot-pair-1f2023.%C3%AB.png",
        "/pictures/9/phone-tri-dot-pair-1f2023.000000000000.png",
        "/pictures/1/x.000000000000.png",
    ],
)
def test_what_the_shop_did_not_write_is_not_drawn(shopper, own_folder, path):
    assert shopper.get(path).status == 404
    assert not own_folder.folder.exists()


def test_a_variants_picture_is_a_png_at_the_address_that_the_data_name(shopper):
    products = structured_data.things(shopper.get("/pajisja/galaxy-s25"), "Product")
    pictures = [one["image"].removeprefix(HOST) for one in products]
    assert len(set(pictures)) == 2
    shown = shopper.get(pictures[0])
    assert (shown.status, size_of(shown.response.get_data())) == (200, (800, 800))
    changed = pictures[0].replace("1f2023", "1f2024")
    assert shopper.get(changed).status == 404


def test_the_operators_photo_is_put_into_the_card(app, world, tmp_path, monkeypatch):
    from models.shelf import shelf

    monkeypatch.setattr(config, "PHOTOS", tmp_path)
    with app.test_request_context("/"):
        facts = og.page_facts("home")
        (tmp_path / "a.png").write_bytes(og.plain_png(og.read_name("phone-tri-dot-pair-1f2023")))
        with_photo = og.card_png(facts | {"pictures": ["/photos/a.png"]})
        assert len(with_photo) > len(og.card_png(facts | {"pictures": ["/photos/gone.png"]})) + 10_000
        assert og.card_png(facts | {"pictures": ["/photos/../../etc/passwd"]})
        variant = shelf.fresh().offered("tab-a9").first.variant
        variant.photo = "a.png"
        assert og.plain_path(variant.device, variant) == "/photos/a.png"


# The folder


def test_pictures_take_no_more_room_than_they_may(tmp_path):
    store = Drawn(tmp_path, 5_000, Effort(reserve=1000))
    names = [f"{number:016x}" for number in range(45)]
    for number, name in enumerate(names):
        store.get(name, lambda: b"x" * 200)
        path = store.path_of(name)
        made = 1_700_000_000 + number
        os.utime(path, (made, made))
    kept = [name for name in names if store.kept(name) is not None]
    assert sum(store.path_of(name).stat().st_size for name in kept) <= 5_000
    # What was drawn first went first.
    assert kept == names[-len(kept) :]


def test_drawing_takes_its_share_of_the_time_and_no_more():
    now = [0.0]
    effort = Effort(share=0.2, reserve=1.0, clock=lambda: now[0])
    drawn = count()

    def draw():
        now[0] += 0.6
        return b"%d" % next(drawn)

    for _ in range(3):
        effort.spend(draw)
    with pytest.raises(TooBusy) as busy:
        effort.spend(draw)
    now[0] += busy.value.seconds
    assert effort.spend(draw) == b"3"


def test_a_picture_that_cannot_be_kept_is_given_all_the_same(tmp_path):
    (tmp_path / "drawn").write_text("a file, where the folder should be")
    store = Drawn(tmp_path / "drawn", 1_000, Effort(reserve=1000))
    assert store.get("0" * 16, lambda: b"picture") == b"picture"
