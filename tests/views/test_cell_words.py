"""What is wrong with a cell has words in each language, whatever the models say of it (CAT-7, LOC-1)."""

import io
import re

import pytest

from models.club_lists import BACK_DATED, LAST_DAY_OVER
from models.price_list import PriceList
from models.price_list_columns import NEEDED, OF_DEVICE, OF_VARIANT, TARIFF_PRICE, device_wrong, variant_wrong
from models.tariff_list import COLUMNS as TARIFF
from views.cell_words import has_words, reason_text

CELLS = (
    "x" * 500,
    "§",
    "-1",
    "1e9",
    "999999999999999",
    "a/b.jpg",
    "kind:x",
    "A b!",
    "2026-13",
    "2026-02-31",
    "#12",
    "",
)
DEVICES = (
    {"kind": "accessory"},
    {"kind": "phone", "fits": ["x"], "note_sq": "a", "gift_mk": "b", "draw_camera": "round"},
    {"kind": "phone", "gift_stock": 1, "gift_sku": "x"},
    {"kind": "phone", "gift_sq": "a", "gift_mk": "b", "gift_en": "c"},
)
VARIANTS = (
    {"colour_sq": "a", "price": 100, "promo_percent": 5, "promo_price": 200},
    {"promo_segment": "all"},
)
HEADER = ",".join(NEEDED)
ROW = "A-1,phone,Samsung,nova,Nova,Нова,Nova,2026-01,#111111,black,100,1"
FILES = (
    b"",
    HEADER.encode(),
    b"\xff\xfea",
    f"{HEADER},prise,price,,besnik24:none\n{ROW}".encode(),
    f'{HEADER}\n{ROW},1\n"{ROW}\n{ROW.replace("Nova", chr(0x200B))}'.encode(),
    f"{HEADER}\n{ROW}\n{ROW}\n{ROW.replace('A-1', 'A-2').replace('Samsung', 'samsung')}".encode(),
    f"{HEADER}\n{ROW}\n{ROW.replace('A-1', 'B-1').replace('nova', 'b')}\n{ROW.replace('A-1', 'A-9')}".encode(),
    f"{HEADER}\n{ROW.replace('Samsung', chr(0xFFFD))}\n{'x' * 70_000}".encode(),
    HEADER.encode() + b"\n\xff\xfe\xfa,phone",
    f"{HEADER},fits\n{ROW.replace('phone', 'accessory')},nowhere".encode(),
    f"{HEADER},note_sq\n{ROW},a\n{ROW.replace('A-1', 'A-2').replace('#111111', '#222222')},b".encode(),
)


def reasons() -> set[str]:
    found = {BACK_DATED, LAST_DAY_OVER}
    for read in (*OF_DEVICE.values(), *OF_VARIANT.values(), *TARIFF.values(), TARIFF_PRICE):
        for cell in CELLS:
            try:
                read(cell)
            except ValueError as error:
                found.add(str(error))
    for values in DEVICES:
        found |= {reason for _, reason in device_wrong(values)}
    for values in VARIANTS:
        found |= {reason for _, reason in variant_wrong(values)}
    for content in FILES:
        found |= {bad.reason for bad in PriceList(io.BytesIO(content)).check()}
    return found


@pytest.mark.rule("CAT-7", "LOC-1")
def test_every_reason_that_a_price_list_is_refused_for_has_words(app, world):
    found = reasons()
    assert len(found) > 60
    assert [reason for reason in found if not has_words(reason)] == []
    for code in ("sq", "mk", "en"):
        with app.test_request_context("/", environ_base={"dyqani.language": code}):
            said = {reason_text(reason) for reason in found}
            english = "" if code == "en" else "|must be|is blank|file"
            assert not [text for text in said if re.search(rf"%\({english}", text)], code
