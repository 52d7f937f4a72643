"""The operator's price list: what is refused and why, and what an import writes."""

import csv
import io
import json
import tracemalloc
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks import synthetic
from models import drawing
from models.catalogue import Brand, CatalogueVersion, Device, Gift, Listing, Promotion, Tariff, TariffPrice, Variant
from models.price_list import SHOWN, BadLines, PriceList, TariffList, load_tariffs
from models.price_list_columns import FACTS, NEEDED, OF_DEVICE, OF_VARIANT
from models.sheet import LONGEST_LINE, Unreadable

pytestmark = pytest.mark.rule("CAT-7")

NOW = datetime(2025, 11, 20, 12, 0, tzinfo=UTC)
COLUMNS = [*OF_VARIANT, *OF_DEVICE, "besnik24:linja-m", "new_number:linja-m"]
PHONE = {
    "sku": "SAM-S25-BLU-128",
    "kind": "phone",
    "brand": "Samsung",
    "slug": "samsung-galaxy-s25",
    "name_sq": "Galaxy S25",
    "name_mk": "Galaxy S25",
    "name_en": "Galaxy S25",
    "released": "2025-01",
    "popularity": "90",
    "colour_sq": "Blu",
    "colour_mk": "Сина",
    "colour_en": "Blue",
    "colour_hex": "#3C5A8A",
    "colour_family": "blue",
    "storage_gb": "128",
    "ram_gb": "12",
    "price": "49980",
    "stock": "7",
    "screen_in": "6.2",
    "refresh_hz": "120",
    "rear_mp": "50+12+10",
    "network": "5G",
    "os": "Android",
    "draw_camera": "tri",
    "draw_screen": "#dff2ff #5AA0d8 #173a66",
    "besnik24:linja-m": "24000",
    "new_number:linja-m": "0",
}
SECOND = PHONE | {"sku": "SAM-S25-BLU-256", "storage_gb": "256", "price": "54980"}
CASE = {
    "sku": "SAM-CASE",
    "kind": "accessory",
    "brand": "Samsung",
    "slug": "samsung-case",
    "name_sq": "Këllëf",
    "name_mk": "Футрола",
    "name_en": "Case",
    "released": "2025-01",
    "colour_hex": "#111111",
    "colour_family": "black",
    "price": "990",
    "stock": "3",
    "draw_kind": "case",
    "fits": "samsung-galaxy-s25 kind:tablet brand:samsung",
}


def written(*rows, columns=COLUMNS, encoding="utf-8", delimiter=","):
    """A price list of these rows, as a file."""
    text = io.StringIO()
    table = csv.DictWriter(text, columns, restval="", delimiter=delimiter, lineterminator="\r\n")
    table.writeheader()
    table.writerows(rows)
    return io.BytesIO(text.getvalue().encode(encoding))


def judged(*rows, **how):
    """What is wrong with these rows: (line, column, reason) of each bad cell."""
    return [tuple(bad) for bad in PriceList(written(*rows, **how)).check()]


def load(*rows, **how):
    return PriceList(written(*rows)).load(NOW, **how)


def rows_of(*models):
    return [model.select().count() for model in models]


TABLES = (Brand, Device, Variant, Tariff, TariffPrice, Promotion, Gift, Listing)


@pytest.fixture(autouse=True)
def linja_m(rolled_back):
    return Tariff.create(code="linja-m", name="Linja M", monthly_price=89900)


BAD_CELLS = [
    ("sku", "", "blank"),
    ("sku", "SAM S25", "must look like"),
    ("sku", "S" * 61, "at most 60"),
    ("kind", "", "blank"),
    ("kind", "fone", "must be phone"),
    ("brand", "", "blank"),
    ("brand", "B" * 61, "at most 60"),
    ("slug", "", "blank"),
    ("slug", "Galaxy S25", "must look like"),
    ("slug", "s" * 121, "at most 120"),
    ("name_sq", "", "blank"),
    ("name_sq", "n" * 121, "at most 120"),
    ("name_mk", "", "blank"),
    ("name_mk", "S25\u202e", "nobody sees (U+202E)"),
    ("name_en", "", "blank"),
    ("name_en", "S25\x07", "nobody sees (U+0007)"),
    ("note_sq", "n" * 161, "at most 160"),
    ("note_mk", "Нова", "note_sq"),
    ("note_en", "New\u200b", "nobody sees (U+200B)"),
    ("released", "", "blank"),
    ("released", "2025", "a year and a month"),
    ("released", "2025-13", "a year and a month"),
    ("released", "1999-01", "a year and a month"),
    ("popularity", "-1", "from 0"),
    ("popularity", "much", "whole number"),
    ("warranty_months", "121", "to 120"),
    ("warranty_months", "2.5", "whole number"),
    ("colour_sq", "c" * 61, "at most 60"),
    ("colour_mk", "", "is blank, but colour_sq is not"),
    ("colour_en", "Blue\ufffd", "lost when the file was made"),
    ("colour_hex", "", "blank"),
    ("colour_hex", "blue", "hexadecimal"),
    ("colour_hex", "#12345", "hexadecimal"),
    ("colour_family", "", "blank"),
    ("colour_family", "teal", "must be black"),
    ("storage_gb", "0", "from 1"),
    ("storage_gb", "128GB", "whole number"),
    ("ram_gb", "0", "from 1"),
    ("price", "", "blank"),
    ("price", "0", "from 1"),
    ("price", "-49980", "from 1"),
    ("price", "49.980", "digits alone"),
    ("price", "49980 den", "digits alone"),
    ("price", "21474837", "to 21474836"),
    ("price", "٤٩٩٨٠", "digits alone"),
    ("stock", "", "blank"),
    ("stock", "-1", "from 0"),
    ("stock", "1e3", "whole number"),
    ("screen_in", "6,2", "with a point"),
    ("screen_in", "0", "from 0.5"),
    ("screen_in", "nan", "number"),
    ("screen_tech", "t" * 61, "at most 60"),
    ("screen_px", "full HD", "1080x2340"),
    ("refresh_hz", "120Hz", "whole number"),
    ("chipset", "c" * 81, "at most 80"),
    ("rear_mp", "50MP", "50+12+10"),
    ("front_mp", "12+", "50+12+10"),
    ("battery_mah", "0", "from 1"),
    ("charging_w", "25W", "number"),
    ("network", "6G", "must be 5G"),
    ("port", "usb-a", "must be usb-c"),
    ("sim", "s" * 61, "at most 60"),
    ("os", "Android with a very long name", "at most 20"),
    ("os_version", "v" * 31, "at most 30"),
    ("size_mm", "big", "147.6x71.6x7.8"),
    ("weight_g", "-162", "from 0.1"),
    ("water", "w" * 21, "at most 20"),
    ("bluetooth", "BT5", "5.3"),
    ("in_box", "b" * 201, "at most 200"),
    ("power_w", "0", "from 0.1"),
    ("capacity_mah", "10,5", "whole number"),
    ("length_m", "101", "to 100"),
    ("battery_hours", "long", "number"),
    ("draw_kind", "fridge", "must be phone"),
    ("draw_camera", "round", "of a phone can be tri"),
    ("draw_hole", "notch", "must be dot"),
    ("draw_screen", "#dff2ff #5aa0d8", "3 colours"),
    ("draw_screen", "#dff2ff #5aa0d8 blue", "hexadecimal"),
    ("photo", "../secret.jpg", "without a folder"),
    ("photo", "a\\b.jpg", "without a folder"),
    ("photo", "picture.svg", "must look like"),
    ("photo", ".jpg", "must look like"),
    ("fits", "samsung-case", "accessories alone"),
    ("promo_percent", "0", "from 1"),
    ("promo_percent", "91", "to 90"),
    ("promo_price", "49980", "not below the price"),
    ("promo_price", "0", "from 1"),
    ("promo_from", "2025-11-01", "belongs to a promotion"),
    ("promo_from", "tomorrow", "a day or a moment"),
    ("promo_until", "2025-11-31", "a day or a moment"),
    ("promo_until", "2025-W40-1", "a day or a moment"),
    ("promo_segment", "business", "must be all or private"),
    ("promo_segment", "all", "belongs to a promotion"),
    ("gift_sq", "g" * 121, "at most 120"),
    ("gift_mk", "Футрола", "gift_sq"),
    ("gift_en", "Case", "gift_stock"),
    ("gift_sku", "SAM-CASE", "belongs to a gift"),
    ("gift_stock", "-1", "from 0"),
    ("besnik24:linja-m", "-1", "from 0"),
    ("besnik24:linja-m", "free", "whole number"),
    ("new_number:linja-m", "1.000", "whole number"),
]


@pytest.mark.parametrize(("column", "cell", "why"), BAD_CELLS)
def test_a_bad_cell_is_named_by_line_column_and_reason(column, cell, why):
    wrong = judged(PHONE | {column: cell})
    assert {line for line, _, _ in wrong} == {2}
    if why in ("note_sq", "gift_sq", "gift_stock"):  # the reason stands at the cell that is missing
        assert why in {column for _, column, _ in wrong}
    else:
        assert [why in reason for _, name, reason in wrong if name == column] == [True]


def test_every_column_has_a_bad_cell_in_the_table():
    assert {column for column, _, _ in BAD_CELLS} == set(COLUMNS)


def test_a_good_list_has_no_bad_line():
    assert judged(PHONE, SECOND, CASE) == []


@pytest.mark.parametrize(
    ("changes", "column", "why"),
    [
        ({"promo_percent": "10", "promo_price": "40000"}, "promo_price", "one of them"),
        (
            {"promo_percent": "10", "promo_from": "2025-12-02", "promo_until": "2025-12-01"},
            "promo_until",
            "not after",
        ),
        (
            {"promo_price": "900", "promo_from": "2025-12-01T10:00", "promo_until": "2025-12-01T09:00Z"},
            "promo_until",
            "not after",
        ),
        ({"gift_sq": "Kufje", "gift_mk": "Слушалки", "gift_en": "Earbuds"}, "gift_stock", "there is a gift"),
        ({"fits": "kind:toaster"}, "fits", "kind"),
        ({"fits": "brand:"}, "fits", "must name slugs"),
        ({"fits": "no-such-phone"}, "fits", "neither in the file nor in the shop"),
        ({"fits": "brand:Siemens"}, "fits", "neither in the file nor in the shop"),
        ({"draw_kind": ""}, "draw_kind", "an accessory must look like"),
        ({"draw_kind": "cable", "draw_camera": "tri"}, "draw_camera", "of a cable can be none"),
        ({"besnik24:linja-m": "500"}, "besnik24:linja-m", "only phones and tablets"),
    ],
)
def test_cells_that_contradict_each_other_are_bad(changes, column, why):
    ((line, name, reason),) = judged(PHONE, CASE | changes)
    assert (line, name) == (3, column)
    assert why in reason


@pytest.mark.parametrize("column", sorted(set(OF_DEVICE) - {"slug"}))
def test_the_rows_of_a_device_must_agree(column):
    other = {"kind": "tablet", "brand": "Honor", "released": "2024-01", "network": "4G", "draw_kind": "tablet"}
    other |= {"draw_camera": "duo", "draw_hole": "drop", "screen_in": "7", "rear_mp": "8"}
    wrong = judged(PHONE, SECOND | {column: other.get(column, "1")})
    assert [(line, name) for line, name, _ in wrong] == [(3, column)]
    assert "on line 2 of the same device" in wrong[0][2]


def test_a_sku_may_stand_on_one_line_only():
    assert judged(PHONE, PHONE | {"slug": "other-phone"}) == [(3, "sku", "is on line 2, too")]


def test_two_variants_of_a_device_differ_in_colour_storage_or_memory():
    assert judged(PHONE, PHONE | {"sku": "OTHER"}) == [(3, "sku", "has the colour, storage and memory of line 2")]


def test_the_rows_of_a_device_stand_together():
    ((line, column, reason),) = judged(PHONE, CASE, SECOND)
    assert (line, column) == (4, "slug")
    assert "came before" in reason


def test_a_brand_is_written_in_one_way():
    Brand.create(name="Samsung")
    assert judged(PHONE | {"brand": "SAMSUNG"}) == [(2, "brand", "is “SAMSUNG”, but “Samsung” elsewhere")]


def test_an_accessory_may_fit_what_comes_later_in_the_file_or_is_in_the_shop_already():
    assert judged(CASE, PHONE) == []
    load(PHONE)
    assert judged(CASE) == []


def test_missing_unknown_and_doubled_columns_and_unknown_tariffs_are_named():
    columns = [name for name in COLUMNS if name != "price"] + ["prise", "sku", "besnik24:gone", ""]
    wrong = PriceList(io.BytesIO((",".join(columns) + "\n").encode())).check()
    assert {(bad.line, bad.column, bad.reason) for bad in wrong} == {
        (1, "price", "this column is missing"),
        (1, "prise", "is no column of a price list; is it price?"),
        (1, "sku", "is there twice"),
        (1, "besnik24:gone", "there is no tariff “gone”; load the tariffs first"),
        (1, f"column {len(columns)}", "has no name"),
    }


@pytest.mark.parametrize("column", NEEDED)
def test_a_list_without_a_needed_column_is_refused_whole(column):
    file = written({}, columns=[name for name in COLUMNS if name != column])
    with pytest.raises(BadLines) as refused:
        PriceList(file).load(NOW, skip_bad=True)
    assert [bad.column for bad in refused.value.first] == [column]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (",".join(COLUMNS).encode(), "no devices"),
        (",".join(COLUMNS).encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04\x00\xff\xfe", "missing"),
    ],
)
def test_a_file_that_is_no_list_is_refused_whole(content, why):
    with pytest.raises(BadLines) as refused:
        PriceList(io.BytesIO(content)).load(NOW, skip_bad=True)
    assert any(why in bad.reason for bad in refused.value.first)
    assert rows_of(Device) == [0]


def test_a_byte_order_mark_semicolons_and_blank_lines_do_no_harm():
    file = written(PHONE, {}, SECOND, encoding="utf-8-sig", delimiter=";")
    assert PriceList(file).load(NOW).variants == 2


def test_a_letter_of_two_characters_becomes_one():
    load(CASE | {"name_sq": "Ke\u0308lle\u0308f", "fits": ""})
    assert Device.get().name_sq == "Këllëf"


def test_text_that_is_not_utf_8_is_named_by_line_and_column():
    content = written(PHONE, CASE).getvalue().replace("Këllëf".encode(), "Këllëf".encode("cp1250"))
    assert [tuple(bad) for bad in PriceList(io.BytesIO(content)).check()] == [
        (3, "name_sq", "is not written in UTF-8; save the file as “CSV UTF-8”")
    ]


def test_a_broken_line_does_not_spoil_the_ones_after_it():
    lines = written(PHONE, SECOND, CASE).getvalue().split(b"\r\n")
    lines[2:2] = [b'"never closed,' + b"x," * 50, b"too,few", b"x" * (2 * LONGEST_LINE)]
    wrong = [tuple(bad) for bad in PriceList(io.BytesIO(b"\n".join(lines))).check()]
    assert [(line, column) for line, column, _ in wrong] == [(3, ""), (4, ""), (5, "")]
    assert "not closed" in wrong[0][2]
    assert "has 2 cells" in wrong[1][2]
    assert "longer than" in wrong[2][2]


def test_a_message_holds_nothing_that_a_terminal_obeys():
    ((_, _, reason), *_) = judged(PHONE | {"price": "\x1b[2Jx"})
    assert "\x1b" not in reason


@pytest.mark.rule("CAT-4")
@pytest.mark.rule("CAT-5")
def test_a_list_becomes_devices_variants_prices_promotions_and_gifts(linja_m):
    gift = {"gift_sq": "Kufje", "gift_mk": "Слушалки", "gift_en": "Earbuds", "gift_sku": "BUDS", "gift_stock": "5"}
    promotion = {"promo_percent": "10", "promo_from": "2025-11-03", "promo_until": "2025-11-30"}
    promotion |= {"promo_segment": "private"}
    report = load(PHONE | gift | promotion, SECOND | gift | {"photo": "s25.jpg"}, CASE)
    assert (report.added, report.changed, report.unchanged, report.variants) == (2, 0, 0, 3)

    phone = Device.get(Device.slug == "samsung-galaxy-s25")
    assert (phone.full_name("sq"), phone.released, phone.warranty_months) == ("Samsung Galaxy S25", 202501, 24)
    assert phone.facts == {
        "screen_in": 6.2,
        "refresh_hz": 120,
        "rear_mp": "50+12+10",
        "network": "5G",
        "os": "Android",
    }
    assert phone.drawing == {"kind": "phone", "camera": "tri", "hole": "dot"}
    small, large = phone.variants.order_by(Variant.position)
    assert (small.price, small.stock, small.colour_hex, small.storage_gb) == (4998000, 7, "#3c5a8a", 128)
    assert (small.colour("mk"), large.photo, large.position) == ("Сина", "s25.jpg", 1)
    assert small.screen == "#dff2ff #5aa0d8 #173a66"
    prices = {(price.contract_type, price.tariff_id): price.price for price in small.tariff_prices}
    assert prices == {("besnik24", linja_m.id): 2400000, ("new_number", linja_m.id): 0}

    (promotion,) = small.promotions
    assert (promotion.percent, promotion.price, promotion.segment) == (10, None, "private")
    # Midnight in Skopje is 23:00 UTC of the day before; the last day counts in full.
    assert promotion.starts_at == datetime(2025, 11, 2, 23, tzinfo=UTC)
    assert promotion.ends_at == datetime(2025, 11, 30, 23, tzinfo=UTC)
    assert list(large.promotions) == []
    (gift,) = phone.gifts
    assert (gift.name("mk"), gift.sku, gift.stock) == ("Слушалки", "BUDS", 5)

    case = Device.get(Device.slug == "samsung-case")
    assert case.fits == ["samsung-galaxy-s25", "kind:tablet", "brand:samsung"]
    listing = Listing.get(Listing.device == phone)
    assert (listing.shown, listing.five_g, listing.os, listing.storages) == (True, True, "Android", [128, 256])


def test_every_picture_of_a_list_can_be_drawn():
    load(PHONE, CASE, CASE | {"sku": "SIM", "slug": "sim", "kind": "prepaid_sim", "draw_kind": "", "fits": ""})
    for variant in Variant.select():
        name = drawing.picture_path(variant.device, variant).rpartition("/")[2].removesuffix(".svg")
        assert drawing.read_name(name), name


def test_a_moment_without_a_zone_is_meant_in_the_shops():
    load(PHONE | {"promo_price": "40000", "promo_from": "2025-07-01T09:30", "promo_until": "2025-07-02T00:00Z"})
    promotion = Promotion.get()
    assert promotion.price == 4000000
    assert promotion.starts_at == datetime(2025, 7, 1, 7, 30, tzinfo=UTC)
    assert promotion.ends_at == datetime(2025, 7, 2, tzinfo=UTC)


def test_a_list_taken_twice_makes_no_doubles_and_keeps_what_was_sold():
    load(PHONE, SECOND, CASE)
    before, version = rows_of(*TABLES), CatalogueVersion.current()
    Variant.update(stock=2).where(Variant.sku == PHONE["sku"]).execute()
    moved = PriceList(written(PHONE, SECOND, CASE, columns=COLUMNS[::-1])).load(NOW)
    assert (moved.added, moved.changed, moved.unchanged, moved.variants) == (0, 0, 2, 0)
    assert rows_of(*TABLES) == before
    assert CatalogueVersion.current() == version
    assert Variant.get(Variant.sku == PHONE["sku"]).stock == 2


def test_a_changed_device_is_updated_in_place_and_the_others_are_left_alone():
    gift = {"gift_sq": "Kufje", "gift_mk": "Слушалки", "gift_en": "Earbuds", "gift_stock": "5"}
    load(PHONE | gift | {"promo_percent": "10"}, SECOND | gift | {"promo_percent": "10"}, CASE)
    ids = {variant.sku: variant.id for variant in Variant.select()}
    Variant.update(stock=1).execute()

    new = SECOND | {"sku": "SAM-S25-BLU-512", "storage_gb": "512"}
    changed = PHONE | {"price": "44980", "besnik24:linja-m": "", "promo_price": "39980"}
    report = load(changed, new, CASE)
    assert (report.added, report.changed, report.unchanged, report.variants) == (0, 1, 1, 2)
    variants = {variant.sku: variant for variant in Variant.select()}
    assert variants[PHONE["sku"]].id == ids[PHONE["sku"]]
    assert (variants[PHONE["sku"]].price, variants[PHONE["sku"]].stock) == (4498000, 7)
    assert variants["SAM-CASE"].stock == 1
    assert {sku: variant.listed for sku, variant in variants.items()} == {
        "SAM-S25-BLU-128": True,
        "SAM-S25-BLU-256": False,
        "SAM-S25-BLU-512": True,
        "SAM-CASE": True,
    }
    assert [price.contract_type for price in variants[PHONE["sku"]].tariff_prices] == ["new_number"]
    assert [(each.percent, each.price) for each in variants[PHONE["sku"]].promotions] == [(None, 3998000)]
    assert rows_of(Gift) == [0]
    listing = Listing.get(Listing.device == variants[PHONE["sku"]].device)
    assert (listing.price, listing.storages, listing.gift) == (3998000, [128, 512], False)


@pytest.mark.parametrize("bad", [SECOND | {"price": "0"}, SECOND | {"slug": "Other"}, CASE | {"fits": "nothing"}])
def test_a_bad_line_changes_nothing(bad):
    load(PHONE)
    before = rows_of(*TABLES), CatalogueVersion.current()
    tariffs = TariffList(io.BytesIO(b"code,name,monthly_price\nnew,New,100\n"))
    good = CASE | {"sku": "X", "slug": "x", "fits": ""}
    price_list = PriceList(written(PHONE | {"price": "1"}, bad, good), tariffs)
    with pytest.raises(BadLines) as refused:
        price_list.load(NOW)
    assert refused.value.count == 1
    assert (rows_of(*TABLES), CatalogueVersion.current()) == before
    assert Variant.get().price == 4998000


def test_skipping_leaves_the_whole_device_of_a_bad_line_as_it_is():
    load(PHONE, SECOND)
    report = load(PHONE | {"price": "1"}, SECOND | {"stock": "-1"}, CASE, skip_bad=True)
    assert (report.added, report.changed, report.skipped_devices, report.skipped_lines) == (1, 0, 1, 2)
    assert [tuple(bad) for bad in report.bad] == [(3, "stock", "must be from 0 to 1000000, not -1")]
    assert {variant.price for variant in Variant.select()} == {4998000, 5498000, 99000}


def test_a_line_that_names_no_device_spoils_the_ones_beside_it():
    third = CASE | {"sku": "Z", "slug": "zzz", "fits": ""}
    report = load(PHONE, SECOND | {"slug": ""}, CASE | {"fits": ""}, third, skip_bad=True)
    assert (report.skipped_devices, report.skipped_lines) == (2, 3)
    assert [device.slug for device in Device.select()] == ["zzz"]


def test_both_devices_of_a_doubled_sku_are_skipped():
    report = load(PHONE, CASE | {"sku": PHONE["sku"], "fits": ""}, CASE | {"slug": "good", "fits": ""}, skip_bad=True)
    assert (report.added, report.skipped_devices) == (1, 2)
    assert Device.get().slug == "good"


def test_devices_that_the_list_does_not_name_stay_unless_it_is_complete():
    load(PHONE, CASE)
    assert load(PHONE).delisted == 0
    assert Listing.select().where(Listing.shown).count() == 2
    assert load(PHONE, complete=True).delisted == 1
    assert not Device.get(Device.slug == "samsung-case").listed
    assert Listing.select().where(Listing.shown).count() == 1
    again = load(PHONE, CASE)
    assert (again.changed, again.unchanged) == (1, 1)
    assert Listing.select().where(Listing.shown).count() == 2


def test_a_complete_list_with_skipped_lines_takes_nothing_off_the_shelf():
    load(PHONE, CASE)
    report = load(PHONE | {"price": "x"}, complete=True, skip_bad=True)
    assert report.complete_refused
    assert Device.select().where(Device.listed).count() == 2


def test_a_sku_that_moves_to_another_device_is_not_doubled():
    load(PHONE, SECOND)
    report = load(SECOND | {"slug": "samsung-galaxy-s25-256"})
    assert report.added == 1
    moved = Variant.get(Variant.sku == SECOND["sku"])
    assert (moved.device.slug, moved.listed) == ("samsung-galaxy-s25-256", True)
    assert Listing.get(Listing.device == Device.get(Device.slug == PHONE["slug"])).storages == [128]
    back = load(PHONE, SECOND)
    assert (back.changed, back.unchanged) == (1, 0)
    assert Variant.get(Variant.sku == SECOND["sku"]).device.slug == PHONE["slug"]


def test_tariffs_come_with_the_list_that_names_them():
    tariffs = TariffList(io.BytesIO(b"code,name,monthly_price\nlinja-x,Linja X,1999\n"))
    columns = [*COLUMNS, "besnik24:linja-x"]
    report = PriceList(written(PHONE | {"besnik24:linja-x": "12"}, columns=columns), tariffs).load(NOW)
    assert report.tariffs == 1
    assert TariffPrice.get(TariffPrice.tariff == Tariff.get(Tariff.code == "linja-x")).price == 1200


def test_many_bad_lines_are_counted_and_the_first_are_kept():
    rows = [PHONE | {"sku": f"S{number}", "slug": f"s{number}", "price": "x"} for number in range(SHOWN + 50)]
    with pytest.raises(BadLines) as refused:
        load(*rows)
    assert (len(refused.value.first), refused.value.count) == (SHOWN, SHOWN + 50)


def test_what_is_no_file_is_said_clearly(tmp_path):
    for path, why in ((tmp_path / "gone.csv", "no file"), (tmp_path, "folder"), ("/dev/null", "plain file")):
        with pytest.raises(Unreadable, match=why):
            PriceList(path).load(NOW)


def test_a_file_that_is_written_to_meanwhile_is_not_taken(tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes(written(PHONE, CASE).getvalue())

    def grow(share):
        with path.open("ab") as file:
            file.write(b"\n")

    with pytest.raises(BadLines, match="changed while"):
        PriceList(path).load(NOW, progress=grow)
    assert rows_of(Device, Variant) == [0, 0]


def test_progress_goes_from_nothing_to_all(tmp_path):
    synthetic.write(400, tmp_path / "list.csv", ["linja-m"])
    shares = []
    PriceList(tmp_path / "list.csv").load(NOW, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len([share for share in shares if share < 0.25]) >= 2


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_to_a_file_breaks_the_import(data):
    content = bytearray(written(PHONE, SECOND, CASE).getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content)))
        content[place : place + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=20))
    price_list = PriceList(io.BytesIO(bytes(content)))
    lines = content.count(b"\n") + 1
    assert all(1 <= bad.line <= lines for bad in price_list.check())
    try:
        report = price_list.load(NOW, skip_bad=True)
    except BadLines:
        return
    assert report.added + report.changed + report.unchanged + report.skipped_devices >= 1 or report.skipped_lines


# Tariffs


@pytest.mark.parametrize(
    ("row", "column", "why"),
    [
        (",Name,100", "code", "blank"),
        ("a b,Name,100", "code", "must look like"),
        ("c" * 31 + ",Name,100", "code", "at most 30"),
        ("ok,,100", "name", "blank"),
        ("ok," + "n" * 61 + ",100", "name", "at most 60"),
        ("ok,Name,", "monthly_price", "blank"),
        ("ok,Name,-1", "monthly_price", "from 0"),
        ("ok,Name,100,lots", "internet_gb", "whole number"),
        ("ok,Name,100,,-5", "minutes", "from 0"),
        ("ok,Name,100,,,x", "sms", "whole number"),
        ("ok,Name,100,,,,first", "position", "whole number"),
        ("good,Twice,100", "code", "is on line 2, too"),
    ],
)
def test_a_bad_tariff_is_named_and_changes_nothing(row, column, why):
    header = "code,name,monthly_price,internet_gb,minutes,sms,position\n"
    row += "," * (6 - row.count(","))
    with pytest.raises(BadLines) as refused:
        load_tariffs(io.BytesIO(f"{header}good,Good,599,10,,unlimited,1\n{row}\n".encode()))
    ((line, name, reason),) = refused.value.first
    assert (line, name) == (3, column)
    assert why in reason
    assert [tariff.code for tariff in Tariff.select()] == ["linja-m"]


def test_tariffs_are_added_and_updated_by_code():
    file = b"code,name,monthly_price,internet_gb,minutes,sms\nlinja-m,Linja M,999,30,,Unlimited\nnew,New,0,0,10,20\n"
    assert load_tariffs(io.BytesIO(file)) == 2
    assert load_tariffs(io.BytesIO(file)) == 0
    old, new = Tariff.select().order_by(Tariff.code)
    assert (old.monthly_price, old.internet_gb, old.minutes, old.sms) == (99900, 30, None, None)
    assert (new.monthly_price, new.internet_gb, new.minutes, new.sms) == (0, 0, 10, 20)


def test_judging_keeps_only_small_keys(tmp_path):
    path = tmp_path / "list.csv"
    rows = synthetic.write(2_000, path, ["linja-m"])
    assert list(PriceList(path).check()) == []
    tracemalloc.start()
    try:
        assert list(PriceList(path).check()) == []
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000 + rows * 500


def test_facts_survive_the_database_with_their_types():
    facts = {"screen_in": "6.0", "weight_g": "4.5", "battery_mah": "5000", "bluetooth": "5.3", "front_mp": "12"}
    load(PHONE | facts)
    kept = Device.get().facts
    assert json.dumps({name: kept[name] for name in facts}) == json.dumps(
        {"screen_in": 6, "weight_g": 4.5, "battery_mah": 5000, "bluetooth": "5.3", "front_mp": "12"}
    )
    assert set(kept) <= set(FACTS)
