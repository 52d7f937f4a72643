"""Which accessories go with a device."""

import pytest

from models.accessories import Accessories


@pytest.fixture
def accessories():
    made = Accessories()
    made.put(1, ["galaxy-s25"], "case", 10)
    made.put(2, ["galaxy-s25"], "case", 90)
    made.put(3, ["brand:Samsung"], "charger", 50)
    made.put(4, ["kind:phone", "kind:tablet"], "earbuds", 99)
    made.put(5, ["kind:phone"], "charger", 80)
    return made


def test_what_is_made_for_the_device_comes_first_then_its_makers_then_what_fits_all(accessories):
    assert accessories.fitting("galaxy-s25", "Samsung", "phone", 3) == [2, 3, 4]


def test_a_second_of_the_same_look_comes_only_when_there_is_no_other(accessories):
    assert accessories.fitting("galaxy-s25", "Samsung", "phone", 5) == [2, 3, 4, 1, 5]


def test_a_device_of_another_maker_gets_what_fits_its_kind(accessories):
    assert accessories.fitting("iphone-16", "Apple", "phone", 4) == [4, 5]
    assert accessories.fitting("ipad", "Apple", "tablet", 4) == [4]
    assert accessories.fitting("sim", "Linja", "prepaid_sim", 4) == []


def test_what_has_a_plug_is_for_devices_with_the_same_one(accessories):
    accessories.put(6, ["kind:phone", "brand:Apple"], "cable", 999, "usb-c")
    accessories.put(7, ["kind:phone"], "cable", 998, "lightning")
    assert accessories.fitting("iphone-16", "Apple", "phone", 9, "usb-c") == [6, 4, 5]
    assert accessories.fitting("iphone-14", "Apple", "phone", 9, "lightning") == [7, 4, 5]
    assert accessories.fitting("old-phone", "Nobody", "phone", 9) == [4, 5]


def test_others_of_the_same_look_for_the_same(accessories):
    assert accessories.alike(1, ["galaxy-s25"], "case", 4) == [2]
    assert accessories.alike(5, ["kind:phone"], "charger", 4) == []
    accessories.put(6, ["kind:phone"], "earbuds", 10)
    accessories.put(7, ["kind:tablet"], "earbuds", 50)
    assert accessories.alike(4, ["kind:phone", "kind:tablet"], "earbuds", 4) == [7, 6]


def test_one_that_is_put_again_stands_where_it_now_belongs(accessories):
    accessories.put(2, ["iphone-16"], "case", 90)
    assert accessories.fitting("galaxy-s25", "Nobody", "watch", 4) == [1]
    assert accessories.fitting("iphone-16", "Nobody", "watch", 4) == [2]


def test_one_that_is_removed_is_gone_and_removing_it_again_does_nothing(accessories):
    accessories.remove(4)
    accessories.remove(4)
    assert accessories.fitting("ipad", "Apple", "tablet", 4) == []
