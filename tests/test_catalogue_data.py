"""The price list that the project keeps is whole, and agrees with itself and with the tariffs."""

import csv
import re
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path

import pytest

from models.accessories import Accessories
from models.price_list_columns import PORTS

DATA = Path(__file__).resolve().parent.parent / "data"
FAMILIES = {
    "black", "white", "grey", "silver", "blue", "green", "red",
    "pink", "purple", "yellow", "orange", "gold", "brown",
}  # fmt: skip
# What may differ between two lines of one device; a price column of a tariff may too.
OF_THE_VARIANT = {
    "sku", "colour_sq", "colour_mk", "colour_en", "colour_hex", "colour_family", "storage_gb", "ram_gb",
    "price", "stock", "draw_screen", "photo", "promo_price",
}  # fmt: skip
PHONE_CAMERAS = {"tri", "strip", "duo", "pro", "bar", "quad", "ring", "solo"}
CAMERAS = {
    "phone": PHONE_CAMERAS,
    "case": PHONE_CAMERAS,
    "tablet": {"one", "two"},
    "watch": {"round", "square"},
}
DRAWINGS = {
    "phone": {"phone"},
    "tablet": {"tablet"},
    "accessory": {"watch", "earbuds", "charger", "case", "powerbank", "cable"},
    "prepaid_sim": {"sim"},
}
IN_BOX = {
    "phone", "tablet", "watch", "earbuds", "case", "usb-c-cable", "charger",
    "sim-tool", "sim", "strap", "powerbank", "cable",
}  # fmt: skip
CYRILLIC = re.compile("[\u0400-\u04ff]")
# Letters that look Latin in an Albanian name but are not would never be found by the search.
NOT_LATIN = re.compile("[\u0370-\u04ff]")


def read(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.fixture(scope="module")
def rows():
    return read("catalogue.csv")


@pytest.fixture(scope="module")
def devices(rows):
    found = defaultdict(list)
    for row in rows:
        found[row["slug"]].append(row)
    return dict(found)


@pytest.fixture(scope="module")
def tariffs():
    return sorted(read("tariffs.csv"), key=lambda tariff: int(tariff["position"]))


def wrong(rows, is_right) -> list[str]:
    return [row["sku"] for row in rows if not is_right(row)]


def kinds(devices) -> Counter:
    return Counter(variants[0]["kind"] for variants in devices.values())


@pytest.mark.rule("CAT-1")
def test_the_shelf_is_full_in_every_category(devices):
    count = kinds(devices)
    assert count["phone"] >= 96
    assert count["tablet"] >= 22
    assert count["accessory"] >= 45
    assert count["prepaid_sim"] == 4
    assert sum(count.values()) == len(devices)


def test_phones_come_from_many_makers(devices):
    makers = {variants[0]["brand"] for variants in devices.values() if variants[0]["kind"] == "phone"}
    assert len(makers) >= 9
    assert makers >= {"Apple", "Samsung", "Xiaomi", "Google", "Motorola", "Honor"}


@pytest.mark.rule("CAT-4")
def test_every_device_has_two_to_six_variants_that_differ_in_colour_or_storage(devices):
    for slug, variants in devices.items():
        assert 2 <= len(variants) <= 6, slug
        assert len({(row["colour_en"], row["storage_gb"]) for row in variants}) == len(variants), slug


@pytest.mark.rule("CAT-4")
def test_every_sku_is_unique_and_well_formed(rows):
    assert [sku for sku, count in Counter(row["sku"] for row in rows).items() if count > 1] == []
    assert wrong(rows, lambda row: re.fullmatch(r"[A-Z0-9]+(-[A-Z0-9]+)+", row["sku"])) == []


def test_the_lines_of_a_device_agree_in_all_that_belongs_to_the_device(devices):
    for slug, variants in devices.items():
        for column in variants[0]:
            if column not in OF_THE_VARIANT and ":" not in column:
                assert len({row[column] for row in variants}) == 1, (slug, column)


def test_no_cell_has_stray_spaces_or_line_breaks(rows):
    assert (
        wrong(rows, lambda row: all(v == v.strip() and "\n" not in v and "  " not in v for v in row.values())) == []
    )


def test_every_device_has_a_slug_a_name_in_three_languages_and_a_place_of_its_own_on_the_shelf(devices):
    for slug, variants in devices.items():
        device = variants[0]
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug), slug
        assert device["name_sq"], slug
        assert device["name_mk"], slug
        assert device["name_en"], slug
        assert not NOT_LATIN.search(device["name_sq"] + device["name_en"] + device["note_sq"] + device["note_en"])
        assert re.fullmatch(r"20(2[3-6])-(0[1-9]|1[0-2])", device["released"]), slug
        assert 1 <= int(device["popularity"]) <= 1000, slug
    places = Counter(variants[0]["popularity"] for variants in devices.values())
    assert [place for place, count in places.items() if count > 1] == []


def test_accessories_and_sims_have_a_note_in_every_language(rows):
    small = [row for row in rows if row["kind"] in ("accessory", "prepaid_sim")]
    assert wrong(small, lambda row: row["note_sq"] and row["note_en"] and CYRILLIC.search(row["note_mk"])) == []


def test_colours_have_names_a_value_and_a_family(rows):
    assert wrong(rows, lambda row: re.fullmatch(r"#[0-9a-f]{6}", row["colour_hex"])) == []
    assert wrong(rows, lambda row: row["colour_family"] in FAMILIES) == []
    assert wrong(rows, lambda row: CYRILLIC.search(row["colour_mk"])) == []
    assert wrong(rows, lambda row: row["colour_sq"] and not NOT_LATIN.search(row["colour_sq"])) == []
    assert wrong(rows, lambda row: row["colour_en"] and not NOT_LATIN.search(row["colour_en"])) == []


def test_one_colour_of_a_device_has_one_value(devices):
    for slug, variants in devices.items():
        assert len({(row["colour_en"], row["colour_hex"]) for row in variants}) == len(
            {row["colour_en"] for row in variants}
        ), slug


@pytest.mark.rule("CAT-3")
def test_phones_and_tablets_have_their_characteristics(rows):
    big = [row for row in rows if row["kind"] in ("phone", "tablet")]
    for column in (
        "screen_in",
        "screen_tech",
        "chipset",
        "rear_mp",
        "front_mp",
        "os",
        "os_version",
        "in_box",
    ):
        assert wrong(big, lambda row, column=column: row[column]) == [], column
    patterns = {
        "screen_in": r"\d{1,2}(\.\d{1,2})?",
        "screen_px": r"\d{3,4}x\d{3,4}",
        "refresh_hz": r"60|90|120|144|165",
        "rear_mp": r"\d+(\.\d+)?(\+\d+(\.\d+)?)*",
        "front_mp": r"\d+(\.\d+)?(\+\d+)?",
        "battery_mah": r"(\d{4,5})?",
        "charging_w": r"(\d{2,3})?",
        "network": r"5G|4G|3G|none",
        "sim": r"((2?nano-SIM)?\+?(eSIM)?)",
        "size_mm": r"\d+(\.\d+)?x\d+(\.\d+)?x\d+(\.\d+)?",
        "weight_g": r"\d{3}",
        "water": r"(IP[X\d]\d)?",
        "bluetooth": r"(\d\.\d)?",
        "storage_gb": r"32|64|128|256|512|1024|2048",
        "ram_gb": r"\d{1,2}",
    }
    for column, pattern in patterns.items():
        assert wrong(big, lambda row, c=column, p=pattern: re.fullmatch(p, row[c])) == [], column
    assert wrong(big, lambda row: int(row["screen_px"].split("x")[0]) < int(row["screen_px"].split("x")[1])) == []
    assert wrong(big, lambda row: (row["network"] == "none") == (row["sim"] == "")) == []


def test_what_is_in_the_box_is_said_in_known_words(rows):
    assert wrong(rows, lambda row: row["in_box"] and set(row["in_box"].split("+")) <= IN_BOX) == []


def test_every_variant_can_be_drawn(rows):
    assert wrong(rows, lambda row: row["draw_kind"] in DRAWINGS[row["kind"]]) == []
    assert wrong(rows, lambda row: row["draw_camera"] in CAMERAS.get(row["draw_kind"], {""})) == []
    assert wrong(rows, lambda row: (row["draw_hole"] in ("dot", "island", "drop")) == (row["kind"] == "phone")) == []
    screens = [row for row in rows if row["draw_screen"]]
    assert wrong(screens, lambda row: re.fullmatch(r"#[0-9a-f]{6}( #[0-9a-f]{6}){2}", row["draw_screen"])) == []
    pale = [
        row
        for row in rows
        if row["kind"] in ("phone", "tablet") and row["colour_family"] in ("black", "white", "grey", "silver")
    ]
    assert wrong(pale, lambda row: row["draw_screen"]) == []


@pytest.mark.rule("CAT-5")
def test_prices_are_whole_denars_and_more_storage_never_costs_less(devices):
    for slug, variants in devices.items():
        assert all(re.fullmatch(r"[1-9]\d{2,5}", row["price"]) for row in variants), slug
        by_storage = sorted((int(row["storage_gb"] or 0), int(row["price"])) for row in variants)
        assert [price for _, price in by_storage] == sorted(price for _, price in by_storage), slug


@pytest.mark.rule("CAT-5")
def test_every_phone_and_tablet_has_a_price_with_every_tariff_and_the_dearer_tariff_makes_it_cheaper(rows, tariffs):
    for row in rows:
        for contract in ("besnik24", "new_number"):
            prices = [row[f"{contract}:{tariff['code']}"] for tariff in tariffs]
            if row["kind"] not in ("phone", "tablet"):
                assert prices == [""] * len(tariffs), row["sku"]
                continue
            amounts = [int(price) for price in prices]
            assert amounts == sorted(set(amounts), reverse=True), row["sku"]
            assert 0 <= amounts[-1] < amounts[0] < int(row["price"]), row["sku"]
            assert [amount % 24 for amount in amounts] == [0] * len(tariffs), row["sku"]
    price_columns = {column.split(":")[1] for column in rows[0] if column.startswith(("besnik24:", "new_number:"))}
    assert price_columns == {tariff["code"] for tariff in tariffs}


@pytest.mark.rule("CAT-5")
def test_staying_with_ones_number_is_never_dearer_than_a_new_one(rows, tariffs):
    big = [row for row in rows if row["kind"] in ("phone", "tablet")]
    for tariff in tariffs:
        code = tariff["code"]
        assert wrong(big, lambda row, c=code: int(row[f"besnik24:{c}"]) <= int(row[f"new_number:{c}"])) == [], code


@pytest.mark.rule("CAT-5")
def test_promotions_are_a_percentage_or_a_price_below_the_usual_one(rows, devices):
    promoted = [row for row in rows if row["promo_percent"] or row["promo_price"]]
    assert wrong(promoted, lambda row: bool(row["promo_percent"]) != bool(row["promo_price"])) == []
    assert wrong(promoted, lambda row: 1 <= int(row["promo_percent"] or 1) <= 90) == []
    assert wrong(promoted, lambda row: 0 < int(row["promo_price"] or 1) < int(row["price"])) == []
    assert wrong(promoted, lambda row: row["promo_segment"] in ("all", "private")) == []
    rest = [row for row in rows if not row["promo_percent"] and not row["promo_price"]]
    assert wrong(rest, lambda row: not (row["promo_segment"] or row["promo_from"] or row["promo_until"])) == []
    for row in promoted:
        moments = [datetime.fromisoformat(row[c]) for c in ("promo_from", "promo_until") if row[c]]
        assert all(moment.tzinfo for moment in moments), row["sku"]
        assert moments == sorted(moments), row["sku"]
    firsts = [variants[0] for variants in devices.values()]
    assert sum(bool(device["promo_percent"]) for device in firsts) >= 20
    assert sum(bool(device["promo_price"]) for device in firsts) >= 4
    assert sum(device["promo_segment"] == "private" for device in firsts) >= 3


@pytest.mark.rule("CAT-5")
def test_gifts_have_a_name_in_every_language_and_one_has_run_out(rows, devices):
    given = [variants[0] for variants in devices.values() if variants[0]["gift_sq"]]
    assert len(given) >= 8
    skus = {row["sku"] for row in rows}
    for device in given:
        assert device["gift_mk"], device["slug"]
        assert device["gift_en"], device["slug"]
        assert device["gift_sku"] == "" or device["gift_sku"] in skus, device["slug"]
        assert int(device["gift_stock"]) >= 0, device["slug"]
    assert any(device["gift_stock"] == "0" for device in given)
    assert [
        slug
        for slug, (device, *_) in devices.items()
        if not device["gift_sq"] and (device["gift_mk"] or device["gift_sku"] or device["gift_stock"])
    ] == []


def test_some_variants_and_a_few_whole_devices_are_out_of_stock(rows, devices):
    assert wrong(rows, lambda row: re.fullmatch(r"\d{1,3}", row["stock"]) and int(row["stock"]) <= 120) == []
    empty = sum(row["stock"] == "0" for row in rows)
    assert 0.03 * len(rows) < empty < 0.1 * len(rows)
    assert any(0 < int(row["stock"]) <= 3 for row in rows)
    assert sum(all(row["stock"] == "0" for row in variants) for variants in devices.values()) == 2


def test_accessories_fit_devices_and_brands_that_are_in_the_list(devices):
    brands = {variants[0]["brand"] for variants in devices.values()}
    for slug, (device, *_) in devices.items():
        tokens = device["fits"].split()
        assert bool(tokens) == (device["kind"] == "accessory"), slug
        for token in tokens:
            group, _, name = token.rpartition(":")
            known = {"": devices, "kind": ("phone", "tablet"), "brand": brands}[group]
            assert name in known, (slug, token)
        if device["draw_kind"] == "case":
            fitted = devices[tokens[0]][0]
            assert device["draw_camera"] == fitted["draw_camera"], slug


# What has a plug.
PLUGGED = ("charger", "cable", "powerbank")


def really_fits(accessory, device) -> bool:
    """Whether an accessory of the list goes with a device of it: from what both are, not from `fits`."""
    what, makers_own = accessory["draw_kind"], accessory["brand"] == device["brand"]
    if what == "case":
        # A case names its phone, whole.
        return all(
            accessory[f"name_{language}"].endswith(f" {device[f'name_{language}']}") for language in ("mk", "en")
        )
    if what in PLUGGED:
        return bool(accessory["port"]) and accessory["port"] == device["port"]
    if what == "earbuds":
        return device["kind"] in ("phone", "tablet")
    if what == "watch":
        # A watch of one system talks to that maker's phones alone; the others have an app for both.
        return device["kind"] == "phone" and (makers_own or accessory["os"] not in ("watchOS", "Wear OS"))
    return False


@pytest.fixture(scope="module")
def offered(devices):
    """What each phone's and tablet's page can offer, by slug."""
    shelf, numbers = Accessories(), dict(enumerate(devices))
    for number, slug in numbers.items():
        first = devices[slug][0]
        if first["kind"] == "accessory":
            shelf.put(number, first["fits"].split(), first["draw_kind"], int(first["popularity"]), first["port"])
    return {
        slug: [
            numbers[found]
            for found in shelf.fitting(slug, first["brand"], first["kind"], len(devices), first["port"])
        ]
        for slug, (first, *_) in devices.items()
        if first["kind"] in ("phone", "tablet")
    }


def test_every_accessory_that_a_page_offers_goes_with_its_device(devices, offered):
    wrong = [
        (slug, accessory)
        for slug, accessories in offered.items()
        for accessory in accessories
        if not really_fits(devices[accessory][0], devices[slug][0])
    ]
    assert wrong == []


def test_every_phone_and_tablet_has_a_charger_that_goes_into_it_and_every_case_is_offered_for_one_phone(
    devices, offered
):
    for slug, accessories in offered.items():
        looks = {devices[accessory][0]["draw_kind"] for accessory in accessories}
        assert {"charger", "cable", "earbuds"} <= looks, slug
    cases = [slug for slug, (first, *_) in devices.items() if first["draw_kind"] == "case"]
    for case in cases:
        assert sum(case in accessories for accessories in offered.values()) == 1, case


def test_a_maker_s_own_watch_is_offered_for_all_of_the_makers_phones(devices, offered):
    for slug, (first, *_) in devices.items():
        if first["kind"] == "phone" and first["brand"] in ("Apple", "Samsung", "Google"):
            theirs = [one for one in offered[slug] if devices[one][0]["draw_kind"] == "watch"]
            assert any(devices[one][0]["brand"] == first["brand"] for one in theirs), slug


def test_what_has_a_plug_and_what_is_charged_says_which(rows):
    plugged = [row for row in rows if row["kind"] in ("phone", "tablet") or row["draw_kind"] in PLUGGED]
    assert wrong(plugged, lambda row: row["port"] in PORTS) == []
    assert wrong([row for row in rows if row not in plugged], lambda row: not row["port"]) == []


def test_tariffs_rise_in_price_and_give_more(tariffs):
    assert [tariff["code"] for tariff in tariffs] == ["linja-s", "linja-m", "linja-l", "linja-max"]
    prices = [int(tariff["monthly_price"]) for tariff in tariffs]
    assert prices == sorted(set(prices))
    internet = [float(tariff["internet_gb"] or "inf") for tariff in tariffs]
    assert internet == sorted(set(internet))


@pytest.mark.rule("DLV-1")
def test_places_hold_every_municipality_and_a_postal_code_for_every_post_place():
    places = read("mk_places.csv")
    municipalities = [place for place in places if place["type"] == "municipality"]
    posts = [place for place in places if place["type"] == "post"]
    assert (len(municipalities), len(posts)) == (80, 220)
    assert len({place["code"] for place in municipalities}) == 80
    assert all(re.fullmatch(r"MK-\d{3}", place["code"]) for place in municipalities)
    assert all(re.fullmatch(r"[1-9]\d{3}", place["postal_code"]) for place in posts)
    assert all(place["name_en"] and CYRILLIC.search(place["name_mk"]) for place in places)
    assert all(not NOT_LATIN.search(place["name_sq"]) for place in places)
    assert all(bool(place["name_sq"]) == bool(place["name_sq_status"]) for place in places)
