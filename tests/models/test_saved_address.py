"""The addresses that a profile keeps (CHK-2)."""

import pytest
from peewee import IntegrityError

from models.base import db
from models.saved_address import MOST, SavedAddress, TooManyAddresses
from tests.world import NOW, build, later, profile

HOME = ("Rr. Ilindenit 12", "1200", "MK-609")


@pytest.fixture
def ana():
    build()
    return profile()


def kept(owner):
    return [(one.street, one.is_default) for one in SavedAddress.of(owner)]


def test_the_first_address_is_chosen_by_itself_and_a_later_one_only_when_it_is_said(ana):
    SavedAddress.keep(ana, *HOME, NOW)
    SavedAddress.keep(ana, "Rr. Marshall Tito 4", "1000", "MK-801", NOW)
    assert kept(ana) == [("Rr. Ilindenit 12", True), ("Rr. Marshall Tito 4", False)]
    SavedAddress.keep(ana, "Bul. Partizanët 7", "1000", "MK-801", NOW, first=True)
    assert kept(ana)[0] == ("Bul. Partizanët 7", True)
    assert [is_first for _, is_first in kept(ana)] == [True, False, False]


@pytest.mark.parametrize("street", ["Rr. Ilindenit 12", "rr ilindenit  12", "RR. ILINDENIT, 12"])
def test_the_same_address_is_kept_once_however_it_is_spelled(ana, street):
    first = SavedAddress.keep(ana, *HOME, NOW, label="Shtëpia")
    again = SavedAddress.keep(ana, street, "1200", "MK-609", later(1))
    assert again.id == first.id
    assert (kept(ana), again.label) == ([(street, True)], "Shtëpia")


def test_other_flats_and_places_are_other_addresses(ana):
    for street, code in (("Rr. 1 nr. 12/1", "1200"), ("Rr. 1 nr. 121", "1200"), ("Rr. 1 nr. 121", "1000")):
        SavedAddress.keep(ana, street, code, "MK-609", NOW)
    assert len(kept(ana)) == 3


def test_one_more_than_fit_is_refused_but_not_one_that_is_there(ana):
    for number in range(MOST):
        SavedAddress.keep(ana, f"Rr. {number}", "1200", "MK-609", NOW)
    with pytest.raises(TooManyAddresses):
        SavedAddress.keep(ana, *HOME, NOW)
    SavedAddress.keep(ana, "Rr. 3", "1200", "MK-609", NOW)
    assert len(kept(ana)) == MOST


def test_an_address_that_becomes_another_one_is_one_with_it(ana):
    home = SavedAddress.keep(ana, *HOME, NOW)
    work = SavedAddress.keep(ana, "Rr. e Punës 1", "1000", "MK-801", NOW)
    work.change(*HOME, label="Puna")
    assert kept(ana) == [("Rr. Ilindenit 12", True)]
    with pytest.raises(SavedAddress.DoesNotExist):
        home.change(*HOME, label="Shtëpia")


def test_a_removed_first_choice_hands_on_to_the_oldest_and_twice_is_once(ana):
    home = SavedAddress.keep(ana, *HOME, NOW)
    SavedAddress.keep(ana, "Rr. 2", "1200", "MK-609", NOW)
    SavedAddress.keep(ana, "Rr. 3", "1200", "MK-609", NOW)
    assert SavedAddress.remove(ana, home.id)
    assert not SavedAddress.remove(ana, home.id)
    assert kept(ana) == [("Rr. 2", True), ("Rr. 3", False)]
    home.put_first()
    assert kept(ana)[0] == ("Rr. 2", True)


def test_nobody_elses_address_is_found_or_removed(ana):
    besa = profile("besa@example.com")
    hers = SavedAddress.keep(besa, *HOME, NOW)
    assert SavedAddress.of_profile_by(ana, hers.id) is None
    assert not SavedAddress.remove(ana, hers.id)
    assert kept(besa) == [("Rr. Ilindenit 12", True)]


@pytest.mark.parametrize(("code", "municipality"), [("9999", "MK-609"), ("1200", "MK-999")])
def test_a_place_that_is_none_is_not_kept(ana, code, municipality):
    with pytest.raises(KeyError):
        SavedAddress.keep(ana, "Rr. 1", code, municipality, NOW)
    assert kept(ana) == []


def test_the_tables_refuse_a_second_first_choice_and_go_with_the_profile(ana):
    SavedAddress.keep(ana, *HOME, NOW)
    other = SavedAddress.keep(ana, "Rr. 2", "1200", "MK-609", NOW)
    with pytest.raises(IntegrityError), db.atomic():
        SavedAddress.update(is_default=True).where(SavedAddress.id == other.id).execute()
    ana.delete_instance()
    assert not SavedAddress.select().exists()
